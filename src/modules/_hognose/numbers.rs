//! `memory_stats()` and `census()`: the figures as objects of Python.

use core::cmp::Reverse;

use hognose_allocators::{NoMemory, Raw, TryString, TryVec};

use crate::id;
use crate::lifecycle::memstats::{Figures, Listener};
use crate::object::census::Census;
use crate::object::{AsObject, PyObject, PyRef, PyResult, PyTypeObject, Ref};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// Makes dictionaries and lists of what it is told.
struct Objects<'a> {
    ts: &'a ThreadState,
    /// What is open, the innermost last.
    open: TryVec<PyRef>,
}

impl Objects<'_> {
    fn put(&mut self, name: &str, value: &PyObject) -> PyResult<()> {
        let Some(open) = self.open.last() else { return Err(NoMemory.into()) };
        match open.downcast::<PyList>() {
            Some(list) => list.append(self.ts, value.new_ref()),
            None => open.cast::<PyDict>().set_str(self.ts, &*PyStr::intern(self.ts, name)?, value),
        }
    }

    fn enter(&mut self, name: &str, container: PyRef) -> PyResult<()> {
        self.put(name, &container)?;
        Ok(self.open.try_push(container)?)
    }
}

impl Listener for Objects<'_> {
    type Error = crate::object::Raised;

    fn number(&mut self, name: &str, value: u64) -> PyResult<()> {
        let value = PyInt::from_u64(self.ts, value)?;
        self.put(name, &value)
    }

    fn optional(&mut self, name: &str, value: Option<u64>) -> PyResult<()> {
        match value {
            Some(value) => self.number(name, value),
            None => self.put(name, &self.ts.none()),
        }
    }

    fn text(&mut self, name: &str, value: &str) -> PyResult<()> {
        let value = PyStr::new(self.ts, value)?;
        self.put(name, value.as_object())
    }

    fn open(&mut self, name: &str) -> PyResult<()> {
        let dict = PyDict::new(self.ts)?.into_object();
        self.enter(name, dict)
    }

    fn open_list(&mut self, name: &str) -> PyResult<()> {
        let list = PyList::new(self.ts)?.into_object();
        self.enter(name, list)
    }

    fn close(&mut self) -> PyResult<()> {
        drop(self.open.pop());
        Ok(())
    }
}

pub(super) fn memory_stats(ts: &ThreadState, _: &PyObject) -> PyResult {
    // Taken before the dictionary is made, which is not in it.
    let figures = Figures::now(ts);
    let stats = PyDict::new(ts)?;
    let mut objects = Objects { ts, open: TryVec::new() };
    objects.open.try_push(stats.clone().into_object())?;
    figures.describe(&mut objects)?;
    Ok(stats.into_object())
}

/// The objects of one type, or those of no known one.
pub struct Found {
    /// The type, kept alive; `None` for blocks of the obj domain that hold no known object.
    pub typ: Option<Ref<PyTypeObject>>,
    /// How many there are.
    pub objects: usize,
    /// Bytes of their blocks.
    pub bytes: usize,
}

/// The census of the interpreter's heap, most bytes first. The list lives in the raw domain.
pub fn rows(ts: &ThreadState) -> Result<TryVec<Found, Raw>, NoMemory> {
    let census = Census::take(ts.heap())?;
    let mut rows = TryVec::new_in(Raw);
    for row in census.rows() {
        // SAFETY: one of its objects lives, so the type does; nothing has run since it was found.
        let typ = unsafe { &*row.typ };
        rows.try_push(Found { typ: Some(Ref::from_borrowed(typ)), objects: row.objects, bytes: row.bytes })?;
    }
    if census.unknown.0 != 0 {
        rows.try_push(Found { typ: None, objects: census.unknown.0, bytes: census.unknown.1 })?;
    }
    rows.as_mut_slice().sort_unstable_by_key(|row| Reverse((row.bytes, row.objects)));
    Ok(rows)
}

/// Writes the name of a row: with the module, where that is not `builtins`.
pub fn qualified_name(ts: &ThreadState, row: &Found) -> PyResult<TryString<Raw>> {
    let mut text = TryString::new_in(Raw);
    let Some(typ) = &row.typ else {
        text.try_push_str("(unknown)")?;
        return Ok(text);
    };
    let Some(class) = typ.as_heap_type() else {
        text.try_push_str(typ.full_name())?;
        return Ok(text);
    };
    let module = match typ.dict(ts) {
        Some(dict) => dict.get_str(ts, id!(__module__))?,
        None => None,
    };
    if let Some(module) = module.as_ref().and_then(|module| module.downcast::<PyStr>())
        && !module.equals(id!(builtins))
    {
        text.try_push_fmt(format_args!("{module}."))?;
    }
    match class.ht_qualname.get() {
        Some(name) => text.try_push_fmt(format_args!("{name}"))?,
        None => text.try_push_str(typ.full_name())?,
    }
    Ok(text)
}

pub(super) fn census(ts: &ThreadState, _: &PyObject) -> PyResult {
    let rows = rows(ts)?;
    let result = PyDict::new(ts)?;
    for row in rows.iter() {
        let name = PyStr::new(ts, qualified_name(ts, row)?.as_str())?;
        // Two classes may have one name.
        let (mut objects, mut bytes) = (row.objects, row.bytes);
        if let Some(before) = result.get_str(ts, &name)? {
            let before = before.cast::<PyTuple>();
            let number = |index: usize| before.get(index).and_then(|n| n.downcast::<PyInt>()).and_then(PyInt::as_u64);
            objects += number(0).unwrap_or(0) as usize;
            bytes += number(1).unwrap_or(0) as usize;
        }
        let pair = PyTuple::pair(ts, &*PyInt::from_usize(ts, objects)?, &*PyInt::from_usize(ts, bytes)?)?;
        result.set_str(ts, &name, pair.as_object())?;
    }
    Ok(result.into_object())
}

/// `_hognose.start_image()`.
pub fn start_image(ts: &ThreadState, _: &PyObject) -> PyResult {
    let image = crate::lifecycle::image::describe();
    let dict = PyDict::new(ts)?;
    for (name, figure) in [("blocks", image.blocks), ("bytes", image.bytes), ("shared", image.shared)] {
        dict.set_str(ts, &*PyStr::intern(ts, name)?, &*PyInt::from_usize(ts, figure)?)?;
    }
    let reason = match image.reason.to_str() {
        Ok("") | Err(_) => ts.none(),
        Ok(reason) => PyStr::new(ts, reason)?.into_object(),
    };
    let main = match image.main {
        None => ts.none(),
        Some(bytes) => PyInt::from_usize(ts, bytes)?,
    };
    dict.set_str(ts, &*PyStr::intern(ts, "main")?, &main)?;
    dict.set_str(ts, &*PyStr::intern(ts, "reason")?, &reason)?;
    Ok(dict.into_object())
}
