//! Frames: what a call of a Python function needs while it runs.
//!
//! ```text
//!  ┌───────┬──────────────────────────────┬──────────────────────────┐
//!  │ Frame │ locals, cells, free variables│ value stack (grows →)    │
//!  └───────┴──────────────────────────────┴──────────────────────────┘
//!          ▲ localsplus                   ▲ stack base         ▲ sp
//! ```
//!
//! A frame lives on the thread's data stack, inside a generator, or, when someone holds its frame object
//! after it has ended, inside that.
//!
//! I1: `sp` is valid whenever the frame does not run in the evaluation loop, which keeps it in a register.
//! I2: `pc` points to the instruction that is being executed (or was last, for a suspended frame).

use core::cell::Cell;

use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, header};
use crate::state::ThreadState;
use crate::types::code::PyCode;
use crate::types::dict::PyDict;
use crate::types::function::PyFunction;

/// Who owns a frame's memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Owner {
    /// The thread's data stack.
    Thread,
    /// A generator, coroutine or asynchronous generator.
    Generator,
    /// A frame object that has outlived the call.
    FrameObject,
}

/// A frame; locals and stack follow it.
#[repr(C)]
pub struct Frame {
    /// The code, an owned reference.
    pub code: *const PyCode,
    /// The function, an owned reference.
    pub func: *const PyFunction,
    /// The global variables, kept alive by the function.
    pub globals: *const PyDict,
    /// The built-in names, kept alive by the function; a dict unless someone has put another mapping in.
    pub builtins: *const PyObject,
    /// The local variables' mapping of a module or class body, an owned reference or null.
    pub locals: *mut PyObject,
    /// The frame object, an owned reference or null.
    pub frame_object: Cell<*mut PyObject>,
    /// The caller's frame.
    pub previous: *mut Frame,
    /// I2.
    pub pc: *const Cell<u16>,
    /// I1.
    pub sp: *mut *mut PyObject,
    /// How far behind `pc` a return to this frame goes on, in units.
    pub return_offset: u16,
    /// Who owns the memory.
    pub owner: Owner,
    /// Whether native code waits for the result: returning from this frame leaves the loop.
    pub is_entry: bool,
    /// Whether the frame is that of an `__init__` whose result gives way to the instance below it on the caller's stack.
    pub is_init: bool,
    /// Native code runs that a call instruction of this frame has called; `sp` is valid.
    pub is_calling: bool,
}

/// Words of a frame before its locals.
pub const FRAME_WORDS: usize = size_of::<Frame>().div_ceil(size_of::<usize>());

impl Frame {
    /// The first local.
    #[inline(always)]
    pub fn localsplus(&self) -> *mut *mut PyObject {
        // SAFETY: locals follow the frame in the same allocation.
        unsafe { core::ptr::from_ref(self).cast_mut().cast::<usize>().add(FRAME_WORDS).cast() }
    }

    /// The code.
    #[inline(always)]
    pub fn code(&self) -> &PyCode {
        // SAFETY: the frame owns a reference.
        unsafe { &*self.code }
    }

    /// The function.
    #[inline(always)]
    pub fn function(&self) -> &PyFunction {
        // SAFETY: the frame owns a reference.
        unsafe { &*self.func }
    }

    /// The global variables.
    #[inline(always)]
    pub fn globals(&self) -> &PyDict {
        // SAFETY: the function keeps them alive.
        unsafe { &*self.globals }
    }

    /// The built-in names.
    #[inline(always)]
    pub fn builtins(&self) -> &PyObject {
        // SAFETY: the function keeps them alive.
        unsafe { &*self.builtins }
    }

    /// The bottom of the value stack.
    #[inline(always)]
    pub fn stack_base(&self) -> *mut *mut PyObject {
        // SAFETY: the stack follows the locals.
        unsafe { self.localsplus().add(self.code().co_nlocalsplus as usize) }
    }

    /// The offset of the current instruction, in units; -1 before the first.
    pub fn unit_index(&self) -> isize {
        // SAFETY: `pc` points into the code's units, or one unit before them.
        unsafe { self.pc.offset_from(self.code().units().as_ptr()) }
    }

    /// The offset of the current instruction, in bytes (`f_lasti`).
    pub fn lasti(&self) -> i32 {
        (self.unit_index() * 2) as i32
    }

    /// The line of the current instruction.
    pub fn line(&self) -> Option<i32> {
        self.code().line_at(self.lasti())
    }

    /// Fills in a new frame on memory that has room for it; locals are not touched.
    ///
    /// # Safety
    /// `place` has room for a frame of the function's code; the function's parts are whole.
    #[inline(always)]
    pub unsafe fn init(place: *mut Frame, function: &PyFunction, code: &PyCode, previous: *mut Frame) {
        function.as_object().incref();
        code.as_object().incref();
        let units = code.units();
        // SAFETY: the caller's promise.
        unsafe {
            place.write(Frame {
                code,
                func: function,
                globals: function.globals_ptr(),
                builtins: function.builtins_ptr(),
                locals: core::ptr::null_mut(),
                frame_object: Cell::new(core::ptr::null_mut()),
                previous,
                pc: units.as_ptr(),
                sp: core::ptr::null_mut(),
                return_offset: 0,
                owner: Owner::Thread,
                is_entry: false,
                is_init: false,
                is_calling: false,
            });
            (*place).sp = (*place).localsplus().add(code.co_nlocalsplus as usize);
        }
    }

    /// Drops what the frame owns: locals, stack, references; its memory stays. A frame object that
    /// others hold takes the contents over first.
    ///
    /// # Safety
    /// The frame does not run any more; `sp` is valid.
    pub unsafe fn clear(&mut self, ts: &ThreadState) {
        let frame_object = self.frame_object.replace(core::ptr::null_mut());
        if !frame_object.is_null() {
            // SAFETY: the frame owned this reference.
            unsafe {
                if (*frame_object).refcnt() > 1 && crate::types::frame::take_over(ts, frame_object, self) {
                    header::decref(ts, frame_object);
                    return;
                }
                crate::types::frame::detach(frame_object);
                header::decref(ts, frame_object);
            }
        }
        // SAFETY: the caller's promise.
        unsafe { self.clear_contents(ts) };
    }

    /// [`Frame::clear`] without the frame object.
    ///
    /// # Safety
    /// As for [`Frame::clear`].
    #[inline]
    pub unsafe fn clear_contents(&mut self, ts: &ThreadState) {
        // SAFETY: from the first local up to `sp` the places hold owned references or null.
        unsafe {
            let mut place = self.localsplus();
            while place < self.sp {
                let object = place.replace(core::ptr::null_mut());
                place = place.add(1);
                if !object.is_null() {
                    header::decref(ts, object);
                }
            }
            self.sp = self.localsplus();
            let locals = core::mem::replace(&mut self.locals, core::ptr::null_mut());
            if !locals.is_null() {
                header::decref(ts, locals);
            }
            header::decref(ts, self.func.cast_mut().cast());
            header::decref(ts, self.code.cast_mut().cast());
        }
    }

    /// The frame object, made when there is none yet.
    pub fn object(&mut self, ts: &ThreadState) -> PyResult {
        let known = self.frame_object.get();
        if !known.is_null() {
            // SAFETY: the frame owns a reference.
            return Ok(PyRef::from_borrowed(unsafe { &*known }));
        }
        let object = crate::types::frame::new(ts, self)?;
        self.frame_object.set(object.clone().into_ptr());
        Ok(object)
    }
}

/// Takes a frame for `function` from the data stack, its locals and stack not initialized.
#[inline(always)]
pub fn push(ts: &ThreadState, function: &PyFunction, code: &PyCode) -> PyResult<*mut Frame> {
    let words = FRAME_WORDS + code.co_framesize as usize;
    // SAFETY: the data stack belongs to this thread, and nothing else uses it now.
    let stack = unsafe { &mut *ts.data_stack.get() };
    let place = stack.push(ts.heap(), words)?.cast::<Frame>();
    // SAFETY: the place has room for it.
    unsafe { Frame::init(place, function, code, ts.frame.get()) };
    Ok(place)
}

/// Gives the memory of the latest frame back, whose contents have been cleared.
///
/// # Safety
/// `frame` is the latest frame on the data stack.
#[inline(always)]
pub unsafe fn pop(ts: &ThreadState, frame: *mut Frame) {
    // SAFETY: as in `push`; the caller's promise.
    unsafe { (*ts.data_stack.get()).pop(ts.heap(), frame.cast()) };
}

/// Takes the frames from a thread that will never run them on: one that finalization has stopped, or that a forked
/// child does not have. Locals are dropped, and what lies on the value stacks, but for the topmost one when the thread
/// is inside native code: that may be in the middle of a system call with it. True when there was native code on the
/// way, which may hold something.
///
/// # Safety
/// The GIL is held, `target` is not the caller's state, and its thread never runs again.
pub unsafe fn abandon(ts: &ThreadState, target: &ThreadState) -> bool {
    let mut at = target.frame.replace(core::ptr::null_mut());
    let mut stack_is_whole = target.between_instructions.get();
    let mut native = false;
    // SAFETY: the frames are linked and alive; `sp` is valid where the thread is between two instructions, and in a
    // frame that another was entered from without native code in between. A frame's memory outlives this.
    unsafe {
        while let Some(frame) = at.as_mut() {
            at = frame.previous;
            if !stack_is_whole {
                frame.sp = frame.stack_base();
                native = true;
            }
            // What native code was called with, nobody uses any more: it waits for the frames above to end.
            native |= frame.is_entry && !at.is_null();
            // What native code was called with, nobody uses any more: it waits for the frames above to end.
            let caller_is_calling = at.as_ref().is_some_and(|caller| caller.is_calling);
            stack_is_whole = !frame.is_entry || caller_is_calling;
            if frame.owner == Owner::Thread {
                frame.clear(ts);
            } else {
                crate::types::generator::abandon(ts, frame);
            }
        }
    }
    native
}

/// The nearest frame of Python code, from the current one down.
pub fn current(ts: &ThreadState) -> Option<&mut Frame> {
    // SAFETY: the thread's frames are alive as long as they are linked.
    unsafe { ts.frame.get().as_mut() }
}

/// The global variables of the current frame.
pub fn current_globals(ts: &ThreadState) -> Option<Ref<PyDict>> {
    current(ts).map(|frame| Ref::from_borrowed(frame.globals()))
}
