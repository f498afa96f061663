//! Spans of time, and deadlines.
//!
//! A span is a number of microseconds here, and no `Duration`: to cut it into seconds and nanoseconds costs a processor
//! of 32 bits a division each time.

use feedrate::Instant;

/// Microseconds.
pub(crate) type Span = u64;

/// How long a handshake may take.
pub(crate) const HANDSHAKE: Span = 5_000_000;
/// How long goodbyes may take.
pub(crate) const GOODBYE: Span = 1_000_000;

/// Milliseconds of the protocol.
pub(crate) fn ms(milliseconds: impl Into<u64>) -> Span {
    milliseconds.into().saturating_mul(1000)
}

/// Whole milliseconds of a span, for a counter. Spans of more than an hour are all the same.
pub(crate) fn whole_ms(span: Span) -> u32 {
    u32::try_from(span).unwrap_or(u32::MAX).checked_div(1000).unwrap_or_default()
}

/// This much later.
#[inline(never)]
pub(crate) fn later(at: Instant, span: Span) -> Instant {
    Instant::from_micros(at.as_micros().saturating_add(span))
}

/// How long ago `since` was; nothing, if it is yet to come.
pub(crate) fn passed(since: Instant, now: Instant) -> Span {
    now.as_micros().saturating_sub(since.as_micros())
}

/// Stands for a time that does not come.
pub(crate) const NEVER: Instant = Instant::MAX;

/// The one that comes first.
#[inline(never)]
pub(crate) fn earlier(a: Instant, b: Instant) -> Instant {
    a.min(b)
}

/// As it is reported to whoever drives it.
pub(crate) fn deadline(at: Instant) -> Option<Instant> {
    Some(at).filter(|at| *at < NEVER)
}

/// The quotient, rounded down; nothing, if there is none.
#[inline]
pub(crate) fn divided(n: u64, by: u16) -> u64 {
    if cfg!(target_pointer_width = "64") {
        n.checked_div(by.into()).unwrap_or_default()
    } else {
        on_paper(n, by.into())
    }
}

/// Divides as on paper, two bytes at a time: a processor of 32 bits has no division of 64, and half a kilobyte of code
/// in its place.
#[inline(never)]
fn on_paper(n: u64, by: u32) -> u64 {
    let [a, b, c, d, e, f, g, h] = n.to_be_bytes();
    let (mut quotient, mut rest) = (0_u64, 0_u32);
    for digit in [[a, b], [c, d], [e, f], [g, h]] {
        rest = (rest << 16) | u32::from(u16::from_be_bytes(digit));
        quotient = (quotient << 16) | u64::from(rest.checked_div(by).unwrap_or_default());
        rest = rest.checked_rem(by).unwrap_or_default();
    }
    quotient
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_paper_it_is_what_division_makes_it() {
        let mut micros = 1_u64;
        for n in 0..100_000_u64 {
            micros = micros.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(n);
            for n in [micros >> (n % 64), n, n * 625, (n * 625).saturating_sub(1), u64::MAX - n] {
                for by in [1, 125, 625, 15_625, u16::MAX] {
                    assert_eq!(on_paper(n, by.into()), n / u64::from(by), "{n} {by}");
                    assert_eq!(divided(n, by), n / u64::from(by), "{n} {by}");
                }
            }
        }
        assert_eq!((on_paper(7, 0), divided(7, 0)), (0, 0));
    }
}
