//! PostgreSQL: byte vectors written by hand, and transcripts of what a decoder makes of bytes.
//!
//! A [`Transcript`] is everything that comes out of a decoder: messages, errors, and what it says of the stream's end.
//! The first promise is then one comparison: the same bytes, cut elsewhere, give the same transcript.

#[cfg(feature = "pg")]
pub mod client;
pub mod server;
pub mod streamed;
pub mod vectors;

use std::fmt::Debug;

use feedrate::pg::backend::Message as BackendMessage;
use feedrate::pg::frontend::Message as FrontendMessage;
use feedrate::pg::{
    self, Backend, BackendLimits, Direction, EncryptionResponse, Frame, Frontend, FrontendLimits,
};
use feedrate::{Decoder, Encode, Error, Protocol, Storage};

/// One thing that came out of a decoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A message that could be read.
    Message {
        /// As [`Frame::name`] has it.
        name: &'static str,
        /// As it came.
        raw: Vec<u8>,
        /// The message's `Debug`; nothing if the message is long.
        shown: String,
    },
    /// A message that is bad, found by the decoder or in its body. The stream goes on.
    Bad(pg::Error),
    /// The stream is lost. Nothing follows.
    Lost(pg::Error),
}

/// Everything that came out of a decoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript<E = Entry> {
    /// In order.
    pub entries: Vec<E>,
    /// What [`Decoder::end`] said behind the last byte.
    pub end: Result<(), Error<pg::Error>>,
}

impl Transcript {
    /// The names of the messages; `!` stands for a bad one and `-` for the loss of the stream.
    pub fn names(&self) -> Vec<&'static str> {
        let name = |entry: &Entry| match entry {
            Entry::Message { name, .. } => *name,
            Entry::Bad(_) => "!",
            Entry::Lost(_) => "-",
        };
        self.entries.iter().map(name).collect()
    }
}

/// A direction of the conversation, as the tests see it.
pub trait Side:
    Direction
    + Clone
    + Debug
    + for<'a> Protocol<Bytes<'a> = &'a [u8], Message<'a> = Frame<'a, Self>, Error = pg::Error>
    + 'static
{
    /// One of the messages of this direction.
    type Owned: Debug + Encode;

    /// Whether `message` equals the one in the frame, its `Debug`, and what it encodes to.
    fn open(frame: &Frame<'_, Self>) -> Result<Opened, pg::Error>;

    /// Whether the frame's message equals `expected`.
    fn is(frame: &Frame<'_, Self>, expected: &Self::Owned) -> bool;

    /// The message, to be encoded under limits as wide as any decoder here has.
    fn widely(message: &Self::Owned) -> impl Encode + '_;

    /// Tells the direction what somebody who reads both of them would tell it after a message of this name.
    fn react(&mut self, name: &str);
}

/// A message that has been read.
#[derive(Debug)]
pub struct Opened {
    /// Its `Debug`; nothing if the message is long.
    pub shown: String,
    /// What it encodes to.
    pub encoded: Vec<u8>,
}

/// What was read under raised limits is written under raised limits.
const WIDE_BACKEND: BackendLimits =
    BackendLimits::new().authentication(WIDE).early_report(WIDE).short(WIDE).long(WIDE);
const WIDE_FRONTEND: FrontendLimits =
    FrontendLimits::new().startup(WIDE).authentication(WIDE).scram(WIDE).small(WIDE).large(WIDE);
const WIDE: u32 = u32::MAX;

fn opened(message: &impl Debug, widely: &impl Encode) -> Opened {
    let mut encoded = Vec::new();
    widely.encode(&mut encoded).expect("what was read can be written");
    // Of 65535 columns, no more than that there are.
    let shown = if encoded.len() < 2_000 { format!("{message:?}") } else { String::new() };
    Opened { shown, encoded }
}

impl Side for Backend {
    type Owned = BackendMessage<'static>;

    fn open(frame: &Frame<'_, Self>) -> Result<Opened, pg::Error> {
        frame.message().map(|message| opened(&message, &message.within(&WIDE_BACKEND)))
    }

    fn is(frame: &Frame<'_, Self>, expected: &Self::Owned) -> bool {
        frame.message().is_ok_and(|message| message == *expected)
    }

    fn widely(message: &Self::Owned) -> impl Encode + '_ {
        message.within(&WIDE_BACKEND)
    }

    fn react(&mut self, _: &str) {}
}

impl Side for Frontend {
    type Owned = FrontendMessage<'static>;

    fn open(frame: &Frame<'_, Self>) -> Result<Opened, pg::Error> {
        frame.message().map(|message| opened(&message, &message.within(&WIDE_FRONTEND)))
    }

    fn is(frame: &Frame<'_, Self>, expected: &Self::Owned) -> bool {
        frame.message().is_ok_and(|message| message == *expected)
    }

    fn widely(message: &Self::Owned) -> impl Encode + '_ {
        message.within(&WIDE_FRONTEND)
    }

    /// Encryption is refused, and the first answer to an authentication request is the right one, save that
    /// SASL takes two.
    fn react(&mut self, name: &str) {
        match name {
            "SSLRequest" | "GSSENCRequest" => {
                self.answered(EncryptionResponse::Refused, &[])
                    .expect("a refusal leaves the stream in clear");
            }
            "SASLInitialResponse" => self.expect(pg::frontend::Answer::Sasl),
            "PasswordMessage" | "SASLResponse" | "GSSResponse" | "AuthenticationResponse" => {
                self.authenticated()
            }
            _ => {}
        }
    }
}

/// Feeds `chunks`, one after the other, and writes down what comes out.
pub fn transcript<D: Side, S: Storage>(direction: &D, storage: S, chunks: &[&[u8]]) -> Transcript {
    let mut decoder = Decoder::new(direction.clone(), storage);
    let mut entries = Vec::new();
    'stream: for chunk in chunks {
        let mut input = *chunk;
        loop {
            match decoder.feed(&mut input) {
                Ok(Some(frame)) => {
                    let name = frame.name();
                    entries.push(entry(&frame));
                    decoder.protocol_mut().react(name);
                }
                Ok(None) => {
                    assert!(input.is_empty(), "Ok(None) with {} bytes left", input.len());
                    break;
                }
                Err(Error::Message(error)) => entries.push(Entry::Bad(error)),
                Err(Error::Lost(error)) => {
                    entries.push(Entry::Lost(error));
                    break 'stream;
                }
            }
        }
    }
    Transcript { entries, end: decoder.end() }
}

/// What came out of the decoder, opened.
pub fn entry<D: Side>(frame: &Frame<'_, D>) -> Entry {
    match D::open(frame) {
        Ok(opened) => {
            assert_eq!(opened.encoded, frame.raw(), "{} is not written as it was read", frame.name());
            Entry::Message { name: frame.name(), raw: frame.raw().to_vec(), shown: opened.shown }
        }
        Err(error) => Entry::Bad(error),
    }
}

/// Type byte, length and body: by the definition in the documentation, and not by the encoder.
pub fn message(tag: u8, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = u32::try_from(body.len() + 4).expect("a short body");
    [&[tag][..], &length.to_be_bytes(), body].concat()
}

/// Length and body, as the untagged packets have it.
pub fn packet(body: impl AsRef<[u8]>) -> Vec<u8> {
    message(0, body).split_off(1)
}
