//! What depends on the key of hashing, which is another one in each process.

use super::Parts;
use super::copy::Bases;
use crate::object::{PyObject, PyResult, PyTypeObject, instance};
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::code::PyCode;
use crate::types::dict::{DictKeys, PyDict};
use crate::types::set::PySet;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::types::weakref::PyWeakref;

/// Has an object compute its hash anew when it is next asked for it.
pub(super) fn forget(object: &PyObject) {
    if let Some(text) = object.downcast::<PyStr>() {
        text.forget_hash();
    } else if let Some(bytes) = object.downcast::<PyBytes>() {
        bytes.forget_hash();
    } else if let Some(tuple) = object.downcast::<PyTuple>() {
        tuple.forget_hash();
    } else if let Some(code) = object.downcast::<PyCode>() {
        code.forget_hash();
    } else if let Some(set) = object.downcast::<PySet>() {
        set.forget_hash();
    } else if let Some(reference) = object.downcast::<PyWeakref>() {
        reference.forget_hash();
    }
}

/// Something in which keys lie where their hashes lead to.
pub(super) enum Ordered<'a> {
    Table(*const DictKeys),
    Set(&'a PySet),
}

/// What of an object is ordered by hashes.
pub(super) fn ordered_by_them(object: &PyObject) -> Option<Ordered<'_>> {
    if let Some(dict) = object.downcast::<PyDict>() {
        Some(Ordered::Table(dict.keys()))
    } else if let Some(set) = object.downcast::<PySet>() {
        Some(Ordered::Set(set))
    } else {
        let class = object.downcast::<PyTypeObject>()?;
        instance::shared_keys(class).map(|keys| Ordered::Table(keys))
    }
}

impl Parts<'_> {
    /// Puts the keys of a copy where their hashes of this process lead to. `room` is as long as the largest set.
    pub(super) fn rehash(&self, ts: &ThreadState, bases: &Bases, room: &mut [usize]) -> PyResult<()> {
        for number in self.tables {
            // SAFETY: the copy of a table lies there, whole but for its index.
            unsafe { &*bases.block(*number).cast::<DictKeys>() }.rehash(ts)?;
        }
        for number in self.sets {
            let block = self.blocks[*number as usize];
            // SAFETY: the copy of a set lies there.
            let set = unsafe { &*super::share::object_at(bases.block(*number), block.tag()) };
            set.cast::<PySet>().rehash(ts, room)?;
        }
        Ok(())
    }
}
