//! `PyArg_ParseTuple` and its like: C values out of arguments, by a format. Declared in `modsupport.h`.

use core::ffi::{CStr, c_char, c_int, c_void};

use hognose_allocators::TryVec;

use super::convert::guard;
use super::variadic_args::{Converter, RawVa, Va};
use crate::object::buffer::{self, PyBuffer};
use crate::object::{AsObject, PyObject, PyResult, PyTypeObject, Ref, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytearray::PyByteArray;
use crate::types::bytes::PyBytes;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::str::{PyStr, codec};
use crate::types::tuple::PyTuple;

/// What has to be undone when a later argument does not fit.
enum Undo {
    /// A converter that returned `Py_CLEANUP_SUPPORTED`.
    Converter(Converter, *mut c_void),
    /// A filled view.
    Buffer(*mut PyBuffer),
    /// Memory from `PyMem_Malloc`, and the place that refers to it.
    Memory(*mut *mut c_char),
}

/// Why an argument does not fit: an exception is set, or there is still a message to be made of what was expected.
enum Misfit {
    Raised(crate::object::Raised),
    /// `must be {expected}, not {type}`.
    Expected(&'static str),
}

impl From<crate::object::Raised> for Misfit {
    fn from(raised: crate::object::Raised) -> Misfit {
        Misfit::Raised(raised)
    }
}

impl From<hognose_allocators::NoMemory> for Misfit {
    fn from(no_memory: hognose_allocators::NoMemory) -> Misfit {
        Misfit::Raised(no_memory.into())
    }
}

const CLEANUP_SUPPORTED: c_int = 0x20000;

/// The name and the message at the end of a format.
#[derive(Clone, Copy, Default)]
struct Tail<'a> {
    name: Option<&'a str>,
    message: Option<&'a str>,
}

struct Parser<'a> {
    ts: &'a ThreadState,
    rest: &'a [u8],
    va: Va,
    tail: Tail<'a>,
    undo: TryVec<Undo>,
}

impl<'a> Parser<'a> {
    /// # Safety
    /// The arguments are as the format says.
    unsafe fn new(ts: &'a ThreadState, format: &'a CStr, va: *mut RawVa) -> Parser<'a> {
        let format = format.to_bytes();
        let end = format.iter().position(|b| matches!(b, b':' | b';')).unwrap_or(format.len());
        let text = core::str::from_utf8(format.get(end + 1..).unwrap_or(&[])).unwrap_or("?");
        let tail = match format.get(end) {
            Some(b':') => Tail { name: Some(text), message: None },
            Some(_) => Tail { name: None, message: Some(text) },
            None => Tail::default(),
        };
        // SAFETY: the caller's promise.
        Parser { ts, rest: &format[..end], va: unsafe { Va::new(va) }, tail, undo: TryVec::new() }
    }

    fn function(&self) -> (&'a str, &'static str) {
        match self.tail.name {
            Some(name) => (name, "()"),
            None => ("function", ""),
        }
    }

    /// Undoes what was done for earlier arguments.
    fn unwind(&mut self) {
        let error = self.ts.current_exception.take();
        while let Some(undo) = self.undo.pop() {
            // SAFETY: each place was filled by this parser, and its owner has not seen it yet.
            unsafe {
                match undo {
                    Undo::Converter(converter, place) => {
                        converter(core::ptr::null_mut(), place);
                    }
                    Undo::Buffer(view) => buffer::release(self.ts, &mut *view),
                    Undo::Memory(place) => {
                        let block = core::ptr::replace(place, core::ptr::null_mut());
                        hognose_allocators::free(hognose_allocators::Domain::Mem, block.cast());
                    }
                }
            }
        }
        self.ts.current_exception.set(error);
    }

    /// How many items the format has up to its end or the bracket that closes it, and how many must be there.
    fn count(&self) -> PyResult<(usize, usize)> {
        let (mut max, mut min, mut depth) = (0usize, None, 0usize);
        for (index, unit) in self.rest.iter().enumerate() {
            match unit {
                b'(' => {
                    if depth == 0 {
                        max += 1;
                    }
                    depth += 1;
                }
                b')' if depth == 0 => break,
                b')' => depth -= 1,
                _ if depth > 0 => {}
                b'|' => min = Some(max),
                // The second letter of `es` and `et` is part of the first.
                b's' | b't' if index > 0 && self.rest[index - 1] == b'e' => {}
                unit if unit.is_ascii_alphabetic() => max += 1,
                _ => {}
            }
        }
        if depth != 0 {
            return raise!(self.ts, exc::SystemError, "missing ')' in getargs format");
        }
        Ok((min.unwrap_or(max), max))
    }

    fn raise_count(&self, given: usize, min: usize, max: usize) -> PyResult<()> {
        if let Some(message) = self.tail.message {
            return raise!(self.ts, exc::TypeError, "{message}");
        }
        let (function, parens) = self.function();
        if max == 0 {
            return raise!(self.ts, exc::TypeError, "{function}{parens} takes no arguments");
        }
        let (bound, number) = if min == max {
            ("exactly", min)
        } else if given < min {
            ("at least", min)
        } else {
            ("at most", max)
        };
        let plural = if number == 1 { "" } else { "s" };
        raise!(self.ts, exc::TypeError, "{function}{parens} takes {bound} {number} argument{plural} ({given} given)")
    }

    /// An argument that does not fit, as the exception.
    fn raise_misfit(
        &self,
        misfit: Misfit,
        object: &PyObject,
        index: usize,
        item: Option<usize>,
    ) -> crate::object::Raised {
        let expected = match misfit {
            Misfit::Raised(raised) => return raised,
            Misfit::Expected(expected) => expected,
        };
        let ts = self.ts;
        if let Some(message) = self.tail.message {
            return ts.raise_fmt(&exc::TypeError, format_args!("{message}"));
        }
        let given = if is_none(object) { "None" } else { object.type_name() };
        let (function, parens) = match self.tail.name {
            Some(name) => (name, "() "),
            None => ("", ""),
        };
        let joint = if expected.starts_with("impossible") || expected.starts_with("(") { "" } else { "must be " };
        let not = if joint.is_empty() { ("", "") } else { (", not ", given) };
        match (index, item) {
            (0, _) => ts.raise_fmt(
                &exc::TypeError,
                format_args!("{function}{parens}argument {joint}{expected}{}{}", not.0, not.1),
            ),
            (index, None) => ts.raise_fmt(
                &exc::TypeError,
                format_args!("{function}{parens}argument {index} {joint}{expected}{}{}", not.0, not.1),
            ),
            (index, Some(item)) => ts.raise_fmt(
                &exc::TypeError,
                format_args!("{function}{parens}argument {index}, item {item} {joint}{expected}{}{}", not.0, not.1),
            ),
        }
    }

    fn peek(&self) -> u8 {
        self.rest.first().copied().unwrap_or(0)
    }

    fn next(&mut self) -> u8 {
        let unit = self.peek();
        self.rest = self.rest.get(1..).unwrap_or(&[]);
        unit
    }

    /// Takes a letter that follows the unit.
    fn follows(&mut self, unit: u8) -> bool {
        let there = self.peek() == unit;
        if there {
            self.next();
        }
        there
    }

    /// Converts an argument, or with none skips the unit and its places.
    fn item(&mut self, object: Option<&PyObject>, index: usize, depth: Option<usize>) -> PyResult<()> {
        if self.peek() == b'(' {
            self.next();
            return self.sequence(object, index);
        }
        match (self.unit(object), object) {
            (Ok(()), _) => Ok(()),
            (Err(misfit), Some(object)) => Err(self.raise_misfit(misfit, object, index, depth)),
            (Err(Misfit::Raised(raised)), None) => Err(raised),
            (Err(Misfit::Expected(_)), None) => Ok(()),
        }
    }

    /// A sequence in parentheses.
    fn sequence(&mut self, object: Option<&PyObject>, index: usize) -> PyResult<()> {
        let (_, count) = self.count()?;
        let items = match object {
            None => None,
            Some(object) => {
                let sequence = protocol::is_sequence(object) && !object.is_a::<PyStr>() && !object.is_a::<PyBytes>();
                if !sequence {
                    let given = if is_none(object) { "None" } else { object.type_name() };
                    let (function, parens) = self.tail.name.map_or(("", ""), |name| (name, "() "));
                    return raise!(
                        self.ts,
                        exc::TypeError,
                        "{function}{parens}argument {index} must be {count}-item sequence, not {given}"
                    );
                }
                let len = protocol::length(self.ts, object)?;
                if len != count {
                    let (function, parens) = self.tail.name.map_or(("", ""), |name| (name, "() "));
                    return raise!(
                        self.ts,
                        exc::TypeError,
                        "{function}{parens}argument {index} must be sequence of length {count}, not {len}"
                    );
                }
                Some(object)
            }
        };
        for position in 0..count {
            let item = items.map(|items| protocol::sequence_item(self.ts, items, position as isize)).transpose()?;
            // Borrowed results live as long as the sequence has them, as C's callers know.
            self.item(item.as_deref(), index, Some(position + 1))?;
        }
        if self.next() != b')' {
            return raise!(self.ts, exc::SystemError, "unmatched paren in format");
        }
        Ok(())
    }

    /// Writes a value where the caller wants it, if there is an argument.
    fn store<T>(place: *mut T, value: Option<T>) {
        if let Some(value) = value {
            // SAFETY: the format says that it is a place for this type.
            unsafe { place.write(value) };
        }
    }

    fn unit(&mut self, object: Option<&PyObject>) -> Result<(), Misfit> {
        let ts = self.ts;
        let unit = self.next();
        match unit {
            b'b' => self.bounded::<u8>(object, 0, 255, "unsigned byte integer", |n| n as u8)?,
            b'h' => {
                self.bounded::<i16>(object, i16::MIN.into(), i16::MAX.into(), "signed short integer", |n| n as i16)?
            }
            b'i' => self.bounded::<i32>(object, i32::MIN.into(), i32::MAX.into(), "signed integer", |n| n as i32)?,
            b'B' => Self::store(self.va.pointer(), masked(ts, object)?.map(|n| n as u8)),
            b'H' => Self::store(self.va.pointer(), masked(ts, object)?.map(|n| n as u16)),
            b'I' => Self::store(self.va.pointer(), masked(ts, object)?.map(|n| n as u32)),
            b'k' | b'K' => {
                let place = self.va.pointer::<u64>();
                if let Some(object) = object {
                    if !object.is_a::<PyInt>() && !protocol::is_index(object) {
                        return Err(Misfit::Expected("int"));
                    }
                    Self::store(place, masked(ts, Some(object))?);
                }
            }
            b'l' => Self::store(
                self.va.pointer(),
                object.map(|o| whole(ts, o, "Python int too large to convert to C long")).transpose()?,
            ),
            b'L' => Self::store(self.va.pointer(), object.map(|o| whole(ts, o, "int too big to convert")).transpose()?),
            b'n' => {
                let place = self.va.pointer::<isize>();
                if let Some(object) = object {
                    let int = protocol::index(ts, object)?;
                    Self::store(place, Some(int.to_isize(ts)?));
                }
            }
            b'f' => {
                Self::store(self.va.pointer(), object.map(|o| protocol::as_f64(ts, o)).transpose()?.map(|x| x as f32))
            }
            b'd' => Self::store(self.va.pointer(), object.map(|o| protocol::as_f64(ts, o)).transpose()?),
            b'D' => {
                let place = self.va.pointer::<super::floatobject::PyComplexValue>();
                if let Some(object) = object {
                    let (real, imag) = crate::types::complex::value_of(ts, object)?;
                    Self::store(place, Some(super::floatobject::PyComplexValue { real, imag }));
                }
            }
            b'p' => {
                Self::store(self.va.pointer(), object.map(|o| protocol::is_true(ts, o)).transpose()?.map(c_int::from))
            }
            b'c' => self.byte(object)?,
            b'C' => {
                let place = self.va.pointer::<c_int>();
                if let Some(object) = object {
                    match object.downcast::<PyStr>() {
                        Some(text) if text.len() == 1 => Self::store(place, Some(text.char_at(0) as c_int)),
                        _ => return Err(Misfit::Expected("a unicode character")),
                    }
                }
            }
            b's' | b'z' | b'y' => self.text(unit, object)?,
            b'w' => {
                let view = self.va.pointer::<PyBuffer>();
                if !self.follows(b'*') {
                    return Err(Misfit::Expected("(invalid use of 'w' format character)"));
                }
                if let Some(object) = object {
                    // SAFETY: the format says that it is a view.
                    if let Err(raised) = buffer::get_into(ts, object, unsafe { &mut *view }, buffer::WRITABLE) {
                        ts.clear_raised(raised);
                        return Err(Misfit::Expected("read-write bytes-like object"));
                    }
                    self.undo.try_push(Undo::Buffer(view))?;
                }
            }
            b'e' => self.encoded(object)?,
            b'S' => self.exact_type::<PyBytes>(object, "bytes")?,
            b'Y' => self.exact_type::<PyByteArray>(object, "bytearray")?,
            b'U' => self.exact_type::<PyStr>(object, "str")?,
            b'O' => self.object(object)?,
            _ => {
                return Err(Misfit::Raised(
                    ts.raise_fmt(&exc::SystemError, format_args!("impossible<bad format char>")),
                ));
            }
        }
        Ok(())
    }

    /// An integer of a width that raises OverflowError when it does not fit.
    fn bounded<T>(
        &mut self,
        object: Option<&PyObject>,
        low: i64,
        high: i64,
        what: &str,
        cut: fn(i64) -> T,
    ) -> Result<(), Misfit> {
        let place = self.va.pointer::<T>();
        let Some(object) = object else { return Ok(()) };
        let value = whole(self.ts, object, "Python int too large to convert to C long")?;
        if value < low || value > high {
            let bound = if value < low { "less than minimum" } else { "greater than maximum" };
            return Err(Misfit::Raised(self.ts.raise_fmt(&exc::OverflowError, format_args!("{what} is {bound}"))));
        }
        Self::store(place, Some(cut(value)));
        Ok(())
    }

    fn byte(&mut self, object: Option<&PyObject>) -> Result<(), Misfit> {
        let place = self.va.pointer::<u8>();
        let Some(object) = object else { return Ok(()) };
        let byte = match (object.downcast::<PyBytes>(), object.downcast::<PyByteArray>()) {
            (Some(bytes), _) if bytes.len() == 1 => bytes.as_slice().first().copied(),
            (_, Some(array)) if array.len() == 1 => array.get(0),
            _ => None,
        };
        match byte {
            Some(byte) => Self::store(place, Some(byte)),
            None => return Err(Misfit::Expected("a byte string of length 1")),
        }
        Ok(())
    }

    /// `s`, `z`, `y` and their forms with `#` and `*`.
    fn text(&mut self, unit: u8, object: Option<&PyObject>) -> Result<(), Misfit> {
        let ts = self.ts;
        let expected = match unit {
            b's' => "str",
            b'z' => "str or None",
            _ => "bytes",
        };
        if self.follows(b'*') {
            let view = self.va.pointer::<PyBuffer>();
            let Some(object) = object else { return Ok(()) };
            // SAFETY: the format says that it is a view.
            let view_ref = unsafe { &mut *view };
            if unit == b'z' && is_none(object) {
                *view_ref = PyBuffer::EMPTY;
                return Ok(());
            }
            match object.downcast::<PyStr>() {
                Some(text) if unit != b'y' => {
                    let (data, len) = text.utf8_with_nul(ts)?;
                    *view_ref = PyBuffer::EMPTY;
                    // SAFETY: the text stays as long as its object, which the view owns.
                    unsafe { view_ref.fill(ts, data.cast_mut().cast(), len, true, buffer::SIMPLE)? };
                    view_ref.obj = object.new_ref().into_ptr();
                }
                _ => {
                    if !buffer::has_buffer(object) {
                        return Err(Misfit::Expected(match unit {
                            b's' => "str or bytes-like object",
                            b'z' => "str, bytes-like object or None",
                            _ => "bytes-like object",
                        }));
                    }
                    buffer::get_into(ts, object, view_ref, buffer::SIMPLE)?;
                }
            }
            self.undo.try_push(Undo::Buffer(view))?;
            return Ok(());
        }
        let place = self.va.pointer::<*const c_char>();
        if self.follows(b'#') {
            let size = self.va.pointer::<isize>();
            let Some(object) = object else { return Ok(()) };
            if unit == b'z' && is_none(object) {
                Self::store(place, Some(core::ptr::null()));
                Self::store(size, Some(0));
                return Ok(());
            }
            let (data, len) = match (object.downcast::<PyStr>(), object.downcast::<PyBytes>()) {
                (Some(text), _) if unit != b'y' => text.utf8_with_nul(ts)?,
                (_, Some(bytes)) => (bytes.data_ptr().cast_const().cast(), bytes.len()),
                _ => {
                    return Err(Misfit::Expected(match unit {
                        b's' => "str or read-only bytes-like object",
                        b'z' => "str, read-only bytes-like object or None",
                        _ => "read-only bytes-like object",
                    }));
                }
            };
            Self::store(place, Some(data));
            Self::store(size, Some(len as isize));
            return Ok(());
        }
        let Some(object) = object else { return Ok(()) };
        if unit == b'z' && is_none(object) {
            Self::store(place, Some(core::ptr::null()));
            return Ok(());
        }
        let (data, has_nul) = match (object.downcast::<PyStr>(), object.downcast::<PyBytes>()) {
            (Some(text), _) if unit != b'y' => (text.utf8_with_nul(ts)?.0, text.contains_nul()),
            (_, Some(bytes)) if unit == b'y' => (bytes.data_ptr().cast_const().cast(), bytes.as_slice().contains(&0)),
            _ => return Err(Misfit::Expected(expected)),
        };
        if has_nul {
            let what = if unit == b'y' { "byte" } else { "character" };
            return Err(Misfit::Raised(ts.raise_fmt(&exc::ValueError, format_args!("embedded null {what}"))));
        }
        Self::store(place, Some(data));
        Ok(())
    }

    /// `es`, `et`, `es#`, `et#`: a copy in an encoding.
    fn encoded(&mut self, object: Option<&PyObject>) -> Result<(), Misfit> {
        let ts = self.ts;
        let encoding = self.va.pointer::<c_char>();
        let takes_bytes = match self.next() {
            b's' => false,
            b't' => true,
            _ => return Err(Misfit::Expected("(unknown parser marker combination)")),
        };
        let place = self.va.pointer::<*mut c_char>();
        let size = if self.follows(b'#') { Some(self.va.pointer::<isize>()) } else { None };
        let Some(object) = object else { return Ok(()) };
        let bytes: Ref<PyBytes> = if takes_bytes && object.is_a::<PyBytes>() {
            object.new_ref().cast_into()
        } else if takes_bytes && let Some(array) = object.downcast::<PyByteArray>() {
            // SAFETY: nothing runs while the copy is made.
            PyBytes::new(ts, unsafe { array.as_slice() })?
        } else if let Some(text) = object.downcast::<PyStr>() {
            let encoding = if encoding.is_null() {
                "utf-8"
            } else {
                // SAFETY: the format says that it is a C string or null.
                super::convert::utf8(ts, unsafe { CStr::from_ptr(encoding) })?
            };
            match codec::encode(ts, text, encoding, "strict")?.downcast_into::<PyBytes>() {
                Ok(bytes) => bytes,
                Err(_) => return Err(Misfit::Expected("(encoder failed to return bytes)")),
            }
        } else {
            return Err(Misfit::Expected(if takes_bytes { "str, bytes or bytearray" } else { "str" }));
        };
        let data = bytes.as_slice();
        // SAFETY: the format says what the places are; with a size and a pointer the caller's room is used.
        unsafe {
            match size {
                Some(size) if !(*place).is_null() => {
                    if data.len() as isize + 1 > *size {
                        return Err(Misfit::Raised(ts.raise_fmt(
                            &exc::ValueError,
                            format_args!("encoded string too long ({}, maximum length {})", data.len(), *size - 1),
                        )));
                    }
                }
                _ => {
                    if size.is_none() && data.contains(&0) {
                        return Err(Misfit::Expected("encoded string without null bytes"));
                    }
                    let block = hognose_allocators::malloc(hognose_allocators::Domain::Mem, data.len() + 1);
                    if block.is_null() {
                        return Err(Misfit::Raised(ts.raise_no_memory()));
                    }
                    place.write(block.cast());
                    self.undo.try_push(Undo::Memory(place))?;
                }
            }
            core::ptr::copy_nonoverlapping(data.as_ptr(), (*place).cast::<u8>(), data.len());
            (*place).add(data.len()).write(0);
            if let Some(size) = size {
                size.write(data.len() as isize);
            }
        }
        Ok(())
    }

    fn exact_type<T: crate::object::Native>(
        &mut self,
        object: Option<&PyObject>,
        expected: &'static str,
    ) -> Result<(), Misfit> {
        let place = self.va.pointer::<*mut PyObject>();
        match object {
            None => Ok(()),
            Some(object) if object.is_a::<T>() => {
                Self::store(place, Some(object.as_ptr()));
                Ok(())
            }
            Some(_) => Err(Misfit::Expected(expected)),
        }
    }

    /// `O`, `O!` and `O&`.
    fn object(&mut self, object: Option<&PyObject>) -> Result<(), Misfit> {
        if self.follows(b'!') {
            let typ = self.va.pointer::<PyTypeObject>();
            let place = self.va.pointer::<*mut PyObject>();
            let Some(object) = object else { return Ok(()) };
            // SAFETY: the format says that it is a type.
            let typ = unsafe { &*typ };
            if !object.ob_type().is_subtype(typ) {
                return Err(Misfit::Expected(typ_name(typ)));
            }
            Self::store(place, Some(object.as_ptr()));
            return Ok(());
        }
        if self.follows(b'&') {
            let converter = self.va.converter();
            let place = self.va.pointer::<c_void>();
            let (Some(converter), Some(object)) = (converter, object) else { return Ok(()) };
            // SAFETY: the format says that it is a converter for this place.
            match unsafe { converter(object.as_ptr(), place) } {
                0 if self.ts.current_exception.is_some() => {
                    return Err(Misfit::Raised(crate::object::Raised::already_set()));
                }
                0 => return Err(Misfit::Expected("(unspecified)")),
                CLEANUP_SUPPORTED => self.undo.try_push(Undo::Converter(converter, place))?,
                _ => {}
            }
            return Ok(());
        }
        let place = self.va.pointer::<*mut PyObject>();
        Self::store(place, object.map(PyObject::as_ptr));
        Ok(())
    }
}

/// A type's name for a message that is made before anything else can run.
fn typ_name(typ: &PyTypeObject) -> &'static str {
    // SAFETY: the name lives as long as the type, which the caller's argument keeps; the message is made of it at once.
    unsafe { core::mem::transmute::<&str, &'static str>(typ.name()) }
}

fn whole(ts: &ThreadState, object: &PyObject, message: &str) -> PyResult<i64> {
    let int = protocol::index(ts, object)?;
    match int.as_i64() {
        Some(value) => Ok(value),
        None => raise!(ts, exc::OverflowError, "{message}"),
    }
}

fn masked(ts: &ThreadState, object: Option<&PyObject>) -> PyResult<Option<u64>> {
    object.map(|object| Ok(protocol::index(ts, object)?.wrapping_u64())).transpose()
}

/// Runs a parser: 1, or 0 with an exception and all undone.
fn run(name: &str, body: impl FnOnce(&'static ThreadState) -> PyResult<bool>) -> c_int {
    // The convention is the other way round than elsewhere: 0 is the failure.
    (guard::<bool>(name, body) == 1).into()
}

fn finish(mut parser: Parser<'_>, result: PyResult<()>) -> PyResult<bool> {
    if result.is_err() {
        parser.unwind();
    }
    result.map(|()| true)
}

/// `PyArg_ParseTuple`; with `whole` `PyArg_Parse`, where `args` is the one argument.
///
/// # Safety
///
/// A thread state is attached; the arguments are as the format says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_ParseArgs(
    args: *mut PyObject,
    format: *const c_char,
    va: *mut RawVa,
    whole: c_int,
) -> c_int {
    run("PyArg_ParseTuple", |ts| {
        // SAFETY: as promised.
        let mut parser = unsafe { Parser::new(ts, CStr::from_ptr(format), va) };
        // SAFETY: as promised.
        let args = unsafe { args.as_ref() };
        if whole != 0 {
            let Some(object) = args else { return super::convert::null_argument(ts) };
            let result = if parser.count()?.1 == 0 { Ok(()) } else { parser.item(Some(object), 0, None) };
            return finish(parser, result);
        }
        let Some(args) = args.and_then(|a| a.downcast::<PyTuple>()) else {
            return raise!(ts, exc::SystemError, "new style getargs format but argument is not a tuple");
        };
        let (min, max) = parser.count()?;
        if args.len() < min || args.len() > max {
            return parser.raise_count(args.len(), min, max).map(|()| true);
        }
        let mut result = Ok(());
        for (index, object) in args.items().iter().enumerate() {
            while matches!(parser.peek(), b'|' | b'$') {
                parser.next();
            }
            result = parser.item(Some(object), index + 1, None);
            if result.is_err() {
                break;
            }
        }
        finish(parser, result)
    })
}

/// `PyArg_ParseTupleAndKeywords`.
///
/// # Safety
///
/// A thread state is attached; `names` ends with null and has a name for each unit (empty for positional-only
/// ones), the arguments are as the format says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_ParseKeywords(
    args: *mut PyObject,
    kwargs: *mut PyObject,
    format: *const c_char,
    names: *const *const c_char,
    va: *mut RawVa,
) -> c_int {
    run("PyArg_ParseTupleAndKeywords", |ts| {
        // SAFETY: as promised.
        let (args, kwargs) = unsafe { (args.as_ref(), kwargs.as_ref()) };
        let Some(args) = args.and_then(|a| a.downcast::<PyTuple>()) else {
            return super::convert::bad_internal_call(ts, "PyArg_ParseTupleAndKeywords");
        };
        let kwargs = match kwargs {
            None => None,
            Some(kwargs) => match kwargs.downcast::<PyDict>() {
                Some(kwargs) => Some(kwargs),
                None => return super::convert::bad_internal_call(ts, "PyArg_ParseTupleAndKeywords"),
            },
        };
        // SAFETY: as promised.
        let parser = unsafe { Parser::new(ts, CStr::from_ptr(format), va) };
        let mut parameters = TryVec::<&CStr>::new();
        let mut at = names;
        // SAFETY: as promised.
        unsafe {
            while !(*at).is_null() {
                parameters.try_push(CStr::from_ptr(*at))?;
                at = at.add(1);
            }
        }
        keywords(parser, args, kwargs, &parameters)
    })
}

fn keywords(mut parser: Parser<'_>, args: &PyTuple, kwargs: Option<&PyDict>, names: &[&CStr]) -> PyResult<bool> {
    let ts = parser.ts;
    let (function, parens) = parser.function();
    let positional_only = names.iter().take_while(|n| n.is_empty()).count();
    let dollar = position_of(parser.rest, b'$');
    let (min, max) = parser.count()?;
    if max != names.len() {
        return raise!(
            ts,
            exc::SystemError,
            "more argument specifiers than keyword list entries (remaining format:'')"
        );
    }
    let most_positional = dollar.unwrap_or(max);
    let given = args.len() + kwargs.map_or(0, PyDict::len);
    if given > max || args.len() > most_positional {
        let kind = if args.len() > most_positional && given <= max || kwargs.is_none() && dollar.is_some() {
            "positional "
        } else if kwargs.is_some_and(|k| k.len() != 0) && args.is_empty() {
            "keyword "
        } else {
            ""
        };
        let limit = if kind == "positional " { most_positional } else { max };
        let bound = if min < limit || limit == most_positional && dollar.is_some() { "at most" } else { "exactly" };
        let number = if kind == "positional " { args.len() } else { given };
        let plural = if limit == 1 { "" } else { "s" };
        if limit == 0 {
            return raise!(ts, exc::TypeError, "{function}{parens} takes no {kind}arguments");
        }
        return raise!(
            ts,
            exc::TypeError,
            "{function}{parens} takes {bound} {limit} {kind}argument{plural} ({number} given)"
        );
    }
    let mut used = 0;
    let mut result = Ok(());
    for (index, name) in names.iter().enumerate() {
        while matches!(parser.peek(), b'|' | b'$') {
            parser.next();
        }
        let by_name = match kwargs {
            Some(kwargs) if !name.is_empty() => kwargs.get_str(ts, &*super::convert::name(ts, name)?)?,
            _ => None,
        };
        let shown = name.to_str().unwrap_or("?");
        used += usize::from(by_name.is_some());
        let object = match (args.get(index), &by_name) {
            (Some(_), Some(_)) => {
                result = raise!(
                    ts,
                    exc::TypeError,
                    "argument for {function}{parens} given by name ('{shown}') and position ({})",
                    index + 1
                );
                break;
            }
            (Some(object), None) => Some(object),
            (None, Some(object)) => Some(&**object),
            (None, None) => None,
        };
        if object.is_none() && index < min {
            result = if index < positional_only {
                let bound = if min < max { "at least" } else { "exactly" };
                let need = positional_only.min(min);
                let plural = if need == 1 { "" } else { "s" };
                raise!(
                    ts,
                    exc::TypeError,
                    "{function}{parens} takes {bound} {need} positional argument{plural} ({} given)",
                    args.len()
                )
            } else {
                raise!(ts, exc::TypeError, "{function}{parens} missing required argument '{shown}' (pos {})", index + 1)
            };
            break;
        }
        // Arguments that are not given are skipped, with their places.
        result = parser.item(object, index + 1, None);
        if result.is_err() {
            break;
        }
    }
    if result.is_ok()
        && let Some(kwargs) = kwargs
        && used < kwargs.len()
    {
        result = unknown_keyword(ts, kwargs, names, (function, parens));
    }
    finish(parser, result)
}

/// Where a marker stands in a format, as a number of units.
fn position_of(format: &[u8], marker: u8) -> Option<usize> {
    let at = format.iter().position(|b| *b == marker)?;
    let mut depth = 0usize;
    let mut units = 0;
    for (index, unit) in format[..at].iter().enumerate() {
        match unit {
            b'(' => {
                units += usize::from(depth == 0);
                depth += 1;
            }
            b')' => depth = depth.saturating_sub(1),
            b's' | b't' if index > 0 && format[index - 1] == b'e' => {}
            unit if depth == 0 && unit.is_ascii_alphabetic() => units += 1,
            _ => {}
        }
    }
    Some(units)
}

fn unknown_keyword(ts: &ThreadState, kwargs: &PyDict, names: &[&CStr], function: (&str, &str)) -> PyResult<()> {
    let mut position = 0;
    while let Some((key, _)) = kwargs.next(&mut position) {
        let Some(key) = key.downcast::<PyStr>() else {
            return raise!(ts, exc::TypeError, "keywords must be strings");
        };
        if !names.iter().any(|name| !name.is_empty() && name.to_str().is_ok_and(|name| key.equals_str(name))) {
            return raise!(
                ts,
                exc::TypeError,
                "{}{} got an unexpected keyword argument '{key}'",
                function.0,
                function.1
            );
        }
    }
    Ok(())
}

/// `PyArg_UnpackTuple`.
///
/// # Safety
///
/// A thread state is attached; there are `max` places.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_UnpackTuple(
    args: *mut PyObject,
    name: *const c_char,
    min: isize,
    max: isize,
    va: *mut RawVa,
) -> c_int {
    run("PyArg_UnpackTuple", |ts| {
        // SAFETY: as promised.
        let Some(args) = (unsafe { args.as_ref() }).and_then(|a| a.downcast::<PyTuple>()) else {
            return raise!(ts, exc::SystemError, "PyArg_UnpackTuple() argument list is not a tuple");
        };
        let (min, max) = (min.max(0) as usize, max.max(0) as usize);
        let name = if name.is_null() {
            "unpacked tuple"
        } else {
            // SAFETY: as promised.
            unsafe { CStr::from_ptr(name) }.to_str().unwrap_or("?")
        };
        crate::object::call::check_count(ts, name, args.len(), min, max)?;
        // SAFETY: as promised.
        let mut va = unsafe { Va::new(va) };
        for item in args.items() {
            // SAFETY: as promised.
            unsafe { va.pointer::<*mut PyObject>().write(item.as_ptr()) };
        }
        Ok(true)
    })
}

crate::capi! {
    /// 1 when the names of a keyword dict are strings.
    fn PyArg_ValidateKeywordArguments(ts, kwargs: &PyObject) -> KeywordsAreStrings {
        let Some(kwargs) = kwargs.downcast::<PyDict>() else {
            return super::convert::bad_internal_call(ts, "PyArg_ValidateKeywordArguments");
        };
        let mut position = 0;
        while let Some((key, _)) = kwargs.next(&mut position) {
            if !key.is_a::<PyStr>() {
                return raise!(ts, exc::TypeError, "keywords must be strings");
            }
        }
        Ok(KeywordsAreStrings)
    }
}

/// 1, or 0 with an exception.
pub struct KeywordsAreStrings;

impl super::convert::IntoC for KeywordsAreStrings {
    type C = c_int;
    const FAILED: c_int = 0;
    fn into_c(self) -> c_int {
        1
    }
}
