//! The statistics of `PYTHONMALLOCSTATS` and `sys._debugmallocstats()`, in CPython's format.
//!
//! A page is called a pool there. What CPython has and this runtime has not, the tree that finds the
//! arena of an address, is shown with its lines and zeros: here an address is compared with one reserved
//! range. A heap of kind malloc has nothing to show, one of mimalloc the short block that CPython prints
//! for it.

use core::fmt::{self, Write};

use hognose_allocators::{ARENA_SIZE, Heap, HeapKind, PAGE_SIZE, SMALL_LIMIT};

use super::finalize::StandardError;
use crate::state::ThreadState;
use crate::types::exceptions::{self as exc, PyBaseException};

/// Prints on standard error when a heap is about to take an arena; made known by `PYTHONMALLOCSTATS`.
pub fn print(heap: &Heap) {
    // Figures that cannot be written have no one to be told to.
    let _ = write(heap, &mut StandardError);
}

/// A number with a comma before each three digits.
struct Commas(u64);

impl fmt::Display for Commas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Twenty digits and six commas.
        let mut text = [0u8; 26];
        let (mut at, mut rest, mut digits) = (text.len(), self.0, 0);
        loop {
            if digits != 0 && digits % 3 == 0 {
                at -= 1;
                text[at] = b',';
            }
            at -= 1;
            text[at] = b'0' + (rest % 10) as u8;
            digits += 1;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        // Digits and commas are ASCII.
        f.pad(core::str::from_utf8(&text[at..]).unwrap_or_default())
    }
}

fn line(out: &mut dyn Write, label: fmt::Arguments<'_>, value: usize) -> fmt::Result {
    struct Width(usize);
    impl Write for Width {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += text.len();
            Ok(())
        }
    }
    let mut width = Width(0);
    width.write_fmt(label)?;
    out.write_fmt(label)?;
    writeln!(out, "{:1$}={2:>21}", "", 35usize.saturating_sub(width.0), Commas(value as u64))
}

/// Writes the statistics of a heap.
pub fn write(heap: &Heap, out: &mut dyn Write) -> fmt::Result {
    match heap.kind() {
        HeapKind::Malloc => Ok(()),
        #[cfg(feature = "pymalloc")]
        HeapKind::Pymalloc => write_pymalloc(heap, out),
        #[cfg(feature = "mimalloc")]
        HeapKind::Mimalloc => write_mimalloc(heap, out),
    }
}

#[cfg(feature = "pymalloc")]
fn write_pymalloc(heap: &Heap, out: &mut dyn Write) -> fmt::Result {
    let all = heap.heap_stats();
    writeln!(out, "Small block threshold = {SMALL_LIMIT}, in {} size classes.\n", all.classes.len())?;
    out.write_str("class   size   num pools   blocks in use  avail blocks\n")?;
    out.write_str("-----   ----   ---------   -------------  ------------\n")?;
    let mut in_use = 0;
    for (class, row) in all.classes.iter().enumerate().filter(|(_, row)| row.pages != 0) {
        writeln!(out, "{class:>5}{:>7}{:>12}{:>16}{:>14}", row.block_size, row.pages, row.used, row.available)?;
        in_use += row.used * row.block_size;
    }
    out.write_str("\n")?;
    let (arenas, lost) = (&all.arenas, &all.lost);
    line(out, format_args!("# arenas allocated total"), arenas.total)?;
    line(out, format_args!("# arenas reclaimed"), arenas.reclaimed)?;
    line(out, format_args!("# arenas highwater mark"), arenas.highwater)?;
    line(out, format_args!("# arenas allocated current"), arenas.current)?;
    line(out, format_args!("{} arenas * {ARENA_SIZE} bytes/arena", arenas.current), arenas.current * ARENA_SIZE)?;
    out.write_str("\n")?;
    line(out, format_args!("# bytes in allocated blocks"), in_use)?;
    line(out, format_args!("# bytes in available blocks"), lost.free_blocks)?;
    line(out, format_args!("{} unused pools * {PAGE_SIZE} bytes", arenas.unused_pages), lost.unused_pages)?;
    line(out, format_args!("# bytes lost to pool headers"), lost.page_headers)?;
    line(out, format_args!("# bytes lost to quantization"), lost.page_tails)?;
    line(out, format_args!("# bytes lost to arena alignment"), lost.alignment)?;
    let total = in_use + lost.free_blocks + lost.unused_pages + lost.page_headers + lost.page_tails + lost.alignment;
    line(out, format_args!("Total"), total)?;
    out.write_str("\narena map counts\n")?;
    line(out, format_args!("# arena map mid nodes"), 0)?;
    line(out, format_args!("# arena map bot nodes"), 0)?;
    out.write_str("\n")?;
    line(out, format_args!("# bytes lost to arena map root"), 0)?;
    line(out, format_args!("# bytes lost to arena map mid"), 0)?;
    line(out, format_args!("# bytes lost to arena map bot"), 0)?;
    line(out, format_args!("Total"), 0)
}

#[cfg(feature = "mimalloc")]
fn write_mimalloc(heap: &Heap, out: &mut dyn Write) -> fmt::Result {
    let all = heap.heap_stats();
    let layout = hognose_allocators::mimalloc_areas(heap);
    writeln!(out, "Small block threshold = {}, in {} size classes.", layout.small_limit, layout.size_classes)?;
    writeln!(out, "Medium block threshold = {}", layout.medium_limit)?;
    writeln!(out, "Large object max size = {}", layout.large_limit)?;
    writeln!(out, "    Allocated Blocks: {}", all.mem.live_blocks + all.obj.live_blocks)?;
    writeln!(out, "    Allocated Bytes: {}", all.held_bytes)?;
    writeln!(out, "    Allocated Bytes w/ Overhead: {}", layout.used)?;
    writeln!(out, "    Bytes Reserved: {}", layout.reserved)?;
    writeln!(out, "    Bytes Committed: {}", layout.committed)
}

/// Prints the lists of free objects that the runtime keeps: it has one, the MemoryErrors that are ready
/// for when there is no memory left to make one.
pub fn write_free_lists(ts: &ThreadState, out: &mut dyn Write) -> fmt::Result {
    let ready = exc::spare_count(ts);
    let size = size_of::<PyBaseException>();
    let digits = |mut n: usize| {
        let mut digits = 1;
        while n >= 10 {
            n /= 10;
            digits += 1;
        }
        digits
    };
    let width = digits(ready) + " free MemoryErrors * ".len() + digits(size) + " bytes each =".len();
    write!(out, "{:1$}", "", 50usize.saturating_sub(width))?;
    writeln!(out, "{ready} free MemoryErrors * {size} bytes each ={:>21}", Commas((ready * size) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_commas() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (u64::MAX, "18,446,744,073,709,551,615")] {
            assert_eq!(std::format!("{}", Commas(n)), text);
        }
    }

    #[test]
    fn a_line_has_its_columns() {
        let mut text = std::string::String::new();
        line(&mut text, format_args!("Total"), 2_097_152).unwrap();
        assert_eq!(text, "Total                              =            2,097,152\n");
    }
}
