//! What picklers and unpicklers need of other modules, looked up once in each interpreter.

use crate::object::{
    AsObject, PyObject, PyRef, PyResult, Ref, Slot, StaticType, TypeSlots, TypeSpec, alloc, flags, gc, protocol, ready,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::owned::owns;
use crate::types::str::PyStr;

/// `_pickle.PickleError`.
pub static PICKLE_ERROR: StaticType = StaticType::new(exc::plain(c"_pickle.PickleError", &exc::Exception, ""));
/// `_pickle.PicklingError`.
pub static PICKLING_ERROR: StaticType = StaticType::new(exc::plain(c"_pickle.PicklingError", &PICKLE_ERROR, ""));
/// `_pickle.UnpicklingError`.
pub static UNPICKLING_ERROR: StaticType = StaticType::new(exc::plain(c"_pickle.UnpicklingError", &PICKLE_ERROR, ""));

/// The state.
#[repr(C)]
pub struct PyPickleState {
    ob_base: PyObject,
    dispatch_table: Slot<PyDict>,
    extension_registry: Slot<PyDict>,
    inverted_registry: Slot<PyDict>,
    extension_cache: Slot<PyDict>,
    new_names: Slot<PyDict>,
    new_modules: Slot<PyDict>,
    old_names: Slot<PyDict>,
    old_modules: Slot<PyDict>,
    encode: Slot<PyObject>,
    getattr: Slot<PyObject>,
    partial: Slot<PyObject>,
}

crate::native!(PyPickleState, STATE_TYPE);
owns!(PyPickleState: dispatch_table, extension_registry, inverted_registry, extension_cache, new_names, new_modules,
    old_names, old_modules, encode, getattr, partial);

static STATE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_pickle._State",
    basicsize: size_of::<PyPickleState>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(PyPickleState::slot_dealloc),
        traverse: Some(PyPickleState::slot_traverse),
        clear: Some(PyPickleState::slot_clear),
        ..TypeSlots::EMPTY
    },
    ..TypeSpec::EMPTY
});

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident: $ty:ty,)*) => {
        impl PyPickleState {
            $($(#[$doc])*
            pub fn $name(&self, ts: &ThreadState) -> PyResult<Ref<$ty>> {
                match self.$name.get() {
                    Some(part) => Ok(part),
                    None => lost(ts),
                }
            })*
        }
    };
}

parts! {
    /// `copyreg.dispatch_table`
    dispatch_table: PyDict,
    /// `copyreg._extension_registry`
    extension_registry: PyDict,
    /// `copyreg._inverted_registry`
    inverted_registry: PyDict,
    /// `copyreg._extension_cache`
    extension_cache: PyDict,
    /// Names of Python 3 by those of Python 2.
    new_names: PyDict,
    /// Modules of Python 3 by those of Python 2.
    new_modules: PyDict,
    /// Names of Python 2 by those of Python 3.
    old_names: PyDict,
    /// Modules of Python 2 by those of Python 3.
    old_modules: PyDict,
    /// `codecs.encode`
    encode: PyObject,
    /// `getattr`
    getattr: PyObject,
    /// `functools.partial`
    partial: PyObject,
}

#[cold]
fn lost<T>(ts: &ThreadState) -> PyResult<T> {
    raise!(ts, exc::RuntimeError, "the _pickle module has lost its state")
}

fn dict_of(ts: &ThreadState, module: &str, name: &str) -> PyResult<Ref<PyDict>> {
    match protocol::import_attr(ts, module, name)?.downcast_into::<PyDict>() {
        Ok(dict) => Ok(dict),
        Err(other) => {
            raise!(ts, exc::RuntimeError, "{module}.{name} should be a dict, not {}", other.type_name())
        }
    }
}

fn callable(ts: &ThreadState, module: &str, name: &str) -> PyResult<PyRef> {
    let function = protocol::import_attr(ts, module, name)?;
    if crate::object::call::is_callable(&function) {
        return Ok(function);
    }
    raise!(ts, exc::RuntimeError, "{module}.{name} should be a callable, not {}", function.type_name())
}

impl PyPickleState {
    /// The interpreter's state.
    pub fn current(ts: &ThreadState) -> PyResult<Ref<PyPickleState>> {
        let interp = ts.interp();
        let all = match interp.native_state.get() {
            Some(all) => all,
            None => {
                let all = PyDict::new(ts)?;
                interp.native_state.set(Some(all.clone()));
                all
            }
        };
        let name = PyStr::intern(ts, "_pickle")?;
        if let Some(Ok(state)) = all.get_str(ts, &name)?.map(PyRef::downcast_into) {
            return Ok(state);
        }
        let state = PyPickleState::new(ts)?;
        all.set_str(ts, &name, state.as_object())?;
        Ok(state)
    }

    fn new(ts: &ThreadState) -> PyResult<Ref<PyPickleState>> {
        ready::ready_static(ts, &STATE_TYPE)?;
        let state = alloc::exact::<PyPickleState>(ts)?;
        state.dispatch_table.set(Some(dict_of(ts, "copyreg", "dispatch_table")?));
        state.extension_registry.set(Some(dict_of(ts, "copyreg", "_extension_registry")?));
        state.inverted_registry.set(Some(dict_of(ts, "copyreg", "_inverted_registry")?));
        state.extension_cache.set(Some(dict_of(ts, "copyreg", "_extension_cache")?));
        state.new_names.set(Some(dict_of(ts, "_compat_pickle", "NAME_MAPPING")?));
        state.new_modules.set(Some(dict_of(ts, "_compat_pickle", "IMPORT_MAPPING")?));
        state.old_names.set(Some(dict_of(ts, "_compat_pickle", "REVERSE_NAME_MAPPING")?));
        state.old_modules.set(Some(dict_of(ts, "_compat_pickle", "REVERSE_IMPORT_MAPPING")?));
        state.encode.set(Some(callable(ts, "codecs", "encode")?));
        state.getattr.set(Some(callable(ts, "builtins", "getattr")?));
        state.partial.set(Some(callable(ts, "functools", "partial")?));
        gc::track(ts, &*state);
        Ok(state)
    }
}

/// A type's name with its module, without the module for those that every program sees (`%T` of C's formats).
pub fn type_name(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyStr>> {
    let name = crate::types::dict::qualified_type_name(ts, object)?;
    let main = PyStr::intern(ts, "__main__.")?;
    if name.starts_with(&main) { name.slice(ts, main.len(), name.len()) } else { Ok(name) }
}
