//! What is looked up in CPython, by name, when the library is loaded.

use core::ffi::{CStr, c_void};
use core::fmt;
use core::mem::transmute;

use domains::{Domain, PyMemAllocatorEx};

type SetAllocator = unsafe extern "C" fn(i32, *mut PyMemAllocatorEx);
type Get = unsafe extern "C" fn() -> *mut c_void;
type Next = unsafe extern "C" fn(*mut c_void) -> *mut c_void;

/// The functions of the process's CPython.
#[derive(Clone, Copy)]
pub(crate) struct Python {
    set_allocator: SetAllocator,
    /// `Py_Version`, `0xMMmmppxx`; 0 before 3.11, which does not have it.
    version: usize,
    free_threaded: bool,
    attached: Option<Get>,
    this_thread: Option<Get>,
    head: Option<Get>,
    next: Option<Next>,
}

/// Why a CPython is not one for these tables.
pub(crate) enum Unfit {
    /// Not 3.11 to 3.14.
    Version(usize),
    /// The build without a GIL wants its own allocator for objects.
    FreeThreaded,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = "; unset LD_PRELOAD or set HOGNOSE_MALLOC=off";
        match self {
            Self::Version(0) => write!(f, "this CPython is older than 3.11, and was never tried{advice}"),
            Self::Version(n) => {
                write!(f, "CPython {}.{} was never tried, only 3.11 to 3.14{advice}", n >> 24, n >> 16 & 0xff)
            }
            Self::FreeThreaded => {
                write!(f, "the free-threaded build of CPython needs its own allocator for objects{advice}")
            }
        }
    }
}

fn symbol(name: &CStr) -> *mut c_void {
    // SAFETY: any name may be asked for.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

fn getter(name: &CStr) -> Option<Get> {
    let at = symbol(name);
    // SAFETY: the names that are asked for are those of functions that take nothing and return a pointer.
    (!at.is_null()).then(|| unsafe { transmute::<*mut c_void, Get>(at) })
}

impl Python {
    /// The CPython of the process, if there is one by now: everything that the program was linked with is loaded, and
    /// what these functions are made of is static data, so they can be called before the constructors of CPython.
    pub(crate) fn find() -> Option<Self> {
        let set_allocator = symbol(c"PyMem_SetAllocator");
        if set_allocator.is_null() {
            return None;
        }
        let version = symbol(c"Py_Version").cast::<usize>();
        let next = symbol(c"PyInterpreterState_Next");
        Some(Self {
            // SAFETY: the signature of the documented function of that name.
            set_allocator: unsafe { transmute::<*mut c_void, SetAllocator>(set_allocator) },
            // SAFETY: `Py_Version` is a constant of type `unsigned long`.
            version: if version.is_null() { 0 } else { unsafe { version.read() } },
            free_threaded: !symbol(c"_Py_DecRefShared").is_null(),
            attached: getter(c"PyThreadState_GetUnchecked").or_else(|| getter(c"_PyThreadState_UncheckedGet")),
            this_thread: getter(c"PyGILState_GetThisThreadState"),
            head: getter(c"PyInterpreterState_Head"),
            // SAFETY: the signature of the documented function of that name.
            next: (!next.is_null()).then(|| unsafe { transmute::<*mut c_void, Next>(next) }),
        })
    }

    /// Whether the tables are for this CPython.
    pub(crate) fn check(&self) -> Result<(), Unfit> {
        if self.free_threaded {
            return Err(Unfit::FreeThreaded);
        }
        match (self.version >> 24, self.version >> 16 & 0xff) {
            (3, 11..=14) => Ok(()),
            _ => Err(Unfit::Version(self.version)),
        }
    }

    /// Major, minor and micro version.
    pub(crate) fn version(&self) -> [usize; 3] {
        [self.version >> 24, self.version >> 16 & 0xff, self.version >> 8 & 0xff]
    }

    /// Installs a table. CPython is not initialized, and this is the only thread.
    pub(crate) fn set_allocator(&self, domain: Domain, mut table: PyMemAllocatorEx) {
        // SAFETY: the table is an allocator, and is copied.
        unsafe { (self.set_allocator)(domain as i32, &raw mut table) };
    }

    /// Whether the calling thread holds the only GIL, so that no other thread is in the mem or obj domain.
    pub(crate) fn is_alone(&self) -> bool {
        let (Some(attached), Some(this_thread), Some(head), Some(next)) =
            (self.attached, self.this_thread, self.head, self.next)
        else {
            return false;
        };
        // SAFETY: the four functions only look; the first two need no GIL, and the others are called with it.
        unsafe {
            let state = attached();
            if state.is_null() || state != this_thread() {
                return false;
            }
            let first = head();
            !first.is_null() && next(first).is_null()
        }
    }
}
