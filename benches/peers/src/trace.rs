//! Reading a recorded trace of a program's allocations.
//!
//! Little-endian: `PYATRC2\n`, six words (events, births, slots, peak bytes, end bytes, end blocks), then
//! the events: a byte `op | domain << 2`, and LEB128 numbers: the size (two factors for calloc), and for
//! realloc and free how many blocks were made after the one that is meant (for realloc plus one, zero for
//! a null pointer).

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    Malloc,
    Calloc,
    Realloc,
    Free,
}

/// An event in 8 bytes, so that reading the trace disturbs little.
#[derive(Clone, Copy)]
pub struct Event {
    /// The slot, and above it what is done, and above that in which domain.
    what: u32,
    pub size: u32,
}

const SLOT_BITS: u32 = 26;

impl Event {
    fn new(slot: u32, op: Op, domain: u8, size: u32) -> Option<Self> {
        let what = slot | (op as u32 | u32::from(domain) << 2) << SLOT_BITS;
        (slot >> SLOT_BITS == 0).then_some(Self { what, size })
    }

    #[inline(always)]
    pub fn slot(self) -> usize {
        (self.what & ((1 << SLOT_BITS) - 1)) as usize
    }

    /// The operation in two bits, the domain above.
    #[inline(always)]
    pub fn kind(self) -> u32 {
        self.what >> SLOT_BITS
    }
}

pub struct Trace {
    pub name: String,
    pub events: Vec<Event>,
    /// For each slot the domain of the block that it has at the end.
    pub slots: Vec<u8>,
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
}

impl Trace {
    /// Reads a trace, through `zstd` if the name says so.
    pub fn read(path: &Path) -> Result<Self, String> {
        let mut bytes = Vec::new();
        if path.extension().is_some_and(|e| e == "zst") {
            let child = Command::new("zstd").arg("-qdc").arg(path).stdout(Stdio::piped()).spawn();
            let mut child = child.map_err(|e| format!("zstd: {e}"))?;
            let out = child.stdout.as_mut().expect("a pipe");
            out.read_to_end(&mut bytes).map_err(|e| e.to_string())?;
            child.wait().map_err(|e| e.to_string())?;
        } else {
            bytes = std::fs::read(path).map_err(|e| e.to_string())?;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.split('.').next().unwrap_or_default().to_owned();
        Self::decode(name, &bytes).ok_or_else(|| format!("{} is not a trace", path.display()))
    }

    fn decode(name: String, bytes: &[u8]) -> Option<Self> {
        let (head, mut rest) = bytes.split_at_checked(56)?;
        if !head.starts_with(b"PYATRC2\n") {
            return None;
        }
        let count = u64::from_le_bytes(head[8..16].try_into().ok()?);
        // A slot for each block that lives, the newest free one first.
        let (mut slot_of, mut free, mut slots) = (Vec::new(), Vec::new(), Vec::new());
        let mut events = Vec::with_capacity(usize::try_from(count).ok()?);
        for _ in 0..count {
            let (first, after) = rest.split_first()?;
            rest = after;
            let domain = first >> 2 & 3;
            let op = [Op::Malloc, Op::Calloc, Op::Realloc, Op::Free][usize::from(first & 3)];
            let mut size = 0;
            if op != Op::Free {
                size = number(&mut rest)?;
            }
            let mut old = None;
            match op {
                Op::Malloc => {}
                Op::Calloc => size *= number(&mut rest)?,
                Op::Realloc => old = number(&mut rest)?.checked_sub(1),
                Op::Free => old = Some(number(&mut rest)?),
            }
            let slot = match old {
                Some(age) => slot_of[slot_of.len().checked_sub(1 + usize::try_from(age).ok()?)?],
                None => {
                    let slot = match free.pop() {
                        Some(slot) => slot,
                        None => {
                            slots.push(domain);
                            u32::try_from(slots.len() - 1).ok()?
                        }
                    };
                    slot_of.push(slot);
                    slot
                }
            };
            let op = if op == Op::Realloc && old.is_none() { Op::Malloc } else { op };
            if op == Op::Free {
                free.push(slot);
            }
            slots[slot as usize] = domain;
            events.push(Event::new(slot, op, domain, u32::try_from(size).ok()?)?);
        }
        Some(Self { name, events, slots })
    }
}
