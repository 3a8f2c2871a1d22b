//! What the families of exceptions share: the ends of their objects and their plain attributes, written
//! from the list of their fields.

/// Writes `dealloc`, `traverse` and `clear` for a family from the names of its own `Slot` fields.
macro_rules! family {
    ($object:ty: $($slot:ident),+) => {
        impl $object {
            /// The type's `dealloc` slot.
            ///
            /// # Safety
            /// As for every `DeallocFn`: the object is of the family and its count is zero.
            pub(super) unsafe fn slot_dealloc(ts: &$crate::state::ThreadState, object: *mut $crate::object::PyObject) {
                // SAFETY: the object is whole up to here, and its memory goes last.
                unsafe {
                    $crate::object::gc::untrack(&*object);
                    Self::slot_clear(ts, &*object);
                    $crate::object::alloc::free(ts, object);
                }
            }

            /// The type's `traverse` slot.
            pub(super) fn slot_traverse(
                object: &$crate::object::PyObject,
                visitor: &mut $crate::object::Visitor<'_>,
            ) -> core::ops::ControlFlow<()> {
                // SAFETY: the slot is called with an object of the family.
                let this = unsafe { &*object.as_ptr().cast::<$object>() };
                $(visitor.slot(&this.$slot)?;)+
                this.base.traverse(visitor)
            }

            /// The type's `clear` slot.
            pub(super) fn slot_clear(_ts: &$crate::state::ThreadState, object: &$crate::object::PyObject) {
                // SAFETY: the slot is called with an object of the family.
                let this = unsafe { &*object.as_ptr().cast::<$object>() };
                $(this.$slot.set(None);)+
                this.base.clear();
            }
        }

        impl core::ops::Deref for $object {
            type Target = $crate::types::exceptions::PyBaseException;
            fn deref(&self) -> &$crate::types::exceptions::PyBaseException {
                &self.base
            }
        }
    };
}
pub(super) use family;

/// A plain attribute over a `Slot<PyObject>`: None while it is empty, and anything can be put there.
macro_rules! member {
    ($object:ty, $slot:ident, $name:literal, $doc:literal) => {
        $crate::object::GetSetDef::field_set(
            $name,
            |ts, object| Ok(object.cast::<$object>().$slot.get().unwrap_or_else(|| ts.none())),
            |_ts, object, value| {
                object.cast::<$object>().$slot.set(value.map($crate::object::PyRef::from_borrowed));
                Ok(())
            },
            $doc,
        )
    };
}
pub(super) use member;

/// The flags of all exception types.
pub(super) const FLAGS: usize =
    crate::object::flags::BASETYPE | crate::object::flags::HAVE_GC | crate::object::flags::BASE_EXC_SUBCLASS;
