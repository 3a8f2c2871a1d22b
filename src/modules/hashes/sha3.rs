//! `_sha3`: one struct for the six types, which differ in rate and suffix.

use core::cell::UnsafeCell;

use hognose_allocators::collections::TryVec;
use sha3::digest::{ExtendableOutput, XofReader};
use sha3::{Digest, Sha3_224, Sha3_256, Sha3_384, Sha3_512, Shake128, Shake256};

use super::object::{data, digest, first_data, hexdigest};
use crate::modules::ModuleSpec;
use crate::object::{
    Args, GetSetDef, MethodDef, Native, PyObject, PyResult, PyTypeObject, Ref, StaticType, TypeSlots, TypeSpec, alloc,
    flags, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::PyStr;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_sha3",
    doc: "",
    methods: &[],
    types: &[&SHA3_224_TYPE, &SHA3_256_TYPE, &SHA3_384_TYPE, &SHA3_512_TYPE, &SHAKE_128_TYPE, &SHAKE_256_TYPE],
    exec: Some(|ts, module| module.add_str(ts, "implementation", "RustCrypto")),
};

/// The state of any of the six.
#[derive(Clone)]
enum State {
    Sha3_224(Sha3_224),
    Sha3_256(Sha3_256),
    Sha3_384(Sha3_384),
    Sha3_512(Sha3_512),
    Shake128(Shake128),
    Shake256(Shake256),
}

/// The facts about one of the six.
struct Facts {
    name: &'static str,
    digest_size: usize,
    rate: usize,
}

impl State {
    fn new(name: &str) -> State {
        match name {
            "sha3_224" => State::Sha3_224(Sha3_224::new()),
            "sha3_256" => State::Sha3_256(Sha3_256::new()),
            "sha3_384" => State::Sha3_384(Sha3_384::new()),
            "sha3_512" => State::Sha3_512(Sha3_512::new()),
            "shake_128" => State::Shake128(Shake128::default()),
            _ => State::Shake256(Shake256::default()),
        }
    }

    fn facts(&self) -> Facts {
        let (name, digest_size, rate) = match self {
            State::Sha3_224(_) => ("sha3_224", 28, 144),
            State::Sha3_256(_) => ("sha3_256", 32, 136),
            State::Sha3_384(_) => ("sha3_384", 48, 104),
            State::Sha3_512(_) => ("sha3_512", 64, 72),
            State::Shake128(_) => ("shake_128", 0, 168),
            State::Shake256(_) => ("shake_256", 0, 136),
        };
        Facts { name, digest_size, rate }
    }

    fn update(&mut self, data: &[u8]) {
        match self {
            State::Sha3_224(state) => Digest::update(state, data),
            State::Sha3_256(state) => Digest::update(state, data),
            State::Sha3_384(state) => Digest::update(state, data),
            State::Sha3_512(state) => Digest::update(state, data),
            State::Shake128(state) => sha3::digest::Update::update(state, data),
            State::Shake256(state) => sha3::digest::Update::update(state, data),
        }
    }

    /// The digest, as long as `out`.
    fn finish(self, out: &mut [u8]) {
        match self {
            State::Sha3_224(state) => out.copy_from_slice(&state.finalize()),
            State::Sha3_256(state) => out.copy_from_slice(&state.finalize()),
            State::Sha3_384(state) => out.copy_from_slice(&state.finalize()),
            State::Sha3_512(state) => out.copy_from_slice(&state.finalize()),
            State::Shake128(state) => state.finalize_xof().read(out),
            State::Shake256(state) => state.finalize_xof().read(out),
        }
    }
}

/// A SHA-3 or SHAKE object.
#[repr(C)]
pub struct PySha3 {
    ob_base: PyObject,
    state: UnsafeCell<State>,
}

// SAFETY: the struct is `repr(C)` and begins with the header; the six types, which have no subtypes, have it.
unsafe impl Native for PySha3 {
    fn type_object() -> &'static PyTypeObject {
        &SHA3_224_TYPE
    }
    fn check(object: &PyObject) -> bool {
        MODULE.types.iter().any(|typ| core::ptr::eq(object.ob_type(), &raw const typ.object))
    }
}

const GETSET: &[GetSetDef] = &[
    GetSetDef::get("block_size", |ts, this| PyInt::from_usize(ts, facts(this).rate), ""),
    GetSetDef::get("name", |ts, this| PyStr::new(ts, facts(this).name).map(Ref::into_object), ""),
    GetSetDef::get("digest_size", |ts, this| PyInt::from_usize(ts, facts(this).digest_size), ""),
    GetSetDef::get("_capacity_bits", |ts, this| PyInt::from_usize(ts, 1600 - 8 * facts(this).rate), ""),
    GetSetDef::get("_rate_bits", |ts, this| PyInt::from_usize(ts, 8 * facts(this).rate), ""),
    GetSetDef::get(
        "_suffix",
        |_, this| {
            let suffix = if facts(this).digest_size == 0 { 0x1F } else { 0x06 };
            Ok(PyBytes::single(suffix).into_object())
        },
        "",
    ),
];

macro_rules! sha3_type {
    ($static:ident, $type_name:literal, $name:literal, $digest:expr, $hexdigest:expr) => {
        #[doc = concat!("`_sha3.", $name, "`.")]
        pub static $static: StaticType = StaticType::new(TypeSpec {
            name: $type_name,
            basicsize: size_of::<PySha3>(),
            doc: concat!($name, "([data], *, usedforsecurity=True) -> ", $name, " object\n\nA new hash object."),
            slots: TypeSlots {
                new: Some(|ts, of, args| new(ts, of, args, $name)),
                dealloc: Some(dealloc),
                ..TypeSlots::EMPTY
            },
            flags: flags::IMMUTABLE,
            methods: &[
                MethodDef::no_args("copy", copy, "copy($self, /)\n--\n\nReturn a copy of the hash object."),
                $digest,
                $hexdigest,
                MethodDef::one("update", update, "update($self, data, /)\n--\n\nUpdate this hash object's state with the provided bytes-like object."),
            ],
            getset: GETSET,
            ..TypeSpec::EMPTY
        });
    };
}

const DIGEST: MethodDef =
    MethodDef::no_args("digest", fixed_digest, "digest($self, /)\n--\n\nReturn the digest value as a bytes object.");
const HEXDIGEST: MethodDef = MethodDef::no_args(
    "hexdigest",
    fixed_hexdigest,
    "hexdigest($self, /)\n--\n\nReturn the digest value as a string of hexadecimal digits.",
);
const SHAKE_DIGEST: MethodDef = MethodDef::keywords(
    "digest",
    shake_digest,
    "digest($self, /, length)\n--\n\nReturn the digest value as a bytes object.",
);
const SHAKE_HEXDIGEST: MethodDef = MethodDef::keywords(
    "hexdigest",
    shake_hexdigest,
    "hexdigest($self, /, length)\n--\n\nReturn the digest value as a string of hexadecimal digits.",
);

sha3_type!(SHA3_224_TYPE, c"_sha3.sha3_224", "sha3_224", DIGEST, HEXDIGEST);
sha3_type!(SHA3_256_TYPE, c"_sha3.sha3_256", "sha3_256", DIGEST, HEXDIGEST);
sha3_type!(SHA3_384_TYPE, c"_sha3.sha3_384", "sha3_384", DIGEST, HEXDIGEST);
sha3_type!(SHA3_512_TYPE, c"_sha3.sha3_512", "sha3_512", DIGEST, HEXDIGEST);
sha3_type!(SHAKE_128_TYPE, c"_sha3.shake_128", "shake_128", SHAKE_DIGEST, SHAKE_HEXDIGEST);
sha3_type!(SHAKE_256_TYPE, c"_sha3.shake_256", "shake_256", SHAKE_DIGEST, SHAKE_HEXDIGEST);

fn state(this: &PyObject) -> &State {
    // SAFETY: the callers copy the state and run no Python code meanwhile.
    unsafe { &*this.cast::<PySha3>().state.get() }
}

fn facts(this: &PyObject) -> Facts {
    state(this).facts()
}

fn with_state(ts: &ThreadState, of: &PyTypeObject, state: State) -> PyResult<Ref<PySha3>> {
    let made = alloc::object::<PySha3>(ts, of)?;
    // SAFETY: nobody else has the new object.
    unsafe { made.state.get().write(state) };
    Ok(made)
}

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>, name: &'static str) -> PyResult {
    let first = first_data(ts, name, args)?;
    let made = with_state(ts, of, State::new(name))?;
    if let Some(first) = first {
        feed(ts, &made, first)?;
    }
    Ok(made.into_object())
}

fn feed(ts: &ThreadState, this: &PySha3, object: &PyObject) -> PyResult<()> {
    let data = data(ts, object)?;
    // SAFETY: hashing runs no Python code, so nobody else uses the state.
    unsafe { (*this.state.get()).update(data.as_slice()) };
    Ok(())
}

fn update(ts: &ThreadState, this: &PyObject, object: &PyObject) -> PyResult {
    feed(ts, this.cast::<PySha3>(), object)?;
    Ok(ts.none())
}

fn copy(ts: &ThreadState, this: &PyObject) -> PyResult {
    with_state(ts, this.ob_type(), state(this).clone()).map(Ref::into_object)
}

fn finished(this: &PyObject, len: usize) -> PyResult<TryVec<u8>> {
    let mut out = TryVec::new();
    out.try_resize(len, 0)?;
    state(this).clone().finish(&mut out);
    Ok(out)
}

fn fixed_digest(ts: &ThreadState, this: &PyObject) -> PyResult {
    digest(ts, &finished(this, facts(this).digest_size)?)
}

fn fixed_hexdigest(ts: &ThreadState, this: &PyObject) -> PyResult {
    hexdigest(ts, &finished(this, facts(this).digest_size)?)
}

fn length(ts: &ThreadState, name: &'static str, args: Args<'_>) -> PyResult<usize> {
    let signature = crate::object::Signature::new(name, ["length"], 0, 1, 1);
    let [Some(length)] = signature.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "{name}() missing required argument 'length' (pos 1)");
    };
    let length = protocol::index(ts, length)?;
    if length.sign() < 0 {
        return raise!(ts, exc::ValueError, "value must be positive");
    }
    match length.as_u64() {
        Some(length) if length < 1 << 29 => Ok(length as usize),
        _ => raise!(ts, exc::ValueError, "length is too large"),
    }
}

fn shake_digest(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    digest(ts, &finished(this, length(ts, "digest", args)?)?)
}

fn shake_hexdigest(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    hexdigest(ts, &finished(this, length(ts, "hexdigest", args)?)?)
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with an object of one of the six types whose count is zero.
    unsafe {
        core::ptr::drop_in_place((*object.cast::<PySha3>()).state.get());
        alloc::free(ts, object);
    }
}
