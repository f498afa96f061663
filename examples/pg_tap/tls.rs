//! TLS on either side, by rustls.

use std::path::Path;
use std::sync::Arc;

use feedrate_io::pg_tls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use feedrate_io::pg_tls::rustls::crypto::{CryptoProvider, ring::default_provider};
use feedrate_io::pg_tls::rustls::pki_types::pem::PemObject;
use feedrate_io::pg_tls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use feedrate_io::pg_tls::rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig, SignatureScheme,
};
use feedrate_io::pg_tls::{ClientTls, Mode, ServerTls};

use crate::options::Options;

/// Toward the clients.
pub(crate) fn to_clients(options: &Options) -> Result<Option<ServerTls>, String> {
    let (Some(certificate), Some(key)) = (&options.tls_cert, &options.tls_key) else { return Ok(None) };
    let cannot = |error: Error| format!("cannot use {}: {error}", certificate.display());
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(cannot)?
        .with_no_client_auth()
        .with_single_cert(certificates(certificate)?, private)
        .map_err(cannot)?;
    Ok(Some(ServerTls::new(config)))
}

/// Toward the server, and whom it has to be.
pub(crate) fn to_server(options: &Options) -> Result<Option<(ClientTls, ServerName<'static>)>, String> {
    if !options.server_tls {
        return Ok(None);
    }
    let provider = Arc::new(default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let config = if let Some(file) = &options.server_ca {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(file)? {
            roots.add(certificate).map_err(|error| unreadable(file, error))?;
        }
        config.with_root_certificates(roots)
    } else {
        config.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
    };
    let tls = ClientTls::new(config.with_no_client_auth());
    let tls = if options.server_direct { tls.mode(Mode::Direct) } else { tls };
    let host = options.server.rsplit_once(':').map_or("localhost", |(host, _)| host);
    let name = options.server_name.as_deref().unwrap_or(host.trim_matches(['[', ']']));
    let name = name.to_owned().try_into().map_err(|_| format!("{name:?} is not the name of a server"))?;
    Ok(Some((tls, name)))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(file, error))
        .and_then(
            |all: Vec<_>| if all.is_empty() { Err(unreadable(file, "no certificate")) } else { Ok(all) },
        )
}

fn unreadable(file: &Path, error: impl std::fmt::Display) -> String {
    format!("cannot read {}: {error}", file.display())
}

/// Whoever has the key that the certificate names: libpq's `sslmode=require`. It keeps out who only listens.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

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
        let known = &self.0.signature_verification_algorithms;
        feedrate_io::pg_tls::rustls::crypto::verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        feedrate_io::pg_tls::rustls::crypto::verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
