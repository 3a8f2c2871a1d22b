//! `_warnings`: which warnings are shown, and the short way to give one.
//!
//! The filters, the registry of warnings given once and the default action live in the interpreter's native
//! state, so that the runtime can warn before the module is imported; when the module `warnings` is loaded,
//! its variables of these names count.

use crate::lifecycle::print::Sink;
use crate::modules::ModuleSpec;
use crate::object::call::{self, Signature};
use crate::object::{Args, AsObject, MethodDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, attr, protocol};
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::none::{is_none, none};
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;
use crate::vm::frame::{self, Frame};
use crate::{id, raise};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_warnings",
    doc: "_warnings provides basic warning filtering support.\nIt is a helper module to speed up interpreter start-up.",
    methods: &[
        MethodDef::keywords(
            "warn",
            warn_function,
            "warn($module, /, message, category=None, stacklevel=1, source=None, *,\n     skip_file_prefixes=())\n--\n\nIssue a warning, or maybe ignore it or raise an exception.",
        ),
        MethodDef::keywords(
            "warn_explicit",
            warn_explicit_function,
            "warn_explicit($module, /, message, category, filename, lineno,\n              module=None, registry=None, module_globals=None,\n              source=None)\n--\n\nIssue a warning, or maybe ignore it or raise an exception.",
        ),
        MethodDef::no_args(
            "_filters_mutated_lock_held",
            filters_mutated,
            "_filters_mutated_lock_held($module, /)\n--\n\n",
        ),
        // The GIL is the lock: no Python code of another thread runs between a filter's look-up and its use.
        MethodDef::no_args("_acquire_lock", |ts, _| Ok(ts.none()), "_acquire_lock($module, /)\n--\n\n"),
        MethodDef::no_args("_release_lock", |ts, _| Ok(ts.none()), "_release_lock($module, /)\n--\n\n"),
    ],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    let state = state(ts)?;
    let dict = module.dict(ts)?;
    for (name, kept) in [("filters", "filters"), ("_onceregistry", "onceregistry"), ("_defaultaction", "defaultaction")]
    {
        let value = entry(ts, &state, kept)?;
        dict.set_str(ts, &*PyStr::intern(ts, name)?, &value)?;
    }
    let context = entry(ts, &state, "context");
    let context = match context {
        Ok(context) if !is_none(&context) => context,
        _ => {
            if let Err(raised) = context {
                ts.clear_raised(raised);
            }
            // Made directly: the import system is not there yet when this module is.
            let Some(module) = crate::modules::create_by_name(ts, "_contextvars")? else {
                return raise!(ts, exc::ImportError, "_contextvars is not built in");
            };
            let class = attr::get(ts, &module, &*PyStr::intern(ts, "ContextVar")?)?;
            let name = PyStr::intern(ts, "_warnings_context")?;
            let context = call::call_with(ts, &class, &[name.as_object()])?;
            state.set_str(ts, &*PyStr::intern(ts, "context")?, &context)?;
            context
        }
    };
    dict.set_str(ts, &*PyStr::intern(ts, "_warnings_context")?, &context)
}

/// The interpreter's state of warnings, made when it is first asked for.
fn state(ts: &ThreadState) -> PyResult<Ref<PyDict>> {
    let interp = ts.interp();
    let all = match interp.native_state.get() {
        Some(all) => all,
        None => {
            let all = PyDict::new(ts)?;
            interp.native_state.set(Some(all.clone()));
            all
        }
    };
    if let Some(state) = all.get_str(ts, id!(_warnings))?
        && let Ok(state) = state.downcast_into::<PyDict>()
    {
        return Ok(state);
    }
    let state = PyDict::new(ts)?;
    state.set_str(ts, id!(filters), default_filters(ts)?.as_object())?;
    state.set_str(ts, id!(onceregistry), PyDict::new(ts)?.as_object())?;
    state.set_str(ts, id!(defaultaction), id!(default).as_object())?;
    state.set_str(ts, id!(version), PyInt::one())?;
    all.set_str(ts, id!(_warnings), state.as_object())?;
    Ok(state)
}

fn entry(ts: &ThreadState, state: &PyDict, name: &str) -> PyResult {
    let name = PyStr::intern(ts, name)?;
    Ok(state.get_str(ts, &name)?.unwrap_or_else(|| ts.none()))
}

/// Deprecations are for who wrote the program, the rest of these for nobody who did not ask.
fn default_filters(ts: &ThreadState) -> PyResult<Ref<PyList>> {
    let filters = PyList::new(ts)?;
    let add = |action: &PyStr, class: &PyTypeObject, module: Option<&PyStr>| {
        let module = module.map_or(none(), |m| m.as_object());
        let filter = PyTuple::new(ts, &[action.as_object(), none(), class.as_object(), module, PyInt::zero()])?;
        filters.append(ts, filter.into_object())
    };
    add(id!(default), &exc::DeprecationWarning, Some(id!(__main__)))?;
    add(id!(ignore), &exc::DeprecationWarning, None)?;
    add(id!(ignore), &exc::PendingDeprecationWarning, None)?;
    add(id!(ignore), &exc::ImportWarning, None)?;
    add(id!(ignore), &exc::ResourceWarning, None)?;
    Ok(filters)
}

fn filters_mutated(ts: &ThreadState, _module: &PyObject) -> PyResult {
    let state = state(ts)?;
    let version = version(ts, &state)?;
    let next = PyInt::from_i64(ts, version + 1)?;
    state.set_str(ts, id!(version), &next)?;
    Ok(ts.none())
}

fn version(ts: &ThreadState, state: &PyDict) -> PyResult<i64> {
    let version = state.get_str(ts, id!(version))?;
    Ok(version.and_then(|v| v.downcast::<PyInt>().and_then(PyInt::as_i64)).unwrap_or(0))
}

/// An attribute of the module `warnings`, if that is loaded (or can be, when `import` is set).
fn warnings_attr(ts: &ThreadState, name: &PyStr, import: bool) -> PyResult<Option<PyRef>> {
    let module = if import && !ts.interp().finalizing.get() {
        let imported = crate::import::import_module(ts, "warnings");
        match ts.catch(imported, &exc::ImportError)? {
            Some(module) => module,
            None => return Ok(None),
        }
    } else {
        let Some(modules) = ts.interp().modules.get() else { return Ok(None) };
        match modules.get_str(ts, id!(warnings))? {
            Some(module) => module,
            None => return Ok(None),
        }
    };
    attr::get_opt(ts, &module, name)
}

/// A variable of `warnings`, or the interpreter's own of that name.
fn variable(ts: &ThreadState, state: &PyDict, name: &PyStr) -> PyResult<Option<PyRef>> {
    match warnings_attr(ts, name, false)? {
        Some(value) => Ok(Some(value)),
        None => state.get_str(ts, name),
    }
}

/// A warning on its way.
struct Warning<'a> {
    message: PyRef,
    text: PyRef,
    category: PyRef,
    filename: &'a PyStr,
    line: i64,
    module: PyRef,
    registry: Option<PyRef>,
    source: Option<&'a PyObject>,
}

/// Whether a filter's pattern fits: None always, a string when it is equal, otherwise what its `match` says.
fn pattern_fits(ts: &ThreadState, pattern: &PyObject, text: &PyObject) -> PyResult<bool> {
    if is_none(pattern) {
        return Ok(true);
    }
    if pattern.downcast_exact::<PyStr>().is_some() {
        return protocol::equal(ts, pattern, text);
    }
    let found = call::call_method(ts, pattern, id!(match_), &[text])?;
    protocol::is_true(ts, &found)
}

impl Warning<'_> {
    /// The action of the first filter in the list that fits, and the filter.
    fn search(&self, ts: &ThreadState, filters: &PyObject) -> PyResult<Option<(PyRef, PyRef)>> {
        let Some(filters) = filters.downcast::<PyList>() else {
            return raise!(ts, exc::ValueError, "_warnings.filters must be a list");
        };
        let mut index = 0;
        while let Some(filter) = filters.get(index) {
            let Some(parts) = filter.downcast::<PyTuple>().filter(|parts| parts.len() == 5) else {
                return raise!(ts, exc::ValueError, "warnings.filters item {index} isn't a 5-tuple");
            };
            index += 1;
            let &[action, message, category, module, line] = parts.items() else { continue };
            if !action.is_a::<PyStr>() {
                return raise!(ts, exc::TypeError, "action must be a string, not '{}'", action.type_name());
            }
            let fits = pattern_fits(ts, message, &self.text)?
                && protocol::issubclass(ts, &self.category, category)?
                && pattern_fits(ts, module, &self.module)?;
            if !fits {
                continue;
            }
            let line = protocol::as_isize(ts, line)?;
            if line == 0 || line as i64 == self.line {
                let action = action.new_ref();
                return Ok(Some((action, filter)));
            }
        }
        Ok(None)
    }

    /// What is to be done, and the filter that says so.
    fn action(&self, ts: &ThreadState, state: &PyDict) -> PyResult<(PyRef, PyRef)> {
        if ts.interp().config().context_aware_warnings > 0 {
            let context = entry(ts, state, "context")?;
            if !is_none(&context) {
                let current = call::call_method(ts, &context, id!(get), &[none()])?;
                if !is_none(&current) {
                    let filters = attr::get(ts, &current, &*PyStr::intern(ts, "_filters")?)?;
                    if let Some(found) = self.search(ts, &filters)? {
                        return Ok(found);
                    }
                }
            }
        }
        if let Some(filters) = variable(ts, state, id!(filters))?
            && let Some(found) = self.search(ts, &filters)?
        {
            return Ok(found);
        }
        match variable(ts, state, id!(defaultaction))? {
            Some(action) if action.is_a::<PyStr>() => Ok((action, ts.none())),
            Some(action) => {
                raise!(ts, exc::TypeError, "_warnings.defaultaction must be a string, not '{}'", action.type_name())
            }
            None => raise!(ts, exc::ValueError, "_warnings.defaultaction not found"),
        }
    }

    /// Filters the warning, and shows it or raises it.
    fn give(&self, ts: &ThreadState) -> PyResult<()> {
        let state = state(ts)?;
        let line = PyInt::from_i64(ts, self.line)?;
        let key = PyTuple::new(ts, &[&self.text, &self.category, &line])?;
        if let Some(registry) = &self.registry
            && already_warned(ts, &state, registry, key.as_object(), false)?
        {
            return Ok(());
        }
        let (action, filter) = self.action(ts, &state)?;
        let name = action.cast::<PyStr>();
        if name.equals_str("error") {
            return Err(ts.raise(self.message.clone()));
        }
        if name.equals_str("ignore") {
            return Ok(());
        }
        let mut already = false;
        if !name.equals_str("always") && !name.equals_str("all") {
            if let Some(registry) = &self.registry {
                protocol::setitem(ts, registry, key.as_object(), crate::types::bool::true_object())?;
            }
            if name.equals_str("once") {
                let once = match variable(ts, &state, id!(onceregistry))? {
                    Some(once) if once.is_a::<PyDict>() => once,
                    Some(other) => {
                        let found = other.type_name();
                        return raise!(ts, exc::TypeError, "_warnings.onceregistry must be a dict, not '{found}'");
                    }
                    None => return raise!(ts, exc::ValueError, "_warnings.onceregistry not found"),
                };
                let key = PyTuple::new(ts, &[&self.text, &self.category])?;
                already = already_warned(ts, &state, &once, key.as_object(), true)?;
            } else if name.equals_str("module") {
                if let Some(registry) = &self.registry {
                    let key = PyTuple::new(ts, &[&self.text, &self.category, PyInt::zero()])?;
                    already = already_warned(ts, &state, registry, key.as_object(), true)?;
                }
            } else if !name.equals_str("default") {
                return raise!(
                    ts,
                    exc::RuntimeError,
                    "Unrecognized action ({}) in warnings.filters:\n {}",
                    protocol::repr(ts, &action)?,
                    protocol::repr(ts, &filter)?
                );
            }
        }
        if already { Ok(()) } else { self.show(ts) }
    }

    fn show(&self, ts: &ThreadState) -> PyResult<()> {
        let Some(show) = warnings_attr(ts, id!(_showwarnmsg), self.source.is_some())? else {
            return self.show_plainly(ts);
        };
        if !call::is_callable(&show) {
            return raise!(ts, exc::TypeError, "warnings._showwarnmsg() must be set to a callable");
        }
        let Some(class) = warnings_attr(ts, &*PyStr::intern(ts, "WarningMessage")?, false)? else {
            return raise!(ts, exc::RuntimeError, "unable to get warnings.WarningMessage");
        };
        let line = PyInt::from_i64(ts, self.line)?;
        let source = self.source.unwrap_or(none());
        let arguments: [&PyObject; 7] =
            [&self.message, &self.category, self.filename.as_object(), &line, none(), none(), source];
        let message = call::call_with(ts, &class, &arguments)?;
        call::call_with(ts, &show, &[&message])?;
        Ok(())
    }

    /// Shows the warning without the module `warnings`.
    fn show_plainly(&self, ts: &ThreadState) -> PyResult<()> {
        let mut text = StrBuilder::new();
        text.push(self.filename)?;
        text.push(&*PyStr::format(ts, format_args!(":{}: ", self.line))?)?;
        text.push_object(ts, &*attr::get(ts, &self.category, id!(__name__))?)?;
        text.push_str(": ")?;
        text.push_object(ts, &self.text)?;
        text.push_str("\n")?;
        crate::lifecycle::print::push_source_line(ts, &mut text, self.filename, self.line as i32)?;
        let text = text.finish(ts)?;
        if let Err(raised) = Sink::stderr(ts).write(ts, &text) {
            ts.clear_raised(raised);
        }
        Ok(())
    }
}

/// Whether the registry has the warning already; notes it there when `note` is set. A registry from before
/// the last change of the filters is emptied.
fn already_warned(ts: &ThreadState, state: &PyDict, registry: &PyObject, key: &PyObject, note: bool) -> PyResult<bool> {
    let Some(registry) = registry.downcast::<PyDict>() else {
        return raise!(ts, exc::TypeError, "'registry' must be a dict or None");
    };
    let current = version(ts, state)?;
    let of_registry = registry.get_str(ts, id!(version))?.and_then(|v| v.downcast::<PyInt>().and_then(PyInt::as_i64));
    if of_registry != Some(current) {
        registry.clear(ts);
        let current = PyInt::from_i64(ts, current)?;
        registry.set_str(ts, id!(version), &current)?;
    } else if let Some(value) = registry.get(ts, key)?
        && protocol::is_true(ts, &value)?
    {
        return Ok(true);
    }
    if note {
        registry.set(ts, key, crate::types::bool::true_object())?;
    }
    Ok(false)
}

/// The message as a warning object, its text and its category.
fn message_parts(ts: &ThreadState, message: &PyObject, category: &PyObject) -> PyResult<(PyRef, PyRef, PyRef)> {
    if message.ob_type().is_subtype(&exc::Warning) {
        let text = protocol::str(ts, message)?.into_object();
        return Ok((message.new_ref(), text, message.ob_type().as_object().new_ref()));
    }
    let object = call::call_with(ts, category, &[message])?;
    if !object.is_a::<exc::PyBaseException>() {
        return raise!(ts, exc::TypeError, "category must be a Warning subclass, not '{}'", category.type_name());
    }
    Ok((object, message.new_ref(), category.new_ref()))
}

/// A module's name from a file's.
fn module_of(ts: &ThreadState, filename: &PyStr) -> PyResult {
    let length = filename.len();
    if length == 0 {
        return Ok(PyStr::new(ts, "<unknown>")?.into_object());
    }
    let is_python = length >= 3 && filename.chars_in(length - 3..length).eq(".py".bytes().map(u32::from));
    if is_python {
        return Ok(filename.slice(ts, 0, length - 3)?.into_object());
    }
    Ok(filename.new_ref())
}

fn category_of(ts: &ThreadState, message: &PyObject, category: Option<&PyObject>) -> PyResult {
    if message.ob_type().is_subtype(&exc::Warning) {
        return Ok(message.ob_type().as_object().new_ref());
    }
    match category.filter(|c| !is_none(c)) {
        None => Ok(exc::UserWarning.as_object().new_ref()),
        Some(category) => {
            if category.downcast::<PyTypeObject>().is_some_and(|class| class.is_subtype(&exc::Warning)) {
                return Ok(category.new_ref());
            }
            raise!(ts, exc::TypeError, "category must be a Warning subclass, not '{}'", category.type_name())
        }
    }
}

/// Whether a file is one of importlib's own.
fn is_internal(filename: &PyStr) -> bool {
    filename.ascii_str().is_some_and(|f| f.contains("importlib") && f.contains("_bootstrap"))
}

fn is_skipped(filename: &PyStr, prefixes: &[&PyObject]) -> bool {
    prefixes.iter().any(|prefix| prefix.downcast::<PyStr>().is_some_and(|prefix| filename.starts_with(prefix)))
}

fn caller(of: &Frame) -> Option<&Frame> {
    // SAFETY: a running frame's caller is alive as long as it.
    unsafe { of.previous.as_ref() }
}

/// The frame that a warning is about.
fn frame_at<'a>(ts: &'a ThreadState, stack_level: isize, prefixes: &[&PyObject]) -> Option<&'a Frame> {
    let mut frame: Option<&Frame> = frame::current(ts).map(|frame| &*frame);
    let plain = stack_level <= 0 || frame.is_some_and(|frame| is_internal(frame.code().filename()));
    for _ in 1..stack_level {
        frame = frame.and_then(caller);
        while !plain
            && let Some(this) = frame
            && (is_internal(this.code().filename()) || is_skipped(this.code().filename(), prefixes))
        {
            frame = caller(this);
        }
        frame?;
    }
    frame
}

/// Gives a warning about the place `stack_level` frames up.
pub fn warn_object(
    ts: &ThreadState,
    category: &PyObject,
    message: &PyObject,
    stack_level: isize,
    source: Option<&PyObject>,
    skip_file_prefixes: &[&PyObject],
) -> PyResult<()> {
    let (filename, line, globals): (Ref<PyStr>, i64, Ref<PyDict>) = match frame_at(ts, stack_level, skip_file_prefixes)
    {
        Some(frame) => (
            Ref::from_borrowed(frame.code().filename()),
            frame.line().unwrap_or(0).into(),
            Ref::from_borrowed(frame.globals()),
        ),
        None => {
            let globals = match ts.interp().sys_dict.get() {
                Some(globals) => globals,
                None => PyDict::new(ts)?,
            };
            (PyStr::new(ts, "<sys>")?, 0, globals)
        }
    };
    let registry = match globals.get_str(ts, id!(__warningregistry__))? {
        Some(registry) => registry,
        None => {
            let registry = PyDict::new(ts)?.into_object();
            globals.set_str(ts, id!(__warningregistry__), &registry)?;
            registry
        }
    };
    let module = match globals.get_str(ts, id!(__name__))?.filter(|name| name.is_a::<PyStr>()) {
        Some(name) => name,
        None => PyStr::new(ts, "<string>")?.into_object(),
    };
    let (message, text, category) = message_parts(ts, message, category)?;
    let registry = Some(registry).filter(|r| !is_none(r));
    Warning { message, text, category, filename: &filename, line, module, registry, source }.give(ts)
}

/// Gives a warning with a plain message about the place `stack_level` frames up, 1 being the running one
/// (`PyErr_WarnEx`).
pub fn warn(ts: &ThreadState, category: &PyTypeObject, message: &str, stack_level: isize) -> PyResult<()> {
    let message = PyStr::new(ts, message)?;
    warn_object(ts, category.as_object(), message.as_object(), stack_level, None, &[])
}

/// Gives a warning about a place in a file (`PyErr_WarnExplicit`, without module and registry).
pub fn warn_explicit(
    ts: &ThreadState,
    category: &PyTypeObject,
    message: &str,
    filename: &PyStr,
    line: usize,
) -> PyResult<()> {
    let message = PyStr::new(ts, message)?;
    warn_explicit_object(ts, category.as_object(), message.as_object(), filename, line as i64, None, None, None)
}

/// [`warn_explicit`] with everything; a missing module is named after the file.
#[allow(clippy::too_many_arguments, reason = "they are those of Python's function")]
pub fn warn_explicit_object(
    ts: &ThreadState,
    category: &PyObject,
    message: &PyObject,
    filename: &PyStr,
    line: i64,
    module: Option<&PyObject>,
    registry: Option<&PyObject>,
    source: Option<&PyObject>,
) -> PyResult<()> {
    if let Some(registry) = registry
        && !registry.is_a::<PyDict>()
    {
        return raise!(ts, exc::TypeError, "'registry' must be a dict or None, not '{}'", registry.type_name());
    }
    let module = match module {
        Some(module) => module.new_ref(),
        None => module_of(ts, filename)?,
    };
    let (message, text, category) = message_parts(ts, message, category)?;
    let registry = registry.map(|r| r.new_ref());
    Warning { message, text, category, filename, line, module, registry, source }.give(ts)
}

/// Warns that a coroutine was never awaited; failures are reported as unraisable.
pub fn warn_unawaited_coroutine(ts: &ThreadState, coroutine: &PyObject, qualname: &PyStr) {
    let pending = ts.current_exception.take();
    let warned = match warnings_attr(ts, id!(_warn_unawaited_coroutine), true) {
        Ok(Some(function)) => call::call_with(ts, &function, &[coroutine]).map(drop),
        Ok(None) => PyStr::format(ts, format_args!("coroutine '{qualname}' was never awaited"))
            .and_then(|message| warn_object(ts, exc::RuntimeWarning.as_object(), message.as_object(), 1, None, &[])),
        Err(raised) => Err(raised),
    };
    if let Err(raised) = warned {
        exc::write_unraisable(ts, raised, Some("finalizing coroutine"), coroutine);
    }
    ts.current_exception.set(pending);
}

static WARN: Signature<5> =
    Signature::new("warn", ["message", "category", "stacklevel", "source", "skip_file_prefixes"], 0, 4, 1);

fn warn_function(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    let [message, category, level, source, prefixes] = WARN.parse(ts, args)?;
    let message = message.unwrap_or(none());
    let mut level = match level {
        Some(level) => protocol::as_isize(ts, level)?,
        None => 1,
    };
    let prefixes = match prefixes {
        None => PyTuple::empty(),
        Some(prefixes) => match prefixes.downcast::<PyTuple>() {
            Some(prefixes) => Ref::from_borrowed(prefixes),
            None => {
                let found = prefixes.type_name();
                return raise!(ts, exc::TypeError, "warn() argument 'skip_file_prefixes' must be tuple, not {found}");
            }
        },
    };
    if !prefixes.is_empty() {
        if let Some(other) = prefixes.items().iter().find(|p| !p.is_a::<PyStr>()) {
            let found = other.type_name();
            return raise!(ts, exc::TypeError, "Found non-str '{found}' in skip_file_prefixes.");
        }
        level = level.max(2);
    }
    let category = category_of(ts, message, category)?;
    let source = source.filter(|s| !is_none(s));
    warn_object(ts, &category, message, level, source, prefixes.items())?;
    Ok(ts.none())
}

/// Finds the loader in a module's global variables and asks it for the source text, which `linecache` keeps by itself:
/// here what is wrong with the loader is found out.
fn ask_loader(ts: &ThreadState, globals: &PyObject) -> PyResult<()> {
    let bless = protocol::import_attr(ts, "importlib._bootstrap_external", "_bless_my_loader")?;
    let loader = call::call_with(ts, &bless, &[globals])?;
    let name = globals.cast::<PyDict>().get_str(ts, id!(__name__))?;
    let (false, Some(name)) = (is_none(&loader), name) else { return Ok(()) };
    if let Some(get_source) = attr::get_opt(ts, &loader, &*PyStr::intern(ts, "get_source")?)? {
        call::call_with(ts, &get_source, &[&name])?;
    }
    Ok(())
}

static WARN_EXPLICIT: Signature<8> = Signature::new(
    "warn_explicit",
    ["message", "category", "filename", "lineno", "module", "registry", "module_globals", "source"],
    0,
    8,
    4,
);

fn warn_explicit_function(ts: &ThreadState, _module: &PyObject, args: Args<'_>) -> PyResult {
    let [Some(message), Some(category), Some(filename), Some(line), module, registry, globals, source] =
        WARN_EXPLICIT.parse(ts, args)?
    else {
        return raise!(ts, exc::TypeError, "warn_explicit() is missing arguments");
    };
    let Some(filename) = filename.downcast::<PyStr>() else {
        let found = filename.type_name();
        return raise!(ts, exc::TypeError, "warn_explicit() argument 'filename' must be str, not {found}");
    };
    let line = protocol::index(ts, line)?.to_i32(ts)?;
    let category = category_of(ts, message, Some(category))?;
    if let Some(globals) = globals.filter(|g| !is_none(g))
        && !globals.is_a::<PyDict>()
    {
        return raise!(ts, exc::TypeError, "module_globals must be a dict, not '{}'", globals.type_name());
    }
    if let Some(globals) = globals.filter(|g| !is_none(g)) {
        ask_loader(ts, globals)?;
    }
    warn_explicit_object(
        ts,
        &category,
        message,
        filename,
        line.into(),
        module.filter(|m| !is_none(m)),
        registry.filter(|r| !is_none(r)),
        source.filter(|s| !is_none(s)),
    )?;
    Ok(ts.none())
}
