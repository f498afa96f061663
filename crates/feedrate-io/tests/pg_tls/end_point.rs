//! The hash of a certificate, as OpenSSL has it. `certificates.sh` makes the certificates.

use std::fs;
use std::path::Path;

use feedrate_io::pg_tls::{EndPoint, EndPointError};

fn certificate(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pg_tls/certificates");
    fs::read(folder.join(name).with_extension("der")).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_hash_is_openssls_with_the_function_of_rfc_5929() {
    let mut seen = 0;
    for line in include_str!("certificates/hashes.txt").lines() {
        let [name, _, hash] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let end_point = EndPoint::of(&certificate(name)).unwrap();
        assert_eq!(hex(end_point.as_bytes()), hash, "{name}");
        assert_eq!(format!("{end_point:?}"), format!("EndPoint({hash})"));
        seen += 1;
    }
    assert_eq!(seen, 16);
}

#[test]
fn where_there_is_no_hash_that_is_said() {
    for (name, error) in [
        ("ed25519", EndPointError::NoHash("Ed25519")),
        ("ed448", EndPointError::NoHash("Ed448")),
        ("ecdsa-sha3-256", EndPointError::Unknown),
    ] {
        assert_eq!(EndPoint::of(&certificate(name)), Err(error), "{name}");
    }
}

/// A peer chooses its certificate: whatever it is, the answer is a hash or an error.
#[test]
fn any_bytes_have_a_hash_or_none() {
    for name in ["rsa-sha256", "pss-sha384", "pss-sha1", "ecdsa-sha512", "ed25519"] {
        let whole = certificate(name);
        for end in 0..whole.len() {
            assert_eq!(EndPoint::of(&whole[..end]), Err(EndPointError::Malformed));
        }
        assert_eq!(EndPoint::of(&[&whole[..], b"x"].concat()), Err(EndPointError::Malformed));
        for place in 0..whole.len() {
            for value in [0, 1, 0x30, 0x7f, 0x80, 0x81, 0x84, 0x85, 0xff, whole[place] ^ 1] {
                let mut changed = whole.clone();
                changed[place] = value;
                let _ = EndPoint::of(&changed);
            }
        }
    }
    for junk in
        [&b""[..], b"\x30", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x30\x85\0\0\0\0\x01\0", &[0xff; 9]]
    {
        assert_eq!(EndPoint::of(junk), Err(EndPointError::Malformed));
    }
}
