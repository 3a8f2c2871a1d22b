//! The two configuration structs, field by field as CPython 3.14's headers declare them for a release
//! build with a GIL on Linux.
//!
//! C programs read and write the fields, so their order and types are a contract; what each one means is
//! said once, in [`table::OPTIONS`](super::table::OPTIONS).

use core::ffi::{c_int, c_ulong};
use core::mem::offset_of;

use super::strings::{PyWideStringList, WideString};

/// Whom a configuration is for; decides the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum ConfigKind {
    /// `Py_Initialize`: reads the environment and the global `Py_*Flag` variables, not the arguments.
    Compat = 1,
    /// Like the `python` command: reads environment and arguments and sets the locale.
    Python = 2,
    /// Nothing from outside: for programs that embed and want no influence of the user's settings.
    Isolated = 3,
}

impl ConfigKind {
    /// The kind for a struct's `_config_init`. A struct of zeros, which no function has set up, is
    /// treated as compat without globals: its fields say 0, not "undecided".
    pub const fn from_init(value: c_int) -> Option<Self> {
        match value {
            1 => Some(Self::Compat),
            2 => Some(Self::Python),
            3 => Some(Self::Isolated),
            _ => None,
        }
    }

    /// The column of the table of options.
    pub(super) const fn column(self) -> usize {
        self as usize - 1
    }
}

/// What must be known before anything can be decoded or allocated.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PyPreConfig {
    pub _config_init: c_int,
    pub parse_argv: c_int,
    pub isolated: c_int,
    pub use_environment: c_int,
    pub configure_locale: c_int,
    pub coerce_c_locale: c_int,
    pub coerce_c_locale_warn: c_int,
    pub utf8_mode: c_int,
    pub dev_mode: c_int,
    pub allocator: c_int,
}

/// All settings of an initialization.
#[repr(C)]
#[derive(Debug)]
pub struct PyConfig {
    pub _config_init: c_int,
    pub isolated: c_int,
    pub use_environment: c_int,
    pub dev_mode: c_int,
    pub install_signal_handlers: c_int,
    pub use_hash_seed: c_int,
    pub hash_seed: c_ulong,
    pub faulthandler: c_int,
    pub tracemalloc: c_int,
    pub perf_profiling: c_int,
    pub remote_debug: c_int,
    pub import_time: c_int,
    pub code_debug_ranges: c_int,
    pub show_ref_count: c_int,
    pub dump_refs: c_int,
    pub dump_refs_file: WideString,
    pub malloc_stats: c_int,
    pub filesystem_encoding: WideString,
    pub filesystem_errors: WideString,
    pub pycache_prefix: WideString,
    pub parse_argv: c_int,
    pub orig_argv: PyWideStringList,
    pub argv: PyWideStringList,
    pub xoptions: PyWideStringList,
    pub warnoptions: PyWideStringList,
    pub site_import: c_int,
    pub bytes_warning: c_int,
    pub warn_default_encoding: c_int,
    pub inspect: c_int,
    pub interactive: c_int,
    pub optimization_level: c_int,
    pub parser_debug: c_int,
    pub write_bytecode: c_int,
    pub verbose: c_int,
    pub quiet: c_int,
    pub user_site_directory: c_int,
    pub configure_c_stdio: c_int,
    pub buffered_stdio: c_int,
    pub stdio_encoding: WideString,
    pub stdio_errors: WideString,
    pub check_hash_pycs_mode: WideString,
    pub use_frozen_modules: c_int,
    pub safe_path: c_int,
    pub int_max_str_digits: c_int,
    pub thread_inherit_context: c_int,
    pub context_aware_warnings: c_int,
    pub cpu_count: c_int,
    pub pathconfig_warnings: c_int,
    pub program_name: WideString,
    pub pythonpath_env: WideString,
    pub home: WideString,
    pub platlibdir: WideString,
    pub module_search_paths_set: c_int,
    pub module_search_paths: PyWideStringList,
    pub stdlib_dir: WideString,
    pub executable: WideString,
    pub base_executable: WideString,
    pub prefix: WideString,
    pub base_prefix: WideString,
    pub exec_prefix: WideString,
    pub base_exec_prefix: WideString,
    pub skip_source_first_line: c_int,
    pub run_command: WideString,
    pub run_module: WideString,
    pub run_filename: WideString,
    pub sys_path_0: WideString,
    pub _install_importlib: c_int,
    pub _init_main: c_int,
    pub _is_python_build: c_int,
}

// Checked against the offsets that CPython's headers give on LP64.
const _: () = {
    assert!(size_of::<PyPreConfig>() == 40 && align_of::<PyPreConfig>() == 4);
    assert!(offset_of!(PyPreConfig, allocator) == 36);
    assert!(align_of::<PyConfig>() == 8);
    assert!(offset_of!(PyConfig, hash_seed) == 24);
    assert!(offset_of!(PyConfig, remote_debug) == 44);
    assert!(offset_of!(PyConfig, dump_refs_file) == 64);
    assert!(offset_of!(PyConfig, orig_argv) == 112);
    assert!(offset_of!(PyConfig, warnoptions) == 160);
    assert!(offset_of!(PyConfig, stdio_encoding) == 232);
    assert!(offset_of!(PyConfig, int_max_str_digits) == 264);
    assert!(offset_of!(PyConfig, cpu_count) == 276);
    assert!(offset_of!(PyConfig, program_name) == 288);
    assert!(offset_of!(PyConfig, run_command) == 408);
    assert!(size_of::<PyConfig>() == 456);
};
