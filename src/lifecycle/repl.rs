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
use crate::code::compile::{Request, compile};
use crate::config::env::Environment;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Raised, attr, call};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;
use hognose_frontend::Mode;

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

/// Reads statements by `input`, runs each as soon as it is whole, and goes on after errors (`sys._baserepl`).
pub fn basic(ts: &ThreadState) -> PyResult<()> {
    let filename = PyStr::intern(ts, "<stdin>")?;
    let globals = main_dict(ts)?;
    let Some(sys) = ts.interp().sys_dict.get() else { return Ok(()) };
    for (name, prompt) in [("ps1", ">>> "), ("ps2", "... ")] {
        let name = PyStr::intern(ts, name)?;
        if sys.get_str(ts, &name)?.is_none() {
            let prompt = PyStr::new(ts, prompt)?;
            sys.set_str(ts, &name, prompt.as_object())?;
        }
    }
    let input = match ts.interp().builtins.get() {
        Some(builtins) => builtins.get_str(ts, &*PyStr::intern(ts, "input")?)?,
        None => None,
    };
    let Some(input) = input else { return Ok(()) };
    let mut text = TryVec::<u8>::new();
    let mut future = 0;
    loop {
        let line = prompt_text(ts, &sys, if text.is_empty() { "ps1" } else { "ps2" })
            .and_then(|prompt| call::call_with(ts, &input, &[&prompt]));
        let line: PyRef = match line {
            Ok(line) => line,
            Err(raised) if ts.raised_matches(&exc::EOFError) => {
                ts.clear_raised(raised);
                print::write_to_stderr(ts, &*PyStr::new(ts, "\n")?);
                return Ok(());
            }
            Err(raised) if ts.raised_matches(&exc::KeyboardInterrupt) => {
                ts.clear_raised(raised);
                print::write_to_stderr(ts, &*PyStr::new(ts, "\nKeyboardInterrupt\n")?);
                text.clear();
                continue;
            }
            Err(raised) => return Err(raised),
        };
        let line = line.cast::<PyStr>();
        let blank = line.len() == 0;
        text.try_extend_from_slice(line.utf8(ts)?.as_bytes())?;
        text.try_push(b'\n')?;
        let flags = if blank {
            0
        } else {
            hognose_frontend::PYCF_ALLOW_INCOMPLETE_INPUT | hognose_frontend::PYCF_DONT_IMPLY_DEDENT
        };
        let request = Request {
            source: &text,
            filename: &filename,
            mode: Mode::Single,
            flags: flags | future | hognose_frontend::PYCF_IGNORE_COOKIE,
            optimize: None,
            is_file: false,
            feature_version: None,
        };
        let code = match compile(ts, request) {
            Ok(code) => code,
            Err(raised) if ts.raised_matches(&exc::_IncompleteInputError) => {
                ts.clear_raised(raised);
                continue;
            }
            Err(raised) => {
                text.clear();
                show(ts, raised, None)?;
                continue;
            }
        };
        text.clear();
        // A future import holds for what is typed after it.
        future |= code.co_flags as u32 & crate::code::compile::FUTURE_FLAGS;
        if let Err(raised) = crate::vm::eval_code(ts, &code, &globals, Some(globals.as_object()), None) {
            show(ts, raised, None)?;
        }
        super::finalize::flush_streams(ts);
    }
}

/// `sys._baserepl()`.
pub fn base_repl(ts: &ThreadState, _: &PyObject) -> PyResult {
    basic(ts)?;
    Ok(ts.none())
}
