//! The list that is the order, and the map from the dict's entries to the list's nodes.

use core::cell::Cell;
use core::ops::ControlFlow;
use core::ptr;

use hognose_allocators::NoMemory;

use super::PyOrderedDict;
use crate::object::header::decref;
use crate::object::weakref;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, Visitor, gc};
use crate::state::ThreadState;
use crate::types::dict::keys::{EMPTY, Probe};
use crate::types::dict::{DICT_TYPE, DictKeys};

/// An entry's place in the order.
pub(super) struct Node {
    /// An owned reference.
    key: Cell<*mut PyObject>,
    hash: isize,
    /// The entry's number in the table that the map belongs to; `usize::MAX` when it has none.
    index: Cell<usize>,
    previous: Cell<*mut Node>,
    next: Cell<*mut Node>,
}

impl Node {
    /// The key; the node keeps it alive.
    #[inline(always)]
    pub(super) fn key(&self) -> &PyObject {
        // SAFETY: a node owns its key as long as it is in the list, and only those are handed out.
        unsafe { &*self.key.get() }
    }

    #[inline(always)]
    pub(super) fn hash(&self) -> isize {
        self.hash
    }
}

/// The number of the entry whose key is this very object. Compares nothing, so runs no Python code.
fn index_of_identity(keys: &DictKeys, key: *mut PyObject, hash: isize) -> Option<usize> {
    let mut probe = Probe::new(hash, keys.mask());
    loop {
        let index = keys.index_at(probe.place());
        if index == EMPTY {
            return None;
        }
        // SAFETY: a number in the index that is not negative names an entry.
        if index >= 0 && unsafe { keys.key(index as usize) } == key {
            return Some(index as usize);
        }
        probe.advance();
    }
}

impl PyOrderedDict {
    #[inline(always)]
    pub(super) fn touch(&self) {
        self.state.set(self.state.get().wrapping_add(1));
    }

    /// The first or last node.
    #[inline(always)]
    pub(super) fn end(&self, last: bool) -> Option<&Node> {
        // SAFETY: I1: a node in the list is alive; who uses the result looks at the state first (I3).
        unsafe { if last { self.last.get().as_ref() } else { self.first.get().as_ref() } }
    }

    /// The node after or before another one.
    #[inline(always)]
    pub(super) fn neighbour<'a>(&'a self, node: &Node, after: bool) -> Option<&'a Node> {
        let neighbour = if after { node.next.get() } else { node.previous.get() };
        // SAFETY: as in `end`.
        unsafe { neighbour.as_ref() }
    }

    fn table(&self) -> *const DictKeys {
        ptr::from_ref(self.dict.keys())
    }

    /// Makes the map anew, for the present table. Runs no Python code.
    #[cold]
    #[inline(never)]
    fn make_map(&self, ts: &ThreadState) -> Result<(), NoMemory> {
        let keys = self.dict.keys();
        let room = keys.nentries() + keys.usable();
        let bytes = room.max(1) * size_of::<*mut Node>();
        let map = ts.heap().mem_alloc(bytes).cast::<*mut Node>();
        if map.is_null() {
            return Err(NoMemory);
        }
        // SAFETY: the block is as large; the old one came from the same heap and is forgotten.
        unsafe {
            map.write_bytes(0, room.max(1));
            let old = self.map.replace(map);
            if !old.is_null() {
                ts.heap().mem_free(old.cast());
            }
        }
        self.map_room.set(room);
        self.mapped.set(self.table());
        let mut at = self.first.get();
        // SAFETY: I1.
        while let Some(node) = unsafe { at.as_ref() } {
            let index = index_of_identity(keys, node.key.get(), node.hash).filter(|index| *index < room);
            node.index.set(index.unwrap_or(usize::MAX));
            if let Some(index) = index {
                // SAFETY: the index is below the room.
                unsafe { *map.add(index) = at };
            }
            at = node.next.get();
        }
        Ok(())
    }

    /// The node in the map, if it is that of the entry (I2).
    #[inline]
    fn mapped_node(&self, index: usize) -> Option<*mut Node> {
        if self.mapped.get() != self.table() || index >= self.map_room.get() {
            return None;
        }
        // SAFETY: the index is below the room; what the map shows is alive.
        unsafe {
            let node = *self.map.get().add(index);
            if !node.is_null() && (*node).key.get() != self.dict.keys().key(index) {
                return None;
            }
            Some(node)
        }
    }

    /// The node of the dict's entry, or null.
    fn node_of_entry(&self, ts: &ThreadState, index: usize) -> Result<*mut Node, NoMemory> {
        if let Some(node) = self.mapped_node(index) {
            return Ok(node);
        }
        self.make_map(ts)?;
        Ok(self.mapped_node(index).unwrap_or(ptr::null_mut()))
    }

    /// The node of a key.
    pub(super) fn find(&self, ts: &ThreadState, key: &PyObject, hash: isize) -> PyResult<Option<&Node>> {
        if self.count.get() == 0 {
            return Ok(None);
        }
        let index = self.dict.lookup(ts, key, hash)?;
        if index < 0 {
            return Ok(None);
        }
        // SAFETY: what the map shows is alive.
        Ok(unsafe { self.node_of_entry(ts, index as usize)?.as_ref() })
    }

    /// Whether the map shows that the dict has the node's key; if not, a look-up must tell.
    #[inline]
    pub(super) fn has_entry(&self, node: &Node) -> bool {
        let (index, keys) = (node.index.get(), self.dict.keys());
        // SAFETY: the index is that of an entry.
        self.mapped.get() == self.table() && index < keys.nentries() && unsafe { keys.key(index) } == node.key.get()
    }

    /// The value of a node's key, without a look-up where the map still fits.
    #[inline]
    pub(super) fn value_of(&self, ts: &ThreadState, node: &Node) -> PyResult<Option<PyRef>> {
        let index = node.index.get();
        let keys = self.dict.keys();
        if self.mapped.get() == self.table() && index < keys.nentries() {
            // SAFETY: the index is that of an entry; its references are counted before anything else happens.
            unsafe {
                let (key, value) = keys.entry(index);
                if key == node.key.get() && !value.is_null() {
                    return Ok(Some((*value).new_ref()));
                }
            }
        }
        let key = node.key().new_ref();
        self.dict.get_known_hash(ts, &key, node.hash)
    }

    /// Sets a value; a new key comes last.
    pub(super) fn set(&self, ts: &ThreadState, key: &PyObject, hash: isize, value: &PyObject) -> PyResult<()> {
        self.dict.set_known_hash(ts, key, hash, value)?;
        if self.dict.len() == self.count.get() {
            // Each key has its node already.
            return Ok(());
        }
        let added = self.add_node(ts, key, hash);
        if added.is_err() {
            // Without a node the entry must not stay.
            let pending = ts.current_exception.take();
            match self.dict.remove_known_hash(ts, key, hash) {
                Ok(value) => drop(value),
                Err(raised) => ts.clear_raised(raised),
            }
            ts.current_exception.set(pending);
        }
        added
    }

    /// Adds the node of a key that the dict has, if it is missing.
    fn add_node(&self, ts: &ThreadState, key: &PyObject, hash: isize) -> PyResult<()> {
        let keys = self.dict.keys();
        let newest = keys.nentries().wrapping_sub(1);
        // A key that has just been added is the newest entry.
        // SAFETY: the index is below the number of entries.
        let index = if keys.nentries() != 0 && unsafe { keys.key(newest) } == key.as_ptr() {
            newest
        } else {
            let index = self.dict.lookup(ts, key, hash)?;
            if index < 0 {
                // Dropping the old value has removed it again.
                return Ok(());
            }
            index as usize
        };
        if !self.node_of_entry(ts, index)?.is_null() {
            return Ok(());
        }
        // Nothing runs from here on.
        let node = ts.heap().mem_alloc(size_of::<Node>()).cast::<Node>();
        if node.is_null() {
            return Err(NoMemory.into());
        }
        // SAFETY: the block is a node's; the entry has a key; the map has just been found to fit the table.
        unsafe {
            let own = self.dict.keys().key(index);
            (*own).incref();
            node.write(Node {
                key: Cell::new(own),
                hash,
                index: Cell::new(index),
                previous: Cell::new(ptr::null_mut()),
                next: Cell::new(ptr::null_mut()),
            });
            *self.map.get().add(index) = node;
        }
        self.link(node, true);
        Ok(())
    }

    /// Puts a node that is in no list at an end.
    fn link(&self, node: *mut Node, last: bool) {
        // SAFETY: I1; the node is alive and in no list.
        unsafe {
            let this = &*node;
            if last {
                let old = self.last.replace(node);
                this.previous.set(old);
                this.next.set(ptr::null_mut());
                match old.as_ref() {
                    Some(old) => old.next.set(node),
                    None => self.first.set(node),
                }
            } else {
                let old = self.first.replace(node);
                this.next.set(old);
                this.previous.set(ptr::null_mut());
                match old.as_ref() {
                    Some(old) => old.previous.set(node),
                    None => self.last.set(node),
                }
            }
        }
        self.count.set(self.count.get() + 1);
        self.touch();
    }

    /// Takes a node out of the list.
    fn unlink(&self, node: &Node) {
        let (previous, next) = (node.previous.get(), node.next.get());
        // SAFETY: I1.
        unsafe {
            match previous.as_ref() {
                Some(previous) => previous.next.set(next),
                None => self.first.set(next),
            }
            match next.as_ref() {
                Some(next) => next.previous.set(previous),
                None => self.last.set(previous),
            }
        }
        self.count.set(self.count.get() - 1);
        self.touch();
    }

    /// Moves a node to an end.
    pub(super) fn move_node(&self, node: &Node, last: bool) {
        self.unlink(node);
        self.link(ptr::from_ref(node).cast_mut(), last);
    }

    /// Ends a node; its key is returned.
    pub(super) fn remove_node(&self, ts: &ThreadState, node: &Node) -> PyRef {
        self.unlink(node);
        let index = node.index.get();
        let pointer = ptr::from_ref(node).cast_mut();
        // SAFETY: I2: whether the map fits the table or not, it is as large as its room, and does not show the node
        // any more. The node owned its key, and its block came from the interpreter's heap.
        unsafe {
            if index < self.map_room.get() && *self.map.get().add(index) == pointer {
                *self.map.get().add(index) = ptr::null_mut();
            }
            let key = Ref::from_owned(node.key.get());
            ts.heap().mem_free(pointer.cast());
            key
        }
    }

    /// Ends all nodes.
    pub(super) fn clear_nodes(&self, ts: &ThreadState) {
        let mut at = self.first.replace(ptr::null_mut());
        self.last.set(ptr::null_mut());
        self.count.set(0);
        self.map_room.set(0);
        self.mapped.set(ptr::null());
        self.touch();
        let map = self.map.replace(ptr::null_mut());
        // SAFETY: the map and the nodes came from the interpreter's heap, and nobody can reach them any more, whatever
        // the dropping of a key runs; each node owned its key.
        unsafe {
            if !map.is_null() {
                ts.heap().mem_free(map.cast());
            }
            while let Some(node) = at.as_ref() {
                let (key, this) = (node.key.get(), at);
                at = node.next.get();
                ts.heap().mem_free(this.cast());
                decref(ts, key);
            }
        }
    }

    /// The bytes that the list and the map take.
    pub(super) fn nodes_size(&self) -> usize {
        self.count.get() * size_of::<Node>() + self.map_room.get() * size_of::<*mut Node>()
    }
}

/// # Safety
/// As for every `DeallocFn`.
pub(super) unsafe fn ordered_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with an OrderedDict whose count is zero; `dict` frees the memory.
    unsafe {
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        let this = (*object).cast_unchecked::<PyOrderedDict>();
        this.attributes.set(None);
        this.clear_nodes(ts);
        if let Some(dealloc) = DICT_TYPE.slots().dealloc {
            dealloc(ts, object);
        }
    }
}

pub(super) fn ordered_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    // SAFETY: only OrderedDicts have the slot.
    let this = unsafe { object.cast_unchecked::<PyOrderedDict>() };
    visitor.slot(&this.attributes)?;
    let mut at = this.first.get();
    // SAFETY: I1; a traversal changes nothing.
    while let Some(node) = unsafe { at.as_ref() } {
        visitor.object(node.key())?;
        at = node.next.get();
    }
    match DICT_TYPE.slots().traverse {
        Some(traverse) => traverse(object, visitor),
        None => ControlFlow::Continue(()),
    }
}

pub(super) fn ordered_tp_clear(ts: &ThreadState, object: &PyObject) {
    let this = object.cast::<PyOrderedDict>();
    this.attributes.set(None);
    this.dict.clear(ts);
    this.clear_nodes(ts);
}
