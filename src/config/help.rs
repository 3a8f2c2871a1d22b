//! What `-h`, `--help-env`, `--help-xoptions` and `-V` print, made from the table of options.

use core::fmt::{self, Write};

use super::output::Lossy;
use super::strings::WideString;
use super::table::{Effect, OPTIONS};

/// The version of the language and of CPython's C interface.
pub const PYTHON_VERSION: &str = "3.14.0";

/// What `sys.version` and `Py_GetVersion` say: version, implementation, compiler.
pub const FULL_VERSION: &str = concat!("3.14.0 (Hognose ", env!("CARGO_PKG_VERSION"), ") [Rust]");

/// Where the explanations begin.
const COLUMN: usize = 28;

/// The line that says how the command is used.
pub fn usage(out: &mut dyn Write, program: Option<&WideString>) -> fmt::Result {
    out.write_str("usage: ")?;
    match program {
        Some(name) if !name.as_slice().is_empty() => write!(out, "{name}")?,
        _ => out.write_str("python")?,
    }
    out.write_str(" [option] ... [-c cmd | -m mod | file | -] [arg] ...\n")
}

fn line(out: &mut dyn Write, left: fmt::Arguments<'_>, help: &str) -> fmt::Result {
    /// Counts what it is given to write.
    struct Width(usize);
    impl Write for Width {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += text.len();
            Ok(())
        }
    }
    let mut width = Width(0);
    width.write_fmt(left)?;
    out.write_str("  ")?;
    out.write_fmt(left)?;
    if width.0 + 3 > COLUMN {
        out.write_str("\n")?;
        writeln!(out, "{:COLUMN$}{help}", "")
    } else {
        writeln!(out, "{:pad$}{help}", "", pad = COLUMN - 2 - width.0)
    }
}

/// Letters that have no row in the table.
const PLAIN: [(u8, &str); 2] =
    [(b'h', "this text (also -? and --help)"), (b'V', "the version (also --version); -VV: more")];

/// The options and arguments.
pub fn options(out: &mut dyn Write) -> fmt::Result {
    out.write_str("Options:\n")?;
    for letter in b'a'..=b'z' {
        for letter in [letter, letter.to_ascii_uppercase()] {
            let flags = OPTIONS.iter().filter_map(|row| row.flag);
            for flag in flags.filter(|flag| flag.letter == letter && !flag.help.is_empty()) {
                let letter = char::from(letter);
                match flag.effect {
                    Effect::Argument(name) => line(out, format_args!("-{letter} {name}"), flag.help)?,
                    Effect::Add | Effect::Set(_) => line(out, format_args!("-{letter}"), flag.help)?,
                }
            }
            for (_, help) in PLAIN.iter().filter(|plain| plain.0 == letter) {
                line(out, format_args!("-{}", char::from(letter)), help)?;
            }
        }
    }
    line(
        out,
        format_args!("--check-hash-based-pycs always|default|never"),
        "how .pyc files that carry a hash are checked",
    )?;
    line(out, format_args!("--oom-sweep ..."), "fail each allocation of a program in turn (--oom-sweep --help)")?;
    line(out, format_args!("--help-env"), "the environment variables")?;
    line(out, format_args!("--help-xoptions"), "the -X options")?;
    line(out, format_args!("--help-all"), "all of this")?;
    out.write_str("Arguments:\n")?;
    line(out, format_args!("file"), "run this script")?;
    line(out, format_args!("-"), "run what stdin gives (without arguments: a prompt on a terminal)")?;
    line(out, format_args!("arg ..."), "passed to the program in sys.argv[1:]")
}

/// Variables that are read elsewhere than in the configuration.
const OTHER_VARIABLES: [(&str, &str); 4] = [
    ("PYTHON_GIL", "1 only: this implementation always has a GIL"),
    ("PYTHON_PERF_JIT_SUPPORT", "1: support the Linux perf profiler with debug information"),
    ("PYTHONMALLOCGUARD", "as -X guard_rate"),
    ("PYTHONSTARTUP", "file that runs before the first prompt"),
];

/// The environment variables.
pub fn environment(out: &mut dyn Write) -> fmt::Result {
    out.write_str("Environment variables (an empty one counts as unset):\n")?;
    for variable in OPTIONS.iter().filter_map(|row| row.env) {
        line(out, format_args!("{}", Lossy(variable.name.to_bytes())), variable.help)?;
    }
    OTHER_VARIABLES.iter().try_for_each(|(name, help)| line(out, format_args!("{name}"), help))
}

/// `-X` keys that other parts of the runtime read.
const OTHER_KEYS: [(&str, &str); 5] = [
    ("gil=1", "confirm that there is a GIL"),
    ("guard_rate=N[:SLOTS]", "PYTHONMALLOC=guard: sample one block in N (1000), of which SLOTS can live (1024)"),
    ("leakreport", "name each block that is still alive at exit, with its type, module and place"),
    ("memstats[=json]", "memory figures per domain at exit; json: all figures as one JSON object"),
    ("start_image=off", "build each interpreter step by step instead of copying it"),
];

/// The keys of `-X`.
pub fn xoptions(out: &mut dyn Write) -> fmt::Result {
    out.write_str("Options of this implementation:\n")?;
    for option in OPTIONS.iter().filter_map(|row| row.xoption) {
        line(out, format_args!("-X {}{}", option.key, option.value), option.help)?;
    }
    OTHER_KEYS.iter().try_for_each(|(key, help)| line(out, format_args!("-X {key}"), help))
}

/// The version, and more about the build when `full`.
pub fn version(out: &mut dyn Write, full: bool) -> fmt::Result {
    writeln!(out, "Python {}", if full { FULL_VERSION } else { PYTHON_VERSION })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut dyn Write) -> fmt::Result) -> std::string::String {
        let mut out = std::string::String::new();
        write(&mut out).unwrap();
        out
    }

    #[test]
    fn the_usage_names_the_program() {
        let program = WideString::from_text("prog").unwrap();
        let expected = "usage: prog [option] ... [-c cmd | -m mod | file | -] [arg] ...\n";
        assert_eq!(text(|out| usage(out, Some(&program))), expected);
        assert!(text(|out| usage(out, None)).starts_with("usage: python "));
    }

    #[test]
    fn every_option_of_the_table_is_shown() {
        let help = text(options);
        let env = text(environment);
        let keys = text(xoptions);
        for row in &crate::config::table::OPTIONS {
            if let Some(flag) = row.flag {
                assert!(help.contains(&std::format!("  -{}", char::from(flag.letter))), "{}", row.name);
            }
            if let Some(variable) = row.env {
                assert!(env.contains(variable.name.to_str().unwrap()), "{}", row.name);
            }
            if let Some(option) = row.xoption {
                assert!(keys.contains(&std::format!("-X {}", option.key)), "{}", row.name);
            }
        }
    }

    #[test]
    fn explanations_stand_in_a_column() {
        for line in text(options).lines().filter(|line| line.starts_with("  -")) {
            let explained =
                line.len() > COLUMN && line.as_bytes()[COLUMN] != b' ' && line.as_bytes()[COLUMN - 1] == b' ';
            assert!(explained || line.starts_with("  --check"), "{line:?}");
        }
    }

    #[test]
    fn versions_are_short_or_full() {
        assert_eq!(text(|out| version(out, false)), "Python 3.14.0\n");
        assert!(text(|out| version(out, true)).starts_with("Python 3.14.0 (Hognose "));
        assert!(FULL_VERSION.starts_with(PYTHON_VERSION));
    }
}
