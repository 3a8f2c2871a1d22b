//! Where a block was allocated or freed: the Python stack if there is one, and the native one.
//!
//! Taken when a block is sampled, so it may cost some microseconds; nothing here allocates.

use core::ffi::c_void;
use core::fmt::{self, Write};
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

/// Writes the Python stack of the calling thread, a line for each frame, the innermost first; false, and nothing
/// written, if it has none. Must not allocate.
pub type StackWriter = fn(&mut dyn Write) -> bool;

static WRITER: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Says how the Python stack is written; `None` for a process without one.
pub fn set_stack_writer(writer: Option<StackWriter>) {
    WRITER.store(writer.map_or(ptr::null_mut(), |f| f as *mut ()), Ordering::Release);
}

const FRAMES: usize = 24;
const TEXT: usize = 1024;
/// Frames of this crate, which say nothing.
const OWN_FRAMES: usize = 2;

/// A traceback, as text and addresses.
pub(super) struct Trace {
    thread: i32,
    text_len: usize,
    frame_count: usize,
    frames: [usize; FRAMES],
    text: [u8; TEXT],
}

unsafe extern "C" {
    fn _Unwind_Backtrace(step: unsafe extern "C" fn(*mut c_void, *mut c_void) -> i32, arg: *mut c_void) -> i32;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
}

struct Steps<'a> {
    frames: &'a mut [usize; FRAMES],
    seen: usize,
}

unsafe extern "C" fn step(context: *mut c_void, arg: *mut c_void) -> i32 {
    const GO_ON: i32 = 0;
    const END: i32 = 5;
    // SAFETY: `take` passes such a struct, for the time of the walk; the context is the unwinder's.
    let (steps, ip) = unsafe { (&mut *arg.cast::<Steps<'_>>(), _Unwind_GetIP(context)) };
    if ip == 0 {
        return END;
    }
    if steps.seen >= OWN_FRAMES {
        let Some(slot) = steps.frames.get_mut(steps.seen - OWN_FRAMES) else { return END };
        *slot = ip;
    }
    steps.seen += 1;
    GO_ON
}

/// A text in a fixed room; what does not fit is cut off at a line's end.
struct Room<'a> {
    bytes: &'a mut [u8; TEXT],
    len: usize,
    full: bool,
}

impl Write for Room<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = TEXT - self.len;
        if text.len() > room {
            self.full = true;
        }
        let n = text.len().min(room);
        self.bytes[self.len..self.len + n].copy_from_slice(&text.as_bytes()[..n]);
        self.len += n;
        if self.full { Err(fmt::Error) } else { Ok(()) }
    }
}

impl Trace {
    /// The calling thread's stacks.
    #[inline(never)]
    pub(super) fn take(&mut self) {
        // SAFETY: a call without arguments, which gives a number.
        self.thread = unsafe { libc::gettid() };
        self.text_len = 0;
        let writer = WRITER.load(Ordering::Acquire);
        if !writer.is_null() {
            // SAFETY: only `set_stack_writer` stores here, and it stores such a function.
            let writer = unsafe { core::mem::transmute::<*mut (), StackWriter>(writer) };
            let mut room = Room { bytes: &mut self.text, len: 0, full: false };
            if writer(&mut room) || room.len != 0 {
                self.text_len = if room.full {
                    room.bytes[..room.len].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
                } else {
                    room.len
                };
            }
        }
        self.frame_count = 0;
        if self.text_len != 0 {
            return;
        }
        let mut steps = Steps { frames: &mut self.frames, seen: 0 };
        // SAFETY: the function fits the argument; the unwinder only reads the stack.
        unsafe { _Unwind_Backtrace(step, (&raw mut steps).cast()) };
        self.frame_count = steps.seen.saturating_sub(OWN_FRAMES);
    }

    pub(super) fn clear(&mut self) {
        self.thread = 0;
        self.text_len = 0;
        self.frame_count = 0;
    }

    /// Writes it: the Python frames, or the native ones where there are none.
    pub(super) fn write(&self, what: &str, out: &mut dyn Write) -> fmt::Result {
        if self.thread == 0 {
            return writeln!(out, "{what}: not known");
        }
        writeln!(out, "{what} by thread {} (most recent call first):", self.thread)?;
        if self.text_len != 0 {
            return out.write_str(core::str::from_utf8(&self.text[..self.text_len]).unwrap_or("  (unreadable)\n"));
        }
        for ip in &self.frames[..self.frame_count] {
            write_address(*ip, out)?;
        }
        if self.frame_count == 0 {
            writeln!(out, "  (no frames)")?;
        }
        Ok(())
    }
}

/// Writes a return address with its file and symbol.
fn write_address(ip: usize, out: &mut dyn Write) -> fmt::Result {
    let mut info = core::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: room for the answer, which is zeroed: four pointers. The address of the call lies before the return's.
    let (found, info) = unsafe { (libc::dladdr((ip - 1) as *const c_void, info.as_mut_ptr()), info.assume_init()) };
    write!(out, "  0x{ip:016x}")?;
    if found != 0 {
        let text = |p: *const core::ffi::c_char| {
            if p.is_null() {
                return "?";
            }
            // SAFETY: names that the loader keeps.
            unsafe { core::ffi::CStr::from_ptr(p) }.to_str().unwrap_or("?")
        };
        write!(out, " in {}", text(info.dli_sname))?;
        if !info.dli_saddr.is_null() {
            write!(out, "+0x{:x}", ip - info.dli_saddr as usize)?;
        }
        write!(out, " ({}+0x{:x})", text(info.dli_fname), ip.wrapping_sub(info.dli_fbase as usize))?;
    }
    writeln!(out)
}
