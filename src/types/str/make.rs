//! Making strings: from Rust text, from units, from other strings.

use core::fmt::{self, Write as _};

use super::builder::StrBuilder;
use super::layout::{ASCII_SIZE, COMPACT_SIZE, Kind, PyStr, StrData, state};
use super::units::Unit;
use crate::object::{AsObject, PyRef, PyResult, Ref};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use core::sync::atomic::Ordering;

impl PyStr {
    /// The string of a Rust text.
    #[inline]
    pub fn new(ts: &ThreadState, text: &str) -> PyResult<Ref<PyStr>> {
        if text.is_ascii() {
            return PyStr::from_ascii(ts, text.as_bytes());
        }
        let (mut count, mut bits) = (0, 0);
        for ch in text.chars() {
            count += 1;
            bits |= u32::from(ch);
        }
        PyStr::from_chars(ts, count, bits, text.chars().map(u32::from))
    }

    /// The string of ASCII bytes, which the caller has checked to be that.
    #[inline]
    pub fn from_ascii(ts: &ThreadState, bytes: &[u8]) -> PyResult<Ref<PyStr>> {
        debug_assert!(bytes.is_ascii());
        match bytes {
            [] => Ok(PyStr::empty()),
            [one] => Ok(Ref::from_borrowed(PyStr::latin1_char(*one))),
            _ => {
                // SAFETY: the units are written here.
                unsafe {
                    let made = PyStr::uninit(ts, bytes.len(), Kind::Ascii)?;
                    made.units_mut::<u8>().write_copy_of_slice(bytes);
                    Ok(made)
                }
            }
        }
    }

    /// The string of Latin-1 characters.
    pub fn from_latin1(ts: &ThreadState, units: &[u8]) -> PyResult<Ref<PyStr>> {
        PyStr::from_units(ts, units)
    }

    /// The string of characters below 65,536; surrogates stay what they are.
    pub fn from_ucs2(ts: &ThreadState, units: &[u16]) -> PyResult<Ref<PyStr>> {
        PyStr::from_units(ts, units)
    }

    /// The string of any characters.
    ///
    /// Raises ValueError for one above U+10FFFF.
    pub fn from_ucs4(ts: &ThreadState, units: &[u32]) -> PyResult<Ref<PyStr>> {
        if let Some(bad) = units.iter().find(|unit| **unit > 0x10_FFFF) {
            return raise!(ts, exc::ValueError, "character U+{bad:x} is not in range [U+0000; U+10ffff]");
        }
        PyStr::from_units(ts, units)
    }

    /// The string of characters of any width.
    pub(crate) fn from_units<U: Unit>(ts: &ThreadState, units: &[U]) -> PyResult<Ref<PyStr>> {
        match units {
            [] => return Ok(PyStr::empty()),
            [one] => return PyStr::from_char(ts, (*one).into()),
            _ => {}
        }
        PyStr::from_units_of_kind(ts, units, Kind::of(U::bits(units)))
    }

    /// The string of two or more characters whose kind is known.
    fn from_units_of_kind<U: Unit>(ts: &ThreadState, units: &[U], kind: Kind) -> PyResult<Ref<PyStr>> {
        // SAFETY: the units are written here, and `kind` comes from them.
        unsafe {
            let made = PyStr::uninit(ts, units.len(), kind)?;
            match kind.width() {
                1 => fill(made.units_mut::<u8>(), units),
                2 => fill(made.units_mut::<u16>(), units),
                _ => fill(made.units_mut::<u32>(), units),
            }
            Ok(made)
        }
    }

    /// The string of one character. Panics above U+10FFFF.
    #[inline]
    pub fn from_char(ts: &ThreadState, ch: u32) -> PyResult<Ref<PyStr>> {
        match u8::try_from(ch) {
            Ok(ch) => Ok(Ref::from_borrowed(PyStr::latin1_char(ch))),
            Err(_) => PyStr::from_wide_char(ts, ch),
        }
    }

    fn from_wide_char(ts: &ThreadState, ch: u32) -> PyResult<Ref<PyStr>> {
        assert!(ch <= 0x10_FFFF, "a character beyond Unicode");
        PyStr::from_units_of_kind(ts, &[ch], Kind::of(ch))
    }

    /// The string of `count` characters that an iterator gives; `bits` are their bits or'ed together, or
    /// their maximum. Panics when the iterator ends early.
    pub(crate) fn from_chars(
        ts: &ThreadState,
        count: usize,
        bits: u32,
        mut chars: impl Iterator<Item = u32>,
    ) -> PyResult<Ref<PyStr>> {
        fn fill_from<U: Unit>(place: &mut [core::mem::MaybeUninit<U>], chars: &mut impl Iterator<Item = u32>) {
            for unit in place {
                match chars.next() {
                    Some(ch) => _ = unit.write(U::truncate(ch)),
                    None => panic!("fewer characters than announced"),
                }
            }
        }
        match count {
            0 => return Ok(PyStr::empty()),
            1 => return PyStr::from_char(ts, chars.next().unwrap_or(0)),
            _ => {}
        }
        let kind = Kind::of(bits);
        // SAFETY: all units are written here; the caller knows the bits.
        unsafe {
            let made = PyStr::uninit(ts, count, kind)?;
            match kind.width() {
                1 => fill_from(made.units_mut::<u8>(), &mut chars),
                2 => fill_from(made.units_mut::<u16>(), &mut chars),
                _ => fill_from(made.units_mut::<u32>(), &mut chars),
            }
            Ok(made)
        }
    }

    /// A formatted string.
    pub fn format(ts: &ThreadState, message: fmt::Arguments<'_>) -> PyResult<Ref<PyStr>> {
        if let Some(text) = message.as_str() {
            return PyStr::new(ts, text);
        }
        let mut builder = StrBuilder::new();
        match builder.write_fmt(message) {
            Ok(()) => builder.finish(ts),
            Err(fmt::Error) => Err(ts.raise_no_memory()),
        }
    }

    /// Decodes UTF-8 with the error handler `errors`.
    pub fn from_utf8(ts: &ThreadState, bytes: &[u8], errors: &str) -> PyResult<Ref<PyStr>> {
        super::codec::decode_utf8(ts, bytes, errors)
    }

    /// `self`, when it is exactly a `str`, else a copy that is.
    #[inline]
    pub fn to_exact(&self, ts: &ThreadState) -> PyResult<Ref<PyStr>> {
        if self.is_exact() {
            return Ok(Ref::from_borrowed(self));
        }
        self.copy(ts)
    }

    /// An exact `str` of the same text.
    pub(super) fn copy(&self, ts: &ThreadState) -> PyResult<Ref<PyStr>> {
        match (self.len(), self.kind()) {
            (0, _) => Ok(PyStr::empty()),
            (1, _) => PyStr::from_char(ts, self.char_at(0)),
            (len, kind) => {
                // SAFETY: the units are written here, and come from a string of the same kind.
                unsafe {
                    let made = PyStr::uninit(ts, len, kind)?;
                    made.copy_chars(0, self, 0, len);
                    Ok(made)
                }
            }
        }
    }

    /// The characters from `start` to before `end`. Panics when they are not in the string.
    #[inline]
    pub fn slice(&self, ts: &ThreadState, start: usize, end: usize) -> PyResult<Ref<PyStr>> {
        if start == 0 && end == self.len() {
            return self.to_exact(ts);
        }
        match self.data() {
            StrData::Ascii(units) => PyStr::from_ascii(ts, &units[start..end]),
            StrData::Latin1(units) => PyStr::from_units(ts, &units[start..end]),
            StrData::Ucs2(units) => PyStr::from_units(ts, &units[start..end]),
            StrData::Ucs4(units) => PyStr::from_units(ts, &units[start..end]),
        }
    }

    /// `a + b`.
    #[inline]
    pub fn concat(ts: &ThreadState, a: &PyStr, b: &PyStr) -> PyResult<Ref<PyStr>> {
        if a.is_empty() {
            return b.to_exact(ts);
        }
        if b.is_empty() {
            return a.to_exact(ts);
        }
        let len = add_lengths(ts, a.len(), b.len())?;
        // SAFETY: all units are written here, and the wider kind is needed by one of the two.
        unsafe {
            let made = PyStr::uninit(ts, len, a.kind().max(b.kind()))?;
            made.copy_chars(0, a, 0, a.len());
            made.copy_chars(a.len(), b, 0, b.len());
            Ok(made)
        }
    }

    /// `count` times the text; nothing for a negative count.
    pub fn repeat(&self, ts: &ThreadState, count: isize) -> PyResult<Ref<PyStr>> {
        if count <= 0 || self.is_empty() {
            return Ok(PyStr::empty());
        }
        if count == 1 {
            return self.to_exact(ts);
        }
        let (one, count) = (self.len(), count as usize);
        let Some(len) = one.checked_mul(count).filter(|len| *len <= isize::MAX as usize) else {
            return raise!(ts, exc::OverflowError, "repeated string is too long");
        };
        let width = self.width();
        // SAFETY: the first copy is written by `copy_chars`, the others double what is there already,
        // within the units of `made`.
        unsafe {
            let made = PyStr::uninit(ts, len, self.kind())?;
            let to = made.data_ptr().cast_mut();
            if one == 1 && width == 1 {
                core::ptr::write_bytes(to, *self.data_ptr(), len);
                return Ok(made);
            }
            made.copy_chars(0, self, 0, one);
            let (total, mut done) = (len * width, one * width);
            while done < total {
                let more = done.min(total - done);
                core::ptr::copy_nonoverlapping(to, to.add(done), more);
                done += more;
            }
            Ok(made)
        }
    }
}

fn fill<F: Unit, T: Unit>(place: &mut [core::mem::MaybeUninit<T>], units: &[F]) {
    for (place, unit) in place.iter_mut().zip(units) {
        place.write(T::truncate((*unit).into()));
    }
}

fn add_lengths(ts: &ThreadState, a: usize, b: usize) -> PyResult<usize> {
    match a.checked_add(b).filter(|len| *len <= isize::MAX as usize) {
        Some(len) => Ok(len),
        None => raise!(ts, exc::OverflowError, "strings are too large to concat"),
    }
}

/// Appends `right` to the string that `left` refers to; in place when `left` is the only reference to it.
///
/// `left` is an exact `str`. On an error it is unchanged.
pub fn concat_in_place(ts: &ThreadState, left: &mut PyRef, right: &PyStr) -> PyResult<()> {
    let this = left.cast::<PyStr>();
    if right.is_empty() {
        return Ok(());
    }
    let resizable = left.is_unique()
        && this.is_exact()
        && this.state.get() & (state::INTERNED | state::STATIC | state::COMPACT) == state::COMPACT
        && right.kind() <= this.kind()
        && !this.is_empty();
    if !resizable {
        let joined = PyStr::concat(ts, this, right)?;
        *left = joined.into_object();
        return Ok(());
    }
    let (old_len, kind) = (this.len(), this.kind());
    let len = add_lengths(ts, old_len, right.len())?;
    let header = if kind == Kind::Ascii {
        ASCII_SIZE
    } else {
        this.free_utf8(ts);
        COMPACT_SIZE
    };
    let Some(size) = (len + 1).checked_mul(kind.width()).and_then(|n| n.checked_add(header)) else {
        return Err(ts.raise_no_memory());
    };
    // SAFETY: the string is unique, not interned and compact: nobody else can see it change or move.
    // When the block cannot grow it stays as it was. `right` is another object, since `left` is unique.
    unsafe {
        let memory = ts.heap().obj_realloc(left.as_raw().cast(), size);
        if memory.is_null() {
            return Err(ts.raise_no_memory());
        }
        let grown: &PyStr = &*memory.cast::<PyStr>();
        grown.length.set(len as isize);
        grown.hash.store(-1, Ordering::Relaxed);
        grown.copy_chars(old_len, right, 0, right.len());
        core::ptr::write_bytes(memory.add(header + len * kind.width()), 0, kind.width());
        // The old pointer is gone with the reference's ownership, which `grown` takes over.
        core::ptr::write(left, PyRef::from_owned(memory.cast()));
    }
    debug_assert!(left.as_object().is_unique());
    Ok(())
}
