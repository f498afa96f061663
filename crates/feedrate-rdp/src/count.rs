//! Counters that stop at their end.

/// Adds one, unless the counter is at its end.
#[inline(never)]
pub(crate) fn count(counter: &mut u32) {
    *counter = counter.saturating_add(1);
}
