//! The state of a session, and what moves it.

use core::fmt;

use feedrate::pg::backend::{
    self, BackendKeyData, ErrorResponse, Message, NoticeResponse, NotificationResponse, ParameterStatus,
    ReadyForQuery, Severity, TransactionStatus,
};
use feedrate::pg::frontend::{CancelRequest, CopyDone, CopyFail, Query, Sync};
use feedrate::{Encode, Output};

use super::answer::{At, Next, next, next_of_marked};
use super::error::{Error, SendError};
use super::key::Key;
use super::portal::Formats;
use super::request::{Request, Role};
use crate::queue::{Entry, Full, Kind, Queue, Slot, Treatment};

/// The note of a Sync with which an empty Query was sent.
const MARKED: u8 = 1;

/// A message of the server's, and what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Event<'a> {
    /// The number of the request that it answers: [`Client::send`] returned it. `None` if it answers none.
    pub request: Option<u64>,
    /// The message.
    pub message: Message<'a>,
    /// If it is a row: how its values are represented.
    pub formats: Formats,
}

/// A client's session, from AuthenticationOk on. What is owed is kept in `M`, an array or `Vec` of [`Slot`]s: one for
/// each request that waits for its response, without repeats.
///
/// See the [module](super) for an example.
pub struct Client<M> {
    owed: Queue<M>,
    /// How far the response to the oldest request is.
    at: At,
    /// Of the rows that come.
    formats: Formats,
    status: TransactionStatus,
    /// The first ReadyForQuery has come.
    started: bool,
    /// No request can be sent any more.
    over: bool,
    /// Extended requests were sent behind the last Sync.
    batch: bool,
    /// An error came, and the Sync at which the server stops skipping has not been sent.
    skipping: bool,
    /// The data of a COPY may be sent.
    copying: bool,
    /// Something was abandoned, and what ends it has to be written.
    ending: bool,
    /// How many Syncs are directly behind the COPY from the client that is the oldest request. It swallows them.
    swallowed: u64,
    /// A COPY failed, and nobody knows whether the server was so far as to have swallowed the Syncs behind it.
    doubt: bool,
    /// Responses to requests before this one are not shown.
    abandoned: u64,
    server_version: u16,
    key: Key,
}

impl<M: AsRef<[Slot]> + AsMut<[Slot]>> Client<M> {
    /// A session whose authentication is over.
    ///
    /// What comes first are ParameterStatus, BackendKeyData and ReadyForQuery. Requests may be sent after that.
    pub const fn new(memory: M) -> Self {
        Self {
            owed: Queue::new(memory),
            at: At::Start,
            formats: Formats::Text,
            status: TransactionStatus::Idle,
            started: false,
            over: false,
            batch: false,
            skipping: false,
            copying: false,
            ending: false,
            swallowed: 0,
            doubt: false,
            abandoned: 0,
            server_version: 0,
            key: Key::NONE,
        }
    }

    /// Writes a request, and returns its number. Numbers grow from 0.
    ///
    /// What gets no response of its own returns the number of what it belongs to: CopyData, CopyDone and CopyFail that
    /// of the COPY, Flush and Terminate that of the last request.
    ///
    /// # Errors
    ///
    /// See [`SendError`]. Nothing has been written or counted then. `Full` passes when responses have been received:
    /// read before you write more.
    pub fn send<O: Output>(&mut self, request: &impl Request, out: &mut O) -> Result<u64, SendError> {
        self.transmit(out)?;
        let role = request.role();
        self.may_send(role)?;
        match role {
            Role::Answered(Entry { kind: Kind::Sync, .. }) => self.send_sync(Treatment::Forward, out),
            Role::Answered(entry) => {
                if !self.owed.fits(entry) {
                    return Err(Full.into());
                }
                request.encode(out)?;
                self.batch |= !matches!(entry.kind, Kind::Query | Kind::FunctionCall);
                Ok(self.owed.push(entry)?)
            }
            Role::Data | Role::DataEnd | Role::DataFail => {
                request.encode(out)?;
                self.copying = role == Role::Data;
                Ok(self.owed.popped())
            }
            Role::Flush | Role::Terminate => {
                request.encode(out)?;
                self.over |= role == Role::Terminate;
                Ok(self.owed.pushed().saturating_sub(1))
            }
        }
    }

    fn may_send(&self, role: Role) -> Result<(), SendError> {
        if self.over {
            return Err(SendError::Over);
        }
        match role {
            Role::Terminate => Ok(()),
            // It may be a COPY from the client.
            _ if self.is_abandoning() => Err(SendError::Abandoned),
            _ if !self.started => Err(SendError::Starting),
            Role::DataFail if self.copying && self.at == At::CopyBoth => Err(SendError::CopyBoth),
            Role::Data | Role::DataEnd | Role::DataFail if self.copying => Ok(()),
            Role::Data | Role::DataEnd | Role::DataFail => Err(SendError::NoCopy),
            _ if self.copying => Err(SendError::InCopy),
            Role::Answered(Entry { kind: Kind::Sync, .. }) => Ok(()),
            _ if self.skipping => Err(SendError::Failed),
            // Only its response says where the COPY has ended.
            _ if self.swallowed > 0 && self.owed.len() <= self.swallowed.saturating_add(1) => {
                Err(SendError::Swallowed)
            }
            Role::Answered(_) | Role::Flush => Ok(()),
        }
    }

    /// A Sync, and where nobody knows how many ReadyForQuery come for it, an empty Query that shows where they end.
    fn send_sync<O: Output>(&mut self, treatment: Treatment, out: &mut O) -> Result<u64, SendError> {
        let marked = self.doubt || self.swallowed > 0;
        let entry = Entry { kind: Kind::Sync, treatment, note: if marked { MARKED } else { 0 } };
        if !self.owed.fits(entry) {
            return Err(Full.into());
        }
        let start = out.length();
        Sync.encode(out)?;
        if marked {
            Query { sql: "".into() }.encode(out).inspect_err(|_| out.truncate(start))?;
        }
        (self.doubt, self.batch, self.skipping) = (false, false, false);
        Ok(self.owed.push(entry)?)
    }

    /// Receives a message. `None`: it answers something that was [abandoned](Self::abandon).
    ///
    /// # Errors
    ///
    /// See [`Error`]. After [`Error::Malformed`] the session goes on.
    pub fn receive<'a>(&mut self, frame: &backend::Frame<'a>) -> Result<Option<Event<'a>>, Error> {
        let (request, shown) = self.advance(frame.tag(), frame.name())?;
        let message = frame.message()?;
        let formats = self.formats;
        self.learn(&message);
        Ok(shown.then_some(Event { request, message, formats }))
    }

    /// The same for a message that is streamed, of which only the type byte is there: of a DataRow or CopyData. Returns
    /// the number of the request that it answers, and `None` if that was abandoned.
    ///
    /// # Errors
    ///
    /// [`Error::Unexpected`].
    pub fn receive_streamed(&mut self, tag: u8) -> Result<Option<u64>, Error> {
        let name =
            if tag == backend::DataRow::TAG { backend::DataRow::NAME } else { backend::CopyData::NAME };
        let (request, shown) = self.advance(tag, name)?;
        Ok(request.filter(|_| shown))
    }

    /// Whether [`receive`](Self::receive) will show the next message, if that is one of this type: for a caller that
    /// wants to know before the message is lent.
    pub fn shows(&self, tag: u8) -> bool {
        if comes_at_any_time(tag) {
            return true;
        }
        // That of a Sync that was not swallowed.
        let Some(entry) = self.owed.front() else { return !self.doubt || tag != ReadyForQuery::TAG };
        if self.is_abandoning() || entry.treatment == Treatment::Skip {
            return false;
        }
        // What comes before the end of the marked one is of no interest.
        !is_marked(entry)
            || tag == ErrorResponse::TAG
            || (self.at == At::Between && tag == ReadyForQuery::TAG)
    }

    /// Goes on by one message. Returns the request that it answers, and whether that is to be shown.
    fn advance(&mut self, tag: u8, name: &'static str) -> Result<(Option<u64>, bool), Error> {
        if comes_at_any_time(tag) {
            return Ok((None, true));
        }
        let entry = self.owed.front();
        let unexpected = Error::Unexpected { name, due: entry.map(|entry| entry.kind) };
        let Some(entry) = entry else {
            return match (self.started, tag) {
                (_, ErrorResponse::TAG) | (false, BackendKeyData::TAG) => Ok((None, true)),
                (false, ReadyForQuery::TAG) => {
                    self.started = true;
                    Ok((None, true))
                }
                (_, ReadyForQuery::TAG) if self.doubt => Ok((None, false)),
                _ => Err(unexpected),
            };
        };
        let request = self.owed.popped();
        let shown = self.shows(tag);
        if tag == ErrorResponse::TAG {
            self.fail(entry);
            return Ok((Some(request), shown));
        }
        let next =
            if is_marked(entry) { next_of_marked(self.at, tag) } else { next(entry.kind, self.at, tag) };
        match next.ok_or(unexpected)? {
            Next::To(at) => {
                if self.at != at {
                    self.enter(at, entry)?;
                }
                if entry.kind == Kind::Execute {
                    self.formats = Formats::noted(entry.note);
                }
            }
            Next::Done => self.pop(),
        }
        Ok((Some(request), shown))
    }

    fn enter(&mut self, at: At, entry: Entry) -> Result<(), Error> {
        self.at = at;
        self.copying = matches!(at, At::CopyIn | At::CopyBoth);
        match at {
            At::CopyIn => self.swallow(entry.kind)?,
            At::CopyBoth if self.owed.len() > 1 => return Err(Error::BehindCopy),
            _ => {}
        }
        // Whoever has abandoned it sends no data.
        self.ending |= self.copying && self.is_abandoning();
        Ok(())
    }

    /// The server reads what has been sent behind a COPY from the client in the COPY, and drops Sync there.
    fn swallow(&mut self, kind: Kind) -> Result<(), Error> {
        let mut behind = self.owed.iter();
        behind.next();
        if behind.any(|entry| kind != Kind::Execute || entry.kind != Kind::Sync || entry.note == MARKED) {
            return Err(Error::BehindCopy);
        }
        self.swallowed = self.owed.len().saturating_sub(1);
        // Then a Sync is due again.
        self.batch |= self.swallowed > 0;
        Ok(())
    }

    fn fail(&mut self, entry: Entry) {
        self.copying = false;
        match entry.kind {
            Kind::Sync | Kind::Query | Kind::FunctionCall => self.at = At::Failed,
            _ => {
                let doubt = self.swallowed > 0;
                self.pop();
                // Query and FunctionCall are dropped as well.
                while self.owed.front().is_some_and(|entry| entry.kind != Kind::Sync) {
                    self.owed.pop();
                }
                self.skipping = self.owed.is_empty();
                // A Sync that was sent meanwhile is marked.
                self.doubt = doubt && self.skipping;
            }
        }
    }

    fn pop(&mut self) {
        self.owed.pop();
        for _ in 0..core::mem::take(&mut self.swallowed) {
            self.owed.pop();
        }
        self.at = At::Start;
        self.copying = false;
    }

    fn learn(&mut self, message: &Message<'_>) {
        match message {
            Message::ReadyForQuery(ready) => self.status = ready.status,
            Message::RowDescription(columns) if self.at == At::Rows => {
                self.formats = Formats::of(columns.fields.iter().map(|field| field.format));
            }
            Message::BackendKeyData(key) => self.key.keep(key),
            Message::ParameterStatus(parameter) if parameter.name == "server_version" => {
                self.server_version = major(parameter.value.as_bytes());
            }
            Message::ErrorResponse(error) => {
                self.over |= matches!(error.severity(), Some(Severity::Fatal | Severity::Panic));
            }
            _ => {}
        }
    }

    /// Gives up everything that has been sent: its responses are received as before, but not shown any more. An open
    /// COPY is ended (from the client, it fails), and an open batch gets its Sync.
    ///
    /// The caller goes on with [`transmit`](Self::transmit), which writes what is needed for that, and with
    /// [`receive`](Self::receive); new requests can be sent when nothing that was given up is
    /// [left](Self::is_abandoning). To keep the server from doing all that work first, [cancel](Self::cancel_request)
    /// it before.
    pub fn abandon(&mut self) {
        self.abandoned = self.owed.pushed();
        self.ending |= self.copying || self.batch;
    }

    /// Whether responses to what was [given up](Self::abandon) are still to come.
    pub const fn is_abandoning(&self) -> bool {
        self.owed.popped() < self.abandoned
    }

    /// Writes what the client has to say by itself, after [`abandon`](Self::abandon). To be called after every message
    /// that has been received; [`send`](Self::send) does it as well.
    ///
    /// # Errors
    ///
    /// [`SendError::Full`], and [`SendError::Encode`] where the output is full: call it again later.
    pub fn transmit<O: Output>(&mut self, out: &mut O) -> Result<(), SendError> {
        if !self.ending || self.over {
            return Ok(());
        }
        if self.copying {
            match self.at {
                At::CopyBoth => CopyDone.encode(out)?,
                _ => CopyFail { reason: "abandoned by the client".into() }.encode(out)?,
            };
            self.copying = false;
        }
        if self.batch {
            self.send_sync(Treatment::Skip, out)?;
        }
        self.ending = false;
        Ok(())
    }

    /// The CancelRequest for this session, to be sent on a connection of its own. `None` if the server sent no key.
    ///
    /// It may arrive late and hit what was sent in the meantime. So send nothing until the server has closed that
    /// connection: by then it has interrupted this session.
    pub fn cancel_request(&self) -> Option<CancelRequest<'_>> {
        self.key.cancel_request()
    }

    /// The transaction's status, by the last ReadyForQuery.
    pub const fn transaction_status(&self) -> TransactionStatus {
        self.status
    }

    /// Whether everything that was sent has been answered, with no batch left open.
    pub const fn is_idle(&self) -> bool {
        self.started && self.owed.is_empty() && !self.batch && !self.copying
    }

    /// Whether the data of a COPY may be sent.
    pub const fn is_copying(&self) -> bool {
        self.copying
    }

    /// Whether the session has ended: no request can be sent.
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// What is owed.
    pub const fn owed(&self) -> &Queue<M> {
        &self.owed
    }

    /// The server's major version, such as 18, once it has told.
    pub const fn server_version(&self) -> Option<u16> {
        match self.server_version {
            0 => None,
            version => Some(version),
        }
    }
}

const fn comes_at_any_time(tag: u8) -> bool {
    matches!(tag, NoticeResponse::TAG | NotificationResponse::TAG | ParameterStatus::TAG)
}

fn is_marked(entry: Entry) -> bool {
    entry.kind == Kind::Sync && entry.note == MARKED
}

/// The number that a version begins with: of "18.4 (Debian)", "19beta1", "9.6.24".
fn major(version: &[u8]) -> u16 {
    version.iter().map_while(|byte| char::from(*byte).to_digit(10)).fold(0, |number: u16, digit| {
        number.saturating_mul(10).saturating_add(u16::try_from(digit).unwrap_or_default())
    })
}

impl<M: AsRef<[Slot]> + AsMut<[Slot]>> fmt::Debug for Client<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("owed", &self.owed)
            .field("at", &self.at)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
