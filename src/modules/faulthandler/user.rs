//! `register`: signals at which the stacks are shown, and the program goes on.

use core::cell::UnsafeCell;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicI32, AtomicU8, Ordering};

use super::{SavedErrno, keep, signal_number, target, write_stacks};
use crate::config::output::Output;
use crate::modules::posix::system::{self, parse};
use crate::object::{Args, PyObject, PyResult, protocol};
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;

/// The handler is ours.
const TAKEN: u8 = 1;
const ALL_THREADS: u8 = 2;
/// What the signal did before is done as well.
const CHAIN: u8 = 4;

/// One signal.
struct Entry {
    bits: AtomicU8,
    fd: AtomicI32,
    previous: UnsafeCell<MaybeUninit<libc::sigaction>>,
}
// SAFETY: `previous` is written, under the GIL, before `TAKEN` is set, and only read while it is.
unsafe impl Sync for Entry {}

const NUMBERS: usize = 65;
static ENTRIES: [Entry; NUMBERS] = [const {
    Entry { bits: AtomicU8::new(0), fd: AtomicI32::new(-1), previous: UnsafeCell::new(MaybeUninit::uninit()) }
}; NUMBERS];

fn action(chain: bool) -> libc::sigaction {
    // SAFETY: all bits zero are an action; the fields that matter are filled in.
    unsafe {
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = handler as extern "C" fn(c_int) as usize;
        libc::sigemptyset(&raw mut action.sa_mask);
        // What comes next in the chain is raised from inside the handler.
        action.sa_flags = libc::SA_ONSTACK | if chain { libc::SA_NODEFER } else { libc::SA_RESTART };
        action
    }
}

pub(super) fn register(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [number, file, all_threads, chain] =
        parse!(ts, args, "register", ["signum", "file", "all_threads", "chain"], 0, 4, 1);
    let Some(number) = number else {
        return crate::raise!(ts, exc::TypeError, "register() missing required argument 'signum' (pos 1)");
    };
    let number = signal_number(ts, number)?;
    let target = target(ts, file)?;
    let all = all_threads.map_or(Ok(true), |all| protocol::is_true(ts, all))?;
    let chain = chain.map_or(Ok(false), |chain| protocol::is_true(ts, chain))?;
    let entry = &ENTRIES[number as usize];
    let mut text = hognose_allocators::TryString::new();
    core::fmt::write(&mut text, format_args!("{number}")).map_err(|_| hognose_allocators::NoMemory)?;
    keep(ts, text.as_str(), target.file)?;
    entry.fd.store(target.fd, Ordering::Release);
    let bits = TAKEN | if all { ALL_THREADS } else { 0 } | if chain { CHAIN } else { 0 };
    if entry.bits.load(Ordering::Acquire) & TAKEN == 0 {
        let new = action(chain);
        // SAFETY: the entry is nobody's, so its place may be written; the action is whole.
        let status = unsafe { libc::sigaction(number, &raw const new, (*entry.previous.get()).as_mut_ptr()) };
        if status != 0 {
            return Err(system::os_error(ts, system::errno()));
        }
    }
    entry.bits.store(bits, Ordering::Release);
    Ok(ts.none())
}

fn give_back(number: usize) -> bool {
    let entry = &ENTRIES[number];
    if entry.bits.swap(0, Ordering::AcqRel) & TAKEN == 0 {
        return false;
    }
    // SAFETY: the bit said that the place is written.
    unsafe { libc::sigaction(number as c_int, (*entry.previous.get()).as_ptr(), core::ptr::null_mut()) };
    true
}

pub(super) fn unregister(ts: &ThreadState, _: &PyObject, number: &PyObject) -> PyResult {
    let number = signal_number(ts, number)?;
    let was = give_back(number as usize);
    let mut text = hognose_allocators::TryString::new();
    core::fmt::write(&mut text, format_args!("{number}")).map_err(|_| hognose_allocators::NoMemory)?;
    keep(ts, text.as_str(), None)?;
    Ok(py_bool(was))
}

pub(super) fn unregister_all() {
    for number in 1..NUMBERS {
        give_back(number);
    }
}

extern "C" fn handler(number: c_int) {
    let saved = SavedErrno::new();
    let Some(entry) = usize::try_from(number).ok().and_then(|number| ENTRIES.get(number)) else { return };
    let bits = entry.bits.load(Ordering::Acquire);
    if bits & TAKEN == 0 {
        return;
    }
    write_stacks(&mut Output::descriptor(entry.fd.load(Ordering::Acquire)), bits & ALL_THREADS != 0);
    drop(saved);
    if bits & CHAIN != 0 {
        let _errno = SavedErrno::new();
        let own = action(true);
        // SAFETY: the entry's previous action was written before the bit was set. It gets the signal, then ours is
        // put back.
        unsafe {
            libc::sigaction(number, (*entry.previous.get()).as_ptr(), core::ptr::null_mut());
            libc::raise(number);
            libc::sigaction(number, &raw const own, core::ptr::null_mut());
        }
    }
}
