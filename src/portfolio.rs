//! `ltv.portfolio`: values and run-rates of many accounts, with intervals that know what the accounts have in common.

use std::ffi::{CStr, CString};

use ltv_engine::model::errors::of_curve;
use ltv_engine::model::features::Unscorable;
use ltv_engine::model::subject::Subject;
use ltv_engine::survival::CurveView;
use ltv_engine::survival::kaplan_meier::critical_value;
use ltv_engine::value::money::Minor;
use ltv_engine::value::outlook::Outlook;
use ltv_engine::value::portfolio::{Kind, Portfolio, Total, Unit};
use ltv_engine::value::portfolio_codec::Record;
use ltv_engine::value::run_rate::{Account, PricedLine};
use ltv_engine::value::share::{Share, of_months, of_value};
use ltv_engine::value::{ContractTerms, Terms};
use ltv_engine::{Error, Result};
use pgrx::Internal;
use pgrx::prelude::*;
use serde::{Deserialize, Serialize};

use crate::currency::digits_of;
use crate::pg::call::{Call, Field, ModelBy};
use crate::pg::error::settle;
use crate::pg::settings;
use crate::pg::varlena::decoded;
use crate::pg::varlena::{Stored, Value, received};
use crate::text::{Text, VERSION, known, parse};
use crate::types::{print, read};
use crate::value::{Asked, with_terms};

impl Stored for Portfolio {
    const SQL_NAME: &'static str = "ltv.portfolio";

    fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        checked(Portfolio::decode(bytes)?)
    }
}

/// The decimals of a portfolio's currency are those of ISO 4217.
fn checked(portfolio: Portfolio) -> Result<Portfolio> {
    match &portfolio.unit {
        Some(unit) if digits_of(unit.currency.as_deref())? != unit.digits => {
            Err(Error::malformed("the decimals of this portfolio are not those of its currency"))
        }
        _ => Ok(portfolio),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PortfolioText {
    version: u32,
    portfolio: Record,
}

impl Text for Portfolio {
    fn to_text(&self) -> Result<String> {
        crate::text::print(&PortfolioText { version: VERSION, portfolio: self.record() })
    }

    fn from_text(text: &str) -> Result<Self> {
        let PortfolioText { version, portfolio } = parse(text, "ltv.portfolio")?;
        known(version, "ltv.portfolio")?;
        checked(Portfolio::of_record(portfolio)?)
    }
}

#[pg_extern(sql = false)]
fn portfolio_in(text: &CStr) -> Value<Portfolio> {
    read(text)
}

#[pg_extern(sql = false)]
fn portfolio_out(value: Value<Portfolio>) -> CString {
    print(&value.0)
}

#[pg_extern(sql = false)]
fn portfolio_recv(message: Internal) -> Value<Portfolio> {
    received(message)
}

#[pg_extern(sql = false)]
fn portfolio_send(value: Value<Portfolio>) -> Vec<u8> {
    value.0.to_bytes()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a call makes of an account: the fingerprint of its curve or model and its shares, or nothing.
type Judged = Option<(String, Vec<Share>)>;

fn enter(portfolio: &mut Portfolio, kind: Kind, unit: &Unit, judged: Judged) {
    match judged {
        Some((of, shares)) => settle(portfolio.add(kind, unit, &of, shares, settings::budget())),
        None => portfolio.add_unvalued(),
    }
}

/// The shares that `value` makes of the row of arguments 2 and of the model of argument 1.
fn by_model(call: &Call, by: ModelBy, value: impl FnOnce(CurveView, &Subject) -> Result<Option<Vec<Share>>>) -> Judged {
    let scored = call.score_from(1, by, |header, subject: Result<Subject, Unscorable>| {
        let subject = subject.ok().filter(|subject| subject.no_lifetime().is_none())?;
        let shares = settle(subject.view(|curve| value(curve, &subject)))?;
        Some((hexadecimal(header), shares))
    });
    scored.flatten()
}

/// The shares that `value` makes of the curve of argument 1.
fn by_curve(call: &Call, value: impl FnOnce(CurveView) -> Result<Option<Vec<Share>>>) -> Judged {
    let judged = call.curve_from(1, |print, curve| Some((hexadecimal(print), settle(value(curve))?)));
    judged.flatten()
}

fn stated(call: &Call, place: usize) -> Option<ContractTerms> {
    call.bytes(place).map(|bytes| settle(decoded(bytes, ContractTerms::from_bytes)))
}

fn unit_of(terms: &ContractTerms) -> Unit {
    Unit { currency: terms.currency.clone(), digits: terms.plain.minor_digits }
}

/// `portfolio_agg(curve, terms)`.
pub fn add_curve(portfolio: &mut Portfolio, call: &Call) {
    let Some(terms) = stated(call, 2) else { return portfolio.add_unvalued() };
    let asked = Asked::of(&terms);
    let value =
        |curve: CurveView| with_terms(&asked, |terms| of_value(curve, terms, |exposure| of_curve(curve, exposure)));
    enter(portfolio, Kind::Value, &unit_of(&terms), by_curve(call, value));
}

/// `portfolio_agg(model, row, terms)`.
pub fn add_model(portfolio: &mut Portfolio, call: &Call, by: ModelBy) {
    let Some(terms) = stated(call, 3) else { return portfolio.add_unvalued() };
    let asked = Asked::of(&terms);
    let value = |curve: CurveView, subject: &Subject| {
        with_terms(&asked, |terms| of_value(curve, terms, |exposure| subject.errors(exposure)))
    };
    enter(portfolio, Kind::Value, &unit_of(&terms), by_model(call, by, value));
}

/// The arguments of a run-rate, from the age on.
struct RunRate {
    given: f64,
    lines: Vec<PricedLine>,
    expansion: f64,
    months: u32,
    unit: Unit,
}

impl RunRate {
    /// `None` when an argument is NULL that must be known.
    fn of(call: &Call, first: usize) -> Option<RunRate> {
        let given = call.float(first)?;
        let amounts = call.floats(first + 1)?;
        let begins = call.floats(first + 2)?;
        let list = |place: usize| call.get::<Vec<Option<f64>>>(first + place);
        let (ends, renewals, terms) = (list(3)?, list(4)?, list(5)?);
        let lengths = [begins.len(), ends.len(), renewals.len(), terms.len()];
        if lengths.iter().any(|length| *length != amounts.len()) {
            settle(Err(Error::invalid(
                format!("{} amounts have {lengths:?} beginnings, ends, renewals and terms", amounts.len()),
                "One of each for every line; NULL where there is no end, no renewal date or no term.",
            )))
        }
        let (expansion, months) = (call.float(first + 6)?, call.integer(first + 7)?);
        let months = settle(u32::try_from(months).ok().filter(|months| (1..=1200).contains(months)).ok_or_else(|| {
            Error::invalid(format!("months must be from 1 to 1200, got {months}"), "24 for two years.")
        }));
        let currency = call.text(first + 8).map(str::to_owned);
        let finite = |value: &f64| value.is_finite();
        let sound = begins.iter().all(finite)
            && [&ends, &renewals, &terms].iter().all(|list| list.iter().flatten().all(finite));
        if !sound {
            settle(Err(Error::invalid(
                "a month of a line is not finite",
                "Months are counted from now; NULL for what has no date.",
            )))
        }
        let lines = (0..amounts.len()).map(|line| PricedLine {
            amount: amounts[line],
            begins: begins[line],
            ends: ends[line],
            renewal: renewals[line],
            term: terms[line],
        });
        let digits = settle(digits_of(currency.as_deref()));
        Some(RunRate { given, lines: lines.collect(), expansion, months, unit: Unit { currency, digits } })
    }

    fn account(&self) -> Account<'_> {
        Account { given: self.given, lines: &self.lines, expansion: self.expansion }
    }
}

/// `run_rate_agg(curve, given, ...)`.
pub fn add_account_by_curve(portfolio: &mut Portfolio, call: &Call) {
    let Some(asked) = RunRate::of(call, 2) else { return portfolio.add_unvalued() };
    let value =
        |curve: CurveView| of_months(curve, &asked.account(), asked.months, &mut |exposure| of_curve(curve, exposure));
    enter(portfolio, Kind::RunRate, &asked.unit, by_curve(call, value));
}

/// `run_rate_agg(model, row, given, ...)`.
pub fn add_account_by_model(portfolio: &mut Portfolio, call: &Call) {
    let Some(asked) = RunRate::of(call, 3) else { return portfolio.add_unvalued() };
    let value = |curve: CurveView, subject: &Subject| {
        of_months(curve, &asked.account(), asked.months, &mut |exposure| subject.errors(exposure))
    };
    enter(portfolio, Kind::RunRate, &asked.unit, by_model(call, ModelBy::Value, value));
}

fn money(amount: Option<f64>, digits: u32) -> Field {
    Field::Numeric(amount.map(|amount| settle(Minor::round(amount, digits)).text(digits)))
}

/// mean − z · deviation, not below `floor`, and mean + z · deviation.
fn limits(mean: f64, deviation: Option<f64>, z: f64, floor: f64, digits: u32) -> [Field; 2] {
    let limit = |sign: f64| money(deviation.map(|deviation| (mean + sign * z * deviation).max(floor)), digits);
    [limit(-1.0), limit(1.0)]
}

fn count(number: u64) -> Field {
    Field::Integer(Some(i64::try_from(number).unwrap_or(i64::MAX)))
}

/// What is to be said of the sum.
fn status(portfolio: &Portfolio) -> String {
    let of = |number: u64, what: &str| format!("{number} of {} accounts {what}", portfolio.accounts);
    match (portfolio.unvalued, portfolio.unsure) {
        (0, 0) if portfolio.accounts == 0 => "no accounts".into(),
        (0, 0) => "ok".into(),
        (unvalued, 0) => of(unvalued, "without a value"),
        (0, unsure) => of(unsure, "with unknown errors of the curve"),
        (unvalued, unsure) => {
            format!("{}, {unsure} with unknown errors of the curve", of(unvalued, "without a value"))
        }
    }
}

fn digits(portfolio: &Portfolio) -> u32 {
    portfolio.unit.as_ref().map_or(2, |unit| unit.digits)
}

fn currency(portfolio: &Portfolio) -> Option<String> {
    portfolio.unit.as_ref().and_then(|unit| unit.currency.clone())
}

fn only(portfolio: &Portfolio, kind: Kind, hint: &str) {
    if portfolio.unit.is_some() && portfolio.kind != kind {
        let (is, asked) = match kind {
            Kind::Value => ("run-rates", "values"),
            Kind::RunRate => ("values", "run-rates"),
        };
        settle(Err(Error::invalid(format!("this portfolio is one of {is}, not of {asked}"), hint)))
    }
}

/// The three standard deviations and their three intervals.
fn uncertain(total: &Total, z: f64, floor: f64, digits: u32) -> Vec<Field> {
    let deviations = [total.parameter_std_error, Some(total.outcome_std_dev), total.std_dev()];
    let mut fields: Vec<Field> = deviations.iter().map(|deviation| money(*deviation, digits)).collect();
    deviations.iter().for_each(|deviation| fields.extend(limits(total.mean, *deviation, z, floor, digits)));
    fields
}

/// `portfolio_value(p, level)`.
pub fn portfolio_value(call: &Call) -> pg_sys::Datum {
    let (Some(bytes), Some(level)) = (call.bytes(0), call.float(1)) else { return call.null() };
    let z = settle(critical_value(level));
    let portfolio = settle(decoded(bytes, Portfolio::from_bytes));
    only(&portfolio, Kind::Value, "portfolio_months() reads the months of a run-rate.");
    let digits = digits(&portfolio);
    let mut fields = vec![count(portfolio.accounts), count(portfolio.unvalued)];
    match portfolio.totals().first() {
        Some(total) => {
            fields.extend([money(Some(total.mean), digits), money(Some(total.beside), digits)]);
            fields.extend(uncertain(total, z, f64::NEG_INFINITY, digits));
        }
        None => fields.extend((0..11).map(|_| Field::Numeric(None))),
    }
    fields.extend([Field::Text(currency(&portfolio)), Field::Text(Some(status(&portfolio)))]);
    call.answer_tuple(fields)
}

/// `portfolio_change(base, scenario, level)`.
pub fn portfolio_change(call: &Call) -> pg_sys::Datum {
    let (Some(base), Some(scenario), Some(level)) = (call.bytes(0), call.bytes(1), call.float(2)) else {
        return call.null();
    };
    let z = settle(critical_value(level));
    let (base, scenario) = (settle(Portfolio::from_bytes(base)), settle(Portfolio::from_bytes(scenario)));
    let hint = "portfolio_agg() makes portfolios of values.";
    only(&base, Kind::Value, hint);
    only(&scenario, Kind::Value, hint);
    let digits = digits(&base);
    let mean = |portfolio: &Portfolio| money(portfolio.totals().first().map(|total| total.mean), digits);
    let (change, error) = settle(scenario.change_from(&base)).unzip();
    let error = error.flatten();
    let status = match (base.unvalued == scenario.unvalued, base.accounts == scenario.accounts) {
        (true, true) => status(&scenario),
        (_, false) => format!("{} accounts against {}", scenario.accounts, base.accounts),
        (false, _) => format!("{} accounts without a value against {}", scenario.unvalued, base.unvalued),
    };
    let mut fields = vec![mean(&base), mean(&scenario), money(change, digits), money(error, digits)];
    fields.extend(limits(change.unwrap_or(0.0), error, z, f64::NEG_INFINITY, digits));
    fields.extend([Field::Text(currency(&base)), Field::Text(Some(status))]);
    call.answer_tuple(fields)
}

/// `portfolio_months(p, level)`.
pub fn portfolio_months(call: &Call) -> pg_sys::Datum {
    let (Some(bytes), Some(level)) = (call.bytes(0), call.float(1)) else { return call.answer_rows(Vec::new()) };
    let z = settle(critical_value(level));
    let portfolio = settle(decoded(bytes, Portfolio::from_bytes));
    only(&portfolio, Kind::RunRate, "portfolio_value() reads a portfolio of values.");
    let digits = digits(&portfolio);
    let totals = portfolio.totals();
    let rows = totals.iter().enumerate().map(|(month, total)| {
        let before = month.checked_sub(1).map(|before| totals[before].mean);
        // What is added on the way is what closes the month's account, to the minor unit.
        let round = |amount: f64| settle(Minor::round(amount, digits));
        let (opening, lost, mean) = (before.map(round), round(total.lost), round(total.mean));
        let text = |amount: Minor| Field::Numeric(Some(amount.text(digits)));
        let mut fields = vec![
            Field::Int4(i32::try_from(month).ok()),
            opening.map_or(Field::Numeric(None), text),
            opening.map_or(Field::Numeric(None), |_| text(lost)),
            opening.map_or(Field::Numeric(None), |opening| text(mean - opening + lost)),
            text(mean),
            money(Some(total.beside), digits),
        ];
        // Nobody pays less than nothing.
        fields.extend(uncertain(total, z, 0.0, digits));
        fields.extend([Field::Text(currency(&portfolio)), count(portfolio.accounts), count(portfolio.unvalued)]);
        fields.push(Field::Text(Some(status(&portfolio))));
        fields
    });
    call.answer_rows(rows.collect::<Vec<_>>())
}

/// P(still there) under the terms, or NULL.
fn staying(call: &Call, months: Option<f64>, terms: &Terms, curve: CurveView) -> pg_sys::Datum {
    let Some(months) = months else { return call.null() };
    if !(0.0..=1e6).contains(&months) {
        settle(Err(Error::invalid(
            format!("months must be from 0 to 1000000, got {months}"),
            "Counted from the age that the terms give.",
        )))
    }
    settle(terms.validate());
    let point = Outlook::new(curve, terms).and_then(|outlook| outlook.at(months));
    call.answer_float(point.map(|point| point.survival))
}

/// `staying_probability(curve, terms, months)`.
pub fn staying_curve(call: &Call) -> pg_sys::Datum {
    let Some(terms) = stated(call, 1) else { return call.null() };
    let answer = call.curve(|curve| staying(call, call.float(2), &terms.view(), curve));
    answer.unwrap_or_else(|| call.null())
}

/// `staying_probability(model, row, terms, months)`.
pub fn staying_model(call: &Call) -> pg_sys::Datum {
    let Some(terms) = stated(call, 2) else { return call.null() };
    let answer = call.score(ModelBy::Value, |subject| {
        let subject = subject.ok().filter(|subject| subject.no_lifetime().is_none())?;
        Some(subject.view_survival(|curve| staying(call, call.float(3), &terms.view(), curve)))
    });
    answer.flatten().unwrap_or_else(|| call.null())
}
