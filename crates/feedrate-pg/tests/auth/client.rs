//! The client's half, and every violation of a server's.

use feedrate::pg::backend::{Authentication, Message};
use feedrate::pg::frontend::{GSSResponse, PasswordMessage, SASLInitialResponse, SASLResponse};
use feedrate::pg::{List, Text};
use feedrate::{Encode, EncodeError, SliceOutput};
use feedrate_pg::auth::{
    AuthError, Authenticator, ChannelBinding, Credentials, Method, Policy, ServerError, Step,
};

use crate::talk::challenge;

const SCRAM: Authentication<'_> =
    Authentication::Sasl { mechanisms: List::new(&[Text::from_bytes(b"SCRAM-SHA-256")]) };
const BEARER: Authentication<'_> =
    Authentication::Sasl { mechanisms: List::new(&[Text::from_bytes(b"OAUTHBEARER")]) };
const CHALLENGE: &[u8] = b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
/// Of Python's hashlib.
const PROOF: &[u8] =
    b"c=biws,r=AAAAAAAAAAAAAAAAAAAAAAAAserver,p=oeplwaAlJbxe0IBQN7U5egiG77qa/fUzueRcBbsFVKE=";
const SIGNATURE: &[u8] = b"v=mJ/smyuQUO8bTUwh4R7CMg3l44IP/mZO8FtQ3z5oNFs=";

fn authenticator() -> Authenticator<'static> {
    let credentials = Credentials::new("user").with_password("pencil").with_token("a.token-_~+/==");
    Authenticator::new(credentials, Policy::default(), ChannelBinding::NoTls, [0; 18])
}

/// One whose server-first-message, or server-final-message, may come.
fn at_challenge() -> Authenticator<'static> {
    let mut auth = authenticator();
    assert_eq!(auth.receive(&SCRAM), Ok(Step::Respond));
    assert_eq!(auth.respond(&mut Vec::new()), Ok(true));
    auth
}

fn at_final() -> Authenticator<'static> {
    let mut auth = at_challenge();
    assert_eq!(auth.receive(&challenge(CHALLENGE)), Ok(Step::Work));
    assert_eq!(auth.respond(&mut Vec::new()), Ok(true));
    auth
}

fn finally(data: &[u8]) -> Authentication<'_> {
    Authentication::SaslFinal { data: data.into() }
}

/// As the messages of feedrate are written.
#[test]
fn what_is_sent() {
    let mut auth = authenticator();
    let (mut out, mut expected) = (Vec::new(), Vec::new());
    assert_eq!(auth.respond(&mut out), Ok(false), "nothing is due");
    assert_eq!(auth.receive(&SCRAM), Ok(Step::Respond));
    assert_eq!(auth.respond(&mut out), Ok(true));
    assert_eq!(auth.respond(&mut out), Ok(false), "once");
    let data = Some("n,,n=,r=AAAAAAAAAAAAAAAAAAAAAAAA".into());
    SASLInitialResponse { mechanism: "SCRAM-SHA-256".into(), data }.encode(&mut expected).unwrap();
    assert_eq!(out, expected);

    assert_eq!(auth.receive(&challenge(CHALLENGE)), Ok(Step::Work));
    assert_eq!(auth.left(), 4095);
    assert!(!auth.work(4094));
    assert!(auth.work(1) && auth.work(0));
    assert_eq!(auth.respond(&mut out), Ok(true));
    SASLResponse { data: PROOF.into() }.encode(&mut expected).unwrap();
    assert_eq!(out, expected);

    assert_eq!(auth.receive(&finally(SIGNATURE)), Ok(Step::Wait));
    assert!(!auth.is_done());
    assert_eq!(auth.receive(&Authentication::Ok), Ok(Step::Done));
    assert!(auth.is_done());
    assert_eq!(auth.respond(&mut out), Ok(false));

    // Without `work`, the same.
    let mut auth = at_challenge();
    let _ = auth.receive(&challenge(CHALLENGE)).unwrap();
    out.clear();
    auth.respond(&mut out).unwrap();
    assert_eq!(&out[5..], PROOF);
}

#[test]
fn passwords() {
    let mut out = Vec::new();
    let mut auth = authenticator();
    assert_eq!(auth.receive(&Authentication::CleartextPassword), Ok(Step::Respond));
    auth.respond(&mut out).unwrap();
    assert_eq!(out, b"p\0\0\0\x0bpencil\0");
    assert_eq!(auth.receive(&Authentication::Ok), Ok(Step::Done));

    // md5(md5("penciluser") "\x01\x02\x03\x04"), of Python's hashlib.
    let mut auth = authenticator();
    assert_eq!(auth.receive(&Authentication::Md5Password { salt: [1, 2, 3, 4] }), Ok(Step::Respond));
    let mut expected = Vec::new();
    PasswordMessage { password: "md54376eb6913b38f9aaff38dc7cf19ca76".into() }.encode(&mut expected).unwrap();
    out.clear();
    auth.respond(&mut out).unwrap();
    assert_eq!(Text::from(&out[..]), Text::from(&expected[..]));
}

/// In a NUL the password would end.
#[test]
fn password_with_nul() {
    let credentials = Credentials::new("user").with_password(b"pen\0cil");
    let mut auth = Authenticator::new(credentials, Policy::default(), ChannelBinding::NoTls, [0; 18]);
    let _ = auth.receive(&Authentication::CleartextPassword).unwrap();
    assert!(matches!(auth.respond(&mut Vec::new()), Err(EncodeError::InteriorNul { at: 3, .. })));
}

/// Into too little memory: nothing is written, and it can be tried again.
#[test]
fn no_room() {
    let requests =
        [SCRAM, BEARER, Authentication::CleartextPassword, Authentication::Md5Password { salt: [0; 4] }];
    let fill = |auth: &mut Authenticator<'_>| {
        let mut whole = Vec::new();
        for size in 0.. {
            let mut memory = vec![0; size];
            let mut out = SliceOutput::new(&mut memory);
            match auth.respond(&mut out) {
                Ok(done) => {
                    assert!(done);
                    whole.extend_from_slice(out.as_bytes());
                    break;
                }
                Err(error) => assert_eq!((error, out.as_bytes()), (EncodeError::Full, &b""[..])),
            }
        }
        whole
    };
    for request in requests {
        let (mut auth, mut other) = (authenticator(), authenticator());
        assert_eq!(auth.receive(&request), other.receive(&request));
        let mut expected = Vec::new();
        other.respond(&mut expected).unwrap();
        assert_eq!(fill(&mut auth), expected);
    }
    let mut auth = at_challenge();
    let _ = auth.receive(&challenge(CHALLENGE)).unwrap();
    assert_eq!(&fill(&mut auth)[5..], PROOF);
    assert_eq!(auth.receive(&finally(SIGNATURE)), Ok(Step::Wait));
}

#[test]
fn malformed_challenges() {
    for (message, at) in [
        (&b""[..], 0),
        (b"R=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=QQ==,i=1", 0),
        (b"m=1,r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=QQ==,i=1", 0),
        (b"r=,s=QQ==,i=1", 2),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAA er,s=QQ==,i=1", 0),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAA\x7fr,s=QQ==,i=1", 0),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAA\xc3\xa9,s=QQ==,i=1", 0),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAA\0r,s=QQ==,i=1", 2),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver", 32),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,", 33),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,i=1,s=QQ==", 33),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=,i=1", 35),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=Q,i=1", 33),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=QQ,i=1", 33),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=QR==,i=1", 33),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=Q Q=,i=1", 33),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=QQ==", 39),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=QQ==,", 40),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=QQ==,i=", 42),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=QQ==,i=0", 40),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=QQ==,i=01", 40),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=QQ==,i=-1", 40),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=QQ==,i=1x", 40),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=QQ==,i=1 ", 40),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=QQ==,i=1,", 44),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=QQ==,i=1,m=x", 44),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=QQ==,i=1,1=x", 44),
        (b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=QQ==,i=1,x", 44),
    ] {
        let mut auth = at_challenge();
        let error = auth.receive(&challenge(message)).unwrap_err();
        let AuthError::Malformed { message: "server-first-message", at: found, .. } = error else {
            panic!("{}: {error:?}", message.escape_ascii());
        };
        assert_eq!(found, at, "{}: {error}", message.escape_ascii());
        assert_eq!(auth.receive(&challenge(CHALLENGE)), Err(AuthError::Dead));
        assert_eq!(auth.respond(&mut Vec::new()), Ok(false));
    }
    let mut auth = at_challenge();
    let extended = b"r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=QQ==,i=1,x=1,y=";
    assert_eq!(auth.receive(&challenge(extended)), Ok(Step::Respond), "extensions are left alone");
}

#[test]
fn nonces_and_lengths() {
    for nonce in
        ["AAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAserver", "BAAAAAAAAAAAAAAAAAAAAAAAserver", "x"]
    {
        let message = format!("r={nonce},s=QQ==,i=1");
        assert_eq!(at_challenge().receive(&challenge(message.as_bytes())), Err(AuthError::Nonce), "{nonce}");
    }
    let long =
        |size: usize| format!("r=AAAAAAAAAAAAAAAAAAAAAAAA{},s=QQ==,i=1", "x".repeat(size - 37)).into_bytes();
    assert_eq!(at_challenge().receive(&challenge(&long(256))), Ok(Step::Respond));
    let error = AuthError::TooLong { message: "server-first-message", size: 257, limit: 256 };
    assert_eq!(at_challenge().receive(&challenge(&long(257))), Err(error));
    let salt = |text: &str| format!("r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s={text},i=1").into_bytes();
    let longest = "QUFB".repeat(21) + "QQ==";
    assert_eq!(at_challenge().receive(&challenge(&salt(&longest))), Ok(Step::Respond));
    let error = at_challenge().receive(&challenge(&salt(&(longest[..84].to_owned() + "QUE=")))).unwrap_err();
    assert!(matches!(error, AuthError::Malformed { at: 33, .. }), "{error}");
}

#[test]
fn malformed_ends() {
    for message in [
        &b""[..],
        b"v=",
        b"v=mJ/smyuQUO8bTUwh4R7CMg3l44IP/mZO8FtQ3z5oNFs",
        b"v=mJ/smyuQUO8bTUwh4R7CMg3l44IP/mZO8FtQ3z5oNFs=x",
        b"v=mJ/smyuQUO8bTUwh4R7CMg3l44IP/mZO8FtQ3z5o",
        b"v=mJ/smyuQUO8bTUwh4R7CMg3l44IP/mZO8FtQ3z5oNFuY",
        b"V=mJ/smyuQUO8bTUwh4R7CMg3l44IP/mZO8FtQ3z5oNFs=",
        b"v=mJ/smyuQUO8bTUwh4R7CMg3l44IP/mZO8FtQ3z5oNFs=,",
        b"v=mJ/smyuQUO8bTUwh4R7CMg3l44IP/mZO8FtQ3z5oNFs=,m=1",
        b"e=",
        b"e=invalid-proof,",
    ] {
        let error = at_final().receive(&finally(message)).unwrap_err();
        let expected = matches!(error, AuthError::Malformed { message: "server-final-message", .. });
        assert!(expected, "{}: {error:?}", message.escape_ascii());
    }
    let wrong = b"v=mJ/smyuQUO8bTUwh4R7CMg3l44IP/mZO8FtQ3z5oNFt=".as_slice();
    let error = at_final().receive(&finally(wrong)).unwrap_err();
    assert!(matches!(error, AuthError::Malformed { .. }), "bits that nobody uses: {error:?}");
    let wrong = b"v=nJ/smyuQUO8bTUwh4R7CMg3l44IP/mZO8FtQ3z5oNFs=".as_slice();
    assert_eq!(at_final().receive(&finally(wrong)), Err(AuthError::ServerSignature));
}

#[test]
fn errors_of_the_server() {
    for (name, error) in [
        ("invalid-encoding", ServerError::InvalidEncoding),
        ("extensions-not-supported", ServerError::ExtensionsNotSupported),
        ("invalid-proof", ServerError::InvalidProof),
        ("channel-bindings-dont-match", ServerError::ChannelBindingsDontMatch),
        ("server-does-support-channel-binding", ServerError::ServerDoesSupportChannelBinding),
        ("channel-binding-not-supported", ServerError::ChannelBindingNotSupported),
        ("unsupported-channel-binding-type", ServerError::UnsupportedChannelBindingType),
        ("unknown-user", ServerError::UnknownUser),
        ("invalid-username-encoding", ServerError::InvalidUsernameEncoding),
        ("no-resources", ServerError::NoResources),
        ("other-error", ServerError::Other),
        ("anything", ServerError::Other),
    ] {
        let found = at_final().receive(&finally(format!("e={name}").as_bytes())).unwrap_err();
        assert_eq!(found, AuthError::Server(error));
        if name != "anything" {
            assert_eq!(found.to_string(), format!("the server ends the SCRAM exchange: {name}"));
        }
    }
}

/// Every request at every place where it may not come.
#[test]
fn out_of_place() {
    let requests = [
        ("AuthenticationOk", Authentication::Ok),
        ("AuthenticationCleartextPassword", Authentication::CleartextPassword),
        ("AuthenticationMD5Password", Authentication::Md5Password { salt: [0; 4] }),
        ("AuthenticationGSS", Authentication::Gss),
        ("AuthenticationSSPI", Authentication::Sspi),
        ("AuthenticationGSSContinue", Authentication::GssContinue { data: "x".into() }),
        ("AuthenticationSASL", SCRAM),
        ("AuthenticationSASLContinue", challenge(CHALLENGE)),
        ("AuthenticationSASLFinal", finally(SIGNATURE)),
        ("AuthenticationKerberosV5", Authentication::KerberosV5),
        ("an unknown authentication request", Authentication::Other { code: 4, data: "".into() }),
    ];
    let after = |request: &Authentication<'_>, respond: bool| {
        let mut auth = authenticator();
        let _ = auth.receive(request).unwrap();
        if respond {
            auth.respond(&mut Vec::new()).unwrap();
        }
        auth
    };
    let verified = || {
        let mut auth = at_final();
        let _ = auth.receive(&finally(SIGNATURE)).unwrap();
        auth
    };
    let proof_due = || {
        let mut auth = at_challenge();
        let _ = auth.receive(&challenge(CHALLENGE)).unwrap();
        auth
    };
    let token_sent = || {
        let mut auth = after(&Authentication::Gss, false);
        assert_eq!(auth.respond_token(b"token", &mut Vec::new()), Ok(true));
        auth
    };
    let refused = |respond: bool| {
        let mut auth = after(&BEARER, true);
        let _ = auth.receive(&challenge(b"{}")).unwrap();
        if respond {
            auth.respond(&mut Vec::new()).unwrap();
        }
        auth
    };
    let ok = "AuthenticationOk";
    let due = "nothing before the response";
    type Place<'a> = Box<dyn Fn() -> Authenticator<'static> + 'a>;
    let places: [(&str, Place<'_>, &[&str]); 14] = [
        (due, Box::new(|| after(&Authentication::CleartextPassword, false)), &[]),
        (ok, Box::new(|| after(&Authentication::CleartextPassword, true)), &[ok]),
        (ok, Box::new(|| after(&Authentication::Md5Password { salt: [0; 4] }, true)), &[ok]),
        (due, Box::new(|| after(&SCRAM, false)), &[]),
        ("AuthenticationSASLContinue", Box::new(at_challenge), &["AuthenticationSASLContinue"]),
        (due, Box::new(proof_due), &[]),
        ("AuthenticationSASLFinal", Box::new(at_final), &["AuthenticationSASLFinal"]),
        (ok, Box::new(verified), &[ok]),
        (due, Box::new(|| after(&BEARER, false)), &[]),
        (
            "AuthenticationOk or AuthenticationSASLContinue",
            Box::new(|| after(&BEARER, true)),
            &[ok, "AuthenticationSASLContinue"],
        ),
        (due, Box::new(move || refused(false)), &[]),
        ("ErrorResponse", Box::new(move || refused(true)), &[]),
        (
            "AuthenticationOk or AuthenticationGSSContinue",
            Box::new(token_sent),
            &[ok, "AuthenticationGSSContinue"],
        ),
        ("no more of authentication", Box::new(|| after(&Authentication::Ok, false)), &[]),
    ];
    for (expected, place, allowed) in places {
        for (what, request) in &requests {
            let mut auth = place();
            if allowed.contains(what) {
                assert!(auth.receive(request).is_ok(), "{what} where {expected} is expected");
                continue;
            }
            assert_eq!(auth.receive(request), Err(AuthError::OutOfPlace { what, expected }));
            assert_eq!(auth.receive(&Authentication::Ok), Err(AuthError::Dead));
            assert!(!auth.is_done());
        }
    }
    for (what, request) in &requests {
        if ["GSSContinue", "SASLContinue", "SASLFinal"].iter().any(|end| what.ends_with(end)) {
            let error = authenticator().receive(request);
            assert_eq!(error, Err(AuthError::OutOfPlace { what, expected: "a request" }));
        }
    }
    assert_eq!(
        authenticator().receive(&Authentication::KerberosV5),
        Err(AuthError::UnknownRequest { code: 2 })
    );
    let other = Authentication::Other { code: 4, data: "".into() };
    assert_eq!(authenticator().receive(&other), Err(AuthError::UnknownRequest { code: 4 }));
}

#[test]
fn mechanisms() {
    let offer = |names: &[&str]| {
        let names: Vec<Text<'_>> = names.iter().map(|name| Text::from(*name)).collect();
        authenticator()
            .receive(&Authentication::Sasl { mechanisms: List::new(&names) })
            .map(|step| step == Step::Respond)
    };
    assert_eq!(offer(&[]), Err(AuthError::NoMechanism));
    assert_eq!(offer(&["SCRAM-SHA-1", "scram-sha-256"]), Err(AuthError::NoMechanism));
    assert_eq!(offer(&["SCRAM-SHA-1", "SCRAM-SHA-256"]), Ok(true));
    assert_eq!(offer(&["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]), Err(AuthError::BindingWithoutTls));
    let credentials = Credentials::new("user").with_password("pencil");
    let mut auth = Authenticator::new(credentials, Policy::default(), ChannelBinding::Tls, [0; 18]);
    let plus = [Text::from("SCRAM-SHA-256-PLUS")];
    assert_eq!(
        auth.receive(&Authentication::Sasl { mechanisms: List::new(&plus) }),
        Err(AuthError::NoMechanism)
    );
}

#[test]
fn gss_and_sspi() {
    for (method, request) in [(Method::Gss, Authentication::Gss), (Method::Sspi, Authentication::Sspi)] {
        let mut auth = authenticator();
        let mut out = Vec::new();
        assert_eq!(auth.receive(&request), Ok(Step::Token { method, token: "".into() }));
        assert_eq!(auth.respond(&mut out), Ok(false));
        assert_eq!(auth.respond_token(b"first", &mut out), Ok(true));
        assert_eq!(auth.respond_token(b"first", &mut out), Ok(false));
        let more = Authentication::GssContinue { data: "more".into() };
        assert_eq!(auth.receive(&more), Ok(Step::Token { method, token: "more".into() }));
        assert_eq!(
            auth.respond_token(b"second", &mut SliceOutput::new(&mut [0; 10])),
            Err(EncodeError::Full)
        );
        assert_eq!(auth.respond_token(b"second", &mut out), Ok(true));
        assert_eq!(auth.receive(&Authentication::Ok), Ok(Step::Done));
        let mut expected = Vec::new();
        for data in ["first", "second"] {
            GSSResponse { data: data.into() }.encode(&mut expected).unwrap();
        }
        assert_eq!(out, expected);
    }
    // The server may be content with what the last token has proved: nothing need be sent.
    let mut auth = authenticator();
    let _ = auth.receive(&Authentication::Gss).unwrap();
    auth.respond_token(b"first", &mut Vec::new()).unwrap();
    let _ = auth.receive(&Authentication::GssContinue { data: "last".into() }).unwrap();
    assert_eq!(auth.receive(&Authentication::Ok), Ok(Step::Done));
    // But not before anything was.
    let mut auth = authenticator();
    let _ = auth.receive(&Authentication::Gss).unwrap();
    assert!(auth.receive(&Authentication::Ok).is_err());
}

#[test]
fn tokens() {
    let try_token = |token| {
        let credentials = Credentials::new("user").with_token(token);
        let mut auth = Authenticator::new(credentials, Policy::default(), ChannelBinding::NoTls, [0; 18]);
        auth.receive(&BEARER).map(|_| ())
    };
    for token in ["", "a", "a=", "a==", "AZaz09-._~+/"] {
        assert_eq!(try_token(token), Ok(()), "{token}");
    }
    for token in ["=", "a=b", "a b", "a\u{1}", "a,b", "é", "a\n"] {
        assert_eq!(try_token(token), Err(AuthError::BadToken), "{token}");
    }
    let long = "a".repeat(65_535);
    let credentials = Credentials::new("user").with_token(&long);
    let mut auth = Authenticator::new(credentials, Policy::default(), ChannelBinding::NoTls, [0; 18]);
    let _ = auth.receive(&BEARER).unwrap();
    assert!(matches!(auth.respond(&mut Vec::new()), Err(EncodeError::TooLarge { limit: 65_539, .. })));
}

#[test]
fn secrets_do_not_show() {
    let shown = format!("{:?} {:?}", at_final(), ChannelBinding::EndPoint(b"hash"));
    for secret in ["pencil", "token-", "hash", "112, 101"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("user") && shown.contains("AuthenticationSASLFinal"), "{shown}");
}

/// The decoder hands on what a server sends, so that the same bytes lead here.
#[test]
fn through_the_decoder() {
    let mut decoder = feedrate::Decoder::new(feedrate::pg::Backend::new(), feedrate::Array::<64>::new());
    let mut input = &b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"[..];
    let frame = decoder.feed(&mut input).unwrap().unwrap();
    let Ok(Message::Authentication(request)) = frame.message() else { panic!() };
    assert_eq!(authenticator().receive(&request), Ok(Step::Respond));
}
