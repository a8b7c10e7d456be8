//! What is known of a customer: how often, until when, and for how long.

use crate::{Error, Result};

/// More repeat purchases than this are no customer's.
pub const MOST_PURCHASES: f64 = 1_000_000.0;
/// No time is longer, so that products of times stay numbers.
pub const LONGEST_TIME: f64 = 1e15;

/// The purchases of one customer, seen from the first one on; times are in any one unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct History {
    /// Repeat purchases, x: those after the first.
    pub frequency: f64,
    /// Age at the last purchase, t_x; 0 when there was none but the first.
    pub recency: f64,
    /// Age now, T: the time since the first purchase.
    pub age: f64,
}

impl History {
    /// # Errors
    /// [`Error::Invalid`] unless the frequency is a whole number up to [`MOST_PURCHASES`] and 0 <= recency <= age <=
    /// [`LONGEST_TIME`], the recency 0 without repeat purchases.
    #[inline(always)]
    pub fn new(frequency: f64, recency: f64, age: f64) -> Result<History> {
        let whole = f64::from(frequency as u32) == frequency && frequency <= MOST_PURCHASES;
        if whole && recency >= 0.0 && recency <= age && age <= LONGEST_TIME && (frequency > 0.0 || recency == 0.0) {
            // A negative zero is a zero.
            return Ok(History { frequency: frequency + 0.0, recency: recency + 0.0, age: age + 0.0 });
        }
        Err(refused(frequency, recency, age))
    }
}

#[cold]
fn refused(frequency: f64, recency: f64, age: f64) -> Error {
    if !(f64::from(frequency as u32) == frequency && frequency <= MOST_PURCHASES) {
        return Error::invalid(
            format!("frequency must be a whole number from 0 to {MOST_PURCHASES}, got {frequency}"),
            "It is the number of repeat purchases: all but the first, those of one day (or other unit) counted once.",
        );
    }
    if frequency == 0.0 && recency > 0.0 && recency <= age && age <= LONGEST_TIME {
        return Error::invalid(
            format!("a customer without repeat purchases has recency 0, got {recency}"),
            "recency is the age at the last purchase – the time from the first to the last one – not the time since then: for that, pass age - recency.",
        );
    }
    Error::invalid(
        format!("0 <= recency <= age is needed, and a finite age, got recency {recency} and age {age}"),
        "Both count from the customer's first purchase: recency until the last purchase, age until now.",
    )
}
