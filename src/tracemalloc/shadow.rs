//! The records of blocks, found by the block's address.
//!
//! ```text
//!  address  ┌ page number ──────────┬ granule (10 bits) ┬ 0000 ┐
//!               │                        │
//!               ▼ open addressing        ▼
//!           directory ─────────────► chunk: 1024 × { traceback, size }
//! ```
//!
//! Blocks are aligned to 16 bytes and lie close together, so a chunk of records stands for each 16 KiB of
//! addresses in which there is a recorded block: finding a record takes one probe of a small directory and
//! an index, and recording one more block next to others allocates nothing.
//!
//! S1: a record with traceback 0 is empty; `live` of a chunk is the number of the others.
//! S2: an entry of the directory stays, with or without a chunk, until the directory is made anew.

use hognose_allocators::watch::Unwatched;
use hognose_allocators::{NoMemory, TryVec};

use core::ptr::{self, NonNull};
use hognose_allocators::Handle;

/// Bytes of address that a chunk stands for, as a power of two.
const PAGE_BITS: u32 = 14;
const GRANULES: usize = (1 << PAGE_BITS) / 16;

/// What is known of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// The number of its traceback; not 0.
    pub traceback: u32,
    /// The size that was asked for.
    pub size: u32,
}

#[repr(C)]
struct Chunk {
    live: usize,
    records: [Record; GRANULES],
}

#[derive(Clone, Copy)]
struct Entry {
    /// The page number plus one; 0 for a free place.
    page: usize,
    chunk: *mut Chunk,
}

const FREE: Entry = Entry { page: 0, chunk: ptr::null_mut() };

/// The records of an interpreter's blocks.
pub struct Shadow {
    directory: TryVec<Entry, Unwatched>,
    /// Entries in use.
    used: usize,
    chunks: usize,
    /// Chunks without a record.
    idle: usize,
}

impl Shadow {
    /// No record, no memory.
    pub const fn new() -> Shadow {
        Shadow { directory: TryVec::new_in(Unwatched), used: 0, chunks: 0, idle: 0 }
    }

    /// Whether a block of this address and size can be recorded here.
    #[inline(always)]
    pub fn takes(p: usize, size: usize) -> bool {
        p & 15 == 0 && size <= u32::MAX as usize
    }

    /// The bytes that the records take.
    pub fn memory(&self) -> usize {
        self.chunks * size_of::<Chunk>() + self.directory.capacity() * size_of::<Entry>()
    }

    #[inline(always)]
    fn start(page: usize, mask: usize) -> usize {
        // Neighbouring pages go to neighbouring places, arenas are spread.
        page.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(24) & mask
    }

    /// The chunk of a page; null when it has none.
    #[inline(always)]
    fn find(&self, page: usize) -> *mut Chunk {
        let entries = self.directory.as_slice();
        let Some(mask) = entries.len().checked_sub(1) else { return ptr::null_mut() };
        let mut at = Self::start(page, mask);
        loop {
            // The directory is never full, so the search ends.
            let entry = entries[at & mask];
            if entry.page == page + 1 {
                return entry.chunk;
            }
            if entry.page == 0 {
                return ptr::null_mut();
            }
            at += 1;
        }
    }

    /// Records a block; returns the record that its address had.
    ///
    /// The address must be one that [`Shadow::takes`].
    #[inline(always)]
    pub fn insert(&mut self, p: usize, record: Record) -> Result<Option<Record>, NoMemory> {
        let mut chunk = self.find(p >> PAGE_BITS);
        if chunk.is_null() {
            chunk = self.add_chunk(p >> PAGE_BITS)?;
        }
        // SAFETY: chunks in the directory are alive, and only this structure looks at them.
        let chunk = unsafe { &mut *chunk };
        let place = &mut chunk.records[(p >> 4) & (GRANULES - 1)];
        let before = core::mem::replace(place, record);
        if before.traceback != 0 {
            return Ok(Some(before));
        }
        if chunk.live == 0 {
            self.idle -= 1;
        }
        chunk.live += 1;
        Ok(None)
    }

    /// Takes the record of a block out.
    #[inline(always)]
    pub fn remove(&mut self, p: usize) -> Option<Record> {
        let chunk = self.find(p >> PAGE_BITS);
        // SAFETY: as in `insert`.
        let chunk = unsafe { chunk.as_mut() }?;
        let place = &mut chunk.records[(p >> 4) & (GRANULES - 1)];
        let record = *place;
        if record.traceback == 0 || p & 15 != 0 {
            return None;
        }
        place.traceback = 0;
        chunk.live -= 1;
        if chunk.live == 0 {
            self.idle += 1;
            if self.idle > 64 + self.chunks / 8 {
                self.free_idle();
            }
        }
        Some(record)
    }

    /// The record of a block.
    pub fn get(&self, p: usize) -> Option<Record> {
        if p & 15 != 0 {
            return None;
        }
        // SAFETY: as in `insert`.
        let chunk = unsafe { self.find(p >> PAGE_BITS).as_ref() }?;
        Some(chunk.records[(p >> 4) & (GRANULES - 1)]).filter(|record| record.traceback != 0)
    }

    /// Shows all records.
    pub fn for_each(&self, mut show: impl FnMut(Record) -> Result<(), NoMemory>) -> Result<(), NoMemory> {
        for entry in self.directory.as_slice() {
            // SAFETY: as in `insert`.
            if let Some(chunk) = unsafe { entry.chunk.as_ref() }
                && chunk.live != 0
            {
                for record in chunk.records.iter().filter(|record| record.traceback != 0) {
                    show(*record)?;
                }
            }
        }
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn add_chunk(&mut self, page: usize) -> Result<*mut Chunk, NoMemory> {
        if (self.used + 1) * 4 > self.directory.len() * 3 {
            self.rebuild()?;
        }
        let chunk = Unwatched::take_zeroed(size_of::<Chunk>()).cast::<Chunk>();
        let chunk = NonNull::new(chunk).ok_or(NoMemory)?.as_ptr();
        self.chunks += 1;
        self.idle += 1;
        self.enter(Entry { page: page + 1, chunk });
        Ok(chunk)
    }

    /// Puts an entry where its page is, or would be, found.
    fn enter(&mut self, entry: Entry) {
        let entries = self.directory.as_mut_slice();
        let mask = entries.len() - 1;
        let mut at = Self::start(entry.page - 1, mask);
        while entries[at & mask].page != 0 && entries[at & mask].page != entry.page {
            at += 1;
        }
        if entries[at & mask].page == 0 {
            self.used += 1;
        }
        entries[at & mask] = entry;
    }

    /// Makes the directory anew, with room for twice its chunks, without the entries that have none.
    fn rebuild(&mut self) -> Result<(), NoMemory> {
        let room = ((self.chunks + 1) * 4).next_power_of_two().max(64);
        let mut fresh = TryVec::try_with_capacity_in(room, Unwatched)?;
        for _ in 0..room {
            fresh.try_push(FREE)?;
        }
        let old = core::mem::replace(&mut self.directory, fresh);
        self.used = 0;
        for entry in old.as_slice().iter().filter(|entry| !entry.chunk.is_null()) {
            self.enter(*entry);
        }
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn free_idle(&mut self) {
        for entry in self.directory.as_mut_slice() {
            // SAFETY: as in `insert`; what is freed leaves the directory (S2).
            unsafe {
                if entry.chunk.as_ref().is_some_and(|chunk| chunk.live == 0) {
                    Unwatched::give(entry.chunk.cast());
                    entry.chunk = ptr::null_mut();
                    self.chunks -= 1;
                }
            }
        }
        self.idle = 0;
    }
}

impl Drop for Shadow {
    fn drop(&mut self) {
        for entry in self.directory.as_slice() {
            if !entry.chunk.is_null() {
                // SAFETY: the chunks are this structure's own.
                unsafe { Unwatched::give(entry.chunk.cast()) };
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_types, reason = "a test's model")]
mod tests {
    //! Against a table of the standard library.

    use std::collections::HashMap;

    use super::{Record, Shadow};
    use hognose_allocators::raw_stats;

    #[test]
    fn records_are_found_replaced_and_removed_like_in_a_map() {
        let before = raw_stats().live_blocks;
        let mut shadow = Shadow::new();
        let mut model: HashMap<usize, Record> = HashMap::new();
        let mut x = 1u64;
        for step in 0..200_000u32 {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Addresses in bunches that wander, so that chunks come and go.
            let p = ((x >> 40) as usize % 4096) * 16
                + (step as usize / 1000) * (1 << 20)
                + ((x >> 33) as usize % 3) * (1 << 33);
            if x & (1 << 20) == 0 {
                let record = Record { traceback: step + 1, size: (x >> 50) as u32 };
                assert_eq!(shadow.insert(p, record), Ok(model.insert(p, record)));
            } else {
                assert_eq!(shadow.remove(p), model.remove(&p));
            }
            if step % 50_000 == 0 {
                for p in std::mem::take(&mut model).into_keys() {
                    assert!(shadow.remove(p).is_some());
                }
            }
        }
        for (p, record) in &model {
            assert_eq!(shadow.get(*p), Some(*record));
            assert_eq!(shadow.get(*p + 1), None);
        }
        let mut count = 0;
        shadow
            .for_each(|_| {
                count += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(count, model.len());
        drop(shadow);
        assert_eq!(raw_stats().live_blocks, before);
    }
}
