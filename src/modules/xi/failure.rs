//! What one interpreter is told of an exception in another: texts.

use super::{RawText, raw_text, text_object};
use crate::id;
use crate::object::{AsObject, PyObject, PyResult, Ref, attr, protocol};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::namespace::PyNamespace;
use crate::types::none::is_none;
use crate::types::str::PyStr;

/// An exception, in texts of the raw domain.
#[derive(Default)]
pub struct Failure {
    name: Option<RawText>,
    qualname: Option<RawText>,
    module: Option<RawText>,
    message: Option<RawText>,
    display: Option<RawText>,
}

impl Failure {
    /// What is to be told of an exception. A text that cannot be had is left out.
    pub fn of(ts: &ThreadState, error: &PyObject) -> Failure {
        let class = error.ob_type().as_object();
        let text = |result: PyResult| -> Option<RawText> {
            let copied = result.and_then(|object| match object.downcast::<PyStr>() {
                Some(text) => raw_text(ts, text).map(Some),
                None => Ok(None),
            });
            copied.unwrap_or_else(|raised| {
                ts.clear_raised(raised);
                None
            })
        };
        let display = crate::lifecycle::print::format_exception(ts, error).map(Ref::into_object);
        let mut display = text(display);
        if let Some(display) = &mut display {
            while display.last() == Some(&b'\n') {
                display.truncate(display.len() - 1);
            }
        }
        Failure {
            name: text(attr::get(ts, class, id!(__name__))),
            qualname: text(attr::get(ts, class, id!(__qualname__))),
            module: text(attr::get(ts, class, id!(__module__))),
            message: text(protocol::str(ts, error).map(Ref::into_object)),
            display,
        }
    }

    /// The message, or the name.
    pub fn text(&self) -> &str {
        let text = self.message.as_ref().filter(|text| !text.is_empty()).or(self.name.as_ref());
        text.and_then(|text| core::str::from_utf8(text).ok()).unwrap_or("an exception")
    }

    /// The name of the exception's class.
    pub fn type_name(&self) -> &str {
        self.name.as_ref().and_then(|text| core::str::from_utf8(text).ok()).unwrap_or("")
    }

    /// A namespace with `type`, `msg`, `formatted` and `errdisplay`.
    pub fn object(&self, ts: &ThreadState) -> PyResult {
        let dict = PyDict::new(ts)?;
        let class = PyDict::new(ts)?;
        let put = |dict: &PyDict, name: &str, text: &Option<RawText>| -> PyResult<()> {
            let value = match text {
                Some(text) => text_object(ts, text)?.into_object(),
                None => ts.none(),
            };
            dict.set_str(ts, &*PyStr::intern(ts, name)?, &value)
        };
        put(&class, "__name__", &self.name)?;
        put(&class, "__qualname__", &self.qualname)?;
        put(&class, "__module__", &self.module)?;
        let class = PyNamespace::new(ts, Some(&class))?;
        dict.set_str(ts, &*PyStr::intern(ts, "type")?, class.as_object())?;
        put(&dict, "msg", &self.message)?;
        let formatted = self.formatted(ts)?;
        dict.set_str(ts, &*PyStr::intern(ts, "formatted")?, &formatted)?;
        put(&dict, "errdisplay", &self.display)?;
        Ok(PyNamespace::new(ts, Some(&dict))?.into_object())
    }

    fn formatted(&self, ts: &ThreadState) -> PyResult {
        let text = |text: &Option<RawText>| -> PyResult {
            text.as_ref().map_or_else(|| Ok(ts.none()), |text| Ok(text_object(ts, text)?.into_object()))
        };
        let (qualname, message) = (text(&self.qualname)?, text(&self.message)?);
        if is_none(&qualname) {
            return Ok(message);
        }
        let plain = self.module.as_ref().is_none_or(|module| &module[..] == b"builtins" || &module[..] == b"__main__");
        let module = text(&self.module)?;
        let (module, dot) = if plain { (PyStr::empty().into_object(), "") } else { (module, ".") };
        let (module, qualname) = (module.cast::<PyStr>(), qualname.cast::<PyStr>());
        let formatted = match message.downcast::<PyStr>() {
            Some(message) => PyStr::format(ts, format_args!("{module}{dot}{qualname}: {message}"))?,
            None => PyStr::format(ts, format_args!("{module}{dot}{qualname}"))?,
        };
        Ok(formatted.into_object())
    }
}
