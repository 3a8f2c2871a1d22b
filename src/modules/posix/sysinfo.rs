//! The environment, the system's names and limits, random bytes, and text of paths.

use core::ffi::{CStr, c_char};
use core::mem::MaybeUninit;

use hognose_allocators::collections::TryVec;

use super::audit::audit;
use super::path::{fs_decode, fs_encode, fspath};
use super::system::{self, errno, int, int_or, once, os_error, parse, set_errno};
use crate::modules::posix::constants;
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::str::PyStr;
use crate::types::structseq::{self, StructSeqField, StructSeqSpec};
use crate::types::tuple::PyTuple;

/// `os.uname_result`.
pub static UNAME_RESULT: StructSeqSpec = StructSeqSpec {
    name: "posix.uname_result",
    doc: "What os.uname() says of the system: (sysname, nodename, release, version, machine).",
    fields: &[
        StructSeqField { name: "sysname", doc: "operating system name" },
        StructSeqField { name: "nodename", doc: "name of machine on network (implementation-defined)" },
        StructSeqField { name: "release", doc: "operating system release" },
        StructSeqField { name: "version", doc: "operating system version" },
        StructSeqField { name: "machine", doc: "hardware identifier" },
    ],
    in_sequence: 5,
};

/// `os.times_result`.
pub static TIMES_RESULT: StructSeqSpec = StructSeqSpec {
    name: "posix.times_result",
    doc: "What os.times() says of the process: (user, system, children_user, children_system, elapsed), in seconds.",
    fields: &[
        StructSeqField { name: "user", doc: "user time" },
        StructSeqField { name: "system", doc: "system time" },
        StructSeqField { name: "children_user", doc: "user time of children" },
        StructSeqField { name: "children_system", doc: "system time of children" },
        StructSeqField { name: "elapsed", doc: "elapsed time since an arbitrary point in the past" },
    ],
    in_sequence: 5,
};

/// The process's environment as a dict of bytes; of variables that are there twice the first one counts.
pub fn environment(ts: &ThreadState) -> PyResult<Ref<PyDict>> {
    unsafe extern "C" {
        static environ: *const *const c_char;
    }
    let dict = PyDict::new(ts)?;
    // SAFETY: the environment is null, or a list of C strings that ends with null.
    unsafe {
        let mut at = environ;
        while !at.is_null() && !(*at).is_null() {
            let entry = CStr::from_ptr(*at).to_bytes();
            if let Some(equals) = entry.iter().position(|byte| *byte == b'=') {
                let name = PyBytes::new(ts, &entry[..equals])?;
                let value = PyBytes::new(ts, &entry[equals + 1..])?;
                dict.setdefault(ts, name.as_object(), value.as_object())?;
            }
            at = at.add(1);
        }
    }
    Ok(dict)
}

/// `os._create_environ`.
pub fn create_environ(ts: &ThreadState, _: &PyObject) -> PyResult {
    Ok(environment(ts)?.into_object())
}

fn c_string(ts: &ThreadState, object: &PyObject) -> PyResult<TryVec<u8>> {
    let mut bytes = fs_encode(ts, object)?;
    bytes.try_push(0)?;
    Ok(bytes)
}

/// `os.putenv`.
pub fn putenv(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "putenv", args.len(), 2, 2)?;
    let name = c_string(ts, args[0])?;
    let value = c_string(ts, args[1])?;
    if name.contains(&b'=') {
        return raise!(ts, exc::ValueError, "illegal environment variable name");
    }
    audit!(ts, "os.putenv", name.as_slice(), value.as_slice());
    // SAFETY: both are C strings, which the call copies.
    once(ts, || unsafe { libc::setenv(name.as_ptr().cast(), value.as_ptr().cast(), 1) })?;
    Ok(ts.none())
}

/// `os.unsetenv`.
pub fn unsetenv(ts: &ThreadState, _: &PyObject, name: &PyObject) -> PyResult {
    let name = c_string(ts, name)?;
    audit!(ts, "os.unsetenv", name.as_slice());
    // SAFETY: a C string.
    once(ts, || unsafe { libc::unsetenv(name.as_ptr().cast()) })?;
    Ok(ts.none())
}

/// `os.strerror`.
pub fn strerror(ts: &ThreadState, _: &PyObject, code: &PyObject) -> PyResult {
    let code = protocol::as_i32(ts, code)?;
    let mut buffer = [0u8; 256];
    // SAFETY: the buffer's size is handed along; the XSI form writes a C string.
    unsafe { libc::strerror_r(code, buffer.as_mut_ptr().cast(), buffer.len()) };
    let text = CStr::from_bytes_until_nul(&buffer).unwrap_or(c"").to_bytes();
    Ok(fs_decode(ts, text)?.into_object())
}

/// `os.fspath`.
pub fn fspath_function(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path] = parse!(ts, args, "fspath", ["path"], 0, 1, 1);
    fspath(ts, path.unwrap_or(crate::types::none::none()))
}

/// `os.uname`.
pub fn uname(ts: &ThreadState, _: &PyObject) -> PyResult {
    let mut name = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: the call fills the struct.
    once(ts, || unsafe { libc::uname(name.as_mut_ptr()) })?;
    // SAFETY: it has been filled.
    let name = unsafe { name.assume_init() };
    let text = |field: &[c_char]| -> PyResult {
        // SAFETY: each field is a C string.
        let bytes = unsafe { CStr::from_ptr(field.as_ptr()) }.to_bytes();
        Ok(fs_decode(ts, bytes)?.into_object())
    };
    let values =
        [text(&name.sysname)?, text(&name.nodename)?, text(&name.release)?, text(&name.version)?, text(&name.machine)?];
    structseq::make(ts, &UNAME_RESULT, &values)
}

/// `os.times`.
pub fn times(ts: &ThreadState, _: &PyObject) -> PyResult {
    let mut times = MaybeUninit::<libc::tms>::zeroed();
    // SAFETY: the call fills the struct.
    let (elapsed, times, ticks) = unsafe {
        let elapsed = libc::times(times.as_mut_ptr());
        if elapsed == -1 {
            return Err(os_error(ts, errno()));
        }
        (elapsed, times.assume_init(), libc::sysconf(libc::_SC_CLK_TCK) as f64)
    };
    let seconds = |value: libc::clock_t| PyFloat::new(ts, value as f64 / ticks);
    let values = [
        seconds(times.tms_utime)?,
        seconds(times.tms_stime)?,
        seconds(times.tms_cutime)?,
        seconds(times.tms_cstime)?,
        seconds(elapsed)?,
    ];
    structseq::make(ts, &TIMES_RESULT, &values)
}

/// The number of a limit that is given by name or number.
pub fn limit(ts: &ThreadState, name: Option<&PyObject>, table: &[(&str, i64)]) -> PyResult<i32> {
    let name = name.unwrap_or(PyInt::zero());
    if let Some(text) = name.downcast::<PyStr>() {
        return match table.iter().find(|(known, _)| text.equals_str(known)) {
            Some((_, number)) => Ok(*number as i32),
            None => raise!(ts, exc::ValueError, "unrecognized configuration name"),
        };
    }
    if !protocol::is_index(name) {
        return raise!(ts, exc::TypeError, "configuration names must be strings or integers");
    }
    protocol::as_i32(ts, name)
}

/// `os.sysconf`.
pub fn sysconf(ts: &ThreadState, _: &PyObject, name: &PyObject) -> PyResult {
    let name = limit(ts, Some(name), constants::SYSCONF)?;
    set_errno(0);
    // SAFETY: only looks.
    let value = unsafe { libc::sysconf(name) };
    if value == -1 && errno() != 0 {
        return Err(os_error(ts, errno()));
    }
    PyInt::from_i64(ts, value)
}

/// `os.confstr`.
pub fn confstr(ts: &ThreadState, _: &PyObject, name: &PyObject) -> PyResult {
    let name = limit(ts, Some(name), constants::CONFSTR)?;
    let mut buffer = TryVec::<u8>::new();
    let mut room = 255;
    loop {
        buffer.try_reserve(room)?;
        set_errno(0);
        // SAFETY: the room is handed along.
        let length = unsafe { libc::confstr(name, buffer.as_mut_ptr().cast(), room) };
        if length == 0 {
            return if errno() == 0 { Ok(ts.none()) } else { Err(os_error(ts, errno())) };
        }
        if length > room {
            room = length;
            continue;
        }
        // SAFETY: the call has written a C string.
        let text = unsafe { CStr::from_ptr(buffer.as_ptr().cast()) }.to_bytes();
        return Ok(fs_decode(ts, text)?.into_object());
    }
}

/// `os.urandom`.
pub fn urandom(ts: &ThreadState, _: &PyObject, size: &PyObject) -> PyResult {
    let size = protocol::as_isize(ts, size)?;
    if size < 0 {
        return raise!(ts, exc::ValueError, "negative argument not allowed");
    }
    let mut failure = 0;
    let bytes = PyBytes::build(ts, size as usize, |room| {
        // SAFETY: the room is written below, all of it: the bytes are zeroed first.
        let room = unsafe {
            core::ptr::write_bytes(room.as_mut_ptr(), 0, room.len());
            core::slice::from_raw_parts_mut(room.as_mut_ptr().cast::<u8>(), room.len())
        };
        let mut done = 0;
        while done < room.len() {
            // SAFETY: the rest of the room is handed along.
            let got = unsafe { libc::getrandom(room[done..].as_mut_ptr().cast(), room.len() - done, 0) };
            if got > 0 {
                done += got as usize;
            } else if errno() != libc::EINTR {
                failure = errno();
                break;
            }
        }
    })?;
    if failure != 0 {
        return Err(os_error(ts, failure));
    }
    Ok(bytes.into_object())
}

/// `os.getrandom`.
pub fn getrandom(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [size, flags] = parse!(ts, args, "getrandom", ["size", "flags"], 0, 2, 1);
    let size = protocol::as_isize(ts, size.unwrap_or(PyInt::zero()))?;
    let flags = int_or(ts, flags, 0)?;
    if size < 0 {
        return Err(os_error(ts, libc::EINVAL));
    }
    let mut buffer = TryVec::<u8>::new();
    buffer.try_resize(size as usize, 0)?;
    let got = system::call(ts, || {
        // SAFETY: the buffer's size is handed along.
        unsafe { libc::getrandom(buffer.as_mut_ptr().cast(), buffer.len(), flags as u32) }
    })?;
    Ok(PyBytes::new(ts, &buffer[..got as usize])?.into_object())
}

/// `os.cpu_count`.
pub fn cpu_count(ts: &ThreadState, _: &PyObject) -> PyResult {
    let forced = ts.interp().config().cpu_count;
    // SAFETY: only looks.
    let count = if forced > 0 { i64::from(forced) } else { unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) } };
    if count < 1 { Ok(ts.none()) } else { PyInt::from_i64(ts, count) }
}

/// `os.getloadavg`.
pub fn getloadavg(ts: &ThreadState, _: &PyObject) -> PyResult {
    let mut load = [0f64; 3];
    // SAFETY: there is room for three.
    if unsafe { libc::getloadavg(load.as_mut_ptr(), 3) } != 3 {
        return raise!(ts, exc::OSError, "Load averages are unobtainable");
    }
    let load = [PyFloat::new(ts, load[0])?, PyFloat::new(ts, load[1])?, PyFloat::new(ts, load[2])?];
    Ok(PyTuple::from_array(ts, load)?.into_object())
}

/// A device's number; -1 is that of none.
fn device(ts: &ThreadState, device: &PyObject) -> PyResult<u64> {
    let int = protocol::index(ts, device)?;
    if int.as_i64() == Some(-1) { Ok(u64::MAX) } else { int.to_u64(ts) }
}

/// A part of a device's number.
fn device_part(ts: &ThreadState, part: &PyObject) -> PyResult<u32> {
    let part = device(ts, part)?;
    match u32::try_from(part) {
        Ok(part) => Ok(part),
        Err(_) if part == u64::MAX => Ok(u32::MAX),
        Err(_) => raise!(ts, exc::OverflowError, "Python int too large to convert to C unsigned int"),
    }
}

/// A device's number, or a part of one, as an object.
fn device_object(ts: &ThreadState, is_none: bool, number: u64) -> PyResult {
    if is_none { PyInt::from_i64(ts, -1) } else { PyInt::from_u64(ts, number) }
}

/// `os.major`.
pub fn major(ts: &ThreadState, _: &PyObject, number: &PyObject) -> PyResult {
    let number = device(ts, number)?;
    device_object(ts, number == u64::MAX, libc::major(number).into())
}

/// `os.minor`.
pub fn minor(ts: &ThreadState, _: &PyObject, number: &PyObject) -> PyResult {
    let number = device(ts, number)?;
    device_object(ts, number == u64::MAX, libc::minor(number).into())
}

/// `os.makedev`.
pub fn makedev(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "makedev", args.len(), 2, 2)?;
    let (major, minor) = (device_part(ts, args[0])?, device_part(ts, args[1])?);
    device_object(ts, major == u32::MAX && minor == u32::MAX, libc::makedev(major, minor))
}

/// `os.umask`.
pub fn umask(ts: &ThreadState, _: &PyObject, mask: &PyObject) -> PyResult {
    let mask = int(ts, Some(mask))?;
    // SAFETY: always succeeds.
    PyInt::from_i64(ts, unsafe { libc::umask(mask as libc::mode_t) }.into())
}

// ---- text of paths ----

/// A path that need not be one of a file: NULs are allowed.
fn plain(ts: &ThreadState, path: Option<&PyObject>) -> PyResult<(PyRef, bool)> {
    let path = fspath(ts, path.unwrap_or(crate::types::none::none()))?;
    let is_bytes = path.is_a::<PyBytes>();
    Ok((path, is_bytes))
}

/// `os._path_normpath`.
pub fn path_normpath(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path] = parse!(ts, args, "_path_normpath", ["path"], 0, 1, 1);
    let (path, is_bytes) = plain(ts, path)?;
    if is_bytes {
        let normal = normalize(path.cast::<PyBytes>().as_slice())?;
        return Ok(PyBytes::new(ts, &normal)?.into_object());
    }
    let text = path.cast::<PyStr>();
    let encoded = crate::types::str::codec::encode_utf8(ts, text, "surrogatepass")?;
    let normal = normalize(encoded.as_slice())?;
    if normal.as_slice() == encoded.as_slice() && text.is_exact() {
        return Ok(path);
    }
    Ok(PyStr::from_utf8(ts, &normal, "surrogatepass")?.into_object())
}

/// A path without empty and "." components, each ".." joined with what is before it.
fn normalize(path: &[u8]) -> PyResult<TryVec<u8>> {
    let mut out = TryVec::<u8>::new();
    out.try_reserve(path.len() + 1)?;
    // Two leading slashes are something of their own; three and more are one.
    let slashes = match path.iter().take_while(|byte| **byte == b'/').count() {
        2 => 2,
        0 => 0,
        _ => 1,
    };
    out.try_extend_from_slice(&path[..slashes])?;
    for component in path.split(|byte| *byte == b'/') {
        if component.is_empty() || component == b"." {
            continue;
        }
        if component == b".." {
            let end = out[slashes..].iter().rposition(|byte| *byte == b'/').map_or(slashes, |at| slashes + at + 1);
            let last = &out[end..];
            if out.len() == slashes && slashes > 0 {
                continue;
            }
            if out.len() > slashes && last != b".." {
                let cut = if end > slashes { end - 1 } else { slashes };
                out.truncate(cut);
                continue;
            }
        }
        if out.len() > slashes {
            out.try_push(b'/')?;
        }
        out.try_extend_from_slice(component)?;
    }
    if out.is_empty() {
        out.try_push(b'.')?;
    }
    Ok(out)
}

/// `os._path_splitroot_ex`: (drive, root, rest).
pub fn path_splitroot_ex(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path] = parse!(ts, args, "_path_splitroot_ex", ["path"], 0, 1, 1);
    let (path, is_bytes) = plain(ts, path)?;
    if is_bytes {
        let bytes = path.cast::<PyBytes>().as_slice();
        let slashes = root_length(bytes.iter().take(3).take_while(|byte| **byte == b'/').count());
        let parts = [
            PyBytes::empty().into_object(),
            PyBytes::new(ts, &bytes[..slashes])?.into_object(),
            PyBytes::new(ts, &bytes[slashes..])?.into_object(),
        ];
        return Ok(PyTuple::from_array(ts, parts)?.into_object());
    }
    let text = path.cast::<PyStr>();
    let length = text.len();
    let slashes = root_length((0..length.min(3)).take_while(|at| text.char_at(*at) == u32::from(b'/')).count());
    let parts = [
        PyStr::empty().into_object(),
        text.slice(ts, 0, slashes)?.into_object(),
        text.slice(ts, slashes, length)?.into_object(),
    ];
    Ok(PyTuple::from_array(ts, parts)?.into_object())
}

fn root_length(slashes: usize) -> usize {
    match slashes {
        0 => 0,
        2 => 2,
        _ => 1,
    }
}
