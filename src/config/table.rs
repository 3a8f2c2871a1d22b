//! The table of options: one row for each setting, and all that is to say about it.
//!
//! A row gives the field, the defaults per kind of configuration, and where a value may come from: the
//! environment, a short option, a `-X` key, a global variable of C. Reading, help, `PyConfig_Get` and the
//! `PyInitConfig` functions are loops over the rows; a value that has a grammar of its own names the function
//! that reads it.

use core::ffi::{CStr, c_int, c_ulong};

use super::layout::{PyConfig, PyPreConfig};
use super::legacy::{self, Legacy};
use super::read::Reading;
use super::special;
use super::status::StatusResult;
use super::strings::{PyWideStringList, WideString};

/// Where a row's value is kept, and how to reach it.
#[derive(Clone, Copy)]
pub enum Field {
    Int(fn(&PyConfig) -> &c_int, fn(&mut PyConfig) -> &mut c_int),
    ULong(fn(&PyConfig) -> &c_ulong, fn(&mut PyConfig) -> &mut c_ulong),
    Text(fn(&PyConfig) -> &WideString, fn(&mut PyConfig) -> &mut WideString),
    List(fn(&PyConfig) -> &PyWideStringList, fn(&mut PyConfig) -> &mut PyWideStringList),
    /// A field that only the pre-configuration has.
    Pre(fn(&PyPreConfig) -> &c_int, fn(&mut PyPreConfig) -> &mut c_int),
}

/// The type that Python and the string-named functions see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Int,
    /// An int that is never negative.
    Unsigned,
    Text,
    /// A text that may be None.
    OptionalText,
    List,
    /// `key` and `key=value` entries, a dict in Python.
    Map,
}

/// Who may see and change an option by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Readable, and `PyConfig_Set` may change it while Python runs.
    Public,
    /// Readable.
    ReadOnly,
    /// A field of the struct without a name in the interface.
    Internal,
}

/// How an environment variable's text becomes a value. An empty text counts as unset everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvClass {
    /// Any text gives this value, `0` too.
    Presence(c_int),
    /// `0` is off, a positive number that level, all else level 1; combines with options by maximum.
    Level,
    /// As `Level`, but switches the field off.
    LevelOff,
    /// The text itself.
    Text,
    /// A grammar of its own, read by the row's `reader` or by pre-initialization.
    Special,
}

/// An environment variable.
#[derive(Clone, Copy)]
pub struct EnvVar {
    pub name: &'static CStr,
    pub class: EnvClass,
    pub help: &'static str,
}

/// What a short option does to its row's field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Adds 1.
    Add,
    /// Sets a value.
    Set(c_int),
    /// Takes an argument, which the command line's reader stores.
    Argument(&'static str),
}

/// A short option. A letter may stand in several rows; the one with a help text is shown.
#[derive(Clone, Copy)]
pub struct Flag {
    pub letter: u8,
    pub effect: Effect,
    pub help: &'static str,
}

/// A key of `-X`.
#[derive(Clone, Copy)]
pub struct XOption {
    pub key: &'static str,
    /// The value's place in the help, such as `=N`; empty when it takes none.
    pub value: &'static str,
    /// What the mere presence sets; `None` when the row's `reader` reads it.
    pub presence: Option<c_int>,
    pub help: &'static str,
}

/// How an entry of `sys.flags` shows a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SysFlag {
    /// The number itself; 1 for what is on, however often it was said.
    Same(&'static str),
    /// True or False.
    Truth(&'static str),
    /// 1 for what is off, 0 for what is on.
    Negated(&'static str),
}

/// Reads a value that has a grammar of its own, from option, environment and other fields.
pub type Reader = fn(&mut Reading<'_>, &mut PyConfig) -> StatusResult;

/// One option.
#[derive(Clone, Copy)]
pub struct OptionRow {
    pub name: &'static str,
    pub field: Field,
    pub kind: Kind,
    pub visibility: Visibility,
    /// Defaults of the compat, Python and isolated kinds; negative is "undecided".
    pub defaults: [c_int; 3],
    /// What reading makes of a value that is still undecided; `None` leaves it.
    pub decided: Option<c_int>,
    pub env: Option<EnvVar>,
    pub flag: Option<Flag>,
    pub xoption: Option<XOption>,
    pub legacy: Option<Legacy>,
    pub reader: Option<Reader>,
    /// The attribute of `sys` that holds the value at run time.
    pub sys: Option<&'static str>,
    /// The entry of `sys.flags` that shows the value.
    pub sys_flag: Option<SysFlag>,
}

impl OptionRow {
    const fn new(name: &'static str, field: Field, kind: Kind) -> Self {
        Self {
            name,
            field,
            kind,
            visibility: Visibility::ReadOnly,
            defaults: [0; 3],
            decided: None,
            env: None,
            flag: None,
            xoption: None,
            legacy: None,
            reader: None,
            sys: None,
            sys_flag: None,
        }
    }

    const fn defaults(mut self, compat: c_int, python: c_int, isolated: c_int) -> Self {
        self.defaults = [compat, python, isolated];
        self
    }

    const fn decided(mut self, value: c_int) -> Self {
        self.decided = Some(value);
        self
    }

    const fn public(mut self) -> Self {
        self.visibility = Visibility::Public;
        self
    }

    const fn internal(mut self) -> Self {
        self.visibility = Visibility::Internal;
        self
    }

    const fn env(mut self, name: &'static CStr, class: EnvClass, help: &'static str) -> Self {
        self.env = Some(EnvVar { name, class, help });
        self
    }

    const fn flag(mut self, letter: u8, effect: Effect, help: &'static str) -> Self {
        self.flag = Some(Flag { letter, effect, help });
        self
    }

    const fn presence(mut self, key: &'static str, value: c_int, help: &'static str) -> Self {
        self.xoption = Some(XOption { key, value: "", presence: Some(value), help });
        self
    }

    const fn xoption(mut self, key: &'static str, value: &'static str, help: &'static str) -> Self {
        self.xoption = Some(XOption { key, value, presence: None, help });
        self
    }

    const fn same(mut self, global: &'static core::sync::atomic::AtomicI32) -> Self {
        self.legacy = Some(Legacy::Same(global));
        self
    }

    const fn negated(mut self, global: &'static core::sync::atomic::AtomicI32) -> Self {
        self.legacy = Some(Legacy::Negated(global));
        self
    }

    const fn reader(mut self, reader: Reader) -> Self {
        self.reader = Some(reader);
        self
    }

    const fn sys(mut self, attribute: &'static str) -> Self {
        self.sys = Some(attribute);
        self
    }

    const fn shown(mut self, entry: SysFlag) -> Self {
        self.sys_flag = Some(entry);
        self
    }
}

/// The row named `name`, when the interface has it.
pub fn find(name: &[u8]) -> Option<&'static OptionRow> {
    OPTIONS.iter().find(|row| row.visibility != Visibility::Internal && row.name.as_bytes() == name)
}

macro_rules! row {
    ($variant:ident $kind:ident $field:ident) => {
        OptionRow::new(stringify!($field), Field::$variant(|c| &c.$field, |c| &mut c.$field), Kind::$kind)
    };
}

use Effect::{Add, Argument, Set};
use EnvClass::{Level, LevelOff, Presence, Special};
use SysFlag::{Negated, Same, Truth};

/// Every option, in the order of the structs' fields.
#[rustfmt::skip]
pub static OPTIONS: [OptionRow; 74] = [
    // Pre-configuration. The fields that both structs have are in the second group.
    row!(Pre Bool configure_locale).defaults(1, 1, 0),
    row!(Pre Bool coerce_c_locale).defaults(0, -1, 0)
        .env(c"PYTHONCOERCECLOCALE", Special, "0: leave a C locale as it is; warn: say so when it is replaced"),
    row!(Pre Bool coerce_c_locale_warn).defaults(0, -1, 0),
    row!(Pre Bool utf8_mode).defaults(0, -1, 0).shown(Same("utf8_mode"))
        .env(c"PYTHONUTF8", Special, "1: UTF-8 mode; 0: the locale's encoding")
        .xoption("utf8", "[=0|1]", "UTF-8 mode on or off"),
    row!(Pre Int allocator)
        .env(c"PYTHONMALLOC", Special, "memory allocator: default, malloc, pymalloc, mimalloc, each but the first \
                                        also with _debug; debug is default with debug hooks; guard samples; ? lists them"),

    // Who decides.
    row!(Int Int _config_init).defaults(1, 2, 3).internal(),
    row!(Int Bool isolated).defaults(-1, 0, 1).same(&legacy::ISOLATED).shown(Same("isolated"))
        .flag(b'I', Add, "isolate from the user's environment (implies -E, -P and -s)"),
    row!(Int Bool use_environment).defaults(-1, 1, 0).public().negated(&legacy::IGNORE_ENVIRONMENT).shown(Negated("ignore_environment"))
        .flag(b'E', Set(0), "ignore PYTHON* environment variables"),
    row!(Int Bool dev_mode).defaults(-1, -1, 0).decided(0).shown(Truth("dev_mode"))
        .env(c"PYTHONDEVMODE", Presence(1), "development mode")
        .presence("dev", 1, "development mode: debug hooks, faulthandler, all warnings"),
    row!(Int Bool install_signal_handlers).defaults(1, 1, 0),
    row!(Int Bool use_hash_seed).defaults(-1, -1, 0).decided(0).reader(special::hash_seed)
        .env(c"PYTHONHASHSEED", Special, "seed of string hashes: random, or a number up to 4294967295")
        .flag(b'R', Set(0), "random string hashes, whatever PYTHONHASHSEED says"),
    row!(ULong Unsigned hash_seed),

    // Diagnosis.
    row!(Int Bool faulthandler).defaults(-1, -1, 0).decided(0)
        .env(c"PYTHONFAULTHANDLER", Presence(1), "traceback on a fatal signal")
        .presence("faulthandler", 1, "traceback on a fatal signal"),
    row!(Int Int tracemalloc).defaults(-1, -1, 0).decided(0).reader(special::tracemalloc)
        .env(c"PYTHONTRACEMALLOC", Special, "trace allocations, with N frames each")
        .xoption("tracemalloc", "[=N]", "trace allocations, with N frames each (1)"),
    row!(Int Int perf_profiling).defaults(-1, -1, 0).decided(0).reader(special::perf_profiling)
        .env(c"PYTHONPERFSUPPORT", Special, "1: support the Linux perf profiler")
        .xoption("perf", "", "support the Linux perf profiler; perf_jit: with debug information"),
    row!(Int Bool remote_debug).defaults(-1, -1, -1).decided(1)
        .env(c"PYTHON_DISABLE_REMOTE_DEBUG", Presence(0), "no debugging from another process")
        .presence("disable_remote_debug", 0, "no debugging from another process"),
    row!(Int Int import_time).reader(special::import_time)
        .env(c"PYTHONPROFILEIMPORTTIME", Special, "time of each import; 2: cached ones too")
        .xoption("importtime", "[=2]", "time of each import; 2: cached ones too"),
    row!(Int Bool code_debug_ranges).defaults(1, 1, 1)
        .env(c"PYTHONNODEBUGRANGES", Presence(0), "no column numbers in code objects")
        .presence("no_debug_ranges", 0, "no column numbers in code objects"),
    row!(Int Bool show_ref_count).presence("showrefcount", 1, "reference counts at exit (debug builds)"),
    row!(Int Bool dump_refs).env(c"PYTHONDUMPREFS", Presence(1), "list live objects at exit (tracing builds)"),
    row!(Text OptionalText dump_refs_file)
        .env(c"PYTHONDUMPREFSFILE", EnvClass::Text, "file for PYTHONDUMPREFS"),
    row!(Int Bool malloc_stats).env(c"PYTHONMALLOCSTATS", Presence(1), "allocator statistics at exit"),

    // Encodings and files.
    row!(Text Text filesystem_encoding).reader(special::filesystem_encoding),
    row!(Text Text filesystem_errors),
    row!(Text OptionalText pycache_prefix).public().sys("pycache_prefix").reader(special::pycache_prefix)
        .env(c"PYTHONPYCACHEPREFIX", Special, "tree for .pyc files, instead of __pycache__ folders")
        .xoption("pycache_prefix", "=PATH", "tree for .pyc files, instead of __pycache__ folders"),

    // Arguments.
    row!(Int Bool parse_argv).defaults(0, 1, 0),
    row!(List List orig_argv).sys("orig_argv"),
    row!(List List argv).public().sys("argv"),
    row!(List Map xoptions).public().sys("_xoptions").reader(special::memory_limit)
        .env(c"PYTHONMEMLIMIT", Special, "as -X memlimit, which wins")
        .xoption("memlimit", "=[SOFT:]HARD", "limits of the main interpreter's heap in bytes (K, M, G, T)")
        .flag(b'X', Argument("key[=value]"), "option of this implementation; see --help-xoptions"),
    row!(List List warnoptions).public().sys("warnoptions")
        .env(c"PYTHONWARNINGS", Special, "warning filters, separated by commas")
        .flag(b'W', Argument("filter"), "warning filter: action:message:category:module:line"),

    // How code is run.
    row!(Int Bool site_import).defaults(-1, 1, 1).negated(&legacy::NO_SITE).shown(Negated("no_site"))
        .flag(b'S', Set(0), "do not import site"),
    row!(Int Int bytes_warning).defaults(-1, 0, 0).public().same(&legacy::BYTES_WARNING).shown(Same("bytes_warning"))
        .flag(b'b', Add, "warn when bytes are compared with str or int; -bb: an error"),
    row!(Int Bool warn_default_encoding).shown(Same("warn_default_encoding"))
        .env(c"PYTHONWARNDEFAULTENCODING", Presence(1), "warn when a file is opened without encoding")
        .presence("warn_default_encoding", 1, "warn when a file is opened without encoding"),
    row!(Int Bool inspect).defaults(-1, 0, 0).public().same(&legacy::INSPECT).shown(Same("inspect"))
        .env(c"PYTHONINSPECT", Level, "prompt after the script (-i)")
        .flag(b'i', Add, "prompt after the script, also when stdin is not a terminal"),
    row!(Int Bool interactive).defaults(-1, 0, 0).public().same(&legacy::INTERACTIVE).shown(Same("interactive"))
        .flag(b'i', Add, ""),
    row!(Int Int optimization_level).defaults(-1, 0, 0).public().same(&legacy::OPTIMIZE).shown(Same("optimize"))
        .env(c"PYTHONOPTIMIZE", Level, "optimization level (-O)")
        .flag(b'O', Add, "leave out assert statements; -OO: docstrings too"),
    row!(Int Bool parser_debug).defaults(-1, 0, 0).public().same(&legacy::DEBUG).shown(Same("debug"))
        .env(c"PYTHONDEBUG", Level, "output of the parser (-d)")
        .flag(b'd', Add, "output of the parser (debug builds)"),
    row!(Int Bool write_bytecode).defaults(-1, 1, 1).public().negated(&legacy::DONT_WRITE_BYTECODE).shown(Negated("dont_write_bytecode"))
        .env(c"PYTHONDONTWRITEBYTECODE", LevelOff, "write no .pyc files (-B)")
        .flag(b'B', Set(0), "write no .pyc files"),
    row!(Int Int verbose).defaults(-1, 0, 0).public().same(&legacy::VERBOSE).shown(Same("verbose"))
        .env(c"PYTHONVERBOSE", Level, "trace imports (-v)")
        .flag(b'v', Add, "trace imports; more with each"),
    row!(Int Bool quiet).defaults(-1, 0, 0).public().same(&legacy::QUIET).shown(Same("quiet"))
        .flag(b'q', Add, "no version and copyright lines"),
    row!(Int Bool user_site_directory).defaults(-1, 1, 0).negated(&legacy::NO_USER_SITE_DIRECTORY).shown(Negated("no_user_site"))
        .env(c"PYTHONNOUSERSITE", LevelOff, "no user site directory (-s)")
        .flag(b's', Set(0), "no user site directory in sys.path"),

    // Standard streams.
    row!(Int Bool configure_c_stdio).defaults(0, 1, 0),
    row!(Int Bool buffered_stdio).defaults(-1, 1, 1).negated(&legacy::UNBUFFERED_STDIO)
        .env(c"PYTHONUNBUFFERED", LevelOff, "unbuffered stdout and stderr (-u)")
        .flag(b'u', Set(0), "unbuffered stdout and stderr"),
    row!(Text Text stdio_encoding).reader(special::stdio_encoding)
        .env(c"PYTHONIOENCODING", Special, "encoding[:errors] of the standard streams"),
    row!(Text Text stdio_errors),

    // Behaviour.
    row!(Text Text check_hash_pycs_mode).reader(special::check_hash_pycs_mode),
    row!(Int Bool use_frozen_modules).defaults(1, 1, 1).reader(special::use_frozen_modules)
        .env(c"PYTHON_FROZEN_MODULES", Special, "on or off: whether frozen modules are used")
        .xoption("frozen_modules", "[=on|off]", "whether frozen modules are used"),
    row!(Int Bool safe_path).defaults(0, 0, 1).shown(Truth("safe_path"))
        .env(c"PYTHONSAFEPATH", Presence(1), "no unsafe entry in sys.path (-P)")
        .flag(b'P', Add, "no script folder or current directory in sys.path"),
    row!(Int Int int_max_str_digits).defaults(-1, -1, 4300).decided(4300).public().reader(special::int_max_str_digits).shown(Same("int_max_str_digits"))
        .env(c"PYTHONINTMAXSTRDIGITS", Special, "digits when int and str are converted; 0: no limit")
        .xoption("int_max_str_digits", "=N", "digits when int and str are converted; 0: no limit"),
    row!(Int Int thread_inherit_context).defaults(-1, -1, -1).decided(0).reader(special::thread_inherit_context).shown(Same("thread_inherit_context"))
        .env(c"PYTHON_THREAD_INHERIT_CONTEXT", Special, "1: a thread starts with its creator's context")
        .xoption("thread_inherit_context", "=0|1", "a thread starts with its creator's context"),
    row!(Int Int context_aware_warnings).defaults(-1, -1, -1).decided(0).reader(special::context_aware_warnings).shown(Same("context_aware_warnings"))
        .env(c"PYTHON_CONTEXT_AWARE_WARNINGS", Special, "1: catch_warnings acts on the current context")
        .xoption("context_aware_warnings", "=0|1", "catch_warnings acts on the current context"),
    row!(Int Int cpu_count).defaults(-1, -1, -1).reader(special::cpu_count)
        .env(c"PYTHON_CPU_COUNT", Special, "what os.cpu_count() says: a number, or default")
        .xoption("cpu_count", "=N|default", "what os.cpu_count() says"),
    row!(Int Bool pathconfig_warnings).defaults(-1, 1, 0).negated(&legacy::FROZEN),

    // Paths.
    row!(Text Text program_name),
    row!(Text OptionalText pythonpath_env).internal()
        .env(c"PYTHONPATH", EnvClass::Text, "folders for sys.path, separated by colons"),
    row!(Text OptionalText home)
        .env(c"PYTHONHOME", Special, "prefix[:exec_prefix] of the installation"),
    row!(Text Text platlibdir).public().sys("platlibdir")
        .env(c"PYTHONPLATLIBDIR", EnvClass::Text, "name of the library folder below the prefix"),
    row!(Int Bool module_search_paths_set).internal(),
    row!(List List module_search_paths).public().sys("path"),
    row!(Text OptionalText stdlib_dir).public().sys("_stdlib_dir"),
    row!(Text OptionalText executable).public().sys("executable"),
    row!(Text OptionalText base_executable).public().sys("_base_executable"),
    row!(Text OptionalText prefix).public().sys("prefix"),
    row!(Text OptionalText base_prefix).public().sys("base_prefix"),
    row!(Text OptionalText exec_prefix).public().sys("exec_prefix"),
    row!(Text OptionalText base_exec_prefix).public().sys("base_exec_prefix"),

    // What to run.
    row!(Int Bool skip_source_first_line)
        .flag(b'x', Set(1), "skip the first line of the source"),
    row!(Text OptionalText run_command)
        .flag(b'c', Argument("cmd"), "run this code (ends the options)"),
    row!(Text OptionalText run_module)
        .flag(b'm', Argument("mod"), "run this module as a script (ends the options)"),
    row!(Text OptionalText run_filename),
    row!(Text OptionalText sys_path_0).internal(),
    row!(Int Bool _install_importlib).defaults(1, 1, 1).internal(),
    row!(Int Bool _init_main).defaults(1, 1, 1).internal(),
    row!(Int Bool _is_python_build).internal(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for (i, row) in OPTIONS.iter().enumerate() {
            assert!(OPTIONS[..i].iter().all(|other| other.name != row.name), "{}", row.name);
        }
    }

    /// Invariant 1: the rows' fields tile the struct, but for padding.
    #[test]
    fn every_field_has_a_row() {
        let config = PyConfig::new(crate::config::ConfigKind::Python);
        let base = core::ptr::from_ref(&config).addr();
        let mut covered = [false; size_of::<PyConfig>()];
        for row in &OPTIONS {
            let (at, size) = match row.field {
                Field::Int(get, _) => (core::ptr::from_ref(get(&config)).addr(), 4),
                Field::ULong(get, _) => (core::ptr::from_ref(get(&config)).addr(), 8),
                Field::Text(get, _) => (core::ptr::from_ref(get(&config)).addr(), 8),
                Field::List(get, _) => (core::ptr::from_ref(get(&config)).addr(), 16),
                Field::Pre(..) => continue,
            };
            for byte in &mut covered[at - base..at - base + size] {
                assert!(!*byte, "{} overlaps", row.name);
                *byte = true;
            }
        }
        // Alignment leaves four bytes free after some of the ints.
        for (word, bytes) in covered.chunks(4).enumerate() {
            assert!(bytes.iter().all(|&b| b == bytes[0]));
            let padding = !bytes[0];
            assert!(!padding || word % 2 == 1, "no row for the field at {}", word * 4);
        }
    }

    #[test]
    fn the_interface_finds_named_options_only() {
        assert_eq!(find(b"verbose").unwrap().kind, Kind::Int);
        assert_eq!(find(b"allocator").unwrap().visibility, Visibility::ReadOnly);
        assert!(find(b"sys_path_0").is_none() && find(b"_init_main").is_none() && find(b"").is_none());
    }

    /// `allocator` keeps the type that the documentation gives; what a flag adds to is never a list.
    #[test]
    fn types_and_fields_agree() {
        for row in &OPTIONS {
            let fits = match row.kind {
                Kind::Bool | Kind::Int => matches!(row.field, Field::Int(..) | Field::Pre(..)),
                Kind::Unsigned => matches!(row.field, Field::ULong(..)),
                Kind::Text | Kind::OptionalText => matches!(row.field, Field::Text(..)),
                Kind::List | Kind::Map => matches!(row.field, Field::List(..)),
            };
            assert!(fits, "{}", row.name);
        }
    }
}
