//! How far apart the samples lie: at random, so that a program whose allocations repeat in some rhythm has each of them
//! sampled in the end. With equal distances one in a loop of ten would be met always or never.

use core::cell::Cell;

/// A sequence of random distances; each heap and each thread has its own.
pub(super) struct Intervals(Cell<u64>);

impl Intervals {
    /// One that is not begun: its first distance begins it.
    pub(super) const fn new() -> Self {
        Self(Cell::new(0))
    }

    /// The place of the next sample, counted from the last: between 1 and `2 * rate - 1`, and `rate` in the mean.
    pub(super) fn next(&self, rate: usize) -> usize {
        let rate = rate.clamp(1, 1 << 40) as u64;
        let mut x = self.0.get();
        if x == 0 {
            x = self.seed();
        }
        // Marsaglia's xorshift, which never comes to zero, with a multiplication over it.
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.0.set(x);
        let random = x.wrapping_mul(0x2545_F491_4F6C_DD1D);
        ((u128::from(random) * u128::from(2 * rate - 1)) >> 64) as usize + 1
    }

    /// Something that differs between processes, threads and heaps.
    fn seed(&self) -> u64 {
        let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: a question about the time, with room for the answer; a failure leaves zeros.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
        let mixed =
            (now.tv_nsec as u64) ^ (now.tv_sec as u64).rotate_left(30) ^ (&raw const self.0 as u64).rotate_left(17);
        mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_the_rate() {
        for rate in [1, 2, 100, 1000, 1 << 40] {
            let intervals = Intervals::new();
            let mut sum = 0u128;
            for _ in 0..10_000 {
                let interval = intervals.next(rate);
                assert!((1..2 * rate).contains(&interval));
                sum += interval as u128;
            }
            // The deviation of the mean is 0.6 percent of the rate; this is nine times as much.
            let mean = sum as f64 / 10_000.0;
            assert!((mean / rate as f64 - 1.0).abs() < 0.055, "{rate}: {mean}");
        }
    }
}
