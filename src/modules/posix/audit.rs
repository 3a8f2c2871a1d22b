//! Audit events of `os`: what a function is about to do, and to what.

use super::path::Path;
use crate::object::{PyObject, PyRef, PyResult};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::int::PyInt;
use crate::types::none::none;

/// What an event can tell of. The object is made only when somebody listens.
pub(super) trait Told {
    fn told(&self, ts: &ThreadState) -> PyResult;
}

impl Told for i64 {
    fn told(&self, ts: &ThreadState) -> PyResult {
        PyInt::from_i64(ts, *self)
    }
}

impl Told for i32 {
    fn told(&self, ts: &ThreadState) -> PyResult {
        PyInt::from_i64(ts, i64::from(*self))
    }
}

impl Told for u32 {
    fn told(&self, ts: &ThreadState) -> PyResult {
        PyInt::from_i64(ts, i64::from(*self))
    }
}

/// A name's bytes, without the NUL at their end.
impl Told for [u8] {
    fn told(&self, ts: &ThreadState) -> PyResult {
        Ok(PyBytes::new(ts, self.strip_suffix(b"\0").unwrap_or(self))?.into_object())
    }
}

/// The path as it was given; None for the current directory.
impl Told for Path {
    fn told(&self, ts: &ThreadState) -> PyResult {
        Ok(self.object.clone().unwrap_or_else(|| ts.none()))
    }
}

impl Told for Option<&PyObject> {
    fn told(&self, _ts: &ThreadState) -> PyResult {
        Ok(PyRef::from_borrowed(self.unwrap_or(none())))
    }
}

/// The directory that a path is relative to: -1 for the current one.
pub(super) struct At(pub i32);

impl Told for At {
    fn told(&self, ts: &ThreadState) -> PyResult {
        (if self.0 == libc::AT_FDCWD { -1 } else { self.0 }).told(ts)
    }
}

/// Tells the audit hooks of an event; the function returns what one of them raises.
macro_rules! audit {
    ($ts:expr, $event:literal $(, $value:expr)*) => {
        if $crate::modules::sys::auditing::is_heard($ts) {
            #[allow(unused_imports, reason = "an event may be without arguments")]
            use $crate::modules::posix::audit::Told as _;
            $crate::modules::sys::auditing::event($ts, $event, &[$(&*$value.told($ts)?),*])?;
        }
    };
}
pub(super) use audit;
