//! Requests that wait for the running thread: another thread wants the GIL, signals, pending calls, an exception that
//! another thread has set, collections, a soft limit of memory.

use core::sync::atomic::Ordering;

use crate::object::{PyResult, PyTypeObject, Raised, gc};
use crate::state::{EvalBreaker, Runtime, ThreadState, attach};
use crate::types::exceptions as exc;

/// Does what the thread's eval breaker asks for; called at loop back-edges and resumes.
pub fn handle(ts: &ThreadState) -> PyResult<()> {
    let breaker = &ts.eval_breaker;
    if breaker.get_relaxed() & (EvalBreaker::SIGNALS | EvalBreaker::PENDING_CALLS) != 0 {
        make(ts)?;
    }
    if breaker.get_relaxed() & EvalBreaker::COLLECT != 0 && breaker.clear(EvalBreaker::COLLECT) {
        gc::collect_due(ts);
    }
    if breaker.get_relaxed() & EvalBreaker::DROP_GIL != 0 && breaker.clear(EvalBreaker::DROP_GIL) {
        attach::let_another_run(ts);
    }
    if breaker.get_relaxed() & EvalBreaker::MEMORY != 0 && breaker.clear(EvalBreaker::MEMORY) {
        super::pressure::relieve(ts)?;
    }
    if breaker.get_relaxed() & EvalBreaker::ASYNC_EXCEPTION != 0 && breaker.clear(EvalBreaker::ASYNC_EXCEPTION) {
        return raise_async(ts);
    }
    Ok(())
}

/// Runs handlers of signals and pending calls, those that are this thread's business (`Py_MakePendingCalls`).
pub fn make(ts: &ThreadState) -> PyResult<()> {
    let runtime = Runtime::get();
    let interp = ts.interp();
    let is_main_interpreter = interp.id == 0;
    let is_main = is_main_interpreter && runtime.is_main_thread();
    crate::modules::xi::buffers::take_back(ts);
    if is_main {
        signals(ts)?;
    }
    if is_main && runtime.pending_calls.any() {
        ts.eval_breaker.clear(EvalBreaker::PENDING_CALLS);
        if !runtime.pending_calls.make() {
            return Err(failed(ts));
        }
    } else if !is_main_interpreter && interp.pending_calls.any() {
        ts.eval_breaker.clear(EvalBreaker::PENDING_CALLS);
        let succeeded = interp.pending_calls.make();
        if interp.pending_calls.any() {
            ts.eval_breaker.set(EvalBreaker::PENDING_CALLS);
        }
        if !succeeded {
            return Err(failed(ts));
        }
    } else {
        ts.eval_breaker.clear(EvalBreaker::PENDING_CALLS);
    }
    Ok(())
}

/// The failure of a pending call, which should have said why.
#[cold]
fn failed(ts: &ThreadState) -> Raised {
    if ts.current_exception.is_some() {
        return Raised::already_set();
    }
    ts.raise_fmt(&exc::SystemError, format_args!("a pending call has failed without setting an exception"))
}

/// Raises what `PyThreadState_SetAsyncExc` has left.
#[cold]
fn raise_async(ts: &ThreadState) -> PyResult<()> {
    let Some(wanted) = ts.async_exception.take() else { return Ok(()) };
    match wanted.downcast::<PyTypeObject>() {
        Some(class) if class.is_subtype(&exc::BaseException) => Err(ts.raise_type(class)),
        _ => crate::raise!(ts, exc::SystemError, "exceptions must derive from BaseException"),
    }
}

/// Runs the Python handlers of the signals that have arrived (`PyErr_CheckSignals`): in the main thread of the main
/// interpreter only, where they wait otherwise.
pub fn signals(ts: &ThreadState) -> PyResult<()> {
    if !crate::modules::_signal::is_main(ts) {
        return Ok(());
    }
    let runtime = Runtime::get();
    if ts.eval_breaker.get_relaxed() & EvalBreaker::SIGNALS != 0 {
        ts.eval_breaker.clear(EvalBreaker::SIGNALS);
    }
    crate::modules::_signal::report_wakeup_error(ts);
    if runtime.signals_pending.load(Ordering::Acquire) == 0 {
        return Ok(());
    }
    let pending = runtime.signals_pending.swap(0, Ordering::AcqRel);
    // Bit n stands for the signal n + 1.
    for number in 1..=64 {
        if pending & 1 << (number - 1) == 0 {
            continue;
        }
        if let Err(raised) = crate::modules::_signal::call_handler(ts, number) {
            // The others are not lost.
            let rest = pending & (!0u64).checked_shl(number as u32).unwrap_or(0);
            if rest != 0 {
                runtime.signals_pending.fetch_or(rest, Ordering::AcqRel);
                ts.eval_breaker.set(EvalBreaker::SIGNALS);
            }
            return Err(raised);
        }
    }
    Ok(())
}
