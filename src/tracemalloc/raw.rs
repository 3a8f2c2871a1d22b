//! Records that need no GIL: blocks of the raw domain, and what `PyTraceMalloc_Track` is told of other domains.
//!
//! Any thread may take or free such a block at any time, so these records lie in tables of the process,
//! under a lock; each says whose it is. A thread without a thread state works for the main interpreter.
//!
//! R1: an owner that is named here has not been freed: it takes its records out first.

use hashbrown::HashTable;
use hognose_allocators::watch::Unwatched;
use hognose_allocators::{Lock, NoMemory};

use super::Tracer;

/// A block that is not in a heap's records.
#[derive(Clone, Copy)]
pub struct Block {
    /// The domain, as `PyTraceMalloc_Track` has it: 0 for Python's own.
    pub domain: u32,
    /// The address, or whatever number the tracker uses.
    pub p: usize,
    /// Its size.
    pub size: usize,
    /// The number of its traceback.
    pub traceback: u32,
    /// Who recorded it.
    pub owner: *const Tracer,
}

/// All such records.
pub struct Blocks {
    /// Those of domain 0: an address is only in one place.
    own: HashTable<Block, Unwatched>,
    /// The others, which belong to their tracker's interpreter.
    tagged: HashTable<Block, Unwatched>,
    /// The main interpreter's tracer, or null.
    main: *const Tracer,
}

// SAFETY: what the pointers lead to is used under the lock, and then only what is atomic in it.
unsafe impl Send for Blocks {}

static BLOCKS: Lock<Blocks> = Lock::new(Blocks {
    own: HashTable::new_in(Unwatched),
    tagged: HashTable::new_in(Unwatched),
    main: core::ptr::null(),
});

fn hash(domain: u32, p: usize) -> u64 {
    let mixed = (p as u64 ^ u64::from(domain) << 48).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ mixed >> 29
}

fn hash_of(block: &Block) -> u64 {
    hash(block.domain, block.p)
}

impl Blocks {
    fn table(&mut self, domain: u32) -> &mut HashTable<Block, Unwatched> {
        if domain == 0 { &mut self.own } else { &mut self.tagged }
    }

    fn take(&mut self, domain: u32, p: usize, owner: *const Tracer) -> Option<Block> {
        let same = |block: &Block| block.p == p && block.domain == domain && (domain == 0 || block.owner == owner);
        let entry = self.table(domain).find_entry(hash(domain, p), same).ok()?;
        let block = entry.remove().0;
        // SAFETY: R1.
        unsafe { (*block.owner).forget_raw(block.size) };
        Some(block)
    }

    fn put(&mut self, block: Block) -> Result<(), NoMemory> {
        self.table(block.domain).try_reserve(1, hash_of).map_err(|_| NoMemory)?;
        self.table(block.domain).insert_unique(hash_of(&block), block, hash_of);
        // SAFETY: R1.
        unsafe { (*block.owner).count_raw(block.size) };
        Ok(())
    }
}

/// Makes a tracer the one of threads without a thread state; null for none.
pub fn set_main(tracer: *const Tracer) {
    BLOCKS.lock().main = tracer;
}

/// Records a block in place of what was known of it. Without an owner it is the main interpreter's; false
/// if that does not trace.
pub fn record(mut block: Block) -> Result<bool, NoMemory> {
    let mut blocks = BLOCKS.lock();
    if block.owner.is_null() {
        block.owner = blocks.main;
    }
    if block.owner.is_null() {
        return Ok(false);
    }
    blocks.take(block.domain, block.p, block.owner);
    blocks.put(block)?;
    Ok(true)
}

/// Takes the record of a block out. Without an owner the main interpreter's is meant; `Err` if that does not trace.
pub fn take(domain: u32, p: usize, owner: Option<*const Tracer>) -> Result<Option<Block>, ()> {
    let mut blocks = BLOCKS.lock();
    let owner = owner.unwrap_or(blocks.main);
    if owner.is_null() && domain != 0 {
        return Err(());
    }
    Ok(blocks.take(domain, p, owner))
}

/// Whether a thread without a thread state would be recorded.
pub fn main_traces() -> bool {
    !BLOCKS.lock().main.is_null()
}

/// Puts a record back that was taken; without room for it, or when its owner has gone, it is lost.
pub fn restore(block: Block) {
    let mut blocks = BLOCKS.lock();
    if super::is_tracer(block.owner, blocks.main) {
        // Without room the block goes unrecorded, as any that is older than the tracing.
        let _ = blocks.put(block);
    }
}

/// Takes all records of an owner out.
pub fn forget(owner: &Tracer) {
    let mut blocks = BLOCKS.lock();
    let blocks = &mut *blocks;
    for table in [&mut blocks.own, &mut blocks.tagged] {
        table.retain(|block| {
            let own = core::ptr::eq(block.owner, owner);
            if own {
                owner.forget_raw(block.size);
            }
            !own
        });
        if table.is_empty() {
            *table = HashTable::new_in(Unwatched);
        }
    }
}

/// Shows the records of an owner. The function must not take or free a raw block but through [`Unwatched`].
pub fn for_each(owner: *const Tracer, mut show: impl FnMut(Block) -> Result<(), NoMemory>) -> Result<(), NoMemory> {
    let blocks = BLOCKS.lock();
    blocks
        .own
        .iter()
        .chain(blocks.tagged.iter())
        .filter(|block| block.owner == owner)
        .try_for_each(|block| show(*block))
}

/// A block's traceback, if the owner has recorded it. `None` for a lock that is held: a fatal report asks too.
pub fn find(domain: u32, p: usize, owner: *const Tracer) -> Option<u32> {
    let blocks = BLOCKS.try_lock()?;
    let table = if domain == 0 { &blocks.own } else { &blocks.tagged };
    let same = |block: &Block| block.p == p && block.domain == domain && block.owner == owner;
    table.find(hash(domain, p), same).map(|block| block.traceback)
}

/// The bytes that the tables take, of all owners together.
pub fn memory() -> usize {
    let blocks = BLOCKS.lock();
    blocks.own.allocation_size() + blocks.tagged.allocation_size()
}

/// Holds the tables still over a fork.
pub fn before_fork() {
    BLOCKS.acquire();
}

/// Lets go of them, in both processes.
pub fn after_fork() {
    BLOCKS.release();
}
