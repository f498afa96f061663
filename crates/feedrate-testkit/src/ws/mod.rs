//! WebSocket: byte vectors written by hand from RFC 6455 and RFC 7692, and what reads them in any cut.

mod bad;
pub mod data;
mod good;
pub mod inflate;
pub mod run;
mod text;
pub mod wire;

use feedrate_ws::{Error, Kind, Role, Violation};

use self::run::Entry;
use self::wire::{CLOSE, FIN, Frame, Wire, peer};

pub use bad::bad;
pub use good::good;
pub use text::{BAD_UTF8, GOOD_UTF8};

/// What a side sends, and what must come of it.
#[derive(Debug)]
pub struct Vector {
    /// What it is about; the number is that of the like case of Autobahn's suite.
    pub name: String,
    /// The side that it is sent to.
    pub role: Role,
    /// On the wire.
    pub bytes: Vec<u8>,
    /// What comes out.
    pub entries: Vec<Entry>,
    /// The frames that have to be sent.
    pub said: Vec<Frame>,
    /// Whether compression has to be agreed upon for this, or must not be.
    pub deflate: Option<bool>,
}

/// Rows, for both sides.
#[derive(Debug, Default)]
struct Table {
    rows: Vec<Vector>,
    deflate: Option<bool>,
}

impl Table {
    /// A stream that breaks no rule. Pongs and close frames are answered.
    fn good(&mut self, name: impl Into<String>, make: impl Fn(Wire) -> Wire, entries: &[Entry]) {
        let name = name.into();
        let said: Vec<_> = entries.iter().filter_map(answer).collect();
        for role in [Role::Server, Role::Client] {
            self.rows.push(Vector {
                deflate: self.deflate,
                name: name.clone(),
                role,
                bytes: make(Wire::new(peer(role))).into_bytes(),
                entries: entries.to_vec(),
                said: said.clone(),
            });
        }
    }

    /// A stream of which one frame, the one [marked](Wire::bad), breaks a rule.
    fn bad(
        &mut self,
        name: impl Into<String>,
        make: impl Fn(Wire) -> Wire,
        before: &[Entry],
        violation: Violation,
        code: u16,
    ) {
        let name = name.into();
        for role in [Role::Server, Role::Client] {
            let wire = make(Wire::new(peer(role)));
            let offset = wire.bad_at().expect("a mark") as u64;
            let mut said: Vec<_> = before.iter().filter_map(answer).collect();
            said.push((FIN | CLOSE, code.to_be_bytes().to_vec()));
            let entries = [before, &[Entry::Failed(Error { violation, offset })]].concat();
            let (name, deflate) = (name.clone(), self.deflate);
            self.rows.push(Vector { name, role, bytes: wire.into_bytes(), entries, said, deflate });
        }
    }
}

/// The frame that answers it: RFC 6455, sections 5.5.1 and 5.5.2.
fn answer(entry: &Entry) -> Option<Frame> {
    match entry {
        Entry::Ping(payload) => Some((FIN | wire::PONG, payload.clone())),
        Entry::Closed(close) => {
            // It says again what it was told.
            let said = close.as_ref().map(|(code, reason)| [&code.to_be_bytes(), reason.as_bytes()].concat());
            Some((FIN | CLOSE, said.unwrap_or_default()))
        }
        _ => None,
    }
}

/// A text message.
pub fn text(text: &str) -> Entry {
    Entry::Message(Kind::Text, text.as_bytes().to_vec())
}

/// A binary message.
pub fn binary(bytes: impl AsRef<[u8]>) -> Entry {
    Entry::Message(Kind::Binary, bytes.as_ref().to_vec())
}

/// A ping.
pub fn ping(payload: impl AsRef<[u8]>) -> Entry {
    Entry::Ping(payload.as_ref().to_vec())
}

/// A pong.
pub fn pong(payload: impl AsRef<[u8]>) -> Entry {
    Entry::Pong(payload.as_ref().to_vec())
}

/// A close frame.
pub fn closed(code: u16, reason: &str) -> Entry {
    Entry::Closed(Some((code, reason.to_owned())))
}

impl Vector {
    /// The most bytes that a frame of it claims to have, all frames of a message together. More than that,
    /// if it is compressed.
    pub fn longest(&self) -> usize {
        let messages = self.entries.iter().map(|entry| match entry {
            Entry::Message(_, bytes) => bytes.len(),
            _ => 0,
        });
        let failed = matches!(self.entries.last(), Some(Entry::Failed(_)));
        messages.max().unwrap_or(0).max(if failed { 4096 } else { 0 }).max(self.bytes.len())
    }

    /// Whether its first `n` bytes end between two messages.
    pub fn message_ends(&self, n: usize) -> bool {
        let (mut rest, mut open) = (&self.bytes[..n], false);
        while !rest.is_empty() {
            let Some(((first, _), behind)) = wire::frame(peer(self.role), rest) else { return false };
            if first & 8 == 0 {
                open = first & FIN == 0;
            }
            rest = behind;
        }
        !open
    }
}
