//! `re.Match`: where a pattern was found, and in what.

use core::cell::Cell;
use core::mem::size_of;

use hognose_allocators::collections::TryVec;

use super::engine::{State, Unit};
use super::pattern::PyPattern;
use super::subject::Subject;
use crate::object::header::PyVarObject;
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, Ref, Signature, Slot, StaticType, TypeSlots,
    TypeSpec, alloc, call, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::owned::owns;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;

/// The bounds of a group; `UNSET` when it took no part.
#[derive(Clone, Copy)]
#[repr(C)]
struct Span {
    start: usize,
    end: usize,
}

const UNSET: Span = Span { start: usize::MAX, end: usize::MAX };

/// A match; its spans follow the struct, that of the whole match first.
#[repr(C)]
pub(super) struct PyMatch {
    ob_base: PyVarObject,
    string: Slot<PyObject>,
    /// `regs`, made when first asked for.
    regs: Slot<PyTuple>,
    pattern: Slot<PyPattern>,
    pos: Cell<usize>,
    endpos: Cell<usize>,
    /// The group that was closed last, 0 for none.
    last_index: Cell<usize>,
}

crate::native!(PyMatch, MATCH_TYPE);
owns!(PyMatch: string, regs, pattern);

/// `re.Match`.
pub(super) static MATCH_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"re.Match",
    basicsize: size_of::<PyMatch>(),
    itemsize: size_of::<Span>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    doc: "The result of re.match() and re.search().\nMatch objects always have a boolean value of True.",
    slots: TypeSlots {
        dealloc: Some(PyMatch::slot_dealloc),
        traverse: Some(PyMatch::slot_traverse),
        clear: Some(PyMatch::slot_clear),
        repr: Some(repr),
        mp_subscript: Some(|ts, this, key| this.cast::<PyMatch>().group_text(ts, Some(key))),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::positional(
            "group",
            group,
            "group([group1, ...]) -> str or tuple.\nReturn subgroup(s) of the match by indices or names.\nFor 0 returns the entire match.",
        ),
        MethodDef::positional("start", start, "start($self, group=0, /)\n--\n\nWhere the group begins, or -1."),
        MethodDef::positional("end", end, "end($self, group=0, /)\n--\n\nWhere the group ends, or -1."),
        MethodDef::positional("span", span, "span($self, group=0, /)\n--\n\nThe group's (start, end), or (-1, -1)."),
        MethodDef::keywords(
            "groups",
            groups,
            "groups($self, /, default=None)\n--\n\nAll groups from 1 on as a tuple; those that took no part are the default.",
        ),
        MethodDef::keywords(
            "groupdict",
            groupdict,
            "groupdict($self, /, default=None)\n--\n\nThe named groups by name; those that took no part are the default.",
        ),
        MethodDef::keywords(
            "expand",
            expand,
            "expand($self, /, template)\n--\n\nThe replacement template filled in as sub() does it.",
        ),
        MethodDef::no_args("__copy__", |_, this| Ok(this.new_ref()), "__copy__($self, /)\n--\n\n"),
        MethodDef::one("__deepcopy__", |_, this, _| Ok(this.new_ref()), "__deepcopy__($self, memo, /)\n--\n\n"),
        MethodDef::one("__class_getitem__", crate::types::genericalias::class_getitem, "See PEP 585").class(),
    ],
    getset: &[
        GetSetDef::get(
            "string",
            |ts, this| Ok(this.cast::<PyMatch>().string.get().unwrap_or_else(|| ts.none())),
            "The string passed to match() or search().",
        ),
        GetSetDef::get(
            "re",
            |ts, this| Ok(this.cast::<PyMatch>().pattern.get().map_or_else(|| ts.none(), Ref::into_object)),
            "The regular expression object.",
        ),
        GetSetDef::get(
            "pos",
            |ts, this| PyInt::from_usize(ts, this.cast::<PyMatch>().pos.get()),
            "The index into the string at which the RE engine started looking for a match.",
        ),
        GetSetDef::get(
            "endpos",
            |ts, this| PyInt::from_usize(ts, this.cast::<PyMatch>().endpos.get()),
            "The index into the string beyond which the RE engine will not go.",
        ),
        GetSetDef::get("lastindex", last_index, "The integer index of the last matched capturing group."),
        GetSetDef::get("lastgroup", last_group, "The name of the last matched capturing group."),
        GetSetDef::get("regs", regs, ""),
    ],
    ..TypeSpec::EMPTY
});

impl PyMatch {
    /// The match that a state has just found.
    pub(super) fn new<U: Unit>(
        ts: &ThreadState,
        pattern: &PyPattern,
        string: &PyObject,
        state: &State<'_, U>,
        pos: usize,
        endpos: usize,
    ) -> PyResult<Ref<PyMatch>> {
        let count = pattern.groups() + 1;
        let this = alloc::var_object::<PyMatch>(ts, &MATCH_TYPE, count)?;
        for group in 0..count {
            let span = state.group(group).map_or(UNSET, |(start, end)| Span { start, end });
            // SAFETY: the object was made with `count` items behind the struct.
            unsafe { this.spans_ptr().add(group).write(span) };
        }
        this.string.set(Some(string.new_ref()));
        this.pattern.set(Some(Ref::from_borrowed(pattern)));
        this.pos.set(pos);
        this.endpos.set(endpos);
        this.last_index.set(state.last_index().unwrap_or(0));
        gc::track(ts, &*this);
        Ok(this)
    }

    fn spans_ptr(&self) -> *mut Span {
        // SAFETY: the spans stand right behind the struct, whose size is a multiple of their alignment.
        unsafe { self.as_object().as_ptr().cast::<u8>().add(size_of::<PyMatch>()).cast() }
    }

    fn spans(&self) -> &[Span] {
        // SAFETY: `ob_size` spans were written when the match was made, and never change.
        unsafe { core::slice::from_raw_parts(self.spans_ptr(), self.ob_base.ob_size.get() as usize) }
    }

    fn span(&self, group: usize) -> Option<(usize, usize)> {
        let span = self.spans()[group];
        (span.start != usize::MAX).then_some((span.start, span.end))
    }

    /// The number of a group that is given by number or name. IndexError when there is none.
    fn index(&self, ts: &ThreadState, group: Option<&PyObject>) -> PyResult<usize> {
        let Some(group) = group else { return Ok(0) };
        let mut index = None;
        if protocol::is_index(group) {
            // A number that is too large is no group either.
            index = Some(protocol::as_isize_clamped(ts, group)?);
        } else if let Some(names) = self.pattern.get().and_then(|pattern| pattern.group_index())
            && !names.is_empty()
            && let Some(found) = names.get(ts, group)?
            && let Some(number) = found.downcast::<PyInt>()
        {
            index = Some(number.to_isize(ts)?);
        }
        match index.and_then(|index| usize::try_from(index).ok()) {
            Some(index) if index < self.spans().len() => Ok(index),
            _ => raise!(ts, exc::IndexError, "no such group"),
        }
    }

    fn text_of(&self, ts: &ThreadState, index: usize, default: Option<&PyObject>) -> PyResult {
        let (Some((start, end)), Some(string)) = (self.span(index), self.string.get()) else {
            return Ok(default.map_or_else(|| ts.none(), AsObject::new_ref));
        };
        Subject::new(ts, &string)?.slice(ts, start, end)
    }

    /// The text of a group, None when it took no part.
    fn group_text(&self, ts: &ThreadState, group: Option<&PyObject>) -> PyResult {
        let index = self.index(ts, group)?;
        self.text_of(ts, index, None)
    }

    /// The text of a group by number, None when it took no part; for templates.
    pub(super) fn numbered_group(&self, ts: &ThreadState, index: usize) -> PyResult {
        if index >= self.spans().len() {
            return raise!(ts, exc::IndexError, "no such group");
        }
        self.text_of(ts, index, None)
    }
}

fn bound(ts: &ThreadState, place: Option<usize>) -> PyResult {
    match place {
        Some(place) => PyInt::from_usize(ts, place),
        None => PyInt::from_i64(ts, -1),
    }
}

fn pair(ts: &ThreadState, span: Option<(usize, usize)>) -> PyResult {
    let start = bound(ts, span.map(|s| s.0))?;
    let end = bound(ts, span.map(|s| s.1))?;
    Ok(PyTuple::from_array(ts, [start, end])?.into_object())
}

fn group(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    let this = this.cast::<PyMatch>();
    match args {
        [] => this.text_of(ts, 0, None),
        [one] => this.group_text(ts, Some(one)),
        many => {
            let mut texts = TryVec::<PyRef>::new();
            texts.try_reserve(many.len())?;
            for one in many {
                texts.try_push(this.group_text(ts, Some(one))?)?;
            }
            Ok(PyTuple::from_vec(ts, texts)?.into_object())
        }
    }
}

fn given_span(ts: &ThreadState, name: &str, this: &PyObject, args: &[&PyObject]) -> PyResult<Option<(usize, usize)>> {
    call::check_count(ts, name, args.len(), 0, 1)?;
    let this = this.cast::<PyMatch>();
    Ok(this.span(this.index(ts, args.first().copied())?))
}

fn start(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    bound(ts, given_span(ts, "start", this, args)?.map(|span| span.0))
}

fn end(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    bound(ts, given_span(ts, "end", this, args)?.map(|span| span.1))
}

fn span(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    pair(ts, given_span(ts, "span", this, args)?)
}

fn groups(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("groups", ["default"], 0, 1, 0);
    let [default] = SIGNATURE.parse(ts, args)?;
    let this = this.cast::<PyMatch>();
    let mut texts = TryVec::<PyRef>::new();
    texts.try_reserve(this.spans().len() - 1)?;
    for index in 1..this.spans().len() {
        texts.try_push(this.text_of(ts, index, default)?)?;
    }
    Ok(PyTuple::from_vec(ts, texts)?.into_object())
}

fn groupdict(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("groupdict", ["default"], 0, 1, 0);
    let [default] = SIGNATURE.parse(ts, args)?;
    let this = this.cast::<PyMatch>();
    let result = PyDict::new(ts)?;
    if let Some(names) = this.pattern.get().and_then(|pattern| pattern.group_index()) {
        let mut position = 0;
        while let Some((name, _)) = names.next(&mut position) {
            let text = this.text_of(ts, this.index(ts, Some(&name))?, default)?;
            result.set(ts, &name, &text)?;
        }
    }
    Ok(result.into_object())
}

fn expand(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("expand", ["template"], 0, 1, 1);
    let [Some(template)] = SIGNATURE.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "expand() takes a template");
    };
    let this = this.cast::<PyMatch>();
    let (Some(pattern), Some(string)) = (this.pattern.get(), this.string.get()) else { return Ok(ts.none()) };
    super::substitute::expand(ts, &pattern, this, &string, template)
}

fn last_index(ts: &ThreadState, this: &PyObject) -> PyResult {
    match this.cast::<PyMatch>().last_index.get() {
        0 => Ok(ts.none()),
        index => PyInt::from_usize(ts, index),
    }
}

fn last_group(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = this.cast::<PyMatch>();
    let names = this.pattern.get().and_then(|pattern| pattern.index_group());
    let name = names.as_ref().filter(|_| this.last_index.get() != 0).and_then(|names| names.get(this.last_index.get()));
    Ok(name.map_or_else(|| ts.none(), AsObject::new_ref))
}

fn regs(ts: &ThreadState, this: &PyObject) -> PyResult {
    let this = this.cast::<PyMatch>();
    if let Some(regs) = this.regs.get() {
        return Ok(regs.into_object());
    }
    let mut pairs = TryVec::<PyRef>::new();
    pairs.try_reserve(this.spans().len())?;
    for group in 0..this.spans().len() {
        pairs.try_push(pair(ts, this.span(group))?)?;
    }
    let regs = PyTuple::from_vec(ts, pairs)?;
    this.regs.set(Some(regs.clone()));
    Ok(regs.into_object())
}

fn repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    /// Of the matched text's repr no more is shown.
    const SHOWN: usize = 50;
    let match_ = this.cast::<PyMatch>();
    let text = protocol::repr(ts, &*match_.text_of(ts, 0, None)?)?;
    let (start, end) = match_.span(0).unwrap_or((0, 0));
    let head: Ref<PyStr> =
        PyStr::format(ts, format_args!("<{} object; span=({start}, {end}), match=", this.ob_type().full_name()))?;
    let mut result = StrBuilder::new();
    result.push(&head)?;
    result.push_slice(&text, 0, text.len().min(SHOWN))?;
    result.push_char(u32::from('>'))?;
    Ok(result.finish(ts)?.into_object())
}
