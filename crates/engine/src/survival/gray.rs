//! Do cohorts share one cumulative incidence of a cause? Gray's test.
//!
//! Gray (1988), *A class of K-sample tests for comparing the cumulative incidence of a competing risk*, Annals of
//! Statistics 16. In the paper's notation: n_k at risk, S_k the event-free survival and F_k the incidence of the cause
//! in group k, h_k = n_k / S_k(t−), R_k = h_k (1 − F_k(t−)); F_0 the incidence that all groups share, which rises by
//! d / Σ h, and L = (1 − F_0(t−))^ρ the weight of a time.

use crate::memory::Room;
use nalgebra::{DMatrix, DVector};

use crate::numeric::normal;
use crate::survival::aalen_johansen::{Asking, CauseTable};
use crate::survival::incidence::{Incidence, cause_number};
use crate::survival::log_rank::statistic;
use crate::survival::risk::{distinct_times, union};
use crate::{Error, Result};

/// Elements of matrices (groups × groups) that are changed between two questions whether to go on.
const ELEMENTS_PER_QUESTION: usize = 1 << 20;

#[derive(Debug, Clone, PartialEq)]
pub struct Gray {
    /// `None` when fewer than two groups could have ended by the cause.
    pub chi_squared: Option<f64>,
    pub df: usize,
    pub p_value: Option<f64>,
    /// Per group: the weighted endings by the cause less those expected.
    pub score: Vec<f64>,
    /// Groups × groups.
    pub variance: DMatrix<f64>,
}

/// What happens in one group at one time.
#[derive(Debug, Clone, Copy, Default)]
struct Moment {
    at_risk: f64,
    own: f64,
    others: f64,
}

/// The running estimates of one group just before a time.
#[derive(Debug, Clone, Copy)]
struct Group {
    survival: f64,
    incidence: f64,
}

/// Compares the incidences of `cause` in the groups.
///
/// # Errors
/// [`Error::Invalid`] for a cause outside 1..=255, a `rho` that is not finite, or a group with late entries, for which
/// the test is not made; whatever `go_on` returns.
pub fn gray_test(groups: &[&Incidence], cause: i32, rho: f64, go_on: Asking) -> Result<Gray> {
    let cause = cause_number(cause, false)?;
    if !rho.is_finite() {
        return Err(Error::invalid(
            format!("rho must be finite, got {rho}"),
            "0 weighs all times alike, more than 0 the early ones, less than 0 the late ones.",
        ));
    }
    if groups.iter().any(|group| !group.entries().is_empty()) {
        return Err(Error::invalid(
            "Gray's test needs contracts that were observed from their start",
            "With late entries compare the hazards of the cause: log_rank of cause_survival(i, cause).",
        ));
    }
    let (times, moments) = moments(groups, cause, go_on)?;
    let count = groups.len();
    let rows = times.len();

    // Forward: the score, and c(t), the accumulated weights of the others' errors, of which the variance needs the rest
    // after each time.
    let mut score = DVector::zeros(count);
    let mut reached = DMatrix::<f64>::zeros(count, count);
    walk(&moments, rows, rho, go_on, |now, _| {
        let expected: f64 = now.subdistribution_risk.iter().sum();
        if now.own > 0.0 && expected > 0.0 {
            for (k, moment) in now.moments.iter().enumerate() {
                score[k] += now.weight * (moment.own - now.own * now.subdistribution_risk[k] / expected);
            }
        }
        reached += now.loading() * now.shared_hazard();
        Ok(())
    })?;
    let total = reached;

    let mut variance = DMatrix::<f64>::zeros(count, count);
    let mut reached = DMatrix::<f64>::zeros(count, count);
    walk(&moments, rows, rho, go_on, |now, asked| {
        let loading = now.loading();
        reached += &loading * now.shared_hazard();
        let rest = &total - &reached;
        for (r, moment) in now.moments.iter().enumerate() {
            if moment.at_risk <= 0.0 {
                continue;
            }
            asked.after(2 * count * count)?;
            let before = now.groups[r].survival;
            let after = before * (1.0 - (moment.own + moment.others) / moment.at_risk);
            // (1 − F_0) / S_r: how much an ending in r moves the chances of the cause later on.
            let ratio = if after > 0.0 { now.shared_after_complement / after } else { 0.0 };
            if now.own > 0.0 {
                let column: DVector<f64> = loading.column(r) + rest.column(r) * (1.0 - ratio);
                let tied = without_replacement(now.own, now.effective * before);
                let spread = tied * now.own / (now.effective * now.effective_of[r]);
                variance.ger(spread, &column, &column, 1.0);
            }
            if moment.others > 0.0 {
                let column: DVector<f64> = rest.column(r) * ratio;
                let tied = without_replacement(moment.others, moment.at_risk);
                let spread = tied * moment.others / (now.effective_of[r] * now.effective_of[r]);
                variance.ger(spread, &column, &column, 1.0);
            }
        }
        Ok(())
    })?;
    let (chi_squared, df) = statistic(&score, &variance, go_on)?;
    let p_value = chi_squared.map(|chi_squared| normal::chi_squared_upper_tail(chi_squared, df as f64));
    Ok(Gray { chi_squared, df, p_value, score: score.as_slice().into(), variance })
}

/// The share of the variance that is left when `events` of `at_risk` are drawn without replacement.
fn without_replacement(events: f64, at_risk: f64) -> f64 {
    if events > 1.0 && at_risk > 1.0 { 1.0 - (events - 1.0) / (at_risk - 1.0) } else { 1.0 }
}

/// All that is known at one time.
struct Now<'a> {
    moments: &'a [Moment],
    groups: &'a [Group],
    /// Endings by the cause in all groups.
    own: f64,
    /// h_k, 0 for a group with nobody at risk, and their sum.
    effective_of: &'a [f64],
    effective: f64,
    /// R_k
    subdistribution_risk: &'a [f64],
    /// L
    weight: f64,
    /// 1 − F_0 before and after.
    shared_before_complement: f64,
    shared_after_complement: f64,
}

impl Now<'_> {
    /// L h_i (1{i = r} − h_r / h), groups × groups.
    fn loading(&self) -> DMatrix<f64> {
        let h = self.effective_of;
        DMatrix::from_fn(h.len(), h.len(), |i, r| {
            let same = if i == r { 1.0 } else { 0.0 };
            if self.effective > 0.0 { self.weight * h[i] * (same - h[r] / self.effective) } else { 0.0 }
        })
    }

    /// dF_0 / (1 − F_0(t−))
    fn shared_hazard(&self) -> f64 {
        if self.own > 0.0 && self.effective > 0.0 && self.shared_before_complement > 0.0 {
            self.own / (self.effective * self.shared_before_complement)
        } else {
            0.0
        }
    }
}

/// Asks now and then.
struct Asked<'a> {
    go_on: Asking<'a>,
    elements: usize,
}

impl Asked<'_> {
    fn after(&mut self, elements: usize) -> Result<()> {
        self.elements += elements;
        if self.elements < ELEMENTS_PER_QUESTION {
            return Ok(());
        }
        self.elements = 0;
        (self.go_on)(0)
    }
}

fn walk(
    moments: &[Moment],
    rows: usize,
    rho: f64,
    go_on: Asking,
    mut visit: impl FnMut(&Now, &mut Asked) -> Result<()>,
) -> Result<()> {
    let mut asked = Asked { go_on, elements: ELEMENTS_PER_QUESTION };
    let count = moments.len().checked_div(rows).unwrap_or(0);
    let mut groups = vec![Group { survival: 1.0, incidence: 0.0 }; count];
    let (mut effective_of, mut subdistribution_risk) = (vec![0.0; count], vec![0.0; count]);
    let mut shared = 0.0;
    for moments in moments.chunks_exact(count.max(1)) {
        asked.after(4 * count * count)?;
        for (k, (moment, group)) in moments.iter().zip(&groups).enumerate() {
            let there = moment.at_risk > 0.0 && group.survival > 0.0;
            effective_of[k] = if there { moment.at_risk / group.survival } else { 0.0 };
            subdistribution_risk[k] = effective_of[k] * (1.0 - group.incidence);
        }
        let (own, effective) = (moments.iter().map(|moment| moment.own).sum::<f64>(), effective_of.iter().sum::<f64>());
        let rise = if own > 0.0 && effective > 0.0 { own / effective } else { 0.0 };
        let shared_before_complement: f64 = 1.0 - shared;
        let shared_after_complement = f64::max(shared_before_complement - rise, 0.0);
        let now = Now {
            moments,
            groups: &groups,
            own,
            effective_of: &effective_of,
            effective,
            subdistribution_risk: &subdistribution_risk,
            weight: if rho == 0.0 { 1.0 } else { shared_before_complement.powf(rho) },
            shared_before_complement,
            shared_after_complement,
        };
        visit(&now, &mut asked)?;
        for (moment, group) in moments.iter().zip(&mut groups) {
            if moment.at_risk > 0.0 {
                group.incidence += group.survival * moment.own / moment.at_risk;
                group.survival *= (1.0 - (moment.own + moment.others) / moment.at_risk).max(0.0);
            }
        }
        shared = (shared + rise).min(1.0);
    }
    Ok(())
}

/// The times at which something ends in some group, and what happens in each group then: times × groups.
fn moments(groups: &[&Incidence], cause: usize, go_on: Asking) -> Result<(Vec<f64>, Vec<Moment>)> {
    let tables = groups.iter().map(|group| CauseTable::new(group, go_on)).collect::<Result<Vec<_>>>()?;
    let mut times = Vec::new();
    for table in &tables {
        times = union(&times, table.times.iter().copied());
    }
    let times = distinct_times(&times);
    let cells = times.len().saturating_mul(groups.len());
    go_on(cells.saturating_mul(size_of::<Moment>()))?;
    let mut moments = Vec::new();
    moments.exact_room(cells).map_err(|_| Error::NoMemory("no memory is left for the test".into()))?;
    moments.resize(cells, Moment::default());
    for (k, table) in tables.iter().enumerate() {
        // From the last time on backwards, so that times which only tie across groups are one.
        let mut row = table.times.len();
        let mut at_risk = 0.0;
        for at in (0..times.len()).rev() {
            let moment = &mut moments[at * groups.len() + k];
            while row > 0 && table.times[row - 1] >= times[at] {
                row -= 1;
                at_risk = table.at_risk[row];
                let own = table.events_of(row, cause);
                moment.own += own;
                moment.others += table.events(row).iter().sum::<f64>() - own;
            }
            moment.at_risk = at_risk;
            moment.others = moment.others.max(0.0);
        }
    }
    Ok((times, moments))
}
