//! Kernels that keep their moments near the ends of the observed time (Müller & Wang 1994, table 1).

use crate::{Error, Result};

/// The weight that an event gets by its distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kernel {
    Uniform,
    #[default]
    Epanechnikov,
    Biweight,
}

impl std::str::FromStr for Kernel {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "uniform" => Kernel::Uniform,
            "epanechnikov" => Kernel::Epanechnikov,
            "biweight" => Kernel::Biweight,
            _ => {
                return Err(Error::invalid(
                    format!("unknown kernel \"{name}\""),
                    "One of: epanechnikov, uniform, biweight.",
                ));
            }
        })
    }
}

impl Kernel {
    /// At `x` in [−1, q], for a point that has the share `q` (0 to 1) of the bandwidth to its left; 0 elsewhere.
    ///
    /// It integrates to 1 and is centred, so that a hazard that is a straight line stays one up to the boundary; it is
    /// negative in places when q is small. With q = 1 it is the kernel itself.
    pub fn at(self, x: f64, q: f64) -> f64 {
        if !(-1.0..=q).contains(&x) {
            return 0.0;
        }
        let scale = 1.0 + q;
        match self {
            Kernel::Uniform => 2.0 / scale.powi(3) * (3.0 * (1.0 - q) * x + 2.0 * (1.0 - q + q * q)),
            Kernel::Epanechnikov => {
                12.0 / scale.powi(4) * (x + 1.0) * (x * (1.0 - 2.0 * q) + (3.0 * q * q - 2.0 * q + 1.0) / 2.0)
            }
            Kernel::Biweight => {
                let skew = (1.0 - q) / scale;
                let bend = 2.0 * x * (5.0 * skew - 1.0) + (3.0 * q - 1.0) + 5.0 * (1.0 - q) * skew;
                15.0 / scale.powi(5) * (x + 1.0).powi(2) * (q - x) * bend
            }
        }
    }

    /// The bandwidth that is best for a normal density of standard deviation 1, times n^(1/5) (Silverman 1986, §3.4):
    /// (8 √π R / 3 μ²)^(1/5), R the integral of the kernel's square and μ its second moment.
    pub fn normal_scale(self) -> f64 {
        let (roughness, second_moment) = match self {
            Kernel::Uniform => (1.0 / 2.0, 1.0 / 3.0),
            Kernel::Epanechnikov => (3.0 / 5.0, 1.0 / 5.0),
            Kernel::Biweight => (5.0 / 7.0, 1.0 / 7.0),
        };
        (8.0 * std::f64::consts::PI.sqrt() * roughness / (3.0 * second_moment * second_moment)).powf(0.2)
    }
}

#[cfg(test)]
mod tests {
    use super::Kernel;
    use approx::assert_abs_diff_eq;

    #[test]
    fn boundary_kernels_integrate_to_one_and_are_centred() {
        for kernel in [Kernel::Uniform, Kernel::Epanechnikov, Kernel::Biweight] {
            for q in [0.0, 0.1, 0.37, 0.5, 0.9, 1.0] {
                let points = 20_000;
                let width = (1.0 + q) / f64::from(points);
                let middles = (0..points).map(|i| -1.0 + (f64::from(i) + 0.5) * width);
                let moment = |power| middles.clone().map(|x| kernel.at(x, q) * x.powi(power) * width).sum::<f64>();
                assert_abs_diff_eq!(moment(0), 1.0, epsilon = 1e-7);
                assert_abs_diff_eq!(moment(1), 0.0, epsilon = 1e-7);
            }
            assert_eq!((kernel.at(-1.01, 1.0), kernel.at(0.51, 0.5)), (0.0, 0.0));
        }
        assert_abs_diff_eq!(Kernel::Epanechnikov.at(0.3, 1.0), 0.75 * (1.0 - 0.09), epsilon = 1e-15);
        assert_abs_diff_eq!(Kernel::Uniform.at(0.3, 1.0), 0.5, epsilon = 1e-15);
        assert_abs_diff_eq!(Kernel::Biweight.at(0.3, 1.0), 0.9375 * 0.91 * 0.91, epsilon = 1e-15);
        // Silverman's 2.34 for Epanechnikov's kernel.
        assert_abs_diff_eq!(Kernel::Epanechnikov.normal_scale(), 2.345, epsilon = 5e-4);
    }
}
