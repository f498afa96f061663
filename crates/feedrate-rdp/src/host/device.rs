//! What Welcome states about the device.

use feedrate::rdp::frame::{Capabilities, Domains, Durability, Fingerprint, Lifecycle, StopEffect, Welcome};

use crate::limits::NAME;

/// What Welcome states about the device (SPEC section 6.4).
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    /// Which device it is.
    pub fingerprint: Fingerprint,
    /// [`Arch::ID`](crate::arch::Arch::ID).
    pub architecture: u16,
    /// Number of registers.
    pub registers: u8,
    /// Number of axes.
    pub axes: u8,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Generation of the program: what a symbol table or a list of variables has to belong to.
    pub generation: u32,
    /// The longest message that it accepts on channel 1, in bytes.
    pub longest: u16,
    /// How many commands may be unanswered on channel 1.
    pub credit: u8,
    /// How many breakpoints and watchpoints there can be.
    pub breakpoints: u16,
    /// The most bytes of one ReadMemory or WriteMemory.
    pub memory: u16,
    /// How many variables can be forced.
    pub forces: u8,
    /// How many rules a policy can have.
    pub rules: u8,
    /// The longest lease of a force, in milliseconds.
    pub lease: u32,
    /// How often it challenges the host, in milliseconds.
    pub heartbeat: u16,
    /// After how long a silence the peer counts as lost, in milliseconds.
    pub loss: u16,
    /// How old a command may be, in milliseconds.
    pub tolerance: u16,
    /// After how long a stall of the agent forces end, in milliseconds.
    pub stall: u16,
    /// What Halt does.
    pub halt: StopEffect,
    /// What a trap does.
    pub trap: StopEffect,
    /// What the loss of the session does.
    pub lost: StopEffect,
    /// What the token grants.
    pub authority: Domains,
    /// Seconds from Hello on until the grant expires.
    pub expires: u32,
    /// Number of this boot.
    pub boot: u32,
    /// The session's number in the audit log.
    pub session: u32,
    /// Version of audit records; 0 if there is no log.
    pub record: u8,
    /// How durable the audit log is.
    pub durability: Durability,
    /// Audit records that were lost since the boot.
    pub records_lost: u32,
    /// The stage of the device's life.
    pub lifecycle: Lifecycle,
    /// Number of the seal in use.
    pub suite: u16,
    name: [u8; NAME],
    name_length: usize,
}

impl Device {
    pub(super) fn new(welcome: &Welcome<'_>) -> Self {
        let name = welcome.name.as_slice();
        let mut copy = [0; NAME];
        copy.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
        let [.., a, b, c, d] = welcome.device_nonce;
        Self {
            fingerprint: welcome.fingerprint,
            architecture: welcome.architecture,
            registers: welcome.registers,
            axes: welcome.axes,
            capabilities: welcome.capabilities,
            generation: welcome.generation,
            longest: welcome.longest,
            credit: welcome.credit,
            breakpoints: welcome.breakpoints,
            memory: welcome.memory,
            forces: welcome.forces,
            rules: welcome.rules,
            lease: welcome.lease,
            heartbeat: welcome.heartbeat,
            loss: welcome.loss,
            tolerance: welcome.tolerance,
            stall: welcome.stall,
            halt: welcome.halt,
            trap: welcome.trap,
            lost: welcome.lost,
            authority: welcome.authority,
            expires: welcome.expires,
            boot: welcome.boot,
            session: u32::from_be_bytes([a, b, c, d]),
            record: welcome.record,
            durability: welcome.durability,
            records_lost: welcome.records_lost,
            lifecycle: welcome.lifecycle,
            suite: welcome.suite,
            name: copy,
            name_length: name.len().min(NAME),
        }
    }

    /// Name of the firmware, as far as it is UTF-8.
    pub fn name(&self) -> &str {
        let name = self.name.get(..self.name_length).unwrap_or_default();
        core::str::from_utf8(name).unwrap_or_default()
    }
}
