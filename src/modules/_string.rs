//! `_string`: the parser of format strings, for `string.Formatter`.

use core::cell::Cell;
use core::ops::ControlFlow;

use crate::modules::ModuleSpec;
use crate::object::{
    AsObject, MethodDef, PyObject, PyRef, PyResult, Ref, Slot, StaticType, TypeSlots, TypeSpec, Visitor, alloc, flags,
    gc, ready,
};
use crate::raise;
use crate::state::ThreadState;
use crate::text::format_string::{First, Markups, Step, split_name};
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::{PyStr, raise_message};
use crate::types::tuple::PyTuple;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_string",
    doc: "Helpers of the string module.",
    methods: &[
        MethodDef::one(
            "formatter_field_name_split",
            field_name_split,
            "Splits a field's name into its beginning and its steps.",
        ),
        MethodDef::one("formatter_parser", parser, "Iterates over the literals and fields of a format string."),
    ],
    // The iterators' types are not attributes of the module.
    exec: Some(|ts, _| {
        ready::ready_static(ts, &FORMATTER_ITERATOR_TYPE)?;
        ready::ready_static(ts, &FIELD_NAME_ITERATOR_TYPE)
    }),
    ..ModuleSpec::EMPTY
};

/// An iterator that parses a text as it goes: the rest of it begins at `at`.
#[repr(C)]
struct PyParser {
    ob_base: PyObject,
    text: Slot<PyStr>,
    at: Cell<usize>,
}
crate::native!(PyParser, FORMATTER_ITERATOR_TYPE);

/// The same struct under the type for field names.
#[repr(transparent)]
struct PyFieldNameIterator(PyParser);
crate::native!(PyFieldNameIterator, FIELD_NAME_ITERATOR_TYPE);

const fn spec(
    name: &'static core::ffi::CStr,
    next: fn(&ThreadState, &PyObject) -> PyResult<Option<PyRef>>,
) -> TypeSpec {
    TypeSpec {
        name,
        basicsize: size_of::<PyParser>(),
        flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
        slots: TypeSlots {
            dealloc: Some(dealloc),
            traverse: Some(traverse),
            clear: Some(clear),
            iter: Some(|_, this| Ok(this.new_ref())),
            iternext: Some(next),
            ..TypeSlots::EMPTY
        },
        ..TypeSpec::EMPTY
    }
}

static FORMATTER_ITERATOR_TYPE: StaticType = StaticType::new(spec(c"formatteriterator", next_markup));
static FIELD_NAME_ITERATOR_TYPE: StaticType = StaticType::new(spec(c"fieldnameiterator", next_step));

fn state(object: &PyObject) -> &PyParser {
    debug_assert!(object.is_a::<PyParser>() || object.is_a::<PyFieldNameIterator>());
    // SAFETY: only the two types' slots come here, and both have this struct.
    unsafe { &*core::ptr::from_ref(object).cast::<PyParser>() }
}

fn begin(ts: &ThreadState, made: PyRef, text: &PyStr, at: usize) -> PyRef {
    let parser = state(&made);
    parser.text.set(Some(Ref::from_borrowed(text)));
    parser.at.set(at);
    gc::track(ts, parser);
    made
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is still whole; its field is dropped before its memory is freed.
    unsafe {
        gc::untrack(&*object);
        state(&*object).text.set(None);
        alloc::free(ts, object);
    }
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    visitor.slot(&state(object).text)
}

fn clear(_ts: &ThreadState, object: &PyObject) {
    state(object).text.set(None);
}

fn string_argument<'a>(ts: &ThreadState, object: &'a PyObject) -> PyResult<&'a PyStr> {
    match object.downcast() {
        Some(text) => Ok(text),
        None => raise!(ts, exc::TypeError, "expected str, got {}", object.type_name()),
    }
}

fn parser(ts: &ThreadState, _module: &PyObject, text: &PyObject) -> PyResult {
    let text = string_argument(ts, text)?;
    Ok(begin(ts, alloc::exact::<PyParser>(ts)?.into_object(), text, 0))
}

/// The next `(literal, field name, spec, conversion)`.
fn next_markup(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = state(this);
    let Some(text) = this.text.get() else { return Ok(None) };
    let mut markups = Markups::new(&*text, this.at.get()..text.len());
    let markup = match markups.next() {
        None => return Ok(None),
        Some(Ok(markup)) => markup,
        Some(Err(message)) => {
            this.at.set(text.len());
            return Err(raise_message(ts, message, &text, "str"));
        }
    };
    this.at.set(markups.position());
    let literal = text.slice(ts, markup.literal.start, markup.literal.end)?;
    let none = ts.none();
    let parts = match markup.field {
        None => PyTuple::new(ts, &[literal.as_object(), &none, &none, &none])?,
        Some(field) => {
            let name = text.slice(ts, field.name.start, field.name.end)?;
            let spec = text.slice(ts, field.spec.start, field.spec.end)?;
            let conversion = match field.conversion {
                Some(ch) => PyStr::from_char(ts, ch)?.into_object(),
                None => none,
            };
            PyTuple::new(ts, &[literal.as_object(), name.as_object(), spec.as_object(), &conversion])?
        }
    };
    Ok(Some(parts.into_object()))
}

/// `(first, iterator over the steps)`.
fn field_name_split(ts: &ThreadState, _module: &PyObject, name: &PyObject) -> PyResult {
    let text = string_argument(ts, name)?;
    let (first, steps) = match split_name(text, 0..text.len()) {
        Ok(parts) => parts,
        Err(message) => return Err(raise_message(ts, message, text, "str")),
    };
    let first = match first {
        First::Next => PyStr::empty().into_object(),
        First::Index(index) => PyInt::from_usize(ts, index)?.into_object(),
        First::Name(name) => text.slice(ts, name.start, name.end)?.into_object(),
    };
    let rest = begin(ts, alloc::exact::<PyFieldNameIterator>(ts)?.into_object(), text, steps.position());
    PyTuple::pair(ts, &first, &rest).map(Ref::into_object)
}

/// The next `(is attribute, name)`.
fn next_step(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let this = state(this);
    let Some(text) = this.text.get() else { return Ok(None) };
    let mut steps = crate::text::format_string::Steps::new(&*text, this.at.get()..text.len());
    let step = match steps.next() {
        None => return Ok(None),
        Some(Ok(step)) => step,
        Some(Err(message)) => {
            this.at.set(text.len());
            return Err(raise_message(ts, message, &text, "str"));
        }
    };
    this.at.set(steps.position());
    let name = match &step {
        Step::Attribute(name) | Step::Key(name) => text.slice(ts, name.start, name.end)?.into_object(),
        Step::Index(index) => PyInt::from_usize(ts, *index)?.into_object(),
    };
    let is_attribute = py_bool(matches!(step, Step::Attribute(_)));
    Ok(Some(PyTuple::pair(ts, &is_attribute, &name)?.into_object()))
}
