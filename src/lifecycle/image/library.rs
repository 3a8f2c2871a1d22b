//! Where the library itself lies in memory: this code, and its static data, in a command or a shared object.
//!
//! An image names what is there by its distance from one place, as the whole lies elsewhere in the next process.

use core::ffi::{c_int, c_void};

use hognose_allocators::{Raw, TryVec};

use super::{Place, Target, Unfit};

/// A part of the library, for the others to be measured from.
static HERE: u8 = 0;

/// The place from which distances count.
#[inline(always)]
pub(super) fn base() -> usize {
    (&raw const HERE).addr()
}

/// An address as a distance, however far it is.
pub(super) fn distance(address: usize) -> Place {
    Place::new(Target::LIBRARY, address.wrapping_sub(base()).cast_signed() as i64)
}

/// The address at a distance.
#[inline(always)]
pub(super) fn address(offset: i64) -> *const u8 {
    core::ptr::with_exposed_provenance(base().wrapping_add_signed(offset as isize))
}

/// What the place at a distance, at which the dynamic linker has put the address of exported data, holds.
pub(super) fn exported(slot: u32) -> *const u8 {
    // SAFETY: `Anchors` has found it to be such a place; it is written before the library is used.
    unsafe { address(slot.cast_signed().into()).cast::<*const u8>().read() }
}

/// Where something is that lies in the library.
pub(super) fn find(place: Place, anchors: &[u32]) -> *const u8 {
    if place.target == Target::LIBRARY {
        return address(place.offset);
    }
    exported(anchors[(place.target.0 - Target::FIRST_ANCHOR) as usize]).wrapping_offset(place.offset as isize)
}

/// Parts of a library of which each has a place of its own in the file.
const SEGMENTS: usize = 8;

/// What the library takes of the address space.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    start: usize,
    end: usize,
    /// Whether it lies elsewhere in another process.
    pub(super) is_relocated: bool,
    /// What is added to the addresses in its file.
    load: usize,
    /// Its dynamic section, or 0.
    dynamic: usize,
    segments: [Segment; SEGMENTS],
}

/// Addresses, and where in the file what lies there comes from.
#[derive(Clone, Copy, Default)]
struct Segment {
    start: usize,
    size: usize,
    offset: usize,
    is_written: bool,
}

impl Extent {
    pub(super) fn has(&self, address: usize) -> bool {
        (self.start..self.end).contains(&address)
    }

    /// Where in the file so many bytes come from.
    pub(super) fn in_file(&self, address: usize, size: usize) -> Option<core::ops::Range<usize>> {
        let holds = |segment: &&Segment| address >= segment.start && address + size <= segment.start + segment.size;
        let segment = self.segments.iter().find(holds)?;
        let first = address - segment.start + segment.offset;
        Some(first..first + size)
    }

    /// Whether a file has in it what this library consists of, but for what is written to in memory, and the given part.
    pub(super) fn is_from(&self, file: &[u8], except: core::ops::Range<usize>) -> bool {
        let loaded = |offset: usize, segment: &Segment| {
            let start = core::ptr::with_exposed_provenance::<u8>(segment.start + offset - segment.offset);
            move |size| {
                // SAFETY: the caller keeps to the segment, which is loaded, and which nobody writes to.
                unsafe { core::slice::from_raw_parts(start, size) }
            }
        };
        self.segments.iter().filter(|segment| segment.size != 0 && !segment.is_written).all(|segment| {
            let (first, last) = (segment.offset, segment.offset + segment.size);
            let before = first..except.start.clamp(first, last);
            let behind = except.end.clamp(first, last)..last;
            [before, behind].into_iter().all(|part| {
                let in_memory = loaded(part.start, segment)(part.len());
                file.get(part) == Some(in_memory)
            })
        })
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
    let start_of = |header: &libc::Elf64_Phdr| (info.dlpi_addr + header.p_vaddr) as usize;
    let bounds = loaded.clone().map(|header| (start_of(header), start_of(header) + header.p_memsz as usize));
    let mut segments = [Segment::default(); SEGMENTS];
    for (segment, header) in segments.iter_mut().zip(loaded) {
        *segment = Segment {
            start: start_of(header),
            size: header.p_filesz as usize,
            offset: header.p_offset as usize,
            is_written: header.p_flags & libc::PF_W != 0,
        };
    }
    let start = bounds.clone().map(|(start, _)| start).min().unwrap_or(0);
    let end = bounds.map(|(_, end)| end).max().unwrap_or(0);
    if !(start..end).contains(&base()) {
        return 0;
    }
    let dynamic = headers.iter().find(|header| header.p_type == libc::PT_DYNAMIC).map_or(0, start_of);
    let load = info.dlpi_addr as usize;
    let extent = Extent { start, end, is_relocated: load != 0, load, dynamic, segments };
    // SAFETY: `extent` has passed it.
    unsafe { found.cast::<Option<Extent>>().write(Some(extent)) };
    1
}

/// Exported data: the dynamic linker may have put it elsewhere, into a program that names it (a copy relocation), and the
/// library goes by the address that it was told.
#[derive(Clone, Copy)]
struct Exported {
    start: usize,
    size: usize,
    /// Where in the library the address is told, as a distance.
    slot: u32,
}

/// What an image that is to be stored may name in the library.
pub(super) struct Anchors {
    extent: Extent,
    all: TryVec<Exported, Raw>,
    /// The slots of those that are named.
    pub(super) used: TryVec<u32, Raw>,
}

impl Anchors {
    /// Those of this library; None when it lies at one address for ever, and addresses are numbers like others.
    pub(super) fn of_library() -> Result<Option<Anchors>, Unfit> {
        let Some(extent) = extent().filter(|extent| extent.is_relocated) else { return Ok(None) };
        let mut all = TryVec::new_in(Raw);
        extent.each_exported(&mut |start, size, slot| {
            let slot = near(slot)?;
            Ok(all.try_push(Exported { start, size, slot })?)
        })?;
        Ok(Some(Anchors { extent, all, used: TryVec::new_in(Raw) }))
    }

    /// Whether an address is of the library, or of data that it exports.
    pub(super) fn has(&self, address: usize) -> bool {
        self.extent.has(address) || self.exported(address).is_some()
    }

    fn exported(&self, address: usize) -> Option<Exported> {
        self.all.iter().find(|found| address.wrapping_sub(found.start) < found.size).copied()
    }

    /// How an image names such an address.
    pub(super) fn place(&mut self, address: usize) -> Result<Place, Unfit> {
        let Some(found) = self.exported(address) else {
            let offset = near(address)?.cast_signed();
            return Ok(Place::new(Target::LIBRARY, offset.into()));
        };
        let offset = (address - found.start) as i64;
        let number = match self.used.iter().position(|slot| *slot == found.slot) {
            Some(number) => number,
            None => {
                self.used.try_push(found.slot)?;
                self.used.len() - 1
            }
        };
        if number >= Target::MOST_ANCHORS as usize {
            return Err(Unfit::Because(c"the image names too much of what the library exports"));
        }
        Ok(Place::new(Target(Target::FIRST_ANCHOR + number as u32), offset))
    }
}

/// The distance of an address in the library.
fn near(address: usize) -> Result<u32, Unfit> {
    match i32::try_from(address.wrapping_sub(base()).cast_signed()) {
        Ok(offset) => Ok(offset.cast_unsigned()),
        Err(_) => Err(Unfit::Because(c"something lies neither in a template nor in the library")),
    }
}

impl Extent {
    /// Calls `f` with the start and the size of each piece of data that the library exports, and with where its address is
    /// told to the library.
    fn each_exported(&self, f: &mut dyn FnMut(usize, usize, usize) -> Result<(), Unfit>) -> Result<(), Unfit> {
        let load = self.load;
        // The dynamic linker may have made addresses of what the file has as distances.
        let absolute = |value: u64| if (value as usize) < load { load + value as usize } else { value as usize };
        let (mut symbols, mut entries, mut size) = (0, 0, 0);
        // SAFETY: the dynamic section of a loaded library, which ends with an entry of tag 0.
        unsafe {
            let mut entry = core::ptr::with_exposed_provenance::<[u64; 2]>(self.dynamic);
            while self.dynamic != 0 && (*entry)[0] != 0 {
                let [tag, value] = *entry;
                match tag {
                    DT_SYMTAB => symbols = absolute(value),
                    DT_RELA => entries = absolute(value),
                    DT_RELASZ => size = value as usize,
                    _ => {}
                }
                entry = entry.add(1);
            }
        }
        if symbols == 0 || entries == 0 {
            return Ok(());
        }
        // SAFETY: the tables are as the section says, and stay while the library is loaded.
        let entries = unsafe {
            let start = core::ptr::with_exposed_provenance::<Relocation>(entries);
            core::slice::from_raw_parts(start, size / size_of::<Relocation>())
        };
        for entry in entries {
            let (kind, number) = (entry.info as u32, (entry.info >> 32) as usize);
            if !matches!(kind, R_X86_64_64 | R_X86_64_GLOB_DAT) || entry.addend != 0 {
                continue;
            }
            // SAFETY: relocations name symbols of the table.
            let symbol = unsafe { &*core::ptr::with_exposed_provenance::<libc::Elf64_Sym>(symbols).add(number) };
            if symbol.st_info & 15 == STT_OBJECT && symbol.st_shndx != 0 && symbol.st_size != 0 {
                let slot = load + entry.offset as usize;
                // SAFETY: the dynamic linker has written an address there.
                let start = unsafe { core::ptr::with_exposed_provenance::<usize>(slot).read() };
                f(start, symbol.st_size as usize, slot)?;
            }
        }
        Ok(())
    }
}

/// `Elf64_Rela`.
#[repr(C)]
struct Relocation {
    offset: u64,
    info: u64,
    addend: i64,
}

const DT_SYMTAB: u64 = 6;
const DT_RELA: u64 = 7;
const DT_RELASZ: u64 = 8;
const R_X86_64_64: u32 = 1;
const R_X86_64_GLOB_DAT: u32 = 6;
const STT_OBJECT: u8 = 1;
