//! The number of this boot, which survives a reset.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The number and its complement, which memory after power-on does not match. **A real board needs better**:
/// non-volatile memory.
// SAFETY: cortex-m-rt has this section, and does not initialise it. Every value is one of these types'.
#[unsafe(link_section = ".uninit.boots")]
static BOOTS: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];

/// Counts a boot, and returns its number. To be called once.
pub fn count() -> u32 {
    let [number, complement] = &BOOTS;
    let last = number.load(Relaxed);
    let this = if complement.load(Relaxed) == !last { last.wrapping_add(1) } else { 1 };
    number.store(this, Relaxed);
    complement.store(!this, Relaxed);
    this
}
