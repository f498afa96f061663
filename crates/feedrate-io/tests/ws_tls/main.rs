//! WebSocket over TLS, and connecting to a URL.

mod deadlines;
mod ends;
mod identity;
mod sessions;

use feedrate_io::Limits;
use feedrate_io::ws::tls::{self, ClientTls, ServerTls, Stream};
use feedrate_io::ws::{ClientConfig, Config, Error, Origins, WebSocket};
use tokio::net::{TcpListener, TcpStream};

type Ws = WebSocket<Stream<TcpStream>>;

fn config() -> Config {
    Config::new(Origins::Any)
}

/// A server's socket, and a URL for it.
async fn listen(host: &str, scheme: &str) -> (TcpListener, ClientConfig) {
    let listener = TcpListener::bind((host.trim_matches(['[', ']']), 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, ClientConfig::url(&format!("{scheme}://{host}:{port}/chat")).unwrap())
}

/// Both sides' handshakes.
async fn both(
    (listener, url): (TcpListener, ClientConfig),
    client: &ClientTls,
    server: Option<&ServerTls>,
) -> (Result<Ws, Error>, Result<Ws, Error>) {
    let serving = config();
    let serve = async { tls::accept(listener.accept().await.unwrap().0, &serving, server).await };
    tokio::join!(tls::connect(&url, client), serve)
}

fn soon() -> Limits {
    Limits::new().handshake(core::time::Duration::from_millis(500))
}
