//! The symbols of `sql/47_trends.sql`: slopes, averages that forget, and first times, over numbers, dates and timestamps.

use ltv_engine::trend::{MovingAverage, Slope, moving_average, slope};
use ltv_engine::{Error, Result};
use pgrx::prelude::*;

use crate::pg::aggregate::{arguments, float};
use crate::pg::call::Call;
use crate::pg::error::{raise, settle};
use crate::pg::flat;
use crate::pg::symbols::export;
use crate::pg::varlena;

/// How a time is told. As a number, a date or a timestamp counts in days since 2000-01-01.
trait Time {
    fn number(datum: pg_sys::Datum) -> f64;
    /// What the type itself compares; `number` may be coarser.
    fn order(datum: pg_sys::Datum) -> i64;
}

struct Number;
struct Day;
struct Instant;

const MICROSECONDS_PER_DAY: f64 = 86_400e6;

impl Time for Number {
    #[inline(always)]
    fn number(datum: pg_sys::Datum) -> f64 {
        f64::from_bits(datum.value() as u64)
    }

    #[inline(always)]
    fn order(datum: pg_sys::Datum) -> i64 {
        // The bits of finite doubles order as whole numbers, the negative ones backwards; there is one zero.
        let bits = (Self::number(datum) + 0.0).to_bits() as i64;
        bits ^ ((bits >> 63) as u64 >> 1) as i64
    }
}

impl Time for Day {
    #[inline(always)]
    fn number(datum: pg_sys::Datum) -> f64 {
        match datum.value() as i32 {
            i32::MIN => f64::NEG_INFINITY,
            i32::MAX => f64::INFINITY,
            day => f64::from(day),
        }
    }

    #[inline(always)]
    fn order(datum: pg_sys::Datum) -> i64 {
        i64::from(datum.value() as i32)
    }
}

impl Time for Instant {
    #[inline(always)]
    fn number(datum: pg_sys::Datum) -> f64 {
        match datum.value() as i64 {
            i64::MIN => f64::NEG_INFINITY,
            i64::MAX => f64::INFINITY,
            instant => instant as f64 / MICROSECONDS_PER_DAY,
        }
    }

    #[inline(always)]
    fn order(datum: pg_sys::Datum) -> i64 {
        datum.value() as i64
    }
}

/// A state of a few numbers: a version byte and the numbers, little-endian.
trait Numbers<const N: usize>: Sized {
    const VERSION: u8 = 1;
    fn write(&self) -> [u8; N];
    fn read(bytes: &[u8]) -> Result<Self>;
}

fn written<const N: usize>(version: u8, numbers: &[f64]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes[0] = version;
    for (place, number) in bytes[1..].as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
        *place = number.to_le_bytes();
    }
    bytes
}

fn numbers<const K: usize>(bytes: &[u8]) -> Result<[f64; K]> {
    let (places, rest) = bytes.get(1..).unwrap_or_default().as_chunks::<8>();
    if bytes.first() != Some(&1) || places.len() != K || !rest.is_empty() {
        return Err(Error::malformed("these bytes are not the state of a trend"));
    }
    let mut numbers = [0.0; K];
    numbers.iter_mut().zip(places).for_each(|(number, place)| *number = f64::from_le_bytes(*place));
    Ok(numbers)
}

const SLOPE: usize = 1 + 8 * slope::NUMBERS;
const AVERAGE: usize = 1 + 8 * moving_average::NUMBERS;

impl Numbers<SLOPE> for Slope {
    fn write(&self) -> [u8; SLOPE] {
        written(Self::VERSION, &self.numbers())
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        Slope::from_numbers(&numbers::<{ slope::NUMBERS }>(bytes)?)
    }
}

impl Numbers<AVERAGE> for MovingAverage {
    fn write(&self) -> [u8; AVERAGE] {
        written(Self::VERSION, &self.numbers())
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        MovingAverage::from_numbers(&numbers::<{ moving_average::NUMBERS }>(bytes)?)
    }
}

/// Changes a state in place, or makes it.
///
/// # Safety
/// As [`flat::update`].
#[inline(always)]
unsafe fn change<const N: usize, S: Numbers<N> + Default>(
    fcinfo: pg_sys::FunctionCallInfo,
    slot: &pg_sys::NullableDatum,
    add: impl FnOnce(&mut S) -> Result<()>,
) -> pg_sys::Datum {
    let copied = |bytes: &[u8]| {
        <[u8; N]>::try_from(bytes).map_err(|_| Error::malformed("these bytes are not the state of a trend"))
    };
    // SAFETY: passed on.
    unsafe {
        flat::update(fcinfo, slot, copied, |bytes: Option<&mut [u8; N]>| {
            let mut state = bytes.as_deref().map_or_else(S::default, |bytes| settle(S::read(bytes)));
            settle(add(&mut state));
            match bytes {
                Some(bytes) => {
                    *bytes = state.write();
                    None
                }
                None => Some(state.write()),
            }
        })
    }
}

/// The state as it stands: for a row that is left out.
///
/// # Safety
/// `fcinfo` is PostgreSQL's.
#[inline(always)]
unsafe fn unchanged(fcinfo: pg_sys::FunctionCallInfo, state: &pg_sys::NullableDatum) -> pg_sys::Datum {
    // SAFETY: `fcinfo` is ours to answer through.
    unsafe { (*fcinfo).isnull = state.isnull };
    state.value
}

/// `slope_agg(t, x)`.
///
/// # Safety
/// Called by PostgreSQL as the transition function declared (bytea, time, float8).
#[inline(always)]
unsafe fn slope_add<T: Time>(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    unsafe {
        let args = arguments(fcinfo, 3);
        if args[1..].iter().any(|slot| slot.isnull) {
            return unchanged(fcinfo, &args[0]);
        }
        change::<SLOPE, Slope>(fcinfo, &args[0], |state| state.add(T::number(args[1].value), float(&args[2])))
    }
}

/// `ewma_agg(t, x, half_life [, as_of])`: rows after `as_of` are left out.
///
/// # Safety
/// Called by PostgreSQL as the transition function declared (bytea, time, float8, float8 [, time]).
#[inline(always)]
unsafe fn average_add<T: Time>(fcinfo: pg_sys::FunctionCallInfo, count: usize) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    unsafe {
        let args = arguments(fcinfo, count);
        let later = |as_of: &pg_sys::NullableDatum| T::order(args[1].value) > T::order(as_of.value);
        if args[1..].iter().any(|slot| slot.isnull) || args.get(4).is_some_and(later) {
            return unchanged(fcinfo, &args[0]);
        }
        change::<AVERAGE, MovingAverage>(fcinfo, &args[0], |state| {
            state.add(T::number(args[1].value), float(&args[2]), float(&args[3]))
        })
    }
}

/// The combine function of both.
///
/// # Safety
/// Called by PostgreSQL as the combine function over two states.
unsafe fn merge<const N: usize, S: Numbers<N> + Default>(
    fcinfo: pg_sys::FunctionCallInfo,
    add: impl FnOnce(&mut S, &S) -> Result<()>,
) -> pg_sys::Datum {
    // SAFETY: passed on from the caller; the second state is declared bytea.
    unsafe {
        let args = arguments(fcinfo, 2);
        if args[1].isnull {
            return unchanged(fcinfo, &args[0]);
        }
        let other = settle(S::read(varlena::payload(args[1].value)));
        change::<N, S>(fcinfo, &args[0], |state| add(state, &other))
    }
}

/// `first_reached_agg(t, x, threshold)`: the state is the time itself.
///
/// # Safety
/// Called by PostgreSQL as the transition function declared (time, time, float8, float8).
#[inline(always)]
unsafe fn first_reached<T: Time>(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    unsafe {
        // The state of another caller might be any time, infinite ones too.
        flat::require_aggregate(fcinfo);
        let args = arguments(fcinfo, 4);
        if args[1..].iter().any(|slot| slot.isnull) {
            return unchanged(fcinfo, &args[0]);
        }
        let (x, threshold) = (float(&args[2]), float(&args[3]));
        if x.is_nan() || threshold.is_nan() || !T::number(args[1].value).is_finite() {
            raise(unfit(T::number(args[1].value), x, threshold));
        }
        let earlier = args[0].isnull || T::order(args[1].value) < T::order(args[0].value);
        unchanged(fcinfo, if x >= threshold && earlier { &args[1] } else { &args[0] })
    }
}

#[cold]
fn unfit(t: f64, x: f64, threshold: f64) -> Error {
    let hint = "Leave such rows out with FILTER (WHERE …).";
    if !t.is_finite() {
        return Error::invalid(format!("the time of a value must be finite, got {t}"), hint);
    }
    Error::invalid(format!("a value and its threshold must be numbers, got {x} and {threshold}"), hint)
}

fn slope_final(call: &Call) -> pg_sys::Datum {
    call.answer_float(call.bytes(0).and_then(|bytes| settle(Slope::read(bytes)).slope()))
}

fn average_final(call: &Call) -> pg_sys::Datum {
    call.answer_float(call.bytes(0).and_then(|bytes| settle(MovingAverage::read(bytes)).average()))
}

export!(slope_add_number, pg_finfo_slope_add_number, |f| slope_add::<Number>(f));
export!(slope_add_day, pg_finfo_slope_add_day, |f| slope_add::<Day>(f));
export!(slope_add_instant, pg_finfo_slope_add_instant, |f| slope_add::<Instant>(f));
export!(slope_combine, pg_finfo_slope_combine, |f| merge::<SLOPE, Slope>(f, |state, other| state.merge(other)));
export!(slope_final_float, pg_finfo_slope_final_float, |f| slope_final(&Call::new(f)));
export!(ewma_add_number, pg_finfo_ewma_add_number, |f| average_add::<Number>(f, 4));
export!(ewma_add_day, pg_finfo_ewma_add_day, |f| average_add::<Day>(f, 4));
export!(ewma_add_instant, pg_finfo_ewma_add_instant, |f| average_add::<Instant>(f, 4));
export!(ewma_add_number_as_of, pg_finfo_ewma_add_number_as_of, |f| average_add::<Number>(f, 5));
export!(ewma_add_day_as_of, pg_finfo_ewma_add_day_as_of, |f| average_add::<Day>(f, 5));
export!(ewma_add_instant_as_of, pg_finfo_ewma_add_instant_as_of, |f| average_add::<Instant>(f, 5));
export!(ewma_combine, pg_finfo_ewma_combine, |f| merge::<AVERAGE, MovingAverage>(f, |state, other| state.merge(other)));
export!(ewma_final_float, pg_finfo_ewma_final_float, |f| average_final(&Call::new(f)));
export!(first_reached_number, pg_finfo_first_reached_number, |f| first_reached::<Number>(f));
export!(first_reached_day, pg_finfo_first_reached_day, |f| first_reached::<Day>(f));
export!(first_reached_instant, pg_finfo_first_reached_instant, |f| first_reached::<Instant>(f));
