//! Struct sequences: tuples whose items have names, as `os.stat` and `time.localtime` return them.
//!
//! ```text
//!  ┌────────┬─────────┬─────────┬────────┬───┬──────────┬──────────┬───
//!  │ header │ ob_size │ ob_hash │ item 0 │ … │ hidden 0 │ hidden 1 │ …
//!  └────────┴─────────┴─────────┴────────┴───┴──────────┴──────────┴───
//!                                └ ob_size items ┘  fields by name only
//! ```
//!
//! I1: an instance's basic size is a tuple's and a word per hidden field, so its type knows how many there are.
//! I2: every place of an instance holds an object once the instance is in use; the types cannot be subclassed.

use core::ops::ControlFlow;

use crate::object::call::Args;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::builtin_function::PyBuiltinFunction;
use crate::types::descr;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::{PyTuple, TUPLE_TYPE};
use crate::{id, raise};

/// A field of a struct sequence.
#[derive(Clone, Copy)]
pub struct StructSeqField {
    /// The attribute's name; empty for an item without one.
    pub name: &'static str,
    /// The attribute's docstring.
    pub doc: &'static str,
}

/// The declaration of a struct sequence type.
pub struct StructSeqSpec {
    /// The name with its module.
    pub name: &'static str,
    /// The docstring.
    pub doc: &'static str,
    /// The fields: first those that are items, then those that are attributes only.
    pub fields: &'static [StructSeqField],
    /// How many fields are items.
    pub in_sequence: usize,
}

const METHODS: &[MethodDef] = &[
    MethodDef::no_args("__reduce__", reduce, ""),
    MethodDef::keywords(
        "__replace__",
        replace,
        "__replace__($self, /, **changes)\n--\n\nA copy with new values for the given fields.",
    ),
];

/// Makes a type.
pub fn new_type(ts: &ThreadState, spec: &'static StructSeqSpec) -> PyResult<Ref<PyTypeObject>> {
    let (module, name) = spec.name.rsplit_once('.').unwrap_or(("builtins", spec.name));
    let dict = PyDict::new(ts)?;
    let module = PyStr::intern(ts, module)?;
    dict.set_str(ts, id!(__module__), module.as_object())?;
    let doc = PyStr::new(ts, spec.doc)?;
    dict.set_str(ts, id!(__doc__), doc.as_object())?;
    dict.set_str(ts, id!(__slots__), PyTuple::empty().as_object())?;
    let class = crate::types::typ::new_class(ts, name, &[TUPLE_TYPE.as_object()], &dict)?;
    let typ: Ref<PyTypeObject> = class.cast_into();
    let Some(dict) = typ.dict(ts) else {
        return raise!(ts, exc::SystemError, "a new class has no dictionary");
    };
    dict.remove_str(ts, id!(__slots__))?;
    let hidden = spec.fields.len() - spec.in_sequence;
    typ.tp_basicsize.set((size_of::<PyTuple>() + hidden * WORD) as isize);
    typ.set_flag(flags::BASETYPE, false);
    let own = TypeSlots { repr: Some(repr), ..TypeSlots::EMPTY };
    // SAFETY: the class has no instances and no subclasses yet.
    unsafe {
        let slots = typ.slots_mut();
        slots.new = Some(new);
        slots.repr = own.repr;
        slots.dealloc = Some(dealloc);
        slots.traverse = Some(traverse);
        slots.clear = None;
    }
    ready::add_wrappers(ts, &typ, &own, &dict)?;
    let constructor = PyBuiltinFunction::new_of_type(ts, &typ)?;
    dict.set_str(ts, id!(__new__), &constructor)?;
    ready::add_methods(ts, &typ, METHODS, &dict)?;
    add_fields(ts, &typ, spec, &dict)?;
    Ok(typ)
}

const WORD: usize = size_of::<*mut PyObject>();

fn add_fields(ts: &ThreadState, typ: &PyTypeObject, spec: &'static StructSeqSpec, dict: &PyDict) -> PyResult<()> {
    let mut names = hognose_allocators::collections::TryVec::<PyRef>::new();
    for (index, field) in spec.fields.iter().enumerate() {
        if field.name.is_empty() {
            continue;
        }
        let name = PyStr::intern(ts, field.name)?;
        let doc = if field.doc.is_empty() { None } else { Some(field.doc) };
        let place = descr::field_descriptor(ts, typ, &name, size_of::<PyTuple>() + index * WORD, doc)?;
        dict.set_str(ts, &name, &place)?;
        if index < spec.in_sequence {
            names.try_push(name.into_object())?;
        }
    }
    let unnamed = spec.fields.iter().filter(|f| f.name.is_empty()).count();
    for (name, count) in [
        (id!(n_sequence_fields), spec.in_sequence),
        (id!(n_fields), spec.fields.len()),
        (id!(n_unnamed_fields), unnamed),
    ] {
        dict.set_str(ts, name, &*PyInt::from_usize(ts, count)?)?;
    }
    dict.set_str(ts, id!(__match_args__), PyTuple::from_vec(ts, names)?.as_object())
}

/// An instance of a struct sequence type with all of its fields' values, hidden ones last; those not given are None.
pub fn new_instance(ts: &ThreadState, typ: &PyTypeObject, values: &[&PyObject]) -> PyResult {
    let items = count_of(ts, typ, id!(n_sequence_fields))?;
    let instance = alloc::var_object::<PyTuple>(ts, typ, items)?;
    for index in 0..items + hidden(typ) {
        let value = match values.get(index) {
            Some(value) => value.new_ref(),
            None => ts.none(),
        };
        // SAFETY: I1: the instance has that many places, which are empty.
        unsafe { place(&instance, index).write(value.into_ptr()) };
    }
    gc::track(ts, &*instance);
    Ok(instance.into_object())
}

/// The interpreter's type for a declaration, made when it is first asked for.
pub fn type_of(ts: &ThreadState, spec: &'static StructSeqSpec) -> PyResult<Ref<PyTypeObject>> {
    let interp = ts.interp();
    let all = match interp.native_state.get() {
        Some(all) => all,
        None => {
            let all = PyDict::new(ts)?;
            interp.native_state.set(Some(all.clone()));
            all
        }
    };
    let name = PyStr::intern(ts, spec.name)?;
    if let Some(typ) = all.get_str(ts, &name)?
        && let Ok(typ) = typ.downcast_into()
    {
        return Ok(typ);
    }
    let typ = new_type(ts, spec)?;
    all.set_str(ts, &name, typ.as_object())?;
    Ok(typ)
}

/// An instance of [`type_of`] a declaration.
pub fn make(ts: &ThreadState, spec: &'static StructSeqSpec, values: &[PyRef]) -> PyResult {
    let typ = type_of(ts, spec)?;
    new_instance(ts, &typ, call::borrow_all(values))
}

/// How many fields are no items.
#[inline]
fn hidden(typ: &PyTypeObject) -> usize {
    (typ.basicsize() - size_of::<PyTuple>()) / WORD
}

/// # Safety
/// `index` is below the number of the instance's fields.
unsafe fn place(instance: &PyTuple, index: usize) -> *mut *mut PyObject {
    // SAFETY: I1: the hidden fields follow the items.
    unsafe { instance.item_places().add(index) }
}

/// A field of a whole instance.
fn field(instance: &PyTuple, index: usize) -> &PyObject {
    debug_assert!(index < instance.len() + hidden(instance.as_object().ob_type()));
    // SAFETY: the caller's index is one of a field, and by I2 it is filled.
    unsafe { &**place(instance, index) }
}

/// One of the counts in the type's dictionary.
fn count_of(ts: &ThreadState, typ: &PyTypeObject, name: &PyStr) -> PyResult<usize> {
    let count = match typ.dict(ts) {
        Some(dict) => dict.get_str(ts, name)?,
        None => None,
    };
    match count.as_ref().and_then(|c| c.downcast::<PyInt>()).and_then(PyInt::as_i64) {
        Some(count) => Ok(count as usize),
        None => raise!(ts, exc::TypeError, "Missed attribute '{name}' of type {}", typ.full_name()),
    }
}

/// The name with its module, as messages and `repr` have it.
fn full_name(ts: &ThreadState, typ: &PyTypeObject) -> PyResult<Ref<PyStr>> {
    let module = match typ.dict(ts) {
        Some(dict) => dict.get_str(ts, id!(__module__))?,
        None => None,
    };
    match module.as_ref().and_then(|m| m.downcast::<PyStr>()) {
        Some(module) if !module.equals_str("builtins") => PyStr::format(ts, format_args!("{module}.{}", typ.name())),
        _ => PyStr::new(ts, typ.name()),
    }
}

/// The fields' names with their indices, unnamed ones left out: the member descriptors in the type's dictionary
/// stand in the fields' order.
fn for_each_name(
    ts: &ThreadState,
    typ: &PyTypeObject,
    mut f: impl FnMut(&PyStr, usize) -> PyResult<()>,
) -> PyResult<()> {
    let Some(dict) = typ.dict(ts) else { return Ok(()) };
    let mut position = 0;
    while let Some((name, value)) = dict.next(&mut position) {
        if let Some(member) = value.downcast_exact::<descr::PyMemberDescr>()
            && let Some(name) = name.downcast::<PyStr>()
        {
            f(name, (member.offset.get() - size_of::<PyTuple>()) / WORD)?;
        }
    }
    Ok(())
}

fn new(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("structseq", ["sequence", "dict"], 0, 2, 1);
    let [sequence, extra] = SIGNATURE.parse(ts, args)?;
    let sequence =
        protocol::fast(ts, sequence.unwrap_or(crate::types::none::none()), "constructor requires a sequence")?;
    let extra = match extra {
        None => None,
        Some(extra) => match extra.downcast::<PyDict>() {
            Some(extra) => Some(extra),
            None => {
                let name = full_name(ts, typ)?;
                return raise!(ts, exc::TypeError, "{name}() takes a dict as second arg, if any");
            }
        },
    };
    let min = count_of(ts, typ, id!(n_sequence_fields))?;
    let max = min + hidden(typ);
    let given = sequence.len();
    if given < min || given > max {
        let name = full_name(ts, typ)?;
        let bound = if min == max {
            ""
        } else if given < min {
            "an at least "
        } else {
            "an at most "
        };
        let wanted = if given < min { min } else { max };
        let article = if min == max { "a " } else { "" };
        return raise!(ts, exc::TypeError, "{name}() takes {article}{bound}{wanted}-sequence ({given}-sequence given)");
    }
    let instance = alloc::var_object::<PyTuple>(ts, typ, min)?;
    for index in 0..max {
        let value = match sequence.get(index) {
            Some(value) => value.new_ref(),
            None => ts.none(),
        };
        // SAFETY: I1.
        unsafe { place(&instance, index).write(value.into_ptr()) };
    }
    if let Some(extra) = extra {
        let mut used = 0;
        for_each_name(ts, typ, |name, index| {
            if index >= given
                && let Some(value) = extra.get_str(ts, name)?
            {
                // SAFETY: the place holds None, and nobody else sees the instance yet.
                drop(unsafe { PyRef::from_owned(place(&instance, index).replace(value.into_ptr())) });
                used += 1;
            }
            Ok(())
        })?;
        if used < extra.len() {
            let name = full_name(ts, typ)?;
            return raise!(ts, exc::TypeError, "{name}() got duplicate or unexpected field name(s)");
        }
    }
    // An item without a name gives its value to the attribute that stands for it: those are the first hidden ones.
    let unnamed = count_of(ts, typ, id!(n_unnamed_fields))?;
    for index in 0..unnamed.min(max - min) {
        if crate::types::none::is_none(field(&instance, min + index)) {
            let value = field(&instance, min - unnamed + index).new_ref();
            // SAFETY: the place holds None, and nobody else sees the instance yet.
            drop(unsafe { PyRef::from_owned(place(&instance, min + index).replace(value.into_ptr())) });
        }
    }
    gc::track(ts, &*instance);
    Ok(instance.into_object())
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with an instance of a struct sequence whose count is zero; each place holds an
    // owned reference or is still null, and is visited once.
    unsafe {
        gc::untrack(&*object);
        let typ = (*object).ob_type();
        let this = (*object).cast_unchecked::<PyTuple>();
        for index in (0..this.len() + hidden(typ)).rev() {
            let item = *place(this, index);
            if !item.is_null() {
                header::decref(ts, item);
            }
        }
        let typ = typ.as_object().as_ptr();
        alloc::free(ts, object);
        header::decref(ts, typ);
    }
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    let this = object.cast::<PyTuple>();
    visitor.object(object.ob_type().as_object())?;
    for index in 0..this.len() + hidden(object.ob_type()) {
        // SAFETY: within the fields; a place is null while the instance is being made.
        if let Some(item) = unsafe { (*place(this, index)).as_ref() } {
            visitor.object(item)?;
        }
    }
    ControlFlow::Continue(())
}

fn repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    ts.check_native_stack(" while getting the repr of an object")?;
    let this = object.cast::<PyTuple>();
    let typ = object.ob_type();
    let mut text = StrBuilder::new();
    text.push(&*full_name(ts, typ)?)?;
    text.push_str("(")?;
    // An item without a name goes under the name of the attribute that stands for it, as in CPython.
    let mut at = 0;
    for_each_name(ts, typ, |name, _| {
        if at < this.len() {
            if at > 0 {
                text.push_str(", ")?;
            }
            text.push(name)?;
            text.push_str("=")?;
            text.push_repr(ts, field(this, at))?;
            at += 1;
        }
        Ok(())
    })?;
    text.push_str(")")?;
    Ok(text.finish(ts)?.into_object())
}

fn reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyTuple>();
    let items = PyTuple::new(ts, this.items())?;
    let extra = PyDict::new(ts)?;
    for_each_name(ts, object.ob_type(), |name, index| {
        if index >= this.len() { extra.set_str(ts, name, field(this, index)) } else { Ok(()) }
    })?;
    let state = PyTuple::pair(ts, items.as_object(), extra.as_object())?;
    Ok(PyTuple::pair(ts, object.ob_type().as_object(), state.as_object())?.into_object())
}

fn replace(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    if args.len() != 0 {
        return raise!(ts, exc::TypeError, "__replace__() takes no positional arguments");
    }
    let this = object.cast::<PyTuple>();
    let typ = object.ob_type();
    if count_of(ts, typ, id!(n_unnamed_fields))? > 0 {
        let name = full_name(ts, typ)?;
        return raise!(ts, exc::TypeError, "__replace__() is not supported for {name} because it has unnamed field(s)");
    }
    let max = this.len() + hidden(typ);
    let copy = alloc::var_object::<PyTuple>(ts, typ, this.len())?;
    for index in 0..max {
        // SAFETY: the copy has as many places as the original, all empty.
        unsafe { place(&copy, index).write(field(this, index).new_ref().into_ptr()) };
    }
    let unknown = PyList::new(ts)?;
    for (key, value) in args.keywords() {
        let mut found = false;
        for_each_name(ts, typ, |name, index| {
            if name.equals(key) {
                found = true;
                // SAFETY: the copy is whole, and nobody else sees it yet.
                drop(unsafe { PyRef::from_owned(place(&copy, index).replace(value.new_ref().into_ptr())) });
            }
            Ok(())
        })?;
        if !found {
            unknown.append(ts, key.new_ref())?;
        }
    }
    gc::track(ts, &*copy);
    if unknown.len() != 0 {
        let names = protocol::repr(ts, unknown.as_object())?;
        return raise!(ts, exc::TypeError, "Got unexpected field name(s): {names}");
    }
    Ok(copy.into_object())
}
