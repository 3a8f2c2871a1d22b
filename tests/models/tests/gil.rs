//! The GIL under the scheduler: one holder, asked holders let go, latecomers leave, an ended state is not looked at.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a test, which no domain counts")]

use std::cell::Cell;

use hognose_models::state::gil::Gil;
use hognose_models::state::thread::{EvalBreaker, ThreadState};
use hognose_models::sync::atomic::{AtomicBool, Ordering};
use hognose_models::sync::futex;
use shuttle::sync::Arc;
use shuttle::{check_pct, check_random, thread};

struct Interpreter {
    gil: Gil,
    busy: Cell<bool>,
    steps: Cell<u32>,
    closed: AtomicBool,
}

// SAFETY: the scheduler runs one thread at a time; that two are inside is what is looked for.
unsafe impl Sync for Interpreter {}
// SAFETY: as above.
unsafe impl Send for Interpreter {}

impl Interpreter {
    fn new() -> Arc<Interpreter> {
        futex::begin();
        Arc::new(Interpreter {
            gil: Gil::new(),
            busy: Cell::new(false),
            steps: Cell::new(0),
            closed: AtomicBool::new(false),
        })
    }

    fn step(&self) {
        assert!(!self.busy.replace(true), "two threads have the GIL");
        thread::yield_now();
        assert!(self.busy.replace(false));
        self.steps.set(self.steps.get() + 1);
    }
}

/// Takes the GIL for a state that is alive.
fn take(gil: &Gil, ts: *mut ThreadState, too_late: impl Fn() -> bool) -> bool {
    let taken = gil.take(too_late);
    if taken {
        gil.held_by(ts);
    }
    taken
}

/// What a Python thread does: takes the GIL, runs, lets go when it is asked, ends its state.
fn python_thread(interpreter: &Interpreter, steps: u32) {
    let state = ThreadState::default();
    let ts = (&raw const state).cast_mut();
    assert!(take(&interpreter.gil, ts, || false));
    for _ in 0..steps {
        interpreter.step();
        if state.eval_breaker.clear(EvalBreaker::DROP_GIL) {
            interpreter.gil.release_to_another();
            assert!(take(&interpreter.gil, ts, || false));
        }
    }
    interpreter.gil.forget(ts);
    // From here on the state is nobody's to look at: what it was asked before does not matter, nothing may come after.
    state.eval_breaker.clear(EvalBreaker::DROP_GIL);
    interpreter.gil.release();
    assert!(!state.eval_breaker.clear(EvalBreaker::DROP_GIL), "an ended state was asked");
}

fn every_way(model: impl Fn() + Send + Sync + Clone + 'static) {
    check_random(model.clone(), 1500);
    check_pct(model, 1500, 3);
}

#[test]
fn one_holder() {
    every_way(|| {
        let interpreter = Interpreter::new();
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let interpreter = interpreter.clone();
                thread::spawn(move || python_thread(&interpreter, 3))
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(interpreter.steps.get(), 9);
        assert!(!interpreter.gil.is_held());
    });
}

#[test]
fn latecomers_leave() {
    every_way(|| {
        let interpreter = Interpreter::new();
        let late: Vec<_> = (0..2)
            .map(|_| {
                let interpreter = interpreter.clone();
                thread::spawn(move || {
                    let state = ThreadState::default();
                    let ts = (&raw const state).cast_mut();
                    if take(&interpreter.gil, ts, || interpreter.closed.load(Ordering::SeqCst)) {
                        interpreter.step();
                        interpreter.gil.forget(ts);
                        interpreter.gil.release();
                        return 1;
                    }
                    0
                })
            })
            .collect();
        let state = ThreadState::default();
        let ts = (&raw const state).cast_mut();
        assert!(take(&interpreter.gil, ts, || false));
        interpreter.closed.store(true, Ordering::SeqCst);
        interpreter.step();
        interpreter.gil.forget(ts);
        // The finalizing thread keeps the lock until the others have gone: they leave while they wait.
        let through: u32 = late.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(interpreter.steps.get(), through + 1);
        interpreter.gil.release();
        assert!(!interpreter.gil.is_held());
    });
}

/// A GIL that is lent again: a thread that waits for it on behalf of an earlier interpreter gets it, sees that its state
/// has ended, and lets it go; who asks the holder meanwhile does not look at that state.
#[test]
fn a_lent_lock_is_given_back_by_who_comes_too_late() {
    every_way(|| {
        let interpreter = Interpreter::new();
        let too_late = {
            let interpreter = interpreter.clone();
            thread::spawn(move || {
                assert!(interpreter.gil.take(|| false));
                interpreter.step();
                interpreter.gil.release();
            })
        };
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let interpreter = interpreter.clone();
                thread::spawn(move || python_thread(&interpreter, 2))
            })
            .collect();
        too_late.join().unwrap();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(interpreter.steps.get(), 5);
        assert!(!interpreter.gil.is_held());
    });
}
