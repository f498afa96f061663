//! The client's half against the server's.

use feedrate_pg::auth::{
    AuthError, Authenticator, BindingPolicy, ChannelBinding, Credentials, Discovery, Login, Md5Verifier,
    Outcome, Policy, Refusal, Salt, Stored, Verifier,
};
use proptest::prelude::*;

use crate::talk::talk;

const HASH: &[u8] = &[7; 32];

fn verifier(password: &[u8], iterations: u32) -> Verifier {
    Verifier::hash(password, Salt::new(&[9; 16]).unwrap(), iterations)
}

fn client<'a>(password: &'a [u8], binding: ChannelBinding<'a>, policy: BindingPolicy) -> Authenticator<'a> {
    let policy = Policy { binding: policy, ..Policy::default() };
    Authenticator::new(Credentials::new("alice").with_password(password), policy, binding, [1; 18])
}

const BINDINGS: [ChannelBinding<'_>; 3] =
    [ChannelBinding::NoTls, ChannelBinding::Tls, ChannelBinding::EndPoint(HASH)];

proptest! {
    /// The right password and no other, whatever it is, by each method.
    #[test]
    fn passwords(
        (right, wrong) in ("\\PC{1,80}", "\\PC{1,80}"),
        (iterations, method, tls) in (1..5_u32, 0..6, 0..3_usize),
    ) {
        let login = || match method {
            0 => Login::cleartext(Stored::Scram(verifier(right.as_bytes(), iterations))),
            1 => Login::cleartext(Stored::Password(right.as_bytes())),
            2 => Login::cleartext(Stored::Md5 {
                verifier: Md5Verifier::hash(right.as_bytes(), b"alice"),
                user: b"alice",
            }),
            3 => Login::md5(Md5Verifier::hash(right.as_bytes(), b"alice"), [1, 2, 3, 4]),
            _ => Login::scram(verifier(right.as_bytes(), iterations), BINDINGS[tls], [2; 18]),
        };
        // Whether it is bound shows in `binding`, below.
        let enter = |password: &str| {
            let mut auth = client(password.as_bytes(), BINDINGS[tls], BindingPolicy::Prefer);
            let mut login = login();
            (talk(&mut auth, &mut login, |_, _| {}), auth.method())
        };
        let (end, _) = enter(&right);
        prop_assert!(end.client_done && end.server == Outcome::Granted, "{end:?}");
        if wrong != right && verifier(wrong.as_bytes(), 1) != verifier(right.as_bytes(), 1) {
            let (end, _) = enter(&wrong);
            prop_assert!(!end.client_done && end.server == Outcome::Refused(Refusal::Denied), "{end:?}");
            prop_assert_eq!(end.client, None);
        }
    }
}

/// What each side can, and what the client's policy says of it.
#[test]
fn binding() {
    use BindingPolicy::{Disable, Prefer, Require};
    let run = |ours, theirs, policy| {
        let mut auth = client(b"pencil", ours, policy);
        let mut login = Login::scram(verifier(b"pencil", 2), theirs, [2; 18]);
        let mut first = Vec::new();
        let end = talk(&mut auth, &mut login, |number, bytes| {
            if number == 1 {
                first = bytes.clone();
            }
        });
        let says = |what: &[u8]| first.windows(what.len()).any(|window| window == what);
        let header = [
            (&b"\x20n,,n=,"[..], 'n'),
            (b"\x20y,,n=,", 'y'),
            (b"-PLUS\0\0\0\0\x35p=tls-server-end-point,,n=,", 'p'),
        ];
        (end, header.iter().find(|(what, _)| says(what)).map_or(' ', |(_, letter)| *letter))
    };
    let end_point = ChannelBinding::EndPoint(HASH);
    for (ours, theirs, policy, letter) in [
        (ChannelBinding::NoTls, ChannelBinding::NoTls, Prefer, 'n'),
        (ChannelBinding::Tls, ChannelBinding::Tls, Prefer, 'n'),
        (ChannelBinding::Tls, end_point, Prefer, 'n'),
        (end_point, ChannelBinding::Tls, Prefer, 'y'),
        (end_point, ChannelBinding::NoTls, Prefer, 'y'),
        (end_point, end_point, Prefer, 'p'),
        (end_point, end_point, Require, 'p'),
        (end_point, end_point, Disable, 'n'),
        (end_point, ChannelBinding::Tls, Disable, 'n'),
    ] {
        let (end, found) = run(ours, theirs, policy);
        assert_eq!(found, letter, "{ours:?} {theirs:?} {policy:?}: {end:?}");
        assert!(end.client_done && end.server == Outcome::Granted, "{end:?}");
    }
    for (ours, theirs) in [
        (ChannelBinding::NoTls, ChannelBinding::NoTls),
        (ChannelBinding::Tls, end_point),
        (end_point, ChannelBinding::Tls),
    ] {
        let (end, found) = run(ours, theirs, Require);
        assert!(matches!(end.client, Some(AuthError::NoBinding { .. })), "{end:?}");
        assert_eq!((found, end.server), (' ', Outcome::Pending));
    }
    assert_eq!(run(ChannelBinding::NoTls, end_point, Prefer).0.client, Some(AuthError::BindingWithoutTls));
    // Somebody is between: each sees another certificate.
    let (end, _) = run(ChannelBinding::EndPoint(&[8; 32]), end_point, Prefer);
    assert!(matches!(end.server, Outcome::Refused(Refusal::Binding { .. })) && !end.client_done, "{end:?}");
    // The longest hash, and one that is longer.
    let (end, _) = run(ChannelBinding::EndPoint(&[8; 64]), ChannelBinding::EndPoint(&[8; 64]), Require);
    assert!(end.client_done, "{end:?}");
    let (end, _) = run(ChannelBinding::EndPoint(&[8; 65]), ChannelBinding::EndPoint(&[8; 64]), Prefer);
    assert!(matches!(end.client, Some(AuthError::TooLong { size: 65, limit: 64, .. })), "{end:?}");
}

/// Somebody takes PLUS out of the offer.
#[test]
fn downgrade() {
    let mut auth = client(b"pencil", ChannelBinding::EndPoint(HASH), BindingPolicy::Prefer);
    let mut login = Login::scram(verifier(b"pencil", 2), ChannelBinding::EndPoint(HASH), [2; 18]);
    let end = talk(&mut auth, &mut login, |number, bytes| {
        if number == 0 {
            *bytes = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0".to_vec();
        }
    });
    assert!(matches!(end.server, Outcome::Refused(Refusal::Binding { .. })) && !end.client_done, "{end:?}");
}

/// Each byte that is sent, changed: nobody is let in, or the client knows that something is wrong.
#[test]
fn tampered() {
    let mut cases = 0;
    for binding in [ChannelBinding::NoTls, ChannelBinding::EndPoint(HASH)] {
        for message in 0..5 {
            for at in 0.. {
                let mut changed = None;
                for flip in [1, 0x20, 0x80, 0xff] {
                    let mut auth = client(b"pencil", binding, BindingPolicy::Prefer);
                    let mut login = Login::scram(verifier(b"pencil", 2), binding, [2; 18]);
                    let end = talk(&mut auth, &mut login, |number, bytes| {
                        if number == message {
                            changed = bytes.get_mut(at).map(|byte| *byte ^= flip);
                        }
                    });
                    if changed.is_none() {
                        break;
                    }
                    cases += 1;
                    let what = format!("message {message}, byte {at} ^ {flip}: {end:?}");
                    // The mechanism that is offered beside PLUS, and not taken.
                    assert!(!end.client_done || (message == 0 && (28..41).contains(&at)), "{what}");
                    assert!(message == 4 || end.client_done || end.server != Outcome::Granted, "{what}");
                }
                if changed.is_none() {
                    break;
                }
            }
        }
    }
    assert!(cases > 3000, "{cases}");
}

/// The same challenge each time, and the same end at the same place.
#[test]
fn unknown_users() {
    let enter = |verifier: Verifier| {
        let mut auth = client(b"pencil", ChannelBinding::NoTls, BindingPolicy::Prefer);
        let mut login = Login::scram(verifier, ChannelBinding::NoTls, [2; 18]);
        let mut sent = Vec::new();
        let end =
            talk(&mut auth, &mut login, |number, bytes| sent.push((number, bytes.len(), bytes.clone())));
        (end, sent)
    };
    let unknown = || Verifier::unknown(b"secret", b"eve", 4096);
    let (end, sent) = enter(unknown());
    let (known_end, known) = enter(verifier(b"another", 4096));
    assert_eq!(end, known_end);
    assert_eq!(end.server, Outcome::Refused(Refusal::Denied));
    assert_ne!(unknown().salt(), Verifier::unknown(b"secret", b"mallory", 4096).salt());
    assert_ne!(unknown().salt(), Verifier::unknown(b"another", b"eve", 4096).salt());
    assert_eq!(enter(unknown()).1[2].2, sent[2].2, "the same challenge");
    let lengths = |sent: &[(usize, usize, Vec<u8>)]| sent.iter().map(|it| (it.0, it.1)).collect::<Vec<_>>();
    assert_eq!(lengths(&sent), lengths(&known));

    for stored in [Stored::Scram(unknown()), Stored::Md5 { verifier: Md5Verifier::unknown(), user: b"eve" }] {
        let mut auth = client(b"pencil", ChannelBinding::NoTls, BindingPolicy::Prefer);
        let end = talk(&mut auth, &mut Login::cleartext(stored), |_, _| {});
        assert_eq!(end.server, Outcome::Refused(Refusal::Denied));
    }
    let mut auth = client(b"pencil", ChannelBinding::NoTls, BindingPolicy::Prefer);
    let end = talk(&mut auth, &mut Login::md5(Md5Verifier::unknown(), [1; 4]), |_, _| {});
    assert_eq!(end.server, Outcome::Refused(Refusal::Denied));
}

/// RFC 7628, section 4: the token is right; it is wrong; there is none.
#[test]
fn bearer_tokens() {
    let discovery = Discovery { scope: "a \"scope\"", configuration: "https://a.example/" };
    let enter = |token| {
        let credentials = Credentials::new("alice").with_token(token);
        let mut auth = Authenticator::new(credentials, Policy::default(), ChannelBinding::NoTls, [1; 18]);
        let mut sent = Vec::new();
        let end = talk(&mut auth, &mut Login::oauth(discovery), |_, bytes| sent.push(bytes.clone()));
        (end, sent)
    };
    let (end, sent) = enter("open-sesame");
    assert!(end.client_done && end.server == Outcome::Granted, "{end:?}");
    assert_eq!(sent[1], b"p\0\0\0\x31OAUTHBEARER\0\0\0\0\x1dn,,\x01auth=Bearer open-sesame\x01\x01");
    for token in ["another", ""] {
        let (end, sent) = enter(token);
        assert!(!end.client_done && end.server == Outcome::Refused(Refusal::Token), "{end:?}");
        assert_eq!(sent[3], b"p\0\0\0\x05\x01");
        let json =
            r#"{"status":"invalid_token","openid-configuration":"https://a.example/","scope":"a \"scope\""}"#;
        assert_eq!(end.json.as_deref(), Some(json));
    }
}

#[test]
fn trust() {
    let mut auth = client(b"pencil", ChannelBinding::NoTls, BindingPolicy::Prefer);
    let end = talk(&mut auth, &mut Login::trust(), |_, _| {});
    assert!(end.client_done && end.server == Outcome::Granted, "{end:?}");
}
