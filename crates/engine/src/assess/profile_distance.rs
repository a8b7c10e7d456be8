//! How far one distribution has gone from another, and what chance alone would do; the exact interval of a count.

use std::collections::BTreeMap;

use crate::assess::bins::Bins;
use crate::assess::profile::{Profile, Values, two_kinds};
use crate::numeric::normal;
use crate::numeric::sum::Sum;
use crate::{Error, Result};

/// How far a distribution has gone from another one, by one measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Distance {
    pub metric: &'static str,
    pub value: f64,
    /// What chance alone exceeds once in a thousand times; `None` where that is not known.
    pub chance: Option<f64>,
}

/// Groups of about a tenth of the base each.
const GROUPS: usize = 10;

/// The quantile of the standard normal law that one of a thousand exceeds on either side.
const NORMAL_QUANTILE: f64 = 3.290_526_731_491_926;
/// The quantile of the standard normal law that one of a thousand exceeds.
const ONE_SIDED_QUANTILE: f64 = 3.090_232_306_167_813_5;
/// √(−ln(0.001 / 2) / 2): Kolmogorov's quantile for one in a thousand (Smirnov 1948).
const KOLMOGOROV_QUANTILE: f64 = 1.949_474_607_521_2;

/// The exact interval at `level` of the mean of a Poisson count (Garwood 1936), in chi-squared quantiles.
///
/// # Errors
/// [`Error::Invalid`] for a negative count, one beyond a million millions, or a level outside (0, 1).
pub fn poisson_interval(count: f64, level: f64) -> Result<(f64, f64)> {
    if !(0.0..=1e12).contains(&count) {
        return Err(Error::invalid(
            format!("a count must be between 0 and 1e12, got {count}"),
            "The number of events.",
        ));
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(Error::invalid(format!("level must be between 0 and 1, got {level}"), "0.95 is usual."));
    }
    let tail = (1.0 - level) / 2.0;
    let lower = if count > 0.0 { normal::chi_squared_upper_quantile(1.0 - tail, 2.0 * count) / 2.0 } else { 0.0 };
    Ok((lower, normal::chi_squared_upper_quantile(tail, 2.0 * count + 2.0) / 2.0))
}

/// The interval at `level` of the mean of a sum of Poisson counts that weigh differently (Fay & Feuer 1997, section 2): of
/// the weights of what was counted their `total` and the `sum_of_squares`, and the `greatest` weight that anything counted
/// could have had. A gamma law for each limit, which has the mean and the variance of the sum, of the upper one those of the
/// sum with one more event of the greatest weight. With weights of 1 it is [`poisson_interval`], to the bit.
///
/// # Errors
/// [`Error::Invalid`] for sums that no such weights have, for what stands for more than a million millions of events, and for
/// a level outside (0, 1).
pub fn weighted_poisson_interval(total: f64, sum_of_squares: f64, greatest: f64, level: f64) -> Result<(f64, f64)> {
    if !(greatest > 0.0 && greatest < f64::INFINITY) {
        return Err(Error::invalid(
            format!("the greatest weight must be finite and greater than 0, got {greatest}"),
            "That of all rows in which an event could have been, not only of those with one.",
        ));
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(Error::invalid(format!("level must be between 0 and 1, got {level}"), "0.95 is usual."));
    }
    // In units of the greatest weight.
    let (sum, squares) = (total / greatest, sum_of_squares / greatest / greatest);
    let slack = 1.0 + 1e-9;
    let is_of_weights = (0.0..f64::INFINITY).contains(&sum)
        && (squares > 0.0 || sum == 0.0 && squares == 0.0)
        && squares <= sum.min(sum * sum) * slack;
    if !is_of_weights {
        return Err(Error::invalid(
            format!("no weights of at most {greatest} have the sum {total} and the sum of squares {sum_of_squares}"),
            "Of the weights of the events: their sum, the sum of their squares; and the greatest weight of all rows.",
        ));
    }
    let effective = if sum > 0.0 { sum * (sum / squares) } else { 0.0 };
    let (sum_after, squares_after) = (sum + 1.0, squares + 1.0);
    let effective_after = sum_after * (sum_after / squares_after);
    let most = effective.max(effective_after);
    if most > 1e12 {
        return Err(Error::invalid(format!("these weights stand for {most} events"), "A million millions at most."));
    }
    let tail = (1.0 - level) / 2.0;
    let lower = match sum > 0.0 {
        true => normal::chi_squared_upper_quantile(1.0 - tail, 2.0 * effective) / 2.0 * (squares / sum) * greatest,
        false => 0.0,
    };
    let upper = normal::chi_squared_upper_quantile(tail, 2.0 * effective_after) / 2.0 * (squares_after / sum_after);
    Ok((lower, upper * greatest))
}

fn chi_squared_quantile(df: f64) -> f64 {
    normal::chi_squared_upper_quantile(0.001, df)
}

/// How far `now` has gone from `base`: the population stability index (Siddiqi 2006; its law under no drift: Yurdakul
/// 2018) and the Jensen–Shannon divergence in bits (Lin 1991) over tenths of the base, or over levels; for numbers also
/// Kolmogorov–Smirnov and the first Wasserstein distance in standard deviations of the base; for texts the largest
/// difference of a level's share and the share of levels the base never saw. And the difference of the NULL rates.
///
/// In the index an empty group counts as half a row. None but the NULL rate when either has no values.
///
/// # Errors
/// [`Error::Invalid`] for numbers against texts.
pub fn distances(base: &Profile, now: &Profile) -> Result<Vec<Distance>> {
    let (n, m) = (base.count() as f64, now.count() as f64);
    let mut distances = Vec::new();
    let rates = base.null_rate().zip(now.null_rate());
    let pairs: Vec<(f64, f64)> = match (&base.values, &now.values) {
        (Values::Numbers(base), Values::Numbers(now)) => groups(base, now),
        (Values::Texts(base), Values::Texts(now)) => {
            let both: std::collections::BTreeSet<&String> = base.keys().chain(now.keys()).collect();
            let count = |levels: &BTreeMap<String, u64>, level: &String| levels.get(level).copied().unwrap_or(0) as f64;
            both.into_iter().map(|level| (count(base, level), count(now, level))).collect()
        }
        _ => return Err(two_kinds()),
    };
    if n > 0.0 && m > 0.0 {
        let df = pairs.len() as f64 - 1.0;
        let both = 1.0 / n + 1.0 / m;
        let chance = if df > 0.0 { chi_squared_quantile(df) * both } else { 0.0 };
        let share = |count: f64, of: f64| count.max(0.5) / of;
        let index: Sum =
            pairs.iter().map(|(b, c)| (share(*c, m) - share(*b, n)) * (share(*c, m) / share(*b, n)).ln()).collect();
        distances.push(Distance { metric: "psi", value: index.total(), chance: Some(chance) });
        let entropy = |p: f64, q: f64| if p > 0.0 { p * (2.0 * p / (p + q)).log2() } else { 0.0 };
        let divergence: Sum =
            pairs.iter().map(|(b, c)| 0.5 * (entropy(b / n, c / m) + entropy(c / m, b / n))).collect();
        let chance = chance / (8.0 * std::f64::consts::LN_2);
        let value = divergence.total().clamp(0.0, 1.0);
        distances.push(Distance { metric: "jensen_shannon", value, chance: Some(chance.min(1.0)) });
        match (&base.values, &now.values) {
            (Values::Texts(before), Values::Texts(after)) => {
                let difference = |(b, c): &(f64, f64)| (c / m - b / n).abs();
                let largest = pairs.iter().map(difference).fold(0.0, f64::max);
                let variance = |(b, c): &(f64, f64)| (b + c) / (n + m) * (1.0 - (b + c) / (n + m)) * both;
                // Bonferroni: of so many levels each exceeds its own so much more rarely.
                let each = normal::quantile(1.0 - 0.0005 / pairs.len() as f64);
                let chance = each * pairs.iter().map(variance).fold(0.0, f64::max).sqrt();
                distances.push(Distance { metric: "l_infinity", value: largest, chance: Some(chance.min(1.0)) });
                let unseen: u64 =
                    after.iter().filter(|(level, _)| !before.contains_key(*level)).map(|(_, count)| count).sum();
                distances.push(Distance { metric: "unseen_rate", value: unseen as f64 / m, chance: None });
            }
            (Values::Numbers(before), Values::Numbers(after)) => {
                let (largest, area) = between(before, after, n, m);
                let chance = (KOLMOGOROV_QUANTILE * both.sqrt()).min(1.0);
                distances.push(Distance { metric: "kolmogorov_smirnov", value: largest, chance: Some(chance) });
                if let Some(scale) = base.std_dev().filter(|scale| *scale > 0.0) {
                    let (value, chance) =
                        (area / scale, both.sqrt() * (bridge_area(before, n) / scale + ONE_SIDED_QUANTILE));
                    if value.is_finite() && chance.is_finite() {
                        distances.push(Distance { metric: "wasserstein", value, chance: Some(chance) });
                    }
                }
            }
            _ => {}
        }
    }
    if let Some((before, after)) = rates {
        let (rows, all) = ((n + base.nulls as f64, m + now.nulls as f64), n + m + (base.nulls + now.nulls) as f64);
        let pooled = (base.nulls + now.nulls) as f64 / all;
        let chance = NORMAL_QUANTILE * (pooled * (1.0 - pooled) * (1.0 / rows.0 + 1.0 / rows.1)).sqrt();
        distances.push(Distance { metric: "null_rate", value: (after - before).abs(), chance: Some(chance) });
    }
    Ok(distances)
}

/// The numbers of both in groups whose limits are the tenths of the base: a group ends with the bin in which the base
/// reaches the next tenth.
fn groups(base: &Bins, now: &Bins) -> Vec<(f64, f64)> {
    let total = base.iter().map(|bin| bin.count).sum::<u64>() as f64;
    let (mut pairs, mut below, mut next, mut full) = (vec![(0.0, 0.0)], 0.0, 1, false);
    for pair in base.side_by_side(now) {
        let [before, after] = pair.map(|bin| bin.map_or(0.0, |bin| bin.count as f64));
        // The last group has no limit.
        if full && below < total {
            pairs.push((0.0, 0.0));
            full = false;
        }
        if let Some(group) = pairs.last_mut() {
            *group = (group.0 + before, group.1 + after);
        }
        below += before;
        if before > 0.0 && below * GROUPS as f64 >= next as f64 * total {
            full = true;
            next = (below * GROUPS as f64 / total).floor() as usize + 1;
        }
    }
    pairs
}

/// The largest difference of the two distribution functions, at the ends of the bins, where it is exact; and the area
/// between them.
fn between(base: &Bins, now: &Bins, n: f64, m: f64) -> (f64, f64) {
    let (mut difference, mut largest, mut steps) = (0.0f64, 0.0f64, Vec::new());
    for [before, after] in base.side_by_side(now) {
        for (bin, rows) in before.iter().map(|bin| (bin, n)).chain(after.iter().map(|bin| (bin, -m))) {
            difference += bin.count as f64 / rows;
            steps.push((bin.middle(), bin.count as f64 / rows));
        }
        largest = largest.max(difference.abs());
    }
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut difference, mut area) = (0.0f64, Sum::default());
    for pair in steps.windows(2) {
        difference += pair[0].1;
        area.add(difference.abs() * (pair[1].0 - pair[0].0));
    }
    (largest.min(1.0), area.total())
}

/// The mean area under the absolute Brownian bridge over these numbers: √(2 / π) ∫ √(F(x) (1 − F(x))) dx.
///
/// √(1/n + 1/m) times such a bridge is what the difference of two distribution functions of one law tends to. The area
/// exceeds its mean by more than z times its largest deviation – the standard deviation of the numbers, as of all
/// functions of slope 1 – no more often than a normal variable exceeds z (Borell 1975; Sudakov & Tsirelson 1978).
fn bridge_area(base: &Bins, n: f64) -> f64 {
    let (mut below, mut area, mut last) = (0.0, Sum::default(), None);
    for bin in base.iter() {
        let share = (below / n).min(1.0);
        area.add(last.map_or(0.0, |last| bin.middle() - last) * (share * (1.0 - share)).sqrt());
        below += bin.count as f64;
        last = Some(bin.middle());
    }
    area.total() * std::f64::consts::FRAC_2_PI.sqrt()
}
