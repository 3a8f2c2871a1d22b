//! `__slots__`: which names a class declares, and what it gets besides.

use hognose_allocators::collections::TryVec;

use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// What a class adds to its base's instances.
pub struct Added {
    /// The names of the places, mangled and sorted; None without `__slots__`.
    pub names: Option<Ref<PyTuple>>,
    /// A dictionary.
    pub dict: bool,
    /// A list of weak references.
    pub weakref: bool,
}

/// Works out what the class namespace asks for.
pub fn declared(
    ts: &ThreadState,
    class_name: &PyStr,
    base: &PyTypeObject,
    bases: &PyTuple,
    dict: &PyDict,
) -> PyResult<Added> {
    let may_add_dict = base.tp_dictoffset.get() == 0 && !base.has_flag(flags::MANAGED_DICT);
    let may_add_weak =
        base.tp_weaklistoffset.get() == 0 && !base.has_flag(flags::MANAGED_WEAKREF) && base.itemsize() == 0;
    let Some(slots) = dict.get_str(ts, crate::id!(__slots__))? else {
        return Ok(Added { names: None, dict: may_add_dict, weakref: may_add_weak });
    };
    let slots = match slots.downcast::<PyStr>() {
        Some(name) => PyTuple::new(ts, &[name.as_object()])?,
        None => protocol::tuple_of(ts, &slots)?,
    };
    if !slots.is_empty() && base.itemsize() != 0 {
        return raise!(ts, exc::TypeError, "nonempty __slots__ not supported for subtype of '{}'", base.full_name());
    }
    let mut added = Added { names: None, dict: false, weakref: false };
    for slot in slots.items() {
        let name = checked_name(ts, slot)?;
        if name.equals(crate::id!(__dict__)) {
            if !may_add_dict || added.dict {
                return raise!(ts, exc::TypeError, "__dict__ slot disallowed: we already got one");
            }
            added.dict = true;
        }
        if name.equals(crate::id!(__weakref__)) {
            if !may_add_weak || added.weakref {
                return raise!(ts, exc::TypeError, "__weakref__ slot disallowed: we already got one");
            }
            added.weakref = true;
        }
    }
    let mut names = TryVec::<PyRef>::new();
    for slot in slots.items() {
        let name = slot.cast::<PyStr>();
        if name.equals(crate::id!(__dict__)) || name.equals(crate::id!(__weakref__)) {
            continue;
        }
        let name = mangle(ts, class_name, name)?;
        let excused = [crate::id!(__qualname__), crate::id!(__classcell__), crate::id!(__classdictcell__)];
        if !excused.iter().any(|known| known.equals(&name)) && dict.contains(ts, name.as_object())? {
            let name = protocol::repr(ts, name.as_object())?;
            return raise!(ts, exc::ValueError, "{} in __slots__ conflicts with class variable", &*name);
        }
        names.try_push(name.into_object())?;
    }
    let names = PyList::from_vec(ts, names)?;
    names.sort(ts, None, false)?;
    if !names.is_empty() {
        added.names = Some(names.to_tuple(ts)?);
    }
    // The other bases may bring a dictionary or weak references that the layout's base has not got.
    for other in bases.items() {
        let other = other.cast::<PyTypeObject>();
        if core::ptr::eq(other, base) {
            continue;
        }
        added.dict |= may_add_dict && (other.tp_dictoffset.get() != 0 || other.has_flag(flags::MANAGED_DICT));
        added.weakref |= may_add_weak && (other.tp_weaklistoffset.get() != 0 || other.has_flag(flags::MANAGED_WEAKREF));
    }
    Ok(added)
}

fn checked_name<'a>(ts: &ThreadState, slot: &'a PyObject) -> PyResult<&'a PyStr> {
    let Some(name) = slot.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "__slots__ items must be strings, not '{}'", slot.type_name());
    };
    if !name.is_identifier() {
        return raise!(ts, exc::TypeError, "__slots__ must be identifiers");
    }
    Ok(name)
}

/// A private name (`__x`) as the class's methods see it: `_Class__x`.
pub fn mangle(ts: &ThreadState, class_name: &PyStr, name: &PyStr) -> PyResult<Ref<PyStr>> {
    let underscore = |text: &PyStr, index: usize| text.len() > index && text.char_at(index) == '_' as u32;
    let len = name.len();
    let private = underscore(name, 0)
        && underscore(name, 1)
        && !(underscore(name, len - 1) && underscore(name, len - 2))
        && !name.chars().any(|ch| ch == '.' as u32);
    let start = class_name.chars().position(|ch| ch != '_' as u32);
    let (true, Some(start)) = (private, start) else {
        return PyStr::intern_ref(ts, name.to_exact(ts)?);
    };
    let class_name = class_name.slice(ts, start, class_name.len())?;
    let mangled = PyStr::format(ts, format_args!("_{}", &*class_name))?;
    PyStr::intern_ref(ts, PyStr::concat(ts, &mangled, name)?)
}
