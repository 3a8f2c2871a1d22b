//! The stack that frames live on: chunks of the mem domain, of which the last empty one is kept.
//!
//! ```text
//!  ┌ chunk ──────────────┐   ┌ chunk ──────────────┐
//!  │ previous, end       │◄──┤ previous, end       │
//!  │ frame frame frame   │   │ frame frame │ free  │
//!  └─────────────────────┘   └─────────────▲───────┘
//!                                         top
//! ```

use hognose_allocators::{Heap, NoMemory};

/// The size of a chunk in words, unless a frame needs more.
const CHUNK_WORDS: usize = 16 * 1024 / 8;

#[repr(C)]
struct Chunk {
    previous: *mut Chunk,
    /// The top when the next chunk was begun.
    saved_top: *mut usize,
    end: *mut usize,
}

const HEADER_WORDS: usize = size_of::<Chunk>() / size_of::<usize>();

/// One thread's stack.
pub struct DataStack {
    top: *mut usize,
    end: *mut usize,
    chunk: *mut Chunk,
}

impl DataStack {
    /// An empty stack, which has no memory yet.
    pub const fn new() -> DataStack {
        DataStack { top: core::ptr::null_mut(), end: core::ptr::null_mut(), chunk: core::ptr::null_mut() }
    }

    /// Takes `words` words from the stack.
    #[inline(always)]
    pub fn push(&mut self, heap: &Heap, words: usize) -> Result<*mut usize, NoMemory> {
        let place = self.top;
        if (self.end as usize).wrapping_sub(place as usize) / size_of::<usize>() < words || place.is_null() {
            return self.push_chunk(heap, words);
        }
        // SAFETY: the chunk has that many words left.
        self.top = unsafe { place.add(words) };
        Ok(place)
    }

    #[cold]
    #[inline(never)]
    fn push_chunk(&mut self, heap: &Heap, words: usize) -> Result<*mut usize, NoMemory> {
        let Some(needed) = words.checked_add(HEADER_WORDS) else { return Err(NoMemory) };
        let size = needed.max(CHUNK_WORDS);
        let Some(bytes) = size.checked_mul(size_of::<usize>()) else { return Err(NoMemory) };
        let memory = heap.mem_alloc(bytes).cast::<usize>();
        if memory.is_null() {
            return Err(NoMemory);
        }
        let chunk = memory.cast::<Chunk>();
        // SAFETY: the memory has `size` words.
        unsafe {
            chunk.write(Chunk { previous: self.chunk, saved_top: self.top, end: memory.add(size) });
            self.chunk = chunk;
            self.end = memory.add(size);
            let place = memory.add(HEADER_WORDS);
            self.top = place.add(words);
            Ok(place)
        }
    }

    /// Gives back everything from `place` on.
    ///
    /// # Safety
    /// `place` is the latest push that has not been given back.
    #[inline(always)]
    pub unsafe fn pop(&mut self, heap: &Heap, place: *mut usize) {
        self.top = place;
        // SAFETY: a push was made, so there is a chunk.
        if place == unsafe { self.chunk.cast::<usize>().add(HEADER_WORDS) } {
            self.pop_chunk(heap);
        }
    }

    /// Gives an empty chunk back, but keeps the first one.
    #[cold]
    #[inline(never)]
    fn pop_chunk(&mut self, heap: &Heap) {
        // SAFETY: the chunks form a list whose ends `push_chunk` wrote.
        unsafe {
            let chunk = self.chunk;
            let previous = (*chunk).previous;
            if previous.is_null() {
                return;
            }
            self.top = (*chunk).saved_top;
            self.chunk = previous;
            self.end = (*previous).end;
            heap.mem_free(chunk.cast());
        }
    }

    /// Gives all memory back; no frame is left.
    pub fn free(&mut self, heap: &Heap) {
        while !self.chunk.is_null() {
            // SAFETY: as above.
            unsafe {
                let chunk = self.chunk;
                self.chunk = (*chunk).previous;
                heap.mem_free(chunk.cast());
            }
        }
        self.top = core::ptr::null_mut();
        self.end = core::ptr::null_mut();
    }
}

impl Default for DataStack {
    fn default() -> DataStack {
        DataStack::new()
    }
}
