//! The native modules: one file or folder each, named as Python names it.
//!
//! A module is declared by a [`ModuleSpec`] and listed in [`MODULES`]; what it needs beyond functions and
//! types, its `exec` function adds. A module that is not there is an ImportError, as it should be.

use crate::object::{AsObject, MethodDef, PyRef, PyResult, Ref, StaticType, ready};
use crate::raise;
use crate::state::ThreadState;
use crate::types::builtin_function;
use crate::types::exceptions as exc;
use crate::types::module::PyModule;
use crate::types::str::PyStr;

pub mod _abc;
pub mod _ast;
pub mod _asyncio;
pub mod _bisect;
pub mod _codecs;
pub mod _collections;
pub mod _contextvars;
pub mod _csv;
pub mod _datetime;
pub mod _functools;
pub mod _heapq;
pub mod _hognose;
pub mod _imp;
pub mod _interpchannels;
pub mod _interpqueues;
pub mod _interpreters;
pub mod _io;
pub mod _json;
pub mod _locale;
pub mod _multibytecodec;
pub mod _multiprocessing;
pub mod _opcode;
pub mod _operator;
pub mod _pickle;
pub mod _posixshmem;
pub mod _posixsubprocess;
pub mod _queue;
pub mod _random;
pub mod _remote_debugging;
pub mod _signal;
pub mod _socket;
pub mod _stat;
pub mod _statistics;
pub mod _string;
pub mod _struct;
pub mod _suggestions;
pub mod _symtable;
pub mod _sysconfig;
pub mod _thread;
pub mod _tokenize;
pub mod _tracemalloc;
pub mod _types;
pub mod _typing;
pub mod _uuid;
pub mod _warnings;
pub mod _weakref;
pub mod _zoneinfo;
pub mod array;
pub mod atexit;
pub mod binascii;
pub mod builtins;
pub mod cmath;
pub mod errno;
pub mod faulthandler;
pub mod fcntl;
pub mod gc;
pub mod grp;
pub mod hashes;
pub mod itertools;
pub mod marshal;
pub mod math;
pub mod mmap;
pub mod posix;
pub mod pwd;
pub mod readline;
pub mod resource;
pub mod select;
pub mod sre;
pub mod sys;
pub mod syslog;
pub mod termios;
pub mod time;
pub mod unicodedata;
pub mod xi;
pub mod zlib;

/// The declaration of a native module.
pub struct ModuleSpec {
    /// The name that it is imported by.
    pub name: &'static str,
    /// The docstring.
    pub doc: &'static str,
    /// The functions.
    pub methods: &'static [MethodDef],
    /// The types, which become attributes by the last part of their name.
    pub types: &'static [&'static StaticType],
    /// Adds the rest.
    pub exec: Option<fn(&ThreadState, &PyModule) -> PyResult<()>>,
}

impl ModuleSpec {
    /// A module of nothing, to be filled in.
    pub const EMPTY: ModuleSpec = ModuleSpec { name: "", doc: "", methods: &[], types: &[], exec: None };
}

/// All native modules.
pub static MODULES: &[&ModuleSpec] = &[
    &_abc::MODULE,
    &_ast::MODULE,
    &_asyncio::MODULE,
    &_bisect::MODULE,
    &hashes::blake2::MODULE,
    &_codecs::MODULE,
    &_multibytecodec::CN_MODULE,
    &_multibytecodec::HK_MODULE,
    &_multibytecodec::ISO2022_MODULE,
    &_multibytecodec::JP_MODULE,
    &_multibytecodec::KR_MODULE,
    &_multibytecodec::TW_MODULE,
    &_collections::MODULE,
    &_contextvars::MODULE,
    &_csv::MODULE,
    &_datetime::MODULE,
    &_functools::MODULE,
    &_heapq::MODULE,
    &hashes::md5::MODULE,
    &hashes::sha1::MODULE,
    &hashes::sha2::MODULE,
    &hashes::sha3::MODULE,
    &_imp::MODULE,
    &_interpchannels::MODULE,
    &_interpqueues::MODULE,
    &_interpreters::MODULE,
    &_io::MODULE,
    &_json::MODULE,
    &_locale::MODULE,
    &_multibytecodec::MODULE,
    &_multiprocessing::MODULE,
    &_opcode::MODULE,
    &_operator::MODULE,
    &_pickle::MODULE,
    &_posixshmem::MODULE,
    &_posixsubprocess::MODULE,
    &_queue::MODULE,
    &_random::MODULE,
    &_remote_debugging::MODULE,
    &_signal::MODULE,
    &_socket::MODULE,
    &_stat::MODULE,
    &_statistics::MODULE,
    &_string::MODULE,
    &_struct::MODULE,
    &_suggestions::MODULE,
    &_symtable::MODULE,
    &_sysconfig::MODULE,
    &_thread::MODULE,
    &_tokenize::MODULE,
    &_tracemalloc::MODULE,
    &_types::MODULE,
    &_typing::MODULE,
    &_uuid::MODULE,
    &_warnings::MODULE,
    &_weakref::MODULE,
    &_zoneinfo::MODULE,
    &array::MODULE,
    &atexit::MODULE,
    &binascii::MODULE,
    &builtins::MODULE,
    &cmath::MODULE,
    &errno::MODULE,
    &faulthandler::MODULE,
    &fcntl::MODULE,
    &gc::MODULE,
    &grp::MODULE,
    &itertools::MODULE,
    &marshal::MODULE,
    &math::MODULE,
    &mmap::MODULE,
    &posix::MODULE,
    &pwd::MODULE,
    &readline::MODULE,
    &resource::MODULE,
    &select::MODULE,
    &sre::MODULE,
    &sys::MODULE,
    &syslog::MODULE,
    &termios::MODULE,
    &time::MODULE,
    &unicodedata::MODULE,
    &zlib::MODULE,
];

/// The native module of that name.
pub fn find(name: &str) -> Option<&'static ModuleSpec> {
    MODULES.iter().find(|spec| spec.name == name).copied()
}

/// Makes a module from its declaration, and fills it.
pub fn create(ts: &ThreadState, spec: &'static ModuleSpec) -> PyResult<Ref<PyModule>> {
    let name = PyStr::intern(ts, spec.name)?;
    let module = PyModule::new(ts, &name)?;
    let dict = module.dict(ts)?;
    if !spec.doc.is_empty() {
        let doc = PyStr::new(ts, spec.doc)?;
        dict.set_str(ts, crate::id!(__doc__), doc.as_object())?;
    }
    builtin_function::add_functions(ts, &dict, spec.methods, module.as_object(), name.as_object())?;
    for typ in spec.types {
        ready::ready_static(ts, typ)?;
        let short = PyStr::intern(ts, typ.name())?;
        dict.set_str(ts, &short, typ.as_object())?;
    }
    if let Some(exec) = spec.exec {
        exec(ts, &module)?;
    }
    Ok(module)
}

/// Makes the native or added module of that name; None when there is none.
pub fn create_by_name(ts: &ThreadState, name: &str) -> PyResult<Option<PyRef>> {
    if let Some(spec) = find(name) {
        return Ok(Some(create(ts, spec)?.into_object()));
    }
    match crate::import::inittab::find(name) {
        Some(init) => crate::capi::border::init_module(ts, name, init).map(Some),
        None => Ok(None),
    }
}

impl PyModule {
    /// Adds an attribute, for `exec` functions.
    pub fn add(&self, ts: &ThreadState, name: &str, value: &crate::object::PyObject) -> PyResult<()> {
        let name = PyStr::intern(ts, name)?;
        self.dict(ts)?.set_str(ts, &name, value)
    }

    /// Adds an int attribute.
    pub fn add_int(&self, ts: &ThreadState, name: &str, value: i64) -> PyResult<()> {
        let value = crate::types::int::PyInt::from_i64(ts, value)?;
        self.add(ts, name, &value)
    }

    /// Adds a str attribute.
    pub fn add_str(&self, ts: &ThreadState, name: &str, value: &str) -> PyResult<()> {
        let value = PyStr::new(ts, value)?;
        self.add(ts, name, value.as_object())
    }

    /// Makes a built-in type usable and adds it under the last part of its name.
    pub fn add_type(&self, ts: &ThreadState, typ: &'static StaticType) -> PyResult<()> {
        ready::ready_static(ts, typ)?;
        self.add(ts, typ.name(), typ.as_object())
    }
}

/// What a function says that is declared but not there yet.
#[cold]
pub fn not_there_yet<T>(ts: &ThreadState, what: &str) -> PyResult<T> {
    raise!(ts, exc::NotImplementedError, "{what} is not implemented by this version of Hognose")
}
