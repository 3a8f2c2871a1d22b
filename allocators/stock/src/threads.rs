//! The heap of a thread: made or adopted when the thread first allocates, abandoned when it ends.
//!
//! ```text
//!   MEMBERS ─► member ─► member ─► member        never taken off: a heap lives as long as the process
//!              heap, OWNED by a thread, or ABANDONED
//! ```
//!
//! Invariants:
//! - H1: a heap that is `OWNED` is attached to one thread, or being tidied up by one, or its thread did not survive a fork.
//! - H2: who makes a heap `ABANDONED` has left it, with `Release`, and who makes it `OWNED` again does so with `Acquire`:
//!   what the one did to the heap, the other sees.

use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, Ordering};
use std::cell::{Cell, UnsafeCell};

use domains::{Heap, HeapKind, after_fork_child, after_fork_parent, attach_heap, before_fork, set_arena_observer};

use crate::census::Counters;
use crate::python::Python;

const ABANDONED: u8 = 0;
const OWNED: u8 = 1;

/// A heap, and what belongs to it.
pub(crate) struct Member {
    heap: *mut Heap,
    state: AtomicU8,
    /// Written by the owner only.
    pub(crate) counters: Counters,
    next: *const Member,
}

static MEMBERS: AtomicPtr<Member> = AtomicPtr::new(ptr::null_mut());

std::thread_local! {
    static MEMBER: Cell<*const Member> = const { Cell::new(ptr::null()) };
}

struct Setting(UnsafeCell<MaybeUninit<(HeapKind, Python)>>);
// SAFETY: written once, before there is a second thread.
unsafe impl Sync for Setting {}
static SETTING: Setting = Setting(UnsafeCell::new(MaybeUninit::uninit()));
static KEY: AtomicU32 = AtomicU32::new(0);
static ALONE: AtomicBool = AtomicBool::new(false);

fn setting() -> (HeapKind, Python) {
    // SAFETY: `start` has written it before anybody allocates or forks.
    unsafe { (*SETTING.0.get()).assume_init() }
}

/// Says what heaps are like, and what is to be done at the end of a thread and around a fork. False if the system does
/// not let it. Before `main`, once.
pub(crate) fn start(kind: HeapKind, python: Python) -> bool {
    // SAFETY: nobody reads it yet.
    unsafe { (*SETTING.0.get()).write((kind, python)) };
    let mut key = 0;
    // SAFETY: the functions have C's convention and live as long as the process.
    unsafe {
        if libc::pthread_key_create(&raw mut key, Some(leave)) != 0
            || libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) != 0
        {
            return false;
        }
    }
    KEY.store(key, Ordering::Release);
    set_arena_observer(Some(tidy_up));
    true
}

/// All heaps that there are.
pub(crate) fn members() -> impl Iterator<Item = &'static Member> {
    let mut at = MEMBERS.load(Ordering::Acquire).cast_const();
    core::iter::from_fn(move || {
        // SAFETY: members live for ever.
        let member = unsafe { at.as_ref() }?;
        at = member.next;
        Some(member)
    })
}

impl Member {
    pub(crate) fn is_abandoned(&self) -> bool {
        self.state.load(Ordering::Relaxed) == ABANDONED
    }

    /// Makes an abandoned heap the caller's (H2). False if it was not abandoned.
    fn adopt(&self) -> bool {
        self.state.compare_exchange(ABANDONED, OWNED, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    fn abandon(&self) {
        self.state.store(ABANDONED, Ordering::Release);
    }

    fn heap(&self) -> &Heap {
        // SAFETY: no heap is destroyed.
        unsafe { &*self.heap }
    }
}

/// The calling thread's, if it has one.
#[inline]
pub(crate) fn member() -> Option<&'static Member> {
    // SAFETY: members live for ever.
    unsafe { MEMBER.get().as_ref() }
}

/// Gives the thread a heap: one that was abandoned, or a new one. False if there is no memory for it.
#[cold]
#[inline(never)]
pub(crate) fn attach() -> bool {
    let Some(found) = members().find(|member| member.adopt()).or_else(make) else {
        return false;
    };
    let at: *const Member = found;
    // SAFETY: the key was made by `start`.
    let noted = unsafe { libc::pthread_setspecific(KEY.load(Ordering::Acquire), at.cast()) } == 0;
    // Nobody would see the end of the thread. The C library had no memory for the key.
    if !noted {
        found.abandon();
        return false;
    }
    MEMBER.set(at);
    attach_heap(found.heap);
    true
}

fn make() -> Option<&'static Member> {
    let heap = Heap::new(setting().0).ok()?;
    // SAFETY: plain allocation; the result is tested.
    let at = unsafe { libc::calloc(1, size_of::<Member>()) }.cast::<Member>();
    if at.is_null() {
        // The heap goes on no list that others use: nobody has a block of it, so it may go.
        // SAFETY: just made.
        unsafe { Heap::destroy(heap) };
        return None;
    }
    // SAFETY: fresh, aligned to 16, large enough; zeros are counters that counted nothing.
    unsafe {
        (&raw mut (*at).heap).write(heap.as_ptr());
        (&raw mut (*at).state).write(AtomicU8::new(OWNED));
        let mut head = MEMBERS.load(Ordering::Relaxed);
        loop {
            (&raw mut (*at).next).write(head);
            match MEMBERS.compare_exchange_weak(head, at, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return Some(&*at),
                Err(now) => head = now,
            }
        }
    }
}

/// The end of a thread. If it allocates once more, in another destructor, it gets a heap again, and comes here again.
unsafe extern "C" fn leave(at: *mut c_void) {
    // SAFETY: what `attach` has noted.
    let member = unsafe { &*at.cast::<Member>() };
    MEMBER.set(ptr::null());
    member.heap().collect();
    attach_heap(ptr::null_mut());
    member.abandon();
}

/// A heap needs a new arena: those that nobody has give back first what others have freed of them.
fn tidy_up(_: &Heap) {
    for member in members() {
        if member.is_abandoned() && member.heap().has_foreign() && member.adopt() {
            member.heap().collect();
            member.abandon();
        }
    }
}

/* ---- Fork ---- */

unsafe extern "C" fn prepare() {
    ALONE.store(setting().1.is_alone(), Ordering::Relaxed);
    before_fork();
}

unsafe extern "C" fn parent() {
    after_fork_parent();
}

/// In the child the other threads are gone. Their heaps are whole if none of those threads was in one; otherwise nobody
/// gets them, and they only keep what they hold.
unsafe extern "C" fn child() {
    after_fork_child();
    if ALONE.load(Ordering::Relaxed) {
        let own = MEMBER.get();
        for member in members().filter(|member| !ptr::eq(*member, own)) {
            member.abandon();
        }
    }
}
