//! Trees of objects as the front end reads them. Whatever a node may be made of, each field is looked at once.

use hognose_allocators::collections::TryVec;
use hognose_frontend::asdl::{Count, Field, GRAMMAR, Located};
use hognose_frontend::encode::{fold, tag};
use hognose_frontend::tree::Kind;

use super::POSITION;
use super::state::Classes;
use crate::object::{AsObject, PyObject, PyResult, Ref, attr, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::as_bool;
use crate::types::bytes::PyBytes;
use crate::types::complex::PyComplex;
use crate::types::ellipsis::ellipsis;
use crate::types::exceptions as exc;
use crate::types::float::PyFloat;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::set::FROZENSET_TYPE;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// The bytes of a tree whose root has to be of `root`. TypeError and ValueError for what is no tree.
pub(crate) fn to_bytes(ts: &ThreadState, tree: &PyObject, root: Kind) -> PyResult<TryVec<u8>> {
    let classes = Classes::get(ts)?;
    if !protocol::isinstance(ts, tree, classes.class(root).as_object())? {
        return raise!(ts, exc::TypeError, "expected {} node, got {}", root.name(), tree.type_name());
    }
    let mut positions = TryVec::<Ref<PyStr>>::new();
    for name in POSITION {
        positions.try_push(PyStr::intern(ts, name)?)?;
    }
    let mut writer = Writer { ts, out: TryVec::new(), classes: &classes, positions: &positions };
    writer.node(tree, "mod")?;
    Ok(writer.out)
}

struct Writer<'a> {
    ts: &'a ThreadState,
    out: TryVec<u8>,
    classes: &'a Classes,
    positions: &'a [Ref<PyStr>],
}

impl Writer<'_> {
    fn count(&mut self, mut count: u64) -> PyResult<()> {
        while count >= 0x80 {
            self.out.try_push(count as u8 | 0x80)?;
            count >>= 7;
        }
        Ok(self.out.try_push(count as u8)?)
    }

    fn bytes(&mut self, bytes: &[u8]) -> PyResult<()> {
        self.count(bytes.len() as u64)?;
        Ok(self.out.try_extend_from_slice(bytes)?)
    }

    /// Which alternative of the rule `rule` an object is.
    fn kind_of(&self, object: &PyObject, rule: &str) -> PyResult<Kind> {
        let (mut number, mut found) = (0, None);
        for known in GRAMMAR {
            let count = known.constructors.len().max(1);
            if known.name == rule {
                found = Some(number..number + count);
                break;
            }
            number += count;
        }
        let kinds = &Kind::ALL[found.unwrap_or(0..0)];
        let class = object.ob_type();
        if let Some(&kind) = kinds.iter().find(|&&kind| core::ptr::eq(self.classes.class(kind), class)) {
            return Ok(kind);
        }
        for &kind in kinds {
            if protocol::isinstance(self.ts, object, self.classes.class(kind).as_object())? {
                return Ok(kind);
            }
        }
        let shown = protocol::repr(self.ts, object)?;
        raise!(self.ts, exc::TypeError, "expected some sort of {rule}, but got {}", &*shown)
    }

    fn node(&mut self, object: &PyObject, rule: &str) -> PyResult<()> {
        let ts = self.ts;
        ts.check_native_stack(" during compilation")?;
        if is_none(object) {
            return Ok(self.out.try_push(tag::NOTHING)?);
        }
        let is_rule = GRAMMAR.iter().any(|known| known.name == rule && !known.constructors.is_empty());
        let mut places = [0i64; 4];
        // Where a node stands is asked before what it is.
        let located = GRAMMAR.iter().find(|known| known.name == rule).map_or(Located::No, |known| known.located);
        if located != Located::No {
            for (index, place) in places.iter_mut().enumerate() {
                let name = &self.positions[index];
                let optional = located == Located::Start && index >= 2;
                match attr::get_opt(ts, object, name)? {
                    Some(value) if optional && is_none(&value) => *place = i64::MIN,
                    Some(value) => *place = self.integer(&value)?.into(),
                    None if optional => *place = i64::MIN,
                    None => {
                        return raise!(
                            ts,
                            exc::TypeError,
                            "required field \"{}\" missing from {rule}",
                            POSITION[index]
                        );
                    }
                }
            }
            for index in [2, 3] {
                if places[index] == i64::MIN {
                    places[index] = places[index - 2];
                }
            }
        }
        let kind = if is_rule || rule != "mod" { self.kind_of(object, rule)? } else { Kind::Module };
        self.out.try_extend_from_slice(&[tag::NODE, kind as u8])?;
        if located != Located::No {
            for place in places {
                self.count(fold(place))?;
            }
        }
        let names = self.classes.names(kind);
        for (field, name) in kind.fields().zip(names.items()) {
            self.field(object, kind, &field, name.cast::<PyStr>())?;
        }
        Ok(())
    }

    fn field(&mut self, object: &PyObject, kind: Kind, field: &Field<'_>, name: &PyStr) -> PyResult<()> {
        let ts = self.ts;
        let value = attr::get_opt(ts, object, name)?;
        if field.count == Count::Many {
            let Some(value) = value else {
                return Ok(self.out.try_extend_from_slice(&[tag::LIST, 0])?);
            };
            let Some(list) = value.downcast::<PyList>() else {
                return raise!(
                    ts,
                    exc::TypeError,
                    "{} field \"{}\" must be a list, not a {}",
                    kind.name(),
                    field.name,
                    value.type_name()
                );
            };
            let items = list.to_tuple(ts)?;
            self.out.try_push(tag::LIST)?;
            self.count(items.len() as u64)?;
            for item in items.items() {
                self.single(item, field.typ)?;
                if list.len() != items.len() {
                    return raise!(
                        ts,
                        exc::RuntimeError,
                        "{} field \"{}\" changed size during iteration",
                        kind.name(),
                        field.name
                    );
                }
            }
            return Ok(());
        }
        match value {
            Some(value) if field.count == Count::Optional && is_none(&value) => Ok(self.out.try_push(tag::NOTHING)?),
            Some(value) => {
                if is_none(&value) && field.typ != "constant" {
                    return raise!(ts, exc::ValueError, "field '{}' is required for {}", field.name, kind.name());
                }
                self.single(&value, field.typ)
            }
            None if field.count == Count::Optional => Ok(self.out.try_push(tag::NOTHING)?),
            None => {
                raise!(ts, exc::TypeError, "required field \"{}\" missing from {}", field.name, kind.name())
            }
        }
    }

    fn single(&mut self, value: &PyObject, typ: &str) -> PyResult<()> {
        let ts = self.ts;
        match typ {
            "identifier" | "string" => {
                if is_none(value) {
                    return Ok(self.out.try_push(tag::NOTHING)?);
                }
                match value.downcast_exact::<PyStr>() {
                    Some(text) => {
                        self.out.try_push(tag::TEXT)?;
                        self.bytes(text.utf8(ts)?.as_bytes())
                    }
                    None if typ == "identifier" => {
                        raise!(ts, exc::TypeError, "AST identifier must be of type str")
                    }
                    None => raise!(ts, exc::TypeError, "AST string must be of type str"),
                }
            }
            "int" => {
                let number = self.integer(value)?;
                self.out.try_push(tag::NUMBER)?;
                self.count(fold(number.into()))
            }
            "constant" => self.constant(value),
            rule => self.node(value, rule),
        }
    }

    fn integer(&self, value: &PyObject) -> PyResult<i32> {
        match value.downcast::<PyInt>() {
            Some(int) => int.to_i32(self.ts),
            None => {
                let shown = protocol::repr(self.ts, value)?;
                raise!(self.ts, exc::ValueError, "invalid integer value: {}", &*shown)
            }
        }
    }

    fn constant(&mut self, value: &PyObject) -> PyResult<()> {
        let ts = self.ts;
        ts.check_native_stack(" during compilation")?;
        if is_none(value) {
            return Ok(self.out.try_push(tag::NONE)?);
        }
        if let Some(truth) = as_bool(value) {
            return Ok(self.out.try_push(if truth { tag::TRUE } else { tag::FALSE })?);
        }
        if value.is(ellipsis()) {
            return Ok(self.out.try_push(tag::ELLIPSIS)?);
        }
        if let Some(int) = value.downcast_exact::<PyInt>() {
            let digits = int.to_str(ts, 16)?;
            self.out.try_extend_from_slice(&[tag::INT, 16])?;
            return self.bytes(digits.data_bytes());
        }
        if let Some(float) = value.downcast_exact::<PyFloat>() {
            self.out.try_push(tag::FLOAT)?;
            return Ok(self.out.try_extend_from_slice(&float.value().to_le_bytes())?);
        }
        if let Some(complex) = value.downcast_exact::<PyComplex>() {
            let (real, imaginary) = complex.value();
            self.out.try_push(tag::COMPLEX)?;
            self.out.try_extend_from_slice(&real.to_le_bytes())?;
            return Ok(self.out.try_extend_from_slice(&imaginary.to_le_bytes())?);
        }
        if let Some(text) = value.downcast_exact::<PyStr>() {
            let bytes = crate::types::str::codec::encode_utf8(ts, text, "surrogatepass")?;
            self.out.try_push(tag::STR)?;
            return self.bytes(bytes.as_slice());
        }
        if let Some(bytes) = value.downcast_exact::<PyBytes>() {
            self.out.try_push(tag::BYTES)?;
            return self.bytes(bytes.as_slice());
        }
        let (found, items) = if let Some(items) = value.downcast_exact::<PyTuple>() {
            (tag::TUPLE, Ref::from_borrowed(items))
        } else if core::ptr::eq(value.ob_type(), &*FROZENSET_TYPE) {
            (tag::FROZENSET, protocol::tuple_of(ts, value)?)
        } else {
            return raise!(ts, exc::TypeError, "got an invalid type in Constant: {}", value.type_name());
        };
        self.out.try_push(found)?;
        self.count(items.len() as u64)?;
        for item in items.items() {
            self.constant(item)?;
        }
        Ok(())
    }
}
