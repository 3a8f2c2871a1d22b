//! `_tokenize`: the tokens of Python source, for the module `tokenize`.
//!
//! An iterator asks its `readline` for a line when the tokenizer has used up what it had; the text so far stays,
//! since a token may begin far back.

use core::cell::{Cell, UnsafeCell};

use hognose_allocators::collections::{TryBox, TryVec};
use hognose_frontend::tokenizer::{Done, Flavor, Step, Token, TokenError, Tokenizer, kind};

use crate::modules::ModuleSpec;
use crate::object::{
    Args, AsObject, PyObject, PyRef, PyResult, PyTypeObject, Raised, Ref, Signature, Slot, StaticType, TypeSlots,
    TypeSpec, alloc, call, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::{is_none, none};
use crate::types::owned::owns;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_tokenize",
    doc: "The tokens of Python source.",
    types: &[&TOKENIZER_TYPE],
    ..ModuleSpec::EMPTY
};

/// The tokenizer and its text.
struct Source {
    tokenizer: Tokenizer,
    text: TryVec<u8>,
    /// `readline` has nothing more.
    ended: bool,
    /// The last line has no newline but one that was added.
    implicit_newline: bool,
}

/// What an iterator has of its source, to be freed with it.
struct SourceCell(UnsafeCell<Option<TryBox<Source>>>);

impl SourceCell {
    /// Takes the source out; None while a `readline` that it waits for runs.
    fn take(&self) -> Option<TryBox<Source>> {
        // SAFETY: the GIL is held, and no reference into the cell outlives this function or `put`.
        unsafe { (*self.0.get()).take() }
    }

    fn put(&self, source: TryBox<Source>) {
        // SAFETY: as in `take`.
        unsafe { *self.0.get() = Some(source) };
    }

    fn free(&self, _ts: &ThreadState) {
        drop(self.take());
    }
}

/// `_tokenize.TokenizerIter`.
#[repr(C)]
struct PyTokenizer {
    ob_base: PyObject,
    readline: Slot<PyObject>,
    encoding: Slot<PyStr>,
    source: SourceCell,
    extra_tokens: Cell<bool>,
    done: Cell<bool>,
}

crate::native!(PyTokenizer, TOKENIZER_TYPE);
owns!(PyTokenizer: readline, encoding; numbers source);

static TOKENIZER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_tokenize.TokenizerIter",
    basicsize: size_of::<PyTokenizer>(),
    flags: flags::HAVE_GC,
    doc: "TokenizerIter(readline, /, *, encoding=None, extra_tokens=False)",
    slots: TypeSlots {
        new: Some(new),
        dealloc: Some(PyTokenizer::slot_dealloc),
        traverse: Some(PyTokenizer::slot_traverse),
        clear: Some(PyTokenizer::slot_clear),
        iter: Some(|_, this| Ok(this.new_ref())),
        iternext: Some(next),
        ..TypeSlots::EMPTY
    },
    ..TypeSpec::EMPTY
});

fn new(ts: &ThreadState, class: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("tokenizeriter", ["", "encoding", "extra_tokens"], 1, 1, 1);
    let [Some(readline), encoding, Some(extra_tokens)] = SIGNATURE.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "tokenizeriter() missing required argument 'extra_tokens' (pos 2)");
    };
    let extra_tokens = protocol::is_true(ts, extra_tokens)?;
    let encoding = match encoding.filter(|encoding| !is_none(encoding)) {
        None => None,
        Some(encoding) => match encoding.downcast::<PyStr>() {
            Some(encoding) => Some(Ref::from_borrowed(encoding)),
            None => {
                return raise!(
                    ts,
                    exc::TypeError,
                    "tokenizeriter() argument 'encoding' must be str, not {}",
                    encoding.type_name()
                );
            }
        },
    };
    let source = TryBox::try_new(Source {
        tokenizer: Tokenizer::new(Flavor { extra_tokens, type_comments: false }),
        text: TryVec::new(),
        ended: false,
        implicit_newline: false,
    })?;
    let this = alloc::object::<PyTokenizer>(ts, class)?;
    this.readline.set(Some(readline.new_ref()));
    this.encoding.set(encoding);
    // SAFETY: the object is new, and nobody has looked at the cell yet.
    unsafe { this.source.0.get().write(Some(source)) };
    this.extra_tokens.set(extra_tokens);
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = this.cast::<PyTokenizer>();
    if this.done.get() {
        return Ok(None);
    }
    let Some(mut source) = this.source.take() else {
        return raise!(ts, exc::ValueError, "generator already executing");
    };
    let found = advance(ts, this, &mut source);
    this.source.put(source);
    found.map(Some)
}

/// The next token as a tuple.
fn advance(ts: &ThreadState, this: &PyTokenizer, source: &mut Source) -> PyResult {
    // The lines that a token needs beyond the first double each time, so that a long string is not read again and
    // again.
    let mut wanted = 1;
    loop {
        match source.tokenizer.step(&source.text, source.ended) {
            Step::Token(token) => {
                if token.kind == kind::ENDMARKER {
                    this.done.set(true);
                }
                return describe(ts, this, source, &token);
            }
            Step::NeedMore => {
                for _ in 0..wanted {
                    if source.ended {
                        break;
                    }
                    read_line(ts, this, source)?;
                }
                wanted *= 2;
            }
            Step::Failed => {
                this.done.set(true);
                let error = source.tokenizer.take_error();
                return Err(match error {
                    Some(error) => raise_sentence(ts, source, &error),
                    None => raise_state(ts, source),
                });
            }
        }
    }
}

/// Takes one line more from `readline`.
fn read_line(ts: &ThreadState, this: &PyTokenizer, source: &mut Source) -> PyResult<()> {
    let Some(readline) = this.readline.get() else {
        source.ended = true;
        return Ok(());
    };
    let line = match call::call0(ts, &readline) {
        Ok(line) => line,
        Err(raised) if ts.raised_matches(&exc::StopIteration) => {
            ts.clear_raised(raised);
            source.ended = true;
            return Ok(());
        }
        Err(raised) => return Err(raised),
    };
    let text = match this.encoding.get() {
        Some(encoding) => {
            let Some(bytes) = line.downcast::<PyBytes>() else {
                return raise!(ts, exc::TypeError, "readline() returned a non-bytes object");
            };
            let encoding = encoding.utf8(ts)?;
            crate::types::str::codec::decode(ts, &line, bytes.as_slice(), encoding, "replace")?
        }
        None => line,
    };
    let Some(text) = text.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "readline() returned a non-string object");
    };
    let text = text.utf8(ts)?;
    if text.is_empty() {
        source.ended = true;
        return Ok(());
    }
    source.text.try_extend_from_slice(text.as_bytes())?;
    source.implicit_newline = !text.ends_with('\n');
    if source.implicit_newline {
        source.text.try_push(b'\n')?;
    }
    Ok(())
}

/// How many characters some bytes are.
fn characters(bytes: &[u8]) -> i64 {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as i64
}

fn describe(ts: &ThreadState, this: &PyTokenizer, source: &Source, token: &Token) -> PyResult {
    let extra = this.extra_tokens.get();
    let text = &source.text;
    let mut shown = text.get(token.start..token.end).unwrap_or(&[]);
    let is_string = matches!(
        token.kind,
        kind::STRING | kind::FSTRING_START | kind::FSTRING_MIDDLE | kind::TSTRING_START | kind::TSTRING_MIDDLE
    );
    let trailing =
        token.kind == kind::ENDMARKER || (token.kind == kind::DEDENT && source.tokenizer.done() == Done::Eof);
    let (_, last_start) = source.tokenizer.offsets();
    let (_, line_end) = source.tokenizer.held_lines();
    let line_start = if is_string { source.tokenizer.multi_line_start() } else { last_start };
    let (mut first_line, mut last_line) = (i64::from(token.line), i64::from(token.end_line));
    let implicit = source.implicit_newline && line_end == text.len();
    let line = if extra && trailing {
        &[][..]
    } else {
        let end = if implicit && line_end > line_start { line_end - 1 } else { line_end };
        text.get(line_start..end).unwrap_or(&[])
    };
    let placed = extra || !matches!(token.kind, kind::ENDMARKER | kind::INDENT | kind::DEDENT);
    let (mut column, mut end_column) = (-1, -1);
    if placed && token.start >= line_start {
        column = characters(&text[line_start..token.start]);
    }
    if placed && token.end >= last_start {
        end_column = characters(&text[last_start..token.end]);
    }
    let mut number = token.kind;
    if extra {
        if trailing {
            first_line += 1;
            (last_line, column, end_column) = (first_line, 0, 0);
        }
        if number > kind::DEDENT && number < kind::OP {
            number = kind::OP;
        } else if number == kind::NEWLINE {
            shown = match text.get(token.start) {
                _ if implicit => b"",
                Some(b'\r') => b"\r\n",
                _ => b"\n",
            };
            end_column += 1;
        } else if number == kind::NL && implicit {
            shown = b"";
        }
    }
    let int = |number: i64| PyInt::from_i64(ts, number);
    let string = |bytes: &[u8]| PyStr::from_utf8(ts, bytes, "replace").map(Ref::into_object);
    let start = PyTuple::from_array(ts, [int(first_line)?, int(column)?])?.into_object();
    let end = PyTuple::from_array(ts, [int(last_line)?, int(end_column)?])?.into_object();
    let row = [int(number.into())?, string(shown)?, start, end, string(line)?];
    Ok(PyTuple::from_array(ts, row)?.into_object())
}

/// Raises an error that has a sentence.
fn raise_sentence(ts: &ThreadState, source: &Source, error: &TokenError) -> Raised {
    let line = source.text.get(error.text.0..error.text.1).unwrap_or(&[]);
    let place =
        Place { line: error.line, column: error.column.into(), text: line, end: Some((error.line, error.end_column)) };
    raise_syntax(ts, &exc::SyntaxError, &error.message, &place)
}

/// Raises the error that the tokenizer's state stands for.
fn raise_state(ts: &ThreadState, source: &Source) -> Raised {
    let (class, message) = match source.tokenizer.done() {
        Done::Eof => (&exc::SyntaxError, "unexpected EOF in multi-line statement"),
        Done::Dedent => (&exc::IndentationError, "unindent does not match any outer indentation level"),
        Done::TabSpace => (&exc::TabError, "inconsistent use of tabs and spaces in indentation"),
        Done::TooDeep => (&exc::IndentationError, "too many levels of indentation"),
        Done::LineContinuation => (&exc::SyntaxError, "unexpected character after line continuation character"),
        _ => (&exc::SyntaxError, "unknown tokenization error"),
    };
    let (start, end) = source.tokenizer.held_lines();
    let text = source.text.get(start..end).unwrap_or(&[]);
    let place = Place { line: source.tokenizer.line(), column: characters(text), text, end: None };
    raise_syntax(ts, class, message, &place)
}

struct Place<'a> {
    line: i32,
    column: i64,
    text: &'a [u8],
    end: Option<(i32, i32)>,
}

fn raise_syntax(ts: &ThreadState, class: &'static StaticType, message: &str, place: &Place<'_>) -> Raised {
    let make = || -> PyResult {
        let end = |number: Option<i32>| match number {
            Some(number) => PyInt::from_i64(ts, number.into()),
            None => Ok(none().new_ref()),
        };
        let details = [
            PyStr::new(ts, "<string>")?.into_object(),
            PyInt::from_i64(ts, place.line.into())?,
            PyInt::from_i64(ts, place.column)?,
            PyStr::from_utf8(ts, place.text, "replace")?.into_object(),
            end(place.end.map(|end| end.0))?,
            end(place.end.map(|end| end.1))?,
        ];
        let details = PyTuple::from_array(ts, details)?;
        let message = PyStr::new(ts, message)?;
        call::call_with(ts, class.as_object(), &[message.as_object(), details.as_object()])
    };
    match make() {
        Ok(error) => ts.raise(error),
        Err(raised) => raised,
    }
}
