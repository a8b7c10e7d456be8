//! What a call site keeps of a curve's valuations: per age, what contracts have in common but for their price.

use std::collections::hash_map::Entry;

use chrono::NaiveDate;
use ltv_engine::value::{ContractTerms, Terms, UnitValuation};
use rustc_hash::FxHashMap;

/// As many ages as are remembered at a time.
const MOST_AGES: usize = 4096;

/// Under which terms the ages are remembered.
enum Under {
    /// Named arguments.
    Arguments(Box<Agreed>),
    /// A value, by its bytes.
    Value(Vec<u8>, Box<ContractTerms>),
}

/// What calls have in common but for revenue and age.
pub struct Agreed {
    pub terms: Terms<'static>,
    pub as_of: Option<NaiveDate>,
    /// As they were passed, where they were.
    pub arguments: Option<Arguments>,
}

/// The arguments of a call that say terms, other than revenue and age.
#[derive(PartialEq, Eq)]
pub struct Arguments {
    pub numbers: [Option<usize>; 13],
    pub words: [Option<Box<[u8]>>; 4],
}

/// An age that has been met.
enum Age {
    Once,
    /// More than once; `None` where there is no value.
    Often(Option<Box<UnitValuation>>),
}

/// The ages that have been met.
#[derive(Default)]
pub struct Met(FxHashMap<u64, Age>);

/// The ages of one curve under the terms of the last call.
#[derive(Default)]
pub struct Ages {
    under: Option<Under>,
    met: Met,
}

impl Ages {
    /// What this call and the last have in common, and the ages met under it. When it is other than `same` says, it is
    /// made anew, and what was under the other is forgotten; `None` when it cannot be made.
    pub fn under(
        &mut self,
        same: impl FnOnce(&Agreed) -> bool,
        make: impl FnOnce() -> Option<Agreed>,
    ) -> Option<(&Agreed, &mut Met)> {
        if !matches!(&self.under, Some(Under::Arguments(agreed)) if same(agreed)) {
            self.met = Met::default();
            self.under = None;
            self.under = Some(Under::Arguments(Box::new(make()?)));
        }
        match &self.under {
            Some(Under::Arguments(agreed)) => Some((agreed, &mut self.met)),
            _ => None,
        }
    }

    /// The terms of this value and what all prices have in common under them at an age that is met again, as
    /// [`Met::again`]; what was under other terms is forgotten.
    pub fn of_value(
        &mut self,
        bytes: &[u8],
        age: f64,
        decode: impl FnOnce() -> ContractTerms,
        make: impl FnOnce(&ContractTerms) -> Option<UnitValuation>,
    ) -> (&ContractTerms, Option<&UnitValuation>) {
        let same = matches!(&self.under, Some(Under::Value(held, _)) if held == bytes);
        if !same {
            self.met = Met::default();
            self.under = None;
        }
        let Ages { under, met } = self;
        match under.get_or_insert_with(|| Under::Value(bytes.to_vec(), Box::new(decode()))) {
            Under::Value(_, terms) => (terms, met.again(age, || make(terms))),
            Under::Arguments(..) => unreachable!("it was just made of a value"),
        }
    }
}

impl Met {
    /// What all prices have in common at an age that is met again; `None` at the first sight of it, and where there is no
    /// value. Making it costs more than one valuation.
    pub fn again(&mut self, age: f64, make: impl FnOnce() -> Option<UnitValuation>) -> Option<&UnitValuation> {
        if self.0.len() > MOST_AGES {
            self.0.clear();
        }
        let met = match self.0.entry(age.to_bits()) {
            Entry::Vacant(place) => {
                place.insert(Age::Once);
                return None;
            }
            Entry::Occupied(held) => held.into_mut(),
        };
        if matches!(met, Age::Once) {
            *met = Age::Often(make().map(Box::new));
        }
        match met {
            Age::Often(unit) => unit.as_deref(),
            Age::Once => None,
        }
    }
}
