//! `frame`: a frame as Python sees it.
//!
//! While the call runs, the object points to the frame where it lives; when the call ends and someone
//! still holds the object, the frame's contents move into it ([`take_over`]).

mod jump;
pub mod locals_proxy;

use core::cell::{Cell, UnsafeCell};
use core::ops::ControlFlow;

use hognose_allocators::collections::TryVec;

use crate::object::*;
use crate::state::ThreadState;
use crate::types::cell::PyCell;
use crate::types::code::{CO_OPTIMIZED, KIND_CELL, KIND_FREE, KIND_HIDDEN, PyCode};
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::PyStr;
use crate::vm::frame::{FRAME_WORDS, Frame, Owner};
use crate::{native, raise};

/// A frame object.
#[repr(C)]
pub struct PyFrame {
    ob_base: PyObject,
    /// The frame, wherever it lives; null once it has ended without anyone wanting its contents.
    frame: Cell<*mut Frame>,
    f_back: Slot<PyFrame>,
    f_code: Slot<PyCode>,
    f_trace: Slot<PyObject>,
    f_extra_locals: Slot<PyDict>,
    f_lineno: Cell<i32>,
    f_trace_lines: Cell<bool>,
    f_trace_opcodes: Cell<bool>,
    /// The instruction that an ended frame was at.
    last_instruction: Cell<i32>,
    /// Memory of a frame that has moved in.
    storage: UnsafeCell<TryVec<usize>>,
}

native!(PyFrame, FRAME_TYPE);

/// `frame`.
#[unsafe(export_name = "PyFrame_Type")]
pub static FRAME_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"frame",
    basicsize: size_of::<PyFrame>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(dealloc),
        traverse: Some(traverse),
        clear: Some(tp_clear),
        repr: Some(repr),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("clear", clear, "frame.clear(): clear all references held by the frame")],
    getset: &[
        GetSetDef::get("f_back", |ts, o| this(o).back(ts).map(|b| b.map_or_else(|| ts.none(), Ref::into_object)), ""),
        GetSetDef::get("f_code", |_ts, o| Ok(this(o).code().into_object()), ""),
        GetSetDef::get("f_globals", f_globals, ""),
        GetSetDef::get("f_builtins", f_builtins, ""),
        GetSetDef::get("f_locals", f_locals, ""),
        GetSetDef::get("f_lasti", |ts, o| PyInt::from_i64(ts, this(o).lasti().into()), ""),
        GetSetDef::get_set("f_lineno", f_lineno, jump::set_lineno, ""),
        GetSetDef::get_set("f_trace", f_trace, set_f_trace, ""),
        GetSetDef::get_set(
            "f_trace_lines",
            |_ts, o| Ok(crate::types::bool::py_bool(this(o).f_trace_lines.get())),
            |ts, o, v| flag(ts, &this(o).f_trace_lines, v),
            "",
        ),
        GetSetDef::get_set(
            "f_trace_opcodes",
            |_ts, o| Ok(crate::types::bool::py_bool(this(o).f_trace_opcodes.get())),
            set_f_trace_opcodes,
            "",
        ),
        GetSetDef::get("f_generator", f_generator, ""),
    ],
    ..TypeSpec::EMPTY
});

fn this(object: &PyObject) -> &PyFrame {
    object.cast()
}

/// The object for a frame that has none.
pub fn new(ts: &ThreadState, frame: &mut Frame) -> PyResult {
    let object = alloc::exact::<PyFrame>(ts)?;
    object.frame.set(frame);
    object.f_code.set(Some(Ref::from_borrowed(frame.code())));
    object.f_trace_lines.set(true);
    // SAFETY: zeroed memory is no valid `TryVec`; an empty one is written before anyone looks.
    unsafe { object.storage.get().write(TryVec::new()) };
    gc::track(ts, &*object);
    Ok(object.into_object())
}

/// Moves an ending frame's contents into its object, which others hold. False when memory is wanting:
/// then the contents go with the frame.
///
/// # Safety
/// `object` is the frame's own frame object; `sp` is valid.
pub unsafe fn take_over(ts: &ThreadState, object: *mut PyObject, frame: &mut Frame) -> bool {
    // SAFETY: the caller's promise.
    let this = unsafe { &*object.cast::<PyFrame>() };
    this.last_instruction.set(frame.lasti());
    if let Some(back) = caller_object(ts, frame) {
        this.f_back.set(Some(back));
    }
    // SAFETY: `sp` is within the frame's memory.
    let used = unsafe { frame.sp.offset_from(frame.localsplus()) } as usize;
    let mut storage = TryVec::<usize>::new();
    if storage.try_resize(FRAME_WORDS + used, 0).is_err() {
        this.frame.set(core::ptr::null_mut());
        return false;
    }
    let place = storage.as_mut_ptr().cast::<Frame>();
    // SAFETY: the storage has room for the frame and its used places; the contents move, so the old
    // frame is not dropped.
    unsafe {
        core::ptr::copy_nonoverlapping(core::ptr::from_ref(frame), place, 1);
        core::ptr::copy_nonoverlapping(frame.localsplus(), (*place).localsplus(), used);
        (*place).sp = (*place).localsplus().add(used);
        (*place).previous = core::ptr::null_mut();
        (*place).owner = Owner::FrameObject;
        (*place).frame_object = Cell::new(core::ptr::null_mut());
        *this.storage.get() = storage;
    }
    this.frame.set(place);
    true
}

/// The frame has ended, and its contents are gone.
///
/// # Safety
/// `object` is a frame object.
pub unsafe fn detach(object: *mut PyObject) {
    // SAFETY: the caller's promise.
    let this = unsafe { &*object.cast::<PyFrame>() };
    // SAFETY: the frame is still there.
    if let Some(frame) = unsafe { this.frame.get().as_ref() } {
        this.last_instruction.set(frame.lasti());
    }
    this.frame.set(core::ptr::null_mut());
}

fn caller_object(ts: &ThreadState, frame: &Frame) -> Option<Ref<PyFrame>> {
    // SAFETY: a frame's caller outlives it.
    let caller = unsafe { frame.previous.as_mut() }?;
    match caller.object(ts) {
        Ok(object) => object.downcast_into().ok(),
        Err(raised) => {
            ts.clear_raised(raised);
            None
        }
    }
}

impl PyFrame {
    /// The frame, if it is still there.
    pub fn frame(&self) -> Option<&mut Frame> {
        // SAFETY: `take_over` and `detach` keep the pointer right.
        unsafe { self.frame.get().as_mut() }
    }

    /// The code.
    pub fn code(&self) -> Ref<PyCode> {
        match self.f_code.get() {
            Some(code) => code,
            None => unreachable!("a frame object keeps its code until it ends"),
        }
    }

    /// The caller's frame object.
    pub fn back(&self, ts: &ThreadState) -> PyResult<Option<Ref<PyFrame>>> {
        if let Some(back) = self.f_back.get() {
            return Ok(Some(back));
        }
        let Some(frame) = self.frame() else { return Ok(None) };
        // SAFETY: a linked frame's caller is alive.
        match unsafe { frame.previous.as_mut() } {
            Some(caller) => Ok(caller.object(ts)?.downcast_into().ok()),
            None => Ok(None),
        }
    }

    /// `f_trace_lines`.
    pub fn f_trace_lines(&self) -> bool {
        self.f_trace_lines.get()
    }

    /// `f_trace_opcodes`.
    pub fn f_trace_opcodes(&self) -> bool {
        self.f_trace_opcodes.get()
    }

    /// Whether the frame has a trace function.
    pub fn has_trace(&self) -> bool {
        self.f_trace.is_some()
    }

    /// The frame's trace function.
    pub fn trace(&self) -> Option<PyRef> {
        self.f_trace.get()
    }

    /// Sets the frame's trace function.
    pub fn set_trace(&self, function: Option<PyRef>) {
        self.f_trace.set(function);
    }

    /// While a trace function is told of a line: its number; else 0.
    pub fn set_current_line(&self, line: i32) {
        self.f_lineno.set(line);
    }

    /// The offset of the current instruction in bytes.
    pub fn lasti(&self) -> i32 {
        match self.frame() {
            Some(frame) => frame.lasti(),
            None => self.last_instruction.get(),
        }
    }

    /// The current line.
    pub fn lineno(&self) -> Option<i32> {
        if self.f_lineno.get() != 0 {
            return Some(self.f_lineno.get());
        }
        self.code().line_at(self.lasti())
    }
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for a frame object.
    unsafe {
        gc::untrack(&*object);
        let this = &*object.cast::<PyFrame>();
        drop_contents(ts, this);
        this.f_back.set(None);
        this.f_trace.set(None);
        this.f_extra_locals.set(None);
        this.f_code.set(None);
        core::ptr::drop_in_place(this.storage.get());
        alloc::free(ts, object);
    }
}

/// Drops the contents of a frame that has moved in.
fn drop_contents(ts: &ThreadState, this: &PyFrame) {
    let frame = this.frame.replace(core::ptr::null_mut());
    // SAFETY: the pointer is right; only a frame that moved in belongs to the object.
    unsafe {
        if let Some(frame) = frame.as_mut() {
            this.last_instruction.set(frame.lasti());
            if frame.owner == Owner::FrameObject {
                let storage = core::mem::replace(&mut *this.storage.get(), TryVec::new());
                frame.clear_contents(ts);
                drop(storage);
            } else {
                this.frame.set(frame);
            }
        }
    }
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    let this = this(object);
    visitor.slot(&this.f_back)?;
    visitor.slot(&this.f_trace)?;
    visitor.slot(&this.f_extra_locals)?;
    if let Some(frame) = this.frame()
        && frame.owner == Owner::FrameObject
    {
        return traverse_contents(frame, visitor);
    }
    ControlFlow::Continue(())
}

/// Shows what a frame that does not run owns.
pub fn traverse_contents(frame: &Frame, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    // SAFETY: a frame that does not run has a valid `sp`; up to it there are owned references or null.
    unsafe {
        visitor.object(&*frame.func.cast::<PyObject>())?;
        if let Some(locals) = frame.locals.as_ref() {
            visitor.object(locals)?;
        }
        let mut place = frame.localsplus();
        while place < frame.sp {
            if let Some(object) = (*place).as_ref() {
                visitor.object(object)?;
            }
            place = place.add(1);
        }
    }
    ControlFlow::Continue(())
}

fn tp_clear(ts: &ThreadState, object: &PyObject) {
    let this = this(object);
    drop_locals(ts, this);
    this.f_back.set(None);
    this.f_trace.set(None);
    this.f_extra_locals.set(None);
}

/// Empties locals and stack of a frame that has moved in.
fn drop_locals(ts: &ThreadState, this: &PyFrame) {
    let Some(frame) = this.frame() else { return };
    if frame.owner != Owner::FrameObject {
        return;
    }
    // SAFETY: the frame does not run.
    unsafe {
        let mut place = frame.localsplus();
        while place < frame.sp {
            let object = place.replace(core::ptr::null_mut());
            place = place.add(1);
            if !object.is_null() {
                header::decref(ts, object);
            }
        }
    }
}

fn repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = this(object);
    let code = this.code();
    let line = this.lineno().unwrap_or(0);
    Ok(PyStr::format(
        ts,
        format_args!(
            "<frame at {object:p}, file {}, line {line}, code {}>",
            protocol::repr(ts, code.filename().as_object())?,
            code.name()
        ),
    )?
    .into_object())
}

fn clear(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = this(object);
    let Some(frame) = this.frame() else { return Ok(ts.none()) };
    match frame.owner {
        Owner::FrameObject => tp_clear(ts, object),
        Owner::Generator => return crate::types::generator::clear_through_frame(ts, frame),
        Owner::Thread => return raise!(ts, exc::RuntimeError, "cannot clear an executing frame"),
    }
    Ok(ts.none())
}

fn f_globals(ts: &ThreadState, object: &PyObject) -> PyResult {
    match this(object).frame() {
        Some(frame) => Ok(frame.globals().new_ref()),
        None => Ok(PyDict::new(ts)?.into_object()),
    }
}

fn f_builtins(ts: &ThreadState, object: &PyObject) -> PyResult {
    match this(object).frame() {
        Some(frame) => Ok(frame.builtins().new_ref()),
        None => Ok(PyDict::new(ts)?.into_object()),
    }
}

fn f_locals(ts: &ThreadState, object: &PyObject) -> PyResult {
    if this(object).code().co_flags & CO_OPTIMIZED != 0 {
        return locals_proxy::new(ts, this(object));
    }
    match this(object).frame() {
        Some(frame) if has_hidden(frame) => locals_proxy::new(ts, this(object)),
        Some(frame) => locals_of(ts, frame),
        None => Ok(PyDict::new(ts)?.into_object()),
    }
}

fn f_lineno(ts: &ThreadState, object: &PyObject) -> PyResult {
    match this(object).lineno() {
        Some(line) => PyInt::from_i64(ts, line.into()),
        None => Ok(ts.none()),
    }
}

fn f_trace(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(this(object).f_trace.get().unwrap_or_else(|| ts.none()))
}

fn set_f_trace(_ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    this(object).f_trace.set(value.filter(|v| !crate::types::none::is_none(v)).map(PyRef::from_borrowed));
    Ok(())
}

fn set_f_trace_opcodes(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    flag(ts, &this(object).f_trace_opcodes, value)?;
    if this(object).f_trace_opcodes.get() {
        crate::vm::monitoring::legacy::want_opcodes(ts);
    }
    Ok(())
}

fn flag(ts: &ThreadState, cell: &Cell<bool>, value: Option<&PyObject>) -> PyResult<()> {
    match value {
        Some(value) if value.is_a::<PyInt>() => {
            cell.set(protocol::is_true(ts, value)?);
            Ok(())
        }
        _ => raise!(ts, exc::TypeError, "attribute value type must be bool"),
    }
}

fn f_generator(ts: &ThreadState, object: &PyObject) -> PyResult {
    match this(object).frame() {
        Some(frame) if frame.owner == Owner::Generator => Ok(crate::types::generator::of_frame(frame).new_ref()),
        _ => Ok(ts.none()),
    }
}

/// Whether a comprehension runs in a frame, whose variables are there only while it does.
fn has_hidden(frame: &Frame) -> bool {
    frame.code().kinds().iter().enumerate().filter(|(_, kind)| *kind & KIND_HIDDEN != 0).any(|(index, _)| {
        // SAFETY: the place is one of the frame's.
        let value = unsafe { (*frame.localsplus().add(index)).as_ref() };
        value.is_some_and(|value| value.downcast_exact::<PyCell>().is_none_or(|cell| cell.get().is_some()))
    })
}

/// The local variables of a frame: the mapping of a module or class body itself, or a new dict of a
/// function's variables that have values (`locals()`).
pub fn locals_of(ts: &ThreadState, frame: &Frame) -> PyResult {
    let code = frame.code();
    // SAFETY: the frame owns its locals.
    if let Some(locals) = unsafe { frame.locals.as_ref() }
        && code.co_flags & CO_OPTIMIZED == 0
        && !has_hidden(frame)
    {
        return Ok(locals.new_ref());
    }
    let dict = PyDict::new(ts)?;
    // SAFETY: as above.
    if let Some(locals) = unsafe { frame.locals.as_ref() } {
        dict.update(ts, locals)?;
    }
    for (index, kind) in code.kinds().iter().enumerate() {
        // SAFETY: the place is one of the frame's.
        let Some(value) = (unsafe { (*frame.localsplus().add(index)).as_ref() }) else { continue };
        let value = if kind & (KIND_CELL | KIND_FREE) != 0 {
            match value.downcast_exact::<PyCell>() {
                Some(cell) => match cell.get() {
                    Some(value) => value,
                    None => continue,
                },
                // The frame has not come to its MAKE_CELL yet.
                None => value.new_ref(),
            }
        } else {
            value.new_ref()
        };
        dict.set(ts, code.local_name(index).as_object(), &value)?;
    }
    // SAFETY: the frame owns its object.
    if let Some(object) = unsafe { frame.frame_object.get().as_ref() } {
        locals_proxy::add_extra(ts, object.cast::<PyFrame>(), &dict)?;
    }
    Ok(dict.into_object())
}
