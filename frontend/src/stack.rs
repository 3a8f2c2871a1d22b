//! Running the compiler: enough stack under it, and no panic out of it.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::Options;
use crate::error::CompileError;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Stack that shallow text needs: a hundred blocks inside each other, two hundred brackets.
const BASE: usize = 1 << 20;
/// Stack that a level of expression needs to be compiled; measured: 1.2 to 2.5 KiB.
const PER_LEVEL: usize = 8 << 10;
/// Stack that a level needs to be parsed and thrown away, or as one more `elif`; measured: 65 and 400 bytes.
const PER_CHEAP_LEVEL: usize = 1 << 10;

/// The levels of recursion that a text needs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Depth {
    /// Levels that the compiler walks.
    pub full: usize,
    /// Levels that are only built and dropped, and `elif` clauses.
    pub cheap: usize,
}

/// Runs `work`, which recurses as deep as `depth` says, on this thread, on a new stack when the current one, of which
/// `options` may say what is left, may be too small.
///
/// # Errors
/// [`CompileError::Internal`] when `work` panics; nothing is printed.
pub fn run<R>(depth: Depth, options: &Options, work: impl FnOnce() -> R) -> Result<R, CompileError> {
    keep_our_panics_quiet();
    let needed = BASE + depth.full * PER_LEVEL + depth.cheap * PER_CHEAP_LEVEL;
    let was_quiet = QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(|| match options.stack_left.or_else(stacker::remaining_stack) {
        Some(left) if left >= needed => work(),
        _ => stacker::grow(needed, work),
    }));
    QUIET.set(was_quiet);
    result.map_err(|panic| CompileError::Internal(describe(&*panic)))
}

/// Has panics inside [`run`] pass in silence: they become an exception. Others are reported as before.
fn keep_our_panics_quiet() {
    static ONCE: Once = Once::new();
    if std::thread::panicking() {
        // The hook cannot be changed now; the next call will.
        return;
    }
    ONCE.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            if !QUIET.try_with(Cell::get).unwrap_or(false) {
                previous(info);
            }
        }));
    });
}

fn describe(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no reason given");
    format!("the compiler failed: {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let result: Result<(), _> = run(Depth::default(), &Options::default(), || panic!("out of cheese"));
        assert_eq!(result, Err(CompileError::Internal("the compiler failed: out of cheese".into())));
        assert!(!QUIET.get());
    }

    #[test]
    fn deep_work_gets_its_stack() {
        fn dive(n: usize) -> usize {
            let page = std::hint::black_box([n; 256]);
            if n == 0 { page[0] } else { dive(n - 1) + page[1] / n.max(1) }
        }
        assert_eq!(run(Depth { full: 2000, cheap: 0 }, &Options::default(), || dive(2000)), Ok(2000));
    }
}
