//! `require_auth`, `channel_binding`, iterations.

use feedrate::pg::backend::Authentication;
use feedrate::pg::{List, Text};
use feedrate_pg::auth::{
    AuthError, Authenticator, BadPolicy, BindingPolicy, ChannelBinding, Credentials, Method, Methods, Policy,
    Step,
};

use crate::talk::challenge;

/// As libpq reads them (src/interfaces/libpq/fe-connect.c, and t/001_password.pl).
#[test]
fn require_auth() {
    for (text, expected) in [
        ("", "none,password,md5,scram-sha-256,oauth,gss,sspi"),
        ("password", "password"),
        ("scram-sha-256,md5", "md5,scram-sha-256"),
        ("none,password", "none,password"),
        ("!scram-sha-256", "none,password,md5,oauth,gss,sspi"),
        ("!none", "password,md5,scram-sha-256,oauth,gss,sspi"),
        ("!none,!gss,!sspi,!oauth,!md5,!password", "scram-sha-256"),
    ] {
        assert_eq!(Methods::parse(text).unwrap().to_string(), expected, "{text}");
    }
    for (text, error) in [
        ("unknown", BadPolicy::UnknownMethod),
        ("password,", BadPolicy::UnknownMethod),
        (",", BadPolicy::UnknownMethod),
        ("!", BadPolicy::UnknownMethod),
        ("!!md5", BadPolicy::UnknownMethod),
        (" md5", BadPolicy::UnknownMethod),
        ("MD5", BadPolicy::UnknownMethod),
        ("!none,md5", BadPolicy::Mixed),
        ("md5,!none", BadPolicy::Mixed),
        ("md5,md5", BadPolicy::Twice { method: Method::Md5 }),
        ("!none,!md5,!none", BadPolicy::Twice { method: Method::None }),
    ] {
        assert_eq!(Methods::parse(text), Err(error), "{text}");
    }
    assert_eq!(format!("{:?}", Methods::parse("md5,none").unwrap()), "{None, Md5}");
    assert_eq!(Methods::EMPTY.with(Method::Md5).with(Method::None).without(Method::None).to_string(), "md5");
}

#[test]
fn channel_binding() {
    assert_eq!(BindingPolicy::parse("disable"), Ok(BindingPolicy::Disable));
    assert_eq!(BindingPolicy::parse("prefer"), Ok(BindingPolicy::Prefer));
    assert_eq!(BindingPolicy::parse("require"), Ok(BindingPolicy::Require));
    assert_eq!(BindingPolicy::parse(""), Err(BadPolicy::UnknownBinding));
}

fn authenticator(policy: Policy) -> Authenticator<'static> {
    let credentials = Credentials::new("alice").with_password("pencil").with_token("token");
    Authenticator::new(credentials, policy, ChannelBinding::NoTls, [0; 18])
}

const SCRAM: &[Text<'_>] = &[Text::from_bytes(b"SCRAM-SHA-256")];
const BEARER: &[Text<'_>] = &[Text::from_bytes(b"OAUTHBEARER")];
const BOTH: &[Text<'_>] = &[Text::from_bytes(b"OAUTHBEARER"), Text::from_bytes(b"SCRAM-SHA-256")];

const fn sasl(mechanisms: &'static [Text<'static>]) -> Authentication<'static> {
    Authentication::Sasl { mechanisms: List::new(mechanisms) }
}

const REQUESTS: [(Method, Authentication<'_>); 7] = [
    (Method::None, Authentication::Ok),
    (Method::Password, Authentication::CleartextPassword),
    (Method::Md5, Authentication::Md5Password { salt: [1, 2, 3, 4] }),
    (Method::Scram, sasl(SCRAM)),
    (Method::OAuth, sasl(BEARER)),
    (Method::Gss, Authentication::Gss),
    (Method::Sspi, Authentication::Sspi),
];

/// Each request, with each method allowed alone, and with each refused alone.
#[test]
fn each_method() {
    for (asked, request) in REQUESTS {
        for (method, _) in REQUESTS {
            for allowed in [Methods::EMPTY.with(method), Methods::ALL.without(method)] {
                let mut auth = authenticator(Policy { methods: allowed, ..Policy::default() });
                let step = auth.receive(&request);
                if allowed.contains(asked) {
                    assert!(step.is_ok(), "{asked} {allowed}: {step:?}");
                    assert_eq!(auth.method(), Some(asked));
                } else {
                    assert_eq!(step, Err(AuthError::Refused { asked, allowed }));
                    assert_eq!(auth.receive(&request), Err(AuthError::Dead));
                }
            }
        }
    }
}

/// Nothing but SCRAM-SHA-256-PLUS is bound.
#[test]
fn binding_is_required() {
    for (asked, request) in REQUESTS {
        let mut auth = authenticator(Policy { binding: BindingPolicy::Require, ..Policy::default() });
        let step = auth.receive(&request);
        assert!(matches!(step, Err(AuthError::NoBinding { .. })), "{asked}: {step:?}");
    }
}

/// A server that offers both is given what the client may, and can.
#[test]
fn either_mechanism() {
    let method = |credentials: Credentials<'static>, methods: &str| {
        let policy = Policy { methods: Methods::parse(methods).unwrap(), ..Policy::default() };
        let mut auth = Authenticator::new(credentials, policy, ChannelBinding::NoTls, [0; 18]);
        auth.receive(&sasl(BOTH)).map(|_| auth.method().unwrap())
    };
    let nobody = Credentials::new("alice");
    let password = || nobody.clone().with_password("pencil");
    let token = || nobody.clone().with_token("token");
    assert_eq!(method(password(), ""), Ok(Method::Scram));
    assert_eq!(method(token(), ""), Ok(Method::OAuth));
    assert_eq!(method(password().with_token("token"), ""), Ok(Method::Scram));
    assert_eq!(method(password().with_token("token"), "!scram-sha-256"), Ok(Method::OAuth));
    let missing = Err(AuthError::Missing { method: Method::Scram, missing: "password" });
    assert_eq!(method(nobody.clone(), ""), missing);
    let refused = method(password(), "oauth");
    assert!(matches!(refused, Err(AuthError::Refused { asked: Method::Scram, .. })), "{refused:?}");
}

#[test]
fn something_is_missing() {
    for (method, request) in REQUESTS {
        let mut auth =
            Authenticator::new(Credentials::new("alice"), Policy::default(), ChannelBinding::NoTls, [0; 18]);
        let missing = match method {
            Method::Password | Method::Md5 | Method::Scram => "password",
            Method::OAuth => "token",
            _ => {
                assert!(auth.receive(&request).is_ok());
                continue;
            }
        };
        assert_eq!(auth.receive(&request), Err(AuthError::Missing { method, missing }));
    }
}

#[test]
fn iterations() {
    let ask = |policy: Policy, count: &str| {
        let mut auth = authenticator(policy);
        let _ = auth.receive(&sasl(SCRAM)).unwrap();
        auth.respond(&mut Vec::new()).unwrap();
        let message = format!("r=AAAAAAAAAAAAAAAAAAAAAAAAserver,s=W22ZaJ0SNY7soEsUEjb6gQ==,i={count}");
        let step = auth.receive(&challenge(message.as_bytes())).map(|step| format!("{step:?}"));
        (step, auth.left())
    };
    let bounds = Policy { min_iterations: 10, max_iterations: 20, ..Policy::default() };
    let error = |asked, min, max| (Err(AuthError::Iterations { asked, min, max }), 0);
    assert_eq!(ask(bounds, "9"), error(9, 10, 20));
    assert_eq!(ask(bounds, "10"), (Ok("Work".into()), 9));
    assert_eq!(ask(bounds, "20"), (Ok("Work".into()), 19));
    assert_eq!(ask(bounds, "21"), error(21, 10, 20));
    let default = Policy::default();
    assert_eq!(ask(default, "1"), (Ok("Respond".into()), 0));
    assert_eq!(ask(default, "1000000"), (Ok("Work".into()), 999_999));
    assert_eq!(ask(default, "1000001"), error(1_000_001, 1, 1_000_000));
    assert_eq!(ask(default, "99999999999999999999"), error(u32::MAX, 1, 1_000_000));
    assert_eq!(
        format!("{:?}", authenticator(default).receive(&sasl(SCRAM))),
        format!("{:?}", Ok::<_, ()>(Step::Respond))
    );
}
