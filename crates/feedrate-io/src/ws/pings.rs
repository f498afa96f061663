//! Whether a silent peer is still there: [`Pings`].

use core::time::Duration;

use feedrate::Instant;

/// When the peer is asked, and when it has not answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pings {
    every: Option<Duration>,
    patience: Duration,
    /// Something came last.
    heard: Instant,
    /// A ping has been sent, and nothing has come since.
    waiting: Option<Instant>,
    /// The last ping, until its pong.
    asked: Option<Instant>,
    /// How long the last pong took.
    pub(super) round_trip: Option<Duration>,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// A ping with this payload.
    Ping([u8; 8]),
    /// To give the peer up: it has had so long.
    Late(Duration),
}

impl Pings {
    pub(super) const fn new(every: Option<Duration>, patience: Duration, now: Instant) -> Self {
        Self { every, patience, heard: now, waiting: None, asked: None, round_trip: None }
    }

    /// Something has come.
    pub(super) const fn heard(&mut self, now: Instant) {
        (self.heard, self.waiting) = (now, None);
    }

    /// A pong has come.
    pub(super) fn pong(&mut self, payload: &[u8], now: Instant) {
        if let Some(asked) = self.asked.filter(|asked| payload == asked.as_micros().to_be_bytes()) {
            (self.asked, self.round_trip) = (None, Some(now.saturating_since(asked)));
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.waiting {
            Some(since) => Some(since.saturating_add(self.patience)),
            None => self.every.map(|every| self.heard.saturating_add(every)),
        }
    }

    /// What has to be done now, and then is taken as done.
    pub(super) fn due(&mut self, now: Instant) -> Due {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Due::Nothing;
        }
        if self.waiting.is_some() {
            return Due::Late(self.patience);
        }
        (self.waiting, self.asked) = (Some(now), Some(now));
        Due::Ping(now.as_micros().to_be_bytes())
    }
}
