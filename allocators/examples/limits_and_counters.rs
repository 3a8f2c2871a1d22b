//! A heap with a limit: past it allocations fail, and the program goes on.

use allocator_api2::vec::Vec;
use hognose_allocators::{Domain, HeapKind, Limit, NoMemory, OwnedHeap};

const LIMIT: usize = 1 << 20;

fn main() -> Result<(), NoMemory> {
    for kind in HeapKind::ALL {
        let heap = OwnedHeap::new(*kind)?;
        heap.set_limit(None, Limit { soft: None, hard: Some(LIMIT) }).expect("a limit of the whole heap");
        let mut pieces = Vec::new_in(heap.mem());
        pieces.try_reserve(LIMIT).expect_err("the index alone would be larger than the limit");
        pieces.try_reserve(10_000).expect("within the limit");
        let refused = loop {
            let mut piece = Vec::<u8, _>::new_in(heap.obj());
            if let Err(error) = piece.try_reserve_exact(200) {
                break error;
            }
            pieces.push(piece);
        };
        assert!(heap.held_bytes() <= LIMIT);
        let full = heap.stats(Domain::Obj);
        println!("{kind:?}: {} blocks, {} bytes, then: {refused:?}", full.live_blocks, full.live_bytes);
        assert_eq!(full.live_blocks, pieces.len());

        // What is freed can be used again.
        pieces.truncate(pieces.len() / 2);
        let mut piece = Vec::<u8, _>::new_in(heap.obj());
        piece.try_reserve_exact(200).expect("there is room again");
        drop((piece, pieces));
        let empty = heap.stats(Domain::Obj);
        assert_eq!(empty.live_blocks, 0);
        assert!(empty.peak_bytes >= full.live_bytes);
        assert!(empty.allocations as usize > full.live_blocks);
    }
    Ok(())
}
