//! The `hognose` command: `hognose [options] script.py [args]`, `-c code`, `-m module`, `-`.
//!
//! `hognose --oom-sweep …` runs a program once for each of its allocations, with that one failing; see [`sweep`].

// The library's own start would find the stack's bounds by reading `/proc/self/maps` and catch SIGSEGV; both are the
// runtime's business.
#![no_main]

mod sweep;

use std::ffi::{CString, OsString, c_char, c_int};
use std::os::unix::ffi::OsStringExt;

use hognose::config::{self, Args, ConfigKind, PyConfig, PyPreConfig, PyStatus};
use hognose::lifecycle::{self, memstats::Figures};
use hognose_allocators::{CountingAlloc, DomainStats, raw_stats};

#[cfg(feature = "global-mimalloc")]
#[global_allocator]
static GLOBAL: CountingAlloc<mimalloc::MiMalloc> = CountingAlloc(mimalloc::MiMalloc);

#[cfg(not(feature = "global-mimalloc"))]
#[global_allocator]
static GLOBAL: CountingAlloc<std::alloc::System> = CountingAlloc(std::alloc::System);

/// The exit status when memory is still alive after finalization.
const LEAKED: i32 = 3;

/// The entry of the program, called by the C library, which keeps the arguments for `args_os`.
#[unsafe(no_mangle)]
extern "C" fn main(_argc: c_int, _argv: *const *const c_char) -> c_int {
    lifecycle::panics::install();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let result = std::panic::catch_unwind(|| {
        if arguments.get(1).is_some_and(|a| a == "--oom-sweep") {
            sweep::command(&arguments[2..], &whole_run)
        } else if arguments.get(1).is_some_and(|a| a == "--store-start-image") {
            store_start_image(&arguments[2..])
        } else {
            lifecycle::run::end_by_signal(whole_run(&arguments)) as u8
        }
    });
    match result {
        Ok(status) => status.into(),
        Err(_) => lifecycle::panics::fatal("hognose"),
    }
}

/// `hognose --store-start-image FILE`: what the build does with a copy of the command.
fn store_start_image(arguments: &[OsString]) -> u8 {
    let [file] = arguments else {
        eprintln!("usage: hognose --store-start-image FILE");
        return 2;
    };
    match lifecycle::image::store(file.as_ref()) {
        Ok(()) => 0,
        Err(status) => {
            eprintln!("hognose: {status}");
            1
        }
    }
}

/// A program's whole life in this process; its exit status.
fn whole_run(arguments: &[OsString]) -> i32 {
    let start = raw_stats();
    let arguments: Vec<Vec<u8>> = arguments.iter().cloned().map(OsStringExt::into_vec).collect();
    sweep::arm();
    run(&arguments, &start)
}

/// Initializes, runs and finalizes; returns the exit status.
fn run(arguments: &[Vec<u8>], start: &DomainStats) -> i32 {
    // An argument of the system has no NUL inside.
    let texts: Vec<CString> = arguments.iter().filter_map(|a| CString::new(a.as_slice()).ok()).collect();
    let pointers: Vec<*const c_char> = texts.iter().map(|t| t.as_ptr()).collect();
    // SAFETY: the pointers are to C strings that live to the end of the function.
    let args = unsafe { Args::from_c_bytes(pointers.len() as isize, pointers.as_ptr()) };
    let mut config = PyConfig::new(ConfigKind::Python);
    let mut statistics = Statistics::None;
    let result = config::preinitialize(&PyPreConfig::new(ConfigKind::Python), args)
        .and_then(|()| config.set_argv(args))
        .and_then(|()| {
            let mut read = config.try_clone()?;
            let result = read.read();
            let format = result.and_then(|()| Statistics::read(&read));
            read.clear();
            format.map(|format| statistics = format)
        })
        .and_then(|()| {
            sweep::enter(sweep::Phase::Initialization);
            lifecycle::finalize::report_live_blocks(statistics != Statistics::None);
            lifecycle::initialize(&config)
        });
    config.clear();
    let status = match result {
        Ok(()) => {
            sweep::enter(sweep::Phase::Script);
            lifecycle::run::run_main()
        }
        Err(failed) => return exit_with(failed, start, statistics),
    };
    with_statistics(status, start, statistics)
}

/// A status that is an exit (help, version, usage) or an error ends the process, after the statistics.
fn exit_with(failed: PyStatus, start: &DomainStats, statistics: Statistics) -> i32 {
    if sweep::disarm() {
        // The status' text goes to standard error and is part of what may fail; the process goes on to its end.
        let status = config::status::report(failed, "preinitialized");
        return with_statistics(status, start, statistics);
    }
    if statistics != Statistics::None {
        let status = with_statistics(0, start, statistics);
        if status != 0 {
            return status;
        }
    }
    config::status::exit_with(failed, "preinitialized")
}

/// Prints the figures when they were asked for; leaked memory changes the exit status.
fn with_statistics(status: i32, start: &DomainStats, statistics: Statistics) -> i32 {
    let mut figures = lifecycle::finalize::last_figures().unwrap_or_default();
    figures.note_raw(start);
    if sweep::disarm() {
        return sweep::status(status, &figures);
    }
    if statistics == Statistics::None {
        return status;
    }
    print(&figures, statistics);
    if figures.has_live() { LEAKED } else { status }
}

/// What `-X memstats` asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Statistics {
    None,
    /// A line for each domain.
    Lines,
    /// One JSON object.
    Json,
}

impl Statistics {
    fn read(config: &PyConfig) -> Result<Statistics, PyStatus> {
        match config.xoption("memstats") {
            None => Ok(Statistics::None),
            Some(None) => Ok(Statistics::Lines),
            Some(Some(value)) if value.iter().copied().eq("json".chars().map(u32::from)) => Ok(Statistics::Json),
            Some(Some(_)) => Err(PyStatus::error_in(
                c"config_init_memstats",
                c"-X memstats: the only format that has a name is json",
            )),
        }
    }
}

fn print(figures: &Figures, statistics: Statistics) {
    let mut text = String::new();
    let written = match statistics {
        Statistics::Json => figures.write_json(&mut text),
        Statistics::None | Statistics::Lines => figures.write(&mut text),
    };
    if written.is_ok() {
        eprint!("{text}");
    }
}
