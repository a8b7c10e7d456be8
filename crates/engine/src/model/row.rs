//! From the values of a row to the subject that a model makes of it.

use crate::boost::hazard::End;
use crate::hazard::cox::Status;
use crate::model::features::{Filling, Kind, Unscorable, Value};
use crate::model::subject::Subject;
use crate::model::{Fit, Model};

impl Model {
    /// The row's subject. `values` are in the order of the features; `columns` is scratch space that the subject borrows.
    ///
    /// A cohort that training never saw is [`Unscorable::Unseen`].
    #[inline]
    pub fn subject<'a>(&'a self, values: &[Value], columns: &'a mut Vec<f64>) -> Result<Subject<'a>, Unscorable> {
        let subject = self.uncalibrated_subject(values, columns)?;
        Ok(match &self.recalibration {
            None => subject,
            Some(map) => subject.recalibrated(map),
        })
    }

    fn uncalibrated_subject<'a>(
        &'a self,
        values: &[Value],
        columns: &'a mut Vec<f64>,
    ) -> Result<Subject<'a>, Unscorable> {
        match &self.fit {
            Fit::Segmented(segmented) => {
                let (model, values) = segmented.of_row(values);
                model.subject(values, columns)
            }
            Fit::Cox(fit) => {
                if fit.status == Status::NoEvents {
                    return Err(no_events());
                }
                columns.clear();
                let mut baseline = fit.baselines.first();
                for (feature, value) in self.features.iter().zip(values) {
                    feature.encode(*value, columns)?;
                    if let (Kind::Stratum, Value::Text(stratum)) = (&feature.kind, value) {
                        baseline = fit.baseline(Some(stratum));
                        let unseen = || Unscorable::Unseen { feature: feature.name.clone(), level: (*stratum).into() };
                        if baseline.ok_or_else(unseen)?.times.is_empty() {
                            let reason = format!("the model saw no events in {} = {stratum}", feature.name);
                            return Err(Unscorable::Undefined { reason });
                        }
                    }
                }
                let Some(baseline) = baseline else {
                    return Err(Unscorable::Undefined { reason: "the model has no baseline".into() });
                };
                let linear_predictor = fit.linear_predictor(columns);
                Ok(Subject::Cox { fit, baseline, covariates: columns, linear_predictor })
            }
            Fit::Renewal(fit) => {
                if fit.decision(0.0).is_none() {
                    return Err(Unscorable::Undefined { reason: "all decisions of the model were the same".into() });
                }
                self.encode_row(values, columns)?;
                let linear_predictor = fit.linear_predictor(columns);
                Ok(Subject::Renewal { fit, covariates: columns, linear_predictor })
            }
            Fit::DiscreteTime(fit) => {
                if fit.status == Status::NoEvents {
                    return Err(no_events());
                }
                self.encode_row(values, columns)?;
                let linear_predictor = fit.linear_predictor(columns);
                Ok(Subject::DiscreteTime { fit, covariates: columns, linear_predictor })
            }
            Fit::FineGray(fit) => {
                if fit.status == Status::NoEvents {
                    return Err(no_events());
                }
                columns.clear();
                for (feature, value) in self.features.iter().zip(values) {
                    feature.encode(*value, columns)?;
                }
                let linear_predictor = fit.linear_predictor(columns);
                Ok(Subject::Subdistribution { fit, covariates: columns, linear_predictor })
            }
            Fit::Parametric(fit) | Fit::Rule(fit) => {
                if fit.status == Status::NoEvents {
                    return Err(no_events());
                }
                columns.clear();
                for (feature, value) in self.features.iter().zip(values) {
                    feature.encode(*value, columns)?;
                }
                if fit.bare_curve(columns).validate().is_err() {
                    return Err(Unscorable::Undefined {
                        reason:
                            "the model has no curve for this row: its hazard would be negative or beyond the numbers"
                                .into(),
                    });
                }
                Ok(Subject::Parametric { fit, covariates: columns })
            }
            Fit::Contractual(fit) => match fit.has_curve() {
                true => Ok(Subject::Contractual(fit)),
                false => Err(Unscorable::Undefined { reason: fit.remark() }),
            },
            Fit::BoostedHazard(fit) => {
                if fit.end == End::NoEvents {
                    return Err(no_events());
                }
                self.encode_row_or_missing(values, columns)?;
                let linear_predictor = fit.linear_predictor(columns);
                Ok(Subject::BoostedHazard { fit, covariates: columns, linear_predictor })
            }
            Fit::Transactional(_) => Err(Unscorable::Undefined { reason: self.no_lifetimes() }),
            Fit::Amount(_) | Fit::TwoPart(_) | Fit::BoostedValue(_) | Fit::Hybrid(_) => {
                Err(Unscorable::Undefined { reason: self.no_curve() })
            }
            Fit::KaplanMeier(cohorts) => {
                let mut levels = Vec::with_capacity(values.len());
                for (feature, value) in self.features.iter().zip(values) {
                    match (value, feature.kind.filling()) {
                        (Value::Text(text), _) => levels.push(*text),
                        (Value::Null, Some(Filling::Level { levels: all, at })) if *at < all.len() => {
                            levels.push(&all[*at]);
                        }
                        _ => return Err(Unscorable::Missing { feature: feature.name.clone() }),
                    }
                }
                cohorts.find(&levels).map(Subject::Cohort).ok_or_else(|| Unscorable::Unseen {
                    feature: self.features.iter().map(|feature| feature.name.as_str()).collect::<Vec<_>>().join(", "),
                    level: levels.join(", "),
                })
            }
        }
    }

    /// The columns of a row's `values`, NaN for what is NULL.
    pub(super) fn encode_row_or_missing(&self, values: &[Value], columns: &mut Vec<f64>) -> Result<(), Unscorable> {
        columns.clear();
        self.features.iter().zip(values).try_for_each(|(feature, value)| feature.encode_or_missing(*value, columns))
    }

    /// The columns of a row's `values`.
    pub(super) fn encode_row(&self, values: &[Value], columns: &mut Vec<f64>) -> Result<(), Unscorable> {
        columns.clear();
        self.features.iter().zip(values).try_for_each(|(feature, value)| feature.encode(*value, columns))
    }
}

#[cold]
fn no_events() -> Unscorable {
    Unscorable::Undefined { reason: "the model saw no events".into() }
}
