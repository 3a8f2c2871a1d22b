//! Requests that wait for the running thread: signals, collections, a soft limit of memory.

use core::sync::atomic::Ordering;

use crate::object::{PyResult, gc};
use crate::state::{EvalBreaker, Runtime, ThreadState};

/// Does what the thread's eval breaker asks for; called at loop back-edges and resumes.
pub fn handle(ts: &ThreadState) -> PyResult<()> {
    if ts.eval_breaker.clear(EvalBreaker::SIGNALS) {
        signals(ts)?;
    }
    if ts.eval_breaker.clear(EvalBreaker::COLLECT) {
        gc::collect_due(ts);
    }
    if ts.eval_breaker.clear(EvalBreaker::MEMORY) {
        super::pressure::relieve(ts)?;
    }
    Ok(())
}

/// Runs the Python handlers of the signals that have arrived (`PyErr_CheckSignals`).
pub fn signals(ts: &ThreadState) -> PyResult<()> {
    let pending = Runtime::get().signals_pending.swap(0, Ordering::AcqRel);
    if pending == 0 {
        return Ok(());
    }
    // Bit n stands for the signal n + 1.
    for number in 1..=64 {
        if pending & 1 << (number - 1) == 0 {
            continue;
        }
        if let Err(raised) = crate::modules::_signal::call_handler(ts, number) {
            // The others are not lost.
            let rest = pending & (!0u64).checked_shl(number as u32).unwrap_or(0);
            if rest != 0 {
                Runtime::get().signals_pending.fetch_or(rest, Ordering::AcqRel);
                ts.eval_breaker.set(EvalBreaker::SIGNALS);
            }
            return Err(raised);
        }
    }
    Ok(())
}
