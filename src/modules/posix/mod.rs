//! `posix`: what `os` takes from the operating system.
//!
//! | file | what |
//! |---|---|
//! | `audit` | telling the audit hooks |
//! | `path` | file names and descriptors as arguments |
//! | `system` | calling the system: waiting, interruption, errors |
//! | `stat`, `scandir`, `files` | files and directories by name |
//! | `fd` | file descriptors |
//! | `process` | processes, users, scheduling |
//! | `program` | starting programs |
//! | `sysinfo` | the environment, names, limits, random bytes, text of paths |
//! | `constants` | constants, and the names of limits |

mod audit;
pub mod constants;
pub mod fd;
pub mod files;
pub mod path;
pub mod process;
pub mod program;
pub mod scandir;
pub mod stat;
pub mod sysinfo;
pub mod system;

use crate::modules::ModuleSpec;
use crate::object::{Args, AsObject, MethodDef, PyResult, PyTypeObject};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::str::PyStr;
use crate::types::structseq::{self, StructSeqSpec};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "posix",
    doc: "What the C library and the kernel offer, as Python functions; programs use it through os.",
    methods: &[
        MethodDef::keywords(
            "access",
            files::access,
            "access($module, /, path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)\n--\n\nWhether the real user may do to the path what mode asks.",
        ),
        // The library's prompt asks; a C program's hook for it (`PyOS_InputHook`) is not there.
        MethodDef::no_args(
            "_is_inputhook_installed",
            |_, _| Ok(crate::types::bool::py_bool(false)),
            "_is_inputhook_installed($module, /)\n--\n\nWhether something is to be called while input is awaited.",
        ),
        MethodDef::no_args("abort", program::abort, "abort($module, /)\n--\n\nEnd the process at once, with SIGABRT."),
        MethodDef::keywords(
            "chdir",
            files::chdir,
            "chdir($module, /, path)\n--\n\nMake path, or an open directory, the current directory.",
        ),
        MethodDef::keywords(
            "chmod",
            files::chmod,
            "chmod($module, /, path, mode, *, dir_fd=None, follow_symlinks=(os.name != 'nt'))\n--\n\nSet a file's permissions.",
        ),
        MethodDef::keywords(
            "chown",
            files::chown,
            "chown($module, /, path, uid, gid, *, dir_fd=None, follow_symlinks=True)\n--\n\nSet a file's owner and group; -1 leaves one as it is.",
        ),
        MethodDef::keywords(
            "chroot",
            files::chroot,
            "chroot($module, /, path)\n--\n\nMake path the process's root directory.",
        ),
        MethodDef::keywords("close", fd::close, "close($module, /, fd)\n--\n\nClose a file descriptor."),
        MethodDef::positional(
            "closerange",
            fd::closerange,
            "closerange($module, fd_low, fd_high, /)\n--\n\nClose the descriptors from fd_low on, below fd_high; errors do not count.",
        ),
        MethodDef::one(
            "confstr",
            sysinfo::confstr,
            "confstr($module, name, /)\n--\n\nA configuration text of the system.",
        ),
        MethodDef::keywords(
            "copy_file_range",
            fd::copy_file_range,
            "copy_file_range($module, /, src, dst, count, offset_src=None, offset_dst=None)\n--\n\nCopy up to count bytes between two files inside the kernel.",
        ),
        MethodDef::no_args(
            "cpu_count",
            sysinfo::cpu_count,
            "cpu_count($module, /)\n--\n\nHow many processors there are; None when that is not known.",
        ),
        MethodDef::no_args("ctermid", fd::ctermid, "ctermid($module, /)\n--\n\nThe name of the controlling terminal."),
        MethodDef::keywords(
            "device_encoding",
            fd::device_encoding,
            "device_encoding($module, /, fd)\n--\n\nThe encoding of a terminal; None for what is none.",
        ),
        MethodDef::one("dup", fd::dup, "dup($module, fd, /)\n--\n\nA copy of a file descriptor, not inheritable."),
        MethodDef::keywords(
            "dup2",
            fd::dup2,
            "dup2($module, /, fd, fd2, inheritable=True)\n--\n\nMake fd2 a copy of fd.",
        ),
        MethodDef::keywords(
            "eventfd",
            fd::eventfd,
            "eventfd($module, /, initval, flags=EFD_CLOEXEC)\n--\n\nA descriptor for notifications between threads or processes.",
        ),
        MethodDef::keywords(
            "eventfd_read",
            fd::eventfd_read,
            "eventfd_read($module, /, fd)\n--\n\nRead the counter of an eventfd.",
        ),
        MethodDef::keywords(
            "eventfd_write",
            fd::eventfd_write,
            "eventfd_write($module, /, fd, value)\n--\n\nAdd to the counter of an eventfd.",
        ),
        MethodDef::keywords(
            "_exit",
            program::exit_now,
            "_exit($module, /, status)\n--\n\nEnd the process at once, without any cleaning up.",
        ),
        MethodDef::positional(
            "execv",
            program::execv,
            "execv($module, path, argv, /)\n--\n\nReplace this program by another.",
        ),
        MethodDef::keywords(
            "execve",
            program::execve,
            "execve($module, /, path, argv, env)\n--\n\nReplace this program by another, with an environment.",
        ),
        MethodDef::keywords(
            "fchdir",
            fd::fchdir,
            "fchdir($module, /, fd)\n--\n\nMake an open directory the current one.",
        ),
        MethodDef::keywords(
            "fchmod",
            fd::fchmod,
            "fchmod($module, /, fd, mode)\n--\n\nSet an open file's permissions.",
        ),
        MethodDef::keywords(
            "fchown",
            fd::fchown,
            "fchown($module, /, fd, uid, gid)\n--\n\nSet an open file's owner and group.",
        ),
        MethodDef::keywords(
            "fdatasync",
            fd::fdatasync,
            "fdatasync($module, /, fd)\n--\n\nHave an open file's data written to the disk, whatever becomes of its times.",
        ),
        MethodDef::no_args(
            "fork",
            process::fork,
            "fork($module, /)\n--\n\nMake a child process; 0 in the child, its number in the parent.",
        ),
        MethodDef::no_args(
            "forkpty",
            process::forkpty,
            "forkpty($module, /)\n--\n\nMake a child process with a new terminal.",
        ),
        MethodDef::positional(
            "fpathconf",
            fd::fpathconf,
            "fpathconf($module, fd, name, /)\n--\n\nA limit of an open file.",
        ),
        MethodDef::keywords(
            "fspath",
            sysinfo::fspath_function,
            "fspath($module, /, path)\n--\n\nThe str or bytes that stands for a path.",
        ),
        MethodDef::keywords("fstat", stat::fstat, "fstat($module, /, fd)\n--\n\nWhat a file is, by its descriptor."),
        MethodDef::one("fstatvfs", stat::fstatvfs, "fstatvfs($module, fd, /)\n--\n\nThe file system of an open file."),
        MethodDef::keywords("fsync", fd::fsync, "fsync($module, /, fd)\n--\n\nHave an open file written to the disk."),
        MethodDef::positional(
            "ftruncate",
            fd::ftruncate,
            "ftruncate($module, fd, length, /)\n--\n\nCut or extend an open file.",
        ),
        MethodDef::one(
            "get_blocking",
            fd::get_blocking,
            "get_blocking($module, fd, /)\n--\n\nWhether reading and writing wait.",
        ),
        MethodDef::one(
            "get_inheritable",
            fd::get_inheritable,
            "get_inheritable($module, fd, /)\n--\n\nWhether child programs get the descriptor.",
        ),
        MethodDef::positional(
            "get_terminal_size",
            fd::get_terminal_size,
            "get_terminal_size($module, fd=<unrepresentable>, /)\n--\n\nThe size of a terminal's window.",
        ),
        MethodDef::no_args(
            "getcwd",
            |ts, _| scandir::current_directory(ts, false),
            "getcwd($module, /)\n--\n\nThe current directory.",
        ),
        MethodDef::no_args(
            "getcwdb",
            |ts, _| scandir::current_directory(ts, true),
            "getcwdb($module, /)\n--\n\nThe current directory, as bytes.",
        ),
        MethodDef::no_args("getegid", process::getegid, "getegid($module, /)\n--\n\nThe effective group's number."),
        MethodDef::no_args("geteuid", process::geteuid, "geteuid($module, /)\n--\n\nThe effective user's number."),
        MethodDef::no_args("getgid", process::getgid, "getgid($module, /)\n--\n\nThe group's number."),
        MethodDef::positional(
            "getgrouplist",
            process::getgrouplist,
            "getgrouplist($module, user, group, /)\n--\n\nThe groups that a user belongs to.",
        ),
        MethodDef::no_args(
            "getgroups",
            process::getgroups,
            "getgroups($module, /)\n--\n\nThe process's supplementary groups.",
        ),
        MethodDef::no_args(
            "getloadavg",
            sysinfo::getloadavg,
            "getloadavg($module, /)\n--\n\nHow many processes were running, on average over 1, 5 and 15 minutes.",
        ),
        MethodDef::no_args("getlogin", process::getlogin, "getlogin($module, /)\n--\n\nThe name of who is logged in."),
        MethodDef::keywords("getpgid", process::getpgid, "getpgid($module, /, pid)\n--\n\nA process's group."),
        MethodDef::no_args("getpgrp", process::getpgrp, "getpgrp($module, /)\n--\n\nThe process's group."),
        MethodDef::no_args("getpid", process::getpid, "getpid($module, /)\n--\n\nThe process's number."),
        MethodDef::no_args("getppid", process::getppid, "getppid($module, /)\n--\n\nThe parent process's number."),
        MethodDef::keywords(
            "getpriority",
            process::getpriority,
            "getpriority($module, /, which, who)\n--\n\nA program's priority.",
        ),
        MethodDef::keywords(
            "getrandom",
            sysinfo::getrandom,
            "getrandom($module, /, size, flags=0)\n--\n\nRandom bytes from the kernel.",
        ),
        MethodDef::no_args(
            "getresgid",
            process::getresgid,
            "getresgid($module, /)\n--\n\nThe real, effective and saved group's numbers.",
        ),
        MethodDef::no_args(
            "getresuid",
            process::getresuid,
            "getresuid($module, /)\n--\n\nThe real, effective and saved user's numbers.",
        ),
        MethodDef::one("getsid", process::getsid, "getsid($module, pid, /)\n--\n\nA process's session."),
        MethodDef::no_args("getuid", process::getuid, "getuid($module, /)\n--\n\nThe user's number."),
        MethodDef::keywords(
            "getxattr",
            files::getxattr,
            "getxattr($module, /, path, attribute, *, follow_symlinks=True)\n--\n\nThe value of an extended attribute.",
        ),
        MethodDef::one(
            "grantpt",
            fd::grantpt,
            "grantpt($module, fd, /)\n--\n\nGive the process access to the other end of a pseudo-terminal.",
        ),
        MethodDef::positional(
            "initgroups",
            process::initgroups,
            "initgroups($module, username, gid, /)\n--\n\nSet the supplementary groups to those of a user.",
        ),
        MethodDef::one("isatty", fd::isatty, "isatty($module, fd, /)\n--\n\nWhether the descriptor is a terminal's."),
        MethodDef::positional(
            "kill",
            process::kill,
            "kill($module, pid, signal, /)\n--\n\nSend a signal to a process.",
        ),
        MethodDef::positional(
            "killpg",
            process::killpg,
            "killpg($module, pgid, signal, /)\n--\n\nSend a signal to a group of processes.",
        ),
        MethodDef::keywords(
            "lchown",
            files::lchown,
            "lchown($module, /, path, uid, gid)\n--\n\nSet the owner and group of a file, or of a link itself.",
        ),
        MethodDef::keywords(
            "link",
            files::link,
            "link($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True)\n--\n\nGive a file another name.",
        ),
        MethodDef::keywords(
            "listdir",
            scandir::listdir,
            "listdir($module, /, path=None)\n--\n\nThe names in a directory, in no order, without \".\" and \"..\".",
        ),
        MethodDef::keywords(
            "listxattr",
            files::listxattr,
            "listxattr($module, /, path=None, *, follow_symlinks=True)\n--\n\nThe names of the extended attributes.",
        ),
        MethodDef::positional(
            "lockf",
            fd::lockf,
            "lockf($module, fd, command, length, /)\n--\n\nLock or unlock a part of an open file.",
        ),
        MethodDef::one(
            "login_tty",
            fd::login_tty,
            "login_tty($module, fd, /)\n--\n\nMake a terminal the controlling one, and standard input and output.",
        ),
        MethodDef::positional(
            "lseek",
            fd::lseek,
            "lseek($module, fd, position, whence, /)\n--\n\nSet the position of an open file.",
        ),
        MethodDef::keywords(
            "lstat",
            stat::lstat,
            "lstat($module, /, path, *, dir_fd=None)\n--\n\nWhat a file is; of a link, what the link is.",
        ),
        MethodDef::one("major", sysinfo::major, "major($module, device, /)\n--\n\nThe major number of a device."),
        MethodDef::positional(
            "makedev",
            sysinfo::makedev,
            "makedev($module, major, minor, /)\n--\n\nThe device with a major and a minor number.",
        ),
        MethodDef::keywords(
            "memfd_create",
            fd::memfd_create,
            "memfd_create($module, /, name, flags=MFD_CLOEXEC)\n--\n\nA file that lies in memory only.",
        ),
        MethodDef::one("minor", sysinfo::minor, "minor($module, device, /)\n--\n\nThe minor number of a device."),
        MethodDef::keywords(
            "mkdir",
            files::mkdir,
            "mkdir($module, /, path, mode=511, *, dir_fd=None)\n--\n\nMake a directory.",
        ),
        MethodDef::keywords(
            "mkfifo",
            files::mkfifo,
            "mkfifo($module, /, path, mode=438, *, dir_fd=None)\n--\n\nMake a named pipe.",
        ),
        MethodDef::keywords(
            "mknod",
            files::mknod,
            "mknod($module, /, path, mode=384, device=0, *, dir_fd=None)\n--\n\nMake a file, named pipe or device.",
        ),
        MethodDef::one(
            "nice",
            process::nice,
            "nice($module, increment, /)\n--\n\nAdd to the process's niceness; the new one.",
        ),
        MethodDef::keywords(
            "open",
            fd::open,
            "open($module, /, path, flags, mode=511, *, dir_fd=None)\n--\n\nOpen a file; its descriptor, not inheritable.",
        ),
        MethodDef::no_args("openpty", fd::openpty, "openpty($module, /)\n--\n\nA new pair of pseudo-terminals."),
        MethodDef::keywords(
            "pathconf",
            files::pathconf,
            "pathconf($module, /, path, name)\n--\n\nA limit of a file or directory.",
        ),
        MethodDef::keywords(
            "pidfd_open",
            process::pidfd_open,
            "pidfd_open($module, /, pid, flags=0)\n--\n\nA descriptor that stands for a process.",
        ),
        MethodDef::no_args("pipe", fd::pipe, "pipe($module, /)\n--\n\nA pipe: (read end, write end)."),
        MethodDef::one("pipe2", fd::pipe2, "pipe2($module, flags, /)\n--\n\nA pipe with flags for both ends."),
        MethodDef::positional(
            "posix_fadvise",
            fd::posix_fadvise,
            "posix_fadvise($module, fd, offset, length, advice, /)\n--\n\nTell the kernel how a file is going to be read.",
        ),
        MethodDef::positional(
            "posix_fallocate",
            fd::posix_fallocate,
            "posix_fallocate($module, fd, offset, length, /)\n--\n\nMake sure that there is room on the disk.",
        ),
        MethodDef::one(
            "posix_openpt",
            fd::posix_openpt,
            "posix_openpt($module, oflag, /)\n--\n\nThe controlling end of a new pseudo-terminal.",
        ),
        MethodDef::keywords(
            "posix_spawn",
            program::posix_spawn,
            "posix_spawn($module, path, argv, env, /, *, file_actions=(), setpgroup=<unrepresentable>, resetids=False, setsid=False, setsigmask=(), setsigdef=(), scheduler=<unrepresentable>)\n--\n\nStart a program in a new process.",
        ),
        MethodDef::keywords(
            "posix_spawnp",
            program::posix_spawnp,
            "posix_spawnp($module, path, argv, env, /, *, file_actions=(), setpgroup=<unrepresentable>, resetids=False, setsid=False, setsigmask=(), setsigdef=(), scheduler=<unrepresentable>)\n--\n\nStart a program in a new process, found by PATH.",
        ),
        MethodDef::positional(
            "pread",
            fd::pread,
            "pread($module, fd, length, offset, /)\n--\n\nRead from a position, whatever the file's own is.",
        ),
        MethodDef::positional(
            "preadv",
            fd::preadv,
            "preadv($module, fd, buffers, offset, flags=0, /)\n--\n\nRead from a position into several buffers.",
        ),
        MethodDef::one(
            "ptsname",
            fd::ptsname,
            "ptsname($module, fd, /)\n--\n\nThe name of the other end of a pseudo-terminal.",
        ),
        MethodDef::positional(
            "putenv",
            sysinfo::putenv,
            "putenv($module, name, value, /)\n--\n\nSet an environment variable for child programs.",
        ),
        MethodDef::positional(
            "pwrite",
            fd::pwrite,
            "pwrite($module, fd, buffer, offset, /)\n--\n\nWrite at a position, whatever the file's own is.",
        ),
        MethodDef::positional(
            "pwritev",
            fd::pwritev,
            "pwritev($module, fd, buffers, offset, flags=0, /)\n--\n\nWrite several buffers at a position.",
        ),
        MethodDef::positional("read", fd::read, "read($module, fd, length, /)\n--\n\nRead up to length bytes."),
        MethodDef::positional(
            "readinto",
            fd::readinto,
            "readinto($module, fd, buffer, /)\n--\n\nRead into a writable buffer; how many bytes it were.",
        ),
        MethodDef::keywords(
            "readlink",
            files::readlink,
            "readlink($module, /, path, *, dir_fd=None)\n--\n\nWhat a symbolic link says.",
        ),
        MethodDef::positional("readv", fd::readv, "readv($module, fd, buffers, /)\n--\n\nRead into several buffers."),
        MethodDef::keywords(
            "register_at_fork",
            process::register_at_fork,
            "register_at_fork($module, /, *, before=<unrepresentable>, after_in_child=<unrepresentable>, after_in_parent=<unrepresentable>)\n--\n\nHave functions called around each fork.",
        ),
        MethodDef::keywords("remove", files::remove, "remove($module, /, path, *, dir_fd=None)\n--\n\nRemove a file."),
        MethodDef::keywords(
            "removexattr",
            files::removexattr,
            "removexattr($module, /, path, attribute, *, follow_symlinks=True)\n--\n\nRemove an extended attribute.",
        ),
        MethodDef::keywords(
            "rename",
            files::rename,
            "rename($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)\n--\n\nRename a file or directory.",
        ),
        MethodDef::keywords(
            "replace",
            files::replace,
            "replace($module, /, src, dst, *, src_dir_fd=None, dst_dir_fd=None)\n--\n\nRename a file or directory, in place of what has that name.",
        ),
        MethodDef::keywords(
            "rmdir",
            files::rmdir,
            "rmdir($module, /, path, *, dir_fd=None)\n--\n\nRemove an empty directory.",
        ),
        MethodDef::keywords(
            "scandir",
            scandir::scandir,
            "scandir($module, /, path=None)\n--\n\nAn iterator of a directory's entries, as DirEntry objects.",
        ),
        MethodDef::keywords(
            "sched_get_priority_max",
            process::sched_get_priority_max,
            "sched_get_priority_max($module, /, policy)\n--\n\nThe highest priority of a policy.",
        ),
        MethodDef::keywords(
            "sched_get_priority_min",
            process::sched_get_priority_min,
            "sched_get_priority_min($module, /, policy)\n--\n\nThe lowest priority of a policy.",
        ),
        MethodDef::one(
            "sched_getaffinity",
            process::sched_getaffinity,
            "sched_getaffinity($module, pid, /)\n--\n\nThe processors that a process may run on.",
        ),
        MethodDef::one(
            "sched_getparam",
            process::sched_getparam,
            "sched_getparam($module, pid, /)\n--\n\nThe scheduling parameters of a process.",
        ),
        MethodDef::one(
            "sched_getscheduler",
            process::sched_getscheduler,
            "sched_getscheduler($module, pid, /)\n--\n\nThe scheduling policy of a process.",
        ),
        MethodDef::one(
            "sched_rr_get_interval",
            process::sched_rr_get_interval,
            "sched_rr_get_interval($module, pid, /)\n--\n\nThe round-robin time of a process, in seconds.",
        ),
        MethodDef::positional(
            "sched_setaffinity",
            process::sched_setaffinity,
            "sched_setaffinity($module, pid, mask, /)\n--\n\nSet the processors that a process may run on.",
        ),
        MethodDef::positional(
            "sched_setparam",
            process::sched_setparam,
            "sched_setparam($module, pid, param, /)\n--\n\nSet the scheduling parameters of a process.",
        ),
        MethodDef::positional(
            "sched_setscheduler",
            process::sched_setscheduler,
            "sched_setscheduler($module, pid, policy, param, /)\n--\n\nSet the scheduling policy of a process.",
        ),
        MethodDef::no_args("sched_yield", process::sched_yield, "sched_yield($module, /)\n--\n\nLet others run."),
        MethodDef::keywords(
            "sendfile",
            fd::sendfile,
            "sendfile($module, /, out_fd, in_fd, offset, count)\n--\n\nCopy count bytes from one descriptor to another.",
        ),
        MethodDef::positional(
            "set_blocking",
            fd::set_blocking,
            "set_blocking($module, fd, blocking, /)\n--\n\nSay whether reading and writing wait.",
        ),
        MethodDef::positional(
            "set_inheritable",
            fd::set_inheritable,
            "set_inheritable($module, fd, inheritable, /)\n--\n\nSay whether child programs get the descriptor.",
        ),
        MethodDef::positional("setegid", process::setegid, "setegid($module, egid, /)\n--\n\nSet the effective group."),
        MethodDef::positional("seteuid", process::seteuid, "seteuid($module, euid, /)\n--\n\nSet the effective user."),
        MethodDef::positional("setgid", process::setgid, "setgid($module, gid, /)\n--\n\nSet the group."),
        MethodDef::one(
            "setgroups",
            process::setgroups,
            "setgroups($module, groups, /)\n--\n\nSet the supplementary groups.",
        ),
        MethodDef::keywords("setns", process::setns, "setns($module, /, fd, nstype=0)\n--\n\nEnter another namespace."),
        MethodDef::positional(
            "setpgid",
            process::setpgid,
            "setpgid($module, pid, pgrp, /)\n--\n\nPut a process into a group.",
        ),
        MethodDef::no_args(
            "setpgrp",
            process::setpgrp,
            "setpgrp($module, /)\n--\n\nPut the process into a group of its own.",
        ),
        MethodDef::keywords(
            "setpriority",
            process::setpriority,
            "setpriority($module, /, which, who, priority)\n--\n\nSet a program's priority.",
        ),
        MethodDef::positional(
            "setregid",
            process::setregid,
            "setregid($module, rgid, egid, /)\n--\n\nSet the real and effective group.",
        ),
        MethodDef::positional(
            "setresgid",
            process::setresgid,
            "setresgid($module, rgid, egid, sgid, /)\n--\n\nSet the real, effective and saved group.",
        ),
        MethodDef::positional(
            "setresuid",
            process::setresuid,
            "setresuid($module, ruid, euid, suid, /)\n--\n\nSet the real, effective and saved user.",
        ),
        MethodDef::positional(
            "setreuid",
            process::setreuid,
            "setreuid($module, ruid, euid, /)\n--\n\nSet the real and effective user.",
        ),
        MethodDef::no_args(
            "setsid",
            process::setsid,
            "setsid($module, /)\n--\n\nPut the process into a session of its own.",
        ),
        MethodDef::positional("setuid", process::setuid, "setuid($module, uid, /)\n--\n\nSet the user."),
        MethodDef::keywords(
            "setxattr",
            files::setxattr,
            "setxattr($module, /, path, attribute, value, flags=0, *, follow_symlinks=True)\n--\n\nSet an extended attribute.",
        ),
        MethodDef::keywords(
            "splice",
            fd::splice,
            "splice($module, /, src, dst, count, offset_src=None, offset_dst=None, flags=0)\n--\n\nMove up to count bytes between a pipe and another descriptor.",
        ),
        MethodDef::keywords(
            "stat",
            stat::stat,
            "stat($module, /, path, *, dir_fd=None, follow_symlinks=True)\n--\n\nWhat a file is.",
        ),
        MethodDef::keywords(
            "statvfs",
            stat::statvfs,
            "statvfs($module, /, path)\n--\n\nThe file system that a path is on.",
        ),
        MethodDef::one("strerror", sysinfo::strerror, "strerror($module, code, /)\n--\n\nWhat an error number means."),
        MethodDef::keywords(
            "symlink",
            files::symlink,
            "symlink($module, /, src, dst, target_is_directory=False, *, dir_fd=None)\n--\n\nMake dst a symbolic link that says src.",
        ),
        MethodDef::no_args("sync", fd::sync, "sync($module, /)\n--\n\nHave everything written to the disk."),
        MethodDef::one(
            "sysconf",
            sysinfo::sysconf,
            "sysconf($module, name, /)\n--\n\nA limit or a figure of the system.",
        ),
        MethodDef::keywords(
            "system",
            program::system,
            "system($module, /, command)\n--\n\nRun a command in a shell; its wait status.",
        ),
        MethodDef::one(
            "tcgetpgrp",
            fd::tcgetpgrp,
            "tcgetpgrp($module, fd, /)\n--\n\nThe process group in a terminal's foreground.",
        ),
        MethodDef::positional(
            "tcsetpgrp",
            fd::tcsetpgrp,
            "tcsetpgrp($module, fd, pgid, /)\n--\n\nPut a process group into a terminal's foreground.",
        ),
        MethodDef::keywords(
            "timerfd_create",
            fd::timerfd_create,
            "timerfd_create($module, clockid, /, *, flags=0)\n--\n\nA descriptor that becomes readable when a time has come.",
        ),
        MethodDef::one(
            "timerfd_gettime",
            fd::timerfd_gettime,
            "timerfd_gettime($module, fd, /)\n--\n\nThe time left and the interval of a timer, in seconds.",
        ),
        MethodDef::one(
            "timerfd_gettime_ns",
            fd::timerfd_gettime_ns,
            "timerfd_gettime_ns($module, fd, /)\n--\n\nThe time left and the interval of a timer, in nanoseconds.",
        ),
        MethodDef::keywords(
            "timerfd_settime",
            fd::timerfd_settime,
            "timerfd_settime($module, fd, /, *, flags=0, initial=0.0, interval=0.0)\n--\n\nStart or stop a timer, in seconds.",
        ),
        MethodDef::keywords(
            "timerfd_settime_ns",
            fd::timerfd_settime_ns,
            "timerfd_settime_ns($module, fd, /, *, flags=0, initial=0, interval=0)\n--\n\nStart or stop a timer, in nanoseconds.",
        ),
        MethodDef::no_args(
            "times",
            sysinfo::times,
            "times($module, /)\n--\n\nThe processor time that the process and its children have used.",
        ),
        MethodDef::keywords(
            "truncate",
            files::truncate,
            "truncate($module, /, path, length)\n--\n\nCut or extend a file.",
        ),
        MethodDef::one("ttyname", fd::ttyname, "ttyname($module, fd, /)\n--\n\nThe name of a terminal."),
        MethodDef::one(
            "umask",
            sysinfo::umask,
            "umask($module, mask, /)\n--\n\nSet the permissions that new files do not get; the old ones.",
        ),
        MethodDef::no_args("uname", sysinfo::uname, "uname($module, /)\n--\n\nWhat the system is."),
        MethodDef::keywords("unlink", files::unlink, "unlink($module, /, path, *, dir_fd=None)\n--\n\nRemove a file."),
        MethodDef::one(
            "unlockpt",
            fd::unlockpt,
            "unlockpt($module, fd, /)\n--\n\nUnlock the other end of a pseudo-terminal.",
        ),
        MethodDef::one(
            "unsetenv",
            sysinfo::unsetenv,
            "unsetenv($module, name, /)\n--\n\nRemove an environment variable for child programs.",
        ),
        MethodDef::keywords(
            "unshare",
            process::unshare,
            "unshare($module, /, flags)\n--\n\nLeave namespaces that are shared.",
        ),
        MethodDef::one(
            "urandom",
            sysinfo::urandom,
            "urandom($module, size, /)\n--\n\nRandom bytes that are good for cryptography.",
        ),
        MethodDef::keywords(
            "utime",
            files::utime,
            "utime($module, /, path, times=None, *, ns=<unrepresentable>, dir_fd=None, follow_symlinks=True)\n--\n\nSet the times of access and modification; both are now by default.",
        ),
        MethodDef::no_args("wait", process::wait, "wait($module, /)\n--\n\nWait for a child's end: (pid, status)."),
        MethodDef::keywords(
            "wait3",
            process::wait3,
            "wait3($module, /, options)\n--\n\nWait for a child's end: (pid, status, usage).",
        ),
        MethodDef::keywords(
            "wait4",
            process::wait4,
            "wait4($module, /, pid, options)\n--\n\nWait for a certain child's end: (pid, status, usage).",
        ),
        MethodDef::positional(
            "waitid",
            process::waitid,
            "waitid($module, idtype, id, options, /)\n--\n\nWait for a child; None when none is ready and waiting was not asked for.",
        ),
        MethodDef::positional(
            "waitpid",
            process::waitpid,
            "waitpid($module, pid, options, /)\n--\n\nWait for a certain child: (pid, status).",
        ),
        MethodDef::keywords(
            "waitstatus_to_exitcode",
            process::waitstatus_to_exitcode,
            "waitstatus_to_exitcode($module, /, status)\n--\n\nThe exit code in a wait status; negative for a signal.",
        ),
        MethodDef::keywords(
            "WCOREDUMP",
            process::wcoredump,
            "WCOREDUMP($module, status, /)\n--\n\nWhether a core file was written.",
        ),
        MethodDef::keywords(
            "WEXITSTATUS",
            process::wexitstatus,
            "WEXITSTATUS($module, /, status)\n--\n\nThe exit code in a wait status.",
        ),
        MethodDef::keywords(
            "WIFCONTINUED",
            process::wifcontinued,
            "WIFCONTINUED($module, /, status)\n--\n\nWhether the process has been continued.",
        ),
        MethodDef::keywords(
            "WIFEXITED",
            process::wifexited,
            "WIFEXITED($module, /, status)\n--\n\nWhether the process has ended by itself.",
        ),
        MethodDef::keywords(
            "WIFSIGNALED",
            process::wifsignaled,
            "WIFSIGNALED($module, /, status)\n--\n\nWhether the process was ended by a signal.",
        ),
        MethodDef::keywords(
            "WIFSTOPPED",
            process::wifstopped,
            "WIFSTOPPED($module, /, status)\n--\n\nWhether the process has been stopped.",
        ),
        MethodDef::keywords(
            "WSTOPSIG",
            process::wstopsig,
            "WSTOPSIG($module, /, status)\n--\n\nThe signal that stopped the process.",
        ),
        MethodDef::keywords(
            "WTERMSIG",
            process::wtermsig,
            "WTERMSIG($module, /, status)\n--\n\nThe signal that ended the process.",
        ),
        MethodDef::positional(
            "write",
            fd::write,
            "write($module, fd, data, /)\n--\n\nWrite data; how many bytes it were.",
        ),
        MethodDef::positional("writev", fd::writev, "writev($module, fd, buffers, /)\n--\n\nWrite several buffers."),
        MethodDef::no_args(
            "_create_environ",
            sysinfo::create_environ,
            "_create_environ($module, /)\n--\n\nThe environment as it is now.",
        ),
        MethodDef::keywords(
            "_path_normpath",
            sysinfo::path_normpath,
            "_path_normpath($module, /, path)\n--\n\nA path in its simplest form.",
        ),
        MethodDef::keywords(
            "_path_splitroot_ex",
            sysinfo::path_splitroot_ex,
            "_path_splitroot_ex($module, /, path)\n--\n\nA path in three parts: drive, root, and the rest.",
        ),
    ],
    types: &[&scandir::DIR_ENTRY_TYPE],
    exec: Some(exec),
};

/// The struct sequences, under their names here.
static RECORDS: &[&StructSeqSpec] = &[
    &stat::STAT_RESULT,
    &stat::STATVFS_RESULT,
    &fd::TERMINAL_SIZE,
    &sysinfo::UNAME_RESULT,
    &sysinfo::TIMES_RESULT,
    &process::WAITID_RESULT,
    &process::SCHED_PARAM,
];

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    crate::object::ready::ready_static(ts, &scandir::SCANDIR_ITERATOR_TYPE)?;
    for (name, value) in constants::CONSTANTS {
        module.add_int(ts, name, *value)?;
    }
    for spec in RECORDS {
        let typ = structseq::type_of(ts, spec)?;
        let name = spec.name.rsplit('.').next().unwrap_or(spec.name);
        module.add(ts, name, typ.as_object())?;
        if core::ptr::eq(*spec, &process::SCHED_PARAM) {
            // SAFETY: no instance has been made yet.
            unsafe { typ.slots_mut() }.new = Some(new_sched_param);
        }
    }
    module.add(ts, "error", exc::OSError.as_object())?;
    module.add(ts, "environ", sysinfo::environment(ts)?.as_object())?;
    for (name, table) in [
        ("sysconf_names", constants::SYSCONF),
        ("confstr_names", constants::CONFSTR),
        ("pathconf_names", constants::PATHCONF),
    ] {
        let dict = PyDict::new(ts)?;
        for (name, value) in table {
            dict.set_str(ts, &*PyStr::intern(ts, name)?, &*PyInt::from_i64(ts, *value)?)?;
        }
        module.add(ts, name, dict.as_object())?;
    }
    let have = PyList::new(ts)?;
    for name in constants::HAVE {
        have.append(ts, PyStr::new(ts, name)?.into_object())?;
    }
    module.add(ts, "_have_functions", have.as_object())
}

/// `sched_param(sched_priority)`: of the value itself, not of a sequence.
fn new_sched_param(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let [priority] = system::parse!(ts, args, "sched_param", ["sched_priority"], 0, 1, 1);
    structseq::new_instance(ts, typ, &[priority.unwrap_or(PyInt::zero())])
}

/// Gives the module, if it is loaded, the environment of now, or none.
pub(crate) fn set_environment(ts: &ThreadState, as_it_is: bool) -> PyResult<()> {
    let Some(module) = crate::import::loaded(ts, &*PyStr::intern(ts, "posix")?)? else { return Ok(()) };
    let environment = if as_it_is { sysinfo::environment(ts)? } else { PyDict::new(ts)? };
    module.cast::<PyModule>().add(ts, "environ", environment.as_object())
}
