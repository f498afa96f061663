//! What binds a message to its session, its direction and its channel (SPEC section 5.5).

use feedrate::rdp::{Channel, crc};

use crate::role::Role;

/// Bytes of a message in front of its debug frame.
pub(crate) const HEADER: usize = 8;
/// The longest tag.
pub(crate) const LONGEST_TAG: usize = 32;
/// The longest record of a seal's handshake.
pub(crate) const SEAL_RECORD: usize = 256;
/// The suite of [`Checksum`].
pub(crate) const CHECKSUM: u16 = 0;

/// What a tag covers beside the nonces and the debug frame. No two messages of a session have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Who sends the message.
    pub sender: Role,
    /// On which channel.
    pub channel: Channel,
    /// Sequence and time, as on the wire.
    pub header: [u8; HEADER],
}

impl Context {
    /// The byte that represents sender and channel: bit 0, 0 from the host, 1 from the agent; bit 1, the channel.
    pub const fn direction(&self) -> u8 {
        let sender = match self.sender {
            Role::Host => 0,
            Role::Agent => 1,
        };
        match self.channel {
            Channel::Urgent => sender,
            Channel::Ordinary => sender | 2,
        }
    }
}

/// The state of a seal's handshake.
// Exhaustive: it goes on, it waits, or it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Messages can be sealed and opened.
    Ready,
    /// It waits for the peer's next record, or has one to give.
    Records,
    /// It computes. As long as it does, the time of the handshake does not run; the seal is asked again at every run.
    Pending,
}

/// An authenticator. The default one, [`Checksum`], stops accidents, but no attacker: put an AEAD with a key exchange
/// here, or run inside TLS, where there are any.
///
/// A seal without a handshake of its own only has to define its tags:
///
/// ```
/// use feedrate_rdp::session::{Context, Seal};
///
/// /// Not cryptography: it shows where it goes.
/// struct Xor {
///     session: u8,
/// }
///
/// impl Seal for Xor {
///     const SUITE: u16 = 0xFF00;
///     const TAG: usize = 1;
///
///     fn bind(&mut self, host_nonce: &[u8; 16], device_nonce: &[u8; 16]) {
///         self.session = host_nonce.iter().chain(device_nonce).fold(0, |sum, byte| sum ^ byte);
///     }
///
///     fn seal(&mut self, context: &Context, frame: &mut [u8], tag: &mut [u8]) {
///         let sum = frame.iter().fold(self.session ^ context.direction(), |sum, byte| sum ^ byte);
///         tag.fill(sum);
///     }
///
///     fn open(&mut self, context: &Context, frame: &mut [u8], tag: &[u8]) -> bool {
///         tag == [frame.iter().fold(self.session ^ context.direction(), |sum, byte| sum ^ byte)]
///     }
/// }
/// ```
pub trait Seal {
    /// Number of the suite. 0 is [`Checksum`]'s.
    const SUITE: u16;
    /// Bytes of a tag, at most 32.
    const TAG: usize;

    /// What tags cover from now on. Both are zero at first; a session binds the host's nonce, and then both.
    fn bind(&mut self, host_nonce: &[u8; 16], device_nonce: &[u8; 16]);

    /// Replaces the debug frame with what is to be sent, and writes the tag.
    fn seal(&mut self, context: &Context, frame: &mut [u8], tag: &mut [u8]);

    /// Checks the tag, and restores the debug frame. `false`: the message is not of this session.
    #[must_use]
    fn open(&mut self, context: &Context, frame: &mut [u8], tag: &[u8]) -> bool;

    /// A session begins, and with it the seal's handshake, if it has one: keys of an earlier session are gone.
    fn begin(&mut self, role: Role) {
        let _ = role;
    }

    /// The state of the handshake.
    fn progress(&self) -> Progress {
        Progress::Ready
    }

    /// Writes the handshake's next record into `out` and returns its length; `None` if it is not this side's turn.
    fn next_record(&mut self, out: &mut [u8]) -> Option<usize> {
        let _ = out;
        None
    }

    /// Takes the peer's next record.
    ///
    /// # Errors
    ///
    /// The seal's own code: the handshake has failed, and no key comes out of it.
    fn take_record(&mut self, record: &[u8]) -> Result<(), u32> {
        let _ = record;
        Err(0)
    }

    /// What is known of the peer, once the handshake is over: its public key, say.
    fn peer(&self) -> &[u8] {
        &[]
    }

    /// A CRC failure was reported to the link: keys may be renewed, if the seal has any.
    fn crc_failed(&mut self) {}
}

/// The default seal, suite 0: CRC-32C. It stops accidents, but no attacker.
#[derive(Debug, Clone, Copy)]
pub struct Checksum {
    /// Over both nonces.
    session: u32,
}

impl Checksum {
    /// For a session that has no nonces yet.
    pub const fn new() -> Self {
        Self { session: UNBOUND }
    }

    fn tag(&self, context: &Context, frame: &[u8]) -> [u8; 4] {
        crc::crc_32c_from(self.session, &[&[context.direction()], &context.header, frame]).to_be_bytes()
    }
}

/// CRC-32C of 32 zero bytes: no nonces.
const UNBOUND: u32 = 0x8A91_36AA;

impl Default for Checksum {
    fn default() -> Self {
        Self::new()
    }
}

impl Seal for Checksum {
    const SUITE: u16 = CHECKSUM;
    const TAG: usize = 4;

    fn bind(&mut self, host_nonce: &[u8; 16], device_nonce: &[u8; 16]) {
        self.session = crc::crc_32c(&[host_nonce, device_nonce]);
    }

    fn seal(&mut self, context: &Context, frame: &mut [u8], tag: &mut [u8]) {
        tag.iter_mut().zip(self.tag(context, frame)).for_each(|(to, from)| *to = from);
    }

    fn open(&mut self, context: &Context, frame: &mut [u8], tag: &[u8]) -> bool {
        self.tag(context, frame) == *tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_binds_nonces_direction_channel_header_and_frame() {
        let mut seal = Checksum::new();
        let context = Context { sender: Role::Host, channel: Channel::Urgent, header: [7; HEADER] };
        let mut tags = std::vec::Vec::new();
        for nonces in [[0; 16], [1; 16]] {
            seal.bind(&nonces, &[0; 16]);
            for sender in [Role::Host, Role::Agent] {
                for channel in [Channel::Urgent, Channel::Ordinary] {
                    for header in [[7; HEADER], [8; HEADER]] {
                        let mut tag = [0; 4];
                        seal.seal(&Context { sender, channel, header }, &mut [1, 2, 3], &mut tag);
                        tags.push(tag);
                    }
                }
            }
        }
        let count = tags.len();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), count);
        let mut bound = Checksum::new();
        bound.bind(&[0; 16], &[0; 16]);
        assert_eq!(bound.tag(&context, b"x"), Checksum::new().tag(&context, b"x"));
    }
}
