//! Runs a piece of code once for each of its allocations, with that one failing: it must report that, and leave nothing
//! behind.

use allocator_api2::boxed::Box;
use allocator_api2::vec::Vec;
use hognose_allocators::{NoMemory, Raw, TryString, fault, raw_stats};

/// The code under test.
fn parse(text: &str) -> Result<Vec<Box<TryString<Raw>, Raw>, Raw>, NoMemory> {
    let mut words = Vec::new_in(Raw);
    for word in text.split_whitespace() {
        let word = TryString::try_from_str_in(word, Raw)?;
        words.try_reserve(1).map_err(|_| NoMemory)?;
        words.push(Box::try_new_in(word, Raw)?);
    }
    Ok(words)
}

fn main() {
    let before = raw_stats().live_blocks;
    let mut n = 0;
    loop {
        n += 1;
        fault::arm(Some(n));
        let result = parse("every allocation can fail, and each of them is tried").map(|words| words.len());
        fault::disarm();
        assert_eq!(raw_stats().live_blocks, before, "allocation {n} fails, and nothing is left");
        if !fault::fired() {
            // There is no n-th allocation.
            assert_eq!(result, Ok(10));
            break;
        }
        assert_eq!(result, Err(NoMemory), "allocation {n} fails, and that is reported");
    }
    println!("{} allocations, each failed once", n - 1);
    assert!(n > 20);
}
