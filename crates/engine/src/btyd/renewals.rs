//! How many customers came to their first, second, … renewal, and how many of them left at it: all that the contractual
//! models read of the data. Cohorts of any ages add up, and who is still there counts up to his last renewal.

use serde::{Deserialize, Serialize};

use crate::survival::Sample;
use crate::{Error, Result};

/// A renewal with a higher number is none: the durations are in another unit.
pub const MOST_RENEWALS: usize = 10_000;
/// A duration this near to a whole number of periods, relatively, is one.
const NEARLY_WHOLE: f64 = 1e-9;

/// Counts by renewal, the first at index 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Renewals {
    /// Customers who came to this renewal and were seen at it.
    pub at_risk: Vec<f64>,
    /// Those of them who left at it.
    pub lost: Vec<f64>,
    /// All customers, those seen at no renewal among them.
    pub customers: f64,
    /// Customers who left between two renewals: they count at the next.
    pub moved: f64,
}

/// One number of a table of survivors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Survivors<'a> {
    /// `None` in the table of a single cohort.
    pub cohort: Option<&'a str>,
    /// Renewals since the start, 0 at the start.
    pub period: f64,
    pub survivors: f64,
}

impl Renewals {
    /// From durations in units of which `period` are one period. A customer who left between two renewals did not make
    /// the next; one who was last seen between two has made the former. Who entered late is at risk from the next on.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a customer who left at duration 0, before any renewal, and for more than
    /// [`MOST_RENEWALS`].
    pub fn of_sample(sample: &Sample, period: f64) -> Result<Renewals> {
        let mut counts = Renewals::default();
        // Net numbers at risk until each renewal, made cumulative below.
        let mut until: Vec<f64> = Vec::new();
        for cell in sample.exits().sorted() {
            let [lost, kept] = cell.counts;
            counts.customers += lost + kept;
            let (before, after) = neighbours(cell.key, period);
            if lost > 0.0 {
                if after == 0.0 {
                    return Err(Error::invalid(
                        "a customer left at duration 0, before the first renewal",
                        "The duration of who left is the number of the renewal that was not made, 1 for the first \
                         (times the length of a period).",
                    ));
                }
                *at(&mut until, after)? += lost;
                *at(&mut counts.lost, after)? += lost;
                if after != before {
                    counts.moved += lost;
                }
            }
            if kept > 0.0 && before > 0.0 {
                *at(&mut until, before)? += kept;
            }
        }
        for cell in sample.entries().sorted() {
            let (before, _) = neighbours(cell.key, period);
            if before > 0.0 {
                *at(&mut until, before)? -= cell.counts[0];
            }
        }
        let mut here = 0.0;
        for count in until.iter_mut().rev() {
            here += *count;
            *count = f64::max(here, 0.0);
        }
        counts.lost.resize(until.len(), 0.0);
        for (lost, at_risk) in counts.lost.iter_mut().zip(&until) {
            // Weights that are no whole numbers add up with rounding errors.
            *lost = lost.min(*at_risk);
        }
        counts.at_risk = until;
        Ok(counts)
    }

    /// From tables of survivors, the rows in any order.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless each cohort has one number for every period from 0 to its last, whole, not negative and
    /// not rising.
    pub fn of_survivors(rows: &mut [Survivors]) -> Result<Renewals> {
        rows.sort_unstable_by(|a, b| a.cohort.cmp(&b.cohort).then(a.period.total_cmp(&b.period)));
        let mut counts = Renewals::default();
        for cohort in rows.chunk_by(|a, b| a.cohort == b.cohort) {
            let name = cohort[0].cohort.map_or_else(String::new, |name| format!(" of cohort \"{name}\""));
            for (expected, row) in cohort.iter().enumerate() {
                check_survivors(&cohort[..=expected], row, expected as f64, &name)?;
            }
            counts.customers += cohort[0].survivors;
            for pair in cohort.windows(2) {
                *at(&mut counts.at_risk, pair[1].period)? += pair[0].survivors;
                *at(&mut counts.lost, pair[1].period)? += pair[0].survivors - pair[1].survivors;
            }
        }
        Ok(counts)
    }

    /// Customers who left.
    pub fn churned(&self) -> f64 {
        self.lost.iter().sum()
    }

    /// Renewals at which somebody was seen.
    pub fn seen(&self) -> usize {
        self.at_risk.iter().filter(|count| **count > 0.0).count()
    }

    /// # Errors
    /// [`Error::Malformed`] for counts that no rows give.
    pub fn validate(&self) -> Result<()> {
        let holds = self.at_risk.len() == self.lost.len()
            && self.at_risk.len() <= MOST_RENEWALS
            && self
                .at_risk
                .iter()
                .chain([&self.customers, &self.moved])
                .all(|count| (0.0..f64::INFINITY).contains(count))
            && self.at_risk.iter().zip(&self.lost).all(|(at_risk, lost)| (0.0..=*at_risk).contains(lost));
        if holds { Ok(()) } else { Err(Error::malformed("the counts of a model of renewals contradict each other")) }
    }
}

fn check_survivors(before: &[Survivors], row: &Survivors, expected: f64, name: &str) -> Result<()> {
    const HINT: &str = "A table of survivors has a row for every period: 0 with the customers at the start, then those \
                        still there after each renewal. With one row for each customer, give the duration and churned as a boolean.";
    if row.period < expected {
        return Err(match row.period < 0.0 {
            true => Error::invalid(format!("period {}{name} is negative", row.period), HINT),
            false => Error::invalid(
                format!("period {}{name} is given twice", row.period),
                "Of several cohorts, name the cohort of each row: (cohort, period, survivors).",
            ),
        });
    }
    if row.period > expected {
        return Err(Error::invalid(format!("the survivors of period {expected}{name} are missing"), HINT));
    }
    if row.survivors < 0.0 {
        return Err(Error::invalid(
            format!("the survivors of period {}{name} are negative: {}", row.period, row.survivors),
            HINT,
        ));
    }
    match before {
        [.., last, _] if last.survivors < row.survivors => Err(Error::invalid(
            format!("the survivors{name} rise from {} to {} in period {}", last.survivors, row.survivors, row.period),
            "Who has left does not come back in these models: count the customers of the start only.",
        )),
        _ => Ok(()),
    }
}

/// The count of renewal number `renewal` ≥ 1, made if need be.
fn at(counts: &mut Vec<f64>, renewal: f64) -> Result<&mut f64> {
    if renewal > MOST_RENEWALS as f64 {
        return Err(Error::invalid(
            format!("there are {renewal} renewals, more than {MOST_RENEWALS}"),
            "Count durations in periods, or say how long a period is: fit_sbg(survival_agg(days, churned), period => 30).",
        ));
    }
    let place = renewal as usize - 1;
    if counts.len() <= place {
        counts.resize(place + 1, 0.0);
    }
    Ok(&mut counts[place])
}

/// The whole numbers of periods around a duration; twice the same when it is one.
pub(crate) fn neighbours(duration: f64, period: f64) -> (f64, f64) {
    let periods = duration / period;
    let nearest = periods.round();
    if (periods - nearest).abs() <= NEARLY_WHOLE * nearest.max(1.0) {
        (nearest, nearest)
    } else {
        (periods.floor(), periods.ceil())
    }
}
