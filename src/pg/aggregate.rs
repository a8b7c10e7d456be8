//! The transition and combine functions, by hand: pgrx's wrapper would cost as much as the work itself.

use ltv_engine::Result;
use ltv_engine::assess::calibration::Calibration;
use ltv_engine::hazard::design::Design;
use ltv_engine::survival::Sample;
use pgrx::pg_sys;

use crate::pg::error::{raise, settle};
use crate::pg::expanded::{self, State};
use crate::pg::{array, packed, settings, varlena};

/// Where the arguments of a form of an aggregate stand (0 is the state).
#[derive(Clone, Copy)]
pub struct Places {
    pub entry: Option<usize>,
    pub duration: usize,
    pub event: usize,
    pub covariates: Option<usize>,
    pub weight: Option<usize>,
}

/// How an outcome is told: true/false or 1/0.
pub trait Outcome {
    fn read(datum: pg_sys::Datum) -> Result<bool>;
}

pub struct Boolean;
pub struct Integer;

impl Outcome for Boolean {
    #[inline(always)]
    fn read(datum: pg_sys::Datum) -> Result<bool> {
        Ok(datum.value() as u8 != 0)
    }
}

impl Outcome for Integer {
    #[inline(always)]
    fn read(datum: pg_sys::Datum) -> Result<bool> {
        match datum.value() as i32 {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(not_an_outcome(other)),
        }
    }
}

#[cold]
fn not_an_outcome(value: i32) -> ltv_engine::Error {
    ltv_engine::Error::invalid(
        format!("an event must be true, false, 1 or 0, got {value}"),
        "1 means it happened, 0 that it had not yet (censored). Write (column = value) for any other coding. With a delayed entry and an integer event, add the weight: (entry, duration, event, 1).",
    )
}

#[inline(always)]
pub(super) fn float(slot: &pg_sys::NullableDatum) -> f64 {
    f64::from_bits(slot.value.value() as u64)
}

/// The arguments of a call, the state first.
///
/// # Safety
/// `fcinfo` is PostgreSQL's, for a function declared with at least `count` arguments.
#[inline(always)]
pub(super) unsafe fn arguments<'a>(fcinfo: pg_sys::FunctionCallInfo, count: usize) -> &'a [pg_sys::NullableDatum] {
    // SAFETY: PostgreSQL allocates one slot per declared argument.
    unsafe { (*fcinfo).args.as_slice(count) }
}

/// `survival_agg` in all its forms: adds one row to the sample.
///
/// # Safety
/// Called by PostgreSQL as the transition function whose SQL declaration has its arguments at `places`.
#[inline(always)]
pub unsafe fn add_duration<O: Outcome>(
    fcinfo: pg_sys::FunctionCallInfo,
    count: usize,
    places: Places,
) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let args = unsafe { arguments(fcinfo, count) };
    if places.entry.is_none() && places.weight.is_none() {
        // SAFETY: as above.
        if let Some(answer) = unsafe { packed::add(fcinfo, args, places, |event| O::read(event).map(u8::from)) } {
            return answer;
        }
    }
    // SAFETY: as above.
    let object = unsafe { expanded::state::<Sample>(fcinfo, &args[0]) };
    if args[1..].iter().any(|slot| slot.isnull) {
        object.state.skip();
        return object.datum();
    }
    let event = settle(O::read(args[places.event].value));
    let duration = float(&args[places.duration]);
    if places.entry.is_none() && places.weight.is_none() {
        settle(object.state.add_asking(duration, event, settings::budget));
    } else {
        let entry = places.entry.map_or(0.0, |place| float(&args[place]));
        let weight = places.weight.map_or(1.0, |place| float(&args[place]));
        settle(object.state.add_row(entry, duration, event, weight, settings::budget()));
    }
    object.datum()
}

/// `fit_*`: adds one row to the design.
///
/// # Safety
/// As [`add_duration`].
#[inline(always)]
pub unsafe fn add_regression_row<O: Outcome>(
    fcinfo: pg_sys::FunctionCallInfo,
    count: usize,
    places: Places,
) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, count);
        (args, expanded::state::<Design>(fcinfo, &args[0]))
    };
    let covariates = match places.covariates {
        // SAFETY: declared float8[], and not NULL here.
        Some(place) if !args[1..].iter().any(|slot| slot.isnull) => unsafe { array::floats(args[place].value) },
        _ => None,
    };
    let Some(covariates) = covariates else {
        object.state.skip();
        return object.datum();
    };
    if covariates.len() > crate::fit::MOST_COVARIATES {
        raise(crate::fit::too_wide(covariates.len()));
    }
    let event = settle(O::read(args[places.event].value));
    let entry = places.entry.map(|place| float(&args[place]));
    let weight = places.weight.map_or(1.0, |place| float(&args[place]));
    settle(object.state.push(entry, float(&args[places.duration]), event, weight, covariates));
    // Vectors double, so a look at every few megabytes is enough to stay within twice the limit's last step.
    if object.state.len().is_multiple_of(1024) {
        settle(settings::budget().check(object.state.memory_bytes(), "the rows of the fit"));
    }
    object.datum()
}

/// `calibration_agg`: adds one prediction and its outcome (and weight).
///
/// # Safety
/// As [`add_duration`].
#[inline(always)]
pub unsafe fn add_prediction<O: Outcome>(fcinfo: pg_sys::FunctionCallInfo, count: usize) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, count);
        (args, expanded::state::<Calibration>(fcinfo, &args[0]))
    };
    if args[1..].iter().any(|slot| slot.isnull) {
        object.state.skip();
        return object.datum();
    }
    let outcome = settle(O::read(args[2].value));
    let (probability, budget) = (float(&args[1]), settings::budget());
    settle(match args.get(3) {
        None => object.state.add(probability, outcome, budget),
        Some(weight) => object.state.add_weighted(probability, outcome, float(weight), budget),
    });
    object.datum()
}

/// A state that can take in another one.
pub trait Merge: State {
    fn take_in(&mut self, other: &Self) -> Result<()>;
}

impl Merge for Sample {
    fn take_in(&mut self, other: &Self) -> Result<()> {
        self.merge(other, settings::budget())
    }
}

impl Merge for Calibration {
    fn take_in(&mut self, other: &Self) -> Result<()> {
        self.merge(other, settings::budget())
    }
}

impl Merge for Design {
    fn take_in(&mut self, other: &Self) -> Result<()> {
        settings::budget().check(self.memory_bytes() + other.memory_bytes(), "the rows of the fit")?;
        self.merge(other)
    }
}

/// Combine function, and transition function of `rollup`: the second state is added to the first and left alone.
///
/// # Safety
/// Called by PostgreSQL as a combine or transition function over two values of the state type.
pub unsafe fn combine<S: Merge>(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let args = unsafe { arguments(fcinfo, 2) };
    if args[1].isnull {
        // SAFETY: `fcinfo` is ours to answer through.
        unsafe { (*fcinfo).isnull = args[0].isnull };
        return args[0].value;
    }
    // SAFETY: passed on; a read/write second state is only read.
    let object = unsafe { expanded::state::<S>(fcinfo, &args[0]) };
    // SAFETY: not NULL, of the state type, and never the first state itself.
    unsafe { expanded::with_state::<S, _>(args[1].value, |other| settle(object.state.take_in(other))) };
    object.datum()
}

/// Final function of `survival_agg` and `incidence_agg`: the state in its one stored form.
///
/// # Safety
/// Called by PostgreSQL with a value of the state's type as its only argument.
pub unsafe fn finish_state<S: State>(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let state = unsafe { &arguments(fcinfo, 1)[0] };
    if state.isnull {
        // SAFETY: `fcinfo` is ours to answer through.
        unsafe { (*fcinfo).isnull = true };
        return pg_sys::Datum::from(0usize);
    }
    // SAFETY: not NULL, and of the state's type; it is read only.
    varlena::to_datum(&unsafe { expanded::with_state::<S, _>(state.value, expanded::flattened) })
}

/// Final function of the `fit_` aggregates: the stored bytes of what `fit` makes of the rows; NULL when it makes nothing of
/// them.
///
/// # Safety
/// Called by PostgreSQL with a design as its only argument.
pub unsafe fn finish_fit(
    fcinfo: pg_sys::FunctionCallInfo,
    fit: impl FnOnce(&Design) -> Option<Vec<u8>>,
) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let state = unsafe { &arguments(fcinfo, 1)[0] };
    // SAFETY: not NULL, and a design; fitting reads it only.
    let model = (!state.isnull).then(|| unsafe {
        expanded::with_state::<Design, _>(state.value, |design| {
            settle(design.check_complete());
            fit(design)
        })
    });
    match model.flatten() {
        Some(bytes) => varlena::to_datum(&bytes),
        None => {
            // SAFETY: `fcinfo` is ours to answer through.
            unsafe { (*fcinfo).isnull = true };
            pg_sys::Datum::from(0usize)
        }
    }
}
