//! Descriptors of native types: methods, class methods, computed attributes, members, slot wrappers.

use core::cell::Cell;
use core::ffi::CStr;

use crate::object::call::Args;
use crate::object::cdef;
use crate::object::def::Binding;
use crate::object::slotdefs::{RawSlot, SlotDef};
use crate::object::*;
use crate::state::ThreadState;
use crate::types::builtin_function::{PyBuiltinFunction, call_native};
use crate::types::exceptions as exc;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{id, native, raise};

/// What all descriptors begin with.
#[repr(C)]
pub struct PyDescr {
    ob_base: PyObject,
    d_type: Slot<PyTypeObject>,
    d_name: Slot<PyStr>,
}

/// Whether the object is a descriptor of a type's own making, which refers to the type and to nothing else that is collected.
pub(crate) fn is_descriptor(object: &PyObject) -> bool {
    [&METHOD_DESCR_TYPE, &CLASSMETHOD_DESCR_TYPE, &GETSET_DESCR_TYPE, &MEMBER_DESCR_TYPE, &WRAPPER_DESCR_TYPE]
        .iter()
        .any(|typ| core::ptr::eq(object.ob_type(), &raw const typ.object))
}

impl PyDescr {
    fn fill(&self, typ: &PyTypeObject, name: Ref<PyStr>) {
        self.d_type.set(Some(Ref::from_borrowed(typ)));
        self.d_name.set(Some(name));
    }

    /// The type that the descriptor belongs to.
    #[inline(always)]
    pub fn owner(&self) -> &PyTypeObject {
        // SAFETY: the owner is set once and kept until the descriptor ends.
        match unsafe { self.d_type.borrow() } {
            Some(typ) => typ,
            None => &crate::types::object::OBJECT_TYPE,
        }
    }

    /// The attribute's name.
    #[inline(always)]
    pub fn name(&self) -> &PyStr {
        // SAFETY: as for the owner.
        unsafe { self.d_name.borrow() }.unwrap_or(id!(__name__))
    }

    /// TypeError unless the object is an instance of the owner.
    #[inline]
    fn check(&self, ts: &ThreadState, object: &PyObject) -> PyResult<()> {
        if object.ob_type().is_subtype(self.owner()) {
            return Ok(());
        }
        raise!(
            ts,
            exc::TypeError,
            "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
            self.name(),
            self.owner().name(),
            object.type_name()
        )
    }
}

/// A method of a native type (`method_descriptor`), and its class-method form.
#[repr(C)]
pub struct PyMethodDescr {
    base: PyDescr,
    def: Cell<*const MethodDef>,
    owns_def: Cell<bool>,
}

/// A computed attribute (`getset_descriptor`).
#[repr(C)]
pub struct PyGetSetDescr {
    base: PyDescr,
    native: Cell<Option<&'static GetSetDef>>,
    c: Cell<*const cdef::PyGetSetDef>,
}

/// A field of the instance (`member_descriptor`): what `__slots__` makes, or a C `PyMemberDef`.
#[repr(C)]
pub struct PyMemberDescr {
    base: PyDescr,
    /// Where the field is.
    pub(crate) offset: Cell<usize>,
    /// A slot of `__slots__` has none: it is an object reference that may be missing.
    c: Cell<*const cdef::PyMemberDef>,
    /// A field of a struct sequence can't be set.
    read_only: Cell<bool>,
    /// The docstring of such a field.
    doc: Cell<Option<&'static str>>,
    /// A field that functions read and write.
    native: Cell<Option<&'static GetSetDef>>,
}

/// A native slot under its Python name (`wrapper_descriptor`).
#[repr(C)]
pub struct PyWrapperDescr {
    base: PyDescr,
    def: Cell<Option<&'static SlotDef>>,
    raw: Cell<RawSlot>,
}

/// A slot wrapper bound to an instance (`method-wrapper`).
#[repr(C)]
pub struct PyMethodWrapper {
    ob_base: PyObject,
    descr: Slot<PyWrapperDescr>,
    this: Slot<PyObject>,
}

native!(PyMethodDescr, METHOD_DESCR_TYPE);
native!(PyGetSetDescr, GETSET_DESCR_TYPE);
native!(PyMemberDescr, MEMBER_DESCR_TYPE);
native!(PyWrapperDescr, WRAPPER_DESCR_TYPE);
native!(PyMethodWrapper, METHOD_WRAPPER_TYPE);

const FLAGS: usize = flags::HAVE_GC | flags::DISALLOW_INSTANTIATION;

const COMMON: TypeSlots = TypeSlots {
    dealloc: Some(descr_dealloc),
    traverse: Some(descr_traverse),
    repr: Some(descr_repr),
    ..TypeSlots::EMPTY
};

/// `method_descriptor`.
#[unsafe(export_name = "PyMethodDescr_Type")]
pub static METHOD_DESCR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"method_descriptor",
    basicsize: size_of::<PyMethodDescr>(),
    flags: FLAGS | flags::METHOD_DESCRIPTOR,
    slots: TypeSlots { call: Some(method_call), descr_get: Some(method_get), ..COMMON },
    methods: &[MethodDef::no_args("__reduce__", descr_reduce, "")],
    getset: METHOD_GETSET,
    ..TypeSpec::EMPTY
});

/// `classmethod_descriptor`.
#[unsafe(export_name = "PyClassMethodDescr_Type")]
pub static CLASSMETHOD_DESCR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"classmethod_descriptor",
    basicsize: size_of::<PyMethodDescr>(),
    flags: FLAGS,
    slots: TypeSlots { call: Some(classmethod_call), descr_get: Some(classmethod_get), ..COMMON },
    getset: METHOD_GETSET,
    ..TypeSpec::EMPTY
});

const METHOD_GETSET: &[GetSetDef] = &[
    GetSetDef::get("__name__", get_name, ""),
    GetSetDef::get("__objclass__", get_objclass, ""),
    GetSetDef::get("__qualname__", get_qualname, ""),
    GetSetDef::get("__doc__", get_doc, ""),
    GetSetDef::get("__text_signature__", get_text_signature, ""),
];

/// `getset_descriptor`.
#[unsafe(export_name = "PyGetSetDescr_Type")]
pub static GETSET_DESCR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"getset_descriptor",
    basicsize: size_of::<PyGetSetDescr>(),
    flags: FLAGS,
    slots: TypeSlots { descr_get: Some(getset_get), descr_set: Some(getset_set), ..COMMON },
    getset: FIELD_GETSET,
    ..TypeSpec::EMPTY
});

/// `member_descriptor`.
#[unsafe(export_name = "PyMemberDescr_Type")]
pub static MEMBER_DESCR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"member_descriptor",
    basicsize: size_of::<PyMemberDescr>(),
    flags: FLAGS,
    slots: TypeSlots { descr_get: Some(member_get), descr_set: Some(member_set), ..COMMON },
    methods: &[MethodDef::no_args("__reduce__", descr_reduce, "")],
    getset: FIELD_GETSET,
    ..TypeSpec::EMPTY
});

const FIELD_GETSET: &[GetSetDef] = &[
    GetSetDef::get("__name__", get_name, ""),
    GetSetDef::get("__objclass__", get_objclass, ""),
    GetSetDef::get("__qualname__", get_qualname, ""),
    GetSetDef::get("__doc__", get_doc, ""),
];

/// `wrapper_descriptor`.
#[unsafe(export_name = "PyWrapperDescr_Type")]
pub static WRAPPER_DESCR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"wrapper_descriptor",
    basicsize: size_of::<PyWrapperDescr>(),
    flags: FLAGS | flags::METHOD_DESCRIPTOR,
    slots: TypeSlots { call: Some(wrapper_call), descr_get: Some(wrapper_get), ..COMMON },
    methods: &[MethodDef::no_args("__reduce__", descr_reduce, "")],
    getset: METHOD_GETSET,
    ..TypeSpec::EMPTY
});

/// `method-wrapper`.
#[unsafe(export_name = "_PyMethodWrapper_Type")]
pub static METHOD_WRAPPER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"method-wrapper",
    basicsize: size_of::<PyMethodWrapper>(),
    flags: FLAGS,
    slots: TypeSlots {
        dealloc: Some(bound_dealloc),
        traverse: Some(bound_traverse),
        repr: Some(bound_repr),
        hash: Some(bound_hash),
        richcompare: Some(bound_compare),
        call: Some(bound_call),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("__reduce__", bound_reduce, "")],
    getset: &[
        GetSetDef::get("__self__", bound_self, ""),
        GetSetDef::get("__objclass__", bound_objclass, ""),
        GetSetDef::get("__name__", bound_name, ""),
        GetSetDef::get("__qualname__", bound_qualname, ""),
        GetSetDef::get("__doc__", bound_doc, ""),
        GetSetDef::get("__text_signature__", bound_text_signature, ""),
    ],
    ..TypeSpec::EMPTY
});

/// The types of this file.
pub static TYPES: &[&StaticType] = &[
    &METHOD_DESCR_TYPE,
    &CLASSMETHOD_DESCR_TYPE,
    &GETSET_DESCR_TYPE,
    &MEMBER_DESCR_TYPE,
    &WRAPPER_DESCR_TYPE,
    &METHOD_WRAPPER_TYPE,
];

// ---- making ----

fn descriptor<T: Native>(
    ts: &ThreadState,
    kind: &'static StaticType,
    owner: &PyTypeObject,
    name: Ref<PyStr>,
    write: impl FnOnce(&T),
) -> PyResult {
    // SAFETY: the size is that of the descriptor type, all fields but the header are zero.
    let object = unsafe { PyRef::from_owned(alloc::raw(ts, kind, size_of::<T>(), true)?) };
    // SAFETY: each descriptor struct begins with a `PyDescr`.
    unsafe { &*object.as_raw().cast::<PyDescr>() }.fill(owner, name);
    // SAFETY: the object was allocated with the size of a `T`.
    write(unsafe { &*object.as_raw().cast::<T>() });
    // Its owner is all that it refers to.
    if gc::is_collected(owner.as_object()) {
        gc::track_in(ts, &object);
    }
    Ok(object)
}

/// A `method_descriptor`.
pub fn method_descriptor(ts: &ThreadState, owner: &PyTypeObject, def: &'static MethodDef) -> PyResult {
    let name = PyStr::intern(ts, def.name)?;
    descriptor::<PyMethodDescr>(ts, &METHOD_DESCR_TYPE, owner, name, |d| d.def.set(def))
}

/// A `classmethod_descriptor`.
pub fn classmethod_descriptor(ts: &ThreadState, owner: &PyTypeObject, def: &'static MethodDef) -> PyResult {
    let name = PyStr::intern(ts, def.name)?;
    descriptor::<PyMethodDescr>(ts, &CLASSMETHOD_DESCR_TYPE, owner, name, |d| d.def.set(def))
}

/// A `getset_descriptor`, or a `member_descriptor` for a field.
pub fn getset_descriptor(ts: &ThreadState, owner: &PyTypeObject, def: &'static GetSetDef) -> PyResult {
    let name = PyStr::intern(ts, def.name)?;
    if def.is_field {
        return descriptor::<PyMemberDescr>(ts, &MEMBER_DESCR_TYPE, owner, name, |d| {
            d.native.set(Some(def));
            d.doc.set(Some(def.doc));
        });
    }
    descriptor::<PyGetSetDescr>(ts, &GETSET_DESCR_TYPE, owner, name, |d| d.native.set(Some(def)))
}

/// A `member_descriptor` for a place of `__slots__`, `offset` bytes into the instance.
pub fn slot_descriptor(ts: &ThreadState, owner: &PyTypeObject, name: &PyStr, offset: usize) -> PyResult {
    descriptor::<PyMemberDescr>(ts, &MEMBER_DESCR_TYPE, owner, Ref::from_borrowed(name), |d| d.offset.set(offset))
}

/// A `member_descriptor` for a reference `offset` bytes into the instance that Python code can't set.
pub fn field_descriptor(
    ts: &ThreadState,
    owner: &PyTypeObject,
    name: &PyStr,
    offset: usize,
    doc: Option<&'static str>,
) -> PyResult {
    descriptor::<PyMemberDescr>(ts, &MEMBER_DESCR_TYPE, owner, Ref::from_borrowed(name), |d| {
        d.offset.set(offset);
        d.read_only.set(true);
        d.doc.set(doc);
    })
}

/// A copy of a C program's method definition as the runtime's own, in the mem domain.
///
/// # Safety
/// The definition's strings outlive the interpreter.
pub unsafe fn native_def(ts: &ThreadState, def: *const cdef::PyMethodDef) -> PyResult<*const MethodDef> {
    // SAFETY: the caller's strings live long enough to be called static.
    let text = |p: *const core::ffi::c_char| -> &'static str {
        if p.is_null() {
            return "";
        }
        // SAFETY: as above.
        unsafe { CStr::from_ptr(p) }.to_str().unwrap_or("?")
    };
    // SAFETY: the caller hands in a whole definition.
    let c = unsafe { &*def };
    let binding = match c.ml_flags {
        f if f & cdef::METH_CLASS != 0 => Binding::Class,
        f if f & cdef::METH_STATIC != 0 => Binding::Static,
        f if f & cdef::METH_COEXIST != 0 => Binding::Coexist,
        _ => Binding::Instance,
    };
    let memory = ts.heap().mem_alloc(size_of::<MethodDef>()).cast::<MethodDef>();
    if memory.is_null() {
        return Err(hognose_allocators::NoMemory.into());
    }
    // SAFETY: the memory is large enough and aligned.
    unsafe {
        memory.write(MethodDef { name: text(c.ml_name), function: NativeFn::C(def), binding, doc: text(c.ml_doc) });
    }
    Ok(memory)
}

impl PyWrapperDescr {
    /// A wrapper of the native slot `raw`.
    pub fn new(ts: &ThreadState, owner: &PyTypeObject, def: &'static SlotDef, raw: RawSlot) -> PyResult {
        descriptor::<PyWrapperDescr>(ts, &WRAPPER_DESCR_TYPE, owner, Ref::from_borrowed(def.name), |d| {
            d.def.set(Some(def));
            d.raw.set(raw);
        })
    }

    /// The special method.
    pub fn def(&self) -> &'static SlotDef {
        match self.def.get() {
            Some(def) => def,
            None => &crate::object::slotdefs::SLOT_DEFS[0],
        }
    }

    /// The native slot.
    pub fn raw(&self) -> RawSlot {
        self.raw.get()
    }

    /// The type whose slot it is.
    pub fn owner(&self) -> &PyTypeObject {
        self.base.owner()
    }
}

impl PyMemberDescr {
    /// The offset of a place of `__slots__` in instances of `typ`; None for a C program's member, for a read-only
    /// field, for one that functions read, and for what a class has borrowed from one that it does not inherit from.
    pub fn slot_offset(&self, typ: &PyTypeObject) -> Option<usize> {
        if !typ.is_subtype(self.base.owner()) {
            return None;
        }
        let is_place = self.c.get().is_null() && !self.read_only.get() && self.native.get().is_none();
        is_place.then(|| self.offset.get())
    }
}

impl PyMethodDescr {
    /// The definition.
    #[inline(always)]
    pub fn def(&self) -> &MethodDef {
        // SAFETY: the definition outlives the descriptor.
        unsafe { &*self.def.get() }
    }

    /// The type whose method it is.
    #[inline(always)]
    pub fn owner(&self) -> &PyTypeObject {
        self.base.owner()
    }
}

// ---- common ----

fn as_descr(object: &PyObject) -> &PyDescr {
    // SAFETY: the functions of this file are slots of descriptor types only, which begin with a `PyDescr`.
    unsafe { &*core::ptr::from_ref(object).cast::<PyDescr>() }
}

unsafe fn descr_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for a descriptor.
    unsafe {
        gc::untrack(&*object);
        if let Some(method) = (*object).downcast_exact::<PyMethodDescr>()
            && method.owns_def.get()
        {
            ts.heap().mem_free(method.def.get().cast_mut().cast());
        }
        let this = as_descr(&*object);
        this.d_type.set(None);
        this.d_name.set(None);
        alloc::free(ts, object);
    }
}

fn descr_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> core::ops::ControlFlow<()> {
    visitor.slot(&as_descr(object).d_type)
}

fn descr_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = as_descr(object);
    let kind = match object.type_name() {
        "method_descriptor" | "classmethod_descriptor" => "method",
        "getset_descriptor" => "attribute",
        "member_descriptor" => "member",
        _ => "slot wrapper",
    };
    Ok(PyStr::format(ts, format_args!("<{kind} '{}' of '{}' objects>", this.name(), this.owner().full_name()))?
        .into_object())
}

fn descr_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = as_descr(object);
    let getattr = ts.interp().builtins.get().map(|b| b.get_str(ts, id!(getattr))).transpose()?.flatten();
    let Some(getattr) = getattr else {
        return raise!(ts, exc::RuntimeError, "lost builtins.getattr");
    };
    let args = PyTuple::new(ts, &[this.owner().as_object(), this.name().as_object()])?;
    Ok(PyTuple::new(ts, &[&getattr, args.as_object()])?.into_object())
}

fn get_name(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(as_descr(object).name().new_ref())
}

fn get_objclass(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(as_descr(object).owner().new_ref())
}

fn get_qualname(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = as_descr(object);
    let owner = attr::get(ts, this.owner().as_object(), id!(__qualname__))?;
    let owner = protocol::str(ts, &owner)?;
    Ok(PyStr::format(ts, format_args!("{owner}.{}", this.name()))?.into_object())
}

fn doc_text(object: &PyObject) -> &str {
    if let Some(wrapper) = object.downcast_exact::<PyWrapperDescr>() {
        return wrapper.def().doc;
    }
    if let Some(getset) = object.downcast_exact::<PyGetSetDescr>() {
        return match getset.native.get() {
            Some(def) => def.doc,
            None => "",
        };
    }
    if let Some(member) = object.downcast_exact::<PyMemberDescr>() {
        return member.doc.get().unwrap_or("");
    }
    // SAFETY: what is left are the two method descriptor types.
    unsafe { &*core::ptr::from_ref(object).cast::<PyMethodDescr>() }.def().doc
}

fn get_doc(ts: &ThreadState, object: &PyObject) -> PyResult {
    doc_without_signature(ts, doc_text(object))
}

fn get_text_signature(ts: &ThreadState, object: &PyObject) -> PyResult {
    let name = as_descr(object).name();
    let Some(name) = name.ascii_str() else { return Ok(ts.none()) };
    let typ = object.ob_type();
    if core::ptr::eq(typ, &*METHOD_DESCR_TYPE) || core::ptr::eq(typ, &*CLASSMETHOD_DESCR_TYPE) {
        // SAFETY: the two types have this layout.
        let method = unsafe { &*core::ptr::from_ref(object).cast::<PyMethodDescr>() };
        return method_text_signature(ts, name, method.def());
    }
    text_signature(ts, name, doc_text(object))
}

const SIGNATURE_END: &str = ")\n--\n\n";

/// A docstring without its text signature; None when empty.
pub fn doc_without_signature(ts: &ThreadState, doc: &str) -> PyResult {
    let text = match doc.find(SIGNATURE_END) {
        Some(at) if !doc[..at].contains("\n\n") => &doc[at + SIGNATURE_END.len()..],
        _ => doc,
    };
    if text.is_empty() {
        return Ok(ts.none());
    }
    Ok(PyStr::new(ts, text)?.into_object())
}

/// The text signature of a docstring, `(self, x, /)`; None when there is none.
pub fn text_signature(ts: &ThreadState, name: &str, doc: &str) -> PyResult {
    if let Some(rest) = doc.strip_prefix(name.rsplit('.').next().unwrap_or(name))
        && rest.starts_with('(')
        && let Some(end) = rest.find(SIGNATURE_END)
    {
        return Ok(PyStr::new(ts, &rest[..=end])?.into_object());
    }
    Ok(ts.none())
}

/// The text signature of a function or method; what takes one argument or none has one even if its docstring does not
/// say it.
pub fn method_text_signature(ts: &ThreadState, name: &str, def: &MethodDef) -> PyResult {
    let told = text_signature(ts, name, def.doc)?;
    if !crate::types::none::is_none(&told) {
        return Ok(told);
    }
    let takes_one = match def.function {
        NativeFn::NoArgs(_) => false,
        NativeFn::One(_) => true,
        // SAFETY: the program keeps its definition.
        NativeFn::C(c) => match unsafe { (*c).ml_flags } & !(cdef::METH_CLASS | cdef::METH_STATIC | cdef::METH_COEXIST)
        {
            cdef::METH_NOARGS => false,
            cdef::METH_O => true,
            _ => return Ok(told),
        },
        _ => return Ok(told),
    };
    let text = match (def.binding, takes_one) {
        (Binding::Static, false) => "()",
        (Binding::Static, true) => "(object, /)",
        (Binding::Class, false) => "($type, /)",
        (Binding::Class, true) => "($type, object, /)",
        (_, false) => "($self, /)",
        (_, true) => "($self, object, /)",
    };
    Ok(PyStr::new(ts, text)?.into_object())
}

// ---- methods ----

fn method_call(ts: &ThreadState, callable: &PyObject, args: Args<'_>) -> PyResult {
    // SAFETY: slot of this type.
    let this = unsafe { callable.cast_unchecked::<PyMethodDescr>() };
    let Some(object) = args.positional().first() else {
        return raise!(
            ts,
            exc::TypeError,
            "unbound method {}.{}() needs an argument",
            this.owner().name(),
            this.base.name()
        );
    };
    this.base.check(ts, object)?;
    call_native(ts, this.def(), object, args.skip_first())
}

fn method_get(ts: &ThreadState, this: &PyObject, instance: Option<&PyObject>, _owner: Option<&PyObject>) -> PyResult {
    let Some(instance) = instance else { return Ok(this.new_ref()) };
    let descr = this.cast::<PyMethodDescr>();
    descr.base.check(ts, instance)?;
    // SAFETY: a definition is static, or lives as long as the descriptor's type, whose instance is bound.
    unsafe { PyBuiltinFunction::with_def(ts, descr.def.get(), Some(instance), None) }
}

fn classmethod_get(
    ts: &ThreadState,
    this: &PyObject,
    instance: Option<&PyObject>,
    owner: Option<&PyObject>,
) -> PyResult {
    // SAFETY: slot of a type whose instances are method descriptors.
    let descr = unsafe { &*core::ptr::from_ref(this).cast::<PyMethodDescr>() };
    let class = match (owner, instance) {
        (Some(owner), _) => owner,
        (None, Some(instance)) => instance.ob_type().as_object(),
        (None, None) => {
            return raise!(
                ts,
                exc::TypeError,
                "descriptor '{}' for type '{}' needs either an object or a type",
                descr.base.name(),
                descr.owner().name()
            );
        }
    };
    let Some(class) = class.downcast::<PyTypeObject>() else {
        return raise!(
            ts,
            exc::TypeError,
            "descriptor '{}' for type '{}' needs a type, not a '{}' as arg 2",
            descr.base.name(),
            descr.owner().name(),
            class.type_name()
        );
    };
    if !class.is_subtype(descr.owner()) {
        return raise!(
            ts,
            exc::TypeError,
            "descriptor '{}' requires a subtype of '{}' but received '{}'",
            descr.base.name(),
            descr.owner().name(),
            class.name()
        );
    }
    // SAFETY: as for methods.
    unsafe { PyBuiltinFunction::with_def(ts, descr.def.get(), Some(class.as_object()), None) }
}

fn classmethod_call(ts: &ThreadState, callable: &PyObject, args: Args<'_>) -> PyResult {
    let Some(class) = args.positional().first() else {
        let name = as_descr(callable).name();
        return raise!(
            ts,
            exc::TypeError,
            "descriptor '{}' of '{}' object needs an argument",
            name,
            as_descr(callable).owner().name()
        );
    };
    let bound = classmethod_get(ts, callable, None, Some(class))?;
    crate::object::call::call(ts, &bound, args.skip_first())
}

// ---- computed attributes ----

fn getset_get(ts: &ThreadState, this: &PyObject, instance: Option<&PyObject>, _owner: Option<&PyObject>) -> PyResult {
    let Some(instance) = instance else { return Ok(this.new_ref()) };
    // SAFETY: slot of this type.
    let descr = unsafe { this.cast_unchecked::<PyGetSetDescr>() };
    descr.base.check(ts, instance)?;
    match descr.native.get() {
        Some(def) => (def.get)(ts, instance),
        None => crate::capi::border::call_getter(ts, descr.c.get(), instance),
    }
}

fn getset_set(ts: &ThreadState, this: &PyObject, instance: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let descr = this.cast::<PyGetSetDescr>();
    descr.base.check(ts, instance)?;
    match descr.native.get() {
        Some(def) => match def.set {
            Some(set) => set(ts, instance, value),
            None => raise!(
                ts,
                exc::AttributeError,
                "attribute '{}' of '{}' objects is not writable",
                descr.base.name(),
                descr.base.owner().full_name()
            ),
        },
        None => crate::capi::border::call_setter(ts, descr.c.get(), instance, value),
    }
}

// ---- members ----

fn member_place<'a>(descr: &PyMemberDescr, instance: &'a PyObject) -> &'a Slot<PyObject> {
    // SAFETY: the owner's instances have a reference at this offset, and `check` has been made.
    unsafe { &*instance.as_ptr().cast::<u8>().add(descr.offset.get()).cast::<Slot<PyObject>>() }
}

fn member_get(ts: &ThreadState, this: &PyObject, instance: Option<&PyObject>, _owner: Option<&PyObject>) -> PyResult {
    let Some(instance) = instance else { return Ok(this.new_ref()) };
    // SAFETY: slot of this type.
    let descr = unsafe { this.cast_unchecked::<PyMemberDescr>() };
    descr.base.check(ts, instance)?;
    if !descr.c.get().is_null() {
        return crate::capi::border::get_member(ts, descr.c.get(), instance);
    }
    if let Some(field) = descr.native.get() {
        return (field.get)(ts, instance);
    }
    match member_place(descr, instance).get() {
        Some(value) => Ok(value),
        None => empty_place(ts, instance, descr.base.name()),
    }
}

/// AttributeError for a place of `__slots__` that has no value.
#[cold]
fn empty_place<T>(ts: &ThreadState, instance: &PyObject, name: &PyStr) -> PyResult<T> {
    let class = crate::capi::object::full_name(ts, instance.ob_type(), '.')?;
    let raised = ts.raise_fmt(&exc::AttributeError, format_args!("'{}' object has no attribute '{name}'", &*class));
    Err(exc::add_attribute_context(ts, raised, instance, name))
}

fn member_set(ts: &ThreadState, this: &PyObject, instance: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let descr = this.cast::<PyMemberDescr>();
    descr.base.check(ts, instance)?;
    if !descr.c.get().is_null() {
        return crate::capi::border::set_member(ts, descr.c.get(), instance, value);
    }
    if let Some(GetSetDef { set: Some(set), .. }) = descr.native.get() {
        return set(ts, instance, value);
    }
    if descr.read_only.get() || descr.native.get().is_some() {
        return raise!(ts, exc::AttributeError, "readonly attribute");
    }
    let place = member_place(descr, instance);
    if value.is_none() && !place.is_some() {
        return raise!(ts, exc::AttributeError, "{}", descr.base.name());
    }
    place.set(value.map(PyRef::from_borrowed));
    Ok(())
}

// ---- slot wrappers ----

fn wrapper_call(ts: &ThreadState, callable: &PyObject, args: Args<'_>) -> PyResult {
    // SAFETY: slot of this type.
    let this = unsafe { callable.cast_unchecked::<PyWrapperDescr>() };
    let Some(object) = args.positional().first() else {
        return raise!(
            ts,
            exc::TypeError,
            "descriptor '{}' of '{}' object needs an argument",
            this.base.name(),
            this.owner().name()
        );
    };
    if !object.ob_type().is_subtype(this.owner()) {
        return raise!(
            ts,
            exc::TypeError,
            "descriptor '{}' requires a '{}' object but received a '{}'",
            this.base.name(),
            this.owner().name(),
            object.type_name()
        );
    }
    (this.def().wrapper)(ts, this.raw(), object, args.skip_first())
}

fn wrapper_get(ts: &ThreadState, this: &PyObject, instance: Option<&PyObject>, _owner: Option<&PyObject>) -> PyResult {
    let Some(instance) = instance else { return Ok(this.new_ref()) };
    let descr = this.cast::<PyWrapperDescr>();
    descr.base.check(ts, instance)?;
    let bound = alloc::exact::<PyMethodWrapper>(ts)?;
    bound.descr.set(Some(Ref::from_borrowed(descr)));
    bound.this.set(Some(instance.new_ref()));
    gc::track(ts, &*bound);
    Ok(bound.into_object())
}

fn bound_parts(object: &PyObject) -> (Ref<PyWrapperDescr>, PyRef) {
    let this = object.cast::<PyMethodWrapper>();
    match (this.descr.get(), this.this.get()) {
        (Some(descr), Some(instance)) => (descr, instance),
        _ => unreachable!("a method-wrapper is made whole"),
    }
}

unsafe fn bound_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for a method-wrapper.
    unsafe {
        gc::untrack(&*object);
        let this = (*object).cast::<PyMethodWrapper>();
        this.descr.set(None);
        this.this.set(None);
        alloc::free(ts, object);
    }
}

fn bound_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> core::ops::ControlFlow<()> {
    let this = object.cast::<PyMethodWrapper>();
    visitor.slot(&this.descr)?;
    visitor.slot(&this.this)
}

fn bound_call(ts: &ThreadState, callable: &PyObject, args: Args<'_>) -> PyResult {
    let (descr, instance) = bound_parts(callable);
    (descr.def().wrapper)(ts, descr.raw(), &instance, args)
}

fn bound_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let (descr, instance) = bound_parts(object);
    Ok(PyStr::format(
        ts,
        format_args!(
            "<method-wrapper '{}' of {} object at {:p}>",
            descr.base.name(),
            instance.type_name(),
            instance.as_raw()
        ),
    )?
    .into_object())
}

fn bound_hash(_ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    let (descr, instance) = bound_parts(object);
    let mixed = protocol::hash_pointer(&instance) ^ protocol::hash_pointer(descr.as_object());
    Ok(if mixed == -1 { -2 } else { mixed })
}

fn bound_compare(_ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    if !left.is_a::<PyMethodWrapper>() || !right.is_a::<PyMethodWrapper>() {
        return Ok(crate::types::notimplemented::not_implemented());
    }
    let (a, b) = (bound_parts(left), bound_parts(right));
    let same = a.0.as_object().is(b.0.as_object()) && a.1.is(&b.1);
    Ok(match op {
        CompareOp::Eq => crate::types::bool::py_bool(same),
        CompareOp::Ne => crate::types::bool::py_bool(!same),
        _ => crate::types::notimplemented::not_implemented(),
    })
}

fn bound_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let (descr, instance) = bound_parts(object);
    let getattr = ts.interp().builtins.get().map(|b| b.get_str(ts, id!(getattr))).transpose()?.flatten();
    let Some(getattr) = getattr else {
        return raise!(ts, exc::RuntimeError, "lost builtins.getattr");
    };
    let args = PyTuple::new(ts, &[&instance, descr.base.name().as_object()])?;
    Ok(PyTuple::new(ts, &[&getattr, args.as_object()])?.into_object())
}

fn bound_self(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(bound_parts(object).1)
}

fn bound_objclass(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(bound_parts(object).0.owner().new_ref())
}

fn bound_name(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(bound_parts(object).0.base.name().new_ref())
}

fn bound_qualname(ts: &ThreadState, object: &PyObject) -> PyResult {
    get_qualname(ts, bound_parts(object).0.as_object())
}

fn bound_doc(ts: &ThreadState, object: &PyObject) -> PyResult {
    get_doc(ts, bound_parts(object).0.as_object())
}

fn bound_text_signature(ts: &ThreadState, object: &PyObject) -> PyResult {
    get_text_signature(ts, bound_parts(object).0.as_object())
}
