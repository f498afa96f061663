//! Servers that want what they must not get, or are not the server.

use std::time::Duration;

use feedrate::pg::backend::Authentication;
use feedrate::pg::{List, Secret};
use feedrate_io::pg::{ConnectError, Connector, Why};
use feedrate_io::pg_tls::Roots;
use feedrate_pg::auth::AuthError;
use feedrate_pg::client::LoginError;
use feedrate_pg::conninfo::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::rustls::crypto::ring;

use crate::{Wire, bytes, error, welcome};

/// What a server does with each connection: it writes a part whenever something has come.
async fn serve(parts: Vec<Vec<u8>>) -> (u16, tokio::task::JoinHandle<Vec<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        for part in parts {
            let mut buffer = vec![0; 4096];
            let n = socket.read(&mut buffer).await.unwrap_or(0);
            if n == 0 {
                break;
            }
            heard.push(buffer[..n].to_vec());
            socket.write_all(&part).await.unwrap();
        }
        let mut rest = Vec::new();
        let _ = socket.read_to_end(&mut rest).await;
        heard.push(rest);
        heard
    });
    (port, served)
}

/// Connects with these settings. Returns why not, and what the server heard.
async fn attack(settings: &str, parts: Vec<Vec<u8>>) -> (Result<(), Why>, Vec<Vec<u8>>) {
    let (port, served) = serve(parts).await;
    let mut all = Settings::new(Vec::new());
    all.parse(format!("host=127.0.0.1 port={port} user=alice password=secret {settings}")).unwrap();
    let connector = Connector::new(all).roots(Roots::new(ring::default_provider()));
    let connected =
        tokio::time::timeout(Duration::from_secs(20), connector.connect()).await.expect("in time");
    let why = match connected {
        Ok(pg) => {
            let _ = pg.close().await;
            Ok(())
        }
        Err(ConnectError::NoServer(mut tried)) => Err(tried.pop().expect("an attempt").why),
        Err(error) => panic!("{error}"),
    };
    // It may not even have been connected to.
    let heard = tokio::time::timeout(Duration::from_secs(1), served).await;
    (why, heard.map_or(vec![Vec::new()], |heard| heard.expect("it serves")))
}

/// Asks for SCRAM, without channel binding.
fn sasl() -> Vec<u8> {
    Authentication::Sasl { mechanisms: List::from(&["SCRAM-SHA-256".into()]) }.wire()
}

fn has_password(heard: &[Vec<u8>]) -> bool {
    heard.iter().any(|bytes| bytes.windows(6).any(|bytes| bytes == b"secret"))
}

#[tokio::test]
async fn a_password_in_clear_that_may_not_be() {
    let ask = || vec![Authentication::CleartextPassword.wire(), welcome()];
    let (why, heard) = attack("sslmode=disable", ask()).await;
    assert!(why.is_ok() && has_password(&heard), "{why:?}");
    for settings in ["require_auth=scram-sha-256", "require_auth=!password", "channel_binding=require"] {
        let (why, heard) = attack(&format!("sslmode=disable {settings}"), ask()).await;
        assert!(matches!(why, Err(Why::Login(LoginError::Auth(_)))), "{settings}: {why:?}");
        assert!(!has_password(&heard), "{settings}");
    }
}

/// A server that lets in without a proof of its own.
#[tokio::test]
async fn ok_before_the_server_has_proved_anything() {
    let (why, _) = attack("sslmode=disable", vec![sasl(), welcome()]).await;
    assert!(matches!(why, Err(Why::Login(LoginError::Auth(AuthError::OutOfPlace { .. })))), "{why:?}");
    let (why, _) = attack("sslmode=disable require_auth=scram-sha-256", vec![welcome()]).await;
    assert!(matches!(why, Err(Why::Login(LoginError::Auth(AuthError::Refused { .. })))), "{why:?}");
}

/// Hours of work, asked for by anybody who can answer the connection.
#[tokio::test]
async fn too_many_iterations() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 4096];
        let _ = socket.read(&mut buffer).await.unwrap();
        socket.write_all(&sasl()).await.unwrap();
        let n = socket.read(&mut buffer).await.unwrap();
        let at = buffer[..n].windows(2).rposition(|bytes| bytes == b"r=").unwrap();
        let challenge = [&buffer[at..n], b"x,s=AAAA,i=4000000000"].concat();
        let message = Authentication::SaslContinue { data: Secret::from(&challenge[..]) }.wire();
        socket.write_all(&message).await.unwrap();
        let _ = socket.read(&mut buffer).await;
    });
    let mut settings = Settings::new(Vec::new());
    settings.parse(format!("host=127.0.0.1 port={port} user=a password=b sslmode=disable")).unwrap();
    let failed = Connector::new(settings).connect().await.unwrap_err();
    assert!(failed.to_string().contains("4000000000"), "{failed}");
    server.await.unwrap();
}

/// `S`, and bytes in clear behind it that would be taken for the server's.
#[tokio::test]
async fn clear_bytes_behind_s() {
    let behind = [b"S".to_vec(), welcome()].concat();
    let (why, heard) = attack("sslmode=require", vec![behind]).await;
    assert!(matches!(why, Err(Why::Tls(_))), "{why:?}");
    assert_eq!(heard[0], b"\0\0\0\x08\x04\xd2\x16\x2f");
    assert!(!has_password(&heard));
}

#[tokio::test]
async fn a_server_that_does_not_encrypt() {
    let (why, _) = attack("sslmode=prefer", vec![b"N".to_vec(), welcome()]).await;
    assert!(why.is_ok(), "{why:?}");
    for settings in
        ["sslmode=require", "sslmode=verify-ca sslrootcert=x", "sslmode=verify-full sslrootcert=x"]
    {
        let (why, heard) = attack(settings, vec![b"N".to_vec(), welcome()]).await;
        assert!(matches!(why, Err(Why::NoTls | Why::Tls(_))), "{settings}: {why:?}");
        assert!(!has_password(&heard) && heard.iter().all(|bytes| !bytes.ends_with(b"alice\0\0")));
    }
    let (why, heard) = attack("sslmode=prefer channel_binding=require", vec![b"N".to_vec(), sasl()]).await;
    assert!(matches!(why, Err(Why::Login(LoginError::Auth(AuthError::NoBinding { .. })))), "{why:?}");
    assert!(!has_password(&heard));
}

/// An error in answer to SSLRequest may be anybody's: it is not shown.
#[tokio::test]
async fn an_error_in_place_of_s() {
    let (why, _) = attack("sslmode=prefer", vec![error("28000")]).await;
    let text = why.unwrap_err().to_string();
    assert!(text.contains("answered the request for TLS with an error") && !text.contains("no"), "{text}");
}

/// A version that the client did not ask for, or that is too old.
#[tokio::test]
async fn negotiation() {
    let answer = |version: u8| {
        [b"v\0\0\0\x0c\0\x03\0".to_vec(), vec![version], b"\0\0\0\0".to_vec(), welcome()].concat()
    };
    let (why, _) = attack("sslmode=disable max_protocol_version=3.2", vec![answer(0)]).await;
    assert!(why.is_ok(), "{why:?}");
    let (why, _) = attack("sslmode=disable min_protocol_version=3.2", vec![answer(0)]).await;
    assert!(matches!(why, Err(Why::Login(LoginError::Version { .. }))), "{why:?}");
    let (why, _) = attack("sslmode=disable max_protocol_version=3.0", vec![answer(2)]).await;
    assert!(matches!(why, Err(Why::Login(LoginError::Negotiation(_)))), "{why:?}");
}

/// What may not come before the authentication is over.
#[tokio::test]
async fn a_session_before_its_time() {
    let (why, _) = attack("sslmode=disable", vec![bytes(&[&crate::READY])]).await;
    assert!(why.is_err(), "a session without authentication");
}

/// Nothing comes, for as long as may be.
#[tokio::test]
async fn silence() {
    let (why, _) = attack("sslmode=disable connect_timeout=2", vec![Vec::new()]).await;
    assert!(matches!(why, Err(Why::Late(_))), "{why:?}");
}
