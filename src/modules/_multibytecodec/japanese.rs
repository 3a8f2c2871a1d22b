//! EUC-JP, Shift_JIS and their younger kinds, with JIS X 0208, 0212 and 0213.
//!
//! JIS X 0213 lies upon the older sets: its first plane is JIS X 0208 and more, and where its second one has nothing,
//! EUC has JIS X 0212. Some of its characters are two in Unicode. The edition of 2000 has a few characters less.

use super::charts::{CP932, JISX0208, JISX0212, JISX0213_1, JISX0213_2};
use super::chinese::encode_pair;
use super::{Encoding, Input, Out, State, Step, Text};
use crate::object::PyResult;

/// The encodings.
pub(super) static JAPAN: &[Encoding] = &[
    Encoding { name: "shift_jis", encode: encode_shift_jis, decode: decode_shift_jis, ..Encoding::PLAIN },
    Encoding { name: "cp932", encode: encode_cp932, decode: decode_cp932, ..Encoding::PLAIN },
    Encoding { name: "euc_jp", encode: encode_euc_jp, decode: decode_euc_jp, ..Encoding::PLAIN },
    Encoding {
        name: "shift_jis_2004",
        encode: |_, input, out| encode_shift_jisx0213(Edition::Of2004, input, out),
        decode: |_, bytes, text| decode_shift_jisx0213(Edition::Of2004, bytes, text),
        ..Encoding::PLAIN
    },
    Encoding {
        name: "euc_jis_2004",
        encode: |_, input, out| encode_euc_jisx0213(Edition::Of2004, input, out),
        decode: |_, bytes, text| decode_euc_jisx0213(Edition::Of2004, bytes, text),
        ..Encoding::PLAIN
    },
    Encoding {
        name: "euc_jisx0213",
        encode: |_, input, out| encode_euc_jisx0213(Edition::Of2000, input, out),
        decode: |_, bytes, text| decode_euc_jisx0213(Edition::Of2000, bytes, text),
        ..Encoding::PLAIN
    },
    Encoding {
        name: "shift_jisx0213",
        encode: |_, input, out| encode_shift_jisx0213(Edition::Of2000, input, out),
        decode: |_, bytes, text| decode_shift_jisx0213(Edition::Of2000, bytes, text),
        ..Encoding::PLAIN
    },
];

/// An edition of JIS X 0213.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Edition {
    Of2000,
    Of2004,
}

/// What came with the edition of 2004, in the first plane.
const NEW_IN_2004: [[u8; 2]; 10] = [
    [0x2E, 0x21],
    [0x2F, 0x7E],
    [0x4F, 0x54],
    [0x4F, 0x7E],
    [0x74, 0x27],
    [0x7E, 0x7A],
    [0x7E, 0x7B],
    [0x7E, 0x7C],
    [0x7E, 0x7D],
    [0x7E, 0x7E],
];

/// In the second plane, an edition has another form of one character.
const CHANGED: [u8; 2] = [0x7D, 0x3B];
const CHANGED_IN_2000: u32 = 0x9B1D;

/// The half-width katakana.
const KATAKANA: core::ops::RangeInclusive<u32> = 0xFF61..=0xFF9F;
const KATAKANA_SHIFT: u32 = 0xFF61 - 0xA1;

/// Whether a code of the first plane has come after an edition.
fn is_too_new(edition: Edition, code: [u8; 2]) -> bool {
    edition == Edition::Of2000 && NEW_IN_2004.contains(&code)
}

/// The first plane of JIS X 0213: a character or a pair.
pub(super) fn read_plane_1(edition: Edition, code: [u8; 2]) -> Option<u32> {
    if is_too_new(edition, code) {
        return None;
    }
    JISX0213_1.read(code[0], code[1]).or_else(|| JISX0208.read(code[0], code[1]))
}

/// The second plane of JIS X 0213.
pub(super) fn read_plane_2(edition: Edition, code: [u8; 2]) -> Option<u32> {
    if edition == Edition::Of2000 && code == CHANGED {
        return Some(CHANGED_IN_2000);
    }
    JISX0213_2.read(code[0], code[1])
}

/// The code in the first plane of JIS X 0213, without what the older set has.
pub(super) fn write_plane_1(edition: Edition, ch: u32) -> Option<[u8; 2]> {
    JISX0213_1.write(ch).filter(|code| edition == Edition::Of2004 || !NEW_IN_2004.contains(code))
}

/// The code in the second plane of JIS X 0213.
pub(super) fn write_plane_2(edition: Edition, ch: u32) -> Option<[u8; 2]> {
    if edition == Edition::Of2000 && ch == CHANGED_IN_2000 {
        return Some(CHANGED);
    }
    JISX0213_2.write(ch).filter(|code| edition == Edition::Of2004 || *code != CHANGED)
}

/// One byte: ASCII and half-width katakana.
fn single(ch: u32) -> Option<u8> {
    match ch {
        0..0x80 => Some(ch as u8),
        _ if KATAKANA.contains(&ch) => Some((ch - KATAKANA_SHIFT) as u8),
        _ => None,
    }
}

// ---- EUC: a byte with its high bit for each one of the code; 8E before katakana, 8F before the second plane ----

fn euc(plane: &[u8], code: [u8; 2], out: &mut Out) -> PyResult<Step> {
    out.try_extend_from_slice(plane)?;
    out.try_extend_from_slice(&[code[0] | 0x80, code[1] | 0x80])?;
    Ok(Step::Done(1))
}

fn encode_euc_single(ch: u32, out: &mut Out) -> PyResult<Option<Step>> {
    let Some(byte) = single(ch) else { return Ok(None) };
    if byte >= 0x80 {
        out.try_push(0x8E)?;
    }
    out.try_push(byte)?;
    Ok(Some(Step::Done(1)))
}

fn encode_euc_jp(_: &mut State, input: Input, out: &mut Out) -> PyResult<Step> {
    if let Some(step) = encode_euc_single(input.ch, out)? {
        return Ok(step);
    }
    match input.ch {
        // The signs that JIS X 0201 has in their place.
        0xA5 => out.try_push(0x5C)?,
        0x203E => out.try_push(0x7E)?,
        ch => {
            return match (JISX0208.write(ch), JISX0212.write(ch)) {
                (Some(code), _) => euc(&[], code, out),
                (None, Some(code)) => euc(&[0x8F], code, out),
                (None, None) => Ok(Step::Invalid(1)),
            };
        }
    }
    Ok(Step::Done(1))
}

fn encode_euc_jisx0213(edition: Edition, input: Input, out: &mut Out) -> PyResult<Step> {
    if let Some(step) = encode_euc_single(input.ch, out)? {
        return Ok(step);
    }
    match encode_pair(&JISX0213_1, input) {
        Some(Ok(code)) => return euc(&[], code, out).map(|_| Step::Done(2)),
        Some(Err(step)) => return Ok(step),
        None => {}
    }
    let ch = input.ch;
    if let Some(code) = write_plane_1(edition, ch).or_else(|| JISX0208.write(ch).filter(|code| kept(*code))) {
        euc(&[], code, out)
    } else if let Some(code) = write_plane_2(edition, ch).or_else(|| JISX0212.write(ch)) {
        euc(&[0x8F], code, out)
    } else {
        Ok(Step::Invalid(1))
    }
}

/// Whether JIS X 0213 has the same at a code of JIS X 0208.
fn kept(code: [u8; 2]) -> bool {
    JISX0213_1.read(code[0], code[1]).is_none()
}

/// What EUC has for one, two or three bytes; `Err` is what the step comes to otherwise.
fn decode_euc(
    bytes: &[u8],
    text: &mut Text,
    one: fn([u8; 2]) -> Option<u32>,
    two: fn([u8; 2]) -> Option<u32>,
) -> PyResult<Step> {
    let lead = bytes[0];
    if lead < 0x80 {
        text.push_char(lead.into())?;
        return Ok(Step::Done(1));
    }
    let Some(&trail) = bytes.get(1) else { return Ok(Step::Incomplete) };
    let (number, length) = match lead {
        0x8E => ((0xA1..=0xDF).contains(&trail).then(|| u32::from(trail) + KATAKANA_SHIFT), 2),
        0x8F => {
            let Some(&third) = bytes.get(2) else { return Ok(Step::Incomplete) };
            (two([trail ^ 0x80, third ^ 0x80]), 3)
        }
        _ => (one([lead ^ 0x80, trail ^ 0x80]), 2),
    };
    let Some(number) = number else { return Ok(Step::Invalid(1)) };
    super::push(text, number)?;
    Ok(Step::Done(length))
}

fn decode_euc_jp(_: &mut State, bytes: &[u8], text: &mut Text) -> PyResult<Step> {
    decode_euc(bytes, text, |code| JISX0208.read(code[0], code[1]), |code| JISX0212.read(code[0], code[1]))
}

fn decode_euc_jisx0213(edition: Edition, bytes: &[u8], text: &mut Text) -> PyResult<Step> {
    fn second(edition: Edition, code: [u8; 2]) -> Option<u32> {
        read_plane_2(edition, code).or_else(|| JISX0212.read(code[0], code[1]))
    }
    if let &[lead, trail, ..] = bytes
        && is_too_new(edition, [lead ^ 0x80, trail ^ 0x80])
    {
        return Ok(Step::Invalid(2));
    }
    if edition == Edition::Of2000 {
        decode_euc(bytes, text, |code| read_plane_1(Edition::Of2000, code), |code| second(Edition::Of2000, code))
    } else {
        decode_euc(bytes, text, |code| read_plane_1(Edition::Of2004, code), |code| second(Edition::Of2004, code))
    }
}

// ---- Shift_JIS: two rows of 94 in one of 188 ----

/// A code's bytes, for rows counted from 0.
fn shift(row: u8, column: u8) -> [u8; 2] {
    let lead = row >> 1;
    let column = column - 0x21 + if row & 1 != 0 { 0x5E } else { 0 };
    let lead = if lead < 0x1F { lead + 0x81 } else { lead + 0xC1 };
    [lead, if column < 0x3F { column + 0x40 } else { column + 0x41 }]
}

/// The row, counted from 0, and the column of a code's bytes; `None` for bytes that are none's.
fn unshift(lead: u8, trail: u8) -> Option<(u8, u8)> {
    let lead = match lead {
        0x81..=0x9F => lead - 0x81,
        0xE0..=0xFC => lead - 0xC1,
        _ => return None,
    };
    let column = match trail {
        0x40..=0x7E => trail - 0x40,
        0x80..=0xFC => trail - 0x41,
        _ => return None,
    };
    Some((2 * lead + u8::from(column >= 0x5E), column % 0x5E + 0x21))
}

fn encode_shift_jis(_: &mut State, input: Input, out: &mut Out) -> PyResult<Step> {
    if let Some(byte) = single(input.ch) {
        out.try_push(byte)?;
    } else {
        match input.ch {
            0xA5 => out.try_push(0x5C)?,
            0x203E => out.try_push(0x7E)?,
            ch => {
                let Some([row, column]) = JISX0208.write(ch) else { return Ok(Step::Invalid(1)) };
                out.try_extend_from_slice(&shift(row - 0x21, column))?;
            }
        }
    }
    Ok(Step::Done(1))
}

/// A byte that is a character: ASCII and katakana.
fn decode_single(byte: u8) -> Option<u32> {
    match byte {
        0..0x80 => Some(byte.into()),
        0xA1..=0xDF => Some(u32::from(byte) + KATAKANA_SHIFT),
        _ => None,
    }
}

fn decode_shift_jis(_: &mut State, bytes: &[u8], text: &mut Text) -> PyResult<Step> {
    let lead = bytes[0];
    if let Some(ch) = decode_single(lead) {
        text.push_char(ch)?;
        return Ok(Step::Done(1));
    }
    if !matches!(lead, 0x81..=0x9F | 0xE0..=0xEA) {
        return Ok(Step::Invalid(1));
    }
    let Some(&trail) = bytes.get(1) else { return Ok(Step::Incomplete) };
    let Some(ch) = unshift(lead, trail).and_then(|(row, column)| JISX0208.read(row + 0x21, column)) else {
        return Ok(Step::Invalid(1));
    };
    text.push_char(ch)?;
    Ok(Step::Done(2))
}

// ---- Code page 932: more in single bytes, rows of Microsoft's, and private characters ----

fn encode_cp932(_: &mut State, input: Input, out: &mut Out) -> PyResult<Step> {
    let byte = match input.ch {
        0x80 => Some(0x80),
        0xF8F0 => Some(0xA0),
        ch @ 0xF8F1..=0xF8F3 => Some((ch - 0xF8F1 + 0xFD) as u8),
        ch => single(ch),
    };
    if let Some(byte) = byte {
        out.try_push(byte)?;
    } else if let Some(code) = CP932.write(input.ch) {
        out.try_extend_from_slice(&code)?;
    } else if let Some([row, column]) = JISX0208.write(input.ch) {
        out.try_extend_from_slice(&shift(row - 0x21, column))?;
    } else if let Some(private) = input.ch.checked_sub(0xE000).filter(|private| *private < 1880) {
        let column = (private % 188) as u8;
        let trail = if column < 0x3F { column + 0x40 } else { column + 0x41 };
        out.try_extend_from_slice(&[(private / 188) as u8 + 0xF0, trail])?;
    } else {
        return Ok(Step::Invalid(1));
    }
    Ok(Step::Done(1))
}

fn decode_cp932(_: &mut State, bytes: &[u8], text: &mut Text) -> PyResult<Step> {
    let lead = bytes[0];
    let one = match lead {
        0x80 => Some(0x80),
        0xA0 => Some(0xF8F0),
        0xFD..=0xFF => Some(u32::from(lead) - 0xFD + 0xF8F1),
        _ => decode_single(lead),
    };
    if let Some(ch) = one {
        text.push_char(ch)?;
        return Ok(Step::Done(1));
    }
    let Some(&trail) = bytes.get(1) else { return Ok(Step::Incomplete) };
    let ch = CP932.read(lead, trail).or_else(|| {
        let (row, column) = unshift(lead, trail)?;
        match lead {
            0x81..=0x9F | 0xE0..=0xEA => JISX0208.read(row + 0x21, column),
            0xF0..=0xF9 => Some(0xE000 + u32::from(row - 2 * (0xF0 - 0xC1)) * 94 + u32::from(column - 0x21)),
            _ => None,
        }
    });
    let Some(ch) = ch else { return Ok(Step::Invalid(1)) };
    text.push_char(ch)?;
    Ok(Step::Done(2))
}

// ---- Shift_JIS with JIS X 0213: what is left of the rows is for the rows of the second plane that are in use ----

/// Where the signs of ASCII are for which JIS X 0201 has others. EUC has wide ones there.
const BACKSLASH: [u8; 2] = [0x21, 0x40];
const TILDE: [u8; 2] = [0x22, 0x32];

/// The rows of the second plane, in the order in which they are written.
const SECOND_PLANE: [u8; 26] = [
    0x21, 0x28, 0x23, 0x24, 0x25, 0x2C, 0x2D, 0x2E, 0x2F, 0x6E, 0x6F, 0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77,
    0x78, 0x79, 0x7A, 0x7B, 0x7C, 0x7D, 0x7E,
];

fn encode_shift_jisx0213(edition: Edition, input: Input, out: &mut Out) -> PyResult<Step> {
    let ch = input.ch;
    // JIS X 0201 has other signs than ASCII has in two places.
    let byte = match ch {
        0x5C | 0x7E => None,
        0xA5 => Some(0x5C),
        0x203E => Some(0x7E),
        _ => single(ch),
    };
    if let Some(byte) = byte {
        out.try_push(byte)?;
        return Ok(Step::Done(1));
    }
    let mut done = 1;
    let pair = match encode_pair(&JISX0213_1, input) {
        Some(Ok(code)) => {
            done = 2;
            Some(code)
        }
        Some(Err(step)) => return Ok(step),
        None => None,
    };
    let ascii = match ch {
        0x5C => Some(BACKSLASH),
        0x7E => Some(TILDE),
        0xFF3C | 0xFF5E => return Ok(Step::Invalid(1)),
        _ => None,
    };
    let first = pair
        .or(ascii)
        .or_else(|| write_plane_1(edition, ch))
        .or_else(|| JISX0208.write(ch).filter(|code| kept(*code)))
        .map(|[row, column]| (row - 0x21, column));
    let second = || {
        let [row, column] = write_plane_2(edition, ch)?;
        let at = SECOND_PLANE.iter().position(|used| *used == row)?;
        Some((at as u8 + 94, column))
    };
    let Some((row, column)) = first.or_else(second) else { return Ok(Step::Invalid(1)) };
    out.try_extend_from_slice(&shift(row, column))?;
    Ok(Step::Done(done))
}

fn decode_shift_jisx0213(edition: Edition, bytes: &[u8], text: &mut Text) -> PyResult<Step> {
    let lead = bytes[0];
    let one = match lead {
        0x5C => Some(0xA5),
        0x7E => Some(0x203E),
        _ => decode_single(lead),
    };
    if let Some(ch) = one {
        text.push_char(ch)?;
        return Ok(Step::Done(1));
    }
    if !matches!(lead, 0x81..=0x9F | 0xE0..=0xFC) {
        return Ok(Step::Invalid(1));
    }
    let Some(&trail) = bytes.get(1) else { return Ok(Step::Incomplete) };
    let place = unshift(lead, trail);
    if place.is_some_and(|(row, column)| row < 94 && is_too_new(edition, [row + 0x21, column])) {
        return Ok(Step::Invalid(2));
    }
    let number = place.and_then(|(row, column)| match row.checked_sub(94) {
        None => match [row + 0x21, column] {
            BACKSLASH => Some(0x5C),
            TILDE => Some(0x7E),
            code => read_plane_1(edition, code),
        },
        Some(at) => read_plane_2(edition, [*SECOND_PLANE.get(usize::from(at))?, column]),
    });
    let Some(number) = number else { return Ok(Step::Invalid(1)) };
    super::push(text, number)?;
    Ok(Step::Done(2))
}
