//! Importing. Declared in `import.h`.

use core::ffi::{CStr, c_char, c_int, c_long};

use super::convert::{Borrowed, bad_internal_call, guard, name, null_argument, utf8};
use crate::import::{self, inittab};
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, call, protocol};
use crate::state::ThreadState;
use crate::types::code::PyCode;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::none::none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{capi, id, raise};

capi! {
    /// Imports a module by its full name, and gives that module, with the hooks of `__import__`.
    fn PyImport_ImportModule(ts, module: &CStr) -> PyRef {
        import(ts, &*name(ts, module)?)
    }

    /// The same: the name of old.
    fn PyImport_ImportModuleNoBlock(ts, module: &CStr) -> PyRef {
        import(ts, &*name(ts, module)?)
    }

    /// The same with a str.
    fn PyImport_Import(ts, module: &PyStr) -> PyRef {
        import(ts, module)
    }

    /// `__import__(name, globals, locals, fromlist, 0)`.
    fn PyImport_ImportModuleEx(
        ts, module: &CStr, globals: Option<&PyObject>, locals: Option<&PyObject>, fromlist: Option<&PyObject>,
    ) -> PyRef {
        import::import_level(ts, &*name(ts, module)?, globals, locals, fromlist.unwrap_or(none()), 0)
    }

    /// `__import__(name, globals, locals, fromlist, level)`.
    fn PyImport_ImportModuleLevel(
        ts, module: &CStr, globals: Option<&PyObject>, locals: Option<&PyObject>, fromlist: Option<&PyObject>, level: c_int,
    ) -> PyRef {
        import::import_level(ts, &*name(ts, module)?, globals, locals, fromlist.unwrap_or(none()), level)
    }

    /// The same with a str.
    fn PyImport_ImportModuleLevelObject(
        ts, module: &PyStr, globals: Option<&PyObject>, locals: Option<&PyObject>, fromlist: Option<&PyObject>, level: c_int,
    ) -> PyRef {
        import::import_level(ts, module, globals, locals, fromlist.unwrap_or(none()), level)
    }

    /// An attribute of a module that is imported for it.
    fn PyImport_ImportModuleAttr(ts, module: &PyStr, attribute: &PyStr) -> PyRef {
        let module = import::import_module_object(ts, module)?;
        crate::object::attr::get(ts, &module, attribute)
    }

    /// The same with C strings.
    fn PyImport_ImportModuleAttrString(ts, module: &CStr, attribute: &CStr) -> PyRef {
        let module = import::import_module_object(ts, &*name(ts, module)?)?;
        crate::object::attr::get(ts, &module, &*name(ts, attribute)?)
    }

    /// Executes a module again.
    fn PyImport_ReloadModule(ts, module: &PyObject) -> PyRef {
        let importlib = import::import_module(ts, "importlib")?;
        protocol::call_named(ts, &importlib, "reload", &[module])
    }

    /// The module of a name in `sys.modules`, made and added when there is none; borrowed.
    fn PyImport_AddModuleObject(ts, module: &PyStr) -> Borrowed {
        Ok(Borrowed::kept(add_module(ts, module)?))
    }

    /// The same with a C string; borrowed.
    fn PyImport_AddModule(ts, module: &CStr) -> Borrowed {
        Ok(Borrowed::kept(add_module(ts, &*name(ts, module)?)?))
    }

    /// The same as a new reference.
    fn PyImport_AddModuleRef(ts, module: &CStr) -> PyRef {
        add_module(ts, &*name(ts, module)?)
    }

    /// The module of a name in `sys.modules`; null without an exception when there is none.
    fn PyImport_GetModule(ts, module: &PyObject) -> Option<PyRef> {
        import::modules(ts)?.get(ts, module)
    }

    /// `sys.modules`, borrowed.
    fn PyImport_GetModuleDict(ts) -> Borrowed {
        Ok(Borrowed::kept(import::modules(ts)?))
    }

    /// The importer for an entry of `sys.path`.
    fn PyImport_GetImporter(ts, path: &PyObject) -> PyRef {
        let pkgutil = import::import_module(ts, "pkgutil")?;
        protocol::call_named(ts, &pkgutil, "get_importer", &[path])
    }

    /// Executes a code object as a module.
    fn PyImport_ExecCodeModule(ts, module: &CStr, code: &PyObject) -> PyRef {
        exec_code(ts, &*name(ts, module)?, code, None)
    }

    /// The same with the file's name.
    fn PyImport_ExecCodeModuleEx(ts, module: &CStr, code: &PyObject, path: Option<&CStr>) -> PyRef {
        let path = path.map(|p| name(ts, p)).transpose()?;
        exec_code(ts, &*name(ts, module)?, code, path.as_deref().map(AsObject::as_object))
    }

    /// The same with the compiled file's name, too.
    fn PyImport_ExecCodeModuleWithPathnames(ts, module: &CStr, code: &PyObject, path: Option<&CStr>, _cached: Option<&CStr>) -> PyRef {
        let path = path.map(|p| name(ts, p)).transpose()?;
        exec_code(ts, &*name(ts, module)?, code, path.as_deref().map(AsObject::as_object))
    }

    /// The same with objects.
    fn PyImport_ExecCodeModuleObject(ts, module: &PyStr, code: &PyObject, path: Option<&PyObject>, _cached: Option<&PyObject>) -> PyRef {
        exec_code(ts, module, code, path)
    }

    /// Imports a frozen module: 1, 0 when there is none.
    fn PyImport_ImportFrozenModule(ts, module: &CStr) -> bool {
        let module = utf8(ts, module)?;
        let Some(frozen) = hognose_stdlib::find(module) else { return Ok(false) };
        let code = crate::code::frozen::load(ts, &frozen)?;
        import::exec_code_module(ts, &*PyStr::intern(ts, module)?, &code)?;
        Ok(true)
    }

    /// The same with a str.
    fn PyImport_ImportFrozenModuleObject(ts, module: &PyStr) -> bool {
        let text = module.utf8(ts)?;
        let Some(frozen) = hognose_stdlib::find(text) else { return Ok(false) };
        let code = crate::code::frozen::load(ts, &frozen)?;
        import::exec_code_module(ts, module, &code)?;
        Ok(true)
    }
}

/// Imports through the `__import__` of the running code's builtins, as `import` does.
fn import(ts: &ThreadState, module: &PyStr) -> PyResult {
    let fromlist = PyTuple::new(ts, &[id!(__doc__).as_object()])?;
    let zero = PyInt::zero();
    let globals: PyRef = match crate::vm::frame::current_globals(ts) {
        Some(globals) => globals.into_object(),
        None => PyDict::new(ts)?.into_object(),
    };
    let builtins = ts.interp().builtins.get();
    let function = match &builtins {
        Some(builtins) => builtins.get_str(ts, id!(__import__))?,
        None => None,
    };
    let own = ts.interp().import_function.get();
    if let Some(function) = function
        && own.as_ref().is_none_or(|own| !own.is(&function))
    {
        call::call_with(ts, &function, &[module.as_object(), &globals, &globals, fromlist.as_object(), zero])?;
        return match import::loaded(ts, module)? {
            Some(module) => Ok(module),
            None => Err(exc::raise_key_error(ts, module.as_object())),
        };
    }
    import::import_module_object(ts, module)
}

fn add_module(ts: &ThreadState, module: &PyStr) -> PyResult {
    if let Some(found) = import::loaded(ts, module)?
        && found.is_a::<PyModule>()
    {
        return Ok(found);
    }
    let made = PyModule::new(ts, module)?;
    import::modules(ts)?.set_str(ts, module, made.as_object())?;
    Ok(made.into_object())
}

fn exec_code(ts: &ThreadState, module: &PyStr, code: &PyObject, path: Option<&PyObject>) -> PyResult {
    let Some(code) = code.downcast::<PyCode>() else { return bad_internal_call(ts, "PyImport_ExecCodeModule") };
    let made = add_module(ts, module)?;
    let dict = made.cast::<PyModule>().dict(ts)?;
    super::pythonrun::add_builtins(ts, &dict)?;
    let path: PyRef = path.map_or_else(|| code.filename().as_object().new_ref(), AsObject::new_ref);
    dict.set_str(ts, id!(__file__), &path)?;
    match crate::vm::eval_code(ts, code, &dict, Some(dict.as_object()), None) {
        Ok(_) => match import::loaded(ts, module)? {
            Some(module) => Ok(module),
            None => raise!(ts, exc::ImportError, "Loaded module {module} not found in sys.modules"),
        },
        Err(raised) => {
            let error = ts.take_raised(raised);
            if let Err(second) = import::modules(ts).and_then(|m| m.remove_str(ts, module)) {
                ts.clear_raised(second);
            }
            Err(ts.restore_raised(error))
        }
    }
}

/// The number at the start of compiled files.
#[unsafe(no_mangle)]
pub extern "C" fn PyImport_GetMagicNumber() -> c_long {
    crate::modules::_imp::PYC_MAGIC.into()
}

/// The tag in compiled files' names.
#[unsafe(no_mangle)]
pub extern "C" fn PyImport_GetMagicTag() -> *const c_char {
    c"cpython-314".as_ptr()
}

/// Adds a built-in module before initialization; -1 when memory is wanting.
///
/// # Safety
///
/// `name` and the function stay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyImport_AppendInittab(name: *const c_char, init: Option<inittab::InitFunction>) -> c_int {
    if super::pylifecycle::Py_IsInitialized() != 0 {
        crate::lifecycle::fatal::fatal_error(
            "PyImport_AppendInittab",
            "PyImport_AppendInittab() may not be called after Py_Initialize()",
        );
    }
    // SAFETY: as promised.
    unsafe { inittab::append(name, init) }
}

/// `struct _inittab`.
#[repr(C)]
pub struct InittabEntry {
    name: *const c_char,
    init: Option<inittab::InitFunction>,
}

/// Adds a table of built-in modules that ends with a null name.
///
/// # Safety
///
/// The names and functions stay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyImport_ExtendInittab(mut table: *const InittabEntry) -> c_int {
    // SAFETY: as promised.
    unsafe {
        while !(*table).name.is_null() {
            if PyImport_AppendInittab((*table).name, (*table).init) < 0 {
                return -1;
            }
            table = table.add(1);
        }
    }
    0
}

/// The object that `importlib` made of a compiled file's name: for callers that want the code only.
///
/// # Safety
///
/// A thread state is attached; `data` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyMarshal_ReadObjectFromString(data: *const c_char, len: isize) -> *mut PyObject {
    guard::<PyRef>("PyMarshal_ReadObjectFromString", |ts| {
        if data.is_null() {
            return null_argument(ts);
        }
        crate::code::marshal::load(ts, super::bytesobject::slice_of(data.cast(), len))
    })
}

capi! {
    /// An object in marshal's form, as bytes.
    fn PyMarshal_WriteObjectToString(ts, object: &PyObject, version: c_int) -> Ref<crate::types::bytes::PyBytes> {
        let data = crate::code::marshal::dump(ts, object, version, true)?;
        crate::types::bytes::PyBytes::new(ts, &data)
    }
}
