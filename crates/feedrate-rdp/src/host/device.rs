//! What Welcome says of the device.

use feedrate::rdp::frame::{Capabilities, Domains, Fingerprint, Welcome};

use crate::limits::NAME;

/// What Welcome says of the device.
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
    /// The longest message that it accepts, in bytes.
    pub longest: u16,
    /// How many breakpoints there can be.
    pub breakpoints: u16,
    /// The most bytes that one ReadMemory gets.
    pub memory: u16,
    /// How many variables can be forced.
    pub forces: u8,
    /// How many rules a policy can have.
    pub rules: u8,
    /// What the token grants.
    pub authority: Domains,
    /// The session's number in the audit log.
    pub session: u32,
    /// How often each side is to be heard of, in milliseconds.
    pub heartbeat: u16,
    /// After how long a silence the peer counts as lost, in milliseconds.
    pub loss: u16,
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
            longest: welcome.longest,
            breakpoints: welcome.breakpoints,
            memory: welcome.memory,
            forces: welcome.forces,
            rules: welcome.rules,
            authority: welcome.authority,
            session: u32::from_be_bytes([a, b, c, d]),
            heartbeat: welcome.heartbeat,
            loss: welcome.loss,
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
