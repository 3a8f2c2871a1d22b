//! Writing patterns.
//!
//! A short fill is a few stores of 16 bytes, inlined: calling `memset` for it costs more than the whole rest of a hook.
//! The stores are volatile, because the compiler would make that very call of the loop. Measured by
//! `benches/debug_pair.rs`.

#[cfg(target_arch = "x86_64")]
type Wide = core::arch::x86_64::__m128i;
#[cfg(not(target_arch = "x86_64"))]
type Wide = [u64; 2];

const WIDE: usize = size_of::<Wide>();

const fn wide(byte: u8) -> Wide {
    // SAFETY: any bytes are a value of either type.
    unsafe { core::mem::transmute::<[u8; WIDE], Wide>([byte; WIDE]) }
}

/// Fills the 16-byte units that `n` bytes from `at` on touch.
///
/// # Safety
/// `at` is aligned to 16, and all bytes of those units may be written.
#[inline(always)]
pub(super) unsafe fn units<const BYTE: u8>(at: *mut u8, n: usize) {
    let value = const { wide(BYTE) };
    let (mut unit, end) = (at.cast::<Wide>(), at.wrapping_add(n));
    // SAFETY: a unit that begins before the end is one of those that the caller promises.
    unsafe {
        // Four at a time, so that a long fill waits for its stores and not for its branches.
        while unit.cast::<u8>().wrapping_add(3 * WIDE) < end {
            unit.write_volatile(value);
            unit.add(1).write_volatile(value);
            unit.add(2).write_volatile(value);
            unit.add(3).write_volatile(value);
            unit = unit.wrapping_add(4);
        }
        while unit.cast::<u8>() < end {
            unit.write_volatile(value);
            unit = unit.wrapping_add(1);
        }
    }
}
