//! `PyConfig_Read`: from what the embedder set to what holds.
//!
//! ```text
//!   globals (compat) ─> command line ─> isolation ─> environment and -X, row by row ─> consequences ─> warnings
//! ```
//!
//! Reading twice gives the same as reading once: arguments are parsed while `parse_argv` is 1 and it
//! becomes 2, decided fields stay, and warning filters that are already in the list stay where they are.

use core::ffi::c_int;

use super::args::{Args, Text};
use super::cmdline;
use super::env::Environment;
use super::layout::{ConfigKind, PyConfig, PyPreConfig};
use super::legacy;
use super::locale::{CType, ProcessCType};
use super::paths;
use super::preconfig::{preinitialize_for, preinitialized};
use super::special;
use super::status::StatusResult;
use super::strings::{PyWideStringList, WideString};
use super::table::{EnvClass, Field, OPTIONS, OptionRow};

/// What is known while a configuration is being read.
pub struct Reading<'a> {
    pub env: Environment<'a>,
    pub ctype: &'a dyn CType,
    /// The effective pre-configuration.
    pub pre: PyPreConfig,
    /// The filters given by `-W`.
    pub warnings: PyWideStringList,
}

impl PyConfig {
    /// Decides every undecided field except the paths; parses `argv` once, when `parse_argv` is 1.
    ///
    /// Pre-initializes if needed. An error or exit status leaves the configuration partly read and valid;
    /// `argv` is whole then.
    pub fn read(&mut self) -> StatusResult {
        preinitialize_for(self, Args::Wide(self.argv.as_slice()))?;
        let pre = preinitialized().unwrap_or_else(|| PyPreConfig::from_config(self));
        self.read_from(Environment::Process, &ProcessCType, pre)
    }

    pub(super) fn read_from(
        &mut self,
        env: Environment<'_>,
        ctype: &dyn CType,
        pre: PyPreConfig,
    ) -> StatusResult {
        let mut reading = Reading { env, ctype, pre, warnings: PyWideStringList::new() };
        if self.kind() == Some(ConfigKind::Compat) {
            legacy::load(self);
        }
        for (field, value) in
            [(&mut self.isolated, pre.isolated), (&mut self.use_environment, pre.use_environment)]
        {
            if *field < 0 {
                *field = value;
            }
        }
        if self.parse_argv == 1 {
            if self.orig_argv.is_empty() {
                self.orig_argv = self.argv.try_clone()?;
            }
            cmdline::parse(self, &mut reading.warnings)?;
        }
        if self.isolated > 0 {
            self.use_environment = 0;
            self.user_site_directory = 0;
            self.safe_path = 1;
        }
        if self.use_environment <= 0 {
            reading.env = Environment::Empty;
        }
        for row in &OPTIONS {
            row.read(&mut reading, self)?;
        }
        special::check_gil(&reading, self)?;
        self.finish(&reading)?;
        if self.parse_argv == 1 {
            self.parse_argv = 2;
        }
        Ok(())
    }

    /// What follows from other fields, and the values of what nobody decided.
    fn finish(&mut self, reading: &Reading<'_>) -> StatusResult {
        if self.dev_mode < 0 {
            self.dev_mode = reading.pre.dev_mode.max(0);
        }
        if self.faulthandler < 0 && self.dev_mode > 0 {
            self.faulthandler = 1;
        }
        for row in &OPTIONS {
            if let (Field::Int(_, field), Some(value)) = (row.field, row.decided) {
                let field = field(self);
                if *field < 0 {
                    *field = value;
                }
            }
        }
        self.read_warnings(reading)?;
        if self.argv.is_empty() {
            self.argv.push(WideString::from_text("")?)?;
        }
        if let Some(name) = self.run_filename.get() {
            self.run_filename = paths::absolute(name)?;
        }
        Ok(())
    }

    /// Puts the filters of mode, environment and options before those that are in the list, weakest first.
    fn read_warnings(&mut self, reading: &Reading<'_>) -> StatusResult {
        let mut all = PyWideStringList::new();
        let own = &self.warnoptions;
        let mut add = |filter: WideString| {
            let text = filter.as_slice();
            if own.contains(text) || all.contains(text) { Ok(()) } else { all.push(filter) }
        };
        if self.dev_mode > 0 {
            add(WideString::from_text("default")?)?;
        }
        if let Some(filters) = reading.env.text(c"PYTHONWARNINGS")? {
            for filter in filters.as_slice().split(|&unit| unit == u32::from(b',')) {
                if !filter.is_empty() {
                    add(WideString::copy_of(filter)?)?;
                }
            }
        }
        for filter in reading.warnings.as_slice() {
            add(filter.try_clone()?)?;
        }
        match self.bytes_warning {
            ..=0 => {}
            1 => add(WideString::from_text("default::BytesWarning")?)?,
            _ => add(WideString::from_text("error::BytesWarning")?)?,
        }
        all.extend(own)?;
        self.warnoptions = all;
        Ok(())
    }
}

impl OptionRow {
    /// Reads this option from `-X` and the environment into its field.
    fn read(&self, reading: &mut Reading<'_>, config: &mut PyConfig) -> StatusResult {
        match self.field {
            Field::Int(_, field) => {
                if let Some(value) = self.simple_value(reading, config) {
                    let field = field(config);
                    // A field with an undecided state keeps what the embedder decided.
                    if self.decided.is_none() || *field < 0 {
                        *field = value;
                    }
                }
                self.read_level(reading, field(config));
            }
            Field::Text(_, field) => {
                if let Some(env) = self.env.filter(|env| env.class == EnvClass::Text)
                    && field(config).is_null()
                    && let Some(text) = reading.env.text(env.name)?
                {
                    *field(config) = text;
                }
            }
            Field::ULong(..) | Field::List(..) | Field::Pre(..) => {}
        }
        match self.reader {
            Some(reader) => reader(reading, config),
            None => Ok(()),
        }
    }

    /// What the presence of an option or a variable sets.
    fn simple_value(&self, reading: &Reading<'_>, config: &PyConfig) -> Option<c_int> {
        if let Some(option) = self.xoption
            && let Some(value) = option.presence
            && config.xoption(option.key).is_some()
        {
            return Some(value);
        }
        let env = self.env?;
        match env.class {
            EnvClass::Presence(value) if reading.env.has(env.name) => Some(value),
            _ => None,
        }
    }

    /// A level of the environment: the higher of it and the option's counts.
    fn read_level(&self, reading: &Reading<'_>, field: &mut c_int) {
        let Some(env) = self.env else { return };
        let off = match env.class {
            EnvClass::Level => false,
            EnvClass::LevelOff => true,
            _ => return,
        };
        let level = reading.env.with(env.name, |text| match Text::Bytes(text).int() {
            Some(level) if level >= 0 => level,
            _ => 1,
        });
        match level.unwrap_or(0) {
            0 => {}
            _ if off => *field = 0,
            level => *field = (*field).max(level),
        }
    }
}
