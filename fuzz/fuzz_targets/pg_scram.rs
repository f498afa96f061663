//! Both halves of authentication with whatever a peer makes up, and with each other where somebody changes what is
//! sent.
//!
//! The first byte chooses the method and the channel. Then lines: the first letter of each is the kind of message, the
//! rest what is in it; see `request` and `response`.
#![no_main]

use feedrate::SliceOutput;
use feedrate::pg::backend::Authentication;
use feedrate::pg::frontend::{
    GSSResponse, Message, PasswordMessage, Query, SASLInitialResponse, SASLResponse,
};
use feedrate::pg::{List, Text};
use feedrate_pg::auth::{
    Authenticator, BindingPolicy, ChannelBinding, Credentials, Discovery, Login, LoginStep, Md5Verifier,
    Method, Outcome, Policy, Salt, Stored, Verifier,
};

const PASSWORD: &[u8] = b"nobody can guess this";
const HASH: &[u8] = &[7; 32];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&flags, data)) = data.split_first() else { return };
    let binding = match flags & 3 {
        0 => ChannelBinding::NoTls,
        1 => ChannelBinding::Tls,
        _ => ChannelBinding::EndPoint(HASH),
    };
    if flags & 0x80 == 0 {
        alone(data, flags, binding);
    } else {
        together(data, binding);
    }
});

fn client(binding: ChannelBinding<'static>) -> Authenticator<'static> {
    let credentials = Credentials::new("alice").with_password(PASSWORD).with_token("token");
    let policy = Policy { max_iterations: 100, binding: BindingPolicy::Prefer, ..Policy::default() };
    Authenticator::new(credentials, policy, binding, [0; 18])
}

fn scram(binding: ChannelBinding<'static>) -> Login<'static> {
    let verifier = Verifier::hash(PASSWORD, Salt::new(&[9; 16]).expect("a salt"), 3);
    Login::scram(verifier, binding, [1; 18])
}

/// Each half by itself: nobody is let in, and nobody believes anything, without the password.
fn alone(data: &[u8], flags: u8, binding: ChannelBinding<'static>) {
    let verifier = Verifier::hash(PASSWORD, Salt::new(&[9; 16]).expect("a salt"), 3);
    let mut login = match flags >> 2 & 7 {
        0 => Login::cleartext(Stored::Scram(verifier)),
        1 => Login::cleartext(Stored::Password(PASSWORD)),
        2 => Login::md5(Md5Verifier::hash(PASSWORD, b"alice"), [1; 4]),
        3 => Login::oauth(Discovery::default()),
        4 => Login::gss(),
        _ => scram(binding),
    };
    let mut auth = client(binding);
    let mut memory = [0; 512];
    for line in data.split(|&byte| byte == b'\n') {
        let Some((&kind, rest)) = line.split_first() else { continue };
        if kind.is_ascii_uppercase() {
            let names: Vec<Text<'_>> = rest.split(|&byte| byte == b' ').map(Text::from).collect();
            let received = auth.receive(&request(kind, rest, &names));
            let done = auth.is_done();
            let _ = auth.work(1);
            let mut out = SliceOutput::new(&mut memory);
            let wrote = auth.respond(&mut out).expect("room");
            assert_eq!(wrote, !out.as_bytes().is_empty());
            if received.is_err() {
                assert!(!wrote && !done && auth.receive(&Authentication::Ok).is_err());
            }
            let _ = auth.respond_token(rest, &mut SliceOutput::new(&mut memory));
            assert!(!done || auth.method() != Some(Method::Scram), "nobody knows the signature");
        } else {
            match login.receive(&response(kind, rest)) {
                LoginStep::Bearer(_) | LoginStep::Token(_) => login.refuse(),
                _ => {}
            }
            let mut out = SliceOutput::new(&mut memory);
            let _ = login.work(1);
            login.request(&mut out).expect("room");
            assert_ne!(login.outcome(), Outcome::Granted, "nobody knows the password");
            assert!(login.answer().is_none() || login.outcome() == Outcome::Pending);
        }
        let _ = format!("{auth:?} {login:?}");
    }
    if login.answer().is_none() && login.outcome() == Outcome::Pending {
        login.request(&mut SliceOutput::new(&mut memory)).expect("room");
    }
}

fn request<'a>(kind: u8, data: &'a [u8], names: &'a [Text<'a>]) -> Authentication<'a> {
    match kind {
        b'S' => Authentication::Sasl { mechanisms: List::new(names) },
        b'C' => Authentication::SaslContinue { data: data.into() },
        b'F' => Authentication::SaslFinal { data: data.into() },
        b'P' => Authentication::CleartextPassword,
        b'M' => Authentication::Md5Password { salt: [1; 4] },
        b'G' => Authentication::Gss,
        b'I' => Authentication::Sspi,
        b'T' => Authentication::GssContinue { data: data.into() },
        b'K' => Authentication::KerberosV5,
        b'X' => Authentication::Other { code: 99, data: data.into() },
        _ => Authentication::Ok,
    }
}

fn response(kind: u8, data: &[u8]) -> Message<'_> {
    match kind {
        b'i' | b'j' => {
            let space = data.iter().position(|&byte| byte == b' ').unwrap_or(data.len());
            let (mechanism, data) = (Text::from(&data[..space]), data.get(space + 1..).map(Into::into));
            Message::SASLInitialResponse(SASLInitialResponse { mechanism, data })
        }
        b'p' => Message::PasswordMessage(PasswordMessage { password: data.into() }),
        b't' => Message::GSSResponse(GSSResponse { data: data.into() }),
        b'q' => Message::Query(Query { sql: data.into() }),
        _ => Message::SASLResponse(SASLResponse { data: data.into() }),
    }
}

/// The halves with each other. Three bytes of `changes` each: in which message, where, and how.
fn together(changes: &[u8], binding: ChannelBinding<'static>) {
    let (mut auth, mut login) = (client(binding), scram(binding));
    let mut changed = 0;
    let mut change = |message: u8, bytes: &[u8]| {
        let mut other = bytes.to_vec();
        for change in changes.chunks_exact(3).filter(|change| change[0] % 4 == message) {
            let at = usize::from(change[1]) % bytes.len();
            other[at] ^= change[2];
        }
        changed += usize::from(other != bytes);
        (other, changed)
    };
    let mut out = Vec::new();
    login.request(&mut out).expect("memory");
    let names = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"].map(Text::from);
    let names = if binding == ChannelBinding::EndPoint(HASH) { &names[..] } else { &names[1..] };
    let _ = auth.receive(&Authentication::Sasl { mechanisms: List::new(names) }).expect("a request");
    out.clear();
    auth.respond(&mut out).expect("memory");
    // After the type, the length, the mechanism with its NUL and the data's length.
    let (first, _) = change(0, &out[5 + names[0].as_bytes().len() + 5..]);
    let data = Some(first[..].into());
    let _ = login.receive(&Message::SASLInitialResponse(SASLInitialResponse { mechanism: names[0], data }));
    out.clear();
    if !login.request(&mut out).expect("memory") {
        return;
    }
    let (challenge, _) = change(1, &out[9..]);
    out.clear();
    if auth.receive(&Authentication::SaslContinue { data: challenge[..].into() }).is_err() {
        return;
    }
    auth.respond(&mut out).expect("memory");
    let (proof, changed) = change(2, &out[5..]);
    let _ = login.receive(&response(b'r', &proof));
    out.clear();
    login.request(&mut out).expect("memory");
    assert_eq!(login.outcome() == Outcome::Granted, changed == 0, "whatever is changed shows");
    if changed == 0 {
        let (signature, changed) = change(3, &out[9..9 + 46]);
        let verified = auth.receive(&Authentication::SaslFinal { data: signature[..].into() }).is_ok();
        assert_eq!(verified, changed == 0);
    }
    let _ = auth.receive(&Authentication::Ok);
    assert_eq!(auth.is_done(), change(4, b"").1 == 0);
}
