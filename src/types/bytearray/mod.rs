//! `bytearray`: bytes that can be changed, in a buffer in the mem domain.
//!
//! ```text
//!  ┌───────────┬─────────┬─────────┬──────────┬──────────┬──────────┬────────────┐
//!  │ ob_refcnt │ ob_type │ ob_size │ ob_alloc │ ob_bytes │ ob_start │ ob_exports │
//!  └───────────┴─────────┴─────────┴──────────┴────┬─────┴────┬─────┴────────────┘
//!                                                  ▼          ▼
//!                                                 ┌──────────┬──────────────┬─────┬ ─ ─ ─ ┐
//!                                                 │ cut off  │ data         │ NUL │ spare
//!                                                 └──────────┴──────────────┴─────┴ ─ ─ ─ ┘
//!                                                  ◄─────────── ob_alloc ────────────────►
//! ```
//!
//! I1: `ob_start - ob_bytes + ob_size + 1 <= ob_alloc`, and a NUL follows the data; or there is no buffer and no data.
//! I2: while `ob_exports` is positive the buffer neither moves nor changes its size.
//! I3: bytes are cut off at the beginning by moving `ob_start`: a queue costs no copying.

mod iter;
mod methods;
mod slots;

use core::cell::Cell;
use core::mem::MaybeUninit;
use core::ops::Deref;

pub use iter::{BYTEARRAY_ITERATOR_TYPE, PyByteArrayIter};

use crate::object::{
    AsObject, MethodDef, PyObject, PyResult, PyTypeObject, PyVarObject, Ref, StaticType, TypeSlots, TypeSpec, alloc,
    flags,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::byte_methods;
use crate::types::bytes::shared::ByteString;
use crate::types::exceptions as exc;

/// The types of this folder.
pub static TYPES: &[&StaticType] = &[&BYTEARRAY_TYPE, &BYTEARRAY_ITERATOR_TYPE];

/// A bytearray.
#[repr(C)]
pub struct PyByteArray {
    ob_base: PyVarObject,
    ob_alloc: Cell<isize>,
    ob_bytes: Cell<*mut u8>,
    ob_start: Cell<*mut u8>,
    ob_exports: Cell<isize>,
}

crate::native!(PyByteArray, BYTEARRAY_TYPE);

/// `bytearray`.
#[unsafe(export_name = "PyByteArray_Type")]
pub static BYTEARRAY_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"bytearray",
    basicsize: size_of::<PyByteArray>(),
    flags: flags::BASETYPE | flags::MATCH_SELF,
    doc: "bytearray(iterable_of_ints) -> bytearray\nbytearray(string, encoding[, errors]) -> bytearray\nbytearray(bytes_or_buffer) -> mutable copy of bytes_or_buffer\nbytearray(int) -> bytes array of size given by the parameter initialized with null bytes\nbytearray() -> empty bytes array",
    slots: TypeSlots {
        new: Some(bytearray_new),
        init: Some(methods::bytearray_init),
        dealloc: Some(bytearray_dealloc),
        repr: Some(slots::bytearray_repr),
        str: Some(slots::bytearray_str),
        richcompare: Some(slots::bytearray_compare),
        iter: Some(iter::bytearray_iter),
        nb_remainder: Some(slots::bytearray_remainder),
        sq_length: Some(|_, this| Ok(this.cast::<PyByteArray>().len())),
        mp_length: Some(|_, this| Ok(this.cast::<PyByteArray>().len())),
        sq_concat: Some(slots::bytearray_concat),
        sq_repeat: Some(slots::bytearray_repeat),
        sq_item: Some(slots::bytearray_item),
        sq_ass_item: Some(slots::bytearray_ass_item),
        sq_contains: Some(crate::types::bytes::shared::m::contains::<PyByteArray>),
        sq_inplace_concat: Some(slots::bytearray_inplace_concat),
        sq_inplace_repeat: Some(slots::bytearray_inplace_repeat),
        mp_subscript: Some(slots::bytearray_subscript),
        mp_ass_subscript: Some(slots::bytearray_ass_subscript),
        bf_getbuffer: Some(|ts, this, view, flags| {
            let this = this.cast::<PyByteArray>();
            // SAFETY: the buffer does not move while it is exported (I2), and the view keeps the object alive.
            unsafe { view.fill(ts, this.data_ptr(), this.len(), false, flags)? };
            this.ob_exports.set(this.ob_exports.get() + 1);
            Ok(())
        }),
        bf_releasebuffer: Some(|_, this, _| {
            let this = this.cast::<PyByteArray>();
            this.ob_exports.set(this.ob_exports.get() - 1);
        }),
        ..TypeSlots::EMPTY
    },
    methods: byte_methods![PyByteArray;
        MethodDef::no_args("__alloc__", methods::alloc, "B.__alloc__() -> int\n\nHow many bytes are allocated."),
        MethodDef::no_args("__reduce__", methods::reduce, "__reduce__($self, /)\n--\n\nWhat pickle needs to make the object again."),
        MethodDef::positional("__reduce_ex__", methods::reduce_ex, "__reduce_ex__($self, proto=0, /)\n--\n\nWhat pickle needs to make the object again, for its protocol."),
        MethodDef::no_args("__sizeof__", methods::sizeof, "__sizeof__($self, /)\n--\n\nThe size in memory, in bytes, with the buffer."),
        MethodDef::one("append", methods::append, "append($self, item, /)\n--\n\nPut a byte at the end."),
        MethodDef::no_args("clear", methods::clear, "clear($self, /)\n--\n\nTake all bytes out."),
        MethodDef::no_args("copy", methods::copy, "copy($self, /)\n--\n\nA new bytearray of the same bytes."),
        MethodDef::one("extend", methods::extend, "extend($self, iterable_of_ints, /)\n--\n\nPut the bytes of the iterable at the end."),
        MethodDef::positional("insert", methods::insert, "insert($self, index, item, /)\n--\n\nPut a byte before the one at index."),
        MethodDef::positional("pop", methods::pop, "pop($self, index=-1, /)\n--\n\nTake the byte at index out, the last one by default, and return it; IndexError\nwhen there is none."),
        MethodDef::one("remove", methods::remove, "remove($self, value, /)\n--\n\nTake the first byte of that value out; ValueError when there is none."),
        MethodDef::one("resize", methods::resize, "resize($self, size, /)\n--\n\nCut the data to that size, or make it that long with zeros."),
        MethodDef::no_args("reverse", methods::reverse, "reverse($self, /)\n--\n\nTurn the order of the bytes round."),
    ],
    ..TypeSpec::EMPTY
});

/// The bytes of a bytearray, exported as long as this lives.
pub struct Exported<'a>(&'a PyByteArray);

impl Deref for Exported<'_> {
    type Target = [u8];
    #[inline(always)]
    fn deref(&self) -> &[u8] {
        // SAFETY: I2: the buffer stays as long as `self` lives.
        unsafe { self.0.as_slice() }
    }
}

impl Drop for Exported<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.ob_exports.set(self.0.ob_exports.get() - 1);
    }
}

impl ByteString for PyByteArray {
    const IMMUTABLE: bool = false;
    type Held<'a> = Exported<'a>;

    #[inline]
    fn hold(&self) -> Exported<'_> {
        self.ob_exports.set(self.ob_exports.get() + 1);
        Exported(self)
    }
    fn make(ts: &ThreadState, bytes: &[u8]) -> PyResult {
        PyByteArray::new(ts, bytes).map(Ref::into_object)
    }
    fn build(ts: &ThreadState, len: usize, fill: impl FnOnce(&mut [MaybeUninit<u8>])) -> PyResult {
        PyByteArray::build(ts, len, fill).map(Ref::into_object)
    }
}

/// Where an empty bytearray's data is.
static NOTHING: [u8; 1] = [0];

impl PyByteArray {
    /// A bytearray of the given bytes.
    pub fn new(ts: &ThreadState, bytes: &[u8]) -> PyResult<Ref<PyByteArray>> {
        Self::build(ts, bytes.len(), |place| {
            place.write_copy_of_slice(bytes);
        })
    }

    /// A bytearray of `len` bytes, written by `fill`, which must write them all.
    pub(crate) fn build(
        ts: &ThreadState,
        len: usize,
        fill: impl FnOnce(&mut [MaybeUninit<u8>]),
    ) -> PyResult<Ref<PyByteArray>> {
        let made = alloc::exact::<PyByteArray>(ts)?;
        if len > 0 {
            // SAFETY: nobody else has seen the new object, and the buffer has room for the bytes.
            unsafe {
                made.resize_uninit(ts, len)?;
                fill(core::slice::from_raw_parts_mut(made.data_ptr().cast(), len));
            }
        }
        Ok(made)
    }

    /// Where the data begins; a NUL follows it.
    #[inline(always)]
    pub fn data_ptr(&self) -> *mut u8 {
        let start = self.ob_start.get();
        if start.is_null() { NOTHING.as_ptr().cast_mut() } else { start }
    }

    /// How many bytes there are.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.ob_base.ob_size.get() as usize
    }

    /// Whether there are none.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes.
    ///
    /// # Safety
    /// Nothing changes them while the slice is used: no Python code runs in between.
    #[inline(always)]
    pub unsafe fn as_slice(&self) -> &[u8] {
        // SAFETY: I1, and the caller's promise.
        unsafe { core::slice::from_raw_parts(self.data_ptr(), self.len()) }
    }

    /// The bytes, to be changed.
    ///
    /// # Safety
    /// Nothing else reads or changes them while the slice is used.
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "the data is in another block than the object")]
    pub unsafe fn as_mut_slice(&self) -> &mut [u8] {
        if self.is_empty() {
            return &mut [];
        }
        // SAFETY: I1, and the caller's promise.
        unsafe { core::slice::from_raw_parts_mut(self.data_ptr(), self.len()) }
    }

    /// The byte at an index.
    #[inline(always)]
    pub fn get(&self, index: usize) -> Option<u8> {
        // SAFETY: the slice is gone after this expression.
        unsafe { self.as_slice() }.get(index).copied()
    }

    /// Raises BufferError while the memory is exported.
    #[inline]
    pub fn check_resizable(&self, ts: &ThreadState) -> PyResult<()> {
        if self.ob_exports.get() > 0 {
            return raise!(ts, exc::BufferError, "Existing exports of data: object cannot be re-sized");
        }
        Ok(())
    }

    /// Makes the data `len` bytes long; what is new is zero (`PyByteArray_Resize`).
    ///
    /// Raises BufferError while it is exported, MemoryError.
    pub fn resize(&self, ts: &ThreadState, len: usize) -> PyResult<()> {
        let old = self.len();
        // SAFETY: the new bytes are written right here.
        unsafe {
            self.resize_uninit(ts, len)?;
            if len > old {
                core::ptr::write_bytes(self.data_ptr().add(old), 0, len - old);
            }
        }
        Ok(())
    }

    /// The same, with new bytes left as they are.
    ///
    /// # Safety
    /// The caller writes the new bytes before they can be read.
    pub(crate) unsafe fn resize_uninit(&self, ts: &ThreadState, len: usize) -> PyResult<()> {
        let old = self.len();
        if len == old {
            return Ok(());
        }
        self.check_resizable(ts)?;
        let cut_off = self.ob_start.get().addr() - self.ob_bytes.get().addr();
        let room = self.ob_alloc.get() as usize;
        if cut_off + len < room && len + 1 >= room / 2 {
            self.set_len(len);
            return Ok(());
        }
        if len > isize::MAX as usize - 64 {
            return Err(ts.raise_no_memory());
        }
        let want = match len {
            0 => 0,
            // Much smaller, or much larger: just as much as is needed.
            _ if len < room / 2 || len > room + room / 8 => len + 1,
            _ => len + (len >> 3) + if len < 9 { 3 } else { 6 },
        };
        // SAFETY: the old buffer is this object's own; I1 holds after the branch that is taken.
        unsafe {
            if want == 0 {
                ts.heap().mem_free(self.ob_bytes.replace(core::ptr::null_mut()));
                self.ob_start.set(core::ptr::null_mut());
                self.ob_alloc.set(0);
                self.ob_base.ob_size.set(0);
                return Ok(());
            }
            let buffer = if cut_off > 0 {
                let buffer = ts.heap().mem_alloc(want);
                if !buffer.is_null() {
                    core::ptr::copy_nonoverlapping(self.ob_start.get(), buffer, old.min(len));
                    ts.heap().mem_free(self.ob_bytes.get());
                }
                buffer
            } else {
                ts.heap().mem_realloc(self.ob_bytes.get(), want)
            };
            if buffer.is_null() {
                return Err(ts.raise_no_memory());
            }
            self.ob_bytes.set(buffer);
            self.ob_start.set(buffer);
        }
        self.ob_alloc.set(want as isize);
        self.set_len(len);
        Ok(())
    }

    /// Notes a length that the buffer has room for.
    #[inline]
    fn set_len(&self, len: usize) {
        self.ob_base.ob_size.set(len as isize);
        // SAFETY: I1: there is room for the NUL.
        unsafe { self.ob_start.get().add(len).write(0) };
    }

    /// Puts bytes at the end.
    pub fn extend(&self, ts: &ThreadState, bytes: &[u8]) -> PyResult<()> {
        let old = self.len();
        if bytes.is_empty() {
            return Ok(());
        }
        let Some(len) = old.checked_add(bytes.len()) else {
            return Err(ts.raise_no_memory());
        };
        // SAFETY: `bytes` is not in this buffer: then it would be exported, which `resize_uninit` has refused.
        unsafe {
            self.resize_uninit(ts, len)?;
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), self.data_ptr().add(old), bytes.len());
        }
        Ok(())
    }

    /// Puts one byte at the end.
    #[inline]
    pub fn push(&self, ts: &ThreadState, byte: u8) -> PyResult<()> {
        let len = self.len();
        if len == isize::MAX as usize - 64 {
            return raise!(ts, exc::OverflowError, "cannot add more objects to bytearray");
        }
        // SAFETY: the one new byte is written.
        unsafe {
            self.resize_uninit(ts, len + 1)?;
            self.data_ptr().add(len).write(byte);
        }
        Ok(())
    }

    /// Replaces the bytes from `start` to before `end`, which are in bounds, by others that are not in this buffer.
    pub fn splice(&self, ts: &ThreadState, start: usize, end: usize, bytes: &[u8]) -> PyResult<()> {
        let (old, removed, added) = (self.len(), end - start, bytes.len());
        debug_assert!(start <= end && end <= old);
        if added < removed {
            self.check_resizable(ts)?;
            let less = removed - added;
            // SAFETY: all within the data; the buffer has not been given away.
            unsafe {
                if start == 0 {
                    self.ob_start.set(self.ob_start.get().add(less));
                } else {
                    let data = self.data_ptr();
                    core::ptr::copy(data.add(end), data.add(end - less), old - end);
                }
            }
            self.cut_to(ts, old - less);
        } else if added > removed {
            let more = added - removed;
            let Some(len) = old.checked_add(more) else { return Err(ts.raise_no_memory()) };
            // SAFETY: what is new is written here: the tail moves up, the bytes come into the gap.
            unsafe {
                self.resize_uninit(ts, len)?;
                let data = self.data_ptr();
                core::ptr::copy(data.add(end), data.add(end + more), old - end);
            }
        }
        // SAFETY: the place is within the data; `copy` allows a source that was exported from it.
        unsafe { core::ptr::copy(bytes.as_ptr(), self.data_ptr().add(start), added) };
        Ok(())
    }

    /// Shortens the data; memory that cannot be given back is kept.
    fn cut_to(&self, ts: &ThreadState, len: usize) {
        // SAFETY: there are no new bytes.
        if let Err(raised) = unsafe { self.resize_uninit(ts, len) } {
            ts.clear_raised(raised);
            self.set_len(len);
        }
    }
}

/// `tp_new`: without data, which `__init__` brings.
fn bytearray_new(ts: &ThreadState, of: &PyTypeObject, _args: crate::object::Args<'_>) -> PyResult {
    let made = alloc::object::<PyByteArray>(ts, of)?;
    if of.is_gc() {
        crate::object::gc::track(ts, &*made);
    }
    Ok(made.into_object())
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn bytearray_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a bytearray whose count is zero; the buffer is its own.
    unsafe {
        let this = (*object).cast_unchecked::<PyByteArray>();
        if this.as_object().ob_type().is_gc() {
            crate::object::gc::untrack(&*object);
        }
        if this.ob_exports.get() > 0 {
            let raised =
                ts.raise_fmt(&exc::SystemError, format_args!("deallocated bytearray object has exported buffers"));
            exc::write_unraisable(ts, raised, None, crate::types::none::none());
        }
        ts.heap().mem_free(this.ob_bytes.get());
        alloc::free(ts, object);
    }
}
