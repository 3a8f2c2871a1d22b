//! What all copies may have in common: values that never change, of which copies count no references.
//!
//! ```text
//!  a str, bytes, int, float, tuple, or descriptor of a built-in type
//!    that names nothing but such, and what is the same in all interpreters
//! ```
//!
//! S1: such a value has no list of weak references and nothing that is computed later: hashes are known from the start.

use core::ptr;

use hognose_allocators::{Raw, Tag, TryVec};

use super::compare::Comparison;
use super::{Common, Patch, Unfit};
use crate::object::header::IMMORTAL_REFCNT;
use crate::object::{PyObject, StaticType, protocol};
use crate::state::ThreadState;
use crate::types::str::PyStr;
use crate::types::{bytes, code, descr, dict, float, int, set, str, tuple, weakref};

/// What is in common.
pub(super) struct Shared {
    pub(super) common: Common,
    /// Where each pair of blocks that is shared lies in its memory, in bytes.
    pub(super) places: TryVec<u32, Raw>,
    /// The number that each pair of blocks has among those that are copied.
    pub(super) kept: TryVec<Option<u32>, Raw>,
    /// The interned strings that are copied.
    pub(super) interned_copies: TryVec<u32, Raw>,
}

/// The types whose exact instances can be shared, with what stands before these.
fn kinds() -> [(&'static StaticType, Tag); 10] {
    [
        (&str::STR_TYPE, Tag::Obj),
        (&bytes::BYTES_TYPE, Tag::Obj),
        (&int::INT_TYPE, Tag::Obj),
        (&float::FLOAT_TYPE, Tag::Obj),
        (&tuple::TUPLE_TYPE, Tag::ObjGc),
        (&descr::WRAPPER_DESCR_TYPE, Tag::ObjGc),
        (&descr::METHOD_DESCR_TYPE, Tag::ObjGc),
        (&descr::CLASSMETHOD_DESCR_TYPE, Tag::ObjGc),
        (&descr::GETSET_DESCR_TYPE, Tag::ObjGc),
        (&descr::MEMBER_DESCR_TYPE, Tag::ObjGc),
    ]
}

/// The built-in types of whose instances something depends on the process, or on what has run.
pub(super) static PLAIN: [&StaticType; 8] = [
    &str::STR_TYPE,
    &bytes::BYTES_TYPE,
    &tuple::TUPLE_TYPE,
    &code::CODE_TYPE,
    &dict::DICT_TYPE,
    &set::SET_TYPE,
    &set::FROZENSET_TYPE,
    &weakref::WEAKREF_TYPE,
];

/// The collector's header in words.
const GC_WORDS: usize = 2;

/// Takes what can be shared out of the blocks that are copied, and has those name it where it lies now.
pub(super) fn share(
    ts: &ThreadState,
    this: &mut Comparison<'_>,
    root: &mut [u64],
    root_patches: &[Patch],
) -> Result<Shared, Unfit> {
    let is_shared = find(this)?;
    let mut kept = TryVec::new_in(Raw);
    let mut places = TryVec::<u32, Raw>::new_in(Raw);
    let (mut next, mut room) = (0, 0);
    for (pair, is_shared) in this.pairs.iter().zip(is_shared.iter()) {
        kept.try_push(if *is_shared { None } else { Some(next) })?;
        places.try_push((room * size_of::<u128>()) as u32)?;
        if *is_shared {
            room += pair.size.div_ceil(size_of::<u128>());
        } else {
            next += 1;
        }
    }
    let mut memory = TryVec::<u128, Raw>::new_in(Raw);
    memory.try_resize(room, 0)?;
    let base = memory.as_mut_ptr();
    let address = |number: u32| base.cast::<u8>().wrapping_add(places[number as usize] as usize);

    // What names something shared names the same in all copies of this process.
    let is_to_store = this.is_to_store;
    let settle = |place: &mut [u64], patches: &[Patch]| {
        let place = super::compare::as_bytes(place);
        for patch in patches.iter().filter(|_| !is_to_store) {
            if let Some(number) = patch.target.as_block()
                && is_shared[number as usize]
            {
                let target = address(number).addr() + patch.offset as usize;
                place[patch.at as usize..patch.at as usize + 8].copy_from_slice(&target.to_ne_bytes());
            }
        }
    };
    settle(root, root_patches);
    for pair in this.pairs.iter() {
        let words = pair.bytes..pair.bytes + pair.size.div_ceil(8);
        settle(&mut this.bytes[words], &this.patches[pair.patches.0..pair.patches.1]);
    }
    let shared = || (0..this.pairs.len() as u32).filter(|number| is_shared[*number as usize]);
    for number in shared() {
        let pair = &this.pairs[number as usize];
        // SAFETY: there is room for each shared block; nothing else is in its place.
        unsafe {
            ptr::copy_nonoverlapping(this.bytes.as_ptr().add(pair.bytes).cast(), address(number), pair.size);
            let object = &*object_at(address(number), pair.tag);
            ptr::write_bytes(address(number), 0, ptr::from_ref(object).addr() - address(number).addr());
            object.ob_refcnt.set(IMMORTAL_REFCNT);
            if let Some(text) = object.downcast_exact::<PyStr>() {
                text.outlive_interpreters();
            }
        }
    }
    // When all of them are whole. Another process has other hashes.
    for number in shared().filter(|_| !is_to_store) {
        // SAFETY: as above.
        let object = unsafe { &*object_at(address(number), this.pairs[number as usize].tag) };
        if let Err(raised) = protocol::hash(ts, object) {
            ts.clear_raised(raised);
            return Err(Unfit::Because(c"a shared value has no hash"));
        }
    }
    let (interned, interned_copies) = interned(this, &is_shared, address)?;
    Ok(Shared { common: Common { interned, memory }, places, kept, interned_copies })
}

pub(super) fn object_at(block: *mut u8, tag: Tag) -> *const PyObject {
    let words = if tag == Tag::ObjGc { GC_WORDS } else { 0 };
    block.cast::<u64>().wrapping_add(words).cast()
}

/// Whether a patch is in what the collector has written.
pub(super) fn is_header(tag: Tag, patch: &Patch) -> bool {
    tag == Tag::ObjGc && (patch.at as usize) < GC_WORDS * 8
}

/// Which blocks can be shared.
fn find(this: &Comparison<'_>) -> Result<TryVec<bool, Raw>, Unfit> {
    let mut is_shared = TryVec::new_in(Raw);
    for pair in this.pairs.iter() {
        let words = &this.bytes[pair.bytes..];
        let header = if pair.tag == Tag::ObjGc { GC_WORDS } else { 0 };
        let typ = words.get(header + 1).copied().unwrap_or(0) as usize;
        let is_kind = kinds().iter().any(|(kind, tag)| *tag == pair.tag && typ == ptr::from_ref(&kind.object).addr());
        // What the collector has in a list stays there.
        let is_tracked = || header != 0 && (words[0] != 0 || this.names(pair, 0));
        // A string that is not ASCII may be given its UTF-8 text later.
        let grows = || {
            // SAFETY: the block is one of the first template's strings.
            let text = || unsafe { &*ptr::with_exposed_provenance::<PyStr>(pair.a) };
            typ == ptr::from_ref(&str::STR_TYPE.object).addr() && !text().is_ascii()
        };
        is_shared.try_push(pair.tag != Tag::Mem && is_kind && !is_tracked() && !grows())?;
    }
    // What names something that is not, is not.
    loop {
        let mut changed = false;
        for (index, pair) in this.pairs.iter().enumerate() {
            let names_own = || {
                this.patches[pair.patches.0..pair.patches.1].iter().filter(|patch| !is_header(pair.tag, patch)).any(
                    |patch| match patch.target.as_block() {
                        Some(number) => !is_shared[number as usize],
                        None => !patch.target.is_in_library(),
                    },
                )
            };
            if is_shared[index] && names_own() {
                is_shared[index] = false;
                changed = true;
            }
        }
        if !changed {
            return Ok(is_shared);
        }
    }
}

/// The template's interned strings: a table of those that are shared, and the numbers of the others. For an image that is
/// to be stored, the table is a list.
fn interned(
    this: &Comparison<'_>,
    is_shared: &[bool],
    address: impl Fn(u32) -> *mut u8,
) -> Result<(TryVec<*const PyStr, Raw>, TryVec<u32, Raw>), Unfit> {
    let (mut texts, mut copies) = (TryVec::new_in(Raw), TryVec::new_in(Raw));
    // SAFETY: the template's strings live, and nobody else looks at its table.
    for text in unsafe { &*this.template().interned.get() }.iter() {
        match this.number_of(ptr::from_ref(text).addr()) {
            Some(number) if is_shared[number as usize] => texts.try_push(address(number).cast_const().cast())?,
            Some(number) => copies.try_push(number)?,
            None => texts.try_push(ptr::from_ref(text))?,
        }
    }
    let texts = if this.is_to_store { texts } else { str::InternTable::table_of(&texts)? };
    Ok((texts, copies))
}
