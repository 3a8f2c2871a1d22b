//! Reference tracing (`PyRefTracer`): a function of C that is told of each object that begins or ends.
//!
//! There is one for the process. While there is none, what an object costs more is to see so: one load and a jump that
//! is never taken. The function and its data are found behind one pointer, so that nobody sees half of a change, and what
//! was registered once stays until the runtime ends: another interpreter may be about to call it.
//!
//! What is told: each object whose header is written, by whatever way; and each whose count comes to zero. A float or an
//! int that takes the place of a dying operand is not a new one. Objects that are part of the program (None, small ints,
//! built-in types) neither begin nor end.

use core::ffi::{c_int, c_void};
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::header::PyObject;
use hognose_allocators::{NoMemory, raw_free, raw_malloc};

/// `PyRefTracer`: the object, [`CREATE`] or [`DESTROY`], the data that was registered. What it returns is ignored.
pub type Tracer = unsafe extern "C" fn(*mut PyObject, c_int, *mut c_void) -> c_int;

/// The object was just made: it has a type and a count, and may have nothing else yet.
pub const CREATE: c_int = 0;
/// The object is about to end, and is whole.
pub const DESTROY: c_int = 1;

struct Registered {
    tracer: Tracer,
    data: *mut c_void,
    /// The one that was registered before.
    next: *mut Registered,
}

static CURRENT: AtomicPtr<Registered> = AtomicPtr::new(ptr::null_mut());
/// All that were ever registered, each once.
static ALL: AtomicPtr<Registered> = AtomicPtr::new(ptr::null_mut());

/// Whether there is a tracer.
#[inline(always)]
pub fn is_on() -> bool {
    !CURRENT.load(Ordering::Relaxed).is_null()
}

/// Tells the tracer, if there is one, of an object that begins.
#[inline(always)]
pub fn created(object: *mut PyObject) {
    if is_on() {
        tell(object, CREATE);
    }
}

/// Tells the tracer, if there is one, of an object that ends.
#[inline(always)]
pub fn destroyed(object: *mut PyObject) {
    if is_on() {
        tell(object, DESTROY);
    }
}

#[cold]
#[inline(never)]
fn tell(object: *mut PyObject, event: c_int) {
    // SAFETY: what was registered stays until the runtime ends; the function is what C promised it to be.
    unsafe {
        if let Some(registered) = CURRENT.load(Ordering::Acquire).as_ref() {
            (registered.tracer)(object, event, registered.data);
        }
    }
}

/// Registers a tracer in place of the one before; `None` is none.
pub fn set(tracer: Option<Tracer>, data: *mut c_void) -> Result<(), NoMemory> {
    let registered = match tracer {
        None => ptr::null_mut(),
        Some(tracer) => remember(tracer, data)?,
    };
    CURRENT.store(registered, Ordering::Release);
    Ok(())
}

/// The tracer and its data.
pub fn get() -> Option<(Tracer, *mut c_void)> {
    // SAFETY: as in `tell`.
    unsafe { CURRENT.load(Ordering::Acquire).as_ref().map(|registered| (registered.tracer, registered.data)) }
}

fn remember(tracer: Tracer, data: *mut c_void) -> Result<*mut Registered, NoMemory> {
    let mut at = ALL.load(Ordering::Acquire);
    // SAFETY: as in `tell`; what is in the list does not change.
    while let Some(known) = unsafe { at.as_ref() } {
        if ptr::fn_addr_eq(known.tracer, tracer) && known.data == data {
            return Ok(at);
        }
        at = known.next;
    }
    let new = raw_malloc(size_of::<Registered>()).cast::<Registered>();
    if new.is_null() {
        return Err(NoMemory);
    }
    let mut first = ALL.load(Ordering::Acquire);
    loop {
        // SAFETY: the block is ours and large enough.
        unsafe { new.write(Registered { tracer, data, next: first }) };
        match ALL.compare_exchange_weak(first, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Ok(new),
            Err(other) => first = other,
        }
    }
}

/// Forgets the tracer, and all that were there before: at the end of the runtime, when no other thread is in it.
pub(crate) fn end() {
    CURRENT.store(ptr::null_mut(), Ordering::Release);
    let mut at = ALL.swap(ptr::null_mut(), Ordering::AcqRel);
    while !at.is_null() {
        // SAFETY: each block of the list is freed once, and nobody looks at it any more.
        unsafe {
            let next = (*at).next;
            raw_free(at.cast());
            at = next;
        }
    }
}
