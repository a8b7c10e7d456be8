//! Laws that hold under every combination of terms, and the definition of lifetime value to compare with.

use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::survival::{Steps, Tail};
use crate::value::cash_flow::flows;
use crate::value::components::components;
use crate::value::money::double;
use crate::value::outcome::Outcome;
use crate::value::outlook::Outlook;
use crate::value::{
    Billing, Calendar, CashFlow, Minor, TailRule, Terms, Timing, UnitValuation, ValueBasis, cash_flows, lifetime_value,
};

/// Days to the same day of a later month in a calendar of 30 and 31 days.
fn days(months: u32) -> i64 {
    i64::from(months) * 30 + i64::from(months.div_ceil(2))
}

/// The definition, line by line, with survival from the curve's own accessor and no rounding.
fn by_definition(steps: &Steps, terms: &Terms) -> f64 {
    let steps = match terms.tail {
        TailRule::None => Steps { tail: Tail::None, ..steps.clone() },
        TailRule::ConstantHazard => steps.clone().with_average_tail(),
        TailRule::RecentHazard => {
            let window = terms.tail_months.unwrap_or(steps.max_followup / 4.0).min(steps.max_followup);
            let bare = Steps { tail: Tail::None, ..steps.clone() };
            let logarithm = |t: f64| bare.survival_at(t).unwrap().ln();
            let rate = (logarithm(steps.max_followup - window) - logarithm(steps.max_followup)) / window;
            let tail = if rate.is_finite() { Tail::ConstantHazard { rate } } else { Tail::None };
            Steps { tail, ..bare }
        }
    };
    let renewal_until = |t: f64| {
        let mut read_at = t;
        if let Some(term) = terms.term_months {
            let mut date = terms.months_to_renewal.unwrap_or(term - terms.given % term);
            read_at = 0.0;
            while date <= t {
                read_at = date;
                date += term;
            }
        }
        read_at
    };
    let locked =
        if terms.term_months.is_some() && !terms.auto_renew { 0.0 } else { renewal_until(terms.notice_months) };
    let kept = |t: f64| (1.0 - terms.early_termination).powf(t / 12.0);
    // Who is there at month t, and who was when its term began.
    let survival = |t: f64| {
        let read_at = renewal_until(t);
        let alone = if read_at <= locked {
            1.0
        } else {
            let left = steps.renewal_probability(terms.given + locked, terms.given + read_at).unwrap();
            left.unwrap_or(0.0).powf(terms.hazard_ratio)
        };
        if terms.term_months.is_some() { (alone * kept(t), alone * kept(read_at)) } else { (alone, alone) }
    };
    let zero_rate_factor = |years: f64| {
        let curve = terms.discount_curve;
        if curve.is_empty() {
            return (1.0 + terms.discount_rate).powf(-years);
        }
        let factor = |year: usize| if year == 0 { 1.0 } else { (1.0 + curve[year - 1]).powi(-(year as i32)) };
        let year = (years.floor() as usize).min(curve.len() - 1);
        factor(year) * (factor(year + 1) / factor(year)).powf(years - year as f64)
    };
    let mut total = -terms.acquisition_cost;
    let mut start = terms.paid_months;
    while start < terms.horizon {
        let end = terms.horizon.min(start + terms.billing.months());
        let (a, b) = (f64::from(start), f64::from(end));
        let (due, (there, entered)) = match terms.timing {
            Timing::Advance => (a, survival(a)),
            Timing::Arrears => (b, survival(a)),
            Timing::Middle => ((a + b) / 2.0, survival((a + b) / 2.0)),
        };
        let renewals = match terms.renewals() {
            Some(renewals) => (0..1200).filter(|k| renewals.first + f64::from(*k) * renewals.every <= a).count(),
            None => (start / 12) as usize,
        };
        let began = match terms.renewals() {
            Some(renewals) => renewals.every - renewals.first,
            None => terms.given,
        };
        let contract_year = ((began + a) / 12.0).floor() - (began / 12.0).floor();
        let unit = match terms.ramp {
            [] => terms.revenue,
            ramp => double(ramp[(contract_year as usize).min(ramp.len() - 1)]),
        };
        let stretch = (start / terms.expansion_curve_months) as usize;
        let index = match terms.expansion_curve {
            [] => 1.0,
            curve => curve[stretch.min(curve.len() - 1)],
        };
        let price = unit / terms.period_months
            * (b - a)
            * index
            * (1.0 + terms.expansion).powf(a / 12.0)
            * (1.0 + terms.price_uplift).powi(renewals as i32);
        let mut cost = 0.0;
        if terms.basis != ValueBasis::Revenue {
            cost += (1.0 - terms.margin) * price;
        }
        if terms.basis == ValueBasis::Contribution {
            cost += terms.cost_to_serve / terms.period_months * (b - a);
        }
        let years = f64::from(terms.payment_days) / 365.0
            + terms.due_days.map_or(due / 12.0, |calendar| {
                let (from, to) = (calendar.0(start), calendar.0(end));
                let days = match terms.timing {
                    Timing::Advance => from,
                    Timing::Arrears => to,
                    Timing::Middle => (from + to) / 2,
                };
                days as f64 / 365.0
            });
        let paid = (1.0 - terms.bad_debt) * price;
        let flow = there * (paid - cost) + (entered - there) * terms.termination_fee * paid;
        total += flow * zero_rate_factor(years);
        start = end;
    }
    total
}

prop_compose! {
    /// Whole and half months, so that dates meet steps; ending in nobody, in a tail or in nothing.
    fn any_curve()(
        falls in prop::collection::vec((1u8..20, 0.0..0.4f64, 1e-6..1e-2f64, -0.1..0.1f64), 0..25),
        after in 0u8..30, ends in 0u8..4, rate in 0.0..0.2f64, known in any::<bool>(),
    ) -> Steps {
        let (mut time, mut survival, mut variance) = (0.0, 1.0, 0.0);
        let tail = if ends == 1 { Tail::ConstantHazard { rate } } else { Tail::None };
        let mut steps = Steps {
            times: vec![],
            survival: vec![],
            cumulative_hazard: vec![],
            variance: vec![],
            rank: 1,
            loadings: vec![],
            max_followup: 0.0,
            tail,
            decisions: None,
        };
        for (i, (gap, fall, spread, loading)) in falls.iter().enumerate() {
            time += f64::from(*gap) / 2.0;
            survival *= if ends == 0 && i + 1 == falls.len() { 0.0 } else { 1.0 - fall };
            variance = if survival == 0.0 { f64::INFINITY } else { variance + spread };
            steps.times.push(time);
            steps.survival.push(survival);
            steps.cumulative_hazard.push(-survival.ln());
            steps.variance.push(variance);
            steps.loadings.push(*loading);
        }
        steps.max_followup = time + f64::from(after);
        if !known {
            steps.variance.clear();
        }
        steps
    }
}

prop_compose! {
    fn any_money()(
        revenue in 0.0..5000.0f64, margin in -0.5..1.0f64, cost_to_serve in 0.0..500.0f64, acquisition in 0.0..5000.0f64,
        free in any::<[bool; 3]>(), discount_rate in prop_oneof![Just(0.0), -0.3..1.0f64],
        expansion in prop_oneof![Just(0.0), -0.5..0.5f64], price_uplift in prop_oneof![Just(0.0), -0.5..0.5f64],
        period_months in prop::sample::select(vec![1.0, 3.0, 12.0, 0.5]), minor_digits in prop::sample::select(vec![0, 2, 3]),
    ) -> Terms<'static> {
        Terms {
            period_months,
            margin: if free[0] { 1.0 } else { margin },
            cost_to_serve: if free[1] { 0.0 } else { cost_to_serve },
            acquisition_cost: if free[2] { 0.0 } else { acquisition },
            discount_rate, expansion, price_uplift, minor_digits,
            ..Terms::new(revenue)
        }
    }
}

/// What a contract may have beside a price: lists that live as long as the test.
#[derive(Debug, Clone)]
struct Lists {
    ramp: Vec<f64>,
    expansion: Vec<f64>,
    discount: Vec<f64>,
}

prop_compose! {
    fn any_lists()(
        ramp in prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(0u32..300_000, 1..5)],
        expansion in prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(0.5..1.5f64, 1..8)],
        discount in prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(-0.05..0.2f64, 1..8)],
    ) -> Lists {
        Lists { ramp: ramp.into_iter().map(|cents| f64::from(cents) / 100.0).collect(), expansion, discount }
    }
}

prop_compose! {
    fn any_structure()(
        notice in prop_oneof![2 => Just(0u8), 1 => 0u8..40], auto_renew in any::<bool>(),
        early in prop_oneof![2 => Just(0.0), 1 => 0.0..0.5f64], fee in prop_oneof![1 => Just(0.0), 1 => 0.0..1.0f64],
        payment_days in prop_oneof![2 => Just(0u32), 1 => 0u32..120],
        bad_debt in prop_oneof![2 => Just(0.0), 1 => 0.0..0.2f64],
        basis in prop::sample::select(vec![ValueBasis::Revenue, ValueBasis::GrossMargin, ValueBasis::Contribution]),
        hazard_ratio in prop_oneof![2 => Just(1.0), 1 => 0.3..3.0f64], expansion_curve_months in 1u32..15,
        tail_months in prop::option::of(0.5..40.0f64),
    ) -> Terms<'static> {
        Terms {
            notice_months: f64::from(notice) / 2.0, auto_renew, early_termination: early, termination_fee: fee,
            payment_days, bad_debt, basis, hazard_ratio, expansion_curve_months, tail_months,
            ..Terms::new(1.0)
        }
    }
}

prop_compose! {
    fn any_terms()(
        money in any_money(), structure in any_structure(), horizon in 1u32..200, paid in 0.0..1.0f64, given in 0u8..120,
        billing in prop::sample::select(vec![Billing::Monthly, Billing::Quarterly, Billing::Semiannual, Billing::Annual]),
        timing in prop::sample::select(vec![Timing::Advance, Timing::Arrears, Timing::Middle]),
        tail in prop::sample::select(vec![TailRule::None, TailRule::ConstantHazard, TailRule::RecentHazard]),
        term in prop::option::of((1u8..40, prop::option::of(0.0..1.0f64))), dated in any::<bool>(),
    ) -> Terms<'static> {
        let term_months = term.map(|(halves, _)| f64::from(halves) / 2.0);
        // An uplift at every renewal of a short term leaves the range of money.
        let price_uplift = if term_months.is_some_and(|term| term < 6.0) { 0.0 } else { money.price_uplift };
        let to_renewal = term.and_then(|(halves, share)| Some((f64::from(halves) * share?).ceil().max(1.0) / 2.0));
        let within_term = |share: f64| if term.is_some() { share } else { 0.0 };
        Terms {
            horizon, billing, timing, tail, term_months, price_uplift,
            given: f64::from(given) / 2.0,
            months_to_renewal: to_renewal,
            paid_months: (paid * paid * f64::from(horizon)) as u32,
            due_days: dated.then_some(Calendar(&days)),
            notice_months: structure.notice_months,
            auto_renew: structure.auto_renew,
            early_termination: within_term(structure.early_termination),
            termination_fee: within_term(structure.termination_fee),
            payment_days: structure.payment_days,
            bad_debt: structure.bad_debt,
            basis: structure.basis,
            hazard_ratio: structure.hazard_ratio,
            expansion_curve_months: structure.expansion_curve_months,
            tail_months: structure.tail_months.filter(|_| tail == TailRule::RecentHazard),
            ..money
        }
    }
}

/// Runs a check with the terms and the lists.
fn with_lists<R>(terms: &Terms, lists: &Lists, check: impl FnOnce(&Terms) -> R) -> R {
    let ramp: Vec<Decimal> = lists.ramp.iter().filter_map(|price| crate::value::money::decimal(*price)).collect();
    let revenue = lists.ramp.first().copied().unwrap_or(terms.revenue);
    check(&Terms { revenue, ramp: &ramp, expansion_curve: &lists.expansion, discount_curve: &lists.discount, ..*terms })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_add_up_to_the_valuation(steps in any_curve(), terms in any_terms(), lists in any_lists()) {
        with_lists(&terms, &lists, |terms| -> Result<(), TestCaseError> {
        let (valuation, rows) = (lifetime_value(&steps, terms).unwrap(), cash_flows(&steps, terms).unwrap());
        prop_assert_eq!(valuation.is_some(), rows.is_some());
        let (Some(valuation), Some(rows)) = (valuation, rows) else { return Ok(()) };
        let sum = |of: fn(&CashFlow) -> Minor| rows.iter().map(of).sum::<Minor>();
        prop_assert_eq!(valuation.ltv, sum(|row| row.present_value));
        prop_assert_eq!(valuation.undiscounted, sum(|row| row.margin));
        prop_assert_eq!(valuation.revenue, sum(|row| row.revenue));
        prop_assert_eq!(valuation.cost, sum(|row| row.cost));
        prop_assert_eq!(valuation.tail_value, sum(|row| if row.extrapolated { row.present_value } else { Minor::ZERO }));
        let components = components(&steps, terms).unwrap().unwrap();
        prop_assert_eq!(valuation.ltv, components.iter().map(|component| component.amount).sum::<Minor>());
        prop_assert_eq!(valuation.revenue, components[5].running);
        let digits = terms.minor_digits;
        if components[1..].iter().all(|component| component.factor.is_some()) {
            let product: f64 = components.iter().filter_map(|component| component.factor).product();
            let first = components[0].running.amount(digits);
            let room = 10f64.powi(-(digits as i32)) * (1.0 + product.abs()) + 1e-9 * first;
            prop_assert!((product * first - valuation.ltv.amount(digits)).abs() <= room, "{:?}", components);
        }
        // The distribution of outcomes has the value as its mean, within its limits.
        let outlook = Outlook::new(&steps, terms).unwrap();
        let outcome = Outcome::new(&outlook, &flows(&outlook, terms).unwrap());
        let near = 10f64.powi(-(digits as i32)) + 1e-9 * valuation.revenue.amount(digits);
        prop_assert!((outcome.mean() - valuation.ltv.amount(digits)).abs() <= near);
        prop_assert!(valuation.outcome_lower <= valuation.outcome_upper);
        let mut cumulative = Minor::ZERO;
        for row in &rows {
            cumulative = cumulative + row.present_value;
            prop_assert_eq!(row.cumulative, cumulative);
            prop_assert_eq!(row.margin, row.revenue - row.cost);
        }
        let earned = |row: &&CashFlow| terms.acquisition_cost > 0.0 && row.cumulative >= Minor::ZERO;
        prop_assert_eq!(valuation.payback_months, rows.iter().find(earned).map(|row| row.due_months));
        prop_assert!(valuation.expected_lifetime >= 0.0 && valuation.expected_lifetime <= f64::from(terms.horizon) + 1e-9);
        prop_assert_eq!(valuation.lower.is_some(), valuation.upper.is_some());
        if let (Some(lower), Some(upper)) = (valuation.lower, valuation.upper) {
            prop_assert!(lower <= valuation.ltv && valuation.ltv <= upper);
        }
        prop_assert!(rows.windows(2).all(|pair| pair[0].survival.unwrap_or(0.0) >= pair[1].survival.unwrap_or(0.0)));
        Ok(())
        })?;
    }

    #[test]
    fn the_value_is_that_of_the_definition(steps in any_curve(), terms in any_terms(), lists in any_lists()) {
        with_lists(&terms, &lists, |terms| -> Result<(), TestCaseError> {
        if let Some(valuation) = lifetime_value(&steps, terms).unwrap() {
            let (found, expected) = (valuation.ltv.amount(terms.minor_digits), by_definition(&steps, terms));
            let unit = 0.5 * 10f64.powi(-(terms.minor_digits as i32));
            prop_assert!((found - expected).abs() <= unit + 1e-9 * valuation.revenue.amount(terms.minor_digits).max(1.0),
                "{} {}", found, expected);
        }
        Ok(())
        })?;
    }

    #[test]
    fn more_is_more(steps in any_curve(), terms in any_terms(), more in 0.0..0.5f64) {
        let margin = terms.margin.max(terms.bad_debt);
        let terms = Terms { cost_to_serve: 0.0, margin, acquisition_cost: 0.0, ..terms };
        let Some(base) = lifetime_value(&steps, &terms).unwrap() else { return Ok(()) };
        let better = [
            Terms { revenue: terms.revenue * (1.0 + more), ..terms },
            Terms { margin: terms.margin + more * (1.0 - terms.margin), ..terms },
            Terms { expansion: terms.expansion + more, ..terms },
            Terms { price_uplift: terms.price_uplift + more, ..terms },
            Terms { discount_rate: terms.discount_rate - more, ..terms },
            Terms { hazard_ratio: terms.hazard_ratio / (1.0 + more), ..terms },
            Terms { bad_debt: terms.bad_debt / (1.0 + more), ..terms },
            Terms { tail: if terms.tail == TailRule::None { TailRule::ConstantHazard } else { terms.tail }, ..terms },
        ];
        for better in better {
            // A value that is out of range is more, too.
            if let Ok(found) = lifetime_value(&steps, &better) {
                prop_assert!(found.unwrap().ltv >= base.ltv, "{:?}", better);
            }
        }
        // Hazards halved from the start: everybody stays longer.
        let mut longer = steps.clone();
        longer.survival.iter_mut().for_each(|survival| *survival = survival.sqrt());
        if let Tail::ConstantHazard { rate } = steps.tail {
            longer.tail = Tail::ConstantHazard { rate: rate / 2.0 };
        }
        prop_assert!(lifetime_value(&longer, &terms).unwrap().unwrap().ltv >= base.ltv);
    }

    #[test]
    fn the_short_way_is_the_long_way(
        steps in any_curve(), terms in any_terms(), lists in any_lists(), level in 0.5..0.99f64,
        prices in prop::collection::vec(prop_oneof![0.0..5000.0f64, (0u32..500_000).prop_map(|cents| f64::from(cents) / 100.0)], 1..6),
    ) {
        let lists = Lists { ramp: vec![], ..lists };
        let terms = Terms { acquisition_cost: 0.0, early_termination: 0.0, termination_fee: 0.0, level, ..terms };
        with_lists(&terms, &lists, |terms| -> Result<(), TestCaseError> {
            prop_assert!(UnitValuation::is_for(terms));
            let unit = UnitValuation::new(&steps, terms).unwrap();
            for revenue in prices {
                let long = lifetime_value(&steps, &Terms { revenue, ..*terms }).unwrap();
                prop_assert_eq!(unit.is_some(), long.is_some());
                let Some((unit, long)) = unit.as_ref().zip(long) else { continue };
                if let Some(short) = unit.at(revenue) {
                    prop_assert_eq!(short, long);
                }
                if let Some(ltv) = unit.ltv(revenue) {
                    prop_assert_eq!(ltv, long.ltv);
                }
            }
            Ok(())
        })?;
    }
}

#[test]
fn the_short_way_is_nearly_always_taken() {
    let times: Vec<f64> = (1..=72).map(f64::from).collect();
    let survival: Vec<f64> = times.iter().map(|time| (-0.03 * time).exp()).collect();
    let steps = Steps {
        cumulative_hazard: times.iter().map(|time| 0.03 * time).collect(),
        variance: times.iter().map(|time| 1e-4 * time).collect(),
        times,
        survival,
        rank: 0,
        loadings: vec![],
        max_followup: 72.0,
        tail: Tail::None,
        decisions: None,
    };
    let terms = Terms { margin: 0.8, cost_to_serve: 5.0, tail: TailRule::ConstantHazard, ..Terms::new(1.0) };
    let (mut short, mut all) = (0, 0);
    for given in 0..40 {
        let terms = Terms { given: f64::from(given), ..terms };
        let unit = UnitValuation::new(&steps, &terms).unwrap().unwrap();
        for cents in (1000..500_000).step_by(977) {
            let revenue = f64::from(cents) / 100.0;
            all += 1;
            if let Some(found) = unit.at(revenue) {
                short += 1;
                if cents % 7 == 0 {
                    assert_eq!(Some(found), lifetime_value(&steps, &Terms { revenue, ..terms }).unwrap());
                }
            }
        }
    }
    assert!(f64::from(short) > 0.9999 * f64::from(all), "{short} of {all}");
}

#[test]
fn the_short_way_keeps_to_the_minor_unit_beside_a_large_cost() {
    let times: Vec<f64> = (1..=72).map(f64::from).collect();
    let steps = Steps {
        cumulative_hazard: times.iter().map(|time| 0.013 * time).collect(),
        variance: times.iter().map(|time| 1e-5 * time).collect(),
        survival: times.iter().map(|time| (-0.013 * time).exp()).collect(),
        times,
        rank: 0,
        loadings: vec![],
        max_followup: 72.0,
        tail: Tail::None,
        decisions: None,
    };
    let mut short = 0;
    // Costs such as there are in dong, rupiah or yen.
    for (cost_to_serve, minor_digits) in [(1e5, 2), (1e6, 2), (1e6, 3), (1e7, 0), (1e7, 2), (1e8, 0), (1e9, 0)] {
        for margin in [1.0, 0.37, 0.01] {
            let terms = Terms { margin, cost_to_serve, minor_digits, ..Terms::new(1.0) };
            let unit = UnitValuation::new(&steps, &terms).unwrap().unwrap();
            for step in 0..300 {
                let revenue = cost_to_serve / margin * (1.02 + 0.0137 * f64::from(step));
                let long = lifetime_value(&steps, &Terms { revenue, ..terms }).unwrap().unwrap();
                if let Some(found) = unit.at(revenue) {
                    short += 1;
                    assert_eq!(found, long, "revenue {revenue}, cost {cost_to_serve}, margin {margin}");
                }
                assert!(unit.ltv(revenue).is_none_or(|ltv| ltv == long.ltv));
            }
        }
    }
    assert!(short > 1000, "{short}");
}
