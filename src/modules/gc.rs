//! `gc`: the cycle collector, seen from Python.

use hognose_allocators::collections::TryVec;

use crate::modules::ModuleSpec;
use crate::object::call::{Args, Signature, call_with, check_count};
use crate::object::gc::{self, DEBUG_SAVEALL, GENERATIONS};
use crate::object::{AsObject, MethodDef, PyObject, PyRef, PyResult, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

const DEBUG_STATS: i32 = 1;
const DEBUG_COLLECTABLE: i32 = 2;
const DEBUG_UNCOLLECTABLE: i32 = 4;
const DEBUG_LEAK: i32 = DEBUG_COLLECTABLE | DEBUG_UNCOLLECTABLE | DEBUG_SAVEALL;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "gc",
    doc: "The collector of objects that refer to each other in cycles.",
    methods: &[
        MethodDef::no_args(
            "enable",
            |ts, _| switch(ts, true),
            "enable($module, /)\n--\n\nLets the collector run by itself.",
        ),
        MethodDef::no_args("disable", |ts, _| switch(ts, false), "disable($module, /)\n--\n\nStops that."),
        MethodDef::no_args(
            "isenabled",
            |ts, _| Ok(py_bool(ts.interp().gc.enabled.get())),
            "isenabled($module, /)\n--\n\nWhether the collector runs by itself.",
        ),
        MethodDef::keywords(
            "collect",
            collect,
            "collect($module, /, generation=2)\n--\n\nCollects a generation and those younger; returns how many objects were unreachable.",
        ),
        MethodDef::one("set_debug", set_debug, "set_debug($module, flags, /)\n--\n\nSets the debugging flags."),
        MethodDef::no_args(
            "get_debug",
            |ts, _| PyInt::from_i64(ts, ts.interp().gc.debug.get() as i64),
            "get_debug($module, /)\n--\n\nThe debugging flags.",
        ),
        MethodDef::positional(
            "set_threshold",
            set_threshold,
            "set_threshold(threshold0[, threshold1[, threshold2]])\nSets when generations are collected.",
        ),
        MethodDef::no_args(
            "get_threshold",
            get_threshold,
            "get_threshold($module, /)\n--\n\nWhen generations are collected.",
        ),
        MethodDef::no_args(
            "get_count",
            get_count,
            "get_count($module, /)\n--\n\nHow far the generations are from that.",
        ),
        MethodDef::keywords(
            "get_objects",
            get_objects,
            "get_objects($module, /, generation=None)\n--\n\nThe objects that the collector knows, of one generation or all.",
        ),
        MethodDef::no_args(
            "get_stats",
            get_stats,
            "get_stats($module, /)\n--\n\nFigures, a dictionary for each generation.",
        ),
        MethodDef::one(
            "is_tracked",
            |_, _, object| Ok(py_bool(gc::is_tracked(object))),
            "is_tracked($module, obj, /)\n--\n\nWhether the collector knows the object.",
        ),
        MethodDef::one(
            "is_finalized",
            |_, _, object| Ok(py_bool(gc::is_finalized(object))),
            "is_finalized($module, obj, /)\n--\n\nWhether the object's finalizer has run.",
        ),
        MethodDef::positional(
            "get_referrers",
            get_referrers,
            "get_referrers($module, /, *objs)\n--\n\nThe objects that refer to any of these.",
        ),
        MethodDef::positional(
            "get_referents",
            get_referents,
            "get_referents($module, /, *objs)\n--\n\nThe objects that these refer to.",
        ),
        MethodDef::no_args("freeze", freeze, "freeze($module, /)\n--\n\nHides all objects from the collector."),
        MethodDef::no_args("unfreeze", unfreeze, "unfreeze($module, /)\n--\n\nShows them again."),
        MethodDef::no_args(
            "get_freeze_count",
            |ts, _| PyInt::from_usize(ts, ts.interp().gc.frozen_count()),
            "get_freeze_count($module, /)\n--\n\nHow many are hidden.",
        ),
    ],
    types: &[],
    exec: Some(exec),
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    let collector = &ts.interp().gc;
    for (name, slot) in [("garbage", &collector.garbage), ("callbacks", &collector.callbacks)] {
        let list = match slot.get() {
            Some(list) => list,
            None => {
                let list = PyList::new(ts)?.into_object();
                slot.set(Some(list.clone()));
                list
            }
        };
        module.add(ts, name, &list)?;
    }
    for (name, value) in [
        ("DEBUG_STATS", DEBUG_STATS),
        ("DEBUG_COLLECTABLE", DEBUG_COLLECTABLE),
        ("DEBUG_UNCOLLECTABLE", DEBUG_UNCOLLECTABLE),
        ("DEBUG_SAVEALL", DEBUG_SAVEALL),
        ("DEBUG_LEAK", DEBUG_LEAK),
    ] {
        module.add_int(ts, name, value as i64)?;
    }
    Ok(())
}

fn switch(ts: &ThreadState, on: bool) -> PyResult {
    ts.interp().gc.enabled.set(on);
    Ok(ts.none())
}

fn collect(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("collect", ["generation"], 0, 1, 0);
    let [generation] = SIGNATURE.parse(ts, args)?;
    let generation = match generation {
        Some(generation) => protocol::as_i32(ts, generation)?,
        None => GENERATIONS as i32 - 1,
    };
    if generation < 0 || generation >= GENERATIONS as i32 {
        return raise!(ts, exc::ValueError, "invalid generation");
    }
    let generation = generation as usize;
    if ts.interp().gc.collecting.get() {
        return PyInt::from_i64(ts, 0);
    }
    call_back(ts, "start", generation, 0)?;
    let count = gc::collect(ts, generation);
    if generation == GENERATIONS - 1 {
        // What the whole heap does not use any more goes back to the system.
        ts.heap().trim();
    }
    call_back(ts, "stop", generation, count)?;
    PyInt::from_usize(ts, count)
}

/// Tells `gc.callbacks` of a collection; what they raise is reported and goes no further.
fn call_back(ts: &ThreadState, phase: &str, generation: usize, collected: usize) -> PyResult<()> {
    let Some(callbacks) = ts.interp().gc.callbacks.get() else { return Ok(()) };
    let Some(callbacks) = callbacks.downcast::<PyList>().filter(|list| !list.is_empty()) else { return Ok(()) };
    let info = PyDict::new(ts)?;
    for (name, value) in [("generation", generation), ("collected", collected), ("uncollectable", 0)] {
        let name = PyStr::intern(ts, name)?;
        info.set_str(ts, &name, &*PyInt::from_usize(ts, value)?)?;
    }
    let phase = PyStr::intern(ts, phase)?;
    let mut index = 0;
    while let Some(callback) = callbacks.get(index) {
        index += 1;
        if let Err(raised) = call_with(ts, &callback, &[phase.as_object(), info.as_object()]) {
            exc::write_unraisable(ts, raised, None, &callback);
        }
    }
    Ok(())
}

fn set_debug(ts: &ThreadState, _module: &PyObject, value: &PyObject) -> PyResult {
    ts.interp().gc.debug.set(protocol::as_i32(ts, value)?);
    Ok(ts.none())
}

fn set_threshold(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    check_count(ts, "set_threshold", args.len(), 1, GENERATIONS)?;
    let mut values = [None; GENERATIONS];
    for (value, arg) in values.iter_mut().zip(args) {
        *value = Some(protocol::as_i32(ts, arg)?);
    }
    for (threshold, value) in ts.interp().gc.thresholds.iter().zip(values) {
        if let Some(value) = value {
            threshold.set(value);
        }
    }
    Ok(ts.none())
}

fn three(ts: &ThreadState, values: [i32; GENERATIONS]) -> PyResult {
    let mut items = TryVec::<PyRef>::new();
    for value in values {
        items.try_push(PyInt::from_i64(ts, value as i64)?)?;
    }
    Ok(PyTuple::from_vec(ts, items)?.into_object())
}

fn get_threshold(ts: &ThreadState, _module: &PyObject) -> PyResult {
    let thresholds = &ts.interp().gc.thresholds;
    three(ts, [thresholds[0].get(), thresholds[1].get(), thresholds[2].get()])
}

fn get_count(ts: &ThreadState, _module: &PyObject) -> PyResult {
    let counts = &ts.interp().gc.counts;
    three(ts, [counts[0].get(), counts[1].get(), counts[2].get()])
}

/// Takes the objects that a walk over a generation shows, as far as memory goes.
fn gather(
    walk: impl FnOnce(&mut dyn FnMut(&PyObject)),
    mut wanted: impl FnMut(&PyObject) -> bool,
) -> PyResult<TryVec<PyRef>> {
    let mut objects = TryVec::<PyRef>::new();
    let mut failed = false;
    walk(&mut |object| {
        if !failed && wanted(object) {
            failed = objects.try_push(object.new_ref()).is_err();
        }
    });
    if failed {
        return Err(hognose_allocators::NoMemory.into());
    }
    Ok(objects)
}

fn get_objects(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("get_objects", ["generation"], 0, 1, 0);
    let [generation] = SIGNATURE.parse(ts, args)?;
    crate::modules::sys::auditing::event_with(ts, "gc.get_objects", || {
        // The number as a C function takes it: -1 for all.
        Ok([match generation.filter(|generation| !is_none(generation)) {
            Some(generation) => generation.new_ref(),
            None => PyInt::from_i64(ts, -1)?,
        }])
    })?;
    let collector = &ts.interp().gc;
    let objects = match generation.filter(|generation| !is_none(generation)) {
        None => gather(|f| collector.for_each(f), |_| true)?,
        Some(generation) => {
            let generation = protocol::as_isize(ts, generation)?;
            if generation >= GENERATIONS as isize {
                return raise!(
                    ts,
                    exc::ValueError,
                    "generation parameter must be less than the number of available generations ({GENERATIONS})"
                );
            }
            if generation < 0 {
                return raise!(ts, exc::ValueError, "generation parameter cannot be negative");
            }
            gather(|f| collector.for_each_of(generation as usize, f), |_| true)?
        }
    };
    Ok(PyList::from_vec(ts, objects)?.into_object())
}

fn get_stats(ts: &ThreadState, _module: &PyObject) -> PyResult {
    let list = PyList::new(ts)?;
    for stats in &ts.interp().gc.stats {
        let stats = stats.get();
        let dict = PyDict::new(ts)?;
        for (name, value) in
            [("collections", stats.collections), ("collected", stats.collected), ("uncollectable", stats.uncollectable)]
        {
            let name = PyStr::intern(ts, name)?;
            dict.set_str(ts, &name, &*PyInt::from_usize(ts, value)?)?;
        }
        list.append(ts, dict.into_object())?;
    }
    Ok(list.into_object())
}

fn get_referrers(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    crate::modules::sys::auditing::event_with(ts, "gc.get_referrers", || Ok([PyTuple::new(ts, args)?.into_object()]))?;
    let refers = |object: &PyObject| {
        let mut found = false;
        gc::visit_referents(object, &mut |referent| {
            if args.iter().any(|arg| arg.is(referent)) {
                found = true;
                return core::ops::ControlFlow::Break(());
            }
            core::ops::ControlFlow::Continue(())
        });
        found
    };
    let objects = gather(|f| ts.interp().gc.for_each(f), refers)?;
    Ok(PyList::from_vec(ts, objects)?.into_object())
}

fn get_referents(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    crate::modules::sys::auditing::event_with(ts, "gc.get_referents", || Ok([PyTuple::new(ts, args)?.into_object()]))?;
    let mut objects = TryVec::<PyRef>::new();
    for arg in args {
        if !arg.ob_type().is_gc() {
            continue;
        }
        let mut failed = false;
        gc::visit_referents(arg, &mut |referent| {
            failed |= objects.try_push(referent.new_ref()).is_err();
            core::ops::ControlFlow::Continue(())
        });
        if failed {
            return Err(hognose_allocators::NoMemory.into());
        }
    }
    Ok(PyList::from_vec(ts, objects)?.into_object())
}

fn freeze(ts: &ThreadState, _module: &PyObject) -> PyResult {
    ts.interp().gc.freeze();
    Ok(ts.none())
}

fn unfreeze(ts: &ThreadState, _module: &PyObject) -> PyResult {
    ts.interp().gc.unfreeze();
    Ok(ts.none())
}
