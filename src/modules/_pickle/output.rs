//! What a pickler has written: bytes, from protocol 4 on in frames.
//!
//! A frame begins with an instruction and its length in eight bytes, for which room is left when it is opened. A
//! frame that turns out to be too short for that is written without.

use hognose_allocators::NoMemory;
use hognose_allocators::collections::TryVec;

use super::opcodes::FRAME;

/// Bytes of a frame's beginning.
const HEADER: usize = 9;
/// Shorter frames are not worth it.
const SMALLEST: usize = 4;
/// A frame is closed when it is as long.
pub const TARGET: usize = 64 * 1024;

/// The bytes.
pub struct Output {
    bytes: TryVec<u8>,
    /// Whether what is written goes into frames.
    pub framing: bool,
    frame: Option<usize>,
}

impl Output {
    /// Nothing yet, without memory.
    pub const fn new() -> Output {
        Output { bytes: TryVec::new(), framing: false, frame: None }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.framing = false;
        self.frame = None;
    }

    /// What is there, whose frames are closed.
    pub fn take(&mut self) -> TryVec<u8> {
        debug_assert!(self.frame.is_none());
        self.bytes.take()
    }

    /// Writes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), NoMemory> {
        if self.framing && self.frame.is_none() {
            self.frame = Some(self.bytes.len());
            self.bytes.try_extend_from_copy(&[0; HEADER])?;
        }
        self.bytes.try_extend_from_copy(bytes)
    }

    /// Closes the frame, if one is open.
    pub fn close_frame(&mut self) {
        let Some(start) = self.frame.take() else { return };
        let len = self.bytes.len() - start - HEADER;
        if len >= SMALLEST {
            self.bytes[start] = FRAME;
            self.bytes[start + 1..start + HEADER].copy_from_slice(&(len as u64).to_le_bytes());
        } else {
            self.bytes.copy_within(start + HEADER.., start);
            self.bytes.truncate(start + len);
        }
    }

    /// Whether the frame is as long as it should be.
    pub fn is_full(&self) -> bool {
        self.frame.is_some_and(|start| self.bytes.len() - start - HEADER >= TARGET)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_their_length_in_front() {
        let _heap = crate::text::testing::TestHeap::new();
        let mut output = Output::new();
        output.write(b"ab").unwrap();
        output.framing = true;
        output.write(b"12345").unwrap();
        output.close_frame();
        output.write(b"xyz").unwrap();
        output.close_frame();
        assert_eq!(&output.take()[..], b"ab\x95\x05\0\0\0\0\0\0\x0012345xyz");
    }
}
