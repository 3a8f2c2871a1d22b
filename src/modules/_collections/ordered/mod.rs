//! `OrderedDict`: a dict whose order can be changed.
//!
//! ```text
//!  ┌──────────────────────────────┐
//!  │ PyDict: keys and values      │   keys' entries   0     1     2     3
//!  ├──────────────────────────────┤                  ┌─────┬─────┬─────┬─────┐
//!  │ map ─────────────────────────┼─────────────────►│  ●  │  ●  │  0  │  ●  │   the node of each entry
//!  │ first, last                  │                  └──│──┴──│──┴─────┴──│──┘
//!  └────│──────────────────────│──┘                     ▼     ▼           ▼
//!       └──►  node ◄──► node ◄──► node: the order; each owns its key
//! ```
//!
//! I1: a node is in the list from its making to its end; `count` says how many there are.
//! I2: the map belongs to the table `mapped`; with another table it is made anew before it is used. A node that it
//!     shows is alive, and its key is the entry's very object: a node for which that does not hold is not found.
//! I3: `state` changes whenever a node is added, removed or moved. A walker that finds the state unchanged may use the
//!     node that it has stopped at.
//! I4: who changes the dict past these methods (`dict.__setitem__(od, …)`) gets surprising orders, never a dead node.
//!
//! - `nodes.rs`: the list and the map; `methods.rs`: what Python sees; `iter.rs`: the iterators and views.

mod iter;
mod methods;
mod nodes;
mod update;

use core::cell::Cell;
use core::mem::offset_of;

use crate::object::weakref::WeakrefList;
use crate::object::{
    AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, Ref, Slot, StaticType, TypeSlots, TypeSpec, attr, call,
    flags,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::{DICT_TYPE, DictKeys, PyDict};
use crate::types::exceptions as exc;
use nodes::Node;

/// An OrderedDict.
#[repr(C)]
pub struct PyOrderedDict {
    dict: PyDict,
    attributes: Slot<PyDict>,
    weakrefs: WeakrefList,
    first: Cell<*mut Node>,
    last: Cell<*mut Node>,
    count: Cell<usize>,
    state: Cell<usize>,
    map: Cell<*mut *mut Node>,
    map_room: Cell<usize>,
    mapped: Cell<*const DictKeys>,
}

crate::native!(PyOrderedDict, ORDERED_DICT_TYPE);

/// `collections.OrderedDict`.
#[unsafe(export_name = "PyODict_Type")]
pub static ORDERED_DICT_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"collections.OrderedDict",
    basicsize: size_of::<PyOrderedDict>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    base: Some(&DICT_TYPE),
    doc: "Dictionary that remembers insertion order",
    slots: TypeSlots {
        dealloc: Some(nodes::ordered_dealloc),
        traverse: Some(nodes::ordered_traverse),
        clear: Some(nodes::ordered_tp_clear),
        init: Some(update::ordered_init),
        repr: Some(methods::ordered_repr),
        richcompare: Some(methods::ordered_compare),
        iter: Some(iter::ordered_iter),
        nb_or: Some(update::ordered_or),
        nb_inplace_or: Some(update::ordered_inplace_or),
        mp_ass_subscript: Some(methods::ordered_ass_subscript),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::keywords(
            "fromkeys",
            methods::from_keys,
            "fromkeys($type, /, iterable, value=None)\n--\n\n\
             Create a new ordered dictionary with keys from iterable and values set to value.",
        )
        .class(),
        MethodDef::no_args("__sizeof__", methods::sizeof, ""),
        MethodDef::no_args("__reduce__", methods::reduce, "Return state information for pickling"),
        MethodDef::keywords(
            "setdefault",
            methods::setdefault,
            "setdefault($self, /, key, default=None)\n--\n\n\
             Insert key with a value of default if key is not in the dictionary.\n\n\
             Return the value for key if key is in the dictionary, else default.",
        ),
        MethodDef::keywords(
            "pop",
            methods::pop,
            "pop($self, /, key, default=<unrepresentable>)\n--\n\n\
             od.pop(key[,default]) -> v, remove specified key and return the corresponding value.\n\n\
             If the key is not found, return the default if given; otherwise,\nraise a KeyError.",
        ),
        MethodDef::keywords(
            "popitem",
            methods::popitem,
            "popitem($self, /, last=True)\n--\n\n\
             Remove and return a (key, value) pair from the dictionary.\n\n\
             Pairs are returned in LIFO order if last is true or FIFO order if false.",
        ),
        MethodDef::no_args("keys", iter::keys, ""),
        MethodDef::no_args("values", iter::values, ""),
        MethodDef::no_args("items", iter::items, ""),
        MethodDef::keywords("update", update::update_method, ""),
        MethodDef::no_args("clear", methods::clear, "od.clear() -> None.  Remove all items from od."),
        MethodDef::no_args("copy", methods::copy, "od.copy() -> a shallow copy of od"),
        MethodDef::no_args("__reversed__", iter::ordered_reversed, "od.__reversed__() <==> reversed(od)"),
        MethodDef::keywords(
            "move_to_end",
            methods::move_to_end,
            "move_to_end($self, /, key, last=True)\n--\n\n\
             Move an existing element to the end (or beginning if last is false).\n\n\
             Raise KeyError if the element does not exist.",
        ),
    ],
    getset: &[GetSetDef::get_set("__dict__", attr::get_dict_attribute, attr::set_dict_attribute, "")],
    dictoffset: offset_of!(PyOrderedDict, attributes),
    weaklistoffset: offset_of!(PyOrderedDict, weakrefs),
    ..TypeSpec::EMPTY
});

/// The types that the module does not show.
pub(super) static PRIVATE_TYPES: &[&StaticType] =
    &[&iter::ORDERED_ITERATOR_TYPE, &iter::ORDERED_KEYS_TYPE, &iter::ORDERED_ITEMS_TYPE, &iter::ORDERED_VALUES_TYPE];

impl PyOrderedDict {
    /// A new, empty OrderedDict (`PyODict_New`).
    pub fn new(ts: &ThreadState) -> PyResult<Ref<PyOrderedDict>> {
        match call::call0(ts, ORDERED_DICT_TYPE.object.as_object())?.downcast_into() {
            Ok(made) => Ok(made),
            Err(_) => raise!(ts, exc::SystemError, "OrderedDict() has made something else"),
        }
    }

    /// The dict that it is.
    pub fn as_dict(&self) -> &PyDict {
        &self.dict
    }

    /// Whether the type is exactly `OrderedDict`.
    #[inline(always)]
    pub fn is_exact(&self) -> bool {
        core::ptr::eq(self.as_object().ob_type(), &ORDERED_DICT_TYPE.object)
    }
}

/// `key` when there is none: for the methods that could be called on any object.
fn this(object: &PyObject) -> &PyOrderedDict {
    object.cast()
}

/// A key and its value.
type Pair = (PyRef, PyRef);
