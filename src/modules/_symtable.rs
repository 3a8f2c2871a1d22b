//! `_symtable`: the compiler's symbol tables.
//!
//! The front end hands them over as bytes; they become entries here, whose symbols are dicts of flags.

use core::cell::Cell;

use hognose_frontend::{Mode, PYCF_IGNORE_COOKIE};

use crate::code::compile::{Request, symbol_table};
use crate::modules::ModuleSpec;
use crate::object::{
    AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, Ref, Slot, StaticType, TypeSlots, TypeSpec, alloc,
    buffer, flags, gc,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::none::none;
use crate::types::owned::owns;
use crate::types::str::PyStr;

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_symtable",
    doc: "The compiler's symbol tables.",
    methods: &[MethodDef::positional(
        "symtable",
        symtable,
        "symtable($module, source, filename, startstr, /)\n--\n\nThe symbol table of a source text.",
    )],
    types: &[&ENTRY_TYPE],
    exec: Some(exec),
};

const CONSTANTS: [(&str, i64); 26] = [
    ("USE", 16),
    ("DEF_GLOBAL", 1),
    ("DEF_NONLOCAL", 8),
    ("DEF_LOCAL", 2),
    ("DEF_PARAM", 4),
    ("DEF_TYPE_PARAM", 1024),
    ("DEF_FREE_CLASS", 64),
    ("DEF_IMPORT", 128),
    ("DEF_BOUND", 2 | 4 | 128 | 1024),
    ("DEF_ANNOT", 256),
    ("DEF_COMP_ITER", 512),
    ("DEF_COMP_CELL", 2048),
    ("TYPE_FUNCTION", 0),
    ("TYPE_CLASS", 1),
    ("TYPE_MODULE", 2),
    ("TYPE_ANNOTATION", 3),
    ("TYPE_TYPE_ALIAS", 4),
    ("TYPE_TYPE_PARAMETERS", 5),
    ("TYPE_TYPE_VARIABLE", 6),
    ("LOCAL", 1),
    ("GLOBAL_EXPLICIT", 2),
    ("GLOBAL_IMPLICIT", 3),
    ("FREE", 4),
    ("CELL", 5),
    ("SCOPE_OFF", 12),
    ("SCOPE_MASK", 15),
];

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    CONSTANTS.iter().try_for_each(|(name, value)| module.add_int(ts, name, *value))
}

/// The table of a block.
#[repr(C)]
struct PyEntry {
    ob_base: PyObject,
    name: Slot<PyStr>,
    symbols: Slot<PyDict>,
    varnames: Slot<PyList>,
    children: Slot<PyList>,
    typ: Cell<u64>,
    line: Cell<u64>,
    nested: Cell<bool>,
}

crate::native!(PyEntry, ENTRY_TYPE);
owns!(PyEntry: name, symbols, varnames, children);

/// An attribute that is an object.
macro_rules! attribute {
    ($name:literal, $slot:ident) => {
        GetSetDef::get(
            $name,
            |_, this| Ok(this.cast::<PyEntry>().$slot.get().map_or_else(|| none().new_ref(), Ref::into_object)),
            "",
        )
    };
}

static ENTRY_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"symtable entry",
    basicsize: size_of::<PyEntry>(),
    flags: flags::HAVE_GC | flags::DISALLOW_INSTANTIATION,
    slots: TypeSlots {
        dealloc: Some(PyEntry::slot_dealloc),
        traverse: Some(PyEntry::slot_traverse),
        clear: Some(PyEntry::slot_clear),
        repr: Some(repr),
        ..TypeSlots::EMPTY
    },
    getset: &[
        GetSetDef::get("id", |ts, this| PyInt::from_usize(ts, core::ptr::from_ref(this).addr()), ""),
        attribute!("name", name),
        attribute!("symbols", symbols),
        attribute!("varnames", varnames),
        attribute!("children", children),
        GetSetDef::get("nested", |ts, this| PyInt::from_i64(ts, this.cast::<PyEntry>().nested.get().into()), ""),
        GetSetDef::get("type", |ts, this| PyInt::from_u64(ts, this.cast::<PyEntry>().typ.get()), ""),
        GetSetDef::get("lineno", |ts, this| PyInt::from_u64(ts, this.cast::<PyEntry>().line.get()), ""),
    ],
    ..TypeSpec::EMPTY
});

fn repr(ts: &ThreadState, this: &PyObject) -> PyResult {
    let entry = this.cast::<PyEntry>();
    let name = entry.name.get();
    let name = name.as_deref().unwrap_or(crate::id!(__name__));
    let text = PyStr::format(
        ts,
        format_args!("<symtable entry {name}({}), line {}>", core::ptr::from_ref(this).addr(), entry.line.get()),
    )?;
    Ok(text.into_object())
}

fn symtable(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    let &[source, filename, start] = args else {
        return raise!(ts, exc::TypeError, "symtable expected 3 arguments, got {}", args.len());
    };
    let filename = crate::modules::posix::path::fs_decode_object(ts, filename)?;
    let Some(start) = start.downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "symtable() argument 3 must be str, not {}", start.type_name());
    };
    let mode = match start.ascii_str() {
        Some("exec") => Mode::Exec,
        Some("eval") => Mode::Eval,
        Some("single") => Mode::Single,
        _ => return raise!(ts, exc::ValueError, "symtable() arg 3 must be 'exec' or 'eval' or 'single'"),
    };
    let request = Request {
        source: &[],
        filename: &filename,
        mode,
        flags: 0,
        optimize: None,
        is_file: false,
        feature_version: None,
    };
    let read = |bytes: &[u8]| Reader { ts, bytes, at: 0 }.entry();
    if let Some(text) = source.downcast::<PyStr>() {
        let text = text.utf8(ts)?;
        let request = Request { source: text.as_bytes(), flags: PYCF_IGNORE_COOKIE, ..request };
        return symbol_table(ts, request, read);
    }
    if buffer::has_buffer(source) {
        let view = buffer::Buffer::get(ts, source, buffer::SIMPLE)?;
        return symbol_table(ts, Request { source: view.as_slice(), ..request }, read);
    }
    raise!(ts, exc::TypeError, "symtable() arg 1 must be a string or bytes")
}

struct Reader<'a> {
    ts: &'a ThreadState,
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn count(&mut self) -> PyResult<u64> {
        let (mut count, mut shift) = (0u64, 0);
        loop {
            let Some(&byte) = self.bytes.get(self.at) else {
                return raise!(self.ts, exc::SystemError, "a symbol table ends too early");
            };
            self.at += 1;
            count |= u64::from(byte & 0x7f).wrapping_shl(shift);
            if byte < 0x80 {
                return Ok(count);
            }
            shift += 7;
        }
    }

    fn name(&mut self) -> PyResult<Ref<PyStr>> {
        let count = self.count()? as usize;
        let Some(bytes) = self.bytes.get(self.at..).and_then(|rest| rest.get(..count)) else {
            return raise!(self.ts, exc::SystemError, "a symbol table ends too early");
        };
        self.at += count;
        let name = PyStr::from_utf8(self.ts, bytes, "strict")?;
        PyStr::intern_ref(self.ts, name)
    }

    fn entry(&mut self) -> PyResult {
        let ts = self.ts;
        ts.check_native_stack(" while reading symbol tables")?;
        let (typ, line, nested) = (self.count()?, self.count()?, self.count()?);
        let name = self.name()?;
        let symbols = PyDict::new(ts)?;
        for _ in 0..self.count()? {
            let name = self.name()?;
            let flags: PyRef = PyInt::from_u64(ts, self.count()?)?;
            symbols.set_str(ts, &name, &flags)?;
        }
        let varnames = PyList::new(ts)?;
        for _ in 0..self.count()? {
            varnames.append(ts, self.name()?.into_object())?;
        }
        let children = PyList::new(ts)?;
        for _ in 0..self.count()? {
            children.append(ts, self.entry()?)?;
        }
        let entry = alloc::object::<PyEntry>(ts, &ENTRY_TYPE)?;
        entry.name.set(Some(name));
        entry.symbols.set(Some(symbols));
        entry.varnames.set(Some(varnames));
        entry.children.set(Some(children));
        entry.typ.set(typ);
        entry.line.set(line);
        entry.nested.set(nested != 0);
        gc::track(ts, &*entry);
        Ok(entry.into_object())
    }
}
