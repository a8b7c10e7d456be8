//! The rows of a regression in SQL, with all that a model may ask of them: strata, clusters, offsets, intervals.

use ltv_engine::hazard::design::{Design, Row};
use pgrx::prelude::*;

use crate::pg::aggregate::{Boolean, Integer, Outcome, arguments, float};
use crate::pg::error::{raise, report, settle};
use crate::pg::expanded::{self, Expanded};
use crate::pg::symbols::export;
use crate::pg::{array, settings, varlena};

/// `design_agg` with strata, and then perhaps clusters and offsets: (entry, duration, event, covariates, weight,
/// stratum, cluster, offset). A row without a cluster is one of its own; any other NULL leaves the row out.
///
/// # Safety
/// Called by PostgreSQL as the transition function that is declared so, with `count` arguments.
unsafe fn add_row<O: Outcome>(fcinfo: pg_sys::FunctionCallInfo, count: usize) -> pg_sys::Datum {
    const CLUSTER: usize = 7;
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, count);
        (args, expanded::state::<Design>(fcinfo, &args[0]))
    };
    let missing = args.iter().enumerate().skip(1).any(|(place, slot)| slot.isnull && place != CLUSTER);
    // SAFETY: declared float8[], and not NULL here.
    let covariates = if missing { None } else { unsafe { array::floats(args[4].value) } };
    let Some(x) = covariates else {
        object.state.skip();
        return object.datum();
    };
    let cluster = args.get(CLUSTER).map(|slot| match slot.isnull {
        true => None,
        // SAFETY: declared text, and not NULL here.
        false => Some(unsafe { text(slot.value) }),
    });
    add(
        object,
        &Row {
            entry: float(&args[1]),
            exit: float(&args[2]),
            event: settle(O::read(args[3].value)),
            upper: None,
            weight: float(&args[5]),
            offset: args.get(8).map_or(0.0, float),
            // SAFETY: declared text, and not NULL here.
            stratum: Some(unsafe { text(args[6].value) }),
            cluster,
            x,
        },
    )
}

/// `interval_design_agg`: ([entry,] left, right, covariates [, weight]) of an event that is known to have been in
/// (left, right]; right is NULL where it has not been seen, and equal to left where its time is known.
///
/// # Safety
/// As [`add_row`].
unsafe fn add_interval(fcinfo: pg_sys::FunctionCallInfo, count: usize, left: usize) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, count);
        (args, expanded::state::<Design>(fcinfo, &args[0]))
    };
    let missing = args.iter().enumerate().skip(1).any(|(place, slot)| slot.isnull && place != left + 1);
    // SAFETY: declared float8[], and not NULL here.
    let covariates = if missing { None } else { unsafe { array::floats(args[left + 2].value) } };
    let Some(x) = covariates else {
        object.state.skip();
        return object.datum();
    };
    let exit = float(&args[left]);
    let upper = (!args[left + 1].isnull).then(|| float(&args[left + 1])).filter(|upper| *upper != f64::INFINITY);
    let event = upper == Some(exit);
    add(
        object,
        &Row {
            entry: if left == 2 { float(&args[1]) } else { 0.0 },
            exit,
            event,
            upper: upper.filter(|_| !event),
            weight: args.get(left + 3).map_or(1.0, float),
            x,
            ..Row::default()
        },
    )
}

fn add(object: &mut Expanded<Design>, row: &Row) -> pg_sys::Datum {
    if row.x.len() > crate::fit::MOST_COVARIATES {
        raise(crate::fit::too_wide(row.x.len()));
    }
    settle(object.state.push_row(row));
    if object.state.len().is_multiple_of(1024) {
        settle(settings::budget().check(object.state.memory_bytes(), "the rows of the fit"));
    }
    object.datum()
}

/// # Safety
/// `datum` is a non-NULL text.
pub(super) unsafe fn text<'a>(datum: pg_sys::Datum) -> &'a str {
    // SAFETY: promised by the caller.
    std::str::from_utf8(unsafe { varlena::payload(datum) }).unwrap_or_else(|_| {
        report(PgSqlErrorCode::ERRCODE_CHARACTER_NOT_IN_REPERTOIRE, "a label is not valid UTF-8", "")
    })
}

export!(design_add_stratum_bool, pg_finfo_design_add_stratum_bool, |f| add_row::<Boolean>(f, 7));
export!(design_add_stratum_int, pg_finfo_design_add_stratum_int, |f| add_row::<Integer>(f, 7));
export!(design_add_cluster_bool, pg_finfo_design_add_cluster_bool, |f| add_row::<Boolean>(f, 8));
export!(design_add_cluster_int, pg_finfo_design_add_cluster_int, |f| add_row::<Integer>(f, 8));
export!(design_add_offset_bool, pg_finfo_design_add_offset_bool, |f| add_row::<Boolean>(f, 9));
export!(design_add_offset_int, pg_finfo_design_add_offset_int, |f| add_row::<Integer>(f, 9));
export!(design_add_interval, pg_finfo_design_add_interval, |f| add_interval(f, 4, 1));
export!(design_add_interval_weight, pg_finfo_design_add_interval_weight, |f| add_interval(f, 5, 1));
export!(design_add_entry_interval_weight, pg_finfo_design_add_entry_interval_weight, |f| add_interval(f, 6, 2));
