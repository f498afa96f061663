//! Against the messages of postgres-protocol, which tokio-postgres is made of: where both understand, they
//! understand the same.
#![no_main]

use std::io;
use std::ops::Range;
use std::str::Utf8Error;

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use feedrate::pg::backend::{self, Authentication, DataRow, Frame, Message, NoticeField, TransactionStatus};
use feedrate::pg::{Backend, BackendLimits, Error, Format, List, Problem, Secret, Text};
use feedrate::{Decoder, Fault, Grow};
use feedrate_fuzz::{Plan, drive};
use postgres_protocol::message::backend as peer;

/// It reserves what a header claims, so that larger claims are kept from it.
const CLAIM: u32 = 1 << 20;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(plan) = Plan::new(data) else { return };
    let limits = BackendLimits::new().authentication(CLAIM).early_report(CLAIM).short(CLAIM).long(CLAIM);
    let backend = if plan.flag(0) { Backend::established() } else { Backend::new() };
    let mut decoder = Decoder::new(backend.limits(limits).allow_unknown(CLAIM), Grow::new(2 << 20));
    let mut theirs = BytesMut::from(plan.stream);
    let see = |_: usize, seen: Result<Frame<'_>, Error>| {
        let frame = seen.expect("a backend's frames are never bad, only their messages");
        // An error in the form of protocol 2.0, which it does not know.
        if let Ok(Message::PlainError(_)) = frame.message() {
            return drop(theirs.split_to(frame.raw().len()));
        }
        let left = theirs.len();
        let message = peer::Message::parse(&mut theirs).map(|message| message.expect("a whole message"));
        assert_eq!(theirs.len(), left - frame.raw().len());
        compare(&frame, message);
    };
    let outcome = drive(&mut decoder, plan.stream, plan.sizes, see, |_, _, _| ());
    // An unfinished message is one for it too.
    let claim = theirs.get(1..5).map(|bytes| u32::from_be_bytes(bytes.try_into().unwrap()));
    if let (false, Some(4..=CLAIM)) = (matches!(&outcome.end, Err(error) if !is_truncated(error)), claim) {
        assert!(matches!(peer::Message::parse(&mut theirs), Ok(None)));
    }
});

fn is_truncated(error: &feedrate::Error<Error>) -> bool {
    let problem = error.into_inner().problem();
    matches!(problem, Problem::Fault(Fault::Truncated { .. }))
}

fn compare(frame: &Frame<'_>, theirs: io::Result<peer::Message>) {
    let ours = frame.message();
    let theirs = match (theirs, ours) {
        (Ok(theirs), _) => theirs,
        (Err(_), Err(_)) => return,
        // Messages that it does not know.
        (_, Ok(Message::NegotiateProtocolVersion(_) | Message::FunctionCallResponse(_))) => return,
        (_, Ok(Message::CopyBothResponse(_) | Message::Unknown(_))) => return,
        // Of the codes that have no variant of their own it knows 6, with nothing behind it.
        (_, Ok(Message::Authentication(Authentication::Other { code, data })))
            if code != 6 || !data.expose().is_empty() =>
        {
            return;
        }
        // A key of protocol 3.2.
        (_, Ok(Message::BackendKeyData(data))) if data.key.expose().len() != 4 => return,
        (Err(error), Ok(ours)) => panic!("{ours:?}, they say: {error}"),
    };
    let read = translate(&theirs, |translated| match ours {
        Ok(ours) => assert_eq!(ours, translated),
        // It takes every negative length for NULL.
        Err(error) => {
            let negative = matches!(error.problem(), Problem::Negative { found: ..-1, .. });
            assert!(negative && frame.tag() == DataRow::TAG, "{error}, they say: {translated:?}");
        }
    });
    match (read, ours) {
        // It asks for UTF-8, we hand out bytes.
        // (The body as a whole can be UTF-8 all the same, where a character begins in one field and ends in the next.)
        (Err(Unreadable::Text), Ok(_)) => assert!(!frame.body().is_ascii()),
        (Err(why), Ok(ours)) => panic!("{ours:?}, they say: {why:?}"),
        (Ok(()), _) | (Err(_), Err(_)) => {}
    }
}

/// Why what their parser took cannot be read from it.
#[derive(Debug)]
enum Unreadable {
    Text,
    /// The rest of the checks, which it leaves to its iterators.
    Lazily(#[allow(dead_code, reason = "shown when it must not be")] io::Error),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        if error.get_ref().is_some_and(|inner| inner.is::<Utf8Error>()) {
            Self::Text
        } else {
            Self::Lazily(error)
        }
    }
}

/// Hands `check` the message that we should have read where they have read this one.
fn translate(theirs: &peer::Message, check: impl FnOnce(Message<'_>)) -> Result<(), Unreadable> {
    use peer::Message as Peer;
    match theirs {
        Peer::AuthenticationOk => check(Authentication::Ok.into()),
        Peer::AuthenticationKerberosV5 => check(Authentication::KerberosV5.into()),
        Peer::AuthenticationCleartextPassword => check(Authentication::CleartextPassword.into()),
        Peer::AuthenticationMd5Password(body) => {
            check(Authentication::Md5Password { salt: body.salt() }.into());
        }
        Peer::AuthenticationScmCredential => {
            check(Authentication::Other { code: 6, data: Secret::default() }.into());
        }
        Peer::AuthenticationGss => check(Authentication::Gss.into()),
        Peer::AuthenticationSspi => check(Authentication::Sspi.into()),
        Peer::AuthenticationGssContinue(body) => {
            check(Authentication::GssContinue { data: body.data().into() }.into());
        }
        Peer::AuthenticationSasl(body) => {
            let mechanisms: Vec<_> = body.mechanisms().map(|name| Ok(Text::from(name))).collect()?;
            check(Authentication::Sasl { mechanisms: List::from(&mechanisms[..]) }.into());
        }
        Peer::AuthenticationSaslContinue(body) => {
            check(Authentication::SaslContinue { data: body.data().into() }.into());
        }
        Peer::AuthenticationSaslFinal(body) => {
            check(Authentication::SaslFinal { data: body.data().into() }.into());
        }
        Peer::BackendKeyData(body) => {
            let key = body.secret_key().to_be_bytes();
            let key = Secret::from(&key[..]);
            check(backend::BackendKeyData { process_id: body.process_id(), key }.into());
        }
        Peer::BindComplete => check(backend::BindComplete.into()),
        Peer::CloseComplete => check(backend::CloseComplete.into()),
        Peer::CommandComplete(body) => check(backend::CommandComplete { tag: body.tag()?.into() }.into()),
        Peer::CopyData(body) => check(backend::CopyData { data: body.data() }.into()),
        Peer::CopyDone => check(backend::CopyDone.into()),
        Peer::CopyInResponse(body) => {
            let formats: Vec<_> = body.column_formats().map(format).collect()?;
            let column_formats = List::from(&formats[..]);
            check(backend::CopyInResponse { format: Format(body.format().into()), column_formats }.into());
        }
        Peer::CopyOutResponse(body) => {
            let formats: Vec<_> = body.column_formats().map(format).collect()?;
            let column_formats = List::from(&formats[..]);
            check(backend::CopyOutResponse { format: Format(body.format().into()), column_formats }.into());
        }
        Peer::DataRow(body) => {
            let value = |range: Option<Range<usize>>| Ok(range.map(|range| &body.buffer()[range]));
            let columns: Vec<_> = body.ranges().map(value).collect()?;
            check(DataRow { columns: List::from(&columns[..]) }.into());
        }
        Peer::EmptyQueryResponse => check(backend::EmptyQueryResponse.into()),
        Peer::ErrorResponse(body) => {
            let theirs: Vec<_> = body.fields().collect()?;
            let fields: Vec<_> = theirs.iter().map(notice_field).collect();
            check(backend::ErrorResponse { fields: List::from(&fields[..]) }.into());
        }
        Peer::NoData => check(backend::NoData.into()),
        Peer::NoticeResponse(body) => {
            let theirs: Vec<_> = body.fields().collect()?;
            let fields: Vec<_> = theirs.iter().map(notice_field).collect();
            check(backend::NoticeResponse { fields: List::from(&fields[..]) }.into());
        }
        Peer::NotificationResponse(body) => {
            let (channel, payload) = (body.channel()?.into(), body.message()?.into());
            check(backend::NotificationResponse { process_id: body.process_id(), channel, payload }.into());
        }
        Peer::ParameterDescription(body) => {
            let types: Vec<_> = body.parameters().collect()?;
            check(backend::ParameterDescription { types: List::from(&types[..]) }.into());
        }
        Peer::ParameterStatus(body) => {
            check(backend::ParameterStatus { name: body.name()?.into(), value: body.value()?.into() }.into());
        }
        Peer::ParseComplete => check(backend::ParseComplete.into()),
        Peer::PortalSuspended => check(backend::PortalSuspended.into()),
        Peer::ReadyForQuery(body) => {
            let status = match body.status() {
                b'I' => TransactionStatus::Idle,
                b'T' => TransactionStatus::InTransaction,
                b'E' => TransactionStatus::Failed,
                byte => TransactionStatus::Unknown(byte),
            };
            check(backend::ReadyForQuery { status }.into());
        }
        Peer::RowDescription(body) => {
            let fields: Vec<_> = body.fields().map(|theirs| Ok(field(&theirs))).collect()?;
            check(backend::RowDescription { fields: List::from(&fields[..]) }.into());
        }
        _ => panic!("a message that this version of it does not have"),
    }
    Ok(())
}

/// It reads format codes unsigned.
fn format(code: u16) -> io::Result<Format> {
    Ok(Format(code.cast_signed()))
}

fn notice_field<'a>(theirs: &'a peer::ErrorField<'_>) -> NoticeField<'a> {
    NoticeField { code: theirs.type_(), value: theirs.value_bytes().into() }
}

fn field<'a>(theirs: &peer::Field<'a>) -> backend::Field<'a> {
    backend::Field {
        name: theirs.name().into(),
        table_oid: theirs.table_oid(),
        column_number: theirs.column_id(),
        type_oid: theirs.type_oid(),
        type_size: theirs.type_size(),
        type_modifier: theirs.type_modifier(),
        format: Format(theirs.format()),
    }
}
