//! GB 2312, GBK, GB 18030, HZ and the kinds of Big5.

use super::charts::{self, BIG5, BIG5HKSCS, CP950, Chart, GB2312, GB18030, GBK};
use super::{Encoding, Input, Out, State, Step, Text};
use crate::object::PyResult;

/// The encodings of mainland China.
pub(super) static CHINA: &[Encoding] = &[
    Encoding {
        name: "gb2312",
        encode: |_, input, out| encode(&GB2312, input, out),
        decode: |_, bytes, text| decode(&GB2312, bytes, text),
        ..Encoding::PLAIN
    },
    Encoding {
        name: "gbk",
        encode: |_, input, out| encode(&GBK, input, out),
        decode: |_, bytes, text| decode(&GBK, bytes, text),
        ..Encoding::PLAIN
    },
    Encoding { name: "gb18030", encode: encode_gb18030, decode: decode_gb18030, ..Encoding::PLAIN },
    Encoding {
        name: "hz",
        encode: encode_hz,
        decode: decode_hz,
        end: Some(end_hz),
        forget: Some(|state| state[0] = 0),
        ..Encoding::PLAIN
    },
];

/// The encodings of Taiwan.
pub(super) static TAIWAN: &[Encoding] = &[
    Encoding {
        name: "big5",
        encode: |_, input, out| encode(&BIG5, input, out),
        decode: |_, bytes, text| decode(&BIG5, bytes, text),
        ..Encoding::PLAIN
    },
    Encoding {
        name: "cp950",
        encode: |_, input, out| encode(&CP950, input, out),
        decode: |_, bytes, text| decode(&CP950, bytes, text),
        ..Encoding::PLAIN
    },
];

/// The encoding of Hong Kong.
pub(super) static HONG_KONG: &[Encoding] = &[Encoding {
    name: "big5hkscs",
    encode: encode_big5hkscs,
    decode: |_, bytes, text| decode(&BIG5HKSCS, bytes, text),
    ..Encoding::PLAIN
}];

/// ASCII and one chart.
pub(super) fn encode(chart: &Chart, input: Input, out: &mut Out) -> PyResult<Step> {
    if input.ch < 0x80 {
        out.try_push(input.ch as u8)?;
        return Ok(Step::Done(1));
    }
    let Some(code) = chart.write(input.ch) else { return Ok(Step::Invalid(1)) };
    out.try_extend_from_slice(&code)?;
    Ok(Step::Done(1))
}

/// ASCII and one chart.
pub(super) fn decode(chart: &Chart, bytes: &[u8], text: &mut Text) -> PyResult<Step> {
    let lead = bytes[0];
    if lead < 0x80 {
        text.push_char(lead.into())?;
        return Ok(Step::Done(1));
    }
    let Some(&trail) = bytes.get(1) else { return Ok(Step::Incomplete) };
    let Some(number) = chart.read(lead, trail) else { return Ok(Step::Invalid(1)) };
    super::push(text, number)?;
    Ok(Step::Done(2))
}

/// How many characters the plane of 16 bits has in four bytes, and where the others begin.
const SUPPLEMENT: u32 = (0x90 - 0x81) * 12600;

/// The places of the characters below U+10000 in codes of four bytes: all that have no code of two, in their order.
fn rank_of(ch: u32) -> u32 {
    // A surrogate has no place of its own.
    let end = ch.min(0xD800) + ch.saturating_sub(0xE000);
    end - 0x80 - GB18030.count_below(ch)
}

fn encode_gb18030(_: &mut State, input: Input, out: &mut Out) -> PyResult<Step> {
    let ch = input.ch;
    if ch >= 0x80 && GB18030.write(ch).is_none() {
        if (0xD800..0xE000).contains(&ch) {
            return Ok(Step::Invalid(1));
        }
        let mut rank = if ch < 0x10000 { rank_of(ch) } else { SUPPLEMENT + (ch - 0x10000) };
        let mut code = [0; 4];
        for (place, (first, count)) in code.iter_mut().zip([(0x81, 126), (0x30, 10), (0x81, 126), (0x30, 10)]).rev() {
            *place = first + (rank % count) as u8;
            rank /= count;
        }
        out.try_extend_from_slice(&code)?;
        return Ok(Step::Done(1));
    }
    encode(&GB18030, input, out)
}

fn decode_gb18030(_: &mut State, bytes: &[u8], text: &mut Text) -> PyResult<Step> {
    let &[first, second, ref rest @ ..] = bytes else {
        return decode(&GB18030, bytes, text);
    };
    if first < 0x80 || !(0x30..=0x39).contains(&second) {
        return decode(&GB18030, bytes, text);
    }
    let &[third, fourth, ..] = rest else { return Ok(Step::Incomplete) };
    if !(0x81..=0xFE).contains(&first) || !(0x81..=0xFE).contains(&third) || !(0x30..=0x39).contains(&fourth) {
        return Ok(Step::Invalid(1));
    }
    let digit = |byte: u8, base: u8| u32::from(byte - base);
    let rank = ((digit(first, 0x81) * 10 + digit(second, 0x30)) * 126 + digit(third, 0x81)) * 10 + digit(fourth, 0x30);
    let ch = if rank >= SUPPLEMENT { Some(0x10000 + rank - SUPPLEMENT) } else { ranked(rank) };
    let Some(ch) = ch.filter(|ch| *ch <= char::MAX as u32) else { return Ok(Step::Invalid(1)) };
    text.push_char(ch)?;
    Ok(Step::Done(4))
}

/// The character at a place among those of four bytes.
fn ranked(rank: u32) -> Option<u32> {
    let (mut low, mut high) = (0x80, 0x10000);
    while low < high {
        let middle = low + (high - low) / 2;
        // How many there are up to and with the one in the middle.
        if rank_of(middle + 1) <= rank {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    (low < 0x10000).then_some(low)
}

// ---- HZ: the state's first byte is 1 between `~{` and `~}` ----

fn encode_hz(state: &mut State, input: Input, out: &mut Out) -> PyResult<Step> {
    if input.ch < 0x80 {
        if state[0] == 1 {
            out.try_extend_from_slice(b"~}")?;
            state[0] = 0;
        }
        let text: &[u8] = if input.ch == '~' as u32 { b"~~" } else { &[input.ch as u8] };
        out.try_extend_from_slice(text)?;
        return Ok(Step::Done(1));
    }
    let Some([lead, trail]) = GB2312.write(input.ch) else { return Ok(Step::Invalid(1)) };
    if state[0] == 0 {
        out.try_extend_from_slice(b"~{")?;
        state[0] = 1;
    }
    out.try_extend_from_slice(&[lead & 0x7F, trail & 0x7F])?;
    Ok(Step::Done(1))
}

fn end_hz(state: &mut State, out: &mut Out) -> PyResult<()> {
    if state[0] == 1 {
        out.try_extend_from_slice(b"~}")?;
        state[0] = 0;
    }
    Ok(())
}

fn decode_hz(state: &mut State, bytes: &[u8], text: &mut Text) -> PyResult<Step> {
    let first = bytes[0];
    if first == b'~' {
        let Some(&second) = bytes.get(1) else { return Ok(Step::Incomplete) };
        match (second, state[0]) {
            (b'~', 0) => text.push_char('~' as u32)?,
            (b'{', 0) => state[0] = 1,
            (b'\n', 0) => {}
            (b'}', 1) => state[0] = 0,
            _ => return Ok(Step::Invalid(1)),
        }
        return Ok(Step::Done(2));
    }
    if first >= 0x80 {
        return Ok(Step::Invalid(1));
    }
    if state[0] == 0 {
        text.push_char(first.into())?;
        return Ok(Step::Done(1));
    }
    let Some(&second) = bytes.get(1) else { return Ok(Step::Incomplete) };
    let Some(ch) = GB2312.read(first | 0x80, second | 0x80).filter(|_| second < 0x80) else {
        return Ok(Step::Invalid(1));
    };
    text.push_char(ch)?;
    Ok(Step::Done(2))
}

// ---- Big5 with Hong Kong's supplement ----

fn encode_big5hkscs(_: &mut State, input: Input, out: &mut Out) -> PyResult<Step> {
    match encode_pair(&BIG5HKSCS, input) {
        Some(Ok(code)) => {
            out.try_extend_from_slice(&code)?;
            Ok(Step::Done(2))
        }
        Some(Err(step)) => Ok(step),
        None => encode(&BIG5HKSCS, input, out),
    }
}

/// The code of a pair of characters that has one; or that one must know what follows.
pub(super) fn encode_pair(chart: &Chart, input: Input) -> Option<Result<[u8; 2], Step>> {
    if !chart.begins_pair(input.ch) {
        return None;
    }
    match input.next {
        Some(next) => chart.write(charts::pair(input.ch, next)).filter(|_| next < 0x10000).map(Ok),
        None if input.is_last => None,
        None => Some(Err(Step::Incomplete)),
    }
}
