//! What a vector is, and what the vectors are made from.

use feedrate::pg::frontend::Answer;
use feedrate::pg::{Backend, Encryption, Frontend, List, Problem};
use feedrate::{Decoder, Grow};

use crate::pg::Side;

/// Bytes that are one message.
#[derive(Debug)]
pub struct Good<D, M> {
    /// Where the conversation is.
    pub start: D,
    /// The message as it is on the wire.
    pub bytes: Vec<u8>,
    /// The message.
    pub message: M,
}

/// Bytes that are not.
#[derive(Debug)]
pub struct Bad<D> {
    /// Where the conversation is.
    pub start: D,
    /// On the wire.
    pub bytes: Vec<u8>,
    /// What must come of it.
    pub expected: Expected,
    /// A good message that can follow; empty where none can.
    pub next: &'static [u8],
}

/// What must come of malformed bytes: how bad it is, the message's name, the offset, the problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The message is bad, and the next one is read.
    Message(&'static str, usize, Problem),
    /// The stream is lost.
    Lost(&'static str, usize, Problem),
}

/// A backend's ReadyForQuery.
pub const READY: &[u8] = b"Z\0\0\0\x05I";
/// A backend's AuthenticationOk.
pub const OK: &[u8] = b"R\0\0\0\x08\0\0\0\0";
/// A frontend's Sync.
pub const SYNC: &[u8] = b"S\0\0\0\x04";
/// A frontend's Terminate.
pub const TERMINATE: &[u8] = b"X\0\0\0\x04";
/// A frontend's StartupMessage.
pub const STARTUP: &[u8] = b"\0\0\0\x14\0\x03\0\0user\0alice\0\0";

/// A backend that has been asked to encrypt.
pub fn asked(encryption: Encryption) -> Backend {
    let mut backend = Backend::new();
    backend.expect_encryption_response(encryption);
    backend
}

/// `start`, after one message.
pub(super) fn after<D: Side>(start: D, mut message: &[u8]) -> D {
    let mut decoder = Decoder::new(start, Grow::new(100));
    assert!(decoder.feed(&mut message).is_ok_and(|frame| frame.is_some()), "not a message");
    decoder.into_parts().0
}

/// A frontend that has sent its StartupMessage, and has been asked for a password or the like.
pub fn authenticating(answer: Option<Answer>) -> Frontend {
    let mut frontend = after(Frontend::new(), STARTUP);
    if let Some(answer) = answer {
        frontend.expect(answer);
    }
    frontend
}

/// A list that lives as long as the test.
pub(super) fn list<T>(items: impl Into<Vec<T>>) -> List<'static, T> {
    List::from(&*items.into().leak())
}

/// A body that is too short for a field.
pub(super) const fn short(what: &'static str, needed: usize, left: usize) -> Problem {
    Problem::Short { what, needed, left }
}

/// A value's length that is negative, but not -1.
pub(super) const fn negative(found: i32) -> Problem {
    Problem::Negative { what: "value length", found, expected: "-1 for NULL, or 0 and more" }
}

/// A byte that begins no message: perhaps the first of a TLS record, a handshake or an alert.
pub(super) const fn unknown(tag: u8) -> Problem {
    match tag {
        0x15 | 0x16 => Problem::Foreign { first: tag, protocol: "TLS" },
        _ => Problem::UnknownTag(tag),
    }
}

/// A length field out of its bounds.
pub(super) const fn length(length: u32, max: u32) -> Problem {
    Problem::Length { length, min: 4, max }
}
