//! Error texts of formatting and parsing, as values.
//!
//! Making one never allocates; the text is written when the object layer raises the exception. Texts that
//! quote the format or name a type get them at that time.

use hognose_allocators::NoMemory;

use super::{Buffer, Text, TextSink, digit_char};

/// The exception that a message belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exception {
    /// `ValueError`
    Value,
    /// `TypeError`
    Type,
    /// `OverflowError`
    Overflow,
}

/// Why text could not be formatted or parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextError {
    /// The sink could not grow.
    NoMemory,
    /// An exception to raise.
    Raise(Message),
}

impl From<NoMemory> for TextError {
    fn from(_: NoMemory) -> Self {
        TextError::NoMemory
    }
}

impl From<Message> for TextError {
    fn from(message: Message) -> Self {
        TextError::Raise(message)
    }
}

/// The text of an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// A `ValueError` whose text is fixed.
    Value(&'static str),
    /// An `OverflowError` whose text is fixed.
    Overflow(&'static str),
    /// "Invalid format specifier '…' for object of type '…'"
    InvalidSpec,
    /// "Unknown format code '…' for object of type '…'"
    UnknownCode(u32),
    /// "Cannot specify ',' with '…'."
    CannotSpecify(u8, u32),
    /// "unsupported format character '…' (0x…) at index …"
    UnsupportedCharacter(u32, usize),
    /// "Unknown conversion specifier …"
    UnknownConversion(u32),
}

/// What is printable ASCII is shown as it is, other characters by their number.
fn is_shown(ch: u32) -> bool {
    ch > 32 && ch < 128
}

fn hex(mut value: u32) -> Buffer<8> {
    let mut digits = [0; 8];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = digit_char((value % 16) as u8);
        value /= 16;
        if value == 0 {
            break;
        }
    }
    let mut text = Buffer::new();
    text.extend(&digits[at..]);
    text
}

fn push_code<S: TextSink>(sink: &mut S, ch: u32) -> Result<(), NoMemory> {
    sink.push_ascii(b"'")?;
    if is_shown(ch) {
        sink.push(ch)?;
    } else {
        sink.push_ascii(b"\\x")?;
        sink.push_ascii(hex(ch).as_bytes())?;
    }
    sink.push_ascii(b"'")
}

impl Message {
    /// The exception to raise it with.
    pub fn exception(&self) -> Exception {
        match self {
            Message::Overflow(_) => Exception::Overflow,
            _ => Exception::Value,
        }
    }

    /// Writes the text. `spec` is the format specifier and `type_name` the type of the object that was to be
    /// formatted by it; messages that mention neither ignore them.
    ///
    /// # Errors
    /// `NoMemory` when the sink cannot grow.
    pub fn write<T, S>(&self, spec: &T, type_name: &str, sink: &mut S) -> Result<(), NoMemory>
    where
        T: Text + ?Sized,
        S: TextSink,
    {
        match *self {
            Message::Value(text) | Message::Overflow(text) => sink.push_ascii(text.as_bytes()),
            Message::InvalidSpec => {
                sink.push_ascii(b"Invalid format specifier '")?;
                sink.push_range(spec, 0..spec.len())?;
                sink.push_ascii(b"' for object of type '")?;
                push_name(sink, type_name)?;
                sink.push_ascii(b"'")
            }
            Message::UnknownCode(ch) => {
                sink.push_ascii(b"Unknown format code ")?;
                push_code(sink, ch)?;
                sink.push_ascii(b" for object of type '")?;
                push_name(sink, type_name)?;
                sink.push_ascii(b"'")
            }
            Message::CannotSpecify(separator, ch) => {
                sink.push_ascii(b"Cannot specify '")?;
                sink.push_ascii(&[separator])?;
                sink.push_ascii(b"' with ")?;
                push_code(sink, ch)?;
                sink.push_ascii(b".")
            }
            Message::UnsupportedCharacter(ch, index) => {
                sink.push_ascii(b"unsupported format character '")?;
                sink.push(if ch > 31 && ch < 127 { ch } else { u32::from(b'?') })?;
                sink.push_ascii(b"' (0x")?;
                sink.push_ascii(hex(ch).as_bytes())?;
                sink.push_ascii(b") at index ")?;
                let mut digits = Buffer::<20>::new();
                // Twenty digits hold any index.
                let _ = core::fmt::Write::write_fmt(&mut digits, format_args!("{index}"));
                sink.push_ascii(digits.as_bytes())
            }
            Message::UnknownConversion(ch) => {
                sink.push_ascii(b"Unknown conversion specifier ")?;
                if is_shown(ch) {
                    sink.push(ch)
                } else {
                    sink.push_ascii(b"\\x")?;
                    sink.push_ascii(hex(ch).as_bytes())
                }
            }
        }
    }
}

fn push_name<S: TextSink>(sink: &mut S, name: &str) -> Result<(), NoMemory> {
    for ch in name.chars() {
        sink.push(u32::from(ch))?;
    }
    Ok(())
}
