//! Type codes: what an item is in memory, as an object and in a pickle.

use crate::object::{PyObject, PyResult, Ref, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::str::PyStr;

/// A type code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// `b`
    I8,
    /// `B`
    U8,
    /// `u`: a character of C's `wchar_t`.
    WChar,
    /// `w`: a character.
    Char,
    /// `h`
    I16,
    /// `H`
    U16,
    /// `i`
    I32,
    /// `I`
    U32,
    /// `l`
    Long,
    /// `L`
    ULong,
    /// `q`
    I64,
    /// `Q`
    U64,
    /// `f`
    F32,
    /// `d`
    F64,
}

/// All of them, in the order of `array.typecodes`.
pub const ALL: [Kind; 14] = [
    Kind::I8,
    Kind::U8,
    Kind::WChar,
    Kind::Char,
    Kind::I16,
    Kind::U16,
    Kind::I32,
    Kind::U32,
    Kind::Long,
    Kind::ULong,
    Kind::I64,
    Kind::U64,
    Kind::F32,
    Kind::F64,
];

/// The codes, in that order.
pub const CODES: &[u8; 14] = b"bBuwhHiIlLqQfd";

/// An item: its bytes are the first `size()` of the word, as they lie in memory.
pub type Word = [u8; 8];

impl Kind {
    /// The kind of a code.
    pub fn from_code(code: u32) -> Option<Kind> {
        CODES.iter().position(|known| u32::from(*known) == code).map(|index| ALL[index])
    }

    /// The code.
    pub fn code(self) -> u8 {
        CODES[self as usize]
    }

    /// The size of an item in bytes.
    #[inline]
    pub fn size(self) -> usize {
        match self {
            Kind::I8 | Kind::U8 => 1,
            Kind::I16 | Kind::U16 => 2,
            Kind::WChar | Kind::Char | Kind::I32 | Kind::U32 | Kind::F32 => 4,
            Kind::Long | Kind::ULong | Kind::I64 | Kind::U64 | Kind::F64 => 8,
        }
    }

    /// The buffer's format.
    pub fn format(self) -> &'static core::ffi::CStr {
        match self {
            Kind::I8 => c"b",
            Kind::U8 => c"B",
            Kind::WChar | Kind::Char => c"w",
            Kind::I16 => c"h",
            Kind::U16 => c"H",
            Kind::I32 => c"i",
            Kind::U32 => c"I",
            Kind::Long => c"l",
            Kind::ULong => c"L",
            Kind::I64 => c"q",
            Kind::U64 => c"Q",
            Kind::F32 => c"f",
            Kind::F64 => c"d",
        }
    }

    /// Whether the items are characters.
    pub fn is_text(self) -> bool {
        matches!(self, Kind::WChar | Kind::Char)
    }

    /// Whether the items are floats.
    pub fn is_float(self) -> bool {
        matches!(self, Kind::F32 | Kind::F64)
    }

    /// Whether the items are integers with a sign.
    pub fn is_signed(self) -> bool {
        matches!(self, Kind::I8 | Kind::I16 | Kind::I32 | Kind::Long | Kind::I64)
    }

    /// The number of the memory's format in pickles, for a little-endian machine.
    pub fn machine_format(self) -> i64 {
        match self {
            Kind::U8 => 0,
            Kind::I8 => 1,
            Kind::U16 => 2,
            Kind::I16 => 4,
            Kind::U32 => 6,
            Kind::I32 => 8,
            Kind::ULong | Kind::U64 => 10,
            Kind::Long | Kind::I64 => 12,
            Kind::F32 => 14,
            Kind::F64 => 16,
            Kind::WChar | Kind::Char => 20,
        }
    }

    /// An item as an object.
    ///
    /// # Safety
    /// `at` is the place of an item.
    #[inline]
    pub unsafe fn load(self, ts: &ThreadState, at: *const u8) -> PyResult {
        macro_rules! read {
            ($number:ty) => {
                // SAFETY: the caller's promise.
                unsafe { at.cast::<$number>().read_unaligned() }
            };
        }
        match self {
            Kind::I8 => PyInt::from_i64(ts, read!(i8).into()),
            Kind::U8 => PyInt::from_i64(ts, read!(u8).into()),
            Kind::I16 => PyInt::from_i64(ts, read!(i16).into()),
            Kind::U16 => PyInt::from_i64(ts, read!(u16).into()),
            Kind::I32 => PyInt::from_i64(ts, read!(i32).into()),
            Kind::U32 => PyInt::from_i64(ts, read!(u32).into()),
            Kind::Long | Kind::I64 => PyInt::from_i64(ts, read!(i64)),
            Kind::ULong | Kind::U64 => PyInt::from_u64(ts, read!(u64)),
            Kind::F32 => PyFloat::new(ts, read!(f32).into()),
            Kind::F64 => PyFloat::new(ts, read!(f64)),
            Kind::WChar | Kind::Char => PyStr::from_ucs4(ts, &[read!(u32)]).map(Ref::into_object),
        }
    }

    /// The bytes that an object is as an item. Runs the object's conversion methods.
    pub fn convert(self, ts: &ThreadState, value: &PyObject) -> PyResult<Word> {
        let mut word = [0; 8];
        match self {
            Kind::F32 => word[..4].copy_from_slice(&(protocol::as_f64(ts, value)? as f32).to_ne_bytes()),
            Kind::F64 => word = protocol::as_f64(ts, value)?.to_ne_bytes(),
            Kind::WChar | Kind::Char => match value.downcast::<PyStr>() {
                Some(text) if text.len() == 1 => word[..4].copy_from_slice(&text.char_at(0).to_ne_bytes()),
                _ => return wrong_character(ts, self, value),
            },
            _ => {
                let int = protocol::index(ts, value)?;
                let number = match int.as_i64() {
                    Some(number) if self.fits(number) => number as u64,
                    _ => match int.as_u64() {
                        Some(number) if matches!(self, Kind::ULong | Kind::U64) => number,
                        _ => return out_of_range(ts, self, &int),
                    },
                };
                word = number.to_le_bytes();
                if cfg!(target_endian = "big") {
                    let size = self.size();
                    word[..size].reverse();
                }
            }
        }
        Ok(word)
    }

    fn fits(self, number: i64) -> bool {
        match self {
            Kind::I8 => i8::try_from(number).is_ok(),
            Kind::U8 => u8::try_from(number).is_ok(),
            Kind::I16 => i16::try_from(number).is_ok(),
            Kind::U16 => u16::try_from(number).is_ok(),
            Kind::I32 => i32::try_from(number).is_ok(),
            Kind::U32 => u32::try_from(number).is_ok(),
            Kind::Long | Kind::I64 => true,
            _ => number >= 0,
        }
    }
}

#[cold]
fn wrong_character<T>(ts: &ThreadState, kind: Kind, value: &PyObject) -> PyResult<T> {
    match value.downcast::<PyStr>() {
        None => raise!(ts, exc::TypeError, "array item must be a unicode character, not {}", value.type_name()),
        Some(text) if kind == Kind::Char => {
            raise!(ts, exc::TypeError, "array item must be a string of length 1, not a string of length {}", text.len())
        }
        Some(text) => raise!(
            ts,
            exc::TypeError,
            "string {} cannot be converted to a single wchar_t character",
            &*protocol::repr(ts, crate::object::AsObject::as_object(text))?
        ),
    }
}

#[cold]
fn out_of_range<T>(ts: &ThreadState, kind: Kind, int: &PyInt) -> PyResult<T> {
    let value = int.as_i64();
    let side = |low: bool| if low { "less than minimum" } else { "greater than maximum" };
    let negative = int.sign() < 0;
    // The narrow kinds are read through the next wider one of C, whose limits are told first.
    let name = match (kind, value) {
        (Kind::I64, _) => return raise!(ts, exc::OverflowError, "int too big to convert"),
        (Kind::U64, _) if negative => return raise!(ts, exc::OverflowError, "can't convert negative int to unsigned"),
        (Kind::U64, _) => return raise!(ts, exc::OverflowError, "int too big to convert"),
        (Kind::U32 | Kind::ULong, _) if negative => {
            return raise!(ts, exc::OverflowError, "can't convert negative value to unsigned int");
        }
        (Kind::U32, _) if int.as_u64().is_some() => "unsigned int",
        (Kind::U32 | Kind::ULong, _) => {
            return raise!(ts, exc::OverflowError, "Python int too large to convert to C unsigned long");
        }
        (_, None) => return raise!(ts, exc::OverflowError, "Python int too large to convert to C long"),
        (Kind::I8, Some(-32768..=32767)) => "signed char",
        (Kind::U8, _) => "unsigned byte integer",
        (Kind::I8 | Kind::I16, _) => "signed short integer",
        (Kind::U16, Some(value)) if i32::try_from(value).is_ok() => "unsigned short",
        _ => "signed integer",
    };
    raise!(ts, exc::OverflowError, "{name} is {}", side(negative))
}
