//! `heap_map()`: the heap as a picture, a row for each arena and a square for each of its pages.
//!
//! ```text
//!   ┌──┬──┬──┬──┬── … ──┐   coloured: the page holds blocks of mem, obj or obj-gc, the fuller the darker
//!   │▓▓│░░│  │··│       │   grey: it holds memory that nobody uses; white: no memory at all
//!   └──┴──┴──┴──┴── … ──┘   dark grey: the headers of the arena; each square tells its size class and its blocks as a title
//! ```
//!
//! The heap is looked at first, into a list in the raw domain, and drawn afterwards: the text is made in
//! the heap itself.

use hognose_allocators::{ARENA_SIZE, Heap, NoMemory, PAGE_SIZE, PageUse, Raw, Tag, TryVec};

use core::fmt::Write;

use crate::object::{PyObject, PyResult};
use crate::state::ThreadState;
use crate::types::str::StrBuilder;

/// A page as it is drawn.
#[derive(Clone, Copy)]
struct Square {
    arena: usize,
    column: usize,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Nothing,
    Empty,
    Headers,
    Blocks { tag: Tag, block_size: usize, used: usize, capacity: usize },
}

/// Sizes in the picture.
const SIDE: usize = 12;
const LEFT: usize = 130;
const TOP: usize = 64;
const COLUMNS: usize = ARENA_SIZE / PAGE_SIZE;

fn look(heap: &Heap) -> Result<TryVec<Square, Raw>, NoMemory> {
    let mut squares = TryVec::<Square, Raw>::new_in(Raw);
    let mut result = Ok(());
    heap.walk_arenas(&mut |base, uses| {
        for (index, found) in uses.iter().enumerate() {
            // A page with blocks is told of by the second walk.
            let state = match found {
                PageUse::Blocks => continue,
                PageUse::Empty => State::Empty,
                PageUse::Headers => State::Headers,
                PageUse::Nothing => State::Nothing,
            };
            if result.is_ok() {
                result = squares.try_push(Square { arena: base, column: index, state });
            }
        }
    });
    heap.walk_pages(&mut |page| {
        let (used, capacity) = page.occupancy();
        let state = State::Blocks { tag: page.tag(), block_size: page.block_size(), used, capacity };
        if result.is_ok() {
            let (arena, column) = (page.arena(), (page.address() - page.arena()) / PAGE_SIZE);
            result = squares.try_push(Square { arena, column, state });
        }
    });
    result?;
    squares.as_mut_slice().sort_unstable_by_key(|square| (square.arena, square.column));
    Ok(squares)
}

fn colour(tag: Tag) -> &'static str {
    match tag {
        Tag::Mem => "#2b7bba",
        Tag::Obj => "#c8620f",
        Tag::ObjGc => "#3b8f3e",
    }
}

fn name(tag: Tag) -> &'static str {
    match tag {
        Tag::Mem => "mem",
        Tag::Obj => "obj",
        Tag::ObjGc => "obj-gc",
    }
}

pub(super) fn heap_map(ts: &ThreadState, _: &PyObject) -> PyResult {
    let squares = look(ts.heap())?;
    let stats = ts.heap().heap_stats();
    let mut svg = StrBuilder::new();
    // The builder raises nothing by itself: the only failure is that of memory.
    match draw(&mut svg, &squares, stats.large_blocks, stats.large_bytes) {
        Ok(()) => Ok(svg.finish(ts)?.into_object()),
        Err(core::fmt::Error) => Err(ts.raise_no_memory()),
    }
}

fn draw(svg: &mut StrBuilder, squares: &[Square], large_blocks: usize, large_bytes: usize) -> core::fmt::Result {
    let rows = 1 + squares.windows(2).filter(|pair| pair[0].arena != pair[1].arena).count();
    let (width, height) = (LEFT + COLUMNS * SIDE + 20, TOP + rows * SIDE + 30);
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"monospace\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"10\" y=\"20\" font-size=\"14\">heap: a row is an arena of {} KiB, a square a page of {} KiB</text>",
        ARENA_SIZE >> 10,
        PAGE_SIZE >> 10
    )?;
    let mut x = 10;
    for tag in Tag::ALL {
        writeln!(
            svg,
            "<rect x=\"{x}\" y=\"32\" width=\"{SIDE}\" height=\"{SIDE}\" fill=\"{}\"/><text x=\"{}\" y=\"42\">{}</text>",
            colour(tag),
            x + SIDE + 5,
            name(tag)
        )?;
        x += 90;
    }
    writeln!(
        svg,
        "<text x=\"{x}\" y=\"42\">pale: few blocks; dark grey: headers; grey: kept empty; white: no memory; besides {large_blocks} large blocks, \
         {} KiB</text>",
        large_bytes >> 10
    )?;
    let mut row = 0;
    for (index, square) in squares.iter().enumerate() {
        let first = index == 0 || squares[index - 1].arena != square.arena;
        row += usize::from(first && index != 0);
        let y = TOP + row * SIDE;
        if first {
            writeln!(svg, "<text x=\"10\" y=\"{}\">{:#x}</text>", y + SIDE - 2, square.arena)?;
        }
        let x = LEFT + square.column * SIDE;
        let side = SIDE - 1;
        match square.state {
            State::Nothing => writeln!(
                svg,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{side}\" height=\"{side}\" fill=\"none\" stroke=\"#e4e4e4\"/>"
            )?,
            State::Headers => {
                writeln!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{side}\" height=\"{side}\" fill=\"#444444\"/>")?;
            }
            State::Empty => {
                writeln!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{side}\" height=\"{side}\" fill=\"#c4c4c4\"/>")?;
            }
            State::Blocks { tag, block_size, used, capacity } => {
                // Opacity in percent: an almost empty page can still be seen.
                let opacity = 15 + 85 * used / capacity.max(1);
                writeln!(
                    svg,
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{side}\" height=\"{side}\" fill=\"{}\" fill-opacity=\"{}.{:02}\">\
                     <title>{}: {used} of {capacity} blocks of {block_size} bytes</title></rect>",
                    colour(tag),
                    opacity / 100,
                    opacity % 100,
                    name(tag)
                )?;
            }
        }
    }
    svg.write_str("</svg>\n")
}
