//! Errors by clusters against statsmodels, and against what must hold of any rows.

#[path = "../golden_support/mod.rs"]
mod golden_support;

mod golden;
mod properties;
mod stored;

fn go_on() -> ltv_engine::Result<()> {
    Ok(())
}
