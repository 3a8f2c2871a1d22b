//! The cache behind `functools.lru_cache`.
//!
//! ```text
//!  cache (dict): key ──► PyLink        bounded: the links are in a list, from the one used longest ago to the last
//!                  key ──► result      unbounded: the results themselves
//! ```
//!
//! I1: a link in the list is owned by the list, and by the dict while its key is there.
//! I2: the list changes only between calls of code that could run Python: the list is whole whenever that runs.

use core::cell::Cell;
use core::mem::offset_of;
use core::ops::ControlFlow;
use core::ptr;

use hognose_allocators::collections::TryVec;

use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature, Slot, StaticType,
    TypeSlots, TypeSpec, Visitor, alloc, attr, call, flags, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::method::PyMethod;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// What stands in a key between the positional arguments and the keyword ones. Its type has no name that a program could
/// get at, so no argument is equal to it.
static MARK: PyObject = PyObject::immortal(&MARK_TYPE.object);

pub(super) static MARK_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"functools._kwd_mark",
    basicsize: size_of::<PyObject>(),
    flags: flags::DISALLOW_INSTANTIATION,
    ..TypeSpec::EMPTY
});

/// An entry of a bounded cache.
#[repr(C)]
pub(super) struct PyLink {
    ob_base: PyObject,
    previous: Cell<*const PyLink>,
    next: Cell<*const PyLink>,
    hash: Cell<isize>,
    key: Slot<PyObject>,
    result: Slot<PyObject>,
}

crate::native!(PyLink, LINK_TYPE);

/// The type of the entries. Not collected: the cache shows what they own.
pub(super) static LINK_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"functools._lru_list_elem",
    basicsize: size_of::<PyLink>(),
    flags: flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots { dealloc: Some(link_dealloc), ..TypeSlots::EMPTY },
    ..TypeSpec::EMPTY
});

/// # Safety
/// As for every `DeallocFn`.
unsafe fn link_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a link whose count is zero; I1: it is in no list.
    unsafe {
        let link = (*object).cast_unchecked::<PyLink>();
        link.key.set(None);
        link.result.set(None);
        alloc::free(ts, object);
    }
}

/// How much a cache keeps.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Bound {
    /// Nothing.
    Nothing = 0,
    /// So many results, those used last.
    Limited,
    /// All results.
    Everything,
}

/// A function with a cache.
#[repr(C)]
pub(super) struct PyLruCache {
    ob_base: PyObject,
    function: Slot<PyObject>,
    cache: Slot<PyDict>,
    info_type: Slot<PyObject>,
    dict: Slot<PyDict>,
    weakrefs: WeakrefList,
    first: Cell<*const PyLink>,
    last: Cell<*const PyLink>,
    max_size: Cell<usize>,
    hits: Cell<usize>,
    misses: Cell<usize>,
    bound: Cell<Bound>,
    typed: Cell<bool>,
}

crate::native!(PyLruCache, LRU_CACHE_TYPE);

/// `functools._lru_cache_wrapper`.
pub(super) static LRU_CACHE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"functools._lru_cache_wrapper",
    basicsize: size_of::<PyLruCache>(),
    flags: flags::HAVE_GC | flags::BASETYPE | flags::METHOD_DESCRIPTOR,
    doc: "Create a cached callable that wraps another function.\n\n\
          user_function:      the function being cached\n\n\
          maxsize:  0         for no caching\n          \
                    None      for unlimited cache size\n          \
                    n         for a bounded cache\n\n\
          typed:    False     cache f(3) and f(3.0) as identical calls\n          \
                    True      cache f(3) and f(3.0) as distinct calls\n\n\
          cache_info_type:    namedtuple class with the fields:\n                        \
                    hits misses currsize maxsize\n",
    slots: TypeSlots {
        new: Some(cache_new),
        dealloc: Some(cache_dealloc),
        traverse: Some(cache_traverse),
        clear: Some(cache_tp_clear),
        call: Some(cache_call),
        descr_get: Some(cache_get),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("cache_info", cache_info, "cache_info($self, /)\n--\n\nReport cache statistics"),
        MethodDef::no_args(
            "cache_clear",
            cache_clear,
            "cache_clear($self, /)\n--\n\nClear the cache and cache statistics",
        ),
        MethodDef::no_args("__reduce__", cache_reduce, "What pickle needs."),
        MethodDef::no_args("__copy__", |_, this| Ok(this.new_ref()), "The cache itself."),
        MethodDef::one("__deepcopy__", |_, this, _| Ok(this.new_ref()), "The cache itself."),
    ],
    getset: &[GetSetDef::get_set("__dict__", attr::get_dict_attribute, attr::set_dict_attribute, "")],
    dictoffset: offset_of!(PyLruCache, dict),
    weaklistoffset: offset_of!(PyLruCache, weakrefs),
    ..TypeSpec::EMPTY
});

fn cache_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<4> =
        Signature::new("lru_cache", ["user_function", "maxsize", "typed", "cache_info_type"], 0, 4, 4);
    let [Some(function), Some(max_size), Some(typed), Some(info_type)] = SIGNATURE.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "lru_cache() needs four arguments");
    };
    if !call::is_callable(function) {
        return raise!(ts, exc::TypeError, "the first argument must be callable");
    }
    let typed = protocol::is_true(ts, typed)?;
    let (bound, max_size) = if is_none(max_size) {
        (Bound::Everything, 0)
    } else if protocol::is_index(max_size) {
        match protocol::as_isize(ts, max_size)? {
            ..=0 => (Bound::Nothing, 0),
            size => (Bound::Limited, size as usize),
        }
    } else {
        return raise!(ts, exc::TypeError, "maxsize should be integer or None");
    };
    let cache = PyDict::new(ts)?;
    let this = alloc::object::<PyLruCache>(ts, of)?;
    this.function.set(Some(function.new_ref()));
    this.cache.set(Some(cache));
    this.info_type.set(Some(info_type.new_ref()));
    this.max_size.set(max_size);
    this.bound.set(bound);
    this.typed.set(typed);
    gc::track(ts, &*this);
    Ok(this.into_object())
}

impl PyLruCache {
    /// Takes a link out of the list; the list's reference to it passes to the caller.
    fn unlink(&self, link: &PyLink) -> Ref<PyLink> {
        let (previous, next) = (link.previous.get(), link.next.get());
        // SAFETY: I1: the neighbours are alive.
        unsafe {
            match previous.as_ref() {
                Some(previous) => previous.next.set(next),
                None => self.first.set(next),
            }
            match next.as_ref() {
                Some(next) => next.previous.set(previous),
                None => self.last.set(previous),
            }
        }
        link.previous.set(ptr::null());
        link.next.set(ptr::null());
        // SAFETY: the list has owned this reference.
        unsafe { Ref::from_owned(ptr::from_ref(link).cast_mut()) }
    }

    /// Puts a link at the end of the list, which takes the reference over.
    fn append(&self, link: Ref<PyLink>) {
        let last = self.last.get();
        link.previous.set(last);
        link.next.set(ptr::null());
        let link = link.into_ptr();
        // SAFETY: I1.
        match unsafe { last.as_ref() } {
            Some(last) => last.next.set(link),
            None => self.first.set(link),
        }
        self.last.set(link);
    }

    fn is_linked(&self, link: &PyLink) -> bool {
        !link.previous.get().is_null() || ptr::eq(self.first.get(), link)
    }

    /// Empties the list. Dropping can run Python code, which may find the links through the dict still: first of all
    /// they are marked as being in no list.
    fn drop_links(&self, ts: &ThreadState) {
        let first = self.first.replace(ptr::null());
        self.last.set(ptr::null());
        let mut at = first;
        // SAFETY: I1: the links are alive; nothing runs here.
        while let Some(link) = unsafe { at.as_ref() } {
            link.previous.set(ptr::null());
            at = link.next.get();
        }
        at = first;
        // SAFETY: what is left of the chain is owned by it alone, and reached from here alone.
        while let Some(link) = unsafe { at.as_ref() } {
            at = link.next.replace(ptr::null());
            // SAFETY: this was the list's reference.
            unsafe { Ref::<PyLink>::from_owned(ptr::from_ref(link).cast_mut()) }.release(ts);
        }
    }
}

/// The key for a call's arguments.
fn make_key(ts: &ThreadState, args: Args<'_>, typed: bool) -> PyResult {
    let positional = args.positional();
    if !typed
        && !args.has_keywords()
        && let [only] = positional
        && (only.downcast_exact::<PyStr>().is_some() || only.downcast_exact::<PyInt>().is_some())
    {
        // The argument itself will do: nothing else is equal to it that is not so in a call.
        return Ok(only.new_ref());
    }
    if !typed && !args.has_keywords() {
        return Ok(PyTuple::new(ts, positional)?.into_object());
    }
    let mut parts = TryVec::<PyRef>::new();
    parts.try_reserve(args.all().len() * 2 + 1)?;
    for item in positional {
        parts.try_push(item.new_ref())?;
    }
    if args.has_keywords() {
        parts.try_push(MARK.new_ref())?;
        for (name, value) in args.keywords() {
            parts.try_push(name.new_ref())?;
            parts.try_push(value.new_ref())?;
        }
    }
    if typed {
        for item in args.all() {
            parts.try_push(item.ob_type().new_ref())?;
        }
    }
    Ok(PyTuple::from_vec(ts, parts)?.into_object())
}

fn cache_call(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    let this = object.cast::<PyLruCache>();
    let (Some(function), Some(cache)) = (this.function.get(), this.cache.get()) else {
        return raise!(ts, exc::SystemError, "a cache without its function");
    };
    match this.bound.get() {
        Bound::Limited => bounded_call(ts, this, &function, &cache, args),
        Bound::Everything => {
            let key = make_key(ts, args, this.typed.get())?;
            let hash = protocol::hash(ts, &key)?;
            if let Some(result) = cache.get_known_hash(ts, &key, hash)? {
                this.hits.set(this.hits.get() + 1);
                return Ok(result);
            }
            this.misses.set(this.misses.get() + 1);
            let result = call::call(ts, &function, args)?;
            cache.set_known_hash(ts, &key, hash, &result)?;
            Ok(result)
        }
        Bound::Nothing => {
            this.misses.set(this.misses.get() + 1);
            call::call(ts, &function, args)
        }
    }
}

fn bounded_call(ts: &ThreadState, this: &PyLruCache, function: &PyObject, cache: &PyDict, args: Args<'_>) -> PyResult {
    let key = make_key(ts, args, this.typed.get())?;
    let hash = protocol::hash(ts, &key)?;
    if let Some(found) = cache.get_known_hash(ts, &key, hash)? {
        let link = found.cast::<PyLink>();
        if this.is_linked(link) {
            let link = this.unlink(link);
            this.append(link);
        }
        this.hits.set(this.hits.get() + 1);
        return Ok(link.result.get().unwrap_or_else(|| ts.none()));
    }
    this.misses.set(this.misses.get() + 1);
    let result = call::call(ts, function, args)?;
    // The function may have called itself with the same arguments.
    if cache.contains_known_hash(ts, &key, hash)? {
        return Ok(result);
    }
    if cache.len() < this.max_size.get() || this.first.get().is_null() {
        let link = alloc::exact::<PyLink>(ts)?;
        link.hash.set(hash);
        link.key.set(Some(key.clone()));
        link.result.set(Some(result.clone()));
        cache.set_known_hash(ts, &key, hash, link.as_object())?;
        this.append(link);
        return Ok(result);
    }
    replace_oldest(ts, this, cache, key, hash, &result)?;
    Ok(result)
}

/// Uses the link of the result that was used longest ago for a new one.
fn replace_oldest(
    ts: &ThreadState,
    this: &PyLruCache,
    cache: &PyDict,
    key: PyRef,
    hash: isize,
    result: &PyObject,
) -> PyResult<()> {
    // SAFETY: I1: the first link is alive.
    let Some(oldest) = (unsafe { this.first.get().as_ref() }) else { return Ok(()) };
    let link = this.unlink(oldest);
    let Some(old_key) = link.key.get() else { return Ok(()) };
    match cache.remove_known_hash(ts, &old_key, link.hash.get()) {
        // Comparing keys has failed: the entry stays, at the other end.
        Err(raised) => {
            this.append(link);
            return Err(raised);
        }
        // Somebody has removed it meanwhile: the link is nobody's, and the cache is as it should be.
        Ok(None) => return Ok(()),
        Ok(Some(removed)) => removed.release(ts),
    }
    let old_result = link.result.replace(Some(result.new_ref()));
    link.key.set(Some(key.clone()));
    link.hash.set(hash);
    let added = cache.set_known_hash(ts, &key, hash, link.as_object());
    if added.is_ok() {
        this.append(link);
    }
    // What is dropped here can run Python code: the cache is whole by now.
    drop((old_key, old_result));
    added
}

fn cache_get(ts: &ThreadState, this: &PyObject, instance: Option<&PyObject>, _owner: Option<&PyObject>) -> PyResult {
    match instance.filter(|instance| !is_none(instance)) {
        Some(instance) => Ok(PyMethod::new(ts, this, instance)?.into_object()),
        None => Ok(this.new_ref()),
    }
}

fn cache_info(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyLruCache>();
    let Some(info_type) = this.info_type.get() else { return Ok(ts.none()) };
    let max_size = match this.bound.get() {
        Bound::Everything => ts.none(),
        Bound::Limited | Bound::Nothing => PyInt::from_usize(ts, this.max_size.get())?,
    };
    let hits = PyInt::from_usize(ts, this.hits.get())?;
    let misses = PyInt::from_usize(ts, this.misses.get())?;
    let size = PyInt::from_usize(ts, this.cache.get().map_or(0, |cache| cache.len()))?;
    call::call_with(ts, &info_type, &[&hits, &misses, &max_size, &size])
}

fn cache_clear(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyLruCache>();
    this.hits.set(0);
    this.misses.set(0);
    if let Some(cache) = this.cache.get() {
        // The links go when neither the list nor the dict has them any more.
        this.drop_links(ts);
        cache.clear(ts);
    }
    Ok(ts.none())
}

fn cache_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    attr::get(ts, object, id!(__qualname__))
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn cache_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a cache whose count is zero.
    unsafe {
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        cache_tp_clear(ts, &*object);
        alloc::free(ts, object);
    }
}

fn cache_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    let this = object.cast::<PyLruCache>();
    let mut at = this.first.get();
    // SAFETY: I1: what is in the list is alive.
    while let Some(link) = unsafe { at.as_ref() } {
        visitor.slot(&link.key)?;
        visitor.slot(&link.result)?;
        at = link.next.get();
    }
    visitor.slot(&this.function)?;
    visitor.slot(&this.cache)?;
    visitor.slot(&this.info_type)?;
    visitor.slot(&this.dict)
}

fn cache_tp_clear(ts: &ThreadState, object: &PyObject) {
    let this = object.cast::<PyLruCache>();
    this.drop_links(ts);
    this.cache.set(None);
    this.function.set(None);
    this.info_type.set(None);
    this.dict.set(None);
}
