//! Memory that one interpreter shows to others.
//!
//! The owner holds the exporter until the last viewer is done. A viewer in another heap cannot give the exporter's
//! reference back itself: it leaves the record to the owner, which does so at its next boundary. An interpreter that ends
//! while others look at its memory leaves its heap to them (it is never given back).
//!
//! B1: a record's `references` are shared buffers and buffer objects; the one that takes it to 0 ends the record.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

use hognose_allocators::{Heap, raw_free, raw_malloc};

use crate::lifecycle::subinterp;
use crate::object::buffer::{self, PyBuffer};
use crate::object::{AsObject, PyObject, PyResult, StaticType, TypeSlots, TypeSpec, alloc};
use crate::raise;
use crate::state::{EvalBreaker, InterpreterState, ThreadState};
use crate::types::exceptions as exc;
use crate::types::memoryview::PyMemoryView;

/// A buffer with its owner.
pub struct Record {
    references: AtomicUsize,
    view: PyBuffer,
    owner: i64,
    heap: *const Heap,
    next: *mut Record,
}

/// A reference to a record.
pub struct SharedBuffer(NonNull<Record>);

impl SharedBuffer {
    /// The memory of a memoryview.
    pub fn of(ts: &ThreadState, view: &PyMemoryView) -> PyResult<SharedBuffer> {
        let memory = raw_malloc(size_of::<Record>()).cast::<Record>();
        if memory.is_null() {
            return Err(ts.raise_no_memory());
        }
        // SAFETY: the block is fresh and large enough.
        let record = unsafe {
            memory.write(Record {
                references: AtomicUsize::new(1),
                view: PyBuffer::EMPTY,
                owner: ts.interp().id,
                heap: ts.heap(),
                next: ptr::null_mut(),
            });
            &mut *memory
        };
        if let Err(raised) = buffer::get_into(ts, view.as_object(), &mut record.view, buffer::FULL_RO) {
            // SAFETY: nobody else knows it.
            unsafe { raw_free(memory.cast()) };
            return Err(raised);
        }
        ts.interp().shown.set(ts.interp().shown.get() + 1);
        Ok(SharedBuffer(NonNull::from(record)))
    }

    /// A memoryview of the memory in the calling interpreter.
    pub fn view(&self, ts: &ThreadState) -> PyResult {
        let object = alloc::exact::<PyBufferView>(ts)?;
        // SAFETY: this reference keeps the record alive.
        unsafe { self.0.as_ref() }.references.fetch_add(1, Ordering::Relaxed);
        object.record.set(self.0.as_ptr());
        Ok(PyMemoryView::from_object(ts, object.as_object())?.into_object())
    }
}

impl Drop for SharedBuffer {
    fn drop(&mut self) {
        // SAFETY: this reference is given up.
        unsafe { give_up(self.0) };
    }
}

/// B1.
///
/// # Safety
/// The caller owns a reference, which is gone after the call.
unsafe fn give_up(record: NonNull<Record>) {
    // SAFETY: alive until the last reference is gone.
    let this = unsafe { record.as_ref() };
    if this.references.fetch_sub(1, Ordering::AcqRel) != 1 {
        return;
    }
    if let Some(ts) = ThreadState::try_current()
        && ptr::eq(ts.heap(), this.heap)
    {
        // SAFETY: it was the last reference.
        unsafe { end(ts, record) };
        return;
    }
    let found = subinterp::with_id(this.owner, |interp| {
        let first = &interp.given_back;
        // SAFETY: it was the last reference; the list is changed by exchanges only.
        unsafe {
            (*record.as_ptr()).next = first.load(Ordering::Relaxed);
            while let Err(now) =
                first.compare_exchange((*record.as_ptr()).next, record.as_ptr(), Ordering::AcqRel, Ordering::Relaxed)
            {
                (*record.as_ptr()).next = now;
            }
        }
        // The list of states is locked.
        let mut at = interp.threads.get();
        // SAFETY: what is in the list is alive while it is locked.
        while let Some(state) = unsafe { at.as_ref() } {
            state.eval_breaker.set(EvalBreaker::PENDING_CALLS);
            at = state.next.get();
        }
    });
    if found.is_none() {
        // The owner is gone, and has left its heap as it was.
        // SAFETY: it was the last reference.
        unsafe { raw_free(record.as_ptr().cast()) };
    }
}

/// # Safety
/// No reference is left; the heap is the attached one.
unsafe fn end(ts: &ThreadState, record: NonNull<Record>) {
    // SAFETY: the caller's promise.
    unsafe {
        buffer::release(ts, &mut (*record.as_ptr()).view);
        raw_free(record.as_ptr().cast());
    }
    let shown = &ts.interp().shown;
    shown.set(shown.get().saturating_sub(1));
}

/// Takes back what other interpreters have looked at, in the owner.
pub fn take_back(ts: &ThreadState) {
    let mut at = ts.interp().given_back.swap(ptr::null_mut(), Ordering::AcqRel);
    while let Some(record) = NonNull::new(at) {
        // SAFETY: what is in the list is this interpreter's, and has no reference.
        unsafe {
            at = record.as_ref().next;
            end(ts, record);
        }
    }
}

/// Whether other interpreters look at the ending interpreter's memory.
pub fn is_shown(interp: &InterpreterState) -> bool {
    interp.shown.get() != 0
}

/// What exports another interpreter's memory here.
#[repr(C)]
struct PyBufferView {
    ob_base: PyObject,
    record: core::cell::Cell<*mut Record>,
}

crate::native!(PyBufferView, BUFFER_VIEW_TYPE);

/// `_interpreters.CrossInterpreterBufferView`.
pub static BUFFER_VIEW_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_interpreters.CrossInterpreterBufferView",
    basicsize: size_of::<PyBufferView>(),
    flags: crate::object::flags::DISALLOW_INSTANTIATION,
    doc: "The memory of another interpreter",
    slots: TypeSlots {
        dealloc: Some(buffer_view_dealloc),
        bf_getbuffer: Some(|ts, this, view, flags| {
            let Some(record) = NonNull::new(this.cast::<PyBufferView>().record.get()) else {
                return raise!(ts, exc::BufferError, "the memory is not there");
            };
            // SAFETY: the object's reference keeps the record alive.
            let source = unsafe { &record.as_ref().view };
            if flags & buffer::WRITABLE != 0 && source.readonly != 0 {
                return raise!(ts, exc::BufferError, "Object is not writable.");
            }
            *view = PyBuffer { obj: ptr::null_mut(), ..*source };
            Ok(())
        }),
        ..TypeSlots::EMPTY
    },
    ..TypeSpec::EMPTY
});

/// # Safety
/// The object's count is zero.
unsafe fn buffer_view_dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the caller's promise; the reference to the record is the object's.
    unsafe {
        if let Some(record) = NonNull::new((*object).cast::<PyBufferView>().record.get()) {
            give_up(record);
        }
        alloc::free(ts, object);
    }
}
