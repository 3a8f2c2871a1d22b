//! Calls, numbers, sequences, mappings, iterators and buffers of any type. Declared in `abstract.h`.

use core::ffi::{CStr, c_char, c_int};

use super::convert::{bad_internal_call, borrowed_array, errors_or_strict, guard, name, null_argument, utf8};
use crate::object::call::{self, Args};
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, attr, protocol};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::generator;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::none;
use crate::types::slice::PySlice;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{capi, id, raise};

// Calls.

/// The bit of a vectorcall's count that lends the place before the first argument; the runtime has no use for it.
const ARGUMENTS_OFFSET: usize = 1 << (usize::BITS - 1);

/// The arguments of a vectorcall.
///
/// # Safety
/// `args` has the positional arguments, then a value for each name.
unsafe fn vector_args<'a>(
    ts: &ThreadState,
    args: *const *mut PyObject,
    count: usize,
    names: Option<&'a PyObject>,
) -> PyResult<Args<'a>> {
    let names = match names {
        None => None,
        Some(names) => match names.downcast::<PyTuple>() {
            Some(names) => Some(names),
            None => return bad_internal_call(ts, "PyObject_Vectorcall"),
        },
    };
    let count = (count & !ARGUMENTS_OFFSET) + names.map_or(0, PyTuple::len);
    // SAFETY: as promised.
    Ok(Args::new(unsafe { borrowed_array(args, count) }, names))
}

fn keyword_arguments<'a>(ts: &ThreadState, kwargs: Option<&'a PyObject>) -> PyResult<Option<&'a PyDict>> {
    match kwargs {
        None => Ok(None),
        Some(kwargs) => match kwargs.downcast::<PyDict>() {
            Some(dict) => Ok(Some(dict)),
            None => bad_internal_call(ts, "PyObject_Call"),
        },
    }
}

/// A call that stops when C recursion has gone too deep.
fn call_checked(ts: &ThreadState, callable: &PyObject, args: Args<'_>) -> PyResult {
    ts.check_native_stack(" while calling a Python object")?;
    call::call(ts, callable, args)
}

capi! {
    /// `callable(*args, **kwargs)`.
    fn PyObject_Call(ts, callable: &PyObject, args: &PyTuple, kwargs: Option<&PyObject>) -> PyRef {
        ts.check_native_stack(" while calling a Python object")?;
        call::call_tuple_dict(ts, callable, args, keyword_arguments(ts, kwargs)?)
    }

    /// `callable(*args)`; no arguments for null.
    fn PyObject_CallObject(ts, callable: &PyObject, args: Option<&PyObject>) -> PyRef {
        let Some(args) = args else { return call_checked(ts, callable, Args::NONE) };
        match args.downcast::<PyTuple>() {
            Some(args) => call_checked(ts, callable, Args::positional_only(args.items())),
            None => raise!(ts, exc::TypeError, "argument list must be a tuple"),
        }
    }

    /// `callable()`.
    fn PyObject_CallNoArgs(ts, callable: &PyObject) -> PyRef {
        call_checked(ts, callable, Args::NONE)
    }

    /// `callable(argument)`.
    fn PyObject_CallOneArg(ts, callable: &PyObject, argument: &PyObject) -> PyRef {
        call_checked(ts, callable, Args::positional_only(&[argument]))
    }

    /// The one way of calling.
    fn PyObject_Vectorcall(
        ts, callable: &PyObject, args: *const *mut PyObject, count: usize, names: Option<&PyObject>,
    ) -> PyRef {
        // SAFETY: the caller's arguments.
        let args = unsafe { vector_args(ts, args, count, names)? };
        call_checked(ts, callable, args)
    }

    /// The same with the keyword arguments in a dict.
    fn PyObject_VectorcallDict(
        ts, callable: &PyObject, args: *const *mut PyObject, count: usize, kwargs: Option<&PyObject>,
    ) -> PyRef {
        // SAFETY: the caller's arguments.
        let args = unsafe { vector_args(ts, args, count, None)? };
        match keyword_arguments(ts, kwargs)? {
            None => call_checked(ts, callable, args),
            Some(kwargs) => call::call_tuple_dict(ts, callable, &*PyTuple::new(ts, args.all())?, Some(kwargs)),
        }
    }

    /// `args[0].name(*args[1:])`.
    fn PyObject_VectorcallMethod(
        ts, method: &PyStr, args: *const *mut PyObject, count: usize, names: Option<&PyObject>,
    ) -> PyRef {
        // SAFETY: the caller's arguments.
        let args = unsafe { vector_args(ts, args, count, names)? };
        let Some(this) = args.all().first() else { return bad_internal_call(ts, "PyObject_VectorcallMethod") };
        ts.check_native_stack(" while calling a Python object")?;
        match attr::load_method(ts, this, method)? {
            attr::Method::Unbound(function) => call::call(ts, &function, args),
            attr::Method::Bound(bound) => call::call(ts, &bound, args.skip_first()),
        }
    }

    /// A vectorcall with a tuple and a dict: for `tp_call` of types that have a vectorcall.
    fn PyVectorcall_Call(ts, callable: &PyObject, args: &PyTuple, kwargs: Option<&PyObject>) -> PyRef {
        call::call_tuple_dict(ts, callable, args, keyword_arguments(ts, kwargs)?)
    }
}

/// The number of positional arguments in a vectorcall's count.
#[unsafe(no_mangle)]
pub extern "C" fn PyVectorcall_NARGS(count: usize) -> isize {
    (count & !ARGUMENTS_OFFSET) as isize
}

// Objects.

capi! {
    /// `type(object)`.
    fn PyObject_Type(ts, object: &PyObject) -> PyRef {
        Ok(object.ob_type().as_object().new_ref())
    }

    /// `len(object)`.
    fn PyObject_Size(ts, object: &PyObject) -> usize {
        protocol::length(ts, object)
    }

    /// `len(object)`.
    fn PyObject_Length(ts, object: &PyObject) -> usize {
        protocol::length(ts, object)
    }

    /// `operator.length_hint(object, default)`.
    fn PyObject_LengthHint(ts, object: &PyObject, default: isize) -> usize {
        protocol::length_hint(ts, object, default.max(0) as usize)
    }

    /// `object[key]`.
    fn PyObject_GetItem(ts, object: &PyObject, key: &PyObject) -> PyRef {
        protocol::getitem(ts, object, key)
    }

    /// `object[key] = value`.
    fn PyObject_SetItem(ts, object: &PyObject, key: &PyObject, value: &PyObject) -> () {
        protocol::setitem(ts, object, key, value)
    }

    /// `del object[key]`.
    fn PyObject_DelItem(ts, object: &PyObject, key: &PyObject) -> () {
        protocol::delitem(ts, object, key)
    }

    /// `del object[key]`.
    fn PyObject_DelItemString(ts, object: &PyObject, key: &CStr) -> () {
        protocol::delitem(ts, object, name(ts, key)?.as_object())
    }

    /// `format(object, spec)`.
    fn PyObject_Format(ts, object: &PyObject, spec: Option<&PyObject>) -> PyRef {
        let text = match spec {
            None => protocol::format(ts, object, &PyStr::empty())?,
            Some(spec) => match spec.downcast::<PyStr>() {
                Some(spec) => protocol::format(ts, object, spec)?,
                None => {
                    return raise!(ts, exc::SystemError, "Format specifier must be a string, not {}", spec.type_name());
                }
            },
        };
        Ok(text.into_object())
    }

    /// `iter(object)`.
    fn PyObject_GetIter(ts, object: &PyObject) -> PyRef {
        protocol::iter(ts, object)
    }

    /// `aiter(object)`.
    fn PyObject_GetAIter(ts, object: &PyObject) -> PyRef {
        generator::get_aiter(ts, object)
    }

    /// `isinstance(object, class)`.
    fn PyObject_IsInstance(ts, object: &PyObject, class: &PyObject) -> bool {
        protocol::isinstance(ts, object, class)
    }

    /// `issubclass(derived, class)`.
    fn PyObject_IsSubclass(ts, derived: &PyObject, class: &PyObject) -> bool {
        protocol::issubclass(ts, derived, class)
    }
}

// Iterators.

capi! {
    /// The next item; null without an exception at the end.
    fn PyIter_Next(ts, iterator: &PyObject) -> Option<PyRef> {
        protocol::next(ts, iterator)
    }

    /// 1 and the next item, or 0 at the end.
    fn PyIter_NextItem(ts, iterator: &PyObject, item: *mut *mut PyObject) -> bool {
        super::dictobject::no_answer(item);
        if !protocol::is_iterator(iterator) {
            return raise!(ts, exc::TypeError, "expected an iterator, got '{}'", iterator.type_name());
        }
        Ok(super::dictobject::answer(protocol::next(ts, iterator)?, item))
    }

    /// Whether the object is an iterator.
    fn PyIter_Check(ts, object: &PyObject) -> bool {
        Ok(protocol::is_iterator(object))
    }

    /// Whether the object is an asynchronous iterator.
    fn PyAIter_Check(ts, object: &PyObject) -> bool {
        Ok(object.ob_type().slots().am_anext.is_some())
    }

    /// Sends a value: 1 for a yielded one, 0 for a returned one.
    fn PyIter_Send(ts, iterator: &PyObject, value: &PyObject, result: *mut *mut PyObject) -> i32 {
        use crate::object::slots::Sent;
        super::dictobject::no_answer(result);
        match generator::send_to(ts, iterator, value)? {
            Sent::Yielded(value) => Ok(super::dictobject::answer(Some(value), result).into()),
            Sent::Returned(value) => {
                super::dictobject::answer(Some(value), result);
                Ok(0)
            }
        }
    }

    /// An iterator over a sequence's items by index.
    fn PySeqIter_New(ts, sequence: &PyObject) -> PyRef {
        crate::types::seqiter::sequence_iterator(ts, sequence)
    }

    /// An iterator over a callable's results up to a sentinel.
    fn PyCallIter_New(ts, callable: &PyObject, sentinel: &PyObject) -> PyRef {
        crate::types::seqiter::callable_iterator(ts, callable, sentinel)
    }
}

// Numbers.

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident = $function:ident;)*) => {
        capi! {
            $(
                $(#[$doc])*
                fn $name(ts, left: &PyObject, right: &PyObject) -> PyRef {
                    protocol::$function(ts, left, right)
                }
            )*
        }
    };
}

binary! {
    /// `left + right`.
    PyNumber_Add = add;
    /// `left - right`.
    PyNumber_Subtract = subtract;
    /// `left * right`.
    PyNumber_Multiply = multiply;
    /// `left @ right`.
    PyNumber_MatrixMultiply = matrix_multiply;
    /// `left // right`.
    PyNumber_FloorDivide = floor_divide;
    /// `left / right`.
    PyNumber_TrueDivide = true_divide;
    /// `left % right`.
    PyNumber_Remainder = remainder;
    /// `divmod(left, right)`.
    PyNumber_Divmod = divmod;
    /// `left << right`.
    PyNumber_Lshift = lshift;
    /// `left >> right`.
    PyNumber_Rshift = rshift;
    /// `left & right`.
    PyNumber_And = and;
    /// `left ^ right`.
    PyNumber_Xor = xor;
    /// `left | right`.
    PyNumber_Or = or;
    /// `left += right`.
    PyNumber_InPlaceAdd = inplace_add;
    /// `left -= right`.
    PyNumber_InPlaceSubtract = inplace_subtract;
    /// `left *= right`.
    PyNumber_InPlaceMultiply = inplace_multiply;
    /// `left @= right`.
    PyNumber_InPlaceMatrixMultiply = inplace_matrix_multiply;
    /// `left //= right`.
    PyNumber_InPlaceFloorDivide = inplace_floor_divide;
    /// `left /= right`.
    PyNumber_InPlaceTrueDivide = inplace_true_divide;
    /// `left %= right`.
    PyNumber_InPlaceRemainder = inplace_remainder;
    /// `left <<= right`.
    PyNumber_InPlaceLshift = inplace_lshift;
    /// `left >>= right`.
    PyNumber_InPlaceRshift = inplace_rshift;
    /// `left &= right`.
    PyNumber_InPlaceAnd = inplace_and;
    /// `left ^= right`.
    PyNumber_InPlaceXor = inplace_xor;
    /// `left |= right`.
    PyNumber_InPlaceOr = inplace_or;
}

capi! {
    /// `pow(base, exponent, modulus)`, without modulus for None.
    fn PyNumber_Power(ts, base: &PyObject, exponent: &PyObject, modulus: &PyObject) -> PyRef {
        protocol::power(ts, base, exponent, modulus)
    }

    /// `base **= exponent`.
    fn PyNumber_InPlacePower(ts, base: &PyObject, exponent: &PyObject, modulus: &PyObject) -> PyRef {
        if modulus.is(none()) {
            return protocol::inplace_power(ts, base, exponent);
        }
        protocol::power(ts, base, exponent, modulus)
    }

    /// `-object`.
    fn PyNumber_Negative(ts, object: &PyObject) -> PyRef {
        protocol::negative(ts, object)
    }

    /// `+object`.
    fn PyNumber_Positive(ts, object: &PyObject) -> PyRef {
        protocol::positive(ts, object)
    }

    /// `abs(object)`.
    fn PyNumber_Absolute(ts, object: &PyObject) -> PyRef {
        protocol::absolute(ts, object)
    }

    /// `~object`.
    fn PyNumber_Invert(ts, object: &PyObject) -> PyRef {
        protocol::invert(ts, object)
    }

    /// `int(object)`.
    fn PyNumber_Long(ts, object: &PyObject) -> PyRef {
        super::longobject::to_int(ts, object)
    }

    /// `float(object)`.
    fn PyNumber_Float(ts, object: &PyObject) -> PyRef {
        super::floatobject::to_float(ts, object)
    }

    /// `operator.index(object)`.
    fn PyNumber_Index(ts, object: &PyObject) -> PyRef {
        protocol::index(ts, object).map(Ref::into_object)
    }

    /// The index as a `Py_ssize_t`; out of range it is clipped, or raises the given exception.
    fn PyNumber_AsSsize_t(ts, object: &PyObject, error: Option<&PyObject>) -> isize {
        let int = protocol::index(ts, object)?;
        if let Some(value) = int.as_i64() {
            return Ok(value as isize);
        }
        let Some(error) = error else { return Ok(int.saturating_isize()) };
        let class = super::convert::exception_class(ts, error)?;
        raise!(ts, *class, "cannot fit '{}' into an index-sized integer", object.type_name())
    }

    /// The number in base 2, 8, 10 or 16, with its prefix.
    fn PyNumber_ToBase(ts, object: &PyObject, base: c_int) -> Ref<PyStr> {
        if !matches!(base, 2 | 8 | 10 | 16) {
            return raise!(ts, exc::SystemError, "PyNumber_ToBase: base must be 2, 8, 10 or 16");
        }
        let int = protocol::index(ts, object)?;
        if base == 10 { int.to_str(ts, 10) } else { int.to_prefixed_str(ts, base as u32) }
    }
}

/// Whether the object is a number of some kind.
///
/// # Safety
///
/// `object` is an object or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyNumber_Check(object: *mut PyObject) -> c_int {
    // SAFETY: as promised.
    unsafe { object.as_ref() }.is_some_and(protocol::is_number).into()
}

/// Whether the object has `__index__`.
///
/// # Safety
///
/// `object` is an object or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyIndex_Check(object: *mut PyObject) -> c_int {
    // SAFETY: as promised.
    unsafe { object.as_ref() }.is_some_and(protocol::is_index).into()
}

// Sequences.

/// The slice object of two numbers.
fn slice_of(ts: &ThreadState, low: isize, high: isize) -> PyResult<Ref<PySlice>> {
    PySlice::new(ts, &*PyInt::from_isize(ts, low)?, &*PyInt::from_isize(ts, high)?, none())
}

/// `object[low:high] = value`, or `del`.
pub(super) fn set_slice(
    ts: &ThreadState,
    object: &PyObject,
    low: isize,
    high: isize,
    value: Option<&PyObject>,
) -> PyResult<()> {
    let slice = slice_of(ts, low, high)?;
    match value {
        Some(value) => protocol::setitem(ts, object, slice.as_object(), value),
        None => protocol::delitem(ts, object, slice.as_object()),
    }
}

/// An item of a sequence set or deleted by its index.
fn set_sequence_item(ts: &ThreadState, object: &PyObject, mut index: isize, value: Option<&PyObject>) -> PyResult<()> {
    let slots = object.ob_type().slots();
    let Some(slot) = slots.sq_ass_item else {
        let doing = if value.is_some() { "assignment" } else { "deletion" };
        if slots.mp_ass_subscript.is_some() {
            return raise!(ts, exc::TypeError, "{} is not a sequence", object.type_name());
        }
        return raise!(ts, exc::TypeError, "'{}' object does not support item {doing}", object.type_name());
    };
    if index < 0
        && let Some(length) = slots.sq_length
    {
        index += length(ts, object)? as isize;
    }
    slot(ts, object, index, value)
}

capi! {
    /// The number of items.
    fn PySequence_Size(ts, object: &PyObject) -> usize {
        sequence_length(ts, object)
    }

    /// The number of items.
    fn PySequence_Length(ts, object: &PyObject) -> usize {
        sequence_length(ts, object)
    }

    /// `left + right` of sequences.
    fn PySequence_Concat(ts, left: &PyObject, right: &PyObject) -> PyRef {
        concat(ts, left, right, false)
    }

    /// `left += right` of sequences.
    fn PySequence_InPlaceConcat(ts, left: &PyObject, right: &PyObject) -> PyRef {
        concat(ts, left, right, true)
    }

    /// `object * count` of a sequence.
    fn PySequence_Repeat(ts, object: &PyObject, count: isize) -> PyRef {
        repeat(ts, object, count, false)
    }

    /// `object *= count` of a sequence.
    fn PySequence_InPlaceRepeat(ts, object: &PyObject, count: isize) -> PyRef {
        repeat(ts, object, count, true)
    }

    /// `object[index]`.
    fn PySequence_GetItem(ts, object: &PyObject, index: isize) -> PyRef {
        protocol::sequence_item(ts, object, index)
    }

    /// `object[index] = value`, or `del` for null.
    fn PySequence_SetItem(ts, object: &PyObject, index: isize, value: Option<&PyObject>) -> () {
        set_sequence_item(ts, object, index, value)
    }

    /// `del object[index]`.
    fn PySequence_DelItem(ts, object: &PyObject, index: isize) -> () {
        set_sequence_item(ts, object, index, None)
    }

    /// `object[low:high]`.
    fn PySequence_GetSlice(ts, object: &PyObject, low: isize, high: isize) -> PyRef {
        if object.ob_type().slots().mp_subscript.is_none() {
            return raise!(ts, exc::TypeError, "'{}' object is unsliceable", object.type_name());
        }
        protocol::getitem(ts, object, slice_of(ts, low, high)?.as_object())
    }

    /// `object[low:high] = value`, or `del` for null.
    fn PySequence_SetSlice(ts, object: &PyObject, low: isize, high: isize, value: Option<&PyObject>) -> () {
        set_slice(ts, object, low, high, value)
    }

    /// `del object[low:high]`.
    fn PySequence_DelSlice(ts, object: &PyObject, low: isize, high: isize) -> () {
        set_slice(ts, object, low, high, None)
    }

    /// How many items are equal to a value.
    fn PySequence_Count(ts, object: &PyObject, value: &PyObject) -> usize {
        let mut count = 0;
        protocol::for_each(ts, object, |item| {
            count += usize::from(protocol::compare_bool(ts, &item, value, crate::object::CompareOp::Eq)?);
            Ok(())
        })?;
        Ok(count)
    }

    /// `value in object`.
    fn PySequence_Contains(ts, object: &PyObject, value: &PyObject) -> bool {
        protocol::contains(ts, object, value)
    }

    /// `value in object`: the name of old.
    fn PySequence_In(ts, object: &PyObject, value: &PyObject) -> bool {
        protocol::contains(ts, object, value)
    }

    /// The index of the first item equal to a value; ValueError when there is none.
    fn PySequence_Index(ts, object: &PyObject, value: &PyObject) -> usize {
        let mut at = 0usize;
        let found = protocol::iterate(ts, object, |item| {
            if protocol::compare_bool(ts, &item, value, crate::object::CompareOp::Eq)? {
                return Ok(core::ops::ControlFlow::Break(at));
            }
            at += 1;
            Ok(core::ops::ControlFlow::Continue(()))
        })?;
        match found {
            Some(index) => Ok(index),
            None => raise!(ts, exc::ValueError, "sequence.index(x): x not in sequence"),
        }
    }

    /// `list(object)`.
    fn PySequence_List(ts, object: &PyObject) -> Ref<PyList> {
        PyList::from_iterable(ts, object)
    }

    /// `tuple(object)`.
    fn PySequence_Tuple(ts, object: &PyObject) -> Ref<PyTuple> {
        PyTuple::from_iterable(ts, object)
    }

    /// The object itself if it is a list or tuple, else a list of its items; TypeError with the message.
    fn PySequence_Fast(ts, object: &PyObject, message: &CStr) -> PyRef {
        if object.is_a::<PyList>() || object.is_a::<PyTuple>() {
            return Ok(object.new_ref());
        }
        let iterator = match protocol::iter(ts, object) {
            Ok(iterator) => iterator,
            Err(raised) if ts.raised_matches(&exc::TypeError) => {
                ts.clear_raised(raised);
                return raise!(ts, exc::TypeError, "{}", message.to_str().unwrap_or("not a sequence"));
            }
            Err(raised) => return Err(raised),
        };
        PyList::from_iterable(ts, &iterator).map(Ref::into_object)
    }
}

fn sequence_length(ts: &ThreadState, object: &PyObject) -> PyResult<usize> {
    let slots = object.ob_type().slots();
    match slots.sq_length {
        Some(length) => length(ts, object),
        None if slots.mp_length.is_some() => raise!(ts, exc::TypeError, "{} is not a sequence", object.type_name()),
        None => raise!(ts, exc::TypeError, "object of type '{}' has no len()", object.type_name()),
    }
}

fn concat(ts: &ThreadState, left: &PyObject, right: &PyObject, inplace: bool) -> PyResult {
    let slots = left.ob_type().slots();
    if inplace && let Some(slot) = slots.sq_inplace_concat {
        return slot(ts, left, right);
    }
    if let Some(slot) = slots.sq_concat {
        return slot(ts, left, right);
    }
    if protocol::is_sequence(left) && protocol::is_sequence(right) {
        return if inplace { protocol::inplace_add(ts, left, right) } else { protocol::add(ts, left, right) };
    }
    raise!(ts, exc::TypeError, "'{}' object can't be concatenated", left.type_name())
}

fn repeat(ts: &ThreadState, object: &PyObject, count: isize, inplace: bool) -> PyResult {
    let slots = object.ob_type().slots();
    if inplace && let Some(slot) = slots.sq_inplace_repeat {
        return slot(ts, object, count);
    }
    if let Some(slot) = slots.sq_repeat {
        return slot(ts, object, count);
    }
    if protocol::is_sequence(object) {
        let count = PyInt::from_isize(ts, count)?;
        return if inplace {
            protocol::inplace_multiply(ts, object, &count)
        } else {
            protocol::multiply(ts, object, &count)
        };
    }
    raise!(ts, exc::TypeError, "'{}' object can't be repeated", object.type_name())
}

/// Whether the object has items by index, and is no dict.
///
/// # Safety
///
/// `object` is an object or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PySequence_Check(object: *mut PyObject) -> c_int {
    // SAFETY: as promised.
    unsafe { object.as_ref() }.is_some_and(protocol::is_sequence).into()
}

// Mappings.

fn mapping_view(ts: &ThreadState, object: &PyObject, method: &PyStr) -> PyResult {
    if let Some(dict) = object.downcast_exact::<PyDict>() {
        let list = if core::ptr::eq(method, id!(keys)) {
            dict.keys_list(ts)
        } else if core::ptr::eq(method, id!(values)) {
            dict.values_list(ts)
        } else {
            dict.items_list(ts)
        };
        return list.map(Ref::into_object);
    }
    protocol::mapping_list(ts, object, method).map(Ref::into_object)
}

/// The value of a key, or none where the look-up raises KeyError.
fn optional_item(ts: &ThreadState, object: &PyObject, key: &PyObject) -> PyResult<Option<PyRef>> {
    if let Some(dict) = object.downcast_exact::<PyDict>() {
        return dict.get(ts, key);
    }
    let result = protocol::getitem(ts, object, key);
    ts.catch(result, &exc::KeyError)
}

capi! {
    /// The number of keys.
    fn PyMapping_Size(ts, object: &PyObject) -> usize {
        mapping_length(ts, object)
    }

    /// The number of keys.
    fn PyMapping_Length(ts, object: &PyObject) -> usize {
        mapping_length(ts, object)
    }

    /// `list(object.keys())`.
    fn PyMapping_Keys(ts, object: &PyObject) -> PyRef {
        mapping_view(ts, object, id!(keys))
    }

    /// `list(object.values())`.
    fn PyMapping_Values(ts, object: &PyObject) -> PyRef {
        mapping_view(ts, object, id!(values))
    }

    /// `list(object.items())`.
    fn PyMapping_Items(ts, object: &PyObject) -> PyRef {
        mapping_view(ts, object, id!(items))
    }

    /// `object[key]`.
    fn PyMapping_GetItemString(ts, object: &PyObject, key: &CStr) -> PyRef {
        protocol::getitem(ts, object, name(ts, key)?.as_object())
    }

    /// `object[key] = value`.
    fn PyMapping_SetItemString(ts, object: &PyObject, key: &CStr, value: &PyObject) -> () {
        protocol::setitem(ts, object, name(ts, key)?.as_object(), value)
    }

    /// 1 and the value of a key, or 0.
    fn PyMapping_GetOptionalItem(ts, object: &PyObject, key: &PyObject, result: *mut *mut PyObject) -> bool {
        super::dictobject::no_answer(result);
        Ok(super::dictobject::answer(optional_item(ts, object, key)?, result))
    }

    /// 1 and the value of a key, or 0.
    fn PyMapping_GetOptionalItemString(ts, object: &PyObject, key: &CStr, result: *mut *mut PyObject) -> bool {
        super::dictobject::no_answer(result);
        let key = name(ts, key)?;
        Ok(super::dictobject::answer(optional_item(ts, object, key.as_object())?, result))
    }

    /// Whether the key is there; errors other than KeyError are passed on.
    fn PyMapping_HasKeyWithError(ts, object: &PyObject, key: &PyObject) -> bool {
        Ok(optional_item(ts, object, key)?.is_some())
    }

    /// Whether the key is there; errors other than KeyError are passed on.
    fn PyMapping_HasKeyStringWithError(ts, object: &PyObject, key: &CStr) -> bool {
        Ok(optional_item(ts, object, name(ts, key)?.as_object())?.is_some())
    }

    /// Whether the key is there; errors are reported as unraisable.
    fn PyMapping_HasKey(ts, object: &PyObject, key: &PyObject) -> bool {
        Ok(has_key(ts, object, Ok(key.new_ref())))
    }

    /// Whether the key is there; errors are reported as unraisable.
    fn PyMapping_HasKeyString(ts, object: &PyObject, key: &CStr) -> bool {
        Ok(has_key(ts, object, name(ts, key).map(Ref::into_object)))
    }
}

fn has_key(ts: &ThreadState, object: &PyObject, key: PyResult) -> bool {
    match key.and_then(|key| optional_item(ts, object, &key)) {
        Ok(found) => found.is_some(),
        Err(raised) => {
            exc::write_unraisable(ts, raised, None, object);
            false
        }
    }
}

fn mapping_length(ts: &ThreadState, object: &PyObject) -> PyResult<usize> {
    let slots = object.ob_type().slots();
    match slots.mp_length {
        Some(length) => length(ts, object),
        None if slots.sq_length.is_some() => raise!(ts, exc::TypeError, "{} is not a mapping", object.type_name()),
        None => raise!(ts, exc::TypeError, "object of type '{}' has no len()", object.type_name()),
    }
}

/// Whether the object has items by key.
///
/// # Safety
///
/// `object` is an object or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyMapping_Check(object: *mut PyObject) -> c_int {
    // SAFETY: as promised.
    unsafe { object.as_ref() }.is_some_and(|object| object.ob_type().slots().mp_subscript.is_some()).into()
}

// File descriptors.

capi! {
    /// The descriptor that an int is, or that `fileno()` gives.
    fn PyObject_AsFileDescriptor(ts, object: &PyObject) -> i32 {
        let descriptor = match object.downcast::<PyInt>() {
            Some(int) => int.to_i32(ts)?,
            None => {
                let Some(method) = attr::get_opt(ts, object, &*PyStr::intern(ts, "fileno")?)? else {
                    return raise!(ts, exc::TypeError, "argument must be an int, or have a fileno() method.");
                };
                let made = call::call0(ts, &method)?;
                match made.downcast::<PyInt>() {
                    Some(int) => int.to_i32(ts)?,
                    None => return raise!(ts, exc::TypeError, "fileno() returned a non-integer"),
                }
            }
        };
        if descriptor < 0 {
            return raise!(ts, exc::ValueError, "file descriptor cannot be a negative integer ({descriptor})");
        }
        Ok(descriptor)
    }

    /// The path that a str, bytes or `__fspath__` gives.
    fn PyOS_FSPath(ts, object: &PyObject) -> PyRef {
        fs_path(ts, object)
    }

    /// `object.encode(encoding, errors)` of any codec.
    fn PyCodec_Encode(ts, object: &PyObject, encoding: Option<&CStr>, errors: Option<&CStr>) -> PyRef {
        codec(ts, object, encoding, errors, "encode")
    }

    /// The opposite.
    fn PyCodec_Decode(ts, object: &PyObject, encoding: Option<&CStr>, errors: Option<&CStr>) -> PyRef {
        codec(ts, object, encoding, errors, "decode")
    }
}

fn codec(ts: &ThreadState, object: &PyObject, encoding: Option<&CStr>, errors: Option<&CStr>, what: &str) -> PyResult {
    let function = protocol::import_attr(ts, "_codecs", what)?;
    let encoding = PyStr::new(ts, encoding.map_or(Ok("utf-8"), |e| utf8(ts, e))?)?;
    let errors = PyStr::new(ts, errors_or_strict(ts, errors)?)?;
    call::call_with(ts, &function, &[object, encoding.as_object(), errors.as_object()])
}

/// `os.fspath(object)`.
pub(super) fn fs_path(ts: &ThreadState, object: &PyObject) -> PyResult {
    use crate::types::bytes::PyBytes;
    if object.is_a::<PyStr>() || object.is_a::<PyBytes>() {
        return Ok(object.new_ref());
    }
    let Some(path) = call::call_special(ts, object, &*PyStr::intern(ts, "__fspath__")?, &[])? else {
        return raise!(ts, exc::TypeError, "expected str, bytes or os.PathLike object, not {}", object.type_name());
    };
    if path.is_a::<PyStr>() || path.is_a::<PyBytes>() {
        return Ok(path);
    }
    raise!(
        ts,
        exc::TypeError,
        "expected {}.__fspath__() to return str or bytes, not {}",
        object.type_name(),
        path.type_name()
    )
}

// What the variadic call functions in `variadic.c` end in.

/// `callable(*objects)`, each counted by the caller.
///
/// # Safety
///
/// A thread state is attached; `objects` has `count` objects.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_CallObjects(
    callable: *mut PyObject,
    objects: *const *mut PyObject,
    count: usize,
) -> *mut PyObject {
    guard::<PyRef>("PyObject_CallFunctionObjArgs", |ts| {
        // SAFETY: as promised.
        let Some(callable) = (unsafe { callable.as_ref() }) else { return null_argument(ts) };
        // SAFETY: as promised.
        call_checked(ts, callable, Args::positional_only(unsafe { borrowed_array(objects, count) }))
    })
}

/// `object.name(*objects)`; the name is a str or, when that is null, a C string.
///
/// # Safety
///
/// A thread state is attached; `objects` has `count` objects.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_CallMethodObjects(
    object: *mut PyObject,
    method: *mut PyObject,
    method_text: *const c_char,
    objects: *const *mut PyObject,
    count: usize,
) -> *mut PyObject {
    guard::<PyRef>("PyObject_CallMethod", |ts| {
        // SAFETY: as promised.
        let Some(object) = (unsafe { object.as_ref() }) else { return null_argument(ts) };
        // SAFETY: a str, or null.
        let method = match unsafe { method.as_ref() } {
            Some(method) => match method.downcast::<PyStr>() {
                Some(method) => Ref::from_borrowed(method),
                None => {
                    return raise!(ts, exc::TypeError, "attribute name must be string, not '{}'", method.type_name());
                }
            },
            None if method_text.is_null() => return null_argument(ts),
            // SAFETY: a C string.
            None => name(ts, unsafe { CStr::from_ptr(method_text) })?,
        };
        let function = attr::get(ts, object, &method)?;
        // SAFETY: as promised.
        call_checked(ts, &function, Args::positional_only(unsafe { borrowed_array(objects, count) }))
    })
}

/// `callable(*args)` with what `Py_BuildValue` made of a format: a tuple is spread, and given up.
///
/// # Safety
///
/// A thread state is attached; the caller gives up its reference to `args`, which may be null (an exception is set).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_CallBuilt(callable: *mut PyObject, args: *mut PyObject) -> *mut PyObject {
    guard::<PyRef>("PyObject_CallFunction", |ts| {
        // SAFETY: as promised.
        let args = unsafe { PyRef::from_owned_or_null(args) };
        // SAFETY: as promised.
        let Some(callable) = (unsafe { callable.as_ref() }) else { return null_argument(ts) };
        let Some(args) = args else { return null_argument(ts) };
        match args.downcast::<PyTuple>() {
            Some(tuple) => call_checked(ts, callable, Args::positional_only(tuple.items())),
            None => call_checked(ts, callable, Args::positional_only(&[&args])),
        }
    })
}

/// `object.name`, which must be callable, for `PyObject_CallMethod`.
///
/// # Safety
///
/// A thread state is attached; `object` is an object or null, `method` a C string or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_GetMethod(object: *mut PyObject, method: *const c_char) -> *mut PyObject {
    guard::<PyRef>("PyObject_CallMethod", |ts| {
        // SAFETY: as promised.
        let (Some(object), false) = (unsafe { object.as_ref() }, method.is_null()) else { return null_argument(ts) };
        // SAFETY: as promised.
        let method = attr::get(ts, object, &*name(ts, unsafe { CStr::from_ptr(method) })?)?;
        if !call::is_callable(&method) {
            return raise!(ts, exc::TypeError, "attribute of type '{}' is not callable", method.type_name());
        }
        Ok(method)
    })
}

/// `method(*args)`, both given up: the second half of `PyObject_CallMethod`.
///
/// # Safety
///
/// As for [`_Hog_CallBuilt`]; the caller also gives up its reference to `method`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_CallOwnedMethod(method: *mut PyObject, args: *mut PyObject) -> *mut PyObject {
    // SAFETY: as promised.
    unsafe {
        let result = _Hog_CallBuilt(method, args);
        drop(PyRef::from_owned_or_null(method));
        result
    }
}

/// A tuple of objects, each counted by the tuple for itself.
///
/// # Safety
///
/// A thread state is attached; `objects` has `count` objects.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _Hog_TuplePack(objects: *const *mut PyObject, count: isize) -> *mut PyObject {
    guard::<Ref<PyTuple>>("PyTuple_Pack", |ts| {
        if count < 0 {
            return bad_internal_call(ts, "PyTuple_Pack");
        }
        // SAFETY: as promised.
        PyTuple::new(ts, unsafe { borrowed_array(objects, count as usize) })
    })
}
