//! One conversation with a server, shown to the observer as a proxy would see it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use feedrate::pg::stream::Begin;
use feedrate::pg::{Backend, Frontend, backend};
use feedrate::{Decoder, Grow};
use feedrate_pg::observer::{Copy, InStep, Observer, Phase, Verdict};
use feedrate_pg::queue::Slot;

use crate::golden::golden;
use crate::random::Random;
use crate::sql::{self, Turn};
use crate::standby;
use crate::wire::{describe, fail, message, query, startup};

/// No server needs a tenth of this.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    Frontend,
    Backend,
}

/// A message that has passed.
#[derive(Debug, Clone)]
pub(crate) struct Passed {
    pub(crate) from: From,
    pub(crate) bytes: Vec<u8>,
    pub(crate) expected: bool,
    /// Whether the observer is certain after it.
    pub(crate) exact: bool,
    /// What may come from the server after it.
    pub(crate) may: String,
    /// What the observer says after it.
    pub(crate) golden: String,
}

/// Why a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// By the drill at the end, after which nothing is owed.
    Drained,
    /// By a fatal error, by Terminate, or because a message was such that servers close without a word.
    Closed,
    /// Without a reason that is known.
    Lost,
    /// The server says nothing more.
    Stuck,
}

/// What was seen.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    pub(crate) messages: u64,
    pub(crate) unexpected_frontend: u64,
    /// Messages after which what was owed was not exact, by situation.
    pub(crate) unknown: Vec<(String, u64)>,
    pub(crate) rounds: u64,
}

pub(crate) struct Conversation {
    stream: TcpStream,
    decoder: Decoder<Backend, Grow>,
    pub(crate) observer: Observer<Vec<Slot>>,
    random: Random,
    out: Vec<u8>,
    pub(crate) passed: Vec<Passed>,
    pub(crate) seen: Seen,
    pub(crate) wrong: Option<String>,
    closed: bool,
    /// The frontend has sent what makes some servers close without a word.
    may_close: bool,
    /// CopyInResponses, and those that data were sent for.
    copies: u64,
    served: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sql,
    Physical,
    Logical,
}

impl Conversation {
    pub(crate) fn connect(port: u16, kind: Kind, random: Random, slots: usize) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut this = Self {
            stream,
            decoder: Decoder::new(Backend::new(), Grow::new(1 << 20)),
            observer: Observer::new(vec![Slot::EMPTY; slots]),
            random,
            out: Vec::new(),
            passed: Vec::new(),
            seen: Seen::default(),
            wrong: None,
            closed: false,
            may_close: false,
            copies: 0,
            served: 0,
        };
        let replication = match kind {
            Kind::Sql => None,
            Kind::Physical => Some(("replication", "true")),
            Kind::Logical => Some(("replication", "database")),
        };
        let user = [("user", "trustsuper"), ("database", "postgres")];
        let parameters: Vec<_> = user.into_iter().chain(replication).collect();
        let packet = startup(&parameters);
        let mut frontend = Decoder::new(Frontend::new(), Grow::new(10_000));
        let mut input = &packet[..];
        let frame = frontend.feed(&mut input).ok().flatten().ok_or(io::ErrorKind::InvalidData)?;
        let verdict = this.observer.frontend(&frame);
        this.note(From::Frontend, &packet, verdict.is_ok_and(Verdict::is_expected));
        this.out.extend(packet);
        this.flush();
        let until = Instant::now() + PATIENCE;
        while this.observer.phase() != Phase::Ready && !this.closed && Instant::now() < until {
            this.receive(true);
        }
        if this.observer.phase() == Phase::Ready {
            Ok(this)
        } else {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }

    fn note(&mut self, from: From, bytes: &[u8], expected: bool) {
        let golden = golden(&self.observer, expected);
        let may = golden.split(' ').nth(1).unwrap_or_default().to_owned();
        let exact = self.observer.in_step().is_yes();
        self.passed.push(Passed { from, bytes: bytes.to_vec(), expected, exact, may, golden });
        self.seen.messages += 1;
        if let InStep::Unknown(situation) = self.observer.in_step() {
            let name = situation.to_string();
            match self.seen.unknown.iter_mut().find(|(its, _)| *its == name) {
                Some((_, times)) => *times += 1,
                None => self.seen.unknown.push((name, 1)),
            }
        }
    }

    fn send(&mut self, bytes: Vec<u8>) {
        let begin = Begin { tag: bytes[0], length: u32::from_be_bytes(bytes[1..5].try_into().unwrap()) };
        let began = Instant::now();
        let verdict = loop {
            match self.observer.frontend_begins(begin, &bytes[5..]) {
                Ok(verdict) => break verdict,
                Err(_) if self.closed || began.elapsed() > PATIENCE => return,
                Err(_) => {
                    // Without a Sync behind them, a server keeps its responses, until it is told not to.
                    if !self.observer.is_replication() {
                        self.out.extend(message(b'H', b""));
                    }
                    self.flush();
                    self.receive(true);
                }
            }
        };
        if !verdict.is_expected() {
            self.seen.unexpected_frontend += 1;
        }
        // Oversized, unknown, or a standby's message that cannot be read.
        self.may_close |= bytes.len() > 10_000
            || matches!(begin.tag, b'X' | b'y' | b'p')
            || (begin.tag == b'd' && self.observer.is_replication());
        self.note(From::Frontend, &bytes, verdict.is_expected());
        self.out.extend(bytes);
    }

    fn flush(&mut self) {
        let out = std::mem::take(&mut self.out);
        if !out.is_empty() {
            // If this fails, the server has closed: what it has said before can still be read.
            let _ = self.stream.write_all(&out);
        }
    }

    /// Reads what there is, or waits until there is something.
    fn receive(&mut self, wait: bool) -> bool {
        let mut chunk = [0; 16 * 1024];
        let _ = self.stream.set_nonblocking(!wait);
        let _ = self.stream.set_read_timeout(wait.then_some(Duration::from_millis(40)));
        let read = self.stream.read(&mut chunk);
        let _ = self.stream.set_nonblocking(false);
        let n = match read {
            Ok(n) => n,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                return false;
            }
            Err(_) => 0,
        };
        if n == 0 {
            self.closed = true;
            return false;
        }
        let mut input = &chunk[..n];
        loop {
            let mut decoder =
                std::mem::replace(&mut self.decoder, Decoder::new(Backend::new(), Grow::new(0)));
            let fed = decoder.feed(&mut input).map(|frame| frame.map(|frame| self.take(&frame)));
            self.decoder = decoder;
            match fed {
                Ok(Some(())) => {}
                Ok(None) => return true,
                Err(error) => {
                    self.wrong(format!("cannot be decoded: {error}"));
                    self.closed = true;
                    return false;
                }
            }
        }
    }

    fn take(&mut self, frame: &backend::Frame<'_>) {
        let before = self.observer.ready_owed();
        let started = matches!(self.observer.phase(), Phase::Ready | Phase::Terminated);
        let verdict = self.observer.backend(frame);
        self.note(From::Backend, frame.raw(), verdict.is_expected());
        self.copies += u64::from(frame.tag() == b'G');
        if let Verdict::Unexpected { expected } = verdict {
            self.wrong(format!("unexpected {}: expected {expected}", frame.name()));
        }
        if frame.tag() == b'Z' && started && before.most == 0 {
            self.wrong(format!("ReadyForQuery, though {before} were owed"));
        }
    }

    fn wrong(&mut self, what: String) {
        if self.wrong.is_none() {
            let at = self.passed.len();
            self.wrong = Some(format!("message {at}: {what}; {:?}", self.observer));
        }
    }

    /// The first column of the last row.
    pub(crate) fn ask(&mut self, sql: &str) -> String {
        self.send(query(sql));
        self.wait(|this| this.observer.ready_owed().most == 0);
        let row = self.passed.iter().rev().find(|its| its.from == From::Backend && its.bytes[0] == b'D');
        row.map_or(String::new(), |row| {
            String::from_utf8_lossy(row.bytes.get(11..).unwrap_or_default()).into()
        })
    }

    /// Sends some messages, and reads in between or not.
    pub(crate) fn improvise(&mut self, kind: Kind, slot: &str, place: &str) {
        for _ in 0..2 + self.random.below(16) {
            let bytes = match kind {
                Kind::Sql => sql::anything(&mut self.random),
                _ => standby::anything(&mut self.random, slot, place),
            };
            self.send(bytes);
            self.pause();
            if self.closed || self.observer.phase() != Phase::Ready {
                break;
            }
        }
        self.flush();
        // At rest, a server that is not in a COPY owes nothing.
        if self.random.percent(1) {
            self.silence(8);
            let owed = self.observer.ready_owed();
            if self.observer.copy().is_none()
                && owed.least > 0
                && !self.closed
                && self.observer.phase() == Phase::Ready
            {
                self.wrong(format!("the server is silent, though {owed} are owed"));
            }
        }
    }

    /// Reads until nothing has come for so many times 40 milliseconds.
    fn silence(&mut self, times: u32) {
        let mut silent = 0;
        while silent < times && !self.closed {
            silent = if self.receive(true) { 0 } else { silent + 1 };
        }
    }

    fn pause(&mut self) {
        match self.random.below(10) {
            0..4 => {}
            4..7 => self.flush(),
            7 => {
                self.flush();
                self.receive(false);
            }
            8 => {
                self.flush();
                std::thread::sleep(Duration::from_micros(100 + self.random.below(2000)));
                self.receive(false);
            }
            _ => {
                self.receive(false);
            }
        }
    }

    /// What a client does that knows the protocol.
    pub(crate) fn perform(&mut self, turns: Vec<Turn>) {
        for turn in turns {
            if self.closed || self.observer.phase() != Phase::Ready {
                return;
            }
            match turn {
                Turn::Send(bytes) => {
                    self.send(bytes);
                    self.pause();
                }
                Turn::Rest => self.wait(|this| this.observer.ready_owed().most == 0),
                Turn::Streaming => {
                    self.wait(|this| this.streaming() || this.observer.ready_owed().most == 0);
                    if !self.streaming() {
                        return;
                    }
                }
                Turn::Copy => loop {
                    self.wait(|this| this.copies > this.served || this.observer.nothing_owed());
                    if self.copies == self.served || self.closed {
                        break;
                    }
                    self.served += 1;
                    for bytes in sql::copy(&mut self.random) {
                        // After an error, which nobody has to have seen yet.
                        if self.observer.copy() != Some(Copy::In) {
                            break;
                        }
                        self.send(bytes);
                        self.pause();
                    }
                    // In an extended query the server would keep CommandComplete back.
                    self.send(message(b'H', b""));
                },
            }
        }
        self.flush();
    }

    fn streaming(&self) -> bool {
        self.observer.copy() == Some(Copy::Both)
    }

    fn wait(&mut self, until: impl Fn(&Self) -> bool) {
        self.flush();
        let began = Instant::now();
        while !until(self) && !self.closed && began.elapsed() < PATIENCE {
            self.receive(true);
            if began.elapsed() > Duration::from_millis(400) && until(self) {
                return;
            }
        }
    }

    /// Whatever state the server is in, after this it owes nothing; unless the connection is over.
    pub(crate) fn drain(&mut self, kind: Kind, lawful: bool) -> End {
        // A standby's traffic ends with CopyDone; everything else ends the connection there.
        if kind != Kind::Sql && !lawful {
            self.send(message(b'c', b""));
            self.flush();
            self.silence(1);
        }
        for round in 0_u64..8 {
            if self.closed || !matches!(self.observer.phase(), Phase::Ready) {
                break;
            }
            if kind == Kind::Sql {
                self.send(fail());
            }
            self.send(message(b'S', b""));
            if kind == Kind::Sql && round > 0 {
                // A response that looks different from all that may be doubtful.
                self.send(describe(b'C', b'P', "none"));
                self.send(message(b'S', b""));
            }
            if kind == Kind::Logical {
                self.send(query("rollback"));
            }
            let marker = format!("marker {}", self.random.next());
            // Something that looks different each time.
            self.send(match round % 3 {
                _ if kind == Kind::Physical => query("IDENTIFY_SYSTEM"),
                _ if kind == Kind::Logical => query(&format!("select '{marker}'")),
                0 => query(&format!("rollback; select '{marker}'")),
                1 => query(&format!("rollback; select 1; select '{marker}'; select 1")),
                _ => query(&format!("rollback; select '{marker}'; copy (select 1) to stdout")),
            });
            self.flush();
            let from = self.passed.len();
            let began = Instant::now();
            let marker = if kind == Kind::Physical { b"systemid" } else { marker.as_bytes() };
            let answered = |this: &Self| {
                let new = this.passed[from..].iter().filter(|its| its.from == From::Backend);
                let mut marked = new.skip_while(|its| !contains(&its.bytes, marker));
                marked.any(|its| its.bytes[0] == b'Z')
            };
            while !answered(self) && !self.closed {
                self.receive(true);
                if began.elapsed() > PATIENCE {
                    return End::Stuck;
                }
            }
            if kind == Kind::Physical {
                // This marker is none: the response may be to a command before it.
                self.silence(if self.observer.nothing_owed() { 1 } else { 8 });
            }
            self.seen.rounds = round + 1;
            if self.closed {
                break;
            }
            if self.observer.in_step().is_yes() {
                break;
            }
        }
        // Up to the end of the stream, when it has ended.
        let began = Instant::now();
        if !self.closed && self.observer.phase() != Phase::Ready {
            while !self.closed && began.elapsed() < PATIENCE {
                self.receive(true);
            }
        }
        match (self.observer.phase(), self.closed) {
            (Phase::Ready, false) => {
                let owed = self.observer.ready_owed();
                if !self.observer.in_step().is_yes() || owed.exact() != Some(0) || !self.observer.is_idle() {
                    self.wrong(format!("drained, and not exact after {} rounds", self.seen.rounds));
                }
                let _ = self.stream.write_all(&message(b'X', b""));
                End::Drained
            }
            (Phase::Over | Phase::Terminated, _) => End::Closed,
            _ if self.may_close => End::Closed,
            _ => End::Lost,
        }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
