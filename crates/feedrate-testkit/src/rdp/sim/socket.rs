//! A connection of a byte stream: what is under way on it, who has it at its other end, and who of the two has noticed
//! its end.

use std::collections::VecDeque;

use crate::random::Random;

/// Who is at the other end of a connection to the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The operator's host, as long as it has not gone on to another connection.
    Host,
    /// Somebody who has no token.
    Attacker,
}

/// What is under way in one direction.
#[derive(Debug, Default)]
pub(super) struct Flow {
    in_flight: VecDeque<(u64, Vec<u8>)>,
    /// What has arrived and was not taken.
    pub(super) arrived: Vec<u8>,
    /// The end comes behind all that, then.
    end_at: Option<u64>,
    pub(super) ended: bool,
    pub(super) silent_until: u64,
    free_at: u64,
    last_arrival: u64,
    /// All that was ever sent.
    pub(super) recorded: Vec<u8>,
}

impl Flow {
    pub(super) fn free_at(&self) -> u64 {
        self.free_at
    }

    pub(super) fn send(&mut self, bytes: &[u8], now: u64, times: (u64, u64, u64), random: &mut Random) {
        let (rate, latency, jitter) = times;
        self.recorded.extend(bytes);
        self.free_at = self.free_at.max(now) + bytes.len() as u64 * 1_000_000 / rate;
        // It is late, and never lost: that is what a stream does about silence.
        let begins = self.free_at.max(if self.silent_until == u64::MAX { 0 } else { self.silent_until });
        let arrival = (begins + latency + random.below(jitter + 1)).max(self.last_arrival);
        self.last_arrival = arrival;
        self.in_flight.push_back((arrival, bytes.to_vec()));
    }

    pub(super) fn end(&mut self, at: u64) {
        self.end_at = Some(self.end_at.unwrap_or(u64::MAX).min(at.max(self.last_arrival)));
    }

    pub(super) fn next_arrival(&self) -> Option<u64> {
        let first = self.in_flight.front().map(|(at, _)| *at);
        first.into_iter().chain(self.end_at.filter(|_| !self.ended)).min()
    }

    /// Whether something has arrived now.
    pub(super) fn arrive(&mut self, now: u64) -> bool {
        let mut any = false;
        while let Some((at, bytes)) = self.in_flight.pop_front() {
            if at > now {
                self.in_flight.push_front((at, bytes));
                break;
            }
            self.arrived.extend(bytes);
            any = true;
        }
        if self.end_at.is_some_and(|at| at <= now) && self.in_flight.is_empty() && !self.ended {
            (self.ended, any) = (true, true);
        }
        any
    }
}

/// A connection.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) owner: Owner,
    /// The agent has been told of it.
    pub(super) accept_at: Option<u64>,
    pub(super) to_agent: Flow,
    pub(super) to_peer: Flow,
}

impl Socket {
    pub(super) fn new(owner: Owner, accept_at: u64) -> Self {
        Self { owner, accept_at: Some(accept_at), to_agent: Flow::default(), to_peer: Flow::default() }
    }
}
