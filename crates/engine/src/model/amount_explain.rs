//! Why the expected amount of a row is not that of the average row.
//!
//! As for curves (see `explain`) each feature gets what changes by it along the straight line from the average row to the
//! row (Aumann & Shapley 1974). With one linear predictor η that has closed forms: c_j = β_j'(x_j − mean_j) on the scale of
//! the link, and of the amount F c_j / Σc · (F(row) − F(average)), which with the logarithm is c_j times the logarithmic
//! mean of the two amounts. Two parts, P(amount > 0) and what there is when there is some, go along the line together: the
//! logarithm of the expected amount is the sum of theirs, and of the amount itself it takes two integrals, of dp · m and
//! of p · dm, for all features. Features of trees get their Shapley values in the sum of the trees, beside the row whose
//! trees add up to their mean over the rows that grew them.

use crate::Result;
use crate::amount::{Family, TwoPartFit};
use crate::hazard::cox::Status;
use crate::model::explain::{Allocation, adding_up_to};
use crate::model::features::{Unscorable, Value};
use crate::model::{Fit, Model};
use crate::numeric::quadrature::gauss_panel;
use crate::numeric::sum::Sum;

/// On what scale contributions to an amount add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountScale {
    Amount,
    /// Differences of the logarithm: factors of the amount.
    Logarithm,
}

impl AmountScale {
    pub fn name(self) -> &'static str {
        match self {
            AmountScale::Amount => "amount",
            AmountScale::Logarithm => "log-amount",
        }
    }
}

/// Two linear predictors that are further apart than this along the line are looked at in several panels.
const PANEL: f64 = 4.0;
const MOST_PANELS: f64 = 64.0;

/// Below this the chord of a curve is lost in rounding, and its slope in the middle takes its place.
const SHORT: f64 = 1e-5;

impl Model {
    /// The scale on which features add up without a mean of any kind; `None` for a model that expects no amounts.
    pub fn amount_scale(&self) -> Option<AmountScale> {
        let family = match &self.of_all().fit {
            Fit::Amount(fit) => fit.family,
            Fit::BoostedValue(fit) => fit.family,
            Fit::TwoPart(fit) => fit.amount.as_ref().map_or(Family::Gamma, |amount| amount.family),
            _ => return None,
        };
        Some(if family.has_log_link() { AmountScale::Logarithm } else { AmountScale::Amount })
    }

    /// Allocates the expected amount of a row, or its logarithm, beyond that of the average row to the features. `None`
    /// where the scale is not one of the model's, or an amount is beyond the numbers.
    ///
    /// # Errors
    /// The outer one as [`Model::check_amounts`]; the inner when the row has no expected amount.
    pub fn allocate_amount(
        &self,
        values: &[Value],
        scale: AmountScale,
    ) -> Result<Result<Option<Allocation>, Unscorable>> {
        if let Fit::Segmented(segmented) = &self.fit {
            self.check_amounts()?;
            let (model, rest) = segmented.of_row(values);
            let allocation = model.allocate_amount(rest, scale)?;
            return Ok(allocation.map(|found| found.map(|found| found.after(values.len() - rest.len()))));
        }
        let mut columns = Vec::new();
        if let Err(why) = self.appraise(values, 0.95, &mut columns)? {
            return Ok(Err(why));
        }
        if scale == AmountScale::Logarithm && self.amount_scale() != Some(AmountScale::Logarithm) {
            return Ok(Ok(None));
        }
        Ok(Ok(match &self.fit {
            Fit::Amount(fit) if fit.status != Status::NoEvents => {
                let effects: Vec<f64> = fit.effects(&columns).collect();
                one_predictor(fit.family, scale, fit.level, self.by_feature(&effects))
            }
            Fit::BoostedValue(fit) => {
                let parts = fit.trees.shapley_values(&columns, &self.owners(), self.features.len());
                // The level is that of a row whose trees add up to 0, which no row need be near.
                let average = fit.level + fit.scale * fit.trees.mean();
                let effects = adding_up_to(
                    fit.linear_predictor(&columns) - average,
                    parts.into_iter().map(|part| fit.scale * part).collect(),
                );
                one_predictor(fit.family, scale, average, effects)
            }
            Fit::TwoPart(fit) => self.two_parts(fit, scale, &columns),
            _ => None,
        }))
    }

    /// The sums of the columns' effects by feature.
    fn by_feature(&self, effects: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.features.len()];
        for (owner, effect) in self.owners().into_iter().zip(effects) {
            sums[owner] += effect;
        }
        sums
    }

    fn two_parts(&self, fit: &TwoPartFit, scale: AmountScale, columns: &[f64]) -> Option<Allocation> {
        let amount = fit.amount.as_ref()?;
        // The average row is that of all rows, with an amount or without.
        let average = &fit.occurrence.means;
        let change = |at: usize| columns[at] - average[at];
        let effects = |coefficients: &[Option<f64>]| -> Vec<f64> {
            let terms = coefficients.iter().enumerate();
            self.by_feature(&terms.map(|(at, beta)| beta.unwrap_or(0.0) * change(at)).collect::<Vec<_>>())
        };
        let zero = vec![0.0; self.features.len()];
        let odds = if fit.always() { zero } else { effects(&fit.occurrence.coefficients) };
        let sizes = effects(&amount.coefficients);
        let (odds_way, sizes_way) = (total(&odds), total(&sizes));
        let (odds_at, sizes_at) = (fit.occurrence.linear_predictor(average), amount.linear_predictor(average));
        let chance = |share: f64| {
            let own = || fit.occurrence.decision(odds_at + share * odds_way);
            if fit.always() { Some(1.0) } else { own() }
        };
        let size = |share: f64| amount.family.mean(sizes_at + share * sizes_way);
        let log = amount.family.has_log_link();
        let parts: Vec<f64> = match scale {
            AmountScale::Logarithm => {
                let (before, after) = (chance(0.0)?, chance(1.0)?);
                // d ln p / dη = 1 − p.
                let slope = if odds_way.abs() < SHORT { 1.0 - chance(0.5)? } else { (after / before).ln() / odds_way };
                odds.iter().zip(&sizes).map(|(odds, size)| odds * slope + size).collect()
            }
            AmountScale::Amount => {
                let (mut by_odds, mut by_size) = (Sum::default(), Sum::default());
                let panels = (odds_way.abs().max(sizes_way.abs()) / PANEL).ceil().clamp(1.0, MOST_PANELS);
                for panel in 0..panels as usize {
                    gauss_panel(panel as f64 / panels, 1.0 / panels, |at, weight| {
                        let (p, m) = (chance(at).unwrap_or(f64::NAN), size(at));
                        let slope = if fit.always() { 0.0 } else { p * (1.0 - p) };
                        by_odds.add(weight * slope * m);
                        by_size.add(weight * p * if log { m } else { 1.0 });
                    });
                }
                let (by_odds, by_size) = (by_odds.total(), by_size.total());
                odds.iter().zip(&sizes).map(|(odds, size)| odds * by_odds + size * by_size).collect()
            }
        };
        let (baseline, prediction) = (chance(0.0)? * size(0.0), chance(1.0)? * size(1.0));
        allocation(scale, baseline, prediction, parts)
    }
}

fn total(parts: &[f64]) -> f64 {
    parts.iter().copied().collect::<Sum>().total()
}

/// The features' parts on the scale of the link, or as much of the amount; `average`: the linear predictor beside which
/// the features have their effects.
fn one_predictor(family: Family, scale: AmountScale, average: f64, effects: Vec<f64>) -> Option<Allocation> {
    let way = total(&effects);
    let (baseline, prediction) = (family.mean(average), family.mean(average + way));
    let on_link = scale == AmountScale::Logarithm || !family.has_log_link();
    // (e^t − 1) / t · F(average) is the logarithmic mean of both amounts, whatever t.
    let slope = match on_link {
        true => 1.0,
        false if way == 0.0 => baseline,
        false => baseline * (way.exp_m1() / way),
    };
    allocation(scale, baseline, prediction, effects.into_iter().map(|effect| effect * slope).collect())
}

/// Of amounts, on the scale on which the parts add up.
fn allocation(scale: AmountScale, baseline: f64, prediction: f64, parts: Vec<f64>) -> Option<Allocation> {
    let (baseline, prediction) = match scale {
        AmountScale::Amount => (baseline, prediction),
        AmountScale::Logarithm => (baseline.ln(), prediction.ln()),
    };
    let parts = adding_up_to(prediction - baseline, parts);
    let sound = parts.iter().chain([&baseline, &prediction]).all(|number| number.is_finite());
    sound.then_some(Allocation { baseline, prediction, parts })
}
