//! Every message of a backend.

use feedrate::pg::backend::*;
use feedrate::pg::{Backend, BackendLimits, Encryption, Format, Secret, Version};

use super::vector::{Good, asked, list};
use crate::pg::message;

type Row = Good<Backend, Message<'static>>;

/// At least one vector for every message that a backend sends, in every phase in which it can come.
/// UntrustedError is missing: it cannot be made by hand.
pub fn backend() -> Vec<Row> {
    let mut rows = startup();
    rows.extend(session());
    rows.extend(results());
    rows.extend(copy());
    rows.extend(large());
    rows
}

fn row(start: &Backend, bytes: impl Into<Vec<u8>>, message: impl Into<Message<'static>>) -> Row {
    Good { start: start.clone(), bytes: bytes.into(), message: message.into() }
}

fn startup() -> Vec<Row> {
    use Authentication as A;
    let secret = |bytes: &'static [u8]| Secret::from(bytes);
    let new = Backend::new();
    let tls_or_gss = [
        (Encryption::Ssl, b"S", EncryptionResponse::Accepted(Encryption::Ssl)),
        (Encryption::Ssl, b"N", EncryptionResponse::Refused),
        (Encryption::Gss, b"G", EncryptionResponse::Accepted(Encryption::Gss)),
        (Encryption::Gss, b"N", EncryptionResponse::Refused),
    ];
    let answers = tls_or_gss.map(|(asked_for, bytes, answer)| {
        row(&asked(asked_for), *bytes, Message::EncryptionResponse(answer))
    });
    let authentication: [(&'static [u8], A<'static>); 17] = [
        (b"R\0\0\0\x08\0\0\0\0", A::Ok),
        (b"R\0\0\0\x08\0\0\0\x02", A::KerberosV5),
        (b"R\0\0\0\x08\0\0\0\x03", A::CleartextPassword),
        (b"R\0\0\0\x0c\0\0\0\x05\x93\0\x8f\xff", A::Md5Password { salt: [0x93, 0, 0x8f, 0xff] }),
        (b"R\0\0\0\x08\0\0\0\x07", A::Gss),
        (b"R\0\0\0\x08\0\0\0\x08", A::GssContinue { data: secret(b"") }),
        (b"R\0\0\0\x0c\0\0\0\x08\x60\x82\0\x01", A::GssContinue { data: secret(b"\x60\x82\0\x01") }),
        (b"R\0\0\0\x08\0\0\0\x09", A::Sspi),
        (b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0", A::Sasl { mechanisms: list(["SCRAM-SHA-256".into()]) }),
        (
            b"R\0\0\0\x36\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0OAUTHBEARER\0\0",
            A::Sasl {
                mechanisms: list(["SCRAM-SHA-256-PLUS".into(), "SCRAM-SHA-256".into(), "OAUTHBEARER".into()]),
            },
        ),
        (b"R\0\0\0\x09\0\0\0\x0a\0", A::Sasl { mechanisms: list([]) }),
        (
            b"R\0\0\0\x20\0\0\0\x0br=abcd,s=c2FsdA==,i=4096",
            A::SaslContinue { data: secret(b"r=abcd,s=c2FsdA==,i=4096") },
        ),
        (b"R\0\0\0\x0e\0\0\0\x0cv=c2ln", A::SaslFinal { data: secret(b"v=c2ln") }),
        // Kerberos 4, crypt with its salt, SCM credentials: gone before 7.4. And one to come.
        (b"R\0\0\0\x08\0\0\0\x01", A::Other { code: 1, data: secret(b"") }),
        (b"R\0\0\0\x0a\0\0\0\x04ab", A::Other { code: 4, data: secret(b"ab") }),
        (b"R\0\0\0\x08\0\0\0\x06", A::Other { code: 6, data: secret(b"") }),
        (b"R\0\0\0\x0b\xff\xff\xff\xffnew", A::Other { code: u32::MAX, data: secret(b"new") }),
    ];
    let mut rows: Vec<Row> = answers.into();
    for (bytes, request) in authentication {
        rows.push(row(&new, bytes, request));
    }
    // A second authentication while the session lasts, as some poolers have it.
    rows.push(row(&Backend::established(), b"R\0\0\0\x08\0\0\0\x03", A::CleartextPassword));
    rows.extend([
        row(
            &new,
            b"v\0\0\0\x0c\0\x03\0\x02\0\0\0\0",
            NegotiateProtocolVersion { version: Version::V3_2, unrecognized: list([]) },
        ),
        row(
            &new,
            b"v\0\0\0\x32\0\x03\0\0\0\0\0\x02_pq_.a\0_pq_.test_protocol_negotiation\0",
            NegotiateProtocolVersion {
                version: Version::V3_0,
                unrecognized: list(["_pq_.a".into(), "_pq_.test_protocol_negotiation".into()]),
            },
        ),
        row(&new, b"E\0\0\0\x08Mx\0\0", ErrorResponse { fields: list([text(b'M', "x")]) }),
        row(&new, b"N\0\0\0\x08Mx\0\0", NoticeResponse { fields: list([text(b'M', "x")]) }),
        row(
            &new,
            b"Esorry, too many clients already\n\0",
            Message::PlainError(PlainError { text: "sorry, too many clients already\n".into() }),
        ),
    ]);
    rows
}

fn text(code: u8, value: &'static str) -> NoticeField<'static> {
    NoticeField { code, value: value.into() }
}

fn session() -> Vec<Row> {
    let ready = &Backend::established();
    let every_field = [
        (b'S', "FEHLER"),
        (b'V', "ERROR"),
        (b'C', "23505"),
        (b'M', "m"),
        (b'D', "d"),
        (b'H', "h"),
        (b'P', "1"),
        (b'p', "2"),
        (b'q', "q"),
        (b'W', "w\nw"),
        (b's', "s"),
        (b't', "t"),
        (b'c', "c"),
        (b'd', "d"),
        (b'n', "n"),
        (b'F', "f.c"),
        (b'L', "3"),
        (b'R', "r"),
        (b'x', "not known yet"),
        (0xff, ""),
    ]
    .map(|(code, value)| text(code, value));
    let every_field_bytes = b"SFEHLER\0VERROR\0C23505\0Mm\0Dd\0Hh\0P1\0p2\0qq\0Ww\nw\0\
        ss\0tt\0cc\0dd\0nn\0Ff.c\0L3\0Rr\0xnot known yet\0\xff\0\0";
    vec![
        row(
            ready,
            b"K\0\0\0\x0c\0\0\x30\x39\x01\x02\x03\x04",
            BackendKeyData { process_id: 12_345, key: Secret::from(&[1, 2, 3, 4][..]) },
        ),
        row(
            ready,
            b"K\0\0\0\x28\xff\xff\xff\xff0123456789abcdef0123456789abcdef",
            BackendKeyData { process_id: -1, key: Secret::from(&b"0123456789abcdef0123456789abcdef"[..]) },
        ),
        row(
            ready,
            [&b"K\0\0\x01\x08\0\0\0\x01"[..], &[7; 256]].concat(),
            BackendKeyData { process_id: 1, key: Secret::from(&[7; 256][..]) },
        ),
        row(
            ready,
            b"S\0\0\0\x19client_encoding\0UTF8\0",
            ParameterStatus { name: "client_encoding".into(), value: "UTF8".into() },
        ),
        row(ready, b"S\0\0\0\x06\0\0", ParameterStatus { name: "".into(), value: "".into() }),
        row(
            ready,
            b"S\0\0\0\x0a\xc3\xb6\0\xff\xfe\0",
            ParameterStatus { name: "ö".into(), value: b"\xff\xfe"[..].into() },
        ),
        row(ready, b"Z\0\0\0\x05I", ReadyForQuery { status: TransactionStatus::Idle }),
        row(ready, b"Z\0\0\0\x05T", ReadyForQuery { status: TransactionStatus::InTransaction }),
        row(ready, b"Z\0\0\0\x05E", ReadyForQuery { status: TransactionStatus::Failed }),
        row(ready, b"Z\0\0\0\x05X", ReadyForQuery { status: TransactionStatus::Unknown(b'X') }),
        row(ready, b"Z\0\0\0\x05\0", ReadyForQuery { status: TransactionStatus::Unknown(0) }),
        row(ready, b"Z\0\0\0\x05i", ReadyForQuery { status: TransactionStatus::Unknown(b'i') }),
        row(
            ready,
            b"E\0\0\0\x3bSERROR\0VERROR\0C42P01\0Mrelation \"t\" does not exist\0P15\0\0",
            ErrorResponse {
                fields: list([
                    text(b'S', "ERROR"),
                    text(b'V', "ERROR"),
                    text(b'C', "42P01"),
                    text(b'M', "relation \"t\" does not exist"),
                    text(b'P', "15"),
                ]),
            },
        ),
        row(ready, b"E\0\0\0\x05\0", ErrorResponse { fields: list([]) }),
        row(ready, message(b'E', every_field_bytes), ErrorResponse { fields: list(every_field) }),
        row(ready, b"N\0\0\0\x05\0", NoticeResponse { fields: list([]) }),
        row(ready, message(b'N', every_field_bytes), NoticeResponse { fields: list(every_field) }),
        row(
            ready,
            b"A\0\0\0\x11\0\0\0\x07jobs\0new\0",
            NotificationResponse { process_id: 7, channel: "jobs".into(), payload: "new".into() },
        ),
        row(
            ready,
            b"A\0\0\0\x0a\xff\xff\xff\xfe\0\0",
            NotificationResponse { process_id: -2, channel: "".into(), payload: "".into() },
        ),
        row(
            &Backend::established().allow_unknown(100),
            b"z\0\0\0\x06ab",
            Message::Unknown(Unknown { tag: b'z', body: b"ab" }),
        ),
        row(
            &Backend::established().allow_unknown(100),
            b"\0\0\0\0\x04",
            Message::Unknown(Unknown { tag: 0, body: b"" }),
        ),
    ]
}

fn results() -> Vec<Row> {
    let ready = &Backend::established();
    let value = |bytes: &'static [u8]| Some(bytes);
    let id = Field {
        name: "id".into(),
        table_oid: 16_384,
        column_number: 1,
        type_oid: 23,
        type_size: 4,
        type_modifier: -1,
        format: Format::TEXT,
    };
    vec![
        row(ready, b"T\0\0\0\x06\0\0", RowDescription { fields: list([]) }),
        row(
            ready,
            b"T\0\0\0\x1b\0\x01id\0\0\0\x40\0\0\x01\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0",
            RowDescription { fields: list([id]) },
        ),
        row(
            ready,
            b"T\0\0\0\x48\0\x03\
              name \xe2\x82\xac\0\0\0\0\0\xff\xff\0\0\0\x19\xff\xff\0\0\0\x44\0\x01\
              \0\xff\xff\xff\xff\0\0\0\0\0\0\xff\xfe\x80\0\0\0\xff\xff\
              \xe9\0\0\0\0\0\0\x7f\0\0\0\0\0\0\0\0\0\0\0\0",
            RowDescription {
                fields: list([
                    Field {
                        name: "name €".into(),
                        column_number: -1,
                        type_oid: 25,
                        type_size: -1,
                        type_modifier: 68,
                        format: Format::BINARY,
                        ..Field::default()
                    },
                    Field {
                        name: "".into(),
                        table_oid: u32::MAX,
                        column_number: 0,
                        type_oid: 0,
                        type_size: -2,
                        type_modifier: i32::MIN,
                        format: Format(-1),
                    },
                    Field {
                        name: b"\xe9"[..].into(),
                        column_number: 0x7f,
                        type_size: 0,
                        type_modifier: 0,
                        ..Field::default()
                    },
                ]),
            },
        ),
        row(ready, b"D\0\0\0\x06\0\0", DataRow { columns: list([]) }),
        row(ready, b"D\0\0\0\x0a\0\x01\xff\xff\xff\xff", DataRow { columns: list([None]) }),
        row(ready, b"D\0\0\0\x0a\0\x01\0\0\0\0", DataRow { columns: list([value(b"")]) }),
        row(
            ready,
            b"D\0\0\0\x1d\0\x04\0\0\0\x011\xff\xff\xff\xff\0\0\0\0\0\0\0\x06a\0b\xffDE",
            DataRow { columns: list([value(b"1"), None, value(b""), value(b"a\0b\xffDE")]) },
        ),
        row(ready, b"C\0\0\0\x0dSELECT 1\0", CommandComplete { tag: "SELECT 1".into() }),
        row(ready, b"C\0\0\0\x05\0", CommandComplete { tag: "".into() }),
        row(ready, b"I\0\0\0\x04", EmptyQueryResponse),
        row(ready, b"1\0\0\0\x04", ParseComplete),
        row(ready, b"2\0\0\0\x04", BindComplete),
        row(ready, b"3\0\0\0\x04", CloseComplete),
        row(ready, b"n\0\0\0\x04", NoData),
        row(ready, b"s\0\0\0\x04", PortalSuspended),
        row(ready, b"t\0\0\0\x06\0\0", ParameterDescription { types: list([]) }),
        row(
            ready,
            b"t\0\0\0\x0e\0\x02\0\0\0\x17\xff\xff\xff\xff",
            ParameterDescription { types: list([23, u32::MAX]) },
        ),
        row(ready, b"V\0\0\0\x08\xff\xff\xff\xff", FunctionCallResponse { value: None }),
        row(ready, b"V\0\0\0\x08\0\0\0\0", FunctionCallResponse { value: value(b"") }),
        row(ready, b"V\0\0\0\x0b\0\0\0\x03a\0b", FunctionCallResponse { value: value(b"a\0b") }),
    ]
}

fn copy() -> Vec<Row> {
    let ready = &Backend::established();
    let formats = || list([Format::TEXT, Format::BINARY]);
    vec![
        row(
            ready,
            b"G\0\0\0\x0b\0\0\x02\0\0\0\x01",
            CopyInResponse { format: Format(0), column_formats: formats() },
        ),
        row(
            ready,
            b"H\0\0\0\x0b\x01\0\x02\0\0\0\x01",
            CopyOutResponse { format: Format(1), column_formats: formats() },
        ),
        row(
            ready,
            b"H\0\0\0\x07\xff\0\0",
            CopyOutResponse { format: Format(0xff), column_formats: list([]) },
        ),
        // Streaming replication begins, keeps the line alive, and sends one byte of WAL.
        row(ready, b"W\0\0\0\x07\0\0\0", CopyBothResponse { format: Format(0), column_formats: list([]) }),
        row(
            ready,
            b"d\0\0\0\x16k\0\0\0\0\x01\x4e\x2a\x10\0\x02\xcb\x41\x7c\x3d\x9f\x00\x01",
            CopyData { data: b"k\0\0\0\0\x01\x4e\x2a\x10\0\x02\xcb\x41\x7c\x3d\x9f\x00\x01" },
        ),
        row(
            ready,
            b"d\0\0\0\x1ew\0\0\0\0\x01\x4e\x2a\x10\0\0\0\0\x01\x4e\x2a\x10\0\x02\xcb\x41\x7c\x3d\x9f\x00B",
            CopyData {
                data: b"w\0\0\0\0\x01\x4e\x2a\x10\0\0\0\0\x01\x4e\x2a\x10\0\x02\xcb\x41\x7c\x3d\x9f\x00B",
            },
        ),
        row(ready, b"d\0\0\0\x08a\tb\n", CopyData { data: b"a\tb\n" }),
        row(ready, b"d\0\0\0\x04", CopyData { data: b"" }),
        row(ready, b"c\0\0\0\x04", CopyDone),
    ]
}

/// As many elements as a count of 16 bits can say.
fn large() -> Vec<Row> {
    let ready = &Backend::established();
    let nulls = [&b"\xff\xff"[..], &[0xff; 4 * 65_535]].concat();
    let types = [&b"\xff\xff"[..], &b"\0\0\0\x17".repeat(65_535)].concat();
    let formats = [&b"\0\xff\xff"[..], &b"\0\x01".repeat(65_535)].concat();
    // Nameless fields: a NUL, and 18 bytes.
    let fields =
        [&b"\xff\xff"[..], &b"\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\0\0".repeat(65_535)].concat();
    vec![
        row(ready, message(b'D', nulls), DataRow { columns: list(vec![None; 65_535]) }),
        row(ready, message(b't', types), ParameterDescription { types: list(vec![23; 65_535]) }),
        row(ready, message(b'T', fields), RowDescription { fields: list(vec![Field::default(); 65_535]) }),
        // More columns than a table can have, and more than libpq's limit for this message.
        row(
            &Backend::established().limits(BackendLimits::new().short(200_000)),
            message(b'H', formats),
            CopyOutResponse { format: Format(0), column_formats: list(vec![Format::BINARY; 65_535]) },
        ),
        row(
            ready,
            message(b'C', [&[b'x'; 29_995][..], b"\0"].concat()),
            CommandComplete { tag: (&*vec![b'x'; 29_995].leak()).into() },
        ),
    ]
}
