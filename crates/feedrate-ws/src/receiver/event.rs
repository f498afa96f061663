//! What a [`Receiver`](crate::Receiver) reports.

use crate::close::Close;
use crate::error::Error;

/// What `feed` returns. Everything below it returns the same, so that nothing is moved on the way.
pub(crate) type Fed<'a, M> = Result<Option<Event<'a, M>>, Error>;

/// What has happened. `M` is a whole [`Message`](crate::Message), or a [`Piece`](crate::Piece) of one.
///
/// The [`Sender`](crate::Sender) that `feed` was given has already queued what has to be said about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum Event<'a, M> {
    /// Data.
    Message(M),
    /// The peer asked for a pong, which has been queued.
    Ping(&'a [u8]),
    /// The peer answered a ping, or sent this unasked.
    Pong(&'a [u8]),
    /// The peer's last frame, and the last event. The answer has been queued, unless this side closed first.
    Closed(Option<Close<'a>>),
}
