//! The locks under the scheduler: one thread at a time, nobody forgotten.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a test, which no domain counts")]

use std::cell::Cell;

use hognose_models::sync::{Acquired, Locked, Mutex, NotLocked, futex, parking};
use shuttle::sync::Arc;
use shuttle::{check_pct, check_random, thread};

/// What a lock protects: whoever is inside sees nobody else.
#[derive(Default)]
struct Inside {
    busy: Cell<bool>,
    entries: Cell<u32>,
}

// SAFETY: the scheduler runs one thread at a time; that two are inside is what is looked for.
unsafe impl Sync for Inside {}
// SAFETY: as above.
unsafe impl Send for Inside {}

impl Inside {
    fn enter(&self) {
        assert!(!self.busy.replace(true), "two threads are inside");
        thread::yield_now();
        assert!(self.busy.replace(false));
        self.entries.set(self.entries.get() + 1);
    }
}

fn every_way(model: impl Fn() + Send + Sync + Clone + 'static) {
    check_random(model.clone(), 1500);
    check_pct(model, 1500, 3);
}

#[test]
fn raw_lock() {
    every_way(|| {
        futex::begin();
        let shared = Arc::new(Locked::new(Inside::default()));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let shared = shared.clone();
                thread::spawn(move || {
                    for _ in 0..2 {
                        shared.lock().enter();
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(shared.lock().entries.get(), 6);
    });
}

#[test]
fn mutex() {
    every_way(|| {
        futex::begin();
        let shared = Arc::new((Mutex::new(), Inside::default()));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let shared = shared.clone();
                thread::spawn(move || {
                    for _ in 0..2 {
                        assert_eq!(shared.0.lock_until(None, false), Acquired::Yes);
                        shared.1.enter();
                        assert_eq!(shared.0.unlock(), Ok(()));
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(shared.1.entries.get(), 6);
        assert!(!shared.0.is_locked());
        assert_eq!(shared.0.unlock(), Err(NotLocked));
    });
}

#[test]
fn mutex_with_a_deadline() {
    every_way(|| {
        futex::begin();
        let shared = Arc::new((Mutex::new(), Inside::default()));
        let threads: Vec<_> = (0..3)
            .map(|number| {
                let shared = shared.clone();
                thread::spawn(move || {
                    let deadline = (number != 0).then_some(1_000_000);
                    match shared.0.lock_until(deadline, false) {
                        Acquired::Yes => {
                            shared.1.enter();
                            assert_eq!(shared.0.unlock(), Ok(()));
                            1
                        }
                        Acquired::TimedOut => {
                            assert!(number != 0, "a wait without an end has ended");
                            0
                        }
                        Acquired::Interrupted => panic!("nobody interrupts"),
                    }
                })
            })
            .collect();
        let entries: u32 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(shared.1.entries.get(), entries);
        assert!(!shared.0.is_locked());
        // Whoever has given up has left the queue.
        parking::unpark_one(core::ptr::from_ref(&shared.0).addr(), |waited, more| {
            assert_eq!((waited, more), (None, false));
            0
        });
    });
}
