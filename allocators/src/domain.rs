//! The three domains, the shape of an allocator table, and the entry points that go through the tables.
//!
//! The rules that hold for every allocator are applied here, before the table is called: a request of
//! more than [`MAX_SIZE`] bytes, and a `calloc` whose product exceeds it, are refused without asking
//! the allocator. A request of zero bytes reaches the table unchanged and yields a distinct block.

use core::ffi::c_void;
use core::fmt;
use core::ptr;

use crate::{heap, table};

/// The largest request, in bytes, that is passed on to an allocator.
pub const MAX_SIZE: usize = isize::MAX as usize;

/// The allocation failed. The caller decides what becomes of it: a status, a `MemoryError`, a NULL.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NoMemory;

impl fmt::Display for NoMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of memory")
    }
}

impl core::error::Error for NoMemory {}

impl From<allocator_api2::alloc::AllocError> for NoMemory {
    fn from(_: allocator_api2::alloc::AllocError) -> Self {
        Self
    }
}

/// A memory domain. The numbers are those of C's `PyMemAllocatorDomain`.
#[repr(i32)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Domain {
    /// Any thread, with or without an interpreter.
    Raw = 0,
    /// Buffers of the interpreter whose heap is attached to the thread.
    Mem = 1,
    /// Objects of the interpreter whose heap is attached to the thread.
    Obj = 2,
}

impl Domain {
    /// All domains, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Raw, Self::Mem, Self::Obj];

    /// The domain of a C number.
    #[must_use]
    pub const fn from_i32(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::Raw),
            1 => Some(Self::Mem),
            2 => Some(Self::Obj),
            _ => None,
        }
    }

    /// The letter by which the debug hooks mark a block of the domain.
    #[must_use]
    pub const fn letter(self) -> u8 {
        match self {
            Self::Raw => b'r',
            Self::Mem => b'm',
            Self::Obj => b'o',
        }
    }

    /// The name of the domain in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Mem => "mem",
            Self::Obj => "obj",
        }
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// `void *(*)(void *ctx, size_t size)`
pub type MallocFn = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
/// `void *(*)(void *ctx, size_t nelem, size_t elsize)`
pub type CallocFn = unsafe extern "C" fn(*mut c_void, usize, usize) -> *mut c_void;
/// `void *(*)(void *ctx, void *ptr, size_t new_size)`
pub type ReallocFn = unsafe extern "C" fn(*mut c_void, *mut c_void, usize) -> *mut c_void;
/// `void (*)(void *ctx, void *ptr)`
pub type FreeFn = unsafe extern "C" fn(*mut c_void, *mut c_void);
/// `void *(*)(void *ctx, size_t size)`
pub type ArenaAllocFn = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
/// `void (*)(void *ctx, void *ptr, size_t size)`
pub type ArenaFreeFn = unsafe extern "C" fn(*mut c_void, *mut c_void, usize);

/// The allocator of a domain, as C sees it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PyMemAllocatorEx {
    /// First argument of the four functions.
    pub ctx: *mut c_void,
    /// Allocates; NULL on failure.
    pub malloc: Option<MallocFn>,
    /// Allocates zeroed memory; NULL on failure.
    pub calloc: Option<CallocFn>,
    /// Changes a block's size; NULL on failure, and the block stays as it was.
    pub realloc: Option<ReallocFn>,
    /// Gives a block back; gets NULL too.
    pub free: Option<FreeFn>,
}

impl PyMemAllocatorEx {
    /// The table without functions: what is reported for an unknown domain.
    pub const NULL: Self = Self { ctx: ptr::null_mut(), malloc: None, calloc: None, realloc: None, free: None };
}

impl PartialEq for PyMemAllocatorEx {
    fn eq(&self, other: &Self) -> bool {
        self.ctx == other.ctx
            && self.malloc.map(|f| f as usize) == other.malloc.map(|f| f as usize)
            && self.calloc.map(|f| f as usize) == other.calloc.map(|f| f as usize)
            && self.realloc.map(|f| f as usize) == other.realloc.map(|f| f as usize)
            && self.free.map(|f| f as usize) == other.free.map(|f| f as usize)
    }
}

/// The allocator of pymalloc's arenas, as C sees it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PyObjectArenaAllocator {
    /// First argument of the two functions.
    pub ctx: *mut c_void,
    /// Allocates an arena of the given size; NULL on failure.
    pub alloc: Option<ArenaAllocFn>,
    /// Gives an arena back.
    pub free: Option<ArenaFreeFn>,
}

/// Allocates `size` bytes in `domain`; null on failure.
///
/// For `mem` and `obj` a heap must be attached to the thread, otherwise the answer is null (and a fatal
/// report under the debug hooks).
#[inline]
#[must_use]
pub fn malloc(domain: Domain, size: usize) -> *mut c_void {
    let quick = heap::quick_alloc(domain, size);
    if !quick.is_null() {
        return quick.cast();
    }
    if size > MAX_SIZE {
        return ptr::null_mut();
    }
    let table = table::current(domain);
    // SAFETY: whoever installed the table promised that it is an allocator; the size is in range.
    unsafe { (table.malloc)(table.ctx, size) }
}

/// Allocates a zeroed array in `domain`; null on failure and when the product exceeds [`MAX_SIZE`].
#[inline]
#[must_use]
pub fn calloc(domain: Domain, nelem: usize, elsize: usize) -> *mut c_void {
    if elsize != 0 && nelem > MAX_SIZE / elsize {
        return ptr::null_mut();
    }
    let table = table::current(domain);
    // SAFETY: whoever installed the table promised that it is an allocator; the product is in range.
    unsafe { (table.calloc)(table.ctx, nelem, elsize) }
}

/// Changes the size of a block of `domain`; null on failure, and then the block is as before.
///
/// # Safety
/// `p` is null or a live block of `domain`; after success it is no longer used.
#[inline]
#[must_use]
pub unsafe fn realloc(domain: Domain, p: *mut c_void, size: usize) -> *mut c_void {
    if size > MAX_SIZE {
        return ptr::null_mut();
    }
    let table = table::current(domain);
    // SAFETY: the caller vouches for the block, whoever installed the table for the function.
    unsafe { (table.realloc)(table.ctx, p, size) }
}

/// Gives a block of `domain` back. Null is allowed.
///
/// # Safety
/// `p` is null or a live block of `domain`, which is no longer used.
#[inline]
pub unsafe fn free(domain: Domain, p: *mut c_void) {
    // SAFETY: the caller's promise.
    if unsafe { heap::quick_free(domain, p.cast()) } {
        return;
    }
    let table = table::current(domain);
    // SAFETY: the caller vouches for the block, whoever installed the table for the function.
    unsafe { (table.free)(table.ctx, p) }
}

/// [`malloc`] in the raw domain: any thread, at any time.
#[inline]
#[must_use]
pub fn raw_malloc(size: usize) -> *mut c_void {
    malloc(Domain::Raw, size)
}

/// [`calloc`] in the raw domain: any thread, at any time.
#[inline]
#[must_use]
pub fn raw_calloc(nelem: usize, elsize: usize) -> *mut c_void {
    calloc(Domain::Raw, nelem, elsize)
}

/// [`realloc`] in the raw domain: any thread, at any time.
///
/// # Safety
/// As for [`realloc`].
#[inline]
#[must_use]
pub unsafe fn raw_realloc(p: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise is the same.
    unsafe { realloc(Domain::Raw, p, size) }
}

/// [`free`] in the raw domain: any thread, at any time.
///
/// # Safety
/// As for [`free`].
#[inline]
pub unsafe fn raw_free(p: *mut c_void) {
    // SAFETY: the caller's promise is the same.
    unsafe { free(Domain::Raw, p) }
}
