//! What a `malloc` and `free` pair costs, on each path and under each kind of heap, beside the C
//! library in the same run: `cargo bench -p hognose-allocators`. Read the ratios; the times depend on
//! the machine and on who else uses it.

use std::hint::black_box;
use std::time::Instant;

use hognose_allocators::{Domain, Heap, HeapKind, attach_heap, free, malloc, raw_free, raw_malloc};

const PAIRS: usize = 4_000_000;
const SIZE: usize = 48;

/// Prints the best of five rounds, and its ratio to the C library's hot pair.
fn time(what: &str, base: f64, mut round: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        round();
        best = best.min(start.elapsed().as_secs_f64());
    }
    let nanoseconds = best * 1e9 / PAIRS as f64;
    let ratio = if base == 0.0 { 1.0 } else { nanoseconds / base };
    println!("{what:<36} {nanoseconds:7.2} ns  {ratio:6.2}");
    nanoseconds
}

fn heap_rows(kind: HeapKind, base: f64) {
    let address = Heap::new(kind).expect("memory for a heap");
    attach_heap(address.as_ptr());
    // SAFETY: destroyed at the end of this function.
    let heap = unsafe { address.as_ref() };
    let name = |row: &str| format!("{kind:?}: {row}");
    // SAFETY, for all rows: each block is live when it is freed, and freed once.
    time(&name("hot pair, sized"), base, || {
        for _ in 0..PAIRS {
            // SAFETY: see above.
            unsafe { heap.obj_free_sized(black_box(heap.obj_alloc(SIZE)), SIZE) };
        }
    });
    time(&name("hot pair"), base, || {
        for _ in 0..PAIRS {
            // SAFETY: see above.
            unsafe { heap.obj_free(black_box(heap.obj_alloc(SIZE))) };
        }
    });
    time(&name("hot pair through the table"), base, || {
        for _ in 0..PAIRS {
            // SAFETY: see above.
            unsafe { free(Domain::Obj, black_box(malloc(Domain::Obj, SIZE))) };
        }
    });
    let mut batch = vec![std::ptr::null_mut(); 1000];
    time(&name("batches of 1000"), base, || {
        for _ in 0..PAIRS / 1000 {
            for slot in &mut batch {
                *slot = heap.obj_alloc(SIZE);
            }
            for p in &batch {
                // SAFETY: see above.
                unsafe { heap.obj_free(*p) };
            }
        }
    });
    let mut live: Vec<_> = (0..4096).map(|i| heap.obj_alloc(16 + i % 497)).collect();
    let mut random = 0x2545_F491_4F6C_DD1Du64;
    time(&name("random replacement among 4096"), base, || {
        for _ in 0..PAIRS {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let slot = &mut live[(random % 4096) as usize];
            // SAFETY: see above.
            unsafe { heap.obj_free(*slot) };
            *slot = heap.obj_alloc(16 + (random >> 40) as usize % 497);
        }
    });
    // SAFETY: nothing of the heap is used any more.
    unsafe { Heap::destroy(address) };
}

fn main() {
    let base = time("C library: hot pair", 0.0, || {
        for _ in 0..PAIRS {
            // SAFETY: the block is live and freed once.
            unsafe { libc::free(black_box(libc::malloc(SIZE))) };
        }
    });
    time("raw domain: hot pair", base, || {
        for _ in 0..PAIRS {
            // SAFETY: the block is live and freed once.
            unsafe { raw_free(black_box(raw_malloc(SIZE))) };
        }
    });
    for kind in HeapKind::ALL {
        heap_rows(*kind, base);
    }
}
