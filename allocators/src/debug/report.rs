//! What is printed when a check fails. Nothing here allocates: memory is what is damaged.

use core::fmt::{self, Write};
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::{FORBIDDEN_BYTE, TAIL, requested_size};
use crate::domain::Domain;

/* ---- The end ---- */

static FATAL: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
static TRACEBACK: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Says how a fatal error is reported: with the function's name and the message. Without it, one line
/// goes to standard error and the process aborts.
pub fn set_fatal_handler(handler: fn(&str, &str) -> !) {
    FATAL.store(handler as *mut (), Ordering::Release);
}

/// Says how the traceback of a block's allocation is printed to standard error; the function returns
/// false if none is known.
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
struct Stderr;

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

fn describe(domain: Domain, p: *mut u8) {
    // A failed write to standard error cannot be reported anywhere.
    let _ = try_describe(domain, p);
}

fn try_describe(domain: Domain, p: *mut u8) -> fmt::Result {
    let mut out = Stderr;
    // SAFETY: the caller read the head already.
    let (head, n) = unsafe { (p.sub(8).cast::<[u8; 8]>().read(), requested_size(p)) };
    writeln!(out, "Debug memory block at address p={p:p}: API '{}'", Letter(head[0]))?;
    writeln!(out, "    {n} bytes originally requested")?;
    if head[1..] == [FORBIDDEN_BYTE; 7] {
        writeln!(out, "    The 7 pad bytes at p-7 are FORBIDDENBYTE, as expected.")?;
    } else {
        writeln!(out, "    The 7 pad bytes at p-7 are not all FORBIDDENBYTE (0xfd):")?;
        for (i, byte) in head[1..].iter().enumerate() {
            writeln!(out, "        at p-{}: 0x{byte:02x}{}", 7 - i, ouch(*byte))?;
        }
        writeln!(out, "    Because memory is corrupted at the start, the count of bytes requested")?;
        writeln!(out, "       may be bogus, and checking the trailing pad bytes may segfault.")?;
    }
    let tail = p.wrapping_add(n);
    if !is_mapped(p, n.saturating_add(TAIL)) {
        writeln!(out, "    The 8 pad bytes at tail={tail:p} are outside the process's memory.")?;
        writeln!(out)?;
        return print_traceback(&mut out, domain, p);
    }
    // SAFETY: the range is mapped, as just asked.
    let guard = unsafe { tail.cast::<[u8; TAIL]>().read() };
    if guard == [FORBIDDEN_BYTE; TAIL] {
        writeln!(out, "    The 8 pad bytes at tail={tail:p} are FORBIDDENBYTE, as expected.")?;
    } else {
        writeln!(out, "    The 8 pad bytes at tail={tail:p} are not all FORBIDDENBYTE (0xfd):")?;
        for (i, byte) in guard.iter().enumerate() {
            writeln!(out, "        at tail+{i}: 0x{byte:02x}{}", ouch(*byte))?;
        }
    }
    if n > 0 {
        write!(out, "    Data at p:")?;
        let hex = |out: &mut Stderr, from: usize, to: usize| -> fmt::Result {
            for i in from..to {
                // SAFETY: inside the user's bytes, which are mapped.
                write!(out, " {:02x}", unsafe { p.add(i).read() })?;
            }
            Ok(())
        };
        if n <= 16 {
            hex(&mut out, 0, n)?;
        } else {
            hex(&mut out, 0, 8)?;
            write!(out, " ...")?;
            hex(&mut out, n - 8, n)?;
        }
        writeln!(out)?;
    }
    writeln!(out)?;
    print_traceback(&mut out, domain, p)
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
    if !printed {
        writeln!(out, "Enable tracemalloc to get the memory block allocation traceback")?;
        writeln!(out)?;
    }
    Ok(())
}

fn ouch(byte: u8) -> &'static str {
    if byte == FORBIDDEN_BYTE { "" } else { " *** OUCH" }
}

/// Whether `n` bytes at `p` can be read: a size out of a damaged head may lead anywhere. Only the
/// ends are asked for: what is between them is not read.
pub(super) fn is_mapped(p: *mut u8, n: usize) -> bool {
    const OS_PAGE: usize = 4096;
    let Some(last) = (p as usize).checked_add(n) else {
        return false;
    };
    [p as usize, last - 1].iter().all(|at| {
        let page = (at & !(OS_PAGE - 1)) as *mut libc::c_void;
        let mut residence = 0u8;
        // SAFETY: one page is asked for, and the vector has room for one answer.
        unsafe { libc::mincore(page, 1, (&raw mut residence).cast()) == 0 }
    })
}
