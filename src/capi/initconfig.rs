//! `PyInitConfig_*` and `PyConfig_Get…` (PEP 741). Declared in `initconfig.h`.

use core::ffi::{CStr, c_char, c_int};
use core::ptr;

use super::convert::utf8;
use crate::capi;
use crate::config::initconfig::{PyInitConfig, free_strings};
use crate::config::runtime;
use crate::import::inittab::InitFunction;
use crate::lifecycle;
use crate::object::{PyObject, PyRef, Ref};

/// 0 or -1.
fn status(done: Option<()>) -> c_int {
    if done.is_some() { 0 } else { -1 }
}

/// A new configuration with the defaults of the isolated kind; null without memory.
#[unsafe(no_mangle)]
pub extern "C" fn PyInitConfig_Create() -> *mut PyInitConfig {
    PyInitConfig::create()
}

/// Ends a configuration.
///
/// # Safety
/// `config` is null, or came from `PyInitConfig_Create` and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInitConfig_Free(config: *mut PyInitConfig) {
    if !config.is_null() {
        // SAFETY: the caller's promise.
        unsafe { PyInitConfig::destroy(config) };
    }
}

/// 1 and the error's text, which lives until the next call with `config`; else 0 and null.
///
/// # Safety
/// `config` is alive; `message` has room.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInitConfig_GetError(config: *mut PyInitConfig, message: *mut *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let error = (*config).error();
        *message = error.map_or(ptr::null(), CStr::as_ptr);
        c_int::from(error.is_some())
    }
}

/// 1 and the exit code, when initialization ended with the wish to exit; else 0.
///
/// # Safety
/// As for `PyInitConfig_GetError`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInitConfig_GetExitCode(config: *mut PyInitConfig, exitcode: *mut c_int) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        match (*config).exit_code() {
            Some(code) => {
                *exitcode = code;
                1
            }
            None => 0,
        }
    }
}

/// 1 when there is an option of that name.
///
/// # Safety
/// `name` is a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInitConfig_HasOption(_config: *mut PyInitConfig, name: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    let name = unsafe { CStr::from_ptr(name) };
    c_int::from(crate::config::table::find(name.to_bytes()).is_some())
}

/// The value of an option of type int or bool; -1 with an error in `config`.
///
/// # Safety
/// `config` is alive, `name` a C string, `value` has room.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInitConfig_GetInt(config: *mut PyInitConfig, name: *const c_char, value: *mut i64) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { status((*config).get_int(CStr::from_ptr(name)).map(|found| *value = found)) }
}

/// A copy, for `free`, of the value of an option of type str, or null; -1 with an error in `config`.
///
/// # Safety
/// As for `PyInitConfig_GetInt`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInitConfig_GetStr(
    config: *mut PyInitConfig,
    name: *const c_char,
    value: *mut *mut c_char,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { status((*config).get_text(CStr::from_ptr(name)).map(|found| *value = found)) }
}

/// A copy, for `PyInitConfig_FreeStrList`, of the value of an option of type list; -1 with an error in `config`.
///
/// # Safety
/// As for `PyInitConfig_GetInt`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInitConfig_GetStrList(
    config: *mut PyInitConfig,
    name: *const c_char,
    length: *mut usize,
    items: *mut *mut *mut c_char,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        status((*config).get_list(CStr::from_ptr(name)).map(|(list, len)| {
            *items = list;
            *length = len;
        }))
    }
}

/// Releases what `PyInitConfig_GetStrList` gave.
///
/// # Safety
/// `items` is null, or came from there with this length and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInitConfig_FreeStrList(length: usize, items: *mut *mut c_char) {
    // SAFETY: the caller's promise.
    unsafe { free_strings(items, length) }
}

/// Sets an option of type int or bool; -1 with an error in `config`.
///
/// # Safety
/// `config` is alive, `name` a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInitConfig_SetInt(config: *mut PyInitConfig, name: *const c_char, value: i64) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { status((*config).set_int(CStr::from_ptr(name), value)) }
}

/// Sets an option of type str to a copy of a UTF-8 text, or with null to none; -1 with an error in `config`.
///
/// # Safety
/// `config` is alive, `name` a C string, `value` one or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInitConfig_SetStr(
    config: *mut PyInitConfig,
    name: *const c_char,
    value: *const c_char,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let value = (!value.is_null()).then(|| CStr::from_ptr(value));
        status((*config).set_text(CStr::from_ptr(name), value))
    }
}

/// Sets an option of type list to copies of UTF-8 texts; -1 with an error in `config`.
///
/// # Safety
/// `config` is alive, `name` a C string, `items` has `length` C strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInitConfig_SetStrList(
    config: *mut PyInitConfig,
    name: *const c_char,
    length: usize,
    items: *const *const c_char,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        let items = if items.is_null() || length == 0 { &[] } else { core::slice::from_raw_parts(items, length) };
        status((*config).set_list(CStr::from_ptr(name), items))
    }
}

/// Adds a built-in module for the next initialization; -1 with an error in `config`.
///
/// # Safety
/// `config` is alive, `name` a C string; the function initializes a module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyInitConfig_AddModule(
    config: *mut PyInitConfig,
    name: *const c_char,
    init: Option<InitFunction>,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe {
        match init {
            Some(init) => status((*config).add_module(CStr::from_ptr(name), init)),
            None => -1,
        }
    }
}

/// Initializes Python; -1 with an error or an exit code in `config`.
///
/// # Safety
/// `config` is alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_InitializeFromInitConfig(config: *mut PyInitConfig) -> c_int {
    // SAFETY: the caller's promise.
    let config = unsafe { &mut *config };
    status(config.initialize(|settings| {
        let status = super::pylifecycle::status_of(|| {
            super::pylifecycle::note_raw_start();
            lifecycle::initialize(settings)
        });
        status.into_result()
    }))
}

capi! {
    /// An option's value now; ValueError for an unknown name.
    fn PyConfig_Get(ts, name: &CStr) -> PyRef {
        runtime::get(ts, utf8(ts, name)?)
    }

    /// The names of all options, a frozenset.
    fn PyConfig_Names(ts) -> PyRef {
        runtime::names(ts).map(Ref::into_object)
    }

    /// Changes an option; ValueError for an unknown or read-only one and for a bad value, TypeError for another type.
    fn PyConfig_Set(ts, name: &CStr, value: &PyObject) -> () {
        runtime::set(ts, utf8(ts, name)?, value)
    }

    /// An option's value as an int; TypeError for an option of another type.
    fn PyConfig_GetInt(ts, name: &CStr, value: *mut c_int) -> () {
        let found = runtime::get_int(ts, utf8(ts, name)?)?;
        if !value.is_null() {
            // SAFETY: C passes room for an int.
            unsafe { *value = found };
        }
        Ok(())
    }
}
