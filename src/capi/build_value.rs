//! `Py_BuildValue`: objects from a format and C values. Declared in `modsupport.h`.

use core::ffi::{CStr, c_char, c_int};

use hognose_allocators::TryVec;

use super::convert::{borrowed_bytes, guard};
use super::variadic_args::{RawVa, Va};
use crate::config::WChar;
use crate::object::{PyObject, PyRef, PyResult, Ref};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::complex::PyComplex;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// A format being read. After a failure the rest is still read, so that objects that `N` hands over are
/// not lost.
struct Builder<'a> {
    ts: &'a ThreadState,
    rest: &'a [u8],
    va: Va,
}

/// `Py_BuildValue` and, with `call`, the argument tuple of `PyObject_CallFunction`: one item that is not in
/// parentheses makes a tuple of one.
///
/// # Safety
///
/// A thread state is attached; the arguments are as the format says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_BuildValue(format: *const c_char, va: *mut RawVa, call: c_int) -> *mut PyObject {
    // SAFETY: as promised.
    guard::<PyRef>("Py_BuildValue", |ts| unsafe { build(ts, format, va, call != 0) })
}

/// The value of a format; with `tuple` always a tuple.
///
/// # Safety
/// `format` is a C string or null (no items), and the arguments are as it says.
pub(super) unsafe fn build(ts: &ThreadState, format: *const c_char, va: *mut RawVa, tuple: bool) -> PyResult {
    let format = if format.is_null() {
        &[][..]
    } else {
        // SAFETY: the caller's promise.
        unsafe { CStr::from_ptr(format) }.to_bytes()
    };
    // SAFETY: the caller's promise.
    let mut builder = Builder { ts, rest: format, va: unsafe { Va::new(va) } };
    let mut items = builder.items(0)?;
    match items.len() {
        1 => {
            let Some(item) = items.pop() else { return Ok(PyTuple::empty().into_object()) };
            if !tuple || item.is_a::<PyTuple>() {
                return Ok(item);
            }
            Ok(PyTuple::new(ts, &[&item])?.into_object())
        }
        0 if !tuple => Ok(ts.none()),
        _ => Ok(PyTuple::from_vec(ts, items)?.into_object()),
    }
}

impl Builder<'_> {
    fn skip_separators(&mut self) {
        while let [b' ' | b'\t' | b',' | b':', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    /// The items up to a closing bracket, or the end of the format for 0.
    fn items(&mut self, close: u8) -> PyResult<TryVec<PyRef>> {
        let mut items = TryVec::new();
        let mut failed = None;
        loop {
            self.skip_separators();
            match self.rest.first() {
                None if close == 0 => break,
                Some(b) if *b == close && close != 0 => {
                    self.rest = &self.rest[1..];
                    break;
                }
                None | Some(b')' | b']' | b'}') => {
                    return raise!(self.ts, exc::SystemError, "unmatched paren in format");
                }
                Some(_) => {}
            }
            let made = if failed.is_some() { self.discard() } else { self.item() };
            match made {
                Ok(Some(item)) => {
                    if let Err(no_memory) = items.try_push(item) {
                        failed = Some(no_memory.into());
                    }
                }
                Ok(None) => {}
                Err(raised) => failed = Some(raised),
            }
        }
        match failed {
            None => Ok(items),
            Some(raised) => Err(raised),
        }
    }

    /// Reads an item that nobody will see, without touching the exception that is set.
    fn discard(&mut self) -> PyResult<Option<PyRef>> {
        let error = self.ts.current_exception.take();
        let made = self.item();
        if let Err(raised) = made {
            self.ts.clear_raised(raised);
        }
        self.ts.current_exception.set(error);
        Ok(None)
    }

    fn item(&mut self) -> PyResult<Option<PyRef>> {
        let ts = self.ts;
        let unit = self.rest[0];
        self.rest = &self.rest[1..];
        let value = match unit {
            b'(' => PyTuple::from_vec(ts, self.items(b')')?)?.into_object(),
            b'[' => PyList::from_vec(ts, self.items(b']')?)?.into_object(),
            b'{' => {
                let items = self.items(b'}')?;
                if items.len() % 2 != 0 {
                    return raise!(ts, exc::SystemError, "Bad dict format");
                }
                let dict = PyDict::new(ts)?;
                for pair in items.chunks(2) {
                    dict.set(ts, &pair[0], &pair[1])?;
                }
                dict.into_object()
            }
            b'b' | b'B' | b'h' | b'i' => PyInt::from_i64(ts, self.va.int().into())?,
            b'H' => PyInt::from_i64(ts, (self.va.int() as u16).into())?,
            b'I' => PyInt::from_i64(ts, self.va.uint().into())?,
            b'l' | b'L' | b'n' => PyInt::from_i64(ts, self.va.long())?,
            b'k' | b'K' => PyInt::from_u64(ts, self.va.long() as u64)?,
            b'p' => crate::types::bool::py_bool(self.va.int() != 0),
            b'f' | b'd' => PyFloat::new(ts, self.va.double())?,
            b'D' => {
                let value = self.va.pointer::<super::floatobject::PyComplexValue>();
                // SAFETY: the format says that it is a `Py_complex *`.
                let value = unsafe { *value };
                PyComplex::new(ts, value.real, value.imag)?
            }
            b'c' => PyBytes::single(self.va.int() as u8).into_object(),
            b'C' => match u32::try_from(self.va.int()).ok().filter(|ch| *ch <= 0x10_FFFF) {
                Some(ch) => PyStr::from_char(ts, ch)?.into_object(),
                None => return raise!(ts, exc::ValueError, "chr() arg not in range(0x110000)"),
            },
            b's' | b'z' | b'U' => match self.text() {
                Some(bytes) => PyStr::from_utf8(ts, bytes, "strict")?.into_object(),
                None => ts.none(),
            },
            b'y' => match self.text() {
                Some(bytes) => PyBytes::new(ts, bytes)?.into_object(),
                None => ts.none(),
            },
            b'u' => self.wide()?,
            b'O' | b'S' | b'N' => return self.object(unit).map(Some),
            _ => return raise!(ts, exc::SystemError, "bad format char passed to Py_BuildValue"),
        };
        Ok(Some(value))
    }

    /// The length that `#` asks for, which comes after the pointer.
    fn length(&mut self) -> Option<usize> {
        let [b'#', rest @ ..] = self.rest else { return None };
        self.rest = rest;
        usize::try_from(self.va.long()).ok()
    }

    /// A C string, with a length when `#` follows; none for null.
    fn text<'t>(&mut self) -> Option<&'t [u8]> {
        let text = self.va.pointer::<c_char>();
        let len = self.length();
        if text.is_null() {
            return None;
        }
        // SAFETY: the format says that it is a C string, or that many bytes.
        Some(unsafe {
            match len {
                Some(len) => borrowed_bytes(text.cast(), len),
                None => CStr::from_ptr(text).to_bytes(),
            }
        })
    }

    fn wide(&mut self) -> PyResult {
        let text = self.va.pointer::<WChar>();
        let len = self.length();
        if text.is_null() {
            return Ok(self.ts.none());
        }
        // SAFETY: the format says that it is a wide string, or that many characters.
        unsafe {
            let len = len.unwrap_or_else(|| crate::config::strings::wide_length(text));
            PyStr::from_ucs4(self.ts, core::slice::from_raw_parts(text, len)).map(Ref::into_object)
        }
    }

    /// `O`, `S`: counted; `N`: taken over; `O&`: made by a function.
    fn object(&mut self, unit: u8) -> PyResult {
        let ts = self.ts;
        let made = if let [b'&', rest @ ..] = self.rest {
            self.rest = rest;
            let maker = self.va.maker();
            let argument = self.va.pointer();
            // SAFETY: the format says that the function takes this argument and makes an object.
            maker.and_then(|maker| unsafe { PyRef::from_owned_or_null(maker(argument)) })
        } else {
            let object = self.va.pointer::<PyObject>();
            // SAFETY: the format says that it is an object; with `N` the caller gives its reference up.
            unsafe {
                let object = PyRef::from_owned_or_null(object);
                match (&object, unit) {
                    (Some(counted), b'O' | b'S') => counted.incref(),
                    _ => {}
                }
                object
            }
        };
        match made {
            Some(object) => Ok(object),
            // Whoever made the null has raised, or the program is wrong.
            None if ts.current_exception.is_some() => Err(crate::object::Raised::already_set()),
            None => raise!(ts, exc::SystemError, "NULL object passed to Py_BuildValue"),
        }
    }
}
