//! The attributes of instances: inline values with names shared by the class, and `__dict__`.
//!
//! ```text
//!  PyHeapType                         instance                                        PyDict (if asked for)
//!  ┌────────────────┐                 ┌─────────┬────────────────────────────────┐    ┌───────────┐
//!  │ ht_cached_keys ├─► DictKeys      │ object, │ InlineValues                   │◄───┤ ma_values │
//!  └────────────────┘   0 "x"         │ fields  │ capacity size valid            │    │ ma_keys ──┼─► the same
//!                       1 "y"         │         │ values[0] values[1] …  order…  │    └─────▲─────┘   DictKeys
//!                                     └─────────┴────────────────────────────────┘          │
//!                                         dict slot ────────────────────────────────────────┘
//! ```
//!
//! A value's index in the block is its name's index in the class's shared keys. `order` has the indices
//! of the values that are there, in the order in which they were set: that is the dict's order.
//!
//! I1: the block has a place for each entry that the shared keys have or can still take: the room of the
//!     keys shrinks with each instance made (so that blocks become as small as the class needs), and the
//!     block is as large as the keys' room was before. A block that was never initialized is invalid.
//! I2: while the block is valid, it has the instance's attributes; a dict in the dict slot then is a
//!     view of the block (`ma_values` points to it).
//! I3: when the block is invalid, it is empty, and the dict slot has the attributes, if there are any.
//!     A block never becomes valid again.
//!
//! Types without `INLINE_VALUES` but with a dict slot are served by the same functions: theirs is I3.

use core::cell::Cell;
use core::ops::ControlFlow;
use core::ptr;

use super::PyResult;
use super::alloc::dict_slot;
use super::flags;
use super::header::{PyObject, decref};
use super::reference::{AsObject, PyRef, Ref};
use super::typeobj::{PyHeapType, PyTypeObject};
use super::visit::Visitor;
use crate::state::ThreadState;
use crate::types::dict::keys::SHARED_KEYS_MAX;
use crate::types::dict::{DictKeys, PyDict, is_exact_str};
use crate::types::exceptions as exc;
use crate::types::str::PyStr;

/// The head of the block; the values and their order follow.
#[repr(C)]
pub struct InlineValues {
    capacity: Cell<u8>,
    size: Cell<u8>,
    valid: Cell<bool>,
    unused: [u8; 5],
}

impl InlineValues {
    const fn byte_size(capacity: usize) -> usize {
        size_of::<InlineValues>() + capacity * size_of::<*mut PyObject>() + ((capacity + 7) & !7)
    }

    /// The number of places.
    #[inline(always)]
    pub fn capacity(&self) -> usize {
        self.capacity.get() as usize
    }

    /// The number of values that are there.
    #[inline(always)]
    pub fn size(&self) -> usize {
        self.size.get() as usize
    }

    /// I2 or I3.
    #[inline(always)]
    pub fn is_valid(&self) -> bool {
        self.valid.get()
    }

    /// Where the value with an index is; null in it says that there is none.
    ///
    /// # Safety
    /// `index` is below the capacity.
    #[inline(always)]
    pub unsafe fn place(&self, index: usize) -> *mut *mut PyObject {
        debug_assert!(index < self.capacity());
        // SAFETY: the values follow the head in the same block.
        unsafe { ptr::from_ref(self).cast_mut().add(1).cast::<*mut PyObject>().add(index) }
    }

    #[inline(always)]
    fn order(&self) -> *mut u8 {
        // SAFETY: the order follows the values in the same block.
        unsafe { ptr::from_ref(self).cast_mut().add(1).cast::<*mut PyObject>().add(self.capacity()).cast() }
    }

    /// The index of the value that was set as the `nth`.
    ///
    /// # Safety
    /// `nth` is below the size.
    #[inline(always)]
    pub unsafe fn nth(&self, nth: usize) -> usize {
        debug_assert!(nth < self.size());
        // SAFETY: the order has an entry for each value.
        unsafe { *self.order().add(nth) as usize }
    }

    /// Puts a value (or null, for none) in a place, with its reference; what was there, with its reference.
    ///
    /// # Safety
    /// `index` is below the capacity, the block is valid; the caller keeps the dict's count (if there is one).
    #[inline]
    pub unsafe fn replace(&self, index: usize, value: *mut PyObject) -> *mut PyObject {
        // SAFETY: the place and the order's entries are in the block: there are never more values than places.
        unsafe {
            let old = ptr::replace(self.place(index), value);
            if old.is_null() {
                if !value.is_null() {
                    let size = self.size();
                    *self.order().add(size) = index as u8;
                    self.size.set(size as u8 + 1);
                }
            } else if value.is_null() {
                self.remove_from_order(index);
            }
            old
        }
    }

    fn remove_from_order(&self, index: usize) {
        let order = self.order();
        let size = self.size();
        // SAFETY: `size` entries of the order are in use.
        unsafe {
            let mut nth = 0;
            while nth < size && *order.add(nth) as usize != index {
                nth += 1;
            }
            debug_assert!(nth < size);
            ptr::copy(order.add(nth + 1), order.add(nth), size - nth - 1);
        }
        self.size.set(size as u8 - 1);
    }

    /// Makes the block invalid and empty without dropping the values, which have been moved out.
    pub(crate) fn abandon(&self) {
        self.valid.set(false);
        self.size.set(0);
        // SAFETY: the places are the block's.
        unsafe { self.place_start().write_bytes(0, self.capacity()) };
    }

    #[inline(always)]
    fn place_start(&self) -> *mut *mut PyObject {
        // SAFETY: one past the head is where the values begin.
        unsafe { ptr::from_ref(self).cast_mut().add(1).cast() }
    }

    /// Empties the block, then drops the values; `keep` says whether the block stays valid.
    ///
    /// # Safety
    /// The object that owns the block lives until this returns, and the dict's count (if there is one) is cared for.
    pub(crate) unsafe fn clear(&self, ts: &ThreadState, keep: bool) {
        if !keep {
            self.valid.set(false);
        }
        let size = self.size();
        if size == 0 {
            return;
        }
        let mut values = [ptr::null_mut::<PyObject>(); SHARED_KEYS_MAX];
        // SAFETY: places and order entries in use; each value's reference is given up once, after the block is whole.
        unsafe {
            for (nth, value) in values.iter_mut().enumerate().take(size) {
                *value = ptr::replace(self.place(self.nth(nth)), ptr::null_mut());
            }
            self.size.set(0);
            for value in &values[..size] {
                decref(ts, *value);
            }
        }
    }
}

/// Gives a new class the keys that its instances share; `expected` attribute names are known already.
///
/// Without memory for them the class goes without inline values: the caller then leaves the type's
/// `INLINE_VALUES` flag off.
pub fn init_shared_keys(ts: &ThreadState, typ: &PyHeapType, expected: usize) -> PyResult<()> {
    if expected > SHARED_KEYS_MAX {
        // Each instance would begin with more places than it can share.
        typ.object.set_flag(flags::INLINE_VALUES, false);
        return Ok(());
    }
    let keys = DictKeys::new_shared(ts)?;
    typ.ht_cached_keys.set(keys);
    typ.object.set_flag(flags::INLINE_VALUES, true);
    Ok(())
}

/// Drops a class's shared keys, when the class ends. Its instances are gone.
pub fn drop_shared_keys(ts: &ThreadState, typ: &PyHeapType) {
    let keys = typ.ht_cached_keys.replace(ptr::null_mut());
    if !keys.is_null() {
        // SAFETY: the class owned one use.
        unsafe { DictKeys::decref(ts, keys) };
    }
}

/// The keys shared by the instances of a type with `INLINE_VALUES`.
#[inline(always)]
pub fn shared_keys(typ: &PyTypeObject) -> Option<&DictKeys> {
    let heap_type = typ.as_heap_type()?;
    // SAFETY: the type owns a use of its keys.
    unsafe { heap_type.ht_cached_keys.get().as_ref() }
}

/// How many bytes behind the fields a new instance of the type needs for its inline values. The answer
/// changes with each call of [`init`].
#[inline]
pub fn inline_size(typ: &PyTypeObject) -> usize {
    if !typ.has_flag(flags::INLINE_VALUES) {
        return 0;
    }
    match shared_keys(typ) {
        Some(keys) => InlineValues::byte_size(keys.nentries() + keys.usable()),
        None => 0,
    }
}

/// Makes the zeroed block behind a new object's fields valid; the memory was asked for with
/// [`inline_size`], and no other instance has been initialized since. Does nothing for types without,
/// and nothing the second time.
#[inline]
pub fn init(object: &PyObject) {
    let typ = object.ob_type();
    if !typ.has_flag(flags::INLINE_VALUES) {
        return;
    }
    if let Some(keys) = shared_keys(typ) {
        let block = block(object);
        if block.capacity() != 0 {
            return;
        }
        block.capacity.set((keys.nentries() + keys.usable()) as u8);
        block.valid.set(true);
        // I1: later instances get by with less, unless the class turns out to need it.
        keys.shrink_shared();
    }
}

/// The block of an instance of a type with `INLINE_VALUES`.
#[inline(always)]
pub(crate) fn block(object: &PyObject) -> &InlineValues {
    debug_assert!(object.ob_type().has_flag(flags::INLINE_VALUES));
    // SAFETY: the flag says that a block follows the fields.
    unsafe { &*object.as_ptr().cast::<u8>().add(object.ob_type().basicsize()).cast::<InlineValues>() }
}

/// The valid block of an object, if it has one, with its class's keys.
#[inline(always)]
fn valid_block(object: &PyObject) -> Option<(&InlineValues, &DictKeys)> {
    if !has_valid_inline_values(object) {
        return None;
    }
    Some((block(object), shared_keys(object.ob_type())?))
}

/// The bytes that an instance's block takes.
pub fn block_size(object: &PyObject) -> usize {
    if object.ob_type().has_flag(flags::INLINE_VALUES) { InlineValues::byte_size(block(object).capacity()) } else { 0 }
}

/// The value of an instance's own attribute.
#[inline]
pub fn get_attr(ts: &ThreadState, object: &PyObject, name: &PyStr) -> PyResult<Option<PyRef>> {
    if let Some((block, keys)) = valid_block(object)
        && is_exact_str(name)
    {
        let index = keys.lookup_str(name, name.hash_value());
        if index < 0 {
            return Ok(None);
        }
        // SAFETY: I1; the reference is counted at once.
        return Ok(unsafe { (*block.place(index as usize)).as_ref() }.map(AsObject::new_ref));
    }
    match dict_slot(object).and_then(|slot| slot.get()) {
        Some(dict) => dict.get_str(ts, name),
        // A name that is an instance of a subclass of str is compared by its own `__eq__`.
        None if valid_block(object).is_some() => match get_dict(ts, object)? {
            Some(dict) => dict.get(ts, name.as_object()),
            None => Ok(None),
        },
        None => Ok(None),
    }
}

/// Sets an instance's own attribute, or removes it (`None`); false when there was none to remove. The
/// type has a dict slot or inline values.
#[inline]
pub fn set_attr(ts: &ThreadState, object: &PyObject, name: &PyStr, value: Option<&PyObject>) -> PyResult<bool> {
    if let Some((block, keys)) = valid_block(object)
        && is_exact_str(name)
    {
        let hash = name.hash_value();
        let mut index = keys.lookup_str(name, hash);
        if index < 0 {
            if value.is_none() {
                return Ok(false);
            }
            match keys.add_shared(name, hash) {
                Some(added) => index = added as isize,
                None => return set_in_dict(ts, object, name, value),
            }
        }
        return Ok(store(ts, object, block, index as usize, value));
    }
    set_in_dict(ts, object, name, value)
}

#[inline(never)]
fn set_in_dict(ts: &ThreadState, object: &PyObject, name: &PyStr, value: Option<&PyObject>) -> PyResult<bool> {
    match value {
        Some(value) => match get_dict(ts, object)? {
            Some(dict) => dict.set_str(ts, name, value).map(|()| true),
            None => Ok(false),
        },
        None => match current_dict(ts, object)? {
            Some(dict) => Ok(dict.remove_str(ts, name)?.is_some()),
            None => Ok(false),
        },
    }
}

/// The dict that is there, or that shows the valid block.
fn current_dict(ts: &ThreadState, object: &PyObject) -> PyResult<Option<Ref<PyDict>>> {
    if valid_block(object).is_some() {
        return get_dict(ts, object);
    }
    Ok(dict_slot(object).and_then(|slot| slot.get()))
}

/// Puts a value (or none) in the valid block and keeps the dict's count; false when there was none to remove.
#[inline(always)]
fn store(ts: &ThreadState, object: &PyObject, block: &InlineValues, index: usize, value: Option<&PyObject>) -> bool {
    let new = match value {
        Some(value) => {
            value.incref();
            value.as_ptr()
        }
        None => ptr::null_mut(),
    };
    // SAFETY: I1, I2; the old value is dropped when block and dict agree again.
    unsafe {
        let old = block.replace(index, new);
        if old.is_null() != new.is_null()
            && let Some(dict) = dict_slot(object).and_then(|slot| slot.borrow())
        {
            dict.count_inline_value(if new.is_null() { -1 } else { 1 });
        }
        if !old.is_null() {
            decref(ts, old);
            return true;
        }
    }
    value.is_some()
}

/// The instance's dict, made when it is not there; `None` when the type has no place for one.
pub fn get_dict(ts: &ThreadState, object: &PyObject) -> PyResult<Option<Ref<PyDict>>> {
    let Some(slot) = dict_slot(object) else { return Ok(None) };
    if let Some(dict) = slot.get() {
        return Ok(Some(dict));
    }
    let dict = match valid_block(object) {
        // SAFETY: I2; the dict goes into the slot of the object that owns the block.
        Some((block, keys)) => unsafe {
            PyDict::of_inline_values(ts, ptr::from_ref(keys).cast_mut(), ptr::from_ref(block).cast_mut())?
        },
        None => PyDict::new(ts)?,
    };
    // Making the dict ran no Python code: at most a collection is due later.
    slot.set(Some(dict.clone()));
    Ok(Some(dict))
}

/// Gives the instance another dict (`None`: an empty one, when it is asked for).
pub fn set_dict(ts: &ThreadState, object: &PyObject, dict: Option<Ref<PyDict>>) -> PyResult<()> {
    let Some(slot) = dict_slot(object) else { return Ok(()) };
    if let (Some(old), Some(new)) = (slot.get(), &dict)
        && old.as_object().is(new.as_object())
    {
        return Ok(());
    }
    detach(ts, object, true)?;
    slot.set(dict);
    Ok(())
}

/// Makes the inline block invalid: its values go to the dict, if that is there and anyone else can see
/// it, and are dropped otherwise. Fails with MemoryError, the block as it was, when `keep_on_failure`.
fn detach(ts: &ThreadState, object: &PyObject, keep_on_failure: bool) -> PyResult<()> {
    let Some((block, _)) = valid_block(object) else { return Ok(()) };
    // SAFETY: the object lives; the block knows no dict when its values are dropped.
    let shown = dict_slot(object).and_then(|slot| slot.get()).filter(|dict| !dict.inline_values().is_null());
    match shown {
        // SAFETY: no dict shows the block.
        None => unsafe { block.clear(ts, false) },
        // Two references: the slot's and ours.
        Some(dict) if dict.as_object().refcnt() == 2 && !keep_on_failure => dict.abandon_values(ts),
        Some(dict) => {
            if keep_on_failure {
                let empty = dict.is_empty();
                if empty {
                    dict.abandon_values(ts);
                } else {
                    dict.try_unsplit(ts)?;
                }
            } else {
                // Without memory the dict is emptied: nothing can be raised while an object ends, only told.
                let pending = ts.current_exception.take();
                if let Err(no_memory) = dict.unsplit(ts) {
                    let none = crate::types::none::none();
                    exc::write_unraisable(ts, no_memory.into(), Some("clearing an object managed dict"), none);
                }
                ts.current_exception.set(pending);
            }
        }
    }
    Ok(())
}

/// Moves the attributes of an instance into a dict of its own and makes the block invalid, for a change
/// of the object's class.
pub fn make_independent(ts: &ThreadState, object: &PyObject) -> PyResult<()> {
    if valid_block(object).is_some()
        && let Some(dict) = get_dict(ts, object)?
    {
        if dict.is_empty() {
            dict.abandon_values(ts);
        } else {
            dict.try_unsplit(ts)?;
        }
    }
    Ok(())
}

/// Shows the collector what the instance's attributes own. Values that a dict shows are the dict's to show.
#[inline]
pub fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    let slot = dict_slot(object);
    if let Some(slot) = slot
        && slot.is_some()
    {
        return visitor.slot(slot);
    }
    if let Some((block, _)) = valid_block(object) {
        for nth in 0..block.size() {
            // SAFETY: a traversal changes nothing; a value that is in the order is there.
            unsafe { visitor.object(&**block.place(block.nth(nth)))? };
        }
    }
    ControlFlow::Continue(())
}

/// Drops the instance's attributes: its values and its reference to its dict. For the collector's
/// `clear`, and for the end of the object, after which nothing points to the block.
pub fn clear(ts: &ThreadState, object: &PyObject) {
    if detach(ts, object, false).is_err() {
        // Only a detach that keeps the block on failure fails.
        unreachable!("detaching without keeping never fails");
    }
    if let Some(slot) = dict_slot(object)
        && let Some(dict) = slot.take()
    {
        dict.release(ts);
    }
}

/// The index of a name in shared keys, for inline caches; good for ever.
#[inline]
pub fn index_of(keys: &DictKeys, name: &PyStr) -> Option<u16> {
    if !is_exact_str(name) {
        return None;
    }
    u16::try_from(keys.lookup_str(name, name.hash_value())).ok()
}

/// Where the inline value with an index from [`index_of`] is (null in it: no such attribute), or `None` when
/// the object's block is invalid. The object's class is the one whose keys gave the index.
///
/// The place is only for reading: writing goes through [`store_value`].
#[inline(always)]
pub fn value_ptr(object: &PyObject, index: u16) -> Option<*mut *mut PyObject> {
    let block = block(object);
    if !block.is_valid() {
        return None;
    }
    // SAFETY: I1: whatever the keys have, the block has a place for.
    Some(unsafe { block.place(index as usize) })
}

/// Whether the object's attributes are in its inline values.
#[inline(always)]
pub fn has_valid_inline_values(object: &PyObject) -> bool {
    object.ob_type().has_flag(flags::INLINE_VALUES) && block(object).is_valid()
}

/// Sets the inline value with an index from [`index_of`]; false when the object's block is invalid.
#[inline(always)]
pub fn store_value(ts: &ThreadState, object: &PyObject, index: u16, value: &PyObject) -> bool {
    let block = block(object);
    if !block.is_valid() {
        return false;
    }
    store(ts, object, block, index as usize, Some(value));
    true
}

const _: () = assert!(size_of::<InlineValues>() == 8);
