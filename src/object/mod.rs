//! Objects: the header, types and slots, attributes, calls, weak references and the cycle collector.
//!
//! | file | what |
//! |---|---|
//! | `header`, `reference` | [`PyObject`], reference counts, [`Ref`], [`Slot`], downcasts |
//! | `alloc`, `dealloc` | memory of objects, and their end |
//! | `typeobj`, `slots`, `flags`, `def`, `cdef` | types: C layout, the runtime's slots, declarations |
//! | `ready`, `slotdefs`, `slotupdate` | making types usable; special methods |
//! | `attr`, `typecache`, `instance` | attributes |
//! | `call` | arguments and calls |
//! | `protocol/` | what can be done with any object |
//! | `gc`, `visit`, `weakref` | cycles, traversal, weak references |
//! | `census` | objects by type, found by a walk |
//! | `buffer` | the buffer protocol |
//! | `error` | how failure travels |
//! | `ids` | static names |

pub mod alloc;
pub mod attr;
pub mod buffer;
pub mod call;
pub mod cdef;
pub mod census;
pub mod dealloc;
pub mod def;
pub mod error;
pub mod flags;
pub mod gc;
pub mod header;
pub mod ids;
pub mod instance;
pub mod protocol;
pub mod ready;
pub mod reference;
pub mod reftrace;
pub mod slotdefs;
pub mod slots;
pub mod slotupdate;
pub mod typecache;
pub mod typeobj;
pub mod visit;
pub mod weakref;

pub use call::{Args, Signature};
pub use def::{GetSetDef, MethodDef, NativeFn, TypeSpec, ValueDef};
pub use error::{PyResult, Raised};
pub use header::{PyObject, PyVarObject};
pub use reference::{AsObject, Native, PyRef, Ref, Slot};
pub use slots::{CompareOp, TypeSlots};
pub use typeobj::{PyHeapType, PyTypeObject, StaticType};
pub use visit::Visitor;
