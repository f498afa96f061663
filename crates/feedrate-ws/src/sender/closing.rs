//! The state of the closing handshake: RFC 6455, section 7.1.

/// What to do with the stream. [`Sender::poll_event`](crate::Sender::poll_event) returns each event once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum StreamEvent {
    /// Everything has been written. Close the stream's sending half, then read and discard what comes until the peer
    /// closes its half, but no longer than until the [`deadline`](crate::Sender::deadline). (Dropping the stream at
    /// once could destroy data that is still on its way to the peer.)
    Finished,
    /// Closing took too long: drop the stream. It is the last event.
    TimedOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closing {
    /// Our close frame has been queued.
    pub(super) said: bool,
    /// The length of our close frame, if it is the last data frame of the queue and can still be taken back.
    pub(super) queued: u8,
    /// The peer's close frame has been received.
    pub(super) heard: bool,
    /// It will not come: the peer broke a rule, or we gave up.
    pub(super) failed: bool,
    pub(super) reported: Reported,
}

/// Which [`StreamEvent`]s have been returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reported {
    Nothing,
    Finished,
    /// The deadline has passed, and that has not been returned yet.
    Late,
    TimedOut,
}

impl Closing {
    pub(super) const fn new() -> Self {
        Self { said: false, queued: 0, heard: false, failed: false, reported: Reported::Nothing }
    }

    /// Whether there is a deadline: closing has begun, and the deadline has not passed.
    pub(super) const fn is_timed(&self) -> bool {
        self.said && matches!(self.reported, Reported::Nothing | Reported::Finished)
    }
}
