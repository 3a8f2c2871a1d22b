//! BaseException, whose struct and methods all others begin with.

use core::cell::Cell;
use core::mem::offset_of;
use core::ops::ControlFlow;

use super::fields::FLAGS;
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, TypeSlots, TypeSpec,
    Visitor, alloc, attr, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::traceback::PyTraceback;
use crate::types::tuple::PyTuple;
use crate::{id, native, raise};

/// An exception. The layout is C's `PyBaseExceptionObject`.
#[repr(C)]
pub struct PyBaseException {
    ob_base: PyObject,
    /// `__dict__`, once there is one.
    pub dict: Slot<PyDict>,
    /// `args`.
    pub args: Slot<PyTuple>,
    /// Links the stock of MemoryErrors (I1).
    pub(super) notes: Slot<PyObject>,
    /// `__traceback__`.
    pub traceback: Slot<PyObject>,
    /// `__context__`.
    pub context: Slot<PyObject>,
    /// `__cause__`.
    pub cause: Slot<PyObject>,
    /// `__suppress_context__`.
    pub suppress_context: Cell<bool>,
}

native!(PyBaseException, super::BaseException, BASE_EXC_SUBCLASS);

pub(super) const SPEC: TypeSpec = TypeSpec {
    name: c"BaseException",
    basicsize: size_of::<PyBaseException>(),
    flags: FLAGS,
    doc: "Common base class for all exceptions",
    slots: TypeSlots {
        new: Some(new),
        init: Some(init),
        dealloc: Some(dealloc),
        traverse: Some(traverse),
        clear: Some(clear),
        repr: Some(repr),
        str: Some(str),
        getattro: Some(attr::generic_get),
        setattro: Some(attr::generic_set),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__reduce__", reduce, ""),
        MethodDef::one("__setstate__", setstate, ""),
        MethodDef::one(
            "with_traceback",
            with_traceback,
            "with_traceback($self, object, /)\n--\n\nSet self.__traceback__ to tb and return self.",
        ),
        MethodDef::one("add_note", add_note, "add_note($self, object, /)\n--\n\nAdd a note to the exception"),
    ],
    getset: &[
        GetSetDef::field_set("__suppress_context__", get_suppress_context, set_suppress_context, ""),
        GetSetDef::get_set("__dict__", attr::get_dict_attribute, attr::set_dict_attribute, ""),
        GetSetDef::get_set("args", get_args, set_args, ""),
        GetSetDef::get_set("__traceback__", get_traceback, set_traceback, ""),
        GetSetDef::get_set("__context__", get_context, set_context, ""),
        GetSetDef::get_set("__cause__", get_cause, set_cause, ""),
    ],
    dictoffset: offset_of!(PyBaseException, dict),
    ..TypeSpec::EMPTY
};

fn this(object: &PyObject) -> &PyBaseException {
    debug_assert!(object.is_a::<PyBaseException>());
    // SAFETY: slots and methods of BaseException are called with exceptions only.
    unsafe { &*object.as_ptr().cast::<PyBaseException>() }
}

/// `tp_new` of all exceptions that do nothing of their own there.
pub(super) fn new(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let object = alloc::object::<PyObject>(ts, typ)?;
    let args = PyTuple::new(ts, args.positional())?;
    this(&object).args.set(Some(args));
    gc::track(ts, &*object);
    Ok(object)
}

/// `tp_init` of all exceptions that do nothing of their own there.
pub(super) fn init(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult<()> {
    let args = args.no_keywords(ts, object.type_name())?;
    this(object).set_args(ts, args)
}

impl PyBaseException {
    /// Makes the arguments `args`, unless they are that already (`tp_new` has put them there).
    pub(super) fn set_args(&self, ts: &ThreadState, args: &[&PyObject]) -> PyResult<()> {
        // SAFETY: nothing runs between the borrow and its last use.
        if let Some(present) = unsafe { self.args.borrow() }
            && present.len() == args.len()
            && present.items().iter().zip(args).all(|(a, b)| a.is(b))
        {
            return Ok(());
        }
        self.args.set(Some(PyTuple::new(ts, args)?));
        Ok(())
    }

    /// The arguments.
    pub fn args(&self) -> Ref<PyTuple> {
        self.args.get().unwrap_or_else(PyTuple::empty)
    }

    /// The traceback, if there is one.
    pub fn traceback(&self) -> Option<Ref<PyTraceback>> {
        self.traceback.get().and_then(|t| t.downcast_into().ok())
    }

    pub(super) fn traverse(&self, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
        visitor.slot(&self.dict)?;
        visitor.slot(&self.args)?;
        visitor.slot(&self.notes)?;
        visitor.slot(&self.traceback)?;
        visitor.slot(&self.context)?;
        visitor.slot(&self.cause)
    }

    pub(super) fn clear(&self) {
        self.dict.set(None);
        self.args.set(None);
        self.notes.set(None);
        self.traceback.set(None);
        self.context.set(None);
        self.cause.set(None);
    }
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for a dead exception; the memory goes last.
    unsafe {
        gc::untrack(&*object);
        this(&*object).clear();
        alloc::free(ts, object);
    }
}

/// The end of a MemoryError: back into the stock, if that is wanting (I1).
pub(super) unsafe fn memory_error_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for a dead exception.
    unsafe {
        gc::untrack(&*object);
        this(&*object).clear();
        if !super::raise::restock(ts, object) {
            alloc::free(ts, object);
        }
    }
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    this(object).traverse(visitor)
}

fn clear(_ts: &ThreadState, object: &PyObject) {
    this(object).clear();
}

/// `str(exception)`: nothing, the argument's, or the tuple's.
pub(super) fn str(ts: &ThreadState, object: &PyObject) -> PyResult {
    let args = this(object).args();
    match args.items() {
        [] => Ok(PyStr::empty().into_object()),
        [one] => Ok(protocol::str(ts, one)?.into_object()),
        _ => Ok(protocol::str(ts, args.as_object())?.into_object()),
    }
}

fn repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let args = this(object).args();
    let mut text = StrBuilder::new();
    text.push_str(object.ob_type().name())?;
    match args.items() {
        [one] => {
            text.push_str("(")?;
            text.push_repr(ts, one)?;
            text.push_str(")")?;
        }
        _ => text.push_repr(ts, args.as_object())?,
    }
    Ok(text.finish(ts)?.into_object())
}

fn get_args(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(this(object).args().into_object())
}

fn set_args(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let Some(value) = value else {
        return raise!(ts, exc::TypeError, "args may not be deleted");
    };
    let args = protocol::tuple_of(ts, value)?;
    this(object).args.set(Some(args));
    Ok(())
}

fn get_suppress_context(_ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(crate::types::bool::py_bool(this(object).suppress_context.get()))
}

fn set_suppress_context(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let Some(value) = value else {
        return raise!(ts, exc::TypeError, "can't delete numeric/char attribute");
    };
    match crate::types::bool::as_bool(value) {
        Some(value) => {
            this(object).suppress_context.set(value);
            Ok(())
        }
        None => raise!(ts, exc::TypeError, "attribute value type must be bool"),
    }
}

fn get_traceback(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(this(object).traceback.get().unwrap_or_else(|| ts.none()))
}

fn set_traceback(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let Some(value) = value else {
        return raise!(ts, exc::TypeError, "__traceback__ may not be deleted");
    };
    if !is_none(value) && !value.is_a::<PyTraceback>() {
        return raise!(ts, exc::TypeError, "__traceback__ must be a traceback or None");
    }
    this(object).traceback.set(not_none(value));
    Ok(())
}

fn not_none(value: &PyObject) -> Option<PyRef> {
    (!is_none(value)).then(|| value.new_ref())
}

fn get_context(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(this(object).context.get().unwrap_or_else(|| ts.none()))
}

fn set_context(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let Some(value) = value else {
        return raise!(ts, exc::TypeError, "__context__ may not be deleted");
    };
    if !is_none(value) && !value.is_a::<PyBaseException>() {
        return raise!(ts, exc::TypeError, "exception context must be None or derive from BaseException");
    }
    this(object).context.set(not_none(value));
    Ok(())
}

fn get_cause(ts: &ThreadState, object: &PyObject) -> PyResult {
    Ok(this(object).cause.get().unwrap_or_else(|| ts.none()))
}

fn set_cause(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let Some(value) = value else {
        return raise!(ts, exc::TypeError, "__cause__ may not be deleted");
    };
    if !is_none(value) && !value.is_a::<PyBaseException>() {
        return raise!(ts, exc::TypeError, "exception cause must be None or derive from BaseException");
    }
    this(object).cause.set(not_none(value));
    this(object).suppress_context.set(true);
    Ok(())
}

fn with_traceback(ts: &ThreadState, object: &PyObject, traceback: &PyObject) -> PyResult {
    set_traceback(ts, object, Some(traceback))?;
    Ok(object.new_ref())
}

fn add_note(ts: &ThreadState, object: &PyObject, note: &PyObject) -> PyResult {
    if !note.is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "add_note() argument must be str, not {}", note.type_name());
    }
    let notes = match attr::get_opt(ts, object, id!(__notes__))? {
        Some(notes) => notes,
        None => {
            let notes = PyList::new(ts)?.into_object();
            attr::set(ts, object, id!(__notes__), &notes)?;
            notes
        }
    };
    match notes.downcast::<PyList>() {
        Some(notes) => {
            notes.append(ts, note.new_ref())?;
            Ok(ts.none())
        }
        None => raise!(ts, exc::TypeError, "Cannot add note: __notes__ is not a list"),
    }
}

fn reduce(ts: &ThreadState, object: &PyObject) -> PyResult {
    let args = this(object).args();
    reduce_with(ts, object, &args)
}

/// What pickle needs, with the arguments given: `(type, args)` or `(type, args, __dict__)`.
pub(super) fn reduce_with(ts: &ThreadState, object: &PyObject, args: &PyTuple) -> PyResult {
    let class = object.ob_type().as_object();
    let reduced = match this(object).dict.get() {
        Some(dict) => PyTuple::new(ts, &[class, args.as_object(), dict.as_object()])?,
        None => PyTuple::new(ts, &[class, args.as_object()])?,
    };
    Ok(reduced.into_object())
}

fn setstate(ts: &ThreadState, object: &PyObject, state: &PyObject) -> PyResult {
    if is_none(state) {
        return Ok(ts.none());
    }
    let Some(state) = state.downcast::<PyDict>() else {
        return raise!(ts, exc::TypeError, "state is not a dictionary");
    };
    let mut position = 0;
    while let Some((key, value)) = state.next(&mut position) {
        let Some(name) = key.downcast::<PyStr>() else {
            return raise!(ts, exc::TypeError, "attribute name must be string, not '{}'", key.type_name());
        };
        attr::set(ts, object, name, &value)?;
    }
    Ok(ts.none())
}
