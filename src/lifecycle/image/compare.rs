//! Two templates side by side: which of their words are the same for all, and what the others stand for.

use hognose_allocators::{Heap, NoMemory, Raw, Tag, TryBox, TryVec};

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
    let blocks = [Blocks::of(a.heap())?, Blocks::of(b.heap())?];
    let mut number = TryVec::new_in(Raw);
    number.try_resize(blocks[0].0.len(), None)?;
    let mut this = Comparison {
        a,
        b,
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
        return Err(Unfit::Because("a block is reached from nowhere"));
    }
    let families = this.families(&families)?;
    let versions = this.versions();
    let shared = share::share(ts, &mut this, &mut root, &root_patches)?;
    let image = this.into_image(shared, root, root_patches, families, versions)?;
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
                found = kind.map(|kind| (start, 4, Target::Version(kind as u32), half_a as usize));
            }
            let Some((start, length, target, offset)) = found else {
                return Err(Unfit::Because("two interpreters differ in what nothing explains"));
            };
            copy[start..start + length].fill(0);
            self.patches.try_push(Patch { at: (base + start) as u32, offset: offset as u32, target })?;
            explained = start + length;
            at = explained;
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
            return Ok(Some((Target::Interpreter, offset)));
        }
        if a == self.a.heap.as_ptr().addr() && b == self.b.heap.as_ptr().addr() {
            return Ok(Some((Target::Heap, 0)));
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
            return Ok(same.then_some((Target::Block(number), offset)));
        }
        let number = self.pairs.len() as u32;
        self.number[index_a] = Some(number);
        let (a, b) = (in_a.start, in_b.start);
        self.pairs.try_push(Pair { a, b, size: in_a.size, tag: in_a.tag, patches: (0, 0), bytes: 0 })?;
        Ok(Some((Target::Block(number), offset)))
    }

    /// Where something of the first template is in a copy.
    fn place(&self, address: usize) -> Result<Place, Unfit> {
        match self.blocks[0].find(address) {
            None => Ok(Place::Fixed(address)),
            Some((index, offset)) => match self.number[index] {
                Some(number) => Ok(Place::Block(number, offset as u32)),
                None => Err(Unfit::Because("a class is reached from nowhere")),
            },
        }
    }

    fn families(&self, addresses: &[(usize, usize)]) -> Result<TryVec<Family, Raw>, Unfit> {
        let mut families = TryVec::new_in(Raw);
        for (base, class) in addresses {
            families.try_push(Family { base: self.place(*base)?, class: self.place(*class)? })?;
        }
        Ok(families)
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
    ) -> Result<Image, Unfit> {
        let kept = shared.kept;
        let renumbered = |target| match target {
            Target::Block(number) => kept[number as usize].map(Target::Block),
            other => Some(other),
        };
        const STRAY: Unfit = Unfit::Because("what is shared is named by nobody");
        let mut image = Image {
            blocks: TryVec::new_in(Raw),
            bytes: TryVec::new_in(Raw),
            patches: TryVec::new_in(Raw),
            root,
            root_patches: TryVec::new_in(Raw),
            families: TryVec::new_in(Raw),
            versions,
            interned: shared.interned,
            interned_copies: TryVec::new_in(Raw),
            shared: shared.memory,
        };
        for (index, pair) in self.pairs.iter().enumerate() {
            if kept[index].is_none() {
                continue;
            }
            let words = pair.size.div_ceil(8);
            image.bytes.try_extend_from_copy(&self.bytes[pair.bytes..pair.bytes + words])?;
            let mut count = 0;
            for patch in &self.patches[pair.patches.0..pair.patches.1] {
                // What names something shared is the same in all copies: `share` has written it.
                if let Some(target) = renumbered(patch.target) {
                    image.patches.try_push(Patch { target, ..*patch })?;
                    count += 1;
                }
            }
            image.blocks.try_push(Block { size: pair.size as u32, tag: pair.tag, patches: count })?;
        }
        for patch in root_patches.iter() {
            if let Some(target) = renumbered(patch.target) {
                image.root_patches.try_push(Patch { target, ..*patch })?;
            }
        }
        let placed = |place| match place {
            Place::Block(number, offset) => kept[number as usize].map(|number| Place::Block(number, offset)),
            fixed => Some(fixed),
        };
        for family in families.iter() {
            let (Some(base), Some(class)) = (placed(family.base), placed(family.class)) else { return Err(STRAY) };
            image.families.try_push(Family { base, class })?;
        }
        for number in shared.interned_copies.iter() {
            let Some(number) = kept[*number as usize] else { return Err(STRAY) };
            image.interned_copies.try_push(number)?;
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
