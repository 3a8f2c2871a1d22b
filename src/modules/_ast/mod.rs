//! `_ast`: the classes of syntax trees, made from the grammar's table.
//!
//! The base `AST` is native, with the constructor and the repr that all share. The classes of nodes are ordinary ones,
//! made when the module is: they differ only in their fields.
//!
//! | file | what |
//! |---|---|
//! | `node` | the base of all nodes |
//! | `state` | the classes by their numbers, for an interpreter |
//! | `from_bytes` | trees of what the front end parsed |
//! | `to_bytes` | trees on their way to the compiler |

mod from_bytes;
mod node;
mod state;
mod to_bytes;

pub(crate) use from_bytes::from_bytes;
pub(crate) use to_bytes::to_bytes;

use hognose_allocators::collections::TryVec;

use crate::modules::ModuleSpec;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, attr, call};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::genericalias;
use crate::types::int::INT_TYPE;
use crate::types::list::LIST_TYPE;
use crate::types::module::PyModule;
use crate::types::none::none;
use crate::types::object::OBJECT_TYPE;
use crate::types::str::{PyStr, STR_TYPE, StrBuilder};
use crate::types::tuple::PyTuple;
use crate::types::typ::TYPE_TYPE;
use crate::types::union::type_or;
use hognose_frontend::asdl::{Count, Field, GRAMMAR, Located, Rule, fields};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_ast",
    doc: "The classes of syntax trees.",
    types: &[&node::AST_TYPE],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

const FLAGS: [(&str, i64); 4] = [
    ("PyCF_ALLOW_TOP_LEVEL_AWAIT", 0x2000),
    ("PyCF_ONLY_AST", 0x0400),
    ("PyCF_TYPE_COMMENTS", 0x1000),
    ("PyCF_OPTIMIZED_AST", 0x8400),
];

/// Where a node stands in the source.
const POSITION: [&str; 4] = ["lineno", "col_offset", "end_lineno", "end_col_offset"];

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    for (name, value) in FLAGS {
        module.add_int(ts, name, value)?;
    }
    if state::Classes::add_known(ts, module)? {
        return Ok(());
    }
    for rule in GRAMMAR {
        let base = add_class(ts, module, rule.name, node::AST_TYPE.as_object(), rule.fields, Some(rule))?;
        for (name, fields) in rule.constructors {
            add_class(ts, module, name, &base, fields, None)?;
        }
    }
    // Types of fields can only be named once all classes are there.
    let classes = module.dict(ts)?;
    for rule in GRAMMAR {
        if rule.constructors.is_empty() {
            add_field_types(ts, &classes, rule.name, rule.fields)?;
        }
        for (name, fields) in rule.constructors {
            add_field_types(ts, &classes, name, fields)?;
        }
    }
    state::Classes::make(ts, &classes)
}

/// Whether an object is a node of a tree.
pub(crate) fn is_node(object: &PyObject) -> bool {
    object.is_a::<node::PyAst>()
}

/// Makes the class of a node, or of a kind of nodes.
fn add_class(
    ts: &ThreadState,
    module: &PyModule,
    name: &'static str,
    base: &PyObject,
    specification: &'static str,
    rule: Option<&Rule>,
) -> PyResult {
    let namespace = PyDict::new(ts)?;
    let set = |name: &str, value: &PyObject| -> PyResult<()> {
        let name = PyStr::intern(ts, name)?;
        namespace.set_str(ts, &name, value)
    };
    let mut names = TryVec::<PyRef>::new();
    for field in fields(specification) {
        names.try_push(PyStr::intern(ts, field.name)?.into_object())?;
    }
    let names = PyTuple::from_vec(ts, names)?;
    set("_fields", names.as_object())?;
    set("__match_args__", names.as_object())?;
    let module_name = PyStr::intern(ts, "ast")?;
    set("__module__", module_name.as_object())?;
    let doc = documentation(ts, name, specification, rule)?;
    set("__doc__", doc.as_object())?;
    for field in fields(specification).filter(|field| field.count == Count::Optional) {
        set(field.name, none())?;
    }
    if let Some(rule) = rule {
        let mut attributes = TryVec::<PyRef>::new();
        if rule.located != Located::No {
            for name in POSITION {
                attributes.try_push(PyStr::intern(ts, name)?.into_object())?;
            }
        }
        if rule.located == Located::Start {
            set("end_lineno", none())?;
            set("end_col_offset", none())?;
        }
        let attributes = PyTuple::from_vec(ts, attributes)?;
        set("_attributes", attributes.as_object())?;
    }
    let class_name = PyStr::intern(ts, name)?;
    let bases = PyTuple::new(ts, &[base])?;
    let class = call::call_with(
        ts,
        TYPE_TYPE.as_object(),
        &[class_name.as_object(), bases.as_object(), namespace.as_object()],
    )?;
    module.add(ts, name, &class)?;
    Ok(class)
}

/// The rule as the grammar writes it.
fn documentation(ts: &ThreadState, name: &str, specification: &str, rule: Option<&Rule>) -> PyResult<Ref<PyStr>> {
    fn constructor(text: &mut StrBuilder, name: &str, specification: &str) -> PyResult<()> {
        text.push_str(name)?;
        if !specification.is_empty() {
            text.push_str("(")?;
            text.push_str(specification)?;
            text.push_str(")")?;
        }
        Ok(())
    }
    let mut text = StrBuilder::new();
    match rule.filter(|rule| !rule.constructors.is_empty()) {
        None => constructor(&mut text, name, specification)?,
        Some(rule) => {
            let simple = rule.constructors.iter().all(|(_, fields)| fields.is_empty());
            text.push_str(name)?;
            text.push_str(" = ")?;
            for (index, (alternative, fields)) in rule.constructors.iter().enumerate() {
                if index != 0 && simple {
                    text.push_str(" | ")?;
                } else if index != 0 {
                    text.push_str("\n")?;
                    text.push_fill(u32::from(' '), name.len() + 1)?;
                    text.push_str("| ")?;
                }
                constructor(&mut text, alternative, fields)?;
            }
        }
    }
    text.finish(ts)
}

/// Sets `_field_types`, which the constructor goes by.
fn add_field_types(ts: &ThreadState, classes: &PyDict, name: &str, specification: &'static str) -> PyResult<()> {
    let types = PyDict::new(ts)?;
    for field in fields(specification) {
        let name = PyStr::intern(ts, field.name)?;
        let typ = field_type(ts, classes, &field)?;
        types.set_str(ts, &name, &typ)?;
    }
    let class = class_named(ts, classes, name)?;
    for attribute in ["_field_types", "__annotations__"] {
        let attribute = PyStr::intern(ts, attribute)?;
        attr::set(ts, &class, &attribute, types.as_object())?;
    }
    Ok(())
}

fn field_type(ts: &ThreadState, classes: &PyDict, field: &Field<'_>) -> PyResult {
    let plain = match field.typ {
        "identifier" | "string" => STR_TYPE.new_ref(),
        "int" => INT_TYPE.new_ref(),
        "constant" => OBJECT_TYPE.new_ref(),
        class => class_named(ts, classes, class)?,
    };
    match field.count {
        Count::One => Ok(plain),
        Count::Many => genericalias::new(ts, LIST_TYPE.as_object(), &plain),
        Count::Optional => type_or(ts, &plain, none()),
    }
}

fn class_named(ts: &ThreadState, classes: &PyDict, name: &str) -> PyResult {
    let name = PyStr::intern(ts, name)?;
    match classes.get_str(ts, &name)? {
        Some(class) => Ok(class),
        None => raise!(ts, exc::SystemError, "the grammar has no {}", &*name),
    }
}
