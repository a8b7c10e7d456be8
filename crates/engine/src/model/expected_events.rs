//! How many events a curve expects of somebody who was watched for a while, to be held against those that came.

use crate::Result;
use crate::model::subject::Subject;
use crate::survival::CurveView;

/// A curve of more steps than these is taken to be smooth: what that errs by is half its steps.
const MOST_STEPS: usize = 1000;

impl Subject<'_> {
    /// The compensator of the event between `since` and `until`: events less this are a martingale, so over many subjects,
    /// however they were censored, both have the same mean (Aalen 1978; Andersen, Borgan, Gill & Keiding 1993, II.4).
    ///
    /// ∫ dF / S(t−): the cumulative hazard −ln (S(until) / S(since)) of a smooth curve; of steps the sum of the shares who
    /// have the event at each, which is less where many go at once. `None` where the curve is unknown, and for a curve
    /// that is none of how long somebody lasts.
    ///
    /// # Errors
    /// As [`Subject::renewal_probability`].
    pub fn expected_events(&self, since: f64, until: f64) -> Result<Option<f64>> {
        if self.no_lifetime().is_some() || matches!(self, Subject::Renewal { .. }) {
            return Ok(None);
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
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;
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
        };
        let cohort = Cohort { levels: Vec::new(), subjects: 100.0, events: 75.0, curve };
        let expected = |since: f64, until: f64| Subject::Cohort(&cohort).expected_events(since, until).unwrap();
        assert_relative_eq!(expected(0.0, 1.0).unwrap(), 0.5, max_relative = 1e-14);
        assert_relative_eq!(expected(0.0, 2.5).unwrap(), 1.0, max_relative = 1e-14);
        assert_relative_eq!(expected(1.0, 2.0).unwrap(), 0.5, max_relative = 1e-14);
        assert_eq!((expected(0.0, 0.5), expected(0.0, 4.0)), (Some(0.0), None));
        // 50 who left at 1, 25 at 2, 25 who were watched until 3: as many events as came.
        let total = 50.0 * expected(0.0, 1.0).unwrap() + 50.0 * expected(0.0, 2.0).unwrap();
        assert_relative_eq!(total, 75.0, max_relative = 1e-14);
    }
}
