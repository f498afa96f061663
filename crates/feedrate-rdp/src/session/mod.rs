//! The session: what orders, dates, binds and ends the messages of two sides (SPEC section 5).

mod replay;
pub(crate) mod seal;
mod state;

use core::fmt;

use feedrate::rdp::frame::{self, Body, Bye, Frame};
use feedrate::{EncodeError, SliceOutput};

pub use self::replay::{Order, ReplayGuard};
pub use self::seal::{Checksum, Context, Seal};
use self::seal::{HEADER, LONGEST_TAG};
pub use self::state::{SessionEvent, SessionState};
use crate::link::Link;
use crate::link::buffer::Sizes;
use crate::role::Role;
use crate::time::{Millis, since};

/// How often the epoch may change, in milliseconds.
const REKEY: u32 = 1000;

/// A session of one side. It is made anew for each: a closed one stays closed.
pub struct Session<Z> {
    role: Role,
    state: SessionState,
    seal: Z,
    host_nonce: [u8; 16],
    device_nonce: [u8; 16],
    /// When the clocks started.
    started: Option<Millis>,
    next: u32,
    guard: ReplayGuard,
    tolerance: u32,
    epoch: u8,
    peer_epoch: u8,
    /// Where each channel's messages of the epoch before end.
    epoch_ends: [u32; 2],
    epoch_at: Option<Millis>,
    rekey: bool,
    pub(crate) sent_at: Millis,
    pub(crate) heard_at: Millis,
}

/// A message that has been opened.
#[derive(Debug, Clone, Copy)]
pub struct Opened<'m> {
    /// The sender's count of its messages.
    pub sequence: u32,
    /// Milliseconds of the sender's clock.
    pub time: u32,
    /// The sender's epoch.
    pub epoch: u8,
    /// Whether it may be believed.
    pub order: Order,
    /// The debug frame.
    pub frame: &'m [u8],
}

impl Opened<'_> {
    /// Whether its header is that of a side's first message.
    pub const fn is_first(&self) -> bool {
        self.sequence == 0 && self.time == 0 && self.epoch == 0
    }
}

/// A message is too short, its tag or epoch is wrong, or it holds no debug frame.
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
    /// There is no room on the link: try again when something has been acknowledged.
    #[error("too much is under way; try again when some of it has been acknowledged")]
    Full,
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
            host_nonce: [0; 16],
            device_nonce: [0; 16],
            started: None,
            next: 0,
            guard: ReplayGuard::new(),
            tolerance: 0,
            epoch: 0,
            peer_epoch: 0,
            epoch_ends: [0; 2],
            epoch_at: None,
            rekey: false,
            sent_at: 0,
            heard_at: 0,
        }
    }

    /// Back to the beginning, which is another session: the states never go back.
    pub(crate) fn renew(&mut self, now: Millis) {
        self.state = SessionState::Idle;
        (self.host_nonce, self.device_nonce) = ([0; 16], [0; 16]);
        (self.started, self.next, self.guard) = (None, 0, ReplayGuard::new());
        (self.epoch, self.peer_epoch, self.epoch_ends, self.epoch_at) = (0, 0, [0; 2], None);
        self.rekey = false;
        (self.sent_at, self.heard_at) = (now, now);
    }

    /// How far the session is.
    pub const fn state(&self) -> SessionState {
        self.state
    }

    /// Moves on, if there is a way.
    pub(crate) fn advance(&mut self, event: SessionEvent) -> bool {
        let next = self.state.after(event);
        self.state = next.unwrap_or(self.state);
        next.is_some()
    }

    /// What the tags cover from now on.
    pub(crate) fn set_host_nonce(&mut self, nonce: [u8; 16]) {
        self.host_nonce = nonce;
    }

    /// Starts the clock. Tags cover the device's nonce too from now on.
    pub(crate) fn start_clock(&mut self, device_nonce: [u8; 16], tolerance: u32, now: Millis) {
        self.device_nonce = device_nonce;
        self.started = Some(now);
        self.tolerance = tolerance;
    }

    /// The session's number in the audit log.
    pub(crate) const fn number(&self) -> u32 {
        let [.., a, b, c, d] = self.device_nonce;
        u32::from_be_bytes([a, b, c, d])
    }

    /// Milliseconds since the session's start.
    pub(crate) fn clock(&self, now: Millis) -> u32 {
        self.started.map_or(0, |started| now.wrapping_sub(started))
    }

    /// The link has been told of a CRC failure.
    pub(crate) fn ask_rekey(&mut self) {
        self.rekey = true;
    }

    /// Changes the epoch, if that was asked for and may be.
    pub(crate) fn rekey<S: Sizes>(&mut self, link: &Link<S>, now: Millis) {
        let rested = self.epoch_at.is_none_or(|at| since(now, at) >= REKEY);
        if self.rekey && rested && self.started.is_some() && link.have_passed(self.epoch_ends) {
            self.rekey = false;
            self.epoch = self.epoch.wrapping_add(1);
            (self.epoch_at, self.epoch_ends) = (Some(now), link.ends());
        }
    }

    /// Sequence of the next message.
    pub(crate) const fn next_sequence(&self) -> u32 {
        self.next
    }

    /// Writes a message that carries `frame` into `out`, and returns its length and sequence.
    ///
    /// # Errors
    ///
    /// [`SendError::Encode`], [`SendError::OutOfSequences`].
    pub fn write(
        &mut self,
        frame: &Frame<'_>,
        out: &mut [u8],
        now: Millis,
    ) -> Result<(usize, u32), SendError> {
        self.write_body(frame, out, now)
    }

    #[inline(never)]
    pub(crate) fn write_body(
        &mut self,
        body: &dyn Body,
        out: &mut [u8],
        now: Millis,
    ) -> Result<(usize, u32), SendError> {
        let sequence = self.next;
        // The last sequence is for a goodbye.
        let last =
            if body.kind() == Bye::KIND { u32::MAX.saturating_sub(1) } else { u32::MAX.saturating_sub(2) };
        let following =
            sequence.checked_add(1).filter(|_| sequence <= last).ok_or(SendError::OutOfSequences)?;
        let header = self.header(sequence, now);
        let context = self.context(self.role, header);
        let full = SendError::Encode(EncodeError::Full);
        let (head, behind) = out.split_first_chunk_mut().ok_or(full)?;
        *head = header;
        let mut frame = SliceOutput::new(behind);
        frame::write(body, &mut frame)?;
        let length = frame.as_bytes().len();
        let (sealed, behind) = behind.split_at_mut_checked(length).ok_or(full)?;
        let tag = behind.get_mut(..Z::TAG.min(LONGEST_TAG)).ok_or(full)?;
        self.seal.seal(&context, sealed, tag);
        let length = HEADER.saturating_add(length).saturating_add(tag.len());
        self.next = following;
        self.sent_at = now;
        Ok((length, sequence))
    }

    fn header(&self, sequence: u32, now: Millis) -> [u8; HEADER] {
        let [a, b, c, d] = sequence.to_be_bytes();
        let [e, f, g, h] = self.clock(now).to_be_bytes();
        [a, b, c, d, e, f, g, h, self.epoch]
    }

    fn context(&self, sender: Role, header: [u8; HEADER]) -> Context {
        Context { host_nonce: self.host_nonce, device_nonce: self.device_nonce, sender, header }
    }

    /// Opens a message of the peer.
    ///
    /// # Errors
    ///
    /// [`IntegrityLost`].
    pub fn open<'m>(&mut self, message: &'m mut [u8], now: Millis) -> Result<Opened<'m>, IntegrityLost> {
        let (header, body) = message.split_first_chunk_mut::<HEADER>().ok_or(IntegrityLost)?;
        let length =
            body.len().checked_sub(Z::TAG.min(LONGEST_TAG)).filter(|length| *length >= frame::HEADER);
        let (frame, tag) =
            length.and_then(|length| body.split_at_mut_checked(length)).ok_or(IntegrityLost)?;
        let [a, b, c, d, e, f, g, h, epoch] = *header;
        let newer = epoch == self.peer_epoch.wrapping_add(1);
        if !newer && epoch != self.peer_epoch && epoch != self.peer_epoch.wrapping_sub(1) {
            return Err(IntegrityLost);
        }
        let sender = match self.role {
            Role::Host => Role::Agent,
            Role::Agent => Role::Host,
        };
        let context = self.context(sender, *header);
        if !self.seal.open(&context, frame, tag) {
            return Err(IntegrityLost);
        }
        if newer {
            self.peer_epoch = epoch;
        }
        self.heard_at = now;
        let (sequence, time) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
        let order = match self.started {
            Some(_) => {
                let clock = self.clock(now);
                self.guard.admit(sequence, time, clock, self.tolerance)
            }
            None => Order::Fresh,
        };
        Ok(Opened { sequence, time, epoch, order, frame })
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
