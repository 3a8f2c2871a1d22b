//! The names of the allocators: numbers, `PYTHONMALLOC` texts, and what each name installs.

use core::ffi::CStr;
use core::fmt;
use core::sync::atomic::{AtomicI32, Ordering};

use crate::domain::Domain;
use crate::heap::HeapKind;
use crate::{debug, guard, table};

/// The name of a set of allocators. The numbers are those of C's `PyMemAllocatorName` header; what CPython does not
/// have begins at 100, where it will not come soon.
#[repr(i32)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum AllocatorName {
    /// Leave the tables as they are.
    #[default]
    NotSet = 0,
    /// What the build prefers.
    Default = 1,
    /// What the build prefers, under the debug hooks.
    Debug = 2,
    /// The C library for all domains.
    Malloc = 3,
    /// The C library under the debug hooks.
    MallocDebug = 4,
    /// The small-object allocator for `mem` and `obj`, the C library for `raw`.
    Pymalloc = 5,
    /// The same under the debug hooks.
    PymallocDebug = 6,
    /// mimalloc for `mem` and `obj`, the C library for `raw`.
    Mimalloc = 7,
    /// The same under the debug hooks.
    MimallocDebug = 8,
    /// What a release build prefers, with every n-th block before an inaccessible page (see [`crate::guard`]).
    Guard = 100,
}

/// Why an allocator could not be selected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SelectError {
    /// The text is no allocator's name.
    UnknownName,
    /// The number is no allocator's.
    UnknownNumber,
    /// The allocator exists, but not in this build.
    NotBuilt(AllocatorName),
    /// The domain has an allocator of somebody else's, which would be lost.
    WouldLose(Domain),
    /// Somebody has put the debug hooks over the domains, and they would be lost.
    WouldLoseHooks,
    /// The system does not give what `guard` needs: pages of 4 KiB, addresses, a signal handler.
    NoGuard,
}

macro_rules! valid_names {
    ($($more:literal),*) => {
        concat!("PYTHONMALLOC: unknown allocator; valid names are default, debug, malloc, malloc_debug, ", $($more,)* "guard")
    };
}

/// CPython's text first, and then what would have been right in this build.
const UNKNOWN_NAME: &CStr = c_text(match (cfg!(feature = "pymalloc"), cfg!(feature = "mimalloc")) {
    (true, true) => {
        concat!(valid_names!("pymalloc, pymalloc_debug, ", "mimalloc, mimalloc_debug, "), "\0")
    }
    (true, false) => concat!(valid_names!("pymalloc, pymalloc_debug, "), "\0"),
    (false, true) => concat!(valid_names!("mimalloc, mimalloc_debug, "), "\0"),
    (false, false) => concat!(valid_names!(), "\0"),
});

const fn c_text(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a text without its NUL"),
    }
}

macro_rules! would_lose {
    ($domain:literal) => {
        c_text(concat!(
            "the allocator that was set for the ",
            $domain,
            " domain would be lost: either name none (PYMEM_ALLOCATOR_NOT_SET, no PYTHONMALLOC, no development mode), \
             or set it after Py_PreInitialize\0"
        ))
    };
}

impl SelectError {
    /// The message that pre-initialization reports.
    #[must_use]
    pub const fn as_c_str(self) -> &'static CStr {
        match self {
            Self::UnknownName => UNKNOWN_NAME,
            Self::UnknownNumber => c"Unknown PYTHONMALLOC allocator",
            Self::NotBuilt(AllocatorName::Pymalloc | AllocatorName::PymallocDebug) => {
                c"PYTHONMALLOC: this build has no pymalloc (cargo feature \"pymalloc\")"
            }
            Self::NotBuilt(_) => c"PYTHONMALLOC: this build has no mimalloc (cargo feature \"mimalloc\")",
            Self::WouldLose(Domain::Raw) => would_lose!("raw"),
            Self::WouldLose(Domain::Mem) => would_lose!("mem"),
            Self::WouldLose(Domain::Obj) => would_lose!("obj"),
            Self::WouldLoseHooks => {
                c"the hooks of PyMem_SetupDebugHooks would be lost: either name an allocator with debug hooks or none, or \
                  set them up after Py_PreInitialize"
            }
            Self::NoGuard => {
                c"PYTHONMALLOC: guard needs pages of 4096 bytes, address space and a SIGSEGV handler, and got them not all"
            }
        }
    }

    /// The same as a Rust text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.as_c_str().to_str().unwrap_or("allocator not selected")
    }
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::error::Error for SelectError {}

const NAMES: [(AllocatorName, &str, &str); 10] = [
    (AllocatorName::NotSet, "", "the domains stay as they are"),
    (AllocatorName::Default, "default", "what this build prefers"),
    (AllocatorName::Debug, "debug", "what this build prefers, under the debug hooks"),
    (AllocatorName::Malloc, "malloc", "the C library for all domains"),
    (AllocatorName::MallocDebug, "malloc_debug", "the same under the debug hooks"),
    (AllocatorName::Pymalloc, "pymalloc", "pages for blocks up to 512 bytes of mem and obj, else the C library"),
    (AllocatorName::PymallocDebug, "pymalloc_debug", "the same under the debug hooks"),
    (AllocatorName::Mimalloc, "mimalloc", "mimalloc for mem and obj, the C library for raw"),
    (AllocatorName::MimallocDebug, "mimalloc_debug", "the same under the debug hooks"),
    (AllocatorName::Guard, "guard", "as release builds prefer, and every n-th block at an inaccessible page"),
];

/// Whether this build's default has the debug hooks: a debug build, as with CPython.
pub(crate) const DEBUG_BUILD: bool = cfg!(debug_assertions);

impl AllocatorName {
    /// Reads the value of `PYTHONMALLOC`; case matters, empty means not set.
    pub fn parse(text: &[u8]) -> Result<Self, SelectError> {
        let found = NAMES.iter().find(|(_, name, _)| name.as_bytes() == text);
        found.map(|(name, ..)| *name).ok_or(SelectError::UnknownName)
    }

    /// The name of a C number.
    pub fn from_i32(number: i32) -> Result<Self, SelectError> {
        let found = NAMES.iter().find(|(name, ..)| *name as i32 == number);
        found.map(|(name, ..)| *name).ok_or(SelectError::UnknownNumber)
    }

    /// The text that `PYTHONMALLOC` takes; empty for not set.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(name, ..)| *name == self).map_or("", |(_, text, _)| *text)
    }

    /// Writes what `PYTHONMALLOC=?` shows: a line for each allocator, saying which the default is and which this build
    /// does not have.
    pub fn write_list(out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "PYTHONMALLOC may be:")?;
        for (name, text, what) in &NAMES[1..] {
            let note = match name {
                Self::Default | Self::Debug => ["; here ", name.resolve().as_str()],
                name if name.heap_kind().is_err() => [" (not in this build)", ""],
                _ => ["", ""],
            };
            writeln!(out, "  {text:<15} {what}{}{}", note[0], note[1])?;
        }
        Ok(())
    }

    /// What `Default` means in a release build.
    pub(crate) const RELEASE_DEFAULT: Self = if cfg!(feature = "pymalloc") { Self::Pymalloc } else { Self::Malloc };

    /// Replaces `Default` and `Debug` by what they mean in this build.
    #[must_use]
    pub const fn resolve(self) -> Self {
        match self {
            Self::Default if !DEBUG_BUILD => Self::RELEASE_DEFAULT,
            Self::Default => Self::Debug.resolve(),
            Self::Debug if cfg!(feature = "pymalloc") => Self::PymallocDebug,
            Self::Debug => Self::MallocDebug,
            other => other,
        }
    }

    /// Whether the debug hooks are part of it.
    #[must_use]
    pub const fn has_debug_hooks(self) -> bool {
        matches!(self.resolve(), Self::MallocDebug | Self::PymallocDebug | Self::MimallocDebug)
    }

    /// The kind of heap that serves `mem` and `obj` under this name. `NotSet` counts as `Default`.
    pub fn heap_kind(self) -> Result<HeapKind, SelectError> {
        let name = match self {
            Self::NotSet => Self::Default.resolve(),
            Self::Guard => Self::RELEASE_DEFAULT,
            other => other.resolve(),
        };
        match name {
            Self::Malloc | Self::MallocDebug => Ok(HeapKind::Malloc),
            #[cfg(feature = "pymalloc")]
            Self::Pymalloc | Self::PymallocDebug => Ok(HeapKind::Pymalloc),
            #[cfg(feature = "mimalloc")]
            Self::Mimalloc | Self::MimallocDebug => Ok(HeapKind::Mimalloc),
            missing => Err(SelectError::NotBuilt(missing)),
        }
    }
}

/// The name that was selected last, resolved.
static SELECTED: AtomicI32 = AtomicI32::new(AllocatorName::Default.resolve() as i32);

/// Installs the tables of an allocator: for pre-initialization, when no block of `mem` and `obj` lives. `NotSet` changes
/// nothing.
///
/// What somebody has set before is not replaced silently: [`SelectError::WouldLose`].
pub fn select(name: AllocatorName) -> Result<(), SelectError> {
    if name == AllocatorName::NotSet {
        return Ok(());
    }
    name.heap_kind()?;
    let mut writer = table::WRITER.lock();
    for domain in Domain::ALL {
        let top = table::logical(domain);
        if !table::is_own(domain, debug::below(domain, top)) {
            return Err(SelectError::WouldLose(domain));
        }
        if debug::is_set_up() && debug::is_hook(domain, top) && !name.has_debug_hooks() {
            return Err(SelectError::WouldLoseHooks);
        }
    }
    install(&mut writer, name)
}

/// Installs the tables of an allocator in the place of all others.
pub(crate) fn install(writer: &mut table::Locked<'_>, name: AllocatorName) -> Result<(), SelectError> {
    let name = name.resolve();
    if name == AllocatorName::Guard {
        guard::start().map_err(|_| SelectError::NoGuard)?;
    } else {
        guard::stop();
    }
    for domain in Domain::ALL {
        let table = match (name, domain) {
            (AllocatorName::Guard, Domain::Raw) => guard::RAW_TABLE,
            _ => table::builtin(domain).given,
        };
        table::install(writer, domain, table);
        if name.has_debug_hooks() {
            debug::install(writer, domain);
        }
    }
    debug::forget_set_up();
    SELECTED.store(name as i32, Ordering::Release);
    Ok(())
}

/// The kind of heap that a new interpreter gets under the selected name.
#[must_use]
pub fn heap_kind() -> HeapKind {
    let selected = AllocatorName::from_i32(SELECTED.load(Ordering::Acquire));
    selected.unwrap_or_default().heap_kind().unwrap_or(HeapKind::Malloc)
}

/// The name of the allocators that are installed; `None` if a table is somebody else's.
#[must_use]
pub fn current_name() -> Option<AllocatorName> {
    let mut hooked = [false; 3];
    for domain in Domain::ALL {
        let top = table::logical(domain);
        let below = debug::below(domain, top);
        if !table::is_own(domain, below) {
            return None;
        }
        hooked[domain.index()] = !core::ptr::eq(top, below);
    }
    if guard::is_table(table::logical(Domain::Raw)) {
        return Some(AllocatorName::Guard);
    }
    if hooked[0] != hooked[1] || hooked[0] != hooked[2] {
        return None;
    }
    Some(match (heap_kind(), hooked[0]) {
        (HeapKind::Malloc, false) => AllocatorName::Malloc,
        (HeapKind::Malloc, true) => AllocatorName::MallocDebug,
        #[cfg(feature = "pymalloc")]
        (HeapKind::Pymalloc, false) => AllocatorName::Pymalloc,
        #[cfg(feature = "pymalloc")]
        (HeapKind::Pymalloc, true) => AllocatorName::PymallocDebug,
        #[cfg(feature = "mimalloc")]
        (HeapKind::Mimalloc, false) => AllocatorName::Mimalloc,
        #[cfg(feature = "mimalloc")]
        (HeapKind::Mimalloc, true) => AllocatorName::MimallocDebug,
    })
}

#[cfg(test)]
mod tests {
    //! What the names promise.

    use core::ptr;
    use std::string::String;

    use super::*;
    use crate::table::{get_allocator, set_allocator};
    use crate::testing::turn;

    #[test]
    fn every_name_is_found_by_text_and_by_number() {
        for (name, text, _) in NAMES {
            assert_eq!(AllocatorName::parse(text.as_bytes()), Ok(name));
            assert_eq!(AllocatorName::from_i32(name as i32), Ok(name));
            assert_eq!(name.as_str(), text);
        }
        assert_eq!(AllocatorName::parse(b"Malloc"), Err(SelectError::UnknownName));
        assert_eq!(AllocatorName::from_i32(9), Err(SelectError::UnknownNumber));
    }

    #[test]
    fn the_error_of_an_unknown_name_lists_the_valid_ones() {
        let text = SelectError::UnknownName.as_str();
        let (first, list) = text.split_once("; valid names are ").expect("a list");
        assert_eq!(first, "PYTHONMALLOC: unknown allocator");
        let listed: std::vec::Vec<_> = list.split(", ").collect();
        let built: std::vec::Vec<_> =
            NAMES[1..].iter().filter(|(name, ..)| name.heap_kind().is_ok()).map(|(_, text, _)| *text).collect();
        assert_eq!(listed, built);
    }

    #[test]
    fn the_list_has_a_line_for_each_name() {
        let mut text = String::new();
        AllocatorName::write_list(&mut text).expect("a String takes everything");
        assert_eq!(text.lines().count(), NAMES.len());
        for (line, (name, ..)) in text.lines().skip(1).zip(&NAMES[1..]) {
            assert_eq!(line.contains("(not in this build)"), name.heap_kind().is_err(), "{line}");
        }
        let default = AllocatorName::Default.resolve().as_str();
        assert!(text.contains(&std::format!("what this build prefers; here {default}\n")), "{text}");
    }

    #[test]
    fn a_name_that_is_not_built_is_refused() {
        for (name, ..) in NAMES {
            let missing = match name {
                AllocatorName::Pymalloc | AllocatorName::PymallocDebug => !cfg!(feature = "pymalloc"),
                AllocatorName::Mimalloc | AllocatorName::MimallocDebug => !cfg!(feature = "mimalloc"),
                _ => false,
            };
            assert_eq!(name.heap_kind().is_err(), missing);
        }
    }

    /// A debug build prefers the hooks, a release build does not.
    #[test]
    fn the_default_follows_the_build() {
        assert_eq!(AllocatorName::Default.resolve().has_debug_hooks(), cfg!(debug_assertions));
        assert!(AllocatorName::Debug.resolve().has_debug_hooks());
    }

    #[test]
    fn what_was_selected_is_named() {
        let _turn = turn();
        for (name, ..) in &NAMES[1..] {
            if name.heap_kind().is_ok() {
                select(*name).expect("it is built");
                assert_eq!(current_name(), Some(name.resolve()));
            }
        }
    }

    #[test]
    fn a_setter_is_not_lost_silently() {
        let _turn = turn();
        for domain in Domain::ALL {
            let own = get_allocator(domain);
            let other = crate::PyMemAllocatorEx { ctx: ptr::without_provenance_mut(16), ..own };
            // SAFETY: the functions do not look at their context, and nobody else runs.
            unsafe { set_allocator(domain, other) };
            assert_eq!(select(AllocatorName::Malloc), Err(SelectError::WouldLose(domain)));
            assert_eq!(get_allocator(domain), other);
            assert_eq!(select(AllocatorName::NotSet), Ok(()));
            // SAFETY: as it was.
            unsafe { set_allocator(domain, own) };
        }
        crate::setup_debug_hooks();
        assert_eq!(select(AllocatorName::Malloc), Err(SelectError::WouldLoseHooks));
        assert_eq!(select(AllocatorName::MallocDebug), Ok(()));
        assert_eq!(select(AllocatorName::Malloc), Ok(()), "a selection may be followed by another");
    }
}
