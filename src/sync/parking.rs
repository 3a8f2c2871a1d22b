//! A table of queues of waiting threads, by the address of what they wait for.
//!
//! ```text
//!  BUCKETS[hash(address)] ──► waiter ──► waiter ──► …      each on its own thread's stack
//! ```
//!
//! P1: a waiter is in a queue from [`park`]'s validation until it is taken out: by [`unpark_one`], or by itself when
//! its time is over.
//! P2: `word` becomes [`WOKEN`] after the waiter was taken out by another thread, and is the last that this thread
//! touches of it.

use crate::sync::atomic::{AtomicU32, Ordering};
use core::cell::Cell;
use core::ptr;

use super::futex::{self, Wake};
use super::lock::Locked;

/// A prime number, so that addresses spread.
const BUCKETS_COUNT: usize = 127;

const WAITING: u32 = 0;
const WOKEN: u32 = 1;

/// A thread in a queue.
struct Waiter {
    key: usize,
    next: Cell<*const Waiter>,
    word: AtomicU32,
    /// What the waking thread has to tell.
    token: Cell<usize>,
    /// When the thread began to wait.
    since: i64,
}

struct Queue {
    first: *const Waiter,
    last: *const Waiter,
}

static BUCKETS: [Locked<Queue>; BUCKETS_COUNT] =
    [const { Locked::new(Queue { first: ptr::null(), last: ptr::null() }) }; BUCKETS_COUNT];

fn bucket(key: usize) -> &'static Locked<Queue> {
    &BUCKETS[key % BUCKETS_COUNT]
}

impl Queue {
    fn push(&mut self, waiter: &Waiter) {
        // SAFETY: P1: what is in a queue is alive.
        match unsafe { self.last.as_ref() } {
            Some(last) => last.next.set(waiter),
            None => self.first = waiter,
        }
        self.last = waiter;
    }

    /// Takes out the first waiter that fits.
    fn take(&mut self, fits: impl Fn(&Waiter) -> bool) -> Option<*const Waiter> {
        let mut before: *const Waiter = ptr::null();
        let mut at = self.first;
        // SAFETY: P1: what is in a queue is alive.
        while let Some(waiter) = unsafe { at.as_ref() } {
            if fits(waiter) {
                // SAFETY: as above.
                match unsafe { before.as_ref() } {
                    Some(before) => before.next.set(waiter.next.get()),
                    None => self.first = waiter.next.get(),
                }
                if ptr::eq(self.last, at) {
                    self.last = before;
                }
                return Some(at);
            }
            before = at;
            at = waiter.next.get();
        }
        None
    }

    fn has(&self, key: usize) -> bool {
        let mut at = self.first;
        // SAFETY: P1: what is in a queue is alive.
        while let Some(waiter) = unsafe { at.as_ref() } {
            if waiter.key == key {
                return true;
            }
            at = waiter.next.get();
        }
        false
    }
}

/// How a thread's parking has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parked {
    /// The validation has failed: there was nothing to wait for.
    Invalid,
    /// Another thread has woken this one, and says so much.
    Unparked(usize),
    /// The time is over.
    TimedOut,
    /// A signal's handler has run.
    Interrupted,
}

/// Waits until somebody calls [`unpark_one`] with the same key. `valid` is called before, while nobody else can park
/// or unpark at the key. `since` is when the caller began to wait, which [`unpark_one`] is told.
pub fn park(key: usize, valid: impl FnOnce() -> bool, deadline: Option<i64>, since: i64) -> Parked {
    let waiter =
        Waiter { key, next: Cell::new(ptr::null()), word: AtomicU32::new(WAITING), token: Cell::new(0), since };
    {
        let mut queue = bucket(key).lock();
        if !valid() {
            return Parked::Invalid;
        }
        queue.push(&waiter);
    }
    loop {
        let ended = futex::wait(&waiter.word, WAITING, deadline);
        if waiter.word.load(Ordering::Acquire) == WOKEN {
            return Parked::Unparked(waiter.token.get());
        }
        let result = match ended {
            Wake::Woken => continue,
            Wake::TimedOut => Parked::TimedOut,
            Wake::Interrupted => Parked::Interrupted,
        };
        if bucket(key).lock().take(|other| ptr::eq(other, &raw const waiter)).is_some() {
            return result;
        }
        // Somebody has taken this thread out of the queue, and is about to say so.
        while waiter.word.load(Ordering::Acquire) != WOKEN {
            futex::wait(&waiter.word, WAITING, None);
        }
        return Parked::Unparked(waiter.token.get());
    }
}

/// Wakes the thread that has waited longest at the key. `decide` is called first, with how long it has waited in
/// nanoseconds (none: nobody waits) and whether more wait, and says what the thread is told; nobody else can park or
/// unpark at the key meanwhile.
pub fn unpark_one(key: usize, decide: impl FnOnce(Option<i64>, bool) -> usize) {
    let mut queue = bucket(key).lock();
    let taken = queue.take(|waiter| waiter.key == key);
    let more = taken.is_some() && queue.has(key);
    // SAFETY: P1: the waiter is alive until it is woken.
    let waited = taken.map(|waiter| futex::now() - unsafe { (*waiter).since });
    let token = decide(waited, more);
    drop(queue);
    if let Some(waiter) = taken {
        // SAFETY: P2: the thread waits until the word changes; waking takes the address only.
        unsafe {
            (*waiter).token.set(token);
            let word = &raw const (*waiter).word;
            (*word).store(WOKEN, Ordering::Release);
            futex::wake(word, 1);
        }
    }
}

/// Takes all queues, for a fork.
pub fn before_fork() {
    for bucket in &BUCKETS {
        bucket.lock.acquire();
    }
}

/// Gives the queues back in the process that has forked.
pub fn after_fork_in_parent() {
    for bucket in BUCKETS.iter().rev() {
        bucket.lock.release();
    }
}

/// Empties the queues in the child: those who waited are not there.
pub fn after_fork_in_child() {
    for bucket in &BUCKETS {
        // SAFETY: the only thread of the process holds the lock.
        let queue = unsafe { bucket.held() };
        queue.first = ptr::null();
        queue.last = ptr::null();
        bucket.lock.reset();
    }
}
