//! Units of text, and the few loops over them that are worth vectorizing.

/// One unit of text: a byte or Latin-1 character, or a code point in two or four bytes.
pub trait Unit: Copy + PartialEq + 'static {
    /// The code point.
    fn code(self) -> u32;
    /// The unit for a code point, `None` when it does not fit and so cannot occur in the text.
    fn from_code(code: u32) -> Option<Self>;
}

macro_rules! units {
    ($($unit:ty),*) => {$(
        impl Unit for $unit {
            #[inline(always)]
            fn code(self) -> u32 {
                u32::from(self)
            }
            #[inline(always)]
            fn from_code(code: u32) -> Option<Self> {
                Self::try_from(code).ok()
            }
        }
    )*};
}
units!(u8, u16, u32);

/// Units that are looked at together; the compiler turns the inner loop into vector compares.
const LANES: usize = 32;

/// How far the first unit equal to `wanted` is away; the length when there is none.
#[inline]
pub(super) fn find<U: Unit>(text: &[U], wanted: U) -> usize {
    let (blocks, _) = text.as_chunks::<LANES>();
    let mut skipped = 0;
    for block in blocks {
        // No early exit inside the block: that is what lets it become vector code.
        if block.iter().fold(false, |found, &unit| found | (unit == wanted)) {
            break;
        }
        skipped += LANES;
    }
    let rest = &text[skipped..];
    skipped + rest.iter().position(|&unit| unit == wanted).unwrap_or(rest.len())
}

/// How many units at the beginning satisfy `accept`.
#[inline(always)]
pub(super) fn run_length<U: Unit>(text: &[U], mut accept: impl FnMut(u32) -> bool) -> usize {
    text.iter().position(|&unit| !accept(unit.code())).unwrap_or(text.len())
}
