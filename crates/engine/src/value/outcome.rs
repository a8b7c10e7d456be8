//! What one customer will really bring: the distribution of the value over the time of leaving.
//!
//! A lifetime value is a mean. One customer who leaves between invoices k and k + 1, which has the probability
//! S_k − S_{k+1}, brings C_k, the present values of the first k invoices. One who breaks a contract then goes on to owe
//! the fee on the rest of its term and brings C_k and those fees. The distribution has as many points as there are invoices,
//! so its mean (the lifetime value), its variance and its quantiles are exact sums.
//!
//! It is the chance of one outcome when the curve is true; how far the curve may be off is
//! [`uncertainty`](crate::value::uncertainty). What is never paid counts at its share. The mean of n independent
//! customers on the same curve has this standard deviation over √n.

use crate::numeric::sum::Sum;
use crate::value::cash_flow::Flow;
use crate::value::outlook::Outlook;

/// Shares that differ by less are one: they are sums of as many doubles as there are invoices.
const SAME_SHARE: f64 = 1e-12;

/// The value of one customer as a random quantity, in major units.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Each value with its probability, in the order of leaving.
    points: Vec<(f64, f64)>,
    /// The least and the most that any customer can bring, however probable.
    range: (f64, f64),
}

impl Outcome {
    pub fn new(outlook: &Outlook, flows: &[Flow]) -> Self {
        let mut points: Vec<(f64, f64)> = Vec::with_capacity(flows.len() + 1);
        let mut fees = fees_to_come(outlook, flows);
        let (mut value, mut there, mut last) = (Sum::default(), 1.0, 0.0);
        let mut range = Range::default();
        for (flow, fees) in flows.iter().zip(&mut fees) {
            if flow.period == 0 {
                value.add(flow.present_value());
                continue;
            }
            if flow.point.is_none_or(|point| point.elapsed != 0.0) {
                range.include(value.total());
            }
            if outlook.unbroken(flow.decided) < 1.0 {
                range.include(value.total() + *fees);
            }
            // Nothing is counted where nothing is known.
            range.closed |= flow.point.is_none();
            let survival = flow.point.map_or(0.0, |point| point.survival);
            let gone = f64::max(there - survival, 0.0);
            // Of those gone since the last invoice, who broke a contract that would be running now.
            let since = f64::max(outlook.term_start(flow.decided), last);
            let unbroken = outlook.unbroken(flow.decided);
            let broken = if *fees == 0.0 || unbroken == 0.0 {
                0.0
            } else {
                (survival / unbroken * (outlook.unbroken(since) - unbroken)).clamp(0.0, gone)
            };
            points.push((value.total(), gone - broken));
            points.push((value.total() + *fees, broken));
            value.add(flow.parts.if_there * flow.discount_factor);
            (there, last) = (survival, flow.decided);
        }
        points.push((value.total(), there));
        range.include(value.total());
        points.retain(|(_, share)| *share > 0.0);
        Outcome { points, range: (range.least, range.most) }
    }

    /// The least and the most that any customer can bring, whatever the curve: the mean lies between them.
    pub fn range(&self) -> (f64, f64) {
        self.range
    }

    pub fn mean(&self) -> f64 {
        self.points.iter().map(|(value, share)| value * share).collect::<Sum>().total()
    }

    pub fn std_dev(&self) -> f64 {
        let mean = self.mean();
        let square = |(value, share): &(f64, f64)| share * (value - mean) * (value - mean);
        self.points.iter().map(square).collect::<Sum>().total().sqrt()
    }

    /// Whether there is one possible value only.
    pub fn is_certain(&self) -> bool {
        self.points.windows(2).all(|pair| pair[0].0 == pair[1].0)
    }

    /// Whether there is one time of leaving only.
    pub fn has_one_point(&self) -> bool {
        self.points.len() == 1
    }

    /// The value of a point, in the order of leaving.
    pub fn value(&self, point: usize) -> f64 {
        self.points[point].0
    }

    /// The values between which the customer's lies with at least the probability `level`, at most (1 − level) / 2
    /// beyond each: quantiles of the distribution.
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let mut order: Vec<usize> = (0..self.points.len()).collect();
        order.sort_by(|a, b| self.points[*a].0.total_cmp(&self.points[*b].0));
        let (lower, upper) = self.limits(level, order.iter().copied());
        (self.points[lower].0, self.points[upper].0)
    }

    /// The points of [`Outcome::interval`] when who stays longer brings more.
    pub fn limits_by_time(&self, level: f64) -> (usize, usize) {
        self.limits(level, 0..self.points.len())
    }

    fn limits(&self, level: f64, order: impl Iterator<Item = usize> + Clone) -> (usize, usize) {
        let quantile = |p: f64| {
            let (mut share, mut last) = (Sum::default(), 0);
            for point in order.clone() {
                last = point;
                share.add(self.points[point].1);
                if share.total() >= p - SAME_SHARE {
                    break;
                }
            }
            last
        };
        (quantile((1.0 - level) / 2.0), quantile(f64::midpoint(1.0, level)))
    }
}

#[derive(Debug)]
struct Range {
    least: f64,
    most: f64,
    closed: bool,
}

impl Default for Range {
    fn default() -> Self {
        Range { least: f64::INFINITY, most: f64::NEG_INFINITY, closed: false }
    }
}

impl Range {
    fn include(&mut self, value: f64) {
        if !self.closed {
            self.least = self.least.min(value);
            self.most = self.most.max(value);
        }
    }
}

/// For each invoice the present value of the fees on it and on those behind it in its term.
fn fees_to_come(outlook: &Outlook, flows: &[Flow]) -> Vec<f64> {
    let mut fees = vec![0.0; flows.len()];
    if flows.iter().all(|flow| flow.parts.if_broken == 0.0) {
        return fees;
    }
    let (mut term, mut sum) = (f64::NAN, 0.0);
    for (flow, to_come) in flows.iter().zip(&mut fees).rev() {
        let start = outlook.term_start(flow.decided);
        // What falls due where nothing is known is not counted, the fee no more than the price.
        let fee = if flow.point.is_some() { flow.parts.if_broken * flow.discount_factor } else { 0.0 };
        sum = if start == term { sum + fee } else { fee };
        term = start;
        *to_come = sum;
    }
    fees
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;
    use crate::chance::Chance;
    use crate::survival::{Steps, Tail};
    use crate::value::cash_flow::flows;
    use crate::value::{Terms, Timing, lifetime_value};

    fn curve(survival: Vec<f64>) -> Steps {
        Steps {
            times: (1..=survival.len()).map(|month| month as f64).collect(),
            cumulative_hazard: survival.iter().map(|survival: &f64| -survival.ln()).collect(),
            max_followup: survival.len() as f64,
            survival,
            variance: vec![],
            rank: 0,
            loadings: vec![],
            tail: Tail::None,
            decisions: None,
        }
    }

    fn outcome(steps: &Steps, terms: &Terms) -> Outcome {
        let outlook = Outlook::new(steps, terms).unwrap();
        Outcome::new(&outlook, &flows(&outlook, terms).unwrap())
    }

    #[test]
    fn the_mean_lies_between_the_least_and_the_most() {
        let range = |terms: &Terms| outcome(&curve(vec![0.8, 0.5]), terms).range();
        let terms = Terms { horizon: 3, discount_rate: 0.0, ..Terms::new(100.0) };
        // The first invoice is certain.
        assert_eq!(range(&terms), (100.0, 300.0));
        assert_eq!(range(&Terms { acquisition_cost: 150.0, margin: -0.1, ..terms }), (-180.0, -160.0));
        assert_eq!(range(&Terms { term_months: Some(2.0), ..terms }), (200.0, 300.0));
        // Broken after the first month, at half of what is left of the term.
        let broken = Terms { term_months: Some(3.0), early_termination: 0.1, termination_fee: 0.5, ..terms };
        assert_eq!(range(&broken), (200.0, 300.0));
        // Nothing is counted where nothing is known.
        assert_eq!(range(&Terms { horizon: 9, ..terms }), (100.0, 300.0));
    }

    #[test]
    fn three_invoices_by_hand() {
        // 100 for certain, 200 with 0.8, 300 with 0.5: the values 100, 200, 300 have 0.2, 0.3, 0.5.
        let terms = Terms { horizon: 3, discount_rate: 0.0, ..Terms::new(100.0) };
        let found = outcome(&curve(vec![0.8, 0.5]), &terms);
        assert_eq!(found.points.len(), 3);
        assert_relative_eq!(found.mean(), 230.0, max_relative = 1e-15);
        assert_relative_eq!(found.std_dev(), 6100f64.sqrt(), max_relative = 1e-15);
        assert_eq!(found.interval(0.5), (200.0, 300.0));
        assert_eq!(found.interval(0.95), (100.0, 300.0));
        assert!(!found.is_certain());
        assert!(outcome(&curve(vec![1.0; 3]), &terms).is_certain());
    }

    /// What one customer pays who does not renew at `lost` and breaks the contract at `broke`, invoice by invoice.
    fn realised(terms: &Terms, lost: f64, broke: f64) -> f64 {
        let every = terms.billing.months();
        let mut total = -terms.acquisition_cost;
        for start in (terms.paid_months..terms.horizon).step_by(every as usize) {
            let end = terms.horizon.min(start + every);
            let (a, b) = (f64::from(start), f64::from(end));
            let (due, decided) = match terms.timing {
                Timing::Advance => (a, a),
                Timing::Arrears => (b, a),
                Timing::Middle => ((a + b) / 2.0, (a + b) / 2.0),
            };
            let date = terms.term_months.map_or(decided, |term| (decided / term).floor() * term);
            if lost <= date {
                break;
            }
            let price = terms.revenue * (b - a);
            let paid = if broke > decided {
                terms.margin * price - terms.cost_to_serve * (b - a)
            } else if broke > date {
                terms.termination_fee * price
            } else {
                break;
            };
            total += paid / (1.0 + terms.discount_rate).powf(due / 12.0);
        }
        total
    }

    /// Realised values agree in mean and variance, single customers lie in the interval at least as often as it says,
    /// and the mean of a portfolio lies within its standard errors as often as it says.
    fn assert_realised(terms: &Terms) {
        const PORTFOLIOS: usize = 600;
        const CUSTOMERS: usize = 80;
        // A hazard of 3 % a month at first, falling.
        let survival = |t: f64| (-0.12 * t.powf(0.7) / 1.5).exp();
        let steps = curve((1..=240).map(|month| survival(f64::from(month))).collect());
        let terms = Terms { horizon: 48, ..*terms };
        let (found, stated) = (outcome(&steps, &terms), lifetime_value(&steps, &terms).unwrap().unwrap());
        assert_relative_eq!(found.mean(), stated.ltv.amount(2), epsilon = 0.005001);
        let (lower, upper) = found.interval(terms.level);
        let standard_error = found.std_dev() / (CUSTOMERS as f64).sqrt();
        let mut chance = Chance::new(11);
        let (mut sum, mut squares, mut within, mut covered) = (0.0, 0.0, 0.0, 0.0);
        for _ in 0..PORTFOLIOS {
            let mut total = 0.0;
            for _ in 0..CUSTOMERS {
                // The first month by whose end the customer is gone.
                let drawn = chance.uniform();
                let lost = steps.survival.partition_point(|survival| *survival > drawn) as f64 + 1.0;
                let broke = match terms.early_termination {
                    0.0 => f64::INFINITY,
                    rate => -12.0 * chance.exponential() / (-rate).ln_1p(),
                };
                let value = realised(&terms, lost, broke);
                total += value;
                squares += (value - found.mean()) * (value - found.mean());
                within += f64::from(u8::from((lower - 1e-6..=upper + 1e-6).contains(&value)));
            }
            sum += total;
            let off = (total / CUSTOMERS as f64 - found.mean()).abs();
            covered += f64::from(u8::from(off <= 1.959_963_985 * standard_error));
        }
        let n = (PORTFOLIOS * CUSTOMERS) as f64;
        // The mean of 48000 customers is known to a 219th of a standard deviation.
        assert!((sum / n - found.mean()).abs() < 4.0 * found.std_dev() / n.sqrt(), "{} {}", sum / n, found.mean());
        assert_relative_eq!((squares / n).sqrt(), found.std_dev(), max_relative = 0.015);
        assert!(within / n > terms.level - 0.005, "{}", within / n);
        // Of 600 portfolios the coverage is known to 0.9 points.
        assert!((0.93..0.97).contains(&(covered / PORTFOLIOS as f64)), "{covered}");
    }

    #[test]
    fn is_what_customers_bring_who_leave_at_any_time() {
        assert_realised(&Terms { margin: 0.7, cost_to_serve: 10.0, acquisition_cost: 250.0, ..Terms::new(100.0) });
        assert_realised(&Terms { timing: Timing::Middle, ..Terms::new(100.0) });
    }

    #[test]
    fn is_what_customers_bring_who_renew_or_break_their_contract() {
        let terms = Terms {
            term_months: Some(12.0),
            early_termination: 0.2,
            termination_fee: 0.4,
            billing: crate::value::Billing::Quarterly,
            ..Terms::new(100.0)
        };
        assert_realised(&terms);
        assert_realised(&Terms { margin: 0.2, timing: Timing::Arrears, ..terms });
    }
}
