//! Characters of names (PEP 3131), and which characters a message may show.

use unicode_normalization::UnicodeNormalization;

/// The first character that a name cannot have, and its place.
pub fn first_stray(name: &str) -> Option<(usize, char)> {
    name.char_indices().find(|&(at, c)| {
        let fits = if at == 0 { c == '_' || unicode_ident::is_xid_start(c) } else { unicode_ident::is_xid_continue(c) };
        !fits
    })
}

/// A name as Python compares it: in normal form KC.
pub fn normalized(name: &str) -> String {
    if name.is_ascii() { name.to_owned() } else { name.nfkc().collect() }
}

/// Nearly `str.isprintable()`: no controls, no blanks, no format characters, nothing private or unassigned.
pub fn is_printable(c: char) -> bool {
    !(c.is_control()
        || c.is_whitespace()
        || matches!(u32::from(c),
            0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x180e | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f
            | 0xe000..=0xf8ff | 0xfeff | 0xfff0..=0xfffb | 0xfffe..=0xffff | 0xe0000..=0x10_ffff))
}
