//! `lock`: held or not held, by nobody in particular.

use core::mem::offset_of;

use super::parse_acquire;
use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    Args, MethodDef, PyObject, PyResult, PyTypeObject, Ref, StaticType, TypeSlots, TypeSpec, alloc, flags, gc,
};
use crate::raise;
use crate::state::{ThreadState, attach};
use crate::sync::{Acquired, Mutex, NotLocked, futex};
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
    mutex: Mutex,
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
        MethodDef::keywords(
            "acquire_lock",
            acquire,
            "acquire_lock($self, /, blocking=True, timeout=-1)\n--\n\nAn old name of acquire().",
        ),
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

/// Takes a mutex, for as long as the patience lasts; false when it is at its end. The GIL is let go meanwhile, and
/// handlers of signals and pending calls run.
pub(super) fn take(ts: &ThreadState, mutex: &Mutex, patience: Patience) -> PyResult<bool> {
    if mutex.try_lock() {
        return Ok(true);
    }
    let deadline = match patience {
        Patience::None => return Ok(false),
        Patience::Forever => None,
        Patience::Seconds(seconds) => Some(deadline(seconds)),
    };
    loop {
        match attach::without_gil(ts, || mutex.lock_until(deadline, true)) {
            Acquired::Yes => return Ok(true),
            Acquired::TimedOut => return Ok(false),
            Acquired::Interrupted => crate::lifecycle::pending::make(ts)?,
        }
    }
}

/// The time on the monotonic clock in so many seconds.
pub(super) fn deadline(seconds: f64) -> i64 {
    // Rounded up, so that nobody waits too short; what is too large is the largest.
    futex::now().saturating_add((seconds * 1e9).ceil() as i64)
}

fn acquire(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    let patience = parse_acquire(ts, args)?;
    Ok(py_bool(take(ts, &object.cast::<PyLock>().mutex, patience)?))
}

fn release(ts: &ThreadState, object: &PyObject) -> PyResult {
    match object.cast::<PyLock>().mutex.unlock() {
        Ok(()) => Ok(ts.none()),
        Err(NotLocked) => raise!(ts, exc::RuntimeError, "release unlocked lock"),
    }
}

fn locked(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(py_bool(object.cast::<PyLock>().mutex.is_locked()))
}

fn at_fork_reinit(ts: &ThreadState, object: &PyObject) -> PyResult {
    object.cast::<PyLock>().mutex.reset();
    Ok(ts.none())
}

fn lock_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let state = if object.cast::<PyLock>().mutex.is_locked() { "locked" } else { "unlocked" };
    let name = object.ob_type().full_name();
    Ok(PyStr::format(ts, format_args!("<{state} {name} object at {:p}>", object.as_ptr()))?.into_object())
}
