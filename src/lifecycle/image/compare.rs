//! Two templates side by side: which of their words are the same for all, and what the others stand for.

use hognose_allocators::{Heap, NoMemory, Raw, Tag, TryBox, TryVec};

use super::library::{self, Anchors};
use super::share::{self, Shared};
use super::template::{CARRIED, Template, WORDS};
use super::{Block, Family, Image, Patch, Place, Target, Unfit};
use crate::state::{InterpreterState, ThreadState, Versions};

/// By how much later the versions of the second template begin, one step for each kind. No two words differ by one of
/// these but versions: other numbers are the same in both.
pub(super) const VERSION_STEPS: [u32; 3] = [1 << 28, 1 << 29, 1 << 30];

/// A live block of a template.
#[derive(Clone, Copy)]
struct Found {
    start: usize,
    size: usize,
    tag: Tag,
}

/// The live blocks of a template, by address.
struct Blocks(TryVec<Found, Raw>);

impl Blocks {
    fn of(heap: &Heap) -> Result<Blocks, Unfit> {
        let mut list = TryVec::new_in(Raw);
        let mut failed = None;
        heap.walk_tagged(&mut |tag, p, size| {
            if let Err(no_memory) = list.try_push(Found { start: p.addr(), size, tag }) {
                failed = Some(no_memory);
            }
        });
        if let Some(no_memory) = failed {
            return Err(no_memory.into());
        }
        list.sort_unstable_by_key(|block| block.start);
        Ok(Blocks(list))
    }

    /// The block in which an address lies, and how far from its start.
    fn find(&self, address: usize) -> Option<(usize, usize)> {
        let index = self.0.partition_point(|block| block.start <= address).checked_sub(1)?;
        let block = &self.0[index];
        let offset = address - block.start;
        (offset < block.size).then_some((index, offset))
    }
}

/// Two blocks that correspond, as addresses, and where the patches of the first begin.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub(super) a: usize,
    pub(super) b: usize,
    pub(super) size: usize,
    pub(super) tag: Tag,
    pub(super) patches: (usize, usize),
    /// Its bytes, as an index of words.
    pub(super) bytes: usize,
}

/// What is known so far.
pub(super) struct Comparison<'a> {
    a: &'a Template,
    b: &'a Template,
    /// Where the library lies, when its addresses are not to be taken for numbers: the image is for other processes.
    library: Option<Anchors>,
    pub(super) is_to_store: bool,
    blocks: [Blocks; 2],
    /// The pair that a block of the first template belongs to.
    number: TryVec<Option<u32>, Raw>,
    pub(super) pairs: TryVec<Pair, Raw>,
    pub(super) patches: TryVec<Patch, Raw>,
    pub(super) bytes: TryVec<u64, Raw>,
}

/// What one template consists of, as far as the other says the same.
pub(super) fn compare(ts: &ThreadState, a: &mut Template, b: &Template) -> Result<TryBox<Image, Raw>, Unfit> {
    let families = core::mem::replace(&mut a.families, TryVec::new_in(Raw));
    let (tables, sets) = (core::mem::take(&mut a.tables), core::mem::take(&mut a.sets));
    let is_to_store = a.is_to_store;
    let blocks = [Blocks::of(a.heap())?, Blocks::of(b.heap())?];
    let mut number = TryVec::new_in(Raw);
    number.try_resize(blocks[0].0.len(), None)?;
    let mut this = Comparison {
        a,
        b,
        library: if is_to_store { Anchors::of_library()? } else { None },
        is_to_store,
        blocks,
        number,
        pairs: TryVec::new_in(Raw),
        patches: TryVec::new_in(Raw),
        bytes: TryVec::new_in(Raw),
    };
    let (mut root, root_patches) = this.root()?;
    let mut next = 0;
    while next < this.pairs.len() {
        this.block(next)?;
        next += 1;
    }
    // A copy has a table of strings of its own.
    // SAFETY: nobody else looks at the template's.
    let table = unsafe { &*this.template().interned.get() }.address();
    let is_stray = |(block, number): (&Found, &Option<u32>)| number.is_none() && block.start != table;
    if this.blocks[0].0.iter().zip(this.number.iter()).any(is_stray) {
        return Err(Unfit::Because(c"a block is reached from nowhere"));
    }
    let families = this.families(&families)?;
    let versions = this.versions();
    let (tables, sets) = (this.numbers(&tables)?, this.numbers(&sets)?);
    let shared = share::share(ts, &mut this, &mut root, &root_patches)?;
    let image = this.into_image(shared, root, root_patches, families, versions, [tables, sets])?;
    Ok(TryBox::try_new_in(image, Raw)?)
}

/// A word that two templates have in the same place; it may lie across two.
fn word(p: usize) -> u64 {
    // SAFETY: the callers pass places inside of live blocks, in which nobody writes.
    unsafe { core::ptr::with_exposed_provenance::<u64>(p).read_unaligned() }
}

fn bytes<'a>(p: usize, size: usize) -> &'a [u8] {
    // SAFETY: as for `word`.
    unsafe { core::slice::from_raw_parts(core::ptr::with_exposed_provenance(p), size) }
}

pub(super) fn as_bytes(words: &mut [u64]) -> &mut [u8] {
    // SAFETY: any bytes are words, and the other way round.
    unsafe { core::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), size_of_val(words)) }
}

impl Comparison<'_> {
    /// What the carried fields hold.
    fn root(&mut self) -> Result<(TryVec<u64, Raw>, TryVec<Patch, Raw>), Unfit> {
        let mut copy = TryVec::new_in(Raw);
        copy.try_extend_from_copy(self.a.words())?;
        let (a, b) = (self.a.words().as_ptr().addr(), self.b.words().as_ptr().addr());
        for (start, size) in CARRIED {
            self.range(a + start, b + start, *size, &mut as_bytes(&mut copy)[*start..], *start)?;
        }
        debug_assert_eq!(copy.len(), WORDS);
        let patches = core::mem::replace(&mut self.patches, TryVec::new_in(Raw));
        Ok((copy, patches))
    }

    /// What a pair of blocks holds.
    fn block(&mut self, index: usize) -> Result<(), Unfit> {
        let pair = self.pairs[index];
        let words = pair.size.div_ceil(8);
        let mut copy = TryVec::new_in(Raw);
        copy.try_resize(words, 0u64)?;
        let into = &mut as_bytes(&mut copy)[..pair.size];
        into.copy_from_slice(bytes(pair.a, pair.size));
        let first = self.patches.len();
        self.range(pair.a, pair.b, pair.size, into, 0)?;
        let start = self.bytes.len();
        self.bytes.try_extend_from_copy(&copy)?;
        let pair = &mut self.pairs[index];
        pair.patches = (first, self.patches.len());
        pair.bytes = start;
        Ok(())
    }

    /// Explains what is different between two places of a size. In the copy, what a patch or nothing stands for becomes 0.
    fn range(&mut self, a: usize, b: usize, size: usize, copy: &mut [u8], base: usize) -> Result<(), Unfit> {
        let (of_a, of_b) = (bytes(a, size), bytes(b, size));
        let mut at = 0;
        let mut explained = 0;
        while at < size {
            if of_a[at] == of_b[at] {
                at += 1;
                continue;
            }
            // What is different begins here or up to seven bytes before: code has words anywhere.
            let aligned = at & !7;
            let candidates = [aligned].into_iter().chain((0..8).map(|back| at.wrapping_sub(back)));
            let mut found = None;
            for start in candidates.filter(|start| *start >= explained && *start <= at && *start + 8 <= size) {
                if let Some((target, offset)) = self.explain(word(a + start), word(b + start))? {
                    found = Some((start, 8, target, offset));
                    break;
                }
            }
            let aligned = at & !3;
            let candidates = [aligned].into_iter().chain((0..4).map(|back| at.wrapping_sub(back)));
            for start in candidates.filter(|start| *start >= explained && *start <= at && *start + 4 <= size) {
                if found.is_some() {
                    break;
                }
                let half = |of: &[u8]| u32::from_le_bytes([of[start], of[start + 1], of[start + 2], of[start + 3]]);
                let (half_a, half_b) = (half(of_a), half(of_b));
                let kind = VERSION_STEPS.iter().position(|step| half_b.wrapping_sub(half_a) == *step);
                found = kind.map(|kind| (start, 4, Target::version(kind as u32), half_a as usize));
            }
            let Some((start, length, target, offset)) = found else {
                return Err(Unfit::Because(c"two interpreters differ in what nothing explains"));
            };
            copy[start..start + length].fill(0);
            self.patches.try_push(Patch { at: (base + start) as u32, offset: offset as u32, target })?;
            explained = start + length;
            at = explained;
        }
        self.note_library(copy, size, base)
    }

    /// What is the same in both and names the library.
    fn note_library(&mut self, copy: &[u8], size: usize, base: usize) -> Result<(), Unfit> {
        let Some(library) = &mut self.library else { return Ok(()) };
        for (index, bytes) in copy[..size].as_chunks::<8>().0.iter().enumerate() {
            let address = usize::from_ne_bytes(*bytes);
            if library.has(address) {
                let Place { target, offset, .. } = library.place(address)?;
                self.patches.try_push(Patch { at: (base + index * 8) as u32, offset: offset as i32 as u32, target })?;
            }
        }
        Ok(())
    }

    /// What two words stand for that are not the same.
    fn explain(&mut self, a: u64, b: u64) -> Result<Option<(Target, usize)>, NoMemory> {
        let (a, b) = (a as usize, b as usize);
        let inside = |start: usize, size: usize, address: usize| {
            let offset = address.wrapping_sub(start);
            (offset < size).then_some(offset)
        };
        let size = size_of::<InterpreterState>();
        let interps = [self.a.interp.as_ptr().addr(), self.b.interp.as_ptr().addr()];
        if let Some(offset) = inside(interps[0], size, a)
            && inside(interps[1], size, b) == Some(offset)
        {
            return Ok(Some((Target::INTERPRETER, offset)));
        }
        if a == self.a.heap.as_ptr().addr() && b == self.b.heap.as_ptr().addr() {
            return Ok(Some((Target::HEAP, 0)));
        }
        let (Some((index_a, offset)), Some((index_b, other))) = (self.blocks[0].find(a), self.blocks[1].find(b)) else {
            return Ok(None);
        };
        let (in_a, in_b) = (self.blocks[0].0[index_a], self.blocks[1].0[index_b]);
        if offset != other || in_a.size != in_b.size || in_a.tag != in_b.tag {
            return Ok(None);
        }
        if let Some(number) = self.number[index_a] {
            let same = self.pairs[number as usize].b == in_b.start;
            return Ok(same.then_some((Target::block(number), offset)));
        }
        let number = self.pairs.len() as u32;
        self.number[index_a] = Some(number);
        let (a, b) = (in_a.start, in_b.start);
        self.pairs.try_push(Pair { a, b, size: in_a.size, tag: in_a.tag, patches: (0, 0), bytes: 0 })?;
        Ok(Some((Target::block(number), offset)))
    }

    /// Where something of the first template is in a copy.
    fn place(&mut self, address: usize) -> Result<Place, Unfit> {
        match self.blocks[0].find(address) {
            None => match &mut self.library {
                Some(library) => library.place(address),
                None => Ok(library::distance(address)),
            },
            Some((index, offset)) => match self.number[index] {
                Some(number) => Ok(Place::new(Target::block(number), offset as i64)),
                None => Err(Unfit::Because(c"a class is reached from nowhere")),
            },
        }
    }

    fn families(&mut self, addresses: &[(usize, usize)]) -> Result<TryVec<Family, Raw>, Unfit> {
        let mut families = TryVec::new_in(Raw);
        for (base, class) in addresses {
            families.try_push(Family { base: self.place(*base)?, class: self.place(*class)? })?;
        }
        Ok(families)
    }

    /// The numbers of the blocks at the given addresses, each once.
    fn numbers(&self, addresses: &[usize]) -> Result<TryVec<u32, Raw>, Unfit> {
        let mut numbers = TryVec::new_in(Raw);
        for number in addresses.iter().filter_map(|address| self.number_of(*address)) {
            numbers.try_push(number)?;
        }
        numbers.sort_unstable();
        let mut last = None;
        let mut unique = TryVec::new_in(Raw);
        for number in numbers.iter() {
            if last.replace(*number) != Some(*number) {
                unique.try_push(*number)?;
            }
        }
        Ok(unique)
    }

    /// How many versions the first template has used up.
    fn versions(&self) -> [u32; 3] {
        let fresh = Versions::new();
        let now = self.a.interp().versions().all().map(|version| version.get());
        let mut used = [0; 3];
        for (used, (now, first)) in used.iter_mut().zip(now.iter().zip(fresh.all())) {
            *used = now - first.get();
        }
        used
    }

    fn into_image(
        self,
        shared: Shared,
        root: TryVec<u64, Raw>,
        root_patches: TryVec<Patch, Raw>,
        families: TryVec<Family, Raw>,
        versions: [u32; 3],
        [tables, sets]: [TryVec<u32, Raw>; 2],
    ) -> Result<Image, Unfit> {
        const STRAY: Unfit = Unfit::Because(c"what is shared is named by nobody");
        let Shared { common, places, kept, interned_copies } = shared;
        let is_to_store = self.is_to_store;
        // As it is in the image. What names something shared is the same in all copies of this process: `share` has
        // written it.
        let in_image = |patch: &Patch| match patch.target.as_block() {
            None => Some(*patch),
            Some(number) => match kept[number as usize] {
                Some(number) => Some(Patch { target: Target::block(number), ..*patch }),
                None if is_to_store => {
                    let offset = places[number as usize] + patch.offset;
                    Some(Patch { target: Target::SHARED, offset, ..*patch })
                }
                None => None,
            },
        };
        let renumbered = |numbers: &[u32]| {
            let mut all = TryVec::new_in(Raw);
            for number in numbers {
                let Some(number) = kept[*number as usize] else { return Err(STRAY) };
                all.try_push(number)?;
            }
            Ok(all)
        };
        let mut image = Image {
            blocks: TryVec::new_in(Raw),
            bytes: TryVec::new_in(Raw),
            patches: TryVec::new_in(Raw),
            root,
            root_patches: TryVec::new_in(Raw),
            families: TryVec::new_in(Raw),
            versions,
            interned_copies: renumbered(&interned_copies)?,
            tables: renumbered(&tables)?,
            sets: renumbered(&sets)?,
            largest_set: self.a.largest_set as u32,
            anchors: TryVec::new_in(Raw),
            common,
            common_patches: TryVec::new_in(Raw),
        };
        for (index, pair) in self.pairs.iter().enumerate() {
            let patches = &self.patches[pair.patches.0..pair.patches.1];
            if kept[index].is_none() {
                for patch in patches.iter().filter(|patch| is_to_store && !share::is_header(pair.tag, patch)) {
                    if let Some(patch) = in_image(patch) {
                        image.common_patches.try_push(Patch { at: places[index] + patch.at, ..patch })?;
                    }
                }
                continue;
            }
            let words = pair.size.div_ceil(8);
            image.bytes.try_extend_from_copy(&self.bytes[pair.bytes..pair.bytes + words])?;
            let before = image.patches.len();
            for patch in patches {
                if let Some(patch) = in_image(patch) {
                    image.patches.try_push(patch)?;
                }
            }
            let count = (image.patches.len() - before) as u32;
            image.blocks.try_push(Block { size: pair.size as u32, tag: pair.tag as u32, patches: count })?;
        }
        for patch in root_patches.iter() {
            if let Some(patch) = in_image(patch) {
                image.root_patches.try_push(patch)?;
            }
        }
        let placed = |place: Place| match place.target.as_block() {
            None => Ok(place),
            Some(number) => match kept[number as usize] {
                Some(number) => Ok(Place { target: Target::block(number), ..place }),
                None => Err(STRAY),
            },
        };
        for family in families.iter() {
            image.families.try_push(Family { base: placed(family.base)?, class: placed(family.class)? })?;
        }
        if let Some(library) = self.library {
            image.anchors = library.used;
        }
        Ok(image)
    }

    /// The interpreter of the first template.
    pub(super) fn template(&self) -> &InterpreterState {
        self.a.interp()
    }

    /// The pair that an address in the first template is the start of.
    pub(super) fn number_of(&self, address: usize) -> Option<u32> {
        self.blocks[0].find(address).and_then(|(index, _)| self.number[index])
    }

    /// Whether a pair of blocks names others in the given word.
    pub(super) fn names(&self, pair: &Pair, word: usize) -> bool {
        self.patches[pair.patches.0..pair.patches.1].iter().any(|patch| patch.at as usize == word * 8)
    }
}
