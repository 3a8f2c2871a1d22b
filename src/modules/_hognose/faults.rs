//! Allocations that fail on purpose, for programs that test how they take it.

use hognose_allocators::fault::{self, ALL_DOMAINS, Failing, Plan};

use super::domain;
use crate::object::call::Signature;
use crate::object::{Args, PyObject, PyResult, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::tuple::PyTuple;

/// `fail_allocation(k, *, domain=None, persistent=False)`
pub fn fail_allocation(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<3> = Signature::new("fail_allocation", ["k", "domain", "persistent"], 0, 1, 1);
    let [Some(k), name, persistent] = SIGNATURE.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "fail_allocation() wants the number of an allocation");
    };
    let Ok(k) = u64::try_from(protocol::as_isize(ts, k)?) else {
        return raise!(ts, exc::ValueError, "the number of an allocation cannot be negative");
    };
    let domains = domain(ts, name)?.map_or(ALL_DOMAINS, |domain| 1 << domain as u8);
    let persistent = persistent.map_or(Ok(false), |value| protocol::is_true(ts, value))?;
    let failing = match k {
        0 => Failing::Nothing,
        k if persistent => Failing::From(k),
        k => Failing::Once(k),
    };
    fault::arm_plan(Plan { domains, failing });
    Ok(ts.none())
}

/// `stop_failing()`
pub fn stop_failing(ts: &ThreadState, _: &PyObject) -> PyResult {
    fault::disarm();
    let count = PyInt::from_u64(ts, fault::count())?;
    Ok(PyTuple::new(ts, &[&count, &py_bool(fault::fired())])?.into_object())
}
