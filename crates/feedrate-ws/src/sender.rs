//! How messages become bytes: [`Sender`].

use core::fmt;

use feedrate::Storage;

use crate::close::{Close, CloseCode};
use crate::frame::{CONTROL, HEADER, Header, Opcode};
use crate::message::{Kind, Message, Piece, Text};
use crate::queue::{self, Queue};
use crate::receiver::{Answer, Role};

/// Where masking keys come from.
pub trait Keys {
    /// Which side has such keys.
    const ROLE: Role;

    /// The next frame's key, if frames are masked.
    fn next_key(&mut self) -> Option<[u8; 4]>;
}

/// A server masks nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unmasked;

impl Keys for Unmasked {
    const ROLE: Role = Role::Server;

    fn next_key(&mut self) -> Option<[u8; 4]> {
        None
    }
}

/// A client's keys must not be known beforehand by who gives it things to send (RFC 6455, section 10.3): a cryptographic generator makes them.
impl<F: FnMut() -> [u8; 4]> Keys for F {
    const ROLE: Role = Role::Client;

    fn next_key(&mut self) -> Option<[u8; 4]> {
        Some(self())
    }
}

/// Turns messages into bytes, and holds those until they are written.
///
/// * Data goes in order, up to the limit that the storage sets. What has no room is refused with [`SendError::Full`], is still the caller's, and nothing of it has been queued.
/// * Pings and pongs go before all data that has not begun: between two frames, of which long messages have many. While the peer does not take what it is sent, one pong waits at most: the last.
/// * The answer to the peer's close frame, and the close frame for a peer that breaks a rule, go behind what has been queued, as that answers what came before. A peer that does not take it is given up when the
///   time for closing is over. For one that breaks a rule while it does not take what it is sent, the close frame goes first and the data is dropped; and [`close_now`](Self::close_now) waits for nothing.
///
/// ```
/// use feedrate::Array;
/// use feedrate_ws::{Sender, SendError};
///
/// let mut sender = Sender::server(Array::<1024>::new());
/// sender.text("Hello")?;
/// // In the event loop, when the socket can be written:
/// let bytes = sender.transmit();
/// assert_eq!(bytes, b"\x81\x05Hello");
/// let written = 3; // as `write` says
/// sender.sent(written);
/// assert_eq!(sender.transmit(), b"ello");
/// # Ok::<(), SendError>(())
/// ```
pub struct Sender<S, K = Unmasked> {
    queue: Queue<S>,
    keys: K,
    /// Longer messages go in frames of this many bytes, so that a pong gets through.
    fragment: u32,
    /// The message that has been begun by [`piece`](Self::piece).
    message: Option<Kind>,
    closing: Closing,
    /// Milliseconds that closing may take.
    patience: u32,
    /// When closing has to have ended, once it has begun.
    until: u64,
    #[cfg(feature = "deflate")]
    pub(crate) deflate: Option<crate::deflate::Deflater>,
}

/// How far the closing handshake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Closing {
    /// Our close frame has been queued.
    said: bool,
    /// It is the last data frame of the queue, of this length: it can still be taken back.
    queued: u8,
    /// The peer's has come.
    heard: bool,
    /// There will be none: the peer broke a rule, or we gave up.
    failed: bool,
}

/// Why a message was not queued. It is still the caller's, and nothing of it is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The queue has no room for it now: try again when the peer has taken more.
    #[error("queue full: {needed} bytes needed, {free} free")]
    Full {
        /// Bytes that the message takes, headers included.
        needed: usize,
        /// Bytes that there is room for.
        free: usize,
    },
    /// The queue will never have room for it: send it in pieces.
    #[error("message takes {needed} bytes, and the queue holds {limit}")]
    TooLong {
        /// Bytes that the message takes, headers included.
        needed: usize,
        /// The most that the queue holds.
        limit: usize,
    },
    /// The close frame has been queued, and nothing goes after it.
    #[error("the connection is being closed")]
    Closing,
    /// A message has been begun in pieces, and has to end first.
    #[error("a message of pieces has not ended")]
    Unfinished,
    /// A control frame has 125 bytes of payload at most.
    #[error("control frame of {length} bytes, expected at most 125")]
    ControlTooLong {
        /// Bytes.
        length: usize,
    },
    /// The ping before it is still in the queue.
    #[error("a ping is waiting to be written")]
    PingPending,
}

/// What is to be done with the stream, apart from reading and writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing: the connection is open.
    Open,
    /// The connection is being closed. Go on reading and writing, but not beyond this time, in milliseconds.
    Closing {
        /// Then drop it.
        until: u64,
    },
    /// All has been said. Close the stream's sending half, then read, and drop, what comes until the peer closes its own, but not beyond this time.
    /// (To drop the stream at once could take from the peer what is on its way.)
    Linger {
        /// Then drop it.
        until: u64,
    },
    /// It took too long: drop the stream.
    Drop,
}

impl<S: Storage> Sender<S> {
    /// The sending half of a server's side. The storage bounds what is queued: 524 bytes of it are kept for control frames.
    pub const fn server(storage: S) -> Self {
        Self::new(storage, Unmasked)
    }
}

impl<S: Storage, F: FnMut() -> [u8; 4]> Sender<S, F> {
    /// The sending half of a client's side, with a source of [`Keys`]. The storage bounds what is queued: 524 bytes of it are kept for control frames.
    pub const fn client(storage: S, keys: F) -> Self {
        Self::new(storage, keys)
    }
}

impl<S: Storage, K: Keys> Sender<S, K> {
    const FRAGMENT: u32 = 64 * 1024;
    const PATIENCE: u32 = 5000;

    const fn new(storage: S, keys: K) -> Self {
        Self {
            queue: Queue::new(storage),
            keys,
            fragment: Self::FRAGMENT,
            message: None,
            closing: Closing { said: false, queued: 0, heard: false, failed: false },
            patience: Self::PATIENCE,
            until: u64::MAX,
            #[cfg(feature = "deflate")]
            deflate: None,
        }
    }

    /// Messages that are longer than `bytes` (64 KiB, if this is not called) go in frames of that length: a pong waits for one frame at most.
    #[must_use]
    pub fn with_fragments(mut self, bytes: u32) -> Self {
        self.fragment = bytes.max(1);
        self
    }

    /// Closing may take this many milliseconds (5000, if this is not called).
    #[must_use]
    pub const fn with_patience(mut self, milliseconds: u32) -> Self {
        self.patience = milliseconds;
        self
    }

    /// Compresses messages, as [agreed](crate::handshake).
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    #[must_use]
    pub fn with_deflate(mut self, params: Option<crate::deflate::Params>) -> Self {
        self.deflate = params.map(|params| params.deflater(K::ROLE));
        self
    }

    /// As [`with_deflate`](Self::with_deflate), for a client that cannot do without: if nothing was agreed on, the close frame is queued that says so (1010).
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    #[must_use]
    pub fn requiring_deflate(mut self, params: Option<crate::deflate::Params>) -> Self {
        if params.is_none() {
            self.cut_off(Close { code: CloseCode::EXTENSION, reason: "permessage-deflate" });
        }
        self.with_deflate(params)
    }

    /// Queues a message.
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

    /// As [`send`](Self::send), for long messages: what the stream takes at once is written from where it lies, and not copied.
    ///
    /// `write` is given what is queued, a header and the payload, and answers how many of these bytes it has written: 0, if the stream takes none now. The rest is queued, so there has to be room
    /// for the whole message. If the payload has to be masked or cut into frames, or a control frame waits, `write` is not called and all of it is queued.
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

    /// Queues a piece of a message: the first begins one, the one that says so ends it. Those that a [`Receiver`](crate::Receiver) hands out can be passed on as they are.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and [`SendError::Unfinished`] for a piece of the other kind than the message that has begun.
    pub fn piece(&mut self, piece: Piece<'_>) -> Result<(), SendError> {
        if self.message.is_some_and(|kind| kind != piece.kind) && !self.closing.said {
            return Err(SendError::Unfinished);
        }
        self.data(piece.kind, piece.bytes, self.message.is_none(), piece.last, Queue::push)?;
        self.message = (!piece.last).then_some(piece.kind);
        Ok(())
    }

    /// Queues a ping, before all data that has not begun.
    ///
    /// # Errors
    ///
    /// [`SendError::ControlTooLong`], [`SendError::PingPending`], [`SendError::Closing`].
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendError> {
        if payload.len() > CONTROL {
            return Err(SendError::ControlTooLong { length: payload.len() });
        }
        if self.closing.said {
            return Err(SendError::Closing);
        }
        if self.queue.has(Opcode::Ping) {
            return Err(SendError::PingPending);
        }
        let header = self.header(Opcode::Ping, payload);
        if self.queue.push_urgent(&header, payload) { Ok(()) } else { Err(self.full(payload.len())) }
    }

    /// Queues a close frame behind all that is queued, pings and pongs apart. A reason of more than 123 bytes ends at the last character that has room.
    ///
    /// # Errors
    ///
    /// [`SendError::Closing`], if there is one already; [`SendError::Full`], if there is no memory.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), SendError> {
        self.say_goodbye(Some(Close { code, reason }))
    }

    /// Queues a close frame before all data that has not begun, and drops that. Answers how many bytes that were, headers included.
    ///
    /// # Errors
    ///
    /// [`SendError::Closing`], if a close frame has been written already.
    pub fn close_now(&mut self, code: CloseCode, reason: &str) -> Result<usize, SendError> {
        let before = self.queue.unsent();
        if self.cut_off(Close { code, reason }) { Ok(before) } else { Err(SendError::Closing) }
    }

    /// What is to be written next; empty, if there is nothing. Say with [`sent`](Self::sent) how much of it has been, before anything else is
    /// queued or fed: a pong that comes between the two would change what is next.
    #[inline]
    pub fn transmit(&self) -> &[u8] {
        self.queue.next()
    }

    /// `n` bytes of [`transmit`](Self::transmit) have been written. To say so of fewer bytes than there were is what tells the sender that the peer does not take what it is sent.
    #[inline]
    pub fn sent(&mut self, n: usize) {
        self.queue.sent(n);
    }

    /// Bytes that have been queued and not written.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Bytes of data, headers included, that there is room for. (Room is made once a quarter of the queue has been written.)
    pub fn free(&mut self) -> usize {
        self.queue.free()
    }

    /// Whether a close frame has been queued, ours or the answer to the peer's: nothing more can be sent.
    pub const fn is_closing(&self) -> bool {
        self.closing.said
    }

    /// What is to be done with the stream at the time `now`, in milliseconds of any clock that does not go back.
    ///
    /// The time for closing runs from the first call after a close frame has been queued or received: call it whenever something has been fed or sent.
    pub fn next(&mut self, now: u64) -> Next {
        if !self.closing.said {
            return Next::Open;
        }
        self.until = self.until.min(now.saturating_add(u64::from(self.patience)));
        let until = self.until;
        if now >= until {
            return Next::Drop;
        }
        if self.queue.len() > 0 {
            return Next::Closing { until };
        }
        match (self.closing.failed, self.closing.heard, K::ROLE) {
            // RFC 6455, section 7.1.1: the server closes first, and so has the TIME_WAIT.
            (false, false, _) | (false, true, Role::Client) => Next::Closing { until },
            (true, _, _) | (false, true, Role::Server) => Next::Linger { until },
        }
    }

    /// Gives memory back to the heap, if nothing is queued. For connections that have been idle for a while.
    pub fn release(&mut self) {
        self.queue.release();
        #[cfg(feature = "deflate")]
        if let Some(deflate) = &mut self.deflate {
            deflate.release();
        }
    }

    /// The storage.
    pub const fn storage(&self) -> &S {
        self.queue.storage()
    }

    /// `push` queues what goes in one frame.
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
        if let Some(deflate) = &mut self.deflate {
            if let Some(compressed) = deflate.compress(bytes, first, last) {
                let header = Header { fin: last, rsv1: first, opcode, mask: None, length: 0 };
                let result = frames(&mut self.queue, &mut self.keys, self.fragment, header, compressed, push);
                deflate.sent(result.is_ok());
                return result;
            }
        }
        let header = Header { fin: last, rsv1: false, opcode, mask: None, length: 0 };
        frames(&mut self.queue, &mut self.keys, self.fragment, header, bytes, push)
    }

    fn header(&mut self, opcode: Opcode, payload: &[u8]) -> Header {
        let length = u64::try_from(payload.len()).unwrap_or(u64::MAX);
        Header { fin: true, rsv1: false, opcode, mask: self.keys.next_key(), length }
    }

    fn full(&mut self, needed: usize) -> SendError {
        SendError::Full { needed, free: self.queue.free() }
    }

    fn say_goodbye(&mut self, close: Option<Close<'_>>) -> Result<(), SendError> {
        if self.closing.said {
            return Err(SendError::Closing);
        }
        let (bytes, n) = close.map_or(([0; CONTROL], 0), Close::to_bytes);
        let payload = bytes.get(..n).unwrap_or_default();
        let header = self.header(Opcode::Close, payload);
        let before = self.queue.mark();
        if !self.queue.push(&header, payload) {
            return Err(self.full(n));
        }
        self.closing.said = true;
        self.closing.queued = u8::try_from(self.queue.mark().saturating_sub(before)).unwrap_or(u8::MAX);
        Ok(())
    }

    /// Whether a close frame is the last data frame of the queue, and has not begun.
    fn is_close_waiting(&self) -> bool {
        usize::from(self.closing.queued) <= self.queue.unsent()
    }

    /// Behind what has been queued: that answers what came before.
    fn answer_close(&mut self, close: Option<Close<'_>>) {
        if !self.closing.said && self.say_goodbye(close).is_err() {
            // Without memory there is nothing to be said.
            self.closing.said = true;
        }
    }

    /// Closes before all that has not begun. `false`: a close frame is on the wire already.
    fn cut_off(&mut self, close: Close<'_>) -> bool {
        if self.closing.said && !self.is_close_waiting() {
            return false;
        }
        self.queue.drop_unsent();
        let (bytes, n) = close.to_bytes();
        let payload = bytes.get(..n).unwrap_or_default();
        let header = self.header(Opcode::Close, payload);
        // It cannot fail for want of room, and without memory there is nothing to be said.
        self.queue.push_urgent(&header, payload);
        (self.closing.said, self.closing.queued) = (true, u8::MAX);
        true
    }
}

impl<S: Storage, K: Keys> Answer for Sender<S, K> {
    fn pong(&mut self, payload: &[u8]) {
        // Nothing goes behind a close frame that has begun.
        if (!self.closing.said || self.is_close_waiting()) && !self.closing.heard {
            let header = self.header(Opcode::Pong, payload);
            self.queue.push_pong(&header, payload);
        }
    }

    fn closed(&mut self, close: Option<Close<'_>>) {
        self.closing.heard = true;
        self.answer_close(close);
    }

    fn failed(&mut self, code: CloseCode) {
        self.closing.failed = true;
        let close = Close { code, reason: "" };
        if self.queue.is_blocked() {
            self.cut_off(close);
            return;
        }
        if self.closing.said && self.is_close_waiting() {
            self.queue.drop_last(usize::from(self.closing.queued));
            self.closing.said = false;
        }
        self.answer_close(Some(close));
    }
}

/// Queues a message, or a piece of one, in as many frames as it takes: all or nothing.
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

#[inline(never)]
fn in_frames<S: Storage, K: Keys>(
    queue: &mut Queue<S>,
    keys: &mut K,
    fragment: usize,
    first: Header,
    payload: &[u8],
) -> Result<(), SendError> {
    let free = queue.free();
    let needed = payload.len().saturating_add(queue::headers(payload.len(), fragment));
    if needed > free {
        let limit = queue.limit();
        let too_long = needed > limit;
        return Err(if too_long {
            SendError::TooLong { needed, limit }
        } else {
            SendError::Full { needed, free }
        });
    }
    let mark = queue.mark();
    let (mut opcode, mut rsv1, mut rest) = (first.opcode, first.rsv1, payload);
    loop {
        let (now, later) = rest.split_at_checked(fragment).unwrap_or((rest, &[]));
        let length = u64::try_from(now.len()).unwrap_or(u64::MAX);
        let fin = first.fin && later.is_empty();
        let header = Header { fin, rsv1, opcode, mask: keys.next_key(), length };
        if !queue.push(&header, now) {
            queue.rewind(mark);
            return Err(SendError::Full { needed, free: 0 });
        }
        if later.is_empty() {
            return Ok(());
        }
        (opcode, rsv1, rest) = (Opcode::Continuation, false, later);
    }
}

impl<S: Storage, K> fmt::Debug for Sender<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("queued", &self.queue.len())
            .field("closing", &self.closing)
            .finish_non_exhaustive()
    }
}
