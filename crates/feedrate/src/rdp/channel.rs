//! Channels: urgent frames, and all others (SPEC sections 1 and 5.6).

use super::frame::{Halt, Release};

/// One of the two channels, by urgency.
///
/// ```
/// use feedrate::rdp::Channel;
/// use feedrate::rdp::frame::{Frame, GetStatus, Halt};
///
/// assert_eq!(Frame::Halt(Halt).channel(), Some(Channel::Urgent));
/// assert_eq!(Frame::GetStatus(GetStatus).channel(), Some(Channel::Ordinary));
/// ```
// Exhaustive: two channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Channel {
    /// Channel 0: the handshake, Heartbeat, Bye, Halt, Release, their answers, and Stopped.
    Urgent = 0,
    /// Channel 1: every other command, and its answer.
    Ordinary = 1,
}

impl Channel {
    /// Both, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Urgent, Self::Ordinary];

    /// Its number as an index.
    pub const fn index(self) -> usize {
        match self {
            Self::Urgent => 0,
            Self::Ordinary => 1,
        }
    }

    /// Its number, as a bit on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::Urgent => 0,
            Self::Ordinary => 1,
        }
    }

    /// The channel on which a kind that a host sends goes (SPEC section 6.2), whether it is known or not. `None` for
    /// kinds that only an agent sends: an answer goes on its command's channel.
    pub const fn of_kind(kind: u8) -> Option<Self> {
        match kind {
            // 0x40 to 0x44: the session's own, from Hello to SealRecord.
            Halt::KIND | Release::KIND | 0x40..=0x44 => Some(Self::Urgent),
            0..=0x7F => Some(Self::Ordinary),
            0x80.. => None,
        }
    }
}
