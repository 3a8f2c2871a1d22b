//! What `getcodec` gives: an encoding as an object; and the modules that have the function.

use core::cell::Cell;

use super::coding;
use super::{Encoding, Out, Text, chinese, iso2022, japanese, korean};
use crate::modules::ModuleSpec;
use crate::object::{
    Args, MethodDef, PyObject, PyResult, Signature, StaticType, TypeSlots, TypeSpec, alloc, flags, ready,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::{PyBytes, bytes_like};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// An encoding.
#[repr(C)]
pub(super) struct PyMultibyteCodec {
    ob_base: PyObject,
    encoding: Cell<Option<&'static Encoding>>,
}

crate::native!(PyMultibyteCodec, CODEC_TYPE);

static CODEC_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_multibytecodec.MultibyteCodec",
    basicsize: size_of::<PyMultibyteCodec>(),
    flags: flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(|ts, object| {
            // SAFETY: nothing refers to the object any more, and it owns nothing.
            unsafe { alloc::free(ts, object) }
        }),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::keywords(
            "encode",
            encode,
            "encode($self, /, input, errors=None)\n--\n\nGive the bytes of a text, and how long the text is.",
        ),
        MethodDef::keywords(
            "decode",
            decode,
            "decode($self, /, input, errors=None)\n--\n\nGive the text of bytes, and how many bytes there are.",
        ),
    ],
    ..TypeSpec::EMPTY
});

impl PyMultibyteCodec {
    /// The encoding, which is always there.
    pub(super) fn encoding(&self, ts: &ThreadState) -> PyResult<&'static Encoding> {
        match self.encoding.get() {
            Some(encoding) => Ok(encoding),
            None => raise!(ts, exc::SystemError, "a codec without an encoding"),
        }
    }
}

/// Readies the type, which is no attribute of the module.
pub(super) fn ready(ts: &ThreadState, _: &PyModule) -> PyResult<()> {
    ready::ready_static(ts, &CODEC_TYPE)
}

/// `_multibytecodec.__create_codec`: makes a codec from a C module's description, of which there is none here, as the
/// encodings are our own.
pub(super) fn create_codec(ts: &ThreadState, _: &PyObject, _: &PyObject) -> PyResult {
    raise!(ts, exc::ValueError, "argument type invalid")
}

fn encode(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("encode", ["input", "errors"], 0, 2, 1);
    let [input, errors] = SIGNATURE.parse(ts, args)?;
    let encoding = this.cast::<PyMultibyteCodec>().encoding(ts)?;
    let errors = coding::errors_argument(ts, errors)?;
    let text = coding::text_of(ts, input.unwrap_or(this))?;
    let text = text.cast::<PyStr>();
    let mut out = Out::new();
    let mut state = encoding.start(false);
    coding::encode_all(ts, encoding, &mut state, text, errors.cast::<PyStr>().utf8(ts)?, &mut out)?;
    Ok(PyTuple::from_array(ts, [PyBytes::new(ts, &out)?.into_object(), PyInt::from_usize(ts, text.len())?])?
        .into_object())
}

fn decode(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("decode", ["input", "errors"], 0, 2, 1);
    let [input, errors] = SIGNATURE.parse(ts, args)?;
    let encoding = this.cast::<PyMultibyteCodec>().encoding(ts)?;
    let errors = coding::errors_argument(ts, errors)?;
    let bytes = bytes_like(ts, input.unwrap_or(this))?;
    let mut text = Text::new();
    let mut state = encoding.start(true);
    coding::decode(ts, encoding, &mut state, &bytes, errors.cast::<PyStr>().utf8(ts)?, true, &mut text)?;
    let length = PyInt::from_usize(ts, bytes.len())?;
    Ok(PyTuple::from_array(ts, [text.finish(ts)?.into_object(), length])?.into_object())
}

/// A module with the function `getcodec` for some encodings.
macro_rules! family {
    ($(#[$doc:meta])* $module:ident, $name:literal, $encodings:expr) => {
        $(#[$doc])*
        pub static $module: ModuleSpec = ModuleSpec {
            name: $name,
            doc: "",
            methods: &[MethodDef::one(
                "getcodec",
                |ts, _, name| find(ts, $encodings, name),
                "getcodec($module, name, /)\n--\n\nGive the codec of an encoding.",
            )],
            types: &[],
            exec: Some(ready),
        };
    };
}

family!(
    /// `_codecs_cn`.
    CN_MODULE,
    "_codecs_cn",
    chinese::CHINA
);
family!(
    /// `_codecs_hk`.
    HK_MODULE,
    "_codecs_hk",
    chinese::HONG_KONG
);
family!(
    /// `_codecs_iso2022`.
    ISO2022_MODULE,
    "_codecs_iso2022",
    iso2022::ISO2022
);
family!(
    /// `_codecs_jp`.
    JP_MODULE,
    "_codecs_jp",
    japanese::JAPAN
);
family!(
    /// `_codecs_kr`.
    KR_MODULE,
    "_codecs_kr",
    korean::KOREA
);
family!(
    /// `_codecs_tw`.
    TW_MODULE,
    "_codecs_tw",
    chinese::TAIWAN
);

fn find(ts: &ThreadState, encodings: &'static [Encoding], name: &PyObject) -> PyResult {
    let Some(name) = name.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "encoding name must be a string.");
    };
    let Some(encoding) = encodings.iter().find(|encoding| name.equals_str(encoding.name)) else {
        return raise!(ts, exc::LookupError, "no such codec is supported.");
    };
    let codec = alloc::exact::<PyMultibyteCodec>(ts)?;
    codec.encoding.set(Some(encoding));
    Ok(codec.into_object())
}
