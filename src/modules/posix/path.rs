//! File names: between Python's objects and the operating system's bytes.
//!
//! The file system encoding is UTF-8 with the error handler `surrogateescape`, so that any name goes there and back.

use core::ffi::c_char;

use hognose_allocators::collections::TryVec;

use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, attr, call, protocol};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::str::{PyStr, codec};
use crate::{id, raise};

/// A file name (str, bytes or path-like) as the operating system has it (`PyUnicode_FSConverter`).
///
/// Raises ValueError for an embedded NUL, TypeError for what is no file name.
pub fn fs_encode(ts: &ThreadState, name: &PyObject) -> PyResult<TryVec<u8>> {
    let name = fspath(ts, name)?;
    let bytes = encode_plain(ts, &name)?;
    if bytes.contains(&0) {
        return raise!(ts, exc::ValueError, "embedded null byte");
    }
    Ok(bytes)
}

/// The text of a file name that the operating system gave (`PyUnicode_DecodeFSDefault`).
pub fn fs_decode(ts: &ThreadState, name: &[u8]) -> PyResult<Ref<PyStr>> {
    PyStr::from_utf8(ts, name, "surrogateescape")
}

/// A file name (str, bytes or path-like) as text (`PyUnicode_FSDecoder`).
pub fn fs_decode_object(ts: &ThreadState, name: &PyObject) -> PyResult<Ref<PyStr>> {
    let name = fspath(ts, name)?;
    let text = match name.downcast_into::<PyStr>() {
        Ok(text) => text,
        Err(bytes) => fs_decode(ts, bytes.cast::<PyBytes>().as_slice())?,
    };
    if text.contains_nul() {
        return raise!(ts, exc::ValueError, "embedded null character");
    }
    Ok(text)
}

/// `os.fspath`: a str or bytes object.
pub fn fspath(ts: &ThreadState, path: &PyObject) -> PyResult {
    if path.is_a::<PyStr>() || path.is_a::<PyBytes>() {
        return Ok(path.new_ref());
    }
    match call_fspath(ts, path)? {
        Some(result) => Ok(result),
        None => raise!(ts, exc::TypeError, "expected str, bytes or os.PathLike object, not {}", path.type_name()),
    }
}

/// Calls `__fspath__` when there is one, and checks what it returns.
fn call_fspath(ts: &ThreadState, path: &PyObject) -> PyResult<Option<PyRef>> {
    // A class that sets it to None says that its instances are no paths.
    if attr::lookup_type(ts, path.ob_type(), id!(__fspath__)).is_some_and(|method| is_none(&method)) {
        return Ok(None);
    }
    let Some(result) = call::call_special(ts, path, id!(__fspath__), &[])? else { return Ok(None) };
    if result.is_a::<PyStr>() || result.is_a::<PyBytes>() {
        return Ok(Some(result));
    }
    raise!(
        ts,
        exc::TypeError,
        "expected {}.__fspath__() to return str or bytes, not {}",
        path.type_name(),
        result.type_name()
    )
}

/// The bytes of a str or bytes object, as they are.
fn encode_plain(ts: &ThreadState, name: &PyObject) -> PyResult<TryVec<u8>> {
    let mut out = TryVec::new();
    if let Some(text) = name.downcast::<PyStr>() {
        // One more, for the NUL that most callers add.
        out.try_reserve(text.len() + 1)?;
        match text.ascii_str() {
            Some(text) => out.try_extend_from_copy(text.as_bytes())?,
            None => {
                let encoded = codec::encode_utf8(ts, text, "surrogateescape")?;
                out.try_reserve(encoded.as_slice().len() + 1)?;
                out.try_extend_from_copy(encoded.as_slice())?;
            }
        }
    } else if let Some(bytes) = name.downcast::<PyBytes>() {
        out.try_reserve(bytes.as_slice().len() + 1)?;
        out.try_extend_from_copy(bytes.as_slice())?;
    }
    Ok(out)
}

/// What a path argument may be besides str, bytes and path-like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// Nothing else.
    Path,
    /// A file descriptor.
    Descriptor,
    /// None, for the current directory.
    Nothing,
    /// Both.
    Both,
}

impl Accept {
    fn descriptor(self) -> bool {
        matches!(self, Accept::Descriptor | Accept::Both)
    }
    fn nothing(self) -> bool {
        matches!(self, Accept::Nothing | Accept::Both)
    }
}

/// A path argument of a function of `os`.
pub struct Path {
    /// The name with a NUL at its end.
    bytes: TryVec<u8>,
    /// The descriptor, when it is one.
    pub fd: Option<i32>,
    /// The argument, for error messages; none when it was None or not given.
    pub object: Option<PyRef>,
    /// Whether results are bytes.
    pub wants_bytes: bool,
}

impl Path {
    /// The argument of a function, which must be str, bytes or path-like.
    pub fn new(ts: &ThreadState, argument: Option<&PyObject>, function: &str, name: &str) -> PyResult<Path> {
        Path::accept(ts, argument, Accept::Path, function, name)
    }

    /// The argument of a function that also takes what `accept` says.
    pub fn accept(
        ts: &ThreadState,
        argument: Option<&PyObject>,
        accept: Accept,
        function: &str,
        name: &str,
    ) -> PyResult<Path> {
        let Some(argument) = argument.filter(|a| !(accept.nothing() && is_none(a))) else {
            let mut bytes = TryVec::new();
            bytes.try_extend_from_slice(b".\0")?;
            return Ok(Path { bytes, fd: None, object: None, wants_bytes: false });
        };
        let mut object = argument.new_ref();
        if !object.is_a::<PyStr>() && !object.is_a::<PyBytes>() {
            if accept.descriptor() && protocol::is_index(argument) {
                if crate::types::bool::is_bool(argument) {
                    let category = &exc::RuntimeWarning;
                    crate::modules::_warnings::warn(ts, category, "bool is used as a file descriptor", 1)?;
                }
                let fd = descriptor(ts, argument)?;
                return Ok(Path { bytes: TryVec::new(), fd: Some(fd), object: Some(object), wants_bytes: false });
            }
            match call_fspath(ts, argument)? {
                Some(path) => object = path,
                None => return wrong_type(ts, argument, accept, function, name),
            }
        }
        let mut bytes = encode_plain(ts, &object)?;
        if bytes.contains(&0) {
            return raise!(ts, exc::ValueError, "{function}: embedded null character in {name}");
        }
        bytes.try_push(0)?;
        let wants_bytes = object.is_a::<PyBytes>();
        Ok(Path { bytes, fd: None, object: Some(object), wants_bytes })
    }

    /// The name as a C string.
    pub fn as_ptr(&self) -> *const c_char {
        self.bytes.as_ptr().cast()
    }

    /// The name without its NUL.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.split_last().map_or(&[], |(_, name)| name)
    }

    /// Bytes as an object of the kind that the argument was of.
    pub fn result(&self, ts: &ThreadState, name: &[u8]) -> PyResult {
        if self.wants_bytes {
            Ok(PyBytes::new(ts, name)?.into_object())
        } else {
            Ok(fs_decode(ts, name)?.into_object())
        }
    }

    /// Raises OSError for an error number, with the argument as the file name.
    #[cold]
    pub fn raise<T>(&self, ts: &ThreadState, errno: i32) -> PyResult<T> {
        Err(exc::raise_os_error(ts, errno, self.object.as_deref()))
    }
}

#[cold]
fn wrong_type<T>(ts: &ThreadState, got: &PyObject, accept: Accept, function: &str, name: &str) -> PyResult<T> {
    let wanted = match accept {
        Accept::Path => "string, bytes or os.PathLike",
        Accept::Descriptor => "string, bytes, os.PathLike or integer",
        Accept::Nothing => "string, bytes, os.PathLike or None",
        Accept::Both => "string, bytes, os.PathLike, integer or None",
    };
    raise!(ts, exc::TypeError, "{function}: {name} should be {wanted}, not {}", got.type_name())
}

/// An object with `__index__` as a file descriptor.
fn descriptor(ts: &ThreadState, object: &PyObject) -> PyResult<i32> {
    let int = protocol::index(ts, object)?;
    match int.as_i64().and_then(|v| i32::try_from(v).ok()) {
        Some(fd) => Ok(fd),
        None if int.sign() > 0 => raise!(ts, exc::OverflowError, "fd is greater than maximum"),
        None => raise!(ts, exc::OverflowError, "fd is less than minimum"),
    }
}

/// The argument `dir_fd` and its like: the current directory when None or not given.
pub fn dir_fd(ts: &ThreadState, argument: Option<&PyObject>) -> PyResult<i32> {
    let Some(argument) = argument.filter(|a| !is_none(a)) else { return Ok(libc::AT_FDCWD) };
    if !protocol::is_index(argument) {
        return raise!(ts, exc::TypeError, "argument should be integer or None, not {}", argument.type_name());
    }
    if crate::types::bool::is_bool(argument) {
        crate::modules::_warnings::warn(ts, &exc::RuntimeWarning, "bool is used as a file descriptor", 1)?;
    }
    descriptor(ts, argument)
}

/// An int, or what has a `fileno()` method, as a file descriptor (`PyObject_AsFileDescriptor`).
pub fn file_descriptor(ts: &ThreadState, object: &PyObject) -> PyResult<i32> {
    let fd = match object.downcast::<PyInt>() {
        Some(int) => {
            if crate::types::bool::is_bool(object) {
                let category = &exc::RuntimeWarning;
                crate::modules::_warnings::warn(ts, category, "bool is used as a file descriptor", 1)?;
            }
            int.to_i32(ts)?
        }
        None => {
            let Some(method) = crate::object::attr::get_opt(ts, object, id!(fileno))? else {
                return raise!(ts, exc::TypeError, "argument must be an int, or have a fileno() method.");
            };
            let result = call::call0(ts, &method)?;
            match result.downcast::<PyInt>() {
                Some(int) => int.to_i32(ts)?,
                None => return raise!(ts, exc::TypeError, "fileno() returned a non-integer"),
            }
        }
    };
    if fd < 0 {
        return raise!(ts, exc::ValueError, "file descriptor cannot be a negative integer ({fd})");
    }
    Ok(fd)
}
