//! Pickling: by a list of items, or by the memory and the number of its machine format.

use super::kind::{ALL, Kind};
use super::{ARRAY_TYPE, PyArray};
use crate::object::{AsObject, PyObject, PyResult, PyTypeObject, Ref, attr, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::str::PyStr;
use crate::types::str::codec::{ByteOrder, decode_utf16, decode_utf32};
use crate::types::tuple::PyTuple;

/// `__reduce__`.
pub(super) fn reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    reduced(ts, object, 2)
}

/// `__reduce_ex__`.
pub(super) fn reduce_ex(ts: &ThreadState, object: &PyObject, value: &PyObject) -> PyResult {
    if !value.is_a::<PyInt>() {
        return raise!(ts, exc::TypeError, "__reduce_ex__ argument should be an integer");
    }
    let protocol = protocol::as_isize(ts, value)?;
    reduced(ts, object, protocol)
}

fn reduced(ts: &ThreadState, object: &PyObject, protocol: isize) -> PyResult {
    let array = object.cast::<PyArray>();
    let state = match attr::get_opt(ts, object, crate::id!(__dict__))? {
        Some(dict) => dict,
        None => ts.none(),
    };
    let code = PyStr::latin1_char(array.kind().code()).new_ref();
    let typ = object.ob_type().new_ref();
    if protocol < 3 {
        let items = super::methods::tolist(ts, object)?;
        let arguments = PyTuple::from_array(ts, [code, items])?.into_object();
        return PyTuple::from_array(ts, [typ, arguments, state]).map(Ref::into_object);
    }
    let function = protocol::import_attr(ts, "array", "_array_reconstructor")?;
    let format = PyInt::from_i64(ts, array.kind().machine_format())?;
    let bytes = super::methods::tobytes(ts, object)?;
    let arguments = PyTuple::from_array(ts, [typ, code, format, bytes])?.into_object();
    PyTuple::from_array(ts, [function, arguments, state]).map(Ref::into_object)
}

/// `_array_reconstructor`.
pub(super) fn reconstruct(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "_array_reconstructor", args.len(), 4, 4)?;
    let Some(typ) = args[0].downcast::<PyTypeObject>() else {
        return raise!(ts, exc::TypeError, "first argument must be a type object, not {}", args[0].type_name());
    };
    if !typ.is_subtype(&ARRAY_TYPE) {
        return raise!(ts, exc::TypeError, "{} is not a subtype of {}", typ.full_name(), ARRAY_TYPE.full_name());
    }
    let code = match args[1].downcast::<PyStr>() {
        Some(text) if text.len() == 1 => text.char_at(0),
        _ => {
            return raise!(
                ts,
                exc::TypeError,
                "_array_reconstructor() argument 2 must be a unicode character, not {}",
                args[1].type_name()
            );
        }
    };
    let format = protocol::as_i32(ts, args[2])?;
    let Some(kind) = Kind::from_code(code) else {
        return raise!(ts, exc::ValueError, "second argument must be a valid type code");
    };
    if !(0..=21).contains(&format) {
        return raise!(ts, exc::ValueError, "third argument must be a valid machine format code.");
    }
    let Some(bytes) = args[3].downcast::<PyBytes>() else {
        return raise!(ts, exc::TypeError, "fourth argument should be bytes, not {}", args[3].type_name());
    };
    let array = PyArray::new(ts, typ, kind, 0)?;
    fill(ts, &array, format, bytes.as_slice())?;
    Ok(array.into_object())
}

fn fill(ts: &ThreadState, array: &PyArray, format: i32, bytes: &[u8]) -> PyResult<()> {
    let kind = array.kind();
    if i64::from(format) == kind.machine_format() && cfg!(target_endian = "little") {
        return array.push_bytes(ts, bytes);
    }
    let big = format % 2 == 1;
    let size = match format {
        0 | 1 => 1,
        2..=5 | 18 | 19 => 2,
        6..=9 | 14 | 15 | 20 | 21 => 4,
        _ => 8,
    };
    if !bytes.len().is_multiple_of(size) {
        return raise!(ts, exc::ValueError, "string length not a multiple of item size");
    }
    match format {
        14..=17 => {
            for item in bytes.chunks_exact(size) {
                let value = match word(item, big && format > 1) {
                    bits if size == 4 => f64::from(f32::from_bits(bits as u32)),
                    bits => f64::from_bits(bits),
                };
                let value = PyFloat::new(ts, value)?;
                array.push(ts, &value)?;
            }
        }
        18..=21 => {
            let order = if big { ByteOrder::Big } else { ByteOrder::Little };
            let (text, _, _) = if size == 2 {
                decode_utf16(ts, bytes, "strict", order, true)?
            } else {
                decode_utf32(ts, bytes, "strict", order, true)?
            };
            super::new::push_text(ts, array, &text)?;
        }
        _ => {
            // Numbers 1, 4, 5, 8, 9, 12 and 13 have a sign.
            let signed = format == 1 || matches!(format, 4 | 5 | 8 | 9 | 12 | 13);
            // An array of another size takes the machine's type of the pickle's size when it has the same meaning.
            let same = ALL.iter().copied().find(|other| {
                other.size() == size && other.is_signed() == signed && !other.is_text() && !other.is_float()
            });
            if let Some(same) = same
                && kind.size() != size
                && kind.is_signed() == signed
                && !kind.is_text()
                && !kind.is_float()
            {
                array.kind.set(same);
            }
            let unused = 64 - 8 * size as u32;
            for item in bytes.chunks_exact(size) {
                let bits = word(item, big && format > 1);
                let value = if signed {
                    PyInt::from_i64(ts, (bits << unused) as i64 >> unused)?
                } else {
                    PyInt::from_u64(ts, bits)?
                };
                array.push(ts, &value)?;
            }
        }
    }
    Ok(())
}

/// The bytes of an item as a number.
fn word(item: &[u8], big: bool) -> u64 {
    let shift = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if big { item.iter().fold(0, shift) } else { item.iter().rev().fold(0, shift) }
}
