//! Certificates, out of the files that the settings name.

use std::path::{Path, PathBuf};

use feedrate_io::pg_tls::Roots;
use feedrate_io::pg_tls::rustls::RootCertStore;
use feedrate_io::pg_tls::rustls::crypto::ring;
use feedrate_io::pg_tls::rustls::pki_types::pem::PemObject;
use feedrate_io::pg_tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use feedrate_pg::conninfo::{Keyword, Settings};

/// What libpq does with `sslrootcert`, `sslcert` and `sslkey`. A file at its default place need not be there.
pub(crate) fn roots(settings: &Settings<Vec<u8>>) -> Result<Roots, String> {
    let mut roots = Roots::new(ring::default_provider());
    if settings.get(Keyword::SslRootCert).is_some_and(|name| name == "system") {
        let certificates = rustls_native_certs::load_native_certs();
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates.certs);
        roots = roots.trust(store);
    } else if let Some(path) = file(settings, Keyword::SslRootCert, "root.crt") {
        let mut store = RootCertStore::empty();
        for certificate in certificates(&path)? {
            store.add(certificate).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        roots = roots.trust(store);
    }
    if let Some(path) = file(settings, Keyword::SslCert, "postgresql.crt") {
        let key = file(settings, Keyword::SslKey, "postgresql.key")
            .ok_or_else(|| format!("{}: there is no key for it (sslkey)", path.display()))?;
        let read =
            PrivateKeyDer::from_pem_file(&key).map_err(|error| format!("{}: {error}", key.display()))?;
        roots = roots.identity(certificates(&path)?, read);
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    read.map_err(|error| format!("{}: {error}", path.display()))
}

/// The file that a setting names, or the one in `~/.postgresql` if that is there.
fn file(settings: &Settings<Vec<u8>>, keyword: Keyword, name: &str) -> Option<PathBuf> {
    if let Some(path) =
        settings.get(keyword).and_then(|path| path.to_str().ok()).filter(|path| !path.is_empty())
    {
        return Some(path.into());
    }
    let home = PathBuf::from(std::env::var_os("HOME")?);
    Some(home.join(".postgresql").join(name)).filter(|path| path.exists())
}
