//! Objects to bytes and back, by a format.

use super::STRUCT_ERROR;
use super::format::{Format, Run};
use super::half;
use crate::object::{PyObject, PyRef, PyResult, Raised, Ref, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytearray::PyByteArray;
use crate::types::bytes::{PyBytes, bytes_like};
use crate::types::complex::PyComplex;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::tuple::PyTuple;

/// Puts bytes in memory order: the values' is little-endian.
fn arrange(bytes: &mut [u8], big_endian: bool) {
    if big_endian {
        bytes.reverse();
    }
}

fn load<const N: usize>(bytes: &[u8], big_endian: bool) -> [u8; N] {
    let mut word = [0; N];
    word.copy_from_slice(bytes);
    arrange(&mut word, big_endian);
    word
}

fn unpack_item(ts: &ThreadState, code: u8, bytes: &[u8], big_endian: bool) -> PyResult {
    let mut word = [0; 8];
    if bytes.len() <= 8 {
        word[..bytes.len()].copy_from_slice(bytes);
        arrange(&mut word[..bytes.len()], big_endian);
    }
    let unsigned = u64::from_le_bytes(word);
    match code {
        b'b' | b'h' | b'i' | b'l' | b'q' | b'n' => {
            let unused = 64 - 8 * bytes.len() as u32;
            PyInt::from_i64(ts, (unsigned << unused) as i64 >> unused)
        }
        b'B' | b'H' | b'I' | b'L' | b'Q' | b'N' | b'P' => PyInt::from_u64(ts, unsigned),
        b'?' => Ok(py_bool(bytes != [0])),
        b'c' => PyBytes::new(ts, bytes).map(Ref::into_object),
        b'e' => PyFloat::new(ts, half::to_f64(unsigned as u16)),
        b'f' => PyFloat::new(ts, f64::from(f32::from_bits(unsigned as u32))),
        b'd' => PyFloat::new(ts, f64::from_bits(unsigned)),
        b'F' => {
            let part = |bytes| f64::from(f32::from_le_bytes(load(bytes, big_endian)));
            PyComplex::new(ts, part(&bytes[..4]), part(&bytes[4..]))
        }
        b'D' => {
            let part = |bytes| f64::from_le_bytes(load(bytes, big_endian));
            PyComplex::new(ts, part(&bytes[..8]), part(&bytes[8..]))
        }
        b's' => PyBytes::new(ts, bytes).map(Ref::into_object),
        // A Pascal string: its length is in the first byte.
        _ => {
            let data = bytes.split_first().map_or(&[][..], |(len, data)| &data[..data.len().min(usize::from(*len))]);
            PyBytes::new(ts, data).map(Ref::into_object)
        }
    }
}

#[cold]
fn wrong<T>(ts: &ThreadState, message: &str) -> PyResult<T> {
    raise!(ts, STRUCT_ERROR, "{message}")
}

fn integer(ts: &ThreadState, value: &PyObject) -> PyResult<Ref<PyInt>> {
    if let Some(int) = value.downcast::<PyInt>() {
        return Ok(Ref::from_borrowed(int));
    }
    if !protocol::is_index(value) {
        return wrong(ts, "required argument is not an integer");
    }
    protocol::index(ts, value)
}

fn float(ts: &ThreadState, value: &PyObject) -> PyResult<f64> {
    protocol::as_f64(ts, value).map_err(|raised| -> Raised {
        ts.clear_raised(raised);
        ts.raise_fmt(&STRUCT_ERROR, format_args!("required argument is not a float"))
    })
}

#[cold]
fn out_of_range<T>(ts: &ThreadState, code: u8, size: usize) -> PyResult<T> {
    let code_char = char::from(code);
    let bits = 8 * size as u32;
    if code.is_ascii_uppercase() {
        let max = u64::MAX >> (64 - bits);
        return raise!(ts, STRUCT_ERROR, "'{code_char}' format requires 0 <= number <= {max}");
    }
    let max = i64::MAX >> (64 - bits);
    raise!(ts, STRUCT_ERROR, "'{code_char}' format requires {} <= number <= {max}", -max - 1)
}

fn pack_single(ts: &ThreadState, value: f64, native: bool) -> PyResult<[u8; 4]> {
    let narrow = value as f32;
    if !native && narrow.is_infinite() && value.is_finite() {
        return raise!(ts, exc::OverflowError, "float too large to pack with f format");
    }
    Ok(narrow.to_le_bytes())
}

/// Writes one value to its place, which is zeroed. Runs the value's conversion methods.
fn pack_item(ts: &ThreadState, code: u8, value: &PyObject, place: &mut [u8], format: &Format) -> PyResult<()> {
    let big_endian = format.big_endian;
    let size = place.len();
    match code {
        b'b' | b'h' | b'i' | b'l' | b'q' | b'n' => {
            let int = integer(ts, value)?;
            let unused = 64 - 8 * size as u32;
            match int.as_i64() {
                Some(number) if number << unused >> unused == number => {
                    place.copy_from_slice(&number.to_le_bytes()[..size]);
                }
                _ => return out_of_range(ts, code, size),
            }
            arrange(place, big_endian);
        }
        b'B' | b'H' | b'I' | b'L' | b'Q' | b'N' => {
            let int = integer(ts, value)?;
            match int.as_u64() {
                Some(number) if size == 8 || number >> (8 * size) == 0 => {
                    place.copy_from_slice(&number.to_le_bytes()[..size]);
                }
                _ => return out_of_range(ts, code, size),
            }
            arrange(place, big_endian);
        }
        b'P' => {
            let int = integer(ts, value)?;
            let number = int.as_i64().map(|number| number as u64).or_else(|| int.as_u64());
            match number {
                Some(number) => place.copy_from_slice(&number.to_le_bytes()),
                None => return wrong(ts, "int too large to convert"),
            }
            arrange(place, big_endian);
        }
        b'?' => place[0] = u8::from(protocol::is_true(ts, value)?),
        b'c' => match value.downcast::<PyBytes>().map(PyBytes::as_slice) {
            Some([byte]) => place[0] = *byte,
            _ => return wrong(ts, "char format requires a bytes object of length 1"),
        },
        b'e' => {
            let Some(bits) = half::from_f64(float(ts, value)?) else {
                return raise!(ts, exc::OverflowError, "float too large to pack with e format");
            };
            place.copy_from_slice(&bits.to_le_bytes());
            arrange(place, big_endian);
        }
        b'f' => {
            place.copy_from_slice(&pack_single(ts, float(ts, value)?, format.native)?);
            arrange(place, big_endian);
        }
        b'd' => {
            place.copy_from_slice(&float(ts, value)?.to_le_bytes());
            arrange(place, big_endian);
        }
        b'F' | b'D' => {
            let (real, imaginary) = match crate::types::complex::value_of(ts, value) {
                Ok(value) => value,
                Err(raised) => return complex_required(ts, raised),
            };
            let (first, second) = place.split_at_mut(size / 2);
            if code == b'F' {
                first.copy_from_slice(&pack_single(ts, real, format.native)?);
                second.copy_from_slice(&pack_single(ts, imaginary, format.native)?);
            } else {
                first.copy_from_slice(&real.to_le_bytes());
                second.copy_from_slice(&imaginary.to_le_bytes());
            }
            arrange(first, big_endian);
            arrange(second, big_endian);
        }
        _ => pack_string(ts, code, value, place)?,
    }
    Ok(())
}

#[cold]
fn complex_required<T>(ts: &ThreadState, raised: Raised) -> PyResult<T> {
    // Whatever the conversion has said, the answer is the same.
    ts.clear_raised(raised);
    wrong(ts, "required argument is not a complex")
}

fn pack_string(ts: &ThreadState, code: u8, value: &PyObject, place: &mut [u8]) -> PyResult<()> {
    if !value.is_a::<PyBytes>() && !value.is_a::<PyByteArray>() {
        return raise!(ts, STRUCT_ERROR, "argument for '{}' must be a bytes object", char::from(code));
    }
    let bytes = bytes_like(ts, value)?;
    if code == b's' {
        let len = bytes.len().min(place.len());
        place[..len].copy_from_slice(&bytes[..len]);
    } else if let Some((first, rest)) = place.split_first_mut() {
        let len = bytes.len().min(rest.len());
        rest[..len].copy_from_slice(&bytes[..len]);
        *first = len.min(255) as u8;
    }
    Ok(())
}

/// An int that does not fit is an error of the module, whatever its conversion has said.
#[cold]
fn name_int(ts: &ThreadState, raised: Raised, value: &PyObject) -> Raised {
    if !value.is_a::<PyInt>() || !ts.raised_matches(&exc::OverflowError) {
        return raised;
    }
    ts.clear_raised(raised);
    ts.raise_fmt(&STRUCT_ERROR, format_args!("int too large to convert"))
}

impl Format {
    /// The values in `bytes`, which are as many as the format says.
    pub(crate) fn unpack(&self, ts: &ThreadState, bytes: &[u8]) -> PyResult<Ref<PyTuple>> {
        let tuple = PyTuple::uninit(ts, self.values())?;
        let mut index = 0;
        for run in self.runs.iter() {
            for place in 0..run.count {
                let at = run.offset + place * run.size;
                let value = unpack_item(ts, run.code, &bytes[at..at + run.size], self.big_endian)?;
                // SAFETY: the new tuple has a place for each value, and each is written once.
                unsafe { tuple.set_item(index, value) };
                index += 1;
            }
        }
        Ok(tuple)
    }

    /// The one value in `bytes`, or a tuple when the format has several.
    pub(crate) fn unpack_one(&self, ts: &ThreadState, bytes: &[u8]) -> PyResult<PyRef> {
        if let [Run { code, offset, size, count: 1 }] = *self.runs {
            return unpack_item(ts, code, &bytes[offset..offset + size], self.big_endian);
        }
        self.unpack(ts, bytes).map(Ref::into_object)
    }

    /// Writes the values to `out`, zeroed and as long as the format says. There are as many as it wants.
    pub(crate) fn pack(&self, ts: &ThreadState, values: &[&PyObject], out: &mut [u8]) -> PyResult<()> {
        let mut values = values.iter();
        for run in self.runs.iter() {
            for place in 0..run.count {
                let Some(value) = values.next() else { return Ok(()) };
                let at = run.offset + place * run.size;
                if let Err(raised) = pack_item(ts, run.code, value, &mut out[at..at + run.size], self) {
                    return Err(name_int(ts, raised, value));
                }
            }
        }
        Ok(())
    }
}
