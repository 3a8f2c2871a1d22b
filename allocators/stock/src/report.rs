//! What is written: figures at the exit, and the last words. Nothing here allocates.

use core::fmt::{self, Write};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicI32, Ordering};
use std::cell::UnsafeCell;

use domains::{AllocatorName, Domain, raw_stats};

use crate::census::{self, CLASSES, Figures};
use crate::python::Python;
use crate::threads;

/// A file descriptor.
struct File(i32);

impl Write for File {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            // SAFETY: the buffer is valid for its length.
            let n = unsafe { libc::write(self.0, rest.as_ptr().cast(), rest.len()) };
            rest = &rest[usize::try_from(n).map_err(|_| fmt::Error)?..];
        }
        Ok(())
    }
}

/// A text that is written as a whole, so that those of several processes do not mix.
struct Page {
    bytes: [u8; 16 * 1024],
    len: usize,
}

impl Write for Page {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

/// Writes a line. Where it cannot be written, there is nobody to be told.
pub(crate) fn line(descriptor: i32, text: fmt::Arguments<'_>) {
    let _ = File(descriptor).write_fmt(text);
}

/// What the checks of the domains end with.
pub(crate) fn fatal(function: &str, message: &str) -> ! {
    line(2, format_args!("Fatal Python error: {function}: {message}\n"));
    // SAFETY: no preconditions.
    unsafe { libc::abort() }
}

/// Whether the value of `HOGNOSE_STATS` means this process: it is its number, or `all`.
pub(crate) fn is_for_this_process(value: &[u8]) -> bool {
    // SAFETY: no preconditions.
    let own = unsafe { libc::getpid() };
    let number = value.iter().try_fold(0i64, |n, digit| {
        digit.is_ascii_digit().then(|| n.saturating_mul(10).saturating_add(i64::from(digit - b'0')))
    });
    value == b"all" || number == Some(i64::from(own))
}

struct Who(UnsafeCell<MaybeUninit<(AllocatorName, [usize; 3])>>);
// SAFETY: written once, before there is a second thread.
unsafe impl Sync for Who {}
static WHO: Who = Who(UnsafeCell::new(MaybeUninit::uninit()));
static PID: AtomicI32 = AtomicI32::new(0);

/// Has the figures written to standard error when the process exits. False if the system does not let it.
pub(crate) fn at_exit(name: AllocatorName, python: Python) -> bool {
    // SAFETY: this is the only thread, and nobody reads it yet.
    unsafe {
        (*WHO.0.get()).write((name, python.version()));
        PID.store(libc::getpid(), Ordering::Relaxed);
        // What is registered first is called last: CPython is gone by then.
        libc::atexit(write_figures) == 0
    }
}

extern "C" fn write_figures() {
    // SAFETY: no preconditions.
    if PID.load(Ordering::Relaxed) != unsafe { libc::getpid() } {
        return;
    }
    let mut page = Page { bytes: [0; 16 * 1024], len: 0 };
    // What does not fit is left out; the room is more than twice of what all classes need.
    let _ = fill(&mut page);
    line(2, format_args!("{}", core::str::from_utf8(&page.bytes[..page.len]).unwrap_or_default()));
}

fn fill(out: &mut Page) -> fmt::Result {
    // SAFETY: `at_exit` has written it.
    let (name, version) = unsafe { (*WHO.0.get()).assume_init() };
    let pid = PID.load(Ordering::Relaxed);
    writeln!(out, "hognose: {} in CPython {}.{}.{}, process {pid}", name.as_str(), version[0], version[1], version[2])?;
    writeln!(out, "{:>8} {:>14} {:>14} {:>12} {:>14}", "domain", "allocations", "freed", "live blocks", "live bytes")?;
    let raw = raw_stats();
    let live = raw.live_blocks as u64;
    let mut row = |domain: &str, f: Figures| {
        let live = f.allocations.saturating_sub(f.frees);
        writeln!(out, "{domain:>8} {:>14} {:>14} {live:>12} {:>14}", f.allocations, f.frees, f.bytes)
    };
    row(
        "raw",
        Figures {
            allocations: raw.allocations,
            frees: raw.allocations.saturating_sub(live),
            bytes: i64::try_from(raw.live_bytes).unwrap_or(i64::MAX),
        },
    )?;
    for domain in [Domain::Mem, Domain::Obj] {
        let mut sum = Figures::default();
        for f in (0..CLASSES).map(|class| census::figures(domain, class)) {
            sum.allocations += f.allocations;
            sum.frees += f.frees;
            sum.bytes += f.bytes;
        }
        row(domain.as_str(), sum)?;
    }
    let (heaps, abandoned) = threads::members()
        .fold((0, 0), |(all, abandoned), member| (all + 1, abandoned + usize::from(member.is_abandoned())));
    writeln!(out, "peak of mem and obj: {} bytes; heaps: {heaps}, abandoned: {abandoned}", census::peak())?;
    writeln!(out, "{:>12} {:>14} {:>12} {:>14} {:>12}", "size up to", "mem came", "mem live", "obj came", "obj live")?;
    for class in 0..CLASSES {
        let (mem, obj) = (census::figures(Domain::Mem, class), census::figures(Domain::Obj, class));
        if mem.allocations + obj.allocations != 0 {
            let live = |f: Figures| f.allocations.saturating_sub(f.frees);
            let size = census::size_of_class(class);
            let (m, o) = (live(mem), live(obj));
            writeln!(out, "{size:>12} {:>14} {m:>12} {:>14} {o:>12}", mem.allocations, obj.allocations)?;
        }
    }
    Ok(())
}
