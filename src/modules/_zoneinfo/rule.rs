//! What a zone does after the last transition of its file: a POSIX `TZ` string, `std offset dst offset,start/time,end/time`.

/// When in a year the offset changes, and at how many seconds of that day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Day {
    /// `Mm.w.d`: in a month, in its nth week (5: the last), a day of the week (0: Sunday).
    Weekday { month: i32, week: i32, weekday: i32 },
    /// `Jn`: the nth day of a year, from 1, in which there is no 29 February.
    Julian(i32),
    /// `n`: the nth day of the year. POSIX counts from 0; CPython, and so we, from 1.
    Ordinal(i32),
}

/// One of the two transitions of each year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Transition {
    day: Day,
    /// Seconds since midnight of local time; there may be more or less than a day has.
    time: i64,
}

/// Daylight saving time: where its name is in the text, its offset, and when it begins and ends.
#[derive(Clone, Copy, Debug)]
pub struct Daylight<'a> {
    /// Its name.
    pub name: &'a [u8],
    rule: Yearly,
}

/// The two transitions of each year.
#[derive(Clone, Copy, Debug)]
pub struct Yearly {
    standard: i64,
    daylight: i64,
    start: Transition,
    end: Transition,
}

/// A parsed text. Offsets are seconds east of UTC.
#[derive(Clone, Copy, Debug)]
pub struct Parsed<'a> {
    /// The standard time's name.
    pub name: &'a [u8],
    /// Its offset.
    pub offset: i64,
    /// Daylight saving time, if there is such a thing.
    pub daylight: Option<Daylight<'a>>,
}

impl Daylight<'_> {
    /// The offset.
    pub fn offset(&self) -> i64 {
        self.rule.daylight
    }

    /// When it begins and ends.
    pub fn rule(&self) -> Yearly {
        self.rule
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The days from 1970 to a day of a year, which is counted from 0.
fn days_to(year: i64, day: i64) -> i64 {
    let before = year - 1;
    before * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) - 719_162 + day
}

fn days_before_month(year: i64, month: i32) -> i64 {
    const BEFORE: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
    BEFORE[month as usize - 1] + i64::from(month > 2 && is_leap(year))
}

impl Transition {
    /// The local time of the transition in a year, as seconds since 1970.
    fn in_year(&self, year: i64) -> i64 {
        let day = match self.day {
            Day::Ordinal(day) => i64::from(day) - 1,
            // The 28 February is CPython's 29th in a leap year, too.
            Day::Julian(day) => i64::from(day - 1) + i64::from(day >= 59 && is_leap(year)),
            Day::Weekday { month, week, weekday } => {
                let first = days_before_month(year, month);
                let length = days_before_month(year, month + 1) - first + i64::from(month == 2 && is_leap(year));
                // The first of January 1970 was a Thursday.
                let weekday_of_first = (days_to(year, first) + 4).rem_euclid(7);
                let mut day = (i64::from(weekday) - weekday_of_first).rem_euclid(7) + i64::from(week - 1) * 7;
                if day >= length {
                    day -= 7;
                }
                first + day
            }
        };
        days_to(year, day) * 86_400 + self.time
    }
}

impl Yearly {
    fn difference(&self) -> i64 {
        self.daylight - self.standard
    }

    /// Whether it is daylight saving time at a local time of a year. `fold` is the second time that a clock shows this.
    pub fn is_daylight(&self, local: i64, fold: bool, year: i64) -> bool {
        let (mut start, mut end) = (self.start.in_year(year), self.end.in_year(year));
        // A gap's and a fold's times are of the time before the transition, and with `fold` of the one after it.
        if fold == (self.difference() >= 0) {
            end -= self.difference();
        } else {
            start += self.difference();
        }
        within(local, start, end)
    }

    /// Whether it is daylight saving time at a time in UTC, and whether the clock then shows a local time once more.
    pub fn is_daylight_in_utc(&self, utc: i64, year: i64) -> (bool, bool) {
        let start = self.start.in_year(year) - self.standard;
        let end = self.end.in_year(year) - self.daylight;
        let difference = self.difference();
        let (from, to) = if difference > 0 { (end, end + difference) } else { (start, start - difference) };
        (within(utc, start, end), utc >= from && utc < to)
    }
}

/// Whether a time is in daylight saving time, which on the southern half includes New Year.
fn within(time: i64, start: i64, end: i64) -> bool {
    if start < end { time >= start && time < end } else { time < end || time >= start }
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It is none.
    Malformed,
    /// The standard time's offset is none, or too large.
    StandardOffset,
    /// The daylight saving time's offset is none, or too large.
    DaylightOffset,
    /// Daylight saving time begins and ends at no time.
    NoRules,
    /// A rule is none.
    Rule,
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        if there {
            self.rest = &self.rest[1..];
        }
        there
    }

    fn take_while(&mut self, holds: fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| !holds(*byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn name(&mut self) -> Option<&'a [u8]> {
        let name = if self.eat(b'<') {
            let name = self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'-');
            if !self.eat(b'>') {
                return None;
            }
            name
        } else {
            self.take_while(|byte| byte.is_ascii_alphabetic())
        };
        (!name.is_empty()).then_some(name)
    }

    /// A number of so many digits, at most.
    fn number(&mut self, digits: core::ops::RangeInclusive<usize>) -> Option<i64> {
        let text = self.take_while(|byte| byte.is_ascii_digit());
        if !digits.contains(&text.len()) {
            return None;
        }
        Some(text.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    /// `[+-]hours[:minutes[:seconds]]`, as seconds.
    fn time(&mut self, max_hours: i64) -> Option<i64> {
        let sign = if self.eat(b'-') {
            -1
        } else {
            self.eat(b'+');
            1
        };
        let hours = self.number(1..=3).filter(|hours| *hours <= max_hours)?;
        let (mut minutes, mut seconds) = (0, 0);
        if self.eat(b':') {
            minutes = self.number(2..=2).filter(|minutes| *minutes < 60)?;
            if self.eat(b':') {
                seconds = self.number(2..=2).filter(|seconds| *seconds < 60)?;
            }
        }
        Some(sign * (hours * 3600 + minutes * 60 + seconds))
    }

    /// An offset, which the text has as hours west.
    fn offset(&mut self) -> Option<i64> {
        self.time(24).map(|west| -west)
    }

    fn transition(&mut self) -> Option<Transition> {
        let small = |number: i64| i32::try_from(number).ok();
        let day = match self.peek()? {
            b'M' => {
                self.eat(b'M');
                let month = self.number(1..=2).filter(|month| (1..=12).contains(month))?;
                let week =
                    self.eat(b'.').then(|| self.number(1..=1)).flatten().filter(|week| (1..=5).contains(week))?;
                let weekday = self.eat(b'.').then(|| self.number(1..=1)).flatten().filter(|day| *day <= 6)?;
                Day::Weekday { month: small(month)?, week: small(week)?, weekday: small(weekday)? }
            }
            b'J' => {
                self.eat(b'J');
                Day::Julian(small(self.number(1..=3).filter(|day| (1..=365).contains(day))?)?)
            }
            _ => Day::Ordinal(small(self.number(1..=3).filter(|day| *day <= 365)?)?),
        };
        let time = if self.eat(b'/') { self.time(167)? } else { 2 * 3600 };
        Some(Transition { day, time })
    }
}

/// Reads a text.
pub fn parse(text: &[u8]) -> Result<Parsed<'_>, Problem> {
    let mut reader = Reader { rest: text };
    let name = reader.name().ok_or(Problem::Malformed)?;
    let offset = reader.offset().ok_or(Problem::StandardOffset)?;
    if reader.rest.is_empty() {
        return Ok(Parsed { name, offset, daylight: None });
    }
    let daylight_name = reader.name().ok_or(Problem::Malformed)?;
    let daylight = match reader.peek() {
        Some(b',') | None => offset + 3600,
        Some(_) => reader.offset().ok_or(Problem::DaylightOffset)?,
    };
    if !reader.eat(b',') {
        return Err(if reader.rest.is_empty() { Problem::NoRules } else { Problem::Malformed });
    }
    let start = reader.transition().ok_or(Problem::Rule)?;
    if !reader.eat(b',') {
        return Err(Problem::Rule);
    }
    let end = reader.transition().ok_or(Problem::Rule)?;
    if !reader.rest.is_empty() {
        return Err(Problem::Rule);
    }
    let rule = Yearly { standard: offset, daylight, start, end };
    Ok(Parsed { name, offset, daylight: Some(Daylight { name: daylight_name, rule }) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read() {
        let new_york = parse(b"EST5EDT,M3.2.0,M11.1.0").unwrap();
        assert_eq!((new_york.name, new_york.offset), (&b"EST"[..], -18_000));
        let daylight = new_york.daylight.unwrap();
        assert_eq!((daylight.name, daylight.offset()), (&b"EDT"[..], -14_400));
        // 8 March 2020, 2 o'clock; 1 November 2020, 2 o'clock.
        assert_eq!(daylight.rule.start.in_year(2020), 1_583_632_800);
        assert_eq!(daylight.rule.end.in_year(2020), 1_604_196_000);
        assert_eq!(parse(b"<+0330>-3:30").unwrap().offset, 12_600);
        for bad in
            [&b""[..], b"EST", b"EST25", b"EST5EDT", b"EST5EDT,M3.2.0", b"EST5EDT,M13.2.0,M11.1.0", b"E5D,J0,J366"]
        {
            assert!(parse(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn folds_and_gaps_are_told_apart() {
        let rule = parse(b"EST5EDT,M3.2.0,M11.1.0").unwrap().daylight.unwrap().rule();
        // Half past one on the day on which the clock is set back, first and second time.
        let half_past_one = 1_604_194_200;
        assert!(rule.is_daylight(half_past_one, false, 2020));
        assert!(!rule.is_daylight(half_past_one, true, 2020));
        assert_eq!(rule.is_daylight_in_utc(half_past_one + 14_400, 2020), (true, false));
        assert_eq!(rule.is_daylight_in_utc(half_past_one + 18_000, 2020), (false, true));
    }
}
