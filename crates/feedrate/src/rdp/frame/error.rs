//! Error, and its codes (SPEC sections 6.4 and 6.6).

use core::fmt;

use super::body::frame;
use super::field::{Field, Reader, Writer};

frame! {
    /// A command has not been done. (What is wrong with bytes that are no debug frame is a
    /// [`FrameError`](super::FrameError).)
    pub struct Error = 0xFF, from AGENT {
        /// Sequence of the command; 0 in the handshake.
        pub request: u32,
        /// Why it was not done.
        pub code: ErrorCode,
        /// Depends on the code.
        pub detail: u32,
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $Name:ident = $number:literal, $text:literal;)*) => {
        /// Why a command was not done.
        #[derive(Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        pub struct ErrorCode(pub u16);

        #[allow(non_upper_case_globals, reason = "spelled as the specification spells them")]
        impl ErrorCode {
            $(#[doc = $text] pub const $Name: Self = Self($number);)*

            /// The code's name, as the specification spells it.
            pub const fn name(self) -> &'static str {
                match self.0 {
                    $($number => stringify!($Name),)*
                    _ => "unknown",
                }
            }

            /// What it means.
            pub const fn meaning(self) -> &'static str {
                match self.0 {
                    $($number => $text,)*
                    _ => "a code that this version does not know",
                }
            }
        }
    };
}

codes! {
    UnknownKind = 1, "the agent does not know this kind of command";
    Malformed = 2, "the command's body is not what its kind says";
    Unsupported = 3, "the target has no such ability";
    Unexpected = 4, "not now: before or during the handshake, or a kind of the other side";
    Denied = 5, "the token does not grant it, or has expired";
    BadToken = 6, "the token is refused";
    NoVersion = 7, "no version in common";
    Stale = 8, "the command's time is out of tolerance";
    Disordered = 9, "the command's sequence or time is out of order";
    WrongState = 10, "the machine runs and would have to stand, or the other way round";
    Unmapped = 11, "there is nothing at this address, axis or register";
    ReadOnly = 12, "it cannot be changed";
    NoSlot = 13, "all slots are in use";
    Interlock = 14, "an interlock forbids it";
    AuditFull = 15, "the audit log is full; read it first";
    DuplicateId = 16, "this id is in use";
    UnknownId = 17, "no breakpoint has this id, or not at this address";
    WrongDevice = 18, "the command is meant for another device";
    Limit = 19, "a count or length is 0 or above the limit";
    Policy = 20, "the policy forbids it, or is older than the present one";
    Busy = 21, "steps are under way";
    Fatal = 22, "the target failed; the session ends";
    StateMismatch = 23, "the host has agreed to another state than was sent";
    FrameVersion = 24, "a debug frame of another version";
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name(), self.0)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.meaning())
    }
}

impl Field<'_> for ErrorCode {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self(u16::read(reader))
    }

    fn write(&self, out: &mut Writer<'_>) {
        self.0.write(out);
    }
}
