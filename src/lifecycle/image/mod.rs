//! The start image: what an interpreter consists of after the steps that are the same for all, copied instead of built.
//!
//! ```text
//!  the second       template A ──┐ compare   ┌─ Image ──────────────────────────┐
//!  sub-interpreter  template B ──┴─────────► │ shared   strings, numbers, tuples│ immortal, for all copies
//!                                            │ blocks   bytes, and their patches│
//!  each later one   its heap ◄────── copy ── │ roots    of the interpreter      │
//!                                            └──────────────────────────────────┘
//! ```
//!
//! The main interpreter has an image of its own, which the build has put into the library in the same way (`stored`).
//!
//! Nobody describes what the blocks hold. Two interpreters are made by the same steps, each on a heap of its own that
//! nothing else has written to, and compared from their roots on: where both say the same, it is the same for all; where
//! each names a block of its own, these two correspond, and a copy names its own; what can be explained in no such way
//! makes the process unfit for an image, and interpreters are built as ever.
//!
//! S1: what a copy shares with others is immortal and immutable, but for hashes, which are known already where several
//!     interpreters share it.
//! S2: what depends on where something lies, or on when it was asked for, is no part of the image: the lists of
//!     subclasses, the cache of look-ups, the environment. It is taken out of a template and put into each copy.
//! S3: a copy counts, is limited and fails as if it had been built: its blocks come from its own heap, one by one.
//! S4: the image, and what a copy has of it, is there until the last interpreter has ended, and no longer.
//!
//! | file | what |
//! |---|---|
//! | `template` | an interpreter that nobody knows of |
//! | `compare` | two of them; what one consists of |
//! | `share` | what copies need not have for themselves |
//! | `copy` | a new interpreter |
//! | `store` | the image for the main interpreter of other processes, put into a file of the library |
//! | `stored` | that image: its form, and the main interpreter from it |
//! | `library` | distances in the library, which lies elsewhere in each process |
//! | `hashes` | what has to be made anew under another key of hashing |

mod compare;
mod copy;
mod hashes;
mod library;
mod share;
mod store;
mod stored;
mod template;

pub use store::store;
pub(crate) use stored::ready_types_in_file;

use core::ffi::CStr;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

use hognose_allocators::{NoMemory, Raw, Tag, TryBox, TryVec};

use crate::config::WChar;
use crate::object::{PyResult, reftrace};
use crate::state::{InterpreterState, ThreadState};
use crate::sync::{Locked, RawLock};
use crate::types::str::PyStr;
use template::Template;

/// A block of the image.
#[derive(Clone, Copy)]
#[repr(C)]
struct Block {
    size: u32,
    /// A number of [`Tag::ALL`].
    tag: u32,
    /// How many of the patches are its own.
    patches: u32,
}

impl Block {
    fn tag(self) -> Tag {
        Tag::ALL[self.tag as usize]
    }
}

/// What a place of a copy is to name, as an index into what a copy knows the addresses of (`copy::Bases`); or a version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
struct Target(u32);

impl Target {
    /// The interpreter itself.
    const INTERPRETER: Target = Target(0);
    /// Its heap.
    const HEAP: Target = Target(1);
    /// What copies have in common.
    const SHARED: Target = Target(2);
    /// The library itself: its code, and its static data.
    const LIBRARY: Target = Target(3);
    /// From here on: exported data of the library ([`library::Anchors`]).
    const FIRST_ANCHOR: u32 = 4;
    const MOST_ANCHORS: u32 = 512;
    const FIRST_BLOCK: u32 = Target::FIRST_ANCHOR + Target::MOST_ANCHORS;
    const FIRST_VERSION: u32 = u32::MAX - 2;

    /// A block of the copy, by its number.
    const fn block(number: u32) -> Target {
        Target(Target::FIRST_BLOCK + number)
    }

    /// A version of the interpreter's own, by its kind.
    const fn version(kind: u32) -> Target {
        Target(Target::FIRST_VERSION + kind)
    }

    /// The number, when it is a block.
    #[inline(always)]
    fn as_block(self) -> Option<u32> {
        (Target::FIRST_BLOCK..Target::FIRST_VERSION).contains(&self.0).then(|| self.0 - Target::FIRST_BLOCK)
    }

    /// Whether it is in the library.
    fn is_in_library(self) -> bool {
        self == Target::LIBRARY || (Target::FIRST_ANCHOR..Target::FIRST_BLOCK).contains(&self.0)
    }

    /// The kind, when it is a version.
    #[inline(always)]
    fn as_version(self) -> Option<u32> {
        self.0.checked_sub(Target::FIRST_VERSION)
    }
}

/// A place in a block, and what is to be written there.
#[derive(Clone, Copy)]
#[repr(C)]
struct Patch {
    /// Bytes from the start of the block; not always a multiple of 8.
    at: u32,
    /// Bytes from the start of the target, in the library to either side; for a version, what the template had.
    offset: u32,
    target: Target,
}

/// Where something is: in a block of the copy, or in the library.
#[derive(Clone, Copy)]
#[repr(C)]
struct Place {
    offset: i64,
    target: Target,
    padding: u32,
}

impl Place {
    const fn new(target: Target, offset: i64) -> Place {
        Place { offset, target, padding: 0 }
    }
}

/// A class and one of its bases.
#[derive(Clone, Copy)]
#[repr(C)]
struct Family {
    base: Place,
    class: Place,
}

/// What an interpreter is copied from.
#[derive(Clone, Copy)]
struct Parts<'a> {
    blocks: &'a [Block],
    /// The bytes of the blocks one after the other, each from a multiple of 8 on.
    bytes: &'a [u64],
    patches: &'a [Patch],
    /// The bytes of an interpreter, of which [`template::CARRIED`] counts.
    root: &'a [u64],
    root_patches: &'a [Patch],
    families: &'a [Family],
    /// How many versions of each kind there are in it.
    versions: [u32; 3],
    /// The interned strings that each copy has for itself.
    interned_copies: &'a [u32],
    /// The blocks that are tables of dictionaries, and those that are sets, when these are not in the order that the
    /// hashes of this process say.
    tables: &'a [u32],
    sets: &'a [u32],
    /// How many entries the largest of those sets has.
    largest_set: u32,
    /// Where in the library the addresses of its exported data are, as distances, when such is named.
    anchors: &'a [u32],
    /// The places in what the copies have in common that are not filled in yet.
    common_patches: &'a [Patch],
}

/// What the copies have in common: S1.
struct Common {
    /// The interned strings.
    interned: TryVec<*const PyStr, Raw>,
    /// Pairs of words, as objects are aligned to them.
    memory: TryVec<u128, Raw>,
}

impl Common {
    fn size(&self) -> usize {
        self.memory.len() * size_of::<u128>() + self.interned.len() * size_of::<usize>()
    }
}

/// What is copied, as this process has made it.
struct Image {
    blocks: TryVec<Block, Raw>,
    bytes: TryVec<u64, Raw>,
    patches: TryVec<Patch, Raw>,
    root: TryVec<u64, Raw>,
    root_patches: TryVec<Patch, Raw>,
    families: TryVec<Family, Raw>,
    versions: [u32; 3],
    interned_copies: TryVec<u32, Raw>,
    tables: TryVec<u32, Raw>,
    sets: TryVec<u32, Raw>,
    largest_set: u32,
    anchors: TryVec<u32, Raw>,
    common: Common,
    /// None but in an image that is to be stored.
    common_patches: TryVec<Patch, Raw>,
}

impl Image {
    fn parts(&self) -> Parts<'_> {
        Parts {
            blocks: &self.blocks,
            bytes: &self.bytes,
            patches: &self.patches,
            root: &self.root,
            root_patches: &self.root_patches,
            families: &self.families,
            versions: self.versions,
            interned_copies: &self.interned_copies,
            tables: &self.tables,
            sets: &self.sets,
            largest_set: self.largest_set,
            anchors: &self.anchors,
            common_patches: &self.common_patches,
        }
    }
}

/// Why there is no image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unfit {
    Memory,
    /// Something that is found nowhere else.
    Because(&'static CStr),
}

impl From<NoMemory> for Unfit {
    fn from(_: NoMemory) -> Unfit {
        Unfit::Memory
    }
}

static IMAGE: AtomicPtr<Image> = AtomicPtr::new(ptr::null_mut());
/// Held while an image is made, by a thread that neither lets its GIL go nor waits for one meanwhile. (What runs in a
/// template is the frozen library's, which does not come here.) Its value is why there is no image.
static MAKING: Locked<&CStr> = Locked::new(c"");
/// How many sub-interpreters were wanted in this life of the runtime, and for which of them an image is to be made.
static WANTED: AtomicU32 = AtomicU32::new(0);
static ATTEMPT: AtomicU32 = AtomicU32::new(SECOND);
const SECOND: u32 = 2;
/// There is to be no image, or no more copies of it.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// What there is to say of the image.
pub struct Description {
    /// Why there is none; empty when there is one, or none was wanted.
    pub reason: &'static CStr,
    /// Whether the main interpreter was copied from the library's image, and the bytes that it has of it beside its heap.
    pub main: Option<usize>,
    /// How many blocks are copied.
    pub blocks: usize,
    /// Their bytes.
    pub bytes: usize,
    /// The bytes of what the copies share.
    pub shared: usize,
}

/// What there is to say of the image. The caller's thread has a state attached.
pub fn describe() -> Description {
    let reason = *MAKING.lock();
    let main = stored::is_in_use().then(stored::common_size);
    // SAFETY: S4: an interpreter is there.
    match unsafe { IMAGE.load(Ordering::Acquire).as_ref() } {
        None => Description { reason, main, blocks: 0, bytes: 0, shared: 0 },
        Some(image) => Description {
            reason,
            main,
            blocks: image.blocks.len(),
            bytes: image.blocks.iter().map(|block| block.size as usize).sum(),
            shared: image.common.size(),
        },
    }
}

/// The lock under which an image is made, for the time of a fork.
pub fn lock() -> &'static RawLock {
    &MAKING.lock
}

/// A sub-interpreter is wanted. The first one is built as the main one was; for the second one an image is made, as more
/// may follow.
pub(super) fn prepare(ts: &ThreadState) {
    if !IMAGE.load(Ordering::Acquire).is_null() {
        return;
    }
    let count = WANTED.fetch_add(1, Ordering::AcqRel).saturating_add(1);
    let is_due = || count >= ATTEMPT.load(Ordering::Acquire) && !CLOSED.load(Ordering::Acquire);
    if !is_due() || !is_possible(ts) {
        return;
    }
    let mut why_not = MAKING.lock();
    if !IMAGE.load(Ordering::Acquire).is_null() || !is_due() {
        return;
    }
    match make(ts, false) {
        Ok(image) => {
            *why_not = c"";
            IMAGE.store(TryBox::into_raw(image), Ordering::Release);
        }
        // Perhaps there is memory when the next one is wanted.
        Err(Unfit::Memory) => {}
        // What was different may have come from want of memory as well.
        Err(Unfit::Because(reason)) => {
            *why_not = reason;
            ATTEMPT.store(count.saturating_mul(2), Ordering::Release);
        }
    }
}

/// Whether building has no effect that a copy has not.
fn is_possible(ts: &ThreadState) -> bool {
    let config = ts.interp().config();
    let is_off = || {
        let wanted = config.xoption("start_image").flatten();
        wanted.is_some_and(|wanted| wanted.iter().copied().eq(b"off".map(WChar::from)))
    };
    config.verbose == 0 && config.import_time == 0 && !reftrace::is_on() && !is_off()
}

/// An image for this process, or one that is to be stored.
fn make(ts: &ThreadState, is_to_store: bool) -> Result<TryBox<Image, Raw>, Unfit> {
    // Templates tell versions from other numbers by where they began to count.
    let mut a = Template::build(ts, [0; 3], None, is_to_store)?;
    let image = Template::build(ts, compare::VERSION_STEPS, Some(&a), is_to_store).and_then(|b| {
        let image = compare::compare(ts, &mut a, &b);
        b.end(ts);
        image
    });
    a.end(ts);
    image
}

/// How a new interpreter has come to what all have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    /// It has nothing yet, and is to be built.
    None,
    /// Copied from what other interpreters of this process have.
    Process,
    /// Copied from the library: what the configuration and the system say is still missing.
    Library,
}

/// Copies an image into a new interpreter, whose state is attached and in which nothing is yet.
pub(super) fn copy_into(ts: &ThreadState) -> PyResult<Origin> {
    let interp = ts.interp();
    if template::is_template(interp) || !is_possible(ts) {
        return Ok(Origin::None);
    }
    if interp.is_main() {
        return Ok(if stored::copy_into(ts)? { Origin::Library } else { Origin::None });
    }
    // SAFETY: S4: an interpreter is there, so the image is.
    let Some(image) = (unsafe { IMAGE.load(Ordering::Acquire).as_ref() }) else { return Ok(Origin::None) };
    if CLOSED.load(Ordering::Acquire) {
        return Ok(Origin::None);
    }
    // SAFETY: S4.
    unsafe { image.parts().copy_into(ts, image.common.memory.as_ptr().cast_mut(), &image.common.interned)? };
    Ok(Origin::Process)
}

/// The configuration of the main interpreter has changed: those that come later are built. The image stays until the end, as
/// copies share parts of it.
pub(crate) fn outdate(interp: &InterpreterState) {
    if interp.is_main() {
        *MAKING.lock() = c"the configuration has changed";
        CLOSED.store(true, Ordering::Release);
    }
}

/// Gives the image back, when the last interpreter but the main one has ended.
pub(super) fn forget() {
    WANTED.store(0, Ordering::Release);
    ATTEMPT.store(SECOND, Ordering::Release);
    CLOSED.store(false, Ordering::Release);
    *MAKING.lock() = c"";
    stored::forget();
    let image = IMAGE.swap(ptr::null_mut(), Ordering::AcqRel);
    if !image.is_null() {
        // SAFETY: it came from `prepare`; S4.
        drop(unsafe { TryBox::<Image, Raw>::from_raw(image) });
    }
}
