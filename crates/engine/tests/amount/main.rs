//! Models of amounts against R's glm, against a simulated truth, and against what must hold for any data.

#[path = "../chance/mod.rs"]
mod chance;
#[path = "../golden_support/mod.rs"]
mod golden_support;

mod degenerate;
mod golden;
mod horizons;
mod hybrid_explained;
mod limits;
mod outcomes;
mod properties;
mod simulated;

fn go_on() -> ltv_engine::Result<()> {
    Ok(())
}
