//! The caller's clock: milliseconds that wrap after 49 days.

/// A time in milliseconds, from any start. It wraps.
pub type Millis = u32;

/// Milliseconds from `then` to `now`; 0 if `then` lies ahead.
pub(crate) fn since(now: Millis, then: Millis) -> u32 {
    let passed = now.wrapping_sub(then);
    if passed < 1 << 31 { passed } else { 0 }
}

/// Whether `now` is not before `deadline`.
pub(crate) fn reached(now: Millis, deadline: Millis) -> bool {
    now.wrapping_sub(deadline) < 1 << 31
}

/// The one that comes first.
pub(crate) fn earlier(a: Option<Millis>, b: Option<Millis>) -> Option<Millis> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if reached(b, a) { a } else { b }),
        (a, b) => a.or(b),
    }
}
