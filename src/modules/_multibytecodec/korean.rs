//! EUC-KR, UHC (code page 949) and Johab.

use super::charts::{CP949, Chart};
use super::{Encoding, Input, Out, State, Step, Text};
use crate::object::PyResult;

/// The encodings.
pub(super) static KOREA: &[Encoding] = &[
    Encoding { name: "euc_kr", encode: encode_euc_kr, decode: decode_euc_kr, ..Encoding::PLAIN },
    Encoding {
        name: "cp949",
        encode: |_, input, out| super::chinese::encode(&CP949, input, out),
        decode: |_, bytes, text| super::chinese::decode(&CP949, bytes, text),
        ..Encoding::PLAIN
    },
    Encoding { name: "johab", encode: encode_johab, decode: decode_johab, ..Encoding::PLAIN },
];

const CHART: &Chart = &CP949;

/// KS X 1001, as both bytes have their high bit: that part of code page 949.
pub(super) fn ksx1001(lead: u8, trail: u8) -> Option<u32> {
    if lead < 0xA1 || trail < 0xA1 { None } else { CHART.read(lead, trail) }
}

/// The code in KS X 1001, with high bits.
pub(super) fn to_ksx1001(ch: u32) -> Option<[u8; 2]> {
    CHART.write(ch).filter(|code| code[0] >= 0xA1 && code[1] >= 0xA1)
}

/// The first syllable.
const SYLLABLES: u32 = 0xAC00;
const SYLLABLE_COUNT: u32 = 19 * 21 * 28;

/// A syllable's parts: initial, vowel, final (0: none).
fn parts(ch: u32) -> Option<[usize; 3]> {
    let at = ch.checked_sub(SYLLABLES).filter(|at| *at < SYLLABLE_COUNT)?;
    Some([(at / 588) as usize, (at / 28 % 21) as usize, (at % 28) as usize])
}

fn syllable(initial: usize, vowel: usize, last: usize) -> u32 {
    SYLLABLES + (initial * 588 + vowel * 28 + last) as u32
}

/// The initials as letters of their own, from U+3131: their distance from it.
const INITIALS: [u8; 19] = [0, 1, 3, 6, 7, 8, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29];
/// The finals, without that there is none.
const FINALS: [u8; 27] =
    [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 25, 26, 27, 28, 29];
/// The first letter, in Unicode and in KS X 1001; and the first vowel's distance from it.
const LETTERS: u32 = 0x3131;
const LETTER_CODE: u8 = 0xA1;
const VOWELS: u8 = 30;

// ---- EUC-KR: a syllable that KS X 1001 does not have is written as four letters, of which the first is a filler ----

const LETTER_ROW: u8 = 0xA4;
const FILLER: u8 = 0xD4;

fn encode_euc_kr(_: &mut State, input: Input, out: &mut Out) -> PyResult<Step> {
    if input.ch < 0x80 {
        out.try_push(input.ch as u8)?;
    } else if let Some(code) = to_ksx1001(input.ch) {
        out.try_extend_from_slice(&code)?;
    } else if let Some([initial, vowel, last]) = parts(input.ch) {
        let last = if last == 0 { FILLER } else { LETTER_CODE + FINALS[last - 1] };
        let (initial, vowel) = (LETTER_CODE + INITIALS[initial], LETTER_CODE + VOWELS + vowel as u8);
        out.try_extend_from_slice(&[LETTER_ROW, FILLER, LETTER_ROW, initial, LETTER_ROW, vowel, LETTER_ROW, last])?;
    } else {
        return Ok(Step::Invalid(1));
    }
    Ok(Step::Done(1))
}

fn decode_euc_kr(_: &mut State, bytes: &[u8], text: &mut Text) -> PyResult<Step> {
    let lead = bytes[0];
    if lead < 0x80 {
        text.push_char(lead.into())?;
        return Ok(Step::Done(1));
    }
    let Some(&trail) = bytes.get(1) else { return Ok(Step::Incomplete) };
    if (lead, trail) == (LETTER_ROW, FILLER) {
        let Some(letters) = bytes.get(2..8) else { return Ok(Step::Incomplete) };
        let &[LETTER_ROW, initial, LETTER_ROW, vowel, LETTER_ROW, last] = letters else { return Ok(Step::Invalid(1)) };
        let find = |letters: &[u8], code: u8| letters.iter().position(|letter| letter + LETTER_CODE == code);
        let initial = find(&INITIALS, initial);
        let vowel = vowel.checked_sub(LETTER_CODE + VOWELS).filter(|vowel| *vowel < 21);
        let last = if last == FILLER { Some(0) } else { find(&FINALS, last).map(|at| at + 1) };
        let (Some(initial), Some(vowel), Some(last)) = (initial, vowel, last) else { return Ok(Step::Invalid(1)) };
        text.push_char(syllable(initial, vowel.into(), last))?;
        return Ok(Step::Done(8));
    }
    let Some(ch) = ksx1001(lead, trail) else { return Ok(Step::Invalid(1)) };
    text.push_char(ch)?;
    Ok(Step::Done(2))
}

// ---- Johab: `1 initial vowel final`, five bits each; what else KS X 1001 has is laid out anew behind it ----

/// The bits that say that there is none.
const NO_INITIAL: usize = 1;
const NO_VOWEL: usize = 2;
const NO_FINAL: usize = 1;

fn initial_bits(initial: usize) -> usize {
    initial + 2
}

/// Vowels lie in fours: 3–7, 10–15, 18–23, 26–29.
fn vowel_bits(vowel: usize) -> usize {
    match vowel {
        0..5 => vowel + 3,
        5..11 => vowel + 5,
        11..17 => vowel + 7,
        _ => vowel + 9,
    }
}

/// Finals, without the bits of none: 2–17, 19–29.
fn final_bits(last: usize) -> usize {
    match last {
        0 => NO_FINAL,
        1..17 => last + 1,
        _ => last + 2,
    }
}

/// What five bits stand for.
enum Part {
    None,
    Number(usize),
}

fn part(bits: usize, none: usize, count: usize, to_bits: fn(usize) -> usize, first: usize) -> Option<Part> {
    if bits == none {
        return Some(Part::None);
    }
    (first..count).find(|number| to_bits(*number) == bits).map(Part::Number)
}

fn encode_johab(_: &mut State, input: Input, out: &mut Out) -> PyResult<Step> {
    let ch = input.ch;
    if ch < 0x80 {
        out.try_push(ch as u8)?;
        return Ok(Step::Done(1));
    }
    let bits = if let Some([initial, vowel, last]) = parts(ch) {
        Some([initial_bits(initial), vowel_bits(vowel), final_bits(last)])
    } else {
        letter(ch)
    };
    if let Some([initial, vowel, last]) = bits {
        let code = 0x8000 | (initial << 10 | vowel << 5 | last) as u16;
        out.try_extend_from_slice(&code.to_be_bytes())?;
        return Ok(Step::Done(1));
    }
    let Some([lead, trail]) = to_ksx1001(ch) else { return Ok(Step::Invalid(1)) };
    let (lead, trail) = (u16::from(lead & 0x7F), u16::from(trail & 0x7F));
    // Rows of syllables are not written this way.
    let row = match lead {
        0x21..=0x2C => lead - 0x21 + 0x1B2,
        0x4A..=0x7D => lead - 0x21 + 0x197,
        _ => return Ok(Step::Invalid(1)),
    };
    let column = trail - 0x21 + if row & 1 != 0 { 0x5E } else { 0 };
    let column = if column < 0x4E { column + 0x31 } else { column + 0x43 };
    out.try_extend_from_slice(&[(row >> 1) as u8, column as u8])?;
    Ok(Step::Done(1))
}

/// The bits of a letter that stands alone.
fn letter(ch: u32) -> Option<[usize; 3]> {
    let at = u8::try_from(ch.checked_sub(LETTERS)?).ok()?;
    if let Some(vowel) = at.checked_sub(VOWELS) {
        return (vowel < 21).then(|| [NO_INITIAL, vowel_bits(vowel.into()), NO_FINAL]);
    }
    if let Some(initial) = INITIALS.iter().position(|letter| *letter == at) {
        return Some([initial_bits(initial), NO_VOWEL, NO_FINAL]);
    }
    let last = FINALS.iter().position(|letter| *letter == at)?;
    Some([NO_INITIAL, NO_VOWEL, final_bits(last + 1)])
}

fn decode_johab(_: &mut State, bytes: &[u8], text: &mut Text) -> PyResult<Step> {
    let lead = bytes[0];
    if lead < 0x80 {
        text.push_char(lead.into())?;
        return Ok(Step::Done(1));
    }
    let Some(&trail) = bytes.get(1) else { return Ok(Step::Incomplete) };
    let ch = if lead < 0xD8 { decode_parts(lead, trail) } else { decode_symbol(lead, trail) };
    let Some(ch) = ch else { return Ok(Step::Invalid(1)) };
    text.push_char(ch)?;
    Ok(Step::Done(2))
}

fn decode_parts(lead: u8, trail: u8) -> Option<u32> {
    let code = usize::from(lead) << 8 | usize::from(trail);
    let initial = part(code >> 10 & 31, NO_INITIAL, 19, initial_bits, 0)?;
    let vowel = part(code >> 5 & 31, NO_VOWEL, 21, vowel_bits, 0)?;
    let last = part(code & 31, NO_FINAL, 28, final_bits, 1)?;
    match (initial, vowel, last) {
        (Part::None, Part::None, Part::None) => Some(0x3000),
        (Part::None, Part::None, Part::Number(last)) => Some(LETTERS + u32::from(FINALS[last - 1])),
        (Part::None, Part::Number(vowel), Part::None) => Some(LETTERS + u32::from(VOWELS) + vowel as u32),
        (Part::Number(initial), Part::None, Part::None) => Some(LETTERS + u32::from(INITIALS[initial])),
        (Part::Number(initial), Part::Number(vowel), last) => {
            Some(syllable(initial, vowel, if let Part::Number(last) = last { last } else { 0 }))
        }
        _ => None,
    }
}

fn decode_symbol(lead: u8, trail: u8) -> Option<u32> {
    let (lead, trail) = (u16::from(lead), u16::from(trail));
    let no_code = lead == 0xD8
        || lead == 0xDF
        || lead > 0xF9
        || trail < 0x31
        || (0x80..0x91).contains(&trail)
        || trail & 0x7F == 0x7F;
    // Letters are written as such.
    if no_code || lead == 0xDA && (0xA1..=0xD3).contains(&trail) {
        return None;
    }
    let row = if lead < 0xE0 { 2 * (lead - 0xD9) } else { 2 * lead - 0x197 };
    let column = if trail < 0x91 { trail - 0x31 } else { trail - 0x43 };
    let row = row + u16::from(column >= 0x5E) + 0x21;
    let column = column % 0x5E + 0x21;
    ksx1001(row as u8 | 0x80, column as u8 | 0x80)
}
