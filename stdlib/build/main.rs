//! Freezes the pure-Python standard library: finds it, compiles each module, writes four files.
//!
//! ```text
//!   index.bin     one record per module, sorted by name (see src/lib.rs)
//!   code.bin      the code objects, in the order of the index
//!   text.bin      the names, then the sources, in the order of the index
//!   words.rs      the names that code objects refer to by number (see freeze.rs)
//! ```
//!
//! The same library gives the same bytes: nothing of the building machine goes in.

mod freeze;
mod patches;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

use hognose_frontend::{Mode, Options, WarningAction, compile};

/// Folders and modules that are left out: interfaces to toolkits that are not here, bundled wheels, and files
/// that are not in CPython's library.
const LEFT_OUT: [&str; 8] =
    ["_dummy_os", "_dummy_thread", "dummy_threading", "ensurepip", "idlelib", "tkinter", "turtle", "turtledemo"];

/// Names under which the importers are looked up, and whose files they are.
const ALIASES: [(&str, &str); 2] =
    [("_frozen_importlib", "importlib._bootstrap"), ("_frozen_importlib_external", "importlib._bootstrap_external")];

struct Module {
    name: String,
    is_package: bool,
    source: String,
}

/// Where the bytes of one index record lie.
#[derive(Clone, Copy, Default)]
struct Span {
    offset: usize,
    length: usize,
}

fn main() {
    println!("cargo:rerun-if-changed=build");
    let library = Path::new(rustpython_pylib::LIB_PATH);
    let mut modules = Vec::new();
    collect(library, "", &mut modules);
    modules.push(patches::sysconfig_data());
    modules.sort_by(|a, b| a.name.cmp(&b.name));
    patches::assert_all_applied(&modules.iter().map(|module| module.name.as_str()).collect::<Vec<_>>());
    let marshalled = for_each(&modules, |_, module| compile_module(module));
    let start = freeze::START.map(|name| {
        let index = modules.iter().position(|module| module.name == name);
        marshalled[index.unwrap_or_else(|| panic!("there is no {name}"))].as_slice()
    });
    let (words, list) = freeze::Words::of(&start);
    let codes = for_each(&modules, |index, _| freeze::freeze(&marshalled[index], &words));
    write(&modules, &codes, &list);
}

/// Finds the modules below `folder`, whose names begin with `prefix`.
fn collect(folder: &Path, prefix: &str, modules: &mut Vec<Module>) {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("the library's folder is readable").map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let name = format!("{prefix}{stem}");
        if LEFT_OUT.contains(&name.as_str()) || stem == "__pycache__" {
            continue;
        }
        if path.is_dir() {
            let init = path.join("__init__.py");
            if init.exists() {
                modules.push(read(name.clone(), true, &init));
            } else if !has_modules(&path) {
                continue;
            } else {
                // A folder without `__init__.py` becomes an empty package: there is no path to search for more.
                modules.push(Module { name: name.clone(), is_package: true, source: String::new() });
            }
            collect(&path, &format!("{name}."), modules);
        } else if path.extension().is_some_and(|extension| extension == "py") && stem != "__init__" {
            modules.push(read(name, false, &path));
        }
    }
}

fn has_modules(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.path().extension().is_some_and(|extension| extension == "py"))
    })
}

fn read(name: String, is_package: bool, path: &Path) -> Module {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let text = hognose_frontend::decode_source(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    let source = patches::apply(&name, text);
    Module { name, is_package, source }
}

/// What a function makes of each module, on as many threads as the machine has, at most eight.
fn for_each(modules: &[Module], make: impl Fn(usize, &Module) -> Vec<u8> + Sync) -> Vec<Vec<u8>> {
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(1, |count| count.get().min(8));
    let mut codes = vec![Vec::new(); modules.len()];
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut done = Vec::new();
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(module) = modules.get(index) else {
                            return done;
                        };
                        done.push((index, make(index, module)));
                    }
                })
            })
            .collect();
        for worker in workers {
            for (index, code) in worker.join().expect("a module failed") {
                codes[index] = code;
            }
        }
    });
    codes
}

fn compile_module(module: &Module) -> Vec<u8> {
    let filename = format!("<frozen {}>", module.name);
    let options = Options { flags: hognose_frontend::PYCF_IGNORE_COOKIE, ..Options::default() };
    compile(module.source.as_bytes(), &filename, Mode::Exec, &options, &mut |_| WarningAction::Continue)
        .unwrap_or_else(|error| panic!("{}: {error}", module.name))
}

fn write(modules: &[Module], codes: &[Vec<u8>], words: &[String]) {
    let mut entries: Vec<(&str, usize)> =
        modules.iter().enumerate().map(|(index, module)| (module.name.as_str(), index)).collect();
    for (alias, original) in ALIASES {
        let index = modules.iter().position(|module| module.name == original).expect("the importers are there");
        entries.push((alias, index));
    }
    entries.sort();

    let (mut text, mut code_file, mut index_file) = (Vec::new(), Vec::new(), Vec::new());
    let names: Vec<Span> = entries.iter().map(|(name, _)| append(&mut text, name.as_bytes())).collect();
    let origins: Vec<Span> = modules.iter().map(|module| append(&mut text, module.name.as_bytes())).collect();
    let sources: Vec<Span> = modules.iter().map(|module| append(&mut text, module.source.as_bytes())).collect();
    let code_spans: Vec<Span> = codes.iter().map(|code| append(&mut code_file, code)).collect();
    for ((_, module), name) in entries.iter().zip(&names) {
        for span in [*name, origins[*module], code_spans[*module], sources[*module]] {
            for number in [span.offset, span.length] {
                index_file.extend_from_slice(&u32::try_from(number).unwrap().to_le_bytes());
            }
        }
        index_file.extend_from_slice(&u32::from(modules[*module].is_package).to_le_bytes());
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    let words = format!("&{words:?}").into_bytes();
    for (name, bytes) in [("index.bin", index_file), ("code.bin", code_file), ("text.bin", text), ("words.rs", words)] {
        fs::write(out.join(name), bytes).unwrap();
    }
}

fn append(file: &mut Vec<u8>, bytes: &[u8]) -> Span {
    let offset = file.len();
    file.extend_from_slice(bytes);
    Span { offset, length: bytes.len() }
}
