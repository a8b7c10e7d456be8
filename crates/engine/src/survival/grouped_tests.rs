//! The tests between the groups of one summary: all at once, per group, and each pair.

use crate::memory::Room;
use crate::numeric::multiple::{self, Adjustment};
use crate::survival::grouped::{Grouped, Label};
use crate::survival::log_rank::{LogRank, Weighting, stratified};
use crate::survival::sample::Sample;
use crate::{Error, Result};

/// What a test says of one group, as R's `survdiff` prints it.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRow<'a> {
    pub group: &'a Label,
    /// Sum of weights over all strata.
    pub subjects: f64,
    pub events: f64,
    /// Weighted sums of events, and of those expected if all groups of a stratum shared one curve.
    pub observed: f64,
    pub expected: f64,
    /// Of observed − expected.
    pub variance: f64,
    /// (O − E)² / E; `None` where nothing was expected.
    pub over_expected: Option<f64>,
    /// (O − E)² / V; `None` where it could not vary.
    pub over_variance: Option<f64>,
}

/// Two groups compared as if there were no others.
#[derive(Debug, Clone, PartialEq)]
pub struct PairRow<'a> {
    pub group_a: &'a Label,
    pub group_b: &'a Label,
    pub chi_squared: Option<f64>,
    pub p_value: Option<f64>,
    pub adjusted_p_value: Option<f64>,
}

/// Compares all groups within strata.
pub fn test(grouped: &Grouped, weighting: Weighting, go_on: impl FnMut(usize) -> Result<()>) -> Result<LogRank> {
    stratified(grouped.groups().len(), &grouped.strata(), weighting, go_on)
}

/// Scores 1, 2, 3 … of the groups in their order.
pub fn equal_steps(groups: usize) -> Vec<f64> {
    (1..=groups).map(|group| group as f64).collect()
}

/// Each group against what was expected of it, in the order of the groups.
pub fn by_group(
    grouped: &Grouped,
    weighting: Weighting,
    go_on: impl FnMut(usize) -> Result<()>,
) -> Result<Vec<GroupRow<'_>>> {
    let test = test(grouped, weighting, go_on)?;
    let groups = grouped.groups();
    let mut totals = vec![(0.0, 0.0); groups.len()];
    for (group, sample) in grouped.strata().into_iter().flatten() {
        totals[group].0 += sample.subjects();
        totals[group].1 += sample.events();
    }
    let ratio = |square: f64, by: f64| (by > 0.0).then(|| square / by).filter(|value| value.is_finite());
    let row = |(at, group)| {
        let (observed, expected, variance) = (test.observed[at], test.expected[at], test.variance[(at, at)]);
        let square = (observed - expected) * (observed - expected);
        GroupRow {
            group,
            subjects: totals[at].0,
            events: totals[at].1,
            observed,
            expected,
            variance,
            over_expected: ratio(square, expected),
            over_variance: ratio(square, variance),
        }
    };
    Ok(groups.into_iter().enumerate().map(row).collect())
}

/// Every pair of groups within the strata where either is, the p-values adjusted for their number. A pair that could
/// not be compared has none and does not count.
pub fn pairs(
    grouped: &Grouped,
    weighting: Weighting,
    adjustment: Adjustment,
    mut go_on: impl FnMut(usize) -> Result<()>,
) -> Result<Vec<PairRow<'_>>> {
    let (groups, strata) = (grouped.groups(), grouped.strata());
    let pairs = groups.len() * groups.len().saturating_sub(1) / 2;
    go_on(pairs.saturating_mul(2 * size_of::<PairRow>()))?;
    let mut rows = Vec::new();
    rows.room(pairs).map_err(|_| Error::NoMemory("no memory is left for the pairs of groups".into()))?;
    for a in 0..groups.len() {
        for b in a + 1..groups.len() {
            let of_the_two: Vec<Vec<(usize, &Sample)>> = strata
                .iter()
                .map(|stratum| {
                    let two = stratum.iter().filter(|(group, _)| *group == a || *group == b);
                    two.map(|(group, sample)| (usize::from(*group == b), *sample)).collect()
                })
                .filter(|stratum: &Vec<_>| !stratum.is_empty())
                .collect();
            let test = stratified(2, &of_the_two, weighting, &mut go_on)?;
            let (chi_squared, p_value) = (test.chi_squared, test.p_value);
            rows.push(PairRow { group_a: groups[a], group_b: groups[b], chi_squared, p_value, adjusted_p_value: None });
        }
    }
    let p_values: Vec<f64> = rows.iter().filter_map(|row| row.p_value).collect();
    let mut adjusted = multiple::adjusted(&p_values, adjustment).into_iter();
    for row in rows.iter_mut().filter(|row| row.p_value.is_some()) {
        row.adjusted_p_value = adjusted.next();
    }
    Ok(rows)
}
