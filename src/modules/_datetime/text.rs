//! Texts of dates and times: written on the stack, and read from ISO 8601.

use core::fmt::{self, Write};

use super::calendar::{self, Ymd};

/// A short ASCII text on the stack.
pub struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    /// An empty text.
    pub fn new() -> Text<N> {
        Text { bytes: [0; N], len: 0 }
    }

    /// What has been written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Writes; what would not fit is a defect of the caller's size.
    pub fn write(&mut self, arguments: fmt::Arguments<'_>) {
        let written = self.write_fmt(arguments);
        debug_assert!(written.is_ok(), "a text is longer than its writer knew");
    }
}

impl<const N: usize> Write for Text<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        let Some(place) = self.bytes.get_mut(self.len..end) else { return Err(fmt::Error) };
        place.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// The names of the months.
pub const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// The names of the days, from Monday on.
pub const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// How much of a time is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TimeSpec {
    /// Microseconds when there are some.
    Auto,
    /// `HH`
    Hours,
    /// `HH:MM`
    Minutes,
    /// `HH:MM:SS`
    Seconds,
    /// `HH:MM:SS.mmm`
    Milliseconds,
    /// `HH:MM:SS.uuuuuu`
    Microseconds,
}

impl TimeSpec {
    /// The one of a name.
    pub fn from_name(name: &str) -> Option<TimeSpec> {
        Some(match name {
            "auto" => TimeSpec::Auto,
            "hours" => TimeSpec::Hours,
            "minutes" => TimeSpec::Minutes,
            "seconds" => TimeSpec::Seconds,
            "milliseconds" => TimeSpec::Milliseconds,
            "microseconds" => TimeSpec::Microseconds,
            _ => return None,
        })
    }
}

/// A time of day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Hms {
    /// The hour, below 24.
    pub hour: i32,
    /// The minute.
    pub minute: i32,
    /// The second, below 60.
    pub second: i32,
    /// The microsecond.
    pub micro: i32,
}

impl Hms {
    /// The seconds since midnight.
    pub fn seconds(self) -> i64 {
        i64::from(self.hour * 3600 + self.minute * 60 + self.second)
    }

    /// Writes it as ISO 8601 has it.
    pub fn write<const N: usize>(self, out: &mut Text<N>, spec: TimeSpec) {
        let Hms { hour, minute, second, micro } = self;
        match spec {
            TimeSpec::Hours => out.write(format_args!("{hour:02}")),
            TimeSpec::Minutes => out.write(format_args!("{hour:02}:{minute:02}")),
            TimeSpec::Milliseconds => {
                out.write(format_args!("{hour:02}:{minute:02}:{second:02}.{:03}", micro / 1000));
            }
            TimeSpec::Auto if micro == 0 => out.write(format_args!("{hour:02}:{minute:02}:{second:02}")),
            TimeSpec::Seconds => out.write(format_args!("{hour:02}:{minute:02}:{second:02}")),
            TimeSpec::Auto | TimeSpec::Microseconds => {
                out.write(format_args!("{hour:02}:{minute:02}:{second:02}.{micro:06}"));
            }
        }
    }
}

/// Writes an offset from UTC in microseconds, with a separator between its numbers.
pub fn write_offset<const N: usize>(out: &mut Text<N>, micros: i128, separator: &str) {
    let sign = if micros < 0 { '-' } else { '+' };
    let size = micros.unsigned_abs() as u64;
    let (seconds, micros) = (size / 1_000_000, size % 1_000_000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    out.write(format_args!("{sign}{hours:02}{separator}{minutes:02}"));
    if seconds != 0 || micros != 0 {
        out.write(format_args!("{separator}{seconds:02}"));
    }
    if micros != 0 {
        out.write(format_args!(".{micros:06}"));
    }
}

/// The zone in a time's text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Zone {
    /// None is given.
    Naive,
    /// UTC, by its letter or by an offset of nothing.
    Utc,
    /// An offset in microseconds.
    Offset(i64),
}

/// A time that has been read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParsedTime {
    /// The time of day.
    pub time: Hms,
    /// Whether it was written as 24:00, which is the next day's beginning.
    pub next_day: bool,
    /// Whether the hour was 24 and something else was not 0.
    pub past_midnight: bool,
    /// The zone.
    pub zone: Zone,
}

fn digit(ch: u32) -> Option<i32> {
    (0x30..=0x39).contains(&ch).then(|| ch as i32 - 0x30)
}

fn number(text: &[u32], len: usize) -> Option<i32> {
    text.get(..len)?.iter().try_fold(0, |sum, ch| Some(sum * 10 + digit(*ch)?))
}

fn is(text: &[u32], at: usize, ch: char) -> bool {
    text.get(at) == Some(&u32::from(ch))
}

/// Reads `YYYY-MM-DD`, `YYYYMMDD`, `YYYY-Www[-D]` or `YYYYWww[D]`. The numbers of a plain date are not checked.
pub fn parse_date(text: &[u32]) -> Option<Ymd> {
    if !matches!(text.len(), 7 | 8 | 10) {
        return None;
    }
    let year = number(text, 4)?;
    let separated = is(text, 4, '-');
    let mut at = 4 + usize::from(separated);
    if is(text, at, 'W') {
        let week = number(&text[at + 1..], 2)?;
        at += 3;
        let mut day = 1;
        if at < text.len() {
            if is(text, at, '-') != separated {
                return None;
            }
            at += usize::from(separated);
            day = number(&text[at..], 1)?;
            at += 1;
        }
        return if at == text.len() { calendar::from_iso(year, week, day).ok() } else { None };
    }
    let month = number(&text[at..], 2)?;
    at += 2;
    if is(text, at, '-') != separated {
        return None;
    }
    at += usize::from(separated);
    let day = number(text.get(at..)?, 2)?;
    if at + 2 == text.len() { Some(Ymd::new(year, month, day)) } else { None }
}

/// Reads `HH[:?MM[:?SS[{.,}f+]]]`, all of it.
fn parse_clock(text: &[u32]) -> Option<Hms> {
    let mut parts = [0; 3];
    let mut at = 0;
    let mut separated = false;
    for (index, part) in parts.iter_mut().enumerate() {
        *part = number(text.get(at..)?, 2)?;
        at += 2;
        if index == 0 {
            separated = is(text, at, ':');
        }
        if at == text.len() || index == 2 {
            break;
        }
        if separated {
            if !is(text, at, ':') {
                return None;
            }
            at += 1;
        } else if digit(text[at]).is_none() {
            break;
        }
    }
    let [hour, minute, second] = parts;
    let mut micro = 0;
    if at < text.len() {
        // A fraction is one of a second.
        let complete = if separated { at == 8 } else { at == 6 };
        let fraction = &text[at + 1..];
        if !complete || !(is(text, at, '.') || is(text, at, ',')) || fraction.is_empty() {
            return None;
        }
        let mut unit = 100_000;
        for ch in fraction {
            micro += digit(*ch)? * unit;
            unit /= 10;
        }
    }
    Some(Hms { hour, minute, second, micro })
}

/// Reads a time with or without a zone. The numbers are not checked, but for those of the zone.
pub fn parse_time(text: &[u32]) -> Option<ParsedTime> {
    let zone_at = text.iter().position(|ch| [u32::from('+'), u32::from('-'), u32::from('Z')].contains(ch));
    let mut time = parse_clock(&text[..zone_at.unwrap_or(text.len())])?;
    let rest = Hms { hour: 0, ..time };
    let (next_day, past_midnight) =
        (time.hour == 24 && rest == Hms::default(), time.hour == 24 && rest != Hms::default());
    if next_day {
        time.hour = 0;
    }
    let zone = match zone_at {
        None => Zone::Naive,
        Some(at) if is(text, at, 'Z') => {
            if at + 1 != text.len() {
                return None;
            }
            Zone::Utc
        }
        Some(at) => {
            let offset = parse_clock(&text[at + 1..])?;
            let micros = offset.seconds() * 1_000_000 + i64::from(offset.micro);
            if micros >= 86_400_000_000 || offset.minute > 59 || offset.second > 59 {
                return None;
            }
            match micros {
                0 => Zone::Utc,
                _ if is(text, at, '-') => Zone::Offset(-micros),
                _ => Zone::Offset(micros),
            }
        }
    };
    Some(ParsedTime { time, next_day, past_midnight, zone })
}

/// Where the date ends in the text of a date and a time, of at least 7 characters.
pub fn separator(text: &[u32]) -> Option<usize> {
    let len = text.len();
    if len == 7 {
        return Some(7);
    }
    if is(text, 4, '-') {
        if !is(text, 5, 'W') {
            return Some(10);
        }
        if !is(text, 8, '-') {
            return Some(8);
        }
        // YYYY-Www-: a day follows, or a time behind a dash; a digit behind the first one decides for the latter.
        return match len {
            9 => None,
            _ if text.get(10).is_some_and(|ch| digit(*ch).is_some()) => Some(8),
            _ => Some(10),
        };
    }
    if !is(text, 4, 'W') {
        return Some(8);
    }
    // YYYYWww or YYYYWwwd: by how many digits follow.
    let end = (7..len).find(|at| digit(text[*at]).is_none()).unwrap_or(len);
    Some(match end {
        7 | 8 => end,
        _ if end % 2 == 0 => 7,
        _ => 8,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chars(text: &str) -> [u32; 40] {
        let mut out = [0; 40];
        text.chars().zip(&mut out).for_each(|(ch, place)| *place = u32::from(ch));
        out
    }

    fn time(text: &str) -> Option<ParsedTime> {
        parse_time(&chars(text)[..text.chars().count()])
    }

    #[test]
    fn times_are_read_in_all_forms() {
        let expected = Hms { hour: 12, minute: 34, second: 56, micro: 789_000 };
        for text in ["12:34:56.789", "123456,789", "12:34:56.7890001"] {
            assert_eq!(time(text).map(|t| t.time), Some(expected), "{text}");
        }
        for text in
            ["", "1", "12:", "12:3", "12:34:", "1234:56", "12:3456", "12.5", "12:34.5", "12:34:56.", "12:34:56.x"]
        {
            assert_eq!(time(text), None, "{text}");
        }
        assert_eq!(time("12+01:30").map(|t| t.zone), Some(Zone::Offset(5_400_000_000)));
        assert_eq!(time("12-0130").map(|t| t.zone), Some(Zone::Offset(-5_400_000_000)));
        assert_eq!(time("12Z").map(|t| t.zone), Some(Zone::Utc));
        assert_eq!(time("12-00:00").map(|t| t.zone), Some(Zone::Utc));
        assert_eq!(time("12+24:00"), None);
        assert_eq!(time("24:00").map(|t| (t.next_day, t.past_midnight)), Some((true, false)));
        assert_eq!(time("24:01").map(|t| (t.next_day, t.past_midnight)), Some((false, true)));
    }
}
