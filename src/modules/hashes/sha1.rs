//! `_sha1`.

use sha1::{Digest, Sha1};

use super::object::hash_type;
use crate::modules::ModuleSpec;
use crate::object::{AsObject, MethodDef, ready};

hash_type!(PySha1, SHA1_TYPE, c"_sha1.sha1", Sha1, "sha1", 20, 64);

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_sha1",
    doc: "",
    methods: &[MethodDef::keywords(
        "sha1",
        PySha1::make,
        "sha1($module, /, data=b'', *, usedforsecurity=True, string=None)\n--\n\nReturn a new SHA1 hash object; optionally initialized with a string.",
    )],
    types: &[],
    exec: Some(|ts, module| {
        ready::ready_static(ts, &SHA1_TYPE)?;
        module.add(ts, "SHA1Type", SHA1_TYPE.as_object())
    }),
};
