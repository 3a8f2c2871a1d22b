//! `Unpickler`: the object, whose work is done in `load`.

use core::cell::{Cell, RefCell};
use core::ops::ControlFlow;

use hognose_allocators::NoMemory;
use hognose_allocators::collections::TryVec;

use super::input::Input;
use super::load::Loader;
use super::proxies::{PyUnpicklerMemoProxy, UNPICKLER_MEMO_PROXY_TYPE};
use super::state::{PyPickleState, UNPICKLING_ERROR};
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature, Slot, StaticType,
    TypeSlots, TypeSpec, alloc, attr, call, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// The memory of an unpickler: objects by number. Numbers that are far from the others are kept in a list of pairs, so that
/// a pickle cannot ask for more memory than it has bytes.
pub struct LoadMemo {
    dense: TryVec<Option<PyRef>>,
    sparse: TryVec<(usize, PyRef)>,
    count: usize,
}

impl LoadMemo {
    /// An empty one, without memory.
    pub const fn new() -> LoadMemo {
        LoadMemo { dense: TryVec::new(), sparse: TryVec::new(), count: 0 }
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// The object of a number.
    pub fn get(&self, number: usize) -> Option<PyRef> {
        if let Some(object) = self.dense.get(number) {
            return object.clone();
        }
        self.sparse.iter().find(|(other, _)| *other == number).map(|(_, object)| object.clone())
    }

    /// Remembers an object; returns the one that had the number.
    pub fn set(&mut self, number: usize, object: PyRef) -> Result<Option<PyRef>, NoMemory> {
        if number >= self.dense.len() && number <= self.dense.len() * 2 + 1024 {
            while self.dense.len() <= number {
                self.dense.try_push(None)?;
            }
            // What has been kept apart moves over.
            let mut index = 0;
            while let Some((other, _)) = self.sparse.get(index) {
                if *other < self.dense.len() {
                    let (other, object) = self.sparse.swap_remove(index);
                    self.dense[other] = Some(object);
                } else {
                    index += 1;
                }
            }
        }
        let old = if let Some(place) = self.dense.get_mut(number) {
            place.replace(object)
        } else if let Some(place) = self.sparse.iter_mut().find(|(other, _)| *other == number) {
            Some(core::mem::replace(&mut place.1, object))
        } else {
            self.sparse.try_push((number, object))?;
            None
        };
        self.count += usize::from(old.is_none());
        Ok(old)
    }

    /// Numbers and objects.
    pub fn items(&self) -> impl Iterator<Item = (usize, &PyObject)> {
        let dense = self.dense.iter().enumerate().filter_map(|(number, object)| Some((number, &**object.as_ref()?)));
        dense.chain(self.sparse.iter().map(|(number, object)| (*number, &**object)))
    }

    /// A memory of the same objects.
    pub fn try_clone(&self) -> Result<LoadMemo, NoMemory> {
        let mut copy = LoadMemo::new();
        for (number, object) in self.items() {
            copy.set(number, object.new_ref())?;
        }
        Ok(copy)
    }
}

/// An unpickler.
///
/// I1: `memo` and `input` are borrowed only where no Python code can run.
#[repr(C)]
pub struct PyUnpickler {
    ob_base: PyObject,
    pub(super) state: Slot<PyPickleState>,
    /// The file's methods; none when all bytes are there, or before `__init__`.
    pub(super) read: Slot<PyObject>,
    pub(super) readline: Slot<PyObject>,
    pub(super) readinto: Slot<PyObject>,
    pub(super) peek: Slot<PyObject>,
    /// An iterator of out-of-band buffers.
    pub(super) buffers: Slot<PyObject>,
    pub(super) encoding: Slot<PyStr>,
    pub(super) errors: Slot<PyStr>,
    /// The attribute `persistent_load`, if it is set on the instance.
    own_persistent_load: Slot<PyObject>,
    pub(super) fix_imports: Cell<bool>,
    /// The protocol of the pickle that is being read.
    pub(super) protocol: Cell<i32>,
    pub(super) memo: RefCell<LoadMemo>,
    /// What has been read from the file but not used.
    pub(super) input: RefCell<Input>,
}

crate::native!(PyUnpickler, UNPICKLER_TYPE);

/// `_pickle.Unpickler`.
pub static UNPICKLER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_pickle.Unpickler",
    basicsize: size_of::<PyUnpickler>(),
    flags: flags::BASETYPE | flags::HAVE_GC,
    doc: "Unpickler(file, *, fix_imports=True, encoding='ASCII', errors='strict',\n          buffers=())\n--\n\nThis takes a binary file for reading a pickle data stream.\n\nThe file has a read() method that takes a number of bytes, and a readline() method; both return bytes. Its\nreadinto() is used when it is there. Buffers that were left out of the stream are taken from buffers.\nTexts of Python 2 are decoded by encoding and errors; the encoding 'bytes' leaves them as bytes.",
    slots: TypeSlots {
        new: Some(|ts, of, _| Ok(PyUnpickler::allocate(ts, of)?.into_object())),
        init: Some(init),
        dealloc: Some(dealloc),
        traverse: Some(traverse),
        clear: Some(|_, this| clear(this.cast::<PyUnpickler>())),
        getattro: Some(|ts, this, name| {
            if name.equals_str("persistent_load")
                && let Some(own) = this.cast::<PyUnpickler>().own_persistent_load.get()
            {
                return Ok(own);
            }
            attr::generic_get(ts, this, name)
        }),
        setattro: Some(|ts, this, name, value| {
            if !name.equals_str("persistent_load") {
                return attr::generic_set(ts, this, name, value);
            }
            let place = &this.cast::<PyUnpickler>().own_persistent_load;
            if value.is_none() && !place.is_some() {
                return raise!(ts, exc::AttributeError, "persistent_load");
            }
            place.set(value.map(AsObject::new_ref));
            Ok(())
        }),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args(
            "load",
            load_method,
            "load($self, /)\n--\n\nLoad a pickle.\n\nRead a pickled object representation from the open file object given\nin the constructor, and return the reconstituted object hierarchy\nspecified therein.",
        ),
        MethodDef::positional(
            "find_class",
            find_class_method,
            "find_class($self, module_name, global_name, /)\n--\n\nReturn an object from a specified module.\n\nIf necessary, the module will be imported. Subclasses may override\nthis method (e.g. to restrict unpickling of arbitrary classes and\nfunctions).\n\nThis method is called whenever a class or a function object is\nneeded.  Both arguments passed are str objects.",
        ),
        MethodDef::one(
            "persistent_load",
            |ts, _, _| {
                raise!(
                    ts,
                    UNPICKLING_ERROR,
                    "A load persistent id instruction was encountered, but no persistent_load function was specified."
                )
            },
            "persistent_load($self, pid, /)\n--\n\n",
        ),
        MethodDef::no_args("__sizeof__", sizeof, "__sizeof__($self, /)\n--\n\nReturns size in memory, in bytes."),
    ],
    getset: &[GetSetDef::get_set("memo", |ts, this| PyUnpicklerMemoProxy::make(ts, this.cast()), set_memo, "")],
    ..TypeSpec::EMPTY
});

impl PyUnpickler {
    fn allocate(ts: &ThreadState, of: &PyTypeObject) -> PyResult<Ref<PyUnpickler>> {
        let made = alloc::object::<PyUnpickler>(ts, of)?;
        let place = made.as_raw();
        // SAFETY: the object's memory is zeroed, which is right for the other fields, and nobody else sees it yet.
        unsafe {
            (&raw mut (*place).memo).write(RefCell::new(LoadMemo::new()));
            (&raw mut (*place).input).write(RefCell::new(Input::new()));
        }
        gc::track(ts, &*made);
        Ok(made)
    }

    fn set_up(&self, ts: &ThreadState, options: &[Option<&PyObject>; 4]) -> PyResult<()> {
        let [fix_imports, encoding, errors, buffers] = *options;
        let text = |value: Option<&PyObject>, default: &str, name: &str| match value {
            None => PyStr::intern(ts, default),
            Some(value) => match value.downcast::<PyStr>() {
                Some(text) => Ok(Ref::from_borrowed(text)),
                None => {
                    raise!(ts, exc::TypeError, "Unpickler() argument '{name}' must be str, not {}", value.type_name())
                }
            },
        };
        self.encoding.set(Some(text(encoding, "ASCII", "encoding")?));
        self.errors.set(Some(text(errors, "strict", "errors")?));
        self.fix_imports.set(fix_imports.map_or(Ok(true), |value| protocol::is_true(ts, value))?);
        let buffers = match buffers.filter(|buffers| !is_none(buffers)) {
            Some(buffers) => Some(protocol::iter(ts, buffers)?),
            None => None,
        };
        self.buffers.set(buffers);
        self.state.set(Some(PyPickleState::current(ts)?));
        self.protocol.set(0);
        Ok(())
    }

    fn set_file(&self, ts: &ThreadState, file: &PyObject) -> PyResult<()> {
        let method = |name: &str| attr::get_opt(ts, file, &*PyStr::intern(ts, name)?);
        let (peek, readinto) = (method("peek")?, method("readinto")?);
        let (Some(read), Some(readline)) = (method("read")?, method("readline")?) else {
            return raise!(ts, exc::TypeError, "file must have 'read' and 'readline' attributes");
        };
        self.peek.set(peek);
        self.readinto.set(readinto);
        self.read.set(Some(read));
        self.readline.set(Some(readline));
        Ok(())
    }

    /// The object in a file.
    pub fn load_file(ts: &ThreadState, file: &PyObject, options: &[Option<&PyObject>; 4]) -> PyResult {
        let made = PyUnpickler::allocate(ts, &UNPICKLER_TYPE)?;
        made.set_file(ts, file)?;
        made.set_up(ts, options)?;
        made.load(ts)
    }

    /// The object in bytes.
    pub fn load_bytes(ts: &ThreadState, data: &PyObject, options: &[Option<&PyObject>; 4]) -> PyResult {
        let made = PyUnpickler::allocate(ts, &UNPICKLER_TYPE)?;
        let input = Input::of_object(ts, data)?;
        made.input.replace(input);
        made.set_up(ts, options)?;
        made.load(ts)
    }

    fn load(&self, ts: &ThreadState) -> PyResult {
        let Some(state) = self.state.get() else { return not_initialized(ts, self.as_object()) };
        Loader::new(ts, self, &state)?.load()
    }

    /// What a name of a module stands for, by the method of a subclass.
    pub(super) fn class(&self, ts: &ThreadState, module: &PyStr, name: &PyStr) -> PyResult {
        if core::ptr::eq(self.as_object().ob_type(), &*UNPICKLER_TYPE) {
            return self.find_class(ts, module, name);
        }
        let method = PyStr::intern(ts, "find_class")?;
        call::call_method(ts, self.as_object(), &method, &[module.as_object(), name.as_object()])
    }

    fn find_class(&self, ts: &ThreadState, module: &PyStr, name: &PyStr) -> PyResult {
        let event = PyStr::intern(ts, "pickle.find_class")?;
        crate::modules::sys::auditing::audit(
            ts,
            ts.none().as_object(),
            &[event.as_object(), module.as_object(), name.as_object()],
        )?;
        let (mut module, mut name) = (Ref::from_borrowed(module), Ref::from_borrowed(name));
        if self.protocol.get() < 3 && self.fix_imports.get() {
            (module, name) = self.new_names(ts, module, name)?;
        }
        let found = crate::import::import_module_object(ts, &module)?;
        if self.protocol.get() < 4 || !name.contains(PyStr::latin1_char(b'.')) {
            return attr::get(ts, &found, &name);
        }
        let mut object = found.clone();
        for part in name.split(ts, Some(PyStr::latin1_char(b'.')), usize::MAX)?.iter() {
            match attr::get_opt(ts, &object, part.cast::<PyStr>())? {
                Some(next) => object = next,
                None => {
                    let (name, module) = (name.repr(ts)?, module.repr(ts)?);
                    return raise!(ts, exc::AttributeError, "Can't resolve path {} on module {}", &*name, &*module);
                }
            }
        }
        Ok(object)
    }

    /// The names of today for those of Python 2.
    fn new_names(&self, ts: &ThreadState, module: Ref<PyStr>, name: Ref<PyStr>) -> PyResult<(Ref<PyStr>, Ref<PyStr>)> {
        let Some(state) = self.state.get() else { return not_initialized(ts, self.as_object()) };
        let key = PyTuple::pair(ts, module.as_object(), name.as_object())?;
        if let Some(new) = state.new_names(ts)?.get(ts, key.as_object())? {
            let parts = new.downcast::<PyTuple>().map_or(&[][..], PyTuple::items);
            if let &[new_module, new_name] = parts
                && let (Some(module), Some(name)) = (new_module.downcast::<PyStr>(), new_name.downcast::<PyStr>())
            {
                return Ok((Ref::from_borrowed(module), Ref::from_borrowed(name)));
            }
            return raise!(ts, exc::RuntimeError, "_compat_pickle.NAME_MAPPING values should be 2-tuples of str");
        }
        match state.new_modules(ts)?.get(ts, module.as_object())? {
            None => Ok((module, name)),
            Some(new) => match new.downcast_into::<PyStr>() {
                Ok(module) => Ok((module, name)),
                Err(other) => raise!(
                    ts,
                    exc::RuntimeError,
                    "_compat_pickle.IMPORT_MAPPING values should be strings, not {}",
                    other.type_name()
                ),
            },
        }
    }
}

#[cold]
fn not_initialized<T>(ts: &ThreadState, this: &PyObject) -> PyResult<T> {
    let name = this.type_name();
    raise!(ts, UNPICKLING_ERROR, "Unpickler.__init__() was not called by {name}.__init__()")
}

fn init(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult<()> {
    static SIGNATURE: Signature<5> =
        Signature::new("Unpickler", ["file", "fix_imports", "encoding", "errors", "buffers"], 0, 1, 1);
    let [file, fix_imports, encoding, errors, buffers] = SIGNATURE.parse(ts, args)?;
    let unpickler = this.cast::<PyUnpickler>();
    clear(unpickler);
    unpickler.set_file(ts, file.unwrap_or(this))?;
    unpickler.set_up(ts, &[fix_imports, encoding, errors, buffers])
}

fn load_method(ts: &ThreadState, this: &PyObject) -> PyResult {
    let unpickler = this.cast::<PyUnpickler>();
    if !unpickler.read.is_some() {
        return not_initialized(ts, this);
    }
    unpickler.load(ts)
}

fn find_class_method(ts: &ThreadState, this: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "find_class", args.len(), 2, 2)?;
    match (args[0].downcast::<PyStr>(), args[1].downcast::<PyStr>()) {
        (Some(module), Some(name)) => this.cast::<PyUnpickler>().find_class(ts, module, name),
        _ => raise!(ts, exc::TypeError, "find_class() arguments must be str"),
    }
}

fn sizeof(ts: &ThreadState, this: &PyObject) -> PyResult {
    let memo = this.cast::<PyUnpickler>().memo.borrow().len() * size_of::<PyRef>();
    PyInt::from_usize(ts, alloc::object_size(this) + memo)
}

fn set_memo(ts: &ThreadState, this: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    let Some(value) = value else {
        return raise!(ts, exc::TypeError, "attribute deletion is not supported");
    };
    let memo = if core::ptr::eq(value.ob_type(), &*UNPICKLER_MEMO_PROXY_TYPE) {
        match value.cast::<PyUnpicklerMemoProxy>().unpickler() {
            Some(other) => other.memo.borrow().try_clone()?,
            None => LoadMemo::new(),
        }
    } else if let Some(dict) = value.downcast::<PyDict>() {
        let mut memo = LoadMemo::new();
        let mut position = 0;
        while let Some((number, object)) = dict.next(&mut position) {
            let Some(number) = number.downcast::<PyInt>() else {
                return raise!(ts, exc::TypeError, "memo key must be integers");
            };
            match usize::try_from(number.to_isize(ts)?) {
                Ok(number) => memo.set(number, object)?,
                Err(_) => return raise!(ts, exc::ValueError, "memo key must be positive integers."),
            };
        }
        memo
    } else {
        return raise!(
            ts,
            exc::TypeError,
            "'memo' attribute must be an UnpicklerMemoProxy object or dict, not {}",
            value.type_name()
        );
    };
    let old = this.cast::<PyUnpickler>().memo.replace(memo);
    drop(old);
    Ok(())
}

fn traverse(this: &PyObject, visitor: &mut crate::object::Visitor<'_>) -> ControlFlow<()> {
    let this = this.cast::<PyUnpickler>();
    for slot in [&this.read, &this.readline, &this.readinto, &this.peek, &this.buffers, &this.own_persistent_load] {
        visitor.slot(slot)?;
    }
    visitor.slot(&this.state)?;
    // By I1 the collector never finds it borrowed; a memo that is being changed would not be looked at.
    if let Ok(memo) = this.memo.try_borrow() {
        visitor.objects(memo.items().map(|(_, object)| object))?;
    }
    ControlFlow::Continue(())
}

fn clear(this: &PyUnpickler) {
    for slot in [&this.read, &this.readline, &this.readinto, &this.peek, &this.buffers, &this.own_persistent_load] {
        slot.set(None);
    }
    this.state.set(None);
    this.encoding.set(None);
    this.errors.set(None);
    let memo = this.memo.replace(LoadMemo::new());
    let input = this.input.replace(Input::new());
    // What they have kept alive may end here, and run Python code.
    drop((memo, input));
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for an unpickler, whose fields are dropped here.
    unsafe {
        let this = (*object).cast_unchecked::<PyUnpickler>();
        gc::untrack(&*object);
        clear(this);
        let place = core::ptr::from_ref(this).cast_mut();
        core::ptr::drop_in_place(&raw mut (*place).memo);
        core::ptr::drop_in_place(&raw mut (*place).input);
        alloc::free(ts, object);
    }
}
