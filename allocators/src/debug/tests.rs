//! What the debug hooks promise (D6).

use core::ffi::c_void;
use core::ptr;
use std::string::String;

use crate::domain::{self, Domain, PyMemAllocatorEx};
use crate::fault;
use crate::heap::{Heap, HeapKind, attach_heap, current_heap};
use crate::table::{get_allocator, set_allocator};
use crate::testing::{Attached, in_child, turn};
use crate::{raw_stats, setup_debug_hooks};

/// The bytes around and in a live block of the hooks.
fn bytes(p: *mut c_void, n: usize) -> (u64, u8, [u8; 7], Vec<u8>, [u8; 8]) {
    let p = p.cast::<u8>();
    // SAFETY: a live block of `n` bytes under the hooks.
    unsafe {
        let size = u64::from_be_bytes(p.sub(16).cast::<[u8; 8]>().read());
        let data = core::slice::from_raw_parts(p, n).to_vec();
        let tail = p.add(n).cast::<[u8; 8]>().read();
        (size, p.sub(8).read(), p.sub(7).cast::<[u8; 7]>().read(), data, tail)
    }
}

/// D6: head, letter, guards and fills are where the documentation of the layout says.
#[test]
fn a_block_has_the_documented_layout() {
    let _turn = turn();
    setup_debug_hooks();
    for kind in HeapKind::ALL {
        let _heap = Attached::new(*kind);
        for domain in Domain::ALL {
            for n in [0usize, 1, 5, 16, 500, 5000] {
                let (fd7, fd8) = ([0xFD; 7], [0xFD; 8]);
                let p = domain::malloc(domain, n);
                assert_eq!(p as usize % 16, 0);
                let clean = vec![0xCD; n];
                assert_eq!(bytes(p, n), (n as u64, domain.letter(), fd7, clean, fd8));
                // SAFETY: a live block.
                let q = unsafe { domain::realloc(domain, p, n + 3) };
                let clean = vec![0xCD; n + 3];
                assert_eq!(bytes(q, n + 3), (n as u64 + 3, domain.letter(), fd7, clean, fd8));
                // SAFETY: a live block.
                unsafe { domain::free(domain, q) };
                let p = domain::calloc(domain, n, 2);
                let zeros = vec![0; 2 * n];
                assert_eq!(bytes(p, 2 * n), (2 * n as u64, domain.letter(), fd7, zeros, fd8));
                // SAFETY: a live block.
                unsafe { domain::free(domain, p) };
            }
        }
    }
}

/* ---- An allocator of a user's, over the C library ---- */

#[derive(Default)]
struct Seen {
    sizes: Vec<usize>,
    frees: usize,
    /// What the last block looked like when it was freed.
    last: Vec<u8>,
    refuse: bool,
}

unsafe extern "C" fn user_malloc(ctx: *mut c_void, n: usize) -> *mut c_void {
    // SAFETY: the tests pass a `Seen`.
    let seen = unsafe { &mut *ctx.cast::<Seen>() };
    seen.sizes.push(n);
    // SAFETY: plain allocation.
    if seen.refuse {
        ptr::null_mut()
    } else {
        // SAFETY: plain allocation.
        unsafe { libc::malloc(n.max(1)) }
    }
}
unsafe extern "C" fn user_calloc(ctx: *mut c_void, a: usize, b: usize) -> *mut c_void {
    assert_eq!(a, 1, "calloc is passed on as one element");
    // SAFETY: as above.
    let p = unsafe { user_malloc(ctx, b) };
    // SAFETY: fresh.
    unsafe { p.cast::<u8>().write_bytes(0, b) };
    p
}
unsafe extern "C" fn user_realloc(ctx: *mut c_void, p: *mut c_void, n: usize) -> *mut c_void {
    // SAFETY: the tests pass a `Seen`.
    let seen = unsafe { &mut *ctx.cast::<Seen>() };
    seen.sizes.push(n);
    // SAFETY: a live block of the C library.
    if seen.refuse {
        ptr::null_mut()
    } else {
        // SAFETY: a live block of the C library.
        unsafe { libc::realloc(p, n.max(1)) }
    }
}
unsafe extern "C" fn user_free(ctx: *mut c_void, p: *mut c_void) {
    // SAFETY: the tests pass a `Seen`; the block is live.
    unsafe {
        let seen = &mut *ctx.cast::<Seen>();
        seen.frees += 1;
        let n = libc::malloc_usable_size(p);
        seen.last = core::slice::from_raw_parts(p.cast::<u8>(), n).to_vec();
        libc::free(p);
    }
}

fn user(seen: &mut Seen) -> PyMemAllocatorEx {
    PyMemAllocatorEx {
        ctx: ptr::from_mut(seen).cast(),
        malloc: Some(user_malloc),
        calloc: Some(user_calloc),
        realloc: Some(user_realloc),
        free: Some(user_free),
    }
}

/// D6: the hooks lie over a user's allocator, ask it for 24 bytes more, and give it dead bytes back.
#[test]
fn hooks_over_a_users_allocator() {
    let _turn = turn();
    let _heap = Attached::new(HeapKind::Malloc);
    let mut seen = Seen::default();
    // SAFETY: the functions are an allocator; nothing lives in the domain.
    unsafe { set_allocator(Domain::Mem, user(&mut seen)) };
    setup_debug_hooks();
    let p = domain::malloc(Domain::Mem, 100);
    // SAFETY: live blocks.
    unsafe {
        let q = domain::realloc(Domain::Mem, p, 40);
        domain::free(Domain::Mem, q);
    }
    let p = domain::calloc(Domain::Mem, 3, 5);
    assert_eq!(seen.sizes, [124, 64, 39]);
    assert!(seen.last[..64].iter().all(|b| *b == 0xDD), "the whole block is dead");
    seen.refuse = true;
    assert!(domain::malloc(Domain::Mem, 1).is_null());
    // SAFETY: a live block.
    unsafe {
        assert!(domain::realloc(Domain::Mem, p, 1000).is_null());
        assert_eq!(bytes(p, 15).3, [0; 15], "a failed growth keeps the contents");
        domain::free(Domain::Mem, p);
    }
    assert_eq!(seen.frees, 2);
}

/// D6: setting the hooks up again changes nothing; over a wrapper of theirs they do not recurse.
#[test]
fn hooks_set_up_twice() {
    let _turn = turn();
    setup_debug_hooks();
    let once = get_allocator(Domain::Raw);
    setup_debug_hooks();
    assert_eq!(get_allocator(Domain::Raw), once);

    static mut BELOW: PyMemAllocatorEx = PyMemAllocatorEx::NULL;
    unsafe extern "C" fn pass_malloc(_: *mut c_void, n: usize) -> *mut c_void {
        // SAFETY: set once below, before it is used.
        unsafe { BELOW.malloc.unwrap()(BELOW.ctx, n) }
    }
    unsafe extern "C" fn pass_free(_: *mut c_void, p: *mut c_void) {
        // SAFETY: as above.
        unsafe { BELOW.free.unwrap()(BELOW.ctx, p) }
    }
    // SAFETY: the wrapper passes everything on.
    unsafe {
        BELOW = once;
        let wrapper =
            PyMemAllocatorEx { ctx: ptr::null_mut(), malloc: Some(pass_malloc), free: Some(pass_free), ..once };
        let old = get_allocator(Domain::Raw);
        set_allocator(Domain::Raw, wrapper);
        setup_debug_hooks();
        assert_ne!(get_allocator(Domain::Raw), old, "a layer of its own");
        let before = raw_stats().live_blocks;
        let p = domain::raw_malloc(10);
        assert_eq!(bytes(p, 10).0, 10);
        domain::raw_free(p);
        assert_eq!(raw_stats().live_blocks, before);
    }
}

/// A program may hold raw blocks while pre-initialization chooses an allocator without the hooks.
#[test]
fn raw_blocks_outlive_the_hooks() {
    let _turn = turn();
    let before = raw_stats().live_blocks;
    crate::select(crate::AllocatorName::MallocDebug).expect("malloc is always there");
    // SAFETY: blocks of the raw domain, each used as long as it lives.
    unsafe {
        let (p, q) = (domain::raw_malloc(40), domain::raw_malloc(10));
        p.cast::<u8>().write_bytes(7, 40);
        crate::select(crate::AllocatorName::Malloc).expect("malloc is always there");
        let p = domain::raw_realloc(p, 80);
        assert_eq!(p.cast::<u8>().add(39).read(), 7);
        domain::raw_free(p);
        domain::raw_free(q);
    }
    assert_eq!(raw_stats().live_blocks, before);
}

/* ---- Reports ---- */

/// The report of what `f` does wrong in a child.
fn report(f: impl FnOnce()) -> String {
    let (text, signal) = in_child(f);
    assert_eq!(signal, Some(libc::SIGABRT), "{text}");
    text
}

#[test]
fn a_wrong_domain_is_reported() {
    let _turn = turn();
    setup_debug_hooks();
    let _heap = Attached::new(HeapKind::Malloc);
    let p = domain::malloc(Domain::Mem, 5);
    // SAFETY: wrong on purpose, in a child.
    let text = report(|| unsafe { domain::free(Domain::Obj, p) });
    let expected = std::format!(
        "Debug memory block at address p={p:p}: API 'm'
    5 bytes originally requested
    The 7 pad bytes at p-7 are FORBIDDENBYTE, as expected.
    The 8 pad bytes at tail={:p} are FORBIDDENBYTE, as expected.
    Data at p: cd cd cd cd cd

Enable tracemalloc to get the memory block allocation traceback

Fatal Python error: _PyMem_DebugRawFree: bad ID: Allocated using API 'm', verified using API 'o'
",
        p.wrapping_byte_add(5)
    );
    assert_eq!(text, expected);
}

#[test]
fn a_write_before_the_block_is_reported() {
    let _turn = turn();
    setup_debug_hooks();
    // SAFETY: wrong on purpose, in a child.
    let text = report(|| unsafe {
        let p = domain::raw_malloc(20);
        p.cast::<u8>().sub(2).write(7);
        let _ = domain::raw_realloc(p, 30);
    });
    let expected = "    The 7 pad bytes at p-7 are not all FORBIDDENBYTE (0xfd):
        at p-7: 0xfd
        at p-6: 0xfd
        at p-5: 0xfd
        at p-4: 0xfd
        at p-3: 0xfd
        at p-2: 0x07 *** OUCH
        at p-1: 0xfd
    Because memory is corrupted at the start, the count of bytes requested
       may be bogus, and checking the trailing pad bytes may segfault.
";
    assert!(text.contains(expected), "{text}");
    assert!(text.contains("    Data at p: cd cd cd cd cd cd cd cd ... cd cd cd cd cd cd cd cd\n"));
    let last = "Fatal Python error: _PyMem_DebugRawRealloc: bad leading pad byte\n";
    assert!(text.ends_with(last), "{text}");
}

#[test]
fn a_write_behind_the_block_is_reported() {
    let _turn = turn();
    setup_debug_hooks();
    // SAFETY: wrong on purpose, in a child.
    let text = report(|| unsafe {
        let p = domain::raw_malloc(3);
        p.cast::<u8>().add(3).write(0x41);
        domain::raw_free(p);
    });
    assert!(text.contains(" are not all FORBIDDENBYTE (0xfd):\n        at tail+0: 0x41 *** OUCH\n"));
    assert!(text.contains("        at tail+7: 0xfd\n    Data at p: cd cd cd\n"), "{text}");
    assert!(text.ends_with("_PyMem_DebugRawFree: bad trailing pad byte\n"), "{text}");
}

#[test]
fn a_double_free_is_reported_as_one() {
    let _turn = turn();
    setup_debug_hooks();
    for kind in HeapKind::ALL {
        let _heap = Attached::new(*kind);
        for domain in Domain::ALL {
            for n in [0, 10, 600, 5_000_000] {
                // SAFETY: wrong on purpose, in a child.
                let text = report(|| unsafe {
                    // A neighbour keeps the page in use, and the C library from cutting the block up.
                    let p = domain::malloc(domain, n);
                    let _neighbour = domain::malloc(domain, n);
                    domain::free(domain, p);
                    domain::free(domain, p);
                });
                assert!(text.contains("double free"), "{kind:?} {domain:?} {n}: {text}");
            }
        }
    }
}

#[test]
fn a_block_of_another_interpreter_is_reported() {
    let _turn = turn();
    setup_debug_hooks();
    for kind in HeapKind::ALL {
        let one = Attached::new(*kind);
        one.set_label(1);
        let small = domain::malloc(Domain::Obj, 10);
        let large = domain::malloc(Domain::Obj, 1000);
        let two = Attached::new(*kind);
        two.set_label(2);
        for p in [small, large] {
            // SAFETY: wrong on purpose, in a child.
            let text = report(|| unsafe { domain::free(Domain::Obj, p) });
            assert!(text.ends_with("the block belongs to interpreter 1, not to 2\n"), "{text}");
        }
        drop(two);
        attach_heap(one.0.as_ptr());
    }
}

#[test]
fn a_free_after_the_interpreter_is_gone_is_reported() {
    let _turn = turn();
    setup_debug_hooks();
    for kind in [HeapKind::ALL[0], *HeapKind::ALL.last().unwrap()] {
        let one = Attached::new(kind);
        let small = domain::malloc(Domain::Obj, 10);
        let large = domain::malloc(Domain::Obj, 3000);
        drop(one);
        let _two = Attached::new(kind);
        for p in [small, large] {
            // SAFETY: wrong on purpose, in a child.
            let text = report(|| unsafe { domain::free(Domain::Obj, p) });
            let said = ["late free", "double free", "bad "].iter().any(|what| text.contains(what));
            assert!(said, "{kind:?}: {text}");
        }
    }
    #[cfg(feature = "pymalloc")]
    {
        let one = Attached::new(HeapKind::Pymalloc);
        let p = domain::malloc(Domain::Obj, 10);
        drop(one);
        let _two = Attached::new(HeapKind::Pymalloc);
        // SAFETY: wrong on purpose, in a child.
        let text = report(|| unsafe { domain::free(Domain::Obj, p) });
        assert!(text.contains("late free"), "{text}");
    }
}

#[test]
fn a_call_without_a_thread_state_is_reported() {
    let _turn = turn();
    setup_debug_hooks();
    assert!(current_heap().is_null());
    let what = "Python memory allocator called without holding the GIL\n";
    let name = |function: &str| std::format!("Fatal Python error: _PyMem_Debug{function}: {what}");
    for domain in [Domain::Mem, Domain::Obj] {
        assert_eq!(
            report(|| {
                let _ = domain::malloc(domain, 1);
            }),
            name("Malloc")
        );
        assert_eq!(
            report(|| {
                let _ = domain::calloc(domain, 1, 1);
            }),
            name("Calloc")
        );
        assert_eq!(
            report(|| {
                // SAFETY: null may be freed, but not here.
                unsafe { domain::free(domain, ptr::null_mut()) }
            }),
            name("Free")
        );
    }
}

/// A pointer that never was a block's is reported, and nothing faults on the way: wild, poisoned, of the stack, of
/// constant data, inside a block.
#[test]
fn a_foreign_pointer_is_reported() {
    let _turn = turn();
    setup_debug_hooks();
    for kind in HeapKind::ALL {
        let heap = Attached::new(*kind);
        let block = heap.obj_alloc(200);
        let local = [0u64; 16];
        let wild = [1usize, 8, 4096, 0xFDFD_FDFD_FDFD_FDFD, 0xDDDD_DDDD_DDDD_DDD0, usize::MAX, 1 << 47];
        let mapped = [local.as_ptr().wrapping_add(4) as usize, b"constant data, long enough".as_ptr() as usize + 16];
        for domain in Domain::ALL {
            for p in wild {
                // SAFETY: wrong on purpose, in a child.
                let text = report(|| unsafe { domain::free(domain, p as *mut c_void) });
                let end = " is no block's address: there is no memory that could be read\n";
                assert!(text.starts_with("Fatal Python error: _PyMem_DebugRawFree: bad pointer: "), "{text}");
                assert!(text.ends_with(end), "{text}");
            }
            for p in mapped.into_iter().chain([block as usize + 48]) {
                // SAFETY: wrong on purpose, in a child.
                let text = report(|| unsafe { domain::free(domain, p as *mut c_void) });
                assert!(text.contains("bad ID: Allocated using API") || text.contains("double free"), "{p:x} {text}");
            }
        }
    }
}

/// A size that was overwritten while letter and guard were not leads anywhere: the report says so and does not follow.
#[test]
fn a_damaged_size_is_reported() {
    let _turn = turn();
    setup_debug_hooks();
    for kind in HeapKind::ALL {
        let _heap = Attached::new(*kind);
        for domain in Domain::ALL {
            for (size, readable) in [(9usize, true), (3000, true), (usize::MAX / 2, false), (1 << 46, false)] {
                // SAFETY: wrong on purpose, in a child.
                let text = report(|| unsafe {
                    let p = domain::malloc(domain, 10);
                    p.cast::<u8>().sub(16).cast::<[u8; 8]>().write(size.to_be_bytes());
                    domain::free(domain, p);
                });
                assert!(text.contains(&std::format!("    {size} bytes originally requested\n")), "{text}");
                assert!(readable || text.contains(" cannot be read.\n"), "{text}");
                assert!(text.ends_with("_PyMem_DebugRawFree: bad trailing pad byte\n"), "{text}");
            }
        }
    }
}

/// Who knows where a block was allocated is asked, and what he writes takes the place of the advice.
#[test]
fn the_allocation_is_told_by_who_knows_it() {
    let _turn = turn();
    setup_debug_hooks();
    fn printer(domain: Domain, p: *mut u8) -> bool {
        if domain != Domain::Raw || !(p as usize).is_multiple_of(16) {
            return false;
        }
        let text = c"Memory block allocated at (most recent call first):\n  File \"x.py\", line 1\n\n".to_bytes();
        // SAFETY: the text is valid for its length.
        unsafe { libc::write(2, text.as_ptr().cast(), text.len()) == text.len() as isize }
    }
    crate::set_traceback_printer(printer);
    // SAFETY: wrong on purpose, in a child.
    let text = report(|| unsafe {
        let p = domain::raw_malloc(0);
        p.cast::<u8>().write(1);
        domain::raw_free(p);
    });
    crate::set_traceback_printer(|_, _| false);
    let expected = "        at tail+7: 0xfd

Memory block allocated at (most recent call first):
  File \"x.py\", line 1

Fatal Python error: _PyMem_DebugRawFree: bad trailing pad byte
";
    assert!(text.ends_with(expected), "{text}");
}

/// D6: what a foreign thread frees is checked at once and counted when the owner drains its queue.
#[test]
fn a_foreign_free_passes_the_hooks() {
    let _turn = turn();
    setup_debug_hooks();
    for kind in HeapKind::ALL {
        let heap = Attached::new(*kind);
        let (small, large) = (heap.mem_alloc(0), heap.obj_alloc(1000));
        let heap_address = heap.0.as_ptr() as usize;
        let blocks = [small as usize, large as usize];
        std::thread::spawn(move || {
            // SAFETY: the heap lives; the blocks are not used any more.
            unsafe {
                let heap = &*(heap_address as *const Heap);
                for block in blocks {
                    heap.free_foreign(block as *mut u8);
                }
            }
        })
        .join()
        .unwrap();
        for domain in [Domain::Mem, Domain::Obj] {
            assert_eq!(heap.stats(domain).live_blocks, 0, "{kind:?}");
        }
        heap.validate();
    }
}

/// D2 under D6: a failed allocation under the hooks is a null, and the heap is as before.
#[test]
fn faults_under_the_hooks() {
    let _turn = turn();
    setup_debug_hooks();
    let heap = Attached::new(HeapKind::Malloc);
    let p = heap.obj_alloc(10);
    fault::arm(Some(2));
    // SAFETY: a live block.
    unsafe {
        let p = heap.obj_realloc(p, 5);
        assert!(!p.is_null(), "a shrinking realloc does not count");
        assert_eq!(fault::count(), 0);
        let p = heap.obj_realloc(p, 500);
        assert!(!p.is_null());
        assert!(heap.obj_realloc(p, 5000).is_null());
        assert!(fault::fired());
        fault::disarm();
        heap.obj_free(p);
    }
    assert_eq!(heap.stats(Domain::Obj).live_blocks, 0);
}
