//! What is known of a zone: its transitions, read from a file in the TZif format, and the rule for what comes after them.

use hognose_allocators::collections::TryVec;

use super::rule::{self, Problem, Yearly};
use crate::modules::_datetime::delta::PyDelta;
use crate::object::{AsObject, PyObject, PyRef, PyResult, Ref, protocol};
use crate::raise;
use crate::state::ThreadState;
use crate::types::bytes::PyBytes;
use crate::types::exceptions as exc;
use crate::types::str::PyStr;
use crate::types::tuple::PyTuple;

/// What holds between two transitions.
pub(super) struct Info {
    /// The offset, in seconds east of UTC, and as an object.
    pub(super) seconds: i64,
    pub(super) offset: Ref<PyDelta>,
    pub(super) dst: Ref<PyDelta>,
    pub(super) name: PyRef,
}

impl Info {
    fn new(ts: &ThreadState, seconds: i64, dst: i64, name: PyRef) -> PyResult<Info> {
        Ok(Info { seconds, offset: PyDelta::new(ts, 0, seconds, 0)?, dst: PyDelta::new(ts, 0, dst, 0)?, name })
    }

    fn copy(&self) -> Info {
        Info { seconds: self.seconds, offset: self.offset.clone(), dst: self.dst.clone(), name: self.name.clone() }
    }

    fn equals(&self, other: &Info) -> bool {
        let same_name = match (self.name.downcast::<PyStr>(), other.name.downcast::<PyStr>()) {
            (Some(name), Some(other)) => name.equals(other),
            _ => false,
        };
        self.seconds == other.seconds && self.dst.whole_seconds() == other.dst.whole_seconds() && same_name
    }
}

/// What comes after the last transition.
pub(super) struct After {
    standard: Info,
    /// Daylight saving time, and when it is.
    daylight: Option<(Info, Yearly)>,
}

/// A zone.
pub(super) struct Zone {
    /// The transitions in UTC.
    utc: TryVec<i64>,
    /// And in local time, without and with `fold`.
    local: [TryVec<i64>; 2],
    /// What each transition leads to: a number in `infos`.
    index: TryVec<usize>,
    infos: TryVec<Info>,
    /// What is before the first transition, a number in `infos`.
    before: Option<usize>,
    after: After,
    /// There is only one offset.
    fixed: bool,
}

/// A time that a zone is asked about: seconds since 1970, and the year for rules.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) seconds: i64,
    pub(super) fold: bool,
    pub(super) year: i64,
}

fn count_up_to(times: &[i64], time: i64) -> usize {
    times.partition_point(|at| *at <= time)
}

impl Zone {
    /// What holds at a local time.
    pub(super) fn at_local(&self, when: Moment) -> Option<&Info> {
        let times = &self.local[usize::from(when.fold)];
        match (times.first(), times.last()) {
            (Some(first), _) if when.seconds < *first => self.before.map(|at| &self.infos[at]),
            (Some(_), Some(last)) if when.seconds <= *last => {
                Some(&self.infos[self.index[count_up_to(times, when.seconds) - 1]])
            }
            _ => Some(match &self.after.daylight {
                Some((daylight, rule)) if rule.is_daylight(when.seconds, when.fold, when.year) => daylight,
                _ => &self.after.standard,
            }),
        }
    }

    /// What holds at a time in UTC, and whether the clock shows the local time for the second time.
    pub(super) fn at_utc(&self, when: Moment) -> Option<(&Info, bool)> {
        let count = self.utc.len();
        // What holds before the transition of that number.
        let before = |at: usize| if at == 0 { self.before } else { Some(self.index[at - 1]) };
        let is_fold = |at: usize, info: &Info| {
            let previous = before(at).map_or(info.seconds, |at| self.infos[at].seconds);
            previous - info.seconds > when.seconds - self.utc[at]
        };
        if count > 0 && when.seconds < self.utc[0] {
            return self.before.map(|at| (&self.infos[at], false));
        }
        if count > 0 && when.seconds <= self.utc[count - 1] {
            let at = count_up_to(&self.utc, when.seconds) - 1;
            let info = &self.infos[self.index[at]];
            return Some((info, is_fold(at, info)));
        }
        let (info, fold) = match &self.after.daylight {
            Some((daylight, rule)) => {
                let (is_daylight, fold) = rule.is_daylight_in_utc(when.seconds, when.year);
                (if is_daylight { daylight } else { &self.after.standard }, fold)
            }
            None => (&self.after.standard, false),
        };
        // Right after the last transition, the fold is between what was before that one and what is now.
        Some((info, fold || count > 0 && is_fold(count - 1, info)))
    }

    /// What holds at whatever time, if it is always the same.
    pub(super) fn always(&self) -> Option<&Info> {
        self.fixed.then_some(&self.after.standard)
    }

    /// Reads a file, by `zoneinfo._common.load_data`.
    pub(super) fn load(ts: &ThreadState, file: &PyObject) -> PyResult<Zone> {
        let common = crate::import::import_module(ts, "zoneinfo._common")?;
        let data = protocol::call_named(ts, &common, "load_data", &[file])?;
        let Some(&[index, utc, offsets, is_dst, names, text]) = data.downcast::<PyTuple>().map(PyTuple::items) else {
            return raise!(ts, exc::TypeError, "load_data() must return a tuple of six");
        };
        let index = numbers(ts, index)?;
        let utc = numbers(ts, utc)?;
        let offsets = numbers(ts, offsets)?;
        let is_dst = numbers(ts, is_dst)?;
        let names = tuple(ts, names)?;
        let names = names.items();
        if offsets.len() != is_dst.len() || offsets.len() != names.len() || index.len() != utc.len() {
            return raise!(ts, exc::ValueError, "Invalid data: lists of different lengths");
        }
        let mut places = TryVec::new();
        for &at in index.iter() {
            match usize::try_from(at) {
                Ok(at) if at < offsets.len() => places.try_push(at)?,
                _ => return raise!(ts, exc::ValueError, "Invalid transition index found while reading TZif: {at}"),
            }
        }
        let dst = dst_offsets(&places, &offsets, &is_dst)?;
        let mut infos = TryVec::new();
        for ((seconds, dst), name) in offsets.iter().zip(&dst[..]).zip(names) {
            infos.try_push(Info::new(ts, *seconds, *dst, name.new_ref())?)?;
        }
        let before = is_dst.iter().position(|is_dst| *is_dst == 0).or(if infos.is_empty() { None } else { Some(0) });
        let after = match text.downcast::<PyBytes>() {
            Some(text) if text.len() > 0 => parse(ts, text)?,
            _ => match places.last().copied().or(before.map(|_| 0)) {
                Some(last) => After { standard: infos[last].copy(), daylight: None },
                None => return raise!(ts, exc::ValueError, "No time zone information found."),
            },
        };
        let fixed = after.daylight.is_none()
            && match &infos[..] {
                [] => true,
                [only] => only.equals(&after.standard),
                _ => false,
            };
        let local = local_times(&utc, &places, &offsets)?;
        Ok(Zone { utc, local, index: places, infos, before, after, fixed })
    }
}

fn tuple(ts: &ThreadState, object: &PyObject) -> PyResult<Ref<PyTuple>> {
    PyTuple::from_iterable(ts, object)
}

fn numbers(ts: &ThreadState, object: &PyObject) -> PyResult<TryVec<i64>> {
    let mut result = TryVec::new();
    for number in tuple(ts, object)?.items() {
        result.try_push(protocol::as_isize(ts, number)? as i64)?;
    }
    Ok(result)
}

/// By how much each of the infos' clocks is ahead in summer. The file does not say: it is told from what is before or
/// after it.
fn dst_offsets(index: &[usize], offsets: &[i64], is_dst: &[i64]) -> PyResult<TryVec<i64>> {
    let mut result = TryVec::new();
    result.try_resize(offsets.len(), 0)?;
    let wanted = is_dst.iter().filter(|is_dst| **is_dst != 0).count();
    let mut found = 0;
    for (at, &place) in index.iter().enumerate().skip(1) {
        if found == wanted {
            break;
        }
        if is_dst[place] == 0 || result[place] != 0 {
            continue;
        }
        let against = |other: usize| if is_dst[other] == 0 { offsets[place] - offsets[other] } else { 0 };
        let mut dst = against(index[at - 1]);
        if dst == 0 && at + 1 < index.len() {
            dst = against(index[at + 1]);
        }
        if dst != 0 {
            found += 1;
            result[place] = dst;
        }
    }
    for (dst, is_dst) in result.iter_mut().zip(is_dst) {
        // An hour is the best guess.
        if *dst == 0 && *is_dst != 0 {
            *dst = 3600;
        }
    }
    Ok(result)
}

/// The transitions in local time: a fold's and a gap's times belong to what is before them, or with `fold` after them.
fn local_times(utc: &[i64], index: &[usize], offsets: &[i64]) -> PyResult<[TryVec<i64>; 2]> {
    let mut local = [TryVec::new(), TryVec::new()];
    for (at, time) in utc.iter().enumerate() {
        let before = if at == 0 { offsets[0] } else { offsets[index[at - 1]] };
        let after = offsets[index[at]];
        let [first, second] = &mut local;
        first.try_push(time + before.max(after))?;
        second.try_push(time + before.min(after))?;
    }
    Ok(local)
}

fn parse(ts: &ThreadState, text: &PyBytes) -> PyResult<After> {
    let shown = || protocol::repr(ts, text.as_object());
    let parsed = match rule::parse(text.as_slice()) {
        Ok(parsed) => parsed,
        Err(Problem::Malformed) => return raise!(ts, exc::ValueError, "{} is not a valid TZ string", &*shown()?),
        Err(Problem::StandardOffset) => return raise!(ts, exc::ValueError, "Invalid STD offset in {}", &*shown()?),
        Err(Problem::DaylightOffset) => return raise!(ts, exc::ValueError, "Invalid DST offset in {}", &*shown()?),
        Err(Problem::NoRules) => {
            return raise!(ts, exc::ValueError, "Missing transition rules in TZ string: {}", &*shown()?);
        }
        Err(Problem::Rule) => {
            return raise!(ts, exc::ValueError, "Malformed transition rule in TZ string: {}", &*shown()?);
        }
    };
    let name = |name: &[u8]| PyStr::from_ascii(ts, name).map(Ref::into_object);
    let standard = Info::new(ts, parsed.offset, 0, name(parsed.name)?)?;
    let daylight = match parsed.daylight {
        Some(daylight) => {
            let info = Info::new(ts, daylight.offset(), daylight.offset() - parsed.offset, name(daylight.name)?)?;
            Some((info, daylight.rule()))
        }
        None => None,
    };
    Ok(After { standard, daylight })
}
