//! marshal, version 5: reading and writing.
//!
//! A value is a type byte and its data; bit 7 of the type byte says that the value goes into the list of
//! references, to which later `r` values refer. Input is not trusted: every length is checked against what
//! is left, and nesting is limited.

use hognose_allocators::collections::TryVec;

use super::{frozen, words};
use crate::object::memo::Memo;
use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::code::{CodeParts, PyCode};
use crate::types::complex::PyComplex;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::set::PySet;
use crate::types::slice::PySlice;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// The version that is written when none is asked for.
pub const VERSION: i32 = 5;

const FLAG_REF: u8 = 0x80;
const MAX_DEPTH: usize = 2000;

/// Reads one value; what follows it is left. EOFError, ValueError or TypeError for bad data.
pub fn load(ts: &ThreadState, data: &[u8]) -> PyResult {
    let (value, _) = load_prefix(ts, data, true)?;
    Ok(value)
}

/// Reads one value, and tells how many bytes it took.
pub fn load_prefix(ts: &ThreadState, data: &[u8], allow_code: bool) -> PyResult<(PyRef, usize)> {
    let mut reader = Reader::new(ts, data, allow_code);
    match reader.value()? {
        Some(value) => Ok((value, reader.at)),
        None => raise!(ts, exc::TypeError, "NULL object in marshal data for object"),
    }
}

/// Reads a code object.
pub fn load_code(ts: &ThreadState, data: &[u8]) -> PyResult<Ref<PyCode>> {
    code_object(ts, Reader::new(ts, data, true))
}

/// Reads a code object that has just been compiled: it and all in it are of one file.
pub fn load_compiled(ts: &ThreadState, data: &[u8], filename: &PyStr) -> PyResult<Ref<PyCode>> {
    code_object(ts, Reader { filename: Some(filename), ..Reader::new(ts, data, true) })
}

fn code_object(ts: &ThreadState, mut reader: Reader<'_>) -> PyResult<Ref<PyCode>> {
    match reader.required("object")?.downcast_into::<PyCode>() {
        Ok(code) => Ok(code),
        Err(other) => raise!(ts, exc::TypeError, "expected a code object, found '{}'", other.type_name()),
    }
}

pub(super) struct Reader<'a> {
    ts: &'a ThreadState,
    data: &'a [u8],
    at: usize,
    references: TryVec<Option<PyRef>>,
    depth: usize,
    allow_code: bool,
    /// The same data and the name of the file, when it is the frozen library that is read.
    frozen: Option<(&'static [u8], &'a PyStr)>,
    /// The file of all code objects, whatever the data say.
    filename: Option<&'a PyStr>,
}

impl<'a> Reader<'a> {
    fn new(ts: &'a ThreadState, data: &'a [u8], allow_code: bool) -> Reader<'a> {
        Reader { ts, data, at: 0, references: TryVec::new(), depth: 0, allow_code, frozen: None, filename: None }
    }

    /// A reader of the frozen library.
    pub(super) fn frozen(ts: &'a ThreadState, data: &'static [u8], filename: &'a PyStr) -> Reader<'a> {
        Reader { frozen: Some((data, filename)), ..Reader::new(ts, data, true) }
    }

    pub(super) fn thread(&self) -> &'a ThreadState {
        self.ts
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn go_to(&mut self, position: usize) {
        self.at = position;
    }

    pub(super) fn take(&mut self, count: usize) -> PyResult<&'a [u8]> {
        match self.data.get(self.at..).and_then(|rest| rest.get(..count)) {
            Some(bytes) => {
                self.at += count;
                Ok(bytes)
            }
            None => raise!(self.ts, exc::EOFError, "marshal data too short"),
        }
    }

    fn byte(&mut self) -> PyResult<u8> {
        match self.data.get(self.at) {
            Some(byte) => {
                self.at += 1;
                Ok(*byte)
            }
            None => raise!(self.ts, exc::EOFError, "EOF read where object expected"),
        }
    }

    pub(super) fn long(&mut self) -> PyResult<i32> {
        let bytes = self.take(4)?;
        Ok(i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn double(&mut self) -> PyResult<f64> {
        let bytes = self.take(8)?;
        let mut buffer = [0; 8];
        buffer.copy_from_slice(bytes);
        Ok(f64::from_le_bytes(buffer))
    }

    fn size(&mut self, what: &str) -> PyResult<usize> {
        let size = self.long()?;
        if size < 0 {
            return raise!(self.ts, exc::ValueError, "bad marshal data ({what} size out of range)");
        }
        Ok(size as usize)
    }

    /// A number of items, each of which takes a byte at least.
    pub(super) fn count(&mut self, what: &str) -> PyResult<usize> {
        let count = self.size(what)?;
        if count > self.data.len() - self.at {
            return raise!(self.ts, exc::EOFError, "marshal data too short");
        }
        Ok(count)
    }

    /// Keeps a place in the references for a value that is not whole yet.
    fn reserve(&mut self, flag: bool) -> PyResult<Option<usize>> {
        if !flag {
            return Ok(None);
        }
        self.references.try_push(None)?;
        Ok(Some(self.references.len() - 1))
    }

    fn fill(&mut self, place: Option<usize>, value: &PyRef) {
        if let Some(place) = place {
            self.references[place] = Some(value.clone());
        }
    }

    fn required(&mut self, what: &str) -> PyResult {
        match self.value()? {
            Some(value) => Ok(value),
            None => raise!(self.ts, exc::TypeError, "NULL object in marshal data for {what}"),
        }
    }

    pub(super) fn typed<T: Native>(&mut self, what: &str) -> PyResult<Ref<T>> {
        match self.required(what)?.downcast_into::<T>() {
            Ok(value) => Ok(value),
            Err(_) => raise!(self.ts, exc::ValueError, "bad marshal data ({what})"),
        }
    }

    fn items(&mut self, count: usize, what: &str) -> PyResult<TryVec<PyRef>> {
        let mut items = TryVec::new();
        items.try_reserve(count)?;
        for _ in 0..count {
            let item = self.required(what)?;
            items.try_push(item)?;
        }
        Ok(items)
    }

    fn value(&mut self) -> PyResult<Option<PyRef>> {
        self.ts.check_native_stack(" while loading marshal data")?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return raise!(self.ts, exc::ValueError, "recursion limit exceeded");
        }
        let value = self.value_inner();
        self.depth -= 1;
        value
    }

    fn value_inner(&mut self) -> PyResult<Option<PyRef>> {
        let ts = self.ts;
        let code = self.byte()?;
        let flag = code & FLAG_REF != 0;
        let value = match code & !FLAG_REF {
            b'0' => return Ok(None),
            b'N' => return Ok(Some(ts.none())),
            b'F' => return Ok(Some(crate::types::bool::py_bool(false))),
            b'T' => return Ok(Some(crate::types::bool::py_bool(true))),
            b'.' => return Ok(Some(crate::types::ellipsis::ellipsis().new_ref())),
            b'S' => return Ok(Some(exc::StopIteration.as_object().new_ref())),
            b'r' => {
                let index = self.long()?;
                return match self.references.get(index as usize) {
                    Some(Some(value)) => Ok(Some(value.clone())),
                    _ => raise!(ts, exc::ValueError, "bad marshal data (invalid reference)"),
                };
            }
            b'i' => PyInt::from_i64(ts, self.long()?.into())?,
            b'I' => {
                let bytes = self.take(8)?;
                PyInt::from_bytes(ts, bytes, true, true)?
            }
            b'l' => self.big_int()?,
            b'g' => PyFloat::new(ts, self.double()?)?,
            b'f' => self.float_text()?,
            b'y' => {
                let (real, imag) = (self.double()?, self.double()?);
                PyComplex::new(ts, real, imag)?
            }
            b'x' => {
                let real = self.float_text()?.cast::<PyFloat>().value();
                let imag = self.float_text()?.cast::<PyFloat>().value();
                PyComplex::new(ts, real, imag)?
            }
            b's' => {
                let size = self.size("bytes object")?;
                PyBytes::new(ts, self.take(size)?)?.into_object()
            }
            b'u' | b't' => {
                let size = self.size("string")?;
                let bytes = self.take(size)?;
                let text = PyStr::from_utf8(ts, bytes, "surrogatepass")?;
                if code & !FLAG_REF == b't' { PyStr::intern_ref(ts, text)?.into_object() } else { text.into_object() }
            }
            frozen::WORD if self.frozen.is_some() => {
                let index = u16::from_le_bytes([self.byte()?, self.byte()?]);
                PyStr::intern_static(ts, words::get(index.into()))?.into_object()
            }
            kind @ (b'a' | b'A' | b'z' | b'Z') => {
                let size = if matches!(kind, b'a' | b'A') { self.size("string")? } else { usize::from(self.byte()?) };
                let bytes = self.take(size)?;
                if !bytes.is_ascii() {
                    return raise!(ts, exc::ValueError, "bad marshal data (non-ASCII text)");
                }
                // SAFETY: ASCII is UTF-8.
                let text = unsafe { core::str::from_utf8_unchecked(bytes) };
                if matches!(kind, b'A' | b'Z') {
                    PyStr::intern(ts, text)?.into_object()
                } else {
                    PyStr::new(ts, text)?.into_object()
                }
            }
            kind @ (b'(' | b')') => {
                let place = self.reserve(flag)?;
                let count = if kind == b'(' { self.count("tuple")? } else { usize::from(self.byte()?) };
                let items = self.items(count, "tuple")?;
                let value = PyTuple::from_vec(ts, items)?.into_object();
                gc::untrack_plain(value.cast());
                self.fill(place, &value);
                return Ok(Some(value));
            }
            b'[' => {
                let count = self.count("list")?;
                let list = PyList::new(ts)?;
                let value = list.clone().into_object();
                let place = self.reserve(flag)?;
                self.fill(place, &value);
                for _ in 0..count {
                    list.append(ts, self.required("list")?)?;
                }
                return Ok(Some(value));
            }
            b'{' => {
                let dict = PyDict::new(ts)?;
                let value = dict.clone().into_object();
                let place = self.reserve(flag)?;
                self.fill(place, &value);
                while let Some(key) = self.value()? {
                    let Some(item) = self.value()? else { break };
                    dict.set(ts, &key, &item)?;
                }
                return Ok(Some(value));
            }
            kind @ (b'<' | b'>') => {
                let count = self.count("set")?;
                if kind == b'<' {
                    let set = PySet::new(ts)?;
                    let value = set.clone().into_object();
                    let place = self.reserve(flag)?;
                    self.fill(place, &value);
                    for _ in 0..count {
                        set.add(ts, &*self.required("set")?)?;
                    }
                    return Ok(Some(value));
                }
                let place = self.reserve(flag)?;
                let items = self.items(count, "set")?;
                let items = PyTuple::from_vec(ts, items)?;
                let value = PySet::frozen(ts, items.as_object())?.into_object();
                self.fill(place, &value);
                return Ok(Some(value));
            }
            b':' => {
                let place = self.reserve(flag)?;
                let start = self.required("slice")?;
                let stop = self.required("slice")?;
                let step = self.required("slice")?;
                let value = PySlice::new(ts, &start, &stop, &step)?.into_object();
                self.fill(place, &value);
                return Ok(Some(value));
            }
            b'c' => {
                let place = self.reserve(flag)?;
                let value = self.code()?.into_object();
                self.fill(place, &value);
                return Ok(Some(value));
            }
            frozen::CODE if let Some((data, filename)) = self.frozen => {
                return Ok(Some(frozen::read_code(self, data, filename)?.into_object()));
            }
            _ => return raise!(ts, exc::ValueError, "bad marshal data (unknown type code)"),
        };
        if flag {
            self.references.try_push(Some(value.clone()))?;
        }
        Ok(Some(value))
    }

    fn float_text(&mut self) -> PyResult {
        let size = usize::from(self.byte()?);
        let bytes = self.take(size)?;
        match core::str::from_utf8(bytes).ok().and_then(|t| t.parse::<f64>().ok()) {
            Some(value) => PyFloat::new(self.ts, value),
            None => raise!(self.ts, exc::ValueError, "bad marshal data (float)"),
        }
    }

    /// Digits of 15 bits, the sign in the count.
    fn big_int(&mut self) -> PyResult {
        let count = self.long()?;
        let digits = count.unsigned_abs() as usize;
        let data = self.take(digits.checked_mul(2).unwrap_or(usize::MAX))?;
        let mut words = TryVec::<u64>::new();
        words.try_resize((digits * 15).div_ceil(64), 0)?;
        for (index, digit) in data.chunks_exact(2).enumerate() {
            let digit = u64::from(u16::from_le_bytes([digit[0], digit[1]]));
            if digit > 0x7fff {
                return raise!(self.ts, exc::ValueError, "bad marshal data (digit out of range in long)");
            }
            let bit = index * 15;
            words[bit / 64] |= digit << (bit % 64);
            if bit % 64 > 49 && bit / 64 + 1 < words.len() {
                words[bit / 64 + 1] |= digit >> (64 - bit % 64);
            }
        }
        if data.chunks_exact(2).next_back().is_some_and(|top| top == [0, 0]) {
            return raise!(self.ts, exc::ValueError, "bad marshal data (unnormalized long data)");
        }
        PyInt::from_words(self.ts, count < 0, &words)
    }

    fn code(&mut self) -> PyResult<Ref<PyCode>> {
        if !self.allow_code {
            return raise!(self.ts, exc::ValueError, "unmarshalling code objects is disallowed");
        }
        let argcount = self.long()?;
        let posonlyargcount = self.long()?;
        let kwonlyargcount = self.long()?;
        let stacksize = self.long()?;
        let flags = self.long()?;
        let code = self.typed("code")?;
        let consts = self.typed("consts")?;
        let names = self.typed("names")?;
        let localsplusnames = self.typed("localsplusnames")?;
        let localspluskinds = self.typed("localspluskinds")?;
        let filename: Ref<PyStr> = self.typed("filename")?;
        let filename = self.filename.map_or(filename, Ref::from_borrowed);
        let name = self.typed("name")?;
        let qualname = self.typed("qualname")?;
        let firstlineno = self.long()?;
        let linetable = self.typed("linetable")?;
        let exceptiontable = self.typed("exceptiontable")?;
        PyCode::new(
            self.ts,
            CodeParts {
                argcount,
                posonlyargcount,
                kwonlyargcount,
                stacksize,
                flags,
                code,
                consts,
                names,
                localsplusnames,
                localspluskinds,
                filename,
                name,
                qualname,
                firstlineno,
                linetable,
                exceptiontable,
            },
        )
    }
}

/// Values that have type bytes of their own.
fn is_singleton(value: &PyObject) -> bool {
    value.is(crate::types::none::none())
        || value.is(crate::types::bool::true_object())
        || value.is(crate::types::bool::false_object())
        || value.is(crate::types::ellipsis::ellipsis())
        || value.is(exc::StopIteration.as_object())
}

/// Writes a value. ValueError for what marshal does not know.
pub fn dump(ts: &ThreadState, value: &PyObject, version: i32, allow_code: bool) -> PyResult<TryVec<u8>> {
    let refers = version >= 3;
    let mut writer = Writer { ts, out: TryVec::new(), references: Memo::new(), refers, version, depth: 0, allow_code };
    writer.value(value)?;
    Ok(writer.out)
}

struct Writer<'a> {
    ts: &'a ThreadState,
    out: TryVec<u8>,
    /// The values that may come again, by the order in which a reader numbers them.
    references: Memo,
    /// Whether what comes again is written as a reference.
    refers: bool,
    version: i32,
    depth: usize,
    allow_code: bool,
}

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) -> PyResult<()> {
        Ok(self.out.try_extend_from_slice(bytes)?)
    }

    fn byte(&mut self, byte: u8) -> PyResult<()> {
        Ok(self.out.try_push(byte)?)
    }

    fn long(&mut self, value: i32) -> PyResult<()> {
        self.bytes(&value.to_le_bytes())
    }

    fn size(&mut self, size: usize) -> PyResult<()> {
        match i32::try_from(size) {
            Ok(size) => self.long(size),
            Err(_) => raise!(self.ts, exc::ValueError, "unmarshallable object"),
        }
    }

    fn value(&mut self, value: &PyObject) -> PyResult<()> {
        self.held_value(value, 0)
    }

    /// A value to which the writer itself has a reference.
    fn owned_value(&mut self, value: &PyObject) -> PyResult<()> {
        self.held_value(value, 1)
    }

    /// A value of whose references `held` are the writer's own. One that has more than one other may come again.
    fn held_value(&mut self, value: &PyObject, held: isize) -> PyResult<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH || self.ts.native_stack_is_low() {
            return raise!(self.ts, exc::ValueError, "object too deeply nested to marshal");
        }
        let may_come_again = self.refers && value.refcnt() > 1 + held && !is_singleton(value);
        if may_come_again && let Some(number) = self.references.get(value) {
            self.byte(b'r')?;
            self.size(number)?;
        } else {
            let start = self.out.len();
            if may_come_again {
                self.references.set(value, self.references.len())?;
            }
            self.value_inner(value)?;
            if may_come_again {
                self.out[start] |= FLAG_REF;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn all(&mut self, values: &[PyRef]) -> PyResult<()> {
        for value in values {
            self.owned_value(value)?;
        }
        Ok(())
    }

    fn value_inner(&mut self, value: &PyObject) -> PyResult<()> {
        let ts = self.ts;
        if value.is(crate::types::none::none()) {
            return self.byte(b'N');
        }
        if value.is(crate::types::bool::true_object()) {
            return self.byte(b'T');
        }
        if value.is(crate::types::bool::false_object()) {
            return self.byte(b'F');
        }
        if value.is(crate::types::ellipsis::ellipsis()) {
            return self.byte(b'.');
        }
        if value.is(exc::StopIteration.as_object()) {
            return self.byte(b'S');
        }
        if let Some(int) = value.downcast_exact::<PyInt>() {
            return self.int(int);
        }
        if let Some(float) = value.downcast_exact::<PyFloat>() {
            if self.version > 1 {
                self.byte(b'g')?;
                return self.bytes(&float.value().to_le_bytes());
            }
            self.byte(b'f')?;
            return self.float_text(value);
        }
        if let Some(complex) = value.downcast_exact::<PyComplex>() {
            let (real, imag) = complex.value();
            if self.version > 1 {
                self.byte(b'y')?;
                self.bytes(&real.to_le_bytes())?;
                return self.bytes(&imag.to_le_bytes());
            }
            self.byte(b'x')?;
            self.float_text(&*PyFloat::new(ts, real)?)?;
            return self.float_text(&*PyFloat::new(ts, imag)?);
        }
        if let Some(bytes) = value.downcast_exact::<PyBytes>() {
            self.byte(b's')?;
            self.size(bytes.as_slice().len())?;
            return self.bytes(bytes.as_slice());
        }
        if let Some(text) = value.downcast_exact::<PyStr>() {
            return self.text(text);
        }
        if let Some(tuple) = value.downcast_exact::<PyTuple>() {
            if self.version >= 4 && tuple.len() < 256 {
                self.byte(b')')?;
                self.byte(tuple.len() as u8)?;
            } else {
                self.byte(b'(')?;
                self.size(tuple.len())?;
            }
            for item in tuple.items() {
                self.value(item)?;
            }
            return Ok(());
        }
        if let Some(list) = value.downcast_exact::<PyList>() {
            let items = list.to_tuple(ts)?;
            self.byte(b'[')?;
            self.size(items.len())?;
            for item in items.items() {
                self.owned_value(item)?;
            }
            return Ok(());
        }
        if let Some(dict) = value.downcast_exact::<PyDict>() {
            self.byte(b'{')?;
            let mut position = 0;
            while let Some((key, item)) = dict.next(&mut position) {
                self.owned_value(&key)?;
                self.owned_value(&item)?;
            }
            return self.byte(b'0');
        }
        if let Some(set) = value.downcast_exact::<PySet>() {
            return self.set(set, b'<');
        }
        if core::ptr::eq(value.ob_type(), &*crate::types::set::FROZENSET_TYPE) {
            return self.set(value.cast::<PySet>(), b'>');
        }
        if let Some(slice) = value.downcast_exact::<PySlice>() {
            if self.version < 5 {
                return raise!(ts, exc::ValueError, "unmarshallable object");
            }
            let parts = [slice.start(), slice.stop(), slice.step()];
            self.byte(b':')?;
            return self.all(&parts);
        }
        if let Some(code) = value.downcast_exact::<PyCode>() {
            return self.code(code);
        }
        if buffer::has_buffer(value) {
            let view = buffer::Buffer::get(ts, value, buffer::SIMPLE)?;
            self.byte(b's')?;
            self.size(view.as_slice().len())?;
            return self.bytes(view.as_slice());
        }
        raise!(ts, exc::ValueError, "unmarshallable object")
    }

    /// The members in the order of their own marshalled bytes, so that equal sets give equal data.
    fn set(&mut self, set: &PySet, kind: u8) -> PyResult<()> {
        let mut members = TryVec::<(TryVec<u8>, PyRef)>::new();
        let mut position = 0;
        while let Some(member) = set.next(&mut position) {
            // Without references: what was written before depends on the order.
            let mut alone = Writer {
                ts: self.ts,
                out: TryVec::new(),
                references: Memo::new(),
                refers: false,
                version: self.version,
                depth: self.depth,
                allow_code: self.allow_code,
            };
            alone.value(&member)?;
            members.try_push((alone.out, member))?;
        }
        members.sort_unstable_by(|a, b| a.0[..].cmp(&b.0[..]));
        self.byte(kind)?;
        self.size(members.len())?;
        for (_, member) in members.iter() {
            self.owned_value(member)?;
        }
        Ok(())
    }

    fn float_text(&mut self, value: &PyObject) -> PyResult<()> {
        let text = protocol::repr(self.ts, value)?;
        let text = text.utf8(self.ts)?;
        self.byte(text.len() as u8)?;
        self.bytes(text.as_bytes())
    }

    fn text(&mut self, text: &PyStr) -> PyResult<()> {
        let interned = text.is_interned();
        if self.version >= 4
            && let Some(ascii) = text.ascii_str()
        {
            if ascii.len() < 256 {
                self.byte(if interned { b'Z' } else { b'z' })?;
                self.byte(ascii.len() as u8)?;
            } else {
                self.byte(if interned { b'A' } else { b'a' })?;
                self.size(ascii.len())?;
            }
            return self.bytes(ascii.as_bytes());
        }
        let encoded = crate::types::str::codec::encode_utf8(self.ts, text, "surrogatepass")?;
        self.byte(if self.version >= 3 && interned { b't' } else { b'u' })?;
        self.size(encoded.as_slice().len())?;
        self.bytes(encoded.as_slice())
    }

    fn int(&mut self, int: &PyInt) -> PyResult<()> {
        if let Some(small) = int.as_i64().and_then(|v| i32::try_from(v).ok()) {
            self.byte(b'i')?;
            return self.long(small);
        }
        let mut scratch = 0;
        let (negative, words) = int.magnitude(&mut scratch);
        let bits = crate::types::int::words::bit_length(words) as usize;
        let digits = bits.div_ceil(15);
        self.byte(b'l')?;
        let count = digits as i32;
        self.long(if negative { -count } else { count })?;
        for index in 0..digits {
            let bit = index * 15;
            let mut digit = words[bit / 64] >> (bit % 64);
            if bit % 64 > 49 && bit / 64 + 1 < words.len() {
                digit |= words[bit / 64 + 1] << (64 - bit % 64);
            }
            self.bytes(&((digit & 0x7fff) as u16).to_le_bytes())?;
        }
        Ok(())
    }

    fn code(&mut self, code: &PyCode) -> PyResult<()> {
        if !self.allow_code {
            return raise!(self.ts, exc::ValueError, "marshalling code objects is disallowed");
        }
        code.make_whole(self.ts)?;
        self.byte(b'c')?;
        for number in
            [code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_stacksize, code.co_flags]
        {
            self.long(number)?;
        }
        let instructions = PyBytes::new(self.ts, &code.original_code()?)?;
        self.value(instructions.as_object())?;
        self.slot(&code.co_consts)?;
        self.slot(&code.co_names)?;
        self.slot(&code.co_localsplusnames)?;
        self.slot(&code.co_localspluskinds)?;
        self.slot(&code.co_filename)?;
        self.slot(&code.co_name)?;
        self.slot(&code.co_qualname)?;
        self.long(code.co_firstlineno)?;
        self.slot(&code.co_linetable)?;
        self.slot(&code.co_exceptiontable)
    }

    fn slot<T: Native>(&mut self, slot: &Slot<T>) -> PyResult<()> {
        match slot.get() {
            Some(value) => self.owned_value(value.as_object()),
            None => self.byte(b'0'),
        }
    }
}
