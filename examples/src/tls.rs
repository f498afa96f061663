//! TLS of the WebSocket programs, out of files in PEM format.

use std::sync::Arc;

use feedrate_io::ws::tls::rustls::crypto::ring;
use feedrate_io::ws::tls::rustls::pki_types::pem::PemObject;
use feedrate_io::ws::tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use feedrate_io::ws::tls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use feedrate_io::ws::tls::{ClientTls, ServerTls};

fn certificates(path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    read.map_err(|error| format!("{path}: {error}"))
}

/// A server with the options `--tls-cert` and `--tls-key`: both, or neither and no TLS.
pub fn server(certificate: Option<&str>, key: Option<&str>) -> Result<Option<ServerTls>, String> {
    let (Some(chain), Some(key)) = (certificate, key) else {
        let one = certificate.is_some() || key.is_some();
        return if one { Err("--tls-cert and --tls-key go together".into()) } else { Ok(None) };
    };
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| format!("{key}: {error}"))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(certificates(chain)?, private)
        .map_err(|error| format!("{chain}: {error}"))?;
    Ok(Some(ServerTls::new(config)))
}

/// A client that believes the certificates that those in `authorities` have signed: without them, none.
pub fn client(authorities: Option<&str>) -> Result<ClientTls, String> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = authorities {
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(|error| format!("{path}: {error}"))?;
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(ClientTls::new(config))
}
