//! The names of the allocators: numbers, `PYTHONMALLOC` texts, and what each name installs.

use core::fmt;
use core::sync::atomic::{AtomicI32, Ordering};

use crate::domain::Domain;
use crate::heap::HeapKind;
use crate::{debug, table};

/// The name of a set of allocators. The numbers are those of C's `PyMemAllocatorName` header.
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
}

impl SelectError {
    /// The message that pre-initialization reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownName => "PYTHONMALLOC: unknown allocator",
            Self::UnknownNumber => "Unknown PYTHONMALLOC allocator",
            Self::NotBuilt(_) => "PYTHONMALLOC: allocator not supported by this build",
        }
    }
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::error::Error for SelectError {}

const NAMES: [(AllocatorName, &str); 9] = [
    (AllocatorName::NotSet, ""),
    (AllocatorName::Default, "default"),
    (AllocatorName::Debug, "debug"),
    (AllocatorName::Malloc, "malloc"),
    (AllocatorName::MallocDebug, "malloc_debug"),
    (AllocatorName::Pymalloc, "pymalloc"),
    (AllocatorName::PymallocDebug, "pymalloc_debug"),
    (AllocatorName::Mimalloc, "mimalloc"),
    (AllocatorName::MimallocDebug, "mimalloc_debug"),
];

impl AllocatorName {
    /// Reads the value of `PYTHONMALLOC`; case matters, empty means not set.
    pub fn parse(text: &[u8]) -> Result<Self, SelectError> {
        let found = NAMES.iter().find(|(_, name)| name.as_bytes() == text);
        found.map(|(name, _)| *name).ok_or(SelectError::UnknownName)
    }

    /// The name of a C number.
    pub fn from_i32(number: i32) -> Result<Self, SelectError> {
        let found = NAMES.iter().find(|(name, _)| *name as i32 == number);
        found.map(|(name, _)| *name).ok_or(SelectError::UnknownNumber)
    }

    /// The text that `PYTHONMALLOC` takes; empty for not set.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// Replaces `Default` and `Debug` by what they mean in this build.
    #[must_use]
    pub const fn resolve(self) -> Self {
        match self {
            Self::Default if cfg!(feature = "pymalloc") => Self::Pymalloc,
            Self::Default => Self::Malloc,
            Self::Debug if cfg!(feature = "pymalloc") => Self::PymallocDebug,
            Self::Debug => Self::MallocDebug,
            other => other,
        }
    }

    /// Whether the debug hooks are part of it.
    #[must_use]
    pub const fn has_debug_hooks(self) -> bool {
        matches!(self, Self::Debug | Self::MallocDebug | Self::PymallocDebug | Self::MimallocDebug)
    }

    /// The kind of heap that serves `mem` and `obj` under this name. `NotSet` counts as `Default`.
    pub fn heap_kind(self) -> Result<HeapKind, SelectError> {
        let name = match self {
            Self::NotSet => Self::Default.resolve(),
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

/// Installs the tables of an allocator, replacing whatever was there: for pre-initialization, when no
/// block of `mem` and `obj` lives. `NotSet` changes nothing.
pub fn select(name: AllocatorName) -> Result<(), SelectError> {
    if name == AllocatorName::NotSet {
        return Ok(());
    }
    name.heap_kind()?;
    let mut writer = table::WRITER.lock();
    for domain in Domain::ALL {
        table::install(&mut writer, domain, table::builtin(domain).given);
        if name.has_debug_hooks() {
            debug::install(&mut writer, domain);
        }
    }
    SELECTED.store(name.resolve() as i32, Ordering::Release);
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
        if !table::is_builtin(domain, below) {
            return None;
        }
        hooked[domain.index()] = !core::ptr::eq(top, below);
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
