//! How native types, methods and attributes are declared.

use super::call::Args;
use super::error::PyResult;
use super::header::PyObject;
use super::reference::PyRef;
use super::slots::TypeSlots;
use super::typeobj::StaticType;
use crate::state::ThreadState;

/// A native function, by the arguments that it takes. The first `&PyObject` is `self` (the module for
/// a module's function, the class for a class method, None for a static one).
#[derive(Clone, Copy)]
pub enum NativeFn {
    /// None but `self` (`METH_NOARGS`).
    NoArgs(fn(&ThreadState, &PyObject) -> PyResult),
    /// Exactly one positional argument (`METH_O`).
    One(fn(&ThreadState, &PyObject, &PyObject) -> PyResult),
    /// Positional arguments (`METH_FASTCALL`).
    Positional(fn(&ThreadState, &PyObject, &[&PyObject]) -> PyResult),
    /// Positional and keyword arguments (`METH_FASTCALL | METH_KEYWORDS`).
    Keywords(fn(&ThreadState, &PyObject, Args<'_>) -> PyResult),
    /// A `PyMethodDef` of a C program, called by its own `ml_flags`.
    C(*const super::cdef::PyMethodDef),
}

/// How a method of a type binds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// To the instance.
    Instance,
    /// To the class (`METH_CLASS`).
    Class,
    /// To nothing (`METH_STATIC`).
    Static,
    /// To the instance, beside a slot wrapper of the same name that it replaces (`METH_COEXIST`).
    Coexist,
}

/// A function of a module or a method of a type.
#[derive(Clone, Copy)]
pub struct MethodDef {
    /// The Python name.
    pub name: &'static str,
    /// The function.
    pub function: NativeFn,
    /// How it binds when it is a method.
    pub binding: Binding,
    /// The docstring, with CPython's text-signature form (`"abs($module, x, /)\n--\n\n…"`) where there is one.
    pub doc: &'static str,
}

// SAFETY: the C variant points to a definition that its program keeps alive and unchanged.
unsafe impl Sync for MethodDef {}

impl MethodDef {
    /// A method without arguments.
    pub const fn no_args(
        name: &'static str,
        f: fn(&ThreadState, &PyObject) -> PyResult,
        doc: &'static str,
    ) -> MethodDef {
        MethodDef { name, function: NativeFn::NoArgs(f), binding: Binding::Instance, doc }
    }
    /// A method with one argument.
    pub const fn one(
        name: &'static str,
        f: fn(&ThreadState, &PyObject, &PyObject) -> PyResult,
        doc: &'static str,
    ) -> MethodDef {
        MethodDef { name, function: NativeFn::One(f), binding: Binding::Instance, doc }
    }
    /// A method with positional arguments.
    pub const fn positional(
        name: &'static str,
        f: fn(&ThreadState, &PyObject, &[&PyObject]) -> PyResult,
        doc: &'static str,
    ) -> MethodDef {
        MethodDef { name, function: NativeFn::Positional(f), binding: Binding::Instance, doc }
    }
    /// A method with positional and keyword arguments.
    pub const fn keywords(
        name: &'static str,
        f: fn(&ThreadState, &PyObject, Args<'_>) -> PyResult,
        doc: &'static str,
    ) -> MethodDef {
        MethodDef { name, function: NativeFn::Keywords(f), binding: Binding::Instance, doc }
    }
    /// The same, bound to the class.
    pub const fn class(self) -> MethodDef {
        MethodDef { binding: Binding::Class, ..self }
    }
    /// The same, bound to nothing.
    pub const fn stat(self) -> MethodDef {
        MethodDef { binding: Binding::Static, ..self }
    }
    /// The same, in place of the slot wrapper of that name.
    pub const fn coexist(self) -> MethodDef {
        MethodDef { binding: Binding::Coexist, ..self }
    }
}

/// A computed attribute (`PyGetSetDef`).
#[derive(Clone, Copy)]
pub struct GetSetDef {
    /// The Python name.
    pub name: &'static str,
    /// Reads it.
    pub get: fn(&ThreadState, &PyObject) -> PyResult,
    /// Sets it, or deletes it (`None`); read-only without.
    pub set: Option<fn(&ThreadState, &PyObject, Option<&PyObject>) -> PyResult<()>>,
    /// The docstring.
    pub doc: &'static str,
    /// It is shown as a `member_descriptor`, as C types have it for what is a field of the struct.
    pub is_field: bool,
}

impl GetSetDef {
    /// A read-only attribute.
    pub const fn get(name: &'static str, get: fn(&ThreadState, &PyObject) -> PyResult, doc: &'static str) -> GetSetDef {
        GetSetDef { name, get, set: None, doc, is_field: false }
    }
    /// An attribute that can be set.
    pub const fn get_set(
        name: &'static str,
        get: fn(&ThreadState, &PyObject) -> PyResult,
        set: fn(&ThreadState, &PyObject, Option<&PyObject>) -> PyResult<()>,
        doc: &'static str,
    ) -> GetSetDef {
        GetSetDef { name, get, set: Some(set), doc, is_field: false }
    }
    /// A read-only attribute that is a field of the object.
    pub const fn field(
        name: &'static str,
        get: fn(&ThreadState, &PyObject) -> PyResult,
        doc: &'static str,
    ) -> GetSetDef {
        GetSetDef { name, get, set: None, doc, is_field: true }
    }
    /// A field that can be set.
    pub const fn field_set(
        name: &'static str,
        get: fn(&ThreadState, &PyObject) -> PyResult,
        set: fn(&ThreadState, &PyObject, Option<&PyObject>) -> PyResult<()>,
        doc: &'static str,
    ) -> GetSetDef {
        GetSetDef { name, get, set: Some(set), doc, is_field: true }
    }
}

/// A read-only value attribute of a type or module, made when it is initialized.
pub struct ValueDef {
    /// The Python name.
    pub name: &'static str,
    /// Makes the value.
    pub make: fn(&ThreadState) -> PyResult<PyRef>,
}

/// Everything that declares a static type; start from [`TypeSpec::EMPTY`].
#[derive(Clone, Copy)]
pub struct TypeSpec {
    /// The full name: `list`, or with its module, `collections.deque`.
    pub name: &'static core::ffi::CStr,
    /// `size_of` the instance's struct.
    pub basicsize: usize,
    /// The size of an item that follows it, for variable-size objects.
    pub itemsize: usize,
    /// [`flags`](super::flags) of its own.
    pub flags: usize,
    /// The base; None is `object`.
    pub base: Option<&'static StaticType>,
    /// A second base, which adds no field and no slot: ExceptionGroup is an Exception too.
    pub mixin: Option<&'static StaticType>,
    /// The docstring, with text signature where CPython has one.
    pub doc: &'static str,
    /// What it does.
    pub slots: TypeSlots,
    /// Its methods.
    pub methods: &'static [MethodDef],
    /// Its computed attributes.
    pub getset: &'static [GetSetDef],
    /// Offset of a `Slot<PyDict>` in the instance for its `__dict__`, 0 for none.
    pub dictoffset: usize,
    /// Offset of the weak-reference list head (`WeakrefList`) in the instance, 0 for none.
    pub weaklistoffset: usize,
    /// Other names for the type's dictionary (`__class_getitem__` and `__match_args__` are given here).
    pub values: &'static [ValueDef],
}

impl TypeSpec {
    /// A type like `object`, to be filled in.
    pub const EMPTY: TypeSpec = TypeSpec {
        name: c"",
        basicsize: 0,
        itemsize: 0,
        flags: 0,
        base: None,
        mixin: None,
        doc: "",
        slots: TypeSlots::EMPTY,
        methods: &[],
        getset: &[],
        dictoffset: 0,
        weaklistoffset: 0,
        values: &[],
    };
}
