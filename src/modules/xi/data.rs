//! Objects as bytes of the raw domain.
//!
//! X1: a [`Data`] that nobody decodes gives its shared buffers and channels back when it is dropped.

use hognose_allocators::{Raw, TryVec};

use super::buffers::SharedBuffer;
use super::{NOT_SHAREABLE_ERROR, imported, scripts, state_dict};
use crate::modules::_interpchannels::{
    self,
    channels::{Counted, Which},
    id::PyChannelId,
};
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, attr, call, protocol};
use crate::state::ThreadState;
use crate::types::bool::{as_bool, py_bool};
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::function::PyFunction;
use crate::types::int::PyInt;
use crate::types::memoryview::PyMemoryView;
use crate::types::none::is_none;
use crate::types::str::{PyStr, StrData};
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// What becomes of an object whose type has no form of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fallback {
    /// NotShareableError.
    None,
    /// A function's code, or a pickle.
    Full,
}

impl Fallback {
    /// The number that Python has for it.
    pub fn from_number(ts: &ThreadState, number: i32) -> PyResult<Fallback> {
        match number {
            0 => Ok(Fallback::None),
            1 => Ok(Fallback::Full),
            _ => raise!(ts, exc::ValueError, "unsupported fallback {number}"),
        }
    }

    /// The same, backwards.
    pub fn number(self) -> i32 {
        self as i32
    }
}

/// An object on its way. It belongs to no interpreter.
pub struct Data {
    bytes: TryVec<u8, Raw>,
    buffers: TryVec<SharedBuffer, Raw>,
    channels: TryVec<Counted, Raw>,
}

const NONE: u8 = b'N';
const FALSE: u8 = b'0';
const TRUE: u8 = b'1';
const INT: u8 = b'i';
const FLOAT: u8 = b'f';
const ASCII: u8 = b'a';
const LATIN1: u8 = b'l';
const UCS2: u8 = b'u';
const UCS4: u8 = b'U';
const BYTES: u8 = b'b';
const TUPLE: u8 = b't';
const BUFFER: u8 = b'm';
const QUEUE: u8 = b'q';
const CHANNEL: u8 = b'c';
const FUNCTION: u8 = b'F';
const PICKLE: u8 = b'P';

impl Data {
    /// The object, to be made again in another interpreter. NotShareableError when it cannot be.
    pub fn encode(ts: &ThreadState, object: &PyObject, fallback: Fallback) -> PyResult<Data> {
        let mut data = Data { bytes: TryVec::new_in(Raw), buffers: TryVec::new_in(Raw), channels: TryVec::new_in(Raw) };
        data.put(ts, object, fallback)?;
        Ok(data)
    }

    fn tag(&mut self, tag: u8) -> PyResult<()> {
        Ok(self.bytes.try_push(tag)?)
    }

    fn number(&mut self, number: u64) -> PyResult<()> {
        Ok(self.bytes.try_extend_from_copy(&number.to_le_bytes())?)
    }

    fn block(&mut self, tag: u8, length: usize, bytes: &[u8]) -> PyResult<()> {
        self.tag(tag)?;
        self.number(length as u64)?;
        Ok(self.bytes.try_extend_from_copy(bytes)?)
    }

    fn put(&mut self, ts: &ThreadState, object: &PyObject, fallback: Fallback) -> PyResult<()> {
        let before = (self.bytes.len(), self.buffers.len(), self.channels.len());
        let raised = match self.put_own_form(ts, object, fallback) {
            Ok(()) => return Ok(()),
            Err(raised) if fallback == Fallback::None => return Err(raised),
            Err(raised) => raised,
        };
        if ts.raised_matches(&exc::MemoryError) {
            return Err(raised);
        }
        let first = ts.take_raised(raised);
        self.truncate(before);
        if let Some(function) = object.downcast_exact::<PyFunction>() {
            match scripts::stateless_code(ts, function) {
                Ok(code) => return self.block(FUNCTION, code.len(), &code),
                Err(raised) => ts.clear_raised(raised),
            }
        }
        match self.put_pickle(ts, object) {
            Ok(()) => Ok(()),
            Err(raised) if ts.raised_matches(&exc::MemoryError) => Err(raised),
            Err(raised) => {
                self.truncate(before);
                let cause = ts.take_raised(raised);
                if let Some(error) = first.downcast::<exc::PyBaseException>() {
                    error.cause.set(Some(cause));
                }
                Err(ts.restore_raised(first))
            }
        }
    }

    fn truncate(&mut self, (bytes, buffers, channels): (usize, usize, usize)) {
        self.bytes.truncate(bytes);
        self.buffers.truncate(buffers);
        self.channels.truncate(channels);
    }

    fn put_own_form(&mut self, ts: &ThreadState, object: &PyObject, fallback: Fallback) -> PyResult<()> {
        if is_none(object) {
            return self.tag(NONE);
        }
        if let Some(value) = as_bool(object) {
            return self.tag(if value { TRUE } else { FALSE });
        }
        if let Some(value) = object.downcast_exact::<PyInt>() {
            let Some(value) = value.as_i64() else {
                return raise!(ts, exc::OverflowError, "try sending as bytes");
            };
            self.tag(INT)?;
            return self.number(value as u64);
        }
        if let Some(value) = object.downcast_exact::<PyFloat>() {
            self.tag(FLOAT)?;
            return self.number(value.value().to_bits());
        }
        if let Some(text) = object.downcast_exact::<PyStr>() {
            let tag = match text.data() {
                StrData::Ascii(_) => ASCII,
                StrData::Latin1(_) => LATIN1,
                StrData::Ucs2(_) => UCS2,
                StrData::Ucs4(_) => UCS4,
            };
            return self.block(tag, text.data_bytes().len(), text.data_bytes());
        }
        if let Some(bytes) = object.downcast_exact::<PyBytes>() {
            return self.block(BYTES, bytes.as_slice().len(), bytes.as_slice());
        }
        if let Some(tuple) = object.downcast_exact::<PyTuple>() {
            ts.check_native_stack(" while sharing a tuple")?;
            self.tag(TUPLE)?;
            self.number(tuple.len() as u64)?;
            return tuple.items().iter().try_for_each(|item| self.put(ts, item, fallback));
        }
        if let Some(view) = object.downcast_exact::<PyMemoryView>() {
            let buffer = SharedBuffer::of(ts, view)?;
            self.tag(BUFFER)?;
            self.number(self.buffers.len() as u64)?;
            return Ok(self.buffers.try_push(buffer)?);
        }
        if is_queue(ts, object)? {
            let id = attr::get(ts, object, &*PyStr::intern(ts, "_id")?)?;
            self.tag(QUEUE)?;
            return self.number(protocol::as_isize(ts, &id)? as u64);
        }
        if let Some(id) = object.downcast_exact::<PyChannelId>() {
            return self.channel(id, "");
        }
        if _interpchannels::registered_end(ts, object)?.is_some() {
            let id = attr::get(ts, object, &*PyStr::intern(ts, "_id")?)?;
            let Some(id) = id.downcast::<PyChannelId>() else {
                return raise!(ts, exc::TypeError, "the _id of a channel's end is no ChannelID but {}", id.type_name());
            };
            let module = attr::get(ts, object.ob_type().as_object(), id!(__module__))?;
            let module = match module.downcast::<PyStr>() {
                Some(module) => module.utf8(ts)?,
                None => "",
            };
            return self.channel(id, module);
        }
        let shown = protocol::repr(ts, object)?;
        raise!(ts, NOT_SHAREABLE_ERROR, "{shown} does not support cross-interpreter data")
    }

    /// A channel's ID; with a module, an end of a class of Python's.
    fn channel(&mut self, id: &PyChannelId, module: &str) -> PyResult<()> {
        // One that nobody has is said to be so where it arrives.
        if let Ok(counted) = Counted::new(id.id()) {
            self.channels.try_push(counted)?;
        }
        self.tag(CHANNEL)?;
        self.number(id.id() as u64)?;
        self.number(id.which() as u64)?;
        self.number(u64::from(id.resolves()))?;
        self.number(module.len() as u64)?;
        Ok(self.bytes.try_extend_from_copy(module.as_bytes())?)
    }

    /// The pickle, and where the sender's `__main__` comes from: what it defines may have to be made again.
    fn put_pickle(&mut self, ts: &ThreadState, object: &PyObject) -> PyResult<()> {
        let dumps = imported(ts, "pickle", "dumps")?;
        let pickle = call::call_with(ts, &dumps, &[object])?;
        let Some(pickle) = pickle.downcast::<PyBytes>() else {
            return raise!(ts, exc::TypeError, "pickle.dumps() did not return bytes");
        };
        self.block(PICKLE, pickle.as_slice().len(), pickle.as_slice())?;
        let file = scripts::main_file(ts)?;
        let file = match &file {
            Some(file) => file.utf8(ts)?,
            None => "",
        };
        self.number(file.len() as u64)?;
        Ok(self.bytes.try_extend_from_copy(file.as_bytes())?)
    }

    /// The object, made in the calling interpreter.
    pub fn decode(&self, ts: &ThreadState) -> PyResult {
        let mut reader = Reader { rest: &self.bytes, buffers: &self.buffers };
        reader.object(ts)
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    buffers: &'a [SharedBuffer],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn number(&mut self) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.take(8));
        u64::from_le_bytes(bytes)
    }

    fn block(&mut self) -> &'a [u8] {
        let length = self.number() as usize;
        self.take(length)
    }

    fn object(&mut self, ts: &ThreadState) -> PyResult {
        Ok(match self.take(1)[0] {
            NONE => ts.none(),
            FALSE => py_bool(false),
            TRUE => py_bool(true),
            INT => PyInt::from_i64(ts, self.number() as i64)?,
            FLOAT => PyFloat::new(ts, f64::from_bits(self.number()))?,
            ASCII => PyStr::from_ascii(ts, self.block())?.into_object(),
            LATIN1 => PyStr::from_latin1(ts, self.block())?.into_object(),
            UCS2 => {
                let units = self.block().as_chunks::<2>().0.iter().map(|unit| u16::from_ne_bytes(*unit));
                let units = TryVec::<u16>::try_from_iter(units)?;
                PyStr::from_ucs2(ts, &units)?.into_object()
            }
            UCS4 => {
                let units = self.block().as_chunks::<4>().0.iter().map(|unit| u32::from_ne_bytes(*unit));
                let units = TryVec::<u32>::try_from_iter(units)?;
                PyStr::from_ucs4(ts, &units)?.into_object()
            }
            BYTES => PyBytes::new(ts, self.block())?.into_object(),
            TUPLE => {
                let length = self.number() as usize;
                let mut items = TryVec::<PyRef>::try_with_capacity(length)?;
                for _ in 0..length {
                    items.try_push(self.object(ts)?)?;
                }
                PyTuple::from_vec(ts, items)?.into_object()
            }
            BUFFER => {
                let index = self.number() as usize;
                self.buffers[index].view(ts)?
            }
            QUEUE => {
                let number = PyInt::from_u64(ts, self.number())?;
                let class = queue_class(ts)?;
                call::call_with(ts, &class, &[&number])?
            }
            CHANNEL => {
                let (id, which) = (self.number() as i64, Which::from_number(self.number() as u8));
                let resolves = self.number() != 0;
                let module = core::str::from_utf8(self.block()).unwrap_or("");
                channel(ts, PyChannelId::new(ts, id, which, false, resolves)?, module)?
            }
            FUNCTION => scripts::function(ts, self.block())?,
            PICKLE => {
                let pickle = self.block();
                let file = self.block();
                scripts::unpickle(ts, pickle, core::str::from_utf8(file).unwrap_or(""))?
            }
            tag => return raise!(ts, exc::SystemError, "unknown kind of cross-interpreter data: {tag}"),
        })
    }
}

/// Under what name `_interpqueues` keeps the classes of Python that were registered with it.
pub const QUEUE_CLASSES: &str = "_interpqueues.classes";

fn is_queue(ts: &ThreadState, object: &PyObject) -> PyResult<bool> {
    let classes = state_dict(ts, QUEUE_CLASSES)?;
    let class = classes.get_str(ts, &*PyStr::intern(ts, "Queue")?)?;
    Ok(class.is_some_and(|class| core::ptr::addr_eq(class.as_ptr(), object.ob_type())))
}

/// The class `Queue`, whose module is imported when nobody has done that in this interpreter.
fn queue_class(ts: &ThreadState) -> PyResult {
    let name = PyStr::intern(ts, "Queue")?;
    if let Some(class) = state_dict(ts, QUEUE_CLASSES)?.get_str(ts, &name)? {
        return Ok(class);
    }
    imported(ts, "concurrent.interpreters._queues", "Queue")
}

/// The ID itself, or the end of a class of Python's that it stands for: when it is to resolve, as far as this interpreter
/// has such classes; with the module that has them, in any case.
fn channel(ts: &ThreadState, id: Ref<PyChannelId>, module: &str) -> PyResult {
    if id.which() == Which::Both || (module.is_empty() && !id.resolves()) {
        return Ok(id.into_object());
    }
    let mut class = _interpchannels::end_class(ts, id.which())?;
    if class.is_none() && !module.is_empty() {
        crate::import::import_module(ts, module)?;
        class = _interpchannels::end_class(ts, id.which())?;
    }
    match class {
        Some(class) => call::call_with(ts, &class, &[id.as_object()]),
        None if module.is_empty() => Ok(id.into_object()),
        None => raise!(ts, exc::RuntimeError, "module {module} has not registered the ends of channels"),
    }
}

/// Whether the object's type has a form of its own.
pub(super) fn has_own_form(ts: &ThreadState, object: &PyObject) -> PyResult<bool> {
    Ok(is_none(object)
        || as_bool(object).is_some()
        || object.downcast_exact::<PyInt>().is_some()
        || object.downcast_exact::<PyFloat>().is_some()
        || object.downcast_exact::<PyStr>().is_some()
        || object.downcast_exact::<PyBytes>().is_some()
        || object.downcast_exact::<PyTuple>().is_some()
        || object.downcast_exact::<PyMemoryView>().is_some()
        || object.downcast_exact::<PyChannelId>().is_some()
        || is_queue(ts, object)?
        || _interpchannels::registered_end(ts, object)?.is_some())
}

/// The name that pickled functions of a script have their module by.
pub(super) fn main_module(ts: &ThreadState) -> PyResult<Option<PyRef>> {
    crate::import::loaded(ts, id!(__main__))
}
