//! Syntax errors compared with those of a CPython that is installed beside: class, message and place.
//!
//! The snippets are found in that CPython's own test files when the test runs. CPython 3.13 is the nearest
//! version that may be present; sentences that 3.14 introduced are left out of the count.

use std::path::PathBuf;
use std::process::Command;

use hognose_frontend::{
    CompileError, Mode, Options, PYCF_ALLOW_INCOMPLETE_INPUT, PYCF_DONT_IMPLY_DEDENT, PYCF_IGNORE_COOKIE,
    SyntaxErrorInfo, WarningAction, compile,
};

/// Sentences, or parts of them, that 3.14 has and 3.13 does not.
const NEW_IN_3_14: [&str; 14] = [
    "multiple exception types must be parenthesized",
    "prefixes are incompatible",
    "'elif' block follows an 'else' block",
    ", but statement is given",
    " as import target",
    " as except target",
    " as pattern target",
    "perhaps you escaped the end quote",
    "t-string",
    "intended to be part of the string",
    "cannot be used within an annotation",
    "cannot use except",
    "not a chance",
    "future feature",
];

struct Case {
    interactive: bool,
    eval: bool,
    source: String,
    class: String,
    message: String,
    place: [i32; 4],
}

fn python() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("HOGNOSE_REFERENCE_PYTHON") {
        return Some(path.into());
    }
    let prefix = Command::new("pyenv").args(["prefix", "3.13.0"]).output().ok()?;
    let prefix = String::from_utf8(prefix.stdout).ok()?;
    let path = PathBuf::from(prefix.trim()).join("bin/python3.13");
    path.exists().then_some(path)
}

fn unhex(text: &str) -> String {
    let bytes = (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect();
    String::from_utf8(bytes).unwrap()
}

fn harvest() -> Option<Vec<Case>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/harvest.py");
    let output = Command::new(python()?).arg(script).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(case).collect())
}

fn case(line: &str) -> Case {
    let fields: Vec<&str> = line.split('\t').collect();
    Case {
        interactive: fields[0] == "interactive",
        eval: fields[0] == "eval",
        source: unhex(fields[1]),
        class: fields[2].into(),
        message: unhex(fields[3]),
        place: [4, 5, 6, 7].map(|i| fields[i].parse().unwrap()),
    }
}

fn ours(case: &Case) -> Result<(), CompileError> {
    let (mode, flags) = if case.interactive {
        (Mode::Single, PYCF_ALLOW_INCOMPLETE_INPUT | PYCF_DONT_IMPLY_DEDENT)
    } else {
        (if case.eval { Mode::Eval } else { Mode::Exec }, 0)
    };
    let options = Options { flags: PYCF_IGNORE_COOKIE | flags, ..Options::default() };
    compile(case.source.as_bytes(), "f", mode, &options, &mut |_| WarningAction::Continue).map(drop)
}

#[test]
fn syntax_errors_agree_with_cpython() {
    let Some(cases) = harvest() else {
        eprintln!("skipped: no CPython 3.13 to compare with");
        return;
    };
    let verbose = std::env::var_os("HOGNOSE_SHOW_DIFFERENCES").is_some();
    let (mut compared, mut class, mut message, mut place, mut all, mut end) = (0, 0, 0, 0, 0, 0);
    let mut accepted = Vec::new();
    for case in cases.iter().filter(|case| !case.interactive) {
        let info = match ours(case) {
            Err(CompileError::Syntax(info)) => info,
            Ok(()) => {
                accepted.push(case);
                continue;
            }
            Err(other) => {
                println!("{:?}: {other}", case.source);
                SyntaxErrorInfo::bare("")
            }
        };
        if NEW_IN_3_14.iter().any(|new| info.message.contains(new)) {
            continue;
        }
        compared += 1;
        let same_class = info.kind.class_name() == case.class;
        let same_message = info.message == case.message;
        let same_place = [info.line as i32, info.column] == case.place[..2];
        let same_end = same_place && [info.end_line as i32, info.end_column] == case.place[2..];
        class += i32::from(same_class);
        message += i32::from(same_message);
        place += i32::from(same_place);
        end += i32::from(same_end);
        all += i32::from(same_class && same_message && same_place);
        if verbose && !(same_class && same_message && same_place && same_end) {
            println!(
                "{:?}\n   CPython {} {:?} {:?}\n   ours    {} {:?} {:?}",
                case.source,
                case.class,
                case.message,
                case.place,
                info.kind.class_name(),
                info.message,
                [info.line as i32, info.column, info.end_line as i32, info.end_column],
            );
        }
    }
    for case in &accepted {
        println!("accepted: {:?} ({})", case.source, case.message);
    }
    println!(
        "{compared} compared, {} accepted; same class {class}, message {message}, place {place}, end {end}, all but end {all}",
        accepted.len()
    );
    assert!(compared > 500, "only {compared} snippets were found");
    assert!(class * 1000 >= compared * 999, "class agrees in {class} of {compared}");
    assert!(all * 100 >= compared * 99, "class, message and place agree in {all} of {compared}");
    assert!(accepted.len() * 100 <= cases.len() * 3, "{} errors were missed", accepted.len());
}

#[test]
fn a_prompt_asks_for_more_when_cpythons_does() {
    let Some(cases) = harvest() else {
        eprintln!("skipped: no CPython 3.13 to compare with");
        return;
    };
    let (mut compared, mut same) = (0, 0);
    for case in cases.iter().filter(|case| case.interactive) {
        let outcome = match ours(case) {
            Ok(()) => "-".to_owned(),
            Err(CompileError::Syntax(info)) => info.kind.class_name().to_owned(),
            Err(other) => other.to_string(),
        };
        compared += 1;
        if outcome == case.class {
            same += 1;
        } else {
            println!("{:?}: CPython {}, ours {outcome}", case.source, case.class);
        }
    }
    println!("{same} of {compared} beginnings are judged the same");
    assert!(compared > 100);
    assert!(same * 100 >= compared * 99, "{same} of {compared}");
}
