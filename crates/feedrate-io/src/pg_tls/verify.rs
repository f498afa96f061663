//! Whom a client believes: [`Roots`].

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::client::ClientTls;

/// How much of the server's certificate is looked at: what libpq's `sslmode` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verify {
    /// Nothing: whoever is on the line can be the server. `prefer`, `allow`, and `require` without root certificates.
    Nothing,
    /// It has to be signed by an authority, for any name: `verify-ca`, and `require` with root certificates.
    Authority,
    /// It has to be signed by an authority, for the name of the host: `verify-full`.
    Name,
}

/// The means of a client to make the TLS that a `sslmode` asks for: cryptography, root certificates, and a certificate
/// of its own.
///
/// ```
/// use feedrate_io::pg_tls::rustls::{RootCertStore, crypto::CryptoProvider};
/// use feedrate_io::pg_tls::{Roots, Verify};
///
/// # fn example(provider: CryptoProvider) -> Result<(), feedrate_io::pg_tls::rustls::Error> {
/// let roots = Roots::new(provider).trust(RootCertStore::empty());
/// let tls = roots.client(Verify::Nothing)?;
/// # Ok(())
/// # }
/// ```
pub struct Roots {
    provider: Arc<CryptoProvider>,
    trusted: Option<Arc<RootCertStore>>,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

impl Roots {
    /// With this cryptography, and no root certificates.
    pub fn new(provider: impl Into<Arc<CryptoProvider>>) -> Self {
        Self { provider: provider.into(), trusted: None, identity: None }
    }

    /// Believes what these authorities have signed.
    #[must_use]
    pub fn trust(mut self, authorities: impl Into<Arc<RootCertStore>>) -> Self {
        self.trusted = Some(authorities.into());
        self
    }

    /// Whether there are root certificates.
    pub const fn is_trusting(&self) -> bool {
        self.trusted.is_some()
    }

    /// Shows this certificate to a server that asks for one.
    #[must_use]
    pub fn identity(mut self, chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Self {
        self.identity = Some((chain, key));
        self
    }

    /// TLS that looks at so much of the server's certificate.
    ///
    /// # Errors
    ///
    /// [`Error`]: there are no root certificates and some are needed, or the client's own certificate is none.
    pub fn client(&self, verify: Verify) -> Result<ClientTls, Error> {
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?;
        let algorithms = self.provider.signature_verification_algorithms;
        let verifier: Arc<dyn ServerCertVerifier> = match verify {
            Verify::Nothing => Arc::new(Anybody(algorithms)),
            Verify::Authority => Arc::new(AnyName(self.verifier()?)),
            Verify::Name => self.verifier()?,
        };
        let config = config.dangerous().with_custom_certificate_verifier(verifier);
        let config = match &self.identity {
            Some((chain, key)) => config.with_client_auth_cert(chain.clone(), key.clone_key())?,
            None => config.with_no_client_auth(),
        };
        Ok(ClientTls::new(config))
    }

    fn verifier(&self) -> Result<Arc<WebPkiServerVerifier>, Error> {
        let none =
            || Error::General("a server's certificate cannot be verified without root certificates".into());
        let roots = self.trusted.as_ref().filter(|roots| !roots.is_empty()).ok_or_else(none)?;
        WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|error| Error::General(alloc::format!("root certificates: {error}")))
    }
}

impl fmt::Debug for Roots {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trusted = self.trusted.as_ref().map_or(0, |roots| roots.len());
        f.debug_struct("Roots")
            .field("trusted", &trusted)
            .field("identity", &self.identity.is_some())
            .finish()
    }
}

/// Believes every certificate. That whoever shows it has its key is checked all the same.
#[derive(Debug)]
struct Anybody(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// Believes an authority's certificate for any name.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // The name is looked at last.
        match self.0.verify_server_cert(certificate, chain, name, ocsp, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
