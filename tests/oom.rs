//! The operations of the built-in types with each of their allocations failing (`tests/oom`).
//!
//! Each file runs twice: by itself, where it fails every allocation of every operation in one process and looks at what
//! comes of it, and under `--oom-sweep`, where a child goes on from a failure to the end of its life. Steps keep the
//! second to seconds; by hand, `hognose --oom-sweep --phase script tests/oom/NAME.py once` tries them all.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a test, not the runtime")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The sweep tries every so many-th allocation; a prime number, so that it falls on others when a file changes.
const STEP: &str = "97";

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oom").join(format!("{name}.py"))
}

fn hognose() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hognose"));
    for (variable, _) in std::env::vars().filter(|(name, _)| name.starts_with("PYTHON")) {
        command.env_remove(variable);
    }
    command
}

fn text(output: &Output) -> String {
    format!("{}\n{}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn each_failure_is_clean(name: &str) {
    for allocator in ["pymalloc", "malloc_debug"] {
        let output = hognose()
            .args(["-X", "memstats"])
            .arg(file(name))
            .env("PYTHONMALLOC", allocator)
            .output()
            .expect("the program starts");
        assert!(output.status.success(), "{name} under {allocator}: {}", text(&output));
    }
}

fn ends_are_clean(name: &str) {
    let output = hognose()
        .args(["--oom-sweep", "--phase", "script", "--jobs", "2", "--step", STEP])
        .arg(file(name))
        .arg("once")
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{name}: {}", text(&output));
}

macro_rules! files {
    ($($name:ident)*) => {
        $(
            mod $name {
                #[test]
                fn each_failure_is_clean() {
                    super::each_failure_is_clean(stringify!($name).trim_end_matches('_'));
                }

                #[test]
                fn ends_are_clean() {
                    super::ends_are_clean(stringify!($name).trim_end_matches('_'));
                }
            }
        )*

        #[test]
        fn each_file_is_run() {
            let named = [$(stringify!($name).trim_end_matches('_')),*];
            for entry in std::fs::read_dir(file("harness").parent().expect("a folder")).expect("the folder") {
                let name = entry.expect("an entry").file_name().into_string().expect("a name");
                let Some(name) = name.strip_suffix(".py") else { continue };
                assert!(name == "harness" || named.contains(&name), "{name}.py is not in the list");
            }
        }
    };
}

files! {
    int float complex bool_ str_ bytes bytearray memoryview list tuple dict set frozenset range slice iterators
    descriptors type_ functions generators modules typing_forms weakrefs exceptions
}
