//! Audit hooks (PEP 578): who wants to know what a program does.
//!
//! The hooks are a list that the collector does not know of, so that a program does not find it; they stay to the end of
//! the interpreter. Without hooks, an event costs the look at one field.

use crate::object::*;
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::list::PyList;
use crate::types::none::none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// Whether somebody wants to know.
#[inline]
pub fn is_heard(ts: &ThreadState) -> bool {
    ts.interp().audit_hooks.is_some()
}

/// Tells the hooks of an event; what one raises, the caller is to pass on instead of doing what it was about to.
#[inline]
pub fn event(ts: &ThreadState, name: &str, args: &[&PyObject]) -> PyResult<()> {
    if !ts.interp().audit_hooks.is_some() {
        return Ok(());
    }
    tell(ts, name, args)
}

/// [`event`], with an argument that is made only if somebody wants to know.
#[inline]
pub fn event_with<const N: usize>(
    ts: &ThreadState,
    name: &str,
    args: impl FnOnce() -> PyResult<[PyRef; N]>,
) -> PyResult<()> {
    if !ts.interp().audit_hooks.is_some() {
        return Ok(());
    }
    let args = args()?;
    tell(ts, name, &args.each_ref().map(|arg| &**arg))
}

#[cold]
fn tell(ts: &ThreadState, name: &str, args: &[&PyObject]) -> PyResult<()> {
    let name = PyStr::intern(ts, name)?;
    call_hooks(ts, name.as_object(), args)
}

fn call_hooks(ts: &ThreadState, name: &PyObject, args: &[&PyObject]) -> PyResult<()> {
    let Some(hooks) = ts.interp().audit_hooks.get() else { return Ok(()) };
    let args = PyTuple::new(ts, args)?;
    // Hooks that are added meanwhile hear of the next event.
    let hooks = hooks.to_tuple(ts)?;
    let cantrace = PyStr::intern(ts, "__cantrace__")?;
    for hook in hooks.items() {
        let traced = match attr::get_opt(ts, hook, &cantrace)? {
            Some(traced) => protocol::is_true(ts, &traced)?,
            None => false,
        };
        // A hook is not traced unless it says that it may be.
        let tracing = ts.tracing.get();
        if !traced {
            ts.tracing.set(tracing + 1);
        }
        let result = call::call_with(ts, hook, &[name, args.as_object()]);
        ts.tracing.set(tracing);
        result?;
    }
    Ok(())
}

/// `sys.addaudithook(hook)`.
pub fn addaudithook(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("addaudithook", ["hook"], 0, 1, 1);
    let [hook] = SIGNATURE.parse(ts, args)?;
    if let Err(raised) = event(ts, "sys.addaudithook", &[]) {
        // That is how a hook says that it wants no other beside it.
        if !ts.raised_matches(&exc::Exception) {
            return Err(raised);
        }
        ts.clear_raised(raised);
        return Ok(ts.none());
    }
    let interp = ts.interp();
    let hooks = match interp.audit_hooks.get() {
        Some(hooks) => hooks,
        None => {
            let hooks = PyList::new(ts)?;
            gc::untrack(hooks.as_object());
            interp.audit_hooks.set(Some(hooks.clone()));
            hooks
        }
    };
    hooks.append(ts, hook.unwrap_or(none()).new_ref())?;
    Ok(ts.none())
}

/// `sys.audit(event, *args)`.
pub fn audit(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    let Some((event, rest)) = args.split_first() else {
        return raise!(ts, exc::TypeError, "audit expected at least 1 argument, got 0");
    };
    if !event.is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "expected str for argument 'event', not {}", event.type_name());
    }
    call_hooks(ts, event, rest)?;
    Ok(ts.none())
}
