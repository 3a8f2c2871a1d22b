//! `_blake2`.

use core::cell::UnsafeCell;

use super::blake2_core::{Blake2b, Blake2s, Parameters};
use super::object::{data, digest, hexdigest};
use crate::modules::ModuleSpec;
use crate::object::{
    Args, GetSetDef, MethodDef, PyObject, PyResult, PyTypeObject, Ref, Signature, StaticType, TypeSlots, TypeSpec,
    ValueDef, alloc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::{BytesLike, bytes_like};
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::str::PyStr;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_blake2",
    doc: "",
    methods: &[],
    types: &[&BLAKE2B_TYPE, &BLAKE2S_TYPE],
    exec: Some(|ts, module| {
        module.add_int(ts, "BLAKE2B_SALT_SIZE", 16)?;
        module.add_int(ts, "BLAKE2B_PERSON_SIZE", 16)?;
        module.add_int(ts, "BLAKE2B_MAX_KEY_SIZE", 64)?;
        module.add_int(ts, "BLAKE2B_MAX_DIGEST_SIZE", 64)?;
        module.add_int(ts, "BLAKE2S_SALT_SIZE", 8)?;
        module.add_int(ts, "BLAKE2S_PERSON_SIZE", 8)?;
        module.add_int(ts, "BLAKE2S_MAX_KEY_SIZE", 32)?;
        module.add_int(ts, "BLAKE2S_MAX_DIGEST_SIZE", 32)
    }),
};

const PARAMETERS: [&str; 14] = [
    "data",
    "digest_size",
    "key",
    "salt",
    "person",
    "fanout",
    "depth",
    "leaf_size",
    "node_offset",
    "node_depth",
    "inner_size",
    "last_node",
    "usedforsecurity",
    "string",
];

/// What differs between the two for the checks.
struct Limits {
    max: usize,
    salt: usize,
    offset_bits: u32,
}

/// The constructor's arguments.
struct Given<'a> {
    first: Option<&'a PyObject>,
    digest_size: u8,
    key: Option<BytesLike<'a>>,
    salt: Option<BytesLike<'a>>,
    person: Option<BytesLike<'a>>,
    numbers: [u64; 5],
    last_node: bool,
}

impl<'a> Given<'a> {
    fn read(ts: &ThreadState, name: &'static str, args: Args<'a>, limits: &Limits) -> PyResult<Given<'a>> {
        let signature = Signature::new(name, PARAMETERS, 0, 1, 0);
        let [
            first,
            digest_size,
            key,
            salt,
            person,
            fanout,
            depth,
            leaf_size,
            node_offset,
            node_depth,
            inner_size,
            last_node,
            _,
            string,
        ] = signature.parse(ts, args)?;
        if first.is_some() && string.is_some() {
            return raise!(
                ts,
                exc::TypeError,
                "'data' and 'string' are mutually exclusive and support for 'string' keyword parameter is slated for removal in a future version."
            );
        }
        let int = |value: Option<&PyObject>, default: i32| match value {
            Some(value) => protocol::as_i32(ts, value),
            None => Ok(default),
        };
        let long = |value: Option<&PyObject>| -> PyResult<u64> {
            let Some(value) = value else { return Ok(0) };
            let value = protocol::index(ts, value)?;
            if value.sign() < 0 {
                return raise!(ts, exc::ValueError, "value must be positive");
            }
            match value.as_u64() {
                Some(value) => Ok(value),
                None => raise!(ts, exc::OverflowError, "int too big to convert"),
            }
        };
        let bytes = |value: Option<&'a PyObject>| value.map(|value| bytes_like(ts, value)).transpose();
        let size = int(digest_size, limits.max as i32)?;
        let (key, salt, person) = (bytes(key)?, bytes(salt)?, bytes(person)?);
        let (fanout, depth) = (int(fanout, 1)?, int(depth, 1)?);
        let (leaf_size, node_offset) = (long(leaf_size)?, long(node_offset)?);
        let (node_depth, inner_size) = (int(node_depth, 0)?, int(inner_size, 0)?);
        let last_node = match last_node {
            Some(last_node) => protocol::is_true(ts, last_node)?,
            None => false,
        };
        if size <= 0 || size > limits.max as i32 {
            return raise!(
                ts,
                exc::ValueError,
                "digest_size for {name} must be between 1 and {} bytes, here it is {size}",
                limits.max
            );
        }
        let len = |bytes: &Option<BytesLike<'_>>| bytes.as_deref().map_or(0, <[u8]>::len);
        if len(&salt) > limits.salt {
            return raise!(ts, exc::ValueError, "maximum salt length is {} bytes", limits.salt);
        }
        if len(&person) > limits.salt {
            return raise!(ts, exc::ValueError, "maximum person length is {} bytes", limits.salt);
        }
        if !(0..=255).contains(&fanout) {
            return raise!(ts, exc::ValueError, "fanout must be between 0 and 255");
        }
        if !(1..=255).contains(&depth) {
            return raise!(ts, exc::ValueError, "depth must be between 1 and 255");
        }
        if leaf_size > u64::from(u32::MAX) {
            return raise!(ts, exc::OverflowError, "leaf_size is too large");
        }
        if limits.offset_bits < 64 && node_offset >> limits.offset_bits != 0 {
            return raise!(ts, exc::OverflowError, "node_offset is too large");
        }
        if !(0..=255).contains(&node_depth) {
            return raise!(ts, exc::ValueError, "node_depth must be between 0 and 255");
        }
        if inner_size < 0 || inner_size > limits.max as i32 {
            return raise!(ts, exc::ValueError, "inner_size must be between 0 and is {}", limits.max);
        }
        if len(&key) > limits.max {
            return raise!(ts, exc::ValueError, "maximum key length is {} bytes", limits.max);
        }
        Ok(Given {
            first: first.or(string),
            digest_size: size as u8,
            key,
            salt,
            person,
            numbers: [
                fanout as u64 | (depth as u64) << 8,
                leaf_size,
                node_offset,
                node_depth as u64,
                inner_size as u64,
            ],
            last_node,
        })
    }

    fn parameters(&self) -> Parameters<'_> {
        let [fanout_depth, leaf_size, node_offset, node_depth, inner_size] = self.numbers;
        Parameters {
            digest_size: self.digest_size,
            key: or_nothing(&self.key),
            salt: or_nothing(&self.salt),
            person: or_nothing(&self.person),
            fanout: fanout_depth as u8,
            depth: (fanout_depth >> 8) as u8,
            leaf_size: leaf_size as u32,
            node_offset,
            node_depth: node_depth as u8,
            inner_size: inner_size as u8,
            last_node: self.last_node,
        }
    }
}

fn or_nothing<'b>(bytes: &'b Option<BytesLike<'_>>) -> &'b [u8] {
    bytes.as_deref().unwrap_or_default()
}

macro_rules! blake2_type {
    ($object:ident, $static:ident, $type_name:literal, $state:ident, $name:literal, $offset_bits:literal) => {
        #[doc = concat!("A ", $name, " object.")]
        #[repr(C)]
        pub struct $object {
            ob_base: PyObject,
            state: UnsafeCell<$state>,
        }
        crate::native!($object, $static);

        #[doc = concat!("`_blake2.", $name, "`.")]
        pub static $static: StaticType = StaticType::new(TypeSpec {
            name: $type_name,
            basicsize: size_of::<$object>(),
            doc: concat!($name, "(data=b'', /, *, digest_size=_blake2.", $name, ".MAX_DIGEST_SIZE,\n        key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0,\n        node_offset=0, node_depth=0, inner_size=0, last_node=False,\n        usedforsecurity=True)\n--\n\nA new hash object."),
            slots: TypeSlots { new: Some($object::new), dealloc: Some($object::dealloc), ..TypeSlots::EMPTY },
            methods: &[
                MethodDef::no_args("copy", |ts, this| {
                    let state = this.cast::<$object>().state().clone();
                    $object::with_state(ts, this.ob_type(), state).map(Ref::into_object)
                }, "copy($self, /)\n--\n\nReturn a copy of the hash object."),
                MethodDef::no_args("digest", |ts, this| {
                    let state = this.cast::<$object>().state().clone();
                    let size = state.digest_size();
                    digest(ts, &state.finish()[..size])
                }, "digest($self, /)\n--\n\nReturn the digest value as a bytes object."),
                MethodDef::no_args("hexdigest", |ts, this| {
                    let state = this.cast::<$object>().state().clone();
                    let size = state.digest_size();
                    hexdigest(ts, &state.finish()[..size])
                }, "hexdigest($self, /)\n--\n\nReturn the digest value as a string of hexadecimal digits."),
                MethodDef::one("update", |ts, this, data| {
                    this.cast::<$object>().feed(ts, data)?;
                    Ok(ts.none())
                }, "update($self, data, /)\n--\n\nUpdate this hash object's state with the provided bytes-like object."),
            ],
            getset: &[
                GetSetDef::get("name", |ts, _| PyStr::new(ts, $name).map(Ref::into_object), ""),
                GetSetDef::get("block_size", |ts, _| PyInt::from_usize(ts, $state::BLOCK), ""),
                GetSetDef::get("digest_size", |ts, this| PyInt::from_usize(ts, this.cast::<$object>().state().digest_size()), ""),
            ],
            values: &[
                ValueDef { name: "SALT_SIZE", make: |ts| PyInt::from_usize(ts, $state::SALT) },
                ValueDef { name: "PERSON_SIZE", make: |ts| PyInt::from_usize(ts, $state::SALT) },
                ValueDef { name: "MAX_KEY_SIZE", make: |ts| PyInt::from_usize(ts, $state::MAX) },
                ValueDef { name: "MAX_DIGEST_SIZE", make: |ts| PyInt::from_usize(ts, $state::MAX) },
            ],
            ..TypeSpec::EMPTY
        });

        impl $object {
            fn with_state(ts: &ThreadState, of: &PyTypeObject, state: $state) -> PyResult<Ref<$object>> {
                let made = alloc::object::<$object>(ts, of)?;
                // SAFETY: nobody else has the new object.
                unsafe { made.state.get().write(state) };
                Ok(made)
            }

            fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
                let limits = Limits { max: $state::MAX, salt: $state::SALT, offset_bits: $offset_bits };
                let given = Given::read(ts, $name, args, &limits)?;
                let made = Self::with_state(ts, of, $state::new(&given.parameters()))?;
                if let Some(first) = given.first {
                    made.feed(ts, first)?;
                }
                Ok(made.into_object())
            }

            /// The state; nothing that changes it runs while it is used.
            fn state(&self) -> &$state {
                // SAFETY: the callers copy it and run no Python code meanwhile.
                unsafe { &*self.state.get() }
            }

            fn feed(&self, ts: &ThreadState, object: &PyObject) -> PyResult<()> {
                let data = data(ts, object)?;
                // SAFETY: hashing runs no Python code, so nobody else uses the state.
                unsafe { (*self.state.get()).update(data.as_slice()) };
                Ok(())
            }

            /// # Safety
            /// As for every `DeallocFn`.
            unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
                // SAFETY: the slot is called with an object of its type; its state owns nothing.
                unsafe { alloc::free(ts, object) }
            }
        }
    };
}

blake2_type!(PyBlake2b, BLAKE2B_TYPE, c"_blake2.blake2b", Blake2b, "blake2b", 64);
blake2_type!(PyBlake2s, BLAKE2S_TYPE, c"_blake2.blake2s", Blake2s, "blake2s", 48);
