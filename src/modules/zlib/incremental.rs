//! `zlib._ZlibDecompressor`: a decompressor with the interface of those of bz2 and lzma, which keeps its input itself.

use core::cell::{Cell, UnsafeCell};

use hognose_allocators::collections::TryVec;
use libz_rs_sys as z;

use super::stream::{self, Input, Output};
use super::{DEF_BUF_SIZE, MAX_WBITS, system_size};
use crate::modules::posix::system::{int_or, parse};
use crate::object::buffer;
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::{PyBytes, bytes_like};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;

/// A decompressor that keeps what it has not used.
#[repr(C)]
pub(super) struct PyDecompressor {
    ob_base: PyObject,
    stream: UnsafeCell<z::z_stream>,
    dictionary: Slot<PyObject>,
    unused_data: Slot<PyBytes>,
    /// Input for the next call.
    kept: UnsafeCell<TryVec<u8>>,
    eof: Cell<bool>,
    needs_input: Cell<bool>,
    is_initialized: Cell<bool>,
}
crate::native!(PyDecompressor, DECOMPRESSOR_TYPE);

/// `zlib._ZlibDecompressor`.
pub(super) static DECOMPRESSOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"zlib._ZlibDecompressor",
    basicsize: size_of::<PyDecompressor>(),
    flags: flags::IMMUTABLE,
    doc: "_ZlibDecompressor(wbits=15, zdict=b'')\n--\n\nA decompressor for data that comes piece by piece.",
    slots: TypeSlots { new: Some(new), dealloc: Some(dealloc), ..TypeSlots::EMPTY },
    methods: &[MethodDef::keywords(
        "decompress",
        decompress,
        "decompress($self, /, data, max_length=-1)\n--\n\nDecompress data, to max_length bytes at most when that is not negative; needs_input tells\nwhether there is more to get without new data. After the end of the stream it raises EOFError.",
    )],
    getset: &[
        GetSetDef::get(
            "eof",
            |_, this| Ok(py_bool(this.cast::<PyDecompressor>().eof.get())),
            "True if the end-of-stream marker has been reached.",
        ),
        GetSetDef::get(
            "unused_data",
            |_, this| Ok(super::decompress::bytes_of(&this.cast::<PyDecompressor>().unused_data).into_object()),
            "Data found after the end of the compressed stream.",
        ),
        GetSetDef::get(
            "needs_input",
            |_, this| Ok(py_bool(this.cast::<PyDecompressor>().needs_input.get())),
            "True if more input is needed before more decompressed data can be produced.",
        ),
    ],
    ..TypeSpec::EMPTY
});

impl PyDecompressor {
    /// The stream; the library runs no Python code, and nobody keeps the result across what does.
    #[allow(clippy::mut_from_ref, reason = "the object is used under the interpreter's lock")]
    fn stream(&self) -> &mut z::z_stream {
        // SAFETY: as said, the result is the only reference.
        unsafe { &mut *self.stream.get() }
    }

    fn set_dictionary(&self, ts: &ThreadState) -> PyResult<bool> {
        let Some(dictionary) = self.dictionary.get() else { return Ok(false) };
        let dictionary = bytes_like(ts, &dictionary)?;
        stream::set_inflate_dictionary(ts, self.stream(), &dictionary)?;
        Ok(true)
    }
}

fn new(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let [wbits, dictionary] = parse!(ts, args, "_ZlibDecompressor", ["wbits", "zdict"], 0, 2, 0);
    let wbits = int_or(ts, wbits, MAX_WBITS)?;
    if dictionary.is_some_and(|dictionary| !buffer::has_buffer(dictionary)) {
        return raise!(ts, exc::TypeError, "zdict argument must support the buffer protocol");
    }
    let made = alloc::object::<PyDecompressor>(ts, typ)?;
    // SAFETY: nobody else has the new object.
    unsafe {
        made.stream.get().write(stream::empty_stream(ts));
        made.kept.get().write(TryVec::new());
    }
    made.needs_input.set(true);
    made.dictionary.set(dictionary.map(AsObject::new_ref));
    stream::begin_inflate(ts, made.stream(), wbits)?;
    made.is_initialized.set(true);
    if wbits < 0 {
        // Plain data does not ask for its dictionary.
        made.set_dictionary(ts)?;
    }
    Ok(made.into_object())
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, with an object of the type whose count is zero; the stream and the data are its own.
    unsafe {
        let this = (*object).cast_unchecked::<PyDecompressor>();
        if this.is_initialized.get() {
            z::inflateEnd(this.stream.get());
        }
        this.dictionary.set(None);
        this.unused_data.set(None);
        core::ptr::drop_in_place(this.kept.get());
        alloc::free(ts, object);
    }
}

fn decompress(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let [data, limit] = parse!(ts, args, "decompress", ["data", "max_length"], 0, 2, 1);
    let data = bytes_like(ts, data.unwrap_or(PyInt::zero()))?;
    let limit = limit.map_or(Ok(-1), |limit| system_size(ts, limit))?;
    let this = this.cast::<PyDecompressor>();
    if this.eof.get() {
        return raise!(ts, exc::EOFError, "End of stream already reached");
    }
    // What was kept goes first. It is taken out, so that nothing else can change it meanwhile.
    // SAFETY: no reference into the cell outlives the statement.
    let mut kept = core::mem::take(unsafe { &mut *this.kept.get() });
    let input = if kept.is_empty() {
        &*data
    } else {
        kept.try_extend_from_copy(&data)?;
        &kept[..]
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut output = Output::new(ts, DEF_BUF_SIZE.min(input.len().saturating_mul(4) + 64), limit)?;
    let (left, status, is_full) = run(ts, this, input, &mut output)?;
    let rest = &input[input.len() - left..];
    match status {
        z::Z_STREAM_END => {
            this.eof.set(true);
            this.needs_input.set(false);
            this.unused_data.set(Some(PyBytes::new(ts, rest)?));
        }
        z::Z_OK | z::Z_BUF_ERROR => {
            this.needs_input.set(rest.is_empty() && !is_full);
            let rest = TryVec::try_from_slice(rest)?;
            // SAFETY: no reference into the cell outlives the statement.
            unsafe { *this.kept.get() = rest };
        }
        z::Z_MEM_ERROR => return Err(ts.raise_no_memory()),
        _ => return stream::fail(ts, this.stream(), status, "while decompressing data"),
    }
    output.finish(ts)
}

/// How much is left of the input, the last status, and whether output may be waiting for want of room.
fn run(ts: &ThreadState, this: &PyDecompressor, data: &[u8], output: &mut Output) -> PyResult<(usize, i32, bool)> {
    let mut input = Input::new(data);
    loop {
        let last = input.next_part(this.stream());
        let mut status = z::Z_OK;
        loop {
            let stream = this.stream();
            if !output.give_room(ts, stream)? {
                return Ok((input.left(stream), status, true));
            }
            // SAFETY: the stream is initialized, the input and output are there.
            status = unsafe { z::inflate(stream, z::Z_SYNC_FLUSH) };
            output.take(stream);
            match status {
                z::Z_OK | z::Z_BUF_ERROR | z::Z_STREAM_END => {}
                z::Z_NEED_DICT => {
                    if !this.set_dictionary(ts)? {
                        return Ok((input.left(this.stream()), status, false));
                    }
                    continue;
                }
                _ => return Ok((input.left(stream), status, false)),
            }
            if stream.avail_out != 0 || status == z::Z_STREAM_END {
                break;
            }
        }
        if last || status == z::Z_STREAM_END {
            return Ok((input.left(this.stream()), status, false));
        }
    }
}
