//! Calling: arguments as they are passed, and how native functions take them apart.

use core::ffi::c_void;

use hognose_allocators::collections::TryVec;

use super::attr;
use super::error::PyResult;
use super::header::PyObject;
use super::protocol;
use super::reference::{AsObject, PyRef};
use super::slots::CompareOp;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::module::PyModule;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;
use crate::{id, raise};

/// The arguments of a call, in vectorcall form: the positional ones, followed by the values of the
/// keyword ones, whose names are in a tuple.
///
/// Everything is borrowed from the caller for the time of the call.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    all: &'a [&'a PyObject],
    keywords: Option<&'a PyTuple>,
}

impl<'a> Args<'a> {
    /// No arguments.
    pub const NONE: Args<'static> = Args { all: &[], keywords: None };

    /// Positional arguments.
    #[inline(always)]
    pub fn positional_only(arguments: &'a [&'a PyObject]) -> Args<'a> {
        Args { all: arguments, keywords: None }
    }

    /// Positional arguments followed by the values for the names in `keywords`.
    #[inline(always)]
    pub fn new(all: &'a [&'a PyObject], keywords: Option<&'a PyTuple>) -> Args<'a> {
        debug_assert!(keywords.map_or(0, |k| k.len()) <= all.len());
        Args { all, keywords: keywords.filter(|k| k.len() != 0) }
    }

    /// The positional arguments.
    #[inline(always)]
    pub fn positional(&self) -> &'a [&'a PyObject] {
        &self.all[..self.len()]
    }

    /// The number of positional arguments.
    #[inline(always)]
    pub fn len(&self) -> usize {
        match self.keywords {
            None => self.all.len(),
            Some(names) => self.all.len() - names.len(),
        }
    }

    /// Whether there is no argument at all.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Positional arguments, then keyword values.
    #[inline(always)]
    pub fn all(&self) -> &'a [&'a PyObject] {
        self.all
    }

    /// The names of the keyword arguments.
    #[inline(always)]
    pub fn keyword_names(&self) -> Option<&'a PyTuple> {
        self.keywords
    }

    /// The keyword arguments as (name, value).
    pub fn keywords(&self) -> impl Iterator<Item = (&'a PyStr, &'a PyObject)> + use<'a> {
        let names = self.keywords.map_or(&[][..], |names| names.items());
        // The compiler and `CALL_FUNCTION_EX` make sure that keyword names are strings.
        names.iter().map(|name| name.cast::<PyStr>()).zip(self.all[self.len()..].iter().copied())
    }

    /// Whether there are keyword arguments.
    #[inline(always)]
    pub fn has_keywords(&self) -> bool {
        self.keywords.is_some()
    }

    /// The arguments without the first positional one.
    #[inline(always)]
    pub fn skip_first(&self) -> Args<'a> {
        Args { all: &self.all[1..], keywords: self.keywords }
    }

    /// Raises TypeError when there are keyword arguments: `"{name}() takes no keyword arguments"`.
    #[inline]
    pub fn no_keywords(&self, ts: &ThreadState, name: &str) -> PyResult<&'a [&'a PyObject]> {
        if self.has_keywords() {
            return raise!(ts, exc::TypeError, "{name}() takes no keyword arguments");
        }
        Ok(self.all)
    }
}

/// Checks the number of positional arguments with the words of `PyArg_UnpackTuple`.
#[inline]
pub fn check_count(ts: &ThreadState, name: &str, given: usize, min: usize, max: usize) -> PyResult<()> {
    if given < min || given > max {
        return wrong_count(ts, name, given, min, max);
    }
    Ok(())
}

#[cold]
fn wrong_count(ts: &ThreadState, name: &str, given: usize, min: usize, max: usize) -> PyResult<()> {
    let (bound, number) = match () {
        () if min == max => ("", min),
        () if given < min => ("at least ", min),
        () => ("at most ", max),
    };
    let plural = if number == 1 { "" } else { "s" };
    raise!(ts, exc::TypeError, "{name} expected {bound}{number} argument{plural}, got {given}")
}

/// The parameters of a native function: `N` of them, the first `positional_only` without a name that
/// a caller may use, those from `keyword_only` on only by name, the first `required` without a default.
pub struct Signature<const N: usize> {
    /// The function's name, for messages.
    pub name: &'static str,
    /// The parameters' names.
    pub parameters: [&'static str; N],
    /// How many cannot be given by name.
    pub positional_only: usize,
    /// From which on they cannot be given by position.
    pub keyword_only: usize,
    /// How many must be given (required keyword-only parameters are not known to this type: check for `None`).
    pub required: usize,
}

impl<const N: usize> Signature<N> {
    /// A signature; `N`, and so the array's length, is inferred from `parameters`.
    pub const fn new(
        name: &'static str,
        parameters: [&'static str; N],
        positional_only: usize,
        keyword_only: usize,
        required: usize,
    ) -> Signature<N> {
        Signature { name, parameters, positional_only, keyword_only, required }
    }

    /// Sorts the arguments into the parameters' places; what was not given is `None`.
    ///
    /// Raises TypeError for too many, too few, unknown or doubled arguments, with CPython's words.
    pub fn parse<'a>(&self, ts: &ThreadState, args: Args<'a>) -> PyResult<[Option<&'a PyObject>; N]> {
        let mut found = [None; N];
        let positional = args.positional();
        if args.all().len() > N && self.positional_only < N {
            return self.too_many_in_all(ts, args);
        }
        if positional.len() > self.keyword_only.min(N) {
            return self.too_many(ts, args);
        }
        for (place, argument) in found.iter_mut().zip(positional) {
            *place = Some(*argument);
        }
        if args.has_keywords() {
            self.parse_keywords(ts, args, &mut found)?;
        }
        for (index, place) in found.iter().enumerate().take(self.required) {
            if place.is_none() {
                return self.missing(ts, positional.len(), index);
            }
        }
        Ok(found)
    }

    fn parse_keywords<'a>(
        &self,
        ts: &ThreadState,
        args: Args<'a>,
        found: &mut [Option<&'a PyObject>; N],
    ) -> PyResult<()> {
        for (name, value) in args.keywords() {
            let index = self.parameters.iter().position(|p| name.equals_str(p));
            match index {
                Some(index) if index >= self.positional_only => {
                    if found[index].is_some() {
                        let place = index + 1;
                        return raise!(
                            ts,
                            exc::TypeError,
                            "argument for {}() given by name ('{}') and position ({place})",
                            self.name,
                            self.parameters[index]
                        );
                    }
                    found[index] = Some(value);
                }
                Some(_) if self.positional_only >= N => {
                    return raise!(ts, exc::TypeError, "{}() takes no keyword arguments", self.name);
                }
                _ if self.positional_only >= N => {
                    return raise!(ts, exc::TypeError, "{}() takes no keyword arguments", self.name);
                }
                _ => {
                    return unexpected_keyword(ts, self.name, &self.parameters[self.positional_only..], name);
                }
            }
        }
        Ok(())
    }

    #[cold]
    fn too_many_in_all<T>(&self, ts: &ThreadState, args: Args<'_>) -> PyResult<T> {
        let bound = if self.required < N { "at most" } else { "exactly" };
        let keyword = if args.len() == 0 { "keyword " } else { "" };
        let plural = if N == 1 { "" } else { "s" };
        let given = args.all().len();
        raise!(ts, exc::TypeError, "{}() takes {bound} {N} {keyword}argument{plural} ({given} given)", self.name)
    }

    #[cold]
    fn too_many<T>(&self, ts: &ThreadState, args: Args<'_>) -> PyResult<T> {
        let max = self.keyword_only.min(N);
        let given = args.len();
        if self.positional_only >= N {
            let bound = if self.required == max { "exactly" } else { "at most" };
            let plural = if max == 1 { "" } else { "s" };
            return raise!(ts, exc::TypeError, "{}() takes {bound} {max} argument{plural} ({given} given)", self.name);
        }
        if max == 0 {
            return raise!(ts, exc::TypeError, "{}() takes no positional arguments", self.name);
        }
        let bound = if self.required.min(max) == max { "exactly" } else { "at most" };
        let plural = if max == 1 { "" } else { "s" };
        raise!(ts, exc::TypeError, "{}() takes {bound} {max} positional argument{plural} ({given} given)", self.name)
    }

    #[cold]
    fn missing<T>(&self, ts: &ThreadState, given: usize, index: usize) -> PyResult<T> {
        if index < self.positional_only {
            let max = self.keyword_only.min(N);
            let required = self.required.min(max);
            let bound = if required == max { "exactly" } else { "at least" };
            let plural = if required == 1 { "" } else { "s" };
            return raise!(
                ts,
                exc::TypeError,
                "{}() takes {bound} {required} positional argument{plural} ({given} given)",
                self.name
            );
        }
        raise!(
            ts,
            exc::TypeError,
            "{}() missing required argument '{}' (pos {})",
            self.name,
            self.parameters[index],
            index + 1
        )
    }
}

/// TypeError for a keyword that is none of the parameters' names, with the one that it may have been meant to be.
#[cold]
pub fn unexpected_keyword<T>(ts: &ThreadState, function: &str, parameters: &[&str], name: &PyStr) -> PyResult<T> {
    let mut candidates = TryVec::<PyRef>::new();
    for parameter in parameters {
        let parameter = PyStr::new(ts, parameter)?;
        // A subclass of str may claim to be one of them.
        if !name.is_exact() && protocol::compare_bool(ts, parameter.as_object(), name.as_object(), CompareOp::Eq)? {
            return raise!(ts, exc::TypeError, "invalid keyword argument for {function}()");
        }
        candidates.try_push(parameter.into_object())?;
    }
    match crate::lifecycle::print::suggest(ts, &candidates, name)? {
        Some(similar) => raise!(
            ts,
            exc::TypeError,
            "{function}() got an unexpected keyword argument '{name}'. Did you mean '{similar}'?"
        ),
        None => raise!(ts, exc::TypeError, "{function}() got an unexpected keyword argument '{name}'"),
    }
}

/// TypeError when there are more keyword arguments than parameters that they can be for.
#[inline]
pub fn check_keyword_count(ts: &ThreadState, function: &str, args: Args<'_>, max: usize) -> PyResult<()> {
    let given = args.all().len() - args.len();
    if given > max {
        let plural = if max == 1 { "" } else { "s" };
        return raise!(ts, exc::TypeError, "{function}() takes at most {max} keyword argument{plural} ({given} given)");
    }
    Ok(())
}

/// Calls `callable` (`PyObject_Vectorcall`). RecursionError when the native stack is nearly used up.
#[inline]
pub fn call(ts: &ThreadState, callable: &PyObject, args: Args<'_>) -> PyResult {
    ts.check_native_stack(" while calling a Python object")?;
    match callable.ob_type().slots().call {
        Some(slot) => slot(ts, callable, args),
        None => not_callable(ts, callable),
    }
}

#[cold]
fn not_callable(ts: &ThreadState, callable: &PyObject) -> PyResult {
    // A module whose function has its name, as `pprint` has.
    if let Some(module) = callable.downcast_exact::<PyModule>() {
        let name = match module.dict(ts)?.get_str(ts, id!(__name__))? {
            Some(name) => name.downcast_into::<PyStr>().ok(),
            None => None,
        };
        if let Some(name) = name
            && attr::get_opt(ts, callable, &name)?.is_some_and(|value| is_callable(&value))
        {
            return raise!(ts, exc::TypeError, "'module' object is not callable. Did you mean: '{name}.{name}(...)'?");
        }
    }
    raise!(ts, exc::TypeError, "'{}' object is not callable", callable.type_name())
}

/// Calls without arguments.
#[inline]
pub fn call0(ts: &ThreadState, callable: &PyObject) -> PyResult {
    call(ts, callable, Args::NONE)
}

/// Calls with positional arguments.
#[inline]
pub fn call_with(ts: &ThreadState, callable: &PyObject, arguments: &[&PyObject]) -> PyResult {
    call(ts, callable, Args::positional_only(arguments))
}

/// Calls with a tuple of arguments and a dict of keywords (`PyObject_Call`).
pub fn call_tuple_dict(
    ts: &ThreadState,
    callable: &PyObject,
    args: &PyTuple,
    kwargs: Option<&crate::types::dict::PyDict>,
) -> PyResult {
    let Some(kwargs) = kwargs.filter(|d| d.len() != 0) else {
        return call_with(ts, callable, args.items());
    };
    let mut owned = hognose_allocators::collections::TryVec::<PyRef>::new();
    owned.try_reserve(args.len() + kwargs.len())?;
    let mut names = hognose_allocators::collections::TryVec::<PyRef>::new();
    names.try_reserve(kwargs.len())?;
    for item in args.items() {
        owned.try_push(item.new_ref())?;
    }
    let mut position = 0;
    while let Some((key, value)) = kwargs.next(&mut position) {
        if !key.is_a::<PyStr>() {
            return raise!(ts, exc::TypeError, "keywords must be strings");
        }
        names.try_push(key)?;
        owned.try_push(value)?;
    }
    let names = PyTuple::from_vec(ts, names)?;
    call(ts, callable, Args::new(borrow_all(&owned), Some(&names)))
}

/// Looks a method up on the object and calls it: `object.name(*arguments)`, without a bound method in between.
pub fn call_method(ts: &ThreadState, object: &PyObject, name: &PyStr, arguments: &[&PyObject]) -> PyResult {
    match super::attr::load_method(ts, object, name)? {
        super::attr::Method::Unbound(function) => {
            let mut all = [object; 8];
            if arguments.len() < all.len() {
                all[1..=arguments.len()].copy_from_slice(arguments);
                return call_with(ts, &function, &all[..=arguments.len()]);
            }
            let bound = crate::types::method::PyMethod::new(ts, &function, object)?;
            call_with(ts, bound.as_object(), arguments)
        }
        super::attr::Method::Bound(method) => call_with(ts, &method, arguments),
    }
}

/// Looks a special method up on the object's type and calls it; `None` when the type has none.
pub fn call_special(
    ts: &ThreadState,
    object: &PyObject,
    name: &PyStr,
    arguments: &[&PyObject],
) -> PyResult<Option<PyRef>> {
    match super::attr::lookup_special(ts, object, name)? {
        None => Ok(None),
        Some(super::attr::Method::Unbound(function)) => {
            let mut all = [object; 8];
            if arguments.len() < all.len() {
                all[1..=arguments.len()].copy_from_slice(arguments);
                return call_with(ts, &function, &all[..=arguments.len()]).map(Some);
            }
            let bound = crate::types::method::PyMethod::new(ts, &function, object)?;
            call_with(ts, bound.as_object(), arguments).map(Some)
        }
        Some(super::attr::Method::Bound(method)) => call_with(ts, &method, arguments).map(Some),
    }
}

/// Views owned references as the borrowed ones that a call takes.
#[inline(always)]
pub fn borrow_all(owned: &[PyRef]) -> &[&PyObject] {
    // SAFETY: `Ref<PyObject>` is transparent over a non-null pointer, as `&PyObject` is; the result
    // borrows from the slice, so the references live as long as it.
    unsafe { core::slice::from_raw_parts(owned.as_ptr().cast::<&PyObject>(), owned.len()) }
}

/// Whether the object can be called (`PyCallable_Check`).
pub fn is_callable(object: &PyObject) -> bool {
    object.ob_type().slots().call.is_some()
}

/// A pointer that C hands through without looking at it.
pub type Opaque = *mut c_void;
