//! Replacing characters by a table: `translate` and `maketrans`.

use super::args;
use super::builder::StrBuilder;
use super::layout::{PyStr, StrData};
use crate::object::call::check_count;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::int::PyInt;
use crate::types::none;

/// What a table says about a character.
enum Image {
    Itself,
    Nothing,
    Char(u32),
    Text(Ref<PyStr>),
}

fn look_up(ts: &ThreadState, table: &PyObject, ch: u32) -> PyResult<Image> {
    let key = PyInt::from_usize(ts, ch as usize)?;
    let found: Option<PyRef> = match table.downcast_exact::<PyDict>() {
        Some(dict) => dict.get(ts, key.as_object())?,
        None => ts.catch(protocol::getitem(ts, table, key.as_object()), &exc::LookupError)?,
    };
    let Some(found) = found else {
        return Ok(Image::Itself);
    };
    if found.is(none::none()) {
        return Ok(Image::Nothing);
    }
    if let Some(number) = found.downcast::<PyInt>() {
        return match number.as_i64() {
            Some(number @ 0..=0x10_FFFF) => Ok(Image::Char(number as u32)),
            _ => raise!(ts, exc::ValueError, "character mapping must be in range(0x110000)"),
        };
    }
    match found.downcast_into::<PyStr>() {
        Ok(text) => Ok(Image::Text(text)),
        Err(_) => raise!(ts, exc::TypeError, "character mapping must return integer, None or str"),
    }
}

fn push(ts: &ThreadState, out: &mut StrBuilder, table: &PyObject, ch: u32) -> PyResult<()> {
    match look_up(ts, table, ch)? {
        Image::Itself => out.push_char(ch)?,
        Image::Nothing => {}
        Image::Char(ch) => out.push_char(ch)?,
        Image::Text(text) => out.push(&text)?,
    }
    Ok(())
}

/// What the table was found to say about an ASCII character: an ASCII character, or one of these.
const UNKNOWN: u8 = 0xFF;
const DELETED: u8 = 0xFE;

pub(super) fn translate(ts: &ThreadState, this: &PyObject, table: &PyObject) -> PyResult {
    let text = this.cast::<PyStr>();
    let mut out = StrBuilder::with_capacity(text.len())?;
    let StrData::Ascii(units) = text.data() else {
        for ch in text.chars() {
            push(ts, &mut out, table, ch)?;
        }
        return out.finish(ts).map(Ref::into_object);
    };
    // ASCII characters that become ASCII characters or nothing are looked up once.
    let mut known = [UNKNOWN; 128];
    for unit in units {
        let place = &mut known[usize::from(*unit)];
        if *place == UNKNOWN {
            *place = match look_up(ts, table, u32::from(*unit))? {
                Image::Itself => *unit,
                Image::Nothing => DELETED,
                Image::Char(ch @ 0..0x80) => ch as u8,
                Image::Text(text) if text.len() == 1 && text.is_ascii() => text.char_at(0) as u8,
                Image::Char(ch) => {
                    out.push_char(ch)?;
                    continue;
                }
                Image::Text(text) => {
                    out.push(&text)?;
                    continue;
                }
            };
        }
        if *place != DELETED {
            out.push_char(u32::from(*place))?;
        }
    }
    out.finish(ts).map(Ref::into_object)
}

fn put(ts: &ThreadState, table: &PyDict, ch: u32, image: &PyObject) -> PyResult<()> {
    let key = PyInt::from_usize(ts, ch as usize)?;
    table.set(ts, key.as_object(), image)
}

/// `str.maketrans`: a table from a mapping, or from two texts of the same length and one of what goes away.
pub(super) fn maketrans(ts: &ThreadState, _none: &PyObject, arguments: &[&PyObject]) -> PyResult {
    check_count(ts, "maketrans", arguments.len(), 1, 3)?;
    let table = PyDict::new(ts)?;
    if arguments.len() == 1 {
        let Some(mapping) = arguments[0].downcast_exact::<PyDict>() else {
            return raise!(ts, exc::TypeError, "if you give only one argument to maketrans it must be a dict");
        };
        let mut position = 0;
        while let Some((key, value)) = mapping.next(&mut position) {
            if key.is_a::<PyInt>() {
                table.set(ts, &key, &value)?;
                continue;
            }
            match key.downcast::<PyStr>() {
                Some(key) if key.len() == 1 => put(ts, &table, key.char_at(0), &value)?,
                Some(_) => {
                    return raise!(ts, exc::ValueError, "string keys in translate table must be of length 1");
                }
                None => return raise!(ts, exc::TypeError, "keys in translate table must be strings or integers"),
            }
        }
        return Ok(table.into_object());
    }
    let to = args::string(ts, "maketrans", "2", arguments[1])?;
    let gone = arguments.get(2).map(|gone| args::string(ts, "maketrans", "3", gone)).transpose()?;
    let Some(from) = arguments[0].downcast::<PyStr>() else {
        return raise!(ts, exc::TypeError, "first maketrans argument must be a string if there is a second argument");
    };
    if from.len() != to.len() {
        return raise!(ts, exc::ValueError, "the first two maketrans arguments must have equal length");
    }
    for (from, to) in from.chars().zip(to.chars()) {
        put(ts, &table, from, PyInt::from_usize(ts, to as usize)?.as_object())?;
    }
    for ch in gone.iter().flat_map(|gone| gone.chars()) {
        put(ts, &table, ch, none::none())?;
    }
    Ok(table.into_object())
}
