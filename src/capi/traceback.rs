//! Tracebacks. Declared in `traceback.h`.

use core::ffi::c_int;

use super::convert::bad_internal_call;
use crate::capi;
use crate::object::{AsObject, PyObject, protocol};
use crate::types::frame::PyFrame;
use crate::types::none::is_none;
use crate::types::traceback::{self, PyTraceback};

capi! {
    /// Adds a frame to the traceback of the raised exception.
    fn PyTraceBack_Here(ts, frame: &PyFrame) -> () {
        let Some(error) = ts.current_exception.take() else { return bad_internal_call(ts, "PyTraceBack_Here") };
        let line = frame.lineno().unwrap_or(0);
        let added = traceback::add(ts, &error, frame.new_ref(), frame.lasti(), line);
        ts.current_exception.set(Some(error));
        if let Err(raised) = added {
            // The exception without the entry is worth more than the failure to add it.
            let _ = raised;
        }
        Ok(())
    }

    /// Writes a traceback to a Python file.
    fn PyTraceBack_Print(ts, trace: &PyObject, file: &PyObject) -> () {
        if is_none(trace) {
            return Ok(());
        }
        let Some(trace) = trace.downcast::<PyTraceback>() else { return bad_internal_call(ts, "PyTraceBack_Print") };
        let mut text = crate::types::str::StrBuilder::new();
        text.push_str("Traceback (most recent call last):\n")?;
        crate::lifecycle::print::push_stack(ts, &mut text, trace, crate::lifecycle::print::Detail::Line, crate::lifecycle::print::Paint::PLAIN)?;
        let text = text.finish(ts)?;
        protocol::call_named(ts, file, "write", &[text.as_object()]).map(drop)
    }
}

/// Whether the object is a traceback.
///
/// # Safety
///
/// `object` is an object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_TracebackCheck(object: *mut PyObject) -> c_int {
    // SAFETY: as promised.
    unsafe { (*object).is_a::<PyTraceback>() }.into()
}
