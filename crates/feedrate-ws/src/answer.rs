//! What a receiver has to say to the peer, and who says it: [`Answer`].

use feedrate::Instant;

use crate::close::Close;
use crate::close_code::CloseCode;

/// What a [`Receiver`](crate::Receiver) has to say to the peer: the [`Sender`](crate::Sender) of the same connection
/// says it. `()` says nothing, for those who only listen in.
pub trait Answer {
    /// A ping has come.
    fn pong(&mut self, payload: &[u8]);
    /// The peer's close frame has come, at the time `now`.
    fn closed(&mut self, close: Option<Close<'_>>, now: Instant);
    /// The peer broke a rule, at the time `now`: the close frame has this code.
    fn failed(&mut self, code: CloseCode, now: Instant);
}

impl Answer for () {
    fn pong(&mut self, _: &[u8]) {}
    fn closed(&mut self, _: Option<Close<'_>>, _: Instant) {}
    fn failed(&mut self, _: CloseCode, _: Instant) {}
}
