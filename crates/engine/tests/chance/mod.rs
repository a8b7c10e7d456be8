//! Chance that is the same everywhere: draws from known laws, for simulations whose truth is known.
#![allow(dead_code)]

use rand_distr::{Distribution, Exp1, Gamma, OpenClosed01, Poisson, StandardNormal};
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

pub struct Chance(SplitMix64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(SplitMix64::seed_from_u64(seed))
    }

    /// In (0, 1]: its logarithm is finite.
    pub fn uniform(&mut self) -> f64 {
        OpenClosed01.sample(&mut self.0)
    }

    /// One of 0 to `sides` - 1; 0 of none.
    pub fn below(&mut self, sides: usize) -> usize {
        (self.0.next_u64() >> 33) as usize % sides.max(1)
    }

    /// Fisher and Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }

    /// Of mean 1.
    pub fn exponential(&mut self) -> f64 {
        Exp1.sample(&mut self.0)
    }

    pub fn weibull(&mut self, shape: f64, scale: f64) -> f64 {
        scale * self.exponential().powf(1.0 / shape)
    }

    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// Of scale 1.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        Gamma::new(shape, 1.0).expect("a positive shape").sample(&mut self.0)
    }

    /// How many events there are of this mean.
    pub fn poisson(&mut self, mean: f64) -> f64 {
        Poisson::new(mean).expect("a positive mean").sample(&mut self.0)
    }

    /// A Poisson number of gammas, with this mean and the variance `dispersion` · mean^`power`, power between 1 and 2.
    pub fn tweedie(&mut self, mean: f64, dispersion: f64, power: f64) -> f64 {
        let count = mean.powf(2.0 - power) / (dispersion * (2.0 - power));
        let scale = dispersion * (power - 1.0) * mean.powf(power - 1.0);
        let count = self.poisson(count);
        (0..count as usize).map(|_| self.gamma((2.0 - power) / (power - 1.0)) * scale).sum()
    }
}
