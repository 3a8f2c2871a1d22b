//! The signals of crashes: their handler shows the stacks, gives the signal back to whom it had before, and raises it
//! again.

use core::cell::UnsafeCell;
use core::ffi::c_int;
use core::fmt::Write;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

use super::{SavedErrno, keep, main_interpreter, prepare_native_stack, target, write_native_stack, write_stacks};
use crate::config::output::Output;
use crate::lifecycle::stacks;
use crate::modules::posix::system::{self, parse};
use crate::object::{Args, PyObject, PyResult, protocol};
use crate::state::ThreadState;

/// The signals, and their names; SIGSEGV is the most important one and comes last, as in CPython.
pub(super) const SIGNALS: [(c_int, &str); 5] = [
    (libc::SIGBUS, "Bus error"),
    (libc::SIGILL, "Illegal instruction"),
    (libc::SIGFPE, "Floating-point exception"),
    (libc::SIGABRT, "Aborted"),
    (libc::SIGSEGV, "Segmentation fault"),
];

static ENABLED: AtomicBool = AtomicBool::new(false);
static FD: AtomicI32 = AtomicI32::new(-1);
static ALL_THREADS: AtomicBool = AtomicBool::new(true);
static NATIVE_STACK: AtomicBool = AtomicBool::new(true);
/// Bit n: the n-th signal's action is ours.
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// What the signals did before.
struct Previous(UnsafeCell<[MaybeUninit<libc::sigaction>; SIGNALS.len()]>);
// SAFETY: a place is written before its bit in `TAKEN` is set, and read by who takes the bit away.
unsafe impl Sync for Previous {}
static PREVIOUS: Previous = Previous(UnsafeCell::new([const { MaybeUninit::uninit() }; SIGNALS.len()]));

pub(super) fn is_enabled() -> bool {
    ENABLED.load(Ordering::Acquire)
}

pub(super) fn enable(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [file, all_threads, native] = parse!(ts, args, "enable", ["file", "all_threads", "c_stack"], 0, 3, 0);
    let target = target(ts, file)?;
    let all = all_threads.map_or(Ok(true), |all| protocol::is_true(ts, all))?;
    let native = native.map_or(Ok(true), |native| protocol::is_true(ts, native))?;
    keep(ts, "fatal", target.file)?;
    FD.store(target.fd, Ordering::Release);
    ALL_THREADS.store(all, Ordering::Release);
    NATIVE_STACK.store(native, Ordering::Release);
    if !ENABLED.swap(true, Ordering::AcqRel) {
        prepare_native_stack();
        install_stack();
        for (index, (number, _)) in SIGNALS.iter().enumerate() {
            if let Err(errno) = take(index, *number) {
                disable(ts);
                return Err(system::os_error(ts, errno));
            }
        }
    }
    Ok(ts.none())
}

/// Puts our handler in; the error number of what failed.
fn take(index: usize, number: c_int) -> Result<(), c_int> {
    // SAFETY: the action is zeroed and then filled in; the place is nobody's as its bit is not set.
    unsafe {
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = handler as extern "C" fn(c_int) as usize;
        libc::sigemptyset(&raw mut action.sa_mask);
        // The signal is raised again from the handler; a stack that has overflowed cannot be used.
        action.sa_flags = libc::SA_NODEFER | libc::SA_ONSTACK;
        let place = (*PREVIOUS.0.get())[index].as_mut_ptr();
        if libc::sigaction(number, &raw const action, place) != 0 {
            return Err(system::errno());
        }
    }
    TAKEN.fetch_or(1 << index, Ordering::AcqRel);
    Ok(())
}

/// Gives a signal back.
fn give_back(index: usize, number: c_int) {
    if TAKEN.fetch_and(!(1 << index), Ordering::AcqRel) & (1 << index) != 0 {
        // SAFETY: the bit says that the place was written, and is now ours alone.
        unsafe { libc::sigaction(number, (*PREVIOUS.0.get())[index].as_ptr(), core::ptr::null_mut()) };
    }
}

/// Takes it back; whether it was enabled.
pub(super) fn disable(ts: &ThreadState) -> bool {
    let was = ENABLED.swap(false, Ordering::AcqRel);
    if was {
        for (index, (number, _)) in SIGNALS.iter().enumerate() {
            give_back(index, *number);
        }
        if let Err(raised) = keep(ts, "fatal", None) {
            // The file stays open until the interpreter ends.
            ts.clear_raised(raised);
        }
    }
    was
}

/// The stack on which the handlers run in the thread that enables them: one that has used up its own still has it.
const STACK_SIZE: usize = 64 * 1024;
struct Stack(UnsafeCell<[u8; STACK_SIZE]>);
// SAFETY: only the system writes to it, while a handler runs in the one thread that it was given to.
unsafe impl Sync for Stack {}
static STACK: Stack = Stack(UnsafeCell::new([0; STACK_SIZE]));

fn install_stack() {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if INSTALLED.swap(true, Ordering::AcqRel) {
        return;
    }
    let stack = libc::stack_t { ss_sp: STACK.0.get().cast(), ss_flags: 0, ss_size: STACK_SIZE };
    // SAFETY: the static lives for ever, and is given to one thread, once. Without it an overflow of the stack is not
    // shown, which is all that a failure means.
    unsafe { libc::sigaltstack(&raw const stack, core::ptr::null_mut()) };
}

extern "C" fn handler(number: c_int) {
    let _errno = SavedErrno::new();
    let Some(index) = SIGNALS.iter().position(|(known, _)| *known == number) else { return };
    give_back(index, number);
    let fd = FD.load(Ordering::Acquire);
    let mut out = Output::descriptor(fd);
    // A text that cannot be written has nobody to be told of.
    let _ = write!(out, "Fatal Python error: {}\n\n", SIGNALS[index].1);
    out.flush();
    write_stacks(&mut out, ALL_THREADS.load(Ordering::Acquire));
    if let Some(interp) = ThreadState::try_current().map(ThreadState::interp).or_else(main_interpreter) {
        let _ = stacks::write_extension_modules(&mut out, interp);
        out.flush();
    }
    if NATIVE_STACK.load(Ordering::Acquire) {
        let _ = out.write_str("\n");
        write_native_stack(&mut out);
    }
    drop(out);
    // SAFETY: the signal goes to whom it had before, and, if that one lets it pass, has its default effect.
    unsafe {
        libc::raise(number);
        libc::signal(number, libc::SIG_DFL);
        libc::raise(number);
    }
}
