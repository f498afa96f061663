//! The server's side: [`accept`].

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::sync::{Mutex, PoisonError};

use ::tokio::io::{AsyncRead, AsyncWrite};
use feedrate::Storage;
use feedrate::pg::Frontend;
use feedrate::pg::backend::{Encryption, EncryptionResponse};
use feedrate::pg::frontend::Message;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::ALPN;
use super::end_point::{EndPoint, EndPointError};
use super::error::Error;
use super::handshake::{plain, read, secure, send_first};
use super::stream::{Prefixed, Stream};
use crate::timer::Timer;
use crate::tokio::Connection;

/// How a server encrypts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ServerTls {
    config: Arc<ServerConfig>,
}

impl ServerTls {
    /// With this configuration of rustls.
    ///
    /// Its ALPN protocols become `postgresql`: a client that offers others only is refused, as PostgreSQL does. It
    /// takes no early data.
    pub fn new(config: impl Into<Arc<ServerConfig>>) -> Self {
        let mut config = Arc::unwrap_or_clone(config.into());
        config.alpn_protocols = [ALPN.to_vec()].into();
        config.max_early_data_size = 0;
        Self { config: Arc::new(config) }
    }
}

/// Reads how a session begins, and agrees to TLS if it is asked for and there is any. A request for GSSAPI encryption
/// is declined, and so is one for TLS where there is none.
///
/// The connection that is returned has its StartupMessage or CancelRequest yet to come, and may be in clear:
/// [`Stream::is_tls`] tells, and who insists on TLS answers the StartupMessage with an error then. If the client leaves
/// before it has sent one, [`next`](Connection::next) tells.
///
/// Dropped: the connection is lost.
///
/// # Errors
///
/// [`Error`].
pub async fn accept<S, T, C>(
    connection: Connection<Frontend, S, T, C>,
    tls: Option<&ServerTls>,
) -> Result<Connection<Frontend, S, Stream<T>, C>, Error>
where
    S: Storage,
    T: AsyncRead + AsyncWrite + Unpin,
    C: Timer,
{
    accept_with(connection, tls, |_, _| {}).await
}

/// As [`accept`], for a server that shows or counts what it is asked: `asked` is called with each request, an
/// SSLRequest, a GSSENCRequest or [`DirectTls`](feedrate::pg::frontend::DirectTls), before it is answered so.
///
/// # Errors
///
/// [`Error`].
pub async fn accept_with<S, T, C>(
    connection: Connection<Frontend, S, T, C>,
    tls: Option<&ServerTls>,
    mut asked: impl FnMut(&Message<'_>, EncryptionResponse),
) -> Result<Connection<Frontend, S, Stream<T>, C>, Error>
where
    S: Storage,
    T: AsyncRead + AsyncWrite + Unpin,
    C: Timer,
{
    let mut pg = connection;
    loop {
        let first = first(&mut pg).await?;
        if first == First::Other {
            return Ok(plain(pg));
        }
        let response = match (first, tls) {
            (First::GSSENCRequest, _) | (_, None) => EncryptionResponse::Refused,
            (_, Some(_)) => EncryptionResponse::Accepted(Encryption::Ssl),
        };
        // A second request of its kind, or TLS behind one, ends here.
        if let Some(frame) = pg.try_next()? {
            let message = frame.message().map_err(feedrate::Error::Message);
            asked(&message.map_err(crate::Error::Protocol)?, response);
        }
        if (first, tls.is_none()) == (First::DirectTls, true) {
            return Err(Error::NotOffered);
        }
        // What has been read of direct TLS belongs to it. What has come behind a request has come in clear.
        let hello = if first == First::DirectTls { pg.take_unread() } else { Vec::new() };
        pg.answered(response)?;
        if first != First::DirectTls {
            send_first(&mut pg, &response).await?;
        }
        if let (EncryptionResponse::Accepted(_), Some(tls)) = (response, tls) {
            return encrypt(pg, tls, hello, first == First::DirectTls).await;
        }
    }
}

/// What a client begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    DirectTls,
    SSLRequest,
    GSSENCRequest,
    /// It is not about encryption, or nothing.
    Other,
}

impl First {
    /// The content type of a TLS handshake record (RFC 8446, section 5.1), with which a ClientHello begins.
    const TLS_HANDSHAKE: u8 = 0x16;

    /// `None`: more has to come.
    fn of(head: &[u8]) -> Option<Self> {
        /// Their lengths and codes: `NEGOTIATE_SSL_CODE` and `NEGOTIATE_GSS_CODE` in `libpq/pqcomm.h`.
        const REQUESTS: [(&[u8], First); 2] = [
            (b"\0\0\0\x08\x04\xd2\x16\x2f", First::SSLRequest),
            (b"\0\0\0\x08\x04\xd2\x16\x30", First::GSSENCRequest),
        ];
        if head.first() == Some(&Self::TLS_HANDSHAKE) {
            return Some(Self::DirectTls);
        }
        for (packet, request) in REQUESTS {
            if head.starts_with(packet) {
                return Some(request);
            }
            if packet.starts_with(head) {
                return None;
            }
        }
        Some(Self::Other)
    }
}

/// Waits until it is known what a client begins with.
async fn first<S, T, C>(pg: &mut Connection<Frontend, S, T, C>) -> Result<First, Error>
where
    S: Storage,
    T: AsyncRead + Unpin,
    C: Timer,
{
    loop {
        if let Some(first) = First::of(pg.head(&mut [0; 8])) {
            return Ok(first);
        }
        if read(pg, usize::MAX).await? == 0 {
            return Ok(First::Other);
        }
    }
}

/// Begins TLS, of which `hello` has been read.
async fn encrypt<S, T, C>(
    pg: Connection<Frontend, S, T, C>,
    tls: &ServerTls,
    hello: Vec<u8>,
    direct: bool,
) -> Result<Connection<Frontend, S, Stream<T>, C>, Error>
where
    S: Storage,
    T: AsyncRead + AsyncWrite + Unpin,
    C: Timer,
{
    let (mut pg, io) = pg.replace_io(());
    let (config, chosen) = Chosen::config(&tls.config);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let stream = secure(&mut pg, acceptor.accept(Prefixed::new(hello, io))).await?;
    if direct && stream.get_ref().1.alpn_protocol() != Some(ALPN) {
        return Err(Error::NoAlpn);
    }
    Ok(pg.replace_io(Stream::tls(stream.into(), chosen.end_point())).0)
}

/// Remembers which certificate a handshake uses, as rustls does not tell.
struct Chosen {
    resolver: Arc<dyn ResolvesServerCert>,
    end_point: Mutex<Result<EndPoint, EndPointError>>,
}

impl Chosen {
    /// A configuration for one handshake.
    fn config(config: &ServerConfig) -> (ServerConfig, Arc<Self>) {
        let mut config = config.clone();
        let end_point = Mutex::new(Err(EndPointError::Malformed));
        let chosen = Arc::new(Self { resolver: config.cert_resolver, end_point });
        config.cert_resolver = chosen.clone();
        (config, chosen)
    }

    fn end_point(&self) -> Result<EndPoint, EndPointError> {
        *self.end_point.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Chosen {
    fn resolve(&self, client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let key = self.resolver.resolve(client_hello)?;
        let end_point =
            key.cert.first().map_or(Err(EndPointError::Malformed), |certificate| EndPoint::of(certificate));
        *self.end_point.lock().unwrap_or_else(PoisonError::into_inner) = end_point;
        Some(key)
    }

    fn only_raw_public_keys(&self) -> bool {
        self.resolver.only_raw_public_keys()
    }
}

impl fmt::Debug for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.resolver.fmt(f)
    }
}
