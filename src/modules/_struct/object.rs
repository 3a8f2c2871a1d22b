//! `Struct`: a format that has been read, and the iterator of `iter_unpack`.

use core::cell::{Cell, UnsafeCell};
use core::mem::offset_of;

use hognose_allocators::collections::TryVec;

use super::STRUCT_ERROR;
use super::format::Format;
use crate::object::buffer::{self, Buffer};
use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature, Slot, StaticType,
    TypeSlots, TypeSpec, alloc, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::{PyBytes, bytes_like};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::{PyStr, codec};

/// `Struct`.
#[repr(C)]
pub struct PyStruct {
    ob_base: PyObject,
    text: Slot<PyStr>,
    /// Uses of the format that may run Python code; it is not replaced meanwhile.
    busy: Cell<usize>,
    format: UnsafeCell<Option<Format>>,
    weaklist: WeakrefList,
}

crate::native!(PyStruct, STRUCT_TYPE);

/// The type `_struct.Struct`.
pub static STRUCT_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_struct.Struct",
    basicsize: size_of::<PyStruct>(),
    flags: flags::BASETYPE,
    doc: "Struct(fmt) --> compiled struct object",
    slots: TypeSlots {
        new: Some(struct_new),
        init: Some(struct_init),
        dealloc: Some(struct_dealloc),
        repr: Some(struct_repr),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one(
            "iter_unpack",
            iter_unpack,
            "iter_unpack($self, buffer, /)\n--\n\nAn iterator over tuples unpacked from chunks of the buffer.",
        ),
        MethodDef::positional("pack", pack, "pack(v1, v2, ...) -> bytes\n\nThe values as bytes."),
        MethodDef::positional(
            "pack_into",
            pack_into,
            "pack_into(buffer, offset, v1, v2, ...)\n\nWrite the values as bytes to the buffer from offset on.",
        ),
        MethodDef::one(
            "unpack",
            unpack,
            "unpack($self, buffer, /)\n--\n\nThe values that the bytes of the buffer stand for, as a tuple.",
        ),
        MethodDef::keywords(
            "unpack_from",
            unpack_from,
            "unpack_from($self, /, buffer, offset=0)\n--\n\nThe values that the bytes from offset on stand for, as a tuple.",
        ),
        MethodDef::no_args("__sizeof__", struct_sizeof, "S.__sizeof__() -> size of S in memory, in bytes"),
    ],
    getset: &[
        GetSetDef::get(
            "format",
            |ts, this| {
                this.cast::<PyStruct>().format(ts)?;
                Ok(this.cast::<PyStruct>().text.get().map_or_else(|| ts.none(), Ref::into_object))
            },
            "struct format string",
        ),
        GetSetDef::get(
            "size",
            |ts, this| match this.cast::<PyStruct>().inner() {
                Some(format) => PyInt::from_usize(ts, format.size()),
                None => PyInt::from_i64(ts, -1),
            },
            "struct size in bytes",
        ),
    ],
    weaklistoffset: offset_of!(PyStruct, weaklist),
    ..TypeSpec::EMPTY
});

/// A format in use.
pub(super) struct InUse<'a> {
    owner: &'a PyStruct,
    format: &'a Format,
}

impl core::ops::Deref for InUse<'_> {
    type Target = Format;
    fn deref(&self) -> &Format {
        self.format
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        self.owner.busy.set(self.owner.busy.get() - 1);
    }
}

impl PyStruct {
    /// The `Struct` of a format.
    pub(super) fn new(ts: &ThreadState, format: &PyObject) -> PyResult<Ref<PyStruct>> {
        let made = alloc::exact::<PyStruct>(ts)?;
        // SAFETY: nobody else has the new object.
        unsafe { made.format.get().write(None) };
        made.set_format(ts, format)?;
        Ok(made)
    }

    fn inner(&self) -> Option<&Format> {
        // SAFETY: the format is replaced only while nobody uses it, by `set_format`.
        unsafe { (*self.format.get()).as_ref() }
    }

    /// The format; RuntimeError when `__init__` has not been called.
    pub(super) fn format(&self, ts: &ThreadState) -> PyResult<InUse<'_>> {
        match self.inner() {
            Some(format) => {
                self.busy.set(self.busy.get() + 1);
                Ok(InUse { owner: self, format })
            }
            None => raise!(ts, exc::RuntimeError, "Struct object is not initialized"),
        }
    }

    fn set_format(&self, ts: &ThreadState, format: &PyObject) -> PyResult<()> {
        let (text, read) = if let Some(text) = format.downcast::<PyStr>() {
            let bytes = codec::encode_ascii(ts, text, "strict")?;
            (text.to_exact(ts)?, Format::read(bytes.as_slice()))
        } else if let Some(bytes) = format.downcast::<PyBytes>() {
            (codec::decode_ascii(ts, bytes.as_slice(), "surrogateescape")?, Format::read(bytes.as_slice()))
        } else {
            return raise!(
                ts,
                exc::TypeError,
                "Struct() argument 1 must be a str or bytes object, not {}",
                format.type_name()
            );
        };
        let read = read.map_err(|bad| bad.raise(ts))?;
        if self.busy.get() > 0 {
            return raise!(ts, exc::RuntimeError, "Struct object is in use");
        }
        // SAFETY: nobody uses the old format; dropping it runs no Python code.
        unsafe { *self.format.get() = Some(read) };
        self.text.set(Some(text));
        Ok(())
    }
}

fn struct_new(ts: &ThreadState, of: &PyTypeObject, _args: Args<'_>) -> PyResult {
    let made = alloc::object::<PyStruct>(ts, of)?;
    // SAFETY: nobody else has the new object.
    unsafe { made.format.get().write(None) };
    if of.is_gc() {
        gc::track(ts, &*made);
    }
    Ok(made.into_object())
}

fn struct_init(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult<()> {
    static SIGNATURE: Signature<1> = Signature::new("Struct", ["format"], 0, 1, 1);
    let [format] = SIGNATURE.parse(ts, args)?;
    match format {
        Some(format) => this.cast::<PyStruct>().set_format(ts, format),
        None => raise!(ts, exc::TypeError, "Struct() missing required argument 'format' (pos 1)"),
    }
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn struct_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a Struct whose count is zero.
    unsafe {
        if (*object).ob_type().is_gc() {
            gc::untrack(&*object);
        }
        weakref::clear_all(ts, &*object);
        let this = (*object).cast_unchecked::<PyStruct>();
        this.text.set(None);
        *this.format.get() = None;
        alloc::free(ts, object);
    }
}

fn struct_repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = this.cast::<PyStruct>();
    this.format(ts)?;
    let Some(text) = this.text.get() else { return Ok(ts.none()) };
    let shown = protocol::repr(ts, text.as_object())?;
    let name = this.as_object().ob_type().name();
    PyStr::format(ts, format_args!("{name}({})", &*shown)).map(Ref::into_object)
}

fn struct_sizeof(ts: &ThreadState, this: &PyObject) -> PyResult {
    let runs = this.cast::<PyStruct>().inner().map_or(0, |format| size_of_val(&*format.runs));
    PyInt::from_usize(ts, alloc::object_size(this) + runs)
}

/// `unpack`.
pub(super) fn unpack(ts: &ThreadState, this: &PyObject, buffer: &PyObject) -> PyResult {
    let format = this.cast::<PyStruct>().format(ts)?;
    let bytes = bytes_like(ts, buffer)?;
    if bytes.len() != format.size() {
        return raise!(ts, STRUCT_ERROR, "unpack requires a buffer of {} bytes", format.size());
    }
    format.unpack(ts, &bytes).map(Ref::into_object)
}

/// `unpack_from`, its arguments taken apart.
pub(super) fn unpack_at(ts: &ThreadState, this: &PyStruct, buffer: &PyObject, offset: Option<&PyObject>) -> PyResult {
    let offset = match offset {
        Some(offset) => protocol::as_isize(ts, offset)?,
        None => 0,
    };
    let format = this.format(ts)?;
    let bytes = bytes_like(ts, buffer)?;
    let (size, len) = (format.size(), bytes.len());
    let start = if offset < 0 {
        if offset.checked_add(size as isize).is_none_or(|end| end > 0) {
            return raise!(ts, STRUCT_ERROR, "not enough data to unpack {size} bytes at offset {offset}");
        }
        if offset.unsigned_abs() > len {
            return raise!(ts, STRUCT_ERROR, "offset {offset} out of range for {len}-byte buffer");
        }
        len - offset.unsigned_abs()
    } else {
        offset as usize
    };
    if start > len || len - start < size {
        return raise!(
            ts,
            STRUCT_ERROR,
            "unpack_from requires a buffer of at least {} bytes for unpacking {size} bytes at offset {start} (actual buffer size is {len})",
            size.saturating_add(start)
        );
    }
    format.unpack(ts, &bytes[start..start + size]).map(Ref::into_object)
}

fn unpack_from(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("unpack_from", ["buffer", "offset"], 0, 2, 1);
    let [buffer, offset] = SIGNATURE.parse(ts, args)?;
    match buffer {
        Some(buffer) => unpack_at(ts, this.cast::<PyStruct>(), buffer, offset),
        None => raise!(ts, exc::TypeError, "unpack_from() missing required argument 'buffer' (pos 1)"),
    }
}

fn check_values(ts: &ThreadState, name: &str, expected: usize, given: usize) -> PyResult<()> {
    if expected != given {
        return raise!(ts, STRUCT_ERROR, "{name} expected {expected} items for packing (got {given})");
    }
    Ok(())
}

/// `pack`.
pub(super) fn pack(ts: &ThreadState, this: &PyObject, values: &[&PyObject]) -> PyResult {
    let format = this.cast::<PyStruct>().format(ts)?;
    check_values(ts, "pack", format.values(), values.len())?;
    let size = format.size();
    let mut small = [0u8; 128];
    if let Some(place) = small.get_mut(..size) {
        format.pack(ts, values, place)?;
        return PyBytes::new(ts, place).map(Ref::into_object);
    }
    let mut out = TryVec::<u8>::new();
    out.try_resize(size, 0)?;
    format.pack(ts, values, &mut out)?;
    PyBytes::new(ts, &out).map(Ref::into_object)
}

/// A buffer that can be written to; TypeError in the words of argument parsing.
pub(crate) fn writable(ts: &ThreadState, object: &PyObject) -> PyResult<Buffer> {
    Buffer::get(ts, object, buffer::WRITABLE).map_err(|raised| {
        ts.clear_raised(raised);
        ts.raise_fmt(
            &exc::TypeError,
            format_args!("argument must be read-write bytes-like object, not {}", object.type_name()),
        )
    })
}

/// `pack_into`.
pub(super) fn pack_into(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    let format = this.cast::<PyStruct>().format(ts)?;
    let [target, offset, values @ ..] = args else {
        let what = if args.is_empty() { "buffer" } else { "offset" };
        return raise!(ts, STRUCT_ERROR, "pack_into expected {what} argument");
    };
    check_values(ts, "pack_into", format.values(), values.len())?;
    let target = writable(ts, target)?;
    let offset = protocol::as_item_index(ts, offset)?;
    let (size, len) = (format.size(), target.view().len as usize);
    let start = if offset < 0 {
        if offset.checked_add(size as isize).is_none_or(|end| end > 0) {
            return raise!(ts, STRUCT_ERROR, "no space to pack {size} bytes at offset {offset}");
        }
        if offset.unsigned_abs() > len {
            return raise!(ts, STRUCT_ERROR, "offset {offset} out of range for {len}-byte buffer");
        }
        len - offset.unsigned_abs()
    } else {
        offset as usize
    };
    if start > len || len - start < size {
        return raise!(
            ts,
            STRUCT_ERROR,
            "pack_into requires a buffer of at least {} bytes for packing {size} bytes at offset {start} (actual buffer size is {len})",
            size.saturating_add(start)
        );
    }
    // The values' methods may look at the buffer: it is written when they are done.
    let mut out = TryVec::<u8>::new();
    out.try_resize(size, 0)?;
    format.pack(ts, values, &mut out)?;
    // SAFETY: nothing else runs while the bytes are copied.
    let place = unsafe { target.as_mut_slice() };
    place[start..start + size].copy_from_slice(&out);
    Ok(ts.none())
}

/// `iter_unpack`'s iterator.
#[repr(C)]
pub struct PyUnpackIter {
    ob_base: PyObject,
    /// None when the end has been reached.
    owner: Slot<PyStruct>,
    buffer: UnsafeCell<Option<Buffer>>,
    offset: Cell<usize>,
    format_size: Cell<usize>,
    /// Keeps the exporter for the collector, which the buffer owns.
    exporter: Slot<PyObject>,
}

crate::native!(PyUnpackIter, UNPACK_ITERATOR_TYPE);

/// The type of `iter_unpack`'s result.
pub static UNPACK_ITERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_struct.unpack_iterator",
    basicsize: size_of::<PyUnpackIter>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(iter_dealloc),
        traverse: Some(|this, visitor| {
            let this = this.cast::<PyUnpackIter>();
            visitor.slot(&this.owner)?;
            visitor.slot(&this.exporter)
        }),
        iter: Some(|_, this| Ok(this.new_ref())),
        iternext: Some(iter_next),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args(
        "__length_hint__",
        iter_len,
        "Private method returning an estimate of len(list(it)).",
    )],
    ..TypeSpec::EMPTY
});

/// `iter_unpack`.
pub(super) fn iter_unpack(ts: &ThreadState, this: &PyObject, object: &PyObject) -> PyResult {
    let owner = this.cast::<PyStruct>();
    let size = owner.format(ts)?.size();
    if size == 0 {
        return raise!(ts, STRUCT_ERROR, "cannot iteratively unpack with a struct of length 0");
    }
    let view = Buffer::get(ts, object, buffer::SIMPLE)?;
    if !(view.view().len as usize).is_multiple_of(size) {
        return raise!(ts, STRUCT_ERROR, "iterative unpacking requires a buffer of a multiple of {size} bytes");
    }
    let made = alloc::exact::<PyUnpackIter>(ts)?;
    made.owner.set(Some(Ref::from_borrowed(owner)));
    made.exporter.set(Some(object.new_ref()));
    made.format_size.set(size);
    // SAFETY: nobody else has the new object.
    unsafe { made.buffer.get().write(Some(view)) };
    gc::track(ts, &*made);
    Ok(made.into_object())
}

impl PyUnpackIter {
    fn view(&self) -> Option<&Buffer> {
        // SAFETY: the buffer is taken out only by `finish`, when no caller has it.
        unsafe { (*self.buffer.get()).as_ref() }
    }

    fn finish(&self) {
        // SAFETY: the callers have no borrow of it; it is out before the release runs other code.
        let buffer = unsafe { (*self.buffer.get()).take() };
        self.owner.set(None);
        drop(buffer);
        self.exporter.set(None);
    }
}

fn iter_next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyUnpackIter>();
    let (Some(owner), Some(buffer)) = (this.owner.get(), this.view()) else { return Ok(None) };
    let (at, size) = (this.offset.get(), this.format_size.get());
    let format = owner.format(ts)?;
    if at >= buffer.view().len as usize || format.size() != size {
        drop(format);
        this.finish();
        return Ok(None);
    }
    this.offset.set(at + size);
    format.unpack(ts, &buffer.as_slice()[at..at + size]).map(|tuple| Some(tuple.into_object()))
}

fn iter_len(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = this.cast::<PyUnpackIter>();
    let left = this.view().map_or(0, |buffer| buffer.view().len as usize - this.offset.get());
    PyInt::from_usize(ts, left / this.format_size.get().max(1))
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn iter_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with an iterator whose count is zero.
    unsafe {
        gc::untrack(&*object);
        (*object).cast_unchecked::<PyUnpackIter>().finish();
        alloc::free(ts, object);
    }
}
