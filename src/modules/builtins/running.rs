//! Compiling and running code, namespaces, imports.

use hognose_allocators::collections::TryVec;
use hognose_frontend::{
    Mode, PYCF_ALLOW_INCOMPLETE_INPUT, PYCF_DONT_IMPLY_DEDENT, PYCF_IGNORE_COOKIE, PYCF_ONLY_AST, PYCF_OPTIMIZED_AST,
};

use crate::code::compile::{Request, compile as compile_text, compile_tree, optimize_tree, parse as parse_text};
use crate::modules::sys::auditing;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::cell::PyCell;
use crate::types::code::PyCode;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::none::{is_none, none};
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::vm::frame;
use crate::{id, raise};

const FUTURE_FLAGS: i32 = crate::code::compile::FUTURE_FLAGS as i32;

/// A source text as bytes: str in UTF-8, or what a bytes-like object holds.
struct Source {
    bytes: TryVec<u8>,
    is_text: bool,
}

fn source(ts: &ThreadState, object: &PyObject, function: &str, wants: &str) -> PyResult<Source> {
    let mut bytes = TryVec::new();
    if let Some(text) = object.downcast::<PyStr>() {
        bytes.try_extend_from_slice(text.utf8(ts)?.as_bytes())?;
        return Ok(Source { bytes, is_text: true });
    }
    if buffer::has_buffer(object) {
        let view = buffer::Buffer::get(ts, object, buffer::SIMPLE)?;
        bytes.try_extend_from_slice(view.as_slice())?;
        return Ok(Source { bytes, is_text: false });
    }
    raise!(ts, exc::TypeError, "{function}() arg 1 must be a {wants}")
}

/// `compile(source, filename, mode, flags=0, dont_inherit=False, optimize=-1)`.
pub fn compile(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<7> = Signature::new(
        "compile",
        ["source", "filename", "mode", "flags", "dont_inherit", "optimize", "_feature_version"],
        0,
        6,
        3,
    );
    let [source_object, filename, mode, flags, dont_inherit, optimize, version] = SIGNATURE.parse(ts, args)?;
    let filename = crate::modules::posix::path::fs_decode_object(ts, filename.unwrap_or(none()))?;
    let Some(mode) = mode.and_then(|m| m.downcast::<PyStr>()) else {
        return raise!(ts, exc::TypeError, "compile() argument 'mode' must be str");
    };
    let flags = flags.map_or(Ok(0), |f| protocol::as_i32(ts, f))?;
    let known = FUTURE_FLAGS as u32
        | PYCF_DONT_IMPLY_DEDENT
        | PYCF_ONLY_AST
        | 0x2000
        | 0x8000
        | PYCF_ALLOW_INCOMPLETE_INPUT
        // CO_NESTED, which has no meaning any more.
        | 0x0010
        | 0x0100
        | 0x1000;
    if flags as u32 & !known != 0 {
        return raise!(ts, exc::ValueError, "compile(): unrecognised flags");
    }
    let optimize = optimize.map_or(Ok(-1), |o| protocol::as_i32(ts, o))?;
    if !(-1..=2).contains(&optimize) {
        return raise!(ts, exc::ValueError, "compile(): invalid optimize value");
    }
    let inherits = match dont_inherit {
        Some(flag) => !protocol::is_true(ts, flag)?,
        None => true,
    };
    let inherited = match frame::current(ts) {
        Some(frame) if inherits => frame.code().co_flags & FUTURE_FLAGS,
        _ => 0,
    };
    let flags = flags as u32;
    let only_tree = flags & PYCF_ONLY_AST != 0;
    let mode = match mode.ascii_str() {
        Some("exec") => Mode::Exec,
        Some("eval") => Mode::Eval,
        Some("single") => Mode::Single,
        Some("func_type") if only_tree => Mode::FuncType,
        Some("func_type") => {
            return raise!(ts, exc::ValueError, "compile() mode 'func_type' requires flag PyCF_ONLY_AST");
        }
        _ if only_tree => {
            return raise!(ts, exc::ValueError, "compile() mode must be 'exec', 'eval', 'single' or 'func_type'");
        }
        _ => return raise!(ts, exc::ValueError, "compile() mode must be 'exec', 'eval' or 'single'"),
    };
    let source_object = source_object.unwrap_or(none());
    let request = Request {
        source: &[],
        filename: &filename,
        mode,
        flags: flags | inherited as u32,
        optimize: u8::try_from(optimize).ok(),
        is_file: false,
        feature_version: None,
    };
    if crate::modules::_ast::is_node(source_object) {
        if flags & PYCF_OPTIMIZED_AST == PYCF_OPTIMIZED_AST {
            return optimize_tree(ts, source_object, request);
        }
        if only_tree {
            return Ok(source_object.new_ref());
        }
        return Ok(compile_tree(ts, source_object, request)?.into_object());
    }
    let source = source(ts, source_object, "compile", "string, bytes or AST object")?;
    let cookie = if source.is_text { PYCF_IGNORE_COOKIE } else { 0 };
    let request = Request { source: &source.bytes, flags: request.flags | cookie, ..request };
    if only_tree {
        // Only a tree can be of another version.
        let version = version.map_or(Ok(-1), |version| protocol::as_i32(ts, version))?;
        let request = Request { feature_version: u8::try_from(version).ok(), ..request };
        return parse_text(ts, request);
    }
    Ok(compile_text(ts, request)?.into_object())
}

/// Makes sure that a namespace knows the built-in names.
fn ensure_builtins(ts: &ThreadState, globals: &PyDict) -> PyResult<()> {
    if globals.get_str(ts, id!(__builtins__))?.is_some() {
        return Ok(());
    }
    let builtins = match frame::current(ts) {
        Some(frame) => frame.builtins().new_ref(),
        None => match ts.interp().builtins.get() {
            Some(builtins) => builtins.into_object(),
            None => return Ok(()),
        },
    };
    globals.set_str(ts, id!(__builtins__), &builtins)
}

/// The namespaces for `eval` and `exec`: those given, or the caller's.
fn namespaces(
    ts: &ThreadState,
    function: &str,
    globals: Option<&PyObject>,
    locals: Option<&PyObject>,
) -> PyResult<(Ref<PyDict>, PyRef)> {
    let globals = globals.filter(|g| !is_none(g));
    let locals = locals.filter(|l| !is_none(l));
    if let Some(locals) = locals
        && locals.ob_type().slots().mp_subscript.is_none()
    {
        return raise!(ts, exc::TypeError, "{function}() locals must be a mapping or None, not {}", locals.type_name());
    }
    let (globals, locals) = match globals {
        Some(globals) => {
            let Some(globals) = globals.downcast::<PyDict>() else {
                return match function {
                    "eval" if globals.ob_type().slots().mp_subscript.is_some() => {
                        raise!(ts, exc::TypeError, "globals must be a real dict; try eval(code, {{}}, mapping)")
                    }
                    _ => raise!(ts, exc::TypeError, "{function}() globals must be a dict, not {}", globals.type_name()),
                };
            };
            let locals = locals.map_or_else(|| globals.new_ref(), PyRef::from_borrowed);
            (Ref::from_borrowed(globals), locals)
        }
        None => {
            let Some(globals) = frame::current_globals(ts) else {
                return raise!(ts, exc::SystemError, "globals and locals cannot be NULL");
            };
            let locals = match locals {
                Some(locals) => locals.new_ref(),
                None => current_locals(ts)?,
            };
            (globals, locals)
        }
    };
    ensure_builtins(ts, &globals)?;
    Ok((globals, locals))
}

/// `eval(source, /, globals=None, locals=None)`.
pub fn eval(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("eval", ["source", "globals", "locals"], 1, 3, 1);
    let [source_object, globals, locals] = SIGNATURE.parse(ts, args)?;
    let source_object = source_object.unwrap_or(none());
    let (globals, locals) = namespaces(ts, "eval", globals, locals)?;
    if let Some(code) = source_object.downcast::<PyCode>() {
        if code.co_nfreevars > 0 {
            return raise!(ts, exc::TypeError, "code object passed to eval() may not contain free variables");
        }
        auditing::event(ts, "exec", &[code.as_object()])?;
        return crate::vm::eval_code(ts, code, &globals, Some(&locals), None);
    }
    let source = source(ts, source_object, "eval", "string, bytes or code object")?;
    let skip = source.bytes.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    let code = compile_for(ts, &source, skip, Mode::Eval)?;
    auditing::event(ts, "exec", &[code.as_object()])?;
    crate::vm::eval_code(ts, &code, &globals, Some(&locals), None)
}

fn compile_for(ts: &ThreadState, source: &Source, skip: usize, mode: Mode) -> PyResult<Ref<PyCode>> {
    let inherited = frame::current(ts).map_or(0, |frame| frame.code().co_flags & FUTURE_FLAGS);
    let cookie = if source.is_text { PYCF_IGNORE_COOKIE } else { 0 };
    let filename = PyStr::intern(ts, "<string>")?;
    let request = Request {
        source: &source.bytes[skip..],
        filename: &filename,
        mode,
        flags: inherited as u32 | cookie,
        optimize: None,
        is_file: false,
        feature_version: None,
    };
    compile_text(ts, request)
}

/// `exec(source, /, globals=None, locals=None, *, closure=None)`.
pub fn exec(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<4> = Signature::new("exec", ["source", "globals", "locals", "closure"], 1, 3, 1);
    let [source_object, globals, locals, closure] = SIGNATURE.parse(ts, args)?;
    let source_object = source_object.unwrap_or(none());
    let closure = closure.filter(|c| !is_none(c));
    let (globals, locals) = namespaces(ts, "exec", globals, locals)?;
    let Some(code) = source_object.downcast::<PyCode>() else {
        if closure.is_some() {
            return raise!(ts, exc::TypeError, "closure can only be used when source is a code object");
        }
        let source = source(ts, source_object, "exec", "string, bytes or code object")?;
        let code = compile_for(ts, &source, 0, Mode::Exec)?;
        auditing::event(ts, "exec", &[code.as_object()])?;
        crate::vm::eval_code(ts, &code, &globals, Some(&locals), None)?;
        return Ok(ts.none());
    };
    let wanted = code.co_nfreevars as usize;
    let cells = match closure {
        None if wanted == 0 => None,
        None => {
            return raise!(ts, exc::TypeError, "code object requires a closure of exactly length {wanted}");
        }
        Some(_) if wanted == 0 => {
            return raise!(ts, exc::TypeError, "cannot use a closure with this code object");
        }
        Some(closure) => match closure.downcast_exact::<PyTuple>() {
            Some(cells) if cells.len() == wanted && cells.items().iter().all(|c| c.is_a::<PyCell>()) => {
                Some(Ref::from_borrowed(cells))
            }
            _ => {
                return raise!(ts, exc::TypeError, "code object requires a closure of exactly length {wanted}");
            }
        },
    };
    auditing::event(ts, "exec", &[code.as_object()])?;
    crate::vm::eval_code(ts, code, &globals, Some(&locals), cells)?;
    Ok(ts.none())
}

/// `globals()`.
pub fn globals(ts: &ThreadState, _: &PyObject) -> PyResult {
    Ok(frame::current_globals(ts).map_or_else(|| ts.none(), Ref::into_object))
}

/// The local variables of the running Python code.
pub fn current_locals(ts: &ThreadState) -> PyResult {
    match frame::current(ts) {
        Some(frame) => {
            // `sp` is stored only when the loop leaves the frame; locals do not need it.
            crate::types::frame::locals_of(ts, frame)
        }
        None => raise!(ts, exc::SystemError, "frame does not exist"),
    }
}

/// `locals()`.
pub fn locals(ts: &ThreadState, _: &PyObject) -> PyResult {
    current_locals(ts)
}

/// `__import__(name, globals=None, locals=None, fromlist=(), level=0)`.
pub fn import(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<5> =
        Signature::new("__import__", ["name", "globals", "locals", "fromlist", "level"], 0, 5, 1);
    let [name, globals, locals, fromlist, level] = SIGNATURE.parse(ts, args)?;
    let name = name.unwrap_or(none());
    let Some(name) = name.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "module name must be a string");
    };
    let level = level.map_or(Ok(0), |l| protocol::as_i32(ts, l))?;
    crate::import::import_level(ts, name, globals, locals, fromlist.unwrap_or(none()), level)
}

/// `breakpoint(*args, **keywords)`.
pub fn breakpoint(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let hook = ts.interp().sys_dict.get().map(|d| d.get_str(ts, id!(breakpointhook))).transpose()?.flatten();
    match hook {
        Some(hook) => call::call(ts, &hook, args),
        None => raise!(ts, exc::RuntimeError, "lost sys.breakpointhook"),
    }
}
