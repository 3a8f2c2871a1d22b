//! `string.templatelib`: what a t-string makes, `Template` and its `Interpolation`s (PEP 750).

use core::cell::Cell;
use core::ops::ControlFlow;

use hognose_allocators::collections::TryVec;

use super::exceptions as exc;
use super::none;
use super::str::{PyStr, StrBuilder};
use super::tuple::PyTuple;
use crate::id;
use crate::object::call::{Args, Signature};
use crate::object::{
    AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, StaticType, TypeSlots,
    TypeSpec, ValueDef, Visitor, alloc, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&TEMPLATE_TYPE, &INTERPOLATION_TYPE, &TEMPLATE_ITER_TYPE];

/// A template: strings with interpolations between them.
#[repr(C)]
pub struct PyTemplate {
    ob_base: PyObject,
    /// One more than there are interpolations.
    strings: Slot<PyTuple>,
    interpolations: Slot<PyTuple>,
}
crate::native!(PyTemplate, TEMPLATE_TYPE);

/// A value in a template, with how it was written.
#[repr(C)]
pub struct PyInterpolation {
    ob_base: PyObject,
    value: Slot<PyObject>,
    expression: Slot<PyObject>,
    /// None, or `'a'`, `'r'` or `'s'`.
    conversion: Slot<PyObject>,
    format_spec: Slot<PyObject>,
}
crate::native!(PyInterpolation, INTERPOLATION_TYPE);

/// An iterator over a template: the strings that are not empty, and the interpolations, in their order.
#[repr(C)]
pub struct PyTemplateIter {
    ob_base: PyObject,
    template: Slot<PyTemplate>,
    /// Twice the number of strings that have passed, plus one when their interpolation is next.
    position: Cell<usize>,
}
crate::native!(PyTemplateIter, TEMPLATE_ITER_TYPE);

/// `string.templatelib.Template`.
pub static TEMPLATE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"string.templatelib.Template",
    basicsize: size_of::<PyTemplate>(),
    flags: flags::HAVE_GC,
    doc: "Template object",
    slots: TypeSlots {
        new: Some(template_new),
        dealloc: Some(template_dealloc),
        traverse: Some(template_traverse),
        clear: Some(template_clear),
        repr: Some(template_repr),
        iter: Some(template_iter),
        sq_concat: Some(template_concat),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__reduce__", template_reduce, "Helps to pickle."),
        MethodDef::one("__class_getitem__", class_getitem, "Template is generic in name only.").class(),
    ],
    getset: &[
        GetSetDef::get("strings", template_strings, "The strings, one more than there are interpolations."),
        GetSetDef::get("interpolations", template_interpolations, "The interpolations."),
        GetSetDef::get("values", template_values, "The values of the interpolations."),
    ],
    ..TypeSpec::EMPTY
});

/// `string.templatelib.Interpolation`.
pub static INTERPOLATION_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"string.templatelib.Interpolation",
    basicsize: size_of::<PyInterpolation>(),
    flags: flags::HAVE_GC,
    doc: "Interpolation object",
    slots: TypeSlots {
        new: Some(interpolation_new),
        dealloc: Some(interpolation_dealloc),
        traverse: Some(interpolation_traverse),
        clear: Some(interpolation_clear),
        repr: Some(interpolation_repr),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__reduce__", interpolation_reduce, "Helps to pickle."),
        MethodDef::one("__class_getitem__", class_getitem, "Interpolation is generic in name only.").class(),
    ],
    getset: &[
        GetSetDef::get("value", |_, this| Ok(held(&this.cast::<PyInterpolation>().value)), "The value."),
        GetSetDef::get("expression", |_, this| Ok(held(&this.cast::<PyInterpolation>().expression)), "Its source."),
        GetSetDef::get(
            "conversion",
            |_, this| Ok(held(&this.cast::<PyInterpolation>().conversion)),
            "'a', 'r', 's' or None.",
        ),
        GetSetDef::get(
            "format_spec",
            |_, this| Ok(held(&this.cast::<PyInterpolation>().format_spec)),
            "What stands after the colon.",
        ),
    ],
    values: &[ValueDef { name: "__match_args__", make: interpolation_match_args }],
    ..TypeSpec::EMPTY
});

/// `string.templatelib.TemplateIter`.
pub static TEMPLATE_ITER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"string.templatelib.TemplateIter",
    basicsize: size_of::<PyTemplateIter>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    doc: "Template iterator object",
    slots: TypeSlots {
        dealloc: Some(iter_dealloc),
        traverse: Some(iter_traverse),
        clear: Some(iter_clear),
        iter: Some(|_, this| Ok(this.new_ref())),
        iternext: Some(iter_next),
        ..TypeSlots::EMPTY
    },
    ..TypeSpec::EMPTY
});

/// What a slot holds; None after the collector has cleared it.
fn held(slot: &Slot<PyObject>) -> PyRef {
    slot.get().unwrap_or_else(|| none::none().new_ref())
}

fn class_getitem(ts: &ThreadState, class: &PyObject, item: &PyObject) -> PyResult {
    super::genericalias::new(ts, class, item)
}

/* ---- Template ---- */

impl PyTemplate {
    /// A template of strings and interpolations, of which there is one fewer (`BUILD_TEMPLATE`).
    pub fn new(ts: &ThreadState, strings: &PyTuple, interpolations: &PyTuple) -> PyResult<Ref<PyTemplate>> {
        debug_assert_eq!(strings.len(), interpolations.len() + 1);
        let made = alloc::exact::<PyTemplate>(ts)?;
        made.strings.set(Some(Ref::from_borrowed(strings)));
        made.interpolations.set(Some(Ref::from_borrowed(interpolations)));
        gc::track(ts, &*made);
        Ok(made)
    }

    fn strings(&self) -> Ref<PyTuple> {
        self.strings.get().unwrap_or_else(PyTuple::empty)
    }

    fn interpolations(&self) -> Ref<PyTuple> {
        self.interpolations.get().unwrap_or_else(PyTuple::empty)
    }
}

fn template_new(ts: &ThreadState, _of: &PyTypeObject, arguments: Args<'_>) -> PyResult {
    if arguments.has_keywords() {
        return raise!(ts, exc::TypeError, "Template.__new__ only accepts *args arguments");
    }
    let mut strings = TryVec::<PyRef>::new();
    let mut interpolations = TryVec::<PyRef>::new();
    // Strings in a row become one; between two interpolations stands an empty one.
    let mut current = PyStr::empty();
    for part in arguments.positional() {
        if let Some(text) = part.downcast::<PyStr>() {
            current = PyStr::concat(ts, &current, text)?;
        } else if part.is_a::<PyInterpolation>() {
            strings.try_push(core::mem::replace(&mut current, PyStr::empty()).into_object())?;
            interpolations.try_push(part.new_ref())?;
        } else {
            return raise!(
                ts,
                exc::TypeError,
                "Template.__new__ *args need to be of type 'str' or 'Interpolation', got {}",
                part.type_name()
            );
        }
    }
    strings.try_push(current.into_object())?;
    let strings = PyTuple::from_vec(ts, strings)?;
    let interpolations = PyTuple::from_vec(ts, interpolations)?;
    PyTemplate::new(ts, &strings, &interpolations).map(Ref::into_object)
}

unsafe fn template_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is still whole; its fields are dropped before its memory is freed.
    unsafe {
        gc::untrack(&*object);
        template_clear(ts, &*object);
        alloc::free(ts, object);
    }
}

fn template_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    // The types are final, so this is one.
    let this = object.cast::<PyTemplate>();
    visitor.slot(&this.strings)?;
    visitor.slot(&this.interpolations)
}

fn template_clear(_ts: &ThreadState, object: &PyObject) {
    let this = object.cast::<PyTemplate>();
    this.strings.set(None);
    this.interpolations.set(None);
}

fn template_repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = this.cast::<PyTemplate>();
    let mut out = StrBuilder::new();
    out.push_ascii(b"Template(strings=")?;
    out.push_repr(ts, this.strings().as_object())?;
    out.push_ascii(b", interpolations=")?;
    out.push_repr(ts, this.interpolations().as_object())?;
    out.push_ascii(b")")?;
    out.finish(ts).map(Ref::into_object)
}

fn template_iter(ts: &ThreadState, this: &PyObject) -> PyResult {
    let made = alloc::exact::<PyTemplateIter>(ts)?;
    made.template.set(Some(Ref::from_borrowed(this.cast::<PyTemplate>())));
    gc::track(ts, &*made);
    Ok(made.into_object())
}

fn template_concat(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    let (Some(a), Some(b)) = (left.downcast::<PyTemplate>(), right.downcast::<PyTemplate>()) else {
        return raise!(
            ts,
            exc::TypeError,
            "can only concatenate {} (not \"{}\") to {0}",
            TEMPLATE_TYPE.full_name(),
            right.ob_type().full_name()
        );
    };
    let (a_strings, b_strings) = (a.strings(), b.strings());
    let (Some((last, head)), Some((first, tail))) = (a_strings.items().split_last(), b_strings.items().split_first())
    else {
        return Ok(left.new_ref());
    };
    let middle = PyStr::concat(ts, last.cast(), first.cast())?;
    let mut strings = TryVec::<PyRef>::new();
    let pieces = head.iter().copied().chain([middle.as_object()]).chain(tail.iter().copied());
    for piece in pieces {
        strings.try_push(piece.new_ref())?;
    }
    let mut interpolations = TryVec::<PyRef>::new();
    for piece in a.interpolations().items().iter().chain(b.interpolations().items()) {
        interpolations.try_push(piece.new_ref())?;
    }
    let strings = PyTuple::from_vec(ts, strings)?;
    let interpolations = PyTuple::from_vec(ts, interpolations)?;
    PyTemplate::new(ts, &strings, &interpolations).map(Ref::into_object)
}

fn template_reduce(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = this.cast::<PyTemplate>();
    let unpickle = protocol::import_attr(ts, "string.templatelib", "_template_unpickle")?;
    let arguments = PyTuple::pair(ts, this.strings().as_object(), this.interpolations().as_object())?;
    PyTuple::pair(ts, &unpickle, arguments.as_object()).map(Ref::into_object)
}

fn template_strings(_ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(this.cast::<PyTemplate>().strings().into_object())
}

fn template_interpolations(_ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(this.cast::<PyTemplate>().interpolations().into_object())
}

fn template_values(ts: &ThreadState, this: &PyObject) -> PyResult {
    let mut values = TryVec::<PyRef>::new();
    for item in this.cast::<PyTemplate>().interpolations().items() {
        values.try_push(held(&item.cast::<PyInterpolation>().value))?;
    }
    PyTuple::from_vec(ts, values).map(Ref::into_object)
}

/* ---- Interpolation ---- */

impl PyInterpolation {
    /// An interpolation (`BUILD_INTERPOLATION`); the conversion is `a`, `r` or `s`.
    pub fn new(
        ts: &ThreadState,
        value: &PyObject,
        expression: &PyObject,
        conversion: Option<char>,
        format_spec: &PyObject,
    ) -> PyResult<Ref<PyInterpolation>> {
        let conversion = match conversion {
            Some(ch) => PyStr::from_char(ts, u32::from(ch))?.into_object(),
            None => ts.none(),
        };
        PyInterpolation::with(ts, value, expression, conversion, format_spec)
    }

    fn with(
        ts: &ThreadState,
        value: &PyObject,
        expression: &PyObject,
        conversion: PyRef,
        format_spec: &PyObject,
    ) -> PyResult<Ref<PyInterpolation>> {
        let made = alloc::exact::<PyInterpolation>(ts)?;
        made.value.set(Some(value.new_ref()));
        made.expression.set(Some(expression.new_ref()));
        made.conversion.set(Some(conversion));
        made.format_spec.set(Some(format_spec.new_ref()));
        gc::track(ts, &*made);
        Ok(made)
    }

    fn fields(&self) -> [PyRef; 4] {
        [held(&self.value), held(&self.expression), held(&self.conversion), held(&self.format_spec)]
    }
}

static INTERPOLATION: Signature<4> =
    Signature::new("Interpolation", ["value", "expression", "conversion", "format_spec"], 0, 4, 1);

fn interpolation_new(ts: &ThreadState, _of: &PyTypeObject, arguments: Args<'_>) -> PyResult {
    let [value, expression, conversion, format_spec] = INTERPOLATION.parse(ts, arguments)?;
    let Some(value) = value else { unreachable!("it is required") };
    let text = |name: &str, given: Option<&PyObject>| match given {
        None => Ok(PyStr::empty().into_object()),
        Some(given) if given.is_a::<PyStr>() => Ok(given.new_ref()),
        Some(given) => raise!(
            ts,
            exc::TypeError,
            "Interpolation() argument '{name}' must be str, not {}",
            if given.is(none::none()) { "None" } else { given.type_name() }
        ),
    };
    let expression = text("expression", expression)?;
    let conversion = match conversion.filter(|conversion| !conversion.is(none::none())) {
        None => ts.none(),
        Some(conversion) => match conversion.downcast::<PyStr>() {
            Some(text) if text.len() == 1 && matches!(text.char_at(0), 0x61 | 0x72 | 0x73) => conversion.new_ref(),
            Some(_) => {
                return raise!(
                    ts,
                    exc::ValueError,
                    "Interpolation() argument 'conversion' must be one of 's', 'a' or 'r'"
                );
            }
            None => {
                return raise!(
                    ts,
                    exc::TypeError,
                    "Interpolation() argument 'conversion' must be str, not {}",
                    conversion.type_name()
                );
            }
        },
    };
    let format_spec = text("format_spec", format_spec)?;
    PyInterpolation::with(ts, value, &expression, conversion, &format_spec).map(Ref::into_object)
}

unsafe fn interpolation_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is still whole; its fields are dropped before its memory is freed.
    unsafe {
        gc::untrack(&*object);
        interpolation_clear(ts, &*object);
        alloc::free(ts, object);
    }
}

fn interpolation_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    let this = object.cast::<PyInterpolation>();
    visitor.slot(&this.value)?;
    visitor.slot(&this.expression)?;
    visitor.slot(&this.conversion)?;
    visitor.slot(&this.format_spec)
}

fn interpolation_clear(_ts: &ThreadState, object: &PyObject) {
    let this = object.cast::<PyInterpolation>();
    for slot in [&this.value, &this.expression, &this.conversion, &this.format_spec] {
        slot.set(None);
    }
}

fn interpolation_repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let mut out = StrBuilder::new();
    out.push_ascii(b"Interpolation(")?;
    for (index, field) in this.cast::<PyInterpolation>().fields().iter().enumerate() {
        if index != 0 {
            out.push_ascii(b", ")?;
        }
        out.push_repr(ts, field)?;
    }
    out.push_ascii(b")")?;
    out.finish(ts).map(Ref::into_object)
}

fn interpolation_reduce(ts: &ThreadState, this: &PyObject) -> PyResult {
    let fields = this.cast::<PyInterpolation>().fields();
    let arguments = PyTuple::new(ts, crate::object::call::borrow_all(&fields))?;
    PyTuple::pair(ts, this.ob_type().as_object(), arguments.as_object()).map(Ref::into_object)
}

fn interpolation_match_args(ts: &ThreadState) -> PyResult {
    let names = [id!(value), id!(expression), id!(conversion), id!(format_spec)].map(AsObject::as_object);
    PyTuple::new(ts, &names).map(Ref::into_object)
}

/* ---- TemplateIter ---- */

unsafe fn iter_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is still whole; its field is dropped before its memory is freed.
    unsafe {
        gc::untrack(&*object);
        iter_clear(ts, &*object);
        alloc::free(ts, object);
    }
}

fn iter_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    visitor.slot(&object.cast::<PyTemplateIter>().template)
}

fn iter_clear(_ts: &ThreadState, object: &PyObject) {
    object.cast::<PyTemplateIter>().template.set(None);
}

fn iter_next(_ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    let this = object.cast::<PyTemplateIter>();
    let Some(template) = this.template.get() else {
        return Ok(None);
    };
    loop {
        let position = this.position.get();
        this.position.set(position + 1);
        let (strings, interpolations) = (template.strings(), template.interpolations());
        let source = if position.is_multiple_of(2) { &strings } else { &interpolations };
        match source.items().get(position / 2) {
            Some(text) if position.is_multiple_of(2) && text.cast::<PyStr>().is_empty() => {}
            Some(item) => return Ok(Some(item.new_ref())),
            None => {
                this.template.set(None);
                return Ok(None);
            }
        }
    }
}
