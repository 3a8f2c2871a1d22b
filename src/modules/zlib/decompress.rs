//! `zlib.decompressobj`.

use core::cell::{Cell, UnsafeCell};

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

/// What decompresses piece by piece.
#[repr(C)]
pub(super) struct PyDecompress {
    ob_base: PyObject,
    stream: UnsafeCell<z::z_stream>,
    /// What came after the end of the compressed data.
    unused_data: Slot<PyBytes>,
    /// What a limit left over.
    unconsumed_tail: Slot<PyBytes>,
    dictionary: Slot<PyObject>,
    eof: Cell<bool>,
    /// Whether the stream has a state to be ended.
    is_initialized: Cell<bool>,
}
crate::native!(PyDecompress, DECOMPRESS_TYPE);

const COPY_DOC: &str = "copy($self, /)\n--\n\nA copy of the decompression object.";

/// `zlib.Decompress`.
pub(super) static DECOMPRESS_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"zlib.Decompress",
    basicsize: size_of::<PyDecompress>(),
    flags: flags::DISALLOW_INSTANTIATION | flags::IMMUTABLE,
    slots: TypeSlots { dealloc: Some(dealloc), ..TypeSlots::EMPTY },
    methods: &[
        MethodDef::keywords(
            "decompress",
            decompress,
            "decompress($self, data, /, max_length=0)\n--\n\nDecompress data, to max_length bytes at most; what is left of it is in unconsumed_tail then.",
        ),
        MethodDef::positional(
            "flush",
            flush,
            "flush($self, length=zlib.DEF_BUF_SIZE, /)\n--\n\nThe rest of the decompressed data; length is the room to begin with.",
        ),
        MethodDef::no_args("copy", copy, COPY_DOC),
        MethodDef::no_args("__copy__", copy, "__copy__($self, /)\n--\n\n"),
        MethodDef::one("__deepcopy__", |ts, this, _| copy(ts, this), "__deepcopy__($self, memo, /)\n--\n\n"),
    ],
    getset: &[
        GetSetDef::get(
            "unused_data",
            |_, this| Ok(bytes_of(&this.cast::<PyDecompress>().unused_data).into_object()),
            "",
        ),
        GetSetDef::get(
            "unconsumed_tail",
            |_, this| Ok(bytes_of(&this.cast::<PyDecompress>().unconsumed_tail).into_object()),
            "",
        ),
        GetSetDef::get("eof", |_, this| Ok(py_bool(this.cast::<PyDecompress>().eof.get())), ""),
    ],
    ..TypeSpec::EMPTY
});

/// What a slot holds, an empty object for nothing.
pub(super) fn bytes_of(slot: &Slot<PyBytes>) -> Ref<PyBytes> {
    slot.get().unwrap_or_else(PyBytes::empty)
}

impl PyDecompress {
    fn allocate(ts: &ThreadState) -> PyResult<Ref<PyDecompress>> {
        let made = alloc::exact::<PyDecompress>(ts)?;
        // SAFETY: nobody else has the new object.
        unsafe { made.stream.get().write(stream::empty_stream(ts)) };
        Ok(made)
    }

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

    /// Keeps the input that has not been used.
    fn save_rest(&self, ts: &ThreadState, data: &[u8], left: usize, at_end: bool) -> PyResult<()> {
        let rest = &data[data.len() - left..];
        if at_end {
            if !rest.is_empty() {
                let unused = bytes_of(&self.unused_data);
                let joined = PyBytes::build(ts, unused.len() + rest.len(), |room| {
                    for (place, byte) in room.iter_mut().zip(unused.as_slice().iter().chain(rest)) {
                        place.write(*byte);
                    }
                })?;
                self.unused_data.set(Some(joined));
            }
            self.unconsumed_tail.set(None);
        } else {
            self.unconsumed_tail.set(Some(PyBytes::new(ts, rest)?));
        }
        Ok(())
    }
}

/// `zlib.decompressobj`.
pub(super) fn new(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [wbits, dictionary] = parse!(ts, args, "decompressobj", ["wbits", "zdict"], 0, 2, 0);
    let wbits = int_or(ts, wbits, MAX_WBITS)?;
    if dictionary.is_some_and(|dictionary| !buffer::has_buffer(dictionary)) {
        return raise!(ts, exc::TypeError, "zdict argument must support the buffer protocol");
    }
    let made = PyDecompress::allocate(ts)?;
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
    // SAFETY: called once, with an object of the type whose count is zero; the stream is its own.
    unsafe {
        let this = (*object).cast_unchecked::<PyDecompress>();
        if this.is_initialized.get() {
            z::inflateEnd(this.stream.get());
        }
        this.unused_data.set(None);
        this.unconsumed_tail.set(None);
        this.dictionary.set(None);
        alloc::free(ts, object);
    }
}

/// Decompresses all of the data as far as the limit allows; the result and how much is left, with the last status.
fn run(ts: &ThreadState, this: &PyDecompress, data: &[u8], output: &mut Output, flush: i32) -> PyResult<(usize, i32)> {
    let mut input = Input::new(data);
    loop {
        let last = input.next_part(this.stream());
        let flush = if last { flush } else { z::Z_SYNC_FLUSH };
        let mut status = z::Z_OK;
        loop {
            let stream = this.stream();
            if !output.give_room(ts, stream)? {
                return Ok((input.left(stream), status));
            }
            // SAFETY: the library checks the state; the input and output are there.
            status = unsafe { z::inflate(stream, flush) };
            output.take(stream);
            match status {
                z::Z_OK | z::Z_BUF_ERROR | z::Z_STREAM_END => {}
                z::Z_NEED_DICT => {
                    if !this.set_dictionary(ts)? {
                        return Ok((input.left(this.stream()), status));
                    }
                    continue;
                }
                _ => return Ok((input.left(stream), status)),
            }
            if stream.avail_out != 0 || status == z::Z_STREAM_END {
                break;
            }
        }
        if last || status == z::Z_STREAM_END {
            return Ok((input.left(this.stream()), status));
        }
    }
}

fn decompress(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let [data, limit] = parse!(ts, args, "decompress", ["", "max_length"], 1, 2, 1);
    let data = bytes_like(ts, data.unwrap_or(PyInt::zero()))?;
    let limit = match limit.map(|limit| system_size(ts, limit)).transpose()? {
        Some(limit) if limit < 0 => return raise!(ts, exc::ValueError, "max_length must be non-negative"),
        None | Some(0) => usize::MAX,
        Some(limit) => limit as usize,
    };
    let this = this.cast::<PyDecompress>();
    let mut output = Output::new(ts, DEF_BUF_SIZE.min(data.len().saturating_mul(4) + 64), limit)?;
    let (left, status) = run(ts, this, &data, &mut output, z::Z_SYNC_FLUSH)?;
    this.save_rest(ts, &data, left, status == z::Z_STREAM_END)?;
    match status {
        z::Z_STREAM_END => this.eof.set(true),
        z::Z_OK | z::Z_BUF_ERROR => {}
        z::Z_MEM_ERROR => return Err(ts.raise_no_memory()),
        _ => return stream::fail(ts, this.stream(), status, "while decompressing data"),
    }
    output.finish(ts)
}

fn flush(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "flush", args.len(), 0, 1)?;
    let length = args.first().map_or(Ok(DEF_BUF_SIZE as isize), |length| system_size(ts, length))?;
    if length <= 0 {
        return raise!(ts, exc::ValueError, "length must be greater than zero");
    }
    let this = this.cast::<PyDecompress>();
    let data = bytes_of(&this.unconsumed_tail);
    let mut output = Output::new(ts, length as usize, usize::MAX)?;
    let (left, status) = run(ts, this, data.as_slice(), &mut output, z::Z_FINISH)?;
    this.save_rest(ts, data.as_slice(), left, status == z::Z_STREAM_END)?;
    if status == z::Z_MEM_ERROR {
        return Err(ts.raise_no_memory());
    }
    if status == z::Z_STREAM_END {
        this.eof.set(true);
        this.is_initialized.set(false);
        // SAFETY: the stream was initialized.
        let status = unsafe { z::inflateEnd(this.stream()) };
        if status != z::Z_OK {
            return stream::fail(ts, this.stream(), status, "while finishing decompression");
        }
    }
    output.finish(ts)
}

fn copy(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = this.cast::<PyDecompress>();
    let made = PyDecompress::allocate(ts)?;
    if !this.is_initialized.get() {
        return raise!(ts, exc::ValueError, "Inconsistent stream state");
    }
    // SAFETY: the source is initialized, the copy's stream is nobody's yet.
    match unsafe { z::inflateCopy(made.stream.get(), this.stream.get()) } {
        z::Z_OK => {}
        z::Z_STREAM_ERROR => return raise!(ts, exc::ValueError, "Inconsistent stream state"),
        z::Z_MEM_ERROR => return raise!(ts, exc::MemoryError, "Can't allocate memory for decompression object"),
        status => return stream::fail(ts, this.stream(), status, "while copying decompression object"),
    }
    made.is_initialized.set(true);
    made.unused_data.set(this.unused_data.get());
    made.unconsumed_tail.set(this.unconsumed_tail.get());
    made.dictionary.set(this.dictionary.get());
    made.eof.set(this.eof.get());
    Ok(made.into_object())
}
