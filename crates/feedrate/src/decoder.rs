//! How bytes become messages: [`Decoder::feed`], and [`Decoder::ready`] with [`Decoder::take`].
//!
//! ```text
//!            extent(head)                 check(frame)                parse(bytes)
//!  input ──► how far does it reach? ────► may it be believed? ──► lend ──► what is it? ──► Message<'a>
//!            numbers only                 looks, changes nothing  │
//!                                                                 ├─ from `input`, when it is whole there
//!                                                                 └─ from the storage, when it came in pieces
//! ```
//!
//! Everything up to `lend` works on plain numbers ([`advance`](Decoder::advance)), so that the borrow comes last.
//! Limits, resynchronisation and byte accounting are implemented here, once for all protocols.

mod advance;
mod state;

use self::advance::{Advance, Line};
pub use self::state::Decoder;
use self::state::{Seen, State};
use crate::error::{Error, Fault};
use crate::input::sealed::Bytes as _;
use crate::input::{Buffer, Input};

#[cfg(doc)]
use crate::protocol::Recovery;
use crate::protocol::{Extent, Protocol};
use crate::storage::Storage;

/// A message that can be [taken](Decoder::take). Dropping this loses nothing: the next call of
/// [`ready`](Decoder::ready) finds the message again.
#[derive(Debug)]
#[must_use = "the message is not taken before `take` is called"]
pub struct Ready {
    length: usize,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the front of the input; for a buffer, starting at this byte.
    Input(usize),
    /// The same, of a message that [`Protocol::glance`] measured.
    Glanced(usize),
    /// In the storage, starting at this byte.
    Stored(usize),
}

impl<P: Protocol, S: Storage> Decoder<P, S> {
    /// A decoder at the beginning of a stream.
    ///
    /// The storage's limit is the length of the longest message that is accepted whole, even if it is never copied
    /// there.
    pub const fn new(protocol: P, storage: S) -> Self {
        // The state in which bytes were held and are used up. It does not call the storage, so this can be `const`.
        Self { protocol, storage, state: State::Stored { from: 0, seen: Seen::NOTHING }, room: 0 }
    }

    /// Takes bytes off the front of `input`, up to the end of the next message, and hands that message out.
    ///
    /// `Ok(None)` means that `input` is empty. Nothing past the message is touched, so the rest can go to another
    /// decoder, for example after an upgrade. A message that is complete in `input` is borrowed from there, one that
    /// came in pieces from the storage. (There are two exceptions. A protocol that [hunts](Recovery::Hunt) rescans
    /// bytes it has taken, and so may hold bytes past the message: see [`pending`](Self::pending). A protocol that
    /// changes its bytes does so in place in `&mut [u8]`, and in the storage if the input is `&[u8]`.)
    ///
    /// # Errors
    ///
    /// [`Error::Message`] for one malformed message: call again. [`Error::Lost`] when the stream is lost: the bytes
    /// from the malformed header on stay where they are, in [`pending`](Self::pending) and `input`.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    #[cfg_attr(target_os = "none", inline(never))]
    pub fn feed<'a, 'i: 'a, I: Input<'i>>(
        &'a mut self,
        input: &mut I,
    ) -> Result<Option<P::Message<'a>>, Error<P::Error>> {
        // The common case, small enough to be inlined into the caller's loop.
        let mut known = 0;
        if let Some(length) = self.measure(input.bytes()) {
            let lends = I::MUTABLE || P::Bytes::<'a>::SHARED;
            if length < self.room && length <= input.bytes().len() && lends {
                if let Some(frame) = input.take(length).lend() {
                    return self.protocol.quick(frame).map(Some).map_err(Error::Message);
                }
            }
            known = length;
        }
        let mut error = None;
        let Advance { taken, length } = self.advance(input.bytes(), known, Line::Open, &mut error);
        input.take(taken);
        if length == Advance::NOTHING {
            return error.map_or(Ok(None), Err);
        }
        let frame = if let State::Stored { from, .. } = self.state {
            P::Bytes::mutable(take_stored(&mut self.storage, &mut self.state, &mut self.room, (from, length)))
        } else if I::MUTABLE || P::Bytes::<'a>::SHARED {
            let Some(frame) = input.take(length).lend() else { return Ok(None) };
            frame
        } else {
            let length = self.store(input.bytes(), length)?;
            input.take(length);
            P::Bytes::mutable(take_stored(&mut self.storage, &mut self.state, &mut self.room, (0, length)))
        };
        self.protocol.parse(frame).map(Some).map_err(Error::Message)
    }

    /// The first half of [`feed`](Self::feed): whether there is a message. [`take`](Self::take) then returns it. Two
    /// calls are needed in a client whose own function reads until there is a message and then returns it borrowed:
    /// with one call the borrow checker rejects that loop. [`Buffer`] shows it. `Ok(None)` means that the buffer is
    /// empty.
    ///
    /// # Errors
    ///
    /// As [`feed`](Self::feed).
    pub fn ready<M: AsRef<[u8]> + AsMut<[u8]>>(
        &mut self,
        buffer: &mut Buffer<M>,
    ) -> Result<Option<Ready>, Error<P::Error>> {
        let unread = buffer.unread();
        let known = self.measure(unread).unwrap_or(0);
        if known > 0 && known < self.room && known <= unread.len() {
            return Ok(Some(Ready { length: known, place: Place::Input(buffer.start()) }));
        }
        let mut error = None;
        let Advance { taken, length } = self.advance(unread, known, Line::Open, &mut error);
        buffer.consume(taken);
        if length == Advance::NOTHING {
            return error.map_or(Ok(None), Err);
        }
        let place = match self.state {
            State::Stored { from, .. } => Place::Stored(from),
            _ => Place::Input(buffer.start()),
        };
        Ok(Some(Ready { length, place }))
    }

    /// What [`ready`](Self::ready) finds at one glance: most messages that are whole in the buffer, at the cost of a
    /// few instructions. `None` says nothing: call `ready`. For an adapter that wants to wait for nothing, and to pay
    /// for no future, where a message is there.
    ///
    /// ```
    /// use feedrate::{Array, Buffer, Decoder, pg::Backend};
    ///
    /// let mut decoder = Decoder::new(Backend::established(), Array::<64>::new());
    /// let mut buffer = Buffer::new([0; 64]);
    /// buffer.space()[..6].copy_from_slice(b"Z\0\0\0\x05I");
    /// buffer.filled(6);
    /// // A new decoder looks twice at its first message. On targets without an operating system, all do always.
    /// let ready = match decoder.glance(&buffer) {
    ///     Some(ready) => ready,
    ///     None => decoder.ready(&mut buffer)?.expect("it is there"),
    /// };
    /// assert_eq!(decoder.take(ready, &mut buffer)?.name(), "ReadyForQuery");
    /// # Ok::<(), feedrate::Error<feedrate::pg::Error>>(())
    /// ```
    #[inline(always)]
    pub fn glance<M: AsRef<[u8]> + AsMut<[u8]>>(&self, buffer: &Buffer<M>) -> Option<Ready> {
        let unread = buffer.unread();
        let length = self.measure(unread)?;
        let whole = length < self.room && length <= unread.len();
        whole.then_some(Ready { length, place: Place::Glanced(buffer.start()) })
    }

    /// The bytes of the message that is [ready](Self::ready), before it is taken: to decide what becomes of it while
    /// nothing is lent yet. Empty if it is no longer there.
    ///
    /// ```
    /// use feedrate::{Array, Buffer, Decoder, pg::{Backend, backend::ReadyForQuery}};
    ///
    /// let mut decoder = Decoder::new(Backend::established(), Array::<64>::new());
    /// let mut buffer = Buffer::new([0; 64]);
    /// buffer.space()[..6].copy_from_slice(b"Z\0\0\0\x05I");
    /// buffer.filled(6);
    /// let ready = decoder.ready(&mut buffer)?.expect("it is there");
    /// assert_eq!(decoder.peek(&ready, &buffer)[0], ReadyForQuery::TAG);
    /// # Ok::<(), feedrate::Error<feedrate::pg::Error>>(())
    /// ```
    pub fn peek<'a, M: AsRef<[u8]> + AsMut<[u8]>>(
        &'a self,
        ready: &Ready,
        buffer: &'a Buffer<M>,
    ) -> &'a [u8] {
        let Ready { length, place } = *ready;
        let bytes = match place {
            Place::Input(start) | Place::Glanced(start) if start == buffer.start() => {
                buffer.unread().get(..length)
            }
            Place::Stored(from) => {
                from.checked_add(length).and_then(|end| self.storage.held().get(from..end))
            }
            Place::Input(_) | Place::Glanced(_) => None,
        };
        bytes.unwrap_or_default()
    }

    /// Takes the message that is [ready](Self::ready), from the same buffer.
    ///
    /// # Errors
    ///
    /// [`Error::Message`] for a malformed message. [`Fault::NotReady`] if the message is no longer there.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub fn take<'a, M: AsRef<[u8]> + AsMut<[u8]>>(
        &'a mut self,
        ready: Ready,
        buffer: &'a mut Buffer<M>,
    ) -> Result<P::Message<'a>, Error<P::Error>> {
        if let Ready { length, place: Place::Glanced(start) } = ready {
            if start == buffer.start() && length <= buffer.unread().len() && length < self.room {
                let frame = P::Bytes::mutable(buffer.consume(length));
                return self.protocol.quick(frame).map_err(Error::Message);
            }
        }
        self.take_found(ready, buffer)
    }

    #[cfg_attr(not(target_os = "none"), inline(never))]
    fn take_found<'a, M: AsRef<[u8]> + AsMut<[u8]>>(
        &'a mut self,
        ready: Ready,
        buffer: &'a mut Buffer<M>,
    ) -> Result<P::Message<'a>, Error<P::Error>> {
        let Ready { length, place } = ready;
        let frame = match place {
            Place::Input(start)
                if start == buffer.start() && length <= buffer.unread().len() && self.room > 0 =>
            {
                buffer.consume(length)
            }
            Place::Stored(from) if matches!(self.state, State::Stored { from: its, .. } if its == from) => {
                take_stored(&mut self.storage, &mut self.state, &mut self.room, (from, length))
            }
            Place::Input(_) | Place::Glanced(_) | Place::Stored(_) => {
                return Err(Error::Message(Fault::NotReady.into()));
            }
        };
        self.protocol.parse(P::Bytes::mutable(frame)).map_err(Error::Message)
    }

    /// To be called when the line has fallen silent: a message that has begun will not be continued. Call it until it
    /// returns `Ok(None)`.
    ///
    /// A protocol whose messages end in silence (Modbus RTU) gets its message here. A protocol that
    /// [hunts](Recovery::Hunt) gives up the bytes that looked like the beginning of a message, one by one, and finds
    /// the messages behind them. For any other protocol silence means nothing, and the held bytes stay.
    ///
    /// # Errors
    ///
    /// As [`feed`](Self::feed).
    pub fn gap(&mut self) -> Result<Option<P::Message<'_>>, Error<P::Error>> {
        let mut error = None;
        let Advance { length, .. } = self.advance(&[], 0, Line::Silent, &mut error);
        if length == Advance::NOTHING {
            return error.map_or(Ok(None), Err);
        }
        let frame = match self.state {
            State::Stored { from, .. } => {
                take_stored(&mut self.storage, &mut self.state, &mut self.room, (from, length))
            }
            _ => &mut [],
        };
        self.protocol.parse(P::Bytes::mutable(frame)).map(Some).map_err(Error::Message)
    }

    /// To be called when the stream has ended.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`] if it ended inside a message, even one that is being skipped; or the error that lost the
    /// stream. Noise before a [silence](Recovery::Silence) has been reported already, and is no error here.
    pub fn end(&self) -> Result<(), Error<P::Error>> {
        if let State::Lost(error) = &self.state {
            return Err(Error::Lost(error.clone()));
        }
        let held = self.pending().len();
        let passing = matches!(self.state, State::Passing(_) | State::Until { .. });
        if held > 0 || passing || self.protocol.inside() {
            return Err(Error::Lost(Fault::Truncated { held, missing: self.needed() }.into()));
        }
        Ok(())
    }

    /// The least number of bytes that must arrive before the next message, or piece, can be handed out. At least 1, and
    /// exact once the header is there: reading that many never reads past the end of the message.
    pub fn needed(&self) -> usize {
        if let State::Passing(left) = self.state {
            return left;
        }
        let held = self.pending();
        let total = match self.protocol.extent(held) {
            Ok(Extent::Need(n)) => n,
            Ok(Extent::Message(n)) if n <= self.storage.limit() => n,
            Ok(Extent::Message(n)) => self.protocol.head(held, n).unwrap_or(n),
            Ok(Extent::Piece(_) | Extent::Until(_) | Extent::Silence | Extent::Skip(_)) | Err(_) => 0,
        };
        total.saturating_sub(held.len()).max(1)
    }

    /// Whether the stream is lost: every call returns [`Error::Lost`] until [`reset`](Self::reset).
    pub const fn is_lost(&self) -> bool {
        matches!(self.state, State::Lost(_))
    }

    /// The bytes of an incomplete message.
    pub fn pending(&self) -> &[u8] {
        match self.state {
            State::Stored { from, .. } => self.storage.held().get(from..).unwrap_or_default(),
            // The bytes that lost the stream.
            State::Lost(_) => self.storage.held(),
            State::Direct | State::Passing(_) | State::Until { .. } | State::Noise => &[],
        }
    }

    /// Discards held bytes and any error, and starts over. Calls [`Protocol::reset`] too.
    pub fn reset(&mut self) {
        self.storage.clear();
        self.enter(State::Direct);
        self.protocol.reset();
    }

    /// The protocol.
    pub const fn protocol(&self) -> &P {
        &self.protocol
    }

    /// The protocol, so that it can be told, between two messages, what the bytes alone do not show.
    pub const fn protocol_mut(&mut self) -> &mut P {
        // A message that has begun to arrive is measured again: it may be something else now.
        if let State::Stored { seen, .. } = &mut self.state {
            *seen = Seen::NOTHING;
        }
        &mut self.protocol
    }

    /// The storage.
    pub const fn storage(&self) -> &S {
        &self.storage
    }

    /// Takes the decoder apart, for a stream that switches protocols.
    pub fn into_parts(self) -> (P, S) {
        (self.protocol, self.storage)
    }
}

/// Lends a message from the storage and marks it as used up. If the storage held nothing else, the next message can be
/// lent from the input at once; the used bytes are cleared when the storage is needed.
#[inline]
fn take_stored<'a, S: Storage, E>(
    storage: &'a mut S,
    state: &mut State<E>,
    room: &mut usize,
    (from, length): (usize, usize),
) -> &'a mut [u8] {
    let to = from.saturating_add(length);
    *state = State::Stored { from: to, seen: Seen::NOTHING };
    if to >= storage.held().len() {
        *room = storage.limit().saturating_add(1);
    }
    storage.held_mut().get_mut(from..to).unwrap_or_default()
}
