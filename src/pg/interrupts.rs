//! Cancellation inside long computations.

use ltv_engine::Result;
use pgrx::pg_sys;

/// Lets a pending cancel, timeout or shutdown take effect.
///
/// pgrx's `check_for_interrupts!` reads the flag in a way that optimised loops hoist; this read is volatile.
#[inline]
pub fn check() -> Result<()> {
    // SAFETY: InterruptPending is a plain flag that signal handlers set; a volatile read of it is always allowed.
    if unsafe { std::ptr::read_volatile(&raw const pg_sys::InterruptPending) } != 0 {
        // SAFETY: we are on the backend's main thread inside a function call, where CHECK_FOR_INTERRUPTS is allowed.
        unsafe { pg_sys::ProcessInterrupts() };
    }
    Ok(())
}
