//! `_remote_debugging`: reading the frames of another process.
//!
//! The reader knows the layout of one CPython's memory; ours is another, and nothing is read here. The module is there for
//! what imports it with something else in mind: `python -m asyncio` is a prompt, and only its `ps` and `pstree` ask for
//! another process. Asking raises NotImplementedError.

use crate::modules::ModuleSpec;
use crate::object::{Args, AsObject, PyResult, PyTypeObject, StaticType, TypeSlots, TypeSpec};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::module::PyModule;
use crate::types::structseq::{self, StructSeqField, StructSeqSpec};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_remote_debugging",
    doc: "Reading the frames of another process, which is not possible here.",
    types: &[&UNWINDER_TYPE],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

static FRAME_INFO: StructSeqSpec = StructSeqSpec {
    name: "_remote_debugging.FrameInfo",
    doc: "What is told of a frame.",
    fields: &[
        StructSeqField { name: "filename", doc: "the file of its code" },
        StructSeqField { name: "lineno", doc: "the line that it is at" },
        StructSeqField { name: "funcname", doc: "the name of its code" },
    ],
    in_sequence: 3,
};

/// `_remote_debugging.RemoteUnwinder`.
static UNWINDER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_remote_debugging.RemoteUnwinder",
    doc: "RemoteUnwinder(pid, *, all_threads=False, debug=False)\n--\n\nThe stacks of another process; asking for them raises NotImplementedError here.",
    slots: TypeSlots { new: Some(unwinder_new), ..TypeSlots::EMPTY },
    ..TypeSpec::EMPTY
});

fn unwinder_new(ts: &ThreadState, _: &PyTypeObject, _: Args<'_>) -> PyResult {
    raise!(ts, exc::NotImplementedError, "the frames of another process cannot be read here")
}

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    module.add(ts, "FrameInfo", structseq::type_of(ts, &FRAME_INFO)?.as_object())
}
