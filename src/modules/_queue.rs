//! `_queue`: `SimpleQueue`, a queue without an end that several threads put into and take from.
//!
//! ```text
//!  items   │ taken │ taken │ oldest │ … │ newest │
//!                          └ head
//! ```
//!
//! Everything is changed under the GIL, so `put` needs no lock and may come from anywhere, a finalizer or a signal's
//! handler as well. Who waits sleeps on `puts`, which each `put` changes.
//!
//! I1: what is before `head` is empty.

use core::cell::{Cell, UnsafeCell};
use core::mem::offset_of;
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicU32, Ordering};

use hognose_allocators::collections::TryVec;

use crate::lifecycle::pending;
use crate::modules::_thread::wait_time;
use crate::modules::ModuleSpec;
use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    Args, AsObject, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Signature, StaticType, TypeSlots, TypeSpec,
    Visitor, alloc, flags, gc, protocol,
};
use crate::raise;
use crate::state::{ThreadState, attach};
use crate::sync::futex::{self, Wake};
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::genericalias;
use crate::types::int::PyInt;
use crate::types::none::is_none;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_queue",
    doc: "C implementation of the Python queue module.\nThis module is an implementation detail, please do not use it directly.",
    methods: &[],
    types: &[&SIMPLE_QUEUE_TYPE, &EMPTY],
    exec: None,
};

/// `_queue.Empty`.
pub static EMPTY: StaticType = StaticType::new(exc::plain(
    c"_queue.Empty",
    &exc::Exception,
    "Exception raised by Queue.get(block=0)/get_nowait().",
));

/// A queue.
#[repr(C)]
struct PySimpleQueue {
    ob_base: PyObject,
    items: UnsafeCell<TryVec<Option<PyRef>>>,
    head: Cell<usize>,
    /// Changes with each `put`.
    puts: AtomicU32,
    /// How many threads wait.
    waiters: Cell<u32>,
    weakrefs: WeakrefList,
}

crate::native!(PySimpleQueue, SIMPLE_QUEUE_TYPE);

static SIMPLE_QUEUE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_queue.SimpleQueue",
    basicsize: size_of::<PySimpleQueue>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    doc: "SimpleQueue()\n--\n\nSimple, unbounded, reentrant FIFO queue.",
    slots: TypeSlots {
        new: Some(queue_new),
        dealloc: Some(queue_dealloc),
        traverse: Some(queue_traverse),
        clear: Some(queue_clear),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::keywords(
            "put",
            put,
            "put($self, /, item, block=True, timeout=None)\n--\n\n\
             Put the item on the queue. It never waits: the other arguments are there for `queue.Queue`'s sake.",
        ),
        MethodDef::keywords("put_nowait", put_nowait, "put_nowait($self, /, item)\n--\n\nPut the item on the queue."),
        MethodDef::keywords(
            "get",
            get,
            "get($self, /, block=True, timeout=None)\n--\n\n\
             Remove the oldest item and return it: wait for one if need be, or so many seconds at most; Empty after that.",
        ),
        MethodDef::no_args(
            "get_nowait",
            |ts, this| take_or_empty(ts, queue(this)),
            "get_nowait($self, /)\n--\n\nRemove the oldest item and return it; Empty when there is none.",
        ),
        MethodDef::no_args(
            "empty",
            |_, this| Ok(py_bool(queue(this).len() == 0)),
            "empty($self, /)\n--\n\nWhether there is no item, at this moment.",
        ),
        MethodDef::no_args(
            "qsize",
            |ts, this| PyInt::from_usize(ts, queue(this).len()),
            "qsize($self, /)\n--\n\nHow many items there are, at this moment.",
        ),
        MethodDef::one("__class_getitem__", genericalias::class_getitem, "See PEP 585").class(),
    ],
    weaklistoffset: offset_of!(PySimpleQueue, weakrefs),
    ..TypeSpec::EMPTY
});

fn queue(object: &PyObject) -> &PySimpleQueue {
    object.cast()
}

impl PySimpleQueue {
    /// The items. Nothing of them is dropped, and nothing is called, while the result is used.
    #[allow(clippy::mut_from_ref, reason = "the GIL makes it exclusive, as nothing is called meanwhile")]
    fn items(&self) -> &mut TryVec<Option<PyRef>> {
        // SAFETY: see above.
        unsafe { &mut *self.items.get() }
    }

    fn len(&self) -> usize {
        self.items().len() - self.head.get()
    }

    fn push(&self, item: PyRef) -> PyResult<()> {
        let head = self.head.get();
        let items = self.items();
        if head > 16 && head * 2 > items.len() {
            // I1: nothing is dropped here.
            let len = items.len();
            for at in head..len {
                items[at - head] = items[at].take();
            }
            items.truncate(len - head);
            self.head.set(0);
        }
        items.try_push(Some(item))?;
        if self.waiters.get() != 0 {
            self.puts.fetch_add(1, Ordering::Release);
            futex::wake(&raw const self.puts, 1);
        }
        Ok(())
    }

    fn pop(&self) -> Option<PyRef> {
        let head = self.head.get();
        let items = self.items();
        let item = items.get_mut(head)?.take();
        if head + 1 == items.len() {
            items.truncate(0);
            self.head.set(0);
        } else {
            self.head.set(head + 1);
        }
        item
    }

    /// Waits for an item.
    fn wait(&self, ts: &ThreadState, deadline: Option<i64>) -> PyResult {
        loop {
            if let Some(item) = self.pop() {
                return Ok(item);
            }
            if deadline.is_some_and(|deadline| futex::now() >= deadline) {
                return Err(ts.raise_type(&EMPTY));
            }
            let puts = self.puts.load(Ordering::Relaxed);
            self.waiters.set(self.waiters.get() + 1);
            let ended = attach::without_gil(ts, || futex::wait(&self.puts, puts, deadline));
            self.waiters.set(self.waiters.get() - 1);
            if ended == Wake::Interrupted {
                pending::make(ts)?;
            }
        }
    }
}

fn queue_new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    if !args.is_empty() && core::ptr::eq(of, &raw const SIMPLE_QUEUE_TYPE.object) {
        return raise!(ts, exc::TypeError, "SimpleQueue() takes no arguments");
    }
    let this = alloc::object::<PySimpleQueue>(ts, of)?;
    // SAFETY: the field is written before anybody sees the object; its memory has no value yet.
    unsafe { this.items.get().write(TryVec::new()) };
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn put(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("put", ["item", "block", "timeout"], 0, 3, 1);
    let [item, ..] = SIGNATURE.parse(ts, args)?;
    add(ts, this, item)
}

fn put_nowait(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("put_nowait", ["item"], 0, 1, 1);
    let [item] = SIGNATURE.parse(ts, args)?;
    add(ts, this, item)
}

fn add(ts: &ThreadState, this: &PyObject, item: Option<&PyObject>) -> PyResult {
    if let Some(item) = item {
        queue(this).push(item.new_ref())?;
    }
    Ok(ts.none())
}

fn take_or_empty(ts: &ThreadState, queue: &PySimpleQueue) -> PyResult {
    queue.pop().ok_or_else(|| ts.raise_type(&EMPTY))
}

fn get(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("get", ["block", "timeout"], 0, 2, 0);
    let [block, timeout] = SIGNATURE.parse(ts, args)?;
    if !block.map_or(Ok(true), |block| protocol::is_true(ts, block))? {
        return take_or_empty(ts, queue(this));
    }
    let deadline = match timeout.filter(|timeout| !is_none(timeout)) {
        None => None,
        Some(timeout) => match wait_time(ts, timeout)? {
            None => return raise!(ts, exc::ValueError, "'timeout' must be a non-negative number"),
            deadline => deadline,
        },
    };
    queue(this).wait(ts, deadline)
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn queue_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a queue whose count is zero.
    unsafe {
        gc::untrack(&*object);
        weakref::clear_all(ts, &*object);
        queue_clear(ts, &*object);
        alloc::free(ts, object);
    }
}

fn queue_traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    // SAFETY: the collector neither changes nor drops anything here.
    for item in unsafe { &*queue(object).items.get() }.iter().flatten() {
        visitor.reference(item)?;
    }
    ControlFlow::Continue(())
}

fn queue_clear(_ts: &ThreadState, object: &PyObject) {
    let this = queue(object);
    this.head.set(0);
    // What is dropped may put again: into an empty queue.
    let items = core::mem::replace(this.items(), TryVec::new());
    drop(items);
}
