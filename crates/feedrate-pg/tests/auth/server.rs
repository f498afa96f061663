//! The server's half, and every violation of a client's.

use feedrate::pg::backend::{self, Authentication};
use feedrate::pg::frontend::{Answer, GSSResponse, Message, PasswordMessage, StartupMessage};
use feedrate::pg::{Backend, Frontend, List, Version};
use feedrate::{Array, Decoder, Encode, EncodeError, SliceOutput};
use feedrate_pg::auth::{
    ChannelBinding, Discovery, Login, LoginStep, Md5Verifier, Outcome, Refusal, Salt, Stored, Verifier,
};

use crate::talk::{initial, response};

const HASH: &[u8] = &[7; 32];
const FIRST: &[u8] = b"n,,n=,r=clientnonce";
const CHALLENGE: &[u8] = b"r=clientnonceAgICAgICAgICAgICAgICAgIC,s=CQkJCQkJCQkJCQkJCQkJCQ==,i=2";
/// Of Python's hashlib.
const PROOF: &[u8] =
    b"c=biws,r=clientnonceAgICAgICAgICAgICAgICAgIC,p=yaG8qKbjNvJmaWNnrB+Zc8ygCPPfz/2Hs8Ti9+3sxZg=";
const SIGNATURE: &[u8] = b"v=pSt4UIXTBvirACVGm75fEem7LiUM3g8gyq48tE21rwM=";

fn verifier() -> Verifier {
    Verifier::hash(b"pencil", Salt::new(&[9; 16]).unwrap(), 2)
}

fn scram(binding: ChannelBinding<'static>) -> Login<'static> {
    begun(Login::scram(verifier(), binding, [2; 18]))
}

/// The first request has been sent.
fn begun(mut login: Login<'static>) -> Login<'static> {
    assert_eq!(login.request(&mut Vec::new()), Ok(true));
    assert_eq!(login.request(&mut Vec::new()), Ok(false), "once");
    login
}

fn challenged() -> Login<'static> {
    let mut login = scram(ChannelBinding::NoTls);
    assert_eq!(login.receive(&initial("SCRAM-SHA-256", FIRST)), LoginStep::Request);
    assert_eq!(login.request(&mut Vec::new()), Ok(true));
    login
}

fn refusal(mut login: Login<'_>, message: &Message<'_>) -> Refusal {
    assert_eq!(login.receive(message), LoginStep::Request);
    let Outcome::Refused(refusal) = login.outcome() else { panic!("{:?} {message:?}", login.outcome()) };
    assert_eq!(login.request(&mut Vec::new()), Ok(false));
    assert_eq!(login.answer(), None);
    // Nothing makes it better.
    login.accept();
    login.refuse();
    let _ = login.receive(&initial("SCRAM-SHA-256", FIRST));
    assert_eq!(login.outcome(), Outcome::Refused(refusal));
    assert_eq!(login.client_key(), None);
    refusal
}

#[test]
fn an_exchange() {
    let mut login = Login::scram(verifier(), ChannelBinding::NoTls, [2; 18]);
    assert_eq!(login.answer(), None);
    let mut out = Vec::new();
    login.request(&mut out).unwrap();
    assert_eq!(login.answer(), Some(Answer::SaslInitial));
    assert_eq!(login.receive(&initial("SCRAM-SHA-256", FIRST)), LoginStep::Request);
    login.request(&mut out).unwrap();
    assert_eq!(login.answer(), Some(Answer::Sasl));
    assert_eq!((login.outcome(), login.client_key()), (Outcome::Pending, None));
    assert_eq!(login.receive(&response(PROOF)), LoginStep::Request);
    assert_eq!(login.outcome(), Outcome::Pending);
    login.request(&mut out).unwrap();
    assert_eq!((login.outcome(), login.answer()), (Outcome::Granted, None));
    assert!(login.client_key().is_some());

    let mut expected = Vec::new();
    let mechanisms = [feedrate::pg::Text::from("SCRAM-SHA-256")];
    for message in [
        Authentication::Sasl { mechanisms: List::new(&mechanisms) },
        Authentication::SaslContinue { data: CHALLENGE.into() },
        Authentication::SaslFinal { data: SIGNATURE.into() },
        Authentication::Ok,
    ] {
        message.encode(&mut expected).unwrap();
    }
    assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

/// Into too little memory: nothing is written, and it can be tried again.
#[test]
fn no_room() {
    let fill = |login: &mut Login<'_>| {
        for size in 0.. {
            let mut memory = vec![0; size];
            let mut out = SliceOutput::new(&mut memory);
            match login.request(&mut out) {
                Ok(true) => return out.as_bytes().to_vec(),
                Ok(false) => panic!(),
                Err(error) => assert_eq!((error, out.as_bytes()), (EncodeError::Full, &b""[..])),
            }
        }
        Vec::new()
    };
    for (login, length) in [
        (Login::trust(), 9),
        (Login::cleartext(Stored::Password(b"x")), 9),
        (Login::md5(Md5Verifier::unknown(), [1; 4]), 13),
        (Login::scram(verifier(), ChannelBinding::EndPoint(HASH), [2; 18]), 43),
        (Login::oauth(Discovery::default()), 22),
        (Login::gss(), 9),
        (Login::sspi(), 9),
    ] {
        let mut login = login;
        assert_eq!(fill(&mut login).len(), length, "{login:?}");
    }
    let mut login = challenged();
    let _ = login.receive(&response(PROOF));
    assert_eq!(fill(&mut login).len(), 9 + 46 + 9);
    assert_eq!(login.outcome(), Outcome::Granted);

    let mut login = begun(Login::oauth(Discovery { scope: "a", configuration: "b" }));
    assert!(matches!(login.receive(&initial("OAUTHBEARER", b"n,,\x01auth=\x01\x01")), LoginStep::Bearer(_)));
    login.refuse();
    let mut decoder = Decoder::new(Backend::new(), Array::<256>::new());
    let out = fill(&mut login);
    let mut input = &out[..];
    let frame = decoder.feed(&mut input).unwrap().unwrap();
    let data = br#"{"status":"invalid_token","openid-configuration":"b","scope":"a"}"#.into();
    assert_eq!(frame.message(), Ok(backend::Message::Authentication(Authentication::SaslContinue { data })));
}

#[test]
fn malformed_first_messages() {
    for (message, at) in [
        (&b""[..], 0),
        (b"n", 0),
        (b"x,,n=,r=a", 0),
        (b"n,a=admin,n=,r=a", 0),
        (b"y,a=admin,n=,r=a", 0),
        (b"p=tls-unique,,n=,r=a", 0),
        (b"p=tls-server-end-point,a=x,n=,r=a", 0),
        (b"n,,", 3),
        (b"n,,r=a", 3),
        (b"n,,m=x,n=,r=a", 3),
        (b"n,,n=", 5),
        (b"n,,n=,", 6),
        (b"n,,n=a\0b,r=a", 5),
        (b"n,,n=,r=", 8),
        (b"n,,n=,r=a b", 6),
        (b"n,,n=,r=\x7f", 6),
        (b"n,,n=,r=a,", 10),
        (b"n,,n=,r=a,m=x", 10),
    ] {
        let refusal = refusal(scram(ChannelBinding::NoTls), &initial("SCRAM-SHA-256", message));
        let Refusal::Malformed { message: "client-first-message", at: found, .. } = refusal else {
            panic!("{}: {refusal:?}", message.escape_ascii());
        };
        assert_eq!(found, at, "{}: {refusal}", message.escape_ascii());
        assert_eq!(refusal.sql_state(), "08P01");
    }
    for message in [&b"n,,n=,r=a,x=1"[..], b"n,,n=user,r=a", b"y,,n=,r=!~"] {
        let mut login = scram(ChannelBinding::NoTls);
        let _ = login.receive(&initial("SCRAM-SHA-256", message));
        assert_eq!(login.outcome(), Outcome::Pending, "{}", message.escape_ascii());
    }
    let long = |size: usize| [b"n,,n=,r=", &vec![b'x'; size - 5][..]].concat();
    let mut login = scram(ChannelBinding::NoTls);
    let _ = login.receive(&initial("SCRAM-SHA-256", &long(256)));
    assert_eq!(login.outcome(), Outcome::Pending);
    let refusal = refusal(scram(ChannelBinding::NoTls), &initial("SCRAM-SHA-256", &long(257)));
    assert!(matches!(refusal, Refusal::TooLong { limit: 256, .. }), "{refusal:?}");
}

#[test]
fn malformed_final_messages() {
    let proof = std::str::from_utf8(PROOF).unwrap();
    let (without, value) = proof.split_once(",p=").unwrap();
    for (message, at) in [
        (String::new(), 0),
        (without[7..].to_owned(), 0),
        ("c=,r=a,p=b".into(), 2),
        ("c=biws".into(), 6),
        ("c=biws,".into(), 7),
        ("c=biws,p=a".into(), 7),
        (without.into(), without.len()),
        (format!("{without},"), without.len() + 1),
        (format!("{without},p="), without.len() + 3),
        (format!("{without},p={}", &value[1..]), without.len() + 1),
        (format!("{without},p={value}A"), without.len() + 1),
        (format!("{without},p={}", value.repeat(2)), without.len() + 1),
        (format!("{without},p={}", &value[4..]), without.len() + 1),
        (format!("{without},p={value},"), without.len() + 3 + value.len()),
        (format!("{without},p={value},x=1"), without.len() + 3 + value.len()),
        (format!("{without},m=1,p={value}"), without.len() + 1),
        (format!("{without},x,p={value}"), without.len() + 1),
    ] {
        let refusal = refusal(challenged(), &response(message.as_bytes()));
        let Refusal::Malformed { message: "client-final-message", at: found, .. } = refusal else {
            panic!("{message}: {refusal:?}");
        };
        assert_eq!(found, at, "{message}: {refusal}");
    }
    for message in
        [proof.replace("client", "Client"), proof.replace("IC,", "IC/,"), proof.replace("AgIC,", ",")]
    {
        assert_eq!(refusal(challenged(), &response(message.as_bytes())), Refusal::Nonce, "{message}");
    }
    // The channel: `y,,`, and none.
    for binding in ["eSws", "biwsAAAA", "cD10bHMtc2VydmVyLWVuZC1wb2ludCws"] {
        let message = proof.replace("biws", binding);
        let refusal = refusal(challenged(), &response(message.as_bytes()));
        assert!(matches!(refusal, Refusal::Binding { .. }), "{message}: {refusal:?}");
        assert_eq!(refusal.sql_state(), "28000");
    }
    // An extension is left alone, and is part of what is signed.
    let message = format!("{without},x=1,p={value}");
    assert_eq!(refusal(challenged(), &response(message.as_bytes())), Refusal::Denied);
    assert_eq!(Refusal::Denied.sql_state(), "28P01");
}

#[test]
fn mechanisms() {
    let end_point = ChannelBinding::EndPoint(HASH);
    for name in ["", "scram-sha-256", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS", "OAUTHBEARER"] {
        assert_eq!(refusal(scram(ChannelBinding::Tls), &initial(name, FIRST)), Refusal::Mechanism, "{name}");
    }
    let binding = |name, first: &[u8]| {
        let refusal = refusal(scram(end_point), &initial(name, first));
        matches!(refusal, Refusal::Binding { .. })
    };
    assert!(binding("SCRAM-SHA-256-PLUS", b"n,,n=,r=a"));
    assert!(binding("SCRAM-SHA-256-PLUS", b"y,,n=,r=a"));
    assert!(binding("SCRAM-SHA-256", b"y,,n=,r=a"), "the offer was tampered with");
    assert!(binding("SCRAM-SHA-256", b"p=tls-server-end-point,,n=,r=a"));
    for (name, first) in
        [("SCRAM-SHA-256", &b"n,,n=,r=a"[..]), ("SCRAM-SHA-256-PLUS", b"p=tls-server-end-point,,n=,r=a")]
    {
        let mut login = scram(end_point);
        let _ = login.receive(&initial(name, first));
        assert_eq!(login.outcome(), Outcome::Pending);
    }
}

/// A client need not begin: then it is asked to.
#[test]
fn no_initial_data() {
    let mut login = scram(ChannelBinding::NoTls);
    let message =
        feedrate::pg::frontend::SASLInitialResponse { mechanism: "SCRAM-SHA-256".into(), data: None };
    assert_eq!(login.receive(&Message::SASLInitialResponse(message)), LoginStep::Request);
    let mut out = Vec::new();
    login.request(&mut out).unwrap();
    assert_eq!(out, b"R\0\0\0\x08\0\0\0\x0b");
    assert_eq!(login.answer(), Some(Answer::Sasl));
    let _ = login.receive(&response(FIRST));
    login.request(&mut out).unwrap();
    let _ = login.receive(&response(PROOF));
    login.request(&mut out).unwrap();
    assert_eq!(login.outcome(), Outcome::Granted);
}

/// RFC 7628, sections 4.1 and 4.3, and every violation.
#[test]
fn bearer_tokens() {
    let login = || begun(Login::oauth(Discovery::default()));
    for (message, token) in [
        (
            &b"n,,\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01"[..],
            "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==",
        ),
        (b"n,,\x01host=server.example.com\x01port=143\x01auth=bearer   a\x01\x01", "a"),
        (b"y,,\x01auth=BEARER a\x01x=\t y\r\n\x01\x01", "a"),
        (b"n,,\x01auth=\x01\x01", ""),
    ] {
        assert_eq!(login().receive(&initial("OAUTHBEARER", message)), LoginStep::Bearer(token.into()));
    }
    for (message, at) in [
        (&b""[..], 0),
        (b"n,,", 0),
        (b"n,a=alice,\x01auth=Bearer a\x01\x01", 0),
        (b"p=tls-server-end-point,,\x01auth=Bearer a\x01\x01", 0),
        (b"n,,\x01", 4),
        (b"n,,\x01\x01", 4),
        (b"n,,\x01auth=Bearer a", 4),
        (b"n,,\x01auth=Bearer a\x01", 18),
        (b"n,,\x01auth=Bearer a\x01\x01\x01", 18),
        (b"n,,\x01auth=Bearer a\x01auth=Bearer b\x01\x01", 18),
        (b"n,,\x01auth=\x01auth=Bearer b\x01\x01", 10),
        (b"n,,\x01auth=Basic a\x01\x01", 4),
        (b"n,,\x01auth=Bearer\x01\x01", 4),
        (b"n,,\x01auth=Bearer \x01\x01", 4),
        (b"n,,\x01auth=Bearer a b\x01\x01", 4),
        (b"n,,\x01auth=Bearer =a\x01\x01", 4),
        (b"n,,\x01auth=Bearer a\0\x01\x01", 4),
        (b"n,,\x01auth=Bearer \xc3\xa9\x01\x01", 4),
        (b"n,,\x01auth\x01\x01", 4),
        (b"n,,\x01=x\x01auth=Bearer a\x01\x01", 4),
        (b"n,,\x01a1=x\x01auth=Bearer a\x01\x01", 4),
        (b"n,,\x01host=\x7f\x01auth=Bearer a\x01\x01", 4),
        (b"n,,\x01host=x\x01\x01", 11),
    ] {
        let refusal = refusal(login(), &initial("OAUTHBEARER", message));
        let Refusal::Malformed { at: found, .. } = refusal else {
            panic!("{}: {refusal:?}", message.escape_ascii())
        };
        assert_eq!(found, at, "{}: {refusal}", message.escape_ascii());
    }
    assert_eq!(refusal(login(), &initial("SCRAM-SHA-256", b"n,,\x01auth=\x01\x01")), Refusal::Mechanism);
}

/// Every message at every place where it may not come, a second StartupMessage among them.
#[test]
fn out_of_place() {
    let password = Message::PasswordMessage(PasswordMessage { password: "pencil".into() });
    let gss = Message::GSSResponse(GSSResponse { data: "x".into() });
    let startup = StartupMessage { version: Version::V3_0, parameters: List::default() };
    let messages = [
        ("StartupMessage", Message::StartupMessage(startup)),
        ("Query", Message::Query(feedrate::pg::frontend::Query { sql: "select 1".into() })),
        ("PasswordMessage", password),
        ("SASLInitialResponse", initial("SCRAM-SHA-256", FIRST)),
        ("SASLResponse", response(PROOF)),
        ("GSSResponse", gss),
    ];
    let hashing = || {
        let mut login = begun(Login::cleartext(Stored::Scram(verifier())));
        let _ = login.receive(&password);
        login
    };
    let deciding = || {
        let mut login = begun(Login::gss());
        assert_eq!(login.receive(&gss), LoginStep::Token("x".into()));
        login
    };
    let due = "nothing before the server's next request";
    let places: [(&str, &dyn Fn() -> Login<'static>, &str); 9] = [
        (due, &|| Login::gss(), ""),
        ("PasswordMessage", &|| begun(Login::cleartext(Stored::Password(b"x"))), "PasswordMessage"),
        ("PasswordMessage", &|| begun(Login::md5(Md5Verifier::unknown(), [0; 4])), "PasswordMessage"),
        ("SASLInitialResponse", &|| scram(ChannelBinding::NoTls), "SASLInitialResponse"),
        ("SASLResponse", &challenged, "SASLResponse"),
        ("SASLInitialResponse", &|| begun(Login::oauth(Discovery::default())), "SASLInitialResponse"),
        ("GSSResponse", &|| begun(Login::sspi()), "GSSResponse"),
        (due, &hashing, ""),
        (due, &deciding, ""),
    ];
    for (expected, place, allowed) in places {
        for (what, message) in &messages {
            if *what != allowed {
                assert_eq!(refusal(place(), message), Refusal::OutOfPlace { what, expected });
            }
        }
    }
}

/// The decoder does not let a second StartupMessage through either.
#[test]
fn second_startup_on_the_wire() {
    const STARTUP: &[u8] = b"\0\0\0\x14\0\x03\0\0user\0alice\0\0";
    let mut decoder = Decoder::new(Frontend::new(), Array::<1024>::new());
    let mut input = STARTUP;
    assert!(decoder.feed(&mut input).unwrap().is_some());
    decoder.protocol_mut().expect(scram(ChannelBinding::NoTls).answer().unwrap());
    let mut input = STARTUP;
    assert!(decoder.feed(&mut input).is_err());
    let mut input = STARTUP;
    assert!(decoder.feed(&mut input).is_err(), "and is dead from there on");
}

#[test]
fn password_of_the_same_length() {
    let password = Message::PasswordMessage(PasswordMessage { password: "Pencil".into() });
    assert_eq!(refusal(begun(Login::cleartext(Stored::Password(b"pencil"))), &password), Refusal::Denied);
}

/// What is there instead of an unknown user's hash lets nobody in.
#[test]
fn md5_of_nobody() {
    // Of Python's hashlib: md5("0" * 32 + "\x01\x01\x01\x01").
    let password =
        Message::PasswordMessage(PasswordMessage { password: "md54fd2a0000686f96dacc3ef7b049ec98b".into() });
    let zeros = Md5Verifier::parse(b"md500000000000000000000000000000000").unwrap();
    let mut login = begun(Login::md5(zeros, [1; 4]));
    assert_eq!(login.receive(&password), LoginStep::Request);
    assert_eq!(login.outcome(), Outcome::Pending, "the hash is right");
    assert_eq!(refusal(begun(Login::md5(Md5Verifier::unknown(), [1; 4])), &password), Refusal::Denied);
}

#[test]
fn gss() {
    let token = |data: &'static str| Message::GSSResponse(GSSResponse { data: data.into() });
    let mut login = begun(Login::gss());
    let mut out = Vec::new();
    assert_eq!(login.request_token(b"early", &mut out), Ok(false));
    assert_eq!(login.answer(), Some(Answer::Gss));
    assert_eq!(login.receive(&token("first")), LoginStep::Token("first".into()));
    assert_eq!(login.request(&mut out), Ok(false));
    assert_eq!(login.request_token(b"more", &mut SliceOutput::new(&mut [0; 5])), Err(EncodeError::Full));
    assert_eq!(login.request_token(b"more", &mut out), Ok(true));
    assert_eq!(login.receive(&token("second")), LoginStep::Token("second".into()));
    login.accept();
    assert_eq!(login.outcome(), Outcome::Pending);
    login.request(&mut out).unwrap();
    assert_eq!(login.outcome(), Outcome::Granted);
    assert_eq!(out, b"R\0\0\0\x0c\0\0\0\x08moreR\0\0\0\x08\0\0\0\0");

    let mut login = begun(Login::gss());
    login.accept();
    assert_eq!(login.outcome(), Outcome::Pending, "nothing has been shown");
    let _ = login.receive(&token("first"));
    login.refuse();
    assert_eq!(login.outcome(), Outcome::Refused(Refusal::Caller));
}

/// Refusals are ErrorResponses, with all of their text.
#[test]
fn refusals_are_sent() {
    let long = Refusal::OutOfPlace {
        what: "SASLInitialResponse",
        expected: "nothing before the server's next request",
    };
    for refusal in
        [Refusal::Denied, Refusal::Token, Refusal::Caller, Refusal::Mechanism, Refusal::Nonce, long]
    {
        let mut out = Vec::new();
        refusal.encode(&mut out).unwrap();
        let mut decoder = Decoder::new(Backend::new(), Array::<512>::new());
        let mut input = &out[..];
        let frame = decoder.feed(&mut input).unwrap().unwrap();
        let Ok(backend::Message::ErrorResponse(error)) = frame.message() else { panic!() };
        assert_eq!(error.message().unwrap(), &*refusal.to_string());
        assert_eq!(error.sql_state().unwrap().as_str(), refusal.sql_state());
    }
}

#[test]
fn secrets_do_not_show() {
    let mut login = challenged();
    assert_eq!(format!("{login:?}"), "Login { outcome: Pending, expects: \"SASLResponse\" }");
    let _ = login.receive(&response(PROOF));
    assert_eq!(
        format!("{login:?}"),
        "Login { outcome: Pending, expects: \"nothing before the server's next request\" }"
    );
    assert_eq!(format!("{:?}", Stored::Password(b"pencil")), "Password");
}
