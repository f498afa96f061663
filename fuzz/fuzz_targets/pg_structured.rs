//! Messages of both directions: what is written is read again as the same.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use bytes::BytesMut;
use feedrate::pg::backend::{self, DataRow, EncryptionResponse};
use feedrate::pg::frontend::{self, Answer, Bind};
use feedrate::pg::writer::{BindWriter, CopyDataWriter, DataRowWriter};
use feedrate::pg::{Backend, BackendLimits, Frontend};
use feedrate::{Decoder, Encode, EncodeError, Grow, Output, SliceOutput};
use feedrate_fuzz::check_encoding;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut u = Unstructured::new(data);
    let Ok(room) = u16::arbitrary(&mut u) else { return };
    if let Ok(true) = u.arbitrary() {
        if let Ok(message) = u.arbitrary() {
            from_backend(message, room.into());
        }
    } else if let Ok(message) = u.arbitrary() {
        from_frontend(message, room.into());
    }
});

fn from_backend(message: backend::Message<'_>, room: usize) {
    use backend::Message;
    let Some(bytes) = encode(&message, room) else { return };
    let limits = BackendLimits::new().authentication(1 << 20);
    let mut protocol = match message {
        Message::NegotiateProtocolVersion(_) | Message::PlainError(_) => Backend::new(),
        _ => Backend::established().allow_unknown(1 << 20),
    };
    protocol = protocol.limits(limits);
    match message {
        Message::EncryptionResponse(EncryptionResponse::Accepted(encryption)) => {
            protocol.expect_encryption_response(encryption);
        }
        Message::EncryptionResponse(EncryptionResponse::Refused) | Message::UntrustedError(_) => {
            protocol.expect_encryption_response(backend::Encryption::Ssl);
        }
        // It is read as what its type byte says.
        Message::Unknown(unknown) if BACKEND_TAGS.contains(&unknown.tag) => return,
        // A header is waited for before it is found to be none, as libpq does.
        Message::PlainError(_) if bytes.len() < 5 => return,
        _ => {}
    }
    let mut decoder = Decoder::new(protocol, Grow::new(1 << 20));
    let mut input = &bytes[..];
    let frame = decoder.feed(&mut input).unwrap().unwrap();
    assert!(input.is_empty());
    check_encoding(&frame, &bytes);
    assert_eq!(frame.message(), Ok(message));
    match message {
        Message::DataRow(row) => write_row(&row, &bytes),
        Message::CopyData(copy) => write_copy(copy.data, &bytes),
        _ => {}
    }
}

fn from_frontend(message: frontend::Message<'_>, room: usize) {
    use frontend::Message;
    let Some(bytes) = encode(&message, room) else { return };
    let mut decoder = Decoder::new(Frontend::new(), Grow::new(1 << 20));
    let answer = match message {
        Message::PasswordMessage(_) => Some(Answer::Password),
        Message::SASLInitialResponse(_) => Some(Answer::SaslInitial),
        Message::SASLResponse(_) => Some(Answer::Sasl),
        Message::GSSResponse(_) => Some(Answer::Gss),
        _ => None,
    };
    match message {
        // It has no bytes.
        Message::DirectTls(_) => return,
        // It is read as what its type byte says.
        Message::Unknown(unknown) if FRONTEND_TAGS.contains(&unknown.tag) => return,
        Message::StartupMessage(_)
        | Message::SSLRequest(_)
        | Message::GSSENCRequest(_)
        | Message::CancelRequest(_) => {}
        Message::AuthenticationResponse(_)
        | Message::PasswordMessage(_)
        | Message::SASLInitialResponse(_)
        | Message::SASLResponse(_)
        | Message::GSSResponse(_) => {
            decoder.feed(&mut &b"\0\0\0\x09\0\x03\0\0\0"[..]).unwrap().unwrap();
            answer.into_iter().for_each(|answer| decoder.protocol_mut().expect(answer));
        }
        _ => decoder = Decoder::new(Frontend::established().allow_unknown(1 << 20), Grow::new(1 << 20)),
    }
    let mut input = &bytes[..];
    let frame = decoder.feed(&mut input).unwrap().unwrap();
    assert!(input.is_empty());
    check_encoding(&frame, &bytes);
    assert_eq!(frame.message(), Ok(message));
    match message {
        Message::Bind(bind) => write_bind(&bind, &bytes),
        Message::CopyData(copy) => write_copy(copy.data, &bytes),
        _ => {}
    }
}

/// Type bytes that the crate has messages for.
const BACKEND_TAGS: &[u8] = b"RK23CWdcGHDIEVvnNAtS1sZT";
const FRONTEND_TAGS: &[u8] = b"pBCdcfDEHFPQSX";

/// The message's bytes; `room` is how many bytes of it there is room for in an output that is too small.
fn encode(message: &impl Encode, room: usize) -> Option<Vec<u8>> {
    let mut bytes = b"before".to_vec();
    let length = match message.encode(&mut bytes) {
        Ok(length) => length,
        // The only thing that a message made for fuzzing can be is too long. No limit is lower than a startup packet's.
        Err(error) => {
            let too_long =
                matches!(error, EncodeError::TooLarge { size, limit: 10_004.., .. } if size > 10_004);
            assert!(too_long, "{error}");
            assert_eq!(bytes, b"before");
            assert_eq!(message.encoded_length(), Err(error));
            return None;
        }
    };
    assert_eq!(&bytes[..6], b"before");
    let bytes = bytes.split_off(6);
    assert_eq!(length, bytes.len());
    check_encoding(message, &bytes);
    if length == 0 {
        return Some(bytes);
    }

    let mut memory = vec![0; 6 + room % length];
    let mut out = SliceOutput::new(&mut memory);
    out.put(b"before").unwrap();
    assert_eq!(message.encode(&mut out), Err(EncodeError::Full));
    assert_eq!(out.as_bytes(), b"before");

    let mut memory = vec![0; length];
    let mut out = SliceOutput::new(&mut memory);
    assert_eq!(message.encode(&mut out), Ok(length));
    assert_eq!(out.as_bytes(), bytes);

    let mut out = BytesMut::new();
    assert_eq!(message.encode(&mut out), Ok(length));
    assert_eq!(out, bytes);
    Some(bytes)
}

fn write_row(row: &DataRow<'_>, bytes: &[u8]) {
    let write = |out: &mut dyn FnMut(Option<&[u8]>)| row.columns.iter().for_each(out);
    let mut out = Vec::new();
    let mut writer = DataRowWriter::begin(&mut out).unwrap();
    write(&mut |value| writer.column(value).unwrap());
    assert_eq!(writer.finish(), Ok(bytes.len()));
    assert_eq!(out, bytes);

    // In a place that is too small for it, by two ways of writing.
    let mut memory = vec![0; bytes.len() - 1];
    let mut out = SliceOutput::new(&mut memory);
    if let Ok(mut writer) = DataRowWriter::begin(&mut out) {
        let mut failed = false;
        write(&mut |value| {
            failed |= match value {
                Some(value) => writer.column_with(|out| out.put(value)).is_err(),
                None => writer.column(None).is_err(),
            }
        });
        assert!(failed);
        writer.finish().unwrap_err();
    }
    assert_eq!(out.as_bytes(), b"");
}

fn write_bind(bind: &Bind<'_>, bytes: &[u8]) {
    let mut out = Vec::new();
    let mut writer =
        BindWriter::begin(&mut out, bind.portal, bind.statement, bind.parameter_formats).unwrap();
    for parameter in bind.parameters {
        match parameter {
            Some(value) => writer.parameter_with(|out| out.put(value)).unwrap(),
            None => writer.parameter(None).unwrap(),
        }
    }
    assert_eq!(writer.finish(bind.result_formats), Ok(bytes.len()));
    assert_eq!(out, bytes);
}

fn write_copy(data: &[u8], bytes: &[u8]) {
    let mut out = Vec::new();
    let mut writer = CopyDataWriter::begin(&mut out).unwrap();
    data.chunks(7).for_each(|chunk| writer.put(chunk).unwrap());
    assert_eq!(writer.finish(), Ok(bytes.len()));
    assert_eq!(out, bytes);
}
