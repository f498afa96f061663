//! Welcome (SPEC section 6.4).

use super::body::frame;
use super::field::{Field, Out, Reader, enumeration};
use super::fingerprint::Fingerprint;
use super::list::{Bytes, List};

frame! {
    /// The agent accepts the session, and states what it can do.
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
        /// Generation of the program (SPEC section 8.11).
        pub generation: u32,
        /// The longest message that the agent accepts on channel 1, in bytes, at least 512.
        pub longest: u16,
        /// How many commands may be unanswered on channel 1, at least 1.
        pub credit: u8,
        /// How many breakpoints and watchpoints there can be.
        pub breakpoints: u16,
        /// The most bytes of one ReadMemory or WriteMemory.
        pub memory: u16,
        /// How many variables can be forced.
        pub forces: u8,
        /// How many rules a policy can have.
        pub rules: u8,
        /// The longest lease, in milliseconds, at most 600000.
        pub lease: u32,
        /// How often the agent sends a Heartbeat, in milliseconds.
        pub heartbeat: u16,
        /// After how long a silence the peer counts as lost, in milliseconds.
        pub loss: u16,
        /// How old a message may be, in milliseconds.
        pub tolerance: u16,
        /// After how long a stall of the agent forces end, in milliseconds (SPEC section 8.9).
        pub stall: u16,
        /// What Halt does (SPEC section 8.4).
        pub halt: StopEffect,
        /// What a trap does (SPEC section 8.4).
        pub trap: StopEffect,
        /// What the loss of the session does (SPEC section 8.7).
        pub lost: StopEffect,
        /// What the token grants.
        pub authority: Domains,
        /// Seconds until the grant expires.
        pub expires: u32,
        /// Number of this boot, greater by one with each boot.
        pub boot: u32,
        /// Version of audit records; 0 if there is no log.
        pub record: u8,
        /// How durable the audit log is.
        pub durability: Durability,
        /// Audit records that were lost since the boot (SPEC section 8.8).
        pub records_lost: u32,
        /// The stage of the device's life.
        pub lifecycle: Lifecycle,
        /// Number of the seal in use.
        pub suite: u16,
        /// The seals that the agent offers, in ascending order of preference.
        pub suites: List<'a, u16, u8>,
        /// Name of the firmware: UTF-8, at most 32 bytes.
        pub name: Bytes<'a, u8>,
    }
}

enumeration! {
    /// What Halt, a trap, or the loss of the session does. Of Halt and traps it must not be
    /// [`Nothing`](Self::Nothing), which is for a host to look at.
    #[non_exhaustive]
    pub enum StopEffect {
        /// Nothing.
        Nothing = 0,
        /// It stops the program, and nothing else.
        Program = 1,
        /// It stops the feed first.
        FeedHold = 2,
        /// It removes power from the drives first.
        DrivesOff = 3,
    }
}

enumeration! {
    /// How durable an audit log is.
    #[non_exhaustive]
    pub enum Durability {
        /// There is none.
        None = 0,
        /// In memory that a reset loses.
        Memory = 1,
        /// In retentive memory.
        Kept = 2,
    }
}

enumeration! {
    /// The stage of a device's life.
    #[non_exhaustive]
    pub enum Lifecycle {
        /// It is being developed.
        Development = 0,
        /// It is in production: it refuses a seal that is only a checksum (SPEC section 5.4).
        Production = 1,
        /// It is out of service, and has no keys any more.
        Decommissioned = 2,
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
    /// Halting, resuming, executing one instruction at a time.
    pub const STEPPING: Self = Self(2);
    /// Reading memory.
    pub const MEMORY: Self = Self(4);
    /// Holding variables at a value.
    pub const FORCING: Self = Self(8);
    /// Axes, PLC registers, a G-code program.
    pub const MACHINE: Self = Self(16);
    /// A log of every command that acted on the machine.
    pub const AUDIT: Self = Self(32);
    /// A list of variables.
    pub const VARIABLES: Self = Self(64);
    /// Writing memory and registers.
    pub const WRITING: Self = Self(128);

    /// Whether all of `other` is there.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Field<'_> for Capabilities {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self(u32::read(reader))
    }

    fn write<'w, 'o>(&self, out: Out<'w, 'o>) -> Out<'w, 'o> {
        self.0.write(out)
    }
}

/// What a token grants (SPEC section 8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Domains(pub u8);

impl Domains {
    /// Observing.
    pub const OBSERVE: Self = Self(1);
    /// Breakpoints, halting, stepping.
    pub const CONTROL: Self = Self(2);
    /// Forcing variables, writing, and setting axes.
    pub const FORCE: Self = Self(4);
    /// Deciding which breakpoints are allowed.
    pub const POLICY: Self = Self(8);
    /// Letting audit records be overwritten.
    pub const AUDIT: Self = Self(16);
    /// All of it.
    pub const ALL: Self = Self(31);

    /// Whether all of `other` is granted.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Field<'_> for Domains {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self(u8::read(reader))
    }

    fn write<'w, 'o>(&self, out: Out<'w, 'o>) -> Out<'w, 'o> {
        self.0.write(out)
    }
}
