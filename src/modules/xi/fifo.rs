//! Items on their way, the oldest first, in the raw domain.
//!
//! ```text
//!  items   │ taken │ taken │ oldest │ … │ newest │
//!                          └ head
//! ```
//!
//! I1: what is before `head` is `None`, what is behind is `Some`.

use hognose_allocators::{NoMemory, Raw, TryVec};

/// A queue whose memory belongs to no interpreter.
pub struct Fifo<T> {
    items: TryVec<Option<T>, Raw>,
    head: usize,
}

impl<T> Fifo<T> {
    /// An empty queue, without memory.
    pub const fn new() -> Fifo<T> {
        Fifo { items: TryVec::new_in(Raw), head: 0 }
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        self.items.len() - self.head
    }

    /// Puts an item in. When there is no memory for it, the caller keeps it.
    pub fn push(&mut self, item: &mut Option<T>) -> Result<(), NoMemory> {
        self.items.try_reserve(1)?;
        debug_assert!(item.is_some(), "I1");
        self.items.push_reserved(item.take());
        Ok(())
    }

    /// Takes the oldest item out.
    pub fn take(&mut self) -> Option<T> {
        let item = self.items.get_mut(self.head)?.take();
        self.head += 1;
        if self.len() == 0 {
            self.items = TryVec::new_in(Raw);
            self.head = 0;
        } else if self.head >= 32 && self.head * 2 >= self.items.len() {
            // I1.
            self.items.retain(Option::is_some);
            self.head = 0;
        }
        item
    }

    /// Takes the first item out for which something holds.
    pub fn take_where(&mut self, mut is: impl FnMut(&T) -> bool) -> Option<T> {
        let index = self.items.iter().position(|item| item.as_ref().is_some_and(&mut is))?;
        self.items.remove(index)
    }

    /// The items, the oldest first.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.items.iter_mut().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::Fifo;

    #[test]
    fn items_come_in_order_and_leave_no_gap() {
        let mut fifo = Fifo::new();
        let mut next = 0;
        for round in 0..200 {
            for number in 0..3 {
                fifo.push(&mut Some(round * 3 + number)).unwrap();
            }
            for _ in 0..2 {
                assert_eq!(fifo.take(), Some(next));
                next += 1;
            }
        }
        assert_eq!(fifo.len(), 200);
        assert_eq!(fifo.take_where(|item| *item == next + 1), Some(next + 1));
        assert_eq!(fifo.take_where(|item| *item == next + 1), None);
        assert_eq!(fifo.take(), Some(next));
        assert_eq!(fifo.take(), Some(next + 2));
        assert_eq!(fifo.iter_mut().map(|item| *item).next(), Some(next + 3));
        while fifo.take().is_some() {}
        assert_eq!(fifo.len(), 0);
    }
}
