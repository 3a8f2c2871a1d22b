//! `_multiprocessing`: locks between processes.

use core::cell::Cell;

use hognose_allocators::collections::TryVec;

use crate::lifecycle::pending;
use crate::modules::ModuleSpec;
use crate::modules::posix::system::{blocking, errno, os_error, parse};
use crate::modules::time::convert::{self, NANOS, Round};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::none::is_none;
use crate::types::str::PyStr;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_multiprocessing",
    doc: "Semaphores between processes; programs use them through multiprocessing.",
    methods: &[MethodDef::one(
        "sem_unlink",
        sem_unlink,
        "sem_unlink($module, name, /)\n--\n\nRemove a semaphore's name.",
    )],
    types: &[&SEMLOCK_TYPE],
    exec: Some(exec),
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    let flags = PyDict::new(ts)?;
    for name in ["HAVE_SEM_OPEN", "HAVE_SEM_TIMEDWAIT"] {
        flags.set_str(ts, &*PyStr::intern(ts, name)?, PyInt::one())?;
    }
    module.add(ts, "flags", flags.as_object())
}

const RECURSIVE_MUTEX: i32 = 0;
const SEMAPHORE: i32 = 1;

/// A semaphore with a name, of which the object counts how often its process has it.
#[repr(C)]
pub struct PySemLock {
    ob_base: PyObject,
    handle: Cell<*mut libc::sem_t>,
    /// The thread that had it last.
    owner: Cell<u64>,
    count: Cell<i32>,
    max: Cell<i32>,
    kind: Cell<i32>,
    name: Slot<PyStr>,
}
crate::native!(PySemLock, SEMLOCK_TYPE);

/// `_multiprocessing.SemLock`.
static SEMLOCK_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_multiprocessing.SemLock",
    basicsize: size_of::<PySemLock>(),
    flags: flags::BASETYPE | flags::IMMUTABLE,
    doc: "SemLock(kind, value, maxvalue, name, unlink)\n--\n\nA mutex or semaphore between processes.",
    slots: TypeSlots { new: Some(new), dealloc: Some(dealloc), ..TypeSlots::EMPTY },
    methods: &[
        MethodDef::keywords(
            "acquire",
            acquire,
            "acquire($self, /, block=True, timeout=None)\n--\n\nTake the semaphore.",
        ),
        MethodDef::no_args("release", release, "release($self, /)\n--\n\nGive the semaphore back."),
        MethodDef::no_args(
            "_count",
            |ts, this| PyInt::from_i64(ts, lock(this).count.get().into()),
            "_count($self, /)\n--\n\nHow often this process has taken the semaphore.",
        ),
        MethodDef::no_args(
            "_is_mine",
            |_, this| Ok(py_bool(lock(this).is_mine())),
            "_is_mine($self, /)\n--\n\nWhether this thread has the lock.",
        ),
        MethodDef::no_args(
            "_get_value",
            |ts, this| PyInt::from_i64(ts, lock(this).value(ts)?.into()),
            "_get_value($self, /)\n--\n\nThe semaphore's value.",
        ),
        MethodDef::no_args(
            "_is_zero",
            |ts, this| Ok(py_bool(lock(this).value(ts)? == 0)),
            "_is_zero($self, /)\n--\n\nWhether the semaphore's value is zero.",
        ),
        MethodDef::no_args(
            "_after_fork",
            |ts, this| {
                lock(this).count.set(0);
                Ok(ts.none())
            },
            "_after_fork($self, /)\n--\n\nThe new process has not taken the semaphore.",
        ),
        MethodDef::positional("_rebuild", rebuild, "_rebuild($type, handle, kind, maxvalue, name, /)\n--\n\n").class(),
        MethodDef::no_args(
            "__enter__",
            |ts, this| acquire(ts, this, Args::NONE),
            "__enter__($self, /)\n--\n\nTake the semaphore.",
        ),
        MethodDef::positional(
            "__exit__",
            |ts, this, _| release(ts, this),
            "__exit__($self, exc_type=None, exc_value=None, exc_tb=None, /)\n--\n\nGive the semaphore back.",
        ),
    ],
    getset: &[
        GetSetDef::get("handle", |ts, this| PyInt::from_usize(ts, lock(this).handle.get() as usize), ""),
        GetSetDef::get("kind", |ts, this| PyInt::from_i64(ts, lock(this).kind.get().into()), ""),
        GetSetDef::get("maxvalue", |ts, this| PyInt::from_i64(ts, lock(this).max.get().into()), ""),
        GetSetDef::get("name", |ts, this| Ok(lock(this).name.get().map_or_else(|| ts.none(), Ref::into_object)), ""),
    ],
    values: &[ValueDef { name: "SEM_VALUE_MAX", make: |ts| PyInt::from_i64(ts, i32::MAX.into()) }],
    ..TypeSpec::EMPTY
});

fn lock(this: &PyObject) -> &PySemLock {
    this.cast::<PySemLock>()
}

impl PySemLock {
    fn is_mine(&self) -> bool {
        self.count.get() > 0 && self.owner.get() == crate::sync::thread_ident()
    }

    fn value(&self, ts: &ThreadState) -> PyResult<i32> {
        let mut value = 0;
        // SAFETY: the semaphore is open.
        if unsafe { libc::sem_getvalue(self.handle.get(), &raw mut value) } < 0 {
            return Err(os_error(ts, errno()));
        }
        // Some systems count those who wait below zero.
        Ok(value.max(0))
    }
}

/// A name as a C string.
fn name_of(ts: &ThreadState, argument: &PyObject) -> PyResult<(Ref<PyStr>, TryVec<u8>)> {
    let Some(name) = argument.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "SemLock() argument 'name' must be str, not {}", argument.type_name());
    };
    if name.contains_nul() {
        return raise!(ts, exc::ValueError, "embedded null character");
    }
    let mut bytes = TryVec::new();
    bytes.try_extend_from_copy(name.utf8(ts)?.as_bytes())?;
    bytes.try_push(0)?;
    Ok((Ref::from_borrowed(name), bytes))
}

fn make(
    ts: &ThreadState,
    typ: &PyTypeObject,
    handle: *mut libc::sem_t,
    kind: i32,
    max: i32,
    name: Option<Ref<PyStr>>,
) -> PyResult {
    let made = alloc::object::<PySemLock>(ts, typ)?;
    made.handle.set(handle);
    made.kind.set(kind);
    made.max.set(max);
    made.name.set(name);
    if typ.is_gc() {
        gc::track(ts, &*made);
    }
    Ok(made.into_object())
}

fn new(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let [kind, value, max, name, unlink] =
        parse!(ts, args, "SemLock", ["kind", "value", "maxvalue", "name", "unlink"], 0, 5, 5);
    let int = |argument: Option<&PyObject>| protocol::as_i32(ts, argument.unwrap_or(PyInt::zero()));
    let (kind, value, max) = (int(kind)?, int(value)?, int(max)?);
    let (text, name) = name_of(ts, name.unwrap_or(PyInt::zero()))?;
    let unlink = protocol::is_true(ts, unlink.unwrap_or(PyInt::zero()))?;
    if kind != RECURSIVE_MUTEX && kind != SEMAPHORE {
        return raise!(ts, exc::ValueError, "unrecognized kind");
    }
    // SAFETY: the name is a C string; mode and value are those that O_CREAT asks for.
    let handle = unsafe {
        libc::sem_open(name.as_ptr().cast(), libc::O_CREAT | libc::O_EXCL, 0o600 as libc::c_uint, value as libc::c_uint)
    };
    if handle == libc::SEM_FAILED {
        return Err(os_error(ts, errno()));
    }
    // SAFETY: the name is a C string.
    if unlink && unsafe { libc::sem_unlink(name.as_ptr().cast()) } < 0 {
        let error = errno();
        // SAFETY: nobody else has the handle.
        unsafe { libc::sem_close(handle) };
        return Err(os_error(ts, error));
    }
    make(ts, typ, handle, kind, max, if unlink { None } else { Some(text) }).inspect_err(|_| {
        // SAFETY: nobody else has the handle.
        unsafe { libc::sem_close(handle) };
    })
}

fn rebuild(ts: &ThreadState, class: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "_rebuild", args.len(), 4, 4)?;
    let mut handle = protocol::index(ts, args[0])?.to_usize(ts)? as *mut libc::sem_t;
    let (kind, max) = (protocol::as_i32(ts, args[1])?, protocol::as_i32(ts, args[2])?);
    let mut text = None;
    if !is_none(args[3]) {
        let (name, bytes) = name_of(ts, args[3])?;
        // SAFETY: the name is a C string.
        handle = unsafe { libc::sem_open(bytes.as_ptr().cast(), 0) };
        if handle == libc::SEM_FAILED {
            return Err(os_error(ts, errno()));
        }
        text = Some(name);
    }
    make(ts, class.cast(), handle, kind, max, text)
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, with an object of the type whose count is zero; the handle is its own.
    unsafe {
        let this = (*object).cast_unchecked::<PySemLock>();
        if !this.handle.get().is_null() {
            libc::sem_close(this.handle.get());
        }
        if (*object).ob_type().is_gc() {
            gc::untrack(&*object);
        }
        this.name.set(None);
        alloc::free(ts, object);
    }
}

fn acquire(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let [block, timeout] = parse!(ts, args, "acquire", ["block", "timeout"], 0, 2, 0);
    let block = block.map_or(Ok(true), |block| protocol::is_true(ts, block))?;
    let this = lock(this);
    if this.kind.get() == RECURSIVE_MUTEX && this.is_mine() {
        this.count.set(this.count.get() + 1);
        return Ok(py_bool(true));
    }
    // When to give up, by the clock that the call goes by.
    let mut end = None;
    if let Some(timeout) = timeout.filter(|timeout| !is_none(timeout)) {
        let seconds = protocol::to_float(ts, timeout)?;
        let timeout = convert::nanoseconds(ts, seconds.as_object(), Round::AwayFromZero)?.max(0);
        // SAFETY: numbers, which the call fills in.
        let mut now = unsafe { core::mem::zeroed::<libc::timespec>() };
        // SAFETY: there is room for the time.
        unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut now) };
        end = Some(convert::to_timespec((now.tv_sec * NANOS + now.tv_nsec).saturating_add(timeout)));
    }
    let handle = this.handle.get();
    // SAFETY: the semaphore is open.
    let mut taken = unsafe { libc::sem_trywait(handle) } == 0;
    let mut error = errno();
    if !taken && block {
        loop {
            let (status, number) = blocking(ts, || {
                let status = match &end {
                    // SAFETY: the semaphore is open, and the caller holds the object; the time is whole.
                    Some(end) => unsafe { libc::sem_timedwait(handle, end) },
                    // SAFETY: as above.
                    None => unsafe { libc::sem_wait(handle) },
                };
                (status, errno())
            });
            (taken, error) = (status == 0, number);
            if taken || error != libc::EINTR {
                break;
            }
            pending::signals(ts)?;
        }
    }
    if !taken {
        return match error {
            libc::EAGAIN | libc::ETIMEDOUT => Ok(py_bool(false)),
            libc::EINTR => {
                pending::signals(ts)?;
                Ok(py_bool(false))
            }
            error => Err(os_error(ts, error)),
        };
    }
    this.count.set(this.count.get() + 1);
    this.owner.set(crate::sync::thread_ident());
    Ok(py_bool(true))
}

fn release(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = lock(this);
    if this.kind.get() == RECURSIVE_MUTEX {
        if !this.is_mine() {
            return raise!(ts, exc::AssertionError, "attempt to release recursive lock not owned by thread");
        }
        if this.count.get() > 1 {
            this.count.set(this.count.get() - 1);
            return Ok(ts.none());
        }
    } else if this.value(ts)? >= this.max.get() {
        return raise!(ts, exc::ValueError, "semaphore or lock released too many times");
    }
    // SAFETY: the semaphore is open.
    if unsafe { libc::sem_post(this.handle.get()) } < 0 {
        return Err(os_error(ts, errno()));
    }
    this.count.set(this.count.get() - 1);
    Ok(ts.none())
}

fn sem_unlink(ts: &ThreadState, _: &PyObject, name: &PyObject) -> PyResult {
    let (_, name) = name_of(ts, name)?;
    // SAFETY: the name is a C string.
    if unsafe { libc::sem_unlink(name.as_ptr().cast()) } < 0 {
        return Err(os_error(ts, errno()));
    }
    Ok(ts.none())
}
