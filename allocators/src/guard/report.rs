//! What is printed about a sampled block. Nothing here allocates or takes a lock: it runs in a signal handler.

use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, Ordering};

use super::pool::{self, Slot, State};
use crate::debug::report::{Stderr, Text, fatal};
use crate::domain::Domain;

/// What was found at a free.
#[derive(Clone, Copy)]
pub(super) enum Crime {
    /// The address is not a block's start.
    NoBlock,
    DoubleFree,
    WrongDomain(Domain),
    /// At so many bytes behind the end.
    WrittenBehind(usize),
    /// At so many bytes before the start.
    WrittenBefore(usize),
}

/// Reports what was found at a free, and ends the process.
#[cold]
pub(super) fn crime(crime: Crime, p: *mut u8) -> ! {
    let mut text = Text::new();
    match crime {
        Crime::NoBlock => text.put(format_args!("{p:p} is not the address of a block")),
        Crime::DoubleFree => text.put(format_args!("double free: the block was already freed")),
        Crime::WrongDomain(called) => {
            text.put(format_args!("wrong domain: the block was freed by the functions of {}", family(called)));
        }
        Crime::WrittenBehind(n) => {
            text.put(format_args!("buffer overflow: written {n} bytes after the end of the block"));
        }
        Crime::WrittenBefore(n) => {
            text.put(format_args!("buffer underflow: written {n} bytes before the start of the block"));
        }
    }
    // A failed write to standard error cannot be reported anywhere.
    let _ = describe(p, &mut Stderr);
    fatal("guard", text.as_str())
}

fn family(domain: Domain) -> &'static str {
    if domain == Domain::Raw { "raw" } else { "mem and obj" }
}

/// How memory was accessed.
#[derive(Clone, Copy)]
pub(super) enum Access {
    Read,
    Write,
    Unknown,
}

/// Reports an access to a slot that the processor has refused. The caller ends the process.
pub(super) fn fault(at: *mut u8, access: Access) {
    static REPORTED: AtomicBool = AtomicBool::new(false);
    if !REPORTED.swap(true, Ordering::AcqRel) {
        let _ = write_fault(at, access, &mut Stderr);
    }
}

fn write_fault(at: *mut u8, access: Access, out: &mut Stderr) -> fmt::Result {
    let access = match access {
        Access::Read => "read",
        Access::Write => "write",
        Access::Unknown => "access",
    };
    let slot = pool::slot_for_report(at);
    let what = match slot {
        Some(slot) if slot.state == State::Freed => "use after free",
        Some(slot) if at >= slot.p => "buffer overflow",
        Some(_) => "buffer underflow",
        None => "access to memory that is no block's",
    };
    writeln!(out, "Guard: {what}: {access} at address {at:p}")?;
    if let Some(slot) = slot {
        let (at, p) = (at as usize, slot.p as usize);
        match at.checked_sub(p) {
            None => writeln!(out, "    {} bytes before the start of the block below", p - at)?,
            Some(offset) if offset < slot.size => writeln!(out, "    at offset {offset} of the block below")?,
            Some(offset) => writeln!(out, "    {} bytes after the end of the block below", offset - slot.size)?,
        }
        write_slot(slot, out)?;
    }
    writeln!(out)
}

fn describe(p: *mut u8, out: &mut Stderr) -> fmt::Result {
    match pool::slot_for_report(p) {
        Some(slot) => write_slot(slot, out)?,
        None => writeln!(out, "Guarded memory at address {p:p}: no block was ever there")?,
    }
    writeln!(out)
}

fn write_slot(slot: &Slot, out: &mut Stderr) -> fmt::Result {
    let (p, size) = (slot.p, slot.size);
    write!(out, "Guarded memory block at address p={p:p}: {size} bytes of the {} domain", slot.domain.as_str())?;
    if slot.label >= 0 {
        write!(out, ", interpreter {}", slot.label)?;
    }
    writeln!(out)?;
    slot.allocated.write("Allocated", out)?;
    if slot.state == State::Freed {
        slot.freed.write("Freed", out)?;
    }
    Ok(())
}
