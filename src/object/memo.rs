//! A table from the identity of objects to numbers, which keeps the objects alive: what a writer has written already.
//!
//! I1: `slots` has a power of two of places, more than `entries`, or none; a place is 0 or an entry's index + 1.

use hognose_allocators::NoMemory;
use hognose_allocators::collections::TryVec;

use crate::object::{AsObject, PyObject, PyRef};

/// An object that has been written.
pub struct Entry {
    /// The object.
    pub object: PyRef,
    /// The number by which a reader knows it.
    pub number: usize,
}

/// The table.
pub struct Memo {
    entries: TryVec<Entry>,
    slots: TryVec<u32>,
}

impl Memo {
    /// An empty one, without memory.
    pub const fn new() -> Memo {
        Memo { entries: TryVec::new(), slots: TryVec::new() }
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The objects.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    fn start(&self, object: &PyObject) -> usize {
        // Objects are 16 bytes apart at least; the product spreads what is left over the upper bits.
        let address = object.as_ptr().addr() as u64 >> 4;
        (address.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize & (self.slots.len() - 1)
    }

    fn find(&self, object: &PyObject) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        let mut at = self.start(object);
        loop {
            match self.slots[at] {
                0 => return None,
                index if self.entries[index as usize - 1].object.is(object) => return Some(index as usize - 1),
                _ => at = (at + 1) & (self.slots.len() - 1),
            }
        }
    }

    /// The number of an object.
    pub fn get(&self, object: &PyObject) -> Option<usize> {
        self.find(object).map(|index| self.entries[index].number)
    }

    /// Remembers an object by a number; another number of the same object is forgotten.
    pub fn set(&mut self, object: &PyObject, number: usize) -> Result<(), NoMemory> {
        if let Some(index) = self.find(object) {
            self.entries[index].number = number;
            return Ok(());
        }
        if (self.entries.len() + 1) * 3 > self.slots.len() * 2 {
            self.grow()?;
        }
        if self.entries.len() >= u32::MAX as usize - 1 {
            return Err(NoMemory);
        }
        self.entries.try_push(Entry { object: object.new_ref(), number })?;
        self.place(self.entries.len() - 1);
        Ok(())
    }

    fn place(&mut self, index: usize) {
        let mut at = self.start(&self.entries[index].object);
        while self.slots[at] != 0 {
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = index as u32 + 1;
    }

    fn grow(&mut self) -> Result<(), NoMemory> {
        let size = (self.slots.len() * 2).max(16);
        let mut slots = TryVec::try_with_capacity(size)?;
        slots.try_resize(size, 0)?;
        self.slots = slots;
        for index in 0..self.entries.len() {
            self.place(index);
        }
        Ok(())
    }

    /// A table of the same objects.
    pub fn try_clone(&self) -> Result<Memo, NoMemory> {
        let mut copy = Memo::new();
        for entry in self.entries.iter() {
            copy.set(&entry.object, entry.number)?;
        }
        Ok(copy)
    }
}
