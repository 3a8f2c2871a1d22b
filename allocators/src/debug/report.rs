//! What is printed when a check fails. Nothing here allocates: memory is what is damaged.

use core::fmt::{self, Write};
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::{FORBIDDEN_BYTE, HEAD, TAIL, peek};
use crate::domain::Domain;

/* ---- The end ---- */

static FATAL: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
static TRACEBACK: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Says how a fatal error is reported: with the function's name and the message. Without it, one line
/// goes to standard error and the process aborts.
pub fn set_fatal_handler(handler: fn(&str, &str) -> !) {
    FATAL.store(handler as *mut (), Ordering::Release);
}

/// Says how the traceback of a block's allocation is printed. The function gets the user's address, writes "Memory block
/// allocated at (most recent call first):", a line for each frame and an empty one to standard error, and must not
/// allocate; it returns false, with nothing written, if it knows none.
pub fn set_traceback_printer(printer: fn(Domain, *mut u8) -> bool) {
    TRACEBACK.store(printer as *mut (), Ordering::Release);
}

/// Ends the process with a report.
pub fn fatal(function: &str, message: &str) -> ! {
    let handler = FATAL.load(Ordering::Acquire);
    if handler.is_null() {
        let mut out = Stderr;
        let _ = writeln!(out, "Fatal Python error: {function}: {message}");
        // SAFETY: `abort` has no preconditions.
        unsafe { libc::abort() }
    }
    // SAFETY: only `set_fatal_handler` stores here, and it stores such a function.
    let handler = unsafe { core::mem::transmute::<*mut (), fn(&str, &str) -> !>(handler) };
    handler(function, message)
}

/* ---- Writing without memory ---- */

/// Standard error, unbuffered.
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            // SAFETY: the buffer is valid for its length.
            let n = unsafe { libc::write(2, rest.as_ptr().cast(), rest.len()) };
            let Ok(n) = usize::try_from(n) else {
                return Err(fmt::Error);
            };
            rest = &rest[n..];
        }
        Ok(())
    }
}

/// A short text on the stack; what does not fit is cut off.
pub(crate) struct Text {
    bytes: [u8; 256],
    len: usize,
}

impl Text {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; 256], len: 0 }
    }

    pub(crate) fn put(&mut self, arguments: fmt::Arguments<'_>) {
        let _ = self.write_fmt(arguments);
    }

    pub(crate) fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..self.len]).unwrap_or("(unreadable)")
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut n = text.len().min(self.bytes.len() - self.len);
        while !text.is_char_boundary(n) {
            n -= 1;
        }
        self.bytes[self.len..self.len + n].copy_from_slice(&text.as_bytes()[..n]);
        self.len += n;
        Ok(())
    }
}

/// The letter as it is printed: a byte that is no ASCII character is shown as its number.
struct Letter(u8);

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_ascii_graphic() { f.write_char(char::from(self.0)) } else { write!(f, "\\x{:02x}", self.0) }
    }
}

/* ---- The reports ---- */

/// What is wrong with a block.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// The letter that was found, and whether the block looks like one that was freed.
    Id(u8, bool),
    Leading,
    Trailing,
    /// The labels of the heap that has the block, and of the one that is attached.
    Interpreter(i64, i64),
}

/// Reports a damaged or misplaced block and ends the process.
#[cold]
pub(crate) fn bad_block(function: &str, domain: Domain, p: *mut u8, fault: Fault) -> ! {
    describe(domain, p);
    let mut text = Text::new();
    match fault {
        Fault::Id(_, true) => {
            text.put(format_args!("double free: the block was already freed"));
        }
        Fault::Id(found, false) => text.put(format_args!(
            "bad ID: Allocated using API '{}', verified using API '{}'",
            Letter(found),
            Letter(domain.letter())
        )),
        Fault::Leading => text.put(format_args!("bad leading pad byte")),
        Fault::Trailing => text.put(format_args!("bad trailing pad byte")),
        Fault::Interpreter(owner, here) => {
            text.put(format_args!("bad interpreter: the block belongs to interpreter {owner}, not to {here}"))
        }
    }
    fatal(function, text.as_str())
}

/// Reports a block whose interpreter is gone and ends the process. The block cannot be described: its
/// memory went back to the system.
#[cold]
pub(crate) fn late(function: &str, domain: Domain, p: *mut u8) -> ! {
    let mut text = Text::new();
    text.put(format_args!(
        "late free: the block at {p:p} (API '{}') is not in use by any interpreter; it was freed, or \
         its interpreter was finalized",
        Letter(domain.letter())
    ));
    fatal(function, text.as_str())
}

/// Reports the second free of a block that was so large that its memory is gone, and ends the process.
#[cold]
pub(crate) fn unmapped(function: &str, domain: Domain, p: *mut u8) -> ! {
    let mut text = Text::new();
    text.put(format_args!(
        "double free: the block at {p:p} (API '{}') was already freed, and its memory went back to the \
         system",
        Letter(domain.letter())
    ));
    fatal(function, text.as_str())
}

/// Reports an address where no block can be, because nothing can be read there, and ends the process.
#[cold]
pub(crate) fn unreadable(function: &str, domain: Domain, p: *mut u8) -> ! {
    let mut text = Text::new();
    text.put(format_args!(
        "bad pointer: {p:p} (verified using API '{}') is no block's address: there is no memory that could be read",
        Letter(domain.letter())
    ));
    fatal(function, text.as_str())
}

fn describe(domain: Domain, p: *mut u8) {
    // A failed write to standard error cannot be reported anywhere.
    let _ = try_describe(domain, p);
}

fn try_describe(domain: Domain, p: *mut u8) -> fmt::Result {
    let mut out = Stderr;
    let Some(head) = peek::bytes::<HEAD>(p.wrapping_sub(HEAD)) else {
        return writeln!(out, "Debug memory block at address p={p:p}: its head cannot be read");
    };
    let [size @ .., _, _, _, _, _, _, _, _] = head;
    let n = usize::from_be_bytes(size);
    writeln!(out, "Debug memory block at address p={p:p}: API '{}'", Letter(head[8]))?;
    writeln!(out, "    {n} bytes originally requested")?;
    if head[9..] == [FORBIDDEN_BYTE; 7] {
        writeln!(out, "    The 7 pad bytes at p-7 are FORBIDDENBYTE, as expected.")?;
    } else {
        writeln!(out, "    The 7 pad bytes at p-7 are not all FORBIDDENBYTE (0xfd):")?;
        for (i, byte) in head[9..].iter().enumerate() {
            writeln!(out, "        at p-{}: 0x{byte:02x}{}", 7 - i, ouch(*byte))?;
        }
        writeln!(out, "    Because memory is corrupted at the start, the count of bytes requested")?;
        writeln!(out, "       may be bogus, and checking the trailing pad bytes may segfault.")?;
    }
    let tail = p.wrapping_add(n);
    match peek::bytes::<TAIL>(tail) {
        Some(guard) if guard == [FORBIDDEN_BYTE; TAIL] => {
            writeln!(out, "    The 8 pad bytes at tail={tail:p} are FORBIDDENBYTE, as expected.")?;
        }
        Some(guard) => {
            writeln!(out, "    The 8 pad bytes at tail={tail:p} are not all FORBIDDENBYTE (0xfd):")?;
            for (i, byte) in guard.iter().enumerate() {
                writeln!(out, "        at tail+{i}: 0x{byte:02x}{}", ouch(*byte))?;
            }
        }
        None => writeln!(out, "    The 8 pad bytes at tail={tail:p} cannot be read.")?,
    }
    if n > 0 {
        write!(out, "    Data at p:")?;
        if n <= 16 {
            hex(&mut out, p, n)?;
        } else {
            hex(&mut out, p, 8)?;
            write!(out, " ...")?;
            hex(&mut out, tail.wrapping_sub(8), 8)?;
        }
        writeln!(out)?;
    }
    writeln!(out)?;
    print_traceback(&mut out, domain, p)
}

/// Writes `n` bytes; `??` for one that cannot be read.
fn hex(out: &mut Stderr, from: *mut u8, n: usize) -> fmt::Result {
    for i in 0..n {
        match peek::bytes::<1>(from.wrapping_add(i)) {
            Some([byte]) => write!(out, " {byte:02x}")?,
            None => write!(out, " ??")?,
        }
    }
    Ok(())
}

fn print_traceback(out: &mut Stderr, domain: Domain, p: *mut u8) -> fmt::Result {
    let printer = TRACEBACK.load(Ordering::Acquire);
    let printed = if printer.is_null() {
        false
    } else {
        // SAFETY: only `set_traceback_printer` stores here, and it stores such a function.
        let printer = unsafe { core::mem::transmute::<*mut (), fn(Domain, *mut u8) -> bool>(printer) };
        printer(domain, p)
    };
    if printed {
        return Ok(());
    }
    writeln!(out, "Enable tracemalloc to get the memory block allocation traceback")?;
    writeln!(out)
}

fn ouch(byte: u8) -> &'static str {
    if byte == FORBIDDEN_BYTE { "" } else { " *** OUCH" }
}
