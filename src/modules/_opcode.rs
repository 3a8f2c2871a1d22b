//! `_opcode`: what `dis` and `opcode` want to know about instructions.

use crate::modules::ModuleSpec;
use crate::object::{Args, AsObject, MethodDef, PyObject, PyRef, PyResult, Ref, Signature, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::{false_object, py_bool, true_object};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::vm::opcode::{DEOPTIMIZED, NAMES, op};

/// Instructions that exist only inside a compiler.
mod pseudo {
    pub const ANNOTATIONS_PLACEHOLDER: i32 = 256;
    pub const JUMP: i32 = 257;
    pub const JUMP_IF_FALSE: i32 = 258;
    pub const JUMP_IF_TRUE: i32 = 259;
    pub const JUMP_NO_INTERRUPT: i32 = 260;
    pub const LOAD_CLOSURE: i32 = 261;
    pub const POP_BLOCK: i32 = 262;
    pub const SETUP_CLEANUP: i32 = 263;
    pub const SETUP_FINALLY: i32 = 264;
    pub const SETUP_WITH: i32 = 265;
    pub const STORE_FAST_MAYBE_NULL: i32 = 266;
}

/// A function that answers a question about an opcode.
macro_rules! question {
    ($name:literal, $answer:ident, $doc:literal) => {
        MethodDef::keywords(
            $name,
            |ts, _, args| {
                static SIGNATURE: Signature<1> = Signature::new($name, ["opcode"], 0, 1, 1);
                let [Some(opcode)] = SIGNATURE.parse(ts, args)? else {
                    return raise!(ts, exc::TypeError, concat!($name, "() takes an opcode"));
                };
                let opcode = protocol::as_i32(ts, opcode)?;
                Ok(py_bool(is_valid(opcode) && $answer(opcode)))
            },
            concat!($name, "($module, /, opcode)\n--\n\n", $doc),
        )
    };
}

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_opcode",
    doc: "Opcode support module.",
    methods: &[
        MethodDef::keywords(
            "stack_effect",
            stack_effect,
            "stack_effect($module, opcode, oparg=None, /, *, jump=None)\n--\n\nHow many values more the stack has after the instruction; jump says whether it jumps, None asks for\nthe larger of both.",
        ),
        question!("is_valid", is_valid, "Whether there is such an instruction."),
        question!("has_arg", has_arg, "Whether the instruction uses its argument."),
        question!("has_const", has_const, "Whether the instruction gets a constant."),
        question!("has_name", has_name, "Whether the instruction uses a name."),
        question!("has_jump", has_jump, "Whether the instruction can jump."),
        question!("has_free", has_free, "Whether the instruction uses a free variable or a cell."),
        question!("has_local", has_local, "Whether the instruction uses a local variable."),
        question!("has_exc", has_exc, "Whether the instruction sets up an exception handler."),
        MethodDef::no_args(
            "get_specialization_stats",
            |ts, _| Ok(ts.none()),
            "get_specialization_stats($module, /)\n--\n\nFigures about specialization; None, since they are not kept.",
        ),
        MethodDef::no_args(
            "get_nb_ops",
            nb_ops,
            "get_nb_ops($module, /)\n--\n\nThe operators of BINARY_OP as (name, symbol).",
        ),
        MethodDef::no_args(
            "get_intrinsic1_descs",
            |ts, _| names(ts, &INTRINSICS_1),
            "get_intrinsic1_descs($module, /)\n--\n\nThe functions of CALL_INTRINSIC_1.",
        ),
        MethodDef::no_args(
            "get_intrinsic2_descs",
            |ts, _| names(ts, &INTRINSICS_2),
            "get_intrinsic2_descs($module, /)\n--\n\nThe functions of CALL_INTRINSIC_2.",
        ),
        MethodDef::no_args(
            "get_special_method_names",
            |ts, _| names(ts, &SPECIAL_METHODS),
            "get_special_method_names($module, /)\n--\n\nThe methods of LOAD_SPECIAL.",
        ),
        MethodDef::keywords(
            "get_executor",
            |ts, _, args| {
                static SIGNATURE: Signature<2> = Signature::new("get_executor", ["code", "offset"], 0, 0, 2);
                SIGNATURE.parse(ts, args)?;
                raise!(ts, exc::RuntimeError, "Executors are not available in this build")
            },
            "get_executor($module, /, *, code, offset)\n--\n\nThe machine code of a piece of bytecode, which is never made.",
        ),
    ],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    module.add_int(ts, "ENABLE_SPECIALIZATION", 1)?;
    module.add_int(ts, "ENABLE_SPECIALIZATION_FT", 0)
}

const INTRINSICS_1: [&str; 12] = [
    "INTRINSIC_1_INVALID",
    "INTRINSIC_PRINT",
    "INTRINSIC_IMPORT_STAR",
    "INTRINSIC_STOPITERATION_ERROR",
    "INTRINSIC_ASYNC_GEN_WRAP",
    "INTRINSIC_UNARY_POSITIVE",
    "INTRINSIC_LIST_TO_TUPLE",
    "INTRINSIC_TYPEVAR",
    "INTRINSIC_PARAMSPEC",
    "INTRINSIC_TYPEVARTUPLE",
    "INTRINSIC_SUBSCRIPT_GENERIC",
    "INTRINSIC_TYPEALIAS",
];

const INTRINSICS_2: [&str; 6] = [
    "INTRINSIC_2_INVALID",
    "INTRINSIC_PREP_RERAISE_STAR",
    "INTRINSIC_TYPEVAR_WITH_BOUND",
    "INTRINSIC_TYPEVAR_WITH_CONSTRAINTS",
    "INTRINSIC_SET_FUNCTION_TYPE_PARAMS",
    "INTRINSIC_SET_TYPEPARAM_DEFAULT",
];

const SPECIAL_METHODS: [&str; 4] = ["__enter__", "__exit__", "__aenter__", "__aexit__"];

/// The operators of `BINARY_OP`, by its argument.
const BINARY_OPERATORS: [(&str, &str); 27] = [
    ("NB_ADD", "+"),
    ("NB_AND", "&"),
    ("NB_FLOOR_DIVIDE", "//"),
    ("NB_LSHIFT", "<<"),
    ("NB_MATRIX_MULTIPLY", "@"),
    ("NB_MULTIPLY", "*"),
    ("NB_REMAINDER", "%"),
    ("NB_OR", "|"),
    ("NB_POWER", "**"),
    ("NB_RSHIFT", ">>"),
    ("NB_SUBTRACT", "-"),
    ("NB_TRUE_DIVIDE", "/"),
    ("NB_XOR", "^"),
    ("NB_INPLACE_ADD", "+="),
    ("NB_INPLACE_AND", "&="),
    ("NB_INPLACE_FLOOR_DIVIDE", "//="),
    ("NB_INPLACE_LSHIFT", "<<="),
    ("NB_INPLACE_MATRIX_MULTIPLY", "@="),
    ("NB_INPLACE_MULTIPLY", "*="),
    ("NB_INPLACE_REMAINDER", "%="),
    ("NB_INPLACE_OR", "|="),
    ("NB_INPLACE_POWER", "**="),
    ("NB_INPLACE_RSHIFT", ">>="),
    ("NB_INPLACE_SUBTRACT", "-="),
    ("NB_INPLACE_TRUE_DIVIDE", "/="),
    ("NB_INPLACE_XOR", "^="),
    ("NB_SUBSCR", "[]"),
];

fn names(ts: &ThreadState, names: &[&str]) -> PyResult {
    let list = PyList::with_capacity(ts, names.len())?;
    for name in names {
        list.append(ts, PyStr::intern(ts, name)?.into_object())?;
    }
    Ok(list.into_object())
}

fn nb_ops(ts: &ThreadState, _: &PyObject) -> PyResult {
    let list = PyList::with_capacity(ts, BINARY_OPERATORS.len())?;
    for (name, symbol) in BINARY_OPERATORS {
        let (name, symbol): (Ref<PyStr>, Ref<PyStr>) = (PyStr::intern(ts, name)?, PyStr::intern(ts, symbol)?);
        let pair: PyRef = PyTuple::pair(ts, name.as_object(), symbol.as_object())?.into_object();
        list.append(ts, pair)?;
    }
    Ok(list.into_object())
}

fn is_valid(opcode: i32) -> bool {
    match usize::try_from(opcode) {
        Ok(real @ 0..256) => !NAMES[real].is_empty(),
        _ => (pseudo::ANNOTATIONS_PLACEHOLDER..=pseudo::STORE_FAST_MAYBE_NULL).contains(&opcode),
    }
}

/// The opcode as that of an instruction that code can contain.
fn real(opcode: i32) -> Option<u8> {
    u8::try_from(opcode).ok()
}

fn has_arg(opcode: i32) -> bool {
    match real(opcode) {
        Some(real) => ARGUMENT_RANGES.iter().any(|range| range.contains(&real)),
        None => !matches!(opcode, pseudo::ANNOTATIONS_PLACEHOLDER | pseudo::POP_BLOCK),
    }
}

/// The instructions that use their argument.
const ARGUMENT_RANGES: [core::ops::RangeInclusive<u8>; 13] = [
    44..=120,
    128..=128,
    143..=153,
    155..=195,
    197..=197,
    200..=200,
    209..=211,
    237..=237,
    239..=239,
    241..=245,
    247..=251,
    253..=253,
    255..=255,
];

fn has_const(opcode: i32) -> bool {
    matches!(real(opcode), Some(op::LOAD_CONST | op::LOAD_CONST_IMMORTAL | op::LOAD_CONST_MORTAL))
}

fn has_name(opcode: i32) -> bool {
    matches!(
        real(opcode),
        Some(
            op::DELETE_ATTR
                | op::DELETE_GLOBAL
                | op::DELETE_NAME
                | op::IMPORT_FROM
                | op::IMPORT_NAME
                | op::LOAD_ATTR
                | op::LOAD_FROM_DICT_OR_GLOBALS
                | op::LOAD_GLOBAL
                | op::LOAD_NAME
                | op::LOAD_SUPER_ATTR
                | op::STORE_ATTR
                | op::STORE_GLOBAL
                | op::STORE_NAME
                | op::LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN
                | op::LOAD_ATTR_WITH_HINT
                | op::LOAD_SUPER_ATTR_ATTR
                | op::LOAD_SUPER_ATTR_METHOD
                | op::STORE_ATTR_WITH_HINT
                | op::INSTRUMENTED_LOAD_SUPER_ATTR
        )
    )
}

fn has_jump(opcode: i32) -> bool {
    match real(opcode) {
        Some(real) => matches!(
            real,
            op::END_ASYNC_FOR
                | op::FOR_ITER
                | op::JUMP_BACKWARD
                | op::JUMP_BACKWARD_NO_INTERRUPT
                | op::JUMP_FORWARD
                | op::POP_JUMP_IF_FALSE
                | op::POP_JUMP_IF_NONE
                | op::POP_JUMP_IF_NOT_NONE
                | op::POP_JUMP_IF_TRUE
                | op::SEND
                | op::FOR_ITER_LIST
                | op::FOR_ITER_RANGE
                | op::FOR_ITER_TUPLE
                | op::JUMP_BACKWARD_JIT
                | op::JUMP_BACKWARD_NO_JIT
                | op::INSTRUMENTED_FOR_ITER
                | op::INSTRUMENTED_END_ASYNC_FOR
        ),
        None => (pseudo::JUMP..=pseudo::JUMP_NO_INTERRUPT).contains(&opcode),
    }
}

fn has_free(opcode: i32) -> bool {
    matches!(real(opcode), Some(op::DELETE_DEREF | op::LOAD_FROM_DICT_OR_DEREF | op::MAKE_CELL | op::STORE_DEREF))
}

fn has_local(opcode: i32) -> bool {
    match real(opcode) {
        Some(real) => matches!(
            real,
            op::BINARY_OP_INPLACE_ADD_UNICODE
                | op::DELETE_FAST
                | op::LOAD_DEREF
                | op::LOAD_FAST
                | op::LOAD_FAST_AND_CLEAR
                | op::LOAD_FAST_BORROW
                | op::LOAD_FAST_BORROW_LOAD_FAST_BORROW
                | op::LOAD_FAST_CHECK
                | op::LOAD_FAST_LOAD_FAST
                | op::STORE_FAST
                | op::STORE_FAST_LOAD_FAST
                | op::STORE_FAST_STORE_FAST
        ),
        None => matches!(opcode, pseudo::LOAD_CLOSURE | pseudo::STORE_FAST_MAYBE_NULL),
    }
}

fn has_exc(opcode: i32) -> bool {
    (pseudo::SETUP_CLEANUP..=pseudo::SETUP_WITH).contains(&opcode)
}

fn stack_effect(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("stack_effect", ["opcode", "oparg", "jump"], 2, 2, 1);
    let [Some(opcode), argument, jump] = SIGNATURE.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "stack_effect() takes an opcode");
    };
    let opcode = protocol::as_i32(ts, opcode)?;
    let argument = match argument {
        Some(argument) if !is_none(argument) => protocol::as_i32(ts, argument)?,
        _ => 0,
    };
    let jumps = match jump {
        Some(jump) if jump.is(false_object()) => false,
        Some(jump) if !is_none(jump) && !jump.is(true_object()) => {
            return raise!(ts, exc::ValueError, "stack_effect: jump must be False, True or None");
        }
        // The handlers' instructions leave most when they jump.
        _ => true,
    };
    let effect = match traffic(opcode, i64::from(argument)) {
        Some((pushed, popped)) if pushed >= 0 && popped >= 0 => {
            if has_exc(opcode) && !jumps {
                0
            } else {
                pushed - popped
            }
        }
        _ => return raise!(ts, exc::ValueError, "invalid opcode or oparg"),
    };
    PyInt::from_i64(ts, effect)
}

/// How many values an instruction pushes and pops; none for what the compiler never emits.
pub(crate) fn traffic(opcode: i32, arg: i64) -> Option<(i64, i64)> {
    let Some(real) = real(opcode) else {
        return Some(match opcode {
            pseudo::JUMP_IF_FALSE | pseudo::JUMP_IF_TRUE => (1, 1),
            pseudo::LOAD_CLOSURE | pseudo::SETUP_FINALLY | pseudo::SETUP_WITH => (1, 0),
            pseudo::SETUP_CLEANUP => (2, 0),
            pseudo::STORE_FAST_MAYBE_NULL => (0, 1),
            _ if is_valid(opcode) => (0, 0),
            _ => return None,
        });
    };
    if !is_valid(opcode) || DEOPTIMIZED[usize::from(real)] != real {
        return None;
    }
    Some(match real {
        op::LOAD_BUILD_CLASS
        | op::LOAD_LOCALS
        | op::PUSH_NULL
        | op::RETURN_GENERATOR
        | op::LOAD_COMMON_CONSTANT
        | op::LOAD_CONST
        | op::LOAD_DEREF
        | op::LOAD_FAST
        | op::LOAD_FAST_AND_CLEAR
        | op::LOAD_FAST_BORROW
        | op::LOAD_FAST_CHECK
        | op::LOAD_NAME
        | op::LOAD_SMALL_INT => (1, 0),
        op::LOAD_FAST_BORROW_LOAD_FAST_BORROW | op::LOAD_FAST_LOAD_FAST => (2, 0),
        op::LOAD_GLOBAL => (1 + (arg & 1), 0),
        op::FORMAT_SIMPLE
        | op::GET_AITER
        | op::GET_ITER
        | op::GET_YIELD_FROM_ITER
        | op::MAKE_FUNCTION
        | op::RETURN_VALUE
        | op::TO_BOOL
        | op::UNARY_INVERT
        | op::UNARY_NEGATIVE
        | op::UNARY_NOT
        | op::CALL_INTRINSIC1
        | op::CONVERT_VALUE
        | op::GET_AWAITABLE
        | op::LOAD_FROM_DICT_OR_DEREF
        | op::LOAD_FROM_DICT_OR_GLOBALS
        | op::STORE_FAST_LOAD_FAST
        | op::YIELD_VALUE => (1, 1),
        op::GET_ANEXT
        | op::GET_LEN
        | op::MATCH_MAPPING
        | op::MATCH_SEQUENCE
        | op::PUSH_EXC_INFO
        | op::FOR_ITER
        | op::IMPORT_FROM
        | op::LOAD_SPECIAL => (2, 1),
        op::LOAD_ATTR => (1 + (arg & 1), 1),
        op::UNPACK_EX => (1 + (arg & 0xff) + (arg >> 8), 1),
        op::UNPACK_SEQUENCE => (arg, 1),
        op::END_FOR
        | op::EXIT_INIT_CHECK
        | op::INTERPRETER_EXIT
        | op::POP_EXCEPT
        | op::POP_ITER
        | op::POP_TOP
        | op::DELETE_ATTR
        | op::POP_JUMP_IF_FALSE
        | op::POP_JUMP_IF_NONE
        | op::POP_JUMP_IF_NOT_NONE
        | op::POP_JUMP_IF_TRUE
        | op::STORE_DEREF
        | op::STORE_FAST
        | op::STORE_GLOBAL
        | op::STORE_NAME => (0, 1),
        op::DELETE_SUBSCR | op::END_ASYNC_FOR | op::STORE_ATTR | op::STORE_FAST_STORE_FAST => (0, 2),
        op::STORE_SUBSCR => (0, 3),
        op::STORE_SLICE => (0, 4),
        op::BUILD_TEMPLATE
        | op::END_SEND
        | op::FORMAT_WITH_SPEC
        | op::BINARY_OP
        | op::CALL_INTRINSIC2
        | op::COMPARE_OP
        | op::CONTAINS_OP
        | op::IMPORT_NAME
        | op::IS_OP
        | op::SET_FUNCTION_ATTRIBUTE => (1, 2),
        op::CHECK_EG_MATCH | op::CHECK_EXC_MATCH | op::SEND => (2, 2),
        op::MATCH_KEYS => (3, 2),
        op::BINARY_SLICE | op::MATCH_CLASS => (1, 3),
        op::CLEANUP_THROW => (2, 3),
        op::LOAD_SUPER_ATTR => (1 + (arg & 1), 3),
        op::CALL_FUNCTION_EX => (1, 4),
        op::WITH_EXCEPT_START => (6, 5),
        op::BUILD_INTERPOLATION => (1, 2 + (arg & 1)),
        op::BUILD_LIST | op::BUILD_SET | op::BUILD_SLICE | op::BUILD_STRING | op::BUILD_TUPLE => (1, arg),
        op::BUILD_MAP => (1, arg * 2),
        op::CALL => (1, 2 + arg),
        op::CALL_KW => (1, 3 + arg),
        op::COPY => (1 + arg, arg),
        op::DICT_MERGE => (3 + arg, 4 + arg),
        op::DICT_UPDATE | op::LIST_APPEND | op::LIST_EXTEND | op::SET_ADD | op::SET_UPDATE => (arg, 1 + arg),
        op::MAP_ADD => (arg, 2 + arg),
        op::SWAP => (arg, arg),
        op::RAISE_VARARGS => (0, arg),
        op::RERAISE => (arg, 1 + arg),
        _ => (0, 0),
    })
}
