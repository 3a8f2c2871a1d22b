//! How failure travels: a raised exception waits in the thread state, and a zero-sized token says so.

use core::fmt;

use hognose_allocators::NoMemory;

use super::header::PyObject;
use super::reference::PyRef;
use super::typeobj::PyTypeObject;
use crate::state::ThreadState;

/// Says that an exception is set in the current thread state.
///
/// It takes no room: a `PyResult<PyRef>` is one word, null for the failure, as in C. Whoever receives one
/// passes it on, or handles the exception with [`ThreadState::take_raised`] (or `clear_raised`).
#[derive(Debug)]
#[must_use = "an exception is set: pass it on, or take it from the thread state"]
pub struct Raised(());

/// The result of whatever can raise.
pub type PyResult<T = PyRef> = Result<T, Raised>;

impl Raised {
    /// The token, for code that has just set an exception (the C border).
    pub fn already_set() -> Raised {
        Raised(())
    }
}

impl From<NoMemory> for Raised {
    /// Raises the interpreter's ready-made MemoryError.
    #[cold]
    fn from(_: NoMemory) -> Raised {
        ThreadState::current().raise_no_memory()
    }
}

/// Raises an exception with a formatted message: `return raise!(ts, exc::TypeError, "no {}", what);`
#[macro_export]
macro_rules! raise {
    ($ts:expr, $exception:expr, $($message:tt)+) => {
        Err($ts.raise_fmt(&$exception, format_args!($($message)+)))
    };
}

impl ThreadState {
    /// Raises an exception of type `exception` whose only argument is the message.
    #[cold]
    pub fn raise_fmt(&self, exception: &PyTypeObject, message: fmt::Arguments<'_>) -> Raised {
        match crate::types::str::PyStr::format(self, message) {
            Ok(text) => {
                let text: PyRef = text.into_object();
                self.raise_with(exception, &text)
            }
            Err(raised) => raised,
        }
    }

    /// Raises `exception(value)`; a tuple `value` is spread, as in `PyErr_SetObject`.
    #[cold]
    pub fn raise_with(&self, exception: &PyTypeObject, value: &PyObject) -> Raised {
        crate::types::exceptions::raise_with(self, exception, value)
    }

    /// Raises `exception()`.
    #[cold]
    pub fn raise_type(&self, exception: &PyTypeObject) -> Raised {
        crate::types::exceptions::raise_type(self, exception)
    }

    /// Raises an exception instance: sets its context to the exception being handled.
    #[cold]
    pub fn raise(&self, exception: PyRef) -> Raised {
        crate::types::exceptions::raise(self, exception)
    }

    /// Raises MemoryError without allocating.
    #[cold]
    pub fn raise_no_memory(&self) -> Raised {
        crate::types::exceptions::raise_no_memory(self)
    }

    /// Puts an exception (back) as it is: no context is added.
    #[inline]
    pub fn restore_raised(&self, exception: PyRef) -> Raised {
        self.current_exception.set(Some(exception));
        Raised(())
    }

    /// Takes the raised exception, to handle it.
    #[inline]
    pub fn take_raised(&self, raised: Raised) -> PyRef {
        let Raised(()) = raised;
        match self.current_exception.take() {
            Some(exception) => exception,
            None => crate::types::exceptions::missing_exception(self),
        }
    }

    /// Drops the raised exception.
    #[inline]
    pub fn clear_raised(&self, raised: Raised) {
        let Raised(()) = raised;
        self.current_exception.set(None);
    }

    /// Whether the raised exception is an instance of `exception`.
    pub fn raised_matches(&self, exception: &PyTypeObject) -> bool {
        // SAFETY: nothing runs while the exception is looked at.
        match unsafe { self.current_exception.borrow() } {
            Some(raised) => raised.ob_type().is_subtype(exception),
            None => false,
        }
    }

    /// Turns a failure of type `exception` into `None`, and passes any other on.
    #[inline]
    pub fn catch<T>(&self, result: PyResult<T>, exception: &PyTypeObject) -> PyResult<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(raised) => {
                if self.raised_matches(exception) {
                    self.clear_raised(raised);
                    Ok(None)
                } else {
                    Err(raised)
                }
            }
        }
    }
}
