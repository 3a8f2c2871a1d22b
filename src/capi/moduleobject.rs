//! Modules. Declared in `moduleobject.h` and `modsupport.h`.

use core::ffi::{CStr, c_char, c_int, c_long, c_void};

use super::border::{self, MODULE_DEF_TYPE, PyModuleDef, set_or_missing};
use super::convert::{Borrowed, bad_internal_call, guard, name, utf8};
use crate::object::{AsObject, PyObject, PyRef, PyResult, PyTypeObject, Ref, cdef};
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::module::PyModule;
use crate::types::str::PyStr;
use crate::{capi, id, raise};

/// The object as a module; TypeError or SystemError as the documented functions have it.
fn check<'a>(ts: &ThreadState, module: &'a PyObject, function: &str) -> PyResult<&'a PyModule> {
    match module.downcast::<PyModule>() {
        Some(module) => Ok(module),
        None => bad_internal_call(ts, function),
    }
}

capi! {
    /// A module with a name.
    fn PyModule_NewObject(ts, module: &PyStr) -> Ref<PyModule> {
        PyModule::new(ts, module)
    }

    /// A module with a name.
    fn PyModule_New(ts, module: &CStr) -> Ref<PyModule> {
        PyModule::new(ts, &*name(ts, module)?)
    }

    /// The module's dictionary, borrowed.
    fn PyModule_GetDict(ts, module: &PyObject) -> Borrowed {
        Ok(Borrowed::kept(check(ts, module, "PyModule_GetDict")?.dict(ts)?))
    }

    /// `__name__`.
    fn PyModule_GetNameObject(ts, module: &PyObject) -> Ref<PyStr> {
        match module.downcast::<PyModule>() {
            Some(module) => module.name(ts),
            None => raise!(ts, exc::TypeError, "bad argument type for built-in operation"),
        }
    }

    /// `__name__` in UTF-8, kept by the module.
    fn PyModule_GetName(ts, module: &PyObject) -> *const c_char {
        Ok(check(ts, module, "PyModule_GetName")?.name(ts)?.utf8_with_nul(ts)?.0)
    }

    /// `__file__`.
    fn PyModule_GetFilenameObject(ts, module: &PyObject) -> PyRef {
        let dict = check(ts, module, "PyModule_GetFilenameObject")?.dict(ts)?;
        match dict.get_str(ts, id!(__file__))?.filter(|f| f.is_a::<PyStr>()) {
            Some(file) => Ok(file),
            None => raise!(ts, exc::SystemError, "module filename missing"),
        }
    }

    /// `__file__` in UTF-8, kept by the module.
    fn PyModule_GetFilename(ts, module: &PyObject) -> *const c_char {
        let dict = check(ts, module, "PyModule_GetFilename")?.dict(ts)?;
        match dict.get_str(ts, id!(__file__))?.as_ref().and_then(|f| f.downcast::<PyStr>()) {
            Some(file) => Ok(file.utf8_with_nul(ts)?.0),
            None => raise!(ts, exc::SystemError, "module filename missing"),
        }
    }

    /// The state that the module's definition asked for, or null.
    fn PyModule_GetState(ts, module: &PyObject) -> *mut c_void {
        match module.downcast::<PyModule>() {
            Some(module) => Ok(module.md_state.get()),
            None => raise!(ts, exc::TypeError, "bad argument type for built-in operation"),
        }
    }

    /// The definition that the module was made of, or null.
    fn PyModule_GetDef(ts, module: &PyObject) -> *mut c_void {
        match module.downcast::<PyModule>() {
            Some(module) => Ok(module.md_def.get()),
            None => raise!(ts, exc::TypeError, "bad argument type for built-in operation"),
        }
    }

    /// Adds a value to a module.
    fn PyModule_AddObjectRef(ts, module: &PyObject, attribute: &CStr, value: *mut PyObject) -> () {
        // SAFETY: an object or null.
        add(ts, module, attribute, unsafe { value.as_ref() })
    }

    /// The same; takes the reference over, also on failure.
    fn PyModule_Add(ts, module: &PyObject, attribute: &CStr, value: Option<PyRef>) -> () {
        add(ts, module, attribute, value.as_deref())
    }

    /// The same; takes the reference over only on success.
    fn PyModule_AddObject(ts, module: &PyObject, attribute: &CStr, value: *mut PyObject) -> () {
        // SAFETY: an object or null; after the success the reference is given up.
        unsafe {
            add(ts, module, attribute, value.as_ref())?;
            drop(PyRef::from_owned_or_null(value));
        }
        Ok(())
    }

    /// Adds a number.
    fn PyModule_AddIntConstant(ts, module: &PyObject, attribute: &CStr, value: c_long) -> () {
        add(ts, module, attribute, Some(&*crate::types::int::PyInt::from_i64(ts, value)?))
    }

    /// Adds a text.
    fn PyModule_AddStringConstant(ts, module: &PyObject, attribute: &CStr, value: &CStr) -> () {
        let value = PyStr::from_utf8(ts, value.to_bytes(), "strict")?;
        add(ts, module, attribute, Some(value.as_object()))
    }

    /// Adds a type under the last part of its name.
    fn PyModule_AddType(ts, module: &PyObject, typ: *mut PyTypeObject) -> () {
        // SAFETY: the header asks for a type.
        let typ = unsafe { &*typ };
        if !typ.has_flag(crate::object::flags::READY) {
            return raise!(ts, exc::SystemError, "PyModule_AddType: call PyType_Ready first");
        }
        let of = check(ts, module, "PyModule_AddType")?;
        let last = typ.full_name().rsplit('.').next().unwrap_or("");
        of.dict(ts)?.set_str(ts, &*PyStr::intern(ts, last)?, typ.as_object())
    }

    /// Adds functions.
    fn PyModule_AddFunctions(ts, module: &PyObject, functions: *const cdef::PyMethodDef) -> () {
        let module = check(ts, module, "PyModule_AddFunctions")?;
        // SAFETY: the table stays, as the header asks.
        unsafe { border::add_methods(ts, module, functions) }
    }

    /// Sets `__doc__`.
    fn PyModule_SetDocString(ts, module: &PyObject, doc: &CStr) -> () {
        let doc = PyStr::from_utf8(ts, doc.to_bytes(), "strict")?;
        crate::object::attr::set(ts, module, id!(__doc__), doc.as_object())
    }

    /// A module of a definition with its functions.
    fn PyModule_Create2(ts, def: *mut PyModuleDef, _api_version: c_int) -> Ref<PyModule> {
        if def.is_null() {
            return bad_internal_call(ts, "PyModule_Create2");
        }
        // SAFETY: the definition stays, as the header asks.
        unsafe {
            init_def(def);
            let text = CStr::from_ptr((*def).m_name);
            if !(*def).m_slots.is_null() {
                return raise!(
                    ts,
                    exc::SystemError,
                    "module {}: PyModule_Create is incompatible with m_slots",
                    text.to_str().unwrap_or("?")
                );
            }
            border::create_module(ts, def, utf8(ts, text)?)
        }
    }

    /// A module of a definition, for a spec.
    fn PyModule_FromDefAndSpec2(ts, def: *mut PyModuleDef, spec: &PyObject, _api_version: c_int) -> PyRef {
        let text = crate::object::attr::get(ts, spec, id!(name))?;
        let Some(text) = text.downcast::<PyStr>() else { return bad_internal_call(ts, "PyModule_FromDefAndSpec2") };
        // SAFETY: the definition stays, as the header asks.
        unsafe {
            init_def(def);
            border::create_module(ts, def, text.utf8(ts)?).map(Ref::into_object)
        }
    }

    /// Runs the slots of a definition on a module.
    fn PyModule_ExecDef(ts, module: &PyObject, def: *mut PyModuleDef) -> () {
        check(ts, module, "PyModule_ExecDef")?;
        border::run_exec_slots(ts, def, module)
    }
}

fn add(ts: &ThreadState, module: &PyObject, attribute: &CStr, value: Option<&PyObject>) -> PyResult<()> {
    let Some(module) = module.downcast::<PyModule>() else {
        return raise!(ts, exc::TypeError, "PyModule_AddObjectRef() first argument must be a module");
    };
    let Some(value) = value else {
        if ts.current_exception.is_some() {
            return Err(set_or_missing(ts));
        }
        return raise!(
            ts,
            exc::SystemError,
            "PyModule_AddObjectRef() must be called with an exception raised if value is NULL"
        );
    };
    module.dict(ts)?.set_str(ts, &*name(ts, attribute)?, value)
}

/// Gives a static definition its header.
///
/// # Safety
/// `def` is a definition.
unsafe fn init_def(def: *mut PyModuleDef) {
    // SAFETY: the caller's promise; the header is plain data.
    unsafe {
        let base = &mut (*def).m_base.ob_base;
        base.ob_type.set(core::ptr::from_ref(&MODULE_DEF_TYPE.object));
        if base.refcnt() == 0 {
            base.incref();
        }
    }
}

/// The definition as an object: what a multi-phase module's initialization function returns.
///
/// # Safety
///
/// A thread state is attached; `def` is a definition that stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyModuleDef_Init(def: *mut PyModuleDef) -> *mut PyObject {
    guard::<*mut PyObject>("PyModuleDef_Init", |ts| {
        if def.is_null() {
            return bad_internal_call(ts, "PyModuleDef_Init");
        }
        // SAFETY: as promised.
        unsafe { init_def(def) };
        Ok(def.cast())
    })
}
