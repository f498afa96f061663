//! What has been seen already, and what comes in no possible order (SPEC section 5.5).

use crate::time::{Millis, since};

/// How a message stands to those before it.
// Exhaustive: the specification's verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// It is new, and may be believed.
    Fresh,
    /// It was here before, or is too old to tell.
    Replayed,
    /// Its time contradicts its sequence.
    Disordered,
    /// Its time is too far from the receiver's.
    Stale,
}

/// The window of sequences that are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayGuard {
    highest: u32,
    time: u32,
    /// Bit *i*: `highest - i` has been seen.
    seen: u64,
}

impl ReplayGuard {
    /// A guard that has seen sequence 0, which is that of the handshake's first message.
    pub const fn new() -> Self {
        Self { highest: 0, time: 0, seen: 1 }
    }

    /// Whether the message with this sequence and time (in milliseconds of its sender) may be believed, when the
    /// receiver's clock says `now`.
    ///
    /// ```
    /// use feedrate_rdp::session::{Order, ReplayGuard};
    ///
    /// let mut guard = ReplayGuard::new();
    /// assert_eq!(guard.admit(2, 40, 50, 5000), Order::Fresh);
    /// assert_eq!(guard.admit(2, 40, 60, 5000), Order::Replayed);
    /// assert_eq!(guard.admit(1, 30, 60, 5000), Order::Fresh);
    /// assert_eq!(guard.admit(3, 39, 60, 5000), Order::Disordered);
    /// assert_eq!(guard.admit(4, 60, 9000, 5000), Order::Stale);
    /// ```
    pub fn admit(&mut self, sequence: u32, time: u32, now: Millis, tolerance: u32) -> Order {
        if let Some(age) = self.highest.checked_sub(sequence) {
            let Some(bit) = 1_u64.checked_shl(age).filter(|bit| self.seen & bit == 0) else {
                return Order::Replayed;
            };
            self.seen |= bit;
            if time > self.time {
                return Order::Disordered;
            }
        } else {
            if time < self.time {
                // It cannot be the highest, and no bit stands for it: should it come again, it is judged again.
                return Order::Disordered;
            }
            let ahead = sequence.saturating_sub(self.highest);
            self.seen = self.seen.checked_shl(ahead).unwrap_or_default() | 1;
            (self.highest, self.time) = (sequence, time);
        }
        if since(now, time).max(since(time, now)) > tolerance { Order::Stale } else { Order::Fresh }
    }
}

impl Default for ReplayGuard {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sequence_once_in_any_order_within_the_window() {
        let mut guard = ReplayGuard::new();
        assert_eq!(guard.admit(0, 0, 0, 10), Order::Replayed);
        assert_eq!(guard.admit(64, 0, 0, 10), Order::Fresh);
        for sequence in 1..64 {
            assert_eq!(guard.admit(sequence, 0, 0, 10), Order::Fresh, "{sequence}");
            assert_eq!(guard.admit(sequence, 0, 0, 10), Order::Replayed, "{sequence}");
        }
        assert_eq!(guard.admit(0, 0, 0, 10), Order::Replayed);
        assert_eq!(guard.admit(128, 0, 0, 10), Order::Fresh);
        assert_eq!(guard.admit(64, 0, 0, 10), Order::Replayed);
        assert_eq!(guard.admit(65, 0, 0, 10), Order::Fresh);
        assert_eq!(guard.admit(u32::MAX, 0, 0, 10), Order::Fresh);
        assert_eq!(guard.admit(128, 0, 0, 10), Order::Replayed);
    }

    #[test]
    fn time_in_both_directions() {
        for (time, now, order) in [
            (110, 100, Order::Fresh),
            (111, 100, Order::Stale),
            (90, 100, Order::Fresh),
            (89, 100, Order::Stale),
        ] {
            assert_eq!(ReplayGuard::new().admit(1, time, now, 10), order, "{time} {now}");
        }
    }
}
