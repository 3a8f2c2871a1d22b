//! Hot pairs under criterion: ours beside the system's, mimalloc and jemalloc, in one process.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hognose_peers::{hog_obj_free, hog_obj_malloc, hog_start};

fn pairs(criterion: &mut Criterion) {
    assert!(!hog_start(5).is_null(), "pymalloc is built");
    let mut group = criterion.benchmark_group("pair of 48 bytes");
    // SAFETY, for all: the block is live and freed once.
    group.bench_function("hognose", |b| b.iter(|| unsafe { hog_obj_free(black_box(hog_obj_malloc(48))) }));
    group.bench_function("mimalloc", |b| {
        b.iter(|| unsafe { libmimalloc_sys::mi_free(black_box(libmimalloc_sys::mi_malloc(48))) });
    });
    #[cfg(feature = "jemalloc")]
    group.bench_function("jemalloc", |b| {
        b.iter(|| unsafe { tikv_jemalloc_sys::free(black_box(tikv_jemalloc_sys::malloc(48))) });
    });
    group.bench_function("system", |b| b.iter(|| unsafe { libc::free(black_box(libc::malloc(48))) }));
    group.finish();
}

criterion_group!(benches, pairs);
criterion_main!(benches);
