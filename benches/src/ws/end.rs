//! What a contender has to be able to do, and what is seen of the messages that it reads.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::wire::Wire;
use crate::Sum;

/// Of every mask.
pub(super) const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads masked frames, writes plain ones.
    Server,
    /// The other way round.
    Client,
}

/// What was seen of the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Visited {
    pub messages: usize,
    pub sum: Sum,
}

impl Visited {
    #[inline]
    pub fn message(&mut self, payload: &[u8]) {
        self.messages += 1;
        self.sum.bytes(payload);
    }

    /// All pieces of a message are seen as the whole of it would be.
    #[inline]
    pub fn piece(&mut self, bytes: &[u8], first: bool, last: bool) {
        self.sum.add(bytes.len());
        if first {
            self.sum.add(bytes.first().copied().unwrap_or_default().into());
        }
        self.messages += usize::from(last);
    }
}

/// One end of an open connection.
pub trait End: Sized + 'static {
    /// `text` is what [`encode`](Self::encode) is to send, in whatever form costs least to send many times.
    fn open(wire: Wire, role: Role, text: &str) -> Self;

    /// Reads so many messages, and looks at each as a whole.
    fn decode(&mut self, messages: usize) -> Visited;

    /// Writes the text so many times as a message of its own, and leaves nothing unwritten.
    fn encode(&mut self, times: usize);

    /// Reads one message and sends it back.
    fn echo(&mut self);

    /// Bytes of state but for the heap: without the wire, and without what is here only for the measuring.
    fn state() -> usize;

    /// Bytes on the heap that are the caller's: between messages, other connections can use them.
    fn lent(&self) -> usize {
        0
    }

    /// Bytes of the future that waits for a message, where there is one.
    fn waiting(&mut self) -> usize {
        0
    }
}

/// What the future answers: the wire always has what it wants.
#[inline(always)]
pub(super) fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the wire never waits"),
    }
}
