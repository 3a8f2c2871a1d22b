//! Panics: a broken invariant of ours. Its text is kept for the error that comes of it, and never printed as Rust does:
//! a border to C makes it a SystemError, and what nobody catches is a fatal error.
//!
//! The text is held in a place of fixed size, so that telling needs no memory. A Rust program that links the runtime as
//! a crate keeps its own hook: only the command and the C interface set this one.

use core::fmt::{self, Write};
use std::sync::Once;

use crate::sync::{Locked, RawLock};

const CAPACITY: usize = 400;

/// The text of a panic, cut where it is too long.
#[derive(Clone, Copy)]
pub struct PanicText {
    bytes: [u8; CAPACITY],
    len: usize,
}

impl PanicText {
    const EMPTY: PanicText = PanicText { bytes: [0; CAPACITY], len: 0 };

    /// The text.
    pub fn as_str(&self) -> &str {
        let bytes = &self.bytes[..self.len];
        match core::str::from_utf8(bytes) {
            Ok(text) => text,
            // It was cut inside a character.
            Err(error) => core::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or(""),
        }
    }
}

impl Write for PanicText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.len..];
        let count = room.len().min(text.len());
        room[..count].copy_from_slice(&text.as_bytes()[..count]);
        self.len += count;
        Ok(())
    }
}

/// How the texts of those panics begin that end the process without unwinding.
const FINAL: [&str; 5] = [
    "misaligned pointer dereference",
    "null pointer dereference",
    "panic in a destructor",
    "panic in a function that cannot unwind",
    "unsafe precondition(s) violated",
];

static LAST: Locked<PanicText> = Locked::new(PanicText::EMPTY);

/// The lock of the text, for the time of a fork.
pub(super) fn lock() -> &'static RawLock {
    &LAST.lock
}

/// The text of the process's last panic.
pub fn last() -> PanicText {
    *LAST.lock()
}

/// Has panics pass in silence from here on, each with its text kept for [`last`].
pub fn install() {
    static ONCE: Once = Once::new();
    if std::thread::panicking() {
        // The hook cannot be changed now; the next call will.
        return;
    }
    ONCE.call_once(|| {
        #[allow(clippy::disallowed_types, reason = "the standard library's hook is a Box; this one has no contents")]
        std::panic::set_hook(std::boxed::Box::new(|info| {
            let mut text = PanicText::EMPTY;
            let _ = text.write_str(info.payload_as_str().unwrap_or("no reason given"));
            if let Some(place) = info.location() {
                let _ = write!(text, " ({}:{})", place.file(), place.line());
            }
            *LAST.lock() = text;
            if FINAL.iter().any(|start| text.as_str().starts_with(start)) {
                // Nobody can catch it: this is the last chance to say it.
                fatal("");
            }
        }));
    });
}

/// Ends the process for a panic that nobody has caught.
#[cold]
pub fn fatal(function: &str) -> ! {
    let text = last();
    super::fatal::fatal_error(function, text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let mut text = PanicText::EMPTY;
        for _ in 0..CAPACITY {
            text.write_str("é").unwrap();
        }
        assert_eq!(text.as_str().chars().count(), CAPACITY / 2);
        text = PanicText::EMPTY;
        write!(text, "a{}", "é".repeat(CAPACITY)).unwrap();
        assert!(text.as_str().ends_with('é') && text.as_str().len() < CAPACITY);
    }
}
