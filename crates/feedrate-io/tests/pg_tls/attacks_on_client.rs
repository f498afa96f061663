//! What a server, or somebody between, may send to a client.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use feedrate_io::Limits;
use feedrate_io::pg_tls::rustls::{self, CertificateError};
use feedrate_io::pg_tls::{ClientTls, Error, Mode, ServerTls, accept, connect};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio_rustls::TlsAcceptor;

use crate::identity::{Identity, NAME};
use crate::{SSL_REQUEST, client, server, startup};

/// Answers a client's request with these segments, and returns its error and what it sent behind its request.
async fn answer(segments: &[&[u8]], mode: Mode) -> (Error, Vec<u8>) {
    let (io, mut raw) = duplex(1 << 16);
    let tls = ClientTls::new(Identity::new().client()).mode(mode);
    let asked = async {
        let mut pg = client(io);
        // It must not be seen in clear.
        pg.push_bytes(&startup()).unwrap();
        connect(pg, &tls, NAME.try_into().unwrap()).await.unwrap_err()
    };
    let answered = async {
        let mut request = [0; 8];
        raw.read_exact(&mut request).await.unwrap();
        assert_eq!(request, SSL_REQUEST);
        for segment in segments {
            let _ = raw.write_all(segment).await;
            tokio::task::yield_now().await;
        }
        let _ = raw.shutdown().await;
        let mut sent = Vec::new();
        let _ = raw.read_to_end(&mut sent).await;
        sent
    };
    tokio::join!(asked, answered)
}

const OK: &[u8] = b"R\0\0\0\x08\0\0\0\0";

/// CVE-2021-23222.
#[tokio::test]
async fn bytes_in_clear_behind_a_consent_are_refused() {
    for segments in [&[&[b"S", OK].concat()[..]][..], &[b"S", OK]] {
        for mode in [Mode::Prefer, Mode::Require] {
            let (error, sent) = answer(segments, mode).await;
            assert!(matches!(error, Error::Tls(rustls::Error::InvalidMessage(_))), "{error:?}");
            // A ClientHello, and no password.
            assert_eq!(sent[0], 0x16);
            assert!(!sent.windows(5).any(|window| window == b"alice"));
        }
    }
}

/// Not a byte of what follows the answer is read before it is known what it is.
#[tokio::test]
async fn one_byte_is_read_for_the_answer() {
    struct First(DuplexStream, Vec<usize>);
    impl AsyncRead for First {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<std::io::Result<()>> {
            let room = buffer.remaining();
            self.1.push(room);
            Pin::new(&mut self.0).poll_read(cx, buffer)
        }
    }
    impl AsyncWrite for First {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            b: &[u8],
        ) -> Poll<std::io::Result<usize>> {
            Pin::new(&mut self.0).poll_write(cx, b)
        }
        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }
        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }
    let (io, mut raw) = duplex(1 << 16);
    raw.write_all(&[b"N", OK].concat()).await.unwrap();
    let tls = ClientTls::new(Identity::new().client()).mode(Mode::Prefer);
    let mut pg = connect(client(First(io, Vec::new())), &tls, NAME.try_into().unwrap()).await.unwrap();
    assert_eq!(pg.io().get_ref().1, [1]);
    assert_eq!(pg.next().await.unwrap().unwrap().name(), "Authentication");
}

/// CVE-2024-10977: the words are in no error's text.
#[tokio::test]
async fn an_error_in_place_of_the_answer_is_not_shown() {
    let message = b"E\0\0\0\x16Mgo to evil.example\0\0";
    let mut message = message.to_vec();
    message[4] = (message.len() - 1) as u8;
    for said in [&message[..], b"Ego to evil.example\n\0"] {
        for cut in [1, 3, said.len()] {
            for mode in [Mode::Prefer, Mode::Require] {
                let (error, sent) = answer(&[&said[..cut], &said[cut..]], mode).await;
                assert_eq!(sent, b"");
                let texts = [error.to_string(), format!("{error:?}")];
                assert!(!texts.iter().any(|text| text.contains("evil")), "{texts:?}");
                let Error::Failed(untrusted) = error else { panic!("{error:?}") };
                assert_eq!(untrusted.as_bytes(), said);
            }
        }
    }
    // One without an end is not read for ever.
    let (error, _) = answer(&[b"E", &[b'x'; 60_000]], Mode::Require).await;
    assert!(matches!(error, Error::Connection(feedrate_io::Error::Protocol(_))), "{error:?}");
    assert!(!error.to_string().contains("xx"), "{error}");
}

#[tokio::test]
async fn no_other_answer_is_an_answer() {
    for junk in [&b"G"[..], b"H", b"HTTP/1.1 400 Bad Request\r\n", b"\x15\x03\x01\0\x02\x02\x28", b"\0", OK] {
        for mode in [Mode::Prefer, Mode::Require] {
            let (error, sent) = answer(&[junk], mode).await;
            assert!(
                matches!(error, Error::Connection(feedrate_io::Error::Protocol(_))),
                "{junk:?}: {error:?}"
            );
            assert_eq!(sent, b"");
        }
    }
    let (error, _) = answer(&[], Mode::Prefer).await;
    assert!(matches!(error, Error::Closed), "{error:?}");
    let (error, sent) = answer(&[b"N", OK], Mode::Require).await;
    assert!(matches!(error, Error::Refused), "{error:?}");
    assert_eq!(sent, b"");
}

#[tokio::test]
async fn bytes_that_come_before_the_request_are_refused() {
    let (io, mut raw) = duplex(1000);
    raw.write_all(b"R").await.unwrap();
    let mut pg = client(io);
    // Half a message is read, and nothing comes of it.
    assert!(tokio::time::timeout(std::time::Duration::from_millis(10), pg.next()).await.is_err());
    let tls = ClientTls::new(Identity::new().client());
    let error = connect(pg, &tls, NAME.try_into().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::Begun), "{error:?}");
    assert_eq!(raw.read(&mut [0; 9]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_server_of_another_name_or_unknown_is_refused() {
    let (identity, other) = (Identity::new(), Identity::new());
    let tls = ServerTls::new(identity.server());
    for mode in [Mode::Require, Mode::Direct] {
        for (config, name) in [(identity.client(), "evil.example"), (other.client(), NAME)] {
            let (left, right) = duplex(1 << 16);
            let client_tls = ClientTls::new(config).mode(mode);
            let (asked, answered) = tokio::join!(
                connect(client(left), &client_tls, name.try_into().unwrap()),
                accept(server(right), Some(&tls))
            );
            let error = asked.unwrap_err();
            let Error::Tls(rustls::Error::InvalidCertificate(found)) = &error else { panic!("{error:?}") };
            assert_eq!(matches!(found, CertificateError::NotValidForNameContext { .. }), name != NAME);
            assert!(matches!(answered, Err(Error::Tls(rustls::Error::AlertReceived(_)))), "{answered:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_for_postgresql_is_refused() {
    let identity = Identity::new();
    let tls = ClientTls::new(identity.client());
    for (mode, refused) in [(Mode::Direct, true), (Mode::Require, false)] {
        let (io, mut raw) = duplex(1 << 16);
        let answered = async {
            if mode == Mode::Require {
                raw.read_exact(&mut [0; 8]).await.unwrap();
                raw.write_all(b"S").await.unwrap();
            }
            TlsAcceptor::from(Arc::new(identity.server())).accept(raw).await
        };
        let tls = tls.clone().mode(mode);
        let (asked, _) = tokio::join!(connect(client(io), &tls, NAME.try_into().unwrap()), answered);
        assert_eq!(matches!(asked, Err(Error::NoAlpn)), refused);
    }
}

/// A server of PostgreSQL 16 takes a ClientHello for a packet of a strange length, and closes.
#[tokio::test]
async fn direct_tls_with_an_old_server_ends() {
    let (io, mut raw) = duplex(1 << 16);
    let old = async {
        raw.read_exact(&mut [0; 4]).await.unwrap();
        drop(raw);
    };
    let tls = ClientTls::new(Identity::new().client()).mode(Mode::Direct);
    let pg = feedrate_io::tokio::Connection::new(
        io,
        feedrate::pg::Backend::new(),
        feedrate::Grow::new(1000),
        Limits::new().handshake(None),
    );
    let (asked, ()) = tokio::join!(connect(pg, &tls, NAME.try_into().unwrap()), old);
    assert!(matches!(asked, Err(Error::Connection(feedrate_io::Error::Io(_)))), "{asked:?}");
}
