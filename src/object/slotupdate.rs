//! Which function a heap type's slot gets when its special methods come, change or go.
//!
//! A method that is just the wrapper of a native slot gives that slot back; for anything else the slot is the generic
//! function, which calls the method (see [`slotdefs`](super::slotdefs)).

use super::attr::lookup_type;
use super::call::Args;
use super::error::PyResult;
use super::header::PyObject;
use super::slotdefs::{RawSlot, SLOT_DEFS, SlotDef, generic_new, hash_not_implemented};
use super::slots::*;
use super::typeobj::PyTypeObject;
use crate::id;
use crate::state::ThreadState;
use crate::types::builtin_function::PyBuiltinFunction;
use crate::types::descr::PyWrapperDescr;
use crate::types::dict::PyDict;
use crate::types::none::is_none;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// For each definition the first and the last one of the same slot: most slots have one, and a new class decides all.
static SPANS: [(u16, u16); SLOT_DEFS.len()] = {
    let mut spans = [(0, 0); SLOT_DEFS.len()];
    let mut index = 0;
    while index < SLOT_DEFS.len() {
        let offset = SLOT_DEFS[index].offset;
        let (mut first, mut last) = (index, index);
        while first > 0 && has_before(offset, first) {
            first -= 1;
            while SLOT_DEFS[first].offset != offset {
                first -= 1;
            }
        }
        let mut at = index + 1;
        while at < SLOT_DEFS.len() {
            if SLOT_DEFS[at].offset == offset {
                last = at;
            }
            at += 1;
        }
        spans[index] = (first as u16, last as u16);
        index += 1;
    }
    spans
};

/// Whether a definition before `index` is of the slot.
const fn has_before(offset: usize, index: usize) -> bool {
    let mut at = 0;
    while at < index {
        if SLOT_DEFS[at].offset == offset {
            return true;
        }
        at += 1;
    }
    false
}

/// Decides the slots of a heap type whose special method `name` has come, changed or gone; all of them for `None`.
pub fn update_slots(ts: &ThreadState, typ: &PyTypeObject, name: Option<&PyStr>) {
    for (index, def) in SLOT_DEFS.iter().enumerate() {
        if let Some(name) = name
            && !affects(def, name)
        {
            continue;
        }
        // Each slot once, at its first definition.
        let first = usize::from(SPANS[index].0);
        let earlier = || SLOT_DEFS[first..index].iter().filter(|d| d.offset == def.offset);
        if first != index && earlier().any(|d| name.is_none_or(|n| affects(d, n))) {
            continue;
        }
        update_slot(ts, typ, index);
    }
    if name.is_none_or(|name| name.equals_str("__new__")) {
        update_new(ts, typ);
    }
}

/// Decides the slots of a new class, which has taken over those of its bases. With one base, and the order that
/// follows from it, only the special methods in the class's own namespace change anything.
pub fn first_slots(ts: &ThreadState, typ: &PyTypeObject, bases: &PyTuple, order: &PyTuple, own: &PyDict) {
    let [base] = bases.items() else { return update_slots(ts, typ, None) };
    let plain = match (order.items(), base.cast::<PyTypeObject>().mro(ts)) {
        ([_, rest @ ..], Some(of_base)) => {
            rest.len() == of_base.len() && rest.iter().zip(of_base.items()).all(|(a, b)| a.is(b))
        }
        _ => false,
    };
    if !plain {
        return update_slots(ts, typ, None);
    }
    let mut position = 0;
    while let Some((key, _)) = own.next(&mut position) {
        if let Some(name) = key.downcast::<PyStr>()
            && is_special(name)
        {
            update_slots(ts, typ, Some(name));
        }
    }
}

fn affects(def: &SlotDef, name: &PyStr) -> bool {
    let own = def.name;
    // Names are interned but for those of a C program's making.
    core::ptr::eq(own, name)
        || (!name.is_interned() && own.equals(name))
        || (def.offset == core::mem::offset_of!(TypeSlots, getattro) && name.equals_str("__getattr__"))
}

/// Decides the slot of the definition with that index.
fn update_slot(ts: &ThreadState, typ: &PyTypeObject, index: usize) {
    let offset = SLOT_DEFS[index].offset;
    let (first, last) = SPANS[index];
    let mut specific: RawSlot = core::ptr::null();
    let mut generic: RawSlot = core::ptr::null();
    let mut use_generic = false;
    let definitions = &SLOT_DEFS[usize::from(first)..=usize::from(last)];
    for def in definitions.iter().filter(|def| def.offset == offset) {
        let Some(method) = lookup_type(ts, typ, def.name) else { continue };
        let wrapped = method
            .downcast_exact::<PyWrapperDescr>()
            .filter(|wrapper| wrapper.def().name.equals(def.name) && typ.is_subtype(wrapper.owner()));
        match wrapped {
            Some(wrapper) if wrapper.def().offset == offset => {
                if specific.is_null() || specific == wrapper.raw() {
                    specific = wrapper.raw();
                } else {
                    use_generic = true;
                }
            }
            // The name is the wrapper of another slot (`__len__` of a mapping for the sequence's slot):
            // the native type has not got this one, unless its own table says so.
            Some(wrapper) => {
                let native = wrapper.owner().slots().word(offset);
                if native.is_null() {
                    continue;
                }
                if specific.is_null() || specific == native {
                    specific = native;
                } else {
                    use_generic = true;
                }
            }
            None if is_none(&method) && offset == core::mem::offset_of!(TypeSlots, hash) => {
                let f: fn(&ThreadState, &PyObject) -> PyResult<isize> = hash_not_implemented;
                specific = f as RawSlot;
            }
            None => use_generic = true,
        }
        // Not for the wrapper of another slot: a list's `__add__` is `sq_concat`, and `nb_add` stays empty.
        generic = def.generic;
    }
    if offset == core::mem::offset_of!(TypeSlots, getattro) && lookup_type(ts, typ, id!(__getattr__)).is_some() {
        use_generic = true;
    }
    let word = if !specific.is_null() && !use_generic { specific } else { generic };
    // A sequence method of a heap type is found through the mapping slots; `sq_item` and the like stay
    // filled for C's sake.
    // SAFETY: the word is of this slot's type: it comes from the definition or from a wrapper of it.
    unsafe { typ.slots_mut().set_word(offset, word) };
}

fn update_new(ts: &ThreadState, typ: &PyTypeObject) {
    let Some(method) = lookup_type(ts, typ, id!(__new__)) else { return };
    let native = method
        .downcast::<PyBuiltinFunction>()
        .and_then(|function| function.new_of())
        .and_then(|owner| owner.slots().new);
    let slot: fn(&ThreadState, &PyTypeObject, Args<'_>) -> PyResult = native.unwrap_or(generic_new);
    // SAFETY: the type is being changed under the GIL.
    unsafe { typ.slots_mut().new = Some(slot) };
}

/// For each length the letters after `__` of the special methods that fill a slot.
static LETTERS: [u32; 24] = {
    let mut letters = [0; 24];
    letters["__new__".len()] |= letter(b'n');
    letters["__getattr__".len()] |= letter(b'g');
    let mut index = 0;
    while index < SLOT_DEFS.len() {
        let text = SLOT_DEFS[index].text.as_bytes();
        letters[text.len()] |= letter(text[2]);
        index += 1;
    }
    letters
};

/// The bit of a lower-case letter.
const fn letter(byte: u8) -> u32 {
    1 << (byte - b'a')
}

/// Whether a name is a special method that fills a slot.
pub fn is_special(name: &PyStr) -> bool {
    let length = name.len();
    if length < 5 || length >= LETTERS.len() || name.char_at(0) != '_' as u32 || name.char_at(1) != '_' as u32 {
        return false;
    }
    // Most names that begin so are of another length, or go on with another letter.
    let third = name.char_at(2);
    (u32::from(b'a')..=u32::from(b'z')).contains(&third)
        && LETTERS[length] & letter(third as u8) != 0
        && (name.equals_str("__new__") || SLOT_DEFS.iter().any(|def| affects(def, name)))
}
