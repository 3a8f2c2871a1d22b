//! `_json.make_scanner`: one JSON value from a place in a string.

use core::cell::Cell;

use hognose_allocators::collections::TryVec;

use super::{decode_error, string_argument, strings};
use crate::object::{
    Args, AsObject, GetSetDef, PyObject, PyRef, PyResult, PyTypeObject, Ref, Signature, Slot, StaticType, TypeSlots,
    TypeSpec, alloc, attr, call, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::py_bool;
use crate::types::dict::PyDict;
use crate::types::exceptions as exc;
use crate::types::float::{FLOAT_TYPE, PyFloat, parse_ascii};
use crate::types::int::{INT_TYPE, PyInt};
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::owned::owns;
use crate::types::str::{PyStr, StrData};
use crate::types::tuple::PyTuple;

#[repr(C)]
pub(super) struct PyScanner {
    ob_base: PyObject,
    object_hook: Slot<PyObject>,
    object_pairs_hook: Slot<PyObject>,
    parse_float: Slot<PyObject>,
    parse_int: Slot<PyObject>,
    parse_constant: Slot<PyObject>,
    strict: Cell<bool>,
}

crate::native!(PyScanner, SCANNER_TYPE);
owns!(PyScanner: object_hook, object_pairs_hook, parse_float, parse_int, parse_constant);

/// A read-only view of a field.
macro_rules! member {
    ($name:literal, $field:ident) => {
        GetSetDef::get($name, |ts, this| Ok(this.cast::<PyScanner>().$field.get().unwrap_or_else(|| ts.none())), $name)
    };
}

/// `_json.Scanner`, which the module calls `make_scanner`.
pub(super) static SCANNER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_json.Scanner",
    basicsize: size_of::<PyScanner>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    doc: "JSON scanner object",
    slots: TypeSlots {
        new: Some(new),
        dealloc: Some(PyScanner::slot_dealloc),
        traverse: Some(PyScanner::slot_traverse),
        clear: Some(PyScanner::slot_clear),
        call: Some(call_scanner),
        ..TypeSlots::EMPTY
    },
    getset: &[
        GetSetDef::get("strict", |_, this| Ok(py_bool(this.cast::<PyScanner>().strict.get())), "strict"),
        member!("object_hook", object_hook),
        member!("object_pairs_hook", object_pairs_hook),
        member!("parse_float", parse_float),
        member!("parse_int", parse_int),
        member!("parse_constant", parse_constant),
    ],
    ..TypeSpec::EMPTY
});

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<1> = Signature::new("make_scanner", ["context"], 0, 1, 1);
    let [Some(context)] = SIGNATURE.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "make_scanner() takes a context");
    };
    let setting = |name: &str| {
        let name = PyStr::intern(ts, name)?;
        attr::get(ts, context, &name)
    };
    let strict = protocol::is_true(ts, &*setting("strict")?)?;
    let this = alloc::object::<PyScanner>(ts, of)?;
    this.strict.set(strict);
    this.object_hook.set(Some(setting("object_hook")?));
    this.object_pairs_hook.set(Some(setting("object_pairs_hook")?));
    this.parse_float.set(Some(setting("parse_float")?));
    this.parse_int.set(Some(setting("parse_int")?));
    this.parse_constant.set(Some(setting("parse_constant")?));
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn call_scanner(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("scan_once", ["string", "idx"], 0, 2, 2);
    let [Some(string), Some(index)] = SIGNATURE.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "scan_once() takes a string and an index");
    };
    let index = protocol::as_isize(ts, index)?;
    let text = string_argument(ts, string)?;
    let this = this.cast::<PyScanner>();
    let Ok(start) = usize::try_from(index) else {
        return raise!(ts, exc::ValueError, "idx cannot be negative");
    };
    let (value, end) = match text.data() {
        StrData::Ascii(units) => Parser::new(ts, this, text, units)?.value(start),
        StrData::Latin1(units) => Parser::new(ts, this, text, units)?.value(start),
        StrData::Ucs2(units) => Parser::new(ts, this, text, units)?.value(start),
        StrData::Ucs4(units) => Parser::new(ts, this, text, units)?.value(start),
    }?;
    Ok(PyTuple::from_array(ts, [value, PyInt::from_usize(ts, end)?])?.into_object())
}

/// A parse going on. The text is immutable, so its units stay while hooks run.
struct Parser<'a, U> {
    ts: &'a ThreadState,
    text: &'a PyStr,
    units: &'a [U],
    strict: bool,
    /// Keys that have been met: each is made once.
    memo: Ref<PyDict>,
    object_hook: Option<PyRef>,
    pairs_hook: Option<PyRef>,
    /// None for `float` itself.
    parse_float: Option<PyRef>,
    /// None for `int` itself.
    parse_int: Option<PyRef>,
    parse_constant: Option<PyRef>,
}

fn is_space(ch: u32) -> bool {
    matches!(ch, 0x20 | 0x09 | 0x0a | 0x0d)
}

impl<'a, U: Copy + Into<u32>> Parser<'a, U> {
    fn new(ts: &'a ThreadState, scanner: &PyScanner, text: &'a PyStr, units: &'a [U]) -> PyResult<Parser<'a, U>> {
        let hook = |slot: &Slot<PyObject>| slot.get().filter(|hook| !is_none(hook));
        Ok(Parser {
            ts,
            text,
            units,
            strict: scanner.strict.get(),
            memo: PyDict::new(ts)?,
            object_hook: hook(&scanner.object_hook),
            pairs_hook: hook(&scanner.object_pairs_hook),
            parse_float: scanner.parse_float.get().filter(|function| !function.is(FLOAT_TYPE.as_object())),
            parse_int: scanner.parse_int.get().filter(|function| !function.is(INT_TYPE.as_object())),
            parse_constant: scanner.parse_constant.get(),
        })
    }

    /// The character at a place, or none past the end.
    #[inline(always)]
    fn at(&self, index: usize) -> Option<u32> {
        self.units.get(index).map(|unit| (*unit).into())
    }

    #[inline(always)]
    fn is(&self, index: usize, ch: u8) -> bool {
        self.at(index) == Some(u32::from(ch))
    }

    #[inline(always)]
    fn skip_space(&self, mut index: usize) -> usize {
        while self.at(index).is_some_and(is_space) {
            index += 1;
        }
        index
    }

    /// "There is no value at this place", which the decoder turns into its error.
    #[cold]
    fn no_value<T>(&self, index: usize) -> PyResult<T> {
        let index = PyInt::from_usize(self.ts, index)?;
        Err(self.ts.raise_with(&exc::StopIteration, &index))
    }

    #[cold]
    fn fail<T>(&self, message: &str, index: usize) -> PyResult<T> {
        decode_error(self.ts, message, self.text, index as isize)
    }

    /// Whether an ASCII word stands at a place.
    fn has_word(&self, index: usize, word: &[u8]) -> bool {
        let found = self.units.get(index..index + word.len());
        found.is_some_and(|units| units.iter().zip(word).all(|(unit, ch)| (*unit).into() == u32::from(*ch)))
    }

    /// The value that begins at `index`, and where it ends.
    fn value(&self, index: usize) -> PyResult<(PyRef, usize)> {
        let Some(ch) = self.at(index) else { return self.no_value(index) };
        match u8::try_from(ch).unwrap_or(0) {
            b'"' => strings::scan_units(self.ts, self.text, self.units, index + 1, self.strict),
            b'{' => {
                self.ts.check_native_stack(" while decoding a JSON object from a unicode string")?;
                self.object(index + 1)
            }
            b'[' => {
                self.ts.check_native_stack(" while decoding a JSON array from a unicode string")?;
                self.array(index + 1)
            }
            b'n' if self.has_word(index, b"null") => Ok((self.ts.none(), index + 4)),
            b't' if self.has_word(index, b"true") => Ok((py_bool(true), index + 4)),
            b'f' if self.has_word(index, b"false") => Ok((py_bool(false), index + 5)),
            b'N' if self.has_word(index, b"NaN") => self.constant("NaN", index),
            b'I' if self.has_word(index, b"Infinity") => self.constant("Infinity", index),
            b'-' if self.has_word(index, b"-Infinity") => self.constant("-Infinity", index),
            b'-' | b'0'..=b'9' => self.number(index),
            _ => self.no_value(index),
        }
    }

    fn constant(&self, name: &str, index: usize) -> PyResult<(PyRef, usize)> {
        let text = PyStr::intern(self.ts, name)?;
        let value = match &self.parse_constant {
            Some(function) => call::call_with(self.ts, function, &[text.as_object()])?,
            None => self.ts.none(),
        };
        Ok((value, index + name.len()))
    }

    /// The key whose text begins behind the quote before `index`; the same object for the same key.
    fn key(&self, index: usize) -> PyResult<(PyRef, usize)> {
        let (key, end) = strings::scan_units(self.ts, self.text, self.units, index, self.strict)?;
        let key = self.memo.setdefault(self.ts, &key, &key)?;
        Ok((key, end))
    }

    fn object(&self, index: usize) -> PyResult<(PyRef, usize)> {
        match &self.pairs_hook {
            Some(hook) => {
                let mut pairs = TryVec::<PyRef>::new();
                let end = self.members(index, |key, value| {
                    let pair = PyTuple::from_array(self.ts, [key, value])?;
                    Ok(pairs.try_push(pair.into_object())?)
                })?;
                let pairs = PyList::from_vec(self.ts, pairs)?;
                Ok((call::call_with(self.ts, hook, &[pairs.as_object()])?, end))
            }
            None => {
                let dict = PyDict::new(self.ts)?;
                let end = self.members(index, |key, value| dict.set(self.ts, &key, &value))?;
                match &self.object_hook {
                    Some(hook) => Ok((call::call_with(self.ts, hook, &[dict.as_object()])?, end)),
                    None => Ok((dict.into_object(), end)),
                }
            }
        }
    }

    /// Reads an object's members up to and over its closing brace.
    #[inline]
    fn members(&self, index: usize, mut add: impl FnMut(PyRef, PyRef) -> PyResult<()>) -> PyResult<usize> {
        let mut index = self.skip_space(index);
        if self.is(index, b'}') {
            return Ok(index + 1);
        }
        loop {
            if !self.is(index, b'"') {
                return self.fail("Expecting property name enclosed in double quotes", index);
            }
            let (key, end) = self.key(index + 1)?;
            index = self.skip_space(end);
            if !self.is(index, b':') {
                return self.fail("Expecting ':' delimiter", index);
            }
            let (value, end) = self.value(self.skip_space(index + 1))?;
            add(key, value)?;
            index = self.skip_space(end);
            if self.is(index, b'}') {
                return Ok(index + 1);
            }
            if !self.is(index, b',') {
                return self.fail("Expecting ',' delimiter", index);
            }
            let comma = index;
            index = self.skip_space(index + 1);
            if self.is(index, b'}') {
                return self.fail("Illegal trailing comma before end of object", comma);
            }
        }
    }

    fn array(&self, index: usize) -> PyResult<(PyRef, usize)> {
        let mut items = TryVec::<PyRef>::new();
        let mut index = self.skip_space(index);
        if !self.is(index, b']') {
            loop {
                let (value, end) = self.value(index)?;
                items.try_push(value)?;
                index = self.skip_space(end);
                if self.is(index, b']') {
                    break;
                }
                if !self.is(index, b',') {
                    return self.fail("Expecting ',' delimiter", index);
                }
                let comma = index;
                index = self.skip_space(index + 1);
                if self.is(index, b']') {
                    return self.fail("Illegal trailing comma before end of array", comma);
                }
            }
        }
        Ok((PyList::from_vec(self.ts, items)?.into_object(), index + 1))
    }

    #[inline(always)]
    fn skip_digits(&self, mut index: usize) -> usize {
        while self.is_digit(index) {
            index += 1;
        }
        index
    }

    #[inline(always)]
    fn is_digit(&self, index: usize) -> bool {
        self.at(index).is_some_and(|ch| (0x30..0x3a).contains(&ch))
    }

    fn number(&self, start: usize) -> PyResult<(PyRef, usize)> {
        let mut index = start + usize::from(self.is(start, b'-'));
        // A zero stands alone before the point.
        if self.is(index, b'0') {
            index += 1;
        } else if self.is_digit(index) {
            index = self.skip_digits(index);
        } else {
            return self.no_value(start);
        }
        let mut is_float = false;
        if self.is(index, b'.') && self.is_digit(index + 1) {
            is_float = true;
            index = self.skip_digits(index + 1);
        }
        if self.is(index, b'e') || self.is(index, b'E') {
            let sign = usize::from(self.is(index + 1, b'-') || self.is(index + 1, b'+'));
            if self.is_digit(index + 1 + sign) {
                is_float = true;
                index = self.skip_digits(index + 1 + sign);
            }
        }
        let custom = if is_float { &self.parse_float } else { &self.parse_int };
        if let Some(function) = custom {
            let text = self.text.slice(self.ts, start, index)?;
            return Ok((call::call_with(self.ts, function, &[text.as_object()])?, index));
        }
        Ok((self.plain_number(&self.units[start..index], is_float)?, index))
    }

    fn plain_number(&self, units: &[U], is_float: bool) -> PyResult {
        /// So many digits fit a machine word.
        const SHORT: usize = 18;
        if !is_float && units.len() <= SHORT {
            let negative = units[0].into() == u32::from(b'-');
            let digits = &units[usize::from(negative)..];
            let value = digits.iter().fold(0i64, |value, unit| value * 10 + i64::from((*unit).into() - 0x30));
            return PyInt::from_i64(self.ts, if negative { -value } else { value });
        }
        let mut bytes = TryVec::new();
        bytes.try_extend(units.iter().map(|unit| (*unit).into() as u8))?;
        if !is_float {
            return PyInt::parse(self.ts, &bytes, 10);
        }
        match parse_ascii(&bytes)? {
            Some(value) => PyFloat::new(self.ts, value),
            None => raise!(self.ts, exc::ValueError, "could not convert string to float"),
        }
    }
}
