//! Error, and its codes (SPEC sections 6.4 and 6.6).

use core::fmt;

use super::body::frame;
use super::field::{Field, Out, Reader};

frame! {
    /// A command has not been done. (What is wrong with bytes that are no debug frame is a
    /// [`FrameError`](super::FrameError).)
    pub struct Error = 0xFF, from AGENT {
        /// Sequence of the command; 0 in the handshake.
        pub request: u32,
        /// Why it was not done.
        pub code: ErrorCode,
        /// Depends on the code (SPEC section 6.6).
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

            /// The code's name, as spelled in the specification.
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
    Malformed = 2, "the command's body is not what its kind requires";
    Unsupported = 3, "the target has no such extension, or cannot do it";
    Unexpected = 4, "not now, or not on this channel; before or during the handshake; a kind of the other side";
    Denied = 5, "the grant or the local permission does not contain it, or has expired";
    BadToken = 6, "the token is refused";
    NoVersion = 7, "no version in common";
    Stale = 8, "the command's time is out of tolerance";
    Disordered = 9, "a Halt or Release that was sent later has arrived before it";
    WrongState = 10, "the program is running and would have to be stopped, or the other way round";
    Unmapped = 11, "there is nothing at this address, axis or register";
    ReadOnly = 12, "it cannot be changed";
    NoSlot = 13, "all slots are in use";
    Interlock = 14, "an interlock forbids it";
    AuditFull = 15, "no room in the audit log for the records that must precede the effect";
    DuplicateId = 16, "this id is in use, or there is a breakpoint of this class at the address already";
    UnknownId = 17, "no breakpoint has this id, or it is at another address; there is no force at this address";
    WrongDevice = 18, "the command is meant for another device";
    Limit = 19, "a count or length is 0 or above the limit";
    Policy = 20, "the policy forbids it, or the present one is not the one to be replaced";
    Busy = 21, "steps are under way";
    Fatal = 22, "the target failed; the session ends";
    StateMismatch = 23, "the host has agreed to another state than was sent";
    FrameVersion = 24, "a debug frame of another version";
    Protected = 25, "the address is in a protected region, or in one with side effects that this must not cause";
    NoSeal = 26, "the seal is not good enough, not known, or refuses";
    Stuck = 27, "a force or trap could not be taken back, and until it has been, this is refused";
    ProgramChanged = 28, "the program is not the one of Welcome; the session ends";
    AuditMismatch = 29, "there is no such record in the audit log, or its CRC differs";
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name(), self.0)
    }
}

/// What the code says, and the detail where there is one.
///
/// ```
/// use feedrate::rdp::frame::{Error, ErrorCode};
///
/// let error = Error { request: 7, code: ErrorCode(1), detail: 3 };
/// assert_eq!(error.to_string(), format!("{}: detail 3", error.code));
/// ```
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail {
            0 => write!(f, "{}", self.code),
            detail => write!(f, "{}: detail {detail}", self.code),
        }
    }
}

impl core::error::Error for Error {}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.meaning())
    }
}

impl Field<'_> for ErrorCode {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self(u16::read(reader))
    }

    fn write<'w, 'o>(&self, out: Out<'w, 'o>) -> Out<'w, 'o> {
        self.0.write(out)
    }
}
