//! Connection strings in memory of the caller's, and what to try for them.
#![no_std]
#![no_main]

use feedrate::SliceOutput;
use feedrate::pg::backend::SqlState;
use feedrate_footprint::{Sum, bytes};
use feedrate_pg::conninfo::{Attempts, Facts, Failure, Keyword, Settings, Step, Verdict, passfile};

/// # Safety
///
/// See [`bytes`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(memory: &mut [u8; 512], input: *const u8, length: usize, command: u8) -> u32 {
    // SAFETY: the caller's word.
    let input = unsafe { bytes(input, length) };
    let mut sum = Sum::default();
    let mut settings = Settings::new(SliceOutput::new(memory));
    sum.add(settings.parse(input).is_ok().into());
    if command & 1 != 0 {
        sum.add(settings.service("service", input).is_ok().into());
        sum.add(settings.environment(|name| (name == "PGHOST").then_some(input)).is_ok().into());
        sum.add(settings.set_default(Keyword::User, "user").is_ok().into());
    }
    if let Some(password) = passfile::find(input, "host", 5432, "database", "user") {
        password.bytes().for_each(|byte| sum.add(byte.into()));
    }
    if let Ok(parameters) = settings.startup_parameters() {
        parameters.for_each(|(name, value)| sum.add((name.len() ^ value.as_bytes().len()) as u32));
    }
    if let (Ok(hosts), Ok(options)) = (settings.hosts(), settings.options()) {
        connect(&mut sum, Attempts::new(hosts, options, 7), input);
    }
    sum.0
}

fn connect(sum: &mut Sum, mut attempts: Attempts<'_>, mut acts: &[u8]) {
    while let (Some(step), [act, rest @ ..]) = (attempts.step(), acts) {
        acts = rest;
        match step {
            Step::Resolve(host) => {
                sum.add(host.name.len() as u32);
                attempts.resolved(usize::from(*act));
            }
            Step::Connect(attempt) => {
                sum.add(attempt.address as u32 ^ u32::from(attempt.host.port) ^ attempt.version.0);
                sum.add(attempt.timeout.map_or(0, |timeout| timeout.as_secs() as u32));
                let mut facts = Facts::default();
                facts.parameter_status("in_hot_standby".into(), rest.into());
                match act {
                    0 => attempts.failed(Failure::Unreachable),
                    1 => attempts.failed(Failure::Tls),
                    2 => attempts.failed(Failure::Rejected(SqlState([*act; 5]))),
                    3 => attempts.failed(Failure::Closed),
                    4 => sum.add(attempts.tls_refused().into()),
                    _ => sum.add(matches!(attempts.judge(&facts), Verdict::Accept).into()),
                }
            }
        }
    }
}
