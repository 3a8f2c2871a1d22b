//! What `guard` promises.

use std::string::String;

use super::*;
use crate::domain::{self, Domain};
use crate::heap::{Heap, HeapKind};
use crate::name::{AllocatorName, current_name, install};
use crate::table;
use crate::testing::{Attached, Turn, in_child, turn};
use crate::{heap_kind, raw_stats};

/// A turn under `guard`, with a sample in so many blocks.
fn guarded(rate: usize) -> Turn {
    let turn = turn();
    assert!(set_options(rate, 64));
    install(&mut table::WRITER.lock(), AllocatorName::Guard).expect("the system gives what is needed");
    assert_eq!(current_name(), Some(AllocatorName::Guard));
    turn
}

#[test]
fn the_options_are_read() {
    assert_eq!(parse_options(b"100"), Some((100, 0)));
    assert_eq!(parse_options(b"1:8192"), Some((1, 8192)));
    for wrong in ["", "0", "x", "-1", "+1", "1:", ":1", "1:0", "1:8193", "1:2:3", "99999999999999999999", " 1"] {
        assert_eq!(parse_options(wrong.as_bytes()), None, "{wrong}");
    }
    assert!(!set_options(1, MOST_SLOTS + 1));
}

fn sampled(heap: &Heap) -> u64 {
    crate::heap::Tag::ALL.into_iter().map(|tag| heap.sampler.counts(tag).2).sum()
}

/// One block in so many in the mean, whether blocks stay, or come and go at once on the inlined path.
#[test]
fn one_block_in_so_many_is_sampled() {
    let _turn = guarded(100);
    for kind in HeapKind::ALL {
        let heap = Attached::new(*kind);
        for i in 0..20_000 {
            let p = heap.obj_alloc(40 + i % 8);
            // SAFETY: a live block.
            unsafe { heap.obj_free(p) };
        }
        let after_pairs = sampled(&heap);
        assert!((150..=250).contains(&after_pairs), "{kind:?}: {after_pairs}");
        let blocks: Vec<_> = (0..4000).map(|_| heap.gc_alloc(100)).collect();
        heap.validate();
        assert_eq!(heap.stats(Domain::Obj).live_blocks, 4000);
        let mut seen = 0;
        heap.walk(&mut |_, _, _| seen += 1);
        assert_eq!(seen, 4000);
        let after_batch = sampled(&heap) - after_pairs;
        assert!((15..=64).contains(&after_batch), "{kind:?}: {after_batch}");
        for p in blocks {
            // SAFETY: a live block of that size.
            unsafe { heap.gc_free_sized(p, 100) };
        }
        assert_eq!(heap.stats(Domain::Obj).live_blocks, 0);
        heap.validate();
        heap.collect();
        heap.validate();
    }
}

/// With rate 1 each block is sampled until all slots live; contents survive any resizing.
#[test]
fn sampled_blocks_are_blocks() {
    let _turn = guarded(1);
    for kind in HeapKind::ALL {
        let heap = Attached::new(*kind);
        for n in [0usize, 1, 15, 16, 17, 500, 512, 513, 4096, 4097, 8192, 8193, 100_000] {
            let p = heap.mem_alloc_zeroed(n);
            assert_eq!(p as usize % 16, 0);
            // SAFETY: a live block of that size, in each call.
            unsafe {
                assert!((0..n).all(|i| p.add(i).read() == 0));
                p.write_bytes(7, n);
                let p = heap.mem_realloc(p, n + 100);
                assert!((0..n).all(|i| p.add(i).read() == 7));
                p.write_bytes(8, n + 100);
                let p = heap.mem_realloc(p, n / 2);
                assert!((0..n / 2).all(|i| p.add(i).read() == 8));
                heap.mem_free(p);
            }
        }
        assert!(sampled(&heap) >= 20, "{kind:?}");
        assert_eq!(heap.stats(Domain::Mem).live_blocks, 0);
    }
}

#[test]
fn the_raw_domain_is_sampled_and_counted() {
    let _turn = guarded(1);
    let before = raw_stats().live_blocks;
    let blocks: Vec<_> = (0..200).map(domain::raw_malloc).collect();
    assert_eq!(raw_stats().live_blocks, before + 200);
    assert!(blocks.iter().filter(|p| pool::in_pool(p.cast())).count() >= 30);
    for p in blocks {
        // SAFETY: live blocks.
        unsafe {
            let p = domain::raw_realloc(p, 10_000);
            assert!(!p.is_null());
            domain::raw_free(p);
        }
    }
    let p = domain::raw_calloc(5, 5);
    // SAFETY: a live block.
    unsafe {
        assert!((0..25).all(|i| p.cast::<u8>().add(i).read() == 0));
        domain::raw_free(p);
    }
    assert_eq!(raw_stats().live_blocks, before);
}

/// A block that lives when its heap goes is taken back; one that another thread frees goes home.
#[test]
fn blocks_outlive_neither_heap_nor_thread() {
    let _turn = guarded(1);
    let heap = Attached::new(heap_kind());
    let kept = heap.obj_alloc(10);
    assert!(pool::in_pool(kept));
    let given = heap.obj_alloc(10) as usize;
    let address = heap.0.as_ptr() as usize;
    std::thread::spawn(move || {
        // SAFETY: the heap lives; the block is not used any more.
        unsafe { (*(address as *const Heap)).free_foreign(given as *mut u8) }
    })
    .join()
    .unwrap();
    assert_eq!(heap.stats(Domain::Obj).live_blocks, 1);
    drop(heap);
    let _next = Attached::new(heap_kind());
    assert_eq!(heap_of(kept), None);
}

/// What a child writes that is to end by a signal.
fn dies(signal: i32, f: impl FnOnce()) -> String {
    let (text, ended) = in_child(f);
    assert_eq!(ended, Some(signal), "{text}");
    text
}

#[test]
fn an_overflow_faults_at_once() {
    let _turn = guarded(1);
    let heap = Attached::new(heap_kind());
    heap.set_label(3);
    let p = heap.obj_alloc(64);
    // SAFETY: wrong on purpose, in a child.
    let text = dies(libc::SIGSEGV, || unsafe { p.add(70).write_volatile(1) });
    let head = std::format!(
        "Guard: buffer overflow: write at address {:p}
    6 bytes after the end of the block below
Guarded memory block at address p={p:p}: 64 bytes of the obj domain, interpreter 3
Allocated by thread ",
        p.wrapping_add(70)
    );
    assert!(text.starts_with(&head), "{text}");
    assert!(text.contains(" (most recent call first):\n  0x0000"), "native frames: {text}");
    assert!(text.contains("/hognose_allocators-"), "the frames name their file: {text}");
    assert!(!text.contains("Freed"), "{text}");
}

#[test]
fn an_underflow_faults_or_is_found() {
    let _turn = guarded(1);
    let heap = Attached::new(heap_kind());
    let p = heap.obj_alloc(4096);
    // SAFETY: wrong on purpose, in a child.
    let text = dies(libc::SIGSEGV, || unsafe {
        p.sub(1).read_volatile();
    });
    assert!(text.starts_with("Guard: buffer underflow: read at address "), "{text}");
    assert!(text.contains("    1 bytes before the start of the block below\n"), "{text}");
    let small = heap.obj_alloc(20);
    // SAFETY: wrong on purpose, in children.
    unsafe {
        let text = dies(libc::SIGABRT, || {
            small.sub(3).write(0);
            heap.obj_free(small);
        });
        assert!(text.contains("guard: buffer underflow: written 3 bytes before the start of the block\n"), "{text}");
        let text = dies(libc::SIGABRT, || {
            small.add(22).write(0);
            heap.obj_free(small);
        });
        assert!(text.contains("guard: buffer overflow: written 2 bytes after the end of the block\n"), "{text}");
    }
}

#[test]
fn a_use_after_free_faults_with_both_tracebacks() {
    let _turn = guarded(1);
    fn stack(out: &mut dyn core::fmt::Write) -> bool {
        out.write_str("  File \"x.py\", line 7 in f\n").is_ok()
    }
    set_stack_writer(Some(stack));
    let heap = Attached::new(heap_kind());
    let p = heap.obj_alloc(32);
    set_stack_writer(None);
    // SAFETY: wrong on purpose, in a child.
    let text = dies(libc::SIGSEGV, || unsafe {
        heap.obj_free(p);
        // Others come and go, and the block stays dead.
        for _ in 0..20 {
            heap.obj_free(heap.obj_alloc(32));
        }
        p.add(5).read_volatile();
    });
    assert!(text.starts_with("Guard: use after free: read at address "), "{text}");
    assert!(text.contains("    at offset 5 of the block below\n"), "{text}");
    assert!(text.contains("(most recent call first):\n  File \"x.py\", line 7 in f\nFreed by thread "), "{text}");
}

#[test]
fn wrong_frees_are_reported() {
    let _turn = guarded(1);
    let heap = Attached::new(heap_kind());
    let p = heap.obj_alloc(32);
    // SAFETY: wrong on purpose, in children.
    unsafe {
        let text = dies(libc::SIGABRT, || {
            heap.obj_free(p);
            heap.obj_free(p);
        });
        assert!(text.contains("\nFreed by thread "), "{text}");
        assert!(text.ends_with("Fatal Python error: guard: double free: the block was already freed\n"), "{text}");
        let text = dies(libc::SIGABRT, || heap.obj_free(p.add(16)));
        assert!(text.ends_with(" is not the address of a block\n"), "{text}");
        let text = dies(libc::SIGABRT, || domain::raw_free(p.cast()));
        assert!(text.ends_with("wrong domain: the block was freed by the functions of raw\n"), "{text}");
        let raw =
            (0..4).map(|_| domain::raw_malloc(9)).find(|p| pool::in_pool(p.cast())).expect("every block is sampled");
        let text = dies(libc::SIGABRT, || domain::free(Domain::Obj, raw));
        assert!(text.ends_with("wrong domain: the block was freed by the functions of mem and obj\n"), "{text}");
    }
}

/// A fault that is none of ours goes to whoever was there before.
#[test]
fn other_faults_are_passed_on() {
    let _turn = turn();
    extern "C" fn before(_: libc::c_int) {
        // SAFETY: writes and leaves.
        unsafe {
            libc::write(2, c"the old handler".as_ptr().cast(), 15);
            libc::_exit(7);
        }
    }
    let (text, signal) = in_child(|| {
        // SAFETY: a handler, and a wrong address on purpose, in a child.
        unsafe {
            libc::signal(libc::SIGSEGV, before as *const () as usize);
            install(&mut table::WRITER.lock(), AllocatorName::Guard).expect("the system gives what is needed");
            (8 as *mut u8).write_volatile(1);
        }
    });
    assert_eq!((text.as_str(), signal), ("the old handler", None));
    let (text, signal) = in_child(|| {
        install(&mut table::WRITER.lock(), AllocatorName::Guard).expect("the system gives what is needed");
        // SAFETY: a wrong address on purpose, in a child.
        unsafe { (8 as *mut u8).write_volatile(1) };
    });
    assert_eq!((text.as_str(), signal.is_some()), ("", true));
}
