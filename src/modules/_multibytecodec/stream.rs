//! `MultibyteStreamReader` and `MultibyteStreamWriter`.

use super::Text;
use super::incremental::{CODER_TYPE, PyCoder};
use crate::object::{
    AsObject, GetSetDef, MethodDef, PyObject, PyResult, Ref, Signature, StaticType, TypeSlots, TypeSpec, flags,
    protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::str::PyStr;

/// `_multibytecodec.MultibyteStreamReader`.
pub(super) static READER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_multibytecodec.MultibyteStreamReader",
    basicsize: size_of::<PyCoder>(),
    base: Some(&CODER_TYPE),
    flags: flags::HAVE_GC | flags::BASETYPE,
    slots: TypeSlots {
        new: Some(|ts, of, args| {
            static SIGNATURE: Signature<2> = Signature::new("StreamReader", ["stream", "errors"], 0, 2, 1);
            let [stream, errors] = SIGNATURE.parse(ts, args)?;
            PyCoder::make(ts, of, stream, errors, true)
        }),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::positional(
            "read",
            |ts, this, args| read(ts, coder(this), "read", args),
            "read($self, sizeobj=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "readline",
            |ts, this, args| read(ts, coder(this), "readline", args),
            "readline($self, sizeobj=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "readlines",
            |ts, this, args| {
                let text = read(ts, coder(this), "read", args)?;
                let lines = text.cast::<PyStr>().split_lines(ts, true)?;
                PyList::from_vec(ts, lines).map(Ref::into_object)
            },
            "readlines($self, sizehintobj=None, /)\n--\n\n",
        ),
        MethodDef::no_args(
            "reset",
            |ts, this| {
                coder(this).reset_decoder(ts)?;
                Ok(ts.none())
            },
            "reset($self, /)\n--\n\n",
        ),
    ],
    getset: &[GetSetDef::get("stream", stream, "")],
    ..TypeSpec::EMPTY
});

/// `_multibytecodec.MultibyteStreamWriter`.
pub(super) static WRITER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_multibytecodec.MultibyteStreamWriter",
    basicsize: size_of::<PyCoder>(),
    base: Some(&CODER_TYPE),
    flags: flags::HAVE_GC | flags::BASETYPE,
    slots: TypeSlots {
        new: Some(|ts, of, args| {
            static SIGNATURE: Signature<2> = Signature::new("StreamWriter", ["stream", "errors"], 0, 2, 1);
            let [stream, errors] = SIGNATURE.parse(ts, args)?;
            PyCoder::make(ts, of, stream, errors, false)
        }),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one(
            "write",
            |ts, this, text| {
                write(ts, coder(this), text)?;
                Ok(ts.none())
            },
            "write($self, strobj, /)\n--\n\n",
        ),
        MethodDef::one("writelines", write_lines, "writelines($self, lines, /)\n--\n\n"),
        MethodDef::no_args("reset", reset_writer, "reset($self, /)\n--\n\n"),
    ],
    getset: &[GetSetDef::get("stream", stream, "")],
    ..TypeSpec::EMPTY
});

fn coder(object: &PyObject) -> &PyCoder {
    object.cast()
}

fn stream(ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(coder(this).stream.get().unwrap_or_else(|| ts.none()))
}

/// Reads by a method of the stream. With a size, that is how many bytes are asked for; as many more as it takes to have one
/// character.
fn read(ts: &ThreadState, coder: &PyCoder, method: &str, args: &[&PyObject]) -> PyResult {
    let mut size = match args {
        [] => -1,
        [size] if is_none(size) => -1,
        [size] if size.is_a::<PyInt>() => protocol::as_isize(ts, size)?,
        [_] => return raise!(ts, exc::TypeError, "arg 1 must be an integer"),
        _ => return raise!(ts, exc::TypeError, "{method} expected at most 1 argument, got {}", args.len()),
    };
    let mut text = Text::new();
    if size == 0 {
        return text.finish(ts).map(Ref::into_object);
    }
    let stream = coder.stream.get().unwrap_or_else(|| ts.none());
    loop {
        let bytes = if size < 0 {
            protocol::call_named(ts, &stream, method, &[])?
        } else {
            let size = PyInt::from_isize(ts, size)?;
            protocol::call_named(ts, &stream, method, &[&size])?
        };
        let Some(bytes) = bytes.downcast::<PyBytes>() else {
            return raise!(ts, exc::TypeError, "stream function returned a non-bytes object ({})", bytes.type_name());
        };
        let bytes = bytes.as_slice();
        coder.decode(ts, bytes, bytes.is_empty() || size < 0, &mut text)?;
        if size < 0 || !text.is_empty() || bytes.is_empty() {
            return text.finish(ts).map(Ref::into_object);
        }
        size = 1;
    }
}

fn write(ts: &ThreadState, coder: &PyCoder, text: &PyObject) -> PyResult<()> {
    let bytes = coder.encode(ts, text, false)?;
    let stream = coder.stream.get().unwrap_or_else(|| ts.none());
    protocol::call_named(ts, &stream, "write", &[bytes.as_object()])?;
    Ok(())
}

fn write_lines(ts: &ThreadState, this: &PyObject, lines: &PyObject) -> PyResult {
    let mut at = 0;
    while at < protocol::length(ts, lines)? {
        let index = PyInt::from_usize(ts, at)?;
        let line = protocol::getitem(ts, lines, &index)?;
        write(ts, coder(this), &line)?;
        at += 1;
    }
    Ok(ts.none())
}

/// Writes what was left, and what brings the state back to the beginning.
fn reset_writer(ts: &ThreadState, this: &PyObject) -> PyResult {
    let coder = coder(this);
    if coder.text.get().is_none() {
        return Ok(ts.none());
    }
    let nothing = PyStr::empty();
    let bytes = coder.encode(ts, nothing.as_object(), true);
    // Also when it cannot be encoded.
    coder.text.set(None);
    let bytes = bytes?;
    if bytes.len() > 0 {
        let stream = coder.stream.get().unwrap_or_else(|| ts.none());
        protocol::call_named(ts, &stream, "write", &[bytes.as_object()])?;
    }
    Ok(ts.none())
}
