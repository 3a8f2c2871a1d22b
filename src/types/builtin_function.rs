//! `builtin_function_or_method`: native functions as Python sees them.

use core::cell::Cell;

use crate::object::call::Args;
use crate::object::cdef;
use crate::object::def::Binding;
use crate::object::weakref::{self, WeakrefList};
use crate::object::*;
use crate::state::ThreadState;
use crate::types::descr;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::none::none;
use crate::types::notimplemented::not_implemented;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{id, native, raise};

/// A native function, bound to what it gets as `self`.
#[repr(C)]
pub struct PyBuiltinFunction {
    ob_base: PyObject,
    def: Cell<*const MethodDef>,
    pub(crate) m_self: Slot<PyObject>,
    m_module: Slot<PyObject>,
    m_weakreflist: WeakrefList,
    /// Whether `def` is in the mem domain and goes with the object (a C program's definition).
    owns_def: Cell<bool>,
}

native!(PyBuiltinFunction, BUILTIN_FUNCTION_TYPE);

/// `builtin_function_or_method`.
#[unsafe(export_name = "PyCFunction_Type")]
pub static BUILTIN_FUNCTION_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"builtin_function_or_method",
    basicsize: size_of::<PyBuiltinFunction>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    weaklistoffset: core::mem::offset_of!(PyBuiltinFunction, m_weakreflist),
    slots: TypeSlots {
        dealloc: Some(dealloc),
        traverse: Some(traverse),
        repr: Some(repr),
        hash: Some(hash),
        richcompare: Some(compare),
        call: Some(call),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("__reduce__", reduce, "")],
    getset: &[
        GetSetDef::get("__name__", get_name, ""),
        GetSetDef::get("__qualname__", get_qualname, ""),
        GetSetDef::get("__self__", get_self, ""),
        GetSetDef::get("__doc__", get_doc, ""),
        GetSetDef::get("__text_signature__", get_text_signature, ""),
        GetSetDef::get_set("__module__", get_module, set_module, ""),
    ],
    ..TypeSpec::EMPTY
});

/// How `__new__` of a native type is called: the first argument says of which type.
static NEW_DEF: MethodDef = MethodDef::keywords(
    "__new__",
    call_new,
    "__new__($type, *args, **kwargs)\n--\n\nCreate and return a new object.  See help(type) for accurate signature.",
);

impl PyBuiltinFunction {
    /// A function object for a static definition.
    pub fn new(
        ts: &ThreadState,
        def: &'static MethodDef,
        this: Option<&PyObject>,
        module: Option<&PyObject>,
    ) -> PyResult<PyRef> {
        // SAFETY: a static definition outlives the object.
        unsafe { PyBuiltinFunction::with_def(ts, def, this, module) }
    }

    /// A function object for a definition that lives at least as long as it.
    ///
    /// # Safety
    /// `def` outlives the object.
    pub unsafe fn with_def(
        ts: &ThreadState,
        def: *const MethodDef,
        this: Option<&PyObject>,
        module: Option<&PyObject>,
    ) -> PyResult<PyRef> {
        let function = alloc::exact::<PyBuiltinFunction>(ts)?;
        function.def.set(def);
        function.m_self.set(this.map(PyRef::from_borrowed));
        function.m_module.set(module.map(PyRef::from_borrowed));
        if [this, module].into_iter().flatten().any(gc::is_collected) {
            gc::track(ts, &*function);
        }
        Ok(function.into_object())
    }

    /// The function for a C program's definition (`PyCFunction_NewEx`).
    ///
    /// # Safety
    /// The definition and its strings outlive the interpreter, as C programs promise.
    pub unsafe fn from_c(
        ts: &ThreadState,
        def: *const cdef::PyMethodDef,
        this: Option<&PyObject>,
        module: Option<&PyObject>,
    ) -> PyResult<PyRef> {
        // SAFETY: passed on.
        let native = unsafe { descr::native_def(ts, def)? };
        // SAFETY: the definition is freed with the object.
        let result = unsafe { PyBuiltinFunction::with_def(ts, native, this, module) };
        match result {
            Ok(function) => {
                function.cast::<PyBuiltinFunction>().owns_def.set(true);
                Ok(function)
            }
            Err(raised) => {
                // SAFETY: nothing refers to the definition.
                unsafe { ts.heap().mem_free(native.cast_mut().cast()) };
                Err(raised)
            }
        }
    }

    /// `__new__` of a native type.
    pub fn new_of_type(ts: &ThreadState, typ: &PyTypeObject) -> PyResult<PyRef> {
        PyBuiltinFunction::new(ts, &NEW_DEF, Some(typ.as_object()), None)
    }

    /// The type whose native `__new__` this is.
    pub fn new_of(&self) -> Option<&PyTypeObject> {
        if !core::ptr::eq(self.def.get(), &raw const NEW_DEF) {
            return None;
        }
        // SAFETY: a function's `self` never changes; the function keeps it alive.
        unsafe { self.m_self.borrow() }?.downcast()
    }

    /// The definition.
    pub fn def(&self) -> &MethodDef {
        // SAFETY: the definition outlives the object.
        unsafe { &*self.def.get() }
    }

    /// What the function gets as `self`.
    #[inline(always)]
    pub fn self_or_none(&self) -> &PyObject {
        // SAFETY: a function's `self` never changes while the function lives.
        unsafe { self.m_self.borrow() }.unwrap_or(none())
    }
}

/// `object.__new__(cls, …)` in Python: checks that the type's own `__new__` is not got round.
fn call_new(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let owner = this.cast::<PyTypeObject>();
    let Some(first) = args.positional().first() else {
        return raise!(ts, exc::TypeError, "{}.__new__(): not enough arguments", owner.name());
    };
    let Some(typ) = first.downcast::<PyTypeObject>() else {
        return raise!(
            ts,
            exc::TypeError,
            "{}.__new__(X): X is not a type object ({})",
            owner.name(),
            first.type_name()
        );
    };
    if !typ.is_subtype(owner) {
        return raise!(
            ts,
            exc::TypeError,
            "{}.__new__({}): {} is not a subtype of {}",
            owner.name(),
            typ.name(),
            typ.name(),
            owner.name()
        );
    }
    // The nearest native type decides how an instance is laid out.
    let mut native = typ;
    while native.is_heap_type() && !native.has_flag(flags::DISALLOW_INSTANTIATION) {
        match native.base() {
            Some(base) => native = base,
            None => break,
        }
    }
    let (Some(own), Some(of_native)) = (owner.slots().new, native.slots().new) else {
        return raise!(ts, exc::TypeError, "cannot create '{}' instances", typ.full_name());
    };
    if own as usize != of_native as usize {
        return raise!(
            ts,
            exc::TypeError,
            "{}.__new__({}) is not safe, use {}.__new__()",
            owner.name(),
            typ.name(),
            native.name()
        );
    }
    let object = own(ts, typ, args.skip_first())?;
    crate::types::typ::track_instance(ts, typ, &object);
    Ok(object)
}

/// Calls a native function of any form. `name` is for messages.
#[inline]
pub fn call_native(ts: &ThreadState, def: &MethodDef, this: &PyObject, args: Args<'_>) -> PyResult {
    match def.function {
        NativeFn::Positional(f) => {
            if args.has_keywords() {
                return no_keywords(ts, def, this);
            }
            f(ts, this, args.all())
        }
        NativeFn::Keywords(f) => f(ts, this, args),
        NativeFn::One(f) => {
            if args.has_keywords() {
                return no_keywords(ts, def, this);
            }
            match args.all() {
                [argument] => f(ts, this, argument),
                other => {
                    let count = other.len();
                    let name = qualified(ts, def, this)?;
                    raise!(ts, exc::TypeError, "{name}() takes exactly one argument ({count} given)")
                }
            }
        }
        NativeFn::NoArgs(f) => {
            if args.has_keywords() {
                return no_keywords(ts, def, this);
            }
            if !args.is_empty() {
                let name = qualified(ts, def, this)?;
                return raise!(ts, exc::TypeError, "{name}() takes no arguments ({} given)", args.len());
            }
            f(ts, this)
        }
        NativeFn::C(c) => crate::capi::border::call_c_function(ts, c, this, args),
    }
}

/// The function's name with its type or module, as messages have it: `list.append`, `math.sqrt`, `len`.
#[cold]
fn qualified(ts: &ThreadState, def: &MethodDef, this: &PyObject) -> PyResult<Ref<PyStr>> {
    if let Some(module) = this.downcast::<crate::types::module::PyModule>() {
        let name = module.name(ts)?;
        if name.equals_str("builtins") {
            return PyStr::new(ts, def.name);
        }
        return PyStr::format(ts, format_args!("{name}.{}", def.name));
    }
    if this.is(none()) {
        return PyStr::new(ts, def.name);
    }
    let owner = match this.downcast::<PyTypeObject>() {
        Some(typ) if def.binding != Binding::Instance => typ,
        _ => this.ob_type(),
    };
    PyStr::format(ts, format_args!("{}.{}", owner.name(), def.name))
}

#[cold]
fn no_keywords(ts: &ThreadState, def: &MethodDef, this: &PyObject) -> PyResult {
    let name = qualified(ts, def, this)?;
    raise!(ts, exc::TypeError, "{name}() takes no keyword arguments")
}

fn call(ts: &ThreadState, callable: &PyObject, args: Args<'_>) -> PyResult {
    let function = callable.cast::<PyBuiltinFunction>();
    call_native(ts, function.def(), function.self_or_none(), args)
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for an object of this type.
    unsafe {
        let this = (*object).cast::<PyBuiltinFunction>();
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        this.m_self.set(None);
        this.m_module.set(None);
        if this.owns_def.get() {
            ts.heap().mem_free(this.def.get().cast_mut().cast());
        }
        alloc::free(ts, object);
    }
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> core::ops::ControlFlow<()> {
    let this = object.cast::<PyBuiltinFunction>();
    visitor.slot(&this.m_self)?;
    visitor.slot(&this.m_module)
}

fn repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyBuiltinFunction>();
    let name = this.def().name;
    let text = match this.m_self.get() {
        Some(bound) if !bound.is_a::<crate::types::module::PyModule>() => PyStr::format(
            ts,
            format_args!("<built-in method {name} of {} object at {:p}>", bound.type_name(), bound.as_raw()),
        )?,
        _ => PyStr::format(ts, format_args!("<built-in function {name}>"))?,
    };
    Ok(text.into_object())
}

fn hash(_ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    let this = object.cast::<PyBuiltinFunction>();
    let mixed = protocol::hash_pointer(this.self_or_none()) ^ (this.def.get().addr() >> 4) as isize;
    Ok(if mixed == -1 { -2 } else { mixed })
}

fn compare(_ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(a), Some(b)) = (left.downcast::<PyBuiltinFunction>(), right.downcast::<PyBuiltinFunction>()) else {
        return Ok(not_implemented());
    };
    let same = a.self_or_none().is(b.self_or_none()) && core::ptr::eq(a.def.get(), b.def.get());
    match op {
        CompareOp::Eq => Ok(crate::types::bool::py_bool(same)),
        CompareOp::Ne => Ok(crate::types::bool::py_bool(!same)),
        _ => Ok(not_implemented()),
    }
}

fn reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyBuiltinFunction>();
    let name = PyStr::intern(ts, this.def().name)?;
    match this.m_self.get() {
        Some(bound) if !bound.is_a::<crate::types::module::PyModule>() => {
            let getattr = ts.interp().builtins.get().map(|b| b.get_str(ts, id!(getattr))).transpose()?.flatten();
            let args = PyTuple::new(ts, &[&bound, name.as_object()])?;
            match getattr {
                Some(getattr) => Ok(PyTuple::new(ts, &[&getattr, args.as_object()])?.into_object()),
                None => raise!(ts, exc::RuntimeError, "lost builtins.getattr"),
            }
        }
        _ => Ok(name.into_object()),
    }
}

fn get_name(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(PyStr::intern(ts, object.cast::<PyBuiltinFunction>().def().name)?.into_object())
}

fn get_qualname(ts: &ThreadState, object: &PyObject) -> PyResult {
    let this = object.cast::<PyBuiltinFunction>();
    let name = this.def().name;
    match this.m_self.get() {
        Some(bound) if !bound.is_a::<crate::types::module::PyModule>() => {
            let owner = match bound.downcast::<PyTypeObject>() {
                Some(typ) => typ.as_object().new_ref(),
                None => bound.ob_type().as_object().new_ref(),
            };
            let qualname = attr::get(ts, &owner, id!(__qualname__))?;
            let qualname = protocol::str(ts, &qualname)?;
            Ok(PyStr::format(ts, format_args!("{qualname}.{name}"))?.into_object())
        }
        _ => Ok(PyStr::intern(ts, name)?.into_object()),
    }
}

fn get_self(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(object.cast::<PyBuiltinFunction>().m_self.get().unwrap_or_else(|| ts.none()))
}

fn get_doc(ts: &ThreadState, object: &PyObject) -> PyResult {
    descr::doc_without_signature(ts, object.cast::<PyBuiltinFunction>().def().doc)
}

fn get_text_signature(ts: &ThreadState, object: &PyObject) -> PyResult {
    let def = object.cast::<PyBuiltinFunction>().def();
    descr::method_text_signature(ts, def.name, def)
}

fn get_module(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(object.cast::<PyBuiltinFunction>().m_module.get().unwrap_or_else(|| ts.none()))
}

fn set_module(_ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    object.cast::<PyBuiltinFunction>().m_module.set(value.map(PyRef::from_borrowed));
    Ok(())
}

/// A dictionary of functions, for a module or an embedding program: adds each by name.
pub fn add_functions(
    ts: &ThreadState,
    dict: &PyDict,
    functions: &'static [MethodDef],
    this: &PyObject,
    module_name: &PyObject,
) -> PyResult<()> {
    for def in functions {
        let function = PyBuiltinFunction::new(ts, def, Some(this), Some(module_name))?;
        let name = PyStr::intern(ts, def.name)?;
        dict.set(ts, name.as_object(), &function)?;
    }
    Ok(())
}
