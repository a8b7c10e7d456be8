//! What a call site keeps of a curve's valuations: per age, what contracts have in common but for their price.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chrono::NaiveDate;
use ltv_engine::value::{ContractTerms, Terms, UnitValuation};

/// As many ages as are remembered at a time.
const MOST_AGES: usize = 4096;

/// Under which terms the ages are remembered.
enum Under {
    /// Named arguments, and the date.
    Arguments(Box<Terms<'static>>, Option<NaiveDate>),
    /// A value, by its bytes.
    Value(Vec<u8>, Box<ContractTerms>),
}

/// An age that has been met.
enum Met {
    Once,
    /// More than once; `None` where there is no value.
    Often(Option<Box<UnitValuation>>),
}

/// The ages of one curve under the terms of the last call.
#[derive(Default)]
pub struct Ages {
    under: Option<Under>,
    met: HashMap<u64, Met>,
}

impl Ages {
    /// Forgets what was under other terms than these.
    pub fn under_arguments(&mut self, terms: &Terms<'static>, as_of: Option<NaiveDate>) {
        let same = matches!(&self.under, Some(Under::Arguments(held, date)) if *date == as_of && UnitValuation::share(held, terms));
        if !same {
            self.met.clear();
            let plain = Terms { due_days: None, ..*terms };
            self.under = Some(Under::Arguments(Box::new(plain), as_of));
        }
    }

    /// The terms of this value and what all prices have in common under them at an age that is met again, as
    /// [`Ages::again`]; what was under other terms is forgotten.
    pub fn of_value(
        &mut self,
        bytes: &[u8],
        age: f64,
        decode: impl FnOnce() -> ContractTerms,
        make: impl FnOnce(&ContractTerms) -> Option<UnitValuation>,
    ) -> (&ContractTerms, Option<&UnitValuation>) {
        let same = matches!(&self.under, Some(Under::Value(held, _)) if held == bytes);
        if !same {
            self.met.clear();
            self.under = None;
        }
        let Ages { under, met } = self;
        match under.get_or_insert_with(|| Under::Value(bytes.to_vec(), Box::new(decode()))) {
            Under::Value(_, terms) => (terms, again(met, age, || make(terms))),
            Under::Arguments(..) => unreachable!("it was just made of a value"),
        }
    }

    /// What all prices have in common at an age that is met again; `None` at the first sight of it, and where there is no
    /// value. Making it costs more than one valuation.
    pub fn again(&mut self, age: f64, make: impl FnOnce() -> Option<UnitValuation>) -> Option<&UnitValuation> {
        again(&mut self.met, age, make)
    }
}

fn again(
    met: &mut HashMap<u64, Met>,
    age: f64,
    make: impl FnOnce() -> Option<UnitValuation>,
) -> Option<&UnitValuation> {
    if met.len() > MOST_AGES {
        met.clear();
    }
    let met = match met.entry(age.to_bits()) {
        Entry::Vacant(place) => {
            place.insert(Met::Once);
            return None;
        }
        Entry::Occupied(held) => held.into_mut(),
    };
    if matches!(met, Met::Once) {
        *met = Met::Often(make().map(Box::new));
    }
    match met {
        Met::Often(unit) => unit.as_deref(),
        Met::Once => None,
    }
}
