//! What goes from one interpreter to another: data, and what is told of an exception.
//!
//! ```text
//!   interpreter A              raw domain                      interpreter B
//!   object ── encode ──►  Data { bytes, shared buffers }  ── decode ──►  another object that is equal
//! ```
//!
//! Nothing of an interpreter is in a [`Data`] but the memory that a memoryview looks at, which its interpreter holds
//! until it is given back ([`buffers`]).
//!
//! | type | goes as |
//! |---|---|
//! | None, bool, float, str, bytes, int of 64 bits | itself |
//! | tuple | its items |
//! | memoryview | the same memory |
//! | `Queue`, `ChannelID`, the ends of channels | their number |
//! | a function without state of its own | its code |
//! | anything else that can be pickled | its pickle |

pub mod buffers;
pub mod data;
pub mod failure;
pub mod fifo;
pub mod scripts;

pub use data::{Data, Fallback};
pub use failure::Failure;
pub use fifo::Fifo;

use hognose_allocators::{Raw, TryVec};

use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, StaticType};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;

/// `InterpreterError`.
pub static INTERPRETER_ERROR: StaticType = StaticType::new(exc::plain(
    c"concurrent.interpreters.InterpreterError",
    &exc::Exception,
    "A cross-interpreter operation failed",
));

/// `InterpreterNotFoundError`.
pub static INTERPRETER_NOT_FOUND_ERROR: StaticType = StaticType::new(exc::plain(
    c"concurrent.interpreters.InterpreterNotFoundError",
    &INTERPRETER_ERROR,
    "An interpreter was not found",
));

/// `NotShareableError`.
pub static NOT_SHAREABLE_ERROR: StaticType = StaticType::new(exc::plain(
    c"concurrent.interpreters.NotShareableError",
    &exc::TypeError,
    "Raised when an object can't be sent to another interpreter",
));

/// Text in the raw domain.
pub type RawText = TryVec<u8, Raw>;

/// A copy of a text; what has no UTF-8 becomes question marks.
pub fn raw_text(ts: &ThreadState, text: &PyStr) -> PyResult<RawText> {
    let mut copy = RawText::new_in(Raw);
    match text.utf8(ts) {
        Ok(utf8) => copy.try_extend_from_copy(utf8.as_bytes())?,
        Err(raised) => {
            ts.clear_raised(raised);
            let mut buffer = [0; 4];
            for ch in text.chars() {
                let ch = char::from_u32(ch).unwrap_or('?');
                copy.try_extend_from_copy(ch.encode_utf8(&mut buffer).as_bytes())?;
            }
        }
    }
    Ok(copy)
}

/// The text as a string.
pub fn text_object(ts: &ThreadState, text: &RawText) -> PyResult<Ref<PyStr>> {
    PyStr::new(ts, core::str::from_utf8(text).unwrap_or("?"))
}

/// A dictionary of this module's in the interpreter's state.
pub fn state_dict(ts: &ThreadState, name: &str) -> PyResult<Ref<PyDict>> {
    let interp = ts.interp();
    let all = match interp.native_state.get() {
        Some(all) => all,
        None => {
            let all = PyDict::new(ts)?;
            interp.native_state.set(Some(all.clone()));
            all
        }
    };
    let key = PyStr::intern(ts, name)?;
    if let Some(known) = all.get_str(ts, &key)?
        && let Ok(known) = known.downcast_into::<PyDict>()
    {
        return Ok(known);
    }
    let made: Ref<PyDict> = PyDict::new(ts)?;
    all.set_str(ts, &key, made.as_object())?;
    Ok(made)
}

/// Something of a module of Python, imported now.
pub fn imported(ts: &ThreadState, module: &str, name: &str) -> PyResult<PyRef> {
    let module = crate::import::import_module(ts, module)?;
    crate::object::attr::get(ts, &module, &*PyStr::intern(ts, name)?)
}

/// Forgets what an ending interpreter has sent and nobody has received.
pub fn forget_interpreter(id: i64) {
    crate::modules::_interpqueues::forget_interpreter(id);
    crate::modules::_interpchannels::channels::forget_interpreter(id);
}

/// Forgets everything, when the runtime ends.
pub fn forget_all() {
    crate::modules::_interpqueues::forget_all();
    crate::modules::_interpchannels::channels::forget_all();
}

/// Whether the object is of a type that goes to other interpreters as it is.
pub fn is_shareable(ts: &ThreadState, object: &PyObject) -> PyResult<bool> {
    data::has_own_form(ts, object)
}
