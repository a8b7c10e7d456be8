//! Why a row's prediction is not that of the average row: the difference, allocated to the features.
//!
//! A model with coefficients goes from the average row of its training data (the means of its columns, so the shares of
//! a category's levels) to the row in a straight line, and each feature gets what the quantity changes by along it: the
//! value of Aumann & Shapley (1974, *Values of Non-Atomic Games*; Friedman 2004; "integrated gradients" of Sundararajan,
//! Taly & Yan 2017). Where the features act through one linear predictor η – all models but those with covariates on more
//! than one parameter – that has a closed form for any quantity F of the curve: feature j gets
//! c_j / Σc · (F(row) − F(average)) with c_j = β_j'(x_j − mean_j), so the parts have one order in every unit.
//!
//! A boosted model's score is a sum of trees: its features get their Shapley values in it (see `boost::shapley`), and of
//! any other quantity parts in that proportion.
//!
//! A Kaplan–Meier model has no scale on which features add up. There each gets its Shapley value (1953) in the game in
//! which a set of features is worth the mean, over the training subjects who share the row's levels of those features, of
//! the quantity by their cohorts (Owen & Prieur 2017; conditional SHAP values of Lundberg & Lee 2017), exactly.

use crate::model::cohorts::{Cohort, Cohorts};
use crate::model::features::{Unscorable, Value};
use crate::model::subject::Subject;
use crate::model::{Fit, Model};
use crate::numeric::quadrature::gauss_panel;
use crate::numeric::sum::Sum;
use crate::{Error, Result};

/// A quantity of a row and of the average row, and what each feature has to do with the difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    pub baseline: f64,
    pub prediction: f64,
    /// By feature, in the order of the model's. They add up to `prediction` − `baseline`. 0 for a stratum: the average
    /// row is one of the same stratum.
    pub parts: Vec<f64>,
}

impl Allocation {
    /// The same behind `before` features that have no part in it.
    pub(super) fn after(mut self, before: usize) -> Allocation {
        self.parts.splice(0..0, std::iter::repeat_n(0.0, before));
        self
    }
}

/// With more features the Shapley values of cohorts would need more memory than they are worth.
const MOST_COHORT_FEATURES: usize = 16;

/// The step, in units of a linear predictor, of the widest of three central differences.
const STEP: f64 = 0.01;

impl Model {
    /// β_j'(x_j − mean_j) by feature, on the scale of the coefficients; they add up to the linear predictor. `None` for a
    /// model that has none.
    ///
    /// # Errors
    /// The outer one never; the inner when the row has no score.
    pub fn allocate_linear_predictor(&self, values: &[Value]) -> Result<Option<Allocation>, Unscorable> {
        if let Fit::Segmented(segmented) = &self.fit {
            let (model, rest) = segmented.of_row(values);
            let inner = model.allocate_linear_predictor(rest)?;
            return Ok(inner.map(|allocation| allocation.after(values.len() - rest.len())));
        }
        let mut columns = Vec::new();
        let subject = self.subject(values, &mut columns)?;
        if let Subject::BoostedHazard { fit, covariates, linear_predictor } = subject.uncalibrated() {
            let parts = adding_up_to(*linear_predictor, self.boosted_parts(fit, covariates));
            return Ok(Some(Allocation { baseline: 0.0, prediction: *linear_predictor, parts }));
        }
        let Some(prediction) = subject.linear_predictor() else { return Ok(None) };
        let parts = self.effects(&columns).into_iter().map(|effect| effect.first().copied().unwrap_or(0.0)).collect();
        Ok(Some(Allocation { baseline: 0.0, prediction, parts }))
    }

    /// Allocates what `quantity` says of the row beyond what it says of the average row. `resolution`: how finely
    /// `quantity` is known (0: to the last bit). `None` when `quantity` is undefined for either.
    ///
    /// # Errors
    /// Those of `quantity`; [`Error::Invalid`] for a Kaplan–Meier model of more than 16 features. The inner error when the
    /// row, or the average row, has no score.
    pub fn allocate(
        &self,
        values: &[Value],
        resolution: f64,
        mut quantity: impl FnMut(&Subject) -> Result<Option<f64>>,
    ) -> Result<Result<Option<Allocation>, Unscorable>> {
        // The average row is one of the same segment.
        let Fit::Segmented(segmented) = &self.fit else { return self.allocate_within(values, resolution, quantity) };
        let (model, rest) = segmented.of_row(values);
        // The map is that of the whole, of which the segment's own model knows nothing.
        let seen = |subject: &Subject| match &self.recalibration {
            None => quantity(subject),
            Some(map) => quantity(&subject.clone().recalibrated(map)),
        };
        let allocation = model.allocate_within(rest, resolution, seen)?;
        Ok(allocation.map(|found| found.map(|found| found.after(values.len() - rest.len()))))
    }

    fn allocate_within(
        &self,
        values: &[Value],
        resolution: f64,
        mut quantity: impl FnMut(&Subject) -> Result<Option<f64>>,
    ) -> Result<Result<Option<Allocation>, Unscorable>> {
        let mut columns = Vec::new();
        let subject = match self.subject(values, &mut columns) {
            Ok(subject) => subject,
            Err(why) => return Ok(Err(why)),
        };
        let Some(prediction) = quantity(&subject)? else { return Ok(Ok(None)) };
        let means = match (&self.fit, subject.uncalibrated()) {
            (Fit::KaplanMeier(cohorts), Subject::Cohort(own)) => {
                let seen = |cohort: &Cohort| match &self.recalibration {
                    None => quantity(&Subject::Cohort(cohort)),
                    Some(map) => quantity(&Subject::Cohort(cohort).recalibrated(map)),
                };
                return Ok(Ok(among_cohorts(cohorts, own, prediction, seen)?));
            }
            (Fit::BoostedHazard(fit), _) => {
                let row = subject.covariates();
                let seen = |subject: &Subject| match &self.recalibration {
                    None => quantity(subject),
                    Some(map) => quantity(&subject.clone().recalibrated(map)),
                };
                return Ok(Ok(self.allocate_boosted(fit, row, prediction, resolution, seen)?));
            }
            (Fit::Cox(fit), _) => &fit.means,
            (Fit::Renewal(fit) | Fit::DiscreteTime(fit), _) => &fit.means,
            (Fit::FineGray(fit), _) => &fit.means,
            (Fit::Parametric(fit) | Fit::Rule(fit), _) => {
                if fit.bare_curve(&fit.means).validate().is_err() {
                    let reason = "the model has no curve for its average row".into();
                    return Ok(Err(Unscorable::Undefined { reason }));
                }
                &fit.means
            }
            (
                Fit::Contractual(_)
                | Fit::Transactional(_)
                | Fit::KaplanMeier(_)
                | Fit::Segmented(_)
                | Fit::Amount(_)
                | Fit::TwoPart(_)
                | Fit::BoostedValue(_)
                | Fit::Hybrid(_),
                _,
            ) => {
                return Ok(Ok(Some(Allocation { baseline: prediction, prediction, parts: Vec::new() })));
            }
        };
        let Some(baseline) = quantity(&subject.moved(means))? else { return Ok(Ok(None)) };
        let row = subject.covariates();
        let path = Path { model: self, subject, means, row, effects: self.effects(row) };
        Ok(Ok(path.allocate(baseline, prediction, resolution, quantity)?))
    }

    /// By feature, what its difference from the mean does to each linear predictor of the model; none for a model
    /// without coefficients.
    fn effects(&self, columns: &[f64]) -> Vec<Vec<f64>> {
        let one = |means: &[f64], coefficients: &[Option<f64>]| -> (usize, Vec<(usize, usize, f64)>) {
            let changes = columns.iter().zip(means).zip(coefficients).enumerate();
            (1, changes.map(|(at, ((x, mean), beta))| (0, at, (x - mean) * beta.unwrap_or(0.0))).collect())
        };
        let (width, changes) = match &self.fit {
            Fit::Cox(fit) => one(&fit.means, &fit.coefficients),
            Fit::Renewal(fit) | Fit::DiscreteTime(fit) => one(&fit.means, &fit.coefficients),
            Fit::FineGray(fit) => one(&fit.means, &fit.coefficients),
            Fit::Parametric(fit) | Fit::Rule(fit) => {
                let terms = fit.columns().into_iter().zip(&fit.coefficients);
                let changes = terms.filter_map(|((parameter, covariate), beta)| {
                    let at = covariate?;
                    Some((parameter, at, (columns[at] - fit.means[at]) * beta.unwrap_or(0.0)))
                });
                (fit.distribution.parameters().max(1), changes.collect())
            }
            Fit::KaplanMeier(_)
            | Fit::Contractual(_)
            | Fit::Transactional(_)
            | Fit::BoostedHazard(_)
            | Fit::BoostedValue(_)
            | Fit::Segmented(_)
            | Fit::Amount(_)
            | Fit::TwoPart(_)
            | Fit::Hybrid(_) => (1, Vec::new()),
        };
        let owners = self.owners();
        let mut effects = vec![vec![0.0; width]; self.features.len()];
        for (parameter, column, change) in changes {
            effects[owners[column]][parameter] += change;
        }
        effects
    }
}

/// The straight line from the average row to the row.
struct Path<'a> {
    model: &'a Model,
    subject: Subject<'a>,
    means: &'a [f64],
    row: &'a [f64],
    effects: Vec<Vec<f64>>,
}

impl Path<'_> {
    fn allocate(
        &self,
        baseline: f64,
        prediction: f64,
        resolution: f64,
        mut quantity: impl FnMut(&Subject) -> Result<Option<f64>>,
    ) -> Result<Option<Allocation>> {
        let width = self.effects.iter().map(Vec::len).max().unwrap_or(0);
        let acting: Vec<usize> = (0..width).filter(|at| self.effects.iter().any(|effect| effect[*at] != 0.0)).collect();
        let parts = match acting[..] {
            [] => vec![0.0; self.effects.len()],
            [only] => {
                let shares: Vec<f64> = self.effects.iter().map(|effect| effect[only]).collect();
                let total = shares.iter().copied().collect::<Sum>().total();
                // Where the parts cancel, the chord is lost in rounding and the slope of the curve takes its place.
                let enough = if resolution > 0.0 { 1e-3 } else { 1e-5 };
                let slope = if total.abs() >= enough {
                    (prediction - baseline) / total
                } else {
                    let widest = (0..shares.len()).max_by(|a, b| shares[*a].abs().total_cmp(&shares[*b].abs()));
                    let widest = widest.unwrap_or(0);
                    let Some(slope) = self.slope(0.5, widest, STEP / shares[widest], &mut quantity)? else {
                        return Ok(None);
                    };
                    slope / shares[widest]
                };
                shares.iter().map(|share| share * slope).collect()
            }
            _ => {
                let mut parts = vec![0.0; self.effects.len()];
                for (feature, part) in parts.iter_mut().enumerate() {
                    let largest =
                        self.effects[feature].iter().fold(0.0, |largest: f64, effect| largest.max(effect.abs()));
                    if largest == 0.0 {
                        continue;
                    }
                    let (mut sum, mut failed) = (Sum::default(), None);
                    gauss_panel(0.0, 1.0, |at, weight| {
                        if failed.is_none() {
                            match self.slope(at, feature, STEP / largest, &mut quantity) {
                                Ok(Some(slope)) => sum.add(weight * slope),
                                other => failed = Some(other),
                            }
                        }
                    });
                    match failed {
                        None => *part = sum.total(),
                        Some(other) => return other.map(|_| None),
                    }
                }
                parts
            }
        };
        let parts = adding_up_to(prediction - baseline, parts);
        Ok(parts.iter().all(|part| part.is_finite()).then_some(Allocation { baseline, prediction, parts }))
    }

    /// The derivative of the quantity at the share `at` of the line, in the direction in which `feature` alone goes the
    /// whole of its own way: central differences of three widths, extrapolated (Romberg 1955).
    fn slope(
        &self,
        at: f64,
        feature: usize,
        step: f64,
        quantity: &mut impl FnMut(&Subject) -> Result<Option<f64>>,
    ) -> Result<Option<f64>> {
        let first: usize = self.model.features[..feature].iter().map(|feature| feature.columns()).sum();
        let own = first..first + self.model.features[feature].columns();
        let mut value = |shift: f64| {
            let place = |column: usize| at + if own.contains(&column) { shift } else { 0.0 };
            let line = self.means.iter().zip(self.row).enumerate();
            let columns: Vec<f64> = line.map(|(column, (mean, x))| mean + place(column) * (x - mean)).collect();
            quantity(&self.subject.moved(&columns))
        };
        let mut differences = [0.0; 3];
        for (halvings, difference) in differences.iter_mut().enumerate() {
            let step = step / f64::from(1u32 << halvings);
            let (Some(after), Some(before)) = (value(step)?, value(-step)?) else { return Ok(None) };
            *difference = (after - before) / (2.0 * step);
        }
        let [wide, middle, narrow] = differences;
        let (rough, fine) = ((4.0 * middle - wide) / 3.0, (4.0 * narrow - middle) / 3.0);
        Ok(Some((16.0 * fine - rough) / 15.0))
    }
}

/// Spreads what rounding and quadrature left over, in proportion to the size of the parts.
pub(super) fn adding_up_to(total: f64, mut parts: Vec<f64>) -> Vec<f64> {
    let size: f64 = parts.iter().map(|part| part.abs()).sum();
    if size > 0.0 {
        let rest = total - parts.iter().copied().collect::<Sum>().total();
        parts.iter_mut().for_each(|part| *part += rest * (part.abs() / size));
    }
    parts
}

/// Shapley values over cohorts: 2^p sets of features, worth the mean over the subjects who share the row's levels.
fn among_cohorts(
    cohorts: &Cohorts,
    own: &Cohort,
    prediction: f64,
    mut quantity: impl FnMut(&Cohort) -> Result<Option<f64>>,
) -> Result<Option<Allocation>> {
    let features = own.levels.len();
    if features > MOST_COHORT_FEATURES {
        return Err(Error::invalid(
            format!("a Kaplan–Meier model of {features} features cannot be explained"),
            format!("At most {MOST_COHORT_FEATURES}; group them, or train a cox model."),
        ));
    }
    let sets = 1usize << features;
    let (mut subjects, mut totals) = (vec![0.0; sets], vec![0.0; sets]);
    for cohort in &cohorts.cohorts {
        if let Some(value) = quantity(cohort)? {
            let shared = |at: &usize| cohort.levels[*at] == own.levels[*at];
            let set: usize = (0..features).filter(shared).map(|at| 1 << at).sum();
            subjects[set] += cohort.subjects;
            totals[set] += cohort.subjects * value;
        }
    }
    // Whoever shares more shares less: each set gets what its supersets have.
    for at in 0..features {
        for set in (0..sets).filter(|set| set >> at & 1 == 0) {
            subjects[set] += subjects[set | 1 << at];
            totals[set] += totals[set | 1 << at];
        }
    }
    // A cohort without weight is worth what it says all the same.
    let worth = |set: usize| if set + 1 == sets { prediction } else { totals[set] / subjects[set] };
    if !worth(0).is_finite() {
        return Ok(None);
    }
    let mut parts = vec![0.0; features];
    for (at, part) in parts.iter_mut().enumerate() {
        let mut sum = Sum::default();
        for set in (0..sets).filter(|set| set >> at & 1 == 0) {
            sum.add(share(features, set.count_ones() as usize) * (worth(set | 1 << at) - worth(set)));
        }
        *part = sum.total();
    }
    let parts = adding_up_to(prediction - worth(0), parts);
    Ok(parts.iter().all(|part| part.is_finite()).then_some(Allocation { baseline: worth(0), prediction, parts }))
}

/// s! (p − s − 1)! / p!: how many of the orders of `features` have just the `before` before the next.
pub(super) fn share(features: usize, before: usize) -> f64 {
    let choices = (0..before).fold(1.0, |choices, i| choices * (features - 1 - i) as f64 / (i + 1) as f64);
    1.0 / (features as f64 * choices)
}

/// Amounts of money by feature in whole minor units that add up to `total`: each rounded down, and the units that are left
/// go to those that lost most (Hamilton's method of largest remainders; ties to the first).
pub fn apportion(total: i128, parts: &[f64], units_per_amount: f64) -> Vec<i128> {
    let exact: Vec<f64> = parts.iter().map(|part| part * units_per_amount).collect();
    let mut whole: Vec<i128> = exact.iter().map(|exact| exact.floor() as i128).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by(|a, b| (exact[*b] - exact[*b].floor()).total_cmp(&(exact[*a] - exact[*a].floor())));
    let mut left = total - whole.iter().sum::<i128>();
    // More than one unit each is never left but for quantities that are rounded themselves.
    let mut turn = 0;
    while left != 0 && !order.is_empty() && turn < 4 * order.len() {
        let at = if left > 0 { order[turn % order.len()] } else { order[order.len() - 1 - turn % order.len()] };
        whole[at] += left.signum();
        left -= left.signum();
        turn += 1;
    }
    if let Some(first) = whole.first_mut() {
        *first += left;
    }
    whole
}
