//! What holds for any text.

use feedrate::pg::Version;
use feedrate::pg::backend::SqlState;
use feedrate_pg::conninfo::{
    Attempts, Facts, Failure, Keyword, Place, Settings, SslMode, Step, Transport, Verdict, passfile,
};
use proptest::collection::vec;
use proptest::prelude::*;

type Listed = Vec<(Keyword, Vec<u8>)>;

fn listed(settings: &Settings<heapless::Vec<u8, 64>>) -> Listed {
    settings.iter().map(|(keyword, value)| (keyword, value.as_bytes().to_vec())).collect()
}

const PIECES: &[&str] = &[
    "postgres://",
    "host",
    "=",
    "user",
    "password",
    ",",
    ":",
    "@",
    "/",
    "[",
    "]",
    "?",
    "&",
    "%41",
    "%",
    "%00",
    " ",
    "'",
    "\\",
    "\n",
    "#",
    "*",
    "[s]",
    "sslmode",
    "require",
    "1",
    "\0",
];

/// Bytes with what matters among them.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => proptest::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// What a value can be.
fn value() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![proptest::sample::select(&b" '\\%=&,:/@?[]#ab1"[..]), 1..=255_u8], 0..12)
}

fn percent(value: &[u8]) -> String {
    value.iter().map(|byte| format!("%{byte:02x}")).collect()
}

const FAILURES: &[Failure] = &[
    Failure::Unreachable,
    Failure::Tls,
    Failure::Rejected(SqlState(*b"28P01")),
    Failure::Rejected(SqlState(*b"57P03")),
    Failure::Rejected(SqlState(*b"0A000")),
    Failure::Closed,
    Failure::Question,
    Failure::Other,
];

proptest! {
    #[test]
    fn whatever_comes_an_error_changes_nothing(texts in vec((0..4_u8, noise()), 0..6)) {
        let mut settings = Settings::new(heapless::Vec::<u8, 64>::new());
        for (source, text) in texts {
            let before = listed(&settings);
            let failed = match source {
                0 => settings.parse(&text).is_err(),
                1 => settings.service("s", &text).is_err(),
                2 => settings.environment(|name| (name.len() % 3 == 1).then_some(&text)).is_err(),
                _ => settings.parse_database(&text).is_err(),
            };
            prop_assert!(!failed || listed(&settings) == before);
            for (_, value) in listed(&settings) {
                prop_assert!(!value.contains(&0));
            }
            let _ = (settings.options(), settings.hosts().map(|hosts| hosts.iter().count()));
            let _ = passfile::find(&text, "host", 1, "a", "user").map(|password| password.bytes().count());
        }
    }

    #[test]
    fn what_is_quoted_is_read_back(values in vec((proptest::sample::select(&Keyword::ALL[..]), value()), 0..6)) {
        let mut pairs = Vec::new();
        let mut uri = String::from("postgresql://?");
        for (keyword, value) in &values {
            pairs.extend(format!("{keyword} = '").into_bytes());
            for byte in value {
                if matches!(byte, b'\'' | b'\\') {
                    pairs.push(b'\\');
                }
                pairs.push(*byte);
            }
            pairs.extend(b"' ");
            uri += &format!("{keyword}={}&", percent(value));
        }
        for text in [pairs, uri.into_bytes()] {
            let mut settings = Settings::new(Vec::new());
            settings.parse(&text).unwrap();
            for (keyword, value) in settings.iter() {
                let last = values.iter().rfind(|(other, _)| *other == keyword).unwrap();
                prop_assert_eq!(value.as_bytes(), &last.1[..]);
            }
            prop_assert!(values.iter().all(|(keyword, _)| settings.get(*keyword).is_some()));
        }
    }

    #[test]
    fn parts_of_a_uri_are_read_back(user in value(), password in value(), host in value(), database in value()) {
        let parts = [&user, &password, &host, &database].map(|part| percent(part));
        let text = format!("postgres://{}:{}@{}/{}", parts[0], parts[1], parts[2], parts[3]);
        let mut settings = Settings::new(Vec::new());
        settings.parse(text).unwrap();
        let keywords = [Keyword::User, Keyword::Password, Keyword::Host, Keyword::Database];
        for (keyword, part) in keywords.into_iter().zip([user, password, host, database]) {
            let expected = Some(&part[..]).filter(|part| !part.is_empty());
            prop_assert_eq!(settings.get(keyword).map(|text| text.as_bytes()), expected);
        }
    }

    #[test]
    fn passwords_are_read_back(fields in [value(), value(), value()], password in value(), port in 1..=u16::MAX) {
        let escaped = |text: &[u8]| {
            let mut escaped = Vec::new();
            for byte in text {
                if matches!(byte, b':' | b'\\') {
                    escaped.push(b'\\');
                }
                escaped.push(*byte);
            }
            escaped
        };
        let [host, database, user] = &fields;
        let line = [escaped(host), port.to_string().into_bytes(), escaped(database), escaped(user), escaped(&password)];
        let line = line.join(&b':');
        // What cannot be written in such a file.
        prop_assume!(!line.contains(&b'\n') && !line.starts_with(b"#") && !line.ends_with(b"\r"));
        prop_assume!(host != b"*" && database != b"*" && user != b"*" && !database.is_empty() && !user.is_empty());
        let found = passfile::find(&line, host, port, database, user);
        prop_assert_eq!(found.map(|found| found.bytes().collect::<Vec<_>>()), Some(password));
        prop_assert!(passfile::find(&line, host, port ^ 1, database, user).is_none());
    }

    #[test]
    fn no_secret_is_shown(secret in "[a-z]{6}[0-9]{6}", before in noise(), behind in noise(), form in 0..5_u8) {
        let text = match form {
            0 => format!("postgres://u:{secret}@"),
            1 => format!("password={secret} "),
            2 => format!("sslpassword='{secret}"),
            3 => format!("password=x {secret} "),
            _ => format!("postgres://h?oauth_client_secret={secret}"),
        };
        let text = if form == 0 { [text.as_bytes(), &behind] } else { [&before, text.as_bytes()] }.concat();
        let mut settings = Settings::new(Vec::new());
        if let Err(error) = settings.parse(&text) {
            let shown = format!("{error} {error:?}");
            prop_assert!(!shown.contains(&secret));
        } else if let Some(set) = settings.iter().find(|(keyword, _)| keyword.is_secret()) {
            prop_assert!(set.1.to_string().contains(&secret) || form == 3);
        }
        let mut settings = Settings::new(Vec::new());
        settings.set(Keyword::Password, &secret).unwrap();
        prop_assert_eq!(format!("{settings:?}"), r#"{"password": "***"}"#);
        let file = format!("*:*:*:*:{secret}");
        let password = passfile::find(&file, "h", 1, "d", "u").unwrap();
        let shown = format!("{password:?}");
        prop_assert!(!shown.contains(&secret));
    }

    #[test]
    fn attempts_end_and_keep_to_the_settings(
        mode in proptest::sample::select(&["disable", "allow", "prefer", "require", "verify-full"][..]),
        hosts in vec(proptest::sample::select(&["a", "/tmp", ""][..]), 1..4),
        random: bool,
        standby: bool,
        max in proptest::sample::select(&["3.0", "3.2"][..]),
        seed: u64,
        failures in vec((proptest::sample::select(FAILURES), 0..4_usize, any::<bool>()), 1..40),
    ) {
        let text = format!(
            "host='{}' sslmode={mode} max_protocol_version={max} load_balance_hosts={} target_session_attrs={}",
            hosts.join(","),
            if random { "random" } else { "disable" },
            if standby { "prefer-standby" } else { "any" },
        );
        let mut settings = Settings::new(Vec::new());
        settings.parse(text).unwrap();
        let options = settings.options().unwrap();
        let mut attempts = Attempts::new(settings.hosts().unwrap(), options, seed);
        let mut failures = failures.iter().cycle();
        let (mut steps, mut addresses) = (0, 1);
        while let Some(step) = attempts.step() {
            steps += 1;
            // Twice through all hosts, up to three addresses of each, with both transports and both versions.
            prop_assert!(steps <= 2 * hosts.len() * (1 + 3 * 4));
            let (failure, found, refused) = failures.next().unwrap();
            let attempt = match step {
                Step::Resolve(_) => {
                    addresses = *found;
                    attempts.resolved(addresses);
                    continue;
                }
                Step::Connect(attempt) => attempt,
            };
            let unix = matches!(attempt.host.place(), Place::Unix(_));
            prop_assert!(unix || attempt.address < addresses);
            prop_assert!(attempt.version <= options.max_version && attempt.version >= Version::V3_0);
            match attempt.transport {
                Transport::Plain => prop_assert!(unix || options.ssl_mode < SslMode::Require),
                Transport::Tls => prop_assert!(!unix && options.ssl_mode > SslMode::Disable),
                Transport::DirectTls => prop_assert!(false),
            }
            if attempt.transport == Transport::Tls && *refused {
                let goes_on = attempts.tls_refused();
                prop_assert_eq!(goes_on, options.ssl_mode == SslMode::Prefer);
                if !goes_on {
                    prop_assert_eq!(attempts.step(), None);
                    break;
                }
            }
            if *failure == Failure::Question && standby {
                let mut facts = Facts::default();
                facts.parameter_status("in_hot_standby".into(), "off".into());
                if attempts.judge(&facts) == Verdict::Accept {
                    break;
                }
            } else {
                attempts.failed(*failure);
            }
        }
    }
}
