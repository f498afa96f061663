//! What the observer says after each message, in a form that fits into a line.

use feedrate_pg::observer::{InStep, Observer, Phase};
use feedrate_pg::queue::Slot;

/// Verdict, what is owed, whether in step, phase, transaction status, and the type bytes that may come from the server
/// and from the frontend.
pub(crate) fn golden(observer: &Observer<Vec<Slot>>, expected: bool) -> String {
    let owed = observer.ready_owed();
    let step = match observer.in_step() {
        InStep::Yes => 'y',
        InStep::No => 'n',
        _ => '?',
    };
    let phase = match observer.phase() {
        Phase::Startup => 's',
        Phase::Encrypting => 'e',
        Phase::Authenticating => 'a',
        Phase::Starting => 'b',
        Phase::Ready => 'r',
        Phase::Terminated => 't',
        _ => 'o',
    };
    let status = char::from(observer.transaction_status().byte());
    let verdict = if expected { '.' } else { '!' };
    let (backend, frontend) = (observer.expected_backend(), observer.expected_frontend());
    let tags = |of: &str, contains: &dyn Fn(u8) -> bool| -> String {
        of.bytes().filter(|tag| contains(*tag)).map(char::from).collect()
    };
    let backend = tags("123ACDEGHIKNRSTVWZcdnstv", &|tag| backend.contains(tag));
    let frontend = tags("BCDEFHPQSXcdfp", &|tag| frontend.contains(tag));
    format!("{verdict}{}-{}{step}{phase}{status} {backend} {frontend}", owed.least, owed.most)
}

/// One line: direction, type byte, length, the beginning of the body, and what the observer says.
pub(crate) fn line(from_frontend: bool, bytes: &[u8], golden: &str) -> String {
    let tagged = bytes[0] != 0;
    let tag = if tagged { char::from(bytes[0]) } else { '0' };
    let body = bytes.get(if tagged { 5 } else { 4 }..).unwrap_or_default();
    let length = bytes.len() - usize::from(tagged);
    // As much as matters.
    let most = match (from_frontend, tag) {
        (true, '0' | 'E') => 80,
        (true, 'D' | 'P') => 1,
        (false, 'E') => 15,
        (false, 'S') if !body.starts_with(b"server_version\0") => 0,
        (false, 'S' | 'C') => 24,
        (false, 'R' | 'Z') => 4,
        _ => 0,
    };
    let body = body[..body.len().min(most)].escape_ascii();
    format!("{}{tag}{length}\t{body}\t{golden}", if from_frontend { '>' } else { '<' })
}
