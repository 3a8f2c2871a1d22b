//! The installed CPythons under the domains. What is not installed is skipped, with a message.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The launcher, with the library built beside it.
fn launcher() -> &'static Path {
    static READY: OnceLock<PathBuf> = OnceLock::new();
    READY.get_or_init(|| {
        let launcher = PathBuf::from(env!("CARGO_BIN_EXE_hognose-run"));
        // Cargo builds a library that nothing links with only when it is asked to.
        let folder = launcher.parent().expect("a folder");
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--ignore-rust-version", "-p", "hognose-stock", "--lib", "--target-dir"]);
        build.arg(folder.parent().expect("the target folder"));
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo").success(), "the library is built");
        launcher
    })
}

/// An installed CPython.
struct Python {
    path: PathBuf,
    version: String,
}

/// The CPythons from 3.11 to 3.14 that are installed, one of each version.
fn pythons() -> Vec<Python> {
    let mut found = Vec::<Python>::new();
    for minor in 11..=14 {
        let name = format!("python3.{minor}");
        let mut places: Vec<PathBuf> = std::env::var_os("PATH").iter().flat_map(std::env::split_paths).collect();
        if let Some(home) = std::env::var_os("PYENV_ROOT")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".pyenv")))
        {
            let versions = std::fs::read_dir(home.join("versions")).into_iter().flatten().flatten();
            places.extend(versions.map(|entry| entry.path().join("bin")));
        }
        for place in places {
            let path = place.join(&name);
            let code = "import sys; assert sys.implementation.name == 'cpython'; print(sys.version.split()[0], end='')";
            let Ok(output) = Command::new(&path).args(["-I", "-c", code]).output() else { continue };
            let version = String::from_utf8_lossy(&output.stdout).into_owned();
            if output.status.success() && found.iter().all(|python| python.version != version) {
                found.push(Python { path, version });
            }
        }
    }
    if found.is_empty() {
        eprintln!("skipped: no CPython 3.11 to 3.14 is installed");
    }
    found
}

fn run(python: &Python, options: &[&str], arguments: &[&str]) -> Output {
    Command::new(launcher())
        .args(options)
        .arg(&python.path)
        .args(arguments)
        .env("PYTHONMALLOC", "malloc")
        .output()
        .expect("the launcher starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The numbers of the line of the figures that begins with a word: allocations, freed, live blocks, live bytes.
fn figures(text: &str, domain: &str) -> Vec<u64> {
    let line =
        text.lines().find(|line| line.trim_start().starts_with(&format!("{domain} "))).expect("the domain's line");
    line.split_whitespace().skip(1).map(|number| number.parse().expect("a number")).collect()
}

/// Blocks that threads pass to each other, to threads that come later, and to a child.
const THREADS: &str = "
import threading, os, queue, sys, gc
q = queue.Queue()
def make(n):
    for i in range(n):
        q.put([str(i) * 7, {i: bytes(i % 3000)}, (i,) * 5])
def take(n):
    for i in range(n):
        a, b, c = q.get()
        assert a == str(c[0]) * 7 and b[c[0]] == bytes(c[0] % 3000) and c == (c[0],) * 5
for _ in range(10):
    threads = [threading.Thread(target=f, args=(500,)) for f in (make, take, make, take)]
    for t in threads: t.start()
    for t in threads: t.join()
assert q.empty()
waiting = threading.Event()
kept = []
def hold():
    kept.append([object() for _ in range(1000)])
    waiting.wait()
t = threading.Thread(target=hold); t.start()
while not kept: pass
pid = os.fork()
if pid == 0:
    # What the thread had is freed where the thread is not.
    kept.clear(); gc.collect()
    kept.append([object() for _ in range(2000)])
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
waiting.set(); t.join()
print('whole')
";

#[test]
fn threads_share_blocks_under_every_allocator() {
    for python in pythons() {
        for name in ["pymalloc", "mimalloc", "malloc", "guard", "debug", "mimalloc_debug", "malloc_debug"] {
            let malloc = format!("--malloc={name}");
            let output = run(&python, &[&malloc, "--guard=50", "--stats"], &["-c", THREADS]);
            let error = text(&output.stderr);
            assert!(output.status.success(), "{} {name}: {error}", python.version);
            assert_eq!(text(&output.stdout), "whole\n");
            let [mem, obj] = ["mem", "obj"].map(|domain| figures(&error, domain));
            assert!(obj[0] > 30_000, "{} {name}: objects come from here: {error}", python.version);
            assert!(mem[0] > 1000 && mem[2] * 10 < mem[0], "{} {name}: buffers come and go: {error}", python.version);
            assert_eq!(obj[0] - obj[1], obj[2]);
        }
    }
}

#[test]
fn the_census_sees_sizes() {
    let code = "kept = [bytes(400) for _ in range(12345)]; import os; os._exit(0) if 0 else None";
    for python in pythons() {
        let plain = run(&python, &["--stats"], &["-c", "pass"]);
        let output = run(&python, &["--stats"], &["-c", code]);
        // 400 bytes and the head of a bytes object are in the class up to 448.
        let came = |output: &Output| {
            let error = text(&output.stderr);
            let line = error.lines().find(|line| line.trim_start().starts_with("448 ")).expect("the class").to_owned();
            line.split_whitespace().nth(3).expect("objects").parse::<u64>().expect("a number")
        };
        let difference = came(&output) - came(&plain);
        assert!((12_345..12_600).contains(&difference), "{}: {difference}", python.version);
    }
}

#[test]
fn subinterpreters_have_their_own_gil() {
    let code = "
import sys, threading
try:
    import _interpreters as m
except ImportError:
    import _xxsubinterpreters as m
def run():
    i = m.create()
    for _ in range(5):
        if hasattr(m, 'run_string'): m.run_string(i, 'x = [str(j) * 3 for j in range(20000)]; del x')
        else: m.exec(i, 'x = [str(j) * 3 for j in range(20000)]; del x')
    m.destroy(i)
threads = [threading.Thread(target=run) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print('whole')
";
    for python in pythons().into_iter().filter(|python| !python.version.starts_with("3.11.")) {
        let output = run(&python, &["--malloc=pymalloc"], &["-c", code]);
        assert!(output.status.success(), "{}: {}", python.version, text(&output.stderr));
        assert_eq!(text(&output.stdout), "whole\n");
    }
}

/// A use after free, an overflow: what the debug hooks and the sampling of `guard` are there for.
#[test]
fn crimes_are_reported() {
    let overflow = "
import ctypes
malloc = ctypes.pythonapi.PyMem_Malloc; malloc.restype = ctypes.c_void_p; malloc.argtypes = [ctypes.c_size_t]
free = ctypes.pythonapi.PyMem_Free; free.argtypes = [ctypes.c_void_p]
p = malloc(16)
if 'LOOP' in globals():
    # Reading behind a block that is not sampled harms nothing.
    for _ in range(20000):
        q = malloc(16); ctypes.string_at(q, 17); free(q)
else:
    ctypes.memset(p, 1, 17)
free(p)
";
    for python in pythons() {
        for (name, report) in [("debug", "bytes originally requested"), ("guard", "Guard: buffer overflow")] {
            let malloc = format!("--malloc={name}");
            let code = if name == "guard" { format!("LOOP = 1{overflow}") } else { overflow.to_owned() };
            let output = run(&python, &[&malloc, "--guard=100:8192"], &["-c", &code]);
            let error = text(&output.stderr);
            assert!(!output.status.success(), "{} {name}", python.version);
            assert!(error.contains(report), "{} {name}: {error}", python.version);
        }
    }
}

/// Who asked for an allocator does not run without it.
#[test]
fn mistakes_are_told() {
    let run = |arguments: &[&str]| Command::new(launcher()).args(arguments).output().expect("the launcher starts");
    let output = run(&["--malloc=nothing", "true"]);
    assert_eq!(output.status.code(), Some(125));
    assert!(text(&output.stderr).contains("valid names are"));
    assert_eq!(run(&["/nonexistent/python"]).status.code(), Some(127));
    assert_eq!(run(&["--guard=often", "true"]).status.code(), Some(125));
    // What is no CPython is left alone.
    let output = run(&["--stats", "sh", "-c", "echo $HOGNOSE_MALLOC; exit 3"]);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(3), "pymalloc\n"));
    assert_eq!(text(&output.stderr), "");
}

/// CPython's own tests. A test that fails without the library too says nothing about it, so such are taken out first.
///
/// All of them take minutes for each CPython: with `HOGNOSE_STOCK_TESTS=all` each one that is installed runs them,
/// otherwise the newest runs the quick ones.
#[test]
fn cpythons_own_tests_pass() {
    const QUICK: [&str; 4] = ["test_list", "test_dict", "test_json", "test_gc"];
    const SLOW: [&str; 2] = ["test_re", "test_threading"];
    let all = std::env::var_os("HOGNOSE_STOCK_TESTS").is_some_and(|value| value == "all");
    let slow = if all { &SLOW[..] } else { &[] };
    let mut pythons = pythons();
    if !all {
        pythons.drain(..pythons.len().saturating_sub(1));
    }
    for python in pythons {
        let has = Command::new(&python.path).args(["-c", "import test.test_list"]).output().expect("it starts");
        if !has.status.success() {
            eprintln!("skipped: CPython {} is installed without its tests", python.version);
            continue;
        }
        let folder = std::env::temp_dir().join(format!("hognose-stock-{}-{}", python.version, std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        for test in QUICK.iter().chain(slow) {
            let arguments = ["-m", "test", "-v", *test];
            let output = |command: &mut Command| command.current_dir(&folder).output().expect("it starts");
            let ours = output(Command::new(launcher()).arg(&python.path).args(arguments));
            if ours.status.success() {
                continue;
            }
            let theirs = output(Command::new(&python.path).args(arguments));
            let failed = |output: &Output| -> Vec<String> {
                let all = text(&output.stdout) + &text(&output.stderr);
                let lines = all.lines().filter(|line| line.starts_with("FAIL: ") || line.starts_with("ERROR: "));
                lines.map(str::to_owned).collect()
            };
            let (here, there) = (failed(&ours), failed(&theirs));
            let new: Vec<_> = here.iter().filter(|line| !there.contains(line)).collect();
            assert!(
                !here.is_empty() && new.is_empty(),
                "CPython {} {test}: {new:?}\n{}",
                python.version,
                text(&ours.stdout)
            );
            eprintln!("CPython {} {test}: fails without the library too: {here:?}", python.version);
        }
        std::fs::remove_dir_all(&folder).expect("the folder goes");
    }
}
