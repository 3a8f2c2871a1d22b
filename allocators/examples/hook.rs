//! A hook over the raw domain that sees every request, put there and taken away while other threads allocate.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use allocator_api2::vec::Vec;
use hognose_allocators::{Domain, HookError, PyMemAllocatorEx, Raw, pop_allocator, push_allocator};

/// What the hook knows: the allocator below it, and the largest request.
struct Watch {
    below: PyMemAllocatorEx,
    requests: AtomicUsize,
    largest: AtomicUsize,
}

unsafe extern "C" fn watch_malloc(ctx: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the hook was pushed with a watch as its context, which lives until it is popped.
    let watch = unsafe { &*ctx.cast::<Watch>() };
    watch.requests.fetch_add(1, Ordering::Relaxed);
    watch.largest.fetch_max(size, Ordering::Relaxed);
    let below = watch.below.malloc.expect("an allocator has a malloc");
    // SAFETY: the allocator below, with its own context.
    unsafe { below(watch.below.ctx, size) }
}

fn main() {
    let mut watch =
        Watch { below: PyMemAllocatorEx::NULL, requests: AtomicUsize::new(0), largest: AtomicUsize::new(0) };
    let at = &raw mut watch;
    // What the hook does not have is passed on to the allocator below.
    let functions = PyMemAllocatorEx { ctx: at.cast(), malloc: Some(watch_malloc), ..PyMemAllocatorEx::NULL };
    // SAFETY: the function is an allocator's and fit for any thread; the watch lives until the hook is popped.
    let token = unsafe { push_allocator(Domain::Raw, functions, None, &raw mut (*at).below) }.expect("a hook fits");

    let threads = [100usize, 2000, 30_000].map(|size| {
        std::thread::spawn(move || {
            let mut bytes = Vec::<u8, _>::new_in(Raw);
            bytes.try_reserve_exact(size).expect("memory");
        })
    });
    for thread in threads {
        thread.join().expect("no thread panics");
    }

    pop_allocator(token).expect("nothing lies over the hook");
    assert_eq!(pop_allocator(token), Err(HookError::Unknown));
    let bytes = Vec::<u8, _>::with_capacity_in(1 << 20, Raw);
    drop(bytes);
    // SAFETY: nobody is in the hook any more, and none will come.
    let watch = unsafe { ptr::read(at) };
    assert_eq!(watch.requests.load(Ordering::Relaxed), 3);
    assert_eq!(watch.largest.load(Ordering::Relaxed), 30_000);
    println!("three requests, the largest of 30000 bytes");
}
