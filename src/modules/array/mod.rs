//! `array`: sequences of numbers or characters of one C type.
//!
//! ```text
//!  ┌───────────┬─────────┬─────────┬─────────┬───────────┬──────┬─────────┬──────────┐
//!  │ ob_refcnt │ ob_type │ ob_size │ ob_item │ allocated │ kind │ exports │ weakrefs │
//!  └───────────┴─────────┴─────────┴────┬────┴───────────┴──────┴─────────┴──────────┘
//!                                       ▼ items of kind.size() bytes each, in the mem domain
//! ```
//!
//! I1: the buffer has room for `allocated` items, of which the first `ob_size` are there.
//! I2: while `exports` is positive, neither changes.

mod iter;
pub(crate) mod kind;
mod methods;
mod new;
mod pickle;
mod slots;

use core::cell::Cell;
use core::mem::offset_of;

use self::kind::Kind;
use crate::modules::ModuleSpec;
use crate::object::buffer;
use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    AsObject, GetSetDef, MethodDef, PyObject, PyResult, PyTypeObject, PyVarObject, Ref, StaticType, TypeSlots,
    TypeSpec, alloc, flags, gc, protocol, ready,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::genericalias;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::str::PyStr;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "array",
    doc: "Arrays of numbers or characters of one C type: like lists, but compact.",
    methods: &[MethodDef::positional(
        "_array_reconstructor",
        pickle::reconstruct,
        "_array_reconstructor($module, arraytype, typecode, mformat_code, items,\n                     /)\n--\n\nMake an array from what its __reduce_ex__ has given.",
    )],
    types: &[&ARRAY_TYPE],
    exec: Some(exec),
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    ready::ready_static(ts, &iter::ARRAY_ITERATOR_TYPE)?;
    module.add(ts, "ArrayType", ARRAY_TYPE.as_object())?;
    module.add_str(ts, "typecodes", "bBuwhHiIlLqQfd")?;
    let abc = protocol::import_attr(ts, "collections.abc", "MutableSequence")?;
    protocol::call_named(ts, &abc, "register", &[ARRAY_TYPE.as_object()])?;
    Ok(())
}

/// An array.
#[repr(C)]
pub struct PyArray {
    ob_base: PyVarObject,
    ob_item: Cell<*mut u8>,
    allocated: Cell<usize>,
    kind: Cell<Kind>,
    exports: Cell<isize>,
    weaklist: WeakrefList,
}

crate::native!(PyArray, ARRAY_TYPE);

/// `array.array`.
pub static ARRAY_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"array.array",
    basicsize: size_of::<PyArray>(),
    flags: flags::BASETYPE | flags::SEQUENCE,
    doc: "array(typecode [, initializer]) -> array\n\nAn array of items of the C type that typecode says, from an initializer: a list, bytes, a string or\nany iterable of items.\n\n    Type code   C Type             Minimum size in bytes\n    'b'         signed integer     1\n    'B'         unsigned integer   1\n    'u'         Unicode character  2 (see note)\n    'w'         Unicode character  4\n    'h'         signed integer     2\n    'H'         unsigned integer   2\n    'i'         signed integer     2\n    'I'         unsigned integer   2\n    'l'         signed integer     4\n    'L'         unsigned integer   4\n    'q'         signed integer     8\n    'Q'         unsigned integer   8\n    'f'         floating-point     4\n    'd'         floating-point     8\n\nNOTE: 'u' is C's wchar_t; it is deprecated.",
    slots: TypeSlots {
        new: Some(new::array_new),
        dealloc: Some(array_dealloc),
        repr: Some(slots::repr),
        richcompare: Some(slots::compare),
        iter: Some(iter::array_iter),
        hash: None,
        sq_length: Some(|_, this| Ok(this.cast::<PyArray>().len())),
        mp_length: Some(|_, this| Ok(this.cast::<PyArray>().len())),
        sq_concat: Some(slots::concat),
        sq_repeat: Some(slots::repeat),
        sq_item: Some(slots::item),
        sq_ass_item: Some(slots::ass_item),
        sq_contains: Some(slots::contains),
        sq_inplace_concat: Some(slots::inplace_concat),
        sq_inplace_repeat: Some(slots::inplace_repeat),
        mp_subscript: Some(slots::subscript),
        mp_ass_subscript: Some(slots::ass_subscript),
        bf_getbuffer: Some(|_, this, view, flags| {
            let this = this.cast::<PyArray>();
            let kind = this.kind();
            view.buf = this.data_ptr().cast();
            view.len = (this.len() * kind.size()) as isize;
            view.readonly = 0;
            view.ndim = 1;
            view.itemsize = kind.size() as isize;
            view.suboffsets = core::ptr::null_mut();
            // The count of items stays where it is, and as it is, while there are exports (I2).
            view.shape =
                if flags & buffer::ND == buffer::ND { this.ob_base.ob_size.as_ptr() } else { core::ptr::null_mut() };
            view.strides =
                if flags & buffer::STRIDES == buffer::STRIDES { &raw mut view.itemsize } else { core::ptr::null_mut() };
            view.format =
                if flags & buffer::FORMAT != 0 { kind.format().as_ptr().cast_mut() } else { core::ptr::null_mut() };
            view.internal = core::ptr::null_mut();
            this.exports.set(this.exports.get() + 1);
            Ok(())
        }),
        bf_releasebuffer: Some(|_, this, _| {
            let this = this.cast::<PyArray>();
            this.exports.set(this.exports.get() - 1);
        }),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one("append", methods::append, "append($self, v, /)\n--\n\nPut an item at the end."),
        MethodDef::no_args(
            "buffer_info",
            methods::buffer_info,
            "buffer_info($self, /)\n--\n\nThe address of the memory and the number of items, as a tuple.",
        ),
        MethodDef::no_args(
            "byteswap",
            methods::byteswap,
            "byteswap($self, /)\n--\n\nTurn the bytes of each item round.",
        ),
        MethodDef::no_args("clear", methods::clear, "clear($self, /)\n--\n\nTake all items out."),
        MethodDef::no_args("__copy__", methods::copy, "__copy__($self, /)\n--\n\nA copy of the array."),
        MethodDef::one("count", methods::count, "count($self, v, /)\n--\n\nHow many items are equal to v."),
        MethodDef::one(
            "__deepcopy__",
            |ts, this, _| methods::copy(ts, this),
            "__deepcopy__($self, unused, /)\n--\n\nA copy of the array.",
        ),
        MethodDef::one(
            "extend",
            methods::extend,
            "extend($self, bb, /)\n--\n\nPut the items of an iterable at the end.",
        ),
        MethodDef::positional(
            "fromfile",
            methods::fromfile,
            "fromfile($self, f, n, /)\n--\n\nPut n items at the end that are read from a file object.",
        ),
        MethodDef::one(
            "fromlist",
            methods::fromlist,
            "fromlist($self, list, /)\n--\n\nPut the items of a list at the end.",
        ),
        MethodDef::one(
            "frombytes",
            methods::frombytes,
            "frombytes($self, buffer, /)\n--\n\nPut items at the end that lie in memory as the bytes do.",
        ),
        MethodDef::one(
            "fromunicode",
            methods::fromunicode,
            "fromunicode($self, ustr, /)\n--\n\nPut the characters of a string at the end.",
        ),
        MethodDef::positional(
            "index",
            methods::index,
            "index($self, v, start=0, stop=sys.maxsize, /)\n--\n\nThe index of the first item equal to v; ValueError when there is none.",
        ),
        MethodDef::positional(
            "insert",
            methods::insert,
            "insert($self, i, v, /)\n--\n\nPut an item before position i.",
        ),
        MethodDef::positional("pop", methods::pop, "pop($self, i=-1, /)\n--\n\nTake the item at i out and return it."),
        MethodDef::no_args("__reduce__", pickle::reduce, ""),
        MethodDef::one(
            "__reduce_ex__",
            pickle::reduce_ex,
            "__reduce_ex__($self, value, /)\n--\n\nWhat pickle needs to make the array again.",
        ),
        MethodDef::one("remove", methods::remove, "remove($self, v, /)\n--\n\nTake the first item equal to v out."),
        MethodDef::no_args("reverse", methods::reverse, "reverse($self, /)\n--\n\nTurn the order of the items round."),
        MethodDef::one(
            "tofile",
            methods::tofile,
            "tofile($self, f, /)\n--\n\nWrite the items to a file object as they lie in memory.",
        ),
        MethodDef::no_args("tolist", methods::tolist, "tolist($self, /)\n--\n\nThe items as a list."),
        MethodDef::no_args(
            "tobytes",
            methods::tobytes,
            "tobytes($self, /)\n--\n\nThe items as bytes, as they lie in memory.",
        ),
        MethodDef::no_args("tounicode", methods::tounicode, "tounicode($self, /)\n--\n\nThe characters as a string."),
        MethodDef::no_args(
            "__sizeof__",
            methods::sizeof,
            "__sizeof__($self, /)\n--\n\nThe size in memory, in bytes, with the buffer.",
        ),
        MethodDef::one("__class_getitem__", genericalias::class_getitem, "See PEP 585").class(),
    ],
    getset: &[
        GetSetDef::get(
            "typecode",
            |_, this| Ok(PyStr::latin1_char(this.cast::<PyArray>().kind().code()).new_ref()),
            "the typecode character used to create the array",
        ),
        GetSetDef::get(
            "itemsize",
            |ts, this| PyInt::from_usize(ts, this.cast::<PyArray>().kind().size()),
            "the size, in bytes, of one array item",
        ),
    ],
    weaklistoffset: offset_of!(PyArray, weaklist),
    ..TypeSpec::EMPTY
});

impl PyArray {
    /// An array of `len` items of a kind, zeroed.
    pub(crate) fn new(ts: &ThreadState, of: &PyTypeObject, kind: Kind, len: usize) -> PyResult<Ref<PyArray>> {
        let made = alloc::object::<PyArray>(ts, of)?;
        made.kind.set(kind);
        if of.is_gc() {
            gc::track(ts, &*made);
        }
        made.resize(ts, len)?;
        Ok(made)
    }

    /// The kind of the items.
    #[inline(always)]
    pub(crate) fn kind(&self) -> Kind {
        self.kind.get()
    }

    /// How many items there are.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.ob_base.ob_size.get() as usize
    }

    /// Where the items begin.
    #[inline(always)]
    pub(crate) fn data_ptr(&self) -> *mut u8 {
        let items = self.ob_item.get();
        // An empty array has an address, too.
        if items.is_null() { core::ptr::without_provenance_mut(8) } else { items }
    }

    /// The items' memory.
    ///
    /// # Safety
    /// Nothing changes the array while the slice is used.
    #[inline(always)]
    pub(crate) unsafe fn bytes(&self) -> &[u8] {
        // SAFETY: I1, and the caller's promise.
        unsafe { core::slice::from_raw_parts(self.data_ptr(), self.len() * self.kind().size()) }
    }

    /// The same, to be written to.
    ///
    /// # Safety
    /// Nothing else reads or changes the array while the slice is used.
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "the items are in another block than the object")]
    pub(crate) unsafe fn bytes_mut(&self) -> &mut [u8] {
        // SAFETY: I1, and the caller's promise.
        unsafe { core::slice::from_raw_parts_mut(self.data_ptr(), self.len() * self.kind().size()) }
    }

    /// Makes room for `len` items exactly as many as there are; new ones are zero.
    ///
    /// Raises BufferError while the memory is exported, MemoryError.
    pub(crate) fn resize(&self, ts: &ThreadState, len: usize) -> PyResult<()> {
        let old = self.len();
        if len == old {
            return Ok(());
        }
        if self.exports.get() > 0 {
            return raise!(ts, exc::BufferError, "cannot resize an array that is exporting buffers");
        }
        let size = self.kind().size();
        let room = self.allocated.get();
        if len > room || len < room / 2 {
            // A first allocation is exact, later ones leave room for more.
            let want = match len {
                0 => 0,
                _ if room == 0 => len,
                _ => len + (len >> 4) + if old < 8 { 3 } else { 7 },
            };
            if want > isize::MAX as usize / size {
                return Err(ts.raise_no_memory());
            }
            if want == 0 {
                // SAFETY: the buffer is the array's own.
                unsafe { ts.heap().mem_free(self.ob_item.replace(core::ptr::null_mut())) };
            } else {
                // SAFETY: as above; when it cannot be changed it stays as it was.
                let buffer = unsafe { ts.heap().mem_realloc(self.ob_item.get(), want * size) };
                if buffer.is_null() {
                    return Err(ts.raise_no_memory());
                }
                self.ob_item.set(buffer);
            }
            self.allocated.set(want);
        }
        if len > old {
            // SAFETY: there is room for `len` items.
            unsafe { core::ptr::write_bytes(self.data_ptr().add(old * size), 0, (len - old) * size) };
        }
        self.ob_base.ob_size.set(len as isize);
        Ok(())
    }

    /// The item at an index, if there is one.
    #[inline]
    pub(crate) fn get(&self, ts: &ThreadState, index: usize) -> PyResult<Option<crate::object::PyRef>> {
        if index >= self.len() {
            return Ok(None);
        }
        // SAFETY: the index is in bounds; making the object runs no Python code.
        unsafe { self.kind().load(ts, self.data_ptr().add(index * self.kind().size())) }.map(Some)
    }

    /// Writes an item's bytes at an index in bounds.
    #[inline]
    pub(crate) fn put(&self, index: usize, word: &kind::Word) {
        debug_assert!(index < self.len());
        let size = self.kind().size();
        // SAFETY: the index is in bounds.
        unsafe { core::ptr::copy_nonoverlapping(word.as_ptr(), self.data_ptr().add(index * size), size) };
    }

    /// Puts an item at the end.
    pub(crate) fn push(&self, ts: &ThreadState, value: &PyObject) -> PyResult<()> {
        let word = self.kind().convert(ts, value)?;
        let len = self.len();
        self.resize(ts, len + 1)?;
        self.put(len, &word);
        Ok(())
    }

    /// Puts items at the end that lie in memory as the bytes do; a part of an item is a ValueError.
    pub(crate) fn push_bytes(&self, ts: &ThreadState, bytes: &[u8]) -> PyResult<()> {
        let size = self.kind().size();
        if !bytes.len().is_multiple_of(size) {
            return raise!(ts, exc::ValueError, "bytes length not a multiple of item size");
        }
        let old = self.len();
        self.resize(ts, old + bytes.len() / size)?;
        // SAFETY: the places are new, and `bytes` is not in this buffer: then it could not have been resized, unless
        // there is nothing to copy.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), self.data_ptr().add(old * size), bytes.len()) };
        Ok(())
    }

    /// Replaces the items from `start` to before `end`, which are in bounds, by the items in `bytes`, which are not in
    /// this array's buffer.
    pub(crate) fn splice(&self, ts: &ThreadState, start: usize, end: usize, bytes: &[u8]) -> PyResult<()> {
        let size = self.kind().size();
        let (old, removed, added) = (self.len(), end - start, bytes.len() / size);
        if added > removed {
            self.resize(ts, old + added - removed)?;
        } else if added < removed && self.exports.get() > 0 {
            return raise!(ts, exc::BufferError, "cannot resize an array that is exporting buffers");
        }
        // SAFETY: all places are within the larger of the two lengths.
        unsafe {
            let data = self.data_ptr();
            core::ptr::copy(data.add(end * size), data.add((start + added) * size), (old - end) * size);
            core::ptr::copy_nonoverlapping(bytes.as_ptr(), data.add(start * size), bytes.len());
        }
        if added < removed {
            self.resize(ts, old - (removed - added))?;
        }
        Ok(())
    }
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn array_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with an array whose count is zero; the buffer is its own.
    unsafe {
        if (*object).ob_type().is_gc() {
            gc::untrack(&*object);
        }
        weakref::clear_all(ts, &*object);
        ts.heap().mem_free((*object).cast_unchecked::<PyArray>().ob_item.get());
        alloc::free(ts, object);
    }
}
