//! `grp`: the groups that the system knows.

use core::ffi::{CStr, c_char};
use core::mem::MaybeUninit;

use hognose_allocators::collections::TryVec;

use crate::modules::ModuleSpec;
use crate::modules::posix::path::{fs_decode, fs_encode};
use crate::modules::posix::system::{self, blocking, os_error, parse};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::str::PyStr;
use crate::types::structseq::{self, StructSeqField, StructSeqSpec};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "grp",
    doc: "The group database: entries are tuples of name, password, group ID and the list of the members' names.\nAn entry that is not there is a KeyError.",
    methods: &[
        MethodDef::keywords("getgrgid", getgrgid, "getgrgid($module, /, id)\n--\n\nThe group with a number."),
        MethodDef::keywords("getgrnam", getgrnam, "getgrnam($module, /, name)\n--\n\nThe group with a name."),
        MethodDef::no_args("getgrall", getgrall, "getgrall($module, /)\n--\n\nAll groups, in no order."),
    ],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

static STRUCT_GROUP: StructSeqSpec = StructSeqSpec {
    name: "grp.struct_group",
    doc: "A group, as getgrgid(), getgrnam() and getgrall() return it.",
    fields: &[
        StructSeqField { name: "gr_name", doc: "group name" },
        StructSeqField { name: "gr_passwd", doc: "password" },
        StructSeqField { name: "gr_gid", doc: "group id" },
        StructSeqField { name: "gr_mem", doc: "group members" },
    ],
    in_sequence: 4,
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    let typ = structseq::type_of(ts, &STRUCT_GROUP)?;
    module.add(ts, "struct_group", typ.as_object())
}

fn entry(ts: &ThreadState, group: &libc::group) -> PyResult {
    let text = |text: *const c_char| -> PyResult {
        if text.is_null() {
            return Ok(ts.none());
        }
        // SAFETY: the fields of an entry are null or C strings.
        Ok(fs_decode(ts, unsafe { CStr::from_ptr(text) }.to_bytes())?.into_object())
    };
    let members = PyList::new(ts)?;
    let mut member = group.gr_mem;
    // SAFETY: the members are an array of C strings that ends with null; the entry need not be aligned for it.
    unsafe {
        while !member.is_null() && !member.read_unaligned().is_null() {
            members.append(ts, text(member.read_unaligned())?)?;
            member = member.add(1);
        }
    }
    let values =
        [text(group.gr_name)?, text(group.gr_passwd)?, system::id_object(ts, group.gr_gid)?, members.into_object()];
    structseq::make(ts, &STRUCT_GROUP, &values)
}

/// Looks an entry up with as much room for its text as it needs; None when there is no such group.
fn look_up(
    ts: &ThreadState,
    f: impl Fn(*mut libc::group, *mut c_char, usize, *mut *mut libc::group) -> i32,
) -> PyResult<Option<PyRef>> {
    let mut group = MaybeUninit::<libc::group>::uninit();
    let mut buffer = TryVec::<u8>::new();
    let mut room = 1024;
    loop {
        buffer.try_reserve(room)?;
        let mut found = core::ptr::null_mut();
        let error = blocking(ts, || f(group.as_mut_ptr(), buffer.as_mut_ptr().cast(), room, &raw mut found));
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

fn getgrgid(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [gid] = parse!(ts, args, "getgrgid", ["id"], 0, 1, 1);
    let gid = gid.unwrap_or(PyInt::zero());
    let Some(number) = ts.catch(system::id(ts, Some(gid), "gid"), &exc::OverflowError)? else {
        return raise!(ts, exc::KeyError, "getgrgid(): gid not found: {}", protocol::str(ts, gid)?);
    };
    // SAFETY: the rooms are the ones that `look_up` hands over.
    match look_up(ts, |group, at, room, found| unsafe { libc::getgrgid_r(number, group, at, room, found) })? {
        Some(entry) => Ok(entry),
        None => raise!(ts, exc::KeyError, "getgrgid(): gid not found: {number}"),
    }
}

fn getgrnam(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [name] = parse!(ts, args, "getgrnam", ["name"], 0, 1, 1);
    let name = name.unwrap_or(PyInt::zero());
    if !name.is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "getgrnam() argument 'name' must be str, not {}", name.type_name());
    }
    let mut bytes = fs_encode(ts, name)?;
    bytes.try_push(0)?;
    // SAFETY: the name is a C string; the rooms are the ones that `look_up` hands over.
    match look_up(ts, |group, at, room, found| unsafe {
        libc::getgrnam_r(bytes.as_ptr().cast(), group, at, room, found)
    })? {
        Some(entry) => Ok(entry),
        None => raise!(ts, exc::KeyError, "getgrnam(): name not found: {}", protocol::repr(ts, name)?),
    }
}

fn getgrall(ts: &ThreadState, _: &PyObject) -> PyResult {
    let list = PyList::new(ts)?;
    // SAFETY: the entries live until the next call, and making objects of them calls none of these.
    unsafe {
        libc::setgrent();
        loop {
            let group = libc::getgrent();
            if group.is_null() {
                break;
            }
            let added = entry(ts, &*group).and_then(|entry| list.append(ts, entry));
            if let Err(raised) = added {
                libc::endgrent();
                return Err(raised);
            }
        }
        libc::endgrent();
    }
    Ok(list.into_object())
}
