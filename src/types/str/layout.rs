//! The memory of a string, and the views of it.

use core::cell::Cell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicIsize, Ordering};

use super::units::Unit;
use crate::object::{PyObject, PyResult, PyTypeObject, Ref, alloc, reftrace};
use crate::state::ThreadState;

/// A string (`PyASCIIObject`): the part of the layout that all of them share.
#[repr(C)]
pub struct PyStr {
    pub(super) ob_base: PyObject,
    pub(super) length: Cell<isize>,
    /// -1 while unknown. Atomic, because interpreters share the static strings.
    pub(super) hash: AtomicIsize,
    pub(super) state: Cell<u32>,
}
crate::native!(PyStr, super::STR_TYPE, UNICODE_SUBCLASS);

// SAFETY: as for `PyObject`; of the static strings nothing but the hash is ever written to.
unsafe impl Sync for PyStr {}

/// A string that is not ASCII (`PyCompactUnicodeObject`).
#[repr(C)]
pub(crate) struct CompactStr {
    pub(super) ascii: PyStr,
    /// The length of `utf8`, in bytes.
    pub(super) utf8_length: Cell<isize>,
    /// The text in UTF-8 with a NUL, in the mem domain, or null.
    pub(super) utf8: Cell<*mut u8>,
}

// SAFETY: as for `PyStr`.
unsafe impl Sync for CompactStr {}

/// An instance of a subclass of `str` (`PyUnicodeObject`).
#[repr(C)]
pub(crate) struct LegacyStr {
    pub(super) compact: CompactStr,
    /// The units, in the mem domain.
    pub(super) data: Cell<*mut u8>,
}

/// The sizes of the three headers.
pub(super) const ASCII_SIZE: usize = size_of::<PyStr>();
pub(super) const COMPACT_SIZE: usize = size_of::<CompactStr>();
const _: () = assert!(ASCII_SIZE == 40 && COMPACT_SIZE == 56 && size_of::<LegacyStr>() == 64);

/// The bits of `state`, where CPython's bit fields have them.
pub(super) mod state {
    /// Two bits: how the string is interned.
    pub const INTERNED: u32 = 3;
    /// In the intern table, removed when the string dies.
    pub const INTERNED_MORTAL: u32 = 1;
    /// In the intern table until the interpreter ends.
    pub const INTERNED_IMMORTAL: u32 = 2;
    /// A static string.
    pub const INTERNED_STATIC: u32 = 3;
    /// Three bits: the width of a unit in bytes.
    pub const KIND_SHIFT: u32 = 2;
    pub const KIND: u32 = 7 << KIND_SHIFT;
    /// The data follows the header.
    pub const COMPACT: u32 = 1 << 5;
    /// All characters are below 128.
    pub const ASCII: u32 = 1 << 6;
    /// Lives in a static.
    pub const STATIC: u32 = 1 << 7;
}

/// How narrow a string is, by its widest character.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// All below 128.
    Ascii,
    /// All below 256, one byte each.
    Latin1,
    /// All below 65,536, two bytes each.
    Ucs2,
    /// Four bytes each.
    Ucs4,
}

impl Kind {
    /// The kind that a string with this widest character (or with these bits in its characters) has.
    #[inline(always)]
    pub const fn of(max_char: u32) -> Kind {
        match max_char {
            0..=0x7F => Kind::Ascii,
            0x80..=0xFF => Kind::Latin1,
            0x100..=0xFFFF => Kind::Ucs2,
            _ => Kind::Ucs4,
        }
    }

    /// Bytes per character.
    #[inline(always)]
    pub const fn width(self) -> usize {
        match self {
            Kind::Ascii | Kind::Latin1 => 1,
            Kind::Ucs2 => 2,
            Kind::Ucs4 => 4,
        }
    }

    /// The largest character that fits.
    #[inline(always)]
    pub const fn max_char(self) -> u32 {
        match self {
            Kind::Ascii => 0x7F,
            Kind::Latin1 => 0xFF,
            Kind::Ucs2 => 0xFFFF,
            Kind::Ucs4 => 0x10_FFFF,
        }
    }

    #[inline(always)]
    pub(super) const fn state(self) -> u32 {
        let width = (self.width() as u32) << state::KIND_SHIFT;
        if matches!(self, Kind::Ascii) { width | state::ASCII } else { width }
    }
}

/// A string's characters, in the width in which they are stored.
#[derive(Clone, Copy, Debug)]
pub enum StrData<'a> {
    /// All below 128.
    Ascii(&'a [u8]),
    /// At least one from 128 to 255, none above.
    Latin1(&'a [u8]),
    /// At least one from 256 to 65,535, none above.
    Ucs2(&'a [u16]),
    /// At least one above 65,535.
    Ucs4(&'a [u32]),
}

impl PyStr {
    /// The number of characters.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.length.get() as usize
    }

    /// Whether there is no character.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.length.get() == 0
    }

    /// Whether all characters are below 128.
    #[inline(always)]
    pub fn is_ascii(&self) -> bool {
        self.state.get() & state::ASCII != 0
    }

    /// The width of a unit in bytes: 1, 2 or 4 (`PyUnicode_KIND`).
    #[inline(always)]
    pub fn width(&self) -> usize {
        ((self.state.get() & state::KIND) >> state::KIND_SHIFT) as usize
    }

    /// The kind of storage.
    #[inline(always)]
    pub fn kind(&self) -> Kind {
        match self.width() {
            1 if self.is_ascii() => Kind::Ascii,
            1 => Kind::Latin1,
            2 => Kind::Ucs2,
            _ => Kind::Ucs4,
        }
    }

    /// Whether the data follows the header: true unless it is an instance of a subclass.
    #[inline(always)]
    pub(super) fn is_compact(&self) -> bool {
        self.state.get() & state::COMPACT != 0
    }

    /// Whether the object's type is `str` itself.
    #[inline(always)]
    pub fn is_exact(&self) -> bool {
        core::ptr::eq(self.ob_base.ob_type(), <PyStr as crate::object::Native>::type_object())
    }

    /// Whether it is the one string of its text that `sys.intern` returns in this interpreter.
    #[inline(always)]
    pub fn is_interned(&self) -> bool {
        self.state.get() & state::INTERNED != 0
    }

    #[inline(always)]
    pub(super) fn as_compact(&self) -> &CompactStr {
        debug_assert!(!self.is_ascii() || !self.is_compact());
        // SAFETY: only compact ASCII strings are shorter than `CompactStr`.
        unsafe { &*core::ptr::from_ref(self).cast::<CompactStr>() }
    }

    #[inline(always)]
    pub(super) fn as_legacy(&self) -> &LegacyStr {
        debug_assert!(!self.is_compact());
        // SAFETY: strings that are not compact are instances of subclasses, allocated with that layout.
        unsafe { &*core::ptr::from_ref(self).cast::<LegacyStr>() }
    }

    /// Where the units are.
    #[inline(always)]
    pub fn data_ptr(&self) -> *const u8 {
        let bits = self.state.get();
        let this = core::ptr::from_ref(self).cast::<u8>();
        if bits & state::COMPACT != 0 {
            let header = if bits & state::ASCII != 0 { ASCII_SIZE } else { COMPACT_SIZE };
            // SAFETY: a compact string's units follow its header, in the same allocation.
            unsafe { this.add(header) }
        } else {
            self.as_legacy().data.get()
        }
    }

    /// The characters, in the width in which they are stored.
    #[inline(always)]
    pub fn data(&self) -> StrData<'_> {
        let (data, len) = (self.data_ptr(), self.len());
        // SAFETY: `data` points to `len` units of the width that the state says, aligned to it, and
        // strings do not change while they are borrowed (I3).
        unsafe {
            match self.kind() {
                Kind::Ascii => StrData::Ascii(core::slice::from_raw_parts(data, len)),
                Kind::Latin1 => StrData::Latin1(core::slice::from_raw_parts(data, len)),
                Kind::Ucs2 => StrData::Ucs2(core::slice::from_raw_parts(data.cast(), len)),
                Kind::Ucs4 => StrData::Ucs4(core::slice::from_raw_parts(data.cast(), len)),
            }
        }
    }

    /// The units as bytes, whatever their width.
    #[inline(always)]
    pub fn data_bytes(&self) -> &[u8] {
        // SAFETY: as in `data`.
        unsafe { core::slice::from_raw_parts(self.data_ptr(), self.len() * self.width()) }
    }

    /// The character at `index`. Panics past the end.
    #[inline]
    pub fn char_at(&self, index: usize) -> u32 {
        match self.data() {
            StrData::Ascii(units) | StrData::Latin1(units) => u32::from(units[index]),
            StrData::Ucs2(units) => u32::from(units[index]),
            StrData::Ucs4(units) => units[index],
        }
    }

    /// The characters from `range`.
    pub fn chars_in(&self, range: core::ops::Range<usize>) -> impl DoubleEndedIterator<Item = u32> + '_ {
        assert!(range.end <= self.len(), "characters past the end of a string");
        range.map(move |index| self.char_at(index))
    }

    /// The characters.
    pub fn chars(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.chars_in(0..self.len())
    }

    /// The text, when it is ASCII.
    #[inline(always)]
    pub fn ascii_str(&self) -> Option<&str> {
        match self.data() {
            // SAFETY: ASCII is UTF-8.
            StrData::Ascii(units) => Some(unsafe { core::str::from_utf8_unchecked(units) }),
            _ => None,
        }
    }

    /// A string of `len` characters whose units are still to be written; the zero at the end is there.
    ///
    /// # Safety
    /// The caller writes all units before anything else sees the string, among them one that needs this
    /// kind (I1); `len` is at least 1, and at least 2 for a Latin-1 kind (I4).
    pub(super) unsafe fn uninit(ts: &ThreadState, len: usize, kind: Kind) -> PyResult<Ref<PyStr>> {
        let header = if kind == Kind::Ascii { ASCII_SIZE } else { COMPACT_SIZE };
        let size = len.checked_add(1).and_then(|n| n.checked_mul(kind.width())).and_then(|n| n.checked_add(header));
        let Some(size) = size.filter(|size| *size <= isize::MAX as usize) else {
            return Err(ts.raise_no_memory());
        };
        let memory = ts.heap().obj_alloc(size);
        if memory.is_null() {
            return Err(ts.raise_no_memory());
        }
        let head = PyStr {
            ob_base: PyObject::new(<PyStr as crate::object::Native>::type_object()),
            length: Cell::new(len as isize),
            hash: AtomicIsize::new(-1),
            state: Cell::new(kind.state() | state::COMPACT),
        };
        // SAFETY: the block has room for the header, `len` units and one more, and is aligned to 16.
        unsafe {
            if kind == Kind::Ascii {
                memory.cast::<PyStr>().write(head);
            } else {
                memory.cast::<CompactStr>().write(CompactStr {
                    ascii: head,
                    utf8_length: Cell::new(0),
                    utf8: Cell::new(core::ptr::null_mut()),
                });
            }
            core::ptr::write_bytes(memory.add(header + len * kind.width()), 0, kind.width());
            reftrace::created(memory.cast());
            Ok(Ref::from_owned(memory.cast()))
        }
    }

    /// The units of a string being made.
    ///
    /// # Safety
    /// The string comes from [`uninit`](PyStr::uninit), has units of type `U`, and only its maker has seen it.
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "the units lie behind the header, and only their maker has seen them")]
    pub(super) unsafe fn units_mut<U: Unit>(&self) -> &mut [MaybeUninit<U>] {
        debug_assert_eq!(self.width(), U::WIDTH);
        // SAFETY: the caller is alone with the units.
        unsafe { core::slice::from_raw_parts_mut(self.data_ptr().cast_mut().cast(), self.len()) }
    }

    /// Copies `count` characters of `from`, starting at `start`, to position `at` of a string being made.
    ///
    /// # Safety
    /// As for [`units_mut`](PyStr::units_mut); the characters fit the width of `self`.
    pub(super) unsafe fn copy_chars(&self, at: usize, from: &PyStr, start: usize, count: usize) {
        assert!(at + count <= self.len() && start + count <= from.len(), "a copy past the end of a string");
        let (to_width, from_width) = (self.width(), from.width());
        // SAFETY: both ranges have just been checked.
        unsafe {
            let to = self.data_ptr().cast_mut().add(at * to_width);
            let source = from.data_ptr().add(start * from_width);
            match (from_width, to_width) {
                (1, 1) | (2, 2) | (4, 4) => core::ptr::copy_nonoverlapping(source, to, count * to_width),
                (1, 2) => convert::<u8, u16>(source, to, count),
                (1, 4) => convert::<u8, u32>(source, to, count),
                (2, 1) => convert::<u16, u8>(source, to, count),
                (2, 4) => convert::<u16, u32>(source, to, count),
                (4, 1) => convert::<u32, u8>(source, to, count),
                _ => convert::<u32, u16>(source, to, count),
            }
        }
    }

    /// The size of the object with its buffers, in bytes (`__sizeof__`).
    pub fn size_in_bytes(&self) -> usize {
        let units = (self.len() + 1) * self.width();
        let header = match () {
            () if !self.is_compact() => self.ob_base.ob_type().basicsize(),
            () if self.is_ascii() => ASCII_SIZE,
            () => COMPACT_SIZE,
        };
        let utf8 = if self.is_ascii() || self.as_compact().utf8.get().is_null() {
            0
        } else {
            self.as_compact().utf8_length.get() as usize + 1
        };
        header + units + utf8
    }
}

/// Copies units from one width to another.
///
/// # Safety
/// Both places have `count` units of their types, aligned, and do not overlap.
#[inline]
unsafe fn convert<F: Unit, T: Unit>(from: *const u8, to: *mut u8, count: usize) {
    // SAFETY: the caller vouches for both places.
    unsafe {
        let from = core::slice::from_raw_parts(from.cast::<F>(), count);
        let to = core::slice::from_raw_parts_mut(to.cast::<MaybeUninit<T>>(), count);
        for (place, unit) in to.iter_mut().zip(from) {
            place.write(T::truncate((*unit).into()));
        }
    }
}

/// `tp_dealloc`.
///
/// # Safety
/// The count of `object`, a string, is zero.
pub(super) unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is still whole.
    let this = unsafe { (*object).cast_unchecked::<PyStr>() };
    if this.state.get() & state::INTERNED == state::INTERNED_MORTAL {
        // SAFETY: the table is used under the GIL, and never across other code.
        unsafe { (*ts.interp().interned.get()).remove(this) };
    }
    if this.is_compact() {
        if !this.is_ascii() {
            this.free_utf8(ts);
        }
        // SAFETY: `uninit` took the block from this domain, and nobody refers to it any more.
        unsafe { ts.heap().obj_free(object.cast()) };
        return;
    }
    let data = this.as_legacy().data.get();
    if !this.is_ascii() {
        this.free_utf8(ts);
    }
    if !data.is_null() {
        // SAFETY: `PyStr::subclass_instance` took the block from this domain.
        unsafe { ts.heap().mem_free(data) };
    }
    // SAFETY: everything that the string owns is gone.
    unsafe { alloc::free(ts, object) };
}

impl PyStr {
    pub(super) fn free_utf8(&self, ts: &ThreadState) {
        let utf8 = self.as_compact().utf8.replace(core::ptr::null_mut());
        if !utf8.is_null() {
            // SAFETY: `PyStr::utf8` took the block from this domain; static strings are never freed.
            unsafe { ts.heap().mem_free(utf8) };
        }
    }

    /// An instance of the subclass `of` with the text of `text` (`str.__new__` of a subclass).
    pub(super) fn subclass_instance(ts: &ThreadState, of: &PyTypeObject, text: &PyStr) -> PyResult<Ref<PyStr>> {
        let made = alloc::object::<PyStr>(ts, of)?;
        let bytes = (text.len() + 1) * text.width();
        made.hash.store(text.hash.load(Ordering::Relaxed), Ordering::Relaxed);
        made.state.set(text.kind().state());
        let data = ts.heap().mem_alloc(bytes);
        if data.is_null() {
            // The object is whole already: an empty string without data, which `dealloc` knows.
            return Err(ts.raise_no_memory());
        }
        // SAFETY: both blocks have room for the units and the zero (I2).
        unsafe { core::ptr::copy_nonoverlapping(text.data_ptr(), data, bytes) };
        made.as_legacy().data.set(data);
        made.length.set(text.len() as isize);
        if of.is_gc() {
            // `str.__new__` may be called past the metatype, which would do this.
            crate::object::gc::track(ts, &*made);
        }
        Ok(made)
    }
}
