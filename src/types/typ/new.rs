//! Making classes: from a name, bases and a namespace.

use core::ffi::c_char;

use crate::object::call::Args;
use crate::object::*;
use crate::state::ThreadState;
use crate::types::cell::PyCell;
use crate::types::descr;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::function::FUNCTION_TYPE;
use crate::types::int::PyInt;
use crate::types::none::none;
use crate::types::object::OBJECT_TYPE;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{id, raise};

use super::layout::best_base;
use super::slots_decl::{Added, declared};
use super::subtype::{places_start, subtype_clear, subtype_dealloc, subtype_traverse};
use super::{TYPE_TYPE, is_type, mro, update};

/// The most derived of a metaclass and the bases' metaclasses.
pub fn calculate_metaclass<'a>(
    ts: &ThreadState,
    meta: &'a PyTypeObject,
    bases: &[&'a PyObject],
) -> PyResult<&'a PyTypeObject> {
    let mut winner = meta;
    for base in bases {
        let of_base = base.ob_type();
        if winner.is_subtype(of_base) {
            continue;
        }
        if of_base.is_subtype(winner) {
            winner = of_base;
            continue;
        }
        return raise!(
            ts,
            exc::TypeError,
            "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses \
             of all its bases"
        );
    }
    Ok(winner)
}

/// A class for the runtime's own use: `type(name, bases, dict)`.
pub fn new_class(ts: &ThreadState, name: &str, bases: &[&PyObject], dict: &PyDict) -> PyResult<PyRef> {
    let name = PyStr::intern(ts, name)?;
    let bases = PyTuple::new(ts, bases)?;
    let args = [name.as_object(), bases.as_object(), dict.as_object()];
    call::call_with(ts, TYPE_TYPE.as_object(), &args)
}

/// `type.__new__`.
pub fn type_new(ts: &ThreadState, metatype: &PyTypeObject, args: Args<'_>) -> PyResult {
    let positional = args.positional();
    let &[name, bases, dict] = positional else {
        return raise!(ts, exc::TypeError, "type.__new__() takes exactly 3 arguments ({} given)", positional.len());
    };
    let Some(name) = name.downcast::<PyStr>() else { return bad_argument(ts, 1, "str", name) };
    let Some(bases) = bases.downcast::<PyTuple>() else { return bad_argument(ts, 2, "tuple", bases) };
    let Some(dict) = dict.downcast::<PyDict>() else { return bad_argument(ts, 3, "dict", dict) };
    for base in bases.items() {
        if !is_type(base) && attr::get_opt(ts, base, id!(__mro_entries__))?.is_some() {
            return raise!(ts, exc::TypeError, "type() doesn't support MRO entry resolution; use types.new_class()");
        }
    }
    let winner = calculate_metaclass(ts, metatype, bases.items())?;
    if !core::ptr::eq(winner, metatype)
        && let Some(new) = winner.slots().new
        && new as usize != type_new as *const () as usize
    {
        return new(ts, winner, args);
    }
    let bases =
        if bases.is_empty() { PyTuple::new(ts, &[OBJECT_TYPE.as_object()])? } else { Ref::from_borrowed(bases) };
    let base = best_base(ts, &bases)?;
    let class = Maker { ts, metatype: winner, name, bases: &bases, base, dict: dict.copy_by_protocol(ts)? }.make()?;
    let typ = class.cast::<PyTypeObject>();
    set_names(ts, typ)?;
    init_subclass(ts, typ, args)?;
    Ok(class)
}

#[cold]
fn bad_argument<T>(ts: &ThreadState, index: usize, expected: &str, got: &PyObject) -> PyResult<T> {
    raise!(ts, exc::TypeError, "type.__new__() argument {index} must be {expected}, not {}", got.type_name())
}

/// A class name in UTF-8 with a NUL at its end, in the mem domain.
pub fn c_name(ts: &ThreadState, name: &PyStr) -> PyResult<*mut c_char> {
    let text = name.utf8(ts)?;
    if text.as_bytes().contains(&0) {
        return raise!(ts, exc::ValueError, "type name must not contain null characters");
    }
    let memory = ts.heap().mem_alloc(text.len() + 1).cast::<u8>();
    if memory.is_null() {
        return Err(hognose_allocators::NoMemory.into());
    }
    // SAFETY: the memory has room for the text and the NUL.
    unsafe {
        core::ptr::copy_nonoverlapping(text.as_ptr(), memory, text.len());
        memory.add(text.len()).write(0);
    }
    Ok(memory.cast())
}

struct Maker<'a> {
    ts: &'a ThreadState,
    metatype: &'a PyTypeObject,
    name: &'a PyStr,
    bases: &'a Ref<PyTuple>,
    base: &'a PyTypeObject,
    dict: Ref<PyDict>,
}

impl Maker<'_> {
    fn make(self) -> PyResult {
        let ts = self.ts;
        let added = declared(ts, self.name, self.base, self.bases, &self.dict)?;
        let class = self.allocate(&added)?;
        let typ = class.cast::<PyTypeObject>();
        let Some(heap_type) = typ.as_heap_type() else {
            return raise!(ts, exc::SystemError, "a new class is not a heap type");
        };
        self.set_attributes(typ, heap_type, &added)?;
        let order = mro::compute(ts, typ)?;
        typ.tp_mro.set(Some(order.clone()));
        self.inherit(typ, heap_type, &order)?;
        for base in self.bases.items() {
            update::add_subclass(ts, base.cast(), typ)?;
        }
        slotupdate::first_slots(ts, typ, self.bases, &order, &self.dict);
        typ.set_flag(flags::READY, true);
        self.warn_of_odd_names()?;
        Ok(class)
    }

    /// The memory of the class, with all that is known before its namespace is looked at.
    fn allocate(&self, added: &Added) -> PyResult {
        let ts = self.ts;
        let size = self.metatype.basicsize().max(size_of::<PyHeapType>());
        // SAFETY: the size is that of an instance of the metaclass, zeroed: empty slots, null pointers.
        let class = unsafe { PyRef::from_owned(alloc::raw(ts, self.metatype, size, true)?) };
        // SAFETY: the memory is that of a heap type, and nothing else knows of it.
        let heap_type = unsafe { &*class.as_raw().cast::<PyHeapType>() };
        let typ = &heap_type.object;
        typ.tp_flags.set(
            (flags::HEAPTYPE | flags::BASETYPE | flags::HAVE_GC | self.base.flags() & MANAGED) as core::ffi::c_ulong,
        );
        typ.tp_cache.set(heap_type.slots.get());
        typ.tp_basicsize.set(self.base.tp_basicsize.get());
        typ.tp_itemsize.set(self.base.tp_itemsize.get());
        typ.tp_dictoffset.set(self.base.tp_dictoffset.get());
        typ.tp_weaklistoffset.set(self.base.tp_weaklistoffset.get());
        typ.tp_name.set(c"?".as_ptr());
        typ.tp_base.set(self.base.as_object().new_ref().into_ptr().cast());
        typ.tp_bases.set(Some(self.bases.clone()));
        typ.tp_dict.set(Some(self.dict.clone()));
        if added.dict {
            typ.set_flag(flags::MANAGED_DICT, true);
            typ.tp_dictoffset.set(-1);
        }
        if added.weakref {
            typ.set_flag(flags::MANAGED_WEAKREF, true);
            typ.tp_weaklistoffset.set(MANAGED_WEAKREF_OFFSET);
        }
        if let Some(names) = &added.names {
            let end = places_start(Some(self.base)) + names.len() * size_of::<Slot<PyObject>>();
            typ.tp_basicsize.set(end as isize);
            heap_type.ht_slots.set(Some(names.clone()));
        }
        let name = c_name(ts, self.name)?;
        heap_type.ht_utf8_name.set(name);
        typ.tp_name.set(name);
        heap_type.ht_name.set(Some(self.name.to_exact(ts)?));
        gc::track_in(ts, &class);
        Ok(class)
    }

    fn set_attributes(&self, typ: &PyTypeObject, heap_type: &PyHeapType, added: &Added) -> PyResult<()> {
        let ts = self.ts;
        let dict = &self.dict;
        if dict.get_str(ts, id!(__module__))?.is_none()
            && let Some(globals) = crate::vm::frame::current_globals(ts)
            && let Some(module) = globals.get_str(ts, id!(__name__))?
        {
            dict.set_str(ts, id!(__module__), &module)?;
        }
        self.set_qualname(heap_type)?;
        self.wrap(id!(__new__), crate::types::classmethod::staticmethod)?;
        self.wrap(id!(__init_subclass__), crate::types::classmethod::classmethod)?;
        self.wrap(id!(__class_getitem__), crate::types::classmethod::classmethod)?;
        // A place may have the name that a cell comes under.
        self.fill_cells(typ)?;
        if let Some(names) = &added.names {
            let start = places_start(Some(self.base));
            for (index, name) in names.items().iter().enumerate() {
                let name = name.cast::<PyStr>();
                let offset = start + index * size_of::<Slot<PyObject>>();
                let place = descr::slot_descriptor(ts, typ, name, offset)?;
                dict.set_str(ts, name, &place)?;
            }
        }
        if added.dict && dict.get_str(ts, id!(__dict__))?.is_none() {
            let place = descr::getset_descriptor(ts, typ, &super::attributes::INSTANCE_DICT)?;
            dict.set_str(ts, id!(__dict__), &place)?;
        }
        if added.weakref && dict.get_str(ts, id!(__weakref__))?.is_none() {
            let place = descr::getset_descriptor(ts, typ, &super::attributes::INSTANCE_WEAKREF)?;
            dict.set_str(ts, id!(__weakref__), &place)?;
        }
        match dict.get_str(ts, id!(__doc__))? {
            None => dict.set_str(ts, id!(__doc__), none())?,
            // C code reads it as UTF-8.
            Some(doc) => match doc.downcast::<PyStr>() {
                Some(doc) if !doc.is_ascii() => {
                    doc.utf8(ts)?;
                }
                _ => {}
            },
        }
        if dict.get_str(ts, id!(__hash__))?.is_none() && dict.get_str(ts, id!(__eq__))?.is_some() {
            dict.set_str(ts, id!(__hash__), none())?;
        }
        Ok(())
    }

    /// Names that are no str are allowed, but nothing finds them.
    fn warn_of_odd_names(&self) -> PyResult<()> {
        let (ts, mut position) = (self.ts, 0);
        if self.dict.has_str_keys() {
            return Ok(());
        }
        while let Some((name, _)) = self.dict.next(&mut position) {
            if !name.is_a::<PyStr>() {
                let message = PyStr::format(ts, format_args!("non-string key in the __dict__ of class {}", self.name))?;
                return exc::warn(ts, &exc::RuntimeWarning, message.utf8(ts)?, 1);
            }
        }
        Ok(())
    }

    fn set_qualname(&self, heap_type: &PyHeapType) -> PyResult<()> {
        let ts = self.ts;
        let qualname = match self.dict.get_str(ts, id!(__qualname__))? {
            None => heap_type.ht_name.get(),
            Some(qualname) => match qualname.downcast_into::<PyStr>() {
                Ok(qualname) => {
                    self.dict.remove_str(ts, id!(__qualname__))?;
                    Some(qualname)
                }
                Err(other) => {
                    return raise!(ts, exc::TypeError, "type __qualname__ must be a str, not {}", other.type_name());
                }
            },
        };
        heap_type.ht_qualname.set(qualname);
        Ok(())
    }

    /// Wraps a plain function of the namespace that is meant to be a static or class method.
    fn wrap(&self, name: &PyStr, wrapper: fn(&ThreadState, &PyObject) -> PyResult) -> PyResult<()> {
        if let Some(function) = self.dict.get_str(self.ts, name)?
            && core::ptr::eq(function.ob_type(), &FUNCTION_TYPE.object)
        {
            let wrapped = wrapper(self.ts, &function)?;
            self.dict.set_str(self.ts, name, &wrapped)?;
        }
        Ok(())
    }

    /// Gives the class and its namespace to the cells of the class body's functions.
    fn fill_cells(&self, typ: &PyTypeObject) -> PyResult<()> {
        let ts = self.ts;
        if let Some(cell) = self.dict.get_str(ts, id!(__classcell__))? {
            let Some(cell) = cell.downcast_exact::<PyCell>() else {
                let kind = protocol::repr(ts, cell.ob_type().as_object())?;
                return raise!(ts, exc::TypeError, "__classcell__ must be a nonlocal cell, not {}", &*kind);
            };
            cell.set(Some(typ.as_object().new_ref()));
            self.dict.remove_str(ts, id!(__classcell__))?;
        }
        if let Some(cell) = self.dict.get_str(ts, id!(__classdictcell__))? {
            let Some(cell) = cell.downcast_exact::<PyCell>() else {
                let kind = protocol::repr(ts, cell.ob_type().as_object())?;
                return raise!(ts, exc::TypeError, "__classdictcell__ must be a nonlocal cell, not {}", &*kind);
            };
            cell.set(Some(self.dict.as_object().new_ref()));
            self.dict.remove_str(ts, id!(__classdictcell__))?;
        }
        Ok(())
    }

    /// Takes over what the bases give, and decides on inline values.
    fn inherit(&self, typ: &PyTypeObject, heap_type: &PyHeapType, order: &PyTuple) -> PyResult<()> {
        let ts = self.ts;
        // SAFETY: the class is not in use yet.
        let slots = unsafe { typ.slots_mut() };
        slots.dealloc = Some(subtype_dealloc);
        slots.traverse = Some(subtype_traverse);
        slots.clear = Some(subtype_clear);
        for base in order.items().iter().skip(1) {
            ready::inherit_pattern(typ, base.cast());
        }
        ready::inherit(typ, self.base, slots);
        for base in order.items().iter().skip(1) {
            ready::inherit(typ, base.cast(), slots);
        }
        let plain = core::ptr::eq(native_base(typ), &OBJECT_TYPE.object);
        if plain && typ.has_flag(flags::MANAGED_DICT) {
            let expected = match self.dict.get_str(ts, id!(__static_attributes__))? {
                Some(names) => names.downcast::<PyTuple>().map_or(0, |names| names.len()),
                None => 0,
            };
            instance::init_shared_keys(ts, heap_type, expected)?;
        } else {
            typ.set_flag(flags::INLINE_VALUES, false);
        }
        Ok(())
    }
}

/// Flags about what stands before instances: what a base has, its subclasses have.
const MANAGED: usize = flags::MANAGED_DICT | flags::MANAGED_WEAKREF;
/// Where C finds a managed list of weak references.
const MANAGED_WEAKREF_OFFSET: isize = -32;

/// The nearest base that is not a class of Python's making.
pub fn native_base(typ: &PyTypeObject) -> &PyTypeObject {
    let mut at = typ;
    while at.is_heap_type()
        && let Some(base) = at.base()
    {
        at = base;
    }
    at
}

/// Tells the values of the namespace under which name they are in which class.
fn set_names(ts: &ThreadState, typ: &PyTypeObject) -> PyResult<()> {
    let Some(dict) = typ.dict(ts) else { return Ok(()) };
    let names = dict.copy(ts)?;
    let mut position = 0;
    while let Some((name, value)) = names.next(&mut position) {
        // Plain functions, the most of what there is, have none.
        if core::ptr::eq(value.ob_type(), &FUNCTION_TYPE.object) {
            continue;
        }
        let Some(method) = attr::bind_special(ts, &value, id!(__set_name__))? else { continue };
        if let Err(raised) = call::call_with(ts, &method, &[typ.as_object(), &name]) {
            let error = ts.take_raised(raised);
            let name = protocol::repr(ts, &name)?;
            let note = PyStr::format(
                ts,
                format_args!(
                    "Error calling __set_name__ on '{}' instance {} in '{}'",
                    value.type_name(),
                    &*name,
                    typ.full_name()
                ),
            )?;
            call::call_method(ts, &error, id!(add_note), &[note.as_object()])?;
            return Err(ts.restore_raised(error));
        }
    }
    Ok(())
}

/// `super(typ, typ).__init_subclass__(**keywords)`.
fn init_subclass(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult<()> {
    let (function, _) = crate::types::super_::lookup(ts, typ, typ.as_object(), id!(__init_subclass__), false)?;
    let keywords = &args.all()[args.len()..];
    call::call(ts, &function, Args::new(keywords, args.keyword_names()))?;
    Ok(())
}

/// The flags as Python sees them (`__flags__`).
pub fn flags_object(ts: &ThreadState, typ: &PyTypeObject) -> PyResult {
    PyInt::from_usize(ts, typ.flags())
}
