//! The exceptions that carry a few plain attributes of their own.

use core::mem::offset_of;

use super::base::{self, PyBaseException};
use super::fields::{FLAGS, family, member};
use super::hierarchy as exc;
use crate::object::{
    Args, AsObject, MethodDef, Native, PyObject, PyRef, PyResult, Ref, Slot, TypeSlots, TypeSpec, call, protocol,
};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{id, native};

/// StopIteration.
#[repr(C)]
pub struct PyStopIteration {
    pub(super) base: PyBaseException,
    /// What the generator returned.
    pub value: Slot<PyObject>,
}
native!(PyStopIteration, exc::StopIteration);
family!(PyStopIteration: value);

/// SystemExit.
#[repr(C)]
pub struct PySystemExit {
    pub(super) base: PyBaseException,
    /// `code`.
    pub code: Slot<PyObject>,
}
native!(PySystemExit, exc::SystemExit);
family!(PySystemExit: code);

/// ImportError.
#[repr(C)]
pub struct PyImportError {
    pub(super) base: PyBaseException,
    /// `msg`.
    pub msg: Slot<PyObject>,
    /// `name`.
    pub name: Slot<PyObject>,
    /// `path`.
    pub path: Slot<PyObject>,
    /// `name_from`.
    pub name_from: Slot<PyObject>,
}
native!(PyImportError, exc::ImportError);
family!(PyImportError: msg, name, path, name_from);

/// NameError.
#[repr(C)]
pub struct PyNameError {
    pub(super) base: PyBaseException,
    /// `name`.
    pub name: Slot<PyObject>,
}
native!(PyNameError, exc::NameError);
family!(PyNameError: name);

/// AttributeError.
#[repr(C)]
pub struct PyAttributeError {
    pub(super) base: PyBaseException,
    /// `obj`.
    pub obj: Slot<PyObject>,
    /// `name`.
    pub name: Slot<PyObject>,
}
native!(PyAttributeError, exc::AttributeError);
family!(PyAttributeError: obj, name);

macro_rules! spec {
    ($object:ty, $base:ident, $name:literal, $doc:literal, { $($slots:tt)* }, $($field:ident: $value:expr),*) => {
        TypeSpec {
            name: $name,
            basicsize: size_of::<$object>(),
            flags: FLAGS,
            base: Some(&exc::$base),
            doc: $doc,
            slots: TypeSlots {
                new: Some(base::new),
                dealloc: Some(<$object>::slot_dealloc),
                traverse: Some(<$object>::slot_traverse),
                clear: Some(<$object>::slot_clear),
                $($slots)*
                ..TypeSlots::EMPTY
            },
            dictoffset: offset_of!(PyBaseException, dict),
            $($field: $value,)*
            ..TypeSpec::EMPTY
        }
    };
}

pub(super) const STOP_ITERATION_SPEC: TypeSpec = spec!(
    PyStopIteration, Exception, c"StopIteration", "Signal the end from iterator.__next__().",
    { init: Some(stop_iteration_init), },
    getset: &[member!(PyStopIteration, value, "value", "generator return value")]
);

pub(super) const SYSTEM_EXIT_SPEC: TypeSpec = spec!(
    PySystemExit, BaseException, c"SystemExit", "Request to exit from the interpreter.",
    { init: Some(system_exit_init), },
    getset: &[member!(PySystemExit, code, "code", "exception code")]
);

pub(super) const IMPORT_ERROR_SPEC: TypeSpec = spec!(
    PyImportError, Exception, c"ImportError", "Import can't find module, or can't find name in module.",
    { init: Some(import_error_init), str: Some(import_error_str), },
    methods: &[MethodDef::no_args("__reduce__", import_error_reduce, "")],
    getset: &[
        member!(PyImportError, msg, "msg", "exception message"),
        member!(PyImportError, name, "name", "module name"),
        member!(PyImportError, path, "path", "module path"),
        member!(PyImportError, name_from, "name_from", "name imported from module")
    ]
);

pub(super) const NAME_ERROR_SPEC: TypeSpec = spec!(
    PyNameError, Exception, c"NameError", "Name not found globally.",
    { init: Some(name_error_init), },
    getset: &[member!(PyNameError, name, "name", "name")]
);

pub(super) const ATTRIBUTE_ERROR_SPEC: TypeSpec = spec!(
    PyAttributeError, Exception, c"AttributeError", "Attribute not found.",
    { init: Some(attribute_error_init), },
    methods: &[
        MethodDef::no_args("__getstate__", attribute_error_getstate, ""),
        MethodDef::no_args("__reduce__", attribute_error_reduce, "")
    ],
    getset: &[
        member!(PyAttributeError, name, "name", "attribute name"),
        member!(PyAttributeError, obj, "obj", "object")
    ]
);

/// The object as a family's struct: its slots and methods are called with objects of it only.
fn this<T: Native>(object: &PyObject) -> &T {
    debug_assert!(object.is_a::<T>());
    // SAFETY: see above.
    unsafe { &*object.as_ptr().cast::<T>() }
}

fn stop_iteration_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    base::init(ts, object, args)?;
    let value = args.positional().first().map_or_else(|| ts.none(), |v| v.new_ref());
    this::<PyStopIteration>(object).value.set(Some(value));
    Ok(())
}

fn system_exit_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    base::init(ts, object, args)?;
    let code = match args.positional() {
        [] => return Ok(()),
        [one] => one.new_ref(),
        _ => this::<PyBaseException>(object).args().into_object(),
    };
    this::<PySystemExit>(object).code.set(Some(code));
    Ok(())
}

/// `str` of a KeyError shows the key as it would be written: an empty message would say nothing.
pub(super) fn key_error_str(ts: &ThreadState, object: &PyObject) -> PyResult {
    let args = this::<PyBaseException>(object).args();
    match args.items() {
        [one] => Ok(protocol::repr(ts, one)?.into_object()),
        _ => base::str(ts, object),
    }
}

/// Takes keyword arguments into slots, one for each name; what is not given empties its slot.
fn keywords<const N: usize>(
    ts: &ThreadState,
    function: &str,
    args: Args<'_>,
    names: [&str; N],
    into: [&Slot<PyObject>; N],
) -> PyResult<()> {
    call::check_keyword_count(ts, function, args, N)?;
    for (name, _) in args.keywords() {
        if !names.iter().any(|known| name.equals_str(known)) {
            return call::unexpected_keyword(ts, function, &names, name);
        }
    }
    for (known, slot) in names.into_iter().zip(into) {
        slot.set(args.keywords().find(|(name, _)| name.equals_str(known)).map(|(_, value)| value.new_ref()));
    }
    Ok(())
}

fn import_error_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    let error = this::<PyImportError>(object);
    error.base.set_args(ts, args.positional())?;
    let into = [&error.name, &error.path, &error.name_from];
    keywords(ts, "ImportError", args, ["name", "path", "name_from"], into)?;
    error.msg.set(match args.positional() {
        [message] => Some(message.new_ref()),
        _ => None,
    });
    Ok(())
}

fn import_error_str(ts: &ThreadState, object: &PyObject) -> PyResult {
    match this::<PyImportError>(object).msg.get() {
        Some(message) if message.downcast_exact::<PyStr>().is_some() => Ok(message),
        _ => base::str(ts, object),
    }
}

/// The instance's dictionary with more entries; None when there is neither.
fn state_with(
    ts: &ThreadState,
    base: &PyBaseException,
    more: &[(&PyStr, Option<PyRef>)],
) -> PyResult<Option<Ref<PyDict>>> {
    let dict = base.dict.get();
    if more.iter().all(|(_, value)| value.is_none()) {
        return Ok(dict);
    }
    let state = match dict {
        Some(dict) => dict.copy(ts)?,
        None => PyDict::new(ts)?,
    };
    for (name, value) in more {
        if let Some(value) = value {
            state.set_str(ts, name, value)?;
        }
    }
    Ok(Some(state))
}

fn import_error_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let error = this::<PyImportError>(object);
    let more = [(id!(name), error.name.get()), (id!(path), error.path.get()), (NAME_FROM.get(), error.name_from.get())];
    let state = state_with(ts, &error.base, &more)?;
    let (class, args) = (object.ob_type().as_object(), error.base.args());
    let reduced = match state {
        Some(state) => PyTuple::new(ts, &[class, args.as_object(), state.as_object()])?,
        None => PyTuple::new(ts, &[class, args.as_object()])?,
    };
    Ok(reduced.into_object())
}

static NAME_FROM: crate::types::str::StaticStr<9> = crate::types::str::StaticStr::new("name_from");

fn name_error_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    let error = this::<PyNameError>(object);
    error.base.set_args(ts, args.positional())?;
    keywords(ts, "NameError", args, ["name"], [&error.name])
}

fn attribute_error_init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    let error = this::<PyAttributeError>(object);
    error.base.set_args(ts, args.positional())?;
    keywords(ts, "AttributeError", args, ["name", "obj"], [&error.name, &error.obj])
}

fn attribute_error_getstate(ts: &ThreadState, object: &PyObject) -> PyResult {
    // `obj` stays out: often it cannot be pickled.
    let error = this::<PyAttributeError>(object);
    let more = [(id!(name), error.name.get()), (id!(args), error.base.args.get().map(Ref::into_object))];
    Ok(state_with(ts, &error.base, &more)?.map_or_else(|| ts.none(), Ref::into_object))
}

fn attribute_error_reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let state = attribute_error_getstate(ts, object)?;
    let args = this::<PyBaseException>(object).args();
    Ok(PyTuple::new(ts, &[object.ob_type().as_object(), args.as_object(), &state])?.into_object())
}
