//! Whole messages: put together, or lent from the input.

use feedrate::{Input, Instant, Storage};

use super::Receiver;
use super::assembly::What;
use super::control::{control, fail, tell, tell_error, text};
use super::event::{Event, Fed};
use super::step::{Step, can_lend, next};
use crate::answer::Answer;
use crate::error::Error;
use crate::frames::{Look, QUICK};
use crate::message::{Message, Text};
use crate::opcode::Kind;

impl<S: Storage> Receiver<S> {
    /// Takes bytes off the front of `input`, up to the end of the next message or control frame, and hands it out.
    /// `None` means that `input` is empty.
    ///
    /// `answers` is the [`Sender`](crate::Sender) of the same connection: pongs and close frames go there. `now` starts
    /// the closing timer if closing begins here.
    ///
    /// After [`Event::Closed`], and after an error, all input is dropped, as the RFC demands, and this returns `None`.
    /// What remains is to write what the sender has queued.
    ///
    /// # Errors
    ///
    /// The peer broke a rule. A close frame with the right code has been queued in the sender and still has to be
    /// written, so do not leave the loop with `?` before that. The error is returned once.
    ///
    /// ```
    /// use feedrate::{Array, Instant};
    /// use feedrate_ws::{Receiver, Role, Sender};
    ///
    /// let mut receiver = Receiver::new(Role::Client, Array::<512>::new());
    /// let mut sender = Sender::client(Array::<1024>::new(), || *b"mask");
    /// let mut input = &b"\x83\x00"[..];
    /// let error = receiver.feed(&mut input, Instant::ZERO, &mut sender).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "opcode 0x3, expected 0, 1, 2, 8, 9 or 0xa, in the frame that begins at byte 0 of the stream"
    /// );
    /// assert!(sender.transmit().starts_with(b"\x88\x82mask"));
    /// assert_eq!(receiver.feed(&mut input, Instant::ZERO, &mut sender), Ok(None));
    /// ```
    #[inline]
    pub fn feed<'a, 'i: 'a, I: Input<'i>>(
        &'a mut self,
        input: &mut I,
        now: Instant,
        answers: &mut impl Answer,
    ) -> Result<Option<Event<'a, Message<'a>>>, Error> {
        // The common case, small enough to be inlined into the caller's loop.
        if QUICK && self.assembly.is_quick() && can_lend::<I>(self.frames.protocol().role()) {
            let look = self.frames.protocol().look(input.bytes());
            if let Some(look) = look.filter(|look| self.assembly.is_single(look)) {
                return self.single(&look, input).map_err(|error| tell_error(error, now, answers));
            }
        }
        let fed = self.pull(input);
        tell(&fed, now, answers);
        fed
    }

    /// Lends a whole message in one frame at the front of the input. The decoder is between two frames and none of its
    /// state would change, so it is bypassed, which halves the number of instructions.
    #[inline(always)]
    pub(super) fn single<'a, 'i: 'a, I: Input<'i>>(
        &'a mut self,
        look: &Look,
        input: &mut I,
    ) -> Fed<'a, Message<'a>> {
        self.assembly.single(look.frame());
        input.take(look.size);
        let payload = look.unmask(input.take(look.length).into_lent());
        match look.is_text() {
            true => text(payload, &mut self.assembly),
            false => Ok(Some(Event::Message(Message::Binary(payload)))),
        }
    }

    #[inline(never)]
    fn pull<'a, 'i: 'a, I: Input<'i>>(&'a mut self, input: &mut I) -> Fed<'a, Message<'a>> {
        let (what, at) = match self.step(input, true) {
            Ok(Step::Idle) => return Ok(None),
            Ok(Step::Single) if !QUICK => return Ok(None),
            Ok(Step::Single) => {
                let Some(look) = self.frames.protocol().look(input.bytes()) else { return Ok(None) };
                return self.single(&look, input);
            }
            Ok(Step::Lend(what)) => return self.lend(what, input),
            Ok(Step::Stored(what, at)) => (what, at),
            Err(violation) => return fail(violation, &mut self.assembly),
        };
        self.held(what, at)
    }

    /// What the storage holds.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn held(&mut self, what: What, at: usize) -> Fed<'_, Message<'_>> {
        match what {
            What::Control(opcode) => self.stored_control(opcode, at),
            What::Data { kind: Kind::Text, .. } => {
                Ok(Some(Event::Message(Message::Text(Text::validated(self.stored(at))))))
            }
            What::Data { kind: Kind::Binary, .. } => {
                Ok(Some(Event::Message(Message::Binary(self.stored(at)))))
            }
        }
    }

    /// What the header announced, and is whole in the input.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn lend<'a, 'i: 'a, I: Input<'i>>(
        &'a mut self,
        what: What,
        input: &mut I,
    ) -> Fed<'a, Message<'a>> {
        let Ok(Some(part)) = next(&mut self.frames, input) else { return Ok(None) };
        let payload = part.payload.unmask().unwrap_or_default();
        self.assembly.lent();
        match what {
            What::Control(opcode) => control(opcode, payload, &mut self.assembly),
            What::Data { kind: Kind::Text, .. } => text(payload, &mut self.assembly),
            What::Data { kind: Kind::Binary, .. } => Ok(Some(Event::Message(Message::Binary(payload)))),
        }
    }
}
