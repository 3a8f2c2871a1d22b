//! repr, str, hash, truth, comparison, isinstance, format, dir.

use hognose_allocators::collections::TryVec;

use crate::object::attr;
use crate::object::call::{call_method, call_special, call_with};
use crate::object::error::PyResult;
use crate::object::header::PyObject;
use crate::object::reference::{AsObject, PyRef, Ref};
use crate::object::slots::CompareOp;
use crate::object::typeobj::PyTypeObject;
use crate::state::ThreadState;
use crate::types::bool::{false_object, py_bool, true_object};
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::none::none;
use crate::types::notimplemented::is_not_implemented;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::types::union::PyUnion;
use crate::{id, raise};

/// `repr(object)`.
pub fn repr(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyStr>> {
    ts.check_native_stack(" while getting the repr of an object")?;
    let value = match object.ob_type().slots().repr {
        Some(slot) => slot(ts, object)?,
        None => return PyStr::format(ts, format_args!("<{} object at {:p}>", object.type_name(), object)),
    };
    match value.downcast_into::<PyStr>() {
        Ok(text) => Ok(text),
        Err(other) => raise!(ts, exc::TypeError, "__repr__ returned non-string (type {})", other.type_name()),
    }
}

/// `str(object)`.
pub fn str(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyStr>> {
    if let Some(text) = object.downcast_exact::<PyStr>() {
        return Ok(Ref::from_borrowed(text));
    }
    let Some(slot) = object.ob_type().slots().str else { return repr(ts, object) };
    ts.check_native_stack(" while getting the str of an object")?;
    match slot(ts, object)?.downcast_into::<PyStr>() {
        Ok(text) => Ok(text),
        Err(other) => raise!(ts, exc::TypeError, "__str__ returned non-string (type {})", other.type_name()),
    }
}

/// `ascii(object)`: the repr with everything beyond ASCII escaped.
pub fn ascii(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyStr>> {
    let text = repr(ts, object)?;
    if text.is_ascii() {
        return Ok(text);
    }
    crate::types::str::escape_non_ascii(ts, &text)
}

/// `hash(object)`; never -1.
#[inline]
pub fn hash(ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    if let Some(text) = object.downcast_exact::<PyStr>() {
        return Ok(text.hash_value());
    }
    ts.check_native_stack(" while computing a hash")?;
    match object.ob_type().slots().hash {
        Some(slot) => slot(ts, object),
        None => raise!(ts, exc::TypeError, "unhashable type: '{}'", object.type_name()),
    }
}

/// The hash of an object by its address.
#[inline]
pub fn hash_pointer(object: &PyObject) -> isize {
    let address = core::ptr::from_ref(object).addr();
    let hash = address.rotate_right(4) as isize;
    if hash == -1 { -2 } else { hash }
}

/// `bool(object)`.
#[inline]
pub fn is_true(ts: &ThreadState, object: &PyObject) -> PyResult<bool> {
    if object.is(true_object()) {
        return Ok(true);
    }
    if object.is(false_object()) || object.is(none()) {
        return Ok(false);
    }
    let slots = object.ob_type().slots();
    if let Some(slot) = slots.nb_bool {
        return slot(ts, object);
    }
    if let Some(slot) = slots.mp_length.or(slots.sq_length) {
        return Ok(slot(ts, object)? != 0);
    }
    Ok(true)
}

/// `left op right`, any result (`PyObject_RichCompare`).
#[inline]
pub fn compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    ts.check_native_stack(" in comparison")?;
    let (left_type, right_type) = (left.ob_type(), right.ob_type());
    let right_slot = right_type.slots().richcompare;
    let mut reflected_done = false;
    if !core::ptr::eq(left_type, right_type)
        && let Some(slot) = right_slot
        && right_type.is_subtype(left_type)
    {
        reflected_done = true;
        let value = slot(ts, right, left, op.swapped())?;
        if !is_not_implemented(&value) {
            return Ok(value);
        }
    }
    if let Some(slot) = left_type.slots().richcompare {
        let value = slot(ts, left, right, op)?;
        if !is_not_implemented(&value) {
            return Ok(value);
        }
    }
    if !reflected_done && let Some(slot) = right_slot {
        let value = slot(ts, right, left, op.swapped())?;
        if !is_not_implemented(&value) {
            return Ok(value);
        }
    }
    match op {
        CompareOp::Eq => Ok(py_bool(left.is(right))),
        CompareOp::Ne => Ok(py_bool(!left.is(right))),
        _ => raise!(
            ts,
            exc::TypeError,
            "'{}' not supported between instances of '{}' and '{}'",
            op.symbol(),
            left.type_name(),
            right.type_name()
        ),
    }
}

/// `bool(left op right)`; the same object equals itself (`PyObject_RichCompareBool`).
#[inline]
pub fn compare_bool(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult<bool> {
    if left.is(right) {
        match op {
            CompareOp::Eq => return Ok(true),
            CompareOp::Ne => return Ok(false),
            _ => {}
        }
    }
    let value = compare(ts, left, right, op)?;
    is_true(ts, &value)
}

/// `left is right or left == right`.
#[inline]
pub fn equal(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult<bool> {
    if left.is(right) {
        return Ok(true);
    }
    if let (Some(left), Some(right)) = (left.downcast_exact::<PyStr>(), right.downcast_exact::<PyStr>()) {
        return Ok(left.equals(right));
    }
    compare_bool(ts, left, right, CompareOp::Eq)
}

/// The class of an object as it says itself (`object.__class__`), for isinstance.
fn abstract_class(ts: &ThreadState, object: &PyObject) -> PyResult<Option<PyRef>> {
    attr::get_opt(ts, object, id!(__class__))
}

/// `isinstance(object, class)`.
pub fn isinstance(ts: &ThreadState, object: &PyObject, class: &PyObject) -> PyResult<bool> {
    if core::ptr::addr_eq(object.ob_type(), class) {
        return Ok(true);
    }
    // `type` itself has no say of its own.
    if core::ptr::eq(class.ob_type(), &*crate::types::typ::TYPE_TYPE) {
        return is_instance_of_class(ts, object, class);
    }
    if let Some(union) = class.downcast_exact::<PyUnion>() {
        return isinstance(ts, object, union.args(ts)?.as_object());
    }
    if let Some(classes) = class.downcast::<PyTuple>() {
        ts.check_native_stack(" in __instancecheck__")?;
        for class in classes.items() {
            if isinstance(ts, object, class)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if let Some(value) = call_special(ts, class, id!(__instancecheck__), &[object])? {
        return is_true(ts, &value);
    }
    is_instance_of_class(ts, object, class)
}

/// isinstance without `__instancecheck__` (`type.__instancecheck__`).
pub fn is_instance_of_class(ts: &ThreadState, object: &PyObject, class: &PyObject) -> PyResult<bool> {
    if let Some(class_type) = class.downcast::<PyTypeObject>() {
        if object.ob_type().is_subtype(class_type) {
            return Ok(true);
        }
        if let Some(own) = abstract_class(ts, object)?
            && !core::ptr::addr_eq(own.as_raw(), object.ob_type())
            && let Some(own) = own.downcast::<PyTypeObject>()
        {
            return Ok(own.is_subtype(class_type));
        }
        return Ok(false);
    }
    check_class(ts, class, "isinstance() arg 2 must be a type, a tuple of types, or a union")?;
    match abstract_class(ts, object)? {
        Some(own) => abstract_is_subclass(ts, &own, class),
        None => Ok(false),
    }
}

fn check_class(ts: &ThreadState, class: &PyObject, message: &str) -> PyResult<()> {
    match attr::get_opt(ts, class, id!(__bases__))? {
        Some(bases) if bases.is_a::<PyTuple>() => Ok(()),
        _ => raise!(ts, exc::TypeError, "{message}"),
    }
}

fn abstract_is_subclass(ts: &ThreadState, derived: &PyObject, class: &PyObject) -> PyResult<bool> {
    if derived.is(class) {
        return Ok(true);
    }
    ts.check_native_stack(" in __subclasscheck__")?;
    let Some(bases) = attr::get_opt(ts, derived, id!(__bases__))? else { return Ok(false) };
    let Some(bases) = bases.downcast::<PyTuple>() else { return Ok(false) };
    for base in bases.items() {
        if abstract_is_subclass(ts, base, class)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `issubclass(derived, class)`.
pub fn issubclass(ts: &ThreadState, derived: &PyObject, class: &PyObject) -> PyResult<bool> {
    if core::ptr::eq(class.ob_type(), &*crate::types::typ::TYPE_TYPE) {
        return is_subclass_of_class(ts, derived, class);
    }
    if let Some(union) = class.downcast_exact::<PyUnion>() {
        return issubclass(ts, derived, union.args(ts)?.as_object());
    }
    if let Some(classes) = class.downcast::<PyTuple>() {
        ts.check_native_stack(" in __subclasscheck__")?;
        for class in classes.items() {
            if issubclass(ts, derived, class)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if let Some(value) = call_special(ts, class, id!(__subclasscheck__), &[derived])? {
        return is_true(ts, &value);
    }
    is_subclass_of_class(ts, derived, class)
}

/// issubclass without `__subclasscheck__` (`type.__subclasscheck__`).
pub fn is_subclass_of_class(ts: &ThreadState, derived: &PyObject, class: &PyObject) -> PyResult<bool> {
    if let (Some(derived), Some(class)) = (derived.downcast::<PyTypeObject>(), class.downcast::<PyTypeObject>()) {
        return Ok(derived.is_subtype(class));
    }
    check_class(ts, derived, "issubclass() arg 1 must be a class")?;
    check_class(ts, class, "issubclass() arg 2 must be a class, a tuple of classes, or a union")?;
    abstract_is_subclass(ts, derived, class)
}

/// `format(object, spec)`.
pub fn format(ts: &ThreadState, object: &PyObject, spec: &PyStr) -> PyResult<Ref<PyStr>> {
    if spec.len() == 0 {
        if let Some(text) = object.downcast_exact::<PyStr>() {
            return Ok(Ref::from_borrowed(text));
        }
        if object.downcast_exact::<crate::types::int::PyInt>().is_some() {
            return str(ts, object);
        }
    }
    let Some(value) = call_special(ts, object, id!(__format__), &[spec.as_object()])? else {
        return raise!(ts, exc::TypeError, "Type {} doesn't define __format__", object.type_name());
    };
    match value.downcast_into::<PyStr>() {
        Ok(text) => Ok(text),
        Err(other) => raise!(ts, exc::TypeError, "__format__ must return a str, not {}", other.type_name()),
    }
}

/// `dir(object)`: a sorted list.
pub fn dir(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyList>> {
    let Some(names) = call_special(ts, object, id!(__dir__), &[])? else {
        return raise!(ts, exc::TypeError, "object does not provide __dir__");
    };
    let names = super::sequence::list_of(ts, &names)?;
    names.sort(ts, None, false)?;
    Ok(names)
}

/// Whether the object's repr is in progress already; if not, notes that it is now. Every `true` from here
/// is followed by [`repr_leave`] (`Py_ReprEnter`, with the sense turned round).
pub fn repr_enter(ts: &ThreadState, object: &PyObject) -> PyResult<bool> {
    // SAFETY: the list is touched only here and in `repr_leave`, which call nothing else.
    let running = unsafe { &mut *ts.repr_running.get() };
    if running.iter().any(|o| core::ptr::eq(*o, object)) {
        return Ok(false);
    }
    running.try_push(core::ptr::from_ref(object))?;
    Ok(true)
}

/// The object's repr is done.
pub fn repr_leave(ts: &ThreadState, object: &PyObject) {
    // SAFETY: as in `repr_enter`.
    let running = unsafe { &mut *ts.repr_running.get() };
    if let Some(index) = running.iter().rposition(|o| core::ptr::eq(*o, object)) {
        running.remove(index);
    }
    if running.is_empty() {
        // An idle interpreter holds no memory for it.
        *running = TryVec::new();
    }
}

/// `vars(object)` and `object.__dict__` for `dir`: the dictionary as a new one, or None.
pub fn merged_class_dict(ts: &ThreadState, into: &PyDict, class: &PyObject) -> PyResult<()> {
    if let Some(dict) = attr::get_opt(ts, class, id!(__dict__))? {
        into.update(ts, &dict)?;
    }
    if let Some(bases) = attr::get_opt(ts, class, id!(__bases__))?
        && let Some(bases) = bases.downcast::<PyTuple>()
    {
        for base in bases.items() {
            merged_class_dict(ts, into, base)?;
        }
    }
    Ok(())
}

/// Calls `object.name(arguments)` by a name that is not a static one.
pub fn call_named(ts: &ThreadState, object: &PyObject, name: &str, arguments: &[&PyObject]) -> PyResult {
    let name = PyStr::intern(ts, name)?;
    call_method(ts, object, &name, arguments)
}

/// Imports a module by name and gets an attribute of it.
pub fn import_attr(ts: &ThreadState, module: &str, name: &str) -> PyResult {
    let module = crate::import::import_module(ts, module)?;
    let name = PyStr::intern(ts, name)?;
    attr::get(ts, &module, &name)
}

/// Calls with one argument; saves callers a slice.
pub fn call_one(ts: &ThreadState, callable: &PyObject, argument: &PyObject) -> PyResult {
    call_with(ts, callable, &[argument])
}
