//! What the command prints about memory: `-X memstats[=json]`, `-X memlimit`, `PYTHONMALLOCSTATS`.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a test, not the runtime")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

const ALLOCATORS: &[&str] = &["malloc", "malloc_debug", "pymalloc", "pymalloc_debug", "mimalloc", "mimalloc_debug"];

fn run(allocator: &str, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hognose"))
        .args(arguments)
        .env("PYTHONMALLOC", allocator)
        .envs(environment.iter().copied())
        .output()
        .expect("the command starts")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// D7: the JSON text is one object on one line, and its figures agree with each other.
#[test]
fn figures_as_json() {
    let check = "
import json, sys
text = sys.stdin.read()
assert text.count('\\n') == 1 and text.endswith('\\n'), text
figures = json.loads(text)
assert figures['version'] == 1
assert figures['allocator'] == sys.argv[1].removesuffix('_debug'), figures['allocator']
for name in ('raw', 'mem', 'obj'):
    domain = figures[name]
    assert domain['live_blocks'] == domain['live_bytes'] == 0, (name, domain)
    assert domain['peak_blocks'] > 0 and domain['peak_bytes'] > 0, (name, domain)
    assert domain['allocations'] > 0 and domain['total_bytes'] >= 8 * domain['allocations'], (name, domain)
assert figures['mem']['peak_bytes'] + figures['obj']['peak_bytes'] >= figures['heap']['peak_held_bytes'] > 100_000
assert figures['host']['allocations'] > 0
assert figures['limits']['heap'] == {'soft': 7 << 26, 'hard': 1 << 29}
assert bool(figures['classes']) == (sys.argv[1].startswith('pymalloc'))
";
    for allocator in ALLOCATORS {
        let output =
            run(allocator, &[], &["-X", "memstats=json", "-X", "memlimit=512M", "-c", "x = [[] for _ in range(9)]"]);
        assert_eq!(output.status.code(), Some(0), "{allocator}: {}", errors(&output));
        let mut reader = Command::new(env!("CARGO_BIN_EXE_hognose"))
            .args(["-c", check, allocator])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        reader.stdin.take().expect("a pipe").write_all(&output.stderr).expect("the text is taken");
        let checked = reader.wait_with_output().expect("the command ends");
        assert!(checked.status.success(), "{allocator}: {}\n{}", errors(&checked), errors(&output));
    }
}

#[test]
fn wrong_options_are_errors() {
    for (environment, arguments, text) in [
        (&[][..], &["-X", "memstats=xml", "-c", "pass"][..], "-X memstats"),
        (&[], &["-X", "memlimit=1Q", "-c", "pass"], "-X memlimit=[SOFT:]HARD"),
        (&[], &["-X", "memlimit", "-c", "pass"], "-X memlimit=[SOFT:]HARD"),
        (&[], &["-X", "memlimit=2G:1G", "-c", "pass"], "SOFT is not above HARD"),
        (&[("PYTHONMEMLIMIT", "much")], &["-c", "pass"], "PYTHONMEMLIMIT=[SOFT:]HARD"),
    ] {
        let output = run("pymalloc", environment, arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", errors(&output));
        assert!(errors(&output).contains(text), "{arguments:?}: {}", errors(&output));
    }
}

/// D3: a program that wants more than its limit gets MemoryError, which it can catch; without that it ends as by any
/// exception, and with nothing left.
#[test]
fn a_limit_on_the_command_line() {
    let catches = "
import sys
soft, hard = sys._hognose.get_memory_limit()
assert (soft, hard) == (24 << 20, 32 << 20), (soft, hard)
x = []
n = 0
try:
    while True:
        x.append(bytes(10000))
        n += 1
except MemoryError:
    x = None
assert 1500 < n < 3300, n
assert len([bytes(10000) for _ in range(1000)]) == 1000
";
    for allocator in ALLOCATORS {
        for (environment, option) in
            [(&[][..], &["-X", "memlimit=24M:32M"][..]), (&[("PYTHONMEMLIMIT", "24m:32m")], &[])]
        {
            let arguments = [option, &["-X", "memstats", "-c", catches]].concat();
            let output = run(allocator, environment, &arguments);
            assert_eq!(output.status.code(), Some(0), "{allocator}: {}", errors(&output));
        }
        let output = run(
            allocator,
            &[],
            &["-X", "memlimit=32M", "-X", "memstats", "-c", "x = []\nwhile True: x.append(bytes(10000))"],
        );
        assert_eq!(output.status.code(), Some(1), "{allocator}: {}", errors(&output));
        assert!(errors(&output).contains("MemoryError"), "{allocator}: {}", errors(&output));
        // -E leaves the variable alone.
        let output = run(allocator, &[("PYTHONMEMLIMIT", "much")], &["-E", "-c", "pass"]);
        assert_eq!(output.status.code(), Some(0), "{allocator}: {}", errors(&output));
    }
    // Not even the start fits in.
    let output = run("pymalloc", &[], &["-X", "memlimit=300K", "-c", "pass"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("memory allocation failed"), "{}", errors(&output));
}

/// A line of the statistics with its numbers replaced by `0`, and runs of spaces by one.
fn shape(line: &str) -> String {
    let mut shape = String::new();
    for c in line.chars() {
        match c {
            '0'..='9' | ',' if shape.ends_with('0') => {}
            '0'..='9' => shape.push('0'),
            ' ' if shape.ends_with(' ') => {}
            c => shape.push(c),
        }
    }
    shape
}

/// `PYTHONMALLOCSTATS` prints at each new arena and at the end, line by line as CPython does.
#[test]
fn malloc_statistics_have_the_known_format() {
    const AFTER_CLASSES: [&str; 24] = [
        "# arenas allocated total = 0",
        "# arenas reclaimed = 0",
        "# arenas highwater mark = 0",
        "# arenas allocated current = 0",
        "0 arenas * 0 bytes/arena = 0",
        "",
        "# bytes in allocated blocks = 0",
        "# bytes in available blocks = 0",
        "0 unused pools * 0 bytes = 0",
        "# bytes lost to pool headers = 0",
        "# bytes lost to quantization = 0",
        "# bytes lost to arena alignment = 0",
        "Total = 0",
        "",
        "arena map counts",
        "# arena map mid nodes = 0",
        "# arena map bot nodes = 0",
        "",
        "# bytes lost to arena map root = 0",
        "# bytes lost to arena map mid = 0",
        "# bytes lost to arena map bot = 0",
        "Total = 0",
        "",
        "",
    ];
    for allocator in ["pymalloc", "pymalloc_debug"] {
        let output = run(allocator, &[("PYTHONMALLOCSTATS", "0")], &["-c", "x = [[i] for i in range(50000)]"]);
        let text = errors(&output);
        assert_eq!(output.status.code(), Some(0), "{text}");
        let mut blocks = text.split("Small block threshold = 512, in 32 size classes.\n\n").skip(1);
        let first = blocks.next().expect("a block");
        assert!(first.contains("# arenas allocated total           =                    0\n"), "{first}");
        let (mut more, mut with_classes) = (0, 0);
        for block in blocks {
            more += 1;
            let mut lines = block.lines();
            assert_eq!(lines.next(), Some("class   size   num pools   blocks in use  avail blocks"));
            assert_eq!(lines.next(), Some("-----   ----   ---------   -------------  ------------"));
            let rows: Vec<&str> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            with_classes += usize::from(!rows.is_empty());
            assert!(rows.iter().all(|row| row.len() == 54 && shape(row).trim() == "0 0 0 0 0"), "{rows:?}");
            for (line, wanted) in lines.zip(AFTER_CLASSES) {
                assert_eq!(shape(line), wanted, "{block}");
                assert!(line.is_empty() || line == "arena map counts" || line.len() == 57, "{line:?}");
            }
        }
        assert!(more >= 3 && with_classes >= more - 1, "one for each arena and one at the end: {more}");
    }
    let output = run("malloc", &[("PYTHONMALLOCSTATS", "1")], &["-c", "pass"]);
    assert_eq!(errors(&output), "");
    let output = run("mimalloc", &[("PYTHONMALLOCSTATS", "1")], &["-c", "pass"]);
    let shapes: Vec<String> = errors(&output).lines().map(shape).collect();
    let wanted = [
        "Small block threshold = 0 in 0 size classes.",
        "Medium block threshold = 0",
        "Large object max size = 0",
        " Allocated Blocks: 0",
        " Allocated Bytes: 0",
        " Allocated Bytes w/ Overhead: 0",
        " Bytes Reserved: 0",
        " Bytes Committed: 0",
    ];
    assert_eq!(shapes, wanted);
    let output = run("pymalloc", &[], &["-c", "import sys; sys._debugmallocstats()"]);
    let text = errors(&output);
    assert!(text.starts_with("Small block threshold = 512, in 32 size classes.\n\nclass   size"), "{text}");
    assert!(text.lines().last().is_some_and(|line| line.len() == 71 && line.contains(" bytes each =")), "{text}");
}
