//! `re.Pattern`: a compiled pattern, and how it is looked for.

use core::cell::Cell;
use core::mem::offset_of;

use hognose_allocators::collections::{TryBox, TryVec};

use super::engine::{Program, Request, State, Unit, Workspace};
use super::matched::PyMatch;
use super::subject::{Subject, with_text};
use super::{error, interrupted, scanner, substitute};
use crate::object::weakref::{self, WeakrefList};
use crate::object::{
    Args, AsObject, CompareOp, GetSetDef, MethodDef, PyObject, PyRef, PyResult, Ref, Signature, Slot, StaticType,
    TypeSlots, TypeSpec, Visitor, alloc, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::hash::hash_bytes;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::mappingproxy::PyMappingProxy;
use crate::types::notimplemented::not_implemented;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;

/// `re.UNICODE`, which a `str` pattern has unless it says otherwise.
const FLAG_UNICODE: u32 = 32;
/// `re.LOCALE`, `re.UNICODE` and `re.ASCII`.
const FLAG_CHARACTERS: u32 = 4 | 32 | 256;

/// The flags' names, in the order in which a repr shows them.
const FLAG_NAMES: [(&str, u32); 8] = [
    ("re.IGNORECASE", 2),
    ("re.LOCALE", 4),
    ("re.MULTILINE", 8),
    ("re.DOTALL", 16),
    ("re.UNICODE", 32),
    ("re.VERBOSE", 64),
    ("re.DEBUG", 128),
    ("re.ASCII", 256),
];

/// What a pattern keeps for the engine.
struct Compiled {
    program: Program,
    /// Working memory that no match is using.
    spare: Cell<Workspace>,
}

/// A compiled pattern.
#[repr(C)]
pub(super) struct PyPattern {
    ob_base: PyObject,
    pattern: Slot<PyObject>,
    groupindex: Slot<PyDict>,
    indexgroup: Slot<PyTuple>,
    /// Owned, from a [`TryBox`]; null only while the object is being made.
    compiled: Cell<*mut Compiled>,
    weakrefs: WeakrefList,
    flags: Cell<u32>,
    text: Cell<TextKind>,
}

/// What a pattern looks through.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum TextKind {
    Any = 0,
    Str = 1,
    Bytes = 2,
}

crate::native!(PyPattern, PATTERN_TYPE);

/// `re.Pattern`.
pub(super) static PATTERN_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"re.Pattern",
    basicsize: size_of::<PyPattern>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    doc: "Compiled regular expression object.",
    slots: TypeSlots {
        dealloc: Some(dealloc),
        traverse: Some(traverse),
        clear: Some(clear),
        repr: Some(repr),
        hash: Some(hash),
        richcompare: Some(compare),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::keywords(
            "match",
            |ts, this, args| find(ts, this, args, "match", Mode::Match),
            "match($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\nA match at the beginning of the string, or None.",
        ),
        MethodDef::keywords(
            "fullmatch",
            |ts, this, args| find(ts, this, args, "fullmatch", Mode::Full),
            "fullmatch($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\nA match of the whole string, or None.",
        ),
        MethodDef::keywords(
            "search",
            |ts, this, args| find(ts, this, args, "search", Mode::Search),
            "search($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\nThe first match in the string, or None.",
        ),
        MethodDef::keywords(
            "sub",
            |ts, this, args| substitute::method(ts, this, args, "sub"),
            "sub($self, /, repl, string, count=0)\n--\n\nThe string with the first count matches (0: all) replaced by repl.",
        ),
        MethodDef::keywords(
            "subn",
            |ts, this, args| substitute::method(ts, this, args, "subn"),
            "subn($self, /, repl, string, count=0)\n--\n\nThe pair of what sub() returns and how many matches were replaced.",
        ),
        MethodDef::keywords(
            "findall",
            findall,
            "findall($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\nAll matches that do not overlap, as texts or as tuples of groups.",
        ),
        MethodDef::keywords(
            "split",
            split,
            "split($self, /, string, maxsplit=0)\n--\n\nThe parts of the string between the matches.",
        ),
        MethodDef::keywords(
            "finditer",
            |ts, this, args| scanner::finditer(ts, this, args),
            "finditer($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\nAn iterator over all matches that do not overlap.",
        ),
        MethodDef::keywords(
            "scanner",
            |ts, this, args| scanner::scanner(ts, this, args),
            "scanner($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\n",
        ),
        MethodDef::no_args("__copy__", |_, this| Ok(this.new_ref()), "__copy__($self, /)\n--\n\n"),
        MethodDef::one("__deepcopy__", |_, this, _| Ok(this.new_ref()), "__deepcopy__($self, memo, /)\n--\n\n"),
        MethodDef::one("__class_getitem__", crate::types::genericalias::class_getitem, "See PEP 585").class(),
    ],
    getset: &[
        GetSetDef::get(
            "pattern",
            |ts, this| Ok(this.cast::<PyPattern>().pattern_or_none(ts)),
            "The pattern string from which the RE object was compiled.",
        ),
        GetSetDef::get(
            "flags",
            |ts, this| PyInt::from_i64(ts, i64::from(this.cast::<PyPattern>().flags.get() as i32)),
            "The regex matching flags.",
        ),
        GetSetDef::get(
            "groups",
            |ts, this| PyInt::from_usize(ts, this.cast::<PyPattern>().groups()),
            "The number of capturing groups in the pattern.",
        ),
        GetSetDef::get("groupindex", groupindex, "A dictionary mapping group names to group numbers."),
    ],
    weaklistoffset: offset_of!(PyPattern, weakrefs),
    ..TypeSpec::EMPTY
});

impl PyPattern {
    pub(super) fn new(
        ts: &ThreadState,
        pattern: &PyObject,
        flags: u32,
        program: Program,
        groupindex: &PyDict,
        indexgroup: &PyTuple,
        is_bytes: Option<bool>,
    ) -> PyResult<Ref<PyPattern>> {
        let compiled = TryBox::try_new(Compiled { program, spare: Cell::new(Workspace::default()) })?;
        let this = alloc::exact::<PyPattern>(ts)?;
        this.compiled.set(TryBox::into_raw(compiled));
        this.pattern.set(Some(pattern.new_ref()));
        this.groupindex.set(Some(Ref::from_borrowed(groupindex)));
        this.indexgroup.set(Some(Ref::from_borrowed(indexgroup)));
        this.flags.set(flags);
        this.text.set(match is_bytes {
            None => TextKind::Any,
            Some(false) => TextKind::Str,
            Some(true) => TextKind::Bytes,
        });
        gc::track(ts, &*this);
        Ok(this)
    }

    #[inline(always)]
    fn compiled(&self) -> &Compiled {
        // SAFETY: a pattern that anybody can see has its program until it is freed.
        unsafe { &*self.compiled.get() }
    }

    pub(super) fn groups(&self) -> usize {
        self.compiled().program.groups()
    }

    /// Group numbers by name.
    pub(super) fn group_index(&self) -> Option<Ref<PyDict>> {
        self.groupindex.get()
    }

    /// Group names by number.
    pub(super) fn index_group(&self) -> Option<Ref<PyTuple>> {
        self.indexgroup.get()
    }

    fn pattern_or_none(&self, ts: &ThreadState) -> PyRef {
        self.pattern.get().unwrap_or_else(|| ts.none())
    }

    /// The text of an object, which must be of the pattern's kind.
    #[inline]
    pub(super) fn subject<'a>(&self, ts: &ThreadState, string: &'a PyObject) -> PyResult<Subject<'a>> {
        let subject = Subject::new(ts, string)?;
        match (self.text.get(), subject.is_bytes()) {
            (TextKind::Str, true) => raise!(ts, exc::TypeError, "cannot use a string pattern on a bytes-like object"),
            (TextKind::Bytes, false) => {
                raise!(ts, exc::TypeError, "cannot use a bytes pattern on a string-like object")
            }
            _ => Ok(subject),
        }
    }
}

/// How a match is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// At the first position only.
    Match,
    /// There, and to the end.
    Full,
    /// Anywhere.
    Search,
}

/// A search going on: the engine's state in working memory that goes back to the pattern in the end.
pub(super) struct Session<'a, U: Unit> {
    ts: &'a ThreadState,
    pattern: &'a PyPattern,
    /// None only while being dropped.
    state: Option<State<'a, U>>,
}

impl<'a, U: Unit> Session<'a, U> {
    #[inline]
    pub(super) fn new(
        ts: &'a ThreadState,
        pattern: &'a PyPattern,
        request: Request<'a, U>,
    ) -> PyResult<Session<'a, U>> {
        let compiled = pattern.compiled();
        match State::with_workspace(&compiled.program, request, compiled.spare.take()) {
            Ok(state) => Ok(Session { ts, pattern, state: Some(state) }),
            Err(failure) => Err(error(ts, failure)),
        }
    }

    /// The engine's state.
    #[inline(always)]
    pub(super) fn state(&mut self) -> &mut State<'a, U> {
        match &mut self.state {
            Some(state) => state,
            None => unreachable!("a session without a state is gone"),
        }
    }

    /// Looks for a match, or the next one.
    #[inline]
    pub(super) fn run(&mut self, mode: Mode) -> PyResult<bool> {
        let pattern = self.pattern;
        let program = &pattern.compiled().program;
        let found = match mode {
            Mode::Search => self.state().search(program),
            Mode::Match | Mode::Full => self.state().match_at(program),
        };
        match found {
            Ok(found) => Ok(found),
            Err(failure) => Err(error(self.ts, failure)),
        }
    }

    /// The text of a group that has just been matched.
    fn group(&mut self, subject: &Subject<'_>, group: usize) -> PyResult<Option<PyRef>> {
        match self.state().group(group) {
            Some((start, end)) => subject.slice(self.ts, start, end).map(Some),
            None => Ok(None),
        }
    }
}

impl<U: Unit> Drop for Session<'_, U> {
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            self.pattern.compiled().spare.set(state.into_workspace().if_small());
        }
    }
}

/// The arguments `string, pos=0, endpos=sys.maxsize`; what lies outside the text is its ends.
pub(super) struct Range<'a> {
    pub(super) string: &'a PyObject,
    pos: isize,
    endpos: isize,
}

impl<'a> Range<'a> {
    #[inline]
    pub(super) fn parse(ts: &ThreadState, name: &'static str, args: Args<'a>) -> PyResult<Range<'a>> {
        if let ([string], false) = (args.positional(), args.has_keywords()) {
            return Ok(Range { string, pos: 0, endpos: isize::MAX });
        }
        let signature = Signature::new(name, ["string", "pos", "endpos"], 0, 3, 1);
        let [Some(string), pos, endpos] = signature.parse(ts, args)? else {
            return raise!(ts, exc::TypeError, "{name}() takes a string");
        };
        Ok(Range {
            string,
            pos: pos.map_or(Ok(0), |pos| protocol::as_isize(ts, pos))?,
            endpos: endpos.map_or(Ok(isize::MAX), |endpos| protocol::as_isize(ts, endpos))?,
        })
    }

    /// The bounds in a text of that length.
    #[inline]
    pub(super) fn clip(&self, len: usize) -> (usize, usize) {
        let clip = |place: isize| usize::try_from(place).unwrap_or(0).min(len);
        (clip(self.pos), clip(self.endpos))
    }
}

/// `match`, `fullmatch` and `search`.
fn find(ts: &ThreadState, this: &PyObject, args: Args<'_>, name: &'static str, mode: Mode) -> PyResult {
    let pattern = this.cast::<PyPattern>();
    let range = Range::parse(ts, name, args)?;
    let subject = pattern.subject(ts, range.string)?;
    let (start, end) = range.clip(subject.len());
    let found = with_text!(subject, |units| find_in(ts, pattern, range.string, units, start, end, mode))?;
    Ok(found.map_or_else(|| ts.none(), Ref::into_object))
}

fn find_in<U: Unit>(
    ts: &ThreadState,
    pattern: &PyPattern,
    string: &PyObject,
    units: &[U],
    start: usize,
    end: usize,
    mode: Mode,
) -> PyResult<Option<Ref<PyMatch>>> {
    let interrupt = || interrupted(ts);
    let request = Request {
        text: units,
        start,
        end,
        must_advance: false,
        match_all: mode == Mode::Full,
        interrupt: Some(&interrupt),
    };
    let mut session = Session::new(ts, pattern, request)?;
    if !session.run(mode)? {
        return Ok(None);
    }
    PyMatch::new(ts, pattern, string, session.state(), start, end).map(Some)
}

fn findall(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    let pattern = this.cast::<PyPattern>();
    let range = Range::parse(ts, "findall", args)?;
    let subject = pattern.subject(ts, range.string)?;
    let (start, end) = range.clip(subject.len());
    let texts = with_text!(subject, |units| findall_in(ts, pattern, &subject, units, start, end))?;
    Ok(PyList::from_vec(ts, texts)?.into_object())
}

fn findall_in<U: Unit>(
    ts: &ThreadState,
    pattern: &PyPattern,
    subject: &Subject<'_>,
    units: &[U],
    start: usize,
    end: usize,
) -> PyResult<TryVec<PyRef>> {
    let interrupt = || interrupted(ts);
    let request =
        Request { text: units, start, end, must_advance: false, match_all: false, interrupt: Some(&interrupt) };
    let mut session = Session::new(ts, pattern, request)?;
    let groups = pattern.groups();
    let mut texts = TryVec::<PyRef>::new();
    while session.state().start() <= end && session.run(Mode::Search)? {
        // A group that took no part counts as empty.
        let text = match groups {
            0 | 1 => match session.group(subject, groups)? {
                Some(text) => text,
                None => subject.slice(ts, 0, 0)?,
            },
            _ => {
                let mut parts = TryVec::<PyRef>::new();
                parts.try_reserve(groups)?;
                for group in 1..=groups {
                    parts.try_push(match session.group(subject, group)? {
                        Some(text) => text,
                        None => subject.slice(ts, 0, 0)?,
                    })?;
                }
                PyTuple::from_vec(ts, parts)?.into_object()
            }
        };
        texts.try_push(text)?;
        session.state().advance();
    }
    Ok(texts)
}

fn split(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("split", ["string", "maxsplit"], 0, 2, 1);
    let pattern = this.cast::<PyPattern>();
    let [Some(string), max] = SIGNATURE.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "split() takes a string");
    };
    let max = max.map_or(Ok(0), |max| protocol::as_isize(ts, max))?;
    let subject = pattern.subject(ts, string)?;
    let parts = with_text!(subject, |units| split_in(ts, pattern, &subject, units, max))?;
    Ok(PyList::from_vec(ts, parts)?.into_object())
}

fn split_in<U: Unit>(
    ts: &ThreadState,
    pattern: &PyPattern,
    subject: &Subject<'_>,
    units: &[U],
    max: isize,
) -> PyResult<TryVec<PyRef>> {
    let interrupt = || interrupted(ts);
    let mut session = Session::new(ts, pattern, Request { interrupt: Some(&interrupt), ..Request::new(units) })?;
    let mut parts = TryVec::<PyRef>::new();
    let (mut count, mut last) = (0, 0);
    while (max == 0 || count < max) && session.run(Mode::Search)? {
        parts.try_push(subject.slice(ts, last, session.state().start())?)?;
        for group in 1..=pattern.groups() {
            let text = session.group(subject, group)?;
            parts.try_push(text.unwrap_or_else(|| ts.none()))?;
        }
        last = session.state().end();
        session.state().advance();
        count += 1;
    }
    parts.try_push(subject.slice(ts, last, units.len())?)?;
    Ok(parts)
}

fn groupindex(ts: &ThreadState, this: &PyObject) -> PyResult {
    let names = match this.cast::<PyPattern>().groupindex.get() {
        Some(names) => names,
        None => PyDict::new(ts)?,
    };
    Ok(PyMappingProxy::new(ts, names.as_object())?.into_object())
}

fn repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    /// Of the pattern's repr no more is shown.
    const SHOWN: usize = 200;
    let this = this.cast::<PyPattern>();
    let source = this.pattern_or_none(ts);
    let mut flags = this.flags.get();
    if source.is_a::<PyStr>() && flags & FLAG_CHARACTERS == FLAG_UNICODE {
        flags &= !FLAG_UNICODE;
    }
    let text = protocol::repr(ts, &source)?;
    let mut result = StrBuilder::new();
    result.push_str("re.compile(")?;
    result.push_slice(&text, 0, text.len().min(SHOWN))?;
    let mut separator = ", ";
    for (name, flag) in FLAG_NAMES {
        if flags & flag != 0 {
            result.push_str(separator)?;
            result.push_str(name)?;
            separator = "|";
            flags &= !flag;
        }
    }
    if flags != 0 {
        result.push_str(separator)?;
        let rest: Ref<PyStr> = PyStr::format(ts, format_args!("0x{flags:x}"))?;
        result.push(&rest)?;
    }
    result.push_char(u32::from(')'))?;
    Ok(result.finish(ts)?.into_object())
}

fn hash(ts: &ThreadState, this: &PyObject) -> PyResult<isize> {
    let this = this.cast::<PyPattern>();
    let source = protocol::hash(ts, &this.pattern_or_none(ts))?;
    let code = this.compiled().program.code();
    // SAFETY: words without padding are bytes.
    let code = unsafe { core::slice::from_raw_parts(code.as_ptr().cast::<u8>(), size_of_val(code)) };
    let hash =
        source ^ hash_bytes(code) ^ this.flags.get() as isize ^ this.text.get() as isize ^ this.groups() as isize;
    Ok(if hash == -1 { -2 } else { hash })
}

fn compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (CompareOp::Eq | CompareOp::Ne, Some(a), Some(b)) =
        (op, left.downcast_exact::<PyPattern>(), right.downcast_exact::<PyPattern>())
    else {
        return Ok(not_implemented());
    };
    let mut equal = left.is(right);
    if !equal
        && a.flags.get() == b.flags.get()
        && a.text.get() == b.text.get()
        && a.groups() == b.groups()
        && a.compiled().program.code() == b.compiled().program.code()
    {
        equal = protocol::compare_bool(ts, &a.pattern_or_none(ts), &b.pattern_or_none(ts), CompareOp::Eq)?;
    }
    Ok(py_bool(equal == (op == CompareOp::Eq)))
}

/// # Safety
/// As for every `DeallocFn`.
unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: the slot is called with a pattern whose count is zero; the program is its own, and each is dropped once.
    unsafe {
        gc::untrack(&*object);
        let this = (*object).cast_unchecked::<PyPattern>();
        weakref::clear_all(ts, &*object);
        clear(ts, &*object);
        let compiled = this.compiled.replace(core::ptr::null_mut());
        if !compiled.is_null() {
            drop(TryBox::<Compiled>::from_raw(compiled));
        }
        alloc::free(ts, object);
    }
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> core::ops::ControlFlow<()> {
    let this = object.cast::<PyPattern>();
    visitor.slot(&this.pattern)?;
    visitor.slot(&this.groupindex)?;
    visitor.slot(&this.indexgroup)
}

fn clear(_ts: &ThreadState, object: &PyObject) {
    let this = object.cast::<PyPattern>();
    this.pattern.set(None);
    this.groupindex.set(None);
    this.indexgroup.set(None);
}
