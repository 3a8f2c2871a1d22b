//! The hook stack: allocators that are pushed over a domain's, and popped again, while other threads allocate.
//!
//! [`set_allocator`](crate::set_allocator) can only exchange tables: nobody knows whether a call is still inside a
//! function that was replaced, or whether somebody else has put a table of his over it meanwhile. A pushed hook is called
//! through a *gate*, which knows both:
//!
//! ```text
//!   EFFECTIVE[raw] ──► Table ──ctx──► Gate { state, inside } ──► the hook's functions, its ctx
//!                                       └─ closed ─────────────► the table below
//! ```
//!
//! A call enters (`inside` + 1), looks at `state`, and leaves. So when a gate is closed and `inside` has come to zero, no
//! thread is in the hook's functions and none will come: what they use may be freed. A reader that still has an old table
//! finds the gate closed and goes to the table below.
//!
//! Invariants:
//! - S1: a gate's hook and `below` change only while its state is `CLOSED`, `inside` was zero since, and it is not
//!   pinned; so a call that finds it open finds them whole.
//! - S2: a gate that somebody may call from outside the stack (a copy of its table was handed out, or another table
//!   refers to it) is pinned: it is used again only for the same hook over the same table, or two gates could come to
//!   lie one over the other in a ring.

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_void};
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};

use crate::domain::{Domain, PyMemAllocatorEx};
use crate::table::{self, Table, WRITER};

/// `size_t (*)(void *ctx)`: how many blocks of a hook's own live.
pub type LiveBlocksFn = unsafe extern "C" fn(*mut c_void) -> usize;

/// Stands for a pushed hook.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HookToken {
    gate: usize,
    serial: u64,
}

impl HookToken {
    /// The token as two numbers, for C.
    #[must_use]
    pub fn to_words(self) -> [u64; 2] {
        [self.gate as u64, self.serial]
    }

    /// A token from its two numbers; whether it stands for a hook is found out when it is used.
    #[must_use]
    pub fn from_words(words: [u64; 2]) -> Self {
        Self { gate: words[0] as usize, serial: words[1] }
    }
}

/// Why a hook was not pushed or not popped. In each case everything is as before, but for [`HookError::Busy`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HookError {
    /// No memory for the gate or its table.
    NoMemory,
    /// The token stands for no hook: it was popped already, or never pushed.
    Unknown,
    /// Another allocator or the debug hooks lie over the hook, and would go on calling it.
    NotOnTop,
    /// Blocks live that only the hook can free.
    BlocksLive,
    /// Calls are inside the hook's functions and did not return in a second. A hook without blocks of its own is off
    /// the stack and gets no new calls, but what it uses must stay; popping it again waits again.
    Busy,
}

impl HookError {
    /// The message.
    #[must_use]
    pub const fn as_c_str(self) -> &'static CStr {
        match self {
            Self::NoMemory => c"no memory for the hook",
            Self::Unknown => c"the token stands for no hook: it was popped already, or never pushed",
            Self::NotOnTop => c"another allocator lies over the hook; remove that first",
            Self::BlocksLive => c"blocks live that only the hook can free",
            Self::Busy => c"calls are still inside the hook; pop it again later, and free nothing of it before",
        }
    }
}

impl fmt::Display for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_c_str().to_str().unwrap_or("hook error"))
    }
}

impl core::error::Error for HookError {}

const OPEN: usize = 0;
/// New blocks come from below, what is there is still the hook's.
const CLOSING: usize = 1;
const CLOSED: usize = 2;

#[derive(Clone, Copy)]
struct Hook {
    functions: PyMemAllocatorEx,
    live_blocks: Option<LiveBlocksFn>,
}

/// See the module. Lives for ever. Two cache lines, so that two gates do not share one.
#[repr(align(128))]
struct Gate {
    inside: AtomicUsize,
    state: AtomicUsize,
    below: AtomicPtr<Table>,
    hook: UnsafeCell<Hook>,
    domain: Domain,
    pinned: AtomicBool,
    /// Which push it is; 0 when the gate is not in use.
    serial: AtomicU64,
    next: *const Gate,
}

// SAFETY: `hook` is written only as S1 says, when nobody reads it; all else is atomic or never changes. Who pushes a hook
// promises that its functions may be called from any thread.
unsafe impl Sync for Gate {}

const FIRST: usize = 16;
struct Pool(UnsafeCell<[MaybeUninit<Gate>; FIRST]>);
// SAFETY: slots are written once, under the writer's lock, before a pointer to them is published.
unsafe impl Sync for Pool {}
static POOL: Pool = Pool(UnsafeCell::new([const { MaybeUninit::uninit() }; FIRST]));
static POOL_USED: AtomicUsize = AtomicUsize::new(0);
/// All gates, newest first.
static GATES: AtomicPtr<Gate> = AtomicPtr::new(ptr::null_mut());
static SERIAL: AtomicU64 = AtomicU64::new(1);

/// Puts a hook over a domain's allocator, at any time and from any thread.
///
/// A function that is `None` is passed on to the allocator below. `below`, if not null, gets that allocator before the
/// first call reaches the hook; the copy is good until the hook is popped. `live_blocks` is `None` for a hook that only looks at the calls, or changes them, and
/// whose blocks the allocator below can free; a hook with blocks of its own says how many of them live, and passes blocks
/// that are not its own on to the one below, in `realloc` too.
///
/// Fails with [`HookError::NoMemory`].
///
/// # Safety
/// The functions fulfil the contract of an allocator, from any thread, until the hook is popped; `below` is null or has
/// room for a table.
pub unsafe fn push_allocator(
    domain: Domain,
    functions: PyMemAllocatorEx,
    live_blocks: Option<LiveBlocksFn>,
    below: *mut PyMemAllocatorEx,
) -> Result<HookToken, HookError> {
    let mut writer = WRITER.lock();
    let top = table::logical(domain);
    let hook = Hook { functions, live_blocks };
    let gate = find(domain, &hook, top).or_else(|| make(domain, hook, top)).ok_or(HookError::NoMemory)?;
    let table = table::try_intern(&mut writer, table_of(gate)).ok_or(HookError::NoMemory)?;
    if !below.is_null() {
        // SAFETY: the caller's promise.
        unsafe { below.write(top.given) };
    }
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    gate.serial.store(serial, Ordering::Relaxed);
    gate.state.store(OPEN, Ordering::SeqCst);
    table::install(&mut writer, domain, table.given);
    Ok(HookToken { gate: ptr::from_ref(gate) as usize, serial })
}

/// Takes a hook away, at any time and from any thread, but not from inside the hook's own functions. After success no
/// thread is in them and none will come.
///
/// Waits for calls that are inside; a hook that waits for something that the calling thread holds (a lock, the GIL) gives
/// [`HookError::Busy`]. See there for the other reasons.
pub fn pop_allocator(token: HookToken) -> Result<(), HookError> {
    let gate = gate_of(token).ok_or(HookError::Unknown)?;
    let on_top = || ptr::eq(table::logical(gate.domain).ctx, ptr::from_ref(gate).cast());
    {
        let writer = WRITER.lock();
        if gate.state.load(Ordering::SeqCst) == CLOSED {
            drop(writer);
            return leave(gate, token);
        }
        if !on_top() {
            return Err(HookError::NotOnTop);
        }
        // SAFETY: S1: the gate is in use, so its hook stays as it is.
        if let Some(live_blocks) = unsafe { (*gate.hook.get()).live_blocks } {
            let ctx = gate.context();
            // SAFETY: the pusher's promise.
            if unsafe { live_blocks(ctx) } != 0 {
                return Err(HookError::BlocksLive);
            }
            gate.state.store(CLOSING, Ordering::SeqCst);
        }
    }
    // Only what is closing is opened again: another thread may pop the same hook.
    let reopen = || gate.state.compare_exchange(CLOSING, OPEN, Ordering::SeqCst, Ordering::SeqCst);
    if gate.state.load(Ordering::SeqCst) == CLOSING && !drained(gate) {
        let _ = reopen();
        return Err(HookError::Busy);
    }
    {
        let mut writer = WRITER.lock();
        if gate.serial.load(Ordering::Acquire) != token.serial {
            return Err(HookError::Unknown);
        }
        if gate.state.load(Ordering::SeqCst) == CLOSED {
            drop(writer);
            return leave(gate, token);
        }
        let refused = if on_top() {
            // SAFETY: as above.
            let live_blocks = unsafe { (*gate.hook.get()).live_blocks };
            let ctx = gate.context();
            // SAFETY: the pusher's promise.
            live_blocks.filter(|f| unsafe { f(ctx) } != 0).map(|_| HookError::BlocksLive)
        } else {
            Some(HookError::NotOnTop)
        };
        if let Some(error) = refused {
            let _ = reopen();
            return Err(error);
        }
        gate.state.store(CLOSED, Ordering::SeqCst);
        table::install(&mut writer, gate.domain, gate.below().given);
    }
    leave(gate, token)
}

/// The last step of popping: nobody is inside any more.
fn leave(gate: &Gate, token: HookToken) -> Result<(), HookError> {
    if !drained(gate) {
        return Err(HookError::Busy);
    }
    // Of two threads that pop the same hook one is told so.
    let freed = gate.serial.compare_exchange(token.serial, 0, Ordering::AcqRel, Ordering::Relaxed);
    freed.map(drop).map_err(|_| HookError::Unknown)
}

/// Waits until no call is inside; false if that takes more than a second.
fn drained(gate: &Gate) -> bool {
    const PAUSES: u32 = 20_000;
    for round in 0..PAUSES {
        if gate.inside.load(Ordering::SeqCst) == 0 {
            return true;
        }
        if round < 64 {
            core::hint::spin_loop();
        } else if round < 1000 {
            // SAFETY: `sched_yield` has no preconditions.
            unsafe { libc::sched_yield() };
        } else {
            let pause = libc::timespec { tv_sec: 0, tv_nsec: 50_000 };
            // SAFETY: a valid time; what is left of it is not asked for.
            unsafe { libc::nanosleep(&raw const pause, ptr::null_mut()) };
        }
    }
    false
}

/// Notes that a table may be called from outside the stack from now on (S2), and with it what lies below it.
/// Under the writer's lock.
pub(crate) fn pin(table: &Table) {
    let mut at = table;
    while at.given.malloc.map(|f| f as usize) == Some(gate_malloc as *const () as usize) {
        // SAFETY: the context of a gate's table is the gate.
        let gate = unsafe { &*at.ctx.cast::<Gate>() };
        gate.pinned.store(true, Ordering::Relaxed);
        at = gate.below();
    }
}

/// In the child of a fork: the other threads, which may have been inside, are gone.
pub(crate) fn forget_threads_after_fork() {
    for gate in gates() {
        gate.inside.store(0, Ordering::SeqCst);
    }
}

/* ---- Gates ---- */

fn gates() -> impl Iterator<Item = &'static Gate> {
    let mut at = GATES.load(Ordering::Acquire).cast_const();
    core::iter::from_fn(move || {
        // SAFETY: the chain holds gates, which live for ever.
        let gate = unsafe { at.as_ref() }?;
        at = gate.next;
        Some(gate)
    })
}

fn gate_of(token: HookToken) -> Option<&'static Gate> {
    gates().find(|gate| {
        ptr::from_ref(*gate) as usize == token.gate
            && token.serial != 0
            && gate.serial.load(Ordering::Acquire) == token.serial
    })
}

/// A gate that is not in use and may become that of `hook` over `below`; it is made that.
fn find(domain: Domain, hook: &Hook, below: &'static Table) -> Option<&'static Gate> {
    let free = |gate: &&Gate| {
        gate.domain == domain
            && gate.serial.load(Ordering::Acquire) == 0
            && gate.inside.load(Ordering::SeqCst) == 0
            && !ptr::eq(below.ctx, ptr::from_ref(*gate).cast())
    };
    let same = |gate: &&Gate| {
        // SAFETY: the gate is not in use, and only the holder of the writer's lock changes its hook.
        let old = unsafe { *gate.hook.get() };
        old.functions == hook.functions
            && old.live_blocks.map(|f| f as usize) == hook.live_blocks.map(|f| f as usize)
            && ptr::eq(gate.below(), below)
    };
    if let Some(gate) = gates().filter(free).find(same) {
        return Some(gate);
    }
    let gate = gates().filter(free).find(|gate| !gate.pinned.load(Ordering::Relaxed))?;
    gate.below.store(ptr::from_ref(below).cast_mut(), Ordering::SeqCst);
    // SAFETY: S1: it is closed, nobody is inside, and who enters now finds it closed and does not look at the hook.
    unsafe { gate.hook.get().write(*hook) };
    Some(gate)
}

fn make(domain: Domain, hook: Hook, below: &'static Table) -> Option<&'static Gate> {
    let used = POOL_USED.load(Ordering::Relaxed);
    let slot: *mut Gate = if used < FIRST {
        POOL_USED.store(used + 1, Ordering::Relaxed);
        // SAFETY: the index is below the pool's length.
        unsafe { POOL.0.get().cast::<Gate>().add(used) }
    } else {
        let mut at = ptr::null_mut();
        // SAFETY: plain allocation; the result is tested.
        if unsafe { libc::posix_memalign(&raw mut at, align_of::<Gate>(), size_of::<Gate>()) } != 0 {
            return None;
        }
        at.cast()
    };
    let gate = Gate {
        inside: AtomicUsize::new(0),
        state: AtomicUsize::new(CLOSED),
        below: AtomicPtr::new(ptr::from_ref(below).cast_mut()),
        hook: UnsafeCell::new(hook),
        domain,
        pinned: AtomicBool::new(false),
        serial: AtomicU64::new(0),
        next: GATES.load(Ordering::Acquire),
    };
    // SAFETY: the slot is fresh, aligned and not yet visible to anyone.
    unsafe { slot.write(gate) };
    GATES.store(slot, Ordering::Release);
    // SAFETY: written above; gates are never freed.
    Some(unsafe { &*slot })
}

fn table_of(gate: &'static Gate) -> PyMemAllocatorEx {
    PyMemAllocatorEx {
        ctx: ptr::from_ref(gate).cast_mut().cast(),
        malloc: Some(gate_malloc),
        calloc: Some(gate_calloc),
        realloc: Some(gate_realloc),
        free: Some(gate_free),
    }
}

impl Gate {
    fn below(&self) -> &'static Table {
        // SAFETY: never null, and tables live for ever.
        unsafe { &*self.below.load(Ordering::SeqCst) }
    }

    fn context(&self) -> *mut c_void {
        // SAFETY: S1: called for a gate in use only.
        unsafe { (*self.hook.get()).functions.ctx }
    }

    /// Calls `f` with the hook, or with `None` if the call is to go below, and counts it as inside meanwhile.
    #[inline]
    fn pass<R>(&self, most: usize, f: impl FnOnce(Option<&PyMemAllocatorEx>, &'static Table) -> R) -> R {
        self.inside.fetch_add(1, Ordering::SeqCst);
        let result = if self.state.load(Ordering::SeqCst) <= most {
            // SAFETY: S1: we are inside and the gate is not closed.
            f(Some(unsafe { &(*self.hook.get()).functions }), self.below())
        } else {
            f(None, self.below())
        };
        self.inside.fetch_sub(1, Ordering::SeqCst);
        result
    }
}

/// # Safety
/// As for a table's functions, in all four.
unsafe extern "C" fn gate_malloc(ctx: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the context of a gate's table is the gate; the rest is the caller's promise and the pusher's.
    unsafe {
        (*ctx.cast::<Gate>()).pass(OPEN, |hook, below| match hook.and_then(|h| Some((h.ctx, h.malloc?))) {
            Some((ctx, malloc)) => malloc(ctx, size),
            None => (below.malloc)(below.ctx, size),
        })
    }
}

unsafe extern "C" fn gate_calloc(ctx: *mut c_void, nelem: usize, elsize: usize) -> *mut c_void {
    // SAFETY: as in `gate_malloc`.
    unsafe {
        (*ctx.cast::<Gate>()).pass(OPEN, |hook, below| match hook.and_then(|h| Some((h.ctx, h.calloc?))) {
            Some((ctx, calloc)) => calloc(ctx, nelem, elsize),
            None => (below.calloc)(below.ctx, nelem, elsize),
        })
    }
}

unsafe extern "C" fn gate_realloc(ctx: *mut c_void, p: *mut c_void, size: usize) -> *mut c_void {
    let most = if p.is_null() { OPEN } else { CLOSING };
    // SAFETY: as in `gate_malloc`.
    unsafe {
        (*ctx.cast::<Gate>()).pass(most, |hook, below| match hook.and_then(|h| Some((h.ctx, h.realloc?))) {
            Some((ctx, realloc)) => realloc(ctx, p, size),
            None => (below.realloc)(below.ctx, p, size),
        })
    }
}

unsafe extern "C" fn gate_free(ctx: *mut c_void, p: *mut c_void) {
    // SAFETY: as in `gate_malloc`.
    unsafe {
        (*ctx.cast::<Gate>()).pass(CLOSING, |hook, below| match hook.and_then(|h| Some((h.ctx, h.free?))) {
            Some((ctx, free)) => free(ctx, p),
            None => (below.free)(below.ctx, p),
        });
    }
}

#[cfg(test)]
mod tests;
