//! `_md5`.

use md5::{Digest, Md5};

use super::object::hash_type;
use crate::modules::ModuleSpec;
use crate::object::{AsObject, MethodDef, ready};

hash_type!(PyMd5, MD5_TYPE, c"_md5.md5", Md5, "md5", 16, 64);

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_md5",
    doc: "",
    methods: &[MethodDef::keywords(
        "md5",
        PyMd5::make,
        "md5($module, /, data=b'', *, usedforsecurity=True, string=None)\n--\n\nReturn a new MD5 hash object; optionally initialized with a string.",
    )],
    types: &[],
    exec: Some(|ts, module| {
        ready::ready_static(ts, &MD5_TYPE)?;
        module.add(ts, "MD5Type", MD5_TYPE.as_object())
    }),
};
