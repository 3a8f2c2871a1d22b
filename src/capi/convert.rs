//! How a function of the C API is written: [`capi!`] declares it with Rust types, and the traits here turn
//! C's arguments into those, and results into C's convention.
//!
//! ```text
//!   C caller ──► extern "C" fn ──► FromC for each argument ──► the body, a PyResult ──► IntoC ──► C caller
//!                     └── guard: no panic gets out
//! ```
//!
//! | Rust | C |
//! |---|---|
//! | `&PyObject`, `&PyList` … | a borrowed `PyObject *`; NULL and wrong types raise SystemError |
//! | `Option<&T>` | the same, or NULL |
//! | `PyRef` | a `PyObject *` whose reference the function takes over, also when it fails |
//! | `&CStr`, `Option<&CStr>` | `const char *` |
//! | result `PyRef`, `Ref<T>` | a new reference; NULL for an exception |
//! | result `Borrowed` | a borrowed reference; NULL for an exception, or for none without one |
//! | result `()`, `bool` | 0; 0 or 1; -1 for an exception |

use core::ffi::{CStr, c_char, c_int, c_void};
use core::panic::AssertUnwindSafe;

use crate::object::reftrace::Tracer;
use crate::object::{AsObject, Native, PyObject, PyRef, PyResult, PyTypeObject, Ref};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;
use crate::vm::monitoring::legacy::TraceFunction;

/// What a C argument becomes.
pub trait FromC: Sized {
    /// The type in C's signature.
    type C;
    /// Checks and converts; SystemError for what no caller may pass.
    fn from_c(ts: &ThreadState, value: Self::C, function: &str) -> PyResult<Self>;
}

/// What a result becomes.
pub trait IntoC {
    /// The type in C's signature.
    type C;
    /// What says that an exception is set.
    const FAILED: Self::C;
    /// Converts a success.
    fn into_c(self) -> Self::C;
}

/// SystemError for an argument that no caller may pass (`PyErr_BadInternalCall`).
#[cold]
pub fn bad_internal_call<T>(ts: &ThreadState, function: &str) -> PyResult<T> {
    raise!(ts, exc::SystemError, "{function}: bad argument to internal function")
}

/// SystemError for a null argument.
#[cold]
pub fn null_argument<T>(ts: &ThreadState) -> PyResult<T> {
    // An exception that is set already says why the argument is null.
    if ts.current_exception.is_some() {
        return Err(crate::object::Raised::already_set());
    }
    raise!(ts, exc::SystemError, "null argument to internal routine")
}

impl<'a, T: Native> FromC for &'a T {
    type C = *mut PyObject;
    #[inline(always)]
    fn from_c(ts: &ThreadState, value: *mut PyObject, function: &str) -> PyResult<&'a T> {
        // SAFETY: C passes a live object or null; the reference is used for the time of the call, during
        // which the caller keeps the object.
        match unsafe { value.as_ref() } {
            None => null_argument(ts),
            Some(object) => match object.downcast::<T>() {
                Some(object) => Ok(object),
                None => bad_internal_call(ts, function),
            },
        }
    }
}

impl<'a, T: Native> FromC for Option<&'a T> {
    type C = *mut PyObject;
    #[inline(always)]
    fn from_c(ts: &ThreadState, value: *mut PyObject, function: &str) -> PyResult<Option<&'a T>> {
        if value.is_null() { Ok(None) } else { <&'a T>::from_c(ts, value, function).map(Some) }
    }
}

impl FromC for PyRef {
    type C = *mut PyObject;
    #[inline(always)]
    fn from_c(ts: &ThreadState, value: *mut PyObject, _function: &str) -> PyResult<PyRef> {
        // SAFETY: the caller gives its reference up.
        match unsafe { PyRef::from_owned_or_null(value) } {
            Some(object) => Ok(object),
            None => null_argument(ts),
        }
    }
}

impl FromC for Option<PyRef> {
    type C = *mut PyObject;
    #[inline(always)]
    fn from_c(_ts: &ThreadState, value: *mut PyObject, _function: &str) -> PyResult<Option<PyRef>> {
        // SAFETY: the caller gives its reference up.
        Ok(unsafe { PyRef::from_owned_or_null(value) })
    }
}

impl<'a> FromC for &'a CStr {
    type C = *const c_char;
    #[inline(always)]
    fn from_c(ts: &ThreadState, value: *const c_char, _function: &str) -> PyResult<&'a CStr> {
        if value.is_null() {
            return null_argument(ts);
        }
        // SAFETY: C passes a NUL-terminated string that lives for the time of the call.
        Ok(unsafe { CStr::from_ptr(value) })
    }
}

impl<'a> FromC for Option<&'a CStr> {
    type C = *const c_char;
    #[inline(always)]
    fn from_c(_ts: &ThreadState, value: *const c_char, _function: &str) -> PyResult<Option<&'a CStr>> {
        // SAFETY: as above.
        Ok(if value.is_null() { None } else { Some(unsafe { CStr::from_ptr(value) }) })
    }
}

macro_rules! as_they_are {
    ($($ty:ty,)*) => {
        $(impl FromC for $ty {
            type C = $ty;
            #[inline(always)]
            fn from_c(_ts: &ThreadState, value: $ty, _function: &str) -> PyResult<$ty> {
                Ok(value)
            }
        })*
    };
}

as_they_are!(i8, u8, i16, u16, i32, u32, i64, u64, isize, usize, f64, Option<TraceFunction>, Option<Tracer>,);

impl<T> FromC for *mut T {
    type C = *mut T;
    #[inline(always)]
    fn from_c(_ts: &ThreadState, value: *mut T, _function: &str) -> PyResult<*mut T> {
        Ok(value)
    }
}

impl<T> FromC for *const T {
    type C = *const T;
    #[inline(always)]
    fn from_c(_ts: &ThreadState, value: *const T, _function: &str) -> PyResult<*const T> {
        Ok(value)
    }
}

/// A C function pointer or null, of any signature.
#[derive(Clone, Copy)]
pub struct Function<F>(pub Option<F>);

impl<F> FromC for Function<F> {
    type C = Option<F>;
    #[inline(always)]
    fn from_c(_ts: &ThreadState, value: Option<F>, _function: &str) -> PyResult<Function<F>> {
        Ok(Function(value))
    }
}

impl<T: Native> IntoC for Ref<T> {
    type C = *mut PyObject;
    const FAILED: *mut PyObject = core::ptr::null_mut();
    #[inline(always)]
    fn into_c(self) -> *mut PyObject {
        self.into_ptr().cast()
    }
}

impl<T: Native> IntoC for Option<Ref<T>> {
    type C = *mut PyObject;
    const FAILED: *mut PyObject = core::ptr::null_mut();
    #[inline(always)]
    fn into_c(self) -> *mut PyObject {
        self.map_or(core::ptr::null_mut(), |object| object.into_ptr().cast())
    }
}

/// A borrowed reference as a result: something else keeps the object alive for the caller.
pub struct Borrowed(*mut PyObject);

impl Borrowed {
    /// No object, and no exception.
    pub const NONE: Borrowed = Borrowed(core::ptr::null_mut());

    /// An object that lives in what the caller handed in, or for ever.
    #[inline(always)]
    pub fn of<T: Native>(object: &T) -> Borrowed {
        Borrowed(object.as_object().as_ptr())
    }

    /// An object to which somebody but the function has a reference that stays.
    #[inline(always)]
    pub fn kept<T: Native>(object: Ref<T>) -> Borrowed {
        Borrowed(object.as_object().as_ptr())
    }

    /// The same, or none.
    #[inline(always)]
    pub fn kept_or_none<T: Native>(object: Option<Ref<T>>) -> Borrowed {
        object.map_or(Borrowed::NONE, Borrowed::kept)
    }
}

impl IntoC for Borrowed {
    type C = *mut PyObject;
    const FAILED: *mut PyObject = core::ptr::null_mut();
    #[inline(always)]
    fn into_c(self) -> *mut PyObject {
        self.0
    }
}

/// The result of a C function without one.
pub struct Void;

impl IntoC for Void {
    type C = ();
    const FAILED: () = ();
    #[inline(always)]
    fn into_c(self) {}
}

/// A result that stands for itself: what it is in C, and what it is on failure, are one type.
macro_rules! results {
    ($($ty:ty, $c:ty, $failed:expr, $convert:expr;)*) => {
        $(impl IntoC for $ty {
            type C = $c;
            const FAILED: $c = $failed;
            #[inline(always)]
            fn into_c(self) -> $c {
                let convert: fn($ty) -> $c = $convert;
                convert(self)
            }
        })*
    };
}

results! {
    (), c_int, -1, |()| 0;
    bool, c_int, -1, |b| b.into();
    i32, i32, -1, |n| n;
    u32, u32, u32::MAX, |n| n;
    i64, i64, -1, |n| n;
    u64, u64, u64::MAX, |n| n;
    isize, isize, -1, |n| n;
    usize, isize, -1, |n| n as isize;
    f64, f64, -1.0, |x| x;
}

/// A `size_t` or `unsigned` result.
pub struct Size(pub usize);

impl IntoC for Size {
    type C = usize;
    const FAILED: usize = usize::MAX;
    #[inline(always)]
    fn into_c(self) -> usize {
        self.0
    }
}

impl<T> IntoC for *mut T {
    type C = *mut T;
    const FAILED: *mut T = core::ptr::null_mut();
    #[inline(always)]
    fn into_c(self) -> *mut T {
        self
    }
}

impl<T> IntoC for *const T {
    type C = *const T;
    const FAILED: *const T = core::ptr::null();
    #[inline(always)]
    fn into_c(self) -> *const T {
        self
    }
}

/// Runs a body on the attached thread state; a panic becomes a SystemError.
///
/// Fatal error when no thread state is attached.
#[inline]
pub fn guard<R: IntoC>(function: &str, body: impl FnOnce(&'static ThreadState) -> PyResult<R>) -> R::C {
    let ts = ThreadState::current();
    match std::panic::catch_unwind(AssertUnwindSafe(|| body(ts))) {
        Ok(Ok(value)) => value.into_c(),
        Ok(Err(_raised)) => R::FAILED,
        Err(_payload) => {
            note_panic(ts, function);
            R::FAILED
        }
    }
}

#[cold]
fn note_panic(ts: &ThreadState, function: &str) {
    // The exception stays set: the caller is told by its result.
    let text = crate::lifecycle::panics::last();
    let _raised = ts.raise_fmt(&exc::SystemError, format_args!("internal error in {function}: {}", text.as_str()));
}

/// Declares functions of the C API.
///
/// ```ignore
/// capi! {
///     /// Appends an object.
///     fn PyList_Append(ts, list: &PyList, item: &PyObject) -> () {
///         list.append(ts, item.new_ref())
///     }
/// }
/// ```
#[macro_export]
macro_rules! capi {
    ($($(#[$meta:meta])* fn $name:ident($ts:ident $(, $arg:ident: $ty:ty)* $(,)?) -> $ret:ty $body:block)*) => {
        $(
            $(#[$meta])*
            ///
            /// # Safety
            ///
            /// A thread state is attached; pointers are null or to what the header says, for as long as it says.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name(
                $($arg: <$ty as $crate::capi::convert::FromC>::C),*
            ) -> <$ret as $crate::capi::convert::IntoC>::C {
                $crate::capi::convert::guard::<$ret>(stringify!($name), move |$ts| {
                    $(let $arg = <$ty as $crate::capi::convert::FromC>::from_c($ts, $arg, stringify!($name))?;)*
                    $body
                })
            }
        )*
    };
}

/// As [`capi!`], for what is short and cannot panic: nothing stands between the caller and the body.
#[macro_export]
macro_rules! capi_fast {
    ($($(#[$meta:meta])* fn $name:ident($ts:ident $(, $arg:ident: $ty:ty)* $(,)?) -> $ret:ty $body:block)*) => {
        $(
            $(#[$meta])*
            ///
            /// # Safety
            ///
            /// A thread state is attached; pointers are null or to what the header says, for as long as it says.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name(
                $($arg: <$ty as $crate::capi::convert::FromC>::C),*
            ) -> <$ret as $crate::capi::convert::IntoC>::C {
                let $ts = $crate::state::ThreadState::current();
                #[allow(clippy::redundant_closure_call, reason = "the closure is where ? returns to")]
                let result = (move || -> $crate::object::PyResult<$ret> {
                    $(let $arg = <$ty as $crate::capi::convert::FromC>::from_c($ts, $arg, stringify!($name))?;)*
                    $body
                })();
                match result {
                    Ok(value) => $crate::capi::convert::IntoC::into_c(value),
                    Err(_raised) => <$ret as $crate::capi::convert::IntoC>::FAILED,
                }
            }
        )*
    };
}

/// A C string as a str object; UnicodeDecodeError when it is no UTF-8.
#[inline]
pub fn name(ts: &ThreadState, text: &CStr) -> PyResult<Ref<PyStr>> {
    match text.to_str() {
        Ok(text) => PyStr::intern(ts, text),
        Err(_) => PyStr::from_utf8(ts, text.to_bytes(), "strict"),
    }
}

/// A C string that is UTF-8; UnicodeDecodeError when it is not.
pub fn utf8<'a>(ts: &ThreadState, text: &'a CStr) -> PyResult<&'a str> {
    match text.to_str() {
        Ok(text) => Ok(text),
        Err(_) => match PyStr::from_utf8(ts, text.to_bytes(), "strict") {
            Err(raised) => Err(raised),
            Ok(_) => raise!(ts, exc::ValueError, "a C string is not UTF-8"),
        },
    }
}

/// The name of an error handler; `strict` when it is null.
pub fn errors_or_strict<'a>(ts: &ThreadState, errors: Option<&'a CStr>) -> PyResult<&'a str> {
    errors.map_or(Ok("strict"), |errors| utf8(ts, errors))
}

/// A C array of `len` objects as borrowed references.
///
/// # Safety
/// `items` has `len` objects that the caller keeps for the time of the call, or `len` is 0.
#[inline(always)]
pub unsafe fn borrowed_array<'a>(items: *const *mut PyObject, len: usize) -> &'a [&'a PyObject] {
    if len == 0 {
        return &[];
    }
    // SAFETY: as promised; a reference is a non-null pointer.
    unsafe { core::slice::from_raw_parts(items.cast::<&PyObject>(), len) }
}

/// `len` bytes of C's.
///
/// # Safety
/// `data` is readable for `len` bytes for the time of the call, or `len` is 0.
#[inline(always)]
pub unsafe fn borrowed_bytes<'a>(data: *const c_void, len: usize) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    // SAFETY: as promised.
    unsafe { core::slice::from_raw_parts(data.cast::<u8>(), len) }
}

/// An exception class that C names; TypeError when it is none.
pub fn exception_class<'a>(ts: &ThreadState, class: &'a PyObject) -> PyResult<&'a PyTypeObject> {
    match class.downcast::<PyTypeObject>() {
        Some(class) if class.is_subtype(&exc::BaseException) => Ok(class),
        _ => raise!(
            ts,
            exc::SystemError,
            "_PyErr_SetObject: exception {} is not a BaseException subclass",
            crate::object::protocol::repr(ts, class)?
        ),
    }
}
