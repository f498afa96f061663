//! How a connection begins: what the client says first, and the way to the server.

use std::time::{Duration, Instant};

use feedrate::Grow;
use feedrate::pg::backend::{Encryption, ErrorResponse, NoticeField, field};
use feedrate::pg::frontend::Message;
use feedrate::pg::{Backend, Frontend, List, Text};
use feedrate_io::pg_tls::{self, Stream, accept_with};
use feedrate_io::socket::TcpOptions;
use feedrate_io::tokio::{Connection, Parts};
use feedrate_io::{Error, Limits};
use tokio::io::{AsyncRead, AsyncWrite, copy, sink};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::lane::Lane;
use crate::options::is_path;
use crate::tap::Tap;

/// The longest message that is forwarded. It is held whole, in memory that grows as the message arrives.
pub(crate) const LONGEST: usize = 1 << 30;

/// TCP, or a Unix socket.
pub(crate) type Socket = Box<dyn Both>;
pub(crate) trait Both: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Both for T {}

/// A side, perhaps encrypted.
pub(crate) type Side<P> = Connection<P, Grow, Stream<Socket>>;

/// A client that has said as whom it wants to log in, and a server that has been told so. `None`: the client has left
/// without that. It has to finish within a limit, however slowly its bytes come: clients that do not begin would use up
/// all descriptors.
pub(crate) async fn begin(
    tap: &Tap,
    client: Socket,
    to_server: &mut Lane<'_>,
    to_client: &mut Lane<'_>,
) -> Result<Option<(Side<Frontend>, Side<Backend>)>, String> {
    let until = Instant::now() + tap.options.startup;
    let limits = Limits::new().handshake(tap.options.startup);
    let client = Connection::new(client, Frontend::new(), Grow::new(LONGEST), limits);
    let accepted = accept_with(client, tap.to_clients.as_ref(), |request, response| {
        to_server.asked(request);
        match request {
            Message::SSLRequest(_) => to_client.answer(Encryption::Ssl, response),
            Message::GSSENCRequest(_) => to_client.answer(Encryption::Gss, response),
            _ => {}
        }
    });
    let mut client = match accepted.await {
        Ok(client) => client,
        Err(pg_tls::Error::NotOffered) => {
            return Err("TLS without an SSLRequest, which pg_tap cannot read without --tls-cert".into());
        }
        Err(error) => return Err(error.to_string()),
    };
    to_server.publish().await;
    to_client.publish().await;
    let startup = match client.next().await {
        Ok(Some(frame)) => {
            // There is room for the first one.
            let _ = to_server.check(&frame);
            to_server.pass(&frame, &frame.message()).into_owned()
        }
        Ok(None) => return Ok(None),
        Err(Error::Protocol(error)) => {
            let Parts { decoder, unread, .. } = client.into_parts();
            let begin = [decoder.pending(), &unread].concat();
            let begin = Text::from(&begin[..begin.len().min(8)]);
            let error = error.into_inner();
            return Err(format!("not PostgreSQL's protocol, it begins with {begin:?}: {error}"));
        }
        Err(error) => return Err(error.to_string()),
    };
    to_server.forwards(&startup);
    to_server.publish().await;
    match reach(tap, &startup, until).await {
        Ok(server) => Ok(Some((client, server))),
        Err(error) => {
            let why = format!("could not connect to {}: {error}", tap.options.server);
            refuse(client, &why).await;
            Err(why)
        }
    }
}

/// Connects to the server, if possible by `until`, and tells it what the client has begun with.
async fn reach(tap: &Tap, startup: &[u8], until: Instant) -> Result<Side<Backend>, String> {
    let left = until.saturating_duration_since(Instant::now());
    let socket = match timeout(left, connect(&tap.options.server)).await {
        Ok(socket) => socket.map_err(|error| error.to_string())?,
        Err(_) => return Err("it does not answer".into()),
    };
    let limits = Limits::new().handshake(until.saturating_duration_since(Instant::now()));
    let (backend, storage) = (Backend::new(), Grow::new(LONGEST));
    let mut server = match &tap.to_server {
        Some((tls, name)) => {
            let server = Connection::new(socket, backend, storage, limits);
            pg_tls::connect(server, tls, name.clone()).await.map_err(|error| error.to_string())?
        }
        None => Connection::new(Stream::plain(socket), backend, storage, limits),
    };
    server.push_bytes(startup).map_err(|error| error.to_string())?;
    Ok(server)
}

async fn connect(address: &str) -> std::io::Result<Socket> {
    #[cfg(unix)]
    if is_path(address) {
        return Ok(Box::new(UnixStream::connect(address).await?));
    }
    Ok(tcp(TcpStream::connect(address).await?))
}

/// A TCP connection that does not outlive its peer's machine by much.
pub(crate) fn tcp(socket: TcpStream) -> Socket {
    // It fails where the peer has gone already, which reading will tell.
    let _ = TcpOptions::new().apply(&socket);
    Box::new(socket)
}

/// Reports in the protocol why there is no server.
async fn refuse(mut client: Side<Frontend>, why: &str) {
    let fields = [
        NoticeField { code: field::SEVERITY, value: "FATAL".into() },
        NoticeField { code: field::SEVERITY_NONLOCALIZED, value: "FATAL".into() },
        // sqlclient_unable_to_establish_sqlconnection
        NoticeField { code: field::CODE, value: "08001".into() },
        NoticeField { code: field::MESSAGE, value: why.into() },
    ];
    let _ = client.push(&ErrorResponse { fields: List::from(&fields) });
    // Closing a socket with unread bytes could destroy the error before the client reads it.
    let gone = async {
        if client.shutdown().await.is_ok() {
            let _ = copy(&mut client.into_parts().io, &mut sink()).await;
        }
    };
    let _ = timeout(Duration::from_secs(1), gone).await;
}
