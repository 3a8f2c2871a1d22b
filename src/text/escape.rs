//! `repr` and `ascii` of strings, `repr` of bytes.

use hognose_allocators::NoMemory;

use super::{Text, TextSink, chars, digit_char};

/// Which characters a string's text may show as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// All that are printable: `repr`.
    Printable,
    /// Only ASCII: `ascii`.
    Ascii,
}

const BACKSLASH: u32 = b'\\' as u32;

/// Single quotes, unless there are such inside and no double ones.
fn quote<T: Text + ?Sized>(text: &T) -> u32 {
    let (mut single, mut double) = (false, false);
    for index in 0..text.len() {
        let ch = text.at(index);
        single |= ch == u32::from(b'\'');
        double |= ch == u32::from(b'"');
    }
    u32::from(if single && !double { b'"' } else { b'\'' })
}

/// `\` with a letter of its own for the character.
fn letter(ch: u32) -> Option<u8> {
    match ch {
        0x09 => Some(b't'),
        0x0A => Some(b'n'),
        0x0D => Some(b'r'),
        _ => None,
    }
}

fn push_hex<S: TextSink>(sink: &mut S, kind: u8, ch: u32, digits: u32) -> Result<(), NoMemory> {
    sink.push_ascii(&[b'\\', kind])?;
    for place in (0..digits).rev() {
        sink.push(u32::from(digit_char((ch >> (4 * place) & 15) as u8)))?;
    }
    Ok(())
}

/// Writes a string as it would stand in a program, quotes included.
///
/// # Errors
/// `NoMemory` when the sink cannot grow.
pub fn str_repr<T, S>(text: &T, shown: Shown, sink: &mut S) -> Result<(), NoMemory>
where
    T: Text + ?Sized,
    S: TextSink,
{
    let quote = quote(text);
    sink.push(quote)?;
    for index in 0..text.len() {
        let ch = text.at(index);
        if ch == quote || ch == BACKSLASH {
            sink.push(BACKSLASH)?;
            sink.push(ch)?;
        } else if let Some(letter) = letter(ch) {
            sink.push_ascii(&[b'\\', letter])?;
        } else if matches!(ch, 0x20..=0x7E) || (ch >= 0x7F && shown == Shown::Printable && chars::is_printable(ch)) {
            sink.push(ch)?;
        } else if ch < 0x100 {
            push_hex(sink, b'x', ch, 2)?;
        } else if ch < 0x1_0000 {
            push_hex(sink, b'u', ch, 4)?;
        } else {
            push_hex(sink, b'U', ch, 8)?;
        }
    }
    sink.push(quote)
}

/// Writes bytes as they would stand in a program, prefix and quotes included.
///
/// # Errors
/// `NoMemory` when the sink cannot grow.
pub fn bytes_repr<S: TextSink>(bytes: &[u8], sink: &mut S) -> Result<(), NoMemory> {
    let quote = quote(bytes);
    sink.push_ascii(b"b")?;
    sink.push(quote)?;
    for &byte in bytes {
        let ch = u32::from(byte);
        if ch == quote || ch == BACKSLASH {
            sink.push(BACKSLASH)?;
            sink.push(ch)?;
        } else if let Some(letter) = letter(ch) {
            sink.push_ascii(&[b'\\', letter])?;
        } else if matches!(byte, 0x20..=0x7E) {
            sink.push(ch)?;
        } else {
            push_hex(sink, b'x', ch, 2)?;
        }
    }
    sink.push(quote)
}
