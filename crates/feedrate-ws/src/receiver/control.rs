//! Control frames and violations: what the peer is told, and what is reported.

use feedrate::{Instant, Storage};

use super::assembly::Assembly;
use super::event::Event;
use crate::answer::Answer;
use crate::close::Close;
use crate::error::{Error, Violation};
use crate::message::{Message, Text};
use crate::opcode::Opcode;
use crate::utf8;

#[inline(always)]
pub(super) fn text<'a, S: Storage>(
    payload: &'a [u8],
    assembly: &mut Assembly<S>,
    now: Instant,
    answers: &mut impl Answer,
) -> Result<Event<'a, Message<'a>>, Error> {
    match utf8::text(payload) {
        Some(text) => Ok(Event::Message(Message::Text(Text::new(text)))),
        None => Err(bad_text(payload, assembly, now, answers)),
    }
}

#[cold]
fn bad_text<S: Storage>(
    text: &[u8],
    assembly: &mut Assembly<S>,
    now: Instant,
    answers: &mut impl Answer,
) -> Error {
    fail(utf8::first_bad(text), assembly, now, answers)
}

#[cold]
pub(super) fn fail<S: Storage>(
    violation: Violation,
    assembly: &mut Assembly<S>,
    now: Instant,
    answers: &mut impl Answer,
) -> Error {
    assembly.finish();
    answers.failed(violation.close_code(), now);
    Error { violation, offset: assembly.frame_at }
}

/// A control frame whose payload is lent from the input.
pub(super) fn control<'a, S: Storage, E>(
    opcode: Opcode,
    payload: &'a [u8],
    assembly: &mut Assembly<S>,
    now: Instant,
    answers: &mut impl Answer,
) -> Result<Event<'a, E>, Error> {
    if opcode == Opcode::Close {
        assembly.finish();
        if let Err(violation) = Close::parse(payload) {
            return Err(fail(violation, assembly, now, answers));
        }
    }
    Ok(said(opcode, payload, now, answers))
}

/// What the peer said in a control frame that breaks no rule.
pub(super) fn said<'a, E>(
    opcode: Opcode,
    payload: &'a [u8],
    now: Instant,
    answers: &mut impl Answer,
) -> Event<'a, E> {
    match opcode {
        Opcode::Ping => {
            answers.pong(payload);
            Event::Ping(payload)
        }
        Opcode::Close => {
            let close = Close::parse(payload).unwrap_or_default();
            answers.closed(close, now);
            Event::Closed(close)
        }
        _ => Event::Pong(payload),
    }
}
