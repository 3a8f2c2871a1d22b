//! `_thread`: what `threading` is made of: threads and their handles, locks, thread-specific attributes.

mod excepthook;
mod handle;
mod local;
mod lock;
mod record;
mod rlock;
mod start;

use core::sync::atomic::Ordering;

use crate::modules::ModuleSpec;
use crate::object::{Args, AsObject, MethodDef, PyObject, PyResult, Signature, call, protocol};
use crate::state::{Runtime, ThreadState};
use crate::types::bool::py_bool;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::none::{is_none, none};
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{id, raise};

pub(crate) use lock::PyLock;
pub use record::Records;
pub(crate) use start::{after_fork_in_child, forget_start, give_up_others, is_stack_size, join_all};

const START_DOC: &str = "start_new_thread($module, function, args, kwargs={}, /)\n--\n\n\
    Start a new thread and return its identifier.\n\n\
    The thread will call the function with positional arguments from the\n\
    tuple args and keyword arguments taken from the optional dictionary\n\
    kwargs.";
const ALLOCATE_DOC: &str = "allocate_lock($module, /)\n--\n\nCreate a new lock object.";
const EXIT_DOC: &str = "exit($module, /)\n--\n\nThis is synonymous to ``raise SystemExit''.";

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_thread",
    doc: "This module provides primitive operations to write multi-threaded programs.\n\
          The 'threading' module provides a more convenient interface.",
    methods: &[
        MethodDef::positional("start_new_thread", start_new_thread, START_DOC),
        MethodDef::positional(
            "start_new",
            start_new_thread,
            "start_new($module, function, args, kwargs={}, /)\n--\n\nAn old name of start_new_thread().",
        ),
        MethodDef::keywords(
            "start_joinable_thread",
            start_joinable_thread,
            "start_joinable_thread($module, /, function, daemon=True, handle=None)\n--\n\n\
             Begin executing the function in a new thread, which the handle stands for.",
        ),
        MethodDef::no_args(
            "daemon_threads_allowed",
            |ts, _| Ok(py_bool(ts.interp().allows.daemon_threads.get())),
            "daemon_threads_allowed($module, /)\n--\n\nWhether daemon threads are allowed in the current interpreter.",
        ),
        MethodDef::no_args("allocate_lock", allocate_lock, ALLOCATE_DOC),
        MethodDef::no_args("allocate", allocate_lock, ALLOCATE_DOC),
        MethodDef::no_args("exit_thread", exit, EXIT_DOC),
        MethodDef::no_args("exit", exit, EXIT_DOC),
        MethodDef::positional(
            "interrupt_main",
            interrupt_main,
            "interrupt_main($module, signum=signal.SIGINT, /)\n--\n\n\
             Simulate the arrival of the given signal in the main thread,\nwhere the corresponding signal handler will be executed.",
        ),
        MethodDef::no_args(
            "get_ident",
            |ts, _| PyInt::from_u64(ts, crate::sync::thread_ident()),
            "get_ident($module, /)\n--\n\nA number that no other live thread has.",
        ),
        MethodDef::no_args(
            "get_native_id",
            get_native_id,
            "get_native_id($module, /)\n--\n\nThe system's number of the thread.",
        ),
        MethodDef::no_args(
            "_count",
            |ts, _| PyInt::from_usize(ts, ts.interp().thread_records.running.get()),
            "_count($module, /)\n--\n\nHow many threads run beside the main one.",
        ),
        MethodDef::positional(
            "stack_size",
            stack_size,
            "stack_size($module, size=0, /)\n--\n\nThe stack size that new threads get; with an argument, set it. 0 is the system's own.",
        ),
        MethodDef::one(
            "_excepthook",
            excepthook::excepthook,
            "_excepthook($module, (exc_type, exc_value, exc_traceback, thread), /)\n--\n\nHandle uncaught Thread.run() exception.",
        ),
        MethodDef::no_args(
            "_is_main_interpreter",
            |ts, _| Ok(py_bool(ts.interp().id == 0)),
            "Whether this is the main interpreter.",
        ),
        MethodDef::no_args(
            "_shutdown",
            |ts, _| start::join_all(ts).map(|()| ts.none()),
            "_shutdown($module, /)\n--\n\nWait for all non-daemon threads (other than the calling thread) to stop.",
        ),
        MethodDef::keywords(
            "_make_thread_handle",
            handle::make_thread_handle,
            "_make_thread_handle($module, ident, /)\n--\n\nA handle of a thread that runs already.",
        ),
        MethodDef::no_args(
            "_get_main_thread_ident",
            main_thread_ident,
            "_get_main_thread_ident($module, /)\n--\n\nThe main thread's number.",
        ),
        MethodDef::one("set_name", set_name, "set_name($module, name, /)\n--\n\nSet the name of the current thread."),
    ],
    types: &[&lock::LOCK_TYPE, &rlock::RLOCK_TYPE, &local::LOCAL_TYPE, &handle::HANDLE_TYPE],
    exec: Some(exec),
};

/// How long the system lets a thread's name be.
const NAME_MAX: usize = 15;

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    crate::object::ready::ready_static(ts, &local::DUMMY_TYPE)?;
    module.add(ts, "LockType", lock::LOCK_TYPE.object.as_object())?;
    module.add(ts, "error", exc::RuntimeError.object.as_object())?;
    let max = PyFloat::new(ts, lock::TIMEOUT_MAX)?;
    module.add(ts, "TIMEOUT_MAX", &max)?;
    module.add_int(ts, "_NAME_MAXLEN", NAME_MAX as i64)?;
    excepthook::add_args_type(ts, module)
}

fn allocate_lock(ts: &ThreadState, _module: &PyObject) -> PyResult {
    Ok(PyLock::new(ts)?.into_object())
}

fn exit(ts: &ThreadState, _module: &PyObject) -> PyResult {
    Err(ts.raise_type(&exc::SystemExit))
}

fn start_new_thread(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "start_new_thread", args.len(), 2, 3)?;
    if !call::is_callable(args[0]) {
        return raise!(ts, exc::TypeError, "first arg must be callable");
    }
    if !args[1].is_a::<PyTuple>() {
        return raise!(ts, exc::TypeError, "2nd arg must be a tuple");
    }
    if args.get(2).is_some_and(|kwargs| !kwargs.is_a::<PyDict>()) {
        return raise!(ts, exc::TypeError, "optional 3rd arg must be a dictionary");
    }
    crate::modules::sys::auditing::event(
        ts,
        "_thread.start_new_thread",
        &[args[0], args[1], args.get(2).copied().unwrap_or(none())],
    )?;
    let arguments = args[1].new_ref().downcast_into::<PyTuple>().unwrap_or_else(|_| PyTuple::empty());
    let keywords = args.get(2).and_then(|kwargs| kwargs.new_ref().downcast_into::<PyDict>().ok());
    let record = record::Shared::new()?;
    start::start_thread(ts, &record, args[0], arguments, keywords, true)?;
    PyInt::from_u64(ts, record.ident.get())
}

fn start_joinable_thread(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("start_joinable_thread", ["function", "daemon", "handle"], 0, 1, 1);
    let [function, daemon, handle] = SIGNATURE.parse(ts, args)?;
    let Some(function) = function.filter(|function| call::is_callable(function)) else {
        return raise!(ts, exc::TypeError, "thread function must be callable");
    };
    if handle.is_some_and(|handle| !is_none(handle) && !handle.is_a::<handle::PyThreadHandle>()) {
        return raise!(ts, exc::TypeError, "'handle' must be a _ThreadHandle");
    }
    let daemon = daemon.map_or(Ok(true), |daemon| protocol::is_true(ts, daemon))?;
    crate::modules::sys::auditing::event_with(ts, "_thread.start_joinable_thread", || {
        let handle = handle.map_or_else(|| ts.none(), AsObject::new_ref);
        Ok([function.new_ref(), PyInt::from_i64(ts, daemon.into())?, handle])
    })?;
    let handle = match handle.and_then(|handle| handle.new_ref().downcast_into::<handle::PyThreadHandle>().ok()) {
        Some(handle) => handle,
        None => handle::make(ts)?,
    };
    start::start_thread(ts, handle.record(), function, PyTuple::empty(), None, daemon)?;
    Ok(handle.into_object())
}

fn interrupt_main(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "interrupt_main", args.len(), 0, 1)?;
    let number = match args.first() {
        Some(number) => protocol::as_i32(ts, number)?,
        None => libc::SIGINT,
    };
    if !(1..=64).contains(&number) {
        return raise!(ts, exc::ValueError, "signal number out of range");
    }
    // As with a real signal, nothing happens when there is no handler of Python's.
    crate::modules::_signal::simulate(number);
    Ok(ts.none())
}

fn get_native_id(ts: &ThreadState, _module: &PyObject) -> PyResult {
    PyInt::from_i64(ts, ts.native_id.get())
}

fn main_thread_ident(ts: &ThreadState, _module: &PyObject) -> PyResult {
    PyInt::from_u64(ts, Runtime::get().main_thread.load(Ordering::Relaxed))
}

/// The smallest stack that the system allows.
const MIN_STACK: isize = 0x8000;

fn stack_size(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "stack_size", args.len(), 0, 1)?;
    let size = match args.first() {
        Some(size) => protocol::as_isize(ts, size)?,
        None => 0,
    };
    if size < 0 {
        return raise!(ts, exc::ValueError, "size must be 0 or a positive value");
    }
    if size != 0 && (size < MIN_STACK || !start::is_stack_size(size as usize)) {
        return raise!(ts, exc::ValueError, "size not valid: {size} bytes");
    }
    let place = &ts.interp().thread_stack_size;
    let old = if args.is_empty() { place.get() } else { place.replace(size as usize) };
    PyInt::from_usize(ts, old)
}

fn set_name(ts: &ThreadState, _module: &PyObject, name: &PyObject) -> PyResult {
    let Some(name) = name.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "set_name() argument must be str, not {}", name.type_name());
    };
    let bytes = name.utf8(ts)?.as_bytes();
    let mut buffer = [0u8; NAME_MAX + 1];
    let mut len = bytes.len().min(NAME_MAX);
    // Not in the middle of a character.
    while len > 0 && len < bytes.len() && bytes[len] & 0xC0 == 0x80 {
        len -= 1;
    }
    buffer[..len].copy_from_slice(&bytes[..len]);
    // SAFETY: the buffer ends in a zero.
    let failed = unsafe { libc::pthread_setname_np(libc::pthread_self(), buffer.as_ptr().cast()) };
    if failed != 0 {
        return Err(exc::raise_os_error(ts, failed, None));
    }
    Ok(ts.none())
}

/// The arguments of `acquire`: whether to wait, and how long at most.
fn parse_acquire(ts: &ThreadState, args: Args<'_>) -> PyResult<lock::Patience> {
    static SIGNATURE: Signature<2> = Signature::new("acquire", ["blocking", "timeout"], 0, 2, 0);
    if args.is_empty() {
        return Ok(lock::Patience::Forever);
    }
    let [blocking, timeout] = SIGNATURE.parse(ts, args)?;
    let blocking = blocking.map_or(Ok(true), |blocking| protocol::is_true(ts, blocking))?;
    let timeout = timeout.map_or(Ok(None), |timeout| seconds(ts, timeout))?;
    match timeout {
        Some(seconds) if seconds != -1.0 => {
            if !blocking {
                return raise!(ts, exc::ValueError, "can't specify a timeout for a non-blocking call");
            }
            if seconds < 0.0 {
                return raise!(ts, exc::ValueError, "timeout value must be a non-negative number");
            }
            if seconds > lock::TIMEOUT_MAX {
                return raise!(ts, exc::OverflowError, "timeout value is too large");
            }
            Ok(lock::Patience::Seconds(seconds))
        }
        _ if blocking => Ok(lock::Patience::Forever),
        _ => Ok(lock::Patience::None),
    }
}

/// A number of seconds.
fn seconds(ts: &ThreadState, timeout: &PyObject) -> PyResult<Option<f64>> {
    if !(timeout.is_a::<PyFloat>() || protocol::is_index(timeout)) {
        return raise!(ts, exc::TypeError, "'{}' object cannot be interpreted as an integer", timeout.type_name());
    }
    let seconds = match ts.catch(protocol::as_f64(ts, timeout), &exc::OverflowError)? {
        Some(seconds) => seconds,
        None => return raise!(ts, exc::OverflowError, "timestamp too large to convert to C PyTime_t"),
    };
    if seconds.is_nan() {
        return raise!(ts, exc::ValueError, "Invalid value NaN (not a number)");
    }
    Ok(Some(seconds))
}

/// The time on the monotonic clock at which waiting for so many seconds ends; None for a negative number.
pub(crate) fn wait_time(ts: &ThreadState, timeout: &PyObject) -> PyResult<Option<i64>> {
    let Some(seconds) = seconds(ts, timeout)?.filter(|seconds| *seconds >= 0.0) else { return Ok(None) };
    if seconds > lock::TIMEOUT_MAX {
        return raise!(ts, exc::OverflowError, "timeout value is too large");
    }
    Ok(Some(lock::deadline(seconds)))
}

/// `sys.stderr` may be gone while a thread ends.
fn stderr(ts: &ThreadState) -> PyResult<Option<crate::object::PyRef>> {
    let Some(sys) = ts.interp().sys_dict.get() else { return Ok(None) };
    Ok(sys.get_str(ts, id!(stderr))?.filter(|file| !is_none(file)))
}
