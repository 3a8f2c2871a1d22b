//! A new interpreter from the image.

use core::ptr;

use hognose_allocators::{Heap, NoMemory, Raw, Tag, TryVec};

use super::template::CARRIED;
use super::{Block, Image, Patch, Place, Target};
use crate::object::{PyResult, PyTypeObject};
use crate::state::ThreadState;
use crate::types::{str, typ};

/// The blocks of a copy while it is made: given back when it cannot be completed.
struct Copies<'a> {
    heap: &'a Heap,
    blocks: &'a [Block],
    places: TryVec<*mut u8, Raw>,
}

impl Drop for Copies<'_> {
    fn drop(&mut self) {
        for (block, place) in self.blocks.iter().zip(self.places.iter()) {
            // SAFETY: allocated by `Image::allocate`, and named by nobody.
            unsafe {
                match block.tag {
                    Tag::Mem => self.heap.mem_free(*place),
                    Tag::Obj => self.heap.obj_free(*place),
                    Tag::ObjGc => self.heap.gc_free(*place),
                }
            }
        }
    }
}

impl Image {
    /// Everything of the image in the interpreter of `ts`, in which nothing is yet.
    pub(super) fn copy_into(&self, ts: &ThreadState) -> PyResult<()> {
        let interp = ts.interp();
        interp.gc.start();
        let copies = self.allocate(ts.heap())?;
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
        let fill = |start: *mut u8, patches: &[Patch]| {
            for patch in patches {
                let place = start.wrapping_add(patch.at as usize);
                let offset = patch.offset as usize;
                let target = match patch.target {
                    Target::Block(number) => copies.places[number as usize].addr() + offset,
                    Target::Interpreter => ptr::from_ref(interp).addr() + offset,
                    Target::Heap => ptr::from_ref(ts.heap()).addr(),
                    Target::Version(kind) => {
                        let version = patch.offset + steps[kind as usize];
                        // SAFETY: the patch lies in its block.
                        unsafe { place.cast::<u32>().write_unaligned(version) };
                        continue;
                    }
                };
                // SAFETY: as above.
                unsafe { place.cast::<usize>().write_unaligned(target) };
            }
        };
        let mut patches = self.patches.as_ref();
        for (block, place) in self.blocks.iter().zip(copies.places.iter()) {
            let (own, rest) = patches.split_at(block.patches as usize);
            fill(*place, own);
            patches = rest;
        }
        let root = ptr::from_ref(interp).cast_mut().cast::<u8>();
        for (start, size) in CARRIED {
            // SAFETY: nothing is in these fields yet that would have to be dropped, and nobody looks at them.
            unsafe {
                ptr::copy_nonoverlapping(self.root.as_ptr().cast::<u8>().add(*start), root.add(*start), *size);
            }
        }
        fill(root, &self.root_patches);
        // SAFETY: S4: the image outlives the interpreter; nothing is in its own table yet.
        unsafe { *interp.interned.get() = str::InternTable::beside(&self.interned) };
        // From here on the blocks are the interpreter's.
        let places = {
            let mut copies = copies;
            core::mem::replace(&mut copies.places, TryVec::new_in(Raw))
        };
        for number in self.interned_copies.iter() {
            // SAFETY: an interned string lies there. The table is used under the GIL, and never across other code.
            unsafe { (*interp.interned.get()).insert(&*places[*number as usize].cast::<str::PyStr>())? };
        }
        let at = |place: Place| {
            let address = match place {
                Place::Fixed(address) => ptr::with_exposed_provenance(address),
                Place::Block(number, offset) => places[number as usize].cast_const().wrapping_add(offset as usize),
            };
            // SAFETY: a type lies there, of the copy or a static one.
            unsafe { &*address.cast::<PyTypeObject>() }
        };
        for family in self.families.iter() {
            typ::add_subclass(ts, at(family.base), at(family.class))?;
        }
        crate::modules::posix::set_environment(ts, true)
    }

    /// The blocks, with the bytes that are the same in all copies.
    fn allocate<'a>(&'a self, heap: &'a Heap) -> Result<Copies<'a>, NoMemory> {
        let mut copies = Copies { heap, blocks: &self.blocks, places: TryVec::new_in(Raw) };
        copies.places.try_reserve_exact(self.blocks.len())?;
        let mut bytes = self.bytes.as_ptr();
        for block in self.blocks.iter() {
            let size = block.size as usize;
            let place = match block.tag {
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
            copies.places.push_reserved(place);
        }
        Ok(copies)
    }
}
