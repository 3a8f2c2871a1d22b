//! `types.SimpleNamespace`: an object that is its attributes.

use core::mem::offset_of;
use core::ops::ControlFlow;

use crate::object::call::{Args, call0, check_count};
use crate::object::def::{GetSetDef, MethodDef, TypeSpec};
use crate::object::slots::{CompareOp, TypeSlots};
use crate::object::visit::Visitor;
use crate::object::{AsObject, PyObject, PyResult, PyTypeObject, Ref, Slot, StaticType, alloc, flags, gc, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::notimplemented::not_implemented;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;

/// The namespace; its attributes are in the dict.
#[repr(C)]
pub struct PyNamespace {
    ob_base: PyObject,
    dict: Slot<PyDict>,
}
crate::native!(PyNamespace, NAMESPACE_TYPE);

/// `types.SimpleNamespace`.
#[unsafe(export_name = "_PyNamespace_Type")]
pub static NAMESPACE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"types.SimpleNamespace",
    basicsize: size_of::<PyNamespace>(),
    flags: flags::BASETYPE | flags::HAVE_GC,
    doc: "SimpleNamespace(mapping_or_iterable=(), /, **kwargs)\n--\n\nAn object whose attributes can be given, compared and shown.",
    slots: TypeSlots {
        dealloc: Some(namespace_dealloc),
        traverse: Some(namespace_traverse),
        clear: Some(namespace_clear),
        repr: Some(namespace_repr),
        richcompare: Some(namespace_richcompare),
        init: Some(namespace_init),
        new: Some(namespace_new),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__reduce__", namespace_reduce, "What pickle needs."),
        MethodDef::keywords(
            "__replace__",
            namespace_replace,
            "__replace__($self, /, **changes)\n--\n\nA copy of the namespace with new values for the given attributes.",
        ),
    ],
    getset: &[GetSetDef::get("__dict__", namespace_dict, "")],
    dictoffset: offset_of!(PyNamespace, dict),
    ..TypeSpec::EMPTY
});

/// A new namespace with the entries of a dict, as an object (`_PyNamespace_New`).
pub fn new(ts: &ThreadState, attributes: &PyDict) -> PyResult {
    Ok(PyNamespace::new(ts, Some(attributes))?.into_object())
}

impl PyNamespace {
    /// A new namespace with the entries of a dict.
    pub fn new(ts: &ThreadState, attributes: Option<&PyDict>) -> PyResult<Ref<PyNamespace>> {
        let namespace = PyNamespace::new_of(ts, &NAMESPACE_TYPE)?;
        if let Some(attributes) = attributes {
            namespace.attributes(ts)?.update(ts, attributes.as_object())?;
        }
        Ok(namespace)
    }

    fn new_of(ts: &ThreadState, typ: &PyTypeObject) -> PyResult<Ref<PyNamespace>> {
        let namespace = alloc::object::<PyNamespace>(ts, typ)?;
        namespace.dict.set(Some(PyDict::new(ts)?));
        if !gc::is_tracked(namespace.as_object()) {
            gc::track(ts, &*namespace);
        }
        Ok(namespace)
    }

    /// The dict of the attributes.
    pub fn attributes(&self, ts: &ThreadState) -> PyResult<Ref<PyDict>> {
        if let Some(dict) = self.dict.get() {
            return Ok(dict);
        }
        let dict = PyDict::new(ts)?;
        self.dict.set(Some(dict.clone()));
        Ok(dict)
    }
}

fn attributes_of(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyDict>> {
    object.cast::<PyNamespace>().attributes(ts)
}

fn namespace_new(ts: &ThreadState, typ: &PyTypeObject, _args: Args<'_>) -> PyResult {
    Ok(PyNamespace::new_of(ts, typ)?.into_object())
}

fn namespace_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    check_count(ts, object.type_name(), args.len(), 0, 1)?;
    let attributes = attributes_of(ts, object)?;
    if let Some(source) = args.positional().first() {
        let given = match source.downcast_exact::<PyDict>() {
            Some(dict) => Ref::from_borrowed(dict),
            None => {
                let dict = PyDict::new(ts)?;
                dict.update(ts, source)?;
                dict
            }
        };
        let mut position = 0;
        while let Some((key, _)) = given.next(&mut position) {
            if !key.is_a::<PyStr>() {
                return raise!(ts, exc::TypeError, "keywords must be strings");
            }
        }
        attributes.update(ts, given.as_object())?;
    }
    for (name, value) in args.keywords() {
        attributes.set_str(ts, name, value)?;
    }
    Ok(())
}

unsafe fn namespace_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the object is dead to all but us; the memory goes last.
    unsafe {
        gc::untrack(&*object);
        namespace_clear(ts, &*object);
        alloc::free(ts, object);
    }
}

fn namespace_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    visitor.slot(&object.cast::<PyNamespace>().dict)
}

fn namespace_clear(ts: &ThreadState, object: &PyObject) {
    if let Some(dict) = object.cast::<PyNamespace>().dict.take() {
        dict.release(ts);
    }
}

fn namespace_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let exact = core::ptr::eq(object.ob_type(), &*NAMESPACE_TYPE);
    let name = if exact { "namespace" } else { object.type_name() };
    if !protocol::repr_enter(ts, object)? {
        return Ok(PyStr::format(ts, format_args!("{name}(...)"))?.into_object());
    }
    let text = || -> PyResult<Ref<PyStr>> {
        let mut text = StrBuilder::new();
        text.push_str(name)?;
        text.push_str("(")?;
        // A repr can change the attributes: their present names are gathered first.
        let attributes = attributes_of(ts, object)?;
        let names = attributes.keys_list(ts)?;
        let (mut index, mut first) = (0, true);
        while let Some(key) = names.get(index) {
            index += 1;
            let Some(name) = key.downcast::<PyStr>().filter(|name| name.len() != 0) else { continue };
            let Some(value) = attributes.get(ts, &key)? else { continue };
            if !first {
                text.push_str(", ")?;
            }
            first = false;
            text.push(name)?;
            text.push_str("=")?;
            text.push_repr(ts, &value)?;
        }
        text.push_str(")")?;
        text.finish(ts)
    };
    let text = text();
    protocol::repr_leave(ts, object);
    Ok(text?.into_object())
}

fn namespace_richcompare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    if !left.is_a::<PyNamespace>() || !right.is_a::<PyNamespace>() {
        return Ok(not_implemented());
    }
    let (ours, theirs) = (attributes_of(ts, left)?, attributes_of(ts, right)?);
    protocol::compare(ts, ours.as_object(), theirs.as_object(), op)
}

fn namespace_dict(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(attributes_of(ts, object)?.into_object())
}

fn namespace_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let attributes = attributes_of(ts, object)?;
    let arguments = PyTuple::empty();
    Ok(PyTuple::new(ts, &[object.ob_type().as_object(), arguments.as_object(), attributes.as_object()])?.into_object())
}

fn namespace_replace(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    if args.len() != 0 {
        return raise!(ts, exc::TypeError, "__replace__() takes no positional arguments");
    }
    let copy = call0(ts, object.ob_type().as_object())?;
    let Some(made) = copy.downcast::<PyNamespace>() else {
        return raise!(
            ts,
            exc::TypeError,
            "expect {} type, but {}() returned '{}' object",
            NAMESPACE_TYPE.full_name(),
            object.type_name(),
            copy.type_name()
        );
    };
    let attributes = made.attributes(ts)?;
    attributes.update(ts, attributes_of(ts, object)?.as_object())?;
    for (name, value) in args.keywords() {
        attributes.set_str(ts, name, value)?;
    }
    Ok(copy)
}
