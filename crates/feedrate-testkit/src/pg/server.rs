//! A server that keeps to the rules of real ones (`postgres.c`, `copyfromparse.c`, those of 14 and newer), and leaves
//! to chance what it is asked for: how many rows, which COPY, whether it fails.
//!
//! It is written from the server's side, one message at a time, and shares nothing with what it tests.

use std::collections::VecDeque;

use feedrate::pg::frontend;
use feedrate::pg::frontend::Message;

/// Draws a number below the one that is given.
pub type Chance<'c> = &'c mut dyn FnMut(u64) -> u64;

/// A message, and which of the client's messages it answers, counted from 0. `None`: none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Its type byte. `F` is an ErrorResponse that ends the session.
    pub tag: u8,
    /// What it answers.
    pub of: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Commands,
    /// Data are read for this message, which is Execute or Query.
    CopyIn {
        of: usize,
        extended: bool,
    },
    CopyBoth {
        of: usize,
    },
}

/// The server's state.
#[derive(Debug)]
pub struct Server {
    mode: Mode,
    skipping: bool,
    /// Messages that were read.
    read: usize,
    sent: VecDeque<Sent>,
    /// It has ended the session.
    pub over: bool,
}

impl Default for Server {
    fn default() -> Self {
        let mut sent = VecDeque::new();
        sent.extend([b'S', b'K', b'Z'].map(|tag| Sent { tag, of: None }));
        Self { mode: Mode::Commands, skipping: false, read: 0, sent, over: false }
    }
}

impl Server {
    /// What it sends next.
    pub fn take(&mut self) -> Option<Sent> {
        self.sent.pop_front()
    }

    /// What it will send next.
    pub fn waiting(&self) -> impl Iterator<Item = &Sent> {
        self.sent.iter()
    }

    /// Whether it waits for a command, has sent everything, and skips nothing.
    pub fn is_idle(&self) -> bool {
        self.mode == Mode::Commands && !self.skipping && self.sent.is_empty()
    }

    fn send(&mut self, tags: &[u8], of: usize) {
        self.sent.extend(tags.iter().map(|tag| Sent { tag: *tag, of: Some(of) }));
    }

    fn fatal(&mut self, of: usize) {
        self.send(b"F", of);
        self.over = true;
    }

    /// Something goes wrong by itself, such as a time-out, in the middle of reading data.
    pub fn disturb(&mut self) {
        if let Mode::CopyIn { of, extended } = self.mode {
            self.copy_fails(of, extended);
        }
    }

    /// Reads a message.
    pub fn read(&mut self, message: &Message<'_>, chance: Chance<'_>) {
        let at = self.read;
        self.read += 1;
        if self.over {
            return;
        }
        if chance(12) == 0 {
            let tag = [b'N', b'A', b'S'][chance(3) as usize];
            self.sent.push_back(Sent { tag, of: None });
        }
        match self.mode {
            Mode::CopyIn { of, extended } => self.data(of, extended, message, chance),
            Mode::CopyBoth { of } => self.both(of, message, chance),
            Mode::Commands => self.command(at, message, chance),
        }
    }

    fn data(&mut self, of: usize, extended: bool, message: &Message<'_>, chance: Chance<'_>) {
        match message {
            Message::CopyData(_) if chance(8) == 0 => self.copy_fails(of, extended),
            Message::CopyFail(_) => self.copy_fails(of, extended),
            Message::CopyDone(_) if chance(6) == 0 => self.copy_fails(of, extended),
            Message::CopyDone(_) => {
                self.mode = Mode::Commands;
                self.send(b"C", of);
                if !extended {
                    self.results(of, chance);
                }
            }
            Message::CopyData(_) | Message::Flush(_) | Message::Sync(_) => {}
            Message::Terminate(_) => self.over = true,
            _ => self.fatal(of),
        }
    }

    fn copy_fails(&mut self, of: usize, extended: bool) {
        self.mode = Mode::Commands;
        self.send(if extended { b"E" } else { b"EZ" }, of);
        self.skipping = extended;
    }

    fn both(&mut self, of: usize, message: &Message<'_>, chance: Chance<'_>) {
        match message {
            Message::CopyData(_) if chance(4) == 0 => self.send(b"d", of),
            Message::CopyData(_) => {}
            Message::CopyDone(_) => {
                self.mode = Mode::Commands;
                self.send(&b"dd"[..chance(3) as usize], of);
                let end: [&[u8]; 4] = [b"cCCZ", b"cdCCZ", b"cTDCCZ", b"CCZ"];
                self.send(end[chance(4) as usize], of);
            }
            Message::Terminate(_) => self.over = true,
            _ => self.fatal(of),
        }
    }

    fn command(&mut self, at: usize, message: &Message<'_>, chance: Chance<'_>) {
        match message {
            Message::Terminate(_) => self.over = true,
            Message::Sync(_) => {
                self.skipping = false;
                let deferred: &[u8] = if chance(10) == 0 { b"EZ" } else { b"Z" };
                self.send(deferred, at);
            }
            // Late, or stray.
            Message::CopyData(_) | Message::CopyDone(_) | Message::CopyFail(_) => {}
            _ if self.skipping => {}
            Message::Query(query) if query.sql.is_empty() => self.send(b"IZ", at),
            Message::Query(_) => self.results(at, chance),
            Message::FunctionCall(_) => {
                let answer: &[u8] = if chance(4) == 0 { b"EZ" } else { b"VZ" };
                self.send(answer, at);
            }
            Message::Flush(_) => {}
            Message::Execute(_) => self.execute(at, chance),
            _ if chance(10) == 0 => self.extended_error(at),
            Message::Parse(_) => self.send(b"1", at),
            Message::Bind(_) => self.send(b"2", at),
            Message::Close(_) => self.send(b"3", at),
            Message::Describe(describe) => {
                let statement = matches!(describe.target, frontend::Target::Statement(_));
                let rows = [b'T', b'n'][chance(2) as usize];
                self.send(if statement { b"t" } else { b"" }, at);
                self.send(&[rows], at);
            }
            _ => self.fatal(at),
        }
    }

    fn extended_error(&mut self, at: usize) {
        self.send(b"E", at);
        self.skipping = true;
    }

    fn execute(&mut self, at: usize, chance: Chance<'_>) {
        match chance(8) {
            0 => {
                self.send(b"G", at);
                self.mode = Mode::CopyIn { of: at, extended: true };
            }
            1 => self.send(b"HddcC", at),
            2 => self.send(b"I", at),
            3 => {
                self.send(&b"DD"[..chance(3) as usize], at);
                self.extended_error(at);
            }
            4 => self.send(b"DDs", at),
            _ => {
                self.send(&b"DDD"[..chance(4) as usize], at);
                self.send(b"C", at);
            }
        }
    }

    /// The rest of a query's results, and ReadyForQuery.
    fn results(&mut self, at: usize, chance: Chance<'_>) {
        let begun = self.sent.back().is_some_and(|sent| sent.of == Some(at) && sent.tag == b'C');
        if !begun && chance(12) == 0 {
            self.send(b"W", at);
            self.mode = Mode::CopyBoth { of: at };
            return;
        }
        for _ in 0..3 {
            match chance(10) {
                0 => {
                    self.send(b"G", at);
                    self.mode = Mode::CopyIn { of: at, extended: false };
                    return;
                }
                1 => self.send(b"HdcC", at),
                2 => return self.send(b"TDEZ", at),
                3 => return self.send(b"EZ", at),
                4 => self.send(b"TDDC", at),
                5 => self.send(b"TC", at),
                _ => {
                    self.send(b"C", at);
                    if chance(2) == 0 {
                        break;
                    }
                }
            }
        }
        self.send(b"CZ", at);
    }
}
