//! WebSocket: the client's side of the opening handshake, and what both sides agree on: RFC 6455, section
//! 4.1, and RFC 7692, section 7.1.

use feedrate::{Encode, Grow};
use feedrate_testkit::chunks::bytewise;
use feedrate_ws::Role;
use feedrate_ws::deflate::{BadParams, Config, Offer, Params};
use feedrate_ws::handshake::{Client, ClientError, ClientRequest, Extensions, HeadError, Server};

const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const NONCE: [u8; 16] = *b"the sample nonce";
const BEHIND: &[u8] = b"\x81\x05Hello";

fn response(line: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let lines = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    format!("{line}\r\n{}\r\n", lines.collect::<String>()).into_bytes()
}

/// What a client makes of an answer: the subprotocol, and how to compress; and the bytes that are left.
type Answered = (Result<Option<(Option<String>, Option<Params>)>, ClientError>, usize);

fn answered(request: ClientRequest<'_>, bytes: &[u8]) -> Answered {
    let read = |chunks: &[&[u8]], shared: bool| -> Answered {
        let mut client = Client::new(request, Grow::new(1_000));
        let mut left: usize = chunks.iter().map(|chunk| chunk.len()).sum();
        for chunk in chunks {
            let mut memory = chunk.to_vec();
            let (mut mutable, mut lent) = (&mut memory[..], *chunk);
            let result = if shared { client.feed(&mut lent) } else { client.feed(&mut mutable) };
            let result =
                result.map(|found| found.map(|found| (found.protocol().map(str::to_owned), found.deflate())));
            left -= chunk.len() - if shared { lent.len() } else { mutable.len() };
            match result {
                Ok(None) => {}
                Ok(found) => return (Ok(found), left),
                Err(error) => return (Err(error), 0),
            }
        }
        (Ok(None), left)
    };
    let whole = read(&[bytes], true);
    for shared in [true, false] {
        assert_eq!(whole, read(&bytewise(bytes), shared));
        for at in 0..=bytes.len() {
            assert_eq!(whole, read(&[&bytes[..at], &bytes[at..]], shared), "cut at {at}");
        }
    }
    whole
}

const LINE: &str = "HTTP/1.1 101 Switching Protocols";
const GOOD: [(&str, &str); 3] =
    [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", ACCEPT)];

#[test]
fn the_request_of_the_rfc() {
    let mut out = Vec::new();
    let request = ClientRequest::new("server.example.com", "/chat", NONCE)
        .protocols(&["chat", "superchat"])
        .headers(&[("Origin", "http://example.com")]);
    assert_eq!(request.encode(&mut out), Ok(out.len()));
    let expected = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Protocol: chat, superchat\r\nOrigin: http://example.com\r\n\r\n";
    assert_eq!(String::from_utf8(out).expect("ASCII"), expected);
}

#[test]
fn answers_that_agree() {
    let request = ClientRequest::new("host", "/", NONCE).protocols(&["chat", "superchat"]);
    let good = |line: &str, headers: &[(&str, &str)], protocol: Option<&str>| {
        let bytes = [&response(line, headers), BEHIND].concat();
        let (found, left) = answered(request, &bytes);
        assert_eq!(found, Ok(Some((protocol.map(str::to_owned), None))), "{line} {headers:?}");
        assert_eq!(left, BEHIND.len());
    };
    good(LINE, &GOOD, None);
    good("HTTP/1.1 101 ", &GOOD, None);
    good("HTTP/1.1 101", &GOOD, None);
    let protocol = ("sec-websocket-protocol", "superchat");
    good(LINE, &[GOOD[0], GOOD[1], GOOD[2], protocol], Some("superchat"));
    good(
        LINE,
        &[("UPGRADE", "WebSocket"), ("connection", "keep-alive, upgrade"), GOOD[2], ("X", "\u{e9}")],
        None,
    );
}

#[test]
fn answers_that_do_not() {
    let refused = |bytes: &[u8]| -> ClientError {
        let request = ClientRequest::new("host", "/", NONCE).protocols(&["chat"]);
        answered(request, bytes).0.expect_err(&format!("{}", bytes.escape_ascii()))
    };
    for status in [200, 204, 301, 400, 401, 403, 404, 426, 503] {
        let error = refused(&response(&format!("HTTP/1.1 {status} x"), &GOOD));
        assert_eq!(error, ClientError::Status(status));
    }
    for line in [
        "HTTP/1.0 101 x",
        "HTTP/2 101",
        "HTTP/1.1 1010",
        "HTTP/1.1 10",
        "HTTP/1.1  101",
        "http/1.1 101",
        "101",
        "",
    ] {
        assert_eq!(refused(&response(line, &GOOD)), ClientError::Head(HeadError::FirstLine), "{line}");
    }
    let mut names = Vec::new();
    for (name, value) in [
        ("Upgrade", "absent"),
        ("Upgrade", "h2c"),
        ("Upgrade", "websocket, h2c"),
        ("Connection", "absent"),
        ("Connection", "close"),
        ("Sec-WebSocket-Accept", "absent"),
        ("Sec-WebSocket-Accept", ""),
        ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOO="),
        ("Sec-WebSocket-Accept", "S3PPLMBITXAQ9KYGZZHZRBK+XOO="),
        ("Sec-WebSocket-Protocol", "superchat"),
        ("Sec-WebSocket-Protocol", "Chat"),
        ("Sec-WebSocket-Protocol", "chat, chat"),
        ("Sec-WebSocket-Protocol", ""),
        ("Sec-WebSocket-Extensions", "permessage-deflate"),
        ("Sec-WebSocket-Extensions", "x-unasked"),
    ] {
        let mut headers = GOOD.to_vec();
        headers.retain(|header| header.0 != name);
        if value != "absent" {
            headers.push((name, value));
        }
        match refused(&response(LINE, &headers)) {
            ClientError::Header { name: said, .. } => assert_eq!(said, name),
            error => panic!("{name}: {value}: {error}"),
        }
        names.push(name);
    }
    for (name, value) in GOOD.into_iter().filter(|header| header.0 != "Connection") {
        let headers: Vec<_> = GOOD.into_iter().chain([(name, value)]).collect();
        assert!(
            matches!(refused(&response(LINE, &headers)), ClientError::Header { name: n, .. } if n == name)
        );
    }
    let chat = ("Sec-WebSocket-Protocol", "chat");
    refused(&response(LINE, &[GOOD[0], GOOD[1], GOOD[2], chat, chat]));
    refused(&response(LINE, &GOOD).iter().copied().filter(|byte| *byte != b'\r').collect::<Vec<_>>());
    assert!(matches!(
        refused(&response(LINE, &[("X", &"x".repeat(1_000))])),
        ClientError::Head(HeadError::TooLong { limit: 1_000 })
    ));
}

fn one(header: &str) -> Result<Offer, BadParams> {
    Offer::parse(&Extensions::new(header).next().expect("an extension"))
}

fn text(encode: &impl Encode) -> String {
    let mut out = Vec::new();
    encode.encode(&mut out).expect("good");
    String::from_utf8(out).expect("ASCII")
}

/// What a client offers, what a server wants, and what is agreed on. RFC 7692, section 7.1.
#[test]
fn offers_and_what_is_answered() {
    let any = Config::default();
    let small = any.server_bits(10).client_bits(9);
    let fresh = any.server_no_context(true).client_no_context(true);
    for (offers, config, answer) in [
        ("permessage-deflate", any, Some("")),
        ("permessage-deflate; client_max_window_bits", any, Some("")),
        (
            "permessage-deflate; client_max_window_bits",
            small,
            Some("; server_max_window_bits=10; client_max_window_bits=9"),
        ),
        // Of its own window the client says nothing: then it is not for the server to say.
        ("permessage-deflate", small, Some("; server_max_window_bits=10")),
        (
            "permessage-deflate; client_max_window_bits=8",
            small,
            Some("; server_max_window_bits=10; client_max_window_bits=8"),
        ),
        ("permessage-deflate; client_max_window_bits=12", any, Some("; client_max_window_bits=12")),
        ("permessage-deflate; server_max_window_bits=9", small, Some("; server_max_window_bits=9")),
        ("permessage-deflate; server_max_window_bits=12", small, Some("; server_max_window_bits=10")),
        ("permessage-deflate; server_max_window_bits=15", any, Some("; server_max_window_bits=15")),
        ("permessage-deflate; server_no_context_takeover", any, Some("; server_no_context_takeover")),
        ("permessage-deflate; client_no_context_takeover", any, Some("; client_no_context_takeover")),
        ("permessage-deflate", fresh, Some("; server_no_context_takeover; client_no_context_takeover")),
        (r#"permessage-deflate; server_max_window_bits="10""#, any, Some("; server_max_window_bits=10")),
        (r#"permessage-deflate;server_max_window_bits="1\0""#, any, Some("; server_max_window_bits=10")),
        ("x-webkit-deflate-frame, permessage-deflate", any, Some("")),
        (
            "permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits=9",
            any,
            Some("; server_max_window_bits=9"),
        ),
        (
            "permessage-deflate; unknown, permessage-deflate; client_no_context_takeover",
            any,
            Some("; client_no_context_takeover"),
        ),
        // None of these can be accepted.
        ("", any, None),
        ("x-other", any, None),
        ("permessage-deflate2", any, None),
        ("permessage-deflate; unknown", any, None),
        ("permessage-deflate; unknown=1", any, None),
        ("permessage-deflate;", any, None),
        ("permessage-deflate; ; client_max_window_bits", any, None),
        ("permessage-deflate; server_no_context_takeover=1", any, None),
        ("permessage-deflate; client_no_context_takeover=true", any, None),
        ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", any, None),
        ("permessage-deflate; client_max_window_bits; client_max_window_bits=10", any, None),
        ("permessage-deflate; server_max_window_bits", any, None),
        ("permessage-deflate; server_max_window_bits=", any, None),
        ("permessage-deflate; server_max_window_bits=7", any, None),
        ("permessage-deflate; server_max_window_bits=16", any, None),
        ("permessage-deflate; server_max_window_bits=08", any, None),
        ("permessage-deflate; server_max_window_bits=1", any, None),
        ("permessage-deflate; server_max_window_bits=100", any, None),
        ("permessage-deflate; server_max_window_bits=+9", any, None),
        ("permessage-deflate; server_max_window_bits=\"10", any, None),
        ("permessage-deflate; client_max_window_bits=0", any, None),
        ("permessage-deflate; client_max_window_bits=x", any, None),
    ] {
        let head = format!(
            "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: {offers}\r\n\r\n"
        );
        let mut server = Server::new(Grow::new(1_000));
        let request = server.feed(&mut head.as_bytes()).expect("good").expect("whole");
        let found = request.deflate(&config).map(|params| text(&params));
        assert_eq!(found, answer.map(|answer| format!("permessage-deflate{answer}")), "{offers}");
    }
}

/// What a client has offered, what a server answers, and what the client makes of that: bits and no context
/// of server and client.
#[test]
fn answers_to_an_offer() {
    let any = Offer::default();
    let silent = any.client_bits(None);
    let strict = any.server_bits(Some(10)).server_no_context(true).client_bits(Some(Some(11)));
    let fresh = silent.client_no_context(true);
    type Agreed = Option<(u8, bool, u8, bool)>;
    let table: [(Offer, &str, Agreed); 27] = [
        (any, "", Some((15, false, 15, false))),
        (any, "; server_max_window_bits=9", Some((9, false, 15, false))),
        (any, "; client_max_window_bits=9", Some((15, false, 9, false))),
        (any, "; client_max_window_bits=8; server_max_window_bits=8", Some((8, false, 8, false))),
        (any, "; client_max_window_bits=15", Some((15, false, 15, false))),
        (any, "; server_no_context_takeover", Some((15, true, 15, false))),
        (any, "; client_no_context_takeover", Some((15, false, 15, true))),
        (any, "; client_max_window_bits=\"12\"", Some((15, false, 12, false))),
        (fresh, "", Some((15, false, 15, true))),
        (strict, "; server_no_context_takeover; server_max_window_bits=10", Some((10, true, 11, false))),
        (
            strict,
            "; server_no_context_takeover; server_max_window_bits=9; client_max_window_bits=10",
            Some((9, true, 10, false)),
        ),
        (silent, "", Some((15, false, 15, false))),
        (silent, "; client_max_window_bits=10", None),
        (strict, "", None),
        (strict, "; server_max_window_bits=10", None),
        (strict, "; server_no_context_takeover", None),
        (strict, "; server_no_context_takeover; server_max_window_bits=11", None),
        (any, "; client_max_window_bits", None),
        (any, "; server_max_window_bits", None),
        (any, "; server_max_window_bits=7", None),
        (any, "; server_max_window_bits=16", None),
        (any, "; client_max_window_bits=010", None),
        (any, "; unknown", None),
        (any, ";", None),
        (any, "; server_no_context_takeover; server_no_context_takeover", None),
        (any, ", permessage-deflate", None),
        (any, ", x-other", None),
    ];
    for (offer, answer, expected) in table {
        let request = ClientRequest::new("host", "/", NONCE).deflate(offer);
        let extension = ("Sec-WebSocket-Extensions", &*format!("permessage-deflate{answer}"));
        let (found, _) = answered(request, &response(LINE, &[GOOD[0], GOOD[1], GOOD[2], extension]));
        let Some((server_bits, server_fresh, client_bits, client_fresh)) = expected else {
            let name = "Sec-WebSocket-Extensions";
            assert!(
                matches!(found, Err(ClientError::Header { name: n, .. }) if n == name),
                "{offer:?}{answer}"
            );
            continue;
        };
        let (_, params) = found.expect("good").expect("whole");
        let params = params.expect("agreed");
        assert_eq!(
            (params.window_bits(Role::Server), params.no_context(Role::Server)),
            (server_bits, server_fresh)
        );
        assert_eq!(
            (params.window_bits(Role::Client), params.no_context(Role::Client)),
            (client_bits, client_fresh)
        );
    }
    // A server that says nothing does not compress.
    let request = ClientRequest::new("host", "/", NONCE).deflate(any);
    assert_eq!(answered(request, &response(LINE, &GOOD)).0, Ok(Some((None, None))));
}

/// Whatever a client of ours offers, and a server of ours wants: they agree, on the same.
#[test]
fn the_two_sides_agree() {
    let bits = [None, Some(8), Some(9), Some(12), Some(15)];
    let client_bits = [None, Some(None), Some(Some(8)), Some(Some(13)), Some(Some(15))];
    for flags in 0..16_u8 {
        let flag = |n: u8| flags >> n & 1 == 1;
        for server_bits in bits {
            for client_bits in client_bits {
                let offer = Offer::new()
                    .server_no_context(flag(0))
                    .client_no_context(flag(1))
                    .server_bits(server_bits)
                    .client_bits(client_bits);
                assert_eq!(one(&text(&offer)), Ok(offer));
                for wanted in [8, 11, 15] {
                    let config = Config::new()
                        .server_no_context(flag(2))
                        .client_no_context(flag(3))
                        .server_bits(wanted)
                        .client_bits(23 - wanted);
                    let mut asked = Vec::new();
                    let request = ClientRequest::new("host", "/", NONCE).deflate(offer);
                    request.encode(&mut asked).expect("good");
                    let mut server = Server::new(Grow::new(1_000));
                    let found = server.feed(&mut &asked[..]).expect("good").expect("whole");
                    let ours = found.deflate(&config).expect("acceptable");
                    let mut answer = Vec::new();
                    found.accept().deflate(Some(ours)).encode(&mut answer).expect("good");
                    let mut client = Client::new(request, Grow::new(1_000));
                    let theirs = client.feed(&mut &answer[..]).expect("good").expect("whole").deflate();
                    let theirs = theirs.expect("agreed");
                    for side in [Role::Server, Role::Client] {
                        assert_eq!(ours.no_context(side), theirs.no_context(side));
                        assert_eq!(ours.window_bits(side), theirs.window_bits(side), "{offer:?} {config:?}");
                    }
                }
            }
        }
    }
}
