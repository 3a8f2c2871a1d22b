//! The type.

use core::mem::size_of;

use super::super::base::TEXTIOBASE_TYPE;
use super::super::util::{cannot_pickle, cannot_pickle_protocol};
use super::*;
use crate::object::{GetSetDef, MethodDef, StaticType, TypeSlots, TypeSpec, flags};
use crate::types::bool::py_bool;

/// `_io.TextIOWrapper`.
pub static TEXT_IO_WRAPPER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_io.TextIOWrapper",
    basicsize: size_of::<PyTextIOWrapper>(),
    flags: flags::BASETYPE | flags::HAVE_GC,
    base: Some(&TEXTIOBASE_TYPE),
    doc: "TextIOWrapper(buffer, encoding=None, errors=None, newline=None,\n              line_buffering=False, write_through=False)\n--\n\nText over a buffered binary stream. The newline argument says what ends a line: None\nunderstands all three kinds and makes them '\\n', '' understands them and leaves them,\nany other is the only one. Written '\\n' become the newline, or the system's for None.",
    slots: TypeSlots {
        new: Some(new),
        init: Some(init),
        dealloc: Some(dealloc),
        traverse: Some(traverse),
        clear: Some(clear),
        repr: Some(repr),
        iternext: Some(read::iternext),
        ..TypeSlots::EMPTY
    },
    methods: &[
        MethodDef::no_args(
            "detach",
            detach,
            "detach($self, /)\n--\n\nFlush, and give the buffer away; this object cannot be used afterwards.",
        ),
        MethodDef::keywords(
            "reconfigure",
            reconfigure,
            "reconfigure($self, /, *, encoding=None, errors=None, newline=None,\n            line_buffering=None, write_through=None)\n--\n\nChange how text is read and written from now on, after a flush.",
        ),
        MethodDef::one("write", write::write, "write($self, text, /)\n--\n\nWrite the text; returns its length."),
        MethodDef::positional("read", read::read, "read($self, size=-1, /)\n--\n\nRead up to size characters, or all."),
        MethodDef::positional(
            "readline",
            read::readline,
            "readline($self, size=-1, /)\n--\n\nRead a line with its end, at most size characters of it.",
        ),
        MethodDef::no_args("flush", flush, "flush($self, /)\n--\n\nWrite what waits here and in the buffer."),
        MethodDef::no_args(
            "close",
            close,
            "close($self, /)\n--\n\nFlush and close the stream; a second time does nothing.",
        ),
        MethodDef::no_args(
            "fileno",
            |ts, this| ask_buffer(ts, this, id!(fileno)),
            "fileno($self, /)\n--\n\nThe buffer's descriptor.",
        ),
        MethodDef::no_args(
            "seekable",
            |ts, this| ask_buffer(ts, this, id!(seekable)),
            "seekable($self, /)\n--\n\nWhether the buffer can be positioned.",
        ),
        MethodDef::no_args(
            "readable",
            |ts, this| ask_buffer(ts, this, id!(readable)),
            "readable($self, /)\n--\n\nWhether the buffer can be read.",
        ),
        MethodDef::no_args(
            "writable",
            |ts, this| ask_buffer(ts, this, id!(writable)),
            "writable($self, /)\n--\n\nWhether the buffer can be written.",
        ),
        MethodDef::no_args(
            "isatty",
            |ts, this| ask_buffer(ts, this, id!(isatty)),
            "isatty($self, /)\n--\n\nWhether the buffer is interactive.",
        ),
        MethodDef::positional(
            "seek",
            position::seek,
            "seek($self, cookie, whence=os.SEEK_SET, /)\n--\n\nMove to a position that tell has given, or to the end.",
        ),
        MethodDef::no_args("tell", position::tell, "tell($self, /)\n--\n\nThe present position, as a number for seek."),
        MethodDef::positional(
            "truncate",
            truncate,
            "truncate($self, pos=None, /)\n--\n\nCut the file to that size, or to the present position.",
        ),
        MethodDef::no_args("__reduce__", cannot_pickle, ""),
        MethodDef::one("__reduce_ex__", cannot_pickle_protocol, ""),
    ],
    getset: &[
        GetSetDef::get(
            "encoding",
            |ts, this| Ok(wrapper(this).encoding.get().unwrap_or_else(|| ts.none())),
            "The encoding's name.",
        ),
        GetSetDef::get(
            "buffer",
            |ts, this| Ok(wrapper(this).buffer.get().unwrap_or_else(|| ts.none())),
            "The binary stream.",
        ),
        GetSetDef::get(
            "line_buffering",
            |_, this| Ok(py_bool(wrapper(this).line_buffering.get())),
            "Whether each line is flushed.",
        ),
        GetSetDef::get(
            "write_through",
            |_, this| Ok(py_bool(wrapper(this).write_through.get())),
            "Whether text goes to the buffer at once.",
        ),
        GetSetDef::get("name", |ts, this| attribute_of_buffer(ts, this, id!(name)), "The buffer's name."),
        GetSetDef::get(
            "closed",
            |ts, this| attribute_of_buffer(ts, this, id!(closed)),
            "Whether the buffer is closed.",
        ),
        GetSetDef::get("newlines", get_newlines, "The kinds of line ends that have been read."),
        GetSetDef::get(
            "errors",
            |ts, this| {
                if !wrapper(this).detached.get() {
                    wrapper(this).attached(ts)?;
                }
                Ok(wrapper(this).errors.get().map_or_else(|| ts.none(), Ref::into_object))
            },
            "What is done about errors of the encoding.",
        ),
        GetSetDef::get_set("_CHUNK_SIZE", get_chunk_size, set_chunk_size, "How many bytes are read at a time."),
        super::super::FINALIZING,
    ],
    ..TypeSpec::EMPTY
});
