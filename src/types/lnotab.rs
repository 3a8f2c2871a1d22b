//! `co_lnotab`: a code object's lines as versions before 3.10 kept them.

use hognose_allocators::collections::TryVec;

use crate::object::{PyObject, PyResult};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::code::PyCode;
use crate::types::exceptions as exc;

/// The line table in its oldest form: pairs of steps, of bytes and of lines.
pub fn co_lnotab(ts: &ThreadState, object: &PyObject) -> PyResult {
    exc::warn(ts, &exc::DeprecationWarning, "co_lnotab is deprecated, use co_lines instead.", 1)?;
    let code = object.cast::<PyCode>();
    code.make_whole(ts)?;
    let mut table = TryVec::<u8>::new();
    let (mut at, mut line) = (0, code.co_firstlineno);
    for location in code.locations() {
        let Some(next) = location.line.filter(|next| *next != line) else { continue };
        let mut bytes = location.start * 2 - at;
        let mut lines = next - line;
        while bytes > 255 {
            table.try_extend_from_slice(&[255, 0])?;
            bytes -= 255;
        }
        while !(-128..=127).contains(&lines) {
            let step = lines.clamp(-128, 127);
            table.try_extend_from_slice(&[bytes as u8, step as i8 as u8])?;
            (bytes, lines) = (0, lines - step);
        }
        table.try_extend_from_slice(&[bytes as u8, lines as i8 as u8])?;
        (at, line) = (location.start * 2, next);
    }
    Ok(PyBytes::new(ts, &table)?.into_object())
}
