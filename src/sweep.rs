//! `hognose --oom-sweep script.py`: every allocation fails once.
//!
//! The command runs itself as a child process for each n: the child's n-th allocation from the start of
//! initialization on fails. A run has ended cleanly when it exits with a status of its own (with or
//! without MemoryError) and nothing is left in any domain; a crash, a panic or a live block is not clean.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, Stdio};

use hognose::lifecycle::memstats::Figures;
use hognose_allocators::fault;

/// Tells a child which allocation is to fail; 0 is "count only".
const VARIABLE: &str = "HOGNOSE_OOM_SWEEP_CHILD";
/// The child's exit status when memory was left.
const LEFT: i32 = 253;
/// The child's exit status when the script never came to that allocation.
const NOT_REACHED: i32 = 254;

/// Whether this process is a child of a sweep.
pub fn is_child() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Begins to count, and to fail, in a child.
pub fn arm_child() {
    if let Some(n) = std::env::var(VARIABLE).ok().and_then(|text| text.parse::<u64>().ok()) {
        fault::arm(if n == 0 { None } else { Some(n) });
    }
}

/// Stops failing; whether an allocation failed.
pub fn disarm_child() -> bool {
    if !is_child() {
        return false;
    }
    let fired = fault::fired();
    if !fired {
        eprintln!("hognose-oom-sweep: allocations={}", fault::count());
    }
    fault::disarm();
    fired
}

/// The exit status of a child.
pub fn child_status(status: i32, figures: &Figures) -> i32 {
    if figures.has_live() {
        let mut text = String::new();
        if figures.write(&mut text).is_ok() {
            eprint!("{text}");
        }
        return LEFT;
    }
    match status {
        LEFT | NOT_REACHED => 1,
        status => status,
    }
}

/// One child's end.
enum End {
    Clean,
    Dirty(String),
}

fn child(arguments: &[OsString], n: u64) -> std::io::Result<(End, String)> {
    let program = std::env::current_exe()?;
    let output = Command::new(program)
        .args(&arguments[2..])
        .env(VARIABLE, n.to_string())
        .env("PYTHONHASHSEED", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let end = match (output.status.code(), output.status.signal()) {
        (Some(LEFT), _) => End::Dirty("memory was left".into()),
        (Some(101), _) => End::Dirty("it panicked".into()),
        (Some(_), _) => End::Clean,
        (None, Some(signal)) => End::Dirty(format!("it was killed by signal {signal}")),
        (None, None) => End::Dirty("it ended in an unknown way".into()),
    };
    Ok((end, errors))
}

/// The command: `--oom-sweep [--from n] [--step k] script.py [args]`.
pub fn run(arguments: &[OsString]) -> ExitCode {
    match sweep(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("hognose: --oom-sweep: {error}");
            ExitCode::from(2)
        }
    }
}

fn option(arguments: &mut Vec<OsString>, name: &str) -> Option<u64> {
    let at = arguments.iter().position(|a| a == name)?;
    let value = arguments.get(at + 1)?.to_str()?.parse().ok()?;
    arguments.drain(at..at + 2);
    Some(value)
}

fn sweep(arguments: &[OsString]) -> Result<bool, String> {
    let mut arguments = arguments.to_vec();
    let from = option(&mut arguments, "--from").unwrap_or(1);
    let step = option(&mut arguments, "--step").unwrap_or(1).max(1);
    if arguments.len() < 3 {
        return Err("a script is needed".into());
    }
    let (end, errors) = child(&arguments, 0).map_err(|e| e.to_string())?;
    if let End::Dirty(why) = end {
        return Err(format!("the script does not end cleanly without a failure: {why}\n{errors}"));
    }
    let total = errors
        .lines()
        .find_map(|line| line.strip_prefix("hognose-oom-sweep: allocations="))
        .and_then(|n| n.trim().parse::<u64>().ok())
        .ok_or_else(|| format!("the script's allocations could not be counted\n{errors}"))?;
    let (mut clean, mut dirty) = (0u64, 0u64);
    let mut n = from.max(1);
    while n <= total {
        let (end, errors) = child(&arguments, n).map_err(|e| e.to_string())?;
        match end {
            End::Clean => clean += 1,
            End::Dirty(why) => {
                dirty += 1;
                println!("allocation {n} of {total}: {why}");
                for line in errors.lines().rev().take(6).collect::<Vec<_>>().into_iter().rev() {
                    println!("    {line}");
                }
            }
        }
        n += step;
    }
    println!("hognose-oom-sweep: allocations={total} clean={clean} otherwise={dirty}");
    Ok(dirty == 0)
}
