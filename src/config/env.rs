//! Environment variables, read without a copy.

use core::ffi::CStr;

use super::locale;
use super::status::StatusResult;
use super::strings::WideString;

/// Where `PYTHON*` variables come from.
#[derive(Clone, Copy)]
pub enum Environment<'a> {
    /// The process's.
    Process,
    /// None is set.
    Empty,
    /// Exactly these: for tests, and for embedders that bring their own.
    Fixed(&'a [(&'a CStr, &'a [u8])]),
}

impl Environment<'_> {
    /// Calls `use_value` with the variable's text, unless it is unset or empty.
    ///
    /// A callback and not a reference, because another part of the program may change the environment
    /// later.
    pub fn with<R>(&self, name: &CStr, use_value: impl FnOnce(&[u8]) -> R) -> Option<R> {
        match self {
            Self::Process => {
                // SAFETY: the name is NUL-terminated.
                let value = unsafe { libc::getenv(name.as_ptr()) };
                if value.is_null() {
                    return None;
                }
                // SAFETY: `getenv` gave a NUL-terminated string. It is valid until the variable is
                // changed, which C programs must not do while Python is being initialized.
                let value = unsafe { CStr::from_ptr(value) }.to_bytes();
                (!value.is_empty()).then(|| use_value(value))
            }
            Self::Empty => None,
            Self::Fixed(variables) => variables
                .iter()
                .find(|(own, value)| *own == name && !value.is_empty())
                .map(|(_, value)| use_value(value)),
        }
    }

    /// Whether the variable is set to a text that is not empty.
    pub fn has(&self, name: &CStr) -> bool {
        self.with(name, |_| ()).is_some()
    }

    /// The decoded text.
    pub fn text(&self, name: &CStr) -> StatusResult<Option<WideString>> {
        self.with(name, locale::decode).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let env = Environment::Fixed(&[(c"A", b""), (c"B", b"0")]);
        assert!(!env.has(c"A") && env.has(c"B") && !env.has(c"C"));
        assert_eq!(env.with(c"B", <[u8]>::len), Some(1));
        assert!(!Environment::Empty.has(c"B"));
        assert!(Environment::Process.has(c"PATH"));
    }
}
