//! Owned wide strings and lists of them, in the raw domain, with the layout that C programs see.
//!
//! ```text
//!   WideString        ──> [ c0 | c1 | … | 0 ]            one raw block, or null
//!   PyWideStringList  { length, items ──> [ WideString | WideString | … ] }
//! ```
//!
//! A `wchar_t` is one code point in 32 bits. Bytes that the locale cannot decode are held as the lone
//! surrogates U+DC80 to U+DCFF, so that encoding gives them back unchanged (PEP 383).

use core::{fmt, mem, ptr, slice};

use hognose_allocators::{NoMemory, raw_free, raw_malloc, raw_realloc};

use super::status::{PyStatus, StatusResult};

/// One `wchar_t`: unsigned here, as its values are code points.
pub type WChar = u32;

const _: () = assert!(size_of::<WChar>() == size_of::<libc::wchar_t>());
const _: () = assert!(align_of::<WChar>() == align_of::<libc::wchar_t>());

/// A `wchar_t *` that owns its raw block; null means "not set".
#[repr(transparent)]
pub struct WideString(*mut WChar);

const _: () = assert!(size_of::<WideString>() == size_of::<*mut WChar>());

// SAFETY: the block has one owner and is only read through shared references; the raw domain may be
// used by any thread.
unsafe impl Send for WideString {}
// SAFETY: as above; `&WideString` gives reading only.
unsafe impl Sync for WideString {}

impl WideString {
    /// Not set.
    pub const fn null() -> Self {
        Self(ptr::null_mut())
    }

    /// Whether no string is set. An empty string is set.
    pub const fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// The text without its terminator; `None` when not set.
    pub fn get(&self) -> Option<&[WChar]> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: a non-null pointer comes from `build` or from a C program that keeps `from_raw`'s
        // contract: a NUL-terminated block, alive until this owner is dropped or changed.
        unsafe { Some(slice::from_raw_parts(self.0, wide_length(self.0))) }
    }

    /// The text; empty when not set.
    pub fn as_slice(&self) -> &[WChar] {
        self.get().unwrap_or(&[])
    }

    /// A string of at most `capacity` characters; `fill` writes them and says how many there are.
    pub fn build(capacity: usize, fill: impl FnOnce(&mut [WChar]) -> usize) -> Result<Self, NoMemory> {
        let bytes = capacity.checked_add(1).and_then(|n| n.checked_mul(size_of::<WChar>())).ok_or(NoMemory)?;
        let block = raw_malloc(bytes).cast::<WChar>();
        if block.is_null() {
            return Err(NoMemory);
        }
        // SAFETY: the block is new and has room for `capacity + 1` characters, all written here, so
        // that `fill` sees initialized memory and the string is terminated whatever `fill` does.
        let characters = unsafe {
            ptr::write_bytes(block, 0, capacity + 1);
            slice::from_raw_parts_mut(block, capacity)
        };
        let string = Self(block);
        let length = fill(characters).min(capacity);
        characters[length..].fill(0);
        Ok(string)
    }

    /// A copy of `text`, up to its first NUL.
    pub fn copy_of(text: &[WChar]) -> Result<Self, NoMemory> {
        Self::concat(&[text])
    }

    /// The parts one after the other.
    pub fn concat(parts: &[&[WChar]]) -> Result<Self, NoMemory> {
        let capacity = parts.iter().map(|part| part.len()).sum();
        Self::build(capacity, |to| {
            let mut at = 0;
            for part in parts {
                to[at..at + part.len()].copy_from_slice(part);
                at += part.len();
            }
            at
        })
    }

    /// A copy of Rust text.
    pub fn from_text(text: &str) -> Result<Self, NoMemory> {
        Self::build(text.len(), |to| {
            let mut length = 0;
            for (place, character) in to.iter_mut().zip(text.chars()) {
                *place = character.into();
                length += 1;
            }
            length
        })
    }

    /// A copy of the same text, or not set when this is not.
    pub fn try_clone(&self) -> Result<Self, NoMemory> {
        match self.get() {
            Some(text) => Self::copy_of(text),
            None => Ok(Self::null()),
        }
    }

    /// Frees the text; the string is not set afterwards.
    pub fn clear(&mut self) {
        *self = Self::null();
    }

    /// Whether a text is set and equal to `text`.
    pub fn is(&self, text: &str) -> bool {
        self.get().is_some_and(|own| own.iter().copied().eq(text.chars().map(WChar::from)))
    }

    /// Gives up the block; the caller frees it with `raw_free`.
    pub fn into_raw(self) -> *mut WChar {
        let block = self.0;
        mem::forget(self);
        block
    }

    /// Takes over a block.
    ///
    /// # Safety
    ///
    /// `block` is null, or a NUL-terminated block of the raw domain that nobody else frees.
    pub const unsafe fn from_raw(block: *mut WChar) -> Self {
        Self(block)
    }

    /// The block as C sees it.
    pub const fn as_ptr(&self) -> *const WChar {
        self.0
    }
}

impl Drop for WideString {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the block belongs to the raw domain and to this owner alone.
            unsafe { raw_free(self.0.cast()) }
        }
    }
}

impl Default for WideString {
    fn default() -> Self {
        Self::null()
    }
}

/// Shows lone surrogates as U+FFFD.
impl fmt::Display for WideString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        self.as_slice().iter().try_for_each(|&c| f.write_char(char::from_u32(c).unwrap_or('\u{FFFD}')))
    }
}

impl fmt::Debug for WideString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.get() {
            Some(_) => write!(f, "\"{self}\""),
            None => f.write_str("null"),
        }
    }
}

/// The length of a NUL-terminated wide string.
///
/// # Safety
///
/// `text` points to a live NUL-terminated string.
pub unsafe fn wide_length(text: *const WChar) -> usize {
    // SAFETY: the caller gives a NUL-terminated string; `WChar` and `wchar_t` have the same layout.
    unsafe { libc::wcslen(text.cast()) }
}

/// A list of owned wide strings, laid out for C.
#[repr(C)]
pub struct PyWideStringList {
    length: isize,
    items: *mut WideString,
}

const _: () = assert!(size_of::<PyWideStringList>() == 16);

// SAFETY: the list owns its blocks alone, and shared references only read.
unsafe impl Send for PyWideStringList {}
// SAFETY: as above.
unsafe impl Sync for PyWideStringList {}

/// The name that CPython puts into the statuses of insertion.
const INSERT: &core::ffi::CStr = c"PyWideStringList_Insert";

impl PyWideStringList {
    /// The empty list.
    pub const fn new() -> Self {
        Self { length: 0, items: ptr::null_mut() }
    }

    /// Number of strings.
    pub fn len(&self) -> usize {
        if self.items.is_null() { 0 } else { usize::try_from(self.length).unwrap_or(0) }
    }

    /// Whether there is no string.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The strings.
    pub fn as_slice(&self) -> &[WideString] {
        match self.len() {
            0 => &[],
            // SAFETY: a list with items has `length` of them, each null or an owned string.
            n => unsafe { slice::from_raw_parts(self.items, n) },
        }
    }

    /// The strings, to change them.
    pub fn as_mut_slice(&mut self) -> &mut [WideString] {
        match self.len() {
            0 => &mut [],
            // SAFETY: as in `as_slice`; the list is borrowed mutably.
            n => unsafe { slice::from_raw_parts_mut(self.items, n) },
        }
    }

    /// The array as C sees it: null when the list is empty.
    pub fn as_ptr(&self) -> *const WideString {
        self.items
    }

    /// Appends a string that is already owned.
    pub fn push(&mut self, item: WideString) -> Result<(), NoMemory> {
        self.insert_owned(self.len(), item)
    }

    /// Appends a copy of `item`. The list is unchanged on failure.
    pub fn append(&mut self, item: &[WChar]) -> StatusResult {
        self.insert(self.length.max(0), item)
    }

    /// Inserts a copy of `item` before position `index`; past the end it appends.
    ///
    /// A negative index is an error. The list is unchanged on failure.
    pub fn insert(&mut self, index: isize, item: &[WChar]) -> StatusResult {
        let Ok(index) = usize::try_from(index) else {
            return Err(PyStatus::error_in(INSERT, c"PyWideStringList_Insert index must be >= 0"));
        };
        WideString::copy_of(item)
            .and_then(|copy| self.insert_owned(index, copy))
            .map_err(|NoMemory| PyStatus::no_memory_in(INSERT))
    }

    fn insert_owned(&mut self, index: usize, item: WideString) -> Result<(), NoMemory> {
        if self.length == isize::MAX {
            return Err(NoMemory);
        }
        let length = self.len();
        let index = index.min(length);
        let bytes = (length + 1).checked_mul(size_of::<WideString>()).ok_or(NoMemory)?;
        // SAFETY: `items` is null or this list's own block of the raw domain.
        let items = unsafe { raw_realloc(self.items.cast(), bytes) }.cast::<WideString>();
        if items.is_null() {
            return Err(NoMemory);
        }
        self.items = items;
        // SAFETY: the block has room for `length + 1` strings; those from `index` on move up by one,
        // and the freed place is written without dropping what it held, which has moved.
        unsafe {
            ptr::copy(items.add(index), items.add(index + 1), length - index);
            ptr::write(items.add(index), item);
        }
        self.length = length as isize + 1;
        Ok(())
    }

    /// Removes and gives the first string.
    pub fn take_first(&mut self) -> Option<WideString> {
        let length = self.len();
        if length == 0 {
            return None;
        }
        // SAFETY: the list has `length >= 1` strings; the first is moved out and the others move
        // down, and the length says so.
        let first = unsafe {
            let first = ptr::read(self.items);
            ptr::copy(self.items.add(1), self.items, length - 1);
            first
        };
        self.length = length as isize - 1;
        Some(first)
    }

    /// Appends copies of the strings of `other`. On failure some may have been appended.
    pub fn extend(&mut self, other: &Self) -> Result<(), NoMemory> {
        other.as_slice().iter().try_for_each(|item| self.push(item.try_clone()?))
    }

    /// A list of copies.
    pub fn try_clone(&self) -> Result<Self, NoMemory> {
        let mut copy = Self::new();
        copy.extend(self)?;
        Ok(copy)
    }

    /// Whether a string is equal to `text`.
    pub fn contains(&self, text: &[WChar]) -> bool {
        self.as_slice().iter().any(|item| item.get() == Some(text))
    }

    /// Frees the strings and the array.
    pub fn clear(&mut self) {
        *self = Self::new();
    }
}

impl Drop for PyWideStringList {
    fn drop(&mut self) {
        for item in self.as_mut_slice() {
            item.clear();
        }
        if !self.items.is_null() {
            // SAFETY: the array is this list's own block of the raw domain, its strings are freed.
            unsafe { raw_free(self.items.cast()) }
        }
    }
}

impl Default for PyWideStringList {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PyWideStringList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> WideString {
        WideString::from_text(text).unwrap()
    }

    fn texts(list: &PyWideStringList) -> std::vec::Vec<std::string::String> {
        list.as_slice().iter().map(|item| std::format!("{item}")).collect()
    }

    #[test]
    fn a_string_knows_null_from_empty() {
        assert!(WideString::null().get().is_none());
        assert_eq!(wide("").get(), Some(&[][..]));
        assert!(wide("").is("") && !WideString::null().is(""));
    }

    #[test]
    fn copies_are_equal_and_independent() {
        let mut first = wide("añ🐍");
        let second = first.try_clone().unwrap();
        first.clear();
        assert!(first.is_null() && second.is("añ🐍"));
        assert!(WideString::null().try_clone().unwrap().is_null());
    }

    #[test]
    fn concatenation_joins_parts() {
        let joined = WideString::concat(&[wide("ab").as_slice(), &[], wide("c").as_slice()]).unwrap();
        assert!(joined.is("abc"));
    }

    #[test]
    fn a_string_too_large_to_count_is_out_of_memory() {
        assert!(WideString::build(usize::MAX, |_| 0).is_err());
        assert!(WideString::build(usize::MAX / 4, |_| 0).is_err());
    }

    #[test]
    fn a_block_goes_out_and_comes_back() {
        let block = wide("x").into_raw();
        // SAFETY: the block was given up one line above.
        assert!(unsafe { WideString::from_raw(block) }.is("x"));
    }

    #[test]
    fn insertion_keeps_the_order() {
        let mut list = PyWideStringList::new();
        list.append(wide("b").as_slice()).unwrap();
        list.insert(0, wide("a").as_slice()).unwrap();
        list.insert(99, wide("d").as_slice()).unwrap();
        list.insert(2, wide("c").as_slice()).unwrap();
        assert_eq!(texts(&list), ["a", "b", "c", "d"]);
        assert!(list.take_first().unwrap().is("a"));
        assert_eq!(texts(&list), ["b", "c", "d"]);
    }

    #[test]
    fn a_negative_index_is_refused_and_changes_nothing() {
        let mut list = PyWideStringList::new();
        list.append(wide("a").as_slice()).unwrap();
        let status = list.insert(-1, wide("b").as_slice()).unwrap_err();
        assert_eq!(status.func(), Some(c"PyWideStringList_Insert"));
        assert_eq!(status.message(), Some(c"PyWideStringList_Insert index must be >= 0"));
        assert_eq!(texts(&list), ["a"]);
    }

    #[test]
    fn a_full_list_is_out_of_memory() {
        let mut list = PyWideStringList { length: isize::MAX, items: ptr::null_mut() };
        let status = list.append(&[]).unwrap_err();
        assert_eq!(status.func(), Some(c"PyWideStringList_Insert"));
        assert_eq!(status.message(), Some(c"memory allocation failed"));
    }

    #[test]
    fn lists_are_copied_searched_and_cleared() {
        let mut list = PyWideStringList::new();
        list.push(wide("x")).unwrap();
        let copy = list.try_clone().unwrap();
        list.clear();
        list.clear();
        assert!(list.is_empty() && list.as_ptr().is_null());
        assert!(copy.contains(wide("x").as_slice()) && !copy.contains(&[]));
        assert!(list.take_first().is_none());
    }
}
