//! Functions over iterables.

use core::ops::ControlFlow;

use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::str::PyStr;

/// `all(iterable)`.
pub fn all(ts: &ThreadState, _: &PyObject, iterable: &PyObject) -> PyResult {
    let found = protocol::iterate(ts, iterable, |item| {
        Ok(if protocol::is_true(ts, &item)? { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok(py_bool(found.is_none()))
}

/// `any(iterable)`.
pub fn any(ts: &ThreadState, _: &PyObject, iterable: &PyObject) -> PyResult {
    let found = protocol::iterate(ts, iterable, |item| {
        Ok(if protocol::is_true(ts, &item)? { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(py_bool(found.is_some()))
}

/// `anext(iterator[, default])`.
pub fn anext(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "anext", args.len(), 1, 2)?;
    let Some(slot) = args[0].ob_type().slots().am_anext else {
        return raise!(ts, exc::TypeError, "'{}' object is not an async iterator", args[0].type_name());
    };
    let awaitable = slot(ts, args[0])?;
    match args.get(1) {
        None => Ok(awaitable),
        Some(default) => crate::types::generator::anext_awaitable(ts, &awaitable, default),
    }
}

/// `iter(iterable)`, `iter(callable, sentinel)`.
pub fn iter(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "iter", args.len(), 1, 2)?;
    match args.get(1) {
        None => protocol::iter(ts, args[0]),
        Some(sentinel) => {
            if !call::is_callable(args[0]) {
                return raise!(ts, exc::TypeError, "iter(v, w): v must be callable");
            }
            crate::types::seqiter::callable_iterator(ts, args[0], sentinel)
        }
    }
}

/// `next(iterator[, default])`.
pub fn next(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "next", args.len(), 1, 2)?;
    let Some(default) = args.get(1) else {
        // Who calls gets to see the StopIteration, with what a generator has returned.
        return crate::types::generator::next_value(ts, args[0]);
    };
    let item = protocol::next(ts, args[0]);
    match ts.catch(item, &exc::StopIteration)? {
        Some(Some(value)) => Ok(value),
        _ => Ok(default.new_ref()),
    }
}

/// `max(…)`.
pub fn max(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    extremum(ts, args, "max", CompareOp::Gt)
}

/// `min(…)`.
pub fn min(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    extremum(ts, args, "min", CompareOp::Lt)
}

fn extremum(ts: &ThreadState, args: Args<'_>, name: &str, op: CompareOp) -> PyResult {
    let positional = args.positional();
    let mut key = None;
    let mut default = None;
    call::check_keyword_count(ts, name, args, 2)?;
    for (keyword, value) in args.keywords() {
        match keyword.ascii_str() {
            Some("key") => key = Some(value).filter(|k| !is_none(k)),
            Some("default") => default = Some(value),
            _ => {
                return call::unexpected_keyword(ts, name, &["key", "default"], keyword);
            }
        }
    }
    if positional.is_empty() {
        return raise!(ts, exc::TypeError, "{name} expected at least 1 argument, got 0");
    }
    if positional.len() > 1 && default.is_some() {
        return raise!(ts, exc::TypeError, "Cannot specify a default for {name}() with multiple positional arguments");
    }
    let mut best: Option<(PyRef, PyRef)> = None;
    let mut consider = |item: PyRef| -> PyResult<()> {
        let value = match key {
            Some(key) => call::call_with(ts, key, &[&item])?,
            None => item.clone(),
        };
        let better = match &best {
            None => true,
            Some((_, best)) => protocol::compare_bool(ts, &value, best, op)?,
        };
        if better {
            best = Some((item, value));
        }
        Ok(())
    };
    if positional.len() > 1 {
        for item in positional {
            consider(item.new_ref())?;
        }
    } else {
        protocol::for_each(ts, positional[0], consider)?;
    }
    match (best, default) {
        (Some((item, _)), _) => Ok(item),
        (None, Some(default)) => Ok(default.new_ref()),
        (None, None) => raise!(ts, exc::ValueError, "{name}() iterable argument is empty"),
    }
}

/// `sorted(iterable, *, key=None, reverse=False)`.
pub fn sorted(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("sorted", ["iterable", "key", "reverse"], 1, 1, 1);
    if args.len() != 1 {
        return raise!(ts, exc::TypeError, "sorted expected 1 argument, got {}", args.len());
    }
    let [iterable, key, reverse] = SIGNATURE.parse(ts, args)?;
    let list = protocol::list_of(ts, iterable.unwrap_or(crate::types::none::none()))?;
    let reverse = match reverse {
        Some(reverse) => protocol::is_true(ts, reverse)?,
        None => false,
    };
    list.sort(ts, key.filter(|k| !is_none(k)), reverse)?;
    Ok(list.into_object())
}

/// `sum(iterable, /, start=0)`: ints and floats without objects in between; floats with a compensated sum.
pub fn sum(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("sum", ["iterable", "start"], 1, 2, 1);
    let [iterable, start] = SIGNATURE.parse(ts, args)?;
    let iterable = iterable.unwrap_or(crate::types::none::none());
    let mut total = match start {
        None => PyInt::from_i64(ts, 0)?,
        Some(start) => {
            if start.is_a::<PyStr>() {
                return raise!(ts, exc::TypeError, "sum() can't sum strings [use ''.join(seq) instead]");
            }
            if start.is_a::<crate::types::bytes::PyBytes>() {
                return raise!(ts, exc::TypeError, "sum() can't sum bytes [use b''.join(seq) instead]");
            }
            if start.is_a::<crate::types::bytearray::PyByteArray>() {
                return raise!(ts, exc::TypeError, "sum() can't sum bytearray [use b''.join(seq) instead]");
            }
            start.new_ref()
        }
    };
    let iterator = protocol::iter(ts, iterable)?;
    let mut pending = None;
    // Ints that fit a machine word.
    if let Some(mut value) = total.downcast_exact::<PyInt>().and_then(|i| i.as_i64()) {
        loop {
            let Some(item) = protocol::next(ts, &iterator)? else { return PyInt::from_i64(ts, value) };
            let small = item.downcast_exact::<PyInt>().and_then(|i| i.as_i64());
            match small.and_then(|small| value.checked_add(small)) {
                Some(sum) => value = sum,
                None => {
                    total = PyInt::from_i64(ts, value)?;
                    pending = Some(item);
                    break;
                }
            }
        }
    }
    // Floats, with Neumaier's compensation.
    let starts_float = total.downcast_exact::<PyFloat>().is_some()
        || pending.as_ref().is_some_and(|p| p.downcast_exact::<PyFloat>().is_some())
            && total.downcast_exact::<PyInt>().is_some();
    if starts_float {
        let mut value = protocol::as_f64(ts, &total)?;
        let mut lost = 0.0;
        let mut add = |x: f64| {
            let sum = value + x;
            if value.abs() >= x.abs() {
                lost += (value - sum) + x;
            } else {
                lost += (x - sum) + value;
            }
            value = sum;
        };
        let mut next = pending.take();
        loop {
            let item = match next.take() {
                Some(item) => Some(item),
                None => protocol::next(ts, &iterator)?,
            };
            let Some(item) = item else {
                // A compensation that overflowed or is not a number says nothing.
                let result = if lost != 0.0 && lost.is_finite() { value + lost } else { value };
                return PyFloat::new(ts, result);
            };
            if let Some(float) = item.downcast_exact::<PyFloat>() {
                add(float.value());
            } else if let Some(small) = item.downcast_exact::<PyInt>().and_then(|i| i.as_i64()) {
                add(small as f64);
            } else {
                let result = if lost != 0.0 && lost.is_finite() { value + lost } else { value };
                total = PyFloat::new(ts, result)?;
                pending = Some(item);
                break;
            }
        }
    }
    if let Some(item) = pending {
        total = protocol::add(ts, &total, &item)?;
    }
    while let Some(item) = protocol::next(ts, &iterator)? {
        total = protocol::add(ts, &total, &item)?;
    }
    Ok(total)
}
