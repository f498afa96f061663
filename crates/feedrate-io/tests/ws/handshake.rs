//! The opening handshakes: what is agreed on, and what is refused.

use feedrate_io::ws::{
    self, Accepting, ClientConfig, CloseCode, Config, Error, Origins, Rejection, WebSocket,
};
use feedrate_ws::handshake::ClientError;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use crate::{config, wire};

fn asking() -> ClientConfig {
    ClientConfig::new("example.com", "/chat?room=7")
}

async fn both(
    asking: ClientConfig,
    serving: Config,
) -> (Result<WebSocket<DuplexStream>, Error>, Result<WebSocket<DuplexStream>, Error>) {
    let (left, right) = duplex(1 << 16);
    tokio::join!(ws::connect(left, &asking), ws::accept(right, &serving))
}

/// A request of another program, with these headers.
async fn request(headers: &str, config: &Config) -> (Result<WebSocket<DuplexStream>, Error>, String) {
    let (mut raw, io) = duplex(1 << 16);
    let request = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n"
    );
    raw.write_all(request.as_bytes()).await.unwrap();
    raw.shutdown().await.unwrap();
    let opened = ws::accept(io, config).await;
    let mut answer = vec![0; 4096];
    let n = raw.read(&mut answer).await.unwrap();
    (opened, String::from_utf8_lossy(&answer[..n]).into_owned())
}

#[tokio::test]
async fn the_clients_first_protocol_that_is_spoken() {
    let serving = || config().protocols(["superchat", "chat"]);
    let (client, server) = both(asking().protocols(["other", "chat", "superchat"]), serving()).await;
    assert_eq!((client.unwrap().protocol(), server.unwrap().protocol()), (Some("chat"), Some("chat")));
    let (client, server) = both(asking().protocols(["other"]), serving()).await;
    assert_eq!((client.unwrap().protocol(), server.unwrap().protocol()), (None, None));
}

#[tokio::test]
async fn a_request_is_looked_at_before_it_is_agreed_to() {
    let (left, right) = duplex(1 << 16);
    let (serving, asking) = (config(), asking().header("X-Token", "secret").protocols(["a", "b"]));
    let serve = async {
        let mut accepting = Accepting::new(right, &serving);
        let request = accepting.request().await.unwrap();
        assert_eq!(request.target(), "/chat?room=7");
        assert_eq!(request.headers().get("X-Token"), Some(&b"secret"[..]));
        accepting.protocol(Some("b")).header("Set-Cookie", "seen=1").accept().await
    };
    let (client, server) = tokio::join!(ws::connect(left, &asking), serve);
    assert_eq!((client.unwrap().protocol(), server.unwrap().protocol()), (Some("b"), Some("b")));
}

#[tokio::test]
async fn who_is_refused_is_told() {
    let (left, right) = duplex(1 << 16);
    let (serving, asking) = (config(), asking());
    let serve = async {
        let mut accepting = Accepting::new(right, &serving);
        accepting.request().await.unwrap();
        accepting.reject(Rejection::new(401).headers(&[("WWW-Authenticate", "Bearer")])).await
    };
    let (client, server) = tokio::join!(ws::connect(left, &asking), serve);
    assert!(matches!(client.unwrap_err(), Error::Answer(ClientError::Status(401))));
    server.unwrap();
}

#[tokio::test]
async fn pages_of_other_origins_may_not_connect() {
    let ours = Config::new(Origins::only(["https://example.com"]));
    let (opened, answer) = request("Origin: https://example.com\r\n", &ours).await;
    assert!(opened.is_ok() && answer.starts_with("HTTP/1.1 101 "), "{answer}");
    let (opened, answer) = request("Origin: https://evil.example\r\n", &ours).await;
    assert_eq!(opened.unwrap_err().to_string(), "a page of https://evil.example may not connect");
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    // Two of which one is ours, and what a terminal should not see.
    let (opened, answer) = request("Origin: https://example.com\r\nOrigin: \u{e9}\r\n", &ours).await;
    assert_eq!(opened.unwrap_err().to_string(), r"a page of \xc3\xa9 may not connect");
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    // Programs that are no browsers may; and none that is one, if there are none.
    let none = Config::new(Origins::Only(Vec::new()));
    assert!(request("", &none).await.0.is_ok());
    assert!(request("Origin: null\r\n", &none).await.0.is_err());
    assert!(request("Origin: null\r\n", &config()).await.0.is_ok());
}

#[tokio::test]
async fn a_bad_request_is_answered() {
    let (opened, answer) = request("Content-Length: 5\r\n", &config()).await;
    assert_eq!(opened.unwrap_err().to_string(), "request refused: request with a body, expected none");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    for (part, expected) in [
        ("", "the client closed the connection before its request"),
        ("GET / HT", "the client closed the connection inside its request"),
    ] {
        let (mut raw, io) = duplex(100);
        raw.write_all(part.as_bytes()).await.unwrap();
        drop(raw);
        assert_eq!(ws::accept(io, &config()).await.unwrap_err().to_string(), expected);
    }
}

#[tokio::test]
async fn a_server_that_ends_early_or_is_none() {
    for (answer, expected) in [
        ("", "the server closed the connection before its answer"),
        ("HTTP/1.1 101 Swi", "the server closed the connection inside its answer"),
        ("HTTP/1.1 302 Found\r\nLocation: /else\r\n\r\n", "status 302, expected 101"),
        ("SSH-2.0-x\r\n", "malformed start line, expected that of an HTTP/1.1 message"),
    ] {
        let (mut raw, io) = duplex(4096);
        raw.write_all(answer.as_bytes()).await.unwrap();
        raw.shutdown().await.unwrap();
        assert_eq!(ws::connect(io, &asking()).await.unwrap_err().to_string(), expected);
    }
    let (_raw, io) = duplex(4096);
    let error = ws::connect(io, &ClientConfig::new("", "/")).await.unwrap_err();
    assert!(matches!(error, Error::Handshake(_)));
}

/// What comes right behind the handshake, in the same packet, is not lost.
#[tokio::test]
async fn what_comes_behind_the_handshake_is_read() {
    let (mut raw, io) = duplex(4096);
    let request = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let all = [request.as_bytes(), &wire().text("at once").close(1000, "").into_bytes()].concat();
    raw.write_all(&all).await.unwrap();
    raw.shutdown().await.unwrap();
    let mut ws = ws::accept(io, &config()).await.unwrap();
    assert_eq!(ws.next().await.unwrap(), Some("at once".into()));
    assert!(ws.next().await.unwrap().is_none());
    let mut again = WebSocket::server(duplex(10).0, &config(), &wire().text("unread").into_bytes());
    assert_eq!(again.next().await.unwrap(), Some("unread".into()));
}

#[cfg(feature = "ws-deflate")]
#[tokio::test]
async fn compression_is_agreed_on_or_required() {
    use feedrate_ws::deflate;

    let offering = || asking().deflate(deflate::Offer::default());
    let (client, server) = both(offering(), config().deflate(deflate::Config::default())).await;
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    let long = "again and ".repeat(1000);
    client.send(&long).await.unwrap();
    // What is in the pipe is less than what was sent.
    assert!(client.queued() == 0);
    let serve = async {
        let (message, mut out) = server.incoming().await.unwrap().unwrap();
        out.send(message).await.unwrap();
    };
    let (echo, ()) = tokio::join!(client.next(), serve);
    assert_eq!(echo.unwrap(), Some(long.as_str().into()));

    let (client, server) = both(offering().require_deflate(true), config()).await;
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    let (a, b) = tokio::join!(client.next(), server.next());
    assert!(a.unwrap().is_none() && b.unwrap().is_none());
    assert_eq!(server.closed().and_then(|closed| closed.code()), Some(CloseCode::EXTENSION));
}

/// RFC 6455, section 3, and RFC 3986, sections 3.1 and 3.2.
#[test]
fn urls_are_taken_apart() {
    for (url, host, address, target) in [
        ("ws://a", "a", "a:80", "/"),
        ("wss://a", "a", "a:443", "/"),
        ("ws://a/b?c", "a", "a:80", "/b?c"),
        ("ws://a?c", "a", "a:80", "/?c"),
        ("ws://a:1/", "a:1", "a:1", "/"),
        ("WS://a:/", "a:", "a:80", "/"),
        ("ws://127.0.0.1", "127.0.0.1", "127.0.0.1:80", "/"),
        ("ws://[::1]/", "[::1]", "[::1]:80", "/"),
        ("WSS://[::1]:/", "[::1]:", "[::1]:443", "/"),
        ("ws://[::1]:9001?c", "[::1]:9001", "[::1]:9001", "/?c"),
    ] {
        let config = ClientConfig::url(url).unwrap();
        assert_eq!((config.host(), config.target()), (host, target), "{url}");
        let name = if host.contains("::1") { "::1" } else { host.trim_end_matches([':', '1']) };
        assert_eq!(config.name(), if host == "127.0.0.1" { host } else { name }, "{url}");
        assert_eq!(config.address(), address, "{url}");
    }
    for wrong in [
        "",
        "example.com",
        "http://a/",
        "ws:///a",
        "ws:/a",
        "\u{e9}://a",
        "ws://a#b",
        "ws://a/b#",
        "ws://u:p@a/",
    ] {
        assert!(ClientConfig::url(wrong).is_none(), "{wrong}");
    }
}
