//! SyntaxError, which knows where.

use core::mem::offset_of;

use super::base::{self, PyBaseException};
use super::fields::{FLAGS, family, member};
use super::hierarchy as exc;
use crate::object::{Args, AsObject, PyObject, PyResult, Slot, TypeSlots, TypeSpec, protocol};
use crate::state::ThreadState;
use crate::types::int::PyInt;
use crate::types::str::{PyStr, StrBuilder};
use crate::{native, raise};

/// SyntaxError and its subclasses.
#[repr(C)]
pub struct PySyntaxError {
    pub(super) base: PyBaseException,
    /// `msg`.
    pub msg: Slot<PyObject>,
    /// `filename`.
    pub filename: Slot<PyObject>,
    /// `lineno`.
    pub lineno: Slot<PyObject>,
    /// `offset`, from 1.
    pub offset: Slot<PyObject>,
    /// `text`: the line.
    pub text: Slot<PyObject>,
    /// `end_lineno`.
    pub end_lineno: Slot<PyObject>,
    /// `end_offset`.
    pub end_offset: Slot<PyObject>,
    /// `print_file_and_line`.
    pub print_file_and_line: Slot<PyObject>,
    /// `_metadata`: what the search for mistyped keywords needs.
    pub metadata: Slot<PyObject>,
}
native!(PySyntaxError, exc::SyntaxError);
family!(PySyntaxError: msg, filename, lineno, offset, text, end_lineno, end_offset, print_file_and_line, metadata);

pub(super) const SPEC: TypeSpec = TypeSpec {
    name: c"SyntaxError",
    basicsize: size_of::<PySyntaxError>(),
    flags: FLAGS,
    base: Some(&exc::Exception),
    doc: "Invalid syntax.",
    slots: TypeSlots {
        new: Some(base::new),
        init: Some(init),
        dealloc: Some(PySyntaxError::slot_dealloc),
        traverse: Some(PySyntaxError::slot_traverse),
        clear: Some(PySyntaxError::slot_clear),
        str: Some(str),
        ..TypeSlots::EMPTY
    },
    getset: &[
        member!(PySyntaxError, msg, "msg", "exception msg"),
        member!(PySyntaxError, filename, "filename", "exception filename"),
        member!(PySyntaxError, lineno, "lineno", "exception lineno"),
        member!(PySyntaxError, offset, "offset", "exception offset"),
        member!(PySyntaxError, text, "text", "exception text"),
        member!(PySyntaxError, end_lineno, "end_lineno", "exception end lineno"),
        member!(PySyntaxError, end_offset, "end_offset", "exception end offset"),
        member!(PySyntaxError, print_file_and_line, "print_file_and_line", "exception print_file_and_line"),
        member!(PySyntaxError, metadata, "_metadata", "exception private metadata"),
    ],
    dictoffset: offset_of!(PyBaseException, dict),
    ..TypeSpec::EMPTY
};

fn this(object: &PyObject) -> &PySyntaxError {
    debug_assert!(object.is_a::<PySyntaxError>());
    // SAFETY: SyntaxError's slots are called with SyntaxErrors only.
    unsafe { &*object.as_ptr().cast::<PySyntaxError>() }
}

fn init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    base::init(ts, object, args)?;
    let error = this(object);
    let args = args.positional();
    if let Some(message) = args.first() {
        error.msg.set(Some(message.new_ref()));
    }
    let &[_, details] = args else { return Ok(()) };
    let details = protocol::tuple_of(ts, details)?;
    let details = details.items();
    let given = details.len();
    if !(4..=7).contains(&given) {
        let (bound, limit) = if given < 4 { ("least", 4) } else { ("most", 7) };
        return raise!(ts, exc::TypeError, "function takes at {bound} {limit} arguments ({given} given)");
    }
    let slots = [
        &error.filename,
        &error.lineno,
        &error.offset,
        &error.text,
        &error.end_lineno,
        &error.end_offset,
        &error.metadata,
    ];
    for (index, slot) in slots.into_iter().enumerate() {
        slot.set(details.get(index).map(|value| value.new_ref()));
    }
    if given == 5 {
        return raise!(ts, exc::TypeError, "end_offset must be provided when end_lineno is provided");
    }
    Ok(())
}

fn str(ts: &ThreadState, object: &PyObject) -> PyResult {
    let error = this(object);
    let message = error.msg.get().unwrap_or_else(|| ts.none());
    let filename = error.filename.get().filter(|name| name.is_a::<PyStr>());
    let line = error.lineno.get().filter(|line| line.downcast_exact::<PyInt>().is_some());
    if filename.is_none() && line.is_none() {
        return Ok(protocol::str(ts, &message)?.into_object());
    }
    let mut text = StrBuilder::new();
    text.push_object(ts, &message)?;
    text.push_str(" (")?;
    if let Some(filename) = &filename {
        let filename = filename.cast::<PyStr>();
        let start = filename.chars().rev().position(|ch| ch == u32::from('/')).map_or(0, |back| filename.len() - back);
        text.push_slice(filename, start, filename.len())?;
    }
    if let Some(line) = &line {
        text.push_str(if filename.is_some() { ", line " } else { "line " })?;
        text.push_object(ts, line)?;
    }
    text.push_str(")")?;
    Ok(text.finish(ts)?.into_object())
}
