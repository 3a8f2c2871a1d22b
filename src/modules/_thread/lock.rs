//! `lock`: held or not held, by nobody in particular.

use core::cell::Cell;
use core::mem::offset_of;

use super::parse_acquire;
use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    Args, MethodDef, PyObject, PyResult, PyTypeObject, Ref, StaticType, TypeSlots, TypeSpec, alloc, flags, gc,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;

/// The longest time that can be waited for, in seconds.
pub(super) const TIMEOUT_MAX: f64 = 9223372036.0;

/// How long to wait for a lock.
#[derive(Clone, Copy)]
pub(super) enum Patience {
    /// Not at all.
    None,
    /// As long as it takes.
    Forever,
    /// So long at most.
    Seconds(f64),
}

/// A lock.
#[repr(C)]
pub(crate) struct PyLock {
    ob_base: PyObject,
    locked: Cell<bool>,
    weakrefs: WeakrefList,
}

crate::native!(PyLock, LOCK_TYPE);

const ACQUIRE_DOC: &str = "acquire($self, /, blocking=True, timeout=-1)\n--\n\n\
    Lock the lock.  Without argument, this blocks if the lock is already\n\
    locked (even by the same thread), waiting for another thread to release\n\
    the lock, and return True once the lock is acquired.\n\
    With an argument, this will only block if the argument is true,\n\
    and the return value reflects whether the lock is acquired.\n\
    The blocking operation is interruptible.";
const RELEASE_DOC: &str = "release($self, /)\n--\n\n\
    Release the lock, allowing another thread that is blocked waiting for\n\
    the lock to acquire the lock.  The lock must be in the locked state,\n\
    but it needn't be locked by the same thread that unlocks it.";
const LOCKED_DOC: &str = "locked($self, /)\n--\n\nReturn whether the lock is in the locked state.";

/// `_thread.lock`.
pub(super) static LOCK_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_thread.lock",
    basicsize: size_of::<PyLock>(),
    flags: flags::HAVE_GC,
    doc: "lock()\n--\n\nA lock is a synchronization primitive: while one thread has it, another one that\nasks for it waits.",
    slots: TypeSlots {
        new: Some(lock_new),
        dealloc: Some(lock_dealloc),
        traverse: Some(|_, _| core::ops::ControlFlow::Continue(())),
        repr: Some(lock_repr),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::keywords("acquire_lock", acquire, ACQUIRE_DOC),
        MethodDef::keywords("acquire", acquire, ACQUIRE_DOC),
        MethodDef::no_args("release_lock", release, RELEASE_DOC),
        MethodDef::no_args("release", release, RELEASE_DOC),
        MethodDef::no_args("locked_lock", locked, LOCKED_DOC),
        MethodDef::no_args("locked", locked, LOCKED_DOC),
        MethodDef::no_args(
            "__enter__",
            |ts, this| acquire(ts, this, Args::NONE),
            "__enter__($self, /)\n--\n\nLock the lock.",
        ),
        MethodDef::positional(
            "__exit__",
            |ts, this, _| release(ts, this),
            "__exit__($self, /, *exc_info)\n--\n\nRelease the lock.",
        ),
        MethodDef::no_args(
            "_at_fork_reinit",
            at_fork_reinit,
            "_at_fork_reinit($self, /)\n--\n\nUnlock the lock of a forked process.",
        ),
    ],
    weaklistoffset: offset_of!(PyLock, weakrefs),
    ..TypeSpec::EMPTY
});

fn lock_new(ts: &ThreadState, _of: &PyTypeObject, args: Args<'_>) -> PyResult {
    let args = args.no_keywords(ts, "lock")?;
    if !args.is_empty() {
        return raise!(ts, exc::TypeError, "lock expected 0 arguments, got {}", args.len());
    }
    Ok(PyLock::new(ts)?.into_object())
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn lock_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a lock whose count is zero.
    unsafe {
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        alloc::free(ts, object);
    }
}

impl PyLock {
    /// A new lock that nobody has.
    pub(crate) fn new(ts: &ThreadState) -> PyResult<Ref<PyLock>> {
        let lock = alloc::exact::<PyLock>(ts)?;
        gc::track(ts, &*lock);
        Ok(lock)
    }
}

/// Waits until `free` says that what is waited for is there; false when the patience is at its end. Signals are handled
/// meanwhile: their handlers are all that can set something free while one thread runs.
pub(super) fn wait(ts: &ThreadState, patience: Patience, free: impl Fn() -> bool) -> PyResult<bool> {
    let mut left = match patience {
        Patience::None => 0.0,
        Patience::Forever => f64::INFINITY,
        Patience::Seconds(seconds) => seconds,
    };
    // Short enough for a signal not to wait long, which may have been delivered to another thread of the process.
    const STEP: f64 = 0.02;
    loop {
        if free() {
            return Ok(true);
        }
        if left <= 0.0 {
            return Ok(false);
        }
        let step = left.min(STEP);
        let pause = libc::timespec { tv_sec: 0, tv_nsec: (step * 1e9) as libc::c_long };
        // SAFETY: the time is valid, and how much of it is left is not asked for.
        unsafe { libc::nanosleep(&raw const pause, core::ptr::null_mut()) };
        left -= step;
        crate::lifecycle::pending::handle(ts)?;
    }
}

fn acquire(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    let patience = parse_acquire(ts, args)?;
    let lock = object.cast::<PyLock>();
    let got = !lock.locked.get() || wait(ts, patience, || !lock.locked.get())?;
    if got {
        lock.locked.set(true);
    }
    Ok(py_bool(got))
}

fn release(ts: &ThreadState, object: &PyObject) -> PyResult {
    if !object.cast::<PyLock>().locked.replace(false) {
        return raise!(ts, exc::RuntimeError, "release unlocked lock");
    }
    Ok(ts.none())
}

fn locked(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(py_bool(object.cast::<PyLock>().locked.get()))
}

fn at_fork_reinit(ts: &ThreadState, object: &PyObject) -> PyResult {
    object.cast::<PyLock>().locked.set(false);
    Ok(ts.none())
}

fn lock_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let state = if object.cast::<PyLock>().locked.get() { "locked" } else { "unlocked" };
    let name = object.ob_type().full_name();
    Ok(PyStr::format(ts, format_args!("<{state} {name} object at {:p}>", object.as_ptr()))?.into_object())
}
