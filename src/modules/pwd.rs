//! `pwd`: the users that the system knows.

use core::ffi::{CStr, c_char};
use core::mem::MaybeUninit;

use hognose_allocators::collections::TryVec;

use crate::modules::ModuleSpec;
use crate::modules::posix::path::{fs_decode, fs_encode};
use crate::modules::posix::system::{self, blocking, os_error};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::str::PyStr;
use crate::types::structseq::{self, StructSeqField, StructSeqSpec};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "pwd",
    doc: "The user database: entries are tuples of name, password, user ID, group ID, real name, home directory\nand shell. An entry that is not there is a KeyError.",
    methods: &[
        MethodDef::one("getpwuid", getpwuid, "getpwuid($module, uidobj, /)\n--\n\nThe user with a number."),
        MethodDef::one("getpwnam", getpwnam, "getpwnam($module, name, /)\n--\n\nThe user with a name."),
        MethodDef::no_args("getpwall", getpwall, "getpwall($module, /)\n--\n\nAll users, in no order."),
    ],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

static STRUCT_PASSWD: StructSeqSpec = StructSeqSpec {
    name: "pwd.struct_passwd",
    doc: "A user, as getpwuid(), getpwnam() and getpwall() return it.",
    fields: &[
        StructSeqField { name: "pw_name", doc: "user name" },
        StructSeqField { name: "pw_passwd", doc: "password" },
        StructSeqField { name: "pw_uid", doc: "user id" },
        StructSeqField { name: "pw_gid", doc: "group id" },
        StructSeqField { name: "pw_gecos", doc: "real name" },
        StructSeqField { name: "pw_dir", doc: "home directory" },
        StructSeqField { name: "pw_shell", doc: "shell program" },
    ],
    in_sequence: 7,
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    let typ = structseq::type_of(ts, &STRUCT_PASSWD)?;
    module.add(ts, "struct_passwd", typ.as_object())
}

fn entry(ts: &ThreadState, user: &libc::passwd) -> PyResult {
    let text = |text: *const c_char| -> PyResult {
        if text.is_null() {
            return Ok(ts.none());
        }
        // SAFETY: the fields of an entry are null or C strings.
        Ok(fs_decode(ts, unsafe { CStr::from_ptr(text) }.to_bytes())?.into_object())
    };
    let values = [
        text(user.pw_name)?,
        text(user.pw_passwd)?,
        system::id_object(ts, user.pw_uid)?,
        system::id_object(ts, user.pw_gid)?,
        text(user.pw_gecos)?,
        text(user.pw_dir)?,
        text(user.pw_shell)?,
    ];
    structseq::make(ts, &STRUCT_PASSWD, &values)
}

/// Looks an entry up with as much room for its text as it needs; None when there is no such user.
fn look_up(
    ts: &ThreadState,
    f: impl Fn(*mut libc::passwd, *mut c_char, usize, *mut *mut libc::passwd) -> i32,
) -> PyResult<Option<PyRef>> {
    let mut user = MaybeUninit::<libc::passwd>::uninit();
    let mut buffer = TryVec::<u8>::new();
    let mut room = 1024;
    loop {
        buffer.try_reserve(room)?;
        let mut found = core::ptr::null_mut();
        let error = blocking(ts, || f(user.as_mut_ptr(), buffer.as_mut_ptr().cast(), room, &raw mut found));
        if error == libc::ERANGE && room < 1 << 24 {
            room *= 2;
            continue;
        }
        if error != 0 && !matches!(error, libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM) {
            return Err(os_error(ts, error));
        }
        if found.is_null() {
            return Ok(None);
        }
        // SAFETY: the call has filled the entry; its text is in the buffer.
        return entry(ts, unsafe { &*found }).map(Some);
    }
}

fn getpwuid(ts: &ThreadState, _: &PyObject, uid: &PyObject) -> PyResult {
    let number = match ts.catch(system::id(ts, Some(uid), "uid"), &exc::OverflowError)? {
        Some(number) => number,
        None => return raise!(ts, exc::KeyError, "getpwuid(): uid not found"),
    };
    // SAFETY: the rooms are the ones that `look_up` hands over.
    match look_up(ts, |user, at, room, found| unsafe { libc::getpwuid_r(number, user, at, room, found) })? {
        Some(entry) => Ok(entry),
        None => raise!(ts, exc::KeyError, "getpwuid(): uid not found: {number}"),
    }
}

fn getpwnam(ts: &ThreadState, _: &PyObject, name: &PyObject) -> PyResult {
    let Some(text) = name.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "getpwnam() argument must be str, not {}", name.type_name());
    };
    let mut bytes = fs_encode(ts, name)?;
    bytes.try_push(0)?;
    // SAFETY: the name is a C string; the rooms are the ones that `look_up` hands over.
    match look_up(ts, |user, at, room, found| unsafe {
        libc::getpwnam_r(bytes.as_ptr().cast(), user, at, room, found)
    })? {
        Some(entry) => Ok(entry),
        None => raise!(ts, exc::KeyError, "getpwnam(): name not found: {}", protocol::repr(ts, text.as_object())?),
    }
}

fn getpwall(ts: &ThreadState, _: &PyObject) -> PyResult {
    let list = PyList::new(ts)?;
    // SAFETY: the entries live until the next call, and making objects of them calls none of these.
    unsafe {
        libc::setpwent();
        loop {
            let user = libc::getpwent();
            if user.is_null() {
                break;
            }
            let added = entry(ts, &*user).and_then(|entry| list.append(ts, entry));
            if let Err(raised) = added {
                libc::endpwent();
                return Err(raised);
            }
        }
        libc::endpwent();
    }
    Ok(list.into_object())
}
