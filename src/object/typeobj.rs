//! Types: the C layout that extension modules see, and what stands behind it.
//!
//! ```text
//!  StaticType                             PyHeapType
//!  ┌───────────────────────────┐          ┌───────────────────────────┐
//!  │ PyTypeObject (C layout)   │          │ PyTypeObject (C layout)   │
//!  │   tp_cache ───────────┐   │          │   tp_cache ───────────┐   │
//!  ├───────────────────────▼───┤          ├───────────────────────▼───┤
//!  │ TypeSlots                 │          │ TypeSlots                 │
//!  │ TypeSpec (declaration)    │          │ name, qualname, slots,    │
//!  └───────────────────────────┘          │ shared keys, caches       │
//!    immortal, for all interpreters       └───────────────────────────┘
//!    dict, mro, subclasses: per             reference-counted, of one
//!    interpreter (state::StaticTypeState)   interpreter
//! ```
//!
//! I1: `tp_cache` (which C calls internal) points to the type's [`TypeSlots`], from the moment that the type is usable.
//! I2: a built-in static type is written to only while the process initializes it; its dictionary, bases,
//!     method resolution order, subclasses and weak references are kept per interpreter.
//! I3: a type's version tag is 0 or unique to the type's present state; each change of the type or of
//!     a base sets it to 0, and a tag is never given twice.

use core::cell::{Cell, UnsafeCell};
use core::ffi::{c_char, c_int, c_ulong, c_void};
use core::ops::Deref;

use super::def::TypeSpec;
use super::flags;
use super::header::{PyObject, PyVarObject};
use super::reference::{Ref, Slot};
use super::slots::TypeSlots;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// A C slot: the runtime passes these on and never calls them through this type.
pub type CSlot = Cell<*const c_void>;

/// `PyTypeObject`, with CPython 3.14's public layout.
#[repr(C)]
#[allow(missing_docs, reason = "the fields are CPython's; what the runtime means by one is said at its accessor")]
pub struct PyTypeObject {
    pub(crate) ob_base: PyVarObject,
    pub(crate) tp_name: Cell<*const c_char>,
    pub(crate) tp_basicsize: Cell<isize>,
    pub(crate) tp_itemsize: Cell<isize>,
    pub(crate) tp_dealloc: CSlot,
    pub(crate) tp_vectorcall_offset: Cell<isize>,
    pub(crate) tp_getattr: CSlot,
    pub(crate) tp_setattr: CSlot,
    pub(crate) tp_as_async: CSlot,
    pub(crate) tp_repr: CSlot,
    pub(crate) tp_as_number: CSlot,
    pub(crate) tp_as_sequence: CSlot,
    pub(crate) tp_as_mapping: CSlot,
    pub(crate) tp_hash: CSlot,
    pub(crate) tp_call: CSlot,
    pub(crate) tp_str: CSlot,
    pub(crate) tp_getattro: CSlot,
    pub(crate) tp_setattro: CSlot,
    pub(crate) tp_as_buffer: CSlot,
    pub(crate) tp_flags: Cell<c_ulong>,
    pub(crate) tp_doc: Cell<*const c_char>,
    pub(crate) tp_traverse: CSlot,
    pub(crate) tp_clear: CSlot,
    pub(crate) tp_richcompare: CSlot,
    pub(crate) tp_weaklistoffset: Cell<isize>,
    pub(crate) tp_iter: CSlot,
    pub(crate) tp_iternext: CSlot,
    pub(crate) tp_methods: CSlot,
    pub(crate) tp_members: CSlot,
    pub(crate) tp_getset: CSlot,
    pub(crate) tp_base: Cell<*const PyTypeObject>,
    pub(crate) tp_dict: Slot<PyDict>,
    pub(crate) tp_descr_get: CSlot,
    pub(crate) tp_descr_set: CSlot,
    pub(crate) tp_dictoffset: Cell<isize>,
    pub(crate) tp_init: CSlot,
    pub(crate) tp_alloc: CSlot,
    pub(crate) tp_new: CSlot,
    pub(crate) tp_free: CSlot,
    pub(crate) tp_is_gc: CSlot,
    pub(crate) tp_bases: Slot<PyTuple>,
    pub(crate) tp_mro: Slot<PyTuple>,
    pub(crate) tp_cache: Cell<*const TypeSlots>,
    pub(crate) tp_subclasses: Cell<*mut c_void>,
    pub(crate) tp_weaklist: Cell<*mut PyObject>,
    pub(crate) tp_del: CSlot,
    pub(crate) tp_version_tag: Cell<u32>,
    pub(crate) tp_finalize: CSlot,
    pub(crate) tp_vectorcall: CSlot,
    pub(crate) tp_watched: Cell<u8>,
    pub(crate) tp_versions_used: Cell<u16>,
}

// SAFETY: I2: static types are written to only during process initialization; heap types belong to
// one interpreter and are reached under its GIL.
unsafe impl Sync for PyTypeObject {}

/// A built-in type.
#[repr(C)]
pub struct StaticType {
    pub(crate) object: PyTypeObject,
    pub(crate) slots: UnsafeCell<TypeSlots>,
    pub(crate) spec: TypeSpec,
}

// SAFETY: as for `PyTypeObject`; the slots are written in the same phase.
unsafe impl Sync for StaticType {}

impl Deref for StaticType {
    type Target = PyTypeObject;
    #[inline(always)]
    fn deref(&self) -> &PyTypeObject {
        &self.object
    }
}

const NULL: CSlot = Cell::new(core::ptr::null());

impl StaticType {
    /// A type that `super::ready::ready_static` completes before its first use.
    pub const fn new(spec: TypeSpec) -> StaticType {
        let base: *const PyTypeObject = match spec.base {
            Some(base) => core::ptr::from_ref(base).cast(),
            None => core::ptr::null(),
        };
        let metatype: *const PyTypeObject = core::ptr::from_ref(&crate::types::typ::TYPE_TYPE).cast();
        StaticType {
            object: PyTypeObject {
                ob_base: PyVarObject { ob_base: PyObject::immortal(metatype), ob_size: Cell::new(0) },
                tp_name: Cell::new(spec.name.as_ptr()),
                tp_basicsize: Cell::new(spec.basicsize as isize),
                tp_itemsize: Cell::new(spec.itemsize as isize),
                tp_dealloc: NULL,
                tp_vectorcall_offset: Cell::new(0),
                tp_getattr: NULL,
                tp_setattr: NULL,
                tp_as_async: NULL,
                tp_repr: NULL,
                tp_as_number: NULL,
                tp_as_sequence: NULL,
                tp_as_mapping: NULL,
                tp_hash: NULL,
                tp_call: NULL,
                tp_str: NULL,
                tp_getattro: NULL,
                tp_setattro: NULL,
                tp_as_buffer: NULL,
                tp_flags: Cell::new((spec.flags | flags::STATIC_BUILTIN | flags::IMMUTABLE) as c_ulong),
                tp_doc: Cell::new(core::ptr::null()),
                tp_traverse: NULL,
                tp_clear: NULL,
                tp_richcompare: NULL,
                tp_weaklistoffset: Cell::new(spec.weaklistoffset as isize),
                tp_iter: NULL,
                tp_iternext: NULL,
                tp_methods: NULL,
                tp_members: NULL,
                tp_getset: NULL,
                tp_base: Cell::new(base),
                tp_dict: Slot::empty(),
                tp_descr_get: NULL,
                tp_descr_set: NULL,
                tp_dictoffset: Cell::new(spec.dictoffset as isize),
                tp_init: NULL,
                tp_alloc: NULL,
                tp_new: NULL,
                tp_free: NULL,
                tp_is_gc: NULL,
                tp_bases: Slot::empty(),
                tp_mro: Slot::empty(),
                tp_cache: Cell::new(core::ptr::null()),
                tp_subclasses: Cell::new(core::ptr::null_mut()),
                tp_weaklist: Cell::new(core::ptr::null_mut()),
                tp_del: NULL,
                tp_version_tag: Cell::new(0),
                tp_finalize: NULL,
                tp_vectorcall: NULL,
                tp_watched: Cell::new(0),
                tp_versions_used: Cell::new(0),
            },
            slots: UnsafeCell::new(spec.slots),
            spec,
        }
    }
}

/// A type made by a `class` statement, `type()` or a C specification.
#[repr(C)]
pub struct PyHeapType {
    pub(crate) object: PyTypeObject,
    pub(crate) slots: UnsafeCell<TypeSlots>,
    /// `__name__`.
    pub(crate) ht_name: Slot<PyStr>,
    /// `__qualname__`.
    pub(crate) ht_qualname: Slot<PyStr>,
    /// The names in `__slots__`, mangled and sorted, as a tuple.
    pub(crate) ht_slots: Slot<PyTuple>,
    /// The module of a type from `PyType_FromModuleAndSpec`.
    pub(crate) ht_module: Slot<PyObject>,
    /// Keys shared by the instances' inline values; null when they have none. A counted reference.
    pub(crate) ht_cached_keys: Cell<*mut crate::types::dict::DictKeys>,
    /// `tp_name` in UTF-8, NUL-terminated, in the mem domain.
    pub(crate) ht_utf8_name: Cell<*mut c_char>,
    /// `tp_doc` of a C specification, in the mem domain.
    pub(crate) ht_doc: Cell<*mut c_char>,
    /// Subclasses as weak references, keyed by address, in the order of their making.
    pub(crate) ht_subclasses: Slot<PyDict>,
    /// Head of the list of weak references to the type.
    pub(crate) ht_weaklist: super::weakref::WeakrefList,
    /// Inline caches: `__init__` for the specialized call, `__getitem__` for the specialized subscript.
    pub(crate) cached_init: Cell<*const PyObject>,
    pub(crate) cached_getitem: Cell<*const PyObject>,
    pub(crate) cached_version: Cell<u32>,
}

crate::native!(PyTypeObject, crate::types::typ::TYPE_TYPE, TYPE_SUBCLASS);

impl PyTypeObject {
    /// The runtime's slots.
    #[inline(always)]
    pub fn slots(&self) -> &TypeSlots {
        // SAFETY: I1.
        unsafe { &*self.tp_cache.get() }
    }

    /// The slots, to be written to.
    ///
    /// # Safety
    /// The type is being made or changed under the GIL, and no borrow of its slots is in use.
    #[allow(clippy::mut_from_ref, reason = "the slots lie in a cell behind a pointer")]
    pub(crate) unsafe fn slots_mut(&self) -> &mut TypeSlots {
        // SAFETY: I1, and the caller says that it is alone with them.
        unsafe { &mut *self.tp_cache.get().cast_mut() }
    }

    /// The type's flags.
    #[inline(always)]
    pub fn flags(&self) -> usize {
        self.tp_flags.get() as usize
    }

    /// Whether the type has all the given flags.
    #[inline(always)]
    pub fn has_flag(&self, flag: usize) -> bool {
        self.flags() & flag != 0
    }

    pub(crate) fn set_flag(&self, flag: usize, on: bool) {
        let flags = self.flags();
        self.tp_flags.set((if on { flags | flag } else { flags & !flag }) as c_ulong);
    }

    /// Whether this is a type made at run time.
    #[inline(always)]
    pub fn is_heap_type(&self) -> bool {
        self.has_flag(flags::HEAPTYPE)
    }

    /// The type as a heap type.
    #[inline(always)]
    pub fn as_heap_type(&self) -> Option<&PyHeapType> {
        if self.is_heap_type() {
            // SAFETY: only types allocated as `PyHeapType` have the flag.
            Some(unsafe { &*core::ptr::from_ref(self).cast::<PyHeapType>() })
        } else {
            None
        }
    }

    /// The type as a built-in static type.
    #[inline(always)]
    pub fn as_static_type(&self) -> Option<&'static StaticType> {
        if self.has_flag(flags::STATIC_BUILTIN) {
            // SAFETY: only `StaticType::new` sets the flag, and those live in statics.
            Some(unsafe { &*core::ptr::from_ref(self).cast::<StaticType>() })
        } else {
            None
        }
    }

    /// The size of an instance without items, in bytes.
    #[inline(always)]
    pub fn basicsize(&self) -> usize {
        self.tp_basicsize.get() as usize
    }

    /// The size of an item, in bytes.
    #[inline(always)]
    pub fn itemsize(&self) -> usize {
        self.tp_itemsize.get() as usize
    }

    /// The base, borrowed; None for `object`.
    #[inline(always)]
    pub fn base(&self) -> Option<&PyTypeObject> {
        // SAFETY: a type keeps its base alive.
        unsafe { self.tp_base.get().as_ref() }
    }

    /// `tp_name`: the name with its module where it is built in.
    pub fn full_name(&self) -> &str {
        // SAFETY: `tp_name` is a NUL-terminated string that lives as long as the type.
        let name = unsafe { core::ffi::CStr::from_ptr(self.tp_name.get()) };
        name.to_str().unwrap_or("?")
    }

    /// The name as `__name__` has it, in UTF-8.
    pub fn name(&self) -> &str {
        let full = self.full_name();
        if self.is_heap_type() {
            return full;
        }
        full.rsplit('.').next().unwrap_or(full)
    }

    /// Whether the type is `other` or a subtype of it (`PyType_IsSubtype`).
    #[inline]
    pub fn is_subtype(&self, other: &PyTypeObject) -> bool {
        if core::ptr::eq(self, other) {
            return true;
        }
        if self.is_heap_type() {
            // SAFETY: nothing runs between the borrow and its last use.
            if let Some(mro) = unsafe { self.tp_mro.borrow() } {
                return mro.items().iter().any(|t| core::ptr::addr_eq(*t, other));
            }
        }
        let mut base = self.base();
        while let Some(t) = base {
            if core::ptr::eq(t, other) {
                return true;
            }
            base = t.base();
        }
        core::ptr::addr_eq(other, &crate::types::object::OBJECT_TYPE) || self.mixes_in(other)
    }

    /// Whether `other` is the second base of a built-in type (ExceptionGroup's Exception).
    fn mixes_in(&self, other: &PyTypeObject) -> bool {
        self.as_static_type().and_then(|typ| typ.spec.mixin).is_some_and(|mixin| core::ptr::eq(&mixin.object, other))
    }

    /// Whether instances carry a collector header.
    #[inline(always)]
    pub fn is_gc(&self) -> bool {
        self.has_flag(flags::HAVE_GC)
    }

    /// The type's own dictionary. A built-in type's is made now, if this is the first look at it.
    #[inline]
    pub fn dict(&self, ts: &ThreadState) -> Option<Ref<PyDict>> {
        if self.has_flag(flags::STATIC_BUILTIN) {
            let state = ts.interp().static_type(self)?;
            return state.dict.get().or_else(|| super::ready::make_dict(ts, self));
        }
        self.tp_dict.get()
    }

    /// The method resolution order; None only while the type is being made.
    #[inline]
    pub fn mro(&self, ts: &ThreadState) -> Option<Ref<PyTuple>> {
        if self.has_flag(flags::STATIC_BUILTIN) {
            let state = ts.interp().static_type(self)?;
            return state.mro.get().or_else(|| {
                super::ready::make_order(ts, self)?;
                ts.interp().static_type(self)?.mro.get()
            });
        }
        self.tp_mro.get()
    }

    /// The bases.
    pub fn bases(&self, ts: &ThreadState) -> Option<Ref<PyTuple>> {
        if self.has_flag(flags::STATIC_BUILTIN) {
            let state = ts.interp().static_type(self)?;
            return state.bases.get().or_else(|| {
                super::ready::make_order(ts, self)?;
                ts.interp().static_type(self)?.bases.get()
            });
        }
        self.tp_bases.get()
    }
}

impl PyObject {
    /// The name of the object's type, for messages: with its module where that is built in and not `builtins`.
    pub fn type_name(&self) -> &str {
        self.ob_type().full_name()
    }
}

const _: () = {
    assert!(core::mem::size_of::<PyObject>() == 16);
    assert!(core::mem::size_of::<PyTypeObject>() == 416);
    assert!(core::mem::offset_of!(PyTypeObject, tp_flags) == 168);
    assert!(core::mem::offset_of!(PyTypeObject, tp_vectorcall) == 400);
    assert!(core::mem::size_of::<c_int>() == 4);
};
