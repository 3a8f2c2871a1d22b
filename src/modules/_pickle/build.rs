//! Unpickling: what makes and changes objects.

use hognose_allocators::collections::TryVec;

use super::load::Loader;
use super::state::UNPICKLING_ERROR;
use crate::object::buffer::{self, Buffer};
use crate::object::{Args, AsObject, PyObject, PyRef, PyResult, PyTypeObject, Ref, attr, call, protocol};
use crate::raise;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::set::PySet;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

impl Loader<'_> {
    /// Appends to the object on top of the stack.
    pub(super) fn append(&mut self, items: TryVec<PyRef>) -> PyResult<()> {
        let ts = self.ts;
        let target = self.top()?;
        if let Some(list) = target.downcast_exact::<PyList>() {
            return list.extend_from_slice(ts, call::borrow_all(&items));
        }
        if items.is_empty() {
            return Ok(());
        }
        if let Some(extend) = attr::get_opt(ts, &target, &*PyStr::intern(ts, "extend")?)? {
            let items = PyList::from_vec(ts, items)?;
            return call::call_with(ts, &extend, &[items.as_object()]).map(drop);
        }
        // Before there was a rule that lists have both methods, one was enough.
        let append = attr::get(ts, &target, &*PyStr::intern(ts, "append")?)?;
        for item in items.iter() {
            call::call_with(ts, &append, &[item])?;
        }
        Ok(())
    }

    /// Puts pairs of keys and values into a mapping.
    pub(super) fn set_items(&self, target: &PyObject, items: &[PyRef], opcode: &str) -> PyResult<()> {
        if items.len() % 2 != 0 {
            return raise!(self.ts, UNPICKLING_ERROR, "odd number of items for {opcode}");
        }
        for pair in items.chunks_exact(2) {
            match target.downcast_exact::<PyDict>() {
                Some(dict) => dict.set(self.ts, &pair[0], &pair[1])?,
                None => protocol::setitem(self.ts, target, &pair[0], &pair[1])?,
            }
        }
        Ok(())
    }

    /// Adds to the set on top of the stack.
    pub(super) fn add_items(&mut self, items: &[PyRef]) -> PyResult<()> {
        let ts = self.ts;
        let target = self.top()?;
        if let Some(set) = target.downcast::<PySet>().filter(|set| set.is_set()) {
            return items.iter().try_for_each(|item| set.add(ts, item));
        }
        if items.is_empty() {
            return Ok(());
        }
        let add = attr::get(ts, &target, &*PyStr::intern(ts, "add")?)?;
        for item in items {
            call::call_with(ts, &add, &[item])?;
        }
        Ok(())
    }

    pub(super) fn load_stack_global(&mut self) -> PyResult<()> {
        let (name, module) = (self.pop()?, self.pop()?);
        match (module.downcast_exact::<PyStr>(), name.downcast_exact::<PyStr>()) {
            (Some(module), Some(name)) => {
                let found = self.unpickler.class(self.ts, module, name)?;
                self.push(found)
            }
            _ => raise!(self.ts, UNPICKLING_ERROR, "STACK_GLOBAL requires str"),
        }
    }

    pub(super) fn load_reduce(&mut self) -> PyResult<()> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let Some(arguments) = arguments.downcast::<PyTuple>() else {
            return raise!(self.ts, exc::TypeError, "argument list must be a tuple, not {}", arguments.type_name());
        };
        let made = call::call_with(self.ts, &function, arguments.items())?;
        self.push(made)
    }

    fn pop_class(&mut self, opcode: &str) -> PyResult<Ref<PyTypeObject>> {
        match self.pop()?.downcast_into::<PyTypeObject>() {
            Ok(class) => Ok(class),
            Err(other) => {
                raise!(self.ts, UNPICKLING_ERROR, "{opcode} class argument must be a type, not {}", other.type_name())
            }
        }
    }

    fn pop_arguments(&mut self, opcode: &str) -> PyResult<Ref<PyTuple>> {
        match self.pop()?.downcast_into::<PyTuple>() {
            Ok(arguments) => Ok(arguments),
            Err(other) => {
                raise!(self.ts, UNPICKLING_ERROR, "{opcode} expected an arg tuple, got {}", other.type_name())
            }
        }
    }

    pub(super) fn load_newobj(&mut self) -> PyResult<()> {
        let arguments = self.pop_arguments("NEWOBJ")?;
        let class = self.pop_class("NEWOBJ")?;
        let Some(new) = class.slots().new else {
            return raise!(
                self.ts,
                UNPICKLING_ERROR,
                "NEWOBJ class argument '{}' doesn't have __new__",
                class.full_name()
            );
        };
        let made = new(self.ts, &class, Args::positional_only(arguments.items()))?;
        self.push(made)
    }

    pub(super) fn load_newobj_ex(&mut self) -> PyResult<()> {
        let ts = self.ts;
        let keywords = self.pop()?;
        let Some(keywords) = keywords.downcast::<PyDict>() else {
            return raise!(
                ts,
                UNPICKLING_ERROR,
                "NEWOBJ_EX kwargs argument must be a dict, not {}",
                keywords.type_name()
            );
        };
        let arguments = self.pop_arguments("NEWOBJ_EX")?;
        let class = self.pop_class("NEWOBJ_EX")?;
        let mut all = TryVec::<PyRef>::try_with_capacity(arguments.len() + 1)?;
        all.try_push(class.new_ref())?;
        for item in arguments.items() {
            all.try_push(item.new_ref())?;
        }
        let all = PyTuple::from_vec(ts, all)?;
        let new = attr::get(ts, class.as_object(), crate::id!(__new__))?;
        let made = call::call_tuple_dict(ts, &new, &all, Some(keywords))?;
        self.push(made)
    }

    /// An instance as the first protocols made it.
    fn instantiate(&mut self, class: &PyObject, arguments: &[PyRef]) -> PyResult<()> {
        let ts = self.ts;
        let plainly =
            arguments.is_empty() && class.is_a::<PyTypeObject>() && !attr::has(ts, class, crate::id!(__getinitargs__))?;
        let made = if plainly {
            call::call_method(ts, class, crate::id!(__new__), &[class])?
        } else {
            call::call_with(ts, class, call::borrow_all(arguments))?
        };
        self.push(made)
    }

    pub(super) fn load_inst(&mut self) -> PyResult<()> {
        let (module, name) = (self.line_text(true)?, self.line_text(true)?);
        let class = self.unpickler.class(self.ts, &module, &name)?;
        let arguments = self.pop_mark()?;
        self.instantiate(&class, &arguments)
    }

    pub(super) fn load_obj(&mut self) -> PyResult<()> {
        let items = self.pop_mark()?;
        match items.split_first() {
            Some((class, arguments)) => self.instantiate(class, arguments),
            None => raise!(self.ts, UNPICKLING_ERROR, "unpickling stack underflow"),
        }
    }

    pub(super) fn load_extension(&mut self, code: i64) -> PyResult<()> {
        let ts = self.ts;
        let number = PyInt::from_i64(ts, code)?;
        let cache = self.state.extension_cache(ts)?;
        if let Some(known) = cache.get(ts, &number)? {
            return self.push(known);
        }
        let Some(pair) = self.state.inverted_registry(ts)?.get(ts, &number)? else {
            if code <= 0 {
                return raise!(ts, UNPICKLING_ERROR, "EXT specifies code <= 0");
            }
            return raise!(ts, exc::ValueError, "unregistered extension code {code}");
        };
        let names = pair.downcast::<PyTuple>().map_or(&[][..], PyTuple::items);
        if let &[module, name] = names
            && let (Some(module), Some(name)) = (module.downcast::<PyStr>(), name.downcast::<PyStr>())
        {
            let found = self.unpickler.class(ts, module, name)?;
            cache.set(ts, &number, &found)?;
            return self.push(found);
        }
        raise!(ts, exc::ValueError, "_inverted_registry[{code}] isn't a 2-tuple of strings")
    }

    /// Gives the object on top of the stack its state.
    pub(super) fn load_build(&mut self) -> PyResult<()> {
        let ts = self.ts;
        let state = self.pop()?;
        let object = self.top()?;
        if let Some(setstate) = attr::get_opt(ts, &object, &*PyStr::intern(ts, "__setstate__")?)? {
            return call::call_with(ts, &setstate, &[&state]).map(drop);
        }
        // A pair is a dictionary and the values of slots.
        let (state, slots) = match state.downcast::<PyTuple>().map(PyTuple::items) {
            Some(&[state, slots]) => (state.new_ref(), Some(slots.new_ref())),
            _ => (state, None),
        };
        if !is_none(&state) {
            let Some(attributes) = state.downcast::<PyDict>() else {
                return raise!(ts, UNPICKLING_ERROR, "state is not a dictionary");
            };
            let dict = attr::get(ts, &object, crate::id!(__dict__))?;
            let mut position = 0;
            while let Some((mut name, value)) = attributes.next(&mut position) {
                if let Some(text) = name.downcast_exact::<PyStr>() {
                    name = PyStr::intern_ref(ts, Ref::from_borrowed(text))?.into_object();
                }
                match dict.downcast_exact::<PyDict>() {
                    Some(dict) => dict.set(ts, &name, &value)?,
                    None => protocol::setitem(ts, &dict, &name, &value)?,
                }
            }
        }
        let Some(slots) = slots.filter(|slots| !is_none(slots)) else { return Ok(()) };
        let Some(slots) = slots.downcast::<PyDict>() else {
            return raise!(ts, UNPICKLING_ERROR, "slot state is not a dictionary");
        };
        let mut position = 0;
        while let Some((name, value)) = slots.next(&mut position) {
            match name.downcast::<PyStr>() {
                Some(name) => attr::set(ts, &object, name, &value)?,
                None => {
                    return raise!(ts, exc::TypeError, "attribute name must be string, not '{}'", name.type_name());
                }
            }
        }
        Ok(())
    }

    pub(super) fn load_next_buffer(&mut self) -> PyResult<()> {
        let ts = self.ts;
        let Some(buffers) = self.unpickler.buffers.get() else {
            return raise!(
                ts,
                UNPICKLING_ERROR,
                "pickle stream refers to out-of-band data but no *buffers* argument was given"
            );
        };
        match protocol::next(ts, &buffers)? {
            Some(next) => self.push(next),
            None => raise!(ts, UNPICKLING_ERROR, "not enough out-of-band buffers"),
        }
    }

    pub(super) fn load_readonly_buffer(&mut self) -> PyResult<()> {
        let ts = self.ts;
        let top = self.top()?;
        let writable = Buffer::get(ts, &top, buffer::FULL_RO)?.view().readonly == 0;
        if writable {
            let view = crate::types::memoryview::PyMemoryView::from_object(ts, &top)?;
            let readonly = protocol::call_named(ts, view.as_object(), "toreadonly", &[])?;
            self.pop()?;
            return self.push(readonly);
        }
        Ok(())
    }
}
