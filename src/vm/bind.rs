//! Arguments into the places of a new frame.

use hognose_allocators::collections::TryVec;

use super::frame::{self, Frame};
use crate::object::{Args, AsObject, PyObject, PyRef, PyResult, Ref, header};
use crate::raise;
use crate::state::ThreadState;
use crate::types::code::{CO_VARARGS, CO_VARKEYWORDS, PyCode};
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::function::PyFunction;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;

/// A frame for a call of `function`: its locals are the arguments, defaults and nulls, its stack is empty.
///
/// Raises TypeError when the arguments do not fit; then there is no frame.
#[inline]
pub fn frame_for_call(ts: &ThreadState, function: &PyFunction, args: Args<'_>) -> PyResult<*mut Frame> {
    let code = function.code();
    code.make_whole(ts)?;
    let frame = frame::push(ts, function, code)?;
    // SAFETY: the frame was just made for this code.
    let places = unsafe { (*frame).localsplus() };
    let total = code.co_nlocalsplus as usize;
    if code.co_simple.get() && !args.has_keywords() && args.len() == code.co_argcount as usize {
        // SAFETY: there are at least as many places as arguments.
        unsafe {
            for (index, argument) in args.all().iter().enumerate() {
                argument.incref();
                places.add(index).write(argument.as_ptr());
            }
            for index in args.len()..total {
                places.add(index).write(core::ptr::null_mut());
            }
        }
        return Ok(frame);
    }
    // SAFETY: the places are uninitialized up to here.
    unsafe { core::ptr::write_bytes(places, 0, total) };
    // SAFETY: the places hold nulls.
    let places = unsafe { core::slice::from_raw_parts_mut(places, total) };
    match bind(ts, function, code, args, places) {
        Ok(()) => Ok(frame),
        Err(raised) => {
            // SAFETY: the frame does not run, and is the latest one.
            unsafe {
                (*frame).clear_contents(ts);
                frame::pop(ts, frame);
            }
            Err(raised)
        }
    }
}

fn put(place: &mut *mut PyObject, value: PyRef) {
    debug_assert!(place.is_null());
    *place = value.into_ptr();
}

#[inline(never)]
fn bind(
    ts: &ThreadState,
    function: &PyFunction,
    code: &PyCode,
    args: Args<'_>,
    places: &mut [*mut PyObject],
) -> PyResult<()> {
    let argcount = code.co_argcount as usize;
    let named = argcount + code.co_kwonlyargcount as usize;
    let positional = args.positional();
    let has_varargs = code.co_flags & CO_VARARGS != 0;
    let keywords_place = named + usize::from(has_varargs);

    let extra_keywords = if code.co_flags & CO_VARKEYWORDS != 0 {
        let dict = PyDict::new(ts)?;
        put(&mut places[keywords_place], dict.clone().into_object());
        Some(dict)
    } else {
        None
    };
    for (place, argument) in places.iter_mut().zip(&positional[..positional.len().min(argcount)]) {
        put(place, argument.new_ref());
    }
    if has_varargs {
        let rest = &positional[positional.len().min(argcount)..];
        put(&mut places[named], PyTuple::new(ts, rest)?.into_object());
    }
    for (name, value) in args.keywords() {
        bind_keyword(ts, function, code, args, places, extra_keywords.as_deref(), name, value)?;
    }
    if positional.len() > argcount && !has_varargs {
        return too_many(ts, function, code, positional.len(), places);
    }
    if positional.len() < argcount {
        let defaults = function.func_defaults.get();
        let defaults = defaults.as_deref().map_or(&[][..], |d| d.items());
        let first_default = argcount.saturating_sub(defaults.len());
        let missing = (positional.len()..first_default).filter(|i| places[*i].is_null()).count();
        if missing != 0 {
            return missing_arguments(ts, function, code, 0, first_default, "positional", places);
        }
        let skip = defaults.len().saturating_sub(argcount);
        for (place, default) in places[first_default..argcount].iter_mut().zip(&defaults[skip..]) {
            if place.is_null() {
                put(place, default.new_ref());
            }
        }
    }
    if code.co_kwonlyargcount > 0 {
        let defaults = function.func_kwdefaults.get();
        let mut missing = false;
        for index in argcount..named {
            if !places[index].is_null() {
                continue;
            }
            match defaults.as_deref().map(|d| d.get_str(ts, code.local_name(index))).transpose()?.flatten() {
                Some(default) => put(&mut places[index], default),
                None => missing = true,
            }
        }
        if missing {
            return missing_arguments(ts, function, code, argcount, named, "keyword-only", places);
        }
    }
    Ok(())
}

#[allow(clippy::too_many_arguments, reason = "one step of a loop, apart for reading")]
fn bind_keyword(
    ts: &ThreadState,
    function: &PyFunction,
    code: &PyCode,
    args: Args<'_>,
    places: &mut [*mut PyObject],
    extra: Option<&PyDict>,
    name: &PyStr,
    value: &PyObject,
) -> PyResult<()> {
    let first = code.co_posonlyargcount as usize;
    let named = (code.co_argcount + code.co_kwonlyargcount) as usize;
    let same = |index: &usize| core::ptr::eq(code.local_name(*index), name);
    let equal = |index: &usize| code.local_name(*index).equals(name);
    if let Some(index) = (first..named).find(same).or_else(|| (first..named).find(equal)) {
        if !places[index].is_null() {
            return raise!(
                ts,
                exc::TypeError,
                "{}() got multiple values for argument '{name}'",
                qualname(ts, function)?
            );
        }
        put(&mut places[index], value.new_ref());
        return Ok(());
    }
    match extra {
        Some(extra) => extra.set(ts, name.as_object(), value),
        None => unexpected_keyword(ts, function, code, args, name),
    }
}

fn qualname(ts: &ThreadState, function: &PyFunction) -> PyResult<Ref<PyStr>> {
    match function.func_qualname.get() {
        Some(name) => Ok(name),
        None => PyStr::new(ts, "?"),
    }
}

#[cold]
fn unexpected_keyword(
    ts: &ThreadState,
    function: &PyFunction,
    code: &PyCode,
    args: Args<'_>,
    name: &PyStr,
) -> PyResult<()> {
    let function_name = qualname(ts, function)?;
    let positional_only = &(0..code.co_posonlyargcount as usize);
    let mut names = StrBuilder::new();
    let mut any = false;
    for (given, _) in args.keywords() {
        if positional_only.clone().any(|i| code.local_name(i).equals(given)) {
            if any {
                names.push_str(", ")?;
            }
            names.push(given)?;
            any = true;
        }
    }
    if any {
        let names = names.finish(ts)?;
        return raise!(
            ts,
            exc::TypeError,
            "{function_name}() got some positional-only arguments passed as keyword arguments: '{names}'"
        );
    }
    let mut candidates = TryVec::<PyRef>::new();
    for index in code.co_posonlyargcount as usize..(code.co_argcount + code.co_kwonlyargcount) as usize {
        candidates.try_push(code.local_name(index).new_ref())?;
    }
    if let Some(similar) = crate::lifecycle::print::suggest(ts, &candidates, name)? {
        return raise!(
            ts,
            exc::TypeError,
            "{function_name}() got an unexpected keyword argument '{name}'. Did you mean '{similar}'?"
        );
    }
    raise!(ts, exc::TypeError, "{function_name}() got an unexpected keyword argument '{name}'")
}

#[cold]
fn missing_arguments(
    ts: &ThreadState,
    function: &PyFunction,
    code: &PyCode,
    from: usize,
    to: usize,
    kind: &str,
    places: &[*mut PyObject],
) -> PyResult<()> {
    let count = (from..to).filter(|i| places[*i].is_null()).count();
    let mut text = StrBuilder::new();
    let mut done = 0;
    for index in (from..to).filter(|i| places[*i].is_null()) {
        done += 1;
        if done > 1 {
            text.push_str(match (done == count, count) {
                (true, 2) => " and ",
                (true, _) => ", and ",
                (false, _) => ", ",
            })?;
        }
        text.push_repr(ts, code.local_name(index).as_object())?;
    }
    let text = text.finish(ts)?;
    let plural = if count == 1 { "" } else { "s" };
    raise!(ts, exc::TypeError, "{}() missing {count} required {kind} argument{plural}: {text}", qualname(ts, function)?)
}

#[cold]
fn too_many(
    ts: &ThreadState,
    function: &PyFunction,
    code: &PyCode,
    given: usize,
    places: &[*mut PyObject],
) -> PyResult<()> {
    let argcount = code.co_argcount as usize;
    let named = argcount + code.co_kwonlyargcount as usize;
    let keyword_only = (argcount..named).filter(|i| !places[*i].is_null()).count();
    let defaults = function.func_defaults.get().map_or(0, |d| d.len());
    let name = qualname(ts, function)?;
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    let mut takes = StrBuilder::new();
    let many;
    if defaults > 0 {
        let least = argcount - defaults.min(argcount);
        core::fmt::Write::write_fmt(&mut takes, format_args!("from {least} to {argcount}"))
            .map_err(|_| hognose_allocators::NoMemory)?;
        many = "s";
    } else {
        core::fmt::Write::write_fmt(&mut takes, format_args!("{argcount}"))
            .map_err(|_| hognose_allocators::NoMemory)?;
        many = plural(argcount);
    }
    let takes = takes.finish(ts)?;
    let was = if given == 1 && keyword_only == 0 { "was" } else { "were" };
    if keyword_only > 0 {
        return raise!(
            ts,
            exc::TypeError,
            "{name}() takes {takes} positional argument{many} but {given} positional argument{} (and {keyword_only} keyword-only argument{}) were given",
            plural(given),
            plural(keyword_only)
        );
    }
    raise!(ts, exc::TypeError, "{name}() takes {takes} positional argument{many} but {given} {was} given")
}

/// Drops the references in a slice of the caller's stack.
///
/// # Safety
/// The places hold owned references or null, which are gone afterwards.
#[inline(always)]
pub unsafe fn drop_range(ts: &ThreadState, from: *mut *mut PyObject, to: *mut *mut PyObject) {
    let mut place = from;
    while place < to {
        // SAFETY: the caller's promise.
        unsafe {
            let object = *place;
            if !object.is_null() {
                header::decref(ts, object);
            }
            place = place.add(1);
        }
    }
}
