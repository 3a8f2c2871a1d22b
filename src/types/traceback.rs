//! `traceback`: the places that an exception came through.

use core::cell::Cell;
use core::ops::ControlFlow;

use crate::object::call::Signature;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::exceptions::{self as exc, PyBaseException};
use crate::types::frame::PyFrame;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::{id, native, raise};

/// A place, and the next one further in.
#[repr(C)]
pub struct PyTraceback {
    ob_base: PyObject,
    tb_next: Slot<PyTraceback>,
    tb_frame: Slot<PyFrame>,
    tb_lasti: Cell<i32>,
    /// -1 when it has still to be found out.
    tb_lineno: Cell<i32>,
}

native!(PyTraceback, TRACEBACK_TYPE);

/// The types of this file.
pub static TYPES: &[&StaticType] = &[&TRACEBACK_TYPE];

/// `traceback`.
#[unsafe(export_name = "PyTraceBack_Type")]
pub static TRACEBACK_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"traceback",
    basicsize: size_of::<PyTraceback>(),
    flags: flags::HAVE_GC,
    doc: "traceback(tb_next, tb_frame, tb_lasti, tb_lineno)\n--\n\nCreate a new traceback object.",
    slots: TypeSlots {
        new: Some(new),
        dealloc: Some(dealloc),
        traverse: Some(traverse),
        clear: Some(clear),
        ..TypeSlots::EMPTY
    },
    methods: &[MethodDef::no_args("__dir__", dir, "")],
    getset: &[
        GetSetDef::get_set(
            "tb_next",
            |ts, o| Ok(this(o).next().map_or_else(|| ts.none(), Ref::into_object)),
            set_next,
            "",
        ),
        GetSetDef::field(
            "tb_frame",
            |ts, o| Ok(this(o).tb_frame.get().map_or_else(|| ts.none(), Ref::into_object)),
            "",
        ),
        GetSetDef::field("tb_lasti", |ts, o| PyInt::from_i64(ts, this(o).tb_lasti.get().into()), ""),
        GetSetDef::get("tb_lineno", lineno, ""),
    ],
    ..TypeSpec::EMPTY
});

fn this(object: &PyObject) -> &PyTraceback {
    object.cast()
}

impl PyTraceback {
    fn make(
        ts: &ThreadState,
        next: Option<Ref<PyTraceback>>,
        frame: Ref<PyFrame>,
        lasti: i32,
        lineno: i32,
    ) -> PyResult<Ref<PyTraceback>> {
        let made = alloc::exact::<PyTraceback>(ts)?;
        made.tb_next.set(next);
        made.tb_frame.set(Some(frame));
        made.tb_lasti.set(lasti);
        made.tb_lineno.set(lineno);
        gc::track(ts, &*made);
        Ok(made)
    }

    /// The next place, further in.
    pub fn next(&self) -> Option<Ref<PyTraceback>> {
        self.tb_next.get()
    }

    /// The frame.
    pub fn frame(&self) -> Option<Ref<PyFrame>> {
        self.tb_frame.get()
    }

    /// The offset of the instruction in bytes.
    pub fn lasti(&self) -> i32 {
        self.tb_lasti.get()
    }

    /// The line, if it has one.
    pub fn line(&self) -> Option<i32> {
        match self.tb_lineno.get() {
            -1 => self.tb_frame.get()?.code().line_at(self.tb_lasti.get()),
            line => Some(line),
        }
    }

    /// The innermost place.
    pub fn last(&self) -> Ref<PyTraceback> {
        let mut at = Ref::from_borrowed(self);
        while let Some(next) = at.next() {
            at = next;
        }
        at
    }
}

/// Notes that an exception came through a frame. Fails for want of memory, which leaves the exception as it is.
pub fn add(ts: &ThreadState, error: &PyObject, frame: PyRef, lasti: i32, lineno: i32) -> PyResult<()> {
    let base = error.cast::<PyBaseException>();
    if error.is_immortal() {
        // The MemoryError of last resort takes none.
        return Ok(());
    }
    let Ok(frame) = frame.downcast_into::<PyFrame>() else {
        return raise!(ts, exc::SystemError, "bad frame for a traceback");
    };
    let made = PyTraceback::make(ts, base.traceback(), frame, lasti, lineno)?;
    base.traceback.set(Some(made.into_object()));
    Ok(())
}

/// Takes importlib's frames out of the raised exception's traceback: all of them at the end of a failed
/// ImportError, otherwise those runs that end in a call of what an import runs.
pub fn trim_importlib(ts: &ThreadState) {
    let Some(error) = ts.current_exception.get() else { return };
    let base = error.cast::<PyBaseException>();
    let always = error.ob_type().is_subtype(&exc::ImportError);
    // The place whose `next` is the first one of the run of importlib's frames that is being looked at.
    let mut before_run: Option<Ref<PyTraceback>> = None;
    let mut in_importlib = false;
    let mut previous: Option<Ref<PyTraceback>> = None;
    let mut at = base.traceback();
    while let Some(traceback) = at {
        let next = traceback.next();
        let Some(code) = traceback.frame().map(|frame| frame.code()) else { return };
        let now_in_importlib = code.filename().equals_str("<frozen importlib._bootstrap>")
            || code.filename().equals_str("<frozen importlib._bootstrap_external>");
        if now_in_importlib && !in_importlib {
            before_run = previous.clone();
        }
        in_importlib = now_in_importlib;
        if in_importlib && (always || code.name().equals_str("_call_with_frames_removed")) {
            match &before_run {
                Some(before) => before.tb_next.set(next.clone()),
                None => base.traceback.set(next.clone().map(Ref::into_object)),
            }
        } else {
            previous = Some(traceback.clone());
        }
        at = next;
    }
}

static SIGNATURE: Signature<4> = Signature::new("traceback", ["tb_next", "tb_frame", "tb_lasti", "tb_lineno"], 0, 4, 4);

fn new(ts: &ThreadState, _typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let [Some(next), Some(frame), Some(lasti), Some(lineno)] = SIGNATURE.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "traceback() takes exactly 4 arguments");
    };
    let Some(frame) = frame.downcast::<PyFrame>() else {
        let given = if is_none(frame) { "None" } else { frame.type_name() };
        return raise!(ts, exc::TypeError, "traceback() argument 'tb_frame' must be frame, not {given}");
    };
    let lasti = protocol::index(ts, lasti)?.to_i32(ts)?;
    let lineno = protocol::index(ts, lineno)?.to_i32(ts)?;
    let next = if is_none(next) {
        None
    } else {
        match next.downcast::<PyTraceback>() {
            Some(next) => Some(Ref::from_borrowed(next)),
            None => return raise!(ts, exc::TypeError, "expected traceback object or None, got '{}'", next.type_name()),
        }
    };
    Ok(PyTraceback::make(ts, next, Ref::from_borrowed(frame), lasti, lineno)?.into_object())
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for a dead traceback; the memory goes last.
    unsafe {
        gc::untrack(&*object);
        clear(ts, &*object);
        alloc::free(ts, object);
    }
}

fn traverse(object: &PyObject, visitor: &mut Visitor<'_>) -> ControlFlow<()> {
    visitor.slot(&this(object).tb_next)?;
    visitor.slot(&this(object).tb_frame)
}

fn clear(_ts: &ThreadState, object: &PyObject) {
    this(object).tb_next.set(None);
    this(object).tb_frame.set(None);
}

fn dir(ts: &ThreadState, _object: &PyObject) -> PyResult {
    let names = [id!(tb_frame), id!(tb_next), id!(tb_lasti), id!(tb_lineno)].map(|name: &PyStr| name.as_object());
    Ok(PyList::from_slice(ts, &names)?.into_object())
}

fn lineno(ts: &ThreadState, object: &PyObject) -> PyResult {
    match this(object).line() {
        Some(line) => PyInt::from_i64(ts, line.into()),
        None => Ok(ts.none()),
    }
}

fn set_next(ts: &ThreadState, object: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let Some(value) = value else {
        return raise!(ts, exc::TypeError, "can't delete tb_next attribute");
    };
    if is_none(value) {
        this(object).tb_next.set(None);
        return Ok(());
    }
    let Some(next) = value.downcast::<PyTraceback>() else {
        return raise!(ts, exc::TypeError, "expected traceback object, got '{}'", value.type_name());
    };
    let mut at = Some(Ref::from_borrowed(next));
    while let Some(traceback) = at {
        if traceback.as_object().is(object) {
            return raise!(ts, exc::ValueError, "traceback loop detected");
        }
        at = traceback.next();
    }
    this(object).tb_next.set(Some(Ref::from_borrowed(next)));
    Ok(())
}
