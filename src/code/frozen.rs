//! The code of the frozen library: marshal's values, but each code object apart, with its numbers and names first.
//!
//! ```text
//!   'C'  size: u32         what follows, so that it can be skipped
//!        head: 11 x u32    argcount, posonlyargcount, kwonlyargcount, stacksize, flags, firstlineno,
//!                          units, places, locals, cells, free variables
//!        name, qualname    values
//!        units             two bytes each                                              ┐ read when the code
//!        consts, names, localsplusnames, localspluskinds, linetable, exceptiontable    ┘ is first needed
//!   'w'  number: u16       the interned string of a name: see `words`
//! ```
//!
//! Importing a module reads the code of its body, which makes the functions; what they consist of, most of which a
//! program never calls, stays in the binary's read-only data. The bytes are the build's own: nothing else is read as
//! this form.

use hognose_stdlib::Frozen;

use super::marshal::Reader;
use crate::object::{AsObject, PyRef, PyResult, Ref};
use crate::state::ThreadState;
use crate::types::code::{Body, PyCode, Shape};
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// The type byte of a code object.
pub(super) const CODE: u8 = b'C';
/// The type byte of a word.
pub(super) const WORD: u8 = b'w';

/// The code of a module of the library.
pub fn load(ts: &ThreadState, module: &Frozen) -> PyResult<Ref<PyCode>> {
    let filename = PyStr::format(ts, format_args!("<frozen {}>", module.origname))?;
    Reader::frozen(ts, module.code, &filename).typed("code")
}

/// What follows the type byte of a code object.
pub(super) fn read_code(reader: &mut Reader<'_>, data: &'static [u8], filename: &PyStr) -> PyResult<Ref<PyCode>> {
    let size = reader.count("code")?;
    let end = reader.position() + size;
    let shape = Shape {
        argcount: reader.long()?,
        posonlyargcount: reader.long()?,
        kwonlyargcount: reader.long()?,
        stacksize: reader.long()?,
        flags: reader.long()?,
        firstlineno: reader.long()?,
        units: reader.long()?,
        places: reader.long()?,
        locals: reader.long()?,
        cells: reader.long()?,
        frees: reader.long()?,
    };
    let name = reader.typed("name")?;
    let qualname = reader.typed("qualname")?;
    let rest = &data[reader.position()..end];
    reader.go_to(end);
    PyCode::deferred(reader.thread(), &shape, Ref::from_borrowed(filename), name, qualname, rest)
}

/// The docstring of a code object that has one, without the rest: it is the first of the constants.
#[cold]
pub fn docstring(ts: &ThreadState, code: &PyCode, rest: &'static [u8]) -> PyResult<Option<PyRef>> {
    let filename = Ref::from_borrowed(code.filename());
    let mut reader = Reader::frozen(ts, rest, &filename);
    reader.take(2 * code.units().len())?;
    let consts: Ref<PyTuple> = reader.typed("consts")?;
    Ok(consts.items().first().map(|doc| doc.as_object().new_ref()))
}

/// Reads the rest of a code object.
#[cold]
pub fn read_body(ts: &ThreadState, code: &PyCode, rest: &'static [u8]) -> PyResult<()> {
    let filename = Ref::from_borrowed(code.filename());
    let mut reader = Reader::frozen(ts, rest, &filename);
    let body = Body {
        units: reader.take(2 * code.units().len())?,
        consts: reader.typed("consts")?,
        names: reader.typed("names")?,
        localsplusnames: reader.typed("localsplusnames")?,
        localspluskinds: reader.typed("localspluskinds")?,
        linetable: reader.typed("linetable")?,
        exceptiontable: reader.typed("exceptiontable")?,
    };
    code.complete(body);
    Ok(())
}
