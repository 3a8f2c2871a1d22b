//! Exception groups: several exceptions raised as one, and what `except*` takes out of them.

use core::mem::offset_of;

use hognose_allocators::collections::TryVec;

use super::base::{self, PyBaseException};
use super::fields::{FLAGS, family};
use super::hierarchy as exc;
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, TypeSlots, TypeSpec,
    alloc, attr, call, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;
use crate::{id, native, raise};

/// BaseExceptionGroup and ExceptionGroup.
#[repr(C)]
pub struct PyBaseExceptionGroup {
    pub(super) base: PyBaseException,
    /// `message`.
    pub message: Slot<PyObject>,
    /// `exceptions`.
    pub exceptions: Slot<PyTuple>,
}
native!(PyBaseExceptionGroup, exc::BaseExceptionGroup);
family!(PyBaseExceptionGroup: message, exceptions);

pub(super) const BASE_SPEC: TypeSpec = TypeSpec {
    name: c"BaseExceptionGroup",
    basicsize: size_of::<PyBaseExceptionGroup>(),
    flags: FLAGS,
    base: Some(&exc::BaseException),
    doc: "A combination of multiple unrelated exceptions.",
    slots: TypeSlots {
        new: Some(new),
        init: Some(base::init),
        dealloc: Some(PyBaseExceptionGroup::slot_dealloc),
        traverse: Some(PyBaseExceptionGroup::slot_traverse),
        clear: Some(PyBaseExceptionGroup::slot_clear),
        str: Some(str),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one("__class_getitem__", class_getitem, "See PEP 585").class(),
        MethodDef::one("derive", derive, "derive($self, excs, /)\n--\n\n"),
        MethodDef::one("split", split, "split($self, matcher_value, /)\n--\n\n"),
        MethodDef::one("subgroup", subgroup, "subgroup($self, matcher_value, /)\n--\n\n"),
    ],
    getset: &[
        GetSetDef::field(
            "message",
            |ts, o| Ok(this(o).message.get().unwrap_or_else(|| ts.none())),
            "exception message",
        ),
        GetSetDef::field("exceptions", |_ts, o| Ok(this(o).exceptions().into_object()), "nested exceptions"),
    ],
    dictoffset: offset_of!(PyBaseException, dict),
    ..TypeSpec::EMPTY
};

fn this(object: &PyObject) -> &PyBaseExceptionGroup {
    debug_assert!(object.is_a::<PyBaseExceptionGroup>());
    // SAFETY: the group's slots and methods are called with groups only.
    unsafe { &*object.as_ptr().cast::<PyBaseExceptionGroup>() }
}

impl PyBaseExceptionGroup {
    /// The nested exceptions.
    pub fn exceptions(&self) -> Ref<PyTuple> {
        self.exceptions.get().unwrap_or_else(PyTuple::empty)
    }
}

fn new(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let positional = args.positional();
    let &[message, members] = positional else {
        return raise!(
            ts,
            exc::TypeError,
            "BaseExceptionGroup.__new__() takes exactly 2 arguments ({} given)",
            positional.len()
        );
    };
    if !message.is_a::<PyStr>() {
        return raise!(
            ts,
            exc::TypeError,
            "BaseExceptionGroup.__new__() argument 1 must be str, not {}",
            message.type_name()
        );
    }
    if !protocol::is_sequence(members) {
        return raise!(ts, exc::TypeError, "second argument (exceptions) must be a sequence");
    }
    let members = protocol::tuple_of(ts, members)?;
    if members.is_empty() {
        return raise!(ts, exc::ValueError, "second argument (exceptions) must be a non-empty sequence");
    }
    let mut only_exceptions = true;
    for (index, member) in members.items().iter().enumerate() {
        if !member.is_a::<PyBaseException>() {
            return raise!(ts, exc::ValueError, "Item {index} of second argument (exceptions) is not an exception");
        }
        only_exceptions &= member.ob_type().is_subtype(&exc::Exception);
    }
    let mut class = typ;
    if core::ptr::eq(typ, &*exc::BaseExceptionGroup) {
        if only_exceptions {
            class = &exc::ExceptionGroup;
        }
    } else if !only_exceptions && core::ptr::eq(typ, &*exc::ExceptionGroup) {
        return raise!(ts, exc::TypeError, "Cannot nest BaseExceptions in an ExceptionGroup");
    } else if !only_exceptions && typ.is_subtype(&exc::Exception) {
        return raise!(ts, exc::TypeError, "Cannot nest BaseExceptions in '{}'", typ.name());
    }
    let object = alloc::object::<PyObject>(ts, class)?;
    let group = this(&object);
    group.message.set(Some(message.new_ref()));
    group.exceptions.set(Some(members));
    gc::track(ts, &*object);
    group.base.args.set(Some(PyTuple::new(ts, positional)?));
    Ok(object)
}

fn str(ts: &ThreadState, object: &PyObject) -> PyResult {
    let group = this(object);
    let count = group.exceptions().len();
    let mut text = StrBuilder::new();
    text.push_object(ts, &group.message.get().unwrap_or_else(|| ts.none()))?;
    let plural = if count == 1 { "" } else { "s" };
    text.push(&*PyStr::format(ts, format_args!(" ({count} sub-exception{plural})"))?)?;
    Ok(text.finish(ts)?.into_object())
}

fn class_getitem(ts: &ThreadState, class: &PyObject, item: &PyObject) -> PyResult {
    crate::types::genericalias::new(ts, class, item)
}

fn derive(ts: &ThreadState, object: &PyObject, members: &PyObject) -> PyResult {
    let message = this(object).message.get().unwrap_or_else(|| ts.none());
    call::call_with(ts, exc::BaseExceptionGroup.as_object(), &[&message, members])
}

/// A group of some of the exceptions of `original`, with what else it carries. None for an empty one.
fn subset(ts: &ThreadState, original: &PyObject, members: TryVec<PyRef>) -> PyResult<Option<PyRef>> {
    if members.is_empty() {
        return Ok(None);
    }
    let members = PyList::from_vec(ts, members)?;
    let group = call::call_method(ts, original, id!(derive), &[members.as_object()])?;
    let Some(derived) = group.downcast::<PyBaseExceptionGroup>() else {
        return raise!(ts, exc::TypeError, "derive must return an instance of BaseExceptionGroup");
    };
    let from = &this(original).base;
    derived.base.traceback.set(from.traceback.get());
    derived.base.context.set(from.context.get());
    derived.base.cause.set(from.cause.get());
    if from.cause.is_some() {
        derived.base.suppress_context.set(true);
    }
    if let Some(notes) = attr::get_opt(ts, original, id!(__notes__))?
        && protocol::is_sequence(&notes)
    {
        // Each group has its own list, so that notes can be added to one of them.
        let copy = protocol::list_of(ts, &notes)?;
        attr::set(ts, &group, id!(__notes__), copy.as_object())?;
    }
    Ok(Some(group))
}

/// What decides whether an exception is wanted.
enum Matcher<'a> {
    /// An exception class or a tuple of them.
    Types(&'a PyObject),
    /// A function.
    Predicate(&'a PyObject),
    /// One of these very objects, by address, sorted.
    Instances(&'a [usize]),
}

impl<'a> Matcher<'a> {
    fn from_object(ts: &ThreadState, value: &'a PyObject) -> PyResult<Matcher<'a>> {
        let is_exception_class =
            |v: &PyObject| v.downcast::<PyTypeObject>().is_some_and(|t| t.is_subtype(&exc::BaseException));
        if is_exception_class(value) {
            return Ok(Matcher::Types(value));
        }
        if let Some(classes) = value.downcast_exact::<PyTuple>()
            && classes.items().iter().all(|class| is_exception_class(class))
        {
            return Ok(Matcher::Types(value));
        }
        if call::is_callable(value) && !value.is_a::<PyTypeObject>() {
            return Ok(Matcher::Predicate(value));
        }
        raise!(
            ts,
            exc::TypeError,
            "expected an exception type, a tuple of exception types, or a callable (other than a class)"
        )
    }

    fn matches(&self, ts: &ThreadState, error: &PyObject) -> PyResult<bool> {
        match self {
            Matcher::Types(classes) => Ok(crate::vm::unwind::given_matches(error, classes)),
            Matcher::Predicate(function) => protocol::is_true(ts, &*call::call_with(ts, function, &[error])?),
            Matcher::Instances(ids) => {
                // A group matches by its leaves.
                Ok(!error.is_a::<PyBaseExceptionGroup>()
                    && ids.binary_search(&core::ptr::from_ref(error).addr()).is_ok())
            }
        }
    }
}

/// What a split gives: the part that matches, and the rest (None as well when it was not asked for).
type Parts = (Option<PyRef>, Option<PyRef>);

fn split_by(ts: &ThreadState, error: &PyObject, matcher: &Matcher<'_>, want_rest: bool) -> PyResult<Parts> {
    if matcher.matches(ts, error)? {
        return Ok((Some(error.new_ref()), None));
    }
    let Some(group) = error.downcast::<PyBaseExceptionGroup>() else {
        return Ok((None, want_rest.then(|| error.new_ref())));
    };
    ts.check_native_stack(" in exceptiongroup_split_recursive")?;
    let members = group.exceptions();
    let (mut matching, mut rest) = (TryVec::<PyRef>::new(), TryVec::<PyRef>::new());
    for member in members.items() {
        let (part, remainder) = split_by(ts, member, matcher, want_rest)?;
        if let Some(part) = part {
            matching.try_push(part)?;
        }
        if let Some(remainder) = remainder {
            rest.try_push(remainder)?;
        }
    }
    let matching = subset(ts, error, matching)?;
    let rest = if want_rest { subset(ts, error, rest)? } else { None };
    Ok((matching, rest))
}

fn split(ts: &ThreadState, object: &PyObject, value: &PyObject) -> PyResult {
    let matcher = Matcher::from_object(ts, value)?;
    let (matching, rest) = split_by(ts, object, &matcher, true)?;
    let or_none = |part: Option<PyRef>| part.unwrap_or_else(|| ts.none());
    Ok(PyTuple::from_array(ts, [or_none(matching), or_none(rest)])?.into_object())
}

fn subgroup(ts: &ThreadState, object: &PyObject, value: &PyObject) -> PyResult {
    let matcher = Matcher::from_object(ts, value)?;
    let (matching, _) = split_by(ts, object, &matcher, false)?;
    Ok(matching.unwrap_or_else(|| ts.none()))
}

/// Adds the addresses of the exceptions at the leaves of a group.
fn leaves(ts: &ThreadState, error: &PyObject, ids: &mut TryVec<usize>) -> PyResult<()> {
    let Some(group) = error.downcast::<PyBaseExceptionGroup>() else {
        return Ok(ids.try_push(core::ptr::from_ref(error).addr())?);
    };
    ts.check_native_stack(" in collect_exception_group_leaf_ids")?;
    for member in group.exceptions().items() {
        leaves(ts, member, ids)?;
    }
    Ok(())
}

/// Whether both came out of one exception by splitting: what they carry is the same.
fn same_metadata(a: &PyObject, b: &PyObject) -> bool {
    let (a, b) = (&a.cast::<PyBaseException>(), &b.cast::<PyBaseException>());
    let same = |a: &Slot<PyObject>, b: &Slot<PyObject>| match (a.get(), b.get()) {
        (Some(a), Some(b)) => a.is(&b),
        (None, None) => true,
        _ => false,
    };
    same(&a.traceback, &b.traceback) && same(&a.cause, &b.cause) && same(&a.context, &b.context)
}

/// What `except*` raises at its end: those parts of `original` in `errors` (None for the ones that were
/// handled) that go on, in the shape that they had in it, and what handlers have raised. None for nothing.
pub fn prepare_reraise_star(ts: &ThreadState, original: &PyObject, errors: &PyList) -> PyResult {
    if errors.is_empty() {
        return Ok(ts.none());
    }
    if !original.is_a::<PyBaseExceptionGroup>() {
        // A plain exception was wrapped for the handlers: at most one of them has run.
        return Ok(errors.get(0).unwrap_or_else(|| ts.none()));
    }
    let mut raised = TryVec::<PyRef>::new();
    let mut ids = TryVec::<usize>::new();
    let mut index = 0;
    while let Some(error) = errors.get(index) {
        index += 1;
        if is_none(&error) {
            continue;
        }
        if same_metadata(&error, original) {
            leaves(ts, &error, &mut ids)?;
        } else {
            raised.try_push(error)?;
        }
    }
    ids.sort_unstable();
    let reraised = if ids.is_empty() { None } else { split_by(ts, original, &Matcher::Instances(&ids), false)?.0 };
    if raised.is_empty() {
        return Ok(reraised.unwrap_or_else(|| ts.none()));
    }
    if let Some(reraised) = reraised {
        raised.try_push(reraised)?;
    }
    if raised.len() == 1 {
        return Ok(raised.pop().unwrap_or_else(|| ts.none()));
    }
    let members = PyList::from_vec(ts, raised)?;
    let message = PyStr::empty();
    call::call_with(ts, exc::ExceptionGroup.as_object(), &[message.as_object(), members.as_object()])
}
