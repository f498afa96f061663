//! How messages become bytes: [`Sender`].

mod answer;
mod close;
mod closing;
mod error;
mod keys;
mod message;
mod ping;
mod queue;

use core::fmt;
use core::time::Duration;

use feedrate::{Instant, Output, Storage};

use self::closing::Closing;
use self::queue::Queue;
#[cfg(feature = "deflate")]
use crate::deflate::{Deflater, Params};
use crate::header::{HEADER, Header};
use crate::opcode::{Kind, Opcode};

pub use self::closing::StreamEvent;
pub use self::error::SendError;
pub use self::keys::{Keys, Unmasked};
pub use self::queue::RESERVED;

/// Turns messages into bytes, and holds them until they are written.
///
/// * Data is sent in order. The storage limits how much can be queued. A message for which there is no room is refused
///   with [`SendError::Full`]; none of it has been queued or [compressed](Self::send) then.
/// * Pings and pongs overtake data: they go before the next frame, and long messages have many frames. While the peer
///   does not accept data, at most one pong waits: the latest.
/// * The answer to the peer's close frame, and the close frame after a violation, go after everything queued so far,
///   which answers earlier messages. A peer that does not accept it is given up at the closing deadline. If a peer that
///   does not accept data breaks a rule, the close frame goes first and the data is dropped.
///   [`close_now`](Self::close_now) does the same at any time.
///
/// Bytes leave in one of two ways. [`poll_transmit`](Self::poll_transmit) copies them into the caller's buffer.
/// [`transmit`](Self::transmit) lends them for a write, after which [`transmitted`](Self::transmitted) has to be called
/// with the number of bytes written.
///
/// ```
/// use feedrate::Array;
/// use feedrate_ws::{SendError, Sender};
///
/// let mut sender = Sender::server(Array::<1024>::new());
/// sender.text("Hello")?;
/// // In the event loop, when the socket is writable:
/// let bytes = sender.transmit();
/// assert_eq!(bytes, b"\x81\x05Hello");
/// let written = 3; // as `write` says
/// sender.transmitted(written);
/// assert_eq!(sender.transmit(), b"ello");
/// # Ok::<(), SendError>(())
/// ```
pub struct Sender<S, K = Unmasked> {
    queue: Queue<S>,
    keys: K,
    /// Longer messages are split into frames of this many bytes, so that a pong gets through.
    fragment: u32,
    /// Milliseconds that closing may take.
    patience: u32,
    /// The deadline for closing, once it has begun.
    until: Instant,
    closing: Closing,
    /// The kind of the message begun by [`piece`](Self::piece).
    message: Option<Kind>,
    #[cfg(feature = "deflate")]
    deflate: Option<Deflater>,
}

impl<S: Storage> Sender<S> {
    /// A server's sender. The storage limits what is queued: 524 bytes of it ([`RESERVED`](crate::frame::RESERVED)) are
    /// reserved for control frames, and the rest is for messages and their headers, 14 bytes for each frame.
    /// [`longest_message`](Self::longest_message) returns how long a message may be.
    pub const fn server(storage: S) -> Self {
        Self::new(storage, Unmasked)
    }
}

impl<S: Storage, F: FnMut() -> [u8; 4]> Sender<S, F> {
    /// A client's sender, with a source of [`Keys`]. The storage limits what is queued, as for a
    /// [server](Sender::server).
    pub const fn client(storage: S, keys: F) -> Self {
        Self::new(storage, keys)
    }
}

impl<S: Storage, K: Keys> Sender<S, K> {
    const FRAGMENT: u32 = 64 * 1024;
    const PATIENCE: u32 = 5_000;

    const fn new(storage: S, keys: K) -> Self {
        Self {
            queue: Queue::new(storage),
            keys,
            fragment: Self::FRAGMENT,
            patience: Self::PATIENCE,
            until: Instant::MAX,
            closing: Closing::new(),
            message: None,
            #[cfg(feature = "deflate")]
            deflate: None,
        }
    }

    /// Splits messages that are longer than `bytes` into frames of that length, so that a pong waits for at most one
    /// frame. The default is 64 KiB.
    #[must_use]
    pub const fn fragments(mut self, bytes: u32) -> Self {
        self.fragment = if bytes == 0 { 1 } else { bytes };
        self
    }

    /// Sets how long closing may take. The default is 5 seconds. It is rounded up to milliseconds, and limited to 2^32
    /// - 1 of them.
    ///
    /// ```
    /// use core::time::Duration;
    /// use feedrate::{Array, Instant};
    /// use feedrate_ws::{CloseCode, SendError, Sender};
    ///
    /// let mut sender = Sender::server(Array::<1024>::new()).patience(Duration::from_secs(2));
    /// assert_eq!(sender.deadline(), None);
    /// sender.close(CloseCode::GOING_AWAY, "", Instant::from_millis(500))?;
    /// assert_eq!(sender.deadline(), Some(Instant::from_millis(2_500)));
    /// # Ok::<(), SendError>(())
    /// ```
    #[must_use]
    pub const fn patience(mut self, time: Duration) -> Self {
        self.patience = millis(time);
        self
    }

    /// Enables compression, as [agreed](crate::handshake).
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    #[must_use]
    pub fn deflate(mut self, params: Option<Params>) -> Self {
        self.deflate = params.map(|params| params.deflater(K::ROLE));
        self
    }

    /// As [`deflate`](Self::deflate), for a client that requires compression: if none was agreed on, a close frame with
    /// code 1010 is queued.
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    #[must_use]
    pub fn require_deflate(mut self, params: Option<Params>, now: Instant) -> Self {
        if params.is_none() {
            self.miss("permessage-deflate", now);
        }
        self.deflate(params)
    }

    /// Copies the next bytes to be written into `out`, as many as it has room for, and returns how many; 0 if there are
    /// none, or no room. For a buffer that a DMA or another task writes from.
    ///
    /// It combines [`transmit`](Self::transmit) and [`transmitted`](Self::transmitted), at the cost of a copy: with a
    /// socket, call those instead. If `out` has too little room, that counts as a peer that does not accept data.
    ///
    /// ```
    /// use feedrate::{Array, SliceOutput};
    /// use feedrate_ws::{SendError, Sender};
    ///
    /// let mut sender = Sender::server(Array::<1024>::new());
    /// sender.text("Hello")?;
    /// let mut memory = [0; 4];
    /// assert_eq!(sender.poll_transmit(&mut SliceOutput::new(&mut memory)), 4);
    /// assert_eq!(&memory, b"\x81\x05He");
    /// assert_eq!(sender.poll_transmit(&mut SliceOutput::new(&mut memory)), 3);
    /// assert_eq!(sender.poll_transmit(&mut SliceOutput::new(&mut memory)), 0);
    /// assert_eq!(&memory[..3], b"llo");
    /// # Ok::<(), SendError>(())
    /// ```
    #[must_use = "bytes have been taken from the queue, and have to be written"]
    pub fn poll_transmit(&mut self, out: &mut impl Output) -> usize {
        // An output does not report how much room it has, so try smaller and smaller halves.
        let (mut total, mut most) = (0_usize, usize::MAX);
        loop {
            let next = self.queue.next();
            let n = next.len().min(most);
            if n == 0 {
                break;
            }
            if out.put(next.get(..n).unwrap_or_default()).is_ok() {
                self.queue.sent(n);
                total = total.saturating_add(n);
            } else {
                most = n / 2;
            }
        }
        if self.queue.len() > 0 {
            self.queue.sent(0);
        }
        total
    }

    /// The bytes to be written next; empty if there are none. After writing, call [`transmitted`](Self::transmitted)
    /// before anything else is queued or fed: a pong in between would change what is next.
    #[inline]
    pub fn transmit(&self) -> &[u8] {
        self.queue.next()
    }

    /// Reports that `n` bytes of [`transmit`](Self::transmit) have been written. If that is fewer than there were, the
    /// sender concludes that the peer does not accept data at present.
    #[inline]
    pub fn transmitted(&mut self, n: usize) {
        self.queue.sent(n);
    }

    /// Bytes that are queued and not written yet.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Free room for data in bytes, headers included. (Written bytes become free once they are a quarter of the queue.)
    pub fn free(&mut self) -> usize {
        self.queue.free()
    }

    /// Gives memory back to the heap if nothing is queued. For connections that have been idle for a while.
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

    /// The longest message that fits into the empty queue, in bytes; longer ones can be sent in [pieces](Self::piece).
    /// `None`: the storage is too small for any, and all are refused with [`SendError::TooLong`].
    ///
    /// A program that reads its sizes from a configuration should check this after creating the sender.
    /// [`Receiver::longest_message`](crate::Receiver::longest_message) is the same for the receiver.
    ///
    /// ```
    /// use feedrate::Grow;
    /// use feedrate_ws::Sender;
    /// use feedrate_ws::frame::{HEADER, RESERVED};
    ///
    /// assert_eq!(Sender::server(Grow::new(RESERVED + HEADER + 1000)).longest_message(), Some(1000));
    /// assert_eq!(Sender::server(Grow::new(400)).longest_message(), None);
    /// ```
    pub fn longest_message(&self) -> Option<u64> {
        let limit = self.queue.limit();
        let fragment = usize::try_from(self.fragment).unwrap_or(usize::MAX);
        let longest = u64::try_from(queue::longest(limit, fragment)).unwrap_or(u64::MAX);
        (limit >= HEADER).then_some(longest)
    }

    fn header(&mut self, opcode: Opcode, payload: &[u8]) -> Header {
        let length = u64::try_from(payload.len()).unwrap_or(u64::MAX);
        Header { fin: true, rsv1: false, opcode, mask: self.keys.next_key(), length }
    }

    fn full(&mut self, needed: usize) -> SendError {
        SendError::Full { needed, free: self.queue.free() }
    }
}

/// As milliseconds, rounded up and saturated.
const fn millis(time: Duration) -> u32 {
    // Not `as`, nor `u64::from`, which is not `const`; and 128 bits are expensive on a 32-bit processor.
    let [a, b, c, d] = time.subsec_micros().div_ceil(1_000).to_le_bytes();
    let rest = u64::from_le_bytes([a, b, c, d, 0, 0, 0, 0]);
    match time.as_secs().saturating_mul(1_000).saturating_add(rest).to_le_bytes() {
        [a, b, c, d, 0, 0, 0, 0] => u32::from_le_bytes([a, b, c, d]),
        _ => u32::MAX,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_in_whole_milliseconds() {
        assert_eq!(millis(Duration::ZERO), 0);
        assert_eq!(millis(Duration::from_micros(1)), 1);
        assert_eq!(millis(Duration::new(2, 345_000_000)), 2_345);
        assert_eq!(millis(Duration::from_millis(u64::from(u32::MAX))), u32::MAX);
        assert_eq!(millis(Duration::from_millis(u64::from(u32::MAX) + 1)), u32::MAX);
        assert_eq!(millis(Duration::MAX), u32::MAX);
    }
}
