//! Programs: in place of this one, in a new process, in a shell; and the end of this one.

use core::mem::MaybeUninit;

use hognose_allocators::collections::TryVec;

use super::audit::audit;
use super::path::{Accept, Path, fs_encode, fspath};
use super::process::{name_argument, number, to_sched_param};
use super::system::{blocking, errno, int, os_error, parse, truth};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::none::none;
use crate::types::tuple::PyTuple;

/// C strings in a row, and the list of pointers to them that system calls want.
pub struct StringList {
    text: TryVec<u8>,
    starts: TryVec<usize>,
    pointers: TryVec<*const core::ffi::c_char>,
}

impl StringList {
    /// An empty list.
    pub fn new() -> StringList {
        StringList { text: TryVec::new(), starts: TryVec::new(), pointers: TryVec::new() }
    }

    /// Appends a string in parts.
    pub fn push(&mut self, parts: &[&[u8]]) -> PyResult<()> {
        self.starts.try_push(self.text.len())?;
        for part in parts {
            self.text.try_extend_from_slice(part)?;
        }
        self.text.try_push(0)?;
        Ok(())
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// The list, which ends with null; it is good until the next `push`.
    pub fn as_ptr(&mut self) -> PyResult<*const *const core::ffi::c_char> {
        self.pointers.clear();
        for start in self.starts.iter() {
            self.pointers.try_push(self.text[*start..].as_ptr().cast())?;
        }
        self.pointers.try_push(core::ptr::null())?;
        Ok(self.pointers.as_ptr())
    }
}

/// The arguments for a new program from a list or tuple.
fn arguments(ts: &ThreadState, function: &str, argv: &PyObject) -> PyResult<StringList> {
    let items = if let Some(tuple) = argv.downcast::<PyTuple>() {
        Ref::from_borrowed(tuple)
    } else if let Some(list) = argv.downcast::<PyList>() {
        list.to_tuple(ts)?
    } else {
        let what = if function == "execv" {
            "arg 2"
        } else if function == "execve" {
            "arg 2"
        } else {
            "argv"
        };
        return raise!(ts, exc::TypeError, "{function}: {what} must be a tuple or list");
    };
    if items.is_empty() {
        return raise!(ts, exc::ValueError, "{function}: argv must not be empty");
    }
    let mut list = StringList::new();
    for item in items.items() {
        let bytes = fs_encode(ts, item)?;
        if list.len() == 0 && bytes.is_empty() {
            return raise!(ts, exc::ValueError, "{function}: argv first element cannot be empty");
        }
        list.push(&[&bytes])?;
    }
    Ok(list)
}

/// [`arguments`] with the words that the oldest function has.
fn exec_arguments(ts: &ThreadState, function: &str, argv: &PyObject) -> PyResult<StringList> {
    if function != "execv" {
        return arguments(ts, function, argv);
    }
    if !argv.is_a::<PyTuple>() && !argv.is_a::<PyList>() {
        return raise!(ts, exc::TypeError, "execv() arg 2 must be a tuple or list");
    }
    if protocol::length(ts, argv)? == 0 {
        return raise!(ts, exc::ValueError, "execv() arg 2 must not be empty");
    }
    let first = protocol::sequence_item(ts, argv, 0)?;
    if fs_encode(ts, &first)?.is_empty() {
        return raise!(ts, exc::ValueError, "execv() arg 2 first element cannot be empty");
    }
    arguments(ts, function, argv)
}

/// The environment for a new program from a mapping.
fn environment(ts: &ThreadState, mapping: &PyObject) -> PyResult<StringList> {
    let mut list = StringList::new();
    let keys = protocol::tuple_of(ts, &*protocol::call_named(ts, mapping, "keys", &[])?)?;
    let values = protocol::tuple_of(ts, &*protocol::call_named(ts, mapping, "values", &[])?)?;
    for (key, value) in keys.items().iter().zip(values.items()) {
        let key = fs_encode(ts, &*fspath(ts, key)?)?;
        let value = fs_encode(ts, value)?;
        // An equals sign in front is a name's first character.
        if key.is_empty() || key[1..].contains(&b'=') || key[0] == b'=' {
            return raise!(ts, exc::ValueError, "illegal environment variable name");
        }
        list.push(&[&key, b"=", &value])?;
    }
    Ok(list)
}

/// RuntimeError in an interpreter that may not run another program in the process's place.
fn check_exec_allowed(ts: &ThreadState) -> PyResult<()> {
    if ts.interp().allows.exec.get() {
        return Ok(());
    }
    raise!(ts, exc::RuntimeError, "exec not supported for isolated subinterpreters")
}

/// `os.execv`.
pub fn execv(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "execv", args.len(), 2, 2)?;
    let path = Path::new(ts, Some(args[0]), "execv", "path")?;
    check_exec_allowed(ts)?;
    let mut argv = exec_arguments(ts, "execv", args[1])?;
    audit!(ts, "os.exec", path, Some(args[1]), None::<&PyObject>);
    let argv = argv.as_ptr()?;
    // SAFETY: C strings and a list of them; on success nothing of this program is left.
    unsafe { libc::execv(path.as_ptr(), argv) };
    path.raise(ts, errno())
}

/// `os.execve`.
pub fn execve(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [path, argv, env] = parse!(ts, args, "execve", ["path", "argv", "env"], 0, 3, 3);
    let path = Path::accept(ts, path, Accept::Descriptor, "execve", "path")?;
    check_exec_allowed(ts)?;
    let given = (argv, env);
    let mut argv = exec_arguments(ts, "execve", argv.unwrap_or(none()))?;
    let env = env.unwrap_or(none());
    if env.ob_type().slots().mp_subscript.is_none() {
        return raise!(ts, exc::TypeError, "execve: environment must be a mapping object");
    }
    let mut env = environment(ts, env)?;
    audit!(ts, "os.exec", path, given.0, given.1);
    let (argv, env) = (argv.as_ptr()?, env.as_ptr()?);
    // SAFETY: C strings and lists of them; on success nothing of this program is left.
    unsafe {
        match path.fd {
            Some(fd) => libc::fexecve(fd, argv, env),
            None => libc::execve(path.as_ptr(), argv, env),
        }
    };
    path.raise(ts, errno())
}

/// `os.posix_spawn`.
pub fn posix_spawn(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    spawn(
        ts,
        "posix_spawn",
        false,
        parse!(
            ts,
            args,
            "posix_spawn",
            ["", "", "", "file_actions", "setpgroup", "resetids", "setsid", "setsigmask", "setsigdef", "scheduler"],
            3,
            3,
            3
        ),
    )
}

/// `os.posix_spawnp`.
pub fn posix_spawnp(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    spawn(
        ts,
        "posix_spawnp",
        true,
        parse!(
            ts,
            args,
            "posix_spawnp",
            ["", "", "", "file_actions", "setpgroup", "resetids", "setsid", "setsigmask", "setsigdef", "scheduler"],
            3,
            3,
            3
        ),
    )
}

/// Attributes for a spawned process, destroyed with the value.
struct SpawnAttributes(libc::posix_spawnattr_t);

impl Drop for SpawnAttributes {
    fn drop(&mut self) {
        // SAFETY: they have been initialized.
        unsafe { libc::posix_spawnattr_destroy(&raw mut self.0) };
    }
}

/// What a spawned process does with its descriptors; destroyed with the value.
struct SpawnActions {
    actions: libc::posix_spawn_file_actions_t,
    /// Keeps the names alive.
    names: TryVec<Path>,
}

impl Drop for SpawnActions {
    fn drop(&mut self) {
        // SAFETY: they have been initialized.
        unsafe { libc::posix_spawn_file_actions_destroy(&raw mut self.actions) };
    }
}

fn checked(ts: &ThreadState, error: i32) -> PyResult<()> {
    if error == 0 { Ok(()) } else { Err(os_error(ts, error)) }
}

fn spawn(ts: &ThreadState, function: &str, search: bool, args: [Option<&PyObject>; 10]) -> PyResult {
    let [path, argv, env, actions, group, reset_ids, session, mask, defaults, scheduler] = args;
    let path = Path::new(ts, path, function, "path")?;
    let given = (argv, env);
    let argv = argv.unwrap_or(none());
    if !argv.is_a::<PyTuple>() && !argv.is_a::<PyList>() {
        return raise!(ts, exc::TypeError, "{function}: argv must be a tuple or list");
    }
    let mut argv = arguments(ts, function, argv)?;
    let env = env.unwrap_or(none());
    let mut env = if crate::types::none::is_none(env) {
        None
    } else if env.ob_type().slots().mp_subscript.is_some() {
        Some(environment(ts, env)?)
    } else {
        return raise!(ts, exc::TypeError, "{function}: environment must be a mapping object or None");
    };
    let actions = match actions {
        Some(actions) if !crate::types::none::is_none(actions) => Some(spawn_actions(ts, actions)?),
        _ => None,
    };
    audit!(ts, "os.posix_spawn", path, given.0, given.1);
    let mut attributes = MaybeUninit::<libc::posix_spawnattr_t>::uninit();
    // SAFETY: the call initializes the struct.
    checked(ts, unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
    // SAFETY: it has been initialized.
    let mut attributes = SpawnAttributes(unsafe { attributes.assume_init() });
    let at = &raw mut attributes.0;
    let mut flags = 0;
    if let Some(group) = group {
        let group = protocol::as_i32(ts, group)?;
        // SAFETY: the attributes are initialized, here and below.
        checked(ts, unsafe { libc::posix_spawnattr_setpgroup(at, group) })?;
        flags |= libc::POSIX_SPAWN_SETPGROUP;
    }
    if truth(ts, reset_ids, false)? {
        flags |= libc::POSIX_SPAWN_RESETIDS;
    }
    if truth(ts, session, false)? {
        // The C library's number for POSIX_SPAWN_SETSID.
        flags |= 0x80;
    }
    if let Some(mask) = mask {
        let mask = crate::modules::_signal::signal_set(ts, mask)?;
        // SAFETY: as above; the set is whole.
        checked(ts, unsafe { libc::posix_spawnattr_setsigmask(at, &raw const mask) })?;
        flags |= libc::POSIX_SPAWN_SETSIGMASK;
    }
    if let Some(defaults) = defaults {
        let defaults = crate::modules::_signal::signal_set(ts, defaults)?;
        // SAFETY: as above; the set is whole.
        checked(ts, unsafe { libc::posix_spawnattr_setsigdefault(at, &raw const defaults) })?;
        flags |= libc::POSIX_SPAWN_SETSIGDEF;
    }
    if let Some(scheduler) = scheduler {
        let Some([policy, param]) =
            scheduler.downcast::<PyTuple>().and_then(|t| <[&PyObject; 2]>::try_from(t.items()).ok())
        else {
            return raise!(ts, exc::TypeError, "A scheduler tuple must have two elements");
        };
        if !crate::types::none::is_none(policy) {
            let policy = protocol::as_i32(ts, policy)?;
            // SAFETY: as above.
            checked(ts, unsafe { libc::posix_spawnattr_setschedpolicy(at, policy) })?;
            flags |= libc::POSIX_SPAWN_SETSCHEDULER;
        }
        let param = to_sched_param(ts, param)?;
        // SAFETY: as above; the parameters are whole.
        checked(ts, unsafe { libc::posix_spawnattr_setschedparam(at, &raw const param) })?;
        flags |= libc::POSIX_SPAWN_SETSCHEDPARAM;
    }
    // SAFETY: as above.
    checked(ts, unsafe { libc::posix_spawnattr_setflags(at, flags as _) })?;
    unsafe extern "C" {
        static environ: *const *const core::ffi::c_char;
    }
    let argv = argv.as_ptr()?.cast::<*mut core::ffi::c_char>();
    let env = match &mut env {
        Some(env) => env.as_ptr()?,
        // SAFETY: reads the C library's pointer.
        None => unsafe { environ },
    };
    let env = env.cast::<*mut core::ffi::c_char>();
    let actions_at = actions.as_ref().map_or(core::ptr::null(), |actions| &raw const actions.actions);
    let mut pid = 0;
    // SAFETY: C strings and lists of them; the call does not write to them whatever its type says.
    let error = blocking(ts, || unsafe {
        if search {
            libc::posix_spawnp(&raw mut pid, path.as_ptr(), actions_at, at, argv, env)
        } else {
            libc::posix_spawn(&raw mut pid, path.as_ptr(), actions_at, at, argv, env)
        }
    });
    if error != 0 {
        return path.raise(ts, error);
    }
    number(ts, pid)
}

fn spawn_actions(ts: &ThreadState, sequence: &PyObject) -> PyResult<SpawnActions> {
    let mut actions = MaybeUninit::<libc::posix_spawn_file_actions_t>::uninit();
    // SAFETY: the call initializes the struct.
    checked(ts, unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
    // SAFETY: it has been initialized.
    let mut all = SpawnActions { actions: unsafe { actions.assume_init() }, names: TryVec::new() };
    protocol::for_each(ts, sequence, |item| {
        let Some(tuple) = item.downcast::<PyTuple>().filter(|tuple| !tuple.is_empty()) else {
            return raise!(ts, exc::TypeError, "Each file_actions element must be a non-empty tuple");
        };
        let items = tuple.items();
        let at = &raw mut all.actions;
        let count = |wanted: usize, what: &str| -> PyResult<()> {
            if items.len() == wanted {
                return Ok(());
            }
            raise!(ts, exc::TypeError, "A {what} file_action tuple must have {wanted} elements")
        };
        match protocol::as_i32(ts, items[0])? {
            0 => {
                count(5, "open")?;
                let fd = protocol::as_i32(ts, items[1])?;
                let name = Path::new(ts, Some(items[2]), "posix_spawn", "path")?;
                let flags = protocol::as_i32(ts, items[3])?;
                let mode = protocol::as_i32(ts, items[4])? as libc::mode_t;
                // SAFETY: the actions are initialized, here and below; the name is a C string.
                checked(ts, unsafe { libc::posix_spawn_file_actions_addopen(at, fd, name.as_ptr(), flags, mode) })?;
                all.names.try_push(name)?;
                Ok(())
            }
            1 => {
                count(2, "close")?;
                let fd = protocol::as_i32(ts, items[1])?;
                // SAFETY: as above.
                checked(ts, unsafe { libc::posix_spawn_file_actions_addclose(at, fd) })
            }
            2 => {
                count(3, "dup2")?;
                let (from, to) = (protocol::as_i32(ts, items[1])?, protocol::as_i32(ts, items[2])?);
                // SAFETY: as above.
                checked(ts, unsafe { libc::posix_spawn_file_actions_adddup2(at, from, to) })
            }
            3 => {
                count(2, "closefrom")?;
                let fd = protocol::as_i32(ts, items[1])?;
                unsafe extern "C" {
                    fn posix_spawn_file_actions_addclosefrom_np(
                        actions: *mut libc::posix_spawn_file_actions_t,
                        from: i32,
                    ) -> i32;
                }
                // SAFETY: as above.
                checked(ts, unsafe { posix_spawn_file_actions_addclosefrom_np(at, fd) })
            }
            _ => raise!(ts, exc::TypeError, "Unknown file_actions identifier"),
        }
    })?;
    Ok(all)
}

/// `os.system`.
pub fn system(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [command] = parse!(ts, args, "system", ["command"], 0, 1, 1);
    let command = name_argument(ts, command.unwrap_or(none()))?;
    audit!(ts, "os.system", command.as_slice());
    // SAFETY: a C string.
    let status = blocking(ts, || unsafe { libc::system(command.as_ptr().cast()) });
    number(ts, status)
}

/// `os._exit`.
pub fn exit_now(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [status] = parse!(ts, args, "_exit", ["status"], 0, 1, 1);
    let status = int(ts, status)?;
    // SAFETY: ends the process.
    unsafe { libc::_exit(status) }
}

/// `os.abort`.
pub fn abort(_: &ThreadState, _: &PyObject) -> PyResult {
    // SAFETY: ends the process.
    unsafe { libc::abort() }
}
