//! A decoder's state between two calls.

use core::fmt;

use crate::protocol::Protocol;
use crate::storage::Storage;

/// Turns byte slices into messages.
///
/// `P` is the [`Protocol`], `S` the [`Storage`] for messages that come in pieces. See the [crate's front page](crate)
/// for the loop and the promises.
pub struct Decoder<P: Protocol, S> {
    pub(super) protocol: P,
    pub(super) storage: S,
    pub(super) state: State<P::Error>,
    /// Messages shorter than this may be lent from the input at once. 0 while unused bytes are held or the stream is
    /// lost.
    pub(super) room: usize,
}

pub(super) enum State<E> {
    /// The storage is empty: messages are lent from the input.
    Direct,
    /// The storage holds bytes. Those before `from` are used up, though the caller may still borrow them.
    Stored {
        from: usize,
        seen: Seen,
    },
    /// This many bytes of a refused message are still to come.
    Passing(usize),
    /// A delimited message was refused: everything up to the delimiter belongs to it.
    Until {
        delimiter: &'static [u8],
        matched: usize,
    },
    /// Everything up to the next silence belongs to what was refused.
    Noise,
    Lost(E),
}

/// What is known about the held message, so that nothing is computed or searched for twice.
#[derive(Clone, Copy)]
pub(super) enum Seen {
    /// How long it is; 0 if that is not known.
    Length(usize),
    /// Its first `searched` bytes contain no delimiter, and the last `matched` of those are the beginning of one.
    Bytes { searched: usize, matched: usize },
}

impl Seen {
    pub(super) const NOTHING: Self = Self::Length(0);
}

impl<P: Protocol + fmt::Debug, S: Storage> fmt::Debug for Decoder<P, S> {
    /// Shows how many bytes are held, not the bytes: they may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("protocol", &self.protocol)
            .field("pending", &self.pending().len())
            .field("lost", &self.is_lost())
            .finish_non_exhaustive()
    }
}
