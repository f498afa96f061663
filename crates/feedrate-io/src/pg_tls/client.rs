//! The client's side: [`connect`].

use alloc::sync::Arc;
use alloc::vec::Vec;

use ::tokio::io::{AsyncRead, AsyncWrite};
use feedrate::Storage;
use feedrate::pg::Backend;
use feedrate::pg::backend::{Encryption, EncryptionResponse, Message};
use feedrate::pg::frontend::SSLRequest;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::ALPN;
use super::end_point::{EndPoint, EndPointError};
use super::error::{Error, Untrusted};
use super::handshake::{plain, read, secure, send_first};
use super::stream::{Prefixed, Stream};
use crate::timer::Timer;
use crate::tokio::Connection;

/// Whether a client insists on TLS, and how it asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Mode {
    /// It asks, and goes on in clear if the server does not encrypt: libpq's `sslmode=prefer`. Whoever is between the
    /// two can have it so.
    Prefer,
    /// It asks, and fails if the server does not encrypt. What libpq's `require`, `verify-ca` and `verify-full` differ
    /// in is whom they believe to be the server: that is for the verifier of the rustls configuration.
    #[default]
    Require,
    /// It begins TLS without asking, which saves a round trip: libpq's `sslnegotiation=direct`. The server has to be
    /// PostgreSQL 17 or newer.
    Direct,
}

/// How a client encrypts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
    mode: Mode,
}

impl ClientTls {
    /// With this configuration of rustls, and [`Mode::Require`].
    ///
    /// Its ALPN protocols become `postgresql`, which servers since PostgreSQL 17 answer and older ones do not look at.
    /// It sends no early data.
    pub fn new(config: impl Into<Arc<ClientConfig>>) -> Self {
        let mut config = Arc::unwrap_or_clone(config.into());
        config.alpn_protocols = [ALPN.to_vec()].into();
        config.enable_early_data = false;
        Self { config: Arc::new(config), mode: Mode::Require }
    }

    /// Another mode.
    #[must_use]
    pub const fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }
}

/// Begins a session over a connection that nothing has been sent on. The server has to prove that it is `name`, if the
/// configuration says so.
///
/// What is pushed already is sent afterwards: encrypted, unless [`Mode::Prefer`] finds a server that does not encrypt.
///
/// Dropped: the connection is lost.
///
/// # Errors
///
/// [`Error`]. After [`Error::Failed`] and a [`Mode::Prefer`] libpq connects anew, in clear; here that is for the caller
/// to decide.
pub async fn connect<S, T, C>(
    connection: Connection<Backend, S, T, C>,
    tls: &ClientTls,
    name: ServerName<'static>,
) -> Result<Connection<Backend, S, Stream<T>, C>, Error>
where
    S: Storage,
    T: AsyncRead + AsyncWrite + Unpin,
    C: Timer,
{
    let mut pg = connection;
    if pg.has_begun() {
        return Err(Error::Begun);
    }
    if tls.mode != Mode::Direct {
        match ask(&mut pg).await? {
            EncryptionResponse::Refused if tls.mode == Mode::Prefer => return Ok(plain(pg)),
            EncryptionResponse::Refused => return Err(Error::Refused),
            EncryptionResponse::Accepted(_) => {}
        }
    }
    let (mut pg, io) = pg.replace_io(());
    let connector = TlsConnector::from(Arc::clone(&tls.config));
    let stream = secure(&mut pg, connector.connect(name, Prefixed::new(Vec::new(), io))).await?;
    let (_, session) = stream.get_ref();
    if tls.mode == Mode::Direct && session.alpn_protocol() != Some(ALPN) {
        return Err(Error::NoAlpn);
    }
    let certificate = session.peer_certificates().and_then(|chain| chain.first());
    let end_point =
        certificate.map_or(Err(EndPointError::Malformed), |certificate| EndPoint::of(certificate));
    pg.protocol_mut().secured();
    Ok(pg.replace_io(Stream::tls(stream.into(), end_point)).0)
}

/// Asks for TLS.
async fn ask<S, T, C>(pg: &mut Connection<Backend, S, T, C>) -> Result<EncryptionResponse, Error>
where
    S: Storage,
    T: AsyncRead + AsyncWrite + Unpin,
    C: Timer,
{
    send_first(pg, &SSLRequest).await?;
    pg.protocol_mut().expect_encryption_response(Encryption::Ssl);
    // Of what follows a consent, not a byte may be taken for the server's.
    if read(pg, 1).await? == 0 {
        return Err(Error::Closed);
    }
    loop {
        if let Some(frame) = pg.try_next()? {
            return match frame.message().map_err(feedrate::Error::Message).map_err(crate::Error::Protocol)? {
                Message::EncryptionResponse(response) => Ok(response),
                Message::UntrustedError(error) => Err(Error::Failed(Untrusted(error.raw().into()))),
                _ => Err(Error::Closed),
            };
        }
        // An error goes on.
        if read(pg, usize::MAX).await? == 0 {
            pg.decoder().end().map_err(crate::Error::Protocol)?;
            return Err(Error::Closed);
        }
    }
}
