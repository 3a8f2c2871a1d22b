//! `sys.monitoring` (PEP 669).

use crate::modules::ModuleSpec;
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::code::PyCode;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::namespace::PyNamespace;
use crate::types::none::{is_none, none};
use crate::types::object;
use crate::types::str::PyStr;
use crate::vm::monitoring::{EVENTS, Event, LOCAL_EVENTS, NAMES, UNGROUPED_EVENTS, USER_TOOLS, table};

/// The module; an attribute of `sys`, not to be imported.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "sys.monitoring",
    methods: &[
        MethodDef::positional("use_tool_id", use_tool_id, "use_tool_id($module, tool_id, name, /)\n--\n\n"),
        MethodDef::one("clear_tool_id", clear_tool_id, "clear_tool_id($module, tool_id, /)\n--\n\n"),
        MethodDef::one("free_tool_id", free_tool_id, "free_tool_id($module, tool_id, /)\n--\n\n"),
        MethodDef::one("get_tool", get_tool, "get_tool($module, tool_id, /)\n--\n\n"),
        MethodDef::positional(
            "register_callback",
            register_callback,
            "register_callback($module, tool_id, event, func, /)\n--\n\n",
        ),
        MethodDef::one("get_events", get_events, "get_events($module, tool_id, /)\n--\n\n"),
        MethodDef::positional("set_events", set_events, "set_events($module, tool_id, event_set, /)\n--\n\n"),
        MethodDef::positional(
            "get_local_events",
            get_local_events,
            "get_local_events($module, tool_id, code, /)\n--\n\n",
        ),
        MethodDef::positional(
            "set_local_events",
            set_local_events,
            "set_local_events($module, tool_id, code, event_set, /)\n--\n\n",
        ),
        MethodDef::no_args("restart_events", restart_events, "restart_events($module, /)\n--\n\n"),
        MethodDef::no_args("_all_events", all_events, "_all_events($module, /)\n--\n\n"),
    ],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    let monitoring = &ts.interp().monitoring;
    let disable = object::new_plain(ts)?;
    let missing = object::new_plain(ts)?;
    module.add(ts, "DISABLE", &disable)?;
    module.add(ts, "MISSING", &missing)?;
    monitoring.disable.set(Some(disable));
    monitoring.missing.set(Some(missing));
    for (name, tool) in [("DEBUGGER_ID", 0), ("COVERAGE_ID", 1), ("PROFILER_ID", 2), ("OPTIMIZER_ID", 5)] {
        module.add_int(ts, name, tool)?;
    }
    let events = PyDict::new(ts)?;
    for (index, name) in NAMES.iter().enumerate() {
        let bit = PyInt::from_i64(ts, 1 << index)?;
        events.set_str(ts, &*PyStr::intern(ts, name)?, &bit)?;
    }
    let nothing = PyInt::from_i64(ts, 0)?;
    events.set_str(ts, &*PyStr::intern(ts, "NO_EVENTS")?, &nothing)?;
    let namespace = PyNamespace::new(ts, Some(&events))?;
    module.add(ts, "events", namespace.as_object())
}

fn tool_id(ts: &ThreadState, tool: &PyObject) -> PyResult<usize> {
    let tool = protocol::as_i32(ts, tool)?;
    match usize::try_from(tool) {
        Ok(tool) if tool < USER_TOOLS => Ok(tool),
        _ => raise!(ts, exc::ValueError, "invalid tool {tool} (must be between 0 and 5)"),
    }
}

/// A tool that has a name.
fn used_tool(ts: &ThreadState, tool: &PyObject) -> PyResult<usize> {
    let tool = tool_id(ts, tool)?;
    if !ts.interp().monitoring.names[tool].is_some() {
        return raise!(ts, exc::ValueError, "tool {tool} is not in use");
    }
    Ok(tool)
}

fn use_tool_id(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "use_tool_id", args.len(), 2, 2)?;
    let tool = tool_id(ts, args[0])?;
    if !args[1].is_a::<PyStr>() {
        return raise!(ts, exc::ValueError, "tool name must be a str");
    }
    let name = &ts.interp().monitoring.names[tool];
    if name.is_some() {
        return raise!(ts, exc::ValueError, "tool {tool} is already in use");
    }
    name.set(Some(args[1].new_ref()));
    Ok(ts.none())
}

fn clear_tool_id(ts: &ThreadState, _: &PyObject, tool: &PyObject) -> PyResult {
    let tool = tool_id(ts, tool)?;
    let interp = ts.interp();
    if interp.monitoring.names[tool].is_some() {
        interp.monitoring.clear_tool(interp, tool);
    }
    Ok(ts.none())
}

fn free_tool_id(ts: &ThreadState, _: &PyObject, tool: &PyObject) -> PyResult {
    let tool = tool_id(ts, tool)?;
    let interp = ts.interp();
    if interp.monitoring.names[tool].is_some() {
        interp.monitoring.clear_tool(interp, tool);
        interp.monitoring.names[tool].set(None);
    }
    Ok(ts.none())
}

fn get_tool(ts: &ThreadState, _: &PyObject, tool: &PyObject) -> PyResult {
    let tool = tool_id(ts, tool)?;
    Ok(ts.interp().monitoring.names[tool].get().unwrap_or_else(|| ts.none()))
}

fn register_callback(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "register_callback", args.len(), 3, 3)?;
    let tool = tool_id(ts, args[0])?;
    let event = protocol::as_i32(ts, args[1])?;
    if event <= 0 || !(event as u32).is_power_of_two() {
        return raise!(ts, exc::ValueError, "The callback can only be set for one event at a time");
    }
    let event = event.trailing_zeros() as usize;
    if event >= EVENTS {
        return raise!(ts, exc::ValueError, "invalid event {}", 1u32 << event);
    }
    let function = (!is_none(args[2])).then(|| args[2].new_ref());
    audit(ts, function.as_deref())?;
    let old = ts.interp().monitoring.callbacks[tool][event].replace(function);
    Ok(old.unwrap_or_else(|| ts.none()))
}

fn audit(ts: &ThreadState, function: Option<&PyObject>) -> PyResult<()> {
    let event = PyStr::intern(ts, "sys.monitoring.register_callback")?;
    super::auditing::audit(ts, none(), &[event.as_object(), function.unwrap_or(none())])?;
    Ok(())
}

fn get_events(ts: &ThreadState, _: &PyObject, tool: &PyObject) -> PyResult {
    let tool = tool_id(ts, tool)?;
    PyInt::from_i64(ts, ts.interp().monitoring.events_of(tool).into())
}

/// The set as the monitoring keeps it: without what comes with others, and without the name for both branches.
fn event_set(ts: &ThreadState, set: &PyObject, limit: usize, what: &str) -> PyResult<u32> {
    const RETURNS: u32 = Event::CReturn.bit() | Event::CRaise.bit();
    let set = protocol::as_i32(ts, set)?;
    if set < 0 || set as u32 >= 1 << EVENTS {
        return raise!(ts, exc::ValueError, "invalid {what} 0x{set:x}");
    }
    let mut set = set as u32;
    if set & RETURNS != 0 {
        if set & Event::Call.bit() == 0 {
            return raise!(ts, exc::ValueError, "cannot set C_RETURN or C_RAISE events independently");
        }
        set &= !RETURNS;
    }
    if set & Event::Branch.bit() != 0 {
        set = set & !Event::Branch.bit() | Event::BranchLeft.bit() | Event::BranchRight.bit();
    }
    if set >= 1 << limit {
        return raise!(ts, exc::ValueError, "invalid {what} 0x{set:x}");
    }
    Ok(set)
}

fn set_events(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "set_events", args.len(), 2, 2)?;
    let tool = tool_id(ts, args[0])?;
    let set = event_set(ts, args[1], UNGROUPED_EVENTS, "event set")?;
    used_tool(ts, args[0])?;
    ts.interp().monitoring.set_events(ts.interp(), tool, set);
    Ok(ts.none())
}

fn code_argument<'a>(ts: &ThreadState, code: &'a PyObject) -> PyResult<&'a PyCode> {
    match code.downcast::<PyCode>() {
        Some(code) => Ok(code),
        None => raise!(ts, exc::TypeError, "code must be a code object"),
    }
}

fn get_local_events(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "get_local_events", args.len(), 2, 2)?;
    let code = code_argument(ts, args[1])?;
    let tool = used_tool(ts, args[0])?;
    PyInt::from_i64(ts, table::local_events(ts, code, tool).into())
}

fn set_local_events(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "set_local_events", args.len(), 3, 3)?;
    let code = code_argument(ts, args[1])?;
    let tool = used_tool(ts, args[0])?;
    let set = event_set(ts, args[2], LOCAL_EVENTS, "local event set")?;
    ts.interp().monitoring.set_local_events(ts, code, tool, set)?;
    Ok(ts.none())
}

fn restart_events(ts: &ThreadState, _: &PyObject) -> PyResult {
    ts.interp().monitoring.restart(ts.interp());
    Ok(ts.none())
}

fn all_events(ts: &ThreadState, _: &PyObject) -> PyResult {
    const ALL: [Event; UNGROUPED_EVENTS] = [
        Event::PyStart,
        Event::PyResume,
        Event::PyReturn,
        Event::PyYield,
        Event::Call,
        Event::Line,
        Event::Instruction,
        Event::Jump,
        Event::BranchLeft,
        Event::BranchRight,
        Event::StopIteration,
        Event::Raise,
        Event::ExceptionHandled,
        Event::PyUnwind,
        Event::PyThrow,
        Event::Reraise,
    ];
    let dict = PyDict::new(ts)?;
    for event in ALL {
        let tools = ts.interp().monitoring.tools_for(event);
        if tools != 0 {
            let tools = PyInt::from_i64(ts, tools.into())?;
            dict.set_str(ts, &*PyStr::intern(ts, NAMES[event as usize])?, &tools)?;
        }
    }
    Ok(dict.into_object())
}
