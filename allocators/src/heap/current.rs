//! The heap that is attached to the thread.
//!
//! Every call through the C API asks for it, so the question must not cost a call. A `thread_local!` of
//! a shared library is found through a function of the dynamic linker; the words here are declared by
//! hand in the *initial-exec* model, in which their place is a constant that the linker fills in when it
//! loads the library: one load for the offset, one for the word. The words, with one in `raw`, take 24 bytes of the room
//! that the C library keeps for such variables of libraries that are loaded late.
//!
//! Where that is not possible (another system, another processor), they are `thread_local!`s.

use core::sync::atomic::{AtomicUsize, Ordering};

use super::Heap;

#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
macro_rules! thread_word {
    ($module:ident, $symbol:literal) => {
        mod $module {
            use core::arch::{asm, global_asm};

            global_asm!(
                concat!(".pushsection .tbss.", $symbol, ",\"awT\",@nobits"),
                concat!(".globl ", $symbol),
                concat!(".hidden ", $symbol),
                concat!(".type ", $symbol, ", @object"),
                concat!(".size ", $symbol, ", 8"),
                ".p2align 3",
                concat!($symbol, ":"),
                ".zero 8",
                ".popsection",
            );

            #[inline(always)]
            pub(super) fn get() -> usize {
                let word: usize;
                // SAFETY: reads the thread's own word, which is zero from the start and written by
                // `set` only.
                unsafe {
                    asm!(
                        concat!("mov {0}, qword ptr [rip + ", $symbol, "@GOTTPOFF]"),
                        "mov {0}, qword ptr fs:[{0}]",
                        out(reg) word,
                        options(pure, readonly, nostack, preserves_flags),
                    );
                }
                word
            }

            #[inline(always)]
            pub(super) fn set(word: usize) {
                // SAFETY: writes the thread's own word, of which nobody has the address.
                unsafe {
                    asm!(
                        concat!("mov {0}, qword ptr [rip + ", $symbol, "@GOTTPOFF]"),
                        "mov qword ptr fs:[{0}], {1}",
                        out(reg) _,
                        in(reg) word,
                        options(nostack, preserves_flags),
                    );
                }
            }
        }
    };
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
macro_rules! thread_word {
    ($module:ident, $symbol:literal) => {
        mod $module {
            use core::cell::Cell;

            std::thread_local! {
                static WORD: Cell<usize> = const { Cell::new(0) };
            }

            #[inline(always)]
            pub(super) fn get() -> usize {
                WORD.get()
            }

            #[inline(always)]
            pub(super) fn set(word: usize) {
                WORD.set(word);
            }
        }
    };
}

pub(crate) use thread_word;

thread_word!(attached, "hognose_attached_heap_0_1");
thread_word!(number, "hognose_thread_number_0_1");

/// A number of the calling thread that no other thread has or will have.
#[inline(always)]
#[cfg_attr(not(feature = "mimalloc"), allow(dead_code, reason = "only mimalloc's heaps have parts for threads"))]
pub(super) fn thread_number() -> usize {
    static LAST: AtomicUsize = AtomicUsize::new(0);

    #[cold]
    fn assign() -> usize {
        let fresh = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        number::set(fresh);
        fresh
    }
    match number::get() {
        0 => assign(),
        found => found,
    }
}

/// Makes `heap` (null for none) the one that serves mem and obj in this thread; the previous one.
///
/// The heap must stay alive for as long as it is attached, and the thread must hold its GIL whenever it
/// allocates.
#[inline]
pub fn attach_heap(heap: *mut Heap) -> *mut Heap {
    let before = attached::get();
    attached::set(heap as usize);
    before as *mut Heap
}

/// The heap that serves mem and obj in this thread; null if none does.
#[inline(always)]
#[must_use]
pub fn current_heap() -> *mut Heap {
    attached::get() as *mut Heap
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
