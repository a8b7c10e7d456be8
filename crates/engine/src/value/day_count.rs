//! Day counts: how long a time is, in years, by the conventions of finance.
//!
//! Dates are days since 2000-01-01, PostgreSQL's epoch. Sources: ISDA 2006 Definitions, section 4.16; the US rule for the
//! end of February is that of the Securities Industry Association's *Standard Securities Calculation Methods*.

use std::str::FromStr;

use chrono::{Datelike, NaiveDate};

use crate::{Error, Result};

/// 2000-01-01 counted from 0001-01-01, which is day 1.
const EPOCH: i32 = 730_120;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DayCount {
    /// Days / 365: what spreadsheets use in XNPV and XIRR.
    #[default]
    Actual365Fixed,
    /// Days / 360: money markets.
    Actual360,
    /// The days in leap years / 366 and the others / 365 (ISDA).
    ActualActual,
    /// Months of 30 days; a 31st is a 30th, at the end only after a start on a 30th or 31st (ISDA bond basis).
    Thirty360,
    /// As `Thirty360`, and the last of February counts as a 30th (US; YEARFRAC's basis 0).
    Thirty360Us,
    /// Months of 30 days; every 31st is a 30th (Eurobond).
    Thirty360European,
}

impl FromStr for DayCount {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "ACT/365F" => DayCount::Actual365Fixed,
            "ACT/360" => DayCount::Actual360,
            "ACT/ACT" => DayCount::ActualActual,
            "30/360" => DayCount::Thirty360,
            "30U/360" => DayCount::Thirty360Us,
            "30E/360" => DayCount::Thirty360European,
            _ => {
                return Err(Error::invalid(
                    format!("unknown day count \"{name}\""),
                    "Use ACT/365F (as spreadsheets do), ACT/ACT, ACT/360, 30/360, 30U/360 or 30E/360.",
                ));
            }
        })
    }
}

/// The date so many days after 2000-01-01.
///
/// # Errors
/// [`Error::Invalid`] for an infinite date and one beyond the year 262 142.
pub fn civil(days: i32) -> Result<NaiveDate> {
    let date = days.checked_add(EPOCH).and_then(NaiveDate::from_num_days_from_ce_opt);
    date.ok_or_else(|| Error::invalid("a date must be finite and before the year 262143", "Leave open ends out."))
}

/// Days since 2000-01-01.
pub fn day_number(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - EPOCH
}

impl DayCount {
    /// Years from `from` to `to`, both days since 2000-01-01; negative when `to` is the earlier.
    ///
    /// # Errors
    /// As [`civil`].
    pub fn years(self, from: i32, to: i32) -> Result<f64> {
        if to < from {
            return Ok(-self.years(to, from)?);
        }
        let (start, end) = (civil(from)?, civil(to)?);
        let days = f64::from(to - from);
        Ok(match self {
            DayCount::Actual365Fixed => days / 365.0,
            DayCount::Actual360 => days / 360.0,
            DayCount::ActualActual => actual_actual(start, end),
            DayCount::Thirty360 => thirty_360(start, end, |start, end| {
                let first = start.day().min(30);
                (first, if first == 30 { end.day().min(30) } else { end.day() })
            }),
            DayCount::Thirty360Us => thirty_360(start, end, |start, end| {
                let first = if ends_february(start) { 30 } else { start.day().min(30) };
                let last = if ends_february(start) && ends_february(end) { 30 } else { end.day() };
                (first, if first == 30 { last.min(30) } else { last })
            }),
            DayCount::Thirty360European => {
                thirty_360(start, end, |start, end| (start.day().min(30), end.day().min(30)))
            }
        })
    }
}

fn ends_february(date: NaiveDate) -> bool {
    date.month() == 2 && date.succ_opt().is_none_or(|next| next.month() == 3)
}

fn thirty_360(start: NaiveDate, end: NaiveDate, days: impl FnOnce(NaiveDate, NaiveDate) -> (u32, u32)) -> f64 {
    let (first, last) = days(start, end);
    let months = 12 * (end.year() - start.year()) + end.month() as i32 - start.month() as i32;
    (f64::from(months) * 30.0 + f64::from(last) - f64::from(first)) / 360.0
}

fn actual_actual(start: NaiveDate, end: NaiveDate) -> f64 {
    let length = |date: NaiveDate| if date.leap_year() { 366.0 } else { 365.0 };
    // How much of its year is over on the date.
    let share = |date: NaiveDate| f64::from(date.ordinal0()) / length(date);
    if start.year() == end.year() {
        return f64::from(end.ordinal() - start.ordinal()) / length(start);
    }
    f64::from(end.year() - start.year()) + share(end) - share(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    const ALL: [DayCount; 6] = [
        DayCount::Actual365Fixed,
        DayCount::Actual360,
        DayCount::ActualActual,
        DayCount::Thirty360,
        DayCount::Thirty360Us,
        DayCount::Thirty360European,
    ];

    fn day(text: &str) -> i32 {
        day_number(text.parse().unwrap())
    }

    #[test]
    fn the_epoch_is_day_zero() {
        assert_eq!([day("2000-01-01"), day("1999-12-31"), day("2024-02-29")], [0, -1, 8825]);
        assert_eq!(civil(8825).unwrap(), "2024-02-29".parse().unwrap());
        assert!(civil(i32::MAX).is_err() && civil(i32::MIN).is_err());
    }

    /// YEARFRAC's documentation, ISDA's EMU memo (1 November 2003 to 1 May 2004 and its further examples), and cases by hand.
    #[test]
    fn published_values() {
        let years = |count: DayCount, from: &str, to: &str| count.years(day(from), day(to)).unwrap();
        let excel = ("2012-01-01", "2012-07-30");
        assert_relative_eq!(years(DayCount::Thirty360Us, excel.0, excel.1), 0.580_555_56, epsilon = 5e-9);
        assert_relative_eq!(years(DayCount::ActualActual, excel.0, excel.1), 0.576_502_73, epsilon = 5e-9);
        assert_relative_eq!(years(DayCount::Actual365Fixed, excel.0, excel.1), 0.578_082_19, epsilon = 5e-9);
        let isda = |from, to| years(DayCount::ActualActual, from, to);
        assert_relative_eq!(isda("2003-11-01", "2004-05-01"), 61.0 / 365.0 + 121.0 / 366.0, epsilon = 1e-15);
        assert_relative_eq!(isda("1999-02-01", "1999-07-01"), 150.0 / 365.0, epsilon = 1e-15);
        assert_relative_eq!(isda("1999-07-01", "2000-07-01"), 184.0 / 365.0 + 182.0 / 366.0, epsilon = 1e-15);
        assert_relative_eq!(isda("2002-08-15", "2003-07-15"), 334.0 / 365.0, epsilon = 1e-15);
        assert_relative_eq!(isda("1999-11-30", "2000-04-30"), 32.0 / 365.0 + 120.0 / 366.0, epsilon = 1e-15);
        for (count, expected) in ALL.into_iter().zip([1.164384, 1.180556, 1.161868, 1.166667, 1.166667, 1.166667]) {
            assert_relative_eq!(years(count, "2024-01-31", "2025-03-31"), expected, epsilon = 5e-7);
        }
        // The 30/360 family: days by (bond basis, US, European).
        for (from, to, days) in [
            ("2007-01-15", "2007-01-30", [15, 15, 15]),
            ("2007-01-15", "2007-07-31", [196, 196, 195]),
            ("2007-09-30", "2008-03-31", [180, 180, 180]),
            ("2007-09-30", "2007-10-31", [30, 30, 30]),
            ("2007-02-28", "2007-03-31", [33, 30, 32]),
            ("2008-02-29", "2009-02-28", [359, 360, 359]),
            ("2008-08-30", "2008-02-29", [-181, -180, -181]),
            ("2011-01-01", "2011-12-31", [360, 360, 359]),
            ("2011-01-30", "2011-02-01", [1, 1, 1]),
        ] {
            let family = [DayCount::Thirty360, DayCount::Thirty360Us, DayCount::Thirty360European];
            assert_eq!(family.map(|count| (years(count, from, to) * 360.0).round() as i32), days, "{from} {to}");
        }
    }

    #[test]
    fn the_other_way_round_is_negative_and_a_year_is_one() {
        for count in ALL {
            assert_eq!(count.years(8000, 9000).unwrap(), -count.years(9000, 8000).unwrap());
            assert_eq!(count.years(8000, 8000).unwrap(), 0.0);
        }
        for count in [DayCount::ActualActual, DayCount::Thirty360, DayCount::Thirty360Us, DayCount::Thirty360European] {
            assert_relative_eq!(count.years(day("2023-05-17"), day("2033-05-17")).unwrap(), 10.0, epsilon = 2e-3);
        }
        assert_eq!(DayCount::ActualActual.years(day("2021-01-01"), day("2025-01-01")).unwrap(), 4.0);
    }
}
