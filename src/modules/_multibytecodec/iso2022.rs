//! ISO 2022: escape sequences say which character set the bytes are of.
//!
//! ```text
//!  state   0  G0: what bytes below 80 are              3  unused
//!          1  G1: what they are between SO and SI      4  flags: SHIFTED (after SO), ESCAPED
//!          2  G2: what one byte after ESC N is
//! ```
//!
//! A set is known by the last byte of its escape sequence, with the high bit for sets of two bytes. An escape sequence
//! of another kind (a terminal's) is left in the text as it is, up to its end: ESCAPED.

use super::charts::{GB2312, JISX0208, JISX0212, JISX0213_1};
use super::japanese::{self, Edition};
use super::{Encoding, Input, Out, State, Step, Text, korean};
use crate::object::PyResult;

const ESC: u8 = 0x1B;
const SO: u8 = 0x0E;
const SI: u8 = 0x0F;

const DOUBLE: u8 = 0x80;
const ASCII: u8 = b'B';
const ISO8859_1: u8 = b'A';
const ISO8859_7: u8 = b'F';

const FLAGS: usize = 4;
const SHIFTED: u8 = 1;
const ESCAPED: u8 = 2;

/// A set that an encoding can switch to.
struct Set {
    mark: u8,
    /// Which G it is switched to.
    place: usize,
    /// One byte is in the second place of the array.
    read: fn([u8; 2]) -> Option<u32>,
    write: fn(u32) -> Option<[u8; 2]>,
    /// Only pairs of characters are written in it.
    pairs_only: bool,
}

/// What an encoding is made of.
struct Kind {
    sets: &'static [Set],
    /// SO and SI mean something.
    shifts: bool,
    /// ESC N does.
    single_shift: bool,
    /// `ESC & @ ESC $ B` is how the edition of JIS X 0208 of 1990 may be announced.
    revisions: bool,
}

const UNWRITTEN: fn(u32) -> Option<[u8; 2]> = |_| None;

const JISX0208_SET: Set = Set {
    mark: b'B' | DOUBLE,
    place: 0,
    read: |code| JISX0208.read(code[0], code[1]),
    write: |ch| JISX0208.write(ch),
    pairs_only: false,
};
/// The edition of 1978.
const JISX0208_OLD: Set = Set { mark: b'@' | DOUBLE, write: UNWRITTEN, ..JISX0208_SET };
const JISX0212_SET: Set = Set {
    mark: b'D' | DOUBLE,
    place: 0,
    read: |code| JISX0212.read(code[0], code[1]),
    write: |ch| JISX0212.write(ch),
    pairs_only: false,
};
const JISX0201_LATIN: Set = Set {
    mark: b'J',
    place: 0,
    read: |code| {
        Some(match code[1] {
            0x5C => 0xA5,
            0x7E => 0x203E,
            byte => byte.into(),
        })
    },
    write: |ch| match ch {
        0xA5 => Some([0, 0x5C]),
        0x203E => Some([0, 0x7E]),
        _ => None,
    },
    pairs_only: false,
};
const JISX0201_KATAKANA: Set = Set {
    mark: b'I',
    place: 0,
    read: |code| (0x21..=0x5F).contains(&code[1]).then(|| u32::from(code[1]) - 0x21 + 0xFF61),
    write: |ch| (0xFF61..=0xFF9F).contains(&ch).then(|| [0, (ch - 0xFF61) as u8 + 0x21]),
    pairs_only: false,
};
const GB2312_SET: Set = Set {
    mark: b'A' | DOUBLE,
    place: 0,
    read: |code| GB2312.read(code[0] | 0x80, code[1] | 0x80),
    write: |ch| GB2312.write(ch).map(|code| code.map(|byte| byte & 0x7F)),
    pairs_only: false,
};
const KSX1001_SET: Set = Set {
    mark: b'C' | DOUBLE,
    place: 0,
    read: |code| korean::ksx1001(code[0] | 0x80, code[1] | 0x80),
    write: |ch| korean::to_ksx1001(ch).map(|code| code.map(|byte| byte & 0x7F)),
    pairs_only: false,
};
/// Only after ESC N, and never written.
const LATIN_1: Set = Set { mark: ISO8859_1, place: 2, read: |_| None, write: UNWRITTEN, pairs_only: false };
const GREEK: Set = Set { mark: ISO8859_7, ..LATIN_1 };

const fn plane_1(mark: u8, edition: Edition) -> Set {
    let (read, write): (fn([u8; 2]) -> Option<u32>, fn(u32) -> Option<[u8; 2]>) = match edition {
        Edition::Of2000 => {
            (|code| japanese::read_plane_1(Edition::Of2000, code), |ch| japanese::write_plane_1(Edition::Of2000, ch))
        }
        Edition::Of2004 => {
            (|code| japanese::read_plane_1(Edition::Of2004, code), |ch| japanese::write_plane_1(Edition::Of2004, ch))
        }
    };
    Set { mark: mark | DOUBLE, place: 0, read, write, pairs_only: false }
}

const fn plane_2(mark: u8, edition: Edition) -> Set {
    let (read, write): (fn([u8; 2]) -> Option<u32>, fn(u32) -> Option<[u8; 2]>) = match edition {
        Edition::Of2000 => {
            (|code| japanese::read_plane_2(Edition::Of2000, code), |ch| japanese::write_plane_2(Edition::Of2000, ch))
        }
        Edition::Of2004 => {
            (|code| japanese::read_plane_2(Edition::Of2004, code), |ch| japanese::write_plane_2(Edition::Of2004, ch))
        }
    };
    Set { mark: mark | DOUBLE, place: 0, read, write, pairs_only: false }
}

const fn pairs(set: Set) -> Set {
    Set { pairs_only: true, ..set }
}

const PLAIN: Kind = Kind { sets: &[], shifts: false, single_shift: false, revisions: true };
static KR: Kind = Kind { sets: &[Set { place: 1, ..KSX1001_SET }], shifts: true, revisions: false, ..PLAIN };
static JP: Kind = Kind { sets: &[JISX0208_SET, JISX0201_LATIN, JISX0208_OLD], ..PLAIN };
static JP_1: Kind = Kind { sets: &[JISX0208_SET, JISX0212_SET, JISX0201_LATIN, JISX0208_OLD], ..PLAIN };
static JP_2: Kind = Kind {
    sets: &[JISX0208_SET, JISX0212_SET, KSX1001_SET, GB2312_SET, JISX0201_LATIN, JISX0208_OLD, LATIN_1, GREEK],
    single_shift: true,
    ..PLAIN
};
static JP_2004: Kind = Kind {
    sets: &[
        pairs(plane_1(b'Q', Edition::Of2004)),
        JISX0208_SET,
        plane_1(b'Q', Edition::Of2004),
        plane_2(b'P', Edition::Of2004),
    ],
    ..PLAIN
};
static JP_3: Kind = Kind {
    sets: &[
        pairs(plane_1(b'O', Edition::Of2000)),
        JISX0208_SET,
        plane_1(b'O', Edition::Of2000),
        plane_2(b'P', Edition::Of2000),
    ],
    ..PLAIN
};
static JP_EXT: Kind =
    Kind { sets: &[JISX0208_SET, JISX0212_SET, JISX0201_LATIN, JISX0201_KATAKANA, JISX0208_OLD], ..PLAIN };

macro_rules! encoding {
    ($name:literal, $kind:ident) => {
        Encoding {
            name: $name,
            begin: Some(begin),
            encode: |state, input, out| encode(&$kind, state, input, out),
            end: Some(end),
            decode: |state, bytes, text| decode(&$kind, state, bytes, text),
            forget: Some(forget),
        }
    };
}

/// The encodings.
pub(super) static ISO2022: &[Encoding] = &[
    encoding!("iso2022_kr", KR),
    encoding!("iso2022_jp", JP),
    encoding!("iso2022_jp_1", JP_1),
    encoding!("iso2022_jp_2", JP_2),
    encoding!("iso2022_jp_2004", JP_2004),
    encoding!("iso2022_jp_3", JP_3),
    encoding!("iso2022_jp_ext", JP_EXT),
];

fn begin(state: &mut State, decoding: bool) {
    state[0] = ASCII;
    state[1] = ASCII;
    if decoding {
        state[2] = ASCII;
    }
}

/// A decoder's reset: of the sets, G1 stays as it is.
fn forget(state: &mut State) {
    state[0] = ASCII;
    state[FLAGS] &= !SHIFTED;
}

fn end(state: &mut State, out: &mut Out) -> PyResult<()> {
    unshift(state, out)?;
    if state[0] != ASCII {
        out.try_extend_from_slice(&[ESC, b'(', ASCII])?;
        state[0] = ASCII;
    }
    Ok(())
}

fn unshift(state: &mut State, out: &mut Out) -> PyResult<()> {
    if state[FLAGS] & SHIFTED != 0 {
        out.try_push(SI)?;
        state[FLAGS] &= !SHIFTED;
    }
    Ok(())
}

fn encode(kind: &Kind, state: &mut State, input: Input, out: &mut Out) -> PyResult<Step> {
    if input.ch < 0x80 {
        if state[0] != ASCII {
            out.try_extend_from_slice(&[ESC, b'(', ASCII])?;
            state[0] = ASCII;
        }
        unshift(state, out)?;
        out.try_push(input.ch as u8)?;
        return Ok(Step::Done(1));
    }
    let mut found = None;
    for set in kind.sets {
        if set.pairs_only {
            match super::chinese::encode_pair(&JISX0213_1, input) {
                Some(Ok(code)) => found = Some((set, code, 2)),
                Some(Err(step)) => return Ok(step),
                None => {}
            }
        } else {
            found = (set.write)(input.ch).map(|code| (set, code, 1));
        }
        if found.is_some() {
            break;
        }
    }
    let Some((set, code, length)) = found else { return Ok(Step::Invalid(1)) };
    switch_to(set, state, out)?;
    out.try_extend_from_slice(if set.mark & DOUBLE != 0 { &code } else { &code[1..] })?;
    Ok(Step::Done(length))
}

fn switch_to(set: &Set, state: &mut State, out: &mut Out) -> PyResult<()> {
    let letter = set.mark & 0x7F;
    if set.place == 0 {
        unshift(state, out)?;
    }
    if state[set.place] != set.mark {
        let bracket = if set.place == 0 { b'(' } else { b')' };
        // The oldest sets have the shortest sequences.
        let sequence: &[u8] = match (set.mark & DOUBLE != 0, set.place, letter) {
            (false, ..) => &[ESC, bracket, letter],
            (true, 0, b'B') => &[ESC, b'$', letter],
            (true, ..) => &[ESC, b'$', bracket, letter],
        };
        out.try_extend_from_slice(sequence)?;
        state[set.place] = set.mark;
    }
    if set.place == 1 && state[FLAGS] & SHIFTED == 0 {
        out.try_push(SO)?;
        state[FLAGS] |= SHIFTED;
    }
    Ok(())
}

fn decode(kind: &Kind, state: &mut State, bytes: &[u8], text: &mut Text) -> PyResult<Step> {
    let byte = bytes[0];
    if state[FLAGS] & ESCAPED != 0 {
        text.push_char(byte.into())?;
        if ends_escape(byte) {
            state[FLAGS] &= !ESCAPED;
        }
        return Ok(Step::Done(1));
    }
    match byte {
        ESC => {
            let Some(&second) = bytes.get(1) else { return Ok(Step::Incomplete) };
            if matches!(second, b'(' | b')' | b'$' | b'.' | b'&') {
                return Ok(decode_escape(kind, state, bytes));
            }
            if kind.single_shift && second == b'N' {
                return decode_single_shift(state, bytes, text);
            }
            text.push_char(ESC.into())?;
            state[FLAGS] |= ESCAPED;
            Ok(Step::Done(1))
        }
        SI if kind.shifts => {
            state[FLAGS] &= !SHIFTED;
            Ok(Step::Done(1))
        }
        SO if kind.shifts => {
            state[FLAGS] |= SHIFTED;
            Ok(Step::Done(1))
        }
        b'\n' => {
            state[FLAGS] &= !SHIFTED;
            text.push_char('\n' as u32)?;
            Ok(Step::Done(1))
        }
        0x80.. => Ok(Step::Invalid(1)),
        _ => decode_graphic(kind, state, bytes, text),
    }
}

fn ends_escape(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte == b'@'
}

/// A byte or two of the set that is in use.
fn decode_graphic(kind: &Kind, state: &State, bytes: &[u8], text: &mut Text) -> PyResult<Step> {
    let mark = if state[FLAGS] & SHIFTED != 0 { state[1] } else { state[0] };
    if bytes[0] < 0x20 || mark == ASCII {
        text.push_char(bytes[0].into())?;
        return Ok(Step::Done(1));
    }
    let Some(set) = kind.sets.iter().find(|set| set.mark == mark) else { return Ok(Step::Invalid(1)) };
    let (code, length) = if mark & DOUBLE != 0 {
        let Some(&second) = bytes.get(1) else { return Ok(Step::Incomplete) };
        ([bytes[0], second], 2)
    } else {
        ([0, bytes[0]], 1)
    };
    let Some(number) = (set.read)(code) else { return Ok(Step::Invalid(length)) };
    super::push(text, number)?;
    Ok(Step::Done(length))
}

/// The longest escape sequence that is looked at.
const LONGEST: usize = 16;

/// An escape sequence that switches to a set.
fn decode_escape(kind: &Kind, state: &mut State, bytes: &[u8]) -> Step {
    let mut at = 1;
    let length = loop {
        if at >= LONGEST {
            return Step::Invalid(1);
        }
        let Some(&byte) = bytes.get(at) else { return Step::Incomplete };
        if ends_escape(byte) {
            break at + 1;
        }
        if kind.revisions && byte == b'&' && bytes.get(at + 1) == Some(&b'@') {
            at += 2;
        }
        at += 1;
    };
    let (place, mark) = match &bytes[1..length] {
        [b'$', letter] => (0, letter | DOUBLE),
        [b'(', letter] => (0, *letter),
        [b')', letter] => (1, *letter),
        [b'.', letter] if kind.single_shift => (2, *letter),
        [b'$', b'(', letter] => (0, letter | DOUBLE),
        [b'$', b')', letter] => (1, letter | DOUBLE),
        [b'&', b'@', ESC, b'$', b'B'] if kind.revisions => (0, b'B' | DOUBLE),
        _ => return Step::Invalid(length),
    };
    if mark != ASCII && !kind.sets.iter().any(|set| set.mark == mark) {
        return Step::Invalid(length);
    }
    state[place] = mark;
    Step::Done(length)
}

/// ESC N: one character of G2.
fn decode_single_shift(state: &State, bytes: &[u8], text: &mut Text) -> PyResult<Step> {
    let Some(&byte) = bytes.get(2) else { return Ok(Step::Incomplete) };
    let ch = match state[2] {
        _ if byte >= 0x80 => None,
        ISO8859_1 => Some(u32::from(byte) + 0x80),
        ISO8859_7 => greek(byte | 0x80),
        _ => Some(byte.into()),
    };
    let Some(ch) = ch else { return Ok(Step::Invalid(3)) };
    text.push_char(ch)?;
    Ok(Step::Done(3))
}

/// ISO 8859-7, the upper half.
fn greek(byte: u8) -> Option<u32> {
    Some(match byte {
        0xA0 | 0xA3 | 0xA6..=0xA9 | 0xAB..=0xAD | 0xB0..=0xB3 | 0xB7 | 0xBB | 0xBD => byte.into(),
        0xA1 => 0x2018,
        0xA2 => 0x2019,
        0xA4 => 0x20AC,
        0xA5 => 0x20AF,
        0xAA => 0x37A,
        0xAF => 0x2015,
        0xB4..=0xB6 | 0xB8..=0xBA | 0xBC | 0xBE..=0xD1 | 0xD3..=0xFE => u32::from(byte) - 0xB4 + 0x384,
        _ => return None,
    })
}
