//! The built-in types, one file or folder each.
//!
//! Each file exports its `StaticType`s; [`GROUPS`] lists those that every interpreter makes ready at its
//! start, [`BUILTIN_NAMES`] those that the `builtins` module shows.

pub mod bool;
pub mod builtin_function;
pub mod bytearray;
pub mod bytes;
pub mod capsule;
pub mod cell;
pub mod classmethod;
pub mod code;
pub mod complex;
pub mod constants;
pub mod descr;
pub mod dict;
pub mod ellipsis;
pub mod enumerate;
pub mod exceptions;
pub mod filter;
pub mod float;
pub mod frame;
pub mod function;
pub mod generator;
pub mod genericalias;
pub mod hash;
pub mod int;
pub mod list;
pub mod lnotab;
pub mod map;
pub mod mappingproxy;
pub mod memoryview;
pub mod method;
pub mod module;
pub mod namespace;
pub mod none;
pub mod notimplemented;
pub mod numeric_format;
pub mod object;
pub mod owned;
pub mod property;
pub mod range;
pub mod reprguard;
pub mod reversed;
pub mod seqiter;
pub mod set;
pub mod slice;
pub mod str;
pub mod structseq;
pub mod super_;
pub mod template;
pub mod traceback;
pub mod tuple;
pub mod typ;
pub mod typevar;
pub mod union;
pub mod weakref;
pub mod zip;

use crate::object::{PyTypeObject, StaticType};

/// The types that an interpreter has from its start. The first three are what all the others are made of.
pub static GROUPS: &[&[&StaticType]] = &[
    object::TYPES,
    typ::TYPES,
    str::TYPES,
    tuple::TYPES,
    dict::TYPES,
    &[&builtin_function::BUILTIN_FUNCTION_TYPE],
    descr::TYPES,
    int::TYPES,
    bool::TYPES,
    float::TYPES,
    complex::TYPES,
    bytes::TYPES,
    bytearray::TYPES,
    memoryview::TYPES,
    list::TYPES,
    set::TYPES,
    range::TYPES,
    slice::TYPES,
    none::TYPES,
    notimplemented::TYPES,
    ellipsis::TYPES,
    exceptions::TYPES,
    &[&function::FUNCTION_TYPE, &code::CODE_TYPE, &frame::FRAME_TYPE, &frame::locals_proxy::FRAME_LOCALS_PROXY_TYPE],
    method::TYPES,
    classmethod::TYPES,
    property::TYPES,
    super_::TYPES,
    cell::TYPES,
    module::TYPES,
    weakref::TYPES,
    capsule::TYPES,
    generator::TYPES,
    traceback::TYPES,
    &[&mappingproxy::MAPPING_PROXY_TYPE, &namespace::NAMESPACE_TYPE],
    genericalias::TYPES,
    union::TYPES,
    enumerate::TYPES,
    zip::TYPES,
    map::TYPES,
    filter::TYPES,
    reversed::TYPES,
    seqiter::TYPES,
    template::TYPES,
    typevar::TYPES,
];

/// The types that `builtins` shows by name.
pub static BUILTIN_NAMES: &[&StaticType] = &[
    &bool::BOOL_TYPE,
    &memoryview::MEMORYVIEW_TYPE,
    &bytearray::BYTEARRAY_TYPE,
    &bytes::BYTES_TYPE,
    &classmethod::CLASSMETHOD_TYPE,
    &complex::COMPLEX_TYPE,
    &dict::DICT_TYPE,
    &enumerate::ENUMERATE_TYPE,
    &filter::FILTER_TYPE,
    &float::FLOAT_TYPE,
    &set::FROZENSET_TYPE,
    &property::PROPERTY_TYPE,
    &int::INT_TYPE,
    &list::LIST_TYPE,
    &map::MAP_TYPE,
    &object::OBJECT_TYPE,
    &range::RANGE_TYPE,
    &reversed::REVERSED_TYPE,
    &set::SET_TYPE,
    &slice::SLICE_TYPE,
    &classmethod::STATICMETHOD_TYPE,
    &str::STR_TYPE,
    &super_::SUPER_TYPE,
    &tuple::TUPLE_TYPE,
    &typ::TYPE_TYPE,
    &zip::ZIP_TYPE,
];

/// Whether a pointer is one to a type of [`GROUPS`]: for reports about memory whose contents are not to be trusted.
pub fn is_known_type(typ: *const PyTypeObject) -> bool {
    GROUPS.iter().any(|group| group.iter().any(|known| core::ptr::addr_eq(*known, typ)))
}
