//! Pre-initialization: allocator, `LC_CTYPE` and UTF-8 mode, before anything is decoded or allocated.
//!
//! ```text
//!   given fields ─> globals (compat) ─> -I -E -X ─> environment ─> locale ─> effective values
//!                                                                            │
//!                          allocator installed, locale set, globals written <┘
//! ```
//!
//! Reading leaves the process as it was, but for `LC_CTYPE`, which is put back when reading fails; so a failed
//! pre-initialization may be repeated with other values.

use core::ffi::{CStr, c_int};
use core::fmt::Write;
use core::sync::atomic::Ordering;

use hognose_allocators::{self as allocators, AllocatorName, guard};

use super::args::{Args, Found, Scanner, Text};
use super::env::Environment;
use super::layout::{ConfigKind, PyConfig, PyPreConfig};
use super::legacy;
use super::locale::{self, COERCION_TARGETS, CType, Name, ProcessCType};
use super::output::{Lossy, Output};
use super::status::{PyStatus, StatusResult};
use super::table::{Field, OPTIONS};
use crate::state::Runtime;
use crate::sync::{Guard, Locked, RawLock};

/// The effective values, from a successful pre-initialization on.
static EFFECTIVE: Locked<Option<PyPreConfig>> = Locked::new(None);

fn effective() -> Guard<'static, Option<PyPreConfig>> {
    EFFECTIVE.lock()
}

/// The lock of the effective values, for the time of a fork.
pub(crate) fn lock() -> &'static RawLock {
    &EFFECTIVE.lock
}

/// The effective pre-configuration; `None` before pre-initialization.
pub fn preinitialized() -> Option<PyPreConfig> {
    *effective()
}

/// Whether UTF-8 mode is on: then the locale is asked for no encoding.
pub fn utf8_mode() -> bool {
    preinitialized().is_some_and(|config| config.utf8_mode > 0)
}

/// Makes a later initialization pre-initialize again; called last in finalization.
///
/// The locale and the allocator stay as they are, like in CPython.
pub fn forget_preinitialization() {
    *effective() = None;
}

/// Pre-initializes from `config` and, when it says so, from the command line. Later calls do nothing.
///
/// Errors: a bad value in the environment or the arguments, or an unknown allocator. After an error Python
/// is not pre-initialized and the call may be repeated.
pub fn preinitialize(config: &PyPreConfig, args: Args<'_>) -> StatusResult {
    let mut effective = effective();
    if effective.is_none() {
        let mut config = *config;
        let mut ctype = ProcessCType;
        let before = ctype.name();
        let result = config.read(args, &Environment::Process, &mut ctype).and_then(|()| config.install_allocator());
        if result.is_err() && before != Name::EMPTY {
            ctype.set(before.as_c_str());
        }
        result?;
        config.apply_locale(&Environment::Process, &mut ctype);
        legacy::store_pre(&config);
        *effective = Some(config);
        Runtime::get().preinitialized.store(true, Ordering::Release);
    }
    Ok(())
}

/// Pre-initializes as the kind and the first fields of `config` say.
pub fn preinitialize_for(config: &PyConfig, args: Args<'_>) -> StatusResult {
    if preinitialized().is_some() {
        return Ok(());
    }
    preinitialize(&PyPreConfig::from_config(config), args)
}

impl PyPreConfig {
    /// The defaults of a kind.
    pub fn new(kind: ConfigKind) -> Self {
        let mut config = Self {
            _config_init: kind as c_int,
            parse_argv: 0,
            isolated: 0,
            use_environment: 0,
            configure_locale: 0,
            coerce_c_locale: 0,
            coerce_c_locale_warn: 0,
            utf8_mode: 0,
            dev_mode: 0,
            allocator: AllocatorName::NotSet as c_int,
        };
        for row in &OPTIONS {
            let default = row.defaults[kind.column()];
            match row.name {
                "parse_argv" => config.parse_argv = default,
                "isolated" => config.isolated = default,
                "use_environment" => config.use_environment = default,
                "dev_mode" => config.dev_mode = default,
                _ => {
                    if let Field::Pre(_, field) = row.field {
                        *field(&mut config) = default;
                    }
                }
            }
        }
        config
    }

    /// What `config` asks of pre-initialization: the kind's defaults under the fields that both have.
    pub fn from_config(config: &PyConfig) -> Self {
        let kind = ConfigKind::from_init(config._config_init).unwrap_or(ConfigKind::Isolated);
        let mut own = Self::new(kind);
        own.parse_argv = config.parse_argv;
        for (to, from) in [
            (&mut own.isolated, config.isolated),
            (&mut own.use_environment, config.use_environment),
            (&mut own.dev_mode, config.dev_mode),
        ] {
            if from >= 0 {
                *to = from;
            }
        }
        own
    }

    /// Replaces undecided fields by effective values. Sets `ctype` to the user's locale when
    /// `configure_locale` says so, because the decisions depend on it; coerces nothing yet.
    pub fn read(&mut self, args: Args<'_>, env: &Environment<'_>, ctype: &mut dyn CType) -> StatusResult {
        if self._config_init == ConfigKind::Compat as c_int {
            legacy::load_pre(self);
        }
        if self.configure_locale > 0 {
            // When the environment names a locale that does not exist, the present one stays.
            ctype.set(c"");
        }
        let options = self.scan(args);
        if self.isolated > 0 {
            self.use_environment = 0;
        }
        let env = if self.use_environment == 0 { &Environment::Empty } else { env };

        if self.dev_mode < 0 && (options.dev || env.has(c"PYTHONDEVMODE")) {
            self.dev_mode = 1;
        }
        self.read_coercion(env, ctype);
        self.read_utf8_mode(options.utf8, env, ctype)?;
        read_guard(options.guard_rate, env)?;
        self.read_allocator(env)?;
        for field in [&mut self.isolated, &mut self.dev_mode, &mut self.coerce_c_locale_warn] {
            *field = (*field).max(0);
        }
        if self.use_environment < 0 {
            self.use_environment = 1;
        }
        Ok(())
    }

    /// Looks for the few options that matter now. Wrong ones are left to the full parser.
    fn scan<'a>(&mut self, args: Args<'a>) -> PreOptions<'a> {
        let mut options = PreOptions { dev: false, utf8: None, guard_rate: None };
        if self.parse_argv == 0 {
            return options;
        }
        for found in Scanner::new(args) {
            match found {
                Found::Letter(b'E') => self.use_environment = 0,
                Found::Letter(b'I') => self.isolated = 1,
                Found::Argument(b'X', text) => {
                    let (key, _) = text.split_value();
                    if key.is("dev") {
                        options.dev = true;
                    } else if key.is("utf8") && options.utf8.is_none() {
                        options.utf8 = Some(text);
                    } else if key.is("guard_rate") {
                        options.guard_rate = Some(text);
                    }
                }
                _ => {}
            }
        }
        options
    }

    /// PEP 540. The C and POSIX locales switch the mode on: what they decode is no use to anybody.
    fn read_utf8_mode(&mut self, option: Option<Text<'_>>, env: &Environment<'_>, ctype: &dyn CType) -> StatusResult {
        const FUNC: &CStr = c"preconfig_init_utf8_mode";
        if self.utf8_mode >= 0 {
            return Ok(());
        }
        if let Some(option) = option {
            self.utf8_mode = match option.split_value().1 {
                None => 1,
                Some(value) if value.is("1") => 1,
                Some(value) if value.is("0") => 0,
                Some(_) => return Err(PyStatus::error_in(FUNC, c"invalid -X utf8 option value")),
            };
            return Ok(());
        }
        let value = env.with(c"PYTHONUTF8", |text| match text {
            b"0" => Ok(0),
            b"1" => Ok(1),
            _ => Err(PyStatus::error_in(FUNC, c"invalid PYTHONUTF8 environment variable value")),
        });
        self.utf8_mode = match value {
            Some(value) => value?,
            None => locale::is_c(&ctype.name()).into(),
        };
        Ok(())
    }

    /// PEP 538: 1 is "if the locale is C", which becomes 2, "yes", or 0. `LC_ALL` forbids it, because it
    /// would hide `LC_CTYPE` from child processes.
    fn read_coercion(&mut self, env: &Environment<'_>, ctype: &dyn CType) {
        if self.configure_locale == 0 {
            self.coerce_c_locale = 0;
            self.coerce_c_locale_warn = 0;
            return;
        }
        let (mut coerce, mut warn) = (1, 0);
        env.with(c"PYTHONCOERCECLOCALE", |text| match text {
            b"0" => coerce = 0,
            b"warn" => warn = 1,
            _ => {}
        });
        if self.coerce_c_locale < 0 {
            self.coerce_c_locale = coerce;
        }
        if self.coerce_c_locale_warn < 0 {
            self.coerce_c_locale_warn = warn;
        }
        if self.coerce_c_locale == 1 {
            let replaceable = ctype.name().as_bytes() == b"C";
            self.coerce_c_locale = if replaceable { 2 } else { 0 };
        }
    }

    /// In this order: the field, `PYTHONMALLOC`, development mode, and else what is installed.
    fn read_allocator(&mut self, env: &Environment<'_>) -> StatusResult {
        if self.allocator != AllocatorName::NotSet as c_int {
            return Ok(());
        }
        let named = env.with(c"PYTHONMALLOC", |text| {
            if text == b"?" {
                // Writing to `Output` cannot fail.
                let _ = AllocatorName::write_list(&mut Output::stdout());
                return Err(PyStatus::exit(0));
            }
            AllocatorName::parse(text)
                .map_err(|error| PyStatus::error_in(c"preconfig_init_allocator", error.as_c_str()))
        });
        if let Some(named) = named {
            self.allocator = named? as c_int;
        } else if self.dev_mode > 0 {
            self.allocator = AllocatorName::Debug as c_int;
        }
        Ok(())
    }

    fn install_allocator(&self) -> StatusResult {
        AllocatorName::from_i32(self.allocator)
            .and_then(allocators::select)
            .map_err(|error| PyStatus::error_in(c"_PyPreConfig_Write", error.as_c_str()))
    }

    /// Replaces the C locale by the first target that exists, when that was decided.
    fn apply_locale(&mut self, env: &Environment<'_>, ctype: &mut dyn CType) {
        // The user's LC_ALL counts even when PYTHON* variables do not.
        if self.coerce_c_locale != 2 || env.has(c"LC_ALL") {
            if self.coerce_c_locale == 2 {
                self.coerce_c_locale = 0;
            }
            return;
        }
        for target in COERCION_TARGETS {
            if ctype.set(target) && ctype.codeset() != Name::EMPTY {
                ctype.export(target);
                if self.coerce_c_locale_warn > 0 {
                    warn_of_coercion(target);
                }
                return;
            }
        }
        // No target exists: the locale stays C, and UTF-8 mode, if on, does the rest.
        ctype.set(c"");
    }
}

/// How often `guard` samples, and how many blocks: `-X guard_rate=RATE[:SLOTS]`, else `PYTHONMALLOCGUARD`.
fn read_guard(option: Option<Text<'_>>, env: &Environment<'_>) -> StatusResult {
    const FUNC: &CStr = c"preconfig_init_guard";
    let set = |text: &[u8], message: &'static CStr| match guard::parse_options(text) {
        Some((rate, slots)) if guard::set_options(rate, slots) => Ok(()),
        _ => Err(PyStatus::error_in(FUNC, message)),
    };
    if let Some(option) = option {
        const MESSAGE: &CStr = c"-X guard_rate: not RATE or RATE:SLOTS (at least 1, at most 8192 slots)";
        // A longer text is no number that fits.
        let mut digits = [0u8; 40];
        let value = option.split_value().1.filter(|value| value.len() <= digits.len());
        let Some(value) = value else { return Err(PyStatus::error_in(FUNC, MESSAGE)) };
        for (to, unit) in digits.iter_mut().zip(value.units()) {
            *to = u8::try_from(unit).unwrap_or(b'?');
        }
        return set(&digits[..value.len()], MESSAGE);
    }
    const MESSAGE: &CStr = c"PYTHONMALLOCGUARD: not RATE or RATE:SLOTS (at least 1, at most 8192 slots)";
    env.with(c"PYTHONMALLOCGUARD", |text| set(text, MESSAGE)).unwrap_or(Ok(()))
}

struct PreOptions<'a> {
    dev: bool,
    utf8: Option<Text<'a>>,
    guard_rate: Option<Text<'a>>,
}

fn warn_of_coercion(target: &CStr) {
    let mut stderr = Output::stderr();
    // Writing to `Output` cannot fail.
    let _ = writeln!(
        stderr,
        "Python detected LC_CTYPE=C: LC_CTYPE coerced to {} (set another locale or PYTHONCOERCECLOCALE=0 to \
         disable this locale coercion behavior).",
        Lossy(target.to_bytes())
    );
}

#[cfg(test)]
mod tests {
    use super::super::args::BytesArg;
    use super::*;

    /// A system with a few locales, `user` being what its environment names.
    struct Fake {
        user: &'static [u8],
        now: Name,
        exported: Name,
    }

    impl Fake {
        fn new(user: &'static [u8]) -> Self {
            Self { user, now: Name::new(b"C"), exported: Name::EMPTY }
        }
    }

    impl CType for Fake {
        fn name(&self) -> Name {
            self.now
        }

        fn codeset(&self) -> Name {
            let utf8 = self.now.as_bytes().to_ascii_lowercase().ends_with(b"utf-8");
            Name::new(if utf8 { b"UTF-8" } else { b"ANSI_X3.4-1968" })
        }

        fn set(&mut self, name: &CStr) -> bool {
            let name = if name.is_empty() { self.user } else { name.to_bytes() };
            let exists = matches!(name, b"C" | b"POSIX" | b"C.UTF-8" | b"de_DE.UTF-8");
            if exists {
                self.now = Name::new(name);
            }
            exists
        }

        fn export(&mut self, name: &CStr) -> bool {
            self.exported = Name::new(name.to_bytes());
            true
        }
    }

    type Variables<'a> = &'a [(&'a CStr, &'a [u8])];

    fn read(kind: ConfigKind, user: &'static [u8], env: Variables<'_>, args: &[&CStr]) -> StatusResult<PyPreConfig> {
        let args: std::vec::Vec<_> = args.iter().map(|arg| BytesArg::new(arg)).collect();
        let mut config = PyPreConfig::new(kind);
        let mut ctype = Fake::new(user);
        let env = Environment::Fixed(env);
        config.read(Args::Bytes(&args), &env, &mut ctype)?;
        config.apply_locale(&env, &mut ctype);
        assert_eq!(config.coerce_c_locale == 2, ctype.exported != Name::EMPTY);
        Ok(config)
    }

    fn python(user: &'static [u8], env: Variables<'_>, args: &[&CStr]) -> PyPreConfig {
        read(ConfigKind::Python, user, env, args).unwrap()
    }

    fn fields(config: PyPreConfig) -> [c_int; 10] {
        [
            config._config_init,
            config.parse_argv,
            config.isolated,
            config.use_environment,
            config.configure_locale,
            config.coerce_c_locale,
            config.coerce_c_locale_warn,
            config.utf8_mode,
            config.dev_mode,
            config.allocator,
        ]
    }

    #[test]
    fn each_kind_has_its_defaults() {
        assert_eq!(fields(PyPreConfig::new(ConfigKind::Python)), [2, 1, 0, 1, 1, -1, -1, -1, -1, 0]);
        assert_eq!(fields(PyPreConfig::new(ConfigKind::Isolated)), [3, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(fields(PyPreConfig::new(ConfigKind::Compat)), [1, 0, -1, -1, 1, 0, 0, 0, -1, 0]);
    }

    #[test]
    fn the_locale_decides_coercion_and_utf8_mode() {
        let modes = |user, env: Variables<'_>| {
            let config = python(user, env, &[]);
            (config.coerce_c_locale, config.utf8_mode)
        };
        assert_eq!(modes(b"de_DE.UTF-8", &[]), (0, 0));
        assert_eq!(modes(b"C", &[]), (2, 1));
        assert_eq!(modes(b"C", &[(c"LC_ALL", b"C")]), (0, 1));
        assert_eq!(modes(b"POSIX", &[(c"LC_ALL", b"POSIX")]), (0, 1));
        assert_eq!(modes(b"xx_XX", &[(c"LC_ALL", b"xx_XX")]), (0, 1));
        assert_eq!(modes(b"C", &[(c"PYTHONUTF8", b"0")]), (2, 0));
        assert_eq!(modes(b"C", &[(c"PYTHONCOERCECLOCALE", b"0")]), (0, 1));
        assert_eq!(modes(b"de_DE.UTF-8", &[(c"PYTHONUTF8", b"1")]), (0, 1));
    }

    #[test]
    fn an_isolated_configuration_reads_nothing() {
        let env: Variables<'_> = &[(c"PYTHONMALLOC", b"bogus"), (c"PYTHONUTF8", b"x"), (c"PYTHONDEVMODE", b"1")];
        let config = read(ConfigKind::Isolated, b"C", env, &[c"p", c"-Xdev"]).unwrap();
        assert_eq!(fields(config), [3, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn options_win_over_the_environment_and_can_hide_it() {
        let env: Variables<'_> = &[(c"PYTHONMALLOC", b"bogus"), (c"PYTHONUTF8", b"bogus")];
        for option in [c"-E", c"-I"] {
            let config = python(b"de_DE.UTF-8", env, &[c"p", option]);
            assert_eq!((config.use_environment, config.utf8_mode, config.allocator), (0, 0, 0));
        }
        let env: Variables<'_> = &[(c"PYTHONUTF8", b"1")];
        assert_eq!(python(b"C", env, &[c"p", c"-X", c"utf8=0"]).utf8_mode, 0);
        assert_eq!(python(b"de_DE.UTF-8", &[], &[c"p", c"-Xutf8"]).utf8_mode, 1);
        assert_eq!(python(b"de_DE.UTF-8", &[], &[c"p", c"file", c"-Xutf8"]).utf8_mode, 0);
    }

    #[test]
    fn the_allocator_is_named_by_field_environment_or_mode() {
        let allocator = |env: Variables<'_>, args: &[&CStr]| python(b"C", env, args).allocator;
        assert_eq!(allocator(&[(c"PYTHONMALLOC", b"malloc_debug")], &[]), 4);
        assert_eq!(allocator(&[(c"PYTHONMALLOC", b"default")], &[c"p", c"-Xdev"]), 1);
        assert_eq!(allocator(&[], &[c"p", c"-X", c"dev"]), 2);
        assert_eq!(allocator(&[(c"PYTHONDEVMODE", b"0")], &[]), 2);
        let mut config = PyPreConfig::new(ConfigKind::Python);
        config.allocator = 3;
        let env = Environment::Fixed(&[(c"PYTHONMALLOC", b"bogus")]);
        config.read(Args::NONE, &env, &mut Fake::new(b"C")).unwrap();
        assert_eq!(config.allocator, 3);
    }

    #[test]
    fn bad_values_give_the_documented_statuses() {
        const UNKNOWN: &CStr = allocators::SelectError::UnknownName.as_c_str();
        const X_RATE: &CStr = c"-X guard_rate: not RATE or RATE:SLOTS (at least 1, at most 8192 slots)";
        const ENV_RATE: &CStr = c"PYTHONMALLOCGUARD: not RATE or RATE:SLOTS (at least 1, at most 8192 slots)";
        let cases: [(Variables<'_>, &[&CStr], &CStr, &CStr); 7] = [
            (&[(c"PYTHONMALLOCGUARD", b"0")], &[], c"preconfig_init_guard", ENV_RATE),
            (&[], &[c"p", c"-Xguard_rate"], c"preconfig_init_guard", X_RATE),
            (&[], &[c"p", c"-Xguard_rate=5:x"], c"preconfig_init_guard", X_RATE),
            (&[(c"PYTHONMALLOC", b"bogus")], &[], c"preconfig_init_allocator", UNKNOWN),
            (&[(c"PYTHONMALLOC", b"Malloc")], &[], c"preconfig_init_allocator", UNKNOWN),
            (
                &[(c"PYTHONUTF8", b"2")],
                &[],
                c"preconfig_init_utf8_mode",
                c"invalid PYTHONUTF8 environment variable value",
            ),
            (&[], &[c"p", c"-Xutf8=yes"], c"preconfig_init_utf8_mode", c"invalid -X utf8 option value"),
        ];
        for (env, args, func, message) in cases {
            let status = read(ConfigKind::Python, b"C", env, args).unwrap_err();
            assert_eq!((status.func(), status.message()), (Some(func), Some(message)));
        }
    }

    #[test]
    fn a_question_mark_is_answered() {
        let status = read(ConfigKind::Python, b"C", &[(c"PYTHONMALLOC", b"?")], &[]).unwrap_err();
        assert!(status.is_exit() && status.exitcode() == 0);
    }

    #[test]
    fn an_unknown_allocator_number_is_refused() {
        let mut config = PyPreConfig::new(ConfigKind::Isolated);
        config.allocator = 99;
        let status = config.install_allocator().unwrap_err();
        assert_eq!(status.func(), Some(c"_PyPreConfig_Write"));
        assert_eq!(status.message(), Some(c"Unknown PYTHONMALLOC allocator"));
    }

    #[test]
    fn the_fields_that_both_structs_have_are_passed_on() {
        let mut config = PyConfig::new(ConfigKind::Python);
        config.dev_mode = 1;
        config.isolated = 1;
        let pre = PyPreConfig::from_config(&config);
        assert_eq!((pre.dev_mode, pre.isolated, pre.use_environment, pre.utf8_mode), (1, 1, 1, -1));
    }
}
