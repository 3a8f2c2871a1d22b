//! `mappingproxy`: a read-only view of a mapping.

use core::ops::ControlFlow;

use crate::object::call::{Args, Signature, call_method, check_count};
use crate::object::def::{MethodDef, TypeSpec};
use crate::object::slots::{CompareOp, TypeSlots};
use crate::object::visit::Visitor;
use crate::object::{
    AsObject, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, StaticType, alloc, flags, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::genericalias::class_getitem;
use crate::types::list::PyList;
use crate::types::str::StrBuilder;
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// The proxy; the mapping can be read through it.
#[repr(C)]
pub struct PyMappingProxy {
    ob_base: PyObject,
    mapping: Slot<PyObject>,
}
crate::native!(PyMappingProxy, MAPPING_PROXY_TYPE);

/// `types.MappingProxyType`.
#[unsafe(export_name = "PyDictProxy_Type")]
pub static MAPPING_PROXY_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"mappingproxy",
    basicsize: size_of::<PyMappingProxy>(),
    flags: flags::HAVE_GC | flags::MAPPING,
    doc: "mappingproxy(mapping)\n--\n\nA read-only view of a mapping.",
    slots: TypeSlots {
        dealloc: Some(proxy_dealloc),
        traverse: Some(proxy_traverse),
        repr: Some(proxy_repr),
        str: Some(proxy_str),
        hash: Some(proxy_hash),
        richcompare: Some(proxy_richcompare),
        iter: Some(proxy_iter),
        new: Some(proxy_new),
        nb_or: Some(proxy_or),
        nb_inplace_or: Some(proxy_inplace_or),
        sq_contains: Some(proxy_contains),
        mp_length: Some(proxy_length),
        mp_subscript: Some(proxy_subscript),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::positional(
            "get",
            proxy_get,
            "get($self, key, default=None, /)\n--\n\nThe value of the key if it is there, else the default.",
        ),
        MethodDef::no_args("keys", proxy_keys, "keys($self, /)\n--\n\nThe mapping's keys."),
        MethodDef::no_args("values", proxy_values, "values($self, /)\n--\n\nThe mapping's values."),
        MethodDef::no_args("items", proxy_items, "items($self, /)\n--\n\nThe mapping's (key, value) pairs."),
        MethodDef::no_args("copy", proxy_copy, "copy($self, /)\n--\n\nA shallow copy of the mapping."),
        MethodDef::one("__class_getitem__", class_getitem, "__class_getitem__($type, object, /)\n--\n\nSee PEP 585")
            .class(),
        MethodDef::no_args(
            "__reversed__",
            proxy_reversed,
            "__reversed__($self, /)\n--\n\nA reverse iterator over the mapping's keys.",
        ),
    ],
    ..TypeSpec::EMPTY
});

impl PyMappingProxy {
    /// A new proxy of a mapping.
    pub fn new(ts: &ThreadState, mapping: &PyObject) -> PyResult<Ref<PyMappingProxy>> {
        let proxy = alloc::exact::<PyMappingProxy>(ts)?;
        proxy.mapping.set(Some(mapping.new_ref()));
        gc::track(ts, &*proxy);
        Ok(proxy)
    }

    /// What is shown.
    pub fn mapping(&self, ts: &ThreadState) -> PyRef {
        self.mapping.get().unwrap_or_else(|| ts.none())
    }
}

fn mapping_of(ts: &ThreadState, object: &PyObject) -> PyRef {
    object.cast::<PyMappingProxy>().mapping(ts)
}

/// An operand, or what it shows.
fn unwrap(ts: &ThreadState, operand: &PyObject) -> PyRef {
    match operand.downcast::<PyMappingProxy>() {
        Some(proxy) => proxy.mapping(ts),
        None => operand.new_ref(),
    }
}

fn proxy_new(ts: &ThreadState, _typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    const SIGNATURE: Signature<1> = Signature::new("mappingproxy", ["mapping"], 0, 1, 1);
    let [Some(mapping)] = SIGNATURE.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "mappingproxy() missing required argument 'mapping' (pos 1)");
    };
    if mapping.ob_type().slots().mp_subscript.is_none() || mapping.is_a::<PyList>() || mapping.is_a::<PyTuple>() {
        return raise!(ts, exc::TypeError, "mappingproxy() argument must be a mapping, not {}", mapping.type_name());
    }
    Ok(PyMappingProxy::new(ts, mapping)?.into_object())
}

unsafe fn proxy_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is dead to all but us; the memory goes last.
    unsafe {
        gc::untrack(&*object);
        if let Some(mapping) = (*object.cast::<PyMappingProxy>()).mapping.take() {
            mapping.release(ts);
        }
        alloc::free(ts, object);
    }
}

fn proxy_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    visitor.slot(&object.cast::<PyMappingProxy>().mapping)
}

fn proxy_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let mut text = StrBuilder::new();
    text.push_str("mappingproxy(")?;
    text.push_repr(ts, &mapping_of(ts, object))?;
    text.push_str(")")?;
    Ok(text.finish(ts)?.into_object())
}

fn proxy_str(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(protocol::str(ts, &mapping_of(ts, object))?.into_object())
}

fn proxy_hash(ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    protocol::hash(ts, &mapping_of(ts, object))
}

fn proxy_richcompare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    protocol::compare(ts, &mapping_of(ts, left), right, op)
}

fn proxy_iter(ts: &ThreadState, object: &PyObject) -> PyResult {
    protocol::iter(ts, &mapping_of(ts, object))
}

fn proxy_or(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
    protocol::or(ts, &unwrap(ts, left), &unwrap(ts, right))
}

fn proxy_inplace_or(ts: &ThreadState, left: &PyObject, _right: &PyObject) -> PyResult {
    raise!(ts, exc::TypeError, "'|=' is not supported by {}; use '|' instead", left.type_name())
}

fn proxy_contains(ts: &ThreadState, object: &PyObject, key: &PyObject) -> PyResult<bool> {
    let mapping = mapping_of(ts, object);
    match mapping.downcast_exact::<PyDict>() {
        Some(dict) => dict.contains(ts, key),
        None => protocol::contains(ts, &mapping, key),
    }
}

fn proxy_length(ts: &ThreadState, object: &PyObject) -> PyResult<usize> {
    protocol::length(ts, &mapping_of(ts, object))
}

fn proxy_subscript(ts: &ThreadState, object: &PyObject, key: &PyObject) -> PyResult {
    protocol::getitem(ts, &mapping_of(ts, object), key)
}

fn proxy_get(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "get", args.len(), 1, 2)?;
    let default = args.get(1).copied().unwrap_or(crate::types::none::none());
    call_method(ts, &mapping_of(ts, object), id!(get), &[args[0], default])
}

fn proxy_keys(ts: &ThreadState, object: &PyObject) -> PyResult {
    call_method(ts, &mapping_of(ts, object), id!(keys), &[])
}

fn proxy_values(ts: &ThreadState, object: &PyObject) -> PyResult {
    call_method(ts, &mapping_of(ts, object), id!(values), &[])
}

fn proxy_items(ts: &ThreadState, object: &PyObject) -> PyResult {
    call_method(ts, &mapping_of(ts, object), id!(items), &[])
}

fn proxy_copy(ts: &ThreadState, object: &PyObject) -> PyResult {
    call_method(ts, &mapping_of(ts, object), id!(copy), &[])
}

fn proxy_reversed(ts: &ThreadState, object: &PyObject) -> PyResult {
    call_method(ts, &mapping_of(ts, object), id!(__reversed__), &[])
}
