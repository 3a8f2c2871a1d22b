//! The `is…` methods, and `decode`.

use super::algorithms::is_space;
use super::shared::{ByteString, of};
use crate::object::buffer::{self, Buffer};
use crate::object::{Args, PyObject, PyResult, Signature};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::none::is_none;
use crate::types::str::{PyStr, codec};

macro_rules! all_are {
    ($($name:ident = $test:expr;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), "`.")]
            pub(crate) fn $name<B: ByteString>(_ts: &ThreadState, this: &PyObject) -> PyResult {
                let data = of::<B>(this);
                Ok(py_bool(!data.is_empty() && data.iter().all($test)))
            }
        )*
    };
}

all_are! {
    isalnum = u8::is_ascii_alphanumeric;
    isalpha = u8::is_ascii_alphabetic;
    isdigit = u8::is_ascii_digit;
    isspace = |byte| is_space(*byte);
}

/// `isascii`.
pub(crate) fn isascii<B: ByteString>(_ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(py_bool(of::<B>(this).is_ascii()))
}

/// `islower`.
pub(crate) fn islower<B: ByteString>(_ts: &ThreadState, this: &PyObject) -> PyResult {
    let data = of::<B>(this);
    Ok(py_bool(data.iter().any(u8::is_ascii_lowercase) && !data.iter().any(u8::is_ascii_uppercase)))
}

/// `isupper`.
pub(crate) fn isupper<B: ByteString>(_ts: &ThreadState, this: &PyObject) -> PyResult {
    let data = of::<B>(this);
    Ok(py_bool(data.iter().any(u8::is_ascii_uppercase) && !data.iter().any(u8::is_ascii_lowercase)))
}

/// `istitle`.
pub(crate) fn istitle<B: ByteString>(_ts: &ThreadState, this: &PyObject) -> PyResult {
    let (mut in_word, mut any) = (false, false);
    for byte in of::<B>(this).iter() {
        if byte.is_ascii_alphabetic() {
            if byte.is_ascii_uppercase() == in_word {
                return Ok(py_bool(false));
            }
            any = true;
            in_word = true;
        } else {
            in_word = false;
        }
    }
    Ok(py_bool(any))
}

/// An argument that names an encoding or an error handler.
fn name_argument<'a>(
    ts: &ThreadState,
    name: &str,
    value: Option<&'a PyObject>,
    default: &'static str,
) -> PyResult<&'a str> {
    let Some(value) = value else { return Ok(default) };
    let Some(text) = value.downcast::<PyStr>() else {
        let given = if is_none(value) { "None" } else { value.type_name() };
        return raise!(ts, exc::TypeError, "decode() argument '{name}' must be str, not {given}");
    };
    if text.contains_nul() {
        return raise!(ts, exc::ValueError, "embedded null character");
    }
    text.utf8(ts)
}

/// `decode`.
pub(crate) fn decode<B: ByteString>(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("decode", ["encoding", "errors"], 0, 2, 0);
    let [encoding, errors] = SIGNATURE.parse(ts, args)?;
    let encoding = name_argument(ts, "encoding", encoding, "utf-8")?;
    let errors = name_argument(ts, "errors", errors, "strict")?;
    let view = Buffer::get(ts, this, buffer::SIMPLE)?;
    codec::decode(ts, this, view.as_slice(), encoding, errors)
}
