//! The names in the modules that every start reads, as static strings: no interpreter makes them or ends them, and no
//! heap holds them. The code of the frozen library refers to them by number.
//!
//! An interpreter takes such a string into its table of interned ones when it comes across the number first; if it has one
//! of the same text already, made by a program, then that one stays the interned one.

use core::sync::atomic::{AtomicU64, Ordering};

use hognose_stdlib::{LONGEST_WORD, WORDS};

use crate::types::str::{PyStr, StaticStr};

const COUNT: usize = WORDS.len();

static STRINGS: [StaticStr<LONGEST_WORD>; COUNT] = strings();
/// A bit for each word that was used, and whose hash may be known, since the runtime began.
static USED: [AtomicU64; COUNT.div_ceil(64)] = [const { AtomicU64::new(0) }; COUNT.div_ceil(64)];

const fn strings() -> [StaticStr<LONGEST_WORD>; COUNT] {
    let mut all = [const { StaticStr::within("none") }; COUNT];
    let mut index = 0;
    while index < COUNT {
        all[index] = StaticStr::within(WORDS[index]);
        index += 1;
    }
    all
}

/// A word.
pub(super) fn get(index: usize) -> &'static PyStr {
    let (used, bit) = (&USED[index / 64], 1 << (index % 64));
    // Another interpreter may do the same at this time.
    if used.load(Ordering::Relaxed) & bit == 0 {
        used.fetch_or(bit, Ordering::Relaxed);
    }
    STRINGS[index].get()
}

/// Notes that a static string, if it is a word, is in use.
pub(crate) fn note_use(text: &PyStr) {
    let distance = core::ptr::from_ref(text).addr().wrapping_sub((&raw const STRINGS).addr());
    if distance < size_of_val(&STRINGS) {
        get(distance / size_of_val(&STRINGS[0]));
    }
}

/// The words that were used; none is, from here on.
pub(crate) fn take_used() -> impl Iterator<Item = &'static PyStr> {
    USED.iter().enumerate().flat_map(|(place, used)| {
        let mut left = used.swap(0, Ordering::Relaxed);
        core::iter::from_fn(move || {
            let bit = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            (bit < 64).then(|| STRINGS[place * 64 + bit].get())
        })
    })
}
