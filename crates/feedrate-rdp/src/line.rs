//! Lines: connections to one peer (SPEC section 1), and what a session needs from them.

use core::fmt;

/// A line: the connection to one peer. [`Link`](crate::link::Link) on a serial line,
/// [`Stream`](crate::stream::Stream) on TCP or WebSocket. There are no others.
pub trait Line: sealed::Line {}

pub(crate) mod sealed {
    use feedrate::Instant;
    use feedrate::rdp::Channel;

    use super::LineEnd;
    use crate::gate::Gate;
    use crate::inbox::Arrived;
    use crate::sizes::Buffer;

    /// What an endpoint does with a line.
    pub trait Line {
        /// As large as the longest message.
        type Message: Buffer;
        /// How many commands of any length an agent has room for on channel 1.
        const CREDIT: u8;
        /// After the goodbyes, the side that received the first one closes the line (SPEC section 5.8).
        const PEER_CLOSES: bool;

        /// The number of the connection that is open now: a different one for each new connection.
        fn connection(&self) -> Option<u32>;
        /// How the last one ended, if none is open or opening.
        fn end(&self) -> Option<LineEnd>;
        /// The oldest message that has arrived on a channel and was not dropped. What had arrived before a connection
        /// ended is there until the next one begins.
        fn message(&mut self, channel: Channel) -> Option<Arrived<'_>>;
        /// Drops it.
        fn drop_message(&mut self, channel: Channel);
        /// Bytes of the longest message that can be sent on a channel now.
        fn room(&self, channel: Channel) -> usize;
        /// `false`: there was no room, or there is no connection.
        fn send(&mut self, channel: Channel, message: &[u8], now: Instant) -> bool;
        /// All that was sent is acknowledged; on a stream it has left.
        fn is_idle(&self) -> bool;
        /// The same of channel 1 alone.
        fn has_left(&self) -> bool;
        /// The longest message that is accepted on channel 1 from now on, until the next connection.
        fn accept(&mut self, limit: usize);
        /// What judges the time of what arrives from now on, until the next connection. Without one everything is on
        /// time.
        fn set_gate(&mut self, gate: Option<Gate>);
        /// Whether others are refused: an agent's. It lasts from one connection to the next.
        fn set_busy(&mut self, busy: bool);
        /// The session is over, and with it the connection. A link tells the peer and sends nothing else; a stream
        /// still sends what was put into it, and is to be closed then; called a second time, it sends nothing more.
        fn close(&mut self);
        /// When there may next be something to send, even if nothing arrives.
        fn deadline(&self) -> Option<Instant>;
        /// Whether the peer has reported a CRC failure since this was last asked.
        fn take_crc_failure(&mut self) -> bool;
        /// Where an agent's connection numbers begin. It has no effect once there was one.
        fn count_from(&mut self, first: u16);
        /// What the line has counted (SPEC section 8.13).
        fn metrics(&self, put: &mut dyn FnMut(u16, u32));
    }
}

/// How a line, or one connection on it, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineEnd {
    /// This side closed it.
    #[error("the line was closed")]
    Closed,
    /// The peer ended it.
    #[error("the peer ended the connection: {0}")]
    Reset(ResetReason),
    /// The peer sent a record that is empty or too long.
    #[error("the peer sent a record that is empty or too long")]
    BadRecord,
    /// The peer acknowledges nothing.
    #[error("the peer acknowledges nothing")]
    NoProgress,
    /// No ACCEPT came.
    #[error("nobody answers")]
    NoAnswer,
    /// Somebody else has a session, or the machine has not recovered from a reset.
    #[error("the peer is busy: another host has a session, or the machine has not recovered from a reset")]
    Busy,
    /// The peer speaks another generation of the protocol.
    #[error("the peer speaks another generation of the protocol")]
    Generation,
    /// What arrived on a stream is not records of RDPv3.
    #[error("the stream is not RDPv3")]
    Lost,
    /// The line is gone: the cable is out, the peer has hung up.
    #[error("the line is gone")]
    Gone,
    /// Another host has come.
    #[error("another host has come")]
    Replaced,
}

/// Why a side ends a connection (SPEC section 4.6).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ResetReason(pub u8);

macro_rules! reasons {
    ($($Name:ident = $number:literal, $text:literal;)*) => {
        #[allow(non_upper_case_globals, reason = "spelled as the specification's other names are")]
        impl ResetReason {
            $(#[doc = $text] pub const $Name: Self = Self($number);)*
        }

        impl fmt::Display for ResetReason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self.0 {
                    $($number => $text,)*
                    _ => "for a reason that this version does not know",
                })
            }
        }

        impl fmt::Debug for ResetReason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0 {
                    $($number => f.write_str(stringify!($Name)),)*
                    other => write!(f, "ResetReason({other})"),
                }
            }
        }
    };
}

reasons! {
    SessionEnded = 1, "its session has ended";
    Generation = 2, "it speaks another generation of the protocol";
    NoConnection = 3, "it has no such connection";
    BadRecord = 4, "a record was empty, or longer than it accepts";
    NoProgress = 5, "nothing was acknowledged to it";
    Busy = 6, "another host has a session, or the machine has not recovered from a reset";
}
