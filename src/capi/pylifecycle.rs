//! Initialization and finalization. Declared in `pylifecycle.h`.

use core::ffi::{c_char, c_int, c_void};
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use hognose_allocators::{AllocatorName, Limit};

use crate::config::{self, Args, ConfigKind, PyConfig, PyPreConfig, PyStatus, StatusResult, WChar, WideString};
use crate::lifecycle::pressure::NO_LIMIT;
use crate::lifecycle::subinterp::{self, InterpreterConfig, Settings};
use crate::lifecycle::{self, fatal};
use crate::state::{Runtime, ThreadState, Whence};

/// Whether initialization is complete. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn Py_IsInitialized() -> c_int {
    Runtime::get().initialized.load(Ordering::Acquire).into()
}

/// Whether the runtime is on its way down. Any thread, at any time.
#[unsafe(no_mangle)]
pub extern "C" fn Py_IsFinalizing() -> c_int {
    Runtime::get().finalizing.load(Ordering::Acquire).into()
}

/// A status from code in which a panic must not get out.
pub(super) fn status_of(start: impl FnOnce() -> StatusResult) -> PyStatus {
    lifecycle::panics::install();
    match std::panic::catch_unwind(core::panic::AssertUnwindSafe(start)) {
        Ok(result) => PyStatus::from_result(result),
        Err(_) => PyStatus::error(c"internal error"),
    }
}

/// Initializes with a configuration. Does nothing when that is done already.
///
/// # Safety
///
/// `config` is null (an error) or set up by a function of `PyConfig`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_InitializeFromConfig(config: *const PyConfig) -> PyStatus {
    // SAFETY: as promised.
    let Some(config) = (unsafe { config.as_ref() }) else { return PyStatus::error(c"initialization config is NULL") };
    status_of(|| {
        note_raw_start();
        lifecycle::initialize(config)
    })
}

/// Initializes as a program of old does, with signal handlers or without; ends the process when that fails.
#[unsafe(no_mangle)]
pub extern "C" fn Py_InitializeEx(install_signal_handlers: c_int) {
    if Py_IsInitialized() != 0 {
        return;
    }
    let status = status_of(|| {
        note_raw_start();
        let mut config = PyConfig::new(ConfigKind::Compat);
        config.install_signal_handlers = c_int::from(install_signal_handlers != 0);
        let result = with_legacy(&mut config).and_then(|()| lifecycle::initialize(&config));
        config.clear();
        result
    });
    if status.is_error() || status.is_exit() {
        super::status::Py_ExitStatusException(status);
    }
}

/// [`Py_InitializeEx`] with signal handlers.
#[unsafe(no_mangle)]
pub extern "C" fn Py_Initialize() {
    Py_InitializeEx(1);
}

/// What `Py_SetProgramName` and `Py_SetPythonHome` were given; the programs keep the strings.
static PROGRAM_NAME: AtomicPtr<WChar> = AtomicPtr::new(core::ptr::null_mut());
static PYTHON_HOME: AtomicPtr<WChar> = AtomicPtr::new(core::ptr::null_mut());

/// Takes over into a configuration what the functions of old have set.
fn with_legacy(config: &mut PyConfig) -> StatusResult {
    let text = |place: &AtomicPtr<WChar>| -> StatusResult<Option<WideString>> {
        let pointer = place.load(Ordering::Acquire);
        if pointer.is_null() {
            return Ok(None);
        }
        // SAFETY: the functions ask for strings that stay.
        let text = unsafe { core::slice::from_raw_parts(pointer, config::strings::wide_length(pointer)) };
        WideString::copy_of(text).map(Some).map_err(|_| PyStatus::no_memory())
    };
    if let Some(text) = text(&PROGRAM_NAME)? {
        config.program_name = text;
    }
    if let Some(text) = text(&PYTHON_HOME)? {
        config.home = text;
    }
    Ok(())
}

/// The program's name for the next `Py_Initialize`. Deprecated: set `PyConfig.program_name`.
///
/// # Safety
///
/// `name` is null or a string that stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_SetProgramName(name: *const WChar) {
    PROGRAM_NAME.store(name.cast_mut(), Ordering::Release);
}

/// The place of the standard library for the next `Py_Initialize`. Deprecated: set `PyConfig.home`.
///
/// # Safety
///
/// `home` is null or a string that stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_SetPythonHome(home: *const WChar) {
    PYTHON_HOME.store(home.cast_mut(), Ordering::Release);
}

// The raw domain's live blocks when the runtime started, for `Hog_LiveBlocks`.

static RAW_START: AtomicUsize = AtomicUsize::new(0);
static RAW_START_BYTES: AtomicUsize = AtomicUsize::new(0);

pub(super) fn note_raw_start() {
    let runtime = Runtime::get();
    if !runtime.initialized.load(Ordering::Acquire) && config::preinitialized().is_none() {
        let raw = hognose_allocators::raw_stats();
        RAW_START.store(raw.live_blocks, Ordering::Release);
        RAW_START_BYTES.store(raw.live_bytes, Ordering::Release);
    }
}

/// The live blocks of the raw domain before the last initialization, and their bytes.
pub(super) fn raw_start() -> (usize, usize) {
    (RAW_START.load(Ordering::Acquire), RAW_START_BYTES.load(Ordering::Acquire))
}

// The end.

/// How many functions `Py_AtExit` takes.
const EXIT_FUNCTIONS: usize = 32;

static EXIT_COUNT: AtomicUsize = AtomicUsize::new(0);
static EXIT_TABLE: [AtomicPtr<c_void>; EXIT_FUNCTIONS] =
    [const { AtomicPtr::new(core::ptr::null_mut()) }; EXIT_FUNCTIONS];

/// Registers a function for the end of finalization; -1 when there are 32 already.
///
/// # Safety
///
/// The function may be called without a runtime.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_AtExit(function: Option<unsafe extern "C" fn()>) -> c_int {
    let Some(function) = function else { return -1 };
    let index = EXIT_COUNT.fetch_add(1, Ordering::AcqRel);
    if index >= EXIT_FUNCTIONS {
        EXIT_COUNT.fetch_sub(1, Ordering::AcqRel);
        return -1;
    }
    EXIT_TABLE[index].store(function as *mut c_void, Ordering::Release);
    0
}

/// Calls what `Py_AtExit` registered, last first.
fn call_exit_functions() {
    let count = EXIT_COUNT.swap(0, Ordering::AcqRel).min(EXIT_FUNCTIONS);
    for entry in EXIT_TABLE[..count].iter().rev() {
        let pointer = entry.swap(core::ptr::null_mut(), Ordering::AcqRel);
        if !pointer.is_null() {
            // SAFETY: only functions of this type are stored.
            unsafe { core::mem::transmute::<*mut c_void, unsafe extern "C" fn()>(pointer)() }
        }
    }
}

/// Finalizes; -1 when the streams could not be flushed. Does nothing when nothing is initialized.
///
/// # Safety
///
/// The main thread, with its thread state attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_FinalizeEx() -> c_int {
    if Py_IsInitialized() == 0 {
        return 0;
    }
    let status = std::panic::catch_unwind(lifecycle::finalize).unwrap_or(-1);
    call_exit_functions();
    status
}

/// [`Py_FinalizeEx`] without a result.
///
/// # Safety
///
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_Finalize() {
    // SAFETY: as promised.
    let _status = unsafe { Py_FinalizeEx() };
}

/// Finalizes and ends the process.
pub(super) fn exit(status: c_int) -> ! {
    // SAFETY: the callers are on the main thread; the process ends.
    unsafe {
        let status = if Py_FinalizeEx() < 0 { 120 } else { status };
        libc::exit(status)
    }
}

/// Finalizes and ends the process with a status (120 when finalization failed).
///
/// # Safety
///
/// As for [`Py_FinalizeEx`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_Exit(status: c_int) -> ! {
    exit(status)
}

// Running as the command.

/// Runs what the configuration says, finalizes, and gives the exit status.
///
/// # Safety
///
/// As for [`Py_FinalizeEx`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_RunMain() -> c_int {
    let status = std::panic::catch_unwind(lifecycle::run::run_main).unwrap_or(1);
    call_exit_functions();
    lifecycle::run::end_by_signal(status)
}

fn main_with(args: Args<'_>) -> c_int {
    let status = status_of(|| {
        note_raw_start();
        config::preinitialize(&PyPreConfig::new(ConfigKind::Python), args)?;
        let mut config = PyConfig::new(ConfigKind::Python);
        let result = config.set_argv(args).and_then(|()| lifecycle::initialize(&config));
        config.clear();
        result
    });
    if status.is_exit() {
        return status.exitcode();
    }
    if status.is_error() {
        super::status::Py_ExitStatusException(status);
    }
    // SAFETY: the runtime was just initialized in this thread.
    unsafe { Py_RunMain() }
}

/// The whole command: initializes from arguments, runs, finalizes.
///
/// # Safety
///
/// `argv` has `argc` strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_BytesMain(argc: c_int, argv: *const *const c_char) -> c_int {
    // SAFETY: as promised.
    main_with(unsafe { Args::from_c_bytes(argc as isize, argv) })
}

/// The same with wide strings.
///
/// # Safety
///
/// As for [`Py_BytesMain`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_Main(argc: c_int, argv: *const *const WChar) -> c_int {
    // SAFETY: as promised.
    main_with(unsafe { Args::from_c_wide(argc as isize, argv) })
}

// Sub-interpreters.

fn new_interpreter(function: &str, settings: &Settings) -> Result<*mut ThreadState, PyStatus> {
    let Some(ts) = ThreadState::try_current() else {
        if !crate::lifecycle::init::is_initialized() {
            return Err(PyStatus::error_in(c"Py_NewInterpreterFromConfig", c"Py_Initialize must be called first"));
        }
        fatal::fatal_error(function, "no thread state is attached");
    };
    let mut made = core::ptr::null_mut();
    let status = status_of(|| subinterp::create(ts, settings).map(|state| made = state.as_ptr()));
    if status.is_ok() { Ok(made) } else { Err(status) }
}

/// Makes a sub-interpreter that shares GIL and heap of the main one, and attaches its first state; null, with the
/// caller's state attached, when that fails. Not initialized: the process ends.
///
/// # Safety
///
/// A thread state is attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_NewInterpreter() -> *mut ThreadState {
    match new_interpreter("Py_NewInterpreter", &Settings::new(InterpreterConfig::LEGACY, Whence::LegacyCApi)) {
        Ok(state) => state,
        Err(status) if ThreadState::try_current().is_none() => super::status::Py_ExitStatusException(status),
        Err(_) => core::ptr::null_mut(),
    }
}

/// Makes a sub-interpreter and attaches its first state, which is stored. With a GIL of its own, the caller's is let
/// go. An error status, with null stored and the caller's state attached, when the configuration contradicts itself or
/// something fails.
///
/// # Safety
///
/// `place` is a place for a thread state, `config` is readable or null; a thread state is attached.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_NewInterpreterFromConfig(
    place: *mut *mut ThreadState,
    config: *const InterpreterConfig,
) -> PyStatus {
    // SAFETY: as promised.
    unsafe { place.write(core::ptr::null_mut()) };
    // SAFETY: as promised.
    let Some(config) = (unsafe { config.as_ref() }) else {
        return PyStatus::error_in(c"Py_NewInterpreterFromConfig", c"the configuration is NULL");
    };
    match new_interpreter("Py_NewInterpreterFromConfig", &Settings::new(*config, Whence::CApi)) {
        Ok(state) => {
            // SAFETY: as promised.
            unsafe { place.write(state) };
            PyStatus::ok()
        }
        Err(status) => status,
    }
}

/// `Hog_MemoryLimit`.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(missing_docs, reason = "described in the header")]
pub struct CMemoryLimit {
    pub soft: usize,
    pub hard: usize,
}

/// `Hog_InterpreterConfig`. Fields are only ever added at the end.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(missing_docs, reason = "described in the header")]
pub struct CInterpreterConfig {
    pub size: usize,
    pub python: InterpreterConfig,
    pub allocator: c_int,
    pub heap: CMemoryLimit,
    pub mem: CMemoryLimit,
    pub obj: CMemoryLimit,
}

impl CMemoryLimit {
    const NONE: CMemoryLimit = CMemoryLimit { soft: NO_LIMIT, hard: NO_LIMIT };

    fn limit(self) -> Limit {
        let bytes = |bytes: usize| (bytes != NO_LIMIT).then_some(bytes);
        Limit { soft: bytes(self.soft), hard: bytes(self.hard) }
    }
}

/// Fills in a configuration of an interpreter that shares nothing, has the process's allocator and no limits.
///
/// # Safety
///
/// `config` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Hog_InterpreterConfig_Init(config: *mut CInterpreterConfig) {
    // SAFETY: as promised.
    unsafe {
        config.write(CInterpreterConfig {
            size: size_of::<CInterpreterConfig>(),
            python: InterpreterConfig::ISOLATED,
            allocator: AllocatorName::NotSet as c_int,
            heap: CMemoryLimit::NONE,
            mem: CMemoryLimit::NONE,
            obj: CMemoryLimit::NONE,
        });
    }
}

/// [`Py_NewInterpreterFromConfig`] for an interpreter whose heap has an allocator and limits of its own. These hold
/// from the start: one that is too small for what an interpreter begins with is an error status.
///
/// # Safety
///
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Hog_NewInterpreter(
    place: *mut *mut ThreadState,
    config: *const CInterpreterConfig,
) -> PyStatus {
    const STEP: &core::ffi::CStr = c"Hog_NewInterpreter";
    // SAFETY: as promised.
    unsafe { place.write(core::ptr::null_mut()) };
    // SAFETY: as promised.
    let Some(config) = (unsafe { config.as_ref() }) else {
        return PyStatus::error_in(STEP, c"the configuration is NULL");
    };
    if config.size != size_of::<CInterpreterConfig>() {
        return PyStatus::error_in(STEP, c"the configuration was not set up by Hog_InterpreterConfig_Init");
    }
    let allocator = match AllocatorName::from_i32(config.allocator) {
        Ok(AllocatorName::NotSet) => None,
        Ok(name) => Some(name),
        Err(_) => return PyStatus::error_in(STEP, c"there is no such allocator"),
    };
    let limits = [config.heap.limit(), config.mem.limit(), config.obj.limit()];
    let settings = Settings { python: config.python, allocator, limits, whence: Whence::CApi };
    match new_interpreter("Hog_NewInterpreter", &settings) {
        Ok(state) => {
            // SAFETY: as promised.
            unsafe { place.write(state) };
            PyStatus::ok()
        }
        Err(status) => status,
    }
}

/// Ends a sub-interpreter with all its thread states; no state is attached and no GIL held afterwards. Fatal error for
/// another state than the attached one, for one in which code runs, and for the main interpreter.
///
/// # Safety
///
/// Nothing of the interpreter is used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_EndInterpreter(ts: *mut ThreadState) {
    let Some(current) = ThreadState::try_current().filter(|current| core::ptr::eq(*current, ts)) else {
        fatal::fatal_error("Py_EndInterpreter", "thread is not current");
    };
    if current.interp().is_main() {
        fatal::fatal_error("Py_EndInterpreter", "the main interpreter is ended by Py_FinalizeEx");
    }
    if !current.frame.get().is_null() {
        fatal::fatal_error("Py_EndInterpreter", "thread still has a frame");
    }
    subinterp::end(current);
}

// Fatal errors.

/// Reports a fatal error and aborts.
///
/// # Safety
///
/// `message` is a C string or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_FatalError(message: *const c_char) -> ! {
    // SAFETY: as promised.
    unsafe { fatal::fatal_error_c(core::ptr::null(), message) }
}

/// The same with the name of the function: what the macro `Py_FatalError` calls.
///
/// # Safety
///
/// Both are C strings or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_FatalErrorFunc(function: *const c_char, message: *const c_char) -> ! {
    // SAFETY: as promised.
    unsafe { fatal::fatal_error_c(function, message) }
}

// What this is.

/// `PY_VERSION_HEX`.
#[unsafe(no_mangle)]
pub static Py_Version: core::ffi::c_ulong = 0x030E_00F0;

/// `sys.version`.
#[unsafe(no_mangle)]
pub extern "C" fn Py_GetVersion() -> *const c_char {
    const LEN: usize = crate::modules::sys::VERSION.len();
    static TEXT: [u8; LEN + 1] = {
        let mut text = [0; LEN + 1];
        let bytes = crate::modules::sys::VERSION.as_bytes();
        let mut index = 0;
        while index < LEN {
            text[index] = bytes[index];
            index += 1;
        }
        text
    };
    TEXT.as_ptr().cast()
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $(
            $(#[$doc])*
            #[unsafe(no_mangle)]
            pub extern "C" fn $name() -> *const c_char {
                let text: &'static core::ffi::CStr = $text;
                text.as_ptr()
            }
        )*
    };
}

texts! {
    /// `sys.platform`.
    Py_GetPlatform = c"linux";
    /// Who made this.
    Py_GetCopyright = c"Copyright (c) the Hognose authors.";
    /// The compiler's part of `sys.version`.
    Py_GetCompiler = c"[Rust]";
    /// The build's part of `sys.version`.
    Py_GetBuildInfo = c"main, Jan  1 2026, 00:00:00";
}

/// A text of the main interpreter's configuration, or null.
fn config_text(pick: impl FnOnce(&PyConfig) -> &WideString) -> *const WChar {
    // SAFETY: the main interpreter lives while the pointer is set.
    match unsafe { Runtime::get().main_interpreter.load(Ordering::Acquire).as_ref() } {
        Some(interp) => pick(interp.config()).get().map_or(core::ptr::null(), <[WChar]>::as_ptr),
        None => core::ptr::null(),
    }
}

/// `sys.executable`'s short form. Deprecated: `PyConfig_Get("executable")`.
#[unsafe(no_mangle)]
pub extern "C" fn Py_GetProgramName() -> *const WChar {
    config_text(|config| &config.program_name)
}

/// `sys.executable`. Deprecated.
#[unsafe(no_mangle)]
pub extern "C" fn Py_GetProgramFullPath() -> *const WChar {
    config_text(|config| &config.executable)
}

/// `sys.prefix`. Deprecated.
#[unsafe(no_mangle)]
pub extern "C" fn Py_GetPrefix() -> *const WChar {
    config_text(|config| &config.prefix)
}

/// `sys.exec_prefix`. Deprecated.
#[unsafe(no_mangle)]
pub extern "C" fn Py_GetExecPrefix() -> *const WChar {
    config_text(|config| &config.exec_prefix)
}

/// The home that was configured. Deprecated.
#[unsafe(no_mangle)]
pub extern "C" fn Py_GetPythonHome() -> *const WChar {
    config_text(|config| &config.home)
}

// Texts of the operating system.

/// Decodes a text of the system into memory of the raw domain; null when that fails, with `*size` set to
/// `(size_t)-1` for memory and `(size_t)-2` for the text.
///
/// # Safety
///
/// `text` is a C string; `size` is null or a place.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_DecodeLocale(text: *const c_char, size: *mut usize) -> *mut WChar {
    // SAFETY: as promised.
    let bytes = unsafe { core::ffi::CStr::from_ptr(text) }.to_bytes();
    let (result, len) = match config::locale::decode(bytes) {
        Ok(wide) => {
            let pointer = wide.as_slice().as_ptr().cast_mut();
            let len = wide.as_slice().len();
            // The caller frees it.
            core::mem::forget(wide);
            (pointer, len)
        }
        Err(_) => (core::ptr::null_mut(), usize::MAX),
    };
    // SAFETY: as promised.
    if let Some(size) = unsafe { size.as_mut() } {
        *size = len;
    }
    result
}

/// Encodes a wide text for the system into memory of the mem domain; null when that fails, with the place of
/// the character that has no encoding.
///
/// # Safety
///
/// `text` is a wide string; `error_at` is null or a place.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_EncodeLocale(text: *const WChar, error_at: *mut usize) -> *mut c_char {
    // SAFETY: as promised.
    let units = unsafe { core::slice::from_raw_parts(text, config::strings::wide_length(text)) };
    let mut at = usize::MAX;
    let result = match config::locale::encode(units) {
        Ok(bytes) => {
            let bytes = bytes.as_slice();
            let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
            let block = hognose_allocators::malloc(hognose_allocators::Domain::Mem, bytes.len() + 1).cast::<u8>();
            if !block.is_null() {
                // SAFETY: the block has room for the text and a NUL.
                unsafe {
                    core::ptr::copy_nonoverlapping(bytes.as_ptr(), block, bytes.len());
                    block.add(bytes.len()).write(0);
                }
            }
            block.cast()
        }
        Err(config::locale::EncodeError::Character(index)) => {
            at = index;
            core::ptr::null_mut()
        }
        Err(_) => core::ptr::null_mut(),
    };
    // SAFETY: as promised.
    if let Some(error_at) = unsafe { error_at.as_mut() } {
        *error_at = at;
    }
    result
}

/// The arguments that the process was started with, as `sys.orig_argv` has them: borrowed from the configuration.
///
/// # Safety
///
/// Both are places.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_GetArgcArgv(argc: *mut c_int, argv: *mut *mut *mut WChar) {
    // SAFETY: the main interpreter lives while the pointer is set; the places are the caller's. A wide string is
    // a transparent pointer.
    unsafe {
        match Runtime::get().main_interpreter.load(Ordering::Acquire).as_ref() {
            Some(interp) => {
                let list = interp.config().orig_argv.as_slice();
                argc.write(list.len() as c_int);
                argv.write(list.as_ptr().cast_mut().cast());
            }
            None => {
                argc.write(0);
                argv.write(core::ptr::null_mut());
            }
        }
    }
}

/// Whether a file descriptor is open.
#[unsafe(no_mangle)]
pub extern "C" fn _Py_IsValidFD(fd: c_int) -> c_int {
    // SAFETY: the call only looks.
    c_int::from(fd >= 0 && unsafe { libc::fcntl(fd, libc::F_GETFD) } >= 0)
}
