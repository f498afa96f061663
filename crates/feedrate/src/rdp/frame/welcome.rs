//! Welcome (SPEC section 6.4).

use super::body::frame;
use super::field::{Field, Reader, Writer};
use super::fingerprint::Fingerprint;
use super::list::Bytes;

frame! {
    /// The agent accepts the session, and says what it can do.
    pub struct Welcome<'a> = 0xC0, from AGENT {
        /// Version of the protocol.
        pub version: u8,
        /// That of Hello.
        pub host_nonce: [u8; 16],
        /// Never used before.
        pub device_nonce: [u8; 16],
        /// Which device this is.
        pub fingerprint: Fingerprint,
        /// Number of the processor's architecture (SPEC section 7).
        pub architecture: u16,
        /// Number of registers.
        pub registers: u8,
        /// Number of axes.
        pub axes: u8,
        /// What the target can do.
        pub capabilities: Capabilities,
        /// The longest message that the agent accepts, in bytes.
        pub longest: u16,
        /// How many breakpoints there can be.
        pub breakpoints: u16,
        /// The most bytes that one ReadMemory gets.
        pub memory: u16,
        /// How many variables can be forced.
        pub forces: u8,
        /// How many rules a policy can have.
        pub rules: u8,
        /// How often each side is to be heard of, in milliseconds.
        pub heartbeat: u16,
        /// After how long a silence the peer counts as lost, in milliseconds.
        pub loss: u16,
        /// How far a message's time may be off, in milliseconds.
        pub tolerance: u16,
        /// What the token grants.
        pub authority: Domains,
        /// Name of the firmware: UTF-8, at most 32 bytes.
        pub name: Bytes<'a, u8>,
    }
}

/// What the target can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Capabilities(pub u32);

impl Capabilities {
    /// Stopping at an address.
    pub const BREAKPOINTS: Self = Self(1);
    /// Halting, going on, one instruction at a time.
    pub const STEPPING: Self = Self(2);
    /// Reading memory.
    pub const MEMORY: Self = Self(4);
    /// Holding variables at a value.
    pub const FORCING: Self = Self(8);
    /// Axes, PLC registers, a G-code program.
    pub const MACHINE: Self = Self(16);
    /// A log of every command that touched the machine.
    pub const AUDIT: Self = Self(32);

    /// Whether all of `other` is there.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Field<'_> for Capabilities {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self(u32::read(reader))
    }

    fn write(&self, out: &mut Writer<'_>) {
        self.0.write(out);
    }
}

/// What a token grants (SPEC section 8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Domains(pub u8);

impl Domains {
    /// Looking.
    pub const OBSERVE: Self = Self(1);
    /// Breakpoints, halting, stepping.
    pub const CONTROL: Self = Self(2);
    /// Forcing variables and setting axes.
    pub const FORCE: Self = Self(4);
    /// Saying which breakpoints are allowed.
    pub const POLICY: Self = Self(8);
    /// All of it.
    pub const ALL: Self = Self(15);

    /// Whether all of `other` is granted.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Field<'_> for Domains {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self(u8::read(reader))
    }

    fn write(&self, out: &mut Writer<'_>) {
        self.0.write(out);
    }
}
