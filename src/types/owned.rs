//! What most small native objects share: the end of an object, and its view for the cycle collector,
//! written from the list of the slots that it owns.

/// Writes `dealloc`, `traverse` and `clear` slots as associated functions of an object's struct, from the
/// names of its `Slot` fields: `owns!(PyZip: iterators, result);`. After `; numbers` come fields with a `free(ts)`.
macro_rules! owns {
    ($object:ty: $($slot:ident),+ $(; numbers $($numbers:ident),+)?) => {
        impl $object {
            /// The type's `dealloc` slot.
            ///
            /// # Safety
            /// As for every `DeallocFn`: `object` is of this type and its count is zero.
            pub(crate) unsafe fn slot_dealloc(ts: &$crate::state::ThreadState, object: *mut $crate::object::PyObject) {
                // SAFETY: the slot is called with an object of its type, which is still whole.
                let this = unsafe { (*object).cast_unchecked::<$object>() };
                let header = $crate::object::AsObject::as_object(this);
                if header.ob_type().is_gc() {
                    $crate::object::gc::untrack(header);
                }
                $(if let Some(owned) = this.$slot.take() { owned.release(ts); })+
                $($(this.$numbers.free(ts);)+)?
                // SAFETY: nothing refers to the object any more, and its fields are empty.
                unsafe { $crate::object::alloc::free(ts, object) }
            }

            /// The type's `traverse` slot.
            #[allow(dead_code, reason = "types whose instances are not collected do without")]
            pub(crate) fn slot_traverse(
                object: &$crate::object::PyObject,
                visitor: &mut $crate::object::Visitor<'_>,
            ) -> core::ops::ControlFlow<()> {
                // SAFETY: the slot is called with an object of its type.
                let this = unsafe { object.cast_unchecked::<$object>() };
                $(visitor.slot(&this.$slot)?;)+
                core::ops::ControlFlow::Continue(())
            }

            /// The type's `clear` slot.
            #[allow(dead_code, reason = "immutable types do without")]
            pub(crate) fn slot_clear(_ts: &$crate::state::ThreadState, object: &$crate::object::PyObject) {
                // SAFETY: the slot is called with an object of its type.
                let this = unsafe { object.cast_unchecked::<$object>() };
                $(this.$slot.set(None);)+
            }
        }
    };
}
pub(crate) use owns;
