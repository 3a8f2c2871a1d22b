//! The proleptic Gregorian calendar: dates and days by number, weeks of ISO 8601. Nothing here knows objects.

/// The first year that a date can have.
pub const MIN_YEAR: i32 = 1;
/// The last one.
pub const MAX_YEAR: i32 = 9999;
/// The number of the last day, 9999-12-31; the first one, 0001-01-01, has the number 1.
pub const MAX_ORDINAL: i32 = 3_652_059;
/// The number of 1970-01-01.
pub const EPOCH_ORDINAL: i32 = 719_163;
/// 1970-01-01 in seconds from the beginning of the day with the number 0.
pub const EPOCH_SECONDS: i64 = EPOCH_ORDINAL as i64 * 86_400;

/// A year, a month and a day, all counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ymd {
    /// The year.
    pub year: i32,
    /// The month.
    pub month: i32,
    /// The day of the month.
    pub day: i32,
}

/// Whether February has 29 days.
pub fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// How many days a month has.
pub fn days_in_month(year: i32, month: i32) -> i32 {
    match month {
        2 => 28 + i32::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// How many days of the year are before a month.
pub fn days_before_month(year: i32, month: i32) -> i32 {
    const BEFORE: [i32; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    BEFORE[(month - 1).rem_euclid(12) as usize] + i32::from(month > 2 && is_leap(year))
}

/// How many days are before a year, from year 1 on.
fn days_before_year(year: i32) -> i32 {
    let years = year - 1;
    years * 365 + years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400)
}

impl Ymd {
    /// The three numbers as a date.
    pub const fn new(year: i32, month: i32, day: i32) -> Ymd {
        Ymd { year, month, day }
    }

    /// The day's number.
    pub fn ordinal(self) -> i32 {
        days_before_year(self.year) + days_before_month(self.year, self.month) + self.day
    }

    /// The day of that number, which is at least 1.
    ///
    /// Years are counted from March on here, so that the leap day is the last one of a cycle.
    pub fn from_ordinal(ordinal: i32) -> Ymd {
        // Day 0 of this count is the 1st of March of year 0.
        let days = i64::from(ordinal) + 305;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        Ymd::new(year as i32, month as i32, day as i32)
    }

    /// The day of the week, Monday 0.
    pub fn weekday(self) -> i32 {
        (self.ordinal() + 6).rem_euclid(7)
    }

    /// The day of the year, from 1.
    pub fn day_of_year(self) -> i32 {
        days_before_month(self.year, self.month) + self.day
    }

    /// Year, week and day of the week (Monday 1) of ISO 8601.
    pub fn iso(self) -> (i32, i32, i32) {
        let today = self.ordinal();
        let mut year = self.year;
        let mut first = first_monday(year);
        if today < first {
            year -= 1;
            first = first_monday(year);
        } else if today >= first_monday(year + 1) {
            year += 1;
            first = first_monday(year);
        }
        (year, (today - first) / 7 + 1, (today - first) % 7 + 1)
    }
}

/// The number of the Monday with which the first ISO week of a year begins: that of the first Thursday.
fn first_monday(year: i32) -> i32 {
    let first = Ymd::new(year, 1, 1).ordinal();
    let weekday = (first + 6).rem_euclid(7);
    first - weekday + if weekday > 3 { 7 } else { 0 }
}

/// What is wrong with a date of the ISO calendar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IsoProblem {
    /// The year is not one of ours.
    Year,
    /// The year does not have such a week.
    Week,
    /// There are seven days in a week.
    Day,
}

/// The date of a day in a week of ISO 8601; beyond the last year when the week ends there.
pub fn from_iso(year: i32, week: i32, day: i32) -> Result<Ymd, IsoProblem> {
    if !(MIN_YEAR..=MAX_YEAR).contains(&year) {
        return Err(IsoProblem::Year);
    }
    let first = first_monday(year);
    if week < 1 || week > 53 || week == 53 && first + 52 * 7 >= first_monday(year + 1) {
        return Err(IsoProblem::Week);
    }
    if !(1..=7).contains(&day) {
        return Err(IsoProblem::Day);
    }
    Ok(Ymd::from_ordinal(first + (week - 1) * 7 + day - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_has_its_number() {
        let mut expected = Ymd::new(1, 1, 1);
        for ordinal in 1..=MAX_ORDINAL {
            assert_eq!(Ymd::from_ordinal(ordinal), expected);
            assert_eq!(expected.ordinal(), ordinal);
            expected.day += 1;
            if expected.day > days_in_month(expected.year, expected.month) {
                expected.day = 1;
                expected.month += 1;
                if expected.month > 12 {
                    expected.month = 1;
                    expected.year += 1;
                }
            }
        }
        assert_eq!(expected, Ymd::new(10_000, 1, 1));
        assert_eq!(Ymd::new(1970, 1, 1).ordinal(), EPOCH_ORDINAL);
    }

    #[test]
    fn every_day_has_its_week() {
        for ordinal in 1..MAX_ORDINAL {
            let date = Ymd::from_ordinal(ordinal);
            let (year, week, day) = date.iso();
            if year >= 1 {
                assert_eq!(from_iso(year, week, day), Ok(date));
            }
            assert_eq!(day, date.weekday() + 1);
        }
        assert_eq!(from_iso(2020, 53, 7), Ok(Ymd::new(2021, 1, 3)));
        assert_eq!(from_iso(2021, 53, 1), Err(IsoProblem::Week));
        assert_eq!(from_iso(2021, 1, 8), Err(IsoProblem::Day));
        assert_eq!(from_iso(0, 1, 1), Err(IsoProblem::Year));
    }
}
