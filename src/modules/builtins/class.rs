//! `__build_class__`: what a class statement does.

use hognose_allocators::collections::TryVec;

use crate::object::*;
use crate::state::ThreadState;
use crate::types::cell::PyCell;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::function::PyFunction;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::types::typ;
use crate::{id, raise};

/// `__build_class__(func, name, /, *bases, metaclass=…, **keywords)`.
pub fn build_class(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let positional = args.positional();
    if positional.len() < 2 {
        return raise!(ts, exc::TypeError, "__build_class__: not enough arguments");
    }
    let Some(function) = positional[0].downcast_exact::<PyFunction>() else {
        return raise!(ts, exc::TypeError, "__build_class__: func must be a function");
    };
    let Some(name) = positional[1].downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "__build_class__: name is not a string");
    };
    let original = PyTuple::new(ts, &positional[2..])?;
    let bases = resolve_bases(ts, &original)?;

    let mut meta = None;
    let mut keyword_names = TryVec::<PyRef>::new();
    let mut keyword_values = TryVec::<PyRef>::new();
    for (keyword, value) in args.keywords() {
        if keyword.equals_str("metaclass") {
            meta = Some(value.new_ref());
        } else {
            keyword_names.try_push(keyword.new_ref())?;
            keyword_values.try_push(value.new_ref())?;
        }
    }
    let meta = match meta {
        Some(meta) => meta,
        None => match bases.items().first() {
            Some(base) => base.ob_type().as_object().new_ref(),
            None => typ::TYPE_TYPE.as_object().new_ref(),
        },
    };
    // A metaclass that is a class gives way to the most derived of the bases' metaclasses.
    let meta = match meta.downcast::<PyTypeObject>() {
        Some(class) => typ::calculate_metaclass(ts, class, bases.items())?.new_ref(),
        None => meta,
    };

    let call_with_keywords = |callable: &PyObject, first: &[&PyObject]| -> PyResult {
        let mut all = TryVec::<&PyObject>::new();
        all.try_extend_from_slice(first)?;
        all.try_extend_from_slice(call::borrow_all(&keyword_values))?;
        let names = PyTuple::new(ts, call::borrow_all(&keyword_names))?;
        call::call(ts, callable, Args::new(&all, Some(&names)))
    };

    let namespace = match attr::get_opt(ts, &meta, id!(__prepare__))? {
        None => PyDict::new(ts)?.into_object(),
        Some(prepare) => call_with_keywords(&prepare, &[name.as_object(), bases.as_object()])?,
    };
    if namespace.ob_type().slots().mp_subscript.is_none() {
        let text = match meta.downcast::<PyTypeObject>() {
            Some(class) => PyStr::new(ts, class.name())?,
            None => PyStr::new(ts, "<metaclass>")?,
        };
        return raise!(ts, exc::TypeError, "{text}.__prepare__() must return a mapping, not {}", namespace.type_name());
    }
    let cell = crate::vm::eval::eval_function_in(ts, function, Some(&namespace))?;
    if !core::ptr::eq(&*original, &*bases) {
        protocol::setitem(ts, &namespace, id!(__orig_bases__).as_object(), original.as_object())?;
    }
    let class = call_with_keywords(&meta, &[name.as_object(), bases.as_object(), &namespace])?;
    // The body's `__class__` cell must have been given the class.
    if class.is_a::<PyTypeObject>()
        && let Some(cell) = cell.downcast_exact::<PyCell>()
    {
        match cell.get() {
            None => {
                return raise!(
                    ts,
                    exc::RuntimeError,
                    "__class__ not set defining {} as {}. Was __classcell__ propagated to type.__new__?",
                    protocol::repr(ts, name.as_object())?,
                    protocol::repr(ts, &class)?
                );
            }
            Some(found) if !found.is(&class) => {
                return raise!(
                    ts,
                    exc::TypeError,
                    "__class__ set to {} defining {} as {}",
                    protocol::repr(ts, &found)?,
                    protocol::repr(ts, name.as_object())?,
                    protocol::repr(ts, &class)?
                );
            }
            Some(_) => {}
        }
    }
    Ok(class)
}

/// Replaces bases that are no types by what their `__mro_entries__` gives (PEP 560).
fn resolve_bases(ts: &ThreadState, bases: &PyTuple) -> PyResult<Ref<PyTuple>> {
    if bases.items().iter().all(|base| base.is_a::<PyTypeObject>()) {
        return Ok(Ref::from_borrowed(bases));
    }
    let mut resolved = TryVec::<PyRef>::new();
    let mut changed = false;
    for base in bases.items() {
        if base.is_a::<PyTypeObject>() {
            resolved.try_push(base.new_ref())?;
            continue;
        }
        let Some(entries) = attr::get_opt(ts, base, id!(__mro_entries__))? else {
            resolved.try_push(base.new_ref())?;
            continue;
        };
        let entries = call::call_with(ts, &entries, &[bases.as_object()])?;
        let Some(entries) = entries.downcast::<PyTuple>() else {
            return raise!(ts, exc::TypeError, "__mro_entries__ must return a tuple");
        };
        changed = true;
        for entry in entries.items() {
            resolved.try_push(entry.new_ref())?;
        }
    }
    if !changed {
        return Ok(Ref::from_borrowed(bases));
    }
    PyTuple::from_vec(ts, resolved)
}
