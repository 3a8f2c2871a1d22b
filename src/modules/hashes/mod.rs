//! The hash modules `_md5`, `_sha1`, `_sha2`, `_sha3` and `_blake2`, which `hashlib` builds on.
//!
//! A hash object holds its state inside itself; nothing is allocated while it is fed.

pub mod blake2;
mod blake2_core;
pub mod md5;
mod object;
pub mod sha1;
pub mod sha2;
pub mod sha3;
