//! How bytes become messages: [`Receiver::feed`].

use core::fmt;
use core::marker::PhantomData;

use feedrate::Storage;

use crate::close::{Close, CloseCode};
use crate::error::{Error, Violation};
use crate::frame::{CONTROL, Opcode};
use crate::inbound::{Inbound, Place, What};
use crate::input::Input;
use crate::message::{Event, Kind, Message, Piece, Text};
use crate::utf8;

/// Which side this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Asks for the connection, and masks what it sends.
    Client,
    /// Accepts it.
    Server,
}

/// What a receiver has to say to the peer: the [`Sender`](crate::Sender) of the same connection says it. `()` says nothing, for those who only listen in.
pub trait Answer {
    /// A ping has come.
    fn pong(&mut self, payload: &[u8]);
    /// The peer's close frame has come.
    fn closed(&mut self, close: Option<Close<'_>>);
    /// The peer broke a rule.
    fn failed(&mut self, code: CloseCode);
}

impl Answer for () {
    fn pong(&mut self, _: &[u8]) {}
    fn closed(&mut self, _: Option<Close<'_>>) {}
    fn failed(&mut self, _: CloseCode) {}
}

/// A [`Receiver`] that puts messages together.
#[derive(Debug, Clone, Copy)]
pub enum Whole {}

/// A [`Receiver`] that hands out the pieces of messages as they arrive.
#[derive(Debug, Clone, Copy)]
pub enum InPieces {}

/// Turns the peer's bytes into messages, or into pieces of messages, and refuses what RFC 6455 forbids.
///
/// ```
/// use feedrate::Array;
/// use feedrate_ws::{Event, Message, Receiver, Role};
///
/// let mut receiver = Receiver::new(Role::Server, Array::<512>::new());
/// // RFC 6455, section 5.7: a masked text message, "Hello".
/// let mut chunk = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
/// let mut input = &mut chunk[..];
/// while let Some(event) = receiver.feed(&mut input, &mut ()) {
///     assert_eq!(event, Event::Message(Message::from("Hello")));
/// }
/// ```
pub struct Receiver<S, M = Whole> {
    inbound: Inbound<S>,
    mode: PhantomData<M>,
}

impl<S: Storage> Receiver<S> {
    /// The receiving half of one side of a connection, after the handshake.
    ///
    /// The longest message that is accepted is `storage.limit()` less 125 bytes, which are for a control frame that comes in pieces in the middle of a message.
    pub fn new(role: Role, storage: S) -> Self {
        let limit = storage.limit().saturating_sub(CONTROL);
        let mut inbound = Inbound::new(role, storage);
        inbound.limit = u64::try_from(limit).unwrap_or(u64::MAX);
        Self { inbound, mode: PhantomData }
    }

    /// Hands out the pieces of messages as they arrive, of messages of up to `limit` bytes (`u64::MAX`: of any length). The storage then holds what has to be copied: control
    /// frames that come in pieces (125 bytes are enough for that), what is decompressed, and what cannot be unmasked where it lies.
    pub fn in_pieces(mut self, limit: u64) -> Receiver<S, InPieces> {
        self.inbound.limit = limit;
        Receiver { inbound: self.inbound, mode: PhantomData }
    }

    /// Takes bytes off the front of `input`, up to the end of the next message or control frame, and hands it out. `None` means that `input` is empty.
    ///
    /// `answer` is the [`Sender`](crate::Sender) of the same connection: pongs and close frames go there, those for a peer that breaks a rule too. After
    /// [`Event::Closed`] and [`Event::Failed`] whatever comes is dropped, as the RFC demands; what is left to do is to write what the sender has to say.
    #[inline]
    pub fn feed<'a, 'i: 'a, I: Input<'i>>(
        &'a mut self,
        input: &mut I,
        answer: &mut impl Answer,
    ) -> Option<Event<'a, Message<'a>>> {
        // The common case, small enough to be inlined into the caller's loop.
        if I::MUTABLE || self.inbound.role == Role::Client {
            if let Some(glance) = self.inbound.glance(input.bytes()) {
                input.take(glance.header);
                let payload = input.take(glance.length).lend(glance.key);
                return Some(match glance.kind {
                    Kind::Binary => Event::Message(Message::Binary(payload)),
                    Kind::Text => match utf8::text(payload) {
                        Some(text) => Event::Message(Message::Text(Text::new(text))),
                        None => self.bad_text(payload, answer),
                    },
                });
            }
        }
        self.pull(input, answer)
    }

    #[inline(never)]
    fn pull<'a, 'i: 'a, I: Input<'i>>(
        &'a mut self,
        input: &mut I,
        answer: &mut impl Answer,
    ) -> Option<Event<'a, Message<'a>>> {
        let (what, place) = match self.inbound.step(input, true) {
            Ok(found) => found?,
            Err(violation) => return Some(self.fail(violation, answer)),
        };
        let kind = match what {
            What::Control(opcode) => return Some(self.control(opcode, place, input, answer)),
            What::Data { kind, .. } => kind,
        };
        let message = match (place, kind) {
            (Place::Input(n, key), Kind::Binary) => Message::Binary(input.take(n).lend(key)),
            (Place::Input(n, key), Kind::Text) => {
                let payload = input.take(n).lend(key);
                match utf8::text(payload) {
                    Some(text) => Message::Text(Text::new(text)),
                    None => return Some(self.bad_text(payload, answer)),
                }
            }
            (Place::Stored(at), Kind::Text) => Message::Text(Text::validated(self.stored(at))),
            (Place::Stored(at), Kind::Binary) => Message::Binary(self.stored(at)),
        };
        Some(Event::Message(message))
    }

    #[cold]
    fn bad_text<'e, M>(&mut self, text: &[u8], answer: &mut impl Answer) -> Event<'e, M> {
        let violation = utf8::first_bad(text);
        self.fail(violation, answer)
    }
}

impl<S: Storage> Receiver<S, InPieces> {
    /// As [`feed`](Receiver::<S>::feed), and a message is handed out in the pieces in which it arrives: those end where `input` ends, where a frame ends, and where the storage is full.
    pub fn feed<'a, 'i: 'a, I: Input<'i>>(
        &'a mut self,
        input: &mut I,
        answer: &mut impl Answer,
    ) -> Option<Event<'a, Piece<'a>>> {
        let (what, place) = match self.inbound.step(input, false) {
            Ok(found) => found?,
            Err(violation) => return Some(self.fail(violation, answer)),
        };
        let (kind, first, last) = match what {
            What::Control(opcode) => return Some(self.control(opcode, place, input, answer)),
            What::Data { kind, first, last } => (kind, first, last),
        };
        let bytes = match place {
            Place::Input(n, key) => {
                let piece = input.take(n);
                match self.inbound.unmask_and_check(piece, key, last) {
                    Ok(bytes) => bytes,
                    Err(violation) => return Some(self.fail(violation, answer)),
                }
            }
            Place::Stored(at) => self.stored(at),
        };
        Some(Event::Message(Piece { kind, bytes, first, last }))
    }
}

impl<S: Storage, M> Receiver<S, M> {
    /// Accepts compressed messages, as [agreed](crate::handshake).
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    #[must_use]
    pub fn with_deflate(mut self, params: Option<crate::deflate::Params>) -> Self {
        self.inbound.inflate = params.map(|params| params.inflater(self.inbound.role));
        self
    }

    /// Accepts messages of one kind only: one of the other is a violation, and the close frame says 1003.
    #[must_use]
    pub const fn only(mut self, kind: Kind) -> Self {
        self.inbound.only = Some(kind);
        self
    }

    /// The stream ended.
    ///
    /// # Errors
    ///
    /// [`Truncated`], if neither a close frame nor a violation had come: then the peer, or something on the way, broke off, and a message may be lost (what some programs call 1006).
    pub fn end(&self) -> Result<(), Truncated> {
        if self.inbound.is_done() { Ok(()) } else { Err(Truncated { inside: self.inbound.is_inside() }) }
    }

    /// Gives memory back to the heap, as far as no message is held in it. For connections that have been idle for a while.
    pub fn release(&mut self) {
        self.inbound.release();
    }

    /// The storage.
    pub const fn storage(&self) -> &S {
        &self.inbound.storage
    }

    fn stored(&self, at: usize) -> &[u8] {
        self.inbound.storage.held().get(at..).unwrap_or_default()
    }

    #[cold]
    fn fail<'e, E>(&mut self, violation: Violation, answer: &mut impl Answer) -> Event<'e, E> {
        self.inbound.finish();
        answer.failed(violation.close_code());
        Event::Failed(Error { violation, offset: self.inbound.frame_at() })
    }

    fn control<'a, 'i: 'a, I: Input<'i>, E>(
        &'a mut self,
        opcode: Opcode,
        place: Place,
        input: &mut I,
        answer: &mut impl Answer,
    ) -> Event<'a, E> {
        let lent = match place {
            Place::Input(n, key) => Some(input.take(n).lend(key)),
            Place::Stored(_) => None,
        };
        if opcode == Opcode::Close {
            self.inbound.finish();
            let payload = match place {
                Place::Stored(at) => self.stored(at),
                Place::Input(..) => lent.unwrap_or_default(),
            };
            if let Err(violation) = Close::parse(payload) {
                return self.fail(violation, answer);
            }
        }
        let payload = match place {
            Place::Stored(at) => self.stored(at),
            Place::Input(..) => lent.unwrap_or_default(),
        };
        match opcode {
            Opcode::Ping => {
                answer.pong(payload);
                Event::Ping(payload)
            }
            Opcode::Close => {
                let close = Close::parse(payload).unwrap_or_default();
                answer.closed(close);
                Event::Closed(close)
            }
            _ => Event::Pong(payload),
        }
    }
}

/// The stream ended without a close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream ended {}, expected a close frame", if *.inside { "inside a message" } else { "between two messages" })]
pub struct Truncated {
    /// Whether a frame, or a message, had begun and not ended.
    pub inside: bool,
}

impl<S: Storage, M> fmt::Debug for Receiver<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("role", &self.inbound.role)
            .field("limit", &self.inbound.limit)
            .field("held", &self.inbound.storage.held().len())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;
    use feedrate::Grow;

    #[test]
    fn a_kind_that_is_not_accepted_is_refused_at_its_header() {
        let whole = || Receiver::new(Role::Client, Grow::new(1000)).only(Kind::Binary);
        let mut receiver = whole();
        let refused = Event::Failed(Error { violation: Violation::Unsupported(Kind::Text), offset: 3 });
        let mut input = &b"\x82\x01a\x81\x03abc"[..];
        assert_eq!(receiver.feed(&mut input, &mut ()), Some(Event::Message(Message::Binary(b"a"))));
        assert_eq!(receiver.feed(&mut input, &mut ()), Some(refused));
        let mut receiver = whole().in_pieces(u64::MAX);
        let mut input = &b"\x82\x01a\x01"[..];
        assert!(matches!(receiver.feed(&mut input, &mut ()), Some(Event::Message(_))));
        assert!(matches!(receiver.feed(&mut input, &mut ()), Some(Event::Failed(_))));
        assert_eq!(Violation::Unsupported(Kind::Text).close_code(), CloseCode::UNSUPPORTED);
    }

    #[test]
    fn what_has_begun_is_given_up_with_the_connection() {
        let mut receiver = Receiver::new(Role::Client, Grow::new(1000));
        // "abc" of a message, then a reserved opcode.
        let mut input = &b"\x01\x03abc\x83\x00"[..];
        let event = receiver.feed(&mut input, &mut ());
        assert!(matches!(event, Some(Event::Failed(Error { violation: Violation::Opcode(3), offset: 5 }))));
        assert_eq!(receiver.storage().held(), b"abc");
        receiver.release();
        assert_eq!(receiver.storage().capacity(), 0);
    }
}
