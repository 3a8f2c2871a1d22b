//! `_json.make_encoder`: the JSON text of a value, in one piece.

use core::cell::Cell;

use super::strings::{self, Escaping};
use crate::object::{
    Args, AsObject, GetSetDef, PyObject, PyRef, PyResult, PyTypeObject, Raised, Ref, Signature, Slot, StaticType,
    TypeSlots, TypeSpec, alloc, call, flags, gc, protocol,
};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bool::{as_bool, py_bool};
use crate::types::builtin_function::PyBuiltinFunction;
use crate::types::dict::{PyDict, qualified_type_name};
use crate::types::exceptions as exc;
use crate::types::float::{FloatText, PyFloat};
use crate::types::int::{DigitText, PyInt};
use crate::types::list::PyList;
use crate::types::none::is_none;
use crate::types::owned::owns;
use crate::types::str::{PyStr, StrBuilder};
use crate::types::tuple::PyTuple;

/// The arguments of the constructor.
const PARAMETERS: [&str; 9] = [
    "markers",
    "default",
    "encoder",
    "indent",
    "key_separator",
    "item_separator",
    "sort_keys",
    "skipkeys",
    "allow_nan",
];

/// How an encoder writes strings.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum StringsBy {
    /// By calling `encoder`.
    Call = 0,
    /// As `encode_basestring_ascii` does.
    Ascii = 1,
    /// As `encode_basestring` does.
    Minimal = 2,
}

#[repr(C)]
pub(super) struct PyEncoder {
    ob_base: PyObject,
    /// A dict of what is being encoded, or None when cycles are not looked for.
    markers: Slot<PyObject>,
    default: Slot<PyObject>,
    encoder: Slot<PyObject>,
    indent: Slot<PyObject>,
    key_separator: Slot<PyStr>,
    item_separator: Slot<PyStr>,
    sort_keys: Cell<bool>,
    skipkeys: Cell<bool>,
    allow_nan: Cell<bool>,
    strings: Cell<StringsBy>,
}

crate::native!(PyEncoder, ENCODER_TYPE);
owns!(PyEncoder: markers, default, encoder, indent, key_separator, item_separator);

/// Read-only views of fields.
macro_rules! member {
    ($name:literal, $field:ident) => {
        GetSetDef::get(
            $name,
            |ts, this| Ok(this.cast::<PyEncoder>().$field.get().map_or_else(|| ts.none(), |value| value.into_object())),
            $name,
        )
    };
    ($name:literal, bool $field:ident) => {
        GetSetDef::get($name, |_, this| Ok(py_bool(this.cast::<PyEncoder>().$field.get())), $name)
    };
}

/// `_json.Encoder`, which the module calls `make_encoder`.
pub(super) static ENCODER_TYPE: StaticType = StaticType::new(TypeSpec {
    name: c"_json.Encoder",
    basicsize: size_of::<PyEncoder>(),
    flags: flags::HAVE_GC | flags::BASETYPE,
    doc: "Encoder(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)",
    slots: TypeSlots {
        new: Some(new),
        dealloc: Some(PyEncoder::slot_dealloc),
        traverse: Some(PyEncoder::slot_traverse),
        clear: Some(PyEncoder::slot_clear),
        call: Some(call_encoder),
        ..TypeSlots::EMPTY
    },
    getset: &[
        member!("markers", markers),
        member!("default", default),
        member!("encoder", encoder),
        member!("indent", indent),
        member!("key_separator", key_separator),
        member!("item_separator", item_separator),
        member!("sort_keys", bool sort_keys),
        member!("skipkeys", bool skipkeys),
    ],
    ..TypeSpec::EMPTY
});

fn new(ts: &ThreadState, of: &PyTypeObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<9> = Signature::new("make_encoder", PARAMETERS, 0, 9, 9);
    let [
        Some(markers),
        Some(default),
        Some(encoder),
        Some(indent),
        Some(key_separator),
        Some(item_separator),
        Some(sort_keys),
        Some(skipkeys),
        Some(allow_nan),
    ] = SIGNATURE.parse(ts, args)?
    else {
        return raise!(ts, exc::TypeError, "make_encoder() takes 9 arguments");
    };
    let key_separator = separator(ts, key_separator, 5)?;
    let item_separator = separator(ts, item_separator, 6)?;
    let sort_keys = protocol::is_true(ts, sort_keys)?;
    let skipkeys = protocol::is_true(ts, skipkeys)?;
    let allow_nan = protocol::is_true(ts, allow_nan)?;
    if !is_none(markers) && !markers.is_a::<PyDict>() {
        return raise!(
            ts,
            exc::TypeError,
            "make_encoder() argument 1 must be dict or None, not {}",
            markers.type_name()
        );
    }
    if !is_none(indent) && !indent.is_a::<PyStr>() {
        return raise!(ts, exc::TypeError, "make_encoder() argument 4 must be str or None, not {}", indent.type_name());
    }
    let this = alloc::object::<PyEncoder>(ts, of)?;
    this.markers.set(Some(markers.new_ref()));
    this.default.set(Some(default.new_ref()));
    this.encoder.set(Some(encoder.new_ref()));
    this.indent.set(Some(indent.new_ref()));
    this.key_separator.set(Some(key_separator));
    this.item_separator.set(Some(item_separator));
    this.sort_keys.set(sort_keys);
    this.skipkeys.set(skipkeys);
    this.allow_nan.set(allow_nan);
    this.strings.set(match encoder.downcast_exact::<PyBuiltinFunction>() {
        Some(function) if core::ptr::eq(function.def(), &raw const super::FUNCTIONS[0]) => StringsBy::Ascii,
        Some(function) if core::ptr::eq(function.def(), &raw const super::FUNCTIONS[1]) => StringsBy::Minimal,
        _ => StringsBy::Call,
    });
    gc::track(ts, &*this);
    Ok(this.into_object())
}

fn separator(ts: &ThreadState, object: &PyObject, number: usize) -> PyResult<Ref<PyStr>> {
    match object.downcast::<PyStr>() {
        Some(text) => Ok(Ref::from_borrowed(text)),
        None => {
            let given = if is_none(object) { "None" } else { object.type_name() };
            raise!(ts, exc::TypeError, "make_encoder() argument {number} must be str, not {given}")
        }
    }
}

/// Returns the chunks as a tuple of one.
fn call_encoder(ts: &ThreadState, this: &PyObject, args: Args<'_>) -> PyResult {
    static SIGNATURE: Signature<2> = Signature::new("_iterencode", ["obj", "_current_indent_level"], 0, 2, 2);
    let [Some(object), Some(level)] = SIGNATURE.parse(ts, args)? else {
        return raise!(ts, exc::TypeError, "_iterencode() takes an object and a level");
    };
    let level = protocol::as_isize(ts, level)?;
    let this = this.cast::<PyEncoder>();
    let mut run = Run::new(ts, this, usize::try_from(level).unwrap_or(0))?;
    run.value(object)?;
    let text = run.out.finish(ts)?;
    Ok(PyTuple::from_array(ts, [text.into_object()])?.into_object())
}

/// An encoding going on.
struct Run<'a> {
    ts: &'a ThreadState,
    out: StrBuilder,
    /// How deep in nested containers this is, for indentation.
    level: usize,
    markers: Option<Ref<PyDict>>,
    default: PyRef,
    encoder: PyRef,
    indent: Option<Ref<PyStr>>,
    key_separator: Ref<PyStr>,
    item_separator: Ref<PyStr>,
    settings: &'a PyEncoder,
}

impl<'a> Run<'a> {
    fn new(ts: &'a ThreadState, settings: &'a PyEncoder, level: usize) -> PyResult<Run<'a>> {
        let object = |slot: &Slot<PyObject>| slot.get().unwrap_or_else(|| ts.none());
        Ok(Run {
            ts,
            out: StrBuilder::new(),
            level,
            markers: object(&settings.markers).downcast_into::<PyDict>().ok(),
            default: object(&settings.default),
            encoder: object(&settings.encoder),
            indent: object(&settings.indent).downcast_into::<PyStr>().ok(),
            key_separator: settings.key_separator.get().unwrap_or_else(PyStr::empty),
            item_separator: settings.item_separator.get().unwrap_or_else(PyStr::empty),
            settings,
        })
    }

    fn value(&mut self, object: &PyObject) -> PyResult<()> {
        if let Some(text) = object.downcast::<PyStr>() {
            return self.string(text);
        }
        if is_none(object) {
            return Ok(self.out.push_ascii(b"null")?);
        }
        if let Some(value) = as_bool(object) {
            return Ok(self.out.push_ascii(if value { b"true" } else { b"false" })?);
        }
        if let Some(int) = object.downcast::<PyInt>() {
            return self.int(int);
        }
        if let Some(float) = object.downcast::<PyFloat>() {
            return self.float(object, float);
        }
        self.ts.check_native_stack(" while encoding a JSON object")?;
        if object.is_a::<PyList>() || object.is_a::<PyTuple>() {
            return self.list(object);
        }
        if let Some(dict) = object.downcast::<PyDict>() {
            return self.dict(dict);
        }
        self.other(object)
    }

    fn string(&mut self, text: &PyStr) -> PyResult<()> {
        let escaping = match self.settings.strings.get() {
            StringsBy::Ascii => Escaping::Ascii,
            StringsBy::Minimal => Escaping::Minimal,
            StringsBy::Call => {
                let encoded = strings::encode_by(self.ts, &self.encoder, text.as_object())?;
                return Ok(self.out.push(&encoded)?);
            }
        };
        Ok(strings::write(&mut self.out, text, escaping)?)
    }

    /// An int of any class by `int`'s own repr.
    fn int(&mut self, int: &PyInt) -> PyResult<()> {
        if int.sign() < 0 {
            self.out.push_ascii(b"-")?;
        }
        let digits = DigitText::new(self.ts, int, 10)?;
        Ok(self.out.push_ascii(digits.as_bytes())?)
    }

    fn float(&mut self, object: &PyObject, float: &PyFloat) -> PyResult<()> {
        let text = self.float_text(object, float)?;
        match text {
            Ok(word) => self.out.push_ascii(word)?,
            Err(number) => self.out.push_ascii(number.as_bytes())?,
        }
        Ok(())
    }

    /// A word for what is not finite, else the number's text.
    fn float_text(&self, object: &PyObject, float: &PyFloat) -> PyResult<Result<&'static [u8], FloatText>> {
        let value = float.value();
        if value.is_finite() {
            return Ok(Err(FloatText::new(value, true)));
        }
        if !self.settings.allow_nan.get() {
            let text = protocol::repr(self.ts, object)?;
            return raise!(self.ts, exc::ValueError, "Out of range float values are not JSON compliant: {}", &*text);
        }
        Ok(Ok(match value {
            f64::INFINITY => b"Infinity",
            f64::NEG_INFINITY => b"-Infinity",
            _ => b"NaN",
        }))
    }

    /// Notes that the object is being encoded. ValueError when it is already.
    fn enter(&self, object: &PyObject) -> PyResult<Option<PyRef>> {
        let Some(markers) = &self.markers else { return Ok(None) };
        let id = PyInt::from_usize(self.ts, core::ptr::from_ref(object).addr())?;
        if markers.contains(self.ts, &id)? {
            return raise!(self.ts, exc::ValueError, "Circular reference detected");
        }
        markers.set(self.ts, &id, object)?;
        Ok(Some(id))
    }

    fn leave(&self, id: Option<PyRef>) -> PyResult<()> {
        if let (Some(markers), Some(id)) = (&self.markers, id) {
            markers.remove(self.ts, &id)?;
        }
        Ok(())
    }

    /// A line break and the indentation of the level, when there is one.
    fn new_line(&mut self) -> PyResult<()> {
        if let Some(indent) = &self.indent {
            self.out.push_ascii(b"\n")?;
            for _ in 0..self.level {
                self.out.push(indent)?;
            }
        }
        Ok(())
    }

    fn separate(&mut self) -> PyResult<()> {
        self.out.push(&self.item_separator)?;
        self.new_line()
    }

    fn list(&mut self, object: &PyObject) -> PyResult<()> {
        if let Some(list) = object.downcast_exact::<PyList>() {
            return self.items(object, list.len(), |index| list.get(index));
        }
        let items = protocol::fast(self.ts, object, "_iterencode_list needs a sequence")?;
        self.items(object, items.len(), |index| items.get(index).map(AsObject::new_ref))
    }

    /// The items that `get` gives by index, until it gives none.
    fn items(&mut self, object: &PyObject, len: usize, get: impl Fn(usize) -> Option<PyRef>) -> PyResult<()> {
        if len == 0 {
            return Ok(self.out.push_ascii(b"[]")?);
        }
        let id = self.enter(object)?;
        self.out.push_ascii(b"[")?;
        self.level += 1;
        self.new_line()?;
        let mut index = 0;
        while let Some(item) = get(index) {
            if index != 0 {
                self.separate()?;
            }
            if let Err(raised) = self.value(&item) {
                return Err(note(self.ts, raised, object, Where::Item(index)));
            }
            index += 1;
        }
        self.leave(id)?;
        self.level -= 1;
        self.new_line()?;
        Ok(self.out.push_ascii(b"]")?)
    }

    fn dict(&mut self, dict: &PyDict) -> PyResult<()> {
        if dict.is_empty() {
            return Ok(self.out.push_ascii(b"{}")?);
        }
        let id = self.enter(dict.as_object())?;
        self.out.push_ascii(b"{")?;
        self.level += 1;
        let mut first = true;
        if self.settings.sort_keys.get() || !dict.is_exact() {
            let items = protocol::mapping_list(self.ts, dict.as_object(), crate::id!(items))?;
            if self.settings.sort_keys.get() {
                items.sort(self.ts, None, false)?;
            }
            let mut index = 0;
            while let Some(item) = items.get(index) {
                let Some([key, value]) = item.downcast::<PyTuple>().and_then(|pair| pair.items().as_array::<2>())
                else {
                    return raise!(self.ts, exc::ValueError, "items must return 2-tuples");
                };
                self.member(dict, key, value, &mut first)?;
                index += 1;
            }
        } else {
            let mut position = 0;
            while let Some((key, value)) = dict.next(&mut position) {
                self.member(dict, &key, &value, &mut first)?;
            }
        }
        self.leave(id)?;
        self.level -= 1;
        if !first {
            self.new_line()?;
        }
        Ok(self.out.push_ascii(b"}")?)
    }

    fn member(&mut self, dict: &PyDict, key: &PyObject, value: &PyObject, first: &mut bool) -> PyResult<()> {
        // Keys that are no strings are written as the strings of their JSON texts.
        let text = match key.downcast::<PyStr>() {
            Some(text) => Ref::from_borrowed(text),
            None => match self.key_text(key)? {
                Some(text) => text,
                None => return Ok(()),
            },
        };
        if *first {
            *first = false;
            self.new_line()?;
        } else {
            self.separate()?;
        }
        self.string(&text)?;
        self.out.push(&self.key_separator)?;
        self.value(value).map_err(|raised| note(self.ts, raised, dict.as_object(), Where::Key(key)))
    }

    /// The text of a key that is no string; none for one that is to be skipped.
    fn key_text(&self, key: &PyObject) -> PyResult<Option<Ref<PyStr>>> {
        let ts = self.ts;
        if let Some(float) = key.downcast::<PyFloat>() {
            return match self.float_text(key, float)? {
                Ok(word) => PyStr::from_ascii(ts, word).map(Some),
                Err(number) => PyStr::from_ascii(ts, number.as_bytes()).map(Some),
            };
        }
        if let Some(value) = as_bool(key) {
            return PyStr::from_ascii(ts, if value { b"true" } else { b"false" }).map(Some);
        }
        if is_none(key) {
            return PyStr::from_ascii(ts, b"null").map(Some);
        }
        if let Some(int) = key.downcast::<PyInt>() {
            return int.to_str(ts, 10).map(Some);
        }
        if self.settings.skipkeys.get() {
            return Ok(None);
        }
        raise!(ts, exc::TypeError, "keys must be str, int, float, bool or None, not {}", key.type_name())
    }

    /// Anything else by what `default` makes of it.
    fn other(&mut self, object: &PyObject) -> PyResult<()> {
        let id = self.enter(object)?;
        let stand_in = call::call_with(self.ts, &self.default, &[object])?;
        if let Err(raised) = self.value(&stand_in) {
            return Err(note(self.ts, raised, object, Where::Object));
        }
        self.leave(id)
    }
}

/// Where in an object an error came up.
enum Where<'a> {
    Object,
    Item(usize),
    Key(&'a PyObject),
}

/// Notes in the raised exception what was being encoded; when that fails the exception stays as it is.
#[cold]
fn note(ts: &ThreadState, raised: Raised, container: &PyObject, place: Where<'_>) -> Raised {
    let error = ts.take_raised(raised);
    let add = || -> PyResult<()> {
        let name = qualified_type_name(ts, container)?;
        let text = match place {
            Where::Object => PyStr::format(ts, format_args!("when serializing {} object", &*name))?,
            Where::Item(index) => PyStr::format(ts, format_args!("when serializing {} item {index}", &*name))?,
            Where::Key(key) => {
                let mut text = StrBuilder::new();
                text.push_str("when serializing ")?;
                text.push(&name)?;
                text.push_str(" item ")?;
                text.push_repr(ts, key)?;
                text.finish(ts)?
            }
        };
        protocol::call_named(ts, &error, "add_note", &[text.as_object()])?;
        Ok(())
    };
    if let Err(second) = add() {
        ts.clear_raised(second);
    }
    ts.restore_raised(error)
}
