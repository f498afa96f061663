//! One direction of one connection: what was read, and what is to be forwarded.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use feedrate::Encode;
use feedrate::pg::trace::Line;
use feedrate::pg::{Direction, Encryption, EncryptionResponse, Error, Frame, backend, frontend};
use feedrate_examples::capture::{Piece, Side};
use feedrate_examples::describe::Describe;

use crate::tap::{Tap, complain, timestamp};

/// What the messages of both directions have in common.
pub(crate) trait Message: Encode + Describe {
    fn line(&self, size: usize) -> Line<'_>;
}

impl Message for frontend::Message<'_> {
    fn line(&self, size: usize) -> Line<'_> {
        Line::frontend(self, size)
    }
}

impl Message for backend::Message<'_> {
    fn line(&self, size: usize) -> Line<'_> {
        Line::backend(self, size)
    }
}

pub(crate) struct Lane<'t> {
    tap: &'t Tap,
    connection: u64,
    from: Side,
    began: Instant,
    /// Bytes of this direction that have been understood.
    position: u64,
    forward: Vec<u8>,
    lines: String,
    trace: String,
}

impl<'t> Lane<'t> {
    pub(crate) const fn new(tap: &'t Tap, connection: u64, from: Side, began: Instant) -> Self {
        Self {
            tap,
            connection,
            from,
            began,
            position: 0,
            forward: Vec::new(),
            lines: String::new(),
            trace: String::new(),
        }
    }

    /// Handles one message, raw and parsed. It will be [forwarded](Self::forward).
    pub(crate) fn pass<D: Direction>(&mut self, frame: &Frame<'_, D>, message: &Result<impl Message, Error>) {
        let (raw, name) = (frame.raw(), frame.name());
        // The length as the message declares it: without its type byte.
        let length = raw.len() - usize::from(frame.tag() != 0);
        self.tap.messages.fetch_add(1, Relaxed);
        match message {
            Ok(message) => {
                self.show(name, length, || message.describe());
                self.trace(message.line(raw.len()));
            }
            Err(error) => self.show(name, length, || format!("cannot be read: {error}")),
        }
        if self.tap.options.reencode {
            self.reencode(raw, name, message);
        } else {
            self.forward.extend_from_slice(raw);
        }
        self.position += raw.len() as u64;
    }

    fn reencode(&mut self, raw: &[u8], name: &str, message: &Result<impl Message, Error>) {
        let start = self.forward.len();
        let problem = match message {
            Ok(message) => match message.encode(&mut self.forward) {
                Ok(_) => {
                    let made = &self.forward[start..];
                    let at = made.iter().zip(raw).take_while(|(a, b)| a == b).count();
                    if made == raw {
                        return;
                    }
                    format!("{} bytes became {}, different from byte {at} on", raw.len(), made.len())
                }
                Err(error) => format!("cannot be encoded: {error}"),
            },
            Err(error) => format!("cannot be read, and is forwarded as it came: {error}"),
        };
        if self.forward.len() == start {
            self.forward.extend_from_slice(raw);
        }
        self.tap.differences.fetch_add(1, Relaxed);
        self.complain(&format!("{name} {problem}"));
    }

    /// This program's own answer to a client, in place of the server.
    pub(crate) fn answer(&mut self, asked: Encryption, response: EncryptionResponse) {
        self.tap.messages.fetch_add(1, Relaxed);
        let message = backend::Message::EncryptionResponse(response);
        self.show(message.name(), 1, || message.describe());
        self.trace(Line::encryption_response(asked, response));
        // Cannot fail: a `Vec` has room for a byte.
        let _ = response.encode(&mut self.forward);
    }

    /// Writes everything that has passed at once: first the output about it, then the bytes.
    pub(crate) fn forward(&mut self, to: &mut TcpStream) -> io::Result<()> {
        self.publish();
        let result = to.write_all(&self.forward);
        self.drop_bytes();
        result
    }

    /// Publishes what has passed, but forwards none of it.
    pub(crate) fn withhold(&mut self) {
        self.publish();
        self.drop_bytes();
    }

    pub(crate) fn complain(&self, what: &str) {
        let from = match self.from {
            Side::Frontend => "frontend",
            Side::Backend => "backend",
        };
        complain(&format!("connection {}, {from}, byte {}: {what}", self.connection, self.position));
    }

    fn publish(&mut self) {
        self.tap.print(&self.lines);
        self.tap.trace(&self.trace);
        self.lines.clear();
        self.trace.clear();
        match u32::try_from(self.connection) {
            Ok(connection) => {
                self.tap.record(&Piece { connection, from: self.from, bytes: &self.forward });
            }
            Err(_) if self.tap.records() => self.complain("not recorded: the file's field is too small"),
            Err(_) => {}
        }
    }

    fn drop_bytes(&mut self) {
        const KEPT: usize = 1 << 20;
        self.forward.clear();
        self.forward.shrink_to(KEPT);
    }

    fn show(&mut self, name: &str, length: usize, fields: impl FnOnce() -> String) {
        if self.tap.options.quiet {
            return;
        }
        let arrow = match self.from {
            Side::Frontend => "F->",
            Side::Backend => "<-B",
        };
        let (connection, time) = (self.connection, self.began.elapsed().as_secs_f64());
        let fields = fields();
        let gap = if fields.is_empty() { "" } else { "  " };
        let _ = writeln!(self.lines, "{connection:>3} {time:>10.6} {arrow} {length:>6} {name}{gap}{fields}");
    }

    fn trace(&mut self, line: Line<'_>) {
        if !self.tap.traces() {
            return;
        }
        let regress = self.tap.options.regress;
        if !regress {
            let _ = write!(self.trace, "{}\t", timestamp());
        }
        let _ = writeln!(self.trace, "{}", line.regress(regress));
    }
}
