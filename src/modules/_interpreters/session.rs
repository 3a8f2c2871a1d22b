//! Code that runs in another interpreter, in the calling thread.
//!
//! ```text
//!   caller's state ──detach──► new state of the other ── values into __main__ ── run ── result or failure ──┐
//!         ▲                                                                                                 │
//!         └──────────────────────────── attach ◄── clear, delete ◄──────────────────────────────────────────┘
//! ```
//!
//! What crosses is in the raw domain: values, programs, results, failures.

use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use hognose_allocators::{Raw, TryVec};
use hognose_frontend::Mode;

use super::lookup::Pinned;
use crate::code::compile::{self, Request};
use crate::code::marshal;
use crate::modules::xi::{self, Data, Failure, Fallback, RawText};
use crate::object::{AsObject, PyResult, call};
use crate::raise;
use crate::state::{ThreadState, attach, threads};
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// Names and values for `__main__`.
pub type Values = TryVec<(RawText, Data), Raw>;

/// What is to run.
pub enum Program {
    /// Nothing but the values.
    Nothing,
    /// A text.
    Text(RawText),
    /// Marshalled code.
    Code(RawText),
    /// A call.
    Call {
        /// What is called.
        callable: Data,
        /// A tuple.
        arguments: Option<Data>,
        /// A dict.
        keywords: Option<Data>,
    },
}

impl Program {
    /// A text as a program.
    pub fn text(ts: &ThreadState, text: &PyStr) -> PyResult<Program> {
        if text.contains_nul() {
            return raise!(ts, exc::ValueError, "source code string cannot contain null bytes");
        }
        let utf8 = text.utf8(ts)?;
        let mut copy = RawText::new_in(Raw);
        copy.try_extend_from_copy(utf8.as_bytes())?;
        Ok(Program::Text(copy))
    }

    /// Marshalled code as a program.
    pub fn code(bytes: &[u8]) -> PyResult<Program> {
        let mut copy = RawText::new_in(Raw);
        copy.try_extend_from_copy(bytes)?;
        Ok(Program::Code(copy))
    }
}

/// How it ended in the other interpreter.
enum Ended {
    Returned(Option<Data>),
    Raised(Failure),
    /// Its result cannot go back, or what it was given has not come over.
    NotShareable(Failure),
}

/// A stay in another interpreter.
pub struct Session<'a> {
    ts: &'a ThreadState,
    pinned: Pinned,
}

impl<'a> Session<'a> {
    /// Makes sure that no other code runs in the interpreter's `__main__`.
    pub fn begin(ts: &'a ThreadState, pinned: Pinned) -> PyResult<Session<'a>> {
        if pinned.id() == ts.interp().id || !pinned.begin_to_run() {
            return raise!(ts, xi::INTERPRETER_ERROR, "interpreter already running");
        }
        Ok(Session { ts, pinned })
    }

    /// Sets values in `__main__`, runs a program, and comes back with its result, or with what is to be told of an
    /// exception.
    pub fn run(self, values: &Values, program: &Program) -> PyResult<Result<Option<Data>, Failure>> {
        let ts = self.ts;
        let (state, before) = self.pinned.enter(ts)?;
        // SAFETY: attached.
        let there = unsafe { state.as_ref() };
        let ended = run_there(there, values, program);
        there.interp().runs_main.store(false, Ordering::Release);
        leave(there, before);
        match ended {
            Ended::Returned(data) => Ok(Ok(data)),
            Ended::Raised(failure) => Ok(Err(failure)),
            Ended::NotShareable(failure) => {
                raise!(ts, xi::NOT_SHAREABLE_ERROR, "{}: {}", failure.type_name(), failure.text())
            }
        }
    }
}

/// Ends the attached state, and attaches the one that the thread had before.
pub fn leave(there: &ThreadState, before: NonNull<ThreadState>) {
    threads::clear(there, there);
    // SAFETY: attached, cleared, and not used again.
    unsafe { threads::delete_current(NonNull::from(there)) };
    attach::attach(before, "_interpreters");
}

fn run_there(ts: &ThreadState, values: &Values, program: &Program) -> Ended {
    let failure = |raised| {
        let error = ts.take_raised(raised);
        Failure::of(ts, &error)
    };
    let dict = match prepare(ts, values) {
        Ok(dict) => dict,
        Err(raised) => return Ended::NotShareable(failure(raised)),
    };
    let result = match program {
        Program::Nothing => return Ended::Returned(None),
        Program::Text(text) => run_text(ts, text, &dict),
        Program::Code(code) => marshal::load_code(ts, code)
            .and_then(|code| crate::vm::eval_code(ts, &code, &dict, Some(dict.as_object()), None)),
        Program::Call { callable, arguments, keywords } => {
            let unpacked = callable.decode(ts).and_then(|callable| {
                let arguments = arguments.as_ref().map(|data| data.decode(ts)).transpose()?;
                let keywords = keywords.as_ref().map(|data| data.decode(ts)).transpose()?;
                Ok((callable, arguments, keywords))
            });
            let (callable, arguments, keywords) = match unpacked {
                Ok(unpacked) => unpacked,
                Err(raised) => return Ended::NotShareable(failure(raised)),
            };
            let arguments = arguments.and_then(|tuple| tuple.downcast_into::<PyTuple>().ok());
            let arguments = arguments.unwrap_or_else(PyTuple::empty);
            let keywords = keywords.and_then(|dict| dict.downcast_into::<PyDict>().ok());
            let result = call::call_tuple_dict(ts, &callable, &arguments, keywords.as_deref());
            return match result.map(|result| Data::encode(ts, &result, Fallback::Full)) {
                Ok(Ok(data)) => Ended::Returned(Some(data)),
                Ok(Err(raised)) => Ended::NotShareable(failure(raised)),
                Err(raised) => Ended::Raised(failure(raised)),
            };
        }
    };
    match result {
        Ok(_) => Ended::Returned(None),
        Err(raised) => Ended::Raised(failure(raised)),
    }
}

fn prepare(ts: &ThreadState, values: &Values) -> PyResult<crate::object::Ref<PyDict>> {
    let dict = xi::scripts::main_dict(ts)?;
    for (name, value) in values.iter() {
        let name = xi::text_object(ts, name)?;
        let name = PyStr::intern_ref(ts, name)?;
        let value = value.decode(ts)?;
        dict.set_str(ts, &name, &value)?;
    }
    Ok(dict)
}

fn run_text(ts: &ThreadState, text: &RawText, dict: &PyDict) -> PyResult {
    let filename = PyStr::intern(ts, "<string>")?;
    let request = Request {
        source: text,
        filename: &filename,
        mode: Mode::Exec,
        flags: hognose_frontend::PYCF_IGNORE_COOKIE,
        optimize: None,
        is_file: false,
        feature_version: None,
    };
    let code = compile::compile(ts, request)?;
    crate::vm::eval_code(ts, &code, dict, Some(dict.as_object()), None)
}
