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
    let (mut unit, count) = (at.cast::<Wide>(), n.div_ceil(WIDE));
    // SAFETY: the units from `at` on that the caller promises are `count` in number.
    unsafe {
        if count < 4 {
            if count != 0 {
                // The first, the middle and the last: up to three without a branch.
                unit.write_volatile(value);
                unit.add(count / 2).write_volatile(value);
                unit.add(count - 1).write_volatile(value);
            }
            return;
        }
        // Four at a time, so that a long fill waits for its stores and not for its branches; the last four may overlap
        // those before, so that there is one branch only that depends on the length.
        let last = unit.add(count - 4);
        while unit < last {
            four(unit, value);
            unit = unit.wrapping_add(4);
        }
        four(last, value);
    }
}

/// # Safety
/// The four units may be written.
#[inline(always)]
unsafe fn four(at: *mut Wide, value: Wide) {
    // SAFETY: the caller's promise.
    unsafe {
        at.write_volatile(value);
        at.add(1).write_volatile(value);
        at.add(2).write_volatile(value);
        at.add(3).write_volatile(value);
    }
}
