//! The hash that binds a login to the server's certificate: [`EndPoint`].

use core::fmt;

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// What SCRAM-SHA-256-PLUS binds itself to: the hash of the server's certificate, `tls-server-end-point` of RFC 5929.
/// Client and server compute the same hash, unless somebody sits between them.
///
/// The hash function is that of the certificate's signature, or SHA-256 where that is MD5 or SHA-1.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EndPoint {
    bytes: [u8; 64],
    length: usize,
}

/// Why there is no [`EndPoint`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndPointError {
    /// The connection is in clear.
    #[error("no channel binding: the connection is not encrypted")]
    Clear,
    /// RFC 5929 says nothing of signatures without a hash function of their own. PostgreSQL and libpq refuse as well.
    #[error("no channel binding: the certificate's signature is {0}, for which RFC 5929 defines no hash")]
    NoHash(&'static str),
    /// A signature that this crate does not know.
    #[error("no channel binding: the certificate's signature algorithm is not known")]
    Unknown,
    /// What was presented is not an X.509 certificate in DER.
    #[error("no channel binding: the certificate cannot be read")]
    Malformed,
}

impl EndPoint {
    /// That of a certificate, in DER. For who has ended TLS by other means;
    /// [`Stream::end_point`](super::Stream::end_point) has the connection's.
    ///
    /// ```
    /// use feedrate_io::pg_tls::{EndPoint, EndPointError};
    ///
    /// assert_eq!(EndPoint::of(b"no certificate"), Err(EndPointError::Malformed));
    /// ```
    ///
    /// # Errors
    ///
    /// [`EndPointError`].
    pub fn of(certificate: &[u8]) -> Result<Self, EndPointError> {
        Ok(match hash_of(certificate)? {
            Hash::Sha224 => Self::new(&Sha224::digest(certificate)),
            Hash::Sha256 => Self::new(&Sha256::digest(certificate)),
            Hash::Sha384 => Self::new(&Sha384::digest(certificate)),
            Hash::Sha512 => Self::new(&Sha512::digest(certificate)),
        })
    }

    fn new(hash: &[u8]) -> Self {
        let mut bytes = [0; 64];
        bytes.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
        Self { bytes, length: hash.len() }
    }

    /// The hash.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl AsRef<[u8]> for EndPoint {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Debug for EndPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EndPoint(")?;
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha224,
    /// And in place of MD5 and SHA-1.
    Sha256,
    Sha384,
    Sha512,
}

/// `rsassaPss`, whose hash function is among its parameters (RFC 4055, section 3.1).
const PSS: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";

/// Signature algorithms, by the contents of their object identifiers (RFC 3279, RFC 4055, RFC 5758).
const SIGNATURES: &[(&[u8], Hash)] = &[
    // md5WithRSAEncryption and its kin, 1.2.840.113549.1.1
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", Hash::Sha256),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", Hash::Sha256),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", Hash::Sha256),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", Hash::Sha384),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", Hash::Sha512),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e", Hash::Sha224),
    // ecdsa-with-SHA1, 1.2.840.10045.4.1, and those with SHA-2, 1.2.840.10045.4.3
    (b"\x2a\x86\x48\xce\x3d\x04\x01", Hash::Sha256),
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x01", Hash::Sha224),
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x02", Hash::Sha256),
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x03", Hash::Sha384),
    (b"\x2a\x86\x48\xce\x3d\x04\x03\x04", Hash::Sha512),
    // dsa-with-sha1, 1.2.840.10040.4.3, and those with SHA-2, 2.16.840.1.101.3.4.3
    (b"\x2a\x86\x48\xce\x38\x04\x03", Hash::Sha256),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x01", Hash::Sha224),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x02", Hash::Sha256),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x03", Hash::Sha384),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x04", Hash::Sha512),
];

/// Hash functions, likewise.
const HASHES: &[(&[u8], Hash)] = &[
    (b"\x2a\x86\x48\x86\xf7\x0d\x02\x05", Hash::Sha256),
    (b"\x2b\x0e\x03\x02\x1a", Hash::Sha256),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x01", Hash::Sha256),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x02", Hash::Sha384),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x03", Hash::Sha512),
    (b"\x60\x86\x48\x01\x65\x03\x04\x02\x04", Hash::Sha224),
];

/// Signatures that hash by themselves.
const WITHOUT: &[(&[u8], &str)] = &[(b"\x2b\x65\x70", "Ed25519"), (b"\x2b\x65\x71", "Ed448")];

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
/// `[0]`, of the parameters of `rsassaPss`.
const HASH_ALGORITHM: u8 = 0xa0;

/// Which hash function goes with a certificate.
fn hash_of(certificate: &[u8]) -> Result<Hash, EndPointError> {
    let (algorithm, parameters) = signature(certificate).ok_or(EndPointError::Malformed)?;
    if algorithm == PSS {
        let hash = pss_hash(parameters).ok_or(EndPointError::Malformed)?;
        return hash.map_or(Ok(Hash::Sha256), |hash| find(HASHES, hash).ok_or(EndPointError::Unknown));
    }
    if let Some(name) = find(WITHOUT, algorithm) {
        return Err(EndPointError::NoHash(name));
    }
    find(SIGNATURES, algorithm).ok_or(EndPointError::Unknown)
}

fn find<V: Copy>(table: &[(&[u8], V)], identifier: &[u8]) -> Option<V> {
    table.iter().find(|(its, _)| *its == identifier).map(|(_, value)| *value)
}

/// `Certificate.signatureAlgorithm` (RFC 5280, section 4.1): its identifier, and its parameters.
fn signature(certificate: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = certificate;
    let mut fields = element(&mut rest, SEQUENCE)?;
    if !rest.is_empty() {
        return None;
    }
    element(&mut fields, SEQUENCE)?;
    algorithm(&mut fields)
}

/// An `AlgorithmIdentifier`.
fn algorithm<'a>(der: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut parameters = element(der, SEQUENCE)?;
    Some((element(&mut parameters, OBJECT_IDENTIFIER)?, parameters))
}

/// The hash function of `rsassaPss`: none is SHA-1.
fn pss_hash(mut parameters: &[u8]) -> Option<Option<&[u8]>> {
    let mut fields = element(&mut parameters, SEQUENCE)?;
    if fields.first() != Some(&HASH_ALGORITHM) {
        return Some(None);
    }
    let mut hash = element(&mut fields, HASH_ALGORITHM)?;
    algorithm(&mut hash).map(|(identifier, _)| Some(identifier))
}

/// Takes an element of this type off the front, and returns its contents.
fn element<'a>(der: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (&[its, short], mut rest) = der.split_first_chunk()?;
    let mut length = usize::from(short);
    if short > 0x7f {
        let bytes = rest.get(..usize::from(short & 0x7f))?;
        rest = rest.get(bytes.len()..)?;
        // No certificate is longer than four bytes can say. Indefinite lengths are not DER.
        if !(1..=4).contains(&bytes.len()) {
            return None;
        }
        let value = bytes.iter().fold(0_u32, |value, byte| value << 8 | u32::from(*byte));
        length = usize::try_from(value).ok()?;
    }
    let (contents, behind) = rest.split_at_checked(length)?;
    *der = behind;
    (its == tag).then_some(contents)
}
