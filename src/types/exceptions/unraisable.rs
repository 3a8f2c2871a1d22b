//! Exceptions that nobody can receive: from finalizers, callbacks, at the end of a thread.
//! `sys.unraisablehook` gets them.

use super::base::PyBaseException;
use crate::lifecycle::print::{self, Sink};
use crate::object::{
    AsObject, GetSetDef, PyObject, PyRef, PyResult, Raised, Ref, StaticType, TypeSlots, TypeSpec, alloc, attr, call,
    flags, gc, protocol, ready,
};
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::none::{is_none, none};
use crate::types::str::{PyStr, StrBuilder};
use crate::types::traceback;
use crate::types::tuple::{PyTuple, TUPLE_TYPE};
use crate::vm::frame;
use crate::{id, raise};

/// `UnraisableHookArgs`: exc_type, exc_value, exc_traceback, err_msg, object.
pub static UNRAISABLE_ARGS_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"UnraisableHookArgs",
    basicsize: 0,
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION | flags::TUPLE_SUBCLASS,
    base: Some(&TUPLE_TYPE),
    doc: "UnraisableHookArgs\n\nType used to pass arguments to sys.unraisablehook.",
    slots: TypeSlots { repr: Some(repr), ..TypeSlots::EMPTY },
    getset: &[
        GetSetDef::get("exc_type", |_ts, o| field(o, 0), "Exception type"),
        GetSetDef::get("exc_value", |_ts, o| field(o, 1), "Exception value"),
        GetSetDef::get("exc_traceback", |_ts, o| field(o, 2), "Exception traceback"),
        GetSetDef::get("err_msg", |_ts, o| field(o, 3), "Error message"),
        GetSetDef::get("object", |_ts, o| field(o, 4), "Object causing the exception"),
    ],
    ..TypeSpec::EMPTY
});

const FIELDS: [&str; 5] = ["exc_type", "exc_value", "exc_traceback", "err_msg", "object"];

fn field(object: &PyObject, index: usize) -> PyResult {
    Ok(object.cast::<PyTuple>().items()[index].new_ref())
}

fn repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let mut text = StrBuilder::new();
    text.push_str("UnraisableHookArgs(")?;
    for (index, (name, value)) in FIELDS.iter().zip(object.cast::<PyTuple>().items()).enumerate() {
        if index != 0 {
            text.push_str(", ")?;
        }
        text.push_str(name)?;
        text.push_str("=")?;
        text.push_repr(ts, value)?;
    }
    text.push_str(")")?;
    Ok(text.finish(ts)?.into_object())
}

/// Reports an exception that cannot be passed on. With `doing` ("calling deallocator") the report says
/// "Exception ignored while calling deallocator OBJECT", without it "Exception ignored in: OBJECT".
///
/// Never fails: what goes wrong on the way is reported instead.
#[cold]
pub fn write_unraisable(ts: &ThreadState, raised: Raised, doing: Option<&str>, object: &PyObject) {
    report(ts, raised, doing.map(|doing| ("while ", doing)), object);
}

/// [`write_unraisable`] with a text that tells where instead of during what: `"in thread started by"`.
#[cold]
pub fn write_unraisable_in(ts: &ThreadState, raised: Raised, place: &str, object: &PyObject) {
    report(ts, raised, Some(("", place)), object);
}

/// [`write_unraisable`] with a text of the caller's, or none (`PyErr_FormatUnraisable`).
#[cold]
pub fn write_unraisable_text(ts: &ThreadState, raised: Raised, message: Option<&PyStr>) {
    let error = ts.take_raised(raised);
    add_place(ts, &error);
    report_error(ts, &error, message, none());
}

/// Gives an exception that has no traceback the place where it is reported.
fn add_place(ts: &ThreadState, error: &PyObject) {
    if error.cast::<PyBaseException>().traceback.is_some() {
        return;
    }
    let Some(frame) = frame::current(ts) else { return };
    let (lasti, line) = (frame.lasti(), frame.line().unwrap_or(-1));
    if let Err(raised) = frame.object(ts).and_then(|object| traceback::add(ts, error, object, lasti, line)) {
        // The report without the place is worth more than the failure to add it.
        ts.clear_raised(raised);
    }
}

fn report(ts: &ThreadState, raised: Raised, what: Option<(&str, &str)>, object: &PyObject) {
    let error = ts.take_raised(raised);
    add_place(ts, &error);
    let message = match what.map(|(how, what)| message(ts, how, what, object)).transpose() {
        Ok(message) => message,
        Err(raised) => {
            ts.clear_raised(raised);
            None
        }
    };
    let object = if message.is_some() { none() } else { object };
    report_error(ts, &error, message.as_deref(), object);
}

fn report_error(ts: &ThreadState, error: &PyObject, message: Option<&PyStr>, object: &PyObject) {
    let handed = hand_over(ts, error, message, object);
    let Err(raised) = handed else { return };
    // The hook has failed: its failure is reported the plain way.
    let error = ts.take_raised(raised);
    let text = PyStr::new(ts, "Exception ignored in sys.unraisablehook");
    let text = match text {
        Ok(text) => Some(text),
        Err(raised) => {
            ts.clear_raised(raised);
            None
        }
    };
    let hook = hook(ts).unwrap_or_else(|| ts.none());
    if let Err(raised) = write_report(ts, &error, text.as_deref(), &hook) {
        ts.clear_raised(raised);
        print::raw_fallback(&error);
    }
}

fn message(ts: &ThreadState, how: &str, doing: &str, object: &PyObject) -> PyResult<Ref<PyStr>> {
    let mut text = StrBuilder::new();
    text.push_str("Exception ignored ")?;
    text.push_str(how)?;
    text.push_str(doing)?;
    if !is_none(object) {
        text.push_str(" ")?;
        let shown = protocol::repr(ts, object);
        match shown {
            Ok(shown) => text.push(&shown)?,
            Err(raised) => {
                ts.clear_raised(raised);
                text.push_str("<object repr() failed>")?;
            }
        }
    }
    text.finish(ts)
}

fn hook(ts: &ThreadState) -> Option<PyRef> {
    let found = ts.interp().sys_dict.get()?.get_str(ts, id!(unraisablehook));
    found.unwrap_or_else(|raised| {
        ts.clear_raised(raised);
        None
    })
}

fn hand_over(ts: &ThreadState, error: &PyObject, message: Option<&PyStr>, object: &PyObject) -> PyResult<()> {
    let Some(hook) = hook(ts).filter(|hook| !is_none(hook)) else {
        return write_report(ts, error, message, object);
    };
    ready::ready_static(ts, &UNRAISABLE_ARGS_TYPE)?;
    let args = alloc::var_object::<PyTuple>(ts, &UNRAISABLE_ARGS_TYPE, FIELDS.len())?;
    let traceback = error.cast::<PyBaseException>().traceback.get();
    let values: [&PyObject; 5] = [
        error.ob_type().as_object(),
        error,
        traceback.as_deref().unwrap_or(none()),
        message.map_or(none(), |m| m.as_object()),
        object,
    ];
    for (index, value) in values.iter().enumerate() {
        // SAFETY: the tuple is new, and each of its places is filled once.
        unsafe { args.set_item(index, value.new_ref()) };
    }
    if !gc::is_tracked(args.as_object()) {
        gc::track(ts, &*args);
    }
    crate::modules::sys::auditing::event(ts, "sys.unraisablehook", &[&hook, args.as_object()])?;
    call::call_with(ts, &hook, &[args.as_object()])?;
    Ok(())
}

/// `sys.unraisablehook`'s default: writes the report to `sys.stderr`.
pub fn default_unraisablehook(ts: &ThreadState, args: &PyObject) -> PyResult<()> {
    let Some(args) =
        args.downcast::<PyTuple>().filter(|a| core::ptr::eq(a.as_object().ob_type(), &*UNRAISABLE_ARGS_TYPE))
    else {
        return raise!(ts, exc::TypeError, "sys.unraisablehook argument type must be UnraisableHookArgs");
    };
    let items = args.items();
    let message = items[3].downcast::<PyStr>();
    if items[1].is_a::<PyBaseException>() {
        return write_report(ts, items[1], message, items[4]);
    }
    // Made by hand without a value: its type is all there is.
    let mut text = StrBuilder::new();
    heading(ts, &mut text, message, items[4])?;
    text.push_str(items[0].downcast::<crate::object::PyTypeObject>().map_or("<unknown>", |t| t.name()))?;
    text.push_str("\n")?;
    let text = text.finish(ts)?;
    Sink::stderr(ts).write(ts, &text)
}

fn heading(ts: &ThreadState, text: &mut StrBuilder, message: Option<&PyStr>, object: &PyObject) -> PyResult<()> {
    if !is_none(object) {
        match message {
            Some(message) => {
                text.push(message)?;
                text.push_str(": ")?;
            }
            None => text.push_str("Exception ignored in: ")?,
        }
        match protocol::repr(ts, object) {
            Ok(shown) => text.push(&shown)?,
            Err(raised) => {
                ts.clear_raised(raised);
                text.push_str("<object repr() failed>")?;
            }
        }
        text.push_str("\n")?;
    } else if let Some(message) = message {
        text.push(message)?;
        text.push_str(":\n")?;
    }
    Ok(())
}

fn write_report(ts: &ThreadState, error: &PyObject, message: Option<&PyStr>, object: &PyObject) -> PyResult<()> {
    let mut text = StrBuilder::new();
    heading(ts, &mut text, message, object)?;
    if let Some(traceback) = error.cast::<PyBaseException>().traceback() {
        text.push_str("Traceback (most recent call last):\n")?;
        print::push_stack(ts, &mut text, &traceback, print::Detail::Line, print::Paint::PLAIN)?;
    }
    let class = error.ob_type();
    let module = attr::get_opt(ts, class.as_object(), id!(__module__));
    let module = match module {
        Ok(module) => module,
        Err(raised) => {
            ts.clear_raised(raised);
            None
        }
    };
    match module.as_deref().and_then(|m| m.downcast::<PyStr>()) {
        Some(module) if module.equals_str("builtins") || module.equals_str("__main__") => {}
        Some(module) => {
            text.push(module)?;
            text.push_str(".")?;
        }
        None => text.push_str("<unknown>.")?,
    }
    let name = attr::get_opt(ts, class.as_object(), id!(__qualname__));
    match name {
        Ok(Some(name)) if name.is_a::<PyStr>() => text.push(name.cast::<PyStr>())?,
        Ok(_) => text.push_str(class.name())?,
        Err(raised) => {
            ts.clear_raised(raised);
            text.push_str(class.name())?;
        }
    }
    text.push_str(": ")?;
    match protocol::str(ts, error) {
        Ok(shown) => text.push(&shown)?,
        Err(raised) => {
            ts.clear_raised(raised);
            text.push_str("<exception str() failed>")?;
        }
    }
    text.push_str("\n")?;
    let text = text.finish(ts)?;
    let sink = Sink::stderr(ts);
    sink.write(ts, &text)?;
    sink.flush(ts);
    Ok(())
}
