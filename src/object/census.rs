//! A census of the live objects by type, made by walking the heap's pages: nothing is tracked for it.
//!
//! ```text
//!  block of tag obj      [count, type, …]
//!  block of tag obj-gc   [GC head 16][count, type, …]
//!                        [weakrefs 8][dict 8][GC head 16][count, type, …]
//! ```
//!
//! A block says by its page's tag whether a collector's header comes first, but not whether the two
//! managed words do, nor whether it holds an object at all: `PyObject_Malloc` gives a C program plain
//! memory. So a word counts as a type only if it is the address of a known one. Known are the built-in
//! types; the classes, which are found first, since each is a large block of a collected object whose
//! own type is a known metatype; and static types of C, which lie in the writable data of a loaded
//! module and say of themselves that they are ready. No word is followed before it is found to be one
//! of these, so a census may be taken at any time, also when types are half torn down.
//!
//! The table lives in the raw domain: the heap must stay as it is while it is walked.

use core::ffi::{c_int, c_void};

use hognose_allocators::{Heap, NoMemory, PageView, Raw, Tag, TryVec, UserView};

use super::alloc::prefix_size;
use super::flags;
use super::header::PyObject;
use super::typeobj::{PyHeapType, PyTypeObject};

/// Bytes of an object's header.
const HEADER: usize = size_of::<PyObject>();
/// Where the type stands in it.
const TYPE_AT: usize = HEADER - size_of::<usize>();
/// Two to the power of this are the bytes that share a bit of `Census::nearby`.
const GRANULE: u32 = 21;
/// What stands before a collected object, and before one with managed words.
const COLLECTED: usize = super::alloc::GC_HEAD;
const MANAGED: usize = COLLECTED + 16;
const _: () = assert!(HEADER == 16 && COLLECTED == 16);

/// The objects of one type.
#[derive(Clone, Copy)]
struct Entry {
    /// The type's address; 0 in a place that is free.
    typ: usize,
    objects: usize,
    bytes: usize,
    /// What stands before an instance.
    prefix: usize,
}

const FREE: Entry = Entry { typ: 0, objects: 0, bytes: 0, prefix: 0 };

/// Objects of one type that lie behind one another.
struct Run {
    typ: usize,
    /// Where the type stands in their blocks.
    offset: usize,
    /// The entry of the type.
    index: usize,
    objects: usize,
}

/// The objects of one type, or of no known one.
#[derive(Clone, Copy)]
pub struct Row {
    /// The type, which lives at least as long as one of the objects.
    pub typ: *const PyTypeObject,
    /// How many there are.
    pub objects: usize,
    /// Bytes of their blocks: what a block can hold, or what was asked for under the debug hooks.
    pub bytes: usize,
}

/// The known types, and what was found of each.
pub struct Census {
    entries: TryVec<Entry, Raw>,
    shift: u32,
    known: usize,
    /// Where the type of the last object was found; neighbours often have the same.
    last: usize,
    /// Writable data of the loaded modules, sorted.
    data: TryVec<(usize, usize), Raw>,
    /// A bit for each hash of 2 MiB of them: most words can be told at once to lie in none.
    nearby: [u64; 16],
    /// Blocks of the obj domain that hold no object of a known type: number and bytes.
    pub unknown: (usize, usize),
}

impl Census {
    /// Counts the objects of a heap. Fails only if there is no memory for the table in the raw domain.
    pub fn take(heap: &Heap) -> Result<Census, NoMemory> {
        let mut census = Census::of_no_objects(heap)?;
        let view = UserView::current();
        heap.walk_pages(&mut |page| {
            let (tag, size) = (page.tag(), page.block_size());
            if tag == Tag::Mem {
                return;
            }
            if view.is_hooked(tag.domain()) {
                page.for_each_live(|inner| {
                    // SAFETY: a live block of that size.
                    let (block, size) = unsafe { view.of(tag, inner, size) };
                    census.count(tag, block, size);
                });
            } else {
                census.count_page(page);
            }
        });
        heap.walk_large(&mut |tag, inner, size| {
            if tag != Tag::Mem {
                // SAFETY: a live block of that size.
                let (block, size) = unsafe { view.of(tag, inner, size) };
                census.count(tag, block, size);
            }
        });
        Ok(census)
    }

    /// The known types of an interpreter, without a look at its objects.
    pub fn of_no_objects(heap: &Heap) -> Result<Census, NoMemory> {
        let mut classes = possible_classes(heap)?;
        let built_in: usize = crate::types::GROUPS.iter().map(|group| group.len()).sum();
        let room = (2 * (built_in + classes.len()) + 256).next_power_of_two();
        let mut entries = TryVec::new_in(Raw);
        entries.try_resize(room, FREE)?;
        let data = writable_data()?;
        let mut nearby = [0; 16];
        for (start, end) in data.iter() {
            for granule in start >> GRANULE..=end >> GRANULE {
                nearby[granule % 1024 / 64] |= 1u64 << (granule % 64);
            }
        }
        let shift = usize::BITS - room.trailing_zeros();
        let mut census = Census { entries, shift, known: 0, last: 0, data, nearby, unknown: (0, 0) };
        for typ in crate::types::GROUPS.iter().copied().flatten() {
            census.insert(core::ptr::from_ref::<PyTypeObject>(typ).addr())?;
        }
        // A metaclass is a class itself, so it may be found later than its classes are looked at.
        loop {
            let before = classes.len();
            let mut failed = Ok(());
            classes.retain(|&class| {
                let found = census.is_class(class);
                if found && failed.is_ok() {
                    failed = census.insert(class);
                }
                !found
            });
            failed?;
            if classes.len() == before {
                return Ok(census);
            }
        }
    }

    /// Whether the live block at an address, as large as a class is, holds one.
    fn is_class(&mut self, class: usize) -> bool {
        // SAFETY: the block is alive and large enough for the word.
        let metatype = unsafe { word(class as *const u8, TYPE_AT) };
        self.find(metatype).is_some_and(|index| {
            // SAFETY: the address is that of a known type.
            let metatype = unsafe { &*(self.entries[index].typ as *const PyTypeObject) };
            metatype.has_flag(flags::TYPE_SUBCLASS)
        })
    }

    #[inline(always)]
    fn place(&self, typ: usize) -> usize {
        (typ >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift
    }

    /// Where the entry of a type is, if the table has one.
    #[inline(always)]
    fn find(&mut self, typ: usize) -> Option<usize> {
        let entries = self.entries.as_slice();
        if entries[self.last].typ == typ && typ != 0 {
            return Some(self.last);
        }
        let mut at = self.place(typ);
        loop {
            let found = entries[at].typ;
            if found == 0 {
                return None;
            }
            if found == typ {
                self.last = at;
                return Some(at);
            }
            at = (at + 1) & (entries.len() - 1);
        }
    }

    /// Adds a known type.
    fn insert(&mut self, typ: usize) -> Result<(), NoMemory> {
        if 2 * (self.known + 1) > self.entries.len() {
            let mut wider = TryVec::new_in(Raw);
            wider.try_resize(2 * self.entries.len(), FREE)?;
            let old = core::mem::replace(&mut self.entries, wider);
            self.shift -= 1;
            self.last = 0;
            for entry in old.iter().filter(|entry| entry.typ != 0) {
                self.put(*entry);
            }
        }
        // SAFETY: the caller has found it to be a type.
        let prefix = prefix_size(unsafe { &*(typ as *const PyTypeObject) });
        self.known += 1;
        self.put(Entry { typ, objects: 0, bytes: 0, prefix });
        Ok(())
    }

    fn put(&mut self, entry: Entry) {
        let mut at = self.place(entry.typ);
        while self.entries[at].typ != 0 {
            at = (at + 1) & (self.entries.len() - 1);
        }
        self.entries[at] = entry;
    }

    /// Looks at a word that is no known type: it may be a static type of C that was not met before.
    #[inline(always)]
    fn admit(&mut self, word: usize) -> Option<usize> {
        let granule = word >> GRANULE;
        if self.nearby[granule % 1024 / 64] & 1 << (granule % 64) == 0 { None } else { self.admit_nearby(word) }
    }

    #[cold]
    #[inline(never)]
    fn admit_nearby(&mut self, word: usize) -> Option<usize> {
        if !word.is_multiple_of(align_of::<PyTypeObject>()) {
            return None;
        }
        let end = word.checked_add(size_of::<PyTypeObject>())?;
        let at = self.data.partition_point(|segment| segment.1 <= word);
        if !self.data.get(at).is_some_and(|segment| segment.0 <= word && end <= segment.1) {
            return None;
        }
        if !self.is_class(word) {
            return None;
        }
        // SAFETY: the bytes can be read, and their type is a metatype.
        if !unsafe { &*(word as *const PyTypeObject) }.has_flag(flags::READY) {
            return None;
        }
        // Without memory for the entry, its objects count as unknown.
        self.insert(word).ok()?;
        self.find(word)
    }

    /// The entry of the object in a block.
    #[inline(always)]
    fn entry_of(&mut self, tag: Tag, block: *const u8, size: usize) -> Option<usize> {
        if tag == Tag::Obj {
            if size < HEADER {
                return None;
            }
            // SAFETY: the block is alive and has that many bytes.
            let typ = unsafe { word(block, TYPE_AT) };
            let index = self.find(typ).or_else(|| self.admit(typ))?;
            return (self.entries[index].prefix == 0).then_some(index);
        }
        if size < COLLECTED + HEADER {
            return None;
        }
        // What stands here before an object with managed words is a link of the collector's list: to a
        // header, which is no type.
        // SAFETY: the block is alive and has that many bytes.
        let typ = unsafe { word(block, COLLECTED + TYPE_AT) };
        if let Some(index) = self.find(typ).or_else(|| self.admit(typ))
            && self.entries[index].prefix == COLLECTED
        {
            return Some(index);
        }
        if size < MANAGED + HEADER {
            return None;
        }
        // SAFETY: as above.
        let typ = unsafe { word(block, MANAGED + TYPE_AT) };
        let index = self.find(typ)?;
        (self.entries[index].prefix == MANAGED).then_some(index)
    }

    fn count(&mut self, tag: Tag, block: *const u8, size: usize) {
        match self.entry_of(tag, block, size) {
            Some(index) => self.add(index, 1, size),
            None => self.unknown = (self.unknown.0 + 1, self.unknown.1 + size),
        }
    }

    fn add(&mut self, index: usize, objects: usize, size: usize) {
        let entry = &mut self.entries[index];
        entry.objects += objects;
        entry.bytes += objects * size;
    }

    /// Counts the objects of a page. Neighbours often have the same type, so those are counted together.
    fn count_page(&mut self, page: &PageView<'_>) {
        let (tag, size) = (page.tag(), page.block_size());
        let mut run: Option<Run> = None;
        page.for_each_live(|block| {
            if let Some(run) = &mut run {
                // SAFETY: the block is alive, and as large as the one where the run began.
                if unsafe { word(block, run.offset) } == run.typ {
                    run.objects += 1;
                    return;
                }
                self.add(run.index, run.objects, size);
            }
            run = self.entry_of(tag, block, size).map(|index| {
                let entry = &self.entries[index];
                Run { typ: entry.typ, offset: entry.prefix + TYPE_AT, index, objects: 1 }
            });
            if run.is_none() {
                self.unknown = (self.unknown.0 + 1, self.unknown.1 + size);
            }
        });
        if let Some(run) = run {
            self.add(run.index, run.objects, size);
        }
    }

    /// The type of the object in a live block, if it is a known one.
    pub fn type_of(&mut self, tag: Tag, block: *const u8, size: usize) -> Option<&PyTypeObject> {
        if tag == Tag::Mem {
            return None;
        }
        let index = self.entry_of(tag, block, size)?;
        // SAFETY: entries are types that live.
        Some(unsafe { &*(self.entries[index].typ as *const PyTypeObject) })
    }

    /// What was found, in no particular order; types without objects are left out.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        self.entries.iter().filter(|entry| entry.objects != 0).map(|entry| Row {
            typ: entry.typ as *const PyTypeObject,
            objects: entry.objects,
            bytes: entry.bytes,
        })
    }
}

/// Reads a word of a block.
///
/// # Safety
/// The block is readable for that many bytes and a word, and the place is aligned.
#[inline(always)]
unsafe fn word(block: *const u8, offset: usize) -> usize {
    // SAFETY: the caller's promise.
    unsafe { block.add(offset).cast::<usize>().read() }
}

/// The blocks that are large enough for a class: the addresses behind the collector's header.
fn possible_classes(heap: &Heap) -> Result<TryVec<usize, Raw>, NoMemory> {
    const LEAST: usize = COLLECTED + size_of::<PyHeapType>();
    const _: () = assert!(LEAST > hognose_allocators::SMALL_LIMIT, "a class is no small block");
    let view = UserView::current();
    let mut found = TryVec::new_in(Raw);
    let mut result = Ok(());
    heap.walk_large(&mut |tag, inner, size| {
        if tag == Tag::ObjGc && size >= LEAST && result.is_ok() {
            // SAFETY: a live block of that size.
            let (block, size) = unsafe { view.of(tag, inner, size) };
            if size >= LEAST {
                result = found.try_push(block as usize + COLLECTED);
            }
        }
    });
    result.map(|()| found)
}

/// The writable parts of what is loaded into the process, sorted by address.
fn writable_data() -> Result<TryVec<(usize, usize), Raw>, NoMemory> {
    struct Found {
        ranges: TryVec<(usize, usize), Raw>,
        failed: bool,
    }
    unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _: usize, arg: *mut c_void) -> c_int {
        // SAFETY: the argument is the one that is passed below; the loader hands out whole tables.
        let (found, info) = unsafe { (&mut *arg.cast::<Found>(), &*info) };
        for index in 0..usize::from(info.dlpi_phnum) {
            // SAFETY: as above.
            let header = unsafe { &*info.dlpi_phdr.add(index) };
            if header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W != 0 {
                let start = info.dlpi_addr as usize + header.p_vaddr as usize;
                found.failed |= found.ranges.try_push((start, start + header.p_memsz as usize)).is_err();
            }
        }
        c_int::from(found.failed)
    }
    let mut found = Found { ranges: TryVec::new_in(Raw), failed: false };
    // SAFETY: the function fits, and its argument lives during the call.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut found).cast()) };
    if found.failed {
        return Err(NoMemory);
    }
    found.ranges.as_mut_slice().sort_unstable();
    Ok(found.ranges)
}
