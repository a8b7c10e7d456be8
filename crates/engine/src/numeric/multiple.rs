//! p-values of many tests at once.

use crate::{Error, Result};

/// How p-values are adjusted for the number of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjustment {
    /// Holm 1979: the chance of any false alarm stays below the level, whatever the tests have in common.
    Holm,
    /// Bonferroni: as Holm, and weaker.
    Bonferroni,
    /// Benjamini & Hochberg 1995: the share of false alarms among the alarms.
    BenjaminiHochberg,
    None,
}

impl std::str::FromStr for Adjustment {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "holm" => Adjustment::Holm,
            "bonferroni" => Adjustment::Bonferroni,
            "benjamini-hochberg" => Adjustment::BenjaminiHochberg,
            "none" => Adjustment::None,
            _ => {
                return Err(Error::invalid(
                    format!("unknown adjustment \"{name}\" of p-values"),
                    "One of: holm, bonferroni, benjamini-hochberg, none.",
                ));
            }
        })
    }
}

/// The adjusted p-values in the order given, at most 1 each.
pub fn adjusted(p_values: &[f64], adjustment: Adjustment) -> Vec<f64> {
    let tests = p_values.len();
    let mut order: Vec<usize> = (0..tests).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = p_values.to_vec();
    match adjustment {
        Adjustment::None => {}
        Adjustment::Bonferroni => adjusted.iter_mut().for_each(|p| *p = (*p * tests as f64).min(1.0)),
        Adjustment::Holm => {
            let mut most = 0.0f64;
            for (rank, test) in order.into_iter().enumerate() {
                most = most.max((tests - rank) as f64 * p_values[test]).min(1.0);
                adjusted[test] = most;
            }
        }
        Adjustment::BenjaminiHochberg => {
            let mut least = 1.0f64;
            for (rank, test) in order.into_iter().enumerate().rev() {
                least = least.min(tests as f64 / (rank + 1) as f64 * p_values[test]);
                adjusted[test] = least;
            }
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R: p.adjust(c(0.01, 0.04, 0.03, 0.8), ...).
    #[test]
    fn adjusted_as_r_does() {
        let p_values = [0.01, 0.04, 0.03, 0.8];
        let close = |a: Vec<f64>, b: [f64; 4]| assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-15), "{a:?}");
        close(adjusted(&p_values, Adjustment::Holm), [0.04, 0.09, 0.09, 0.8]);
        close(adjusted(&p_values, Adjustment::Bonferroni), [0.04, 0.16, 0.12, 1.0]);
        close(adjusted(&p_values, Adjustment::BenjaminiHochberg), [0.04, 0.16 / 3.0, 0.16 / 3.0, 0.8]);
        close(adjusted(&p_values, Adjustment::None), p_values);
        assert!(adjusted(&[], Adjustment::Holm).is_empty());
    }
}
