//! `_count_elements`: the loop of `collections.Counter`.

use crate::id;
use crate::object::{AsObject, PyObject, PyResult, attr, call, protocol};
use crate::state::ThreadState;
use crate::types::dict::{self, DICT_TYPE, PyDict};
use crate::types::int::PyInt;

pub(super) fn count_elements(ts: &ThreadState, _module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "_count_elements", args.len(), 2, 2)?;
    let (mapping, iterable) = (args[0], args[1]);
    let iterator = protocol::iter(ts, iterable)?;
    match mapping.downcast::<PyDict>() {
        Some(counts) if keeps_dict_methods(ts, mapping) => {
            while let Some(key) = protocol::next(ts, &iterator)? {
                let hash = dict::key_hash(ts, &key)?;
                match counts.get_known_hash(ts, &key, hash)? {
                    None => counts.set_known_hash(ts, &key, hash, PyInt::one())?,
                    Some(count) => {
                        let count = add_one(ts, &count)?;
                        counts.set_known_hash(ts, &key, hash, &count)?;
                    }
                }
            }
        }
        _ => {
            let get = attr::get(ts, mapping, id!(get))?;
            while let Some(key) = protocol::next(ts, &iterator)? {
                let count = call::call_with(ts, &get, &[&key, PyInt::zero()])?;
                let count = add_one(ts, &count)?;
                protocol::setitem(ts, mapping, &key, &count)?;
            }
        }
    }
    Ok(ts.none())
}

#[inline]
fn add_one(ts: &ThreadState, count: &PyObject) -> PyResult {
    match count.downcast_exact::<PyInt>().and_then(PyInt::as_i64) {
        Some(small) if small < i64::MAX => PyInt::from_i64(ts, small + 1),
        _ => protocol::add(ts, count, PyInt::one()),
    }
}

/// Whether `get` and `__setitem__` of the mapping are those of `dict`.
fn keeps_dict_methods(ts: &ThreadState, mapping: &PyObject) -> bool {
    [id!(get), id!(__setitem__)].into_iter().all(|name| {
        let own = attr::lookup_type(ts, mapping.ob_type(), name);
        let of_dict = attr::lookup_type(ts, &DICT_TYPE, name);
        matches!((own, of_dict), (Some(own), Some(of_dict)) if own.is(of_dict.as_object()))
    })
}
