//! `itertools`: iterators made of iterators. One file each; what they share is here.

mod accumulate;
mod batched;
mod chain;
mod combinations;
mod combinations_with_replacement;
mod compress;
mod count;
mod cycle;
mod dropwhile;
mod filterfalse;
mod groupby;
mod islice;
mod numbers;
mod pairwise;
mod permutations;
mod product;
mod repeat;
mod starmap;
mod takewhile;
mod tee;
mod zip_longest;

use crate::modules::ModuleSpec;
use crate::object::{Args, AsObject, MethodDef, PyObject, PyResult, PyTypeObject, Ref, Slot, StaticType, call, gc};
use crate::raise;
use crate::state::ThreadState;
use crate::types::exceptions as exc;
use crate::types::tuple::{PyTuple, inherits_init};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "itertools",
    doc: "Iterators made of iterators: endless ones, ones that select and join, and combinatoric ones.",
    methods: &[MethodDef::positional(
        "tee",
        tee::tee,
        "tee($module, iterable, n=2, /)\n--\n\nSeveral iterators over one: what one of them has consumed is kept until all have.",
    )],
    types: &[
        &accumulate::ACCUMULATE_TYPE,
        &batched::BATCHED_TYPE,
        &chain::CHAIN_TYPE,
        &combinations::COMBINATIONS_TYPE,
        &combinations_with_replacement::COMBINATIONS_WITH_REPLACEMENT_TYPE,
        &compress::COMPRESS_TYPE,
        &count::COUNT_TYPE,
        &cycle::CYCLE_TYPE,
        &dropwhile::DROPWHILE_TYPE,
        &filterfalse::FILTERFALSE_TYPE,
        &groupby::GROUPBY_TYPE,
        &groupby::GROUPER_TYPE,
        &islice::ISLICE_TYPE,
        &pairwise::PAIRWISE_TYPE,
        &permutations::PERMUTATIONS_TYPE,
        &product::PRODUCT_TYPE,
        &repeat::REPEAT_TYPE,
        &starmap::STARMAP_TYPE,
        &takewhile::TAKEWHILE_TYPE,
        &tee::TEE_TYPE,
        &tee::TEE_DATA_TYPE,
        &zip_longest::ZIP_LONGEST_TYPE,
    ],
    ..ModuleSpec::EMPTY
};

/// A name that ends in a zero, as C has it.
const fn c_name(name: &'static str) -> &'static core::ffi::CStr {
    match core::ffi::CStr::from_bytes_with_nul(name.as_bytes()) {
        Ok(name) => name,
        Err(_) => panic!("a zero in the name, or none at its end"),
    }
}

/// Declares an iterator's type: struct, static, Python name, constructor, `__next__`, docstring; then other slots and fields
/// of the `TypeSpec`.
macro_rules! iterator_type {
    (
        $object:ident, $static:ident, $name:literal, $new:expr, $next:ident, $doc:expr
        $(, slots { $($slot:ident: $function:expr),* $(,)? })?
        $(, spec { $($field:ident: $value:expr),* $(,)? })?
    ) => {
        crate::native!($object, $static);

        #[doc = concat!("`itertools.", $name, "`.")]
        pub(super) static $static: crate::object::StaticType = crate::object::StaticType::new(crate::object::TypeSpec {
            name: crate::modules::itertools::c_name(concat!("itertools.", $name, "\0")),
            basicsize: size_of::<$object>(),
            flags: crate::object::flags::HAVE_GC | crate::object::flags::BASETYPE,
            doc: $doc,
            slots: crate::object::TypeSlots {
                new: $new,
                dealloc: Some($object::slot_dealloc),
                traverse: Some($object::slot_traverse),
                clear: Some($object::slot_clear),
                iter: Some(|_, this| Ok(crate::object::AsObject::new_ref(this))),
                iternext: Some($next),
                $($($slot: $function,)*)?
                ..crate::object::TypeSlots::EMPTY
            },
            $($($field: $value,)*)?
            ..crate::object::TypeSpec::EMPTY
        });
    };
}
use iterator_type;

/// The arguments of a constructor that takes `min` to `max` of them and none by name. Subclasses with an `__init__` of
/// their own may be called with keywords, which are for that.
fn positional<'a>(
    ts: &ThreadState,
    of: &PyTypeObject,
    base: &'static StaticType,
    args: Args<'a>,
    min: usize,
    max: usize,
) -> PyResult<&'a [&'a PyObject]> {
    if args.has_keywords() && inherits_init(of, base) {
        return raise!(ts, exc::TypeError, "{}() takes no keyword arguments", base.object.name());
    }
    call::check_count(ts, base.object.name(), args.len(), min, max)?;
    Ok(args.positional())
}

/// The next tuple of a combinatoric iterator: `pool[indices[0]], pool[indices[1]], …`. Of the previous result the items
/// before `changed` are right already; it is used again when nobody has kept it.
fn emit(
    ts: &ThreadState,
    kept: &Slot<PyTuple>,
    pool: &PyTuple,
    indices: &[usize],
    changed: usize,
) -> PyResult<Ref<PyTuple>> {
    // SAFETY: the borrow is used only to look at the count.
    let unused = unsafe { kept.borrow() }.is_some_and(|tuple| tuple.as_object().is_unique() && !tuple.is_empty());
    let items = pool.items();
    if unused && let Some(result) = kept.get() {
        for at in changed..indices.len() {
            // SAFETY: the kept tuple has as many items as there are indices, and only the iterator has it. What
            // drops out is in the pool as well, so dropping runs nothing.
            drop(unsafe { result.replace_item(at, items[indices[at]].new_ref()) });
        }
        gc::track_again(ts, &result);
        return Ok(result);
    }
    let result = PyTuple::uninit(ts, indices.len())?;
    for (at, index) in indices.iter().enumerate() {
        // SAFETY: each place is filled once, before anything else happens.
        unsafe { result.set_item(at, items[*index].new_ref()) };
    }
    kept.set(Some(result.clone()));
    Ok(result)
}
