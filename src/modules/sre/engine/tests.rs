//! The engine beside Python's own `re`, and on code that no compiler wrote.

use std::process::Command;

use super::{Error, Program, Request, State, Unit};
use crate::text::testing::{TestHeap, with_too_little_memory};

/// Runs the case generator with the first suitable interpreter; `None` when there is none.
fn cases(seed: u32, count: u32) -> Option<String> {
    let own = std::env::var("HOGNOSE_TEST_PYTHON").ok();
    for python in own.as_deref().into_iter().chain(["python3.14", "python3.13", "python3"]) {
        let script = include_str!("tests.py");
        let arguments = [seed.to_string(), count.to_string()];
        let run = Command::new(python).args(["-X", "utf8", "-c", script]).args(arguments).output();
        if let Ok(output) = run
            && output.status.success()
        {
            return String::from_utf8(output.stdout).ok();
        }
    }
    None
}

fn result<U: Unit>(state: &State<'_, U>, groups: usize) -> String {
    let mut text = state.last_index().unwrap_or(0).to_string();
    for group in 0..=groups {
        match state.group(group) {
            Some((start, end)) => text.push_str(&format!(" {start}:{end}")),
            None => text.push_str(" -1:-1"),
        }
    }
    text
}

fn perform<U: Unit>(program: &Program, mode: &str, start: usize, end: usize, text: &[U]) -> String {
    let request = Request { start, end, match_all: mode == "f", ..Request::new(text) };
    let mut state = State::new(program, request).unwrap();
    let mut results = Vec::new();
    match mode {
        "s" | "i" => {
            while state.search(program).unwrap() {
                results.push(result(&state, program.groups()));
                if mode == "s" {
                    break;
                }
                state.advance();
            }
        }
        _ => {
            if state.match_at(program).unwrap() {
                results.push(result(&state, program.groups()));
            }
        }
    }
    if results.is_empty() { "-".to_owned() } else { results.join(";") }
}

fn numbers(text: &str, separator: char) -> Vec<u32> {
    text.split(separator).filter(|part| !part.is_empty()).map(|part| part.parse().unwrap()).collect()
}

fn check(cases: &str) -> (usize, Vec<String>) {
    let mut program = None;
    let mut code_line = "";
    let mut checked = 0;
    let mut wrong = Vec::new();
    for line in cases.lines() {
        if let Some(rest) = line.strip_prefix("P ") {
            let words = numbers(rest, ' ');
            code_line = line;
            program = Some(Program::new(&words[1..], words[0] as usize));
            continue;
        }
        let (left, expected) = line.split_once(" | ").unwrap();
        let fields: Vec<&str> = left.split(' ').collect();
        let (mode, start, end) = (fields[1], fields[2].parse().unwrap(), fields[3].parse().unwrap());
        let wide = numbers(fields[4], ',');
        let program = match program.as_ref().unwrap() {
            Ok(program) => program,
            Err(error) => {
                wrong.push(format!("{error:?} for {code_line}"));
                continue;
            }
        };
        let mut found = vec![perform(program, mode, start, end, &wide)];
        if let Ok(half) = wide.iter().map(|&ch| u16::try_from(ch)).collect::<Result<Vec<_>, _>>() {
            found.push(perform(program, mode, start, end, &half));
        }
        if let Ok(narrow) = wide.iter().map(|&ch| u8::try_from(ch)).collect::<Result<Vec<_>, _>>() {
            found.push(perform(program, mode, start, end, &narrow));
        }
        checked += 1;
        if found.iter().any(|found| found != expected) {
            wrong.push(format!("{code_line}\n  {line}\n  found {found:?}"));
        }
    }
    (checked, wrong)
}

#[test]
fn finds_what_pythons_own_engine_finds() {
    let _heap = TestHeap::new();
    let Some(cases) = cases(1, 3000) else {
        eprintln!("skipped: no Python with this code format");
        return;
    };
    let (checked, wrong) = check(&cases);
    assert!(checked > 1000, "only {checked} cases");
    assert!(wrong.is_empty(), "{} of {checked} differ:\n{}", wrong.len(), wrong[..wrong.len().min(8)].join("\n"));
}

/// `(a+)+b`, which takes exponential time on a text of many `a`s.
const EXPONENTIAL: [u32; 21] =
    [14, 4, 0, 2, u32::MAX, 23, 11, 1, u32::MAX, 17, 0, 24, 6, 1, u32::MAX, 16, 97, 1, 17, 1, 18];

fn exponential() -> Program {
    let mut code = EXPONENTIAL.to_vec();
    code[6] = (20 - 6) as u32;
    code.extend([16, 98, 1]);
    Program::new(&code, 1).unwrap()
}

#[test]
fn an_interrupt_ends_a_match_that_takes_too_long() {
    let _heap = TestHeap::new();
    let program = exponential();
    let text = [b'a'; 64];
    let asked = core::cell::Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        asked.get() == 3
    };
    let request = Request { interrupt: Some(&stop), ..Request::new(&text) };
    let mut state = State::new(&program, request).unwrap();
    assert_eq!(state.match_at(&program), Err(Error::Interrupted));
    assert_eq!(asked.get(), 3);
}

#[test]
fn code_that_no_compiler_wrote_is_refused_or_harmless() {
    let _heap = TestHeap::new();
    let program = exponential();
    let code = program.code().to_vec();
    assert_eq!(Program::new(&[], 0).err(), Some(Error::IllegalCode));
    assert_eq!(Program::new(&code, 0).err(), Some(Error::IllegalCode), "a group that does not exist");
    for len in 0..code.len() {
        assert_eq!(Program::new(&code[..len], 1).err(), Some(Error::IllegalCode), "cut off at {len}");
    }
    // Every word replaced by others: what is accepted must run without a panic.
    for place in 0..code.len() {
        for word in (0..64).chain([97, 1000, u32::MAX - 1, u32::MAX]) {
            let mut code = code.clone();
            code[place] = word;
            let Ok(program) = Program::new(&code, 1) else {
                continue;
            };
            let budget = core::cell::Cell::new(8);
            let stop = || {
                budget.set(budget.get() - 1);
                budget.get() == 0
            };
            let request = Request { interrupt: Some(&stop), ..Request::new(b"aaab aab".as_slice()) };
            let mut state = State::new(&program, request).unwrap();
            let _ = state.search(&program);
        }
    }
}

#[test]
fn compiled_code_with_a_changed_word_is_refused_or_harmless() {
    let _heap = TestHeap::new();
    let Some(cases) = cases(2, 100) else { return };
    for line in cases.lines().filter_map(|line| line.strip_prefix("P ")).step_by(3) {
        let words = numbers(line, ' ');
        let groups = words[0] as usize;
        for place in 1..words.len().min(80) {
            for change in [words[place] ^ 1, words[place].wrapping_add(2), 0, 15, u32::MAX] {
                let mut code = words[1..].to_vec();
                code[place - 1] = change;
                let Ok(program) = Program::new(&code, groups) else {
                    continue;
                };
                let budget = core::cell::Cell::new(2);
                let stop = || {
                    budget.set(budget.get() - 1);
                    budget.get() == 0
                };
                let text = [97u16, 98, 99, 32, 0x3b1, 97, 97];
                let request = Request { interrupt: Some(&stop), ..Request::new(&text) };
                let mut state = State::new(&program, request).unwrap();
                let _ = state.search(&program);
            }
        }
    }
}

#[test]
fn deep_nesting_costs_no_native_stack() {
    let _heap = TestHeap::new();
    // A hundred thousand atomic groups, one in the other.
    let depth = 100_000;
    let mut code = Vec::new();
    for level in 0..depth {
        // To behind the closing word: the other openings, the literal, the closings of those inside and its own.
        let inside = depth - level - 1;
        code.extend([27, (1 + 2 * inside + 2 + inside + 1) as u32]);
    }
    code.extend([16, 97]);
    code.resize(code.len() + depth, 1);
    code.push(1);
    let program = Program::new(&code, 0).unwrap();
    let mut state = State::new(&program, Request::new(b"a".as_slice())).unwrap();
    assert_eq!(state.match_at(&program), Ok(true));
    assert_eq!(state.end(), 1);
}

#[test]
fn running_out_of_memory_is_an_error() {
    let code = {
        let _heap = TestHeap::new();
        exponential().code().to_vec()
    };
    with_too_little_memory(Error::NoMemory, || {
        let program = Program::new(&code, 1)?;
        let mut state = State::new(&program, Request::new(b"aaab".as_slice()))?;
        state.search(&program)
    });
}

#[test]
fn an_empty_text_has_no_boundary() {
    let _heap = TestHeap::new();
    // `\B` and `\b`; before 3.14 neither matched an empty text.
    for (at, expected) in [(11, true), (10, false), (4, true), (3, false)] {
        let program = Program::new(&[14, 4, 0, 0, 0, 6, at, 1], 0).unwrap();
        let mut state = State::new(&program, Request::new(b"".as_slice())).unwrap();
        assert_eq!(state.search(&program), Ok(expected));
    }
}

#[test]
fn a_possessive_loop_restores_the_groups_of_a_failed_iteration() {
    let _heap = TestHeap::new();
    // `(?:(a)|b)*+` on "ab": the second iteration's attempt at the group leaves no trace.
    let code =
        [14, 4, 0, 0, u32::MAX, 28, 19, 0, u32::MAX, 7, 9, 17, 0, 16, 97, 17, 1, 15, 7, 5, 16, 98, 15, 2, 0, 1, 1];
    let program = Program::new(&code, 1).unwrap();
    let mut state = State::new(&program, Request::new(b"ab".as_slice())).unwrap();
    assert_eq!(state.match_at(&program), Ok(true));
    assert_eq!((state.end(), state.group(1)), (2, Some((0, 1))));
}
