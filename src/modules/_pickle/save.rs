//! Pickling: from objects to instructions. What is not a built-in type goes to `reduce`.

use hognose_allocators::collections::TryVec;

use super::buffer::PyPickleBuffer;
use super::opcodes::*;
use super::output::TARGET;
use super::pickler::PyPickler;
use super::state::{PICKLING_ERROR, PyPickleState, type_name};
use crate::object::{AsObject, PyObject, PyResult, PyTypeObject, Raised, Ref, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::as_bool;
use crate::types::bytearray::{BYTEARRAY_TYPE, PyByteArray};
use crate::types::bytes::{BYTES_TYPE, PyBytes};
use crate::types::dict::{PyDict, raise_key_error};
use crate::types::exceptions as exc;
use crate::types::float::{FloatText, PyFloat};
use crate::types::function::PyFunction;
use crate::types::int::{DigitText, PyInt};
use crate::types::list::PyList;
use crate::types::memoryview::strided::{Order, is_contiguous};
use crate::types::none::is_none;
use crate::types::set::{FROZENSET_TYPE, PySet, SET_TYPE};
use crate::types::str::{PyStr, codec};
use crate::types::tuple::PyTuple;
use crate::types::typ::TYPE_TYPE;

/// How deep containers are nested in fast mode before it is looked whether they contain themselves.
const FAST_NESTING: i32 = 50;

/// One run of a pickler.
#[derive(Clone, Copy)]
pub struct Saver<'a> {
    /// The thread.
    pub ts: &'a ThreadState,
    /// The pickler.
    pub pickler: &'a PyPickler,
    /// What other modules give.
    pub state: &'a PyPickleState,
}

impl Saver<'_> {
    /// Pickles a whole object.
    pub fn dump(&self, object: &PyObject) -> PyResult<()> {
        let protocol = self.protocol();
        if protocol >= 2 {
            self.write(&[PROTO, protocol as u8])?;
            self.pickler.output.borrow_mut().framing = protocol >= 4;
        }
        self.save(object)?;
        self.write(&[STOP])?;
        let mut output = self.pickler.output.borrow_mut();
        output.close_frame();
        output.framing = false;
        Ok(())
    }

    /// The protocol.
    pub(super) fn protocol(&self) -> i32 {
        self.pickler.protocol.get()
    }

    /// Whether it has instructions in bytes.
    pub(super) fn binary(&self) -> bool {
        self.pickler.is_binary()
    }

    /// Writes bytes.
    pub(super) fn write(&self, bytes: &[u8]) -> PyResult<()> {
        Ok(self.pickler.output.borrow_mut().write(bytes)?)
    }

    fn write_parts(&self, parts: &[&[u8]]) -> PyResult<()> {
        let mut output = self.pickler.output.borrow_mut();
        for part in parts {
            output.write(part)?;
        }
        Ok(())
    }

    /// Writes a header and data, which pass the frames by when they are large; `payload` makes an object of the data
    /// for the file's `write`.
    fn write_data(&self, header: &[u8], data: &[u8], payload: impl FnOnce() -> PyResult) -> PyResult<()> {
        if data.len() < TARGET {
            return self.write_parts(&[header, data]);
        }
        let framing = {
            let mut output = self.pickler.output.borrow_mut();
            output.close_frame();
            let framing = core::mem::replace(&mut output.framing, false);
            output.write(header)?;
            if !self.pickler.write.is_some() {
                output.write(data)?;
            }
            framing
        };
        if let Some(write) = self.pickler.write.get() {
            self.pickler.flush(self.ts)?;
            call::call_with(self.ts, &write, &[&*payload()?])?;
        }
        self.pickler.output.borrow_mut().framing = framing;
        Ok(())
    }

    /// Pickles an object, or refers to it.
    pub(super) fn save(&self, object: &PyObject) -> PyResult<()> {
        self.ts.check_native_stack(" while pickling an object")?;
        let full = {
            let mut output = self.pickler.output.borrow_mut();
            let full = output.is_full();
            if full {
                output.close_frame();
            }
            full
        };
        if full && self.pickler.write.is_some() {
            let framing = self.pickler.output.borrow().framing;
            self.pickler.flush(self.ts)?;
            self.pickler.output.borrow_mut().framing = framing;
        }
        if let Some(persistent_id) = self.pickler.persistent_id.get() {
            let id = call::call_with(self.ts, &persistent_id, &[object])?;
            if !is_none(&id) {
                return self.save_persistent(&id);
            }
        }
        self.save_here(object)
    }

    fn save_persistent(&self, id: &PyObject) -> PyResult<()> {
        if self.binary() {
            self.save_here(id)?;
            return self.write(&[BINPERSID]);
        }
        let text = protocol::str(self.ts, id)?;
        match text.ascii_str() {
            Some(text) => self.write_parts(&[&[PERSID], text.as_bytes(), b"\n"]),
            None => raise!(self.ts, PICKLING_ERROR, "persistent IDs in protocol 0 must be ASCII strings"),
        }
    }

    /// Pickles an object that is here, whatever a persistent id would say.
    fn save_here(&self, object: &PyObject) -> PyResult<()> {
        // These are not remembered.
        if is_none(object) {
            return self.write(&[NONE]);
        }
        if let Some(truth) = as_bool(object) {
            return match (self.protocol() >= 2, truth) {
                (true, true) => self.write(&[NEWTRUE]),
                (true, false) => self.write(&[NEWFALSE]),
                (false, true) => self.write(b"I01\n"),
                (false, false) => self.write(b"I00\n"),
            };
        }
        if let Some(int) = object.downcast_exact::<PyInt>() {
            return self.save_int(int);
        }
        if let Some(float) = object.downcast_exact::<PyFloat>() {
            return self.save_float(float.value());
        }
        if self.recall(object)? {
            return Ok(());
        }
        if let Some(bytes) = object.downcast_exact::<PyBytes>() {
            return self.save_bytes(bytes);
        }
        if let Some(text) = object.downcast_exact::<PyStr>() {
            return self.save_str(text);
        }
        if let Some(dict) = object.downcast_exact::<PyDict>() {
            return self.save_dict(dict);
        }
        if let Some(list) = object.downcast_exact::<PyList>() {
            return self.save_list(list);
        }
        if let Some(tuple) = object.downcast_exact::<PyTuple>() {
            return self.save_tuple(tuple);
        }
        let typ = object.ob_type();
        let is = |other: &PyTypeObject| core::ptr::eq(typ, other);
        if is(&SET_TYPE) {
            return self.save_set(object.cast());
        }
        if is(&FROZENSET_TYPE) {
            return self.save_frozenset(object.cast());
        }
        if let Some(array) = object.downcast_exact::<PyByteArray>() {
            return self.save_bytearray(array);
        }
        if let Some(buffer) = object.downcast_exact::<PyPickleBuffer>() {
            return self.save_buffer(buffer);
        }
        if let Some(reducer) = self.pickler.reducer_override.get() {
            let reduced = call::call_with(self.ts, &reducer, &[object])?;
            if !reduced.is(crate::types::notimplemented::not_implemented().as_object()) {
                return self.save_reduced(object, &reduced);
            }
        }
        if is(&TYPE_TYPE) {
            return self.save_type(object);
        }
        if object.downcast_exact::<PyFunction>().is_some() {
            return self.save_global(object, None);
        }
        self.save_other(object)
    }

    /// Writes a reference to an object that has been pickled already; false for another one.
    pub(super) fn recall(&self, object: &PyObject) -> PyResult<bool> {
        let number = self.pickler.memo.borrow().get(object);
        match number {
            Some(number) => self.write_get(number).map(|()| true),
            None => Ok(false),
        }
    }

    /// The number of an object that has been pickled.
    pub(super) fn number_of(&self, object: &PyObject) -> Option<usize> {
        self.pickler.memo.borrow().get(object)
    }

    /// Writes the instruction that fetches a remembered object.
    pub(super) fn write_get(&self, number: usize) -> PyResult<()> {
        if !self.binary() {
            return self.write_line(GET, number);
        }
        match u32::try_from(number) {
            Ok(number) if number < 256 => self.write(&[BINGET, number as u8]),
            Ok(number) => self.write_parts(&[&[LONG_BINGET], &number.to_le_bytes()]),
            Err(_) => raise!(self.ts, PICKLING_ERROR, "memo id too large for LONG_BINGET"),
        }
    }

    fn write_line(&self, opcode: u8, number: usize) -> PyResult<()> {
        let number = PyInt::from_usize(self.ts, number)?;
        let digits = DigitText::new(self.ts, number.cast(), 10)?;
        self.write_parts(&[&[opcode], digits.as_bytes(), b"\n"])
    }

    /// Remembers the object on top of the stack.
    pub(super) fn memoize(&self, object: &PyObject) -> PyResult<()> {
        if self.pickler.fast.get() != 0 {
            return Ok(());
        }
        let number = {
            let mut memo = self.pickler.memo.borrow_mut();
            let number = memo.len();
            memo.set(object, number)?;
            number
        };
        if self.protocol() >= 4 {
            return self.write(&[MEMOIZE]);
        }
        if !self.binary() {
            return self.write_line(PUT, number);
        }
        match u32::try_from(number) {
            Ok(number) if number < 256 => self.write(&[BINPUT, number as u8]),
            Ok(number) => self.write_parts(&[&[LONG_BINPUT], &number.to_le_bytes()]),
            Err(_) => raise!(self.ts, PICKLING_ERROR, "memo id too large for LONG_BINPUT"),
        }
    }

    /// Adds a note to a failure that says where in an object it has happened.
    #[cold]
    pub(super) fn note(&self, raised: Raised, object: &PyObject, part: core::fmt::Arguments<'_>) -> Raised {
        let error = self.ts.take_raised(raised);
        let noted = || -> PyResult<()> {
            let name = type_name(self.ts, object)?;
            let note = PyStr::format(self.ts, format_args!("when serializing {} {part}", &*name))?;
            protocol::call_named(self.ts, &error, "add_note", &[note.as_object()])?;
            Ok(())
        };
        match noted() {
            Ok(()) => self.ts.restore_raised(error),
            Err(raised) => raised,
        }
    }

    /// [`Saver::save`] for a part of another object.
    pub(super) fn save_part(&self, of: &PyObject, part: &PyObject, what: &str) -> PyResult<()> {
        self.save(part).map_err(|raised| self.note(raised, of, format_args!("{what}")))
    }

    fn save_item(&self, of: &PyObject, item: &PyObject, index: usize) -> PyResult<()> {
        self.save(item).map_err(|raised| self.note(raised, of, format_args!("item {index}")))
    }

    fn save_value(&self, of: &PyObject, key: &PyObject, value: &PyObject) -> PyResult<()> {
        self.save(value).map_err(|raised| {
            let error = self.ts.take_raised(raised);
            match protocol::repr(self.ts, key) {
                Ok(key) => self.note(self.ts.restore_raised(error), of, format_args!("item {}", &*key)),
                Err(raised) => raised,
            }
        })
    }

    // ---- numbers ----

    fn save_int(&self, int: &PyInt) -> PyResult<()> {
        let small = int.as_i64().and_then(|value| i32::try_from(value).ok());
        match small {
            Some(value) if self.binary() => {
                return match value {
                    0..=0xff => self.write(&[BININT1, value as u8]),
                    0x100..=0xffff => self.write(&[BININT2, value as u8, (value >> 8) as u8]),
                    _ => self.write_parts(&[&[BININT], &value.to_le_bytes()]),
                };
            }
            _ => {}
        }
        if self.protocol() >= 2 {
            // Two's complement with room for a sign; a byte of sign alone is left out.
            let len = (int.bits() / 8 + 1) as usize;
            let mut bytes = TryVec::<u8>::try_with_capacity(len)?;
            bytes.try_resize(len, 0)?;
            int.write_bytes(self.ts, &mut bytes, true, true)?;
            if len > 1 && int.sign() < 0 && bytes[len - 1] == 0xff && bytes[len - 2] & 0x80 != 0 {
                bytes.truncate(len - 1);
            }
            return match i32::try_from(bytes.len()) {
                Ok(len) if len < 256 => self.write_parts(&[&[LONG1, len as u8], &bytes]),
                Ok(len) => self.write_parts(&[&[LONG4], &len.to_le_bytes(), &bytes]),
                Err(_) => raise!(self.ts, exc::OverflowError, "int too large to pickle"),
            };
        }
        let digits = int.to_str(self.ts, 10)?;
        let digits = digits.data_bytes();
        if small.is_some() {
            self.write_parts(&[&[INT], digits, b"\n"])
        } else {
            self.write_parts(&[&[LONG], digits, b"L\n"])
        }
    }

    fn save_float(&self, value: f64) -> PyResult<()> {
        if self.binary() {
            return self.write_parts(&[&[BINFLOAT], &value.to_be_bytes()]);
        }
        self.write_parts(&[&[FLOAT], FloatText::new(value, true).as_bytes(), b"\n"])
    }

    // ---- bytes and text ----

    /// An instruction and a length, the shortest that there is.
    fn data_header<'b>(
        &self,
        room: &'b mut [u8; 9],
        len: usize,
        [short, middle, long]: [Option<u8>; 3],
        what: &str,
    ) -> PyResult<&'b [u8]> {
        match (short, middle, long) {
            (Some(short), _, _) if len <= 0xff => {
                room[..2].copy_from_slice(&[short, len as u8]);
                Ok(&room[..2])
            }
            (_, Some(middle), _) if len <= 0xffff_ffff => {
                room[0] = middle;
                room[1..5].copy_from_slice(&(len as u32).to_le_bytes());
                Ok(&room[..5])
            }
            (_, _, Some(long)) => {
                room[0] = long;
                room[1..].copy_from_slice(&(len as u64).to_le_bytes());
                Ok(&room[..])
            }
            _ => raise!(
                self.ts,
                exc::OverflowError,
                "serializing a {what} larger than 4 GiB requires pickle protocol 4 or higher"
            ),
        }
    }

    fn from_protocol(&self, protocol: i32, opcode: u8) -> Option<u8> {
        (self.protocol() >= protocol).then_some(opcode)
    }

    fn save_str(&self, text: &PyStr) -> PyResult<()> {
        if self.binary() {
            let encoded;
            let owned;
            let data = match text.ascii_str() {
                Some(ascii) => ascii.as_bytes(),
                None => {
                    owned = codec::encode_utf8(self.ts, text, "surrogatepass")?;
                    owned.as_slice()
                }
            };
            encoded = data;
            let opcodes =
                [self.from_protocol(4, SHORT_BINUNICODE), Some(BINUNICODE), self.from_protocol(4, BINUNICODE8)];
            let mut room = [0; 9];
            let header = self.data_header(&mut room, encoded.len(), opcodes, "string")?;
            self.write_data(header, encoded, || Ok(PyBytes::new(self.ts, encoded)?.into_object()))?;
        } else {
            // What the codec leaves as it is but a line cannot hold is escaped here.
            let mut safe = crate::types::str::StrBuilder::with_capacity(text.len())?;
            for ch in text.chars() {
                match ch {
                    0x5c | 0 | 0x0a | 0x0d | 0x1a => {
                        let digits = b"0123456789abcdef";
                        let low = [digits[ch as usize >> 4], digits[ch as usize & 15]];
                        safe.push_ascii(b"\\u00")?;
                        safe.push_ascii(&low)?;
                    }
                    _ => safe.push_char(ch)?,
                }
            }
            // Backslashes of the escapes stay; the codec does not touch them.
            let safe = safe.finish(self.ts)?;
            let bytes = codec::encode_raw_unicode_escape(self.ts, &safe)?;
            self.write_parts(&[&[UNICODE], bytes.as_slice(), b"\n"])?;
        }
        self.memoize(text.as_object())
    }

    fn save_bytes(&self, bytes: &PyBytes) -> PyResult<()> {
        let object = bytes.as_object();
        if self.protocol() < 3 {
            // Python 2 makes them of a text.
            let (function, arguments) = if bytes.is_empty() {
                (BYTES_TYPE.new_ref(), PyTuple::empty())
            } else {
                let text = codec::decode_latin1(self.ts, bytes.as_slice())?.into_object();
                let name = PyStr::intern(self.ts, "latin1")?.into_object();
                (self.state.encode(self.ts)?, PyTuple::from_array(self.ts, [text, name])?)
            };
            return self.save_call(object, &function, &arguments);
        }
        self.write_bytes(bytes.as_slice(), || Ok(object.new_ref()))?;
        self.memoize(object)
    }

    fn write_bytes(&self, data: &[u8], payload: impl FnOnce() -> PyResult) -> PyResult<()> {
        let opcodes = [Some(SHORT_BINBYTES), Some(BINBYTES), self.from_protocol(4, BINBYTES8)];
        let mut room = [0; 9];
        let header = self.data_header(&mut room, data.len(), opcodes, "bytes object")?;
        self.write_data(header, data, payload)
    }

    fn write_bytearray(&self, data: &[u8], payload: impl FnOnce() -> PyResult) -> PyResult<()> {
        let mut room = [0; 9];
        let header = self.data_header(&mut room, data.len(), [None, None, Some(BYTEARRAY8)], "bytearray")?;
        self.write_data(header, data, payload)
    }

    fn save_bytearray(&self, array: &PyByteArray) -> PyResult<()> {
        let object = array.as_object();
        if self.protocol() < 5 {
            let arguments = if array.is_empty() {
                PyTuple::empty()
            } else {
                let bytes = crate::types::bytes::from_object(self.ts, object)?;
                PyTuple::from_array(self.ts, [bytes])?
            };
            return self.save_call(object, BYTEARRAY_TYPE.as_object(), &arguments);
        }
        // The export keeps the size while the file's `write` runs.
        let export = crate::object::buffer::Buffer::get(self.ts, object, 0)?;
        self.write_bytearray(export.as_slice(), || Ok(object.new_ref()))?;
        drop(export);
        self.memoize(object)
    }

    fn save_buffer(&self, buffer: &PyPickleBuffer) -> PyResult<()> {
        let object = buffer.as_object();
        if self.protocol() < 5 {
            return raise!(self.ts, PICKLING_ERROR, "PickleBuffer can only be pickled with protocol >= 5");
        }
        let view = buffer.view(self.ts)?;
        if !is_contiguous(view, Order::C) && !is_contiguous(view, Order::Fortran) {
            return raise!(
                self.ts,
                PICKLING_ERROR,
                "PickleBuffer can not be pickled when pointing to a non-contiguous buffer"
            );
        }
        let readonly = view.readonly != 0;
        let in_band = match self.pickler.buffer_callback.get() {
            Some(callback) => protocol::is_true(self.ts, &*call::call_with(self.ts, &callback, &[object])?)?,
            None => true,
        };
        if !in_band {
            return if readonly { self.write(&[NEXT_BUFFER, READONLY_BUFFER]) } else { self.write(&[NEXT_BUFFER]) };
        }
        // A view of our own: the object's could be released by what the file's `write` does.
        let export = crate::object::buffer::Buffer::get(self.ts, object, crate::object::buffer::FULL_RO)?;
        let payload = || protocol::call_named(self.ts, object, "raw", &[]);
        if readonly {
            self.write_bytes(export.as_slice(), payload)?;
        } else {
            self.write_bytearray(export.as_slice(), payload)?;
        }
        drop(export);
        self.memoize(object)
    }

    // ---- containers ----

    fn save_tuple(&self, tuple: &PyTuple) -> PyResult<()> {
        let object = tuple.as_object();
        let len = tuple.len();
        if len == 0 {
            return if self.binary() { self.write(&[EMPTY_TUPLE]) } else { self.write(&[MARK, TUPLE]) };
        }
        let short = len <= 3 && self.protocol() >= 2;
        if !short {
            self.write(&[MARK])?;
        }
        for (index, item) in tuple.items().iter().enumerate() {
            self.save_item(object, item, index)?;
        }
        // A tuple that contains itself has been pickled by its items: what is on the stack is given up for it.
        if let Some(number) = self.number_of(object) {
            if !short && self.binary() {
                self.write(&[POP_MARK])?;
            } else {
                for _ in 0..len + usize::from(!short) {
                    self.write(&[POP])?;
                }
            }
            return self.write_get(number);
        }
        self.write(&[if short { [TUPLE1, TUPLE2, TUPLE3][len - 1] } else { TUPLE }])?;
        self.memoize(object)
    }

    /// Notes in fast mode that a container is being pickled. Raises ValueError when it contains itself.
    fn fast_enter(&self, object: &PyObject) -> PyResult<()> {
        if self.pickler.fast.get() == 0 {
            return Ok(());
        }
        self.pickler.fast_nesting.set(self.pickler.fast_nesting.get() + 1);
        if self.pickler.fast_nesting.get() < FAST_NESTING {
            return Ok(());
        }
        let known = match self.pickler.fast_memo.get() {
            Some(known) => known,
            None => {
                let known = PyDict::new(self.ts)?;
                self.pickler.fast_memo.set(Some(known.clone()));
                known
            }
        };
        let key = PyInt::from_usize(self.ts, object.as_ptr().addr())?;
        if known.contains(self.ts, &key)? {
            return raise!(
                self.ts,
                exc::ValueError,
                "fast mode: can't pickle cyclic objects including object type {} at {:p}",
                object.type_name(),
                object.as_ptr()
            );
        }
        known.set(self.ts, &key, self.ts.none().as_object())
    }

    fn fast_leave(&self, object: &PyObject) -> PyResult<()> {
        if self.pickler.fast.get() == 0 {
            return Ok(());
        }
        let nesting = self.pickler.fast_nesting.get();
        self.pickler.fast_nesting.set(nesting - 1);
        if nesting >= FAST_NESTING
            && let Some(known) = self.pickler.fast_memo.get()
        {
            let key = PyInt::from_usize(self.ts, object.as_ptr().addr())?;
            if known.remove(self.ts, &key)?.is_none() {
                return Err(raise_key_error(self.ts, &key));
            }
        }
        Ok(())
    }

    fn save_list(&self, list: &PyList) -> PyResult<()> {
        let object = list.as_object();
        self.fast_enter(object)?;
        if self.binary() { self.write(&[EMPTY_LIST]) } else { self.write(&[MARK, LIST]) }?;
        self.memoize(object)?;
        if !self.binary() {
            let mut index = 0;
            while let Some(item) = list.get(index) {
                self.save_item(object, &item, index)?;
                self.write(&[APPEND])?;
                index += 1;
            }
        } else if list.len() == 1 {
            if let Some(item) = list.get(0) {
                self.save_item(object, &item, 0)?;
                self.write(&[APPEND])?;
            }
        } else {
            let mut index = 0;
            while index < list.len() {
                self.write(&[MARK])?;
                let end = index + BATCH;
                while index < end
                    && let Some(item) = list.get(index)
                {
                    self.save_item(object, &item, index)?;
                    index += 1;
                }
                self.write(&[APPENDS])?;
            }
        }
        self.fast_leave(object)
    }

    /// The items that an iterator gives, appended to the object on top of the stack.
    pub(super) fn save_appends(&self, object: &PyObject, items: &PyObject) -> PyResult<()> {
        let mut index = 0;
        if !self.binary() {
            while let Some(item) = protocol::next(self.ts, items)? {
                self.save_item(object, &item, index)?;
                self.write(&[APPEND])?;
                index += 1;
            }
            return Ok(());
        }
        let mut next = protocol::next(self.ts, items)?;
        while let Some(first) = next {
            next = protocol::next(self.ts, items)?;
            if next.is_none() {
                self.save_item(object, &first, index)?;
                return self.write(&[APPEND]);
            }
            self.write(&[MARK])?;
            self.save_item(object, &first, index)?;
            let end = index + BATCH;
            index += 1;
            while index < end
                && let Some(item) = next
            {
                self.save_item(object, &item, index)?;
                index += 1;
                next = protocol::next(self.ts, items)?;
            }
            self.write(&[APPENDS])?;
        }
        Ok(())
    }

    fn save_dict(&self, dict: &PyDict) -> PyResult<()> {
        let object = dict.as_object();
        self.fast_enter(object)?;
        if self.binary() { self.write(&[EMPTY_DICT]) } else { self.write(&[MARK, DICT]) }?;
        self.memoize(object)?;
        let size = dict.len();
        let mut position = 0;
        let mut left = size;
        while left > 0 {
            let batch = if self.binary() { left.min(BATCH) } else { 1 };
            let marked = self.binary() && size != 1;
            if marked {
                self.write(&[MARK])?;
            }
            for _ in 0..batch {
                let Some((key, value)) = dict.next(&mut position) else { return self.changed("dictionary") };
                self.save(&key)?;
                self.save_value(object, &key, &value)?;
                if dict.len() != size {
                    return self.changed("dictionary");
                }
            }
            self.write(&[if marked { SETITEMS } else { SETITEM }])?;
            left -= batch;
        }
        self.fast_leave(object)
    }

    #[cold]
    fn changed(&self, what: &str) -> PyResult<()> {
        raise!(self.ts, exc::RuntimeError, "{what} changed size during iteration")
    }

    fn save_pair(&self, object: &PyObject, pair: &PyObject) -> PyResult<()> {
        match pair.downcast::<PyTuple>().map(PyTuple::items) {
            Some(&[key, value]) => {
                self.save(key)?;
                self.save_value(object, key, value)
            }
            _ => raise!(self.ts, exc::TypeError, "dict items iterator must return 2-tuples"),
        }
    }

    /// The pairs that an iterator gives, put into the object on top of the stack.
    pub(super) fn save_setitems(&self, object: &PyObject, items: &PyObject) -> PyResult<()> {
        if !self.binary() {
            while let Some(pair) = protocol::next(self.ts, items)? {
                self.save_pair(object, &pair)?;
                self.write(&[SETITEM])?;
            }
            return Ok(());
        }
        let mut next = protocol::next(self.ts, items)?;
        while let Some(first) = next {
            next = protocol::next(self.ts, items)?;
            if next.is_none() {
                self.save_pair(object, &first)?;
                return self.write(&[SETITEM]);
            }
            self.write(&[MARK])?;
            self.save_pair(object, &first)?;
            let mut count = 1;
            while count < BATCH
                && let Some(pair) = next
            {
                self.save_pair(object, &pair)?;
                count += 1;
                next = protocol::next(self.ts, items)?;
            }
            self.write(&[SETITEMS])?;
        }
        Ok(())
    }

    /// A set before protocol 4: a call with a list of its items.
    fn save_set_call(&self, object: &PyObject) -> PyResult<()> {
        let items = PyList::from_iterable(self.ts, object)?.into_object();
        let arguments = PyTuple::from_array(self.ts, [items])?;
        self.save_call(object, object.ob_type().as_object(), &arguments)
    }

    fn save_elements(&self, set: &PySet, position: &mut usize, size: usize, most: usize) -> PyResult<()> {
        let object = set.as_object();
        for _ in 0..most {
            let Some(item) = set.next(position) else { break };
            self.save_part(object, &item, "element")?;
            if set.len() != size {
                return self.changed("set");
            }
        }
        Ok(())
    }

    fn save_set(&self, set: &PySet) -> PyResult<()> {
        let object = set.as_object();
        if self.protocol() < 4 {
            return self.save_set_call(object);
        }
        self.write(&[EMPTY_SET])?;
        self.memoize(object)?;
        let size = set.len();
        let (mut position, mut left) = (0, size);
        while left > 0 {
            self.write(&[MARK])?;
            self.save_elements(set, &mut position, size, BATCH)?;
            self.write(&[ADDITEMS])?;
            left -= left.min(BATCH);
        }
        Ok(())
    }

    fn save_frozenset(&self, set: &PySet) -> PyResult<()> {
        let object = set.as_object();
        self.fast_enter(object)?;
        if self.protocol() < 4 {
            return self.save_set_call(object);
        }
        self.write(&[MARK])?;
        self.save_elements(set, &mut 0, set.len(), usize::MAX)?;
        // As with tuples: its items have pickled it.
        if let Some(number) = self.number_of(object) {
            self.write(&[POP_MARK])?;
            return self.write_get(number);
        }
        self.write(&[FROZENSET])?;
        self.memoize(object)?;
        self.fast_leave(object)
    }

    /// A call that makes the object.
    pub(super) fn save_call(&self, object: &PyObject, function: &PyObject, arguments: &PyTuple) -> PyResult<()> {
        let reduced: Ref<PyTuple> = PyTuple::pair(self.ts, function, arguments.as_object())?;
        self.save_reduce(&reduced, Some(object))
    }
}
