//! How a link is, how it ended, and what it counts.

use core::fmt;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkEnd {
    /// This side closed it.
    #[error("the link was closed")]
    Closed,
    /// The peer closed it.
    #[error("the peer ended the link: {0}")]
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
    /// The peer speaks another generation of the protocol.
    #[error("the peer speaks another generation of the protocol")]
    Generation,
    /// The signal lane lost its framing.
    #[error("the lane's stream is not RDPv3")]
    Lane,
    /// The line behind the signal lane is [gone](super::Link::disconnect).
    #[error("the line is gone")]
    Gone,
    /// Another host has come.
    #[error("another host has come")]
    Replaced,
}

/// How the link is.
// Exhaustive: rewritten with the safe RDPv3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkStatus {
    /// There has been no connection yet.
    Idle,
    /// The host waits for the agent's answer.
    Opening,
    /// There is a connection with this number.
    Open(u16),
    /// There was one.
    Ended(LinkEnd),
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
    BadRecord = 4, "a message was longer than it accepts";
    NotHeard = 5, "it was not heard";
}

/// What a link counts beside its [lanes](super::LaneCounts).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinkCounts {
    /// Packets of another connection, or for another version.
    pub stray: u32,
    /// How often the bulk lane became damaged.
    pub damaged: u32,
}
