//! What the agent counts, readable over the protocol (SPEC section 8.13).

use feedrate::rdp::frame::Metric;

/// The maximum number: the agent's, and those of a line with two lanes.
pub(super) const MOST: usize = 27;

/// One of the agent's own counters: its number.
#[derive(Clone, Copy)]
pub(super) struct Count(usize);

impl Count {
    pub(super) const SESSIONS: Self = Self(2);
    pub(super) const EXECUTED: Self = Self(3);
    pub(super) const REFUSED: Self = Self(4);
    pub(super) const REPLAYED: Self = Self(5);
    pub(super) const OUT_OF_TIME: Self = Self(6);
    pub(super) const TAGS: Self = Self(7);
    pub(super) const ECHOES: Self = Self(14);
    pub(super) const LONGEST_GAP: Self = Self(15);
}

/// They saturate. Those that are counted elsewhere stay 0.
pub(super) struct Counts([u32; 16]);

impl Counts {
    pub(super) const NEW: Self = Self([0; 16]);

    #[inline(never)]
    pub(super) fn count(&mut self, Count(number): Count) {
        if let Some(place) = self.0.get_mut(number) {
            *place = place.saturating_add(1);
        }
    }

    pub(super) fn at_least(&mut self, Count(number): Count, value: u32) {
        if let Some(place) = self.0.get_mut(number) {
            *place = value.max(*place);
        }
    }

    pub(super) const fn sessions(&self) -> u32 {
        let [_, _, sessions, ..] = self.0;
        sessions
    }
}

/// All of them, in ascending order of their numbers, and how many there are.
pub(super) fn all(
    counts: &Counts,
    uptime: u32,
    line: impl FnOnce(&mut dyn FnMut(u16, u32)),
) -> ([Metric; MOST], usize) {
    let mut metrics = [Metric { metric: 0, value: 0 }; MOST];
    let mut length = 0_usize;
    let mut put = |metric, value| {
        if let Some(place) = metrics.get_mut(length) {
            *place = Metric { metric, value };
            length = length.saturating_add(1);
        }
    };
    put(1, uptime);
    for (metric, value) in (0..).zip(counts.0) {
        if matches!(metric, 2..=7 | 14..=15) {
            put(metric, value);
        }
    }
    line(&mut put);
    (metrics, length)
}
