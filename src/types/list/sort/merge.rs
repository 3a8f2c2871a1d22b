//! The merge sort itself, for any kind of entry whose comparison can fail.

use hognose_allocators::NoMemory;
use hognose_allocators::collections::TryVec;

use crate::object::{PyObject, PyResult};

/// What is sorted: a key, and the item that it belongs to.
#[derive(Clone, Copy)]
pub(super) struct Entry<K> {
    pub key: K,
    pub item: *mut PyObject,
}

/// Compares two keys; can fail, and can run any code.
pub(super) trait Compares<K: Copy> {
    fn less(&self, a: K, b: K) -> PyResult<bool>;
}

/// Runs shorter than this are made longer by insertion.
const SHORT: usize = 64;
/// So many wins in a row of one side of a merge make it worth to gallop.
const MIN_GALLOP: usize = 7;
/// Powers on the stack of runs grow strictly, and none is above the number of bits of a length.
const MAX_RUNS: usize = 66;

/// A run of sorted entries, and the power of the border to the run behind it.
#[derive(Clone, Copy, Default)]
struct Run {
    start: usize,
    len: usize,
    power: u32,
}

/// Sorts the entries. When a comparison fails, or the merge buffer can't be had, the entries are left in any order.
pub(super) fn sort<K: Copy, C: Compares<K>>(entries: &mut [Entry<K>], compares: &C) -> PyResult<()> {
    let len = entries.len();
    if len < 2 {
        return Ok(());
    }
    let mut merger = Merger { entries, compares, buffer: TryVec::new(), min_gallop: MIN_GALLOP };
    let mut runs = [Run::default(); MAX_RUNS];
    let mut count = 0;
    let min_run = min_run(len);
    let mut start = 0;
    while start < len {
        let mut run = merger.find_run(start)?;
        if run < min_run {
            let forced = min_run.min(len - start);
            merger.insert(start, start + run, start + forced)?;
            run = forced;
        }
        if count > 0 {
            let last: Run = runs[count - 1];
            let power = border_power(last.start, last.len, run, len);
            while count > 1 && runs[count - 2].power > power {
                runs[count - 2] = merger.merge_runs(runs[count - 2], runs[count - 1])?;
                count -= 1;
            }
            runs[count - 1].power = power;
        }
        runs[count] = Run { start, len: run, power: 0 };
        count += 1;
        start += run;
    }
    while count > 1 {
        // The shorter neighbour first.
        if count > 2 && runs[count - 3].len < runs[count - 1].len {
            runs[count - 3] = merger.merge_runs(runs[count - 3], runs[count - 2])?;
            runs[count - 2] = runs[count - 1];
        } else {
            runs[count - 2] = merger.merge_runs(runs[count - 2], runs[count - 1])?;
        }
        count -= 1;
    }
    Ok(())
}

/// A length for short runs such that the number of runs is a power of two or just below one.
fn min_run(mut len: usize) -> usize {
    let mut rest = 0;
    while len >= SHORT {
        rest |= len & 1;
        len >>= 1;
    }
    len + rest
}

/// The depth, in a perfectly balanced binary tree over all entries, of the first node between the middles of two
/// neighbouring runs: they are merged before anything less deep is.
fn border_power(start: usize, left: usize, right: usize, len: usize) -> u32 {
    let mut a = 2 * start + left;
    let mut b = a + left + right;
    let mut power = 0;
    loop {
        power += 1;
        if a >= len {
            a -= len;
            b -= len;
        } else if b >= len {
            return power;
        }
        a <<= 1;
        b <<= 1;
    }
}

struct Merger<'a, K: Copy, C> {
    entries: &'a mut [Entry<K>],
    compares: &'a C,
    buffer: TryVec<Entry<K>>,
    min_gallop: usize,
}

impl<K: Copy, C: Compares<K>> Merger<'_, K, C> {
    /// The length of the run that begins at `start`; a falling one is turned round. Equal neighbours end a falling run,
    /// so turning it round keeps their order.
    fn find_run(&mut self, start: usize) -> PyResult<usize> {
        let rest = &mut self.entries[start..];
        if rest.len() < 2 {
            return Ok(rest.len());
        }
        let mut len = 2;
        if self.compares.less(rest[1].key, rest[0].key)? {
            while len < rest.len() && self.compares.less(rest[len].key, rest[len - 1].key)? {
                len += 1;
            }
            rest[..len].reverse();
        } else {
            while len < rest.len() && !self.compares.less(rest[len].key, rest[len - 1].key)? {
                len += 1;
            }
        }
        Ok(len)
    }

    /// Sorts `start..end`, of which `start..sorted` is sorted, by binary insertion.
    fn insert(&mut self, start: usize, sorted: usize, end: usize) -> PyResult<()> {
        for next in sorted..end {
            let pivot = self.entries[next];
            let (mut low, mut high) = (start, next);
            while low < high {
                let middle = low + (high - low) / 2;
                if self.compares.less(pivot.key, self.entries[middle].key)? {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            self.entries.copy_within(low..next, low + 1);
            self.entries[low] = pivot;
        }
        Ok(())
    }

    /// Merges two neighbouring runs into one, which has the power of the right one.
    fn merge_runs(&mut self, left: Run, right: Run) -> PyResult<Run> {
        let merged = Run { start: left.start, len: left.len + right.len, power: right.power };
        // What is in place already: the left run up to where the right one's first entry belongs, and the right run from
        // where the left one's last entry belongs.
        let all = &self.entries[left.start..left.start + merged.len];
        let (a, b) = all.split_at(left.len);
        let skip = upper_bound(self.compares, b[0].key, a, 0)?;
        if skip == a.len() {
            return Ok(merged);
        }
        let take = lower_bound(self.compares, a[a.len() - 1].key, b, b.len() - 1)?;
        if take == 0 {
            return Ok(merged);
        }
        let (start, middle, end) = (left.start + skip, left.start + left.len, left.start + left.len + take);
        if middle - start <= end - middle {
            self.fill_buffer(start, middle)?;
            self.merge_forward(start, middle, end)?;
        } else {
            self.fill_buffer(middle, end)?;
            self.merge_backward(start, middle, end)?;
        }
        Ok(merged)
    }

    fn fill_buffer(&mut self, start: usize, end: usize) -> Result<(), NoMemory> {
        self.buffer.clear();
        self.buffer.try_extend_from_copy(&self.entries[start..end])
    }

    /// Merges from the left: the left run is in the buffer. At every moment there is a gap before the rest of the right run
    /// that is as wide as the rest of the buffer; whatever happens, the rest of the buffer goes there in the end.
    fn merge_forward(&mut self, start: usize, middle: usize, end: usize) -> PyResult<()> {
        let mut cursor = Forward { target: start, left: 0, right: middle, end };
        let result = self.merge_forward_inner(&mut cursor);
        let rest = &self.buffer[cursor.left..];
        self.entries[cursor.target..cursor.target + rest.len()].copy_from_slice(rest);
        result
    }

    #[inline]
    fn merge_forward_inner(&mut self, at: &mut Forward) -> PyResult<()> {
        let entries = &mut *self.entries;
        let buffer = &self.buffer[..];
        let compares = self.compares;
        let mut min_gallop = self.min_gallop;
        // The right run's first entry is known to come first.
        entries[at.target] = entries[at.right];
        at.target += 1;
        at.right += 1;
        'merge: while at.right < at.end && at.left < buffer.len() {
            let (mut left_wins, mut right_wins) = (0, 0);
            loop {
                if compares.less(entries[at.right].key, buffer[at.left].key)? {
                    entries[at.target] = entries[at.right];
                    at.target += 1;
                    at.right += 1;
                    right_wins += 1;
                    left_wins = 0;
                    if at.right == at.end {
                        break 'merge;
                    }
                    if right_wins >= min_gallop {
                        break;
                    }
                } else {
                    entries[at.target] = buffer[at.left];
                    at.target += 1;
                    at.left += 1;
                    left_wins += 1;
                    right_wins = 0;
                    if at.left == buffer.len() {
                        break 'merge;
                    }
                    if left_wins >= min_gallop {
                        break;
                    }
                }
            }
            min_gallop += 1;
            loop {
                min_gallop = (min_gallop - 1).max(1);
                let from_left = upper_bound(compares, entries[at.right].key, &buffer[at.left..], 0)?;
                entries[at.target..at.target + from_left].copy_from_slice(&buffer[at.left..at.left + from_left]);
                at.target += from_left;
                at.left += from_left;
                if at.left == buffer.len() {
                    break 'merge;
                }
                entries[at.target] = entries[at.right];
                at.target += 1;
                at.right += 1;
                if at.right == at.end {
                    break 'merge;
                }
                let from_right = lower_bound(compares, buffer[at.left].key, &entries[at.right..at.end], 0)?;
                entries.copy_within(at.right..at.right + from_right, at.target);
                at.target += from_right;
                at.right += from_right;
                if at.right == at.end {
                    break 'merge;
                }
                entries[at.target] = buffer[at.left];
                at.target += 1;
                at.left += 1;
                if at.left == buffer.len() {
                    break 'merge;
                }
                if from_left < MIN_GALLOP && from_right < MIN_GALLOP {
                    break;
                }
            }
            // Leaving galloping makes it harder to come back.
            min_gallop += 1;
        }
        self.min_gallop = min_gallop;
        Ok(())
    }

    /// Merges from the right: the right run is in the buffer, and the gap is behind the rest of the left run.
    fn merge_backward(&mut self, start: usize, middle: usize, end: usize) -> PyResult<()> {
        let mut cursor = Backward { start, left: middle, right: end - middle, target: end };
        let result = self.merge_backward_inner(&mut cursor);
        let rest = &self.buffer[..cursor.right];
        self.entries[cursor.target - rest.len()..cursor.target].copy_from_slice(rest);
        result
    }

    #[inline]
    fn merge_backward_inner(&mut self, at: &mut Backward) -> PyResult<()> {
        let entries = &mut *self.entries;
        let buffer = &self.buffer[..];
        let compares = self.compares;
        let mut min_gallop = self.min_gallop;
        // The left run's last entry is known to come last.
        at.target -= 1;
        at.left -= 1;
        entries[at.target] = entries[at.left];
        'merge: while at.left > at.start && at.right > 0 {
            let (mut left_wins, mut right_wins) = (0, 0);
            loop {
                if compares.less(buffer[at.right - 1].key, entries[at.left - 1].key)? {
                    at.target -= 1;
                    at.left -= 1;
                    entries[at.target] = entries[at.left];
                    left_wins += 1;
                    right_wins = 0;
                    if at.left == at.start {
                        break 'merge;
                    }
                    if left_wins >= min_gallop {
                        break;
                    }
                } else {
                    at.target -= 1;
                    at.right -= 1;
                    entries[at.target] = buffer[at.right];
                    right_wins += 1;
                    left_wins = 0;
                    if at.right == 0 {
                        break 'merge;
                    }
                    if right_wins >= min_gallop {
                        break;
                    }
                }
            }
            min_gallop += 1;
            loop {
                min_gallop = (min_gallop - 1).max(1);
                let left = &entries[at.start..at.left];
                let stay = upper_bound(compares, buffer[at.right - 1].key, left, left.len() - 1)?;
                let from_left = left.len() - stay;
                at.left -= from_left;
                at.target -= from_left;
                entries.copy_within(at.left..at.left + from_left, at.target);
                if at.left == at.start {
                    break 'merge;
                }
                at.target -= 1;
                at.right -= 1;
                entries[at.target] = buffer[at.right];
                if at.right == 0 {
                    break 'merge;
                }
                let stay = lower_bound(compares, entries[at.left - 1].key, &buffer[..at.right], at.right - 1)?;
                let from_right = at.right - stay;
                at.right -= from_right;
                at.target -= from_right;
                entries[at.target..at.target + from_right].copy_from_slice(&buffer[at.right..at.right + from_right]);
                if at.right == 0 {
                    break 'merge;
                }
                at.target -= 1;
                at.left -= 1;
                entries[at.target] = entries[at.left];
                if at.left == at.start {
                    break 'merge;
                }
                if from_left < MIN_GALLOP && from_right < MIN_GALLOP {
                    break;
                }
            }
            min_gallop += 1;
        }
        self.min_gallop = min_gallop;
        Ok(())
    }
}

/// Where a merge from the left stands: `target..right` is the gap.
struct Forward {
    target: usize,
    left: usize,
    right: usize,
    end: usize,
}

/// Where a merge from the right stands: `left..target` is the gap.
struct Backward {
    start: usize,
    left: usize,
    right: usize,
    target: usize,
}

/// How many entries of a run are not above `key`: searched in growing steps from `hint` on.
fn upper_bound<K: Copy, C: Compares<K>>(compares: &C, key: K, run: &[Entry<K>], hint: usize) -> PyResult<usize> {
    let (mut low, mut high);
    let mut step = 1;
    if compares.less(key, run[hint].key)? {
        high = hint;
        low = loop {
            if step > hint {
                break 0;
            }
            if compares.less(key, run[hint - step].key)? {
                high = hint - step;
                step = step * 2 + 1;
            } else {
                break hint - step + 1;
            }
        };
    } else {
        low = hint + 1;
        high = loop {
            if step >= run.len() - hint {
                break run.len();
            }
            if compares.less(key, run[hint + step].key)? {
                break hint + step;
            }
            low = hint + step + 1;
            step = step * 2 + 1;
        };
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if compares.less(key, run[middle].key)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

/// How many entries of a run are below `key`.
fn lower_bound<K: Copy, C: Compares<K>>(compares: &C, key: K, run: &[Entry<K>], hint: usize) -> PyResult<usize> {
    let (mut low, mut high);
    let mut step = 1;
    if compares.less(run[hint].key, key)? {
        low = hint + 1;
        high = loop {
            if step >= run.len() - hint {
                break run.len();
            }
            if !compares.less(run[hint + step].key, key)? {
                break hint + step;
            }
            low = hint + step + 1;
            step = step * 2 + 1;
        };
    } else {
        high = hint;
        low = loop {
            if step > hint {
                break 0;
            }
            if !compares.less(run[hint - step].key, key)? {
                high = hint - step;
                step = step * 2 + 1;
            } else {
                break hint - step + 1;
            }
        };
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if compares.less(run[middle].key, key)? {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use hognose_allocators::collections::TryVec;
    use hognose_allocators::{Heap, HeapKind, attach_heap};

    use super::{Compares, Entry, sort};
    use crate::object::{PyObject, PyResult, Raised};

    struct Counting<'a> {
        left: &'a core::cell::Cell<usize>,
    }

    impl Compares<u32> for Counting<'_> {
        fn less(&self, a: u32, b: u32) -> PyResult<bool> {
            match self.left.get().checked_sub(1) {
                Some(left) => self.left.set(left),
                None => return Err(Raised::already_set()),
            }
            Ok(a >> 8 < b >> 8)
        }
    }

    /// Numbers with much, little or no order in them; the low 8 bits are not compared.
    fn patterns(n: usize) -> impl Iterator<Item = std::vec::Vec<u32>> {
        let mut seed = 0x2545_F491_4F6C_DD1Du64;
        (0..6).map(move |kind| {
            (0..n)
                .map(|i| {
                    seed ^= seed << 13;
                    seed ^= seed >> 7;
                    seed ^= seed << 17;
                    let random = (seed >> 40) as u32;
                    let value = match kind {
                        0 => random,
                        1 => i as u32,
                        2 => (n - i) as u32,
                        3 => random % 4,
                        4 => (i % 97) as u32,
                        _ => i as u32 + u32::from(random % 50 == 0) * (random % 1000),
                    };
                    ((value & 0xFFFF) << 8) | (random & 0xFF)
                })
                .collect()
        })
    }

    /// Runs `f` with a heap for the merge buffer.
    fn with_heap(f: impl FnOnce()) {
        let heap = Heap::new(HeapKind::Malloc).unwrap();
        let previous = attach_heap(heap.as_ptr());
        f();
        attach_heap(previous);
        // SAFETY: nothing is left in the heap, and nothing refers to it any more.
        unsafe { Heap::destroy(heap) };
    }

    fn entries(values: &[u32]) -> TryVec<Entry<u32>> {
        let mut entries = TryVec::new();
        for (index, value) in values.iter().enumerate() {
            entries
                .try_push(Entry { key: *value, item: core::ptr::without_provenance_mut::<PyObject>(index) })
                .unwrap();
        }
        entries
    }

    #[test]
    fn sorting_is_stable_and_right_for_all_sizes() {
        with_heap(|| {
            for n in (0..200).chain([1000, 4096, 10_001]) {
                for values in patterns(n) {
                    let mut wanted: std::vec::Vec<(u32, usize)> = values.iter().copied().zip(0..).collect();
                    wanted.sort_by_key(|(value, _)| value >> 8);
                    let mut sorted = entries(&values);
                    let left = core::cell::Cell::new(usize::MAX);
                    sort(&mut sorted, &Counting { left: &left }).unwrap();
                    let got: std::vec::Vec<(u32, usize)> = sorted.iter().map(|e| (e.key, e.item.addr())).collect();
                    assert!(got == wanted, "{n} values {values:?}");
                }
            }
        });
    }

    #[test]
    fn a_failing_comparison_leaves_a_permutation() {
        with_heap(|| {
            for values in patterns(700) {
                for limit in (0..7000).step_by(61) {
                    let mut sorted = entries(&values);
                    let left = core::cell::Cell::new(limit);
                    let _ = sort(&mut sorted, &Counting { left: &left });
                    let mut places: std::vec::Vec<usize> = sorted.iter().map(|e| e.item.addr()).collect();
                    places.sort_unstable();
                    assert!(places.iter().copied().eq(0..values.len()));
                }
            }
        });
    }
}
