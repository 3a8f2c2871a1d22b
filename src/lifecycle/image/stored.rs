//! The image of the main interpreter, which is in the library itself.
//!
//! ```text
//!  build:  cc ──► libhognose.so ──► runs once (`store`) ──► what it has built, into the space that is kept for it
//!  start:  space ──► common values, with the hashes of this process ──► blocks of the main interpreter's heap
//! ```
//!
//! The space is part of the read-only data, and empty as the compiler leaves it: then everything is built. It holds
//! [`Parts`] as they lie in memory, in an order of its own. What it names in the library is named by its distance
//! ([`library`](super::library)); hashes and what lies where they lead to are made anew, as each process has its own key;
//! what depends on the configuration or the system is set afterwards (`init::adapt`).

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use hognose_allocators::{Raw, TryBox, TryVec, populate};

use super::library::{self, Anchors};
use super::{Block, Common, Family, Image, Parts, Patch, Place, Target, Unfit};
use crate::code::words;
use crate::config::PyConfig;
use crate::import::inittab;
use crate::modules;
use crate::object::{PyResult, StaticType, ready};
use crate::state::ThreadState;
use crate::types::str::{InternTable, PyStr};

/// How the space begins, before its size.
const MARK: [u8; 24] = *b"\x7fHognose's start image: ";
/// How many bytes there are for the image.
const CAPACITY: usize = 1536 << 10;

/// What stands before the image.
#[repr(C)]
struct Head {
    mark: [u8; 24],
    /// The bytes behind this.
    capacity: u64,
    /// Those that are in use.
    length: u64,
    padding: [u64; 3],
}

/// The bytes of [`Head`].
pub(super) const HEAD: usize = 64;
const _: () = assert!(size_of::<Head>() == HEAD);

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
core::arch::global_asm!(
    ".pushsection .hognose.image,\"a\",@progbits",
    ".balign 64",
    ".hidden hognose_start_image",
    ".globl hognose_start_image",
    ".type hognose_start_image, @object",
    "hognose_start_image:",
    ".byte 0x7f",
    ".ascii \"Hognose's start image: \"",
    ".quad {capacity}",
    ".zero 32",
    ".zero {capacity}",
    ".size hognose_start_image, . - hognose_start_image",
    ".popsection",
    capacity = const CAPACITY,
);

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
unsafe extern "C" {
    static hognose_start_image: Head;
}

/// The space. The compiler does not know what is in it.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn space() -> Option<&'static Head> {
    // SAFETY: it is as defined above, and never written to while the library is loaded.
    Some(unsafe { &hognose_start_image })
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn space() -> Option<&'static Head> {
    None
}

/// Where one kind of thing lies.
#[derive(Clone, Copy)]
#[repr(C)]
struct Span {
    /// Bytes from the start of the contents.
    start: u32,
    /// How many of the things.
    count: u32,
}

/// What the image begins with.
#[derive(Clone, Copy)]
#[repr(C)]
struct Contents {
    blocks: Span,
    bytes: Span,
    patches: Span,
    root: Span,
    root_patches: Span,
    families: Span,
    interned_copies: Span,
    tables: Span,
    sets: Span,
    /// Pairs of words of what the copies have in common.
    common: Span,
    common_patches: Span,
    /// Of the library.
    anchors: Span,
    /// Strings.
    interned: Span,
    /// The static types in the order in which they became ready.
    types: Span,
    versions: [u32; 3],
    largest_set: u32,
    /// Whether these are ready already, as the file has them.
    types_are_ready: u32,
    padding: u32,
}

impl Contents {
    /// # Safety
    /// The span is one of these contents, which lie in the space, and of things of that type.
    unsafe fn slice<T>(&'static self, span: Span) -> &'static [T] {
        // SAFETY: the caller's promise. Each span is aligned to words.
        unsafe {
            let start = ptr::from_ref(self).cast::<u8>().add(span.start as usize);
            core::slice::from_raw_parts(start.cast::<T>(), span.count as usize)
        }
    }
}

/// What the library has.
struct Stored {
    parts: Parts<'static>,
    common: &'static [u128],
    interned: &'static [Place],
    types: &'static [Place],
    types_are_ready: bool,
}

/// How many static types are ready as the process begins.
pub(crate) fn ready_types_in_file() -> u32 {
    stored().filter(|stored| stored.types_are_ready).map_or(0, |stored| stored.types.len() as u32)
}

fn stored() -> Option<Stored> {
    let space = space().filter(|space| space.length != 0)?;
    // SAFETY: the contents were put there by `store`, from the same build.
    unsafe {
        let this = &*ptr::from_ref(space).add(1).cast::<Contents>();
        Some(Stored {
            parts: Parts {
                blocks: this.slice(this.blocks),
                bytes: this.slice(this.bytes),
                patches: this.slice(this.patches),
                root: this.slice(this.root),
                root_patches: this.slice(this.root_patches),
                families: this.slice(this.families),
                versions: this.versions,
                interned_copies: this.slice(this.interned_copies),
                tables: this.slice(this.tables),
                sets: this.slice(this.sets),
                largest_set: this.largest_set,
                anchors: this.slice(this.anchors),
                common_patches: this.slice(this.common_patches),
            },
            common: this.slice(this.common),
            interned: this.slice(this.interned),
            types: this.slice(this.types),
            types_are_ready: this.types_are_ready != 0,
        })
    }
}

/// What the main interpreter has of the image beside its heap; null when it was built.
static COMMON: AtomicPtr<Common> = AtomicPtr::new(ptr::null_mut());

/// Whether the main interpreter was copied from the library's image.
pub(super) fn is_in_use() -> bool {
    !COMMON.load(Ordering::Acquire).is_null()
}

/// The bytes that the main interpreter has of the image beside its heap.
pub(super) fn common_size() -> usize {
    // SAFETY: the main interpreter is there while a state of any is attached, as the caller's is.
    unsafe { COMMON.load(Ordering::Acquire).as_ref() }.map_or(0, Common::size)
}

/// Copies the image into the main interpreter. False when there is none that fits, and it is to be built.
pub(super) fn copy_into(ts: &ThreadState) -> PyResult<bool> {
    let Some(stored) = stored() else { return Ok(false) };
    if !fits(ts.interp().config()) || !(stored.types_are_ready || ready_types(&stored)) {
        return Ok(false);
    }
    let mut memory = TryVec::<u128, Raw>::new_in(Raw);
    memory.try_reserve_exact(stored.common.len())?;
    // SAFETY: the vector has that much room.
    unsafe { populate(memory.as_mut_ptr().cast(), size_of_val(stored.common)) };
    memory.try_extend_from_copy(stored.common)?;
    let start = memory.as_mut_ptr();
    let mut texts = TryVec::<*const PyStr, Raw>::new_in(Raw);
    texts.try_reserve_exact(stored.interned.len())?;
    for place in stored.interned {
        texts.push_reserved(if place.target == Target::SHARED {
            start.cast::<u8>().wrapping_add(place.offset as usize).cast_const().cast()
        } else {
            let text = library::find(*place, stored.parts.anchors).cast::<PyStr>();
            // SAFETY: a static string lies there.
            words::note_use(unsafe { &*text });
            text
        });
    }
    let interned = InternTable::table_of(&texts)?;
    let common = TryBox::into_raw(TryBox::try_new_in(Common { interned, memory }, Raw)?);
    COMMON.store(common, Ordering::Release);
    // SAFETY: it is there until `forget`, after the interpreter's end.
    unsafe { stored.parts.copy_into(ts, start, &(*common).interned)? };
    Ok(true)
}

/// Whether the steps would build what the image has: they depend on where the library's files are, on `__debug__`, and on
/// modules that the program puts in the place of built-in ones.
fn fits(config: &PyConfig) -> bool {
    let mut is_replaced = false;
    inittab::for_each(&mut |name| is_replaced |= name.to_str().is_ok_and(|name| modules::find(name).is_some()));
    config.stdlib_dir.get().is_none() && config.optimization_level == 0 && !is_replaced
}

/// Makes the types ready that the image knows; false when they have other numbers in this process.
fn ready_types(stored: &Stored) -> bool {
    stored.types.iter().enumerate().all(|(index, place)| {
        // SAFETY: a static type lies there.
        let typ: &'static StaticType = unsafe { &*library::find(*place, stored.parts.anchors).cast() };
        ready::ready_in_process(typ);
        typ.object.tp_subclasses.get().addr() == index + 1
    })
}

/// Gives back what the main interpreter had of the image, which has ended.
pub(super) fn forget() {
    let common = COMMON.swap(ptr::null_mut(), Ordering::AcqRel);
    if !common.is_null() {
        // SAFETY: it came from `copy_into`.
        drop(unsafe { TryBox::<Common, Raw>::from_raw(common) });
    }
}

/// The image as it is to lie behind the head of the space, in words. `ts` is of the interpreter whose types it has.
pub(super) fn encode(ts: &ThreadState, image: &Image, types_are_ready: bool) -> Result<TryVec<u64, Raw>, Unfit> {
    let mut library = Anchors::of_library()?;
    // Those that the image names already come first.
    if let Some(library) = &mut library {
        library.used.try_extend_from_copy(&image.anchors)?;
    }
    let mut place = |address| match &mut library {
        Some(library) => library.place(address),
        None => Ok(library::distance(address)),
    };
    let mut types = TryVec::<Place, Raw>::new_in(Raw);
    ts.interp().each_static_type(|typ| Ok::<(), Unfit>(types.try_push(place(ptr::from_ref(typ).addr())?)?))?;
    let memory = &image.common.memory;
    let mut interned = TryVec::<Place, Raw>::new_in(Raw);
    for text in image.common.interned.iter() {
        let offset = text.addr().wrapping_sub(memory.as_ptr().addr());
        interned.try_push(if offset < memory.len() * size_of::<u128>() {
            Place::new(Target::SHARED, offset as i64)
        } else {
            place(text.addr())?
        })?;
    }
    let anchors = library.map_or(TryVec::new_in(Raw), |library| library.used);
    let mut words = TryVec::<u64, Raw>::new_in(Raw);
    words.try_resize(size_of::<Contents>().div_ceil(8), 0)?;
    let parts = image.parts();
    let contents = Contents {
        blocks: push(&mut words, parts.blocks)?,
        bytes: push(&mut words, parts.bytes)?,
        patches: push(&mut words, parts.patches)?,
        root: push(&mut words, parts.root)?,
        root_patches: push(&mut words, parts.root_patches)?,
        families: push(&mut words, parts.families)?,
        interned_copies: push(&mut words, parts.interned_copies)?,
        tables: push(&mut words, parts.tables)?,
        sets: push(&mut words, parts.sets)?,
        common: push_aligned(&mut words, memory)?,
        common_patches: push(&mut words, &image.common_patches)?,
        anchors: push(&mut words, &anchors)?,
        interned: push(&mut words, &interned)?,
        types: push(&mut words, &types)?,
        versions: parts.versions,
        largest_set: parts.largest_set,
        types_are_ready: types_are_ready.into(),
        padding: 0,
    };
    // SAFETY: there is room for it at the beginning.
    unsafe { words.as_mut_ptr().cast::<Contents>().write(contents) };
    Ok(words)
}

/// As [`push`], for pairs of words: the contents begin at a multiple of their size.
fn push_aligned(words: &mut TryVec<u64, Raw>, pairs: &[u128]) -> Result<Span, Unfit> {
    words.try_resize(words.len().next_multiple_of(2), 0)?;
    // SAFETY: any bytes are words.
    let halves = unsafe { core::slice::from_raw_parts(pairs.as_ptr().cast::<u64>(), pairs.len() * 2) };
    Ok(Span { count: pairs.len() as u32, ..push(words, halves)? })
}

/// Appends things that consist of numbers.
fn push<T: Plain>(words: &mut TryVec<u64, Raw>, things: &[T]) -> Result<Span, Unfit> {
    let span = Span { start: (words.len() * 8) as u32, count: things.len() as u32 };
    let size = size_of_val(things);
    let room = words.len();
    words.try_resize(room + size.div_ceil(8), 0)?;
    // SAFETY: there is room; `Plain` things have no byte that is not written.
    unsafe {
        let to = words.as_mut_ptr().add(room).cast::<u8>();
        ptr::copy_nonoverlapping(things.as_ptr().cast::<u8>(), to, size);
    }
    Ok(span)
}

/// # Safety
/// All bytes of such a thing mean something, and it is aligned to 8 or less.
unsafe trait Plain {}
// SAFETY: structs of words and halves, without a gap.
unsafe impl Plain for Block {}
// SAFETY: as above.
unsafe impl Plain for Patch {}
// SAFETY: as above.
unsafe impl Plain for Family {}
// SAFETY: as above.
unsafe impl Plain for Place {}
// SAFETY: as above.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for u64 {}

/// Where the space lies in a file that the library is in, and how many bytes are there behind the head.
pub(super) fn find_in(file: &[u8]) -> Option<(usize, usize)> {
    let whole = size_of::<Head>() + CAPACITY;
    let mut found = None;
    for start in (0..file.len().saturating_sub(whole)).step_by(64) {
        let is_marked = file[start..].starts_with(&MARK);
        // Twice would be once too often.
        if is_marked
            && file[start + MARK.len()..].starts_with(&CAPACITY.to_ne_bytes())
            && found.replace(start).is_some()
        {
            return None;
        }
    }
    found.map(|start| (start, CAPACITY))
}

/// Puts an image into the space, whose place in the file was found.
pub(super) fn put(file: &mut [u8], start: usize, image: &[u64]) {
    let length = size_of_val(image);
    let at = start + core::mem::offset_of!(Head, length);
    file[at..at + 8].copy_from_slice(&(length as u64).to_ne_bytes());
    for (index, word) in image.iter().enumerate() {
        let at = start + size_of::<Head>() + index * 8;
        file[at..at + 8].copy_from_slice(&word.to_ne_bytes());
    }
}
