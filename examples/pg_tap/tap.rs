//! What all connections share: the options, the files, the counts.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use feedrate_io::pg_tls::rustls::pki_types::ServerName;
use feedrate_io::pg_tls::{ClientTls, ServerTls};
use tokio::time::{Instant, sleep};

use crate::options::Options;
use crate::output::Output;
use crate::tls;
use crate::waiting::Waiting;

pub(crate) struct Tap {
    pub(crate) options: Options,
    pub(crate) to_clients: Option<ServerTls>,
    pub(crate) to_server: Option<(ClientTls, ServerName<'static>)>,
    pub(crate) starting: Waiting,
    print: Output,
    complaints: Arc<Output>,
    trace: Option<Output>,
    record: Option<Output>,
    pub(crate) connections: AtomicU64,
    /// Those that have not ended yet.
    open: AtomicU64,
    pub(crate) messages: AtomicU64,
    pub(crate) differences: AtomicU64,
}

impl Tap {
    pub(crate) fn new(options: Options) -> Result<Self, String> {
        let complaints = Arc::new(Output::new(io::stderr(), |_| {})?);
        let create = |path: &Path, what: &'static str| {
            let file =
                File::create(path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
            let complaints = Arc::clone(&complaints);
            Output::new(file, move |error| {
                complain(&complaints, &format!("cannot write the {what}: {error}"))
            })
        };
        Ok(Self {
            to_clients: tls::to_clients(&options)?,
            to_server: tls::to_server(&options)?,
            starting: Waiting::new(options.starting),
            trace: options.trace.as_deref().map(|path| create(path, "trace")).transpose()?,
            record: options.record.as_deref().map(|path| create(path, "record")).transpose()?,
            // Standard output may be closed (`pg_tap | head`), which is no reason to break connections.
            print: Output::new(io::stdout(), |_| {})?,
            complaints,
            options,
            connections: AtomicU64::new(0),
            open: AtomicU64::new(0),
            messages: AtomicU64::new(0),
            differences: AtomicU64::new(0),
        })
    }

    /// Hands on what is to be written somewhere.
    pub(crate) async fn publish(&self, news: News) {
        for (output, bytes) in self.outputs(news) {
            output.put(bytes).await;
        }
    }

    /// As [`publish`](Self::publish), and waits for nothing.
    pub(crate) fn publish_now(&self, news: News) {
        for (output, bytes) in self.outputs(news) {
            output.put_now(bytes);
        }
    }

    fn outputs(&self, News { lines, trace, record }: News) -> impl Iterator<Item = (&Output, Vec<u8>)> {
        let outputs =
            [(Some(&self.print), lines), (self.trace.as_ref(), trace), (self.record.as_ref(), record)];
        outputs.into_iter().filter_map(|(output, bytes)| Some((output?, bytes)))
    }

    pub(crate) const fn traces(&self) -> bool {
        self.trace.is_some()
    }

    pub(crate) const fn records(&self) -> bool {
        self.record.is_some()
    }

    /// A whole line on stderr.
    pub(crate) fn complain(&self, what: &str) {
        complain(&self.complaints, what);
    }

    /// One more connection, as long as this lives.
    pub(crate) fn count(&self) -> Open<'_> {
        self.open.fetch_add(1, Relaxed);
        Open(&self.open)
    }

    /// Waits for open connections.
    pub(crate) async fn wait(&self) {
        let until = Instant::now() + Duration::from_millis(250);
        while self.open.load(Relaxed) > 0 && Instant::now() < until {
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits for what is to be written, prints a summary, and returns the exit code.
    pub(crate) fn finish(&self) -> u8 {
        for (output, what) in [
            (Some(&self.print), "standard output"),
            (self.trace.as_ref(), "the trace"),
            (self.record.as_ref(), "the record"),
        ] {
            let Some(output) = output else { continue };
            output.finish();
            if output.lost() > 0 {
                self.complain(&format!("{} bytes are missing in {what}: it was too slow", output.lost()));
            }
        }
        let differences = self.differences.load(Relaxed);
        let (connections, messages) = (self.connections.load(Relaxed), self.messages.load(Relaxed));
        self.complain(&format!("connections={connections} messages={messages} differences={differences}"));
        self.complaints.finish();
        u8::from(differences > 0)
    }
}

/// What is to be written somewhere.
#[derive(Default)]
pub(crate) struct News {
    /// For standard output.
    pub(crate) lines: Vec<u8>,
    pub(crate) trace: Vec<u8>,
    pub(crate) record: Vec<u8>,
}

/// A connection that has not ended.
pub(crate) struct Open<'t>(&'t AtomicU64);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

fn complain(to: &Output, what: &str) {
    to.put_now(format!("pg_tap: {what}\n").into_bytes());
}

/// The time in UTC, as PQtrace writes it: `2026-11-21 22:46:00.123456`.
pub(crate) fn timestamp() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (now.as_secs() / 86_400, now.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{:06}", now.subsec_micros())
}

/// The date `days` days after 1970-01-01. Years begin in March here, so that the leap day is the last of its year.
const fn date(days: u64) -> (u64, u64, u64) {
    const ERA: u64 = 146_097; // days of 400 years
    let days = days + 719_468; // since 0000-03-01
    let (era, day) = (days / ERA, days % ERA);
    let year = (day - day / 1460 + day / 36_524 - day / (ERA - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + (month <= 2) as u64, month, day)
}
