//! `builtins`: the functions, types and constants that every module sees.
//!
//! | file | functions |
//! |---|---|
//! | `mod` | the table, attributes, identity, conversion to text |
//! | `class` | `__build_class__` |
//! | `iteration` | `all any iter len max min next sorted sum …` |
//! | `running` | `compile eval exec globals locals __import__ breakpoint` |
//! | `output` | `print input` |

mod class;
mod iteration;
mod output;
mod running;

use crate::modules::ModuleSpec;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::bool::{false_object, py_bool, true_object};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::none::none;
use crate::types::str::PyStr;
use crate::{id, raise, types};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "builtins",
    doc: "Built-in functions, types, exceptions, and other objects.\n\nThis module provides direct access to all 'built-in'\nidentifiers of Python; for example, builtins.len is\nthe full name for the built-in function len().\n\nThis module is not normally accessed explicitly by most\napplications, but can be useful in modules that provide\nobjects with the same name as a builtin, but in which the\nbuilt-in of that name is also needed.",
    methods: &[
        MethodDef::keywords(
            "__build_class__",
            class::build_class,
            "__build_class__(func, name, /, *bases, [metaclass], **kwds) -> class\n\nInternal helper function used by the class statement.",
        ),
        MethodDef::keywords(
            "__import__",
            running::import,
            "__import__($module, /, name, globals=None, locals=None, fromlist=(),\n           level=0)\n--\n\nImport a module.",
        ),
        MethodDef::one(
            "abs",
            |ts, _, x| protocol::absolute(ts, x),
            "abs($module, x, /)\n--\n\nReturn the absolute value of the argument.",
        ),
        MethodDef::one(
            "aiter",
            |ts, _, x| types::generator::get_aiter(ts, x),
            "aiter($module, async_iterable, /)\n--\n\nReturn an AsyncIterator for an AsyncIterable object.",
        ),
        MethodDef::one(
            "all",
            iteration::all,
            "all($module, iterable, /)\n--\n\nReturn True if bool(x) is True for all values x in the iterable.\n\nIf the iterable is empty, return True.",
        ),
        MethodDef::positional(
            "anext",
            iteration::anext,
            "anext($module, async_iterator, default=<unrepresentable>, /)\n--\n\nReturn the next item from the async iterator.\n\nIf default is given and the async iterator is exhausted,\nit is returned instead of raising StopAsyncIteration.",
        ),
        MethodDef::one(
            "any",
            iteration::any,
            "any($module, iterable, /)\n--\n\nReturn True if bool(x) is True for any x in the iterable.\n\nIf the iterable is empty, return False.",
        ),
        MethodDef::one(
            "ascii",
            |ts, _, x| Ok(protocol::ascii(ts, x)?.into_object()),
            "ascii($module, obj, /)\n--\n\nReturn an ASCII-only representation of an object.",
        ),
        MethodDef::one(
            "bin",
            |ts, _, x| based(ts, x, 2),
            "bin($module, number, /)\n--\n\nReturn the binary representation of an integer.",
        ),
        MethodDef::keywords(
            "breakpoint",
            running::breakpoint,
            "breakpoint($module, /, *args, **kws)\n--\n\nCall sys.breakpointhook(*args, **kws).",
        ),
        MethodDef::one(
            "callable",
            |_, _, x| Ok(py_bool(call::is_callable(x))),
            "callable($module, obj, /)\n--\n\nReturn whether the object is callable (i.e., some kind of function).\n\nNote that classes are callable, as are instances of classes with a\n__call__() method.",
        ),
        MethodDef::one(
            "chr",
            chr,
            "chr($module, i, /)\n--\n\nReturn a Unicode string of one character with ordinal i; 0 <= i <= 0x10ffff.",
        ),
        MethodDef::keywords(
            "compile",
            running::compile,
            "compile($module, /, source, filename, mode, flags=0,\n        dont_inherit=False, optimize=-1, *, _feature_version=-1)\n--\n\nCompile source into a code object that can be executed by exec() or eval().",
        ),
        MethodDef::positional(
            "delattr",
            delattr,
            "delattr($module, obj, name, /)\n--\n\nDeletes the named attribute from the given object.",
        ),
        MethodDef::positional(
            "dir",
            dir,
            "dir([object]) -> list of strings\n\nIf called without an argument, return the names in the current scope.\nElse, return an alphabetized list of names comprising (some of) the attributes\nof the given object, and of attributes reachable from it.",
        ),
        MethodDef::positional(
            "divmod",
            divmod,
            "divmod($module, x, y, /)\n--\n\nReturn the tuple (x//y, x%y).  Invariant: div*y + mod == x.",
        ),
        MethodDef::keywords(
            "eval",
            running::eval,
            "eval($module, source, /, globals=None, locals=None)\n--\n\nEvaluate the given source in the context of globals and locals.",
        ),
        MethodDef::keywords(
            "exec",
            running::exec,
            "exec($module, source, /, globals=None, locals=None, *, closure=None)\n--\n\nExecute the given source in the context of globals and locals.",
        ),
        MethodDef::positional(
            "format",
            format,
            "format($module, value, format_spec='', /)\n--\n\nReturn type(value).__format__(value, format_spec)",
        ),
        MethodDef::positional(
            "getattr",
            getattr,
            "Get a named attribute from an object.\n\ngetattr(x, 'y') is equivalent to ``x.y``.",
        ),
        MethodDef::no_args(
            "globals",
            running::globals,
            "globals($module, /)\n--\n\nReturn the dictionary containing the current scope's global variables.",
        ),
        MethodDef::positional(
            "hasattr",
            hasattr,
            "hasattr($module, obj, name, /)\n--\n\nReturn whether the object has an attribute with the given name.\n\nThis is done by calling getattr(obj, name) and catching AttributeError.",
        ),
        MethodDef::one(
            "hash",
            |ts, _, x| PyInt::from_i64(ts, protocol::hash(ts, x)? as i64),
            "hash($module, obj, /)\n--\n\nReturn the hash value for the given object.",
        ),
        MethodDef::one(
            "hex",
            |ts, _, x| based(ts, x, 16),
            "hex($module, number, /)\n--\n\nReturn the hexadecimal representation of an integer.",
        ),
        MethodDef::one(
            "id",
            |ts, _, x| PyInt::from_usize(ts, core::ptr::from_ref(x).addr()),
            "id($module, obj, /)\n--\n\nReturn the identity of an object.",
        ),
        MethodDef::positional(
            "input",
            output::input,
            "input($module, prompt='', /)\n--\n\nRead a string from standard input.  The trailing newline is stripped.",
        ),
        MethodDef::positional(
            "isinstance",
            isinstance,
            "isinstance($module, obj, class_or_tuple, /)\n--\n\nReturn whether an object is an instance of a class or of a subclass thereof.",
        ),
        MethodDef::positional(
            "issubclass",
            issubclass,
            "issubclass($module, cls, class_or_tuple, /)\n--\n\nReturn whether 'cls' is derived from another class or is the same class.",
        ),
        MethodDef::positional(
            "iter",
            iteration::iter,
            "Get an iterator from an object.\n\nIn the first form, the argument must supply its own iterator, or be a sequence.\nIn the second form, the callable is called until it returns the sentinel.",
        ),
        MethodDef::one(
            "len",
            |ts, _, x| PyInt::from_usize(ts, protocol::length(ts, x)?),
            "len($module, obj, /)\n--\n\nReturn the number of items in a container.",
        ),
        MethodDef::no_args(
            "locals",
            running::locals,
            "locals($module, /)\n--\n\nReturn a dictionary containing the current scope's local variables.",
        ),
        MethodDef::keywords(
            "max",
            iteration::max,
            "max(iterable, *[, default=obj, key=func]) -> value\nmax(arg1, arg2, *args, *[, key=func]) -> value",
        ),
        MethodDef::keywords(
            "min",
            iteration::min,
            "min(iterable, *[, default=obj, key=func]) -> value\nmin(arg1, arg2, *args, *[, key=func]) -> value",
        ),
        MethodDef::positional(
            "next",
            iteration::next,
            "Return the next item from the iterator.\n\nIf default is given and the iterator is exhausted,\nit is returned instead of raising StopIteration.",
        ),
        MethodDef::one(
            "oct",
            |ts, _, x| based(ts, x, 8),
            "oct($module, number, /)\n--\n\nReturn the octal representation of an integer.",
        ),
        MethodDef::one("ord", ord, "ord($module, character, /)\n--\n\nReturn the ordinal value of a character."),
        MethodDef::keywords(
            "pow",
            pow,
            "pow($module, /, base, exp, mod=None)\n--\n\nEquivalent to base**exp with 2 arguments or base**exp % mod with 3 arguments.",
        ),
        MethodDef::keywords(
            "print",
            output::print,
            "print($module, /, *args, sep=' ', end='\\n', file=None, flush=False)\n--\n\nPrints the values to a stream, or to sys.stdout by default.",
        ),
        MethodDef::one(
            "repr",
            |ts, _, x| Ok(protocol::repr(ts, x)?.into_object()),
            "repr($module, obj, /)\n--\n\nReturn the canonical string representation of the object.",
        ),
        MethodDef::keywords(
            "round",
            round,
            "round($module, /, number, ndigits=None)\n--\n\nRound a number to a given precision in decimal digits.",
        ),
        MethodDef::positional(
            "setattr",
            setattr,
            "setattr($module, obj, name, value, /)\n--\n\nSets the named attribute on the given object to the specified value.\n\nsetattr(x, 'y', v) is equivalent to ``x.y = v``",
        ),
        MethodDef::keywords(
            "sorted",
            iteration::sorted,
            "sorted($module, iterable, /, *, key=None, reverse=False)\n--\n\nReturn a new list containing all items from the iterable in ascending order.",
        ),
        MethodDef::keywords(
            "sum",
            iteration::sum,
            "sum($module, iterable, /, start=0)\n--\n\nReturn the sum of a 'start' value (default: 0) plus an iterable of numbers",
        ),
        MethodDef::positional(
            "vars",
            vars,
            "vars([object]) -> dictionary\n\nWithout arguments, equivalent to locals().\nWith an argument, equivalent to object.__dict__.",
        ),
    ],
    types: &[],
    exec: Some(exec),
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    for typ in types::BUILTIN_NAMES {
        module.add_type(ts, typ)?;
    }
    for typ in exc::TYPES {
        module.add_type(ts, typ)?;
    }
    module.add(ts, "EnvironmentError", exc::OSError.as_object())?;
    module.add(ts, "IOError", exc::OSError.as_object())?;
    module.add(ts, "None", none())?;
    module.add(ts, "Ellipsis", types::ellipsis::ellipsis())?;
    module.add(ts, "NotImplemented", &types::notimplemented::not_implemented())?;
    module.add(ts, "False", false_object())?;
    module.add(ts, "True", true_object())?;
    let debug = ts.interp().config().optimization_level == 0;
    module.add(ts, "__debug__", &py_bool(debug))
}

fn based(ts: &ThreadState, number: &PyObject, base: u32) -> PyResult {
    let number = protocol::index(ts, number)?;
    Ok(number.to_prefixed_str(ts, base)?.into_object())
}

fn attribute_name<'a>(ts: &ThreadState, name: &'a PyObject) -> PyResult<&'a PyStr> {
    match name.downcast::<PyStr>() {
        Some(name) => Ok(name),
        None => raise!(ts, exc::TypeError, "attribute name must be string, not '{}'", name.type_name()),
    }
}

/// Attribute names are compared by identity in caches: a computed one is interned first.
fn interned(ts: &ThreadState, name: &PyStr) -> PyResult<Ref<PyStr>> {
    if name.is_interned() || name.as_object().downcast_exact::<PyStr>().is_none() {
        return Ok(Ref::from_borrowed(name));
    }
    PyStr::intern_ref(ts, Ref::from_borrowed(name))
}

fn chr(ts: &ThreadState, _: &PyObject, number: &PyObject) -> PyResult {
    let number = protocol::index(ts, number)?;
    match number.as_i64() {
        Some(n @ 0..=0x10_ffff) => Ok(PyStr::from_char(ts, n as u32)?.into_object()),
        _ => raise!(ts, exc::ValueError, "chr() arg not in range(0x110000)"),
    }
}

fn ord(ts: &ThreadState, _: &PyObject, character: &PyObject) -> PyResult {
    let size;
    if let Some(text) = character.downcast::<PyStr>() {
        size = text.len();
        if size == 1 {
            return PyInt::from_i64(ts, text.char_at(0).into());
        }
    } else if let Some(bytes) = character.downcast::<types::bytes::PyBytes>() {
        size = bytes.as_slice().len();
        if size == 1 {
            return PyInt::from_i64(ts, bytes.as_slice()[0].into());
        }
    } else if character.is_a::<types::bytearray::PyByteArray>() {
        let view = buffer::Buffer::get(ts, character, buffer::SIMPLE)?;
        size = view.as_slice().len();
        if size == 1 {
            return PyInt::from_i64(ts, view.as_slice()[0].into());
        }
    } else {
        return raise!(ts, exc::TypeError, "ord() expected string of length 1, but {} found", character.type_name());
    }
    raise!(ts, exc::TypeError, "ord() expected a character, but string of length {size} found")
}

fn delattr(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "delattr", args.len(), 2, 2)?;
    attr::delete(ts, args[0], &*interned(ts, attribute_name(ts, args[1])?)?)?;
    Ok(ts.none())
}

fn setattr(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "setattr", args.len(), 3, 3)?;
    attr::set(ts, args[0], &*interned(ts, attribute_name(ts, args[1])?)?, args[2])?;
    Ok(ts.none())
}

fn getattr(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "getattr", args.len(), 2, 3)?;
    let name = interned(ts, attribute_name(ts, args[1])?)?;
    match args.get(2) {
        None => attr::get(ts, args[0], &name),
        Some(default) => Ok(attr::get_opt(ts, args[0], &name)?.unwrap_or_else(|| default.new_ref())),
    }
}

fn hasattr(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "hasattr", args.len(), 2, 2)?;
    let name = interned(ts, attribute_name(ts, args[1])?)?;
    Ok(py_bool(attr::has(ts, args[0], &name)?))
}

fn dir(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "dir", args.len(), 0, 1)?;
    if let Some(object) = args.first() {
        return Ok(protocol::dir(ts, object)?.into_object());
    }
    let locals = running::current_locals(ts)?;
    let names = protocol::mapping_list(ts, &locals, id!(keys))?;
    names.sort(ts, None, false)?;
    Ok(names.into_object())
}

fn vars(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "vars", args.len(), 0, 1)?;
    let Some(object) = args.first() else { return running::current_locals(ts) };
    match attr::get_opt(ts, object, id!(__dict__))? {
        Some(dict) => Ok(dict),
        None => raise!(ts, exc::TypeError, "vars() argument must have __dict__ attribute"),
    }
}

fn divmod(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "divmod", args.len(), 2, 2)?;
    protocol::divmod(ts, args[0], args[1])
}

fn format(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "format", args.len(), 1, 2)?;
    let spec = match args.get(1) {
        None => PyStr::empty_static(),
        Some(spec) => match spec.downcast::<PyStr>() {
            Some(spec) => spec,
            None => {
                return raise!(ts, exc::TypeError, "format() argument 2 must be str, not {}", spec.type_name());
            }
        },
    };
    Ok(protocol::format(ts, args[0], spec)?.into_object())
}

fn isinstance(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "isinstance", args.len(), 2, 2)?;
    Ok(py_bool(protocol::isinstance(ts, args[0], args[1])?))
}

fn issubclass(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "issubclass", args.len(), 2, 2)?;
    Ok(py_bool(protocol::issubclass(ts, args[0], args[1])?))
}

fn pow(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("pow", ["base", "exp", "mod"], 0, 3, 2);
    let [base, exponent, modulus] = SIGNATURE.parse(ts, args)?;
    protocol::power(ts, base.unwrap_or(none()), exponent.unwrap_or(none()), modulus.unwrap_or(none()))
}

fn round(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("round", ["number", "ndigits"], 0, 2, 1);
    let [number, digits] = SIGNATURE.parse(ts, args)?;
    let number = number.unwrap_or(none());
    let digits = digits.filter(|d| !types::none::is_none(d));
    let result = match digits {
        None => call::call_special(ts, number, id!(__round__), &[])?,
        Some(digits) => call::call_special(ts, number, id!(__round__), &[digits])?,
    };
    match result {
        Some(value) => Ok(value),
        None => raise!(ts, exc::TypeError, "type {} doesn't define __round__ method", number.type_name()),
    }
}
