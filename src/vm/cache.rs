//! Inline caches: the units behind an instruction, read and written in larger pieces.
//!
//! ```text
//!  LOAD_GLOBAL  [counter][index][module keys version 2][builtins keys version 2 → only low unit kept]
//!  LOAD_ATTR    [counter][type version 2][index or keys version 2][pointer 4]
//!  STORE_ATTR   [counter][type version 2][index]
//! ```

use core::cell::Cell;

/// The caches of one instruction; `at(1)` is the counter.
#[derive(Clone, Copy)]
pub struct Caches(*const Cell<u16>);

impl Caches {
    /// The caches of the instruction at `pc`.
    ///
    /// # Safety
    /// `pc` points to an instruction with as many cache units as are read and written.
    #[inline(always)]
    pub unsafe fn of(pc: *const Cell<u16>) -> Caches {
        Caches(pc)
    }

    #[inline(always)]
    fn unit(self, index: usize) -> &'static Cell<u16> {
        // SAFETY: `of`'s caller has promised that the unit is there; code outlives its execution.
        unsafe { &*self.0.add(index) }
    }

    /// The adaptive counter.
    #[inline(always)]
    pub fn counter(self) -> u16 {
        self.unit(1).get()
    }

    /// Sets the adaptive counter.
    #[inline(always)]
    pub fn set_counter(self, value: u16) {
        self.unit(1).set(value);
    }

    /// A cache unit.
    #[inline(always)]
    pub fn get(self, index: usize) -> u16 {
        self.unit(index).get()
    }

    /// Writes a cache unit.
    #[inline(always)]
    pub fn set(self, index: usize, value: u16) {
        self.unit(index).set(value);
    }

    /// Two units as one number.
    #[inline(always)]
    pub fn get_u32(self, index: usize) -> u32 {
        // SAFETY: two units stand there; they need no more alignment than a unit.
        unsafe { self.0.add(index).cast::<u32>().read_unaligned() }
    }

    /// Writes two units.
    #[inline(always)]
    pub fn set_u32(self, index: usize, value: u32) {
        self.unit(index).set(value as u16);
        self.unit(index + 1).set((value >> 16) as u16);
    }

    /// Four units as a pointer.
    #[inline(always)]
    pub fn get_pointer<T>(self, index: usize) -> *const T {
        // SAFETY: four units stand there.
        core::ptr::with_exposed_provenance(unsafe { self.0.add(index).cast::<usize>().read_unaligned() })
    }

    /// Writes four units.
    #[inline(always)]
    pub fn set_pointer<T>(self, index: usize, pointer: *const T) {
        let address = pointer.expose_provenance();
        for part in 0..4 {
            self.unit(index + part).set((address >> (16 * part)) as u16);
        }
    }

    /// Makes the instruction another one of its family.
    #[inline(always)]
    pub fn set_opcode(self, opcode: u8) {
        let unit = self.unit(0);
        unit.set(unit.get() & 0xff00 | u16::from(opcode));
    }
}
