//! The global `Py_*Flag` variables of the oldest interface: C programs assign to them before `Py_Initialize`.
//!
//! They are data symbols, so they live where the table of options can name them. Only a compat
//! configuration reads them ([`load`]); every initialization writes the effective values back ([`store`]).
//! An `AtomicI32` has the layout of the C `int`, and makes a read beside a C write defined.

use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, Ordering::Relaxed};

use super::layout::{PyConfig, PyPreConfig};
use super::table::{Field, OPTIONS};

/// How a global and a field correspond.
#[derive(Clone, Copy)]
pub enum Legacy {
    /// The same value.
    Same(&'static AtomicI32),
    /// The global says that something is off which the field says is on.
    Negated(&'static AtomicI32),
}

impl Legacy {
    /// The field's value according to the global.
    pub fn load(self) -> c_int {
        match self {
            Self::Same(global) => global.load(Relaxed),
            Self::Negated(global) => (global.load(Relaxed) == 0).into(),
        }
    }

    /// Sets the global from the field's value.
    pub fn store(self, value: c_int) {
        match self {
            Self::Same(global) => global.store(value, Relaxed),
            Self::Negated(global) => global.store((value == 0).into(), Relaxed),
        }
    }
}

macro_rules! globals {
    ($($(#[$doc:meta])* $name:ident = $symbol:literal;)*) => {
        $(
            $(#[$doc])*
            // SAFETY: the symbol belongs to CPython's C interface, which this library alone provides.
            #[unsafe(export_name = $symbol)]
            pub static $name: AtomicI32 = AtomicI32::new(0);
        )*
    };
}

globals! {
    /// `-b` count.
    BYTES_WARNING = "Py_BytesWarningFlag";
    /// `-d` count.
    DEBUG = "Py_DebugFlag";
    /// `-B`.
    DONT_WRITE_BYTECODE = "Py_DontWriteBytecodeFlag";
    /// No warnings of the path configuration.
    FROZEN = "Py_FrozenFlag";
    /// Whether string hashes are randomized; written only.
    HASH_RANDOMIZATION = "Py_HashRandomizationFlag";
    /// `-E`.
    IGNORE_ENVIRONMENT = "Py_IgnoreEnvironmentFlag";
    /// `-i`: a prompt after the script.
    INSPECT = "Py_InspectFlag";
    /// `-i`: interactive.
    INTERACTIVE = "Py_InteractiveFlag";
    /// `-I`.
    ISOLATED = "Py_IsolatedFlag";
    /// `-S`.
    NO_SITE = "Py_NoSiteFlag";
    /// `-s`.
    NO_USER_SITE_DIRECTORY = "Py_NoUserSiteDirectory";
    /// `-O` count.
    OPTIMIZE = "Py_OptimizeFlag";
    /// `-q`.
    QUIET = "Py_QuietFlag";
    /// `-u`.
    UNBUFFERED_STDIO = "Py_UnbufferedStdioFlag";
    /// UTF-8 mode; the encodings of the C interface ask it.
    UTF8_MODE = "Py_UTF8Mode";
    /// `-v` count.
    VERBOSE = "Py_VerboseFlag";
}

/// Takes undecided fields of a compat configuration from the globals.
pub fn load(config: &mut PyConfig) {
    for row in &OPTIONS {
        if let (Some(legacy), Field::Int(_, field)) = (row.legacy, row.field) {
            let field = field(config);
            if *field < 0 {
                *field = legacy.load();
            }
        }
    }
}

/// Takes undecided fields of a compat pre-configuration from the globals.
pub fn load_pre(config: &mut PyPreConfig) {
    if config.isolated < 0 {
        config.isolated = Legacy::Same(&ISOLATED).load();
    }
    if config.use_environment < 0 {
        config.use_environment = Legacy::Negated(&IGNORE_ENVIRONMENT).load();
    }
    if UTF8_MODE.load(Relaxed) > 0 {
        config.utf8_mode = 1;
    }
}

/// Writes the effective values of pre-initialization to the globals.
pub fn store_pre(config: &PyPreConfig) {
    ISOLATED.store(config.isolated, Relaxed);
    Legacy::Negated(&IGNORE_ENVIRONMENT).store(config.use_environment);
    UTF8_MODE.store(config.utf8_mode, Relaxed);
}

/// Writes the effective values of an initialization to the globals.
pub fn store(config: &PyConfig) {
    for row in &OPTIONS {
        if let (Some(legacy), Field::Int(field, _)) = (row.legacy, row.field) {
            legacy.store(*field(config));
        }
    }
    let random = config.use_hash_seed == 0 || config.hash_seed != 0;
    HASH_RANDOMIZATION.store(random.into(), Relaxed);
}
