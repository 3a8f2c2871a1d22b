//! `memoryview`: another object's memory, looked at through the buffer protocol.
//!
//! ```text
//!  memoryview ──┐                                     ┌─────────────┐ owns the one view that
//!  memoryview ──┼── PyManagedBuffer: exports, master ─┤ the exporter│ was got from the exporter
//!  slice      ──┘                                     └─────────────┘
//!  each has its own Py_buffer `view`, whose shape, strides and suboffsets stand behind the object
//! ```
//!
//! I1: a memoryview that is not released counts in its managed buffer's `exports`; when the count falls to zero the
//!     managed buffer gives the exporter's view back.
//! I2: a memoryview with `exports` is not released.
//! I3: the memory is not touched once `RELEASED` is set: whatever has run Python code checks again.
//!
//! | file | what |
//! |---|---|
//! | `strided` | dimensions, contiguity, walking and copying; for C's `PyBuffer_*` too |
//! | `item` | single items of native formats |
//! | `index` | subscripts and slices |
//! | `compare` | equality and hash |
//! | `methods` | methods and attributes |
//! | `cast` | other formats and shapes for the same memory |
//! | `python` | `__buffer__` and `__release_buffer__` written in Python |

mod cast;
mod compare;
mod index;
mod item;
mod iter;
mod methods;
mod python;
pub mod strided;

use core::cell::{Cell, UnsafeCell};
use core::mem::offset_of;
use core::ops::ControlFlow;

use hognose_allocators::collections::TryVec;

use crate::object::buffer::{self, PyBuffer};
use crate::object::slots::GetBufferFn;
use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyResult, PyTypeObject, PyVarObject, Ref, Signature, Slot,
    StaticType, TypeSlots, TypeSpec, Visitor, alloc, flags, gc,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::genericalias;

pub use python::{buffer_from_python, release_for, release_from_python};
use strided::{Complete, MAX_DIMENSIONS, Order, is_contiguous};

/// The types of this folder.
pub static TYPES: &[&StaticType] =
    &[&MEMORYVIEW_TYPE, &MANAGED_BUFFER_TYPE, &iter::MEMORY_ITERATOR_TYPE, &python::BUFFER_WRAPPER_TYPE];

/// Released: the memory must not be touched any more.
const RELEASED: i32 = 0x01;
/// Contiguous in C's order.
const C: i32 = 0x02;
/// Contiguous in Fortran's order.
const FORTRAN: i32 = 0x04;
/// Of no dimension.
const SCALAR: i32 = 0x08;
/// With pointers in between.
const INDIRECT: i32 = 0x10;
/// Valid only during a call of `__release_buffer__`.
const RESTRICTED: i32 = 0x20;

/// The one view that was got from an exporter, shared by the memoryviews on it.
#[repr(C)]
pub struct PyManagedBuffer {
    ob_base: PyObject,
    flags: Cell<i32>,
    exports: Cell<isize>,
    master: UnsafeCell<PyBuffer>,
}

crate::native!(PyManagedBuffer, MANAGED_BUFFER_TYPE);

/// A memoryview; three numbers for each dimension follow.
#[repr(C)]
pub struct PyMemoryView {
    ob_base: PyVarObject,
    mbuf: Slot<PyManagedBuffer>,
    hash: Cell<isize>,
    flags: Cell<i32>,
    exports: Cell<isize>,
    view: UnsafeCell<PyBuffer>,
    weaklist: WeakrefList,
}

crate::native!(PyMemoryView, MEMORYVIEW_TYPE);

/// The type of what memoryviews share.
pub static MANAGED_BUFFER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"managedbuffer",
    basicsize: size_of::<PyManagedBuffer>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(managed_dealloc),
        traverse: Some(|this, visitor| {
            // SAFETY: nothing changes the view during a traversal; its `obj` is null or an owned reference.
            match unsafe { (*this.cast::<PyManagedBuffer>().master.get()).obj.as_ref() } {
                Some(object) => visitor.object(object),
                None => ControlFlow::Continue(()),
            }
        }),
        clear: Some(|ts, this| this.cast::<PyManagedBuffer>().finish(ts)),
        ..TypeSlots::EMPTY
    },
    ..TypeSpec::EMPTY
});

/// `memoryview`.
#[unsafe(export_name = "PyMemoryView_Type")]
pub static MEMORYVIEW_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"memoryview",
    basicsize: size_of::<PyMemoryView>(),
    itemsize: size_of::<isize>(),
    flags: flags::HAVE_GC | flags::SEQUENCE,
    doc: "memoryview(object)\n--\n\nLook at the memory of an object that has a buffer.",
    slots: TypeSlots {
        new: Some(memoryview_new),
        dealloc: Some(memoryview_dealloc),
        traverse: Some(memoryview_traverse),
        clear: Some(|_, this| this.cast::<PyMemoryView>().mbuf.set(None)),
        repr: Some(methods::repr),
        hash: Some(compare::hash),
        richcompare: Some(compare::compare),
        iter: Some(iter::memory_iter),
        sq_length: Some(index::length),
        mp_length: Some(index::length),
        sq_item: Some(index::item),
        mp_subscript: Some(index::subscript),
        mp_ass_subscript: Some(index::ass_subscript),
        bf_getbuffer: Some(get_buffer),
        bf_releasebuffer: Some(|_, this, _| {
            let this = this.cast::<PyMemoryView>();
            this.exports.set(this.exports.get() - 1);
        }),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("release", methods::release, "release($self, /)\n--\n\nGive the memory back to its object."),
        MethodDef::keywords(
            "tobytes",
            methods::tobytes,
            "tobytes($self, /, order='C')\n--\n\nThe memory as bytes, the items in the order 'C', 'F', or 'A' for as they are.",
        ),
        MethodDef::keywords(
            "hex",
            methods::hex,
            "hex($self, /, sep=<unrepresentable>, bytes_per_sep=1)\n--\n\nThe memory as a string of hexadecimal digits, in groups when there is a separator.",
        ),
        MethodDef::no_args(
            "tolist",
            methods::tolist,
            "tolist($self, /)\n--\n\nThe items as a list, of lists when there are more dimensions.",
        ),
        MethodDef::keywords(
            "cast",
            cast::cast,
            "cast($self, /, format, shape=<unrepresentable>)\n--\n\nThe same memory with another format or shape.",
        ),
        MethodDef::no_args(
            "toreadonly",
            methods::toreadonly,
            "toreadonly($self, /)\n--\n\nA read-only view of the same memory.",
        ),
        MethodDef::one("count", methods::count, "count($self, value, /)\n--\n\nHow many items are equal to value."),
        MethodDef::positional(
            "index",
            methods::index,
            "index($self, value, start=0, stop=sys.maxsize, /)\n--\n\nThe index of the first item equal to value; ValueError when there is none.",
        ),
        MethodDef::keywords(
            "_from_flags",
            methods::from_flags,
            "_from_flags($type, /, object, flags)\n--\n\nA memoryview got with the given buffer flags.",
        )
        .class(),
        MethodDef::no_args("__enter__", methods::enter, ""),
        MethodDef::positional("__exit__", methods::exit, "__exit__($self, /, *exc_info)\n--\n\n"),
        MethodDef::one("__class_getitem__", genericalias::class_getitem, "See PEP 585").class(),
    ],
    getset: &[
        GetSetDef::get("obj", methods::obj, "The object whose memory it is."),
        GetSetDef::get("nbytes", methods::nbytes, "The size in bytes that tobytes() would have."),
        GetSetDef::get("readonly", methods::readonly, "Whether the memory must not be changed."),
        GetSetDef::get("itemsize", methods::itemsize, "The size of an item in bytes."),
        GetSetDef::get("format", methods::format, "The format of an item, as the struct module writes it."),
        GetSetDef::get("ndim", methods::ndim, "The number of dimensions."),
        GetSetDef::get("shape", methods::shape, "The extents of the dimensions."),
        GetSetDef::get("strides", methods::strides, "The distances between items in bytes, by dimension."),
        GetSetDef::get("suboffsets", methods::suboffsets, "What is added after following a pointer, by dimension."),
        GetSetDef::get("c_contiguous", methods::c_contiguous, "Whether the items follow each other in C's order."),
        GetSetDef::get(
            "f_contiguous",
            methods::f_contiguous,
            "Whether the items follow each other in Fortran's order.",
        ),
        GetSetDef::get("contiguous", methods::contiguous, "Whether the items follow each other in either order."),
    ],
    weaklistoffset: offset_of!(PyMemoryView, weaklist),
    ..TypeSpec::EMPTY
});

impl PyManagedBuffer {
    fn empty(ts: &ThreadState) -> PyResult<Ref<PyManagedBuffer>> {
        let made = alloc::exact::<PyManagedBuffer>(ts)?;
        // SAFETY: nobody else has the new object.
        unsafe { *made.master.get() = PyBuffer::EMPTY };
        gc::track(ts, &*made);
        Ok(made)
    }

    fn of_object(ts: &ThreadState, object: &PyObject, flags: i32) -> PyResult<Ref<PyManagedBuffer>> {
        let made = Self::empty(ts)?;
        // SAFETY: the view is this buffer's own, and nobody else can see it before it is filled; it does not move.
        buffer::get_into(ts, object, unsafe { &mut *made.master.get() }, flags)?;
        Ok(made)
    }

    fn finish(&self, ts: &ThreadState) {
        if self.flags.get() & RELEASED != 0 {
            return;
        }
        self.flags.set(self.flags.get() | RELEASED);
        // SAFETY: no memoryview looks at the view any more (I1); `release` takes `obj` out before it runs other code.
        buffer::release(ts, unsafe { &mut *self.master.get() });
    }
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn managed_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a managed buffer whose count is zero.
    unsafe {
        gc::untrack(&*object);
        (*object).cast_unchecked::<PyManagedBuffer>().finish(ts);
        alloc::free(ts, object);
    }
}

impl PyMemoryView {
    /// A memoryview of an object's memory (`PyMemoryView_FromObject`).
    pub fn from_object(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyMemoryView>> {
        from_flags(ts, object, buffer::FULL_RO)
    }

    /// The view. Its memory may be touched only after [`check`](PyMemoryView::check).
    #[inline(always)]
    pub fn view(&self) -> &PyBuffer {
        // SAFETY: a view is written only while its memoryview is being made.
        unsafe { &*self.view.get() }
    }

    /// Raises ValueError when the memory has been given back.
    #[inline(always)]
    pub fn check(&self, ts: &ThreadState) -> PyResult<()> {
        if self.is_released() {
            return raise!(ts, exc::ValueError, "operation forbidden on released memoryview object");
        }
        Ok(())
    }

    /// The same for what makes another view.
    #[inline]
    fn check_for_new(&self, ts: &ThreadState) -> PyResult<()> {
        self.check(ts)?;
        if self.flags.get() & RESTRICTED != 0 {
            return raise!(ts, exc::ValueError, "cannot create new view on restricted memoryview");
        }
        Ok(())
    }

    /// Whether the memory has been given back, by this view or for all.
    #[inline(always)]
    pub fn is_released(&self) -> bool {
        // SAFETY: the borrow ends with the expression.
        let shared = unsafe { self.mbuf.borrow() };
        self.flags.get() & RELEASED != 0 || shared.is_none_or(|mbuf| mbuf.flags.get() & RELEASED != 0)
    }

    #[inline(always)]
    fn has(&self, flag: i32) -> bool {
        self.flags.get() & flag != 0
    }

    /// Gives the memory back; BufferError while it is exported.
    pub fn release_memory(&self, ts: &ThreadState) -> PyResult<()> {
        let exports = self.exports.get();
        if exports > 0 {
            let plural = if exports == 1 { "" } else { "s" };
            return raise!(ts, exc::BufferError, "memoryview has {exports} exported buffer{plural}");
        }
        self.give_back(ts);
        Ok(())
    }

    fn give_back(&self, ts: &ThreadState) {
        if self.has(RELEASED) {
            return;
        }
        self.flags.set(self.flags.get() | RELEASED);
        if let Some(mbuf) = self.mbuf.get() {
            mbuf.exports.set(mbuf.exports.get() - 1);
            if mbuf.exports.get() == 0 {
                mbuf.finish(ts);
            }
        }
    }

    /// Notes what the shape and the strides say.
    fn init_flags(&self) {
        let view = self.view();
        let mut flags = 0;
        if view.ndim == 0 {
            flags |= SCALAR | C | FORTRAN;
        } else if view.ndim == 1 {
            // One dimension is judged by its stride even when it is empty.
            // SAFETY: a memoryview's view has an extent and a stride for each dimension.
            if unsafe { *view.shape == 1 || *view.strides == view.itemsize } {
                flags |= C | FORTRAN;
            }
        } else {
            if is_contiguous(view, Order::C) {
                flags |= C;
            }
            if is_contiguous(view, Order::Fortran) {
                flags |= FORTRAN;
            }
        }
        if !view.suboffsets.is_null() {
            flags = (flags | INDIRECT) & !(C | FORTRAN);
        }
        self.flags.set(flags);
    }

    /// A memoryview on `mbuf` with room for `count` dimensions and everything of `from` but these.
    fn incomplete(
        ts: &ThreadState,
        mbuf: &PyManagedBuffer,
        from: &PyBuffer,
        count: usize,
    ) -> PyResult<Ref<PyMemoryView>> {
        if count > MAX_DIMENSIONS {
            return raise!(ts, exc::ValueError, "memoryview: number of dimensions must not exceed {MAX_DIMENSIONS}");
        }
        let made = alloc::var_object::<PyMemoryView>(ts, &MEMORYVIEW_TYPE, 3 * count)?;
        made.hash.set(-1);
        let places = made.as_raw().cast::<u8>().wrapping_add(size_of::<PyMemoryView>()).cast::<isize>();
        let at = |row: usize| if count == 0 { core::ptr::null_mut() } else { places.wrapping_add(row * count) };
        // SAFETY: nobody else has the new object.
        unsafe {
            *made.view.get() = PyBuffer {
                ndim: count as i32,
                shape: at(0),
                strides: at(1),
                suboffsets: core::ptr::null_mut(),
                format: if from.format.is_null() { c"B".as_ptr().cast_mut() } else { from.format },
                ..*from
            };
        }
        mbuf.exports.set(mbuf.exports.get() + 1);
        made.mbuf.set(Some(Ref::from_borrowed(mbuf)));
        gc::track(ts, &*made);
        Ok(made)
    }

    /// A memoryview on `mbuf` that is like `from`, a view of its memory.
    fn on(ts: &ThreadState, mbuf: &PyManagedBuffer, from: &PyBuffer) -> PyResult<Ref<PyMemoryView>> {
        if from.ndim > MAX_DIMENSIONS as i32 {
            return raise!(ts, exc::ValueError, "memoryview: number of dimensions must not exceed {MAX_DIMENSIONS}");
        }
        let complete = Complete::of(from);
        let dimensions = complete.dimensions();
        let count = from.ndim.max(0) as usize;
        let made = Self::incomplete(ts, mbuf, from, count)?;
        // SAFETY: the arrays behind the object have room for `count` numbers each, and nobody has seen them.
        unsafe {
            let view = &mut *made.view.get();
            for index in 0..count {
                *view.shape.add(index) = dimensions.shape[index];
                *view.strides.add(index) = dimensions.strides[index];
            }
            if let Some(suboffsets) = dimensions.suboffsets {
                view.suboffsets = view.strides.add(count);
                core::ptr::copy_nonoverlapping(suboffsets.as_ptr(), view.suboffsets, count);
            }
        }
        made.init_flags();
        Ok(made)
    }

    /// Another memoryview of the same memory.
    fn again(&self, ts: &ThreadState) -> PyResult<Ref<PyMemoryView>> {
        self.check_for_new(ts)?;
        match self.mbuf.get() {
            Some(mbuf) => Self::on(ts, &mbuf, self.view()),
            None => raise!(ts, exc::ValueError, "operation forbidden on released memoryview object"),
        }
    }

    /// Keeps the view from being released while code runs that might.
    fn keep(&self) -> Kept<'_> {
        self.exports.set(self.exports.get() + 1);
        Kept(self)
    }
}

/// Counts as an export of a memoryview.
struct Kept<'a>(&'a PyMemoryView);

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        self.0.exports.set(self.0.exports.get() - 1);
    }
}

/// A memoryview of an object's memory, got with the given flags (`PyMemoryView_FromObjectAndFlags`).
pub fn from_flags(ts: &ThreadState, object: &PyObject, flags: i32) -> PyResult<Ref<PyMemoryView>> {
    if let Some(view) = object.downcast::<PyMemoryView>() {
        return view.again(ts);
    }
    if !buffer::has_buffer(object) {
        return raise!(ts, exc::TypeError, "memoryview: a bytes-like object is required, not '{}'", object.type_name());
    }
    let mbuf = PyManagedBuffer::of_object(ts, object, flags)?;
    // SAFETY: the master view is not changed before it is released.
    PyMemoryView::on(ts, &mbuf, unsafe { &*mbuf.master.get() })
}

/// [`from_flags`] with the type forgotten.
pub fn from_object_with_flags(ts: &ThreadState, object: &PyObject, flags: i32) -> PyResult {
    from_flags(ts, object, flags).map(Ref::into_object)
}

/// What `object.__buffer__(flags)` returns for a native type, whose slot is given: a memoryview of the object's own buffer.
pub fn from_slot(ts: &ThreadState, object: &PyObject, flags: i32, slot: GetBufferFn) -> PyResult {
    let mbuf = PyManagedBuffer::empty(ts)?;
    // SAFETY: the view is this buffer's own, and nobody else can see it before it is filled; it does not move.
    let view = unsafe { &mut *mbuf.master.get() };
    slot(ts, object, view, flags)?;
    if view.obj.is_null() {
        view.obj = object.new_ref().into_ptr();
    }
    // SAFETY: as in `from_flags`.
    PyMemoryView::on(ts, &mbuf, unsafe { &*mbuf.master.get() }).map(Ref::into_object)
}

/// A memoryview of plain memory (`PyMemoryView_FromMemory`).
///
/// # Safety
/// The memory is valid, and written to only as the view's users expect, as long as the view or one made from it lives.
pub unsafe fn from_memory(
    ts: &ThreadState,
    memory: *mut u8,
    len: usize,
    readonly: bool,
) -> PyResult<Ref<PyMemoryView>> {
    let mbuf = PyManagedBuffer::empty(ts)?;
    // SAFETY: the view does not move, and nobody else has it yet; the memory is as the caller says.
    unsafe {
        (*mbuf.master.get()).fill(ts, memory, len, readonly, buffer::FULL_RO)?;
        PyMemoryView::on(ts, &mbuf, &*mbuf.master.get())
    }
}

/// A memoryview of what a view describes (`PyMemoryView_FromBuffer`), which stays the caller's.
///
/// # Safety
/// What the view describes stays valid as long as the result or one made from it lives.
pub unsafe fn from_buffer(ts: &ThreadState, view: &PyBuffer) -> PyResult<Ref<PyMemoryView>> {
    if view.buf.is_null() {
        return raise!(ts, exc::ValueError, "PyMemoryView_FromBuffer(): info->buf must not be NULL");
    }
    let mbuf = PyManagedBuffer::empty(ts)?;
    // SAFETY: nobody else has the new buffer.
    unsafe {
        *mbuf.master.get() = PyBuffer { obj: core::ptr::null_mut(), ..*view };
        PyMemoryView::on(ts, &mbuf, &*mbuf.master.get())
    }
}

/// A copy of a view's memory as bytes, the items in C's order.
pub fn copy_bytes(view: &PyBuffer) -> PyResult<TryVec<u8>> {
    strided::copy_in_order(view, Order::C)
}

fn memoryview_new(ts: &ThreadState, _of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("memoryview", ["object"], 0, 1, 1);
    let [object] = SIGNATURE.parse(ts, args)?;
    match object {
        Some(object) => PyMemoryView::from_object(ts, object).map(Ref::into_object),
        None => raise!(ts, exc::TypeError, "memoryview() missing required argument 'object' (pos 1)"),
    }
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn memoryview_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a memoryview whose count is zero, so that it has no exports.
    unsafe {
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        let this = (*object).cast_unchecked::<PyMemoryView>();
        this.give_back(ts);
        this.mbuf.set(None);
        alloc::free(ts, object);
    }
}

fn memoryview_traverse(this: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    visitor.slot(&this.cast::<PyMemoryView>().mbuf)
}

/// `bf_getbuffer`.
fn get_buffer(ts: &ThreadState, object: &PyObject, view: &mut PyBuffer, flags: i32) -> PyResult<()> {
    let this = object.cast::<PyMemoryView>();
    this.check_for_new(ts)?;
    let base = this.view();
    let wants = |flag: i32| flags & flag == flag;
    let problem = if wants(buffer::WRITABLE) && base.readonly != 0 {
        Some("underlying buffer is not writable")
    } else if wants(buffer::C_CONTIGUOUS) && !this.has(C) {
        Some("underlying buffer is not C-contiguous")
    } else if wants(buffer::F_CONTIGUOUS) && !this.has(FORTRAN) {
        Some("underlying buffer is not Fortran contiguous")
    } else if wants(buffer::ANY_CONTIGUOUS) && !this.has(C | FORTRAN) {
        Some("underlying buffer is not contiguous")
    } else if !wants(buffer::INDIRECT) && this.has(INDIRECT) {
        Some("underlying buffer requires suboffsets")
    } else if !wants(buffer::STRIDES) && !this.has(C) {
        Some("underlying buffer is not C-contiguous")
    } else if !wants(buffer::ND) && wants(buffer::FORMAT) {
        Some("cannot cast to unsigned bytes if the format flag is present")
    } else {
        None
    };
    if let Some(problem) = problem {
        return raise!(ts, exc::BufferError, "memoryview: {problem}");
    }
    *view = PyBuffer { obj: core::ptr::null_mut(), ..*base };
    if !wants(buffer::FORMAT) {
        view.format = core::ptr::null_mut();
    }
    if !wants(buffer::STRIDES) {
        view.strides = core::ptr::null_mut();
    }
    if !wants(buffer::ND) {
        view.ndim = 1;
        view.shape = core::ptr::null_mut();
    }
    this.exports.set(this.exports.get() + 1);
    Ok(())
}
