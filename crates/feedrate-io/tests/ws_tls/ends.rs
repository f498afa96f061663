//! Ends of TLS: said, or cut.

use std::sync::Arc;

use feedrate_io::ws::tls::{self, ClientTls, ServerTls};
use feedrate_io::ws::{CloseCode, Error};
use feedrate_testkit::ws::wire::Wire;
use feedrate_ws::{Role, Truncated};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::identity::Identity;
use crate::{Ws, config, listen};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A client's bytes over TLS, and a server.
async fn raw_client() -> (client::TlsStream<TcpStream>, Result<Ws, Error>) {
    raw_client_that_says(REQUEST, false).await
}

async fn raw_client_that_says(
    request: &[u8],
    leaves: bool,
) -> (client::TlsStream<TcpStream>, Result<Ws, Error>) {
    let identity = Identity::new();
    let server_tls = ServerTls::new(identity.server());
    let (listener, url) = listen("localhost", "wss").await;
    let ask = async {
        let socket = TcpStream::connect(url.address()).await.unwrap();
        let name = url.name().to_owned().try_into().unwrap();
        let mut raw = TlsConnector::from(Arc::new(identity.client())).connect(name, socket).await.unwrap();
        raw.write_all(request).await.unwrap();
        raw.flush().await.unwrap();
        if leaves {
            // TCP's end alone.
            raw.get_mut().0.shutdown().await.unwrap();
        }
        raw
    };
    let serving = config();
    let serve = async { tls::accept(listener.accept().await.unwrap().0, &serving, Some(&server_tls)).await };
    let (mut raw, ws) = tokio::join!(ask, serve);
    if ws.is_ok() {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(raw.read_u8().await.unwrap());
        }
    }
    (raw, ws)
}

/// A server that says this, and cuts the connection.
async fn server_that_says(answer: &[u8]) -> Result<Ws, Error> {
    let identity = Identity::new();
    let (listener, url) = listen("localhost", "wss").await;
    let serve = async {
        let acceptor = TlsAcceptor::from(Arc::new(identity.server()));
        let mut raw: server::TlsStream<_> =
            acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(raw.read_u8().await.unwrap());
        }
        raw.write_all(answer).await.unwrap();
        raw.flush().await.unwrap();
    };
    let client_tls = ClientTls::new(identity.client());
    tokio::join!(tls::connect(&url, &client_tls), serve).0
}

fn wire() -> Wire {
    Wire::new(Role::Client)
}

/// What came is read, what waits is written, and the error says that a message may be lost: however TLS ended.
#[tokio::test]
async fn an_end_without_goodbye_is_truncated() {
    for (more, inside) in [("", false), ("half", true)] {
        for says_so in [true, false] {
            let (mut raw, ws) = raw_client().await;
            let mut ws = ws.unwrap();
            let mut sent = wire().text("hello");
            if inside {
                sent = sent.frame(1, more);
            }
            raw.write_all(&sent.into_bytes()).await.unwrap();
            raw.flush().await.unwrap();
            if says_so {
                raw.shutdown().await.unwrap();
            } else {
                raw.get_mut().0.shutdown().await.unwrap();
            }
            let (message, mut out) = ws.incoming().await.unwrap().unwrap();
            out.push(message).unwrap();
            let error = ws.next().await.unwrap_err();
            assert!(
                matches!(error, Error::Truncated(Truncated { inside: its }) if its == inside),
                "{error:?}"
            );
            let mut answer = [0; 7];
            raw.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"\x81\x05hello");
        }
    }
}

#[tokio::test]
async fn behind_a_goodbye_every_end_will_do() {
    for says_so in [true, false] {
        let (mut raw, ws) = raw_client().await;
        let mut ws = ws.unwrap();
        raw.write_all(&wire().close(1000, "").into_bytes()).await.unwrap();
        raw.flush().await.unwrap();
        if says_so {
            raw.shutdown().await.unwrap();
        } else {
            raw.get_mut().0.shutdown().await.unwrap();
        }
        assert!(ws.next().await.unwrap().is_none());
        assert_eq!(ws.closed().unwrap().code(), Some(CloseCode::NORMAL));
        // Ours is said: the close frame, and the end of TLS.
        drop(ws);
        let mut answer = Vec::new();
        raw.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"\x88\x02\x03\xe8");
    }
}

#[tokio::test]
async fn a_handshake_that_is_cut() {
    for (request, inside) in [(&b""[..], false), (&b"GET / HT"[..], true)] {
        let (_, ws) = raw_client_that_says(request, true).await;
        let error = ws.unwrap_err();
        assert!(matches!(error, Error::NoRequest { inside: its } if its == inside), "{error:?}");
    }
    for (answer, inside) in [(&b""[..], false), (&b"HTTP/1.1 101"[..], true)] {
        let error = server_that_says(answer).await.unwrap_err();
        assert!(matches!(error, Error::NoAnswer { inside: its } if its == inside), "{error:?}");
    }
}
