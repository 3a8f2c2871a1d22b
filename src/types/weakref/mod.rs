//! `weakref.ReferenceType`: a reference that does not keep its object alive. Proxies are in `proxy`.

use core::cell::Cell;
use core::ops::ControlFlow;

use crate::object::call::Args;
use crate::object::weakref::{self, Links};
use crate::object::*;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::dict::qualified_type_name;
use crate::types::exceptions as exc;
use crate::types::none::is_none;
use crate::types::notimplemented::not_implemented;
use crate::types::str::PyStr;
pub mod proxy;
use crate::{id, native, raise};

/// A weak reference or a proxy.
#[repr(C)]
pub struct PyWeakref {
    ob_base: PyObject,
    /// The object, or null when it is gone.
    pub target: Cell<*const PyObject>,
    /// What is called with the reference when the object goes.
    pub callback: Slot<PyObject>,
    /// The reference's place in the object's list.
    pub links: Links,
    /// The object's hash, once it has been asked for; -1 before.
    hash: Cell<isize>,
}

native!(PyWeakref, WEAKREF_TYPE);

impl PyWeakref {
    /// Has the hash computed anew when it is next asked for.
    pub(crate) fn forget_hash(&self) {
        self.hash.set(-1);
    }
}

/// `weakref.ReferenceType`.
#[unsafe(export_name = "_PyWeakref_RefType")]
pub static WEAKREF_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"weakref.ReferenceType",
    basicsize: size_of::<PyWeakref>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    doc: "ReferenceType(object, callback=None, /)\n--\n\nA reference that does not keep its object alive.",
    slots: TypeSlots {
        dealloc: Some(weakref_dealloc),
        traverse: Some(weakref_traverse),
        clear: Some(weakref_clear),
        repr: Some(weakref_repr),
        hash: Some(weakref_hash),
        call: Some(weakref_call),
        richcompare: Some(weakref_compare),
        init: Some(weakref_init),
        new: Some(weakref_new),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::one("__class_getitem__", crate::types::genericalias::class_getitem, "See PEP 585").class()],
    getset: &[GetSetDef::get(
        "__callback__",
        |ts, this| Ok(this.cast::<PyWeakref>().callback.get().unwrap_or_else(|| ts.none())),
        "",
    )],
    ..TypeSpec::EMPTY
});

/// The types of this file and of the proxies.
pub static TYPES: &[&StaticType] = &[&WEAKREF_TYPE, &proxy::PROXY_TYPE, &proxy::CALLABLE_PROXY_TYPE];

impl PyWeakref {
    /// `weakref.ref(object, callback)`; without a callback, the one that the object may have already.
    pub fn new(ts: &ThreadState, object: &PyObject, callback: Option<&PyObject>) -> PyResult<Ref<PyWeakref>> {
        make(ts, &WEAKREF_TYPE, object, callback)
    }

    /// The object, if it still lives.
    #[inline]
    pub fn get(&self) -> Option<PyRef> {
        weakref::target(self)
    }

    fn is_basic(&self) -> bool {
        core::ptr::eq(self.as_object().ob_type(), &WEAKREF_TYPE.object) && !self.callback.is_some()
    }
}

/// A reference of the given type.
pub(crate) fn make(
    ts: &ThreadState,
    typ: &PyTypeObject,
    object: &PyObject,
    callback: Option<&PyObject>,
) -> PyResult<Ref<PyWeakref>> {
    let Some(list) = weakref::list_of(ts, object) else {
        let name = qualified_type_name(ts, object)?;
        return raise!(ts, exc::TypeError, "cannot create weak reference to '{}' object", &*name);
    };
    let callback = callback.filter(|callback| !is_none(callback));
    let is_ref = core::ptr::eq(typ, &WEAKREF_TYPE.object);
    if callback.is_none() {
        // One without a callback serves for all.
        if is_ref {
            if let Some(first) = list.first()
                && first.is_basic()
                && first.as_object().refcnt() > 0
            {
                return Ok(Ref::from_borrowed(first));
            }
        } else if proxy::is_proxy_type(typ)
            && let Some(proxy) = list.iter().find(|reference| {
                core::ptr::eq(reference.as_object().ob_type(), typ)
                    && !reference.callback.is_some()
                    && reference.as_object().refcnt() > 0
            })
        {
            return Ok(Ref::from_borrowed(proxy));
        }
    }
    let size = typ.basicsize() + instance::inline_size(typ);
    // SAFETY: the size is that of an instance, zeroed: null links, empty slots.
    let reference = unsafe { Ref::<PyWeakref>::from_owned(alloc::raw(ts, typ, size, true)?.cast()) };
    reference.hash.set(-1);
    reference.target.set(object);
    reference.callback.set(callback.map(PyRef::from_borrowed));
    // The basic reference stays at the front, so that it is found.
    let at_front = (is_ref && callback.is_none()) || !list.first().is_some_and(PyWeakref::is_basic);
    list.insert(&reference, at_front);
    gc::track_in(ts, reference.as_object());
    Ok(reference)
}

fn weakref_new(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let given = args.positional();
    call::check_count(ts, "__new__", given.len(), 1, 2)?;
    Ok(make(ts, typ, given[0], given.get(1).copied())?.into_object())
}

fn weakref_init(ts: &ThreadState, _this: &PyObject, args: Args<'_>) -> PyResult<()> {
    let args = args.no_keywords(ts, "ref")?;
    call::check_count(ts, "__init__", args.len(), 1, 2)
}

pub(crate) unsafe fn weakref_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for a weak reference or a proxy, which have the same layout.
    unsafe {
        gc::untrack(&*object);
        let this = &*object.cast::<PyWeakref>();
        weakref::detach(ts, this);
        this.callback.set(None);
        alloc::free(ts, object);
    }
}

pub(crate) fn weakref_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    visitor.slot(&fields(object).callback)
}

pub(crate) fn weakref_clear(ts: &ThreadState, object: &PyObject) {
    let this = fields(object);
    weakref::detach(ts, this);
    this.callback.set(None);
}

/// The fields of a reference or a proxy.
pub(crate) fn fields(object: &PyObject) -> &PyWeakref {
    // SAFETY: called for objects of the three types only, which have the same layout.
    unsafe { &*core::ptr::from_ref(object).cast::<PyWeakref>() }
}

fn weakref_call(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    if !args.is_empty() {
        if args.has_keywords() {
            return raise!(ts, exc::TypeError, "weakref.ReferenceType() takes no keyword arguments");
        }
        return raise!(ts, exc::TypeError, "weakref.ReferenceType() takes no arguments ({} given)", args.len());
    }
    Ok(fields(object).get().unwrap_or_else(|| ts.none()))
}

fn weakref_hash(ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    let this = fields(object);
    if this.hash.get() != -1 {
        return Ok(this.hash.get());
    }
    let Some(target) = this.get() else {
        return raise!(ts, exc::TypeError, "weak object has gone away");
    };
    let hash = protocol::hash(ts, &target)?;
    this.hash.set(hash);
    Ok(hash)
}

fn weakref_compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(not_implemented());
    }
    let (Some(left_ref), Some(right_ref)) = (left.downcast::<PyWeakref>(), right.downcast::<PyWeakref>()) else {
        return Ok(not_implemented());
    };
    match (left_ref.get(), right_ref.get()) {
        (Some(a), Some(b)) => protocol::compare(ts, &a, &b, op),
        // Of the dead, only the same is equal.
        _ => Ok(py_bool(left.is(right) == (op == CompareOp::Eq))),
    }
}

fn weakref_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let Some(target) = fields(object).get() else {
        return Ok(PyStr::format(ts, format_args!("<weakref at {:p}; dead>", object.as_ptr()))?.into_object());
    };
    let kind = qualified_type_name(ts, &target)?;
    let name = attr::get_opt(ts, &target, id!(__name__))?.and_then(|name| name.downcast_into::<PyStr>().ok());
    let text = match name {
        Some(name) => PyStr::format(
            ts,
            format_args!("<weakref at {:p}; to '{}' at {:p} ({})>", object.as_ptr(), &*kind, target.as_raw(), &*name),
        )?,
        None => PyStr::format(
            ts,
            format_args!("<weakref at {:p}; to '{}' at {:p}>", object.as_ptr(), &*kind, target.as_raw()),
        )?,
    };
    Ok(text.into_object())
}
