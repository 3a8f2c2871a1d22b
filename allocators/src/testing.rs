//! What the tests share. Tables, registry and faults belong to the process, so tests take turns.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::Domain;
use crate::heap::{Heap, HeapKind, attach_heap};
use crate::name::{AllocatorName, install};
use crate::table;

static TURN: Mutex<()> = Mutex::new(());

/// The turn of a test: afterwards the tables are the built-in ones and nothing is armed.
pub(crate) struct Turn {
    _guard: MutexGuard<'static, ()>,
}

pub(crate) fn turn() -> Turn {
    let guard = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    reset();
    Turn { _guard: guard }
}

fn reset() {
    crate::fault::disarm();
    install(&mut table::WRITER.lock(), AllocatorName::RELEASE_DEFAULT).expect("the default is built");
}

impl Drop for Turn {
    fn drop(&mut self) {
        attach_heap(core::ptr::null_mut());
        reset();
    }
}

/// A heap that is attached while it lives, and destroyed afterwards.
pub(crate) struct Attached(pub(crate) core::ptr::NonNull<Heap>);

impl Attached {
    pub(crate) fn new(kind: HeapKind) -> Self {
        let heap = Heap::new(kind).expect("memory for a heap");
        attach_heap(heap.as_ptr());
        Self(heap)
    }
}

impl core::ops::Deref for Attached {
    type Target = Heap;
    fn deref(&self) -> &Heap {
        // SAFETY: the heap is destroyed in `drop` only.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // SAFETY: made in `new`; the tests do not use it afterwards.
        unsafe { Heap::destroy(self.0) };
    }
}

/// A small generator of numbers that look random and are the same in each run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// Runs `f` in a child process; what it wrote to standard error, and the signal that ended it.
pub(crate) fn in_child(f: impl FnOnce()) -> (String, Option<i32>) {
    let mut ends = [0i32; 2];
    // SAFETY: room for two descriptors.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
    crate::before_fork();
    // SAFETY: the child only runs `f`, which uses this crate, and leaves.
    let child = unsafe { libc::fork() };
    if child == 0 {
        crate::after_fork_child();
        // SAFETY: descriptors of the child; a core file is not wanted.
        unsafe {
            libc::dup2(ends[1], 2);
            let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            libc::setrlimit(libc::RLIMIT_CORE, &none);
        }
        f();
        // SAFETY: leaves without running anybody's destructors.
        unsafe { libc::_exit(0) };
    }
    crate::after_fork_parent();
    assert!(child > 0);
    let mut text = Vec::new();
    let mut buffer = [0u8; 4096];
    // SAFETY: our own descriptors and buffer.
    unsafe {
        libc::close(ends[1]);
        loop {
            let n = libc::read(ends[0], buffer.as_mut_ptr().cast(), buffer.len());
            if n <= 0 {
                break;
            }
            text.extend_from_slice(&buffer[..n as usize]);
        }
        libc::close(ends[0]);
    }
    let mut status = 0;
    // SAFETY: our own child.
    unsafe { libc::waitpid(child, &mut status, 0) };
    let signal = libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status));
    (String::from_utf8_lossy(&text).into_owned(), signal)
}

/// Whether the table of a domain is the built-in one.
pub(crate) fn is_builtin(domain: Domain) -> bool {
    table::is_builtin(domain, table::logical(domain))
}
