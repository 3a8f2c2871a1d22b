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
//! Nobody describes what the blocks hold. Two interpreters are made by the same steps, each on a heap of its own that
//! nothing else has written to, and compared from their roots on: where both say the same, it is the same for all; where
//! each names a block of its own, these two correspond, and a copy names its own; what can be explained in no such way
//! makes the process unfit for an image, and interpreters are built as ever.
//!
//! S1: what a copy shares with others is immortal and immutable, but for hashes that are known already.
//! S2: what depends on where something lies, or on when it was asked for, is no part of the image: the lists of
//!     subclasses, the cache of look-ups, the environment. It is taken out of a template and put into each copy.
//! S3: a copy counts, is limited and fails as if it had been built: its blocks come from its own heap, one by one.
//! S4: the image is there until the last interpreter has ended, and no longer.
//!
//! | file | what |
//! |---|---|
//! | `template` | an interpreter that nobody knows of |
//! | `compare` | two of them; what one consists of |
//! | `share` | what copies need not have for themselves |
//! | `copy` | a new interpreter |

mod compare;
mod copy;
mod share;
mod template;

use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

use hognose_allocators::{NoMemory, Raw, Tag, TryBox, TryVec};

use crate::object::{PyResult, reftrace};
use crate::state::{InterpreterState, ThreadState};
use crate::sync::{Locked, RawLock};
use crate::types::str::PyStr;
use template::Template;

/// A block of the image.
struct Block {
    size: u32,
    tag: Tag,
    /// How many of the patches are its own.
    patches: u32,
}

/// What a place of a copy is to name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Target {
    /// A block of the copy, by its number.
    Block(u32),
    /// The interpreter itself.
    Interpreter,
    /// Its heap.
    Heap,
    /// A version of the interpreter's own, by its kind.
    Version(u32),
}

/// A place in a block, and what is to be written there.
#[derive(Clone, Copy)]
struct Patch {
    /// Bytes from the start of the block; not always a multiple of 8.
    at: u32,
    /// Bytes from the start of the target; for a version, what the template had.
    offset: u32,
    target: Target,
}

/// A class and one of its bases.
struct Family {
    base: Place,
    class: Place,
}

/// Where something is: in a block of the copy, or at one address for all.
#[derive(Clone, Copy)]
enum Place {
    Block(u32, u32),
    Fixed(usize),
}

/// What is copied.
struct Image {
    blocks: TryVec<Block, Raw>,
    /// The bytes of the blocks one after the other, each from a multiple of 8 on.
    bytes: TryVec<u64, Raw>,
    patches: TryVec<Patch, Raw>,
    /// The bytes of an interpreter, of which [`template::CARRIED`] counts.
    root: TryVec<u64, Raw>,
    root_patches: TryVec<Patch, Raw>,
    families: TryVec<Family, Raw>,
    /// How many versions of each kind there are in it.
    versions: [u32; 3],
    /// The interned strings of all copies, and those that each copy has for itself.
    interned: TryVec<*const PyStr, Raw>,
    interned_copies: TryVec<u32, Raw>,
    /// S1. Pairs of words, as objects are aligned to them.
    #[allow(dead_code, reason = "it is there to be named by the blocks")]
    shared: TryVec<u128, Raw>,
}

/// Why there is no image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unfit {
    Memory,
    /// Something that is found nowhere else.
    Because(&'static str),
}

impl From<NoMemory> for Unfit {
    fn from(_: NoMemory) -> Unfit {
        Unfit::Memory
    }
}

static IMAGE: AtomicPtr<Image> = AtomicPtr::new(ptr::null_mut());
/// Held while an image is made, by a thread that neither lets its GIL go nor waits for one meanwhile. (What runs in a
/// template is the frozen library's, which does not come here.) Its value is why there is no image.
static MAKING: Locked<&str> = Locked::new("");
/// How many sub-interpreters were wanted in this life of the runtime, and for which of them an image is to be made.
static WANTED: AtomicU32 = AtomicU32::new(0);
static ATTEMPT: AtomicU32 = AtomicU32::new(SECOND);
const SECOND: u32 = 2;
/// There is to be no image, or no more copies of it.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// What there is to say of the image.
pub struct Description {
    /// Why there is none; empty when there is one, or none was wanted.
    pub reason: &'static str,
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
    // SAFETY: S4: an interpreter is there.
    match unsafe { IMAGE.load(Ordering::Acquire).as_ref() } {
        None => Description { reason, blocks: 0, bytes: 0, shared: 0 },
        Some(image) => Description {
            reason,
            blocks: image.blocks.len(),
            bytes: image.blocks.iter().map(|block| block.size as usize).sum(),
            shared: image.shared.len() * size_of::<u128>() + image.interned.len() * size_of::<usize>(),
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
    match make(ts) {
        Ok(image) => {
            *why_not = "";
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
    config.verbose == 0 && config.import_time == 0 && !reftrace::is_on()
}

fn make(ts: &ThreadState) -> Result<TryBox<Image, Raw>, Unfit> {
    // Templates tell versions from other numbers by where they began to count.
    let mut a = Template::build(ts, [0; 3], None)?;
    let image = Template::build(ts, compare::VERSION_STEPS, Some(&a)).and_then(|b| {
        let image = compare::compare(ts, &mut a, &b);
        b.end(ts);
        image
    });
    a.end(ts);
    image
}

/// Copies the image into a new interpreter, whose state is attached and in which nothing is yet. False when there is none,
/// and the interpreter is to be built.
pub(super) fn copy_into(ts: &ThreadState) -> PyResult<bool> {
    // SAFETY: S4: an interpreter is there, so the image is.
    let Some(image) = (unsafe { IMAGE.load(Ordering::Acquire).as_ref() }) else { return Ok(false) };
    let is_to_be_built = ts.interp().is_main() || template::is_template(ts.interp());
    if is_to_be_built || CLOSED.load(Ordering::Acquire) || !is_possible(ts) {
        return Ok(false);
    }
    image.copy_into(ts)?;
    Ok(true)
}

/// The configuration of the main interpreter has changed: those that come later are built. The image stays until the end, as
/// copies share parts of it.
pub(crate) fn outdate(interp: &InterpreterState) {
    if interp.is_main() {
        *MAKING.lock() = "the configuration has changed";
        CLOSED.store(true, Ordering::Release);
    }
}

/// Gives the image back, when the last interpreter but the main one has ended.
pub(super) fn forget() {
    WANTED.store(0, Ordering::Release);
    ATTEMPT.store(SECOND, Ordering::Release);
    CLOSED.store(false, Ordering::Release);
    *MAKING.lock() = "";
    let image = IMAGE.swap(ptr::null_mut(), Ordering::AcqRel);
    if !image.is_null() {
        // SAFETY: it came from `prepare`; S4.
        drop(unsafe { TryBox::<Image, Raw>::from_raw(image) });
    }
}
