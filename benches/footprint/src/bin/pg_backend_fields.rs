//! As `pg_backend`, and every field of every message looked at.
#![no_std]
#![no_main]

use feedrate::pg::backend::{Authentication, Message, NoticeField};
use feedrate::pg::{Backend, EncryptionResponse, Format, List, Text};
use feedrate::{Array, Decoder};
use feedrate_footprint::{Sum, bytes};

/// # Safety
///
/// See [`bytes`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    decoder: &mut Decoder<Backend, Array<1024>>,
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
        Message::Authentication(request) => match request {
            Authentication::Md5Password { salt } => sum.slice(&salt),
            Authentication::Sasl { mechanisms } => *sum = texts(*sum, mechanisms),
            Authentication::GssContinue { data }
            | Authentication::SaslContinue { data }
            | Authentication::SaslFinal { data } => sum.slice(data.expose()),
            Authentication::Other { code, data } => {
                sum.add(code);
                sum.slice(data.expose());
            }
            Authentication::Ok => sum.add(0),
            Authentication::KerberosV5 => sum.add(2),
            Authentication::CleartextPassword => sum.add(3),
            Authentication::Gss => sum.add(7),
            Authentication::Sspi => sum.add(9),
            _ => sum.add(99),
        },
        Message::BackendKeyData(key) => {
            sum.add(key.process_id as u32);
            sum.slice(key.key.expose());
        }
        Message::BindComplete(_) => sum.add(1),
        Message::CloseComplete(_) => sum.add(2),
        Message::CommandComplete(complete) => sum.slice(complete.tag.as_bytes()),
        Message::CopyBothResponse(copy) => *sum = formats(*sum, copy.format, copy.column_formats),
        Message::CopyInResponse(copy) => *sum = formats(*sum, copy.format, copy.column_formats),
        Message::CopyOutResponse(copy) => *sum = formats(*sum, copy.format, copy.column_formats),
        Message::CopyData(copy) => sum.slice(copy.data),
        Message::CopyDone(_) => sum.add(3),
        Message::DataRow(row) => row.columns.iter().for_each(|value| match value {
            Some(value) => sum.slice(value),
            None => sum.add(1),
        }),
        Message::EmptyQueryResponse(_) => sum.add(4),
        Message::ErrorResponse(error) => *sum = notice(*sum, error.fields),
        Message::NoticeResponse(message) => *sum = notice(*sum, message.fields),
        Message::FunctionCallResponse(response) => sum.slice(response.value.unwrap_or_default()),
        Message::NegotiateProtocolVersion(negotiate) => {
            sum.add(negotiate.version.0);
            *sum = texts(*sum, negotiate.unrecognized);
        }
        Message::NoData(_) => sum.add(5),
        Message::NotificationResponse(notification) => {
            sum.add(notification.process_id as u32);
            sum.slice(notification.channel.as_bytes());
            sum.slice(notification.payload.as_bytes());
        }
        Message::ParameterDescription(description) => description.types.iter().for_each(|oid| sum.add(oid)),
        Message::ParameterStatus(status) => {
            sum.slice(status.name.as_bytes());
            sum.slice(status.value.as_bytes());
        }
        Message::ParseComplete(_) => sum.add(6),
        Message::PortalSuspended(_) => sum.add(7),
        Message::ReadyForQuery(ready) => sum.add(ready.status.byte().into()),
        Message::RowDescription(description) => description.fields.iter().for_each(|field| {
            sum.slice(field.name.as_bytes());
            sum.add(field.table_oid);
            sum.add(field.column_number as u32);
            sum.add(field.type_oid);
            sum.add(field.type_size as u32);
            sum.add(field.type_modifier as u32);
            sum.add(field.format.0 as u32);
        }),
        Message::EncryptionResponse(EncryptionResponse::Accepted(encryption)) => {
            sum.add(encryption.consent().into())
        }
        Message::EncryptionResponse(EncryptionResponse::Refused) => sum.add(8),
        Message::UntrustedError(error) => sum.slice(error.raw()),
        Message::PlainError(error) => sum.slice(error.text.as_bytes()),
        Message::Unknown(unknown) => {
            sum.add(unknown.tag.into());
            sum.slice(unknown.body);
        }
        // All that there are today are above.
        _ => {}
    }
}

#[inline(never)]
fn formats(mut sum: Sum, format: Format, columns: List<'_, Format>) -> Sum {
    sum.add(format.0 as u32);
    columns.iter().for_each(|format| sum.add(format.0 as u32));
    sum
}

#[inline(never)]
fn texts(mut sum: Sum, texts: List<'_, Text<'_>>) -> Sum {
    texts.iter().for_each(|text| sum.slice(text.as_bytes()));
    sum
}

#[inline(never)]
fn notice(mut sum: Sum, fields: List<'_, NoticeField<'_>>) -> Sum {
    fields.iter().for_each(|field| {
        sum.add(field.code.into());
        sum.slice(field.value.as_bytes());
    });
    sum
}
