//! `generator`: what a function with `yield` returns.

use super::attributes::{self, this};
use super::{SLOTS, SPEC, resume};
use crate::object::*;

/// `generator`.
#[unsafe(export_name = "PyGen_Type")]
pub static GENERATOR_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"generator",
    slots: TypeSlots {
        iter: Some(|_ts, o| Ok(o.new_ref())),
        iternext: Some(|ts, o| resume::resume(ts, this(o), crate::types::none::none()).map(resume::to_item)),
        am_send: Some(|ts, o, value| resume::resume(ts, this(o), value)),
        ..SLOTS
    },
    methods: &[
        MethodDef::no_args("__next__", resume::next_value, "Implement next(self).").coexist(),
        MethodDef::one(
            "send",
            |ts, o, value| resume::send(ts, this(o), value),
            "send(value) -> the next value that is yielded, or StopIteration.\n\nThe yield that the generator is suspended at gives the value.",
        ),
        MethodDef::positional(
            "throw",
            |ts, o, args| resume::throw_method(ts, this(o), args),
            "throw(exception) -> the next value that is yielded, or StopIteration.\n\nRaises the exception at the yield that the generator is suspended at.",
        ),
        MethodDef::no_args(
            "close",
            |ts, o| resume::close(ts, this(o)),
            "close() -> the value returned, or None.\n\nRaises GeneratorExit at the yield that the generator is suspended at.",
        ),
        attributes::CLASS_GETITEM,
    ],
    getset: &[
        attributes::NAME,
        attributes::QUALNAME,
        GetSetDef::get("gi_yieldfrom", attributes::delegate, "the iterator that yield from iterates, or None"),
        GetSetDef::get("gi_running", attributes::running, ""),
        GetSetDef::get("gi_frame", attributes::frame, ""),
        GetSetDef::get("gi_suspended", attributes::suspended, ""),
        GetSetDef::get("gi_code", attributes::code, ""),
    ],
    ..SPEC
});
