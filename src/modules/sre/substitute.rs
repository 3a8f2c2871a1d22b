//! Replacing matches: `sub`, `subn`, `expand`, and templates.
//!
//! `re._compile_template` turns a replacement with backslashes into a [`PyTemplate`]; one without them stands for
//! itself, and anything callable is asked for each match.

use hognose_allocators::collections::TryVec;

use super::engine::{Request, Unit};
use super::interrupted;
use super::matched::PyMatch;
use super::pattern::{Mode, PyPattern, Session};
use super::subject::{Subject, with_text};
use crate::object::buffer::{self, Buffer};
use crate::object::{
    Args, AsObject, PyObject, PyRef, PyResult, Ref, Signature, Slot, StaticType, TypeSlots, TypeSpec, alloc, call,
    flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::owned::owns;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;

/// A replacement with group references: a literal, then a group number and a literal in turn.
#[repr(C)]
pub(super) struct PyTemplate {
    ob_base: PyObject,
    /// The first literal.
    literal: Slot<PyObject>,
    /// What follows it: number, literal, number, literal …
    chunks: Slot<PyTuple>,
}

crate::native!(PyTemplate, TEMPLATE_TYPE);
owns!(PyTemplate: literal, chunks);

/// `_sre.SRE_Template`.
pub(super) static TEMPLATE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_sre.SRE_Template",
    basicsize: size_of::<PyTemplate>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(PyTemplate::slot_dealloc),
        traverse: Some(PyTemplate::slot_traverse),
        clear: Some(PyTemplate::slot_clear),
        ..TypeSlots::EMPTY
    },
    ..TypeSpec::EMPTY
});

/// `_sre.template`.
pub(super) fn template(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "template", args.len(), 2, 2)?;
    let Some(items) = args[1].downcast::<PyList>() else {
        return raise!(ts, exc::TypeError, "template() argument 2 must be list, not {}", args[1].type_name());
    };
    let items = items.to_tuple(ts)?;
    if items.len() % 2 == 0 {
        return raise!(ts, exc::TypeError, "invalid template");
    }
    for number in items.items().iter().skip(1).step_by(2) {
        let Some(number) = number.downcast::<PyInt>() else {
            return raise!(ts, exc::TypeError, "an integer is required");
        };
        if number.to_isize(ts)? < 0 {
            return raise!(ts, exc::TypeError, "invalid template");
        }
    }
    let this = alloc::exact::<PyTemplate>(ts)?;
    this.literal.set(items.get(0).map(AsObject::new_ref));
    this.chunks.set(Some(items.slice(ts, 1, items.len())?));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

/// What matches are replaced by.
enum Replacement {
    /// The same each time.
    Literal(PyRef),
    Template(PyRef, Ref<PyTuple>),
    /// What a call with the match returns.
    Function(PyRef),
}

impl Replacement {
    fn new(ts: &ThreadState, pattern: &PyPattern, given: &PyObject) -> PyResult<Replacement> {
        if call::is_callable(given) {
            return Ok(Replacement::Function(given.new_ref()));
        }
        match Subject::new(ts, given) {
            Ok(text) if !text.contains(b'\\') => return Ok(Replacement::Literal(given.new_ref())),
            Ok(_) => {}
            // The template's compiler says what is wrong.
            Err(raised) => ts.clear_raised(raised),
        }
        Replacement::compile(ts, pattern, given)
    }

    /// Has `re._compile_template` parse the replacement.
    fn compile(ts: &ThreadState, pattern: &PyPattern, given: &PyObject) -> PyResult<Replacement> {
        let compiler = protocol::import_attr(ts, "re", "_compile_template")?;
        let compiled = match call::call_with(ts, &compiler, &[pattern.as_object(), given]) {
            Err(raised) if ts.raised_matches(&exc::TypeError) => {
                // One that has no hash cannot be a key of the compiler's cache: it is retried as a plain one.
                let plain = if let Some(text) = given.downcast::<PyStr>().filter(|text| !text.is_exact()) {
                    ts.clear_raised(raised);
                    text.to_exact(ts)?.into_object()
                } else if buffer::has_buffer(given) && given.downcast_exact::<PyBytes>().is_none() {
                    ts.clear_raised(raised);
                    PyBytes::new(ts, Buffer::get(ts, given, buffer::SIMPLE)?.as_slice())?.into_object()
                } else {
                    return Err(raised);
                };
                call::call_with(ts, &compiler, &[pattern.as_object(), &plain])?
            }
            other => other?,
        };
        let Some(template) = compiled.downcast_exact::<PyTemplate>() else {
            return raise!(
                ts,
                exc::RuntimeError,
                "the result of compiling a replacement string is {}, not {}",
                compiled.type_name(),
                TEMPLATE_TYPE.object.name()
            );
        };
        let literal = template.literal.get().unwrap_or_else(|| ts.none());
        match template.chunks.get() {
            Some(chunks) if !chunks.is_empty() => Ok(Replacement::Template(literal, chunks)),
            _ => Ok(Replacement::Literal(literal)),
        }
    }
}

/// Calls `each` with the pieces of a template, groups' texts by number from `group`; None is left out.
fn fill(
    literal: &PyObject,
    chunks: &PyTuple,
    mut group: impl FnMut(usize) -> PyResult<()>,
    mut text: impl FnMut(&PyObject) -> PyResult<()>,
) -> PyResult<()> {
    text(literal)?;
    for (index, chunk) in chunks.items().iter().enumerate() {
        if index % 2 == 0 {
            let number = chunk.downcast::<PyInt>().and_then(PyInt::as_u64).unwrap_or(u64::MAX);
            group(usize::try_from(number).unwrap_or(usize::MAX))?;
        } else {
            text(chunk)?;
        }
    }
    Ok(())
}

/// The result, being put together.
struct Output {
    text: Joined,
    /// How many pieces there are, for messages.
    pieces: usize,
}

enum Joined {
    Str(StrBuilder),
    Bytes(TryVec<u8>),
}

impl Output {
    fn new(is_bytes: bool) -> Output {
        let text = if is_bytes { Joined::Bytes(TryVec::new()) } else { Joined::Str(StrBuilder::new()) };
        Output { text, pieces: 0 }
    }

    /// Appends a part of the subject.
    fn push_span(&mut self, subject: &Subject<'_>, start: usize, end: usize) -> PyResult<()> {
        self.pieces += 1;
        match (&mut self.text, subject) {
            (Joined::Str(text), Subject::Str(from)) => text.push_slice(from, start, end)?,
            (Joined::Bytes(bytes), Subject::Bytes(from)) => {
                bytes.try_extend_from_slice(&from.as_slice()[start..end])?
            }
            (Joined::Bytes(bytes), Subject::View(from)) => bytes.try_extend_from_slice(&from.as_slice()[start..end])?,
            _ => unreachable!("the output is of the subject's kind"),
        }
        Ok(())
    }

    /// Appends a piece that is an object of the same kind. TypeError for another one.
    fn push(&mut self, ts: &ThreadState, piece: &PyObject) -> PyResult<()> {
        let index = self.pieces;
        self.pieces += 1;
        match &mut self.text {
            Joined::Str(text) => match piece.downcast::<PyStr>() {
                Some(piece) => text.push(piece)?,
                None => {
                    return raise!(
                        ts,
                        exc::TypeError,
                        "sequence item {index}: expected str instance, {} found",
                        piece.type_name()
                    );
                }
            },
            Joined::Bytes(bytes) => {
                if let Some(piece) = piece.downcast_exact::<PyBytes>() {
                    bytes.try_extend_from_slice(piece.as_slice())?;
                } else if buffer::has_buffer(piece) {
                    bytes.try_extend_from_slice(Buffer::get(ts, piece, buffer::SIMPLE)?.as_slice())?;
                } else {
                    return raise!(
                        ts,
                        exc::TypeError,
                        "sequence item {index}: expected a bytes-like object, {} found",
                        piece.type_name()
                    );
                }
            }
        }
        Ok(())
    }

    fn finish(self, ts: &ThreadState) -> PyResult {
        match self.text {
            Joined::Str(text) => Ok(text.finish(ts)?.into_object()),
            Joined::Bytes(bytes) => Ok(PyBytes::new(ts, &bytes)?.into_object()),
        }
    }
}

/// `Pattern.sub` and `Pattern.subn`.
pub(super) fn method(ts: &ThreadState, this: &PyObject, args: Args<'_>, name: &'static str) -> PyResult {
    let signature = Signature::new(name, ["repl", "string", "count"], 0, 3, 2);
    let [Some(given), Some(string), count] = signature.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "{name}() takes a replacement and a string");
    };
    let pattern = this.cast::<PyPattern>();
    let max = count.map_or(Ok(0), |count| protocol::as_isize(ts, count))?;
    let replacement = Replacement::new(ts, pattern, given)?;
    let subject = pattern.subject(ts, string)?;
    let (text, count) = with_text!(subject, |units| replace(ts, pattern, string, &subject, units, &replacement, max))?;
    if name == "sub" {
        return Ok(text);
    }
    Ok(PyTuple::from_array(ts, [text, PyInt::from_usize(ts, count)?])?.into_object())
}

/// Replaces the first `max` matches, all for 0. Returns the text and their number.
fn replace<U: Unit>(
    ts: &ThreadState,
    pattern: &PyPattern,
    string: &PyObject,
    subject: &Subject<'_>,
    units: &[U],
    replacement: &Replacement,
    max: isize,
) -> PyResult<(PyRef, usize)> {
    let interrupt = || interrupted(ts);
    let mut session = Session::new(ts, pattern, Request { interrupt: Some(&interrupt), ..Request::new(units) })?;
    let mut output = Output::new(subject.is_bytes());
    let (mut count, mut done) = (0, 0);
    while (max == 0 || (count as isize) < max) && session.run(Mode::Search)? {
        let (start, end) = (session.state().start(), session.state().end());
        if done < start {
            output.push_span(subject, done, start)?;
        }
        match replacement {
            Replacement::Literal(literal) => output.push(ts, literal)?,
            Replacement::Template(literal, chunks) => {
                let output = core::cell::RefCell::new(&mut output);
                let state = session.state();
                fill(
                    literal,
                    chunks,
                    |group| {
                        if group > pattern.groups() {
                            return raise!(ts, exc::IndexError, "no such group");
                        }
                        match state.group(group) {
                            Some((start, end)) => output.borrow_mut().push_span(subject, start, end),
                            None => Ok(()),
                        }
                    },
                    |text| output.borrow_mut().push(ts, text),
                )?;
            }
            Replacement::Function(function) => {
                let found = PyMatch::new(ts, pattern, string, session.state(), 0, units.len())?;
                let piece = call::call_with(ts, function, &[found.as_object()])?;
                if !is_none(&piece) {
                    output.push(ts, &piece)?;
                }
            }
        }
        done = end;
        count += 1;
        session.state().advance();
    }
    if count == 0 {
        return Ok((subject.slice(ts, 0, units.len())?, 0));
    }
    if done < units.len() {
        output.push_span(subject, done, units.len())?;
    }
    Ok((output.finish(ts)?, count))
}

/// `Match.expand`.
pub(super) fn expand(
    ts: &ThreadState,
    pattern: &PyPattern,
    found: &PyMatch,
    string: &PyObject,
    given: &PyObject,
) -> PyResult {
    let (literal, chunks) = match Replacement::compile(ts, pattern, given)? {
        Replacement::Template(literal, chunks) => (literal, chunks),
        Replacement::Literal(literal) | Replacement::Function(literal) => return Ok(literal),
    };
    let output = core::cell::RefCell::new(Output::new(!string.is_a::<PyStr>()));
    fill(
        &literal,
        &chunks,
        |group| {
            let text = found.numbered_group(ts, group)?;
            if is_none(&text) {
                return Ok(());
            }
            output.borrow_mut().push(ts, &text)
        },
        |text| output.borrow_mut().push(ts, text),
    )?;
    output.into_inner().finish(ts)
}
