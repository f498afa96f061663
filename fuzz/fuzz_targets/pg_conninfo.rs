//! Any bytes, taken for connection strings, service files, variables and files of passwords, and then any failures.
#![no_main]

use feedrate::SliceOutput;
use feedrate::pg::backend::SqlState;
use feedrate_fuzz::show;
use feedrate_pg::conninfo::{
    Attempts, Facts, Failure, Keyword, Settings, SslMode, Step, Transport, Verdict, passfile,
};

const FAILURES: [Failure; 8] = [
    Failure::Unreachable,
    Failure::Tls,
    Failure::Rejected(SqlState(*b"28P01")),
    Failure::Rejected(SqlState(*b"57P03")),
    Failure::Rejected(SqlState(*b"0A000")),
    Failure::Closed,
    Failure::Question,
    Failure::Other,
];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&[memory, seed], rest)) = data.split_first_chunk::<2>() else { return };
    let mut memory = vec![0; usize::from(memory) * 4];
    let mut settings = Settings::new(SliceOutput::new(&mut memory));
    // Each text is everything in turn: whatever it is not, it is an error, and changes nothing.
    for text in rest.split(|byte| *byte == 0) {
        for source in 0..4 {
            let before = listed(&settings);
            let failed = match source {
                0 => settings.parse(text).is_err(),
                1 => settings.parse_database(text).is_err(),
                2 => settings.service("s", text).is_err(),
                _ => settings.environment(|name| (name.len() % 5 == 1).then_some(text)).is_err(),
            };
            assert!(!failed || listed(&settings) == before);
        }
        if let Some(password) = passfile::find(text, "localhost", 5432, "db", "user") {
            assert!(password.bytes().count() <= text.len());
        }
    }
    show(&settings);
    show(settings.user().map(|user| user.to_string()));
    let (Ok(hosts), Ok(options)) = (settings.hosts(), settings.options()) else { return };
    assert_eq!(hosts.iter().count(), hosts.len());

    let mut attempts = Attempts::new(hosts, options, u64::from(seed));
    let mut acts = rest.iter().cycle().copied();
    let mut steps = 0;
    while let Some(step) = attempts.step() {
        assert_eq!(attempts.step(), Some(step));
        steps += 1;
        assert!(steps <= hosts.len() * 2 * (1 + 3 * 4), "it ends");
        let act = acts.next().unwrap_or_default();
        let attempt = match step {
            Step::Resolve(host) => {
                show(host.passfile_name());
                attempts.resolved(usize::from(act % 4));
                continue;
            }
            Step::Connect(attempt) => attempt,
        };
        show(attempt.host.socket().to_string());
        let plain = attempt.transport == Transport::Plain;
        assert!(!plain || attempt.host.is_unix() || options.ssl_mode < SslMode::Require);
        assert!(plain || !attempt.host.is_unix() && options.ssl_mode > SslMode::Disable);
        assert!((options.min_version..=options.max_version).contains(&attempt.version));
        if attempt.transport == Transport::Tls && act & 0x80 != 0 && !attempts.tls_refused() {
            break;
        }
        match act & 0x0f {
            8.. => {
                let mut facts = Facts::default();
                facts.parameter_status(
                    "in_hot_standby".into(),
                    if act & 1 == 0 { "on" } else { "off" }.into(),
                );
                match attempts.judge(&facts) {
                    Verdict::Accept => break,
                    Verdict::Ask(question) => {
                        facts.answer(question, if act & 2 == 0 { b"on" } else { b"f" });
                        assert!(!matches!(attempts.judge(&facts), Verdict::Ask(_)));
                    }
                    Verdict::Reject(reason) => show(reason),
                }
            }
            n => attempts.failed(FAILURES[usize::from(n)]),
        }
    }
    assert_eq!(
        Keyword::from_name(rest).map(|keyword| keyword.name().as_bytes()),
        Keyword::from_name(rest).map(|_| rest)
    );
});

fn listed(settings: &Settings<SliceOutput<'_>>) -> Vec<(Keyword, Vec<u8>)> {
    settings.iter().map(|(keyword, value)| (keyword, value.as_bytes().to_vec())).collect()
}
