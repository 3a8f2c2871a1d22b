//! Collections that can fail to grow, and say so (D2).
//!
//! They are what the runtime uses instead of `std`'s `Vec`, `Box` and `String`: only growth that
//! returns a `Result` is offered, and the memory comes from a domain, by default `mem`. Hash tables are
//! hashbrown's, over the same handles.

mod boxed;
mod string;
#[cfg(test)]
mod tests;
mod vec;

pub use boxed::TryBox;
pub use string::TryString;
pub use vec::{IntoIter, TryVec};

/// Makes a [`TryString`] of the mem domain from a format string, as a `Result<TryString, NoMemory>`.
#[macro_export]
macro_rules! try_format {
    ($($arguments:tt)*) => {
        $crate::TryString::try_from_fmt(::core::format_args!($($arguments)*))
    };
}
