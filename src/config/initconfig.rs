//! `PyInitConfig` (PEP 741): a configuration by names, usable before anything is initialized.
//!
//! What it holds are wishes: a value for a row of the table of options, in UTF-8, as it was given. Setting one
//! has no effect on others, pre-initializes nothing and decodes nothing. [`PyInitConfig::initialize`] does all
//! that, in order: pre-configuration, allocator and encoding first, then the strings, then the rest.
//!
//! I1: everything here comes from the C library and goes back there. The object lives across the choice of an
//!     allocator, which it may itself make, so no domain can own it.

use core::ffi::{CStr, c_char, c_int, c_ulong};
use core::fmt::Write;
use core::ptr;

use super::args::Args;
use super::layout::{ConfigKind, PyConfig, PyPreConfig};
use super::status::{PyStatus, StatusResult};
use super::strings::WideString;
use super::table::{Field, Kind, OPTIONS, OptionRow, find};
use crate::import::inittab::{self, InitFunction};

/// A wish.
#[derive(Clone, Copy)]
enum Value {
    /// The default of the isolated kind.
    Unset,
    Int(i64),
    /// A C string, or null for none.
    Text(*mut c_char),
    List(*mut *mut c_char, usize),
}

/// A module to be built in.
struct Module {
    name: *mut c_char,
    init: InitFunction,
    next: *mut Module,
}

/// The configuration, and the error or exit code of the last call.
pub struct PyInitConfig {
    values: [Value; OPTIONS.len()],
    modules: *mut Module,
    status: PyStatus,
    /// The error's text; what is written here is cut at its end.
    message: [u8; 256],
    failed: bool,
}

/// A text of the C library that can be cut but not fail.
struct Message<'a> {
    text: &'a mut [u8; 256],
    len: usize,
}

impl Write for Message<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        for ch in text.chars() {
            let len = ch.len_utf8();
            if self.len + len >= self.text.len() {
                return Err(core::fmt::Error);
            }
            ch.encode_utf8(&mut self.text[self.len..]);
            self.len += len;
        }
        self.text[self.len] = 0;
        Ok(())
    }
}

/// Ends a block of the C library's.
fn free<T>(block: *mut T) {
    // SAFETY: I1, and each block is freed by its one owner.
    unsafe { libc::free(block.cast()) }
}

/// A copy of a text as a C string; null without memory.
fn copy(text: &CStr) -> *mut c_char {
    // SAFETY: a terminated string.
    unsafe { libc::strdup(text.as_ptr()) }
}

fn free_list(items: *mut *mut c_char, len: usize) {
    for index in 0..len {
        // SAFETY: the list has `len` strings.
        free(unsafe { *items.add(index) });
    }
    free(items);
}

/// Copies a list of C strings; `None` without memory.
fn copy_list(items: &[*const c_char]) -> Option<*mut *mut c_char> {
    // SAFETY: a plain allocation; one more than needed, so that an empty list is no null pointer.
    let list = unsafe { libc::calloc(items.len() + 1, size_of::<*mut c_char>()) }.cast::<*mut c_char>();
    if list.is_null() {
        return None;
    }
    for (index, item) in items.iter().enumerate() {
        // SAFETY: the caller's items are C strings; there is room for each.
        let text = copy(unsafe { CStr::from_ptr(*item) });
        if text.is_null() {
            free_list(list, index);
            return None;
        }
        // SAFETY: as above.
        unsafe { *list.add(index) = text };
    }
    Some(list)
}

impl Value {
    fn free(self) {
        match self {
            Value::Text(text) => free(text),
            Value::List(items, len) => free_list(items, len),
            Value::Unset | Value::Int(_) => {}
        }
    }
}

/// What a call with a name gives: a value, or nothing, and the object has the error.
type Answer<T> = Option<T>;

impl PyInitConfig {
    /// A new one with the defaults of the isolated kind; null without memory.
    pub fn create() -> *mut PyInitConfig {
        // SAFETY: the block is written before it is looked at.
        unsafe {
            let place = libc::malloc(size_of::<PyInitConfig>()).cast::<PyInitConfig>();
            if !place.is_null() {
                place.write(PyInitConfig {
                    values: [Value::Unset; OPTIONS.len()],
                    modules: ptr::null_mut(),
                    status: PyStatus::ok(),
                    message: [0; 256],
                    failed: false,
                });
            }
            place
        }
    }

    /// Ends it.
    ///
    /// # Safety
    /// It came from [`create`](PyInitConfig::create) and is not used again.
    pub unsafe fn destroy(this: *mut PyInitConfig) {
        // SAFETY: the caller's promise.
        unsafe {
            for value in (*this).values {
                value.free();
            }
            (*this).drop_modules();
        }
        free(this);
    }

    fn drop_modules(&mut self) {
        while !self.modules.is_null() {
            // SAFETY: modules were allocated by `add_module` and are in this list only.
            let module = unsafe { self.modules.read() };
            free(module.name);
            free(self.modules);
            self.modules = module.next;
        }
    }

    /// The error's text, if the last call that can fail has failed.
    pub fn error(&self) -> Option<&CStr> {
        self.failed.then(|| CStr::from_bytes_until_nul(&self.message).unwrap_or_default())
    }

    /// The exit code, if initialization ended with the wish to exit.
    pub fn exit_code(&self) -> Option<c_int> {
        self.status.is_exit().then(|| self.status.exitcode())
    }

    fn fail<T>(&mut self, message: core::fmt::Arguments<'_>) -> Answer<T> {
        self.failed = true;
        let mut text = Message { text: &mut self.message, len: 0 };
        // A text that is too long is cut.
        let _ = text.write_fmt(message);
        None
    }

    fn begin(&mut self) {
        self.failed = false;
        self.status = PyStatus::ok();
    }

    fn no_memory<T>(&mut self) -> Answer<T> {
        self.fail(format_args!("memory allocation failed"))
    }

    /// The index of the row of that name.
    fn row(&mut self, name: &CStr) -> Answer<usize> {
        self.begin();
        if let Some(row) = find(name.to_bytes())
            && let Some(index) = OPTIONS.iter().position(|other| ptr::eq(other, row))
        {
            return Some(index);
        }
        let shown = Lossy(name.to_bytes());
        match nearest(name.to_bytes()) {
            Some(near) => self.fail(format_args!("unknown config option name: {shown}; did you mean '{near}'?")),
            None => self.fail(format_args!("unknown config option name: {shown}")),
        }
    }

    /// The value of an option of type int or bool.
    pub fn get_int(&mut self, name: &CStr) -> Answer<i64> {
        let index = self.row(name)?;
        let row = &OPTIONS[index];
        match (row.kind, self.values[index]) {
            (Kind::Bool | Kind::Int | Kind::Unsigned, Value::Int(value)) => Some(value),
            (Kind::Bool | Kind::Int | Kind::Unsigned, _) => Some(row.defaults[ISOLATED].into()),
            _ => self.fail(format_args!("config option type is not int: {}", row.name)),
        }
    }

    /// A copy of the value of an option of type str, for `free`; null when it has none.
    pub fn get_text(&mut self, name: &CStr) -> Answer<*mut c_char> {
        let index = self.row(name)?;
        let row = &OPTIONS[index];
        match (row.kind, self.values[index]) {
            (Kind::Text | Kind::OptionalText, Value::Text(text)) if !text.is_null() => {
                // SAFETY: one of ours.
                let copy = copy(unsafe { CStr::from_ptr(text) });
                if copy.is_null() { self.no_memory() } else { Some(copy) }
            }
            (Kind::Text | Kind::OptionalText, _) => Some(ptr::null_mut()),
            _ => self.fail(format_args!("config option type is not string: {}", row.name)),
        }
    }

    /// A copy of the value of an option of type list, for [`free_strings`].
    pub fn get_list(&mut self, name: &CStr) -> Answer<(*mut *mut c_char, usize)> {
        let index = self.row(name)?;
        let row = &OPTIONS[index];
        match (row.kind, self.values[index]) {
            (Kind::List | Kind::Map, Value::List(items, len)) => {
                // SAFETY: the list has `len` strings.
                match copy_list(unsafe { core::slice::from_raw_parts(items.cast(), len) }) {
                    Some(list) => Some((list, len)),
                    None => self.no_memory(),
                }
            }
            (Kind::List | Kind::Map, _) => match copy_list(&[]) {
                Some(list) => Some((list, 0)),
                None => self.no_memory(),
            },
            _ => self.fail(format_args!("config option type is not string list: {}", row.name)),
        }
    }

    /// Sets an option of type int or bool.
    pub fn set_int(&mut self, name: &CStr, value: i64) -> Answer<()> {
        let index = self.row(name)?;
        let row = &OPTIONS[index];
        let fits = match row.field {
            Field::Int(..) | Field::Pre(..) => c_int::try_from(value).is_ok(),
            Field::ULong(..) => c_ulong::try_from(value).is_ok(),
            Field::Text(..) | Field::List(..) => {
                return self.fail(format_args!("config option type is not int: {}", row.name));
            }
        };
        if !fits {
            return self.fail(format_args!("value of {} is out of range: {value}", row.name));
        }
        self.values[index] = Value::Int(value);
        Some(())
    }

    /// Sets an option of type str; a null text is none.
    pub fn set_text(&mut self, name: &CStr, text: Option<&CStr>) -> Answer<()> {
        let index = self.row(name)?;
        let row = &OPTIONS[index];
        if !matches!(row.kind, Kind::Text | Kind::OptionalText) {
            return self.fail(format_args!("config option type is not string: {}", row.name));
        }
        let copied = match text {
            Some(text) => {
                if text.to_str().is_err() {
                    return self.fail(format_args!("value of {} is not UTF-8", row.name));
                }
                let copied = copy(text);
                if copied.is_null() {
                    return self.no_memory();
                }
                copied
            }
            None => ptr::null_mut(),
        };
        core::mem::replace(&mut self.values[index], Value::Text(copied)).free();
        Some(())
    }

    /// Sets an option of type list.
    pub fn set_list(&mut self, name: &CStr, items: &[*const c_char]) -> Answer<()> {
        let index = self.row(name)?;
        let row = &OPTIONS[index];
        if !matches!(row.kind, Kind::List | Kind::Map) {
            return self.fail(format_args!("config option type is not string list: {}", row.name));
        }
        for (number, item) in items.iter().enumerate() {
            // SAFETY: the caller's items are null or C strings.
            if item.is_null() || unsafe { CStr::from_ptr(*item) }.to_str().is_err() {
                return self.fail(format_args!("item {number} of {} is not UTF-8", row.name));
            }
        }
        let Some(list) = copy_list(items) else { return self.no_memory() };
        core::mem::replace(&mut self.values[index], Value::List(list, items.len())).free();
        Some(())
    }

    /// Adds a built-in module for the next initialization.
    pub fn add_module(&mut self, name: &CStr, init: InitFunction) -> Answer<()> {
        self.begin();
        if name.is_empty() || name.to_str().is_err() {
            return self.fail(format_args!("the name of a module must be UTF-8 and not empty"));
        }
        // SAFETY: the block is written before it is looked at.
        unsafe {
            let module = libc::malloc(size_of::<Module>()).cast::<Module>();
            let copied = copy(name);
            if module.is_null() || copied.is_null() {
                free(module);
                free(copied);
                return self.no_memory();
            }
            module.write(Module { name: copied, init, next: self.modules });
            self.modules = module;
        }
        Some(())
    }

    fn int(&self, name: &str) -> Option<c_int> {
        let index = OPTIONS.iter().position(|row| row.name == name)?;
        match self.values[index] {
            Value::Int(value) => c_int::try_from(value).ok(),
            _ => None,
        }
    }

    fn preconfig(&self) -> PyPreConfig {
        let mut config = PyPreConfig::new(ConfigKind::Isolated);
        for (row, value) in OPTIONS.iter().zip(&self.values) {
            if let (Field::Pre(_, field), Value::Int(value)) = (row.field, value) {
                *field(&mut config) = *value as c_int;
            }
        }
        // What both structs have.
        for (name, field) in [
            ("isolated", &mut config.isolated),
            ("use_environment", &mut config.use_environment),
            ("dev_mode", &mut config.dev_mode),
            ("parse_argv", &mut config.parse_argv),
        ] {
            if let Some(value) = self.int(name) {
                *field = value;
            }
        }
        config
    }

    fn arguments(&self) -> Args<'_> {
        let argv = OPTIONS.iter().position(|row| row.name == "argv");
        match argv.map(|index| self.values[index]) {
            // SAFETY: the list has `len` strings.
            Some(Value::List(items, len)) => unsafe { Args::from_c_bytes(len as isize, items.cast()) },
            _ => Args::NONE,
        }
    }

    /// The wishes as a configuration. Python is pre-initialized.
    fn config(&self) -> StatusResult<PyConfig> {
        let mut config = PyConfig::new(ConfigKind::Isolated);
        for (row, value) in OPTIONS.iter().zip(&self.values) {
            if let Err(status) = set(&mut config, row, *value) {
                config.clear();
                return Err(status);
            }
        }
        Ok(config)
    }

    /// Initializes Python with these settings. What it adds to the table of built-in modules is for this
    /// initialization only.
    pub fn initialize(&mut self, initialize: impl FnOnce(&PyConfig) -> StatusResult) -> Answer<()> {
        self.begin();
        let preconfig = self.preconfig();
        let arguments = if preconfig.parse_argv != 0 { self.arguments() } else { Args::NONE };
        let result = super::preconfig::preinitialize(&preconfig, arguments).and_then(|()| {
            let mut config = self.config()?;
            let result = self.add_to_inittab().and_then(|()| initialize(&config));
            config.clear();
            result
        });
        let Err(status) = result else { return Some(()) };
        inittab::forget_once();
        self.status = status;
        if status.is_exit() {
            return self.fail(format_args!("exit code {}", status.exitcode()));
        }
        let message = status.message().map_or(&b"initialization failed"[..], CStr::to_bytes);
        match status.func() {
            Some(function) => self.fail(format_args!("{}: {}", Lossy(function.to_bytes()), Lossy(message))),
            None => self.fail(format_args!("{}", Lossy(message))),
        }
    }

    fn add_to_inittab(&self) -> StatusResult {
        let mut at = self.modules;
        // SAFETY: the list is ours.
        while let Some(module) = unsafe { at.as_ref() } {
            // SAFETY: a name of ours.
            inittab::append_once(unsafe { CStr::from_ptr(module.name) }, module.init)
                .map_err(|_| PyStatus::no_memory())?;
            at = module.next;
        }
        Ok(())
    }
}

/// The column of the isolated kind.
const ISOLATED: usize = 2;

/// Releases what [`PyInitConfig::get_list`] gave.
///
/// # Safety
/// The list has `len` strings, came from there, and is not used again.
pub unsafe fn free_strings(items: *mut *mut c_char, len: usize) {
    if !items.is_null() {
        free_list(items, len);
    }
}

fn wide(text: *const c_char) -> StatusResult<WideString> {
    // SAFETY: a C string of ours, which was UTF-8 when it was set.
    let text = unsafe { CStr::from_ptr(text) }.to_str().unwrap_or_default();
    Ok(WideString::from_text(text)?)
}

fn set(config: &mut PyConfig, row: &OptionRow, value: Value) -> StatusResult {
    match (row.field, value) {
        (Field::Int(_, field), Value::Int(value)) => *field(config) = value as c_int,
        (Field::ULong(_, field), Value::Int(value)) => *field(config) = value as c_ulong,
        (Field::Text(_, field), Value::Text(text)) if !text.is_null() => *field(config) = wide(text)?,
        (Field::List(_, field), Value::List(items, len)) => {
            for index in 0..len {
                // SAFETY: the list has `len` strings.
                let item = wide(unsafe { *items.add(index) })?;
                field(config).push(item)?;
            }
            if row.name == "module_search_paths" {
                config.module_search_paths_set = 1;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Bytes as text, what is no UTF-8 replaced.
struct Lossy<'a>(&'a [u8]);

impl core::fmt::Display for Lossy<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_char('\u{fffd}')?;
            }
        }
        Ok(())
    }
}

/// The option whose name is nearest to one that is none, if one is near enough: a third of its letters may differ.
pub fn nearest(name: &[u8]) -> Option<&'static str> {
    if name.len() > 40 {
        return None;
    }
    let mut best = None;
    let mut least = name.len() / 3 + 1;
    for row in &OPTIONS {
        if find(row.name.as_bytes()).is_none() {
            continue;
        }
        let distance = distance(name, row.name.as_bytes());
        if distance < least {
            (best, least) = (Some(row.name), distance);
        }
    }
    best
}

/// How many letters must be put in, left out or replaced to come from one name to the other.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row = [0usize; 64];
    let width = b.len().min(row.len() - 1);
    for (index, cell) in row.iter_mut().enumerate().take(width + 1) {
        *cell = index;
    }
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for j in 0..width {
            let replaced = diagonal + usize::from(*x != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[width]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(f: impl FnOnce(&mut PyInitConfig)) {
        let config = PyInitConfig::create();
        // SAFETY: made here, ended here.
        unsafe {
            f(&mut *config);
            PyInitConfig::destroy(config);
        }
    }

    #[test]
    fn a_name_that_is_none_is_told_with_the_nearest() {
        with(|config| {
            assert!(config.set_int(c"verbse", 1).is_none());
            let text = config.error().unwrap().to_str().unwrap();
            assert_eq!(text, "unknown config option name: verbse; did you mean 'verbose'?");
            assert!(config.set_int(c"_init_main", 1).is_none());
            assert!(config.set_int(c"verbose", 3).is_some() && config.error().is_none());
            assert_eq!(config.get_int(c"verbose"), Some(3));
        });
    }

    #[test]
    fn types_and_ranges_are_checked() {
        with(|config| {
            assert!(config.set_int(c"home", 1).is_none() && config.error().is_some());
            assert!(config.set_text(c"verbose", Some(c"1")).is_none());
            assert!(config.set_list(c"verbose", &[]).is_none());
            assert!(config.set_int(c"verbose", 1 << 40).is_none());
            assert!(config.set_int(c"hash_seed", -1).is_none());
            assert!(config.set_text(c"home", Some(c"\xff")).is_none());
            assert!(config.get_text(c"argv").is_none() && config.get_list(c"home").is_none());
        });
    }

    #[test]
    fn what_was_set_is_what_is_read() {
        with(|config| {
            assert_eq!(config.get_int(c"isolated"), Some(1));
            assert_eq!(config.get_text(c"home"), Some(ptr::null_mut()));
            config.set_text(c"home", Some(c"/h\xc3\xa9")).unwrap();
            let home = config.get_text(c"home").unwrap();
            // SAFETY: a string for `free`.
            unsafe { assert_eq!(CStr::from_ptr(home), c"/h\xc3\xa9") };
            free(home);
            config.set_list(c"argv", &[c"a".as_ptr(), c"b".as_ptr()]).unwrap();
            let (items, len) = config.get_list(c"argv").unwrap();
            assert_eq!(len, 2);
            // SAFETY: two strings, given back once.
            unsafe {
                assert_eq!(CStr::from_ptr(*items.add(1)), c"b");
                free_strings(items, len);
            }
            let settings = config.config().unwrap();
            assert!(settings.home.is("/h\u{e9}") && settings.argv.len() == 2);
            let mut settings = settings;
            settings.clear();
        });
    }
}
