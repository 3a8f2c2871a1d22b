//! `_posixsubprocess`: starting a program in a child process, for `subprocess`.
//!
//! Between fork and exec the child only makes system calls: everything that needs memory or Python is made
//! ready before. The one exception is `preexec_fn`, which the caller has asked for.

use core::ffi::c_char;

use hognose_allocators::collections::TryVec;

use crate::modules::ModuleSpec;
use crate::modules::posix::fd::close_range;
use crate::modules::posix::path::fs_encode;
use crate::modules::posix::process;
use crate::modules::posix::program::StringList;
use crate::modules::posix::system::{errno, id, os_error, set_errno};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::tuple::PyTuple;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_posixsubprocess",
    doc: "Starting programs, for subprocess.",
    methods: &[MethodDef::positional(
        "fork_exec",
        fork_exec,
        "fork_exec($module, args, executable_list, close_fds, pass_fds, cwd,\n          env, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite,\n          errpipe_read, errpipe_write, restore_signals, call_setsid,\n          pgid_to_set, gid, extra_groups, uid, child_umask, preexec_fn,\n          /)\n--\n\nStart one of the programs in executable_list in a child process; its number. What fails in the\nchild is written to errpipe_write: the exception's name, the error number in hexadecimal and a\nmessage, with colons in between.",
    )],
    ..ModuleSpec::EMPTY
};

/// Everything that the child needs.
struct Plan<'a> {
    programs: *const *const c_char,
    argv: *const *const c_char,
    /// Null: the present environment.
    env: *const *const c_char,
    /// Null: the present directory.
    cwd: *const c_char,
    close_fds: bool,
    keep: &'a [i32],
    p2c: [i32; 2],
    c2p: [i32; 2],
    err: [i32; 2],
    errpipe: [i32; 2],
    restore_signals: bool,
    setsid: bool,
    group_to_set: i32,
    gid: Option<u32>,
    groups: Option<&'a [u32]>,
    uid: Option<u32>,
    umask: i32,
    preexec: Option<&'a PyObject>,
}

/// What went wrong in the child.
enum Failure {
    /// A system call, by its error number, and whether it was before the program was tried.
    Os(i32, &'static str),
    /// `preexec_fn` raised.
    Preexec,
}

fn fork_exec(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    if args.len() != 22 && args.len() != 23 {
        return raise!(ts, exc::TypeError, "fork_exec expected 22 arguments, got {}", args.len());
    }
    let int = |index: usize| protocol::as_i32(ts, args[index]);
    let close_fds = protocol::is_true(ts, args[2])?;
    let keep = kept_descriptors(ts, args[3])?;
    let preexec = Some(args[21]).filter(|f| !is_none(f));
    if preexec.is_some() && ts.interp().finalizing.get() {
        return raise!(ts, exc::PythonFinalizationError, "preexec_fn not supported at interpreter shutdown");
    }
    let errpipe = [int(12)?, int(13)?];
    if close_fds && errpipe[1] < 3 {
        return raise!(ts, exc::ValueError, "errpipe_write must be >= 3");
    }
    let mut programs = strings(ts, args[1], "executable_list")?;
    let mut argv = match is_none(args[0]) {
        true => None,
        false => Some(strings(ts, args[0], "args")?),
    };
    let mut env = match is_none(args[5]) {
        true => None,
        false => Some(strings(ts, args[5], "env")?),
    };
    let cwd = match is_none(args[4]) {
        true => None,
        false => {
            let mut cwd = fs_encode(ts, args[4])?;
            cwd.try_push(0)?;
            Some(cwd)
        }
    };
    let supplementary = |argument: &PyObject| -> PyResult<u32> {
        id(ts, Some(argument), "gid").or_else(|raised| {
            if !ts.raised_matches(&exc::OverflowError) {
                return Err(raised);
            }
            ts.clear_raised(raised);
            raise!(ts, exc::ValueError, "invalid group id")
        })
    };
    let optional_id = |argument: &PyObject, what: &str| -> PyResult<Option<u32>> {
        if is_none(argument) { Ok(None) } else { id(ts, Some(argument), what).map(Some) }
    };
    let gid = optional_id(args[17], "gid")?;
    let groups = match is_none(args[18]) {
        true => None,
        false => {
            let mut groups = TryVec::<u32>::new();
            protocol::for_each(ts, args[18], |group| {
                if !protocol::is_index(&group) {
                    return raise!(ts, exc::TypeError, "groups must be integers");
                }
                groups.try_push(supplementary(&group)?)?;
                Ok(())
            })?;
            Some(groups)
        }
    };
    let uid = optional_id(args[19], "uid")?;
    let plan = Plan {
        programs: programs.as_ptr()?,
        argv: match &mut argv {
            Some(argv) => argv.as_ptr()?,
            None => core::ptr::null(),
        },
        env: match &mut env {
            Some(env) => env.as_ptr()?,
            None => core::ptr::null(),
        },
        cwd: cwd.as_ref().map_or(core::ptr::null(), |cwd| cwd.as_ptr().cast()),
        close_fds,
        keep: &keep,
        p2c: [int(6)?, int(7)?],
        c2p: [int(8)?, int(9)?],
        err: [int(10)?, int(11)?],
        errpipe,
        restore_signals: protocol::is_true(ts, args[14])?,
        setsid: protocol::is_true(ts, args[15])?,
        group_to_set: int(16)?,
        gid,
        groups: groups.as_deref(),
        uid,
        umask: int(20)?,
        preexec,
    };
    fork(ts, &plan)
}

fn fork(ts: &ThreadState, plan: &Plan<'_>) -> PyResult {
    if plan.preexec.is_some() {
        process::before_fork(ts);
    }
    // Signals wait until the child has the handlers that its program is to have.
    // SAFETY: sets of signals, filled by the calls.
    let old = unsafe {
        let mut all: libc::sigset_t = core::mem::zeroed();
        let mut old: libc::sigset_t = core::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, &raw mut old);
        old
    };
    if plan.preexec.is_none() {
        hognose_allocators::before_fork();
    }
    // SAFETY: the child makes system calls only, but for the function that the caller has asked to be run there.
    let pid = unsafe { libc::fork() };
    let error = errno();
    if pid == 0 {
        if plan.preexec.is_some() {
            process::after_fork_in_child(ts);
        } else {
            hognose_allocators::after_fork_child();
        }
        // SAFETY: this is the child, and does not come back.
        unsafe { child(ts, plan, &old) }
    }
    if plan.preexec.is_none() {
        hognose_allocators::after_fork_parent();
    }
    // SAFETY: the set is what was before.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const old, core::ptr::null_mut()) };
    if plan.preexec.is_some() {
        process::after_fork_in_parent(ts);
    }
    if pid < 0 {
        return Err(os_error(ts, error));
    }
    PyInt::from_i64(ts, pid.into())
}

/// The child's life: becomes the program, or reports why not and ends.
///
/// # Safety
/// Called in a child process that has nothing else to do.
unsafe fn child(ts: &ThreadState, plan: &Plan<'_>, signals: &libc::sigset_t) -> ! {
    // SAFETY: as the caller says.
    let failure = unsafe { become_program(ts, plan, signals) };
    // At most: a name of 15 bytes, 8 digits, a message of 6, and two colons.
    let mut text = [0u8; 64];
    let mut length = 0;
    let mut add = |bytes: &[u8]| {
        text[length..length + bytes.len()].copy_from_slice(bytes);
        length += bytes.len();
    };
    match failure {
        Failure::Os(number, message) => {
            add(b"OSError:");
            let mut shift = 28;
            while shift > 0 && number >> shift == 0 {
                shift -= 4;
            }
            while shift >= 0 {
                add(&[b"0123456789ABCDEF"[(number >> shift & 15) as usize]]);
                shift -= 4;
            }
            add(b":");
            add(message.as_bytes());
        }
        Failure::Preexec => add(b"SubprocessError:0:Exception occurred in preexec_fn."),
    }
    // SAFETY: the text is as long as said, and the process ends.
    unsafe {
        libc::write(plan.errpipe[1], text.as_ptr().cast(), length);
        libc::_exit(255)
    }
}

/// # Safety
/// As for `child`.
unsafe fn become_program(ts: &ThreadState, plan: &Plan<'_>, signals: &libc::sigset_t) -> Failure {
    macro_rules! attempt {
        ($call:expr) => {
            attempt!($call, "")
        };
        ($call:expr, $message:literal) => {
            if $call < 0 {
                return Failure::Os(errno(), $message);
            }
        };
    }
    // SAFETY: system calls with plain numbers, and with pointers that the plan has made ready.
    unsafe {
        for fd in plan.keep {
            if *fd != plan.errpipe[1] {
                let flags = libc::fcntl(*fd, libc::F_GETFD);
                // A descriptor that is not open is left to the program to notice.
                if flags >= 0 && flags & libc::FD_CLOEXEC != 0 {
                    attempt!(libc::fcntl(*fd, libc::F_SETFD, flags & !libc::FD_CLOEXEC));
                }
            }
        }
        // The parent's ends.
        for fd in [plan.p2c[1], plan.c2p[0], plan.err[0], plan.errpipe[0]] {
            if fd >= 0 {
                libc::close(fd);
            }
        }
        let (input, mut output, mut error) = (plan.p2c[0], plan.c2p[1], plan.err[1]);
        // What the program's streams come from must not be where another one goes.
        if output == 0 {
            output = libc::dup(output);
            attempt!(output);
        }
        while (0..=1).contains(&error) {
            error = libc::dup(error);
            attempt!(error);
        }
        for (from, to) in [(input, 0), (output, 1), (error, 2)] {
            if from == to {
                let flags = libc::fcntl(from, libc::F_GETFD);
                attempt!(flags);
                attempt!(libc::fcntl(from, libc::F_SETFD, flags & !libc::FD_CLOEXEC));
            } else if from >= 0 {
                attempt!(libc::dup2(from, to));
            }
        }
        if !plan.cwd.is_null() {
            attempt!(libc::chdir(plan.cwd), "noexec:chdir");
        }
        if plan.umask >= 0 {
            libc::umask(plan.umask as libc::mode_t);
        }
        if plan.restore_signals {
            for number in [libc::SIGPIPE, libc::SIGXFSZ] {
                libc::signal(number, libc::SIG_DFL);
            }
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, core::ptr::from_ref(signals), core::ptr::null_mut());
        if plan.setsid {
            attempt!(libc::setsid(), "noexec");
        }
        if plan.group_to_set >= 0 {
            attempt!(libc::setpgid(0, plan.group_to_set), "noexec");
        }
        if let Some(groups) = plan.groups {
            attempt!(libc::setgroups(groups.len(), groups.as_ptr()), "noexec");
        }
        if let Some(gid) = plan.gid {
            attempt!(libc::setregid(gid, gid), "noexec");
        }
        if let Some(uid) = plan.uid {
            attempt!(libc::setreuid(uid, uid), "noexec");
        }
        if let Some(function) = plan.preexec
            && let Err(raised) = call::call0(ts, function)
        {
            ts.clear_raised(raised);
            return Failure::Preexec;
        }
        if plan.close_fds {
            close_all_but(plan.keep);
        }
        // The program is the first one that is there.
        let mut saved = 0;
        let mut program = plan.programs;
        while !(*program).is_null() {
            if plan.env.is_null() {
                libc::execv(*program, plan.argv);
            } else {
                libc::execve(*program, plan.argv, plan.env);
            }
            let failed = errno();
            if failed != libc::ENOENT && failed != libc::ENOTDIR && saved == 0 {
                saved = failed;
            }
            program = program.add(1);
        }
        if saved != 0 {
            set_errno(saved);
        }
        Failure::Os(errno(), "")
    }
}

/// Closes every descriptor from 3 on that is not in the sorted list.
fn close_all_but(keep: &[i32]) {
    let mut start = 3;
    for fd in keep {
        if *fd >= start {
            close_range(start, *fd);
            start = *fd + 1;
        }
    }
    // SAFETY: a plain system call; where it is missing the limit says how far there is something to close.
    unsafe {
        if libc::syscall(libc::SYS_close_range, start, u32::MAX, 0) != 0 {
            let limit = libc::sysconf(libc::_SC_OPEN_MAX).clamp(256, 1 << 20);
            for fd in start..limit as i32 {
                libc::close(fd);
            }
        }
    }
}

/// The descriptors to keep: a tuple of ints in ascending order.
fn kept_descriptors(ts: &ThreadState, argument: &PyObject) -> PyResult<TryVec<i32>> {
    let Some(tuple) = argument.downcast::<PyTuple>() else {
        return raise!(ts, exc::TypeError, "fork_exec() argument 4 must be tuple, not {}", argument.type_name());
    };
    let mut fds = TryVec::<i32>::new();
    for item in tuple.items() {
        let fd = item.downcast::<PyInt>().and_then(PyInt::as_i64).and_then(|fd| i32::try_from(fd).ok());
        match fd {
            Some(fd) if fd >= 0 && fds.last().is_none_or(|last| *last < fd) => fds.try_push(fd)?,
            _ => return raise!(ts, exc::ValueError, "bad value(s) in fds_to_keep"),
        }
    }
    Ok(fds)
}

/// A sequence of file names as C strings.
fn strings(ts: &ThreadState, sequence: &PyObject, what: &str) -> PyResult<StringList> {
    if !protocol::is_sequence(sequence) {
        return raise!(ts, exc::TypeError, "{what} must be a sequence");
    }
    let items = protocol::tuple_of(ts, sequence)?;
    let mut list = StringList::new();
    for item in items.items() {
        let bytes = fs_encode(ts, item)?;
        list.push(&[&bytes])?;
    }
    Ok(list)
}
