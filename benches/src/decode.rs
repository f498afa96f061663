//! A backend's stream: with every field looked at, and with none.
//!
//! The peers whose input is a `BytesMut` get each chunk appended to one, as tokio's `read_buf` would put it
//! there; `*_whole` gives them the stream at once, without that copy.

use bytes::{Buf, BytesMut};
use fallible_iterator::FallibleIterator;
use feedrate::pg::Backend;
use feedrate::pg::backend::Message;
use feedrate::{Array, Decoder};
use pgwire::messages::{DecodeContext, PgWireBackendMessage, ProtocolVersion};
use postgres_protocol::message::backend as postgres;

use crate::Sum;

/// Larger than any message here.
const STORAGE: usize = 2048;

// --- every field

#[inline(never)]
pub fn feedrate_fields(stream: &[u8], chunk: usize) -> Sum {
    let mut decoder = Decoder::new(Backend::established(), Array::<STORAGE>::new());
    let mut sum = Sum::default();
    for mut input in stream.chunks(chunk) {
        while let Some(frame) = decoder.feed(&mut input).expect("a good stream") {
            if let Some(columns) = frame.columns() {
                for value in columns {
                    sum.value(value.expect("a good row"));
                }
            }
        }
    }
    sum
}

/// Each row checked as a whole before any of its columns is seen.
#[inline(never)]
pub fn feedrate_fields_checked(stream: &[u8], chunk: usize) -> Sum {
    let mut decoder = Decoder::new(Backend::established(), Array::<STORAGE>::new());
    let mut sum = Sum::default();
    for mut input in stream.chunks(chunk) {
        while let Some(frame) = decoder.feed(&mut input).expect("a good stream") {
            if let Message::DataRow(row) = frame.message().expect("a good message") {
                row.columns.iter().for_each(|value| sum.value(value));
            }
        }
    }
    sum
}

/// With each chunk read into a buffer first, as from a socket: what the peers get is copied once too.
#[inline(never)]
pub fn feedrate_fields_read(stream: &[u8], chunk: usize) -> Sum {
    let mut decoder = Decoder::new(Backend::established(), Array::<STORAGE>::new());
    let mut sum = Sum::default();
    let mut buffer = Vec::with_capacity(chunk);
    for read in stream.chunks(chunk) {
        buffer.clear();
        buffer.extend_from_slice(read);
        let mut input = &buffer[..];
        while let Some(frame) = decoder.feed(&mut input).expect("a good stream") {
            if let Some(columns) = frame.columns() {
                for value in columns {
                    sum.value(value.expect("a good row"));
                }
            }
        }
    }
    sum
}

#[inline(never)]
pub fn postgres_fields(stream: &[u8], chunk: usize) -> Sum {
    let mut sum = Sum::default();
    let mut buffer = BytesMut::with_capacity(STORAGE);
    for input in stream.chunks(chunk) {
        buffer.extend_from_slice(input);
        postgres_take(&mut buffer, &mut sum);
    }
    sum
}

#[inline(never)]
pub fn postgres_fields_whole(mut stream: BytesMut) -> Sum {
    let mut sum = Sum::default();
    postgres_take(&mut stream, &mut sum);
    sum
}

#[inline(always)]
fn postgres_take(buffer: &mut BytesMut, sum: &mut Sum) {
    while let Some(message) = postgres::Message::parse(buffer).expect("a good stream") {
        if let postgres::Message::DataRow(row) = message {
            let mut ranges = row.ranges();
            while let Some(range) = ranges.next().expect("a good message") {
                sum.value(range.map(|range| &row.buffer()[range]));
            }
        }
    }
}

#[inline(never)]
pub fn pgwire_fields(stream: &[u8], chunk: usize) -> Sum {
    let (mut sum, context) = (Sum::default(), context());
    let mut buffer = BytesMut::with_capacity(STORAGE);
    for input in stream.chunks(chunk) {
        buffer.extend_from_slice(input);
        pgwire_take(&mut buffer, &context, &mut sum);
    }
    sum
}

#[inline(never)]
pub fn pgwire_fields_whole(mut stream: BytesMut) -> Sum {
    let mut sum = Sum::default();
    pgwire_take(&mut stream, &context(), &mut sum);
    sum
}

#[inline(always)]
fn pgwire_take(buffer: &mut BytesMut, context: &DecodeContext, sum: &mut Sum) {
    while let Some(message) = PgWireBackendMessage::decode(buffer, context).expect("a good stream") {
        if let PgWireBackendMessage::DataRow(row) = message {
            // It leaves the values to its user.
            let mut rest = &row.data[..];
            for _ in 0..row.field_count {
                match usize::try_from(rest.get_i32()) {
                    Ok(length) => {
                        sum.bytes(&rest[..length]);
                        rest.advance(length);
                    }
                    Err(_) => sum.value(None),
                }
            }
        }
    }
}

pub(crate) fn context() -> DecodeContext {
    let mut context = DecodeContext::new(ProtocolVersion::PROTOCOL3_0);
    context.awaiting_frontend_ssl = false;
    context.awaiting_frontend_startup = false;
    context
}

// --- no field

/// The least that can be done: find where each message ends, and what its type is. No limit, no check of the type.
#[inline(never)]
pub fn floor(stream: &[u8], chunk: usize) -> Sum {
    each_frame(stream.chunks(chunk), |sum, frame| {
        sum.add(frame.len());
        sum.add(frame.first().copied().unwrap_or_default().into());
    })
}

/// In chunks that are not all of one size.
#[inline(never)]
pub fn floor_chunks(chunks: &[&[u8]]) -> Sum {
    each_frame(chunks.iter().copied(), |sum, frame| {
        sum.add(frame.len());
        sum.add(frame.first().copied().unwrap_or_default().into());
    })
}

/// The same, and the least that has to be done for a row's values: one walk over them, which checks only
/// what `[]` checks.
#[inline(never)]
pub fn floor_fields(stream: &[u8], chunk: usize) -> Sum {
    each_frame(stream.chunks(chunk), |sum, frame| {
        if let Some(([b'D', _, _, _, _, a, b], mut rest)) = frame.split_first_chunk::<7>() {
            for _ in 0..u16::from_be_bytes([*a, *b]) {
                let (length, behind) = rest.split_at(4);
                let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
                if length == u32::MAX {
                    sum.value(None);
                    rest = behind;
                } else {
                    let (value, behind) = behind.split_at(length as usize);
                    sum.bytes(value);
                    rest = behind;
                }
            }
        }
    })
}

#[inline(always)]
fn each_frame<'s>(chunks: impl Iterator<Item = &'s [u8]>, look: impl Fn(&mut Sum, &[u8])) -> Sum {
    let mut sum = Sum::default();
    let mut held: Vec<u8> = Vec::with_capacity(STORAGE);
    for mut input in chunks {
        if !held.is_empty() {
            // What is missing of the header, then of the message.
            for _ in 0..2 {
                let total = total(&held).unwrap_or(5);
                let (now, rest) = input.split_at((total - held.len()).min(input.len()));
                held.extend_from_slice(now);
                input = rest;
            }
            if total(&held) == Some(held.len()) {
                look(&mut sum, &held);
                held.clear();
            }
        }
        while let Some((frame, rest)) = total(input).and_then(|total| input.split_at_checked(total)) {
            look(&mut sum, frame);
            input = rest;
        }
        held.extend_from_slice(input);
    }
    sum
}

#[inline(always)]
fn total(bytes: &[u8]) -> Option<usize> {
    let &[_, a, b, c, d] = bytes.first_chunk::<5>()?;
    Some(u32::from_be_bytes([a, b, c, d]) as usize + 1)
}

#[inline(never)]
pub fn feedrate_frames(stream: &[u8], chunk: usize) -> Sum {
    let mut decoder = Decoder::new(Backend::established(), Array::<STORAGE>::new());
    let mut sum = Sum::default();
    for mut input in stream.chunks(chunk) {
        while let Some(frame) = decoder.feed(&mut input).expect("a good stream") {
            sum.add(frame.raw().len());
            sum.add(frame.tag().into());
        }
    }
    sum
}

/// As [`floor_chunks`].
#[inline(never)]
pub fn feedrate_frames_chunks(chunks: &[&[u8]]) -> Sum {
    let mut decoder = Decoder::new(Backend::established(), Array::<STORAGE>::new());
    let mut sum = Sum::default();
    for mut input in chunks.iter().copied() {
        while let Some(frame) = decoder.feed(&mut input).expect("a good stream") {
            sum.add(frame.raw().len());
            sum.add(frame.tag().into());
        }
    }
    sum
}

/// As [`feedrate_fields_read`].
#[inline(never)]
pub fn feedrate_frames_read(stream: &[u8], chunk: usize) -> Sum {
    let mut decoder = Decoder::new(Backend::established(), Array::<STORAGE>::new());
    let mut sum = Sum::default();
    let mut buffer = Vec::with_capacity(chunk);
    for read in stream.chunks(chunk) {
        buffer.clear();
        buffer.extend_from_slice(read);
        let mut input = &buffer[..];
        while let Some(frame) = decoder.feed(&mut input).expect("a good stream") {
            sum.add(frame.raw().len());
            sum.add(frame.tag().into());
        }
    }
    sum
}

/// A peer that hands out no frame: the rows' lengths stand for the frames.
#[inline(never)]
pub fn postgres_frames(stream: &[u8], chunk: usize) -> Sum {
    let mut sum = Sum::default();
    let mut buffer = BytesMut::with_capacity(STORAGE);
    for input in stream.chunks(chunk) {
        buffer.extend_from_slice(input);
        while let Some(message) = postgres::Message::parse(&mut buffer).expect("a good stream") {
            if let postgres::Message::DataRow(row) = message {
                sum.add(row.buffer().len());
            }
        }
    }
    sum
}

/// As [`postgres_frames`].
#[inline(never)]
pub fn pgwire_frames(stream: &[u8], chunk: usize) -> Sum {
    let (mut sum, context) = (Sum::default(), context());
    let mut buffer = BytesMut::with_capacity(STORAGE);
    for input in stream.chunks(chunk) {
        buffer.extend_from_slice(input);
        while let Some(message) = PgWireBackendMessage::decode(&mut buffer, &context).expect("a good stream")
        {
            if let PgWireBackendMessage::DataRow(row) = message {
                sum.add(row.data.len());
            }
        }
    }
    sum
}
