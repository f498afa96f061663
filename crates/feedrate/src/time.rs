//! Time, as a number that the caller passes in.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

/// A point in time: microseconds since an origin that the caller chooses. It must never go backwards.
///
/// No crate of this family reads a clock: functions that need the time take it as an argument, in this type. Two
/// instants can be compared if they have the same origin. Arithmetic saturates instead of wrapping: 64 bits last for
/// 584,000 years.
///
/// ```
/// use core::time::Duration;
/// use feedrate::Instant;
///
/// // On a computer, since the program's start:
/// let start = std::time::Instant::now();
/// let now = Instant::from(start.elapsed());
///
/// // In firmware, from a counter:
/// let now = Instant::from_micros(1_500_000);
/// let deadline = now + Duration::from_millis(250);
/// assert_eq!(deadline.as_micros(), 1_750_000);
/// assert_eq!(deadline - now, Duration::from_millis(250));
/// assert_eq!(now - deadline, Duration::ZERO);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Instant {
    micros: u64,
}

impl Instant {
    /// The origin.
    pub const ZERO: Self = Self::from_micros(0);
    /// The latest instant.
    pub const MAX: Self = Self::from_micros(u64::MAX);

    /// This many microseconds after the origin.
    pub const fn from_micros(micros: u64) -> Self {
        Self { micros }
    }

    /// This many milliseconds after the origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self::from_micros(millis.saturating_mul(1_000))
    }

    /// Microseconds since the origin.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.micros
    }

    /// Whole milliseconds since the origin.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.micros / 1_000
    }

    /// `span` later, saturating at [`MAX`](Self::MAX).
    #[must_use]
    pub fn saturating_add(self, span: Duration) -> Self {
        // Not `Duration::as_micros`: its 128 bits are expensive on a 32-bit processor.
        let span = span.as_secs().saturating_mul(1_000_000).saturating_add(span.subsec_micros().into());
        Self::from_micros(self.micros.saturating_add(span))
    }

    /// The time since `earlier`, or zero if that is later.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.micros.saturating_sub(earlier.micros))
    }
}

impl From<Duration> for Instant {
    /// That long after the origin.
    fn from(since: Duration) -> Self {
        Self::ZERO.saturating_add(since)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// [`saturating_add`](Self::saturating_add).
    fn add(self, span: Duration) -> Self {
        self.saturating_add(span)
    }
}

impl Sub for Instant {
    type Output = Duration;

    /// [`saturating_since`](Self::saturating_since).
    fn sub(self, earlier: Self) -> Duration {
        self.saturating_since(earlier)
    }
}

/// Seconds since the origin, to the microsecond.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06} s", self.micros / 1_000_000, self.micros % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn time_stops_at_both_ends() {
        assert_eq!(Instant::MAX + Duration::from_micros(1), Instant::MAX);
        assert_eq!(Instant::ZERO + Duration::MAX, Instant::MAX);
        assert_eq!(Instant::from(Duration::MAX), Instant::MAX);
        assert_eq!(Instant::from_millis(u64::MAX), Instant::MAX);
        assert_eq!(Instant::ZERO - Instant::MAX, Duration::ZERO);
    }

    #[test]
    fn parts_of_a_second_add_up() {
        let mut now = Instant::from(Duration::new(2, 345_678_999));
        assert_eq!(now.as_micros(), 2_345_678);
        now = now + Duration::from_micros(322);
        assert_eq!(now, Instant::from_millis(2_346));
        assert_eq!(now.as_millis(), 2_346);
        assert_eq!(now.to_string(), "2.346000 s");
    }
}
