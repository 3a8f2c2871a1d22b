//! Special methods and slots: which name fills which slot, in both directions.
//!
//! ```text
//!   native slot ──(wrapper)──► wrapper_descriptor in the type's dictionary     `int.__add__`
//!   Python method ──(generic slot function)──► slot of the heap type          `class C: def __add__`
//! ```
//!
//! A [`SlotDef`] names one special method: the slot's place in [`TypeSlots`], the function that calls a
//! native slot with Python arguments, and the slot function that calls the Python method. `slotupdate` decides which
//! of the two a heap type's slot gets.

use super::attr::{Method, lookup_special, lookup_type};
use super::call::{Args, call, call_with, check_count};
use super::error::PyResult;
use super::header::PyObject;
use super::protocol;
use super::reference::{AsObject, PyRef};
use super::slots::*;
use super::typeobj::PyTypeObject;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::descr::PyWrapperDescr;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::{is_none, none};
use crate::types::notimplemented::{is_not_implemented, not_implemented};
use crate::types::str::PyStr;
use crate::{id, raise};

/// A native slot function, its type forgotten.
pub type RawSlot = *const ();

/// Calls a native slot with a Python call's arguments; the first argument is `self`.
pub type WrapperFn = fn(&ThreadState, RawSlot, &PyObject, Args<'_>) -> PyResult;

/// One special method.
pub struct SlotDef {
    /// The method's name.
    pub name: &'static PyStr,
    /// The same as text, for what is worked out when Hognose is built.
    pub(super) text: &'static str,
    /// The slot's offset in [`TypeSlots`].
    pub offset: usize,
    /// The slot function for types whose method is not native; null when there is none.
    pub generic: RawSlot,
    /// Calls the native slot.
    pub wrapper: WrapperFn,
    /// The wrapper's docstring.
    pub doc: &'static str,
}

// SAFETY: the pointers are to functions.
unsafe impl Sync for SlotDef {}

impl TypeSlots {
    /// The slot at an offset, as a word; null for none.
    #[inline]
    pub fn word(&self, offset: usize) -> RawSlot {
        debug_assert!(offset < size_of::<TypeSlots>());
        // SAFETY: the table consists of optional function pointers, each one word, null for none.
        unsafe { core::ptr::from_ref(self).cast::<u8>().add(offset).cast::<RawSlot>().read() }
    }

    /// Sets the slot at an offset.
    ///
    /// # Safety
    /// The word is null or a function of that slot's type.
    pub unsafe fn set_word(&mut self, offset: usize, word: RawSlot) {
        debug_assert!(offset < size_of::<TypeSlots>());
        // SAFETY: as in `word`; the caller vouches for the type.
        unsafe { core::ptr::from_mut(self).cast::<u8>().add(offset).cast::<RawSlot>().write(word) }
    }
}

/// Gives a raw slot its type back: `slot!(raw as UnaryFn)`.
macro_rules! slot {
    ($raw:ident as $ty:ty) => {{
        let function: $ty =
            // SAFETY: a wrapper is only ever called with the slot of its own definition.
            unsafe { core::mem::transmute::<RawSlot, $ty>($raw) };
        function
    }};
}

// ---- wrappers: from a Python call to a native slot ----

fn arity<'a>(ts: &ThreadState, args: Args<'a>, count: usize) -> PyResult<&'a [&'a PyObject]> {
    if args.has_keywords() {
        return raise!(ts, exc::TypeError, "wrapper takes no keyword arguments");
    }
    let given = args.len();
    if given != count {
        let plural = if count == 1 { "" } else { "s" };
        return raise!(ts, exc::TypeError, "expected {count} argument{plural}, got {given}");
    }
    Ok(args.positional())
}

fn wrap_unary(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    arity(ts, args, 0)?;
    slot!(raw as UnaryFn)(ts, this)
}

fn wrap_binary(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = arity(ts, args, 1)?;
    slot!(raw as BinaryFn)(ts, this, args[0])
}

fn wrap_binary_reflected(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = arity(ts, args, 1)?;
    slot!(raw as BinaryFn)(ts, args[0], this)
}

fn wrap_power(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = args.no_keywords(ts, "wrapper")?;
    check_count(ts, "", args.len(), 1, 2)?;
    let third = args.get(1).copied().unwrap_or(none());
    slot!(raw as TernaryFn)(ts, this, args[0], third)
}

fn wrap_power_reflected(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = args.no_keywords(ts, "wrapper")?;
    check_count(ts, "", args.len(), 1, 2)?;
    let third = args.get(1).copied().unwrap_or(none());
    slot!(raw as TernaryFn)(ts, args[0], this, third)
}

fn wrap_predicate(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    arity(ts, args, 0)?;
    Ok(py_bool(slot!(raw as PredicateFn)(ts, this)?))
}

fn wrap_length(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    arity(ts, args, 0)?;
    PyInt::from_usize(ts, slot!(raw as LengthFn)(ts, this)?)
}

fn wrap_hash(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    arity(ts, args, 0)?;
    PyInt::from_i64(ts, slot!(raw as fn(&ThreadState, &PyObject) -> PyResult<isize>)(ts, this)? as i64)
}

fn wrap_call(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    slot!(raw as CallFn)(ts, this, args)
}

fn wrap_getattr(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = arity(ts, args, 1)?;
    slot!(raw as GetAttrFn)(ts, this, attribute_name(ts, args[0])?)
}

fn attribute_name<'a>(ts: &ThreadState, name: &'a PyObject) -> PyResult<&'a PyStr> {
    match name.downcast::<PyStr>() {
        Some(name) => Ok(name),
        None => raise!(ts, exc::TypeError, "attribute name must be string, not '{}'", name.type_name()),
    }
}

/// `object.__setattr__(x, …)` must not get round a more special type's own setting of attributes.
fn check_set_is_allowed(ts: &ThreadState, this: &PyObject, raw: RawSlot, what: &str) -> PyResult<()> {
    let mut typ = Some(this.ob_type());
    while let Some(t) = typ {
        if !t.is_heap_type() {
            let own = t.slots().setattro.map_or(core::ptr::null(), |f| f as RawSlot);
            if own != raw {
                return raise!(ts, exc::TypeError, "can't apply this {what} to {} object", this.type_name());
            }
            break;
        }
        typ = t.base();
    }
    Ok(())
}

fn wrap_setattr(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = arity(ts, args, 2)?;
    check_set_is_allowed(ts, this, raw, "__setattr__")?;
    slot!(raw as SetAttrFn)(ts, this, attribute_name(ts, args[0])?, Some(args[1]))?;
    Ok(ts.none())
}

fn wrap_delattr(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = arity(ts, args, 1)?;
    check_set_is_allowed(ts, this, raw, "__delattr__")?;
    slot!(raw as SetAttrFn)(ts, this, attribute_name(ts, args[0])?, None)?;
    Ok(ts.none())
}

macro_rules! wrap_compare {
    ($($name:ident = $op:ident;)*) => {
        $(fn $name(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
            let args = arity(ts, args, 1)?;
            slot!(raw as fn(&ThreadState, &PyObject, &PyObject, CompareOp) -> PyResult)(ts, this, args[0], CompareOp::$op)
        })*
    };
}

wrap_compare! {
    wrap_lt = Lt;
    wrap_le = Le;
    wrap_eq = Eq;
    wrap_ne = Ne;
    wrap_gt = Gt;
    wrap_ge = Ge;
}

fn wrap_next(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    arity(ts, args, 0)?;
    match slot!(raw as fn(&ThreadState, &PyObject) -> PyResult<Option<PyRef>>)(ts, this)? {
        Some(value) => Ok(value),
        None => Err(ts.raise_type(&exc::StopIteration)),
    }
}

type DescrGetFn = fn(&ThreadState, &PyObject, Option<&PyObject>, Option<&PyObject>) -> PyResult;
type DescrSetFn = fn(&ThreadState, &PyObject, &PyObject, Option<&PyObject>) -> PyResult<()>;

fn wrap_descr_get(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = args.no_keywords(ts, "wrapper")?;
    check_count(ts, "", args.len(), 1, 2)?;
    let instance = Some(args[0]).filter(|o| !is_none(o));
    let owner = args.get(1).copied().filter(|o| !is_none(o));
    if instance.is_none() && owner.is_none() {
        return raise!(ts, exc::TypeError, "__get__(None, None) is invalid");
    }
    slot!(raw as DescrGetFn)(ts, this, instance, owner)
}

fn wrap_descr_set(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = arity(ts, args, 2)?;
    slot!(raw as DescrSetFn)(ts, this, args[0], Some(args[1]))?;
    Ok(ts.none())
}

fn wrap_descr_delete(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = arity(ts, args, 1)?;
    slot!(raw as DescrSetFn)(ts, this, args[0], None)?;
    Ok(ts.none())
}

fn wrap_init(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    slot!(raw as fn(&ThreadState, &PyObject, Args<'_>) -> PyResult<()>)(ts, this, args)?;
    Ok(ts.none())
}

fn wrap_finalize(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    arity(ts, args, 0)?;
    slot!(raw as fn(&ThreadState, &PyObject))(ts, this);
    Ok(ts.none())
}

type IndexFn = fn(&ThreadState, &PyObject, isize) -> PyResult;

/// An index for a sequence slot: negative ones count from the end when the type has a length.
fn sequence_index(ts: &ThreadState, this: &PyObject, index: &PyObject) -> PyResult<isize> {
    let index = protocol::as_isize(ts, index)?;
    if index < 0
        && let Some(length) = this.ob_type().slots().sq_length
    {
        return Ok(index + length(ts, this)? as isize);
    }
    Ok(index)
}

fn wrap_sq_item(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = arity(ts, args, 1)?;
    slot!(raw as IndexFn)(ts, this, sequence_index(ts, this, args[0])?)
}

fn wrap_repeat(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = arity(ts, args, 1)?;
    slot!(raw as IndexFn)(ts, this, protocol::as_isize(ts, args[0])?)
}

type AssignItemFn = fn(&ThreadState, &PyObject, isize, Option<&PyObject>) -> PyResult<()>;

fn wrap_sq_setitem(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = arity(ts, args, 2)?;
    slot!(raw as AssignItemFn)(ts, this, sequence_index(ts, this, args[0])?, Some(args[1]))?;
    Ok(ts.none())
}

fn wrap_sq_delitem(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = arity(ts, args, 1)?;
    slot!(raw as AssignItemFn)(ts, this, sequence_index(ts, this, args[0])?, None)?;
    Ok(ts.none())
}

fn wrap_contains(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = arity(ts, args, 1)?;
    Ok(py_bool(slot!(raw as fn(&ThreadState, &PyObject, &PyObject) -> PyResult<bool>)(ts, this, args[0])?))
}

type AssignSubscriptFn = fn(&ThreadState, &PyObject, &PyObject, Option<&PyObject>) -> PyResult<()>;

fn wrap_setitem(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = arity(ts, args, 2)?;
    slot!(raw as AssignSubscriptFn)(ts, this, args[0], Some(args[1]))?;
    Ok(ts.none())
}

fn wrap_delitem(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = arity(ts, args, 1)?;
    slot!(raw as AssignSubscriptFn)(ts, this, args[0], None)?;
    Ok(ts.none())
}

fn wrap_buffer(ts: &ThreadState, raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = arity(ts, args, 1)?;
    let Ok(flags) = i32::try_from(protocol::as_isize(ts, args[0])?) else {
        return raise!(ts, exc::OverflowError, "buffer flags out of range");
    };
    let slot = slot!(raw as GetBufferFn);
    crate::types::memoryview::from_slot(ts, this, flags, slot)
}

fn wrap_release_buffer(ts: &ThreadState, _raw: RawSlot, this: &PyObject, args: Args<'_>) -> PyResult {
    let args = arity(ts, args, 1)?;
    crate::types::memoryview::release_for(ts, this, args[0])?;
    Ok(ts.none())
}

// ---- generic slots: from a native slot call to a Python method ----

/// Calls a special method that the type is known to have.
fn call_own(ts: &ThreadState, this: &PyObject, name: &PyStr, args: &[&PyObject]) -> PyResult {
    match super::call::call_special(ts, this, name, args)? {
        Some(value) => Ok(value),
        None => raise!(ts, exc::AttributeError, "{}", name),
    }
}

macro_rules! generic_unary {
    ($($function:ident = $name:ident;)*) => {
        $(fn $function(ts: &ThreadState, this: &PyObject) -> PyResult {
            call_own(ts, this, id!($name), &[])
        })*
    };
}

generic_unary! {
    generic_neg = __neg__;
    generic_pos = __pos__;
    generic_abs = __abs__;
    generic_invert = __invert__;
    generic_int = __int__;
    generic_float = __float__;
    generic_index = __index__;
    generic_aiter = __aiter__;
    generic_anext = __anext__;
    generic_await = __await__;
}

/// Calls `left.name(right)`, or gives NotImplemented when the type has no such method.
fn try_binary(ts: &ThreadState, left: &PyObject, name: &PyStr, right: &PyObject) -> PyResult {
    match super::call::call_special(ts, left, name, &[right])? {
        Some(value) => Ok(value),
        None => Ok(not_implemented()),
    }
}

/// Whether `right`'s type has its own form of a reflected method that `left`'s type has as well.
fn overrides(ts: &ThreadState, left: &PyObject, right: &PyObject, name: &PyStr) -> bool {
    let Some(of_right) = lookup_type(ts, right.ob_type(), name) else { return false };
    match lookup_type(ts, left.ob_type(), name) {
        None => true,
        Some(of_left) => !of_left.is(&of_right),
    }
}

fn generic_binary(
    ts: &ThreadState,
    left: &PyObject,
    right: &PyObject,
    offset: usize,
    own: RawSlot,
    name: &PyStr,
    reflected: &PyStr,
) -> PyResult {
    let (left_type, right_type) = (left.ob_type(), right.ob_type());
    let mut do_other = !core::ptr::eq(left_type, right_type) && right_type.slots().word(offset) == own;
    if left_type.slots().word(offset) == own {
        if do_other && right_type.is_subtype(left_type) && overrides(ts, left, right, reflected) {
            let value = try_binary(ts, right, reflected, left)?;
            if !is_not_implemented(&value) {
                return Ok(value);
            }
            do_other = false;
        }
        let value = try_binary(ts, left, name, right)?;
        if !is_not_implemented(&value) || core::ptr::eq(left_type, right_type) {
            return Ok(value);
        }
    }
    if do_other {
        return try_binary(ts, right, reflected, left);
    }
    Ok(not_implemented())
}

macro_rules! generic_binary {
    ($($function:ident = $slot:ident, $name:ident, $reflected:ident;)*) => {
        $(fn $function(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
            let own = $function as RawSlot;
            generic_binary(ts, left, right, core::mem::offset_of!(TypeSlots, $slot), own, id!($name), id!($reflected))
        })*
    };
}

generic_binary! {
    generic_add = nb_add, __add__, __radd__;
    generic_sub = nb_subtract, __sub__, __rsub__;
    generic_mul = nb_multiply, __mul__, __rmul__;
    generic_mod = nb_remainder, __mod__, __rmod__;
    generic_divmod = nb_divmod, __divmod__, __rdivmod__;
    generic_lshift = nb_lshift, __lshift__, __rlshift__;
    generic_rshift = nb_rshift, __rshift__, __rrshift__;
    generic_and = nb_and, __and__, __rand__;
    generic_xor = nb_xor, __xor__, __rxor__;
    generic_or = nb_or, __or__, __ror__;
    generic_floordiv = nb_floor_divide, __floordiv__, __rfloordiv__;
    generic_truediv = nb_true_divide, __truediv__, __rtruediv__;
    generic_matmul = nb_matrix_multiply, __matmul__, __rmatmul__;
}

fn generic_pow(ts: &ThreadState, base: &PyObject, exponent: &PyObject, modulus: &PyObject) -> PyResult {
    if is_none(modulus) {
        // The slot's word is this function, not `generic_pow2`.
        let own = generic_pow as RawSlot;
        let offset = core::mem::offset_of!(TypeSlots, nb_power);
        return generic_binary(ts, base, exponent, offset, own, id!(__pow__), id!(__rpow__));
    }
    if base.ob_type().slots().nb_power.is_some_and(|f| f as RawSlot == generic_pow as RawSlot) {
        return match super::call::call_special(ts, base, id!(__pow__), &[exponent, modulus])? {
            Some(value) => Ok(value),
            None => Ok(not_implemented()),
        };
    }
    if exponent.ob_type().slots().nb_power.is_some_and(|f| f as RawSlot == generic_pow as RawSlot) {
        return match super::call::call_special(ts, exponent, id!(__rpow__), &[base, modulus])? {
            Some(value) => Ok(value),
            None => Ok(not_implemented()),
        };
    }
    Ok(not_implemented())
}

macro_rules! generic_inplace {
    ($($function:ident = $name:ident;)*) => {
        $(fn $function(ts: &ThreadState, left: &PyObject, right: &PyObject) -> PyResult {
            call_own(ts, left, id!($name), &[right])
        })*
    };
}

generic_inplace! {
    generic_iadd = __iadd__;
    generic_isub = __isub__;
    generic_imul = __imul__;
    generic_imod = __imod__;
    generic_ilshift = __ilshift__;
    generic_irshift = __irshift__;
    generic_iand = __iand__;
    generic_ixor = __ixor__;
    generic_ior = __ior__;
    generic_ifloordiv = __ifloordiv__;
    generic_itruediv = __itruediv__;
    generic_imatmul = __imatmul__;
}

fn generic_ipow(ts: &ThreadState, left: &PyObject, right: &PyObject, _modulus: &PyObject) -> PyResult {
    call_own(ts, left, id!(__ipow__), &[right])
}

fn generic_bool(ts: &ThreadState, this: &PyObject) -> PyResult<bool> {
    if let Some(value) = super::call::call_special(ts, this, id!(__bool__), &[])? {
        if value.is(crate::types::bool::true_object()) {
            return Ok(true);
        }
        if value.is(crate::types::bool::false_object()) {
            return Ok(false);
        }
        return raise!(ts, exc::TypeError, "__bool__ should return bool, returned {}", value.type_name());
    }
    match super::call::call_special(ts, this, id!(__len__), &[])? {
        Some(value) => Ok(length_from(ts, &value)? != 0),
        None => Ok(true),
    }
}

fn length_from(ts: &ThreadState, value: &PyObject) -> PyResult<usize> {
    let value = protocol::index(ts, value)?;
    if value.sign() < 0 {
        return raise!(ts, exc::ValueError, "__len__() should return >= 0");
    }
    Ok(value.to_isize(ts)? as usize)
}

fn generic_len(ts: &ThreadState, this: &PyObject) -> PyResult<usize> {
    let value = call_own(ts, this, id!(__len__), &[])?;
    length_from(ts, &value)
}

fn generic_repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    match super::call::call_special(ts, this, id!(__repr__), &[])? {
        Some(value) => Ok(value),
        None => crate::types::object::object_repr(ts, this),
    }
}

fn generic_str(ts: &ThreadState, this: &PyObject) -> PyResult {
    match super::call::call_special(ts, this, id!(__str__), &[])? {
        Some(value) => Ok(value),
        None => protocol::repr(ts, this).map(|s| s.into_object()),
    }
}

fn generic_hash(ts: &ThreadState, this: &PyObject) -> PyResult<isize> {
    let method = lookup_special(ts, this, id!(__hash__))?;
    let value = match method {
        Some(Method::Bound(function)) if is_none(&function) => return hash_not_implemented(ts, this),
        None => return hash_not_implemented(ts, this),
        Some(Method::Unbound(function)) => call_with(ts, &function, &[this])?,
        Some(Method::Bound(function)) => call_with(ts, &function, &[])?,
    };
    let Some(value) = value.downcast::<PyInt>() else {
        return raise!(ts, exc::TypeError, "__hash__ method should return an integer");
    };
    // A hash that does not fit is hashed in its turn.
    let hash = match value.as_i64() {
        Some(hash) => hash as isize,
        None => crate::types::int::hash_of(value),
    };
    Ok(if hash == -1 { -2 } else { hash })
}

/// The `tp_hash` of types whose `__hash__` is None.
pub fn hash_not_implemented(ts: &ThreadState, this: &PyObject) -> PyResult<isize> {
    raise!(ts, exc::TypeError, "unhashable type: '{}'", this.type_name())
}

fn generic_call(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    ts.check_native_stack(" while calling a Python object")?;
    match lookup_special(ts, this, id!(__call__))? {
        Some(Method::Bound(method)) => call(ts, &method, args),
        Some(Method::Unbound(function)) => call_with_first(ts, &function, this, args),
        None => raise!(ts, exc::TypeError, "'{}' object is not callable", this.type_name()),
    }
}

/// Calls `function(first, *args, **keywords)`.
pub fn call_with_first(ts: &ThreadState, function: &PyObject, first: &PyObject, args: Args<'_>) -> PyResult {
    let all = args.all();
    let mut few = [first; 8];
    if all.len() < few.len() {
        few[1..=all.len()].copy_from_slice(all);
        return call(ts, function, Args::new(&few[..=all.len()], args.keyword_names()));
    }
    let mut many = hognose_allocators::collections::TryVec::<&PyObject>::new();
    many.try_reserve(all.len() + 1)?;
    many.try_push(first)?;
    many.try_extend_from_slice(all)?;
    call(ts, function, Args::new(&many, args.keyword_names()))
}

/// `tp_getattro` of types with `__getattr__` or a `__getattribute__` of their own.
pub fn generic_getattro(ts: &ThreadState, this: &PyObject, name: &PyStr) -> PyResult {
    let typ = this.ob_type();
    let getattr = lookup_type(ts, typ, id!(__getattr__));
    let getattribute = lookup_type(ts, typ, id!(__getattribute__));
    let native = getattribute.as_ref().and_then(|method| {
        let wrapper = method.downcast::<PyWrapperDescr>()?;
        Some(wrapper.raw())
    });
    let result = match (&getattribute, native) {
        (_, Some(raw)) => slot!(raw as GetAttrFn)(ts, this, name),
        (Some(_), None) => call_own(ts, this, id!(__getattribute__), &[name.as_object()]),
        (None, None) => super::attr::generic_get(ts, this, name),
    };
    let Some(getattr) = getattr else { return result };
    match result {
        Err(raised) if ts.raised_matches(&exc::AttributeError) => {
            ts.clear_raised(raised);
            match getattr.ob_type().slots().descr_get {
                Some(_) if getattr.ob_type().has_flag(super::flags::METHOD_DESCRIPTOR) => {
                    call_with(ts, &getattr, &[this, name.as_object()])
                }
                Some(bind) => {
                    let bound = bind(ts, &getattr, Some(this), Some(typ.as_object()))?;
                    call_with(ts, &bound, &[name.as_object()])
                }
                None => call_with(ts, &getattr, &[name.as_object()]),
            }
        }
        other => other,
    }
}

fn generic_setattro(ts: &ThreadState, this: &PyObject, name: &PyStr, value: Option<&PyObject>) -> PyResult<()> {
    match value {
        Some(value) => call_own(ts, this, id!(__setattr__), &[name.as_object(), value])?,
        None => call_own(ts, this, id!(__delattr__), &[name.as_object()])?,
    };
    Ok(())
}

fn compare_name(op: CompareOp) -> &'static PyStr {
    match op {
        CompareOp::Lt => id!(__lt__),
        CompareOp::Le => id!(__le__),
        CompareOp::Eq => id!(__eq__),
        CompareOp::Ne => id!(__ne__),
        CompareOp::Gt => id!(__gt__),
        CompareOp::Ge => id!(__ge__),
    }
}

fn generic_richcompare(ts: &ThreadState, this: &PyObject, other: &PyObject, op: CompareOp) -> PyResult {
    match lookup_special(ts, this, compare_name(op)) {
        Ok(Some(Method::Bound(method))) => call_with(ts, &method, &[other]),
        Ok(Some(Method::Unbound(function))) => call_with(ts, &function, &[this, other]),
        Ok(None) => Ok(not_implemented()),
        Err(raised) if ts.raised_matches(&exc::MemoryError) => Err(raised),
        // A method that cannot even be got does not know the other operand.
        Err(raised) => {
            ts.clear_raised(raised);
            Ok(not_implemented())
        }
    }
}

fn generic_iter(ts: &ThreadState, this: &PyObject) -> PyResult {
    match lookup_special(ts, this, id!(__iter__))? {
        Some(Method::Bound(method)) if is_none(&method) => {
            raise!(ts, exc::TypeError, "'{}' object is not iterable", this.type_name())
        }
        Some(Method::Bound(method)) => call_with(ts, &method, &[]),
        Some(Method::Unbound(function)) => call_with(ts, &function, &[this]),
        None => {
            if lookup_type(ts, this.ob_type(), id!(__getitem__)).is_none() {
                return raise!(ts, exc::TypeError, "'{}' object is not iterable", this.type_name());
            }
            crate::types::seqiter::sequence_iterator(ts, this)
        }
    }
}

fn generic_next(ts: &ThreadState, this: &PyObject) -> PyResult<Option<PyRef>> {
    let result = call_own(ts, this, id!(__next__), &[]);
    ts.catch(result, &exc::StopIteration)
}

fn generic_descr_get(
    ts: &ThreadState,
    this: &PyObject,
    instance: Option<&PyObject>,
    owner: Option<&PyObject>,
) -> PyResult {
    match lookup_type(ts, this.ob_type(), id!(__get__)) {
        None => Ok(this.new_ref()),
        Some(get) => call_with(ts, &get, &[this, instance.unwrap_or(none()), owner.unwrap_or(none())]),
    }
}

fn generic_descr_set(ts: &ThreadState, this: &PyObject, instance: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    match value {
        Some(value) => call_own(ts, this, id!(__set__), &[instance, value])?,
        None => call_own(ts, this, id!(__delete__), &[instance])?,
    };
    Ok(())
}

fn generic_init(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult<()> {
    let result = match lookup_special(ts, this, id!(__init__))? {
        Some(Method::Unbound(function)) => call_with_first(ts, &function, this, args)?,
        Some(Method::Bound(method)) => call(ts, &method, args)?,
        None => return raise!(ts, exc::AttributeError, "__init__"),
    };
    if !is_none(&result) {
        return raise!(ts, exc::TypeError, "__init__() should return None, not '{}'", result.type_name());
    }
    Ok(())
}

pub(super) fn generic_new(ts: &ThreadState, typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let new = super::attr::get(ts, typ.as_object(), id!(__new__))?;
    call_with_first(ts, &new, typ.as_object(), args)
}

/// `tp_finalize` of types with `__del__`.
fn generic_finalize(ts: &ThreadState, this: &PyObject) {
    let pending = ts.current_exception.take();
    if let Some(del) = lookup_type(ts, this.ob_type(), id!(__del__)) {
        let result = if del.ob_type().has_flag(super::flags::METHOD_DESCRIPTOR) {
            call_with(ts, &del, &[this])
        } else {
            match super::attr::bind_special(ts, this, id!(__del__)) {
                Ok(Some(method)) => call_with(ts, &method, &[]),
                Ok(None) => Ok(ts.none()),
                Err(raised) => Err(raised),
            }
        };
        if let Err(raised) = result {
            exc::write_unraisable(ts, raised, Some("calling deallocator"), &del);
        }
    }
    ts.current_exception.set(pending);
}

fn generic_sq_item(ts: &ThreadState, this: &PyObject, index: isize) -> PyResult {
    let index = PyInt::from_i64(ts, index as i64)?;
    call_own(ts, this, id!(__getitem__), &[&index])
}

fn generic_sq_ass_item(ts: &ThreadState, this: &PyObject, index: isize, value: Option<&PyObject>) -> PyResult<()> {
    let index = PyInt::from_i64(ts, index as i64)?;
    generic_ass_subscript(ts, this, &index, value)
}

fn generic_contains(ts: &ThreadState, this: &PyObject, value: &PyObject) -> PyResult<bool> {
    match lookup_special(ts, this, id!(__contains__))? {
        Some(Method::Bound(method)) if is_none(&method) => {
            raise!(ts, exc::TypeError, "'{}' object is not a container", this.type_name())
        }
        Some(Method::Bound(method)) => protocol::is_true(ts, &*call_with(ts, &method, &[value])?),
        Some(Method::Unbound(function)) => protocol::is_true(ts, &*call_with(ts, &function, &[this, value])?),
        None => protocol::contains_by_iteration(ts, this, value),
    }
}

fn generic_subscript(ts: &ThreadState, this: &PyObject, key: &PyObject) -> PyResult {
    call_own(ts, this, id!(__getitem__), &[key])
}

fn generic_ass_subscript(ts: &ThreadState, this: &PyObject, key: &PyObject, value: Option<&PyObject>) -> PyResult<()> {
    match value {
        Some(value) => call_own(ts, this, id!(__setitem__), &[key, value])?,
        None => call_own(ts, this, id!(__delitem__), &[key])?,
    };
    Ok(())
}

fn generic_getbuffer(
    ts: &ThreadState,
    this: &PyObject,
    view: &mut super::buffer::PyBuffer,
    flags: i32,
) -> PyResult<()> {
    crate::types::memoryview::buffer_from_python(ts, this, view, flags)
}

pub(crate) fn generic_releasebuffer(ts: &ThreadState, this: &PyObject, view: &mut super::buffer::PyBuffer) {
    crate::types::memoryview::release_from_python(ts, this, view);
}

// ---- the table ----

macro_rules! defs {
    ($($name:ident, $slot:ident: $ty:ty, $generic:expr, $wrapper:ident, $doc:literal;)*) => {
        &[$(SlotDef {
            name: id!($name),
            text: stringify!($name),
            offset: core::mem::offset_of!(TypeSlots, $slot),
            generic: { let f: $ty = $generic; f as RawSlot },
            wrapper: $wrapper,
            doc: $doc,
        },)*]
    };
}

type RichCompareFn = fn(&ThreadState, &PyObject, &PyObject, CompareOp) -> PyResult;

/// All special methods that fill a slot, in the order in which CPython lists a type's wrappers.
pub static SLOT_DEFS: &[SlotDef] = defs! {
    __getattribute__, getattro: GetAttrFn, generic_getattro, wrap_getattr, "__getattribute__($self, name, /)\n--\n\nReturn getattr(self, name).";
    __setattr__, setattro: SetAttrFn, generic_setattro, wrap_setattr, "__setattr__($self, name, value, /)\n--\n\nImplement setattr(self, name, value).";
    __delattr__, setattro: SetAttrFn, generic_setattro, wrap_delattr, "__delattr__($self, name, /)\n--\n\nImplement delattr(self, name).";
    __repr__, repr: UnaryFn, generic_repr, wrap_unary, "__repr__($self, /)\n--\n\nReturn repr(self).";
    __hash__, hash: fn(&ThreadState, &PyObject) -> PyResult<isize>, generic_hash, wrap_hash, "__hash__($self, /)\n--\n\nReturn hash(self).";
    __call__, call: CallFn, generic_call, wrap_call, "__call__($self, /, *args, **kwargs)\n--\n\nCall self as a function.";
    __str__, str: UnaryFn, generic_str, wrap_unary, "__str__($self, /)\n--\n\nReturn str(self).";
    __lt__, richcompare: RichCompareFn, generic_richcompare, wrap_lt, "__lt__($self, value, /)\n--\n\nReturn self<value.";
    __le__, richcompare: RichCompareFn, generic_richcompare, wrap_le, "__le__($self, value, /)\n--\n\nReturn self<=value.";
    __eq__, richcompare: RichCompareFn, generic_richcompare, wrap_eq, "__eq__($self, value, /)\n--\n\nReturn self==value.";
    __ne__, richcompare: RichCompareFn, generic_richcompare, wrap_ne, "__ne__($self, value, /)\n--\n\nReturn self!=value.";
    __gt__, richcompare: RichCompareFn, generic_richcompare, wrap_gt, "__gt__($self, value, /)\n--\n\nReturn self>value.";
    __ge__, richcompare: RichCompareFn, generic_richcompare, wrap_ge, "__ge__($self, value, /)\n--\n\nReturn self>=value.";
    __iter__, iter: UnaryFn, generic_iter, wrap_unary, "__iter__($self, /)\n--\n\nImplement iter(self).";
    __next__, iternext: fn(&ThreadState, &PyObject) -> PyResult<Option<PyRef>>, generic_next, wrap_next, "__next__($self, /)\n--\n\nImplement next(self).";
    __get__, descr_get: DescrGetFn, generic_descr_get, wrap_descr_get, "__get__($self, instance, owner=None, /)\n--\n\nReturn an attribute of instance, which is of type owner.";
    __set__, descr_set: DescrSetFn, generic_descr_set, wrap_descr_set, "__set__($self, instance, value, /)\n--\n\nSet an attribute of instance to value.";
    __delete__, descr_set: DescrSetFn, generic_descr_set, wrap_descr_delete, "__delete__($self, instance, /)\n--\n\nDelete an attribute of instance.";
    __init__, init: fn(&ThreadState, &PyObject, Args<'_>) -> PyResult<()>, generic_init, wrap_init, "__init__($self, /, *args, **kwargs)\n--\n\nInitialize self.  See help(type(self)) for accurate signature.";
    __del__, finalize: fn(&ThreadState, &PyObject), generic_finalize, wrap_finalize, "__del__($self, /)\n--\n\nCalled when the instance is about to be destroyed.";
    __buffer__, bf_getbuffer: fn(&ThreadState, &PyObject, &mut super::buffer::PyBuffer, i32) -> PyResult<()>, generic_getbuffer, wrap_buffer, "__buffer__($self, flags, /)\n--\n\nReturn a buffer object that exposes the underlying memory of the object.";
    __release_buffer__, bf_releasebuffer: fn(&ThreadState, &PyObject, &mut super::buffer::PyBuffer), generic_releasebuffer, wrap_release_buffer, "__release_buffer__($self, buffer, /)\n--\n\nRelease the buffer object that exposes the underlying memory of the object.";
    __await__, am_await: UnaryFn, generic_await, wrap_unary, "__await__($self, /)\n--\n\nReturn an iterator to be used in await expression.";
    __aiter__, am_aiter: UnaryFn, generic_aiter, wrap_unary, "__aiter__($self, /)\n--\n\nReturn an awaitable, that resolves in asynchronous iterator.";
    __anext__, am_anext: UnaryFn, generic_anext, wrap_unary, "__anext__($self, /)\n--\n\nReturn a value or raise StopAsyncIteration.";
    __add__, nb_add: BinaryFn, generic_add, wrap_binary, "__add__($self, value, /)\n--\n\nReturn self+value.";
    __radd__, nb_add: BinaryFn, generic_add, wrap_binary_reflected, "__radd__($self, value, /)\n--\n\nReturn value+self.";
    __sub__, nb_subtract: BinaryFn, generic_sub, wrap_binary, "__sub__($self, value, /)\n--\n\nReturn self-value.";
    __rsub__, nb_subtract: BinaryFn, generic_sub, wrap_binary_reflected, "__rsub__($self, value, /)\n--\n\nReturn value-self.";
    __mul__, nb_multiply: BinaryFn, generic_mul, wrap_binary, "__mul__($self, value, /)\n--\n\nReturn self*value.";
    __rmul__, nb_multiply: BinaryFn, generic_mul, wrap_binary_reflected, "__rmul__($self, value, /)\n--\n\nReturn value*self.";
    __mod__, nb_remainder: BinaryFn, generic_mod, wrap_binary, "__mod__($self, value, /)\n--\n\nReturn self%value.";
    __rmod__, nb_remainder: BinaryFn, generic_mod, wrap_binary_reflected, "__rmod__($self, value, /)\n--\n\nReturn value%self.";
    __divmod__, nb_divmod: BinaryFn, generic_divmod, wrap_binary, "__divmod__($self, value, /)\n--\n\nReturn divmod(self, value).";
    __rdivmod__, nb_divmod: BinaryFn, generic_divmod, wrap_binary_reflected, "__rdivmod__($self, value, /)\n--\n\nReturn divmod(value, self).";
    __pow__, nb_power: TernaryFn, generic_pow, wrap_power, "__pow__($self, value, mod=None, /)\n--\n\nReturn pow(self, value, mod).";
    __rpow__, nb_power: TernaryFn, generic_pow, wrap_power_reflected, "__rpow__($self, value, mod=None, /)\n--\n\nReturn pow(value, self, mod).";
    __neg__, nb_negative: UnaryFn, generic_neg, wrap_unary, "__neg__($self, /)\n--\n\n-self";
    __pos__, nb_positive: UnaryFn, generic_pos, wrap_unary, "__pos__($self, /)\n--\n\n+self";
    __abs__, nb_absolute: UnaryFn, generic_abs, wrap_unary, "__abs__($self, /)\n--\n\nabs(self)";
    __bool__, nb_bool: PredicateFn, generic_bool, wrap_predicate, "__bool__($self, /)\n--\n\nTrue if self else False";
    __invert__, nb_invert: UnaryFn, generic_invert, wrap_unary, "__invert__($self, /)\n--\n\n~self";
    __lshift__, nb_lshift: BinaryFn, generic_lshift, wrap_binary, "__lshift__($self, value, /)\n--\n\nReturn self<<value.";
    __rlshift__, nb_lshift: BinaryFn, generic_lshift, wrap_binary_reflected, "__rlshift__($self, value, /)\n--\n\nReturn value<<self.";
    __rshift__, nb_rshift: BinaryFn, generic_rshift, wrap_binary, "__rshift__($self, value, /)\n--\n\nReturn self>>value.";
    __rrshift__, nb_rshift: BinaryFn, generic_rshift, wrap_binary_reflected, "__rrshift__($self, value, /)\n--\n\nReturn value>>self.";
    __and__, nb_and: BinaryFn, generic_and, wrap_binary, "__and__($self, value, /)\n--\n\nReturn self&value.";
    __rand__, nb_and: BinaryFn, generic_and, wrap_binary_reflected, "__rand__($self, value, /)\n--\n\nReturn value&self.";
    __xor__, nb_xor: BinaryFn, generic_xor, wrap_binary, "__xor__($self, value, /)\n--\n\nReturn self^value.";
    __rxor__, nb_xor: BinaryFn, generic_xor, wrap_binary_reflected, "__rxor__($self, value, /)\n--\n\nReturn value^self.";
    __or__, nb_or: BinaryFn, generic_or, wrap_binary, "__or__($self, value, /)\n--\n\nReturn self|value.";
    __ror__, nb_or: BinaryFn, generic_or, wrap_binary_reflected, "__ror__($self, value, /)\n--\n\nReturn value|self.";
    __int__, nb_int: UnaryFn, generic_int, wrap_unary, "__int__($self, /)\n--\n\nint(self)";
    __float__, nb_float: UnaryFn, generic_float, wrap_unary, "__float__($self, /)\n--\n\nfloat(self)";
    __iadd__, nb_inplace_add: BinaryFn, generic_iadd, wrap_binary, "__iadd__($self, value, /)\n--\n\nReturn self+=value.";
    __isub__, nb_inplace_subtract: BinaryFn, generic_isub, wrap_binary, "__isub__($self, value, /)\n--\n\nReturn self-=value.";
    __imul__, nb_inplace_multiply: BinaryFn, generic_imul, wrap_binary, "__imul__($self, value, /)\n--\n\nReturn self*=value.";
    __imod__, nb_inplace_remainder: BinaryFn, generic_imod, wrap_binary, "__imod__($self, value, /)\n--\n\nReturn self%=value.";
    __ipow__, nb_inplace_power: TernaryFn, generic_ipow, wrap_power, "__ipow__($self, value, /)\n--\n\nReturn self**=value.";
    __ilshift__, nb_inplace_lshift: BinaryFn, generic_ilshift, wrap_binary, "__ilshift__($self, value, /)\n--\n\nReturn self<<=value.";
    __irshift__, nb_inplace_rshift: BinaryFn, generic_irshift, wrap_binary, "__irshift__($self, value, /)\n--\n\nReturn self>>=value.";
    __iand__, nb_inplace_and: BinaryFn, generic_iand, wrap_binary, "__iand__($self, value, /)\n--\n\nReturn self&=value.";
    __ixor__, nb_inplace_xor: BinaryFn, generic_ixor, wrap_binary, "__ixor__($self, value, /)\n--\n\nReturn self^=value.";
    __ior__, nb_inplace_or: BinaryFn, generic_ior, wrap_binary, "__ior__($self, value, /)\n--\n\nReturn self|=value.";
    __floordiv__, nb_floor_divide: BinaryFn, generic_floordiv, wrap_binary, "__floordiv__($self, value, /)\n--\n\nReturn self//value.";
    __rfloordiv__, nb_floor_divide: BinaryFn, generic_floordiv, wrap_binary_reflected, "__rfloordiv__($self, value, /)\n--\n\nReturn value//self.";
    __truediv__, nb_true_divide: BinaryFn, generic_truediv, wrap_binary, "__truediv__($self, value, /)\n--\n\nReturn self/value.";
    __rtruediv__, nb_true_divide: BinaryFn, generic_truediv, wrap_binary_reflected, "__rtruediv__($self, value, /)\n--\n\nReturn value/self.";
    __ifloordiv__, nb_inplace_floor_divide: BinaryFn, generic_ifloordiv, wrap_binary, "__ifloordiv__($self, value, /)\n--\n\nReturn self//=value.";
    __itruediv__, nb_inplace_true_divide: BinaryFn, generic_itruediv, wrap_binary, "__itruediv__($self, value, /)\n--\n\nReturn self/=value.";
    __index__, nb_index: UnaryFn, generic_index, wrap_unary, "__index__($self, /)\n--\n\nReturn self converted to an integer, if self is suitable for use as an index into a list.";
    __matmul__, nb_matrix_multiply: BinaryFn, generic_matmul, wrap_binary, "__matmul__($self, value, /)\n--\n\nReturn self@value.";
    __rmatmul__, nb_matrix_multiply: BinaryFn, generic_matmul, wrap_binary_reflected, "__rmatmul__($self, value, /)\n--\n\nReturn value@self.";
    __imatmul__, nb_inplace_matrix_multiply: BinaryFn, generic_imatmul, wrap_binary, "__imatmul__($self, value, /)\n--\n\nReturn self@=value.";
    __len__, mp_length: LengthFn, generic_len, wrap_length, "__len__($self, /)\n--\n\nReturn len(self).";
    __getitem__, mp_subscript: BinaryFn, generic_subscript, wrap_binary, "__getitem__($self, key, /)\n--\n\nReturn self[key].";
    __setitem__, mp_ass_subscript: AssignSubscriptFn, generic_ass_subscript, wrap_setitem, "__setitem__($self, key, value, /)\n--\n\nSet self[key] to value.";
    __delitem__, mp_ass_subscript: AssignSubscriptFn, generic_ass_subscript, wrap_delitem, "__delitem__($self, key, /)\n--\n\nDelete self[key].";
    __len__, sq_length: LengthFn, generic_len, wrap_length, "__len__($self, /)\n--\n\nReturn len(self).";
    __getitem__, sq_item: IndexFn, generic_sq_item, wrap_sq_item, "__getitem__($self, key, /)\n--\n\nReturn self[key].";
    __setitem__, sq_ass_item: AssignItemFn, generic_sq_ass_item, wrap_sq_setitem, "__setitem__($self, key, value, /)\n--\n\nSet self[key] to value.";
    __delitem__, sq_ass_item: AssignItemFn, generic_sq_ass_item, wrap_sq_delitem, "__delitem__($self, key, /)\n--\n\nDelete self[key].";
    __contains__, sq_contains: fn(&ThreadState, &PyObject, &PyObject) -> PyResult<bool>, generic_contains, wrap_contains, "__contains__($self, key, /)\n--\n\nReturn bool(key in self).";
};

/// Wrappers for native slots that no Python method fills: sequences' `+` and `*`.
pub static SEQUENCE_DEFS: &[SlotDef] = defs! {
    __add__, sq_concat: BinaryFn, generic_add, wrap_binary, "__add__($self, value, /)\n--\n\nReturn self+value.";
    __mul__, sq_repeat: IndexFn, generic_sq_item, wrap_repeat, "__mul__($self, value, /)\n--\n\nReturn self*value.";
    __rmul__, sq_repeat: IndexFn, generic_sq_item, wrap_repeat, "__rmul__($self, value, /)\n--\n\nReturn value*self.";
    __iadd__, sq_inplace_concat: BinaryFn, generic_iadd, wrap_binary, "__iadd__($self, value, /)\n--\n\nImplement self+=value.";
    __imul__, sq_inplace_repeat: IndexFn, generic_sq_item, wrap_repeat, "__imul__($self, value, /)\n--\n\nImplement self*=value.";
};
