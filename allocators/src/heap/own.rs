//! Memory that goes back through the table that it came from, whatever has been installed meanwhile. It comes from the raw
//! domain and is counted there. A heap's own books lie in such: the heap itself, the directory of its large blocks, the
//! stacks of its bins.

use core::ptr::NonNull;

use crate::domain::Domain;
use crate::table::{self, Table};

/// A block of the raw domain and its table: for what is taken before allocators are chosen, or by a thread that may still
/// have it when others are.
#[derive(Clone, Copy)]
pub struct Memory {
    pub(super) at: NonNull<u8>,
    table: &'static Table,
}

impl Memory {
    /// Takes `size` bytes, aligned to 16; `None` if there are none. Any thread, at any time.
    #[must_use]
    pub fn take(size: usize) -> Option<Self> {
        // What a watcher has to know of are the blocks of users.
        let table = table::unwatched(Domain::Raw);
        // SAFETY: whoever installed the table promised that it is an allocator.
        let at = unsafe { (table.malloc)(table.ctx, size) };
        Some(Self { at: NonNull::new(at.cast())?, table })
    }

    /// Where the bytes are.
    #[must_use]
    pub fn address(&self) -> NonNull<u8> {
        self.at
    }

    /// Gives the bytes back. Any thread, at any time.
    ///
    /// # Safety
    /// They are not used any more, and no copy of this gives them back.
    pub unsafe fn give(self) {
        // SAFETY: the block came from this table, and tables live for ever.
        unsafe { (self.table.free)(self.table.ctx, self.at.as_ptr().cast()) };
    }

    /// The two words, for who keeps them apart.
    pub(super) fn into_parts(self) -> (NonNull<u8>, &'static Table) {
        (self.at, self.table)
    }

    /// What `into_parts` took apart.
    pub(super) const fn from_parts(at: NonNull<u8>, table: &'static Table) -> Self {
        Self { at, table }
    }
}
