//! The arithmetic of acquisition and retention: what a customer costs, brings back, and may cost to keep.

use super::discount::{check_rate, discount_factor};
use crate::{Error, Result};

/// A lifetime longer than this many months is an extrapolation that the simple formula does not admit to.
pub const LONG_LIFETIME: f64 = 60.0;

/// The longest horizon of a payback, in months, as for a lifetime value.
pub const MOST_MONTHS: u32 = 1200;

/// What the simple formula says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimpleValue {
    pub ltv: Option<f64>,
    pub lifetime_months: Option<f64>,
    pub status: &'static str,
}

/// Revenue per month × margin / churn, the value of a customer who leaves with the same probability each month, first
/// payment now and included. With a discount rate: margin (1 + d) / (1 + d − r) by the month's rate d and the retention r
/// (Fader & Hardie 2010; Gupta & Lehmann 2003). Undefined without churn or with a negative one.
///
/// # Errors
/// [`Error::Invalid`] when churn is above 1, the discount rate is none, or a number is not finite.
pub fn simple_ltv(arpa: f64, churn: f64, margin: f64, annual_rate: f64) -> Result<SimpleValue> {
    check_rate(annual_rate)?;
    for (name, number) in [("arpa", arpa), ("churn", churn), ("margin", margin)] {
        if !number.is_finite() {
            return Err(Error::invalid(
                format!("{name} must be finite, got {number}"),
                "Leave it NULL when it is not known.",
            ));
        }
    }
    if churn > 1.0 {
        return Err(Error::invalid(
            format!("churn must be a share a month, at most 1, got {churn}"),
            "0.02 is two percent a month; monthly_churn(annual) makes one of a year's.",
        ));
    }
    if churn <= 0.0 {
        let status = if churn < 0.0 { "undefined: churn is negative" } else { "undefined: no churn" };
        return Ok(SimpleValue { ltv: None, lifetime_months: None, status });
    }
    let rate = (annual_rate.ln_1p() / 12.0).exp_m1();
    // With a negative discount rate the sum may have no end.
    let ltv = (rate + churn > 0.0).then(|| arpa * margin * (1.0 + rate) / (rate + churn));
    let status = match ltv {
        None => "undefined: the value grows faster than customers leave",
        Some(_) if churn * LONG_LIFETIME < 1.0 => "extrapolated: churn is below 1/60 a month",
        Some(_) => "ok",
    };
    Ok(SimpleValue { ltv, lifetime_months: Some(1.0 / churn), status })
}

/// Months until the cost of acquisition is earned back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Payback {
    /// Cost / monthly margin.
    pub plain: Option<f64>,
    /// With the margins discounted.
    pub discounted: Option<f64>,
    /// With the margins discounted and weighted by who is still there.
    pub survival_weighted: Option<f64>,
    pub status: String,
}

/// The margin of each month comes in its middle; within the month that completes the cost it is spread evenly.
///
/// # Errors
/// [`Error::Invalid`] when the cost is negative, a number is not finite, the rate is none, or the horizon is not 1 to 1200.
pub fn cac_payback(
    cac: f64,
    monthly_margin: f64,
    annual_rate: f64,
    survival: Option<&dyn Fn(f64) -> Option<f64>>,
    horizon: i32,
) -> Result<Payback> {
    check_rate(annual_rate)?;
    check_cost(cac)?;
    if !monthly_margin.is_finite() {
        return Err(Error::invalid(
            format!("the monthly margin must be finite, got {monthly_margin}"),
            "new_mrr x margin.",
        ));
    }
    let Some(horizon) = u32::try_from(horizon).ok().filter(|months| (1..=MOST_MONTHS).contains(months)) else {
        return Err(Error::invalid(
            format!("horizon must be 1 to {MOST_MONTHS} months, got {horizon}"),
            "120 is ten years.",
        ));
    };
    if monthly_margin <= 0.0 {
        return Ok(Payback { status: "never: no margin".into(), ..Payback::default() });
    }
    let plain = cac / monthly_margin;
    let months = |alive: &dyn Fn(f64) -> Option<f64>| -> Result<(Option<f64>, bool)> {
        let mut left = plain;
        for month in 1..=horizon {
            let middle = f64::from(month) - 0.5;
            let Some(alive) = alive(middle) else { return Ok((None, true)) };
            let earned = alive * discount_factor(middle / 12.0, annual_rate)?;
            if left <= earned {
                return Ok((Some(if left > 0.0 { f64::from(month) - 1.0 + left / earned } else { 0.0 }), false));
            }
            left -= earned;
        }
        Ok((None, false))
    };
    let (discounted, _) = months(&|_| Some(1.0))?;
    let (survival_weighted, unknown) = match survival {
        Some(survival) => months(survival)?,
        None => (None, false),
    };
    let status = match (discounted, survival, survival_weighted) {
        (None, ..) => format!("not within {horizon} months"),
        (_, Some(_), None) if unknown => "not within the observed time".into(),
        (_, Some(_), None) => format!("not within {horizon} months when weighted by survival"),
        _ => "ok".into(),
    };
    Ok(Payback { plain: Some(plain), discounted, survival_weighted, status })
}

fn check_cost(cac: f64) -> Result<()> {
    if (0.0..f64::INFINITY).contains(&cac) {
        return Ok(());
    }
    Err(Error::invalid(
        format!("the cost of acquisition must be finite and not negative, got {cac}"),
        "What was spent, per new customer, as a positive amount.",
    ))
}

/// Value / cost of acquisition; `None` when nothing was spent.
///
/// # Errors
/// [`Error::Invalid`] when the cost is negative.
pub fn ltv_to_cac(ltv: f64, cac: f64) -> Result<Option<f64>> {
    check_cost(cac)?;
    Ok((cac > 0.0).then(|| ltv / cac).filter(|ratio| ratio.is_finite()))
}

/// The value expected to be lost: value × probability of churn.
///
/// # Errors
/// [`Error::Invalid`] when the probability is none.
pub fn value_at_risk(ltv: f64, p_churn: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&p_churn) {
        return Ok(ltv * p_churn);
    }
    Err(Error::invalid(
        format!("p_churn must be a probability from 0 to 1, got {p_churn}"),
        "0.2 is one in five; divide by 100 what is in percent.",
    ))
}

/// The most that may be spent to keep a customer: what the attempt adds to the expected value, less the return asked of it.
/// `uplift` is by how much the attempt raises the probability to stay; one that raises nothing justifies nothing.
///
/// # Errors
/// [`Error::Invalid`] when the uplift is no difference of probabilities, or the return is not above −1.
pub fn max_spend(value: f64, uplift: f64, required_return: f64) -> Result<f64> {
    if !(-1.0..=1.0).contains(&uplift) {
        return Err(Error::invalid(
            format!("uplift must be a difference of probabilities from -1 to 1, got {uplift}"),
            "P(stays | treated) - P(stays | not treated), measured against a hold-out: 0.05 is five points.",
        ));
    }
    check_rate(required_return).map_err(|_| {
        Error::invalid(
            format!("required_return must be finite and greater than -1, got {required_return}"),
            "1 asks that each unit spent brings back two.",
        )
    })?;
    Ok((value * uplift).max(0.0) / (1.0 + required_return))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn the_simple_formula_and_where_it_ends() {
        let value = |churn, rate| simple_ltv(100.0, churn, 0.8, rate).unwrap();
        assert_relative_eq!(value(0.1, 0.0).ltv.unwrap(), 800.0, max_relative = 1e-14);
        assert_eq!((value(0.1, 0.0).lifetime_months, value(0.1, 0.0).status), (Some(10.0), "ok"));
        // Fader & Hardie by the year: m (1 + d) / (1 + d − r), as Σ m r^k v^k.
        let direct: f64 = (0..4000).map(|k| 80.0 * 0.9f64.powi(k) * 1.1f64.powf(-f64::from(k) / 12.0)).sum();
        assert_relative_eq!(value(0.1, 0.1).ltv.unwrap(), direct, max_relative = 1e-12);
        assert_eq!(value(0.01, 0.0).status, "extrapolated: churn is below 1/60 a month");
        assert_eq!(value(1.0 / 60.0, 0.0).status, "ok");
        assert_eq!((value(0.0, 0.1).ltv, value(0.0, 0.1).status), (None, "undefined: no churn"));
        assert_eq!((value(-0.01, 0.1).ltv, value(-0.01, 0.1).status), (None, "undefined: churn is negative"));
        assert_eq!(value(0.01, -0.5).ltv, None);
        assert!(simple_ltv(100.0, 1.5, 1.0, 0.0).is_err() && simple_ltv(f64::NAN, 0.5, 1.0, 0.0).is_err());
    }

    #[test]
    fn paybacks() {
        let plain = cac_payback(1000.0, 120.0, 0.0, None, 120).unwrap();
        assert_relative_eq!(plain.plain.unwrap(), 25.0 / 3.0, max_relative = 1e-14);
        assert_relative_eq!(plain.discounted.unwrap(), 25.0 / 3.0, max_relative = 1e-13);
        assert_eq!((plain.survival_weighted, plain.status.as_str()), (None, "ok"));
        // Against the continuous formula −ln(1 − cac δ / m) / δ: the middle of the month stands for it to a few hours.
        let discounted = cac_payback(1000.0, 120.0, 0.10, None, 120).unwrap().discounted.unwrap();
        let force = 1.1f64.ln() / 12.0;
        assert_relative_eq!(discounted, -(1.0 - 25.0 / 3.0 * force).ln() / force, epsilon = 2e-3);
        // One in ten leaves each month: Σ 0.9^(k − ½) reaches 4 in month 6: by hand 3.9424… + part.
        let alive = |t: f64| Some(0.9f64.powf(t));
        let weighted = cac_payback(400.0, 100.0, 0.0, Some(&alive), 120).unwrap();
        let five: f64 = (1..=5).map(|k| 0.9f64.powf(f64::from(k) - 0.5)).sum();
        assert!(five < 4.0);
        assert_relative_eq!(
            weighted.survival_weighted.unwrap(),
            5.0 + (4.0 - five) / 0.9f64.powf(5.5),
            max_relative = 1e-12
        );
        assert_eq!(
            cac_payback(2000.0, 100.0, 0.0, Some(&alive), 120).unwrap().status,
            "not within 120 months when weighted by survival"
        );
        assert_eq!(
            cac_payback(400.0, 100.0, 0.0, Some(&|t| (t < 3.0).then_some(1.0)), 120).unwrap().status,
            "not within the observed time"
        );
        assert_eq!(cac_payback(2000.0, 100.0, 0.0, None, 12).unwrap().status, "not within 12 months");
        assert_eq!(cac_payback(2000.0, 0.0, 0.0, None, 12).unwrap().status, "never: no margin");
        assert_eq!(cac_payback(0.0, 10.0, 0.1, Some(&alive), 12).unwrap().survival_weighted, Some(0.0));
        assert!(cac_payback(-1.0, 1.0, 0.1, None, 12).is_err() && cac_payback(1.0, 1.0, 0.1, None, 0).is_err());
    }

    #[test]
    fn what_may_be_spent() {
        assert_relative_eq!(value_at_risk(5000.0, 0.3).unwrap(), 1500.0, max_relative = 1e-15);
        assert_relative_eq!(max_spend(5000.0, 0.05, 0.0).unwrap(), 250.0, max_relative = 1e-15);
        assert_relative_eq!(max_spend(5000.0, 0.05, 1.0).unwrap(), 125.0, max_relative = 1e-15);
        assert_eq!([max_spend(5000.0, -0.05, 0.0).unwrap(), max_spend(-10.0, 0.5, 0.0).unwrap()], [0.0, 0.0]);
        assert!(
            value_at_risk(1.0, 1.2).is_err() && max_spend(1.0, 5.0, 0.0).is_err() && max_spend(1.0, 0.1, -1.0).is_err()
        );
        assert_eq!([ltv_to_cac(3000.0, 1000.0).unwrap(), ltv_to_cac(3000.0, 0.0).unwrap()], [Some(3.0), None]);
        assert!(ltv_to_cac(1.0, -1.0).is_err());
    }
}
