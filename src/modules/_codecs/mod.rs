//! `_codecs`: the registry of encodings and error handlers, and the codecs that are native.
//!
//! ```text
//!  lookup(name) ── cache ──► tuple (encoder, decoder, stream reader, stream writer)
//!                    └─ search functions, in the order of their registration
//! ```
//!
//! | file | what |
//! |---|---|
//! | `registry` | search functions, the cache, encoding and decoding by name |
//! | `handlers` | error handlers: the registry and those that are native |
//! | `functions` | the native codecs as module functions |
//! | `escape` | the escapes of bytes literals |
//! | `utf7` | UTF-7 |

mod escape;
mod functions;
mod handlers;
mod registry;
mod utf7;

pub use handlers::{call_error_handler, call_multibyte_error_handler, lookup_error, register_error};
pub use registry::{decode, decode_any, encode, encode_any, lookup, register, start, unregister};

use crate::modules::ModuleSpec;
use crate::object::{MethodDef, PyObject, Slot};
use crate::types::dict::PyDict;
use crate::types::list::PyList;
use core::cell::Cell;

/// What an interpreter knows of codecs.
#[derive(Default)]
pub struct CodecState {
    /// The search functions.
    search_path: Slot<PyList>,
    /// The codecs that have been found, by normalized name.
    cache: Slot<PyDict>,
    /// The error handlers, by name.
    handlers: Slot<PyDict>,
    /// Whether `encodings`, which brings the first search function, has been imported, or is being.
    started: Cell<bool>,
}

impl CodecState {
    /// Forgets everything: in finalization.
    pub fn clear(&self) {
        self.search_path.set(None);
        self.cache.set(None);
        self.handlers.set(None);
        self.started.set(false);
    }

    /// Shows the collector what is owned.
    pub fn for_each(&self, f: &mut dyn FnMut(&PyObject)) {
        use crate::object::AsObject;
        // SAFETY: nothing runs while the slots are looked at.
        unsafe {
            self.search_path.borrow().into_iter().for_each(|o| f(o.as_object()));
            self.cache.borrow().into_iter().for_each(|o| f(o.as_object()));
            self.handlers.borrow().into_iter().for_each(|o| f(o.as_object()));
        }
    }
}

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_codecs",
    doc: "",
    methods: &[
        MethodDef::one(
            "register",
            registry::register_function,
            "register($module, search_function, /)\n--\n\nRegister a function that finds codecs: it takes a lower-case name and returns a tuple of\n(encoder, decoder, stream_reader, stream_writer), or None.",
        ),
        MethodDef::one(
            "unregister",
            registry::unregister_function,
            "unregister($module, search_function, /)\n--\n\nTake a search function out, and forget what has been found.",
        ),
        MethodDef::one(
            "lookup",
            registry::lookup_function,
            "lookup($module, encoding, /)\n--\n\nThe codec of that name.",
        ),
        MethodDef::keywords(
            "encode",
            registry::encode_function,
            "encode($module, /, obj, encoding='utf-8', errors='strict')\n--\n\nEncode an object with the codec of that name.",
        ),
        MethodDef::keywords(
            "decode",
            registry::decode_function,
            "decode($module, /, obj, encoding='utf-8', errors='strict')\n--\n\nDecode an object with the codec of that name.",
        ),
        MethodDef::positional(
            "escape_encode",
            functions::escape_encode,
            "escape_encode($module, data, errors=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "escape_decode",
            functions::escape_decode,
            "escape_decode($module, data, errors=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_8_encode",
            functions::utf_8_encode,
            "utf_8_encode($module, str, errors=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_8_decode",
            functions::utf_8_decode,
            "utf_8_decode($module, data, errors=None, final=False, /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_7_encode",
            functions::utf_7_encode,
            "utf_7_encode($module, str, errors=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_7_decode",
            functions::utf_7_decode,
            "utf_7_decode($module, data, errors=None, final=False, /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_16_encode",
            functions::utf_16_encode,
            "utf_16_encode($module, str, errors=None, byteorder=0, /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_16_le_encode",
            functions::utf_16_le_encode,
            "utf_16_le_encode($module, str, errors=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_16_be_encode",
            functions::utf_16_be_encode,
            "utf_16_be_encode($module, str, errors=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_16_decode",
            functions::utf_16_decode,
            "utf_16_decode($module, data, errors=None, final=False, /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_16_le_decode",
            functions::utf_16_le_decode,
            "utf_16_le_decode($module, data, errors=None, final=False, /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_16_be_decode",
            functions::utf_16_be_decode,
            "utf_16_be_decode($module, data, errors=None, final=False, /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_16_ex_decode",
            functions::utf_16_ex_decode,
            "utf_16_ex_decode($module, data, errors=None, byteorder=0, final=False,\n                 /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_32_encode",
            functions::utf_32_encode,
            "utf_32_encode($module, str, errors=None, byteorder=0, /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_32_le_encode",
            functions::utf_32_le_encode,
            "utf_32_le_encode($module, str, errors=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_32_be_encode",
            functions::utf_32_be_encode,
            "utf_32_be_encode($module, str, errors=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_32_decode",
            functions::utf_32_decode,
            "utf_32_decode($module, data, errors=None, final=False, /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_32_le_decode",
            functions::utf_32_le_decode,
            "utf_32_le_decode($module, data, errors=None, final=False, /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_32_be_decode",
            functions::utf_32_be_decode,
            "utf_32_be_decode($module, data, errors=None, final=False, /)\n--\n\n",
        ),
        MethodDef::positional(
            "utf_32_ex_decode",
            functions::utf_32_ex_decode,
            "utf_32_ex_decode($module, data, errors=None, byteorder=0, final=False,\n                 /)\n--\n\n",
        ),
        MethodDef::positional(
            "unicode_escape_encode",
            functions::unicode_escape_encode,
            "unicode_escape_encode($module, str, errors=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "unicode_escape_decode",
            functions::unicode_escape_decode,
            "unicode_escape_decode($module, data, errors=None, final=True, /)\n--\n\n",
        ),
        MethodDef::positional(
            "raw_unicode_escape_encode",
            functions::raw_unicode_escape_encode,
            "raw_unicode_escape_encode($module, str, errors=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "raw_unicode_escape_decode",
            functions::raw_unicode_escape_decode,
            "raw_unicode_escape_decode($module, data, errors=None, final=True, /)\n--\n\n",
        ),
        MethodDef::positional(
            "latin_1_encode",
            functions::latin_1_encode,
            "latin_1_encode($module, str, errors=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "latin_1_decode",
            functions::latin_1_decode,
            "latin_1_decode($module, data, errors=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "ascii_encode",
            functions::ascii_encode,
            "ascii_encode($module, str, errors=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "ascii_decode",
            functions::ascii_decode,
            "ascii_decode($module, data, errors=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "charmap_encode",
            functions::charmap_encode,
            "charmap_encode($module, str, errors=None, mapping=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "charmap_decode",
            functions::charmap_decode,
            "charmap_decode($module, data, errors=None, mapping=None, /)\n--\n\n",
        ),
        MethodDef::one("charmap_build", functions::charmap_build, "charmap_build($module, map, /)\n--\n\n"),
        MethodDef::positional(
            "readbuffer_encode",
            functions::readbuffer_encode,
            "readbuffer_encode($module, data, errors=None, /)\n--\n\n",
        ),
        MethodDef::positional(
            "register_error",
            handlers::register_error_function,
            "register_error($module, errors, handler, /)\n--\n\nRegister an error handler under a name. It is called with the exception, and returns the replacement and the\nposition to go on at, or raises.",
        ),
        MethodDef::one(
            "_unregister_error",
            handlers::unregister_error_function,
            "_unregister_error($module, errors, /)\n--\n\nTake an error handler out; those that are native stay. Tells whether there was one.",
        ),
        MethodDef::one(
            "lookup_error",
            handlers::lookup_error_function,
            "lookup_error($module, name, /)\n--\n\nThe error handler of that name.",
        ),
    ],
    ..ModuleSpec::EMPTY
};

/// The bytes of a literal's text, as an object; warns about escapes without meaning.
pub(crate) fn decode_escapes(ts: &crate::state::ThreadState, text: &[u8]) -> crate::object::PyResult {
    let (bytes, invalid) = escape::decode(ts, text, "strict")?;
    if let Some(invalid) = invalid {
        escape::warn_invalid(ts, invalid)?;
    }
    Ok(crate::types::bytes::PyBytes::new(ts, &bytes)?.into_object())
}
