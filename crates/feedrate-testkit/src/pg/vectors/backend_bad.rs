//! What is wrong with a backend's messages, one thing at a time.

use feedrate::pg::{Backend, Encryption, Problem};

use super::vector::{Bad, Expected, OK, READY, after, asked, length, negative, short, unknown};
use crate::pg::message;

use Problem::{Trailing, Unterminated};

/// Malformed messages of a backend.
pub fn backend_bad() -> Vec<Bad<Backend>> {
    let mut rows = bodies();
    rows.extend(bodiless());
    rows.extend(lengths());
    rows.extend(phases());
    rows
}

/// The body is bad, and the frame is intact.
fn bodies() -> Vec<Bad<Backend>> {
    let (ready, startup) = (&Backend::established(), &Backend::new());
    let key = |found| Problem::Value { what: "length of the key", found, expected: "4 to 256 bytes" };
    let few = Problem::Negative { what: "number of options", found: -1, expected: "0 or more" };
    let fields = "fields";
    let mut rows = Vec::new();
    let mut bad = |tag: u8, body: &[u8], name, at, problem| {
        // Authentication's body is read in any phase, NegotiateProtocolVersion's in one.
        let (start, next) = if matches!(tag, b'R' | b'v') { (startup, OK) } else { (ready, READY) };
        let expected = Expected::Message(name, at, problem);
        rows.push(Bad { start: start.clone(), bytes: message(tag, body), expected, next });
    };

    bad(b'R', b"", "Authentication", 5, short("code", 4, 0));
    bad(b'R', b"\0\0\0", "Authentication", 5, short("code", 4, 3));
    bad(b'R', b"\0\0\0\0\0", "Authentication", 9, Trailing(1));
    bad(b'R', b"\0\0\0\x02\0\0", "Authentication", 9, Trailing(2));
    bad(b'R', b"\0\0\0\x03\0", "Authentication", 9, Trailing(1));
    bad(b'R', b"\0\0\0\x05abc", "Authentication", 9, short("salt", 4, 3));
    bad(b'R', b"\0\0\0\x05abcde", "Authentication", 13, Trailing(1));
    bad(b'R', b"\0\0\0\x07\0", "Authentication", 9, Trailing(1));
    bad(b'R', b"\0\0\0\x09\0", "Authentication", 9, Trailing(1));
    bad(b'R', b"\0\0\0\x0a", "Authentication", 9, short("mechanisms", 1, 0));
    bad(b'R', b"\0\0\0\x0aSCRAM\0", "Authentication", 15, short("mechanisms", 1, 0));
    bad(b'R', b"\0\0\0\x0aSCRAM", "Authentication", 9, Unterminated);
    bad(b'R', b"\0\0\0\x0aA\0\0B", "Authentication", 12, Trailing(1));

    bad(b'v', b"\0\x03\0", "NegotiateProtocolVersion", 5, short("version", 4, 3));
    bad(b'v', b"\0\x03\0\0\0", "NegotiateProtocolVersion", 9, short("number of options", 4, 1));
    bad(b'v', b"\0\x03\0\0\xff\xff\xff\xff", "NegotiateProtocolVersion", 9, few);
    bad(b'v', b"\0\x03\0\0\0\0\0\x01", "NegotiateProtocolVersion", 9, short("options", 1, 0));
    bad(
        b'v',
        b"\0\x03\0\0\x7f\xff\xff\xffa\0",
        "NegotiateProtocolVersion",
        9,
        short("options", 0x7fff_ffff, 2),
    );
    bad(b'v', b"\0\x03\0\0\0\x01\0\x01a\0", "NegotiateProtocolVersion", 9, short("options", 0x1_0001, 2));
    bad(b'v', b"\0\x03\0\0\0\0\0\x02a\0b", "NegotiateProtocolVersion", 15, Unterminated);
    bad(b'v', b"\0\x03\0\0\0\0\0\0\0", "NegotiateProtocolVersion", 13, Trailing(1));

    bad(b'K', b"", "BackendKeyData", 5, short("process_id", 4, 0));
    bad(b'K', b"\0\0\0\x01", "BackendKeyData", 9, key(0));
    bad(b'K', b"\0\0\0\x01abc", "BackendKeyData", 9, key(3));
    bad(b'K', &[1; 4 + 257], "BackendKeyData", 9, key(257));

    bad(b'S', b"", "ParameterStatus", 5, Unterminated);
    bad(b'S', b"abc", "ParameterStatus", 5, Unterminated);
    bad(b'S', b"ab\0", "ParameterStatus", 8, Unterminated);
    bad(b'S', b"ab\0c", "ParameterStatus", 8, Unterminated);
    bad(b'S', b"a\0b\0c", "ParameterStatus", 9, Trailing(1));

    bad(b'Z', b"", "ReadyForQuery", 5, short("status", 1, 0));
    bad(b'Z', b"II", "ReadyForQuery", 6, Trailing(1));
    bad(b'Z', b"?I", "ReadyForQuery", 6, Trailing(1));

    for (tag, name) in [(b'E', "ErrorResponse"), (b'N', "NoticeResponse")] {
        bad(tag, b"", name, 5, short(fields, 1, 0));
        bad(tag, b"Ma\0", name, 8, short(fields, 1, 0));
        bad(tag, b"M", name, 6, Unterminated);
        bad(tag, b"Ma\0Dab", name, 9, Unterminated);
        bad(tag, b"\0\0", name, 6, Trailing(1));
        bad(tag, b"Ma\0\0Db\0", name, 9, Trailing(3));
    }

    bad(b'A', b"\0\0\0", "NotificationResponse", 5, short("process_id", 4, 3));
    bad(b'A', b"\0\0\0\x01ab", "NotificationResponse", 9, Unterminated);
    bad(b'A', b"\0\0\0\x01ab\0c", "NotificationResponse", 12, Unterminated);
    bad(b'A', b"\0\0\0\x01\0\0\0", "NotificationResponse", 11, Trailing(1));

    bad(b'T', b"\0", "RowDescription", 5, short("number of fields", 2, 1));
    bad(b'T', b"\xff\xff", "RowDescription", 7, Unterminated);
    bad(b'T', b"\0\x01ab", "RowDescription", 7, Unterminated);
    bad(b'T', b"\0\x01a\0\0\0\0", "RowDescription", 9, short("table_oid", 4, 3));
    bad(b'T', b"\0\x01a\0\0\0\0\0\0", "RowDescription", 13, short("column_number", 2, 1));
    bad(b'T', b"\0\x01a\0\0\0\0\0\0\0", "RowDescription", 15, short("type_oid", 4, 0));
    bad(b'T', b"\0\x01a\0\0\0\0\0\0\0\0\0\0\0\0", "RowDescription", 19, short("type_size", 2, 1));
    bad(b'T', &[&b"\0\x01a\0"[..], &[0; 15]].concat(), "RowDescription", 21, short("type_modifier", 4, 3));
    bad(b'T', &[&b"\0\x01a\0"[..], &[0; 17]].concat(), "RowDescription", 25, short("format", 2, 1));
    bad(b'T', &[&b"\0\x01a\0"[..], &[0; 19]].concat(), "RowDescription", 27, Trailing(1));
    bad(b'T', &[&b"\0\x02a\0"[..], &[0; 18]].concat(), "RowDescription", 27, Unterminated);

    bad(b'D', b"", "DataRow", 5, short("number of columns", 2, 0));
    bad(b'D', b"\0", "DataRow", 5, short("number of columns", 2, 1));
    bad(b'D', b"\xff\xff", "DataRow", 7, short("value length", 4, 0));
    bad(b'D', b"\0\x01\0\0\0", "DataRow", 7, short("value length", 4, 3));
    bad(b'D', b"\0\x01\0\0\0\x02a", "DataRow", 7, short("value", 2, 1));
    bad(b'D', b"\0\x01\x7f\xff\xff\xffa", "DataRow", 7, short("value", 0x7fff_ffff, 1));
    bad(b'D', b"\0\x01\xff\xff\xff\xfe", "DataRow", 7, negative(-2));
    bad(b'D', b"\0\x01\x80\0\0\0", "DataRow", 7, negative(i32::MIN));
    bad(b'D', b"\0\x02\0\0\0\x01a\xff\xff\xff\xfe", "DataRow", 12, negative(-2));
    bad(b'D', b"\0\x02\0\0\0\x01a", "DataRow", 12, short("value length", 4, 0));
    bad(b'D', b"\0\x01\0\0\0\x01ab", "DataRow", 12, Trailing(1));
    bad(b'D', b"\0\0\0", "DataRow", 7, Trailing(1));
    bad(b'D', b"\0\x01\xff\xff\xff\xff\0", "DataRow", 11, Trailing(1));

    bad(b'C', b"", "CommandComplete", 5, Unterminated);
    bad(b'C', b"SELECT 1", "CommandComplete", 5, Unterminated);
    bad(b'C', b"SELECT 1\0\0", "CommandComplete", 14, Trailing(1));

    bad(b't', b"\0", "ParameterDescription", 5, short("number of types", 2, 1));
    bad(b't', b"\0\x01\0\0\0", "ParameterDescription", 7, short("types", 4, 3));
    bad(b't', b"\xff\xff", "ParameterDescription", 7, short("types", 262_140, 0));
    bad(b't', b"\0\x01\0\0\0\x17\0", "ParameterDescription", 11, Trailing(1));

    for (tag, name) in [(b'G', "CopyInResponse"), (b'H', "CopyOutResponse"), (b'W', "CopyBothResponse")] {
        bad(tag, b"", name, 5, short("format", 1, 0));
        bad(tag, b"\0\0", name, 6, short("number of column_formats", 2, 1));
        bad(tag, b"\0\0\x02\0\0", name, 8, short("column_formats", 4, 2));
        bad(tag, b"\0\xff\xff", name, 8, short("column_formats", 131_070, 0));
        bad(tag, b"\0\0\0\0", name, 8, Trailing(1));
    }

    bad(b'V', b"\0\0\0", "FunctionCallResponse", 5, short("value length", 4, 3));
    bad(b'V', b"\0\0\0\x02a", "FunctionCallResponse", 5, short("value", 2, 1));
    bad(b'V', b"\xff\xff\xff\xfe", "FunctionCallResponse", 5, negative(-2));
    bad(b'V', b"\xff\xff\xff\xffa", "FunctionCallResponse", 9, Trailing(1));
    rows
}

fn bodiless() -> impl Iterator<Item = Bad<Backend>> {
    [
        (b'I', "EmptyQueryResponse"),
        (b'1', "ParseComplete"),
        (b'2', "BindComplete"),
        (b'3', "CloseComplete"),
        (b'n', "NoData"),
        (b's', "PortalSuspended"),
        (b'c', "CopyDone"),
    ]
    .into_iter()
    .map(|(tag, name)| Bad {
        start: Backend::established(),
        bytes: message(tag, b"xyz"),
        expected: Expected::Message(name, 5, Trailing(3)),
        next: READY,
    })
}

/// The length field is out of bounds: below 4, or above the limit of its class.
fn lengths() -> Vec<Bad<Backend>> {
    let (ready, startup) = (Backend::established(), Backend::new());
    let mut rows = Vec::new();
    let mut lost = |start: &Backend, tag: u8, declared: u32, name, max| {
        let bytes = [&[tag][..], &declared.to_be_bytes(), b"body"].concat();
        let expected = Expected::Lost(name, 1, length(declared, max));
        rows.push(Bad { start: start.clone(), bytes, expected, next: b"" });
    };
    for (start, tag, name, max) in [
        (&startup, b'R', "Authentication", 65_535),
        (&startup, b'v', "NegotiateProtocolVersion", 65_535),
        (&startup, b'N', "NoticeResponse", 30_000),
        (&ready, b'R', "Authentication", 65_535),
        (&ready, b'1', "ParseComplete", 30_000),
        (&ready, b'2', "BindComplete", 30_000),
        (&ready, b'3', "CloseComplete", 30_000),
        (&ready, b'A', "NotificationResponse", 0x7fff_ffff),
        (&ready, b'C', "CommandComplete", 30_000),
        (&ready, b'c', "CopyDone", 30_000),
        (&ready, b'D', "DataRow", 0x7fff_ffff),
        (&ready, b'd', "CopyData", 0x7fff_ffff),
        (&ready, b'E', "ErrorResponse", 0x7fff_ffff),
        (&ready, b'G', "CopyInResponse", 30_000),
        (&ready, b'H', "CopyOutResponse", 30_000),
        (&ready, b'I', "EmptyQueryResponse", 30_000),
        (&ready, b'K', "BackendKeyData", 30_000),
        (&ready, b'N', "NoticeResponse", 0x7fff_ffff),
        (&ready, b'n', "NoData", 30_000),
        (&ready, b'S', "ParameterStatus", 0x7fff_ffff),
        (&ready, b's', "PortalSuspended", 30_000),
        (&ready, b'T', "RowDescription", 0x7fff_ffff),
        (&ready, b't', "ParameterDescription", 262_146),
        (&ready, b'V', "FunctionCallResponse", 0x7fff_ffff),
        (&ready, b'W', "CopyBothResponse", 30_000),
        (&ready, b'Z', "ReadyForQuery", 30_000),
    ] {
        for declared in [0, 3, max + 1, u32::MAX] {
            lost(start, tag, declared, name, max);
        }
    }
    rows
}

/// Messages that cannot come where they come, and bytes that begin none.
fn phases() -> Vec<Bad<Backend>> {
    let (ready, startup) = (Backend::established(), Backend::new());
    let mut rows = Vec::new();
    let mut lost = |start: &Backend, bytes: &[u8], name, at, problem| {
        let expected = Expected::Lost(name, at, problem);
        rows.push(Bad { start: start.clone(), bytes: bytes.to_vec(), expected, next: b"" });
    };
    // A frontend's messages among them.
    for tag in (0..=u8::MAX).filter(|tag| !b"RKv23CWdcGHDIEVnNAtS1sZTv".contains(tag)) {
        lost(&ready, &[tag, 0, 0, 0, 4], "message", 0, unknown(tag));
        lost(&startup, &[tag], "message", 0, unknown(tag));
    }
    let http = Problem::Foreign { first: b'H', protocol: "HTTP" };
    lost(&ready, b"HTTP/1.1 400 Bad Request\r\n\r\n", "CopyOutResponse", 0, http);
    lost(&startup, b"H", "CopyOutResponse", 0, http);
    lost(&asked(Encryption::Ssl), b"H", "EncryptionResponse", 0, http);
    for first in [0x15, 0x16] {
        lost(&asked(Encryption::Ssl), &[first], "EncryptionResponse", 0, unknown(first));
        lost(&asked(Encryption::Gss), &[first], "EncryptionResponse", 0, unknown(first));
    }
    // The answer to a request for encryption that nobody has announced. One byte is all that comes of it.
    let when = "before authentication has ended, except in answer to an announced request for encryption";
    lost(&startup, b"S", "ParameterStatus", 0, Problem::Unexpected { tag: b'S', when });
    lost(&startup, b"G", "CopyInResponse", 0, Problem::Unexpected { tag: b'G', when });
    let when = "after authentication";
    lost(
        &ready,
        b"v\0\0\0\x0c\0\x03\0\0\0\0\0\0",
        "NegotiateProtocolVersion",
        0,
        Problem::Unexpected { tag: b'v', when },
    );
    let when = "before authentication has ended";
    for (tag, name) in
        [(b'Z', "ReadyForQuery"), (b'D', "DataRow"), (b'K', "BackendKeyData"), (b'd', "CopyData")]
    {
        lost(&startup, &[tag], name, 0, Problem::Unexpected { tag, when });
    }
    lost(&Backend::established().allow_unknown(100), b"z\0\0\0\x65", "message", 1, length(101, 100));
    lost(&Backend::established().allow_unknown(100), b"z\0\0\0\x03", "message", 1, length(3, 100));

    let expected = "'S' or 'G' for yes, 'N' for no, 'E' for an error";
    for (encryption, byte) in
        [(Encryption::Ssl, b'G'), (Encryption::Gss, b'S'), (Encryption::Ssl, b's'), (Encryption::Ssl, 0x17)]
    {
        let problem = Problem::Value { what: "answer", found: byte.into(), expected };
        lost(&asked(encryption), &[byte, 0, 0, 0, 4], "EncryptionResponse", 0, problem);
    }
    let rule = "unencrypted bytes after the consent to encrypt, possibly injected by somebody else";
    for (encryption, consent) in [(Encryption::Ssl, b"S"), (Encryption::Gss, b"G")] {
        let securing = after(asked(encryption), consent);
        lost(&securing, OK, "EncryptionResponse", 0, Problem::Disagrees(rule));
        lost(&securing, b"\x16", "EncryptionResponse", 0, Problem::Disagrees(rule));
    }
    let closed = after(asked(Encryption::Ssl), b"E\0\0\0\x08Mx\0\0");
    let when = "after an error that ended the startup";
    lost(&closed, OK, "Authentication", 0, Problem::Unexpected { tag: b'R', when });
    rows
}
