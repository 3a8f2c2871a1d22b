//! `code`: what the compiler made of a module, class or function, in CPython 3.14's form.
//!
//! ```text
//!  ┌──────────────┬───────────────────────────────────────────────────┐
//!  │ PyCode       │ co_code_adaptive: u16 units, opcode | arg << 8    │
//!  └──────────────┴───────────────────────────────────────────────────┘
//! ```
//!
//! The units at the end are the ones that run: the interpreter replaces instructions by specialized ones
//! and keeps data in the cache units. `co_code` gives them as the compiler made them.
//!
//! The code of the frozen library's functions is *deferred*: it has its names and numbers, and nothing else until it is
//! first run or looked at ([`PyCode::make_whole`]).

mod locations;

pub use locations::{Location, Locations};

use core::cell::{Cell, UnsafeCell};

use hognose_allocators::collections::{TryBox, TryVec};

use crate::code::frozen;
use crate::object::weakref::{self, WeakrefList};
use crate::object::*;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::notimplemented::not_implemented;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::vm::monitoring::table::CodeTable;
use crate::vm::opcode::{self, Operands, op};
use crate::{native, raise};

/// `CO_OPTIMIZED`.
pub const CO_OPTIMIZED: i32 = 0x0001;
/// `CO_NEWLOCALS`.
pub const CO_NEWLOCALS: i32 = 0x0002;
/// `CO_VARARGS`.
pub const CO_VARARGS: i32 = 0x0004;
/// `CO_VARKEYWORDS`.
pub const CO_VARKEYWORDS: i32 = 0x0008;
/// `CO_NESTED`.
pub const CO_NESTED: i32 = 0x0010;
/// `CO_GENERATOR`.
pub const CO_GENERATOR: i32 = 0x0020;
/// `CO_COROUTINE`.
pub const CO_COROUTINE: i32 = 0x0080;
/// `CO_ITERABLE_COROUTINE`.
pub const CO_ITERABLE_COROUTINE: i32 = 0x0100;
/// `CO_ASYNC_GENERATOR`.
pub const CO_ASYNC_GENERATOR: i32 = 0x0200;
/// `CO_HAS_DOCSTRING`.
pub const CO_HAS_DOCSTRING: i32 = 0x0400_0000;
/// `CO_METHOD`.
pub const CO_METHOD: i32 = 0x0800_0000;

/// Kind bit of a plain local.
pub const KIND_LOCAL: u8 = 0x20;
/// Kind bit of a cell.
pub const KIND_CELL: u8 = 0x40;
/// Kind bit of a free variable.
pub const KIND_FREE: u8 = 0x80;
/// Kind bit of a comprehension's own variable that was inlined.
pub const KIND_HIDDEN: u8 = 0x10;

/// A code object. All but the caches and instructions is immutable.
#[repr(C)]
pub struct PyCode {
    ob_base: PyVarObject,
    pub(crate) co_consts: Slot<PyTuple>,
    pub(crate) co_names: Slot<PyTuple>,
    pub(crate) co_exceptiontable: Slot<PyBytes>,
    pub(crate) co_linetable: Slot<PyBytes>,
    pub(crate) co_localsplusnames: Slot<PyTuple>,
    pub(crate) co_localspluskinds: Slot<PyBytes>,
    pub(crate) co_filename: Slot<PyStr>,
    pub(crate) co_name: Slot<PyStr>,
    pub(crate) co_qualname: Slot<PyStr>,
    pub(crate) co_flags: i32,
    pub(crate) co_argcount: i32,
    pub(crate) co_posonlyargcount: i32,
    pub(crate) co_kwonlyargcount: i32,
    pub(crate) co_stacksize: i32,
    pub(crate) co_firstlineno: i32,
    pub(crate) co_nlocalsplus: i32,
    pub(crate) co_nlocals: i32,
    pub(crate) co_ncellvars: i32,
    pub(crate) co_nfreevars: i32,
    /// Words that a frame needs for locals and stack.
    pub(crate) co_framesize: i32,
    /// Whether a call with exactly `co_argcount` positional arguments needs nothing but copying them.
    pub(crate) co_simple: Cell<bool>,
    /// Where execution begins for tracebacks: the first `RESUME`, in units.
    pub(crate) co_firsttraceable: Cell<i32>,
    /// What is still to be read of it: see [`frozen`].
    co_deferred: Cell<Option<&'static [u8]>>,
    co_weakreflist: WeakrefList,
    co_hash: Cell<isize>,
    /// Made when the code runs under watch.
    co_monitoring: UnsafeCell<Option<TryBox<CodeTable>>>,
    units: [Cell<u16>; 0],
}

native!(PyCode, CODE_TYPE);

/// `code`.
#[unsafe(export_name = "PyCode_Type")]
pub static CODE_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"code",
    basicsize: size_of::<PyCode>(),
    itemsize: 2,
    weaklistoffset: core::mem::offset_of!(PyCode, co_weakreflist),
    doc: "code(argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize,\n     flags, codestring, constants, names, varnames, filename, name,\n     qualname, firstlineno, linetable, exceptiontable, freevars=(),\n     cellvars=(), /)\n--\n\nCreate a code object.  Not for mere mortals.",
    slots: TypeSlots {
        new: Some(code_new),
        dealloc: Some(dealloc),
        repr: Some(repr),
        hash: Some(hash),
        richcompare: Some(compare),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("co_lines", co_lines, ""),
        MethodDef::no_args("co_positions", co_positions, ""),
        MethodDef::keywords("replace", replace, "replace($self, /, **changes)\n--\n\nA code object with other parts."),
        MethodDef::keywords("__replace__", replace, "__replace__($self, /, **changes)\n--\n\nThe same as replace()."),
        MethodDef::no_args("co_branches", co_branches, ""),
        MethodDef::positional(
            "_varname_from_oparg",
            varname_from_oparg,
            "_varname_from_oparg($self, /, oparg)\n--\n\n",
        ),
    ],
    getset: &[
        GetSetDef::get("co_code", |ts, o| Ok(PyBytes::new(ts, &whole(ts, o)?.original_code()?)?.into_object()), ""),
        GetSetDef::get("_co_code_adaptive", |ts, o| Ok(PyBytes::new(ts, whole(ts, o)?.raw_code())?.into_object()), ""),
        GetSetDef::field("co_consts", |ts, o| field(ts, &whole(ts, o)?.co_consts), ""),
        GetSetDef::field("co_names", |ts, o| field(ts, &whole(ts, o)?.co_names), ""),
        GetSetDef::field("co_exceptiontable", |ts, o| field(ts, &whole(ts, o)?.co_exceptiontable), ""),
        GetSetDef::field("co_linetable", |ts, o| field(ts, &whole(ts, o)?.co_linetable), ""),
        GetSetDef::get("co_lnotab", crate::types::lnotab::co_lnotab, ""),
        GetSetDef::field("co_filename", |ts, o| field(ts, &o.cast::<PyCode>().co_filename), ""),
        GetSetDef::field("co_name", |ts, o| field(ts, &o.cast::<PyCode>().co_name), ""),
        GetSetDef::field("co_qualname", |ts, o| field(ts, &o.cast::<PyCode>().co_qualname), ""),
        GetSetDef::field("co_flags", |ts, o| PyInt::from_i64(ts, o.cast::<PyCode>().co_flags.into()), ""),
        GetSetDef::field("co_argcount", |ts, o| PyInt::from_i64(ts, o.cast::<PyCode>().co_argcount.into()), ""),
        GetSetDef::field(
            "co_posonlyargcount",
            |ts, o| PyInt::from_i64(ts, o.cast::<PyCode>().co_posonlyargcount.into()),
            "",
        ),
        GetSetDef::field(
            "co_kwonlyargcount",
            |ts, o| PyInt::from_i64(ts, o.cast::<PyCode>().co_kwonlyargcount.into()),
            "",
        ),
        GetSetDef::field("co_stacksize", |ts, o| PyInt::from_i64(ts, o.cast::<PyCode>().co_stacksize.into()), ""),
        GetSetDef::field("co_firstlineno", |ts, o| PyInt::from_i64(ts, o.cast::<PyCode>().co_firstlineno.into()), ""),
        GetSetDef::field("co_nlocals", |ts, o| PyInt::from_i64(ts, o.cast::<PyCode>().co_nlocals.into()), ""),
        GetSetDef::get("co_varnames", |ts, o| whole(ts, o)?.names_of_kind(ts, KIND_LOCAL), ""),
        GetSetDef::get("co_cellvars", |ts, o| whole(ts, o)?.names_of_kind(ts, KIND_CELL), ""),
        GetSetDef::get("co_freevars", |ts, o| whole(ts, o)?.names_of_kind(ts, KIND_FREE), ""),
    ],
    ..TypeSpec::EMPTY
});

/// The code object, with its body.
fn whole<'a>(ts: &ThreadState, object: &'a PyObject) -> PyResult<&'a PyCode> {
    let code = object.cast::<PyCode>();
    code.make_whole(ts)?;
    Ok(code)
}

fn field<T: Native>(ts: &ThreadState, slot: &Slot<T>) -> PyResult {
    Ok(slot.get().map_or_else(|| ts.none(), Ref::into_object))
}

/// The parts of a code object, as marshal and `code.replace` have them.
pub struct CodeParts {
    /// `co_argcount`.
    pub argcount: i32,
    /// `co_posonlyargcount`.
    pub posonlyargcount: i32,
    /// `co_kwonlyargcount`.
    pub kwonlyargcount: i32,
    /// `co_stacksize`.
    pub stacksize: i32,
    /// `co_flags`.
    pub flags: i32,
    /// `co_code`.
    pub code: Ref<PyBytes>,
    /// `co_consts`.
    pub consts: Ref<PyTuple>,
    /// `co_names`.
    pub names: Ref<PyTuple>,
    /// Names of locals, cells and free variables, in the order of the frame's places.
    pub localsplusnames: Ref<PyTuple>,
    /// A kind byte for each.
    pub localspluskinds: Ref<PyBytes>,
    /// `co_filename`.
    pub filename: Ref<PyStr>,
    /// `co_name`.
    pub name: Ref<PyStr>,
    /// `co_qualname`.
    pub qualname: Ref<PyStr>,
    /// `co_firstlineno`.
    pub firstlineno: i32,
    /// `co_linetable`.
    pub linetable: Ref<PyBytes>,
    /// `co_exceptiontable`.
    pub exceptiontable: Ref<PyBytes>,
}

/// The numbers of a code object.
pub(crate) struct Shape {
    pub(crate) argcount: i32,
    pub(crate) posonlyargcount: i32,
    pub(crate) kwonlyargcount: i32,
    pub(crate) stacksize: i32,
    pub(crate) flags: i32,
    pub(crate) firstlineno: i32,
    /// Instruction units.
    pub(crate) units: i32,
    /// Places of a frame, and how many of them are of each kind.
    pub(crate) places: i32,
    pub(crate) locals: i32,
    pub(crate) cells: i32,
    pub(crate) frees: i32,
}

/// What a deferred code object lacks. The names are interned.
pub(crate) struct Body<'a> {
    pub(crate) units: &'a [u8],
    pub(crate) consts: Ref<PyTuple>,
    pub(crate) names: Ref<PyTuple>,
    pub(crate) localsplusnames: Ref<PyTuple>,
    pub(crate) localspluskinds: Ref<PyBytes>,
    pub(crate) linetable: Ref<PyBytes>,
    pub(crate) exceptiontable: Ref<PyBytes>,
}

impl PyCode {
    /// A code object of these parts. ValueError when they do not fit together.
    pub fn new(ts: &ThreadState, parts: CodeParts) -> PyResult<Ref<PyCode>> {
        let bytes = parts.code.as_slice();
        let kinds = parts.localspluskinds.as_slice();
        if bytes.is_empty() || bytes.len() % 2 != 0 || kinds.len() != parts.localsplusnames.len() {
            return raise!(ts, exc::ValueError, "code: malformed code object");
        }
        let arguments = parts.argcount
            + parts.kwonlyargcount
            + i32::from(parts.flags & CO_VARARGS != 0)
            + i32::from(parts.flags & CO_VARKEYWORDS != 0);
        if parts.argcount < 0
            || parts.posonlyargcount < 0
            || parts.posonlyargcount > parts.argcount
            || parts.kwonlyargcount < 0
            || parts.stacksize < 0
            || parts.stacksize > 1 << 24
            || kinds.len() > 1 << 24
            || arguments as usize > kinds.len()
            || !parts.names.items().iter().chain(parts.localsplusnames.items()).all(|n| n.is_a::<PyStr>())
        {
            return raise!(ts, exc::ValueError, "code: malformed code object");
        }
        let operands = Operands { consts: parts.consts.len(), names: parts.names.len(), places: kinds.len() };
        if !opcode::validate(bytes, &operands) {
            return raise!(ts, exc::ValueError, "code: malformed bytecode");
        }
        intern_names(ts, &parts.names)?;
        intern_names(ts, &parts.localsplusnames)?;
        crate::types::constants::intern(ts, &parts.consts)?;
        let count = |kind: u8| kinds.iter().filter(|k| **k & kind != 0).count() as i32;
        let shape = Shape {
            argcount: parts.argcount,
            posonlyargcount: parts.posonlyargcount,
            kwonlyargcount: parts.kwonlyargcount,
            stacksize: parts.stacksize,
            flags: parts.flags,
            firstlineno: parts.firstlineno,
            units: bytes.len() as i32 / 2,
            places: kinds.len() as i32,
            locals: count(KIND_LOCAL),
            cells: count(KIND_CELL),
            frees: count(KIND_FREE),
        };
        let code = PyCode::deferred(ts, &shape, parts.filename, parts.name, parts.qualname, &[])?;
        code.complete(Body {
            units: bytes,
            consts: parts.consts,
            names: parts.names,
            localsplusnames: parts.localsplusnames,
            localspluskinds: parts.localspluskinds,
            linetable: parts.linetable,
            exceptiontable: parts.exceptiontable,
        });
        Ok(code)
    }

    /// A code object whose body is `rest`, in the frozen library's form (see [`frozen`]), to be read when it is needed.
    pub(crate) fn deferred(
        ts: &ThreadState,
        shape: &Shape,
        filename: Ref<PyStr>,
        name: Ref<PyStr>,
        qualname: Ref<PyStr>,
        rest: &'static [u8],
    ) -> PyResult<Ref<PyCode>> {
        // SAFETY: every field is written below before anything can look at the object.
        let object = unsafe { alloc::var_object_uninit::<PyCode>(ts, &CODE_TYPE, shape.units as usize)? };
        // SAFETY: the memory has room for the struct and the units.
        unsafe {
            macro_rules! write {
                ($($field:ident = $value:expr;)*) => { $((&raw mut (*object).$field).write($value);)* };
            }
            write! {
                co_consts = Slot::empty();
                co_names = Slot::empty();
                co_exceptiontable = Slot::empty();
                co_linetable = Slot::empty();
                co_localsplusnames = Slot::empty();
                co_localspluskinds = Slot::empty();
                co_filename = Slot::new(Some(filename));
                co_name = Slot::new(Some(name));
                co_qualname = Slot::new(Some(qualname));
                co_flags = shape.flags;
                co_argcount = shape.argcount;
                co_posonlyargcount = shape.posonlyargcount;
                co_kwonlyargcount = shape.kwonlyargcount;
                co_stacksize = shape.stacksize;
                co_firstlineno = shape.firstlineno;
                co_nlocalsplus = shape.places;
                co_nlocals = shape.locals;
                co_ncellvars = shape.cells;
                co_nfreevars = shape.frees;
                co_framesize = shape.places + shape.stacksize;
                co_simple = Cell::new(false);
                co_firsttraceable = Cell::new(0);
                co_deferred = Cell::new(Some(rest));
                co_weakreflist = WeakrefList::new();
                co_hash = Cell::new(-1);
                co_monitoring = UnsafeCell::new(None);
            }
            core::ptr::write_bytes((&raw mut (*object).units).cast::<u16>(), 0, shape.units as usize);
            Ok(Ref::from_owned(object))
        }
    }

    /// Gives a deferred code object its body. Nothing has run it.
    pub(crate) fn complete(&self, body: Body<'_>) {
        debug_assert!(body.units.len() == 2 * self.units().len() && body.localspluskinds.len() == self.places());
        for (unit, bytes) in self.units().iter().zip(body.units.chunks_exact(2)) {
            unit.set(u16::from_le_bytes([bytes[0], bytes[1]]));
        }
        let first_traceable = body.units.chunks_exact(2).position(|u| u[0] == op::RESUME).unwrap_or(0);
        opcode::quicken(self.units());
        self.co_consts.set(Some(body.consts));
        self.co_names.set(Some(body.names));
        self.co_localsplusnames.set(Some(body.localsplusnames));
        self.co_localspluskinds.set(Some(body.localspluskinds));
        self.co_linetable.set(Some(body.linetable));
        self.co_exceptiontable.set(Some(body.exceptiontable));
        self.co_firsttraceable.set(first_traceable as i32);
        self.co_simple.set(self.co_flags & (CO_VARARGS | CO_VARKEYWORDS) == 0 && self.co_kwonlyargcount == 0);
        self.co_deferred.set(None);
    }

    /// Whether the body is still to be read.
    #[inline(always)]
    pub fn is_deferred(&self) -> bool {
        self.co_deferred.get().is_some()
    }

    /// The docstring, if there is one. Code that is not whole stays so.
    pub fn docstring(&self, ts: &ThreadState) -> PyResult<Option<PyRef>> {
        match self.co_deferred.get() {
            _ if self.co_flags & CO_HAS_DOCSTRING == 0 => Ok(None),
            None => Ok(self.consts().first().map(|doc| doc.new_ref())),
            Some(rest) => frozen::docstring(ts, self, rest),
        }
    }

    /// Reads the body, if that has not been done: to be called before anything but names and numbers is looked at.
    /// Running code is whole. MemoryError leaves it as it was.
    #[inline]
    pub fn make_whole(&self, ts: &ThreadState) -> PyResult<()> {
        match self.co_deferred.get() {
            None => Ok(()),
            Some(rest) => frozen::read_body(ts, self, rest),
        }
    }

    /// The number of places for variables in a frame.
    fn places(&self) -> usize {
        self.co_nlocalsplus as usize
    }

    /// The instructions, as they run.
    #[inline(always)]
    pub fn units(&self) -> &[Cell<u16>] {
        // SAFETY: `ob_size` units stand behind the struct.
        unsafe { core::slice::from_raw_parts(self.units.as_ptr(), self.ob_base.ob_size.get() as usize) }
    }

    /// The code's table of events, if it has run under watch.
    #[inline]
    pub fn table(&self) -> Option<&CodeTable> {
        // SAFETY: once set, it stays as long as the code.
        unsafe { (*self.co_monitoring.get()).as_deref() }
    }

    /// Gives the code its table of events.
    pub fn set_table(&self, table: TryBox<CodeTable>) -> &CodeTable {
        // SAFETY: nobody holds a table yet: it is only made when there is none.
        unsafe { (*self.co_monitoring.get()).insert(table) }
    }

    /// Calls `f` with the first unit of each exception handler.
    pub fn each_handler(&self, f: &mut dyn FnMut(usize)) {
        self.each_exception_range(&mut |_, handler, _, _| f(handler));
    }

    /// Calls `f` for each entry of the exception table: the first unit, the handler's first unit, the depth of the
    /// stack there, and whether the place of the exception is pushed.
    pub fn each_exception_range(&self, f: &mut dyn FnMut(usize, usize, usize, bool)) {
        // SAFETY: `co_exceptiontable` never changes.
        let table = unsafe { self.co_exceptiontable.borrow() }.map_or(&[][..], |b| b.as_slice());
        let mut at = 0;
        let mut fields = [0usize; 4];
        let mut field = 0;
        while at < table.len() {
            let mut value = usize::from(table[at] & 63);
            while table[at] & 64 != 0 && at + 1 < table.len() {
                at += 1;
                value = value << 6 | usize::from(table[at] & 63);
            }
            at += 1;
            // Start, length, handler, depth and whether the instruction's offset is pushed.
            fields[field] = value;
            field = (field + 1) % 4;
            if field == 0 {
                f(fields[0], fields[2], fields[3] >> 1, fields[3] & 1 != 0);
            }
        }
    }

    fn raw_code(&self) -> &[u8] {
        let units = self.units();
        // SAFETY: the bytes are copied before anything runs that could change them.
        unsafe { core::slice::from_raw_parts(units.as_ptr().cast::<u8>(), units.len() * 2) }
    }

    /// The instructions as the compiler made them: unspecialized, caches zero.
    pub fn original_code(&self) -> PyResult<TryVec<u8>> {
        let mut bytes = TryVec::new();
        bytes.try_extend_from_slice(self.raw_code())?;
        opcode::deoptimize(&mut bytes);
        Ok(bytes)
    }

    /// Has the hash computed anew when it is next asked for.
    pub(crate) fn forget_hash(&self) {
        self.co_hash.set(-1);
    }

    /// Makes the instructions what they were before any of them ran. No frame runs the code.
    pub(crate) fn forget_specializations(&self) {
        let units = self.units();
        // SAFETY: the units lie behind this in cells; nobody looks at them meanwhile.
        let bytes =
            unsafe { core::slice::from_raw_parts_mut(units.as_ptr().cast_mut().cast::<u8>(), size_of_val(units)) };
        opcode::deoptimize(bytes);
    }

    /// `co_consts`, borrowed: it never changes.
    #[inline(always)]
    pub fn consts(&self) -> &[&PyObject] {
        // SAFETY: set once, kept as long as the code lives.
        unsafe { self.co_consts.borrow() }.map_or(&[], |t| t.items())
    }

    /// The constant of an instruction.
    ///
    /// # Safety
    /// `index` is the argument of an instruction of this code: [`PyCode::new`] has checked that it is there.
    #[inline(always)]
    pub unsafe fn const_at(&self, index: usize) -> &PyObject {
        debug_assert!(index < self.consts().len());
        // SAFETY: set when the code was made; the caller's promise.
        unsafe { self.co_consts.borrow().unwrap_unchecked().items().get_unchecked(index) }
    }

    /// `co_names`.
    #[inline(always)]
    pub fn names(&self) -> &[&PyObject] {
        // SAFETY: as for the constants.
        unsafe { self.co_names.borrow() }.map_or(&[], |t| t.items())
    }

    /// The name with an index in `co_names`.
    #[inline(always)]
    pub fn name_at(&self, index: usize) -> &PyStr {
        // SAFETY: `new` has checked that all names are strings.
        unsafe { self.names()[index].cast_unchecked::<PyStr>() }
    }

    /// The name of a place of the frame.
    pub fn local_name(&self, index: usize) -> &PyStr {
        // SAFETY: as above.
        unsafe { self.co_localsplusnames.borrow() }.map_or(crate::id!(__name__), |t| t.items()[index].cast::<PyStr>())
    }

    /// The kind bytes of the frame's places.
    pub fn kinds(&self) -> &[u8] {
        // SAFETY: as above.
        unsafe { self.co_localspluskinds.borrow() }.map_or(&[], |b| b.as_slice())
    }

    /// `co_name`.
    pub fn name(&self) -> &PyStr {
        // SAFETY: as above.
        unsafe { self.co_name.borrow() }.unwrap_or(crate::id!(__name__))
    }

    /// `co_qualname`.
    pub fn qualname(&self) -> &PyStr {
        // SAFETY: as above.
        unsafe { self.co_qualname.borrow() }.unwrap_or(crate::id!(__name__))
    }

    /// `co_filename`.
    pub fn filename(&self) -> &PyStr {
        // SAFETY: as above.
        unsafe { self.co_filename.borrow() }.unwrap_or(crate::id!(__file__))
    }

    /// The number of arguments that have a place in the frame, `*args` and `**kwargs` included.
    pub fn total_args(&self) -> usize {
        (self.co_argcount
            + self.co_kwonlyargcount
            + i32::from(self.co_flags & CO_VARARGS != 0)
            + i32::from(self.co_flags & CO_VARKEYWORDS != 0)) as usize
    }

    fn names_of_kind(&self, ts: &ThreadState, kind: u8) -> PyResult {
        let mut names = TryVec::<PyRef>::new();
        for (index, of) in self.kinds().iter().enumerate() {
            if of & kind != 0 {
                names.try_push(self.local_name(index).new_ref())?;
            }
        }
        Ok(PyTuple::from_vec(ts, names)?.into_object())
    }

    /// The handler for an error at unit `index`: (target unit, stack depth, push lasti).
    pub fn handler_at(&self, index: usize) -> Option<(usize, usize, bool)> {
        // SAFETY: as above.
        let table = unsafe { self.co_exceptiontable.borrow() }?.as_slice();
        let mut at = 0;
        let varint = |at: &mut usize| -> Option<usize> {
            let mut byte = *table.get(*at)?;
            *at += 1;
            let mut value = usize::from(byte & 63);
            while byte & 64 != 0 {
                byte = *table.get(*at)?;
                *at += 1;
                value = value << 6 | usize::from(byte & 63);
            }
            Some(value)
        };
        while at < table.len() {
            let start = varint(&mut at)?;
            let size = varint(&mut at)?;
            let target = varint(&mut at)?;
            let depth_lasti = varint(&mut at)?;
            if index < start {
                // Entries are sorted.
                return None;
            }
            if index < start + size {
                return Some((target, depth_lasti >> 1, depth_lasti & 1 != 0));
            }
        }
        None
    }

    /// The source position of the instruction at a byte offset: `(line, end_line, column, end_column)`,
    /// columns in UTF-8 bytes from 0; each None where the table does not say.
    #[allow(clippy::type_complexity, reason = "four figures of one kind")]
    pub fn positions_at(&self, lasti: i32) -> (Option<i32>, Option<i32>, Option<i32>, Option<i32>) {
        if lasti < 0 {
            return (Some(self.co_firstlineno), None, None, None);
        }
        let target = lasti as usize / 2;
        for entry in self.locations() {
            if target < entry.end {
                return (entry.line, entry.end_line, entry.column, entry.end_column);
            }
        }
        (None, None, None, None)
    }

    /// The line of the instruction at a byte offset (`PyCode_Addr2Line`).
    pub fn line_at(&self, lasti: i32) -> Option<i32> {
        self.positions_at(lasti).0
    }

    /// The entries of the location table.
    pub fn locations(&self) -> Locations<'_> {
        // SAFETY: as above.
        let table = unsafe { self.co_linetable.borrow() }.map_or(&[][..], |b| b.as_slice());
        Locations::new(table, self.co_firstlineno)
    }
}

/// Interns the names, in place: the tuple is the code object's own.
fn intern_names(ts: &ThreadState, names: &PyTuple) -> PyResult<()> {
    for (index, name) in names.items().iter().enumerate() {
        let name = name.cast::<PyStr>();
        if !name.is_interned() {
            let interned = PyStr::intern_ref(ts, Ref::from_borrowed(name))?;
            // SAFETY: the tuple was made for this code object, and the equal string takes the place of
            // one that the tuple goes on owning through the interned one.
            unsafe { names.replace_item(index, interned.into_object()) };
        }
    }
    Ok(())
}

unsafe fn dealloc(ts: &ThreadState, object: *mut PyObject) {
    // SAFETY: called once, for a code object.
    unsafe {
        weakref::clear_all(ts, &*object);
        crate::tracemalloc::code_ends(ts);
        let code = object.cast::<PyCode>();
        if (*code).table().is_some() {
            ts.interp().monitoring.forget_code(ts.interp(), &*code);
            *(*code).co_monitoring.get() = None;
        }
        macro_rules! clear {
            ($($field:ident)*) => { $((*code).$field.set(None);)* };
        }
        clear!(co_consts co_names co_exceptiontable co_linetable co_localsplusnames co_localspluskinds co_filename co_name co_qualname);
        alloc::free(ts, object);
    }
}

fn repr(ts: &ThreadState, object: &PyObject) -> PyResult {
    let code = object.cast::<PyCode>();
    let line = if code.co_firstlineno != 0 { code.co_firstlineno } else { -1 };
    let text = PyStr::format(
        ts,
        format_args!("<code object {} at {object:p}, file \"{}\", line {line}>", code.name(), code.filename()),
    )?;
    Ok(text.into_object())
}

fn hash(ts: &ThreadState, object: &PyObject) -> PyResult<isize> {
    let code = whole(ts, object)?;
    if code.co_hash.get() != -1 {
        return Ok(code.co_hash.get());
    }
    let bytes = code.original_code()?;
    let mut mixed = crate::types::hash::hash_bytes(&bytes) as usize;
    let mut mix = |h: isize| mixed = (mixed ^ h as usize).wrapping_mul(1_000_003);
    mix(code.name().hash_value());
    for part in [&code.co_names, &code.co_localsplusnames] {
        if let Some(part) = part.get() {
            mix(protocol::hash(ts, part.as_object())?);
        }
    }
    for constant in code.consts() {
        let hashed = protocol::hash(ts, constant);
        // Constants that cannot be hashed (slices could, lists are none) count by type only.
        mix(match ts.catch(hashed, &exc::TypeError)? {
            Some(h) => h,
            None => 1,
        });
    }
    mix(code.co_argcount as isize);
    mix(code.co_posonlyargcount as isize);
    mix(code.co_kwonlyargcount as isize);
    mix(code.co_flags as isize);
    mix(code.co_firstlineno as isize);
    let value = if mixed as isize == -1 { -2 } else { mixed as isize };
    code.co_hash.set(value);
    Ok(value)
}

/// Constants are equal only when their types are, too: `0.0` is not `0`.
fn constants_equal(ts: &ThreadState, a: &PyObject, b: &PyObject) -> PyResult<bool> {
    if a.is(b) {
        return Ok(true);
    }
    if !core::ptr::eq(a.ob_type(), b.ob_type()) {
        return Ok(false);
    }
    if let (Some(x), Some(y)) = (a.downcast_exact::<PyTuple>(), b.downcast_exact::<PyTuple>()) {
        if x.len() != y.len() {
            return Ok(false);
        }
        for (p, q) in x.items().iter().zip(y.items()) {
            if !constants_equal(ts, p, q)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    if let (Some(x), Some(y)) =
        (a.downcast_exact::<crate::types::float::PyFloat>(), b.downcast_exact::<crate::types::float::PyFloat>())
    {
        return Ok(x.value().to_bits() == y.value().to_bits());
    }
    protocol::equal(ts, a, b)
}

fn compare(ts: &ThreadState, left: &PyObject, right: &PyObject, op: CompareOp) -> PyResult {
    let (Some(a), Some(b)) = (left.downcast::<PyCode>(), right.downcast::<PyCode>()) else {
        return Ok(not_implemented());
    };
    if op != CompareOp::Eq && op != CompareOp::Ne {
        return Ok(not_implemented());
    }
    let same = codes_equal(ts, a, b)?;
    Ok(crate::types::bool::py_bool(same == (op == CompareOp::Eq)))
}

fn codes_equal(ts: &ThreadState, a: &PyCode, b: &PyCode) -> PyResult<bool> {
    if core::ptr::eq(a, b) {
        return Ok(true);
    }
    a.make_whole(ts)?;
    b.make_whole(ts)?;
    if !a.name().equals(b.name())
        || a.co_argcount != b.co_argcount
        || a.co_posonlyargcount != b.co_posonlyargcount
        || a.co_kwonlyargcount != b.co_kwonlyargcount
        || a.co_flags != b.co_flags
        || a.co_firstlineno != b.co_firstlineno
        || a.kinds() != b.kinds()
        || *a.original_code()? != *b.original_code()?
    {
        return Ok(false);
    }
    let all = |x: &[&PyObject], y: &[&PyObject]| -> PyResult<bool> {
        if x.len() != y.len() {
            return Ok(false);
        }
        for (p, q) in x.iter().zip(y) {
            if !constants_equal(ts, p, q)? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    if !all(a.consts(), b.consts())? || !all(a.names(), b.names())? {
        return Ok(false);
    }
    let bytes = |s: &Slot<PyBytes>| s.get();
    let same = |x: Option<Ref<PyBytes>>, y: Option<Ref<PyBytes>>| match (x, y) {
        (Some(x), Some(y)) => x.as_slice() == y.as_slice(),
        _ => false,
    };
    Ok(same(bytes(&a.co_linetable), bytes(&b.co_linetable))
        && same(bytes(&a.co_exceptiontable), bytes(&b.co_exceptiontable)))
}

fn optional_int(ts: &ThreadState, value: Option<i32>) -> PyResult {
    match value {
        Some(value) => PyInt::from_i64(ts, value.into()),
        None => Ok(ts.none()),
    }
}

fn co_lines(ts: &ThreadState, object: &PyObject) -> PyResult {
    let code = whole(ts, object)?;
    let list = crate::types::list::PyList::new(ts)?;
    let mut pending: Option<(usize, usize, Option<i32>)> = None;
    let emit = |(start, end, line): (usize, usize, Option<i32>)| -> PyResult<()> {
        let items = [PyInt::from_usize(ts, start * 2)?, PyInt::from_usize(ts, end * 2)?, optional_int(ts, line)?];
        let tuple = PyTuple::new(ts, call::borrow_all(&items))?;
        list.append(ts, tuple.into_object())
    };
    for entry in code.locations() {
        match &mut pending {
            Some((_, end, line)) if *line == entry.line => *end = entry.end,
            _ => {
                if let Some(run) = pending.take() {
                    emit(run)?;
                }
                pending = Some((entry.start, entry.end, entry.line));
            }
        }
    }
    if let Some(run) = pending {
        emit(run)?;
    }
    protocol::iter(ts, list.as_object())
}

fn co_positions(ts: &ThreadState, object: &PyObject) -> PyResult {
    let code = whole(ts, object)?;
    let list = crate::types::list::PyList::new(ts)?;
    for entry in code.locations() {
        for _ in entry.start..entry.end {
            let items = [
                optional_int(ts, entry.line)?,
                optional_int(ts, entry.end_line)?,
                optional_int(ts, entry.column)?,
                optional_int(ts, entry.end_column)?,
            ];
            list.append(ts, PyTuple::new(ts, call::borrow_all(&items))?.into_object())?;
        }
    }
    protocol::iter(ts, list.as_object())
}

fn co_branches(ts: &ThreadState, object: &PyObject) -> PyResult {
    let code = whole(ts, object)?;
    let bytes = code.original_code()?;
    let list = crate::types::list::PyList::new(ts)?;
    opcode::branches(&bytes, &mut |source, not_taken, taken| {
        let items = [PyInt::from_usize(ts, source)?, PyInt::from_usize(ts, not_taken)?, PyInt::from_usize(ts, taken)?];
        list.append(ts, PyTuple::new(ts, call::borrow_all(&items))?.into_object())
    })?;
    protocol::iter(ts, list.as_object())
}

fn varname_from_oparg(ts: &ThreadState, object: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "_varname_from_oparg", args.len(), 1, 1)?;
    let code = whole(ts, object)?;
    let index = protocol::as_isize(ts, args[0])?;
    if index < 0 || index >= code.co_nlocalsplus as isize {
        return raise!(ts, exc::IndexError, "tuple index out of range");
    }
    Ok(code.local_name(index as usize).new_ref())
}

/// The names in the order of `code()` and `replace()`, less the names of variables.
fn parts_of(code: &PyCode, ts: &ThreadState) -> PyResult<CodeParts> {
    let missing = || Raised::from(hognose_allocators::NoMemory);
    Ok(CodeParts {
        argcount: code.co_argcount,
        posonlyargcount: code.co_posonlyargcount,
        kwonlyargcount: code.co_kwonlyargcount,
        stacksize: code.co_stacksize,
        flags: code.co_flags,
        code: PyBytes::new(ts, &code.original_code()?)?,
        consts: code.co_consts.get().ok_or_else(missing)?,
        names: code.co_names.get().ok_or_else(missing)?,
        localsplusnames: code.co_localsplusnames.get().ok_or_else(missing)?,
        localspluskinds: code.co_localspluskinds.get().ok_or_else(missing)?,
        filename: code.co_filename.get().ok_or_else(missing)?,
        name: code.co_name.get().ok_or_else(missing)?,
        qualname: code.co_qualname.get().ok_or_else(missing)?,
        firstlineno: code.co_firstlineno,
        linetable: code.co_linetable.get().ok_or_else(missing)?,
        exceptiontable: code.co_exceptiontable.get().ok_or_else(missing)?,
    })
}

fn want<T: Native>(ts: &ThreadState, name: &str, value: &PyObject) -> PyResult<Ref<T>> {
    match value.downcast::<T>() {
        Some(value) => Ok(Ref::from_borrowed(value)),
        None => raise!(
            ts,
            exc::TypeError,
            "replace() argument '{name}' must be {}, not {}",
            T::type_object().name(),
            value.type_name()
        ),
    }
}

/// Names and kinds of the frame's places, from the three lists of variables.
fn localsplus(
    ts: &ThreadState,
    varnames: &PyTuple,
    cellvars: &PyTuple,
    freevars: &PyTuple,
) -> PyResult<(Ref<PyTuple>, Ref<PyBytes>)> {
    let mut names = TryVec::<PyRef>::new();
    let mut kinds = TryVec::<u8>::new();
    for (list, kind) in [(varnames, KIND_LOCAL), (cellvars, KIND_CELL), (freevars, KIND_FREE)] {
        for name in list.items() {
            let Some(name) = name.downcast::<PyStr>() else {
                return raise!(ts, exc::TypeError, "name tuples must contain only strings, not '{}'", name.type_name());
            };
            if kind == KIND_CELL {
                // An argument that is a cell has one place with both bits.
                let same = names.iter().position(|n| n.cast::<PyStr>().equals(name));
                if let Some(index) = same {
                    kinds[index] |= KIND_CELL;
                    continue;
                }
            }
            names.try_push(name.new_ref())?;
            kinds.try_push(kind)?;
        }
    }
    Ok((PyTuple::from_vec(ts, names)?, PyBytes::new(ts, &kinds)?))
}

fn replace(ts: &ThreadState, object: &PyObject, args: Args<'_>) -> PyResult {
    let code = whole(ts, object)?;
    if args.len() != 0 {
        return raise!(ts, exc::TypeError, "replace() takes no positional arguments ({} given)", args.len());
    }
    let mut parts = parts_of(code, ts)?;
    let mut varnames = code.names_of_kind(ts, KIND_LOCAL)?.cast_into::<PyTuple>();
    let mut cellvars = code.names_of_kind(ts, KIND_CELL)?.cast_into::<PyTuple>();
    let mut freevars = code.names_of_kind(ts, KIND_FREE)?.cast_into::<PyTuple>();
    let mut variables_changed = false;
    let mut local_count = None;
    for (name, value) in args.keywords() {
        let text = name.ascii_str().unwrap_or("");
        match text {
            "co_argcount" => parts.argcount = protocol::as_i32(ts, value)?,
            "co_posonlyargcount" => parts.posonlyargcount = protocol::as_i32(ts, value)?,
            "co_kwonlyargcount" => parts.kwonlyargcount = protocol::as_i32(ts, value)?,
            "co_nlocals" => local_count = Some(protocol::as_i32(ts, value)?),
            "co_stacksize" => parts.stacksize = protocol::as_i32(ts, value)?,
            "co_flags" => parts.flags = protocol::as_i32(ts, value)?,
            "co_firstlineno" => parts.firstlineno = protocol::as_i32(ts, value)?,
            "co_code" => parts.code = want(ts, text, value)?,
            "co_consts" => parts.consts = want(ts, text, value)?,
            "co_names" => parts.names = copied(ts, &*want::<PyTuple>(ts, text, value)?)?,
            "co_filename" => parts.filename = want(ts, text, value)?,
            "co_name" => parts.name = want(ts, text, value)?,
            "co_qualname" => parts.qualname = want(ts, text, value)?,
            "co_linetable" => parts.linetable = want(ts, text, value)?,
            "co_exceptiontable" => parts.exceptiontable = want(ts, text, value)?,
            "co_varnames" => {
                varnames = want(ts, text, value)?;
                variables_changed = true;
            }
            "co_cellvars" => {
                cellvars = want(ts, text, value)?;
                variables_changed = true;
            }
            "co_freevars" => {
                freevars = want(ts, text, value)?;
                variables_changed = true;
            }
            _ => {
                return raise!(ts, exc::TypeError, "replace() got an unexpected keyword argument '{}'", name);
            }
        }
    }
    if let Some(count) = local_count {
        check_local_count(ts, count, &varnames)?;
    }
    if variables_changed {
        (parts.localsplusnames, parts.localspluskinds) = localsplus(ts, &varnames, &cellvars, &freevars)?;
    }
    Ok(PyCode::new(ts, parts)?.into_object())
}

fn check_local_count(ts: &ThreadState, count: i32, names: &PyTuple) -> PyResult<()> {
    if usize::try_from(count) != Ok(names.len()) {
        return raise!(ts, exc::ValueError, "code: co_nlocals != len(co_varnames)");
    }
    Ok(())
}

fn copied(ts: &ThreadState, tuple: &PyTuple) -> PyResult<Ref<PyTuple>> {
    PyTuple::new(ts, tuple.items())
}

fn code_new(ts: &ThreadState, _typ: &PyTypeObject, args: Args<'_>) -> PyResult {
    let args = args.no_keywords(ts, "code")?;
    call::check_count(ts, "code", args.len(), 16, 18)?;
    let empty = PyTuple::empty();
    let tuple = |i: usize| -> PyResult<Ref<PyTuple>> {
        match args.get(i) {
            Some(value) => copied(ts, &*want::<PyTuple>(ts, "code", value)?),
            None => Ok(empty.clone()),
        }
    };
    check_local_count(ts, protocol::as_i32(ts, args[3])?, &*tuple(9)?)?;
    let (localsplusnames, localspluskinds) = localsplus(ts, &*tuple(9)?, &*tuple(17)?, &*tuple(16)?)?;
    let parts = CodeParts {
        argcount: protocol::as_i32(ts, args[0])?,
        posonlyargcount: protocol::as_i32(ts, args[1])?,
        kwonlyargcount: protocol::as_i32(ts, args[2])?,
        stacksize: protocol::as_i32(ts, args[4])?,
        flags: protocol::as_i32(ts, args[5])?,
        code: want(ts, "code", args[6])?,
        consts: want(ts, "code", args[7])?,
        names: tuple(8)?,
        localsplusnames,
        localspluskinds,
        filename: want(ts, "code", args[10])?,
        name: want(ts, "code", args[11])?,
        qualname: want(ts, "code", args[12])?,
        firstlineno: protocol::as_i32(ts, args[13])?,
        linetable: want(ts, "code", args[14])?,
        exceptiontable: want(ts, "code", args[15])?,
    };
    Ok(PyCode::new(ts, parts)?.into_object())
}
