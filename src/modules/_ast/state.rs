//! What making and reading trees needs to know of the classes: a table by the number of the kind of node.

use hognose_allocators::collections::TryVec;
use hognose_frontend::asdl::{GRAMMAR, Located, fields};
use hognose_frontend::tree::Kind;

use crate::object::{AsObject, PyObject, PyRef, PyResult, PyTypeObject, Ref, call};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::module::PyModule;
use crate::types::none::none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

const STATE: &str = "_ast";

/// The classes of an interpreter: by kind a class, the names of its fields, and the one instance if it needs no other.
pub(super) struct Classes(Ref<PyTuple>);

impl Classes {
    /// Makes the table of a module's classes, and keeps it.
    pub(super) fn make(ts: &ThreadState, classes: &PyDict) -> PyResult<()> {
        let mut rows = TryVec::<PyRef>::new();
        let rules = GRAMMAR.iter().flat_map(|rule| {
            let product = rule.constructors.is_empty().then_some((rule.name, rule.fields));
            product.into_iter().chain(rule.constructors.iter().copied()).map(|found| (rule.located, found))
        });
        for (located, (name, specification)) in rules {
            let class = super::class_named(ts, classes, name)?;
            let mut names = TryVec::<PyRef>::new();
            for field in fields(specification) {
                names.try_push(PyStr::intern(ts, field.name)?.into_object())?;
            }
            let alone = specification.is_empty() && located == Located::No;
            let instance = if alone { call::call0(ts, &class)? } else { none().new_ref() };
            let names = PyTuple::from_vec(ts, names)?.into_object();
            rows.try_push(PyTuple::from_array(ts, [class, names, instance])?.into_object())?;
        }
        let rows = PyTuple::from_vec(ts, rows)?;
        let interp = ts.interp();
        let all = match interp.native_state.get() {
            Some(all) => all,
            None => {
                let all = PyDict::new(ts)?;
                interp.native_state.set(Some(all.clone()));
                all
            }
        };
        let key = PyStr::intern(ts, STATE)?;
        all.set_str(ts, &key, rows.as_object())
    }

    /// The interpreter's table; the module is imported when it has not been.
    pub(super) fn get(ts: &ThreadState) -> PyResult<Self> {
        if let Some(known) = Self::known(ts)? {
            return Ok(known);
        }
        crate::import::import_module(ts, "_ast")?;
        match Self::known(ts)? {
            Some(known) => Ok(known),
            None => raise!(ts, exc::SystemError, "_ast has no classes"),
        }
    }

    /// The interpreter's table, once the module has been imported.
    fn known(ts: &ThreadState) -> PyResult<Option<Self>> {
        let Some(all) = ts.interp().native_state.get() else { return Ok(None) };
        let key = PyStr::intern(ts, STATE)?;
        Ok(all.get_str(ts, &key)?.and_then(|rows| rows.downcast_into::<PyTuple>().ok()).map(Self))
    }

    /// Puts the interpreter's classes into a module that is imported again: trees are made of one set of classes. False
    /// if there are none yet.
    pub(super) fn add_known(ts: &ThreadState, module: &PyModule) -> PyResult<bool> {
        let Some(known) = Self::known(ts)? else { return Ok(false) };
        let mut rows = known.0.items().iter().map(|row| row.cast::<PyTuple>().items()[0]);
        for rule in GRAMMAR {
            if rule.constructors.is_empty()
                && let Some(class) = rows.next()
            {
                module.add(ts, rule.name, class)?;
            }
            for ((name, _), class) in rule.constructors.iter().zip(&mut rows) {
                module.add(ts, name, class)?;
                if let Some(base) = class.cast::<PyTypeObject>().base() {
                    module.add(ts, rule.name, base.as_object())?;
                }
            }
        }
        Ok(true)
    }

    fn row(&self, kind: Kind, column: usize) -> &PyObject {
        let row = self.0.items()[kind as usize].cast::<PyTuple>();
        row.items()[column]
    }

    /// The class of a kind of nodes.
    pub(super) fn class(&self, kind: Kind) -> &PyTypeObject {
        self.row(kind, 0).cast::<PyTypeObject>()
    }

    /// The names of its fields.
    pub(super) fn names(&self, kind: Kind) -> &PyTuple {
        self.row(kind, 1).cast::<PyTuple>()
    }

    /// The one instance of a kind without fields and place.
    pub(super) fn instance(&self, kind: Kind) -> Option<&PyObject> {
        let instance = self.row(kind, 2);
        (!crate::types::none::is_none(instance)).then_some(instance)
    }
}
