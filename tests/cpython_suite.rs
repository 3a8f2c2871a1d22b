//! Runs a quick part of CPython's own tests (tests/cpython), when a CPython that has them is installed.

use std::path::Path;
use std::process::Command;

/// CPython 3.13 with its `test` package: what `HOGNOSE_CPYTHON` names, or else one that is found.
fn find_cpython() -> Option<String> {
    let usable = |program: &str| {
        let check = "import sys, test.support; sys.exit(sys.version_info[:2] != (3, 13) or sys.implementation.name != 'cpython')";
        Command::new(program).args(["-c", check]).output().is_ok_and(|output| output.status.success())
    };
    if let Ok(named) = std::env::var("HOGNOSE_CPYTHON") {
        assert!(usable(&named), "HOGNOSE_CPYTHON={named} is no CPython 3.13 with its tests");
        return Some(named);
    }
    let pyenv = Command::new("pyenv").arg("root").output().ok().filter(|output| output.status.success());
    let versions = pyenv.map(|root| Path::new(String::from_utf8_lossy(&root.stdout).trim()).join("versions"));
    let installed = versions.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let installed = installed.map(|version| version.path().join("bin/python3.13").to_string_lossy().into_owned());
    ["python3.13".to_owned(), "python3".to_owned()].into_iter().chain(installed).find(|program| usable(program))
}

/// No test of the quick part fails that is not known to, none passes that is, and none leaves a block behind.
#[test]
fn the_quick_part_of_cpythons_tests_is_as_expected() {
    let Some(python) = find_cpython() else {
        println!("skipped: no CPython 3.13 with its tests is installed (HOGNOSE_CPYTHON may name one)");
        return;
    };
    let runner = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cpython/run.py");
    let output = Command::new(&python)
        .arg(runner)
        .args(["--hognose", env!("CARGO_BIN_EXE_hognose"), "--list", "fast", "--timeout", "900"])
        .output()
        .expect("the runner runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}
