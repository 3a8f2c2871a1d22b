//! The allocators that are compared: each is a type with four functions for each domain.

use std::ffi::{CStr, CString, c_char, c_void};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An allocator, called as a C program would call it.
pub trait Peer {
    fn malloc(domain: usize, size: usize) -> *mut c_void;
    fn calloc(domain: usize, n: usize, size: usize) -> *mut c_void;
    fn realloc(domain: usize, p: *mut c_void, size: usize) -> *mut c_void;
    fn free(domain: usize, p: *mut c_void);
}

macro_rules! by_domain {
    ($name:ident, $raw:expr, $mem:expr, $obj:expr) => {
        pub struct $name;
        impl Peer for $name {
            #[inline(always)]
            fn malloc(domain: usize, size: usize) -> *mut c_void {
                match domain {
                    0 => $raw.0(size),
                    1 => $mem.0(size),
                    _ => $obj.0(size),
                }
            }
            #[inline(always)]
            fn calloc(domain: usize, n: usize, size: usize) -> *mut c_void {
                match domain {
                    0 => $raw.1(n, size),
                    1 => $mem.1(n, size),
                    _ => $obj.1(n, size),
                }
            }
            #[inline(always)]
            fn realloc(domain: usize, p: *mut c_void, size: usize) -> *mut c_void {
                // SAFETY: the cases pass live blocks of the domain.
                unsafe {
                    match domain {
                        0 => $raw.2(p, size),
                        1 => $mem.2(p, size),
                        _ => $obj.2(p, size),
                    }
                }
            }
            #[inline(always)]
            fn free(domain: usize, p: *mut c_void) {
                // SAFETY: as above.
                unsafe {
                    match domain {
                        0 => $raw.3(p),
                        1 => $mem.3(p),
                        _ => $obj.3(p),
                    }
                }
            }
        }
    };
}

use hognose_peers as hog;
by_domain!(
    Linked,
    (hog::hog_raw_malloc, hog::hog_raw_calloc, hog::hog_raw_realloc, hog::hog_raw_free),
    (hog::hog_mem_malloc, hog::hog_mem_calloc, hog::hog_mem_realloc, hog::hog_mem_free),
    (hog::hog_obj_malloc, hog::hog_obj_calloc, hog::hog_obj_realloc, hog::hog_obj_free)
);

macro_rules! by_functions {
    ($name:ident, $malloc:path, $calloc:path, $realloc:path, $free:path) => {
        pub struct $name;
        impl Peer for $name {
            #[inline(always)]
            fn malloc(_: usize, size: usize) -> *mut c_void {
                // SAFETY: any size may be asked for.
                unsafe { $malloc(size as _).cast() }
            }
            #[inline(always)]
            fn calloc(_: usize, n: usize, size: usize) -> *mut c_void {
                // SAFETY: any size may be asked for.
                unsafe { $calloc(n as _, size as _).cast() }
            }
            #[inline(always)]
            fn realloc(_: usize, p: *mut c_void, size: usize) -> *mut c_void {
                // SAFETY: the cases pass live blocks.
                unsafe { $realloc(p.cast(), size as _).cast() }
            }
            #[inline(always)]
            fn free(_: usize, p: *mut c_void) {
                // SAFETY: the cases pass live blocks.
                unsafe { $free(p.cast()) }
            }
        }
    };
}

by_functions!(System, libc::malloc, libc::calloc, libc::realloc, libc::free);
by_functions!(
    Mimalloc,
    libmimalloc_sys::mi_malloc,
    libmimalloc_sys::mi_calloc,
    libmimalloc_sys::mi_realloc,
    libmimalloc_sys::mi_free
);
#[cfg(feature = "jemalloc")]
by_functions!(
    Jemalloc,
    tikv_jemalloc_sys::malloc,
    tikv_jemalloc_sys::calloc,
    tikv_jemalloc_sys::realloc,
    tikv_jemalloc_sys::free
);

#[cfg(feature = "snmalloc")]
mod snmalloc {
    use std::ffi::c_void;

    use super::Peer;
    #[allow(unused_imports, reason = "links the library")]
    use snmalloc_sys as _;

    unsafe extern "C" {
        fn sn_malloc(size: usize) -> *mut c_void;
        fn sn_calloc(n: usize, size: usize) -> *mut c_void;
        fn sn_realloc(p: *mut c_void, size: usize) -> *mut c_void;
        fn sn_free(p: *mut c_void);
    }
    by_functions!(Snmalloc, sn_malloc, sn_calloc, sn_realloc, sn_free);
}
#[cfg(feature = "snmalloc")]
pub use snmalloc::Snmalloc;

/* ---- Libraries that are opened ---- */

/// Twelve functions, as their addresses: malloc, calloc, realloc and free of raw, mem and obj.
static OPENED: [AtomicUsize; 12] = [const { AtomicUsize::new(0) }; 12];

pub struct Opened;

#[inline(always)]
fn opened(domain: usize, which: usize) -> usize {
    OPENED[domain * 4 + which].load(Ordering::Relaxed)
}

// SAFETY, for all four: `open` stored functions of these types.
impl Peer for Opened {
    #[inline(always)]
    fn malloc(domain: usize, size: usize) -> *mut c_void {
        // SAFETY: see above.
        unsafe { std::mem::transmute::<usize, extern "C" fn(usize) -> *mut c_void>(opened(domain, 0))(size) }
    }
    #[inline(always)]
    fn calloc(domain: usize, n: usize, size: usize) -> *mut c_void {
        // SAFETY: see above.
        unsafe { std::mem::transmute::<usize, extern "C" fn(usize, usize) -> *mut c_void>(opened(domain, 1))(n, size) }
    }
    #[inline(always)]
    fn realloc(domain: usize, p: *mut c_void, size: usize) -> *mut c_void {
        // SAFETY: see above.
        unsafe {
            std::mem::transmute::<usize, extern "C" fn(*mut c_void, usize) -> *mut c_void>(opened(domain, 2))(p, size)
        }
    }
    #[inline(always)]
    fn free(domain: usize, p: *mut c_void) {
        // SAFETY: see above.
        unsafe { std::mem::transmute::<usize, extern "C" fn(*mut c_void)>(opened(domain, 3))(p) }
    }
}

fn library(path: &str) -> Result<*mut c_void, String> {
    let name = CString::new(path).map_err(|e| e.to_string())?;
    // SAFETY: a library's initializers are what its authors made them.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
    if handle.is_null() {
        // SAFETY: after a failure there is a text.
        return Err(unsafe { CStr::from_ptr(libc::dlerror()) }.to_string_lossy().into_owned());
    }
    Ok(handle)
}

fn symbol(handle: *mut c_void, name: &str) -> Result<usize, String> {
    let text = CString::new(name).map_err(|e| e.to_string())?;
    // SAFETY: the handle is open.
    let at = unsafe { libc::dlsym(handle, text.as_ptr()) };
    if at.is_null() { Err(format!("no {name}")) } else { Ok(at as usize) }
}

fn fill(handle: *mut c_void, prefixes: [&str; 3], names: [&str; 4]) -> Result<(), String> {
    for (domain, prefix) in prefixes.iter().enumerate() {
        for (which, name) in names.iter().enumerate() {
            OPENED[domain * 4 + which].store(symbol(handle, &format!("{prefix}{name}"))?, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Opens our shared library, and starts it with an allocator.
pub fn open_hognose(name: i32) -> Result<(), String> {
    let exe = std::env::current_exe().map_err(|e| e.to_string())?;
    let path = exe.with_file_name("libhognose_peers.so");
    let handle = library(&path.to_string_lossy())?;
    fill(handle, ["hog_raw_", "hog_mem_", "hog_obj_"], ["malloc", "calloc", "realloc", "free"])?;
    // SAFETY: the function's type.
    let start: extern "C" fn(i32) -> *mut c_void = unsafe { std::mem::transmute(symbol(handle, "hog_start")?) };
    if start(name).is_null() { Err("not started".into()) } else { Ok(()) }
}

/// Where a CPython 3.13's library and home are, if there is one.
pub fn find_cpython() -> Option<(String, String)> {
    const SAY: &str = "import sys,sysconfig as s;assert sys.version_info[:2]==(3,13);\
        print(s.get_config_var('LIBDIR')+'/'+s.get_config_var('LDLIBRARY'));print(sys.base_prefix)";
    let given = std::env::var("PEER_PYTHON").ok();
    let names = given.iter().map(String::as_str).chain(["python3.13", "python3"]);
    names.filter_map(|name| Command::new(name).args(["-c", SAY]).output().ok()).find_map(|output| {
        let text = String::from_utf8(output.stdout).ok()?;
        let mut lines = text.lines();
        let (library, home) = (lines.next()?.to_owned(), lines.next()?.to_owned());
        library.contains(".so").then_some((library, home))
    })
}

/// Opens CPython and starts it; the allocator is what `PYTHONMALLOC` says.
pub fn open_cpython() -> Result<(), String> {
    let (path, home) = find_cpython().ok_or("no CPython 3.13 with a shared library (PEER_PYTHON names one)")?;
    // SAFETY: no other thread runs.
    unsafe { std::env::set_var("PYTHONHOME", home) };
    let handle = library(&path)?;
    fill(handle, ["PyMem_Raw", "PyMem_", "PyObject_"], ["Malloc", "Calloc", "Realloc", "Free"])?;
    // SAFETY: the functions' types.
    unsafe {
        let start: extern "C" fn(i32) = std::mem::transmute(symbol(handle, "Py_InitializeEx")?);
        let version: extern "C" fn() -> *const c_char = std::mem::transmute(symbol(handle, "Py_GetVersion")?);
        start(0);
        assert!(!version().is_null());
    }
    Ok(())
}
