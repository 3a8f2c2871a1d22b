//! `Pickler`: the object, whose work is done in `save`.

use core::cell::{Cell, RefCell};
use core::ops::ControlFlow;

use hognose_allocators::collections::TryVec;

use super::opcodes::{DEFAULT, HIGHEST};
use super::output::Output;
use super::proxies::{PICKLER_MEMO_PROXY_TYPE, PyPicklerMemoProxy};
use super::save::Saver;
use super::state::{PICKLING_ERROR, PyPickleState};
use crate::object::memo::Memo;
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyResult, PyTypeObject, Ref, Signature, Slot, StaticType,
    TypeSlots, TypeSpec, alloc, attr, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// A pickler.
///
/// I1: `memo` and `output` are borrowed only where no Python code can run.
#[repr(C)]
pub struct PyPickler {
    ob_base: PyObject,
    /// The file's `write`; none when the result is wanted as bytes, or before `__init__`.
    pub(super) write: Slot<PyObject>,
    pub(super) buffer_callback: Slot<PyObject>,
    pub(super) state: Slot<PyPickleState>,
    /// The attribute `dispatch_table`, if it is set.
    dispatch_table: Slot<PyObject>,
    /// The attribute `persistent_id`, if it is set on the instance.
    own_persistent_id: Slot<PyObject>,
    /// What the object says about itself while it dumps.
    pub(super) persistent_id: Slot<PyObject>,
    pub(super) reducer_override: Slot<PyObject>,
    pub(super) table: Slot<PyObject>,
    /// In fast mode, the containers that are being pickled.
    pub(super) fast_memo: Slot<PyDict>,
    pub(super) fast_nesting: Cell<i32>,
    pub(super) protocol: Cell<i32>,
    bin: Cell<i32>,
    pub(super) fast: Cell<i32>,
    pub(super) fix_imports: Cell<bool>,
    pub(super) memo: RefCell<Memo>,
    pub(super) output: RefCell<Output>,
}

crate::native!(PyPickler, PICKLER_TYPE);

/// `_pickle.Pickler`.
pub static PICKLER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_pickle.Pickler",
    basicsize: size_of::<PyPickler>(),
    flags: flags::BASETYPE | flags::HAVE_GC,
    doc: "Pickler(file, protocol=None, fix_imports=True, buffer_callback=None)\n--\n\nThis takes a binary file for writing a pickle data stream.\n\nThe protocol is a number from 0 to 5; negative means the highest. The file's write() method takes bytes.\nWith fix_imports and a protocol below 3, names are written as Python 2 knew them. A buffer_callback is\ncalled with each buffer view; if it returns a false value, the buffer is left out of the stream.",
    slots: TypeSlots {
        new: Some(|ts, of, _| Ok(PyPickler::allocate(ts, of)?.into_object())),
        init: Some(init),
        dealloc: Some(dealloc),
        traverse: Some(traverse),
        clear: Some(|ts, this| clear(ts, this.cast::<PyPickler>())),
        getattro: Some(|ts, this, name| {
            if name.equals_str("persistent_id")
                && let Some(own) = this.cast::<PyPickler>().own_persistent_id.get()
            {
                return Ok(own);
            }
            attr::generic_get(ts, this, name)
        }),
        setattro: Some(|ts, this, name, value| {
            if !name.equals_str("persistent_id") {
                return attr::generic_set(ts, this, name, value);
            }
            let place = &this.cast::<PyPickler>().own_persistent_id;
            if value.is_none() && !place.is_some() {
                return raise!(ts, exc::AttributeError, "persistent_id");
            }
            place.set(value.map(AsObject::new_ref));
            Ok(())
        }),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::one(
            "dump",
            dump_method,
            "dump($self, obj, /)\n--\n\nWrite a pickled representation of the given object to the open file.",
        ),
        MethodDef::no_args(
            "clear_memo",
            |ts, this| {
                this.cast::<PyPickler>().clear_memo();
                Ok(ts.none())
            },
            "clear_memo($self, /)\n--\n\nClears the pickler's \"memo\".\n\nThe memo is the data structure that remembers which objects the\npickler has already seen, so that shared or recursive objects are\npickled by reference and not by value.  This method is useful when\nre-using picklers.",
        ),
        MethodDef::one("persistent_id", |ts, _, _| Ok(ts.none()), "persistent_id($self, obj, /)\n--\n\n"),
        MethodDef::no_args("__sizeof__", sizeof, "__sizeof__($self, /)\n--\n\nReturns size in memory, in bytes."),
    ],
    getset: &[
        GetSetDef::get_set("memo", |ts, this| PyPicklerMemoProxy::make(ts, this.cast()), set_memo, ""),
        GetSetDef::get_set(
            "dispatch_table",
            |ts, this| match this.cast::<PyPickler>().dispatch_table.get() {
                Some(table) => Ok(table),
                None => attr::no_attribute(ts, this, &*PyStr::intern(ts, "dispatch_table")?),
            },
            |ts, this, value| {
                let place = &this.cast::<PyPickler>().dispatch_table;
                if value.is_none() && !place.is_some() {
                    return attr::no_attribute(ts, this, &*PyStr::intern(ts, "dispatch_table")?);
                }
                place.set(value.map(AsObject::new_ref));
                Ok(())
            },
            "",
        ),
        GetSetDef::get_set(
            "bin",
            |ts, this| PyInt::from_i64(ts, this.cast::<PyPickler>().bin.get().into()),
            |ts, this, value| set_number(ts, &this.cast::<PyPickler>().bin, value),
            "",
        ),
        GetSetDef::get_set(
            "fast",
            |ts, this| PyInt::from_i64(ts, this.cast::<PyPickler>().fast.get().into()),
            |ts, this, value| set_number(ts, &this.cast::<PyPickler>().fast, value),
            "",
        ),
    ],
    ..TypeSpec::EMPTY
});

fn set_number(ts: &ThreadState, place: &Cell<i32>, value: Option<&PyObject>) -> PyResult<()> {
    match value {
        Some(value) => {
            place.set(protocol::as_i32(ts, value)?);
            Ok(())
        }
        None => raise!(ts, exc::TypeError, "can't delete numeric/char attribute"),
    }
}

impl PyPickler {
    fn allocate(ts: &ThreadState, of: &PyTypeObject) -> PyResult<Ref<PyPickler>> {
        let made = alloc::object::<PyPickler>(ts, of)?;
        let place = made.as_raw();
        // SAFETY: the object's memory is zeroed, which is right for the other fields, and nobody else sees it yet.
        unsafe {
            (&raw mut (*place).memo).write(RefCell::new(Memo::new()));
            (&raw mut (*place).output).write(RefCell::new(Output::new()));
        }
        gc::track(ts, &*made);
        Ok(made)
    }

    /// A pickler that writes to a file, or keeps what it writes.
    pub fn make(
        ts: &ThreadState,
        file: Option<&PyObject>,
        protocol: Option<&PyObject>,
        fix_imports: bool,
        buffer_callback: Option<&PyObject>,
    ) -> PyResult<Ref<PyPickler>> {
        let made = PyPickler::allocate(ts, &PICKLER_TYPE)?;
        made.set_up(ts, file, protocol, fix_imports, buffer_callback)?;
        Ok(made)
    }

    fn set_up(
        &self,
        ts: &ThreadState,
        file: Option<&PyObject>,
        protocol: Option<&PyObject>,
        fix_imports: bool,
        buffer_callback: Option<&PyObject>,
    ) -> PyResult<()> {
        let protocol = match protocol.filter(|protocol| !is_none(protocol)) {
            None => DEFAULT,
            Some(protocol) => match protocol::as_i32(ts, protocol)? {
                protocol if protocol < 0 => HIGHEST,
                protocol if protocol > HIGHEST => {
                    return raise!(ts, exc::ValueError, "pickle protocol must be <= {HIGHEST}");
                }
                protocol => protocol,
            },
        };
        let buffer_callback = buffer_callback.filter(|callback| !is_none(callback));
        if buffer_callback.is_some() && protocol < 5 {
            return raise!(ts, exc::ValueError, "buffer_callback needs protocol >= 5");
        }
        if let Some(file) = file {
            match attr::get_opt(ts, file, &*PyStr::intern(ts, "write")?)? {
                Some(write) => self.write.set(Some(write)),
                None => return raise!(ts, exc::TypeError, "file must have a 'write' attribute"),
            }
        }
        self.state.set(Some(PyPickleState::current(ts)?));
        self.protocol.set(protocol);
        self.bin.set(i32::from(protocol > 0));
        self.fix_imports.set(fix_imports && protocol < 3);
        self.fast.set(0);
        self.fast_nesting.set(0);
        self.buffer_callback.set(buffer_callback.map(AsObject::new_ref));
        Ok(())
    }

    /// Whether instructions are written in bytes, not in lines.
    pub(super) fn is_binary(&self) -> bool {
        self.bin.get() != 0
    }

    fn clear_memo(&self) {
        let old = self.memo.replace(Memo::new());
        // What the memo has kept alive may end here, and run Python code.
        drop(old);
    }

    /// Pickles an object, and writes it to the file if there is one.
    pub fn dump(&self, ts: &ThreadState, object: &PyObject) -> PyResult<()> {
        let this = self.as_object();
        self.output.borrow_mut().clear();
        self.persistent_id.set(None);
        self.reducer_override.set(None);
        let exact = core::ptr::eq(this.ob_type(), &*PICKLER_TYPE);
        self.persistent_id.set(self.own_persistent_id.get());
        self.table.set(self.dispatch_table.get());
        if !exact {
            if !self.own_persistent_id.is_some() {
                let method = attr::get(ts, this, &*PyStr::intern(ts, "persistent_id")?)?;
                self.persistent_id.set(Some(method));
            }
            self.reducer_override.set(attr::get_opt(ts, this, &*PyStr::intern(ts, "reducer_override")?)?);
            self.table.set(attr::get_opt(ts, this, &*PyStr::intern(ts, "dispatch_table")?)?);
        }
        let Some(state) = self.state.get() else { return not_initialized(ts, this) };
        let result = Saver { ts, pickler: self, state: &state }.dump(object);
        // A bound method refers to the pickler.
        self.persistent_id.set(None);
        self.reducer_override.set(None);
        self.table.set(None);
        self.fast_memo.set(None);
        self.fast_nesting.set(0);
        if result.is_err() {
            self.output.borrow_mut().clear();
        }
        result
    }

    /// Hands what has been written to the file.
    pub(super) fn flush(&self, ts: &ThreadState) -> PyResult<()> {
        let Some(write) = self.write.get() else { return Ok(()) };
        let bytes: TryVec<u8> = self.output.borrow_mut().take();
        let bytes = PyBytes::new(ts, &bytes)?;
        crate::object::call::call_with(ts, &write, &[bytes.as_object()])?;
        Ok(())
    }

    /// What has been written, as bytes.
    pub fn result(&self, ts: &ThreadState) -> PyResult {
        let bytes = self.output.borrow_mut().take();
        Ok(PyBytes::new(ts, &bytes)?.into_object())
    }
}

#[cold]
fn not_initialized<T>(ts: &ThreadState, this: &PyObject) -> PyResult<T> {
    let name = this.type_name();
    raise!(ts, PICKLING_ERROR, "Pickler.__init__() was not called by {name}.__init__()")
}

fn init(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult<()> {
    static SIGNATURE: Signature<4> =
        Signature::new("Pickler", ["file", "protocol", "fix_imports", "buffer_callback"], 0, 4, 1);
    let [file, protocol, fix_imports, buffer_callback] = SIGNATURE.parse(ts, args)?;
    let fix_imports = fix_imports.map_or(Ok(true), |value| protocol::is_true(ts, value))?;
    let pickler = this.cast::<PyPickler>();
    clear(ts, pickler);
    pickler.set_up(ts, file, protocol, fix_imports, buffer_callback)
}

fn dump_method(ts: &ThreadState, this: &PyObject, object: &PyObject) -> PyResult {
    let pickler = this.cast::<PyPickler>();
    if !pickler.write.is_some() {
        return not_initialized(ts, this);
    }
    pickler.dump(ts, object)?;
    pickler.flush(ts)?;
    Ok(ts.none())
}

fn sizeof(ts: &ThreadState, this: &PyObject) -> PyResult {
    let pickler = this.cast::<PyPickler>();
    let memo = pickler.memo.borrow().len() * (size_of::<crate::object::memo::Entry>() + 2 * size_of::<u32>());
    PyInt::from_usize(ts, alloc::object_size(this) + memo)
}

fn set_memo(ts: &ThreadState, this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let Some(value) = value else {
        return raise!(ts, exc::TypeError, "attribute deletion is not supported");
    };
    let memo = if core::ptr::eq(value.ob_type(), &*PICKLER_MEMO_PROXY_TYPE) {
        match value.cast::<PyPicklerMemoProxy>().pickler() {
            Some(other) => other.memo.borrow().try_clone()?,
            None => Memo::new(),
        }
    } else if let Some(dict) = value.downcast::<PyDict>() {
        let mut memo = Memo::new();
        let mut position = 0;
        while let Some((_, item)) = dict.next(&mut position) {
            let pair =
                item.downcast::<PyTuple>().and_then(|pair| pair.get(0).zip(pair.get(1)).filter(|_| pair.len() == 2));
            let Some((number, object)) = pair else {
                return raise!(ts, exc::TypeError, "'memo' values must be 2-item tuples");
            };
            let number = protocol::as_isize(ts, number)?;
            memo.set(object, number.max(0) as usize)?;
        }
        memo
    } else {
        return raise!(
            ts,
            exc::TypeError,
            "'memo' attribute must be a PicklerMemoProxy object or dict, not {}",
            value.type_name()
        );
    };
    let old = this.cast::<PyPickler>().memo.replace(memo);
    drop(old);
    Ok(())
}

fn traverse(this: &PyObject, visitor: &mut crate::object::Visitor<'_>) -> ControlFlow<()> {
    let this = this.cast::<PyPickler>();
    for slot in [&this.write, &this.buffer_callback, &this.dispatch_table, &this.own_persistent_id] {
        visitor.slot(slot)?;
    }
    for slot in [&this.persistent_id, &this.reducer_override, &this.table] {
        visitor.slot(slot)?;
    }
    visitor.slot(&this.state)?;
    visitor.slot(&this.fast_memo)?;
    // By I1 the collector never finds it borrowed; a memo that is being changed would not be looked at.
    if let Ok(memo) = this.memo.try_borrow() {
        visitor.objects(memo.entries().iter().map(|entry| &*entry.object))?;
    }
    ControlFlow::Continue(())
}

fn clear(_ts: &ThreadState, this: &PyPickler) {
    for slot in [&this.write, &this.buffer_callback, &this.dispatch_table, &this.own_persistent_id] {
        slot.set(None);
    }
    for slot in [&this.persistent_id, &this.reducer_override, &this.table] {
        slot.set(None);
    }
    this.state.set(None);
    this.fast_memo.set(None);
    this.clear_memo();
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for a pickler, whose fields are dropped here.
    unsafe {
        let this = (*object).cast_unchecked::<PyPickler>();
        gc::untrack(&*object);
        clear(ts, this);
        let place = core::ptr::from_ref(this).cast_mut();
        core::ptr::drop_in_place(&raw mut (*place).memo);
        core::ptr::drop_in_place(&raw mut (*place).output);
        alloc::free(ts, object);
    }
}
