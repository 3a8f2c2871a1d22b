//! `PyConfig` as a value: defaults, copies and setters. Reading it is `read.rs`.

use core::mem;

use super::args::Args;
use super::layout::{ConfigKind, PyConfig};
use super::preconfig::preinitialize_for;
use super::status::StatusResult;
use super::strings::{PyWideStringList, WChar, WideString};
use super::table::{Field, OPTIONS};
use crate::types::str::codec::Known;

impl PyConfig {
    /// A configuration in which everything is 0, null and empty.
    pub fn zeroed() -> Self {
        // SAFETY: all bits zero is a valid value of each field: ints, null strings and empty lists.
        unsafe { mem::zeroed() }
    }

    /// The defaults of a kind. Allocates nothing.
    pub fn new(kind: ConfigKind) -> Self {
        let mut config = Self::zeroed();
        for row in &OPTIONS {
            if let Field::Int(_, field) = row.field {
                *field(&mut config) = row.defaults[kind.column()];
            }
        }
        config
    }

    /// The kind, unless the struct is one of zeros.
    pub fn kind(&self) -> Option<ConfigKind> {
        ConfigKind::from_init(self._config_init)
    }

    /// Replaces every field by a copy of `other`'s. On failure this is partly changed, and still valid.
    pub fn copy_from(&mut self, other: &Self) -> StatusResult {
        for row in &OPTIONS {
            match row.field {
                Field::Int(from, to) => *to(self) = *from(other),
                Field::ULong(from, to) => *to(self) = *from(other),
                Field::Text(from, to) => *to(self) = from(other).try_clone()?,
                Field::List(from, to) => *to(self) = from(other).try_clone()?,
                Field::Pre(..) => {}
            }
        }
        Ok(())
    }

    /// A copy.
    pub fn try_clone(&self) -> StatusResult<Self> {
        let mut copy = Self::zeroed();
        copy.copy_from(self)?;
        Ok(copy)
    }

    /// Frees strings and lists; numbers keep their values. May be repeated.
    pub fn clear(&mut self) {
        for row in &OPTIONS {
            match row.field {
                Field::Text(_, field) => field(self).clear(),
                Field::List(_, field) => field(self).clear(),
                Field::Int(..) | Field::ULong(..) | Field::Pre(..) => {}
            }
        }
    }

    /// Pre-initializes if needed, from these arguments when `parse_argv` is set, and makes them `argv`.
    pub fn set_argv(&mut self, args: Args<'_>) -> StatusResult {
        preinitialize_for(self, args)?;
        self.argv = decode_list(args)?;
        Ok(())
    }

    /// Gives the encodings the names of their codecs, as `sys` and `PyConfig_Get` show them: the locale and programs may
    /// have others for them.
    pub fn name_codecs(&mut self) -> StatusResult {
        for field in [&mut self.filesystem_encoding, &mut self.stdio_encoding] {
            let mut name = [0u8; 16];
            let text = field.as_slice();
            if text.len() > name.len() || text.iter().any(|&unit| unit >= 128) {
                continue;
            }
            for (to, &unit) in name.iter_mut().zip(text) {
                *to = unit as u8;
            }
            let known = core::str::from_utf8(&name[..text.len()]).ok().and_then(Known::from_name);
            if let Some(known) = known
                && !field.is(known.codec_name())
            {
                *field = WideString::from_text(known.codec_name())?;
            }
        }
        Ok(())
    }

    /// The code given by `-c`, with its newline.
    pub fn run_command(&self) -> Option<&[WChar]> {
        self.run_command.get()
    }

    /// The module given by `-m`.
    pub fn run_module(&self) -> Option<&[WChar]> {
        self.run_module.get()
    }

    /// The script, as an absolute path.
    pub fn run_filename(&self) -> Option<&[WChar]> {
        self.run_filename.get()
    }

    /// The value of the first `-X key=value`: `None` when there is no such key, `Some(None)` when it has no
    /// value.
    pub fn xoption(&self, key: &str) -> Option<Option<&[WChar]>> {
        self.xoptions.as_slice().iter().find_map(|option| {
            let option = option.as_slice();
            let end = option.iter().position(|&unit| unit == WChar::from(b'=')).unwrap_or(option.len());
            let found = option[..end].iter().copied().eq(key.bytes().map(WChar::from));
            found.then(|| option.get(end + 1..))
        })
    }
}

/// Decodes arguments into a new list.
fn decode_list(args: Args<'_>) -> StatusResult<PyWideStringList> {
    let mut list = PyWideStringList::new();
    for index in 0..args.len() {
        list.push(args.get(index).decode()?)?;
    }
    Ok(list)
}

/// Replaces a field by a copy of `text`, or by nothing. The field keeps its value on failure.
pub fn set_string(field: &mut WideString, text: Option<&[WChar]>) -> StatusResult {
    *field = match text {
        Some(text) => WideString::copy_of(text)?,
        None => WideString::null(),
    };
    Ok(())
}

/// As `set_string`, from bytes in the locale's encoding. Python must be pre-initialized.
pub fn set_bytes_string(field: &mut WideString, text: Option<&[u8]>) -> StatusResult {
    *field = match text {
        Some(text) => super::locale::decode(text)?,
        None => WideString::null(),
    };
    Ok(())
}

/// Replaces a list by copies of `items`. The list keeps its strings on failure.
pub fn set_list(field: &mut PyWideStringList, items: Args<'_>) -> StatusResult {
    *field = decode_list(items)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> WideString {
        WideString::from_text(text).unwrap()
    }

    /// The values of every int, `name=value`, where they differ from 0.
    fn non_zero(kind: ConfigKind) -> std::string::String {
        let config = PyConfig::new(kind);
        let mut seen = std::vec::Vec::new();
        for row in &OPTIONS {
            match row.field {
                Field::Int(get, _) if *get(&config) != 0 => seen.push(std::format!("{}={}", row.name, get(&config))),
                Field::ULong(get, _) => assert_eq!(*get(&config), 0),
                Field::Text(get, _) => assert!(get(&config).is_null(), "{}", row.name),
                Field::List(get, _) => assert!(get(&config).is_empty(), "{}", row.name),
                _ => {}
            }
        }
        seen.join(" ")
    }

    #[test]
    fn the_python_kind_has_its_defaults() {
        assert_eq!(
            non_zero(ConfigKind::Python),
            "_config_init=2 use_environment=1 dev_mode=-1 install_signal_handlers=1 use_hash_seed=-1 \
             faulthandler=-1 tracemalloc=-1 perf_profiling=-1 remote_debug=-1 code_debug_ranges=1 parse_argv=1 \
             site_import=1 write_bytecode=1 user_site_directory=1 configure_c_stdio=1 buffered_stdio=1 \
             use_frozen_modules=1 int_max_str_digits=-1 thread_inherit_context=-1 context_aware_warnings=-1 \
             cpu_count=-1 pathconfig_warnings=1 _install_importlib=1 _init_main=1"
        );
    }

    #[test]
    fn the_isolated_kind_has_its_defaults() {
        assert_eq!(
            non_zero(ConfigKind::Isolated),
            "_config_init=3 isolated=1 remote_debug=-1 code_debug_ranges=1 site_import=1 write_bytecode=1 \
             buffered_stdio=1 use_frozen_modules=1 safe_path=1 int_max_str_digits=4300 thread_inherit_context=-1 \
             context_aware_warnings=-1 cpu_count=-1 _install_importlib=1 _init_main=1"
        );
    }

    #[test]
    fn the_compat_kind_leaves_to_the_globals_what_they_decide() {
        let config = PyConfig::new(ConfigKind::Compat);
        for row in &OPTIONS {
            if let (Field::Int(get, _), Some(_)) = (row.field, row.legacy) {
                assert_eq!(*get(&config), -1, "{}", row.name);
            }
        }
        assert_eq!((config.parse_argv, config.configure_c_stdio, config.install_signal_handlers), (0, 0, 1));
    }

    #[test]
    fn a_copy_is_whole_and_independent() {
        let mut first = PyConfig::new(ConfigKind::Python);
        first.hash_seed = 7;
        first.verbose = 2;
        first.home = wide("/h");
        first.argv.push(wide("a")).unwrap();
        let mut copy = first.try_clone().unwrap();
        first.clear();
        assert_eq!((copy.hash_seed, copy.verbose), (7, 2));
        assert!(copy.home.is("/h") && copy.argv.as_slice()[0].is("a"));
        copy.clear();
        copy.clear();
        assert!(copy.home.is_null() && copy.argv.is_empty());
        assert_eq!((copy.hash_seed, copy.verbose), (7, 2));
    }

    #[test]
    fn setters_replace_and_null_removes() {
        let mut field = wide("old");
        set_string(&mut field, Some(wide("new").as_slice())).unwrap();
        assert!(field.is("new"));
        set_bytes_string(&mut field, Some(b"bytes")).unwrap();
        assert!(field.is("bytes"));
        set_string(&mut field, None).unwrap();
        assert!(field.is_null());
        let mut list = PyWideStringList::new();
        let items = [wide("a"), wide("b")];
        set_list(&mut list, Args::Wide(&items)).unwrap();
        assert_eq!(list.len(), 2);
        set_list(&mut list, Args::NONE).unwrap();
        assert!(list.is_empty());
    }

    #[test]
    fn the_first_x_option_of_a_key_counts() {
        let mut config = PyConfig::new(ConfigKind::Isolated);
        for text in ["a=1", "b", "a=2", "c="] {
            config.xoptions.push(wide(text)).unwrap();
        }
        assert_eq!(config.xoption("a"), Some(Some(wide("1").as_slice())));
        assert_eq!(config.xoption("b"), Some(None));
        assert_eq!(config.xoption("c"), Some(Some(&[][..])));
        assert_eq!(config.xoption("d"), None);
    }
}
