//! What the hash objects share.

use crate::object::buffer::{self, Buffer};
use crate::object::{Args, PyObject, PyResult, Ref, Signature};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::{PyBytes, hex_text};
use crate::types::exceptions as exc;
use crate::types::str::PyStr;

/// The data that a hash is fed with: a bytes-like object, no string.
pub(super) fn data(ts: &ThreadState, object: &PyObject) -> PyResult<Buffer> {
    if object.is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "Strings must be encoded before hashing");
    }
    if !buffer::has_buffer(object) {
        return raise!(ts, exc::TypeError, "object supporting the buffer API required");
    }
    let view = Buffer::get(ts, object, buffer::SIMPLE)?;
    if view.view().ndim > 1 {
        return raise!(ts, exc::BufferError, "Buffer must be single dimension");
    }
    Ok(view)
}

/// The first data of a constructor: `data`, or by its old name `string`.
pub(super) fn first_data<'a>(ts: &ThreadState, name: &'static str, args: Args<'a>) -> PyResult<Option<&'a PyObject>> {
    let signature = Signature::new(name, ["data", "usedforsecurity", "string"], 0, 1, 0);
    let [data, _, string] = signature.parse(ts, args)?;
    if data.is_some() && string.is_some() {
        return raise!(
            ts,
            exc::TypeError,
            "'data' and 'string' are mutually exclusive and support for 'string' keyword parameter is slated for removal in a future version."
        );
    }
    Ok(data.or(string))
}

/// A digest as bytes.
pub(super) fn digest(ts: &ThreadState, digest: &[u8]) -> PyResult {
    PyBytes::new(ts, digest).map(Ref::into_object)
}

/// A digest as a string of hexadecimal digits.
pub(super) fn hexdigest(ts: &ThreadState, digest: &[u8]) -> PyResult {
    PyStr::from_ascii(ts, &hex_text(digest, None, 0)?).map(Ref::into_object)
}

/// Declares a hash type: its struct, its static, `new(ts)` and the methods.
macro_rules! hash_type {
    ($object:ident, $static:ident, $type_name:literal, $state:ty, $name:literal, $size:expr, $block:expr) => {
        #[doc = concat!("A ", $name, " object.")]
        #[repr(C)]
        pub struct $object {
            ob_base: $crate::object::PyObject,
            state: core::cell::UnsafeCell<$state>,
        }
        $crate::native!($object, $static);

        #[doc = concat!("The type of ", $name, " objects.")]
        pub static $static: $crate::object::StaticType = $crate::object::StaticType::new($crate::object::TypeSpec {
            name: $type_name,
            basicsize: size_of::<$object>(),
            flags: $crate::object::flags::DISALLOW_INSTANTIATION,
            slots: $crate::object::TypeSlots { dealloc: Some($object::dealloc), ..$crate::object::TypeSlots::EMPTY },
            methods: &[
                $crate::object::MethodDef::no_args(
                    "copy",
                    |ts, this| {
                        let made = $object::with_state(ts, this.cast::<$object>().state().clone())?;
                        Ok(made.into_object())
                    },
                    "copy($self, /)\n--\n\nReturn a copy of the hash object.",
                ),
                $crate::object::MethodDef::no_args(
                    "digest",
                    |ts, this| {
                        $crate::modules::hashes::object::digest(ts, &this.cast::<$object>().state().clone().finalize())
                    },
                    "digest($self, /)\n--\n\nReturn the digest value as a bytes object.",
                ),
                $crate::object::MethodDef::no_args(
                    "hexdigest",
                    |ts, this| {
                        $crate::modules::hashes::object::hexdigest(
                            ts,
                            &this.cast::<$object>().state().clone().finalize(),
                        )
                    },
                    "hexdigest($self, /)\n--\n\nReturn the digest value as a string of hexadecimal digits.",
                ),
                $crate::object::MethodDef::one(
                    "update",
                    |ts, this, data| {
                        this.cast::<$object>().feed(ts, data)?;
                        Ok(ts.none())
                    },
                    "update($self, obj, /)\n--\n\nUpdate this hash object's state with the provided string.",
                ),
            ],
            getset: &[
                $crate::object::GetSetDef::get(
                    "block_size",
                    |ts, _| $crate::types::int::PyInt::from_i64(ts, $block),
                    "",
                ),
                $crate::object::GetSetDef::get(
                    "digest_size",
                    |ts, _| $crate::types::int::PyInt::from_i64(ts, $size),
                    "",
                ),
                $crate::object::GetSetDef::get(
                    "name",
                    |ts, _| $crate::types::str::PyStr::new(ts, $name).map($crate::object::Ref::into_object),
                    "",
                ),
            ],
            ..$crate::object::TypeSpec::EMPTY
        });

        impl $object {
            /// An object in the given state.
            fn with_state(
                ts: &$crate::state::ThreadState,
                state: $state,
            ) -> $crate::object::PyResult<$crate::object::Ref<$object>> {
                let made = $crate::object::alloc::exact::<$object>(ts)?;
                // SAFETY: nobody else has the new object.
                unsafe { made.state.get().write(state) };
                Ok(made)
            }

            /// A constructor function, which takes the first data.
            fn make(
                ts: &$crate::state::ThreadState,
                _module: &$crate::object::PyObject,
                args: $crate::object::Args<'_>,
            ) -> $crate::object::PyResult {
                let first = $crate::modules::hashes::object::first_data(ts, $name, args)?;
                let made = Self::with_state(ts, <$state>::new())?;
                if let Some(first) = first {
                    made.feed(ts, first)?;
                }
                Ok(made.into_object())
            }

            /// The state; nothing that changes it runs while it is used.
            fn state(&self) -> &$state {
                // SAFETY: the callers copy it and run no Python code meanwhile.
                unsafe { &*self.state.get() }
            }

            fn feed(
                &self,
                ts: &$crate::state::ThreadState,
                data: &$crate::object::PyObject,
            ) -> $crate::object::PyResult<()> {
                let data = $crate::modules::hashes::object::data(ts, data)?;
                // SAFETY: hashing runs no Python code, so nobody else uses the state.
                unsafe { (*self.state.get()).update(data.as_slice()) };
                Ok(())
            }

            /// # Safety
            /// As for every `DeallocFn`.
            unsafe fn dealloc(ts: &$crate::state::ThreadState, object: *mut $crate::object::PyObject) {
                // SAFETY: the slot is called with an object of its type whose count is zero.
                unsafe {
                    core::ptr::drop_in_place((*object).cast_unchecked::<$object>().state.get());
                    $crate::object::alloc::free(ts, object);
                }
            }
        }
    };
}
pub(super) use hash_type;
