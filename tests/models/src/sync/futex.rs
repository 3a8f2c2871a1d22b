//! A futex for the scheduler's threads, with the runtime's interface (`src/sync/futex.rs`).

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use shuttle::rand::Rng;
use shuttle::thread::{self, Thread};

use super::atomic::{AtomicU32, Ordering};

/// How a wait has ended. A wait may end for no reason: who waits looks again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wake {
    /// The word was not, or is no more, what was expected; or someone has called [`wake`].
    Woken,
    /// The time has come.
    TimedOut,
    /// A signal's handler has run.
    Interrupted,
}

struct Waiter {
    address: usize,
    thread: Thread,
    woken: Cell<bool>,
}

// The scheduler runs all threads of a model on one of the system's, one after another: what lies here is changed by
// one at a time, and only between two steps of the model.
thread_local! {
    static WAITERS: RefCell<Vec<Rc<Waiter>>> = const { RefCell::new(Vec::new()) };
    static CLOCK: Cell<i64> = const { Cell::new(0) };
}

/// Begins a run: time is zero. Nobody may be left from the one before.
pub fn begin() {
    CLOCK.set(0);
    WAITERS.with_borrow(|waiters| assert!(waiters.is_empty(), "a thread of the run before still waits"));
}

/// Nanoseconds on the monotonic clock, which goes on by 400 microseconds a look.
pub fn now() -> i64 {
    CLOCK.set(CLOCK.get() + 400_000);
    CLOCK.get()
}

/// Waits while the word has the expected value: until it is woken, or a time. When that is, the scheduler chooses.
pub fn wait(word: &AtomicU32, expected: u32, deadline: Option<i64>) -> Wake {
    let waiter = Rc::new(Waiter {
        address: core::ptr::from_ref(word).addr(),
        thread: thread::current(),
        woken: Cell::new(false),
    });
    // In the queue first: a wake between the look at the word and the sleep must not be lost.
    WAITERS.with_borrow_mut(|waiters| waiters.push(waiter.clone()));
    let ended = loop {
        if waiter.woken.get() || word.load(Ordering::SeqCst) != expected {
            break Wake::Woken;
        }
        if deadline.is_some() {
            match shuttle::rand::thread_rng().gen_range(0..4) {
                0 => break Wake::TimedOut,
                _ => thread::yield_now(),
            }
        } else {
            thread::park();
        }
    };
    WAITERS.with_borrow_mut(|waiters| waiters.retain(|other| !Rc::ptr_eq(other, &waiter)));
    if waiter.woken.get() { Wake::Woken } else { ended }
}

/// Wakes at most `count` threads that wait for a word.
pub fn wake(word: *const AtomicU32, count: i32) {
    let woken: Vec<Rc<Waiter>> = WAITERS.with_borrow(|waiters| {
        let asleep = waiters.iter().filter(|waiter| waiter.address == word.addr() && !waiter.woken.get());
        asleep.take(count.max(0) as usize).cloned().collect()
    });
    for waiter in &woken {
        waiter.woken.set(true);
    }
    for waiter in woken {
        waiter.thread.unpark();
    }
}
