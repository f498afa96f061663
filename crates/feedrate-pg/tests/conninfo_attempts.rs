//! Hosts, addresses, versions, and which session is wanted.

use std::time::Duration;

use feedrate::pg::backend::SqlState;
use feedrate::pg::{Text, Version};
use feedrate_pg::conninfo::{
    Attempts, Facts, Failure, Invalid, Mismatch, Question, Settings, Step, TargetSessionAttrs, Verdict,
};

fn settings(text: &str) -> Settings<Vec<u8>> {
    let mut settings = Settings::new(Vec::new());
    settings.parse(text).unwrap();
    settings
}

fn attempts<'s>(settings: &'s Settings<Vec<u8>>, seed: u64) -> Attempts<'s> {
    Attempts::new(settings.hosts().unwrap(), settings.options().unwrap(), seed)
}

/// What is tried if every attempt fails so: host, address, and version if there are several. Names have two addresses.
fn tried(text: &str, seed: u64, mut fail: impl FnMut(&mut Attempts<'_>)) -> Vec<String> {
    let settings = settings(text);
    let mut attempts = attempts(&settings, seed);
    let mut tried = Vec::new();
    while let Some(step) = attempts.step() {
        assert_eq!(attempts.step(), Some(step), "nothing has been reported");
        match step {
            Step::Resolve(host) => attempts.resolved(if host.name == "unknown" { 0 } else { 2 }),
            Step::Connect(attempt) => {
                tried.push(format!("{}{} {}", attempt.host.name, attempt.host.address, attempt.address));
                fail(&mut attempts);
            }
        }
        assert!(tried.len() < 100);
    }
    tried
}

#[test]
fn each_address_of_each_host_in_order() {
    let unreachable = |attempts: &mut Attempts<'_>| attempts.failed(Failure::Unreachable);
    assert_eq!(tried("host=a,/tmp,unknown,b", 0, unreachable), ["a 0", "a 1", "/tmp 0", "b 0", "b 1"]);
    assert_eq!(tried("hostaddr=1.2.3.4,::1", 0, unreachable), ["1.2.3.4 0", "::1 0"]);
    assert_eq!(tried("host=unknown", 0, unreachable), [""; 0]);
    for (target, times) in [("standby", 1), ("primary", 1), ("prefer-standby", 2)] {
        let text = format!("hostaddr=::1,::2 target_session_attrs={target}");
        assert_eq!(tried(&text, 0, unreachable), ["::1 0", "::2 0"].repeat(times));
    }
    assert_eq!(tried("", 0, unreachable), ["localhost 0", "localhost 1"]);
}

#[test]
fn a_server_that_cannot_take_connections_now_sends_to_the_next_host() {
    let starting = |attempts: &mut Attempts<'_>| attempts.failed(Failure::Rejected(SqlState(*b"57P03")));
    assert_eq!(tried("host=a,b", 0, starting), ["a 0", "b 0"]);
    assert_eq!(
        tried("host=a,b sslmode=disable", 0, |attempts| attempts.failed(Failure::Question)),
        ["a 0", "b 0"]
    );
}

#[test]
fn nothing_follows_a_refused_login() {
    for failure in [Failure::Rejected(SqlState(*b"28P01")), Failure::Tls, Failure::Closed, Failure::Other] {
        assert_eq!(
            tried("host=a,b sslmode=require", 0, |attempts| attempts.failed(failure)),
            ["a 0"],
            "{failure:?}"
        );
    }
    let other = |attempts: &mut Attempts<'_>| attempts.failed(Failure::Other);
    assert_eq!(tried("host=a,b sslmode=prefer", 0, other), ["a 0"]);
    assert_eq!(tried("host=a,b target_session_attrs=prefer-standby", 0, other), ["a 0"]);
}

#[test]
fn random_order_has_every_host_and_address_once() {
    let mut orders = std::collections::BTreeMap::new();
    for seed in 0..600 {
        let text = "host=a,b,c load_balance_hosts=random";
        let order = tried(text, seed, |attempts| attempts.failed(Failure::Unreachable));
        let mut sorted = order.clone();
        sorted.sort();
        assert_eq!(sorted, ["a 0", "a 1", "b 0", "b 1", "c 0", "c 1"]);
        // The addresses of a host stay together.
        assert!(order.chunks(2).all(|pair| pair[0][..1] == pair[1][..1]), "{order:?}");
        *orders.entry(order).or_insert(0) += 1;
    }
    // Six orders of hosts, and each host's addresses in either order: each is as likely as any other.
    assert_eq!(orders.len(), 48);
    assert!(orders.values().all(|count| (1..=40).contains(count)), "{orders:?}");
}

#[test]
fn the_timeout_is_per_address() {
    let settings = settings("hostaddr=::1,::2 connect_timeout=7 sslmode=prefer");
    let mut attempts = attempts(&settings, 0);
    let mut next = || {
        let Some(Step::Connect(attempt)) = attempts.step() else { panic!() };
        assert_eq!(attempt.timeout, Some(Duration::from_secs(7)));
        attempts.failed(if attempt.again { Failure::Unreachable } else { Failure::Tls });
        (attempt.host.address, attempt.again)
    };
    assert_eq!(
        [next(), next(), next(), next()],
        [("::1", false), ("::1", true), ("::2", false), ("::2", true)]
    );
}

/// Versions that are asked for when every attempt fails so.
fn versions(text: &str, failure: Failure) -> Vec<Version> {
    let settings = settings(&format!("hostaddr=::1,::2 sslmode=disable {text}"));
    let mut attempts = attempts(&settings, 0);
    let mut versions = Vec::new();
    while let Some(Step::Connect(attempt)) = attempts.step() {
        assert_eq!(attempt.again, versions.len() % 2 == 1 && failure != Failure::Unreachable);
        versions.push(attempt.version);
        attempts.failed(failure);
    }
    versions
}

#[test]
fn old_servers_are_asked_for_3_0_when_3_2_has_failed() {
    use Version as V;
    let unsupported = Failure::Rejected(SqlState(*b"0A000"));
    let violation = Failure::Rejected(SqlState(*b"08P01"));
    let password = Failure::Rejected(SqlState(*b"28P01"));
    for (text, failure, expected) in [
        ("", Failure::Closed, &[V::V3_0][..]),
        ("max_protocol_version=3.2", Failure::Closed, &[V::V3_2, V::V3_0]),
        ("max_protocol_version=latest", unsupported, &[V::V3_2, V::V3_0]),
        ("max_protocol_version=latest", violation, &[V::V3_2, V::V3_0]),
        ("max_protocol_version=3.2", password, &[V::V3_2]),
        ("min_protocol_version=3.2", Failure::Closed, &[V::V3_2]),
        ("min_protocol_version=3.0", Failure::Closed, &[V::V3_0]),
        // Each address begins anew.
        ("max_protocol_version=3.2", Failure::Unreachable, &[V::V3_2, V::V3_2]),
    ] {
        assert_eq!(versions(text, failure), expected, "{text} {failure:?}");
    }
    let range = settings("min_protocol_version=3.2 max_protocol_version=3.0");
    assert_eq!(range.options(), Err(Invalid::ProtocolRange));
    assert!(settings("min_protocol_version=3.1").options().is_err());
}

#[test]
fn which_servers_are_wanted() {
    use TargetSessionAttrs as Target;
    let facts = |standby, read_only| {
        let mut facts = Facts::default();
        let say = |yes| Text::from(if yes { "on" } else { "off" });
        facts.parameter_status("server_version".into(), "on".into());
        facts.parameter_status("in_hot_standby".into(), say(standby));
        facts.parameter_status("default_transaction_read_only".into(), say(read_only));
        facts
    };
    // Wanted, and what becomes of a primary, of one that is read-only, and of a standby.
    for (target, primary, read_only, standby) in [
        (Target::Any, None, None, None),
        (Target::ReadWrite, None, Some(Mismatch::ReadOnly), Some(Mismatch::ReadOnly)),
        (Target::ReadOnly, Some(Mismatch::ReadWrite), None, None),
        (Target::Primary, None, None, Some(Mismatch::Standby)),
        (Target::Standby, Some(Mismatch::Primary), Some(Mismatch::Primary), None),
        (Target::PreferStandby, Some(Mismatch::Primary), Some(Mismatch::Primary), None),
    ] {
        for (facts, expected) in
            [(facts(false, false), primary), (facts(false, true), read_only), (facts(true, false), standby)]
        {
            let expected = expected.map_or(Verdict::Accept, Verdict::Reject);
            assert_eq!(target.verdict(&facts), expected, "{target:?} {facts:?}");
        }
    }
}

#[test]
fn servers_before_14_are_asked() {
    for (text, question, answers) in [
        ("read-write", Question::ReadOnly, [("off", true), ("on", false)]),
        ("read-only", Question::ReadOnly, [("on", true), ("off", false)]),
        ("primary", Question::InRecovery, [("f", true), ("t", false)]),
        ("standby", Question::InRecovery, [("t", true), ("f", false)]),
    ] {
        for (answer, accepted) in answers {
            let settings = settings(&format!("hostaddr=::1,::2 target_session_attrs={text}"));
            let mut attempts = attempts(&settings, 0);
            let mut facts = Facts::default();
            assert_eq!(attempts.judge(&facts), Verdict::Ask(question));
            facts.answer(question, answer.as_bytes());
            assert_eq!(attempts.judge(&facts) == Verdict::Accept, accepted, "{text} {answer}");
            let Some(Step::Connect(attempt)) = attempts.step() else { panic!() };
            assert_eq!(attempt.host.address, if accepted { "::1" } else { "::2" });
        }
    }
    assert_eq!(Question::ReadOnly.sql(), "SHOW transaction_read_only");
}

#[test]
fn prefer_standby_takes_any_in_a_second_pass() {
    let settings = settings("hostaddr=::1,::2 target_session_attrs=prefer-standby");
    let mut attempts = attempts(&settings, 0);
    let mut primary = Facts::default();
    primary.answer(Question::InRecovery, b"f");
    let mut hosts = Vec::new();
    while let Some(Step::Connect(attempt)) = attempts.step() {
        hosts.push(attempt.host.address);
        if hosts.len() == 3 {
            // It has gone meanwhile.
            attempts.failed(Failure::Unreachable);
        } else if attempts.judge(&primary) == Verdict::Accept {
            break;
        }
    }
    assert_eq!(hosts, ["::1", "::2", "::1", "::2"]);
}
