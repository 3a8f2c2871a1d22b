//! `RLock`: a lock that the thread that has it may take again.

use core::cell::Cell;
use core::mem::offset_of;

use super::{lock, parse_acquire};
use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    Args, MethodDef, PyObject, PyResult, PyTypeObject, StaticType, TypeSlots, TypeSpec, alloc, flags, gc,
};
use crate::raise;
use crate::state::{ThreadState, attach};
use crate::sync::Mutex;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// A lock with an owner, who has taken it `count` times.
#[repr(C)]
pub(super) struct PyRLock {
    ob_base: PyObject,
    mutex: Mutex,
    /// Who has it, and how often: changed by the thread that has it, under the GIL.
    owner: Cell<u64>,
    count: Cell<usize>,
    weakrefs: WeakrefList,
}

crate::native!(PyRLock, RLOCK_TYPE);

/// `_thread.RLock`.
pub(super) static RLOCK_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_thread.RLock",
    basicsize: size_of::<PyRLock>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    slots: TypeSlots {
        new: Some(rlock_new),
        dealloc: Some(rlock_dealloc),
        traverse: Some(|_, _| core::ops::ControlFlow::Continue(())),
        repr: Some(rlock_repr),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::keywords(
            "acquire",
            acquire,
            "acquire($self, /, blocking=True, timeout=-1)\n--\n\n\
             Lock the lock.  `blocking` indicates whether we should wait\n\
             for the lock to be available or not.  If `blocking` is False\n\
             and another thread holds the lock, the method will return False\n\
             immediately.  If `blocking` is True and another thread holds\n\
             the lock, the method will wait for the lock to be released,\n\
             take it and then return True.\n\
             (note: the blocking operation is interruptible.)\n\n\
             In all other cases, the method will return True immediately.\n\
             Precisely, if the current thread already holds the lock, its\n\
             internal counter is simply incremented. If nobody holds the lock,\n\
             the lock is taken and its internal counter initialized to 1.",
        ),
        MethodDef::no_args(
            "release",
            release,
            "release($self, /)\n--\n\nRelease the lock once; as often as it was taken it has to be released.",
        ),
        MethodDef::no_args(
            "locked",
            locked,
            "locked($self, /)\n--\n\nReturn a boolean indicating whether this object is locked right now.",
        ),
        MethodDef::no_args(
            "_is_owned",
            is_owned,
            "_is_owned($self, /)\n--\n\nFor internal use by `threading.Condition`.",
        ),
        MethodDef::one(
            "_acquire_restore",
            acquire_restore,
            "_acquire_restore($self, state, /)\n--\n\nFor internal use by `threading.Condition`.",
        ),
        MethodDef::no_args(
            "_release_save",
            release_save,
            "_release_save($self, /)\n--\n\nFor internal use by `threading.Condition`.",
        ),
        MethodDef::no_args(
            "_recursion_count",
            recursion_count,
            "_recursion_count($self, /)\n--\n\nFor internal use by reentrancy checks.",
        ),
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
    weaklistoffset: offset_of!(PyRLock, weakrefs),
    ..TypeSpec::EMPTY
});

fn rlock_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if core::ptr::eq(of, &RLOCK_TYPE.object) && !args.is_empty() {
        let text = "Passing arguments to RLock is deprecated and will be removed in 3.15";
        exc::warn(ts, &exc::DeprecationWarning, text, 1)?;
    }
    let lock = alloc::object::<PyRLock>(ts, of)?;
    gc::track(ts, &*lock);
    Ok(lock.into_object())
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn rlock_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with an RLock whose count is zero.
    unsafe {
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        alloc::free(ts, object);
    }
}

fn this(object: &PyObject) -> &PyRLock {
    object.cast()
}

impl PyRLock {
    fn is_mine(&self) -> bool {
        self.count.get() != 0 && self.owner.get() == crate::sync::thread_ident()
    }

    fn take(&self, ts: &ThreadState, patience: lock::Patience, count: usize) -> PyResult<bool> {
        if !lock::take(ts, &self.mutex, patience)? {
            return Ok(false);
        }
        self.owner.set(crate::sync::thread_ident());
        self.count.set(count);
        Ok(true)
    }
}

impl PyRLock {
    fn give_back(&self) {
        self.count.set(0);
        self.owner.set(0);
        // Whoever counts has it, so it cannot be unlocked already.
        let _ = self.mutex.unlock();
    }
}

fn acquire(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    let patience = parse_acquire(ts, args)?;
    let lock = this(object);
    if lock.is_mine() {
        let Some(count) = lock.count.get().checked_add(1) else {
            return raise!(ts, exc::OverflowError, "Internal lock count overflowed");
        };
        lock.count.set(count);
        return Ok(py_bool(true));
    }
    Ok(py_bool(lock.take(ts, patience, 1)?))
}

fn release(ts: &ThreadState, object: &PyObject) -> PyResult {
    let lock = this(object);
    if !lock.is_mine() {
        return raise!(ts, exc::RuntimeError, "cannot release un-acquired lock");
    }
    lock.count.set(lock.count.get() - 1);
    if lock.count.get() == 0 {
        lock.give_back();
    }
    Ok(ts.none())
}

fn locked(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(py_bool(this(object).mutex.is_locked()))
}

fn is_owned(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(py_bool(this(object).is_mine()))
}

fn acquire_restore(ts: &ThreadState, object: &PyObject, state: &PyObject) -> PyResult {
    let Some(&[count, owner]) = state.downcast::<PyTuple>().map(PyTuple::items) else {
        return raise!(ts, exc::TypeError, "_acquire_restore() argument 1 must be a 2-item tuple");
    };
    let (Some(count), Some(owner)) = (count.downcast::<PyInt>(), owner.downcast::<PyInt>()) else {
        return raise!(ts, exc::TypeError, "an integer is required");
    };
    let (count, owner) = (count.to_usize(ts)?, owner.to_u64(ts)?);
    let lock = this(object);
    // A condition's waiter has to have it again, whatever a signal's handler raises.
    let taken = lock.take(ts, lock::Patience::Forever, count);
    if let Err(raised) = taken {
        let error = ts.take_raised(raised);
        attach::without_gil(ts, || lock.mutex.lock_until(None, false));
        lock.count.set(count);
        lock.owner.set(owner);
        return Err(ts.restore_raised(error));
    }
    lock.owner.set(owner);
    Ok(ts.none())
}

fn release_save(ts: &ThreadState, object: &PyObject) -> PyResult {
    let lock = this(object);
    if lock.count.get() == 0 {
        return raise!(ts, exc::RuntimeError, "cannot release un-acquired lock");
    }
    let state =
        PyTuple::from_array(ts, [PyInt::from_usize(ts, lock.count.get())?, PyInt::from_u64(ts, lock.owner.get())?])?;
    lock.give_back();
    Ok(state.into_object())
}

fn recursion_count(ts: &ThreadState, object: &PyObject) -> PyResult {
    let lock = this(object);
    PyInt::from_usize(ts, if lock.is_mine() { lock.count.get() } else { 0 })
}

fn at_fork_reinit(ts: &ThreadState, object: &PyObject) -> PyResult {
    this(object).count.set(0);
    this(object).owner.set(0);
    this(object).mutex.reset();
    Ok(ts.none())
}

fn rlock_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let lock = this(object);
    let (count, owner) = (lock.count.get(), lock.owner.get());
    let state = if count != 0 { "locked" } else { "unlocked" };
    let name = object.ob_type().full_name();
    let text = PyStr::format(
        ts,
        format_args!("<{state} {name} object owner={owner} count={count} at {:p}>", object.as_ptr()),
    )?;
    Ok(text.into_object())
}
