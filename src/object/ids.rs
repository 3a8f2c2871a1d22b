//! The names that the runtime itself uses, as static interned strings: `id!(__init__)`.
//!
//! Keep the list in alphabetical order, dunder names first. A name that is a keyword of Rust gets an
//! underscore: `type_ = "type"`. Names of one character are not here: `PyStr::latin1_char` has them.
#![allow(non_upper_case_globals, missing_docs, reason = "a static is named as the text that it holds")]

use crate::types::str::{PyStr, StaticStr};

/// The static interned string of a name, `&'static PyStr`.
#[macro_export]
macro_rules! id {
    ($name:ident) => {
        $crate::object::ids::$name.get()
    };
}
pub use crate::id;

macro_rules! text {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident, $text:literal) => {
        $text
    };
}

macro_rules! ids {
    ($($name:ident $(= $text:literal)?,)*) => {
        $(pub static $name: StaticStr<{ text!($name $(, $text)?).len() }> = StaticStr::new(text!($name $(, $text)?));)*

        /// All of them.
        pub static ALL: &[&PyStr] = &[$($name.get(),)*];
    };
}

ids! {
    __abs__, __abstractmethods__, __add__, __aenter__, __aexit__, __aiter__, __all__, __and__, __anext__,
    __annotate__, __annotate_func__, __annotations__, __annotations_cache__, __anon__, __args__, __author__,
    __await__, __base__, __bases__, __basicsize__, __bool__, __breakpoint__, __buffer__, __build_class__,
    __builtins__, __bytes__, __cached__, __call__, __cause__, __ceil__, __class__, __class_getitem__,
    __classcell__, __classdict__, __classdictcell__, __closure__, __code__, __complex__,
    __conditional_annotations__, __contains__, __context__, __copy__, __ctypes_from_outparam__, __debug__,
    __deepcopy__, __default__, __defaults__, __del__, __delattr__, __delete__, __delitem__, __dict__, __dictoffset__,
    __dir__, __displayhook__, __divmod__, __doc__, __enter__, __eq__, __evaluate__, __excepthook__, __exit__,
    __file__, __firstlineno__, __flags__, __float__, __floor__, __floordiv__, __format__, __fspath__,
    __future__, __ge__, __get__, __getattr__, __getattribute__, __getinitargs__, __getitem__, __getnewargs__,
    __getnewargs_ex__, __getstate__, __globals__, __gt__, __hash__, __iadd__, __iand__, __ifloordiv__,
    __ilshift__, __imatmul__, __imod__, __import__, __imul__, __index__, __init__, __init_subclass__,
    __instancecheck__, __instances__, __int__, __interactivehook__, __invert__, __ior__, __ipow__, __irshift__,
    __isabstractmethod__, __isub__, __itemsize__, __iter__, __itruediv__, __ixor__, __kwdefaults__, __le__,
    __len__, __length_hint__, __lltrace__, __loader__, __lshift__, __lt__, __main__, __match_args__, __matmul__,
    __missing__, __mod__, __module__, __mro__, __mro_entries__, __mul__, __name__, __ne__, __neg__, __new__,
    __newobj__, __newobj_ex__, __next__, __notes__, __objclass__, __or__, __orig_bases__, __orig_class__,
    __origin__, __package__, __parameters__, __path__, __pos__, __pow__, __prepare__, __qualname__, __radd__,
    __rand__, __rdivmod__, __reduce__, __reduce_ex__, __release_buffer__, __repr__, __reversed__, __rfloordiv__,
    __rlshift__, __rmatmul__, __rmod__, __rmul__, __ror__, __round__, __rpow__, __rrshift__, __rshift__,
    __rsub__, __rtruediv__, __rxor__, __self__, __set__, __set_name__, __setattr__, __setitem__, __setstate__,
    __signature__, __sizeof__, __slotnames__, __slots__, __spec__, __static_attributes__, __stderr__, __stdin__,
    __stdout__, __str__, __sub__, __subclasscheck__, __subclasses__, __subclasshook__, __suppress_context__,
    __text_signature__, __thisclass__, __traceback__, __truediv__, __trunc__, __type_params__,
    __typing_is_unpacked_typevartuple__, __typing_prepare_subst__, __typing_subst__,
    __typing_unpacked_tuple_args__, __unpacked__, __unraisablehook__, __version__, __warningregistry__,
    __weaklistoffset__, __weakref__, __xor__, _abc_impl, _abstract_, _active, _annotation, _asyncio_future_blocking, _attributes,
    _blksize, _bootstrap, _bootstrap_external, _dealloc_warn, _feature_version, _field_defaults, _fields, _fields_,
    _finalizing, _find_and_load, _fix_up_module, _frozen_importlib, _frozen_importlib_external, _gcd_import,
    _get_sourcefile, _handle_fromlist, _imp, _initializing, _install, _install_external_importers, _io,
    _is_text_encoding, _lock_unlock_module, _loop, _showwarnmsg, _shutdown, _signal, _slotnames, _sre, _thread,
    _uninitialized_submodules, _warn_unawaited_coroutine, _warnings, _weakref, _wrapped, _xoptions, abs,
    abs_tol, abstract_ = "abstract", access, aclose, acquire, add, add_done_callback, add_note, after_in_child,
    after_in_parent, ag_await, ag_code, ag_frame, ag_running, ag_suspended, aiter, alias, all, and_ = "and",
    anext, anon_dictcomp = "<dictcomp>", anon_genexpr = "<genexpr>", anon_lambda = "<lambda>",
    anon_listcomp = "<listcomp>", anon_module = "<module>", anon_setcomp = "<setcomp>", anon_stdin = "<stdin>",
    anon_string = "<string>", anon_unknown = "<unknown>", any, api_version, append, argdefs, args, arguments,
    argv, arrays, as_ = "as", as_integer_ratio, ascii, asend, assert_ = "assert", ast, async_ = "async", atexit,
    athrow, attr, attribute, await_ = "await", away, backslashreplace, base, base_exec_prefix, base_prefix,
    before, big, bin, binary_form, bits, block, bool, bound, break_ = "break", breakpoint, breakpointhook,
    buffer, buffer_callback, buffer_size, buffering, builtin, builtin_module_names, builtins, bytearray,
    byteorder, bytes, bytes_per_sep, c_call, c_exception, c_function, c_return, call, call_exception_handler,
    call_soon, callable, callback, cancel, CANCELLED, category, center, characters_written, chr,
    class_ = "class", classmethod, clear, close, closed, closefd, closure, co_argcount, co_cellvars, co_code,
    co_consts, co_exceptiontable, co_filename, co_firstlineno, co_flags, co_freevars, co_kwonlyargcount,
    co_linetable, co_name, co_names, co_nlocals, co_posonlyargcount, co_qualname, co_stacksize, co_varnames,
    code, col_offset, compile, complex, conjugate, context, continue_ = "continue", conversion, copy, copyreg,
    copyright, coro, count, cr_await, cr_code, cr_frame, cr_origin, cr_running, cr_suspended, create_module,
    credits, data, day, debug, decode, decoder, def_ = "def", default, defaultaction, del_ = "del", delattr,
    delete, denominator, depth, derive, detach, deterministic, dict, difference, difference_update, digest,
    digest_size, dir, dir_fd, discard, dispatch_table, displayhook, divmod, doc, done, dont_inherit, elif_ = "elif",
    Ellipsis, else_ = "else", encode, encoding, end, end_col_offset, end_lineno, end_offset, endpos, endswith,
    enumerate, env, errno, errors, eval, event, exc, exc_traceback, exc_type, exc_value, except_ = "except",
    excepthook, exception, exceptions, exec, exec_module, exec_prefix, executable, exit, exp, expandtabs,
    expression, extend, f_back, f_builtins, f_code, f_generator, f_globals, f_lasti, f_lineno, f_locals,
    f_trace, f_trace_lines, f_trace_opcodes, facility, factory, False_ = "False", false_ = "false", fd, fdel,
    fdoc, fget, file, filename, filename2, fileno, filepath, fillvalue, filter, filters, final_ = "final",
    finally_ = "finally", find, find_class, find_spec, FINISHED, flags, float, flush, fold, follow_symlinks,
    for_ = "for", format, format_map, format_spec, frame, frame_buffer, from_ = "from", from_param, fromkeys,
    fromlist, fromtimestamp, fromutc, frozen, frozenset, fset, func, function, future, generation, get,
    get_code, get_data, get_debug, get_event_loop, get_loop, get_source, getattr, getstate, getvalue, gi_code,
    gi_frame, gi_running, gi_suspended, gi_yieldfrom, global_ = "global", globals, groups, handle, has_location,
    hasattr, hash, header, headers, help, hex, hexdigest, hexversion, hi, hook, hour, id, ident, if_ = "if",
    ignore, imag, implementation, import_ = "import", importlib, in_ = "in", incrementaldecoder, incrementalencoder, index, inf, initial, initial_value,
    input, insert, instructions, int, intern, interpolation, interpolations, intersection, intersection_update,
    interval, interval_opt, io, is_ = "is", is_package, is_running, is_struct, isalpha, isatty, isdigit,
    isdisjoint, isidentifier, isinstance, isoformat, issubclass, issubset, issuperset, istext, item, items,
    iter, iterable, iterations, join, jump, key, keys, kind, kw, kwdefaults, label, lambda_ = "lambda", last,
    last_exc, last_node, last_traceback, last_type, last_value, latin1, latin_1, len, length, level, lib,
    license, limit, line, line_buffering, lineno, lineterminator, list, little, ljust, lo, locale, locals,
    lower, lstrip, map, mapping, marshal, match_ = "match", max, maxdigits, maxlen, maxmem, maxsize, maxsplit,
    maxunicode, maxvalue, message, meta_path, metaclass, metadata, method, microsecond, milliseconds, min,
    minute, mod_ = "mod", mode, module, module_globals, modules, month, mro, msg, mutex, n_fields,
    n_sequence_fields, n_unnamed_fields, name, namereplace, namespaces, ndigits, nested, new_limit, newline,
    newlines, next, nlocals, None_ = "None", nonlocal_ = "nonlocal", not_ = "not", NotImplemented, nt, NULL,
    null, number, numerator, obj, object, oct, offset, onceregistry, only_keys, opcode, opcodes, open, opener,
    operation, optimize, options, or_ = "or", ord, order, orig_argv, origin, outgoing, owner, pages, parameter,
    parent, partition, pass_ = "pass", path, path_hooks, path_importer_cache, path_stats, pattern, peek,
    PENDING, persistent_id, persistent_load, pid, platform, platlibdir, policy, pop, popitem, pos, posix, pow,
    prefix, print, print_file_and_line, priority, property, proto, protocol, ps1, ps2, qualname, quit,
    raise_ = "raise", range, raw, read, read1, readable, readall, readinto, readinto1, readline, readlines,
    readonly, real, reason, reducer_override, registry, rel_tol, release, reload, remove, repeat, replace,
    reset, result, return_ = "return", returncode, rev, reverse, reversed, rfind, rjust, round, rpartition, rsplit,
    rstrip, run_module_as_main = "_run_module_as_main", runpy, scheduler, script, second, seek, seekable,
    selectors, self_ = "self", send, send_bytes, sep, sequence, session, set, setattr, setdefault, setstate,
    shape, signed, site, size, sizehint, skip_file_prefixes, sleep, slice, sock, sort, sorted, source,
    source_traceback, split, splitlines, st_mode, stacklevel, start, startswith, statement, staticmethod,
    status, stderr, stdin, stdlib_dir, stdlib_module_names, stdout, step, steps, store_name, str, strategy,
    strerror, strftime, strict, strict_mode, string, strings, strip, sub_key, subgroup,
    submodule_search_locations, sum, super_ = "super", surrogateescape, surrogatepass, symmetric_difference,
    symmetric_difference_update, sys, tabsize, tag, target, task, tb_frame, tb_lasti, tb_lineno, tb_next, tell,
    template, term, text, threadid, threading, throw, time, timeout, timer, times, timespec, timestamp,
    timetuple, title, tm_gmtoff, tm_zone, top, total, True_ = "True", truncate, try_ = "try", ttype, tuple,
    type_ = "type", tzinfo, tzname, union, unlink, unraisablehook, update, upper, uri, utf8 = "utf-8", utf_8,
    value, values, vars, version, version_info, warn_on_full_buffer, warnings, warnoptions, weakref, week,
    weekday, while_ = "while", winerror, with_ = "with", with_traceback, withdata, writable, write,
    write_through, xmlcharrefreplace, year, yield_ = "yield", zfill, zip,
}
