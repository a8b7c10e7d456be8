//! Competing risks against R (survfit, cmprsk, finegray), and what must hold for any rows.

mod fine_gray;
#[path = "../golden_support/mod.rs"]
mod golden_support;
mod incidence;
mod late_entry;
mod properties;
mod sets;
