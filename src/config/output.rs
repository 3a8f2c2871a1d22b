//! Text to standard output and standard error before there are Python streams.
//!
//! Goes straight to the file descriptor through a small buffer on the stack: no allocation, and nothing
//! that stays behind after finalization.

use core::ffi::c_int;
use core::fmt;

const CAPACITY: usize = 512;

/// A writer on a file descriptor; what it holds is written when it is dropped.
pub struct Output {
    fd: c_int,
    used: usize,
    buffer: [u8; CAPACITY],
}

impl Output {
    /// Standard output.
    pub const fn stdout() -> Self {
        Self { fd: 1, used: 0, buffer: [0; CAPACITY] }
    }

    /// Standard error.
    pub const fn stderr() -> Self {
        Self { fd: 2, used: 0, buffer: [0; CAPACITY] }
    }

    /// Any descriptor.
    pub const fn descriptor(fd: c_int) -> Self {
        Self { fd, used: 0, buffer: [0; CAPACITY] }
    }

    /// Writes what is buffered. A failed write loses the text, as there is no place to report it.
    pub fn flush(&mut self) {
        let mut rest = &self.buffer[..self.used];
        while !rest.is_empty() {
            // SAFETY: pointer and length are those of a live slice.
            let written = unsafe { libc::write(self.fd, rest.as_ptr().cast(), rest.len()) };
            match usize::try_from(written) {
                Ok(0) => break,
                Ok(n) => rest = &rest[n.min(rest.len())..],
                Err(_) if std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.used = 0;
    }

    /// Adds bytes, such as a file name that is not UTF-8.
    pub fn write_bytes(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.used == CAPACITY {
                self.flush();
            }
            let n = bytes.len().min(CAPACITY - self.used);
            self.buffer[self.used..self.used + n].copy_from_slice(&bytes[..n]);
            self.used += n;
            bytes = &bytes[n..];
        }
    }
}

impl fmt::Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write_bytes(text.as_bytes());
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Bytes that are probably UTF-8, for a message; what is not is shown as U+FFFD.
pub struct Lossy<'a>(pub &'a [u8]);

impl fmt::Display for Lossy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_str("\u{FFFD}")?;
            }
        }
        Ok(())
    }
}
