//! What the others leave out: making decoders, telling them what the bytes do not, and everything that
//! messages derive from their fields.
#![no_std]
#![no_main]

use feedrate::pg::backend::{ErrorResponse, NegotiateProtocolVersion, field};
use feedrate::pg::frontend::{Answer, Replication, StartupMessage};
use feedrate::pg::stream::{Event, Streaming};
use feedrate::pg::{Backend, Encryption, EncryptionResponse, Frontend, backend, frontend};
use feedrate::{Array, Decoder};
use feedrate_footprint::{Sum, bytes};

pub struct Decoders {
    backend: Decoder<Backend, Array<256>>,
    frontend: Decoder<Frontend, Array<256>>,
    streaming: Decoder<Streaming<Backend>, Array<256>>,
    streaming_frontend: Decoder<Streaming<Frontend>, Array<256>>,
}

/// # Safety
///
/// See [`bytes`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(decoders: &mut Decoders, input: *const u8, length: usize, command: u8) -> u32 {
    // SAFETY: the caller's word.
    let mut input = unsafe { bytes(input, length) };
    let Decoders { backend, frontend, streaming, streaming_frontend } = decoders;
    let mut sum = Sum::default();
    match command {
        0 => *backend = Decoder::new(Backend::new(), Array::new()),
        1 => *frontend = Decoder::new(Frontend::new(), Array::new()),
        2 => backend.protocol_mut().expect_encryption_response(Encryption::Gss),
        3 => backend.protocol_mut().secured(),
        4 => sum.add(frontend.protocol_mut().answered(EncryptionResponse::Refused, input).is_ok().into()),
        5 => frontend.protocol_mut().authenticated(),
        6 => frontend.protocol_mut().expect(Answer::SaslInitial),
        7 => backend.reset(),
        14 => frontend.protocol_mut().expect(Answer::Password),
        15 => sum.add(frontend.end().is_ok().into()),
        16 => sum.add(frontend.needed() as u32),
        8 => frontend.reset(),
        9 => sum.add(backend.end().is_ok().into()),
        10 => sum.add(backend.needed() as u32),
        11 => sum.add(backend.gap().is_ok().into()),
        12 => {
            while let Ok(Some(event)) = streaming.feed(&mut input) {
                look(&mut sum, &event);
            }
        }
        13 => {
            while let Ok(Some(event)) = streaming_frontend.feed(&mut input) {
                look(&mut sum, &event);
            }
        }
        _ => derived(&mut sum, backend, frontend, input),
    }
    sum.0
}

fn look<D>(sum: &mut Sum, event: &Event<'_, D>) {
    match event {
        Event::Begin(begin) => sum.add(begin.length),
        Event::Bytes(bytes) => sum.slice(bytes),
        _ => sum.add(1),
    }
}

fn derived(
    sum: &mut Sum,
    backend: &mut Decoder<Backend, Array<256>>,
    frontend: &mut Decoder<Frontend, Array<256>>,
    mut input: &[u8],
) {
    let mut answer = input;
    let Ok(Some(asked)) = frontend.feed(&mut input) else { return };
    let Ok(Some(said)) = backend.feed(&mut answer) else { return };
    sum.slice(asked.name().as_bytes());
    sum.slice(said.body());
    let asked = asked.message();
    match (said.message(), &asked) {
        (Ok(backend::Message::CommandComplete(complete)), _) => {
            sum.slice(complete.command().as_bytes());
            sum.add(complete.rows().unwrap_or(1) as u32);
            sum.add(complete.oid().unwrap_or(1) as u32);
        }
        (Ok(backend::Message::ErrorResponse(error)), _) => report(sum, &error),
        (Ok(backend::Message::Authentication(request)), _) => sum.add(request.answer().is_some().into()),
        (
            Ok(backend::Message::NegotiateProtocolVersion(chosen)),
            Ok(frontend::Message::StartupMessage(asked)),
        ) => {
            startup(sum, &chosen, asked);
        }
        (Ok(backend::Message::DataRow(row)), _) => {
            sum.slice(row.columns.get(7).flatten().unwrap_or_default())
        }
        (Ok(backend::Message::RowDescription(row)), _) => {
            sum.slice(row.fields.get(7).unwrap_or_default().name.as_bytes());
        }
        _ => {}
    }
}

fn report(sum: &mut Sum, error: &ErrorResponse<'_>) {
    sum.add(error.severity().is_some().into());
    sum.slice(error.sql_state().map_or([0; 5], |state| state.0).as_slice());
    sum.add(error.position().unwrap_or(0));
    sum.slice(error.get(field::ROUTINE).unwrap_or_default().as_bytes());
}

fn startup(sum: &mut Sum, chosen: &NegotiateProtocolVersion<'_>, asked: &StartupMessage<'_>) {
    sum.add(chosen.check(asked).is_ok().into());
    sum.slice(asked.user().unwrap_or_default().as_bytes());
    sum.slice(asked.database().unwrap_or_default().as_bytes());
    sum.slice(asked.time_zone().unwrap_or_default().as_bytes());
    sum.add((asked.replication() == Some(Replication::Logical)).into());
    asked.protocol_options().for_each(|option| sum.slice(option.name.as_bytes()));
}
