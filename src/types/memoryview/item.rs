//! Single items of native formats: to objects, from objects, compared.

use crate::object::{PyObject, PyResult, Raised, Ref, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;

/// The single character of a native format, with or without `@`, and its size.
pub(crate) fn native(format: &[u8]) -> Option<(u8, usize)> {
    let format = format.strip_prefix(b"@").unwrap_or(format);
    let [code] = *format else { return None };
    Some((code, size_of_code(code)?))
}

fn size_of_code(code: u8) -> Option<usize> {
    Some(match code {
        b'c' | b'b' | b'B' | b'?' => 1,
        b'h' | b'H' | b'e' => 2,
        b'i' | b'I' | b'f' => 4,
        b'l' | b'L' | b'q' | b'Q' | b'n' | b'N' | b'd' | b'P' => 8,
        _ => return None,
    })
}

/// Whether items of the format are bytes.
pub(crate) fn is_byte_format(code: u8) -> bool {
    matches!(code, b'b' | b'B' | b'c')
}

/// A NUL-terminated static string of a native format.
pub(crate) fn native_c_str(format: &[u8]) -> Option<&'static core::ffi::CStr> {
    macro_rules! table {
        ($($code:literal $plain:literal $at:literal,)*) => {
            match format {
                $([$code] => Some($plain), [b'@', $code] => Some($at),)*
                _ => None,
            }
        };
    }
    table! {
        b'c' c"c" c"@c", b'b' c"b" c"@b", b'B' c"B" c"@B", b'h' c"h" c"@h", b'H' c"H" c"@H",
        b'i' c"i" c"@i", b'I' c"I" c"@I", b'l' c"l" c"@l", b'L' c"L" c"@L", b'q' c"q" c"@q",
        b'Q' c"Q" c"@Q", b'n' c"n" c"@n", b'N' c"N" c"@N", b'e' c"e" c"@e", b'f' c"f" c"@f",
        b'd' c"d" c"@d", b'?' c"?" c"@?", b'P' c"P" c"@P",
    }
}

/// An item's value.
enum Value {
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Bool(bool),
    Byte(u8),
}

/// # Safety
/// `at` is the place of an item of that format.
#[inline]
unsafe fn read(code: u8, at: *const u8) -> Option<Value> {
    macro_rules! load {
        ($int:ty) => {
            // SAFETY: the caller's promise; the place may have any alignment.
            unsafe { at.cast::<$int>().read_unaligned() }
        };
    }
    Some(match code {
        b'B' => Value::Unsigned(load!(u8).into()),
        b'b' => Value::Signed(load!(i8).into()),
        b'h' => Value::Signed(load!(i16).into()),
        b'H' => Value::Unsigned(load!(u16).into()),
        b'i' => Value::Signed(load!(i32).into()),
        b'I' => Value::Unsigned(load!(u32).into()),
        b'l' | b'q' | b'n' => Value::Signed(load!(i64)),
        b'L' | b'Q' | b'N' | b'P' => Value::Unsigned(load!(u64)),
        b'f' => Value::Float(load!(f32).into()),
        b'd' => Value::Float(load!(f64)),
        b'e' => Value::Float(crate::modules::_struct::half::to_f64(load!(u16))),
        b'?' => Value::Bool(load!(u8) != 0),
        b'c' => Value::Byte(load!(u8)),
        _ => return None,
    })
}

/// An item as an object.
///
/// # Safety
/// `at` is the place of an item of that format.
#[inline]
pub(crate) unsafe fn unpack(ts: &ThreadState, code: u8, at: *const u8) -> PyResult {
    // SAFETY: the caller's promise.
    match unsafe { read(code, at) } {
        Some(Value::Signed(value)) => PyInt::from_i64(ts, value),
        Some(Value::Unsigned(value)) => PyInt::from_u64(ts, value),
        Some(Value::Float(value)) => PyFloat::new(ts, value),
        Some(Value::Bool(value)) => Ok(py_bool(value)),
        Some(Value::Byte(value)) => Ok(PyBytes::single(value).into_object()),
        None => raise!(ts, exc::NotImplementedError, "memoryview: format {} not supported", char::from(code)),
    }
}

/// Whether two items of the same format are equal.
///
/// # Safety
/// Both are places of items of that format.
#[inline]
pub(crate) unsafe fn equal(code: u8, a: *const u8, b: *const u8) -> bool {
    // SAFETY: the caller's promise.
    match unsafe { (read(code, a), read(code, b)) } {
        (Some(Value::Float(a)), Some(Value::Float(b))) => a == b,
        (Some(Value::Bool(a)), Some(Value::Bool(b))) => a == b,
        (Some(Value::Signed(a)), Some(Value::Signed(b))) => a == b,
        (Some(Value::Unsigned(a)), Some(Value::Unsigned(b))) => a == b,
        (Some(Value::Byte(a)), Some(Value::Byte(b))) => a == b,
        _ => false,
    }
}

#[cold]
fn wrong_value<T>(ts: &ThreadState, code: u8) -> PyResult<T> {
    raise!(ts, exc::ValueError, "memoryview: invalid value for format '{}'", char::from(code))
}

#[cold]
fn wrong_type<T>(ts: &ThreadState, code: u8) -> PyResult<T> {
    raise!(ts, exc::TypeError, "memoryview: invalid type for format '{}'", char::from(code))
}

/// Turns the failure of a conversion into one that names the format.
#[cold]
fn refused<T>(ts: &ThreadState, raised: Raised, code: u8) -> PyResult<T> {
    if ts.raised_matches(&exc::TypeError) {
        ts.clear_raised(raised);
        return wrong_type(ts, code);
    }
    if ts.raised_matches(&exc::OverflowError) || ts.raised_matches(&exc::ValueError) {
        ts.clear_raised(raised);
        return wrong_value(ts, code);
    }
    Err(raised)
}

/// The bytes of an item, and how many of them count.
pub(crate) struct Packed {
    bytes: [u8; 8],
    len: usize,
}

impl Packed {
    fn new(bytes: &[u8]) -> Packed {
        let mut packed = Packed { bytes: [0; 8], len: bytes.len() };
        packed.bytes[..bytes.len()].copy_from_slice(bytes);
        packed
    }

    /// The bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

fn integer(ts: &ThreadState, code: u8, value: &PyObject) -> PyResult<Ref<PyInt>> {
    match protocol::index(ts, value) {
        Ok(int) => Ok(int),
        Err(raised) => refused(ts, raised, code),
    }
}

/// The bytes that an object has in a format. Runs the object's conversion methods.
pub(crate) fn pack(ts: &ThreadState, code: u8, value: &PyObject) -> PyResult<Packed> {
    macro_rules! fit {
        ($int:ty) => {{
            let int = integer(ts, code, value)?;
            let fitting = int
                .as_i64()
                .and_then(|value| <$int>::try_from(value).ok())
                .or_else(|| int.as_u64().and_then(|value| <$int>::try_from(value).ok()));
            match fitting {
                Some(value) => Ok(Packed::new(&value.to_ne_bytes())),
                None => wrong_value(ts, code),
            }
        }};
    }
    let float = || match protocol::as_f64(ts, value) {
        Ok(float) => Ok(float),
        Err(raised) => refused(ts, raised, code),
    };
    match code {
        b'B' => fit!(u8),
        b'b' => fit!(i8),
        b'h' => fit!(i16),
        b'H' => fit!(u16),
        b'i' => fit!(i32),
        b'I' => fit!(u32),
        b'l' | b'q' | b'n' => fit!(i64),
        b'L' | b'Q' | b'N' => fit!(u64),
        b'P' => {
            let Some(int) = value.downcast::<PyInt>() else { return wrong_type(ts, code) };
            match int.as_i64().map(|address| address as u64).or_else(|| int.as_u64()) {
                Some(address) => Ok(Packed::new(&address.to_ne_bytes())),
                None => wrong_value(ts, code),
            }
        }
        b'd' => Ok(Packed::new(&float()?.to_ne_bytes())),
        // As C converts: what is too large becomes infinite.
        b'f' => Ok(Packed::new(&(float()? as f32).to_ne_bytes())),
        b'e' => match crate::modules::_struct::half::from_f64(float()?) {
            Some(half) => Ok(Packed::new(&half.to_ne_bytes())),
            None => wrong_value(ts, code),
        },
        b'?' => Ok(Packed::new(&[u8::from(protocol::is_true(ts, value)?)])),
        b'c' => match value.downcast::<PyBytes>().map(PyBytes::as_slice) {
            Some([byte]) => Ok(Packed::new(&[*byte])),
            Some(_) => wrong_value(ts, code),
            None => wrong_type(ts, code),
        },
        _ => raise!(ts, exc::NotImplementedError, "memoryview: format {} not supported", char::from(code)),
    }
}
