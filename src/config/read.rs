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

    pub(super) fn read_from(&mut self, env: Environment<'_>, ctype: &dyn CType, pre: PyPreConfig) -> StatusResult {
        let mut reading = Reading { env, ctype, pre, warnings: PyWideStringList::new() };
        if self.kind() == Some(ConfigKind::Compat) {
            legacy::load(self);
        }
        for (field, value) in [(&mut self.isolated, pre.isolated), (&mut self.use_environment, pre.use_environment)] {
            if *field < 0 {
                *field = value;
            }
        }
        // An argv of one empty text is what an earlier read has made of none.
        let none = matches!(self.argv.as_slice(), [only] if only.as_slice().is_empty());
        if self.orig_argv.is_empty() && !none {
            self.orig_argv = self.argv.try_clone()?;
        }
        if self.parse_argv == 1 {
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

#[cfg(test)]
mod tests {
    use core::ffi::CStr;

    use super::super::locale::Name;
    use super::super::table::OptionRow;
    use super::*;

    type Variables<'a> = &'a [(&'a CStr, &'a [u8])];

    /// A locale that is what its name says.
    struct Locale(&'static [u8]);

    impl CType for Locale {
        fn name(&self) -> Name {
            Name::new(self.0)
        }

        fn codeset(&self) -> Name {
            Name::new(if self.0.ends_with(b"UTF-8") { b"UTF-8" } else { b"ANSI_X3.4-1968" })
        }

        fn set(&mut self, _: &CStr) -> bool {
            false
        }

        fn export(&mut self, _: &CStr) -> bool {
            false
        }
    }

    fn read_in(locale: &'static [u8], config: &mut PyConfig, env: Variables<'_>, args: &[&str]) -> StatusResult {
        for arg in args {
            config.argv.push(WideString::from_text(arg)?)?;
        }
        let mut pre = PyPreConfig::from_config(config);
        pre.utf8_mode = pre.utf8_mode.max(0);
        pre.dev_mode = pre.dev_mode.max(0);
        config.read_from(Environment::Fixed(env), &Locale(locale), pre)
    }

    fn try_read(env: Variables<'_>, args: &[&str]) -> StatusResult<PyConfig> {
        let mut config = PyConfig::new(ConfigKind::Python);
        read_in(b"de_DE.UTF-8", &mut config, env, args)?;
        Ok(config)
    }

    fn read(env: Variables<'_>, args: &[&str]) -> PyConfig {
        try_read(env, args).unwrap()
    }

    fn texts(list: &PyWideStringList) -> std::vec::Vec<std::string::String> {
        list.as_slice().iter().map(|item| std::format!("{item}")).collect()
    }

    #[test]
    fn everything_but_paths_is_decided() {
        let config = read(&[], &["prog"]);
        let int = |row: &OptionRow| match row.field {
            Field::Int(get, _) => *get(&config),
            _ => 0,
        };
        for row in &OPTIONS {
            assert!(int(row) >= 0 || row.name == "cpu_count", "{}", row.name);
        }
        assert_eq!((config.parse_argv, config.int_max_str_digits, config.cpu_count), (2, 4300, -1));
        assert_eq!((texts(&config.orig_argv), texts(&config.argv)), (std::vec!["prog".into()], std::vec!["".into()]));
        assert!(config.filesystem_encoding.is("UTF-8") && config.filesystem_errors.is("surrogateescape"));
        assert!(config.stdio_encoding.is("UTF-8") && config.stdio_errors.is("strict"));
        assert!(config.check_hash_pycs_mode.is("default"));
        assert!(config.program_name.is_null() && config.executable.is_null() && config.home.is_null());
    }

    #[test]
    fn reading_again_changes_nothing() {
        let env: Variables<'_> = &[(c"PYTHONWARNINGS", b"a,b"), (c"PYTHONOPTIMIZE", b"2")];
        let mut config = read(env, &["p", "-Xdev", "-Wc", "-b", "-v", "x.py", "y"]);
        let once = std::format!("{config:?}");
        read_in(b"de_DE.UTF-8", &mut config, env, &[]).unwrap();
        assert_eq!(std::format!("{config:?}"), once);
    }

    #[test]
    fn an_isolated_configuration_ignores_the_environment() {
        let env: Variables<'_> = &[(c"PYTHONVERBOSE", b"1"), (c"PYTHONHASHSEED", b"bad"), (c"PYTHONPATH", b"/x")];
        let mut config = PyConfig::new(ConfigKind::Isolated);
        read_in(b"C", &mut config, env, &[]).unwrap();
        assert_eq!((config.verbose, config.use_hash_seed, config.safe_path), (0, 0, 1));
        assert!(config.pythonpath_env.is_null());
        assert!(config.filesystem_encoding.is("ANSI_X3.4-1968") && config.stdio_errors.is("surrogateescape"));
        assert_eq!((texts(&config.orig_argv).len(), texts(&config.argv)), (0, std::vec!["".into()]));
        let mut config = PyConfig::new(ConfigKind::Isolated);
        read_in(b"C", &mut config, &[], &["prog", "-v"]).unwrap();
        assert_eq!((texts(&config.orig_argv).len(), texts(&config.argv).len(), config.verbose), (2, 2, 0));
        for option in ["-I", "-E"] {
            assert_eq!(read(env, &["p", option]).verbose, 0);
        }
        let config = read(&[], &["p", "-I"]);
        assert_eq!((config.use_environment, config.user_site_directory, config.safe_path), (0, 0, 1));
    }

    #[test]
    fn presence_variables_count_even_when_they_say_0() {
        let env: Variables<'_> = &[
            (c"PYTHONSAFEPATH", b"0"),
            (c"PYTHONFAULTHANDLER", b"0"),
            (c"PYTHONMALLOCSTATS", b"0"),
            (c"PYTHONNODEBUGRANGES", b"0"),
            (c"PYTHONDUMPREFS", b""),
        ];
        let config = read(env, &[]);
        assert_eq!((config.safe_path, config.faulthandler, config.malloc_stats), (1, 1, 1));
        assert_eq!((config.code_debug_ranges, config.import_time, config.dump_refs), (0, 0, 0));
    }

    #[test]
    fn level_variables_are_numbers_and_combine_by_maximum() {
        let level = |text: &'static [u8]| read(&[(c"PYTHONVERBOSE", text)], &[]).verbose;
        assert_eq!([level(b"0"), level(b"3"), level(b"x"), level(b"-2"), level(b"99999999999")], [0, 3, 1, 1, 1]);
        assert_eq!(read(&[(c"PYTHONOPTIMIZE", b"2")], &["p", "-O"]).optimization_level, 2);
        assert_eq!(read(&[(c"PYTHONOPTIMIZE", b"1")], &["p", "-OOO"]).optimization_level, 3);
        let off: Variables<'_> = &[(c"PYTHONUNBUFFERED", b"1"), (c"PYTHONDONTWRITEBYTECODE", b"0")];
        let config = read(off, &[]);
        assert_eq!((config.buffered_stdio, config.write_bytecode), (0, 1));
    }

    #[test]
    fn warning_filters_are_ordered_from_weak_to_strong() {
        let mut config = PyConfig::new(ConfigKind::Python);
        config.warnoptions.push(WideString::from_text("preset").unwrap()).unwrap();
        let args = ["p", "-Xdev", "-Wone", "-W", "two", "-bb"];
        read_in(b"C.UTF-8", &mut config, &[(c"PYTHONWARNINGS", b"env1,,env2,one")], &args).unwrap();
        let expected = ["default", "env1", "env2", "one", "two", "error::BytesWarning", "preset"];
        assert_eq!(texts(&config.warnoptions), expected);
        assert_eq!((config.dev_mode, config.faulthandler), (1, 1));
    }

    #[test]
    fn options_win_over_variables() {
        let env: Variables<'_> = &[
            (c"PYTHONTRACEMALLOC", b"5"),
            (c"PYTHON_CPU_COUNT", b"3"),
            (c"PYTHONINTMAXSTRDIGITS", b"0"),
            (c"PYTHON_FROZEN_MODULES", b"off"),
            (c"PYTHONPYCACHEPREFIX", b"/env"),
            (c"PYTHONHASHSEED", b"42"),
        ];
        let config = read(env, &[]);
        assert_eq!((config.tracemalloc, config.cpu_count, config.int_max_str_digits), (5, 3, 0));
        assert_eq!((config.use_frozen_modules, config.use_hash_seed, config.hash_seed), (0, 1, 42));
        assert!(config.pycache_prefix.is("/env"));
        let args = [
            "p",
            "-Xtracemalloc",
            "-Xcpu_count=default",
            "-Xint_max_str_digits=640",
            "-Xfrozen_modules",
            "-Xpycache_prefix=",
            "-R",
            "-Ximporttime=2",
            "-Xperf_jit",
            "-Xdisable_remote_debug",
            "-Xthread_inherit_context=1",
        ];
        let config = read(env, &args);
        assert_eq!((config.tracemalloc, config.cpu_count, config.int_max_str_digits), (1, -1, 640));
        assert_eq!((config.use_frozen_modules, config.use_hash_seed), (1, 0));
        assert_eq!((config.import_time, config.perf_profiling, config.remote_debug), (2, 2, 0));
        assert_eq!((config.thread_inherit_context, config.context_aware_warnings), (1, 0));
        assert!(config.pycache_prefix.is_null());
        assert_eq!(config.xoptions.len(), 9);
    }

    #[test]
    fn decided_fields_are_kept() {
        let mut config = PyConfig::new(ConfigKind::Python);
        config.tracemalloc = 2;
        config.faulthandler = 0;
        config.hash_seed = 9;
        config.use_hash_seed = 1;
        config.stdio_encoding = WideString::from_text("koi8-r").unwrap();
        let env: Variables<'_> =
            &[(c"PYTHONTRACEMALLOC", b"bad"), (c"PYTHONFAULTHANDLER", b"1"), (c"PYTHONIOENCODING", b"x:y")];
        read_in(b"C.UTF-8", &mut config, env, &["p", "-Xdev"]).unwrap();
        assert_eq!((config.tracemalloc, config.faulthandler, config.hash_seed), (2, 0, 9));
        assert!(config.stdio_encoding.is("koi8-r") && config.stdio_errors.is("y"));
    }

    #[test]
    fn the_streams_encoding_and_handler_are_split_at_the_first_colon() {
        let streams = |text: &'static [u8]| {
            let config = read(&[(c"PYTHONIOENCODING", text)], &[]);
            std::format!("{} {}", config.stdio_encoding, config.stdio_errors)
        };
        assert_eq!(streams(b"latin1"), "latin1 strict");
        assert_eq!(streams(b":replace"), "UTF-8 replace");
        assert_eq!(streams(b"UTF_8:x:y"), "UTF_8 x:y");
        assert_eq!(streams(b"latin1:"), "latin1 strict");
    }

    #[test]
    fn utf8_mode_decides_encodings() {
        let mut config = PyConfig::new(ConfigKind::Python);
        let mut pre = PyPreConfig::from_config(&config);
        pre.utf8_mode = 1;
        config.read_from(Environment::Empty, &Locale(b"C"), pre).unwrap();
        assert!(config.filesystem_encoding.is("utf-8") && config.stdio_encoding.is("utf-8"));
        assert!(config.stdio_errors.is("surrogateescape"));
    }

    #[test]
    fn the_script_becomes_absolute_and_argv_keeps_its_text() {
        let config = read(&[], &["p", "dir/x.py", "a"]);
        assert_eq!(texts(&config.argv), ["dir/x.py", "a"]);
        let path = std::format!("{}", config.run_filename);
        assert!(path.starts_with('/') && path.ends_with("/dir/x.py"));
    }

    #[test]
    fn a_zeroed_configuration_is_accepted() {
        let mut config = PyConfig::new(ConfigKind::Isolated);
        for row in &OPTIONS {
            if let Field::Int(_, field) = row.field {
                *field(&mut config) = 0;
            }
        }
        read_in(b"C", &mut config, &[(c"PYTHONVERBOSE", b"1")], &["a"]).unwrap();
        assert_eq!((config.verbose, config.parse_argv, texts(&config.argv)), (0, 0, std::vec!["a".into()]));
    }

    #[test]
    fn an_error_leaves_argv_parsed_and_parse_argv_set() {
        let mut config = PyConfig::new(ConfigKind::Python);
        let args = ["p", "-Xfoo", "x.py"];
        read_in(b"C", &mut config, &[(c"PYTHONHASHSEED", b"bad")], &args).unwrap_err();
        assert_eq!((texts(&config.argv), config.parse_argv, config.xoptions.len()), (std::vec!["x.py".into()], 1, 1));
    }

    #[test]
    fn bad_values_give_the_documented_statuses() {
        const DIGITS: &CStr = c"config_init_int_max_str_digits";
        const DIGITS_ENV: &CStr = c"PYTHONINTMAXSTRDIGITS: invalid limit; must be >= 640 or 0 for unlimited.";
        const DIGITS_X: &CStr = c"-X int_max_str_digits: invalid limit; must be >= 640 or 0 for unlimited.";
        const SEED: &CStr = c"PYTHONHASHSEED must be \"random\" or an integer in range [0; 4294967295]";
        const CPUS: &CStr = c"-X cpu_count=n option: n is missing or an invalid number, n must be greater than 0";
        const FRAMES_ENV: &CStr = c"PYTHONTRACEMALLOC: invalid number of frames";
        const FRAMES_X: &CStr = c"-X tracemalloc=NFRAME: invalid number of frames";
        const FROZEN_ENV: &CStr = c"bad value for PYTHON_FROZEN_MODULES (expected \"on\" or \"off\")";
        const FROZEN_X: &CStr = c"bad value for option -X frozen_modules (expected \"on\" or \"off\")";
        const GIL_OFF: &CStr = c"Disabling the GIL is not supported by this build";
        const IMPORT_TIME: &CStr = c"-X importtime: values other than 1 and 2 are reserved for future use.";
        const GIL: &CStr = c"PYTHON_GIL / -X gil must be \"0\" or \"1\"";

        fn check(result: StatusResult<PyConfig>, func: Option<&CStr>, message: &CStr) {
            let status = result.unwrap_err();
            assert!(status.is_error());
            assert_eq!((status.func(), status.message()), (func, Some(message)));
        }
        let variables: [(&CStr, &[u8], Option<&CStr>, &CStr); 14] = [
            (c"PYTHONHASHSEED", b"x", Some(c"config_init_hash_seed"), SEED),
            (c"PYTHONHASHSEED", b"-1", Some(c"config_init_hash_seed"), SEED),
            (c"PYTHONHASHSEED", b"4294967296", Some(c"config_init_hash_seed"), SEED),
            (c"PYTHONINTMAXSTRDIGITS", b"639", Some(DIGITS), DIGITS_ENV),
            (c"PYTHONINTMAXSTRDIGITS", b"-1", Some(DIGITS), DIGITS_ENV),
            (c"PYTHONINTMAXSTRDIGITS", b"2147483648", Some(DIGITS), DIGITS_ENV),
            (c"PYTHONTRACEMALLOC", b"-1", Some(c"config_init_tracemalloc"), FRAMES_ENV),
            (c"PYTHONTRACEMALLOC", b"1x", Some(c"config_init_tracemalloc"), FRAMES_ENV),
            (c"PYTHON_CPU_COUNT", b"0", Some(c"config_init_cpu_count"), CPUS),
            (c"PYTHON_FROZEN_MODULES", b"1", None, FROZEN_ENV),
            (c"PYTHON_GIL", b"0", Some(c"config_read_gil"), GIL_OFF),
            (c"PYTHON_GIL", b"yes", Some(c"config_read_gil"), GIL),
            (c"PYTHON_THREAD_INHERIT_CONTEXT", b"2", None, c"PYTHON_THREAD_INHERIT_CONTEXT must be \"0\" or \"1\""),
            (c"PYTHON_CONTEXT_AWARE_WARNINGS", b"x", None, c"PYTHON_CONTEXT_AWARE_WARNINGS must be \"0\" or \"1\""),
        ];
        for (name, value, func, message) in variables {
            check(try_read(&[(name, value)], &[]), func, message);
        }
        let options: [(&str, Option<&CStr>, &CStr); 11] = [
            ("-Xint_max_str_digits", Some(DIGITS), DIGITS_X),
            ("-Xint_max_str_digits=1", Some(DIGITS), DIGITS_X),
            ("-Xtracemalloc=-1", Some(c"config_init_tracemalloc"), FRAMES_X),
            ("-Xtracemalloc=", Some(c"config_init_tracemalloc"), FRAMES_X),
            ("-Xcpu_count", Some(c"config_init_cpu_count"), CPUS),
            ("-Xcpu_count=0", Some(c"config_init_cpu_count"), CPUS),
            ("-Xfrozen_modules=", None, FROZEN_X),
            ("-Xgil=0", Some(c"config_read_gil"), GIL_OFF),
            ("-Xgil", Some(c"config_read_gil"), GIL),
            ("-Xthread_inherit_context", None, c"-X thread_inherit_context must be \"0\" or \"1\""),
            ("-Ximporttime=3", Some(c"config_init_import_time"), IMPORT_TIME),
        ];
        for (option, func, message) in options {
            check(try_read(&[], &["p", option]), func, message);
        }
        assert_eq!(read(&[(c"PYTHON_GIL", b"1")], &["p", "-Xgil=1"]).verbose, 0);
    }
}
