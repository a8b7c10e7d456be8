//! Fits in SQL: from the gathered rows to a model value.

use ltv_engine::hazard::cox::{self, Ties};
use ltv_engine::hazard::design::Design;
use ltv_engine::model::Model;

use crate::pg::error::settle;
use crate::pg::interrupts;

/// The stored bytes of the Cox model of `design`; `None` when every row was left out.
pub fn cox(design: &Design) -> Option<Vec<u8>> {
    if design.is_empty() {
        return None;
    }
    let fit = settle(cox::fit(design, Ties::Efron, &mut interrupts::check));
    Some(settle(Model::unnamed_cox(fit, design.skipped()).encode()))
}
