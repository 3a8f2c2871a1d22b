//! `hognose-run`: starts a CPython with Hognose's memory domains.
//!
//! It sets the environment that `libhognose_allocators.so` reads, and becomes the program: same process number, same
//! standard streams, its exit status. The children of the program inherit the allocator, but not `--stats`.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, exit};

use domains::{AllocatorName, guard};

const LIBRARY: &str = "libhognose_allocators.so";

const USAGE: &str = "\
usage: hognose-run [options] program [arguments]
Runs a CPython (3.11 to 3.14) with Hognose's memory domains.
  --malloc=NAME       the allocator: pymalloc (default), mimalloc, malloc, guard, debug, NAME_debug
  --guard=RATE:SLOTS  for --malloc=guard: one block in RATE is sampled, SLOTS live at a time
  --stats             write figures and a census by size to standard error at the exit
  -h, --help          this text
";

fn fail(why: &str) -> ! {
    eprintln!("hognose-run: {why}");
    exit(125);
}

/// The library: beside this program, or in `lib` beside its folder.
fn library() -> PathBuf {
    let own =
        std::env::current_exe().unwrap_or_else(|why| fail(&format!("where this program is cannot be found: {why}")));
    let folder = own.parent().map(PathBuf::from).unwrap_or_default();
    let places = [folder.join(LIBRARY), folder.join("../lib").join(LIBRARY)];
    match places.iter().find(|place| place.is_file()) {
        Some(found) => found.clone(),
        None => fail(&format!("{LIBRARY} is neither in {} nor in ../lib", folder.display())),
    }
}

fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let (mut name, mut rate, mut stats) = (None, None, false);
    let program = loop {
        let Some(argument) = arguments.next() else {
            eprint!("{USAGE}");
            exit(125);
        };
        match argument.to_str() {
            Some("--stats") => stats = true,
            Some("-h" | "--help") => {
                print!("{USAGE}");
                return;
            }
            Some("--") => match arguments.next() {
                Some(program) => break program,
                None => fail("no program is named"),
            },
            Some(text) if text.starts_with("--malloc=") => name = Some(text["--malloc=".len()..].to_owned()),
            Some(text) if text.starts_with("--guard=") => rate = Some(text["--guard=".len()..].to_owned()),
            Some(text) if text.starts_with('-') => fail(&format!("unknown option {text}; see --help")),
            _ => break argument,
        }
    };
    let name = name.unwrap_or_else(|| "pymalloc".to_owned());
    match AllocatorName::parse(name.as_bytes()) {
        Err(why) => fail(&format!("--malloc: {why}")),
        Ok(AllocatorName::NotSet) => fail("--malloc needs a name"),
        Ok(_) => {}
    }
    let mut preload = OsString::from(library());
    if preload.as_encoded_bytes().iter().any(|byte| b" :".contains(byte)) {
        fail("the path of the library has a blank or a colon, which LD_PRELOAD cannot have");
    }
    if let Some(others) = std::env::var_os("LD_PRELOAD").filter(|others| !others.is_empty()) {
        preload.push(OsStr::new(":"));
        preload.push(others);
    }
    let mut command = Command::new(&program);
    command.args(arguments).env("LD_PRELOAD", preload).env("HOGNOSE_MALLOC", &name);
    // Each of them would make CPython replace the allocator at pre-initialization.
    command.env_remove("PYTHONMALLOC");
    if std::env::var_os("PYTHONDEVMODE").is_some_and(|value| !value.is_empty()) {
        eprintln!("hognose-run: PYTHONDEVMODE is not passed on: it would replace the allocator");
        command.env_remove("PYTHONDEVMODE");
    }
    match &rate {
        Some(rate) if guard::parse_options(rate.as_bytes()).is_none() => fail("--guard is RATE or RATE:SLOTS"),
        Some(rate) => drop(command.env("HOGNOSE_GUARD", rate)),
        None => {}
    }
    if stats {
        command.env("HOGNOSE_STATS", std::process::id().to_string());
    } else {
        command.env_remove("HOGNOSE_STATS");
    }
    let why = command.exec();
    eprintln!("hognose-run: {}: {why}", program.to_string_lossy());
    exit(if why.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 });
}
