//! Counting cycles: the time stamp counter ticks at its own rate, so it is compared with a chain of
//! multiplications, each of which takes three cycles on every processor of the last ten years.

use std::arch::asm;
use std::arch::x86_64::_rdtsc;

/// The time stamp.
#[inline(always)]
pub fn now() -> u64 {
    // SAFETY: every x86-64 has it.
    unsafe { _rdtsc() }
}

/// Cycles in a tick, as the processor runs right now.
pub fn per_tick() -> f64 {
    const STEPS: u64 = 4000;
    let mut best = u64::MAX;
    for _ in 0..100 {
        let start = now();
        let mut x = 3u64;
        for _ in 0..STEPS / 4 {
            // SAFETY: plain arithmetic.
            unsafe {
                asm!("imul {0}, {0}", "imul {0}, {0}", "imul {0}, {0}", "imul {0}, {0}", inout(reg) x, options(nomem, nostack));
            }
        }
        std::hint::black_box(x);
        best = best.min(now() - start);
    }
    (3 * STEPS) as f64 / best as f64
}

/// Keeps the compiler from seeing where a pointer comes from, without a store.
#[inline(always)]
pub fn opaque<T>(p: *mut T) -> *mut T {
    let mut p = p;
    // SAFETY: does nothing.
    unsafe { asm!("/* {0} */", inout(reg) p, options(nostack, preserves_flags)) };
    p
}

/// Runs `window` many times; the least and the median of its cycles, divided by `n`.
pub fn measure(windows: usize, n: usize, mut window: impl FnMut()) -> (f64, f64) {
    let mut ticks: Vec<u64> = Vec::with_capacity(windows);
    // The processor's rate changes, so it is looked at again and again, and the highest counts: the
    // least of the windows ran at it.
    let mut rate = 0f64;
    for i in 0..windows {
        if i % 64 == 0 {
            rate = rate.max(per_tick());
        }
        let start = now();
        window();
        ticks.push(now() - start);
    }
    ticks.sort_unstable();
    let cycles = |t: u64| t as f64 * rate / n as f64;
    (cycles(ticks[0]), cycles(ticks[windows / 2]))
}
