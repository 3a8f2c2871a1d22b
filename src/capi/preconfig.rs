//! `PyPreConfig_*` and `Py_PreInitialize*`. Declared in `initconfig.h`.

use core::ffi::c_char;

use crate::config::{Args, ConfigKind, PyPreConfig, PyStatus, WChar, preinitialize};

/// The error for a null pre-configuration.
const NULL_CONFIG: PyStatus = PyStatus::error_in(c"_Py_PreInitializeFromPyArgv", c"preinitialization config is NULL");

/// Writes the defaults of the Python kind over every field.
///
/// # Safety
///
/// `config` is null (then nothing happens) or points to room for a `PyPreConfig`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyPreConfig_InitPythonConfig(config: *mut PyPreConfig) {
    if !config.is_null() {
        // SAFETY: not null, so there is room, which need not be initialized.
        unsafe { config.write(PyPreConfig::new(ConfigKind::Python)) }
    }
}

/// Writes the defaults of the isolated kind over every field.
///
/// # Safety
///
/// As for `PyPreConfig_InitPythonConfig`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyPreConfig_InitIsolatedConfig(config: *mut PyPreConfig) {
    if !config.is_null() {
        // SAFETY: not null, so there is room, which need not be initialized.
        unsafe { config.write(PyPreConfig::new(ConfigKind::Isolated)) }
    }
}

/// # Safety
///
/// `config` is null or points to a pre-configuration.
unsafe fn preinitialize_from(config: *const PyPreConfig, args: Args<'_>) -> PyStatus {
    crate::lifecycle::fatal::install();
    // SAFETY: promised by the caller.
    match unsafe { config.as_ref() } {
        Some(config) => PyStatus::from_result(preinitialize(config, args)),
        None => NULL_CONFIG,
    }
}

/// Pre-initializes. Later calls do nothing and give OK.
///
/// # Safety
///
/// `config` is null or points to a pre-configuration.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_PreInitialize(config: *const PyPreConfig) -> PyStatus {
    // SAFETY: as promised.
    unsafe { preinitialize_from(config, Args::NONE) }
}

/// As `Py_PreInitialize`, with a look at the arguments when `parse_argv` is set.
///
/// # Safety
///
/// As for `Py_PreInitialize`; `argv` is null or has `argc` strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_PreInitializeFromBytesArgs(
    config: *const PyPreConfig,
    argc: isize,
    argv: *const *const c_char,
) -> PyStatus {
    // SAFETY: as promised.
    unsafe { preinitialize_from(config, Args::from_c_bytes(argc, argv)) }
}

/// As `Py_PreInitializeFromBytesArgs`, with wide strings.
///
/// # Safety
///
/// As for `Py_PreInitializeFromBytesArgs`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_PreInitializeFromArgs(
    config: *const PyPreConfig,
    argc: isize,
    argv: *const *const WChar,
) -> PyStatus {
    // SAFETY: as promised.
    unsafe { preinitialize_from(config, Args::from_c_wide(argc, argv)) }
}
