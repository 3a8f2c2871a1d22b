//! `_sha2`.

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::object::hash_type;
use crate::modules::ModuleSpec;
use crate::object::MethodDef;

hash_type!(PySha224, SHA224_TYPE, c"_sha2.SHA224Type", Sha224, "sha224", 28, 64);
hash_type!(PySha256, SHA256_TYPE, c"_sha2.SHA256Type", Sha256, "sha256", 32, 64);
hash_type!(PySha384, SHA384_TYPE, c"_sha2.SHA384Type", Sha384, "sha384", 48, 128);
hash_type!(PySha512, SHA512_TYPE, c"_sha2.SHA512Type", Sha512, "sha512", 64, 128);

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_sha2",
    doc: "",
    methods: &[
        MethodDef::keywords(
            "sha224",
            PySha224::make,
            "sha224($module, /, data=b'', *, usedforsecurity=True, string=None)\n--\n\nReturn a new SHA-224 hash object; optionally initialized with a string.",
        ),
        MethodDef::keywords(
            "sha256",
            PySha256::make,
            "sha256($module, /, data=b'', *, usedforsecurity=True, string=None)\n--\n\nReturn a new SHA-256 hash object; optionally initialized with a string.",
        ),
        MethodDef::keywords(
            "sha384",
            PySha384::make,
            "sha384($module, /, data=b'', *, usedforsecurity=True, string=None)\n--\n\nReturn a new SHA-384 hash object; optionally initialized with a string.",
        ),
        MethodDef::keywords(
            "sha512",
            PySha512::make,
            "sha512($module, /, data=b'', *, usedforsecurity=True, string=None)\n--\n\nReturn a new SHA-512 hash object; optionally initialized with a string.",
        ),
    ],
    types: &[&SHA224_TYPE, &SHA256_TYPE, &SHA384_TYPE, &SHA512_TYPE],
    exec: None,
};
