//! Text from C formats: `PyUnicode_FromFormat`, `PyErr_Format`, warnings, and writing to `sys.stdout`.

use core::ffi::{CStr, c_char, c_int};
use core::fmt::Write;

use super::convert::{Void, borrowed_bytes, exception_class, guard, null_argument};
use super::variadic_args::{RawVa, Va};
use crate::config::WChar;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Raised, Ref, attr, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions::{self as exc, PyBaseException};
use crate::types::none::none;
use crate::types::str::{PyStr, StrBuilder, codec};

/// Digits of one number, with a sign and a prefix at most.
struct Digits {
    bytes: [u8; 32],
    len: usize,
}

impl Write for Digits {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(core::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

/// One conversion of a format.
#[derive(Default)]
struct Spec {
    left: bool,
    zero: bool,
    alternate: bool,
    width: Option<usize>,
    precision: Option<usize>,
    /// `l` is 1, `ll` 2, `j`, `z` and `t` are 3.
    long: u8,
}

impl Spec {
    /// Adds a text with the width and, in characters, the precision.
    fn push(&self, out: &mut StrBuilder, text: &PyStr) -> PyResult<()> {
        let len = self.precision.map_or(text.len(), |p| p.min(text.len()));
        let pad = self.width.map_or(0, |w| w.saturating_sub(len));
        if !self.left {
            out.push_fill(b' '.into(), pad)?;
        }
        out.push_slice(text, 0, len)?;
        if self.left {
            out.push_fill(b' '.into(), pad)?;
        }
        Ok(())
    }

    /// Adds a number's digits.
    fn push_digits(&self, out: &mut StrBuilder, digits: &[u8]) -> PyResult<()> {
        let (sign, digits) = match digits {
            [b'-', rest @ ..] => (&b"-"[..], rest),
            digits => (&b""[..], digits),
        };
        let zeros = self.precision.map_or(0, |p| p.saturating_sub(digits.len()));
        let pad = self.width.map_or(0, |w| w.saturating_sub(sign.len() + zeros + digits.len()));
        let fill_zero = self.zero && !self.left && self.precision.is_none();
        if !self.left && !fill_zero {
            out.push_fill(b' '.into(), pad)?;
        }
        out.push_ascii(sign)?;
        out.push_fill(b'0'.into(), zeros + if fill_zero { pad } else { 0 })?;
        out.push_ascii(digits)?;
        if self.left {
            out.push_fill(b' '.into(), pad)?;
        }
        Ok(())
    }
}

/// The text of a format and its arguments. SystemError for a format that is none.
pub(super) fn format(ts: &ThreadState, format: &CStr, va: &mut Va) -> PyResult<Ref<PyStr>> {
    let mut out = StrBuilder::new();
    let mut rest = format.to_bytes();
    loop {
        let literal = rest.iter().position(|b| *b == b'%').unwrap_or(rest.len());
        if !rest[..literal].is_ascii() {
            return raise!(
                ts,
                exc::ValueError,
                "PyUnicode_FromFormatV() expects an ASCII-encoded format string, got a non-ASCII byte: 0x{:02x}",
                rest[..literal].iter().find(|b| !b.is_ascii()).unwrap_or(&0)
            );
        }
        out.push_ascii(&rest[..literal])?;
        if literal == rest.len() {
            return out.finish(ts);
        }
        let conversion = &rest[literal..];
        rest = &conversion[1..];
        if !one(ts, &mut out, &mut rest, va)? {
            return raise!(
                ts,
                exc::SystemError,
                "invalid format string: {}",
                core::str::from_utf8(conversion).unwrap_or("%")
            );
        }
    }
}

fn number(rest: &mut &[u8], va: &mut Va) -> Option<i64> {
    if let [b'*', after @ ..] = *rest {
        *rest = after;
        return Some(va.int().into());
    }
    let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let value = rest[..count].iter().fold(0i64, |n, b| n.saturating_mul(10).saturating_add(i64::from(b - b'0')));
    *rest = &rest[count..];
    Some(value.min(i32::MAX.into()))
}

/// One conversion; false for one that does not exist.
fn one(ts: &ThreadState, out: &mut StrBuilder, rest: &mut &[u8], va: &mut Va) -> PyResult<bool> {
    let mut spec = Spec::default();
    loop {
        match rest.first() {
            Some(b'-') => spec.left = true,
            Some(b'0') => spec.zero = true,
            Some(b'#') => spec.alternate = true,
            _ => break,
        }
        *rest = &rest[1..];
    }
    if let Some(width) = number(rest, va) {
        spec.left |= width < 0;
        spec.width = Some(width.unsigned_abs() as usize);
    }
    if let [b'.', after @ ..] = *rest {
        *rest = after;
        spec.precision = usize::try_from(number(rest, va).unwrap_or(0)).ok();
    }
    while let Some(modifier @ (b'l' | b'j' | b'z' | b't')) = rest.first() {
        spec.long = if *modifier == b'l' { spec.long + 1 } else { 3 };
        *rest = &rest[1..];
    }
    let Some(conversion) = rest.first().copied() else { return Ok(false) };
    *rest = &rest[1..];
    let mut digits = Digits { bytes: [0; 32], len: 0 };
    // What is written has room: 22 octal digits, or a pointer.
    let _written = match conversion {
        b'%' => {
            out.push_ascii(b"%")?;
            return Ok(true);
        }
        b'c' => {
            let ch = va.int();
            let Some(ch) = u32::try_from(ch).ok().filter(|ch| *ch <= 0x10_FFFF) else {
                return raise!(ts, exc::OverflowError, "character argument not in range(0x110000)");
            };
            spec.push(out, &*PyStr::from_char(ts, ch)?)?;
            return Ok(true);
        }
        b'd' | b'i' => {
            let value = if spec.long > 0 { va.long() } else { va.int().into() };
            write!(digits, "{value}")
        }
        b'u' | b'x' | b'X' | b'o' => {
            let value = if spec.long > 0 { va.long() as u64 } else { va.uint().into() };
            match conversion {
                b'u' => write!(digits, "{value}"),
                b'x' => write!(digits, "{value:x}"),
                b'X' => write!(digits, "{value:X}"),
                _ => write!(digits, "{value:o}"),
            }
        }
        b'p' => {
            write!(digits, "{:#x}", va.pointer::<u8>().addr())
        }
        b's' => {
            let text = if spec.long > 0 { wide(ts, va, &mut spec)? } else { narrow(ts, va, &mut spec)? };
            spec.push(out, &text)?;
            return Ok(true);
        }
        b'A' | b'U' | b'S' | b'R' | b'T' | b'N' => {
            let object = va.pointer::<PyObject>();
            // SAFETY: the format says that it is an object.
            let Some(object) = (unsafe { object.as_ref() }) else { return null_argument(ts) };
            let text = of_object(ts, conversion, object, spec.alternate)?;
            spec.push(out, &text)?;
            return Ok(true);
        }
        b'V' => {
            let (object, text) = (va.pointer::<PyObject>(), va.pointer::<c_char>());
            // SAFETY: the format says that it is a str or null, and a C string or null.
            let text = unsafe {
                match object.as_ref() {
                    Some(object) => protocol::str(ts, object)?,
                    None if text.is_null() => return null_argument(ts),
                    None => decode(ts, limited(text, &mut spec))?,
                }
            };
            spec.push(out, &text)?;
            return Ok(true);
        }
        _ => return Ok(false),
    };
    spec.push_digits(out, &digits.bytes[..digits.len])?;
    Ok(true)
}

fn of_object(ts: &ThreadState, conversion: u8, object: &PyObject, alternate: bool) -> PyResult<Ref<PyStr>> {
    let separator = if alternate { ':' } else { '.' };
    match conversion {
        b'A' => protocol::ascii(ts, object),
        b'R' => protocol::repr(ts, object),
        b'T' => super::object::full_name(ts, object.ob_type(), separator),
        b'N' => match object.downcast::<crate::object::PyTypeObject>() {
            Some(typ) => super::object::full_name(ts, typ, separator),
            None => raise!(ts, exc::TypeError, "%N argument must be a type"),
        },
        b'U' => match object.downcast::<PyStr>() {
            Some(text) => Ok(Ref::from_borrowed(text)),
            None => protocol::str(ts, object),
        },
        _ => protocol::str(ts, object),
    }
}

/// A C string's bytes, up to the precision, which counts bytes and is done with here.
unsafe fn limited<'a>(text: *const c_char, spec: &mut Spec) -> &'a [u8] {
    // SAFETY: a C string, or as many bytes as the precision says, whichever ends first.
    unsafe {
        let len = match spec.precision.take() {
            Some(most) => libc::strnlen(text, most),
            None => libc::strlen(text),
        };
        borrowed_bytes(text.cast(), len)
    }
}

fn decode(ts: &ThreadState, bytes: &[u8]) -> PyResult<Ref<PyStr>> {
    codec::decode_utf8(ts, bytes, "replace")
}

fn narrow(ts: &ThreadState, va: &mut Va, spec: &mut Spec) -> PyResult<Ref<PyStr>> {
    let text = va.pointer::<c_char>();
    if text.is_null() {
        return null_argument(ts);
    }
    // SAFETY: the format says that it is a C string.
    decode(ts, unsafe { limited(text, spec) })
}

fn wide(ts: &ThreadState, va: &mut Va, spec: &mut Spec) -> PyResult<Ref<PyStr>> {
    let text = va.pointer::<WChar>();
    if text.is_null() {
        return null_argument(ts);
    }
    let most = spec.precision.take().unwrap_or(usize::MAX);
    let mut len = 0;
    // SAFETY: the format says that it is a wide string, or as many characters as the precision says.
    unsafe {
        while len < most && *text.add(len) != 0 {
            len += 1;
        }
        PyStr::from_ucs4(ts, core::slice::from_raw_parts(text, len))
    }
}

/// The text of C's format and arguments.
///
/// # Safety
/// `text` is a C string, and the arguments are as it says.
unsafe fn format_c(ts: &ThreadState, text: *const c_char, va: *mut RawVa) -> PyResult<Ref<PyStr>> {
    if text.is_null() {
        return null_argument(ts);
    }
    // SAFETY: the caller's promise.
    unsafe { format(ts, CStr::from_ptr(text), &mut Va::new(va)) }
}

/// `PyUnicode_FromFormat`.
///
/// # Safety
///
/// A thread state is attached; the arguments are as the format says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_FormatText(text: *const c_char, va: *mut RawVa) -> *mut PyObject {
    // SAFETY: as promised.
    guard::<Ref<PyStr>>("PyUnicode_FromFormat", |ts| unsafe { format_c(ts, text, va) })
}

/// `PyErr_Format`.
///
/// # Safety
///
/// A thread state is attached; `class` is an exception class, the arguments are as the format says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_ErrFormat(class: *mut PyObject, text: *const c_char, va: *mut RawVa) -> *mut PyObject {
    guard::<Option<PyRef>>("PyErr_Format", |ts| {
        // What was raised before is replaced; formatting does not see it.
        ts.current_exception.set(None);
        // SAFETY: as promised.
        let text = unsafe { format_c(ts, text, va)? };
        // SAFETY: as promised.
        let Some(class) = (unsafe { class.as_ref() }) else { return null_argument(ts) };
        Err(ts.raise_with(exception_class(ts, class)?, text.as_object()))
    })
}

/// `_PyErr_FormatFromCause`: the raised exception becomes cause and context of the new one.
///
/// # Safety
///
/// As for [`_Hog_ErrFormat`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_ErrFormatFromCause(
    class: *mut PyObject,
    text: *const c_char,
    va: *mut RawVa,
) -> *mut PyObject {
    let ts = ThreadState::current();
    let cause = ts.current_exception.take();
    // SAFETY: as promised.
    let result = unsafe { _Hog_ErrFormat(class, text, va) };
    if let Some(error) = ts.current_exception.get()
        && let Some(base) = error.downcast::<PyBaseException>()
    {
        base.cause.set(cause.clone());
        base.context.set(cause);
        base.suppress_context.set(true);
    }
    result
}

/// `PyErr_FormatUnraisable`.
///
/// # Safety
///
/// A thread state is attached; the arguments are as the format says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_FormatUnraisable(text: *const c_char, va: *mut RawVa) {
    guard::<Void>("PyErr_FormatUnraisable", |ts| {
        let Some(error) = ts.current_exception.take() else { return Ok(Void) };
        let message = if text.is_null() {
            None
        } else {
            // SAFETY: as promised.
            match unsafe { format_c(ts, text, va) } {
                Ok(message) => Some(message),
                Err(raised) => {
                    ts.clear_raised(raised);
                    None
                }
            }
        };
        let _raised = ts.restore_raised(error);
        exc::write_unraisable_message(ts, Raised::already_set(), message.as_deref());
        Ok(Void)
    });
}

/// `PyErr_WarnFormat` and `PyErr_ResourceWarning`.
///
/// # Safety
///
/// A thread state is attached; `category` is a class or null, `source` an object or null, the arguments are as the format says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_WarnFormat(
    category: *mut PyObject,
    level: isize,
    source: *mut PyObject,
    text: *const c_char,
    va: *mut RawVa,
) -> c_int {
    guard::<()>("PyErr_WarnFormat", |ts| {
        // SAFETY: as promised.
        let (text, category, source) = unsafe { (format_c(ts, text, va)?, category.as_ref(), source.as_ref()) };
        let category = category.unwrap_or(exc::RuntimeWarning.as_object());
        crate::modules::_warnings::warn_object(ts, category, text.as_object(), level, source, &[])
    })
}

/// `PySys_Audit`.
///
/// # Safety
///
/// A thread state is attached; the arguments are as the format says, which is `Py_BuildValue`'s.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_Audit(event: *const c_char, text: *const c_char, va: *mut RawVa) -> c_int {
    if ThreadState::try_current().is_none() {
        return 0;
    }
    guard::<()>("PySys_Audit", |ts| {
        // SAFETY: as promised.
        let args = unsafe { super::build_value::build(ts, text, va, true)? };
        // SAFETY: as promised.
        super::sysmodule::audit(ts, unsafe { CStr::from_ptr(event) }, Some(&args))
    })
}

/// Writes to `sys.stdout` or `sys.stderr`, and to the C stream when that is not possible.
fn write(ts: &ThreadState, is_error: bool, text: &PyStr) {
    let pending = ts.current_exception.take();
    let stream = if is_error { "stderr" } else { "stdout" };
    let written = (|| -> PyResult<()> {
        let Some(sys) = ts.interp().sys_dict.get() else { return raise!(ts, exc::RuntimeError, "lost sys") };
        match sys.get_str(ts, &*PyStr::intern(ts, stream)?)? {
            Some(file) if !file.is(none()) => protocol::call_named(ts, &file, "write", &[text.as_object()]).map(drop),
            _ => raise!(ts, exc::RuntimeError, "lost sys.{stream}"),
        }
    })();
    if let Err(raised) = written {
        ts.clear_raised(raised);
        if let Ok(bytes) = codec::encode_utf8(ts, text, "backslashreplace") {
            let fd = if is_error { 2 } else { 1 };
            // SAFETY: the bytes are readable. What cannot be written has no one to tell.
            unsafe { libc::write(fd, bytes.as_slice().as_ptr().cast(), bytes.len()) };
        }
        ts.current_exception.set(None);
    }
    ts.current_exception.set(pending);
}

/// `PySys_WriteStdout` and `PySys_WriteStderr`.
///
/// # Safety
///
/// A thread state is attached; `text` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_WriteStream(is_error: c_int, text: *const c_char, len: isize, truncated: c_int) {
    guard::<Void>("PySys_WriteStdout", |ts| {
        // SAFETY: as promised.
        let text = decode(ts, unsafe { borrowed_bytes(text.cast(), len.max(0) as usize) })?;
        write(ts, is_error != 0, &text);
        if truncated != 0 {
            write(ts, is_error != 0, &*PyStr::new(ts, "... truncated")?);
        }
        Ok(Void)
    });
}

/// `PySys_FormatStdout` and `PySys_FormatStderr`.
///
/// # Safety
///
/// A thread state is attached; the arguments are as the format says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_FormatStream(is_error: c_int, text: *const c_char, va: *mut RawVa) {
    guard::<Void>("PySys_FormatStdout", |ts| {
        // SAFETY: as promised.
        match unsafe { format_c(ts, text, va) } {
            Ok(text) => write(ts, is_error != 0, &text),
            Err(raised) => ts.clear_raised(raised),
        }
        Ok(Void)
    });
}

/// MemoryError and null, for the C side.
///
/// # Safety
///
/// A thread state is attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_NoMemory() -> *mut PyObject {
    let _raised = ThreadState::current().raise_no_memory();
    core::ptr::null_mut()
}

crate::capi! {
    /// Warns with a text at a place in the calling code.
    fn PyErr_WarnEx(ts, category: Option<&PyObject>, message: &CStr, level: isize) -> () {
        let message = decode(ts, message.to_bytes())?;
        let category = category.unwrap_or(exc::RuntimeWarning.as_object());
        crate::modules::_warnings::warn_object(ts, category, message.as_object(), level, None, &[])
    }

    /// Warns with a text about a place in a file.
    fn PyErr_WarnExplicitObject(
        ts, category: Option<&PyObject>, message: &PyObject, filename: &PyStr, line: c_int,
        module: Option<&PyObject>, registry: Option<&PyObject>,
    ) -> () {
        let category = category.unwrap_or(exc::RuntimeWarning.as_object());
        let registry = registry.filter(|r| !r.is(none()));
        crate::modules::_warnings::warn_explicit_object(ts, category, message, filename, line.into(), module, registry, None)
    }

    /// The same with C strings.
    fn PyErr_WarnExplicit(
        ts, category: Option<&PyObject>, message: &CStr, filename: &CStr, line: c_int,
        module: Option<&CStr>, registry: Option<&PyObject>,
    ) -> () {
        let category = category.unwrap_or(exc::RuntimeWarning.as_object());
        let message = decode(ts, message.to_bytes())?;
        let filename = codec::decode_utf8(ts, filename.to_bytes(), "surrogateescape")?;
        let module = module.map(|m| decode(ts, m.to_bytes())).transpose()?;
        let module = module.as_deref().map(AsObject::as_object);
        let registry = registry.filter(|r| !r.is(none()));
        crate::modules::_warnings::warn_explicit_object(
            ts, category, message.as_object(), &filename, line.into(), module, registry, None,
        )
    }
}

/// `object.write(text)` with a C string, for `PyFile_WriteString`.
///
/// # Safety
///
/// A thread state is attached; `text` is a C string, `file` an object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyFile_WriteString(text: *const c_char, file: *mut PyObject) -> c_int {
    guard::<()>("PyFile_WriteString", |ts| {
        // SAFETY: as promised.
        let Some(file) = (unsafe { file.as_ref() }) else { return null_argument(ts) };
        // SAFETY: as promised.
        let text = decode(ts, unsafe { CStr::from_ptr(text) }.to_bytes())?;
        protocol::call_named(ts, file, "write", &[text.as_object()]).map(drop)
    })
}

crate::capi! {
    /// Writes an object to a Python file, as `repr` or with `Py_PRINT_RAW` as `str`.
    fn PyFile_WriteObject(ts, object: &PyObject, file: &PyObject, flags: c_int) -> () {
        let text = if flags & 1 != 0 { protocol::str(ts, object)? } else { protocol::repr(ts, object)? };
        let writer = attr::get(ts, file, &*PyStr::intern(ts, "write")?)?;
        call::call_with(ts, &writer, &[text.as_object()]).map(drop)
    }
}
