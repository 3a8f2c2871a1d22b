//! `function`: what `def` and `lambda` make.

use core::cell::Cell;

use crate::object::weakref::{self, WeakrefList};
use crate::object::*;
use crate::state::ThreadState;
use crate::types::code::{CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, PyCode};
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::none::{is_none, none};
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{id, native, raise};

/// A Python function.
#[repr(C)]
pub struct PyFunction {
    ob_base: PyObject,
    pub(crate) func_globals: Slot<PyDict>,
    pub(crate) func_builtins: Slot<PyObject>,
    pub(crate) func_code: Slot<PyCode>,
    pub(crate) func_defaults: Slot<PyTuple>,
    pub(crate) func_kwdefaults: Slot<PyDict>,
    pub(crate) func_closure: Slot<PyTuple>,
    /// Changes with code, defaults or keyword defaults; 0 until the specializer asks for it.
    pub(crate) func_version: Cell<u32>,
    pub(crate) func_name: Slot<PyStr>,
    pub(crate) func_qualname: Slot<PyStr>,
    pub(crate) func_doc: Slot<PyObject>,
    pub(crate) func_dict: Slot<PyDict>,
    func_weakreflist: WeakrefList,
    pub(crate) func_module: Slot<PyObject>,
    pub(crate) func_annotations: Slot<PyObject>,
    pub(crate) func_annotate: Slot<PyObject>,
    pub(crate) func_typeparams: Slot<PyObject>,
}

native!(PyFunction, FUNCTION_TYPE);

/// `function`.
#[unsafe(export_name = "PyFunction_Type")]
pub static FUNCTION_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"function",
    basicsize: size_of::<PyFunction>(),
    flags: flags::HAVE_GC | flags::METHOD_DESCRIPTOR,
    dictoffset: core::mem::offset_of!(PyFunction, func_dict),
    weaklistoffset: core::mem::offset_of!(PyFunction, func_weakreflist),
    doc: "function(code, globals, name=None, argdefs=None, closure=None,\n         kwdefaults=None)\n--\n\nCreate a function object.",
    slots: TypeSlots {
        new: Some(function_new),
        dealloc: Some(dealloc),
        traverse: Some(traverse),
        clear: Some(clear_cycle),
        repr: Some(repr),
        call: Some(crate::vm::eval::call_function),
        descr_get: Some(descr_get),
        ..TypeSlots::EMPTY
    },
    getset: &[
        GetSetDef::get_set("__code__", |ts, o| get(ts, &this(o).func_code), set_code, ""),
        GetSetDef::get_set("__defaults__", |ts, o| get(ts, &this(o).func_defaults), set_defaults, ""),
        GetSetDef::get_set("__kwdefaults__", |ts, o| get(ts, &this(o).func_kwdefaults), set_kwdefaults, ""),
        GetSetDef::get_set("__annotations__", get_annotations, set_annotations, ""),
        GetSetDef::get_set("__annotate__", |ts, o| get(ts, &this(o).func_annotate), set_annotate, ""),
        GetSetDef::get_set("__dict__", attr::get_dict_attribute, attr::set_dict_attribute, ""),
        GetSetDef::get_set("__name__", |ts, o| get(ts, &this(o).func_name), set_name, ""),
        GetSetDef::get_set("__qualname__", |ts, o| get(ts, &this(o).func_qualname), set_qualname, ""),
        GetSetDef::get_set("__type_params__", get_type_params, set_type_params, ""),
        GetSetDef::field("__closure__", |ts, o| get(ts, &this(o).func_closure), ""),
        GetSetDef::field_set("__doc__", |ts, o| this(o).doc(ts), set_doc, ""),
        GetSetDef::field("__globals__", |ts, o| get(ts, &this(o).func_globals), ""),
        GetSetDef::field_set("__module__", |ts, o| get(ts, &this(o).func_module), set_module, ""),
        GetSetDef::field("__builtins__", |ts, o| get(ts, &this(o).func_builtins), ""),
    ],
    ..TypeSpec::EMPTY
});

fn this(object: &PyObject) -> &PyFunction {
    object.cast()
}

fn get<T: Native>(ts: &ThreadState, slot: &Slot<T>) -> PyResult {
    Ok(slot.get().map_or_else(|| ts.none(), Ref::into_object))
}

impl PyFunction {
    /// `__doc__`.
    fn doc(&self, ts: &ThreadState) -> PyResult {
        if let Some(doc) = self.func_doc.get() {
            return Ok(doc);
        }
        let doc = self.code().docstring(ts)?.unwrap_or_else(|| ts.none());
        self.func_doc.set(Some(doc.clone()));
        Ok(doc)
    }

    /// A function of `code` with these global variables (`PyFunction_NewWithQualName`).
    pub fn new(ts: &ThreadState, code: &PyCode, globals: &PyDict) -> PyResult<Ref<PyFunction>> {
        let builtins = builtins_of(ts, globals)?;
        let module = globals.get_str(ts, id!(__name__))?;
        // That of code which is still to be read is the code's, until someone asks.
        let doc = match code.is_deferred() {
            true => None,
            false => Some(code.docstring(ts)?.unwrap_or_else(|| ts.none())),
        };
        let function = alloc::exact::<PyFunction>(ts)?;
        function.func_globals.set(Some(Ref::from_borrowed(globals)));
        function.func_builtins.set(Some(builtins));
        function.func_code.set(Some(Ref::from_borrowed(code)));
        function.func_name.set(code.co_name.get());
        function.func_qualname.set(code.co_qualname.get());
        function.func_doc.set(doc);
        function.func_module.set(module);
        gc::track(ts, &*function);
        Ok(function)
    }

    /// The code, borrowed: until someone sets `__code__`.
    #[inline(always)]
    pub fn code(&self) -> &PyCode {
        // SAFETY: a function always has a code object; callers hold their own reference where Python
        // code may run.
        unsafe { self.func_code.borrow().unwrap_unchecked() }
    }

    #[inline(always)]
    pub(crate) fn globals_ptr(&self) -> *const PyDict {
        // SAFETY: set once, when the function is made.
        unsafe { self.func_globals.borrow() }.map_or(core::ptr::null(), core::ptr::from_ref)
    }

    #[inline(always)]
    pub(crate) fn builtins_ptr(&self) -> *const PyObject {
        // SAFETY: set once, when the function is made.
        unsafe { self.func_builtins.borrow() }.map_or(core::ptr::null(), core::ptr::from_ref)
    }

    /// The version, given now if there is none; 0 when they have run out.
    pub fn version(&self, ts: &ThreadState) -> u32 {
        if self.func_version.get() == 0 {
            let next = ts.interp().versions().next_function.get();
            if next != 0 {
                self.func_version.set(next);
                ts.interp().versions().next_function.set(next.wrapping_add(1));
            }
        }
        self.func_version.get()
    }
}

/// The built-in names that code with these global variables sees: `globals["__builtins__"]`, a module or a mapping.
pub fn builtins_of(ts: &ThreadState, globals: &PyDict) -> PyResult {
    if let Some(builtins) = globals.get_str(ts, id!(__builtins__))? {
        if let Some(module) = builtins.downcast::<crate::types::module::PyModule>() {
            return Ok(module.dict(ts)?.into_object());
        }
        return Ok(builtins);
    }
    // A function that is made while others run sees what they see.
    if let Some(frame) = crate::vm::frame::current(ts) {
        return Ok(frame.builtins().new_ref());
    }
    match ts.interp().builtins.get() {
        Some(builtins) => Ok(builtins.into_object()),
        None => Ok(PyDict::new(ts)?.into_object()),
    }
}

fn function_new(ts: &ThreadState, _typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<6> =
        Signature::new("function", ["code", "globals", "name", "argdefs", "closure", "kwdefaults"], 0, 6, 2);
    let [code, globals, name, defaults, closure, kwdefaults] = SIGNATURE.parse(ts, args)?;
    let (Some(code), Some(globals)) = (code, globals) else {
        return raise!(ts, exc::TypeError, "function() missing required arguments");
    };
    let Some(code) = code.downcast::<PyCode>() else {
        return raise!(ts, exc::TypeError, "function() argument 'code' must be code, not {}", code.type_name());
    };
    let Some(globals) = globals.downcast::<PyDict>() else {
        return raise!(ts, exc::TypeError, "function() argument 'globals' must be dict, not {}", globals.type_name());
    };
    let function = PyFunction::new(ts, code, globals)?;
    if let Some(name) = name.filter(|o| !is_none(o)) {
        let Some(name) = name.downcast::<PyStr>() else {
            return raise!(ts, exc::TypeError, "arg 3 (name) must be None or string");
        };
        function.func_name.set(Some(Ref::from_borrowed(name)));
    }
    if let Some(defaults) = defaults.filter(|o| !is_none(o)) {
        let Some(defaults) = defaults.downcast::<PyTuple>() else {
            return raise!(ts, exc::TypeError, "arg 4 (defaults) must be None or tuple");
        };
        function.func_defaults.set(Some(Ref::from_borrowed(defaults)));
    }
    if let Some(kwdefaults) = kwdefaults.filter(|o| !is_none(o)) {
        let Some(kwdefaults) = kwdefaults.downcast::<PyDict>() else {
            return raise!(ts, exc::TypeError, "arg 6 (kwdefaults) must be None or dict");
        };
        function.func_kwdefaults.set(Some(Ref::from_borrowed(kwdefaults)));
    }
    let wanted = code.co_nfreevars as usize;
    let closure = match closure.filter(|o| !is_none(o)) {
        None => None,
        Some(closure) => match closure.downcast::<PyTuple>() {
            Some(closure) => Some(closure),
            None if wanted == 0 => {
                return raise!(ts, exc::TypeError, "arg 5 (closure) must be None or tuple");
            }
            None => return raise!(ts, exc::TypeError, "arg 5 (closure) must be tuple"),
        },
    };
    let given = closure.map_or(0, PyTuple::len);
    if given != wanted {
        if closure.is_none() {
            return raise!(ts, exc::TypeError, "arg 5 (closure) must be tuple");
        }
        return raise!(ts, exc::ValueError, "{} requires closure of length {wanted}, not {given}", code.name());
    }
    if let Some(closure) = closure {
        for cell in closure.items() {
            if !cell.is_a::<crate::types::cell::PyCell>() {
                return raise!(ts, exc::TypeError, "arg 5 (closure) expected cell, found {}", cell.type_name());
            }
        }
        function.func_closure.set(Some(Ref::from_borrowed(closure)));
    }
    Ok(function.into_object())
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for a function.
    unsafe {
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        let this = &*object.cast::<PyFunction>();
        clear(ts, &*object);
        this.func_code.set(None);
        this.func_name.set(None);
        this.func_qualname.set(None);
        alloc::free(ts, object);
    }
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> core::ops::ControlFlow<()> {
    let this = this(object);
    visitor.slot(&this.func_code)?;
    visitor.slot(&this.func_globals)?;
    visitor.slot(&this.func_builtins)?;
    visitor.slot(&this.func_defaults)?;
    visitor.slot(&this.func_kwdefaults)?;
    visitor.slot(&this.func_closure)?;
    visitor.slot(&this.func_doc)?;
    visitor.slot(&this.func_dict)?;
    visitor.slot(&this.func_module)?;
    visitor.slot(&this.func_annotations)?;
    visitor.slot(&this.func_annotate)?;
    visitor.slot(&this.func_typeparams)
}

/// Drops what can be in a cycle; code and names stay, so that the function is still whole enough to be shown.
/// Breaks a cycle. Whoever is given the function once more by a finalizer finds no name, but a function.
fn clear_cycle(ts: &ThreadState, object: &PyObject) {
    // SAFETY: as in `clear`.
    let this = unsafe { &*core::ptr::from_ref(object).cast::<PyFunction>() };
    this.func_name.set(Some(PyStr::empty()));
    this.func_qualname.set(Some(PyStr::empty()));
    clear(ts, object);
}

fn clear(_ts: &ThreadState, object: &PyObject) {
    // SAFETY: slot of this type; a dying function is cast without looking at its type's bases.
    let this = unsafe { &*core::ptr::from_ref(object).cast::<PyFunction>() };
    this.func_version.set(0);
    this.func_globals.set(None);
    this.func_builtins.set(None);
    this.func_defaults.set(None);
    this.func_kwdefaults.set(None);
    this.func_closure.set(None);
    this.func_doc.set(None);
    this.func_dict.set(None);
    this.func_module.set(None);
    this.func_annotations.set(None);
    this.func_annotate.set(None);
    this.func_typeparams.set(None);
}

fn repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let qualname = get(ts, &this(object).func_qualname)?;
    let qualname = protocol::str(ts, &qualname)?;
    Ok(PyStr::format(ts, format_args!("<function {qualname} at {object:p}>"))?.into_object())
}

fn descr_get(
    ts: &ThreadState,
    function: &PyObject,
    instance: Option<&PyObject>,
    _owner: Option<&PyObject>,
) -> PyResult {
    match instance {
        Some(instance) => Ok(crate::types::method::PyMethod::new(ts, function, instance)?.into_object()),
        None => Ok(function.new_ref()),
    }
}

/// Tells the audit hooks of what changes how the function runs.
fn audit_change(ts: &ThreadState, object: &PyObject, name: &str, value: Option<&PyObject>) -> PyResult<()> {
    if !crate::modules::sys::auditing::is_heard(ts) {
        return Ok(());
    }
    let name = PyStr::intern(ts, name)?;
    match value {
        Some(value) => {
            crate::modules::sys::auditing::event(ts, "object.__setattr__", &[object, name.as_object(), value])
        }
        None => crate::modules::sys::auditing::event(ts, "object.__delattr__", &[object, name.as_object()]),
    }
}

fn set_code(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let function = this(object);
    let Some(code) = value.and_then(|v| v.downcast::<PyCode>()) else {
        return raise!(ts, exc::TypeError, "__code__ must be set to a code object");
    };
    audit_change(ts, object, "__code__", Some(code.as_object()))?;
    let has = function.func_closure.get().map_or(0, |c| c.len());
    let wanted = code.co_nfreevars as usize;
    if has != wanted {
        return raise!(
            ts,
            exc::ValueError,
            "{}() requires a code object with {has} free vars, not {wanted}",
            function.code().name()
        );
    }
    // It stays the one of the code that it was made with.
    function.doc(ts)?;
    let kind = |flags: i32| flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR);
    if kind(code.co_flags) != kind(function.code().co_flags) {
        exc::warn(
            ts,
            &exc::DeprecationWarning,
            "Assigning a code object of non-matching type is deprecated (e.g., from a generator to a plain function)",
            1,
        )?;
    }
    function.func_version.set(0);
    function.func_code.set(Some(Ref::from_borrowed(code)));
    Ok(())
}

fn set_defaults(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let function = this(object);
    let value = value.filter(|o| !is_none(o));
    let Some(value) = value else {
        audit_change(ts, object, "__defaults__", None)?;
        function.func_version.set(0);
        function.func_defaults.set(None);
        return Ok(());
    };
    let Some(tuple) = value.downcast::<PyTuple>() else {
        return raise!(ts, exc::TypeError, "__defaults__ must be set to a tuple object");
    };
    audit_change(ts, object, "__defaults__", Some(value))?;
    function.func_version.set(0);
    function.func_defaults.set(Some(Ref::from_borrowed(tuple)));
    Ok(())
}

fn set_kwdefaults(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let function = this(object);
    let value = value.filter(|o| !is_none(o));
    let Some(value) = value else {
        audit_change(ts, object, "__kwdefaults__", None)?;
        function.func_version.set(0);
        function.func_kwdefaults.set(None);
        return Ok(());
    };
    let Some(dict) = value.downcast::<PyDict>() else {
        return raise!(ts, exc::TypeError, "__kwdefaults__ must be set to a dict object");
    };
    audit_change(ts, object, "__kwdefaults__", Some(value))?;
    function.func_version.set(0);
    function.func_kwdefaults.set(Some(Ref::from_borrowed(dict)));
    Ok(())
}

/// `__annotations__`: what was set, or what `__annotate__` computes, once.
fn get_annotations(ts: &ThreadState, object: &PyObject) -> PyResult {
    let function = this(object);
    if let Some(known) = function.func_annotations.get() {
        // The compiler may leave name/value pairs in a tuple.
        if let Some(pairs) = known.downcast::<PyTuple>() {
            let dict = PyDict::new(ts)?;
            for pair in pairs.items().chunks_exact(2) {
                dict.set(ts, pair[0], pair[1])?;
            }
            function.func_annotations.set(Some(dict.new_ref()));
            return Ok(dict.into_object());
        }
        return Ok(known);
    }
    let annotations = match function.func_annotate.get().filter(|a| call::is_callable(a)) {
        Some(annotate) => {
            let format = crate::types::int::PyInt::from_i64(ts, 1)?;
            let made = call::call_with(ts, &annotate, &[&format])?;
            if !made.is_a::<PyDict>() {
                return raise!(ts, exc::TypeError, "__annotate__() must return a dict, not {}", made.type_name());
            }
            made
        }
        None => PyDict::new(ts)?.into_object(),
    };
    function.func_annotations.set(Some(annotations.clone()));
    Ok(annotations)
}

fn set_annotations(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let function = this(object);
    let value = value.filter(|o| !is_none(o));
    if let Some(value) = value
        && !value.is_a::<PyDict>()
    {
        return raise!(ts, exc::TypeError, "__annotations__ must be set to a dict object");
    }
    function.func_annotations.set(value.map(PyRef::from_borrowed));
    function.func_annotate.set(None);
    Ok(())
}

fn set_annotate(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let function = this(object);
    let Some(value) = value else {
        return raise!(ts, exc::TypeError, "__annotate__ cannot be deleted");
    };
    if is_none(value) {
        function.func_annotate.set(Some(ts.none()));
        return Ok(());
    }
    if !call::is_callable(value) {
        return raise!(ts, exc::TypeError, "__annotate__ must be callable or None");
    }
    function.func_annotate.set(Some(value.new_ref()));
    function.func_annotations.set(None);
    Ok(())
}

fn set_name(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    match value.and_then(|v| v.downcast::<PyStr>()) {
        Some(name) => {
            this(object).func_name.set(Some(Ref::from_borrowed(name)));
            Ok(())
        }
        None => raise!(ts, exc::TypeError, "__name__ must be set to a string object"),
    }
}

fn set_qualname(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    match value.and_then(|v| v.downcast::<PyStr>()) {
        Some(name) => {
            this(object).func_qualname.set(Some(Ref::from_borrowed(name)));
            Ok(())
        }
        None => raise!(ts, exc::TypeError, "__qualname__ must be set to a string object"),
    }
}

fn get_type_params(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(this(object).func_typeparams.get().unwrap_or_else(|| PyTuple::empty().into_object()))
}

fn set_type_params(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    match value {
        Some(value) if value.is_a::<PyTuple>() => {
            this(object).func_typeparams.set(Some(value.new_ref()));
            Ok(())
        }
        _ => raise!(ts, exc::TypeError, "__type_params__ must be set to a tuple"),
    }
}

fn set_doc(_ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    this(object).func_doc.set(Some(value.unwrap_or(none()).new_ref()));
    Ok(())
}

fn set_module(_ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    this(object).func_module.set(Some(value.unwrap_or(none()).new_ref()));
    Ok(())
}
