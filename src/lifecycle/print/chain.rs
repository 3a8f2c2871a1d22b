//! An exception as text: its chain of causes and contexts, its traceback, its message, its group.

use hognose_allocators::collections::TryVec;

use super::paint::Paint;
use super::stack;
use super::suggest;
use crate::id;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, attr, protocol};
use crate::state::ThreadState;
use crate::types::exceptions::{PyBaseException, PyBaseExceptionGroup, PySyntaxError};
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;

const CAUSE: &str = "\nThe above exception was the direct cause of the following exception:\n\n";
const CONTEXT: &str = "\nDuring handling of the above exception, another exception occurred:\n\n";

/// How many exceptions of a group are shown.
const GROUP_WIDTH: usize = 15;
/// How deep groups in groups are shown.
const GROUP_DEPTH: usize = 10;

/// Text on its way out, indented by the groups that it stands in.
pub struct Report {
    text: StrBuilder,
    paint: Paint,
    depth: usize,
    need_close: bool,
    /// The addresses of the exceptions that have been shown: chains can be cycles.
    seen: TryVec<usize>,
}

impl Report {
    /// An exception as text.
    pub fn of(ts: &ThreadState, error: &PyObject, paint: Paint) -> PyResult<Ref<PyStr>> {
        let mut report = Report { text: StrBuilder::new(), paint, depth: 0, need_close: false, seen: TryVec::new() };
        report.push_chain(ts, error)?;
        report.text.finish(ts)
    }

    fn indent(&mut self) -> PyResult<()> {
        Ok(self.text.push_fill(u32::from(b' '), 2 * self.depth)?)
    }

    /// Adds whole lines, each behind the margin.
    fn emit(&mut self, ts: &ThreadState, lines: StrBuilder, margin: u8) -> PyResult<()> {
        let lines = lines.finish(ts)?;
        if self.depth == 0 {
            return Ok(self.text.push(&lines)?);
        }
        let mut at_start = true;
        for ch in lines.chars() {
            if at_start {
                self.indent()?;
                self.text.push_char(margin.into())?;
                self.text.push_char(u32::from(b' '))?;
            }
            self.text.push_char(ch)?;
            at_start = ch == u32::from(b'\n');
        }
        Ok(())
    }

    fn emit_str(&mut self, ts: &ThreadState, lines: &str, margin: u8) -> PyResult<()> {
        let mut builder = StrBuilder::new();
        builder.push_str(lines)?;
        self.emit(ts, builder, margin)
    }

    fn is_new(&self, error: &PyObject) -> bool {
        !self.seen.contains(&core::ptr::from_ref(error).addr())
    }

    fn push_chain(&mut self, ts: &ThreadState, error: &PyObject) -> PyResult<()> {
        // From the last to the first, each with what it says about the one before it.
        let mut chain = TryVec::<(PyRef, Option<&'static str>)>::new();
        let mut next = Some(error.new_ref());
        while let Some(error) = next.take() {
            self.seen.try_push(core::ptr::from_ref(&*error).addr())?;
            let base = error.cast::<PyBaseException>();
            let mut link = None;
            if let Some(cause) = base.cause.get().filter(|cause| self.is_new(cause)) {
                link = Some(CAUSE);
                next = Some(cause);
            } else if !base.suppress_context.get()
                && let Some(context) = base.context.get().filter(|context| self.is_new(context))
            {
                link = Some(CONTEXT);
                next = Some(context);
            }
            chain.try_push((error, link))?;
        }
        while let Some((error, link)) = chain.pop() {
            if let Some(link) = link {
                self.emit_str(ts, link, b'|')?;
            }
            self.push_one(ts, &error)?;
        }
        Ok(())
    }

    fn push_one(&mut self, ts: &ThreadState, error: &PyObject) -> PyResult<()> {
        if let Some(group) = error.downcast::<PyBaseExceptionGroup>() {
            return self.push_group(ts, error, group);
        }
        self.push_traceback(ts, error, "Traceback (most recent call last):\n", b'|')?;
        let mut lines = StrBuilder::new();
        push_exception_only(ts, &mut lines, error, self.paint)?;
        self.emit(ts, lines, b'|')
    }

    fn push_traceback(&mut self, ts: &ThreadState, error: &PyObject, heading: &str, margin: u8) -> PyResult<()> {
        let Some(traceback) = error.cast::<PyBaseException>().traceback() else { return Ok(()) };
        if !stack::any_shown(ts)? {
            return Ok(());
        }
        self.emit_str(ts, heading, margin)?;
        let mut lines = StrBuilder::new();
        stack::push_stack(ts, &mut lines, &traceback, stack::Detail::Carets, self.paint)?;
        self.emit(ts, lines, b'|')
    }

    fn push_group(&mut self, ts: &ThreadState, error: &PyObject, group: &PyBaseExceptionGroup) -> PyResult<()> {
        if self.depth > GROUP_DEPTH {
            return self.emit_str(ts, "... (max_group_depth is 10)\n", b'|');
        }
        ts.check_native_stack(" while printing an exception group")?;
        let is_outermost = self.depth == 0;
        if is_outermost {
            self.depth = 1;
        }
        let margin = if is_outermost { b'+' } else { b'|' };
        self.push_traceback(ts, error, "Exception Group Traceback (most recent call last):\n", margin)?;
        let mut lines = StrBuilder::new();
        push_exception_only(ts, &mut lines, error, self.paint)?;
        self.emit(ts, lines, b'|')?;
        let members = group.exceptions();
        let total = members.len();
        let shown = total.min(GROUP_WIDTH + 1);
        self.need_close = false;
        for index in 0..shown {
            let is_last = index + 1 == shown;
            // The frame may be closed by a group inside.
            self.need_close |= is_last;
            self.indent()?;
            self.text.push_str(if index == 0 { "+-" } else { "  " })?;
            let title = if index < GROUP_WIDTH {
                PyStr::format(ts, format_args!("+---------------- {} ----------------\n", index + 1))?
            } else {
                PyStr::new(ts, "+---------------- ... ----------------\n")?
            };
            self.text.push(&title)?;
            self.depth += 1;
            if index < GROUP_WIDTH {
                self.push_chain(ts, members.items()[index])?;
            } else {
                let more = total - GROUP_WIDTH;
                let plural = if more > 1 { "s" } else { "" };
                let mut line = StrBuilder::new();
                line.push(&*PyStr::format(ts, format_args!("and {more} more exception{plural}\n"))?)?;
                self.emit(ts, line, b'|')?;
            }
            if is_last && self.need_close {
                self.indent()?;
                self.text.push_str("+------------------------------------\n")?;
                self.need_close = false;
            }
            self.depth -= 1;
        }
        if is_outermost {
            self.depth = 0;
        }
        Ok(())
    }
}

/// `str(object)` or `repr(object)`, and what stands for it where that fails.
fn safely(ts: &ThreadState, object: &PyObject, what: &str, repr: bool) -> PyResult<Ref<PyStr>> {
    let shown = if repr { protocol::repr(ts, object) } else { protocol::str(ts, object) };
    match shown {
        Ok(shown) => Ok(shown),
        Err(raised) => {
            ts.clear_raised(raised);
            let function = if repr { "repr" } else { "str" };
            PyStr::format(ts, format_args!("<{what} {function}() failed>"))
        }
    }
}

/// An attribute as a string; None where it is none or cannot be had.
fn class_text(ts: &ThreadState, class: &PyObject, name: &PyStr) -> PyResult<Option<Ref<PyStr>>> {
    match attr::get_opt(ts, class, name) {
        Ok(value) => Ok(value.and_then(|value| value.downcast_into().ok())),
        Err(raised) => {
            ts.clear_raised(raised);
            Ok(None)
        }
    }
}

/// The class's name with its module, but for built-in ones and the program's own.
pub(super) fn push_class_name(ts: &ThreadState, out: &mut StrBuilder, error: &PyObject) -> PyResult<()> {
    let class = error.ob_type();
    match class_text(ts, class.as_object(), id!(__module__))? {
        Some(module) if module.equals_str("builtins") || module.equals_str("__main__") => {}
        Some(module) => {
            out.push(&module)?;
            out.push_str(".")?;
        }
        None => out.push_str("<unknown>.")?,
    }
    match class_text(ts, class.as_object(), id!(__qualname__))? {
        Some(name) => out.push(&name)?,
        None => out.push_str(class.name())?,
    }
    Ok(())
}

/// The last lines of a report: the message, for syntax errors with the place, and the notes.
fn push_exception_only(ts: &ThreadState, out: &mut StrBuilder, error: &PyObject, paint: Paint) -> PyResult<()> {
    match error.downcast::<PySyntaxError>() {
        Some(syntax_error) => push_syntax_error(ts, out, error, syntax_error, paint)?,
        None => {
            out.push_str(paint.class)?;
            push_class_name(ts, out, error)?;
            out.push_str(paint.reset)?;
            let mut message = StrBuilder::new();
            message.push(&*safely(ts, error, "exception", false)?)?;
            let before = message.len();
            let hint = push_hint(ts, error)?;
            if let Some(hint) = hint {
                message.push(&hint)?;
            }
            if before != 0 || !message.is_empty() {
                out.push_str(": ")?;
                out.push_str(paint.message)?;
                out.push(&*message.finish(ts)?)?;
                out.push_str(paint.reset)?;
            }
            out.push_str("\n")?;
        }
    }
    push_notes(ts, out, error)
}

/// The suggestion for the message, if there is one: a failure to find one is none.
fn push_hint(ts: &ThreadState, error: &PyObject) -> PyResult<Option<Ref<PyStr>>> {
    let mut hint = StrBuilder::new();
    match suggest::push_hint(ts, &mut hint, error) {
        Ok(()) if hint.is_empty() => Ok(None),
        Ok(()) => hint.finish(ts).map(Some),
        Err(raised) => {
            ts.clear_raised(raised);
            Ok(None)
        }
    }
}

fn push_notes(ts: &ThreadState, out: &mut StrBuilder, error: &PyObject) -> PyResult<()> {
    let notes = match attr::get_opt(ts, error, id!(__notes__)) {
        Ok(Some(notes)) if !is_none(&notes) => notes,
        Ok(_) => return Ok(()),
        Err(raised) => {
            let failure = ts.take_raised(raised);
            out.push_str("Ignored error getting __notes__: ")?;
            out.push(&*safely(ts, &failure, "__notes__", true)?)?;
            return Ok(out.push_str("\n")?);
        }
    };
    if !notes.is_a::<PyList>() && !notes.is_a::<PyTuple>() {
        out.push(&*safely(ts, &notes, "__notes__", true)?)?;
        return Ok(out.push_str("\n")?);
    }
    let mut index = 0;
    loop {
        let note = match notes.downcast::<PyList>() {
            Some(list) => list.get(index),
            None => notes.cast::<PyTuple>().get(index).map(|note| note.new_ref()),
        };
        let Some(note) = note else { return Ok(()) };
        index += 1;
        out.push(&*safely(ts, &note, "note", false)?)?;
        out.push_str("\n")?;
    }
}

fn number(slot: &crate::object::Slot<PyObject>) -> Option<i64> {
    slot.get()?.downcast::<PyInt>()?.as_i64()
}

fn push_syntax_error(
    ts: &ThreadState,
    out: &mut StrBuilder,
    error: &PyObject,
    details: &PySyntaxError,
    paint: Paint,
) -> PyResult<()> {
    let not_none = |value: Option<PyRef>| value.filter(|v| !is_none(v));
    let filename = not_none(details.filename.get());
    let line = not_none(details.lineno.get());
    if let Some(line) = &line {
        out.push_str("  File ")?;
        out.push_str(paint.filename)?;
        out.push_str("\"")?;
        match &filename {
            Some(filename) => out.push(&*safely(ts, filename, "filename", false)?)?,
            None => out.push_str("<string>")?,
        }
        out.push_str("\"")?;
        out.push_str(paint.reset)?;
        out.push_str(", line ")?;
        out.push_str(paint.line)?;
        out.push(&*safely(ts, line, "line", false)?)?;
        out.push_str(paint.reset)?;
        out.push_str("\n")?;
    }
    if let Some(text) = details.text.get().and_then(|t| t.downcast_into::<PyStr>().ok()) {
        push_marked_line(out, &text, details, paint)?;
    }
    out.push_str(paint.class)?;
    push_class_name(ts, out, error)?;
    out.push_str(paint.reset)?;
    out.push_str(": ")?;
    out.push_str(paint.message)?;
    match not_none(details.msg.get()) {
        Some(message) => out.push(&*safely(ts, &message, "exception", false)?)?,
        None => out.push_str("<no detail available>")?,
    }
    out.push_str(paint.reset)?;
    if line.is_none()
        && let Some(filename) = &filename
    {
        out.push_str(" (")?;
        out.push(&*safely(ts, filename, "filename", false)?)?;
        out.push_str(")")?;
    }
    Ok(out.push_str("\n")?)
}

/// The line of a syntax error, with carets under the place.
fn push_marked_line(out: &mut StrBuilder, text: &PyStr, details: &PySyntaxError, paint: Paint) -> PyResult<()> {
    let newline = u32::from(b'\n');
    let trailing = text.chars().rev().take_while(|ch| *ch == newline).count();
    let length = text.len() - trailing;
    let spaces = text.chars_in(0..length).take_while(|ch| matches!(*ch, 0x20 | 0x0a | 0x0c)).count();
    let mut offset = match details.offset.get().filter(|o| !is_none(o)) {
        None => None,
        Some(offset) => match offset.downcast::<PyInt>() {
            Some(offset) => Some(offset.as_i64().unwrap_or(i64::MAX)),
            // What is no number says nothing, and neither does the line without it.
            None => return Ok(()),
        },
    };
    out.push_str("    ")?;
    let Some(offset) = &mut offset else {
        out.push_slice(text, spaces, length)?;
        return Ok(out.push_str("\n")?);
    };
    let (full, behind) = (text.len() as i64, length as i64 + 1);
    let mut end = if number(&details.lineno) == number(&details.end_lineno) {
        number(&details.end_offset).filter(|end| *end != 0).unwrap_or(*offset)
    } else {
        behind
    };
    if full != 0 && *offset > full {
        *offset = behind;
    }
    if full != 0 && end > full {
        end = behind;
    }
    if *offset >= end || end < 0 {
        end = *offset + 1;
    }
    let column = *offset - 1 - spaces as i64;
    let end_column = end - 1 - spaces as i64;
    let Ok(column) = usize::try_from(column) else {
        out.push_slice(text, spaces, length)?;
        return Ok(out.push_str("\n")?);
    };
    let marks = (end_column - column as i64).max(0) as usize;
    let from = (spaces + column).min(length);
    let to = (from + marks).min(length);
    out.push_slice(text, spaces, from)?;
    out.push_str(paint.highlight)?;
    out.push_slice(text, from, to)?;
    out.push_str(paint.reset)?;
    out.push_slice(text, to, length)?;
    out.push_str("\n    ")?;
    for ch in text.chars_in(spaces..length).take(column) {
        // Tabs and the like stay, so that the carets stand right.
        out.push_char(if super::source::is_space(ch) { ch } else { u32::from(b' ') })?;
    }
    out.push_str(paint.highlight)?;
    out.push_fill(u32::from(b'^'), marks)?;
    out.push_str(paint.reset)?;
    Ok(out.push_str("\n")?)
}
