//! Transcripts of streamed messages, in which it does not show where the bytes were cut.

use feedrate::pg::stream::{Begin, Event, Part, Streaming};
use feedrate::{Decoder, Error, Storage};

use super::{Entry, Side, Transcript, entry};

/// One thing that came out of a streaming decoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A whole message, a bad one, or the end of it all.
    Entry(Entry),
    /// A long message begins.
    Begin(Begin),
    /// A field of it begins.
    Part(Part),
    /// Its bytes, those of adjacent events together.
    Bytes(Vec<u8>),
    /// The long message is complete.
    End,
}

/// As [`transcript`](super::transcript()), of a decoder that streams.
pub fn transcript<D: Side, S: Storage>(direction: &D, storage: S, chunks: &[&[u8]]) -> Transcript<Piece> {
    let mut decoder = Decoder::new(Streaming::new(direction.clone()), storage);
    let mut entries = Vec::new();
    'stream: for chunk in chunks {
        let mut input = *chunk;
        loop {
            let piece = match decoder.feed(&mut input) {
                Ok(Some(Event::Whole(frame))) => {
                    let (name, piece) = (frame.name(), Piece::Entry(entry(&frame)));
                    decoder.protocol_mut().direction_mut().react(name);
                    piece
                }
                Ok(Some(Event::Bytes(bytes))) => {
                    assert!(!bytes.is_empty(), "a piece of no bytes");
                    if let Some(Piece::Bytes(before)) = entries.last_mut() {
                        before.extend_from_slice(bytes);
                        continue;
                    }
                    Piece::Bytes(bytes.to_vec())
                }
                Ok(Some(Event::Begin(begin))) => Piece::Begin(begin),
                Ok(Some(Event::Part(part))) => Piece::Part(part),
                Ok(Some(Event::End)) => Piece::End,
                Ok(None) => {
                    assert!(input.is_empty(), "Ok(None) with {} bytes left", input.len());
                    break;
                }
                Err(Error::Message(error)) => Piece::Entry(Entry::Bad(error)),
                Err(Error::Lost(error)) => {
                    entries.push(Piece::Entry(Entry::Lost(error)));
                    break 'stream;
                }
            };
            entries.push(piece);
        }
    }
    Transcript { entries, end: decoder.end() }
}

/// The bytes of the stream, put together again from what came out of it. Only good messages count.
pub fn rebuild(pieces: &[Piece]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut in_text = false;
    for piece in pieces {
        // A string's NUL is not handed out: it stands where the string ends.
        if in_text && !matches!(piece, Piece::Bytes(_)) {
            bytes.push(0);
            in_text = false;
        }
        match piece {
            Piece::Entry(Entry::Message { raw, .. }) => bytes.extend_from_slice(raw),
            Piece::Entry(_) | Piece::End => {}
            Piece::Begin(begin) => bytes.extend_from_slice(&begin.raw()),
            Piece::Bytes(content) => bytes.extend_from_slice(content),
            Piece::Part(part) => {
                in_text = is_text(*part);
                bytes.extend(part_bytes(*part));
            }
        }
    }
    bytes
}

/// Whether it is a string, whose NUL is not handed out.
pub const fn is_text(part: Part) -> bool {
    matches!(part, Part::Portal | Part::Statement | Part::Sql)
}

/// The bytes that a part was read from, before those of its content.
pub fn part_bytes(part: Part) -> Vec<u8> {
    match part {
        Part::Portal | Part::Statement | Part::Sql | Part::Data | Part::Body => Vec::new(),
        Part::Function(function) => function.to_be_bytes().to_vec(),
        Part::ResultFormat(format) => format.0.to_be_bytes().to_vec(),
        Part::ParameterFormats { count }
        | Part::ResultFormats { count }
        | Part::ParameterTypes { count }
        | Part::Values { count } => count.to_be_bytes().to_vec(),
        Part::Value { length, .. } => length.unwrap_or(u32::MAX).to_be_bytes().to_vec(),
    }
}
