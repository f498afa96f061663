//! WebSocket: requests to upgrade, as they come from other programs. What RFC 6455, section 4.2.1, and RFC 9112 let a
//! client send is accepted; what two programs on the way could read as two different things is refused. With the
//! section that says so.

use feedrate::Array;
use feedrate_testkit::chunks::bytewise;
use feedrate_ws::handshake::{HeadError, Server, ServerError};

/// A request of which a row changes one thing.
const GOOD: &str = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const BEHIND: &[u8] = b"\x81\x85\x37\xfa";

/// What a server makes of it: the target, or the error; and how many bytes are left.
type Served = (Result<Option<String>, ServerError>, usize);

fn feed(chunks: &[&[u8]]) -> Served {
    let mut server = Server::new(Array::<2_000>::new());
    let mut left: usize = chunks.iter().map(|chunk| chunk.len()).sum();
    for chunk in chunks {
        let mut input = *chunk;
        let result = server.feed(&mut input).map(|found| found.map(|request| request.target().to_owned()));
        left -= chunk.len() - input.len();
        match result {
            Ok(None) => assert!(input.is_empty()),
            Ok(found) => return (Ok(found), left),
            Err(error) => {
                // What is wrong stays wrong.
                assert_eq!(server.feed(&mut &b"\n\r\n"[..]).err(), Some(error));
                return (Err(error), 0);
            }
        }
    }
    (Ok(None), left)
}

/// The same, wherever it is cut.
fn served(bytes: &[u8]) -> Served {
    let whole = feed(&[bytes]);
    assert_eq!(feed(&bytewise(bytes)), whole, "{}", bytes.escape_ascii());
    for at in 0..bytes.len() {
        assert_eq!(feed(&[&bytes[..at], &bytes[at..]]), whole, "{} cut at {at}", bytes.escape_ascii());
    }
    whole
}

/// What a row puts in place of what: a whole line, or a part of one.
fn changed(what: &str, by: &[u8]) -> Vec<u8> {
    let (before, behind) = GOOD.split_once(what).unwrap_or_else(|| panic!("{what}"));
    [before.as_bytes(), by, behind.as_bytes()].concat()
}

const FIRST: &str = "GET /chat HTTP/1.1";
const HOST: &str = "Host: server.example.com";
const UPGRADE: &str = "Upgrade: websocket";
const CONNECTION: &str = "Connection: Upgrade";
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const VERSION: &str = "Sec-WebSocket-Version: 13";

#[test]
fn what_a_client_may_send_is_accepted() {
    #[rustfmt::skip]
    let rows: [(&str, &str, &[u8]); 54] = [
        // The request line: RFC 9112, sections 2 and 3.
        ("RFC 9112 2.2: an empty line before it", "GET", b"\r\nGET"),
        ("RFC 9112 2.2: two, at least one", "GET", b"\r\n\r\nGET"),
        ("RFC 9112 2.2: four", "GET", b"\r\n\r\n\r\n\r\nGET"),
        ("RFC 9112 3.2.1: a path and a query", FIRST, b"GET /chat?a=b&c=%20 HTTP/1.1"),
        ("RFC 9112 3.2.1: no path but its root", FIRST, b"GET / HTTP/1.1"),
        ("RFC 3986 3.3: an empty segment", FIRST, b"GET //chat HTTP/1.1"),
        ("RFC 3986 3.3: dots, colons, at signs", FIRST, b"GET /../a:b@c;d=e,f HTTP/1.1"),
        ("RFC 3986 2: what browsers leave as it is", FIRST, b"GET /a|b{c}^`\\\" HTTP/1.1"),
        ("RFC 9112 3.2.2: a whole URI", FIRST, b"GET http://server.example.com/chat HTTP/1.1"),
        ("RFC 9112 3.2.2: with a port", FIRST, b"GET https://server.example.com:443/chat HTTP/1.1"),
        ("RFC 9110 4.2.3: its scheme in any case", FIRST, b"GET HTTP://server.example.com/chat HTTP/1.1"),
        ("RFC 9110 4.2.1: without a path", FIRST, b"GET http://server.example.com?a HTTP/1.1"),
        ("RFC 3986 3.2.2: an IPv6 address", FIRST, b"GET http://[::1]:80/chat HTTP/1.1"),
        ("RFC 6455 4.2.1: HTTP/1.1 or higher", FIRST, b"GET /chat HTTP/1.2"),
        ("RFC 9110 2.5: any minor version", FIRST, b"GET /chat HTTP/1.9"),
        // Lines: RFC 9112, section 5.
        ("RFC 9112 5: no blank before a value", HOST, b"Host:server.example.com"),
        ("RFC 9112 5: blanks around a value", HOST, b"Host: \t server.example.com \t "),
        ("RFC 9110 5.1: names in any case", HOST, b"hOST: server.example.com"),
        ("RFC 9110 5.5: an empty value", HOST, b"Host: server.example.com\r\nX-Empty:"),
        ("RFC 9110 5.5: a blank value", HOST, b"Host: server.example.com\r\nX-Empty: \t"),
        ("RFC 9110 5.5: a tab in a value", HOST, b"Host: server.example.com\r\nX: a\tb"),
        ("RFC 9110 5.5: bytes above 127", HOST, b"Host: server.example.com\r\nX: \xe9\xff\x80"),
        ("RFC 9110 5.6.2: any token is a name", HOST, b"Host: server.example.com\r\n!#$%&'*+-.^_`|~09: x"),
        ("RFC 9110 5.3: any order", HOST, b"X: y\r\nHost: server.example.com"),
        ("RFC 9110 5.3: the same again", HOST, b"Host: server.example.com\r\nCookie: a=b\r\nCookie: c=d"),
        ("RFC 6265 5.4: a cookie", HOST, b"Host: server.example.com\r\nCookie: a=\"b, c\"; d"),
        // Host: RFC 9110, section 7.2, and RFC 3986, section 3.2.
        ("RFC 9110 7.2: a port", HOST, b"Host: server.example.com:8080"),
        ("RFC 3986 3.2.3: an empty port", HOST, b"Host: server.example.com:"),
        ("RFC 3986 3.2.2: an IPv4 address", HOST, b"Host: 127.0.0.1:80"),
        ("RFC 3986 3.2.2: an IPv6 address", HOST, b"Host: [2001:db8::1]:80"),
        ("RFC 3986 3.2.2: a name that DNS has not", HOST, b"Host: my_server~1"),
        ("RFC 3986 3.2.2: escaped bytes", HOST, b"Host: caf%C3%A9"),
        ("RFC 9112 3.2: empty, without an authority", HOST, b"Host:"),
        // Upgrade, Connection: RFC 9110, sections 7.6.1 and 7.8.
        ("RFC 6455 4.2.1 (3): in any case", UPGRADE, b"Upgrade: WebSocket"),
        ("RFC 9110 7.8: one of a list", UPGRADE, b"Upgrade: h2c, websocket"),
        ("RFC 9110 5.6.1.2: empty elements", UPGRADE, b"Upgrade: ,, websocket ,"),
        ("RFC 9110 5.3: a list in two lines", UPGRADE, b"Upgrade: h2c\r\nUpgrade: websocket"),
        ("RFC 6455 4.2.1 (4): in any case", CONNECTION, b"Connection: upgrade"),
        ("RFC 9110 7.6.1: one of a list", CONNECTION, b"Connection: keep-alive, Upgrade"),
        ("RFC 9110 7.6.1: with close", CONNECTION, b"Connection: close,Upgrade"),
        ("RFC 9110 5.3: a list in two lines", CONNECTION, b"Connection: keep-alive\r\nConnection: Upgrade"),
        // The handshake's own: RFC 6455, sections 4.2.1, 4.3 and 9.1.
        ("RFC 6455 4.3: 16 bytes, whatever", KEY, b"AAAAAAAAAAAAAAAAAAAAAA=="),
        ("RFC 6455 4.3: bits that stand for nothing", KEY, b"dGhlIHNhbXBsZSBub25jZR=="),
        ("RFC 6455 4.3: with / and +", KEY, b"//////////++++++++++/w=="),
        ("RFC 6455 4.2.1 (7): an origin", VERSION, b"Sec-WebSocket-Version: 13\r\nOrigin: null"),
        ("RFC 6455 4.2.1 (8): subprotocols", VERSION, b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a, b"),
        ("RFC 6455 4.2.1 (8): in two lines", VERSION,
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b"),
        ("RFC 6455 4.2.1 (9): extensions of any kind", VERSION,
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: x; y=\"z, \\\"\", permessage-deflate"),
        ("RFC 6455 4.2.1 (10): what it does not know", VERSION,
            b"Sec-WebSocket-Version: 13\r\nSec-Fetch-Mode: websocket"),
        // Bodies of nothing, and what asks for something else on the way: RFC 9110.
        ("RFC 9110 8.6: no body", VERSION, b"Sec-WebSocket-Version: 13\r\nContent-Length: 0"),
        ("RFC 9110 8.6: 1*DIGIT", VERSION, b"Sec-WebSocket-Version: 13\r\nContent-Length: 000"),
        ("RFC 9110 10.1.4: TE is no Transfer-Encoding", VERSION, b"Sec-WebSocket-Version: 13\r\nTE: trailers"),
        ("RFC 9110 10.1.1: Expect, without a body", VERSION, b"Sec-WebSocket-Version: 13\r\nExpect: 100-continue"),
        ("RFC 9110 7.6.3: Via, of a proxy", VERSION, b"Sec-WebSocket-Version: 13\r\nVia: 1.1 a, 1.0 b"),
    ];
    assert_eq!(served(GOOD.as_bytes()), (Ok(Some("/chat".into())), 0));
    for (why, what, by) in rows {
        let bytes = [&changed(what, by)[..], BEHIND].concat();
        let (found, left) = served(&bytes);
        assert!(matches!(found, Ok(Some(_))), "{why}: {}: {found:?}", bytes.escape_ascii());
        assert_eq!(left, BEHIND.len(), "{why}");
    }
}

#[test]
fn what_smuggles_or_is_malformed_is_refused() {
    #[rustfmt::skip]
    let rows: [(&str, &str, &[u8], u16); 75] = [
        // How long it is: RFC 9112, section 6.
        ("RFC 9112 6.3: two lengths", VERSION,
            b"Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\nContent-Length: 5", 400),
        ("RFC 9112 6.3: two, equal ones", VERSION,
            b"Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\nContent-Length: 0", 400),
        ("RFC 9110 8.6: a list of them", VERSION, b"Sec-WebSocket-Version: 13\r\nContent-Length: 0, 0", 400),
        ("RFC 9110 9.3.1: a body", VERSION, b"Sec-WebSocket-Version: 13\r\nContent-Length: 1", 400),
        ("RFC 9110 8.6: a sign", VERSION, b"Sec-WebSocket-Version: 13\r\nContent-Length: +0", 400),
        ("RFC 9110 8.6: less than nothing", VERSION, b"Sec-WebSocket-Version: 13\r\nContent-Length: -0", 400),
        ("RFC 9110 8.6: hexadecimal", VERSION, b"Sec-WebSocket-Version: 13\r\nContent-Length: 0x0", 400),
        ("RFC 9110 8.6: no digit", VERSION, b"Sec-WebSocket-Version: 13\r\nContent-Length:", 400),
        ("RFC 9112 6.1: chunks", VERSION, b"Sec-WebSocket-Version: 13\r\nTransfer-Encoding: chunked", 400),
        ("RFC 9112 6.1: with a length", VERSION,
            b"Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\nTransfer-Encoding: chunked", 400),
        ("RFC 9112 6.1: identity", VERSION, b"Sec-WebSocket-Version: 13\r\nTransfer-Encoding: identity", 400),
        ("RFC 9112 6.1: an unknown one", VERSION, b"Sec-WebSocket-Version: 13\r\nTransfer-Encoding: xchunked", 400),
        ("RFC 9112 6.1: an empty one", VERSION, b"Sec-WebSocket-Version: 13\r\nTransfer-Encoding:", 400),
        ("RFC 9112 6.1: in any case", VERSION, b"Sec-WebSocket-Version: 13\r\ntransfer-ENCODING: chunked", 400),
        ("RFC 9112 5.1: hidden by a blank", VERSION,
            b"Sec-WebSocket-Version: 13\r\nTransfer-Encoding : chunked", 400),
        ("RFC 9112 5.1: hidden by a tab", VERSION, b"Sec-WebSocket-Version: 13\r\nTransfer-Encoding\t: chunked", 400),
        ("RFC 9112 5: hidden by a vertical tab", VERSION,
            b"Sec-WebSocket-Version: 13\r\nTransfer-Encoding: \x0bchunked", 400),
        ("RFC 9112 5: hidden in a name", VERSION, b"Sec-WebSocket-Version: 13\r\nTransfer-Encoding\0: chunked", 400),
        // Lines that are folded: RFC 9112, section 5.2.
        ("RFC 9112 5.2: a blank", HOST, b"Host: server.example.com\r\n more", 400),
        ("RFC 9112 5.2: a tab", HOST, b"Host: server.example.com\r\n\tmore", 400),
        ("RFC 9112 5.2: nothing but a blank", HOST, b"Host: server.example.com\r\n ", 400),
        ("RFC 9112 5.2: that hides a header", HOST, b"X: y\r\n Host: server.example.com", 400),
        ("RFC 9112 2.2: behind the first line", FIRST, b"GET /chat HTTP/1.1\r\n X: y", 400),
        ("RFC 9112 2.2: that hides the first header", FIRST, b"GET /chat HTTP/1.1\r\n Host: other", 400),
        // Ends of lines, and control characters: RFC 9112, section 2.2, and RFC 9110, section 5.5.
        ("RFC 9112 2.2: CR alone", HOST, b"Host: server.example.com\rX: y", 400),
        ("RFC 9112 2.2: CR CR LF", HOST, b"Host: server.example.com\r\r\nX: y", 400),
        ("RFC 9112 2.2: LF alone", HOST, b"Host: server.example.com\nX: y", 400),
        ("RFC 9112 2.2: LF alone behind the first line", "HTTP/1.1\r\n", b"HTTP/1.1\n", 400),
        ("RFC 9112 2.2: LF CR", HOST, b"Host: server.example.com\n\rX: y", 400),
        ("RFC 9112 2.2: CR alone in the first line", FIRST, b"GET /chat\r HTTP/1.1", 400),
        ("RFC 9112 2.2: CR alone before it", FIRST, b"\rGET /chat HTTP/1.1", 400),
        ("RFC 9112 2.2: LF alone before it", FIRST, b"\nGET /chat HTTP/1.1", 400),
        ("RFC 9112 2.2: empty lines without end", FIRST, b"\r\n\r\n\r\n\r\n\r\nGET /chat HTTP/1.1", 400),
        ("RFC 9110 5.5: NUL in a value", HOST, b"Host: server.example.com\r\nX: a\0b", 400),
        ("RFC 9110 5.5: NUL at the end of one", HOST, b"Host: server.example.com\0", 400),
        ("RFC 9110 5.5: NUL in the first line", FIRST, b"GET /ch\0at HTTP/1.1", 400),
        ("RFC 9110 5.5: an escape", HOST, b"Host: server.example.com\r\nX: \x1b[2J", 400),
        ("RFC 9110 5.5: DEL", HOST, b"Host: server.example.com\r\nX: a\x7f", 400),
        ("RFC 9112 5: no colon", HOST, b"Host: server.example.com\r\nX", 400),
        ("RFC 9112 5: no name", HOST, b"Host: server.example.com\r\n: y", 400),
        ("RFC 9110 5.1: a name of two words", HOST, b"Host: server.example.com\r\nX Y: z", 400),
        ("RFC 9110 5.6.2: a name in parentheses", HOST, b"Host: server.example.com\r\n(X): y", 400),
        ("RFC 9110 5.6.2: a name above 127", HOST, b"Host: server.example.com\r\n\xe9: y", 400),
        // Where it goes: RFC 9112, section 3.2.
        ("RFC 9112 3.2: no host", "Host: server.example.com\r\n", b"", 400),
        ("RFC 9112 3.2: two", HOST, b"Host: server.example.com\r\nHost: other", 400),
        ("RFC 9112 3.2: two, equal ones", HOST, b"Host: server.example.com\r\nhost: server.example.com", 400),
        ("RFC 9112 3.2: two in one", HOST, b"Host: server.example.com, other", 400),
        ("RFC 9112 3.2: a path", HOST, b"Host: server.example.com/chat", 400),
        ("RFC 9112 3.2: a user", HOST, b"Host: other@server.example.com", 400),
        ("RFC 9112 3.2: a scheme", HOST, b"Host: http://server.example.com", 400),
        ("RFC 3986 3.2.3: a port of letters", HOST, b"Host: server.example.com:http", 400),
        ("RFC 3986 3.2.3: two ports", HOST, b"Host: server.example.com:80:80", 400),
        ("RFC 3986 3.2.2: half a bracket", HOST, b"Host: [::1", 400),
        ("RFC 3986 3.2.2: something behind one", HOST, b"Host: [::1]x", 400),
        ("RFC 3986 2.1: half an escape", HOST, b"Host: server%4", 400),
        ("RFC 3986 3.2.2: above 127", HOST, b"Host: caf\xc3\xa9", 400),
        ("RFC 9112 3.2.3: another proxy's", FIRST, b"GET server.example.com:80 HTTP/1.1", 400),
        ("RFC 9112 3.2.4: nothing in particular", FIRST, b"GET * HTTP/1.1", 400),
        ("RFC 9110 4.2.1: a URI without a host", FIRST, b"GET http:///chat HTTP/1.1", 400),
        ("RFC 9110 4.2.4: a URI with a user", FIRST, b"GET http://other@server.example.com/ HTTP/1.1", 400),
        ("RFC 6455 4.1: a URI that is not HTTP's", FIRST, b"GET ws://server.example.com/ HTTP/1.1", 400),
        ("RFC 9112 3.2: a fragment", FIRST, b"GET /chat#a HTTP/1.1", 400),
        // The first line: RFC 9112, section 3.
        ("RFC 9112 3: two blanks", FIRST, b"GET  /chat HTTP/1.1", 400),
        ("RFC 9112 3: a tab", FIRST, b"GET\t/chat HTTP/1.1", 400),
        ("RFC 9112 3: a blank behind it", FIRST, b"GET /chat HTTP/1.1 ", 400),
        ("RFC 9112 3: four words", FIRST, b"GET /chat HTTP/1.1 HTTP/1.1", 400),
        ("RFC 9110 9.1: another case", FIRST, b"get /chat HTTP/1.1", 405),
        ("RFC 6455 4.2.1 (1): another method", FIRST, b"POST /chat HTTP/1.1", 405),
        ("RFC 9112 2.3: another case", FIRST, b"GET /chat http/1.1", 400),
        ("RFC 6455 4.2.1 (1): an older version", FIRST, b"GET /chat HTTP/1.0", 505),
        ("RFC 9112 2.3: two digits", FIRST, b"GET /chat HTTP/1.10", 505),
        ("RFC 9113 3.4: the preface of HTTP/2", FIRST, b"PRI * HTTP/2.0", 405),
        // The handshake's own: RFC 6455, section 4.2.1.
        ("RFC 6455 4.2.1 (5): two keys", VERSION,
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", 400),
        ("RFC 6455 4.2.1 (5): 18 bytes", KEY, b"dGhlIHNhbXBsZSBub25jZQAA", 400),
        ("RFC 6455 4.4: another version", VERSION, b"Sec-WebSocket-Version: 8", 426),
    ];
    for (why, what, by, status) in rows {
        let bytes = changed(what, by);
        let (found, _) = served(&bytes);
        let error = found.expect_err(&format!("{why}: {}", bytes.escape_ascii()));
        assert_eq!(error.rejection().status, status, "{why}: {}: {error}", bytes.escape_ascii());
    }
    // RFC 8446 5.1: TLS where none is expected says so, at its first byte.
    assert_eq!(served(b"\x16\x03\x01\x02\x00\x01").0, Err(ServerError::Head(HeadError::Tls)));
}

/// Nothing waits for an empty line from what speaks another protocol, and may wait for an answer itself: its first line
/// is enough, or its first byte.
#[test]
fn what_is_not_http_is_told_at_once() {
    let line = HeadError::FirstLine;
    let rows: [(&str, &[u8], usize, HeadError); 15] = [
        ("RFC 9112 3: HTTP/0.9", b"GET /chat\r\n", 11, line),
        ("RFC 9112 3: four words", b"GET / HTTP/1.1 x\r\n", 18, line),
        ("RFC 9112 2.2: behind an empty line", b"\r\nGET /\r\n", 9, line),
        ("RFC 9112 2.2: a frame", b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 1, line),
        ("RFC 4253 4.2: SSH", b"SSH-2.0-OpenSSH_9.6\r\n", 21, line),
        ("RFC 5321 4.1.1.1: SMTP", b"EHLO client.example.com\r\n", 25, line),
        ("RFC 3261 7.1: SIP", b"OPTIONS sip:a SIP/2.0\r\n", 23, line),
        ("RFC 7826 20.1: RTSP", b"OPTIONS * RTSP/2.0\r\n", 20, line),
        ("HAProxy's PROXY protocol", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", 36, line),
        ("the same, as bytes", b"\r\n\r\n\0\r\nQUIT\n", 5, HeadError::Control { at: 0 }),
        ("Redis", b"*1\r\n$4\r\nPING\r\n", 4, line),
        ("memcached", b"stats\r\n", 7, line),
        ("PostgreSQL's SSLRequest", b"\0\0\0\x08\x04\xd2\x16\x2f", 1, HeadError::Control { at: 0 }),
        ("MQTT", b"\x10\x0c\0\x04MQTT", 1, HeadError::Control { at: 0 }),
        ("a blank", b" GET / HTTP/1.1\r\n", 1, line),
    ];
    for (why, bytes, at, error) in rows {
        assert_eq!(served(bytes).0, Err(error.into()), "{why}");
        assert_eq!(feed(&[&bytes[..at]]).0, Err(error.into()), "{why}");
        assert_eq!(feed(&[&bytes[..at - 1]]).0, Ok(None), "{why}: at byte {at}, no earlier");
    }
    // What is HTTP may go on: what is wrong with it is told when it is there.
    for first in ["POST / HTTP/1.1\r\n", "GET / HTTP/2.0\r\n", "GET /#a HTTP/1.1\r\n"] {
        assert_eq!(served(first.as_bytes()).0, Ok(None), "{first}");
    }
}
