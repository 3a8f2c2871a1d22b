//! Objects of the front end's trees.

use hognose_allocators::collections::TryVec;
use hognose_frontend::asdl::Located;
use hognose_frontend::encode::{tag, unfold};
use hognose_frontend::tree::Kind;

use super::POSITION;
use super::node::PyAst;
use super::state::Classes;
use crate::object::{AsObject, PyRef, PyResult, Ref, alloc, gc};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::bytes::PyBytes;
use crate::types::complex::PyComplex;
use crate::types::dict::PyDict;
use crate::types::ellipsis::ellipsis;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::none;
use crate::types::set::PySet;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// The tree that `bytes` describe.
pub(crate) fn from_bytes(ts: &ThreadState, bytes: &[u8]) -> PyResult {
    let classes = Classes::get(ts)?;
    let mut positions = TryVec::<Ref<PyStr>>::new();
    for name in POSITION {
        positions.try_push(PyStr::intern(ts, name)?)?;
    }
    Reader { ts, bytes, at: 0, classes: &classes, positions: &positions }.value()
}

struct Reader<'a> {
    ts: &'a ThreadState,
    bytes: &'a [u8],
    at: usize,
    classes: &'a Classes,
    positions: &'a [Ref<PyStr>],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> PyResult<&'a [u8]> {
        match self.bytes.get(self.at..).and_then(|rest| rest.get(..count)) {
            Some(bytes) => {
                self.at += count;
                Ok(bytes)
            }
            None => raise!(self.ts, exc::SystemError, "a syntax tree ends too early"),
        }
    }

    fn byte(&mut self) -> PyResult<u8> {
        Ok(self.take(1)?[0])
    }

    fn count(&mut self) -> PyResult<u64> {
        let (mut count, mut shift) = (0u64, 0);
        loop {
            let byte = self.byte()?;
            count |= u64::from(byte & 0x7f).wrapping_shl(shift);
            if byte < 0x80 {
                return Ok(count);
            }
            shift += 7;
        }
    }

    fn text(&mut self) -> PyResult<&'a [u8]> {
        let count = self.count()?;
        self.take(count as usize)
    }

    fn number(&mut self) -> PyResult {
        let number = unfold(self.count()?);
        PyInt::from_i64(self.ts, number)
    }

    fn real(&mut self) -> PyResult<f64> {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.take(8)?);
        Ok(f64::from_le_bytes(bytes))
    }

    fn value(&mut self) -> PyResult {
        let ts = self.ts;
        match self.byte()? {
            tag::NOTHING => Ok(ts.none()),
            tag::NODE => self.node(),
            tag::LIST => {
                let count = self.count()?;
                let list = PyList::new(ts)?;
                for _ in 0..count {
                    list.append(ts, self.value()?)?;
                }
                Ok(list.into_object())
            }
            tag::TEXT => {
                let text = PyStr::from_utf8(ts, self.text()?, "surrogatepass")?;
                Ok(PyStr::intern_ref(ts, text)?.into_object())
            }
            tag::NUMBER => self.number(),
            found => self.constant(found),
        }
    }

    fn node(&mut self) -> PyResult {
        let ts = self.ts;
        ts.check_native_stack(" during ast construction")?;
        let Some(kind) = Kind::from_number(self.byte()?) else {
            return raise!(ts, exc::SystemError, "a syntax tree has an unknown node");
        };
        if let Some(instance) = self.classes.instance(kind) {
            return Ok(instance.new_ref());
        }
        let located = kind.rule().2 != Located::No;
        let names = self.classes.names(kind);
        let dict = PyDict::with_capacity(ts, names.len() + if located { 4 } else { 0 }, true)?;
        let mut places = [None, None, None, None];
        if located {
            for place in &mut places {
                *place = Some(self.number()?);
            }
        }
        for name in names.items() {
            let value = self.value()?;
            dict.set_str(ts, name.cast::<PyStr>(), &value)?;
        }
        for (name, place) in self.positions.iter().zip(&places) {
            if let Some(place) = place {
                dict.set_str(ts, name, place)?;
            }
        }
        let node = alloc::object::<PyAst>(ts, self.classes.class(kind))?;
        node.set_dict(dict);
        gc::track(ts, &*node);
        Ok(node.into_object())
    }

    fn constant(&mut self, found: u8) -> PyResult {
        let ts = self.ts;
        match found {
            tag::NONE => Ok(none().new_ref()),
            tag::TRUE => Ok(py_bool(true)),
            tag::FALSE => Ok(py_bool(false)),
            tag::ELLIPSIS => Ok(ellipsis().new_ref()),
            tag::INT => {
                let base = self.byte()?;
                PyInt::parse(ts, self.text()?, base.into())
            }
            tag::FLOAT => PyFloat::new(ts, self.real()?),
            tag::COMPLEX => PyComplex::new(ts, self.real()?, self.real()?),
            tag::STR => {
                let text = PyStr::from_utf8(ts, self.text()?, "surrogatepass")?;
                Ok(text.into_object())
            }
            tag::BYTES => Ok(PyBytes::new(ts, self.text()?)?.into_object()),
            tag::TUPLE | tag::FROZENSET => {
                let count = self.count()?;
                let mut items = TryVec::<PyRef>::new();
                for _ in 0..count {
                    let next = self.byte()?;
                    items.try_push(self.constant(next)?)?;
                }
                let items = PyTuple::from_vec(ts, items)?;
                if found == tag::TUPLE {
                    return Ok(items.into_object());
                }
                Ok(PySet::frozen(ts, items.as_object())?.into_object())
            }
            _ => raise!(ts, exc::SystemError, "a syntax tree has an unknown value"),
        }
    }
}
