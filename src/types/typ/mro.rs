//! Method resolution orders: C3 linearization, and what a metaclass's `mro` says instead.

use hognose_allocators::collections::TryVec;

use crate::object::*;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::str::StrBuilder;
use crate::types::tuple::PyTuple;
use crate::{id, raise};

use super::layout::solid_base;

/// The method resolution order of a class whose bases are set: what its metaclass's `mro` returns.
pub fn compute(ts: &ThreadState, typ: &PyTypeObject) -> PyResult<Ref<PyTuple>> {
    let metatype = typ.as_object().ob_type();
    if core::ptr::eq(metatype, &super::TYPE_TYPE.object) {
        return linearize(ts, typ);
    }
    // A metaclass that does not say otherwise takes the short way.
    let own = attr::lookup_type(ts, metatype, id!(mro));
    let native = attr::lookup_type(ts, &super::TYPE_TYPE, id!(mro));
    if let (Some(own), Some(native)) = (&own, &native)
        && own.is(native)
    {
        return linearize(ts, typ);
    }
    let Some(result) = call::call_special(ts, typ.as_object(), id!(mro), &[])? else {
        return linearize(ts, typ);
    };
    let order = protocol::tuple_of(ts, &result)?;
    let solid = solid_base(typ);
    for item in order.items() {
        let Some(class) = item.downcast::<PyTypeObject>() else {
            return raise!(ts, exc::TypeError, "mro() returned a non-class ('{}')", item.type_name());
        };
        if !solid.is_subtype(solid_base(class)) {
            return raise!(ts, exc::TypeError, "mro() returned base with unsuitable layout ('{}')", class.full_name());
        }
    }
    if order.is_empty() {
        return raise!(ts, exc::TypeError, "type MRO must not be empty");
    }
    Ok(order)
}

fn order_of(ts: &ThreadState, base: &PyObject) -> PyResult<Ref<PyTuple>> {
    let Some(class) = base.downcast::<PyTypeObject>() else {
        return raise!(ts, exc::TypeError, "bases must be types");
    };
    match class.mro(ts) {
        Some(order) => Ok(order),
        None => raise!(ts, exc::TypeError, "Cannot extend an incomplete type '{}'", class.full_name()),
    }
}

/// The C3 order of a class (`type.mro`).
pub fn linearize(ts: &ThreadState, typ: &PyTypeObject) -> PyResult<Ref<PyTuple>> {
    let bases = typ.bases(ts).unwrap_or_else(PyTuple::empty);
    if let [base] = bases.items() {
        let of_base = order_of(ts, base)?;
        let order = PyTuple::uninit(ts, of_base.len() + 1)?;
        // SAFETY: each place of the new tuple is filled once.
        unsafe {
            order.set_item(0, typ.as_object().new_ref());
            for (place, class) in of_base.items().iter().enumerate() {
                order.set_item(place + 1, class.new_ref());
            }
        }
        return Ok(order);
    }
    check_duplicates(ts, &bases)?;
    // The sequences to merge: the bases' orders, then the bases themselves.
    let mut sequences = TryVec::<Ref<PyTuple>>::new();
    for base in bases.items() {
        sequences.try_push(order_of(ts, base)?)?;
    }
    sequences.try_push(bases.clone())?;
    let mut heads = TryVec::<usize>::new();
    heads.try_resize(sequences.len(), 0)?;
    let mut order = TryVec::<PyRef>::new();
    order.try_push(typ.as_object().new_ref())?;
    loop {
        let mut exhausted = true;
        let mut found = None;
        for (sequence, head) in sequences.iter().zip(heads.iter()) {
            let Some(candidate) = sequence.get(*head) else { continue };
            exhausted = false;
            let in_a_tail = sequences
                .iter()
                .zip(heads.iter())
                .any(|(other, head)| other.items().iter().skip(*head + 1).any(|class| class.is(candidate)));
            if !in_a_tail {
                found = Some(candidate.new_ref());
                break;
            }
        }
        if exhausted {
            return PyTuple::from_vec(ts, order);
        }
        let Some(next) = found else {
            return inconsistent(ts, &sequences, &heads);
        };
        for (sequence, head) in sequences.iter().zip(heads.iter_mut()) {
            if sequence.get(*head).is_some_and(|class| class.is(&next)) {
                *head += 1;
            }
        }
        order.try_push(next)?;
    }
}

fn check_duplicates(ts: &ThreadState, bases: &PyTuple) -> PyResult<()> {
    for (index, base) in bases.items().iter().enumerate() {
        if bases.items()[index + 1..].iter().any(|other| other.is(base)) {
            return match attr::get_opt(ts, base, id!(__name__))? {
                Some(name) => raise!(ts, exc::TypeError, "duplicate base class {}", &*protocol::str(ts, &name)?),
                None => raise!(ts, exc::TypeError, "duplicate base class"),
            };
        }
    }
    Ok(())
}

#[cold]
fn inconsistent<T>(ts: &ThreadState, sequences: &[Ref<PyTuple>], heads: &[usize]) -> PyResult<T> {
    let mut left = TryVec::<PyRef>::new();
    for (sequence, head) in sequences.iter().zip(heads) {
        if let Some(class) = sequence.get(*head)
            && !left.iter().any(|known| known.is(class))
        {
            left.try_push(class.new_ref())?;
        }
    }
    let mut text = StrBuilder::new();
    text.push_str("Cannot create a consistent method resolution order (MRO) for bases ")?;
    for (index, class) in left.iter().enumerate() {
        if index > 0 {
            text.push_str(", ")?;
        }
        match attr::get_opt(ts, class, id!(__name__))? {
            Some(name) => text.push_object(ts, &name)?,
            None => text.push_str("?")?,
        }
    }
    let text = text.finish(ts)?;
    Err(ts.raise_with(&exc::TypeError, text.as_object()))
}

/// `type.mro()`: a new list.
pub fn mro_method(ts: &ThreadState, this: &PyObject) -> PyResult {
    let order = linearize(ts, this.cast())?;
    Ok(PyList::from_slice(ts, order.items())?.into_object())
}
