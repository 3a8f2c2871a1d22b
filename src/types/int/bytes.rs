//! `int.from_bytes` and `int.to_bytes`.

use super::{Draft, PyInt, words};
use crate::object::PyResult;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;

impl PyInt {
    /// The int that the bytes hold, least significant first when `little`, in two's complement when `signed`.
    pub fn from_bytes(ts: &ThreadState, bytes: &[u8], little: bool, signed: bool) -> PyResult {
        let top = if little { bytes.last() } else { bytes.first() };
        let negative = signed && top.is_some_and(|byte| byte & 0x80 != 0);
        let fill = if negative { 0xff } else { 0 };
        let byte_at = |index: usize| match index {
            index if index >= bytes.len() => fill,
            index if little => bytes[index],
            index => bytes[bytes.len() - 1 - index],
        };
        let word_at = |index: usize| {
            let mut word = [0; 8];
            for (i, byte) in word.iter_mut().enumerate() {
                *byte = byte_at(index * 8 + i);
            }
            u64::from_le_bytes(word)
        };
        if bytes.len() <= 8 {
            let word = word_at(0);
            return if signed { PyInt::from_i64(ts, word as i64) } else { PyInt::from_u64(ts, word) };
        }
        let mut draft = Draft::new(ts, bytes.len().div_ceil(8))?;
        for (index, place) in draft.words().iter_mut().enumerate() {
            *place = word_at(index);
        }
        if negative {
            words::negate(draft.words());
        }
        draft.finish(ts, negative)
    }

    /// Fills `bytes` with the value, least significant first when `little`, in two's complement when `signed`.
    ///
    /// Raises OverflowError when it does not fit, or is negative and `signed` is not set.
    pub fn write_bytes(&self, ts: &ThreadState, bytes: &mut [u8], little: bool, signed: bool) -> PyResult<()> {
        let negative = self.sign() < 0;
        if negative && !signed {
            return raise!(ts, exc::OverflowError, "can't convert negative int to unsigned");
        }
        if !self.write_bytes_wrapping(bytes, little, signed) {
            return raise!(ts, exc::OverflowError, "int too big to convert");
        }
        Ok(())
    }

    /// Fills `bytes` with the low bytes of the value in two's complement; tells whether it fits, as a
    /// signed number or as an unsigned one.
    pub fn write_bytes_wrapping(&self, bytes: &mut [u8], little: bool, signed: bool) -> bool {
        let mut scratch = 0;
        let (negative, magnitude) = self.magnitude(&mut scratch);
        let length = bytes.len();
        let mut carry = true;
        for index in 0..length {
            let word = magnitude.get(index / 8).copied().unwrap_or(0);
            let mut byte = (word >> (index % 8 * 8)) as u8;
            if negative {
                (byte, carry) = (!byte).overflowing_add(u8::from(carry));
            }
            bytes[if little { index } else { length - 1 - index }] = byte;
        }
        let bits = words::bit_length(magnitude);
        let room = length as u64 * 8;
        if !signed {
            return !negative && bits <= room;
        }
        if !negative {
            return bits < room || bits == 0;
        }
        // The lowest number of so many bits has one bit in its magnitude, at the top; -1 is nothing but
        // sign bits, so that it needs no room at all.
        bits < room || bits == room && !words::any_low_bits(magnitude, bits - 1) || magnitude == [1]
    }
}
