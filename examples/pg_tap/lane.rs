//! One direction of one connection: what is told of its messages.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;
use std::mem::take;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use feedrate::Encode;
use feedrate::pg::trace::Line;
use feedrate::pg::{Direction, Encryption, EncryptionResponse, Error, Frame, backend, frontend};
use feedrate_examples::capture::{Piece, Side};
use feedrate_examples::describe::Describe;

use crate::check::{Check, Observed};
use crate::tap::{News, Tap, timestamp};

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
    /// What the record gets.
    passed: Vec<u8>,
    lines: String,
    trace: String,
    check: Option<Arc<Check>>,
}

impl<'t> Lane<'t> {
    pub(crate) const fn new(
        tap: &'t Tap,
        connection: u64,
        from: Side,
        began: Instant,
        check: Option<Arc<Check>>,
    ) -> Self {
        Self {
            tap,
            connection,
            from,
            began,
            position: 0,
            passed: Vec::new(),
            lines: String::new(),
            trace: String::new(),
            check,
        }
    }

    /// Whether this message may come here, if that is to be checked. Not before there is room to remember it: then
    /// there is something to wait for.
    pub(crate) fn check<D: Observed>(&mut self, frame: &Frame<'_, D>) -> Result<(), Arc<Check>> {
        let Some(check) = &self.check else { return Ok(()) };
        let line = check.pass(frame).map_err(|_| Arc::clone(check))?;
        self.lines.extend(line);
        Ok(())
    }

    /// The connection's end.
    pub(crate) async fn end_check(&mut self) {
        if let Some(check) = &self.check {
            self.lines += &check.end();
            self.publish().await;
        }
    }

    /// Handles one message, raw and parsed, and returns what is to be forwarded.
    pub(crate) fn pass<'f, D: Direction>(
        &mut self,
        frame: &Frame<'f, D>,
        message: &Result<impl Message, Error>,
    ) -> Cow<'f, [u8]> {
        let (raw, name) = (frame.raw(), frame.name());
        // The length as the message declares it: without its type byte.
        let length = raw.len() - usize::from(frame.tag() != 0);
        self.tap.messages.fetch_add(1, Relaxed);
        match message {
            Ok(message) => {
                self.show(name, length, || message.describe());
                self.trace(|| message.line(raw.len()));
            }
            Err(error) => self.show(name, length, || format!("cannot be read: {error}")),
        }
        let bytes = if self.tap.options.reencode { self.reencode(raw, name, message) } else { raw.into() };
        self.position += raw.len() as u64;
        bytes
    }

    fn reencode<'f>(
        &self,
        raw: &'f [u8],
        name: &str,
        message: &Result<impl Message, Error>,
    ) -> Cow<'f, [u8]> {
        let mut made = Vec::new();
        let problem = match message {
            Ok(message) => match message.encode(&mut made) {
                Ok(_) if made == raw => return made.into(),
                Ok(_) => {
                    let at = made.iter().zip(raw).take_while(|(a, b)| a == b).count();
                    format!("{} bytes became {}, different from byte {at} on", raw.len(), made.len())
                }
                Err(error) => format!("cannot be encoded: {error}"),
            },
            Err(error) => format!("cannot be read, and is forwarded as it came: {error}"),
        };
        self.tap.differences.fetch_add(1, Relaxed);
        self.complain(&format!("{name} {problem}"));
        if made.is_empty() { raw.into() } else { made.into() }
    }

    /// A request for encryption, which is not forwarded.
    pub(crate) fn asked(&mut self, request: &frontend::Message<'_>) {
        let mut raw = Vec::new();
        // Cannot fail: a `Vec` has room for it.
        let _ = request.encode(&mut raw);
        self.tap.messages.fetch_add(1, Relaxed);
        self.show(request.name(), raw.len(), || request.describe());
        self.trace(|| Line::frontend(request, raw.len()));
        self.position += raw.len() as u64;
        self.forwards(&raw);
        self.publish_now();
    }

    /// This program's own answer to that, in place of the server.
    pub(crate) fn answer(&mut self, asked: Encryption, response: EncryptionResponse) {
        self.tap.messages.fetch_add(1, Relaxed);
        let message = backend::Message::EncryptionResponse(response);
        self.show(message.name(), 1, || message.describe());
        self.trace(|| Line::encryption_response(asked, response));
        let mut raw = Vec::new();
        let _ = response.encode(&mut raw);
        self.forwards(&raw);
        self.publish_now();
    }

    /// These bytes are forwarded.
    pub(crate) fn forwards(&mut self, bytes: &[u8]) {
        if self.tap.records() {
            self.passed.extend_from_slice(bytes);
        }
    }

    /// Publishes what has passed. To be called before it is written: whoever reads the output finds a question before
    /// its answer.
    pub(crate) async fn publish(&mut self) {
        self.tap.publish(self.take()).await;
    }

    /// The same, and waits for nothing.
    fn publish_now(&mut self) {
        self.tap.publish_now(self.take());
    }

    fn take(&mut self) -> News {
        let mut record = Vec::new();
        if !self.passed.is_empty() {
            let bytes = &take(&mut self.passed)[..];
            let written = match u32::try_from(self.connection) {
                Ok(connection) => Piece { connection, from: self.from, bytes }.write(&mut record),
                Err(_) => Err(io::Error::other("the file's field is too small")),
            };
            if let Err(error) = written {
                self.complain(&format!("not recorded: {error}"));
            }
        }
        News { lines: take(&mut self.lines).into(), trace: take(&mut self.trace).into(), record }
    }

    pub(crate) fn complain(&self, what: &str) {
        let from = match self.from {
            Side::Frontend => "frontend",
            Side::Backend => "backend",
        };
        self.tap.complain(&format!("connection {}, {from}, byte {}: {what}", self.connection, self.position));
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

    fn trace<'l>(&mut self, line: impl FnOnce() -> Line<'l>) {
        if !self.tap.traces() {
            return;
        }
        let line = line();
        let regress = self.tap.options.regress;
        if !regress {
            let _ = write!(self.trace, "{}\t", timestamp());
        }
        let _ = writeln!(self.trace, "{}", line.regress(regress));
    }
}
