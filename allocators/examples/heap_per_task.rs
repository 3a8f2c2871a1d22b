//! A heap for each task: its memory is counted apart, goes to another thread with the task, and is given back as a whole,
//! whatever the task has left behind.

use allocator_api2::boxed::Box;
use allocator_api2::vec::Vec;
use hognose_allocators::{AllocatorName, Domain, NoMemory, OwnedHeap};

/// A list that nobody frees item by item.
fn build(heap: &OwnedHeap, items: u64) -> Result<u64, NoMemory> {
    let mut list = Vec::new_in(heap.mem());
    for i in 0..items {
        list.try_reserve(1).map_err(|_| NoMemory)?;
        list.push(Box::try_new_in(i, heap.obj())?);
    }
    let sum = list.iter().map(|item| **item).sum();
    // The task forgets to clean up.
    core::mem::forget(list);
    Ok(sum)
}

fn main() -> Result<(), NoMemory> {
    let kind = AllocatorName::Default.heap_kind().expect("a default is built");
    let tasks = (1..=4u64).map(|n| {
        std::thread::spawn(move || {
            let heap = OwnedHeap::new(kind)?;
            let sum = build(&heap, n * 1000)?;
            assert_eq!(heap.stats(Domain::Obj).live_blocks as u64, n * 1000);
            // The heap goes back to the main thread.
            Ok::<_, NoMemory>((heap, sum))
        })
    });
    for (task, n) in tasks.zip(1u64..) {
        let (heap, sum) = task.join().expect("no task panics")?;
        assert_eq!(sum, (0..n * 1000).sum());
        let (mem, obj) = (heap.stats(Domain::Mem), heap.stats(Domain::Obj));
        println!(
            "task {n}: {} objects, {} bytes, {} held",
            obj.live_blocks,
            mem.live_bytes + obj.live_bytes,
            heap.held_bytes()
        );
        // Here it is destroyed, with all its objects.
    }
    Ok(())
}
