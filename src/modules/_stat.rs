//! `_stat`: what the bits of a file's mode mean.

use crate::modules::ModuleSpec;
use crate::object::{MethodDef, PyObject, PyResult, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::str::PyStr;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_stat",
    doc: "The meaning of a file's mode; programs use it through stat.",
    methods: &[
        MethodDef::one(
            "S_ISDIR",
            |ts, _, mode| is_type(ts, mode, 0o040_000),
            "S_ISDIR($module, object, /)\n--\n\nWhether the mode is a directory's.",
        ),
        MethodDef::one(
            "S_ISCHR",
            |ts, _, mode| is_type(ts, mode, 0o020_000),
            "S_ISCHR($module, object, /)\n--\n\nWhether the mode is a character device's.",
        ),
        MethodDef::one(
            "S_ISBLK",
            |ts, _, mode| is_type(ts, mode, 0o060_000),
            "S_ISBLK($module, object, /)\n--\n\nWhether the mode is a block device's.",
        ),
        MethodDef::one(
            "S_ISREG",
            |ts, _, mode| is_type(ts, mode, 0o100_000),
            "S_ISREG($module, object, /)\n--\n\nWhether the mode is a regular file's.",
        ),
        MethodDef::one(
            "S_ISFIFO",
            |ts, _, mode| is_type(ts, mode, 0o010_000),
            "S_ISFIFO($module, object, /)\n--\n\nWhether the mode is a named pipe's.",
        ),
        MethodDef::one(
            "S_ISLNK",
            |ts, _, mode| is_type(ts, mode, 0o120_000),
            "S_ISLNK($module, object, /)\n--\n\nWhether the mode is a symbolic link's.",
        ),
        MethodDef::one(
            "S_ISSOCK",
            |ts, _, mode| is_type(ts, mode, 0o140_000),
            "S_ISSOCK($module, object, /)\n--\n\nWhether the mode is a socket's.",
        ),
        MethodDef::one(
            "S_ISDOOR",
            |ts, _, mode| never(ts, mode),
            "S_ISDOOR($module, object, /)\n--\n\nWhether the mode is a door's.",
        ),
        MethodDef::one(
            "S_ISPORT",
            |ts, _, mode| never(ts, mode),
            "S_ISPORT($module, object, /)\n--\n\nWhether the mode is an event port's.",
        ),
        MethodDef::one(
            "S_ISWHT",
            |ts, _, mode| never(ts, mode),
            "S_ISWHT($module, object, /)\n--\n\nWhether the mode is a whiteout's.",
        ),
        MethodDef::one(
            "S_IMODE",
            |ts, _, mode| PyInt::from_i64(ts, (mode_of(ts, mode)? & 0o7777).into()),
            "S_IMODE($module, object, /)\n--\n\nThe bits of a mode that os.chmod() sets.",
        ),
        MethodDef::one(
            "S_IFMT",
            |ts, _, mode| PyInt::from_i64(ts, (mode_of(ts, mode)? & S_IFMT).into()),
            "S_IFMT($module, object, /)\n--\n\nThe bits of a mode that say the file's type.",
        ),
        MethodDef::one("filemode", filemode, "filemode($module, object, /)\n--\n\nA mode as text, like '-rwxr-xr-x'."),
    ],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

const S_IFMT: u32 = 0o170_000;

static CONSTANTS: &[(&str, i64)] = &[
    ("SF_APPEND", 0o1000000),
    ("SF_ARCHIVED", 0o200000),
    ("SF_DATALESS", 0o10000000000),
    ("SF_FIRMLINK", 0o40000000),
    ("SF_IMMUTABLE", 0o400000),
    ("SF_NOUNLINK", 0o4000000),
    ("SF_SETTABLE", 0o37777600000),
    ("SF_SNAPSHOT", 0o10000000),
    ("ST_ATIME", 0o7),
    ("ST_CTIME", 0o11),
    ("ST_DEV", 0o2),
    ("ST_GID", 0o5),
    ("ST_INO", 0o1),
    ("ST_MODE", 0o0),
    ("ST_MTIME", 0o10),
    ("ST_NLINK", 0o3),
    ("ST_SIZE", 0o6),
    ("ST_UID", 0o4),
    ("S_ENFMT", 0o2000),
    ("S_IEXEC", 0o100),
    ("S_IFBLK", 0o60000),
    ("S_IFCHR", 0o20000),
    ("S_IFDIR", 0o40000),
    ("S_IFDOOR", 0o0),
    ("S_IFIFO", 0o10000),
    ("S_IFLNK", 0o120000),
    ("S_IFPORT", 0o0),
    ("S_IFREG", 0o100000),
    ("S_IFSOCK", 0o140000),
    ("S_IFWHT", 0o0),
    ("S_IREAD", 0o400),
    ("S_IRGRP", 0o40),
    ("S_IROTH", 0o4),
    ("S_IRUSR", 0o400),
    ("S_IRWXG", 0o70),
    ("S_IRWXO", 0o7),
    ("S_IRWXU", 0o700),
    ("S_ISGID", 0o2000),
    ("S_ISUID", 0o4000),
    ("S_ISVTX", 0o1000),
    ("S_IWGRP", 0o20),
    ("S_IWOTH", 0o2),
    ("S_IWRITE", 0o200),
    ("S_IWUSR", 0o200),
    ("S_IXGRP", 0o10),
    ("S_IXOTH", 0o1),
    ("S_IXUSR", 0o100),
    ("UF_APPEND", 0o4),
    ("UF_COMPRESSED", 0o40),
    ("UF_DATAVAULT", 0o200),
    ("UF_HIDDEN", 0o100000),
    ("UF_IMMUTABLE", 0o2),
    ("UF_NODUMP", 0o1),
    ("UF_NOUNLINK", 0o20),
    ("UF_OPAQUE", 0o10),
    ("UF_SETTABLE", 0o177777),
    ("UF_TRACKED", 0o100),
];

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    for (name, value) in CONSTANTS {
        module.add_int(ts, name, *value)?;
    }
    Ok(())
}

fn mode_of(ts: &ThreadState, mode: &PyObject) -> PyResult<u32> {
    if !protocol::is_index(mode) {
        return raise!(ts, exc::TypeError, "an integer is required");
    }
    let int = protocol::index(ts, mode)?.into_object();
    match int.cast::<PyInt>().as_u64() {
        Some(value) => match u32::try_from(value) {
            Ok(value) => Ok(value),
            Err(_) => raise!(ts, exc::OverflowError, "mode out of range"),
        },
        None if int.cast::<PyInt>().sign() < 0 => {
            raise!(ts, exc::OverflowError, "can't convert negative value to unsigned int")
        }
        None => raise!(ts, exc::OverflowError, "Python int too large to convert to C unsigned long"),
    }
}

fn is_type(ts: &ThreadState, mode: &PyObject, wanted: u32) -> PyResult {
    Ok(py_bool(mode_of(ts, mode)? & S_IFMT == wanted))
}

fn never(ts: &ThreadState, mode: &PyObject) -> PyResult {
    mode_of(ts, mode)?;
    Ok(py_bool(false))
}

fn filemode(ts: &ThreadState, _: &PyObject, mode: &PyObject) -> PyResult {
    let mode = mode_of(ts, mode)?;
    let mut text = *b"?rwxrwxrwx";
    text[0] = match mode & S_IFMT {
        0o040_000 => b'd',
        0o020_000 => b'c',
        0o060_000 => b'b',
        0o100_000 => b'-',
        0o010_000 => b'p',
        0o120_000 => b'l',
        0o140_000 => b's',
        _ => b'?',
    };
    for place in 0..9 {
        if mode & (0o400 >> place) == 0 {
            text[place + 1] = b'-';
        }
    }
    for (bit, place, letter) in [(0o4000, 3, b's'), (0o2000, 6, b's'), (0o1000, 9, b't')] {
        if mode & bit != 0 {
            text[place] = if text[place] == b'-' { letter.to_ascii_uppercase() } else { letter };
        }
    }
    Ok(PyStr::from_ascii(ts, &text)?.into_object())
}
