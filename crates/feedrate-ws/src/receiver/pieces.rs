//! Messages in the pieces in which they arrive.

use feedrate::{Input, Instant, Storage};

use super::Receiver;
use super::assembly::What;
use super::control::{control, fail, tell};
use super::event::{Event, Fed};
use super::step::{Step, can_lend, next};
use crate::answer::Answer;
use crate::error::Error;
use crate::frames::QUICK;
use crate::message::Piece;
use crate::mode::InPieces;

impl<S: Storage> Receiver<S, InPieces> {
    /// As [`feed`](Receiver::<S>::feed), but messages are handed out in pieces, as they arrive. A piece ends where
    /// `input` ends, where a frame ends, or where the storage is full.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn feed<'a, 'i: 'a, I: Input<'i>>(
        &'a mut self,
        input: &mut I,
        now: Instant,
        answers: &mut impl Answer,
    ) -> Result<Option<Event<'a, Piece<'a>>>, Error> {
        // In the middle of a frame.
        if QUICK
            && can_lend::<I>(self.frames.protocol().role())
            && self.assembly.is_plain()
            && self.frames.protocol().remaining() > 0
            && !input.bytes().is_empty()
        {
            let fed = self.lend(None, input);
            if fed.is_err() {
                tell(&fed, now, answers);
            }
            return fed;
        }
        let fed = self.pull(input);
        tell(&fed, now, answers);
        fed
    }

    #[inline(never)]
    fn pull<'a, 'i: 'a, I: Input<'i>>(&'a mut self, input: &mut I) -> Fed<'a, Piece<'a>> {
        let (what, at) = match self.step(input, false) {
            Ok(Step::Idle) => return Ok(None),
            Ok(Step::Single) => return self.lend(None, input),
            Ok(Step::Lend(what)) => return self.lend(Some(what), input),
            Ok(Step::Stored(what, at)) => (what, at),
            Err(violation) => return fail(violation, &mut self.assembly),
        };
        self.held(what, at)
    }

    /// What the storage holds.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn held(&mut self, what: What, at: usize) -> Fed<'_, Piece<'_>> {
        match what {
            What::Control(opcode) => self.stored_control(opcode, at),
            What::Data { kind, first, last } => {
                Ok(Some(Event::Message(Piece { kind, bytes: self.stored(at), first, last })))
            }
        }
    }

    pub(super) fn lend<'a, 'i: 'a, I: Input<'i>>(
        &'a mut self,
        what: Option<What>,
        input: &mut I,
    ) -> Fed<'a, Piece<'a>> {
        let Self { frames, assembly, mode: _ } = self;
        if let Some(What::Control(opcode)) = what {
            let Ok(Some(part)) = next(frames, input) else { return Ok(None) };
            let payload = part.payload.unmask().unwrap_or_default();
            assembly.lent();
            return control(opcode, payload, assembly);
        }
        let fin = frames.protocol().has_ended();
        let Ok(Some(part)) = next(frames, input) else { return Ok(None) };
        let fin = part.header.as_ref().map_or(fin, |header| header.fin);
        match assembly.lend(part, fin) {
            Ok((What::Data { kind, first, last }, bytes)) => {
                Ok(Some(Event::Message(Piece { kind, bytes, first, last })))
            }
            Ok((What::Control(_), _)) => Ok(None),
            Err(violation) => fail(violation, assembly),
        }
    }
}
