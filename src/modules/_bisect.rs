//! `_bisect`: binary search in sorted sequences.

use crate::modules::ModuleSpec;
use crate::object::{Args, CompareOp, MethodDef, PyObject, PyResult, Signature, call, protocol};
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::{is_none, none};
use crate::{id, raise};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_bisect",
    doc: "Binary search in sorted sequences, and insertion that keeps them sorted.",
    methods: &[
        MethodDef::keywords(
            "bisect_right",
            bisect_right,
            "bisect_right($module, /, a, x, lo=0, hi=None, *, key=None)\n--\n\nThe index behind all items of a[lo:hi] that are not above x.",
        ),
        MethodDef::keywords(
            "bisect",
            bisect_right,
            "bisect($module, /, a, x, lo=0, hi=None, *, key=None)\n--\n\nAnother name for bisect_right.",
        ),
        MethodDef::keywords(
            "bisect_left",
            bisect_left,
            "bisect_left($module, /, a, x, lo=0, hi=None, *, key=None)\n--\n\nThe index behind all items of a[lo:hi] that are below x.",
        ),
        MethodDef::keywords(
            "insort_right",
            insort_right,
            "insort_right($module, /, a, x, lo=0, hi=None, *, key=None)\n--\n\nInsert x into the sorted list a, behind items equal to it.",
        ),
        MethodDef::keywords(
            "insort",
            insort_right,
            "insort($module, /, a, x, lo=0, hi=None, *, key=None)\n--\n\nAnother name for insort_right.",
        ),
        MethodDef::keywords(
            "insort_left",
            insort_left,
            "insort_left($module, /, a, x, lo=0, hi=None, *, key=None)\n--\n\nInsert x into the sorted list a, before items equal to it.",
        ),
    ],
    ..ModuleSpec::EMPTY
};

/// On which side of equal items the place is.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Left,
    Right,
}

/// The arguments that all six functions take.
struct Search<'a> {
    sequence: &'a PyObject,
    value: &'a PyObject,
    low: isize,
    high: isize,
    key: Option<&'a PyObject>,
}

impl<'a> Search<'a> {
    fn parse(ts: &ThreadState, name: &'static str, args: Args<'a>) -> PyResult<Search<'a>> {
        let signature = Signature::new(name, ["a", "x", "lo", "hi", "key"], 0, 4, 2);
        let [sequence, value, low, high, key] = signature.parse(ts, args)?;
        let low = match low {
            Some(low) => protocol::as_isize(ts, low)?,
            None => 0,
        };
        let high = match high.filter(|high| !is_none(high)) {
            Some(high) => protocol::as_isize(ts, high)?,
            None => -1,
        };
        // `Signature` has seen to it that the first two are there.
        let (sequence, value) = (sequence.unwrap_or(none()), value.unwrap_or(none()));
        Ok(Search { sequence, value, low, high, key: key.filter(|key| !is_none(key)) })
    }

    /// The index where `value` belongs.
    fn find(&self, ts: &ThreadState, value: &PyObject, side: Side) -> PyResult<isize> {
        if self.low < 0 {
            return raise!(ts, exc::ValueError, "lo must be non-negative");
        }
        let (mut low, mut high) = (self.low, self.high);
        if high == -1 {
            high = protocol::length(ts, self.sequence)? as isize;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            let item = match self.sequence.downcast_exact::<PyList>().and_then(|list| list.get(middle as usize)) {
                Some(item) => item,
                None => protocol::sequence_item(ts, self.sequence, middle)?,
            };
            let item = match self.key {
                Some(key) => call::call_with(ts, key, &[&item])?,
                None => item,
            };
            let go_left = match side {
                Side::Right => protocol::compare_bool(ts, value, &item, CompareOp::Lt)?,
                Side::Left => !protocol::compare_bool(ts, &item, value, CompareOp::Lt)?,
            };
            if go_left {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }

    fn insert(&self, ts: &ThreadState, side: Side) -> PyResult {
        let index = match self.key {
            Some(key) => self.find(ts, &*call::call_with(ts, key, &[self.value])?, side)?,
            None => self.find(ts, self.value, side)?,
        };
        if let Some(list) = self.sequence.downcast_exact::<PyList>() {
            list.insert(ts, index as usize, crate::object::AsObject::new_ref(self.value))?;
        } else {
            let index = PyInt::from_i64(ts, index as i64)?;
            let index = crate::object::AsObject::as_object(&*index);
            call::call_method(ts, self.sequence, id!(insert), &[index, self.value])?;
        }
        Ok(ts.none())
    }
}

fn bisect_right(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    let search = Search::parse(ts, "bisect_right", args)?;
    Ok(PyInt::from_i64(ts, search.find(ts, search.value, Side::Right)? as i64)?.into_object())
}

fn bisect_left(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    let search = Search::parse(ts, "bisect_left", args)?;
    Ok(PyInt::from_i64(ts, search.find(ts, search.value, Side::Left)? as i64)?.into_object())
}

fn insort_right(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    Search::parse(ts, "insort_right", args)?.insert(ts, Side::Right)
}

fn insort_left(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    Search::parse(ts, "insort_left", args)?.insert(ts, Side::Left)
}
