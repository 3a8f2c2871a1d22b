//! What is measured.

use std::ffi::c_void;
use std::ptr;

use hognose_allocators::{Heap, current_heap};

use crate::cycles::{measure, opaque};
use crate::peers::Peer;
use crate::trace::Trace;

/// A result: its name, the least and the median.
pub type Row = (String, f64, f64);

const SIZE: usize = 48;
const OBJ: usize = 2;

/// The same numbers for every peer.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Which block is replaced, by how many bytes.
fn replacements() -> Vec<(u16, u16)> {
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    (0..1 << 16).map(|_| random.next()).map(|x| ((x % 4096) as u16, (16 + (x >> 40) % 497) as u16)).collect()
}

/// The small cases through the C ABI.
pub fn small<P: Peer>(rows: &mut Vec<Row>) {
    let mut put = |name: &str, (least, median): (f64, f64)| rows.push((name.into(), least, median));
    put(
        "pair",
        measure(4000, 500, || {
            for _ in 0..500 {
                P::free(OBJ, opaque(P::malloc(OBJ, SIZE)));
            }
        }),
    );
    let mut blocks = vec![ptr::null_mut(); 1000];
    put(
        "batch",
        measure(2000, 1000, || {
            for block in &mut blocks {
                *block = P::malloc(OBJ, SIZE);
            }
            for block in &blocks {
                P::free(OBJ, *block);
            }
        }),
    );
    let steps = replacements();
    let mut live: Vec<*mut c_void> = (0..4096).map(|i| P::malloc(OBJ, 16 + i % 497)).collect();
    let mut at = 0;
    put(
        "random",
        measure(2000, 2048, || {
            for (index, size) in &steps[at..at + 2048] {
                let block = &mut live[usize::from(*index)];
                P::free(OBJ, *block);
                *block = P::malloc(OBJ, usize::from(*size));
            }
            at = (at + 2048) % steps.len();
        }),
    );
    for block in live {
        P::free(OBJ, block);
    }
}

/// The runtime's own way: inlined, with the size known when a block is freed.
pub fn typed(rows: &mut Vec<Row>) {
    // SAFETY: `hog_start` attached it, and nobody destroys it.
    let heap: &Heap = unsafe { &*opaque(current_heap()) };
    let pair = measure(4000, 500, || {
        for _ in 0..500 {
            // SAFETY: a live block of that size.
            unsafe { heap.obj_free_sized(opaque(heap.obj_alloc(SIZE)), SIZE) };
        }
    });
    rows.push(("pair".into(), pair.0, pair.1));
    let mut blocks = vec![ptr::null_mut(); 1000];
    let stream = measure(2000, 1000, || {
        for block in &mut blocks {
            *block = heap.obj_alloc(SIZE);
        }
        for block in &blocks {
            // SAFETY: live blocks of that size.
            unsafe { heap.obj_free_sized(opaque(*block), SIZE) };
        }
    });
    rows.push(("batch".into(), stream.0, stream.1));
    let steps = replacements();
    let mut live: Vec<_> = (0..4096).map(|i| (heap.obj_alloc(16 + i % 497), 16 + i % 497)).collect();
    let mut at = 0;
    let random = measure(2000, 2048, || {
        for (index, size) in &steps[at..at + 2048] {
            let (block, old) = &mut live[usize::from(*index)];
            // SAFETY: a live block of that size.
            unsafe { heap.obj_free_sized(*block, *old) };
            *old = usize::from(*size);
            *block = heap.obj_alloc(*old);
        }
        at = (at + 2048) % steps.len();
    });
    rows.push(("random".into(), random.0, random.1));
    for (block, size) in live {
        // SAFETY: a live block of that size.
        unsafe { heap.obj_free_sized(block, size) };
    }
}

/// A heap with 3 MiB of objects in it, destroyed: microseconds.
pub fn destroy(rows: &mut Vec<Row>) {
    // SAFETY: as in `typed`.
    let kind = unsafe { (*current_heap()).kind() };
    let mut times: Vec<f64> = (0..200)
        .map(|_| {
            let heap = Heap::new(kind).expect("memory for a heap");
            let mut bytes = 0;
            while bytes < 3 << 20 {
                let size = 16 + bytes % 240;
                // SAFETY: the heap lives until the line below.
                unsafe { heap.as_ref().obj_alloc(size).write_bytes(1, size) };
                bytes += size;
            }
            let start = std::time::Instant::now();
            // SAFETY: nothing of it is used any more.
            unsafe { Heap::destroy(heap) };
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    rows.push(("destroy".into(), times[0], times[100]));
}

/// Executes an event. Each operation of each domain is a way of its own, so that only one choice is to be foreseen.
#[inline(always)]
fn step<P: Peer>(kind: u32, block: &mut *mut c_void, size: usize) {
    macro_rules! ways {
        ($($domain:literal: $malloc:literal $calloc:literal $realloc:literal $free:literal;)*) => {
            match kind {
                $(
                    $malloc => *block = P::malloc($domain, size),
                    $calloc => *block = P::calloc($domain, 1, size),
                    $realloc => *block = P::realloc($domain, *block, size),
                    $free => {
                        P::free($domain, *block);
                        *block = ptr::null_mut();
                        return;
                    }
                )*
                _ => unreachable!("four operations in three domains"),
            }
        };
    }
    // As `Event::kind` has them.
    ways! {
        0: 0 1 2 3;
        1: 4 5 6 7;
        2: 8 9 10 11;
    }
    if size != 0 {
        // SAFETY: the block has that many bytes.
        unsafe {
            block.cast::<u8>().write_volatile(1);
            block.cast::<u8>().add(size - 1).write_volatile(1);
        }
    }
}

/// Takes the free memory that a process has already: a runtime that has started has given back some of what its start took,
/// and would replay a part of the trace there. First the pages that any size can have, until addresses are wanted from the
/// system; then the free blocks of each size, until the resident set grows.
fn exhaust<P: Peer>() {
    /// More than any of the peers has free after its start.
    const MOST: usize = 8 << 20;
    let take = |size: usize, enough: &dyn Fn() -> bool| {
        const AT_ONCE: usize = 32;
        for _ in 0..MOST / (AT_ONCE * size) {
            for _ in 0..AT_ONCE {
                let block = P::malloc(OBJ, size).cast::<u8>();
                // SAFETY: the block has that many bytes.
                unsafe {
                    block.write_volatile(1);
                    block.add(size - 1).write_volatile(1);
                }
            }
            if enough() {
                break;
            }
        }
    };
    let mapped = line_of("/proc/self/status", "VmSize:");
    take(512, &|| line_of("/proc/self/status", "VmSize:") >= mapped + 1024.0);
    for size in (16..=512).step_by(16) {
        let before = resident();
        take(size, &|| resident() > before + 4.0);
    }
}

/// Nanoseconds that an event takes without an allocator: to read it, to find its way, to note a block. This is taken from all
/// peers' times.
fn reading(trace: &Trace) -> f64 {
    let mut blocks = vec![ptr::null_mut::<c_void>(); trace.slots.len()];
    let once = |blocks: &mut [*mut c_void]| {
        let start = std::time::Instant::now();
        for event in &trace.events {
            let block = &mut blocks[event.slot()];
            // As many ways as there are with an allocator.
            *block = opaque(match event.kind() {
                kind @ 0..12 if kind % 4 == 3 => ptr::null_mut(),
                0..12 => ptr::without_provenance_mut(event.size as usize),
                _ => unreachable!("four operations in three domains"),
            });
        }
        start.elapsed().as_secs_f64()
    };
    (0..5).map(|_| once(&mut blocks)).fold(f64::MAX, f64::min) * 1e9 / trace.events.len() as f64
}

/// Replays a trace; nanoseconds for an event, and the growth of the resident set in the first replay.
///
/// The events are cut into pieces, each piece is timed in every replay, and the result is the sum of the
/// least (or median) times of the pieces: who else uses the machine disturbs a piece now and then, but
/// not each time the same.
pub fn replay<P: Peer>(trace: &Trace, rounds: usize, rows: &mut Vec<Row>) {
    const PIECE: usize = 4096;
    let mut blocks = vec![ptr::null_mut::<c_void>(); trace.slots.len()];
    for block in &mut blocks {
        // The array is resident from here on.
        // SAFETY: an element of the array.
        unsafe { ptr::from_mut(block).write_volatile(ptr::null_mut()) };
    }
    let pieces = trace.events.len().div_ceil(PIECE);
    let mut times = vec![Vec::with_capacity(rounds); pieces];
    let mut grown = 0.0;
    for round in 0..rounds {
        if round == 0 {
            // What the reading of the trace has left to the C library would hide what is taken from it.
            // SAFETY: any thread may call it.
            unsafe { libc::malloc_trim(0) };
            exhaust::<P>();
        }
        let before = resident();
        for (piece, events) in trace.events.chunks(PIECE).enumerate() {
            let start = std::time::Instant::now();
            for event in events {
                step::<P>(event.kind(), &mut blocks[event.slot()], event.size as usize);
            }
            times[piece].push(start.elapsed().as_secs_f64());
            if round == 0 {
                // Not less than a page, so that a mean can be made.
                grown = f64::max(grown, (resident() - before).max(4.0));
            }
        }
        for (block, domain) in blocks.iter_mut().zip(&trace.slots) {
            if !block.is_null() {
                P::free(usize::from(*domain), *block);
                *block = ptr::null_mut();
            }
        }
    }
    let (mut least, mut median) = (0.0, 0.0);
    for piece in &mut times {
        piece.sort_by(f64::total_cmp);
        least += piece[0];
        median += piece[piece.len() / 2];
    }
    let (events, reading) = (trace.events.len() as f64, reading(trace));
    rows.push((format!("replay {}", trace.name), least * 1e9 / events - reading, median * 1e9 / events - reading));
    rows.push((format!("resident {}", trace.name), grown, grown));
}

/// The resident set in KiB, without what is mapped from files: the code of an allocator that ran before is there already.
/// Added up when it is asked for; the figures in `/proc/self/status` are less exact.
fn resident() -> f64 {
    line_of("/proc/self/smaps_rollup", "Anonymous:")
}

fn line_of(path: &str, line: &str) -> f64 {
    let text = std::fs::read_to_string(path).expect("a file about this process");
    let found = text.lines().find_map(|l| l.strip_prefix(line)).expect("the line");
    found.trim().trim_end_matches(" kB").parse().expect("a number")
}
