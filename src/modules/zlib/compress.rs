//! `zlib.compressobj`.

use core::cell::{Cell, UnsafeCell};

use libz_rs_sys as z;

use super::stream::{self, Input, Output};
use super::{DEF_BUF_SIZE, MAX_WBITS};
use crate::modules::posix::system::{int_or, parse};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::{PyBytes, bytes_like};
use crate::types::exceptions as exc;
use crate::types::none::is_none;

/// What compresses piece by piece.
#[repr(C)]
pub(super) struct PyCompress {
    ob_base: PyObject,
    stream: UnsafeCell<z::z_stream>,
    /// Whether the stream has a state to be ended.
    is_initialized: Cell<bool>,
}
crate::native!(PyCompress, COMPRESS_TYPE);

const COPY_DOC: &str = "copy($self, /)\n--\n\nA copy of the compression object.";

/// `zlib.Compress`.
pub(super) static COMPRESS_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"zlib.Compress",
    basicsize: size_of::<PyCompress>(),
    flags: flags::DISALLOW_INSTANTIATION | flags::IMMUTABLE,
    slots: TypeSlots { dealloc: Some(dealloc), ..TypeSlots::EMPTY },
    methods: &[
        MethodDef::one(
            "compress",
            compress,
            "compress($self, data, /)\n--\n\nCompress data. The result is what is ready; the rest comes with later calls or flush().",
        ),
        MethodDef::positional(
            "flush",
            flush,
            "flush($self, mode=zlib.Z_FINISH, /)\n--\n\nThe rest of the compressed data. After Z_FINISH the object cannot be used any more.",
        ),
        MethodDef::no_args("copy", copy, COPY_DOC),
        MethodDef::no_args("__copy__", copy, "__copy__($self, /)\n--\n\n"),
        MethodDef::one("__deepcopy__", |ts, this, _| copy(ts, this), "__deepcopy__($self, memo, /)\n--\n\n"),
    ],
    ..TypeSpec::EMPTY
});

impl PyCompress {
    fn allocate(ts: &ThreadState) -> PyResult<Ref<PyCompress>> {
        let made = alloc::exact::<PyCompress>(ts)?;
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
}

/// `zlib.compressobj`.
pub(super) fn new(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [level, method, wbits, mem_level, strategy, dictionary] =
        parse!(ts, args, "compressobj", ["level", "method", "wbits", "memLevel", "strategy", "zdict"], 0, 6, 0);
    let level = int_or(ts, level, z::Z_DEFAULT_COMPRESSION)?;
    let method = int_or(ts, method, z::Z_DEFLATED)?;
    let wbits = int_or(ts, wbits, MAX_WBITS)?;
    let mem_level = int_or(ts, mem_level, 8)?;
    let strategy = int_or(ts, strategy, z::Z_DEFAULT_STRATEGY)?;
    let dictionary = dictionary.filter(|zdict| !is_none(zdict)).map(|zdict| bytes_like(ts, zdict)).transpose()?;
    let made = PyCompress::allocate(ts)?;
    let stream = made.stream();
    match stream::start_deflate(stream, level, method, wbits, mem_level, strategy) {
        z::Z_OK => made.is_initialized.set(true),
        z::Z_MEM_ERROR => return raise!(ts, exc::MemoryError, "Can't allocate memory for compression object"),
        z::Z_STREAM_ERROR => return raise!(ts, exc::ValueError, "Invalid initialization option"),
        status => return stream::fail(ts, stream, status, "while creating compression object"),
    }
    if let Some(dictionary) = dictionary {
        let Ok(length) = u32::try_from(dictionary.len()) else {
            return raise!(ts, exc::OverflowError, "zdict length does not fit in an unsigned int");
        };
        // SAFETY: the stream is initialized, the dictionary is read only.
        match unsafe { z::deflateSetDictionary(stream, dictionary.as_ptr(), length) } {
            z::Z_OK => {}
            z::Z_STREAM_ERROR => return raise!(ts, exc::ValueError, "Invalid dictionary"),
            _ => return raise!(ts, exc::ValueError, "deflateSetDictionary()"),
        }
    }
    Ok(made.into_object())
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, with an object of the type whose count is zero; the stream is its own.
    unsafe {
        let this = (*object).cast_unchecked::<PyCompress>();
        if this.is_initialized.get() {
            z::deflateEnd(this.stream.get());
        }
        alloc::free(ts, object);
    }
}

fn compress(ts: &ThreadState, this: &PyObject, data: &PyObject) -> PyResult {
    let data = bytes_like(ts, data)?;
    let stream = this.cast::<PyCompress>().stream();
    let mut input = Input::new(&data);
    let mut output = Output::new(ts, DEF_BUF_SIZE.min(data.len() / 2 + 64), usize::MAX)?;
    loop {
        let last = input.next_part(stream);
        loop {
            output.give_room(ts, stream)?;
            // SAFETY: the library checks the state; the input and output are there.
            let status = unsafe { z::deflate(stream, z::Z_NO_FLUSH) };
            if status == z::Z_STREAM_ERROR {
                return stream::fail(ts, stream, status, "while compressing data");
            }
            output.take(stream);
            if stream.avail_out != 0 {
                break;
            }
        }
        if last {
            return output.finish(ts);
        }
    }
}

fn flush(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "flush", args.len(), 0, 1)?;
    let mode = int_or(ts, args.first().copied(), z::Z_FINISH)?;
    if mode == z::Z_NO_FLUSH {
        return Ok(PyBytes::empty().into_object());
    }
    let this = this.cast::<PyCompress>();
    let stream = this.stream();
    Input::new(&[]).next_part(stream);
    let mut output = Output::new(ts, DEF_BUF_SIZE, usize::MAX)?;
    let mut status;
    loop {
        output.give_room(ts, stream)?;
        // SAFETY: the library checks the state; the output is there.
        status = unsafe { z::deflate(stream, mode) };
        if status == z::Z_STREAM_ERROR {
            return stream::fail(ts, stream, status, "while flushing");
        }
        output.take(stream);
        if stream.avail_out != 0 {
            break;
        }
    }
    match status {
        z::Z_STREAM_END if mode == z::Z_FINISH => {
            this.is_initialized.set(false);
            // SAFETY: the stream was initialized.
            let status = unsafe { z::deflateEnd(stream) };
            if status != z::Z_OK {
                return stream::fail(ts, stream, status, "while finishing compression");
            }
        }
        z::Z_OK | z::Z_STREAM_END | z::Z_BUF_ERROR => {}
        _ => return stream::fail(ts, stream, status, "while flushing"),
    }
    output.finish(ts)
}

fn copy(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = this.cast::<PyCompress>();
    let made = PyCompress::allocate(ts)?;
    if !this.is_initialized.get() {
        return raise!(ts, exc::ValueError, "Inconsistent stream state");
    }
    // SAFETY: the source is initialized, the copy's stream is nobody's yet.
    match unsafe { z::deflateCopy(made.stream.get(), this.stream.get()) } {
        z::Z_OK => {}
        z::Z_STREAM_ERROR => return raise!(ts, exc::ValueError, "Inconsistent stream state"),
        z::Z_MEM_ERROR => return raise!(ts, exc::MemoryError, "Can't allocate memory for compression object"),
        status => return stream::fail(ts, this.stream(), status, "while copying compression object"),
    }
    made.is_initialized.set(true);
    Ok(made.into_object())
}
