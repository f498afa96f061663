//! How long to wait before the next try: [`Backoff`].

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);
/// A connection that has lasted so long was a good one. If each one were, a server that accepts and falls at once would
/// be asked by all of its clients ten times a second.
const STABLE: Duration = Duration::from_secs(10);

/// Twice as long each time, up to a bound, and by chance between half of that and all of it: those who lost the same
/// server do not come back at the same moment.
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self(FIRST)
    }

    /// How long to wait, when the last connection has lasted so long.
    pub(crate) fn after(&mut self, lasted: Duration) -> Duration {
        if lasted >= STABLE {
            self.0 = FIRST;
        }
        let wait = self.0;
        self.0 = (wait * 2).min(LONGEST);
        wait / 2 + wait.mul_f64(chance() / 2.0)
    }
}

/// From 0 to 1.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness there is none: all wait half of it.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_a_bound_and_begins_anew_only_after_a_stable_time() {
        let mut backoff = Backoff::new();
        let soon = Duration::from_secs(9);
        for full in [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000] {
            let wait = backoff.after(soon).as_millis();
            assert!((full / 2..=full).contains(&wait), "{wait} of {full}");
        }
        assert!(backoff.after(STABLE) <= FIRST);
        assert!(backoff.after(soon) <= FIRST * 2);
    }

    #[test]
    fn no_two_wait_the_same() {
        let mut waits: Vec<_> = (0..100).map(|_| Backoff::new().after(Duration::ZERO)).collect();
        waits.sort_unstable();
        waits.dedup();
        assert!(waits.len() > 90, "{}", waits.len());
    }
}
