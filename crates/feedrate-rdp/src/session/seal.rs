//! What binds a message to its session (SPEC section 5.4).

use feedrate::rdp::crc;

use crate::role::Role;

/// Bytes of a message in front of its debug frame.
pub(crate) const HEADER: usize = 9;
/// The longest tag.
pub(crate) const LONGEST_TAG: usize = 32;

/// What a tag covers beside the debug frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Zero in Hello.
    pub host_nonce: [u8; 16],
    /// Zero in Hello and in Welcome.
    pub device_nonce: [u8; 16],
    /// Who sends the message.
    pub sender: Role,
    /// Sequence, time and epoch, as on the wire. No two messages of a sender in a session have the same.
    pub header: [u8; HEADER],
}

impl Context {
    /// The message's epoch: a seal with keys has one for each.
    pub const fn epoch(&self) -> u8 {
        let [.., epoch] = self.header;
        epoch
    }

    /// 0 from the host, 1 from the agent.
    pub const fn direction(&self) -> u8 {
        match self.sender {
            Role::Host => 0,
            Role::Agent => 1,
        }
    }
}

/// An authenticator. The default one, [`Checksum`], stops accidents and no attacker: put an AEAD here, or run inside
/// TLS, where there are any.
///
/// ```
/// use feedrate_rdp::session::{Context, Seal};
///
/// /// Not cryptography: it shows where it goes.
/// struct Xor(u8);
///
/// impl Seal for Xor {
///     const TAG: usize = 1;
///
///     fn seal(&mut self, context: &Context, frame: &mut [u8], tag: &mut [u8]) {
///         let sum = frame.iter().fold(context.epoch(), |sum, byte| sum ^ byte);
///         frame.iter_mut().for_each(|byte| *byte ^= self.0);
///         tag.fill(sum);
///     }
///
///     fn open(&mut self, context: &Context, frame: &mut [u8], tag: &[u8]) -> bool {
///         frame.iter_mut().for_each(|byte| *byte ^= self.0);
///         tag == [frame.iter().fold(context.epoch(), |sum, byte| sum ^ byte)]
///     }
/// }
/// ```
pub trait Seal {
    /// Bytes of a tag, at most 32.
    const TAG: usize;

    /// Replaces the debug frame by what is to be sent, and writes the tag.
    fn seal(&mut self, context: &Context, frame: &mut [u8], tag: &mut [u8]);

    /// Checks the tag, and puts the debug frame back. `false`: the message is not of this session.
    #[must_use]
    fn open(&mut self, context: &Context, frame: &mut [u8], tag: &[u8]) -> bool;
}

/// The default seal: CRC-32C. It stops accidents, and no attacker.
#[derive(Debug, Clone, Copy, Default)]
pub struct Checksum;

impl Checksum {
    fn tag(context: &Context, frame: &[u8]) -> [u8; 4] {
        let direction = [context.direction()];
        crc::crc_32c(&[
            &context.host_nonce[..],
            &context.device_nonce[..],
            &direction[..],
            &context.header[..],
            frame,
        ])
        .to_be_bytes()
    }
}

impl Seal for Checksum {
    const TAG: usize = 4;

    fn seal(&mut self, context: &Context, frame: &mut [u8], tag: &mut [u8]) {
        tag.iter_mut().zip(Self::tag(context, frame)).for_each(|(to, from)| *to = from);
    }

    fn open(&mut self, context: &Context, frame: &mut [u8], tag: &[u8]) -> bool {
        Self::tag(context, frame) == *tag
    }
}
