//! Compiles the programs of `tests/c` against `include/` and the library, and runs them under every allocator.
//!
//! Each program ends with the check that no domain has a block left (contract D4).

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a test, not the runtime")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ALLOCATORS: &[&str] = &["malloc", "malloc_debug", "pymalloc", "pymalloc_debug", "mimalloc", "mimalloc_debug"];

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
        let output =
            Command::new(&program).args(arguments).env("PYTHONMALLOC", allocator).output().expect("the program starts");
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
fn arguments_are_parsed() {
    run_everywhere("parse_formats", &[]);
}

#[test]
fn domains_work() {
    run_everywhere("memory", &[]);
}

#[test]
fn many_lives_leave_nothing() {
    let name = "thousand_lives";
    let program = program(name);
    compile("cc", name, &["-std=c11"], &program);
    for allocator in ["malloc", "pymalloc", "mimalloc"] {
        let output =
            Command::new(&program).arg("100").env("PYTHONMALLOC", allocator).output().expect("the program starts");
        succeeds(&format!("{name} under {allocator}"), &output);
    }
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
        let output = Command::new(&program).output().expect("the program starts");
        succeeds("hygiene", &output);
    }
}
