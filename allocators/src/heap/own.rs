//! Memory for a heap's own books: the heap itself, the directory of its large blocks, the stacks of its bins. It comes
//! from the raw domain, is counted there, and goes back through the table that it came from, whatever has been
//! installed meanwhile.

use core::ptr::NonNull;

use crate::domain::Domain;
use crate::table::{self, Table};

/// A block of the raw domain and its table.
#[derive(Clone, Copy)]
pub(super) struct Memory {
    pub(super) at: NonNull<u8>,
    table: &'static Table,
}

impl Memory {
    /// Takes `size` bytes; `None` if there are none.
    pub(super) fn take(size: usize) -> Option<Self> {
        // What a watcher has to know of are the blocks of users.
        let table = table::unwatched(Domain::Raw);
        // SAFETY: whoever installed the table promised that it is an allocator.
        let at = unsafe { (table.malloc)(table.ctx, size) };
        Some(Self { at: NonNull::new(at.cast())?, table })
    }

    /// Gives the bytes back.
    ///
    /// # Safety
    /// They are not used any more.
    pub(super) unsafe fn give(self) {
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
