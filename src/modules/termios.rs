//! `termios`: control of terminals.

use core::mem::MaybeUninit;

use crate::modules::ModuleSpec;
use crate::modules::posix::path::file_descriptor;
use crate::modules::posix::system::{blocking, errno};
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::tuple::PyTuple;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "termios",
    doc: "Control of terminals as POSIX has it. A file descriptor is an int or an object with a fileno() method.",
    methods: &[
        MethodDef::one(
            "tcgetattr",
            tcgetattr,
            "tcgetattr($module, fd, /)\n--\n\nA terminal's attributes: [iflag, oflag, cflag, lflag, ispeed, ospeed, cc].",
        ),
        MethodDef::positional(
            "tcsetattr",
            tcsetattr,
            "tcsetattr($module, fd, when, attributes, /)\n--\n\nSet a terminal's attributes, in the form of tcgetattr().",
        ),
        MethodDef::positional("tcsendbreak", tcsendbreak, "tcsendbreak($module, fd, duration, /)\n--\n\nSend a break."),
        MethodDef::one(
            "tcdrain",
            tcdrain,
            "tcdrain($module, fd, /)\n--\n\nWait until everything that was written has been sent.",
        ),
        MethodDef::positional("tcflush", tcflush, "tcflush($module, fd, queue, /)\n--\n\nThrow a queue's data away."),
        MethodDef::positional("tcflow", tcflow, "tcflow($module, fd, action, /)\n--\n\nStop or start input or output."),
        MethodDef::one(
            "tcgetwinsize",
            tcgetwinsize,
            "tcgetwinsize($module, fd, /)\n--\n\nA terminal's size: (rows, columns).",
        ),
        MethodDef::positional(
            "tcsetwinsize",
            tcsetwinsize,
            "tcsetwinsize($module, fd, winsize, /)\n--\n\nSet a terminal's size: (rows, columns).",
        ),
    ],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

/// `termios.error`.
static ERROR: StaticType = StaticType::new(exc::plain(c"termios.error", &exc::Exception, ""));

static CONSTANTS: &[(&str, i64)] = &[
    ("B0", 0),
    ("B1000000", 4104),
    ("B110", 3),
    ("B115200", 4098),
    ("B1152000", 4105),
    ("B1200", 9),
    ("B134", 4),
    ("B150", 5),
    ("B1500000", 4106),
    ("B1800", 10),
    ("B19200", 14),
    ("B200", 6),
    ("B2000000", 4107),
    ("B230400", 4099),
    ("B2400", 11),
    ("B2500000", 4108),
    ("B300", 7),
    ("B3000000", 4109),
    ("B3500000", 4110),
    ("B38400", 15),
    ("B4000000", 4111),
    ("B460800", 4100),
    ("B4800", 12),
    ("B50", 1),
    ("B500000", 4101),
    ("B57600", 4097),
    ("B576000", 4102),
    ("B600", 8),
    ("B75", 2),
    ("B921600", 4103),
    ("B9600", 13),
    ("BRKINT", 2),
    ("BS0", 0),
    ("BS1", 8192),
    ("BSDLY", 8192),
    ("CBAUD", 4111),
    ("CBAUDEX", 4096),
    ("CDSUSP", 25),
    ("CEOF", 4),
    ("CEOL", 0),
    ("CEOT", 4),
    ("CERASE", 127),
    ("CFLUSH", 15),
    ("CIBAUD", 269418496),
    ("CINTR", 3),
    ("CKILL", 21),
    ("CLNEXT", 22),
    ("CLOCAL", 2048),
    ("CQUIT", 28),
    ("CR0", 0),
    ("CR1", 512),
    ("CR2", 1024),
    ("CR3", 1536),
    ("CRDLY", 1536),
    ("CREAD", 128),
    ("CRPRNT", 18),
    ("CRTSCTS", 2147483648),
    ("CS5", 0),
    ("CS6", 16),
    ("CS7", 32),
    ("CS8", 48),
    ("CSIZE", 48),
    ("CSTART", 17),
    ("CSTOP", 19),
    ("CSTOPB", 64),
    ("CSUSP", 26),
    ("CWERASE", 23),
    ("ECHO", 8),
    ("ECHOCTL", 512),
    ("ECHOE", 16),
    ("ECHOK", 32),
    ("ECHOKE", 2048),
    ("ECHONL", 64),
    ("ECHOPRT", 1024),
    ("EXTA", 14),
    ("EXTB", 15),
    ("EXTPROC", 65536),
    ("FF0", 0),
    ("FF1", 32768),
    ("FFDLY", 32768),
    ("FIOASYNC", 21586),
    ("FIOCLEX", 21585),
    ("FIONBIO", 21537),
    ("FIONCLEX", 21584),
    ("FIONREAD", 21531),
    ("FLUSHO", 4096),
    ("HUPCL", 1024),
    ("ICANON", 2),
    ("ICRNL", 256),
    ("IEXTEN", 32768),
    ("IGNBRK", 1),
    ("IGNCR", 128),
    ("IGNPAR", 4),
    ("IMAXBEL", 8192),
    ("INLCR", 64),
    ("INPCK", 16),
    ("IOCSIZE_MASK", 1073676288),
    ("IOCSIZE_SHIFT", 16),
    ("ISIG", 1),
    ("ISTRIP", 32),
    ("IUCLC", 512),
    ("IUTF8", 16384),
    ("IXANY", 2048),
    ("IXOFF", 4096),
    ("IXON", 1024),
    ("NCC", 8),
    ("NCCS", 32),
    ("NL0", 0),
    ("NL1", 256),
    ("NLDLY", 256),
    ("NOFLSH", 128),
    ("N_MOUSE", 2),
    ("N_PPP", 3),
    ("N_SLIP", 1),
    ("N_STRIP", 4),
    ("N_TTY", 0),
    ("OCRNL", 8),
    ("OFDEL", 128),
    ("OFILL", 64),
    ("OLCUC", 2),
    ("ONLCR", 4),
    ("ONLRET", 32),
    ("ONOCR", 16),
    ("OPOST", 1),
    ("PARENB", 256),
    ("PARMRK", 8),
    ("PARODD", 512),
    ("PENDIN", 16384),
    ("TAB0", 0),
    ("TAB1", 2048),
    ("TAB2", 4096),
    ("TAB3", 6144),
    ("TABDLY", 6144),
    ("TCFLSH", 21515),
    ("TCGETA", 21509),
    ("TCGETS", 21505),
    ("TCIFLUSH", 0),
    ("TCIOFF", 2),
    ("TCIOFLUSH", 2),
    ("TCION", 3),
    ("TCOFLUSH", 1),
    ("TCOOFF", 0),
    ("TCOON", 1),
    ("TCSADRAIN", 1),
    ("TCSAFLUSH", 2),
    ("TCSANOW", 0),
    ("TCSBRK", 21513),
    ("TCSBRKP", 21541),
    ("TCSETA", 21510),
    ("TCSETAF", 21512),
    ("TCSETAW", 21511),
    ("TCSETS", 21506),
    ("TCSETSF", 21508),
    ("TCSETSW", 21507),
    ("TCXONC", 21514),
    ("TIOCCONS", 21533),
    ("TIOCEXCL", 21516),
    ("TIOCGETD", 21540),
    ("TIOCGICOUNT", 21597),
    ("TIOCGLCKTRMIOS", 21590),
    ("TIOCGPGRP", 21519),
    ("TIOCGSERIAL", 21534),
    ("TIOCGSOFTCAR", 21529),
    ("TIOCGWINSZ", 21523),
    ("TIOCINQ", 21531),
    ("TIOCLINUX", 21532),
    ("TIOCMBIC", 21527),
    ("TIOCMBIS", 21526),
    ("TIOCMGET", 21525),
    ("TIOCMIWAIT", 21596),
    ("TIOCMSET", 21528),
    ("TIOCM_CAR", 64),
    ("TIOCM_CD", 64),
    ("TIOCM_CTS", 32),
    ("TIOCM_DSR", 256),
    ("TIOCM_DTR", 2),
    ("TIOCM_LE", 1),
    ("TIOCM_RI", 128),
    ("TIOCM_RNG", 128),
    ("TIOCM_RTS", 4),
    ("TIOCM_SR", 16),
    ("TIOCM_ST", 8),
    ("TIOCNOTTY", 21538),
    ("TIOCNXCL", 21517),
    ("TIOCOUTQ", 21521),
    ("TIOCPKT", 21536),
    ("TIOCPKT_DATA", 0),
    ("TIOCPKT_DOSTOP", 32),
    ("TIOCPKT_FLUSHREAD", 1),
    ("TIOCPKT_FLUSHWRITE", 2),
    ("TIOCPKT_NOSTOP", 16),
    ("TIOCPKT_START", 8),
    ("TIOCPKT_STOP", 4),
    ("TIOCSCTTY", 21518),
    ("TIOCSERCONFIG", 21587),
    ("TIOCSERGETLSR", 21593),
    ("TIOCSERGETMULTI", 21594),
    ("TIOCSERGSTRUCT", 21592),
    ("TIOCSERGWILD", 21588),
    ("TIOCSERSETMULTI", 21595),
    ("TIOCSERSWILD", 21589),
    ("TIOCSER_TEMT", 1),
    ("TIOCSETD", 21539),
    ("TIOCSLCKTRMIOS", 21591),
    ("TIOCSPGRP", 21520),
    ("TIOCSSERIAL", 21535),
    ("TIOCSSOFTCAR", 21530),
    ("TIOCSTI", 21522),
    ("TIOCSWINSZ", 21524),
    ("TOSTOP", 256),
    ("VDISCARD", 13),
    ("VEOF", 4),
    ("VEOL", 11),
    ("VEOL2", 16),
    ("VERASE", 2),
    ("VINTR", 0),
    ("VKILL", 3),
    ("VLNEXT", 15),
    ("VMIN", 6),
    ("VQUIT", 1),
    ("VREPRINT", 12),
    ("VSTART", 8),
    ("VSTOP", 9),
    ("VSUSP", 10),
    ("VSWTC", 7),
    ("VSWTCH", 7),
    ("VT0", 0),
    ("VT1", 16384),
    ("VTDLY", 16384),
    ("VTIME", 5),
    ("VWERASE", 14),
    ("XCASE", 4),
    ("XTABS", 6144),
    ("_POSIX_VDISABLE", 0),
];

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    module.add_type(ts, &ERROR)?;
    for (name, value) in CONSTANTS {
        module.add_int(ts, name, *value)?;
    }
    Ok(())
}

/// Calls the system; a failure is `termios.error` with number and message.
fn call_system(ts: &ThreadState, f: impl FnOnce() -> i32) -> PyResult<()> {
    let (status, error) = blocking(ts, || (f(), errno()));
    if status == -1 {
        return Err(exc::raise_os_error_with(ts, &ERROR, error, None, None));
    }
    Ok(())
}

fn attributes_of(ts: &ThreadState, fd: i32) -> PyResult<libc::termios> {
    let mut mode = MaybeUninit::<libc::termios>::zeroed();
    // SAFETY: there is room for the attributes.
    call_system(ts, || unsafe { libc::tcgetattr(fd, mode.as_mut_ptr()) })?;
    // SAFETY: numbers, zeroed at the start.
    Ok(unsafe { mode.assume_init() })
}

fn tcgetattr(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    let fd = file_descriptor(ts, fd)?;
    let mode = attributes_of(ts, fd)?;
    let chars = PyList::with_capacity(ts, mode.c_cc.len())?;
    for (index, value) in mode.c_cc.iter().enumerate() {
        // Without lines, two of the places are a count and a time.
        let is_number = mode.c_lflag & libc::ICANON == 0 && (index == libc::VMIN || index == libc::VTIME);
        let item =
            if is_number { PyInt::from_i64(ts, i64::from(*value))? } else { PyBytes::single(*value).into_object() };
        chars.append(ts, item)?;
    }
    // SAFETY: the attributes are whole.
    let (input, output) = unsafe { (libc::cfgetispeed(&raw const mode), libc::cfgetospeed(&raw const mode)) };
    let list = PyList::with_capacity(ts, 7)?;
    for value in [mode.c_iflag, mode.c_oflag, mode.c_cflag, mode.c_lflag, input, output] {
        list.append(ts, PyInt::from_i64(ts, i64::from(value))?)?;
    }
    list.append(ts, chars.into_object())?;
    Ok(list.into_object())
}

fn tcsetattr(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "tcsetattr", args.len(), 3, 3)?;
    let fd = file_descriptor(ts, args[0])?;
    let when = protocol::as_i32(ts, args[1])?;
    let items = match args[2].downcast::<PyList>() {
        Some(list) if list.len() == 7 => list.to_tuple(ts)?,
        _ => return raise!(ts, exc::TypeError, "tcsetattr, arg 3: must be 7 element list"),
    };
    let items = items.items();
    // The attributes that Python does not show stay as they are.
    let mut mode = attributes_of(ts, fd)?;
    let flags = |index: usize| -> PyResult<u32> {
        let int = protocol::index(ts, items[index])?;
        match int.as_i64() {
            Some(value) if value >= 0 => match u32::try_from(value) {
                Ok(value) => Ok(value),
                Err(_) => raise!(ts, exc::OverflowError, "Python int too large for C tcflag_t"),
            },
            None if int.sign() > 0 => {
                raise!(ts, exc::OverflowError, "Python int too large to convert to C unsigned long")
            }
            _ => raise!(ts, exc::OverflowError, "can't convert negative int to unsigned"),
        }
    };
    (mode.c_iflag, mode.c_oflag, mode.c_cflag, mode.c_lflag) = (flags(0)?, flags(1)?, flags(2)?, flags(3)?);
    let (input, output) = (flags(4)?, flags(5)?);
    let chars = match items[6].downcast::<PyList>() {
        Some(list) if list.len() == libc::NCCS => list.to_tuple(ts)?,
        _ => {
            return raise!(ts, exc::TypeError, "tcsetattr: attributes[6] must be {} element list", libc::NCCS);
        }
    };
    for (place, item) in mode.c_cc.iter_mut().zip(chars.items()) {
        *place = match item.downcast::<PyBytes>() {
            Some(byte) if byte.len() == 1 => byte.as_slice()[0],
            _ if item.is_a::<PyInt>() => {
                let value = protocol::index(ts, item)?;
                match value.as_i64().and_then(|value| u8::try_from(value).ok()) {
                    Some(value) => value,
                    None if value.sign() < 0 => {
                        return raise!(ts, exc::OverflowError, "can't convert negative int to unsigned");
                    }
                    None => return raise!(ts, exc::OverflowError, "integer argument does not fit a byte"),
                }
            }
            _ => {
                return raise!(ts, exc::TypeError, "tcsetattr: elements of attributes must be characters or integers");
            }
        };
    }
    // SAFETY: the attributes are whole.
    call_system(ts, || unsafe { libc::cfsetispeed(&raw mut mode, input) })?;
    // SAFETY: as above.
    call_system(ts, || unsafe { libc::cfsetospeed(&raw mut mode, output) })?;
    // SAFETY: as above.
    call_system(ts, || unsafe { libc::tcsetattr(fd, when, &raw const mode) })?;
    Ok(ts.none())
}

/// The arguments of the functions that take a descriptor and a number.
fn descriptor_and_number(ts: &ThreadState, name: &str, args: &[&PyObject]) -> PyResult<(i32, i32)> {
    call::check_count(ts, name, args.len(), 2, 2)?;
    Ok((file_descriptor(ts, args[0])?, protocol::as_i32(ts, args[1])?))
}

fn tcsendbreak(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    let (fd, duration) = descriptor_and_number(ts, "tcsendbreak", args)?;
    // SAFETY: numbers.
    call_system(ts, || unsafe { libc::tcsendbreak(fd, duration) })?;
    Ok(ts.none())
}

fn tcdrain(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    let fd = file_descriptor(ts, fd)?;
    // SAFETY: a number.
    call_system(ts, || unsafe { libc::tcdrain(fd) })?;
    Ok(ts.none())
}

fn tcflush(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    let (fd, queue) = descriptor_and_number(ts, "tcflush", args)?;
    // SAFETY: numbers.
    call_system(ts, || unsafe { libc::tcflush(fd, queue) })?;
    Ok(ts.none())
}

fn tcflow(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    let (fd, action) = descriptor_and_number(ts, "tcflow", args)?;
    // SAFETY: numbers.
    call_system(ts, || unsafe { libc::tcflow(fd, action) })?;
    Ok(ts.none())
}

fn window_size(ts: &ThreadState, fd: i32) -> PyResult<libc::winsize> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: there is room for the size.
    call_system(ts, || unsafe { libc::ioctl(fd, libc::TIOCGWINSZ, &raw mut size) })?;
    Ok(size)
}

fn tcgetwinsize(ts: &ThreadState, _: &PyObject, fd: &PyObject) -> PyResult {
    let size = window_size(ts, file_descriptor(ts, fd)?)?;
    let pair = [PyInt::from_i64(ts, size.ws_row.into())?, PyInt::from_i64(ts, size.ws_col.into())?];
    Ok(PyTuple::from_array(ts, pair)?.into_object())
}

fn tcsetwinsize(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "tcsetwinsize", args.len(), 2, 2)?;
    let fd = file_descriptor(ts, args[0])?;
    let message = "tcsetwinsize, arg 2: must be a two-item sequence";
    if !protocol::is_sequence(args[1]) {
        return raise!(ts, exc::TypeError, "{message}");
    }
    let pair = protocol::tuple_of(ts, args[1])?;
    let [rows, columns] = pair.items() else { return raise!(ts, exc::TypeError, "{message}") };
    let number = |value: &PyObject| -> PyResult<u16> {
        match u16::try_from(protocol::index(ts, value)?.to_i64(ts)?) {
            Ok(value) => Ok(value),
            Err(_) => raise!(ts, exc::OverflowError, "winsize value(s) out of range."),
        }
    };
    let (rows, columns) = (number(rows)?, number(columns)?);
    let mut size = window_size(ts, fd)?;
    (size.ws_row, size.ws_col) = (rows, columns);
    // SAFETY: the size is whole.
    call_system(ts, || unsafe { libc::ioctl(fd, libc::TIOCSWINSZ, &raw const size) })?;
    Ok(ts.none())
}
