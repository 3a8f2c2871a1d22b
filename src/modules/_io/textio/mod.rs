//! `TextIOWrapper`: text over a buffered binary stream.
//!
//! ```text
//!  write ──► encode ──► pending ──► buffer.write
//!  read  ◄── decoded ◄── decode ◄── buffer.read1          snapshot: the decoder's state before that piece,
//!            └ used                                        and the piece, so that `tell` can find its way back
//! ```
//!
//! | file | what |
//! |---|---|
//! | `mod` | the object, its initialization, what it passes on to the buffer |
//! | `codec` | decoding and encoding, natively for UTF-8, Latin-1 and ASCII |
//! | `read`, `write` | reading and writing |
//! | `position` | `tell` and `seek`, whose positions are cookies |
//! | `types` | the type |
//!
//! I1: `used` is at most the length of `decoded`.
//! I2: `ok` is set from a successful `__init__` to `detach`; `buffer` is filled as long.

mod codec;
mod position;
mod read;
mod types;
mod write;

use core::cell::{Cell, UnsafeCell};
use core::ops::ControlFlow;

use hognose_allocators::collections::TryVec;

pub use types::TEXT_IO_WRAPPER_TYPE;

use self::codec::Coder;
use super::base::{self, PyIOBase};
use super::buffered::{BUFFERED_RANDOM_TYPE, BUFFERED_READER_TYPE, BUFFERED_WRITER_TYPE};
use super::newline::{LineEnds, Newlines, check_newline};
use super::util::*;
use crate::modules::_locale;
use crate::object::{
    Args, AsObject, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature, Slot, Visitor, alloc, attr, call, protocol,
};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::{is_none, none};
use crate::types::str::PyStr;
use crate::{id, native, raise};

/// How many bytes are read and written at a time.
const CHUNK: usize = 8192;

/// A stream of text over a binary one.
#[repr(C)]
pub struct PyTextIOWrapper {
    base: PyIOBase,
    buffer: Slot<PyObject>,
    encoding: Slot<PyObject>,
    errors: Slot<PyStr>,
    ok: Cell<bool>,
    detached: Cell<bool>,
    line_buffering: Cell<bool>,
    write_through: Cell<bool>,
    /// Any kind of line end is one, for reading.
    read_universal: Cell<bool>,
    /// Line ends are made `\n`, for reading.
    read_translate: Cell<bool>,
    /// What lines end with, when that is not universal; None for the system's.
    read_newline: Slot<PyStr>,
    /// `\n` is replaced by `write_newline`, for writing.
    write_newline: Slot<PyStr>,
    seekable: Cell<bool>,
    /// `tell` can be answered: not while the stream is iterated over.
    telling: Cell<bool>,
    has_read1: Cell<bool>,
    chunk_size: Cell<usize>,
    decoder_kind: Cell<Coder>,
    decoder: Slot<PyObject>,
    newlines: Newlines,
    /// The bytes of a character that has only begun, in native decoding.
    begun: Cell<[u8; 4]>,
    begun_len: Cell<u8>,
    encoder_kind: Cell<Coder>,
    encoder: Slot<PyObject>,
    /// The encoder is at the start of the stream, where a byte order mark belongs.
    at_start: Cell<bool>,
    decoded: Slot<PyStr>,
    used: Cell<usize>,
    /// Bytes per character of the last piece.
    ratio: Cell<f64>,
    snapshot_flags: Cell<u64>,
    /// None: no snapshot.
    snapshot_input: Slot<PyBytes>,
    pending: UnsafeCell<TryVec<u8>>,
}
native!(PyTextIOWrapper, TEXT_IO_WRAPPER_TYPE);

#[inline(always)]
fn wrapper(object: &PyObject) -> &PyTextIOWrapper {
    object.cast()
}

fn new(ts: &ThreadState, typ: &PyTypeObject, _args: Args<'_>) -> PyResult {
    let object = alloc::object::<PyTextIOWrapper>(ts, typ)?;
    // SAFETY: the object is new; the zeroed field is written before anyone reads it.
    unsafe { object.pending.get().write(TryVec::new()) };
    object.chunk_size.set(CHUNK);
    track(ts, object.as_object());
    Ok(object.into_object())
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: a dealloc slot is called with an object of its type that has come to its end.
    unsafe {
        (*object.cast::<PyTextIOWrapper>()).base.finalizing.set(true);
        base::end(ts, object, |object| {
            let this = wrapper(object);
            this.ok.set(false);
            this.forget_all();
            // Nobody uses the pending bytes any more.
            drop(core::mem::replace(&mut *this.pending.get(), TryVec::new()));
        });
    }
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    let this = wrapper(object);
    visitor.slot(&this.buffer)?;
    visitor.slot(&this.decoder)?;
    visitor.slot(&this.encoder)?;
    visitor.slot(&this.encoding)?;
    this.base.traverse(visitor)
}

fn clear(_ts: &ThreadState, object: &PyObject) {
    let this = wrapper(object);
    this.ok.set(false);
    this.forget_all();
    this.base.clear();
}

fn init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    static SIGNATURE: Signature<6> = Signature::new(
        "TextIOWrapper",
        ["buffer", "encoding", "errors", "newline", "line_buffering", "write_through"],
        0,
        6,
        1,
    );
    let [buffer, encoding, errors, newline, line_buffering, write_through] = SIGNATURE.parse(ts, args)?;
    let Some(buffer) = buffer else { return raise!(ts, exc::TypeError, "TextIOWrapper() needs a buffer") };
    let flag = |given: Option<&PyObject>| given.map_or(Ok(false), |flag| protocol::is_true(ts, flag));
    let (line_buffering, write_through) = (flag(line_buffering)?, flag(write_through)?);
    let encoding = text_argument(ts, "TextIOWrapper", "encoding", encoding)?;
    let errors = text_argument(ts, "TextIOWrapper", "errors", errors)?;
    for text in [encoding, errors].into_iter().flatten() {
        if text.contains_nul() {
            return raise!(ts, exc::ValueError, "embedded null character");
        }
    }
    let this = wrapper(object);
    this.ok.set(false);
    this.detached.set(false);
    let newline = check_newline(ts, Some("TextIOWrapper"), newline)?;
    let errors = match errors {
        Some(errors) => Ref::from_borrowed(errors),
        None => Ref::from_borrowed(id!(strict)),
    };
    check_errors(ts, &errors)?;
    let encoding = match encoding {
        Some(encoding) if !encoding.equals_str("locale") => Ref::from_borrowed(encoding),
        given => {
            if given.is_none() {
                warn_default_encoding(ts, 1)?;
            }
            if given.is_none() && crate::config::utf8_mode() {
                PyStr::new(ts, "utf-8")?
            } else {
                _locale::encoding(ts)?
            }
        }
    };
    this.forget_all();
    this.set_newline(newline);
    this.line_buffering.set(line_buffering);
    this.write_through.set(write_through);
    this.chunk_size.set(CHUNK);
    this.buffer.set(Some(buffer.new_ref()));
    this.encoding.set(Some(encoding.clone().into_object()));
    this.errors.set(Some(errors));
    this.set_codec(ts, buffer, &encoding)?;
    let ours = is_exactly(buffer, &BUFFERED_READER_TYPE)
        || is_exactly(buffer, &BUFFERED_WRITER_TYPE)
        || is_exactly(buffer, &BUFFERED_RANDOM_TYPE);
    let seekable = call::call_method(ts, buffer, id!(seekable), &[])?;
    let seekable = protocol::is_true(ts, &seekable)?;
    this.seekable.set(seekable);
    this.telling.set(seekable);
    this.has_read1.set((ours && !is_exactly(buffer, &BUFFERED_WRITER_TYPE)) || attr::has(ts, buffer, id!(read1))?);
    this.at_start.set(false);
    this.fix_encoder_state(ts, buffer)?;
    this.ok.set(true);
    Ok(())
}

/// An argument that is a str, or None.
fn text_argument<'a>(
    ts: &ThreadState,
    function: &str,
    name: &str,
    argument: Option<&'a PyObject>,
) -> PyResult<Option<&'a PyStr>> {
    let Some(argument) = argument.filter(|argument| !is_none(argument)) else { return Ok(None) };
    let Some(text) = argument.downcast::<PyStr>() else {
        return raise!(
            ts,
            exc::TypeError,
            "{function}() argument '{name}' must be str or None, not {}",
            argument.type_name()
        );
    };
    // It must have a form in UTF-8.
    text.utf8(ts)?;
    Ok(Some(text))
}

/// In development mode an unknown error handler is found out at once.
fn check_errors(ts: &ThreadState, errors: &PyStr) -> PyResult<()> {
    if ts.interp().config().dev_mode == 0 {
        return Ok(());
    }
    let lookup = protocol::import_attr(ts, "_codecs", "lookup_error")?;
    call::call_with(ts, &lookup, &[errors.as_object()])?;
    Ok(())
}

/// EncodingWarning, when it was asked for, about a file that is opened without an encoding.
pub(super) fn warn_default_encoding(ts: &ThreadState, stack_level: isize) -> PyResult<()> {
    if ts.interp().config().warn_default_encoding == 0 {
        return Ok(());
    }
    crate::modules::_warnings::warn(ts, &exc::EncodingWarning, "'encoding' argument not specified", stack_level)
}

impl PyTextIOWrapper {
    /// Drops everything that is owned but the pending bytes' memory.
    fn forget_all(&self) {
        self.buffer.set(None);
        self.encoding.set(None);
        self.errors.set(None);
        self.decoder.set(None);
        self.encoder.set(None);
        self.decoder_kind.set(Coder::None);
        self.encoder_kind.set(Coder::None);
        self.read_newline.set(None);
        self.write_newline.set(None);
        self.decoded.set(None);
        self.used.set(0);
        self.snapshot_input.set(None);
        self.begun_len.set(0);
        self.newlines.reset();
        // SAFETY: nobody has a view of the bytes.
        unsafe { (*self.pending.get()).clear() };
    }

    fn set_newline(&self, newline: Option<Ref<PyStr>>) {
        self.read_universal.set(newline.as_ref().is_none_or(|newline| newline.is_empty()));
        self.read_translate.set(newline.is_none());
        let writes = newline.clone().filter(|newline| newline.len() > 0 && !newline.equals_str("\n"));
        self.write_newline.set(writes);
        self.read_newline.set(newline);
        self.newlines.translate.set(self.read_translate.get());
    }

    /// How lines end.
    fn line_ends(&self) -> LineEnds {
        if self.read_translate.get() {
            return LineEnds::Lf;
        }
        if self.read_universal.get() {
            return LineEnds::Universal;
        }
        match self.write_newline.get() {
            None => LineEnds::Lf,
            Some(newline) if newline.len() == 2 => LineEnds::CrLf,
            Some(_) => LineEnds::Cr,
        }
    }

    /// The buffer; ValueError when there is none (any more).
    #[inline]
    fn attached(&self, ts: &ThreadState) -> PyResult {
        if !self.ok.get() {
            if self.detached.get() {
                return raise!(ts, exc::ValueError, "underlying buffer has been detached");
            }
            return raise!(ts, exc::ValueError, "I/O operation on uninitialized object");
        }
        filled(ts, &self.buffer)
    }

    /// Raises ValueError when the stream is closed.
    #[inline]
    fn check_open(&self, ts: &ThreadState) -> PyResult<()> {
        let object = self.base.as_object();
        if is_exactly(object, &TEXT_IO_WRAPPER_TYPE) {
            let buffer = self.attached(ts)?;
            return check_closed(ts, &buffer);
        }
        check_closed(ts, object)
    }

    /// The pending bytes, for as long as nothing else is done with the object.
    #[allow(clippy::mut_from_ref, reason = "the bytes lie in a cell; see the safety comment")]
    #[inline(always)]
    fn pending(&self) -> &mut TryVec<u8> {
        // SAFETY: the GIL is held, and no caller runs Python code or calls this again while it has the result.
        unsafe { &mut *self.pending.get() }
    }

    /// Drops what was decoded and not read.
    fn forget_decoded(&self) {
        self.decoded.set(None);
        self.used.set(0);
    }
}

fn flush(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = wrapper(object);
    let buffer = this.attached(ts)?;
    this.check_open(ts)?;
    this.telling.set(this.seekable.get());
    this.write_pending(ts)?;
    call::call_method(ts, &buffer, id!(flush), &[])
}

fn close(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = wrapper(object);
    let buffer = this.attached(ts)?;
    let closed = attr::get(ts, object, id!(closed))?;
    if protocol::is_true(ts, &closed)? {
        return Ok(ts.none());
    }
    if this.base.finalizing.get()
        && let Err(raised) = call::call_method(ts, &buffer, id!(_dealloc_warn), &[object])
    {
        ts.clear_raised(raised);
    }
    let flushed = call::call_method(ts, object, id!(flush), &[]).map(drop);
    and_then_close(ts, flushed, || call::call_method(ts, &buffer, id!(close), &[]))
}

fn detach(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = wrapper(object);
    this.attached(ts)?;
    call::call_method(ts, object, id!(flush), &[])?;
    let buffer = this.attached(ts)?;
    this.buffer.set(None);
    this.detached.set(true);
    this.ok.set(false);
    Ok(buffer)
}

fn reconfigure(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<5> =
        Signature::new("reconfigure", ["encoding", "errors", "newline", "line_buffering", "write_through"], 0, 0, 0);
    let [encoding, errors, newline, line_buffering, write_through] = SIGNATURE.parse(ts, args)?;
    let this = wrapper(object);
    let buffer = this.attached(ts)?;
    let given = |argument: Option<&PyObject>| argument.is_some_and(|argument| !is_none(argument));
    // `newline=None` is a choice of its own.
    if this.decoded.is_some() && (given(encoding) || given(errors) || newline.is_some()) {
        return unsupported(ts, "It is not possible to set the encoding or newline of stream after the first read");
    }
    let new_newline = match newline {
        Some(newline) => Some(check_newline(ts, Some("reconfigure"), Some(newline))?),
        None => None,
    };
    let flag = |argument: Option<&PyObject>, old: bool| -> PyResult<bool> {
        match argument.filter(|argument| !is_none(argument)) {
            Some(flag) => Ok(protocol::as_i32(ts, flag)? != 0),
            None => Ok(old),
        }
    };
    let line_buffering = flag(line_buffering, this.line_buffering.get())?;
    let write_through = flag(write_through, this.write_through.get())?;
    let encoding = text_argument(ts, "reconfigure", "encoding", encoding)?;
    let errors = text_argument(ts, "reconfigure", "errors", errors)?;
    call::call_method(ts, object, id!(flush), &[])?;
    let changed = encoding.is_some() || errors.is_some() || new_newline.is_some();
    if changed {
        let old = match this.encoding.get().map(PyRef::downcast_into::<PyStr>) {
            Some(Ok(encoding)) => encoding,
            _ => PyStr::new(ts, "utf-8")?,
        };
        let new_errors = match (errors, encoding) {
            (Some(errors), _) => Ref::from_borrowed(errors),
            // A new encoding comes with strictness.
            (None, Some(_)) => Ref::from_borrowed(id!(strict)),
            (None, None) => match this.errors.get() {
                Some(errors) => errors,
                None => Ref::from_borrowed(id!(strict)),
            },
        };
        let new_encoding = match encoding {
            None => old,
            Some(encoding) if encoding.equals_str("locale") => _locale::encoding(ts)?,
            Some(encoding) => Ref::from_borrowed(encoding),
        };
        check_errors(ts, &new_errors)?;
        if encoding.is_some() || errors.is_some() {
            // Nothing is changed when there is no such encoding.
            this.find_codec(ts, &new_encoding)?;
        }
        this.errors.set(Some(new_errors));
        if let Some(newline) = new_newline {
            this.set_newline(newline);
        }
        this.set_codec(ts, &buffer, &new_encoding)?;
        this.encoding.set(Some(new_encoding.into_object()));
        this.fix_encoder_state(ts, &buffer)?;
    }
    this.line_buffering.set(line_buffering);
    this.write_through.set(write_through);
    Ok(ts.none())
}

fn truncate(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "truncate", args.len(), 0, 1)?;
    let buffer = wrapper(object).attached(ts)?;
    call::call_method(ts, object, id!(flush), &[])?;
    call::call_method(ts, &buffer, id!(truncate), &[args.first().copied().unwrap_or(none())])
}

/// A method that the buffer answers.
fn ask_buffer(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult {
    call::call_method(ts, &*wrapper(object).attached(ts)?, name, &[])
}

/// An attribute that is the buffer's.
fn attribute_of_buffer(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult {
    attr::get(ts, &*wrapper(object).attached(ts)?, name)
}

fn get_newlines(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = wrapper(object);
    this.attached(ts)?;
    match this.decoder_kind.get() {
        Coder::None => Ok(ts.none()),
        Coder::Object if !this.read_universal.get() => {
            // A decoder of that sort may know.
            let Some(decoder) = this.decoder.get() else { return Ok(ts.none()) };
            Ok(attr::get_opt(ts, &decoder, id!(newlines))?.unwrap_or_else(|| ts.none()))
        }
        _ if this.read_universal.get() => this.newlines.seen(ts),
        _ => Ok(ts.none()),
    }
}

fn set_chunk_size(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let this = wrapper(object);
    this.attached(ts)?;
    let Some(value) = value else {
        return raise!(ts, exc::AttributeError, "cannot delete attribute");
    };
    let int = protocol::index(ts, value)?;
    let size = match int.as_i64() {
        Some(size) => size,
        None => return raise!(ts, exc::ValueError, "cannot fit '{}' into an index-sized integer", value.type_name()),
    };
    if size <= 0 {
        return raise!(ts, exc::ValueError, "a strictly positive integer is required");
    }
    this.chunk_size.set(size as usize);
    Ok(())
}

fn get_chunk_size(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = wrapper(object);
    this.attached(ts)?;
    PyInt::from_usize(ts, this.chunk_size.get())
}

fn repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    use core::fmt::Write as _;
    let this = wrapper(object);
    let type_name = object.ob_type().full_name();
    if !this.ok.get() && !this.detached.get() {
        return raise!(ts, exc::ValueError, "I/O operation on uninitialized object");
    }
    let Some(_guard) = crate::types::reprguard::ReprGuard::enter(ts, object)? else {
        return raise!(ts, exc::RuntimeError, "reentrant call inside {type_name}.__repr__");
    };
    let mut text = crate::types::str::StrBuilder::new();
    text.push_str("<")?;
    text.push_str(type_name)?;
    if let Some(name) = name_for_repr(ts, object)? {
        text.push_str(" name=")?;
        text.push_repr(ts, &name)?;
    }
    if let Some(mode) = attr::get_opt(ts, object, id!(mode))? {
        text.push_str(" mode=")?;
        text.push_repr(ts, &mode)?;
    }
    text.push_str(" encoding=")?;
    let encoding = this.encoding.get().unwrap_or_else(|| ts.none());
    text.push_repr(ts, &encoding)?;
    let _ = text.write_char('>');
    Ok(text.finish(ts)?.into_object())
}
