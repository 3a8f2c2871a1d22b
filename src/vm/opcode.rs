//! The instruction set: CPython 3.14's numbers, names and cache sizes.
//!
//! An instruction is one 16-bit unit, opcode in the low byte and argument in the high one, followed by its
//! cache units. `EXTENDED_ARG` units before it bring the argument's upper bytes.

use core::cell::Cell;

/// Opcode numbers.
#[allow(missing_docs, reason = "the names are CPython's; `dis` documents them")]
pub mod op {
    pub const CACHE: u8 = 0;
    pub const BINARY_SLICE: u8 = 1;
    pub const BUILD_TEMPLATE: u8 = 2;
    pub const BINARY_OP_INPLACE_ADD_UNICODE: u8 = 3;
    pub const CALL_FUNCTION_EX: u8 = 4;
    pub const CHECK_EG_MATCH: u8 = 5;
    pub const CHECK_EXC_MATCH: u8 = 6;
    pub const CLEANUP_THROW: u8 = 7;
    pub const DELETE_SUBSCR: u8 = 8;
    pub const END_FOR: u8 = 9;
    pub const END_SEND: u8 = 10;
    pub const EXIT_INIT_CHECK: u8 = 11;
    pub const FORMAT_SIMPLE: u8 = 12;
    pub const FORMAT_WITH_SPEC: u8 = 13;
    pub const GET_AITER: u8 = 14;
    pub const GET_ANEXT: u8 = 15;
    pub const GET_ITER: u8 = 16;
    pub const RESERVED: u8 = 17;
    pub const GET_LEN: u8 = 18;
    pub const GET_YIELD_FROM_ITER: u8 = 19;
    pub const INTERPRETER_EXIT: u8 = 20;
    pub const LOAD_BUILD_CLASS: u8 = 21;
    pub const LOAD_LOCALS: u8 = 22;
    pub const MAKE_FUNCTION: u8 = 23;
    pub const MATCH_KEYS: u8 = 24;
    pub const MATCH_MAPPING: u8 = 25;
    pub const MATCH_SEQUENCE: u8 = 26;
    pub const NOP: u8 = 27;
    pub const NOT_TAKEN: u8 = 28;
    pub const POP_EXCEPT: u8 = 29;
    pub const POP_ITER: u8 = 30;
    pub const POP_TOP: u8 = 31;
    pub const PUSH_EXC_INFO: u8 = 32;
    pub const PUSH_NULL: u8 = 33;
    pub const RETURN_GENERATOR: u8 = 34;
    pub const RETURN_VALUE: u8 = 35;
    pub const SETUP_ANNOTATIONS: u8 = 36;
    pub const STORE_SLICE: u8 = 37;
    pub const STORE_SUBSCR: u8 = 38;
    pub const TO_BOOL: u8 = 39;
    pub const UNARY_INVERT: u8 = 40;
    pub const UNARY_NEGATIVE: u8 = 41;
    pub const UNARY_NOT: u8 = 42;
    pub const WITH_EXCEPT_START: u8 = 43;
    pub const BINARY_OP: u8 = 44;
    pub const BUILD_INTERPOLATION: u8 = 45;
    pub const BUILD_LIST: u8 = 46;
    pub const BUILD_MAP: u8 = 47;
    pub const BUILD_SET: u8 = 48;
    pub const BUILD_SLICE: u8 = 49;
    pub const BUILD_STRING: u8 = 50;
    pub const BUILD_TUPLE: u8 = 51;
    pub const CALL: u8 = 52;
    pub const CALL_INTRINSIC1: u8 = 53;
    pub const CALL_INTRINSIC2: u8 = 54;
    pub const CALL_KW: u8 = 55;
    pub const COMPARE_OP: u8 = 56;
    pub const CONTAINS_OP: u8 = 57;
    pub const CONVERT_VALUE: u8 = 58;
    pub const COPY: u8 = 59;
    pub const COPY_FREE_VARS: u8 = 60;
    pub const DELETE_ATTR: u8 = 61;
    pub const DELETE_DEREF: u8 = 62;
    pub const DELETE_FAST: u8 = 63;
    pub const DELETE_GLOBAL: u8 = 64;
    pub const DELETE_NAME: u8 = 65;
    pub const DICT_MERGE: u8 = 66;
    pub const DICT_UPDATE: u8 = 67;
    pub const END_ASYNC_FOR: u8 = 68;
    pub const EXTENDED_ARG: u8 = 69;
    pub const FOR_ITER: u8 = 70;
    pub const GET_AWAITABLE: u8 = 71;
    pub const IMPORT_FROM: u8 = 72;
    pub const IMPORT_NAME: u8 = 73;
    pub const IS_OP: u8 = 74;
    pub const JUMP_BACKWARD: u8 = 75;
    pub const JUMP_BACKWARD_NO_INTERRUPT: u8 = 76;
    pub const JUMP_FORWARD: u8 = 77;
    pub const LIST_APPEND: u8 = 78;
    pub const LIST_EXTEND: u8 = 79;
    pub const LOAD_ATTR: u8 = 80;
    pub const LOAD_COMMON_CONSTANT: u8 = 81;
    pub const LOAD_CONST: u8 = 82;
    pub const LOAD_DEREF: u8 = 83;
    pub const LOAD_FAST: u8 = 84;
    pub const LOAD_FAST_AND_CLEAR: u8 = 85;
    pub const LOAD_FAST_BORROW: u8 = 86;
    pub const LOAD_FAST_BORROW_LOAD_FAST_BORROW: u8 = 87;
    pub const LOAD_FAST_CHECK: u8 = 88;
    pub const LOAD_FAST_LOAD_FAST: u8 = 89;
    pub const LOAD_FROM_DICT_OR_DEREF: u8 = 90;
    pub const LOAD_FROM_DICT_OR_GLOBALS: u8 = 91;
    pub const LOAD_GLOBAL: u8 = 92;
    pub const LOAD_NAME: u8 = 93;
    pub const LOAD_SMALL_INT: u8 = 94;
    pub const LOAD_SPECIAL: u8 = 95;
    pub const LOAD_SUPER_ATTR: u8 = 96;
    pub const MAKE_CELL: u8 = 97;
    pub const MAP_ADD: u8 = 98;
    pub const MATCH_CLASS: u8 = 99;
    pub const POP_JUMP_IF_FALSE: u8 = 100;
    pub const POP_JUMP_IF_NONE: u8 = 101;
    pub const POP_JUMP_IF_NOT_NONE: u8 = 102;
    pub const POP_JUMP_IF_TRUE: u8 = 103;
    pub const RAISE_VARARGS: u8 = 104;
    pub const RERAISE: u8 = 105;
    pub const SEND: u8 = 106;
    pub const SET_ADD: u8 = 107;
    pub const SET_FUNCTION_ATTRIBUTE: u8 = 108;
    pub const SET_UPDATE: u8 = 109;
    pub const STORE_ATTR: u8 = 110;
    pub const STORE_DEREF: u8 = 111;
    pub const STORE_FAST: u8 = 112;
    pub const STORE_FAST_LOAD_FAST: u8 = 113;
    pub const STORE_FAST_STORE_FAST: u8 = 114;
    pub const STORE_GLOBAL: u8 = 115;
    pub const STORE_NAME: u8 = 116;
    pub const SWAP: u8 = 117;
    pub const UNPACK_EX: u8 = 118;
    pub const UNPACK_SEQUENCE: u8 = 119;
    pub const YIELD_VALUE: u8 = 120;
    pub const RESUME: u8 = 128;
    pub const BINARY_OP_ADD_FLOAT: u8 = 129;
    pub const BINARY_OP_ADD_INT: u8 = 130;
    pub const BINARY_OP_ADD_UNICODE: u8 = 131;
    pub const BINARY_OP_EXTEND: u8 = 132;
    pub const BINARY_OP_MULTIPLY_FLOAT: u8 = 133;
    pub const BINARY_OP_MULTIPLY_INT: u8 = 134;
    pub const BINARY_OP_SUBSCR_DICT: u8 = 135;
    pub const BINARY_OP_SUBSCR_GETITEM: u8 = 136;
    pub const BINARY_OP_SUBSCR_LIST_INT: u8 = 137;
    pub const BINARY_OP_SUBSCR_LIST_SLICE: u8 = 138;
    pub const BINARY_OP_SUBSCR_STR_INT: u8 = 139;
    pub const BINARY_OP_SUBSCR_TUPLE_INT: u8 = 140;
    pub const BINARY_OP_SUBTRACT_FLOAT: u8 = 141;
    pub const BINARY_OP_SUBTRACT_INT: u8 = 142;
    pub const CALL_ALLOC_AND_ENTER_INIT: u8 = 143;
    pub const CALL_BOUND_METHOD_EXACT_ARGS: u8 = 144;
    pub const CALL_BOUND_METHOD_GENERAL: u8 = 145;
    pub const CALL_BUILTIN_CLASS: u8 = 146;
    pub const CALL_BUILTIN_FAST: u8 = 147;
    pub const CALL_BUILTIN_FAST_WITH_KEYWORDS: u8 = 148;
    pub const CALL_BUILTIN_O: u8 = 149;
    pub const CALL_ISINSTANCE: u8 = 150;
    pub const CALL_KW_BOUND_METHOD: u8 = 151;
    pub const CALL_KW_NON_PY: u8 = 152;
    pub const CALL_KW_PY: u8 = 153;
    pub const CALL_LEN: u8 = 154;
    pub const CALL_LIST_APPEND: u8 = 155;
    pub const CALL_METHOD_DESCRIPTOR_FAST: u8 = 156;
    pub const CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS: u8 = 157;
    pub const CALL_METHOD_DESCRIPTOR_NOARGS: u8 = 158;
    pub const CALL_METHOD_DESCRIPTOR_O: u8 = 159;
    pub const CALL_NON_PY_GENERAL: u8 = 160;
    pub const CALL_PY_EXACT_ARGS: u8 = 161;
    pub const CALL_PY_GENERAL: u8 = 162;
    pub const CALL_STR1: u8 = 163;
    pub const CALL_TUPLE1: u8 = 164;
    pub const CALL_TYPE1: u8 = 165;
    pub const COMPARE_OP_FLOAT: u8 = 166;
    pub const COMPARE_OP_INT: u8 = 167;
    pub const COMPARE_OP_STR: u8 = 168;
    pub const CONTAINS_OP_DICT: u8 = 169;
    pub const CONTAINS_OP_SET: u8 = 170;
    pub const FOR_ITER_GEN: u8 = 171;
    pub const FOR_ITER_LIST: u8 = 172;
    pub const FOR_ITER_RANGE: u8 = 173;
    pub const FOR_ITER_TUPLE: u8 = 174;
    pub const JUMP_BACKWARD_JIT: u8 = 175;
    pub const JUMP_BACKWARD_NO_JIT: u8 = 176;
    pub const LOAD_ATTR_CLASS: u8 = 177;
    pub const LOAD_ATTR_CLASS_WITH_METACLASS_CHECK: u8 = 178;
    pub const LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN: u8 = 179;
    pub const LOAD_ATTR_INSTANCE_VALUE: u8 = 180;
    pub const LOAD_ATTR_METHOD_LAZY_DICT: u8 = 181;
    pub const LOAD_ATTR_METHOD_NO_DICT: u8 = 182;
    pub const LOAD_ATTR_METHOD_WITH_VALUES: u8 = 183;
    pub const LOAD_ATTR_MODULE: u8 = 184;
    pub const LOAD_ATTR_NONDESCRIPTOR_NO_DICT: u8 = 185;
    pub const LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES: u8 = 186;
    pub const LOAD_ATTR_PROPERTY: u8 = 187;
    pub const LOAD_ATTR_SLOT: u8 = 188;
    pub const LOAD_ATTR_WITH_HINT: u8 = 189;
    pub const LOAD_CONST_IMMORTAL: u8 = 190;
    pub const LOAD_CONST_MORTAL: u8 = 191;
    pub const LOAD_GLOBAL_BUILTIN: u8 = 192;
    pub const LOAD_GLOBAL_MODULE: u8 = 193;
    pub const LOAD_SUPER_ATTR_ATTR: u8 = 194;
    pub const LOAD_SUPER_ATTR_METHOD: u8 = 195;
    pub const RESUME_CHECK: u8 = 196;
    pub const SEND_GEN: u8 = 197;
    pub const STORE_ATTR_INSTANCE_VALUE: u8 = 198;
    pub const STORE_ATTR_SLOT: u8 = 199;
    pub const STORE_ATTR_WITH_HINT: u8 = 200;
    pub const STORE_SUBSCR_DICT: u8 = 201;
    pub const STORE_SUBSCR_LIST_INT: u8 = 202;
    pub const TO_BOOL_ALWAYS_TRUE: u8 = 203;
    pub const TO_BOOL_BOOL: u8 = 204;
    pub const TO_BOOL_INT: u8 = 205;
    pub const TO_BOOL_LIST: u8 = 206;
    pub const TO_BOOL_NONE: u8 = 207;
    pub const TO_BOOL_STR: u8 = 208;
    pub const UNPACK_SEQUENCE_LIST: u8 = 209;
    pub const UNPACK_SEQUENCE_TUPLE: u8 = 210;
    pub const UNPACK_SEQUENCE_TWO_TUPLE: u8 = 211;
    pub const INSTRUMENTED_END_FOR: u8 = 234;
    pub const INSTRUMENTED_POP_ITER: u8 = 235;
    pub const INSTRUMENTED_END_SEND: u8 = 236;
    pub const INSTRUMENTED_FOR_ITER: u8 = 237;
    pub const INSTRUMENTED_INSTRUCTION: u8 = 238;
    pub const INSTRUMENTED_JUMP_FORWARD: u8 = 239;
    pub const INSTRUMENTED_NOT_TAKEN: u8 = 240;
    pub const INSTRUMENTED_POP_JUMP_IF_TRUE: u8 = 241;
    pub const INSTRUMENTED_POP_JUMP_IF_FALSE: u8 = 242;
    pub const INSTRUMENTED_POP_JUMP_IF_NONE: u8 = 243;
    pub const INSTRUMENTED_POP_JUMP_IF_NOT_NONE: u8 = 244;
    pub const INSTRUMENTED_RESUME: u8 = 245;
    pub const INSTRUMENTED_RETURN_VALUE: u8 = 246;
    pub const INSTRUMENTED_YIELD_VALUE: u8 = 247;
    pub const INSTRUMENTED_END_ASYNC_FOR: u8 = 248;
    pub const INSTRUMENTED_LOAD_SUPER_ATTR: u8 = 249;
    pub const INSTRUMENTED_CALL: u8 = 250;
    pub const INSTRUMENTED_CALL_KW: u8 = 251;
    pub const INSTRUMENTED_CALL_FUNCTION_EX: u8 = 252;
    pub const INSTRUMENTED_JUMP_BACKWARD: u8 = 253;
    pub const INSTRUMENTED_LINE: u8 = 254;
    pub const ENTER_EXECUTOR: u8 = 255;
}

/// Cache units that follow each instruction.
pub static CACHES: [u8; 256] = {
    let mut caches = [0; 256];
    caches[op::BINARY_OP_INPLACE_ADD_UNICODE as usize] = 5;
    caches[op::STORE_SUBSCR as usize] = 1;
    caches[op::TO_BOOL as usize] = 3;
    caches[op::BINARY_OP as usize] = 5;
    caches[op::CALL as usize] = 3;
    caches[op::CALL_KW as usize] = 3;
    caches[op::COMPARE_OP as usize] = 1;
    caches[op::CONTAINS_OP as usize] = 1;
    caches[op::FOR_ITER as usize] = 1;
    caches[op::JUMP_BACKWARD as usize] = 1;
    caches[op::LOAD_ATTR as usize] = 9;
    caches[op::LOAD_GLOBAL as usize] = 4;
    caches[op::LOAD_SUPER_ATTR as usize] = 1;
    caches[op::POP_JUMP_IF_FALSE as usize] = 1;
    caches[op::POP_JUMP_IF_NONE as usize] = 1;
    caches[op::POP_JUMP_IF_NOT_NONE as usize] = 1;
    caches[op::POP_JUMP_IF_TRUE as usize] = 1;
    caches[op::SEND as usize] = 1;
    caches[op::STORE_ATTR as usize] = 4;
    caches[op::UNPACK_SEQUENCE as usize] = 1;
    caches[op::BINARY_OP_ADD_FLOAT as usize] = 5;
    caches[op::BINARY_OP_ADD_INT as usize] = 5;
    caches[op::BINARY_OP_ADD_UNICODE as usize] = 5;
    caches[op::BINARY_OP_EXTEND as usize] = 5;
    caches[op::BINARY_OP_MULTIPLY_FLOAT as usize] = 5;
    caches[op::BINARY_OP_MULTIPLY_INT as usize] = 5;
    caches[op::BINARY_OP_SUBSCR_DICT as usize] = 5;
    caches[op::BINARY_OP_SUBSCR_GETITEM as usize] = 5;
    caches[op::BINARY_OP_SUBSCR_LIST_INT as usize] = 5;
    caches[op::BINARY_OP_SUBSCR_LIST_SLICE as usize] = 5;
    caches[op::BINARY_OP_SUBSCR_STR_INT as usize] = 5;
    caches[op::BINARY_OP_SUBSCR_TUPLE_INT as usize] = 5;
    caches[op::BINARY_OP_SUBTRACT_FLOAT as usize] = 5;
    caches[op::BINARY_OP_SUBTRACT_INT as usize] = 5;
    caches[op::CALL_ALLOC_AND_ENTER_INIT as usize] = 3;
    caches[op::CALL_BOUND_METHOD_EXACT_ARGS as usize] = 3;
    caches[op::CALL_BOUND_METHOD_GENERAL as usize] = 3;
    caches[op::CALL_BUILTIN_CLASS as usize] = 3;
    caches[op::CALL_BUILTIN_FAST as usize] = 3;
    caches[op::CALL_BUILTIN_FAST_WITH_KEYWORDS as usize] = 3;
    caches[op::CALL_BUILTIN_O as usize] = 3;
    caches[op::CALL_ISINSTANCE as usize] = 3;
    caches[op::CALL_KW_BOUND_METHOD as usize] = 3;
    caches[op::CALL_KW_NON_PY as usize] = 3;
    caches[op::CALL_KW_PY as usize] = 3;
    caches[op::CALL_LEN as usize] = 3;
    caches[op::CALL_LIST_APPEND as usize] = 3;
    caches[op::CALL_METHOD_DESCRIPTOR_FAST as usize] = 3;
    caches[op::CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS as usize] = 3;
    caches[op::CALL_METHOD_DESCRIPTOR_NOARGS as usize] = 3;
    caches[op::CALL_METHOD_DESCRIPTOR_O as usize] = 3;
    caches[op::CALL_NON_PY_GENERAL as usize] = 3;
    caches[op::CALL_PY_EXACT_ARGS as usize] = 3;
    caches[op::CALL_PY_GENERAL as usize] = 3;
    caches[op::CALL_STR1 as usize] = 3;
    caches[op::CALL_TUPLE1 as usize] = 3;
    caches[op::CALL_TYPE1 as usize] = 3;
    caches[op::COMPARE_OP_FLOAT as usize] = 1;
    caches[op::COMPARE_OP_INT as usize] = 1;
    caches[op::COMPARE_OP_STR as usize] = 1;
    caches[op::CONTAINS_OP_DICT as usize] = 1;
    caches[op::CONTAINS_OP_SET as usize] = 1;
    caches[op::FOR_ITER_GEN as usize] = 1;
    caches[op::FOR_ITER_LIST as usize] = 1;
    caches[op::FOR_ITER_RANGE as usize] = 1;
    caches[op::FOR_ITER_TUPLE as usize] = 1;
    caches[op::JUMP_BACKWARD_JIT as usize] = 1;
    caches[op::JUMP_BACKWARD_NO_JIT as usize] = 1;
    caches[op::LOAD_ATTR_CLASS as usize] = 9;
    caches[op::LOAD_ATTR_CLASS_WITH_METACLASS_CHECK as usize] = 9;
    caches[op::LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN as usize] = 9;
    caches[op::LOAD_ATTR_INSTANCE_VALUE as usize] = 9;
    caches[op::LOAD_ATTR_METHOD_LAZY_DICT as usize] = 9;
    caches[op::LOAD_ATTR_METHOD_NO_DICT as usize] = 9;
    caches[op::LOAD_ATTR_METHOD_WITH_VALUES as usize] = 9;
    caches[op::LOAD_ATTR_MODULE as usize] = 9;
    caches[op::LOAD_ATTR_NONDESCRIPTOR_NO_DICT as usize] = 9;
    caches[op::LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES as usize] = 9;
    caches[op::LOAD_ATTR_PROPERTY as usize] = 9;
    caches[op::LOAD_ATTR_SLOT as usize] = 9;
    caches[op::LOAD_ATTR_WITH_HINT as usize] = 9;
    caches[op::LOAD_GLOBAL_BUILTIN as usize] = 4;
    caches[op::LOAD_GLOBAL_MODULE as usize] = 4;
    caches[op::LOAD_SUPER_ATTR_ATTR as usize] = 1;
    caches[op::LOAD_SUPER_ATTR_METHOD as usize] = 1;
    caches[op::SEND_GEN as usize] = 1;
    caches[op::STORE_ATTR_INSTANCE_VALUE as usize] = 4;
    caches[op::STORE_ATTR_SLOT as usize] = 4;
    caches[op::STORE_ATTR_WITH_HINT as usize] = 4;
    caches[op::STORE_SUBSCR_DICT as usize] = 1;
    caches[op::STORE_SUBSCR_LIST_INT as usize] = 1;
    caches[op::TO_BOOL_ALWAYS_TRUE as usize] = 3;
    caches[op::TO_BOOL_BOOL as usize] = 3;
    caches[op::TO_BOOL_INT as usize] = 3;
    caches[op::TO_BOOL_LIST as usize] = 3;
    caches[op::TO_BOOL_NONE as usize] = 3;
    caches[op::TO_BOOL_STR as usize] = 3;
    caches[op::UNPACK_SEQUENCE_LIST as usize] = 1;
    caches[op::UNPACK_SEQUENCE_TUPLE as usize] = 1;
    caches[op::UNPACK_SEQUENCE_TWO_TUPLE as usize] = 1;
    caches[op::INSTRUMENTED_FOR_ITER as usize] = 1;
    caches[op::INSTRUMENTED_POP_JUMP_IF_TRUE as usize] = 1;
    caches[op::INSTRUMENTED_POP_JUMP_IF_FALSE as usize] = 1;
    caches[op::INSTRUMENTED_POP_JUMP_IF_NONE as usize] = 1;
    caches[op::INSTRUMENTED_POP_JUMP_IF_NOT_NONE as usize] = 1;
    caches[op::INSTRUMENTED_LOAD_SUPER_ATTR as usize] = 1;
    caches[op::INSTRUMENTED_CALL as usize] = 3;
    caches[op::INSTRUMENTED_CALL_KW as usize] = 3;
    caches[op::INSTRUMENTED_JUMP_BACKWARD as usize] = 1;
    caches
};

/// The instruction that each one is a special or instrumented form of; itself for the rest.
pub static DEOPTIMIZED: [u8; 256] = {
    let mut map = [0; 256];
    let mut i = 0;
    while i < 256 {
        map[i] = i as u8;
        i += 1;
    }
    map[op::BINARY_OP_INPLACE_ADD_UNICODE as usize] = op::BINARY_OP;
    map[op::BINARY_OP_ADD_FLOAT as usize] = op::BINARY_OP;
    map[op::BINARY_OP_ADD_INT as usize] = op::BINARY_OP;
    map[op::BINARY_OP_ADD_UNICODE as usize] = op::BINARY_OP;
    map[op::BINARY_OP_EXTEND as usize] = op::BINARY_OP;
    map[op::BINARY_OP_MULTIPLY_FLOAT as usize] = op::BINARY_OP;
    map[op::BINARY_OP_MULTIPLY_INT as usize] = op::BINARY_OP;
    map[op::BINARY_OP_SUBSCR_DICT as usize] = op::BINARY_OP;
    map[op::BINARY_OP_SUBSCR_GETITEM as usize] = op::BINARY_OP;
    map[op::BINARY_OP_SUBSCR_LIST_INT as usize] = op::BINARY_OP;
    map[op::BINARY_OP_SUBSCR_LIST_SLICE as usize] = op::BINARY_OP;
    map[op::BINARY_OP_SUBSCR_STR_INT as usize] = op::BINARY_OP;
    map[op::BINARY_OP_SUBSCR_TUPLE_INT as usize] = op::BINARY_OP;
    map[op::BINARY_OP_SUBTRACT_FLOAT as usize] = op::BINARY_OP;
    map[op::BINARY_OP_SUBTRACT_INT as usize] = op::BINARY_OP;
    map[op::CALL_ALLOC_AND_ENTER_INIT as usize] = op::CALL;
    map[op::CALL_BOUND_METHOD_EXACT_ARGS as usize] = op::CALL;
    map[op::CALL_BOUND_METHOD_GENERAL as usize] = op::CALL;
    map[op::CALL_BUILTIN_CLASS as usize] = op::CALL;
    map[op::CALL_BUILTIN_FAST as usize] = op::CALL;
    map[op::CALL_BUILTIN_FAST_WITH_KEYWORDS as usize] = op::CALL;
    map[op::CALL_BUILTIN_O as usize] = op::CALL;
    map[op::CALL_ISINSTANCE as usize] = op::CALL;
    map[op::CALL_KW_BOUND_METHOD as usize] = op::CALL_KW;
    map[op::CALL_KW_NON_PY as usize] = op::CALL_KW;
    map[op::CALL_KW_PY as usize] = op::CALL_KW;
    map[op::CALL_LEN as usize] = op::CALL;
    map[op::CALL_LIST_APPEND as usize] = op::CALL;
    map[op::CALL_METHOD_DESCRIPTOR_FAST as usize] = op::CALL;
    map[op::CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS as usize] = op::CALL;
    map[op::CALL_METHOD_DESCRIPTOR_NOARGS as usize] = op::CALL;
    map[op::CALL_METHOD_DESCRIPTOR_O as usize] = op::CALL;
    map[op::CALL_NON_PY_GENERAL as usize] = op::CALL;
    map[op::CALL_PY_EXACT_ARGS as usize] = op::CALL;
    map[op::CALL_PY_GENERAL as usize] = op::CALL;
    map[op::CALL_STR1 as usize] = op::CALL;
    map[op::CALL_TUPLE1 as usize] = op::CALL;
    map[op::CALL_TYPE1 as usize] = op::CALL;
    map[op::COMPARE_OP_FLOAT as usize] = op::COMPARE_OP;
    map[op::COMPARE_OP_INT as usize] = op::COMPARE_OP;
    map[op::COMPARE_OP_STR as usize] = op::COMPARE_OP;
    map[op::CONTAINS_OP_DICT as usize] = op::CONTAINS_OP;
    map[op::CONTAINS_OP_SET as usize] = op::CONTAINS_OP;
    map[op::FOR_ITER_GEN as usize] = op::FOR_ITER;
    map[op::FOR_ITER_LIST as usize] = op::FOR_ITER;
    map[op::FOR_ITER_RANGE as usize] = op::FOR_ITER;
    map[op::FOR_ITER_TUPLE as usize] = op::FOR_ITER;
    map[op::JUMP_BACKWARD_JIT as usize] = op::JUMP_BACKWARD;
    map[op::JUMP_BACKWARD_NO_JIT as usize] = op::JUMP_BACKWARD;
    map[op::LOAD_ATTR_CLASS as usize] = op::LOAD_ATTR;
    map[op::LOAD_ATTR_CLASS_WITH_METACLASS_CHECK as usize] = op::LOAD_ATTR;
    map[op::LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN as usize] = op::LOAD_ATTR;
    map[op::LOAD_ATTR_INSTANCE_VALUE as usize] = op::LOAD_ATTR;
    map[op::LOAD_ATTR_METHOD_LAZY_DICT as usize] = op::LOAD_ATTR;
    map[op::LOAD_ATTR_METHOD_NO_DICT as usize] = op::LOAD_ATTR;
    map[op::LOAD_ATTR_METHOD_WITH_VALUES as usize] = op::LOAD_ATTR;
    map[op::LOAD_ATTR_MODULE as usize] = op::LOAD_ATTR;
    map[op::LOAD_ATTR_NONDESCRIPTOR_NO_DICT as usize] = op::LOAD_ATTR;
    map[op::LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES as usize] = op::LOAD_ATTR;
    map[op::LOAD_ATTR_PROPERTY as usize] = op::LOAD_ATTR;
    map[op::LOAD_ATTR_SLOT as usize] = op::LOAD_ATTR;
    map[op::LOAD_ATTR_WITH_HINT as usize] = op::LOAD_ATTR;
    map[op::LOAD_CONST_IMMORTAL as usize] = op::LOAD_CONST;
    map[op::LOAD_CONST_MORTAL as usize] = op::LOAD_CONST;
    map[op::LOAD_GLOBAL_BUILTIN as usize] = op::LOAD_GLOBAL;
    map[op::LOAD_GLOBAL_MODULE as usize] = op::LOAD_GLOBAL;
    map[op::LOAD_SUPER_ATTR_ATTR as usize] = op::LOAD_SUPER_ATTR;
    map[op::LOAD_SUPER_ATTR_METHOD as usize] = op::LOAD_SUPER_ATTR;
    map[op::RESUME_CHECK as usize] = op::RESUME;
    map[op::SEND_GEN as usize] = op::SEND;
    map[op::STORE_ATTR_INSTANCE_VALUE as usize] = op::STORE_ATTR;
    map[op::STORE_ATTR_SLOT as usize] = op::STORE_ATTR;
    map[op::STORE_ATTR_WITH_HINT as usize] = op::STORE_ATTR;
    map[op::STORE_SUBSCR_DICT as usize] = op::STORE_SUBSCR;
    map[op::STORE_SUBSCR_LIST_INT as usize] = op::STORE_SUBSCR;
    map[op::TO_BOOL_ALWAYS_TRUE as usize] = op::TO_BOOL;
    map[op::TO_BOOL_BOOL as usize] = op::TO_BOOL;
    map[op::TO_BOOL_INT as usize] = op::TO_BOOL;
    map[op::TO_BOOL_LIST as usize] = op::TO_BOOL;
    map[op::TO_BOOL_NONE as usize] = op::TO_BOOL;
    map[op::TO_BOOL_STR as usize] = op::TO_BOOL;
    map[op::UNPACK_SEQUENCE_LIST as usize] = op::UNPACK_SEQUENCE;
    map[op::UNPACK_SEQUENCE_TUPLE as usize] = op::UNPACK_SEQUENCE;
    map[op::UNPACK_SEQUENCE_TWO_TUPLE as usize] = op::UNPACK_SEQUENCE;
    map[op::INSTRUMENTED_END_FOR as usize] = op::END_FOR;
    map[op::INSTRUMENTED_POP_ITER as usize] = op::POP_ITER;
    map[op::INSTRUMENTED_END_SEND as usize] = op::END_SEND;
    map[op::INSTRUMENTED_FOR_ITER as usize] = op::FOR_ITER;
    map[op::INSTRUMENTED_JUMP_FORWARD as usize] = op::JUMP_FORWARD;
    map[op::INSTRUMENTED_NOT_TAKEN as usize] = op::NOT_TAKEN;
    map[op::INSTRUMENTED_POP_JUMP_IF_TRUE as usize] = op::POP_JUMP_IF_TRUE;
    map[op::INSTRUMENTED_POP_JUMP_IF_FALSE as usize] = op::POP_JUMP_IF_FALSE;
    map[op::INSTRUMENTED_POP_JUMP_IF_NONE as usize] = op::POP_JUMP_IF_NONE;
    map[op::INSTRUMENTED_POP_JUMP_IF_NOT_NONE as usize] = op::POP_JUMP_IF_NOT_NONE;
    map[op::INSTRUMENTED_RESUME as usize] = op::RESUME;
    map[op::INSTRUMENTED_RETURN_VALUE as usize] = op::RETURN_VALUE;
    map[op::INSTRUMENTED_YIELD_VALUE as usize] = op::YIELD_VALUE;
    map[op::INSTRUMENTED_END_ASYNC_FOR as usize] = op::END_ASYNC_FOR;
    map[op::INSTRUMENTED_LOAD_SUPER_ATTR as usize] = op::LOAD_SUPER_ATTR;
    map[op::INSTRUMENTED_CALL as usize] = op::CALL;
    map[op::INSTRUMENTED_CALL_KW as usize] = op::CALL_KW;
    map[op::INSTRUMENTED_CALL_FUNCTION_EX as usize] = op::CALL_FUNCTION_EX;
    map[op::INSTRUMENTED_JUMP_BACKWARD as usize] = op::JUMP_BACKWARD;
    map
};

/// Names by number; empty for numbers without an instruction.
pub static NAMES: [&str; 256] = {
    let mut names = [""; 256];
    names[0] = "CACHE";
    names[1] = "BINARY_SLICE";
    names[2] = "BUILD_TEMPLATE";
    names[3] = "BINARY_OP_INPLACE_ADD_UNICODE";
    names[4] = "CALL_FUNCTION_EX";
    names[5] = "CHECK_EG_MATCH";
    names[6] = "CHECK_EXC_MATCH";
    names[7] = "CLEANUP_THROW";
    names[8] = "DELETE_SUBSCR";
    names[9] = "END_FOR";
    names[10] = "END_SEND";
    names[11] = "EXIT_INIT_CHECK";
    names[12] = "FORMAT_SIMPLE";
    names[13] = "FORMAT_WITH_SPEC";
    names[14] = "GET_AITER";
    names[15] = "GET_ANEXT";
    names[16] = "GET_ITER";
    names[17] = "RESERVED";
    names[18] = "GET_LEN";
    names[19] = "GET_YIELD_FROM_ITER";
    names[20] = "INTERPRETER_EXIT";
    names[21] = "LOAD_BUILD_CLASS";
    names[22] = "LOAD_LOCALS";
    names[23] = "MAKE_FUNCTION";
    names[24] = "MATCH_KEYS";
    names[25] = "MATCH_MAPPING";
    names[26] = "MATCH_SEQUENCE";
    names[27] = "NOP";
    names[28] = "NOT_TAKEN";
    names[29] = "POP_EXCEPT";
    names[30] = "POP_ITER";
    names[31] = "POP_TOP";
    names[32] = "PUSH_EXC_INFO";
    names[33] = "PUSH_NULL";
    names[34] = "RETURN_GENERATOR";
    names[35] = "RETURN_VALUE";
    names[36] = "SETUP_ANNOTATIONS";
    names[37] = "STORE_SLICE";
    names[38] = "STORE_SUBSCR";
    names[39] = "TO_BOOL";
    names[40] = "UNARY_INVERT";
    names[41] = "UNARY_NEGATIVE";
    names[42] = "UNARY_NOT";
    names[43] = "WITH_EXCEPT_START";
    names[44] = "BINARY_OP";
    names[45] = "BUILD_INTERPOLATION";
    names[46] = "BUILD_LIST";
    names[47] = "BUILD_MAP";
    names[48] = "BUILD_SET";
    names[49] = "BUILD_SLICE";
    names[50] = "BUILD_STRING";
    names[51] = "BUILD_TUPLE";
    names[52] = "CALL";
    names[53] = "CALL_INTRINSIC1";
    names[54] = "CALL_INTRINSIC2";
    names[55] = "CALL_KW";
    names[56] = "COMPARE_OP";
    names[57] = "CONTAINS_OP";
    names[58] = "CONVERT_VALUE";
    names[59] = "COPY";
    names[60] = "COPY_FREE_VARS";
    names[61] = "DELETE_ATTR";
    names[62] = "DELETE_DEREF";
    names[63] = "DELETE_FAST";
    names[64] = "DELETE_GLOBAL";
    names[65] = "DELETE_NAME";
    names[66] = "DICT_MERGE";
    names[67] = "DICT_UPDATE";
    names[68] = "END_ASYNC_FOR";
    names[69] = "EXTENDED_ARG";
    names[70] = "FOR_ITER";
    names[71] = "GET_AWAITABLE";
    names[72] = "IMPORT_FROM";
    names[73] = "IMPORT_NAME";
    names[74] = "IS_OP";
    names[75] = "JUMP_BACKWARD";
    names[76] = "JUMP_BACKWARD_NO_INTERRUPT";
    names[77] = "JUMP_FORWARD";
    names[78] = "LIST_APPEND";
    names[79] = "LIST_EXTEND";
    names[80] = "LOAD_ATTR";
    names[81] = "LOAD_COMMON_CONSTANT";
    names[82] = "LOAD_CONST";
    names[83] = "LOAD_DEREF";
    names[84] = "LOAD_FAST";
    names[85] = "LOAD_FAST_AND_CLEAR";
    names[86] = "LOAD_FAST_BORROW";
    names[87] = "LOAD_FAST_BORROW_LOAD_FAST_BORROW";
    names[88] = "LOAD_FAST_CHECK";
    names[89] = "LOAD_FAST_LOAD_FAST";
    names[90] = "LOAD_FROM_DICT_OR_DEREF";
    names[91] = "LOAD_FROM_DICT_OR_GLOBALS";
    names[92] = "LOAD_GLOBAL";
    names[93] = "LOAD_NAME";
    names[94] = "LOAD_SMALL_INT";
    names[95] = "LOAD_SPECIAL";
    names[96] = "LOAD_SUPER_ATTR";
    names[97] = "MAKE_CELL";
    names[98] = "MAP_ADD";
    names[99] = "MATCH_CLASS";
    names[100] = "POP_JUMP_IF_FALSE";
    names[101] = "POP_JUMP_IF_NONE";
    names[102] = "POP_JUMP_IF_NOT_NONE";
    names[103] = "POP_JUMP_IF_TRUE";
    names[104] = "RAISE_VARARGS";
    names[105] = "RERAISE";
    names[106] = "SEND";
    names[107] = "SET_ADD";
    names[108] = "SET_FUNCTION_ATTRIBUTE";
    names[109] = "SET_UPDATE";
    names[110] = "STORE_ATTR";
    names[111] = "STORE_DEREF";
    names[112] = "STORE_FAST";
    names[113] = "STORE_FAST_LOAD_FAST";
    names[114] = "STORE_FAST_STORE_FAST";
    names[115] = "STORE_GLOBAL";
    names[116] = "STORE_NAME";
    names[117] = "SWAP";
    names[118] = "UNPACK_EX";
    names[119] = "UNPACK_SEQUENCE";
    names[120] = "YIELD_VALUE";
    names[128] = "RESUME";
    names[129] = "BINARY_OP_ADD_FLOAT";
    names[130] = "BINARY_OP_ADD_INT";
    names[131] = "BINARY_OP_ADD_UNICODE";
    names[132] = "BINARY_OP_EXTEND";
    names[133] = "BINARY_OP_MULTIPLY_FLOAT";
    names[134] = "BINARY_OP_MULTIPLY_INT";
    names[135] = "BINARY_OP_SUBSCR_DICT";
    names[136] = "BINARY_OP_SUBSCR_GETITEM";
    names[137] = "BINARY_OP_SUBSCR_LIST_INT";
    names[138] = "BINARY_OP_SUBSCR_LIST_SLICE";
    names[139] = "BINARY_OP_SUBSCR_STR_INT";
    names[140] = "BINARY_OP_SUBSCR_TUPLE_INT";
    names[141] = "BINARY_OP_SUBTRACT_FLOAT";
    names[142] = "BINARY_OP_SUBTRACT_INT";
    names[143] = "CALL_ALLOC_AND_ENTER_INIT";
    names[144] = "CALL_BOUND_METHOD_EXACT_ARGS";
    names[145] = "CALL_BOUND_METHOD_GENERAL";
    names[146] = "CALL_BUILTIN_CLASS";
    names[147] = "CALL_BUILTIN_FAST";
    names[148] = "CALL_BUILTIN_FAST_WITH_KEYWORDS";
    names[149] = "CALL_BUILTIN_O";
    names[150] = "CALL_ISINSTANCE";
    names[151] = "CALL_KW_BOUND_METHOD";
    names[152] = "CALL_KW_NON_PY";
    names[153] = "CALL_KW_PY";
    names[154] = "CALL_LEN";
    names[155] = "CALL_LIST_APPEND";
    names[156] = "CALL_METHOD_DESCRIPTOR_FAST";
    names[157] = "CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS";
    names[158] = "CALL_METHOD_DESCRIPTOR_NOARGS";
    names[159] = "CALL_METHOD_DESCRIPTOR_O";
    names[160] = "CALL_NON_PY_GENERAL";
    names[161] = "CALL_PY_EXACT_ARGS";
    names[162] = "CALL_PY_GENERAL";
    names[163] = "CALL_STR1";
    names[164] = "CALL_TUPLE1";
    names[165] = "CALL_TYPE1";
    names[166] = "COMPARE_OP_FLOAT";
    names[167] = "COMPARE_OP_INT";
    names[168] = "COMPARE_OP_STR";
    names[169] = "CONTAINS_OP_DICT";
    names[170] = "CONTAINS_OP_SET";
    names[171] = "FOR_ITER_GEN";
    names[172] = "FOR_ITER_LIST";
    names[173] = "FOR_ITER_RANGE";
    names[174] = "FOR_ITER_TUPLE";
    names[175] = "JUMP_BACKWARD_JIT";
    names[176] = "JUMP_BACKWARD_NO_JIT";
    names[177] = "LOAD_ATTR_CLASS";
    names[178] = "LOAD_ATTR_CLASS_WITH_METACLASS_CHECK";
    names[179] = "LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN";
    names[180] = "LOAD_ATTR_INSTANCE_VALUE";
    names[181] = "LOAD_ATTR_METHOD_LAZY_DICT";
    names[182] = "LOAD_ATTR_METHOD_NO_DICT";
    names[183] = "LOAD_ATTR_METHOD_WITH_VALUES";
    names[184] = "LOAD_ATTR_MODULE";
    names[185] = "LOAD_ATTR_NONDESCRIPTOR_NO_DICT";
    names[186] = "LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES";
    names[187] = "LOAD_ATTR_PROPERTY";
    names[188] = "LOAD_ATTR_SLOT";
    names[189] = "LOAD_ATTR_WITH_HINT";
    names[190] = "LOAD_CONST_IMMORTAL";
    names[191] = "LOAD_CONST_MORTAL";
    names[192] = "LOAD_GLOBAL_BUILTIN";
    names[193] = "LOAD_GLOBAL_MODULE";
    names[194] = "LOAD_SUPER_ATTR_ATTR";
    names[195] = "LOAD_SUPER_ATTR_METHOD";
    names[196] = "RESUME_CHECK";
    names[197] = "SEND_GEN";
    names[198] = "STORE_ATTR_INSTANCE_VALUE";
    names[199] = "STORE_ATTR_SLOT";
    names[200] = "STORE_ATTR_WITH_HINT";
    names[201] = "STORE_SUBSCR_DICT";
    names[202] = "STORE_SUBSCR_LIST_INT";
    names[203] = "TO_BOOL_ALWAYS_TRUE";
    names[204] = "TO_BOOL_BOOL";
    names[205] = "TO_BOOL_INT";
    names[206] = "TO_BOOL_LIST";
    names[207] = "TO_BOOL_NONE";
    names[208] = "TO_BOOL_STR";
    names[209] = "UNPACK_SEQUENCE_LIST";
    names[210] = "UNPACK_SEQUENCE_TUPLE";
    names[211] = "UNPACK_SEQUENCE_TWO_TUPLE";
    names[234] = "INSTRUMENTED_END_FOR";
    names[235] = "INSTRUMENTED_POP_ITER";
    names[236] = "INSTRUMENTED_END_SEND";
    names[237] = "INSTRUMENTED_FOR_ITER";
    names[238] = "INSTRUMENTED_INSTRUCTION";
    names[239] = "INSTRUMENTED_JUMP_FORWARD";
    names[240] = "INSTRUMENTED_NOT_TAKEN";
    names[241] = "INSTRUMENTED_POP_JUMP_IF_TRUE";
    names[242] = "INSTRUMENTED_POP_JUMP_IF_FALSE";
    names[243] = "INSTRUMENTED_POP_JUMP_IF_NONE";
    names[244] = "INSTRUMENTED_POP_JUMP_IF_NOT_NONE";
    names[245] = "INSTRUMENTED_RESUME";
    names[246] = "INSTRUMENTED_RETURN_VALUE";
    names[247] = "INSTRUMENTED_YIELD_VALUE";
    names[248] = "INSTRUMENTED_END_ASYNC_FOR";
    names[249] = "INSTRUMENTED_LOAD_SUPER_ATTR";
    names[250] = "INSTRUMENTED_CALL";
    names[251] = "INSTRUMENTED_CALL_KW";
    names[252] = "INSTRUMENTED_CALL_FUNCTION_EX";
    names[253] = "INSTRUMENTED_JUMP_BACKWARD";
    names[254] = "INSTRUMENTED_LINE";
    names[255] = "ENTER_EXECUTOR";
    names
};

/// The lowest opcode that takes an argument.
pub const HAVE_ARGUMENT: u8 = 43;

/// A pattern: the opcodes that the evaluation loop does not execute, as they only name specializations of others or
/// name nothing. (With it the loop's `match` needs no `_`, and so the jump to an instruction no check.)
macro_rules! unexecuted {
    () => {
        op::BINARY_OP_INPLACE_ADD_UNICODE
            | op::EXIT_INIT_CHECK
            | op::RESERVED
            | op::INTERPRETER_EXIT
            | op::BINARY_OP_EXTEND
            | op::BINARY_OP_SUBSCR_GETITEM
            | op::BINARY_OP_SUBSCR_LIST_SLICE
            | op::BINARY_OP_SUBSCR_STR_INT
            | op::CALL_ALLOC_AND_ENTER_INIT
            | op::CALL_BOUND_METHOD_EXACT_ARGS
            | op::CALL_BOUND_METHOD_GENERAL
            | op::CALL_BUILTIN_CLASS
            | op::CALL_BUILTIN_FAST
            | op::CALL_BUILTIN_FAST_WITH_KEYWORDS
            | op::CALL_BUILTIN_O
            | op::CALL_ISINSTANCE
            | op::CALL_KW_BOUND_METHOD
            | op::CALL_KW_NON_PY
            | op::CALL_KW_PY
            | op::CALL_LEN
            | op::CALL_LIST_APPEND
            | op::CALL_METHOD_DESCRIPTOR_FAST
            | op::CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS
            | op::CALL_METHOD_DESCRIPTOR_NOARGS
            | op::CALL_METHOD_DESCRIPTOR_O
            | op::CALL_NON_PY_GENERAL
            | op::CALL_PY_EXACT_ARGS
            | op::CALL_PY_GENERAL
            | op::CALL_STR1
            | op::CALL_TUPLE1
            | op::CALL_TYPE1
            | op::CONTAINS_OP_DICT
            | op::CONTAINS_OP_SET
            | op::FOR_ITER_GEN
            | op::FOR_ITER_LIST
            | op::FOR_ITER_RANGE
            | op::FOR_ITER_TUPLE
            | op::JUMP_BACKWARD_JIT
            | op::LOAD_ATTR_CLASS_WITH_METACLASS_CHECK
            | op::LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN
            | op::LOAD_ATTR_METHOD_LAZY_DICT
            | op::LOAD_ATTR_NONDESCRIPTOR_NO_DICT
            | op::LOAD_SUPER_ATTR_ATTR
            | op::LOAD_SUPER_ATTR_METHOD
            | op::SEND_GEN
            | op::STORE_ATTR_WITH_HINT
            | op::STORE_SUBSCR_DICT
            | op::STORE_SUBSCR_LIST_INT
            | op::TO_BOOL_ALWAYS_TRUE
            | op::TO_BOOL_BOOL
            | op::TO_BOOL_INT
            | op::TO_BOOL_LIST
            | op::TO_BOOL_NONE
            | op::TO_BOOL_STR
            | op::UNPACK_SEQUENCE_LIST
            | op::UNPACK_SEQUENCE_TUPLE
            | op::UNPACK_SEQUENCE_TWO_TUPLE
            | op::INSTRUMENTED_END_FOR
            | op::INSTRUMENTED_POP_ITER
            | op::INSTRUMENTED_END_SEND
            | op::INSTRUMENTED_FOR_ITER
            | op::INSTRUMENTED_INSTRUCTION
            | op::INSTRUMENTED_JUMP_FORWARD
            | op::INSTRUMENTED_NOT_TAKEN
            | op::INSTRUMENTED_POP_JUMP_IF_TRUE
            | op::INSTRUMENTED_POP_JUMP_IF_FALSE
            | op::INSTRUMENTED_POP_JUMP_IF_NONE
            | op::INSTRUMENTED_POP_JUMP_IF_NOT_NONE
            | op::INSTRUMENTED_RESUME
            | op::INSTRUMENTED_RETURN_VALUE
            | op::INSTRUMENTED_YIELD_VALUE
            | op::INSTRUMENTED_END_ASYNC_FOR
            | op::INSTRUMENTED_LOAD_SUPER_ATTR
            | op::INSTRUMENTED_CALL
            | op::INSTRUMENTED_CALL_KW
            | op::INSTRUMENTED_CALL_FUNCTION_EX
            | op::INSTRUMENTED_JUMP_BACKWARD
            | op::INSTRUMENTED_LINE
            | op::ENTER_EXECUTOR
            | 121
            | 122
            | 123
            | 124
            | 125
            | 126
            | 127
            | 212
            | 213
            | 214
            | 215
            | 216
            | 217
            | 218
            | 219
            | 220
            | 221
            | 222
            | 223
            | 224
            | 225
            | 226
            | 227
            | 228
            | 229
            | 230
            | 231
            | 232
            | 233
    };
}
pub(super) use unexecuted;

/// How many things of each kind there are that an instruction may name by number.
pub struct Operands {
    /// Constants.
    pub consts: usize,
    /// Names.
    pub names: usize,
    /// Places of the frame: local variables and cells.
    pub places: usize,
}

impl Operands {
    /// Whether what the instruction names is there.
    fn contain(&self, base: u8, argument: usize) -> bool {
        match base {
            op::LOAD_CONST => argument < self.consts,
            op::LOAD_FAST
            | op::LOAD_FAST_BORROW
            | op::LOAD_FAST_CHECK
            | op::LOAD_FAST_AND_CLEAR
            | op::STORE_FAST
            | op::DELETE_FAST
            | op::MAKE_CELL
            | op::LOAD_DEREF
            | op::STORE_DEREF
            | op::DELETE_DEREF
            | op::LOAD_FROM_DICT_OR_DEREF => argument < self.places,
            op::LOAD_FAST_LOAD_FAST
            | op::LOAD_FAST_BORROW_LOAD_FAST_BORROW
            | op::STORE_FAST_LOAD_FAST
            | op::STORE_FAST_STORE_FAST => argument >> 4 < self.places && argument & 15 < self.places,
            op::COPY_FREE_VARS => argument <= self.places,
            op::LOAD_NAME
            | op::STORE_NAME
            | op::DELETE_NAME
            | op::STORE_GLOBAL
            | op::DELETE_GLOBAL
            | op::LOAD_FROM_DICT_OR_GLOBALS
            | op::STORE_ATTR
            | op::DELETE_ATTR
            | op::IMPORT_NAME
            | op::IMPORT_FROM => argument < self.names,
            op::LOAD_GLOBAL | op::LOAD_ATTR => argument >> 1 < self.names,
            op::LOAD_SUPER_ATTR => argument >> 2 < self.names,
            op::LOAD_SMALL_INT => argument < 256,
            _ => true,
        }
    }
}

/// Whether the bytes are whole instructions of the base set, with their caches, whose jumps stay inside and whose
/// operands are there.
pub fn validate(code: &[u8], operands: &Operands) -> bool {
    let units = code.len() / 2;
    let mut at = 0;
    let mut argument = 0usize;
    let mut starts_ok = true;
    while at < units {
        let opcode = code[at * 2];
        argument = argument << 8 | usize::from(code[at * 2 + 1]);
        if NAMES[usize::from(opcode)].is_empty() || argument > u32::MAX as usize {
            return false;
        }
        let next = at + 1 + usize::from(CACHES[usize::from(DEOPTIMIZED[usize::from(opcode)])]);
        if next > units {
            return false;
        }
        let base = DEOPTIMIZED[usize::from(opcode)];
        if !operands.contain(base, argument) {
            return false;
        }
        match base {
            op::EXTENDED_ARG => {
                at = next;
                continue;
            }
            op::JUMP_BACKWARD | op::JUMP_BACKWARD_NO_INTERRUPT => starts_ok &= argument <= next,
            op::END_ASYNC_FOR => {}
            base if is_forward_jump(base) => starts_ok &= next + argument < units,
            _ => {}
        }
        argument = 0;
        at = next;
    }
    starts_ok
}

/// Whether the instruction's argument is a distance forward.
pub fn is_forward_jump(base: u8) -> bool {
    matches!(
        base,
        op::JUMP_FORWARD
            | op::FOR_ITER
            | op::SEND
            | op::POP_JUMP_IF_FALSE
            | op::POP_JUMP_IF_TRUE
            | op::POP_JUMP_IF_NONE
            | op::POP_JUMP_IF_NOT_NONE
    )
}

/// How often an adaptive instruction runs before it is specialized.
pub const WARMUP: u16 = 2;
/// How often a specialized instruction may miss before another attempt.
pub const COOLDOWN: u16 = 52;

/// Sets the counters of the instructions that specialize.
pub fn quicken(units: &[Cell<u16>]) {
    let mut at = 0;
    while at < units.len() {
        let base = DEOPTIMIZED[usize::from(units[at].get() as u8)];
        units[at].set(units[at].get() & 0xff00 | u16::from(base));
        let caches = usize::from(CACHES[usize::from(base)]);
        for cache in 1..=caches {
            units[at + cache].set(0);
        }
        if caches != 0 {
            units[at + 1].set(WARMUP);
        }
        at += 1 + caches;
    }
}

/// Turns running code back into the compiler's: base instructions, empty caches.
pub fn deoptimize(code: &mut [u8]) {
    let mut at = 0;
    while at + 1 < code.len() {
        let base = DEOPTIMIZED[usize::from(code[at])];
        code[at] = base;
        let caches = usize::from(CACHES[usize::from(base)]);
        let end = (at + 2 + caches * 2).min(code.len());
        code[at + 2..end].fill(0);
        at += 2 + caches * 2;
    }
}

/// Calls `f(source, not_taken, taken)` with the byte offsets of each conditional branch.
pub fn branches<E>(code: &[u8], f: &mut dyn FnMut(usize, usize, usize) -> Result<(), E>) -> Result<(), E> {
    let mut at = 0;
    let mut argument = 0usize;
    while at + 1 < code.len() {
        let base = code[at];
        argument = argument << 8 | usize::from(code[at + 1]);
        let next = at + 2 + usize::from(CACHES[usize::from(base)]) * 2;
        match base {
            op::EXTENDED_ARG => {
                at = next;
                continue;
            }
            op::POP_JUMP_IF_FALSE
            | op::POP_JUMP_IF_TRUE
            | op::POP_JUMP_IF_NONE
            | op::POP_JUMP_IF_NOT_NONE
            | op::FOR_ITER => f(at, next, next + argument * 2)?,
            _ => {}
        }
        argument = 0;
        at = next;
    }
    Ok(())
}
