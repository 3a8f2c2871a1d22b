//! The heap that is attached to the thread.
//!
//! Every call through the C API asks for it, so the question must not cost a call. A `thread_local!` of
//! a shared library is found through a function of the dynamic linker; the word here is declared by
//! hand in the *initial-exec* model, in which the place is a constant that the linker fills in when it
//! loads the library: one load for the offset, one for the word. The word takes 8 bytes of the room
//! that the C library keeps for such variables of libraries that are loaded late.
//!
//! Where that is not possible (another system, another processor), it is a `thread_local!`.

use super::Heap;

#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
mod place {
    use core::arch::{asm, global_asm};

    use super::Heap;

    global_asm!(
        ".pushsection .tbss.hognose_attached_heap,\"awT\",@nobits",
        ".globl hognose_attached_heap_0_1",
        ".hidden hognose_attached_heap_0_1",
        ".type hognose_attached_heap_0_1, @object",
        ".size hognose_attached_heap_0_1, 8",
        ".p2align 3",
        "hognose_attached_heap_0_1:",
        ".zero 8",
        ".popsection",
    );

    #[inline(always)]
    pub(super) fn get() -> *mut Heap {
        let heap: *mut Heap;
        // SAFETY: reads the thread's own word, which is zero from the start and written by `set` only.
        unsafe {
            asm!(
                "mov {0}, qword ptr [rip + hognose_attached_heap_0_1@GOTTPOFF]",
                "mov {0}, qword ptr fs:[{0}]",
                out(reg) heap,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
        heap
    }

    #[inline(always)]
    pub(super) fn set(heap: *mut Heap) {
        // SAFETY: writes the thread's own word, of which nobody has the address.
        unsafe {
            asm!(
                "mov {0}, qword ptr [rip + hognose_attached_heap_0_1@GOTTPOFF]",
                "mov qword ptr fs:[{0}], {1}",
                out(reg) _,
                in(reg) heap,
                options(nostack, preserves_flags),
            );
        }
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
mod place {
    use core::cell::Cell;
    use core::ptr;

    use super::Heap;

    std::thread_local! {
        static CURRENT: Cell<*mut Heap> = const { Cell::new(ptr::null_mut()) };
    }

    #[inline(always)]
    pub(super) fn get() -> *mut Heap {
        CURRENT.get()
    }

    #[inline(always)]
    pub(super) fn set(heap: *mut Heap) {
        CURRENT.set(heap);
    }
}

/// Makes `heap` (null for none) the one that serves mem and obj in this thread; the previous one.
///
/// The heap must stay alive for as long as it is attached, and the thread must hold its GIL whenever it
/// allocates.
#[inline]
pub fn attach_heap(heap: *mut Heap) -> *mut Heap {
    let before = place::get();
    place::set(heap);
    before
}

/// The heap that serves mem and obj in this thread; null if none does.
#[inline(always)]
#[must_use]
pub fn current_heap() -> *mut Heap {
    place::get()
}

#[cfg(test)]
mod tests {
    //! What the word promises.

    use super::{attach_heap, current_heap};
    use core::ptr;

    /// Each thread has its own word, and a new thread has none attached.
    #[test]
    fn each_thread_has_its_own() {
        let _turn = crate::testing::turn();
        let (a, b) = (0x10 as *mut _, 0x20 as *mut _);
        assert_eq!(attach_heap(a), ptr::null_mut());
        let other = std::thread::spawn(move || {
            let fresh = current_heap().is_null();
            attach_heap(0x20 as *mut _);
            fresh && current_heap() as usize == 0x20
        });
        assert!(other.join().unwrap());
        assert_eq!(attach_heap(b), a);
        assert_eq!(attach_heap(ptr::null_mut()), b);
    }
}
