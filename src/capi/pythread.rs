//! Threads, locks and thread-specific storage for C. Declared in `pythread.h`. None of it needs a thread state.

use core::ffi::{c_int, c_ulong, c_void};
use core::ptr;

use crate::lifecycle::fatal::fatal_error;
use crate::state::{ThreadState, block};
use crate::sync::{Acquired, Mutex, futex, native_thread_id, thread_ident};

/// Zeros for a `T` that may be made before there is a runtime, and freed whenever; null without memory.
fn zeroed<T>() -> *mut T {
    let at = block::take::<T>();
    if !at.is_null() {
        // SAFETY: the block has the type's size.
        unsafe { at.write_bytes(0, 1) };
    }
    at
}

// Threads.

/// Does nothing: there is nothing to prepare.
#[unsafe(no_mangle)]
pub extern "C" fn PyThread_init_thread() {}

/// What a new thread is to call.
struct Call {
    function: unsafe extern "C" fn(*mut c_void),
    argument: *mut c_void,
}

unsafe extern "C-unwind" {
    fn pthread_exit(value: *mut c_void) -> !;
}

/// The thread may end in the middle, by `pthread_exit`: nothing here has to be dropped then.
extern "C-unwind" fn thread_main(call: *mut c_void) -> *mut c_void {
    let call = call.cast::<Call>();
    // SAFETY: the block is this thread's from its start on.
    let (function, argument) = unsafe {
        let Call { function, argument } = call.read();
        block::give(call);
        (function, argument)
    };
    // SAFETY: the function may be called so, its type says.
    unsafe {
        let function: unsafe extern "C-unwind" fn(*mut c_void) = core::mem::transmute(function);
        function(argument);
    }
    ptr::null_mut()
}

/// Starts a thread that has no thread state; its number, or `(unsigned long)-1`.
///
/// # Safety
///
/// The function may be called with the argument in another thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_start_new_thread(
    function: Option<unsafe extern "C" fn(*mut c_void)>,
    argument: *mut c_void,
) -> c_ulong {
    let Some(function) = function else { return c_ulong::MAX };
    let call = block::take::<Call>();
    if call.is_null() {
        return c_ulong::MAX;
    }
    // SAFETY: the block has the struct's size; the attributes are initialized before they are used.
    unsafe {
        call.write(Call { function, argument });
        let mut attributes = core::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
        let mut thread: libc::pthread_t = 0;
        let mut failed = libc::pthread_attr_init(attributes.as_mut_ptr()) != 0;
        if !failed {
            let size = PyThread_get_stacksize();
            failed = (size != 0 && libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), size) != 0)
                || libc::pthread_attr_setdetachstate(attributes.as_mut_ptr(), libc::PTHREAD_CREATE_DETACHED) != 0;
            type Main = extern "C" fn(*mut c_void) -> *mut c_void;
            let main = core::mem::transmute::<extern "C-unwind" fn(*mut c_void) -> *mut c_void, Main>(thread_main);
            failed = failed || libc::pthread_create(&raw mut thread, attributes.as_ptr(), main, call.cast()) != 0;
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
        }
        if failed {
            block::give(call);
            return c_ulong::MAX;
        }
        thread
    }
}

/// Ends the calling thread.
///
/// # Safety
///
/// No thread state is attached, and no frame but C's is above.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn PyThread_exit_thread() -> ! {
    // SAFETY: as promised.
    unsafe { pthread_exit(ptr::null_mut()) }
}

/// The calling thread's number.
#[unsafe(no_mangle)]
pub extern "C" fn PyThread_get_thread_ident() -> c_ulong {
    thread_ident()
}

/// The calling thread's number in the system.
#[unsafe(no_mangle)]
pub extern "C" fn PyThread_get_thread_native_id() -> c_ulong {
    native_thread_id() as c_ulong
}

/// The stack size of new threads, 0 for the system's own.
#[unsafe(no_mangle)]
pub extern "C" fn PyThread_get_stacksize() -> usize {
    ThreadState::try_current().map_or(0, |ts| ts.interp().thread_stack_size.get())
}

/// Sets the stack size of new threads: 0, or -1 for a size that the system does not take. A thread state is attached.
#[unsafe(no_mangle)]
pub extern "C" fn PyThread_set_stacksize(size: usize) -> c_int {
    if size != 0 && (size < 0x8000 || !crate::modules::_thread::is_stack_size(size)) {
        return -1;
    }
    ThreadState::current().interp().thread_stack_size.set(size);
    0
}

// Locks.

/// A new lock, or null.
#[unsafe(no_mangle)]
pub extern "C" fn PyThread_allocate_lock() -> *mut Mutex {
    // Zero is unlocked.
    zeroed()
}

/// Frees a lock.
///
/// # Safety
///
/// The lock is null or from [`PyThread_allocate_lock`], and nobody waits for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_free_lock(lock: *mut Mutex) {
    // SAFETY: as promised.
    unsafe { block::give(lock) }
}

/// Takes a lock, waiting or not; 1 when it was taken, else 0. The GIL is not let go.
///
/// # Safety
///
/// The lock is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_acquire_lock(lock: *mut Mutex, wait: c_int) -> c_int {
    // SAFETY: as promised.
    unsafe { PyThread_acquire_lock_timed(lock, if wait != 0 { -1 } else { 0 }, 0) }
}

/// Takes a lock: negative microseconds wait for ever. `PyLockStatus`: 0 when the time is over, 1 when the lock was
/// taken, 2 when a signal's handler has run and `interruptible` is set. The GIL is not let go.
///
/// # Safety
///
/// The lock is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_acquire_lock_timed(
    lock: *mut Mutex,
    microseconds: i64,
    interruptible: c_int,
) -> c_int {
    // SAFETY: as promised.
    let lock = unsafe { &*lock };
    if lock.try_lock() {
        return 1;
    }
    let deadline = match microseconds {
        0 => return 0,
        ..0 => None,
        _ => Some(futex::now().saturating_add(microseconds.saturating_mul(1000))),
    };
    match lock.lock_until(deadline, interruptible != 0) {
        Acquired::Yes => 1,
        Acquired::TimedOut => 0,
        Acquired::Interrupted => 2,
    }
}

/// Gives a lock back.
///
/// # Safety
///
/// The lock is live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_release_lock(lock: *mut Mutex) {
    // SAFETY: as promised.
    if unsafe { (*lock).unlock() }.is_err() {
        fatal_error("PyThread_release_lock", "the lock is not locked");
    }
}

// Thread-specific storage.

/// `Py_tss_t`.
#[repr(C)]
pub struct TssKey {
    is_initialized: c_int,
    key: libc::pthread_key_t,
}

/// A new key that was not created yet, or null.
#[unsafe(no_mangle)]
pub extern "C" fn PyThread_tss_alloc() -> *mut TssKey {
    zeroed()
}

/// Deletes and frees a key; null does nothing.
///
/// # Safety
///
/// The key is null or from [`PyThread_tss_alloc`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_tss_free(key: *mut TssKey) {
    if !key.is_null() {
        // SAFETY: as promised.
        unsafe {
            PyThread_tss_delete(key);
            block::give(key);
        }
    }
}

/// Whether a key was created.
///
/// # Safety
///
/// The key is live, as for all functions of keys.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_tss_is_created(key: *mut TssKey) -> c_int {
    // SAFETY: as promised.
    unsafe { (*key).is_initialized }
}

/// Creates a key: 0, also when it was created before; -1 when the system has no more.
///
/// # Safety
///
/// As above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_tss_create(key: *mut TssKey) -> c_int {
    // SAFETY: as promised.
    unsafe {
        if (*key).is_initialized != 0 {
            return 0;
        }
        if libc::pthread_key_create(&raw mut (*key).key, None) != 0 {
            return -1;
        }
        (*key).is_initialized = 1;
    }
    0
}

/// Forgets the values of all threads; does nothing when the key was not created.
///
/// # Safety
///
/// As above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_tss_delete(key: *mut TssKey) {
    // SAFETY: as promised.
    unsafe {
        if (*key).is_initialized != 0 {
            (*key).is_initialized = 0;
            libc::pthread_key_delete((*key).key);
        }
    }
}

/// Sets this thread's value: 0, or an error number.
///
/// # Safety
///
/// As above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_tss_set(key: *mut TssKey, value: *mut c_void) -> c_int {
    // SAFETY: as promised.
    unsafe { if libc::pthread_setspecific((*key).key, value) != 0 { -1 } else { 0 } }
}

/// This thread's value, or null.
///
/// # Safety
///
/// As above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyThread_tss_get(key: *mut TssKey) -> *mut c_void {
    // SAFETY: as promised.
    unsafe { libc::pthread_getspecific((*key).key) }
}

// Keys of old, which are numbers.

/// A new key, or -1. Deprecated since 3.7.
#[unsafe(no_mangle)]
pub extern "C" fn PyThread_create_key() -> c_int {
    let mut key = 0;
    // SAFETY: the place is writable.
    if unsafe { libc::pthread_key_create(&raw mut key, None) } != 0 {
        return -1;
    }
    match c_int::try_from(key) {
        Ok(number) => number,
        Err(_) => {
            // SAFETY: created just now.
            unsafe { libc::pthread_key_delete(key) };
            -1
        }
    }
}

/// Deletes a key. Deprecated since 3.7.
#[unsafe(no_mangle)]
pub extern "C" fn PyThread_delete_key(key: c_int) {
    // SAFETY: the system checks the number.
    unsafe { libc::pthread_key_delete(key as libc::pthread_key_t) };
}

/// Sets this thread's value: 0 or -1. Deprecated since 3.7.
#[unsafe(no_mangle)]
pub extern "C" fn PyThread_set_key_value(key: c_int, value: *mut c_void) -> c_int {
    // SAFETY: the system checks the number.
    if unsafe { libc::pthread_setspecific(key as libc::pthread_key_t, value) } != 0 { -1 } else { 0 }
}

/// This thread's value, or null. Deprecated since 3.7.
#[unsafe(no_mangle)]
pub extern "C" fn PyThread_get_key_value(key: c_int) -> *mut c_void {
    // SAFETY: the system checks the number.
    unsafe { libc::pthread_getspecific(key as libc::pthread_key_t) }
}

/// Makes this thread's value null. Deprecated since 3.7.
#[unsafe(no_mangle)]
pub extern "C" fn PyThread_delete_key_value(key: c_int) {
    PyThread_set_key_value(key, ptr::null_mut());
}

/// Does nothing: keys live on over a fork. Deprecated since 3.7.
#[unsafe(no_mangle)]
pub extern "C" fn PyThread_ReInitTLS() {}
