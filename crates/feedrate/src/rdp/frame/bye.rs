//! Bye (SPEC section 6.3).

use core::fmt;

use super::body::frame;
use super::field::{Field, Reader, Writer};

frame! {
    /// The sender ends the session. The answer is another Bye.
    pub struct Bye = 0x43, from BOTH {
        /// Why the session ends.
        pub reason: ByeReason,
    }
}

/// Why a session ends (SPEC section 5.7).
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct ByeReason(pub u8);

macro_rules! reasons {
    ($($Name:ident = $number:literal, $text:literal;)*) => {
        #[allow(non_upper_case_globals, reason = "spelled as the specification's other names are")]
        impl ByeReason {
            $(#[doc = $text] pub const $Name: Self = Self($number);)*
        }

        impl fmt::Display for ByeReason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self.0 {
                    $($number => $text,)*
                    _ => "a reason that this version does not know",
                })
            }
        }

        impl fmt::Debug for ByeReason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0 {
                    $($number => f.write_str(stringify!($Name)),)*
                    other => write!(f, "ByeReason({other})"),
                }
            }
        }
    };
}

reasons! {
    Asked = 1, "it was asked for";
    HeartbeatLost = 2, "the heartbeat was lost";
    LinkLost = 3, "the link is lost";
    IntegrityLost = 4, "a message was not of this session";
    TargetFailed = 5, "the target failed";
    OutOfSequences = 6, "there are no sequences left";
    Replaced = 7, "another host has come";
}

impl Field<'_> for ByeReason {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self(u8::read(reader))
    }

    fn write(&self, out: &mut Writer<'_>) {
        self.0.write(out);
    }
}
