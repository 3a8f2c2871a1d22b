//! What the hook stack promises (D5).

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::boxed::Box;
use std::thread;

use super::*;
use crate::domain::{raw_free, raw_malloc, raw_realloc};
use crate::table::{get_allocator, set_allocator};
use crate::testing::turn;
use crate::{raw_stats, setup_debug_hooks};

/// A hook that counts, and passes everything on.
struct Counting {
    below: PyMemAllocatorEx,
    /// Cleared when the hook is freed: a call that comes later sees that.
    alive: AtomicBool,
    calls: AtomicUsize,
}

unsafe extern "C" fn counting_malloc(ctx: *mut c_void, n: usize) -> *mut c_void {
    // SAFETY: the tests pass a `Counting`.
    unsafe {
        let hook = &*ctx.cast::<Counting>();
        assert!(hook.alive.load(Ordering::Relaxed), "D5: a call came after the hook was gone");
        hook.calls.fetch_add(1, Ordering::Relaxed);
        hook.below.malloc.unwrap()(hook.below.ctx, n)
    }
}

unsafe extern "C" fn counting_free(ctx: *mut c_void, p: *mut c_void) {
    // SAFETY: the tests pass a `Counting`.
    unsafe {
        let hook = &*ctx.cast::<Counting>();
        assert!(hook.alive.load(Ordering::Relaxed), "D5: a call came after the hook was gone");
        hook.below.free.unwrap()(hook.below.ctx, p);
    }
}

fn push(domain: Domain) -> (HookToken, *mut Counting) {
    let hook = Box::into_raw(Box::new(Counting {
        below: PyMemAllocatorEx::NULL,
        alive: AtomicBool::new(true),
        calls: AtomicUsize::new(0),
    }));
    let functions = PyMemAllocatorEx {
        ctx: hook.cast(),
        malloc: Some(counting_malloc),
        free: Some(counting_free),
        ..PyMemAllocatorEx::NULL
    };
    // SAFETY: the functions pass on; the hook is freed after it is popped.
    let token = unsafe { push_allocator(domain, functions, None, &raw mut (*hook).below) }.expect("memory for a gate");
    (token, hook)
}

/// Frees a popped hook; how often it was called.
fn bury(hook: *mut Counting) -> usize {
    // SAFETY: made by `push`, popped.
    let hook = unsafe { Box::from_raw(hook) };
    hook.alive.store(false, Ordering::Relaxed);
    hook.calls.load(Ordering::Relaxed)
}

#[test]
fn hooks_come_and_go_in_order() {
    let _turn = turn();
    let before = get_allocator(Domain::Raw);
    let (first, a) = push(Domain::Raw);
    let (second, b) = push(Domain::Raw);
    let p = raw_malloc(10);
    // SAFETY: a live block; the hooks have no realloc of their own.
    let p = unsafe { raw_realloc(p, 100) };
    assert!(!p.is_null());
    assert_eq!(pop_allocator(first), Err(HookError::NotOnTop));
    assert_eq!(pop_allocator(second), Ok(()));
    assert_eq!(pop_allocator(second), Err(HookError::Unknown));
    // SAFETY: a live block, which the allocators below know.
    unsafe { raw_free(p) };
    assert_eq!(pop_allocator(first), Ok(()));
    assert_eq!((bury(a), bury(b)), (1, 1));
    assert_eq!(get_allocator(Domain::Raw), before);
}

#[test]
fn a_hook_under_others_is_not_popped() {
    let _turn = turn();
    let below = get_allocator(Domain::Raw);
    let (token, hook) = push(Domain::Raw);
    let pushed = get_allocator(Domain::Raw);
    setup_debug_hooks();
    assert_eq!(pop_allocator(token), Err(HookError::NotOnTop), "the debug hooks lie over it");
    // SAFETY: nothing lives that the debug hooks made.
    unsafe { set_allocator(Domain::Raw, below) };
    assert_eq!(pop_allocator(token), Err(HookError::NotOnTop), "somebody has taken it away");
    // SAFETY: the gate's functions live for ever.
    unsafe { set_allocator(Domain::Raw, pushed) };
    assert_eq!(pop_allocator(token), Ok(()));
    bury(hook);
    // What was popped passes on to what was below it.
    let p = raw_malloc(5);
    // SAFETY: a live block; a closed gate passes on.
    unsafe { pushed.free.unwrap()(pushed.ctx, p) };
}

unsafe extern "C" fn one_block(ctx: *mut c_void) -> usize {
    // SAFETY: the test passes such a counter.
    unsafe { (*ctx.cast::<AtomicUsize>()).load(Ordering::SeqCst) }
}

#[test]
fn a_hook_with_live_blocks_is_not_popped() {
    let _turn = turn();
    let live = AtomicUsize::new(1);
    let functions = PyMemAllocatorEx { ctx: ptr::from_ref(&live).cast_mut().cast(), ..PyMemAllocatorEx::NULL };
    // SAFETY: all functions are passed on.
    let token = unsafe { push_allocator(Domain::Obj, functions, Some(one_block), ptr::null_mut()) }.unwrap();
    assert_eq!(pop_allocator(token), Err(HookError::BlocksLive));
    live.store(0, Ordering::SeqCst);
    assert_eq!(pop_allocator(token), Ok(()));
}

/// A call that is inside keeps the hook from being gone.
#[test]
fn a_busy_hook_is_waited_for() {
    let _turn = turn();
    static INSIDE: AtomicBool = AtomicBool::new(false);
    static GO_ON: AtomicBool = AtomicBool::new(false);
    unsafe extern "C" fn slow_malloc(_: *mut c_void, _: usize) -> *mut c_void {
        INSIDE.store(true, Ordering::SeqCst);
        while !GO_ON.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        ptr::null_mut()
    }
    let functions = PyMemAllocatorEx { malloc: Some(slow_malloc), ..PyMemAllocatorEx::NULL };
    // SAFETY: a malloc may fail.
    let token = unsafe { push_allocator(Domain::Raw, functions, None, ptr::null_mut()) }.unwrap();
    let caller = thread::Builder::new().spawn(|| raw_malloc(1).is_null()).unwrap();
    while !INSIDE.load(Ordering::SeqCst) {
        thread::yield_now();
    }
    assert_eq!(pop_allocator(token), Err(HookError::Busy));
    let p = raw_malloc(1);
    assert!(!p.is_null(), "it gets no new calls");
    // SAFETY: a live block.
    unsafe { raw_free(p) };
    GO_ON.store(true, Ordering::SeqCst);
    assert!(caller.join().unwrap());
    assert_eq!(pop_allocator(token), Ok(()));
}

/// D5: hooks come and go, and with them what they use, while threads allocate; no call is lost and none comes too late.
#[test]
fn hooks_are_swapped_under_running_threads() {
    let _turn = turn();
    let before = raw_stats().live_blocks;
    let stop = AtomicBool::new(false);
    let started = AtomicUsize::new(0);
    let mut calls = 0;
    thread::scope(|scope| {
        for seed in 1..4u64 {
            let (stop, started) = (&stop, &started);
            scope.spawn(move || {
                let mut random = crate::testing::Random(seed * 77);
                let mut blocks = [ptr::null_mut::<c_void>(); 64];
                started.fetch_add(1, Ordering::SeqCst);
                while !stop.load(Ordering::Relaxed) {
                    let (i, n) = (random.below(64), random.below(300));
                    // SAFETY: null or a live block of ours, in each call.
                    unsafe {
                        if random.below(4) == 0 && !blocks[i].is_null() {
                            blocks[i] = raw_realloc(blocks[i], n);
                        } else {
                            raw_free(blocks[i]);
                            blocks[i] = raw_malloc(n);
                        }
                        assert!(!blocks[i].is_null());
                        blocks[i].cast::<u8>().write_bytes(seed as u8, n);
                    }
                }
                for block in blocks {
                    // SAFETY: null or a live block of ours.
                    unsafe { raw_free(block) };
                }
            });
        }
        while started.load(Ordering::SeqCst) < 3 {
            thread::yield_now();
        }
        for round in 0..2000 {
            let (first, a) = push(Domain::Raw);
            if round % 2 == 0 {
                let (second, b) = push(Domain::Raw);
                if round % 64 == 0 {
                    thread::yield_now();
                }
                assert_eq!(pop_allocator(second), Ok(()));
                calls += bury(b);
            }
            assert_eq!(pop_allocator(first), Ok(()));
            calls += bury(a);
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(calls > 0, "the hooks were really called");
    assert_eq!(raw_stats().live_blocks, before, "each block came back");
    assert!(gates().count() < 64, "gates are used again: {}", gates().count());
}
