//! What host and agent have in common: a session over a link.

use feedrate::rdp::frame::{Body, Registers};

use crate::link::buffer::{Buffer, Sizes};
use crate::link::{Channel, Link};
use crate::session::seal::Seal;
use crate::session::{IntegrityLost, Opened, SendError, Session};
use crate::time::Millis;

/// A message that is longer than this goes on channel 1, so that what is urgent can pass it.
const URGENT: usize = 128;
/// So many messages may pass one that is still under way on the other channel, without it falling out of the peer's
/// window of 64.
const PASSING: u32 = 60;

pub(crate) struct Endpoint<S: Sizes, Z> {
    pub(crate) link: Link<S>,
    pub(crate) session: Session<Z>,
    scratch: S::Message,
    /// Sequence of the oldest message on each channel that may not have arrived yet.
    oldest: [Option<u32>; 2],
}

/// What comes of a message.
pub(crate) struct Reply<'e, Z> {
    session: &'e mut Session<Z>,
    scratch: &'e mut [u8],
    now: Millis,
    written: Result<(usize, u32), SendError>,
    bulk: bool,
}

impl<Z: Seal> Reply<'_, Z> {
    /// Answers. There is one answer to each message.
    #[inline(never)]
    pub(crate) fn send(&mut self, body: &dyn Body) {
        // What registers are known to be depends on the order of the messages that tell of them.
        self.bulk = body.kind() != Registers::KIND;
        self.written = self.session.write_body(body, self.scratch, self.now);
    }

    pub(crate) fn session(&mut self) -> &mut Session<Z> {
        self.session
    }
}

impl<S: Sizes, Z: Seal> Endpoint<S, Z> {
    pub(crate) const fn new(link: Link<S>, session: Session<Z>) -> Self {
        Self { link, session, scratch: S::Message::ZERO, oldest: [None; 2] }
    }

    /// For another session.
    pub(crate) fn renew(&mut self, now: Millis) {
        self.session.renew(now);
        self.oldest = [None; 2];
    }

    /// Whether a message of any length can be sent on either channel now.
    pub(crate) fn has_room(&mut self) -> bool {
        let next = self.session.next_sequence();
        for (oldest, channel) in self.oldest.iter_mut().zip([Channel::Signal, Channel::Bulk]) {
            if self.link.is_channel_idle(channel) {
                *oldest = None;
            }
        }
        self.oldest.iter().flatten().all(|oldest| next.saturating_sub(*oldest) < PASSING)
            && [Channel::Signal, Channel::Bulk]
                .iter()
                .all(|channel| self.link.room(*channel) >= S::Message::SIZE)
    }

    /// Sends a message. `bulk`: it may go on channel 1 if it is long.
    pub(crate) fn send(&mut self, body: &dyn Body, bulk: bool, now: Millis) -> Result<u32, SendError> {
        if !self.has_room() {
            return Err(SendError::Full);
        }
        self.session.rekey(&self.link, now);
        let (length, sequence) = self.session.write_body(body, self.scratch.bytes_mut(), now)?;
        self.put(length, sequence, bulk, now)?;
        Ok(sequence)
    }

    fn put(&mut self, length: usize, sequence: u32, bulk: bool, now: Millis) -> Result<(), SendError> {
        let [signal, other] = &mut self.oldest;
        let (channel, oldest) =
            if bulk && length > URGENT { (Channel::Bulk, other) } else { (Channel::Signal, signal) };
        *oldest = oldest.or(Some(sequence));
        let message = self.scratch.bytes().get(..length).unwrap_or_default();
        if self.link.send(channel, message, now) { Ok(()) } else { Err(SendError::Full) }
    }

    /// Hands the oldest message that has arrived to `act`, sends its reply, and returns what `act` did. There must be
    /// [room](Self::has_room).
    pub(crate) fn handle<R>(
        &mut self,
        now: Millis,
        act: impl FnOnce(Result<Opened<'_>, IntegrityLost>, &mut Reply<'_, Z>) -> R,
    ) -> Option<(R, Result<(), SendError>)> {
        if self.link.take_rekey() {
            self.session.ask_rekey();
        }
        self.session.rekey(&self.link, now);
        let message = self.link.message()?;
        let opened = self.session.open(message, now);
        let mut reply = Reply {
            session: &mut self.session,
            scratch: self.scratch.bytes_mut(),
            now,
            written: Ok((0, 0)),
            bulk: false,
        };
        let result = act(opened, &mut reply);
        let (written, bulk) = (reply.written, reply.bulk);
        self.link.drop_message();
        let sent = match written {
            Ok((0, _)) => Ok(()),
            Ok((length, sequence)) => self.put(length, sequence, bulk, now),
            Err(error) => Err(error),
        };
        Some((result, sent))
    }
}
