//! How many events a curve expects of somebody who was watched for a while, to be held against those that came.

use crate::Result;
use crate::btyd::ContractualFit;
use crate::btyd::renewals::neighbours;
use crate::model::scoring::check_window;
use crate::model::subject::Subject;
use crate::survival::CurveView;

/// A curve of more steps than these is taken to be smooth: what that errs by is half its steps.
const MOST_STEPS: usize = 1000;

impl Subject<'_> {
    /// The compensator of the event between `since` and `until`: events less this are a martingale, so over many subjects,
    /// however they were censored, both have the same mean (Aalen 1978; Andersen, Borgan, Gill & Keiding 1993, II.4).
    ///
    /// ∫ dF / S(t−): the cumulative hazard −ln (S(until) / S(since)) of a smooth curve; of steps the sum of the shares who
    /// have the event at each, which is less where many go at once. A model of whole periods expects its events at their
    /// ends, so there a row was watched for the periods that training counts for such a row, by whether it `ended` with
    /// the event: see [`Subject::watched`]. `None` where the curve is unknown, for a window without time in it, and for a
    /// curve that is none of how long somebody lasts.
    ///
    /// # Errors
    /// As [`Subject::renewal_probability`].
    pub fn expected_events(&self, since: f64, until: f64, ended: bool) -> Result<Option<f64>> {
        if self.no_lifetime().is_some() || matches!(self, Subject::Renewal { .. }) {
            return Ok(None);
        }
        // A window without time in it is none of a curve, but may be one of a period.
        check_window(since, if until == since { 1.0 } else { until - since })?;
        let (since, until) = self.watched(since, until, ended);
        if until <= since {
            return Ok(None);
        }
        if let Subject::Contractual(fit) = self {
            return Ok(of_renewals(fit, since, until));
        }
        let Some(lasting) = self.renewal_probability(since, until - since)? else { return Ok(None) };
        let hazard = -lasting.ln() + 0.0;
        if matches!(self, Subject::Cox { baseline, .. } if baseline.times.len() > MOST_STEPS) {
            return Ok(Some(hazard).filter(|hazard| hazard.is_finite()));
        }
        let expected = self.view_survival(|curve| {
            let CurveView::Steps(steps) = curve else { return hazard };
            let (mut shares, mut before, mut last) = (0.0, 1.0, 1.0);
            for (time, survival) in steps.times.iter().zip(&steps.survival).take_while(|(time, _)| **time <= until) {
                if *time > since && last > 0.0 {
                    shares += 1.0 - survival / last;
                } else {
                    before = *survival;
                }
                last = *survival;
            }
            // Beyond the last step the curve may go on, smoothly.
            let beyond = if last > 0.0 { hazard + (last / before).ln() } else { 0.0 };
            shares + if beyond.is_finite() { beyond.max(0.0) } else { 0.0 }
        });
        Ok(Some(expected).filter(|expected| expected.is_finite()))
    }

    /// From when until when training takes a row to be at risk that was seen from `since` until `until`. In whole periods
    /// a model of discrete time counts a period that has begun as one that was lived through, and an event at the very
    /// start as one of the first period; a model of renewals counts who left between two of them as one who did not make
    /// the next, and who was last seen between two as one who made the former. Other models count time as it is.
    fn watched(&self, since: f64, until: f64, ended: bool) -> (f64, f64) {
        let (period, since, until) = match self {
            Subject::DiscreteTime { fit, .. } => {
                let whole = |time: f64| neighbours(time, fit.period).1;
                (fit.period, whole(since), whole(until).max(if ended { 1.0 } else { 0.0 }))
            }
            Subject::Contractual(fit) => {
                let (before, after) = neighbours(until, fit.period);
                (fit.period, neighbours(since, fit.period).0, if ended { after } else { before })
            }
            Subject::Recalibrated { inner, .. } => return inner.watched(since, until, ended),
            _ => return (since, until),
        };
        (since * period, until * period)
    }
}

/// Of the renewals between two times, both whole numbers of periods, the shares who do not make them.
fn of_renewals(fit: &ContractualFit, since: f64, until: f64) -> Option<f64> {
    let (made, seen) = ((since / fit.period).round(), (until / fit.period).round());
    let apart = seen.min(made + MOST_STEPS as f64);
    let mut expected = 0.0;
    let mut renewals = made;
    while renewals < apart {
        expected += 1.0 - fit.conditional_renewal(renewals, 1.0)?;
        renewals += 1.0;
    }
    if apart < seen {
        expected -= fit.conditional_renewal(apart, seen - apart)?.ln();
    }
    Some(expected).filter(|expected| expected.is_finite())
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;
    use crate::btyd::contractual::{Family, Status};
    use crate::btyd::renewals::Renewals;
    use crate::hazard::design::Design;
    use crate::hazard::discrete::{self, Options};
    use crate::model::cohorts::Cohort;
    use crate::survival::Tail;
    use crate::survival::curve::Steps;

    /// Of 100 a half goes at 1, and half of the rest at 2; the rest stay.
    #[test]
    fn steps_by_hand() {
        let survival = vec![0.5, 0.25];
        let curve = Steps {
            times: vec![1.0, 2.0],
            cumulative_hazard: survival.iter().map(|survival: &f64| -survival.ln()).collect(),
            survival,
            variance: Vec::new(),
            rank: 0,
            loadings: Vec::new(),
            max_followup: 3.0,
            tail: Tail::None,
            decisions: None,
        };
        let cohort = Cohort { levels: Vec::new(), subjects: 100.0, events: 75.0, curve };
        let expected = |since: f64, until: f64| Subject::Cohort(&cohort).expected_events(since, until, false).unwrap();
        assert_relative_eq!(expected(0.0, 1.0).unwrap(), 0.5, max_relative = 1e-14);
        assert_relative_eq!(expected(0.0, 2.5).unwrap(), 1.0, max_relative = 1e-14);
        assert_relative_eq!(expected(1.0, 2.0).unwrap(), 0.5, max_relative = 1e-14);
        assert_eq!((expected(0.0, 0.5), expected(0.0, 4.0)), (Some(0.0), None));
        // 50 who left at 1, 25 at 2, 25 who were watched until 3: as many events as came.
        let total = 50.0 * expected(0.0, 1.0).unwrap() + 50.0 * expected(0.0, 2.0).unwrap();
        assert_relative_eq!(total, 75.0, max_relative = 1e-14);
    }

    /// Durations of part of a period, and late entries, add up to the events all the same: the score of the levels of a
    /// logistic regression is 0 in each period (the likelihood equations).
    #[test]
    fn parts_of_periods() {
        let rows: [(f64, f64, bool); 10] = [
            (0.0, 0.4, true),
            (0.0, 1.0, false),
            (0.0, 7.0, true),
            (0.0, 12.0, true),
            (0.0, 12.5, false),
            (0.0, 13.0, true),
            (3.0, 20.0, false),
            (1.0, 24.0, true),
            (0.0, 30.0, false),
            (0.0, 0.0, true),
        ];
        let mut design = Design::default();
        for (place, (entry, exit, event)) in rows.iter().enumerate() {
            design.push(Some(*entry), *exit, *event, 1.0, &[(place % 3) as f64]).unwrap();
        }
        let fit = discrete::fit(&design, &Options { period: 12.0, ..Options::default() }, &mut || Ok(())).unwrap();
        let mut events = 0.0;
        let mut expected = 0.0;
        for (place, (entry, exit, event)) in rows.iter().enumerate() {
            let x = [(place % 3) as f64];
            let subject =
                Subject::DiscreteTime { fit: &fit, covariates: &x, linear_predictor: fit.linear_predictor(&x) };
            let Some(of_row) = subject.expected_events(*entry, *exit, *event).unwrap() else { continue };
            expected += of_row;
            events += f64::from(u8::from(*event));
        }
        // Who entered and left within the first period after the start was never at risk.
        assert_eq!(events, 6.0);
        assert_relative_eq!(expected, events, max_relative = 1e-7);
    }

    /// At the first renewal 1/3 leave, of the others 1/4, then 1/5 (the shifted-beta-geometric with alpha 1, beta 2).
    #[test]
    fn renewals_by_hand() {
        let fit = ContractualFit {
            family: Family::BetaGeometric,
            period: 12.0,
            renewals: Renewals { at_risk: vec![9.0, 6.0], lost: vec![3.0, 1.0], customers: 9.0, moved: 0.0 },
            parameters: vec![0.0, 2f64.ln()],
            covariance: Vec::new(),
            log_likelihood: -8.0,
            estimated: 2,
            iterations: 5,
            status: Status::Converged,
        };
        let expected =
            |since: f64, until: f64, ended| Subject::Contractual(&fit).expected_events(since, until, ended).unwrap();
        assert_relative_eq!(expected(0.0, 12.0, false).unwrap(), 1.0 / 3.0, max_relative = 1e-14);
        assert_relative_eq!(expected(0.0, 23.0, false).unwrap(), 1.0 / 3.0, max_relative = 1e-14);
        assert_relative_eq!(expected(0.0, 23.0, true).unwrap(), 1.0 / 3.0 + 0.25, max_relative = 1e-14);
        assert_relative_eq!(expected(13.0, 36.0, false).unwrap(), 0.25 + 0.2, max_relative = 1e-14);
        assert_eq!((expected(0.0, 11.0, false), expected(13.0, 13.5, false)), (None, None));
        // Beyond a thousand renewals the curve is taken to be smooth: 1/(k + 3) each is ln ((k + 3) / (k + 2)) there.
        let by_renewal: f64 = (0..2000).map(|made| 1.0 / (f64::from(made) + 3.0)).sum();
        assert_relative_eq!(expected(0.0, 24_000.0, false).unwrap(), by_renewal, max_relative = 1e-4);
    }
}
