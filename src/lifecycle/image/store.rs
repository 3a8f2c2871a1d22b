//! Putting the start image into the library, which the build does once.

use core::ffi::CStr;

use hognose_allocators::{Raw, TryVec};

use super::{Image, Unfit, library, stored};
use crate::config::{ConfigKind, PyConfig, PyStatus, StatusResult};
use crate::lifecycle::{finalize, init};
use crate::state::ThreadState;

const STEP: &CStr = c"Hog_StoreStartImage";

/// Initializes the runtime, notes what it has then, finalizes it, and writes that into `file`: a copy of the command or
/// the shared object that this code is in. What was there before is replaced.
///
/// An error status when the runtime is initialized already, when the file is another one or cannot be written, or when the
/// interpreter consists of something that another process could not have. The file is then as it was.
pub fn store(file: &std::path::Path) -> StatusResult {
    if init::is_initialized() {
        return Err(PyStatus::error_in(STEP, c"the runtime is initialized"));
    }
    let mut bytes = std::fs::read(file).map_err(|_| PyStatus::error_in(STEP, c"the file cannot be read"))?;
    let Some((start, capacity)) = stored::find_in(&bytes) else {
        return Err(PyStatus::error_in(STEP, c"the file has no space for a start image"));
    };
    let mut config = PyConfig::new(ConfigKind::Isolated);
    (config.use_hash_seed, config.hash_seed, config.site_import) = (1, 0, 0);
    let started = init::initialize(&config);
    config.clear();
    started?;
    let ts = ThreadState::current();
    let words = super::make(ts, true).and_then(|image| {
        check(&image)?;
        stored::encode(ts, &image)
    });
    finalize::finalize();
    let words = words.map_err(|unfit| match unfit {
        Unfit::Memory => PyStatus::no_memory(),
        Unfit::Because(reason) => PyStatus::error_in(STEP, reason),
    })?;
    if size_of_val(&*words) > capacity {
        return Err(PyStatus::error_in(STEP, c"the space is too small for the start image"));
    }
    stored::put(&mut bytes, start, &words);
    std::fs::write(file, &bytes).map_err(|_| PyStatus::error_in(STEP, c"the file cannot be written"))
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
    let library = library::extent();
    let is_address = |word: usize| {
        word >= LOW
            && !library.is_some_and(|library| library.has(word))
            && ranges.iter().any(|(start, end)| (*start..*end).contains(&word))
    };
    let common = image.common.memory.iter().flat_map(|pair| [*pair as usize, (*pair >> 64) as usize]);
    // Not the interpreter's own fields, between which there are bytes that mean nothing.
    if image.bytes.iter().map(|word| *word as usize).chain(common).any(is_address) {
        return Err(Unfit::Because(c"something is named that only this process has"));
    }
    Ok(())
}
