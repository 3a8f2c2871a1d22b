//! `PyConfig_*` and `PyWideStringList_*`. Declared in `initconfig.h`.

use core::ffi::{CStr, c_char};
use core::slice;

use crate::config::config::{set_bytes_string, set_list, set_string};
use crate::config::preconfig::preinitialize_for;
use crate::config::strings::wide_length;
use crate::config::{Args, ConfigKind, PyConfig, PyStatus, PyWideStringList, StatusResult, WChar, WideString};

/// The error for a null configuration, list or field.
const NULL_ARGUMENT: PyStatus = PyStatus::error(c"a required argument is NULL");

/// Writes the defaults of the Python kind over every field, without freeing what was there.
///
/// # Safety
///
/// `config` is null (then nothing happens) or points to room for a `PyConfig`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyConfig_InitPythonConfig(config: *mut PyConfig) {
    if !config.is_null() {
        // SAFETY: not null, so there is room, which need not be initialized.
        unsafe { config.write(PyConfig::new(ConfigKind::Python)) }
    }
}

/// Writes the defaults of the isolated kind over every field, without freeing what was there.
///
/// # Safety
///
/// As for `PyConfig_InitPythonConfig`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyConfig_InitIsolatedConfig(config: *mut PyConfig) {
    if !config.is_null() {
        // SAFETY: not null, so there is room, which need not be initialized.
        unsafe { config.write(PyConfig::new(ConfigKind::Isolated)) }
    }
}

/// Frees strings and lists.
///
/// # Safety
///
/// `config` is null or points to a configuration.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyConfig_Clear(config: *mut PyConfig) {
    // SAFETY: promised by the caller, who uses it from one thread.
    if let Some(config) = unsafe { config.as_mut() } {
        config.clear();
    }
}

/// Decides every undecided field but the paths.
///
/// # Safety
///
/// As for `PyConfig_Clear`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyConfig_Read(config: *mut PyConfig) -> PyStatus {
    // SAFETY: promised by the caller, who uses it from one thread.
    match unsafe { config.as_mut() } {
        Some(config) => PyStatus::from_result(config.read()),
        None => NULL_ARGUMENT,
    }
}

/// Pre-initializes for a configuration whose field is to be set next. The borrow of the whole ends here,
/// before the field is borrowed alone.
///
/// # Safety
///
/// `config` is null or points to a configuration.
unsafe fn prepare(config: *const PyConfig) -> StatusResult {
    // SAFETY: promised by the caller.
    let config = unsafe { config.as_ref() }.ok_or(NULL_ARGUMENT)?;
    preinitialize_for(config, Args::NONE)
}

/// Replaces a string by a copy of `text`; null removes it.
///
/// # Safety
///
/// `config` points to a configuration and `field` to one of its strings; `text` is null or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyConfig_SetString(
    config: *mut PyConfig,
    field: *mut WideString,
    text: *const WChar,
) -> PyStatus {
    let set = || {
        // SAFETY: promised by the caller; the borrows do not overlap in time.
        let field = unsafe {
            prepare(config)?;
            field.as_mut()
        }
        .ok_or(NULL_ARGUMENT)?;
        // SAFETY: a text that is not null is a terminated string.
        let text = (!text.is_null()).then(|| unsafe { slice::from_raw_parts(text, wide_length(text)) });
        set_string(field, text)
    };
    PyStatus::from_result(set())
}

/// As `PyConfig_SetString`, from bytes in the locale's encoding.
///
/// # Safety
///
/// As for `PyConfig_SetString`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyConfig_SetBytesString(
    config: *mut PyConfig,
    field: *mut WideString,
    text: *const c_char,
) -> PyStatus {
    let set = || {
        // SAFETY: promised by the caller; the borrows do not overlap in time.
        let field = unsafe {
            prepare(config)?;
            field.as_mut()
        }
        .ok_or(NULL_ARGUMENT)?;
        // SAFETY: a text that is not null is a terminated string.
        let text = (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes());
        set_bytes_string(field, text)
    };
    PyStatus::from_result(set())
}

/// What a count and an array from C stand for: a negative count cannot be allocated, and a null array with
/// a positive one cannot be read.
fn check_array(count: isize, is_null: bool) -> StatusResult {
    match count {
        ..0 => Err(PyStatus::no_memory()),
        0 => Ok(()),
        _ if is_null => Err(NULL_ARGUMENT),
        _ => Ok(()),
    }
}

/// Pre-initializes if needed, from these arguments, and copies them to `argv`.
///
/// # Safety
///
/// `config` points to a configuration; `argv` is null or has `argc` strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyConfig_SetArgv(config: *mut PyConfig, argc: isize, argv: *const *const WChar) -> PyStatus {
    let set = || {
        check_array(argc, argv.is_null())?;
        // SAFETY: promised by the caller.
        unsafe { config.as_mut().ok_or(NULL_ARGUMENT)?.set_argv(Args::from_c_wide(argc, argv)) }
    };
    PyStatus::from_result(set())
}

/// As `PyConfig_SetArgv`, from bytes in the locale's encoding.
///
/// # Safety
///
/// As for `PyConfig_SetArgv`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyConfig_SetBytesArgv(
    config: *mut PyConfig,
    argc: isize,
    argv: *const *const c_char,
) -> PyStatus {
    let set = || {
        check_array(argc, argv.is_null())?;
        // SAFETY: promised by the caller.
        unsafe { config.as_mut().ok_or(NULL_ARGUMENT)?.set_argv(Args::from_c_bytes(argc, argv)) }
    };
    PyStatus::from_result(set())
}

/// Replaces a list by copies of `items`.
///
/// # Safety
///
/// `config` points to a configuration and `list` to one of its lists; `items` is null or has `length`
/// strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyConfig_SetWideStringList(
    config: *mut PyConfig,
    list: *mut PyWideStringList,
    length: isize,
    items: *const *const WChar,
) -> PyStatus {
    let set = || {
        check_array(length, items.is_null())?;
        // SAFETY: promised by the caller; the borrows do not overlap in time.
        unsafe {
            prepare(config)?;
            set_list(list.as_mut().ok_or(NULL_ARGUMENT)?, Args::from_c_wide(length, items))
        }
    };
    PyStatus::from_result(set())
}

/// Appends a copy of `item`.
///
/// # Safety
///
/// `list` points to a list, `item` is a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyWideStringList_Append(list: *mut PyWideStringList, item: *const WChar) -> PyStatus {
    // SAFETY: promised by the caller.
    match unsafe { list.as_mut() } {
        Some(list) if !item.is_null() => {
            // SAFETY: the item is a terminated string.
            let item = unsafe { slice::from_raw_parts(item, wide_length(item)) };
            PyStatus::from_result(list.append(item))
        }
        _ => NULL_ARGUMENT,
    }
}

/// Inserts a copy of `item` before position `index`.
///
/// # Safety
///
/// As for `PyWideStringList_Append`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyWideStringList_Insert(
    list: *mut PyWideStringList,
    index: isize,
    item: *const WChar,
) -> PyStatus {
    // SAFETY: promised by the caller.
    match unsafe { list.as_mut() } {
        Some(list) if !item.is_null() => {
            // SAFETY: the item is a terminated string.
            let item = unsafe { slice::from_raw_parts(item, wide_length(item)) };
            PyStatus::from_result(list.insert(index, item))
        }
        _ => NULL_ARGUMENT,
    }
}
