//! Which transports are tried, against servers that accept and reject: the tables of libpq's
//! `t/005_negotiate_encryption.pl`, without GSSAPI in the server.

use feedrate::pg::Text;
use feedrate::pg::backend::SqlState;
use feedrate_pg::conninfo::{Attempts, Facts, Failure, Settings, Step, Transport, Verdict};

/// A server with or without TLS, and where it goes wrong, if anywhere.
#[derive(Clone, Copy)]
struct Server {
    tls: bool,
    error: Option<&'static str>,
}

/// Tries until there is a connection: what happens, and what comes of it.
fn connect(text: &str, server: Server) -> String {
    let mut settings = Settings::new(Vec::new());
    settings.parse(text).unwrap();
    let Ok(options) = settings.options() else { return "- -> fail".into() };
    let mut attempts = Attempts::new(settings.hosts().unwrap(), options, 0);
    let mut events = Vec::new();
    while let Some(step) = attempts.step() {
        let Step::Connect(attempt) = step else { panic!("{step:?}: nothing to resolve") };
        assert_eq!(attempt.again, !events.is_empty(), "the time-out goes on when the address is tried again");
        events.push(if events.is_empty() { "connect" } else { "reconnect" });
        match server.login(attempt.transport, settings.user().unwrap(), &mut attempts, &mut events) {
            Ok(outcome) => {
                assert_eq!(attempts.judge(&Facts::default()), Verdict::Accept);
                return format!("{} -> {outcome}", events.join(", "));
            }
            Err(failure) => attempts.failed(failure),
        }
    }
    format!("{} -> fail", events.join(", "))
}

impl Server {
    /// One connection.
    fn login(
        self,
        transport: Transport,
        user: Text<'_>,
        attempts: &mut Attempts<'_>,
        events: &mut Vec<&'static str>,
    ) -> Result<&'static str, Failure> {
        let mut fails = |event, failure| {
            events.push(event);
            Err(failure)
        };
        let tls = match (transport, self.tls) {
            (Transport::Plain, _) => false,
            (Transport::Tls, _) if self.error == Some("backenderror") => {
                return fails("backenderror", Failure::Other);
            }
            (Transport::Tls, _) if self.error == Some("v2error") => return fails("v2error", Failure::Other),
            (Transport::Tls, true) => {
                events.push("sslaccept");
                true
            }
            (Transport::Tls, false) => {
                events.push("sslreject");
                if !attempts.tls_refused() {
                    return Err(Failure::Tls);
                }
                false
            }
            (Transport::DirectTls, true) => {
                events.push("directsslaccept");
                true
            }
            (Transport::DirectTls, false) => return fails("directsslreject", Failure::Tls),
        };
        if tls && self.error.is_some() {
            events.push("backenderror");
            return Err(Failure::Tls);
        }
        if user == if tls { "nossluser" } else { "ssluser" } {
            events.push("authfail");
            return Err(Failure::Rejected(SqlState(*b"28000")));
        }
        events.push("authok");
        Ok(if tls { "ssl" } else { "plain" })
    }
}

/// A user and an sslmode; a dot is as in the line before.
const WITHOUT_TLS: &str = "
    testuser   disable  postgres  connect, authok                                   -> plain
    .          allow    postgres  connect, authok                                   -> plain
    .          prefer   postgres  connect, sslreject, authok                        -> plain
    .          require  postgres  connect, sslreject                                -> fail
    .          require  direct    connect, directsslreject                          -> fail
    .          disable  direct    -                                                 -> fail
    .          allow    direct    -                                                 -> fail
    .          prefer   direct    -                                                 -> fail
    ssluser    disable  postgres  connect, authfail                                 -> fail
    .          allow    postgres  connect, authfail, reconnect, sslreject           -> fail
    .          prefer   postgres  connect, sslreject, authfail                      -> fail
";

const WITH_TLS: &str = "
    testuser   disable  postgres  connect, authok                                   -> plain
    .          allow    postgres  connect, authok                                   -> plain
    .          prefer   postgres  connect, sslaccept, authok                        -> ssl
    .          require  postgres  connect, sslaccept, authok                        -> ssl
    .          require  direct    connect, directsslaccept, authok                  -> ssl
    ssluser    disable  postgres  connect, authfail                                 -> fail
    .          allow    postgres  connect, authfail, reconnect, sslaccept, authok   -> ssl
    .          prefer   postgres  connect, sslaccept, authok                        -> ssl
    .          require  postgres  connect, sslaccept, authok                        -> ssl
    .          require  direct    connect, directsslaccept, authok                  -> ssl
    nossluser  disable  postgres  connect, authok                                   -> plain
    .          allow    postgres  connect, authok                                   -> plain
    .          prefer   postgres  connect, sslaccept, authfail, reconnect, authok   -> plain
    .          require  postgres  connect, sslaccept, authfail                      -> fail
    .          require  direct    connect, directsslaccept, authfail                -> fail
    .          disable  direct    -                                                 -> fail
    .          allow    direct    -                                                 -> fail
    .          prefer   direct    -                                                 -> fail
";

fn try_table(table: &str, tls: bool) -> usize {
    let mut user = "";
    let mut tried = 0;
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<_> = line.split_whitespace().collect();
        if words[0] != "." {
            user = words[0];
        }
        let (mode, negotiation, expected) = (words[1], words[2], words[3..].join(" "));
        // Everything that requires TLS is alike.
        let modes: &[_] = if mode == "require" { &["require", "verify-ca", "verify-full"] } else { &[mode] };
        for mode in modes {
            for gss in ["disable", "prefer", "require"] {
                let text = format!(
                    "hostaddr=127.0.0.1 user={user} sslmode={mode} sslnegotiation={negotiation} gssencmode={gss}"
                );
                let expected = if gss == "require" { "- -> fail" } else { &expected };
                assert_eq!(connect(&text, Server { tls, error: None }), expected, "{text}, TLS: {tls}");
                tried += 1;
            }
        }
    }
    tried
}

#[test]
fn all_modes_against_servers_with_and_without_tls() {
    assert_eq!(try_table(WITHOUT_TLS, false), (11 + 2 * 2) * 3);
    assert_eq!(try_table(WITH_TLS, true), (18 + 6 * 2) * 3);
}

#[test]
fn errors_before_authentication() {
    for (error, expected) in [
        ("backenderror", "connect, backenderror -> fail"),
        ("v2error", "connect, v2error -> fail"),
        ("in the handshake", "connect, sslaccept, backenderror, reconnect, authok -> plain"),
    ] {
        let text = "hostaddr=127.0.0.1 user=testuser sslmode=prefer";
        assert_eq!(connect(text, Server { tls: true, error: Some(error) }), expected, "{error}");
    }
}

#[test]
fn there_is_no_tls_over_unix_sockets() {
    for mode in ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] {
        for user in ["localuser", "nossluser"] {
            let text = format!("host=/tmp user={user} sslmode={mode}");
            assert_eq!(
                connect(&text, Server { tls: true, error: None }),
                "connect, authok -> plain",
                "{text}"
            );
        }
        let text = format!("host=/tmp user=ssluser sslmode={mode}");
        assert_eq!(connect(&text, Server { tls: true, error: None }), "connect, authfail -> fail", "{text}");
    }
}
