//! `marshal`: the module over [`crate::code::marshal`].

use crate::code::marshal as format;
use crate::id;
use crate::modules::ModuleSpec;
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::module::PyModule;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "marshal",
    doc: "This module contains functions that can read and write Python values in\na binary format. The format is specific to Python, but independent of\nmachine architecture issues.",
    methods: &[
        MethodDef::keywords(
            "dump",
            dump,
            "dump($module, value, file, version=version, /, *, allow_code=True)\n--\n\nWrite the value on the open file.",
        ),
        MethodDef::keywords(
            "load",
            load,
            "load($module, file, /, *, allow_code=True)\n--\n\nRead one value from the open file and return it.",
        ),
        MethodDef::keywords(
            "dumps",
            dumps,
            "dumps($module, value, version=version, /, *, allow_code=True)\n--\n\nReturn the bytes object that would be written to a file by dump(value, file).",
        ),
        MethodDef::keywords(
            "loads",
            loads,
            "loads($module, bytes, /, *, allow_code=True)\n--\n\nConvert the bytes-like object to a value.",
        ),
    ],
    types: &[],
    exec: Some(exec),
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    module.add_int(ts, "version", format::VERSION.into())
}

fn allows_code(ts: &ThreadState, value: Option<&PyObject>) -> PyResult<bool> {
    value.map_or(Ok(true), |value| protocol::is_true(ts, value))
}

fn version(ts: &ThreadState, value: Option<&PyObject>) -> PyResult<i32> {
    value.map_or(Ok(format::VERSION), |value| protocol::as_i32(ts, value))
}

fn audit_dump(ts: &ThreadState, value: &PyObject, wanted: Option<&PyObject>) -> PyResult<()> {
    crate::modules::sys::auditing::event_with(ts, "marshal.dumps", || {
        Ok([value.new_ref(), PyInt::from_i64(ts, version(ts, wanted)?.into())?])
    })
}

fn dumps(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("dumps", ["value", "version", "allow_code"], 2, 2, 1);
    let [value, wanted, allow] = SIGNATURE.parse(ts, args)?;
    if let Some(value) = value {
        audit_dump(ts, value, wanted)?;
    }
    let bytes =
        format::dump(ts, value.unwrap_or(crate::types::none::none()), version(ts, wanted)?, allows_code(ts, allow)?)?;
    Ok(PyBytes::new(ts, &bytes)?.into_object())
}

fn dump(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<4> = Signature::new("dump", ["value", "file", "version", "allow_code"], 3, 3, 2);
    let [Some(value), Some(file), wanted, allow] = SIGNATURE.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "dump() takes a value and a file");
    };
    audit_dump(ts, value, wanted)?;
    let bytes = format::dump(ts, value, version(ts, wanted)?, allows_code(ts, allow)?)?;
    let bytes = PyBytes::new(ts, &bytes)?;
    call::call_method(ts, file, id!(write), &[bytes.as_object()])
}

fn loads(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("loads", ["bytes", "allow_code"], 1, 1, 1);
    let [Some(data), allow] = SIGNATURE.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "loads() takes a bytes-like object");
    };
    let allow = allows_code(ts, allow)?;
    let view = buffer::Buffer::get(ts, data, buffer::SIMPLE)?;
    crate::modules::sys::auditing::event_with(ts, "marshal.loads", || {
        Ok([PyBytes::new(ts, view.as_slice())?.into_object()])
    })?;
    Ok(format::load_prefix(ts, view.as_slice(), allow)?.0)
}

fn load(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("load", ["file", "allow_code"], 1, 1, 1);
    let [Some(file), allow] = SIGNATURE.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "load() takes a file");
    };
    crate::modules::sys::auditing::event(ts, "marshal.load", &[])?;
    let allow = allows_code(ts, allow)?;
    // The value's length is known only when it has been read: the file is read whole, and set back to
    // behind the value where it can be.
    let before = call::call_method(ts, file, id!(tell), &[]);
    let before = match before {
        Ok(position) => Some(position),
        Err(raised) => {
            ts.clear_raised(raised);
            None
        }
    };
    let data = call::call_method(ts, file, id!(read), &[])?;
    let view = buffer::Buffer::get(ts, &data, buffer::SIMPLE)?;
    let (value, used) = format::load_prefix(ts, view.as_slice(), allow)?;
    if used < view.as_slice().len()
        && let Some(before) = before
    {
        let used = crate::types::int::PyInt::from_usize(ts, used)?;
        let position = protocol::add(ts, &before, &used)?;
        call::call_method(ts, file, id!(seek), &[&position])?;
    }
    Ok(value)
}
