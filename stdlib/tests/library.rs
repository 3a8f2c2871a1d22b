//! The frozen library as a whole: complete, well formed, and the same each time it is made.

#[path = "../build/freeze.rs"]
mod freeze;
mod marshal;

use hognose_frontend::{Mode, Options, PYCF_IGNORE_COOKIE, WarningAction, compile};
use marshal::{Code, Value, read_frozen};

#[test]
fn every_module_is_one_code_object() {
    fn check(code: &Code, filename: &str) {
        assert_eq!(code.filename, filename);
        assert!(code.stack_size < 1000, "{} of {filename}", code.name);
        for constant in &code.constants {
            if let Value::Code(inner) = constant {
                check(inner, filename);
            }
        }
    }
    for frozen in hognose_stdlib::entries() {
        let filename = format!("<frozen {}>", frozen.origname);
        let code = read_frozen(frozen.code, &filename).unwrap_or_else(|error| panic!("{}: {error}", frozen.name));
        assert_eq!(code.name, "<module>", "{}", frozen.name);
        check(&code, &filename);
    }
}

#[test]
fn compiling_the_sources_again_gives_the_same_bytes() {
    let options = Options { flags: PYCF_IGNORE_COOKIE, ..Options::default() };
    let again = |frozen: &hognose_stdlib::Frozen| {
        let filename = format!("<frozen {}>", frozen.origname);
        compile(frozen.source, &filename, Mode::Exec, &options, &mut |_| WarningAction::Continue).unwrap()
    };
    let start = freeze::START.map(|name| again(&hognose_stdlib::find(name).expect(name)));
    let (words, list) = freeze::Words::of(&start.each_ref().map(Vec::as_slice));
    assert!(list == hognose_stdlib::WORDS, "the words differ");
    for frozen in hognose_stdlib::entries() {
        assert!(freeze::freeze(&again(&frozen), &words) == frozen.code, "{} differs", frozen.name);
    }
}

#[test]
fn words_are_names_and_there_are_no_two_of_one() {
    let words: std::collections::BTreeSet<_> = hognose_stdlib::WORDS.iter().collect();
    assert_eq!(words.len(), hognose_stdlib::WORDS.len());
    assert_eq!(freeze::LONGEST, hognose_stdlib::LONGEST_WORD);
    for word in words {
        assert!((2..=freeze::LONGEST).contains(&word.len()), "{word}");
        assert!(word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{word}");
    }
}

#[test]
fn the_library_compiles_without_a_warning() {
    let options = Options { flags: PYCF_IGNORE_COOKIE, ..Options::default() };
    for frozen in hognose_stdlib::entries() {
        let mut warnings = Vec::new();
        compile(frozen.source, "x", Mode::Exec, &options, &mut |warning| {
            warnings.push(warning);
            WarningAction::Continue
        })
        .unwrap();
        assert_eq!(warnings, [], "{}", frozen.name);
    }
}

#[test]
fn modules_are_sorted_and_found() {
    let names: Vec<&str> = hognose_stdlib::modules().collect();
    assert!(names.is_sorted());
    assert!(names.len() > 500);
    for name in &names {
        assert_eq!(hognose_stdlib::find(name).unwrap().name, *name);
    }
    for name in ["", "a", "idlelib", "os.", "zzz"] {
        assert_eq!(hognose_stdlib::find(name), None, "{name}");
    }
}

#[test]
fn what_start_up_needs_is_there() {
    for name in [
        "_frozen_importlib",
        "_frozen_importlib_external",
        "abc",
        "codecs",
        "encodings",
        "encodings.aliases",
        "encodings.utf_8",
        "io",
        "os",
        "posixpath",
        "runpy",
        "site",
        "stat",
        "warnings",
        "zipimport",
    ] {
        assert!(hognose_stdlib::find(name).is_some(), "{name}");
    }
    let bootstrap = hognose_stdlib::find("_frozen_importlib").unwrap();
    assert_eq!(bootstrap.origname, "importlib._bootstrap");
    assert!(!bootstrap.is_package);
    assert!(hognose_stdlib::find("encodings").unwrap().is_package);
    assert!(!hognose_stdlib::find("os").unwrap().is_package);
}

#[test]
fn texts_are_cpythons() {
    let text = |name: &str| std::str::from_utf8(hognose_stdlib::source(name).unwrap()).unwrap();
    for name in hognose_stdlib::modules() {
        assert!(!text(name).to_ascii_lowercase().contains("rustpython"), "{name}");
    }
    assert!(text("io").contains("\nfrom _io import FileIO\n"));
    assert!(text("json.decoder").contains("scanner.make_scanner(self)"));
    assert!(hognose_stdlib::LICENSE.contains("PYTHON SOFTWARE FOUNDATION LICENSE"));
}
