//! Pickling of what is not a built-in type: by reduction to a call, or by name.

use hognose_allocators::collections::TryVec;

use super::opcodes::*;
use super::save::Saver;
use super::state::{PICKLING_ERROR, type_name};
use crate::object::{AsObject, PyObject, PyRef, PyResult, PyTypeObject, Raised, Ref, attr, call, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::ellipsis::ELLIPSIS_TYPE;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none::{NONE_TYPE, is_none};
use crate::types::notimplemented::{NOT_IMPLEMENTED_TYPE, not_implemented};
use crate::types::str::{PyStr, codec};
use crate::types::tuple::PyTuple;
use crate::types::typ::TYPE_TYPE;

/// Which special call a reduction asks for.
#[derive(Clone, Copy, PartialEq)]
enum Creation {
    Plain,
    NewObj,
    NewObjEx,
}

impl Saver<'_> {
    /// An object by the dispatch table, or by what it says itself.
    pub(super) fn save_other(&self, object: &PyObject) -> PyResult<()> {
        let ts = self.ts;
        let typ = object.ob_type().as_object();
        let reducer = match self.pickler.table.get() {
            None => self.state.dispatch_table(ts)?.get(ts, typ)?,
            Some(table) => match table.downcast_exact::<PyDict>() {
                Some(table) => table.get(ts, typ)?,
                None => ts.catch(protocol::getitem(ts, &table, typ), &exc::LookupError)?,
            },
        };
        let reduced = match reducer {
            Some(reducer) => call::call_with(ts, &reducer, &[object])?,
            None if object.is_a::<PyTypeObject>() => return self.save_global(object, None),
            None => match attr::get_opt(ts, object, crate::id!(__reduce_ex__))? {
                Some(method) => {
                    let protocol = PyInt::from_i64(ts, self.protocol().into())?;
                    call::call_with(ts, &method, &[&protocol])?
                }
                None => match attr::get_opt(ts, object, crate::id!(__reduce__))? {
                    Some(method) => call::call0(ts, &method)?,
                    None => {
                        let name = type_name(ts, object)?;
                        return raise!(ts, PICKLING_ERROR, "Can't pickle {} object", &*name);
                    }
                },
            },
        };
        self.save_reduced(object, &reduced)
    }

    /// What a reduction has returned: a name, or a call.
    pub(super) fn save_reduced(&self, object: &PyObject, reduced: &PyObject) -> PyResult<()> {
        if let Some(name) = reduced.downcast::<PyStr>() {
            return self.save_global(object, Some(name));
        }
        let result = match reduced.downcast::<PyTuple>() {
            Some(reduced) => self.save_reduce(reduced, Some(object)),
            None => {
                let name = type_name(self.ts, reduced)?;
                raise!(self.ts, PICKLING_ERROR, "__reduce__ must return a string or tuple, not {}", &*name)
            }
        };
        result.map_err(|raised| self.note(raised, object, format_args!("object")))
    }

    /// A part of a reduction that may be None.
    fn optional<'r>(&self, part: Option<&'r PyObject>) -> Option<&'r PyObject> {
        part.filter(|part| !is_none(part))
    }

    fn wrong<T>(&self, what: &str, found: &PyObject) -> PyResult<T> {
        let name = type_name(self.ts, found)?;
        raise!(self.ts, PICKLING_ERROR, "{what}, not {}", &*name)
    }

    /// A call that makes an object, and what is done to it then.
    pub(super) fn save_reduce(&self, reduced: &PyTuple, object: Option<&PyObject>) -> PyResult<()> {
        let ts = self.ts;
        if !(2..=6).contains(&reduced.len()) {
            return raise!(ts, PICKLING_ERROR, "tuple returned by __reduce__ must contain 2 through 6 elements");
        }
        let (function, arguments) = (reduced.items()[0], reduced.items()[1]);
        if !call::is_callable(function) {
            return self.wrong("first item of the tuple returned by __reduce__ must be callable", function);
        }
        let Some(arguments) = arguments.downcast::<PyTuple>() else {
            return self.wrong("second item of the tuple returned by __reduce__ must be a tuple", arguments);
        };
        let state = self.optional(reduced.get(2));
        let items = self.optional(reduced.get(3));
        if let Some(items) = items.filter(|items| !protocol::is_iterator(items)) {
            return self.wrong("fourth item of the tuple returned by __reduce__ must be an iterator", items);
        }
        let pairs = self.optional(reduced.get(4));
        if let Some(pairs) = pairs.filter(|pairs| !protocol::is_iterator(pairs)) {
            return self.wrong("fifth item of the tuple returned by __reduce__ must be an iterator", pairs);
        }
        let setter = self.optional(reduced.get(5));
        if let Some(setter) = setter.filter(|setter| !call::is_callable(setter)) {
            return self.wrong("sixth item of the tuple returned by __reduce__ must be callable", setter);
        }
        match self.creation(function)? {
            Creation::NewObjEx => self.save_newobj_ex(arguments, object)?,
            Creation::NewObj => self.save_newobj(arguments, object)?,
            Creation::Plain => {
                self.save_of(object, function, "reconstructor")?;
                self.save_of(object, arguments.as_object(), "reconstructor arguments")?;
                self.write(&[REDUCE])?;
            }
        }
        // Without an object there is nothing to remember, and nothing to change.
        let Some(object) = object else { return Ok(()) };
        match self.number_of(object) {
            // The arguments have pickled it: what has been made is given up for that.
            Some(number) => {
                self.write(&[POP])?;
                self.write_get(number)?;
            }
            None => self.memoize(object)?,
        }
        if let Some(items) = items {
            self.save_appends(object, items)?;
        }
        if let Some(pairs) = pairs {
            self.save_setitems(object, pairs)?;
        }
        match (state, setter) {
            (None, _) => Ok(()),
            (Some(state), None) => {
                self.save_part(object, state, "state")?;
                self.write(&[BUILD])
            }
            (Some(state), Some(setter)) => {
                // A call of the setter, whose result is thrown away.
                self.save_part(object, setter, "state setter")?;
                self.save(object)?;
                self.save_part(object, state, "state")?;
                self.write(&[TUPLE2, REDUCE, POP])
            }
        }
    }

    fn save_of(&self, object: Option<&PyObject>, part: &PyObject, what: &str) -> PyResult<()> {
        match object {
            Some(object) => self.save_part(object, part, what),
            None => self.save(part),
        }
    }

    fn creation(&self, function: &PyObject) -> PyResult<Creation> {
        if self.protocol() < 2 {
            return Ok(Creation::Plain);
        }
        let name = attr::get_opt(self.ts, function, crate::id!(__name__))?;
        Ok(match name.as_ref().and_then(|name| name.downcast::<PyStr>()) {
            Some(name) if name.equals_str("__newobj__") => Creation::NewObj,
            Some(name) if name.equals_str("__newobj_ex__") => Creation::NewObjEx,
            _ => Creation::Plain,
        })
    }

    /// The class is that of the object.
    fn check_class(&self, class: &PyObject, object: Option<&PyObject>, function: &str) -> PyResult<()> {
        let Some(object) = object else { return Ok(()) };
        let own = attr::get(self.ts, object, crate::id!(__class__))?;
        if own.is(class) {
            return Ok(());
        }
        let (own, class) = (protocol::repr(self.ts, &own)?, protocol::repr(self.ts, class)?);
        raise!(self.ts, PICKLING_ERROR, "first argument to {function}() must be {}, not {}", &*own, &*class)
    }

    fn save_newobj_ex(&self, arguments: &PyTuple, object: Option<&PyObject>) -> PyResult<()> {
        let ts = self.ts;
        let &[class, positional, keywords] = arguments.items() else {
            return raise!(ts, PICKLING_ERROR, "__newobj_ex__ expected 3 arguments, got {}", arguments.len());
        };
        if !class.is_a::<PyTypeObject>() {
            return self.wrong("first argument to __newobj_ex__() must be a class", class);
        }
        self.check_class(class, object, "__newobj_ex__")?;
        let Some(positional) = positional.downcast::<PyTuple>() else {
            return self.wrong("second argument to __newobj_ex__() must be a tuple", positional);
        };
        let Some(keywords) = keywords.downcast::<PyDict>() else {
            return self.wrong("third argument to __newobj_ex__() must be a dict", keywords);
        };
        if self.protocol() >= 4 {
            self.save_of(object, class, "class")?;
            self.save_of(object, positional.as_object(), "__new__ arguments")?;
            self.save_of(object, keywords.as_object(), "__new__ arguments")?;
            return self.write(&[NEWOBJ_EX]);
        }
        // Older protocols have no keywords: a partial object brings them.
        let new = attr::get(ts, class, crate::id!(__new__))?;
        let mut all = TryVec::<PyRef>::try_with_capacity(positional.len() + 2)?;
        all.try_push(new)?;
        all.try_push(class.new_ref())?;
        for item in positional.items() {
            all.try_push(item.new_ref())?;
        }
        let all = PyTuple::from_vec(ts, all)?;
        let partial = call::call_tuple_dict(ts, &*self.state.partial(ts)?, &all, Some(keywords))?;
        self.save_of(object, &partial, "reconstructor")?;
        self.save(PyTuple::empty().as_object())?;
        self.write(&[REDUCE])
    }

    fn save_newobj(&self, arguments: &PyTuple, object: Option<&PyObject>) -> PyResult<()> {
        let Some(class) = arguments.get(0) else {
            return raise!(self.ts, PICKLING_ERROR, "__newobj__ expected at least 1 argument, got 0");
        };
        if !class.is_a::<PyTypeObject>() {
            return self.wrong("first argument to __newobj__() must be a class", class);
        }
        self.check_class(class, object, "__newobj__")?;
        self.save_of(object, class, "class")?;
        let rest = arguments.slice(self.ts, 1, arguments.len())?;
        self.save_of(object, rest.as_object(), "__new__ arguments")?;
        self.write(&[NEWOBJ])
    }

    // ---- by name ----

    /// `type` itself, or a class: the types of three singletons have no name.
    pub(super) fn save_type(&self, object: &PyObject) -> PyResult<()> {
        let singleton = if object.is(NONE_TYPE.as_object()) {
            self.ts.none()
        } else if object.is(NOT_IMPLEMENTED_TYPE.as_object()) {
            not_implemented()
        } else if object.is(ELLIPSIS_TYPE.as_object()) {
            crate::types::ellipsis::ellipsis().new_ref()
        } else {
            return self.save_global(object, None);
        };
        let arguments = PyTuple::from_array(self.ts, [singleton])?;
        self.save_call(object, TYPE_TYPE.as_object(), &arguments)
    }

    /// A class or a function by its module and its name.
    pub(super) fn save_global(&self, object: &PyObject, name: Option<&PyStr>) -> PyResult<()> {
        let ts = self.ts;
        let name: PyRef = match name {
            Some(name) => name.new_ref(),
            None => match attr::get_opt(ts, object, crate::id!(__qualname__))? {
                Some(name) => name,
                None => attr::get(ts, object, crate::id!(__name__))?,
            },
        };
        let Some(name) = name.downcast::<PyStr>() else {
            return raise!(ts, PICKLING_ERROR, "the name of an object must be a string, not {}", name.type_name());
        };
        let dot = PyStr::latin1_char(b'.');
        let path = name.split(ts, Some(dot), usize::MAX)?;
        let module = which_module(ts, object, name, &path)?;
        if self.protocol() >= 2 && self.save_extension(&module, name)? {
            return Ok(());
        }
        if self.protocol() >= 4 {
            self.save(&module)?;
            self.save(name.as_object())?;
            self.write(&[STACK_GLOBAL])?;
            return self.memoize(object);
        }
        // Names in names: getattr(getattr(first, second), third).
        let getattr = self.state.getattr(ts)?;
        for _ in 1..path.len() {
            self.save(&getattr)?;
            if self.protocol() < 2 {
                self.write(&[MARK])?;
            }
        }
        match path.first() {
            Some(first) => self.save_toplevel(&module, first)?,
            None => self.save_toplevel(&module, name.as_object())?,
        }
        for part in path.iter().skip(1) {
            self.save(part)?;
            self.write(&[if self.protocol() < 2 { TUPLE } else { TUPLE2 }, REDUCE])?;
        }
        self.memoize(object)
    }

    /// A number that `copyreg` has for a name; false when there is none.
    fn save_extension(&self, module: &PyObject, name: &PyStr) -> PyResult<bool> {
        let ts = self.ts;
        let key = PyTuple::pair(ts, module, name.as_object())?;
        let Some(code) = self.state.extension_registry(ts)?.get(ts, key.as_object())? else { return Ok(false) };
        let number = protocol::index(ts, &code)?.to_i64(ts)?;
        match i32::try_from(number).ok().filter(|number| *number > 0) {
            Some(number @ ..=0xff) => self.write(&[EXT1, number as u8])?,
            Some(number @ ..=0xffff) => self.write(&[EXT2, number as u8, (number >> 8) as u8])?,
            Some(number) => {
                let [a, b, c, d] = number.to_le_bytes();
                self.write(&[EXT4, a, b, c, d])?;
            }
            None => {
                let (object, code) = (protocol::repr(ts, key.as_object())?, protocol::repr(ts, &code)?);
                return raise!(
                    ts,
                    exc::RuntimeError,
                    "can't pickle {}: extension code {} is out of range",
                    &*object,
                    &*code
                );
            }
        }
        Ok(true)
    }

    fn save_toplevel(&self, module: &PyObject, name: &PyObject) -> PyResult<()> {
        let ts = self.ts;
        let (mut module, mut name) = (module.new_ref(), name.new_ref());
        if self.pickler.fix_imports.get() {
            let key = PyTuple::pair(ts, &module, &name)?;
            if let Some(old) = self.state.old_names(ts)?.get(ts, key.as_object())? {
                match old.downcast::<PyTuple>().map(PyTuple::items) {
                    Some(&[old_module, old_name]) => {
                        module = old_module.new_ref();
                        name = old_name.new_ref();
                    }
                    _ => {
                        return raise!(
                            ts,
                            exc::RuntimeError,
                            "_compat_pickle.REVERSE_NAME_MAPPING values should be 2-tuples, not {}",
                            old.type_name()
                        );
                    }
                }
            } else if let Some(old) = self.state.old_modules(ts)?.get(ts, &module)? {
                module = old;
            }
        }
        self.write(&[GLOBAL])?;
        for (part, what) in [(&module, "module"), (&name, "global")] {
            self.save_identifier(part, what)?;
            self.write(b"\n")?;
        }
        Ok(())
    }

    fn save_identifier(&self, name: &PyObject, what: &str) -> PyResult<()> {
        let ts = self.ts;
        let Some(text) = name.downcast::<PyStr>() else {
            return raise!(ts, PICKLING_ERROR, "a {what} name must be a string, not {}", name.type_name());
        };
        if let Some(ascii) = text.ascii_str() {
            return self.write(ascii.as_bytes());
        }
        if self.protocol() >= 3
            && let Some(bytes) = ts.catch(codec::encode_utf8(ts, text, "strict"), &exc::UnicodeEncodeError)?
        {
            return self.write(bytes.as_slice());
        }
        let name = text.repr(ts)?;
        let protocol = self.protocol();
        raise!(ts, PICKLING_ERROR, "can't pickle {what} identifier {} using pickle protocol {protocol}", &*name)
    }
}

/// What a path of names leads to, if it leads anywhere.
fn follow(ts: &ThreadState, start: &PyObject, path: &[PyRef]) -> PyResult<Option<PyRef>> {
    let mut object = start.new_ref();
    for name in path {
        match attr::get_opt(ts, &object, name.cast::<PyStr>())? {
            Some(next) => object = next,
            None => return Ok(None),
        }
    }
    Ok(Some(object))
}

/// The module in which an object is found by its name. Raises PicklingError when there is none.
fn which_module(ts: &ThreadState, object: &PyObject, name: &PyStr, path: &[PyRef]) -> PyResult {
    if path.iter().any(|part| part.cast::<PyStr>().equals_str("<locals>")) {
        let object = protocol::repr(ts, object)?;
        return raise!(ts, PICKLING_ERROR, "Can't pickle local object {}", &*object);
    }
    let module_name = match attr::get_opt(ts, object, crate::id!(__module__))?.filter(|module| !is_none(module)) {
        Some(name) => name,
        None => match search(ts, object, path)? {
            Some(name) => return Ok(name),
            None => PyStr::intern(ts, "__main__")?.into_object(),
        },
    };
    let imported = match module_name.downcast::<PyStr>() {
        Some(name) => crate::import::import_module_object(ts, name),
        None => raise!(ts, exc::ValueError, "module name must be a string, not {}", module_name.type_name()),
    };
    let module = match imported {
        Ok(module) => module,
        Err(raised) => return Err(cannot_import(ts, raised, object)),
    };
    let module_text = protocol::str(ts, &module_name)?;
    match follow(ts, &module, path)? {
        Some(found) if found.is(object) => Ok(module_name),
        Some(_) => {
            let object = protocol::repr(ts, object)?;
            raise!(
                ts,
                PICKLING_ERROR,
                "Can't pickle {}: it's not the same object as {}.{}",
                &*object,
                &*module_text,
                name
            )
        }
        None => {
            let object = protocol::repr(ts, object)?;
            raise!(ts, PICKLING_ERROR, "Can't pickle {}: it's not found as {}.{}", &*object, &*module_text, name)
        }
    }
}

#[cold]
fn cannot_import(ts: &ThreadState, raised: Raised, object: &PyObject) -> Raised {
    let known = [&exc::ImportError, &exc::ValueError, &exc::KeyError];
    if !known.into_iter().any(|class| ts.raised_matches(class)) {
        return raised;
    }
    let error = ts.take_raised(raised);
    let told = || -> PyResult<core::convert::Infallible> {
        let (object, text): (Ref<PyStr>, Ref<PyStr>) = (protocol::repr(ts, object)?, protocol::str(ts, &error)?);
        raise!(ts, PICKLING_ERROR, "Can't pickle {}: {}", &*object, &*text)
    };
    match told() {
        Err(raised) => {
            // The reason stays visible.
            let new = ts.take_raised(raised);
            exc::set_context(&new, error.clone());
            ts.restore_raised(new)
        }
        Ok(never) => match never {},
    }
}

/// The loaded module that has an object under its name.
fn search(ts: &ThreadState, object: &PyObject, path: &[PyRef]) -> PyResult<Option<PyRef>> {
    // A copy: what is asked for attributes may import more.
    let modules = crate::import::modules(ts)?.copy(ts)?;
    let mut position = 0;
    while let Some((name, module)) = modules.next(&mut position) {
        let main =
            name.downcast::<PyStr>().is_some_and(|name| name.equals_str("__main__") || name.equals_str("__mp_main__"));
        if main || is_none(&module) {
            continue;
        }
        if follow(ts, &module, path)?.is_some_and(|found| found.is(object)) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}
