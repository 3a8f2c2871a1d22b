//! `_local`: attributes that each thread has for itself.
//!
//! ```text
//!  PyLocal ──► dicts: { thread's id: the thread's dict, … }        owned, so that cycles through them are found
//!     ▲
//!     └─────── PyLocalDummy ◄── the thread's own dict (ts.dict)    its end, when the thread ends, removes the entry
//! ```

use core::cell::Cell;
use core::mem::offset_of;
use core::ops::ControlFlow;

use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    Args, AsObject, GetSetDef, PyObject, PyResult, PyTypeObject, Ref, Slot, StaticType, TypeSlots, TypeSpec, Visitor,
    alloc, attr, call, flags, gc,
};
use crate::state::{ThreadState, threads};
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::object::OBJECT_TYPE;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// An object with attributes of each thread's own.
#[repr(C)]
pub(super) struct PyLocal {
    ob_base: PyObject,
    /// What each thread's `__init__` is called with.
    arguments: Slot<PyTuple>,
    keywords: Slot<PyDict>,
    dicts: Slot<PyDict>,
    /// The dict that was asked for last, and whose it is.
    recent: Slot<PyDict>,
    recent_thread: Cell<u64>,
    weakrefs: WeakrefList,
}

crate::native!(PyLocal, LOCAL_TYPE);

/// `_thread._local`.
pub(super) static LOCAL_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_thread._local",
    basicsize: size_of::<PyLocal>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    doc: "_local()\n--\n\nThread-local data",
    slots: TypeSlots {
        new: Some(local_new),
        dealloc: Some(local_dealloc),
        traverse: Some(local_traverse),
        clear: Some(local_clear),
        getattro: Some(local_getattro),
        setattro: Some(local_setattro),
        ..TypeSlots::EMPTY
    },
    getset: &[GetSetDef::get("__dict__", |ts, this| Ok(dict_of(ts, this)?.into_object()), "")],
    weaklistoffset: offset_of!(PyLocal, weakrefs),
    ..TypeSpec::EMPTY
});

/// Stands in a thread's dict for what a local has of it.
#[repr(C)]
pub(super) struct PyLocalDummy {
    ob_base: PyObject,
    /// Null when the local has ended.
    local: Cell<*const PyLocal>,
    thread: Cell<u64>,
}

crate::native!(PyLocalDummy, DUMMY_TYPE);

/// `_thread._localdummy`.
pub(super) static DUMMY_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_thread._localdummy",
    basicsize: size_of::<PyLocalDummy>(),
    flags: flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots { dealloc: Some(dummy_dealloc), ..TypeSlots::EMPTY },
    ..TypeSpec::EMPTY
});

/// # Safety
/// As for every `DeallocFn`.
unsafe fn dummy_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a dummy whose count is zero; a local that ends nulls the pointers to itself.
    unsafe {
        let dummy = (*object).cast_unchecked::<PyLocalDummy>();
        if let Some(local) = dummy.local.get().as_ref() {
            local.forget(ts, dummy.thread.get());
        }
        alloc::free(ts, object);
    }
}

impl PyLocal {
    /// Drops what belongs to a thread that has ended.
    fn forget(&self, ts: &ThreadState, thread: u64) {
        if self.recent_thread.get() == thread {
            self.recent_thread.set(0);
            self.recent.set(None);
        }
        let Some(dicts) = self.dicts.get() else { return };
        let pending = ts.current_exception.take();
        let removed = PyInt::from_u64(ts, thread).and_then(|key| dicts.remove(ts, &key));
        match removed {
            Ok(dict) => drop(dict),
            Err(raised) => ts.clear_raised(raised),
        }
        ts.current_exception.set(pending);
    }

    /// Takes the dummies out of the threads' dicts: the local ends.
    fn leave_threads(&self, ts: &ThreadState) {
        let pending = ts.current_exception.take();
        threads::for_each(ts.interp(), |thread| {
            let Some(dict) = thread.dict.get() else { return };
            let Some(dict) = dict.downcast::<PyDict>() else { return };
            let removed = self.key(ts).and_then(|key| dict.remove(ts, key.as_object()));
            match removed {
                Ok(Some(dummy)) => {
                    if let Some(dummy) = dummy.downcast::<PyLocalDummy>() {
                        dummy.local.set(core::ptr::null());
                    }
                }
                Ok(None) => {}
                Err(raised) => ts.clear_raised(raised),
            }
        });
        ts.current_exception.set(pending);
    }

    /// What the dummy is found by.
    fn key(&self, ts: &ThreadState) -> PyResult<Ref<PyStr>> {
        PyStr::format(ts, format_args!("thread.local.{:p}", self.as_object().as_ptr()))
    }
}

fn local_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if !args.is_empty() {
        let own_init = of.slots().init.map(|init| init as usize) != OBJECT_TYPE.slots().init.map(|init| init as usize);
        if !own_init {
            return raise!(ts, exc::TypeError, "Initialization arguments are not supported");
        }
    }
    let arguments = PyTuple::new(ts, args.positional())?;
    let keywords = PyDict::new(ts)?;
    for (name, value) in args.keywords() {
        keywords.set_str(ts, name, value)?;
    }
    let dicts = PyDict::new(ts)?;
    let this = alloc::object::<PyLocal>(ts, of)?;
    this.arguments.set(Some(arguments));
    this.keywords.set(Some(keywords));
    this.dicts.set(Some(dicts));
    gc::track(ts, &*this);
    // `__init__` is about to be called for this thread: it needs no call later.
    add_thread(ts, &this)?;
    Ok(this.into_object())
}

/// Makes the calling thread's dict.
fn add_thread(ts: &ThreadState, local: &PyLocal) -> PyResult<Ref<PyDict>> {
    let thread_dict = match ts.dict.get() {
        Some(dict) => dict,
        None => {
            let dict = PyDict::new(ts)?.into_object();
            ts.dict.set(Some(dict.clone()));
            dict
        }
    };
    let Some(thread_dict) = thread_dict.downcast::<PyDict>() else {
        return raise!(ts, exc::SystemError, "the thread's dict is none");
    };
    let Some(dicts) = local.dicts.get() else {
        return raise!(ts, exc::SystemError, "a thread-local object that has been cleared");
    };
    let dict = PyDict::new(ts)?;
    let id = PyInt::from_u64(ts, ts.id)?;
    dicts.set(ts, &id, dict.as_object())?;
    let dummy = alloc::exact::<PyLocalDummy>(ts)?;
    dummy.local.set(local);
    dummy.thread.set(ts.id);
    thread_dict.set_str(ts, &*local.key(ts)?, dummy.as_object())?;
    local.recent.set(Some(dict.clone()));
    local.recent_thread.set(ts.id);
    Ok(dict)
}

/// The calling thread's dict, made and initialized when it is missing.
#[inline]
fn dict_of(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyDict>> {
    let local = object.cast::<PyLocal>();
    if local.recent_thread.get() == ts.id
        && let Some(dict) = local.recent.get()
    {
        return Ok(dict);
    }
    find_dict(ts, object, local)
}

#[inline(never)]
fn find_dict(ts: &ThreadState, object: &PyObject, local: &PyLocal) -> PyResult<Ref<PyDict>> {
    let id = PyInt::from_u64(ts, ts.id)?;
    if let Some(dicts) = local.dicts.get()
        && let Some(dict) = dicts.get(ts, &id)?
        && let Ok(dict) = dict.downcast_into::<PyDict>()
    {
        local.recent.set(Some(dict.clone()));
        local.recent_thread.set(ts.id);
        return Ok(dict);
    }
    let dict = add_thread(ts, local)?;
    let init = object.ob_type().slots().init.map(|init| init as usize);
    if init != OBJECT_TYPE.slots().init.map(|init| init as usize) {
        let arguments = local.arguments.get().unwrap_or_else(PyTuple::empty);
        let keywords = local.keywords.get();
        let called = attr::get(ts, object, id!(__init__))
            .and_then(|method| call::call_tuple_dict(ts, &method, &arguments, keywords.as_deref()));
        if let Err(raised) = called {
            // The next use tries again.
            local.forget(ts, ts.id);
            return Err(raised);
        }
    }
    Ok(dict)
}

fn local_getattro(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult {
    let dict = dict_of(ts, object)?;
    if name.equals_str("__dict__") {
        return Ok(dict.into_object());
    }
    let typ = object.ob_type();
    let attribute = attr::lookup_type(ts, typ, name);
    let getter = attribute.as_ref().and_then(|attribute| attribute.ob_type().slots().descr_get);
    if let (Some(attribute), Some(getter)) = (&attribute, getter)
        && attribute.ob_type().slots().descr_set.is_some()
    {
        return getter(ts, attribute, Some(object), Some(typ.as_object()));
    }
    if let Some(value) = dict.get_str(ts, name)? {
        return Ok(value);
    }
    match (attribute, getter) {
        (Some(attribute), Some(getter)) => getter(ts, &attribute, Some(object), Some(typ.as_object())),
        (Some(attribute), None) => Ok(attribute),
        (None, _) => attr::no_attribute(ts, object, name),
    }
}

fn local_setattro(ts: &ThreadState, object: &PyObject, name: &PyStr, value: Option<&PyObject>) -> PyResult<()> {
    let dict = dict_of(ts, object)?;
    if name.equals_str("__dict__") {
        return raise!(ts, exc::AttributeError, "'{}' object attribute '__dict__' is read-only", object.type_name());
    }
    if let Some(attribute) = attr::lookup_type(ts, object.ob_type(), name)
        && let Some(setter) = attribute.ob_type().slots().descr_set
    {
        return setter(ts, &attribute, object, value);
    }
    match value {
        Some(value) => dict.set_str(ts, name, value),
        None => match dict.remove_str(ts, name)? {
            Some(_) => Ok(()),
            None => attr::no_attribute(ts, object, name),
        },
    }
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn local_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a thread-local object whose count is zero.
    unsafe {
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        (*object).cast_unchecked::<PyLocal>().leave_threads(ts);
        local_clear(ts, &*object);
        alloc::free(ts, object);
    }
}

fn local_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    let this = object.cast::<PyLocal>();
    visitor.slot(&this.arguments)?;
    visitor.slot(&this.keywords)?;
    visitor.slot(&this.dicts)?;
    visitor.slot(&this.recent)
}

fn local_clear(_ts: &ThreadState, object: &PyObject) {
    let this = object.cast::<PyLocal>();
    this.recent_thread.set(0);
    this.recent.set(None);
    this.arguments.set(None);
    this.keywords.set(None);
    this.dicts.set(None);
}
