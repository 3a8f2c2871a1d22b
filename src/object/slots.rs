//! What a type does: the runtime's own table of slots.
//!
//! CPython's slots are C functions without a thread state. The runtime's take one, so that nothing
//! on a hot path has to look it up, and say in their types what can fail. Every type has such a table;
//! [`PyTypeObject::slots`](super::PyTypeObject::slots) finds it. The C slots of a `PyTypeObject` are a view of it for C
//! code, and a static type written in C gets a table of adapters.
//!
//! `None` means "not there"; `type_ready` fills what a type inherits.

use core::ops::ControlFlow;

use super::call::Args;
use super::error::PyResult;
use super::header::PyObject;
use super::reference::PyRef;
use super::typeobj::PyTypeObject;
use super::visit::Visitor;
use crate::state::ThreadState;
use crate::types::str::PyStr;

/// The six comparisons, with C's numbers (`Py_LT` …).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum CompareOp {
    /// `<`
    Lt = 0,
    /// `<=`
    Le = 1,
    /// `==`
    Eq = 2,
    /// `!=`
    Ne = 3,
    /// `>`
    Gt = 4,
    /// `>=`
    Ge = 5,
}

impl CompareOp {
    /// The comparison with its sides exchanged: `a < b` is `b > a`.
    pub const fn swapped(self) -> CompareOp {
        match self {
            CompareOp::Lt => CompareOp::Gt,
            CompareOp::Le => CompareOp::Ge,
            CompareOp::Eq => CompareOp::Eq,
            CompareOp::Ne => CompareOp::Ne,
            CompareOp::Gt => CompareOp::Lt,
            CompareOp::Ge => CompareOp::Le,
        }
    }

    /// Whether an ordering satisfies the comparison.
    #[inline(always)]
    pub fn holds(self, ordering: core::cmp::Ordering) -> bool {
        match self {
            CompareOp::Lt => ordering.is_lt(),
            CompareOp::Le => ordering.is_le(),
            CompareOp::Eq => ordering.is_eq(),
            CompareOp::Ne => ordering.is_ne(),
            CompareOp::Gt => ordering.is_gt(),
            CompareOp::Ge => ordering.is_ge(),
        }
    }

    /// The comparison with C's number.
    pub const fn from_c(op: i32) -> Option<CompareOp> {
        Some(match op {
            0 => CompareOp::Lt,
            1 => CompareOp::Le,
            2 => CompareOp::Eq,
            3 => CompareOp::Ne,
            4 => CompareOp::Gt,
            5 => CompareOp::Ge,
            _ => return None,
        })
    }

    /// How the comparison is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            CompareOp::Lt => "<",
            CompareOp::Le => "<=",
            CompareOp::Eq => "==",
            CompareOp::Ne => "!=",
            CompareOp::Gt => ">",
            CompareOp::Ge => ">=",
        }
    }
}

/// What sending a value into a generator gave.
pub enum Sent {
    /// It yielded.
    Yielded(PyRef),
    /// It returned.
    Returned(PyRef),
}

/// `f(self)`.
pub type UnaryFn = fn(&ThreadState, &PyObject) -> PyResult;
/// `f(left, right)`; returns `NotImplemented` when it does not know the operands. Called with the
/// operands in source order: either of them may be the instance whose type the slot is of.
pub type BinaryFn = fn(&ThreadState, &PyObject, &PyObject) -> PyResult;
/// `f(left, right, third)`.
pub type TernaryFn = fn(&ThreadState, &PyObject, &PyObject, &PyObject) -> PyResult;
/// A truth value or a count.
pub type PredicateFn = fn(&ThreadState, &PyObject) -> PyResult<bool>;
/// A length.
pub type LengthFn = fn(&ThreadState, &PyObject) -> PyResult<usize>;
/// Ends an object whose count reached zero: drops what it owns and frees its memory.
///
/// Called with the count at zero. See [`super::dealloc`] for how one is written.
pub type DeallocFn = unsafe fn(&ThreadState, *mut PyObject);
/// Shows the collector every reference that the object owns.
pub type TraverseFn = fn(&PyObject, &mut Visitor<'_>) -> ControlFlow<()>;
/// Drops the references that may be part of a cycle.
pub type ClearFn = fn(&ThreadState, &PyObject);
/// Gets an attribute.
pub type GetAttrFn = fn(&ThreadState, &PyObject, &PyStr) -> PyResult;
/// Sets an attribute, or deletes it (`None`).
pub type SetAttrFn = fn(&ThreadState, &PyObject, &PyStr, Option<&PyObject>) -> PyResult<()>;
/// Fills a view of the object's memory.
pub type GetBufferFn = fn(&ThreadState, &PyObject, &mut super::buffer::PyBuffer, i32) -> PyResult<()>;
/// Calls the object.
pub type CallFn = fn(&ThreadState, &PyObject, Args<'_>) -> PyResult;

macro_rules! slots {
    ($($(#[$doc:meta])* $name:ident: $ty:ty,)*) => {
        /// The runtime's slot table of a type; field names are C's without their `tp_` prefix.
        #[derive(Clone, Copy)]
        #[repr(C)]
        pub struct TypeSlots {
            $($(#[$doc])* pub $name: Option<$ty>,)*
        }

        impl TypeSlots {
            /// A table without any slot.
            pub const EMPTY: TypeSlots = TypeSlots { $($name: None,)* };

            /// Takes over from `base` each slot that `self` does not have, but for the groups that
            /// [`super::ready`] inherits by rules of their own (new, dealloc, traverse and clear,
            /// hash and richcompare, getattro and setattro).
            pub(super) fn inherit_simple(&mut self, base: &TypeSlots) {
                let keep = *self;
                $(if self.$name.is_none() { self.$name = base.$name; })*
                self.hash = keep.hash;
                self.richcompare = keep.richcompare;
                self.traverse = keep.traverse;
                self.clear = keep.clear;
            }
        }
    };
}

slots! {
    /// `tp_dealloc`.
    dealloc: DeallocFn,
    /// `tp_traverse`.
    traverse: TraverseFn,
    /// `tp_clear`.
    clear: ClearFn,
    /// `tp_finalize` (PEP 442); an exception is reported as unraisable by the slot itself.
    finalize: fn(&ThreadState, &PyObject),
    /// `tp_repr`.
    repr: UnaryFn,
    /// `tp_str`.
    str: UnaryFn,
    /// `tp_hash`; never -1.
    hash: fn(&ThreadState, &PyObject) -> PyResult<isize>,
    /// `tp_call`, in vectorcall form: the one way that anything is called.
    call: CallFn,
    /// `tp_getattro`.
    getattro: GetAttrFn,
    /// `tp_setattro`.
    setattro: SetAttrFn,
    /// `tp_richcompare`.
    richcompare: fn(&ThreadState, &PyObject, &PyObject, CompareOp) -> PyResult,
    /// `tp_iter`.
    iter: UnaryFn,
    /// `tp_iternext`; `Ok(None)` is the end, without a StopIteration.
    iternext: fn(&ThreadState, &PyObject) -> PyResult<Option<PyRef>>,
    /// `tp_descr_get(descriptor, instance, owner)`.
    descr_get: fn(&ThreadState, &PyObject, Option<&PyObject>, Option<&PyObject>) -> PyResult,
    /// `tp_descr_set(descriptor, instance, value)`; `None` deletes.
    descr_set: fn(&ThreadState, &PyObject, &PyObject, Option<&PyObject>) -> PyResult<()>,
    /// `tp_init`.
    init: fn(&ThreadState, &PyObject, Args<'_>) -> PyResult<()>,
    /// `tp_new`.
    new: fn(&ThreadState, &PyTypeObject, Args<'_>) -> PyResult,

    /// `nb_add`.
    nb_add: BinaryFn,
    /// `nb_subtract`.
    nb_subtract: BinaryFn,
    /// `nb_multiply`.
    nb_multiply: BinaryFn,
    /// `nb_remainder`.
    nb_remainder: BinaryFn,
    /// `nb_divmod`.
    nb_divmod: BinaryFn,
    /// `nb_power`; the third operand is None when absent.
    nb_power: TernaryFn,
    /// `nb_negative`.
    nb_negative: UnaryFn,
    /// `nb_positive`.
    nb_positive: UnaryFn,
    /// `nb_absolute`.
    nb_absolute: UnaryFn,
    /// `nb_bool`.
    nb_bool: PredicateFn,
    /// `nb_invert`.
    nb_invert: UnaryFn,
    /// `nb_lshift`.
    nb_lshift: BinaryFn,
    /// `nb_rshift`.
    nb_rshift: BinaryFn,
    /// `nb_and`.
    nb_and: BinaryFn,
    /// `nb_xor`.
    nb_xor: BinaryFn,
    /// `nb_or`.
    nb_or: BinaryFn,
    /// `nb_int`.
    nb_int: UnaryFn,
    /// `nb_float`.
    nb_float: UnaryFn,
    /// `nb_inplace_add`.
    nb_inplace_add: BinaryFn,
    /// `nb_inplace_subtract`.
    nb_inplace_subtract: BinaryFn,
    /// `nb_inplace_multiply`.
    nb_inplace_multiply: BinaryFn,
    /// `nb_inplace_remainder`.
    nb_inplace_remainder: BinaryFn,
    /// `nb_inplace_power`.
    nb_inplace_power: TernaryFn,
    /// `nb_inplace_lshift`.
    nb_inplace_lshift: BinaryFn,
    /// `nb_inplace_rshift`.
    nb_inplace_rshift: BinaryFn,
    /// `nb_inplace_and`.
    nb_inplace_and: BinaryFn,
    /// `nb_inplace_xor`.
    nb_inplace_xor: BinaryFn,
    /// `nb_inplace_or`.
    nb_inplace_or: BinaryFn,
    /// `nb_floor_divide`.
    nb_floor_divide: BinaryFn,
    /// `nb_true_divide`.
    nb_true_divide: BinaryFn,
    /// `nb_inplace_floor_divide`.
    nb_inplace_floor_divide: BinaryFn,
    /// `nb_inplace_true_divide`.
    nb_inplace_true_divide: BinaryFn,
    /// `nb_index`.
    nb_index: UnaryFn,
    /// `nb_matrix_multiply`.
    nb_matrix_multiply: BinaryFn,
    /// `nb_inplace_matrix_multiply`.
    nb_inplace_matrix_multiply: BinaryFn,

    /// `sq_length`.
    sq_length: LengthFn,
    /// `sq_concat`.
    sq_concat: BinaryFn,
    /// `sq_repeat`.
    sq_repeat: fn(&ThreadState, &PyObject, isize) -> PyResult,
    /// `sq_item`; the index is not negative unless the caller's was below `-len`. IndexError past the end.
    sq_item: fn(&ThreadState, &PyObject, isize) -> PyResult,
    /// `sq_ass_item`; `None` deletes.
    sq_ass_item: fn(&ThreadState, &PyObject, isize, Option<&PyObject>) -> PyResult<()>,
    /// `sq_contains`.
    sq_contains: fn(&ThreadState, &PyObject, &PyObject) -> PyResult<bool>,
    /// `sq_inplace_concat`.
    sq_inplace_concat: BinaryFn,
    /// `sq_inplace_repeat`.
    sq_inplace_repeat: fn(&ThreadState, &PyObject, isize) -> PyResult,

    /// `mp_length`.
    mp_length: LengthFn,
    /// `mp_subscript`.
    mp_subscript: BinaryFn,
    /// `mp_ass_subscript`; `None` deletes.
    mp_ass_subscript: fn(&ThreadState, &PyObject, &PyObject, Option<&PyObject>) -> PyResult<()>,

    /// `am_await`.
    am_await: UnaryFn,
    /// `am_aiter`.
    am_aiter: UnaryFn,
    /// `am_anext`.
    am_anext: UnaryFn,
    /// `am_send`.
    am_send: fn(&ThreadState, &PyObject, &PyObject) -> PyResult<Sent>,

    /// `bf_getbuffer`: fills the view, which is zeroed before; `view.obj` is set by the caller.
    bf_getbuffer: fn(&ThreadState, &PyObject, &mut super::buffer::PyBuffer, i32) -> PyResult<()>,
    /// `bf_releasebuffer`.
    bf_releasebuffer: fn(&ThreadState, &PyObject, &mut super::buffer::PyBuffer),
}
