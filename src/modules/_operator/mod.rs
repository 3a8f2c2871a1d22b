//! `_operator`: the operators as functions, and callables that get attributes and items.

mod getters;

use crate::modules::ModuleSpec;
use crate::object::buffer::{self, Buffer};
use crate::object::{Args, CompareOp, MethodDef, PyObject, PyRef, PyResult, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::notimplemented::is_not_implemented;
use crate::types::str::{PyStr, StrData};

/// `f(a)` of a protocol function.
macro_rules! unary {
    ($name:literal, $function:expr, $doc:literal) => {
        MethodDef::one($name, |ts, _, a| $function(ts, a), concat!($name, "($module, a, /)\n--\n\n", $doc))
    };
}

/// `f(a, b)` of a protocol function.
macro_rules! binary {
    ($name:literal, $function:expr, $doc:literal) => {
        MethodDef::positional(
            $name,
            |ts, _, args| {
                call::check_count(ts, $name, args.len(), 2, 2)?;
                $function(ts, args[0], args[1])
            },
            concat!($name, "($module, a, b, /)\n--\n\n", $doc),
        )
    };
}

macro_rules! comparison {
    ($name:literal, $op:ident, $doc:literal) => {
        binary!($name, |ts, a, b| protocol::compare(ts, a, b, CompareOp::$op), $doc)
    };
}

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_operator",
    doc: "The operators as functions: add(x, y) is x + y.",
    methods: &[
        unary!("truth", |ts, a| Ok(py_bool(protocol::is_true(ts, a)?)), "Whether a is true."),
        binary!(
            "contains",
            |ts, a, b| Ok(py_bool(protocol::contains(ts, a, b)?)),
            "Same as b in a (the operands change sides)."
        ),
        binary!(
            "indexOf",
            |ts, a, b| Ok(PyInt::from_usize(ts, index_of(ts, a, b)?)?.into_object()),
            "The first index of b in a."
        ),
        binary!(
            "countOf",
            |ts, a, b| Ok(PyInt::from_usize(ts, count_of(ts, a, b)?)?.into_object()),
            "How many items of a equal b."
        ),
        binary!("is_", |_: &ThreadState, a: &PyObject, b: &PyObject| PyResult::Ok(py_bool(a.is(b))), "Same as a is b."),
        binary!(
            "is_not",
            |_: &ThreadState, a: &PyObject, b: &PyObject| PyResult::Ok(py_bool(!a.is(b))),
            "Same as a is not b."
        ),
        unary!("is_none", |_: &ThreadState, a: &PyObject| PyResult::Ok(py_bool(is_none(a))), "Same as a is None."),
        unary!(
            "is_not_none",
            |_: &ThreadState, a: &PyObject| PyResult::Ok(py_bool(!is_none(a))),
            "Same as a is not None."
        ),
        unary!("not_", |ts, a| Ok(py_bool(!protocol::is_true(ts, a)?)), "Same as not a."),
        unary!("neg", protocol::negative, "Same as -a."),
        unary!("pos", protocol::positive, "Same as +a."),
        unary!("abs", protocol::absolute, "Same as abs(a)."),
        unary!("inv", protocol::invert, "Same as ~a."),
        unary!("invert", protocol::invert, "Same as ~a."),
        unary!("index", |ts, a| Ok(protocol::index(ts, a)?.into_object()), "Same as a.__index__()."),
        binary!("add", protocol::add, "Same as a + b."),
        binary!("sub", protocol::subtract, "Same as a - b."),
        binary!("mul", protocol::multiply, "Same as a * b."),
        binary!("matmul", protocol::matrix_multiply, "Same as a @ b."),
        binary!("floordiv", protocol::floor_divide, "Same as a // b."),
        binary!("truediv", protocol::true_divide, "Same as a / b."),
        binary!("mod", protocol::remainder, "Same as a % b."),
        binary!("lshift", protocol::lshift, "Same as a << b."),
        binary!("rshift", protocol::rshift, "Same as a >> b."),
        binary!("and_", protocol::and, "Same as a & b."),
        binary!("xor", protocol::xor, "Same as a ^ b."),
        binary!("or_", protocol::or, "Same as a | b."),
        binary!(
            "pow",
            |ts: &ThreadState, a, b| protocol::power(ts, a, b, crate::types::none::none()),
            "Same as a ** b."
        ),
        binary!("iadd", protocol::inplace_add, "Same as a += b."),
        binary!("isub", protocol::inplace_subtract, "Same as a -= b."),
        binary!("imul", protocol::inplace_multiply, "Same as a *= b."),
        binary!("imatmul", protocol::inplace_matrix_multiply, "Same as a @= b."),
        binary!("ifloordiv", protocol::inplace_floor_divide, "Same as a //= b."),
        binary!("itruediv", protocol::inplace_true_divide, "Same as a /= b."),
        binary!("imod", protocol::inplace_remainder, "Same as a %= b."),
        binary!("ilshift", protocol::inplace_lshift, "Same as a <<= b."),
        binary!("irshift", protocol::inplace_rshift, "Same as a >>= b."),
        binary!("iand", protocol::inplace_and, "Same as a &= b."),
        binary!("ixor", protocol::inplace_xor, "Same as a ^= b."),
        binary!("ior", protocol::inplace_or, "Same as a |= b."),
        binary!("ipow", protocol::inplace_power, "Same as a **= b."),
        binary!("concat", |ts, a, b| concat(ts, a, b, false), "Same as a + b, for a and b sequences."),
        binary!("iconcat", |ts, a, b| concat(ts, a, b, true), "Same as a += b, for a and b sequences."),
        binary!("getitem", protocol::getitem, "Same as a[b]."),
        MethodDef::positional("setitem", set_item, "setitem($module, a, b, c, /)\n--\n\nSame as a[b] = c."),
        binary!(
            "delitem",
            |ts: &ThreadState, a, b| {
                protocol::delitem(ts, a, b)?;
                Ok(ts.none())
            },
            "Same as del a[b]."
        ),
        comparison!("lt", Lt, "Same as a < b."),
        comparison!("le", Le, "Same as a <= b."),
        comparison!("eq", Eq, "Same as a == b."),
        comparison!("ne", Ne, "Same as a != b."),
        comparison!("gt", Gt, "Same as a > b."),
        comparison!("ge", Ge, "Same as a >= b."),
        MethodDef::positional(
            "length_hint",
            length_hint,
            "length_hint($module, obj, default=0, /)\n--\n\nAn estimate of the number of items: the length, or what __length_hint__ says, or the default.",
        ),
        MethodDef::keywords(
            "call",
            call_function,
            "call($module, obj, /, *args, **kwargs)\n--\n\nSame as obj(*args, **kwargs).",
        ),
        MethodDef::positional(
            "_compare_digest",
            compare_digest,
            "_compare_digest($module, a, b, /)\n--\n\nWhether a equals b, in a time that does not tell where they differ.",
        ),
    ],
    types: getters::TYPES,
    ..ModuleSpec::EMPTY
};

/// `operator.countOf`: by iteration.
pub(crate) fn count_of(ts: &ThreadState, sequence: &PyObject, value: &PyObject) -> PyResult<usize> {
    let iterator = iterator_over(ts, sequence)?;
    let mut count = 0;
    while let Some(item) = protocol::next(ts, &iterator)? {
        count += usize::from(protocol::compare_bool(ts, &item, value, CompareOp::Eq)?);
    }
    Ok(count)
}

/// `operator.indexOf`: by iteration. ValueError when the value is not there.
pub(crate) fn index_of(ts: &ThreadState, sequence: &PyObject, value: &PyObject) -> PyResult<usize> {
    let iterator = iterator_over(ts, sequence)?;
    let mut index = 0;
    while let Some(item) = protocol::next(ts, &iterator)? {
        if protocol::compare_bool(ts, &item, value, CompareOp::Eq)? {
            return Ok(index);
        }
        index += 1;
    }
    raise!(ts, exc::ValueError, "sequence.index(x): x not in sequence")
}

fn iterator_over(ts: &ThreadState, sequence: &PyObject) -> PyResult {
    match protocol::iter(ts, sequence) {
        Err(raised) if ts.raised_matches(&exc::TypeError) => {
            ts.clear_raised(raised);
            raise!(ts, exc::TypeError, "'{}' object is not iterable", sequence.type_name())
        }
        other => other,
    }
}

fn concat(ts: &ThreadState, left: &PyObject, right: &PyObject, in_place: bool) -> PyResult {
    let slots = left.ob_type().slots();
    let slot = if in_place { slots.sq_inplace_concat.or(slots.sq_concat) } else { slots.sq_concat };
    if let Some(slot) = slot {
        return slot(ts, left, right);
    }
    if protocol::is_sequence(left) && protocol::is_sequence(right) {
        // Instances of classes with `__getitem__` and `__add__`.
        for slot in [slots.nb_inplace_add.filter(|_| in_place), slots.nb_add].into_iter().flatten() {
            let value: PyRef = slot(ts, left, right)?;
            if !is_not_implemented(&value) {
                return Ok(value);
            }
        }
    }
    raise!(ts, exc::TypeError, "'{}' object can't be concatenated", left.type_name())
}

fn set_item(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "setitem", args.len(), 3, 3)?;
    protocol::setitem(ts, args[0], args[1], args[2])?;
    Ok(ts.none())
}

fn length_hint(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "length_hint", args.len(), 1, 2)?;
    let default = match args.get(1) {
        Some(default) => protocol::as_isize(ts, default)?,
        None => 0,
    };
    // A negative default comes back as it is.
    let hint = protocol::length_hint(ts, args[0], default as usize)?;
    Ok(PyInt::from_i64(ts, hint as i64)?.into_object())
}

fn call_function(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    let Some(function) = args.positional().first() else {
        return raise!(ts, exc::TypeError, "call expected at least 1 argument, got 0");
    };
    call::call(ts, function, args.skip_first())
}

fn compare_digest(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "_compare_digest", args.len(), 2, 2)?;
    let (a, b) = (args[0], args[1]);
    if let (Some(a), Some(b)) = (a.downcast::<PyStr>(), b.downcast::<PyStr>()) {
        return match (a.data(), b.data()) {
            (StrData::Ascii(a), StrData::Ascii(b)) => Ok(py_bool(same_bytes(a, b))),
            _ => raise!(ts, exc::TypeError, "comparing strings with non-ASCII characters is not supported"),
        };
    }
    if !buffer::has_buffer(a) || !buffer::has_buffer(b) {
        return raise!(
            ts,
            exc::TypeError,
            "unsupported operand types(s) or combination of types: '{}' and '{}'",
            a.type_name(),
            b.type_name()
        );
    }
    let (a, b) = (Buffer::get(ts, a, buffer::SIMPLE)?, Buffer::get(ts, b, buffer::SIMPLE)?);
    Ok(py_bool(same_bytes(a.as_slice(), b.as_slice())))
}

/// Looks at all of `b`, whatever it finds.
fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    let same_length = a.len() == b.len();
    let a = if same_length { a } else { b };
    let difference = a.iter().zip(b).fold(0u8, |all, (x, y)| core::hint::black_box(all | (x ^ y)));
    same_length & (difference == 0)
}
