//! How bytes become messages: [`Receiver::feed`].

use core::fmt;
use core::marker::PhantomData;

use feedrate::{Decoder, Input, Storage};

use crate::assembly::{Assembly, Current, What};
use crate::close::{Close, CloseCode};
use crate::error::{Error, Violation};
use crate::frame::{FrameError, Frames, Opcode, Part};
use crate::frames::{Joined, Look, QUICK};
#[cfg(feature = "deflate")]
use crate::mask;
use crate::message::{Event, Kind, Message, Piece, Text};
use crate::spill::Spill;
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
    frames: Source,
    assembly: Assembly<S>,
    mode: PhantomData<M>,
}

impl<S: Storage> Receiver<S> {
    /// The receiving half of one side of a connection, after the handshake.
    ///
    /// The longest message that is accepted is `storage.limit()` less 125 bytes, which are for a control frame that comes in pieces in the middle of a message.
    pub fn new(role: Role, storage: S) -> Self {
        let frames = Decoder::new(Frames::new(role).joined(), Spill::new());
        Self { frames, assembly: Assembly::new(storage), mode: PhantomData }
    }

    /// Hands out the pieces of messages as they arrive, of messages of up to `limit` bytes (`u64::MAX`: of any length). The storage then holds what has to be copied: control
    /// frames that come in pieces (125 bytes are enough for that), what is decompressed, and what cannot be unmasked where it lies.
    pub fn in_pieces(self, limit: u64) -> Receiver<S, InPieces> {
        let Self { frames, mut assembly, mode: _ } = self;
        assembly.limit = limit;
        Receiver { frames, assembly, mode: PhantomData }
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
        if QUICK && self.assembly.quick && can_lend::<I>(self.frames.protocol().role()) {
            let look = self.frames.protocol().look(input.bytes());
            if let Some(look) = look.filter(|look| self.assembly.is_single(look)) {
                return self.single(&look, input, answer);
            }
        }
        self.pull(input, answer)
    }

    /// A whole message, in one frame at the front of the input. The decoder is between two frames, and it leaves nothing behind: so it goes past it, in half as many
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
    /// As [`feed`](Receiver::<S>::feed), and a message is handed out in the pieces in which it arrives: those end where `input` ends, where a frame ends, and where the storage is full.
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

/// What to do next, in plain numbers: so that the borrow of what is handed out comes last.
enum Step {
    /// The input is empty.
    Idle,
    /// A whole data frame is at the front of the input, and leaves from there.
    Single,
    /// The payload at the front of the input leaves from there.
    Lend(What),
    /// What the storage holds from here on.
    Stored(What, usize),
}

/// Whether a payload can be handed out where it lies.
#[inline(always)]
const fn can_lend<'i, I: Input<'i>>(role: Role) -> bool {
    I::MUTABLE || matches!(role, Role::Client)
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
    /// [`Truncated`], if neither a close frame nor a violation had come: then the peer, or something on the way, broke off, and a message may be lost (what some programs call 1006).
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
    /// Gives memory back to the heap, as far as no message is held in it. For connections that have been idle for a while.
    pub fn release(&mut self) {
        self.assembly.release(true);
    }
}

impl<S: Storage> Receiver<S, InPieces> {
    /// Gives memory back to the heap, as far as nothing is held in it. For connections that have been idle for a while.
    pub fn release(&mut self) {
        self.assembly.release(false);
    }
}

/// What the frames come from.
type Source = Decoder<Frames<Joined>, Spill>;

/// [`Decoder::feed`], once in a small binary.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn next<'a, 'i: 'a, I: Input<'i>>(
    frames: &'a mut Source,
    input: &mut I,
) -> Result<Option<Part<'a>>, feedrate::Error<FrameError>> {
    frames.feed(input)
}

// Both are inlined, as what they return costs more to pass on than they are long.

/// The next frame begins, and if it is one of data and whole in the input, it also ends.
#[cfg_attr(not(target_os = "none"), inline(always))]
fn header<'i, I: Input<'i>, S: Storage>(
    frames: &mut Source,
    assembly: &mut Assembly<S>,
    input: &mut I,
    whole: bool,
) -> Result<Option<Step>, Violation> {
    let lends = can_lend::<I>(frames.protocol().role());
    // What the decoder holds of a header comes before the input.
    let stored = whole && (!lends || assembly.is_inside());
    let look = if !QUICK || stored || !frames.pending().is_empty() {
        None
    } else {
        frames.protocol().look(input.bytes()).filter(Look::is_whole)
    };
    let fed = match look {
        Some(look) if whole && assembly.is_single(&look) => {
            assembly.quick = true;
            return Ok(Some(Step::Single));
        }
        Some(_) if !whole && lends => return Ok(Some(Step::Single)),
        // The payload may be longer than the storage.
        Some(look) if !whole => next(frames, &mut input.take(look.size)),
        _ => next(frames, input),
    };
    let part = match fed {
        Ok(Some(part)) => part,
        Ok(None) => {
            let begun = !frames.pending().is_empty();
            assembly.settle(begun);
            return Ok(Some(Step::Idle));
        }
        Err(error) => {
            assembly.refuse();
            return Err(match error.into_inner() {
                FrameError::Violation(violation) => violation,
                _ => Violation::Memory,
            });
        }
    };
    if let Some(header) = &part.header {
        assembly.begin(header)?;
    }
    if !part.payload.is_empty() {
        assembly.store(&part.payload)?;
    }
    if !part.last || assembly.is_compressed() {
        return Ok(None);
    }
    let fin = frames.protocol().has_ended();
    Ok(assembly.end_frame(fin, whole)?.map(|(what, at)| Step::Stored(what, at)))
}

/// Some of a payload.
#[cfg_attr(not(target_os = "none"), inline(always))]
fn payload<'i, I: Input<'i>, S: Storage>(
    frames: &mut Source,
    assembly: &mut Assembly<S>,
    input: &mut I,
    whole: bool,
) -> Result<Option<Step>, Violation> {
    let (remaining, fin) = (frames.protocol().remaining(), frames.protocol().has_ended());
    let lends = can_lend::<I>(frames.protocol().role());
    let here = usize::try_from(remaining).unwrap_or(usize::MAX).min(input.bytes().len());
    if here == 0 {
        return Ok(Some(Step::Idle));
    }
    let all = u64::try_from(here) == Ok(remaining);
    let what = assembly.what(fin);
    let (n, piece) = match what {
        What::Control(_) if lends && all && assembly.is_untouched(whole) => {
            return Ok(Some(Step::Lend(what)));
        }
        What::Data { .. } if lends && (!whole || (all && fin && assembly.is_fresh())) => {
            return Ok(Some(Step::Lend(what)));
        }
        What::Data { .. } if !whole => (here.min(assembly.storage.limit().max(1)), true),
        _ => (here, false),
    };
    let Ok(Some(part)) = next(frames, &mut input.take(n)) else { return Ok(Some(Step::Idle)) };
    let first = assembly.is_fresh();
    assembly.store(&part.payload)?;
    let last = part.last;
    if piece {
        return Ok(Some(Step::Stored(assembly.piece(first, last, fin)?, 0)));
    }
    if !last {
        return Ok(None);
    }
    Ok(assembly.end_frame(fin, whole)?.map(|(what, at)| Step::Stored(what, at)))
}

/// Some of a compressed message: as much of its payload is taken as can be decompressed now.
#[cfg(feature = "deflate")]
fn compressed<'i, I: Input<'i>, S: Storage>(
    frames: &mut Source,
    assembly: &mut Assembly<S>,
    input: &mut I,
    whole: bool,
) -> Result<Option<Step>, Violation> {
    let (remaining, fin) = (frames.protocol().remaining(), frames.protocol().has_ended());
    let here = usize::try_from(remaining).unwrap_or(usize::MAX).min(input.bytes().len());
    if here == 0 && remaining > 0 && !assembly.inflater.is_pending() {
        return Ok(Some(Step::Idle));
    }
    let mut block = [0; 1024];
    let block = block.get_mut(..here.min(1024)).unwrap_or_default();
    block.iter_mut().zip(input.bytes()).for_each(|(to, from)| *to = *from);
    if let Some(key) = frames.protocol().next_key() {
        mask::apply(block, key);
    }
    let ends = fin && u64::try_from(block.len()) == Ok(remaining);
    let (taken, found) = assembly.inflate(block, ends, whole);
    if taken > 0 {
        // What it is has been seen.
        _ = next(frames, &mut input.take(taken));
    }
    let found = found?;
    if !fin && frames.protocol().remaining() == 0 && !assembly.inflater.is_pending() {
        assembly.end_fragment();
    }
    Ok(found.map(|what| Step::Stored(what, 0)))
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
