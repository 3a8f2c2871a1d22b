//! `module`.

use core::cell::Cell;
use core::ffi::c_void;
use core::mem::offset_of;
use core::ops::ControlFlow;

use crate::lifecycle::verbose::note;
use crate::object::call::{Args, Signature};
use crate::object::weakref::{self, WeakrefList};
use crate::object::*;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::{is_none, none};
use crate::types::str::PyStr;
use crate::{id, native, raise};

/// A module.
#[repr(C)]
pub struct PyModule {
    ob_base: PyObject,
    md_dict: Slot<PyDict>,
    /// The `PyModuleDef` of a module made by C code.
    pub(crate) md_def: Cell<*mut c_void>,
    /// Such a module's state, in the mem domain.
    pub(crate) md_state: Cell<*mut c_void>,
    /// What drops the state's contents when the module ends.
    pub(crate) md_free: Cell<Option<FreeState>>,
    /// What shows the state's contents to the collector.
    pub(crate) md_traverse: Cell<Option<TraverseState>>,
    /// What empties the state.
    pub(crate) md_clear: Cell<Option<ClearState>>,
    md_weaklist: WeakrefList,
    /// The name that it was made with, for messages when its dictionary is gone.
    md_name: Slot<PyStr>,
}

/// Drops what a C module's state owns.
pub type FreeState = fn(&ThreadState, *mut PyObject);
/// Empties a C module's state.
pub type ClearState = fn(&ThreadState, &PyObject);
/// Shows the collector what a C module's state owns.
pub type TraverseState = fn(&PyObject, &mut Visitor<'_>) -> ControlFlow<()>;

native!(PyModule, MODULE_TYPE);

/// `types.ModuleType`.
#[unsafe(export_name = "PyModule_Type")]
pub static MODULE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"module",
    basicsize: size_of::<PyModule>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    dictoffset: offset_of!(PyModule, md_dict),
    weaklistoffset: offset_of!(PyModule, md_weaklist),
    doc: "module(name, doc=None)\n--\n\nCreate a module object.\n\nA module is a name and a namespace with what its code has \
          defined.",
    slots: TypeSlots {
        dealloc: Some(module_dealloc),
        traverse: Some(module_traverse),
        clear: Some(module_clear),
        repr: Some(module_repr),
        getattro: Some(module_getattro),
        init: Some(module_init),
        new: Some(module_new),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args(
        "__dir__",
        module_dir,
        "__dir__()\n--\n\nThe names in the module, as its own __dir__ says.",
    )],
    getset: &[
        GetSetDef::get_set("__dict__", get_dict, |ts, _, _| raise!(ts, exc::AttributeError, "readonly attribute"), ""),
        GetSetDef::get_set("__annotations__", get_annotations, set_annotations, ""),
        GetSetDef::get_set("__annotate__", get_annotate, set_annotate, ""),
    ],
    ..TypeSpec::EMPTY
});

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&MODULE_TYPE];

impl PyModule {
    /// A module with a name and nothing else.
    pub fn new(ts: &ThreadState, name: &PyStr) -> PyResult<Ref<PyModule>> {
        let module = make(ts, &MODULE_TYPE)?.cast_into::<PyModule>();
        module.begin(ts, name.as_object(), none())?;
        Ok(module)
    }

    /// The module's namespace; SystemError when the module has been emptied.
    pub fn dict(&self, ts: &ThreadState) -> PyResult<Ref<PyDict>> {
        match self.md_dict.get() {
            Some(dict) => Ok(dict),
            None => raise!(ts, exc::SystemError, "the module has no namespace"),
        }
    }

    /// Where the namespace is.
    #[inline(always)]
    pub fn dict_slot(&self) -> &Slot<PyDict> {
        &self.md_dict
    }

    /// The module's `__name__`; SystemError when that is no string.
    pub fn name(&self, ts: &ThreadState) -> PyResult<Ref<PyStr>> {
        if let Some(dict) = self.md_dict.get()
            && let Some(name) = dict.get_str(ts, id!(__name__))?
            && let Ok(name) = name.downcast_into::<PyStr>()
        {
            return Ok(name);
        }
        raise!(ts, exc::SystemError, "nameless module")
    }

    /// Whether the module's import is still going on (`__spec__._initializing`).
    pub fn is_initializing(&self, ts: &ThreadState) -> PyResult<bool> {
        match self.spec(ts)? {
            Some(spec) => spec_flag(ts, &spec),
            None => Ok(false),
        }
    }

    fn spec(&self, ts: &ThreadState) -> PyResult<Option<PyRef>> {
        match self.md_dict.get() {
            Some(dict) => Ok(dict.get_str(ts, id!(__spec__))?.filter(|spec| !is_none(spec))),
            None => Ok(None),
        }
    }

    fn begin(&self, ts: &ThreadState, name: &PyObject, doc: &PyObject) -> PyResult<()> {
        let dict = match self.md_dict.get() {
            Some(dict) => dict,
            None => {
                let dict = PyDict::new(ts)?;
                self.md_dict.set(Some(dict.clone()));
                dict
            }
        };
        dict.set_str(ts, id!(__name__), name)?;
        dict.set_str(ts, id!(__doc__), doc)?;
        dict.set_str(ts, id!(__package__), none())?;
        dict.set_str(ts, id!(__loader__), none())?;
        dict.set_str(ts, id!(__spec__), none())?;
        if let Some(name) = name.downcast_exact::<PyStr>() {
            self.md_name.set(Some(Ref::from_borrowed(name)));
        }
        Ok(())
    }
}

fn spec_flag(ts: &ThreadState, spec: &PyObject) -> PyResult<bool> {
    match attr::get_opt(ts, spec, id!(_initializing))? {
        Some(flag) => protocol::is_true(ts, &flag),
        None => Ok(false),
    }
}

fn make(ts: &ThreadState, typ: &PyTypeObject) -> PyResult {
    let module = alloc::object::<PyModule>(ts, typ)?;
    module.md_dict.set(Some(PyDict::new(ts)?));
    gc::track(ts, &*module);
    Ok(module.into_object())
}

fn module_new(ts: &ThreadState, typ: &PyTypeObject, _args: Args<'_>) -> PyResult {
    make(ts, typ)
}

fn module_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    static SIGNATURE: Signature<2> = Signature::new("module", ["name", "doc"], 0, 2, 1);
    let [name, doc] = SIGNATURE.parse(ts, args)?;
    let name = name.unwrap_or(none());
    if !name.is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "module() argument 'name' must be str, not {}", name.type_name());
    }
    object.cast::<PyModule>().begin(ts, name, doc.unwrap_or(none()))
}

unsafe fn module_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for a module.
    unsafe {
        gc::untrack(&*object);
        let this = (*object).cast_unchecked::<PyModule>();
        if ts.interp().config().verbose > 0
            && let Some(name) = this.md_name.get()
        {
            note(ts, 1, format_args!("# destroy {name}"));
        }
        weakref::clear_all(ts, &*object);
        if let Some(free) = this.md_free.take() {
            free(ts, object);
        }
        let state = this.md_state.replace(core::ptr::null_mut());
        if !state.is_null() {
            ts.heap().mem_free(state.cast());
        }
        this.md_dict.set(None);
        this.md_name.set(None);
        alloc::free(ts, object);
    }
}

fn module_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    let this = object.cast::<PyModule>();
    if let Some(traverse) = this.md_traverse.get() {
        traverse(object, visitor)?;
    }
    visitor.slot(&this.md_dict)
}

fn module_clear(ts: &ThreadState, object: &PyObject) {
    let this = object.cast::<PyModule>();
    if let Some(clear) = this.md_clear.get() {
        clear(ts, object);
    }
    this.md_dict.set(None);
}

fn module_repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    if let Some(importlib) = ts.interp().importlib.get() {
        return protocol::call_named(ts, &importlib, "_module_repr", &[object]);
    }
    // Before importlib is there.
    let name = object.cast::<PyModule>().name(ts)?;
    Ok(PyStr::format(ts, format_args!("<module '{}'>", &*name))?.into_object())
}

fn module_getattro(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult {
    match attr::generic_get_opt(ts, object, name)? {
        Some(value) => Ok(value),
        None => missing(ts, object, name),
    }
}

/// What the module's `__getattr__` says, or AttributeError with a hint.
#[cold]
fn missing(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult {
    let this = object.cast::<PyModule>();
    let Some(dict) = this.md_dict.get() else { return attr::no_attribute(ts, object, name) };
    if let Some(getattr) = dict.get_str(ts, id!(__getattr__))? {
        return call::call_with(ts, &getattr, &[name.as_object()]);
    }
    let Some(module_name) = dict.get_str(ts, id!(__name__))?.and_then(|name| name.downcast_into::<PyStr>().ok()) else {
        return attr_error(ts, object, name, format_args!("module has no attribute '{name}'"));
    };
    let module_name = &*module_name;
    let Some(spec) = this.spec(ts)? else {
        return attr_error(ts, object, name, format_args!("module '{module_name}' has no attribute '{name}'"));
    };
    if let Some(origin) = shadowing_origin(ts, &spec)? {
        if is_standard_library(ts, module_name)? {
            return attr_error(
                ts,
                object,
                name,
                format_args!(
                    "module '{module_name}' has no attribute '{name}' (consider renaming {} since it has the same name \
                     as the standard library module named '{module_name}' and prevents importing that standard library \
                     module)",
                    &*origin
                ),
            );
        }
        if spec_flag(ts, &spec)? {
            return attr_error(
                ts,
                object,
                name,
                format_args!(
                    "module '{module_name}' has no attribute '{name}' (consider renaming {} if it has the same name as \
                     a library you intended to import)",
                    &*origin
                ),
            );
        }
    }
    if spec_flag(ts, &spec)? {
        if let Some(origin) = attr::get_opt(ts, &spec, id!(origin))?
            && let Some(origin) = origin.downcast::<PyStr>()
        {
            return attr_error(
                ts,
                object,
                name,
                format_args!(
                    "partially initialized module '{module_name}' from '{origin}' has no attribute '{name}' (most likely \
                     due to a circular import)"
                ),
            );
        }
        return attr_error(
            ts,
            object,
            name,
            format_args!(
                "partially initialized module '{module_name}' has no attribute '{name}' (most likely due to a circular \
                 import)"
            ),
        );
    }
    if let Some(pending) = attr::get_opt(ts, &spec, id!(_uninitialized_submodules))?
        && protocol::contains(ts, &pending, name.as_object())?
    {
        return attr_error(
            ts,
            object,
            name,
            format_args!(
                "cannot access submodule '{name}' of module '{module_name}' (most likely due to a circular import)"
            ),
        );
    }
    attr_error(ts, object, name, format_args!("module '{module_name}' has no attribute '{name}'"))
}

fn attr_error<T>(ts: &ThreadState, object: &PyObject, name: &PyStr, text: core::fmt::Arguments<'_>) -> PyResult<T> {
    let raised = ts.raise_fmt(&exc::AttributeError, text);
    Err(exc::add_attribute_context(ts, raised, object, name))
}

/// The repr of the file of a module that lies in the script's directory, which hides others of its name.
fn shadowing_origin(ts: &ThreadState, spec: &PyObject) -> PyResult<Option<Ref<PyStr>>> {
    let Some(has_location) = attr::get_opt(ts, spec, id!(has_location))? else { return Ok(None) };
    if !protocol::is_true(ts, &has_location)? {
        return Ok(None);
    }
    let Some(origin) = attr::get_opt(ts, spec, id!(origin))? else { return Ok(None) };
    let Some(origin_text) = origin.downcast::<PyStr>() else { return Ok(None) };
    let Some(sys) = ts.interp().sys_dict.get() else { return Ok(None) };
    // With a safe path, the first entry is not the script's directory.
    if let Some(sys_flags) = sys.get_str(ts, id!(flags))?
        && let Some(safe) = attr::get_opt(ts, &sys_flags, &*PyStr::intern(ts, "safe_path")?)?
        && protocol::is_true(ts, &safe)?
    {
        return Ok(None);
    }
    let Some(path) = sys.get_str(ts, id!(path))? else { return Ok(None) };
    let Some(first) = path.downcast::<crate::types::list::PyList>().and_then(|path| path.get(0)) else {
        return Ok(None);
    };
    let Some(first) = first.downcast::<PyStr>() else { return Ok(None) };
    let slash = '/' as u32;
    let Some(mut end) = origin_text.chars().rposition_of(slash) else { return Ok(None) };
    // A package's file lies one directory below.
    let file = origin_text.slice(ts, end + 1, origin_text.len())?;
    if file.equals_str("__init__.py") {
        match origin_text.slice(ts, 0, end)?.chars().rposition_of(slash) {
            Some(outer) => end = outer,
            None => return Ok(None),
        }
    }
    let directory = origin_text.slice(ts, 0, end)?;
    if first.is_empty() || !directory.equals(first) {
        return Ok(None);
    }
    Ok(Some(protocol::repr(ts, &origin)?))
}

/// The last place of a character.
trait LastPlace {
    fn rposition_of(self, ch: u32) -> Option<usize>;
}

impl<I: Iterator<Item = u32>> LastPlace for I {
    fn rposition_of(self, ch: u32) -> Option<usize> {
        self.enumerate().filter(|(_, c)| *c == ch).map(|(index, _)| index).last()
    }
}

fn is_standard_library(ts: &ThreadState, name: &PyStr) -> PyResult<bool> {
    let Some(sys) = ts.interp().sys_dict.get() else { return Ok(false) };
    match sys.get_str(ts, id!(stdlib_module_names))? {
        Some(names) if names.is_a::<crate::types::set::PySet>() => protocol::contains(ts, &names, name.as_object()),
        _ => Ok(false),
    }
}

fn get_dict(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(object.cast::<PyModule>().md_dict.get().map_or_else(|| ts.none(), |dict| dict.into_object()))
}

/// The module's `__dict__` as a subclass may show it.
fn shown_dict(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyDict>> {
    let dict = attr::get(ts, object, id!(__dict__))?;
    match dict.downcast_into::<PyDict>() {
        Ok(dict) => Ok(dict),
        Err(_) => raise!(ts, exc::TypeError, "<module>.__dict__ is not a dictionary"),
    }
}

fn module_dir(ts: &ThreadState, object: &PyObject) -> PyResult {
    let dict = shown_dict(ts, object)?;
    match dict.get_str(ts, id!(__dir__))? {
        Some(dir) => call::call0(ts, &dir),
        None => Ok(dict.keys_list(ts)?.into_object()),
    }
}

fn get_annotate(ts: &ThreadState, object: &PyObject) -> PyResult {
    let dict = shown_dict(ts, object)?;
    match dict.get_str(ts, id!(__annotate__))? {
        Some(annotate) => Ok(annotate),
        None => {
            dict.set_str(ts, id!(__annotate__), none())?;
            Ok(ts.none())
        }
    }
}

fn set_annotate(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let Some(value) = value else {
        return raise!(ts, exc::TypeError, "cannot delete __annotate__ attribute");
    };
    let dict = shown_dict(ts, object)?;
    if !is_none(value) && !call::is_callable(value) {
        return raise!(ts, exc::TypeError, "__annotate__ must be callable or None");
    }
    dict.set_str(ts, id!(__annotate__), value)?;
    if !is_none(value) {
        dict.remove_str(ts, id!(__annotations__))?;
    }
    Ok(())
}

fn get_annotations(ts: &ThreadState, object: &PyObject) -> PyResult {
    let dict = shown_dict(ts, object)?;
    if let Some(annotations) = dict.get_str(ts, id!(__annotations__))? {
        return Ok(annotations);
    }
    let annotate = dict.get_str(ts, id!(__annotate__))?;
    let initializing = object.cast::<PyModule>().is_initializing(ts)?;
    let annotations = match annotate.filter(|annotate| call::is_callable(annotate)) {
        Some(annotate) => {
            let one = PyInt::from_i64(ts, 1)?;
            let made = call::call_with(ts, &annotate, &[&one])?;
            if !made.is_a::<PyDict>() {
                return raise!(ts, exc::TypeError, "__annotate__() must return a dict, not {}", made.type_name());
            }
            made
        }
        None => PyDict::new(ts)?.into_object(),
    };
    // While the module's code still runs, more may come.
    if !initializing {
        dict.set_str(ts, id!(__annotations__), &annotations)?;
    }
    Ok(annotations)
}

fn set_annotations(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let dict = shown_dict(ts, object)?;
    match value {
        Some(value) => dict.set_str(ts, id!(__annotations__), value)?,
        None => {
            if dict.remove_str(ts, id!(__annotations__))?.is_none() {
                return raise!(ts, exc::AttributeError, "__annotations__");
            }
        }
    }
    dict.remove_str(ts, id!(__annotate__))?;
    Ok(())
}
