//! `bytes`: an immutable sequence of bytes, and what it shares with `bytearray`.
//!
//! ```text
//!  ┌───────────┬─────────┬─────────┬──────────┬─────────────┬─────┐
//!  │ ob_refcnt │ ob_type │ ob_size │ ob_shash │ data …      │ NUL │
//!  └───────────┴─────────┴─────────┴──────────┴─────────────┴─────┘
//! ```
//!
//! I1: a NUL follows the data.
//! I2: the data does not change once another reference to the object can exist.
//! I3: the empty object and the 256 one-byte objects exist once, as statics; `ob_shash` is -1 until the hash is known.
//!
//! | file | what |
//! |---|---|
//! | `algorithms` | byte strings without objects: splitting, replacing, case, padding |
//! | `shared` | the view that methods of `bytes` and `bytearray` have of both, and of their arguments |
//! | `search`, `split`, `change`, `classify`, `hex` | the methods, written once for both types |
//! | `percent` | `%`-formatting |
//! | `new` | making from any object |
//! | `iter` | the iterator |

pub(crate) mod algorithms;
mod change;
mod classify;
mod hex;
mod iter;
mod new;
mod percent;
mod relate;
mod search;
pub(crate) mod shared;
mod split;

use core::cell::Cell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicIsize, Ordering};

pub use hex::{hex_of, hex_text};
pub use iter::{BYTES_ITERATOR_TYPE, PyBytesIter};
pub use new::{ByteItems, collect_bytes, from_object, to_bytes};
pub(crate) use new::{each_byte, encoded, size_argument};
pub use percent::format_percent;
pub(crate) use relate::{fill_with_copies, warn_of_mix};
pub use shared::{BytesLike, bytes_like};

use crate::object::{
    AsObject, MethodDef, PyObject, PyResult, PyTypeObject, PyVarObject, Ref, StaticType, TypeSlots, TypeSpec, alloc,
    flags,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;

/// The types of this folder.
pub static TYPES: &[&StaticType] = &[&BYTES_TYPE, &BYTES_ITERATOR_TYPE];

/// A bytes object; the data follows.
#[repr(C)]
pub struct PyBytes {
    ob_base: PyVarObject,
    ob_shash: AtomicIsize,
}

crate::native!(PyBytes, BYTES_TYPE, BYTES_SUBCLASS);

// SAFETY: as for `PyObject`: the statics are immortal; of them only the hash is ever written, to which
// every thread writes the same value.
unsafe impl Sync for PyBytes {}

/// The methods that `bytes` and `bytearray` share, for one of them, followed by its own.
macro_rules! byte_methods {
    ($of:ty; $($own:expr,)*) => {
        &[
            MethodDef::no_args("capitalize", $crate::types::bytes::shared::m::capitalize::<$of>, "capitalize($self, /)\n--\n\nA copy whose first character is in upper case and the rest in lower case, as ASCII."),
            MethodDef::positional("center", $crate::types::bytes::shared::m::center::<$of>, "center($self, width, fillchar=b' ', /)\n--\n\nThe data in the middle of width bytes, with fillchar around."),
            MethodDef::positional("count", $crate::types::bytes::shared::m::count::<$of>, "count($self, sub[, start[, end]], /)\n--\n\nHow often sub occurs in self[start:end], without overlaps."),
            MethodDef::keywords("decode", $crate::types::bytes::shared::m::decode::<$of>, "decode($self, /, encoding='utf-8', errors='strict')\n--\n\nThe text that the data stands for."),
            MethodDef::positional("endswith", $crate::types::bytes::shared::m::endswith::<$of>, "endswith($self, suffix[, start[, end]], /)\n--\n\nWhether self[start:end] ends with the suffix, or with one of a tuple of them."),
            MethodDef::keywords("expandtabs", $crate::types::bytes::shared::m::expandtabs::<$of>, "expandtabs($self, /, tabsize=8)\n--\n\nA copy with spaces up to the next tab stop in place of each tab."),
            MethodDef::positional("find", $crate::types::bytes::shared::m::find::<$of>, "find($self, sub[, start[, end]], /)\n--\n\nThe lowest index at which sub is found in self[start:end], or -1."),
            MethodDef::one("fromhex", $crate::types::bytes::shared::m::fromhex::<$of>, "fromhex($type, string, /)\n--\n\nMake an object from hexadecimal digits; white space between the bytes is skipped.").class(),
            MethodDef::keywords("hex", $crate::types::bytes::shared::m::hex::<$of>, "hex($self, /, sep=<unrepresentable>, bytes_per_sep=1)\n--\n\nThe data as a string of hexadecimal digits, in groups when there is a separator."),
            MethodDef::positional("index", $crate::types::bytes::shared::m::index::<$of>, "index($self, sub[, start[, end]], /)\n--\n\nThe lowest index at which sub is found in self[start:end]; ValueError when it is not."),
            MethodDef::no_args("isalnum", $crate::types::bytes::shared::m::isalnum::<$of>, "isalnum($self, /)\n--\n\nWhether there are bytes and all of them are ASCII letters or digits."),
            MethodDef::no_args("isalpha", $crate::types::bytes::shared::m::isalpha::<$of>, "isalpha($self, /)\n--\n\nWhether there are bytes and all of them are ASCII letters."),
            MethodDef::no_args("isascii", $crate::types::bytes::shared::m::isascii::<$of>, "isascii($self, /)\n--\n\nWhether all bytes are ASCII."),
            MethodDef::no_args("isdigit", $crate::types::bytes::shared::m::isdigit::<$of>, "isdigit($self, /)\n--\n\nWhether there are bytes and all of them are ASCII digits."),
            MethodDef::no_args("islower", $crate::types::bytes::shared::m::islower::<$of>, "islower($self, /)\n--\n\nWhether there are lower-case ASCII letters and no upper-case ones."),
            MethodDef::no_args("isspace", $crate::types::bytes::shared::m::isspace::<$of>, "isspace($self, /)\n--\n\nWhether there are bytes and all of them are ASCII white space."),
            MethodDef::no_args("istitle", $crate::types::bytes::shared::m::istitle::<$of>, "istitle($self, /)\n--\n\nWhether each word begins with an upper-case letter that only lower-case ones follow."),
            MethodDef::no_args("isupper", $crate::types::bytes::shared::m::isupper::<$of>, "isupper($self, /)\n--\n\nWhether there are upper-case ASCII letters and no lower-case ones."),
            MethodDef::one("join", $crate::types::bytes::shared::m::join::<$of>, "join($self, iterable_of_bytes, /)\n--\n\nThe items of the iterable with self between them."),
            MethodDef::positional("ljust", $crate::types::bytes::shared::m::ljust::<$of>, "ljust($self, width, fillchar=b' ', /)\n--\n\nThe data at the left of width bytes."),
            MethodDef::no_args("lower", $crate::types::bytes::shared::m::lower::<$of>, "lower($self, /)\n--\n\nA copy with all ASCII letters in lower case."),
            MethodDef::positional("lstrip", $crate::types::bytes::shared::m::lstrip::<$of>, "lstrip($self, bytes=None, /)\n--\n\nA copy without the white space, or the given bytes, at its beginning."),
            MethodDef::positional("maketrans", $crate::types::bytes::shared::m::maketrans, "maketrans(frm, to, /)\n--\n\nA table for translate that maps each byte of frm to the one at its place in to.").stat(),
            MethodDef::one("partition", $crate::types::bytes::shared::m::partition::<$of>, "partition($self, sep, /)\n--\n\nWhat is before the first separator, the separator, what is after it."),
            MethodDef::one("removeprefix", $crate::types::bytes::shared::m::removeprefix::<$of>, "removeprefix($self, prefix, /)\n--\n\nA copy without the prefix, when there is one."),
            MethodDef::one("removesuffix", $crate::types::bytes::shared::m::removesuffix::<$of>, "removesuffix($self, suffix, /)\n--\n\nA copy without the suffix, when there is one."),
            MethodDef::positional("replace", $crate::types::bytes::shared::m::replace::<$of>, "replace($self, old, new, count=-1, /)\n--\n\nA copy with new in place of old, everywhere or for the first count times."),
            MethodDef::positional("rfind", $crate::types::bytes::shared::m::rfind::<$of>, "rfind($self, sub[, start[, end]], /)\n--\n\nThe highest index at which sub is found in self[start:end], or -1."),
            MethodDef::positional("rindex", $crate::types::bytes::shared::m::rindex::<$of>, "rindex($self, sub[, start[, end]], /)\n--\n\nThe highest index at which sub is found in self[start:end]; ValueError when it is not."),
            MethodDef::positional("rjust", $crate::types::bytes::shared::m::rjust::<$of>, "rjust($self, width, fillchar=b' ', /)\n--\n\nThe data at the right of width bytes."),
            MethodDef::one("rpartition", $crate::types::bytes::shared::m::rpartition::<$of>, "rpartition($self, sep, /)\n--\n\nWhat is before the last separator, the separator, what is after it."),
            MethodDef::keywords("rsplit", $crate::types::bytes::shared::m::rsplit::<$of>, "rsplit($self, /, sep=None, maxsplit=-1)\n--\n\nThe parts between separators, counted from the end when maxsplit is given."),
            MethodDef::positional("rstrip", $crate::types::bytes::shared::m::rstrip::<$of>, "rstrip($self, bytes=None, /)\n--\n\nA copy without the white space, or the given bytes, at its end."),
            MethodDef::keywords("split", $crate::types::bytes::shared::m::split::<$of>, "split($self, /, sep=None, maxsplit=-1)\n--\n\nThe parts between separators; without one, between runs of white space."),
            MethodDef::keywords("splitlines", $crate::types::bytes::shared::m::splitlines::<$of>, "splitlines($self, /, keepends=False)\n--\n\nThe lines, without their ends unless keepends is true."),
            MethodDef::positional("startswith", $crate::types::bytes::shared::m::startswith::<$of>, "startswith($self, prefix[, start[, end]], /)\n--\n\nWhether self[start:end] begins with the prefix, or with one of a tuple of them."),
            MethodDef::positional("strip", $crate::types::bytes::shared::m::strip::<$of>, "strip($self, bytes=None, /)\n--\n\nA copy without the white space, or the given bytes, at both ends."),
            MethodDef::no_args("swapcase", $crate::types::bytes::shared::m::swapcase::<$of>, "swapcase($self, /)\n--\n\nA copy with upper-case ASCII letters in lower case and the reverse."),
            MethodDef::no_args("title", $crate::types::bytes::shared::m::title::<$of>, "title($self, /)\n--\n\nA copy with each word's first letter in upper case and the others in lower case."),
            MethodDef::keywords("translate", $crate::types::bytes::shared::m::translate::<$of>, "translate($self, table, /, delete=b'')\n--\n\nA copy without the bytes in delete, the others mapped through a table of 256 bytes or None."),
            MethodDef::no_args("upper", $crate::types::bytes::shared::m::upper::<$of>, "upper($self, /)\n--\n\nA copy with all ASCII letters in upper case."),
            MethodDef::one("zfill", $crate::types::bytes::shared::m::zfill::<$of>, "zfill($self, width, /)\n--\n\nThe data behind zeros up to width; a sign stays in front."),
            $($own,)*
        ]
    };
}
pub(crate) use byte_methods;

/// `bytes`.
#[unsafe(export_name = "PyBytes_Type")]
pub static BYTES_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"bytes",
    // The NUL counts as part of the struct.
    basicsize: size_of::<PyBytes>() + 1,
    itemsize: 1,
    flags: flags::BASETYPE | flags::BYTES_SUBCLASS | flags::MATCH_SELF,
    doc: "bytes(iterable_of_ints) -> bytes\nbytes(string, encoding[, errors]) -> bytes\nbytes(bytes_or_buffer) -> immutable copy of bytes_or_buffer\nbytes(int) -> bytes object of size given by the parameter initialized with null bytes\nbytes() -> empty bytes object",
    slots: TypeSlots {
        new: Some(new::bytes_new),
        dealloc: Some(bytes_dealloc),
        repr: Some(relate::bytes_repr),
        str: Some(relate::bytes_str),
        hash: Some(|_, this| Ok(this.cast::<PyBytes>().hash_value())),
        richcompare: Some(relate::bytes_compare),
        iter: Some(iter::bytes_iter),
        nb_remainder: Some(percent::bytes_remainder),
        sq_length: Some(|_, this| Ok(this.cast::<PyBytes>().len())),
        mp_length: Some(|_, this| Ok(this.cast::<PyBytes>().len())),
        sq_concat: Some(relate::bytes_concat),
        sq_repeat: Some(relate::bytes_repeat),
        sq_item: Some(relate::bytes_item),
        sq_contains: Some(search::contains::<PyBytes>),
        mp_subscript: Some(relate::bytes_subscript),
        bf_getbuffer: Some(|ts, this, view, flags| {
            let data = this.cast::<PyBytes>().as_slice();
            // SAFETY: the data lives as long as the object, of which the view keeps a reference; it is read-only.
            unsafe { view.fill(ts, data.as_ptr().cast_mut(), data.len(), true, flags) }
        }),
        ..TypeSlots::EMPTY
    },
    methods: byte_methods![PyBytes;
        MethodDef::no_args("__getnewargs__", relate::bytes_getnewargs, "__getnewargs__($self, /)\n--\n\nWhat pickle gives to __new__."),
        MethodDef::no_args("__bytes__", relate::bytes_bytes, "__bytes__($self, /)\n--\n\nConvert this value to exact type bytes."),
    ],
    ..TypeSpec::EMPTY
});

/// A bytes object of at most one byte in a static.
#[repr(C)]
struct StaticBytes {
    head: PyBytes,
    data: [u8; 2],
}

// SAFETY: as for `PyBytes`.
unsafe impl Sync for StaticBytes {}

const fn static_bytes(len: isize, byte: u8) -> StaticBytes {
    StaticBytes {
        head: PyBytes {
            ob_base: PyVarObject { ob_base: PyObject::immortal(&raw const BYTES_TYPE.object), ob_size: Cell::new(len) },
            ob_shash: AtomicIsize::new(-1),
        },
        data: [byte, 0],
    }
}

static EMPTY: StaticBytes = static_bytes(0, 0);
static SINGLE: [StaticBytes; 256] = {
    let mut table = [const { static_bytes(1, 0) }; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte].data[0] = byte as u8;
        byte += 1;
    }
    table
};

/// Forgets the hashes of the static objects: to be called when the hash key has been set, before the first
/// interpreter is made.
pub fn forget_static_hashes() {
    for object in SINGLE.iter() {
        object.head.ob_shash.store(-1, Ordering::Relaxed);
    }
}

impl PyBytes {
    /// The object of the given bytes.
    #[inline]
    pub fn new(ts: &ThreadState, bytes: &[u8]) -> PyResult<Ref<PyBytes>> {
        match bytes {
            [] => Ok(Self::empty()),
            [byte] => Ok(Self::single(*byte)),
            _ => {
                // SAFETY: all the bytes are written here.
                unsafe {
                    let made = Self::uninit(ts, bytes.len())?;
                    core::ptr::copy_nonoverlapping(bytes.as_ptr(), made.data_ptr(), bytes.len());
                    Ok(made)
                }
            }
        }
    }

    /// `b""`; it is immortal, so this counts nothing.
    #[inline]
    pub fn empty() -> Ref<PyBytes> {
        Ref::from_borrowed(&EMPTY.head)
    }

    /// The object of one byte; immortal.
    #[inline]
    pub fn single(byte: u8) -> Ref<PyBytes> {
        Ref::from_borrowed(&SINGLE[usize::from(byte)].head)
    }

    /// A new object of `len` bytes that the caller writes, through [`data_ptr`](PyBytes::data_ptr), the NUL apart.
    ///
    /// # Safety
    /// All bytes are written before they can be read; for a `len` of 0 and 1 the caller prefers the statics.
    #[inline]
    pub unsafe fn uninit(ts: &ThreadState, len: usize) -> PyResult<Ref<PyBytes>> {
        // SAFETY: the fields are written here, the data by the caller.
        unsafe { Self::uninit_of(ts, &BYTES_TYPE, len) }
    }

    /// # Safety
    /// As for `uninit`; for a subtype, its own fields are written by the caller.
    unsafe fn uninit_of(ts: &ThreadState, of: &PyTypeObject, len: usize) -> PyResult<Ref<PyBytes>> {
        if len > isize::MAX as usize - (size_of::<PyBytes>() + 1) {
            return raise!(ts, exc::OverflowError, "byte string is too large");
        }
        // SAFETY: the fields are written here, the data by the caller.
        unsafe {
            let made = alloc::var_object_uninit::<PyBytes>(ts, of, len)?;
            (&raw mut (*made).ob_shash).write(AtomicIsize::new(-1));
            made.add(1).cast::<u8>().add(len).write(0);
            Ok(Ref::from_owned(made))
        }
    }

    /// An object of `len` bytes, written by `fill`, which must write them all.
    #[inline]
    pub(crate) fn build(
        ts: &ThreadState,
        len: usize,
        fill: impl FnOnce(&mut [MaybeUninit<u8>]),
    ) -> PyResult<Ref<PyBytes>> {
        match len {
            0 => Ok(Self::empty()),
            1 => {
                let mut byte = [MaybeUninit::new(0)];
                fill(&mut byte);
                // SAFETY: the byte was initialized above.
                Ok(Self::single(unsafe { byte[0].assume_init() }))
            }
            _ => {
                // SAFETY: `fill` writes all bytes, which nobody has seen yet.
                unsafe {
                    let made = Self::uninit(ts, len)?;
                    fill(core::slice::from_raw_parts_mut(made.data_ptr().cast(), len));
                    Ok(made)
                }
            }
        }
    }

    /// The instance of a subtype with the given data.
    pub(crate) fn of_subtype(ts: &ThreadState, of: &PyTypeObject, bytes: &[u8]) -> PyResult<Ref<PyBytes>> {
        let made = alloc::var_object::<PyBytes>(ts, of, bytes.len())?;
        made.ob_shash.store(-1, Ordering::Relaxed);
        // SAFETY: the object has room for the data, and is not in use yet.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), made.data_ptr(), bytes.len()) };
        if of.is_gc() {
            crate::object::gc::track(ts, &*made);
        }
        Ok(made)
    }

    /// Cuts or grows an object that nobody else refers to (`_PyBytes_Resize`); new bytes are for the caller to
    /// write. When memory is missing the object is given up.
    ///
    /// # Safety
    /// `bytes` is an exact bytes object that is not a static one, with no other reference.
    pub unsafe fn resize(ts: &ThreadState, bytes: Ref<PyBytes>, len: usize) -> PyResult<Ref<PyBytes>> {
        if bytes.len() == len {
            return Ok(bytes);
        }
        let size = match len.checked_add(size_of::<PyBytes>() + 1) {
            Some(size) if size <= isize::MAX as usize => size,
            _ => return Err(ts.raise_no_memory()),
        };
        // SAFETY: the block of an exact bytes object begins with it; when it cannot be changed it stays as it was.
        unsafe {
            let memory = ts.heap().obj_realloc(bytes.as_raw().cast(), size);
            if memory.is_null() {
                return Err(ts.raise_no_memory());
            }
            // The old pointer is gone with the ownership, which the result takes over.
            let _ = bytes.into_ptr();
            let made: Ref<PyBytes> = Ref::from_owned(memory.cast());
            made.ob_base.ob_size.set(len as isize);
            made.ob_shash.store(-1, Ordering::Relaxed);
            made.data_ptr().add(len).write(0);
            Ok(made)
        }
    }

    /// Where the data begins. Writing is for whoever has just made the object.
    #[inline(always)]
    pub fn data_ptr(&self) -> *mut u8 {
        // The object may be larger than its struct: the pointer keeps the whole block's provenance.
        core::ptr::from_ref(self).cast::<u8>().wrapping_add(size_of::<PyBytes>()).cast_mut()
    }

    /// The bytes.
    #[inline(always)]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: `ob_size` bytes follow the header, and do not change by I2.
        unsafe { core::slice::from_raw_parts(self.data_ptr(), self.len()) }
    }

    /// How many there are.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.ob_base.ob_size.get() as usize
    }

    /// Whether there are none.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the type is exactly `bytes`.
    #[inline(always)]
    pub fn is_exact(&self) -> bool {
        core::ptr::eq(self.as_object().ob_type(), &raw const BYTES_TYPE.object)
    }

    /// Has the hash computed anew when it is next asked for.
    pub(crate) fn forget_hash(&self) {
        self.ob_shash.store(-1, Ordering::Relaxed);
    }

    /// The hash; computed once.
    #[inline]
    pub fn hash_value(&self) -> isize {
        let known = self.ob_shash.load(Ordering::Relaxed);
        if known != -1 {
            return known;
        }
        let hash = crate::types::hash::hash_bytes(self.as_slice());
        self.ob_shash.store(hash, Ordering::Relaxed);
        hash
    }

    /// The bytes from `start` to before `end`; the object itself when that is all of it.
    #[inline]
    pub fn slice(&self, ts: &ThreadState, start: usize, end: usize) -> PyResult<Ref<PyBytes>> {
        if start == 0 && end == self.len() && self.is_exact() {
            return Ok(Ref::from_borrowed(self));
        }
        PyBytes::new(ts, &self.as_slice()[start..end])
    }
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn bytes_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a bytes object whose count is zero.
    unsafe {
        if (*object).ob_type().is_gc() {
            crate::object::gc::untrack(&*object);
        }
        alloc::free(ts, object);
    }
}
