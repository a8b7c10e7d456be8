//! `log_rank_agg`: rows of groups and strata, and the state that gathers them.

use std::ffi::c_void;

use ltv_engine::Result;
use ltv_engine::survival::grouped::{Grouped, LabelRef, Row};
use pgrx::prelude::*;

use crate::pg::aggregate::{Boolean, Integer, Merge, Outcome, arguments, combine, float};
use crate::pg::call::Call;
use crate::pg::error::settle;
use crate::pg::expanded::{self, State};
use crate::pg::symbols::export;
use crate::pg::{settings, varlena};

/// Where the arguments of a form stand; the group is the first after the state.
#[derive(Clone, Copy)]
struct Places {
    count: usize,
    entry: Option<usize>,
    duration: usize,
    weight: Option<usize>,
    stratum: Option<usize>,
}

const PLAIN: Places = Places { count: 4, entry: None, duration: 2, weight: None, stratum: None };
const WEIGHT: Places = Places { count: 5, weight: Some(4), ..PLAIN };
const STRATUM: Places = Places { count: 6, stratum: Some(5), ..WEIGHT };
const ENTRY: Places = Places { count: 5, entry: Some(2), duration: 3, weight: None, stratum: None };
const ENTRY_WEIGHT: Places = Places { count: 6, weight: Some(5), ..ENTRY };
const FULL: Places = Places { count: 7, stratum: Some(6), ..ENTRY_WEIGHT };

/// How a group is told.
trait Named {
    /// # Safety
    /// `datum` is a non-NULL value of the SQL type that the form declares.
    unsafe fn read<'a>(datum: pg_sys::Datum) -> LabelRef<'a>;
}

struct ByText;
struct ByInteger;

impl Named for ByText {
    #[inline(always)]
    unsafe fn read<'a>(datum: pg_sys::Datum) -> LabelRef<'a> {
        // SAFETY: passed on.
        LabelRef::Text(unsafe { text(datum) })
    }
}

impl Named for ByInteger {
    #[inline(always)]
    unsafe fn read<'a>(datum: pg_sys::Datum) -> LabelRef<'a> {
        LabelRef::Integer(datum.value() as i64)
    }
}

/// The bytes of a text where they lie; only a compressed or distant one is fetched.
///
/// # Safety
/// `datum` is a non-NULL text.
#[inline(always)]
unsafe fn text<'a>(datum: pg_sys::Datum) -> &'a [u8] {
    let start = datum.cast_mut_ptr::<u8>();
    // SAFETY: a varlena has at least its header byte. On little-endian machines that is odd for a short one (its length,
    // the byte included, in the upper bits; 1 alone means a pointer to elsewhere), its two low bits 00 for a plain one.
    unsafe {
        if cfg!(target_endian = "little") {
            let head = *start;
            if head & 0x01 == 0x01 && head != 0x01 {
                return std::slice::from_raw_parts(start.add(1), usize::from(head >> 1) - 1);
            }
        }
        varlena::payload(datum)
    }
}

/// # Safety
/// Called by PostgreSQL as the transition function whose SQL declaration has its arguments at `places`.
#[inline(always)]
unsafe fn add<N: Named, O: Outcome>(fcinfo: pg_sys::FunctionCallInfo, places: Places) -> pg_sys::Datum {
    // SAFETY: passed on from the caller.
    let (args, object) = unsafe {
        let args = arguments(fcinfo, places.count);
        (args, expanded::state::<Grouped>(fcinfo, &args[0]))
    };
    if args[1..].iter().any(|slot| slot.isnull) {
        object.state.skip();
        return object.datum();
    }
    let row = Row {
        // SAFETY: declared text, and not NULL here.
        stratum: places.stratum.map_or(LabelRef::None, |place| LabelRef::Text(unsafe { text(args[place].value) })),
        // SAFETY: as declared, and not NULL here.
        group: unsafe { N::read(args[1].value) },
        entry: places.entry.map_or(0.0, |place| float(&args[place])),
        duration: float(&args[places.duration]),
        event: settle(O::read(args[places.duration + 1].value)),
        weight: places.weight.map_or(1.0, |place| float(&args[place])),
    };
    settle(object.state.add(&row, settings::budget));
    object.datum()
}

impl Merge for Grouped {
    fn take_in(&mut self, other: &Self) -> Result<()> {
        self.merge(other, settings::budget())
    }
}

#[pg_guard]
extern "C-unwind" fn grouped_size(header: *mut pg_sys::ExpandedObjectHeader) -> pg_sys::Size {
    // SAFETY: reached through GROUPED only.
    unsafe { expanded::flat_size::<Grouped>(header) }
}

#[pg_guard]
extern "C-unwind" fn grouped_flatten(header: *mut pg_sys::ExpandedObjectHeader, to: *mut c_void, size: pg_sys::Size) {
    // SAFETY: reached through GROUPED only.
    unsafe { expanded::flatten_into::<Grouped>(header, to, size) }
}

static GROUPED: pg_sys::ExpandedObjectMethods =
    pg_sys::ExpandedObjectMethods { get_flat_size: Some(grouped_size), flatten_into: Some(grouped_flatten) };

impl State for Grouped {
    const CONTEXT: &'static std::ffi::CStr = c"ltv.grouped_survival";

    fn methods() -> &'static pg_sys::ExpandedObjectMethods {
        &GROUPED
    }

    fn flatten(&self) -> Vec<u8> {
        self.encode()
    }

    fn bytes(&self) -> usize {
        self.memory_bytes()
    }

    fn unflatten(bytes: &[u8]) -> Result<Self> {
        Grouped::decode(bytes)
    }
}

export!(grouped_add_text_bool, pg_finfo_grouped_add_text_bool, |f| add::<ByText, Boolean>(f, PLAIN));
export!(grouped_add_text_int, pg_finfo_grouped_add_text_int, |f| add::<ByText, Integer>(f, PLAIN));
export!(grouped_add_text_weight_bool, pg_finfo_grouped_add_text_weight_bool, |f| add::<ByText, Boolean>(f, WEIGHT));
export!(grouped_add_text_weight_int, pg_finfo_grouped_add_text_weight_int, |f| add::<ByText, Integer>(f, WEIGHT));
export!(grouped_add_text_stratum_bool, pg_finfo_grouped_add_text_stratum_bool, |f| add::<ByText, Boolean>(f, STRATUM));
export!(grouped_add_text_entry_bool, pg_finfo_grouped_add_text_entry_bool, |f| add::<ByText, Boolean>(f, ENTRY));
export!(grouped_add_text_entry_weight_bool, pg_finfo_grouped_add_text_entry_weight_bool, |f| {
    add::<ByText, Boolean>(f, ENTRY_WEIGHT)
});
export!(grouped_add_text_entry_weight_int, pg_finfo_grouped_add_text_entry_weight_int, |f| {
    add::<ByText, Integer>(f, ENTRY_WEIGHT)
});
export!(grouped_add_text_full_bool, pg_finfo_grouped_add_text_full_bool, |f| add::<ByText, Boolean>(f, FULL));
export!(grouped_add_text_full_int, pg_finfo_grouped_add_text_full_int, |f| add::<ByText, Integer>(f, FULL));

export!(grouped_add_number_bool, pg_finfo_grouped_add_number_bool, |f| add::<ByInteger, Boolean>(f, PLAIN));
export!(grouped_add_number_int, pg_finfo_grouped_add_number_int, |f| add::<ByInteger, Integer>(f, PLAIN));
export!(grouped_add_number_weight_bool, pg_finfo_grouped_add_number_weight_bool, |f| {
    add::<ByInteger, Boolean>(f, WEIGHT)
});
export!(grouped_add_number_weight_int, pg_finfo_grouped_add_number_weight_int, |f| {
    add::<ByInteger, Integer>(f, WEIGHT)
});
export!(grouped_add_number_stratum_bool, pg_finfo_grouped_add_number_stratum_bool, |f| {
    add::<ByInteger, Boolean>(f, STRATUM)
});
export!(grouped_add_number_entry_bool, pg_finfo_grouped_add_number_entry_bool, |f| {
    add::<ByInteger, Boolean>(f, ENTRY)
});
export!(grouped_add_number_entry_weight_bool, pg_finfo_grouped_add_number_entry_weight_bool, |f| {
    add::<ByInteger, Boolean>(f, ENTRY_WEIGHT)
});
export!(grouped_add_number_entry_weight_int, pg_finfo_grouped_add_number_entry_weight_int, |f| {
    add::<ByInteger, Integer>(f, ENTRY_WEIGHT)
});
export!(grouped_add_number_full_bool, pg_finfo_grouped_add_number_full_bool, |f| add::<ByInteger, Boolean>(f, FULL));
export!(grouped_add_number_full_int, pg_finfo_grouped_add_number_full_int, |f| add::<ByInteger, Integer>(f, FULL));

export!(grouped_combine, pg_finfo_grouped_combine, |f| combine::<Grouped>(f));

export!(log_rank_curves, pg_finfo_log_rank_curves, |f| crate::groups::log_rank_curves(&Call::new(f)));
export!(log_rank_grouped, pg_finfo_log_rank_grouped, |f| crate::groups::log_rank_grouped(&Call::new(f)));
export!(log_rank_groups, pg_finfo_log_rank_groups, |f| crate::groups::log_rank_groups(&Call::new(f)));
export!(pairwise_log_rank, pg_finfo_pairwise_log_rank, |f| crate::groups::pairwise_log_rank(&Call::new(f)));
export!(grouped_curves, pg_finfo_grouped_curves, |f| crate::groups::curves(&Call::new(f)));
export!(grouped_skipped, pg_finfo_grouped_skipped, |f| crate::groups::skipped(&Call::new(f)));
