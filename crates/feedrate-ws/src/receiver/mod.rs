//! How bytes become messages: [`Receiver`].

mod assembly;
mod control;
mod event;
mod pieces;
mod ready;
mod spill;
mod step;
mod whole;

use core::fmt;
use core::marker::PhantomData;

use feedrate::{Decoder, Input, Storage};

use self::assembly::{Assembly, Current};
use self::control::{fail, said};
use self::event::Fed;
use self::spill::Spill;
#[cfg(feature = "deflate")]
use self::step::compressed;
use self::step::{Source, Step, header, payload};
use crate::close::Close;
#[cfg(feature = "deflate")]
use crate::deflate::Window;
use crate::error::{Truncated, Violation};
use crate::frames::Frames;
use crate::mode::{InPieces, Whole};
use crate::opcode::{CONTROL, Kind, Opcode};
use crate::role::Role;

pub use self::event::Event;
pub use self::ready::Ready;

/// Turns the peer's bytes into messages, or into pieces of messages, and refuses what RFC 6455 forbids.
///
/// ```
/// use feedrate::{Array, Instant};
/// use feedrate_ws::{Event, Message, Receiver, Role};
///
/// let mut receiver = Receiver::new(Role::Server, Array::<512>::new());
/// // RFC 6455, section 5.7: a masked text message, "Hello".
/// let mut chunk = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
/// let mut input = &mut chunk[..];
/// while let Some(event) = receiver.feed(&mut input, Instant::ZERO, &mut ())? {
///     assert_eq!(event, Event::Message(Message::from("Hello")));
/// }
/// # Ok::<(), feedrate_ws::Error>(())
/// ```
pub struct Receiver<S, M = Whole> {
    frames: Source,
    assembly: Assembly<S>,
    mode: PhantomData<M>,
}

impl<S: Storage> Receiver<S> {
    /// A receiver for the side with this role, after the handshake.
    ///
    /// The longest message that is accepted is `storage.limit()` minus 125 bytes ([`CONTROL`](crate::frame::CONTROL)),
    /// which are reserved for a control frame that comes in pieces in the middle of a message. See
    /// [`longest_message`](Self::longest_message).
    pub const fn new(role: Role, storage: S) -> Self {
        let frames = Decoder::new(Frames::new(role).joined(), Spill::new());
        Self { frames, assembly: Assembly::new(storage), mode: PhantomData }
    }

    /// Hands out the pieces of messages as they arrive. Messages may have up to `limit` bytes (`u64::MAX`: any length).
    /// The storage then only holds what has to be copied: control frames that come in pieces (for which 125 bytes are
    /// enough), decompressed data, and data that cannot be unmasked in place.
    #[must_use]
    pub fn in_pieces(self, limit: u64) -> Receiver<S, InPieces> {
        let Self { frames, mut assembly, mode: _ } = self;
        assembly.limit = limit;
        Receiver { frames, assembly, mode: PhantomData }
    }
}

impl<S: Storage> Receiver<S> {
    /// The longest message that is accepted, in bytes. `None`: the storage is too small even for a control frame that
    /// comes in pieces, which ends the connection.
    ///
    /// It is known once the receiver is made, so a program whose sizes come from a configuration asks then. The
    /// [`Sender`](crate::Sender::longest_message) has the same.
    ///
    /// ```
    /// use feedrate::Grow;
    /// use feedrate_ws::frame::CONTROL;
    /// use feedrate_ws::{Receiver, Role};
    ///
    /// let receiver = |bytes| Receiver::new(Role::Server, Grow::new(bytes));
    /// assert_eq!(receiver(CONTROL + 1000).longest_message(), Some(1000));
    /// assert_eq!(receiver(100).longest_message(), None);
    /// // In pieces, any length.
    /// assert_eq!(receiver(CONTROL).in_pieces(u64::MAX).longest_message(), Some(u64::MAX));
    /// ```
    pub fn longest_message(&self) -> Option<u64> {
        let longest = self.assembly.storage.limit().checked_sub(CONTROL)?;
        Some(u64::try_from(longest).unwrap_or(u64::MAX))
    }

    /// Gives back heap memory in which no message is held. For connections that have been idle for a while.
    pub fn release(&mut self) {
        self.assembly.release(true);
    }
}

impl<S: Storage> Receiver<S, InPieces> {
    /// The longest message that is accepted, in bytes. `None`: the storage is too small even for a control frame that
    /// comes in pieces.
    ///
    /// It is known once the receiver is made, so a program whose sizes come from a configuration asks then. The
    /// [`Sender`](crate::Sender::longest_message) has the same.
    pub fn longest_message(&self) -> Option<u64> {
        (self.assembly.storage.limit() >= CONTROL).then_some(self.assembly.limit)
    }

    /// Gives back heap memory in which nothing is held. For connections that have been idle for a while.
    pub fn release(&mut self) {
        self.assembly.release(false);
    }
}

impl<S: Storage, M> Receiver<S, M> {
    /// Accepts compressed messages, as [agreed](crate::handshake).
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    #[must_use]
    pub fn deflate(mut self, params: Option<crate::deflate::Params>) -> Self {
        let frames = self.frames.protocol_mut();
        frames.set_compressed(params.is_some());
        self.assembly.window = params.map_or(Window::NONE, |params| params.window(frames.role()));
        self
    }

    /// Accepts messages of one kind only. One of the other kind is a violation, with close code 1003.
    #[must_use]
    pub const fn only(mut self, kind: Kind) -> Self {
        self.frames.protocol_mut().set_only(kind);
        self
    }

    /// To be called when the stream has ended.
    ///
    /// # Errors
    ///
    /// [`Truncated`] if there was neither a close frame nor a violation. Then the peer, or something on the way, broke
    /// the connection, and a message may be lost (some programs call this 1006).
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

    fn stored_control<E>(&mut self, opcode: Opcode, at: usize) -> Fed<'_, E> {
        if opcode == Opcode::Close {
            self.assembly.finish();
            if let Err(violation) = Close::parse(self.stored(at)) {
                return fail(violation, &mut self.assembly);
            }
        }
        Ok(Some(said(opcode, self.stored(at))))
    }

    /// Processes bytes until something can be handed out. `whole`: messages are put together.
    #[cfg_attr(target_os = "none", inline(never))]
    fn step<'i, I: Input<'i>>(&mut self, input: &mut I, whole: bool) -> Result<Step, Violation> {
        let Self { frames, assembly, mode: _ } = self;
        if assembly.is_found() {
            if let Some((what, at)) = assembly.take_found(whole) {
                return Ok(Step::Stored(what, at));
            }
        }
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

impl<S: Storage, M> fmt::Debug for Receiver<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("role", &self.frames.protocol().role())
            .field("held", &self.assembly.storage.held().len())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;
    use crate::close_code::CloseCode;
    use crate::error::Error;
    use crate::message::Message;
    use feedrate::{Grow, Instant};

    const NOW: Instant = Instant::ZERO;

    #[test]
    fn a_kind_that_is_not_accepted_is_refused_at_its_header() {
        let whole = || Receiver::new(Role::Client, Grow::new(1000)).only(Kind::Binary);
        let mut receiver = whole();
        let refused = Error { violation: Violation::Unsupported(Kind::Text), offset: 3 };
        let mut input = &b"\x82\x01a\x81\x03abc"[..];
        let message = Event::Message(Message::Binary(b"a"));
        assert_eq!(receiver.feed(&mut input, NOW, &mut ()), Ok(Some(message)));
        assert_eq!(receiver.feed(&mut input, NOW, &mut ()), Err(refused));
        let mut receiver = whole().in_pieces(u64::MAX);
        let mut input = &b"\x82\x01a\x01"[..];
        assert!(matches!(receiver.feed(&mut input, NOW, &mut ()), Ok(Some(Event::Message(_)))));
        assert_eq!(receiver.feed(&mut input, NOW, &mut ()), Err(refused));
        assert_eq!(refused.violation.close_code(), CloseCode::UNSUPPORTED);
    }

    #[test]
    fn what_has_begun_is_given_up_with_the_connection() {
        let mut receiver = Receiver::new(Role::Client, Grow::new(1000));
        // "abc" of a message, then a reserved opcode.
        let mut input = &b"\x01\x03abc\x83\x00"[..];
        let refused = Error { violation: Violation::Opcode(3), offset: 5 };
        assert_eq!(receiver.feed(&mut input, NOW, &mut ()), Err(refused));
        assert_eq!(receiver.storage().held(), b"abc");
        receiver.release();
        assert_eq!(receiver.storage().capacity(), 0);
    }

    /// The close frame has been queued by then, and the loop goes on as before.
    #[test]
    fn an_error_is_returned_once_and_what_follows_is_dropped() {
        let mut input = &b"\x83\x00\x81\x01a"[..];
        let mut receiver = Receiver::new(Role::Client, Grow::new(1000));
        assert!(receiver.feed(&mut input, NOW, &mut ()).is_err());
        assert_eq!(receiver.feed(&mut input, NOW, &mut ()), Ok(None));
        assert!(input.is_empty());
        assert_eq!(receiver.end(), Ok(()));
    }

    #[test]
    fn a_static_can_hold_one() {
        static RECEIVER: Receiver<feedrate::Array<225>> = Receiver::new(Role::Client, feedrate::Array::new());
        assert_eq!(RECEIVER.end(), Err(Truncated { inside: false }));
        // Its limit is the storage's, from the first byte on.
        let mut receiver = Receiver::new(Role::Client, feedrate::Array::<225>::new());
        let violation = Violation::TooLong { length: 101, limit: 100 };
        let refused = Error { violation, offset: 0 };
        assert_eq!(receiver.feed(&mut &b"\x82\x65"[..], NOW, &mut ()), Err(refused));
    }
}
