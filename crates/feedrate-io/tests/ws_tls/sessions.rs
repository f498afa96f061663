//! What works, and what is refused.

use feedrate_io::ws::tls::{self, ClientTls, ServerTls, rustls};
use feedrate_io::ws::{ClientConfig, CloseCode, Error, Rejection};
use tokio::net::TcpListener;
use tokio_rustls::TlsConnector;

use crate::identity::{Identity, VERSIONS};
use crate::{Ws, both, config, listen};

/// A message of many records, there and back, and goodbye.
async fn converse(mut client: Ws, mut server: Ws) {
    let long = vec![7; 300_000];
    let echo = async {
        while let Some((message, mut out)) = server.incoming().await.unwrap() {
            out.send(message).await.unwrap();
        }
        server
    };
    let ask = async {
        client.send(&long).await.unwrap();
        assert_eq!(client.next().await.unwrap(), Some(long.as_slice().into()));
        client.close(CloseCode::NORMAL, "bye").await.unwrap();
        client
    };
    let (server, client) = tokio::join!(echo, ask);
    assert_eq!(server.closed().unwrap().reason(), "bye");
    assert_eq!(client.closed().unwrap().reason(), "bye");
}

#[tokio::test]
async fn by_name_and_by_address_in_both_versions_of_tls() {
    let identity = Identity::new();
    let server_tls = ServerTls::new(identity.server());
    for version in VERSIONS {
        let client_tls = ClientTls::new(identity.client_of(&[version]));
        for (host, sni) in [("localhost", Some("localhost")), ("127.0.0.1", None), ("[::1]", None)] {
            let (client, server) = both(listen(host, "wss").await, &client_tls, Some(&server_tls)).await;
            let (client, server) = (client.unwrap(), server.unwrap());
            assert!(client.io().is_tls() && server.io().is_tls());
            assert_eq!(server.io().server_name(), sni, "{host}");
            for session in [client.io().session(), server.io().session()] {
                let session = session.unwrap();
                assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]));
                assert_eq!(session.protocol_version(), Some(version.version));
            }
            assert!(client.io().get_ref().nodelay().unwrap());
            converse(client, server).await;
        }
    }
}

#[tokio::test]
async fn without_tls_by_the_same_calls() {
    let tls = ClientTls::new(Identity::new().client());
    let (client, server) = both(listen("localhost", "ws").await, &tls, None).await;
    let (client, server) = (client.unwrap(), server.unwrap());
    assert!(!client.io().is_tls() && !server.io().is_tls());
    assert!(client.io().session().is_none() && server.io().server_name().is_none());
    converse(client, server).await;
}

/// The name's first address has nobody, the second has.
#[tokio::test]
async fn a_name_of_several_addresses() {
    let tls = ClientTls::new(Identity::new().client());
    let addresses: Vec<_> = tokio::net::lookup_host("localhost:0").await.unwrap().collect();
    for address in addresses {
        let listener = TcpListener::bind(address).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = ClientConfig::url(&format!("ws://localhost:{port}")).unwrap();
        let (client, server) = both((listener, url), &tls, None).await;
        converse(client.unwrap(), server.unwrap()).await;
    }
}

#[tokio::test]
async fn the_request_is_looked_at_before_it_is_agreed_to() {
    let identity = Identity::new();
    let (client_tls, server_tls) = (ClientTls::new(identity.client()), ServerTls::new(identity.server()));
    let (listener, url) = listen("localhost", "wss").await;
    let (serving, host) = (config(), url.host().to_owned());
    let serve = async {
        let socket = listener.accept().await.unwrap().0;
        let mut accepting = tls::accepting(socket, &serving, Some(&server_tls)).await.unwrap();
        let request = accepting.request().await.unwrap();
        assert_eq!(request.target(), "/chat");
        assert_eq!(request.headers().get("Host"), Some(host.as_bytes()));
        accepting.reject(Rejection::new(404)).await.unwrap();
    };
    let (client, ()) = tokio::join!(tls::connect(&url, &client_tls), serve);
    assert_eq!(client.unwrap_err().to_string(), "status 404, expected 101");
}

#[tokio::test]
async fn who_is_not_who_it_should_be_is_refused() {
    let (ours, others) = (Identity::new(), Identity::of(&["db.example"]));
    for (client, server, expected) in
        [(&ours, &others, "invalid peer certificate"), (&others, &others, "not valid for name")]
    {
        let (client_tls, server_tls) = (ClientTls::new(client.client()), ServerTls::new(server.server()));
        let (client, server) = both(listen("localhost", "wss").await, &client_tls, Some(&server_tls)).await;
        let (client, server) = (client.unwrap_err(), server.unwrap_err());
        assert!(matches!(&client, Error::Tls(_)) && client.to_string().contains(expected), "{client}");
        assert!(matches!(&server, Error::Tls(rustls::Error::AlertReceived(_))), "{server}");
    }
}

#[tokio::test]
async fn one_side_has_tls_and_the_other_not() {
    let identity = Identity::new();
    let (client_tls, server_tls) = (ClientTls::new(identity.client()), ServerTls::new(identity.server()));
    let (client, server) = both(listen("localhost", "ws").await, &client_tls, Some(&server_tls)).await;
    assert!(matches!(client.unwrap_err(), Error::Answer(_)));
    assert!(matches!(server.unwrap_err(), Error::Tls(_)));
    let (client, server) = both(listen("localhost", "wss").await, &client_tls, None).await;
    assert!(matches!(client.unwrap_err(), Error::Tls(_)));
    assert!(matches!(server.unwrap_err(), Error::Request(_)));
}

/// A client that speaks HTTP/2 alone is refused (the ALPACA attack is one of those), one that says nothing is not.
#[tokio::test]
async fn what_is_spoken_inside() {
    let identity = Identity::new();
    let server_tls = ServerTls::new(identity.server());
    for (alpn, works) in [(vec![b"h2".to_vec()], false), (vec![], true)] {
        let mut client = identity.client();
        client.alpn_protocols = alpn;
        let (listener, url) = listen("localhost", "wss").await;
        let ask = async {
            let socket = tokio::net::TcpStream::connect(url.address()).await.unwrap();
            let name = url.name().to_owned().try_into().unwrap();
            let stream = TlsConnector::from(std::sync::Arc::new(client)).connect(name, socket).await?;
            feedrate_io::ws::connect(stream, &url).await.map_err(std::io::Error::other)
        };
        let serving = config();
        let serve =
            async { tls::accept(listener.accept().await.unwrap().0, &serving, Some(&server_tls)).await };
        let (asked, served) = tokio::join!(ask, serve);
        assert_eq!((asked.is_ok(), served.is_ok()), (works, works));
        if let Err(error) = served {
            assert!(matches!(error, Error::Tls(rustls::Error::NoApplicationProtocol)), "{error}");
        }
    }
}

#[tokio::test]
async fn nobody_is_there() {
    let tls = ClientTls::new(Identity::new().client());
    let (listener, url) = listen("127.0.0.1", "wss").await;
    drop(listener);
    let error = tls::connect(&url, &tls).await.unwrap_err();
    assert!(
        matches!(&error, Error::Connect { error, .. } if error.kind() == std::io::ErrorKind::ConnectionRefused)
    );
    let expected = format!("cannot connect to {}: Connection refused", url.address());
    assert!(error.to_string().starts_with(&expected), "{error}");
    let url = ClientConfig::url("ws://no-such-host.invalid/").unwrap();
    let error = tls::connect(&url, &tls).await.unwrap_err();
    assert!(matches!(&error, Error::Connect { address, .. } if address == "no-such-host.invalid:80"));
}
