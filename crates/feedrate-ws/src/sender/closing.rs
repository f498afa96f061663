//! How far the closing handshake is: RFC 6455, section 7.1.

/// What is to be done with the stream: [`Sender::poll_event`](crate::Sender::poll_event) says so, each once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum StreamEvent {
    /// All has been said, and written. Close the stream's sending half, then read, and drop, what comes until the peer
    /// closes its own, but not beyond the [`deadline`](crate::Sender::deadline). (To drop the stream at once could take
    /// from the peer what is on its way.)
    Finished,
    /// Closing took too long: drop the stream. It is the last event.
    TimedOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closing {
    /// Our close frame has been queued.
    pub(super) said: bool,
    /// It is the last data frame of the queue, of this length: it can still be taken back.
    pub(super) queued: u8,
    /// The peer's has come.
    pub(super) heard: bool,
    /// There will be none: the peer broke a rule, or we gave up.
    pub(super) failed: bool,
    pub(super) reported: Reported,
}

/// Which [`StreamEvent`]s have been returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reported {
    Nothing,
    Finished,
    /// The time is over, and that has not been returned.
    Late,
    TimedOut,
}

impl Closing {
    pub(super) const fn new() -> Self {
        Self { said: false, queued: 0, heard: false, failed: false, reported: Reported::Nothing }
    }

    /// Whether there is a deadline: closing has begun, and has not taken too long.
    pub(super) const fn is_timed(&self) -> bool {
        self.said && matches!(self.reported, Reported::Nothing | Reported::Finished)
    }
}
