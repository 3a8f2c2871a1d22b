//! `errno`: the operating system's error numbers by name.

use crate::modules::ModuleSpec;
use crate::object::{AsObject, PyResult};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::str::PyStr;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "errno",
    doc: "The error numbers of the system by name; errorcode has the names by number.",
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

macro_rules! errors {
    ($($name:ident,)*) => {
        /// The names; where two share a number, the later one is what `errorcode` says.
        static ERRORS: &[(&str, i32)] = &[$((stringify!($name), libc::$name),)*];
    };
}

errors! {
    EDEADLK, EOPNOTSUPP, EWOULDBLOCK, E2BIG, EACCES, EADDRINUSE, EADDRNOTAVAIL, EADV, EAFNOSUPPORT, EAGAIN,
    EALREADY, EBADE, EBADF, EBADFD, EBADMSG, EBADR, EBADRQC, EBADSLT, EBFONT, EBUSY, ECANCELED, ECHILD, ECHRNG,
    ECOMM, ECONNABORTED, ECONNREFUSED, ECONNRESET, EDEADLOCK, EDESTADDRREQ, EDOM, EDOTDOT, EDQUOT, EEXIST,
    EFAULT, EFBIG, EHOSTDOWN, EHOSTUNREACH, EHWPOISON, EIDRM, EILSEQ, EINPROGRESS, EINTR, EINVAL, EIO, EISCONN,
    EISDIR, EISNAM, EKEYEXPIRED, EKEYREJECTED, EKEYREVOKED, EL2HLT, EL2NSYNC, EL3HLT, EL3RST, ELIBACC, ELIBBAD,
    ELIBEXEC, ELIBMAX, ELIBSCN, ELNRNG, ELOOP, EMEDIUMTYPE, EMFILE, EMLINK, EMSGSIZE, EMULTIHOP, ENAMETOOLONG,
    ENAVAIL, ENETDOWN, ENETRESET, ENETUNREACH, ENFILE, ENOANO, ENOBUFS, ENOCSI, ENODATA, ENODEV, ENOENT,
    ENOEXEC, ENOKEY, ENOLCK, ENOLINK, ENOMEDIUM, ENOMEM, ENOMSG, ENONET, ENOPKG, ENOPROTOOPT, ENOSPC, ENOSR,
    ENOSTR, ENOSYS, ENOTBLK, ENOTCONN, ENOTDIR, ENOTEMPTY, ENOTNAM, ENOTRECOVERABLE, ENOTSOCK, ENOTSUP, ENOTTY,
    ENOTUNIQ, ENXIO, EOVERFLOW, EOWNERDEAD, EPERM, EPFNOSUPPORT, EPIPE, EPROTO, EPROTONOSUPPORT, EPROTOTYPE,
    ERANGE, EREMCHG, EREMOTE, EREMOTEIO, ERESTART, ERFKILL, EROFS, ESHUTDOWN, ESOCKTNOSUPPORT, ESPIPE, ESRCH,
    ESRMNT, ESTALE, ESTRPIPE, ETIME, ETIMEDOUT, ETOOMANYREFS, ETXTBSY, EUCLEAN, EUNATCH, EUSERS, EXDEV, EXFULL,
}

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    let codes = PyDict::new(ts)?;
    for (name, number) in ERRORS {
        let name = PyStr::intern(ts, name)?;
        let number = PyInt::from_i64(ts, (*number).into())?;
        module.dict(ts)?.set_str(ts, &name, &number)?;
        codes.set(ts, &number, name.as_object())?;
    }
    module.add(ts, "errorcode", codes.as_object())
}
