//! Unpickling: a machine with a stack, whose instructions are in `opcodes`. What makes and changes objects is in
//! `build`.

use hognose_allocators::collections::TryVec;

use super::input::Input;
use super::opcodes::*;
use super::state::{PyPickleState, UNPICKLING_ERROR};
use super::unpickler::PyUnpickler;
use crate::object::{AsObject, PyObject, PyRef, PyResult, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::float::{self, PyFloat};
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::set::{FROZENSET_TYPE, PySet};
use crate::types::str::{PyStr, codec};
use crate::types::tuple::PyTuple;

/// One run of an unpickler.
pub struct Loader<'a> {
    pub(super) ts: &'a ThreadState,
    pub(super) unpickler: &'a PyUnpickler,
    pub(super) state: &'a PyPickleState,
    pub(super) stack: TryVec<PyRef>,
    /// Where marks are on the stack.
    marks: TryVec<usize>,
    input: Input,
}

impl Drop for Loader<'_> {
    fn drop(&mut self) {
        // What has been read ahead is the next pickle's.
        let input = core::mem::replace(&mut self.input, Input::new());
        let old = self.unpickler.input.replace(input);
        drop(old);
    }
}

impl<'a> Loader<'a> {
    /// A run that begins.
    pub fn new(ts: &'a ThreadState, unpickler: &'a PyUnpickler, state: &'a PyPickleState) -> PyResult<Loader<'a>> {
        unpickler.protocol.set(0);
        let input = unpickler.input.replace(Input::new());
        Ok(Loader { ts, unpickler, state, stack: TryVec::new(), marks: TryVec::new(), input })
    }

    /// The object of the next pickle.
    pub fn load(mut self) -> PyResult {
        loop {
            let opcode = match self.input.take::<1>(self.ts, self.unpickler) {
                Ok([opcode]) => opcode,
                Err(raised) if self.ts.raised_matches(&UNPICKLING_ERROR) => {
                    self.ts.clear_raised(raised);
                    return raise!(self.ts, exc::EOFError, "Ran out of input");
                }
                Err(raised) => return Err(raised),
            };
            if opcode == STOP {
                break;
            }
            self.step(opcode)?;
        }
        let result = self.pop()?;
        self.input.skip(self.ts, self.unpickler)?;
        Ok(result)
    }

    fn step(&mut self, opcode: u8) -> PyResult<()> {
        match opcode {
            MARK => Ok(self.marks.try_push(self.stack.len())?),
            NONE => self.push(self.ts.none()),
            NEWTRUE => self.push(py_bool(true)),
            NEWFALSE => self.push(py_bool(false)),
            BININT => {
                let value = i32::from_le_bytes(self.take()?);
                self.push_int(value.into())
            }
            BININT1 => {
                let [value] = self.take()?;
                self.push_int(value.into())
            }
            BININT2 => {
                let value = u16::from_le_bytes(self.take()?);
                self.push_int(value.into())
            }
            INT => self.load_int(),
            LONG => self.load_long(),
            LONG1 => {
                let [len] = self.take()?;
                self.load_long_bytes(len.into())
            }
            LONG4 => match usize::try_from(i32::from_le_bytes(self.take()?)) {
                Ok(len) => self.load_long_bytes(len),
                Err(_) => raise!(self.ts, UNPICKLING_ERROR, "LONG pickle has negative byte count"),
            },
            FLOAT => self.load_float(),
            BINFLOAT => {
                let value = f64::from_be_bytes(self.take()?);
                let value = PyFloat::new(self.ts, value)?;
                self.push(value)
            }
            SHORT_BINBYTES | BINBYTES | BINBYTES8 => {
                let len = self.length(opcode, SHORT_BINBYTES, BINBYTES8, "BINBYTES")?;
                let bytes = self.input.bytes(self.ts, self.unpickler, len)?;
                self.push(bytes)
            }
            BYTEARRAY8 => {
                let len = self.length(opcode, 0, BYTEARRAY8, "BYTEARRAY8")?;
                let array = self.input.bytearray(self.ts, self.unpickler, len)?;
                self.push(array)
            }
            SHORT_BINUNICODE | BINUNICODE | BINUNICODE8 => {
                let len = self.length(opcode, SHORT_BINUNICODE, BINUNICODE8, "BINUNICODE")?;
                let bytes = self.input.read(self.ts, self.unpickler, len)?;
                let text = codec::decode_utf8(self.ts, bytes, "surrogatepass")?;
                self.push(text.into_object())
            }
            SHORT_BINSTRING => {
                let [len] = self.take()?;
                self.load_old_string(len.into())
            }
            BINSTRING => match usize::try_from(i32::from_le_bytes(self.take()?)) {
                Ok(len) => self.load_old_string(len),
                Err(_) => raise!(self.ts, UNPICKLING_ERROR, "BINSTRING pickle has negative byte count"),
            },
            STRING => self.load_string(),
            UNICODE => {
                let line = self.input.line(self.ts, self.unpickler)?;
                let line = TryVec::<u8>::try_from_slice(&line[..line.len() - 1])?;
                let text = codec::decode_raw_unicode_escape(self.ts, &line, "strict", true)?;
                self.push(text.0.into_object())
            }
            EMPTY_TUPLE => self.push(PyTuple::empty().into_object()),
            TUPLE1 => self.load_short_tuple(1),
            TUPLE2 => self.load_short_tuple(2),
            TUPLE3 => self.load_short_tuple(3),
            TUPLE => {
                let items = self.pop_mark()?;
                let tuple = PyTuple::from_vec(self.ts, items)?;
                self.push(tuple.into_object())
            }
            EMPTY_LIST => {
                let list = PyList::new(self.ts)?;
                self.push(list.into_object())
            }
            LIST => {
                let items = self.pop_mark()?;
                let list = PyList::from_vec(self.ts, items)?;
                self.push(list.into_object())
            }
            EMPTY_DICT => {
                let dict = PyDict::new(self.ts)?;
                self.push(dict.into_object())
            }
            DICT => {
                let items = self.pop_mark()?;
                let dict = PyDict::new(self.ts)?;
                self.set_items(dict.as_object(), &items, "DICT")?;
                self.push(dict.into_object())
            }
            EMPTY_SET => {
                let set = PySet::new(self.ts)?;
                self.push(set.into_object())
            }
            FROZENSET => {
                let items = self.pop_mark()?;
                let items = PyTuple::from_vec(self.ts, items)?;
                let set = PySet::from_iterable(self.ts, &FROZENSET_TYPE, items.as_object())?;
                self.push(set.into_object())
            }
            APPEND => {
                let item = self.pop()?;
                let mut items = TryVec::new();
                items.try_push(item)?;
                self.append(items)
            }
            APPENDS => {
                let items = self.pop_mark()?;
                self.append(items)
            }
            SETITEM => {
                let value = self.pop()?;
                let key = self.pop()?;
                let target = self.top()?;
                match target.downcast_exact::<PyDict>() {
                    Some(dict) => dict.set(self.ts, &key, &value),
                    None => protocol::setitem(self.ts, &target, &key, &value),
                }
            }
            SETITEMS => {
                let items = self.pop_mark()?;
                let target = self.top()?;
                self.set_items(&target, &items, "SETITEMS")
            }
            ADDITEMS => {
                let items = self.pop_mark()?;
                self.add_items(&items)
            }
            POP => self.load_pop(),
            POP_MARK => self.pop_mark().map(drop),
            DUP => {
                let top = self.top()?;
                self.push(top)
            }
            GET => {
                let number = self.line_number()?;
                self.fetch(number)
            }
            BINGET => {
                let [number] = self.take()?;
                self.fetch(number.into())
            }
            LONG_BINGET => {
                let number = u32::from_le_bytes(self.take()?);
                self.fetch(number.into())
            }
            PUT => match self.line_number()? {
                number if number < 0 => raise!(self.ts, exc::ValueError, "negative PUT argument"),
                number => self.remember(number as usize),
            },
            BINPUT => {
                let [number] = self.take()?;
                self.remember(number.into())
            }
            LONG_BINPUT => {
                let number = u32::from_le_bytes(self.take()?);
                self.remember(number as usize)
            }
            MEMOIZE => {
                let number = self.unpickler.memo.borrow().len();
                self.remember(number)
            }
            PROTO => {
                let [protocol] = self.take()?;
                if i32::from(protocol) > HIGHEST {
                    return raise!(self.ts, exc::ValueError, "unsupported pickle protocol: {protocol}");
                }
                self.unpickler.protocol.set(protocol.into());
                Ok(())
            }
            FRAME => {
                let len = u64::from_le_bytes(self.take()?);
                if len > isize::MAX as u64 {
                    return raise!(
                        self.ts,
                        UNPICKLING_ERROR,
                        "FRAME length exceeds system's maximum of {} bytes",
                        isize::MAX
                    );
                }
                self.input.expect(self.ts, self.unpickler, len as usize)
            }
            PERSID => {
                let line = self.input.line(self.ts, self.unpickler)?;
                let line = &line[..line.len() - 1];
                if !line.is_ascii() {
                    return raise!(self.ts, UNPICKLING_ERROR, "persistent IDs in protocol 0 must be ASCII strings");
                }
                let id = PyStr::from_ascii(self.ts, line)?;
                self.load_persistent(id.as_object())
            }
            BINPERSID => {
                let id = self.pop()?;
                self.load_persistent(&id)
            }
            GLOBAL => {
                let (module, name) = (self.line_text(false)?, self.line_text(false)?);
                let found = self.unpickler.class(self.ts, &module, &name)?;
                self.push(found)
            }
            STACK_GLOBAL => self.load_stack_global(),
            REDUCE => self.load_reduce(),
            BUILD => self.load_build(),
            INST => self.load_inst(),
            OBJ => self.load_obj(),
            NEWOBJ => self.load_newobj(),
            NEWOBJ_EX => self.load_newobj_ex(),
            EXT1 => {
                let [code] = self.take()?;
                self.load_extension(code.into())
            }
            EXT2 => {
                let code = u16::from_le_bytes(self.take()?);
                self.load_extension(code.into())
            }
            EXT4 => {
                let code = i32::from_le_bytes(self.take()?);
                self.load_extension(code.into())
            }
            NEXT_BUFFER => self.load_next_buffer(),
            READONLY_BUFFER => self.load_readonly_buffer(),
            _ => self.unknown(opcode),
        }
    }

    #[cold]
    fn unknown(&self, opcode: u8) -> PyResult<()> {
        match opcode {
            0x20..=0x7e if opcode != b'\'' && opcode != b'\\' => {
                raise!(self.ts, UNPICKLING_ERROR, "invalid load key, '{}'.", char::from(opcode))
            }
            _ => raise!(self.ts, UNPICKLING_ERROR, "invalid load key, '\\x{opcode:02x}'."),
        }
    }

    // ---- the stack ----

    pub(super) fn push(&mut self, object: PyRef) -> PyResult<()> {
        Ok(self.stack.try_push(object)?)
    }

    fn push_int(&mut self, value: i64) -> PyResult<()> {
        let value = PyInt::from_i64(self.ts, value)?;
        self.push(value)
    }

    /// Where the part of the stack begins that is behind the last mark.
    fn fence(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    #[cold]
    fn underflow<T>(&self) -> PyResult<T> {
        let message = if self.marks.is_empty() { "unpickling stack underflow" } else { "unexpected MARK found" };
        raise!(self.ts, UNPICKLING_ERROR, "{message}")
    }

    pub(super) fn pop(&mut self) -> PyResult<PyRef> {
        if self.stack.len() <= self.fence() {
            return self.underflow();
        }
        match self.stack.pop() {
            Some(object) => Ok(object),
            None => self.underflow(),
        }
    }

    pub(super) fn top(&self) -> PyResult<PyRef> {
        match self.stack.last() {
            Some(object) if self.stack.len() > self.fence() => Ok(object.clone()),
            _ => self.underflow(),
        }
    }

    pub(super) fn pop_mark(&mut self) -> PyResult<TryVec<PyRef>> {
        let Some(mark) = self.marks.pop() else {
            return raise!(self.ts, UNPICKLING_ERROR, "could not find MARK");
        };
        let count = self.stack.len() - mark;
        let mut items = TryVec::try_with_capacity(count)?;
        // SAFETY: the references move to the new vector, which has room, and the stack forgets them.
        unsafe {
            core::ptr::copy_nonoverlapping(self.stack.as_ptr().add(mark), items.as_mut_ptr(), count);
            items.set_len(count);
            self.stack.set_len(mark);
        }
        Ok(items)
    }

    fn load_pop(&mut self) -> PyResult<()> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(drop)
    }

    // ---- data ----

    pub(super) fn take<const N: usize>(&mut self) -> PyResult<[u8; N]> {
        self.input.take(self.ts, self.unpickler)
    }

    /// The length before data, by the instruction.
    fn length(&mut self, opcode: u8, short: u8, long: u8, what: &str) -> PyResult<usize> {
        let len = if opcode == short {
            let [len] = self.take()?;
            u64::from(len)
        } else if opcode == long {
            u64::from_le_bytes(self.take()?)
        } else {
            u64::from(u32::from_le_bytes(self.take()?))
        };
        if len > isize::MAX as u64 {
            return raise!(self.ts, exc::OverflowError, "{what} exceeds system's maximum size of {} bytes", isize::MAX);
        }
        Ok(len as usize)
    }

    /// A line as text; of Python 2's classes only ASCII.
    pub(super) fn line_text(&mut self, ascii: bool) -> PyResult<crate::object::Ref<PyStr>> {
        let ts = self.ts;
        let line = self.input.full_line(ts, self.unpickler)?;
        if ascii { codec::decode_ascii(ts, line, "strict") } else { codec::decode_utf8(ts, line, "strict") }
    }

    fn line_int(&mut self) -> PyResult<PyRef> {
        let line = self.input.full_line(self.ts, self.unpickler)?;
        PyInt::parse(self.ts, line, 10)
    }

    fn line_number(&mut self) -> PyResult<i64> {
        let number = self.line_int()?;
        Ok(number.cast::<PyInt>().saturating_isize() as i64)
    }

    fn load_int(&mut self) -> PyResult<()> {
        let ts = self.ts;
        let value = match self.input.full_line(ts, self.unpickler)? {
            b"00" => py_bool(false),
            b"01" => py_bool(true),
            digits => PyInt::parse(ts, digits, 10)?,
        };
        self.push(value)
    }

    fn load_long(&mut self) -> PyResult<()> {
        let ts = self.ts;
        let line = self.input.full_line(ts, self.unpickler)?;
        let value = PyInt::parse(ts, line.strip_suffix(b"L").unwrap_or(line), 10)?;
        self.push(value)
    }

    fn load_long_bytes(&mut self, len: usize) -> PyResult<()> {
        let bytes = self.input.read(self.ts, self.unpickler, len)?;
        let value = PyInt::from_bytes(self.ts, bytes, true, true)?;
        self.push(value)
    }

    fn load_float(&mut self) -> PyResult<()> {
        let ts = self.ts;
        let value = match float::parse_ascii(self.input.full_line(ts, self.unpickler)?)? {
            Some(value) => value,
            None => return raise!(ts, exc::ValueError, "could not convert string to float"),
        };
        let value = PyFloat::new(ts, value)?;
        self.push(value)
    }

    /// A string of Python 2.
    fn load_old_string(&mut self, len: usize) -> PyResult<()> {
        let bytes = self.input.bytes(self.ts, self.unpickler, len)?;
        self.push_old_string(bytes)
    }

    fn push_old_string(&mut self, bytes: PyRef) -> PyResult<()> {
        let ts = self.ts;
        let (Some(encoding), Some(errors)) = (self.unpickler.encoding.get(), self.unpickler.errors.get()) else {
            return self.push(bytes);
        };
        if encoding.equals_str("bytes") {
            return self.push(bytes);
        }
        let text = crate::types::str::decode_object(ts, &bytes, encoding.utf8(ts)?, errors.utf8(ts)?)?;
        self.push(text.into_object())
    }

    fn load_string(&mut self) -> PyResult<()> {
        let ts = self.ts;
        let line = self.input.line(ts, self.unpickler)?;
        let line = TryVec::<u8>::try_from_slice(&line[..line.len() - 1])?;
        let quoted = match &line[..] {
            [first @ (b'"' | b'\''), inner @ .., last] if first == last => inner,
            _ => return raise!(ts, UNPICKLING_ERROR, "the STRING opcode argument must be quoted"),
        };
        let bytes = crate::modules::_codecs::decode_escapes(ts, quoted)?;
        self.push_old_string(bytes)
    }

    fn load_short_tuple(&mut self, len: usize) -> PyResult<()> {
        if self.stack.len() < self.fence() + len {
            return self.underflow();
        }
        let items = &self.stack[self.stack.len() - len..];
        let tuple = PyTuple::new(self.ts, call::borrow_all(items))?;
        for _ in 0..len {
            self.pop()?;
        }
        self.push(tuple.into_object())
    }

    // ---- the memo ----

    fn fetch(&mut self, number: i64) -> PyResult<()> {
        let found = usize::try_from(number).ok().and_then(|number| self.unpickler.memo.borrow().get(number));
        match found {
            Some(object) => self.push(object),
            None => raise!(self.ts, UNPICKLING_ERROR, "Memo value not found at index {number}"),
        }
    }

    fn remember(&mut self, number: usize) -> PyResult<()> {
        let top = self.top()?;
        let old = self.unpickler.memo.borrow_mut().set(number, top)?;
        drop(old);
        Ok(())
    }

    fn load_persistent(&mut self, id: &PyObject) -> PyResult<()> {
        let method = PyStr::intern(self.ts, "persistent_load")?;
        let load = crate::object::attr::get(self.ts, self.unpickler.as_object(), &method)?;
        let object = call::call_with(self.ts, &load, &[id])?;
        self.push(object)
    }
}
