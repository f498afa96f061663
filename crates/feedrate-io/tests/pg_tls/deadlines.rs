//! One deadline for everything until the login is over, on a clock that is paused.

use std::time::Duration;

use feedrate_io::pg_tls::{ClientTls, Error, Mode, ServerTls, accept, connect};
use feedrate_io::{Late, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::{Instant, sleep};

use crate::identity::{Identity, NAME};
use crate::{SSL_REQUEST, client, server};

const SECOND: Duration = Duration::from_secs(1);
const LATE: Late = Late::Handshake(Duration::from_secs(10));

fn is_late(error: &Error) -> bool {
    matches!(error, Error::Connection(feedrate_io::Error::Late(LATE)))
}

#[tokio::test(start_paused = true)]
async fn a_client_that_trickles_is_cut_off() {
    let tls = ServerTls::new(Identity::new().server());
    // Within its request; after it; within a ClientHello; in direct TLS.
    let hello = b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03";
    for stream in [SSL_REQUEST, &[SSL_REQUEST, hello].concat(), hello, b"\0\0\0\x08", b""] {
        let (mut raw, io) = duplex(1000);
        let begun = Instant::now();
        let trickle = async {
            for byte in stream {
                raw.write_all(&[*byte]).await.unwrap();
                sleep(SECOND * 7 / 8).await;
            }
            std::future::pending::<()>().await;
        };
        let accept = async { accept(server(io), Some(&tls)).await.unwrap_err() };
        let error = tokio::select! { error = accept => error, () = trickle => unreachable!() };
        assert!(is_late(&error), "{error:?}");
        assert_eq!(begun.elapsed().as_secs(), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_trickles_is_cut_off() {
    let tls = ClientTls::new(Identity::new().client());
    for (mode, stream) in [
        (Mode::Require, &b""[..]),
        (Mode::Prefer, b"Esomething that takes its time"),
        (Mode::Require, b"S\x16\x03\x03\0\x7a\x02\0\0\x76\x03\x03"),
        (Mode::Direct, b""),
        (Mode::Direct, b"\x16\x03\x03\0\x7a\x02\0\0\x76\x03\x03"),
    ] {
        let (io, mut raw) = duplex(1000);
        let tls = tls.clone().mode(mode);
        let begun = Instant::now();
        let trickle = async {
            for byte in stream {
                raw.write_all(&[*byte]).await.unwrap();
                sleep(SECOND).await;
            }
            std::future::pending::<()>().await;
        };
        let connect = async { connect(client(io), &tls, NAME.try_into().unwrap()).await.unwrap_err() };
        let error = tokio::select! { error = connect => error, () = trickle => unreachable!() };
        assert!(is_late(&error), "{error:?}");
        assert_eq!(begun.elapsed().as_secs(), 10);
    }
}

/// Nor does a peer help itself by taking nothing.
#[tokio::test(start_paused = true)]
async fn a_server_that_reads_nothing_is_cut_off() {
    let tls = ClientTls::new(Identity::new().client());
    for mode in [Mode::Require, Mode::Direct] {
        let (io, _raw) = duplex(3);
        let begun = Instant::now();
        let error = connect(client(io), &tls.clone().mode(mode), NAME.try_into().unwrap()).await.unwrap_err();
        assert!(is_late(&error), "{error:?}");
        assert_eq!(begun.elapsed().as_secs(), 10);
    }
}

/// The login has what TLS has left of the time.
#[tokio::test(start_paused = true)]
async fn tls_and_login_have_one_deadline() {
    let identity = Identity::new();
    let (client_tls, server_tls) = (ClientTls::new(identity.client()), ServerTls::new(identity.server()));
    let (left, mut raw) = duplex(1 << 16);
    let (mut through, right) = duplex(1 << 16);
    let begun = Instant::now();
    // What is between them takes a while for the first byte.
    let between = async {
        sleep(SECOND * 6).await;
        tokio::io::copy_bidirectional(&mut raw, &mut through).await
    };
    let (pg, other) = (client(left), server(right));
    let sides = async {
        let (asked, answered) = tokio::join!(
            connect(pg, &client_tls, NAME.try_into().unwrap()),
            accept(other, Some(&server_tls))
        );
        let (mut asked, mut answered) = (asked.unwrap(), answered.unwrap());
        let (asked, answered) = tokio::join!(async { asked.next().await.map(|_| ()).unwrap_err() }, async {
            answered.next().await.map(|_| ()).unwrap_err()
        });
        assert!(matches!(asked, feedrate_io::Error::Late(LATE)), "{asked:?}");
        assert!(matches!(answered, feedrate_io::Error::Late(LATE)), "{answered:?}");
    };
    tokio::select! { () = sides => {}, _ = between => unreachable!() }
    assert_eq!(begun.elapsed().as_secs(), 10);
}

/// A long time to log in is not cut short by the limit of a message, which TLS's records are not.
#[tokio::test(start_paused = true)]
async fn without_a_limit_of_its_own_a_request_is_a_message() {
    let limits = Limits::new().handshake(None).message(SECOND * 5).rate(0);
    let pg = |io| {
        feedrate_io::tokio::Connection::new(
            io,
            feedrate::pg::Frontend::new(),
            feedrate::Grow::new(1000),
            limits,
        )
    };
    let (mut raw, io) = duplex(1000);
    raw.write_all(&SSL_REQUEST[..3]).await.unwrap();
    let error = accept(pg(io), None).await.unwrap_err();
    let late = Late::Message(SECOND * 5);
    assert!(
        matches!(&error, Error::Connection(feedrate_io::Error::Late(found)) if *found == late),
        "{error:?}"
    );

    let identity = Identity::new();
    let tls = ServerTls::new(identity.server());
    let (mut raw, io) = duplex(1 << 16);
    let asked = async {
        raw.write_all(&SSL_REQUEST[..3]).await.unwrap();
        sleep(SECOND * 4).await;
        raw.write_all(&SSL_REQUEST[3..]).await.unwrap();
        assert_eq!(raw.read_u8().await.unwrap(), b'S');
        sleep(SECOND * 30).await;
        let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(identity.client()));
        connector.connect(NAME.try_into().unwrap(), raw).await.unwrap()
    };
    tokio::join!(asked, async { accept(pg(io), Some(&tls)).await.unwrap() });
}
