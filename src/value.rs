//! Money in SQL: lifetime value and the cash flows it is the sum of.

use chrono::{Months, NaiveDate};
use ltv_engine::Error;
use ltv_engine::survival::CurveView;
use ltv_engine::value::contract::Calendar;
use ltv_engine::value::lifetime_value::{self, Status, Valuation};
use ltv_engine::value::{ContractTerms, Terms, UnitValuation};
use pgrx::prelude::*;

use crate::ages::{Agreed, Arguments, Met};
use crate::currency::digits_of;
use crate::pg::call::{Call, ModelBy, Row};
use crate::pg::error::settle;
use crate::pg::varlena::Stored;
use crate::pg::varlena::decoded;
use crate::terms::{of_double, stated_on};

/// Where each money argument stands, counted from the first of them.
mod place {
    pub const REVENUE: usize = 0;
    pub const MARGIN: usize = 1;
    pub const COST_TO_SERVE: usize = 2;
    pub const DISCOUNT_RATE: usize = 3;
    pub const HORIZON: usize = 4;
    pub const EXPANSION: usize = 5;
    pub const PRICE_UPLIFT: usize = 6;
    pub const PERIOD_MONTHS: usize = 7;
    pub const BILLING: usize = 8;
    pub const TIMING: usize = 9;
    pub const GIVEN: usize = 10;
    pub const TERM_MONTHS: usize = 11;
    pub const MONTHS_TO_RENEWAL: usize = 12;
    pub const PAID_MONTHS: usize = 13;
    pub const ACQUISITION_COST: usize = 14;
    pub const TAIL: usize = 15;
    pub const CURRENCY: usize = 16;
    pub const LEVEL: usize = 17;
    pub const AS_OF: usize = 18;
}

/// The money arguments of a call; the error names the first that is NULL and must not be.
pub(crate) struct Asked<'a> {
    pub(crate) terms: Terms<'a>,
    pub(crate) as_of: Option<NaiveDate>,
    pub(crate) currency: Option<String>,
}

impl<'a> Asked<'a> {
    pub(crate) fn of(terms: &'a ContractTerms) -> Self {
        let as_of = terms.as_of.map(|days| settle(stated_on(days)));
        Asked { terms: terms.view(), as_of, currency: terms.currency.clone() }
    }
}

/// The value of type ltv.terms at a place of the call.
pub(crate) fn stated(call: &Call, place: usize) -> Result<ContractTerms, String> {
    let bytes = call.bytes(place).ok_or_else(|| missing("terms"))?;
    Ok(settle(decoded(bytes, ContractTerms::from_bytes)))
}

/// A number of months that an integer argument says.
fn whole(name: &str, value: i32) -> ltv_engine::Result<u32> {
    u32::try_from(value)
        .map_err(|_| Error::invalid(format!("{name} must not be negative, got {value}"), "It is a number of months."))
}

pub(crate) fn asked<'a>(call: &Call, first: usize) -> Result<Asked<'a>, &'static str> {
    let float = |place: usize, name| call.float(first + place).ok_or(name);
    let text = |place: usize, name| call.text(first + place).ok_or(name);
    let months = |place: usize, name| call.integer(first + place).ok_or(name).map(|months| settle(whole(name, months)));
    let currency = call.text(first + place::CURRENCY).map(str::to_owned);
    let as_of = call.integer(first + place::AS_OF).map(|days| settle(stated_on(days)));
    let terms = Terms {
        revenue: float(place::REVENUE, "revenue")?,
        margin: float(place::MARGIN, "margin")?,
        cost_to_serve: float(place::COST_TO_SERVE, "cost_to_serve")?,
        discount_rate: float(place::DISCOUNT_RATE, "discount_rate")?,
        horizon: months(place::HORIZON, "horizon")?,
        expansion: float(place::EXPANSION, "expansion")?,
        price_uplift: float(place::PRICE_UPLIFT, "price_uplift")?,
        period_months: float(place::PERIOD_MONTHS, "period_months")?,
        billing: settle(text(place::BILLING, "billing")?.parse()),
        timing: settle(text(place::TIMING, "timing")?.parse()),
        given: float(place::GIVEN, "given")?,
        term_months: call.float(first + place::TERM_MONTHS),
        months_to_renewal: call.float(first + place::MONTHS_TO_RENEWAL),
        paid_months: months(place::PAID_MONTHS, "paid_months")?,
        acquisition_cost: float(place::ACQUISITION_COST, "acquisition_cost")?,
        tail: settle(text(place::TAIL, "tail")?.parse()),
        minor_digits: settle(digits_of(currency.as_deref())),
        level: float(place::LEVEL, "level")?,
        ..Terms::new(0.0)
    };
    Ok(Asked { terms, as_of, currency })
}

/// Days from `as_of` to the same day `months` later, the last of the month where there is none.
fn days_after(as_of: NaiveDate, months: u32) -> i64 {
    as_of.checked_add_months(Months::new(months)).map_or(i64::MAX, |due| (due - as_of).num_days())
}

/// Runs `value` with the terms, dated when the call says as of when.
pub(crate) fn with_terms<R>(asked: &Asked, value: impl FnOnce(&Terms) -> R) -> R {
    dated(&asked.terms, asked.as_of, value)
}

fn dated<R>(terms: &Terms, as_of: Option<NaiveDate>, value: impl FnOnce(&Terms) -> R) -> R {
    match as_of {
        None => value(terms),
        Some(as_of) => {
            let due = |months| days_after(as_of, months);
            value(&Terms { due_days: Some(Calendar(&due)), ..*terms })
        }
    }
}

/// Applies `value` to the curve of argument 0; the reason when there is none.
pub(crate) fn with_curve<R>(call: &Call, value: impl FnOnce(CurveView) -> R) -> Result<R, String> {
    call.curve(value).ok_or_else(|| no_curve(call))
}

fn no_curve(call: &Call) -> String {
    if call.bytes(0).is_none() { "no curve" } else { "the curve is empty" }.into()
}

/// The places that [`Arguments`] are of, revenue and age left out.
const NUMBERS: [usize; 13] = [
    place::MARGIN,
    place::COST_TO_SERVE,
    place::DISCOUNT_RATE,
    place::HORIZON,
    place::EXPANSION,
    place::PRICE_UPLIFT,
    place::PERIOD_MONTHS,
    place::TERM_MONTHS,
    place::MONTHS_TO_RENEWAL,
    place::PAID_MONTHS,
    place::ACQUISITION_COST,
    place::LEVEL,
    place::AS_OF,
];
const WORDS: [usize; 4] = [place::BILLING, place::TIMING, place::TAIL, place::CURRENCY];

fn passed(call: &Call, first: usize) -> Arguments {
    Arguments {
        numbers: NUMBERS.map(|place| call.bits(first + place)),
        words: WORDS.map(|place| call.bytes(first + place).map(Box::from)),
    }
}

fn are_passed(call: &Call, first: usize, held: &Arguments) -> bool {
    NUMBERS.iter().zip(&held.numbers).all(|(place, held)| call.bits(first + place) == *held)
        && WORDS.iter().zip(&held.words).all(|(place, held)| call.bytes(first + place) == held.as_deref())
}

/// `lifetime_value(curve, …)`. From one contract to the next only price and age change, as a rule: then the other
/// arguments are not read again.
pub fn lifetime_value_curve(call: &Call) -> pg_sys::Datum {
    let changing = call.float(1 + place::REVENUE).zip(call.float(1 + place::GIVEN));
    let answer = changing.and_then(|(revenue, given)| {
        let same = |held: &Agreed| held.arguments.as_ref().is_some_and(|held| are_passed(call, 1, held));
        let make = || {
            let Asked { terms, as_of, .. } = asked(call, 1).ok()?;
            Some(Agreed { terms, as_of, arguments: Some(passed(call, 1)) })
        };
        call.answer_row_of_curve(|curve, ages, row| {
            let (agreed, met) = ages.under(same, make)?;
            let terms = || Terms { revenue, given, ..agreed.terms };
            match valued_under(curve, agreed, met, (revenue, given), terms) {
                Some(valuation) => put_valuation(row, &agreed.terms, call.text(1 + place::CURRENCY), &valuation),
                None => put_no_value(row, Status::NoSuchAge.name()),
            }
            Some(())
        })
    });
    answer.unwrap_or_else(|| value_curve(call, asked(call, 1).map_err(missing)))
}

/// `lifetime_value(curve, terms)`.
pub fn lifetime_value_curve_terms(call: &Call) -> pg_sys::Datum {
    let stated = stated(call, 1);
    let plain = stated.as_ref().ok().and_then(|stated| Some((stated.plain()?, Asked::of(stated).as_of, stated)));
    let answer = plain.and_then(|(terms, as_of, stated)| {
        let same = |held: &Agreed| {
            held.arguments.is_none() && held.as_of == as_of && UnitValuation::share(&held.terms, &terms)
        };
        let make = || Some(Agreed { terms, as_of, arguments: None });
        call.answer_row_of_curve(|curve, ages, row| {
            let (agreed, met) = ages.under(same, make)?;
            match valued_under(curve, agreed, met, (terms.revenue, terms.given), || terms) {
                Some(valuation) => put_valuation(row, &terms, stated.currency.as_deref(), &valuation),
                None => put_no_value(row, Status::NoSuchAge.name()),
            }
            Some(())
        })
    });
    answer.unwrap_or_else(|| value_curve(call, stated.as_ref().map(Asked::of).map_err(String::clone)))
}

/// `lifetime_value(model, row, …)`.
pub fn lifetime_value_model(call: &Call, by: ModelBy) -> pg_sys::Datum {
    value_model(call, by, asked(call, 2).map_err(missing))
}

/// `lifetime_value(model, row, terms)`.
pub fn lifetime_value_model_terms(call: &Call, by: ModelBy) -> pg_sys::Datum {
    let terms = stated(call, 2);
    value_model(call, by, terms.as_ref().map(Asked::of).map_err(String::clone))
}

/// `lifetime_values(curve, terms, horizons)`.
pub fn lifetime_values_curve(call: &Call) -> pg_sys::Datum {
    values(call, 1, |asked| valued_curve(call, asked))
}

/// `lifetime_values(model, row, terms, horizons)`.
pub fn lifetime_values_model(call: &Call, by: ModelBy) -> pg_sys::Datum {
    values(call, 2, |asked| valued_model(call, by, asked))
}

/// A row for each horizon; the terms stand at `place`, the horizons behind them.
fn values(call: &Call, place: usize, value: impl Fn(&Asked) -> Valued) -> pg_sys::Datum {
    let horizons = call.get::<Vec<Option<i32>>>(place + 1).unwrap_or_default();
    let terms = stated(call, place);
    let horizons = horizons.into_iter().flatten();
    call.answer_rows_by(horizons, |row, months| {
        let Ok(terms) = &terms else { return put_no_value(row, &missing("terms")) };
        let mut terms = terms.clone();
        terms.plain.horizon = settle(whole("horizon", months));
        let asked = Asked::of(&terms);
        put_valued(row, &asked, &value(&asked));
    })
}

/// A valuation, none at this age, or why there can be none.
type Valued = Result<Option<Valuation>, String>;

fn value_curve(call: &Call, asked: Result<Asked, String>) -> pg_sys::Datum {
    answer_valuation(call, asked, |asked| valued_curve(call, asked))
}

fn value_model(call: &Call, by: ModelBy, asked: Result<Asked, String>) -> pg_sys::Datum {
    answer_valuation(call, asked, |asked| valued_model(call, by, asked))
}

fn valued_curve(call: &Call, asked: &Asked) -> Valued {
    with_curve(call, |curve| with_terms(asked, |terms| settle(lifetime_value::lifetime_value(curve, terms))))
}

/// The same for terms without lists: contracts of one curve, terms and age differ in their price only.
#[inline]
fn valued_under(
    curve: CurveView,
    agreed: &Agreed,
    met: &mut Met,
    (revenue, given): (f64, f64),
    terms: impl Fn() -> Terms<'static>,
) -> Option<Valuation> {
    let unit = || dated(&terms(), agreed.as_of, |terms| settle(UnitValuation::new(curve, terms)));
    let is_shared = UnitValuation::is_for(&agreed.terms);
    let short = if is_shared { met.again(given, unit).and_then(|unit| unit.at(revenue)) } else { None };
    let long = || dated(&terms(), agreed.as_of, |terms| settle(lifetime_value::lifetime_value(curve, terms)));
    short.or_else(long)
}

/// `present_value(curve, terms, revenue, given)`.
pub fn present_value(call: &Call) -> pg_sys::Datum {
    let (Some(bytes), Some(revenue), Some(given)) = (call.bytes(1), call.float(2), call.float(3)) else {
        return call.null();
    };
    let value = call.curve_and_ages(|curve, ages| {
        let at_age = |terms: &ContractTerms| {
            let mut terms = terms.clone();
            terms.plain.given = given;
            terms
        };
        let decode = || settle(decoded(bytes, ContractTerms::from_bytes));
        let (terms, unit) = ages.of_value(bytes, given, decode, |terms| {
            let terms = at_age(terms);
            let asked = Asked::of(&terms);
            let unit = || with_terms(&asked, |terms| settle(UnitValuation::new(curve, terms)));
            if UnitValuation::is_for(&asked.terms) { unit() } else { None }
        });
        let digits = terms.plain.minor_digits;
        let short = unit.filter(|_| revenue > 0.0).and_then(|unit| unit.ltv(revenue));
        let long = || {
            let mut terms = at_age(terms);
            terms.revenue = of_double(revenue);
            let asked = Asked::of(&terms);
            let valuation = with_terms(&asked, |terms| settle(lifetime_value::lifetime_value(curve, terms)));
            valuation.map(|valuation| valuation.ltv)
        };
        short.or_else(long).map(|ltv| ltv.amount(digits))
    });
    call.answer_float(value.flatten())
}

fn valued_model(call: &Call, by: ModelBy, asked: &Asked) -> Valued {
    with_model(call, by, asked, |terms, curve| settle(lifetime_value::lifetime_value(curve, terms)))
}

/// Applies `value` to the curve that the model of argument 0 has for the row of argument 1; the reason when there is none.
pub(crate) fn with_model<R>(
    call: &Call,
    by: ModelBy,
    asked: &Asked,
    value: impl Fn(&Terms, CurveView) -> R,
) -> Result<R, String> {
    let scored = call.score(by, |subject| {
        let subject = subject.map_err(|why| why.to_string())?;
        subject.no_lifetime().map_or(Ok(()), |why| Err(why.to_string()))?;
        Ok::<_, String>(with_terms(asked, |terms| subject.view_for_value(terms, |curve| value(terms, curve))))
    });
    scored.ok_or("no model or no row")?
}

pub(crate) fn missing(name: &'static str) -> String {
    format!("missing: {name}")
}

fn answer_valuation<'a>(
    call: &Call,
    asked: Result<Asked<'a>, String>,
    value: impl FnOnce(&Asked<'a>) -> Valued,
) -> pg_sys::Datum {
    match asked {
        Ok(asked) => {
            let valued = value(&asked);
            call.answer_row(|row| put_valued(row, &asked, &valued))
        }
        Err(why) => call.answer_row(|row| put_no_value(row, &why)),
    }
}

fn put_valuation(row: &mut Row, terms: &Terms, currency: Option<&str>, valuation: &Valuation) {
    let digits = terms.minor_digits;
    row.money(Some(valuation.ltv), digits);
    row.money(Some(valuation.undiscounted), digits);
    row.money(Some(valuation.revenue), digits);
    row.money(Some(valuation.cost), digits);
    row.float(Some(valuation.expected_lifetime));
    row.float(Some(valuation.discount_rate));
    row.int4(Some(valuation.horizon as i32));
    row.money(Some(valuation.tail_value), digits);
    row.float(valuation.tail_share);
    row.float(valuation.payback_months);
    row.money(valuation.lower, digits);
    row.money(valuation.upper, digits);
    row.text(currency);
    row.text(Some(valuation.status.name()));
    row.text(Some(terms.basis.name()));
    row.float(valuation.undiscounted_payback_months);
    row.money(Some(valuation.outcome_std_dev), digits);
    row.money(Some(valuation.outcome_lower), digits);
    row.money(Some(valuation.outcome_upper), digits);
}

/// NULLs but for the status, which says why.
fn put_no_value(row: &mut Row, why: &str) {
    const COLUMNS: usize = 19;
    const STATUS: usize = 13;
    (0..COLUMNS).for_each(|column| row.text((column == STATUS).then_some(why)));
}

fn put_valued(row: &mut Row, asked: &Asked, valued: &Valued) {
    match valued {
        Ok(Some(valuation)) => put_valuation(row, &asked.terms, asked.currency.as_deref(), valuation),
        Ok(None) => put_no_value(row, Status::NoSuchAge.name()),
        Err(why) => put_no_value(row, why),
    }
}
