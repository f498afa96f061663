//! WebSocket: answers to a request to upgrade, as they come from servers, proxies, and things that are neither. One
//! that is no upgrade tells its status, whatever else is odd in it.

use feedrate::Array;
use feedrate_testkit::chunks::bytewise;
use feedrate_ws::handshake::{Client, ClientError, ClientRequest, HeadError};

const GOOD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const BEHIND: &[u8] = b"\x81\x05Hello";
const LIMIT: usize = 400;

/// What a client makes of an answer, and of the end of the stream; its headers; and how many bytes are left.
type Told = (Result<bool, ClientError>, Vec<(String, Vec<u8>)>, usize);

fn feed(chunks: &[&[u8]]) -> Told {
    let mut client =
        Client::new(ClientRequest::new("host", "/", *b"the sample nonce"), Array::<LIMIT>::new());
    let mut left: usize = chunks.iter().map(|chunk| chunk.len()).sum();
    let mut result = Ok(false);
    for chunk in chunks {
        let mut input = *chunk;
        result = client.feed(&mut input).map(|response| response.is_some());
        left -= chunk.len() - input.len();
        if result != Ok(false) {
            break;
        }
        assert!(input.is_empty());
    }
    if let Err(error) = result {
        // What is wrong stays wrong. How much was read by then depends on the cuts, and nobody reads on.
        assert_eq!(client.feed(&mut &b"HTTP/1.1 200 \r\n\r\n"[..]).err(), Some(error));
        left = 0;
    }
    if result == Ok(false) {
        result = client.end().map(|()| panic!("it had not ended"));
    } else if result == Ok(true) {
        assert_eq!(client.end(), Ok(()));
    }
    let headers = client.headers();
    let headers = headers.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
    (result, if result.is_ok() { headers } else { Vec::new() }, left)
}

/// The same, wherever it is cut.
fn told(bytes: &[u8]) -> Told {
    let whole = feed(&[bytes]);
    assert_eq!(feed(&bytewise(bytes)), whole, "{}", bytes.escape_ascii());
    for at in 0..bytes.len() {
        assert_eq!(feed(&[&bytes[..at], &bytes[at..]]), whole, "{} cut at {at}", bytes.escape_ascii());
    }
    whole
}

#[test]
fn an_answer_that_is_no_upgrade_tells_its_status() {
    let long = [b"HTTP/1.1 401 x\r\nX: ", &[b'x'; 2 * LIMIT][..]].concat();
    let many = [b"HTTP/1.1 402 x\r\n", &b"a:\r\n".repeat(101)[..]].concat();
    let reason = [b"HTTP/1.1 403 ", &[b'x'; 2 * LIMIT][..]].concat();
    #[rustfmt::skip]
    let rows: [(&str, &[u8], u16); 51] = [
        ("RFC 9112 4: as it should be", b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 403),
        ("RFC 9112 4: no reason", b"HTTP/1.1 404 \r\n\r\n", 404),
        ("RFC 9112 4: nor a blank", b"HTTP/1.1 404\r\n\r\n", 404),
        ("RFC 9110 5.5: bytes above 127", b"HTTP/1.1 404 Nicht gef\xfcnden\r\n\r\n", 404),
        ("RFC 9110 15.5.2: asked to authenticate",
            b"HTTP/1.1 401 x\r\nWWW-Authenticate: Basic realm=\"a\"\r\n\r\n", 401),
        ("RFC 9110 15.4.3: sent elsewhere", b"HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n", 302),
        ("RFC 9110 15: a status of no class", b"HTTP/1.1 999 x\r\n\r\n", 999),
        ("RFC 9110 15: one below all", b"HTTP/1.1 099 x\r\n\r\n", 99),
        // Versions.
        ("RFC 9112 2.3: 1.0", b"HTTP/1.0 503 Busy\r\n\r\n", 503),
        ("RFC 9112 2.3: 1.2", b"HTTP/1.2 503 Busy\r\n\r\n", 503),
        ("RFC 9112 2.3: 2", b"HTTP/2 403\r\n\r\n", 403),
        ("RFC 9112 2.3: 2.0", b"HTTP/2.0 403 x\r\n\r\n", 403),
        ("RFC 9112 2.3: 3", b"HTTP/3 421\r\n\r\n", 421),
        ("RFC 9112 2.3: another case", b"http/1.1 403 x\r\n\r\n", 403),
        ("RFC 9112 2.3: 11", b"HTTP/11 403 x\r\n\r\n", 403),
        // Blanks and the ends of lines.
        ("RFC 9112 4: two blanks", b"HTTP/1.1  403 x\r\n\r\n", 403),
        ("RFC 9112 4: a tab", b"HTTP/1.1\t403 x\r\n\r\n", 403),
        ("RFC 9112 4: a tab behind", b"HTTP/1.1 403\tx\r\n\r\n", 403),
        ("RFC 9112 4: no blank before the reason", b"HTTP/1.1 403Forbidden\r\n\r\n", 403),
        ("RFC 9112 2.2: LF alone", b"HTTP/1.1 403 x\nX: y\n\n", 403),
        ("RFC 9112 2.2: LF alone, at once", b"HTTP/1.1 403\n\n", 403),
        ("RFC 9112 2.2: LF alone, later", b"HTTP/1.1 403 x\r\nX: y\nZ: z\r\n\r\n", 403),
        ("RFC 9112 2.2: CR alone", b"HTTP/1.1 403 x\rX: y\r\r", 403),
        ("RFC 9112 2.2: an empty line before it", b"\r\nHTTP/1.1 403 x\r\n\r\n", 403),
        // Headers.
        ("RFC 9112 5.2: folded", b"HTTP/1.1 401 x\r\nSet-Cookie: a=1;\r\n Path=/\r\n\r\n", 401),
        ("RFC 9112 5.2: folded behind the first line", b"HTTP/1.1 401 x\r\n y\r\nZ: z\r\n\r\n", 401),
        ("RFC 9112 5.1: a blank before the colon", b"HTTP/1.1 401 x\r\nServer : a\r\n\r\n", 401),
        ("RFC 9112 5: no colon", b"HTTP/1.1 401 x\r\nServer\r\n\r\n", 401),
        ("RFC 9112 5: no name", b"HTTP/1.1 401 x\r\n: y\r\n\r\n", 401),
        ("RFC 9110 5.1: a name of two words", b"HTTP/1.1 401 x\r\nX Y: z\r\n\r\n", 401),
        ("RFC 9110 5.5: NUL", b"HTTP/1.1 401 x\r\nX: a\0b\r\n\r\n", 401),
        ("RFC 9110 5.5: NUL in the reason", b"HTTP/1.1 401 a\0b\r\n\r\n", 401),
        ("RFC 9110 5.5: NUL behind the status", b"HTTP/1.1 401\0", 401),
        ("RFC 9110 5.5: an escape", b"HTTP/1.1 401 x\r\nX: \x1b[2J\r\n\r\n", 401),
        ("RFC 6455 4.1: with an upgrade's headers",
            b"HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", 200),
        ("RFC 9110 7.6.1: another upgrade", b"HTTP/1.1 426 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", 426),
        // Bodies: RFC 9112, section 6.3.
        ("RFC 9112 6.3: as long as it says", b"HTTP/1.1 403 x\r\nContent-Length: 3\r\n\r\nno!", 403),
        ("RFC 9112 6.3: shorter than it says", b"HTTP/1.1 403 x\r\nContent-Length: 9\r\n\r\nno!", 403),
        ("RFC 9112 6.3: as long as the stream", b"HTTP/1.1 403 x\r\n\r\n<html>\r\n\r\n", 403),
        ("RFC 9112 7.1: in chunks", b"HTTP/1.1 403 x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 403),
        ("RFC 9112 6.1: in chunks, with a length",
            b"HTTP/1.1 403 x\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", 403),
        ("RFC 9112 6.3: two lengths", b"HTTP/1.1 403 x\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n", 403),
        // Heads that do not end.
        ("RFC 9112 8: the stream ends behind the status", b"HTTP/1.1 503 ", 503),
        ("RFC 9112 8: behind the first line", b"HTTP/1.1 503 x\r\n", 503),
        ("RFC 9112 8: in a header", b"HTTP/1.1 503 x\r\nRetry-Af", 503),
        ("RFC 9112 8: before the last line", b"HTTP/1.1 503 x\r\nRetry-After: 1\r\n\r", 503),
        ("RFC 6585 5: too long", &long, 401),
        ("RFC 6585 5: too many headers", &many, 402),
        ("RFC 9112 4: too long a reason", &reason, 403),
        // Behind interim answers.
        ("RFC 9110 15.2: 100, and then no", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 x\r\n\r\n", 401),
        ("RFC 8297: 103, and then no", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 302 x\r\n\r\n", 302),
    ];
    for (why, bytes, status) in rows {
        let (result, ..) = told(bytes);
        assert_eq!(result, Err(ClientError::Status(status)), "{why}: {}", bytes.escape_ascii());
    }
}

#[test]
fn interim_answers_are_passed_over() {
    let good = [GOOD, BEHIND].concat();
    let expected = told(&good);
    assert_eq!((expected.0, expected.2), (Ok(true), BEHIND.len()));
    for interim in [
        &b"HTTP/1.1 100 Continue\r\n\r\n"[..],
        b"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\nLink: </script.js>\r\n\r\n",
        b"HTTP/1.0 100\r\n\r\n",
        b"HTTP/1.1 199 \r\nodd header\r\n\r\n",
        b"HTTP/1.1 103 x\r\nLink: a,\r\n b\r\n\r\n\r\n",
        // As many as there may be.
        &b"HTTP/1.1 103 x\r\nX: y\r\n\r\n".repeat(8),
    ] {
        // The headers are those of the last.
        assert_eq!(told(&[interim, &good].concat()), expected, "{}", interim.escape_ascii());
    }
    let many = [&b"HTTP/1.1 103 x\r\nX: y\r\n\r\n".repeat(9), &good[..]].concat();
    assert_eq!(told(&many).0, Err(ClientError::Status(103)));
    // They are no answer.
    for nothing in [&b"HTTP/1.1 103 x\r\n\r\n"[..], b"HTTP/1.1 103 x\r\n\r\nHTTP/1.1 ", b""] {
        assert_eq!(told(nothing).0, Err(HeadError::Truncated.into()));
    }
    // The limit is that of each.
    let long = [b"HTTP/1.1 103 x\r\nX: ", &[b'x'; LIMIT - 23][..], b"\r\n\r\n"].concat();
    assert_eq!(long.len(), LIMIT);
    assert_eq!(told(&[&long, &long, &good[..]].concat()), expected);
    // 101 is no interim answer to this.
    assert_eq!(told(&[GOOD, GOOD].concat()).2, GOOD.len());
}

#[test]
fn an_upgrade_is_unfolded() {
    let text = String::from_utf8(GOOD.to_vec()).expect("ASCII");
    let folded = |from: &str, to: &str| told(text.replace(from, to).as_bytes());
    let (result, headers, _) = folded("\r\n\r\n", "\r\nSet-Cookie: a=1;\r\n Path=/;\r\n\t Secure\r\n\r\n");
    assert_eq!(result, Ok(true));
    let cookie = headers.iter().find(|(name, _)| name == "Set-Cookie").map(|(_, value)| &value[..]);
    assert_eq!(cookie, Some(&b"a=1;   Path=/;  \t Secure"[..]));
    assert_eq!(folded("Upgrade: websocket", "Upgrade:\r\n websocket").0, Ok(true));
    assert_eq!(folded("Connection: Upgrade", "Connection: keep-alive,\r\n\tUpgrade").0, Ok(true));
    assert_eq!(folded("Protocols\r\n", "Protocols\r\n of old\r\n").0, Ok(true));
    assert_eq!(folded("HTTP/1.1", "HTTP/1.2").0, Ok(true));
    // And still has to be right.
    for (from, to) in
        [("xOo=", "xO\r\n o="), ("Upgrade: web", "Upgrade: web\r\n "), ("Upgrade:", "X: y\r\n Upgrade:")]
    {
        assert!(matches!(folded(from, to).0, Err(ClientError::Header { .. })), "{to}");
    }
    let bad = |from: &str, to: &str| match folded(from, to).0 {
        Err(ClientError::Head(error)) => error,
        other => panic!("{to}: {other:?}"),
    };
    let line = text.find("Connection").expect("a header");
    assert_eq!(bad("Connection:", "Connection :"), HeadError::Header { at: line });
    assert_eq!(bad("\r\nConnection", "\nConnection"), HeadError::Control { at: line - 2 });
    assert_eq!(bad("HTTP/1.1", "HTTP/1.0"), HeadError::FirstLine);
    assert_eq!(bad("HTTP/1.1", "HTTP/2.0"), HeadError::FirstLine);
    assert_eq!(bad("101 ", "101x"), HeadError::FirstLine);
    assert_eq!(bad("\r\n\r\n", "\r\n"), HeadError::Truncated);
}

/// Nothing waits for an empty line from what speaks another protocol: the first byte that shows it is enough.
#[test]
fn what_is_not_http_is_told_at_once() {
    let rows: [(&str, &[u8], usize, HeadError); 14] = [
        ("RFC 9113 3.4: HTTP/2's settings", b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0", 1, HeadError::FirstLine),
        ("RFC 9113 3.4: HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 1, HeadError::FirstLine),
        ("RFC 4253 4.2: SSH", b"SSH-2.0-OpenSSH_9.6\r\n", 1, HeadError::FirstLine),
        ("PostgreSQL's ErrorResponse", b"E\0\0\0\x2fSFATAL\0C0A000\0", 1, HeadError::FirstLine),
        ("RFC 8446 6: a TLS alert", b"\x15\x03\x03\0\x02\x02\x46", 1, HeadError::Tls),
        ("RFC 8446 4: a TLS handshake", b"\x16\x03\x01\0\xf4", 1, HeadError::Tls),
        ("RFC 5321 4.2: SMTP", b"220 mail.example.com ESMTP\r\n", 1, HeadError::FirstLine),
        ("HTTP/0.9: a page and nothing else", b"<html>", 1, HeadError::FirstLine),
        ("SHOUTcast", b"ICY 200 OK\r\n\r\n", 1, HeadError::FirstLine),
        ("a status and no version", b"101 Switching Protocols\r\n\r\n", 1, HeadError::FirstLine),
        ("a WebSocket frame at once", b"\x81\x05Hello", 1, HeadError::FirstLine),
        ("a typing error", b"HTPP/1.1 101 \r\n\r\n", 3, HeadError::FirstLine),
        ("LF alone before it", b"\nHTTP/1.1 403 x\r\n\r\n", 1, HeadError::FirstLine),
        ("CR alone before it", b"\rHTTP/1.1 403 x\r\n\r\n", 2, HeadError::FirstLine),
    ];
    for (why, bytes, at, error) in rows {
        assert_eq!(told(bytes).0, Err(error.into()), "{why}");
        assert_eq!(feed(&[&bytes[..at]]).0, Err(error.into()), "{why}");
        let before = feed(&[&bytes[..at - 1]]).0;
        assert_eq!(before, Err(HeadError::Truncated.into()), "{why}: at byte {at}, no earlier");
    }
    // Of these, something is odd in the first line, and no status is to be found in it.
    for line in [
        "HTTP/1.1 1010",
        "HTTP/1.1 40",
        "HTTP/1.1 x01",
        "HTTP/ 403",
        "HTTP/1.1",
        "HTTP/1.1403 x",
        "HTTP/1.1 -40",
    ] {
        assert_eq!(told(format!("{line}\r\n\r\n").as_bytes()).0, Err(HeadError::FirstLine.into()), "{line}");
    }
}
