//! `zlib`: compression as gzip and zip have it.
//!
//! The work is done by zlib-rs through zlib's own interface, the one that takes an allocator: a stream's memory is
//! the interpreter's like everything else, and its want is a MemoryError.

mod compress;
mod decompress;
mod incremental;
mod stream;

use libz_rs_sys as z;

use self::stream::{Input, Output};
use crate::modules::ModuleSpec;
use crate::modules::posix::system::{int_or, parse};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::bytes_like;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::module::PyModule;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "zlib",
    doc: "Compression and decompression in the formats zlib, gzip and plain deflate.",
    methods: &[
        MethodDef::keywords(
            "compress",
            compress_function,
            "compress($module, data, /, level=Z_DEFAULT_COMPRESSION, wbits=MAX_WBITS)\n--\n\nThe data, compressed.",
        ),
        MethodDef::keywords(
            "decompress",
            decompress_function,
            "decompress($module, data, /, wbits=MAX_WBITS, bufsize=DEF_BUF_SIZE)\n--\n\nThe data, decompressed. wbits says which format is expected, bufsize how large the result will about be.",
        ),
        MethodDef::keywords(
            "compressobj",
            compress::new,
            "compressobj($module, /, level=Z_DEFAULT_COMPRESSION, method=DEFLATED,\n            wbits=MAX_WBITS, memLevel=DEF_MEM_LEVEL,\n            strategy=Z_DEFAULT_STRATEGY, zdict=None)\n--\n\nAn object that compresses data piece by piece.",
        ),
        MethodDef::keywords(
            "decompressobj",
            decompress::new,
            "decompressobj($module, /, wbits=MAX_WBITS, zdict=b'')\n--\n\nAn object that decompresses data piece by piece.",
        ),
        MethodDef::positional(
            "crc32",
            crc32,
            "crc32($module, data, value=0, /)\n--\n\nThe CRC-32 checksum of the data, going on from value.",
        ),
        MethodDef::positional(
            "adler32",
            adler32,
            "adler32($module, data, value=1, /)\n--\n\nThe Adler-32 checksum of the data, going on from value.",
        ),
    ],
    types: &[&incremental::DECOMPRESSOR_TYPE],
    exec: Some(exec),
};

/// `zlib.error`.
pub(super) static ERROR: StaticType = StaticType::new(exc::plain(c"zlib.error", &exc::Exception, ""));

/// The room that output begins with.
const DEF_BUF_SIZE: usize = 16384;
/// The largest window, and the format zlib.
const MAX_WBITS: i32 = 15;

static CONSTANTS: &[(&str, i32)] = &[
    ("MAX_WBITS", MAX_WBITS),
    ("DEFLATED", z::Z_DEFLATED),
    ("DEF_MEM_LEVEL", 8),
    ("DEF_BUF_SIZE", DEF_BUF_SIZE as i32),
    ("Z_NO_COMPRESSION", z::Z_NO_COMPRESSION),
    ("Z_BEST_SPEED", z::Z_BEST_SPEED),
    ("Z_BEST_COMPRESSION", z::Z_BEST_COMPRESSION),
    ("Z_DEFAULT_COMPRESSION", z::Z_DEFAULT_COMPRESSION),
    ("Z_FILTERED", z::Z_FILTERED),
    ("Z_HUFFMAN_ONLY", z::Z_HUFFMAN_ONLY),
    ("Z_RLE", z::Z_RLE),
    ("Z_FIXED", z::Z_FIXED),
    ("Z_DEFAULT_STRATEGY", z::Z_DEFAULT_STRATEGY),
    ("Z_NO_FLUSH", z::Z_NO_FLUSH),
    ("Z_PARTIAL_FLUSH", z::Z_PARTIAL_FLUSH),
    ("Z_SYNC_FLUSH", z::Z_SYNC_FLUSH),
    ("Z_FULL_FLUSH", z::Z_FULL_FLUSH),
    ("Z_FINISH", z::Z_FINISH),
    ("Z_BLOCK", z::Z_BLOCK),
    ("Z_TREES", z::Z_TREES),
];

/// A size that an argument says, with the words of C for one that is too large.
fn system_size(ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    protocol::index(ts, object)?.to_isize(ts)
}

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    ready::ready_static(ts, &compress::COMPRESS_TYPE)?;
    ready::ready_static(ts, &decompress::DECOMPRESS_TYPE)?;
    module.add_type(ts, &ERROR)?;
    for (name, value) in CONSTANTS {
        module.add_int(ts, name, i64::from(*value))?;
    }
    // SAFETY: the version is a static C string.
    let version = unsafe { core::ffi::CStr::from_ptr(z::zlibVersion()) }.to_str().unwrap_or_default();
    module.add_str(ts, "ZLIB_VERSION", version)?;
    module.add_str(ts, "ZLIB_RUNTIME_VERSION", version)?;
    module.add_str(ts, "__version__", "1.0")
}

fn compress_function(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [data, level, wbits] = parse!(ts, args, "compress", ["", "level", "wbits"], 1, 3, 1);
    let data = bytes_like(ts, data.unwrap_or(PyInt::zero()))?;
    let level = int_or(ts, level, z::Z_DEFAULT_COMPRESSION)?;
    let wbits = int_or(ts, wbits, MAX_WBITS)?;
    let mut stream = stream::empty_stream(ts);
    match stream::start_deflate(&mut stream, level, z::Z_DEFLATED, wbits, 8, z::Z_DEFAULT_STRATEGY) {
        z::Z_OK => {}
        z::Z_MEM_ERROR => return raise!(ts, exc::MemoryError, "Out of memory while compressing data"),
        z::Z_STREAM_ERROR => return raise!(ts, ERROR, "Bad compression level"),
        status => return stream::fail(ts, &stream, status, "while compressing data"),
    }
    let result = compress_all(ts, &mut stream, &data);
    // SAFETY: the stream was initialized.
    let ended = unsafe { z::deflateEnd(&mut stream) };
    let result = result?;
    match ended {
        z::Z_OK => Ok(result),
        status => stream::fail(ts, &stream, status, "while finishing compression"),
    }
}

fn compress_all(ts: &ThreadState, stream: &mut z::z_stream, data: &[u8]) -> PyResult {
    let mut input = Input::new(data);
    let mut output = Output::new(ts, DEF_BUF_SIZE.min(data.len() / 2 + 64), usize::MAX)?;
    loop {
        let last = input.next_part(stream);
        loop {
            output.give_room(ts, stream)?;
            // SAFETY: the stream is initialized and its input and output are there.
            let status = unsafe { z::deflate(stream, if last { z::Z_FINISH } else { z::Z_NO_FLUSH }) };
            output.take(stream);
            if status == z::Z_STREAM_ERROR {
                return stream::fail(ts, stream, status, "while compressing data");
            }
            if stream.avail_out != 0 {
                break;
            }
        }
        if last {
            return output.finish(ts);
        }
    }
}

fn decompress_function(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [data, wbits, size] = parse!(ts, args, "decompress", ["", "wbits", "bufsize"], 1, 3, 1);
    let data = bytes_like(ts, data.unwrap_or(PyInt::zero()))?;
    let wbits = int_or(ts, wbits, MAX_WBITS)?;
    let size = match size {
        Some(size) => match usize::try_from(system_size(ts, size)?) {
            Ok(size) => size.max(1),
            Err(_) => return raise!(ts, exc::ValueError, "bufsize must be non-negative"),
        },
        None => DEF_BUF_SIZE,
    };
    let mut stream = stream::empty_stream(ts);
    match stream::start_inflate(&mut stream, wbits) {
        z::Z_OK => {}
        z::Z_MEM_ERROR => return raise!(ts, exc::MemoryError, "Out of memory while decompressing data"),
        status => return stream::fail(ts, &stream, status, "while preparing to decompress data"),
    }
    let result = decompress_all(ts, &mut stream, &data, size);
    // SAFETY: the stream was initialized.
    let ended = unsafe { z::inflateEnd(&mut stream) };
    let result = result?;
    match ended {
        z::Z_OK => Ok(result),
        status => stream::fail(ts, &stream, status, "while finishing decompression"),
    }
}

fn decompress_all(ts: &ThreadState, stream: &mut z::z_stream, data: &[u8], size: usize) -> PyResult {
    let mut input = Input::new(data);
    let mut output = Output::new(ts, size, usize::MAX)?;
    let mut status;
    loop {
        let last = input.next_part(stream);
        loop {
            output.give_room(ts, stream)?;
            // SAFETY: the stream is initialized and its input and output are there.
            status = unsafe { z::inflate(stream, if last { z::Z_FINISH } else { z::Z_NO_FLUSH }) };
            output.take(stream);
            match status {
                z::Z_OK | z::Z_BUF_ERROR | z::Z_STREAM_END => {}
                z::Z_MEM_ERROR => return raise!(ts, exc::MemoryError, "Out of memory while decompressing data"),
                _ => return stream::fail(ts, stream, status, "while decompressing data"),
            }
            if stream.avail_out != 0 || status == z::Z_STREAM_END {
                break;
            }
        }
        if last || status == z::Z_STREAM_END {
            break;
        }
    }
    if status != z::Z_STREAM_END {
        return stream::fail(ts, stream, status, "while decompressing data");
    }
    output.finish(ts)
}

/// The data and the checksum to go on from.
fn checksum(
    ts: &ThreadState,
    name: &str,
    args: &[&PyObject],
    initial: u32,
    f: impl FnOnce(u32, &[u8]) -> u32,
) -> PyResult {
    call::check_count(ts, name, args.len(), 1, 2)?;
    let data = bytes_like(ts, args[0])?;
    let value = match args.get(1) {
        Some(value) => protocol::index(ts, value)?.wrapping_u64() as u32,
        None => initial,
    };
    PyInt::from_i64(ts, f(value, &data).into())
}

fn crc32(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    checksum(ts, "crc32", args, 0, |value, data| {
        // SAFETY: the data is so long.
        (unsafe { z::crc32_z(value.into(), data.as_ptr(), data.len()) }) as u32
    })
}

fn adler32(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    checksum(ts, "adler32", args, 1, |value, data| {
        // SAFETY: the data is so long.
        (unsafe { z::adler32_z(value.into(), data.as_ptr(), data.len()) }) as u32
    })
}
