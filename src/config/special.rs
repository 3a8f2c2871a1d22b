//! Options whose values have a grammar of their own: one function for each, named by its row in the table.
//!
//! A value that the embedder decided is kept. Otherwise the `-X` option wins over the environment, and a bad
//! value of either is an error whichever of them wins.

use core::ffi::{CStr, c_int};

use hognose_allocators::{Raw, TryVec};

use super::args::Text;
use super::layout::PyConfig;
use super::locale;
use super::read::Reading;
use super::status::{PyStatus, StatusResult};
use super::strings::WideString;
use crate::lifecycle::pressure;

/// The value of `key`, if given by `-X`: `Some(None)` without `=value`.
fn x_value<'a>(config: &'a PyConfig, key: &str) -> Option<Option<Text<'a>>> {
    config.xoption(key).map(|value| value.map(Text::Wide))
}

/// Reads an int from environment and option, both by `parse`; `None` from it is the error.
fn read_int(
    reading: &Reading<'_>,
    config: &PyConfig,
    (variable, variable_error): (&CStr, PyStatus),
    (key, key_error): (&str, PyStatus),
    parse: impl Fn(Option<Text<'_>>) -> Option<c_int>,
) -> StatusResult<Option<c_int>> {
    let from_env =
        reading.env.with(variable, |text| parse(Some(Text::Bytes(text))).ok_or(variable_error)).transpose()?;
    let from_option = x_value(config, key).map(|value| parse(value).ok_or(key_error)).transpose()?;
    Ok(from_option.or(from_env))
}

pub(super) fn hash_seed(reading: &mut Reading<'_>, config: &mut PyConfig) -> StatusResult {
    if config.use_hash_seed >= 0 {
        return Ok(());
    }
    let seed = reading.env.with(c"PYTHONHASHSEED", |text| {
        if text == b"random" {
            return Ok(None);
        }
        match Text::Bytes(text).number() {
            Some(seed) if u32::try_from(seed).is_ok() => Ok(Some(seed)),
            _ => Err(PyStatus::error_in(
                c"config_init_hash_seed",
                c"PYTHONHASHSEED must be \"random\" or an integer in range [0; 4294967295]",
            )),
        }
    });
    config.use_hash_seed = 0;
    config.hash_seed = 0;
    if let Some(seed) = seed.transpose()?.flatten() {
        config.use_hash_seed = 1;
        config.hash_seed = seed as _;
    }
    Ok(())
}

pub(super) fn tracemalloc(reading: &mut Reading<'_>, config: &mut PyConfig) -> StatusResult {
    const FUNC: &CStr = c"config_init_tracemalloc";
    if config.tracemalloc < 0 {
        let frames = read_int(
            reading,
            config,
            (c"PYTHONTRACEMALLOC", PyStatus::error_in(FUNC, c"PYTHONTRACEMALLOC: invalid number of frames")),
            ("tracemalloc", PyStatus::error_in(FUNC, c"-X tracemalloc=NFRAME: invalid number of frames")),
            |value| value.map_or(Some(1), Text::int).filter(|&frames| frames >= 0),
        )?;
        config.tracemalloc = frames.unwrap_or(config.tracemalloc);
    }
    Ok(())
}

/// Checks `-X memlimit`. The environment's value becomes such an option, unless there is one: the options
/// go with the configuration to where the heap is made.
pub(super) fn memory_limit(reading: &mut Reading<'_>, config: &mut PyConfig) -> StatusResult {
    const FUNC: &CStr = c"config_init_memory_limit";
    const BAD_VARIABLE: PyStatus = PyStatus::error_in(
        FUNC,
        c"PYTHONMEMLIMIT=[SOFT:]HARD: a size is a positive number of bytes, with K, M, G or T for units of 1024, \
          and SOFT is not above HARD",
    );
    let given = reading.env.text(c"PYTHONMEMLIMIT")?;
    if let Some(text) = &given
        && pressure::parse(Text::Wide(text.as_slice())).is_none()
    {
        return Err(BAD_VARIABLE);
    }
    match x_value(config, "memlimit") {
        Some(value) if value.and_then(pressure::parse).is_none() => Err(pressure::BAD_OPTION),
        Some(_) => Ok(()),
        None => match given {
            Some(text) => {
                let mut option = TryVec::<u32, Raw>::new_in(Raw);
                option.try_extend("memlimit=".bytes().map(u32::from))?;
                option.try_extend_from_slice(text.as_slice())?;
                Ok(config.xoptions.push(WideString::copy_of(&option)?)?)
            }
            None => Ok(()),
        },
    }
}

pub(super) fn perf_profiling(reading: &mut Reading<'_>, config: &mut PyConfig) -> StatusResult {
    if config.perf_profiling < 0 {
        let env = |name| reading.env.with(name, |text| text == b"1") == Some(true);
        if config.xoption("perf_jit").is_some() {
            config.perf_profiling = 2;
        } else if config.xoption("perf").is_some() {
            config.perf_profiling = 1;
        } else if env(c"PYTHON_PERF_JIT_SUPPORT") {
            config.perf_profiling = 2;
        } else if env(c"PYTHONPERFSUPPORT") {
            config.perf_profiling = 1;
        }
    }
    Ok(())
}

pub(super) fn import_time(reading: &mut Reading<'_>, config: &mut PyConfig) -> StatusResult {
    const FUNC: &CStr = c"config_init_import_time";
    if config.import_time == 0 {
        let level = read_int(
            reading,
            config,
            (
                c"PYTHONPROFILEIMPORTTIME",
                PyStatus::error_in(
                    FUNC,
                    c"PYTHONPROFILEIMPORTTIME: values other than 1 and 2 are reserved for future use.",
                ),
            ),
            (
                "importtime",
                PyStatus::error_in(FUNC, c"-X importtime: values other than 1 and 2 are reserved for future use."),
            ),
            |value| value.map_or(Some(1), Text::int).filter(|level| matches!(level, 1 | 2)),
        )?;
        config.import_time = level.unwrap_or(0);
    }
    Ok(())
}

pub(super) fn pycache_prefix(reading: &mut Reading<'_>, config: &mut PyConfig) -> StatusResult {
    if config.pycache_prefix.is_null() {
        config.pycache_prefix = match x_value(config, "pycache_prefix") {
            Some(Some(path)) if !path.is_empty() => path.decode()?,
            // The option without a path hides the variable.
            Some(_) => WideString::null(),
            None => reading.env.text(c"PYTHONPYCACHEPREFIX")?.unwrap_or_default(),
        };
    }
    Ok(())
}

pub(super) fn filesystem_encoding(reading: &mut Reading<'_>, config: &mut PyConfig) -> StatusResult {
    if config.filesystem_encoding.is_null() {
        config.filesystem_encoding = default_encoding(reading)?;
    }
    if config.filesystem_errors.is_null() {
        config.filesystem_errors = WideString::from_text("surrogateescape")?;
    }
    Ok(())
}

fn default_encoding(reading: &Reading<'_>) -> StatusResult<WideString> {
    if reading.pre.utf8_mode > 0 {
        return Ok(WideString::from_text("utf-8")?);
    }
    Ok(locale::encoding_name(reading.ctype)?)
}

pub(super) fn stdio_encoding(reading: &mut Reading<'_>, config: &mut PyConfig) -> StatusResult {
    if let Some(text) = reading.env.text(c"PYTHONIOENCODING")? {
        let text = text.as_slice();
        let colon = text.iter().position(|&unit| unit == u32::from(b':'));
        let encoding = &text[..colon.unwrap_or(text.len())];
        let errors = colon.map(|at| &text[at + 1..]).filter(|errors| !errors.is_empty());
        if config.stdio_encoding.is_null() && !encoding.is_empty() {
            config.stdio_encoding = WideString::copy_of(encoding)?;
            if config.stdio_errors.is_null() && errors.is_none() {
                config.stdio_errors = WideString::from_text("strict")?;
            }
        }
        if config.stdio_errors.is_null()
            && let Some(errors) = errors
        {
            config.stdio_errors = WideString::copy_of(errors)?;
        }
    }
    if config.stdio_encoding.is_null() {
        config.stdio_encoding = default_encoding(reading)?;
    }
    if config.stdio_errors.is_null() {
        let permissive = reading.pre.utf8_mode > 0 || locale::is_permissive(&reading.ctype.name());
        config.stdio_errors = WideString::from_text(if permissive { "surrogateescape" } else { "strict" })?;
    }
    Ok(())
}

pub(super) fn check_hash_pycs_mode(_: &mut Reading<'_>, config: &mut PyConfig) -> StatusResult {
    if config.check_hash_pycs_mode.is_null() {
        config.check_hash_pycs_mode = WideString::from_text("default")?;
    }
    Ok(())
}

pub(super) fn use_frozen_modules(reading: &mut Reading<'_>, config: &mut PyConfig) -> StatusResult {
    let value = read_int(
        reading,
        config,
        (
            c"PYTHON_FROZEN_MODULES",
            PyStatus::error(c"bad value for PYTHON_FROZEN_MODULES (expected \"on\" or \"off\")"),
        ),
        ("frozen_modules", PyStatus::error(c"bad value for option -X frozen_modules (expected \"on\" or \"off\")")),
        |value| match value {
            None => Some(1),
            Some(text) if text.is("on") => Some(1),
            Some(text) if text.is("off") => Some(0),
            Some(_) => None,
        },
    )?;
    config.use_frozen_modules = value.unwrap_or(config.use_frozen_modules);
    Ok(())
}

pub(super) fn int_max_str_digits(reading: &mut Reading<'_>, config: &mut PyConfig) -> StatusResult {
    const FUNC: &CStr = c"config_init_int_max_str_digits";
    if config.int_max_str_digits < 0 {
        let digits = read_int(
            reading,
            config,
            (
                c"PYTHONINTMAXSTRDIGITS",
                PyStatus::error_in(FUNC, c"PYTHONINTMAXSTRDIGITS: invalid limit; must be >= 640 or 0 for unlimited."),
            ),
            (
                "int_max_str_digits",
                PyStatus::error_in(FUNC, c"-X int_max_str_digits: invalid limit; must be >= 640 or 0 for unlimited."),
            ),
            |value| value?.int().filter(|&digits| digits == 0 || digits >= 640),
        )?;
        config.int_max_str_digits = digits.unwrap_or(config.int_max_str_digits);
    }
    Ok(())
}

fn zero_or_one(value: Option<Text<'_>>) -> Option<c_int> {
    value?.int().filter(|value| matches!(value, 0 | 1))
}

pub(super) fn thread_inherit_context(reading: &mut Reading<'_>, config: &mut PyConfig) -> StatusResult {
    if config.thread_inherit_context < 0 {
        let value = read_int(
            reading,
            config,
            (
                c"PYTHON_THREAD_INHERIT_CONTEXT",
                PyStatus::error(c"PYTHON_THREAD_INHERIT_CONTEXT must be \"0\" or \"1\""),
            ),
            ("thread_inherit_context", PyStatus::error(c"-X thread_inherit_context must be \"0\" or \"1\"")),
            zero_or_one,
        )?;
        config.thread_inherit_context = value.unwrap_or(-1);
    }
    Ok(())
}

pub(super) fn context_aware_warnings(reading: &mut Reading<'_>, config: &mut PyConfig) -> StatusResult {
    if config.context_aware_warnings < 0 {
        let value = read_int(
            reading,
            config,
            (
                c"PYTHON_CONTEXT_AWARE_WARNINGS",
                PyStatus::error(c"PYTHON_CONTEXT_AWARE_WARNINGS must be \"0\" or \"1\""),
            ),
            ("context_aware_warnings", PyStatus::error(c"-X context_aware_warnings must be \"0\" or \"1\"")),
            zero_or_one,
        )?;
        config.context_aware_warnings = value.unwrap_or(-1);
    }
    Ok(())
}

pub(super) fn cpu_count(reading: &mut Reading<'_>, config: &mut PyConfig) -> StatusResult {
    const BAD: PyStatus = PyStatus::error_in(
        c"config_init_cpu_count",
        c"-X cpu_count=n option: n is missing or an invalid number, n must be greater than 0",
    );
    if config.cpu_count < 0 {
        let count = read_int(reading, config, (c"PYTHON_CPU_COUNT", BAD), ("cpu_count", BAD), |value| {
            let value = value?;
            if value.is("default") { Some(-1) } else { value.int().filter(|&count| count >= 1) }
        })?;
        config.cpu_count = count.unwrap_or(-1);
    }
    Ok(())
}

/// There is a GIL always, so this option has no field; it can only be confirmed.
pub(super) fn check_gil(reading: &Reading<'_>, config: &PyConfig) -> StatusResult {
    const FUNC: &CStr = c"config_read_gil";
    const BAD: PyStatus = PyStatus::error_in(FUNC, c"PYTHON_GIL / -X gil must be \"0\" or \"1\"");
    match read_int(reading, config, (c"PYTHON_GIL", BAD), ("gil", BAD), |value| match value? {
        text if text.is("0") => Some(0),
        text if text.is("1") => Some(1),
        _ => None,
    })? {
        Some(0) => Err(PyStatus::error_in(FUNC, c"Disabling the GIL is not supported by this build")),
        _ => Ok(()),
    }
}
