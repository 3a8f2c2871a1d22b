//! Where the library itself lies in memory: this code, and its static data, in a command or a shared object.
//!
//! An image names what is there by its distance from one place, as the whole lies elsewhere in the next process.

use core::ffi::{c_int, c_void};

use super::Unfit;

/// A part of the library, for the others to be measured from.
static HERE: u8 = 0;

/// The place from which distances count.
#[inline(always)]
pub(super) fn base() -> usize {
    (&raw const HERE).addr()
}

/// The distance of an address in the library.
pub(super) fn offset(address: usize) -> Result<u32, Unfit> {
    match i32::try_from(address.wrapping_sub(base()).cast_signed()) {
        Ok(offset) => Ok(offset.cast_unsigned()),
        Err(_) => Err(Unfit::Because(c"something lies neither in a template nor in the library")),
    }
}

/// The address at a distance.
#[inline(always)]
pub(super) fn address(offset: u32) -> *const u8 {
    let address = base().wrapping_add_signed(offset.cast_signed() as isize);
    core::ptr::with_exposed_provenance(address)
}

/// What the library takes of the address space.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    start: usize,
    end: usize,
    /// Whether it lies elsewhere in another process.
    pub(super) is_relocated: bool,
}

impl Extent {
    pub(super) fn has(&self, address: usize) -> bool {
        (self.start..self.end).contains(&address)
    }
}

/// Where the library lies; None when the system does not say.
pub(super) fn extent() -> Option<Extent> {
    let mut found: Option<Extent> = None;
    // SAFETY: the function keeps to what it is given, during the call.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut found).cast()) };
    found
}

unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _size: usize, found: *mut c_void) -> c_int {
    // SAFETY: the system's call gives a whole record, and headers as many as it says.
    let (info, headers) = unsafe {
        let info = &*info;
        (info, core::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()))
    };
    let loaded = headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    let bounds = loaded.map(|header| {
        let start = (info.dlpi_addr + header.p_vaddr) as usize;
        (start, start + header.p_memsz as usize)
    });
    let start = bounds.clone().map(|(start, _)| start).min().unwrap_or(0);
    let end = bounds.map(|(_, end)| end).max().unwrap_or(0);
    if !(start..end).contains(&base()) {
        return 0;
    }
    // SAFETY: `extent` has passed it.
    unsafe { found.cast::<Option<Extent>>().write(Some(Extent { start, end, is_relocated: info.dlpi_addr != 0 })) };
    1
}
