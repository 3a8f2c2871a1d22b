//! Every option of the table, set by every way it has, and read back by every way.
//!
//! The cases are made of the rows of [`OPTIONS`]: a new row is tested without being named here, and one whose value
//! has a grammar of its own fails the test until [`SPECIAL`] says what a good value is.
//!
//! | set by | read by |
//! |---|---|
//! | field of `PyConfig` or `PyPreConfig` | the field, after `PyConfig_Read` |
//! | `PyInitConfig_Set…` | `PyInitConfig_Get…` |
//! | environment: Python and compat kinds, `PyInitConfig` | `PyConfig_Get`, `PyConfig_GetInt` |
//! | command line: `PyConfig_SetBytesArgv`, `PyInitConfig` | the attribute of `sys`, the entry of `sys.flags` |
//! | global variable of C | global variable of C |
//! | `PyConfig_Set` while Python runs | the same |
//!
//! Each case is a life in a process of its own: this program, called with `--case NUMBER`.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a test, not the runtime")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use hognose::config::legacy::{self, Legacy};
use hognose::config::table::{Effect, EnvClass, Field, Kind, OPTIONS, OptionRow, SysFlag, Visibility};
use hognose::config::{ConfigKind, PyConfig, PyPreConfig, PyStatus, WideString};

/// As C sees it: an address.
type PyInitConfig = c_void;

unsafe extern "C" {
    fn Py_PreInitialize(config: *const PyPreConfig) -> PyStatus;
    fn PyConfig_SetBytesArgv(config: *mut PyConfig, argc: isize, argv: *const *const c_char) -> PyStatus;
    fn PyConfig_Read(config: *mut PyConfig) -> PyStatus;
    fn Py_InitializeFromConfig(config: *const PyConfig) -> PyStatus;
    fn PyInitConfig_Create() -> *mut PyInitConfig;
    fn PyInitConfig_Free(config: *mut PyInitConfig);
    fn PyInitConfig_HasOption(config: *mut PyInitConfig, name: *const c_char) -> c_int;
    fn PyInitConfig_GetError(config: *mut PyInitConfig, message: *mut *const c_char) -> c_int;
    fn PyInitConfig_GetInt(config: *mut PyInitConfig, name: *const c_char, value: *mut i64) -> c_int;
    fn PyInitConfig_GetStr(config: *mut PyInitConfig, name: *const c_char, value: *mut *mut c_char) -> c_int;
    fn PyInitConfig_GetStrList(
        config: *mut PyInitConfig,
        name: *const c_char,
        length: *mut usize,
        items: *mut *mut *mut c_char,
    ) -> c_int;
    fn PyInitConfig_FreeStrList(length: usize, items: *mut *mut c_char);
    fn PyInitConfig_SetInt(config: *mut PyInitConfig, name: *const c_char, value: i64) -> c_int;
    fn PyInitConfig_SetStr(config: *mut PyInitConfig, name: *const c_char, value: *const c_char) -> c_int;
    fn PyInitConfig_SetStrList(
        config: *mut PyInitConfig,
        name: *const c_char,
        length: usize,
        items: *const *const c_char,
    ) -> c_int;
    fn Py_InitializeFromInitConfig(config: *mut PyInitConfig) -> c_int;
    fn Py_Initialize();
    fn Py_FinalizeEx() -> c_int;
    fn PyConfig_Get(name: *const c_char) -> *mut c_void;
    fn PyConfig_GetInt(name: *const c_char, value: *mut c_int) -> c_int;
    fn PyConfig_Set(name: *const c_char, value: *mut c_void) -> c_int;
    fn PySys_GetObject(name: *const c_char) -> *mut c_void;
    fn PyObject_GetAttrString(object: *mut c_void, name: *const c_char) -> *mut c_void;
    fn PyObject_Repr(object: *mut c_void) -> *mut c_void;
    fn PyUnicode_AsUTF8(text: *mut c_void) -> *const c_char;
    fn PyImport_AddModule(name: *const c_char) -> *mut c_void;
    fn PyModule_GetDict(module: *mut c_void) -> *mut c_void;
    fn PyRun_String(text: *const c_char, start: c_int, globals: *mut c_void, locals: *mut c_void) -> *mut c_void;
    fn Py_DecRef(object: *mut c_void);
    fn PyErr_Occurred() -> *mut c_void;
    fn PyErr_Print();
    fn PyErr_GetRaisedException() -> *mut c_void;
    fn Hog_LiveBlocks(blocks: *mut usize) -> c_int;
}

/// `Py_eval_input`.
const EVAL: c_int = 258;

/// A value, as it is given and as it is expected.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    Int(i64),
    Text(Option<&'static str>),
    List(&'static [&'static str]),
}
use Value::{Int, List, Text};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Door {
    /// `PyConfig` of the Python kind.
    Config,
    /// `PyInitConfig`.
    Names,
    /// `Py_Initialize`.
    Compat,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Field(Value),
    Names(Value),
    Environment(Door),
    CommandLine(Door),
    Global(c_int),
    /// `PyConfig_Set`: all rows in one life.
    Running,
}

/// One life.
struct Case {
    row: &'static OptionRow,
    way: Way,
    environment: Vec<(&'static CStr, &'static str)>,
    arguments: Vec<String>,
    expected: Value,
}

/// A good value of a row with a grammar of its own.
struct Special {
    name: &'static str,
    /// What a field or a name is set to, and what that becomes.
    value: Option<(Value, Value)>,
    /// The variable's text, and what it becomes.
    variable: Option<(&'static str, Value)>,
    /// Arguments, and what they become.
    arguments: &'static [(&'static [&'static str], Value)],
}

impl Special {
    const fn new(name: &'static str) -> Self {
        Self { name, value: None, variable: None, arguments: &[] }
    }

    const fn value(mut self, given: Value, expected: Value) -> Self {
        self.value = Some((given, expected));
        self
    }

    const fn variable(mut self, text: &'static str, expected: Value) -> Self {
        self.variable = Some((text, expected));
        self
    }

    const fn arguments(mut self, arguments: &'static [(&'static [&'static str], Value)]) -> Self {
        self.arguments = arguments;
        self
    }
}

const SPECIAL: &[Special] = &[
    Special::new("coerce_c_locale").value(Int(1), Int(2)).variable("0", Int(0)),
    Special::new("utf8_mode").variable("1", Int(1)).arguments(&[(&["-X", "utf8"], Int(1)), (&["-Xutf8=0"], Int(0))]),
    Special::new("allocator").value(Int(3), Int(3)).variable("malloc", Int(3)),
    Special::new("use_hash_seed").variable("7", Int(1)),
    Special::new("hash_seed").value(Int(7), Int(7)),
    Special::new("tracemalloc")
        .variable("3", Int(3))
        .arguments(&[(&["-X", "tracemalloc=3"], Int(3)), (&["-Xtracemalloc"], Int(1))]),
    Special::new("perf_profiling")
        .variable("1", Int(1))
        .arguments(&[(&["-X", "perf"], Int(1)), (&["-X", "perf_jit"], Int(2))]),
    Special::new("import_time")
        .variable("2", Int(2))
        .arguments(&[(&["-X", "importtime"], Int(1)), (&["-X", "importtime=2"], Int(2))]),
    Special::new("filesystem_encoding").value(Text(Some("latin-1")), Text(Some("iso8859-1"))),
    Special::new("filesystem_errors").value(Text(Some("strict")), Text(Some("strict"))),
    Special::new("pycache_prefix")
        .variable("/sample", Text(Some("/sample")))
        .arguments(&[(&["-X", "pycache_prefix=/sample"], Text(Some("/sample")))]),
    Special::new("parse_argv").value(Int(1), Int(2)),
    Special::new("orig_argv").arguments(&[(&["-q", "-", "a"], List(&["prog", "-q", "-", "a"]))]),
    Special::new("argv").arguments(&[(&["-q", "-", "a"], List(&["-", "a"])), (&["-cpass", "a"], List(&["-c", "a"]))]),
    Special::new("xoptions")
        .value(List(&["one=1", "two"]), List(&["one=1", "two"]))
        .variable("1G", List(&["memlimit=1G"]))
        .arguments(&[
            (&["-X", "one=1", "-Xtwo"], List(&["one=1", "two"])),
            (&["-X", "memlimit=1G"], List(&["memlimit=1G"])),
        ]),
    Special::new("warnoptions")
        .value(List(&["ignore", "default"]), List(&["ignore", "default"]))
        .variable("ignore,default", List(&["ignore", "default"]))
        .arguments(&[(&["-Wignore", "-W", "default"], List(&["ignore", "default"]))]),
    Special::new("stdio_encoding")
        .value(Text(Some("latin-1")), Text(Some("iso8859-1")))
        .variable("latin-1:replace", Text(Some("iso8859-1"))),
    Special::new("stdio_errors").value(Text(Some("replace")), Text(Some("replace"))),
    Special::new("check_hash_pycs_mode")
        .value(Text(Some("never")), Text(Some("never")))
        .arguments(&[(&["--check-hash-based-pycs", "always"], Text(Some("always")))]),
    Special::new("use_frozen_modules")
        .variable("off", Int(0))
        .arguments(&[(&["-X", "frozen_modules=off"], Int(0)), (&["-X", "frozen_modules"], Int(1))]),
    Special::new("int_max_str_digits")
        .value(Int(700), Int(700))
        .variable("700", Int(700))
        .arguments(&[(&["-X", "int_max_str_digits=700"], Int(700))]),
    Special::new("thread_inherit_context")
        .value(Int(1), Int(1))
        .variable("1", Int(1))
        .arguments(&[(&["-X", "thread_inherit_context=1"], Int(1))]),
    Special::new("context_aware_warnings")
        .value(Int(1), Int(1))
        .variable("1", Int(1))
        .arguments(&[(&["-X", "context_aware_warnings=1"], Int(1))]),
    Special::new("cpu_count").variable("3", Int(3)).arguments(&[(&["-X", "cpu_count=3"], Int(3))]),
    Special::new("home").variable("/sample", Text(Some("/sample"))),
    Special::new("program_name").arguments(&[(&[], Text(Some("prog")))]),
    Special::new("run_command").arguments(&[(&["-c", "pass"], Text(Some("pass\n")))]),
    Special::new("run_module").arguments(&[(&["-m", "sample"], Text(Some("sample")))]),
    Special::new("run_filename")
        .value(Text(Some("/sample.py")), Text(Some("/sample.py")))
        .arguments(&[(&["/sample.py", "a"], Text(Some("/sample.py")))]),
];

fn special(row: &OptionRow) -> Special {
    SPECIAL
        .iter()
        .find(|special| special.name == row.name)
        .map_or(Special::new(""), |special| Special { name: special.name, ..*special })
}

/// Fields that an isolated configuration sets itself.
const ISOLATION_DECIDES: [&str; 3] = ["use_environment", "user_site_directory", "safe_path"];

/// The default of a kind, when nothing is set: for ints.
fn default(row: &OptionRow, kind: ConfigKind) -> i64 {
    let value = row.defaults[kind as usize - 1];
    match (row.decided, row.legacy) {
        (Some(decided), _) if value < 0 => decided.into(),
        // The global variables are 0.
        (None, Some(Legacy::Same(_))) if value < 0 => 0,
        (None, Some(Legacy::Negated(_))) if value < 0 => 1,
        _ => value.into(),
    }
}

fn is_number(row: &OptionRow) -> bool {
    matches!(row.kind, Kind::Bool | Kind::Int | Kind::Unsigned)
}

/// What a field or a name is set to, and what it is then.
fn sample(row: &OptionRow) -> (Value, Value) {
    if let Some(sample) = special(row).value {
        return sample;
    }
    let value = match row.kind {
        Kind::Bool => Int(i64::from(default(row, ConfigKind::Isolated) == 0)),
        Kind::Int | Kind::Unsigned => Int(2),
        Kind::Text | Kind::OptionalText => Text(Some("sample")),
        Kind::List | Kind::Map => List(&["one", "two"]),
    };
    (value, value)
}

/// All lives.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for row in &OPTIONS {
        // The kind is no setting.
        if row.name == "_config_init" {
            continue;
        }
        let mut add = |way, environment, arguments, expected| {
            cases.push(Case { row, way, environment, arguments, expected });
        };
        let (given, expected) = sample(row);
        add(Way::Field(given), vec![], vec![], expected);
        if row.visibility != Visibility::Internal {
            add(Way::Names(given), vec![], vec![], expected);
        }
        if let Some(variable) = row.env {
            let mut texts = Vec::new();
            match variable.class {
                EnvClass::Presence(value) => texts.push(("0", Int(value.into()))),
                EnvClass::Level => texts.extend([("2", Int(2)), ("x", Int(1)), ("0", Int(0))]),
                EnvClass::LevelOff => texts.extend([("2", Int(0)), ("x", Int(0)), ("0", Int(1))]),
                EnvClass::Text => texts.push(("sample", Text(Some("sample")))),
                EnvClass::Special => match special(row).variable {
                    Some(text) => texts.push(text),
                    None => panic!("SPECIAL has no value for the variable of {}", row.name),
                },
            }
            for (text, expected) in texts {
                for door in [Door::Config, Door::Names, Door::Compat] {
                    // What the compat kind decides about the locale stands, whatever the environment says.
                    let is_decided = matches!(row.field, Field::Pre(..)) && row.kind == Kind::Bool;
                    let expected = match door {
                        Door::Compat if is_decided => Int(default(row, ConfigKind::Compat)),
                        _ => expected,
                    };
                    add(Way::Environment(door), vec![(variable.name, text)], vec![], expected);
                }
            }
            // An empty text counts as unset.
            if is_number(row) && matches!(row.field, Field::Int(..)) {
                let expected = Int(default(row, ConfigKind::Python));
                add(Way::Environment(Door::Config), vec![(variable.name, "")], vec![], expected);
            }
        }
        let mut lines: Vec<(Vec<String>, Value)> = special(row)
            .arguments
            .iter()
            .map(|(words, value)| (words.iter().map(|word| (*word).into()).collect(), *value))
            .collect();
        if let Some(flag) = row.flag {
            let letter = char::from(flag.letter);
            let python = default(row, ConfigKind::Python);
            match flag.effect {
                Effect::Add => {
                    lines.push((vec![format!("-{letter}")], Int(python + 1)));
                    lines.push((vec![format!("-{letter}{letter}")], Int(python + 2)));
                }
                Effect::Set(value) => lines.push((vec![format!("-{letter}")], Int(value.into()))),
                Effect::Argument(_) => {
                    assert!(!lines.is_empty(), "SPECIAL has no arguments for -{letter} of {}", row.name);
                }
            }
        }
        if let Some(option) = row.xoption {
            match option.presence {
                Some(value) => lines.push((vec!["-X".into(), option.key.into()], Int(value.into()))),
                None => assert!(!lines.is_empty(), "SPECIAL has no arguments for -X {}", option.key),
            }
        }
        for (words, expected) in lines {
            for door in [Door::Config, Door::Names] {
                add(Way::CommandLine(door), vec![], words.clone(), expected);
            }
        }
        match row.legacy {
            Some(Legacy::Same(_)) => add(Way::Global(2), vec![], vec![], Int(2)),
            Some(Legacy::Negated(_)) => {
                add(Way::Global(1), vec![], vec![], Int(0));
                add(Way::Global(0), vec![], vec![], Int(1));
            }
            None => {}
        }
    }
    let row = &OPTIONS[0];
    cases.push(Case { row, way: Way::Running, environment: vec![], arguments: vec![], expected: Int(0) });
    cases
}

fn describe(case: &Case) -> String {
    format!("{} by {:?} {:?} {:?}", case.row.name, case.way, case.environment, case.arguments)
}

// The child.

fn c_string(text: &str) -> CString {
    CString::new(text).expect("no NUL inside")
}

fn succeeded(status: PyStatus, what: &str) {
    assert!(!status.is_error() && !status.is_exit(), "{what}: {:?} {:?}", status.func(), status.message());
}

fn set_field(config: &mut PyConfig, pre: &mut PyPreConfig, row: &OptionRow, value: Value) {
    match (row.field, value) {
        (Field::Int(_, field), Int(value)) => *field(config) = value as c_int,
        (Field::ULong(_, field), Int(value)) => *field(config) = value as _,
        (Field::Pre(_, field), Int(value)) => *field(pre) = value as c_int,
        (Field::Text(_, field), Text(Some(text))) => *field(config) = WideString::from_text(text).unwrap(),
        (Field::List(_, field), List(items)) => {
            for item in items {
                field(config).push(WideString::from_text(item).unwrap()).unwrap();
            }
        }
        other => panic!("{}: no such value: {:?}", row.name, other.1),
    }
    // The fields that belong to one another.
    match row.name {
        "module_search_paths" => config.module_search_paths_set = 1,
        "isolated" => pre.isolated = config.isolated,
        "use_environment" => pre.use_environment = config.use_environment,
        "hash_seed" => config.use_hash_seed = 1,
        "coerce_c_locale" | "coerce_c_locale_warn" => pre.configure_locale = 1,
        _ => {}
    }
    if ISOLATION_DECIDES.contains(&row.name) {
        (config.isolated, pre.isolated) = (0, 0);
    }
}

fn set_name(config: *mut PyInitConfig, name: &str, value: Value) {
    let name = c_string(name);
    let texts: Vec<CString>;
    // SAFETY: the strings live over the calls.
    let result = unsafe {
        match value {
            Int(value) => PyInitConfig_SetInt(config, name.as_ptr(), value),
            Text(None) => PyInitConfig_SetStr(config, name.as_ptr(), std::ptr::null()),
            Text(Some(text)) => PyInitConfig_SetStr(config, name.as_ptr(), c_string(text).as_ptr()),
            List(items) => {
                texts = items.iter().map(|item| c_string(item)).collect();
                let pointers: Vec<_> = texts.iter().map(|text| text.as_ptr()).collect();
                PyInitConfig_SetStrList(config, name.as_ptr(), pointers.len(), pointers.as_ptr())
            }
        }
    };
    assert_eq!(result, 0, "PyInitConfig_Set: {}", error_of(config));
}

fn error_of(config: *mut PyInitConfig) -> String {
    let mut message = std::ptr::null();
    // SAFETY: the text is copied before another call on the object.
    unsafe {
        PyInitConfig_GetError(config, &raw mut message);
        if message.is_null() { String::new() } else { CStr::from_ptr(message).to_string_lossy().into_owned() }
    }
}

/// `PyInitConfig_Get…` gives what was set.
fn check_name(config: *mut PyInitConfig, row: &OptionRow, value: Value) {
    let name = c_string(row.name);
    // SAFETY: the places live over the calls; what is given is given back once.
    unsafe {
        assert_eq!(PyInitConfig_HasOption(config, name.as_ptr()), 1);
        match value {
            Int(value) => {
                let mut found = -77;
                assert_eq!(PyInitConfig_GetInt(config, name.as_ptr(), &raw mut found), 0);
                assert_eq!(found, value, "PyInitConfig_GetInt");
            }
            Text(value) => {
                let mut found = std::ptr::null_mut();
                assert_eq!(PyInitConfig_GetStr(config, name.as_ptr(), &raw mut found), 0);
                let text = (!found.is_null()).then(|| CStr::from_ptr(found).to_str().unwrap());
                assert_eq!(text, value, "PyInitConfig_GetStr");
                libc_free(found.cast());
                let mut number = 0;
                assert_eq!(PyInitConfig_GetInt(config, name.as_ptr(), &raw mut number), -1);
            }
            List(value) => {
                let (mut length, mut items) = (0, std::ptr::null_mut());
                assert_eq!(PyInitConfig_GetStrList(config, name.as_ptr(), &raw mut length, &raw mut items), 0);
                let found: Vec<_> =
                    (0..length).map(|index| CStr::from_ptr(*items.add(index)).to_str().unwrap()).collect();
                assert_eq!(found, value, "PyInitConfig_GetStrList");
                PyInitConfig_FreeStrList(length, items);
                let mut number = 0;
                assert_eq!(PyInitConfig_GetInt(config, name.as_ptr(), &raw mut number), -1);
            }
        }
    }
}

unsafe extern "C" {
    #[link_name = "free"]
    fn libc_free(block: *mut c_void);
}

/// The field holds the value after reading.
fn check_field(config: &PyConfig, row: &OptionRow, expected: Value) {
    match (row.field, expected) {
        (Field::Int(field, _), Int(value)) => assert_eq!(i64::from(*field(config)), value, "field"),
        (Field::ULong(field, _), Int(value)) => assert_eq!(*field(config) as i64, value, "field"),
        // The codec's name takes the place of the text when there are codecs.
        (Field::Text(..), _) if row.name.ends_with("_encoding") => {}
        // Paths are computed later.
        (Field::Text(..), _) if row.name == "program_name" || row.name == "home" => {}
        (Field::Text(field, _), Text(Some(text))) => assert!(field(config).is(text), "field: {}", field(config)),
        (Field::List(field, _), List(items)) => {
            let found: Vec<String> = field(config).as_slice().iter().map(|item| format!("{item}")).collect();
            assert_eq!(found, items, "field");
        }
        (Field::Pre(..), _) => {}
        other => panic!("{}: no such value: {:?}", row.name, other.1),
    }
}

/// What Python shows for a value.
fn shown(row: &OptionRow, value: Value) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\n', "\\n"));
    match (row.kind, value) {
        (Kind::Bool, Int(value)) => if value != 0 { "True" } else { "False" }.into(),
        (_, Int(value)) => value.to_string(),
        (_, Text(None)) => "None".into(),
        (_, Text(Some(text))) => quoted(text),
        (Kind::Map, List(items)) => {
            let entry = |item: &&str| match item.split_once('=') {
                Some((key, value)) => format!("{}: {}", quoted(key), quoted(value)),
                None => format!("{}: True", quoted(item)),
            };
            format!("{{{}}}", items.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        (_, List(items)) => format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", ")),
    }
}

/// The representation of an object that is given away.
fn repr(object: *mut c_void, what: &str) -> String {
    // SAFETY: Python runs, and this thread is attached.
    unsafe {
        if object.is_null() {
            PyErr_Print();
            panic!("{what} has failed");
        }
        let text = PyObject_Repr(object);
        let result = CStr::from_ptr(PyUnicode_AsUTF8(text)).to_str().unwrap().to_owned();
        Py_DecRef(text);
        Py_DecRef(object);
        result
    }
}

/// The raised exception, taken.
fn raised() -> String {
    // SAFETY: as above.
    unsafe {
        assert!(!PyErr_Occurred().is_null(), "nothing is raised");
        repr(PyErr_GetRaisedException(), "the exception")
    }
}

fn sys_attribute(name: &str) -> *mut c_void {
    // SAFETY: as above; the module lives as long as Python.
    unsafe { PyObject_GetAttrString(PyImport_AddModule(c"sys".as_ptr()), c_string(name).as_ptr()) }
}

/// All that can be read while Python runs.
fn check_running(row: &OptionRow, expected: Value) {
    let name = c_string(row.name);
    // SAFETY: Python runs, and this thread is attached.
    unsafe {
        if row.visibility == Visibility::Internal {
            assert!(PyConfig_Get(name.as_ptr()).is_null());
            let error = raised();
            assert!(error.starts_with("ValueError(") && error.contains("unknown config option name: "), "{error}");
            return;
        }
        assert_eq!(repr(PyConfig_Get(name.as_ptr()), "PyConfig_Get"), shown(row, expected), "PyConfig_Get");
        let mut number = -77;
        let result = PyConfig_GetInt(name.as_ptr(), &raw mut number);
        match (row.kind, expected) {
            (Kind::Bool, Int(value)) => assert_eq!((result, number), (0, (value != 0).into()), "PyConfig_GetInt"),
            (_, Int(value)) => assert_eq!((result, i64::from(number)), (0, value), "PyConfig_GetInt"),
            _ => {
                assert_eq!(result, -1);
                assert!(raised().starts_with("TypeError("));
            }
        }
        if let Some(attribute) = row.sys {
            assert_eq!(repr(sys_attribute(attribute), "sys"), shown(row, expected), "sys.{attribute}");
            assert!(!PySys_GetObject(c_string(attribute).as_ptr()).is_null());
        }
        if let (Some(flag), Int(value)) = (row.sys_flag, expected) {
            let (entry, wanted) = match flag {
                SysFlag::Same(entry) if row.kind == Kind::Bool => (entry, i64::from(value != 0).to_string()),
                SysFlag::Same(entry) => (entry, value.to_string()),
                SysFlag::Truth(entry) => (entry, if value != 0 { "True" } else { "False" }.into()),
                SysFlag::Negated(entry) => (entry, i64::from(value == 0).to_string()),
            };
            let flags = sys_attribute("flags");
            let found = repr(PyObject_GetAttrString(flags, c_string(entry).as_ptr()), "sys.flags");
            Py_DecRef(flags);
            assert_eq!(found, wanted, "sys.flags.{entry}");
        }
        if row.name == "write_bytecode" {
            let wanted = if expected == Int(0) { "True" } else { "False" };
            assert_eq!(repr(sys_attribute("dont_write_bytecode"), "sys"), wanted);
        }
    }
    if let (Some(global), Int(value)) = (row.legacy, expected) {
        let (found, wanted) = match global {
            Legacy::Same(global) => (global.load(Ordering::Relaxed), value as c_int),
            Legacy::Negated(global) => (global.load(Ordering::Relaxed), (value == 0).into()),
        };
        assert_eq!(found, wanted, "global variable");
    }
}

/// Finalizes; nothing is left.
fn end() {
    let mut blocks = [usize::MAX; 3];
    // SAFETY: Python runs in this thread.
    unsafe {
        assert_eq!(Py_FinalizeEx(), 0);
        assert_eq!(Hog_LiveBlocks(blocks.as_mut_ptr()), 0);
    }
    assert_eq!(blocks, [0; 3], "live blocks");
}

fn by_config(case: &Case, kind: ConfigKind, pre: &mut PyPreConfig, config: &mut PyConfig) {
    let row = case.row;
    if row.name != "site_import" {
        config.site_import = 0;
    }
    config.parse_argv = c_int::from(matches!(case.way, Way::CommandLine(_)));
    pre.parse_argv = config.parse_argv;
    if let Way::Field(value) = case.way {
        set_field(config, pre, row, value);
    }
    // SAFETY: the structs live over the calls.
    unsafe {
        if kind == ConfigKind::Isolated {
            succeeded(Py_PreInitialize(pre), "Py_PreInitialize");
        }
        if let Way::CommandLine(_) = case.way {
            let words: Vec<CString> =
                std::iter::once("prog").chain(case.arguments.iter().map(String::as_str)).map(c_string).collect();
            let pointers: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
            let status = PyConfig_SetBytesArgv(config, pointers.len() as isize, pointers.as_ptr());
            succeeded(status, "PyConfig_SetBytesArgv");
        }
        let mut read = config.try_clone().unwrap();
        succeeded(PyConfig_Read(&raw mut read), "PyConfig_Read");
        check_field(&read, row, case.expected);
        // Reading again changes nothing.
        succeeded(PyConfig_Read(&raw mut read), "PyConfig_Read");
        check_field(&read, row, case.expected);
        read.clear();
        succeeded(Py_InitializeFromConfig(config), "Py_InitializeFromConfig");
    }
    config.clear();
}

fn by_names(case: &Case) {
    // SAFETY: the object is made and ended here.
    unsafe {
        let config = PyInitConfig_Create();
        assert!(!config.is_null());
        if case.row.name != "site_import" {
            set_name(config, "site_import", Int(0));
        }
        match case.way {
            Way::Names(value) => {
                match case.row.name {
                    "hash_seed" => set_name(config, "use_hash_seed", Int(1)),
                    "coerce_c_locale" | "coerce_c_locale_warn" => set_name(config, "configure_locale", Int(1)),
                    name if ISOLATION_DECIDES.contains(&name) => set_name(config, "isolated", Int(0)),
                    _ => {}
                }
                set_name(config, case.row.name, value);
                check_name(config, case.row, value);
            }
            Way::Environment(_) | Way::CommandLine(_) => {
                // What the Python kind has.
                for row in &OPTIONS {
                    let [_, python, isolated] = row.defaults;
                    let named = row.visibility != Visibility::Internal && is_number(row);
                    if named && python != isolated && row.name != "parse_argv" && row.name != "site_import" {
                        set_name(config, row.name, Int(python.into()));
                    }
                }
                if let Way::CommandLine(_) = case.way {
                    set_name(config, "parse_argv", Int(1));
                    let words: Vec<&'static str> = std::iter::once("prog")
                        .chain(case.arguments.iter().map(|word| &*word.clone().leak()))
                        .collect();
                    set_name(config, "argv", List(words.leak()));
                }
            }
            other => panic!("{other:?} is another way"),
        }
        assert_eq!(Py_InitializeFromInitConfig(config), 0, "{}", error_of(config));
        PyInitConfig_Free(config);
    }
}

/// `PyConfig_Set` on every row, in one life.
fn while_running() {
    let mut config = PyConfig::new(ConfigKind::Isolated);
    config.site_import = 0;
    // SAFETY: the thread is attached after initialization, and every object is given back.
    unsafe {
        succeeded(Py_InitializeFromConfig(&raw const config), "Py_InitializeFromConfig");
        let globals = PyModule_GetDict(PyImport_AddModule(c"__main__".as_ptr()));
        let evaluate = |text: &str| {
            let value = PyRun_String(c_string(text).as_ptr(), EVAL, globals, globals);
            assert!(!value.is_null(), "{text}");
            value
        };
        for row in &OPTIONS {
            let name = c_string(row.name);
            let (_, value) = sample(row);
            let object = evaluate(&shown(row, value));
            let result = PyConfig_Set(name.as_ptr(), object);
            Py_DecRef(object);
            match row.visibility {
                Visibility::Public => {
                    assert_eq!(result, 0, "PyConfig_Set {}: {}", row.name, raised());
                    check_running(row, value);
                    let wrong = evaluate("1.5");
                    assert_eq!(PyConfig_Set(name.as_ptr(), wrong), -1, "{}", row.name);
                    Py_DecRef(wrong);
                    assert!(raised().starts_with("TypeError("), "{}", row.name);
                    check_running(row, value);
                    if is_number(row) && row.kind != Kind::Bool {
                        let negative = evaluate("-1");
                        assert_eq!(PyConfig_Set(name.as_ptr(), negative), -1, "{}", row.name);
                        Py_DecRef(negative);
                        assert!(raised().starts_with("ValueError("), "{}", row.name);
                    }
                }
                Visibility::ReadOnly => {
                    assert_eq!(result, -1, "{}", row.name);
                    let error = raised();
                    assert!(error.starts_with("ValueError(") && error.contains("read-only"), "{error}");
                }
                Visibility::Internal => {
                    assert_eq!(result, -1, "{}", row.name);
                    assert!(raised().contains("unknown config option name: "), "{}", row.name);
                }
            }
        }
    }
}

fn live(case: &Case) {
    match case.way {
        Way::Field(_) => {
            let mut pre = PyPreConfig::new(ConfigKind::Isolated);
            by_config(case, ConfigKind::Isolated, &mut pre, &mut PyConfig::new(ConfigKind::Isolated));
        }
        Way::Environment(Door::Config) | Way::CommandLine(Door::Config) => {
            let mut pre = PyPreConfig::new(ConfigKind::Python);
            by_config(case, ConfigKind::Python, &mut pre, &mut PyConfig::new(ConfigKind::Python));
        }
        Way::Names(_) | Way::Environment(Door::Names) | Way::CommandLine(Door::Names) => by_names(case),
        Way::Environment(Door::Compat) | Way::CommandLine(Door::Compat) => {
            legacy::NO_SITE.store(1, Ordering::Relaxed);
            // SAFETY: nothing is initialized yet.
            unsafe { Py_Initialize() };
        }
        Way::Global(value) => {
            legacy::NO_SITE.store(1, Ordering::Relaxed);
            match case.row.legacy {
                Some(Legacy::Same(global) | Legacy::Negated(global)) => global.store(value, Ordering::Relaxed),
                None => panic!("{} has no global variable", case.row.name),
            }
            // SAFETY: nothing is initialized yet.
            unsafe { Py_Initialize() };
        }
        Way::Running => {
            while_running();
            end();
            return;
        }
    }
    check_running(case.row, case.expected);
    end();
}

// The page of documentation.

/// docs/options.md, made of the rows.
fn page() -> String {
    let mut page = String::from(
        "# Every option\n\n\
         Made of the table in `src/config/table.rs`: `HOGNOSE_UPDATE=1 cargo test --test config_table` writes this page \
         anew, and\nthe test fails when it is not what the table says.\n\n\
         The name is that of the `PyConfig` or `PyPreConfig` field and of the `PyInitConfig` and `PyConfig_Get` option. \
         Defaults are those\nof the compat, Python and isolated kinds; *open* is decided when the configuration is read. \
         A public option may be changed\nwhile Python runs (`PyConfig_Set`).\n\n\
         | option | type | defaults | environment | command line | global variable | read at run time | |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for row in OPTIONS.iter().filter(|row| row.visibility != Visibility::Internal) {
        let kind = match row.kind {
            Kind::Bool => "bool",
            Kind::Int | Kind::Unsigned => "int",
            Kind::Text => "str",
            Kind::OptionalText => "str or None",
            Kind::List => "list of str",
            Kind::Map => "dict",
        };
        let defaults = match is_number(row) {
            true => {
                let mut texts =
                    row.defaults.map(|value| if value < 0 { "open".into() } else { value.to_string() }).to_vec();
                if row.defaults[1..].iter().all(|value| *value == row.defaults[0]) {
                    texts.truncate(1);
                }
                let decided = row.decided.map_or_else(String::new, |value| format!(" → {value}"));
                format!("{}{decided}", texts.join(", "))
            }
            false => String::new(),
        };
        let environment = row.env.map_or_else(String::new, |variable| format!("`{}`", variable.name.to_str().unwrap()));
        let mut line = Vec::new();
        if let Some(flag) = row.flag {
            line.push(match flag.effect {
                Effect::Argument(argument) => format!("`-{} {argument}`", char::from(flag.letter)),
                Effect::Add | Effect::Set(_) => format!("`-{}`", char::from(flag.letter)),
            });
        }
        if let Some(option) = row.xoption {
            line.push(format!("`-X {}{}`", option.key, option.value.replace('|', "\\|")));
        }
        let global = match row.legacy {
            Some(Legacy::Same(global)) => global_name(global).to_owned(),
            Some(Legacy::Negated(global)) => format!("not {}", global_name(global)),
            None => String::new(),
        };
        let mut read = Vec::new();
        read.extend(row.sys.map(|attribute| format!("`sys.{attribute}`")));
        read.extend(row.sys_flag.map(|flag| match flag {
            SysFlag::Same(entry) | SysFlag::Truth(entry) => format!("`sys.flags.{entry}`"),
            SysFlag::Negated(entry) => format!("not `sys.flags.{entry}`"),
        }));
        let visibility = if row.visibility == Visibility::Public { "public" } else { "" };
        let cells =
            [&format!("`{}`", row.name), kind, &defaults, &environment, &line.join(", "), &global, &read.join(", ")];
        page += &format!("| {} | {visibility} |\n", cells.join(" | "));
    }
    page += "\n## What they do\n\n| option | what |\n|---|---|\n";
    for row in OPTIONS.iter().filter(|row| row.visibility != Visibility::Internal) {
        let mut texts: Vec<&str> = Vec::new();
        for help in [row.flag.map(|flag| flag.help), row.xoption.map(|option| option.help), row.env.map(|env| env.help)]
            .into_iter()
            .flatten()
        {
            if !help.is_empty() && !texts.contains(&help) {
                texts.push(help);
            }
        }
        if !texts.is_empty() {
            page += &format!("| `{}` | {} |\n", row.name, texts.join("; ").replace('|', "\\|"));
        }
    }
    page
}

/// The C name of a global variable.
fn global_name(global: &'static std::sync::atomic::AtomicI32) -> &'static str {
    let names = [
        (&legacy::BYTES_WARNING, "`Py_BytesWarningFlag`"),
        (&legacy::DEBUG, "`Py_DebugFlag`"),
        (&legacy::DONT_WRITE_BYTECODE, "`Py_DontWriteBytecodeFlag`"),
        (&legacy::FROZEN, "`Py_FrozenFlag`"),
        (&legacy::IGNORE_ENVIRONMENT, "`Py_IgnoreEnvironmentFlag`"),
        (&legacy::INSPECT, "`Py_InspectFlag`"),
        (&legacy::INTERACTIVE, "`Py_InteractiveFlag`"),
        (&legacy::ISOLATED, "`Py_IsolatedFlag`"),
        (&legacy::NO_SITE, "`Py_NoSiteFlag`"),
        (&legacy::NO_USER_SITE_DIRECTORY, "`Py_NoUserSiteDirectory`"),
        (&legacy::OPTIMIZE, "`Py_OptimizeFlag`"),
        (&legacy::QUIET, "`Py_QuietFlag`"),
        (&legacy::UNBUFFERED_STDIO, "`Py_UnbufferedStdioFlag`"),
        (&legacy::VERBOSE, "`Py_VerboseFlag`"),
    ];
    names.iter().find(|(own, _)| std::ptr::eq(*own, global)).map(|(_, name)| *name).expect("a name for each variable")
}

/// Compares the page with what the table says, or writes it.
fn check_page() -> Result<(), String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/options.md");
    if std::env::var_os("HOGNOSE_UPDATE").is_some() {
        return std::fs::write(&path, page()).map_err(|error| error.to_string());
    }
    match std::fs::read_to_string(&path) {
        Ok(text) if text == page() => Ok(()),
        Ok(_) => Err("docs/options.md is not what the table says: HOGNOSE_UPDATE=1 writes it anew".into()),
        Err(error) => Err(format!("docs/options.md: {error}")),
    }
}

// The parent.

fn run(index: usize, case: &Case) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.arg("--case").arg(index.to_string()).env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    // Coercion is for a locale that nobody has chosen.
    if !case.row.name.starts_with("coerce_c_locale") {
        command.env("LC_ALL", "C.UTF-8");
    }
    for (name, text) in &case.environment {
        command.env(name.to_str().map_err(|error| error.to_string())?, text);
    }
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{}: {}\n{}", describe(case), output.status, String::from_utf8_lossy(&output.stderr)))
}

fn main() -> ExitCode {
    let cases = cases();
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [first, index] = &words[..]
        && first == "--case"
    {
        let case = &cases[index.parse::<usize>().expect("a number")];
        // The runtime keeps a panic's text to itself.
        return match std::panic::catch_unwind(|| live(case)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => {
                eprintln!("{}", hognose::lifecycle::panics::last().as_str());
                ExitCode::FAILURE
            }
        };
    }
    if words.iter().any(|word| word == "--list") {
        println!("every_option_by_every_way: test");
        return ExitCode::SUCCESS;
    }
    // A word that is no option chooses cases by name, such as that of a row.
    let chosen = words.iter().find(|word| !word.starts_with('-'));
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    if let Err(failure) = check_page() {
        failures.lock().unwrap().push(failure);
    }
    let ran = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { return };
                    if chosen.is_some_and(|word| !describe(case).contains(word.as_str())) {
                        continue;
                    }
                    ran.fetch_add(1, Ordering::Relaxed);
                    if let Err(failure) = run(index, case) {
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    for failure in &failures {
        eprintln!("{failure}");
    }
    println!("{} options, {} cases, {} failures", OPTIONS.len(), ran.into_inner(), failures.len());
    ExitCode::from(u8::from(!failures.is_empty()))
}
