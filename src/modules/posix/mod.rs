//! `posix`: what `os` takes from the operating system.
pub mod path;
pub mod system;
use crate::modules::ModuleSpec;
/// The module.
pub static MODULE: ModuleSpec = ModuleSpec { name: "posix", ..ModuleSpec::EMPTY };
