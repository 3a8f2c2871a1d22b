//! `P.args` and `P.kwargs`.

use core::mem::offset_of;
use core::ops::ControlFlow;

use crate::object::call::{Args, Signature};
use crate::object::weakref::{self, WeakrefList};
use crate::object::*;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::notimplemented::not_implemented;
use crate::types::str::PyStr;
use crate::{id, native, raise};

/// The arguments that a ParamSpec stands for: the positional ones or, under the other type, those by name.
#[repr(C)]
pub struct PyParamSpecPart {
    ob_base: PyObject,
    origin: Slot<PyObject>,
    weakrefs: WeakrefList,
}

native!(PyParamSpecPart, PARAMSPEC_ARGS_TYPE);

const SPEC: TypeSpec = TypeSpec {
    basicsize: size_of::<PyParamSpecPart>(),
    flags: flags::HAVE_GC,
    weaklistoffset: offset_of!(PyParamSpecPart, weakrefs),
    methods: &[MethodDef::one(
        "__mro_entries__",
        |ts, this, _| raise!(ts, exc::TypeError, "Cannot subclass an instance of {}", this.ob_type().name()),
        "",
    )],
    getset: &[GetSetDef::get("__origin__", |_, this| Ok(origin(this)), "")],
    ..TypeSpec::EMPTY
};

const SLOTS: TypeSlots = TypeSlots {
    dealloc: Some(part_dealloc),
    traverse: Some(part_traverse),
    clear: Some(part_clear),
    richcompare: Some(part_compare),
    repr: Some(part_repr),
    ..TypeSlots::EMPTY
};

/// `typing.ParamSpecArgs`.
pub static PARAMSPEC_ARGS_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"typing.ParamSpecArgs",
    doc: "What P.args is for a ParamSpec P: the annotation of *args.",
    slots: TypeSlots { new: Some(|ts, _, args| part_new(ts, &PARAMSPEC_ARGS_TYPE, args)), ..SLOTS },
    ..SPEC
});

/// `typing.ParamSpecKwargs`.
pub static PARAMSPEC_KWARGS_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"typing.ParamSpecKwargs",
    doc: "What P.kwargs is for a ParamSpec P: the annotation of **kwargs.",
    slots: TypeSlots { new: Some(|ts, _, args| part_new(ts, &PARAMSPEC_KWARGS_TYPE, args)), ..SLOTS },
    ..SPEC
});

/// `origin.args` or `origin.kwargs`, by the type.
pub fn new(ts: &ThreadState, typ: &'static StaticType, origin: &PyObject) -> PyResult {
    // SAFETY: the size is that of an instance of either type, zeroed.
    let object = unsafe { PyRef::from_owned(alloc::raw(ts, typ, size_of::<PyParamSpecPart>(), true)?) };
    fields(&object).origin.set(Some(origin.new_ref()));
    gc::track_in(ts, &object);
    Ok(object)
}

fn part_new(ts: &ThreadState, typ: &'static StaticType, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("paramspecargs", ["origin"], 0, 1, 1);
    let [origin] = SIGNATURE.parse(ts, args)?;
    new(ts, typ, origin.unwrap_or(crate::types::none::none()))
}

fn fields(object: &PyObject) -> &PyParamSpecPart {
    // SAFETY: called for objects of the two types only, which share the layout.
    unsafe { &*core::ptr::from_ref(object).cast::<PyParamSpecPart>() }
}

fn origin(object: &PyObject) -> PyRef {
    match fields(object).origin.get() {
        Some(origin) => origin,
        None => crate::types::none::none().new_ref(),
    }
}

unsafe fn part_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for an object of one of the types.
    unsafe {
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        fields(&*object).origin.set(None);
        alloc::free(ts, object);
    }
}

fn part_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    visitor.slot(&fields(object).origin)
}

fn part_clear(_ts: &ThreadState, object: &PyObject) {
    fields(object).origin.set(None);
}

fn part_compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    if !matches!(op, CompareOp::Eq | CompareOp::Ne) || !core::ptr::eq(left.ob_type(), right.ob_type()) {
        return Ok(not_implemented());
    }
    let equal = protocol::equal(ts, &origin(left), &origin(right))?;
    Ok(py_bool(equal == (op == CompareOp::Eq)))
}

fn part_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let origin = origin(object);
    let part = if core::ptr::eq(object.ob_type(), &PARAMSPEC_ARGS_TYPE.object) { "args" } else { "kwargs" };
    let text = if core::ptr::eq(origin.ob_type(), &super::PARAMSPEC_TYPE.object) {
        let name = attr::get(ts, &origin, id!(__name__))?;
        protocol::str(ts, &name)?
    } else {
        protocol::repr(ts, &origin)?
    };
    Ok(PyStr::format(ts, format_args!("{}.{part}", &*text))?.into_object())
}
