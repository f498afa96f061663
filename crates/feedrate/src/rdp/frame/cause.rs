//! Why a session or a force ended, as Bye, State and audit records name it (SPEC sections 5.8 and 8.7).

use core::fmt;

use super::field::{Field, Out, Reader};

/// Why a session or a force ended: the reason of [`Bye`](super::Bye), and the cause in [`State`](super::State) and in
/// [records](super::Record) of events. The reasons for which sessions end (SPEC section 5.8) are the first of them.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Cause(pub u8);

macro_rules! causes {
    ($($Name:ident = $number:literal, $text:literal;)*) => {
        #[allow(non_upper_case_globals, reason = "spelled as the specification's other names are")]
        impl Cause {
            $(#[doc = $text] pub const $Name: Self = Self($number);)*
        }

        impl fmt::Display for Cause {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self.0 {
                    $($number => $text,)*
                    _ => "a cause that this version does not know",
                })
            }
        }

        impl fmt::Debug for Cause {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0 {
                    $($number => f.write_str(stringify!($Name)),)*
                    other => write!(f, "Cause({other})"),
                }
            }
        }
    };
}

causes! {
    None = 0, "nothing has ended";
    Asked = 1, "it was asked for";
    PeerLost = 2, "the peer was not heard for the loss time";
    LineLost = 3, "the line is lost";
    IntegrityLost = 4, "a message was not of this session";
    TargetFailed = 5, "the target failed, or an answer could not be sent";
    UsedUp = 6, "sequences or times are used up";
    ProgramChanged = 8, "the program has changed";
    SessionExpired = 9, "the grant has expired, and nothing came after it";
    ClockBroken = 10, "the agent's clock is broken";
    Released = 16, "it was released";
    LeaseEnded = 17, "its lease ended";
    InterlockRefused = 18, "the interlock refused to hold it";
    PermissionWithdrawn = 19, "the local permission was withdrawn";
    GrantExpired = 20, "the grant expired";
    Stalled = 21, "the agent did not run for the stall time";
    Refused = 255, "it was refused, and not done";
}

impl Cause {
    /// Whether it is one for which a session ends (SPEC section 5.8), and not one of a force alone.
    pub const fn ends_session(self) -> bool {
        matches!(self.0, 1..=10)
    }
}

impl Field<'_> for Cause {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self(u8::read(reader))
    }

    fn write<'w, 'o>(&self, out: Out<'w, 'o>) -> Out<'w, 'o> {
        self.0.write(out)
    }
}
