//! Finding a text in a text, over any two storage widths.
//!
//! A search looks for the needle's first unit with a vectorized scan and compares what follows. Texts that
//! defeat this, because they are full of beginnings of the needle, are noticed by the work done per unit
//! passed; the search goes on with the two-way algorithm then, which is linear whatever the text.

use super::units::Unit;

/// The position of a unit.
#[inline]
pub(crate) fn find_unit<U: Unit>(units: &[U], unit: U) -> Option<usize> {
    if U::WIDTH == 1 {
        let byte: u32 = unit.into();
        // SAFETY: the slice is readable for its whole length.
        let found = unsafe { libc::memchr(units.as_ptr().cast(), byte as i32, units.len()) };
        return if found.is_null() { None } else { Some(found.addr() - units.as_ptr().addr()) };
    }
    const BLOCK: usize = 32;
    let (blocks, _) = units.as_chunks::<BLOCK>();
    // Without an early exit the comparisons of a block become vector instructions.
    let full = blocks.iter().position(|block| block.iter().fold(false, |hit, u| hit | (*u == unit)));
    let from = full.unwrap_or(blocks.len()) * BLOCK;
    units[from..].iter().position(|u| *u == unit).map(|at| from + at)
}

/// The last position of a unit.
#[inline]
pub(crate) fn rfind_unit<U: Unit>(units: &[U], unit: U) -> Option<usize> {
    const BLOCK: usize = 32;
    let (rest, blocks) = units.as_rchunks::<BLOCK>();
    match blocks.iter().rposition(|block| block.iter().fold(false, |hit, u| hit | (*u == unit))) {
        Some(block) => {
            let from = rest.len() + block * BLOCK;
            units[from..from + BLOCK].iter().rposition(|u| *u == unit).map(|at| from + at)
        }
        None => rest.iter().rposition(|u| *u == unit),
    }
}

#[inline(always)]
fn same<H: Unit, N: Unit>(text: &[H], needle: &[N]) -> bool {
    if H::WIDTH == N::WIDTH {
        // SAFETY: both are arrays of plain integers of the same width.
        return unsafe {
            core::slice::from_raw_parts(text.as_ptr().cast::<u8>(), size_of_val(text))
                == core::slice::from_raw_parts(needle.as_ptr().cast::<u8>(), size_of_val(needle))
        };
    }
    text.len() == needle.len() && text.iter().zip(needle).all(|(a, b)| (*a).into() == (*b).into())
}

/// Whether `text` has `needle` at `at`. The caller has made sure that it fits there.
#[inline(always)]
pub(crate) fn matches_at<H: Unit, N: Unit>(text: &[H], at: usize, needle: &[N]) -> bool {
    same(&text[at..at + needle.len()], needle)
}

/// Looks for one needle, again and again.
pub(crate) struct Finder<'n, N: Unit> {
    needle: &'n [N],
    two_way: Option<TwoWay>,
}

impl<'n, N: Unit> Finder<'n, N> {
    /// A finder of `needle`, which is not empty.
    pub fn new(needle: &'n [N]) -> Finder<'n, N> {
        debug_assert!(!needle.is_empty());
        Finder { needle, two_way: None }
    }

    /// The first place of the needle from `from` on.
    pub fn find<H: Unit>(&mut self, text: &[H], from: usize) -> Option<usize> {
        let needle = self.needle;
        let first = H::fit(needle[0].into())?;
        if needle.len() == 1 {
            return find_unit(&text[from..], first).map(|at| from + at);
        }
        let last_start = text.len().checked_sub(needle.len())?;
        if let Some(two_way) = &self.two_way {
            return two_way.find(text, needle, from);
        }
        let mut at = from;
        let mut work = 0;
        while at <= last_start {
            at += find_unit(&text[at..=last_start], first)?;
            let matching =
                text[at + 1..].iter().zip(&needle[1..]).take_while(|(a, b)| (**a).into() == (**b).into()).count();
            if matching == needle.len() - 1 {
                return Some(at);
            }
            at += 1;
            work += matching + 4;
            if work > 8 * (at - from) + 256 {
                return self.two_way.insert(TwoWay::new(needle)).find(text, needle, at);
            }
        }
        None
    }
}

/// The first place of `needle` in `text`.
pub(crate) fn find<H: Unit, N: Unit>(text: &[H], needle: &[N]) -> Option<usize> {
    if needle.is_empty() {
        return Some(0);
    }
    if needle.len() > text.len() || N::WIDTH > H::WIDTH {
        // A needle that is stored more widely has a character that the text cannot have.
        return None;
    }
    Finder::new(needle).find(text, 0)
}

/// The last place of `needle` in `text`.
pub(crate) fn rfind<H: Unit, N: Unit>(text: &[H], needle: &[N]) -> Option<usize> {
    let Some((last, head)) = needle.split_last() else {
        return Some(text.len());
    };
    if needle.len() > text.len() || N::WIDTH > H::WIDTH {
        return None;
    }
    let last = H::fit((*last).into())?;
    let mut end = text.len();
    loop {
        let at = head.len() + rfind_unit(&text[head.len()..end], last)?;
        if matches_at(text, at - head.len(), head) {
            return Some(at - head.len());
        }
        end = at;
    }
}

/// How often `needle` is in `text` without overlaps, counted up to `max`.
pub(crate) fn count<H: Unit, N: Unit>(text: &[H], needle: &[N], max: usize) -> usize {
    if needle.is_empty() {
        return max.min(text.len() + 1);
    }
    if needle.len() > text.len() || N::WIDTH > H::WIDTH {
        return 0;
    }
    if let [unit] = needle {
        let Some(unit) = H::fit((*unit).into()) else { return 0 };
        if max >= text.len() {
            return text.iter().filter(|u| **u == unit).count();
        }
    }
    let mut finder = Finder::new(needle);
    let (mut found, mut from) = (0, 0);
    while found < max {
        match finder.find(text, from) {
            Some(at) => from = at + needle.len(),
            None => break,
        }
        found += 1;
    }
    found
}

/// The two-way algorithm (Crochemore and Perrin, 1991): the needle is cut at a critical position; the right
/// part is compared forwards, the left part backwards, and each mismatch moves on by as much as it proves.
struct TwoWay {
    cut: usize,
    period: usize,
    /// The needle has this period throughout, so what matched before a shift need not be compared again.
    periodic: bool,
}

impl TwoWay {
    fn new<N: Unit>(needle: &[N]) -> TwoWay {
        let (cut_a, period_a) = maximal_suffix(needle, |a, b| a < b);
        let (cut_b, period_b) = maximal_suffix(needle, |a, b| a > b);
        let (cut, period) = if cut_a > cut_b { (cut_a, period_a) } else { (cut_b, period_b) };
        let periodic = period + cut <= needle.len() && needle[..cut] == needle[period..period + cut];
        let period = if periodic { period } else { cut.max(needle.len() - cut) + 1 };
        TwoWay { cut, period, periodic }
    }

    fn find<H: Unit, N: Unit>(&self, text: &[H], needle: &[N], from: usize) -> Option<usize> {
        let equal = |at: usize, index: usize| text[at + index].into() == needle[index].into();
        let mut at = from;
        let mut known = 0;
        while at + needle.len() <= text.len() {
            let mut index = self.cut.max(known);
            while index < needle.len() && equal(at, index) {
                index += 1;
            }
            if index < needle.len() {
                at += index - self.cut + 1;
                known = 0;
                continue;
            }
            let mut index = self.cut;
            while index > known && equal(at, index - 1) {
                index -= 1;
            }
            if index <= known {
                return Some(at);
            }
            at += self.period;
            known = if self.periodic { needle.len() - self.period } else { 0 };
        }
        None
    }
}

/// Where the largest suffix by `less` begins, and its period.
fn maximal_suffix<N: Unit>(needle: &[N], less: impl Fn(N, N) -> bool) -> (usize, usize) {
    let (mut suffix, mut candidate, mut offset, mut period) = (0, 1, 0, 1);
    while candidate + offset < needle.len() {
        let (a, b) = (needle[candidate + offset], needle[suffix + offset]);
        if a == b {
            if offset + 1 == period {
                candidate += period;
                offset = 0;
            } else {
                offset += 1;
            }
        } else if less(a, b) {
            candidate += offset + 1;
            offset = 0;
            period = candidate - suffix;
        } else {
            suffix = candidate;
            candidate += 1;
            offset = 0;
            period = 1;
        }
    }
    (suffix, period)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(text: &[u8], needle: &[u8], from: usize) -> Option<usize> {
        (from..text.len() + 1).find(|at| text[*at..].starts_with(needle))
    }

    #[test]
    fn every_search_finds_what_a_naive_one_does() {
        let mut seed = 1u64;
        let mut random = |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % below
        };
        for _ in 0..20_000 {
            let letters = 1 + random(3);
            let text: Vec<u8> = (0..random(80)).map(|_| b'a' + random(letters) as u8).collect();
            let needle: Vec<u8> = (0..1 + random(12)).map(|_| b'a' + random(letters) as u8).collect();
            let wide: Vec<u32> = text.iter().map(|b| u32::from(*b)).collect();
            let expected = naive(&text, &needle, 0);
            assert_eq!(find(&text, &needle), expected, "{text:?} {needle:?}");
            assert_eq!(find(&wide, &needle), expected, "{text:?} {needle:?}");
            assert_eq!(TwoWay::new(&needle).find(&text, &needle, 0), expected, "{text:?} {needle:?}");
            let last = (0..=text.len()).rev().find(|at| text[*at..].starts_with(&needle));
            assert_eq!(rfind(&wide, &needle), last, "{text:?} {needle:?}");
            assert_eq!(rfind(&text, &needle), last, "{text:?} {needle:?}");
        }
    }

    #[test]
    fn a_text_full_of_beginnings_is_searched_in_linear_work() {
        let text = vec![b'a'; 200_000];
        let mut needle = vec![b'a'; 50_000];
        needle.push(b'b');
        assert_eq!(find(&text, &needle), None);
        assert_eq!(count(&text, &needle[..50_000], usize::MAX), 4);
    }
}
