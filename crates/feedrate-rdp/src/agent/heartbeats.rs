//! Whether the host is there: challenges, and their echoes (SPEC section 5.7).

use core::mem;

use feedrate::Instant;

use crate::time::NEVER;

/// A challenge, and when it was sent, on the session's clock.
type Challenge = (u32, u32);

pub(super) struct Heartbeats {
    /// The latest first.
    sent: [Option<Challenge>; 4],
    /// The host has been heard as of this time.
    heard: u32,
    /// When the next one is due.
    due: Instant,
}

impl Heartbeats {
    pub(super) const NEW: Self = Self { sent: [None; 4], heard: 0, due: NEVER };

    /// The session has become active. The host's last message was written as of `heard`.
    pub(super) fn begin(&mut self, heard: u32, now: Instant) {
        *self = Self { heard, due: now, ..Self::NEW };
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.due
    }

    /// One has been sent; `next` is when another one is due.
    pub(super) fn sent(&mut self, challenge: u32, time: u32, next: Instant) {
        let mut latest = Some((challenge, time));
        for place in &mut self.sent {
            latest = mem::replace(place, latest);
        }
        self.due = next;
    }

    /// The host has repeated a challenge. `false`: it is not one that is expected.
    pub(super) fn echoed(&mut self, challenge: u32) -> bool {
        let mut found = false;
        for place in &mut self.sent {
            if let Some((_, time)) = place.filter(|(sent, _)| found || *sent == challenge) {
                // This one and all that are older.
                if !found {
                    self.heard = self.heard.max(time);
                }
                (found, *place) = (true, None);
            }
        }
        found
    }

    /// The host has been heard as of this time of the session's clock.
    pub(super) const fn heard(&self) -> u32 {
        self.heard
    }

    pub(super) const fn due(&self) -> Instant {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_counts_once_and_ends_what_is_older() {
        let mut heartbeats = Heartbeats::NEW;
        heartbeats.begin(3, Instant::ZERO);
        assert!(heartbeats.is_due(Instant::ZERO));
        for time in [10, 20, 30] {
            heartbeats.sent(time + 1, time, Instant::from_millis(9));
        }
        assert!(!heartbeats.echoed(7) && heartbeats.heard() == 3);
        assert!(heartbeats.echoed(21) && heartbeats.heard() == 20);
        assert!(!heartbeats.echoed(21) && !heartbeats.echoed(11));
        assert!(heartbeats.echoed(31) && heartbeats.heard() == 30);
    }

    #[test]
    fn four_are_kept() {
        let mut heartbeats = Heartbeats::NEW;
        heartbeats.begin(0, Instant::ZERO);
        for time in 1..=5 {
            heartbeats.sent(time, time, Instant::ZERO);
        }
        assert!(!heartbeats.echoed(1) && heartbeats.echoed(2) && heartbeats.heard() == 2);
    }
}
