//! `_sre.SRE_Scanner`: finds one match after another; what `finditer` calls until there is none.

use core::cell::Cell;

use super::engine::{Request, Unit};
use super::interrupted;
use super::matched::PyMatch;
use super::pattern::{Mode, PyPattern, Range, Session};
use super::subject::{Subject, with_text};
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyResult, Ref, Slot, StaticType, TypeSlots, TypeSpec, alloc, attr,
    flags, gc,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::memoryview::PyMemoryView;
use crate::types::none::none;
use crate::types::owned::owns;
use crate::types::seqiter::callable_iterator;
use crate::types::str::PyStr;

#[repr(C)]
pub(super) struct PyScanner {
    ob_base: PyObject,
    pattern: Slot<PyPattern>,
    string: Slot<PyObject>,
    /// A view of a text that could change, which keeps it as it is while the scan lasts.
    view: Slot<PyMemoryView>,
    /// Where the scan began, and where it ends.
    pos: Cell<usize>,
    endpos: Cell<usize>,
    /// Where the next match is looked for.
    start: Cell<usize>,
    /// The last match was empty: the next one must not be, if it is at the same place.
    must_advance: Cell<bool>,
    finished: Cell<bool>,
    executing: Cell<bool>,
}

crate::native!(PyScanner, SCANNER_TYPE);
owns!(PyScanner: view, pattern, string);

/// `_sre.SRE_Scanner`.
pub(super) static SCANNER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_sre.SRE_Scanner",
    basicsize: size_of::<PyScanner>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(PyScanner::slot_dealloc),
        traverse: Some(PyScanner::slot_traverse),
        clear: Some(PyScanner::slot_clear),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("match", |ts, this| next(ts, this, Mode::Match), "match($self, /)\n--\n\n"),
        MethodDef::no_args("search", |ts, this| next(ts, this, Mode::Search), "search($self, /)\n--\n\n"),
    ],
    getset: &[GetSetDef::get(
        "pattern",
        |ts, this| Ok(this.cast::<PyScanner>().pattern.get().map_or_else(|| ts.none(), Ref::into_object)),
        "",
    )],
    ..TypeSpec::EMPTY
});

fn new(ts: &ThreadState, pattern: &PyPattern, range: &Range<'_>) -> PyResult<Ref<PyScanner>> {
    let subject = pattern.subject(ts, range.string)?;
    let (pos, endpos) = range.clip(subject.len());
    let view = match subject {
        Subject::View(_) => Some(PyMemoryView::from_object(ts, range.string)?),
        Subject::Str(_) | Subject::Bytes(_) => None,
    };
    let this = alloc::exact::<PyScanner>(ts)?;
    this.pattern.set(Some(Ref::from_borrowed(pattern)));
    this.string.set(Some(range.string.new_ref()));
    this.view.set(view);
    this.pos.set(pos);
    this.endpos.set(endpos);
    this.start.set(pos);
    gc::track(ts, &*this);
    Ok(this)
}

/// `Pattern.scanner`.
pub(super) fn scanner(ts: &ThreadState, pattern: &PyObject, args: Args<'_>) -> PyResult {
    let range = Range::parse(ts, "scanner", args)?;
    Ok(new(ts, pattern.cast(), &range)?.into_object())
}

/// `Pattern.finditer`.
pub(super) fn finditer(ts: &ThreadState, pattern: &PyObject, args: Args<'_>) -> PyResult {
    let range = Range::parse(ts, "finditer", args)?;
    let scanner = new(ts, pattern.cast(), &range)?;
    let name = PyStr::intern(ts, "search")?;
    let search = attr::get(ts, scanner.as_object(), &name)?;
    callable_iterator(ts, &search, none())
}

fn next(ts: &ThreadState, this: &PyObject, mode: Mode) -> PyResult {
    let this = this.cast::<PyScanner>();
    let (Some(pattern), Some(string)) = (this.pattern.get(), this.string.get()) else { return Ok(ts.none()) };
    if this.executing.replace(true) {
        return raise!(ts, exc::ValueError, "regular expression scanner already executing");
    }
    let found = match (this.finished.get(), pattern.subject(ts, &string)) {
        (true, _) => Ok(None),
        (false, Ok(subject)) => with_text!(subject, |units| next_in(ts, this, &pattern, &string, units, mode)),
        (false, Err(raised)) => Err(raised),
    };
    this.executing.set(false);
    Ok(found?.map_or_else(|| ts.none(), Ref::into_object))
}

fn next_in<U: Unit>(
    ts: &ThreadState,
    this: &PyScanner,
    pattern: &PyPattern,
    string: &PyObject,
    units: &[U],
    mode: Mode,
) -> PyResult<Option<Ref<PyMatch>>> {
    let interrupt = || interrupted(ts);
    let request = Request {
        text: units,
        start: this.start.get(),
        end: this.endpos.get(),
        must_advance: this.must_advance.get(),
        match_all: false,
        interrupt: Some(&interrupt),
    };
    let mut session = Session::new(ts, pattern, request)?;
    if !session.run(mode)? {
        this.finished.set(true);
        return Ok(None);
    }
    let state = session.state();
    let found = PyMatch::new(ts, pattern, string, state, this.pos.get(), this.endpos.get())?;
    this.must_advance.set(state.end() == state.start());
    this.start.set(state.end());
    Ok(Some(found))
}
