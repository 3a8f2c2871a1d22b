//! The `memo` attributes of picklers and unpicklers: views that can be cleared and copied as dicts.

use super::pickler::PyPickler;
use super::unpickler::PyUnpickler;
use crate::object::{
    AsObject, MethodDef, PyObject, PyResult, Ref, Slot, StaticType, TypeSlots, TypeSpec, alloc, flags, gc,
};
use crate::state::ThreadState;
use crate::types::dict::{DICT_TYPE, PyDict};
use crate::types::int::PyInt;
use crate::types::owned::owns;
use crate::types::tuple::PyTuple;

macro_rules! proxy {
    ($(#[$doc:meta])* $object:ident, $static:ident, $name:literal, $of:ident, $owner:ty) => {
        $(#[$doc])*
        #[repr(C)]
        pub struct $object {
            ob_base: PyObject,
            $of: Slot<$owner>,
        }

        crate::native!($object, $static);
        owns!($object: $of);

        #[doc = concat!("The type of ", stringify!($object), ".")]
        pub static $static: StaticType = StaticType::new(TypeSpec {
            name: $name,
            basicsize: size_of::<$object>(),
            flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
            slots: TypeSlots {
                dealloc: Some($object::slot_dealloc),
                traverse: Some($object::slot_traverse),
                clear: Some($object::slot_clear),
                hash: Some(|ts, this| {
                    crate::raise!(ts, crate::types::exceptions::TypeError, "unhashable type: '{}'", this.type_name())
                }),
                ..TypeSlots::EMPTY
            },
            methods: &[
                MethodDef::no_args(
                    "clear",
                    |ts, this| {
                        if let Some(owner) = this.cast::<$object>().$of() {
                            owner.memo.take_all();
                        }
                        Ok(ts.none())
                    },
                    "clear($self, /)\n--\n\nRemove all items from memo.",
                ),
                MethodDef::no_args(
                    "copy",
                    |ts, this| this.cast::<$object>().contents(ts),
                    "copy($self, /)\n--\n\nCopy the memo to a new object.",
                ),
                MethodDef::no_args(
                    "__reduce__",
                    |ts, this| {
                        let contents = this.cast::<$object>().contents(ts)?;
                        let arguments = PyTuple::from_array(ts, [contents])?.into_object();
                        Ok(PyTuple::from_array(ts, [DICT_TYPE.new_ref(), arguments])?.into_object())
                    },
                    "__reduce__($self, /)\n--\n\nImplement pickle support.",
                ),
            ],
            ..TypeSpec::EMPTY
        });

        impl $object {
            /// A view of the object's memo.
            pub fn make(ts: &ThreadState, owner: &$owner) -> PyResult {
                let made = alloc::exact::<$object>(ts)?;
                made.$of.set(Some(Ref::from_borrowed(owner)));
                gc::track(ts, &*made);
                Ok(made.into_object())
            }

            /// Whose memo it is.
            pub fn $of(&self) -> Option<Ref<$owner>> {
                self.$of.get()
            }
        }
    };
}

proxy!(
    /// A pickler's memo.
    PyPicklerMemoProxy, PICKLER_MEMO_PROXY_TYPE, c"_pickle.PicklerMemoProxy", pickler, PyPickler
);
proxy!(
    /// An unpickler's memo.
    PyUnpicklerMemoProxy, UNPICKLER_MEMO_PROXY_TYPE, c"_pickle.UnpicklerMemoProxy", unpickler, PyUnpickler
);

/// A memo that can be emptied.
trait TakeAll {
    fn take_all(&self);
}

impl TakeAll for core::cell::RefCell<crate::object::memo::Memo> {
    fn take_all(&self) {
        drop(self.replace(crate::object::memo::Memo::new()));
    }
}

impl TakeAll for core::cell::RefCell<super::unpickler::LoadMemo> {
    fn take_all(&self) {
        drop(self.replace(super::unpickler::LoadMemo::new()));
    }
}

impl PyPicklerMemoProxy {
    fn contents(&self, ts: &ThreadState) -> PyResult {
        let dict = PyDict::new(ts)?;
        let Some(pickler) = self.pickler() else { return Ok(dict.into_object()) };
        // A copy first: nothing may be borrowed while the dict compares keys.
        let memo = pickler.memo.borrow().try_clone()?;
        for entry in memo.entries() {
            let key = PyInt::from_usize(ts, entry.object.as_ptr().addr())?;
            let number = PyInt::from_usize(ts, entry.number)?;
            let pair = PyTuple::from_array(ts, [number, entry.object.clone()])?;
            dict.set(ts, &key, pair.as_object())?;
        }
        Ok(dict.into_object())
    }
}

impl PyUnpicklerMemoProxy {
    fn contents(&self, ts: &ThreadState) -> PyResult {
        let dict = PyDict::new(ts)?;
        if let Some(unpickler) = self.unpickler() {
            let memo = unpickler.memo.borrow().try_clone()?;
            for (number, object) in memo.items() {
                let key = PyInt::from_usize(ts, number)?;
                dict.set(ts, &key, object)?;
            }
        }
        Ok(dict.into_object())
    }
}
