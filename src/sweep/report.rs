//! How a run ended, and what is said of it.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicU64, Ordering};

use hognose::config::output::Output;
use hognose::state::ThreadState;
use hognose_allocators::fault;

use super::point::{Mode, Phase, Point};
use super::single::VARIABLE;

/// A child's exit status when memory was left.
pub const LEFT: i32 = 253;
/// That of a Rust program that panics.
pub const PANICKED: i32 = 101;

/// How a child ended: `None` for "cleanly".
pub fn complaint(status: Option<ExitStatus>) -> Option<String> {
    let Some(status) = status else { return Some("it did not end".into()) };
    match (status.code(), status.signal()) {
        (Some(LEFT), _) => Some("memory was left".into()),
        (Some(PANICKED), _) => Some("it panicked".into()),
        (Some(_), _) => None,
        (None, Some(signal)) => Some(format!("it was killed by signal {signal}{}", signal_name(signal))),
        (None, None) => Some("it ended in an unknown way".into()),
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        libc::SIGABRT => " (SIGABRT)",
        libc::SIGSEGV => " (SIGSEGV)",
        libc::SIGBUS => " (SIGBUS)",
        libc::SIGILL => " (SIGILL)",
        libc::SIGFPE => " (SIGFPE)",
        libc::SIGKILL => " (SIGKILL)",
        _ => "",
    }
}

/// The counts of a sweep. Workers share them.
#[repr(C)]
pub struct Counts {
    /// For each phase: runs, and those that were not clean.
    pub phases: [[AtomicU64; 2]; 4],
    /// The allocations of the program when none fails.
    pub allocations: AtomicU64,
    /// How many stacks have been printed.
    pub stacks: AtomicU64,
    /// How many points are left to processes of their own, and which: `at * 2 + persistent`.
    pub deferred: AtomicU64,
    pub points: [AtomicU64; 4096],
}

impl Counts {
    pub fn note(&self, phase: Phase, clean: bool) {
        let [runs, dirty] = &self.phases[phase as usize];
        runs.fetch_add(1, Ordering::Relaxed);
        dirty.fetch_add(u64::from(!clean), Ordering::Relaxed);
    }

    /// Leaves a point to a process of its own; false when there is no room for more.
    pub fn defer(&self, at: u64, mode: Mode) -> bool {
        let slot = self.deferred.fetch_add(1, Ordering::Relaxed) as usize;
        let Some(place) = self.points.get(slot) else { return false };
        place.store(at * 2 + u64::from(mode == Mode::Persistent), Ordering::Relaxed);
        true
    }

    /// The points that were left.
    pub fn deferred(&self) -> Vec<(u64, Mode)> {
        let count = (self.deferred.load(Ordering::Relaxed) as usize).min(self.points.len());
        let points = self.points[..count].iter().map(|point| point.load(Ordering::Relaxed));
        points.map(|n| (n / 2, if n % 2 == 1 { Mode::Persistent } else { Mode::Once })).collect()
    }

    pub fn tally(&self) -> Tally {
        let read = |n: &AtomicU64| n.load(Ordering::Relaxed);
        let phases = [0, 1, 2, 3].map(|at: usize| [read(&self.phases[at][0]), read(&self.phases[at][1])]);
        Tally { allocations: read(&self.allocations), phases }
    }
}

/// The outcome of a sweep.
pub struct Tally {
    allocations: u64,
    phases: [[u64; 2]; 4],
}

impl Tally {
    /// The runs that were not clean.
    pub fn dirty(&self) -> u64 {
        self.phases.iter().map(|[_, dirty]| dirty).sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (phase, [runs, dirty]) in Phase::ALL.into_iter().zip(self.phases) {
            if runs != 0 {
                writeln!(f, "hognose-oom-sweep: {}: clean={} otherwise={dirty}", phase.as_str(), runs - dirty)?;
            }
        }
        let runs: u64 = self.phases.iter().map(|[runs, _]| runs).sum();
        let dirty = self.dirty();
        let allocations = self.allocations;
        writeln!(f, "hognose-oom-sweep: allocations={allocations} clean={} otherwise={dirty}", runs - dirty)
    }
}

/// The report of a run that was not clean, but for its stack.
pub fn describe(point: &Point, phase: Phase, why: &str, errors: &str, rest: &[std::ffi::OsString]) -> String {
    use std::fmt::Write as _;
    let mut text = format!("allocation {} ({}, {}): {why}\n", point.at, phase.as_str(), point.mode.as_str());
    for line in errors.lines().rev().take(8).collect::<Vec<_>>().into_iter().rev() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    | {line}");
    }
    let program = std::env::current_exe().map_or_else(|_| "hognose".into(), |path| path.display().to_string());
    let _ = write!(text, "    again: PYTHONHASHSEED=0 {VARIABLE}={} {program}", point.text());
    for argument in rest {
        let _ = write!(text, " '{}'", argument.display().to_string().replace('\'', "'\\''"));
    }
    text.push('\n');
    text
}

/// What a counting run says at its end.
pub fn tell_counts() {
    eprintln!("hognose-oom-sweep: allocations={}", fault::count());
}

/// The count of a counting run, from its standard error.
pub fn read_counts(errors: &str) -> Option<u64> {
    errors.lines().find_map(|line| line.strip_prefix("hognose-oom-sweep: allocations="))?.trim().parse().ok()
}

/// Writes the native and the Python stack of the calling thread to standard error, and ends the process.
pub fn show_stack_and_end() -> ! {
    let text = std::backtrace::Backtrace::force_capture().to_string();
    let mut out = String::from("    native stack:\n");
    for (name, place) in interesting(&text).into_iter().take(24) {
        out.push_str(&format!("      {name}{}\n", if place.is_empty() { String::new() } else { format!("  {place}") }));
    }
    eprint!("{out}");
    if let Some(ts) = ThreadState::try_current() {
        let mut output = Output::stderr();
        // Standard error is all there is to tell of a failure.
        let _ = hognose::lifecycle::stacks::write_stack(&mut output, Some(ts));
        output.flush();
    }
    // SAFETY: ends the process, which exists only for the text above.
    unsafe { libc::_exit(0) }
}

/// The functions of a backtrace that are ours, above the allocator: (name, file and line).
fn interesting(text: &str) -> Vec<(String, String)> {
    let mut frames: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if let Some(place) = line.strip_prefix("at ") {
            if let Some(frame) = frames.last_mut() {
                frame.1 = place.to_owned();
            }
        } else if let Some((_, name)) = line.split_once(": ") {
            frames.push((name.to_owned(), String::new()));
        }
    }
    let below = frames.iter().rposition(|(name, _)| name.contains("fault::fault_") || name.contains("fault::allows"));
    frames.drain(..below.map_or(0, |at| at + 1));
    let end = frames.iter().position(|(name, _)| name.contains("__rust_begin_short_backtrace"));
    frames.truncate(end.unwrap_or(frames.len()));
    frames
}
