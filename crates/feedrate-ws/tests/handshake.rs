//! WebSocket: the opening handshake, from both sides, with the bytes cut anywhere: RFC 6455, section 4.
//! What is wrong is refused with the right status, nothing that is written can be made into something else,
//! and what comes behind the handshake stays where it is.

use feedrate::{Array, Encode, EncodeError, Grow, Storage};
use feedrate_testkit::chunks::bytewise;
use feedrate_testkit::storage::NoMemory;
use feedrate_ws::handshake::{
    Client, ClientError, ClientRequest, HeadError, Rejection, Server, ServerError, accept,
};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const NONCE: [u8; 16] = *b"the sample nonce";
/// A frame that has come with the handshake.
const BEHIND: &[u8] = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";

/// The headers of a request that is good, of which tests change one.
const REQUEST: [(&str, &str); 5] = [
    ("Host", "server.example.com"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", KEY),
    ("Sec-WebSocket-Version", "13"),
];

const RESPONSE: [(&str, &str); 3] =
    [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", ACCEPT)];

fn head(first: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let lines = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    format!("{first}\r\n{}\r\n", lines.collect::<String>()).into_bytes()
}

/// With another value; with none, not at all.
fn with(
    headers: &[(&'static str, &'static str)],
    name: &'static str,
    value: &'static str,
) -> Vec<(&'static str, &'static str)> {
    let mut headers = headers.to_vec();
    headers.retain(|header| header.0 != name);
    if value != "absent" {
        headers.push((name, value));
    }
    headers
}

fn request(headers: &[(&str, &str)]) -> Vec<u8> {
    head("GET /chat HTTP/1.1", headers)
}

fn response(headers: &[(&str, &str)]) -> Vec<u8> {
    head("HTTP/1.1 101 Switching Protocols", headers)
}

/// What came of a request: its target, its subprotocols and the answer to it; and the bytes that were left.
type Served = (Result<Option<(String, Vec<String>, Vec<u8>)>, ServerError>, Vec<u8>);

fn serve(storage: impl Storage, headers: usize, shared: bool, chunks: &[&[u8]]) -> Served {
    let mut server = Server::new(storage).max_headers(headers);
    for (i, chunk) in chunks.iter().enumerate() {
        let mut memory = chunk.to_vec();
        let (mut mutable, mut lent) = (&mut memory[..], *chunk);
        let result = if shared { server.feed(&mut lent) } else { server.feed(&mut mutable) };
        let found = match result {
            Ok(None) => continue,
            Ok(Some(request)) => {
                let mut answer = Vec::new();
                request.accept().encode(&mut answer).expect("an answer");
                let protocols = request.protocols().map(str::to_owned).collect();
                Ok(Some((request.target().to_owned(), protocols, answer)))
            }
            Err(error) => {
                // What is wrong stays wrong.
                let again = if shared { server.feed(&mut lent) } else { server.feed(&mut mutable) };
                assert_eq!(again.err(), Some(error));
                Err(error)
            }
        };
        let left = if shared { lent } else { mutable };
        let left = if found.is_ok() { [&[left][..], &chunks[i + 1..]].concat().concat() } else { Vec::new() };
        return (found, left);
    }
    (Ok(None), Vec::new())
}

/// The same wherever the bytes are cut.
fn served(bytes: &[u8], storage: impl Fn() -> Grow, headers: usize) -> Served {
    let whole = serve(storage(), headers, true, &[bytes]);
    for shared in [true, false] {
        assert_eq!(whole, serve(storage(), headers, shared, &bytewise(bytes)));
        for at in 0..=bytes.len() {
            let cut = serve(storage(), headers, shared, &[&bytes[..at], &bytes[at..]]);
            assert_eq!(whole, cut, "{} cut at {at}", bytes.escape_ascii());
        }
    }
    whole
}

fn room() -> Grow {
    Grow::new(2_000)
}

#[test]
fn the_example_of_the_rfc() {
    assert_eq!(&accept(KEY.as_bytes().try_into().expect("24 bytes")), ACCEPT.as_bytes());
    let more = [
        &REQUEST[..],
        &[
            ("Origin", "http://example.com"),
            ("Sec-WebSocket-Protocol", "chat, superchat,"),
            ("sec-websocket-protocol", "third"),
        ],
    ];
    let bytes = [&request(&more.concat()), BEHIND].concat();
    let (found, left) = served(&bytes, room, 100);
    let answer = response(&RESPONSE);
    let protocols = ["chat", "superchat", "third"].map(str::to_owned).to_vec();
    assert_eq!(found, Ok(Some(("/chat".to_owned(), protocols, answer))));
    assert_eq!(left, BEHIND);
}

#[test]
fn requests_that_are_good_in_their_own_way() {
    let good = |first: &str, headers: &[(&str, &str)]| {
        let (found, _) = served(&head(first, headers), room, 100);
        assert!(matches!(found, Ok(Some(_))), "{first} {headers:?}: {found:?}");
    };
    good("GET / HTTP/1.1", &REQUEST);
    good("GET /a?b=%23c://d HTTP/1.1", &REQUEST);
    good("GET http://server.example.com/chat HTTP/1.1", &REQUEST);
    for (name, value) in [
        ("Upgrade", "WebSocket"),
        ("Upgrade", "h2c, websocket"),
        ("Connection", "keep-alive, Upgrade"),
        ("Connection", "keep-alive,upgrade"),
        ("Sec-WebSocket-Version", "\t 13 \t"),
        ("Host", "[::1]:8080"),
        ("Content-Length", "0"),
        ("Cookie", "a=\"b, c\"; d=\u{e9}"),
    ] {
        good("GET / HTTP/1.1", &with(&REQUEST, name, value));
    }
    let mut twice = REQUEST.to_vec();
    twice.insert(0, ("connection", "close"));
    good("GET / HTTP/1.1", &twice);
    let shouted: Vec<_> = REQUEST.iter().map(|(name, value)| (name.to_uppercase(), *value)).collect();
    good("GET / HTTP/1.1", &shouted.iter().map(|(name, value)| (name.as_str(), *value)).collect::<Vec<_>>());
}

#[test]
fn requests_that_are_refused() {
    let refused = |bytes: &[u8], status: u16| {
        let (found, _) = served(bytes, room, 100);
        let error = found.expect_err(&format!("{}", bytes.escape_ascii()));
        assert_eq!(error.rejection().status, status, "{} {error}", bytes.escape_ascii());
        error
    };
    for (first, status) in [
        ("POST / HTTP/1.1", 405),
        ("get / HTTP/1.1", 405),
        ("GET / HTTP/1.0", 505),
        ("GET / HTTP/2.0", 505),
        ("GET / HTTP/1.10", 505),
        ("GET /", 400),
        ("GET / FTP/1.1", 400),
        ("GET  / HTTP/1.1", 400),
        ("GET / HTTP/1.1 ", 400),
        (" GET / HTTP/1.1", 400),
        ("GET /a b HTTP/1.1", 400),
        ("GET chat HTTP/1.1", 400),
        ("GET * HTTP/1.1", 400),
        ("GET /a#b HTTP/1.1", 400),
        ("GET /\u{e9} HTTP/1.1", 400),
        ("GET /\tb HTTP/1.1", 400),
        ("(GET) / HTTP/1.1", 400),
        ("", 400),
    ] {
        refused(&head(first, &REQUEST), status);
    }
    for (name, value, status) in [
        ("Host", "absent", 400),
        ("Upgrade", "absent", 400),
        ("Upgrade", "h2c", 400),
        ("Upgrade", "websocket13", 400),
        ("Connection", "absent", 400),
        ("Connection", "keep-alive", 400),
        ("Connection", "not-upgrade", 400),
        ("Sec-WebSocket-Version", "absent", 400),
        ("Sec-WebSocket-Version", "8", 426),
        ("Sec-WebSocket-Version", "130", 426),
        ("Sec-WebSocket-Version", "13, 8", 426),
        ("Sec-WebSocket-Key", "absent", 400),
        ("Sec-WebSocket-Key", "", 400),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=", 400),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQAA", 400),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j_Q==", 400),
        ("Content-Length", "1", 400),
        ("Content-Length", "0x0", 400),
        ("Transfer-Encoding", "chunked", 400),
        ("Bad name", "x", 400),
        ("Bad(name)", "x", 400),
        ("Bad\u{e9}", "x", 400),
        ("", "no name", 400),
        (" Folded", "x", 400),
        ("Spaced ", "x", 400),
    ] {
        refused(&request(&with(&REQUEST, name, value)), status);
    }
    for name in ["Host", "Sec-WebSocket-Key", "Sec-WebSocket-Version"] {
        let again = REQUEST.into_iter().chain(REQUEST.into_iter().filter(|header| header.0 == name));
        refused(&request(&again.collect::<Vec<_>>()), 400);
    }
    // Line ends and control characters, where they are found.
    let good = request(&REQUEST);
    let text = String::from_utf8(good.clone()).expect("ASCII");
    for (bad, at) in [
        (text.replacen("\r\n", "\n", 1), 18),
        (text.replacen("\r\n", "\r", 1), 19),
        (text.replacen("\r\n", "\r\r\n", 1), 19),
        (text.replacen("chat", "ch\0at", 1), 7),
        (text.replacen("chat", "ch\x7fat", 1), 7),
        (text.replacen("server", "ser\x1bver", 1), 29),
        (text.replace("13\r\n\r\n", "13\r\n\n"), good.len() - 2),
        (text.replace("13\r\n\r\n", "13\n\n"), good.len() - 4),
    ] {
        assert_eq!(refused(bad.as_bytes(), 400), ServerError::Head(HeadError::Control { at }), "{bad:?}");
    }
    refused(&text.replacen("Host:", "Host", 1).into_bytes(), 400);
    // A head that does not end, is none yet.
    assert_eq!(served(&good[..good.len() - 1], room, 100).0, Ok(None));
}

#[test]
fn limits_of_a_head() {
    let bytes = request(&REQUEST);
    assert!(matches!(served(&bytes, || Grow::new(bytes.len()), 5).0, Ok(Some(_))));
    for limit in [0, 1, 20, bytes.len() - 1] {
        let error = ServerError::Head(HeadError::TooLong { limit });
        assert_eq!(served(&bytes, || Grow::new(limit), 100).0, Err(error));
        assert_eq!(error.rejection().status, 431);
    }
    for limit in 0..5 {
        let error = ServerError::Head(HeadError::TooManyHeaders { limit });
        assert_eq!(served(&bytes, room, limit).0, Err(error));
        assert_eq!(error.rejection().status, 431);
    }
    // A hundred, if nothing else is said.
    let headers: Vec<_> = REQUEST.into_iter().chain([("X", "y"); 96]).collect();
    let mut server = Server::new(room());
    assert!(matches!(server.feed(&mut &request(&headers[..100])[..]), Ok(Some(_))));
    let error = Server::new(room()).feed(&mut &request(&headers)[..]).expect_err("101 headers");
    assert_eq!(error, ServerError::Head(HeadError::TooManyHeaders { limit: 100 }));
}

/// Every byte is put away once and looked at a few times, however they come: of a mebibyte no more than the
/// storage takes.
#[test]
fn a_head_takes_linear_time() {
    use std::cell::Cell;
    struct Counting<'c>(Vec<u8>, &'c Cell<usize>);
    impl Storage for Counting<'_> {
        fn limit(&self) -> usize {
            8_192
        }
        fn held(&self) -> &[u8] {
            self.1.set(self.1.get() + 1);
            &self.0
        }
        fn held_mut(&mut self) -> &mut [u8] {
            &mut self.0
        }
        fn append(&mut self, bytes: &[u8]) -> Result<(), feedrate::Fault> {
            self.0.extend_from_slice(bytes);
            assert!(self.0.len() <= 8_192);
            Ok(())
        }
        fn discard(&mut self, _: usize) {}
        fn truncate(&mut self, _: usize) {}
        fn clear(&mut self) {}
    }
    let long = [b"GET / HTTP/1.1\r\nHost: ", &[b'x'; 1 << 20][..]].concat();
    let looks = Cell::new(0);
    let (mut server, mut fed) = (Server::new(Counting(Vec::new(), &looks)), 0);
    let error = loop {
        match server.feed(&mut &long[fed..=fed]) {
            Ok(found) => assert!(found.is_none()),
            Err(error) => break error,
        }
        fed += 1;
    };
    // The last byte that there is room for, and no end.
    assert_eq!((fed, error), (8_191, ServerError::Head(HeadError::TooLong { limit: 8_192 })));
    // For each byte, how many there are: and nobody looks at those before.
    assert!(looks.get() <= 12 * fed + 20, "{} looks at {fed} bytes", looks.get());
    // It stays refused, and takes nothing more.
    for _ in 0..3 {
        let mut more = &long[fed..];
        assert!(server.feed(&mut more).is_err());
        assert_eq!(more.len(), long.len() - fed);
    }
}

#[test]
fn what_is_written_cannot_become_two_headers() {
    let bad = ["a\r\nX: y", "a\nb", "a\rb", "a\0", "\x1b", "\x7f"];
    let refused = |request: &dyn Fn(&mut Vec<u8>) -> Result<usize, EncodeError>| {
        let mut out = b"before".to_vec();
        assert!(matches!(request(&mut out), Err(EncodeError::Invalid { .. })), "{}", out.escape_ascii());
        assert_eq!(out, b"before");
    };
    let request = ClientRequest::new("host", "/", NONCE);
    let mut server = Server::new(room());
    let asked = self::request(&REQUEST);
    let mut input = &asked[..];
    let accept = server.feed(&mut input).expect("good").expect("whole").accept();
    for bad in bad {
        refused(&|out| ClientRequest::new(bad, "/", NONCE).encode(out));
        refused(&|out| ClientRequest::new("host", &format!("/{bad}"), NONCE).encode(out));
        refused(&|out| request.protocols(&["chat", bad]).encode(out));
        refused(&|out| request.headers(&[("X", bad)]).encode(out));
        refused(&|out| request.headers(&[(bad, "x")]).encode(out));
        refused(&|out| accept.protocol(Some(bad)).encode(out));
        refused(&|out| accept.headers(&[("X", bad)]).encode(out));
        refused(&|out| accept.headers(&[(bad, "x")]).encode(out));
        refused(&|out| Rejection::new(401).headers(&[("X", bad)]).encode(out));
        refused(&|out| Rejection::new(302).headers(&[("X", "y"), ("Location", bad)]).encode(out));
        refused(&|out| Rejection::new(302).headers(&[(bad, "x")]).encode(out));
    }
    // What the handshake and the connection say themselves, in any case of letters, and wherever it stands.
    for name in [
        "Host",
        "Connection",
        "Upgrade",
        "Content-Length",
        "Transfer-Encoding",
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Accept",
        "Sec-WebSocket-Version",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
        "Sec-WebSocket-",
    ] {
        for name in [name.to_owned(), name.to_lowercase(), name.to_uppercase()] {
            let headers = [("X", "y"), (&name[..], "0")];
            refused(&|out| request.headers(&headers).encode(out));
            refused(&|out| accept.headers(&headers).encode(out));
            refused(&|out| Rejection::new(400).headers(&headers).encode(out));
        }
    }
    // And their like, which are not those.
    let headers = [
        ("X-Host", "a"),
        ("Sec-WebSocket", "b"),
        ("Sec-Fetch-Mode", "c"),
        ("Upgrade-Insecure-Requests", "1"),
    ];
    for written in [
        request.headers(&headers).encode(&mut Vec::new()),
        accept.headers(&headers).encode(&mut Vec::new()),
        Rejection::new(400).headers(&headers).encode(&mut Vec::new()),
    ] {
        assert!(written.is_ok());
    }
    for host in ["", "a b", "a/b", "a@b", "a:b", "[a", "caf\u{e9}", "a:1:2"] {
        refused(&|out| ClientRequest::new(host, "/", NONCE).encode(out));
    }
    for target in ["", "chat", "*", "/a b", "/\u{e9}", "/a#b", "http://host/"] {
        refused(&|out| ClientRequest::new("host", target, NONCE).encode(out));
    }
    for bad in ["", "a b", "a,b", "a;b", "\u{e9}"] {
        refused(&|out| request.protocols(&[bad]).encode(out));
        refused(&|out| accept.protocol(Some(bad)).encode(out));
        refused(&|out| request.headers(&[(bad, "x")]).encode(out));
    }
    refused(&|out| request.protocols(&["a", "b", "a"]).encode(out));
    for status in [0, 99, 100, 101, 200, 299, 600, 1_000, u16::MAX] {
        refused(&|out| Rejection::new(status).encode(out));
    }
}

#[test]
fn rejections_are_answers() {
    for (status, line, more) in [
        (400, "400 Bad Request", ""),
        (404, "404 Not Found", ""),
        (405, "405 Method Not Allowed", "Allow: GET\r\n"),
        (426, "426 Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
        (431, "431 Request Header Fields Too Large", ""),
        (505, "505 HTTP Version Not Supported", ""),
        (599, "599 ", ""),
    ] {
        let mut out = Vec::new();
        assert_eq!(Rejection::new(status).encode(&mut out), Ok(out.len()));
        let text = String::from_utf8(out.clone()).expect("ASCII");
        assert_eq!(text, format!("HTTP/1.1 {line}\r\nConnection: close\r\nContent-Length: 0\r\n{more}\r\n"));
        // The client understands that it was refused, and can look at why.
        let mut client = Client::new(ClientRequest::new("host", "/", NONCE), Array::<200>::new());
        let mut input = &out[..];
        assert_eq!(client.feed(&mut input).err(), Some(ClientError::Status(status)));
        assert_eq!(client.headers().get("connection"), Some(&b"close"[..]));
    }
}

/// What a client is to do then stands in the headers, and it can read them.
#[test]
fn rejections_have_headers() {
    let basic = [("WWW-Authenticate", "Basic realm=\"a, b\""), ("WWW-Authenticate", "Bearer")];
    let location = [("Location", "wss://other.example.com/chat")];
    let later = [("Retry-After", "120"), ("X-Why", "caf\u{e9}\t!")];
    for (status, line, headers) in [
        (401, "401 Unauthorized", &basic[..]),
        (301, "301 Moved Permanently", &location),
        (302, "302 Found", &location),
        (303, "303 See Other", &location),
        (307, "307 Temporary Redirect", &location),
        (308, "308 Permanent Redirect", &location),
        (503, "503 Service Unavailable", &later),
        (426, "426 Upgrade Required", &later),
    ] {
        let rejection = Rejection::new(status).headers(headers);
        let mut out = Vec::new();
        assert_eq!(rejection.encode(&mut out), Ok(out.len()));
        assert_eq!(rejection.encoded_length(), Ok(out.len()));
        assert!(out.starts_with(
            format!("HTTP/1.1 {line}\r\nConnection: close\r\nContent-Length: 0\r\n").as_bytes()
        ));
        let mut client = Client::new(ClientRequest::new("host", "/", NONCE), Array::<400>::new());
        let mut input = &out[..];
        assert_eq!(client.feed(&mut input).err(), Some(ClientError::Status(status)));
        assert!(input.is_empty());
        for (name, _) in headers {
            let of = |headers: &mut dyn Iterator<Item = Vec<u8>>| headers.collect::<Vec<_>>();
            let sent = of(&mut headers
                .iter()
                .filter(|(other, _)| other == name)
                .map(|(_, v)| v.as_bytes().to_vec()));
            assert_eq!(of(&mut client.headers().all(name).map(<[u8]>::to_vec)), sent, "{name}");
        }
    }
}

/// Nothing is taken then, so that no request can be put together from what was left of it.
#[test]
fn without_memory_nothing_is_taken() {
    let good = request(&REQUEST);
    let mut server = Server::new(NoMemory { limit: 2_000 });
    let mut input = &good[..];
    for _ in 0..2 {
        assert_eq!(server.feed(&mut input).err(), Some(HeadError::TooLong { limit: 2_000 }.into()));
        assert_eq!(input, good);
    }
}
