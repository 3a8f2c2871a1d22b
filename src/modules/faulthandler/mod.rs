//! `faulthandler`: the Python stack at a crash, at a signal, after a time, or now.
//!
//! | file | what |
//! |---|---|
//! | `fatal` | the signals of crashes: `enable` |
//! | `later` | a thread that waits: `dump_traceback_later` |
//! | `user` | other signals: `register` |
//!
//! Signals belong to the process, so what their handlers need lies in statics. The file objects whose descriptors are
//! written to are kept alive in the interpreter. A handler neither allocates nor waits, and runs on a stack of its own.

mod crash;
mod fatal;
mod later;
mod user;

use core::ffi::c_int;
use core::fmt::Write;
use core::sync::atomic::Ordering;

use crate::config::output::Output;
use crate::id;
use crate::lifecycle::stacks;
use crate::modules::ModuleSpec;
use crate::modules::posix::system::{self, parse};
use crate::object::{Args, AsObject, MethodDef, PyObject, PyRef, PyResult, call, protocol};
use crate::raise;
use crate::state::{InterpreterState, Runtime, ThreadState};
use crate::types::bool::py_bool;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::str::PyStr;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "faulthandler",
    doc: "The Python stack at a crash, at a signal, or after a time.",
    methods: &[
        MethodDef::keywords(
            "enable",
            fatal::enable,
            "enable($module, file=sys.stderr, all_threads=True, c_stack=True)\n--\n\nShow the stacks at a crash.",
        ),
        MethodDef::no_args(
            "disable",
            |ts, _| Ok(py_bool(fatal::disable(ts))),
            "disable($module, /)\n--\n\nDo nothing at a crash any more; whether something was done.",
        ),
        MethodDef::no_args(
            "is_enabled",
            |_, _| Ok(py_bool(fatal::is_enabled())),
            "is_enabled($module, /)\n--\n\nWhether the stacks are shown at a crash.",
        ),
        MethodDef::keywords(
            "dump_traceback",
            dump_traceback,
            "dump_traceback($module, file=sys.stderr, all_threads=True)\n--\n\nShow the stacks now.",
        ),
        MethodDef::keywords(
            "dump_c_stack",
            dump_c_stack,
            "dump_c_stack($module, file=sys.stderr)\n--\n\nShow the native stack of this thread now.",
        ),
        MethodDef::keywords(
            "dump_traceback_later",
            later::start,
            "dump_traceback_later($module, timeout, repeat=False, file=sys.stderr, exit=False)\n--\n\n\
             Show all stacks after so many seconds, or each time they have passed.",
        ),
        MethodDef::no_args(
            "cancel_dump_traceback_later",
            |ts, _| {
                later::cancel(ts);
                Ok(ts.none())
            },
            "cancel_dump_traceback_later($module, /)\n--\n\nTake dump_traceback_later back.",
        ),
        MethodDef::keywords(
            "register",
            user::register,
            "register($module, signum, file=sys.stderr, all_threads=True, chain=False)\n--\n\n\
             Show the stacks whenever a signal comes.",
        ),
        MethodDef::one(
            "unregister",
            user::unregister,
            "unregister($module, signum, /)\n--\n\nTake register back; whether there was something to take back.",
        ),
        MethodDef::no_args("_read_null", crash::read_null, "_read_null($module, /)\n--\n\nRead from address 0."),
        MethodDef::positional(
            "_sigsegv",
            crash::sigsegv,
            "_sigsegv($module, release_gil=False, /)\n--\n\nRaise SIGSEGV.",
        ),
        MethodDef::no_args("_sigabrt", crash::sigabrt, "_sigabrt($module, /)\n--\n\nRaise SIGABRT."),
        MethodDef::no_args("_sigfpe", crash::sigfpe, "_sigfpe($module, /)\n--\n\nRaise SIGFPE."),
        MethodDef::no_args(
            "_fatal_error_c_thread",
            crash::fatal_error_in_thread,
            "_fatal_error_c_thread($module, /)\n--\n\nMake a fatal error in a new thread that Python does not know.",
        ),
        MethodDef::no_args(
            "_stack_overflow",
            crash::stack_overflow,
            "_stack_overflow($module, /)\n--\n\nUse up the native stack.",
        ),
    ],
    ..ModuleSpec::EMPTY
};

/// `-X faulthandler`: enables it at the start of an interpreter.
pub fn start(ts: &ThreadState) -> PyResult<()> {
    let module = crate::import::import_module(ts, "faulthandler")?;
    protocol::call_named(ts, &module, "enable", &[]).map(drop)
}

/// Gives signals and thread back, at the end of the main interpreter.
pub fn finish(ts: &ThreadState) {
    later::cancel(ts);
    user::unregister_all();
    fatal::disable(ts);
}

/// Where to write: the descriptor, and the object to be kept alive.
struct Target {
    fd: c_int,
    file: Option<PyRef>,
}

/// A `file` argument: None is `sys.stderr`, an int a descriptor, anything else has `fileno` and is flushed.
fn target(ts: &ThreadState, file: Option<&PyObject>) -> PyResult<Target> {
    let file = match file.filter(|file| !is_none(file)) {
        Some(file) => file.new_ref(),
        None => {
            let stderr = match ts.interp().sys_dict.get() {
                Some(sys) => sys.get_str(ts, id!(stderr))?,
                None => None,
            };
            match stderr {
                None => return raise!(ts, exc::RuntimeError, "unable to get sys.stderr"),
                Some(stderr) if is_none(&stderr) => return raise!(ts, exc::RuntimeError, "sys.stderr is None"),
                Some(stderr) => stderr,
            }
        }
    };
    if file.is_a::<PyInt>() {
        let fd = protocol::as_i32(ts, &file)?;
        if fd < 0 {
            return raise!(ts, exc::ValueError, "file is not a valid file descripter");
        }
        return Ok(Target { fd, file: None });
    }
    let number = call::call_method(ts, &file, id!(fileno), &[])?;
    let fd = match number.downcast::<PyInt>().and_then(PyInt::as_i64).and_then(|fd| c_int::try_from(fd).ok()) {
        Some(fd) if fd >= 0 => fd,
        _ => return raise!(ts, exc::RuntimeError, "file.fileno() is not a valid file descriptor"),
    };
    if let Err(raised) = call::call_method(ts, &file, id!(flush), &[]) {
        // What is in the file's buffer then comes after the stacks.
        ts.clear_raised(raised);
    }
    Ok(Target { fd, file: Some(file) })
}

/// Keeps a file alive under a name, or lets the last one of the name go.
fn keep(ts: &ThreadState, name: &str, file: Option<PyRef>) -> PyResult<()> {
    let interp = ts.interp();
    let all = match interp.native_state.get() {
        Some(all) => all,
        None if file.is_none() => return Ok(()),
        None => {
            let all = PyDict::new(ts)?;
            interp.native_state.set(Some(all.clone()));
            all
        }
    };
    let mut key = crate::types::str::StrBuilder::new();
    key.push_str("faulthandler.")?;
    key.push_str(name)?;
    let key: crate::object::Ref<PyStr> = key.finish(ts)?;
    match file {
        Some(file) => all.set_str(ts, &key, &file),
        None => all.remove_str(ts, &key).map(drop),
    }
}

/// The main interpreter, for a thread that has none.
fn main_interpreter<'a>() -> Option<&'a InterpreterState> {
    // SAFETY: the main interpreter lives while the pointer is set; the handlers are gone before it ends.
    unsafe { Runtime::get().main_interpreter.load(Ordering::Acquire).as_ref() }
}

/// The calling thread's state, also while it waits without the GIL: a signal may come then.
fn this_thread<'a>() -> Option<&'a ThreadState> {
    if let Some(ts) = ThreadState::try_current() {
        return Some(ts);
    }
    let own = crate::sync::thread_ident();
    let mut at = main_interpreter()?.threads.get().cast_const();
    // SAFETY: thread states are linked as long as they live, and the calling thread's own does.
    while let Some(ts) = unsafe { at.as_ref() } {
        if ts.thread_id.get() == own {
            return Some(ts);
        }
        at = ts.next.get();
    }
    None
}

/// Writes the stacks of all threads, or of the calling one.
fn write_stacks(out: &mut Output, all_threads: bool) {
    let current = this_thread();
    // A text that cannot be written has nobody to be told of.
    let _ = match current.map(ThreadState::interp).or_else(main_interpreter) {
        Some(interp) if all_threads => stacks::write_threads(out, interp, current),
        _ => stacks::write_stack(out, current),
    };
    out.flush();
}

fn dump_traceback(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [file, all_threads] = parse!(ts, args, "dump_traceback", ["file", "all_threads"], 0, 2, 0);
    let target = target(ts, file)?;
    let all = all_threads.map_or(Ok(true), |all| protocol::is_true(ts, all))?;
    write_stacks(&mut Output::descriptor(target.fd), all);
    Ok(ts.none())
}

fn dump_c_stack(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [file] = parse!(ts, args, "dump_c_stack", ["file"], 0, 1, 0);
    let target = target(ts, file)?;
    write_native_stack(&mut Output::descriptor(target.fd));
    Ok(ts.none())
}

/// More native frames are not shown.
const MOST_NATIVE_FRAMES: usize = 32;

unsafe extern "C" {
    fn backtrace(buffer: *mut *mut core::ffi::c_void, size: c_int) -> c_int;
}

/// The first call of `backtrace` loads a library, which a handler cannot do: it is made when a handler is set up.
fn prepare_native_stack() {
    let mut first = [core::ptr::null_mut(); 1];
    // SAFETY: the buffer has room for one address.
    unsafe { backtrace(first.as_mut_ptr(), 1) };
}

/// Writes the calling thread's native stack.
fn write_native_stack(out: &mut Output) {
    let mut addresses = [core::ptr::null_mut(); MOST_NATIVE_FRAMES];
    // SAFETY: the buffer has room for so many addresses.
    let count = unsafe { backtrace(addresses.as_mut_ptr(), MOST_NATIVE_FRAMES as c_int) };
    // As above: a text that cannot be written has nobody to be told of.
    let _ = write_native_frames(out, &addresses[..count.max(0) as usize]);
    out.flush();
}

fn write_native_frames(out: &mut Output, addresses: &[*mut core::ffi::c_void]) -> core::fmt::Result {
    out.write_str("Current thread's C stack trace (most recent call first):\n")?;
    for address in addresses {
        let mut info = core::mem::MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: the struct is zeroed, and filled in when the address is known; its texts belong to the loader.
        let info = unsafe {
            libc::dladdr(*address, info.as_mut_ptr());
            info.assume_init()
        };
        out.write_str("  Binary file \"")?;
        let text = |pointer: *const core::ffi::c_char| {
            // SAFETY: as above.
            (!pointer.is_null()).then(|| unsafe { core::ffi::CStr::from_ptr(pointer) }.to_bytes())
        };
        out.write_bytes(text(info.dli_fname).unwrap_or(b"<unknown>"));
        out.write_str("\"")?;
        match text(info.dli_sname) {
            Some(name) => {
                out.write_str(", at ")?;
                out.write_bytes(name);
                write!(out, "+0x{:x}", address.addr() - info.dli_saddr.addr())?;
            }
            None if !info.dli_fbase.is_null() => write!(out, ", at +0x{:x}", address.addr() - info.dli_fbase.addr())?,
            None => {}
        }
        writeln!(out, " [0x{:x}]", address.addr())?;
    }
    Ok(())
}

/// What a handler must leave as it found it.
struct SavedErrno(c_int);

impl SavedErrno {
    fn new() -> SavedErrno {
        SavedErrno(system::errno())
    }
}

impl Drop for SavedErrno {
    fn drop(&mut self) {
        system::set_errno(self.0);
    }
}

/// The attribute of `_signal` is not asked: whether a number is one of a signal.
fn signal_number(ts: &ThreadState, number: &PyObject) -> PyResult<c_int> {
    let number = protocol::as_i32(ts, number)?;
    if fatal::SIGNALS.iter().any(|(fatal, _)| *fatal == number) {
        return raise!(ts, exc::RuntimeError, "signal {number} cannot be registered, use enable() instead");
    }
    if !(1..=64).contains(&number) {
        return raise!(ts, exc::ValueError, "signal number out of range");
    }
    Ok(number)
}
