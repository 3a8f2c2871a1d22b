//! The three storage widths of characters, for code that is generic over them.

/// A stored character.
pub(crate) trait Unit: Copy + Eq + Ord + Into<u32> + 'static {
    /// The width in bytes.
    const WIDTH: usize = size_of::<Self>();

    /// The unit of a character that fits.
    fn truncate(ch: u32) -> Self;

    /// The unit of a character, when it fits.
    fn fit(ch: u32) -> Option<Self>;

    /// All units' bits together: which width they need follows from it, since the widths' limits are powers of two.
    fn bits(units: &[Self]) -> u32;
}

macro_rules! unit {
    ($($unit:ty),*) => {$(
        impl Unit for $unit {
            #[inline(always)]
            fn truncate(ch: u32) -> $unit {
                ch as $unit
            }
            #[inline(always)]
            fn fit(ch: u32) -> Option<$unit> {
                <$unit>::try_from(ch).ok()
            }
            #[inline]
            fn bits(units: &[$unit]) -> u32 {
                let mut all: $unit = 0;
                for chunk in units.chunks(64) {
                    all |= chunk.iter().fold(0, |a, b| a | b);
                    // Nothing more can be learnt once the top bit is there (U+10FFFF's highest is bit 20).
                    if size_of::<$unit>() < 4 && all >> (size_of::<$unit>() * 8 - 1) != 0 {
                        break;
                    }
                }
                u32::from(all)
            }
        }
    )*};
}
unit!(u8, u16, u32);

/// Evaluates an expression with a string's units, whatever their width: `with_units!(s.data(), |u| find(u, …))`.
macro_rules! with_units {
    ($data:expr, |$units:ident| $body:expr) => {{
        #[allow(clippy::useless_conversion, reason = "one of the widths is that of a character")]
        let result = match $data {
            $crate::types::str::StrData::Ascii($units) | $crate::types::str::StrData::Latin1($units) => $body,
            $crate::types::str::StrData::Ucs2($units) => $body,
            $crate::types::str::StrData::Ucs4($units) => $body,
        };
        result
    }};
}
pub(super) use with_units;
