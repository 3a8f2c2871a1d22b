//! `MultibyteIncrementalEncoder` and `MultibyteIncrementalDecoder`; and what they have in common with the streams.

use core::cell::Cell;

use super::codec::PyMultibyteCodec;
use super::{Encoding, Out, State, Text, coding};
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature, Slot, StaticType,
    TypeSlots, TypeSpec, alloc, attr, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::{PyBytes, bytes_like};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::owned::owns;
use crate::types::str::{PyStr, codec};
use crate::types::tuple::PyTuple;

/// How many bytes a decoder keeps for later, at most.
const MAX_BYTES: usize = 8;
/// How many characters an encoder keeps for later, at most.
const MAX_CHARACTERS: usize = 2;

/// An encoder or a decoder with what calls leave for the next.
#[repr(C)]
pub(super) struct PyCoder {
    ob_base: PyObject,
    codec: Slot<PyMultibyteCodec>,
    errors: Slot<PyObject>,
    /// What a stream is read from or written to.
    pub(super) stream: Slot<PyObject>,
    /// Characters that an encoder has not written yet.
    pub(super) text: Slot<PyObject>,
    state: Cell<State>,
    /// Bytes that a decoder has not read yet.
    bytes: Cell<[u8; MAX_BYTES]>,
    count: Cell<usize>,
}

crate::native!(PyCoder, CODER_TYPE);
owns!(PyCoder: codec, errors, stream, text);

/// The base of the four: what an object of any of them is.
pub(super) static CODER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_multibytecodec.MultibyteCoder",
    basicsize: size_of::<PyCoder>(),
    flags: flags::HAVE_GC | flags::BASETYPE | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(PyCoder::slot_dealloc),
        traverse: Some(PyCoder::slot_traverse),
        clear: Some(PyCoder::slot_clear),
        init: Some(|_, _, _| Ok(())),
        ..TypeSlots::EMPTY
    },
    getset: &[GetSetDef::get_set("errors", get_errors, set_errors, "how to treat errors")],
    ..TypeSpec::EMPTY
});

fn get_errors(ts: &ThreadState, this: &PyObject) -> PyResult {
    Ok(this.cast::<PyCoder>().errors.get().unwrap_or_else(|| ts.none()))
}

fn set_errors(ts: &ThreadState, this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let Some(value) = value else { return raise!(ts, exc::AttributeError, "cannot delete attribute") };
    if !value.is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "errors must be a string");
    }
    this.cast::<PyCoder>().errors.set(Some(value.new_ref()));
    Ok(())
}

impl PyCoder {
    /// A new one of a class, which says by its attribute `codec` of which encoding.
    pub(super) fn make(
        ts: &ThreadState,
        of: &PyTypeObject,
        stream: Option<&PyObject>,
        errors: Option<&PyObject>,
        decoding: bool,
    ) -> PyResult {
        let errors = coding::errors_argument(ts, errors)?;
        let codec = attr::get(ts, of.as_object(), &*PyStr::intern(ts, "codec")?)?;
        let Ok(codec) = codec.downcast_into::<PyMultibyteCodec>() else {
            return raise!(ts, exc::TypeError, "codec is unexpected type");
        };
        let state = codec.encoding(ts)?.start(decoding);
        let coder = alloc::object::<PyCoder>(ts, of)?;
        coder.codec.set(Some(codec));
        coder.errors.set(Some(errors));
        coder.stream.set(stream.map(AsObject::new_ref));
        coder.state.set(state);
        gc::track(ts, &*coder);
        Ok(coder.into_object())
    }

    fn encoding(&self, ts: &ThreadState) -> PyResult<&'static Encoding> {
        match self.codec.get() {
            Some(codec) => codec.encoding(ts),
            None => raise!(ts, exc::ValueError, "the codec is gone"),
        }
    }

    fn error_handler(&self, ts: &ThreadState) -> PyResult<PyRef> {
        coding::errors_argument(ts, self.errors.get().as_deref())
    }

    /// Encodes what was left and `input`; what must wait for more is kept, unless `last`.
    pub(super) fn encode(&self, ts: &ThreadState, input: &PyObject, last: bool) -> PyResult<Ref<PyBytes>> {
        let encoding = self.encoding(ts)?;
        let errors = self.error_handler(ts)?;
        let input = coding::text_of(ts, input)?;
        let text = match self.text.get() {
            Some(before) => PyStr::concat(ts, before.cast(), input.cast())?.into_object(),
            None => input,
        };
        let text = text.cast::<PyStr>();
        let errors = errors.cast::<PyStr>().utf8(ts)?;
        let mut state = self.state.get();
        let mut out = Out::new();
        let result = coding::encode(ts, encoding, &mut state, text, 0, errors, last, &mut out);
        if let (true, Ok(_), Some(end)) = (last, &result, encoding.end) {
            end(&mut state, &mut out)?;
        }
        self.state.set(state);
        let at = result?;
        if text.len() - at > MAX_CHARACTERS {
            let error = codec::new_encode_error(ts, encoding.name, text, at, text.len(), "pending buffer overflow")?;
            return Err(ts.raise(error));
        }
        let rest = if at < text.len() { Some(text.slice(ts, at, text.len())?.into_object()) } else { None };
        self.text.set(rest);
        PyBytes::new(ts, &out)
    }

    /// Decodes what was left and `input`; what must wait for more is kept, unless `last`.
    pub(super) fn decode(&self, ts: &ThreadState, input: &[u8], last: bool, text: &mut Text) -> PyResult<()> {
        let encoding = self.encoding(ts)?;
        let errors = self.error_handler(ts)?;
        let errors = errors.cast::<PyStr>().utf8(ts)?;
        let before = self.bytes.get();
        let mut joined = Out::new();
        let bytes = if self.count.get() == 0 {
            input
        } else {
            joined.try_extend_from_slice(&before[..self.count.get()])?;
            joined.try_extend_from_slice(input)?;
            &joined[..]
        };
        let mut state = self.state.get();
        let result = coding::decode(ts, encoding, &mut state, bytes, errors, last, text);
        self.state.set(state);
        let rest = &bytes[result?..];
        let mut kept = [0; MAX_BYTES];
        let Some(place) = kept.get_mut(..rest.len()) else {
            return raise!(ts, exc::UnicodeError, "pending buffer overflow");
        };
        place.copy_from_slice(rest);
        self.bytes.set(kept);
        self.count.set(rest.len());
        Ok(())
    }

    /// Back to the beginning, for an encoder: what was left is dropped.
    fn reset_encoder(&self, ts: &ThreadState) -> PyResult<()> {
        if let Some(end) = self.encoding(ts)?.end {
            let mut state = self.state.get();
            end(&mut state, &mut Out::new())?;
            self.state.set(state);
        }
        self.text.set(None);
        Ok(())
    }

    /// Back to the beginning, for a decoder: what was left is dropped.
    pub(super) fn reset_decoder(&self, ts: &ThreadState) -> PyResult<()> {
        if let Some(forget) = self.encoding(ts)?.forget {
            let mut state = self.state.get();
            forget(&mut state);
            self.state.set(state);
        }
        self.count.set(0);
        Ok(())
    }
}

fn coder(object: &PyObject) -> &PyCoder {
    object.cast()
}

fn truth(ts: &ThreadState, flag: Option<&PyObject>) -> PyResult<bool> {
    flag.map_or(Ok(false), |flag| protocol::is_true(ts, flag))
}

// ---- The encoder. Its state as a number: one byte, how many bytes of UTF-8 follow; these; the eight of the state ----

/// `_multibytecodec.MultibyteIncrementalEncoder`.
pub(super) static ENCODER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_multibytecodec.MultibyteIncrementalEncoder",
    basicsize: size_of::<PyCoder>(),
    base: Some(&CODER_TYPE),
    flags: flags::HAVE_GC | flags::BASETYPE,
    slots: TypeSlots {
        new: Some(|ts, of, args| {
            static SIGNATURE: Signature<1> = Signature::new("IncrementalEncoder", ["errors"], 0, 1, 0);
            let [errors] = SIGNATURE.parse(ts, args)?;
            PyCoder::make(ts, of, None, errors, false)
        }),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::keywords("encode", encode, "encode($self, /, input, final=False)\n--\n\n"),
        MethodDef::no_args("getstate", encoder_state, "getstate($self, /)\n--\n\n"),
        MethodDef::one("setstate", set_encoder_state, "setstate($self, state, /)\n--\n\n"),
        MethodDef::no_args(
            "reset",
            |ts, this| {
                coder(this).reset_encoder(ts)?;
                Ok(ts.none())
            },
            "reset($self, /)\n--\n\n",
        ),
    ],
    ..TypeSpec::EMPTY
});

fn encode(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("encode", ["input", "final"], 0, 2, 1);
    let [input, last] = SIGNATURE.parse(ts, args)?;
    let last = truth(ts, last)?;
    coder(this).encode(ts, input.unwrap_or(this), last).map(Ref::into_object)
}

fn encoder_state(ts: &ThreadState, this: &PyObject) -> PyResult {
    let coder = coder(this);
    let mut bytes = Out::new();
    match coder.text.get() {
        Some(text) => {
            let text = text.cast::<PyStr>().utf8(ts)?;
            bytes.try_push(text.len() as u8)?;
            bytes.try_extend_from_slice(text.as_bytes())?;
        }
        None => bytes.try_push(0)?,
    }
    bytes.try_extend_from_slice(&coder.state.get())?;
    PyInt::from_bytes(ts, &bytes, true, false)
}

fn set_encoder_state(ts: &ThreadState, this: &PyObject, number: &PyObject) -> PyResult {
    let Some(number) = number.downcast::<PyInt>() else {
        return raise!(ts, exc::TypeError, "setstate() argument must be int, not {}", number.type_name());
    };
    let mut bytes = [0; 1 + 4 * MAX_CHARACTERS + 8];
    number.write_bytes(ts, &mut bytes, true, false)?;
    let count = usize::from(bytes[0]);
    if count > 4 * MAX_CHARACTERS {
        return raise!(ts, exc::UnicodeError, "pending buffer too large");
    }
    let text = PyStr::from_utf8(ts, &bytes[1..1 + count], "strict")?;
    let mut state = State::default();
    state.copy_from_slice(&bytes[1 + count..][..8]);
    let coder = coder(this);
    coder.text.set((count > 0).then(|| text.into_object()));
    coder.state.set(state);
    Ok(ts.none())
}

// ---- The decoder ----

/// `_multibytecodec.MultibyteIncrementalDecoder`.
pub(super) static DECODER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_multibytecodec.MultibyteIncrementalDecoder",
    basicsize: size_of::<PyCoder>(),
    base: Some(&CODER_TYPE),
    flags: flags::HAVE_GC | flags::BASETYPE,
    slots: TypeSlots {
        new: Some(|ts, of, args| {
            static SIGNATURE: Signature<1> = Signature::new("IncrementalDecoder", ["errors"], 0, 1, 0);
            let [errors] = SIGNATURE.parse(ts, args)?;
            PyCoder::make(ts, of, None, errors, true)
        }),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::keywords("decode", decode, "decode($self, /, input, final=False)\n--\n\n"),
        MethodDef::no_args("getstate", decoder_state, "getstate($self, /)\n--\n\n"),
        MethodDef::one("setstate", set_decoder_state, "setstate($self, state, /)\n--\n\n"),
        MethodDef::no_args(
            "reset",
            |ts, this| {
                coder(this).reset_decoder(ts)?;
                Ok(ts.none())
            },
            "reset($self, /)\n--\n\n",
        ),
    ],
    ..TypeSpec::EMPTY
});

fn decode(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("decode", ["input", "final"], 0, 2, 1);
    let [input, last] = SIGNATURE.parse(ts, args)?;
    let bytes = bytes_like(ts, input.unwrap_or(this))?;
    let last = truth(ts, last)?;
    let mut text = Text::new();
    coder(this).decode(ts, &bytes, last, &mut text)?;
    text.finish(ts).map(Ref::into_object)
}

fn decoder_state(ts: &ThreadState, this: &PyObject) -> PyResult {
    let coder = coder(this);
    let bytes = PyBytes::new(ts, &coder.bytes.get()[..coder.count.get()])?;
    let state = PyInt::from_bytes(ts, &coder.state.get(), true, false)?;
    Ok(PyTuple::from_array(ts, [bytes.into_object(), state])?.into_object())
}

fn set_decoder_state(ts: &ThreadState, this: &PyObject, state: &PyObject) -> PyResult {
    let Some(state) = state.downcast::<PyTuple>() else {
        return raise!(ts, exc::TypeError, "setstate() argument must be tuple, not {}", state.type_name());
    };
    let &[bytes, number] = state.items() else {
        return raise!(ts, exc::TypeError, "setstate(): illegal state argument");
    };
    let (Some(bytes), Some(number)) = (bytes.downcast::<PyBytes>(), number.downcast::<PyInt>()) else {
        return raise!(ts, exc::TypeError, "setstate(): illegal state argument");
    };
    let mut state = State::default();
    number.write_bytes(ts, &mut state, true, false)?;
    let coder = coder(this);
    let count = bytes.len();
    let mut kept = [0; MAX_BYTES];
    let Some(place) = kept.get_mut(..count) else {
        let name = coder.encoding(ts)?.name;
        let error = codec::new_decode_error(ts, name, bytes.as_slice(), 0, count, "pending buffer too large")?;
        return Err(ts.raise(error));
    };
    place.copy_from_slice(bytes.as_slice());
    coder.bytes.set(kept);
    coder.count.set(count);
    coder.state.set(state);
    Ok(ts.none())
}
