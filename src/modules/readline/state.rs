//! What the module keeps for its interpreter: one object, which `input()` finds too.

use core::cell::{Cell, UnsafeCell};
use core::ops::ControlFlow;

use hognose_allocators::TryVec;

use super::screen::Screen;
use crate::modules::_thread::PyLock;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::list::PyList;
use crate::types::str::PyStr;

/// The line that is edited, or was last.
pub(super) struct Line {
    /// The characters.
    pub text: TryVec<u32>,
    /// Where the next one goes; at most the line's length.
    pub point: usize,
    /// What was cut out last.
    pub killed: TryVec<u32>,
    pub screen: Screen,
    /// A line is being edited.
    pub is_active: bool,
}

impl Line {
    /// Puts characters in at the point.
    pub fn insert(&mut self, chars: impl Iterator<Item = u32>) -> PyResult<()> {
        for ch in chars {
            self.text.try_insert(self.point, ch)?;
            self.point += 1;
        }
        Ok(())
    }

    /// Cuts out a part; the point is where it was.
    pub fn remove(&mut self, from: usize, to: usize) {
        let len = self.text.len();
        for at in to..len {
            self.text[from + at - to] = self.text[at];
        }
        self.text.truncate(len - (to - from));
        self.point = from;
    }

    /// Cuts out a part that can be put in again.
    pub fn kill(&mut self, from: usize, to: usize) -> PyResult<()> {
        if from < to {
            self.killed.clear();
            self.killed.try_extend_from_copy(&self.text[from..to])?;
            self.remove(from, to);
        }
        Ok(())
    }

    /// Replaces the whole.
    pub fn set(&mut self, chars: impl Iterator<Item = u32>) -> PyResult<()> {
        self.text.clear();
        self.point = 0;
        self.insert(chars)
    }
}

/// The module's state.
#[repr(C)]
pub(crate) struct PyReadline {
    ob_base: PyObject,
    /// The lines, the oldest first.
    pub(super) history: Slot<PyList>,
    pub(super) completer: Slot<PyObject>,
    pub(super) display_hook: Slot<PyObject>,
    pub(super) startup_hook: Slot<PyObject>,
    pub(super) pre_input_hook: Slot<PyObject>,
    /// The characters that end a word.
    pub(super) delims: Slot<PyStr>,
    /// Keys (bytes) to a command's name (str) or to other keys (bytes).
    pub(super) bindings: Slot<PyDict>,
    /// What `set` has set.
    pub(super) variables: Slot<PyDict>,
    /// Held by the thread that edits.
    pub(super) lock: Slot<PyLock>,
    line: UnsafeCell<Line>,
    /// How many lines a file of history has at most; negative for no limit.
    pub(super) history_length: Cell<isize>,
    pub(super) auto_history: Cell<bool>,
    pub(super) completion_type: Cell<i64>,
    /// The word that is completed.
    pub(super) word: Cell<(usize, usize)>,
    /// The thread that edits, or 0.
    pub(super) owner: Cell<u64>,
}
crate::native!(PyReadline, READLINE_TYPE);

pub(super) static READLINE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"readline._state",
    basicsize: size_of::<PyReadline>(),
    flags: flags::DISALLOW_INSTANTIATION | flags::IMMUTABLE | flags::HAVE_GC,
    slots: TypeSlots { dealloc: Some(dealloc), traverse: Some(traverse), clear: Some(clear), ..TypeSlots::EMPTY },
    ..TypeSpec::EMPTY
});

/// # Safety
/// As for every `DeallocFn`.
unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, with an object of the type.
    unsafe {
        gc::untrack(&*object);
        clear(ts, &*object);
        let this = (*object).cast_unchecked::<PyReadline>();
        this.history.set(None);
        this.delims.set(None);
        this.bindings.set(None);
        this.variables.set(None);
        this.lock.set(None);
        core::ptr::drop_in_place(this.line.get());
        alloc::free(ts, object);
    }
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    // SAFETY: the slot is called with an object of its type.
    let this = unsafe { object.cast_unchecked::<PyReadline>() };
    visitor.slot(&this.completer)?;
    visitor.slot(&this.display_hook)?;
    visitor.slot(&this.startup_hook)?;
    visitor.slot(&this.pre_input_hook)?;
    visitor.slot(&this.history)?;
    visitor.slot(&this.bindings)?;
    visitor.slot(&this.variables)
}

fn clear(_: &ThreadState, object: &PyObject) {
    // SAFETY: as above.
    let this = unsafe { object.cast_unchecked::<PyReadline>() };
    for slot in [&this.completer, &this.display_hook, &this.startup_hook, &this.pre_input_hook] {
        slot.set(None);
    }
}

const STATE: &str = "readline";

/// The interpreter's state, when the module was imported.
pub(crate) fn existing(ts: &ThreadState) -> PyResult<Option<Ref<PyReadline>>> {
    let Some(all) = ts.interp().native_state.get() else { return Ok(None) };
    let state = all.get_str(ts, &*PyStr::intern(ts, STATE)?)?;
    Ok(state.and_then(|state| state.downcast_into::<PyReadline>().ok()))
}

/// The interpreter's state, made when it is missing.
pub(super) fn state(ts: &ThreadState) -> PyResult<Ref<PyReadline>> {
    if let Some(state) = existing(ts)? {
        return Ok(state);
    }
    let history = PyList::new(ts)?;
    let delims = PyStr::new(ts, " \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",<>/?")?;
    let bindings = PyDict::new(ts)?;
    let variables = PyDict::new(ts)?;
    let lock = PyLock::new(ts)?;
    let state = alloc::exact::<PyReadline>(ts)?;
    // SAFETY: the object is new, and nobody else knows it; what is there are zeros.
    unsafe {
        state.line.get().write(Line {
            text: TryVec::new(),
            point: 0,
            killed: TryVec::new(),
            screen: Screen::new(),
            is_active: false,
        });
    }
    state.history.set(Some(history));
    state.delims.set(Some(delims));
    state.bindings.set(Some(bindings));
    state.variables.set(Some(variables));
    state.lock.set(Some(lock));
    state.history_length.set(-1);
    state.auto_history.set(true);
    gc::track(ts, &*state);
    let all = match ts.interp().native_state.get() {
        Some(all) => all,
        None => {
            let all = PyDict::new(ts)?;
            ts.interp().native_state.set(Some(all.clone()));
            all
        }
    };
    all.set_str(ts, &*PyStr::intern(ts, STATE)?, state.as_object())?;
    Ok(state)
}

impl PyReadline {
    /// The line. Nothing of Python runs, and the line is not asked for again, while the result is used.
    #[allow(clippy::mut_from_ref, reason = "the GIL makes it exclusive, as nothing is called meanwhile")]
    pub(super) fn line(&self) -> &mut Line {
        // SAFETY: see above.
        unsafe { &mut *self.line.get() }
    }

    /// Whether a variable is set to `on`.
    pub(super) fn is_on(&self, ts: &ThreadState, name: &str) -> PyResult<bool> {
        let Some(variables) = self.variables.get() else { return Ok(false) };
        let value = variables.get_str(ts, &*PyStr::intern(ts, name)?)?;
        Ok(value
            .as_ref()
            .and_then(|value| value.downcast::<PyStr>())
            .is_some_and(|value| value.equals_str("on") || value.equals_str("1") || value.len() == 0))
    }
}
