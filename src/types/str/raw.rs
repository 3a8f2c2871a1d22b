//! Strings that C code makes in steps: allocated first, then written to, then used.
//!
//! Until a string is used it must have one reference, no hash and not be interned; that is what
//! [`PyStr::is_modifiable`] checks before each write.

use core::sync::atomic::Ordering;

use super::layout::{ASCII_SIZE, COMPACT_SIZE, Kind, PyStr, state};
use crate::object::{AsObject, PyResult, Ref};
use crate::state::ThreadState;

impl PyStr {
    /// A string of `len` zero characters that may be overwritten by characters up to `max_char`
    /// (`PyUnicode_New`). Of length 0 it is the empty string.
    pub(crate) fn new_writable(ts: &ThreadState, len: usize, max_char: u32) -> PyResult<Ref<PyStr>> {
        if len == 0 {
            return Ok(PyStr::empty());
        }
        // SAFETY: all units are zeroed here; the kind is what the caller asks for.
        unsafe {
            let made = PyStr::uninit(ts, len, Kind::of(max_char))?;
            core::ptr::write_bytes(made.data_ptr().cast_mut(), 0, len * made.width());
            Ok(made)
        }
    }

    /// Whether nobody can have seen the string but the owner of the one reference to it.
    pub(crate) fn is_modifiable(&self) -> bool {
        self.as_object().is_unique()
            && self.is_exact()
            && self.is_compact()
            && !self.is_interned()
            && self.hash.load(Ordering::Relaxed) == -1
    }

    /// Overwrites a character.
    ///
    /// # Safety
    /// [`is_modifiable`](PyStr::is_modifiable) holds, `index` is in the string, and `ch` fits its kind.
    pub(crate) unsafe fn write_char(&self, index: usize, ch: u32) {
        debug_assert!(index < self.len() && ch <= self.kind().max_char());
        let data = self.data_ptr().cast_mut();
        // SAFETY: the place is in the string, and the caller is alone with it.
        unsafe {
            match self.width() {
                1 => data.add(index).write(ch as u8),
                2 => data.cast::<u16>().add(index).write(ch as u16),
                _ => data.cast::<u32>().add(index).write(ch),
            }
        }
    }

    /// Overwrites `count` characters from `at` on with those of `from` that begin at `start`
    /// (`PyUnicode_CopyCharacters`).
    ///
    /// # Safety
    /// [`is_modifiable`](PyStr::is_modifiable) holds, and the characters fit the kind. Panics past an end.
    pub(crate) unsafe fn write_chars(&self, at: usize, from: &PyStr, start: usize, count: usize) {
        // SAFETY: the caller's promise.
        unsafe { self.copy_chars(at, from, start, count) }
    }

    /// The string cut or extended to `len` characters (`PyUnicode_Resize`): in place when it can be changed;
    /// characters that are added are zero. On an error the string is given up.
    pub(crate) fn resize(ts: &ThreadState, text: Ref<PyStr>, len: usize) -> PyResult<Ref<PyStr>> {
        if len == text.len() {
            return Ok(text);
        }
        if len == 0 {
            return Ok(PyStr::empty());
        }
        let (old, kind) = (text.len(), text.kind());
        if !text.is_modifiable() {
            let made = PyStr::new_writable(ts, len, kind.max_char())?;
            // SAFETY: the string is new, and of the kind of what is copied.
            unsafe { made.copy_chars(0, &text, 0, old.min(len)) };
            return Ok(made);
        }
        let header = if kind == Kind::Ascii {
            ASCII_SIZE
        } else {
            text.free_utf8(ts);
            COMPACT_SIZE
        };
        let Some(size) = (len + 1).checked_mul(kind.width()).and_then(|n| n.checked_add(header)) else {
            return Err(ts.raise_no_memory());
        };
        // SAFETY: the string is unique and compact: nobody else can see it change or move. When the block
        // cannot be changed it stays as it was, and `text` still owns it.
        unsafe {
            let memory = ts.heap().obj_realloc(text.as_raw().cast(), size);
            if memory.is_null() {
                return Err(ts.raise_no_memory());
            }
            let _ = text.into_ptr();
            let resized = Ref::from_owned(memory.cast::<PyStr>());
            resized.length.set(len as isize);
            debug_assert!(resized.state.get() & state::COMPACT != 0);
            let from = old.min(len) * kind.width();
            core::ptr::write_bytes(memory.add(header + from), 0, (len + 1) * kind.width() - from);
            Ok(resized)
        }
    }
}
