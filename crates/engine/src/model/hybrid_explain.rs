//! Why a hybrid's value of a row is not that of the average row.
//!
//! The average row is the average row of each component. The difference is allocated twice. Among the components by their
//! Shapley values (1953) in the game in which a set of components says what it says of the row, and the others what they
//! say of the average row: with four at most, sixteen sets, exact. What a component gets is then allocated to its features
//! as that component explains itself, with all other components in or out: so each feature gets its value in a game with
//! a priori unions (Owen 1977, *Values of Games with a Priori Unions*). Of the renewal model that is the allocation of the
//! quantity, averaged over the sets of the others (see `explain`); of an amount its features' parts of the amount (see
//! `amount_explain`) times what the value changes by with it: exact for margin and cost, in which the value is a straight
//! line, and along the line from the average row where the amount has one linear predictor. A feature of several components
//! gets the sum. The price of the row is a term, and no feature.

use crate::model::amount_explain::AmountScale;
use crate::model::explain::{Allocation, adding_up_to, share};
use crate::model::features::{Unscorable, Value};
use crate::model::hybrid::{Amounts, Component, HybridFit, Role};
use crate::model::subject::Subject;
use crate::model::{Fit, Model};
use crate::{Error, Result};

/// Ends of an amount that are nearer to each other than this share of 1 + its size: the slope takes the place of the chord,
/// which is lost in rounding.
const SHORT: f64 = 1e-3;
/// The width, as a share of 1 + the expansion, of the narrower of the differences by which the slope in it is taken.
const STEP: f64 = 1e-2;

/// An amount on its way from the average row to the row.
struct Amount {
    role: Role,
    average: f64,
    own: f64,
    /// By feature of the hybrid.
    parts: Vec<f64>,
}

/// A quantity with the renewal model at the average row and at the row, and the renewal model's features' parts of the
/// difference, by feature of the hybrid.
struct Ends {
    average: f64,
    own: f64,
    parts: Vec<f64>,
}

impl Model {
    /// Allocates what `quantity` says of the row – of its curve and its amounts – beyond what it says of the average row.
    /// `resolution`: as of [`Model::allocate`]. `None` when `quantity` is undefined for one of the sets of components.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a model that is no hybrid, and those of `quantity` and of [`Model::allocate`]; the inner error
    /// when the row, or the average row, has no value.
    pub fn allocate_hybrid(
        &self,
        values: &[Value],
        resolution: f64,
        mut quantity: impl FnMut(&Subject, &Amounts) -> Result<Option<f64>>,
    ) -> Result<Result<Option<Allocation>, Unscorable>> {
        let Fit::Hybrid(fit) = &self.fit else {
            return Err(Error::invalid(format!("a {} model has no components", self.algorithm()), "Give a hybrid."));
        };
        let row = match fit.amounts(&self.features, values)? {
            Ok(row) => row,
            Err(why) => return Ok(Err(why)),
        };
        let mut amounts = Vec::new();
        for component in fit.components.iter().filter(|component| component.role != Role::Renewal) {
            match self.amount_of(fit, component, values, &row)? {
                Ok(amount) => amounts.push(amount),
                Err(why) => return Ok(Err(why)),
            }
        }
        let sets = 1usize << amounts.len();
        let placed = |set: usize| {
            let mut placed = row;
            for (_, amount) in amounts.iter().enumerate().filter(|(at, _)| set >> at & 1 == 0) {
                put(&mut placed, amount.role, amount.average);
            }
            placed
        };
        let mut ends = Vec::with_capacity(sets);
        for set in 0..sets {
            match self.ends(fit, values, resolution, &placed(set), &mut quantity)? {
                Ok(Some(found)) => ends.push(found),
                Ok(None) => return Ok(Ok(None)),
                Err(why) => return Ok(Err(why)),
            }
        }
        let players = amounts.len() + 1;
        let weight = |set: usize, more: usize| share(players, set.count_ones() as usize + more);
        let mut parts = vec![0.0; self.features.len()];
        for (set, ends) in ends.iter().enumerate() {
            parts.iter_mut().zip(&ends.parts).for_each(|(part, own)| *part += weight(set, 0) * own);
        }
        for (at, amount) in amounts.iter().enumerate() {
            let (middle, chord) = (f64::midpoint(amount.average, amount.own), amount.own - amount.average);
            let is_short = chord.abs() < SHORT * (1.0 + middle.abs());
            let mut slope = 0.0;
            for set in (0..sets).filter(|set| set >> at & 1 == 0) {
                let mut add = |average: f64, own: f64, share: f64| {
                    slope += share * (weight(set, 0) * average + weight(set, 1) * own);
                };
                if !is_short {
                    let (without, with) = (&ends[set], &ends[set | 1 << at]);
                    add(with.average - without.average, with.own - without.own, 1.0 / chord);
                    continue;
                }
                for (value, share) in around(amount.role, middle) {
                    let mut placed = placed(set);
                    put(&mut placed, amount.role, value);
                    match self.ends(fit, values, resolution, &placed, &mut quantity)? {
                        Ok(Some(found)) => add(found.average, found.own, share),
                        other => return Ok(other.map(|_| None)),
                    }
                }
            }
            parts.iter_mut().zip(&amount.parts).for_each(|(part, own)| *part += slope * own);
        }
        let (baseline, prediction) = (ends[0].average, ends[sets - 1].own);
        let parts = adding_up_to(prediction - baseline, parts);
        let sound = parts.iter().all(|part| part.is_finite());
        Ok(Ok(sound.then_some(Allocation { baseline, prediction, parts })))
    }

    /// What a component of amounts says of the row and of its average row.
    fn amount_of(
        &self,
        fit: &HybridFit,
        component: &Component,
        values: &[Value],
        row: &Amounts,
    ) -> Result<Result<Amount, Unscorable>> {
        let model = component.model()?;
        let own = fit.values_of(model, &self.features, values);
        let role = component.role;
        let undefined = |reason: String| Ok(Err(Unscorable::Undefined { reason }));
        let allocation = match model.allocate_amount(&own, AmountScale::Amount)? {
            Ok(Some(allocation)) => allocation,
            Ok(None) => return undefined(format!("the {} of the average row is beyond the numbers", role.name())),
            Err(why) => return Ok(Err(why)),
        };
        let average = allocation.baseline;
        if let Some(why) = role.refuses(average) {
            return undefined(format!("the {} of the average row {why}, and is {average}", role.name()));
        }
        let own = get(row, role).unwrap_or(allocation.prediction);
        Ok(Ok(Amount { role, average, own, parts: self.spread(model, &allocation.parts) }))
    }

    fn ends(
        &self,
        fit: &HybridFit,
        values: &[Value],
        resolution: f64,
        amounts: &Amounts,
        quantity: &mut impl FnMut(&Subject, &Amounts) -> Result<Option<f64>>,
    ) -> Result<Result<Option<Ends>, Unscorable>> {
        let renewal = fit.components.first().ok_or_else(|| Error::malformed("a hybrid model without renewals"))?;
        let model = renewal.model()?;
        let own = fit.values_of(model, &self.features, values);
        let found = model.allocate(&own, resolution, |subject| quantity(subject, amounts))?;
        Ok(found.map(|found| {
            found.map(|Allocation { baseline, prediction, parts }| Ends {
                average: baseline,
                own: prediction,
                parts: self.spread(model, &parts),
            })
        }))
    }

    /// Parts by feature of a component as parts by feature of the hybrid.
    fn spread(&self, model: &Model, parts: &[f64]) -> Vec<f64> {
        let mut all = vec![0.0; self.features.len()];
        for (feature, part) in model.features.iter().zip(parts) {
            if let Some(at) = self.features.iter().position(|other| other.name == feature.name) {
                all[at] += part;
            }
        }
        all
    }
}

/// Values about an amount, as terms may have them, each with its share in the slope: the value is a straight line in margin
/// and cost, and in an expansion a smooth curve, of which central differences of two widths are extrapolated.
fn around(role: Role, middle: f64) -> Vec<(f64, f64)> {
    let wide = 1.0 + middle.abs();
    match role {
        Role::Margin => vec![(middle - wide, -1.0 / wide), (middle, 1.0 / wide)],
        Role::Cost => vec![(middle, -1.0 / wide), (middle + wide, 1.0 / wide)],
        Role::Expansion | Role::Renewal => {
            let step = STEP * (1.0 + middle);
            [(2.0, -1.0), (1.0, 8.0), (-1.0, -8.0), (-2.0, 1.0)]
                .map(|(steps, share)| (middle + steps * step, share / (12.0 * step)))
                .to_vec()
        }
    }
}

fn get(amounts: &Amounts, role: Role) -> Option<f64> {
    match role {
        Role::Expansion => amounts.expansion,
        Role::Margin => amounts.margin,
        Role::Cost => amounts.cost,
        Role::Renewal => None,
    }
}

fn put(amounts: &mut Amounts, role: Role, amount: f64) {
    match role {
        Role::Expansion => amounts.expansion = Some(amount),
        Role::Margin => amounts.margin = Some(amount),
        Role::Cost => amounts.cost = Some(amount),
        Role::Renewal => {}
    }
}
