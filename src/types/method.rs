//! `method`: a function bound to its first argument; and `instancemethod`, which binds when it is looked up.

use core::mem::offset_of;
use core::ops::ControlFlow;

use crate::object::call::Args;
use crate::object::weakref::{self, WeakrefList};
use crate::object::*;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::none::is_none;
use crate::types::notimplemented::not_implemented;
use crate::types::owned::owns;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{id, native, raise};

/// A bound method.
#[repr(C)]
pub struct PyMethod {
    ob_base: PyObject,
    im_func: Slot<PyObject>,
    im_self: Slot<PyObject>,
    im_weakreflist: WeakrefList,
}

native!(PyMethod, METHOD_TYPE);

/// `types.MethodType`.
#[unsafe(export_name = "PyMethod_Type")]
pub static METHOD_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"method",
    basicsize: size_of::<PyMethod>(),
    flags: flags::HAVE_GC,
    weaklistoffset: offset_of!(PyMethod, im_weakreflist),
    doc: "method(function, instance, /)\n--\n\nA function that is called with the instance before all other arguments.",
    slots: TypeSlots {
        dealloc: Some(method_dealloc),
        traverse: Some(method_traverse),
        repr: Some(method_repr),
        hash: Some(method_hash),
        richcompare: Some(method_compare),
        call: Some(method_call),
        getattro: Some(method_getattro),
        descr_get: Some(method_descr_get),
        new: Some(method_new),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("__reduce__", method_reduce, "")],
    getset: &[
        GetSetDef::field("__func__", |_, this| Ok(this.cast::<PyMethod>().parts().0), "the function that is called"),
        GetSetDef::field(
            "__self__",
            |_, this| Ok(this.cast::<PyMethod>().parts().1),
            "the instance that it is called with",
        ),
        GetSetDef::get("__doc__", method_doc, ""),
    ],
    ..TypeSpec::EMPTY
});

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&METHOD_TYPE, &INSTANCEMETHOD_TYPE];

impl PyMethod {
    /// `function` bound to `this`.
    #[inline]
    pub fn new(ts: &ThreadState, function: &PyObject, this: &PyObject) -> PyResult<Ref<PyMethod>> {
        let method = alloc::exact::<PyMethod>(ts)?;
        method.im_func.set(Some(function.new_ref()));
        method.im_self.set(Some(this.new_ref()));
        gc::track(ts, &*method);
        Ok(method)
    }

    /// The function and the object that it is bound to.
    #[inline(always)]
    pub fn parts(&self) -> (PyRef, PyRef) {
        let (function, this) = self.borrow_parts();
        (function.new_ref(), this.new_ref())
    }

    /// The parts, borrowed: a method keeps them as long as it lives.
    #[inline(always)]
    pub fn borrow_parts(&self) -> (&PyObject, &PyObject) {
        // SAFETY: both are set when the method is made and never change.
        match unsafe { (self.im_func.borrow(), self.im_self.borrow()) } {
            (Some(function), Some(this)) => (function, this),
            _ => unreachable!("a method is made whole"),
        }
    }
}

unsafe fn method_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for a method.
    unsafe {
        gc::untrack(&*object);
        let this = (*object).cast_unchecked::<PyMethod>();
        weakref::clear_all(ts, &*object);
        if let Some(function) = this.im_func.take() {
            function.release(ts);
        }
        if let Some(instance) = this.im_self.take() {
            instance.release(ts);
        }
        alloc::free(ts, object);
    }
}

fn method_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    let this = object.cast::<PyMethod>();
    visitor.slot(&this.im_func)?;
    visitor.slot(&this.im_self)
}

fn method_new(ts: &ThreadState, _typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let args = args.no_keywords(ts, "method")?;
    call::check_count(ts, "method", args.len(), 2, 2)?;
    if !call::is_callable(args[0]) {
        return raise!(ts, exc::TypeError, "first argument must be callable");
    }
    if is_none(args[1]) {
        return raise!(ts, exc::TypeError, "instance must not be None");
    }
    Ok(PyMethod::new(ts, args[0], args[1])?.into_object())
}

fn method_call(ts: &ThreadState, callable: &PyObject, args: Args<'_>) -> PyResult {
    // Whoever calls keeps the method, and the method its parts.
    // SAFETY: slot of this type.
    let (function, this) = unsafe { callable.cast_unchecked::<PyMethod>() }.borrow_parts();
    slotdefs::call_with_first(ts, function, this, args)
}

/// Attributes that the method itself does not have are the function's.
fn method_getattro(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult {
    let typ = object.ob_type();
    if let Some(attribute) = attr::lookup_type(ts, typ, name) {
        return match attribute.ob_type().slots().descr_get {
            Some(get) => get(ts, &attribute, Some(object), Some(typ.as_object())),
            None => Ok(attribute),
        };
    }
    attr::get(ts, object.cast::<PyMethod>().borrow_parts().0, name)
}

fn method_descr_get(
    _ts: &ThreadState,
    this: &PyObject,
    _instance: Option<&PyObject>,
    _owner: Option<&PyObject>,
) -> PyResult {
    // It is bound already.
    Ok(this.new_ref())
}

fn method_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let (function, this) = object.cast::<PyMethod>().parts();
    let mut name = attr::get_opt(ts, &function, id!(__qualname__))?;
    if name.is_none() {
        name = attr::get_opt(ts, &function, id!(__name__))?;
    }
    let this = protocol::repr(ts, &this)?;
    let text = match name.and_then(|name| name.downcast_into::<PyStr>().ok()) {
        Some(name) => PyStr::format(ts, format_args!("<bound method {} of {}>", &*name, &*this))?,
        None => PyStr::format(ts, format_args!("<bound method ? of {}>", &*this))?,
    };
    Ok(text.into_object())
}

fn method_hash(ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    let (function, this) = object.cast::<PyMethod>().parts();
    let hash = protocol::hash_pointer(&this) ^ protocol::hash(ts, &function)?;
    Ok(if hash == -1 { -2 } else { hash })
}

fn method_compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(not_implemented());
    }
    let (Some(left), Some(right)) = (left.downcast::<PyMethod>(), right.downcast::<PyMethod>()) else {
        return Ok(not_implemented());
    };
    let (left, right) = (left.parts(), right.parts());
    let equal = left.1.is(&right.1) && protocol::equal(ts, &left.0, &right.0)?;
    Ok(py_bool(equal == (op == CompareOp::Eq)))
}

fn method_doc(ts: &ThreadState, object: &PyObject) -> PyResult {
    attr::get(ts, object.cast::<PyMethod>().borrow_parts().0, id!(__doc__))
}

fn method_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let (function, this) = object.cast::<PyMethod>().parts();
    let name = attr::get(ts, &function, id!(__name__))?;
    let getattr = ts.interp().builtins.get().map(|b| b.get_str(ts, id!(getattr))).transpose()?.flatten();
    let Some(getattr) = getattr else {
        return raise!(ts, exc::RuntimeError, "lost builtins.getattr");
    };
    let args = PyTuple::pair(ts, &this, &name)?;
    Ok(PyTuple::pair(ts, &getattr, args.as_object())?.into_object())
}

// ---- instancemethod ----

/// Makes any callable behave as a function of a class body: for C programs (`PyInstanceMethod_New`).
#[repr(C)]
pub struct PyInstanceMethod {
    ob_base: PyObject,
    func: Slot<PyObject>,
}

native!(PyInstanceMethod, INSTANCEMETHOD_TYPE);
owns!(PyInstanceMethod: func);

/// `instancemethod`.
#[unsafe(export_name = "PyInstanceMethod_Type")]
pub static INSTANCEMETHOD_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"instancemethod",
    basicsize: size_of::<PyInstanceMethod>(),
    flags: flags::HAVE_GC,
    doc: "instancemethod(function)\n\nBind a function to a class.",
    slots: TypeSlots {
        dealloc: Some(PyInstanceMethod::slot_dealloc),
        traverse: Some(PyInstanceMethod::slot_traverse),
        repr: Some(instancemethod_repr),
        richcompare: Some(instancemethod_compare),
        call: Some(instancemethod_call),
        getattro: Some(instancemethod_getattro),
        descr_get: Some(instancemethod_descr_get),
        new: Some(instancemethod_new),
        ..TypeSlots::EMPTY
    },
    getset: &[
        GetSetDef::get(
            "__func__",
            |_, this| Ok(function_of(this)),
            "the function (or other callable) implementing a method",
        ),
        GetSetDef::get("__doc__", |ts, this| attr::get(ts, &function_of(this), id!(__doc__)), ""),
    ],
    ..TypeSpec::EMPTY
});

impl PyInstanceMethod {
    /// A wrapper of a callable.
    pub fn new(ts: &ThreadState, function: &PyObject) -> PyResult<Ref<PyInstanceMethod>> {
        let method = alloc::exact::<PyInstanceMethod>(ts)?;
        method.func.set(Some(function.new_ref()));
        gc::track(ts, &*method);
        Ok(method)
    }
}

fn function_of(object: &PyObject) -> PyRef {
    match object.cast::<PyInstanceMethod>().func.get() {
        Some(function) => function,
        None => unreachable!("an instancemethod is made whole"),
    }
}

fn instancemethod_new(ts: &ThreadState, _typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let args = args.no_keywords(ts, "instancemethod")?;
    call::check_count(ts, "instancemethod", args.len(), 1, 1)?;
    if !call::is_callable(args[0]) {
        return raise!(ts, exc::TypeError, "first argument must be callable");
    }
    Ok(PyInstanceMethod::new(ts, args[0])?.into_object())
}

fn instancemethod_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let name = attr::get_opt(ts, &function_of(object), id!(__name__))?;
    let text = match name.and_then(|name| name.downcast_into::<PyStr>().ok()) {
        Some(name) => PyStr::format(ts, format_args!("<instancemethod {} at {:p}>", &*name, object.as_ptr()))?,
        None => PyStr::format(ts, format_args!("<instancemethod ? at {:p}>", object.as_ptr()))?,
    };
    Ok(text.into_object())
}

fn instancemethod_compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    if !matches!(op, CompareOp::Eq | CompareOp::Ne)
        || !left.is_a::<PyInstanceMethod>()
        || !right.is_a::<PyInstanceMethod>()
    {
        return Ok(not_implemented());
    }
    let equal = protocol::equal(ts, &function_of(left), &function_of(right))?;
    Ok(py_bool(equal == (op == CompareOp::Eq)))
}

fn instancemethod_call(ts: &ThreadState, callable: &PyObject, args: Args<'_>) -> PyResult {
    call::call(ts, &function_of(callable), args)
}

fn instancemethod_getattro(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult {
    let typ = object.ob_type();
    if let Some(attribute) = attr::lookup_type(ts, typ, name) {
        return match attribute.ob_type().slots().descr_get {
            Some(get) => get(ts, &attribute, Some(object), Some(typ.as_object())),
            None => Ok(attribute),
        };
    }
    attr::get(ts, &function_of(object), name)
}

fn instancemethod_descr_get(
    ts: &ThreadState,
    this: &PyObject,
    instance: Option<&PyObject>,
    _owner: Option<&PyObject>,
) -> PyResult {
    match instance {
        None => Ok(function_of(this)),
        Some(instance) => Ok(PyMethod::new(ts, &function_of(this), instance)?.into_object()),
    }
}
