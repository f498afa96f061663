//! What PostgreSQL, and the RFCs, have published.

use feedrate_pg::auth::{BadVerifier, Derivation, Md5Verifier, Salt, Verifier};

/// PostgreSQL's src/test/regress/sql/password.sql: two verifiers of the empty password.
#[test]
fn verifiers_of_postgresql() {
    let text = "SCRAM-SHA-256$4096:hpFyHTUsSWcR7O9P$LgZFIt6Oqdo27ZFKbZ2nV+vtnYM995pDh9ca6WSi120=:\
                qVV5NeluNfUPkwm7Vqat25RjSPLkGeoZBQs6wVv+um4=";
    let verifier = Verifier::parse(text.as_bytes()).unwrap();
    assert_eq!(verifier, Verifier::hash(b"", *verifier.salt(), 4096));
    assert_eq!(verifier.to_string(), text);

    let text = "md585939a5ce845f1a1b620742e3c659e0a";
    assert_eq!(Md5Verifier::hash(b"", b"regress_passwd_empty").to_string(), text);
    assert_eq!(Md5Verifier::parse(text.as_bytes()), Ok(Md5Verifier::hash(b"", b"regress_passwd_empty")));
}

#[test]
fn md5_in_any_case() {
    let text = b"md585939A5CE845F1A1B620742E3C659E0A";
    assert_eq!(Md5Verifier::parse(text).unwrap().to_string(), "md585939a5ce845f1a1b620742e3c659e0a");
    for text in ["", "md5", "md585939a5ce845f1a1b620742e3c659e0", "md585939a5ce845f1a1b620742e3c659e0ag"] {
        assert!(Md5Verifier::parse(text.as_bytes()).is_err(), "{text}");
    }
    assert_eq!(Md5Verifier::parse(b"MD585939a5ce845f1a1b620742e3c659e0a"), Err(BadVerifier::Name));
    assert_eq!(Md5Verifier::parse(b"md585939a5ce845f1a1b620742e3c659e0g"), Err(BadVerifier::Md5));
}

#[test]
fn malformed_verifiers() {
    let key = "LgZFIt6Oqdo27ZFKbZ2nV+vtnYM995pDh9ca6WSi120=";
    let short = "LgZFIt6Oqdo27ZFKbZ2nV+vtnYM995pDh9ca6WSi";
    let salt = "hpFyHTUsSWcR7O9P";
    for (text, error) in [
        (String::new(), BadVerifier::Name),
        (format!("SCRAM-SHA-1$4096:{salt}${key}:{key}"), BadVerifier::Name),
        (format!("SCRAM-SHA-256$4096:{salt}"), BadVerifier::Shape),
        (format!("SCRAM-SHA-256$4096{salt}${key}:{key}"), BadVerifier::Shape),
        (format!("SCRAM-SHA-256$4096:{salt}${key}"), BadVerifier::Shape),
        (format!("SCRAM-SHA-256$4096:{salt}${key}:{key}$"), BadVerifier::Shape),
        (format!("SCRAM-SHA-256$0:{salt}${key}:{key}"), BadVerifier::Iterations),
        (format!("SCRAM-SHA-256$:{salt}${key}:{key}"), BadVerifier::Iterations),
        (format!("SCRAM-SHA-256$+1:{salt}${key}:{key}"), BadVerifier::Iterations),
        (format!("SCRAM-SHA-256$2147483648:{salt}${key}:{key}"), BadVerifier::Iterations),
        (format!("SCRAM-SHA-256$99999999999:{salt}${key}:{key}"), BadVerifier::Iterations),
        (format!("SCRAM-SHA-256$1:${key}:{key}"), BadVerifier::Salt),
        (format!("SCRAM-SHA-256$1:hpF${key}:{key}"), BadVerifier::Salt),
        (format!("SCRAM-SHA-256$1:{}${key}:{key}", salt.repeat(6)), BadVerifier::Salt),
        (format!("SCRAM-SHA-256$1:{salt}${short}:{key}"), BadVerifier::Key),
        (format!("SCRAM-SHA-256$1:{salt}${key}:{short}"), BadVerifier::Key),
        (format!("SCRAM-SHA-256$1:{salt}${key}:{key}:{key}"), BadVerifier::Key),
    ] {
        assert_eq!(Verifier::parse(text.as_bytes()), Err(error), "{text}");
    }
    let longest = "hpFyHTUsSWcR7O9P".repeat(5) + "hpFyHQ==";
    assert!(Verifier::parse(format!("SCRAM-SHA-256$2147483647:{longest}${key}:{key}").as_bytes()).is_ok());
}

#[test]
fn salts() {
    assert!(Salt::new(b"").is_none());
    assert!(Salt::new(&[1; 65]).is_none());
    assert_eq!(Salt::new(&[1; 64]).unwrap().as_bytes(), [1; 64]);
}

/// However the work is cut, and 0 is 1.
#[test]
fn slices() {
    let salt = Salt::new(b"salt").unwrap();
    let whole = Verifier::hash(b"pencil", salt, 100);
    for slice in [1, 2, 33, 99, 100, u32::MAX] {
        let mut derivation = Derivation::new(b"pencil", salt, 100);
        assert_eq!(derivation.left(), 99);
        while !derivation.work(slice) {}
        assert_eq!(derivation.left(), 0);
        assert_eq!(derivation.finish(), whole);
    }
    assert_eq!(Derivation::new(b"pencil", salt, 0).finish(), Verifier::hash(b"pencil", salt, 1));
    assert_ne!(Verifier::hash(b"pencil", salt, 99).to_string(), whole.to_string());
}

#[test]
fn secrets_do_not_show() {
    let verifier = Verifier::hash(b"pencil", Salt::new(b"salt").unwrap(), 1);
    assert_eq!(format!("{verifier:?}"), "Verifier { iterations: 1, salt: Salt(4 bytes), .. }");
    assert_eq!(format!("{:?}", Md5Verifier::hash(b"pencil", b"a")), "Md5Verifier { .. }");
}

/// From Unicode, with the tables that PostgreSQL's servers have: see tests/rig/saslprep.sh.
#[cfg(feature = "saslprep")]
#[test]
fn passwords_are_prepared() {
    let salt = Salt::new(b"salt").unwrap();
    assert_eq!(
        Verifier::hash("I\u{ad}X".as_bytes(), salt, 1),
        Verifier::hash("\u{2168}".as_bytes(), salt, 1)
    );
    // Longer than a block of SHA-256, so that the key is its hash.
    let (long, composed) = ("e\u{301}".repeat(60), "é".repeat(60));
    assert_eq!(Verifier::hash(long.as_bytes(), salt, 1), Verifier::hash(composed.as_bytes(), salt, 1));
}
