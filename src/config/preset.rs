//! What the functions of old set before initialization (`Py_SetPath`, `Py_SetStandardStreamEncoding`), and the texts
//! that they give in the other direction (`Py_GetPath`, `Py_FileSystemDefaultEncoding`).
//!
//! A configuration takes over what it does not say itself; finalization forgets everything, so that the next life
//! begins without it. The texts that C programs are given stay until then.

use core::ffi::{c_char, c_int};
use core::ptr;
use core::sync::atomic::{AtomicI32, AtomicPtr, Ordering};

use hognose_allocators::{NoMemory, raw_free, raw_malloc};

use super::layout::PyConfig;
use super::strings::{WChar, WideString};
use super::{PyStatus, StatusResult};
use crate::sync::{Guard, Locked, RawLock};

/// What was set.
struct Presets {
    /// `Py_SetPath`: the search path, joined with colons.
    path: WideString,
    /// `Py_SetStandardStreamEncoding`.
    stdio_encoding: WideString,
    stdio_errors: WideString,
    /// `Py_GetPath`'s text.
    joined_path: WideString,
}

static PRESETS: Locked<Presets> = Locked::new(Presets {
    path: WideString::null(),
    stdio_encoding: WideString::null(),
    stdio_errors: WideString::null(),
    joined_path: WideString::null(),
});

fn presets() -> Guard<'static, Presets> {
    PRESETS.lock()
}

/// The lock of the presets, for the time of a fork.
pub(crate) fn lock() -> &'static RawLock {
    &PRESETS.lock
}

/// The encoding of file names, for C programs of old: null but between initialization and finalization.
// SAFETY: the symbol belongs to CPython's C interface, which this library alone provides.
#[unsafe(export_name = "Py_FileSystemDefaultEncoding")]
pub static FILE_SYSTEM_ENCODING: AtomicPtr<c_char> = AtomicPtr::new(ptr::null_mut());
/// Its error handler; null as above.
// SAFETY: as above.
#[unsafe(export_name = "Py_FileSystemDefaultEncodeErrors")]
pub static FILE_SYSTEM_ERRORS: AtomicPtr<c_char> = AtomicPtr::new(ptr::null_mut());
/// Whether the program has set the encoding itself: it cannot, so 0.
// SAFETY: as above.
#[unsafe(export_name = "Py_HasFileSystemDefaultEncoding")]
pub static HAS_FILE_SYSTEM_ENCODING: AtomicI32 = AtomicI32::new(0);

/// Sets the search path of the next initialization (`Py_SetPath`); None takes it back.
pub fn set_path(path: Option<&[WChar]>) -> Result<(), NoMemory> {
    let path = match path {
        Some(path) => WideString::copy_of(path)?,
        None => WideString::null(),
    };
    presets().path = path;
    Ok(())
}

/// Sets encoding and error handler of the next initialization's standard streams
/// (`Py_SetStandardStreamEncoding`); None leaves one as it is.
pub fn set_stdio(encoding: Option<WideString>, errors: Option<WideString>) {
    let mut presets = presets();
    if let Some(encoding) = encoding {
        presets.stdio_encoding = encoding;
    }
    if let Some(errors) = errors {
        presets.stdio_errors = errors;
    }
}

/// Fills in what a configuration leaves open.
pub fn fill(config: &mut PyConfig) -> StatusResult {
    let presets = presets();
    if config.stdio_encoding.is_null() && !presets.stdio_encoding.is_null() {
        config.stdio_encoding = presets.stdio_encoding.try_clone()?;
    }
    if config.stdio_errors.is_null() && !presets.stdio_errors.is_null() {
        config.stdio_errors = presets.stdio_errors.try_clone()?;
    }
    if let Some(path) = presets.path.get()
        && config.module_search_paths_set == 0
    {
        for part in path.split(|unit| *unit == WChar::from(b':')) {
            config.module_search_paths.append(part)?;
        }
        config.module_search_paths_set = 1;
        for prefix in [&mut config.prefix, &mut config.exec_prefix] {
            if prefix.is_null() {
                *prefix = WideString::from_text("")?;
            }
        }
    }
    Ok(())
}

/// Tells C programs of the effective configuration: after initialization.
pub fn publish(config: &PyConfig) -> StatusResult {
    let mut joined = WideString::null();
    for (index, part) in config.module_search_paths.as_slice().iter().enumerate() {
        let colon = &[WChar::from(b':')][..usize::from(index != 0)];
        joined = WideString::concat(&[joined.as_slice(), colon, part.as_slice()])?;
    }
    if joined.is_null() {
        joined = WideString::from_text("")?;
    }
    presets().joined_path = joined;
    for (place, text) in
        [(&FILE_SYSTEM_ENCODING, &config.filesystem_encoding), (&FILE_SYSTEM_ERRORS, &config.filesystem_errors)]
    {
        let old = place.swap(narrow(text.as_slice())?, Ordering::AcqRel);
        // SAFETY: only `narrow`'s blocks are stored, and nobody else frees them.
        unsafe { raw_free(old.cast()) };
    }
    Ok(())
}

/// A copy of an ASCII text in a raw block.
fn narrow(text: &[WChar]) -> StatusResult<*mut c_char> {
    let block = raw_malloc(text.len() + 1).cast::<u8>();
    if block.is_null() {
        return Err(PyStatus::no_memory());
    }
    for (index, unit) in text.iter().enumerate() {
        // SAFETY: the block has room for the text and its end.
        unsafe { block.add(index).write(u8::try_from(*unit).unwrap_or(b'?')) };
    }
    // SAFETY: as above.
    unsafe { block.add(text.len()).write(0) };
    Ok(block.cast())
}

/// The search path that initialization has computed, joined with colons (`Py_GetPath`); null outside.
pub fn joined_path() -> *const WChar {
    presets().joined_path.as_ptr()
}

/// Tells C programs nothing any more: at the end of a life, and after an initialization that has failed.
pub fn withdraw() {
    presets().joined_path.clear();
    for place in [&FILE_SYSTEM_ENCODING, &FILE_SYSTEM_ERRORS] {
        // SAFETY: as in `publish`.
        unsafe { raw_free(place.swap(ptr::null_mut(), Ordering::AcqRel).cast()) };
    }
}

/// Forgets what was set, at the end of a life; a failed initialization may be tried again with it.
pub fn forget() {
    let mut guard = presets();
    let presets: &mut Presets = &mut guard;
    for text in [&mut presets.path, &mut presets.stdio_encoding, &mut presets.stdio_errors] {
        text.clear();
    }
}

/// A text of a C program in the locale's encoding.
///
/// # Safety
/// `text` is null or a C string.
pub unsafe fn decoded(text: *const c_char) -> Result<Option<WideString>, c_int> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: as promised.
    let bytes = unsafe { core::ffi::CStr::from_ptr(text) }.to_bytes();
    super::locale::decode(bytes).map(Some).map_err(|_| -2)
}
