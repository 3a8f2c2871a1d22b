//! `BufferedReader`, `BufferedWriter` and `BufferedRandom`: a buffer before a raw stream; and a pair of them.
//!
//! The three share one object and one buffer, which holds a piece of the file:
//!
//! ```text
//!            0        write_pos   pos        write_end    read_end       size
//!  buffer    ├───────────┼──────────┼────────────┼────────────┼───────────┤
//!                        └─ to be written ───────┘
//!                                   └─ to be read ────────────┘
//!  raw_pos: where in the buffer the raw stream stands
//! ```
//!
//! | file | what |
//! |---|---|
//! | `mod` | the object, its raw stream, closing |
//! | `read` | reading |
//! | `write` | writing |
//! | `position` | `seek`, `tell`, `truncate` |
//! | `types` | the three types |
//! | `pair` | `BufferedRWPair` |
//!
//! I1: `read_end` is -1 while the buffer holds nothing that was read, `write_end` while nothing waits to be written.
//! I2: 0 <= `pos` <= size, and `pos` <= `read_end` while that is not -1.
//! I3: while `busy` is set a method is at work on the buffer. Another thread's waits for its turn; one of the same
//! thread, which comes from a signal's handler or the raw stream, is refused.
//! I4: the buffer takes memory when the first bytes go through it. Without memory, bytes are written past it.

mod pair;
mod position;
mod read;
mod types;
mod write;

use core::cell::{Cell, UnsafeCell};
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicU32, Ordering};

use hognose_allocators::NoMemory;
use hognose_allocators::collections::TryVec;

pub use pair::BUFFERED_RW_PAIR_TYPE;
pub(super) use read::find_newline;
pub use types::{BUFFERED_RANDOM_TYPE, BUFFERED_READER_TYPE, BUFFERED_WRITER_TYPE};

use super::base::{self, PyIOBase};
use super::fileio::{FILEIO_TYPE, PyFileIO};
use super::util::*;
use crate::object::{
    Args, AsObject, Native, PyObject, PyRef, PyResult, PyTypeObject, Signature, Slot, Visitor, alloc, attr, call,
    protocol,
};
use crate::state::{ThreadState, attach, threads};
use crate::sync::futex;
use crate::types::bool::py_bool;
use crate::types::bytearray::PyByteArray;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::{id, raise};

/// A stream with a buffer.
#[repr(C)]
pub struct PyBuffered {
    base: PyIOBase,
    raw: Slot<PyObject>,
    /// Initialized, and neither detached nor failed.
    ok: Cell<bool>,
    detached: Cell<bool>,
    readable: Cell<bool>,
    writable: Cell<bool>,
    /// The raw stream is exactly a FileIO and this exactly one of our types: no Python code in between.
    native: Cell<bool>,
    /// I3, and the id of the thread state whose method is at work.
    busy: Cell<bool>,
    owner: Cell<u64>,
    /// How many threads wait for their turn, on `turns`, which changes when a method is done.
    waiters: Cell<u32>,
    turns: AtomicU32,
    /// The raw stream's position in the file, -1 while unknown.
    abs_pos: Cell<i64>,
    pos: Cell<isize>,
    raw_pos: Cell<isize>,
    read_end: Cell<isize>,
    write_pos: Cell<isize>,
    write_end: Cell<isize>,
    /// How large the buffer is; 0 before there is a raw stream, and when it is closed.
    size: Cell<usize>,
    /// I4.
    buffer: UnsafeCell<TryVec<u8>>,
}

// SAFETY: the struct is `repr(C)` and begins with the header; only the three types and their subtypes have it.
unsafe impl Native for PyBuffered {
    fn type_object() -> &'static PyTypeObject {
        &BUFFERED_READER_TYPE
    }
    #[inline]
    fn check(object: &PyObject) -> bool {
        let typ = object.ob_type();
        [&BUFFERED_READER_TYPE, &BUFFERED_WRITER_TYPE, &BUFFERED_RANDOM_TYPE]
            .iter()
            .any(|base| core::ptr::eq(typ, &raw const base.object) || typ.is_subtype(base))
    }
}

/// While it lives, a method is at work on the buffer (I3).
struct Busy<'a>(&'a PyBuffered);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let this = self.0;
        this.busy.set(false);
        if this.waiters.get() != 0 {
            this.turns.fetch_add(1, Ordering::Release);
            futex::wake(&raw const this.turns, 1);
        }
    }
}

#[inline(always)]
fn buffered(object: &PyObject) -> &PyBuffered {
    debug_assert!(<PyBuffered as Native>::check(object));
    // SAFETY: the methods and slots of the three types are called with their instances only.
    unsafe { &*object.as_ptr().cast::<PyBuffered>() }
}

fn new(ts: &ThreadState, typ: &PyTypeObject, _args: Args<'_>) -> PyResult {
    let size = typ.basicsize();
    debug_assert!(size >= size_of::<PyBuffered>());
    let object = alloc::object::<PyObject>(ts, typ)?;
    let this = object.as_ptr().cast::<PyBuffered>();
    // SAFETY: the type's instances are at least that large; the zeroed field is written before anyone reads it.
    unsafe { (&raw mut (*this).buffer).write(UnsafeCell::new(TryVec::new())) };
    track(ts, &object);
    Ok(object)
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: a dealloc slot is called with an object of its type that has come to its end.
    unsafe {
        // A finalizer of this very object shall not take it for usable half-way.
        (*object.cast::<PyBuffered>()).base.finalizing.set(true);
        base::end(ts, object, |object| {
            let this = buffered(object);
            this.ok.set(false);
            this.raw.set(None);
            // Nobody uses the buffer any more.
            drop(core::mem::replace(&mut *this.buffer.get(), TryVec::new()));
        });
    }
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    let this = buffered(object);
    visitor.slot(&this.raw)?;
    this.base.traverse(visitor)
}

fn clear(_ts: &ThreadState, object: &PyObject) {
    let this = buffered(object);
    this.ok.set(false);
    this.raw.set(None);
    this.base.clear();
}

/// `__init__` of the three.
fn init_with(ts: &ThreadState, object: &PyObject, args: Args<'_>, readable: bool, writable: bool) -> PyResult<()> {
    static READER: Signature<2> = Signature::new("BufferedReader", ["raw", "buffer_size"], 0, 2, 1);
    static WRITER: Signature<2> = Signature::new("BufferedWriter", ["raw", "buffer_size"], 0, 2, 1);
    static RANDOM: Signature<2> = Signature::new("BufferedRandom", ["raw", "buffer_size"], 0, 2, 1);
    let signature = match (readable, writable) {
        (true, true) => &RANDOM,
        (true, false) => &READER,
        _ => &WRITER,
    };
    let [raw, size] = signature.parse(ts, args)?;
    let Some(raw) = raw else { return raise!(ts, exc::TypeError, "a raw stream is needed") };
    let size = size.map_or(Ok(DEFAULT_BUFFER_SIZE as isize), |size| protocol::as_isize(ts, size))?;
    let this = buffered(object);
    this.ok.set(false);
    this.detached.set(false);
    if readable && writable {
        check_seekable(ts, raw)?;
    }
    if readable {
        check_readable(ts, raw)?;
    }
    if writable {
        check_writable(ts, raw)?;
    }
    this.readable.set(readable);
    this.writable.set(writable);
    if size <= 0 {
        return raise!(ts, exc::ValueError, "buffer size must be strictly positive");
    }
    if this.busy.get() {
        return this.refuse(ts);
    }
    this.raw.set(Some(raw.new_ref()));
    this.give_memory_back();
    this.size.set(size as usize);
    this.pos.set(0);
    this.raw_pos.set(0);
    this.abs_pos.set(0);
    this.read_end.set(-1);
    this.write_pos.set(0);
    this.write_end.set(-1);
    this.native.set(
        is_exactly(raw, &FILEIO_TYPE)
            && (is_exactly(object, &BUFFERED_READER_TYPE)
                || is_exactly(object, &BUFFERED_WRITER_TYPE)
                || is_exactly(object, &BUFFERED_RANDOM_TYPE)),
    );
    // A stream without a position says so here; that is not an error yet.
    if let Err(raised) = this.raw_tell(ts) {
        ts.clear_raised(raised);
    }
    this.ok.set(true);
    Ok(())
}

impl PyBuffered {
    #[inline(always)]
    fn size(&self) -> usize {
        self.size.get()
    }

    /// Sees that the buffer has its memory (I4).
    #[inline]
    fn have_memory(&self) -> Result<(), NoMemory> {
        // SAFETY: the length of the vector is read, nothing else.
        if unsafe { (*self.buffer.get()).len() } == self.size() {
            return Ok(());
        }
        let memory = TryVec::try_zeroed(self.size())?;
        // SAFETY: nobody has a view of a buffer without memory.
        unsafe { *self.buffer.get() = memory };
        Ok(())
    }

    /// There is no buffer any more. The object is not busy.
    fn give_memory_back(&self) {
        self.size.set(0);
        // SAFETY: nobody uses the buffer.
        drop(unsafe { core::mem::replace(&mut *self.buffer.get(), TryVec::new()) });
    }

    /// Where the buffer's byte `at` is.
    #[inline(always)]
    fn place(&self, at: usize) -> *mut u8 {
        debug_assert!(at <= self.size());
        // SAFETY: the vector's memory stays while the object is busy or runs no Python code.
        unsafe { (*self.buffer.get()).as_mut_ptr().wrapping_add(at) }
    }

    /// Bytes of the buffer; for as long as nothing runs that could change it.
    ///
    /// # Safety
    /// The buffer is neither written nor replaced while the result is used.
    #[inline(always)]
    unsafe fn bytes(&self, from: usize, to: usize) -> &[u8] {
        // SAFETY: the caller's promise.
        unsafe { &(&*self.buffer.get())[from..to] }
    }

    /// Copies bytes into the buffer.
    #[inline]
    fn store(&self, at: usize, bytes: &[u8]) {
        assert!(at + bytes.len() <= self.size(), "past the end of the buffer");
        // SAFETY: there is room; the source is another object's memory, or a part of the buffer itself.
        unsafe { core::ptr::copy(bytes.as_ptr(), self.place(at), bytes.len()) };
    }

    /// Copies bytes of the buffer out.
    ///
    /// # Safety
    /// `to` has room for `count` bytes.
    #[inline]
    unsafe fn load(&self, at: usize, to: *mut u8, count: usize) {
        assert!(at + count <= self.size(), "past the end of the buffer");
        // SAFETY: the caller's promise, and the assertion.
        unsafe { core::ptr::copy(self.place(at), to, count) };
    }

    /// Fails unless the object is usable.
    #[inline(always)]
    fn check(&self, ts: &ThreadState) -> PyResult<()> {
        if !self.ok.get() {
            return self.not_usable(ts);
        }
        Ok(())
    }

    #[cold]
    fn not_usable(&self, ts: &ThreadState) -> PyResult<()> {
        if self.detached.get() {
            return raise!(ts, exc::ValueError, "raw stream has been detached");
        }
        raise!(ts, exc::ValueError, "I/O operation on uninitialized object")
    }

    #[cold]
    fn refuse<T>(&self, ts: &ThreadState) -> PyResult<T> {
        let shown = protocol::repr(ts, self.base.as_object())?;
        raise!(ts, exc::RuntimeError, "reentrant call inside {shown}")
    }

    /// Begins work on the buffer.
    #[inline(always)]
    fn enter(&self, ts: &ThreadState) -> PyResult<Busy<'_>> {
        if self.busy.replace(true) {
            self.wait_for_turn(ts)?;
        }
        self.owner.set(ts.id);
        Ok(Busy(self))
    }

    /// Waits until the method that is at work is done, and sets `busy` for this one.
    #[cold]
    #[inline(never)]
    fn wait_for_turn(&self, ts: &ThreadState) -> PyResult<()> {
        loop {
            if self.owner.get() == ts.id {
                return self.refuse(ts);
            }
            let mut owner_lives = false;
            threads::for_each(ts.interp(), |thread| owner_lives |= thread.id == self.owner.get());
            if !owner_lives {
                if !ts.interp().finalizing.get() {
                    // The child of a fork in the middle of the method: it is nobody else's any more.
                    self.busy.set(true);
                    return Ok(());
                }
                // Finalization has stopped a daemon thread there: what of the buffer is written, nobody knows.
                let shown = protocol::repr(ts, self.base.as_object())?;
                return raise!(
                    ts,
                    exc::RuntimeError,
                    "could not acquire lock for {shown} at interpreter shutdown, possibly due to daemon threads"
                );
            }
            let turns = self.turns.load(Ordering::Relaxed);
            self.waiters.set(self.waiters.get() + 1);
            attach::without_gil(ts, || futex::wait(&self.turns, turns, None));
            self.waiters.set(self.waiters.get() - 1);
            if !self.busy.replace(true) {
                return Ok(());
            }
        }
    }

    /// The raw stream.
    #[inline]
    fn raw(&self, ts: &ThreadState) -> PyResult {
        self.check(ts)?;
        filled(ts, &self.raw)
    }

    /// The raw stream as the FileIO that it is known to be.
    #[inline(always)]
    fn native_raw(&self) -> Option<&PyFileIO> {
        if !self.native.get() {
            return None;
        }
        // SAFETY: the slot changes in `__init__`, `detach` and `clear` only, which clear `native` or end the
        // object; callers run no Python code through a FileIO but a signal's handler, which `busy` keeps out.
        unsafe { self.raw.borrow()?.downcast_exact::<PyFileIO>() }
    }

    /// Whether the raw stream is closed.
    #[inline]
    fn is_closed(&self, ts: &ThreadState) -> PyResult<bool> {
        match self.native_raw() {
            Some(file) => Ok(file.is_closed()),
            None => is_closed(ts, &*self.raw(ts)?),
        }
    }

    /// Raises ValueError with the message when the raw stream, or the buffer, is closed.
    #[inline]
    fn check_open(&self, ts: &ThreadState, message: &str) -> PyResult<()> {
        if self.size() == 0 || self.is_closed(ts)? {
            return closed_error(ts, message);
        }
        Ok(())
    }

    #[inline(always)]
    fn has_read(&self) -> bool {
        self.readable.get() && self.read_end.get() != -1
    }

    #[inline(always)]
    fn has_written(&self) -> bool {
        self.writable.get() && self.write_end.get() != -1
    }

    /// How many bytes are there to be read.
    #[inline(always)]
    fn ahead(&self) -> usize {
        if self.has_read() { (self.read_end.get() - self.pos.get()).max(0) as usize } else { 0 }
    }

    /// How far the raw stream is past the position that the user sees.
    fn raw_offset(&self) -> i64 {
        if (self.has_read() || self.has_written()) && self.raw_pos.get() >= 0 {
            (self.raw_pos.get() - self.pos.get()) as i64
        } else {
            0
        }
    }

    fn forget_read(&self) {
        self.read_end.set(-1);
    }

    fn forget_written(&self) {
        self.write_pos.set(0);
        self.write_end.set(-1);
    }

    /// Moves to a place in the buffer, whose read part grows with it.
    fn move_to(&self, pos: isize) {
        self.pos.set(pos);
        if self.has_read() && self.read_end.get() < pos {
            self.read_end.set(pos);
        }
    }

    /// The raw stream's position; remembered.
    fn raw_tell(&self, ts: &ThreadState) -> PyResult<i64> {
        let position = match self.native_raw() {
            Some(file) => file.seek_fd(ts, 0, libc::SEEK_CUR)?,
            None => {
                let raw = filled(ts, &self.raw)?;
                let position = call::call_method(ts, &raw, id!(tell), &[])?;
                as_offset(ts, &position)?
            }
        };
        if position < 0 {
            return raise!(ts, exc::OSError, "Raw stream returned invalid position {position}");
        }
        self.abs_pos.set(position);
        Ok(position)
    }

    /// Moves the raw stream.
    fn raw_seek(&self, ts: &ThreadState, offset: i64, whence: i32) -> PyResult<i64> {
        let position = match self.native_raw() {
            Some(file) => file.seek_fd(ts, offset, whence)?,
            None => {
                let raw = filled(ts, &self.raw)?;
                let offset = PyInt::from_i64(ts, offset)?;
                let whence = PyInt::from_i64(ts, whence.into())?;
                let position = call::call_method(ts, &raw, id!(seek), &[&offset, &whence])?;
                as_offset(ts, &position)?
            }
        };
        if position < 0 {
            return raise!(ts, exc::OSError, "Raw stream returned invalid position {position}");
        }
        self.abs_pos.set(position);
        Ok(position)
    }

    fn advance(&self, count: usize) {
        if count > 0 && self.abs_pos.get() != -1 {
            self.abs_pos.set(self.abs_pos.get() + count as i64);
        }
    }

    /// One read of the raw stream, into memory that Python code does not get to see.
    fn raw_read(&self, ts: &ThreadState, place: *mut u8, len: usize) -> PyResult<Option<usize>> {
        let count = match self.native_raw() {
            Some(file) => file.read_into(ts, place, len)?,
            None => self.raw_readinto(ts, place, len)?,
        };
        self.advance(count.unwrap_or(0));
        Ok(count)
    }

    #[cold]
    #[inline(never)]
    fn raw_readinto(&self, ts: &ThreadState, place: *mut u8, len: usize) -> PyResult<Option<usize>> {
        let raw = filled(ts, &self.raw)?;
        // Whoever keeps the view keeps this object, not the buffer.
        let target = PyByteArray::new(ts, &[])?;
        target.resize(ts, len)?;
        let view = memory_view(ts, target.as_object())?;
        let count = call_uninterrupted(ts, &raw, id!(readinto), &[&view])?;
        if is_none(&count) {
            return Ok(None);
        }
        let count = match protocol::as_isize(ts, &count) {
            Ok(count) => count,
            Err(raised) => {
                let cause = ts.take_raised(raised);
                let error: PyResult<()> = raise!(ts, exc::OSError, "raw readinto() failed");
                if let Err(raised) = error {
                    let error = ts.take_raised(raised);
                    if let Some(base) = error.downcast::<exc::PyBaseException>() {
                        base.cause.set(Some(cause.clone()));
                        base.suppress_context.set(true);
                    }
                    exc::set_context(&error, cause);
                    return Err(ts.restore_raised(error));
                }
                return Ok(None);
            }
        };
        if count < 0 || count as usize > len {
            return raise!(
                ts,
                exc::OSError,
                "raw readinto() returned invalid length {count} (should have been between 0 and {len})"
            );
        }
        // SAFETY: the bytearray cannot be resized while its view lives, and the caller has room for `len` bytes.
        unsafe { core::ptr::copy_nonoverlapping(target.data_ptr(), place, count as usize) };
        Ok(Some(count as usize))
    }

    /// One write to the raw stream. The bytes stay where they are while that runs.
    fn raw_write(&self, ts: &ThreadState, bytes: &[u8]) -> PyResult<Option<usize>> {
        let count = match self.native_raw() {
            Some(file) => file.write_bytes(ts, bytes)?,
            None => self.raw_write_object(ts, bytes)?,
        };
        self.advance(count.unwrap_or(0));
        Ok(count)
    }

    #[cold]
    #[inline(never)]
    fn raw_write_object(&self, ts: &ThreadState, bytes: &[u8]) -> PyResult<Option<usize>> {
        let raw = filled(ts, &self.raw)?;
        let data = PyBytes::new(ts, bytes)?;
        let view = memory_view(ts, data.as_object())?;
        let count = call_uninterrupted(ts, &raw, id!(write), &[&view])?;
        if is_none(&count) {
            return Ok(None);
        }
        let count = protocol::as_isize(ts, &count)?;
        if count < 0 || count as usize > bytes.len() {
            return raise!(
                ts,
                exc::OSError,
                "raw write() returned invalid length {count} (should have been between 0 and {})",
                bytes.len()
            );
        }
        Ok(Some(count as usize))
    }

    /// Writes what waits, and puts the raw stream to where the user is.
    fn flush_and_rewind(&self, ts: &ThreadState) -> PyResult<()> {
        self.flush_written(ts)?;
        if self.readable.get() {
            // What was read ahead is given back: the raw stream's position is the user's.
            let moved = self.raw_seek(ts, -self.raw_offset(), libc::SEEK_CUR);
            self.forget_read();
            moved?;
        }
        Ok(())
    }
}

fn flush(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = buffered(object);
    this.check(ts)?;
    this.check_open(ts, "flush of closed file")?;
    let _busy = this.enter(ts)?;
    this.flush_and_rewind(ts)?;
    Ok(ts.none())
}

/// A reader has nothing to write: its raw stream is asked.
fn reader_flush(ts: &ThreadState, object: &PyObject) -> PyResult {
    call::call_method(ts, &*buffered(object).raw(ts)?, id!(flush), &[])
}

fn close(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = buffered(object);
    this.check(ts)?;
    let raw = this.raw(ts)?;
    {
        let _busy = this.enter(ts)?;
        if this.is_closed(ts)? {
            return Ok(ts.none());
        }
    }
    if this.base.finalizing.get() {
        match raw.downcast::<PyFileIO>() {
            Some(file) => file.warn_unclosed(ts, object),
            None => {
                if let Err(raised) = call::call_method(ts, &raw, id!(_dealloc_warn), &[object]) {
                    ts.clear_raised(raised);
                }
            }
        }
    }
    let flushed = call::call_method(ts, object, id!(flush), &[]).map(drop);
    // Who waits to write meanwhile finds it closed.
    let result = and_then_close(ts, flushed, || {
        let _busy = this.enter(ts)?;
        call::call_method(ts, &raw, id!(close), &[])
    });
    if !this.busy.get() {
        this.pos.set(0);
        this.forget_read();
        this.forget_written();
        this.give_memory_back();
    }
    result
}

fn detach(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = buffered(object);
    this.check(ts)?;
    call::call_method(ts, object, id!(flush), &[])?;
    let _busy = this.enter(ts)?;
    let Some(raw) = this.raw.take() else { return this.not_usable(ts).map(|()| ts.none()) };
    this.native.set(false);
    this.detached.set(true);
    this.ok.set(false);
    Ok(raw)
}

fn dealloc_warn(ts: &ThreadState, object: &PyObject, source: &PyObject) -> PyResult {
    let this = buffered(object);
    if this.ok.get()
        && let Some(raw) = this.raw.get()
        && let Err(raised) = call::call_method(ts, &raw, id!(_dealloc_warn), &[source])
    {
        ts.clear_raised(raised);
    }
    Ok(ts.none())
}

/// A method that the raw stream answers.
fn ask_raw(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult {
    call::call_method(ts, &*buffered(object).raw(ts)?, name, &[])
}

/// An attribute that is the raw stream's.
fn attribute_of_raw(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult {
    attr::get(ts, &*buffered(object).raw(ts)?, name)
}

fn get_raw(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(buffered(object).raw.get().unwrap_or_else(|| ts.none()))
}

fn sizeof(ts: &ThreadState, object: &PyObject) -> PyResult {
    size_object(ts, alloc::object_size(object) + buffered(object).size())
}

fn repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let type_name = object.ob_type().full_name();
    let text = match name_for_repr(ts, object)? {
        None => PyStr::format(ts, format_args!("<{type_name}>"))?,
        Some(name) => {
            let Some(_guard) = crate::types::reprguard::ReprGuard::enter(ts, object)? else {
                return raise!(ts, exc::RuntimeError, "reentrant call inside {type_name}.__repr__");
            };
            let name = protocol::repr(ts, &name)?;
            PyStr::format(ts, format_args!("<{type_name} name={name}>"))?
        }
    };
    Ok(text.into_object())
}

fn iternext(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    let this = buffered(object);
    this.check(ts)?;
    let ours = is_exactly(object, &BUFFERED_READER_TYPE) || is_exactly(object, &BUFFERED_RANDOM_TYPE);
    let line = if ours {
        this.read_line(ts, -1)?
    } else {
        let line = call::call_method(ts, object, id!(readline), &[])?;
        if !line.is_a::<PyBytes>() {
            return raise!(
                ts,
                exc::OSError,
                "readline() should have returned a bytes object, not '{}'",
                line.type_name()
            );
        }
        line
    };
    Ok(Some(line).filter(|line| !line.cast::<PyBytes>().is_empty()))
}

fn closed(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = buffered(object);
    match this.native_raw() {
        Some(file) if this.ok.get() => Ok(py_bool(file.is_closed())),
        _ => attribute_of_raw(ts, object, id!(closed)),
    }
}
