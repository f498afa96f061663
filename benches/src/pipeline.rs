//! A frontend's stream of pipelines: with every field looked at, and with none.

use bytes::BytesMut;
use feedrate::pg::Frontend;
use feedrate::pg::frontend::{Message, Target};
use feedrate::{Array, Decoder};
use pgwire::messages::PgWireFrontendMessage;

use crate::Sum;
use crate::decode::context;

#[inline(never)]
pub fn feedrate_fields(stream: &[u8], chunk: usize) -> Sum {
    let mut decoder = Decoder::new(Frontend::established(), Array::<1024>::new());
    let mut sum = Sum::default();
    for mut input in stream.chunks(chunk) {
        while let Some(frame) = decoder.feed(&mut input).expect("a good stream") {
            match frame.message().expect("a good message") {
                Message::Parse(parse) => {
                    sum.bytes(parse.statement.as_bytes());
                    sum.bytes(parse.sql.as_bytes());
                    parse.parameter_types.iter().for_each(|oid| sum.add(oid as usize));
                }
                Message::Bind(bind) => {
                    sum.bytes(bind.portal.as_bytes());
                    sum.bytes(bind.statement.as_bytes());
                    bind.parameter_formats.iter().for_each(|format| sum.add(format.0 as usize));
                    bind.parameters.iter().for_each(|value| sum.value(value));
                    bind.result_formats.iter().for_each(|format| sum.add(format.0 as usize));
                }
                Message::Describe(describe) => {
                    let (kind, name) = match describe.target {
                        Target::Statement(name) => (b'S', name),
                        Target::Portal(name) => (b'P', name),
                    };
                    sum.add(kind.into());
                    sum.bytes(name.as_bytes());
                }
                Message::Execute(execute) => {
                    sum.bytes(execute.portal.as_bytes());
                    sum.add(execute.max_rows as usize);
                }
                Message::Sync(_) => sum.add(1),
                _ => unreachable!("not in this stream"),
            }
        }
    }
    sum
}

#[inline(never)]
pub fn feedrate_frames(stream: &[u8], chunk: usize) -> Sum {
    let mut decoder = Decoder::new(Frontend::established(), Array::<1024>::new());
    let mut sum = Sum::default();
    for mut input in stream.chunks(chunk) {
        while let Some(frame) = decoder.feed(&mut input).expect("a good stream") {
            sum.add(frame.raw().len());
            sum.add(frame.tag().into());
        }
    }
    sum
}

#[inline(never)]
pub fn pgwire_fields(stream: &[u8], chunk: usize) -> Sum {
    let (mut sum, context) = (Sum::default(), context());
    let mut buffer = BytesMut::with_capacity(8192);
    let text = |sum: &mut Sum, text: Option<&str>| sum.bytes(text.unwrap_or_default().as_bytes());
    for input in stream.chunks(chunk) {
        buffer.extend_from_slice(input);
        while let Some(message) = PgWireFrontendMessage::decode(&mut buffer, &context).expect("a good stream")
        {
            match message {
                PgWireFrontendMessage::Parse(parse) => {
                    text(&mut sum, parse.name.as_deref());
                    text(&mut sum, Some(&parse.query));
                    parse.type_oids.iter().for_each(|oid| sum.add(*oid as usize));
                }
                PgWireFrontendMessage::Bind(bind) => {
                    text(&mut sum, bind.portal_name.as_deref());
                    text(&mut sum, bind.statement_name.as_deref());
                    bind.parameter_format_codes.iter().for_each(|format| sum.add(*format as usize));
                    bind.parameters.iter().for_each(|value| sum.value(value.as_deref()));
                    bind.result_column_format_codes.iter().for_each(|format| sum.add(*format as usize));
                }
                PgWireFrontendMessage::Describe(describe) => {
                    sum.add(describe.target_type.into());
                    text(&mut sum, describe.name.as_deref());
                }
                PgWireFrontendMessage::Execute(execute) => {
                    text(&mut sum, execute.name.as_deref());
                    sum.add(execute.max_rows as usize);
                }
                PgWireFrontendMessage::Sync(_) => sum.add(1),
                _ => unreachable!("not in this stream"),
            }
        }
    }
    sum
}
