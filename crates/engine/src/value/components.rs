//! What a lifetime value is made of: from the price of today, kept by everybody for the whole horizon, to the present
//! value of what is expected, one step at a time.

use crate::Result;
use crate::numeric::sum::Sum;
use crate::survival::CurveView;
use crate::value::cash_flow::{Flow, Ledger, flows};
use crate::value::contract::ValueBasis;
use crate::value::money::Minor;
use crate::value::outlook::Outlook;
use crate::value::terms::Terms;

/// The steps in their order, by the names that SQL has for them.
pub const STEPS: [&str; 10] = [
    "price of today",
    "ramp and uplifts",
    "expansion",
    "retention",
    "termination fees",
    "bad debt",
    "cost of sales",
    "cost to serve",
    "discounting",
    "acquisition cost",
];

/// One step to the value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Component {
    pub name: &'static str,
    /// The value up to here over that before, unrounded; `None` for the first step and where that was 0.
    pub factor: Option<f64>,
    /// The value up to here less that before.
    pub amount: Minor,
    /// The value up to here.
    pub running: Minor,
}

/// The components of [`lifetime_value`](crate::value::lifetime_value()): their amounts add up to `ltv`, and so does the
/// first times all factors where there are all. `None` where there is no value.
///
/// # Errors
/// As there.
pub fn components<'a>(curve: impl Into<CurveView<'a>>, terms: &Terms) -> Result<Option<Vec<Component>>> {
    terms.validate()?;
    let Some(outlook) = Outlook::new(curve, terms) else { return Ok(None) };
    let flows = flows(&outlook, terms)?;
    let mut ledger = Ledger::new(terms.minor_digits);
    for flow in &flows {
        ledger.enter(flow)?;
    }
    let invoices = || flows.iter().filter(|flow| flow.period > 0);
    let total = |of: &dyn Fn(&Flow) -> f64| invoices().map(of).collect::<Sum>().total();
    let there = |flow: &Flow| flow.point.map_or(0.0, |point| point.survival);
    let broken = |flow: &Flow| flow.point.map_or(0.0, |point| (point.entered - point.survival).max(0.0));
    let kept = total(&|flow| there(flow) * flow.parts.grown);
    let fees = total(&|flow| broken(flow) * terms.termination_fee * flow.parts.grown);
    let paid = total(&|flow| flow.revenue.float);
    let sold = match terms.basis {
        ValueBasis::Revenue => paid,
        _ => total(&|flow| flow.margin.float + there(flow) * flow.parts.serving),
    };
    let served = total(&|flow| flow.margin.float);
    let discounted = total(&Flow::present_value);
    let acquired = discounted - terms.acquisition_cost;
    let running = [
        total(&|flow| flow.parts.at_first_price),
        total(&|flow| flow.parts.price),
        total(&|flow| flow.parts.grown),
        kept,
        kept + fees,
        paid,
        sold,
        served,
        discounted,
        acquired,
    ];
    // What the ledger knows it knows exactly; a step that changes nothing is as exact as the next.
    let spent = Minor::round(terms.acquisition_cost, terms.minor_digits)?;
    let mut rounded = [Minor::ZERO; STEPS.len()];
    for step in (0..STEPS.len()).rev() {
        rounded[step] = match step {
            9 => ledger.present_value(),
            8 => ledger.present_value() + spent,
            7 => ledger.margin() + spent,
            5 => ledger.revenue(),
            _ if running[step] == running[step + 1] => rounded[step + 1],
            _ => Minor::round(running[step], terms.minor_digits)?,
        };
    }
    let component = |step: usize| {
        let (before, rounded_before) =
            if step == 0 { (0.0, Minor::ZERO) } else { (running[step - 1], rounded[step - 1]) };
        let factor = running[step] / before;
        Component {
            name: STEPS[step],
            factor: (before != 0.0 && factor.is_finite()).then_some(factor),
            amount: rounded[step] - rounded_before,
            running: rounded[step],
        }
    };
    Ok(Some((0..STEPS.len()).map(component).collect()))
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;
    use rust_decimal::Decimal;

    use super::*;
    use crate::survival::{Steps, Tail};
    use crate::value::lifetime_value;

    #[test]
    fn two_years_by_hand() {
        let curve = Steps {
            times: vec![12.0],
            survival: vec![0.8],
            cumulative_hazard: vec![-(0.8f64.ln())],
            variance: vec![],
            rank: 0,
            loadings: vec![],
            max_followup: 24.0,
            tail: Tail::None,
            decisions: None,
        };
        let ramp = [Decimal::from(1000), Decimal::from(1200)];
        let terms = Terms {
            horizon: 24,
            period_months: 12.0,
            billing: crate::value::Billing::Annual,
            ramp: &ramp,
            expansion_curve: &[1.0, 1.1],
            bad_debt: 0.02,
            margin: 0.7,
            cost_to_serve: 100.0,
            acquisition_cost: 300.0,
            discount_rate: 0.25,
            ..Terms::new(1000.0)
        };
        let found = components(&curve, &terms).unwrap().unwrap();
        // 1000 + 1200; the second grows to 1320 and is kept by 0.8: 1056; 2 % of 2056 are not paid: 41.12; 30 % of it cost
        // 616.80; serving 100 + 80; 1056 · 0.68 − 80 = 638.08 is discounted by 1.25.
        let amounts: Vec<String> = found.iter().map(|component| component.amount.text(2)).collect();
        let expected =
            ["2000.00", "200.00", "120.00", "-264.00", "0.00", "-41.12", "-616.80", "-180.00", "-127.62", "-300.00"];
        assert_eq!(amounts, expected);
        let ltv = lifetime_value(&curve, &terms).unwrap().unwrap().ltv;
        assert_eq!((found[9].running, found[9].running.text(2)), (ltv, "790.46".into()));
        let product: f64 = found.iter().filter_map(|component| component.factor).product();
        assert_relative_eq!(2000.0 * product, 790.464, max_relative = 1e-14);
        assert_eq!(found[0].factor, None);
    }
}
