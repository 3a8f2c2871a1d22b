//! Hostile text: deep, long, broken. Each gives CPython's error, quickly, and never ends the process.

use hognose_frontend::{CompileError, Mode, Options, SyntaxErrorKind, Warning, WarningAction, compile};

fn run(source: &str) -> Result<Vec<u8>, CompileError> {
    compile(source.as_bytes(), "f", Mode::Exec, &Options::default(), &mut |_| WarningAction::Continue)
}

fn syntax_message(source: &str) -> String {
    match run(source) {
        Err(CompileError::Syntax(info)) => info.message,
        other => panic!("{:.80}: {:?}", source, other.map(|bytes| bytes.len())),
    }
}

fn is_recursion(source: &str) -> bool {
    run(source) == Err(CompileError::Recursion("maximum recursion depth exceeded during compilation".into()))
}

#[test]
fn a_hundred_million_parentheses() {
    assert_eq!(syntax_message(&"(".repeat(100_000_000)), "too many nested parentheses");
}

#[test]
fn two_hundred_brackets_are_the_limit() {
    for (open, close) in [("(", ")"), ("[", "]"), ("f(", ")"), ("{1:", "}"), ("a[", "]")] {
        let nested = |n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
        assert!(run(&nested(199)).is_ok(), "{open}");
        assert_eq!(syntax_message(&nested(201)), "too many nested parentheses", "{open}");
    }
}

#[test]
fn long_chains_compile_or_are_refused() {
    for (piece, last) in [
        ("a+", "a"),
        ("-", "1"),
        ("not ", "a"),
        ("a**", "a"),
        ("a if b else ", "c"),
        ("a.b+", "a"),
        ("a < ", "b"),
        ("a and ", "b"),
        ("a = ", "b"),
        ("'a' ", "'b'"),
        ("a, ", "b"),
        ("a; ", "b"),
        ("a\n", "b"),
    ] {
        let chain = |n: usize| format!("{}{last}", piece.repeat(n));
        assert!(run(&chain(4000)).is_ok(), "{piece}");
        for n in [50_000, 150_000] {
            let source = chain(n);
            match run(&source) {
                Ok(_) => {}
                Err(CompileError::Recursion(_)) => {}
                // What CPython says of a source that is too deep for its parser.
                Err(other) if other.to_string().starts_with("MemoryError: Parser stack overflowed") => {}
                Err(other) => panic!("{piece} {n}: {other}"),
            }
        }
    }
    assert!(is_recursion(&format!("{}1", "1+".repeat(1_000_000))));
    assert!(is_recursion(&format!("a{}", "()".repeat(500_000))));
    assert!(is_recursion(&format!("a{}", ".b".repeat(500_000))));
}

#[test]
fn lambdas_inside_lambdas() {
    assert!(run(&format!("{}1", "lambda:".repeat(100))).is_ok());
    assert!(is_recursion(&format!("{}1", "lambda:".repeat(5000))));
}

#[test]
fn many_elif_clauses() {
    assert!(run(&format!("if a: b\n{}", "elif a: b\n".repeat(15_000))).is_ok());
    assert!(is_recursion(&format!("if a: b\n{}", "elif a: b\n".repeat(200_000))));
}

#[test]
fn blocks_inside_blocks() {
    let nested =
        |n: usize| (0..n).map(|i| format!("{}if 1:\n", " ".repeat(i))).collect::<String>() + &" ".repeat(n) + "x\n";
    assert!(run(&nested(99)).is_ok());
    assert_eq!(syntax_message(&nested(100)), "too many levels of indentation");
    let functions =
        (0..90).map(|i| format!("{}def f():\n", " ".repeat(i))).collect::<String>() + &" ".repeat(90) + "x\n";
    assert!(run(&functions).is_ok());
}

#[test]
fn everything_at_once_on_a_small_stack() {
    let source = format!("x = {}a{}\n", "[-".repeat(150), "+1]".repeat(150));
    let nested: String = (0..60).map(|i| format!("{}def f(a=[not (b + c)]):\n", " ".repeat(i))).collect();
    let source = format!("{nested}{}{source}", " ".repeat(60));
    let result = std::thread::Builder::new().stack_size(128 << 10).spawn(move || run(&source)).unwrap().join().unwrap();
    assert!(result.is_ok());
}

#[test]
fn a_text_past_the_limit_is_refused() {
    let options = Options { max_source: 100, ..Options::default() };
    let text = "x = 1\n".repeat(20);
    let result = compile(text.as_bytes(), "f", Mode::Exec, &options, &mut |_| WarningAction::Continue);
    assert!(matches!(result, Err(CompileError::TooLarge(_))));
}

#[test]
fn tabs_and_spaces() {
    let Err(CompileError::Syntax(info)) = run("if 1:\n\tx\n        y\n") else { panic!() };
    assert_eq!(info.kind, SyntaxErrorKind::TabError);
    assert_eq!((info.line, info.message.as_str()), (3, "inconsistent use of tabs and spaces in indentation"));
    assert!(run("if 1:\n\tx\n\ty\nif 2:\n        z\n").is_ok());
}

fn warnings(source: &str) -> Vec<Warning> {
    let mut all = Vec::new();
    compile(source.as_bytes(), "f", Mode::Exec, &Options::default(), &mut |warning| {
        all.push(warning);
        WarningAction::Continue
    })
    .unwrap();
    all
}

#[test]
fn doubtful_escapes_are_warned_about() {
    let all = warnings("x = 1\ny = 'é\\d \\n', '\\477', r'\\d', b'\\N', f'\\w{x}'\n");
    let texts: Vec<&str> = all.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(
        texts,
        [
            r#""\d" is an invalid escape sequence. Such sequences will not work in the future. Did you mean "\\d"? A raw string is also an option."#,
            r#""\477" is an invalid octal escape sequence. Such sequences will not work in the future. Did you mean "\\477"? A raw string is also an option."#,
            r#""\N" is an invalid escape sequence. Such sequences will not work in the future. Did you mean "\\N"? A raw string is also an option."#,
            r#""\w" is an invalid escape sequence. Such sequences will not work in the future. Did you mean "\\w"? A raw string is also an option."#,
        ]
    );
    assert_eq!((all[0].line, all[0].column), (2, 7));
    assert!(warnings("'\\n\\\\d\\x41\\u0041\\'' + '\\\n'\n").is_empty());
}

#[test]
fn doubtful_code_is_warned_about() {
    assert_eq!(warnings("x is 1\n")[0].message, "\"is\" with 'int' literal. Did you mean \"==\"?");
    assert_eq!(warnings("assert (x, 'y')\n")[0].message, "assertion is always true, perhaps remove parentheses?");
    assert_eq!(warnings("()()\n")[0].message, "'tuple' object is not callable; perhaps you missed a comma?");
}

#[test]
fn a_handler_can_make_a_warning_an_error() {
    let result =
        compile(b"x = '\\d'\n", "f", Mode::Exec, &Options::default(), &mut |_| WarningAction::RaiseSyntaxError);
    let Err(CompileError::Syntax(info)) = result else { panic!() };
    assert_eq!((info.line, info.column, info.text.as_deref()), (1, 6, Some("x = '\\d'\n")));
    let result = compile(b"x = '\\d'\n", "f", Mode::Exec, &Options::default(), &mut |_| WarningAction::Stop);
    assert_eq!(result, Err(CompileError::Stopped));
}

#[test]
fn every_beginning_and_mutation_of_a_text_ends_in_a_result() {
    let text = include_str!("differential.rs").replace("fn ", "def ") + include_str!("harvest.py");
    let text: String = text.chars().take(6000).collect();
    for end in (0..text.len()).step_by(37) {
        if text.is_char_boundary(end) {
            let _ = run(&text[..end]);
        }
    }
    let mut state = 12345_u32;
    for _ in 0..300 {
        let mut bytes = include_bytes!("harvest.py")[..1500].to_vec();
        for _ in 0..4 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = state as usize / 7 % bytes.len();
            bytes[at] = b"()[]{}'\"\\\n\t:,=*f0\xc3"[state as usize / 65_536 % 18];
        }
        let _ = compile(&bytes, "f", Mode::Exec, &Options::default(), &mut |_| WarningAction::Continue);
    }
}
