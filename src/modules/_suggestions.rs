//! `_suggestions`: "did you mean", for `traceback`.

use hognose_allocators::collections::TryVec;

use crate::lifecycle::print::suggest;
use crate::modules::ModuleSpec;
use crate::object::{MethodDef, PyObject, PyRef, PyResult, Ref, call};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::str::PyStr;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_suggestions",
    methods: &[MethodDef::positional(
        "_generate_suggestions",
        generate_suggestions,
        "_generate_suggestions($module, candidates, item, /)\n--\n\nReturns the candidate in candidates that's closest to item",
    )],
    ..ModuleSpec::EMPTY
};

fn generate_suggestions(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "_generate_suggestions", args.len(), 2, 2)?;
    let Some(item) = args[1].downcast::<PyStr>() else {
        let given = args[1].type_name();
        return raise!(ts, exc::TypeError, "_generate_suggestions() argument 2 must be str, not {given}");
    };
    let Some(list) = args[0].downcast_exact::<PyList>() else {
        return raise!(ts, exc::TypeError, "candidates must be a list");
    };
    let mut candidates = TryVec::<PyRef>::new();
    candidates.try_reserve(list.len())?;
    let mut index = 0;
    while let Some(candidate) = list.get(index) {
        if !candidate.is_a::<PyStr>() {
            return raise!(ts, exc::TypeError, "all elements in 'candidates' must be strings");
        }
        candidates.try_push(candidate)?;
        index += 1;
    }
    Ok(suggest(ts, &candidates, item)?.map_or_else(|| ts.none(), Ref::into_object))
}
