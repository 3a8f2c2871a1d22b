//! The arguments of a variadic C function, one by one: the Rust face of `variadic.c`'s `hog_va`.

use core::ffi::{c_int, c_longlong, c_uint, c_void};

use crate::object::PyObject;

/// C's `hog_va`, only ever behind a pointer.
#[repr(C)]
pub struct RawVa {
    opaque: [u8; 0],
}

/// `int (*)(PyObject *, void *)`: what `O&` takes when arguments are parsed.
pub type Converter = unsafe extern "C" fn(*mut PyObject, *mut c_void) -> c_int;
/// `PyObject *(*)(void *)`: what `O&` takes when a value is built.
pub type Maker = unsafe extern "C" fn(*mut c_void) -> *mut PyObject;

unsafe extern "C" {
    fn hog_va_int(va: *mut RawVa) -> c_int;
    fn hog_va_uint(va: *mut RawVa) -> c_uint;
    fn hog_va_long_long(va: *mut RawVa) -> c_longlong;
    fn hog_va_double(va: *mut RawVa) -> f64;
    fn hog_va_pointer(va: *mut RawVa) -> *mut c_void;
    fn hog_va_converter(va: *mut RawVa) -> Option<Converter>;
    fn hog_va_maker(va: *mut RawVa) -> Option<Maker>;
}

/// The arguments that are left. Each is taken as what the format says that it is; the format and the
/// arguments agree, or the program is wrong in C's terms.
pub struct Va(*mut RawVa);

impl Va {
    /// The arguments behind C's pointer.
    ///
    /// # Safety
    /// The pointer is to a `hog_va` that is alive, and the caller will take what the format says.
    pub unsafe fn new(raw: *mut RawVa) -> Va {
        Va(raw)
    }

    /// An `int`, or what is promoted to it.
    pub fn int(&mut self) -> c_int {
        // SAFETY: `new`'s promise.
        unsafe { hog_va_int(self.0) }
    }

    /// An `unsigned`.
    pub fn uint(&mut self) -> c_uint {
        // SAFETY: `new`'s promise.
        unsafe { hog_va_uint(self.0) }
    }

    /// A `long`, `long long`, `intmax_t`, `ptrdiff_t` or `Py_ssize_t`: all have 64 bits here.
    pub fn long(&mut self) -> i64 {
        // SAFETY: `new`'s promise.
        unsafe { hog_va_long_long(self.0) }
    }

    /// A `double`, or what is promoted to it.
    pub fn double(&mut self) -> f64 {
        // SAFETY: `new`'s promise.
        unsafe { hog_va_double(self.0) }
    }

    /// A pointer.
    pub fn pointer<T>(&mut self) -> *mut T {
        // SAFETY: `new`'s promise.
        unsafe { hog_va_pointer(self.0).cast() }
    }

    /// A converter for arguments.
    pub fn converter(&mut self) -> Option<Converter> {
        // SAFETY: `new`'s promise.
        unsafe { hog_va_converter(self.0) }
    }

    /// A maker of values.
    pub fn maker(&mut self) -> Option<Maker> {
        // SAFETY: `new`'s promise.
        unsafe { hog_va_maker(self.0) }
    }
}

const _: () = assert!(size_of::<core::ffi::c_long>() == 8 && size_of::<c_longlong>() == 8 && size_of::<isize>() == 8);
