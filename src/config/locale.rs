//! The locale's character type, and text to and from its encoding.
//!
//! Three encodings cover what `LC_CTYPE` may say: UTF-8 (the UTF-8 mode too), ASCII (the C locale), and any
//! other through the C library. What cannot be decoded becomes lone surrogates U+DC80 to U+DCFF, one for
//! each byte, and is encoded back to the same bytes.

use core::ffi::{CStr, c_char};
use core::fmt;

use hognose_allocators::{NoMemory, Raw, Scratch, TryVec};

use super::preconfig;
use super::status::{PyStatus, StatusResult};
use super::strings::{WChar, WideString};

/// Bytes in the raw domain.
pub type Bytes = TryVec<u8, Raw>;

/// The name of a locale or of its encoding, copied out of the C library's buffer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name {
    bytes: [u8; Self::CAPACITY],
    length: usize,
}

impl Name {
    /// Longer than any name in use; longer ones are treated as not readable.
    const CAPACITY: usize = 256;

    /// No name.
    pub const EMPTY: Self = Self { bytes: [0; Self::CAPACITY], length: 0 };

    /// A copy of `text`; empty when it is too long.
    pub fn new(text: &[u8]) -> Self {
        let mut name = Self::EMPTY;
        // One byte stays 0 as the terminator.
        if text.len() < Self::CAPACITY {
            name.bytes[..text.len()].copy_from_slice(text);
            name.length = text.len();
        }
        name
    }

    /// The name's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The name for C.
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or(c"")
    }

    /// The name as a wide string.
    pub fn to_wide(self) -> Result<WideString, NoMemory> {
        WideString::build(self.length, |to| {
            for (place, &byte) in to.iter_mut().zip(self.as_bytes()) {
                *place = byte.into();
            }
            self.length
        })
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_c_str(), f)
    }
}

/// The process's `LC_CTYPE`, or a stand-in for tests.
pub trait CType {
    /// The locale's name, such as `C` or `de_DE.UTF-8`.
    fn name(&self) -> Name;
    /// The name of its encoding.
    fn codeset(&self) -> Name;
    /// Changes the locale; an empty name is the one that the environment asks for. False: there is none.
    fn set(&mut self, name: &CStr) -> bool;
    /// Sets the environment's `LC_CTYPE`, so that child processes get the same locale.
    fn export(&mut self, name: &CStr) -> bool;
}

/// The process's own.
pub struct ProcessCType;

impl CType for ProcessCType {
    fn name(&self) -> Name {
        // SAFETY: a null name only asks.
        copy_name(unsafe { libc::setlocale(libc::LC_CTYPE, core::ptr::null()) })
    }

    fn codeset(&self) -> Name {
        // SAFETY: `nl_langinfo` gives a string for every item.
        copy_name(unsafe { libc::nl_langinfo(libc::CODESET) })
    }

    fn set(&mut self, name: &CStr) -> bool {
        // SAFETY: the name is NUL-terminated. Setting the locale races with threads that use it, which
        // is why the embedding program initializes from one thread.
        !unsafe { libc::setlocale(libc::LC_CTYPE, name.as_ptr()) }.is_null()
    }

    fn export(&mut self, name: &CStr) -> bool {
        // SAFETY: both texts are NUL-terminated; the environment is changed during initialization only.
        unsafe { libc::setenv(c"LC_CTYPE".as_ptr(), name.as_ptr(), 1) == 0 }
    }
}

fn copy_name(text: *const c_char) -> Name {
    if text.is_null() {
        return Name::EMPTY;
    }
    // SAFETY: the C library's names are NUL-terminated, and valid until the next call that changes the
    // locale; the copy is made before.
    Name::new(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// How bytes and characters correspond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Ascii,
    /// The C library converts.
    Library,
}

impl Encoding {
    /// The encoding now: UTF-8 in UTF-8 mode, else the one of `LC_CTYPE`.
    pub fn current() -> Self {
        if preconfig::preinitialized().is_some_and(|config| config.utf8_mode > 0) {
            return Self::Utf8;
        }
        match ProcessCType.codeset().as_bytes() {
            b"UTF-8" | b"" => Self::Utf8,
            b"ANSI_X3.4-1968" | b"US-ASCII" | b"ASCII" | b"646" => Self::Ascii,
            _ => Self::Library,
        }
    }
}

/// Decodes with the current encoding. Only memory can fail.
pub fn decode(bytes: &[u8]) -> StatusResult<WideString> {
    Ok(decode_as(Encoding::current(), bytes)?)
}

/// Decodes with `encoding`.
pub fn decode_as(encoding: Encoding, bytes: &[u8]) -> Result<WideString, NoMemory> {
    // No encoding makes more characters than bytes.
    WideString::build(bytes.len(), |to| {
        let mut length = 0;
        let mut push = |character: WChar| {
            to[length] = character;
            length += 1;
        };
        match encoding {
            Encoding::Utf8 => {
                for chunk in bytes.utf8_chunks() {
                    chunk.valid().chars().for_each(|c| push(c.into()));
                    chunk.invalid().iter().for_each(|&byte| push(escape(byte)));
                }
            }
            Encoding::Ascii => bytes.iter().for_each(|&byte| push(ascii_or_escape(byte))),
            Encoding::Library => decode_by_library(bytes, &mut push),
        }
        length
    })
}

fn escape(byte: u8) -> WChar {
    0xDC00 + WChar::from(byte)
}

fn ascii_or_escape(byte: u8) -> WChar {
    if byte.is_ascii() { byte.into() } else { escape(byte) }
}

// The restartable conversions are standard C; the libc crate does not declare them.
unsafe extern "C" {
    fn mbrtowc(to: *mut WChar, from: *const c_char, n: usize, state: *mut ConversionState) -> usize;
    fn wcrtomb(to: *mut c_char, character: WChar, state: *mut ConversionState) -> usize;
}

/// Room for the C library's `mbstate_t`, which is 8 bytes in glibc and up to 128 elsewhere.
#[repr(C, align(8))]
struct ConversionState([u8; 128]);

const INITIAL: ConversionState = ConversionState([0; 128]);

fn decode_by_library(mut bytes: &[u8], push: &mut dyn FnMut(WChar)) {
    let mut state = INITIAL;
    while let Some(&first) = bytes.first() {
        let mut character = 0;
        // SAFETY: the three pointers are to live objects, and `n` is the length of the text.
        let used = unsafe { mbrtowc(&mut character, bytes.as_ptr().cast(), bytes.len(), &mut state) };
        let valid = (1..=bytes.len()).contains(&used) && char::from_u32(character).is_some();
        if valid {
            push(character);
            bytes = &bytes[used..];
        } else {
            push(ascii_or_escape(first));
            bytes = &bytes[1..];
            state = INITIAL;
        }
    }
}

/// Why a text could not be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    NoMemory,
    /// The character at this index has no bytes in the encoding.
    Character(usize),
}

impl From<NoMemory> for EncodeError {
    fn from(_: NoMemory) -> Self {
        Self::NoMemory
    }
}

impl From<EncodeError> for PyStatus {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::NoMemory => Self::no_memory(),
            EncodeError::Character(_) => Self::error(c"cannot encode a string to the locale's encoding"),
        }
    }
}

/// Encodes with the current encoding. The bytes have no terminator.
pub fn encode(text: &[WChar]) -> Result<Bytes, EncodeError> {
    encode_as(Encoding::current(), text)
}

/// Encodes with the current encoding and adds a terminator, for a C function; the bytes go with the scratch.
pub fn encode_for_c_in<'a>(scratch: &'a Scratch, text: &[WChar]) -> Result<&'a [u8], EncodeError> {
    let encoding = Encoding::current();
    let mut length = 0;
    encode_each(encoding, text, |part| {
        length += part.len();
        Ok(())
    })?;
    let bytes = scratch.fill(length + 1, 0u8)?;
    let mut at = 0;
    encode_each(encoding, text, |part| {
        bytes[at..at + part.len()].copy_from_slice(part);
        at += part.len();
        Ok(())
    })?;
    Ok(bytes)
}

/// Encodes with `encoding`.
pub fn encode_as(encoding: Encoding, text: &[WChar]) -> Result<Bytes, EncodeError> {
    let mut bytes = Bytes::new_in(Raw);
    encode_each(encoding, text, |part| bytes.try_extend_from_slice(part))?;
    Ok(bytes)
}

/// Gives the bytes of each character to `put`, one after the other.
fn encode_each(
    encoding: Encoding,
    text: &[WChar],
    mut put: impl FnMut(&[u8]) -> Result<(), NoMemory>,
) -> Result<(), EncodeError> {
    for (index, &unit) in text.iter().enumerate() {
        if let 0xDC80..=0xDCFF = unit {
            put(&[(unit - 0xDC00) as u8])?;
            continue;
        }
        let character = char::from_u32(unit).ok_or(EncodeError::Character(index))?;
        match encoding {
            Encoding::Utf8 => {
                put(character.encode_utf8(&mut [0; 4]).as_bytes())?;
            }
            Encoding::Ascii if character.is_ascii() => put(&[character as u8])?,
            Encoding::Ascii => return Err(EncodeError::Character(index)),
            Encoding::Library => {
                // MB_LEN_MAX is 16 in glibc.
                let mut buffer = [0 as c_char; 16];
                let mut state = INITIAL;
                // SAFETY: the buffer has room for any character of any locale.
                let used = unsafe { wcrtomb(buffer.as_mut_ptr(), unit, &mut state) };
                let Some(encoded) = buffer.get(..used) else {
                    return Err(EncodeError::Character(index));
                };
                for &byte in encoded {
                    put(&[byte as u8])?;
                }
            }
        }
    }
    Ok(())
}

/// The name of the locale's encoding, as `nl_langinfo` spells it.
pub fn encoding_name(ctype: &dyn CType) -> Result<WideString, NoMemory> {
    match ctype.codeset() {
        Name::EMPTY => WideString::from_text("UTF-8"),
        name => name.to_wide(),
    }
}

/// The locales that replace the C locale, best first (PEP 538).
pub const COERCION_TARGETS: [&CStr; 3] = [c"C.UTF-8", c"C.utf8", c"UTF-8"];

/// Whether files and streams get `surrogateescape` rather than `strict`: the locale is C or POSIX, which
/// knows too little, or one of those that replace it.
pub fn is_permissive(name: &Name) -> bool {
    is_c(name) || COERCION_TARGETS.iter().any(|target| target.to_bytes() == name.as_bytes())
}

/// Whether the locale is the C locale under one of its names.
pub fn is_c(name: &Name) -> bool {
    matches!(name.as_bytes(), b"C" | b"POSIX")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(units: &[WChar]) -> &[WChar] {
        units
    }

    #[test]
    fn utf8_keeps_bad_bytes_as_surrogates() {
        let text = decode_as(Encoding::Utf8, b"a\xC3\xA9\xFF\xED\xA0\x80\xF0\x9F\x90\x8D\xC3").unwrap();
        let expected = [0x61, 0xE9, 0xDCFF, 0xDCED, 0xDCA0, 0xDC80, 0x1F40D, 0xDCC3];
        assert_eq!(text.as_slice(), wide(&expected));
        let bytes = encode_as(Encoding::Utf8, text.as_slice()).unwrap();
        assert_eq!(&bytes[..], b"a\xC3\xA9\xFF\xED\xA0\x80\xF0\x9F\x90\x8D\xC3");
    }

    #[test]
    fn ascii_keeps_all_high_bytes_as_surrogates() {
        let text = decode_as(Encoding::Ascii, b"a\xC3\xA9").unwrap();
        assert_eq!(text.as_slice(), wide(&[0x61, 0xDCC3, 0xDCA9]));
        assert_eq!(&encode_as(Encoding::Ascii, text.as_slice()).unwrap()[..], b"a\xC3\xA9");
        let error = encode_as(Encoding::Ascii, &[0x61, 0xE9]).unwrap_err();
        assert_eq!(error, EncodeError::Character(1));
    }

    #[test]
    fn the_library_s_conversion_handles_ascii_in_any_locale() {
        let text = decode_as(Encoding::Library, b"abc").unwrap();
        assert!(text.is("abc"));
        assert_eq!(&encode_as(Encoding::Library, text.as_slice()).unwrap()[..], b"abc");
    }

    #[test]
    fn other_surrogates_cannot_be_encoded() {
        for encoding in [Encoding::Utf8, Encoding::Ascii, Encoding::Library] {
            assert_eq!(encode_as(encoding, &[0xD800]).unwrap_err(), EncodeError::Character(0));
            assert_eq!(encode_as(encoding, &[0x11_0000]).unwrap_err(), EncodeError::Character(0));
        }
    }

    #[test]
    fn names_are_copied_whole_or_not_at_all() {
        assert_eq!(Name::new(b"C").as_c_str(), c"C");
        assert_eq!(Name::new(&[b'x'; 300]), Name::EMPTY);
        assert!(is_permissive(&Name::new(b"C.UTF-8")) && !is_c(&Name::new(b"C.UTF-8")));
        assert!(is_c(&Name::new(b"POSIX")));
    }
}
