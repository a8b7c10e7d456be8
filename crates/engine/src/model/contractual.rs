//! Models of renewals by counts as values: their coefficients, and what compares them.

use crate::btyd::ContractualFit;
use crate::model::coefficients::{Coefficient, Quality};

/// The parameters on their own scale, with limits of themselves made on the logarithmic scale; one that runs off has no
/// estimate. None is tested against 0, where no curve is.
pub(super) fn contractual_coefficients(fit: &ContractualFit, critical: f64) -> Vec<Coefficient> {
    let finite = |value: f64| value.is_finite().then_some(value);
    let row = |(place, term): (usize, &&str)| {
        let found = fit.log_estimate(place);
        let error = found.and_then(|(log, error)| Some((log, error.and_then(finite)?)));
        let limit = |side: f64| error.and_then(|(log, error)| finite((log + side * critical * error).exp()));
        Coefficient {
            term: (*term).into(),
            estimate: found.map(|(log, _)| log.exp()),
            std_error: error.map(|(log, error)| log.exp() * error),
            robust_std_error: None,
            z: None,
            p_value: None,
            hazard_ratio: None,
            lower: limit(-1.0),
            upper: limit(1.0),
        }
    };
    fit.terms().iter().enumerate().map(row).collect()
}

/// Each customer is one row.
pub(super) fn contractual_quality(fit: &ContractualFit) -> Quality {
    let parameters = fit.estimated;
    let known = fit.has_curve();
    let customers = fit.renewals.customers;
    let penalised = |penalty: f64| known.then_some(penalty * parameters as f64 - 2.0 * fit.log_likelihood);
    Quality {
        log_likelihood: known.then_some(fit.log_likelihood),
        parameters,
        aic: penalised(2.0),
        bic: penalised(customers.ln()),
        rows: customers.round() as usize,
        events: fit.renewals.churned().round() as usize,
    }
}
