//! `_io`: files, buffers and text streams.
//!
//! ```text
//!  _IOBase ─┬─ _RawIOBase ────── FileIO
//!           ├─ _BufferedIOBase ─┬ BufferedReader, BufferedWriter, BufferedRandom, BufferedRWPair
//!           │                   └ BytesIO
//!           └─ _TextIOBase ─────┬ TextIOWrapper
//!                               └ StringIO
//! ```
//!
//! | file | what |
//! |---|---|
//! | `base` | the abstract bases, and the finalizer |
//! | `fileio`, `buffered/`, `textio/` | the three storeys of a file |
//! | `bytesio`, `stringio` | streams in memory |
//! | `newline` | line ends, IncrementalNewlineDecoder |
//! | `open` | `open()` and the standard streams |
//! | `util` | what they share |
//!
//! Where a stream stands on one of this folder's own classes it is called natively; on any other, and on
//! subclasses, by its methods.

mod base;
mod buffered;
mod bytesio;
mod fileio;
mod newline;
mod open;
mod stringio;
mod textio;
mod util;

pub use open::standard_stream;

use crate::modules::ModuleSpec;
use crate::object::{AsObject, GetSetDef, MethodDef, PyResult, StaticType, TypeSpec, flags};
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::module::PyModule;
use crate::types::str::PyStr;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_io",
    doc: "Streams: files, buffers, and text over them. The module io is what programs use.",
    methods: &[
        MethodDef::keywords(
            "open",
            open::open,
            "open($module, /, file, mode='r', buffering=-1, encoding=None,\n     errors=None, newline=None, closefd=True, opener=None)\n--\n\nOpen a file and return a stream: text by default, bytes with 'b' in the mode. The mode\nsays whether the file is read ('r'), written anew ('w'), created ('x') or appended to\n('a'); '+' adds the other direction.",
        ),
        MethodDef::keywords(
            "open_code",
            open::open_code,
            "open_code($module, /, path)\n--\n\nOpen a file of code for reading its bytes, to run it.",
        ),
        MethodDef::positional(
            "text_encoding",
            open::text_encoding,
            "text_encoding($module, encoding, stacklevel=2, /)\n--\n\nThe encoding, or 'locale' (in UTF-8 mode 'utf-8') when it is None.",
        ),
    ],
    types: &[
        &base::IOBASE_TYPE,
        &base::RAWIOBASE_TYPE,
        &base::BUFFEREDIOBASE_TYPE,
        &base::TEXTIOBASE_TYPE,
        &fileio::FILEIO_TYPE,
        &bytesio::BYTESIO_TYPE,
        &bytesio::BYTESIO_BUFFER_TYPE,
        &stringio::STRINGIO_TYPE,
        &buffered::BUFFERED_READER_TYPE,
        &buffered::BUFFERED_WRITER_TYPE,
        &buffered::BUFFERED_RW_PAIR_TYPE,
        &buffered::BUFFERED_RANDOM_TYPE,
        &textio::TEXT_IO_WRAPPER_TYPE,
        &newline::NEWLINE_DECODER_TYPE,
        &UNSUPPORTED_OPERATION_TYPE,
    ],
    exec: Some(exec),
};

/// `io.UnsupportedOperation`: an OSError and a ValueError.
pub static UNSUPPORTED_OPERATION_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"io.UnsupportedOperation",
    flags: flags::BASETYPE | flags::HAVE_GC | flags::BASE_EXC_SUBCLASS,
    base: Some(&exc::OSError),
    mixin: Some(&exc::ValueError),
    ..TypeSpec::EMPTY
});

/// `_finalizing`, of the classes that close what is below them.
const FINALIZING: GetSetDef = GetSetDef::get_set(
    "_finalizing",
    |_, this| Ok(py_bool(util::base_of(this).finalizing.get())),
    |ts, this, value| {
        let flag = value.map_or(Ok(false), |value| crate::object::protocol::is_true(ts, value))?;
        util::base_of(this).finalizing.set(flag);
        Ok(())
    },
    "",
);

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    module.add_int(ts, "DEFAULT_BUFFER_SIZE", util::DEFAULT_BUFFER_SIZE as i64)?;
    module.add(ts, "BlockingIOError", exc::BlockingIOError.as_object())?;
    // The built-in `open` is this one, as soon as there is one.
    let name = PyStr::intern(ts, "open")?;
    if let Some(builtins) = ts.interp().builtins.get()
        && !builtins.contains_str(ts, &name)?
        && let Some(open) = module.dict(ts)?.get_str(ts, &name)?
    {
        builtins.set_str(ts, &name, &open)?;
    }
    Ok(())
}
