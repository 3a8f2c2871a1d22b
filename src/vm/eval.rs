//! The evaluation loop.
//!
//! Registers: `frame`, `pc` (the instruction being executed), `sp` (the first free place of the value
//! stack). An instruction's arm ends with `next!` (behind its caches), `jump!`, or leaves its block
//! through `fail!` with an exception set; what follows the block unwinds.
//!
//! R1: `frame.pc` is stored before anything that can raise or look at the frame.
//! R2: `frame.sp` is stored before the loop turns to another frame.
//! R3: an operand stays on the stack, owned by it, until its instruction no longer needs it: the
//!     unwinder drops what is there. `pop!` takes ownership.

use core::cell::Cell;

use super::bind::{self, drop_range};
use super::cache::Caches;
use super::frame::{self, FRAME_WORDS, Frame, Owner};
use super::monitoring::watch::{Step, Watch};
use super::opcode::{self, op};
use super::{build, evaluator, imports, intrinsics, matching, names, specialize, unwind};
use crate::object::call::{self, Args};
use crate::object::slots::Sent;
use crate::object::{
    AsObject, CompareOp, Native, PyObject, PyRef, PyResult, PyTypeObject, Raised, Ref, attr, flags, header, instance,
    protocol,
};
use crate::state::{EvalBreaker, ExcInfo, ThreadState};
use crate::types::bool::{BOOL_TYPE, false_object, py_bool, true_object};
use crate::types::builtin_function::{BUILTIN_FUNCTION_TYPE, PyBuiltinFunction, call_native};
use crate::types::cell::PyCell;
use crate::types::code::{CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, PyCode};
use crate::types::descr::{METHOD_DESCR_TYPE, PyMethodDescr};
use crate::types::dict::{DICT_TYPE, PyDict};
use crate::types::exceptions as exc;
use crate::types::float::{FLOAT_TYPE, PyFloat};
use crate::types::function::{FUNCTION_TYPE, PyFunction};
use crate::types::generator::{self, PyGenerator};
use crate::types::int::{self, INT_TYPE, PyInt};
use crate::types::list::{LIST_TYPE, PyList, PyListIter};
use crate::types::method::{METHOD_TYPE, PyMethod};
use crate::types::none::{is_none, none};
use crate::types::range::PyRangeIter;
use crate::types::set::PySet;
use crate::types::slice::PySlice;
use crate::types::str::{PyStr, STR_TYPE};
use crate::types::tuple::{PyTuple, PyTupleIter, TUPLE_TYPE};
use crate::types::typ::TYPE_TYPE;
use crate::{id, raise};

/// How a frame is entered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// From its current instruction.
    Run,
    /// With an exception set: a generator into which one was thrown.
    Throw,
}

/// The `tp_call` of functions.
pub fn call_function(ts: &ThreadState, callable: &PyObject, args: Args<'_>) -> PyResult {
    // SAFETY: slot of this type.
    let function = unsafe { callable.cast_unchecked::<PyFunction>() };
    let frame = bind::frame_for_call(ts, function, args)?;
    eval_frame(ts, frame, Entry::Run)
}

/// Runs code in the given namespaces: what `exec`, `eval`, imports and class bodies do.
///
/// `locals` may be any mapping; without it, the code runs with function locals.
pub fn eval_code(
    ts: &ThreadState,
    code: &PyCode,
    globals: &PyDict,
    locals: Option<&PyObject>,
    closure: Option<Ref<PyTuple>>,
) -> PyResult {
    let function = PyFunction::new(ts, code, globals)?;
    function.func_closure.set(closure);
    eval_function_in(ts, &function, locals)
}

/// Runs a function's code without arguments and with a mapping for its local variables (`__build_class__`).
pub fn eval_function_in(ts: &ThreadState, function: &PyFunction, locals: Option<&PyObject>) -> PyResult {
    let frame = bind::frame_for_call(ts, function, Args::NONE)?;
    if let Some(locals) = locals {
        // SAFETY: the frame is new.
        unsafe { (*frame).locals = locals.new_ref().into_ptr() };
    }
    eval_frame(ts, frame, Entry::Run)
}

/// Runs a frame until it returns, yields or fails; the frame is cleared and popped unless it is suspended.
#[inline]
pub fn eval_frame(ts: &ThreadState, frame: *mut Frame, entry: Entry) -> PyResult {
    if ts.interp().monitoring.is_active()
        && let Some(function) = ts.interp().evaluator.get()
    {
        return evaluator::run(ts, frame, entry, function);
    }
    eval_frame_in_loop(ts, frame, entry)
}

/// Ends a frame that an evaluator has not begun.
///
/// # Safety
/// The frame is whole, is the thread's latest when it is the thread's, and was not begun.
pub(super) unsafe fn end_unbegun(ts: &ThreadState, frame: *mut Frame) {
    // Counted off below.
    ts.recursion_remaining.set(ts.recursion_remaining.get() - 1);
    // SAFETY: the caller's promise.
    unsafe { leave(ts, frame) };
}

/// [`eval_frame`], whoever runs the interpreter's frames otherwise.
pub(super) fn eval_frame_in_loop(ts: &ThreadState, frame: *mut Frame, entry: Entry) -> PyResult {
    let checked = ts.check_native_stack("").and_then(|()| enter_recursion(ts));
    // SAFETY: the frame is whole, and nothing else runs it.
    unsafe {
        (*frame).is_entry = true;
        (*frame).previous = ts.frame.get();
        if let Err(raised) = checked {
            // The call never began, so it leaves no line in the traceback.
            leave(ts, frame);
            return Err(raised);
        }
        ts.frame.set(frame);
        let (mut frame, mut entry) = (frame, entry);
        loop {
            let outcome = if ts.interp().monitoring.is_active() {
                run::<true>(ts, frame, entry)
            } else {
                run::<false>(ts, frame, entry)
            };
            match outcome {
                Outcome::Returned(value) => return Ok(value),
                Outcome::Raised => return Err(Raised::already_set()),
                Outcome::ChangeOver => (frame, entry) = (ts.frame.get(), Entry::Run),
            }
        }
    }
}

/// How the loop ends.
enum Outcome {
    /// The entry frame has returned or yielded.
    Returned(PyRef),
    /// An exception has left the entry frame.
    Raised,
    /// The other loop goes on with the current frame: somebody begins to watch, or nobody watches any more.
    ChangeOver,
}

/// Counts a Python call; RecursionError past the limit.
#[inline(always)]
fn enter_recursion(ts: &ThreadState) -> PyResult<()> {
    let remaining = ts.recursion_remaining.get();
    ts.recursion_remaining.set(remaining - 1);
    if remaining <= 0 {
        return recursion_limit(ts);
    }
    Ok(())
}

#[inline(always)]
fn leave_recursion(ts: &ThreadState) {
    ts.recursion_remaining.set(ts.recursion_remaining.get() + 1);
}

/// The caller gives the count back through [`leave`], whether this fails or not.
#[cold]
#[inline(never)]
fn recursion_limit(ts: &ThreadState) -> PyResult<()> {
    if ts.recursion_headroom.get() > 0 && ts.recursion_remaining.get() > -50 {
        return Ok(());
    }
    ts.recursion_headroom.set(ts.recursion_headroom.get() + 1);
    let result = raise!(ts, exc::RecursionError, "maximum recursion depth exceeded");
    ts.recursion_headroom.set(ts.recursion_headroom.get() - 1);
    result
}

/// Ends a frame that is one too many: the call never began, so it leaves no line in the traceback.
///
/// # Safety
/// As for [`leave`].
#[cold]
#[inline(never)]
unsafe fn not_entered(ts: &ThreadState, frame: *mut Frame) {
    // Finalizers of the arguments must not see, nor lose, the exception.
    let pending = ts.current_exception.take();
    // SAFETY: the caller's promise.
    unsafe { leave(ts, frame) };
    ts.current_exception.set(pending);
}

/// Ends a frame: drops its contents, and gives its memory back where it is the thread's. Counts the call off.
///
/// # Safety
/// The frame does not run any more, `sp` is valid; a frame of the thread is its latest.
#[inline(always)]
unsafe fn leave(ts: &ThreadState, frame: *mut Frame) {
    leave_recursion(ts);
    // SAFETY: the caller's promise.
    unsafe {
        if (*frame).owner == Owner::Thread {
            (*frame).clear(ts);
            frame::pop(ts, frame);
        } else {
            generator::frame_ended(ts, frame);
        }
    }
}

/// Whether the eval breaker asks for anything. While somebody watches it always carries `TRACING`.
#[inline(always)]
fn breaks<const WATCHED: bool>(ts: &ThreadState) -> bool {
    if WATCHED { ts.eval_breaker.get() & !EvalBreaker::TRACING != 0 } else { ts.eval_breaker.any() }
}

/// What the eval breaker asks for.
#[cold]
#[inline(never)]
fn handle_breaker(ts: &ThreadState) -> PyResult<()> {
    crate::lifecycle::pending::handle(ts)
}

/// The loop. See the module's documentation for its rules. It is compiled twice: with `WATCHED` it tells the
/// monitoring what happens ([`super::monitoring`]).
///
/// # Safety
/// `frame` is the thread's current frame, whole, and run by nobody else.
#[allow(clippy::cognitive_complexity, reason = "one arm per instruction")]
unsafe fn run<const WATCHED: bool>(ts: &ThreadState, first: *mut Frame, entry: Entry) -> Outcome {
    let mut watch = Watch::new();
    let mut frame: *mut Frame = first;
    let mut start = None;
    if entry == Entry::Throw {
        if WATCHED {
            // SAFETY: the caller's promise.
            unsafe { watch.thrown(ts, frame) };
        }
        // SAFETY: as above.
        match unsafe { raised(ts, frame, (*frame).pc, false, WATCHED.then_some(&mut watch)) } {
            Some((handling, handler)) => (frame, start) = (handling, Some(handler)),
            None => return Outcome::Raised,
        }
    }
    // SAFETY: for the whole block: code objects are validated when they are made, so instructions, caches,
    // names, constants and places are there; the compiler keeps the stack within `co_stacksize`;
    // the places up to `sp` hold owned references or null.
    unsafe {
        let mut pc: *const Cell<u16> = start.unwrap_or((*frame).pc);
        let mut sp: *mut *mut PyObject = (*frame).sp;

        macro_rules! push {
            ($value:expr) => {{
                let value: PyRef = $value;
                *sp = value.into_ptr();
                sp = sp.add(1);
            }};
        }
        macro_rules! push_raw {
            ($value:expr) => {{
                *sp = $value;
                sp = sp.add(1);
            }};
        }
        macro_rules! pop {
            () => {{
                sp = sp.sub(1);
                PyRef::from_owned(*sp)
            }};
        }
        macro_rules! peek {
            ($depth:expr) => {
                &**sp.sub($depth)
            };
        }
        // Drops the top of the stack through the thread state at hand.
        macro_rules! drop_top {
            () => {{
                sp = sp.sub(1);
                header::decref(ts, *sp)
            }};
        }
        // Drops the `$count` topmost operands and puts `$value` in their place.
        macro_rules! replace {
            ($count:expr, $value:expr) => {{
                let value: PyRef = $value;
                let bottom = sp.sub($count);
                let mut place = sp;
                sp = bottom.add(1);
                let first = *bottom;
                *bottom = value.into_ptr();
                while place > bottom.add(1) {
                    place = place.sub(1);
                    header::decref(ts, *place);
                }
                header::decref(ts, first);
            }};
        }
        // Native code is about to be called with what lies on the stack: a thread that is stopped in there for good
        // has its frames cleared by another (see `frame::abandon`).
        macro_rules! calling {
            () => {{
                (*frame).sp = sp;
                (*frame).is_calling = true;
            }};
        }
        macro_rules! save {
            () => {{
                (*frame).pc = pc;
            }};
        }
        // The place of a local variable; a frame's locals lie behind it.
        macro_rules! local {
            ($index:expr) => {
                (*frame).localsplus().add($index)
            };
        }
        macro_rules! name {
            ($index:expr) => {
                (*(*frame).code).name_at($index)
            };
        }

        loop {
            let reraised = 'inst: {
                'dispatch: loop {
                    let (mut operation, argument) = fetch(pc);
                    let mut oparg = argument;
                    let mut prefixed = false;
                    'extended: loop {
                        if WATCHED {
                            match watch.before(ts, frame, pc, sp, oparg, prefixed) {
                                Ok(Step::Run) => {}
                                Ok(Step::Moved) => {
                                    pc = (*frame).pc;
                                    sp = (*frame).sp;
                                    continue 'dispatch;
                                }
                                Ok(Step::Leave) => return Outcome::ChangeOver,
                                Err(_) => break 'inst false,
                            }
                        }

                        macro_rules! next {
                            ($caches:expr) => {{
                                pc = pc.add(1 + $caches);
                                continue 'dispatch;
                            }};
                            () => {
                                next!(0)
                            };
                        }
                        macro_rules! jump {
                            ($offset:expr) => {{
                                pc = pc.offset($offset);
                                continue 'dispatch;
                            }};
                        }
                        macro_rules! fail {
                            () => {
                                break 'inst false
                            };
                        }
                        macro_rules! check {
                            ($result:expr) => {
                                match $result {
                                    Ok(value) => value,
                                    Err(raised) => {
                                        let _: Raised = raised;
                                        fail!()
                                    }
                                }
                            };
                        }
                        // Does what the eval breaker asks for, behind an instruction whose result is on the stack; `$units`
                        // leads to the next one, where the other loop goes on if it must.
                        macro_rules! periodic {
                            ($units:expr) => {
                                if breaks::<WATCHED>(ts) {
                                    save!();
                                    (*frame).sp = sp;
                                    check!(handle_breaker(ts));
                                    if ts.interp().monitoring.is_active() != WATCHED {
                                        (*frame).pc = pc.add($units);
                                        return Outcome::ChangeOver;
                                    }
                                }
                            };
                        }
                        // Turns to a frame that was just made for a Python call; `$skip` is how far behind the
                        // calling instruction its return goes on.
                        macro_rules! enter {
                            ($callee:expr, $skip:expr) => {{
                                let callee: *mut Frame = $callee;
                                (*frame).sp = sp;
                                (*frame).return_offset = $skip as u16;
                                if WATCHED && ts.interp().evaluator.get().is_some() {
                                    (*frame).is_calling = true;
                                    let result = eval_frame(ts, callee, Entry::Run);
                                    (*frame).is_calling = false;
                                    push!(check!(result));
                                    jump!((*frame).return_offset as isize)
                                }
                                (*callee).previous = frame;
                                if enter_recursion(ts).is_err() {
                                    not_entered(ts, callee);
                                    fail!()
                                }
                                frame = callee;
                                ts.frame.set(frame);
                                pc = (*frame).pc;
                                sp = (*frame).sp;
                                continue 'dispatch;
                            }};
                        }

                        // Specialized for two ints; what does not fit goes the long way.
                        macro_rules! int_operation {
                            ($fast:path) => {{
                                let (left, right) = (peek!(2), peek!(1));
                                save!();
                                let fast = if is_exact(left, &INT_TYPE) && is_exact(right, &INT_TYPE) {
                                    $fast(ts, left.cast_unchecked::<PyInt>(), right.cast_unchecked::<PyInt>())
                                } else {
                                    specialize::miss(Caches::of(pc), op::BINARY_OP);
                                    None
                                };
                                let value = match fast {
                                    Some(value) => check!(value),
                                    None => check!(binary_op(ts, left, right, oparg)),
                                };
                                replace!(2, value);
                                next!(5)
                            }};
                        }
                        // Specialized for two floats.
                        macro_rules! float_operation {
                        ($operator:tt) => {{
                            let (left, right) = (peek!(2), peek!(1));
                            save!();
                            let value = if is_exact(left, &FLOAT_TYPE) && is_exact(right, &FLOAT_TYPE) {
                                let result = left.cast_unchecked::<PyFloat>().value()
                                    $operator right.cast_unchecked::<PyFloat>().value();
                                // An operand that dies here lends its memory to the result.
                                if left.is_unique() {
                                    left.cast_unchecked::<PyFloat>().set_value(result);
                                    drop_top!();
                                    next!(5)
                                }
                                if right.is_unique() {
                                    right.cast_unchecked::<PyFloat>().set_value(result);
                                    sp = sp.sub(1);
                                    let dead = sp.sub(1).replace(*sp);
                                    header::decref(ts, dead);
                                    next!(5)
                                }
                                check!(PyFloat::new(ts, result))
                            } else {
                                specialize::miss(Caches::of(pc), op::BINARY_OP);
                                check!(binary_op(ts, left, right, oparg))
                            };
                            replace!(2, value);
                            next!(5)
                        }};
                    }

                        match operation {
                            op::NOP | op::NOT_TAKEN | op::CACHE => next!(),
                            op::RESUME | op::RESUME_CHECK => {
                                // Behind `yield from` and `await` the inner generator is the one to be interrupted.
                                if oparg & 3 < 2 {
                                    periodic!(0);
                                }
                                next!()
                            }

                            // ---- locals and constants ----
                            op::LOAD_FAST | op::LOAD_FAST_BORROW => {
                                let value = *local!(oparg);
                                (*value).incref();
                                push_raw!(value);
                                next!()
                            }
                            op::LOAD_FAST_CHECK => {
                                let value = *local!(oparg);
                                if value.is_null() {
                                    save!();
                                    check!(names::unbound_local(ts, &*frame, oparg));
                                }
                                (*value).incref();
                                push_raw!(value);
                                next!()
                            }
                            op::LOAD_FAST_AND_CLEAR => {
                                push_raw!(local!(oparg).replace(core::ptr::null_mut()));
                                next!()
                            }
                            op::LOAD_FAST_LOAD_FAST | op::LOAD_FAST_BORROW_LOAD_FAST_BORROW => {
                                let value = *local!(oparg >> 4);
                                (*value).incref();
                                push_raw!(value);
                                let value = *local!(oparg & 15);
                                (*value).incref();
                                push_raw!(value);
                                next!()
                            }
                            op::LOAD_CONST | op::LOAD_CONST_MORTAL | op::LOAD_CONST_IMMORTAL => {
                                let value = (*(*frame).code).const_at(oparg);
                                value.incref();
                                push_raw!(value.as_ptr());
                                next!()
                            }
                            op::LOAD_SMALL_INT => {
                                push_raw!(int::small_int_ptr(oparg as i64));
                                next!()
                            }
                            op::STORE_FAST => {
                                sp = sp.sub(1);
                                let old = local!(oparg).replace(*sp);
                                if !old.is_null() {
                                    header::decref(ts, old);
                                }
                                next!()
                            }
                            op::STORE_FAST_LOAD_FAST => {
                                let old = local!(oparg >> 4).replace(*sp.sub(1));
                                let value = *local!(oparg & 15);
                                (*value).incref();
                                *sp.sub(1) = value;
                                if !old.is_null() {
                                    header::decref(ts, old);
                                }
                                next!()
                            }
                            op::STORE_FAST_STORE_FAST => {
                                sp = sp.sub(2);
                                let first = local!(oparg >> 4).replace(*sp.add(1));
                                let second = local!(oparg & 15).replace(*sp);
                                if !first.is_null() {
                                    header::decref(ts, first);
                                }
                                if !second.is_null() {
                                    header::decref(ts, second);
                                }
                                next!()
                            }
                            op::DELETE_FAST => {
                                let old = local!(oparg).replace(core::ptr::null_mut());
                                save!();
                                if old.is_null() {
                                    check!(names::unbound_local(ts, &*frame, oparg));
                                }
                                header::decref(ts, old);
                                next!()
                            }
                            op::POP_TOP | op::POP_ITER | op::END_FOR => {
                                drop_top!();
                                next!()
                            }
                            op::PUSH_NULL => {
                                push_raw!(core::ptr::null_mut());
                                next!()
                            }
                            op::END_SEND => {
                                let value = *sp.sub(1);
                                let receiver = *sp.sub(2);
                                *sp.sub(2) = value;
                                sp = sp.sub(1);
                                header::decref(ts, receiver);
                                next!()
                            }
                            op::COPY => {
                                let value = *sp.sub(oparg);
                                if !value.is_null() {
                                    (*value).incref();
                                }
                                push_raw!(value);
                                next!()
                            }
                            op::SWAP => {
                                core::ptr::swap(sp.sub(1), sp.sub(oparg));
                                next!()
                            }
                            op::EXTENDED_ARG => {
                                pc = pc.add(1);
                                let (prefixed_operation, argument) = fetch(pc);
                                operation = prefixed_operation;
                                oparg = oparg << 8 | argument;
                                prefixed = true;
                                continue 'extended;
                            }

                            // ---- operators ----
                            op::UNARY_NEGATIVE => {
                                save!();
                                let value = check!(protocol::negative(ts, peek!(1)));
                                replace!(1, value);
                                next!()
                            }
                            op::UNARY_INVERT => {
                                save!();
                                let value = check!(protocol::invert(ts, peek!(1)));
                                replace!(1, value);
                                next!()
                            }
                            op::UNARY_NOT => {
                                // The operand is a bool already.
                                let was_true = core::ptr::eq(*sp.sub(1), true_object());
                                *sp.sub(1) = if was_true { false_object() } else { true_object() }.as_ptr();
                                next!()
                            }
                            op::TO_BOOL => {
                                let value = peek!(1);
                                let typ: *const PyTypeObject = value.ob_type();
                                if core::ptr::eq(typ, &*BOOL_TYPE) {
                                    next!(3)
                                }
                                save!();
                                let truth = if core::ptr::eq(typ, &*LIST_TYPE) {
                                    value.cast_unchecked::<PyList>().len() != 0
                                } else if core::ptr::eq(typ, &*STR_TYPE) {
                                    value.cast_unchecked::<PyStr>().len() != 0
                                } else {
                                    check!(protocol::is_true(ts, value))
                                };
                                replace!(1, py_bool(truth));
                                next!(3)
                            }
                            op::BINARY_OP => {
                                save!();
                                let caches = Caches::of(pc);
                                let (left, right) = (peek!(2), peek!(1));
                                if caches.counter() == 0 {
                                    specialize::binary_op(caches, left, right, oparg);
                                } else {
                                    caches.set_counter(caches.counter() - 1);
                                }
                                let value = check!(binary_op(ts, left, right, oparg));
                                replace!(2, value);
                                next!(5)
                            }
                            op::BINARY_OP_ADD_INT => int_operation!(int::fast_add),
                            op::BINARY_OP_SUBTRACT_INT => int_operation!(int::fast_sub),
                            op::BINARY_OP_MULTIPLY_INT => int_operation!(int::fast_mul),
                            op::BINARY_OP_ADD_FLOAT => float_operation!(+),
                            op::BINARY_OP_SUBTRACT_FLOAT => float_operation!(-),
                            op::BINARY_OP_MULTIPLY_FLOAT => float_operation!(*),
                            op::BINARY_OP_ADD_UNICODE => {
                                let (left, right) = (peek!(2), peek!(1));
                                save!();
                                let value = if is_exact(left, &STR_TYPE) && is_exact(right, &STR_TYPE) {
                                    // `s += t`: when the next instruction stores to a local that holds the left
                                    // operand, nobody else sees it, and it can grow in place.
                                    let next = (*pc.add(6)).get();
                                    let place = local!((next >> 8) as usize);
                                    if next as u8 == op::STORE_FAST && core::ptr::eq(*place, left) && left.refcnt() == 2
                                    {
                                        header::decref(ts, place.replace(core::ptr::null_mut()));
                                        sp = sp.sub(1);
                                        let right = PyRef::from_owned(*sp);
                                        sp = sp.sub(1);
                                        let mut grown = PyRef::from_owned(*sp);
                                        match crate::types::str::concat_in_place(
                                            ts,
                                            &mut grown,
                                            right.cast_unchecked::<PyStr>(),
                                        ) {
                                            Ok(()) => {
                                                push!(grown);
                                                next!(5)
                                            }
                                            Err(_) => {
                                                *place = grown.into_ptr();
                                                fail!()
                                            }
                                        }
                                    }
                                    check!(PyStr::concat(
                                        ts,
                                        left.cast_unchecked::<PyStr>(),
                                        right.cast_unchecked::<PyStr>()
                                    ))
                                    .into_object()
                                } else {
                                    specialize::miss(Caches::of(pc), op::BINARY_OP);
                                    check!(binary_op(ts, left, right, oparg))
                                };
                                replace!(2, value);
                                next!(5)
                            }
                            op::BINARY_OP_SUBSCR_LIST_INT => {
                                let (left, right) = (peek!(2), peek!(1));
                                if is_exact(left, &LIST_TYPE)
                                    && is_exact(right, &INT_TYPE)
                                    && let Some(index) = right.cast_unchecked::<PyInt>().as_i64()
                                {
                                    let list = left.cast_unchecked::<PyList>();
                                    let index = if index < 0 { index + list.len() as i64 } else { index };
                                    if let Some(value) = list.get(index as usize) {
                                        replace!(2, value);
                                        next!(5)
                                    }
                                } else {
                                    specialize::miss(Caches::of(pc), op::BINARY_OP);
                                }
                                save!();
                                let value = check!(protocol::getitem(ts, left, right));
                                replace!(2, value);
                                next!(5)
                            }
                            op::BINARY_OP_SUBSCR_TUPLE_INT => {
                                let (left, right) = (peek!(2), peek!(1));
                                if is_exact(left, &TUPLE_TYPE)
                                    && is_exact(right, &INT_TYPE)
                                    && let Some(index) = right.cast_unchecked::<PyInt>().as_i64()
                                {
                                    let tuple = left.cast_unchecked::<PyTuple>();
                                    let index = if index < 0 { index + tuple.len() as i64 } else { index };
                                    if let Some(value) = tuple.items().get(index as usize) {
                                        replace!(2, value.new_ref());
                                        next!(5)
                                    }
                                } else {
                                    specialize::miss(Caches::of(pc), op::BINARY_OP);
                                }
                                save!();
                                let value = check!(protocol::getitem(ts, left, right));
                                replace!(2, value);
                                next!(5)
                            }
                            op::BINARY_OP_SUBSCR_DICT => {
                                let (left, right) = (peek!(2), peek!(1));
                                save!();
                                if !is_exact(left, &DICT_TYPE) {
                                    specialize::miss(Caches::of(pc), op::BINARY_OP);
                                    let value = check!(protocol::getitem(ts, left, right));
                                    replace!(2, value);
                                    next!(5)
                                }
                                match check!(left.cast_unchecked::<PyDict>().get(ts, right)) {
                                    Some(value) => {
                                        replace!(2, value);
                                        next!(5)
                                    }
                                    None => {
                                        let _ = crate::types::dict::raise_key_error(ts, right);
                                        fail!()
                                    }
                                }
                            }
                            op::COMPARE_OP => {
                                save!();
                                let caches = Caches::of(pc);
                                let (left, right) = (peek!(2), peek!(1));
                                if caches.counter() == 0 {
                                    specialize::compare_op(caches, left, right);
                                } else {
                                    caches.set_counter(caches.counter() - 1);
                                }
                                let value = check!(compare_op(ts, left, right, oparg));
                                replace!(2, value);
                                next!(1)
                            }
                            op::COMPARE_OP_INT => {
                                let (left, right) = (peek!(2), peek!(1));
                                if is_exact(left, &INT_TYPE)
                                    && is_exact(right, &INT_TYPE)
                                    && let Some(ordering) = int::fast_compare(
                                        left.cast_unchecked::<PyInt>(),
                                        right.cast_unchecked::<PyInt>(),
                                    )
                                {
                                    let truth = COMPARISONS[oparg >> 5].holds(ordering);
                                    replace!(2, py_bool(truth));
                                    next!(1)
                                }
                                save!();
                                specialize::miss(Caches::of(pc), op::COMPARE_OP);
                                let value = check!(compare_op(ts, left, right, oparg));
                                replace!(2, value);
                                next!(1)
                            }
                            op::COMPARE_OP_FLOAT => {
                                let (left, right) = (peek!(2), peek!(1));
                                if is_exact(left, &FLOAT_TYPE) && is_exact(right, &FLOAT_TYPE) {
                                    let (a, b) = (
                                        left.cast_unchecked::<PyFloat>().value(),
                                        right.cast_unchecked::<PyFloat>().value(),
                                    );
                                    let truth = match COMPARISONS[oparg >> 5] {
                                        CompareOp::Lt => a < b,
                                        CompareOp::Le => a <= b,
                                        CompareOp::Eq => a == b,
                                        CompareOp::Ne => a != b,
                                        CompareOp::Gt => a > b,
                                        CompareOp::Ge => a >= b,
                                    };
                                    replace!(2, py_bool(truth));
                                    next!(1)
                                }
                                save!();
                                specialize::miss(Caches::of(pc), op::COMPARE_OP);
                                let value = check!(compare_op(ts, left, right, oparg));
                                replace!(2, value);
                                next!(1)
                            }
                            op::COMPARE_OP_STR => {
                                let (left, right) = (peek!(2), peek!(1));
                                let comparison = COMPARISONS[oparg >> 5];
                                if is_exact(left, &STR_TYPE)
                                    && is_exact(right, &STR_TYPE)
                                    && matches!(comparison, CompareOp::Eq | CompareOp::Ne)
                                {
                                    let same = left.cast_unchecked::<PyStr>().equals(right.cast_unchecked::<PyStr>());
                                    replace!(2, py_bool(same == (comparison == CompareOp::Eq)));
                                    next!(1)
                                }
                                save!();
                                specialize::miss(Caches::of(pc), op::COMPARE_OP);
                                let value = check!(compare_op(ts, left, right, oparg));
                                replace!(2, value);
                                next!(1)
                            }
                            op::IS_OP => {
                                let same = core::ptr::eq(*sp.sub(2), *sp.sub(1));
                                replace!(2, py_bool(same != (oparg != 0)));
                                next!()
                            }
                            op::CONTAINS_OP => {
                                save!();
                                let found = check!(protocol::contains(ts, peek!(1), peek!(2)));
                                replace!(2, py_bool(found != (oparg != 0)));
                                next!(1)
                            }
                            op::BINARY_SLICE => {
                                save!();
                                let value = check!(build::binary_slice(ts, peek!(3), peek!(2), peek!(1)));
                                replace!(3, value);
                                next!()
                            }
                            op::STORE_SLICE => {
                                save!();
                                let slice = check!(PySlice::new(ts, peek!(2), peek!(1), none()));
                                check!(protocol::setitem(ts, peek!(3), slice.as_object(), peek!(4)));
                                drop(slice);
                                drop_range(ts, sp.sub(4), sp);
                                sp = sp.sub(4);
                                next!()
                            }
                            op::STORE_SUBSCR => {
                                save!();
                                let (value, container, key) = (peek!(3), peek!(2), peek!(1));
                                if is_exact(container, &LIST_TYPE)
                                    && is_exact(key, &INT_TYPE)
                                    && let Some(index) = key.cast_unchecked::<PyInt>().as_i64()
                                    && (index as usize) < container.cast_unchecked::<PyList>().len()
                                {
                                    let list = container.cast_unchecked::<PyList>();
                                    check!(list.set(ts, index as usize, value.new_ref()));
                                } else if is_exact(container, &DICT_TYPE) {
                                    check!(container.cast_unchecked::<PyDict>().set(ts, key, value));
                                } else {
                                    check!(protocol::setitem(ts, container, key, value));
                                }
                                drop_range(ts, sp.sub(3), sp);
                                sp = sp.sub(3);
                                next!(1)
                            }
                            op::DELETE_SUBSCR => {
                                save!();
                                check!(protocol::delitem(ts, peek!(2), peek!(1)));
                                drop_range(ts, sp.sub(2), sp);
                                sp = sp.sub(2);
                                next!()
                            }

                            // ---- names ----
                            op::LOAD_GLOBAL => {
                                save!();
                                let caches = Caches::of(pc);
                                let name = name!(oparg >> 1);
                                if caches.counter() == 0 {
                                    specialize::load_global(ts, caches, &*frame, name);
                                } else {
                                    caches.set_counter(caches.counter() - 1);
                                }
                                let value = check!(names::load_global(ts, &*frame, name));
                                push!(value);
                                if oparg & 1 != 0 {
                                    push_raw!(core::ptr::null_mut());
                                }
                                next!(4)
                            }
                            op::LOAD_GLOBAL_MODULE => {
                                let caches = Caches::of(pc);
                                let globals = &*(*frame).globals;
                                if globals.current_keys_version() == caches.get_u32(3)
                                    && let Some(value) = globals.value_at(caches.get(2))
                                {
                                    value.incref();
                                    push_raw!(value.as_ptr());
                                    if oparg & 1 != 0 {
                                        push_raw!(core::ptr::null_mut());
                                    }
                                    next!(4)
                                }
                                specialize::miss(caches, op::LOAD_GLOBAL);
                                continue 'dispatch;
                            }
                            op::LOAD_GLOBAL_BUILTIN => {
                                let caches = Caches::of(pc);
                                let globals = &*(*frame).globals;
                                let builtins = &*(*frame).builtins.cast::<PyDict>();
                                // `specialize` has seen that the built-in names are a dict; a frame's never change.
                                if is_exact(&*(*frame).builtins, &DICT_TYPE)
                                    && globals.current_keys_version() as u16 == caches.get(3)
                                    && builtins.current_keys_version() as u16 == caches.get(4)
                                    && globals.current_keys_version() < 0x1_0000
                                    && builtins.current_keys_version() < 0x1_0000
                                    && let Some(value) = builtins.value_at(caches.get(2))
                                {
                                    value.incref();
                                    push_raw!(value.as_ptr());
                                    if oparg & 1 != 0 {
                                        push_raw!(core::ptr::null_mut());
                                    }
                                    next!(4)
                                }
                                specialize::miss(caches, op::LOAD_GLOBAL);
                                continue 'dispatch;
                            }
                            op::STORE_GLOBAL => {
                                save!();
                                check!((*(*frame).globals).set(ts, name!(oparg).as_object(), peek!(1)));
                                drop_top!();
                                next!()
                            }
                            op::DELETE_GLOBAL => {
                                save!();
                                check!(names::delete_global(ts, &*frame, name!(oparg)));
                                next!()
                            }
                            op::LOAD_NAME => {
                                save!();
                                let value = check!(names::load_name(ts, &*frame, name!(oparg)));
                                push!(value);
                                next!()
                            }
                            op::STORE_NAME => {
                                save!();
                                check!(names::store_name(ts, &*frame, name!(oparg), peek!(1)));
                                drop_top!();
                                next!()
                            }
                            op::DELETE_NAME => {
                                save!();
                                check!(names::delete_name(ts, &*frame, name!(oparg)));
                                next!()
                            }
                            op::LOAD_LOCALS => {
                                save!();
                                let value = check!(names::load_locals(ts, &*frame));
                                push!(value);
                                next!()
                            }
                            op::LOAD_FROM_DICT_OR_GLOBALS => {
                                save!();
                                let value =
                                    check!(names::load_from_dict_or_globals(ts, &*frame, peek!(1), name!(oparg)));
                                replace!(1, value);
                                next!()
                            }
                            op::MAKE_CELL => {
                                save!();
                                // The value is the cell's now, and gone with it when the cell cannot be made.
                                let value = local!(oparg).replace(core::ptr::null_mut());
                                let cell = check!(PyCell::new(ts, PyRef::from_owned_or_null(value)));
                                *local!(oparg) = cell.into_ptr().cast();
                                next!()
                            }
                            op::COPY_FREE_VARS => {
                                let code = &*(*frame).code;
                                let first = code.co_nlocalsplus as usize - oparg;
                                if let Some(closure) = (*frame).function().func_closure.borrow() {
                                    for (index, cell) in closure.items().iter().take(oparg).enumerate() {
                                        cell.incref();
                                        *local!(first + index) = cell.as_ptr();
                                    }
                                }
                                next!()
                            }
                            op::LOAD_DEREF => {
                                let cell = (**local!(oparg)).cast_unchecked::<PyCell>();
                                match cell.get() {
                                    Some(value) => push!(value),
                                    None => {
                                        save!();
                                        check!(names::unbound_deref(ts, &*frame, oparg))
                                    }
                                }
                                next!()
                            }
                            op::STORE_DEREF => {
                                let cell = (**local!(oparg)).cast_unchecked::<PyCell>();
                                let value = pop!();
                                cell.set(Some(value));
                                next!()
                            }
                            op::DELETE_DEREF => {
                                save!();
                                let cell = (**local!(oparg)).cast_unchecked::<PyCell>();
                                if cell.take().is_none() {
                                    check!(names::unbound_deref(ts, &*frame, oparg));
                                }
                                next!()
                            }
                            op::LOAD_FROM_DICT_OR_DEREF => {
                                save!();
                                let value = check!(names::load_from_dict_or_deref(ts, &*frame, peek!(1), oparg));
                                replace!(1, value);
                                next!()
                            }

                            // ---- attributes ----
                            op::LOAD_ATTR => {
                                save!();
                                let caches = Caches::of(pc);
                                let name = name!(oparg >> 1);
                                let owner = peek!(1);
                                if caches.counter() == 0 {
                                    specialize::load_attr(ts, caches, owner, name, oparg & 1 != 0);
                                } else {
                                    caches.set_counter(caches.counter() - 1);
                                }
                                if oparg & 1 == 0 {
                                    let value = check!(attr::get(ts, owner, name));
                                    replace!(1, value);
                                } else {
                                    match check!(attr::load_method(ts, owner, name)) {
                                        attr::Method::Unbound(function) => {
                                            // The owner stays, as the first argument, above the function.
                                            let owner = *sp.sub(1);
                                            *sp.sub(1) = function.into_ptr();
                                            push_raw!(owner);
                                        }
                                        attr::Method::Bound(value) => {
                                            replace!(1, value);
                                            push_raw!(core::ptr::null_mut());
                                        }
                                    }
                                }
                                next!(9)
                            }
                            op::LOAD_ATTR_INSTANCE_VALUE => {
                                let caches = Caches::of(pc);
                                let owner = peek!(1);
                                if owner.ob_type().tp_version_tag.get() == caches.get_u32(2)
                                    && let Some(place) = instance::value_ptr(owner, caches.get(4))
                                    && !(*place).is_null()
                                {
                                    let value = PyRef::from_borrowed(&**place);
                                    replace!(1, value);
                                    if oparg & 1 != 0 {
                                        push_raw!(core::ptr::null_mut());
                                    }
                                    next!(9)
                                }
                                specialize::miss(caches, op::LOAD_ATTR);
                                continue 'dispatch;
                            }
                            op::LOAD_ATTR_WITH_HINT => {
                                let caches = Caches::of(pc);
                                let owner = peek!(1);
                                if owner.ob_type().tp_version_tag.get() == caches.get_u32(2)
                                    && let Some(dict) =
                                        crate::object::alloc::dict_slot(owner).and_then(|slot| slot.borrow())
                                    && let Some(value) = dict.value_by_hint(caches.get(4) as usize, name!(oparg >> 1))
                                {
                                    replace!(1, value);
                                    if oparg & 1 != 0 {
                                        push_raw!(core::ptr::null_mut());
                                    }
                                    next!(9)
                                }
                                specialize::miss(caches, op::LOAD_ATTR);
                                continue 'dispatch;
                            }
                            op::LOAD_ATTR_SLOT => {
                                let caches = Caches::of(pc);
                                let owner = peek!(1);
                                if owner.ob_type().tp_version_tag.get() == caches.get_u32(2) {
                                    let place =
                                        owner.as_ptr().cast::<u8>().add(caches.get(4) as usize).cast::<*mut PyObject>();
                                    if !(*place).is_null() {
                                        let value = PyRef::from_borrowed(&**place);
                                        replace!(1, value);
                                        if oparg & 1 != 0 {
                                            push_raw!(core::ptr::null_mut());
                                        }
                                        next!(9)
                                    }
                                }
                                specialize::miss(caches, op::LOAD_ATTR);
                                continue 'dispatch;
                            }
                            op::LOAD_ATTR_MODULE => {
                                let caches = Caches::of(pc);
                                let owner = peek!(1);
                                if let Some(module) = owner.downcast_exact::<crate::types::module::PyModule>()
                                    && let Some(dict) = module.dict_slot().borrow()
                                    && dict.current_keys_version() == caches.get_u32(2)
                                    && let Some(value) = dict.value_at(caches.get(4))
                                {
                                    let value = PyRef::from_borrowed(value);
                                    replace!(1, value);
                                    if oparg & 1 != 0 {
                                        push_raw!(core::ptr::null_mut());
                                    }
                                    next!(9)
                                }
                                specialize::miss(caches, op::LOAD_ATTR);
                                continue 'dispatch;
                            }
                            op::LOAD_ATTR_CLASS => {
                                let caches = Caches::of(pc);
                                let owner = peek!(1);
                                if core::ptr::eq(owner.ob_type(), &*TYPE_TYPE)
                                    && owner.cast_unchecked::<PyTypeObject>().tp_version_tag.get() == caches.get_u32(2)
                                {
                                    let value = PyRef::from_borrowed(&*caches.get_pointer::<PyObject>(6));
                                    replace!(1, value);
                                    if oparg & 1 != 0 {
                                        push_raw!(core::ptr::null_mut());
                                    }
                                    next!(9)
                                }
                                specialize::miss(caches, op::LOAD_ATTR);
                                continue 'dispatch;
                            }
                            op::LOAD_ATTR_METHOD_WITH_VALUES => {
                                let caches = Caches::of(pc);
                                let owner = peek!(1);
                                let typ = owner.ob_type();
                                // The class's shared keys do not have the name as long as their version is the
                                // same; an object whose attributes have moved out of its inline values may.
                                if typ.tp_version_tag.get() == caches.get_u32(2)
                                    && instance::has_valid_inline_values(owner)
                                    && instance::shared_keys(typ)
                                        .is_some_and(|keys| keys.version() == caches.get_u32(4))
                                {
                                    let function = &*caches.get_pointer::<PyObject>(6);
                                    function.incref();
                                    let owner = *sp.sub(1);
                                    *sp.sub(1) = function.as_ptr();
                                    push_raw!(owner);
                                    next!(9)
                                }
                                specialize::miss(caches, op::LOAD_ATTR);
                                continue 'dispatch;
                            }
                            op::LOAD_ATTR_METHOD_NO_DICT => {
                                let caches = Caches::of(pc);
                                let owner = peek!(1);
                                if owner.ob_type().tp_version_tag.get() == caches.get_u32(2) {
                                    let function = &*caches.get_pointer::<PyObject>(6);
                                    function.incref();
                                    let owner = *sp.sub(1);
                                    *sp.sub(1) = function.as_ptr();
                                    push_raw!(owner);
                                    next!(9)
                                }
                                specialize::miss(caches, op::LOAD_ATTR);
                                continue 'dispatch;
                            }
                            op::LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES => {
                                let caches = Caches::of(pc);
                                let owner = peek!(1);
                                let typ = owner.ob_type();
                                if typ.tp_version_tag.get() == caches.get_u32(2)
                                    && instance::has_valid_inline_values(owner)
                                    && instance::shared_keys(typ)
                                        .is_some_and(|keys| keys.version() == caches.get_u32(4))
                                {
                                    let value = PyRef::from_borrowed(&*caches.get_pointer::<PyObject>(6));
                                    replace!(1, value);
                                    if oparg & 1 != 0 {
                                        push_raw!(core::ptr::null_mut());
                                    }
                                    next!(9)
                                }
                                specialize::miss(caches, op::LOAD_ATTR);
                                continue 'dispatch;
                            }
                            op::LOAD_ATTR_PROPERTY => {
                                let caches = Caches::of(pc);
                                let owner = peek!(1);
                                if owner.ob_type().tp_version_tag.get() == caches.get_u32(2) && oparg & 1 == 0 {
                                    let getter = (*caches.get_pointer::<PyObject>(6)).cast_unchecked::<PyFunction>();
                                    let code = getter.code();
                                    if code.co_simple.get() && code.co_argcount == 1 {
                                        save!();
                                        let callee = check!(frame::push(ts, getter, code));
                                        sp = sp.sub(1);
                                        let places = (*callee).localsplus();
                                        *places = *sp;
                                        core::ptr::write_bytes(places.add(1), 0, code.co_nlocalsplus as usize - 1);
                                        enter!(callee, 10)
                                    }
                                }
                                specialize::miss(caches, op::LOAD_ATTR);
                                continue 'dispatch;
                            }
                            op::STORE_ATTR => {
                                save!();
                                let caches = Caches::of(pc);
                                let owner = peek!(1);
                                let name = name!(oparg);
                                if caches.counter() == 0 {
                                    specialize::store_attr(ts, caches, owner, name);
                                } else {
                                    caches.set_counter(caches.counter() - 1);
                                }
                                check!(attr::set(ts, owner, name, peek!(2)));
                                drop_range(ts, sp.sub(2), sp);
                                sp = sp.sub(2);
                                next!(4)
                            }
                            op::STORE_ATTR_INSTANCE_VALUE => {
                                let caches = Caches::of(pc);
                                let owner = peek!(1);
                                if owner.ob_type().tp_version_tag.get() == caches.get_u32(2)
                                    && instance::store_value(ts, owner, caches.get(4), peek!(2))
                                {
                                    drop_range(ts, sp.sub(2), sp);
                                    sp = sp.sub(2);
                                    next!(4)
                                }
                                specialize::miss(caches, op::STORE_ATTR);
                                continue 'dispatch;
                            }
                            op::STORE_ATTR_SLOT => {
                                let caches = Caches::of(pc);
                                let owner = peek!(1);
                                if owner.ob_type().tp_version_tag.get() == caches.get_u32(2) {
                                    let place =
                                        owner.as_ptr().cast::<u8>().add(caches.get(4) as usize).cast::<*mut PyObject>();
                                    let owner = *sp.sub(1);
                                    let old = place.replace(*sp.sub(2));
                                    sp = sp.sub(2);
                                    if !old.is_null() {
                                        header::decref(ts, old);
                                    }
                                    header::decref(ts, owner);
                                    next!(4)
                                }
                                specialize::miss(caches, op::STORE_ATTR);
                                continue 'dispatch;
                            }
                            op::DELETE_ATTR => {
                                save!();
                                check!(attr::delete(ts, peek!(1), name!(oparg)));
                                drop_top!();
                                next!()
                            }
                            op::LOAD_SUPER_ATTR => {
                                save!();
                                let name = name!(oparg >> 2);
                                let (value, this) =
                                    check!(names::load_super_attr(ts, peek!(3), peek!(2), peek!(1), name, oparg));
                                drop_range(ts, sp.sub(3), sp);
                                sp = sp.sub(3);
                                push!(value);
                                if oparg & 1 != 0 {
                                    match this {
                                        Some(this) => push!(this),
                                        None => push_raw!(core::ptr::null_mut()),
                                    }
                                }
                                next!(1)
                            }
                            op::LOAD_SPECIAL => {
                                save!();
                                match check!(names::load_special(ts, peek!(1), oparg)) {
                                    attr::Method::Unbound(function) => {
                                        let owner = *sp.sub(1);
                                        *sp.sub(1) = function.into_ptr();
                                        push_raw!(owner);
                                    }
                                    attr::Method::Bound(value) => {
                                        replace!(1, value);
                                        push_raw!(core::ptr::null_mut());
                                    }
                                }
                                next!()
                            }

                            // ---- jumps ----
                            op::JUMP_FORWARD => jump!(1 + oparg as isize),
                            op::JUMP_BACKWARD | op::JUMP_BACKWARD_NO_JIT => {
                                periodic!(0);
                                jump!(2 - oparg as isize)
                            }
                            op::JUMP_BACKWARD_NO_INTERRUPT => jump!(1 - oparg as isize),
                            op::POP_JUMP_IF_FALSE => {
                                sp = sp.sub(1);
                                if core::ptr::eq(*sp, false_object()) {
                                    jump!(2 + oparg as isize)
                                }
                                next!(1)
                            }
                            op::POP_JUMP_IF_TRUE => {
                                sp = sp.sub(1);
                                if core::ptr::eq(*sp, true_object()) {
                                    jump!(2 + oparg as isize)
                                }
                                next!(1)
                            }
                            op::POP_JUMP_IF_NONE => {
                                let value = pop!();
                                let jumps = is_none(&value);
                                value.release(ts);
                                if jumps {
                                    jump!(2 + oparg as isize)
                                }
                                next!(1)
                            }
                            op::POP_JUMP_IF_NOT_NONE => {
                                let value = pop!();
                                let jumps = !is_none(&value);
                                value.release(ts);
                                if jumps {
                                    jump!(2 + oparg as isize)
                                }
                                next!(1)
                            }
                            op::GET_ITER => {
                                save!();
                                let iterator = check!(protocol::iter(ts, peek!(1)));
                                replace!(1, iterator);
                                next!()
                            }
                            op::FOR_ITER => {
                                let iterator = peek!(1);
                                let typ = iterator.ob_type();
                                let item = if core::ptr::eq(typ, PyListIter::type_object()) {
                                    iterator.cast_unchecked::<PyListIter>().next(ts)
                                } else if core::ptr::eq(typ, PyRangeIter::type_object()) {
                                    match iterator.cast_unchecked::<PyRangeIter>().next() {
                                        Some(value) => {
                                            save!();
                                            Some(check!(PyInt::from_i64(ts, value)))
                                        }
                                        None => None,
                                    }
                                } else if core::ptr::eq(typ, PyTupleIter::type_object()) {
                                    iterator.cast_unchecked::<PyTupleIter>().next(ts)
                                } else if core::ptr::eq(typ, PyGenerator::type_object())
                                    && !(WATCHED && (watch.awaits_branch() || ts.interp().evaluator.get().is_some()))
                                    && let Some(callee) =
                                        generator::begin_inline(ts, iterator.cast_unchecked::<PyGenerator>(), none())
                                {
                                    save!();
                                    enter!(callee, 2 + oparg)
                                } else {
                                    save!();
                                    check!(protocol::next(ts, iterator))
                                };
                                match item {
                                    Some(item) => {
                                        push!(item);
                                        next!(1)
                                    }
                                    // Over the END_FOR, to the POP_ITER.
                                    None => jump!(3 + oparg as isize),
                                }
                            }

                            // ---- calls ----
                            op::CALL => {
                                save!();
                                let base = sp.sub(oparg + 2);
                                let mut callable = &**base;
                                // A bound method gives way to its function and instance.
                                if (*base.add(1)).is_null() && core::ptr::eq(callable.ob_type(), &*METHOD_TYPE) {
                                    let method = callable.cast_unchecked::<PyMethod>();
                                    let (function, this) = method.parts();
                                    let dead = *base;
                                    *base = function.into_ptr();
                                    *base.add(1) = this.into_ptr();
                                    header::decref(ts, dead);
                                    callable = &**base;
                                }
                                let first = if (*base.add(1)).is_null() { base.add(2) } else { base.add(1) };
                                let count = sp.offset_from(first) as usize;
                                let typ: *const PyTypeObject = callable.ob_type();
                                if core::ptr::eq(typ, &*FUNCTION_TYPE) {
                                    let function = callable.cast_unchecked::<PyFunction>();
                                    let code = function.code();
                                    if code.co_simple.get() && code.co_argcount as usize == count {
                                        let callee = check!(frame::push(ts, function, code));
                                        let places = (*callee).localsplus();
                                        core::ptr::copy_nonoverlapping(first, places, count);
                                        let total = code.co_nlocalsplus as usize;
                                        let mut index = count;
                                        while index < total {
                                            *places.add(index) = core::ptr::null_mut();
                                            index += 1;
                                        }
                                        sp = base;
                                        // The frame holds its own reference to the function.
                                        header::decref(ts, *base);
                                        enter!(callee, 4)
                                    }
                                    let args = core::slice::from_raw_parts(first.cast::<&PyObject>(), count);
                                    let callee =
                                        check!(bind::frame_for_call(ts, function, Args::positional_only(args)));
                                    drop_range(ts, base, sp);
                                    sp = base;
                                    enter!(callee, 4)
                                }
                                let args = core::slice::from_raw_parts(first.cast::<&PyObject>(), count);
                                calling!();
                                let result = if core::ptr::eq(typ, &*METHOD_DESCR_TYPE)
                                    && count > 0
                                    && args[0].ob_type().is_subtype(callable.cast_unchecked::<PyMethodDescr>().owner())
                                {
                                    let def = callable.cast_unchecked::<PyMethodDescr>().def();
                                    call_native(ts, def, args[0], Args::positional_only(&args[1..]))
                                } else if core::ptr::eq(typ, &*BUILTIN_FUNCTION_TYPE) {
                                    let function = callable.cast_unchecked::<PyBuiltinFunction>();
                                    call_native(
                                        ts,
                                        function.def(),
                                        function.self_or_none(),
                                        Args::positional_only(args),
                                    )
                                } else if !WATCHED && core::ptr::eq(typ, &*TYPE_TYPE) {
                                    let class = callable.cast_unchecked::<PyTypeObject>();
                                    let begun = begin_init(ts, class, args);
                                    if !matches!(begun, Ok(None)) {
                                        (*frame).is_calling = false;
                                    }
                                    if let Some(callee) = check!(begun) {
                                        // The new instance waits in the callable's place for `__init__` to end.
                                        let this = PyRef::from_borrowed(&**(*callee).localsplus());
                                        let class = core::mem::replace(&mut *base, this.into_ptr());
                                        drop_range(ts, base.add(1), sp);
                                        sp = base.add(1);
                                        header::decref(ts, class);
                                        enter!(callee, 4)
                                    }
                                    call::call(ts, callable, Args::positional_only(args))
                                } else {
                                    call::call(ts, callable, Args::positional_only(args))
                                };
                                (*frame).is_calling = false;
                                let value = check!(result);
                                drop_range(ts, base, sp);
                                sp = base;
                                push!(value);
                                periodic!(4);
                                next!(3)
                            }
                            op::CALL_KW => {
                                save!();
                                let base = sp.sub(oparg + 3);
                                let mut callable = &**base;
                                if (*base.add(1)).is_null() && core::ptr::eq(callable.ob_type(), &*METHOD_TYPE) {
                                    let (function, this) = callable.cast_unchecked::<PyMethod>().parts();
                                    let dead = *base;
                                    *base = function.into_ptr();
                                    *base.add(1) = this.into_ptr();
                                    header::decref(ts, dead);
                                    callable = &**base;
                                }
                                let names = peek!(1).cast_unchecked::<PyTuple>();
                                let first = if (*base.add(1)).is_null() { base.add(2) } else { base.add(1) };
                                let count = sp.sub(1).offset_from(first) as usize;
                                let args = core::slice::from_raw_parts(first.cast::<&PyObject>(), count);
                                let args = Args::new(args, Some(names));
                                if core::ptr::eq(callable.ob_type(), &*FUNCTION_TYPE) {
                                    let callee =
                                        check!(bind::frame_for_call(ts, callable.cast_unchecked::<PyFunction>(), args));
                                    drop_range(ts, base, sp);
                                    sp = base;
                                    enter!(callee, 4)
                                }
                                calling!();
                                let result = call::call(ts, callable, args);
                                (*frame).is_calling = false;
                                let value = check!(result);
                                drop_range(ts, base, sp);
                                sp = base;
                                push!(value);
                                periodic!(4);
                                next!(3)
                            }
                            op::CALL_FUNCTION_EX => {
                                save!();
                                let base = sp.sub(4);
                                if !is_exact(peek!(2), &TUPLE_TYPE) {
                                    let args = check!(build::star_args(ts, &**base, peek!(2)));
                                    let old = core::mem::replace(&mut *sp.sub(2), args.into_ptr().cast());
                                    header::decref(ts, old);
                                }
                                let keywords = (*sp.sub(1)).as_ref().map(|d| d.cast_unchecked::<PyDict>());
                                let args = peek!(2).cast_unchecked::<PyTuple>();
                                let callable = &**base;
                                if core::ptr::eq(callable.ob_type(), &*FUNCTION_TYPE)
                                    && keywords.is_none_or(|d| d.len() == 0)
                                {
                                    let args = Args::positional_only(args.items());
                                    let callee =
                                        check!(bind::frame_for_call(ts, callable.cast_unchecked::<PyFunction>(), args));
                                    drop_range(ts, base, sp);
                                    sp = base;
                                    enter!(callee, 1)
                                }
                                calling!();
                                let result = call::call_tuple_dict(ts, callable, args, keywords);
                                (*frame).is_calling = false;
                                let value = check!(result);
                                drop_range(ts, base, sp);
                                sp = base;
                                push!(value);
                                periodic!(1);
                                next!()
                            }
                            op::MAKE_FUNCTION => {
                                save!();
                                let code = peek!(1).cast_unchecked::<PyCode>();
                                let function = check!(PyFunction::new(ts, code, &*(*frame).globals));
                                replace!(1, function.into_object());
                                next!()
                            }
                            op::SET_FUNCTION_ATTRIBUTE => {
                                let function = pop!();
                                let value = pop!();
                                build::set_function_attribute(function.cast_unchecked::<PyFunction>(), value, oparg);
                                push!(function);
                                next!()
                            }
                            op::RETURN_VALUE => {
                                let value = pop!();
                                save!();
                                (*frame).sp = sp;
                                let ended = frame;
                                let is_entry = (*ended).is_entry;
                                let is_init = (*ended).is_init;
                                frame = (*ended).previous;
                                ts.frame.set(frame);
                                leave(ts, ended);
                                if is_entry {
                                    return Outcome::Returned(value);
                                }
                                pc = (*frame).pc;
                                sp = (*frame).sp;
                                if is_init {
                                    if !is_none(&value) {
                                        // The instance below is dropped by the unwinder with the rest.
                                        let _ = ts.raise_fmt(
                                            &exc::TypeError,
                                            format_args!("__init__() should return None, not '{}'", value.type_name()),
                                        );
                                        drop(value);
                                        fail!()
                                    }
                                } else {
                                    push!(value);
                                }
                                jump!((*frame).return_offset as isize)
                            }
                            op::RETURN_GENERATOR => {
                                save!();
                                (*frame).sp = sp;
                                let made = check!(generator::from_frame(ts, frame));
                                let ended = frame;
                                let is_entry = (*ended).is_entry;
                                frame = (*ended).previous;
                                ts.frame.set(frame);
                                leave_recursion(ts);
                                frame::pop(ts, ended);
                                if is_entry {
                                    return Outcome::Returned(made);
                                }
                                pc = (*frame).pc;
                                sp = (*frame).sp;
                                push!(made);
                                jump!((*frame).return_offset as isize)
                            }
                            op::YIELD_VALUE => {
                                let value = pop!();
                                // A resumed frame goes on behind this instruction.
                                (*frame).pc = pc.add(1);
                                (*frame).sp = sp;
                                let suspended = frame;
                                let is_entry = (*suspended).is_entry;
                                frame = (*suspended).previous;
                                ts.frame.set(frame);
                                leave_recursion(ts);
                                generator::suspend(ts, suspended, oparg);
                                if is_entry {
                                    return Outcome::Returned(value);
                                }
                                pc = (*frame).pc;
                                sp = (*frame).sp;
                                push!(value);
                                // Only FOR_ITER and SEND turn to a generator's frame; both have one cache.
                                jump!(2)
                            }

                            // ---- generators and coroutines ----
                            op::SEND => {
                                save!();
                                let (receiver, value) = (peek!(2), peek!(1));
                                if !(WATCHED && ts.interp().evaluator.get().is_some())
                                    && let Some(inline) = generator::inlinable(receiver)
                                    && let Some(callee) = generator::begin_inline(ts, inline, value)
                                {
                                    drop_top!();
                                    enter!(callee, 2 + oparg)
                                }
                                match check!(generator::send_to(ts, receiver, value)) {
                                    Sent::Yielded(result) => {
                                        drop_top!();
                                        push!(result);
                                        next!(1)
                                    }
                                    Sent::Returned(result) => {
                                        drop_top!();
                                        push!(result);
                                        jump!(2 + oparg as isize)
                                    }
                                }
                            }
                            op::GET_YIELD_FROM_ITER => {
                                save!();
                                let iterator = check!(generator::yield_from_iter(ts, peek!(1), &*(*frame).code));
                                replace!(1, iterator);
                                next!()
                            }
                            op::GET_AWAITABLE => {
                                save!();
                                let iterator = check!(generator::get_awaitable(ts, peek!(1), oparg));
                                replace!(1, iterator);
                                next!()
                            }
                            op::GET_AITER => {
                                save!();
                                let iterator = check!(generator::get_aiter(ts, peek!(1)));
                                replace!(1, iterator);
                                next!()
                            }
                            op::GET_ANEXT => {
                                save!();
                                let awaitable = check!(generator::get_anext(ts, peek!(1)));
                                push!(awaitable);
                                next!()
                            }
                            op::END_ASYNC_FOR => {
                                save!();
                                let error = pop!();
                                if error.ob_type().is_subtype(&exc::StopAsyncIteration) {
                                    drop(error);
                                    drop_top!();
                                    next!()
                                }
                                let _ = ts.restore_raised(error);
                                break 'inst true;
                            }
                            op::CLEANUP_THROW => {
                                save!();
                                if peek!(1).ob_type().is_subtype(&exc::StopIteration) {
                                    let value = exc::stop_iteration_value(ts, peek!(1));
                                    drop_range(ts, sp.sub(3), sp);
                                    sp = sp.sub(3);
                                    push!(ts.none());
                                    push!(value);
                                    next!()
                                }
                                let error = pop!();
                                let _ = ts.restore_raised(error);
                                break 'inst true;
                            }

                            // ---- exceptions ----
                            op::PUSH_EXC_INFO => {
                                let error = pop!();
                                let info: &ExcInfo = &*ts.exc_info.get();
                                let previous = info.value.replace(Some(error.clone()));
                                push!(previous.unwrap_or_else(|| ts.none()));
                                push!(error);
                                next!()
                            }
                            op::POP_EXCEPT => {
                                let previous = pop!();
                                let info: &ExcInfo = &*ts.exc_info.get();
                                let previous = if is_none(&previous) { None } else { Some(previous) };
                                info.value.set(previous);
                                next!()
                            }
                            op::CHECK_EXC_MATCH => {
                                save!();
                                let truth = check!(unwind::exception_matches(ts, peek!(2), peek!(1)));
                                replace!(1, py_bool(truth));
                                next!()
                            }
                            op::CHECK_EG_MATCH => {
                                save!();
                                let (rest, matched) = check!(unwind::group_match(ts, peek!(2), peek!(1)));
                                drop_range(ts, sp.sub(2), sp);
                                sp = sp.sub(2);
                                if !is_none(&matched) {
                                    (*ts.exc_info.get()).value.set(Some(matched.clone()));
                                }
                                push!(rest);
                                push!(matched);
                                next!()
                            }
                            op::RAISE_VARARGS => {
                                save!();
                                let cause = if oparg == 2 { Some(pop!()) } else { None };
                                let error = if oparg >= 1 { Some(pop!()) } else { None };
                                break 'inst unwind::raise_statement(ts, error, cause);
                            }
                            op::RERAISE => {
                                save!();
                                let error = pop!();
                                if oparg != 0
                                    && let Some(index) = peek!(oparg).downcast::<PyInt>().and_then(|i| i.as_i64())
                                {
                                    // The traceback goes on from where the exception came.
                                    (*frame).pc = (*(*frame).code).units().as_ptr().offset(index as isize);
                                }
                                let _ = ts.restore_raised(error);
                                break 'inst true;
                            }
                            op::WITH_EXCEPT_START => {
                                save!();
                                let value =
                                    check!(unwind::call_exit(ts, &*(*sp.sub(5)), (*sp.sub(4)).as_ref(), peek!(1)));
                                push!(value);
                                next!()
                            }

                            // ---- building ----
                            op::BUILD_TUPLE => {
                                save!();
                                let items = sp.sub(oparg);
                                let tuple = if oparg == 0 {
                                    PyTuple::empty()
                                } else {
                                    let tuple = check!(PyTuple::uninit(ts, oparg));
                                    for index in 0..oparg {
                                        tuple.set_item(index, PyRef::from_owned(*items.add(index)));
                                    }
                                    tuple
                                };
                                sp = items;
                                push!(tuple.into_object());
                                next!()
                            }
                            op::BUILD_LIST => {
                                save!();
                                let items = sp.sub(oparg);
                                let list = check!(PyList::with_capacity(ts, oparg));
                                for index in 0..oparg {
                                    check!(list.append(ts, PyRef::from_borrowed(&**items.add(index))));
                                }
                                drop_range(ts, items, sp);
                                sp = items;
                                push!(list.into_object());
                                next!()
                            }
                            op::BUILD_MAP => {
                                save!();
                                let items = sp.sub(oparg * 2);
                                let dict = check!(PyDict::new(ts));
                                for index in 0..oparg {
                                    check!(dict.set(ts, &**items.add(index * 2), &**items.add(index * 2 + 1)));
                                }
                                drop_range(ts, items, sp);
                                sp = items;
                                push!(dict.into_object());
                                next!()
                            }
                            op::BUILD_SET => {
                                save!();
                                let items = sp.sub(oparg);
                                let set = check!(PySet::new(ts));
                                for index in 0..oparg {
                                    check!(set.add(ts, &**items.add(index)));
                                }
                                drop_range(ts, items, sp);
                                sp = items;
                                push!(set.into_object());
                                next!()
                            }
                            op::BUILD_STRING => {
                                save!();
                                let items = sp.sub(oparg);
                                let pieces = core::slice::from_raw_parts(items.cast::<&PyObject>().cast_const(), oparg);
                                let text = check!(build::build_string(ts, pieces));
                                drop_range(ts, items, sp);
                                sp = items;
                                push!(text.into_object());
                                next!()
                            }
                            op::BUILD_SLICE => {
                                save!();
                                let step = if oparg == 3 { peek!(1) } else { none() };
                                let slice = check!(PySlice::new(ts, &**sp.sub(oparg), &**sp.sub(oparg - 1), step));
                                drop_range(ts, sp.sub(oparg), sp);
                                sp = sp.sub(oparg);
                                push!(slice.into_object());
                                next!()
                            }
                            op::BUILD_TEMPLATE => {
                                save!();
                                let template = check!(crate::types::template::PyTemplate::new(
                                    ts,
                                    peek!(2).cast_unchecked::<PyTuple>(),
                                    peek!(1).cast_unchecked::<PyTuple>()
                                ));
                                replace!(2, template.into_object());
                                next!()
                            }
                            op::BUILD_INTERPOLATION => {
                                save!();
                                let count = 2 + (oparg & 1);
                                let spec = if oparg & 1 != 0 { Some(peek!(1)) } else { None };
                                let value = &**sp.sub(count);
                                let text = &**sp.sub(count - 1);
                                let made = check!(build::interpolation(ts, value, text, oparg >> 2, spec));
                                drop_range(ts, sp.sub(count), sp);
                                sp = sp.sub(count);
                                push!(made);
                                next!()
                            }
                            op::LIST_APPEND => {
                                save!();
                                let list = (**sp.sub(oparg + 1)).cast_unchecked::<PyList>();
                                let item = pop!();
                                check!(list.append(ts, item));
                                next!()
                            }
                            op::SET_ADD => {
                                save!();
                                let set = (**sp.sub(oparg + 1)).cast_unchecked::<PySet>();
                                check!(set.add(ts, peek!(1)));
                                drop_top!();
                                next!()
                            }
                            op::MAP_ADD => {
                                save!();
                                let dict = (**sp.sub(oparg + 2)).cast_unchecked::<PyDict>();
                                check!(dict.set(ts, peek!(2), peek!(1)));
                                drop_range(ts, sp.sub(2), sp);
                                sp = sp.sub(2);
                                next!()
                            }
                            op::LIST_EXTEND => {
                                save!();
                                let list = (**sp.sub(oparg + 1)).cast_unchecked::<PyList>();
                                check!(build::list_extend(ts, list, peek!(1)));
                                drop_top!();
                                next!()
                            }
                            op::SET_UPDATE => {
                                save!();
                                let set = (**sp.sub(oparg + 1)).cast_unchecked::<PySet>();
                                check!(build::set_update(ts, set, peek!(1)));
                                drop_top!();
                                next!()
                            }
                            op::DICT_UPDATE => {
                                save!();
                                let dict = (**sp.sub(oparg + 1)).cast_unchecked::<PyDict>();
                                check!(build::dict_update(ts, dict, peek!(1)));
                                drop_top!();
                                next!()
                            }
                            op::DICT_MERGE => {
                                save!();
                                let dict = (**sp.sub(oparg + 1)).cast_unchecked::<PyDict>();
                                let callable = &**sp.sub(oparg + 4);
                                check!(build::dict_merge(ts, dict, peek!(1), callable));
                                drop_top!();
                                next!()
                            }
                            op::SETUP_ANNOTATIONS => {
                                save!();
                                check!(names::setup_annotations(ts, &*frame));
                                next!()
                            }
                            op::UNPACK_SEQUENCE => {
                                save!();
                                let sequence = peek!(1);
                                if let Some(tuple) = sequence.downcast_exact::<PyTuple>()
                                    && tuple.len() == oparg
                                {
                                    let tuple: Ref<PyTuple> = Ref::from_owned((*sp.sub(1)).cast());
                                    sp = sp.sub(1);
                                    for item in tuple.items().iter().rev() {
                                        item.incref();
                                        push_raw!(item.as_ptr());
                                    }
                                    tuple.release(ts);
                                    next!(1)
                                }
                                if let Some(list) = sequence.downcast_exact::<PyList>()
                                    && list.len() == oparg
                                {
                                    let list: Ref<PyList> = Ref::from_owned((*sp.sub(1)).cast());
                                    sp = sp.sub(1);
                                    for index in (0..oparg).rev() {
                                        push_raw!(list.get(index).map_or(core::ptr::null_mut(), PyRef::into_ptr));
                                    }
                                    list.release(ts);
                                    next!(1)
                                }
                                let sequence = pop!();
                                sp = check!(build::unpack(ts, &sequence, oparg, sp));
                                sequence.release(ts);
                                next!(1)
                            }
                            op::UNPACK_EX => {
                                save!();
                                let sequence = pop!();
                                sp = check!(build::unpack_ex(ts, &sequence, oparg & 0xff, oparg >> 8, sp));
                                next!()
                            }
                            op::CONVERT_VALUE => {
                                save!();
                                let text = check!(match oparg {
                                    1 => protocol::str(ts, peek!(1)),
                                    2 => protocol::repr(ts, peek!(1)),
                                    _ => protocol::ascii(ts, peek!(1)),
                                });
                                replace!(1, text.into_object());
                                next!()
                            }
                            op::FORMAT_SIMPLE => {
                                if is_exact(peek!(1), &STR_TYPE) {
                                    next!()
                                }
                                save!();
                                let text = check!(protocol::format(ts, peek!(1), PyStr::empty_static()));
                                replace!(1, text.into_object());
                                next!()
                            }
                            op::FORMAT_WITH_SPEC => {
                                save!();
                                let text = check!(build::format_with_spec(ts, peek!(2), peek!(1)));
                                replace!(2, text.into_object());
                                next!()
                            }

                            // ---- imports, classes, matching ----
                            op::IMPORT_NAME => {
                                save!();
                                let module =
                                    check!(imports::import_name(ts, &*frame, name!(oparg), peek!(1), peek!(2)));
                                replace!(2, module);
                                next!()
                            }
                            op::IMPORT_FROM => {
                                save!();
                                let value = check!(imports::import_from(ts, peek!(1), name!(oparg)));
                                push!(value);
                                next!()
                            }
                            op::LOAD_BUILD_CLASS => {
                                save!();
                                let value = check!(names::load_build_class(ts, &*frame));
                                push!(value);
                                next!()
                            }
                            op::LOAD_COMMON_CONSTANT => {
                                save!();
                                let value = check!(names::common_constant(ts, oparg));
                                push!(value);
                                next!()
                            }
                            op::GET_LEN => {
                                save!();
                                let length = check!(protocol::length(ts, peek!(1)));
                                push!(check!(PyInt::from_usize(ts, length)));
                                next!()
                            }
                            op::MATCH_MAPPING => {
                                push!(py_bool(peek!(1).ob_type().has_flag(flags::MAPPING)));
                                next!()
                            }
                            op::MATCH_SEQUENCE => {
                                push!(py_bool(peek!(1).ob_type().has_flag(flags::SEQUENCE)));
                                next!()
                            }
                            op::MATCH_KEYS => {
                                save!();
                                let values = check!(matching::match_keys(ts, peek!(2), peek!(1)));
                                push!(values);
                                next!()
                            }
                            op::MATCH_CLASS => {
                                save!();
                                let attributes = check!(matching::match_class(ts, peek!(3), peek!(2), oparg, peek!(1)));
                                replace!(3, attributes);
                                next!()
                            }
                            op::CALL_INTRINSIC1 => {
                                save!();
                                let value = check!(intrinsics::call_1(ts, &*frame, oparg, peek!(1)));
                                replace!(1, value);
                                next!()
                            }
                            op::CALL_INTRINSIC2 => {
                                save!();
                                let value = check!(intrinsics::call_2(ts, oparg, peek!(2), peek!(1)));
                                replace!(2, value);
                                next!()
                            }
                            opcode::unexecuted!() => {
                                save!();
                                unknown_opcode(ts, &*frame, operation);
                                fail!()
                            }
                        }
                    }
                }
            };

            // An exception is set; `frame.pc` is where.
            (*frame).sp = sp;
            match raised(ts, frame, pc, reraised, WATCHED.then_some(&mut watch)) {
                Some((handling, handler)) => (frame, pc) = (handling, handler),
                None => return Outcome::Raised,
            }
            sp = (*frame).sp;
        }
    }
}

/// An exception is set, raised at the instruction `at` of the current frame: ends frames up to one that handles it.
/// That one, and where it goes on, with its `sp`; its `pc` still says where it was. None when the exception has left
/// the entry frame.
///
/// # Safety
/// `frame` is the thread's current frame, its `sp` is valid.
#[cold]
#[inline(never)]
unsafe fn raised(
    ts: &ThreadState,
    mut frame: *mut Frame,
    mut at: *const Cell<u16>,
    mut reraised: bool,
    mut watch: Option<&mut Watch>,
) -> Option<(*mut Frame, *const Cell<u16>)> {
    // SAFETY: the caller's promise; frames are linked and alive.
    unsafe {
        loop {
            if !reraised {
                unwind::add_traceback(ts, frame);
            }
            if let Some(watch) = watch.as_deref_mut() {
                watch.raised(ts, frame, reraised);
            }
            reraised = false;
            if let Some(target) = unwind::find_handler(ts, frame, at) {
                if let Some(watch) = watch.as_deref_mut()
                    && watch.handled(ts, frame).is_err()
                {
                    // The handler's first operand, its exception, gives way to the callback's.
                    at = target;
                    continue;
                }
                return Some((frame, target));
            }
            if let Some(watch) = watch.as_deref_mut() {
                watch.unwinds(ts, frame);
            }
            let ended = frame;
            let is_entry = (*ended).is_entry;
            frame = (*ended).previous;
            ts.frame.set(frame);
            // Finalizers of what the frame held must not see, nor lose, the exception.
            let pending = ts.current_exception.take();
            leave(ts, ended);
            ts.current_exception.set(pending);
            if is_entry {
                return None;
            }
            at = (*frame).pc;
        }
    }
}

#[cold]
#[inline(never)]
fn unknown_opcode(ts: &ThreadState, frame: &Frame, opcode: u8) {
    let file = frame.code().filename();
    let name = opcode::NAMES[usize::from(opcode)];
    let _ = ts.raise_fmt(&exc::SystemError, format_args!("{file}: unknown opcode {opcode} ({name})"));
}

/// The opcode and the argument of the instruction at `pc`, by two loads of a byte: cheaper than to take a unit apart.
///
/// # Safety
/// `pc` points to an instruction.
#[inline(always)]
unsafe fn fetch(pc: *const Cell<u16>) -> (u8, usize) {
    // SAFETY: the caller's promise; code is kept as bytes, the opcode first.
    unsafe { (*pc.cast::<u8>(), usize::from(*pc.cast::<u8>().add(1))) }
}

/// The comparisons in the order of the instruction's argument.
static COMPARISONS: [CompareOp; 8] = [
    CompareOp::Lt,
    CompareOp::Le,
    CompareOp::Eq,
    CompareOp::Ne,
    CompareOp::Gt,
    CompareOp::Ge,
    CompareOp::Eq,
    CompareOp::Eq,
];

#[inline(always)]
fn is_exact(object: &PyObject, typ: &PyTypeObject) -> bool {
    core::ptr::eq(object.ob_type(), typ)
}

/// `left op right` for the argument of BINARY_OP.
fn binary_op(ts: &ThreadState, left: &PyObject, right: &PyObject, operator: usize) -> PyResult {
    match operator {
        0 => protocol::add(ts, left, right),
        1 => protocol::and(ts, left, right),
        2 => protocol::floor_divide(ts, left, right),
        3 => protocol::lshift(ts, left, right),
        4 => protocol::matrix_multiply(ts, left, right),
        5 => protocol::multiply(ts, left, right),
        6 => protocol::remainder(ts, left, right),
        7 => protocol::or(ts, left, right),
        8 => protocol::power(ts, left, right, none()),
        9 => protocol::rshift(ts, left, right),
        10 => protocol::subtract(ts, left, right),
        11 => protocol::true_divide(ts, left, right),
        12 => protocol::xor(ts, left, right),
        13 => protocol::inplace_add(ts, left, right),
        14 => protocol::inplace_and(ts, left, right),
        15 => protocol::inplace_floor_divide(ts, left, right),
        16 => protocol::inplace_lshift(ts, left, right),
        17 => protocol::inplace_matrix_multiply(ts, left, right),
        18 => protocol::inplace_multiply(ts, left, right),
        19 => protocol::inplace_remainder(ts, left, right),
        20 => protocol::inplace_or(ts, left, right),
        21 => protocol::inplace_power(ts, left, right),
        22 => protocol::inplace_rshift(ts, left, right),
        23 => protocol::inplace_subtract(ts, left, right),
        24 => protocol::inplace_true_divide(ts, left, right),
        25 => protocol::inplace_xor(ts, left, right),
        _ => protocol::getitem(ts, left, right),
    }
}

/// `left op right` for the argument of COMPARE_OP, whose bit 4 asks for a bool.
#[inline]
fn compare_op(ts: &ThreadState, left: &PyObject, right: &PyObject, argument: usize) -> PyResult {
    let value = protocol::compare(ts, left, right, COMPARISONS[argument >> 5])?;
    if argument & 0x10 != 0 {
        return Ok(py_bool(protocol::is_true(ts, &value)?));
    }
    Ok(value)
}

/// For a call of a class whose making of instances is `object`'s and whose `__init__` is a Python function: the
/// instance, as the first local of a frame for `__init__`. `None` when the class is not of that kind.
fn begin_init(ts: &ThreadState, class: &PyTypeObject, args: &[&PyObject]) -> PyResult<Option<*mut Frame>> {
    let Some(heap_type) = class.as_heap_type() else { return Ok(None) };
    let slots = class.slots();
    if slots.new.is_none_or(|new| new as usize != crate::types::object::object_new as *const () as usize)
        || class.has_flag(flags::IS_ABSTRACT)
    {
        return Ok(None);
    }
    let version = class.tp_version_tag.get();
    if version == 0 || heap_type.cached_version.get() != version {
        let init = attr::lookup_type(ts, class, id!(__init__));
        let Some(init) = init.filter(|init| is_exact(init, &FUNCTION_TYPE)) else { return Ok(None) };
        // The look-up has given the class a version; the class keeps the function alive in that state.
        heap_type.cached_init.set(init.as_raw());
        heap_type.cached_version.set(class.tp_version_tag.get());
        if class.tp_version_tag.get() == 0 {
            return Ok(None);
        }
    }
    // SAFETY: the class is in the state in which the function was found.
    let init = unsafe { (*heap_type.cached_init.get()).cast_unchecked::<PyFunction>() };
    let code = init.code();
    // One that makes a generator does not run here: the ordinary way says what is wrong with it.
    if code.co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR) != 0 {
        return Ok(None);
    }
    let this = crate::types::object::new_instance(ts, class)?;
    if code.co_simple.get() && code.co_argcount as usize == args.len() + 1 {
        let frame = frame::push(ts, init, code)?;
        // SAFETY: the frame was just made for this code; it has a place for each argument.
        unsafe {
            let places = (*frame).localsplus();
            *places = this.into_ptr();
            for (index, argument) in args.iter().enumerate() {
                argument.incref();
                *places.add(index + 1) = argument.as_ptr();
            }
            for index in args.len() + 1..code.co_nlocalsplus as usize {
                *places.add(index) = core::ptr::null_mut();
            }
            (*frame).is_init = true;
        }
        return Ok(Some(frame));
    }
    // A call with more arguments makes an instance of its own, the ordinary way.
    if args.len() >= 15 {
        return Ok(None);
    }
    let mut all = [&*this; 16];
    all[1..=args.len()].copy_from_slice(args);
    let frame = bind::frame_for_call(ts, init, Args::positional_only(&all[..=args.len()]))?;
    // A first parameter that is a cell or `*args` does not leave the instance in the first place.
    // SAFETY: the frame is new.
    unsafe {
        if code.co_argcount == 0 {
            (*frame).clear_contents(ts);
            frame::pop(ts, frame);
            return Ok(None);
        }
        (*frame).is_init = true;
    }
    Ok(Some(frame))
}

const _: () = assert!(FRAME_WORDS * 8 == size_of::<Frame>());
