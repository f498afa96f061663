//! Every message of a frontend.

use feedrate::pg::frontend::*;
use feedrate::pg::{Format, Frontend, Secret, Version};

use super::vector::{Good, authenticating, list};
use crate::pg::{message, packet};

type Row = Good<Frontend, Message<'static>>;

/// At least one vector for every message that a frontend sends. DirectTls is missing: it takes no bytes.
pub fn frontend() -> Vec<Row> {
    let mut rows = startup();
    rows.extend(answers());
    rows.extend(queries());
    rows.extend(short());
    rows.extend(large());
    rows
}

fn row(start: &Frontend, bytes: impl Into<Vec<u8>>, message: impl Into<Message<'static>>) -> Row {
    Good { start: start.clone(), bytes: bytes.into(), message: message.into() }
}

fn secret(bytes: &'static [u8]) -> Secret<'static> {
    Secret::from(bytes)
}

fn startup() -> Vec<Row> {
    let new = &Frontend::new();
    let parameter =
        |name: &'static str, value: &'static str| Parameter { name: name.into(), value: value.into() };
    let startup = |version, parameters: Vec<_>| {
        Message::StartupMessage(StartupMessage { version, parameters: list(parameters) })
    };
    let cancel = |process_id, key| Message::CancelRequest(CancelRequest { process_id, key: secret(key) });
    let longest = [&b"\0\x03\0\0user\0"[..], &[b'u'; 9_989], b"\0\0"].concat();
    vec![
        row(
            new,
            b"\0\0\0\x14\0\x03\0\0user\0alice\0\0",
            startup(Version::V3_0, vec![parameter("user", "alice")]),
        ),
        row(
            new,
            packet(
                b"\0\x03\0\x02user\0m\xc3\xb6bel\0database\0shop\0options\0-c a=b\0replication\0database\0\
                  client_encoding\0UTF8\0DateStyle\0\0\0",
            ),
            startup(
                Version::V3_2,
                vec![
                    parameter("user", "möbel"),
                    parameter("database", "shop"),
                    parameter("options", "-c a=b"),
                    parameter("replication", "database"),
                    parameter("client_encoding", "UTF8"),
                    parameter("DateStyle", ""),
                ],
            ),
        ),
        // What libpq 19 opens with.
        row(
            new,
            packet(b"\0\x03\x27\x0fuser\0a\0_pq_.test_protocol_negotiation\0\0\0"),
            startup(
                Version::GREASE,
                vec![parameter("user", "a"), parameter("_pq_.test_protocol_negotiation", "")],
            ),
        ),
        row(new, b"\0\0\0\x09\0\x03\0\0\0", startup(Version::V3_0, vec![])),
        row(
            new,
            b"\0\0\0\x10\0\x03\0\0user\0\xff\0\0",
            startup(Version::V3_0, vec![Parameter { name: "user".into(), value: b"\xff"[..].into() }]),
        ),
        // MAX_STARTUP_PACKET_LENGTH.
        row(
            new,
            packet(&longest),
            Message::StartupMessage(StartupMessage {
                version: Version::V3_0,
                parameters: list([Parameter {
                    name: "user".into(),
                    value: (&*vec![b'u'; 9_989].leak()).into(),
                }]),
            }),
        ),
        row(new, b"\0\0\0\x08\x04\xd2\x16\x2f", Message::SSLRequest(SSLRequest)),
        row(new, b"\0\0\0\x08\x04\xd2\x16\x30", Message::GSSENCRequest(GSSENCRequest)),
        row(new, b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x2a\x01\0\x03\xff", cancel(42, b"\x01\0\x03\xff")),
        row(
            new,
            b"\0\0\0\x2c\x04\xd2\x16\x2e\xff\xff\xff\xfe0123456789abcdef0123456789abcdef",
            cancel(-2, b"0123456789abcdef0123456789abcdef"),
        ),
        row(new, b"\0\0\0\x0d\x04\xd2\x16\x2e\0\0\0\x01k", cancel(1, b"k")),
        row(new, packet([&b"\x04\xd2\x16\x2e\0\0\0\x01"[..], &[9; 256]].concat()), cancel(1, &[9; 256])),
    ]
}

fn answers() -> Vec<Row> {
    let initial = |mechanism: &'static str, data: Option<&'static [u8]>| {
        let data = data.map(secret);
        Message::SASLInitialResponse(SASLInitialResponse { mechanism: mechanism.into(), data })
    };
    let to = |answer| authenticating(Some(answer));
    let longest = [&[b'x'; 65_530][..], b"\0"].concat();
    vec![
        row(
            &to(Answer::Password),
            b"p\0\0\0\x0bsecret\0",
            Message::PasswordMessage(PasswordMessage { password: secret(b"secret") }),
        ),
        row(
            &to(Answer::Password),
            b"p\0\0\0\x05\0",
            Message::PasswordMessage(PasswordMessage { password: secret(b"") }),
        ),
        row(
            &to(Answer::Password),
            message(b'p', &longest),
            Message::PasswordMessage(PasswordMessage { password: secret(&[b'x'; 65_530]) }),
        ),
        row(
            &to(Answer::SaslInitial),
            b"p\0\0\0\x21SCRAM-SHA-256\0\0\0\0\x0bn,,n=,r=abc",
            initial("SCRAM-SHA-256", Some(b"n,,n=,r=abc")),
        ),
        row(
            &to(Answer::SaslInitial),
            b"p\0\0\0\x14OAUTHBEARER\0\xff\xff\xff\xff",
            initial("OAUTHBEARER", None),
        ),
        row(&to(Answer::SaslInitial), b"p\0\0\0\x0aX\0\0\0\0\0", initial("X", Some(b""))),
        row(
            &to(Answer::Sasl),
            b"p\0\0\0\x10c=biws,r=abc",
            Message::SASLResponse(SASLResponse { data: secret(b"c=biws,r=abc") }),
        ),
        row(
            &to(Answer::Sasl),
            b"p\0\0\0\x05\x01",
            Message::SASLResponse(SASLResponse { data: secret(b"\x01") }),
        ),
        row(
            &to(Answer::Gss),
            b"p\0\0\0\x08\x60\0\xff\x01",
            Message::GSSResponse(GSSResponse { data: secret(b"\x60\0\xff\x01") }),
        ),
        row(&to(Answer::Gss), b"p\0\0\0\x04", Message::GSSResponse(GSSResponse { data: secret(b"") })),
        row(
            &authenticating(None),
            b"p\0\0\0\x0bsecret\0",
            AuthenticationResponse { data: secret(b"secret\0") },
        ),
        row(&authenticating(None), b"X\0\0\0\x04", Terminate),
    ]
}

fn queries() -> Vec<Row> {
    let ready = &Frontend::established();
    let value = |bytes: &'static [u8]| Some(bytes);
    vec![
        row(ready, b"Q\0\0\0\x0dselect 1\0", Query { sql: "select 1".into() }),
        row(ready, b"Q\0\0\0\x05\0", Query { sql: "".into() }),
        row(ready, b"Q\0\0\0\x0b'\xe2\x82\xac\xff'\0", Query { sql: b"'\xe2\x82\xac\xff'"[..].into() }),
        row(
            ready,
            b"P\0\0\0\x1bs1\0select $1\0\0\x02\0\0\0\x17\xff\xff\xff\xff",
            Parse {
                statement: "s1".into(),
                sql: "select $1".into(),
                parameter_types: list([23, u32::MAX]),
            },
        ),
        row(
            ready,
            b"P\0\0\0\x08\0\0\0\0",
            Parse { statement: "".into(), sql: "".into(), parameter_types: list([]) },
        ),
        row(
            ready,
            b"B\0\0\0\x0c\0\0\0\0\0\0\0\0",
            Bind {
                portal: "".into(),
                statement: "".into(),
                parameter_formats: list([]),
                parameters: list([]),
                result_formats: list([]),
            },
        ),
        row(
            ready,
            b"B\0\0\0\x28p1\0s1\0\0\x03\0\0\0\x01\xff\xff\0\x03\0\0\0\x0242\xff\xff\xff\xff\0\0\0\0\0\x02\0\x01\0\0",
            Bind {
                portal: "p1".into(),
                statement: "s1".into(),
                parameter_formats: list([Format::TEXT, Format::BINARY, Format(-1)]),
                parameters: list([value(b"42"), None, value(b"")]),
                result_formats: list([Format::BINARY, Format::TEXT]),
            },
        ),
        row(
            ready,
            b"F\0\0\0\x0e\0\0\x03\xb8\0\0\0\0\0\0",
            FunctionCall {
                function: 952,
                argument_formats: list([]),
                arguments: list([]),
                result_format: Format::TEXT,
            },
        ),
        row(
            ready,
            b"F\0\0\0\x1d\xff\xff\xff\xff\0\x01\0\x01\0\x02\0\0\0\x05a\0b\xffc\xff\xff\xff\xff\0\x01",
            FunctionCall {
                function: u32::MAX,
                argument_formats: list([Format::BINARY]),
                arguments: list([value(b"a\0b\xffc"), None]),
                result_format: Format::BINARY,
            },
        ),
        row(ready, b"d\0\0\0\x08a\tb\n", CopyData { data: b"a\tb\n" }),
        row(ready, b"d\0\0\0\x04", CopyData { data: b"" }),
        // A standby's status update: written, flushed, applied, the time, no answer wanted.
        row(
            ready,
            b"d\0\0\0\x26\
                r\0\0\0\0\x01\x4e\x2a\x10\0\0\0\0\x01\x4e\x2a\x10\0\0\0\0\x01\x4e\x2a\x10\
                \0\x02\xcb\x41\x7c\x3d\x9f\0\0",
            CopyData {
                data: b"r\0\0\0\0\x01\x4e\x2a\x10\0\0\0\0\x01\x4e\x2a\x10\0\0\0\0\x01\x4e\x2a\x10\
                    \0\x02\xcb\x41\x7c\x3d\x9f\0\0",
            },
        ),
    ]
}

fn short() -> Vec<Row> {
    let ready = &Frontend::established();
    let longest = [&[b'x'; 9_995][..], b"\0"].concat();
    vec![
        row(ready, b"D\0\0\0\x08Ss1\0", Describe { target: Target::Statement("s1".into()) }),
        row(ready, b"D\0\0\0\x06P\0", Describe { target: Target::Portal("".into()) }),
        row(ready, b"C\0\0\0\x06S\0", Close { target: Target::Statement("".into()) }),
        row(ready, b"C\0\0\0\x08Pp1\0", Close { target: Target::Portal("p1".into()) }),
        row(ready, b"E\0\0\0\x09\0\0\0\0\0", Execute { portal: "".into(), max_rows: 0 }),
        row(ready, b"E\0\0\0\x0bp1\0\x80\0\0\0", Execute { portal: "p1".into(), max_rows: i32::MIN }),
        row(ready, b"H\0\0\0\x04", Flush),
        row(ready, b"S\0\0\0\x04", Sync),
        row(ready, b"c\0\0\0\x04", CopyDone),
        row(ready, b"f\0\0\0\x09oops\0", CopyFail { reason: "oops".into() }),
        row(ready, b"f\0\0\0\x05\0", CopyFail { reason: "".into() }),
        row(ready, message(b'f', &longest), CopyFail { reason: (&*vec![b'x'; 9_995].leak()).into() }),
        row(ready, b"X\0\0\0\x04", Terminate),
        row(
            &Frontend::established().allow_unknown(100),
            b"z\0\0\0\x06ab",
            Message::Unknown(Unknown { tag: b'z', body: b"ab" }),
        ),
    ]
}

/// As many elements as a count of 16 bits can say.
fn large() -> Vec<Row> {
    let ready = &Frontend::established();
    let one_each =
        [&b"\0\0\xff\xff"[..], &b"\0\x01".repeat(65_535), b"\xff\xff", &[0; 4 * 65_535], b"\0\0"].concat();
    let types = [&b"\0\0\xff\xff"[..], &[0; 4 * 65_535]].concat();
    let arguments = [&b"\0\0\0\x01\0\0\xff\xff"[..], &[0xff; 4 * 65_535], b"\0\0"].concat();
    vec![
        row(
            ready,
            message(b'B', one_each),
            Bind {
                portal: "".into(),
                statement: "".into(),
                parameter_formats: list(vec![Format::BINARY; 65_535]),
                parameters: list(vec![Some(&b""[..]); 65_535]),
                result_formats: list([]),
            },
        ),
        row(
            ready,
            message(b'P', types),
            Parse { statement: "".into(), sql: "".into(), parameter_types: list(vec![0; 65_535]) },
        ),
        row(
            ready,
            message(b'F', arguments),
            FunctionCall {
                function: 1,
                argument_formats: list([]),
                arguments: list(vec![None; 65_535]),
                result_format: Format::TEXT,
            },
        ),
    ]
}
