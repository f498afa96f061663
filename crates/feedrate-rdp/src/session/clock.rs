//! The session's clock: units of 10 ms since Welcome, the agent's alone (SPEC section 5.6).

pub(crate) use crate::gate::units;

/// A unit of the time in a message's header, in microseconds.
pub(crate) const UNIT: u64 = 10_000;

/// Milliseconds of Welcome, in units; what is not a whole unit is not granted.
pub(crate) fn in_units(milliseconds: u16) -> u32 {
    u32::from(milliseconds).checked_div(10).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use feedrate::Instant;

    /// It does not wrap, as a clock of 32 bits of milliseconds did after 49 days.
    #[test]
    fn it_stops_at_its_end() {
        let at = Instant::from_millis;
        assert_eq!([0, 9, 10, 19, 20].map(|ms| units(at(7), at(7 + ms))), [0, 0, 1, 1, 2]);
        assert_eq!(units(Instant::ZERO, at(1 << 32)), 429_496_729);
        assert_eq!(units(Instant::ZERO, Instant::MAX), u32::MAX);
        assert_eq!(units(Instant::MAX, Instant::ZERO), 0);
    }
}
