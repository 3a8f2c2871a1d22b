//! `_signal`: the operating system's signals and their Python handlers.
//!
//! The C handler only notes that a signal has come, in the runtime and in the main thread's eval breaker; the main
//! thread then calls the Python handler between two instructions, or where a system call was interrupted.
//!
//! Signals belong to the process, so what the C handler needs lies in statics; the Python handlers belong to the
//! main interpreter.

use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU64, Ordering};

use crate::lifecycle::pending;
use crate::modules::ModuleSpec;
use crate::modules::posix::system::{self, blocking, errno, os_error, parse};
use crate::modules::time::convert::{self, Round};
use crate::object::*;
use crate::state::{EvalBreaker, Runtime, ThreadState};
use crate::types::builtin_function::PyBuiltinFunction;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::none::{is_none, none};
use crate::types::set::PySet;
use crate::types::str::PyStr;
use crate::types::structseq::{self, StructSeqField, StructSeqSpec};
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_signal",
    doc: "The operating system's signals; programs use them through signal.",
    methods: &[
        DEFAULT_INT_HANDLER,
        MethodDef::one(
            "alarm",
            alarm,
            "alarm($module, seconds, /)\n--\n\nHave SIGALRM sent in so many seconds; those that were left of the last one.",
        ),
        MethodDef::positional(
            "setitimer",
            setitimer,
            "setitimer($module, which, seconds, interval=0.0, /)\n--\n\nStart or (with 0) stop a timer; what was set before, as (delay, interval).",
        ),
        MethodDef::one(
            "getitimer",
            getitimer,
            "getitimer($module, which, /)\n--\n\nWhat is left of a timer, as (delay, interval).",
        ),
        MethodDef::positional(
            "signal",
            signal,
            "signal($module, signalnum, handler, /)\n--\n\nSay what a signal does: SIG_DFL, SIG_IGN or a function; what it did before.",
        ),
        MethodDef::one(
            "raise_signal",
            raise_signal,
            "raise_signal($module, signalnum, /)\n--\n\nSend a signal to the process itself.",
        ),
        MethodDef::one(
            "strsignal",
            strsignal,
            "strsignal($module, signalnum, /)\n--\n\nWhat a signal means, in words.",
        ),
        MethodDef::one(
            "getsignal",
            getsignal,
            "getsignal($module, signalnum, /)\n--\n\nWhat a signal does; None when that is not up to Python.",
        ),
        MethodDef::keywords(
            "set_wakeup_fd",
            set_wakeup_fd,
            "set_wakeup_fd($module, fd, /, *, warn_on_full_buffer=True)\n--\n\nHave each signal's number written to a descriptor, too; the former one or -1.",
        ),
        MethodDef::positional(
            "siginterrupt",
            siginterrupt,
            "siginterrupt($module, signalnum, flag, /)\n--\n\nSay whether a signal interrupts system calls.",
        ),
        MethodDef::no_args("pause", pause, "pause($module, /)\n--\n\nWait for a signal."),
        MethodDef::positional(
            "pidfd_send_signal",
            pidfd_send_signal,
            "pidfd_send_signal($module, pidfd, signalnum, siginfo=None, flags=0, /)\n--\n\nSend a signal to a process by its descriptor.",
        ),
        MethodDef::positional(
            "pthread_kill",
            pthread_kill,
            "pthread_kill($module, thread_id, signalnum, /)\n--\n\nSend a signal to a thread.",
        ),
        MethodDef::positional(
            "pthread_sigmask",
            pthread_sigmask,
            "pthread_sigmask($module, how, mask, /)\n--\n\nChange which signals the thread blocks; those that it did before.",
        ),
        MethodDef::no_args(
            "sigpending",
            sigpending,
            "sigpending($module, /)\n--\n\nThe signals that are blocked and have come.",
        ),
        MethodDef::one(
            "sigwait",
            sigwait,
            "sigwait($module, sigset, /)\n--\n\nWait for one of a set of signals; its number.",
        ),
        MethodDef::one(
            "sigwaitinfo",
            sigwaitinfo,
            "sigwaitinfo($module, sigset, /)\n--\n\nWait for one of a set of signals; what is known of it.",
        ),
        MethodDef::positional(
            "sigtimedwait",
            sigtimedwait,
            "sigtimedwait($module, sigset, timeout, /)\n--\n\nWait for one of a set of signals, for so many seconds at most; None after that.",
        ),
        MethodDef::no_args(
            "valid_signals",
            valid_signals,
            "valid_signals($module, /)\n--\n\nThe numbers that are signals here.",
        ),
    ],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

const DEFAULT_INT_HANDLER: MethodDef = MethodDef::positional(
    "default_int_handler",
    default_int_handler,
    "default_int_handler($module, signalnum, frame, /)\n--\n\nRaise KeyboardInterrupt: what SIGINT does unless a program says otherwise.",
);
static DEFAULT_INT_HANDLER_DEF: MethodDef = DEFAULT_INT_HANDLER;

/// One more than the highest number.
const NSIG: i32 = 65;
const DEFAULT: i64 = 0;
const IGNORE: i64 = 1;

/// The thread that runs Python handlers.
static MAIN_THREAD: AtomicPtr<ThreadState> = AtomicPtr::new(core::ptr::null_mut());
/// `set_wakeup_fd`.
static WAKEUP_FD: AtomicI32 = AtomicI32::new(-1);
/// Whether a full pipe there is worth a word.
static WAKEUP_WARNS: AtomicBool = AtomicBool::new(true);
/// The error of the last write to it that is still to be told of; 0 when there is none.
static WAKEUP_ERROR: AtomicI32 = AtomicI32::new(0);
/// Signals whose handler is ours, and signals that initialization has had ignored; bit n is for the signal n + 1.
static INSTALLED: AtomicU64 = AtomicU64::new(0);
static IGNORED: AtomicU64 = AtomicU64::new(0);

static STRUCT_SIGINFO: StructSeqSpec = StructSeqSpec {
    name: "signal.struct_siginfo",
    doc: "What sigwaitinfo() and sigtimedwait() say of a signal:\n(si_signo, si_code, si_errno, si_pid, si_uid, si_status, si_band).",
    fields: &[
        StructSeqField { name: "si_signo", doc: "signal number" },
        StructSeqField { name: "si_code", doc: "signal code" },
        StructSeqField { name: "si_errno", doc: "errno associated with this signal" },
        StructSeqField { name: "si_pid", doc: "sending process ID" },
        StructSeqField { name: "si_uid", doc: "real user ID of sending process" },
        StructSeqField { name: "si_status", doc: "exit value or signal" },
        StructSeqField { name: "si_band", doc: "band event for SIGPOLL" },
    ],
    in_sequence: 7,
};

macro_rules! signals {
    ($($name:ident),* $(,)?) => { &[$((stringify!($name), libc::$name)),*] };
}

static SIGNALS: &[(&str, c_int)] = signals![
    SIGHUP,
    SIGINT,
    SIGQUIT,
    SIGILL,
    SIGTRAP,
    SIGIOT,
    SIGABRT,
    SIGFPE,
    SIGKILL,
    SIGBUS,
    SIGSEGV,
    SIGSYS,
    SIGPIPE,
    SIGALRM,
    SIGTERM,
    SIGUSR1,
    SIGUSR2,
    SIGCHLD,
    SIGPWR,
    SIGIO,
    SIGURG,
    SIGWINCH,
    SIGPOLL,
    SIGSTOP,
    SIGTSTP,
    SIGCONT,
    SIGTTIN,
    SIGTTOU,
    SIGVTALRM,
    SIGPROF,
    SIGXCPU,
    SIGXFSZ,
    SIGSTKFLT,
    SIG_BLOCK,
    SIG_UNBLOCK,
    SIG_SETMASK,
];

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    for (name, number) in SIGNALS {
        module.add_int(ts, name, (*number).into())?;
    }
    module.add_int(ts, "SIGCLD", libc::SIGCHLD.into())?;
    module.add_int(ts, "SIGRTMIN", libc::SIGRTMIN().into())?;
    module.add_int(ts, "SIGRTMAX", libc::SIGRTMAX().into())?;
    module.add_int(ts, "NSIG", NSIG.into())?;
    module.add_int(ts, "SIG_DFL", DEFAULT)?;
    module.add_int(ts, "SIG_IGN", IGNORE)?;
    module.add_int(ts, "ITIMER_REAL", libc::ITIMER_REAL.into())?;
    module.add_int(ts, "ITIMER_VIRTUAL", libc::ITIMER_VIRTUAL.into())?;
    module.add_int(ts, "ITIMER_PROF", libc::ITIMER_PROF.into())?;
    let namespace = PyDict::new(ts)?;
    namespace.set_str(ts, id!(__module__), PyStr::intern(ts, "signal")?.as_object())?;
    let error = crate::types::typ::new_class(ts, "itimer_error", &[exc::OSError.as_object()], &namespace)?;
    module.add(ts, "ItimerError", &error)?;
    let siginfo = structseq::type_of(ts, &STRUCT_SIGINFO)?;
    module.add(ts, "struct_siginfo", siginfo.as_object())?;
    handlers(ts).map(drop)
}

/// The interpreter's handlers, by number: None for one that is not Python's, 0 for the default, 1 for none. Made
/// from what the process has when it is first asked for.
fn handlers(ts: &ThreadState) -> PyResult<Ref<PyList>> {
    let interp = ts.interp();
    let all = match interp.native_state.get() {
        Some(all) => all,
        None => {
            let all = PyDict::new(ts)?;
            interp.native_state.set(Some(all.clone()));
            all
        }
    };
    if let Some(list) = all.get_str(ts, id!(_signal))?
        && let Ok(list) = list.downcast_into()
    {
        return Ok(list);
    }
    let list: Ref<PyList> = PyList::with_capacity(ts, NSIG as usize)?;
    list.append(ts, ts.none())?;
    for number in 1..NSIG {
        list.append(ts, handler_of_now(ts, number)?)?;
    }
    all.set_str(ts, id!(_signal), list.as_object())?;
    Ok(list)
}

/// What the process does with a signal, as one of the interpreter's handlers.
fn handler_of_now(ts: &ThreadState, number: c_int) -> PyResult {
    match current_action(number) {
        Some(libc::SIG_DFL) => PyInt::from_i64(ts, DEFAULT),
        Some(libc::SIG_IGN) => PyInt::from_i64(ts, IGNORE),
        _ => Ok(ts.none()),
    }
}

/// Has the main interpreter's handlers say what the process does with signals as it starts.
pub fn read_handlers(ts: &ThreadState) -> PyResult<()> {
    let list = handlers(ts)?;
    for number in 1..NSIG {
        list.set(ts, number as usize, handler_of_now(ts, number)?)?;
    }
    Ok(())
}

/// The process's handler of a signal; None when the number is none.
fn current_action(number: c_int) -> Option<libc::sighandler_t> {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: the call fills the struct when it succeeds.
    unsafe {
        if libc::sigaction(number, core::ptr::null(), action.as_mut_ptr()) != 0 {
            return None;
        }
        Some(action.assume_init().sa_sigaction)
    }
}

/// Sets the process's handler of a signal; the error is the error number.
fn set_action(number: c_int, handler: libc::sighandler_t) -> Result<(), i32> {
    // SAFETY: a struct of integers, an empty set of signals and a null pointer.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = libc::SA_ONSTACK;
    // SAFETY: the handler is the default, none, or `trip`, which only does what a handler may.
    if unsafe { libc::sigaction(number, &raw const action, core::ptr::null_mut()) } != 0 {
        return Err(errno());
    }
    let bit = 1u64 << (number - 1);
    if handler == trip_address() {
        INSTALLED.fetch_or(bit, Ordering::Relaxed);
    } else {
        INSTALLED.fetch_and(!bit, Ordering::Relaxed);
    }
    Ok(())
}

fn trip_address() -> libc::sighandler_t {
    trip as extern "C" fn(c_int) as *const () as libc::sighandler_t
}

/// The C handler of every signal with a Python one.
extern "C" fn trip(number: c_int) {
    let saved = errno();
    Runtime::get().signals_pending.fetch_or(1 << (number - 1), Ordering::AcqRel);
    // SAFETY: the pointer is null, or the main thread's state, which is there as long as handlers are installed.
    if let Some(ts) = unsafe { MAIN_THREAD.load(Ordering::Acquire).as_ref() } {
        ts.eval_breaker.set(EvalBreaker::SIGNALS);
    }
    let fd = WAKEUP_FD.load(Ordering::Acquire);
    if fd >= 0 {
        let byte = number as u8;
        // SAFETY: writing is allowed in a handler.
        let failed = unsafe { libc::write(fd, (&raw const byte).cast(), 1) } < 0;
        let error = errno();
        // Whoever reads a full pipe will wake.
        if failed && (error != libc::EAGAIN || WAKEUP_WARNS.load(Ordering::Relaxed)) {
            WAKEUP_ERROR.store(error, Ordering::Release);
            // SAFETY: as above.
            if let Some(ts) = unsafe { MAIN_THREAD.load(Ordering::Acquire).as_ref() } {
                ts.eval_breaker.set(EvalBreaker::SIGNALS);
            }
        }
    }
    system::set_errno(saved);
}

/// Takes the process's signals over: SIGINT becomes KeyboardInterrupt, broken pipes and too large files become errors.
pub fn install_handlers(ts: &ThreadState) -> PyResult<()> {
    claim(ts);
    for number in [libc::SIGPIPE, libc::SIGXFSZ] {
        if current_action(number) == Some(libc::SIG_DFL) && set_action(number, libc::SIG_IGN).is_ok() {
            IGNORED.fetch_or(1 << (number - 1), Ordering::Relaxed);
        }
    }
    let module = crate::import::import_module(ts, "_signal")?;
    let list = handlers(ts)?;
    let Some(present) = list.get(libc::SIGINT as usize) else { return Ok(()) };
    if is_constant(&present, DEFAULT) {
        let handler = match attr::get_opt(ts, &module, &*PyStr::intern(ts, "default_int_handler")?)? {
            Some(handler) => handler,
            None => PyBuiltinFunction::new(ts, &DEFAULT_INT_HANDLER_DEF, Some(&module), None)?,
        };
        list.set(ts, libc::SIGINT as usize, handler)?;
        if let Err(errno) = set_action(libc::SIGINT, trip_address()) {
            return Err(os_error(ts, errno));
        }
    }
    Ok(())
}

/// Gives the process's signals back, at the end of the interpreter.
pub fn restore_handlers(ts: &ThreadState) {
    if !is_main(ts) {
        return;
    }
    let bits = INSTALLED.load(Ordering::Relaxed) | IGNORED.load(Ordering::Relaxed);
    for number in 1..NSIG {
        if bits & (1 << (number - 1)) != 0 {
            // Fails for no signal whose action could be set before.
            let _ = set_action(number, libc::SIG_DFL);
        }
    }
    IGNORED.store(0, Ordering::Relaxed);
    WAKEUP_FD.store(-1, Ordering::Release);
    WAKEUP_ERROR.store(0, Ordering::Release);
    MAIN_THREAD.store(core::ptr::null_mut(), Ordering::Release);
    Runtime::get().signals_pending.store(0, Ordering::Release);
}

/// Makes the calling thread the one that runs handlers, when there is none yet and the interpreter is the main one.
fn claim(ts: &ThreadState) {
    if core::ptr::eq(Runtime::get().main_interpreter.load(Ordering::Acquire), ts.interp()) {
        let me = core::ptr::from_ref(ts).cast_mut();
        let _ = MAIN_THREAD.compare_exchange(core::ptr::null_mut(), me, Ordering::AcqRel, Ordering::Acquire);
    }
}

/// After a fork the only thread there is runs the handlers, and what the parent has not handled is not the child's.
pub fn after_fork_in_child(ts: &ThreadState) {
    if core::ptr::eq(Runtime::get().main_interpreter.load(Ordering::Acquire), ts.interp()) {
        MAIN_THREAD.store(core::ptr::from_ref(ts).cast_mut(), Ordering::Release);
    }
    ts.eval_breaker.clear(EvalBreaker::SIGNALS);
    Runtime::get().signals_pending.store(0, Ordering::Release);
}

/// Whether handlers run in this thread: the main one, in the main interpreter.
pub fn is_main(ts: &ThreadState) -> bool {
    let runtime = Runtime::get();
    if !runtime.is_main_thread() || !core::ptr::eq(runtime.main_interpreter.load(Ordering::Acquire), ts.interp()) {
        return false;
    }
    if MAIN_THREAD.load(Ordering::Acquire).is_null() {
        claim(ts);
    }
    true
}

/// Does what the arrival of a signal does; nothing when there is no handler of Python's for it. Any thread.
pub fn simulate(number: i32) {
    if INSTALLED.load(Ordering::Acquire) & (1 << (number - 1)) != 0 {
        trip(number);
    }
}

/// Tells of a signal that could not be written to the wake-up descriptor.
pub fn report_wakeup_error(ts: &ThreadState) {
    if WAKEUP_ERROR.load(Ordering::Relaxed) == 0 {
        return;
    }
    let error = WAKEUP_ERROR.swap(0, Ordering::AcqRel);
    if error != 0 {
        let raised = os_error(ts, error);
        exc::write_unraisable(ts, raised, Some("trying to write to the signal wakeup fd"), &ts.none());
    }
}

/// Calls the Python handler of a signal that has come.
pub fn call_handler(ts: &ThreadState, number: i32) -> PyResult<()> {
    if !is_main(ts) {
        // Not this thread's business: the main thread finds it when it gets to it.
        Runtime::get().signals_pending.fetch_or(1 << (number - 1), Ordering::AcqRel);
        return Ok(());
    }
    let Some(handler) = handlers(ts)?.get(number as usize) else { return Ok(()) };
    if is_none(&handler) || is_constant(&handler, DEFAULT) || is_constant(&handler, IGNORE) {
        // The handler has been changed since the signal came.
        let raised = ts.raise_fmt(&exc::OSError, format_args!("Signal {number} ignored due to race condition"));
        exc::write_unraisable(ts, raised, None, &ts.none());
        return Ok(());
    }
    let frame = match crate::vm::frame::current(ts) {
        Some(frame) => frame.object(ts)?.into_object(),
        None => ts.none(),
    };
    let number = PyInt::from_i64(ts, number.into())?;
    call::call_with(ts, &handler, &[&number, &frame])?;
    Ok(())
}

fn is_constant(handler: &PyObject, value: i64) -> bool {
    handler.downcast_exact::<PyInt>().and_then(PyInt::as_i64) == Some(value)
}

fn default_int_handler(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "default_int_handler", args.len(), 2, 2)?;
    protocol::as_i32(ts, args[0])?;
    Err(ts.raise_type(&exc::KeyboardInterrupt))
}

fn number_of(ts: &ThreadState, object: &PyObject) -> PyResult<i32> {
    let number = protocol::as_i32(ts, object)?;
    if !(1..NSIG).contains(&number) {
        return raise!(ts, exc::ValueError, "signal number out of range");
    }
    Ok(number)
}

fn signal(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "signal", args.len(), 2, 2)?;
    let number = protocol::as_i32(ts, args[0])?;
    let handler = args[1];
    if !is_main(ts) {
        return raise!(ts, exc::ValueError, "signal only works in main thread of the main interpreter");
    }
    let number = if (1..NSIG).contains(&number) { number } else { number_of(ts, args[0])? };
    let action = if is_constant(handler, IGNORE) {
        libc::SIG_IGN
    } else if is_constant(handler, DEFAULT) {
        libc::SIG_DFL
    } else if call::is_callable(handler) {
        trip_address()
    } else {
        return raise!(
            ts,
            exc::TypeError,
            "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object"
        );
    };
    // What has come already is the old handler's.
    pending::signals(ts)?;
    let list = handlers(ts)?;
    if let Err(errno) = set_action(number, action) {
        return Err(os_error(ts, errno));
    }
    let old = list.get(number as usize).unwrap_or_else(|| ts.none());
    list.set(ts, number as usize, handler.new_ref())?;
    Ok(old)
}

fn getsignal(ts: &ThreadState, _: &PyObject, number: &PyObject) -> PyResult {
    let number = number_of(ts, number)?;
    Ok(handlers(ts)?.get(number as usize).unwrap_or_else(|| ts.none()))
}

fn raise_signal(ts: &ThreadState, _: &PyObject, number: &PyObject) -> PyResult {
    let number = protocol::as_i32(ts, number)?;
    // SAFETY: sends a signal to the thread itself.
    system::once(ts, || unsafe { libc::raise(number) })?;
    pending::signals(ts)?;
    Ok(ts.none())
}

fn strsignal(ts: &ThreadState, _: &PyObject, number: &PyObject) -> PyResult {
    let number = number_of(ts, number)?;
    // SAFETY: the result is null or a C string that lives until the thread's next call.
    let text = unsafe {
        let text = libc::strsignal(number);
        if text.is_null() {
            return Ok(ts.none());
        }
        core::ffi::CStr::from_ptr(text).to_bytes()
    };
    if text.starts_with(b"Unknown signal") {
        return Ok(ts.none());
    }
    Ok(crate::modules::posix::path::fs_decode(ts, text)?.into_object())
}

fn alarm(ts: &ThreadState, _: &PyObject, seconds: &PyObject) -> PyResult {
    let seconds = protocol::as_i32(ts, seconds)?;
    // SAFETY: sets the process's timer.
    PyInt::from_i64(ts, unsafe { libc::alarm(seconds as u32) }.into())
}

fn pause(ts: &ThreadState, _: &PyObject) -> PyResult {
    // SAFETY: waits; it returns only for a signal.
    blocking(ts, || unsafe { libc::pause() });
    pending::signals(ts)?;
    Ok(ts.none())
}

fn raise_itimer_error<T>(ts: &ThreadState, module: &PyObject, errno: i32) -> PyResult<T> {
    let class = attr::get(ts, module, &*PyStr::intern(ts, "ItimerError")?)?;
    match class.downcast::<PyTypeObject>() {
        Some(class) => Err(exc::raise_os_error_with(ts, class, errno, None, None)),
        None => Err(os_error(ts, errno)),
    }
}

fn timer_tuple(ts: &ThreadState, timer: &libc::itimerval) -> PyResult {
    let seconds = |t: libc::timeval| PyFloat::new(ts, t.tv_sec as f64 + t.tv_usec as f64 / 1e6);
    Ok(PyTuple::from_array(ts, [seconds(timer.it_value)?, seconds(timer.it_interval)?])?.into_object())
}

fn setitimer(ts: &ThreadState, module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "setitimer", args.len(), 2, 3)?;
    let which = protocol::as_i32(ts, args[0])?;
    let it_value = convert::timeval(ts, args[1], Round::Ceiling)?;
    let it_interval = match args.get(2) {
        Some(interval) => convert::timeval(ts, interval, Round::Ceiling)?,
        None => libc::timeval { tv_sec: 0, tv_usec: 0 },
    };
    let new = libc::itimerval { it_interval, it_value };
    let mut old = new;
    // SAFETY: both structs are whole. The C library gives the timer's name another type than the caller has.
    if unsafe { libc::setitimer(which as _, &raw const new, &raw mut old) } != 0 {
        return raise_itimer_error(ts, module, errno());
    }
    timer_tuple(ts, &old)
}

fn getitimer(ts: &ThreadState, module: &PyObject, which: &PyObject) -> PyResult {
    let which = protocol::as_i32(ts, which)?;
    let mut timer = MaybeUninit::<libc::itimerval>::zeroed();
    // SAFETY: the call fills the struct.
    let timer = unsafe {
        if libc::getitimer(which as _, timer.as_mut_ptr()) != 0 {
            return raise_itimer_error(ts, module, errno());
        }
        timer.assume_init()
    };
    timer_tuple(ts, &timer)
}

fn set_wakeup_fd(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [fd, warns] = parse!(ts, args, "set_wakeup_fd", ["", "warn_on_full_buffer"], 1, 1, 1);
    let fd = system::int(ts, fd)?;
    let warns = warns.map_or(Ok(true), |warns| protocol::is_true(ts, warns))?;
    if !is_main(ts) {
        return raise!(ts, exc::ValueError, "set_wakeup_fd only works in main thread of the main interpreter");
    }
    if fd >= 0 {
        let mut stat = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: the call fills the struct.
        if unsafe { libc::fstat(fd, stat.as_mut_ptr()) } != 0 {
            return Err(os_error(ts, errno()));
        }
        // SAFETY: only reads the descriptor's flags.
        let flags = system::once(ts, || unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
        if flags & libc::O_NONBLOCK == 0 {
            return raise!(ts, exc::ValueError, "the fd {fd} must be in non-blocking mode");
        }
    }
    WAKEUP_WARNS.store(warns, Ordering::Relaxed);
    let old = WAKEUP_FD.swap(if fd < 0 { -1 } else { fd }, Ordering::AcqRel);
    PyInt::from_i64(ts, old.into())
}

fn siginterrupt(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "siginterrupt", args.len(), 2, 2)?;
    let number = number_of(ts, args[0])?;
    let interrupt = protocol::as_i32(ts, args[1])? != 0;
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: the first call fills the struct, the second one sets it with one flag changed.
    system::once(ts, || unsafe {
        if libc::sigaction(number, core::ptr::null(), action.as_mut_ptr()) != 0 {
            return -1;
        }
        let mut action = action.assume_init();
        action.sa_flags =
            if interrupt { action.sa_flags & !libc::SA_RESTART } else { action.sa_flags | libc::SA_RESTART };
        libc::sigaction(number, &raw const action, core::ptr::null_mut())
    })?;
    Ok(ts.none())
}

fn pidfd_send_signal(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "pidfd_send_signal", args.len(), 2, 4)?;
    let fd = protocol::as_i32(ts, args[0])?;
    let number = protocol::as_i32(ts, args[1])?;
    if args.get(2).is_some_and(|info| !is_none(info)) {
        return raise!(ts, exc::TypeError, "siginfo must be None");
    }
    let flags = system::int_or(ts, args.get(3).copied(), 0)?;
    // SAFETY: the kernel checks all arguments.
    system::once(ts, || unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, fd, number, core::ptr::null::<libc::siginfo_t>(), flags)
    })?;
    Ok(ts.none())
}

fn pthread_kill(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "pthread_kill", args.len(), 2, 2)?;
    let thread = protocol::index(ts, args[0])?.wrapping_u64();
    let number = protocol::as_i32(ts, args[1])?;
    // SAFETY: the caller vouches for the thread, as with every function that takes one.
    let error = unsafe { libc::pthread_kill(thread as libc::pthread_t, number) };
    if error != 0 {
        return Err(os_error(ts, error));
    }
    pending::signals(ts)?;
    Ok(ts.none())
}

/// A set of signals from an iterable of numbers.
pub fn signal_set(ts: &ThreadState, iterable: &PyObject) -> PyResult<libc::sigset_t> {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the call fills the set.
    let mut set = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    };
    protocol::for_each(ts, iterable, |item| {
        // What is out of a machine's range is out of this one, too.
        let index = protocol::index(ts, &item)?;
        let number = index.as_i64().unwrap_or(if index.sign() < 0 { i64::MIN } else { i64::MAX });
        if !(1..i64::from(NSIG)).contains(&number) {
            return raise!(ts, exc::ValueError, "signal number {number} out of range [1; {}]", NSIG - 1);
        }
        // SAFETY: the set is whole. Numbers that the C library keeps to itself are left out, as in CPython.
        unsafe { libc::sigaddset(&raw mut set, number as c_int) };
        Ok(())
    })?;
    Ok(set)
}

fn set_object(ts: &ThreadState, set: &libc::sigset_t) -> PyResult {
    let result = PySet::new(ts)?;
    for number in 1..NSIG {
        // SAFETY: the set is whole.
        if unsafe { libc::sigismember(core::ptr::from_ref(set), number) } == 1 {
            result.add(ts, &*PyInt::from_i64(ts, number.into())?)?;
        }
    }
    Ok(result.into_object())
}

fn pthread_sigmask(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "pthread_sigmask", args.len(), 2, 2)?;
    let how = protocol::as_i32(ts, args[0])?;
    let new = signal_set(ts, args[1])?;
    let mut old = new;
    // SAFETY: both sets are whole.
    let error = unsafe { libc::pthread_sigmask(how, &raw const new, &raw mut old) };
    if error != 0 {
        return Err(os_error(ts, error));
    }
    // A signal that was blocked may have come.
    pending::signals(ts)?;
    set_object(ts, &old)
}

fn sigpending(ts: &ThreadState, _: &PyObject) -> PyResult {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: the call fills the set.
    system::once(ts, || unsafe { libc::sigpending(set.as_mut_ptr()) })?;
    // SAFETY: it has been filled.
    set_object(ts, &unsafe { set.assume_init() })
}

fn sigwait(ts: &ThreadState, _: &PyObject, set: &PyObject) -> PyResult {
    let set = signal_set(ts, set)?;
    let mut number = 0;
    // SAFETY: the set is whole.
    let error = blocking(ts, || unsafe { libc::sigwait(&raw const set, &raw mut number) });
    if error != 0 {
        return Err(os_error(ts, error));
    }
    PyInt::from_i64(ts, number.into())
}

fn siginfo_object(ts: &ThreadState, info: &libc::siginfo_t) -> PyResult {
    // SAFETY: the fields of a signal that was sent or of a child's end; for others they are some number.
    let (pid, uid, status) = unsafe { (info.si_pid(), info.si_uid(), info.si_status()) };
    // SAFETY: the union's first word behind the three ints is the band for SIGPOLL.
    let band = unsafe { core::ptr::from_ref(info).cast::<i64>().add(2).read_unaligned() };
    let values = [
        PyInt::from_i64(ts, info.si_signo.into())?,
        PyInt::from_i64(ts, info.si_code.into())?,
        PyInt::from_i64(ts, info.si_errno.into())?,
        PyInt::from_i64(ts, pid.into())?,
        system::id_object(ts, uid)?,
        PyInt::from_i64(ts, status.into())?,
        PyInt::from_i64(ts, band)?,
    ];
    structseq::make(ts, &STRUCT_SIGINFO, &values)
}

fn sigwaitinfo(ts: &ThreadState, _: &PyObject, set: &PyObject) -> PyResult {
    let set = signal_set(ts, set)?;
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: the set is whole, the call fills the information.
    system::call(ts, || unsafe { libc::sigwaitinfo(&raw const set, info.as_mut_ptr()) })?;
    // SAFETY: it has been filled.
    siginfo_object(ts, &unsafe { info.assume_init() })
}

fn sigtimedwait(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "sigtimedwait", args.len(), 2, 2)?;
    let set = signal_set(ts, args[0])?;
    let timeout = convert::nanoseconds(ts, args[1], Round::Ceiling)?;
    if timeout < 0 {
        return raise!(ts, exc::ValueError, "timeout must be non-negative");
    }
    let end = super::time::monotonic(ts)?.saturating_add(timeout);
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let mut rest = timeout;
    loop {
        let wait = convert::to_timespec(rest);
        // SAFETY: the set and the time are whole, the call fills the information.
        let (status, error) = blocking(ts, || unsafe {
            let status = libc::sigtimedwait(&raw const set, info.as_mut_ptr(), &raw const wait);
            (status, errno())
        });
        if status >= 0 {
            // SAFETY: it has been filled.
            return siginfo_object(ts, &unsafe { info.assume_init() });
        }
        match error {
            libc::EAGAIN => return Ok(ts.none()),
            libc::EINTR => pending::signals(ts)?,
            error => return Err(os_error(ts, error)),
        }
        rest = end - super::time::monotonic(ts)?;
        if rest < 0 {
            return Ok(none().new_ref());
        }
    }
}

fn valid_signals(ts: &ThreadState, _: &PyObject) -> PyResult {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the call fills the set.
    let set = unsafe {
        libc::sigfillset(set.as_mut_ptr());
        set.assume_init()
    };
    set_object(ts, &set)
}
