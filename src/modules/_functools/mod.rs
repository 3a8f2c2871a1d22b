//! `_functools`: `partial`, `reduce`, `cmp_to_key` and the cache behind `functools.lru_cache`.

mod cmp_to_key;
mod lru_cache;
mod partial;

use crate::modules::ModuleSpec;
use crate::object::{Args, AsObject, MethodDef, PyObject, PyResult, Signature, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::module::PyModule;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_functools",
    doc: "Tools that operate on functions.",
    methods: &[
        MethodDef::keywords(
            "reduce",
            reduce,
            "reduce($module, function, iterable, /, initial=<functools._initial_missing>)\n--\n\n\
             Apply a function of two arguments to the items of an iterable, from left to right, until one value is left.\n\n\
             reduce(f, [1, 2, 3]) is f(f(1, 2), 3). With initial, that value comes before the items, and it is\n\
             the result for an empty iterable.",
        ),
        MethodDef::keywords(
            "cmp_to_key",
            cmp_to_key::cmp_to_key,
            "cmp_to_key($module, /, mycmp)\n--\n\nA key function for sorting that compares by the given function of two arguments.",
        ),
    ],
    types: &[&partial::PARTIAL_TYPE, &partial::PLACEHOLDER_TYPE, &lru_cache::LRU_CACHE_TYPE],
    exec: Some(exec),
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    crate::object::ready::ready_static(ts, &lru_cache::LINK_TYPE)?;
    crate::object::ready::ready_static(ts, &lru_cache::MARK_TYPE)?;
    crate::object::ready::ready_static(ts, &cmp_to_key::KEY_TYPE)?;
    module.add(ts, "Placeholder", partial::placeholder())
}

fn reduce(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("reduce", ["function", "iterable", "initial"], 2, 3, 2);
    let [Some(function), Some(iterable), initial] = SIGNATURE.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "reduce() needs a function and an iterable");
    };
    let iterator = match ts.catch(protocol::iter(ts, iterable), &exc::TypeError)? {
        Some(iterator) => iterator,
        None => return raise!(ts, exc::TypeError, "reduce() arg 2 must support iteration"),
    };
    let mut result = match initial {
        Some(initial) => initial.new_ref(),
        None => match protocol::next(ts, &iterator)? {
            Some(first) => first,
            None => return raise!(ts, exc::TypeError, "reduce() of empty iterable with no initial value"),
        },
    };
    while let Some(item) = protocol::next(ts, &iterator)? {
        result = call::call_with(ts, function, &[&result, &item])?;
    }
    Ok(result)
}
