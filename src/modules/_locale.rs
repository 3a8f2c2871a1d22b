//! `_locale`: the C library's locale.

use core::ffi::{CStr, c_char};

use hognose_allocators::collections::TryVec;

use crate::modules::ModuleSpec;
use crate::modules::posix::path::{fs_decode, fs_encode};
use crate::modules::posix::system::{errno, os_error, set_errno};
use crate::object::*;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::{id, raise};

/// The module.
pub static MODULE: ModuleSpec = ModuleSpec {
    name: "_locale",
    doc: "The C library's locale; programs use it through locale.",
    methods: &[
        MethodDef::positional(
            "setlocale",
            setlocale,
            "setlocale($module, category, locale=<unrepresentable>, /)\n--\n\nSet or ask the locale of a category.",
        ),
        MethodDef::no_args(
            "localeconv",
            localeconv,
            "localeconv($module, /)\n--\n\nHow numbers and amounts of money are written.",
        ),
        MethodDef::positional(
            "strcoll",
            strcoll,
            "strcoll($module, os1, os2, /)\n--\n\nCompare two strings by the locale's order.",
        ),
        MethodDef::one(
            "strxfrm",
            strxfrm,
            "strxfrm($module, string, /)\n--\n\nA string that compares as the given one does by the locale's order.",
        ),
        MethodDef::one("nl_langinfo", nl_langinfo, "nl_langinfo($module, key, /)\n--\n\nA text of the locale."),
        MethodDef::no_args(
            "getencoding",
            |ts, _| Ok(encoding(ts)?.into_object()),
            "getencoding($module, /)\n--\n\nThe encoding of text files.",
        ),
        MethodDef::one("gettext", gettext, "gettext($module, msg, /)\n--\n\nA translated message."),
        MethodDef::positional(
            "dgettext",
            dgettext,
            "dgettext($module, domain, msg, /)\n--\n\nA translated message of a domain.",
        ),
        MethodDef::positional(
            "dcgettext",
            dcgettext,
            "dcgettext($module, domain, msg, category, /)\n--\n\nA translated message of a domain and category.",
        ),
        MethodDef::one(
            "textdomain",
            textdomain,
            "textdomain($module, domain, /)\n--\n\nSet or ask the domain of messages.",
        ),
        MethodDef::positional(
            "bindtextdomain",
            bindtextdomain,
            "bindtextdomain($module, domain, dir, /)\n--\n\nSet or ask the directory of a domain.",
        ),
        MethodDef::positional(
            "bind_textdomain_codeset",
            bind_textdomain_codeset,
            "bind_textdomain_codeset($module, domain, codeset, /)\n--\n\nSet or ask the encoding of a domain.",
        ),
    ],
    exec: Some(exec),
    ..ModuleSpec::EMPTY
};

static CONSTANTS: &[(&str, i64)] = &[
    ("ABDAY_1", 131072),
    ("ABDAY_2", 131073),
    ("ABDAY_3", 131074),
    ("ABDAY_4", 131075),
    ("ABDAY_5", 131076),
    ("ABDAY_6", 131077),
    ("ABDAY_7", 131078),
    ("ABMON_1", 131086),
    ("ABMON_10", 131095),
    ("ABMON_11", 131096),
    ("ABMON_12", 131097),
    ("ABMON_2", 131087),
    ("ABMON_3", 131088),
    ("ABMON_4", 131089),
    ("ABMON_5", 131090),
    ("ABMON_6", 131091),
    ("ABMON_7", 131092),
    ("ABMON_8", 131093),
    ("ABMON_9", 131094),
    ("ALT_DIGITS", 131119),
    ("AM_STR", 131110),
    ("CHAR_MAX", 127),
    ("CODESET", 14),
    ("CRNCYSTR", 262159),
    ("DAY_1", 131079),
    ("DAY_2", 131080),
    ("DAY_3", 131081),
    ("DAY_4", 131082),
    ("DAY_5", 131083),
    ("DAY_6", 131084),
    ("DAY_7", 131085),
    ("D_FMT", 131113),
    ("D_T_FMT", 131112),
    ("ERA", 131116),
    ("ERA_D_FMT", 131118),
    ("ERA_D_T_FMT", 131120),
    ("ERA_T_FMT", 131121),
    ("LC_ALL", 6),
    ("LC_COLLATE", 3),
    ("LC_CTYPE", 0),
    ("LC_MESSAGES", 5),
    ("LC_MONETARY", 4),
    ("LC_NUMERIC", 1),
    ("LC_TIME", 2),
    ("MON_1", 131098),
    ("MON_10", 131107),
    ("MON_11", 131108),
    ("MON_12", 131109),
    ("MON_2", 131099),
    ("MON_3", 131100),
    ("MON_4", 131101),
    ("MON_5", 131102),
    ("MON_6", 131103),
    ("MON_7", 131104),
    ("MON_8", 131105),
    ("MON_9", 131106),
    ("NOEXPR", 327681),
    ("PM_STR", 131111),
    ("RADIXCHAR", 65536),
    ("THOUSEP", 65537),
    ("T_FMT", 131114),
    ("T_FMT_AMPM", 131115),
    ("YESEXPR", 327680),
    ("_DATE_FMT", 131180),
];

unsafe extern "C" {
    #[link_name = "gettext"]
    fn c_gettext(message: *const c_char) -> *mut c_char;
    #[link_name = "dgettext"]
    fn c_dgettext(domain: *const c_char, message: *const c_char) -> *mut c_char;
    #[link_name = "dcgettext"]
    fn c_dcgettext(domain: *const c_char, message: *const c_char, category: i32) -> *mut c_char;
    #[link_name = "textdomain"]
    fn c_textdomain(domain: *const c_char) -> *mut c_char;
    #[link_name = "bindtextdomain"]
    fn c_bindtextdomain(domain: *const c_char, directory: *const c_char) -> *mut c_char;
    #[link_name = "bind_textdomain_codeset"]
    fn c_bind_textdomain_codeset(domain: *const c_char, codeset: *const c_char) -> *mut c_char;
    #[link_name = "strcoll"]
    fn c_strcoll(a: *const c_char, b: *const c_char) -> i32;
    #[link_name = "strxfrm"]
    fn c_strxfrm(to: *mut c_char, from: *const c_char, room: usize) -> usize;
}

fn exec(ts: &ThreadState, module: &PyModule) -> PyResult<()> {
    for (name, value) in CONSTANTS {
        module.add_int(ts, name, *value)?;
    }
    let namespace = PyDict::new(ts)?;
    namespace.set_str(ts, id!(__module__), PyStr::intern(ts, "locale")?.as_object())?;
    let error = crate::types::typ::new_class(ts, "Error", &[exc::Exception.as_object()], &namespace)?;
    module.add(ts, "Error", &error)
}

#[cold]
fn fail<T>(ts: &ThreadState, module: &PyObject, message: &str) -> PyResult<T> {
    let class = attr::get(ts, module, &*PyStr::intern(ts, "Error")?)?;
    let message = PyStr::new(ts, message)?;
    let error = call::call_with(ts, &class, &[message.as_object()])?;
    Err(ts.raise(error))
}

/// A str argument as a C string.
fn c_string(ts: &ThreadState, function: &str, argument: &PyObject) -> PyResult<TryVec<u8>> {
    if !argument.is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "{function}() argument must be str, not {}", argument.type_name());
    }
    let mut bytes = fs_encode(ts, argument)?;
    bytes.try_push(0)?;
    Ok(bytes)
}

/// A str argument or None as a C string or null.
fn c_string_or_none(ts: &ThreadState, function: &str, argument: &PyObject) -> PyResult<Option<TryVec<u8>>> {
    if is_none(argument) { Ok(None) } else { c_string(ts, function, argument).map(Some) }
}

fn pointer(text: &Option<TryVec<u8>>) -> *const c_char {
    text.as_ref().map_or(core::ptr::null(), |text| text.as_ptr().cast())
}

/// The C library's text, or None for null.
///
/// # Safety
/// `text` is null or a C string that lives until the next call into the C library's locale.
unsafe fn text_or_none(ts: &ThreadState, text: *const c_char) -> PyResult {
    if text.is_null() {
        return Ok(ts.none());
    }
    // SAFETY: the caller's promise.
    Ok(fs_decode(ts, unsafe { CStr::from_ptr(text) }.to_bytes())?.into_object())
}

fn setlocale(ts: &ThreadState, module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "setlocale", args.len(), 1, 2)?;
    let category = protocol::as_i32(ts, args[0])?;
    let locale = match args.get(1) {
        Some(locale) => c_string_or_none(ts, "setlocale", locale)?,
        None => None,
    };
    // SAFETY: null or a C string. Other threads that use the locale are the caller's affair, as in C.
    unsafe {
        let result = libc::setlocale(category, pointer(&locale));
        if result.is_null() {
            let message = if locale.is_some() { "unsupported locale setting" } else { "locale query failed" };
            return fail(ts, module, message);
        }
        text_or_none(ts, result)
    }
}

/// How digits are grouped: the C library's bytes as a list that ends with 0 or CHAR_MAX.
unsafe fn grouping(ts: &ThreadState, text: *const c_char) -> PyResult {
    let list = PyList::new(ts)?;
    if text.is_null() {
        return Ok(list.into_object());
    }
    // SAFETY: the caller hands in a C string.
    let bytes = unsafe { CStr::from_ptr(text) }.to_bytes();
    for byte in bytes {
        list.append(ts, PyInt::from_i64(ts, (*byte as i8).into())?)?;
        if *byte as i8 == i8::MAX {
            return Ok(list.into_object());
        }
    }
    if !bytes.is_empty() {
        list.append(ts, PyInt::from_i64(ts, 0)?)?;
    }
    Ok(list.into_object())
}

fn localeconv(ts: &ThreadState, _: &PyObject) -> PyResult {
    let dict = PyDict::new(ts)?;
    // SAFETY: the C library's struct; its strings live until the locale changes.
    unsafe {
        let conv = &*libc::localeconv();
        for (name, text) in [
            ("decimal_point", conv.decimal_point),
            ("thousands_sep", conv.thousands_sep),
            ("int_curr_symbol", conv.int_curr_symbol),
            ("currency_symbol", conv.currency_symbol),
            ("mon_decimal_point", conv.mon_decimal_point),
            ("mon_thousands_sep", conv.mon_thousands_sep),
            ("positive_sign", conv.positive_sign),
            ("negative_sign", conv.negative_sign),
        ] {
            dict.set_str(ts, &*PyStr::intern(ts, name)?, &*text_or_none(ts, text)?)?;
        }
        for (name, text) in [("grouping", conv.grouping), ("mon_grouping", conv.mon_grouping)] {
            dict.set_str(ts, &*PyStr::intern(ts, name)?, &*grouping(ts, text)?)?;
        }
        for (name, value) in [
            ("int_frac_digits", conv.int_frac_digits),
            ("frac_digits", conv.frac_digits),
            ("p_cs_precedes", conv.p_cs_precedes),
            ("p_sep_by_space", conv.p_sep_by_space),
            ("n_cs_precedes", conv.n_cs_precedes),
            ("n_sep_by_space", conv.n_sep_by_space),
            ("p_sign_posn", conv.p_sign_posn),
            ("n_sign_posn", conv.n_sign_posn),
        ] {
            dict.set_str(ts, &*PyStr::intern(ts, name)?, &*PyInt::from_i64(ts, value.into())?)?;
        }
    }
    Ok(dict.into_object())
}

fn strcoll(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "strcoll", args.len(), 2, 2)?;
    let (a, b) = (c_string(ts, "strcoll", args[0])?, c_string(ts, "strcoll", args[1])?);
    // SAFETY: C strings.
    PyInt::from_i64(ts, unsafe { c_strcoll(a.as_ptr().cast(), b.as_ptr().cast()) }.into())
}

fn strxfrm(ts: &ThreadState, _: &PyObject, text: &PyObject) -> PyResult {
    let text = c_string(ts, "strxfrm", text)?;
    let mut out = TryVec::<u8>::new();
    let mut room = text.len() + 1;
    loop {
        out.try_reserve(room)?;
        set_errno(0);
        // SAFETY: a C string, and the room is handed along.
        let length = unsafe { c_strxfrm(out.as_mut_ptr().cast(), text.as_ptr().cast(), room) };
        if errno() != 0 && errno() != libc::ERANGE {
            return Err(os_error(ts, errno()));
        }
        if length >= room {
            room = length + 1;
            continue;
        }
        // SAFETY: the call has written so many bytes.
        unsafe { out.set_len(length) };
        // The result orders by its bytes; as Latin-1 it does so by its characters.
        return match PyStr::from_utf8(ts, &out, "strict") {
            Ok(text) => Ok(text.into_object()),
            Err(raised) => {
                ts.clear_raised(raised);
                Ok(PyStr::from_latin1(ts, &out)?.into_object())
            }
        };
    }
}

/// The encoding of the locale, by the C library's name for it; UTF-8 if it has none.
pub fn encoding(ts: &ThreadState) -> PyResult<Ref<PyStr>> {
    // SAFETY: a known key; the text is there until the locale changes, for which the GIL is held.
    let name = unsafe { CStr::from_ptr(libc::nl_langinfo(libc::CODESET)) };
    match name.to_str() {
        Ok("") | Err(_) => PyStr::new(ts, "UTF-8"),
        Ok(name) => PyStr::new(ts, name),
    }
}

fn nl_langinfo(ts: &ThreadState, _: &PyObject, key: &PyObject) -> PyResult {
    let key = protocol::as_i32(ts, key)?;
    const NAMED: &[&str] =
        &["CHAR_MAX", "LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MONETARY", "LC_MESSAGES", "LC_ALL"];
    if !CONSTANTS.iter().any(|(name, value)| *value == i64::from(key) && !NAMED.contains(name)) {
        return raise!(ts, exc::ValueError, "unsupported langinfo constant");
    }
    // SAFETY: a known key; the text lives until the locale changes.
    unsafe {
        let text = libc::nl_langinfo(key);
        if text.is_null() {
            return Ok(PyStr::empty().into_object());
        }
        text_or_none(ts, text)
    }
}

fn gettext(ts: &ThreadState, _: &PyObject, message: &PyObject) -> PyResult {
    let message = c_string(ts, "gettext", message)?;
    // SAFETY: a C string; so is the result.
    unsafe { text_or_none(ts, c_gettext(message.as_ptr().cast())) }
}

fn dgettext(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "dgettext", args.len(), 2, 2)?;
    let domain = c_string_or_none(ts, "dgettext", args[0])?;
    let message = c_string(ts, "dgettext", args[1])?;
    // SAFETY: C strings, the domain may be null; the result is a C string.
    unsafe { text_or_none(ts, c_dgettext(pointer(&domain), message.as_ptr().cast())) }
}

fn dcgettext(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "dcgettext", args.len(), 3, 3)?;
    let domain = c_string_or_none(ts, "dcgettext", args[0])?;
    let message = c_string(ts, "dcgettext", args[1])?;
    let category = protocol::as_i32(ts, args[2])?;
    // SAFETY: C strings, the domain may be null; the result is a C string.
    unsafe { text_or_none(ts, c_dcgettext(pointer(&domain), message.as_ptr().cast(), category)) }
}

fn textdomain(ts: &ThreadState, _: &PyObject, domain: &PyObject) -> PyResult {
    let domain = c_string_or_none(ts, "textdomain", domain)?;
    // SAFETY: null or a C string; the result is null or a C string.
    unsafe {
        let result = c_textdomain(pointer(&domain));
        if result.is_null() {
            return Err(os_error(ts, errno()));
        }
        text_or_none(ts, result)
    }
}

fn bindtextdomain(ts: &ThreadState, module: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "bindtextdomain", args.len(), 2, 2)?;
    let domain = c_string(ts, "bindtextdomain", args[0])?;
    if domain.len() == 1 {
        return fail(ts, module, "domain must be a non-empty string");
    }
    let directory = if is_none(args[1]) {
        None
    } else {
        let mut bytes = fs_encode(ts, args[1])?;
        bytes.try_push(0)?;
        Some(bytes)
    };
    // SAFETY: C strings, the directory may be null; the result is null or a C string.
    unsafe {
        let result = c_bindtextdomain(domain.as_ptr().cast(), pointer(&directory));
        if result.is_null() {
            return Err(os_error(ts, errno()));
        }
        text_or_none(ts, result)
    }
}

fn bind_textdomain_codeset(ts: &ThreadState, _: &PyObject, args: &[&PyObject]) -> PyResult {
    call::check_count(ts, "bind_textdomain_codeset", args.len(), 2, 2)?;
    let domain = c_string(ts, "bind_textdomain_codeset", args[0])?;
    let codeset = c_string_or_none(ts, "bind_textdomain_codeset", args[1])?;
    // SAFETY: C strings, the encoding may be null; the result is null or a C string.
    unsafe { text_or_none(ts, c_bind_textdomain_codeset(domain.as_ptr().cast(), pointer(&codeset))) }
}
