//! `_heapq`: binary heaps in lists, smallest or largest item first.

use crate::modules::ModuleSpec;
use crate::object::{AsObject, CompareOp, MethodDef, PyObject, PyRef, PyResult, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::list::PyList;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_heapq",
    doc: "Priority queues: lists in which no item comes before its parent, that is the one at half its index.",
    methods: &[
        MethodDef::positional(
            "heappush",
            |ts, _, args| push(ts, args, MIN, "heappush"),
            "heappush($module, heap, item, /)\n--\n\nPut an item into a heap.",
        ),
        MethodDef::positional(
            "heappushpop",
            |ts, _, args| push_pop(ts, args, MIN, "heappushpop"),
            "heappushpop($module, heap, item, /)\n--\n\nPut an item into a heap, then take the smallest out.",
        ),
        MethodDef::one(
            "heappop",
            |ts, _, heap| pop(ts, heap, MIN, "heappop"),
            "heappop($module, heap, /)\n--\n\nTake the smallest item out of a heap.",
        ),
        MethodDef::positional(
            "heapreplace",
            |ts, _, args| replace(ts, args, MIN, "heapreplace"),
            "heapreplace($module, heap, item, /)\n--\n\nTake the smallest item out of a heap, then put another one in.",
        ),
        MethodDef::one(
            "heapify",
            |ts, _, heap| heapify(ts, heap, MIN, "heapify"),
            "heapify($module, heap, /)\n--\n\nMake a list a heap, in linear time.",
        ),
        MethodDef::positional(
            "heappush_max",
            |ts, _, args| push(ts, args, MAX, "heappush_max"),
            "heappush_max($module, heap, item, /)\n--\n\nPut an item into a max-heap.",
        ),
        MethodDef::positional(
            "heappushpop_max",
            |ts, _, args| push_pop(ts, args, MAX, "heappushpop_max"),
            "heappushpop_max($module, heap, item, /)\n--\n\nPut an item into a max-heap, then take the largest out.",
        ),
        MethodDef::one(
            "heappop_max",
            |ts, _, heap| pop(ts, heap, MAX, "heappop_max"),
            "heappop_max($module, heap, /)\n--\n\nTake the largest item out of a max-heap.",
        ),
        MethodDef::positional(
            "heapreplace_max",
            |ts, _, args| replace(ts, args, MAX, "heapreplace_max"),
            "heapreplace_max($module, heap, item, /)\n--\n\nTake the largest item out of a max-heap, then put another one in.",
        ),
        MethodDef::one(
            "heapify_max",
            |ts, _, heap| heapify(ts, heap, MAX, "heapify_max"),
            "heapify_max($module, heap, /)\n--\n\nMake a list a max-heap, in linear time.",
        ),
    ],
    ..ModuleSpec::EMPTY
};

/// Which of two items comes first.
type Order = bool;
const MIN: Order = false;
const MAX: Order = true;

#[inline]
fn before(ts: &ThreadState, a: &PyObject, b: &PyObject, order: Order) -> PyResult<bool> {
    let (a, b) = if order == MAX { (b, a) } else { (a, b) };
    protocol::compare_bool(ts, a, b, CompareOp::Lt)
}

fn heap_of<'a>(ts: &ThreadState, object: &'a PyObject, name: &str, alone: bool) -> PyResult<&'a PyList> {
    match object.downcast::<PyList>() {
        Some(list) => Ok(list),
        None => {
            let place = if alone { "argument" } else { "argument 1" };
            raise!(ts, exc::TypeError, "{name}() {place} must be list, not {}", object.type_name())
        }
    }
}

fn item(ts: &ThreadState, heap: &PyList, index: usize) -> PyResult {
    match heap.get(index) {
        Some(item) => Ok(item),
        None => raise!(ts, exc::IndexError, "index out of range"),
    }
}

/// Raises RuntimeError when a comparison has changed the heap's size.
fn check_len(ts: &ThreadState, heap: &PyList, len: usize) -> PyResult<()> {
    if heap.len() != len {
        return raise!(ts, exc::RuntimeError, "list changed size during iteration");
    }
    Ok(())
}

/// Moves the item at `at` up to its place; nothing above `top` is looked at.
fn sift_up(ts: &ThreadState, heap: &PyList, top: usize, mut at: usize, order: Order) -> PyResult<()> {
    let len = heap.len();
    let moving = item(ts, heap, at)?;
    while at > top {
        let parent = (at - 1) >> 1;
        let above = item(ts, heap, parent)?;
        let up = before(ts, &moving, &above, order)?;
        check_len(ts, heap, len)?;
        if !up {
            break;
        }
        exchange(heap, at, parent);
        at = parent;
    }
    Ok(())
}

/// Moves the item at `top` down to a leaf along the children that come first, then up to its place: most items belong
/// near the leaves, so this compares less than asking at each step.
fn sift_down(ts: &ThreadState, heap: &PyList, top: usize, order: Order) -> PyResult<()> {
    let len = heap.len();
    item(ts, heap, top)?;
    let mut at = top;
    while at < len / 2 {
        let mut child = 2 * at + 1;
        if child + 1 < len {
            let (left, right) = (item(ts, heap, child)?, item(ts, heap, child + 1)?);
            let left_first = before(ts, &left, &right, order)?;
            check_len(ts, heap, len)?;
            child += usize::from(!left_first);
        }
        exchange(heap, at, child);
        at = child;
    }
    sift_up(ts, heap, top, at, order)
}

/// Exchanges two items, both of which are there.
fn exchange(heap: &PyList, a: usize, b: usize) {
    debug_assert!(a < heap.len() && b < heap.len());
    let places = heap.places();
    // SAFETY: both places are within the list, as the callers have just seen; two owned references change places.
    unsafe { core::ptr::swap(places.add(a), places.add(b)) };
}

fn push(ts: &ThreadState, args: &[&PyObject], order: Order, name: &str) -> PyResult {
    call::check_count(ts, name, args.len(), 2, 2)?;
    let heap = heap_of(ts, args[0], name, false)?;
    heap.append(ts, args[1].new_ref())?;
    sift_up(ts, heap, 0, heap.len() - 1, order)?;
    Ok(ts.none())
}

fn pop(ts: &ThreadState, heap: &PyObject, order: Order, name: &str) -> PyResult {
    let heap = heap_of(ts, heap, name, true)?;
    let Some(last) = heap.pop(ts) else {
        return raise!(ts, exc::IndexError, "index out of range");
    };
    if heap.is_empty() {
        return Ok(last);
    }
    let first = item(ts, heap, 0)?;
    heap.set(ts, 0, last)?;
    sift_down(ts, heap, 0, order)?;
    Ok(first)
}

fn replace(ts: &ThreadState, args: &[&PyObject], order: Order, name: &str) -> PyResult {
    call::check_count(ts, name, args.len(), 2, 2)?;
    let heap = heap_of(ts, args[0], name, false)?;
    exchange_first(ts, heap, args[1], order)
}

fn exchange_first(ts: &ThreadState, heap: &PyList, new: &PyObject, order: Order) -> PyResult {
    let first: PyRef = item(ts, heap, 0)?;
    heap.set(ts, 0, new.new_ref())?;
    sift_down(ts, heap, 0, order)?;
    Ok(first)
}

fn push_pop(ts: &ThreadState, args: &[&PyObject], order: Order, name: &str) -> PyResult {
    call::check_count(ts, name, args.len(), 2, 2)?;
    let heap = heap_of(ts, args[0], name, false)?;
    let Some(first) = heap.get(0) else { return Ok(args[1].new_ref()) };
    if !before(ts, &first, args[1], order)? {
        return Ok(args[1].new_ref());
    }
    exchange_first(ts, heap, args[1], order)
}

fn heapify(ts: &ThreadState, heap: &PyObject, order: Order, name: &str) -> PyResult {
    let heap = heap_of(ts, heap, name, true)?;
    for top in (0..heap.len() / 2).rev() {
        sift_down(ts, heap, top, order)?;
    }
    Ok(ts.none())
}
