//! The limits of renewal probabilities in any window, of what became of rows held out.
//!
//! In the window (a, a + h] the rows are those still watched at the age a, each with its own P(T > a + h | T > a) under
//! proportional hazards. They are grouped afresh as in `prediction_limits`, and in each group it is Kaplan–Meier from a on,
//! with Greenwood's sum over the times in the window alone (Kalbfleisch & Prentice 2002, §1.4): those who left before tell
//! nothing of it, and those who were watched from later on are at risk from then on. Of times in a bin the estimate is the life table's – who is censored, or comes late, counts half (Cutler & Ederer 1958) –,
//! and a part of a bin has its part of the exits.

use crate::assess::held_out::{HeldOut, RiskBin};
use crate::assess::prediction_limits::{Group, LEAST_EVENTS, MOST_GROUPS, Predicted, cut, mean, power};
use crate::survival::kaplan_meier::{Transform, critical_value, interval};
use crate::{Interrupt, Result};

/// A share of a bin's exits is no whole number, and its sum may be off by as much.
const ROUNDING: f64 = 1e-9;

/// The groups of a window, by rising prediction: falling risk.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowLimits {
    pub groups: Vec<RiskGroup>,
    /// Still watched at the age.
    pub rows: f64,
    /// With the event in the window.
    pub events: f64,
    /// The last that anybody left.
    pub followed_until: f64,
    given: f64,
    until: f64,
}

/// A group and between which linear predictors it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RiskGroup {
    pub least_risk: f64,
    pub greatest_risk: f64,
    pub group: Group,
}

/// Why a prediction has no limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unknown {
    /// Nobody held out was watched so long.
    NotWatchedUntil(f64),
    /// Too few were watched at the age.
    FewRows(u64, f64),
    /// Too few left in the window.
    FewEvents(u64),
    /// All left, or the predictions are all 0 or 1.
    NoRate,
    /// Nobody held out, of those still watched, was predicted like this.
    Beyond,
}

/// A bin of risks in a window.
struct Lot<'a> {
    bin: &'a RiskBin,
    predicted: f64,
    /// At risk at the age.
    rows: f64,
    /// Who came later, in the window.
    late: f64,
    /// In the window.
    events: f64,
}

impl Predicted for Lot<'_> {
    fn predicted(&self) -> f64 {
        self.predicted
    }

    fn rows(&self) -> f64 {
        self.rows
    }

    /// Of different risks, however near their probabilities.
    fn is_less_than(&self, _: &Self) -> bool {
        true
    }
}

impl WindowLimits {
    /// The group of a row with this linear predictor: the last that begins at or above its risk.
    pub fn group(&self, linear_predictor: f64) -> std::result::Result<&Group, Unknown> {
        let Some(last) = self.groups.last() else { return Err(self.unknown()) };
        let at = self.groups.partition_point(|group| group.greatest_risk >= linear_predictor);
        match at.checked_sub(1) {
            Some(at) if linear_predictor >= last.least_risk => Ok(&self.groups[at].group),
            _ => Err(Unknown::Beyond),
        }
    }

    fn unknown(&self) -> Unknown {
        if self.followed_until < self.until {
            Unknown::NotWatchedUntil(self.until)
        } else if self.rows < LEAST_EVENTS as f64 - ROUNDING {
            Unknown::FewRows(self.rows.round() as u64, self.given)
        } else if self.events < LEAST_EVENTS as f64 - ROUNDING {
            Unknown::FewEvents(self.events.round() as u64)
        } else {
            Unknown::NoRate
        }
    }
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, to: &mut std::fmt::Formatter) -> std::fmt::Result {
        to.write_str("no limits are known of trees: ")?;
        match self {
            Unknown::NotWatchedUntil(until) => write!(to, "no row held out was watched until {until}"),
            Unknown::FewEvents(events) => {
                write!(to, "of the rows held out {events} left within this window, fewer than {LEAST_EVENTS}")
            }
            Unknown::FewRows(rows, given) => {
                write!(to, "{rows} rows held out were watched at {given}, fewer than {LEAST_EVENTS}")
            }
            Unknown::NoRate => to.write_str("what became of the rows held out bounds no rate within this window"),
            Unknown::Beyond => to.write_str("no row held out was predicted like this"),
        }
    }
}

impl HeldOut {
    /// Groups of like P(T > given + horizon | T > given), which is `predicted` of a linear predictor and falls with it: as
    /// many as leave each 20 events and a rate with limits, at most ten. None where there are too few events for one.
    /// `given` is 0 or more, `horizon` more than 0, both finite.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] for a `level` outside (0, 1).
    pub fn limits(
        &self,
        predicted: &dyn Fn(f64) -> f64,
        given: f64,
        horizon: f64,
        level: f64,
        interrupt: Interrupt,
    ) -> Result<WindowLimits> {
        let z = critical_value(level)?;
        let until = given + horizon;
        let window = Window::of(self, predicted, given, until);
        let lots: Vec<Lot> =
            self.risks().iter().rev().map(|bin| window.lot(bin)).filter(|lot| lot.rows + lot.late > 0.0).collect();
        let events: f64 = lots.iter().map(|lot| lot.events).sum();
        let mut found = WindowLimits {
            groups: Vec::new(),
            rows: lots.iter().map(|lot| lot.rows).sum(),
            events,
            followed_until: window.followed_until(&lots),
            given,
            until,
        };
        let most = MOST_GROUPS.min(((events + ROUNDING) / LEAST_EVENTS as f64) as usize);
        for parts in (1..=most).rev() {
            let cuts = cut(&lots, parts);
            let is_told = |lots: &&[Lot]| {
                let enough =
                    |count: fn(&Lot) -> f64| lots.iter().map(count).sum::<f64>() >= LEAST_EVENTS as f64 - ROUNDING;
                enough(|lot| lot.events) && enough(|lot| lot.rows) && window.followed_until(lots) >= until
            };
            if !cuts.iter().all(is_told) {
                continue;
            }
            let mut groups = Vec::with_capacity(cuts.len());
            for lots in &cuts {
                interrupt()?;
                let Some(group) = window.judged(lots, z, &mut *interrupt)? else { break };
                groups.push(group);
            }
            if groups.len() == cuts.len() {
                found.groups = groups;
                break;
            }
        }
        Ok(found)
    }
}

/// What a window does to each bin of times.
struct Window<'a> {
    held_out: &'a HeldOut,
    predicted: &'a dyn Fn(f64) -> f64,
    /// The share of those who left in it that is after the age, and that is in the window.
    shares: Vec<(f64, f64)>,
}

impl<'a> Window<'a> {
    fn of(held_out: &'a HeldOut, predicted: &'a dyn Fn(f64) -> f64, given: f64, until: f64) -> Window<'a> {
        let shares = held_out.times().iter().map(|time| {
            let after = time.share_after(given);
            (after, (after + time.share_by(until) - 1.0).max(0.0))
        });
        Window { held_out, predicted, shares: shares.collect() }
    }

    fn lot(&self, bin: &'a RiskBin) -> Lot<'a> {
        let mut lot = Lot { bin, predicted: (self.predicted)(bin.mean), rows: 0.0, late: 0.0, events: 0.0 };
        for exits in &bin.exits {
            let (after, within) = self.shares[exits.time as usize];
            lot.rows += after * (exits.events + exits.censored) as f64;
            lot.events += within * exits.events as f64;
        }
        for entries in &bin.entries {
            let (after, within) = self.shares[entries.time as usize];
            lot.rows -= after * entries.rows as f64;
            lot.late += within * entries.rows as f64;
        }
        lot.rows = lot.rows.max(0.0);
        lot
    }

    /// The last time at which one of them left.
    fn followed_until(&self, lots: &[Lot]) -> f64 {
        let last = lots.iter().filter_map(|lot| lot.bin.exits.last()).map(|exits| exits.time).max();
        last.map_or(0.0, |last| self.held_out.times()[last as usize].to)
    }

    /// `None` where the rate has no limits.
    fn judged(&self, lots: &[Lot], z: f64, interrupt: Interrupt) -> Result<Option<RiskGroup>> {
        let times = self.held_out.times();
        let mut counts = vec![[0.0; 3]; times.len()];
        for bin in lots.iter().map(|lot| lot.bin) {
            for exits in &bin.exits {
                let [events, censored, _] = &mut counts[exits.time as usize];
                *events += exits.events as f64;
                *censored += exits.censored as f64;
            }
            for entries in &bin.entries {
                counts[entries.time as usize][2] += entries.rows as f64;
            }
        }
        let rows: f64 = lots.iter().map(|lot| lot.rows).sum();
        let (mut at_risk, mut rate, mut log_variance, mut left_in_window) = (rows, 1.0, 0.0, 0.0);
        for ((time, (after, within)), [events, censored, late]) in times.iter().zip(&self.shares).zip(counts) {
            if *within > 0.0 && events > 0.0 {
                let events = within * events;
                // Those who are censored at one time are at risk at it, those who come at it are not yet.
                let exposed = if time.from == time.to { at_risk } else { at_risk + within * (late - censored) / 2.0 };
                let left = (exposed - events).max(0.0);
                rate *= left / exposed;
                log_variance += events / (exposed * left);
                left_in_window += events;
            }
            at_risk += after * (late - events - censored);
        }
        let told = interval(rate, Some(log_variance), z, Transform::LogLog);
        let Some((lower, upper)) = told.lower.zip(told.upper) else { return Ok(None) };
        let powers = (power(lots, lower, &mut *interrupt)?, power(lots, upper, interrupt)?);
        let (Some(lower_power), Some(upper_power)) = powers else { return Ok(None) };
        let (greatest_risk, least_risk) = (lots[0].bin.greatest, lots[lots.len() - 1].bin.least);
        Ok(Some(RiskGroup {
            least_risk,
            greatest_risk,
            group: Group {
                from: (self.predicted)(greatest_risk),
                to: (self.predicted)(least_risk),
                rows: rows.round() as u64,
                events: left_in_window.round() as u64,
                predicted: mean(lots, 1.0),
                rate,
                lower,
                upper,
                lower_power,
                upper_power,
            },
        }))
    }
}
