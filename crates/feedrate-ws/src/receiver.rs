//! How bytes become messages: [`Receiver::feed`].

use core::fmt;
use core::marker::PhantomData;

use feedrate::{Decoder, Input, Storage};

use crate::assembly::{Assembly, Current, What};
use crate::close::{Close, CloseCode};
use crate::error::{Error, Violation};
use crate::frame::{Frames, Opcode};
use crate::frames::{Look, QUICK};
use crate::message::{Event, Kind, Message, Piece, Text};
use crate::spill::Spill;
#[cfg(feature = "deflate")]
use crate::step::compressed;
use crate::step::{Source, Step, can_lend, header, next, payload};
use crate::utf8;

/// Which side this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Asks for the connection, and masks what it sends.
    Client,
    /// Accepts it.
    Server,
}

/// What a receiver has to say to the peer: the [`Sender`](crate::Sender) of the same connection says it. `()`
/// says nothing, for those who only listen in.
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
    frames: Source,
    assembly: Assembly<S>,
    mode: PhantomData<M>,
}

impl<S: Storage> Receiver<S> {
    /// The receiving half of one side of a connection, after the handshake.
    ///
    /// The longest message that is accepted is `storage.limit()` less 125 bytes, which are for a control
    /// frame that comes in pieces in the middle of a message.
    pub fn new(role: Role, storage: S) -> Self {
        let frames = Decoder::new(Frames::new(role).joined(), Spill::new());
        Self { frames, assembly: Assembly::new(storage), mode: PhantomData }
    }

    /// Hands out the pieces of messages as they arrive, of messages of up to `limit` bytes (`u64::MAX`: of
    /// any length). The storage then holds what has to be copied: control
    /// frames that come in pieces (125 bytes are enough for that), what is decompressed, and what cannot be
    /// unmasked where it lies.
    pub fn in_pieces(self, limit: u64) -> Receiver<S, InPieces> {
        let Self { frames, mut assembly, mode: _ } = self;
        assembly.limit = limit;
        Receiver { frames, assembly, mode: PhantomData }
    }

    /// Takes bytes off the front of `input`, up to the end of the next message or control frame, and hands it
    /// out. `None` means that `input` is empty.
    ///
    /// `answer` is the [`Sender`](crate::Sender) of the same connection: pongs and close frames go there,
    /// those for a peer that breaks a rule too. After
    /// [`Event::Closed`] and [`Event::Failed`] whatever comes is dropped, as the RFC demands; what is left to
    /// do is to write what the sender has to say.
    #[inline]
    pub fn feed<'a, 'i: 'a, I: Input<'i>>(
        &'a mut self,
        input: &mut I,
        answer: &mut impl Answer,
    ) -> Option<Event<'a, Message<'a>>> {
        // The common case, small enough to be inlined into the caller's loop.
        if QUICK && self.assembly.quick && can_lend::<I>(self.frames.protocol().role()) {
            let look = self.frames.protocol().look(input.bytes());
            if let Some(look) = look.filter(|look| self.assembly.is_single(look)) {
                return self.single(&look, input, answer);
            }
        }
        self.pull(input, answer)
    }

    /// A whole message, in one frame at the front of the input. The decoder is between two frames, and it
    /// leaves nothing behind: so it goes past it, in half as many
    /// instructions.
    #[inline(always)]
    fn single<'a, 'i: 'a, I: Input<'i>>(
        &'a mut self,
        look: &Look,
        input: &mut I,
        answer: &mut impl Answer,
    ) -> Option<Event<'a, Message<'a>>> {
        self.assembly.single(look.frame());
        input.take(look.size);
        let payload = look.unmask(input.take(look.length).into_lent());
        match look.is_text() {
            true => Some(text(payload, &mut self.assembly, answer)),
            false => Some(Event::Message(Message::Binary(payload))),
        }
    }

    #[inline(never)]
    fn pull<'a, 'i: 'a, I: Input<'i>>(
        &'a mut self,
        input: &mut I,
        answer: &mut impl Answer,
    ) -> Option<Event<'a, Message<'a>>> {
        let (what, at) = match self.step(input, true) {
            Ok(Step::Idle) => return None,
            Ok(Step::Single) if !QUICK => return None,
            Ok(Step::Single) => {
                let look = self.frames.protocol().look(input.bytes())?;
                return self.single(&look, input, answer);
            }
            Ok(Step::Lend(what)) => return self.lend(what, input, answer),
            Ok(Step::Stored(what, at)) => (what, at),
            Err(violation) => return Some(fail(violation, &mut self.assembly, answer)),
        };
        match what {
            What::Control(opcode) => Some(self.stored_control(opcode, at, answer)),
            What::Data { kind: Kind::Text, .. } => {
                Some(Event::Message(Message::Text(Text::validated(self.stored(at)))))
            }
            What::Data { kind: Kind::Binary, .. } => Some(Event::Message(Message::Binary(self.stored(at)))),
        }
    }

    /// What the header announced, and is whole in the input.
    fn lend<'a, 'i: 'a, I: Input<'i>>(
        &'a mut self,
        what: What,
        input: &mut I,
        answer: &mut impl Answer,
    ) -> Option<Event<'a, Message<'a>>> {
        let Ok(Some(part)) = next(&mut self.frames, input) else { return None };
        let payload = part.payload.unmask().unwrap_or_default();
        self.assembly.lent();
        Some(match what {
            What::Control(opcode) => control(opcode, payload, &mut self.assembly, answer),
            What::Data { kind: Kind::Text, .. } => text(payload, &mut self.assembly, answer),
            What::Data { kind: Kind::Binary, .. } => Event::Message(Message::Binary(payload)),
        })
    }
}

impl<S: Storage> Receiver<S, InPieces> {
    /// As [`feed`](Receiver::<S>::feed), and a message is handed out in the pieces in which it arrives: those
    /// end where `input` ends, where a frame ends, and where the storage is full.
    pub fn feed<'a, 'i: 'a, I: Input<'i>>(
        &'a mut self,
        input: &mut I,
        answer: &mut impl Answer,
    ) -> Option<Event<'a, Piece<'a>>> {
        // In the middle of a frame.
        if QUICK
            && can_lend::<I>(self.frames.protocol().role())
            && self.assembly.is_plain()
            && self.frames.protocol().remaining() > 0
            && !input.bytes().is_empty()
        {
            return self.lend(None, input, answer);
        }
        self.pull(input, answer)
    }

    #[inline(never)]
    fn pull<'a, 'i: 'a, I: Input<'i>>(
        &'a mut self,
        input: &mut I,
        answer: &mut impl Answer,
    ) -> Option<Event<'a, Piece<'a>>> {
        let (what, at) = match self.step(input, false) {
            Ok(Step::Idle) => return None,
            Ok(Step::Single) => return self.lend(None, input, answer),
            Ok(Step::Lend(what)) => return self.lend(Some(what), input, answer),
            Ok(Step::Stored(what, at)) => (what, at),
            Err(violation) => return Some(fail(violation, &mut self.assembly, answer)),
        };
        match what {
            What::Control(opcode) => Some(self.stored_control(opcode, at, answer)),
            What::Data { kind, first, last } => {
                Some(Event::Message(Piece { kind, bytes: self.stored(at), first, last }))
            }
        }
    }

    fn lend<'a, 'i: 'a, I: Input<'i>>(
        &'a mut self,
        what: Option<What>,
        input: &mut I,
        answer: &mut impl Answer,
    ) -> Option<Event<'a, Piece<'a>>> {
        let Self { frames, assembly, mode: _ } = self;
        if let Some(What::Control(opcode)) = what {
            let Ok(Some(part)) = next(frames, input) else { return None };
            let payload = part.payload.unmask().unwrap_or_default();
            assembly.lent();
            return Some(control(opcode, payload, assembly, answer));
        }
        let fin = frames.protocol().has_ended();
        let Ok(Some(part)) = next(frames, input) else { return None };
        let fin = part.header.as_ref().map_or(fin, |header| header.fin);
        Some(match assembly.lend(part, fin) {
            Ok((What::Data { kind, first, last }, bytes)) => {
                Event::Message(Piece { kind, bytes, first, last })
            }
            Ok((What::Control(_), _)) => return None,
            Err(violation) => fail(violation, assembly, answer),
        })
    }
}

impl<S: Storage, M> Receiver<S, M> {
    /// Accepts compressed messages, as [agreed](crate::handshake).
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    #[must_use]
    pub fn with_deflate(mut self, params: Option<crate::deflate::Params>) -> Self {
        let frames = self.frames.protocol_mut();
        frames.set_compressed(params.is_some());
        self.assembly.window = params.map(|params| params.window(frames.role())).unwrap_or_default();
        self
    }

    /// Accepts messages of one kind only: one of the other is a violation, and the close frame says 1003.
    #[must_use]
    pub const fn only(mut self, kind: Kind) -> Self {
        self.frames.protocol_mut().set_only(kind);
        self
    }

    /// The stream ended.
    ///
    /// # Errors
    ///
    /// [`Truncated`], if neither a close frame nor a violation had come: then the peer, or something on the
    /// way, broke off, and a message may be lost (what some programs call 1006).
    pub fn end(&self) -> Result<(), Truncated> {
        if self.assembly.is_over() {
            return Ok(());
        }
        Err(Truncated { inside: self.assembly.is_inside() || self.frames.end().is_err() })
    }

    /// The storage.
    pub const fn storage(&self) -> &S {
        &self.assembly.storage
    }

    fn stored(&self, at: usize) -> &[u8] {
        self.assembly.storage.held().get(at..).unwrap_or_default()
    }

    fn stored_control<E>(&mut self, opcode: Opcode, at: usize, answer: &mut impl Answer) -> Event<'_, E> {
        if opcode == Opcode::Close {
            self.assembly.finish();
            if let Err(violation) = Close::parse(self.stored(at)) {
                return fail(violation, &mut self.assembly, answer);
            }
        }
        said(opcode, self.stored(at), answer)
    }

    /// Goes on to what can be handed out. `whole`: messages are put together.
    #[cfg_attr(target_os = "none", inline(never))]
    fn step<'i, I: Input<'i>>(&mut self, input: &mut I, whole: bool) -> Result<Step, Violation> {
        let Self { frames, assembly, mode: _ } = self;
        assembly.forget(whole);
        loop {
            let step = match assembly.frame() {
                Current::Over => {
                    input.take(usize::MAX);
                    Some(Step::Idle)
                }
                Current::Header => header(frames, assembly, input, whole)?,
                #[cfg(feature = "deflate")]
                Current::Data if assembly.is_compressed() => compressed(frames, assembly, input, whole)?,
                Current::Data | Current::Control(_) => payload(frames, assembly, input, whole)?,
            };
            if let Some(step) = step {
                return Ok(step);
            }
        }
    }
}

impl<S: Storage> Receiver<S> {
    /// Gives memory back to the heap, as far as no message is held in it. For connections that have been idle
    /// for a while.
    pub fn release(&mut self) {
        self.assembly.release(true);
    }
}

impl<S: Storage> Receiver<S, InPieces> {
    /// Gives memory back to the heap, as far as nothing is held in it. For connections that have been idle
    /// for a while.
    pub fn release(&mut self) {
        self.assembly.release(false);
    }
}

#[inline(always)]
fn text<'a, S: Storage>(
    payload: &'a [u8],
    assembly: &mut Assembly<S>,
    answer: &mut impl Answer,
) -> Event<'a, Message<'a>> {
    match utf8::text(payload) {
        Some(text) => Event::Message(Message::Text(Text::new(text))),
        None => bad_text(payload, assembly, answer),
    }
}

#[cold]
fn bad_text<'e, S: Storage, E>(
    text: &[u8],
    assembly: &mut Assembly<S>,
    answer: &mut impl Answer,
) -> Event<'e, E> {
    fail(utf8::first_bad(text), assembly, answer)
}

#[cold]
fn fail<'e, S: Storage, E>(
    violation: Violation,
    assembly: &mut Assembly<S>,
    answer: &mut impl Answer,
) -> Event<'e, E> {
    assembly.finish();
    answer.failed(violation.close_code());
    Event::Failed(Error { violation, offset: assembly.frame_at })
}

fn control<'a, S: Storage, E>(
    opcode: Opcode,
    payload: &'a [u8],
    assembly: &mut Assembly<S>,
    answer: &mut impl Answer,
) -> Event<'a, E> {
    if opcode == Opcode::Close {
        assembly.finish();
        if let Err(violation) = Close::parse(payload) {
            return fail(violation, assembly, answer);
        }
    }
    said(opcode, payload, answer)
}

/// What the peer said in a control frame that breaks no rule.
fn said<'a, E>(opcode: Opcode, payload: &'a [u8], answer: &mut impl Answer) -> Event<'a, E> {
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
            .field("role", &self.frames.protocol().role())
            .field("limit", &self.assembly.limit)
            .field("held", &self.assembly.storage.held().len())
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
