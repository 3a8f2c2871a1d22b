//! A new interpreter from the image.

use core::ptr;

use hognose_allocators::{Heap, NoMemory, Raw, Tag, TryVec};

use super::template::CARRIED;
use super::{Block, Parts, Patch, Place, Target, library};
use crate::object::{PyResult, PyTypeObject};
use crate::state::ThreadState;
use crate::types::{str, typ};

/// The addresses that a copy names: what each [`Target`] stands for.
pub(super) struct Bases(TryVec<*mut u8, Raw>);

impl Bases {
    /// Where a block of the copy is.
    pub(super) fn block(&self, number: u32) -> *mut u8 {
        self.0[Target::block(number).0 as usize]
    }

    /// Where something is.
    fn place(&self, place: Place) -> *mut u8 {
        self.0[place.target.0 as usize].wrapping_offset(place.offset as isize)
    }

    /// Writes what is named where it is named, behind `start`. `steps` is how much later than the image's the copy's
    /// versions begin.
    fn fill(&self, start: *mut u8, patches: &[Patch], steps: [u32; 3]) {
        for patch in patches {
            let place = start.wrapping_add(patch.at as usize);
            if let Some(kind) = patch.target.as_version() {
                let version = patch.offset + steps[kind as usize];
                // SAFETY: the patch lies in its block.
                unsafe { place.cast::<u32>().write_unaligned(version) };
                continue;
            }
            let base = self.0[patch.target.0 as usize];
            let target = base.wrapping_offset(patch.offset.cast_signed() as isize);
            // SAFETY: as above.
            unsafe { place.cast::<*mut u8>().write_unaligned(target) };
        }
    }
}

/// The blocks of a copy while it is made: given back when it cannot be completed.
struct Copies<'a> {
    heap: &'a Heap,
    blocks: &'a [Block],
    bases: Bases,
}

impl Drop for Copies<'_> {
    fn drop(&mut self) {
        for (block, place) in self.blocks.iter().zip(self.bases.0.iter().skip(Target::FIRST_BLOCK as usize)) {
            // SAFETY: allocated by `Parts::allocate`, and named by nobody.
            unsafe {
                match block.tag() {
                    Tag::Mem => self.heap.mem_free(*place),
                    Tag::Obj => self.heap.obj_free(*place),
                    Tag::ObjGc => self.heap.gc_free(*place),
                }
            }
        }
    }
}

impl Parts<'_> {
    /// Everything of the image in the interpreter of `ts`, in which nothing is yet; `shared` is the memory that the copies
    /// have in common.
    ///
    /// # Safety
    /// There are as many bytes of memory as the image says, and nobody else writes to it. The memory, and the table `interned` of strings in it, outlive the interpreter.
    pub(super) unsafe fn copy_into(
        &self,
        ts: &ThreadState,
        shared: *mut u128,
        interned: &[*const str::PyStr],
    ) -> PyResult<()> {
        let interp = ts.interp();
        interp.gc.start();
        let copies = self.allocate(ts, shared)?;
        let mut room = self.room_for_sets()?;
        interp.type_cache.start(ts.heap())?;
        // Versions that no other interpreter on this heap has.
        let versions = interp.versions().all();
        let mut steps = [0; 3];
        for ((step, version), (used, first)) in
            steps.iter_mut().zip(versions).zip(self.versions.iter().zip(crate::state::Versions::new().all()))
        {
            *step = version.get() - first.get();
            if !interp.owns_heap.get() {
                version.set(version.get() + used);
            }
        }
        copies.bases.fill(shared.cast(), self.common_patches, steps);
        let mut patches = self.patches;
        for (number, block) in self.blocks.iter().enumerate() {
            let (own, rest) = patches.split_at(block.patches as usize);
            copies.bases.fill(copies.bases.block(number as u32), own, steps);
            patches = rest;
        }
        let root = ptr::from_ref(interp).cast_mut().cast::<u8>();
        for (start, size) in CARRIED {
            // SAFETY: nothing is in these fields yet that would have to be dropped, and nobody looks at them.
            unsafe {
                ptr::copy_nonoverlapping(self.root.as_ptr().cast::<u8>().add(*start), root.add(*start), *size);
            }
        }
        copies.bases.fill(root, self.root_patches, steps);
        // SAFETY: the caller's promise; nothing is in its own table yet.
        unsafe { *interp.interned.get() = str::InternTable::beside(interned) };
        // From here on the blocks are the interpreter's.
        let bases = {
            let mut copies = copies;
            Bases(core::mem::replace(&mut copies.bases.0, TryVec::new_in(Raw)))
        };
        self.rehash(ts, &bases, &mut room)?;
        for number in self.interned_copies {
            // SAFETY: an interned string lies there. The table is used under the GIL, and never across other code.
            unsafe { (*interp.interned.get()).insert(&*bases.block(*number).cast::<str::PyStr>())? };
        }
        // SAFETY: a type lies there, of the copy or a static one.
        let at = |place: Place| unsafe { &*bases.place(place).cast::<PyTypeObject>() };
        for family in self.families {
            typ::add_subclass(ts, at(family.base), at(family.class))?;
        }
        crate::modules::posix::set_environment(ts, true)
    }

    /// The blocks, with the bytes that are the same in all copies.
    fn allocate<'a>(&'a self, ts: &'a ThreadState, shared: *mut u128) -> Result<Copies<'a>, NoMemory> {
        let heap = ts.heap();
        let mut copies = Copies { heap, blocks: self.blocks, bases: Bases(TryVec::new_in(Raw)) };
        let bases = &mut copies.bases.0;
        bases.try_reserve_exact(Target::FIRST_BLOCK as usize + self.blocks.len())?;
        bases.push_reserved(ptr::from_ref(ts.interp()).cast_mut().cast());
        bases.push_reserved(ptr::from_ref(heap).cast_mut().cast());
        bases.push_reserved(shared.cast());
        bases.push_reserved(library::address(0).cast_mut());
        for slot in self.anchors {
            bases.push_reserved(library::exported(*slot).cast_mut());
        }
        while bases.len() < Target::FIRST_BLOCK as usize {
            bases.push_reserved(ptr::null_mut());
        }
        let mut bytes = self.bytes.as_ptr();
        for (number, block) in self.blocks.iter().enumerate() {
            if number == 1 {
                // There is an arena now.
                heap.expect(size_of_val(self.bytes));
            }
            let size = block.size as usize;
            let place = match block.tag() {
                Tag::Mem => heap.mem_alloc(size),
                Tag::Obj => heap.obj_alloc(size),
                Tag::ObjGc => heap.gc_alloc(size),
            };
            if place.is_null() {
                return Err(NoMemory);
            }
            // SAFETY: the block is as large; the image has as many bytes for it, rounded up to words.
            unsafe {
                ptr::copy_nonoverlapping(bytes.cast::<u8>(), place, size);
                bytes = bytes.add(size.div_ceil(8));
            }
            copies.bases.0.push_reserved(place);
        }
        Ok(copies)
    }

    /// A word for each entry of the largest set's table.
    fn room_for_sets(&self) -> Result<TryVec<usize, Raw>, NoMemory> {
        let mut room = TryVec::new_in(Raw);
        room.try_resize(self.largest_set as usize, 0)?;
        Ok(room)
    }
}
