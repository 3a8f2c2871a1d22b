//! `_csv`: reading and writing of comma-separated values.
//!
//! | file | what |
//! |---|---|
//! | `dialect` | the settings that say how values are separated and quoted |
//! | `reader` | lines to rows |
//! | `writer` | rows to lines |

mod dialect;
mod reader;
mod writer;

use core::cell::Cell;

use crate::modules::ModuleSpec;
use crate::object::{
    Args, AsObject, MethodDef, PyObject, PyResult, Ref, Slot, StaticType, TypeSlots, TypeSpec, alloc, flags, gc,
    protocol, ready,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::module::PyModule;
use crate::types::owned::owns;
use crate::types::str::PyStr;
use dialect::Quoting;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_csv",
    doc: "CSV parsing and writing.",
    methods: &[
        MethodDef::keywords(
            "reader",
            reader::reader,
            "reader(iterable[, dialect='excel'][, setting=value …])\n\nAn iterator over the rows in the lines that an iterable gives, each a list of strings.",
        ),
        MethodDef::keywords(
            "writer",
            writer::writer,
            "writer(fileobj[, dialect='excel'][, setting=value …])\n\nAn object that writes rows as lines to what has a write method.",
        ),
        MethodDef::no_args(
            "list_dialects",
            list_dialects,
            "list_dialects($module, /)\n--\n\nThe names of all known dialects.",
        ),
        MethodDef::keywords(
            "register_dialect",
            register_dialect,
            "register_dialect($module, name, dialect='excel', /, **fmtparams)\n--\n\nMakes a dialect known by a name.",
        ),
        MethodDef::keywords(
            "unregister_dialect",
            unregister_dialect,
            "unregister_dialect($module, /, name)\n--\n\nForgets the dialect of that name.",
        ),
        MethodDef::keywords(
            "get_dialect",
            get_dialect,
            "get_dialect($module, /, name)\n--\n\nThe dialect of that name.",
        ),
        MethodDef::keywords(
            "field_size_limit",
            field_size_limit,
            "field_size_limit($module, /, new_limit=<unrepresentable>)\n--\n\nThe number of characters that a field may have; sets a new one when it is given, and returns the old one.",
        ),
    ],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

/// `_csv.Error`.
pub(super) static CSV_ERROR: StaticType = StaticType::new(exc::plain(c"_csv.Error", &exc::Exception, ""));

/// What the module's objects share in one interpreter.
#[repr(C)]
struct PyCsvState {
    ob_base: PyObject,
    dialects: Slot<PyDict>,
    field_limit: Cell<i64>,
}

crate::native!(PyCsvState, STATE_TYPE);
owns!(PyCsvState: dialects);

static STATE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_csv._State",
    basicsize: size_of::<PyCsvState>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(PyCsvState::slot_dealloc),
        traverse: Some(PyCsvState::slot_traverse),
        clear: Some(PyCsvState::slot_clear),
        ..TypeSlots::EMPTY
    },
    ..TypeSpec::EMPTY
});

/// A field has no more characters unless the program says otherwise.
const DEFAULT_LIMIT: i64 = 128 * 1024;

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    for typ in [&CSV_ERROR, &STATE_TYPE, &dialect::DIALECT_TYPE, &reader::READER_TYPE, &writer::WRITER_TYPE] {
        ready::ready_static(ts, typ)?;
    }
    module.add(ts, "Error", CSV_ERROR.as_object())?;
    module.add(ts, "Dialect", dialect::DIALECT_TYPE.as_object())?;
    module.add(ts, "Reader", reader::READER_TYPE.as_object())?;
    module.add(ts, "Writer", writer::WRITER_TYPE.as_object())?;
    for (name, quoting) in Quoting::NAMES {
        module.add_int(ts, name, quoting as i64)?;
    }
    let dialects = PyDict::new(ts)?;
    module.add(ts, "_dialects", dialects.as_object())?;
    let state = alloc::exact::<PyCsvState>(ts)?;
    state.dialects.set(Some(dialects));
    state.field_limit.set(DEFAULT_LIMIT);
    gc::track(ts, &*state);
    module.add(ts, "_state", state.as_object())
}

impl PyCsvState {
    /// The state of the module as it is imported.
    fn current(ts: &ThreadState) -> PyResult<Ref<PyCsvState>> {
        match protocol::import_attr(ts, "_csv", "_state")?.downcast_into::<PyCsvState>() {
            Ok(state) => Ok(state),
            Err(_) => raise!(ts, exc::SystemError, "the _csv module has lost its state"),
        }
    }

    fn dialects(&self, ts: &ThreadState) -> PyResult<Ref<PyDict>> {
        match self.dialects.get() {
            Some(dialects) => Ok(dialects),
            None => raise!(ts, exc::SystemError, "the _csv module has lost its dialects"),
        }
    }

    /// The dialect that is registered by a name.
    fn dialect(&self, ts: &ThreadState, name: &PyObject) -> PyResult {
        match self.dialects(ts)?.get(ts, name)? {
            Some(dialect) => Ok(dialect),
            None => raise!(ts, CSV_ERROR, "unknown dialect"),
        }
    }
}

fn list_dialects(ts: &ThreadState, _: &PyObject) -> PyResult {
    Ok(PyCsvState::current(ts)?.dialects(ts)?.keys_list(ts)?.into_object())
}

fn register_dialect(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    crate::object::call::check_count(ts, "", args.len(), 1, 2)?;
    let name = args.positional()[0];
    if !name.is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "dialect name must be a string");
    }
    let dialect = dialect::make(ts, args.skip_first())?;
    PyCsvState::current(ts)?.dialects(ts)?.set(ts, name, dialect.as_object())?;
    Ok(ts.none())
}

/// The only argument of a function.
fn name_argument<'a>(ts: &ThreadState, function: &'static str, args: Args<'a>) -> PyResult<&'a PyObject> {
    let signature = crate::object::Signature::new(function, ["name"], 0, 1, 1);
    match signature.parse(ts, args)? {
        [Some(name)] => Ok(name),
        [None] => raise!(ts, exc::TypeError, "{function}() takes a name"),
    }
}

fn unregister_dialect(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let name = name_argument(ts, "unregister_dialect", args)?;
    match PyCsvState::current(ts)?.dialects(ts)?.remove(ts, name)? {
        Some(_) => Ok(ts.none()),
        None => raise!(ts, CSV_ERROR, "unknown dialect"),
    }
}

fn get_dialect(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    let name = name_argument(ts, "get_dialect", args)?;
    PyCsvState::current(ts)?.dialect(ts, name)
}

fn field_size_limit(ts: &ThreadState, _: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: crate::object::Signature<1> =
        crate::object::Signature::new("field_size_limit", ["new_limit"], 0, 1, 0);
    let [limit] = SIGNATURE.parse(ts, args)?;
    let state = PyCsvState::current(ts)?;
    let old = state.field_limit.get();
    if let Some(limit) = limit {
        let Some(limit) = limit.downcast_exact::<PyInt>() else {
            return raise!(ts, exc::TypeError, "limit must be an integer");
        };
        state.field_limit.set(limit.to_i64(ts)?);
    }
    PyInt::from_i64(ts, old)
}
