//! Runs that are processes of their own from the start. What is to fail comes by a variable of the environment.

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use hognose_allocators::fault::{self, Failing, Plan};

use super::point::{Mode, Phase, Point, phase};
use super::report::{self, Counts, Tally, complaint, describe};
use super::{Options, worker};

/// Tells a process its point.
pub const VARIABLE: &str = "HOGNOSE_OOM_POINT";

/// This process's point, if it has one from the environment.
pub fn point() -> Option<Point> {
    static POINT: OnceLock<Option<Point>> = OnceLock::new();
    *POINT.get_or_init(|| std::env::var(VARIABLE).ok().as_deref().and_then(Point::parse))
}

/// Begins to fail as the point says.
pub fn arm(point: Point) {
    let failing = match point {
        Point { at: 0, .. } => Failing::Nothing,
        Point { stack: true, .. } => Failing::Asked(|_, n| {
            if self::point().is_some_and(|point| n == point.at) {
                eprintln!("hognose-oom-sweep: phase={}", phase() as u8);
                report::show_stack_and_end();
            }
            false
        }),
        Point { mode: Mode::Once, at, .. } => Failing::Once(at),
        Point { mode: Mode::Persistent, at, .. } => Failing::From(at),
    };
    fault::arm_plan(Plan { domains: point.domains, failing });
}

/// Runs the program with a point; its status (none when it did not end in time) and standard error.
pub fn run(point: Point, options: &Options) -> Result<(Option<ExitStatus>, String), String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let errors = worker::memory_file().map_err(|e| e.to_string())?;
    let out = errors.try_clone().map_err(|e| e.to_string())?;
    let mut child = Command::new(program)
        .arg0("hognose")
        .args(&options.rest)
        .env(VARIABLE, point.text())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(out)
        .spawn()
        .map_err(|e| e.to_string())?;
    let end = Instant::now() + Duration::from_secs(options.timeout);
    let status = loop {
        match child.try_wait().map_err(|e| e.to_string())? {
            Some(status) => break Some(status),
            None if Instant::now() > end => {
                child.kill().and_then(|()| child.wait()).map_err(|e| e.to_string())?;
                break None;
            }
            None => std::thread::sleep(Duration::from_micros(500)),
        }
    };
    Ok((status, worker::contents(&errors)))
}

/// Runs one point, counts it, and prints its report if it is not clean.
pub fn try_point(at: u64, mode: Mode, options: &Options, counts: &Counts) -> Result<(), String> {
    let point = Point { at, mode, domains: options.domains, stack: false };
    let (mut status, mut errors) = run(point, options)?;
    if status.is_none() {
        // As in a worker: what hangs, hangs again.
        (status, errors) = run(point, options)?;
    }
    let why = complaint(status);
    // Which phase it was is known only when the stack is asked for, which a clean run is not worth.
    let mut phase = Phase::Script;
    if let Some(why) = &why {
        let (_, stack) = run(Point { stack: true, ..point }, options)?;
        let told = stack.lines().find_map(|line| line.strip_prefix("hognose-oom-sweep: phase="));
        if let Some(told) = told.and_then(|n| n.parse::<usize>().ok()).and_then(|n| Phase::ALL.get(n)) {
            phase = *told;
        }
        let mut text = describe(&point, phase, why, &errors, &options.rest);
        if counts.stacks.fetch_add(1, Ordering::Relaxed) < options.stacks {
            text.extend(stack.lines().filter(|l| !l.starts_with("hognose-oom-sweep:")).map(|l| format!("{l}\n")));
        }
        print!("{text}");
    }
    counts.note(phase, why.is_none());
    Ok(())
}

/// The sweep with `--exec`.
pub fn sweep(options: &Options) -> Result<Tally, String> {
    let (status, errors) = run(Point { at: 0, mode: Mode::Once, domains: options.domains, stack: false }, options)?;
    if let Some(why) = complaint(status) {
        return Err(format!("the program does not end cleanly without a failure: {why}\n{errors}"));
    }
    let total = report::read_counts(&errors)
        .ok_or_else(|| format!("the program's allocations could not be counted\n{errors}"))?;
    if options.phases != 0b1111 {
        return Err(
            "--phase and --exec do not go together: the phase of an allocation is known in the worker only".into()
        );
    }
    let counts = worker::shared_counts()?;
    counts.allocations.store(total, Ordering::Relaxed);
    let next = AtomicU64::new(options.from);
    let failed: Mutex<Option<String>> = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(options.step, Ordering::Relaxed);
                    if at > total.min(options.to) {
                        return;
                    }
                    for mode in &options.modes {
                        if let Err(error) = try_point(at, *mode, options, counts) {
                            *failed.lock().unwrap_or_else(|e| e.into_inner()) = Some(error);
                            return;
                        }
                    }
                }
            });
        }
    });
    match failed.into_inner().unwrap_or_else(|e| e.into_inner()) {
        Some(error) => Err(error),
        None => Ok(counts.tally()),
    }
}

/// All of a file from its start.
pub fn read_all(mut file: &std::fs::File) -> String {
    use std::io::Seek;
    let mut bytes = Vec::new();
    let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    match read {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("(its output could not be read: {error})"),
    }
}

/// The arguments as a run in this process gets them, behind the command's name.
pub fn with_name(rest: &[OsString]) -> Vec<OsString> {
    std::iter::once(OsString::from("hognose")).chain(rest.iter().cloned()).collect()
}
