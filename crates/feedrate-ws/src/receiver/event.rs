//! What a [`Receiver`](crate::Receiver) reports.

use crate::close::Close;
use crate::error::Error;

/// The result of `feed`. Internal functions return the same type, so that nothing has to be moved on the way.
pub(crate) type Fed<'a, M> = Result<Option<Event<'a, M>>, Error>;

/// An event. `M` is a whole [`Message`](crate::Message), or a [`Piece`](crate::Piece) of one.
///
/// The [`Sender`](crate::Sender) that was passed to `feed` has already queued any answer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum Event<'a, M> {
    /// Data.
    Message(M),
    /// The peer asked for a pong, which has been queued.
    Ping(&'a [u8]),
    /// The peer answered a ping, or sent this unsolicited.
    Pong(&'a [u8]),
    /// The peer's last frame, and the last event. The answer has been queued, unless this side closed first.
    Closed(Option<Close<'a>>),
}
