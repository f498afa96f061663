//! One deadline for all that comes before the first message.

use core::time::Duration;
use std::time::Instant;

use feedrate_io::Late;
use feedrate_io::ws::Error;
use feedrate_io::ws::tls::{self, ClientTls, ServerTls};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::identity::Identity;
use crate::{config, listen, soon};

fn is_handshakes(error: &Error) -> bool {
    matches!(error, Error::Late(Late::Handshake(_)))
}

#[tokio::test]
async fn a_server_that_says_nothing() {
    let identity = Identity::new();
    let client_tls = ClientTls::new(identity.client());
    let server_tls = ServerTls::new(identity.server());
    for says in [false, true] {
        let (listener, url) = listen("localhost", "wss").await;
        let url = url.limits(soon());
        let serve = async {
            let socket = listener.accept().await.unwrap().0;
            // Most of the time has gone by when TLS is there, and nothing follows.
            sleep(Duration::from_millis(350)).await;
            let serving = config();
            let accepting = if says {
                Some(tls::accepting(socket, &serving, Some(&server_tls)).await.unwrap())
            } else {
                None
            };
            sleep(Duration::from_secs(2)).await;
            drop(accepting);
        };
        let began = Instant::now();
        tokio::select! {
            error = tls::connect(&url, &client_tls) => assert!(is_handshakes(&error.unwrap_err())),
            () = serve => panic!("it waits"),
        }
        let took = began.elapsed();
        assert!((500..800).contains(&took.as_millis()), "{took:?}");
    }
}

#[tokio::test]
async fn a_client_that_says_nothing() {
    let identity = Identity::new();
    let server_tls = ServerTls::new(identity.server());
    for says in [false, true] {
        let (listener, url) = listen("localhost", "wss").await;
        let serving = config().limits(soon());
        let ask = async {
            let socket = TcpStream::connect(url.address()).await.unwrap();
            sleep(Duration::from_millis(350)).await;
            let stream = if says {
                let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(identity.client()));
                let name = url.name().to_owned().try_into().unwrap();
                Ok(connector.connect(name, socket).await.unwrap())
            } else {
                Err(socket)
            };
            sleep(Duration::from_secs(2)).await;
            drop(stream);
        };
        let serve = async {
            let socket = listener.accept().await.unwrap().0;
            let began = Instant::now();
            let error = tls::accept(socket, &serving, Some(&server_tls)).await.unwrap_err();
            (error, began.elapsed())
        };
        tokio::select! {
            (error, took) = serve => {
                assert!(is_handshakes(&error));
                assert!((450..800).contains(&took.as_millis()), "{took:?}");
            }
            () = ask => panic!("it waits"),
        }
    }
}
