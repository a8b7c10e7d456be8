//! Logistic regression and discrete-time hazards against R's glm, and against what must hold for any data.

#[path = "../chance/mod.rs"]
mod chance;
#[path = "../golden_support/mod.rs"]
mod golden_support;

mod cure;
mod degenerate;
mod golden;
mod properties;

fn go_on() -> ltv_engine::Result<()> {
    Ok(())
}
