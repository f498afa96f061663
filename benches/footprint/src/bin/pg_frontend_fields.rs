//! As `pg_frontend`, and every field of every message looked at.
#![no_std]
#![no_main]

use feedrate::pg::frontend::{Message, Target};
use feedrate::pg::{Format, Frontend, List};
use feedrate::{Array, Decoder};
use feedrate_footprint::{Sum, bytes};

/// # Safety
///
/// See [`bytes`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    decoder: &mut Decoder<Frontend, Array<1024>>,
    input: *const u8,
    length: usize,
) -> u32 {
    // SAFETY: the caller's word.
    let mut input = unsafe { bytes(input, length) };
    let mut sum = Sum::default();
    loop {
        match decoder.feed(&mut input) {
            Ok(Some(frame)) => match frame.message() {
                Ok(message) => look(&mut sum, message),
                Err(error) => sum.add(error.at() as u32),
            },
            Ok(None) => return sum.0,
            Err(error) if error.is_lost() => return u32::MAX,
            Err(error) => sum.add(error.into_inner().at() as u32),
        }
    }
}

#[inline]
fn look(sum: &mut Sum, message: Message<'_>) {
    match message {
        Message::AuthenticationResponse(response) => sum.slice(response.data.expose()),
        Message::Bind(bind) => {
            sum.slice(bind.portal.as_bytes());
            sum.slice(bind.statement.as_bytes());
            *sum = formats(*sum, bind.parameter_formats);
            values(sum, bind.parameters);
            *sum = formats(*sum, bind.result_formats);
        }
        Message::Close(close) => target(sum, close.target),
        Message::CopyData(copy) => sum.slice(copy.data),
        Message::CopyDone(_) => sum.add(1),
        Message::CopyFail(fail) => sum.slice(fail.reason.as_bytes()),
        Message::Describe(describe) => target(sum, describe.target),
        Message::Execute(execute) => {
            sum.slice(execute.portal.as_bytes());
            sum.add(execute.max_rows as u32);
        }
        Message::Flush(_) => sum.add(2),
        Message::FunctionCall(call) => {
            sum.add(call.function);
            *sum = formats(*sum, call.argument_formats);
            values(sum, call.arguments);
            sum.add(call.result_format.0 as u32);
        }
        Message::Parse(parse) => {
            sum.slice(parse.statement.as_bytes());
            sum.slice(parse.sql.as_bytes());
            parse.parameter_types.iter().for_each(|oid| sum.add(oid));
        }
        Message::Query(query) => sum.slice(query.sql.as_bytes()),
        Message::Sync(_) => sum.add(3),
        Message::Terminate(_) => sum.add(4),
        Message::StartupMessage(startup) => {
            sum.add(startup.version.0);
            startup.parameters.iter().for_each(|parameter| {
                sum.slice(parameter.name.as_bytes());
                sum.slice(parameter.value.as_bytes());
            });
        }
        Message::SSLRequest(_) => sum.add(5),
        Message::GSSENCRequest(_) => sum.add(6),
        Message::CancelRequest(cancel) => {
            sum.add(cancel.process_id as u32);
            sum.slice(cancel.key.expose());
        }
        Message::DirectTls(_) => sum.add(7),
        Message::PasswordMessage(message) => sum.slice(message.password.expose()),
        Message::SASLInitialResponse(response) => {
            sum.slice(response.mechanism.as_bytes());
            sum.slice(response.data.unwrap_or_default().expose());
        }
        Message::SASLResponse(response) => sum.slice(response.data.expose()),
        Message::GSSResponse(response) => sum.slice(response.data.expose()),
        Message::Unknown(unknown) => {
            sum.add(unknown.tag.into());
            sum.slice(unknown.body);
        }
        // All that there are today are above.
        _ => {}
    }
}

fn target(sum: &mut Sum, target: Target<'_>) {
    match target {
        Target::Statement(name) => sum.slice(name.as_bytes()),
        Target::Portal(name) => {
            sum.add(1);
            sum.slice(name.as_bytes());
        }
    }
}

#[inline(never)]
fn formats(mut sum: Sum, formats: List<'_, Format>) -> Sum {
    formats.iter().for_each(|format| sum.add(format.0 as u32));
    sum
}

fn values(sum: &mut Sum, values: List<'_, Option<&[u8]>>) {
    values.iter().for_each(|value| match value {
        Some(value) => sum.slice(value),
        None => sum.add(1),
    });
}
