//! Functions and methods. Declared in `methodobject.h`, `funcobject.h` and `classobject.h`.

use core::ffi::{CStr, c_int};

use super::convert::{Borrowed, bad_internal_call};
use crate::object::cdef::PyMethodDef;
use crate::object::{AsObject, PyObject, PyRef, PyResult, PyTypeObject, Ref, attr};
use crate::state::ThreadState;
use crate::types::builtin_function::PyBuiltinFunction;
use crate::types::bytes::PyBytes;
use crate::types::code::{CodeParts, PyCode};
use crate::types::dict::PyDict;
use crate::types::function::PyFunction;
use crate::types::method::{PyInstanceMethod, PyMethod};
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{capi, id};

/// The number by which code loads AssertionError.
const ASSERTION_ERROR: u8 = 0;
/// An entry of a table of lines without columns, for three units of code.
const ALL_THREE_ON_THE_FIRST_LINE: u8 = 0x80 | 13 << 3 | 2;

fn new_function(
    ts: &ThreadState,
    def: *const PyMethodDef,
    this: Option<&PyObject>,
    module: Option<&PyObject>,
) -> PyResult {
    if def.is_null() {
        return bad_internal_call(ts, "PyCFunction_New");
    }
    // SAFETY: the definition stays, as the header asks.
    unsafe { PyBuiltinFunction::from_c(ts, def, this, module) }
}

capi! {
    /// A function object of a definition.
    fn PyCFunction_New(ts, def: *const PyMethodDef, this: Option<&PyObject>) -> PyRef {
        new_function(ts, def, this, None)
    }

    /// The same with a module's name.
    fn PyCFunction_NewEx(ts, def: *const PyMethodDef, this: Option<&PyObject>, module: Option<&PyObject>) -> PyRef {
        new_function(ts, def, this, module)
    }

    /// The same with the class that defines it; METH_METHOD is not there yet.
    fn PyCMethod_New(
        ts, def: *const PyMethodDef, this: Option<&PyObject>, module: Option<&PyObject>, _class: *mut PyTypeObject,
    ) -> PyRef {
        new_function(ts, def, this, module)
    }

    /// What a function object of C is bound to, borrowed; null for none.
    fn PyCFunction_GetSelf(ts, function: &PyObject) -> Borrowed {
        let Some(function) = function.downcast::<PyBuiltinFunction>() else {
            return bad_internal_call(ts, "PyCFunction_GetSelf");
        };
        Ok(Borrowed::kept_or_none(function.m_self.get()))
    }

    /// The `METH_*` flags of a function object of C.
    fn PyCFunction_GetFlags(ts, function: &PyObject) -> i32 {
        match function.downcast::<PyBuiltinFunction>().map(|f| f.def().function) {
            // SAFETY: the definition lives as long as the function object.
            Some(crate::object::NativeFn::C(def)) => Ok(unsafe { (*def).ml_flags } as c_int),
            Some(_) => Ok(crate::object::cdef::METH_VARARGS | crate::object::cdef::METH_KEYWORDS),
            None => bad_internal_call(ts, "PyCFunction_GetFlags"),
        }
    }

    /// A bound method.
    fn PyMethod_New(ts, function: &PyObject, this: &PyObject) -> Ref<PyMethod> {
        PyMethod::new(ts, function, this)
    }

    /// A bound method's function, borrowed.
    fn PyMethod_Function(ts, method: &PyObject) -> Borrowed {
        match method.downcast::<PyMethod>() {
            Some(method) => Ok(Borrowed::of(method.borrow_parts().0)),
            None => bad_internal_call(ts, "PyMethod_Function"),
        }
    }

    /// What a bound method is bound to, borrowed.
    fn PyMethod_Self(ts, method: &PyObject) -> Borrowed {
        match method.downcast::<PyMethod>() {
            Some(method) => Ok(Borrowed::of(method.borrow_parts().1)),
            None => bad_internal_call(ts, "PyMethod_Self"),
        }
    }

    /// A callable that binds like a function.
    fn PyInstanceMethod_New(ts, function: &PyObject) -> Ref<PyInstanceMethod> {
        PyInstanceMethod::new(ts, function)
    }

    /// A function of a code object.
    fn PyFunction_New(ts, code: &PyCode, globals: &PyDict) -> Ref<PyFunction> {
        PyFunction::new(ts, code, globals)
    }

    /// A code object that only raises AssertionError, for tracebacks that name places outside of Python.
    fn PyCode_NewEmpty(ts, filename: &CStr, name: &CStr, line: c_int) -> Ref<PyCode> {
        use crate::vm::opcode::op;
        let name = PyStr::from_utf8(ts, name.to_bytes(), "strict")?;
        let instructions = [op::RESUME, 0, op::LOAD_COMMON_CONSTANT, ASSERTION_ERROR, op::RAISE_VARARGS, 1];
        let (nothing, no_bytes) = (PyTuple::empty(), PyBytes::empty());
        PyCode::new(ts, CodeParts {
            argcount: 0,
            posonlyargcount: 0,
            kwonlyargcount: 0,
            stacksize: 1,
            flags: 0,
            code: PyBytes::new(ts, &instructions)?,
            consts: nothing.clone(),
            names: nothing.clone(),
            localsplusnames: nothing,
            localspluskinds: no_bytes.clone(),
            filename: PyStr::from_utf8(ts, filename.to_bytes(), "surrogateescape")?,
            name: name.clone(),
            qualname: name,
            firstlineno: line,
            linetable: PyBytes::new(ts, &[ALL_THREE_ON_THE_FIRST_LINE, 0])?,
            exceptiontable: no_bytes,
        })
    }

    /// The same with a qualified name.
    fn PyFunction_NewWithQualName(ts, code: &PyCode, globals: &PyDict, qualname: Option<&PyStr>) -> Ref<PyFunction> {
        let function = PyFunction::new(ts, code, globals)?;
        if let Some(qualname) = qualname {
            function.func_qualname.set(Some(Ref::from_borrowed(qualname)));
        }
        Ok(function)
    }

    /// A function's code object, borrowed.
    fn PyFunction_GetCode(ts, function: &PyObject) -> Borrowed {
        match function.downcast::<PyFunction>() {
            Some(function) => Ok(Borrowed::of(function.code())),
            None => bad_internal_call(ts, "PyFunction_GetCode"),
        }
    }

    /// A function's global variables, borrowed.
    fn PyFunction_GetGlobals(ts, function: &PyObject) -> Borrowed {
        match function.downcast::<PyFunction>() {
            Some(function) => Ok(Borrowed::kept_or_none(function.func_globals.get())),
            None => bad_internal_call(ts, "PyFunction_GetGlobals"),
        }
    }

    /// A function's module's name, borrowed.
    fn PyFunction_GetModule(ts, function: &PyObject) -> Borrowed {
        if !function.is_a::<PyFunction>() {
            return bad_internal_call(ts, "PyFunction_GetModule");
        }
        Ok(Borrowed::kept_or_none(attr::get_opt(ts, function, id!(__module__))?))
    }

    /// A function's default values, borrowed; null for none.
    fn PyFunction_GetDefaults(ts, function: &PyObject) -> Borrowed {
        match function.downcast::<PyFunction>() {
            Some(function) => Ok(Borrowed::kept_or_none(function.func_defaults.get())),
            None => bad_internal_call(ts, "PyFunction_GetDefaults"),
        }
    }

    /// A `staticmethod`.
    fn PyStaticMethod_New(ts, function: &PyObject) -> PyRef {
        crate::object::call::call_with(ts, crate::types::classmethod::STATICMETHOD_TYPE.as_object(), &[function])
    }

    /// A `classmethod`.
    fn PyClassMethod_New(ts, function: &PyObject) -> PyRef {
        crate::object::call::call_with(ts, crate::types::classmethod::CLASSMETHOD_TYPE.as_object(), &[function])
    }

    /// A cell with contents, or empty.
    fn PyCell_New(ts, contents: Option<&PyObject>) -> Ref<crate::types::cell::PyCell> {
        crate::types::cell::PyCell::new(ts, contents.map(PyRef::from_borrowed))
    }

    /// A cell's contents; null without an exception when it is empty.
    fn PyCell_Get(ts, cell: &PyObject) -> Option<PyRef> {
        match cell.downcast::<crate::types::cell::PyCell>() {
            Some(cell) => Ok(cell.get()),
            None => bad_internal_call(ts, "PyCell_Get"),
        }
    }

    /// Fills a cell, or empties it.
    fn PyCell_Set(ts, cell: &PyObject, contents: Option<&PyObject>) -> () {
        match cell.downcast::<crate::types::cell::PyCell>() {
            Some(cell) => {
                cell.set(contents.map(PyRef::from_borrowed));
                Ok(())
            }
            None => bad_internal_call(ts, "PyCell_Set"),
        }
    }
}
