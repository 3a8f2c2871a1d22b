//! Compiles the programs of `tests/c` against `include/` and the library, and runs them under every allocator.
//!
//! Each program ends with the check that no domain has a block left (contract D4).

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a test, not the runtime")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ALLOCATORS: &[&str] =
    &["malloc", "malloc_debug", "pymalloc", "pymalloc_debug", "mimalloc", "mimalloc_debug", "guard"];

/// The directory with the shared library: that of the test program, or its parent.
fn library_directory() -> PathBuf {
    let program = std::env::current_exe().expect("the test's own path");
    let deps = program.parent().expect("a directory");
    for directory in [deps, deps.parent().expect("a parent")] {
        if directory.join("libhognose.so").is_file() {
            return directory.to_path_buf();
        }
    }
    panic!("libhognose.so is not beside the tests: build the package first");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn succeeds(what: &str, output: &Output) {
    assert!(
        output.status.success(),
        "{what}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Compiles a program; the flags say what is special.
fn compile(compiler: &str, name: &str, flags: &[&str], program: &Path) {
    let source = root().join("tests/c").join(format!("{name}.c"));
    let library = library_directory();
    let output = Command::new(compiler)
        .args(["-Wall", "-Wextra", "-Werror", "-O1", "-g"])
        .args(flags)
        .arg("-I")
        .arg(root().join("include"))
        .arg(&source)
        .arg("-o")
        .arg(program)
        .args(["-x", "none"])
        .arg("-L")
        .arg(&library)
        .arg("-lhognose")
        .arg(format!("-Wl,-rpath,{}", library.display()))
        .output()
        .expect("the C compiler starts");
    succeeds(&format!("compiling {name}"), &output);
}

fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("c-{name}"))
}

fn run_everywhere(name: &str, arguments: &[&str]) {
    let program = program(name);
    compile("cc", name, &["-std=c11"], &program);
    for allocator in ALLOCATORS {
        let output = Command::new(&program)
            .args(arguments)
            .env("PYTHONMALLOC", allocator)
            .env("LD_LIBRARY_PATH", library_directory())
            .output()
            .expect("the program starts");
        succeeds(&format!("{name} under {allocator}"), &output);
    }
}

#[test]
fn text_is_run() {
    run_everywhere("very_high_level", &[]);
}

#[test]
fn a_scripts_function_is_called() {
    run_everywhere("call_function", &[]);
}

#[test]
fn a_program_offers_modules() {
    run_everywhere("extend_embedded", &["two", "three"]);
}

#[test]
fn objects_are_made_and_looked_at() {
    run_everywhere("objects", &[]);
}

#[test]
fn dates_and_times_are_shared_with_c() {
    run_everywhere("dates_and_times", &[]);
}

#[test]
fn arguments_are_parsed() {
    run_everywhere("parse_formats", &[]);
}

#[test]
fn domains_work() {
    run_everywhere("memory", &[]);
}

#[test]
fn events_files_and_frames() {
    run_everywhere("events_and_files", &[]);
}

#[test]
fn figures_and_limits() {
    run_everywhere("numbers", &[]);
}

#[test]
fn interpreters_are_many() {
    run_everywhere("subinterpreters", &[]);
}

#[test]
fn interpreters_come_and_go() {
    run_everywhere("interpreter_churn", &["24"]);
}

#[test]
fn interpreters_run_beside_each_other() {
    run_everywhere("parallel_interpreters", &[]);
}

#[test]
fn interpreters_survive_failing_allocations() {
    run_everywhere("failing_interpreters", &["17"]);
}

#[test]
fn interpreters_end_while_threads_come_in() {
    run_everywhere("interpreter_stress", &["2", "7"]);
}

/// D4: what is left alive is named by its type, classes included, whatever allocator serves it.
#[test]
fn what_leaks_is_named() {
    let program = program("leak");
    compile("cc", "leak", &["-std=c11"], &program);
    for allocator in ALLOCATORS {
        for (arguments, before) in [(&[][..], " block of "), (&["much"], " blocks of ")] {
            let output = Command::new(&program)
                .args(arguments)
                .env("PYTHONMALLOC", allocator)
                .env("LD_LIBRARY_PATH", library_directory())
                .output()
                .expect("the program starts");
            succeeds(&format!("leak under {allocator}"), &output);
            let report = String::from_utf8_lossy(&output.stderr);
            for name in ["Leaky", "WithMeta", "Meta", "list", "type", "str"] {
                let end = format!(", type {name}");
                let is_named = report.lines().any(|line| line.ends_with(&end) && line.contains(before));
                assert!(is_named, "no {name} in the report under {allocator}:\n{report}");
            }
        }
    }
}

/// The same as data, with the module and the place, and nothing when nothing leaks.
#[test]
fn leaks_are_told_as_data() {
    run_everywhere("leak_report", &[]);
}

#[test]
fn functions_of_old_are_honoured() {
    run_everywhere("legacy_init", &[]);
}

#[test]
fn blocks_are_traced() {
    run_everywhere("tracemalloc", &[]);
}

/// Every 199th allocation of a life, in each mode and under each allocator, leaves nothing; the whole sweep is
/// `failing_lives 1` (docs/testing.md).
#[test]
fn a_life_survives_failing_allocations() {
    run_everywhere("failing_lives", &["199"]);
}

/// The same by arguments and by names, more coarsely: what they add is in the first allocations, and of those none is
/// left out by `tests/config_oom.rs`.
#[test]
fn every_door_survives_failing_allocations() {
    let program = program("failing_lives");
    compile("cc", "failing_lives", &["-std=c11"], &program);
    for door in ["1", "2"] {
        let output = Command::new(&program)
            .args(["397", door])
            .env("LD_LIBRARY_PATH", library_directory())
            .output()
            .expect("the program starts");
        succeeds(&format!("failing_lives by door {door}"), &output);
    }
}

#[test]
fn settings_are_made_by_names() {
    run_everywhere("init_config", &[]);
}

#[test]
fn an_installed_library_is_found() {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("installed");
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("built");
    let _ = std::fs::remove_dir_all(&place);
    let _ = std::fs::remove_dir_all(&built);
    std::fs::create_dir_all(&built).expect("a directory");
    let library = library_directory();
    for (file, from) in [
        ("libhognose.so", library.join("libhognose.so")),
        ("libhognose.a", library.join("libhognose.a")),
        ("hognose", PathBuf::from(env!("CARGO_BIN_EXE_hognose"))),
    ] {
        std::os::unix::fs::symlink(from, built.join(file)).expect("a link");
    }
    let install = root().join("scripts/install");
    let output = Command::new(install)
        .args(["--prefix".as_ref(), place.as_os_str(), "--built".as_ref(), built.as_os_str()])
        .output()
        .expect("the script starts");
    succeeds("scripts/install", &output);
    let flags = Command::new(place.join("bin/hognose-config"))
        .args(["--cflags", "--ldflags", "--embed"])
        .output()
        .expect("hognose-config starts");
    succeeds("hognose-config", &flags);
    let flags = String::from_utf8(flags.stdout).expect("text");
    let program = program("installed");
    let output = Command::new("cc")
        .arg(root().join("tests/c/very_high_level.c"))
        .args(["-o".as_ref(), program.as_os_str()])
        .args(flags.split_whitespace())
        .output()
        .expect("the C compiler starts");
    succeeds("compiling with hognose-config", &output);
    succeeds("the program", &Command::new(&program).output().expect("the program starts"));
    let output = Command::new(place.join("bin/hognose")).args(["-c", "print(6 * 7)"]).output().expect("hognose starts");
    assert_eq!(output.stdout, b"42\n");
}

#[test]
fn frames_are_run_by_a_function_of_c() {
    run_everywhere("frame_evaluation", &[]);
}

#[test]
fn objects_are_traced() {
    run_everywhere("reference_tracer", &[]);
}

#[test]
fn threads_come_and_go() {
    run_everywhere("threads", &[]);
}

#[test]
fn threads_do_as_they_like() {
    run_everywhere("threads_stress", &["8"]);
}

#[test]
fn hooks_come_and_go_under_threads() {
    run_everywhere("hook_stack", &[]);
}

#[test]
fn arenas_come_from_the_program() {
    run_everywhere("arenas", &[]);
}

/// A program that judges children of its own, under allocators that it names itself.
fn judges(name: &str) {
    let program = program(name);
    compile("cc", name, &["-std=c11"], &program);
    let output =
        Command::new(&program).env("LD_LIBRARY_PATH", library_directory()).output().expect("the program starts");
    succeeds(name, &output);
}

/// D6: each report of the debug hooks, line by line.
#[test]
fn crimes_are_reported() {
    judges("memory_crimes");
}

#[test]
fn guarded_blocks_fault() {
    judges("guard");
}

#[test]
fn a_start_image_is_stored() {
    run_everywhere("store_start_image", &[]);
}

#[test]
fn many_lives_leave_nothing() {
    let name = "thousand_lives";
    let program = program(name);
    compile("cc", name, &["-std=c11"], &program);
    let run = |allocator: &str, arguments: &[&str]| {
        let output = Command::new(&program)
            .args(arguments)
            .env("PYTHONMALLOC", allocator)
            .env("LD_LIBRARY_PATH", library_directory())
            // The C library's own caches fill by and by.
            .env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0")
            .output()
            .expect("the program starts");
        succeeds(&format!("{name} {arguments:?} under {allocator}"), &output);
    };
    for allocator in ["malloc", "pymalloc", "mimalloc"] {
        run(allocator, &["50"]);
    }
    // Each life with an allocator and a configuration of its own.
    run("", &["24", "mixed"]);
}

#[test]
fn headers_are_clean() {
    for (compiler, flags) in [
        ("cc", &["-std=c11", "-pedantic"][..]),
        ("cc", &["-std=c11", "-DPy_LIMITED_API=0x030E0000"]),
        ("c++", &["-x", "c++", "-std=c++17"]),
        ("c++", &["-x", "c++", "-std=c++17", "-DPy_LIMITED_API=0x030E0000"]),
    ] {
        let program = program(&format!("hygiene-{}", flags.join("").replace(['/', '='], "")));
        compile(compiler, "hygiene", flags, &program);
        let output =
            Command::new(&program).env("LD_LIBRARY_PATH", library_directory()).output().expect("the program starts");
        succeeds("hygiene", &output);
    }
}

/// Exported on purpose without a declaration: macros of the headers stand for them, or they are names of old
/// extension modules.
const NOT_DECLARED: &[&str] = &["PyObject_TypeCheck", "Py_REFCNT", "Py_TYPE", "PyImport_ImportModuleEx"];

/// The names that the headers declare.
fn declared() -> std::collections::BTreeSet<String> {
    let mut names = std::collections::BTreeSet::new();
    let mut folders = vec![root().join("include")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(path).expect("a header");
            for part in text.split("PyAPI_").skip(1).filter(|p| p.starts_with("FUNC(") || p.starts_with("DATA(")) {
                // Past the type in parentheses, which may have some inside, and an attribute.
                let Some((_, rest)) = part.split_once(") ") else { continue };
                let rest = rest.trim_start().trim_start_matches("_Py_NO_RETURN ");
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if name.starts_with("Py") || name.starts_with("_Py") || name.contains("Hog_") {
                    names.insert(name);
                }
            }
        }
    }
    names
}

#[test]
fn headers_and_library_agree() {
    let output = Command::new("nm")
        .args(["-D", "--defined-only"])
        .arg(library_directory().join("libhognose.so"))
        .output()
        .expect("nm starts");
    succeeds("nm", &output);
    let text = String::from_utf8_lossy(&output.stdout);
    let exported: std::collections::BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    let declared = declared();
    assert!(declared.len() > 800, "the headers were not understood: {}", declared.len());
    let missing: Vec<_> = declared.iter().filter(|name| !exported.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "declared, but not exported: {missing:?}");
    let public = |name: &&&str| {
        (name.starts_with("Py") || name.starts_with("Hog_"))
            && !name.starts_with("PyODict")
            && !name.starts_with("PyContext")
    };
    let hidden: Vec<_> = exported
        .iter()
        .filter(public)
        .filter(|name| !declared.contains(**name) && !NOT_DECLARED.contains(name) && !name.starts_with("PyExc__"))
        .collect();
    assert!(hidden.is_empty(), "exported, but not declared: {hidden:?}");
}
