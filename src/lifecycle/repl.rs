//! The interactive prompt.
//!
//! ```text
//!   standard input is a terminal, or -i ──► PYTHONSTARTUP ──► sys.__interactivehook__ ─┬─► _pyrepl (editing, history)
//!   -i or PYTHONINSPECT after a program ───────────────────► sys.__interactivehook__ ──┴─► basic: no terminal,
//!                                                                                          PYTHON_BASIC_REPL
//! ```
//!
//! Editing and history are the standard library's `_pyrepl`, which is Python and so has its memory in the interpreter's
//! heap; where it cannot work it calls [`basic`] as `sys._baserepl`.

use hognose_allocators::TryVec;

use super::init::main_dict;
use super::{print, run};
use crate::code::compile::{Request, compile, parse};
use crate::config::env::Environment;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Raised, Ref, attr, call};
use crate::raise;
use crate::state::ThreadState;
use crate::types::code::PyCode;
use crate::types::dict::PyDict;
use crate::types::exceptions::{self as exc, PySyntaxError};
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use hognose_frontend::Mode;
use hognose_frontend::tokenizer::{Done, Flavor, Step, Tokenizer, kind};

/// Whether standard input is a person, or is to be taken for one.
pub fn is_interactive(ts: &ThreadState) -> bool {
    ts.interp().config().interactive != 0 || is_terminal()
}

fn is_terminal() -> bool {
    // SAFETY: the call only looks.
    unsafe { libc::isatty(0) != 0 }
}

/// A variable of the environment, as far as the configuration lets it count.
fn variable(ts: &ThreadState, name: &core::ffi::CStr) -> PyResult<Option<TryVec<u8>>> {
    let env = if ts.interp().config().use_environment > 0 { Environment::Process } else { Environment::Empty };
    match env.with(name, TryVec::try_from_slice) {
        Some(value) => Ok(Some(value?)),
        None => Ok(None),
    }
}

/// Says who is there, unless a program runs or nobody wants to know.
pub fn print_banner(ts: &ThreadState) -> PyResult<()> {
    let config = ts.interp().config();
    let runs_code =
        config.run_command.get().is_some() || config.run_filename.get().is_some() || config.run_module.get().is_some();
    if config.quiet != 0 || (config.verbose == 0 && (runs_code || !is_interactive(ts))) {
        return Ok(());
    }
    let text = PyStr::format(ts, format_args!("Python {} on linux\n", crate::modules::sys::VERSION))?;
    print::write_to_stderr(ts, &text);
    if config.site_import != 0 {
        let text = PyStr::new(ts, "Type \"help\", \"copyright\", \"credits\" or \"license\" for more information.\n")?;
        print::write_to_stderr(ts, &text);
    }
    Ok(())
}

/// `-i` ends with the next prompt: SystemExit ends the process again.
fn end_inspection(ts: &ThreadState) {
    // SAFETY: a number is written, under the GIL; whoever reads the configuration has borrowed nothing of it.
    unsafe { (*ts.interp().config.get()).inspect = 0 };
}

/// Whether a prompt is to come after the program.
pub fn wants_inspection(ts: &ThreadState) -> bool {
    let asked = ts.interp().config().inspect != 0
        || match variable(ts, c"PYTHONINSPECT") {
            Ok(value) => value.is_some(),
            Err(raised) => {
                ts.clear_raised(raised);
                false
            }
        };
    asked && is_interactive(ts)
}

/// The prompt after a program; the exit status.
pub fn inspect(ts: &ThreadState) -> i32 {
    end_inspection(ts);
    match run_hook(ts).and_then(|()| prompt(ts)) {
        Ok(()) => 0,
        Err(raised) => run::exit_status(ts, raised),
    }
}

/// The prompt as the program itself.
pub fn run(ts: &ThreadState) -> PyResult<()> {
    end_inspection(ts);
    if let Some(path) = variable(ts, c"PYTHONSTARTUP")?
        && let Err(raised) = run::run_startup_file(ts, &path)
    {
        show(ts, raised, Some("Could not run PYTHONSTARTUP\n"))?;
    }
    run_hook(ts)?;
    prompt(ts)
}

/// Prints an exception after a line of ours and goes on; SystemExit goes on itself.
fn show(ts: &ThreadState, raised: Raised, line: Option<&str>) -> PyResult<()> {
    if ts.raised_matches(&exc::SystemExit) {
        return Err(raised);
    }
    if let Some(line) = line {
        let pending = ts.take_raised(raised);
        print::write_to_stderr(ts, &*PyStr::new(ts, line)?);
        let _ = ts.restore_raised(pending);
    }
    print::print_and_clear(ts, true);
    Ok(())
}

/// `sys.__interactivehook__()`, if there is one.
fn run_hook(ts: &ThreadState) -> PyResult<()> {
    let Some(sys) = ts.interp().sys_dict.get() else { return Ok(()) };
    let Some(hook) = sys.get_str(ts, &*PyStr::intern(ts, "__interactivehook__")?)? else { return Ok(()) };
    match call::call0(ts, &hook) {
        Ok(_) => Ok(()),
        Err(raised) => show(ts, raised, Some("Failed calling sys.__interactivehook__\n")),
    }
}

/// With editing where that is possible.
fn prompt(ts: &ThreadState) -> PyResult<()> {
    if !is_terminal() || variable(ts, c"PYTHON_BASIC_REPL")?.is_some() {
        return basic(ts);
    }
    let main = crate::import::import_module(ts, "_pyrepl.main")?;
    let console = attr::get(ts, &main, &*PyStr::intern(ts, "interactive_console")?)?;
    let module = match crate::import::loaded(ts, crate::id!(__main__))? {
        Some(module) => module,
        None => ts.none(),
    };
    call::call_with(ts, &console, &[&module]).map(drop)
}

/// `sys.ps1` or `sys.ps2` as text: an object that is none makes a new one each time.
fn prompt_text(ts: &ThreadState, sys: &PyDict, name: &str) -> PyResult {
    match sys.get_str(ts, &*PyStr::intern(ts, name)?)? {
        Some(prompt) => Ok(crate::object::protocol::str(ts, &prompt)?.into_object()),
        None => Ok(PyStr::empty().into_object()),
    }
}

/// A line from standard input without its end, and whether it had one; None at the end of the input.
fn read_line(ts: &ThreadState, sys: &PyDict, prompt: &PyObject) -> PyResult<Option<(PyRef, bool)>> {
    let result = if is_terminal() {
        let input = match ts.interp().builtins.get() {
            Some(builtins) => builtins.get_str(ts, &*PyStr::intern(ts, "input")?)?,
            None => None,
        };
        let Some(input) = input else { return Ok(None) };
        call::call_with(ts, &input, &[prompt])
    } else {
        // Whoever reads what the program writes is not to see the prompts.
        print::write_to_stderr(ts, prompt.cast::<PyStr>());
        let Some(stdin) = sys.get_str(ts, &*PyStr::intern(ts, "stdin")?)? else { return Ok(None) };
        attr::get(ts, &stdin, &*PyStr::intern(ts, "readline")?).and_then(|read| call::call0(ts, &read))
    };
    let line = match result {
        Ok(line) => line,
        // A standard input that the program has closed has nothing more.
        Err(raised) if ts.raised_matches(&exc::EOFError) || ts.raised_matches(&exc::OSError) => {
            ts.clear_raised(raised);
            return Ok(None);
        }
        Err(raised) => return Err(raised),
    };
    let Some(text) = line.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "object.readline() returned non-string");
    };
    if is_terminal() {
        return Ok(Some((line, true)));
    }
    match text.len() {
        0 => Ok(None),
        len if text.char_at(len - 1) == u32::from(b'\n') => Ok(Some((text.slice(ts, 0, len - 1)?.into_object(), true))),
        _ => Ok(Some((line, false))),
    }
}

/// Whether a text ends within brackets or a string, where a blank line says nothing.
fn is_within(text: &[u8]) -> bool {
    let mut tokenizer = Tokenizer::new(Flavor::default());
    loop {
        match tokenizer.step(text, true) {
            Step::Token(token) if token.kind != kind::ENDMARKER => {}
            Step::Token(_) | Step::NeedMore => return tokenizer.open_bracket().is_some(),
            Step::Failed => {
                return match tokenizer.done() {
                    Done::EofInString => true,
                    Done::Eof => tokenizer.open_bracket().is_some(),
                    _ => false,
                };
            }
        }
    }
}

/// What is typed, and what of it goes on to the next statement.
struct Session {
    globals: Ref<PyDict>,
    text: TryVec<u8>,
    future: u32,
}

impl Session {
    fn request<'a>(&self, text: &'a [u8], filename: &'a PyStr, flags: u32) -> Request<'a> {
        Request {
            source: text,
            filename,
            mode: Mode::Single,
            flags: flags | self.future | hognose_frontend::PYCF_IGNORE_COOKIE,
            optimize: None,
            is_file: false,
            feature_version: None,
        }
    }

    fn compile(&self, ts: &ThreadState, text: &[u8], filename: &PyStr, flags: u32) -> PyResult<Ref<PyCode>> {
        compile(ts, self.request(text, filename, flags))
    }

    /// The statement, when it is whole: a block is so with the blank line after it (`ended`).
    fn whole(&self, ts: &ThreadState, filename: &PyStr, ended: bool) -> PyResult<Option<Ref<PyCode>>> {
        if ended {
            return self.compile(ts, &self.text, filename, 0).map(Some);
        }
        let flags = hognose_frontend::PYCF_ALLOW_INCOMPLETE_INPUT | hognose_frontend::PYCF_DONT_IMPLY_DEDENT;
        let text: &[u8] = &self.text;
        // Without its end, the last line does not end a block either. What is wrong beyond the grammar is said when
        // the statement is whole.
        let result = parse(ts, self.request(text, filename, flags))
            .and_then(|_| self.compile(ts, text.strip_suffix(b"\n").unwrap_or(text), filename, flags));
        match result {
            Ok(code) => Ok(Some(code)),
            Err(raised) if ts.raised_matches(&exc::_IncompleteInputError) => {
                ts.clear_raised(raised);
                Ok(None)
            }
            Err(raised) => Err(raised),
        }
    }

    /// Runs what has been typed so far if it is whole, and forgets it then.
    fn take(&mut self, ts: &ThreadState, ended: bool) -> PyResult<()> {
        let count = ts.interp().interactive_statements.get();
        let filename = PyStr::format(ts, format_args!("<stdin-{count}>"))?;
        match self.whole(ts, &filename, ended) {
            Ok(None) => return Ok(()),
            Ok(Some(code)) => {
                ts.interp().interactive_statements.set(count.wrapping_add(1));
                register_source(ts, &code, &self.text, &filename)?;
                self.text.clear();
                // A future import holds for what is typed after it.
                self.future |= code.co_flags as u32 & crate::code::compile::FUTURE_FLAGS;
                if let Err(raised) =
                    crate::vm::eval_code(ts, &code, &self.globals, Some(self.globals.as_object()), None)
                {
                    show(ts, raised, None)?;
                }
            }
            Err(raised) => {
                let text = core::mem::take(&mut self.text);
                let error = ts.take_raised(raised);
                if let Some(syntax) = error.downcast::<PySyntaxError>() {
                    show_line(ts, syntax, &text)?;
                    syntax.filename.set(Some(PyStr::intern(ts, "<stdin>")?.into_object()));
                }
                show(ts, ts.restore_raised(error), None)?;
            }
        }
        super::finalize::flush_streams(ts);
        Ok(())
    }
}

/// Gives an error its line, when it was found after parsing: there is no file to take it from.
fn show_line(ts: &ThreadState, error: &PySyntaxError, text: &[u8]) -> PyResult<()> {
    if error.text.get().is_some_and(|text| !is_none(&text)) {
        return Ok(());
    }
    let number = error.lineno.get().and_then(|number| number.downcast::<PyInt>()?.as_i64());
    let Some(index) = number.and_then(|number| usize::try_from(number - 1).ok()) else { return Ok(()) };
    if let Some(line) = text.split(|byte| *byte == b'\n').nth(index) {
        error.text.set(Some(PyStr::from_utf8(ts, line, "replace")?.into_object()));
    }
    Ok(())
}

/// `linecache._register_code`, so that tracebacks have a statement's lines: each has a number in its file's name.
fn register_source(ts: &ThreadState, code: &Ref<PyCode>, text: &[u8], filename: &PyStr) -> PyResult<()> {
    let text = PyStr::from_utf8(ts, text, "replace")?;
    print::remember_source(ts, filename, &text)?;
    let linecache = crate::import::import_module(ts, "linecache")?;
    let register = attr::get(ts, &linecache, &*PyStr::intern(ts, "_register_code")?)?;
    call::call_with(ts, &register, &[code.as_object(), text.as_object(), filename.as_object()]).map(drop)
}

/// Reads statements, runs each as soon as it is whole, and goes on after errors (`sys._baserepl`).
pub fn basic(ts: &ThreadState) -> PyResult<()> {
    let Some(sys) = ts.interp().sys_dict.get() else { return Ok(()) };
    for (name, prompt) in [("ps1", ">>> "), ("ps2", "... ")] {
        let name = PyStr::intern(ts, name)?;
        if sys.get_str(ts, &name)?.is_none() {
            let prompt = PyStr::new(ts, prompt)?;
            sys.set_str(ts, &name, prompt.as_object())?;
        }
    }
    let mut session = Session { globals: main_dict(ts)?, text: TryVec::new(), future: 0 };
    loop {
        let line = prompt_text(ts, &sys, if session.text.is_empty() { "ps1" } else { "ps2" })
            .and_then(|prompt| read_line(ts, &sys, &prompt));
        let (line, has_end) = match line {
            Ok(Some(line)) => line,
            Ok(None) => {
                print::write_to_stderr(ts, &*PyStr::new(ts, "\n")?);
                if session.text.is_empty() {
                    return Ok(());
                }
                session.take(ts, true)?;
                continue;
            }
            Err(raised) if ts.raised_matches(&exc::KeyboardInterrupt) => {
                ts.clear_raised(raised);
                print::write_to_stderr(ts, &*PyStr::new(ts, "\nKeyboardInterrupt\n")?);
                session.text.clear();
                continue;
            }
            Err(raised) => return Err(raised),
        };
        let line = line.cast::<PyStr>();
        let bytes = line.utf8(ts)?.as_bytes();
        let says_nothing = matches!(bytes.trim_ascii_start().first(), None | Some(b'#'));
        if session.text.is_empty() && says_nothing {
            continue;
        }
        let mut ended = bytes.is_empty() && !is_within(&session.text);
        if !has_end {
            // The input has ended: what would end the line is asked for, and does not come.
            let prompt = prompt_text(ts, &sys, "ps2")?;
            print::write_to_stderr(ts, prompt.cast::<PyStr>());
            print::write_to_stderr(ts, &*PyStr::new(ts, "\n")?);
            ended = true;
        }
        session.text.try_extend_from_slice(bytes)?;
        session.text.try_push(b'\n')?;
        session.take(ts, ended)?;
    }
}

/// `sys._baserepl()`.
pub fn base_repl(ts: &ThreadState, _: &PyObject) -> PyResult {
    basic(ts)?;
    Ok(ts.none())
}
