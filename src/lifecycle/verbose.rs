//! `-v`: what is told of start and end on standard error. What importing tells, importlib itself says, by `print`, and
//! that before there are streams: until then `sys.stderr` is an object that writes straight to the descriptor.

use core::fmt::{Arguments, Write};

use crate::config::output::Output;
use crate::id;
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::PyStr;

/// Writes a line, with `-v` once for level 1 and twice for level 2.
#[inline]
pub fn note(ts: &ThreadState, level: i32, line: Arguments<'_>) {
    if ts.interp().config().verbose >= level {
        write_line(line);
    }
}

#[cold]
fn write_line(line: Arguments<'_>) {
    // Writing to `Output` cannot fail.
    let _ = writeln!(Output::stderr(), "{line}");
}

/// `sys.stderr` before there are streams.
#[repr(C)]
struct PyEarlyStderr {
    ob_base: PyObject,
}
crate::native!(PyEarlyStderr, EARLY_STDERR_TYPE);

static EARLY_STDERR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"stderrprinter",
    basicsize: size_of::<PyEarlyStderr>(),
    flags: flags::DISALLOW_INSTANTIATION | flags::IMMUTABLE,
    slots: TypeSlots { dealloc: Some(dealloc), ..TypeSlots::EMPTY },
    methods: &[
        MethodDef::one("write", write, "write($self, text, /)\n--\n\nWrite text to the descriptor."),
        MethodDef::no_args("flush", |ts, _| Ok(ts.none()), "flush($self, /)\n--\n\nNothing is held back."),
        MethodDef::no_args("fileno", |ts, _| PyInt::from_i64(ts, 2), "fileno($self, /)\n--\n\nThe descriptor."),
        MethodDef::no_args(
            "isatty",
            // SAFETY: the call only looks.
            |_, _| Ok(py_bool(unsafe { libc::isatty(2) } != 0)),
            "isatty($self, /)\n--\n\nWhether it is a terminal.",
        ),
    ],
    ..TypeSpec::EMPTY
});

/// # Safety
/// As for every `DeallocFn`.
unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, with an object of the type, which owns nothing.
    unsafe { alloc::free(ts, object) }
}

fn write(ts: &ThreadState, _: &PyObject, text: &PyObject) -> PyResult {
    let Some(text) = text.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "write() argument must be str, not {}", text.type_name());
    };
    // Writing to `Output` cannot fail.
    let _ = write!(Output::stderr(), "{text}");
    PyInt::from_usize(ts, text.len())
}

/// Gives `print` something to write to, if anything is to be told.
pub fn begin(ts: &ThreadState) -> PyResult<()> {
    if ts.interp().config().verbose <= 0 {
        return Ok(());
    }
    let Some(sys) = ts.interp().sys_dict.get() else { return Ok(()) };
    ready::ready_static(ts, &EARLY_STDERR_TYPE)?;
    let stderr = alloc::exact::<PyEarlyStderr>(ts)?;
    sys.set_str(ts, id!(stderr), stderr.as_object())
}
