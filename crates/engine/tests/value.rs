//! Lifetime value against published and hand-computed values of finance.

use approx::assert_relative_eq;
use ltv_engine::Error;
use ltv_engine::numeric::tally::Budget;
use ltv_engine::survival::{Sample, Steps, Tail, kaplan_meier};
use ltv_engine::value::{
    Billing, Calendar, CashFlow, Minor, Status, TailRule, Terms, Timing, Valuation, cash_flows, lifetime_value,
};

fn curve(times: Vec<f64>, survival: Vec<f64>, max_followup: f64, tail: Tail) -> Steps {
    let cumulative_hazard = survival.iter().map(|survival: &f64| -survival.ln()).collect();
    let (variance, loadings) = (Vec::new(), Vec::new());
    Steps { times, survival, cumulative_hazard, variance, rank: 0, loadings, max_followup, tail, decisions: None }
}

/// Nobody ever leaves.
fn certain() -> Steps {
    curve(vec![], vec![], 5000.0, Tail::None)
}

/// At the end of each year k of two hundred a share `renewal(k)` of those still there goes on.
fn yearly(renewal: impl Fn(f64) -> f64) -> Steps {
    let mut alive = 1.0;
    let years = (1..=200).map(f64::from);
    let survival = years.clone().map(|year| {
        alive *= renewal(year);
        alive
    });
    curve(years.clone().map(|year| 12.0 * year).collect(), survival.collect(), 2400.0, Tail::None)
}

/// S(t) = exp(−rate t), all of it tail.
fn exponential(rate: f64) -> Steps {
    curve(vec![], vec![], 0.0, Tail::ConstantHazard { rate })
}

fn value(steps: &Steps, terms: &Terms) -> Valuation {
    lifetime_value(steps, terms).unwrap().unwrap()
}

fn rows(steps: &Steps, terms: &Terms) -> Vec<CashFlow> {
    cash_flows(steps, terms).unwrap().unwrap()
}

fn ltv(steps: &Steps, terms: &Terms) -> String {
    value(steps, terms).ltv.text(terms.minor_digits)
}

fn column(rows: &[CashFlow], of: impl Fn(&CashFlow) -> Minor) -> Vec<String> {
    rows.iter().map(|row| of(row).text(2)).collect()
}

/// Days to the same day of a later month, from 2025-01-01.
fn days_from_2025(months: u32) -> i64 {
    const UNTIL: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    i64::from(months / 12) * 365 + UNTIL[(months % 12) as usize]
}

#[test]
fn twelve_months_of_100_at_ten_percent() {
    // Effective annual rate: 1140.05 at the ends, ×1.1^(1/24) in the middles, ×1.1^(1/12) at the starts.
    for (timing, expected) in [(Timing::Arrears, "1140.05"), (Timing::Middle, "1144.59"), (Timing::Advance, "1149.14")]
    {
        let terms = Terms { horizon: 12, timing, ..Terms::new(100.0) };
        assert_eq!(ltv(&certain(), &terms), expected);
        assert_eq!(value(&certain(), &terms).undiscounted.text(2), "1200.00");
    }
    // XNPV, ACT/365 fixed, of twelve invoices from 2025-01-01: 1149.377328 by pyxirr, at the ends 1140.286419.
    let calendar = Some(Calendar(&days_from_2025));
    let dated = Terms { horizon: 12, due_days: calendar, minor_digits: 6, ..Terms::new(100.0) };
    assert_eq!(ltv(&certain(), &dated), "1149.377328");
    assert_eq!(ltv(&certain(), &Terms { timing: Timing::Arrears, ..dated }), "1140.286419");
    let middle = rows(&certain(), &Terms { timing: Timing::Middle, ..dated });
    assert_eq!(middle[1].due_days, Some(45));
    assert_relative_eq!(middle[1].discount_factor, 1.1f64.powf(-45.0 / 365.0), max_relative = 1e-15);
}

#[test]
fn an_annual_prepayment_of_1200() {
    let annual = Terms { horizon: 12, period_months: 12.0, billing: Billing::Annual, ..Terms::new(1200.0) };
    for (timing, expected) in [(Timing::Advance, "1200.00"), (Timing::Middle, "1144.16"), (Timing::Arrears, "1090.91")]
    {
        assert_eq!(ltv(&certain(), &Terms { timing, ..annual }), expected);
    }
}

#[test]
fn the_three_formulas_of_constant_retention() {
    // Fader & Hardie, note 024: m = 100, r = 0.8, d = 0.1.
    let (first_included, first_excluded, at_the_end) = ("366.67", "266.67", "333.33");
    for term_months in [None, Some(12.0)] {
        let terms =
            Terms { horizon: 1200, period_months: 12.0, billing: Billing::Annual, term_months, ..Terms::new(100.0) };
        let steps = yearly(|_| 0.8);
        assert_eq!(ltv(&steps, &terms), first_included);
        assert_eq!(ltv(&steps, &Terms { paid_months: 12, ..terms }), first_excluded);
        assert_eq!(ltv(&steps, &Terms { timing: Timing::Arrears, ..terms }), at_the_end);
    }
}

#[test]
fn discounted_expected_residual_lifetime_of_the_shifted_beta_geometric() {
    // Fader & Hardie (2010), table 3, d = 0.1, just before the n-th renewal; exact values by 2F1.
    let published = [
        (3.80, 15.20, [3.309818, 3.451000, 3.586544, 3.716812, 3.842134], 1e-6),
        (1.0 / 15.0, 4.0 / 15.0, [7.6815, 9.4620, 9.8560, 10.0605, 10.1924], 5e-5),
    ];
    for (a, b, expected, tolerance) in published {
        let steps = yearly(|k| (b + k - 1.0) / (a + b + k - 1.0));
        for (years, expected) in (0u8..).map(f64::from).zip(expected) {
            let terms = Terms {
                given: 12.0 * years,
                paid_months: 12,
                term_months: Some(12.0),
                horizon: 1200,
                period_months: 12.0,
                billing: Billing::Annual,
                minor_digits: 6,
                ..Terms::new(1e3)
            };
            // The renewal is a year away, so the residual value is the discounted sum of the years 1 to 99.
            let found = value(&steps, &terms).ltv.amount(6) / 1e3 * 1.1;
            let left = steps.renewal_probability(terms.given, terms.given + 1200.0).unwrap().unwrap();
            let cut_off = left * 1.1f64.powi(-99) / (1.0 - 1.0 / 1.1);
            assert!(found <= expected + tolerance && expected <= found + cut_off + tolerance, "{found} {expected}");
        }
    }
}

#[test]
fn a_constant_hazard_in_closed_form() {
    let rate: f64 = 0.03;
    let (survives, discount) = ((-rate).exp(), 1.1f64.powf(-1.0 / 12.0));
    let q = survives * discount;
    let annuity = (1.0 - q.powi(60)) / (1.0 - q);
    for (timing, factor) in
        [(Timing::Advance, 1.0), (Timing::Arrears, discount), (Timing::Middle, (survives * discount).sqrt())]
    {
        let terms = Terms { timing, given: 17.5, tail: TailRule::ConstantHazard, minor_digits: 6, ..Terms::new(1e4) };
        let valuation = value(&exponential(rate), &terms);
        assert_relative_eq!(valuation.ltv.amount(6), 1e4 * annuity * factor, max_relative = 1e-11);
        assert_relative_eq!(valuation.expected_lifetime, (1.0 - (-60.0 * rate).exp()) / rate, max_relative = 1e-12);
        assert_eq!((valuation.status, valuation.lower), (Status::MostlyExtrapolated, None));
    }
}

#[test]
fn a_rate_of_zero_leaves_the_undiscounted_value() {
    let terms = Terms { discount_rate: 0.0, margin: 0.37, cost_to_serve: 1.23, ..Terms::new(9.99) };
    for digits in [0, 2, 3] {
        let valuation = value(&yearly(|k| 1.0 - 0.3 / k), &Terms { minor_digits: digits, ..terms });
        assert_eq!(valuation.ltv, valuation.undiscounted);
        assert_eq!(valuation.undiscounted, valuation.revenue - valuation.cost);
    }
}

#[test]
fn the_price_may_be_quoted_for_any_period() {
    let steps = yearly(|_| 0.9);
    let monthly = Terms { cost_to_serve: 7.0, margin: 0.8, billing: Billing::Quarterly, ..Terms::new(50.0) };
    let quarterly = Terms { period_months: 3.0, cost_to_serve: 21.0, revenue: 150.0, ..monthly };
    let annual = Terms { period_months: 12.0, cost_to_serve: 84.0, revenue: 600.0, ..monthly };
    assert_eq!(rows(&steps, &monthly), rows(&steps, &quarterly));
    assert_eq!(rows(&steps, &monthly), rows(&steps, &annual));
    assert_eq!(column(&rows(&certain(), &quarterly)[..2], |row| row.revenue), ["150.00", "150.00"]);
}

#[test]
fn the_last_period_is_cut_off_at_the_horizon() {
    let terms = Terms { horizon: 14, billing: Billing::Annual, timing: Timing::Middle, ..Terms::new(100.0) };
    let rows = rows(&certain(), &terms);
    assert_eq!(column(&rows, |row| row.revenue), ["1200.00", "200.00"]);
    assert_eq!(rows.iter().map(|row| row.due_months).collect::<Vec<_>>(), [6.0, 13.0]);
}

#[test]
fn with_a_term_survival_falls_at_renewal_dates_only() {
    let steps = curve(vec![6.0, 12.0, 18.0, 24.0], vec![0.9, 0.7, 0.6, 0.5], 36.0, Tail::None);
    let terms = Terms { horizon: 24, billing: Billing::Quarterly, term_months: Some(12.0), ..Terms::new(100.0) };
    let survival = |terms: &Terms| rows(&steps, terms).iter().map(|row| row.survival.unwrap()).collect::<Vec<_>>();
    assert_eq!(survival(&terms), [1.0, 1.0, 1.0, 1.0, 0.7, 0.7, 0.7, 0.7]);
    assert_eq!(survival(&Terms { timing: Timing::Arrears, ..terms }), survival(&terms));
    assert_eq!(survival(&Terms { term_months: None, ..terms }), [1.0, 1.0, 0.9, 0.9, 0.7, 0.7, 0.6, 0.6]);
    assert_relative_eq!(value(&steps, &terms).expected_lifetime, 12.0 + 0.7 * 12.0, max_relative = 1e-15);
    // At 15 months the next renewal is 9 months away: S(24) / S(15).
    let later = Terms { given: 15.0, ..terms };
    let left = 0.5 / 0.7;
    assert_eq!(survival(&later), [1.0, 1.0, 1.0, left, left, left, left, left]);
    assert_eq!(survival(&Terms { months_to_renewal: Some(9.0), ..later }), survival(&later));
    assert_eq!(value(&steps, &later).status, Status::Ok);
    // Two periods in 0.1-month ages still meet the drop at 24.
    assert_eq!(survival(&Terms { given: 14.3, months_to_renewal: Some(9.7), ..terms })[4], left);
}

#[test]
fn uplift_and_expansion_raise_the_price() {
    let annual = Terms { horizon: 36, billing: Billing::Annual, discount_rate: 0.0, ..Terms::new(100.0) };
    let price = |terms: Terms| column(&rows(&certain(), &terms), |row| row.revenue);
    assert_eq!(price(Terms { price_uplift: 0.05, ..annual }), ["1200.00", "1260.00", "1323.00"]);
    assert_eq!(price(Terms { expansion: -0.2, ..annual }), ["1200.00", "960.00", "768.00"]);
    assert_eq!(price(Terms { expansion: 0.1, price_uplift: 0.1, ..annual }), ["1200.00", "1452.00", "1756.92"]);
    // Renewals at 4, 10, 16, …: two up to month 12, four up to month 24.
    let half_years = Terms { term_months: Some(6.0), months_to_renewal: Some(4.0), price_uplift: 0.1, ..annual };
    assert_eq!(price(half_years), ["1200.00", "1452.00", "1756.92"]);
}

#[test]
fn costs_acquisition_and_payback() {
    let terms = Terms {
        horizon: 6,
        margin: 0.8,
        cost_to_serve: 5.0,
        acquisition_cost: 200.0,
        discount_rate: 0.0,
        ..Terms::new(100.0)
    };
    let rows = rows(&certain(), &terms);
    assert_eq!(rows[0].period, 0);
    assert_eq!(column(&rows[..2], |row| row.cost), ["200.00", "25.00"]);
    assert_eq!(column(&rows[..4], |row| row.cumulative), ["-200.00", "-125.00", "-50.00", "25.00"]);
    let valuation = value(&certain(), &terms);
    assert_eq!([valuation.ltv, valuation.revenue, valuation.cost].map(|m| m.text(2)), ["250.00", "600.00", "350.00"]);
    assert_eq!(valuation.payback_months, Some(2.0));
    assert_eq!(value(&certain(), &Terms { timing: Timing::Arrears, ..terms }).payback_months, Some(3.0));
    assert_eq!(value(&certain(), &Terms { acquisition_cost: 450.01, ..terms }).payback_months, None);
    assert_eq!(value(&certain(), &Terms { acquisition_cost: 0.0, ..terms }).payback_months, None);
}

#[test]
fn beyond_the_observed_time_the_tail_rule_decides() {
    let observed = curve(vec![6.0, 18.0], vec![0.8, 0.6], 24.0, Tail::None);
    let terms = Terms { discount_rate: 0.0, horizon: 48, ..Terms::new(100.0) };
    let truncated = value(&observed, &terms);
    // Months 0–5 at 1, 6–17 at 0.8, 18–24 at 0.6; nothing is known of month 25.
    assert_eq!((truncated.ltv.text(2).as_str(), truncated.status), ("1980.00", Status::Truncated));
    assert_eq!((truncated.tail_value, truncated.tail_share), (Minor::ZERO, Some(0.0)));
    assert_relative_eq!(truncated.expected_lifetime, 6.0 + 0.8 * 12.0 + 0.6 * 6.0, max_relative = 1e-15);
    assert_eq!(rows(&observed, &terms)[25].survival, None);
    // ln 0.6 over 24 months goes on.
    let rate = -0.6f64.ln() / 24.0;
    let beyond: f64 = (1..24).map(|month| 60.0 * (-rate * f64::from(month)).exp()).sum();
    let carried = Terms { tail: TailRule::ConstantHazard, ..terms };
    let valuation = value(&observed, &carried);
    assert_eq!(valuation.tail_value, Minor::round(beyond, 2).unwrap());
    assert_eq!(valuation.ltv, truncated.ltv + valuation.tail_value);
    assert_relative_eq!(valuation.tail_share.unwrap(), beyond / (1980.0 + beyond), max_relative = 1e-5);
    assert_eq!(valuation.status, Status::Extrapolated);
    // A tail of its own is kept, or stripped.
    let own = curve(vec![6.0, 18.0], vec![0.8, 0.6], 24.0, Tail::ConstantHazard { rate: 1.0 });
    assert_eq!(value(&own, &terms), truncated);
    assert_relative_eq!(value(&own, &carried).tail_value.amount(2), 60.0 / (1f64.exp() - 1.0), max_relative = 1e-4);
    // Once everybody has left, nothing is unknown.
    let gone = curve(vec![6.0, 18.0], vec![0.8, 0.0], 18.0, Tail::None);
    for tail in [TailRule::None, TailRule::ConstantHazard] {
        let valuation = value(&gone, &Terms { tail, ..terms });
        assert_eq!((valuation.ltv.text(2).as_str(), valuation.status), ("1560.00", Status::Ok));
    }
    // Within a term that was renewed the end of the observed time does not matter.
    let committed = Terms { term_months: Some(12.0), horizon: 36, ..terms };
    assert_eq!(value(&observed, &committed).status, Status::Ok);
}

#[test]
fn an_age_that_nobody_has_has_no_value() {
    let gone = curve(vec![6.0, 18.0], vec![0.8, 0.0], 18.0, Tail::None);
    let observed = curve(vec![6.0], vec![0.8], 24.0, Tail::None);
    let at = |given: f64, tail: TailRule| Terms { given, tail, ..Terms::new(1.0) };
    assert_eq!(lifetime_value(&gone, &at(18.0, TailRule::ConstantHazard)), Ok(None));
    assert_eq!(cash_flows(&gone, &at(30.0, TailRule::None)), Ok(None));
    assert_eq!(lifetime_value(&observed, &at(25.0, TailRule::None)), Ok(None));
    assert!(lifetime_value(&observed, &at(25.0, TailRule::ConstantHazard)).unwrap().is_some());
}

#[test]
fn the_interval_is_greenwoods() {
    let mut sample = Sample::default();
    for i in 0..100 {
        sample.add(if i < 20 { 12.0 } else { 24.0 }, i < 20, Budget::UNLIMITED).unwrap();
    }
    let steps = kaplan_meier::steps(&sample).unwrap();
    // 100 + 100 · S(12), S = 0.8 ± 0.04.
    let terms = Terms {
        horizon: 24,
        period_months: 12.0,
        billing: Billing::Annual,
        discount_rate: 0.0,
        minor_digits: 6,
        ..Terms::new(100.0)
    };
    let valuation = value(&steps, &terms);
    assert_relative_eq!(valuation.lower.unwrap().amount(6), 180.0 - 4.0 * 1.959_963_985, max_relative = 1e-8);
    assert_relative_eq!(valuation.upper.unwrap().amount(6), 180.0 + 4.0 * 1.959_963_985, max_relative = 1e-8);
    let narrower = value(&steps, &Terms { level: 0.5, ..terms });
    assert_relative_eq!(narrower.upper.unwrap().amount(6), 180.0 + 4.0 * 0.674_489_750, max_relative = 1e-8);
    // What is committed is certain; a curve on which nobody left says nothing of its error.
    let committed = value(&steps, &Terms { term_months: Some(24.0), ..terms });
    assert_eq!((committed.lower, committed.upper), (Some(committed.ltv), Some(committed.ltv)));
    assert_eq!(value(&certain(), &terms).lower, None);
}

#[test]
fn currencies_without_and_with_three_decimals() {
    let steps = yearly(|_| 0.9);
    let terms = Terms { horizon: 24, margin: 0.77, ..Terms::new(1234.5) };
    let [yen, euro, dinar] = [0, 2, 3].map(|digits| value(&steps, &Terms { minor_digits: digits, ..terms }).ltv);
    assert!((yen.amount(0) - dinar.amount(3)).abs() <= 0.5 && (euro.amount(2) - dinar.amount(3)).abs() <= 0.005);
    assert!(!yen.text(0).contains('.') && dinar.text(3).split_once('.').is_some_and(|(_, mils)| mils.len() == 3));
}

#[test]
fn huge_amounts_add_up_or_are_out_of_range() {
    let terms = Terms { margin: 0.7, acquisition_cost: 1e15, ..Terms::new(1e15) };
    let steps = yearly(|_| 0.9);
    let total: Minor = rows(&steps, &terms).iter().map(|row| row.present_value).sum();
    assert_eq!(value(&steps, &terms).ltv, total);
    assert_eq!(
        value(&certain(), &Terms { margin: 1.0, acquisition_cost: 0.0, ..terms }).revenue.text(2),
        "60000000000000000.00"
    );
    let too_large = [
        Terms::new(1e300),
        Terms { acquisition_cost: f64::MAX, ..terms },
        Terms { discount_rate: -1.0 + 1e-15, horizon: 1200, ..terms },
        Terms { margin: -1e300, ..terms },
    ];
    for percentage in [
        Terms { expansion: 5.0, ..terms },
        Terms { discount_rate: 10.0, ..terms },
        Terms { price_uplift: 3.0, ..terms },
    ] {
        assert!(matches!(lifetime_value(&steps, &percentage), Err(Error::Invalid { .. })), "{percentage:?}");
    }
    for terms in too_large {
        assert!(matches!(lifetime_value(&steps, &terms), Err(Error::OutOfRange(_))), "{terms:?}");
        assert!(matches!(cash_flows(&steps, &terms), Err(Error::OutOfRange(_))), "{terms:?}");
    }
}
