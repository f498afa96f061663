//! What a client, or somebody between, may send to a server.

use std::sync::Arc;

use feedrate_io::pg_tls::rustls::{self, AlertDescription};
use feedrate_io::pg_tls::{ClientTls, Error, Mode, ServerTls, accept, connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio_rustls::TlsConnector;

use crate::identity::{Identity, NAME};
use crate::{GSSENC_REQUEST, SSL_REQUEST, client, server, startup};

/// The error, and whatever the server wrote.
async fn attack(segments: &[&[u8]], tls: Option<&ServerTls>) -> (Error, Vec<u8>) {
    let (mut raw, io) = duplex(1 << 16);
    let write = async {
        for segment in segments {
            raw.write_all(segment).await.unwrap();
            tokio::task::yield_now().await;
        }
        raw.shutdown().await.unwrap();
        let mut written = Vec::new();
        raw.read_to_end(&mut written).await.unwrap();
        written
    };
    let read = async { accept(server(io), tls).await.unwrap_err() };
    let (written, error) = tokio::join!(write, read);
    (error, written)
}

fn is_protocol(error: &Error, text: &str) -> bool {
    matches!(error, Error::Connection(feedrate_io::Error::Protocol(_))) && error.to_string().contains(text)
}

/// CVE-2021-23214: nothing is agreed to.
#[tokio::test]
async fn bytes_in_clear_in_the_segment_of_a_request_are_refused() {
    let tls = ServerTls::new(Identity::new().server());
    for behind in [&startup()[..], b"x", b"\x16\x03\x01", SSL_REQUEST] {
        for segments in [
            &[&[SSL_REQUEST, behind].concat()[..]][..],
            &[&SSL_REQUEST[..5], &[&SSL_REQUEST[5..], behind].concat()],
        ] {
            let (error, written) = attack(segments, Some(&tls)).await;
            assert!(is_protocol(&error, "unencrypted bytes after the request for encryption"), "{error}");
            assert_eq!(written, b"");
        }
    }
}

/// They are for TLS then, and are none.
#[tokio::test]
async fn bytes_in_clear_after_the_consent_are_refused() {
    let tls = ServerTls::new(Identity::new().server());
    let (mut raw, io) = duplex(1 << 16);
    let attack = async {
        raw.write_all(SSL_REQUEST).await.unwrap();
        assert_eq!(raw.read_u8().await.unwrap(), b'S');
        raw.write_all(&startup()).await.unwrap();
        let mut alert = Vec::new();
        raw.read_to_end(&mut alert).await.unwrap();
        // An alert, and nothing else.
        assert_eq!((alert[0], alert.len()), (0x15, 7));
    };
    let (error, ()) = tokio::join!(async { accept(server(io), Some(&tls)).await.unwrap_err() }, attack);
    assert!(matches!(error, Error::Tls(rustls::Error::InvalidMessage(_))), "{error:?}");
}

#[tokio::test]
async fn a_second_request_of_its_kind_is_refused() {
    for requests in [
        [SSL_REQUEST, SSL_REQUEST, b""],
        [GSSENC_REQUEST, GSSENC_REQUEST, b""],
        [SSL_REQUEST, GSSENC_REQUEST, SSL_REQUEST],
        [GSSENC_REQUEST, SSL_REQUEST, GSSENC_REQUEST],
    ] {
        let (error, written) = attack(&requests, None).await;
        assert!(is_protocol(&error, "the second request of its kind"), "{error}");
        assert!(written.iter().all(|byte| *byte == b'N') && written.len() < 3);
    }
}

/// Nor direct TLS behind a request that was declined.
#[tokio::test]
async fn tls_behind_a_request_that_was_declined_is_refused() {
    let (error, written) = attack(&[SSL_REQUEST, b"\x16\x03\x01\0\x10"], None).await;
    assert!(matches!(error, Error::Connection(feedrate_io::Error::Protocol(_))), "{error:?}");
    assert_eq!(written, b"N");
}

#[tokio::test]
async fn a_request_within_tls_is_refused() {
    let identity = Identity::new();
    let tls = ServerTls::new(identity.server());
    for (mode, request) in
        [(Mode::Require, SSL_REQUEST), (Mode::Direct, SSL_REQUEST), (Mode::Require, GSSENC_REQUEST)]
    {
        let (left, right) = duplex(1 << 16);
        let client_tls = ClientTls::new(identity.client()).mode(mode);
        let (asked, answered) = tokio::join!(
            connect(client(left), &client_tls, NAME.try_into().unwrap()),
            accept(server(right), Some(&tls))
        );
        let (mut asked, mut answered) = (asked.unwrap(), answered.unwrap());
        asked.push_bytes(request).unwrap();
        asked.flush().await.unwrap();
        let error = answered.next().await.unwrap_err();
        assert!(error.to_string().contains("the second request of its kind"), "{error}");
    }
}

#[tokio::test]
async fn direct_tls_where_there_is_none_is_refused() {
    let (error, written) = attack(&[b"\x16\x03\x01\0\x10"], None).await;
    assert!(matches!(error, Error::NotOffered), "{error:?}");
    assert_eq!(written, b"");
}

/// A client of another protocol, which somebody has led here: ALPACA.
#[tokio::test]
async fn direct_tls_has_to_be_for_postgresql() {
    let identity = Identity::new();
    let tls = ServerTls::new(identity.server());
    for (alpn, is_ours) in [(None, false), (Some("http/1.1"), false), (Some("postgresql"), true)] {
        let mut config = identity.client();
        config.alpn_protocols = alpn.into_iter().map(|alpn| alpn.into()).collect();
        let (left, right) = duplex(1 << 16);
        let connector = TlsConnector::from(Arc::new(config));
        let (connected, accepted) = tokio::join!(
            connector.connect(NAME.try_into().unwrap(), left),
            accept(server(right), Some(&tls))
        );
        match accepted {
            Ok(_) => assert!(is_ours),
            Err(Error::NoAlpn) => assert_eq!(alpn, None),
            Err(error) => {
                assert!(matches!(error, Error::Tls(rustls::Error::NoApplicationProtocol)), "{error:?}");
                let alert = connected.unwrap_err().downcast::<rustls::Error>().unwrap();
                assert_eq!(alert, rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol));
            }
        }
    }
}

/// Clients older than PostgreSQL 17 say nothing of a protocol, and have asked for TLS.
#[tokio::test]
async fn who_has_asked_for_tls_need_not_say_what_for() {
    let identity = Identity::new();
    let tls = ServerTls::new(identity.server());
    let (mut raw, io) = duplex(1 << 16);
    let asked = async {
        raw.write_all(SSL_REQUEST).await.unwrap();
        assert_eq!(raw.read_u8().await.unwrap(), b'S');
        TlsConnector::from(Arc::new(identity.client())).connect(NAME.try_into().unwrap(), raw).await
    };
    let (asked, answered) = tokio::join!(asked, accept(server(io), Some(&tls)));
    asked.unwrap();
    assert!(answered.unwrap().io().is_tls());
}

/// The decoder says what is wrong with it.
#[tokio::test]
async fn anything_else_is_handed_on_and_refused_there() {
    let tls = ServerTls::new(Identity::new().server());
    let longer = [&SSL_REQUEST[..3], b"\x09", &SSL_REQUEST[4..], b"x"].concat();
    for junk in [&b"GET / HTTP/1.1\r\n"[..], b"\x15\x03\x01\0\x02\x02\x28", &longer] {
        let (mut raw, io) = duplex(1000);
        raw.write_all(junk).await.unwrap();
        raw.shutdown().await.unwrap();
        let mut pg = accept(server(io), Some(&tls)).await.unwrap();
        let refused = match pg.next().await {
            Ok(frame) => frame.unwrap().message().is_err(),
            Err(_) => true,
        };
        assert!(refused, "{junk:?}");
        drop(pg);
        assert_eq!(raw.read(&mut [0; 9]).await.unwrap(), 0);
    }
}
