//! The session's states, and the only transitions between them (SPEC section 5.3).

/// The state of a session.
// Exhaustive: the specification's states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// Nothing has happened yet.
    Idle,
    /// The handshake is under way.
    Connecting,
    /// Commands are accepted.
    Active,
    /// One side has said goodbye, or was no longer heard.
    Disconnecting,
    /// It is over. There is no way back.
    Closed,
}

/// What moves a session on.
// Exhaustive: the specification's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEvent {
    /// Hello is sent, or arrives.
    Start,
    /// Both sides agree on the machine's state.
    HandshakeDone,
    /// The handshake was refused, broken, or took too long.
    HandshakeFailed,
    /// Somebody wants to end it, or the peer is lost.
    End,
    /// The goodbyes are done, or have taken too long.
    Ended,
}

impl SessionState {
    /// The state after an event, or `None` if there is no such transition.
    ///
    /// ```
    /// use feedrate_rdp::session::{SessionEvent, SessionState};
    ///
    /// assert_eq!(SessionState::Idle.after(SessionEvent::Start), Some(SessionState::Connecting));
    /// assert_eq!(SessionState::Closed.after(SessionEvent::Start), None);
    /// ```
    #[must_use]
    pub const fn after(self, event: SessionEvent) -> Option<Self> {
        match (self, event) {
            (Self::Idle, SessionEvent::Start) => Some(Self::Connecting),
            (Self::Connecting, SessionEvent::HandshakeDone) => Some(Self::Active),
            (Self::Connecting, SessionEvent::HandshakeFailed)
            | (Self::Disconnecting, SessionEvent::Ended) => Some(Self::Closed),
            (Self::Active, SessionEvent::End) => Some(Self::Disconnecting),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SessionEvent::*, SessionState::*};

    #[test]
    fn there_are_five_ways_and_no_others() {
        let mut ways = std::vec::Vec::new();
        for from in [Idle, Connecting, Active, Disconnecting, Closed] {
            for event in [Start, HandshakeDone, HandshakeFailed, End, Ended] {
                ways.extend(from.after(event).map(|to| (from, to)));
            }
        }
        assert_eq!(
            ways,
            [
                (Idle, Connecting),
                (Connecting, Active),
                (Connecting, Closed),
                (Active, Disconnecting),
                (Disconnecting, Closed)
            ]
        );
    }
}
