//! Runs each program in `tests/py` under each allocator: it must succeed and leave nothing behind.

use std::path::Path;
use std::process::Command;

const ALLOCATORS: [&str; 6] = ["malloc", "pymalloc", "mimalloc", "pymalloc_debug", "mimalloc_debug", "guard"];

fn run(allocator: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hognose"))
        .args(["-X", "memstats"])
        .args(arguments)
        .env("PYTHONMALLOC", allocator)
        .output()
        .expect("the command runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Whether the figures at the end say that no block is alive.
fn is_nothing_left(errors: &str) -> bool {
    ["raw", "mem", "obj"]
        .iter()
        .all(|domain| errors.contains(&format!("hognose-memstats: {domain} live_blocks=0 live_bytes=0 ")))
}

fn assert_nothing_left(allocator: &str, program: &str, errors: &str) {
    assert!(is_nothing_left(errors), "{program} under {allocator} left blocks:\n{errors}");
}

/// D4: every program ends with zero live blocks in each domain, whatever allocator serves it.
#[test]
fn programs_succeed_and_leave_nothing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/py");
    let mut programs: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("the entry can be read").path())
        .filter(|path| path.extension().is_some_and(|e| e == "py"))
        .collect();
    programs.sort();
    assert!(!programs.is_empty());
    let mut failures = String::new();
    for program in programs {
        let program = program.to_str().expect("a path in UTF-8").to_owned();
        for allocator in ALLOCATORS {
            let (status, output, errors) = run(allocator, &[&program]);
            if status != Some(0) || !is_nothing_left(&errors) {
                failures += &format!("{program} under {allocator} ended with {status:?}:\n{output}{errors}\n");
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// The build puts an image of the start into the command, unless another linker was asked for.
#[test]
fn the_command_has_a_start_image() {
    const OTHER_LINKER: &str = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER";
    if cfg!(not(all(target_os = "linux", target_arch = "x86_64"))) || std::env::var_os(OTHER_LINKER).is_some() {
        println!("skipped: this build has no linker of the project's own");
        return;
    }
    let ask = "import sys; print(sys._hognose.start_image()['main'] is not None)";
    let (status, output, errors) = run("pymalloc", &["-c", ask]);
    assert_eq!((status, output.as_str()), (Some(0), "True\n"), "{errors}");
    let (status, output, errors) = run("pymalloc", &["-X", "start_image=off", "-c", ask]);
    assert_eq!((status, output.as_str()), (Some(0), "False\n"), "{errors}");

    // Once more, by hand, into a copy.
    let command = Path::new(env!("CARGO_BIN_EXE_hognose"));
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hognose-with-image");
    std::fs::copy(command, &copy).expect("the command is copied");
    let store = |file: &Path| {
        let output = Command::new(command).arg("--store-start-image").arg(file).output().expect("the command runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(store(&copy), (Some(0), String::new()));
    let output = Command::new(&copy).args(["-X", "memstats", "-c", ask]).output().expect("the copy runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "True\n");
    assert_nothing_left("pymalloc", "the copy", &String::from_utf8_lossy(&output.stderr));
    std::fs::remove_file(&copy).expect("the copy is removed");
    let (status, errors) = store(Path::new(file!()));
    assert_eq!(status, Some(1), "{errors}");
    assert!(errors.contains("Hog_StoreStartImage: "), "{errors}");
}

#[test]
fn command_and_exit_status() {
    let (status, output, errors) = run("pymalloc", &["-c", "import sys; print(sys.argv); sys.exit(7)", "a", "b"]);
    assert_eq!((status, output.as_str()), (Some(7), "['-c', 'a', 'b']\n"), "{errors}");
    assert_nothing_left("pymalloc", "-c", &errors);
}

#[test]
fn uncaught_exception_is_printed_with_carets() {
    let (status, _, errors) = run("pymalloc", &["-c", "def f(x):\n    return 1 / x\nf(0)"]);
    assert_eq!(status, Some(1));
    let expected = "Traceback (most recent call last):\n  File \"<string>\", line 3, in <module>\n    f(0)\n    ~^^^\n  \
                    File \"<string>\", line 2, in f\n    return 1 / x\n           ~~^~~\nZeroDivisionError: division by zero\n";
    assert!(errors.starts_with(expected), "{errors}");
    assert_nothing_left("pymalloc", "-c", &errors);
}

#[test]
fn unknown_allocator_is_an_error() {
    let (status, _, errors) = run("nonsense", &["-c", "pass"]);
    assert_eq!(status, Some(1));
    assert!(errors.contains("PYTHONMALLOC: unknown allocator"), "{errors}");
}

#[test]
fn syntax_error_has_text_position_and_caret() {
    let (status, _, errors) = run("pymalloc", &["-c", "x = (1,"]);
    assert_eq!(status, Some(1));
    assert!(errors.contains("SyntaxError: '(' was never closed"), "{errors}");
    assert!(errors.contains("    x = (1,\n        ^\n"), "{errors}");
}

#[test]
fn too_much_is_refused_with_an_exception() {
    let program = "
def depth(n): return depth(n + 1)
for action, error in [
    (lambda: depth(0), RecursionError),
    (lambda: bytes(2**60), MemoryError),
    (lambda: [0] * 2**60, MemoryError),
    (lambda: 1 << (1 << 62), OverflowError),
]:
    try:
        action()
    except error:
        pass
    else:
        raise SystemExit(f'no {error.__name__}')
nested = []
for _ in range(100000):
    nested = [nested]
try:
    repr(nested)
except RecursionError:
    pass
else:
    raise SystemExit('repr of a deep list')
";
    let (status, output, errors) = run("pymalloc", &["-c", program]);
    assert_eq!(status, Some(0), "{output}{errors}");
    assert_nothing_left("pymalloc", "-c", &errors);
}
