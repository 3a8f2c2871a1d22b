//! A function that is told of each object that begins or ends. Declared in `reftrace.h`.

use core::ffi::{c_int, c_void};

use crate::capi;
use crate::object::reftrace::{self, Tracer};

capi! {
    /// Makes a function the tracer of the process; null is none.
    fn PyRefTracer_SetTracer(_ts, tracer: Option<Tracer>, data: *mut c_void) -> c_int {
        reftrace::set(tracer, data)?;
        Ok(0)
    }
}

/// The tracer and its data; null and null if there is none.
///
/// # Safety
/// `data` can be written to, or is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyRefTracer_GetTracer(data: *mut *mut c_void) -> Option<Tracer> {
    let found = reftrace::get();
    // SAFETY: as promised.
    if let Some(data) = unsafe { data.as_mut() } {
        *data = found.map_or(core::ptr::null_mut(), |(_, data)| data);
    }
    found.map(|(tracer, _)| tracer)
}
