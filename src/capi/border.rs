//! C code called by the runtime: method functions, getters and setters, module initialization.

use core::ffi::{c_int, c_void};

use crate::object::cdef::{self, PyGetSetDef, PyMemberDef, PyMethodDef};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::module::PyModule;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// Turns what a C function returned into a result: null must have an exception with it, and a value none.
pub fn from_c(ts: &ThreadState, value: *mut PyObject, what: &str) -> PyResult {
    // SAFETY: a C function returns an owned reference or null.
    let value = unsafe { PyRef::from_owned_or_null(value) };
    let raised = ts.current_exception.is_some();
    match value {
        Some(value) if !raised => Ok(value),
        Some(value) => {
            drop(value);
            let cause = ts.current_exception.take();
            let error = ts.raise_fmt(&exc::SystemError, format_args!("{what} returned a result with an exception set"));
            Err(with_cause(ts, error, cause))
        }
        None if raised => Err(Raised::already_set()),
        None => raise!(ts, exc::SystemError, "{what} returned NULL without setting an exception"),
    }
}

fn with_cause(ts: &ThreadState, raised: Raised, cause: Option<PyRef>) -> Raised {
    let error = ts.take_raised(raised);
    if let Some(base) = error.downcast::<exc::PyBaseException>() {
        base.cause.set(cause.clone());
        base.context.set(cause);
    }
    ts.restore_raised(error)
}

/// A dict of the keyword arguments, or None when there are none.
fn keyword_dict(ts: &ThreadState, args: Args<'_>) -> PyResult<Option<Ref<PyDict>>> {
    if !args.has_keywords() {
        return Ok(None);
    }
    let dict = PyDict::new(ts)?;
    for (name, value) in args.keywords() {
        dict.set(ts, name.as_object(), value)?;
    }
    Ok(Some(dict))
}

/// Calls a `PyMethodDef`'s function in the form that its flags say.
pub fn call_c_function(ts: &ThreadState, def: *const PyMethodDef, this: &PyObject, args: Args<'_>) -> PyResult {
    // SAFETY: the definition lives as long as the function object.
    let def = unsafe { &*def };
    // SAFETY: `ml_name` is a C string.
    let name = unsafe { core::ffi::CStr::from_ptr(def.ml_name) }.to_str().unwrap_or("?");
    let Some(function) = def.ml_meth else {
        return raise!(ts, exc::SystemError, "{name}() has no function");
    };
    // A module's function without a module, and static functions, get null.
    let this = if this.is(crate::types::none::none()) { core::ptr::null_mut() } else { this.as_ptr() };
    let no_keywords = || -> PyResult<()> {
        if args.has_keywords() {
            return raise!(ts, exc::TypeError, "{name}() takes no keyword arguments");
        }
        Ok(())
    };
    let form = def.ml_flags & !(cdef::METH_CLASS | cdef::METH_STATIC | cdef::METH_COEXIST);
    const FASTCALL_KEYWORDS: c_int = cdef::METH_FASTCALL | cdef::METH_KEYWORDS;
    const VARARGS_KEYWORDS: c_int = cdef::METH_VARARGS | cdef::METH_KEYWORDS;
    // SAFETY (all calls): the function has the signature that its flags promise; arguments are borrowed.
    let value = match form {
        cdef::METH_NOARGS => {
            no_keywords()?;
            if !args.is_empty() {
                return raise!(ts, exc::TypeError, "{name}() takes no arguments ({} given)", args.len());
            }
            // SAFETY: as above.
            unsafe { function(this, core::ptr::null_mut()) }
        }
        cdef::METH_O => {
            no_keywords()?;
            let [argument] = args.all() else {
                return raise!(ts, exc::TypeError, "{name}() takes exactly one argument ({} given)", args.len());
            };
            // SAFETY: as above.
            unsafe { function(this, argument.as_ptr()) }
        }
        cdef::METH_VARARGS => {
            no_keywords()?;
            let tuple = PyTuple::new(ts, args.all())?;
            // SAFETY: as above.
            unsafe { function(this, tuple.as_object().as_ptr()) }
        }
        VARARGS_KEYWORDS => {
            type WithKeywords = unsafe extern "C" fn(*mut PyObject, *mut PyObject, *mut PyObject) -> *mut PyObject;
            let tuple = PyTuple::new(ts, args.positional())?;
            let dict = keyword_dict(ts, args)?;
            let dict = dict.as_ref().map_or(core::ptr::null_mut(), |d| d.as_object().as_ptr());
            // SAFETY: as above; the flags say that the function takes three arguments.
            unsafe {
                let function = core::mem::transmute::<cdef::PyCFunction, WithKeywords>(function);
                function(this, tuple.as_object().as_ptr(), dict)
            }
        }
        cdef::METH_FASTCALL => {
            type Fast = unsafe extern "C" fn(*mut PyObject, *const *mut PyObject, isize) -> *mut PyObject;
            no_keywords()?;
            // SAFETY: as above.
            unsafe {
                let function = core::mem::transmute::<cdef::PyCFunction, Fast>(function);
                function(this, args.all().as_ptr().cast(), args.all().len() as isize)
            }
        }
        FASTCALL_KEYWORDS => {
            type FastKeywords =
                unsafe extern "C" fn(*mut PyObject, *const *mut PyObject, isize, *mut PyObject) -> *mut PyObject;
            let names = args.keyword_names().map_or(core::ptr::null_mut(), |n| n.as_object().as_ptr());
            // SAFETY: as above.
            unsafe {
                let function = core::mem::transmute::<cdef::PyCFunction, FastKeywords>(function);
                function(this, args.all().as_ptr().cast(), args.len() as isize, names)
            }
        }
        _ => return raise!(ts, exc::SystemError, "{name}() method: bad call flags"),
    };
    from_c(ts, value, name)
}

/// Calls a `PyGetSetDef`'s getter.
pub fn call_getter(ts: &ThreadState, def: *const PyGetSetDef, instance: &PyObject) -> PyResult {
    // SAFETY: the definition lives as long as its type.
    let def = unsafe { &*def };
    match def.get {
        // SAFETY: the getter is C's.
        Some(get) => from_c(ts, unsafe { get(instance.as_ptr(), def.closure) }, "a getter"),
        None => raise!(ts, exc::AttributeError, "attribute is not readable"),
    }
}

/// Calls a `PyGetSetDef`'s setter.
pub fn call_setter(
    ts: &ThreadState,
    def: *const PyGetSetDef,
    instance: &PyObject,
    value: Option<&PyObject>,
) -> PyResult<()> {
    // SAFETY: the definition lives as long as its type.
    let def = unsafe { &*def };
    let Some(set) = def.set else {
        return raise!(ts, exc::AttributeError, "attribute is not writable");
    };
    let value = value.map_or(core::ptr::null_mut(), PyObject::as_ptr);
    // SAFETY: the setter is C's.
    if unsafe { set(instance.as_ptr(), value, def.closure) } < 0 {
        return Err(set_or_missing(ts));
    }
    Ok(())
}

/// The token for a failure that C reported by -1.
pub fn set_or_missing(ts: &ThreadState) -> Raised {
    if ts.current_exception.is_some() {
        return Raised::already_set();
    }
    ts.raise_fmt(&exc::SystemError, format_args!("error return without exception set"))
}

/// Reads a `PyMemberDef`.
pub fn get_member(ts: &ThreadState, _def: *const PyMemberDef, _instance: &PyObject) -> PyResult {
    raise!(ts, exc::NotImplementedError, "members of types written in C are not implemented by this version of Hognose")
}

/// Writes a `PyMemberDef`.
pub fn set_member(
    ts: &ThreadState,
    _def: *const PyMemberDef,
    _instance: &PyObject,
    _value: Option<&PyObject>,
) -> PyResult<()> {
    raise!(ts, exc::NotImplementedError, "members of types written in C are not implemented by this version of Hognose")
}

/// `PyModuleDef_Base`.
#[repr(C)]
pub struct PyModuleDefBase {
    /// The object header.
    pub ob_base: PyObject,
    /// The initialization function, for modules that can be made again.
    pub m_init: Option<unsafe extern "C" fn() -> *mut PyObject>,
    /// The module's index in the interpreter's list.
    pub m_index: isize,
    /// A copy of the module's dictionary.
    pub m_copy: *mut PyObject,
}

/// `PyModuleDef_Slot`.
#[repr(C)]
pub struct PyModuleDefSlot {
    /// `Py_mod_*`; 0 ends the list.
    pub slot: c_int,
    /// A function or a flag.
    pub value: *mut c_void,
}

/// `PyModuleDef`.
#[repr(C)]
pub struct PyModuleDef {
    /// The common beginning.
    pub m_base: PyModuleDefBase,
    /// The module's name.
    pub m_name: *const core::ffi::c_char,
    /// The docstring or null.
    pub m_doc: *const core::ffi::c_char,
    /// Bytes of state; -1 for a module that has its state in static variables.
    pub m_size: isize,
    /// The functions, or null.
    pub m_methods: *mut PyMethodDef,
    /// Slots of multi-phase initialization, or null.
    pub m_slots: *mut PyModuleDefSlot,
    /// Traverses the state.
    pub m_traverse: *mut c_void,
    /// Clears the state.
    pub m_clear: *mut c_void,
    /// Frees what the state owns.
    pub m_free: *mut c_void,
}

/// `Py_mod_create`.
const MOD_CREATE: c_int = 1;
/// `Py_mod_multiple_interpreters`, and its values.
const MOD_MULTIPLE_INTERPRETERS: c_int = 3;
const MULTIPLE_INTERPRETERS_NOT_SUPPORTED: usize = 0;
const MULTIPLE_INTERPRETERS_SUPPORTED: usize = 1;
const PER_INTERPRETER_GIL_SUPPORTED: usize = 2;
/// `Py_mod_exec`.
const MOD_EXEC: c_int = 2;

/// The type of the object that a multi-phase module's initialization function returns.
#[unsafe(export_name = "PyModuleDef_Type")]
pub static MODULE_DEF_TYPE: StaticType =
    StaticType::new(TypeSpec { name: c"moduledef", basicsize: size_of::<PyModuleDef>(), ..TypeSpec::EMPTY });

/// Adds a null-terminated table of functions to a module.
///
/// # Safety
/// The table and its strings outlive the interpreter.
pub unsafe fn add_methods(ts: &ThreadState, module: &PyModule, methods: *const PyMethodDef) -> PyResult<()> {
    if methods.is_null() {
        return Ok(());
    }
    let dict = module.dict(ts)?;
    let module_name = module.name(ts)?;
    let mut at = methods;
    // SAFETY: the table ends with a null name.
    unsafe {
        while !(*at).ml_name.is_null() {
            if (*at).ml_flags & (cdef::METH_CLASS | cdef::METH_STATIC) != 0 {
                return raise!(ts, exc::ValueError, "module functions cannot set METH_CLASS or METH_STATIC");
            }
            let function = crate::types::builtin_function::PyBuiltinFunction::from_c(
                ts,
                at,
                Some(module.as_object()),
                Some(module_name.as_object()),
            )?;
            let name = core::ffi::CStr::from_ptr((*at).ml_name).to_bytes();
            let name = PyStr::from_utf8(ts, name, "strict")?;
            dict.set(ts, name.as_object(), &function)?;
            at = at.add(1);
        }
    }
    Ok(())
}

/// A module of a definition, filled with its functions (`PyModule_Create2`).
///
/// # Safety
/// The definition outlives the interpreter.
pub unsafe fn create_module(ts: &ThreadState, def: *mut PyModuleDef, name: &str) -> PyResult<Ref<PyModule>> {
    // SAFETY: the caller's promise.
    let definition = unsafe { &*def };
    let name = PyStr::new(ts, name)?;
    let module = PyModule::new(ts, &name)?;
    if definition.m_size > 0 {
        let state = ts.heap().mem_alloc_zeroed(definition.m_size as usize);
        if state.is_null() {
            return Err(hognose_allocators::NoMemory.into());
        }
        module.md_state.set(state.cast());
    }
    module.md_def.set(def.cast());
    // SAFETY: the definition's tables live as long as it.
    unsafe {
        add_methods(ts, &module, definition.m_methods)?;
        if !definition.m_doc.is_null() {
            let doc = PyStr::from_utf8(ts, core::ffi::CStr::from_ptr(definition.m_doc).to_bytes(), "replace")?;
            module.dict(ts)?.set_str(ts, crate::id!(__doc__), doc.as_object())?;
        }
    }
    Ok(module)
}

/// Calls a module's initialization function; a definition is turned into a module and executed.
pub fn init_module(ts: &ThreadState, name: &str, init: crate::import::inittab::InitFunction) -> PyResult {
    // SAFETY: an initialization function takes nothing and returns an object or null.
    let made = unsafe { init() };
    // SAFETY: looked at before it is taken over.
    let is_definition = unsafe { made.as_ref() }.is_some_and(|o| core::ptr::eq(o.ob_type(), &*MODULE_DEF_TYPE));
    if !is_definition {
        let module = from_c(ts, made, name)?;
        check_interpreter(ts, name, None)?;
        return Ok(module);
    }
    let def = made.cast::<PyModuleDef>();
    check_interpreter(ts, name, Some(def))?;
    let module = from_definition(ts, def, name)?;
    run_exec_slots(ts, def, &module)?;
    Ok(module)
}

/// ImportError for a module that does not say that it can do with an interpreter such as this one.
fn check_interpreter(ts: &ThreadState, name: &str, def: Option<*mut PyModuleDef>) -> PyResult<()> {
    let interp = ts.interp();
    if interp.is_main() || interp.allows.single_phase.get() {
        return Ok(());
    }
    let mut support = if def.is_some() { MULTIPLE_INTERPRETERS_SUPPORTED } else { MULTIPLE_INTERPRETERS_NOT_SUPPORTED };
    if let Some(def) = def {
        for_each_slot(def, &mut |slot, value| {
            if slot == MOD_MULTIPLE_INTERPRETERS {
                support = value.addr();
            }
            Ok(())
        })?;
    }
    let needed = if interp.has_own_gil() { PER_INTERPRETER_GIL_SUPPORTED } else { MULTIPLE_INTERPRETERS_SUPPORTED };
    if support >= needed {
        return Ok(());
    }
    let shown = PyStr::new(ts, name)?;
    let message = PyStr::format(ts, format_args!("module {name} does not support loading in subinterpreters"))?;
    Err(crate::types::exceptions::import_error(ts, &message, Some(shown.as_object()), None, None))
}

/// Phase one: the module object, by the `Py_mod_create` slot when there is one.
fn from_definition(ts: &ThreadState, def: *mut PyModuleDef, name: &str) -> PyResult {
    let mut create = None;
    for_each_slot(def, &mut |slot, value| {
        if slot == MOD_CREATE {
            create = Some(value);
        }
        Ok(())
    })?;
    match create {
        None => {
            // SAFETY: a definition is static in its program.
            unsafe { create_module(ts, def, name).map(Ref::into_object) }
        }
        Some(function) => {
            type Create = unsafe extern "C" fn(*mut PyObject, *mut PyModuleDef) -> *mut PyObject;
            let types = crate::import::import_module(ts, "types")?;
            let namespace = attr::get(ts, &types, &*PyStr::intern(ts, "SimpleNamespace")?)?;
            let spec = call::call0(ts, &namespace)?;
            let text = PyStr::new(ts, name)?;
            attr::set(ts, &spec, crate::id!(name), text.as_object())?;
            // SAFETY: the slot's value is a function of this type.
            let made = unsafe {
                let function = core::mem::transmute::<*mut c_void, Create>(function);
                function(spec.as_ptr(), def)
            };
            from_c(ts, made, name)
        }
    }
}

fn for_each_slot(def: *mut PyModuleDef, f: &mut dyn FnMut(c_int, *mut c_void) -> PyResult<()>) -> PyResult<()> {
    // SAFETY: the list ends with a zero.
    unsafe {
        let mut at = (*def).m_slots;
        while !at.is_null() && (*at).slot != 0 {
            f((*at).slot, (*at).value)?;
            at = at.add(1);
        }
    }
    Ok(())
}

/// Phase two: the `Py_mod_exec` slots, in order (`PyModule_ExecDef`).
pub fn run_exec_slots(ts: &ThreadState, def: *mut PyModuleDef, module: &PyObject) -> PyResult<()> {
    for_each_slot(def, &mut |slot, value| {
        if slot != MOD_EXEC {
            return Ok(());
        }
        type Exec = unsafe extern "C" fn(*mut PyObject) -> c_int;
        // SAFETY: the slot's value is a function of this type.
        let result = unsafe {
            let function = core::mem::transmute::<*mut c_void, Exec>(value);
            function(module.as_ptr())
        };
        if result != 0 || ts.current_exception.is_some() {
            return Err(set_or_missing(ts));
        }
        Ok(())
    })
}

/// `_imp.exec_builtin` and `exec_dynamic`: modules are executed when they are made, so there is nothing left.
pub fn exec_module(_ts: &ThreadState, _module: &PyObject) -> PyResult<()> {
    Ok(())
}
