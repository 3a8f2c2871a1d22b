//! When an instruction becomes a special one.
//!
//! An instruction with caches counts down; at zero it looks at its operands and, when they are of a kind
//! that it has a special form for, turns into that form. A special form that meets other operands counts
//! its misses ([`miss`]) and turns back.

use super::cache::Caches;
use super::frame::Frame;
use super::opcode::{COOLDOWN, op};
use crate::object::{AsObject, Native, PyObject, PyTypeObject, alloc, attr, flags, instance};
use crate::state::ThreadState;
use crate::types::descr::PyMemberDescr;
use crate::types::dict::PyDict;
use crate::types::float::PyFloat;
use crate::types::function::PyFunction;
use crate::types::int::PyInt;
use crate::types::list::PyList;
use crate::types::module::PyModule;
use crate::types::property::PyProperty;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// Turns a special form back into the general one, which waits a while before it tries again.
#[cold]
pub fn miss(caches: Caches, general: u8) {
    caches.set_opcode(general);
    caches.set_counter(COOLDOWN);
}

fn give_up(caches: Caches) {
    caches.set_counter(COOLDOWN * 8);
}

fn exact<T: Native>(object: &PyObject) -> bool {
    object.downcast_exact::<T>().is_some()
}

/// BINARY_OP, by its operands' types.
pub fn binary_op(caches: Caches, left: &PyObject, right: &PyObject, operator: usize) {
    let special = match operator {
        0 | 5 | 10 | 13 | 18 | 23 if exact::<PyInt>(left) && exact::<PyInt>(right) => match operator {
            0 | 13 => op::BINARY_OP_ADD_INT,
            5 | 18 => op::BINARY_OP_MULTIPLY_INT,
            _ => op::BINARY_OP_SUBTRACT_INT,
        },
        0 | 5 | 10 | 13 | 18 | 23 if exact::<PyFloat>(left) && exact::<PyFloat>(right) => match operator {
            0 | 13 => op::BINARY_OP_ADD_FLOAT,
            5 | 18 => op::BINARY_OP_MULTIPLY_FLOAT,
            _ => op::BINARY_OP_SUBTRACT_FLOAT,
        },
        0 | 13 if exact::<PyStr>(left) && exact::<PyStr>(right) => op::BINARY_OP_ADD_UNICODE,
        26 if exact::<PyList>(left) && exact::<PyInt>(right) => op::BINARY_OP_SUBSCR_LIST_INT,
        26 if exact::<PyTuple>(left) && exact::<PyInt>(right) => op::BINARY_OP_SUBSCR_TUPLE_INT,
        26 if exact::<PyDict>(left) => op::BINARY_OP_SUBSCR_DICT,
        _ => return give_up(caches),
    };
    caches.set_opcode(special);
}

/// COMPARE_OP, by its operands' types.
pub fn compare_op(caches: Caches, left: &PyObject, right: &PyObject) {
    let special = if exact::<PyInt>(left) && exact::<PyInt>(right) {
        op::COMPARE_OP_INT
    } else if exact::<PyFloat>(left) && exact::<PyFloat>(right) {
        op::COMPARE_OP_FLOAT
    } else if exact::<PyStr>(left) && exact::<PyStr>(right) {
        op::COMPARE_OP_STR
    } else {
        return give_up(caches);
    };
    caches.set_opcode(special);
}

/// LOAD_GLOBAL: a place in the module's dictionary, or in that of the built-in names.
pub fn load_global(ts: &ThreadState, caches: Caches, frame: &Frame, name: &PyStr) {
    let globals = frame.globals();
    if globals.as_object().downcast_exact::<PyDict>().is_none() {
        return give_up(caches);
    }
    let version = globals.keys_version(ts);
    if version == 0 {
        return give_up(caches);
    }
    if let Some(index) = globals.lookup_index(name) {
        caches.set(2, index);
        caches.set_u32(3, version);
        caches.set_opcode(op::LOAD_GLOBAL_MODULE);
        return;
    }
    let Some(builtins) = frame.builtins().downcast_exact::<PyDict>() else { return give_up(caches) };
    let builtins_version = builtins.keys_version(ts);
    match builtins.lookup_index(name) {
        Some(index) if builtins_version != 0 && builtins_version < 0x1_0000 && version < 0x1_0000 => {
            caches.set(2, index);
            caches.set(3, version as u16);
            caches.set(4, builtins_version as u16);
            caches.set_opcode(op::LOAD_GLOBAL_BUILTIN);
        }
        _ => give_up(caches),
    }
}

/// LOAD_ATTR, by the owner's type.
pub fn load_attr(ts: &ThreadState, caches: Caches, owner: &PyObject, name: &PyStr, wants_method: bool) {
    if let Some(module) = owner.downcast_exact::<PyModule>() {
        return load_module_attr(ts, caches, module, name);
    }
    if let Some(class) = owner.downcast::<PyTypeObject>() {
        return load_class_attr(ts, caches, class, name);
    }
    if load_instance_attr(ts, caches, owner, name, wants_method).is_none() {
        give_up(caches);
    }
}

fn load_module_attr(ts: &ThreadState, caches: Caches, module: &PyModule, name: &PyStr) {
    // A module's type has few attributes; none of them must hide the module's own.
    if attr::lookup_type(ts, module.as_object().ob_type(), name).is_some() {
        return give_up(caches);
    }
    let Some(dict) = module.dict_slot().get() else { return give_up(caches) };
    let version = dict.keys_version(ts);
    match dict.lookup_index(name) {
        Some(index) if version != 0 => {
            caches.set_u32(2, version);
            caches.set(4, index);
            caches.set_opcode(op::LOAD_ATTR_MODULE);
        }
        _ => give_up(caches),
    }
}

fn load_class_attr(ts: &ThreadState, caches: Caches, class: &PyTypeObject, name: &PyStr) {
    let metatype = class.as_object().ob_type();
    if !core::ptr::eq(metatype, &*crate::types::typ::TYPE_TYPE) || attr::lookup_type(ts, metatype, name).is_some() {
        return give_up(caches);
    }
    // SAFETY: the class keeps the value alive as long as its version stays what it is.
    let Some(value) = (unsafe { attr::lookup_type_borrowed(ts, class, name) }) else { return give_up(caches) };
    let plain = value.ob_type().slots().descr_get.is_none() || value.downcast_exact::<PyFunction>().is_some();
    let version = class.tp_version_tag.get();
    if !plain || version == 0 {
        return give_up(caches);
    }
    caches.set_u32(2, version);
    caches.set_pointer(6, value);
    caches.set_opcode(op::LOAD_ATTR_CLASS);
}

fn load_instance_attr(
    ts: &ThreadState,
    caches: Caches,
    owner: &PyObject,
    name: &PyStr,
    wants_method: bool,
) -> Option<()> {
    let typ = owner.ob_type();
    if typ.slots().getattro.is_none_or(|slot| slot as usize != attr::generic_get as *const () as usize) {
        return None;
    }
    // SAFETY: the type keeps the descriptor alive as long as its version stays what it is.
    let descriptor = unsafe { attr::lookup_type_borrowed(ts, typ, name) };
    let version = typ.tp_version_tag.get();
    if version == 0 {
        return None;
    }
    caches.set_u32(2, version);
    let Some(descriptor) = descriptor else {
        return load_own_attr(caches, owner, name);
    };
    let slots = descriptor.ob_type().slots();
    if slots.descr_set.is_some() {
        if let Some(member) = descriptor.downcast_exact::<PyMemberDescr>() {
            let offset = u16::try_from(member.slot_offset(typ)?).ok()?;
            caches.set(4, offset);
            caches.set_opcode(op::LOAD_ATTR_SLOT);
            return Some(());
        }
        if let Some(property) = descriptor.downcast_exact::<PyProperty>()
            && !wants_method
        {
            // The property keeps its getter alive; a getter never changes.
            let getter = property.fget()?;
            let function = getter.downcast_exact::<PyFunction>()?;
            if function.code().co_argcount != 1 || !function.code().co_simple.get() {
                return None;
            }
            caches.set_pointer(6, getter.as_raw());
            caches.set_opcode(op::LOAD_ATTR_PROPERTY);
            return Some(());
        }
        return None;
    }
    let is_method = descriptor.ob_type().has_flag(flags::METHOD_DESCRIPTOR);
    if !is_method && slots.descr_get.is_some() {
        return None;
    }
    if is_method && !wants_method {
        return None;
    }
    if typ.has_flag(flags::INLINE_VALUES) {
        let keys = instance::shared_keys(typ)?;
        if instance::index_of(keys, name).is_some() || !instance::has_valid_inline_values(owner) {
            return None;
        }
        let keys_version = keys.assign_version(ts);
        if keys_version == 0 {
            return None;
        }
        caches.set_u32(4, keys_version);
        caches.set_pointer(6, descriptor);
        caches.set_opcode(if is_method {
            op::LOAD_ATTR_METHOD_WITH_VALUES
        } else {
            op::LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES
        });
        return Some(());
    }
    if alloc::dict_slot(owner).is_some() || !is_method {
        return None;
    }
    caches.set_pointer(6, descriptor);
    caches.set_opcode(op::LOAD_ATTR_METHOD_NO_DICT);
    Some(())
}

fn load_own_attr(caches: Caches, owner: &PyObject, name: &PyStr) -> Option<()> {
    let typ = owner.ob_type();
    if typ.has_flag(flags::INLINE_VALUES) && instance::has_valid_inline_values(owner) {
        let index = instance::index_of(instance::shared_keys(typ)?, name)?;
        caches.set(4, index);
        caches.set_opcode(op::LOAD_ATTR_INSTANCE_VALUE);
        return Some(());
    }
    let dict = alloc::dict_slot(owner)?.get()?;
    let index = dict.lookup_index(name)?;
    caches.set(4, index);
    caches.set_opcode(op::LOAD_ATTR_WITH_HINT);
    Some(())
}

/// STORE_ATTR, by the owner's type.
pub fn store_attr(ts: &ThreadState, caches: Caches, owner: &PyObject, name: &PyStr) {
    if store_instance_attr(ts, caches, owner, name).is_none() {
        give_up(caches);
    }
}

fn store_instance_attr(ts: &ThreadState, caches: Caches, owner: &PyObject, name: &PyStr) -> Option<()> {
    let typ = owner.ob_type();
    if typ.slots().setattro.is_none_or(|slot| slot as usize != attr::generic_set as *const () as usize) {
        return None;
    }
    // SAFETY: looked at before anything else runs.
    let descriptor = unsafe { attr::lookup_type_borrowed(ts, typ, name) };
    let version = typ.tp_version_tag.get();
    if version == 0 {
        return None;
    }
    caches.set_u32(2, version);
    if let Some(descriptor) = descriptor
        && descriptor.ob_type().slots().descr_set.is_some()
    {
        let offset = descriptor.downcast_exact::<PyMemberDescr>()?.slot_offset(typ)?;
        caches.set(4, u16::try_from(offset).ok()?);
        caches.set_opcode(op::STORE_ATTR_SLOT);
        return Some(());
    }
    if !typ.has_flag(flags::INLINE_VALUES) || !instance::has_valid_inline_values(owner) {
        return None;
    }
    let index = instance::index_of(instance::shared_keys(typ)?, name)?;
    caches.set(4, index);
    caches.set_opcode(op::STORE_ATTR_INSTANCE_VALUE);
    Some(())
}
