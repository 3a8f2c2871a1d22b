//! `_pickle`: objects to bytes and back, in all protocols.
//!
//! | file | what |
//! |---|---|
//! | `opcodes` | the instructions |
//! | `pickler`, `save`, `reduce` | the object that pickles; built-in types; everything else |
//! | `memo`, `output` | which objects have been pickled; what has been written |
//! | `unpickler`, `load`, `build` | the object that unpickles; its machine; what makes objects |
//! | `input` | what is read |
//! | `proxies` | the `memo` attributes |
//! | `buffer` | `PickleBuffer` |
//! | `state` | what is taken from other modules, and the errors |

pub mod buffer;
mod build;
mod input;
mod load;
mod opcodes;
mod output;
mod pickler;
mod proxies;
mod reduce;
mod save;
mod state;
mod unpickler;

use crate::modules::ModuleSpec;
use crate::object::{Args, MethodDef, PyObject, PyResult, Signature, protocol, ready};
use crate::state::ThreadState;
use pickler::PyPickler;
use unpickler::PyUnpickler;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_pickle",
    doc: "Optimized C implementation for the Python pickle module.",
    methods: &[
        MethodDef::keywords(
            "dump",
            dump,
            "dump($module, /, obj, file, protocol=None, *, fix_imports=True,\n     buffer_callback=None)\n--\n\nWrite a pickled representation of obj to the open file object file.",
        ),
        MethodDef::keywords(
            "dumps",
            dumps,
            "dumps($module, /, obj, protocol=None, *, fix_imports=True,\n      buffer_callback=None)\n--\n\nReturn the pickled representation of the object as a bytes object.",
        ),
        MethodDef::keywords(
            "load",
            load,
            "load($module, /, file, *, fix_imports=True, encoding='ASCII',\n     errors='strict', buffers=())\n--\n\nRead and return an object from the pickle data stored in a file.",
        ),
        MethodDef::keywords(
            "loads",
            loads,
            "loads($module, data, /, *, fix_imports=True, encoding='ASCII',\n      errors='strict', buffers=())\n--\n\nRead and return an object from the given pickle data.",
        ),
    ],
    types: &[
        &state::PICKLE_ERROR,
        &state::PICKLING_ERROR,
        &state::UNPICKLING_ERROR,
        &pickler::PICKLER_TYPE,
        &unpickler::UNPICKLER_TYPE,
        &buffer::PICKLE_BUFFER_TYPE,
    ],
    exec: Some(|ts, _| {
        ready::ready_static(ts, &proxies::PICKLER_MEMO_PROXY_TYPE)?;
        ready::ready_static(ts, &proxies::UNPICKLER_MEMO_PROXY_TYPE)?;
        // Imports what this module needs of others now, so that failures are those of the import.
        state::PyPickleState::current(ts).map(drop)
    }),
};

fn truth(ts: &ThreadState, value: Option<&PyObject>) -> PyResult<bool> {
    value.map_or(Ok(true), |value| protocol::is_true(ts, value))
}

fn dump(ts: &ThreadState, module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<5> =
        Signature::new("dump", ["obj", "file", "protocol", "fix_imports", "buffer_callback"], 0, 3, 2);
    let [object, file, protocol, fix_imports, callback] = SIGNATURE.parse(ts, args)?;
    let pickler = PyPickler::make(ts, file, protocol, truth(ts, fix_imports)?, callback)?;
    pickler.dump(ts, object.unwrap_or(module))?;
    pickler.flush(ts)?;
    Ok(ts.none())
}

fn dumps(ts: &ThreadState, module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<4> =
        Signature::new("dumps", ["obj", "protocol", "fix_imports", "buffer_callback"], 0, 2, 1);
    let [object, protocol, fix_imports, callback] = SIGNATURE.parse(ts, args)?;
    let pickler = PyPickler::make(ts, None, protocol, truth(ts, fix_imports)?, callback)?;
    pickler.dump(ts, object.unwrap_or(module))?;
    pickler.result(ts)
}

fn load(ts: &ThreadState, module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<5> =
        Signature::new("load", ["file", "fix_imports", "encoding", "errors", "buffers"], 0, 1, 1);
    let [file, options @ ..] = SIGNATURE.parse(ts, args)?;
    PyUnpickler::load_file(ts, file.unwrap_or(module), &options)
}

fn loads(ts: &ThreadState, module: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<5> =
        Signature::new("loads", ["data", "fix_imports", "encoding", "errors", "buffers"], 1, 1, 1);
    let [data, options @ ..] = SIGNATURE.parse(ts, args)?;
    PyUnpickler::load_bytes(ts, data.unwrap_or(module), &options)
}
