//! Processes: who they are, forks, waiting, scheduling.

use core::mem::MaybeUninit;

use hognose_allocators::collections::TryVec;

use super::audit::audit;
use super::path::{file_descriptor, fs_decode, fs_encode};
use super::system::{self, blocking, done, errno, id, id_object, int, int_or, once, os_error, parse, retry};
use crate::lifecycle::fork;
use crate::object::*;
use crate::raise;
use crate::state::{Runtime, ThreadState};
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::set::PySet;
use crate::types::str::PyStr;
use crate::types::structseq::{self, StructSeqField, StructSeqSpec};
use crate::types::tuple::PyTuple;

/// `os.waitid_result`.
pub static WAITID_RESULT: StructSeqSpec = StructSeqSpec {
    name: "posix.waitid_result",
    doc: "What os.waitid() says of a child: (si_pid, si_uid, si_signo, si_status, si_code).",
    fields: &[
        StructSeqField { name: "si_pid", doc: "" },
        StructSeqField { name: "si_uid", doc: "" },
        StructSeqField { name: "si_signo", doc: "" },
        StructSeqField { name: "si_status", doc: "" },
        StructSeqField { name: "si_code", doc: "" },
    ],
    in_sequence: 5,
};

/// `os.sched_param`.
pub static SCHED_PARAM: StructSeqSpec = StructSeqSpec {
    name: "posix.sched_param",
    doc: "The parameters of a scheduling policy.",
    fields: &[StructSeqField { name: "sched_priority", doc: "the scheduling priority" }],
    in_sequence: 1,
};

pub(super) fn number(ts: &ThreadState, value: i32) -> PyResult {
    PyInt::from_i64(ts, value.into())
}

// ---- identity ----

/// Functions without arguments that return a number and cannot fail.
macro_rules! numbers {
    ($($name:ident),*) => {
        $(
            #[doc = concat!("`os.", stringify!($name), "`.")]
            pub fn $name(ts: &ThreadState, _: &PyObject) -> PyResult {
                // SAFETY: always succeeds.
                PyInt::from_i64(ts, i64::from(unsafe { libc::$name() }))
            }
        )*
    };
}
numbers!(getpid, getppid, getuid, geteuid, getgid, getegid, getpgrp);

/// Functions that set a user's or a group's number.
macro_rules! setters {
    ($($name:ident($($what:literal),*);)*) => {
        $(
            #[doc = concat!("`os.", stringify!($name), "`.")]
            pub fn $name(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
                const NAMES: &[&str] = &[$($what),*];
                call::check_count(ts, stringify!($name), args.len(), NAMES.len(), NAMES.len())?;
                let mut at = 0;
                // SAFETY: the kernel checks the arguments.
                let status = unsafe {
                    libc::$name($({
                        at += 1;
                        id(ts, Some(args[at - 1]), $what)?
                    }),*)
                };
                done(ts, once(ts, || status))
            }
        )*
    };
}
setters! {
    setuid("uid");
    seteuid("uid");
    setgid("gid");
    setegid("gid");
    setreuid("uid", "uid");
    setregid("gid", "gid");
    setresuid("uid", "uid", "uid");
    setresgid("gid", "gid", "gid");
}

fn id_triple(ts: &ThreadState, f: impl FnOnce(*mut u32, *mut u32, *mut u32) -> i32) -> PyResult {
    let (mut a, mut b, mut c) = (0, 0, 0);
    once(ts, || f(&raw mut a, &raw mut b, &raw mut c))?;
    let ids = [id_object(ts, a)?, id_object(ts, b)?, id_object(ts, c)?];
    Ok(PyTuple::from_array(ts, ids)?.into_object())
}

/// `os.getresuid`.
pub fn getresuid(ts: &ThreadState, _: &PyObject) -> PyResult {
    // SAFETY: there is room for three.
    id_triple(ts, |a, b, c| unsafe { libc::getresuid(a, b, c) })
}

/// `os.getresgid`.
pub fn getresgid(ts: &ThreadState, _: &PyObject) -> PyResult {
    // SAFETY: there is room for three.
    id_triple(ts, |a, b, c| unsafe { libc::getresgid(a, b, c) })
}

fn groups_list(ts: &ThreadState, groups: &[u32]) -> PyResult {
    let list = PyList::with_capacity(ts, groups.len())?;
    for group in groups {
        list.append(ts, id_object(ts, *group)?)?;
    }
    Ok(list.into_object())
}

/// `os.getgroups`.
pub fn getgroups(ts: &ThreadState, _: &PyObject) -> PyResult {
    // SAFETY: asks for the count only.
    let count = once(ts, || unsafe { libc::getgroups(0, core::ptr::null_mut()) })?;
    let mut groups = TryVec::<u32>::new();
    groups.try_resize(count as usize, 0)?;
    // SAFETY: there is room for so many.
    let count = once(ts, || unsafe { libc::getgroups(count, groups.as_mut_ptr()) })?;
    groups_list(ts, &groups[..count as usize])
}

/// `os.setgroups`.
pub fn setgroups(ts: &ThreadState, _: &PyObject, groups: &PyObject) -> PyResult {
    if !protocol::is_sequence(groups) {
        return raise!(ts, exc::TypeError, "setgroups argument must be a sequence");
    }
    let mut ids = TryVec::<u32>::new();
    protocol::for_each(ts, groups, |group| {
        if !group.is_a::<PyInt>() {
            return raise!(ts, exc::TypeError, "groups must be integers");
        }
        ids.try_push(id(ts, Some(&group), "gid")?)?;
        Ok(())
    })?;
    if ids.len() > 65536 {
        return raise!(ts, exc::ValueError, "too many groups");
    }
    // SAFETY: the list is as long as said.
    done(ts, once(ts, || unsafe { libc::setgroups(ids.len(), ids.as_ptr()) }))
}

pub(super) fn name_argument(ts: &ThreadState, name: &PyObject) -> PyResult<TryVec<u8>> {
    let mut name = fs_encode(ts, name)?;
    name.try_push(0)?;
    Ok(name)
}

/// `os.initgroups`.
pub fn initgroups(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "initgroups", args.len(), 2, 2)?;
    let name = name_argument(ts, args[0])?;
    let group = id(ts, Some(args[1]), "gid")?;
    // SAFETY: the name is a C string.
    done(ts, once(ts, || unsafe { libc::initgroups(name.as_ptr().cast(), group) }))
}

/// `os.getgrouplist`.
pub fn getgrouplist(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "getgrouplist", args.len(), 2, 2)?;
    let name = name_argument(ts, args[0])?;
    let group = id(ts, Some(args[1]), "gid")?;
    let mut groups = TryVec::<u32>::new();
    let mut room = 64;
    loop {
        groups.try_resize(room, 0)?;
        let mut count = room as i32;
        // SAFETY: the name is a C string, and there is room for so many.
        let status = blocking(ts, || unsafe {
            libc::getgrouplist(name.as_ptr().cast(), group, groups.as_mut_ptr(), &raw mut count)
        });
        if status >= 0 {
            return groups_list(ts, &groups[..count as usize]);
        }
        if room >= 1 << 20 {
            return Err(os_error(ts, libc::ERANGE));
        }
        room = (count as usize).max(room * 2);
    }
}

/// `os.getlogin`.
pub fn getlogin(ts: &ThreadState, _: &PyObject) -> PyResult {
    unsafe extern "C" {
        fn getlogin_r(name: *mut core::ffi::c_char, size: usize) -> i32;
    }
    let mut buffer = [0u8; 256];
    // SAFETY: the room is handed along.
    let error = unsafe { getlogin_r(buffer.as_mut_ptr().cast(), buffer.len()) };
    if error != 0 {
        return Err(os_error(ts, error));
    }
    let name = core::ffi::CStr::from_bytes_until_nul(&buffer).unwrap_or(c"").to_bytes();
    Ok(fs_decode(ts, name)?.into_object())
}

/// `os.getpgid`.
pub fn getpgid(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [pid] = parse!(ts, args, "getpgid", ["pid"], 0, 1, 1);
    let pid = int(ts, pid)?;
    // SAFETY: only looks.
    number(ts, once(ts, || unsafe { libc::getpgid(pid) })?)
}

/// `os.setpgrp`.
pub fn setpgrp(ts: &ThreadState, _: &PyObject) -> PyResult {
    // SAFETY: the kernel checks.
    done(ts, once(ts, || unsafe { libc::setpgid(0, 0) }))
}

/// `os.setpgid`.
pub fn setpgid(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "setpgid", args.len(), 2, 2)?;
    let (pid, group) = (protocol::as_i32(ts, args[0])?, protocol::as_i32(ts, args[1])?);
    // SAFETY: the kernel checks.
    done(ts, once(ts, || unsafe { libc::setpgid(pid, group) }))
}

/// `os.getsid`.
pub fn getsid(ts: &ThreadState, _: &PyObject, pid: &PyObject) -> PyResult {
    let pid = protocol::as_i32(ts, pid)?;
    // SAFETY: only looks.
    number(ts, once(ts, || unsafe { libc::getsid(pid) })?)
}

/// `os.setsid`.
pub fn setsid(ts: &ThreadState, _: &PyObject) -> PyResult {
    // SAFETY: the kernel checks.
    done(ts, once(ts, || unsafe { libc::setsid() }))
}

// ---- signals ----

/// `os.kill`.
pub fn kill(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "kill", args.len(), 2, 2)?;
    let (pid, signal) = (protocol::as_i32(ts, args[0])?, protocol::as_i32(ts, args[1])?);
    audit!(ts, "os.kill", pid, signal);
    // SAFETY: the kernel checks.
    once(ts, || unsafe { libc::kill(pid, signal) })?;
    // It may have been to the process itself.
    crate::lifecycle::pending::signals(ts)?;
    Ok(ts.none())
}

/// `os.killpg`.
pub fn killpg(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "killpg", args.len(), 2, 2)?;
    let (group, signal) = (protocol::as_i32(ts, args[0])?, protocol::as_i32(ts, args[1])?);
    audit!(ts, "os.killpg", group, signal);
    // SAFETY: the kernel checks.
    once(ts, || unsafe { libc::killpg(group, signal) })?;
    crate::lifecycle::pending::signals(ts)?;
    Ok(ts.none())
}

// ---- fork ----

const BEFORE: &str = "posix.before_fork";
const IN_CHILD: &str = "posix.after_fork_in_child";
const IN_PARENT: &str = "posix.after_fork_in_parent";

fn hooks(ts: &ThreadState, which: &str) -> PyResult<Ref<PyList>> {
    let interp = ts.interp();
    let all = match interp.native_state.get() {
        Some(all) => all,
        None => {
            let all = crate::types::dict::PyDict::new(ts)?;
            interp.native_state.set(Some(all.clone()));
            all
        }
    };
    let name = PyStr::intern(ts, which)?;
    if let Some(list) = all.get_str(ts, &name)?
        && let Ok(list) = list.downcast_into()
    {
        return Ok(list);
    }
    let list: Ref<PyList> = PyList::new(ts)?;
    all.set_str(ts, &name, list.as_object())?;
    Ok(list)
}

/// `os.register_at_fork`.
pub fn register_at_fork(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [before, in_child, in_parent] =
        parse!(ts, args, "register_at_fork", ["before", "after_in_child", "after_in_parent"], 0, 0, 0);
    if before.is_none() && in_child.is_none() && in_parent.is_none() {
        return raise!(ts, exc::TypeError, "At least one argument is required.");
    }
    let all =
        [(BEFORE, "before", before), (IN_CHILD, "after_in_child", in_child), (IN_PARENT, "after_in_parent", in_parent)];
    for (_, name, hook) in all {
        if hook.is_some_and(|hook| !call::is_callable(hook)) {
            let got = hook.map_or("NoneType", |hook| hook.type_name());
            return raise!(ts, exc::TypeError, "'{name}' must be callable, not {got}");
        }
    }
    for (list, _, hook) in all {
        if let Some(hook) = hook {
            hooks(ts, list)?.append(ts, hook.new_ref())?;
        }
    }
    Ok(ts.none())
}

/// Drops the hooks: nothing forks in an interpreter that is ending, and what they hold shall end while the modules that it
/// uses are whole.
pub fn forget_hooks(ts: &ThreadState) {
    let Some(all) = ts.interp().native_state.get() else { return };
    for which in [BEFORE, IN_CHILD, IN_PARENT] {
        match PyStr::intern(ts, which).and_then(|name| all.remove_str(ts, &name)) {
            Ok(list) => drop(list),
            Err(raised) => ts.clear_raised(raised),
        }
    }
}

/// Calls each hook; what one raises is reported, and the others are called all the same.
fn run_hooks(ts: &ThreadState, which: &str, reverse: bool) {
    let list = match hooks(ts, which) {
        Ok(list) => list,
        Err(raised) => return ts.clear_raised(raised),
    };
    // The list may grow meanwhile; those are not called.
    let count = list.len();
    for index in 0..count {
        let Some(hook) = list.get(if reverse { count - 1 - index } else { index }) else { continue };
        if let Err(raised) = call::call0(ts, &hook) {
            exc::write_unraisable(ts, raised, Some("calling the fork hook"), &hook);
        }
    }
}

/// What is to be done before a fork (`PyOS_BeforeFork`): the hooks run, and the runtime's locks are taken.
pub fn before_fork(ts: &ThreadState) {
    run_hooks(ts, BEFORE, true);
    fork::take_locks(ts);
}

/// What is to be done after a fork in the parent (`PyOS_AfterFork_Parent`).
pub fn after_fork_in_parent(ts: &ThreadState) {
    fork::release_locks_in_parent(ts);
    run_hooks(ts, IN_PARENT, false);
}

/// What is to be done after a fork in the child (`PyOS_AfterFork_Child`).
pub fn after_fork_in_child(ts: &ThreadState) {
    fork::release_locks_in_child(ts);
    crate::modules::_signal::after_fork_in_child(ts);
    fork::forget_other_threads(ts);
    run_hooks(ts, IN_CHILD, false);
}

/// Forks with all hooks; the inner error is the error number.
fn fork_with(ts: &ThreadState, f: impl FnOnce() -> libc::pid_t) -> Result<libc::pid_t, i32> {
    before_fork(ts);
    let pid = f();
    let error = errno();
    if pid == 0 {
        after_fork_in_child(ts);
        return Ok(0);
    }
    after_fork_in_parent(ts);
    if pid < 0 { Err(error) } else { Ok(pid) }
}

fn check_may_fork(ts: &ThreadState) -> PyResult<()> {
    if ts.interp().finalizing.get() {
        return raise!(ts, exc::PythonFinalizationError, "can't fork at interpreter shutdown");
    }
    if !ts.interp().allows.fork.get() {
        return raise!(ts, exc::RuntimeError, "fork not supported for isolated subinterpreters");
    }
    Ok(())
}

/// Whether the system knows of threads that Python does not. One that was joined a moment ago may still be counted: only
/// what is there after a while is.
fn has_foreign_threads() -> bool {
    (0..3).all(|_| {
        let many = system_threads().is_some_and(|count| count > 1);
        if many {
            // SAFETY: always succeeds.
            unsafe { libc::sched_yield() };
        }
        many
    })
}

/// How many threads the process has, by the system's account; None where it keeps none.
fn system_threads() -> Option<u32> {
    let mut text = [0u8; 512];
    // SAFETY: the path is a C string; the room is handed along; the descriptor is closed once.
    let got = unsafe {
        let fd = libc::open(c"/proc/self/stat".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        if fd < 0 {
            return None;
        }
        let got = libc::read(fd, text.as_mut_ptr().cast(), text.len());
        libc::close(fd);
        got
    };
    let text = text.get(..usize::try_from(got).ok()?)?;
    // Behind the name of the program, which is in parentheses and may have any in it: the number is the 20th field.
    let behind = text.iter().rposition(|byte| *byte == b')')?;
    let field = text[behind + 1..].split(|byte| *byte == b' ').filter(|field| !field.is_empty()).nth(17)?;
    core::str::from_utf8(field).ok()?.parse().ok()
}

/// Python 3.12 and later warn of forks with threads running: the child may find a lock held for ever.
fn warn_about_threads(ts: &ThreadState, name: &str) -> PyResult<()> {
    let running = ts.interp().thread_records.running() + usize::from(!Runtime::get().is_main_thread());
    if running == 0 && !has_foreign_threads() {
        return Ok(());
    }
    // SAFETY: always succeeds.
    let pid = unsafe { libc::getpid() };
    let text = PyStr::format(
        ts,
        format_args!("This process (pid={pid}) is multi-threaded, use of {name}() may lead to deadlocks in the child."),
    )?;
    exc::warn(ts, &exc::DeprecationWarning, text.utf8(ts)?, 1)
}

/// `os.fork`.
pub fn fork(ts: &ThreadState, _: &PyObject) -> PyResult {
    check_may_fork(ts)?;
    audit!(ts, "os.fork");
    // SAFETY: the hooks have brought what is shared into order.
    match fork_with(ts, || unsafe { libc::fork() }) {
        Ok(pid) => {
            if pid != 0 {
                warn_about_threads(ts, "fork")?;
            }
            number(ts, pid)
        }
        Err(errno) => Err(os_error(ts, errno)),
    }
}

/// `os.forkpty`.
pub fn forkpty(ts: &ThreadState, _: &PyObject) -> PyResult {
    check_may_fork(ts)?;
    audit!(ts, "os.forkpty");
    let mut main = -1;
    // SAFETY: as in `fork`; there is room for the descriptor.
    let forked = fork_with(ts, || unsafe {
        libc::forkpty(&raw mut main, core::ptr::null_mut(), core::ptr::null(), core::ptr::null())
    });
    match forked {
        Ok(pid) => {
            if pid != 0 {
                warn_about_threads(ts, "forkpty")?;
            }
            Ok(PyTuple::from_array(ts, [number(ts, pid)?, number(ts, main)?])?.into_object())
        }
        Err(errno) => Err(os_error(ts, errno)),
    }
}

// ---- waiting ----

fn pid_and_status(ts: &ThreadState, pid: i32, status: i32) -> PyResult {
    Ok(PyTuple::from_array(ts, [number(ts, pid)?, number(ts, status)?])?.into_object())
}

/// `os.wait`.
pub fn wait(ts: &ThreadState, _: &PyObject) -> PyResult {
    let mut status = 0;
    // SAFETY: there is room for the status.
    let pid = system::call(ts, || unsafe { libc::wait(&raw mut status) })?;
    pid_and_status(ts, pid, status)
}

/// `os.waitpid`.
pub fn waitpid(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "waitpid", args.len(), 2, 2)?;
    let (pid, options) = (protocol::as_i32(ts, args[0])?, protocol::as_i32(ts, args[1])?);
    let mut status = 0;
    // SAFETY: there is room for the status.
    let pid = system::call(ts, || unsafe { libc::waitpid(pid, &raw mut status, options) })?;
    pid_and_status(ts, pid, status)
}

fn wait_with_usage(ts: &ThreadState, pid: i32, options: i32) -> PyResult {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: there is room for both.
    let pid = system::call(ts, || unsafe { libc::wait4(pid, &raw mut status, options, usage.as_mut_ptr()) })?;
    // SAFETY: zeroed numbers, or filled.
    let usage = unsafe { usage.assume_init() };
    // The struct sequence is the resource module's.
    let class = protocol::import_attr(ts, "resource", "struct_rusage")?;
    let seconds = |time: libc::timeval| PyFloat::new(ts, time.tv_sec as f64 + time.tv_usec as f64 * 1e-6);
    let long = |value: i64| PyInt::from_i64(ts, value);
    let fields = [
        seconds(usage.ru_utime)?,
        seconds(usage.ru_stime)?,
        long(usage.ru_maxrss)?,
        long(usage.ru_ixrss)?,
        long(usage.ru_idrss)?,
        long(usage.ru_isrss)?,
        long(usage.ru_minflt)?,
        long(usage.ru_majflt)?,
        long(usage.ru_nswap)?,
        long(usage.ru_inblock)?,
        long(usage.ru_oublock)?,
        long(usage.ru_msgsnd)?,
        long(usage.ru_msgrcv)?,
        long(usage.ru_nsignals)?,
        long(usage.ru_nvcsw)?,
        long(usage.ru_nivcsw)?,
    ];
    let fields = PyTuple::from_array(ts, fields)?;
    let usage = call::call_with(ts, &class, &[fields.as_object()])?;
    Ok(PyTuple::from_array(ts, [number(ts, pid)?, number(ts, status)?, usage])?.into_object())
}

/// `os.wait3`.
pub fn wait3(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [options] = parse!(ts, args, "wait3", ["options"], 0, 1, 1);
    wait_with_usage(ts, -1, int(ts, options)?)
}

/// `os.wait4`.
pub fn wait4(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [pid, options] = parse!(ts, args, "wait4", ["pid", "options"], 0, 2, 2);
    wait_with_usage(ts, int(ts, pid)?, int(ts, options)?)
}

/// `os.waitid`.
pub fn waitid(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "waitid", args.len(), 3, 3)?;
    let kind = protocol::as_i32(ts, args[0])?;
    let id = protocol::as_i32(ts, args[1])?;
    let options = protocol::as_i32(ts, args[2])?;
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: there is room for the information.
    system::call(ts, || unsafe { libc::waitid(kind as libc::idtype_t, id as libc::id_t, info.as_mut_ptr(), options) })?;
    // SAFETY: zeroed, or filled for a child's end.
    let (info, pid, uid, status) = unsafe {
        let info = info.assume_init();
        (info, info.si_pid(), info.si_uid(), info.si_status())
    };
    if pid == 0 {
        return Ok(ts.none());
    }
    let values = [
        number(ts, pid)?,
        id_object(ts, uid)?,
        number(ts, info.si_signo)?,
        number(ts, status)?,
        number(ts, info.si_code)?,
    ];
    structseq::make(ts, &WAITID_RESULT, &values)
}

/// `os.waitstatus_to_exitcode`.
pub fn waitstatus_to_exitcode(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [status] = parse!(ts, args, "waitstatus_to_exitcode", ["status"], 0, 1, 1);
    let status = int(ts, status)?;
    if libc::WIFEXITED(status) {
        return number(ts, libc::WEXITSTATUS(status));
    }
    if libc::WIFSIGNALED(status) {
        return number(ts, -libc::WTERMSIG(status));
    }
    if libc::WIFSTOPPED(status) {
        let signal = libc::WSTOPSIG(status);
        return raise!(ts, exc::ValueError, "process stopped by delivery of signal {signal}");
    }
    raise!(ts, exc::ValueError, "invalid wait status: {status}")
}

/// The questions about a status.
macro_rules! status_tests {
    ($($function:ident = $name:ident: $make:expr;)*) => {
        $(
            #[doc = concat!("`os.", stringify!($name), "`.")]
            pub fn $function(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
                static SIGNATURE: Signature<1> = Signature::new(stringify!($name), ["status"], 0, 1, 1);
                let [status] = SIGNATURE.parse(ts, args)?;
                let status = int(ts, status)?;
                $make(ts, libc::$name(status))
            }
        )*
    };
}
status_tests! {
    wcoredump = WCOREDUMP: truth_of;
    wifcontinued = WIFCONTINUED: truth_of;
    wifstopped = WIFSTOPPED: truth_of;
    wifsignaled = WIFSIGNALED: truth_of;
    wifexited = WIFEXITED: truth_of;
    wexitstatus = WEXITSTATUS: number;
    wtermsig = WTERMSIG: number;
    wstopsig = WSTOPSIG: number;
}

fn truth_of(_: &ThreadState, value: bool) -> PyResult {
    Ok(py_bool(value))
}

/// `os.pidfd_open`.
pub fn pidfd_open(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [pid, flags] = parse!(ts, args, "pidfd_open", ["pid", "flags"], 0, 2, 1);
    let (pid, flags) = (int(ts, pid)?, int_or(ts, flags, 0)?);
    // SAFETY: the kernel checks.
    let fd = once(ts, || unsafe { libc::syscall(libc::SYS_pidfd_open, pid, flags) })?;
    PyInt::from_i64(ts, fd)
}

/// `os.setns`.
pub fn setns(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [fd, kind] = parse!(ts, args, "setns", ["fd", "nstype"], 0, 2, 1);
    let fd = file_descriptor(ts, fd.unwrap_or(PyInt::zero()))?;
    let kind = int_or(ts, kind, 0)?;
    // SAFETY: the kernel checks.
    done(ts, once(ts, || unsafe { libc::setns(fd, kind) }))
}

/// `os.unshare`.
pub fn unshare(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [flags] = parse!(ts, args, "unshare", ["flags"], 0, 1, 1);
    let flags = int(ts, flags)?;
    // SAFETY: the kernel checks.
    done(ts, once(ts, || unsafe { libc::unshare(flags) }))
}

// ---- scheduling ----

/// `os.nice`.
pub fn nice(ts: &ThreadState, _: &PyObject, increment: &PyObject) -> PyResult {
    let increment = protocol::as_i32(ts, increment)?;
    system::set_errno(0);
    // SAFETY: the kernel checks. -1 is a result as well.
    let value = unsafe { libc::nice(increment) };
    if value == -1 && errno() != 0 {
        return Err(os_error(ts, errno()));
    }
    number(ts, value)
}

/// `os.getpriority`.
pub fn getpriority(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [which, who] = parse!(ts, args, "getpriority", ["which", "who"], 0, 2, 2);
    let (which, who) = (int(ts, which)?, int(ts, who)?);
    system::set_errno(0);
    // SAFETY: only looks. -1 is a result as well.
    let value = unsafe { libc::getpriority(which as _, who as libc::id_t) };
    if errno() != 0 {
        return Err(os_error(ts, errno()));
    }
    number(ts, value)
}

/// `os.setpriority`.
pub fn setpriority(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [which, who, priority] = parse!(ts, args, "setpriority", ["which", "who", "priority"], 0, 3, 3);
    let (which, who, priority) = (int(ts, which)?, int(ts, who)?, int(ts, priority)?);
    // SAFETY: the kernel checks.
    done(ts, once(ts, || unsafe { libc::setpriority(which as _, who as libc::id_t, priority) }))
}

/// `os.sched_yield`.
pub fn sched_yield(ts: &ThreadState, _: &PyObject) -> PyResult {
    // SAFETY: always succeeds.
    done(ts, once(ts, || unsafe { libc::sched_yield() }))
}

/// `os.sched_get_priority_max`.
pub fn sched_get_priority_max(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [policy] = parse!(ts, args, "sched_get_priority_max", ["policy"], 0, 1, 1);
    let policy = int(ts, policy)?;
    // SAFETY: only looks.
    number(ts, once(ts, || unsafe { libc::sched_get_priority_max(policy) })?)
}

/// `os.sched_get_priority_min`.
pub fn sched_get_priority_min(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let [policy] = parse!(ts, args, "sched_get_priority_min", ["policy"], 0, 1, 1);
    let policy = int(ts, policy)?;
    // SAFETY: only looks.
    number(ts, once(ts, || unsafe { libc::sched_get_priority_min(policy) })?)
}

/// `os.sched_getscheduler`.
pub fn sched_getscheduler(ts: &ThreadState, _: &PyObject, pid: &PyObject) -> PyResult {
    let pid = protocol::as_i32(ts, pid)?;
    // SAFETY: only looks.
    number(ts, once(ts, || unsafe { libc::sched_getscheduler(pid) })?)
}

pub(super) fn to_sched_param(ts: &ThreadState, param: &PyObject) -> PyResult<libc::sched_param> {
    let typ = structseq::type_of(ts, &SCHED_PARAM)?;
    if !core::ptr::eq(param.ob_type(), &*typ) {
        return raise!(ts, exc::TypeError, "must have a sched_param object");
    }
    let priority = protocol::sequence_item(ts, param, 0)?;
    let Some(priority) = protocol::index(ts, &priority)?.as_i64().and_then(|p| i32::try_from(p).ok()) else {
        return raise!(ts, exc::OverflowError, "sched_priority out of range");
    };
    Ok(libc::sched_param { sched_priority: priority })
}

/// `os.sched_setscheduler`.
pub fn sched_setscheduler(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "sched_setscheduler", args.len(), 3, 3)?;
    let (pid, policy) = (protocol::as_i32(ts, args[0])?, protocol::as_i32(ts, args[1])?);
    let param = to_sched_param(ts, args[2])?;
    // SAFETY: the parameters are whole.
    done(ts, once(ts, || unsafe { libc::sched_setscheduler(pid, policy, &raw const param) }))
}

/// `os.sched_getparam`.
pub fn sched_getparam(ts: &ThreadState, _: &PyObject, pid: &PyObject) -> PyResult {
    let pid = protocol::as_i32(ts, pid)?;
    let mut param = libc::sched_param { sched_priority: 0 };
    // SAFETY: there is room for the parameters.
    once(ts, || unsafe { libc::sched_getparam(pid, &raw mut param) })?;
    structseq::make(ts, &SCHED_PARAM, &[number(ts, param.sched_priority)?])
}

/// `os.sched_setparam`.
pub fn sched_setparam(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "sched_setparam", args.len(), 2, 2)?;
    let pid = protocol::as_i32(ts, args[0])?;
    let param = to_sched_param(ts, args[1])?;
    // SAFETY: the parameters are whole.
    done(ts, once(ts, || unsafe { libc::sched_setparam(pid, &raw const param) }))
}

/// `os.sched_rr_get_interval`.
pub fn sched_rr_get_interval(ts: &ThreadState, _: &PyObject, pid: &PyObject) -> PyResult {
    let pid = protocol::as_i32(ts, pid)?;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: there is room for the time.
    once(ts, || unsafe { libc::sched_rr_get_interval(pid, &raw mut time) })?;
    PyFloat::new(ts, time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64)
}

/// How many processors a set of them can have.
const CPUS: usize = 8 * size_of::<libc::cpu_set_t>();

/// `os.sched_getaffinity`.
pub fn sched_getaffinity(ts: &ThreadState, _: &PyObject, pid: &PyObject) -> PyResult {
    let pid = protocol::as_i32(ts, pid)?;
    let mut set = MaybeUninit::<libc::cpu_set_t>::zeroed();
    // SAFETY: the set's size is handed along.
    once(ts, || unsafe { libc::sched_getaffinity(pid, size_of::<libc::cpu_set_t>(), set.as_mut_ptr()) })?;
    // SAFETY: it has been filled.
    let set = unsafe { set.assume_init() };
    let result = PySet::new(ts)?;
    for cpu in 0..CPUS {
        // SAFETY: within the set.
        if unsafe { libc::CPU_ISSET(cpu, &set) } {
            result.add(ts, &*PyInt::from_usize(ts, cpu)?)?;
        }
    }
    Ok(result.into_object())
}

/// `os.sched_setaffinity`.
pub fn sched_setaffinity(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "sched_setaffinity", args.len(), 2, 2)?;
    let pid = protocol::as_i32(ts, args[0])?;
    // SAFETY: a set of bits, none set.
    let mut set: libc::cpu_set_t = unsafe { core::mem::zeroed() };
    protocol::for_each(ts, args[1], |item| {
        let cpu = protocol::index(ts, &item)?;
        match cpu.as_i64() {
            Some(cpu) if cpu < 0 => raise!(ts, exc::ValueError, "negative CPU number"),
            Some(cpu) if (cpu as usize) < CPUS => {
                // SAFETY: within the set.
                unsafe { libc::CPU_SET(cpu as usize, &mut set) };
                Ok(())
            }
            Some(_) => Ok(()),
            None => raise!(ts, exc::OverflowError, "CPU number too large"),
        }
    })?;
    // SAFETY: the set's size is handed along.
    let result = retry(ts, || unsafe { libc::sched_setaffinity(pid, size_of::<libc::cpu_set_t>(), &raw const set) })?;
    match result {
        Ok(_) => Ok(ts.none()),
        Err(errno) => Err(os_error(ts, errno)),
    }
}
