//! Reading memory that may not be there.
//!
//! A report describes a block whose head may be damaged, at an address that may never have been a block's. Nothing that
//! it shows is read before the kernel has said that it can be.

use core::ptr;

/// Whether the aligned word at `word` can be read, whatever is mapped there and however.
fn is_readable(word: usize) -> bool {
    /// No operation on signal masks has this number, so nothing is changed.
    const NO_SUCH: libc::c_int = -1;
    // SAFETY: the kernel copies eight bytes from the address, or says EFAULT when it cannot; then it refuses the
    // operation. The process's own signal mask stays as it is.
    let result =
        unsafe { libc::syscall(libc::SYS_rt_sigprocmask, NO_SUCH, word, ptr::null_mut::<libc::c_void>(), 8usize) };
    // SAFETY: the thread's own error number.
    result != 0 && unsafe { *libc::__errno_location() } != libc::EFAULT
}

/// The `N` bytes at `at`, if they can be read.
pub(super) fn bytes<const N: usize>(at: *const u8) -> Option<[u8; N]> {
    let first = at as usize & !7;
    let last = (at as usize).checked_add(N)?;
    let mut word = first;
    while word < last {
        if !is_readable(word) {
            return None;
        }
        word += 8;
    }
    // SAFETY: the kernel has just read all of it.
    Some(unsafe { at.cast::<[u8; N]>().read_unaligned() })
}

#[cfg(test)]
mod tests {
    //! What can be read is known.

    use super::*;

    #[test]
    fn unreadable_memory_is_known() {
        assert_eq!(bytes(b"hognose!".as_ptr()), Some(*b"hognose!"));
        assert_eq!(bytes::<8>(ptr::null()), None);
        assert_eq!(bytes::<8>(usize::MAX as *const u8), None);
        assert_eq!(bytes::<8>(0xDDDD_DDDD_DDDD_DDDD_usize as *const u8), None);
        // SAFETY: a fresh mapping, unmapped below.
        unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let at = libc::mmap(ptr::null_mut(), 8192, libc::PROT_READ, flags, -1, 0).cast::<u8>();
            libc::mprotect(at.add(4096).cast(), 4096, libc::PROT_NONE);
            assert_eq!(bytes::<8>(at.add(4088)), Some([0; 8]));
            assert_eq!(bytes::<8>(at.add(4089)), None, "mapped, but not to be read");
            libc::munmap(at.cast(), 8192);
        }
    }
}
