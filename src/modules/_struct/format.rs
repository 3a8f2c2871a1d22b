//! Format strings: which items at which places.

use hognose_allocators::NoMemory;
use hognose_allocators::collections::TryVec;

use crate::object::{PyResult, Raised};
use crate::state::ThreadState;

/// Why a format is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadFormat {
    /// With the message.
    Message(&'static str),
    /// No memory for the result.
    NoMemory,
}

impl From<NoMemory> for BadFormat {
    fn from(_: NoMemory) -> BadFormat {
        BadFormat::NoMemory
    }
}

impl BadFormat {
    /// The exception: `struct.error`, where the module is there to give it.
    #[cold]
    pub(crate) fn raise(self, ts: &ThreadState) -> Raised {
        match self {
            BadFormat::Message(message) => ts.raise_fmt(&super::STRUCT_ERROR, format_args!("{message}")),
            BadFormat::NoMemory => ts.raise_no_memory(),
        }
    }
}

/// Consecutive items of one kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// The format character.
    pub(crate) code: u8,
    /// Where the first one begins.
    pub(crate) offset: usize,
    /// The size of each.
    pub(crate) size: usize,
    /// How many.
    pub(crate) count: usize,
}

/// A format that has been read.
pub(crate) struct Format {
    pub(crate) runs: TryVec<Run>,
    pub(crate) big_endian: bool,
    /// With C's sizes, alignment and conversions.
    pub(crate) native: bool,
    size: usize,
    values: usize,
}

/// Size and alignment of a format character.
fn layout(code: u8, native: bool) -> Option<(usize, usize)> {
    let (size, alignment) = match code {
        b'x' | b'b' | b'B' | b'c' | b's' | b'p' | b'?' => (1, 1),
        b'h' | b'H' | b'e' => (2, 2),
        b'i' | b'I' | b'f' => (4, 4),
        b'l' | b'L' if native => (8, 8),
        b'l' | b'L' => (4, 4),
        b'q' | b'Q' | b'd' => (8, 8),
        b'F' => (8, 4),
        b'D' => (16, 8),
        b'n' | b'N' | b'P' if native => (8, 8),
        _ => return None,
    };
    Some((size, if native { alignment } else { 1 }))
}

impl Format {
    /// Reads a format.
    pub(crate) fn read(text: &[u8]) -> Result<Format, BadFormat> {
        const TOO_LONG: BadFormat = BadFormat::Message("total struct size too long");
        let (native, big_endian, rest) = match text {
            [b'@', rest @ ..] => (true, cfg!(target_endian = "big"), rest),
            [b'=', rest @ ..] => (false, cfg!(target_endian = "big"), rest),
            [b'<', rest @ ..] => (false, false, rest),
            [b'>' | b'!', rest @ ..] => (false, true, rest),
            rest => (true, cfg!(target_endian = "big"), rest),
        };
        if rest.contains(&0) {
            return Err(BadFormat::Message("embedded null character"));
        }
        let mut format = Format { runs: TryVec::new(), big_endian, native, size: 0, values: 0 };
        let mut bytes = rest.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            if crate::types::bytes::algorithms::is_space(byte) {
                continue;
            }
            let mut code = byte;
            let mut count = 1usize;
            if byte.is_ascii_digit() {
                count = usize::from(byte - b'0');
                loop {
                    let Some(next) = bytes.next() else {
                        return Err(BadFormat::Message("repeat count given without format specifier"));
                    };
                    if !next.is_ascii_digit() {
                        code = next;
                        break;
                    }
                    count = count
                        .checked_mul(10)
                        .and_then(|count| count.checked_add(usize::from(next - b'0')))
                        .filter(|count| *count <= isize::MAX as usize)
                        .ok_or(TOO_LONG)?;
                }
            }
            let (size, alignment) = layout(code, native).ok_or(BadFormat::Message("bad char in struct format"))?;
            let offset = format.size.checked_next_multiple_of(alignment).ok_or(TOO_LONG)?;
            let total = size.checked_mul(count).and_then(|size| size.checked_add(offset));
            format.size = total.filter(|size| *size <= isize::MAX as usize).ok_or(TOO_LONG)?;
            match code {
                b'x' => {}
                b's' | b'p' => {
                    format.runs.try_push(Run { code, offset, size: count, count: 1 })?;
                    format.values += 1;
                }
                _ if count == 0 => {}
                _ => {
                    format.runs.try_push(Run { code, offset, size, count })?;
                    format.values += count;
                }
            }
        }
        Ok(format)
    }

    /// The same, with the failure raised: a ValueError, so that it can be used where the module is not there.
    pub(crate) fn parse(ts: &ThreadState, text: &[u8]) -> PyResult<Format> {
        Format::read(text).map_err(|bad| match bad {
            BadFormat::Message(message) => {
                ts.raise_fmt(&crate::types::exceptions::ValueError, format_args!("{message}"))
            }
            BadFormat::NoMemory => ts.raise_no_memory(),
        })
    }

    /// The size of the whole in bytes.
    #[inline]
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// How many objects it stands for.
    #[inline]
    pub(crate) fn values(&self) -> usize {
        self.values
    }
}
