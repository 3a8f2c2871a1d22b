//! Measures the allocators of Hognose beside their peers, and writes a table and a plot.
//!
//! ```text
//! hognose-peers [--rounds N] [--traces DIR] [--only NAME,…] [--table FILE] [--plot FILE] [--other PROGRAM]
//! ```
//!
//! Each peer runs in a process of its own, pinned to one processor; the peers take turns in each round,
//! so what disturbs the machine disturbs all of them. A cell is the least over all rounds, and the median
//! of the rounds' medians. Numbers for the C ABI are of calls that the compiler does not inline.
//!
//! `--other` names another build of this program, which is asked for the peers that this one was built without.
//!
//! With `--count PEER` one pair is executed a million times, for a tool that counts instructions.

mod cases;
mod cycles;
mod peers;
mod plot;
mod table;
mod trace;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use peers::Peer;

/// What is compared: the name in the table, and what it is.
const PEERS: &[(&str, &str)] = &[
    ("hognose-typed", "Hognose, inlined with known size"),
    ("hognose-static", "Hognose pymalloc, static library"),
    ("hognose-shared", "Hognose pymalloc, shared library"),
    ("hognose-malloc", "Hognose malloc"),
    ("hognose-mimalloc", "Hognose mimalloc"),
    ("hognose-debug", "Hognose pymalloc_debug"),
    ("cpython-pymalloc", "CPython 3.13 pymalloc, shared library"),
    ("cpython-mimalloc", "CPython 3.13 mimalloc, shared library"),
    ("cpython-debug", "CPython 3.13 pymalloc_debug"),
    ("mimalloc", "mimalloc 3"),
    ("jemalloc", "jemalloc 5.3"),
    ("snmalloc", "snmalloc 0.7"),
    ("system", "the system's malloc"),
];

/// C's numbers of the allocators.
const MALLOC: i32 = 3;
const PYMALLOC: i32 = 5;
const PYMALLOC_DEBUG: i32 = 6;
const MIMALLOC: i32 = 7;

struct Options {
    rounds: usize,
    traces: Option<PathBuf>,
    only: Option<Vec<String>>,
    table: Option<PathBuf>,
    plot: Option<PathBuf>,
    peer: Option<String>,
    trace: Option<PathBuf>,
    count: Option<String>,
    other: Option<PathBuf>,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        rounds: 3,
        traces: None,
        only: None,
        table: None,
        plot: None,
        peer: None,
        trace: None,
        count: None,
        other: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        if name == "--bench" {
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("{name} wants a value"))?;
        match name.as_str() {
            "--rounds" => options.rounds = value.parse().map_err(|_| "--rounds wants a number")?,
            "--traces" => options.traces = Some(value.into()),
            "--only" => options.only = Some(value.split(',').map(str::to_owned).collect()),
            "--table" => options.table = Some(value.into()),
            "--plot" => options.plot = Some(value.into()),
            "--peer" => options.peer = Some(value),
            "--trace" => options.trace = Some(value.into()),
            "--count" => options.count = Some(value),
            "--other" => options.other = Some(value.into()),
            _ => return Err(format!("unknown option {name}")),
        }
    }
    Ok(options)
}

/* ---- In the process of a peer ---- */

/// Starts our allocators in this process.
fn start(name: i32) -> Result<(), String> {
    if hognose_peers::hog_start(name).is_null() { Err("not built".into()) } else { Ok(()) }
}

fn all<P: Peer>(options: &Options, rows: &mut Vec<cases::Row>) -> Result<(), String> {
    match &options.trace {
        Some(path) => cases::replay::<P>(&trace::Trace::read(path)?, 9, rows),
        None => cases::small::<P>(rows),
    }
    Ok(())
}

/// The traces of a folder.
fn traces(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().contains(".trace"))
        .collect();
    paths.sort();
    Ok(paths)
}

/// Runs something with the peer of that name.
fn with_peer(name: &str, options: &Options, rows: &mut Vec<cases::Row>) -> Result<(), String> {
    match name {
        "hognose-typed" => {
            start(PYMALLOC)?;
            cases::typed(rows);
            cases::destroy(rows);
            Ok(())
        }
        "hognose-static" => start(PYMALLOC).and_then(|()| all::<peers::Linked>(options, rows)),
        "hognose-malloc" => start(MALLOC).and_then(|()| all::<peers::Linked>(options, rows)),
        "hognose-mimalloc" => start(MIMALLOC).and_then(|()| all::<peers::Linked>(options, rows)),
        "hognose-debug" => start(PYMALLOC_DEBUG).and_then(|()| all::<peers::Linked>(options, rows)),
        "hognose-shared" => peers::open_hognose(PYMALLOC).and_then(|()| all::<peers::Opened>(options, rows)),
        "cpython-pymalloc" | "cpython-mimalloc" | "cpython-debug" => {
            peers::open_cpython().and_then(|()| all::<peers::Opened>(options, rows))
        }
        "mimalloc" => all::<peers::Mimalloc>(options, rows),
        #[cfg(feature = "jemalloc")]
        "jemalloc" => all::<peers::Jemalloc>(options, rows),
        #[cfg(feature = "snmalloc")]
        "snmalloc" => all::<peers::Snmalloc>(options, rows),
        "system" => all::<peers::System>(options, rows),
        _ => Err(format!("{name} is not built")),
    }
}

/// Whether this program was built with a peer.
fn is_built(name: &str) -> bool {
    match name {
        "jemalloc" => cfg!(feature = "jemalloc"),
        "snmalloc" => cfg!(feature = "snmalloc"),
        _ => true,
    }
}

fn million<P: Peer>() {
    for _ in 0..1_000_000 {
        P::free(2, cycles::opaque(P::malloc(2, 48)));
    }
}

fn count(name: &str) -> Result<(), String> {
    match name {
        "hognose-static" => start(PYMALLOC).map(|()| million::<peers::Linked>()),
        "hognose-shared" => peers::open_hognose(PYMALLOC).map(|()| million::<peers::Opened>()),
        "hognose-malloc" => start(MALLOC).map(|()| million::<peers::Linked>()),
        "hognose-mimalloc" => start(MIMALLOC).map(|()| million::<peers::Linked>()),
        "hognose-debug" => start(PYMALLOC_DEBUG).map(|()| million::<peers::Linked>()),
        "cpython" => peers::open_cpython().map(|()| million::<peers::Opened>()),
        "mimalloc" => {
            million::<peers::Mimalloc>();
            Ok(())
        }
        "system" => {
            million::<peers::System>();
            Ok(())
        }
        _ => Err(format!("no peer {name}")),
    }
}

/// Stays on the processor on which it runs now.
fn pin() {
    // SAFETY: plain system calls with a set of our own.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(libc::sched_getcpu().max(0) as usize, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set);
    }
}

/* ---- In the process that compares ---- */

/// Least and medians of each case of each peer.
pub type Results = BTreeMap<String, BTreeMap<String, (f64, Vec<f64>)>>;

fn compare(options: &Options) -> Result<Results, String> {
    let exe = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut results = Results::new();
    let mut missing = Vec::new();
    let paths = options.traces.as_deref().map_or(Ok(Vec::new()), traces)?;
    for round in 0..options.rounds {
        for (name, _) in PEERS {
            let wanted = options.only.as_ref().is_none_or(|only| only.iter().any(|o| o == name));
            if !wanted || missing.contains(name) {
                continue;
            }
            // A process for the small cases, and one for each trace: its resident set starts afresh.
            for part in core::iter::once(None).chain(paths.iter().map(Some)) {
                if part.is_some() && *name == "hognose-typed" {
                    continue;
                }
                let program = options.other.as_ref().filter(|_| !is_built(name)).unwrap_or(&exe);
                let mut command = Command::new(program);
                command.args(["--peer", name]);
                if let Some(path) = part {
                    command.arg("--trace").arg(path);
                }
                if let Some((_, allocator)) = name.split_once("cpython-") {
                    command.env("PYTHONMALLOC", if allocator == "debug" { "pymalloc_debug" } else { allocator });
                }
                let output = command.output().map_err(|e| e.to_string())?;
                if !output.status.success() {
                    eprintln!("{name} is left out: {}", String::from_utf8_lossy(&output.stderr).trim());
                    missing.push(name);
                    break;
                }
                take(&mut results, name, &String::from_utf8_lossy(&output.stdout))?;
            }
        }
        eprintln!("round {} of {}", round + 1, options.rounds);
    }
    Ok(results)
}

/// Enters what a peer's process said.
fn take(results: &mut Results, name: &str, text: &str) -> Result<(), String> {
    for line in text.lines() {
        let mut fields = line.split('\t');
        let (Some(case), Some(least), Some(median)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(format!("{name} said {line}"));
        };
        let number = |text: &str| text.parse::<f64>().map_err(|e| e.to_string());
        let cell = results.entry(name.into()).or_default();
        let (kept, medians) = cell.entry(case.into()).or_insert((f64::MAX, Vec::new()));
        *kept = kept.min(number(least)?);
        medians.push(number(median)?);
    }
    Ok(())
}

fn run() -> Result<(), String> {
    let options = options()?;
    pin();
    if let Some(name) = &options.count {
        return count(name);
    }
    if let Some(name) = &options.peer {
        let mut rows = Vec::new();
        with_peer(name, &options, &mut rows)?;
        for (case, least, median) in rows {
            println!("{case}\t{least}\t{median}");
        }
        return Ok(());
    }
    if options.traces.is_none() {
        eprintln!("no traces are replayed: --traces names a folder of them");
    }
    let results = compare(&options)?;
    let text = table::markdown(&results, options.rounds);
    print!("{text}");
    if let Some(path) = &options.table {
        std::fs::write(path, &text).map_err(|e| e.to_string())?;
    }
    if let Some(path) = &options.plot {
        plot::write(&results, path)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
