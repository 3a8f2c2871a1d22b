//! The methods that cut and join.

use core::ops::Range;

use hognose_allocators::collections::TryVec;

use super::PyBytes;
use super::algorithms;
use super::shared::{ByteString, BytesLike, bytes_like, of, part, unchanged};
use crate::object::buffer::{self, Buffer};
use crate::object::{Args, AsObject, PyObject, PyRef, PyResult, Signature, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::tuple::PyTuple;

/// The two arguments of `split` and `rsplit`.
fn split_arguments<'a>(
    ts: &ThreadState,
    name: &'static str,
    args: Args<'a>,
) -> PyResult<(Option<BytesLike<'a>>, usize)> {
    let signature = Signature::new(name, ["sep", "maxsplit"], 0, 2, 0);
    let [separator, max] = signature.parse(ts, args)?;
    let max = match max {
        Some(max) => usize::try_from(protocol::as_isize(ts, max)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    let separator = match separator {
        Some(separator) if !is_none(separator) => {
            let separator = bytes_like(ts, separator)?;
            if separator.is_empty() {
                return raise!(ts, exc::ValueError, "empty separator");
            }
            Some(separator)
        }
        _ => None,
    };
    Ok((separator, max))
}

/// `split`.
pub(crate) fn split<B: ByteString>(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let (separator, max) = split_arguments(ts, "split", args)?;
    let data = of::<B>(this);
    let list = PyList::new(ts)?;
    let add = |range: Range<usize>| list.append(ts, part::<B>(ts, this, &data, range.start, range.end)?);
    match separator {
        Some(separator) => algorithms::split(&data, &separator, max, add)?,
        None => algorithms::split_space(&data, max, add)?,
    }
    Ok(list.into_object())
}

/// `rsplit`.
pub(crate) fn rsplit<B: ByteString>(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let (separator, max) = split_arguments(ts, "rsplit", args)?;
    let data = of::<B>(this);
    let list = PyList::new(ts)?;
    let add = |range: Range<usize>| list.append(ts, part::<B>(ts, this, &data, range.start, range.end)?);
    match separator {
        Some(separator) => algorithms::rsplit(&data, &separator, max, add)?,
        None => algorithms::rsplit_space(&data, max, add)?,
    }
    list.reverse();
    Ok(list.into_object())
}

/// `splitlines`.
pub(crate) fn splitlines<B: ByteString>(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("splitlines", ["keepends"], 0, 1, 0);
    let [keep_ends] = SIGNATURE.parse(ts, args)?;
    let keep_ends = match keep_ends {
        Some(keep_ends) => protocol::is_true(ts, keep_ends)?,
        None => false,
    };
    let data = of::<B>(this);
    let list = PyList::new(ts)?;
    algorithms::split_lines(&data, keep_ends, |range| {
        list.append(ts, part::<B>(ts, this, &data, range.start, range.end)?)
    })?;
    Ok(list.into_object())
}

/// The separator of a partition as the result shows it: the argument itself, a copy for a bytearray.
fn shown_separator<B: ByteString>(ts: &ThreadState, object: &PyObject, separator: &[u8]) -> PyResult {
    if B::IMMUTABLE { Ok(object.new_ref()) } else { B::make(ts, separator) }
}

/// `partition`.
pub(crate) fn partition<B: ByteString>(ts: &ThreadState, this: &PyObject, object: &PyObject) -> PyResult {
    let separator = bytes_like(ts, object)?;
    if separator.is_empty() {
        return raise!(ts, exc::ValueError, "empty separator");
    }
    let data = of::<B>(this);
    let parts = match algorithms::find(&data, &separator, 0, data.len()) {
        Some(at) => [
            B::make(ts, &data[..at])?,
            shown_separator::<B>(ts, object, &separator)?,
            B::make(ts, &data[at + separator.len()..])?,
        ],
        None => [unchanged::<B>(ts, this, &data)?, B::make(ts, b"")?, B::make(ts, b"")?],
    };
    Ok(PyTuple::from_array(ts, parts)?.into_object())
}

/// `rpartition`.
pub(crate) fn rpartition<B: ByteString>(ts: &ThreadState, this: &PyObject, object: &PyObject) -> PyResult {
    let separator = bytes_like(ts, object)?;
    if separator.is_empty() {
        return raise!(ts, exc::ValueError, "empty separator");
    }
    let data = of::<B>(this);
    let parts = match algorithms::rfind(&data, &separator, 0, data.len()) {
        Some(at) => [
            B::make(ts, &data[..at])?,
            shown_separator::<B>(ts, object, &separator)?,
            B::make(ts, &data[at + separator.len()..])?,
        ],
        None => [B::make(ts, b"")?, B::make(ts, b"")?, unchanged::<B>(ts, this, &data)?],
    };
    Ok(PyTuple::from_array(ts, parts)?.into_object())
}

/// An item of what is joined: its bytes, kept alive by a reference or a view.
enum Item {
    Plain(PyRef),
    Held(Buffer),
}

impl Item {
    fn bytes(&self) -> &[u8] {
        match self {
            Item::Plain(object) => object.cast::<PyBytes>().as_slice(),
            Item::Held(buffer) => buffer.as_slice(),
        }
    }
}

/// `join`.
pub(crate) fn join<B: ByteString>(ts: &ThreadState, this: &PyObject, iterable: &PyObject) -> PyResult {
    // The iterable may be code that wants to change the separator.
    let separator = of::<B>(this);
    let items = protocol::fast(ts, iterable, "can only join an iterable")?;
    if let [only] = items.items()
        && B::IMMUTABLE
        && only.downcast_exact::<PyBytes>().is_some()
    {
        return Ok(only.new_ref());
    }
    let mut parts: TryVec<Item> = TryVec::new();
    parts.try_reserve(items.len())?;
    let mut total = 0usize;
    for (index, object) in items.items().iter().enumerate() {
        let item = if object.downcast_exact::<PyBytes>().is_some() {
            Item::Plain(object.new_ref())
        } else {
            match Buffer::get(ts, object, buffer::SIMPLE) {
                Ok(view) => Item::Held(view),
                Err(raised) if ts.raised_matches(&exc::MemoryError) => return Err(raised),
                Err(raised) => {
                    ts.clear_raised(raised);
                    return raise!(
                        ts,
                        exc::TypeError,
                        "sequence item {index}: expected a bytes-like object, {} found",
                        object.type_name()
                    );
                }
            }
        };
        total = total.saturating_add(item.bytes().len());
        parts.try_push(item)?;
    }
    let total = total.saturating_add(separator.len().saturating_mul(parts.len().saturating_sub(1)));
    if total > isize::MAX as usize {
        return raise!(ts, exc::OverflowError, "join() result is too long");
    }
    B::build(ts, total, |mut place| {
        for (index, item) in parts.iter().enumerate() {
            if index > 0 {
                place = put(place, &separator);
            }
            place = put(place, item.bytes());
        }
    })
}

/// Writes bytes to the beginning of a place, and returns what is left of it.
#[inline]
pub(crate) fn put<'a>(
    place: &'a mut [core::mem::MaybeUninit<u8>],
    bytes: &[u8],
) -> &'a mut [core::mem::MaybeUninit<u8>] {
    let (first, rest) = place.split_at_mut(bytes.len());
    first.write_copy_of_slice(bytes);
    rest
}

/// Writes one byte to the whole of a place.
#[inline]
pub(crate) fn set(place: &mut [core::mem::MaybeUninit<u8>], byte: u8) {
    // SAFETY: the place is as long as it says, and any byte is initialized by this.
    unsafe { core::ptr::write_bytes(place.as_mut_ptr().cast::<u8>(), byte, place.len()) };
}
