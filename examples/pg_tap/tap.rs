//! What all connections share: the options, the files, the counts.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use feedrate_examples::capture::Piece;

use crate::options::Options;

pub(crate) struct Tap {
    pub(crate) options: Options,
    trace: Option<Mutex<File>>,
    record: Option<Mutex<File>>,
    pub(crate) connections: AtomicU64,
    /// Those that have not ended yet.
    pub(crate) open: AtomicU64,
    pub(crate) messages: AtomicU64,
    pub(crate) differences: AtomicU64,
}

impl Tap {
    pub(crate) fn new(options: Options) -> Result<Self, String> {
        let create = |path: &Path| {
            File::create(path)
                .map(Mutex::new)
                .map_err(|error| format!("cannot write {}: {error}", path.display()))
        };
        Ok(Self {
            trace: options.trace.as_deref().map(create).transpose()?,
            record: options.record.as_deref().map(create).transpose()?,
            options,
            connections: AtomicU64::new(0),
            open: AtomicU64::new(0),
            messages: AtomicU64::new(0),
            differences: AtomicU64::new(0),
        })
    }

    /// Prints whole lines. Errors are ignored: standard output may be closed (`pg_tap | head`), which is no reason to
    /// break connections.
    pub(crate) fn print(&self, lines: &str) {
        if !lines.is_empty() {
            let _ = io::stdout().lock().write_all(lines.as_bytes());
        }
    }

    /// Whole lines for the trace.
    pub(crate) fn trace(&self, lines: &str) {
        if let (Some(file), false) = (&self.trace, lines.is_empty()) {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = file.write_all(lines.as_bytes()) {
                complain(&format!("cannot write the trace: {error}"));
            }
        }
    }

    pub(crate) const fn traces(&self) -> bool {
        self.trace.is_some()
    }

    pub(crate) const fn records(&self) -> bool {
        self.record.is_some()
    }

    pub(crate) fn record(&self, piece: &Piece<'_>) {
        if let (Some(file), false) = (&self.record, piece.bytes.is_empty()) {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = piece.write(&mut *file) {
                complain(&format!("cannot write the record: {error}"));
            }
        }
    }

    /// Waits for open connections, prints a summary, and returns the exit code.
    pub(crate) fn finish(&self) -> i32 {
        let patience = Instant::now() + Duration::from_millis(250);
        while self.open.load(Relaxed) > 0 && Instant::now() < patience {
            thread::sleep(Duration::from_millis(5));
        }
        let differences = self.differences.load(Relaxed);
        let (connections, messages) = (self.connections.load(Relaxed), self.messages.load(Relaxed));
        complain(&format!("connections={connections} messages={messages} differences={differences}"));
        i32::from(differences > 0)
    }
}

/// A whole line on stderr.
pub(crate) fn complain(what: &str) {
    let _ = io::stderr().lock().write_all(format!("pg_tap: {what}\n").as_bytes());
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
