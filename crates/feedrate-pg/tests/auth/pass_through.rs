//! A pooler logs in with the keys that a client's proof has shown.

use feedrate_pg::auth::{
    AuthError, Authenticator, ChannelBinding, Credentials, Login, Outcome, Policy, Salt, Verifier,
};

use crate::talk::talk;

const SALT: [u8; 16] = [9; 16];

fn verifier(salt: &[u8], iterations: u32) -> Verifier {
    Verifier::hash(b"pencil", Salt::new(salt).unwrap(), iterations)
}

fn client<'a>(credentials: Credentials<'a>) -> Authenticator<'a> {
    Authenticator::new(credentials, Policy::default(), ChannelBinding::NoTls, [1; 18])
}

/// The keys, which the pooler has once a client has logged in to it.
fn shown() -> [u8; 32] {
    let mut login = Login::scram(verifier(&SALT, 7), ChannelBinding::NoTls, [2; 18]);
    let end = talk(&mut client(Credentials::new("alice").with_password("pencil")), &mut login, |_, _| {});
    assert_eq!(end.server, Outcome::Granted);
    *login.client_key().unwrap()
}

#[test]
fn passes() {
    let keys = verifier(&SALT, 7).keys(shown()).unwrap();
    assert_eq!(format!("{keys:?}"), "ClientKeys { salt: Salt(16 bytes), iterations: 7, .. }");
    // Before the password, if there is one.
    let credentials = Credentials::new("alice").with_password("another").with_keys(keys);
    let mut login = Login::scram(verifier(&SALT, 7), ChannelBinding::NoTls, [3; 18]);
    let end = talk(&mut client(credentials), &mut login, |_, _| {});
    assert!(end.client_done && end.server == Outcome::Granted, "{end:?}");
}

#[test]
fn is_refused() {
    let keys = || verifier(&SALT, 7).keys(shown()).unwrap();
    let enter = |verifier| {
        let mut login = Login::scram(verifier, ChannelBinding::NoTls, [3; 18]);
        talk(&mut client(Credentials::new("alice").with_keys(keys())), &mut login, |_, _| {}).client
    };
    assert_eq!(enter(verifier(&[8; 16], 7)), Some(AuthError::OtherSalt));
    assert_eq!(enter(verifier(&SALT[1..], 7)), Some(AuthError::OtherSalt));
    assert_eq!(enter(verifier(&SALT, 8)), Some(AuthError::OtherIterations { asked: 8, keys: 7 }));
    assert!(verifier(&SALT, 7).keys([0; 32]).is_none(), "keys of nobody");
    assert!(Verifier::unknown(b"secret", b"eve", 7).keys(shown()).is_none());
}
