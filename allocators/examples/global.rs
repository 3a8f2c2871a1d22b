//! The raw domain as Rust's global allocator, counted: what crates take that know nothing of domains is seen, and whoever
//! hooks the domain sees it too.

use hognose_allocators::{Counted, Raw, raw_stats};

#[global_allocator]
static GLOBAL: Counted<Raw> = Counted::new(Raw);

fn main() {
    let (before, raw) = (GLOBAL.stats(), raw_stats());
    let words: Vec<String> = (0..1000).map(|i| format!("word number {i}")).collect();
    let now = GLOBAL.stats();
    // The list itself, and a text for each word.
    assert_eq!(now.live_blocks - before.live_blocks, 1001);
    assert!(raw_stats().live_blocks - raw.live_blocks >= 1001);
    assert!(raw_stats().live_bytes - raw.live_bytes >= now.live_bytes - before.live_bytes);
    drop(words);
    let after = GLOBAL.stats();
    assert_eq!((after.live_blocks, after.live_bytes), (before.live_blocks, before.live_bytes));
    println!("{} blocks came, at most {} bytes lived", after.allocations, after.peak_bytes);
}
