//! `_weakref`: weak references and proxies.

use crate::modules::ModuleSpec;
use crate::object::call::check_count;
use crate::object::{AsObject, MethodDef, PyObject, PyRef, PyResult, protocol, weakref};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::weakref::{PyWeakref, WEAKREF_TYPE, proxy};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_weakref",
    doc: "References that do not keep their objects alive.",
    methods: &[
        MethodDef::one(
            "getweakrefcount",
            count,
            "getweakrefcount($module, object, /)\n--\n\nThe number of weak references to the object.",
        ),
        MethodDef::one(
            "getweakrefs",
            references,
            "getweakrefs($module, object, /)\n--\n\nThe weak references to the object, as a list.",
        ),
        MethodDef::positional(
            "_remove_dead_weakref",
            remove_dead,
            "_remove_dead_weakref($module, dct, key, /)\n--\n\nRemoves the key if its value is a dead weak reference.",
        ),
        MethodDef::positional(
            "proxy",
            new_proxy,
            "proxy($module, object, callback=None, /)\n--\n\nAn object that stands for another without keeping it alive.",
        ),
    ],
    types: &[&WEAKREF_TYPE, &proxy::PROXY_TYPE, &proxy::CALLABLE_PROXY_TYPE],
    exec: Some(exec),
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    module.add(ts, "ref", WEAKREF_TYPE.as_object())
}

fn count(ts: &ThreadState, _module: &PyObject, object: &PyObject) -> PyResult {
    let count = weakref::list_of(ts, object)
        .map_or(0, |list| list.iter().filter(|reference| reference.as_object().refcnt() > 0).count());
    PyInt::from_usize(ts, count)
}

fn references(ts: &ThreadState, _module: &PyObject, object: &PyObject) -> PyResult {
    let mut list = hognose_allocators::collections::TryVec::<PyRef>::new();
    if let Some(references) = weakref::list_of(ts, object) {
        for reference in references.iter().filter(|reference| reference.as_object().refcnt() > 0) {
            list.try_push(reference.as_object().new_ref())?;
        }
    }
    Ok(PyList::from_vec(ts, list)?.into_object())
}

fn remove_dead(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "_remove_dead_weakref", args.len(), 2, 2)?;
    let Some(dict) = args[0].downcast::<PyDict>() else {
        return raise!(
            ts,
            exc::TypeError,
            "_remove_dead_weakref() argument 1 must be dict, not {}",
            args[0].type_name()
        );
    };
    let hash = protocol::hash(ts, args[1])?;
    if let Some(value) = dict.get_known_hash(ts, args[1], hash)? {
        let is_proxy = proxy::is_proxy_type(value.ob_type());
        if !is_proxy && !value.is_a::<PyWeakref>() {
            return raise!(ts, exc::TypeError, "not a weakref");
        }
        if crate::types::weakref::fields(&value).get().is_none() {
            dict.remove_known_hash(ts, args[1], hash)?;
        }
    }
    Ok(ts.none())
}

fn new_proxy(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "proxy", args.len(), 1, 2)?;
    proxy::new(ts, args[0], args.get(1).copied())
}
