//! `ast.AST`, the base of all nodes: an object with a dict, which its class's `_fields` describe.

use core::mem::offset_of;

use hognose_allocators::collections::TryVec;

use crate::object::def::ValueDef;
use crate::object::{
    Args, AsObject, GetSetDef, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Slot, StaticType, TypeSlots,
    TypeSpec, alloc, attr, call, flags, gc, protocol,
};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::genericalias::PyGenericAlias;
use crate::types::list::PyList;
use crate::types::owned::owns;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;
use crate::types::union::PyUnion;
use crate::{id, raise};

/// How many nested nodes a repr shows.
const REPR_DEPTH: usize = 3;

/// A node.
#[repr(C)]
pub(super) struct PyAst {
    ob_base: PyObject,
    dict: Slot<PyDict>,
}

crate::native!(PyAst, AST_TYPE);
owns!(PyAst: dict);

impl PyAst {
    /// Gives a new node its fields.
    pub(super) fn set_dict(&self, dict: Ref<PyDict>) {
        self.dict.set(Some(dict));
    }
}

/// `ast.AST`.
pub(super) static AST_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"ast.AST",
    basicsize: size_of::<PyAst>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    slots: TypeSlots {
        new: Some(new),
        init: Some(init),
        dealloc: Some(PyAst::slot_dealloc),
        traverse: Some(PyAst::slot_traverse),
        clear: Some(PyAst::slot_clear),
        repr: Some(repr),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args("__reduce__", reduce, ""),
        MethodDef::keywords(
            "__replace__",
            replace,
            "__replace__($self, /, **fields)\n--\n\nReturn a copy of the AST node with new values for the specified fields.",
        ),
    ],
    getset: &[GetSetDef::get_set("__dict__", attr::get_dict_attribute, attr::set_dict_attribute, "")],
    dictoffset: offset_of!(PyAst, dict),
    values: &[
        ValueDef { name: "_fields", make: |_| Ok(PyTuple::empty().into_object()) },
        ValueDef { name: "__match_args__", make: |_| Ok(PyTuple::empty().into_object()) },
        ValueDef { name: "_attributes", make: |_| Ok(PyTuple::empty().into_object()) },
    ],
    ..TypeSpec::EMPTY
});

fn new(ts: &ThreadState, of: &PyTypeObject, _args: Args<'_>) -> PyResult {
    let this = alloc::object::<PyAst>(ts, of)?;
    gc::track(ts, &*this);
    Ok(this.into_object())
}

/// A tuple that a node's class has by that name; empty when it has none.
fn names(ts: &ThreadState, node: &PyObject, name: &PyStr) -> PyResult<Ref<PyTuple>> {
    match attr::get_opt(ts, node.ob_type().as_object(), name)? {
        Some(names) => protocol::tuple_of(ts, &names),
        None => Ok(PyTuple::empty()),
    }
}

fn name_of<'a>(ts: &ThreadState, name: &'a PyObject) -> PyResult<&'a PyStr> {
    match name.downcast::<PyStr>() {
        Some(name) => Ok(name),
        None => raise!(ts, exc::TypeError, "attribute name must be string, not '{}'", name.type_name()),
    }
}

/// Where a name stands among others.
fn position(names: &PyTuple, name: &PyStr) -> Option<usize> {
    names.items().iter().position(|other| other.downcast::<PyStr>().is_some_and(|other| other.equals(name)))
}

fn deprecated(ts: &ThreadState, message: core::fmt::Arguments<'_>) -> PyResult<()> {
    let message = PyStr::format(ts, message)?;
    crate::modules::_warnings::warn_object(ts, exc::DeprecationWarning.as_object(), message.as_object(), 1, None, &[])
}

fn init(ts: &ThreadState, node: &PyObject, args: Args<'_>) -> PyResult<()> {
    let fields = names(ts, node, id!(_fields))?;
    let class = node.ob_type().name();
    if args.len() > fields.len() {
        let plural = if fields.len() == 1 { "" } else { "s" };
        return raise!(
            ts,
            exc::TypeError,
            "{class} constructor takes at most {} positional argument{plural}",
            fields.len()
        );
    }
    let mut given = TryVec::new();
    given.try_resize(fields.len(), false)?;
    for (index, value) in args.positional().iter().enumerate() {
        attr::set(ts, node, name_of(ts, fields.items()[index])?, value)?;
        given[index] = true;
    }
    let mut attributes = None;
    for (name, value) in args.keywords() {
        match position(&fields, name) {
            Some(index) => {
                if core::mem::replace(&mut given[index], true) {
                    let shown = protocol::repr(ts, name.as_object())?;
                    return raise!(ts, exc::TypeError, "{class} got multiple values for argument {}", &*shown);
                }
            }
            None => {
                let attributes = match &attributes {
                    Some(attributes) => attributes,
                    None => attributes.insert(names(ts, node, id!(_attributes))?),
                };
                if position(attributes, name).is_none() {
                    let shown = protocol::repr(ts, name.as_object())?;
                    deprecated(
                        ts,
                        format_args!(
                            "{class}.__init__ got an unexpected keyword argument {}. Support for arbitrary keyword arguments is deprecated and will be removed in Python 3.15.",
                            &*shown
                        ),
                    )?;
                }
            }
        }
        attr::set(ts, node, name, value)?;
    }
    for (index, given) in given.iter().enumerate() {
        if !given {
            set_default(ts, node, name_of(ts, fields.items()[index])?)?;
        }
    }
    Ok(())
}

/// Gives a field that the constructor was not told what its type has for the purpose.
fn set_default(ts: &ThreadState, node: &PyObject, field: &PyStr) -> PyResult<()> {
    let class = node.ob_type();
    let types_name = PyStr::intern(ts, "_field_types")?;
    let Some(types) = attr::get_opt(ts, class.as_object(), &types_name)? else { return Ok(()) };
    let typ = match types.downcast::<PyDict>() {
        Some(types) => types.get_str(ts, field)?,
        None => None,
    };
    let shown = |field: &PyStr| protocol::repr(ts, field.as_object());
    let Some(typ) = typ else {
        return deprecated(
            ts,
            format_args!(
                "Field {} is missing from {}._field_types. This will become an error in Python 3.15.",
                &*shown(field)?,
                class.name()
            ),
        );
    };
    if typ.downcast_exact::<PyUnion>().is_some() {
        // An optional field: the class has None for it.
        return Ok(());
    }
    if typ.downcast_exact::<PyGenericAlias>().is_some() {
        let empty = PyList::new(ts)?;
        return attr::set(ts, node, field, empty.as_object());
    }
    if typ.downcast::<PyTypeObject>().is_some_and(|typ| typ.name() == "expr_context")
        && typ.is(&*protocol::import_attr(ts, "_ast", "expr_context")?)
    {
        let load = protocol::import_attr(ts, "_ast", "Load")?;
        let load = call::call0(ts, &load)?;
        return attr::set(ts, node, field, &load);
    }
    deprecated(
        ts,
        format_args!(
            "{}.__init__ missing 1 required positional argument: {}. This will become an error in Python 3.15.",
            class.name(),
            &*shown(field)?
        ),
    )
}

/// The class, the fields as arguments as far as they are set, and the dict as state.
fn reduce(ts: &ThreadState, node: &PyObject) -> PyResult {
    let dict = attr::get_dict_attribute(ts, node)?;
    let mut values = TryVec::<PyRef>::new();
    if let Some(dict) = dict.downcast::<PyDict>() {
        for field in names(ts, node, id!(_fields))?.items() {
            match dict.get(ts, field)? {
                Some(value) => values.try_push(value)?,
                None => break,
            }
        }
    }
    let values = PyTuple::from_vec(ts, values)?;
    Ok(PyTuple::from_array(ts, [node.ob_type().new_ref(), values.into_object(), dict])?.into_object())
}

/// `copy.replace(node, **fields)`.
fn replace(ts: &ThreadState, node: &PyObject, args: Args<'_>) -> PyResult {
    let class = node.ob_type();
    if args.len() != 0 {
        return raise!(ts, exc::TypeError, "__replace__() takes no positional arguments");
    }
    let fields = names(ts, node, id!(_fields))?;
    let attributes = names(ts, node, id!(_attributes))?;
    for (name, _) in args.keywords() {
        if position(&fields, name).is_none() && position(&attributes, name).is_none() {
            let shown = protocol::repr(ts, name.as_object())?;
            return raise!(
                ts,
                exc::TypeError,
                "{}.__replace__ got an unexpected keyword argument {}.",
                class.name(),
                &*shown
            );
        }
    }
    let dict = attr::get_dict_attribute(ts, node)?;
    let dict = dict.downcast::<PyDict>();
    let values = PyDict::new(ts)?;
    let mut missing = TryVec::<PyRef>::new();
    for (index, name) in fields.items().iter().chain(attributes.items()).enumerate() {
        let name = name_of(ts, name)?;
        let changed = args.keywords().find(|(keyword, _)| keyword.equals(name)).map(|(_, value)| value.new_ref());
        let value = match (changed, dict) {
            (Some(value), _) => Some(value),
            (None, Some(dict)) => dict.get_str(ts, name)?,
            (None, None) => None,
        };
        match value {
            Some(value) => values.set_str(ts, name, &value)?,
            // A field without a default has to come from somewhere.
            None if index < fields.len() && !attr::has(ts, class.as_object(), name)? => {
                missing.try_push(name.new_ref())?
            }
            None => {}
        }
    }
    if !missing.is_empty() {
        let plural = if missing.len() == 1 { "" } else { "s" };
        let mut shown = StrBuilder::new();
        for (index, name) in missing.iter().enumerate() {
            if index != 0 {
                shown.push_str(", ")?;
            }
            shown.push_repr(ts, name)?;
        }
        let shown = shown.finish(ts)?;
        return raise!(
            ts,
            exc::TypeError,
            "{}.__replace__ missing {} keyword argument{plural}: {}.",
            class.name(),
            missing.len(),
            &*shown
        );
    }
    call::call_tuple_dict(ts, class.as_object(), &PyTuple::empty(), Some(&values))
}

fn repr(ts: &ThreadState, node: &PyObject) -> PyResult {
    let mut text = StrBuilder::new();
    write_node(ts, &mut text, node, REPR_DEPTH)?;
    Ok(text.finish(ts)?.into_object())
}

fn write_node(ts: &ThreadState, text: &mut StrBuilder, node: &PyObject, depth: usize) -> PyResult<()> {
    text.push_str(node.ob_type().name())?;
    if depth == 0 {
        return Ok(text.push_str("(...)")?);
    }
    ts.check_native_stack(" during  ast construction")?;
    text.push_str("(")?;
    for (index, name) in names(ts, node, id!(_fields))?.items().iter().enumerate() {
        if index != 0 {
            text.push_str(", ")?;
        }
        let name = name_of(ts, name)?;
        text.push(name)?;
        text.push_str("=")?;
        let value = attr::get(ts, node, name)?;
        if let Some(list) = value.downcast::<PyList>() {
            let items = list.to_tuple(ts)?;
            write_items(ts, text, &items, ["[", "]"], depth)?;
        } else if let Some(items) = value.downcast::<PyTuple>() {
            write_items(ts, text, items, ["(", ")"], depth)?;
        } else {
            write_value(ts, text, &value, depth)?;
        }
    }
    Ok(text.push_str(")")?)
}

fn write_value(ts: &ThreadState, text: &mut StrBuilder, value: &PyObject, depth: usize) -> PyResult<()> {
    if value.is_a::<PyAst>() { write_node(ts, text, value, depth - 1) } else { text.push_repr(ts, value) }
}

/// Of many items the first and the last are shown.
fn write_items(
    ts: &ThreadState,
    text: &mut StrBuilder,
    items: &PyTuple,
    brackets: [&str; 2],
    depth: usize,
) -> PyResult<()> {
    text.push_str(brackets[0])?;
    if let Some(first) = items.get(0) {
        write_value(ts, text, first, depth)?;
        if items.len() > 2 {
            text.push_str(", ...")?;
        }
        if items.len() > 1
            && let Some(last) = items.get(items.len() - 1)
        {
            text.push_str(", ")?;
            write_value(ts, text, last, depth)?;
        }
    }
    Ok(text.push_str(brackets[1])?)
}
