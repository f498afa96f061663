//! Control frames and violations: what is reported, and how the peer is answered.

use feedrate::{Instant, Storage};

use super::assembly::Assembly;
use super::event::{Event, Fed};
use crate::answer::Answer;
use crate::close::Close;
use crate::error::{Error, Violation};
use crate::message::{Message, Text};
use crate::opcode::Opcode;
use crate::utf8;

/// Makes the sender answer the peer, according to what `feed` is about to return.
#[inline(always)]
pub(super) fn tell<M>(fed: &Fed<'_, M>, now: Instant, answers: &mut impl Answer) {
    if !matches!(fed, Ok(None | Some(Event::Message(_)))) {
        tell_of_control(fed, now, answers);
    }
}

// The only function that is generic over the sender, so that the others exist only once in the binary.
#[inline(never)]
fn tell_of_control<M>(fed: &Fed<'_, M>, now: Instant, answers: &mut impl Answer) {
    match fed {
        Ok(Some(Event::Ping(payload))) => answers.pong(payload),
        Ok(Some(Event::Closed(close))) => answers.closed(*close, now),
        Ok(_) => {}
        Err(error) => answers.failed(error.violation.close_code(), now),
    }
}

/// The same for an error.
#[cold]
pub(super) fn tell_error(error: Error, now: Instant, answers: &mut impl Answer) -> Error {
    answers.failed(error.violation.close_code(), now);
    error
}

#[inline(always)]
pub(super) fn text<'a, S: Storage>(payload: &'a [u8], assembly: &mut Assembly<S>) -> Fed<'a, Message<'a>> {
    match utf8::text(payload) {
        Some(text) => Ok(Some(Event::Message(Message::Text(Text::new(text))))),
        None => bad_text(payload, assembly),
    }
}

#[cold]
fn bad_text<'e, S: Storage, E>(text: &[u8], assembly: &mut Assembly<S>) -> Fed<'e, E> {
    fail(utf8::first_bad(text), assembly)
}

#[cold]
pub(super) fn fail<'e, S: Storage, E>(violation: Violation, assembly: &mut Assembly<S>) -> Fed<'e, E> {
    assembly.finish();
    Err(Error { violation, offset: assembly.frame_at })
}

/// A control frame whose payload is lent from the input.
pub(super) fn control<'a, S: Storage, E>(
    opcode: Opcode,
    payload: &'a [u8],
    assembly: &mut Assembly<S>,
) -> Fed<'a, E> {
    if opcode == Opcode::Close {
        assembly.finish();
        if let Err(violation) = Close::parse(payload) {
            return fail(violation, assembly);
        }
    }
    Ok(Some(said(opcode, payload)))
}

/// The event for a valid control frame.
pub(super) fn said<E>(opcode: Opcode, payload: &[u8]) -> Event<'_, E> {
    match opcode {
        Opcode::Ping => Event::Ping(payload),
        Opcode::Close => Event::Closed(Close::parse(payload).unwrap_or_default()),
        _ => Event::Pong(payload),
    }
}
