//! Objects, references and types. Declared in `object.h` and `refcount.h`.

use core::ffi::{CStr, c_int, c_uint, c_ulong, c_void};

use super::convert::{Borrowed, Void, bad_internal_call, guard, name, null_argument};
use crate::object::{
    AsObject, CompareOp, PyHeapType, PyObject, PyRef, PyResult, PyTypeObject, Ref, alloc, attr, header, protocol,
};
use crate::state::ThreadState;
use crate::types::bool::{false_object, true_object};
use crate::types::bytes::PyBytes;
use crate::types::ellipsis::ELLIPSIS;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{capi, capi_fast, id, raise};

// References.

/// Counts one more reference; null does nothing.
///
/// # Safety
///
/// A thread state is attached; `object` is an object or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_IncRef(object: *mut PyObject) {
    // SAFETY: as promised.
    if let Some(object) = unsafe { object.as_ref() } {
        object.incref();
    }
}

/// Gives a reference up; null does nothing.
///
/// # Safety
///
/// A thread state is attached; `object` is null or an object to which the caller owns a reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_DecRef(object: *mut PyObject) {
    if !object.is_null() {
        // SAFETY: as promised.
        unsafe { header::decref_unattended(object) }
    }
}

/// [`Py_IncRef`] for what is not null.
///
/// # Safety
///
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_IncRef(object: *mut PyObject) {
    // SAFETY: as promised.
    unsafe { Py_IncRef(object) }
}

/// [`Py_DecRef`] for what is not null.
///
/// # Safety
///
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_DecRef(object: *mut PyObject) {
    // SAFETY: as promised.
    unsafe { Py_DecRef(object) }
}

/// Ends an object whose count has reached zero: what `Py_DECREF` of C code calls.
///
/// # Safety
///
/// A thread state is attached; the count is zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_Dealloc(object: *mut PyObject) {
    // SAFETY: as promised.
    unsafe { crate::object::dealloc::dealloc_unattended(object) }
}

/// A new reference.
///
/// # Safety
///
/// A thread state is attached; `object` is an object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_NewRef(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: as promised.
    unsafe { Py_IncRef(object) };
    object
}

/// A new reference, or null for null.
///
/// # Safety
///
/// A thread state is attached; `object` is an object or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_XNewRef(object: *mut PyObject) -> *mut PyObject {
    // SAFETY: as promised.
    unsafe { Py_IncRef(object) };
    object
}

/// The reference count.
///
/// # Safety
///
/// A thread state is attached; `object` is an object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_REFCNT(object: *mut PyObject) -> isize {
    // SAFETY: as promised.
    unsafe { (*object).refcnt() }
}

/// The type, borrowed.
///
/// # Safety
///
/// A thread state is attached; `object` is an object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_TYPE(object: *mut PyObject) -> *mut PyTypeObject {
    // SAFETY: as promised.
    core::ptr::from_ref(unsafe { (*object).ob_type() }).cast_mut()
}

/// The constants by number, in the order of `Py_CONSTANT_*`.
fn constant(number: c_uint) -> Option<PyRef> {
    Some(PyRef::from_borrowed(match number {
        0 => none(),
        1 => false_object(),
        2 => true_object(),
        3 => &ELLIPSIS,
        4 => &crate::types::notimplemented::NOT_IMPLEMENTED,
        5 => PyInt::zero(),
        6 => PyInt::one(),
        // The empty ones are immortal: the references outlive these temporaries.
        7 => return Some(PyStr::empty().into_object()),
        8 => return Some(PyBytes::empty().into_object()),
        9 => return Some(PyTuple::empty().into_object()),
        _ => return None,
    }))
}

capi! {
    /// A constant, as a new reference (all are immortal).
    fn Py_GetConstant(ts, number: c_uint) -> PyRef {
        match constant(number) {
            Some(object) => Ok(object),
            None => bad_internal_call(ts, "Py_GetConstant"),
        }
    }

    /// A constant, borrowed.
    fn Py_GetConstantBorrowed(ts, number: c_uint) -> Borrowed {
        match constant(number) {
            Some(object) => Ok(Borrowed::kept(object)),
            None => bad_internal_call(ts, "Py_GetConstantBorrowed"),
        }
    }
}

// Texts.

/// What printing functions show for a null pointer.
fn null_text(ts: &ThreadState) -> PyResult<Ref<PyStr>> {
    PyStr::intern(ts, "<NULL>")
}

capi! {
    /// `repr(object)`.
    fn PyObject_Repr(ts, object: Option<&PyObject>) -> Ref<PyStr> {
        object.map_or_else(|| null_text(ts), |object| protocol::repr(ts, object))
    }

    /// `str(object)`.
    fn PyObject_Str(ts, object: Option<&PyObject>) -> Ref<PyStr> {
        object.map_or_else(|| null_text(ts), |object| protocol::str(ts, object))
    }

    /// `ascii(object)`.
    fn PyObject_ASCII(ts, object: Option<&PyObject>) -> Ref<PyStr> {
        object.map_or_else(|| null_text(ts), |object| protocol::ascii(ts, object))
    }

    /// `dir(object)`, or the names of the running code's local variables.
    fn PyObject_Dir(ts, object: Option<&PyObject>) -> Ref<PyList> {
        match object {
            Some(object) => protocol::dir(ts, object),
            None => {
                let Some(locals) = super::ceval::locals(ts)? else { return bad_internal_call(ts, "PyObject_Dir") };
                let names = protocol::mapping_list(ts, &locals, id!(keys))?;
                names.sort(ts, None, false)?;
                Ok(names)
            }
        }
    }
}

// Truth, comparison, hashes.

capi! {
    /// `bool(object)`.
    fn PyObject_IsTrue(ts, object: &PyObject) -> bool {
        protocol::is_true(ts, object)
    }

    /// `not object`.
    fn PyObject_Not(ts, object: &PyObject) -> bool {
        Ok(!protocol::is_true(ts, object)?)
    }

    /// A comparison's object.
    fn PyObject_RichCompare(ts, left: &PyObject, right: &PyObject, op: c_int) -> PyRef {
        match CompareOp::from_c(op) {
            Some(op) => protocol::compare(ts, left, right, op),
            None => bad_internal_call(ts, "PyObject_RichCompare"),
        }
    }

    /// A comparison's truth; an object is equal to itself without being asked.
    fn PyObject_RichCompareBool(ts, left: &PyObject, right: &PyObject, op: c_int) -> bool {
        match CompareOp::from_c(op) {
            Some(op) => protocol::compare_bool(ts, left, right, op),
            None => bad_internal_call(ts, "PyObject_RichCompareBool"),
        }
    }

    /// `hash(object)`.
    fn PyObject_Hash(ts, object: &PyObject) -> isize {
        protocol::hash(ts, object)
    }

    /// TypeError: for the `tp_hash` of what cannot be hashed.
    fn PyObject_HashNotImplemented(ts, object: &PyObject) -> isize {
        raise!(ts, exc::TypeError, "unhashable type: '{}'", object.type_name())
    }

    /// The hash by identity.
    fn PyObject_GenericHash(ts, object: &PyObject) -> isize {
        Ok(protocol::hash_pointer(object))
    }

    /// 1 when the object can be called.
    fn PyCallable_Check(ts, object: Option<&PyObject>) -> bool {
        Ok(object.is_some_and(crate::object::call::is_callable))
    }
}

/// The hash of an address.
#[unsafe(no_mangle)]
pub extern "C" fn Py_HashPointer(pointer: *const c_void) -> isize {
    match pointer.addr().rotate_right(4) as isize {
        -1 => -2,
        hash => hash,
    }
}

/// The hash of bytes, as `bytes` and `str` have it.
///
/// # Safety
///
/// `data` has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn Py_HashBuffer(data: *const c_void, len: isize) -> isize {
    if len <= 0 {
        return 0;
    }
    // SAFETY: as promised.
    crate::types::hash::hash_bytes(unsafe { super::convert::borrowed_bytes(data, len as usize) })
}

/// The same: the name of old.
///
/// # Safety
///
/// As for [`Py_HashBuffer`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Py_HashBytes(data: *const c_void, len: isize) -> isize {
    // SAFETY: as promised.
    unsafe { Py_HashBuffer(data, len) }
}

// Attributes.

/// The name of an attribute, which C hands in as any object.
fn attribute_name<'a>(ts: &ThreadState, object: &'a PyObject) -> PyResult<&'a PyStr> {
    match object.downcast::<PyStr>() {
        Some(name) => Ok(name),
        None => raise!(ts, exc::TypeError, "attribute name must be string, not '{}'", object.type_name()),
    }
}

capi! {
    /// `object.name`.
    fn PyObject_GetAttr(ts, object: &PyObject, attribute: &PyObject) -> PyRef {
        attr::get(ts, object, attribute_name(ts, attribute)?)
    }

    /// `object.name`.
    fn PyObject_GetAttrString(ts, object: &PyObject, attribute: &CStr) -> PyRef {
        attr::get(ts, object, &*name(ts, attribute)?)
    }

    /// 1 and the attribute, or 0 when there is none.
    fn PyObject_GetOptionalAttr(ts, object: &PyObject, attribute: &PyObject, result: *mut *mut PyObject) -> bool {
        super::dictobject::no_answer(result);
        Ok(super::dictobject::answer(attr::get_opt(ts, object, attribute_name(ts, attribute)?)?, result))
    }

    /// 1 and the attribute, or 0 when there is none.
    fn PyObject_GetOptionalAttrString(ts, object: &PyObject, attribute: &CStr, result: *mut *mut PyObject) -> bool {
        super::dictobject::no_answer(result);
        Ok(super::dictobject::answer(attr::get_opt(ts, object, &*name(ts, attribute)?)?, result))
    }

    /// `object.name = value`, or `del object.name` for null.
    fn PyObject_SetAttr(ts, object: &PyObject, attribute: &PyObject, value: Option<&PyObject>) -> () {
        attr::set_or_delete(ts, object, attribute_name(ts, attribute)?, value)
    }

    /// `object.name = value`, or `del object.name` for null.
    fn PyObject_SetAttrString(ts, object: &PyObject, attribute: &CStr, value: Option<&PyObject>) -> () {
        attr::set_or_delete(ts, object, &*name(ts, attribute)?, value)
    }

    /// `del object.name`.
    fn PyObject_DelAttr(ts, object: &PyObject, attribute: &PyObject) -> () {
        attr::delete(ts, object, attribute_name(ts, attribute)?)
    }

    /// `del object.name`.
    fn PyObject_DelAttrString(ts, object: &PyObject, attribute: &CStr) -> () {
        attr::delete(ts, object, &*name(ts, attribute)?)
    }

    /// Whether the attribute is there; errors other than AttributeError are passed on.
    fn PyObject_HasAttrWithError(ts, object: &PyObject, attribute: &PyObject) -> bool {
        attr::has(ts, object, attribute_name(ts, attribute)?)
    }

    /// Whether the attribute is there; errors other than AttributeError are passed on.
    fn PyObject_HasAttrStringWithError(ts, object: &PyObject, attribute: &CStr) -> bool {
        attr::has(ts, object, &*name(ts, attribute)?)
    }

    /// Whether the attribute is there; errors are reported as unraisable.
    fn PyObject_HasAttr(ts, object: &PyObject, attribute: &PyObject) -> bool {
        let found = attribute_name(ts, attribute).and_then(|name| attr::has(ts, object, name));
        Ok(found.unwrap_or_else(|raised| unheard(ts, raised, object)))
    }

    /// Whether the attribute is there; errors are reported as unraisable.
    fn PyObject_HasAttrString(ts, object: &PyObject, attribute: &CStr) -> bool {
        let found = name(ts, attribute).and_then(|name| attr::has(ts, object, &name));
        Ok(found.unwrap_or_else(|raised| unheard(ts, raised, object)))
    }

    /// The look-up of types without `__getattr__`: for `tp_getattro`.
    fn PyObject_GenericGetAttr(ts, object: &PyObject, attribute: &PyObject) -> PyRef {
        attr::generic_get(ts, object, attribute_name(ts, attribute)?)
    }

    /// The same for setting, and for deleting with null.
    fn PyObject_GenericSetAttr(ts, object: &PyObject, attribute: &PyObject, value: Option<&PyObject>) -> () {
        attr::generic_set(ts, object, attribute_name(ts, attribute)?, value)
    }
}

/// Reports what a function without a way to fail has met.
fn unheard(ts: &ThreadState, raised: crate::object::Raised, object: &PyObject) -> bool {
    exc::write_unraisable(ts, raised, None, object);
    false
}

/// A `__dict__` getter for `PyGetSetDef`.
///
/// # Safety
///
/// A thread state is attached; `object` is an object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_GenericGetDict(object: *mut PyObject, _context: *mut c_void) -> *mut PyObject {
    guard::<PyRef>("PyObject_GenericGetDict", |ts| {
        // SAFETY: as promised.
        match unsafe { object.as_ref() } {
            Some(object) => attr::get_dict_attribute(ts, object),
            None => null_argument(ts),
        }
    })
}

/// A `__dict__` setter for `PyGetSetDef`.
///
/// # Safety
///
/// A thread state is attached; `object` is an object, `value` one or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_GenericSetDict(
    object: *mut PyObject,
    value: *mut PyObject,
    _context: *mut c_void,
) -> c_int {
    guard::<()>("PyObject_GenericSetDict", |ts| {
        // SAFETY: as promised.
        let (object, value) = unsafe { (object.as_ref(), value.as_ref()) };
        match object {
            Some(object) => attr::set_dict_attribute(ts, object, value),
            None => null_argument(ts),
        }
    })
}

capi! {
    /// The iterator itself: for `tp_iter`.
    fn PyObject_SelfIter(ts, object: &PyObject) -> PyRef {
        Ok(object.new_ref())
    }

    /// False, as there is always a next: for `tp_iternext` of what is none.
    fn _PyObject_NextNotImplemented(ts, object: &PyObject) -> PyRef {
        raise!(ts, exc::TypeError, "'{}' object is not iterable", object.type_name())
    }

    /// Whether the object's `repr` is running already (then 1); notes that it is.
    fn Py_ReprEnter(ts, object: &PyObject) -> bool {
        protocol::repr_enter(ts, object)
    }

    /// Notes that it has ended.
    fn Py_ReprLeave(ts, object: &PyObject) -> Void {
        protocol::repr_leave(ts, object);
        Ok(Void)
    }

    /// Clears the weak references to an object, for `tp_dealloc`.
    fn PyObject_ClearWeakRefs(ts, object: &PyObject) -> Void {
        crate::object::weakref::clear_all(ts, object);
        Ok(Void)
    }
}

// Types.

fn as_type<'a>(typ: *mut PyTypeObject) -> &'a PyTypeObject {
    // SAFETY: the header asks for a type.
    unsafe { &*typ }
}

capi_fast! {
    /// The type's flags.
    fn PyType_GetFlags(_ts, typ: *mut PyTypeObject) -> c_ulong {
        Ok(as_type(typ).flags() as c_ulong)
    }

    /// Whether a type is another or a subtype of it.
    fn PyType_IsSubtype(_ts, typ: *mut PyTypeObject, of: *mut PyTypeObject) -> bool {
        Ok(as_type(typ).is_subtype(as_type(of)))
    }
}

/// Whether an object is an instance of a type or of a subtype, by its type alone.
///
/// # Safety
///
/// Both are live.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_TypeCheck(object: *mut PyObject, typ: *mut PyTypeObject) -> c_int {
    // SAFETY: as promised.
    unsafe { (*object).ob_type().is_subtype(&*typ).into() }
}

capi! {
    /// `type.__name__`.
    fn PyType_GetName(ts, typ: *mut PyTypeObject) -> PyRef {
        attr::get(ts, as_type(typ).as_object(), id!(__name__))
    }

    /// `type.__qualname__`.
    fn PyType_GetQualName(ts, typ: *mut PyTypeObject) -> PyRef {
        attr::get(ts, as_type(typ).as_object(), id!(__qualname__))
    }

    /// `type.__module__`.
    fn PyType_GetModuleName(ts, typ: *mut PyTypeObject) -> PyRef {
        attr::get(ts, as_type(typ).as_object(), id!(__module__))
    }

    /// The name with its module, where that is not `builtins` or `__main__`.
    fn PyType_GetFullyQualifiedName(ts, typ: *mut PyTypeObject) -> PyRef {
        full_name(ts, as_type(typ), '.').map(Ref::into_object)
    }

    /// The type's dictionary.
    fn PyType_GetDict(ts, typ: *mut PyTypeObject) -> PyRef {
        match as_type(typ).dict(ts) {
            Some(dict) => Ok(dict.into_object()),
            None => bad_internal_call(ts, "PyType_GetDict"),
        }
    }

    /// Forgets what is cached about a type and its subtypes.
    fn PyType_Modified(ts, typ: *mut PyTypeObject) -> Void {
        crate::types::typ::modified(ts, as_type(typ));
        Ok(Void)
    }

    /// Gives a type a version tag if it has none: 1, or 0 when there is none to be had.
    fn PyUnstable_Type_AssignVersionTag(ts, typ: *mut PyTypeObject) -> i32 {
        Ok(attr::assign_version(ts, as_type(typ)).into())
    }

    /// A new instance, for `tp_alloc`.
    fn PyType_GenericAlloc(ts, typ: *mut PyTypeObject, items: isize) -> PyRef {
        let typ = as_type(typ);
        let Ok(items) = usize::try_from(items) else { return bad_internal_call(ts, "PyType_GenericAlloc") };
        let made = if typ.itemsize() == 0 {
            alloc::object::<PyObject>(ts, typ)?
        } else {
            alloc::var_object::<PyObject>(ts, typ, items)?
        };
        if typ.is_gc() {
            crate::object::gc::track(ts, &*made);
        }
        Ok(made)
    }

    /// The module that a type was made with.
    fn PyType_GetModule(ts, typ: *mut PyTypeObject) -> Borrowed {
        let typ = as_type(typ);
        let Some(heap) = typ.as_heap_type() else {
            return raise!(ts, exc::TypeError, "PyType_GetModule: Type '{}' is not a heap type", typ.full_name());
        };
        match heap.ht_module.get() {
            Some(module) => Ok(Borrowed::kept(module)),
            None => raise!(ts, exc::TypeError, "PyType_GetModule: Type '{}' has no associated module", typ.full_name()),
        }
    }

    /// That module's state.
    fn PyType_GetModuleState(ts, typ: *mut PyTypeObject) -> *mut c_void {
        let typ = as_type(typ);
        let module = typ.as_heap_type().and_then(|heap: &PyHeapType| heap.ht_module.get());
        match module.as_ref().and_then(|m| m.downcast::<crate::types::module::PyModule>()) {
            Some(module) => Ok(module.md_state.get()),
            None => raise!(ts, exc::TypeError, "PyType_GetModule: Type '{}' has no associated module", typ.full_name()),
        }
    }
}

/// A type's name with its module, as messages have it.
pub(crate) fn full_name(ts: &ThreadState, typ: &PyTypeObject, separator: char) -> PyResult<Ref<PyStr>> {
    let qualname = attr::get(ts, typ.as_object(), id!(__qualname__))?;
    let qualname = protocol::str(ts, &qualname)?;
    let module = attr::get_opt(ts, typ.as_object(), id!(__module__))?;
    match module.as_ref().and_then(|m| m.downcast::<PyStr>()) {
        Some(module) if !module.equals_str("builtins") && !module.equals_str("__main__") => {
            PyStr::format(ts, format_args!("{module}{separator}{qualname}"))
        }
        _ => Ok(qualname),
    }
}

/// Clears the method cache; returns the last version tag that was given.
#[unsafe(no_mangle)]
pub extern "C" fn PyType_ClearCache() -> c_uint {
    let ts = ThreadState::current();
    ts.interp().type_cache.clear();
    ts.interp().versions().next_type.get().saturating_sub(1)
}

// Printing.

/// Writes `repr(object)`, or `str(object)` with `Py_PRINT_RAW`, to a C stream.
///
/// # Safety
///
/// A thread state is attached; `object` is an object or null, `stream` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_Print(object: *mut PyObject, stream: *mut libc::FILE, flags: c_int) -> c_int {
    const PRINT_RAW: c_int = 1;
    guard::<()>("PyObject_Print", |ts| {
        // SAFETY: as promised.
        let text = match unsafe { object.as_ref() } {
            None => PyStr::intern(ts, "<nil>")?,
            Some(object) if flags & PRINT_RAW != 0 => protocol::str(ts, object)?,
            Some(object) => protocol::repr(ts, object)?,
        };
        let bytes = crate::types::str::codec::encode_utf8(ts, &text, "backslashreplace")?;
        // SAFETY: the bytes are readable, the stream is the caller's.
        let written = unsafe { libc::fwrite(bytes.as_slice().as_ptr().cast(), 1, bytes.len(), stream) };
        if written != bytes.len() {
            return Err(exc::raise_os_error(ts, super::pyerrors::errno(), None));
        }
        Ok(())
    })
}

/// Describes an object on the C library's standard error: for debuggers.
///
/// # Safety
///
/// A thread state is attached; `object` is an object or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _PyObject_Dump(object: *mut PyObject) {
    use core::fmt::Write;
    let mut out = crate::lifecycle::finalize::StandardError;
    // SAFETY: as promised. What cannot be written has no one to tell.
    let _ = match unsafe { object.as_ref() } {
        None => writeln!(out, "<object at NULL>"),
        Some(object) => {
            writeln!(
                out,
                "object address  : {object:p}\nobject refcount : {}\nobject type     : {:p}\nobject type name: {}",
                object.refcnt(),
                object.ob_type(),
                object.ob_type().full_name()
            )
        }
    };
}
