//! Finding every live block by walking pages and lists.

use super::{Heap, Tag, large};
use crate::domain::Domain;
use crate::table;
use crate::{debug, guard};

impl Heap {
    /// Calls `f` with the domain, address and size of every live block of the heap, in no particular
    /// order. Under the debug hooks it is the user's address and the requested size; otherwise the size
    /// is what the block can hold.
    ///
    /// `f` must not allocate from this heap nor free to it.
    pub fn walk(&self, f: &mut dyn FnMut(Domain, *mut u8, usize)) {
        self.walk_tagged(&mut |tag, p, size| f(tag.domain(), p, size));
    }

    /// As [`Heap::walk`], with the tag: blocks of [`Tag::ObjGc`] start with a collector's header.
    pub fn walk_tagged(&self, f: &mut dyn FnMut(Tag, *mut u8, usize)) {
        self.drain_foreign();
        let hooked =
            [Domain::Raw, Domain::Mem, Domain::Obj].map(|domain| !table::is_builtin(domain, table::logical(domain)));
        let mut report = |tag: Tag, inner: *mut u8, size: usize| {
            let domain = tag.domain();
            let view = if hooked[domain.index()] {
                // SAFETY: the block lives and has that size.
                unsafe { debug::user_view(domain.letter(), inner, size) }
            } else {
                None
            };
            let (p, size) = view.unwrap_or((inner, size));
            f(tag, p, size);
        };
        self.for_each_page(&mut |page| {
            let mut free = [0u64; 16];
            page.mark_free(&mut free);
            for index in 0..page.carved() {
                if free[index / 64] & 1 << (index % 64) == 0 {
                    report(page.tag(), page.block(index), page.block_size());
                }
            }
        });
        guard::for_each_of(self, &mut report);
        for tag in Tag::ALL {
            large::for_each(self, tag, &mut |p, size| report(tag, p, size));
            #[cfg(feature = "mimalloc")]
            super::mimalloc::for_each(self, tag, &mut |p, size| report(tag, p, size));
        }
    }
}
