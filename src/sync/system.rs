//! The operating system's threads and process.

use core::ffi::{CStr, c_void};

/// The most that is believed of a stack whose size has no limit.
const STACK_SIZE: usize = 8 << 20;

/// The calling thread's native stack: lowest and highest address.
pub fn native_stack_bounds() -> (usize, usize) {
    let local = 0u8;
    let here = core::ptr::from_ref(core::hint::black_box(&local)).addr();
    match main_stack_bounds() {
        Some((low, high)) if low < here && here < high => (low, high),
        _ => thread_stack_bounds(),
    }
}

/// The stack that the process began with. The system's library would read `/proc/self/maps` to find it; but the name
/// of the program is the highest thing on it.
fn main_stack_bounds() -> Option<(usize, usize)> {
    // SAFETY: the auxiliary vector's entry, if any, points to a C string that stays; the limit is written before it
    // is read.
    unsafe {
        let name = core::ptr::with_exposed_provenance::<core::ffi::c_char>(libc::getauxval(libc::AT_EXECFN) as usize);
        if name.is_null() {
            return None;
        }
        let high = (name.addr() + CStr::from_ptr(name).count_bytes()).next_multiple_of(4096);
        let mut limit = core::mem::MaybeUninit::<libc::rlimit>::uninit();
        if libc::getrlimit(libc::RLIMIT_STACK, limit.as_mut_ptr()) != 0 {
            return None;
        }
        let limit = limit.assume_init().rlim_cur;
        let size = if limit > 64 << 20 { STACK_SIZE } else { limit as usize };
        Some((high.checked_sub(size)?, high))
    }
}

fn thread_stack_bounds() -> (usize, usize) {
    // SAFETY: `pthread_getattr_np` fills the attributes, which are destroyed afterwards.
    unsafe {
        let mut attributes = core::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return (0, 0);
        }
        let mut address: *mut c_void = core::ptr::null_mut();
        let mut size = 0;
        let failed = libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut address, &raw mut size) != 0;
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        if failed {
            return (0, 0);
        }
        let (mut low, high) = (address.addr(), address.addr() + size);
        if size > 64 << 20 {
            low = low.max(high.saturating_sub(STACK_SIZE));
        }
        (low, high)
    }
}

/// `threading.get_ident()` of the calling thread.
pub fn thread_ident() -> u64 {
    // SAFETY: always succeeds.
    unsafe { libc::pthread_self() as u64 }
}

/// An environment variable, as it stands now; borrowed until the environment changes.
pub fn environment_variable(name: &CStr) -> Option<&'static CStr> {
    // SAFETY: the name is a C string; the result is null or a C string of the environment.
    unsafe {
        let value = libc::getenv(name.as_ptr());
        if value.is_null() { None } else { Some(CStr::from_ptr(value)) }
    }
}

/// Fills a buffer with random bytes; false when the system gives none.
pub fn random_bytes(buffer: &mut [u8]) -> bool {
    let mut done = 0;
    while done < buffer.len() {
        // SAFETY: the rest of the buffer is writable.
        let got = unsafe { libc::getrandom(buffer[done..].as_mut_ptr().cast(), buffer.len() - done, 0) };
        if got <= 0 {
            return false;
        }
        done += got as usize;
    }
    true
}

/// `threading.get_native_id()` of the calling thread.
pub fn native_thread_id() -> i64 {
    // SAFETY: always succeeds.
    unsafe { libc::syscall(libc::SYS_gettid) }
}
