//! marshal's form in C streams. Declared in `marshal.h`.

use core::ffi::{c_int, c_long};

use super::convert::Void;
use super::pythonrun::read_stream;
use crate::capi;
use crate::code::marshal;
use crate::object::{PyObject, PyRef, PyResult};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;

fn os_error<T>(ts: &ThreadState) -> PyResult<T> {
    Err(exc::raise_os_error(ts, super::pyerrors::errno(), None))
}

fn write(ts: &ThreadState, stream: *mut libc::FILE, bytes: &[u8]) -> PyResult<()> {
    // SAFETY: the bytes are readable, the stream is the caller's.
    let written = unsafe { libc::fwrite(bytes.as_ptr().cast(), 1, bytes.len(), stream) };
    if written == bytes.len() { Ok(()) } else { os_error(ts) }
}

/// Exactly that many bytes. EOFError when there are fewer.
fn read<const N: usize>(ts: &ThreadState, stream: *mut libc::FILE) -> PyResult<[u8; N]> {
    let mut bytes = [0; N];
    // SAFETY: the array has that much room, the stream is the caller's.
    let (got, failed) = unsafe { (libc::fread(bytes.as_mut_ptr().cast(), 1, N, stream), libc::ferror(stream) != 0) };
    match got {
        _ if got == N => Ok(bytes),
        _ if failed => os_error(ts),
        _ => raise!(ts, exc::EOFError, "EOF read where data expected"),
    }
}

capi! {
    /// Writes the lower four bytes of a number.
    fn PyMarshal_WriteLongToFile(ts, number: c_long, stream: *mut libc::FILE, _version: c_int) -> Void {
        write(ts, stream, &(number as i32).to_le_bytes())?;
        Ok(Void)
    }

    /// Writes an object.
    fn PyMarshal_WriteObjectToFile(ts, object: &PyObject, stream: *mut libc::FILE, version: c_int) -> Void {
        let bytes = marshal::dump(ts, object, version, true)?;
        write(ts, stream, &bytes)?;
        Ok(Void)
    }

    /// Reads a number of four bytes; -1 with an exception when they are not there.
    fn PyMarshal_ReadLongFromFile(ts, stream: *mut libc::FILE) -> c_long {
        Ok(i32::from_le_bytes(read(ts, stream)?).into())
    }

    /// Reads a number of two bytes; -1 with an exception when they are not there.
    fn PyMarshal_ReadShortFromFile(ts, stream: *mut libc::FILE) -> c_int {
        Ok(i16::from_le_bytes(read(ts, stream)?).into())
    }

    /// Reads an object, and leaves the stream behind it: OSError for one that cannot be set to a place.
    fn PyMarshal_ReadObjectFromFile(ts, stream: *mut libc::FILE) -> PyRef {
        // SAFETY: the stream is the caller's.
        let start = unsafe { libc::ftell(stream) };
        if start < 0 {
            return os_error(ts);
        }
        // SAFETY: as above.
        let bytes = unsafe { read_stream(ts, stream)? };
        let (object, used) = marshal::load_prefix(ts, &bytes, true)?;
        // SAFETY: as above.
        if unsafe { libc::fseek(stream, start + used as c_long, libc::SEEK_SET) } != 0 {
            return os_error(ts);
        }
        Ok(object)
    }

    /// Reads an object that nothing follows: the stream may be left anywhere behind it.
    fn PyMarshal_ReadLastObjectFromFile(ts, stream: *mut libc::FILE) -> PyRef {
        // SAFETY: the stream is the caller's.
        let bytes = unsafe { read_stream(ts, stream)? };
        marshal::load(ts, &bytes)
    }
}
