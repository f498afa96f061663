//! What is wrong with a frontend's messages, one thing at a time.

use feedrate::pg::frontend::Answer;
use feedrate::pg::{Encryption, EncryptionResponse, Frontend, Problem};

use super::vector::{
    Bad, Expected, STARTUP, SYNC, TERMINATE, after, authenticating, length, negative, short, unknown,
};
use crate::pg::{Side, message, packet};

use Problem::{Trailing, Unterminated};

/// Malformed messages of a frontend.
pub fn frontend_bad() -> Vec<Bad<Frontend>> {
    let mut rows = packets();
    rows.extend(answers());
    rows.extend(bodies());
    rows.extend(lengths());
    rows.extend(phases());
    rows
}

/// Startup packets whose length is good.
fn packets() -> Vec<Bad<Frontend>> {
    let start = Frontend::new();
    let key = |found| Problem::Value { what: "length of the key", found, expected: "1 to 256 bytes" };
    let version = |found| {
        let (what, expected) = ("protocol version", "3 in the upper 16 bits");
        Problem::Value { what, found, expected }
    };
    let last = "parameters";
    let mut rows = Vec::new();
    let mut bad = |body: &[u8], name, at, problem, next| {
        let expected = Expected::Message(name, at, problem);
        rows.push(Bad { start: start.clone(), bytes: packet(body), expected, next });
    };
    bad(b"\0\x03\0\0", "StartupMessage", 8, short(last, 1, 0), TERMINATE);
    bad(b"\0\x03\0\0\0\0", "StartupMessage", 9, Trailing(1), TERMINATE);
    bad(b"\0\x03\0\0user\0a\0\0x\0y\0\0", "StartupMessage", 16, Trailing(5), TERMINATE);
    bad(b"\0\x03\0\0user\0a\0", "StartupMessage", 15, short(last, 1, 0), TERMINATE);
    bad(b"\0\x03\0\0user\0a", "StartupMessage", 13, Unterminated, TERMINATE);
    bad(b"\0\x03\0\0user\0", "StartupMessage", 13, Unterminated, TERMINATE);
    bad(b"\0\x03\0\0user", "StartupMessage", 8, Unterminated, TERMINATE);
    bad(b"\0\x02\0\0user\0a\0\0", "StartupMessage", 4, version(0x0002_0000), TERMINATE);
    bad(b"\0\x04\0\0user\0a\0\0", "StartupMessage", 4, version(0x0004_0000), TERMINATE);
    bad(b"\x04\xd2\x16\x31", "StartupMessage", 4, version(80_877_105), TERMINATE);
    bad(b"\x04\xd2\x16\x2f\0", "SSLRequest", 8, Trailing(1), STARTUP);
    bad(b"\x04\xd2\x16\x30more", "GSSENCRequest", 8, Trailing(4), STARTUP);
    bad(b"\x04\xd2\x16\x2e", "CancelRequest", 8, short("process", 4, 0), b"");
    bad(b"\x04\xd2\x16\x2e\0\0\0", "CancelRequest", 8, short("process", 4, 3), b"");
    bad(b"\x04\xd2\x16\x2e\0\0\0\x01", "CancelRequest", 12, key(0), b"");
    bad(&[&b"\x04\xd2\x16\x2e\0\0\0\x01"[..], &[7; 257]].concat(), "CancelRequest", 12, key(257), b"");
    rows
}

fn answers() -> Vec<Bad<Frontend>> {
    let mut rows = Vec::new();
    let mut bad = |answer, body: &[u8], name, at, problem| {
        let expected = Expected::Message(name, at, problem);
        rows.push(Bad {
            start: authenticating(Some(answer)),
            bytes: message(b'p', body),
            expected,
            next: TERMINATE,
        });
    };
    bad(Answer::Password, b"", "PasswordMessage", 5, Unterminated);
    bad(Answer::Password, b"secret", "PasswordMessage", 5, Unterminated);
    bad(Answer::Password, b"secret\0x", "PasswordMessage", 12, Trailing(1));
    bad(Answer::SaslInitial, b"SCRAM", "SASLInitialResponse", 5, Unterminated);
    bad(Answer::SaslInitial, b"SCRAM\0", "SASLInitialResponse", 11, short("value length", 4, 0));
    bad(Answer::SaslInitial, b"SCRAM\0\0\0\0\x04abc", "SASLInitialResponse", 11, short("value", 4, 3));
    bad(Answer::SaslInitial, b"SCRAM\0\0\0\0\x02abc", "SASLInitialResponse", 17, Trailing(1));
    bad(Answer::SaslInitial, b"SCRAM\0\xff\xff\xff\xfe", "SASLInitialResponse", 11, negative(-2));
    rows
}

/// The body is bad, and the frame is intact.
fn bodies() -> Vec<Bad<Frontend>> {
    let start = Frontend::established();
    let target = |found| {
        let expected = "'S' for a statement or 'P' for a portal";
        Problem::Value { what: "kind", found, expected }
    };
    let mut rows = Vec::new();
    let mut bad = |tag: u8, body: &[u8], name, at, problem| {
        let expected = Expected::Message(name, at, problem);
        rows.push(Bad { start: start.clone(), bytes: message(tag, body), expected, next: SYNC });
    };

    bad(b'Q', b"", "Query", 5, Unterminated);
    bad(b'Q', b"select 1", "Query", 5, Unterminated);
    bad(b'Q', b"select 1\0;", "Query", 14, Trailing(1));

    bad(b'P', b"", "Parse", 5, Unterminated);
    bad(b'P', b"s\0select", "Parse", 7, Unterminated);
    bad(b'P', b"s\0q\0\0", "Parse", 9, short("number of parameter_types", 2, 1));
    bad(b'P', b"\0\0\0\x02\0\0\0\x17", "Parse", 9, short("parameter_types", 8, 4));
    bad(b'P', b"\0\0\xff\xff", "Parse", 9, short("parameter_types", 262_140, 0));
    bad(b'P', b"\0\0\0\0\0", "Parse", 9, Trailing(1));

    bad(b'B', b"", "Bind", 5, Unterminated);
    bad(b'B', b"p", "Bind", 5, Unterminated);
    bad(b'B', b"p\0s", "Bind", 7, Unterminated);
    bad(b'B', b"\0\0\0", "Bind", 7, short("number of parameter_formats", 2, 1));
    bad(b'B', b"\0\0\0\x02\0\x01", "Bind", 9, short("parameter_formats", 4, 2));
    bad(b'B', b"\0\0\0\0\0", "Bind", 9, short("number of parameters", 2, 1));
    bad(b'B', b"\0\0\0\0\0\x01\0\0\0", "Bind", 11, short("value length", 4, 3));
    bad(b'B', b"\0\0\0\0\0\x01\0\0\0\x03ab", "Bind", 11, short("value", 3, 2));
    bad(b'B', b"\0\0\0\0\0\x01\xff\xff\xff\xfe\0\0", "Bind", 11, negative(-2));
    bad(b'B', b"\0\0\0\0\0\x02\0\0\0\x01a\x80\0\0\x01\0\0", "Bind", 16, negative(i32::MIN + 1));
    bad(b'B', b"\0\0\0\0\0\0\0", "Bind", 11, short("number of result_formats", 2, 1));
    bad(b'B', b"\0\0\0\0\0\0\0\x01\0", "Bind", 13, short("result_formats", 2, 1));
    bad(b'B', b"\0\0\0\0\0\0\0\0\0", "Bind", 13, Trailing(1));

    for (tag, name) in [(b'D', "Describe"), (b'C', "Close")] {
        bad(tag, b"", name, 5, short("kind", 1, 0));
        bad(tag, b"S", name, 6, Unterminated);
        bad(tag, b"Pab", name, 6, Unterminated);
        bad(tag, b"Q\0", name, 5, target(u32::from(b'Q')));
        bad(tag, b"S\0x", name, 7, Trailing(1));
    }

    bad(b'E', b"", "Execute", 5, Unterminated);
    bad(b'E', b"p", "Execute", 5, Unterminated);
    bad(b'E', b"p\0\0\0\0", "Execute", 7, short("max_rows", 4, 3));
    bad(b'E', b"\0\0\0\0\0\0", "Execute", 10, Trailing(1));

    bad(b'F', b"\0\0\0", "FunctionCall", 5, short("function", 4, 3));
    bad(b'F', b"\0\0\0\x01\0", "FunctionCall", 9, short("number of argument_formats", 2, 1));
    bad(b'F', b"\0\0\0\x01\0\x01\0", "FunctionCall", 11, short("argument_formats", 2, 1));
    bad(b'F', b"\0\0\0\x01\0\0\0", "FunctionCall", 11, short("number of arguments", 2, 1));
    bad(b'F', b"\0\0\0\x01\0\0\0\x01\0\0\0\x02a", "FunctionCall", 13, short("value", 2, 1));
    bad(b'F', b"\0\0\0\x01\0\0\0\x01\xff\xff\xff\xfe\0\0", "FunctionCall", 13, negative(-2));
    bad(b'F', b"\0\0\0\x01\0\0\0\0\0", "FunctionCall", 13, short("result_format", 2, 1));
    bad(b'F', b"\0\0\0\x01\0\0\0\0\0\0\0", "FunctionCall", 15, Trailing(1));

    bad(b'f', b"", "CopyFail", 5, Unterminated);
    bad(b'f', b"why", "CopyFail", 5, Unterminated);
    bad(b'f', b"\0\0", "CopyFail", 6, Trailing(1));
    for (tag, name) in [(b'H', "Flush"), (b'S', "Sync"), (b'c', "CopyDone")] {
        bad(tag, b"xyz", name, 5, Trailing(3));
    }
    // Nothing follows Terminate.
    rows.push(Bad {
        start,
        bytes: message(b'X', b"x"),
        expected: Expected::Message("Terminate", 5, Trailing(1)),
        next: b"",
    });
    rows
}

/// The length field is out of bounds: below 4, or above a server's limit for its class.
fn lengths() -> Vec<Bad<Frontend>> {
    let (new, ready) = (Frontend::new(), Frontend::established());
    let mut rows = Vec::new();
    let mut lost = |start: &Frontend, bytes: Vec<u8>, name, at, problem| {
        let expected = Expected::Lost(name, at, problem);
        rows.push(Bad { start: start.clone(), bytes, expected, next: b"" });
    };
    lost(&new, b"GET ".to_vec(), "startup packet", 0, Problem::Foreign { first: b'G', protocol: "HTTP" });
    for declared in [0, 4, 7, 10_005, 0x4745_5421, u32::MAX] {
        let problem = Problem::Length { length: declared, min: 8, max: 10_004 };
        lost(&new, declared.to_be_bytes().to_vec(), "startup packet", 0, problem);
    }
    let with_length = |tag: u8, declared: u32| [&[tag][..], &declared.to_be_bytes(), b"body"].concat();
    let (small, large) = (0x4000_0002, 0x4000_0002);
    for (tag, name, max) in [
        (b'B', "Bind", large),
        (b'C', "Close", small),
        (b'D', "Describe", small),
        (b'E', "Execute", small),
        (b'F', "FunctionCall", large),
        (b'H', "Flush", small),
        (b'P', "Parse", large),
        (b'Q', "Query", large),
        (b'S', "Sync", small),
        (b'X', "Terminate", small),
        (b'c', "CopyDone", small),
        (b'd', "CopyData", large),
        (b'f', "CopyFail", small),
    ] {
        for declared in [0, 3, max + 1, u32::MAX] {
            lost(&ready, with_length(tag, declared), name, 1, length(declared, max));
        }
    }
    for answer in [Some(Answer::Password), Some(Answer::SaslInitial), Some(Answer::Gss), None] {
        for declared in [0, 3, 65_536, u32::MAX] {
            let problem = length(declared, 65_535);
            lost(&authenticating(answer), with_length(b'p', declared), "AuthenticationResponse", 1, problem);
        }
    }
    lost(&authenticating(None), with_length(b'X', 65_536), "Terminate", 1, length(65_536, 65_535));
    rows
}

/// Messages that cannot come where they come, and bytes that begin none.
fn phases() -> Vec<Bad<Frontend>> {
    let ready = Frontend::established();
    let mut rows = Vec::new();
    let mut lost = |start: &Frontend, bytes: &[u8], name, at, problem| {
        let expected = Expected::Lost(name, at, problem);
        rows.push(Bad { start: start.clone(), bytes: bytes.to_vec(), expected, next: b"" });
    };
    for tag in (0..=u8::MAX).filter(|tag| !b"pBCdcfDEHFPQSX".contains(tag)) {
        lost(&ready, &[tag, 0, 0, 0, 4], "message", 0, unknown(tag));
        lost(&authenticating(None), &[tag], "message", 0, unknown(tag));
    }
    let when = "after authentication";
    lost(&ready, b"p\0\0\0\x05\0", "AuthenticationResponse", 0, Problem::Unexpected { tag: b'p', when });
    let when = "before authentication has ended";
    for (tag, name) in [(b'Q', "Query"), (b'B', "Bind"), (b'S', "Sync"), (b'd', "CopyData")] {
        lost(&authenticating(Some(Answer::Password)), &[tag], name, 0, Problem::Unexpected { tag, when });
    }
    let unknown = Frontend::established().allow_unknown(100);
    lost(&unknown, b"z\0\0\0\x65", "message", 1, length(101, 100));
    lost(&unknown, b"z\0\0\0\x03", "message", 1, length(3, 100));

    let (ssl, gss) = (b"\0\0\0\x08\x04\xd2\x16\x2f", b"\0\0\0\x08\x04\xd2\x16\x30");
    let rule = Problem::Disagrees("the second request of its kind on this connection");
    let when = "before the request for encryption is answered";
    for (bytes, name) in [(ssl, "SSLRequest"), (gss, "GSSENCRequest")] {
        let mut asked = after(Frontend::new(), bytes);
        lost(&asked, &[0], "message", 0, Problem::Unexpected { tag: 0, when });
        asked.react(name);
        lost(&asked, bytes, name, 4, rule);
        asked = after(asked, if name == "SSLRequest" { gss } else { ssl });
        asked.react(name);
        lost(&asked, bytes, name, 4, rule);
    }
    // Inside of an encryption there is no other one.
    let mut inside = after(Frontend::new(), gss);
    inside.answered(EncryptionResponse::Accepted(Encryption::Gss), &[]).expect("nothing is left");
    lost(&inside, ssl, "SSLRequest", 4, rule);

    // What was in clear behind a request for encryption that was agreed to.
    let when = "after unencrypted bytes where encrypted ones were expected";
    let mut stuffed = after(Frontend::new(), ssl);
    let told = stuffed.answered(EncryptionResponse::Accepted(Encryption::Ssl), STARTUP);
    told.expect_err("bytes are left");
    lost(&stuffed, STARTUP, "message", 0, Problem::Unexpected { tag: 0, when });

    // The limit of SASL responses depends on the mechanism that the response before has named.
    for (mechanism, max) in [("SCRAM-SHA-256", 1_024), ("OAUTHBEARER", 65_535)] {
        let initial = message(b'p', format!("{mechanism}\0\0\0\0\0"));
        let mut chosen = after(authenticating(Some(Answer::SaslInitial)), &initial);
        chosen.expect(Answer::Sasl);
        let bytes = [b"p", &u32::to_be_bytes(max + 1)[..]].concat();
        lost(&chosen, &bytes, "AuthenticationResponse", 1, length(max + 1, max));
    }
    rows
}
