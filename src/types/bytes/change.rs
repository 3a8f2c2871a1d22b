//! The methods that return a changed copy.

use super::PyBytes;
use super::algorithms;
use super::shared::{ByteString, BytesLike, bytes_like, of, part, unchanged};
use super::split::{put, set};
use crate::object::{Args, PyObject, PyResult, Ref, Signature, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytearray::PyByteArray;
use crate::types::exceptions as exc;
use crate::types::none::is_none;

/// A copy of the same length, byte by byte.
fn mapped<B: ByteString>(ts: &ThreadState, this: &PyObject, bytes: impl Fn(u8) -> u8) -> PyResult {
    let data = of::<B>(this);
    B::build(ts, data.len(), |place| {
        for (place, byte) in place.iter_mut().zip(data.iter()) {
            place.write(bytes(*byte));
        }
    })
}

/// `lower`.
pub(crate) fn lower<B: ByteString>(ts: &ThreadState, this: &PyObject) -> PyResult {
    mapped::<B>(ts, this, |byte| byte.to_ascii_lowercase())
}

/// `upper`.
pub(crate) fn upper<B: ByteString>(ts: &ThreadState, this: &PyObject) -> PyResult {
    mapped::<B>(ts, this, |byte| byte.to_ascii_uppercase())
}

/// `swapcase`.
pub(crate) fn swapcase<B: ByteString>(ts: &ThreadState, this: &PyObject) -> PyResult {
    mapped::<B>(ts, this, |byte| if byte.is_ascii_alphabetic() { byte ^ 0x20 } else { byte })
}

/// `title`.
pub(crate) fn title<B: ByteString>(ts: &ThreadState, this: &PyObject) -> PyResult {
    let data = of::<B>(this);
    B::build(ts, data.len(), |place| {
        for (place, byte) in place.iter_mut().zip(algorithms::title(&data)) {
            place.write(byte);
        }
    })
}

/// `capitalize`.
pub(crate) fn capitalize<B: ByteString>(ts: &ThreadState, this: &PyObject) -> PyResult {
    let data = of::<B>(this);
    B::build(ts, data.len(), |place| {
        for (index, (place, byte)) in place.iter_mut().zip(data.iter()).enumerate() {
            place.write(if index == 0 { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() });
        }
    })
}

fn stripped<B: ByteString>(
    ts: &ThreadState,
    name: &str,
    this: &PyObject,
    args: &[&PyObject],
    left: bool,
    right: bool,
) -> PyResult {
    call::check_count(ts, name, args.len(), 0, 1)?;
    let set = match args.first() {
        Some(set) if !is_none(set) => Some(bytes_like(ts, set)?),
        _ => None,
    };
    let data = of::<B>(this);
    let kept = match &set {
        None => algorithms::strip(&data, left, right, algorithms::is_space),
        Some(set) => algorithms::strip(&data, left, right, |byte| set.contains(&byte)),
    };
    part::<B>(ts, this, &data, kept.start, kept.end)
}

/// `strip`.
pub(crate) fn strip<B: ByteString>(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    stripped::<B>(ts, "strip", this, args, true, true)
}

/// `lstrip`.
pub(crate) fn lstrip<B: ByteString>(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    stripped::<B>(ts, "lstrip", this, args, true, false)
}

/// `rstrip`.
pub(crate) fn rstrip<B: ByteString>(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    stripped::<B>(ts, "rstrip", this, args, false, true)
}

/// `replace`.
pub(crate) fn replace<B: ByteString>(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "replace", args.len(), 2, 3)?;
    let old = bytes_like(ts, args[0])?;
    let new = bytes_like(ts, args[1])?;
    let max = match args.get(2) {
        Some(max) => usize::try_from(protocol::as_isize(ts, max)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    let data = of::<B>(this);
    if old.len() > data.len() || *old == *new {
        return unchanged::<B>(ts, this, &data);
    }
    let Some((count, len)) = algorithms::replaced_len(&data, &old, &new, max) else {
        return raise!(ts, exc::OverflowError, "replace bytes is too long");
    };
    if count == 0 {
        return unchanged::<B>(ts, this, &data);
    }
    B::build(ts, len, |place| {
        let mut place = Some(place);
        algorithms::replace_into(&data, &old, &new, count, |piece| {
            place = place.take().map(|place| put(place, piece));
        });
    })
}

/// `expandtabs`.
pub(crate) fn expandtabs<B: ByteString>(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("expandtabs", ["tabsize"], 0, 1, 0);
    let [tab_size] = SIGNATURE.parse(ts, args)?;
    let tab_size = match tab_size {
        Some(size) => protocol::as_i32(ts, size)?.max(0) as usize,
        None => 8,
    };
    let data = of::<B>(this);
    let Some(len) = algorithms::expanded_len(&data, tab_size) else {
        return raise!(ts, exc::OverflowError, "result too long");
    };
    B::build(ts, len, |place| {
        let mut places = place.iter_mut();
        algorithms::expand_tabs(&data, tab_size, |byte, count| {
            for place in places.by_ref().take(count) {
                place.write(byte);
            }
        });
    })
}

/// The fill character of the padding methods.
fn fill_byte(ts: &ThreadState, name: &str, fill: &PyObject) -> PyResult<u8> {
    let (bytes, type_name) = match fill.downcast::<PyBytes>() {
        Some(bytes) => (BytesLike::Plain(bytes.as_slice()), "bytes"),
        None if fill.is_a::<PyByteArray>() => (bytes_like(ts, fill)?, "bytearray"),
        None => {
            let given = if is_none(fill) { "None" } else { fill.type_name() };
            return raise!(ts, exc::TypeError, "{name}() argument 2 must be a byte string of length 1, not {given}");
        }
    };
    match *bytes {
        [byte] => Ok(byte),
        _ => raise!(
            ts,
            exc::TypeError,
            "{name}(): argument 2 must be a byte string of length 1, not a {type_name} object of length {}",
            bytes.len()
        ),
    }
}

fn padded<B: ByteString>(
    ts: &ThreadState,
    name: &str,
    this: &PyObject,
    args: &[&PyObject],
    left_of: impl Fn(usize, usize) -> usize,
) -> PyResult {
    call::check_count(ts, name, args.len(), 1, 2)?;
    let width = protocol::as_isize(ts, args[0])?.max(0) as usize;
    let fill = match args.get(1) {
        Some(fill) => fill_byte(ts, name, fill)?,
        None => b' ',
    };
    let data = of::<B>(this);
    if width <= data.len() {
        return unchanged::<B>(ts, this, &data);
    }
    let left = left_of(width - data.len(), width);
    B::build(ts, width, |place| {
        let (before, rest) = place.split_at_mut(left);
        set(before, fill);
        set(put(rest, &data), fill);
    })
}

/// `center`.
pub(crate) fn center<B: ByteString>(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    padded::<B>(ts, "center", this, args, |pad, width| pad / 2 + (pad & width & 1))
}

/// `ljust`.
pub(crate) fn ljust<B: ByteString>(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    padded::<B>(ts, "ljust", this, args, |_, _| 0)
}

/// `rjust`.
pub(crate) fn rjust<B: ByteString>(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    padded::<B>(ts, "rjust", this, args, |pad, _| pad)
}

/// `zfill`.
pub(crate) fn zfill<B: ByteString>(ts: &ThreadState, this: &PyObject, width: &PyObject) -> PyResult {
    let width = protocol::as_isize(ts, width)?.max(0) as usize;
    let data = of::<B>(this);
    if width <= data.len() {
        return unchanged::<B>(ts, this, &data);
    }
    let zeros = width - data.len();
    let sign = usize::from(matches!(data.first(), Some(b'+' | b'-')));
    B::build(ts, width, |place| {
        let place = put(place, &data[..sign]);
        let (fill, rest) = place.split_at_mut(zeros);
        set(fill, b'0');
        put(rest, &data[sign..]);
    })
}

/// `translate`.
pub(crate) fn translate<B: ByteString>(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("translate", ["", "delete"], 1, 2, 1);
    let [table, delete] = SIGNATURE.parse(ts, args)?;
    let table = match table {
        Some(table) if !is_none(table) => {
            let table = bytes_like(ts, table)?;
            if table.len() != 256 {
                return raise!(ts, exc::ValueError, "translation table must be 256 characters long");
            }
            Some(table)
        }
        _ => None,
    };
    let delete = match delete {
        Some(delete) => Some(bytes_like(ts, delete)?),
        None => None,
    };
    let mut deleted = [false; 256];
    for byte in delete.as_deref().unwrap_or_default() {
        deleted[usize::from(*byte)] = true;
    }
    let data = of::<B>(this);
    let map = |byte: u8| table.as_ref().map_or(byte, |table| table[usize::from(byte)]);
    let len = data.iter().filter(|byte| !deleted[usize::from(**byte)]).count();
    if len == data.len() && data.iter().all(|byte| map(*byte) == *byte) {
        return unchanged::<B>(ts, this, &data);
    }
    B::build(ts, len, |place| {
        let kept = data.iter().filter(|byte| !deleted[usize::from(**byte)]);
        for (place, byte) in place.iter_mut().zip(kept) {
            place.write(map(*byte));
        }
    })
}

/// `maketrans`.
pub(crate) fn maketrans(ts: &ThreadState, _this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "maketrans", args.len(), 2, 2)?;
    let from = bytes_like(ts, args[0])?;
    let to = bytes_like(ts, args[1])?;
    if from.len() != to.len() {
        return raise!(ts, exc::ValueError, "maketrans arguments must have same length");
    }
    let mut table: [u8; 256] = core::array::from_fn(|byte| byte as u8);
    for (from, to) in from.iter().zip(to.iter()) {
        table[usize::from(*from)] = *to;
    }
    PyBytes::new(ts, &table).map(Ref::into_object)
}
