//! `hognose --oom-sweep`: a program runs once for each of its allocations, with that one failing.
//!
//! ```text
//!   command ──fork──► worker 1 ── runs the program, counting ─┬─────────┬──► …
//!           ──fork──► worker 2 …                              │fork     │fork
//!                                                             ▼         ▼
//!                                                    the allocation fails here,
//!                                                    the child goes on to its end
//! ```
//!
//! A worker forks at every allocation that is to fail, waits for the child and goes on, so a child costs only
//! what comes after its failure. Where the program has several threads, and everywhere with `--exec`, the
//! child is a process of its own that runs from the start.
//!
//! A child has ended cleanly when it exits with a status of its own (with or without MemoryError) and nothing is
//! left in any domain. A crash, an abort, a panic, a live block or an end that does not come is not clean.

mod point;
mod report;
mod single;
mod worker;

use std::ffi::OsString;

use hognose::lifecycle::memstats::Figures;

use point::Mode;
pub use point::Phase;

/// The text of `--oom-sweep --help`.
const HELP: &str = "\
usage: hognose --oom-sweep [option] ... [--] [Python option] ... [-c cmd | -m mod | file] [arg] ...
Runs the program once for each of its allocations, with that one failing, from pre-initialization to the end
of finalization. Whatever ends otherwise than with an exit status and without live blocks is reported.
Options:
  --mode once|persistent|both  the allocation alone fails, or all from it on (once)
  --domain raw,mem,obj         the domains whose allocations count and fail (all)
  --phase pre,init,script,final  the phases in which they fail (all)
  --from N, --to N             the first and the last allocation (1, the last)
  --step N                     every N-th of them (1)
  --jobs N                     processes at a time (the number of processors)
  --timeout S                  seconds after which a run is given up (60)
  --stacks N                   how many native stacks to print at most (10)
  --exec                       each run is a process of its own from the start: for programs that change files
  --help                       this text
Exit status: 0 when every run was clean, 1 when not, 2 when the sweep itself could not be done.
";

/// What is swept.
#[derive(Clone, Debug)]
struct Options {
    modes: Vec<Mode>,
    domains: u8,
    /// Bits of [`Phase`].
    phases: u8,
    from: u64,
    to: u64,
    step: u64,
    jobs: u64,
    timeout: u64,
    stacks: u64,
    exec: bool,
    help: bool,
    /// The program's own arguments.
    rest: Vec<OsString>,
}

fn parse(arguments: &[OsString]) -> Result<Options, String> {
    let mut options = Options {
        modes: vec![Mode::Once],
        domains: 0b111,
        phases: 0b1111,
        from: 1,
        to: u64::MAX,
        step: 1,
        jobs: std::thread::available_parallelism().map_or(1, |n| n.get() as u64),
        timeout: 60,
        stacks: 10,
        exec: false,
        help: false,
        rest: Vec::new(),
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let text = argument.to_str().unwrap_or("");
        if text == "--" {
            break;
        }
        if !text.starts_with("--") {
            options.rest.push(argument.clone());
            break;
        }
        let (name, mut value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        let mut value = || {
            let next = value.take().or_else(|| rest.next().and_then(|next| next.to_str()).map(str::to_owned));
            next.ok_or_else(|| format!("{name} wants a value"))
        };
        let number = |text: String| text.parse::<u64>().map_err(|_| format!("{name}: {text:?} is no number"));
        match name {
            "--mode" => {
                options.modes = match value()?.as_str() {
                    "both" => vec![Mode::Once, Mode::Persistent],
                    text => vec![Mode::parse(text).ok_or_else(|| format!("--mode: {text:?} is none"))?],
                }
            }
            "--domain" => options.domains = bits(&value()?, &["raw", "mem", "obj"])?,
            "--phase" => options.phases = bits(&value()?, &Phase::NAMES)?,
            "--from" => options.from = number(value()?)?.max(1),
            "--to" => options.to = number(value()?)?,
            "--step" => options.step = number(value()?)?.max(1),
            "--jobs" => options.jobs = number(value()?)?.max(1),
            "--timeout" => options.timeout = number(value()?)?.max(1),
            "--stacks" => options.stacks = number(value()?)?,
            "--exec" => options.exec = true,
            "--help" => options.help = true,
            _ => return Err(format!("unknown option {name} (--oom-sweep --help lists them)")),
        }
    }
    options.rest.extend(rest.cloned());
    if options.rest.is_empty() && !options.help {
        return Err("a program is needed (--oom-sweep --help)".into());
    }
    Ok(options)
}

/// The bits of the names in a list; "all" for all.
fn bits(text: &str, names: &[&str]) -> Result<u8, String> {
    text.split(',').try_fold(0, |bits, name| match names.iter().position(|known| *known == name) {
        Some(at) => Ok(bits | 1 << at),
        None if name == "all" => Ok((1 << names.len()) - 1),
        None => Err(format!("{name:?} is none of {}", names.join(", "))),
    })
}

/// The command; its arguments are those behind `--oom-sweep`. `run` runs a program with its arguments
/// (without the command's name) in this process and returns its exit status.
pub fn command(arguments: &[OsString], run: &dyn Fn(&[OsString]) -> i32) -> u8 {
    let fail = |error: String| {
        eprintln!("hognose: --oom-sweep: {error}");
        2
    };
    let options = match parse(arguments) {
        Ok(options) if options.help => {
            print!("{HELP}");
            return 0;
        }
        Ok(options) => options,
        Err(error) => return fail(error),
    };
    // SAFETY: no other thread runs yet.
    unsafe { std::env::set_var("PYTHONHASHSEED", "0") };
    let swept = if options.exec { single::sweep(&options) } else { worker::sweep(&options, run) };
    match swept {
        Ok(tally) => {
            print!("{tally}");
            u8::from(tally.dirty() != 0)
        }
        Err(error) => fail(error),
    }
}

/// Begins to count and to fail, where this process is part of a sweep: before pre-initialization.
pub fn arm() {
    if let Some(point) = single::point() {
        single::arm(point);
    } else {
        worker::arm();
    }
}

/// Stops failing. Whether this process is part of a sweep.
pub fn disarm() -> bool {
    let part = single::point().is_some() || worker::is_part();
    if part {
        hognose_allocators::fault::disarm();
    }
    part
}

/// The exit status of a process that is part of a sweep: memory that is left is told by its own status.
pub fn status(status: i32, figures: &Figures) -> i32 {
    if figures.has_live() {
        let mut text = String::new();
        if figures.write(&mut text).is_ok() {
            eprint!("{text}");
        }
        return report::LEFT;
    }
    if single::point().is_some_and(|point| point.at == 0) {
        report::tell_counts();
    }
    match status {
        report::LEFT | report::PANICKED => 1,
        status => status,
    }
}

/// Says that the program has come to its next phase.
pub fn enter(phase: Phase) {
    point::enter(phase);
}

#[cfg(test)]
mod tests {
    use super::{Mode, parse};

    #[test]
    fn options_stand_before_the_program() {
        let words = |text: &str| text.split(' ').map(Into::into).collect::<Vec<_>>();
        let options = parse(&words("--mode=both --domain mem,obj --from 5 --step 2 -S --from x.py")).unwrap();
        assert_eq!((options.modes.len(), options.domains, options.from, options.step), (2, 0b110, 5, 2));
        assert_eq!(options.rest, words("-S --from x.py"));
        let options = parse(&words("--mode persistent -- --version")).unwrap();
        assert_eq!((options.modes[0], options.rest), (Mode::Persistent, words("--version")));
        for bad in ["--mode", "--mode always x", "--domain heap x", "--step x x", "--wrong x", "--exec"] {
            assert!(parse(&words(bad)).is_err(), "{bad}");
        }
    }
}
