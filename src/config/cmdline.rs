//! The command line: options into fields, the rest into `argv`.

use core::fmt::{self, Write};
use core::mem;

use super::args::{Args, CHECK_HASH, Found, Scanner};
use super::help;
use super::layout::PyConfig;
use super::output::Output;
use super::status::{PyStatus, StatusResult};
use super::strings::{PyWideStringList, WideString};
use super::table::{Effect, Field, OPTIONS};

/// The exit code of a wrong command line.
const BAD_USAGE: PyStatus = PyStatus::exit(2);

/// The texts that the options ask to print instead of running anything.
#[derive(Default)]
struct Wanted {
    help: bool,
    help_env: bool,
    help_xoptions: bool,
    versions: u32,
}

/// Parses `config.argv`: sets fields, replaces `argv` by what `sys.argv` will be, and adds the filters of `-W`
/// to `warnings`.
///
/// An exit status: a text was printed (code 0) or the command line is wrong (code 2, told on stderr).
pub(super) fn parse(config: &mut PyConfig, warnings: &mut PyWideStringList) -> StatusResult {
    // The fields change while the arguments are read; on failure the arguments go back.
    let mut given = mem::take(&mut config.argv);
    let result = parse_options(config, &given, warnings).and_then(|rest| {
        for _ in 0..rest {
            given.take_first();
        }
        replace_first(config, &mut given)
    });
    config.argv = given;
    result
}

/// Gives the number of arguments that are not for `sys.argv`.
fn parse_options(
    config: &mut PyConfig,
    given: &PyWideStringList,
    warnings: &mut PyWideStringList,
) -> StatusResult<usize> {
    let program = given.as_slice().first();
    let mut scanner = Scanner::new(Args::Wide(given.as_slice()));
    let mut wanted = Wanted::default();
    for found in &mut scanner {
        match found {
            Found::Letter(b'h' | b'?') => wanted.help = true,
            Found::Letter(b'V') => wanted.versions += 1,
            Found::Letter(b'J') => {
                return Err(bad_usage(program, format_args!("-J is reserved for Jython")));
            }
            // Once an option of Python 2, still accepted.
            Found::Letter(b't') => {}
            Found::Letter(letter) => apply(config, letter),
            Found::Argument(b'c', text) => {
                let code = text.decode()?;
                config.run_command = WideString::concat(&[code.as_slice(), &[u32::from(b'\n')]])?;
            }
            Found::Argument(b'm', text) => config.run_module = text.decode()?,
            Found::Argument(b'X', text) => config.xoptions.push(text.decode()?)?,
            Found::Argument(_, text) => warnings.push(text.decode()?)?,
            Found::Long("--help-all") => {
                wanted = Wanted { help: true, help_env: true, help_xoptions: true, ..wanted };
            }
            Found::Long("--help-env") => wanted.help_env = true,
            Found::Long("--help-xoptions") => wanted.help_xoptions = true,
            Found::Long("--version") => wanted.versions += 1,
            Found::Long(_) => wanted.help = true,
            Found::CheckHash(text) => {
                if !["always", "never", "default"].iter().any(|mode| text.is(mode)) {
                    let line = "--check-hash-based-pycs must be one of 'default', 'always', or 'never'";
                    return Err(bad_usage(program, format_args!("{line}")));
                }
                config.check_hash_pycs_mode = text.decode()?;
            }
            Found::MissingArgument(letter) => {
                let letter = char::from(letter);
                return Err(bad_usage(program, format_args!("Argument expected for the -{letter} option")));
            }
            Found::MissingLongArgument(name) => {
                debug_assert_eq!(name, CHECK_HASH);
                return Err(bad_usage(program, format_args!("Argument expected for the {name} options")));
            }
            Found::UnknownLetter(unit) => {
                let letter = char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
                return Err(bad_usage(program, format_args!("Unknown option: -{letter}")));
            }
            Found::UnknownLong(text) => {
                let text = text.decode()?;
                return Err(bad_usage(program, format_args!("unknown option {text}")));
            }
        }
    }
    if wanted.help || wanted.help_env || wanted.help_xoptions || wanted.versions > 0 {
        wanted.print(program);
        return Err(PyStatus::exit(0));
    }
    Ok(scanner.rest())
}

/// Does what the rows with this letter say.
fn apply(config: &mut PyConfig, letter: u8) {
    for row in &OPTIONS {
        if let (Some(flag), Field::Int(_, field)) = (row.flag, row.field)
            && flag.letter == letter
        {
            let field = field(config);
            match flag.effect {
                Effect::Add => *field = field.saturating_add(1),
                Effect::Set(value) => *field = value,
                Effect::Argument(_) => {}
            }
        }
    }
}

/// Makes `rest`, the arguments behind the options, what `sys.argv` will be, and finds the script in it.
fn replace_first(config: &mut PyConfig, rest: &mut PyWideStringList) -> StatusResult {
    let first = if !config.run_command.is_null() {
        "-c"
    } else if !config.run_module.is_null() {
        "-m"
    } else {
        match rest.as_slice().first() {
            Some(script) if !script.is("-") && config.run_filename.is_null() => {
                config.run_filename = script.try_clone()?;
                return Ok(());
            }
            Some(_) => return Ok(()),
            None => "",
        }
    };
    let first = WideString::from_text(first)?;
    rest.insert(0, first.as_slice())
}

fn bad_usage(program: Option<&WideString>, line: fmt::Arguments<'_>) -> PyStatus {
    let mut stderr = Output::stderr();
    // Writing to `Output` cannot fail.
    let _ = writeln!(stderr, "{line}");
    let _ = help::usage(&mut stderr, program);
    let _ = writeln!(stderr, "Try `python -h' for more information.");
    BAD_USAGE
}

impl Wanted {
    fn print(&self, program: Option<&WideString>) {
        let mut stdout = Output::stdout();
        let mut texts = || -> fmt::Result {
            if self.help {
                help::usage(&mut stdout, program)?;
                help::options(&mut stdout)?;
            }
            if self.help_env {
                help::environment(&mut stdout)?;
            }
            if self.help_xoptions {
                help::xoptions(&mut stdout)?;
            }
            if !self.help && !self.help_env && !self.help_xoptions {
                help::version(&mut stdout, self.versions > 1)?;
            }
            Ok(())
        };
        // Writing to `Output` cannot fail.
        let _ = texts();
    }
}

#[cfg(test)]
mod tests {
    use super::super::ConfigKind;
    use super::*;

    fn texts(list: &PyWideStringList) -> std::vec::Vec<std::string::String> {
        list.as_slice().iter().map(|item| std::format!("{item}")).collect()
    }

    fn try_parse(args: &[&str]) -> (PyConfig, PyWideStringList, StatusResult) {
        let mut config = PyConfig::new(ConfigKind::Python);
        for arg in args {
            config.argv.push(WideString::from_text(arg).unwrap()).unwrap();
        }
        let mut warnings = PyWideStringList::new();
        let result = parse(&mut config, &mut warnings);
        (config, warnings, result)
    }

    fn parsed(args: &[&str]) -> PyConfig {
        let (config, _, result) = try_parse(args);
        result.unwrap();
        config
    }

    #[test]
    fn argv_begins_with_what_runs() {
        let argv = |args: &[&str]| texts(&parsed(args).argv);
        assert_eq!(argv(&[]), [""]);
        assert_eq!(argv(&["p"]), [""]);
        assert_eq!(argv(&["p", "-c", "pass", "a", "-b"]), ["-c", "a", "-b"]);
        assert_eq!(argv(&["p", "-m", "mod", "a"]), ["-m", "a"]);
        assert_eq!(argv(&["p", "-", "a"]), ["-", "a"]);
        assert_eq!(argv(&["p", "-q", "script", "a", "-b"]), ["script", "a", "-b"]);
        assert_eq!(argv(&["p", "--", "-x"]), ["-x"]);
    }

    #[test]
    fn what_runs_is_recorded() {
        let config = parsed(&["p", "-cpass"]);
        assert!(config.run_command.is("pass\n") && config.run_filename.is_null());
        let config = parsed(&["p", "-m", "a.b", "x.py"]);
        assert!(config.run_module.is("a.b") && config.run_filename.is_null());
        assert!(parsed(&["p", "x.py"]).run_filename.is("x.py"));
        assert!(parsed(&["p", "-"]).run_filename.is_null());
    }

    #[test]
    fn each_short_option_sets_its_fields() {
        let config = parsed(&["p", "-bbBdEiIOOPqRsStuvvx"]);
        assert_eq!((config.bytes_warning, config.write_bytecode, config.parser_debug), (2, 0, 1));
        assert_eq!((config.use_environment, config.inspect, config.interactive, config.isolated), (0, 1, 1, 1));
        assert_eq!((config.optimization_level, config.safe_path, config.quiet), (2, 1, 1));
        assert_eq!((config.use_hash_seed, config.user_site_directory, config.site_import), (0, 0, 0));
        assert_eq!((config.buffered_stdio, config.verbose, config.skip_source_first_line), (0, 2, 1));
    }

    #[test]
    fn options_with_arguments_are_collected() {
        let (config, warnings, result) =
            try_parse(&["p", "-Xa=1", "-X", "b", "-W", "ignore", "-Werror", "--check-hash-based-pycs", "never"]);
        result.unwrap();
        assert_eq!(texts(&config.xoptions), ["a=1", "b"]);
        assert_eq!(texts(&warnings), ["ignore", "error"]);
        assert!(config.check_hash_pycs_mode.is("never"));
    }

    #[test]
    fn a_wrong_command_line_exits_with_2_and_keeps_argv() {
        let cases: [&[&str]; 9] = [
            &["p", "-Z"],
            &["p", "--bogus"],
            &["p", "-c"],
            &["p", "-m"],
            &["p", "-X"],
            &["p", "-W"],
            &["p", "-J"],
            &["p", "--check-hash-based-pycs"],
            &["p", "--check-hash-based-pycs", "x"],
        ];
        for args in cases {
            let (config, _, result) = try_parse(args);
            let status = result.unwrap_err();
            assert!(status.is_exit() && status.exitcode() == 2, "{args:?}");
            assert_eq!(texts(&config.argv), args);
        }
    }

    #[test]
    fn texts_exit_with_0() {
        for option in ["-h", "-?", "--help", "--help-env", "--help-xoptions", "--help-all", "-V", "--version", "-VV"] {
            let status = try_parse(&["p", option]).2.unwrap_err();
            assert!(status.is_exit() && status.exitcode() == 0, "{option}");
        }
    }
}
