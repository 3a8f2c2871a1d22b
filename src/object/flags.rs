//! Type flags (`Py_TPFLAGS_*`), with CPython's numbers: extension modules test them.

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:expr;)*) => {
        $($(#[$doc])* pub const $name: usize = 1 << $bit;)*
    };
}

flags! {
    /// A built-in static type, whose mutable parts are per interpreter.
    STATIC_BUILTIN = 1;
    /// Instances keep their attribute values inline, with keys shared by the class.
    INLINE_VALUES = 2;
    /// Instances have a weak-reference list that the runtime manages.
    MANAGED_WEAKREF = 3;
    /// Instances have a dictionary that the runtime manages.
    MANAGED_DICT = 4;
    /// Matches sequence patterns.
    SEQUENCE = 5;
    /// Matches mapping patterns.
    MAPPING = 6;
    /// Instances cannot be made by calling the type.
    DISALLOW_INSTANTIATION = 7;
    /// Attributes of the type cannot be set.
    IMMUTABLE = 8;
    /// Allocated on the heap.
    HEAPTYPE = 9;
    /// Can be subclassed.
    BASETYPE = 10;
    /// Instances are called through `tp_vectorcall_offset`.
    HAVE_VECTORCALL = 11;
    /// Initialized by `type_ready`.
    READY = 12;
    /// Being initialized.
    READYING = 13;
    /// Instances have a collector header.
    HAVE_GC = 14;
    /// Behaves as an unbound method: `obj.f(x)` may call `f(obj, x)`.
    METHOD_DESCRIPTOR = 17;
    /// Has a valid version tag.
    VALID_VERSION_TAG = 19;
    /// Has abstract methods left.
    IS_ABSTRACT = 20;
    /// A class pattern with one positional sub-pattern matches the subject itself.
    MATCH_SELF = 22;
    /// The items of a variable-size object stand at its end.
    ITEMS_AT_END = 23;
    /// Subclass of int.
    LONG_SUBCLASS = 24;
    /// Subclass of list.
    LIST_SUBCLASS = 25;
    /// Subclass of tuple.
    TUPLE_SUBCLASS = 26;
    /// Subclass of bytes.
    BYTES_SUBCLASS = 27;
    /// Subclass of str.
    UNICODE_SUBCLASS = 28;
    /// Subclass of dict.
    DICT_SUBCLASS = 29;
    /// Subclass of BaseException.
    BASE_EXC_SUBCLASS = 30;
    /// Subclass of type.
    TYPE_SUBCLASS = 31;
}

/// The flags that a subtype takes over from its base.
pub const INHERITED: usize = LONG_SUBCLASS
    | LIST_SUBCLASS
    | TUPLE_SUBCLASS
    | BYTES_SUBCLASS
    | UNICODE_SUBCLASS
    | DICT_SUBCLASS
    | BASE_EXC_SUBCLASS
    | TYPE_SUBCLASS
    | MATCH_SELF
    | ITEMS_AT_END;
