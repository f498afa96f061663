//! The receiver's answers to the peer: [`Answer`].

use feedrate::Instant;

use crate::close::Close;
use crate::close_code::CloseCode;

/// Takes a [`Receiver`](crate::Receiver)'s answers to the peer. Implemented by the [`Sender`](crate::Sender) of the
/// same connection, and by `()`, which drops them, for programs that only listen.
pub trait Answer {
    /// A ping has been received.
    fn pong(&mut self, payload: &[u8]);
    /// The peer's close frame was received at the time `now`.
    fn closed(&mut self, close: Option<Close<'_>>, now: Instant);
    /// The peer broke a rule, which was found at the time `now`: close with this code.
    fn failed(&mut self, code: CloseCode, now: Instant);
}

impl Answer for () {
    fn pong(&mut self, _: &[u8]) {}
    fn closed(&mut self, _: Option<Close<'_>>, _: Instant) {}
    fn failed(&mut self, _: CloseCode, _: Instant) {}
}
