//! What a C program calls around a `fork` of its own. Declared in `pystate.h` (as in `osmodule.h`).

use super::convert::guard;
use crate::modules::posix::process;

/// To be called before a fork, in the thread that forks: runs the hooks and takes the runtime's locks.
#[unsafe(no_mangle)]
pub extern "C" fn PyOS_BeforeFork() {
    guard::<()>("PyOS_BeforeFork", |ts| {
        process::before_fork(ts);
        Ok(())
    });
}

/// To be called after a fork in the process that has forked, also when it has failed.
#[unsafe(no_mangle)]
pub extern "C" fn PyOS_AfterFork_Parent() {
    guard::<()>("PyOS_AfterFork_Parent", |ts| {
        process::after_fork_in_parent(ts);
        Ok(())
    });
}

/// To be called after a fork in the child.
#[unsafe(no_mangle)]
pub extern "C" fn PyOS_AfterFork_Child() {
    guard::<()>("PyOS_AfterFork_Child", |ts| {
        process::after_fork_in_child(ts);
        Ok(())
    });
}

/// [`PyOS_AfterFork_Child`] under its name of old.
#[unsafe(no_mangle)]
pub extern "C" fn PyOS_AfterFork() {
    PyOS_AfterFork_Child();
}
