//! What a `malloc` and `free` pair costs under the debug hooks and under `guard`, beside the same without them in the
//! same run: `cargo bench -p hognose-allocators --bench debug_pair`. Read the ratios. With the name of an allocator, of
//! a domain and a size as arguments, only that pair runs: for `perf stat` and callgrind.

use std::hint::black_box;
use std::time::Instant;

use hognose_allocators::{AllocatorName, Domain, Heap, attach_heap, free, heap_kind, malloc, select};

/// Few enough that some rounds are undisturbed on a machine that others use too.
const PAIRS: usize = 10_000;

/// Cycles of the time stamp counter, or nanoseconds where there is none.
fn now() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has the counter.
    return unsafe { core::arch::x86_64::_rdtsc() };
    #[cfg(not(target_arch = "x86_64"))]
    return u64::try_from(Instant::now().elapsed().as_nanos()).unwrap_or(0);
}

/// The best of many rounds, per pair.
fn time(mut round: impl FnMut()) -> (f64, f64) {
    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..500 {
        let (start, clock) = (now(), Instant::now());
        round();
        let each = ((now() - start) as f64, clock.elapsed().as_secs_f64() * 1e9);
        best = (best.0.min(each.0 / PAIRS as f64), best.1.min(each.1 / PAIRS as f64));
    }
    best
}

fn rows(name: AllocatorName) {
    if std::env::args().nth(1).is_some_and(|arg| !arg.starts_with('-') && arg != name.as_str()) {
        return;
    }
    if select(name).is_err() {
        println!("{}: not here", name.as_str());
        return;
    }
    let heap = Heap::new(heap_kind()).expect("memory for a heap");
    attach_heap(heap.as_ptr());
    let wanted =
        |at: usize, value: &str| std::env::args().nth(at).is_none_or(|arg| arg.starts_with('-') || arg == value);
    for domain in Domain::ALL.into_iter().filter(|domain| wanted(2, domain.as_str())) {
        for size in [16, 48, 64, 128, 488, 4096] {
            if !wanted(3, &size.to_string()) {
                continue;
            }
            let (cycles, ns) = time(|| {
                for _ in 0..PAIRS {
                    let p = malloc(domain, black_box(size)).cast::<u8>();
                    // SAFETY: a live block, freed once.
                    unsafe {
                        p.write_volatile(1);
                        free(domain, black_box(p.cast()));
                    }
                }
            });
            println!("{:<16} {:<4} {size:>5} bytes {cycles:8.1} cycles {ns:8.2} ns", name.as_str(), domain.as_str());
        }
    }
    attach_heap(std::ptr::null_mut());
    // SAFETY: made above; its blocks are gone.
    unsafe { Heap::destroy(heap) };
}

fn main() {
    for name in [
        AllocatorName::Pymalloc,
        AllocatorName::PymallocDebug,
        AllocatorName::Guard,
        AllocatorName::MallocDebug,
        AllocatorName::MimallocDebug,
    ] {
        rows(name);
    }
}
