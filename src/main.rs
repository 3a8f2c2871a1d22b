//! The `hognose` command: `hognose [options] script.py [args]`, `-c code`, `-m module`, `-`.
//!
//! `hognose --oom-sweep script.py` runs the script once for each of its allocations, with that one failing.

mod sweep;

use std::ffi::{CString, OsString, c_char};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use hognose::config::{self, Args, ConfigKind, PyConfig, PyPreConfig, PyStatus};
use hognose::lifecycle::{self, memstats::Figures};
use hognose_allocators::{Counted, DomainStats, raw_stats};

#[cfg(feature = "global-mimalloc")]
#[global_allocator]
static GLOBAL: Counted<mimalloc::MiMalloc> = Counted::new(mimalloc::MiMalloc);

#[cfg(not(feature = "global-mimalloc"))]
#[global_allocator]
static GLOBAL: Counted<std::alloc::System> = Counted::new(std::alloc::System);

/// The exit status when memory is still alive after finalization.
const LEAKED: i32 = 3;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|a| a == "--oom-sweep") {
        return sweep::run(&arguments);
    }
    let start = raw_stats();
    let arguments: Vec<Vec<u8>> = arguments.into_iter().map(OsStringExt::into_vec).collect();
    let outcome = run(&arguments, &start);
    finish(outcome)
}

/// Ends the process: by SIGINT where that is what ended the program.
fn finish(status: i32) -> ExitCode {
    if status == lifecycle::run::INTERRUPTED {
        // SAFETY: the default action ends the process; the shell sees that it was interrupted.
        unsafe {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            libc::kill(libc::getpid(), libc::SIGINT);
        }
    }
    ExitCode::from(status as u8)
}

/// Initializes, runs and finalizes; returns the exit status.
fn run(arguments: &[Vec<u8>], start: &DomainStats) -> i32 {
    // An argument of the system has no NUL inside.
    let texts: Vec<CString> = arguments.iter().filter_map(|a| CString::new(a.as_slice()).ok()).collect();
    let pointers: Vec<*const c_char> = texts.iter().map(|t| t.as_ptr()).collect();
    // SAFETY: the pointers are to C strings that live to the end of the function.
    let args = unsafe { Args::from_c_bytes(pointers.len() as isize, pointers.as_ptr()) };
    let mut config = PyConfig::new(ConfigKind::Python);
    let mut statistics = false;
    let result = config::preinitialize(&PyPreConfig::new(ConfigKind::Python), args)
        .and_then(|()| config.set_argv(args))
        .and_then(|()| {
            let mut read = config.try_clone()?;
            let result = read.read();
            statistics = read.xoption("memstats").is_some();
            read.clear();
            result
        })
        .and_then(|()| {
            sweep::arm_child();
            lifecycle::finalize::report_live_blocks(statistics);
            lifecycle::initialize(&config)
        });
    config.clear();
    let status = match result {
        Ok(()) => lifecycle::run::run_main(),
        Err(failed) => return exit_with(failed, start, statistics),
    };
    sweep::disarm_child();
    with_statistics(status, start, statistics)
}

/// A status that is an exit (help, version, usage) or an error ends the process, after the statistics.
fn exit_with(failed: PyStatus, start: &DomainStats, statistics: bool) -> i32 {
    let fired = sweep::disarm_child();
    if fired || statistics {
        let status = with_statistics(0, start, statistics);
        if status != 0 {
            return status;
        }
    }
    config::status::exit_with(failed, "preinitialized")
}

/// Prints the figures when they were asked for; leaked memory changes the exit status.
fn with_statistics(status: i32, start: &DomainStats, statistics: bool) -> i32 {
    let mut figures = lifecycle::finalize::last_figures().unwrap_or_default();
    figures.note_raw(start);
    if sweep::is_child() {
        return sweep::child_status(status, &figures);
    }
    if !statistics {
        return status;
    }
    print(&figures);
    if figures.has_live() { LEAKED } else { status }
}

fn print(figures: &Figures) {
    let mut text = String::new();
    if figures.write(&mut text).is_ok() {
        eprint!("{text}");
    }
}
