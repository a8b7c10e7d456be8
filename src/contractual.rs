//! Contractual cohort models in SQL: shifted-beta-geometric and beta-discrete-Weibull.

use ltv_engine::btyd::renewals::{MOST_RENEWALS, Survivors};
use ltv_engine::btyd::{ContractualFit, Family, Renewals, fit_contractual};
use ltv_engine::hazard::design::{Design, Row};
use ltv_engine::model::{Fit, Model};
use ltv_engine::survival::kaplan_meier::Interval;
use ltv_engine::survival::{Sample, Survival};
use ltv_engine::{Error, Result};
use pgrx::pg_sys;

use crate::pg::call::{Call, Field};
use crate::pg::error::{raise, settle};
use crate::pg::interrupts;
use crate::pg::varlena::decoded;

fn model(renewals: Renewals, family: Family, period: f64, skipped: u64) -> Result<Vec<u8>> {
    let fit = fit_contractual(renewals, family, period, &mut interrupts::check)?;
    Model { features: Vec::new(), fit: Fit::Contractual(Box::new(fit)), skipped, recalibration: None }.encode()
}

/// The stored bytes of the model of a sample; `None` when every row was left out.
pub fn of_sample(sample: &Sample, family: Family, period: f64) -> Option<Vec<u8>> {
    if sample.exits().is_empty() {
        return None;
    }
    settle(family.distribution(period).validate());
    let renewals = settle(Renewals::of_sample(sample, period));
    Some(settle(model(renewals, family, period, sample.skipped())))
}

/// Notes the survivors of one period, of a cohort or of the only one, as a row of a design.
pub fn add_survivors(design: &mut Design, cohort: Option<&str>, period: i32, survivors: i64) -> Result<()> {
    // Judged with the others in the end, but a design takes no negative time.
    if period < 0 || survivors < 0 {
        let mut rows = [Survivors { cohort, period: f64::from(period), survivors: survivors as f64 }];
        return Renewals::of_survivors(&mut rows).map(|_| ());
    }
    if period as usize > MOST_RENEWALS {
        return Err(Error::invalid(
            format!("period {period} is beyond {MOST_RENEWALS}"),
            "Periods are counted from the start of the cohort, 0, 1, 2, …: not years or dates.",
        ));
    }
    design.push_row(&Row {
        exit: f64::from(period),
        weight: 1.0,
        stratum: cohort,
        x: &[survivors as f64],
        ..Row::default()
    })
}

/// The stored bytes of the model of tables of survivors; `None` when every row was left out.
pub fn of_survivors(design: &Design, family: Family) -> Option<Vec<u8>> {
    if design.is_empty() {
        return None;
    }
    let labels = design.strata();
    let cohort = |row: usize| labels.name(row);
    let mut rows: Vec<Survivors> = design
        .exits()
        .iter()
        .zip(design.x())
        .enumerate()
        .map(|(row, (period, survivors))| Survivors { cohort: cohort(row), period: *period, survivors: *survivors })
        .collect();
    let renewals = settle(Renewals::of_survivors(&mut rows));
    Some(settle(model(renewals, family, 1.0, design.skipped())))
}

/// `fit_sbg(survival, period)` and `fit_bdw(survival, period)`.
pub fn fit_curve(call: &Call, family: Family) -> pg_sys::Datum {
    let (Some(bytes), Some(period)) = (call.bytes(0), call.float(1)) else { return call.null() };
    let sample = match settle(decoded(bytes, Survival::decode)) {
        Survival::Sample(sample) => sample,
        _ => raise(crate::survival::no_sample("fitted")),
    };
    of_sample(&sample, family, period).map_or_else(|| call.null(), |bytes| call.answer_bytes(&bytes))
}

/// The fit of argument 0, which must be one of these.
fn fit(call: &Call) -> Option<(ContractualFit, u64)> {
    let model = settle(decoded(call.bytes(0)?, Model::decode));
    let algorithm = model.algorithm();
    match model.fit {
        Fit::Contractual(fit) => Some((*fit, model.skipped)),
        _ => raise(Error::invalid(
            format!("the model counts no renewals: it is of the algorithm {algorithm}"),
            "Give a model of fit_sbg or fit_bdw.",
        )),
    }
}

fn renewals_made(renewals: i32) -> f64 {
    if renewals < 0 {
        raise(Error::invalid(
            format!("renewals must not be negative, got {renewals}"),
            "A customer in his first period has made 0 renewals.",
        ));
    }
    f64::from(renewals)
}

/// `with_period(model, period)`.
pub fn with_period(call: &Call) -> pg_sys::Datum {
    let (Some((fit, skipped)), Some(period)) = (fit(call), call.float(1)) else { return call.null() };
    let fit = Fit::Contractual(Box::new(settle(fit.with_period(period))));
    call.answer_bytes(&settle(Model { features: Vec::new(), fit, skipped, recalibration: None }.encode()))
}

/// `retention(model, periods, level)`: a row per renewal.
pub fn retention(call: &Call) -> pg_sys::Datum {
    let (Some((fit, _)), Some(periods), Some(level)) = (fit(call), call.integer(1), call.float(2)) else {
        return call.answer_rows(Vec::new());
    };
    let most = MOST_RENEWALS as i32;
    if !(1..=most).contains(&periods) {
        raise(Error::invalid(
            format!("periods must be from 1 to {most}, got {periods}"),
            "The renewals that are shown, from the first on.",
        ));
    }
    let limits = |interval: &Interval| {
        [Field::Float(Some(interval.survival)), Field::Float(interval.lower), Field::Float(interval.upper)]
    };
    call.answer_rows(settle(fit.retention(periods as u32, level)).iter().map(|row| {
        let mut fields = vec![
            Field::Int4(Some(row.period as i32)),
            Field::Float(row.at_risk),
            Field::Float(row.lost),
            Field::Float(row.observed),
        ];
        fields.extend(limits(&row.retention));
        fields.extend(limits(&row.survival));
        fields
    }))
}

/// `conditional_renewal_probability(model, renewals, next)`.
pub fn conditional_renewal_probability(call: &Call) -> pg_sys::Datum {
    let (Some((fit, _)), Some(made), Some(next)) = (fit(call), call.integer(1), call.integer(2)) else {
        return call.null();
    };
    if next < 1 {
        raise(Error::invalid(
            format!("next must be at least 1, got {next}"),
            "How many further renewals the customer is to make.",
        ));
    }
    call.answer_float(fit.conditional_renewal(renewals_made(made), f64::from(next)))
}

/// Reads (model, renewals, discount_rate, period_months), the model's own period where the last is NULL.
fn discounted(call: &Call, of: impl FnOnce(&ContractualFit, f64, f64, f64) -> Result<Option<f64>>) -> pg_sys::Datum {
    let (Some((fit, _)), Some(made), Some(rate)) = (fit(call), call.integer(1), call.float(2)) else {
        return call.null();
    };
    let months = call.float(3).unwrap_or(fit.period);
    call.answer_float(settle(of(&fit, renewals_made(made), rate, months)))
}

/// `derl(model, renewals, discount_rate, period_months)`.
pub fn derl(call: &Call) -> pg_sys::Datum {
    discounted(call, ContractualFit::discounted_residual_lifetime)
}

/// `expected_lifetime(model, renewals, discount_rate, period_months)`.
pub fn expected_lifetime(call: &Call) -> pg_sys::Datum {
    discounted(call, ContractualFit::expected_lifetime)
}
