//! The session: what orders, dates, binds and ends the messages of two sides (SPEC section 5).

pub(crate) mod clock;
pub(crate) mod seal;
mod state;

use core::fmt;

use feedrate::rdp::Channel;
use feedrate::rdp::frame::{self, Body, Bye, Frame};
use feedrate::{EncodeError, SliceOutput};

pub use self::seal::{Checksum, Context, Progress, Seal};
use self::seal::{HEADER, LONGEST_TAG};
pub use self::state::{SessionEvent, SessionState};
use crate::role::Role;

/// A session of one side. It is made anew for each: a closed one stays closed.
pub struct Session<Z> {
    role: Role,
    state: SessionState,
    seal: Z,
    /// What stands for the seal until its handshake is over, and whether it is.
    plain: Checksum,
    sealed: bool,
    host_nonce: [u8; 16],
    /// Sequence of the next message.
    next: u32,
    /// The sequence above which the next message of each channel has to be.
    last: [Option<u32>; 2],
    /// The greatest time that the peer has written.
    heard: u32,
}

/// A message that has been opened.
#[derive(Debug, Clone, Copy)]
pub struct Opened<'m> {
    /// The sender's count of its messages.
    pub sequence: u32,
    /// Time of the agent's session clock, in units of 10 ms.
    pub time: u32,
    /// It is not above the last one of its channel: the message must not be processed (SPEC section 5.6).
    pub replayed: bool,
    /// The debug frame.
    pub frame: &'m [u8],
}

/// A message is too short, its tag is wrong, or it holds no debug frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is not of this session")]
pub struct IntegrityLost;

/// Why a message cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// It cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// All sequences have been used.
    #[error("there are no sequences left")]
    OutOfSequences,
    /// There is no room on the line: try again when something has left, or has been acknowledged.
    #[error("too much is under way; try again when some of it has been acknowledged")]
    Full,
    /// The agent's credit is used up: try again when a command has been answered.
    #[error(
        "as many commands as the agent grants wait for their answers; try again when one has been answered"
    )]
    Credit,
    /// The session is not in a state to send this.
    #[error("the session is not active")]
    NotActive,
}

impl<Z: Seal> Session<Z> {
    /// A session in which nothing has happened.
    pub const fn new(role: Role, seal: Z) -> Self {
        Self {
            role,
            state: SessionState::Idle,
            seal,
            plain: Checksum::new(),
            sealed: true,
            host_nonce: [0; 16],
            next: 0,
            last: [None; 2],
            heard: 0,
        }
    }

    /// Back to the beginning, which is another session: the states never go back.
    pub(crate) fn renew(&mut self) {
        self.state = SessionState::Idle;
        self.host_nonce = [0; 16];
        self.seal.bind(&[0; 16], &[0; 16]);
        self.seal.begin(self.role);
        self.plain = Checksum::new();
        self.sealed = self.seal.progress() == Progress::Ready;
        (self.next, self.last) = (0, [None; 2]);
        self.heard = 0;
    }

    /// If the seal's handshake is over: what follows is sealed, and counted from 0 (SPEC section 5.5).
    pub(crate) fn seal_from_now(&mut self) {
        if !self.sealed && self.seal.progress() == Progress::Ready {
            self.sealed = true;
            (self.next, self.last) = (0, [None; 2]);
        }
    }

    /// The state of the session.
    pub const fn state(&self) -> SessionState {
        self.state
    }

    /// Performs the transition, if there is one.
    #[inline(never)]
    pub(crate) fn advance(&mut self, event: SessionEvent) -> bool {
        let next = self.state.after(event);
        self.state = next.unwrap_or(self.state);
        next.is_some()
    }

    /// What binds the messages, and its handshake.
    pub(crate) fn seal(&mut self) -> &mut Z {
        &mut self.seal
    }

    /// Whether the seal's handshake is over, or there is none.
    pub(crate) const fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// Tags cover the host's nonce from now on.
    pub(crate) fn set_host_nonce(&mut self, nonce: [u8; 16]) {
        self.host_nonce = nonce;
        self.seal.bind(&nonce, &[0; 16]);
        if !self.sealed {
            // A Hello without keys is refused in a form that its sender understands (SPEC section 5.5).
            self.plain.bind(&nonce, &[0; 16]);
        }
    }

    /// Tags cover the device's nonce too from now on.
    pub(crate) fn set_device_nonce(&mut self, nonce: [u8; 16]) {
        self.seal.bind(&self.host_nonce, &nonce);
    }

    /// The greatest time that the peer has written: what a host writes (SPEC section 5.6).
    pub(crate) const fn heard(&self) -> u32 {
        self.heard
    }

    /// Writes a message that carries `frame` into `out`, and returns its length and sequence. `time` is in units of
    /// 10 ms of the agent's session clock.
    ///
    /// # Errors
    ///
    /// [`SendError::Encode`], [`SendError::OutOfSequences`].
    pub fn write(
        &mut self,
        frame: &Frame<'_>,
        channel: Channel,
        time: u32,
        out: &mut [u8],
    ) -> Result<(usize, u32), SendError> {
        self.write_body(frame, channel, time, out)
    }

    #[inline(never)]
    pub(crate) fn write_body(
        &mut self,
        body: &dyn Body,
        channel: Channel,
        time: u32,
        out: &mut [u8],
    ) -> Result<(usize, u32), SendError> {
        let sequence = self.next;
        // The last sequence is reserved for a goodbye.
        let last =
            if body.kind() == Bye::KIND { u32::MAX.saturating_sub(1) } else { u32::MAX.saturating_sub(2) };
        let following =
            sequence.checked_add(1).filter(|_| sequence <= last).ok_or(SendError::OutOfSequences)?;
        let [a, b, c, d] = sequence.to_be_bytes();
        let [e, f, g, h] = time.to_be_bytes();
        let context = Context { sender: self.role, channel, header: [a, b, c, d, e, f, g, h] };
        let full = SendError::Encode(EncodeError::Full);
        let (head, behind) = out.split_first_chunk_mut().ok_or(full)?;
        *head = context.header;
        let mut frame = SliceOutput::new(behind);
        frame::write(body, &mut frame)?;
        let length = frame.as_bytes().len();
        let (sealed, behind) = behind.split_at_mut_checked(length).ok_or(full)?;
        let tag = behind.get_mut(..self.tag()).ok_or(full)?;
        if self.is_sealed() {
            self.seal.seal(&context, sealed, tag);
        } else {
            self.plain.seal(&context, sealed, tag);
        }
        let length = HEADER.saturating_add(length).saturating_add(tag.len());
        self.next = following;
        Ok((length, sequence))
    }

    /// Bytes of a tag now.
    fn tag(&self) -> usize {
        if self.is_sealed() { Z::TAG.min(LONGEST_TAG) } else { Checksum::TAG }
    }

    /// Opens a message of the peer.
    ///
    /// # Errors
    ///
    /// [`IntegrityLost`].
    pub fn open<'m>(&mut self, message: &'m mut [u8], channel: Channel) -> Result<Opened<'m>, IntegrityLost> {
        self.open_as(self.is_sealed(), message, channel)
    }

    /// Opens a message of a peer that does not know this side's nonce: its tag covers none (SPEC section 5.5).
    pub(crate) fn open_unbound<'m>(
        &mut self,
        message: &'m mut [u8],
        channel: Channel,
    ) -> Result<Opened<'m>, IntegrityLost> {
        self.open_as(false, message, channel)
    }

    #[inline(never)]
    fn open_as<'m>(
        &mut self,
        sealed: bool,
        message: &'m mut [u8],
        channel: Channel,
    ) -> Result<Opened<'m>, IntegrityLost> {
        let tag = if sealed { Z::TAG.min(LONGEST_TAG) } else { Checksum::TAG };
        let (header, body) = message.split_first_chunk_mut::<HEADER>().ok_or(IntegrityLost)?;
        let length = body.len().checked_sub(tag).filter(|length| *length >= frame::HEADER);
        let (frame, tag) =
            length.and_then(|length| body.split_at_mut_checked(length)).ok_or(IntegrityLost)?;
        let sender = match self.role {
            Role::Host => Role::Agent,
            Role::Agent => Role::Host,
        };
        let context = Context { sender, channel, header: *header };
        let intact =
            if sealed { self.seal.open(&context, frame, tag) } else { self.plain.open(&context, frame, tag) };
        if !intact {
            return Err(IntegrityLost);
        }
        let [a, b, c, d, e, f, g, h] = *header;
        let (sequence, time) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
        let [urgent, ordinary] = &mut self.last;
        let last = match channel {
            Channel::Urgent => urgent,
            Channel::Ordinary => ordinary,
        };
        let replayed = last.is_some_and(|last| sequence <= last);
        if !replayed {
            *last = Some(sequence);
            self.heard = self.heard.max(time);
        }
        Ok(Opened { sequence, time, replayed, frame })
    }
}

impl<Z> fmt::Debug for Session<Z> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("role", &self.role)
            .field("state", &self.state)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use feedrate::rdp::frame::Halt;

    const FRAME: Frame<'_> = Frame::Halt(Halt);

    fn written(host: &mut Session<Checksum>, channel: Channel) -> std::vec::Vec<u8> {
        let mut out = [0; 64];
        let (length, _) = host.write(&FRAME, channel, 3, &mut out).unwrap();
        out[..length].to_vec()
    }

    #[test]
    fn each_channel_has_an_order_of_its_own() {
        let (mut host, mut agent) =
            (Session::new(Role::Host, Checksum::new()), Session::new(Role::Agent, Checksum::new()));
        let [first, second, third] = [Channel::Ordinary, Channel::Urgent, Channel::Ordinary]
            .map(|channel| (channel, written(&mut host, channel)));
        let mut admit = |(channel, message): &(Channel, std::vec::Vec<u8>)| {
            agent.open(&mut message.clone(), *channel).map(|opened| opened.replayed)
        };
        assert_eq!(admit(&second), Ok(false));
        assert_eq!(admit(&first), Ok(false));
        assert_eq!(admit(&third), Ok(false));
        for message in [&first, &second, &third] {
            assert_eq!(admit(message), Ok(true));
        }
        // Moved to the other channel, whose order it would fit into.
        assert_eq!(admit(&(Channel::Urgent, third.1)), Err(IntegrityLost));
    }

    #[test]
    fn a_host_echoes_the_greatest_time_that_it_has_received() {
        let (mut agent, mut host) =
            (Session::new(Role::Agent, Checksum::new()), Session::new(Role::Host, Checksum::new()));
        let mut out = [0; 64];
        for (time, heard) in [(5, 5), (9, 9), (7, 9)] {
            let (length, _) = agent.write(&FRAME, Channel::Urgent, time, &mut out).unwrap();
            host.open(&mut out[..length], Channel::Urgent).unwrap();
            assert_eq!(host.heard(), heard);
        }
    }

    #[test]
    fn the_last_sequence_is_for_a_goodbye() {
        let mut host = Session { next: u32::MAX - 2, ..Session::new(Role::Host, Checksum::new()) };
        let mut out = [0; 64];
        assert!(host.write(&FRAME, Channel::Urgent, 0, &mut out).is_ok());
        let refused = host.write(&FRAME, Channel::Urgent, 0, &mut out);
        assert_eq!(refused, Err(SendError::OutOfSequences));
        let bye = Bye { reason: frame::Cause::UsedUp };
        assert!(host.write_body(&bye, Channel::Urgent, 0, &mut out).is_ok());
        assert!(host.write_body(&bye, Channel::Urgent, 0, &mut out).is_err());
    }
}
