//! Messages, whole and in pieces, as data frames: RFC 6455, section 5.4.

use feedrate::Storage;

use super::Sender;
use super::error::SendError;
use super::keys::Keys;
use super::queue::{self, Queue};
#[cfg(feature = "deflate")]
use crate::deflate::Deflater;
use crate::header::{HEADER, Header};
use crate::message::{Message, Piece, Text};
use crate::opcode::{Kind, Opcode};

impl<S: Storage, K: Keys> Sender<S, K> {
    /// Queues a message.
    ///
    /// There has to be room for the whole uncompressed message, even if it will be compressed. So whether it is refused
    /// does not depend on its content, and refusing it again and again costs no work. If compression would make it
    /// longer than the room left, it is sent uncompressed.
    ///
    /// # Errors
    ///
    /// See [`SendError`]. Nothing has been queued then.
    #[inline]
    pub fn send<'a>(&mut self, message: impl Into<Message<'a>>) -> Result<(), SendError> {
        let message = message.into();
        if self.message.is_some() && !self.closing.said {
            return Err(SendError::Unfinished);
        }
        self.data(message.kind(), message.as_bytes(), true, true, Queue::push)
    }

    /// As [`send`](Self::send), for long messages: what the stream accepts at once is written directly, without a copy.
    ///
    /// `write` gets the bytes that are queued, a header and the payload, and returns how many of them it has written: 0
    /// if the stream accepts none now. The rest is queued, so there has to be room for the whole message. If the
    /// payload has to be masked or cut into frames, or a control frame is waiting, `write` is not called and all of it
    /// is queued.
    ///
    /// ```
    /// use std::io::{IoSlice, Write};
    ///
    /// use feedrate::Grow;
    /// use feedrate_ws::{Message, Sender, SendError};
    ///
    /// let mut socket = Vec::new(); // a socket that does not block
    /// let mut sender = Sender::server(Grow::new(1 << 20));
    /// sender.text("before")?;
    /// sender.send_vectored("long", |parts| socket.write_vectored(&parts.map(IoSlice::new)).unwrap_or(0))?;
    /// assert_eq!(socket, b"\x81\x06before\x81\x04long");
    /// assert_eq!(sender.queued(), 0);
    /// # Ok::<(), SendError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send). Nothing has been written then.
    pub fn send_vectored<'a>(
        &mut self,
        message: impl Into<Message<'a>>,
        write: impl FnOnce([&[u8]; 3]) -> usize,
    ) -> Result<(), SendError> {
        let message = message.into();
        if self.message.is_some() && !self.closing.said {
            return Err(SendError::Unfinished);
        }
        let push =
            |queue: &mut Queue<S>, header: &_, payload: &_| queue.push_vectored(header, payload, write);
        self.data(message.kind(), message.as_bytes(), true, true, push)
    }

    /// Queues a text message.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    #[inline]
    pub fn text<'a>(&mut self, text: impl Into<Text<'a>>) -> Result<(), SendError> {
        self.send(Message::Text(text.into()))
    }

    /// Queues a binary message.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    #[inline]
    pub fn binary(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        self.send(Message::Binary(bytes))
    }

    /// Queues a piece of a message. The first piece begins a message, and the one marked as last ends it. Pieces from a
    /// [`Receiver`](crate::Receiver) can be passed on unchanged.
    ///
    /// For a piece of a compressed message there has to be room for its length plus 6 bytes, and 5 more for each 64
    /// KiB.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and [`SendError::Unfinished`] for a piece whose kind differs from that of the message
    /// that has begun.
    pub fn piece(&mut self, piece: Piece<'_>) -> Result<(), SendError> {
        if self.message.is_some_and(|kind| kind != piece.kind) && !self.closing.said {
            return Err(SendError::Unfinished);
        }
        self.data(piece.kind, piece.bytes, self.message.is_none(), piece.last, Queue::push)?;
        self.message = (!piece.last).then_some(piece.kind);
        Ok(())
    }

    /// `push` queues messages that fit into one frame.
    #[inline]
    fn data(
        &mut self,
        kind: Kind,
        bytes: &[u8],
        first: bool,
        last: bool,
        push: impl FnOnce(&mut Queue<S>, &Header, &[u8]) -> bool,
    ) -> Result<(), SendError> {
        if self.closing.said {
            return Err(SendError::Closing);
        }
        let opcode = if first { kind.opcode() } else { Opcode::Continuation };
        #[cfg(feature = "deflate")]
        if let Some(deflate) = self.deflate.as_mut().filter(|deflate| deflate.wants(bytes, first, last)) {
            // Checked before any work: a refused caller may try again many times.
            let fragment = usize::try_from(self.fragment).unwrap_or(usize::MAX);
            let free = room(&mut self.queue, fragment, Deflater::longest(bytes, first && last))?;
            let most = queue::longest(free, fragment);
            if let Some(compressed) = deflate.compress(bytes, first, last, most) {
                let header = Header { fin: last, rsv1: first, opcode, mask: None, length: 0 };
                let result = frames(&mut self.queue, &mut self.keys, self.fragment, header, compressed, push);
                deflate.sent(result.is_ok());
                return result;
            }
        }
        let header = Header { fin: last, rsv1: false, opcode, mask: None, length: 0 };
        frames(&mut self.queue, &mut self.keys, self.fragment, header, bytes, push)
    }
}

/// Queues a message, or a piece of one, in as many frames as needed: all or nothing.
#[inline]
fn frames<S: Storage, K: Keys>(
    queue: &mut Queue<S>,
    keys: &mut K,
    fragment: u32,
    first: Header,
    payload: &[u8],
    push: impl FnOnce(&mut Queue<S>, &Header, &[u8]) -> bool,
) -> Result<(), SendError> {
    let fragment = usize::try_from(fragment).unwrap_or(usize::MAX);
    let free = queue.free();
    // The common case, in a few instructions.
    if payload.len() <= fragment && payload.len().saturating_add(HEADER) <= free {
        let length = u64::try_from(payload.len()).unwrap_or(u64::MAX);
        let header = Header { length, mask: keys.next_key(), ..first };
        if push(queue, &header, payload) {
            return Ok(());
        }
    }
    in_frames(queue, keys, fragment, first, payload)
}

/// Checks that there is room for a payload of this length, and returns how much room there is.
fn room<S: Storage>(queue: &mut Queue<S>, fragment: usize, length: usize) -> Result<usize, SendError> {
    let (needed, free, limit) = (queue::framed(length, fragment), queue.free(), queue.limit());
    if needed <= free {
        Ok(free)
    } else if needed <= limit {
        Err(SendError::Full { needed, free })
    } else {
        Err(SendError::TooLong { needed, limit })
    }
}

#[inline(never)]
fn in_frames<S: Storage, K: Keys>(
    queue: &mut Queue<S>,
    keys: &mut K,
    fragment: usize,
    first: Header,
    payload: &[u8],
) -> Result<(), SendError> {
    room(queue, fragment, payload.len())?;
    let mark = queue.mark();
    let (mut opcode, mut rsv1, mut rest) = (first.opcode, first.rsv1, payload);
    loop {
        let (now, later) = rest.split_at_checked(fragment).unwrap_or((rest, &[]));
        let length = u64::try_from(now.len()).unwrap_or(u64::MAX);
        let fin = first.fin && later.is_empty();
        let header = Header { fin, rsv1, opcode, mask: keys.next_key(), length };
        if !queue.push(&header, now) {
            queue.rewind(mark);
            return Err(SendError::Full { needed: queue::framed(payload.len(), fragment), free: 0 });
        }
        if later.is_empty() {
            return Ok(());
        }
        (opcode, rsv1, rest) = (Opcode::Continuation, false, later);
    }
}
