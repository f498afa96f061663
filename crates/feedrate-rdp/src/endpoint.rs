//! What host and agent have in common: a session over a line.

use feedrate::Instant;
use feedrate::rdp::Channel;
use feedrate::rdp::frame::Body;

use crate::line::sealed::Line;
use crate::session::seal::Seal;
use crate::session::{IntegrityLost, Opened, SendError, Session};
use crate::sizes::Buffer;

#[repr(C)]
pub(crate) struct Endpoint<L: Line, Z> {
    pub(crate) session: Session<Z>,
    pub(crate) line: L,
    scratch: L::Message,
}

/// The outcome of a message.
pub(crate) struct Reply<'e, Z> {
    session: &'e mut Session<Z>,
    scratch: &'e mut [u8],
    channel: Channel,
    time: u32,
    /// Whether the message that is answered was on time when it arrived.
    pub(crate) on_time: bool,
    written: Result<usize, SendError>,
}

impl<Z: Seal> Reply<'_, Z> {
    /// Answers, on the command's channel. There is one answer to each message.
    #[inline(never)]
    pub(crate) fn send(&mut self, body: &dyn Body) {
        let written = self.session.write_body(body, self.channel, self.time, self.scratch);
        self.written = written.map(|(length, _)| length);
    }

    pub(crate) fn session(&mut self) -> &mut Session<Z> {
        self.session
    }
}

impl<L: Line, Z: Seal> Endpoint<L, Z> {
    pub(crate) const fn new(line: L, session: Session<Z>) -> Self {
        Self { line, session, scratch: L::Message::ZERO }
    }

    /// Whether a message of this length can be sent on a channel now.
    pub(crate) fn has_room(&self, channel: Channel, length: usize) -> bool {
        self.line.room(channel) >= length.min(L::Message::SIZE)
    }

    /// Sends a message, and returns its sequence.
    pub(crate) fn send(
        &mut self,
        body: &dyn Body,
        channel: Channel,
        time: u32,
        now: Instant,
    ) -> Result<u32, SendError> {
        self.send_beside(body, channel, 0, time, now)
    }

    /// The same, if this many bytes of room are left for others.
    #[inline(never)]
    pub(crate) fn send_beside(
        &mut self,
        body: &dyn Body,
        channel: Channel,
        others: usize,
        time: u32,
        now: Instant,
    ) -> Result<u32, SendError> {
        let room = self.line.room(channel).saturating_sub(others);
        let scratch = self.scratch.bytes_mut();
        let room = room.min(scratch.len());
        let within = scratch.get_mut(..room).unwrap_or_default();
        let written = self.session.write_body(body, channel, time, within);
        let (length, sequence) = written.map_err(|error| match error {
            SendError::Encode(feedrate::EncodeError::Full) if room < L::Message::SIZE => SendError::Full,
            other => other,
        })?;
        self.put(channel, length, now)?;
        Ok(sequence)
    }

    fn put(&mut self, channel: Channel, length: usize, now: Instant) -> Result<(), SendError> {
        let message = self.scratch.bytes().get(..length).unwrap_or_default();
        if self.line.send(channel, message, now) { Ok(()) } else { Err(SendError::Full) }
    }

    /// Hands the oldest message that has arrived on a channel to `act`, sends its reply, and returns what `act` did.
    /// There must be [room](Self::has_room).
    pub(crate) fn handle<R>(
        &mut self,
        channel: Channel,
        time: u32,
        now: Instant,
        act: impl FnOnce(Result<Opened<'_>, IntegrityLost>, &mut Reply<'_, Z>) -> R,
    ) -> Option<(R, Result<(), SendError>)> {
        if self.line.take_crc_failure() {
            self.session.seal().crc_failed();
        }
        let arrived = self.line.message(channel)?;
        let on_time = arrived.on_time;
        let opened = self.session.open(arrived.message, channel);
        let mut reply = Reply {
            session: &mut self.session,
            scratch: self.scratch.bytes_mut(),
            channel,
            time,
            on_time,
            written: Ok(0),
        };
        let result = act(opened, &mut reply);
        let written = reply.written;
        self.line.drop_message(channel);
        let sent = match written {
            Ok(0) => Ok(()),
            Ok(length) => self.put(channel, length, now),
            Err(error) => Err(error),
        };
        Some((result, sent))
    }
}
