//! `_abc`: what abstract base classes do at every `isinstance`.
//!
//! Each abstract class has an [`PyAbcData`] under `_abc_impl`: the classes registered with it, those found
//! to be subclasses, those found not to be, all by weak references. Registering a class with any abstract
//! class makes all negative findings doubtful: they carry the number of registrations that they know of,
//! which the module's state counts.

use core::cell::Cell;

use crate::modules::ModuleSpec;
use crate::object::call::{call_method, check_count};
use crate::object::*;
use crate::state::ThreadState;
use crate::types::bool::{false_object, py_bool, true_object};
use crate::types::builtin_function::PyBuiltinFunction;
use crate::types::classmethod::is_marked_abstract;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::notimplemented::is_not_implemented;
use crate::types::owned::owns;
use crate::types::set::PySet;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::types::typ::update;
use crate::types::weakref::PyWeakref;
use crate::{id, native, raise};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_abc",
    doc: "What abc.ABCMeta does, natively.",
    methods: &[
        MethodDef::no_args(
            "get_cache_token",
            cache_token,
            "get_cache_token($module, /)\n--\n\nThe number of registrations so far.",
        ),
        MethodDef::one("_abc_init", abc_init, "_abc_init($module, self, /)\n--\n\nPrepares a new abstract class."),
        MethodDef::one(
            "_reset_registry",
            reset_registry,
            "_reset_registry($module, self, /)\n--\n\nForgets registered classes.",
        ),
        MethodDef::one("_reset_caches", reset_caches, "_reset_caches($module, self, /)\n--\n\nForgets findings."),
        MethodDef::one(
            "_get_dump",
            dump,
            "_get_dump($module, self, /)\n--\n\nRegistry, findings and their number, for debugging.",
        ),
        MethodDef::positional(
            "_abc_register",
            register,
            "_abc_register($module, self, subclass, /)\n--\n\nRegisters a subclass.",
        ),
        MethodDef::positional(
            "_abc_instancecheck",
            instancecheck,
            "_abc_instancecheck($module, self, instance, /)\n--\n\nisinstance for abstract classes.",
        ),
        MethodDef::positional(
            "_abc_subclasscheck",
            subclasscheck,
            "_abc_subclasscheck($module, self, subclass, /)\n--\n\nissubclass for abstract classes.",
        ),
    ],
    types: &[],
    exec: Some(exec),
};

/// What the module knows of one abstract class.
#[repr(C)]
pub struct PyAbcData {
    ob_base: PyObject,
    registry: Slot<PySet>,
    cache: Slot<PySet>,
    negative_cache: Slot<PySet>,
    negative_version: Cell<u64>,
}

native!(PyAbcData, ABC_DATA_TYPE);
owns!(PyAbcData: registry, cache, negative_cache);

/// `_abc._abc_data`.
pub static ABC_DATA_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_abc._abc_data",
    basicsize: size_of::<PyAbcData>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    doc: "What is known of one abstract class.",
    slots: TypeSlots {
        dealloc: Some(PyAbcData::slot_dealloc),
        traverse: Some(PyAbcData::slot_traverse),
        clear: Some(PyAbcData::slot_clear),
        ..TypeSlots::EMPTY
    },
    ..TypeSpec::EMPTY
});

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    ready::ready_static(ts, &ABC_DATA_TYPE)?;
    let state = ts.heap().mem_alloc_zeroed(size_of::<Cell<u64>>());
    if state.is_null() {
        return Err(hognose_allocators::NoMemory.into());
    }
    // The module's end frees it.
    module.md_state.set(state.cast());
    Ok(())
}

/// The number of registrations in this interpreter.
fn counter(module: &PyObject) -> &Cell<u64> {
    let state = module.cast::<PyModule>().md_state.get();
    assert!(!state.is_null(), "the module has run its exec function");
    // SAFETY: the state is a zeroed `Cell<u64>` of the mem domain and lives as long as the module.
    unsafe { &*state.cast::<Cell<u64>>() }
}

fn cache_token(ts: &ThreadState, module: &PyObject) -> PyResult {
    PyInt::from_u64(ts, counter(module).get())
}

fn data_of(ts: &ThreadState, class: &PyObject) -> PyResult<Ref<PyAbcData>> {
    let data = attr::get(ts, class, id!(_abc_impl))?;
    match data.downcast_into::<PyAbcData>() {
        Ok(data) => Ok(data),
        Err(_) => raise!(ts, exc::TypeError, "_abc_impl is set to a wrong type"),
    }
}

// ---- sets of weak references ----

fn contains(ts: &ThreadState, set: &Slot<PySet>, class: &PyObject) -> PyResult<bool> {
    let Some(set) = set.get().filter(|set| !set.is_empty()) else { return Ok(false) };
    // What cannot be referred to weakly is not in there.
    let Some(reference) = ts.catch(PyWeakref::new(ts, class, None), &exc::TypeError)? else { return Ok(false) };
    set.contains(ts, reference.as_object())
}

/// Takes a dead reference out of the set to which `self` refers weakly.
static DISCARD: MethodDef = MethodDef::one("_destroy", discard, "");

fn discard(ts: &ThreadState, set: &PyObject, reference: &PyObject) -> PyResult {
    if let Some(set) = set.downcast::<PyWeakref>().and_then(PyWeakref::get)
        && let Some(set) = set.downcast::<PySet>()
    {
        set.discard(ts, reference)?;
    }
    Ok(ts.none())
}

fn add(ts: &ThreadState, slot: &Slot<PySet>, class: &PyObject) -> PyResult<()> {
    let set = match slot.get() {
        Some(set) => set,
        None => {
            let set = PySet::new(ts)?;
            slot.set(Some(set.clone()));
            set
        }
    };
    let to_set = PyWeakref::new(ts, set.as_object(), None)?;
    let discard = PyBuiltinFunction::new(ts, &DISCARD, Some(to_set.as_object()), None)?;
    let reference = PyWeakref::new(ts, class, Some(&*discard))?;
    set.add(ts, reference.as_object())
}

fn clear(ts: &ThreadState, slot: &Slot<PySet>) {
    if let Some(set) = slot.get() {
        set.clear(ts);
    }
}

fn copy(ts: &ThreadState, slot: &Slot<PySet>) -> PyResult {
    let copy = PySet::new(ts)?;
    if let Some(set) = slot.get() {
        let mut position = 0;
        while let Some((key, hash)) = set.next_with_hash(&mut position) {
            copy.add_known_hash(ts, &key, hash)?;
        }
    }
    Ok(copy.into_object())
}

// ---- abstract methods ----

fn abstract_methods(ts: &ThreadState, class: &PyObject) -> PyResult<()> {
    let found = PySet::new(ts)?;
    let dict = attr::get(ts, class, id!(__dict__))?;
    let items = protocol::mapping_list(ts, &dict, id!(items))?;
    let mut index = 0;
    while let Some(item) = items.get(index) {
        index += 1;
        let Some(pair) = item.downcast::<PyTuple>().filter(|pair| pair.len() == 2) else {
            return raise!(ts, exc::TypeError, "__dict__.items() returned item which is not a pair");
        };
        if is_marked_abstract(ts, pair.items()[1])? {
            found.add(ts, pair.items()[0])?;
        }
    }
    let bases = attr::get(ts, class, id!(__bases__))?;
    let Some(bases) = bases.downcast::<PyTuple>() else {
        return raise!(ts, exc::TypeError, "__bases__ is not tuple");
    };
    for base in bases.items() {
        let Some(names) = attr::get_opt(ts, base, id!(__abstractmethods__))? else { continue };
        protocol::for_each(ts, &names, |name| {
            let Some(text) = name.downcast::<PyStr>() else {
                return raise!(ts, exc::TypeError, "attribute name must be string, not '{}'", name.type_name());
            };
            if let Some(value) = attr::get_opt(ts, class, text)?
                && is_marked_abstract(ts, &value)?
            {
                found.add(ts, &name)?;
            }
            Ok(())
        })?;
    }
    let frozen = PySet::frozen(ts, found.as_object())?;
    attr::set(ts, class, id!(__abstractmethods__), frozen.as_object())
}

const COLLECTION: usize = flags::SEQUENCE | flags::MAPPING;

fn abc_init(ts: &ThreadState, _module: &PyObject, class: &PyObject) -> PyResult {
    abstract_methods(ts, class)?;
    let data = alloc::exact::<PyAbcData>(ts)?;
    gc::track(ts, &*data);
    attr::set(ts, class, id!(_abc_impl), data.as_object())?;
    let Some(class) = class.downcast::<PyTypeObject>() else { return Ok(ts.none()) };
    let name = PyStr::intern(ts, "__abc_tpflags__")?;
    let Some(dict) = class.dict(ts) else { return Ok(ts.none()) };
    let Some(value) = dict.get_str(ts, &name)? else { return Ok(ts.none()) };
    let Some(value) = value.downcast_exact::<PyInt>() else { return Ok(ts.none()) };
    let value = value.as_i64().unwrap_or(0) as usize;
    if value & COLLECTION == COLLECTION {
        return raise!(ts, exc::TypeError, "__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and Py_TPFLAGS_MAPPING");
    }
    if value & COLLECTION != 0 {
        class.set_flag(COLLECTION, false);
        class.set_flag(value & COLLECTION, true);
    }
    attr::delete(ts, class.as_object(), &name)?;
    Ok(ts.none())
}

fn set_collection_flag(ts: &ThreadState, class: &PyTypeObject, flag: usize) -> PyResult<()> {
    if class.has_flag(flags::IMMUTABLE) || class.flags() & COLLECTION == flag {
        return Ok(());
    }
    class.set_flag(COLLECTION, false);
    class.set_flag(flag, true);
    for subclass in update::subclasses(ts, class)?.iter() {
        set_collection_flag(ts, subclass.cast(), flag)?;
    }
    Ok(())
}

// ---- registering and checking ----

fn register(ts: &ThreadState, module: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "_abc_register", args.len(), 2, 2)?;
    let &[class, subclass] = args else { return Ok(ts.none()) };
    let Some(subclass_type) = subclass.downcast::<PyTypeObject>() else {
        return raise!(ts, exc::TypeError, "Can only register classes");
    };
    if protocol::issubclass(ts, subclass, class)? {
        return Ok(subclass.new_ref());
    }
    if protocol::issubclass(ts, class, subclass)? {
        return raise!(ts, exc::RuntimeError, "Refusing to create an inheritance cycle");
    }
    let data = data_of(ts, class)?;
    add(ts, &data.registry, subclass)?;
    counter(module).set(counter(module).get() + 1);
    if let Some(class) = class.downcast::<PyTypeObject>() {
        let flag = class.flags() & COLLECTION;
        if flag != 0 {
            set_collection_flag(ts, subclass_type, flag)?;
        }
    }
    Ok(subclass.new_ref())
}

fn instancecheck(ts: &ThreadState, module: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "_abc_instancecheck", args.len(), 2, 2)?;
    let &[class, instance] = args else { return Ok(ts.none()) };
    let data = data_of(ts, class)?;
    let subclass = attr::get(ts, instance, id!(__class__))?;
    if contains(ts, &data.cache, &subclass)? {
        return Ok(py_bool(true));
    }
    let subtype = instance.ob_type().as_object();
    if subclass.is(subtype) {
        if data.negative_version.get() == counter(module).get() && contains(ts, &data.negative_cache, &subclass)? {
            return Ok(py_bool(false));
        }
        return call_method(ts, class, id!(__subclasscheck__), &[&subclass]);
    }
    let result = call_method(ts, class, id!(__subclasscheck__), &[&subclass])?;
    if protocol::is_true(ts, &result)? {
        return Ok(result);
    }
    call_method(ts, class, id!(__subclasscheck__), &[subtype])
}

fn subclasscheck(ts: &ThreadState, module: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "_abc_subclasscheck", args.len(), 2, 2)?;
    let &[class, subclass] = args else { return Ok(ts.none()) };
    let Some(subclass_type) = subclass.downcast::<PyTypeObject>() else {
        return raise!(ts, exc::TypeError, "issubclass() arg 1 must be a class");
    };
    ts.check_native_stack(" in __subclasscheck__")?;
    let data = data_of(ts, class)?;
    if contains(ts, &data.cache, subclass)? {
        return Ok(py_bool(true));
    }
    let now = counter(module).get();
    if data.negative_version.get() < now {
        clear(ts, &data.negative_cache);
        data.negative_version.set(now);
    } else if contains(ts, &data.negative_cache, subclass)? {
        return Ok(py_bool(false));
    }
    let said = call_method(ts, class, id!(__subclasshook__), &[subclass])?;
    if said.is(true_object()) {
        add(ts, &data.cache, subclass)?;
        return Ok(said);
    }
    if said.is(false_object()) {
        add(ts, &data.negative_cache, subclass)?;
        return Ok(said);
    }
    if !is_not_implemented(&said) {
        return raise!(ts, exc::AssertionError, "__subclasshook__ must return either False, True, or NotImplemented");
    }
    let found =
        is_direct(ts, class, subclass_type) || is_registered(ts, &data, subclass)? || has_below(ts, class, subclass)?;
    add(ts, if found { &data.cache } else { &data.negative_cache }, subclass)?;
    Ok(py_bool(found))
}

fn is_direct(ts: &ThreadState, class: &PyObject, subclass: &PyTypeObject) -> bool {
    subclass.mro(ts).is_some_and(|order| order.items().iter().any(|item| item.is(class)))
}

/// Whether one of the registered classes is the subclass's base.
fn is_registered(ts: &ThreadState, data: &PyAbcData, subclass: &PyObject) -> PyResult<bool> {
    if contains(ts, &data.registry, subclass)? {
        return Ok(true);
    }
    let Some(registry) = data.registry.get() else { return Ok(false) };
    // A copy: the checks may change the registry.
    let mut references = hognose_allocators::collections::TryVec::<PyRef>::new();
    let mut position = 0;
    while let Some(reference) = registry.next(&mut position) {
        references.try_push(reference)?;
    }
    for reference in references.iter() {
        if let Some(known) = reference.downcast::<PyWeakref>().and_then(PyWeakref::get)
            && protocol::issubclass(ts, subclass, &known)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the subclass is one of a class below this one.
fn has_below(ts: &ThreadState, class: &PyObject, subclass: &PyObject) -> PyResult<bool> {
    let below = call_method(ts, class, id!(__subclasses__), &[])?;
    let Some(below) = below.downcast::<PyList>() else {
        return raise!(ts, exc::TypeError, "__subclasses__() must return a list");
    };
    let mut index = 0;
    while let Some(known) = below.get(index) {
        index += 1;
        if protocol::issubclass(ts, subclass, &known)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn reset_registry(ts: &ThreadState, _module: &PyObject, class: &PyObject) -> PyResult {
    clear(ts, &data_of(ts, class)?.registry);
    Ok(ts.none())
}

fn reset_caches(ts: &ThreadState, _module: &PyObject, class: &PyObject) -> PyResult {
    let data = data_of(ts, class)?;
    clear(ts, &data.cache);
    clear(ts, &data.negative_cache);
    Ok(ts.none())
}

fn dump(ts: &ThreadState, _module: &PyObject, class: &PyObject) -> PyResult {
    let data = data_of(ts, class)?;
    let registry = copy(ts, &data.registry)?;
    let cache = copy(ts, &data.cache)?;
    let negative = copy(ts, &data.negative_cache)?;
    let version = PyInt::from_u64(ts, data.negative_version.get())?;
    Ok(PyTuple::new(ts, &[&registry, &cache, &negative, &version])?.into_object())
}
