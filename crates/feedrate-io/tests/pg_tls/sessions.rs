//! Both of our sides, against each other.

use feedrate::Decoder;
use feedrate::pg::frontend::Query;
use feedrate::pg::{Frontend, backend};
use feedrate_io::Limits;
use feedrate_io::pg_tls::{ClientTls, EndPointError, Error, Mode, ServerTls, accept, accept_with, connect};
use feedrate_io::tokio::{Connection, Parts};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use crate::bytewise::Bytewise;
use crate::identity::{Identity, NAME, VERSIONS};
use crate::{GSSENC_REQUEST, SSL_REQUEST, bytes, client, next, server, startup};

/// A whole session: TLS, a StartupMessage that is pushed before, and much data both ways.
async fn converse<T, U>(left: T, right: U, client_tls: &ClientTls, server_tls: &ServerTls, much: usize)
where
    T: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
{
    let sql = "x".repeat(much);
    let asked = async {
        let mut pg = client(left);
        pg.push_bytes(&startup()).unwrap();
        let mut pg = connect(pg, client_tls, NAME.try_into().unwrap()).await.unwrap();
        pg.push_bytes(b"p\0\0\0\x06x\0").unwrap();
        let ok = pg.next().await.unwrap().unwrap();
        assert_eq!(ok.name(), "Authentication");
        pg.established();
        pg.send(&Query { sql: sql.as_str().into() }).await.unwrap();
        let notice = pg.next().await.unwrap().unwrap();
        assert_eq!((notice.name(), notice.raw().len()), ("CopyData", much + 5));
        pg.shutdown().await.unwrap();
        assert!(pg.next().await.unwrap().is_none());
        pg
    };
    let answered = async {
        let mut pg = accept(server(right), Some(server_tls)).await.unwrap();
        assert_eq!(next(&mut pg).await, ("StartupMessage".to_owned(), startup()));
        pg.protocol_mut().expect(feedrate::pg::frontend::Answer::Password);
        assert_eq!(next(&mut pg).await.0, "PasswordMessage");
        pg.push_bytes(b"R\0\0\0\x08\0\0\0\0").unwrap();
        pg.protocol_mut().authenticated();
        pg.established();
        assert_eq!(next(&mut pg).await.1, bytes(&Query { sql: sql.as_str().into() }));
        pg.send(&backend::CopyData { data: sql.as_bytes() }).await.unwrap();
        assert!(pg.next().await.unwrap().is_none());
        pg.shutdown().await.unwrap();
        pg
    };
    let (asked, answered) = tokio::join!(asked, answered);
    assert!(asked.io().is_tls() && answered.io().is_tls());
    assert_eq!(asked.io().session().unwrap().alpn_protocol(), Some(&b"postgresql"[..]));
    assert_eq!(answered.io().server_name(), Some(NAME));
    assert_eq!(asked.io().end_point().unwrap(), answered.io().end_point().unwrap());
}

#[tokio::test]
async fn both_ways_to_begin_work_in_both_versions_of_tls() {
    let identity = Identity::new();
    let server_tls = ServerTls::new(identity.server());
    for mode in [Mode::Prefer, Mode::Require, Mode::Direct] {
        for version in VERSIONS {
            let client_tls = ClientTls::new(identity.client_of(&[version])).mode(mode);
            let (left, right) = duplex(1 << 16);
            converse(left, right, &client_tls, &server_tls, 300_000).await;
            // One byte at a time.
            let (left, right) = duplex(1 << 16);
            converse(Bytewise(left), Bytewise(right), &client_tls, &server_tls, 3000).await;
        }
    }
}

#[tokio::test]
async fn it_works_on_real_sockets() {
    let identity = Identity::new();
    let server_tls = ServerTls::new(identity.server());
    let client_tls = ClientTls::new(identity.client());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for mode in [Mode::Require, Mode::Direct] {
        let connecting = TcpStream::connect(listener.local_addr().unwrap());
        let (left, right) = tokio::join!(connecting, listener.accept());
        let tls = client_tls.clone().mode(mode);
        converse(left.unwrap(), right.unwrap().0, &tls, &server_tls, 900_000).await;
        let (left, right) = UnixStream::pair().unwrap();
        converse(left, right, &tls, &server_tls, 900_000).await;
    }
}

/// What a session has agreed on is told, and what it is bound to; of Ed25519 that there is nothing.
#[tokio::test]
async fn both_sides_are_bound_to_the_same_certificate() {
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519] {
        let identity = Identity::signed_with(algorithm);
        let (client_tls, server_tls) = (ClientTls::new(identity.client()), ServerTls::new(identity.server()));
        // The second session may be a resumption of the first.
        for _ in 0..2 {
            let (left, right) = duplex(1 << 16);
            let connecting = connect(client(left), &client_tls, NAME.try_into().unwrap());
            let (asked, answered) = tokio::join!(connecting, accept(server(right), Some(&server_tls)));
            let (mut asked, mut answered) = (asked.unwrap(), answered.unwrap());
            let expected = feedrate_io::pg_tls::EndPoint::of(identity.certificate());
            assert_eq!(expected.is_err(), algorithm == &rcgen::PKCS_ED25519);
            if let Err(error) = &expected {
                assert_eq!(error, &EndPointError::NoHash("Ed25519"));
            }
            assert_eq!((asked.io().end_point(), answered.io().end_point()), (expected, expected));
            // Tickets of TLS 1.3 come with the first message.
            answered.push_bytes(b"R\0\0\0\x08\0\0\0\0").unwrap();
            answered.shutdown().await.unwrap();
            asked.next().await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn who_prefers_goes_on_in_clear_and_who_insists_does_not() {
    let identity = Identity::new();
    for (mode, goes_on) in [(Mode::Prefer, true), (Mode::Require, false)] {
        let (left, right) = duplex(1 << 16);
        let tls = ClientTls::new(identity.client()).mode(mode);
        let asked = async {
            let mut pg = client(left);
            pg.push_bytes(&startup()).unwrap();
            let mut pg = connect(pg, &tls, NAME.try_into().unwrap()).await?;
            assert!(!pg.io().is_tls() && pg.io().session().is_none());
            assert_eq!(pg.io().end_point(), Err(EndPointError::Clear));
            pg.shutdown().await?;
            Ok::<_, Error>(())
        };
        let answered = async {
            let mut pg = accept(server(right), None).await.unwrap();
            pg.next().await.unwrap().map(|frame| frame.raw().to_vec())
        };
        let (asked, answered) = tokio::join!(asked, answered);
        assert_eq!(answered, goes_on.then(startup));
        assert_eq!(matches!(asked, Err(Error::Refused)), !goes_on);
    }
}

/// What is not about encryption is untouched, however it comes.
#[tokio::test]
async fn what_begins_in_clear_is_handed_on() {
    let identity = Identity::new();
    let tls = ServerTls::new(identity.server());
    let cancel = b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x07\0\0\0\x09".to_vec();
    for (name, packet) in [("StartupMessage", startup()), ("CancelRequest", cancel)] {
        for tls in [None, Some(&tls)] {
            for size in [1, 3, 1000] {
                let (mut raw, io) = duplex(size);
                let write = raw.write_all(&packet);
                let read = async {
                    let mut pg = accept(server(io), tls).await.unwrap();
                    assert!(!pg.io().is_tls());
                    assert_eq!(next(&mut pg).await, (name.to_owned(), packet.clone()));
                };
                tokio::join!(write, read).0.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn requests_come_in_any_order_and_in_clear_a_startup_may_follow_at_once() {
    for (requests, answers) in [
        ([SSL_REQUEST, GSSENC_REQUEST], "NN"),
        ([GSSENC_REQUEST, SSL_REQUEST], "NN"),
        ([GSSENC_REQUEST, b""], "N"),
    ] {
        let (mut raw, io) = duplex(1000);
        raw.write_all(&[&requests.concat()[..], &startup()].concat()).await.unwrap();
        let mut pg = accept(server(io), None).await.unwrap();
        assert_eq!(next(&mut pg).await.1, startup());
        drop(pg);
        let mut answered = String::new();
        raw.read_to_string(&mut answered).await.unwrap();
        assert_eq!(answered, answers);
    }
}

/// libpq asks for GSSAPI first where it has a ticket.
#[tokio::test]
async fn tls_follows_a_request_for_gssapi() {
    let identity = Identity::new();
    let (mut raw, io) = duplex(1 << 16);
    let tls = ServerTls::new(identity.server());
    let asked = async {
        raw.write_all(GSSENC_REQUEST).await.unwrap();
        assert_eq!(raw.read_u8().await.unwrap(), b'N');
        connect(client(raw), &ClientTls::new(identity.client()), NAME.try_into().unwrap()).await
    };
    let (asked, answered) = tokio::join!(asked, accept(server(io), Some(&tls)));
    assert!(asked.unwrap().io().is_tls() && answered.unwrap().io().is_tls());
}

/// What has been read elsewhere counts: a request, and the beginning of a ClientHello.
#[tokio::test]
async fn what_has_been_read_before_is_not_lost() {
    let identity = Identity::new();
    let tls = ServerTls::new(identity.server());
    for (mode, most) in [(Mode::Require, 8), (Mode::Require, 5), (Mode::Direct, 1), (Mode::Direct, 100_000)] {
        let (left, mut right) = duplex(1 << 16);
        let client_tls = ClientTls::new(identity.client()).mode(mode);
        let answered = async {
            let mut unread = vec![0; most];
            let n = right.read(&mut unread).await.unwrap();
            unread.truncate(n);
            let mut parts = Parts::new(right, Decoder::new(Frontend::new(), feedrate::Grow::new(1000)));
            parts.unread = unread;
            accept(Connection::from_parts(parts, Limits::new()), Some(&tls)).await
        };
        let (asked, answered) =
            tokio::join!(connect(client(left), &client_tls, NAME.try_into().unwrap()), answered);
        assert!(asked.unwrap().io().is_tls() && answered.unwrap().io().is_tls());
    }
}

/// A request of which the decoder has a part, as `next` was dropped, is one.
#[tokio::test]
async fn what_the_decoder_has_taken_is_not_lost() {
    for n in 1..SSL_REQUEST.len() {
        let (mut raw, io) = duplex(1000);
        raw.write_all(&SSL_REQUEST[..n]).await.unwrap();
        let mut pg = server(io);
        assert!(tokio::time::timeout(std::time::Duration::from_millis(1), pg.next()).await.is_err());
        raw.write_all(&[&SSL_REQUEST[n..], &startup()].concat()).await.unwrap();
        let mut pg = accept(pg, None).await.unwrap();
        assert_eq!(next(&mut pg).await.1, startup());
        assert_eq!(raw.read_u8().await.unwrap(), b'N');
    }
}

/// A client that leaves is no error of the beginning: the connection tells.
#[tokio::test]
async fn who_leaves_before_a_startup_is_gone() {
    for (sent, truncated) in [(&b""[..], false), (&SSL_REQUEST[..3], true), (SSL_REQUEST, false)] {
        let (mut raw, io) = duplex(1000);
        raw.write_all(sent).await.unwrap();
        raw.shutdown().await.unwrap();
        let mut pg = accept(server(io), None).await.unwrap();
        assert_eq!(pg.next().await.is_err(), truncated);
    }
}

/// What is asked is told with its answer, also where it is refused.
#[tokio::test]
async fn requests_are_told_with_their_answers() {
    let identity = Identity::new();
    let tls = ServerTls::new(identity.server());
    for (sent, tls, expected) in [
        (&[SSL_REQUEST, GSSENC_REQUEST][..], None, &[("SSLRequest", "N"), ("GSSENCRequest", "N")][..]),
        (&[GSSENC_REQUEST, SSL_REQUEST], Some(&tls), &[("GSSENCRequest", "N"), ("SSLRequest", "S")]),
        (&[b"\x16\x03\x01"], Some(&tls), &[("DirectTls", "S")]),
        (&[b"\x16\x03\x01"], None, &[("DirectTls", "N")]),
        (&[&startup()], None, &[]),
    ] {
        let (mut raw, io) = duplex(1 << 10);
        let mut told = Vec::new();
        let asked = |request: &feedrate::pg::frontend::Message<'_>, response| {
            told.push((request.name(), String::from_utf8(bytes(&response)).unwrap()));
        };
        let client = async move {
            for (at, request) in sent.iter().enumerate() {
                raw.write_all(request).await.unwrap();
                if expected.get(at).is_some_and(|(name, _)| *name != "DirectTls") {
                    raw.read_exact(&mut [0]).await.unwrap();
                }
            }
        };
        // The client leaves, and TLS does not come about.
        let _ = tokio::join!(accept_with(server(io), tls, asked), client);
        let told: Vec<_> = told.iter().map(|(name, response)| (*name, response.as_str())).collect();
        assert_eq!(told, expected);
    }
}
