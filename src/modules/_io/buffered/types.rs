//! The three types.

use core::mem::size_of;

use super::super::base::BUFFEREDIOBASE_TYPE;
use super::super::util::{cannot_pickle, cannot_pickle_protocol};
use super::*;
use crate::object::{GetSetDef, MethodDef, StaticType, TypeSlots, TypeSpec, flags};

const SLOTS: TypeSlots = TypeSlots {
    new: Some(new),
    dealloc: Some(dealloc),
    traverse: Some(traverse),
    clear: Some(clear),
    repr: Some(repr),
    ..TypeSlots::EMPTY
};

const SPEC: TypeSpec = TypeSpec {
    basicsize: size_of::<PyBuffered>(),
    flags: flags::BASETYPE | flags::HAVE_GC,
    base: Some(&BUFFEREDIOBASE_TYPE),
    slots: SLOTS,
    getset: &[
        GetSetDef::get("closed", closed, "Whether the raw stream is closed."),
        GetSetDef::get("name", |ts, this| attribute_of_raw(ts, this, id!(name)), "The raw stream's name."),
        GetSetDef::get("mode", |ts, this| attribute_of_raw(ts, this, id!(mode)), "The raw stream's mode."),
        GetSetDef::get("raw", get_raw, "The raw stream."),
        super::super::FINALIZING,
    ],
    ..TypeSpec::EMPTY
};

/// The methods of all three, and those in brackets.
macro_rules! methods {
    ([$($more:expr),* $(,)?]) => {
        &[
            $($more,)*
            MethodDef::no_args("detach", detach, "detach($self, /)\n--\n\nFlush, and give the raw stream away; this object cannot be used afterwards."),
            MethodDef::no_args("close", close, "close($self, /)\n--\n\nFlush and close the stream; a second time does nothing."),
            MethodDef::no_args("seekable", |ts, this| ask_raw(ts, this, id!(seekable)), "seekable($self, /)\n--\n\nWhether the raw stream can be positioned."),
            MethodDef::no_args("fileno", |ts, this| ask_raw(ts, this, id!(fileno)), "fileno($self, /)\n--\n\nThe raw stream's descriptor."),
            MethodDef::no_args("isatty", |ts, this| ask_raw(ts, this, id!(isatty)), "isatty($self, /)\n--\n\nWhether the raw stream is interactive."),
            MethodDef::one("_dealloc_warn", dealloc_warn, ""),
            MethodDef::positional("seek", position::seek, "seek($self, target, whence=0, /)\n--\n\nMove to a position, which is returned."),
            MethodDef::no_args("tell", position::tell, "tell($self, /)\n--\n\nThe present position."),
            MethodDef::positional("truncate", position::truncate, "truncate($self, pos=None, /)\n--\n\nMake the file that long, or end it at the present position."),
            MethodDef::no_args("__sizeof__", sizeof, "__sizeof__($self, /)\n--\n\nThe size in memory with the buffer, in bytes."),
            MethodDef::no_args("__reduce__", cannot_pickle, ""),
            MethodDef::one("__reduce_ex__", cannot_pickle_protocol, ""),
        ]
    };
}

const READ: MethodDef = MethodDef::positional(
    "read",
    read::read,
    "read($self, size=-1, /)\n--\n\nRead size bytes, or all; fewer at the end of the file, None when nothing is there yet.",
);
const PEEK: MethodDef = MethodDef::positional(
    "peek",
    read::peek,
    "peek($self, size=0, /)\n--\n\nLook at bytes without moving on: those in the buffer, or of one read of the raw stream.",
);
const READ1: MethodDef = MethodDef::positional(
    "read1",
    read::read1,
    "read1($self, size=-1, /)\n--\n\nRead up to size bytes with at most one read of the raw stream.",
);
const READINTO: MethodDef = MethodDef::one(
    "readinto",
    read::readinto,
    "readinto($self, buffer, /)\n--\n\nRead into the buffer; returns how many bytes.",
);
const READINTO1: MethodDef = MethodDef::one(
    "readinto1",
    read::readinto1,
    "readinto1($self, buffer, /)\n--\n\nThe same with at most one read of the raw stream.",
);
const READLINE: MethodDef = MethodDef::positional(
    "readline",
    read::readline,
    "readline($self, size=-1, /)\n--\n\nRead a line with its end, at most size bytes of it.",
);
const WRITE: MethodDef = MethodDef::one(
    "write",
    write::write,
    "write($self, buffer, /)\n--\n\nPut the bytes into the buffer, which is written when it is full; returns how many.",
);
const FLUSH: MethodDef = MethodDef::no_args("flush", flush, "flush($self, /)\n--\n\nWrite what waits in the buffer.");
const READABLE: MethodDef = MethodDef::no_args(
    "readable",
    |ts, this| ask_raw(ts, this, id!(readable)),
    "readable($self, /)\n--\n\nWhether the raw stream can be read.",
);
const WRITABLE: MethodDef = MethodDef::no_args(
    "writable",
    |ts, this| ask_raw(ts, this, id!(writable)),
    "writable($self, /)\n--\n\nWhether the raw stream can be written.",
);

/// `_io.BufferedReader`.
pub static BUFFERED_READER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_io.BufferedReader",
    doc: "BufferedReader(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n--\n\nA buffer for reading from a raw stream.",
    slots: TypeSlots {
        init: Some(|ts, this, args| init_with(ts, this, args, true, false)),
        iternext: Some(iternext),
        ..SLOTS
    },
    methods: methods!([
        READ,
        PEEK,
        READ1,
        READINTO,
        READINTO1,
        READLINE,
        READABLE,
        MethodDef::no_args("flush", reader_flush, "flush($self, /)\n--\n\nFlush the raw stream."),
    ]),
    ..SPEC
});

/// `_io.BufferedWriter`.
pub static BUFFERED_WRITER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_io.BufferedWriter",
    doc: "BufferedWriter(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n--\n\nA buffer for writing to a raw stream.",
    slots: TypeSlots { init: Some(|ts, this, args| init_with(ts, this, args, false, true)), ..SLOTS },
    methods: methods!([WRITE, FLUSH, WRITABLE]),
    ..SPEC
});

/// `_io.BufferedRandom`.
pub static BUFFERED_RANDOM_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_io.BufferedRandom",
    doc: "BufferedRandom(raw, buffer_size=DEFAULT_BUFFER_SIZE)\n--\n\nA buffer for reading from and writing to a raw stream that can be positioned.",
    slots: TypeSlots {
        init: Some(|ts, this, args| init_with(ts, this, args, true, true)),
        iternext: Some(iternext),
        ..SLOTS
    },
    methods: methods!([READ, PEEK, READ1, READINTO, READINTO1, READLINE, WRITE, FLUSH, READABLE, WRITABLE]),
    ..SPEC
});
