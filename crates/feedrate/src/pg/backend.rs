//! The messages of a backend (a server), and the [`Protocol`] that finds them in a stream.

pub use super::message::authentication::Authentication;
pub use super::message::backend_key_data::BackendKeyData;
pub use super::message::bind_complete::BindComplete;
pub use super::message::close_complete::CloseComplete;
pub use super::message::command_complete::CommandComplete;
pub use super::message::copy_both_response::CopyBothResponse;
pub use super::message::copy_data::CopyData;
pub use super::message::copy_done::CopyDone;
pub use super::message::copy_in_response::CopyInResponse;
pub use super::message::copy_out_response::CopyOutResponse;
pub use super::message::data_row::{BadRow, Columns, DataRow};
pub use super::message::empty_query_response::EmptyQueryResponse;
pub use super::message::encryption_response::{Encryption, EncryptionResponse};
pub use super::message::error_response::ErrorResponse;
#[cfg(feature = "alloc")]
pub use super::message::error_response::OwnedErrorResponse;
pub use super::message::function_call_response::FunctionCallResponse;
pub use super::message::negotiate_protocol_version::NegotiateProtocolVersion;
pub use super::message::no_data::NoData;
pub use super::message::notice_response::NoticeResponse;
pub use super::message::notification_response::NotificationResponse;
pub use super::message::parameter_description::ParameterDescription;
pub use super::message::parameter_status::ParameterStatus;
pub use super::message::parse_complete::ParseComplete;
pub use super::message::plain_error::PlainError;
pub use super::message::portal_suspended::PortalSuspended;
pub use super::message::ready_for_query::{ReadyForQuery, TransactionStatus};
pub use super::message::row_description::{Field, RowDescription};
pub use super::message::unknown::Unknown;
pub use super::message::untrusted_error::UntrustedError;
pub use super::notice::{NoticeField, Severity, SqlState, field};

use core::fmt;

use super::answer::Answer;
use super::cap::{Cap, Caps, width};
use super::error::{Error, Problem};
use super::frame::{self, Direction, HEADER, Kind};
use super::limits::backend::{BackendLimits, Class};
use super::limits::{Sent, Within};
use super::message::{self, Fields, Traced};
use super::messages::messages;
use super::reader::{Bad, Reader};
use super::shape::{Shape, Shaped};
use super::trace::Printer;
use super::write::{Header, Sink, Whole};
use crate::encode::{Encode, EncodeError, Output};
use crate::protocol::{Extent, Protocol};

/// A frame of this direction.
pub type Frame<'a> = frame::Frame<'a, Backend>;

messages! {
    /// Any message that a backend sends.
    ///
    /// A frontend's message is of another type:
    ///
    /// ```compile_fail
    /// use feedrate::pg::{backend, frontend};
    ///
    /// let message: backend::Message<'_> = frontend::Sync.into();
    /// ```
    backend: Backend, BackendLimits, long;
    tagged {
    /// Asks the frontend to prove who it is, or reports success.
    Authentication<'a>,
    /// Process and key for a CancelRequest.
    BackendKeyData<'a>,
    /// Answers Bind.
    BindComplete,
    /// Answers Close.
    CloseComplete,
    /// A command was carried out.
    CommandComplete<'a>,
    /// CopyData flows both ways.
    CopyBothResponse<'a>,
    /// One row of COPY data.
    CopyData<'a>,
    /// The COPY data are complete.
    CopyDone,
    /// The server is ready for COPY data.
    CopyInResponse<'a>,
    /// COPY data follow.
    CopyOutResponse<'a>,
    /// One row of a result.
    DataRow<'a>,
    /// The query string was empty.
    EmptyQueryResponse,
    /// A command failed.
    ErrorResponse<'a>,
    /// What a function returned.
    FunctionCallResponse<'a>,
    /// The server does not support the requested version, or an option.
    NegotiateProtocolVersion<'a>,
    /// The statement or portal returns no rows.
    NoData,
    /// A warning or other information.
    NoticeResponse<'a>,
    /// A session has executed NOTIFY.
    NotificationResponse<'a>,
    /// The types of a statement's parameters.
    ParameterDescription<'a>,
    /// A setting's value.
    ParameterStatus<'a>,
    /// Answers Parse.
    ParseComplete,
    /// Execute's row limit was reached.
    PortalSuspended,
    /// The server is ready for the next command.
    ReadyForQuery,
    /// The columns of a result.
    RowDescription<'a>,
    }
    untagged {
    /// One byte in answer to SSLRequest or GSSENCRequest.
    EncryptionResponse,
    /// An error in answer to SSLRequest or GSSENCRequest, which anybody on the network may have sent.
    UntrustedError<'a>,
    /// An error in the form of protocol 2.0.
    PlainError<'a>,
    /// A message of unknown type, if [`Backend::allow_unknown`] admits it.
    Unknown<'a>,
    }
}

/// The stream of bytes that a backend sends: a [`Protocol`] whose messages are [`Frame`]s.
///
/// It follows the startup phase: until AuthenticationOk it accepts only the messages that can come before it, with
/// tighter limits. It has to be told two things that the bytes do not show: that an encryption request has been sent,
/// whose answer is one byte ([`expect_encryption_response`](Self::expect_encryption_response)), and that the encryption
/// has begun ([`secured`](Self::secured)).
///
/// ```
/// use feedrate::{Array, Decoder, pg::{Backend, backend::Message}};
///
/// let mut decoder = Decoder::new(Backend::new(), Array::<1024>::new());
/// let mut input = &b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"[..];
/// while let Some(frame) = decoder.feed(&mut input)? {
///     match frame.message()? {
///         Message::Authentication(request) => println!("{request:?}"),
///         Message::ReadyForQuery(ready) => println!("{:?}", ready.status),
///         other => println!("{}", other.name()),
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Backend {
    phase: Phase,
    first: Phase,
    /// The limits for `glance`. They allow nothing except in the phase in which the type byte alone determines the
    /// message.
    common: Caps,
    limits: BackendLimits,
    unknown: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Waiting for one byte, or an error.
    Response(Encryption),
    /// The server agreed to encrypt. Bytes that come before the encryption begins are not from the server.
    Securing,
    Startup,
    Ready,
    /// An error came before anything could be trusted.
    Closed,
}

impl Default for Backend {
    fn default() -> Self {
        Self::new()
    }
}

impl Backend {
    /// The beginning of a connection, before authentication.
    pub const fn new() -> Self {
        Self::starting_with(Phase::Startup)
    }

    /// A connection whose authentication is over.
    pub const fn established() -> Self {
        Self::starting_with(Phase::Ready)
    }

    const fn starting_with(first: Phase) -> Self {
        let limits = BackendLimits::new();
        let mut backend = Self { phase: first, first, common: Caps::NONE, limits, unknown: 0 };
        backend.enter(first);
        backend
    }

    /// Sets limits other than the default ones.
    #[must_use]
    pub const fn limits(mut self, limits: BackendLimits) -> Self {
        self.limits = limits;
        self.enter(self.phase);
        self
    }

    /// Accepts messages of unknown type, as [`Unknown`], up to a length of `limit`.
    ///
    /// Without this, an unknown type byte loses the stream: its length cannot be trusted.
    #[must_use]
    pub const fn allow_unknown(mut self, limit: u32) -> Self {
        self.unknown = limit;
        self.enter(self.phase);
        self
    }

    /// Call this when an SSLRequest or GSSENCRequest has been sent: the answer is one byte, or an error.
    ///
    /// If the server agrees, nothing more is accepted until [`secured`](Self::secured): unencrypted bytes after the
    /// answer were injected by somebody else (CVE-2021-23222).
    pub fn expect_encryption_response(&mut self, encryption: Encryption) {
        self.enter(Phase::Response(encryption));
    }

    /// Call this when the encryption has begun. From then on, feed the decoder decrypted bytes.
    pub fn secured(&mut self) {
        self.enter(Phase::Startup);
    }

    /// Whether AuthenticationOk has been received.
    pub const fn is_authenticated(&self) -> bool {
        matches!(self.phase, Phase::Ready)
    }

    const fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.common = match phase {
            // In the order of the classes' numbers.
            Phase::Ready => Caps::new([
                self.cap(Class::Unknown),
                self.cap(Class::Authentication),
                self.cap(Class::Negotiation),
                self.cap(Class::Report),
                self.cap(Class::Short),
                self.cap(Class::Description),
                self.cap(Class::Long),
                self.cap(Class::EarlyReport),
            ]),
            _ => Caps::NONE,
        };
    }

    /// The limit of tagged messages of this class in the present phase.
    const fn cap(&self, class: Class) -> Cap {
        let BackendLimits { authentication, early_report, short, long, .. } = self.limits;
        Cap::new(match (self.phase, class) {
            (Phase::Startup, Class::Authentication | Class::Negotiation) => authentication,
            (Phase::Startup | Phase::Response(_), Class::Report) => early_report,
            (Phase::Ready, Class::Authentication) => authentication,
            (Phase::Ready, Class::Short) => short,
            (Phase::Ready, Class::Description) => self.limits.description(),
            (Phase::Ready, Class::Report | Class::Long) => long,
            (Phase::Ready, Class::Unknown) => self.unknown,
            _ => 0,
        })
    }

    fn measure(&self, head: &[u8]) -> Result<Extent, Error> {
        let Some(&tag) = head.first() else {
            return Ok(Extent::Need(if let Phase::Response(_) = self.phase { 1 } else { HEADER }));
        };
        match self.phase {
            Phase::Response(encryption) if tag == b'N' || tag == encryption.consent() => {
                return Ok(Extent::Message(1));
            }
            Phase::Response(_) | Phase::Securing | Phase::Closed | Phase::Startup | Phase::Ready => {}
        }
        let class = class_of(tag);
        let cap = if self.phase == Phase::Ready { self.common.get(class.index()) } else { self.cap(class) };
        match cap.measure(head) {
            Some(extent) => Ok(extent),
            // Not a length, but the text of an error (`fe-connect.c`, CONNECTION_AWAITING_RESPONSE). The limit is the
            // same.
            None if tag == ErrorResponse::TAG
                && matches!(self.phase, Phase::Startup | Phase::Response(_)) =>
            {
                Ok(Extent::Until(b"\0"))
            }
            None => Err(self.refusal(head)),
        }
    }

    /// The error for bytes that begin no message.
    #[cold]
    #[inline(never)]
    fn refusal(&self, head: &[u8]) -> Error {
        let tag = head.first().copied().unwrap_or_default();
        let cap = self.cap(class_of(tag));
        let unexpected = |when| Problem::Unexpected { tag, when };
        let problem = match (self.phase, class_of(tag)) {
            (Phase::Securing, _) => Problem::Disagrees(
                "unencrypted bytes after the consent to encrypt, possibly injected by somebody else",
            ),
            (Phase::Response(_) | Phase::Startup, _) if tag == b'H' => Problem::of_foreign(tag, "HTTP"),
            // TLS, such as the alert of a server that expects TLS from the first byte.
            (Phase::Response(_), _) if matches!(tag, 0x15 | 0x16) => Problem::unknown(tag),
            (Phase::Response(_), _) => Problem::Value {
                what: "answer",
                found: u32::from(tag),
                expected: "'S' or 'G' for yes, 'N' for no, 'E' for an error",
            },
            (Phase::Closed, _) => unexpected("after an error that ended the startup"),
            _ if !cap.refuses_all() => cap.problem(head),
            (_, Class::Unknown) => Problem::unknown(tag),
            (_, Class::Negotiation) => unexpected("after authentication"),
            // `S` and `G` begin other messages too, so without this error the mistake would go unnoticed.
            _ if tag == b'S' || tag == b'G' => unexpected(
                "before authentication has ended, except in answer to an announced request for encryption",
            ),
            _ => unexpected("before authentication has ended"),
        };
        let response = matches!(self.phase, Phase::Securing | Phase::Response(_));
        Error::new(if response { EncryptionResponse::NAME } else { name(tag) }, problem.offset(), problem)
    }

    /// The kind of a frame, outside of the phase in which all are tagged.
    #[cold]
    fn parse_early(&mut self, raw: &[u8], tag: u8) -> (u8, Kind) {
        match self.phase {
            Phase::Response(_) if tag != ErrorResponse::TAG => {
                self.enter(if tag == b'N' { Phase::Startup } else { Phase::Securing });
                (0, Kind::EncryptionResponse)
            }
            Phase::Response(_) => {
                self.enter(Phase::Closed);
                (tag, Kind::UntrustedError)
            }
            _ => {
                if raw.get(HEADER..) == Some(&[0; 4]) && tag == Authentication::TAG {
                    self.enter(Phase::Ready);
                }
                let declared = raw.get(1..HEADER).and_then(|length| length.first_chunk());
                let declared =
                    declared.map_or(0, |length| width(u32::from_be_bytes(*length)).saturating_add(1));
                let plain = tag == ErrorResponse::TAG && declared != raw.len();
                (tag, if plain { Kind::PlainError } else { Kind::Tagged })
            }
        }
    }
}

impl Protocol for Backend {
    type Bytes<'a> = &'a [u8];
    type Message<'a> = Frame<'a>;
    type Error = Error;

    fn extent(&self, head: &[u8]) -> Result<Extent, Error> {
        self.measure(head)
    }

    #[inline]
    fn glance(&self, head: &[u8]) -> Option<usize> {
        self.common.glance(head, |tag| class_of(tag).index())
    }

    #[inline]
    fn quick<'a>(&mut self, raw: Self::Bytes<'a>) -> Result<Frame<'a>, Error> {
        Ok(Frame::new(raw, raw.first().copied().unwrap_or_default(), Kind::Tagged))
    }

    #[inline]
    fn parse<'a>(&mut self, raw: Self::Bytes<'a>) -> Result<Frame<'a>, Error> {
        let tag = raw.first().copied().unwrap_or_default();
        let (tag, kind) =
            if self.phase == Phase::Ready { (tag, Kind::Tagged) } else { self.parse_early(raw, tag) };
        Ok(Frame::new(raw, tag, kind))
    }

    /// An error in plain text, which ends with its NUL.
    fn scan(&mut self, so_far: &[u8], _: usize) -> Result<(), Error> {
        match so_far.get(..width(self.cap(Class::Report).limit())) {
            Some(text) if text.last() != Some(&0) => {
                let name = if let Phase::Response(_) = self.phase {
                    EncryptionResponse::NAME
                } else {
                    ErrorResponse::NAME
                };
                Err(Error::new(name, text.len(), Problem::Unterminated))
            }
            _ => Ok(()),
        }
    }

    fn reset(&mut self) {
        self.enter(self.first);
    }
}

impl<'a> Frame<'a> {
    /// The columns of a [`DataRow`], checked during the iteration; `None` if this is another message.
    ///
    /// [`message`](frame::Frame::message) checks the whole row first, so that iterating cannot fail. That is two
    /// passes, which is measurable for rows with many columns; this is one.
    ///
    /// # Errors
    ///
    /// The iterator ends with [`BadRow`] if the row is malformed. [`message`](frame::Frame::message) returns what is
    /// wrong, and where.
    ///
    /// ```
    /// use feedrate::{Array, Decoder, pg::Backend};
    ///
    /// let mut decoder = Decoder::new(Backend::established(), Array::<64>::new());
    /// let mut input = &b"D\0\0\0\x0f\0\x02\0\0\0\x011\xff\xff\xff\xff"[..];
    /// let frame = decoder.feed(&mut input)?.unwrap();
    /// for value in frame.columns().unwrap() {
    ///     println!("{:?}", value?);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn columns(&self) -> Option<Columns<'a>> {
        (self.tag() == DataRow::TAG).then(|| Columns::new(self.raw()))
    }

    /// How the frontend's next `p` message is to be read, for [`Frontend::expect`](crate::pg::Frontend::expect), if
    /// this is an [`Authentication`] request that expects an answer. It works for malformed requests too: a frontend to
    /// which this one is forwarded may understand it.
    ///
    /// ```
    /// use feedrate::{Array, Decoder, pg::{Backend, frontend::Answer}};
    ///
    /// let mut decoder = Decoder::new(Backend::new(), Array::<64>::new());
    /// // The code of SASL, followed by a number instead of names of mechanisms, as openGauss sends it.
    /// let mut input = &b"R\0\0\0\x0c\0\0\0\x0a\0\0\0\x02"[..];
    /// let frame = decoder.feed(&mut input)?.unwrap();
    /// assert!(frame.message().is_err());
    /// assert_eq!(frame.answer(), Some(Answer::Unknown));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn answer(&self) -> Option<Answer> {
        if self.tag() != Authentication::TAG {
            return None;
        }
        match self.message() {
            Ok(Message::Authentication(request)) => request.answer(),
            _ => Some(Answer::Unknown),
        }
    }
}

impl Direction for Backend {
    type Message<'a> = Message<'a>;
}

impl frame::sealed::Direction for Backend {
    #[inline]
    fn message<'a>(frame: &Frame<'a>) -> Result<Message<'a>, Error> {
        if let (DataRow::TAG, Some(body)) = (frame.tag(), frame.raw().get(HEADER..)) {
            if let Some(row) = DataRow::read_good(body) {
                return Ok(Message::DataRow(row));
            }
        }
        read(frame.raw(), frame.tag(), frame.kind())
    }

    fn established() -> Self {
        Self::established()
    }

    fn shapes(&self, tag: u8) -> Option<&'static [Shape]> {
        (self.phase == Phase::Ready).then(|| shapes_of(tag))
    }

    fn name(frame: &Frame<'_>) -> &'static str {
        match frame.kind() {
            Kind::EncryptionResponse => EncryptionResponse::NAME,
            Kind::UntrustedError => UntrustedError::NAME,
            Kind::PlainError => PlainError::NAME,
            _ => name(frame.tag()),
        }
    }
}

/// By value, so that the frame need not be in memory.
#[inline(never)]
fn read(raw: &[u8], tag: u8, kind: Kind) -> Result<Message<'_>, Error> {
    Ok(match kind {
        Kind::EncryptionResponse => Message::EncryptionResponse(EncryptionResponse::from_byte(raw)),
        Kind::UntrustedError => Message::UntrustedError(UntrustedError { raw }),
        Kind::PlainError => {
            let text = raw.get(1..).unwrap_or_default();
            Message::PlainError(PlainError { text: text.strip_suffix(&[0]).unwrap_or(text).into() })
        }
        _ => return message::read(raw, HEADER, name, |reader| read_fields(tag, reader)),
    })
}
