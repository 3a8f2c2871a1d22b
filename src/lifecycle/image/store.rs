//! Putting the start image into the library, which the build does once.

use core::ffi::CStr;

use hognose_allocators::{Raw, TryVec};

use super::{Image, Unfit, library, stored};
use crate::config::{ConfigKind, PyConfig, PyStatus, StatusResult};
use crate::lifecycle::{finalize, init};
use crate::object::StaticType;
use crate::state::ThreadState;

const STEP: &CStr = c"Hog_StoreStartImage";

/// Initializes the runtime, notes what it has then, finalizes it, and writes that into `file`: a copy of the command or
/// the shared object that this code is in. What was there before is replaced. In a command at a fixed address the static
/// types are completed as well.
///
/// An error status when the runtime is initialized already, when the file is another one or cannot be written, or when the
/// interpreter consists of something that another process could not have. The file is then as it was, unless the system has
/// failed to write all of it.
pub fn store(file: &std::path::Path) -> StatusResult {
    if init::is_initialized() {
        return Err(PyStatus::error_in(STEP, c"the runtime is initialized"));
    }
    let mut bytes = std::fs::read(file).map_err(|_| PyStatus::error_in(STEP, c"the file cannot be read"))?;
    let Some((start, capacity)) = stored::find_in(&bytes) else {
        return Err(PyStatus::error_in(STEP, c"the file has no space for a start image"));
    };
    let extent = library::extent();
    let space = start..start + stored::HEAD + capacity;
    if !extent.is_some_and(|extent| extent.is_from(&bytes, space)) {
        return Err(PyStatus::error_in(STEP, c"the file is not a copy of what runs"));
    }
    let mut config = PyConfig::new(ConfigKind::Isolated);
    (config.use_hash_seed, config.hash_seed, config.site_import) = (1, 0, 0);
    let started = init::initialize(&config);
    config.clear();
    started?;
    let ts = ThreadState::current();
    let is_fixed = extent.is_some_and(|extent| !extent.is_relocated);
    let made = super::make(ts, true).and_then(|image| {
        check(&image)?;
        Ok((stored::encode(ts, &image, is_fixed)?, types_of(ts)?))
    });
    finalize::finalize();
    let (words, types) = made.map_err(|unfit| match unfit {
        Unfit::Memory => PyStatus::no_memory(),
        Unfit::Because(reason) => PyStatus::error_in(STEP, reason),
    })?;
    if size_of_val(&*words) > capacity {
        return Err(PyStatus::error_in(STEP, c"the space is too small for the start image"));
    }
    stored::put(&mut bytes, start, &words);
    if let Some(extent) = extent.filter(|_| is_fixed) {
        put_types(&mut bytes, &extent, &types)?;
    }
    std::fs::write(file, &bytes).map_err(|_| PyStatus::error_in(STEP, c"the file cannot be written"))
}

/// The static types that are ready.
fn types_of(ts: &ThreadState) -> Result<TryVec<&'static StaticType, Raw>, Unfit> {
    let mut types = TryVec::new_in(Raw);
    ts.interp().each_static_type(|typ| Ok::<(), Unfit>(types.try_push(typ)?))?;
    Ok(types)
}

/// Has the file hold static types as they are in this process: ready, as a second life of the runtime would find them.
fn put_types(file: &mut [u8], extent: &library::Extent, types: &[&'static StaticType]) -> StatusResult {
    for typ in types {
        let size = core::mem::offset_of!(StaticType, spec);
        let place = extent.in_file(core::ptr::from_ref(*typ).addr(), size).and_then(|place| file.get_mut(place));
        let Some(place) = place else {
            return Err(PyStatus::error_in(STEP, c"a built-in type is not in the file"));
        };
        // SAFETY: the type's own bytes, to which nobody writes: the runtime is finalized.
        place.copy_from_slice(unsafe { core::slice::from_raw_parts(core::ptr::from_ref(*typ).cast::<u8>(), size) });
    }
    Ok(())
}

/// Nothing in the image may name what only this process has. Below, where a command at a fixed address and its heap lie,
/// numbers look like addresses; the shared object, which has the same in it, lies above.
fn check(image: &Image) -> Result<(), Unfit> {
    const LOW: usize = 1 << 32;
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else {
        return Err(Unfit::Because(c"what memory the process has cannot be read"));
    };
    let mut ranges = TryVec::<(usize, usize), Raw>::new_in(Raw);
    for line in maps.lines() {
        let number = |text| usize::from_str_radix(text, 16).ok();
        let bounds = line.split_once(' ').and_then(|(bounds, _)| bounds.split_once('-'));
        if let Some((Some(start), Some(end))) = bounds.map(|(start, end)| (number(start), number(end))) {
            ranges.try_push((start, end))?;
        }
    }
    let library = library::Anchors::of_library()?;
    let is_address = |word: usize| {
        word >= LOW
            && !library.as_ref().is_some_and(|library| library.has(word))
            && ranges.iter().any(|(start, end)| (*start..*end).contains(&word))
    };
    let common = image.common.memory.iter().flat_map(|pair| [*pair as usize, (*pair >> 64) as usize]);
    // Not the interpreter's own fields, between which there are bytes that mean nothing.
    if image.bytes.iter().map(|word| *word as usize).chain(common).any(is_address) {
        return Err(Unfit::Because(c"something is named that only this process has"));
    }
    Ok(())
}
