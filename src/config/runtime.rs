//! Options of a running interpreter by name: `PyConfig_Get`, `PyConfig_GetInt`, `PyConfig_Names`, `PyConfig_Set`.
//!
//! Where the table names an attribute of `sys`, the attribute is the value. The rest is in the interpreter's
//! configuration; `sys.flags` and the global variables of C follow what is set here.

use core::ffi::{c_int, c_ulong};

use super::layout::PyConfig;
use super::preconfig::preinitialized;
use super::strings::{PyWideStringList, WChar, WideString};
use super::table::{Field, Kind, OPTIONS, OptionRow, Visibility, find};
use crate::object::{AsObject, PyObject, PyResult, Ref, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::{as_bool, py_bool};
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::set::PySet;
use crate::types::str::PyStr;

/// The option whose attribute of `sys` says the contrary.
const WRITE_BYTECODE: &str = "write_bytecode";
const DONT_WRITE_BYTECODE: &str = "dont_write_bytecode";

fn row(ts: &ThreadState, name: &str) -> PyResult<&'static OptionRow> {
    match find(name.as_bytes()) {
        Some(row) => Ok(row),
        None => match super::initconfig::nearest(name.as_bytes()) {
            Some(near) => {
                raise!(ts, exc::ValueError, "unknown config option name: {name}; did you mean '{near}'?")
            }
            None => raise!(ts, exc::ValueError, "unknown config option name: {name}"),
        },
    }
}

fn units(ts: &ThreadState, units: &[WChar]) -> PyResult<Ref<PyStr>> {
    // SAFETY: a `wchar_t` has the size of a `u32`, and the configuration holds code points only.
    PyStr::from_ucs4(ts, unsafe { core::slice::from_raw_parts(units.as_ptr().cast::<u32>(), units.len()) })
}

fn text(ts: &ThreadState, text: &WideString) -> PyResult {
    match text.get() {
        Some(text) => Ok(units(ts, text)?.into_object()),
        None => Ok(ts.none()),
    }
}

fn list(ts: &ThreadState, items: &PyWideStringList) -> PyResult<Ref<PyList>> {
    let list = PyList::new(ts)?;
    for item in items.as_slice() {
        list.append(ts, text(ts, item)?)?;
    }
    Ok(list)
}

/// The `-X` options as a dict.
fn map(ts: &ThreadState, items: &PyWideStringList) -> PyResult {
    let dict = PyDict::new(ts)?;
    for item in items.as_slice() {
        let item = item.as_slice();
        let end = item.iter().position(|&unit| unit == WChar::from(b'=')).unwrap_or(item.len());
        let key = units(ts, &item[..end])?;
        let value = match item.get(end + 1..) {
            Some(value) => units(ts, value)?.into_object(),
            None => py_bool(true),
        };
        dict.set(ts, key.as_object(), &value)?;
    }
    Ok(dict.into_object())
}

/// An option's value now (`PyConfig_Get`).
///
/// # Errors
/// ValueError for an unknown name, MemoryError; RuntimeError when a program has deleted the attribute of `sys`.
pub fn get(ts: &ThreadState, name: &str) -> PyResult {
    let row = row(ts, name)?;
    if let Some(attribute) = row.sys {
        let Some(sys) = ts.interp().sys_dict.get() else { return raise!(ts, exc::RuntimeError, "lost sys module") };
        return match sys.get_str(ts, &*PyStr::intern(ts, attribute)?)? {
            Some(value) => Ok(value),
            None => raise!(ts, exc::RuntimeError, "lost sys.{attribute}"),
        };
    }
    if row.name == WRITE_BYTECODE
        && let Some(sys) = ts.interp().sys_dict.get()
        && let Some(value) = sys.get_str(ts, &*PyStr::intern(ts, DONT_WRITE_BYTECODE)?)?
    {
        return Ok(py_bool(!protocol::is_true(ts, &value)?));
    }
    let config = ts.interp().config();
    let int = |value: i64| if row.kind == Kind::Bool { Ok(py_bool(value != 0)) } else { PyInt::from_i64(ts, value) };
    match row.field {
        // The limit can be changed through `sys` too.
        Field::Int(..) if row.name == "int_max_str_digits" => int(ts.interp().int_max_str_digits.get() as i64),
        Field::Int(field, _) => int((*field(config)).into()),
        Field::ULong(field, _) => PyInt::from_u64(ts, *field(config)),
        Field::Text(field, _) => text(ts, field(config)),
        Field::List(field, _) if row.kind == Kind::Map => map(ts, field(config)),
        Field::List(field, _) => Ok(list(ts, field(config))?.into_object()),
        Field::Pre(field, _) => int(preinitialized().map_or(0, |pre| (*field(&pre)).into())),
    }
}

/// An option's value as a C int (`PyConfig_GetInt`).
///
/// # Errors
/// ValueError for an unknown name, TypeError for an option of another type, OverflowError.
pub fn get_int(ts: &ThreadState, name: &str) -> PyResult<c_int> {
    let value = get(ts, name)?;
    match value.downcast::<PyInt>() {
        Some(value) => value.to_i32(ts),
        None => raise!(ts, exc::TypeError, "config option {name} is not an int"),
    }
}

/// The names of all options (`PyConfig_Names`).
///
/// # Errors
/// MemoryError.
pub fn names(ts: &ThreadState) -> PyResult<Ref<PySet>> {
    let names = PyList::new(ts)?;
    for row in OPTIONS.iter().filter(|row| row.visibility != Visibility::Internal) {
        names.append(ts, PyStr::intern(ts, row.name)?.into_object())?;
    }
    PySet::frozen(ts, names.as_object())
}

/// Changes an option (`PyConfig_Set`).
///
/// # Errors
/// ValueError for an unknown name, a read-only option or a value that it cannot have; TypeError for a value of
/// another type; MemoryError.
pub fn set(ts: &ThreadState, name: &str, value: &PyObject) -> PyResult<()> {
    let row = row(ts, name)?;
    let event = PyStr::intern(ts, "cpython.PyConfig_Set")?;
    let shown = PyStr::intern(ts, row.name)?;
    crate::modules::sys::audit(ts, &[event.as_object(), shown.as_object(), value])?;
    if row.visibility != Visibility::Public {
        return raise!(ts, exc::ValueError, "cannot set read-only option {}", row.name);
    }
    check_type(ts, row, value)?;
    if let Some(attribute) = row.sys {
        let Some(sys) = ts.interp().sys_dict.get() else { return raise!(ts, exc::RuntimeError, "lost sys module") };
        return sys.set_str(ts, &*PyStr::intern(ts, attribute)?, value);
    }
    let number = int_value(ts, row, value)?;
    if row.name == "int_max_str_digits" {
        if number != 0 && number < 640 {
            return raise!(ts, exc::ValueError, "int_max_str_digits must be >= 640 or 0 for unlimited");
        }
        ts.interp().int_max_str_digits.set(number as usize);
    }
    // SAFETY: the GIL is held, and nobody keeps a borrow of the configuration across calls that could come here.
    let config: &mut PyConfig = unsafe { &mut *ts.interp().config.get() };
    match row.field {
        Field::Int(_, field) => *field(config) = number,
        Field::ULong(_, field) => *field(config) = number as c_ulong,
        Field::Text(..) | Field::List(..) | Field::Pre(..) => {
            return raise!(ts, exc::ValueError, "cannot set option {} while Python runs", row.name);
        }
    }
    crate::lifecycle::image::outdate(ts.interp());
    if let Some(global) = row.legacy {
        global.store(number);
    }
    let Some(sys) = ts.interp().sys_dict.get() else { return Ok(()) };
    if row.name == WRITE_BYTECODE {
        sys.set_str(ts, &*PyStr::intern(ts, DONT_WRITE_BYTECODE)?, &py_bool(number == 0))?;
    }
    let flags = crate::modules::sys::flags(ts)?;
    sys.set_str(ts, &*PyStr::intern(ts, "flags")?, &flags)
}

fn check_type(ts: &ThreadState, row: &OptionRow, value: &PyObject) -> PyResult<()> {
    let fits = match row.kind {
        Kind::Bool | Kind::Int | Kind::Unsigned => value.is_a::<PyInt>(),
        Kind::Text => value.is_a::<PyStr>(),
        Kind::OptionalText => is_none(value) || value.is_a::<PyStr>(),
        Kind::List => {
            let Some(items) = value.downcast::<PyList>() else { return wrong_type(ts, row, value) };
            let mut index = 0;
            while let Some(item) = items.get(index) {
                if !item.is_a::<PyStr>() {
                    return wrong_type(ts, row, &item);
                }
                index += 1;
            }
            true
        }
        Kind::Map => {
            let Some(dict) = value.downcast::<PyDict>() else { return wrong_type(ts, row, value) };
            let mut position = 0;
            while let Some((key, value)) = dict.next(&mut position) {
                if !key.is_a::<PyStr>() || !(value.is_a::<PyStr>() || as_bool(&value).is_some()) {
                    return wrong_type(ts, row, &value);
                }
            }
            true
        }
    };
    if fits { Ok(()) } else { wrong_type(ts, row, value) }
}

#[cold]
fn wrong_type<T>(ts: &ThreadState, row: &OptionRow, value: &PyObject) -> PyResult<T> {
    let wanted = match row.kind {
        Kind::Bool => "expected int or bool",
        Kind::Int | Kind::Unsigned => "expected int",
        Kind::Text => "expected str",
        Kind::OptionalText => "expected str or None",
        Kind::List => "expected list[str]",
        Kind::Map => "expected dict[str, str | bool]",
    };
    raise!(ts, exc::TypeError, "{}: {wanted}, got {}", row.name, value.type_name())
}

fn int_value(ts: &ThreadState, row: &OptionRow, value: &PyObject) -> PyResult<c_int> {
    if row.kind == Kind::Bool {
        return Ok(protocol::is_true(ts, value)?.into());
    }
    let Some(number) = value.downcast::<PyInt>() else { return Ok(0) };
    let number = number.to_i32(ts)?;
    if number < 0 {
        return raise!(ts, exc::ValueError, "{} must not be negative", row.name);
    }
    Ok(number)
}
