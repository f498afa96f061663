//! What a backend says: its messages, and the [`Protocol`] that finds them in a stream.

pub use super::authentication::Authentication;
pub use super::command::CommandComplete;
pub use super::copy::{CopyBothResponse, CopyData, CopyDone, CopyInResponse, CopyOutResponse};
pub use super::data_row::{BadRow, Columns, DataRow};
pub use super::encryption::{Encryption, EncryptionResponse};
pub use super::extended::{BindComplete, CloseComplete, NoData, ParseComplete, PortalSuspended};
pub use super::function_call::FunctionCallResponse;
pub use super::key::BackendKeyData;
pub use super::notice::{
    ErrorResponse, NoticeField, NoticeResponse, PlainError, Severity, SqlState, UntrustedError, field,
};
pub use super::parse::ParameterDescription;
pub use super::query::EmptyQueryResponse;
pub use super::row_description::{Field, RowDescription};
pub use super::status::{NotificationResponse, ParameterStatus, ReadyForQuery, TransactionStatus};
pub use super::unknown::Unknown;
pub use super::version::NegotiateProtocolVersion;

use super::error::{Error, Problem};
use super::frame::{self, Direction, Kind};
use super::limits::{self, Cap, Caps, LONGEST, Limits, Sent, Within, cut, largest, width};
use super::message::{self, Body, HEADER, messages};
use super::reader::{Bad, Reader};
use super::shape;
use super::write::{Header, Sink, Whole};
use crate::encode::{Encode, EncodeError, Output};
use crate::protocol::{Extent, Protocol};

/// A frame of this direction.
pub type Frame<'a> = frame::Frame<'a, Backend>;

messages! {
    /// Any message that a backend sends.
    ///
    /// A message of a frontend has no place here, and the other way round:
    ///
    /// ```compile_fail
    /// use feedrate::pg::{backend, frontend};
    ///
    /// let message: backend::Message<'_> = frontend::Sync.into();
    /// ```
    tagged {
    /// Asks for a proof of who the frontend is, or is content.
    Authentication<'a>: Authentication,
    /// What a CancelRequest has to show.
    BackendKeyData<'a>: Short,
    /// Answers Bind.
    BindComplete: Short,
    /// Answers Close.
    CloseComplete: Short,
    /// A command was carried out.
    CommandComplete<'a>: Short,
    /// CopyData flows both ways.
    CopyBothResponse<'a>: Short,
    /// One row of COPY data.
    CopyData<'a>: Long,
    /// The COPY data are complete.
    CopyDone: Short,
    /// The server takes COPY data.
    CopyInResponse<'a>: Short,
    /// COPY data follow.
    CopyOutResponse<'a>: Short,
    /// One row of a result.
    DataRow<'a>: Long,
    /// The query string was empty.
    EmptyQueryResponse: Short,
    /// A command failed.
    ErrorResponse<'a>: Report,
    /// What a function returned.
    FunctionCallResponse<'a>: Long,
    /// The server does not speak the version asked for, or does not know an option.
    NegotiateProtocolVersion<'a>: Negotiation,
    /// There are no rows to be described.
    NoData: Short,
    /// Something worth knowing.
    NoticeResponse<'a>: Report,
    /// NOTIFY.
    NotificationResponse<'a>: Long,
    /// The types of a statement's parameters.
    ParameterDescription<'a>: Description,
    /// A setting's value.
    ParameterStatus<'a>: Short,
    /// Answers Parse.
    ParseComplete: Short,
    /// Execute's row limit was reached.
    PortalSuspended: Short,
    /// The server waits for a command.
    ReadyForQuery: Short,
    /// The columns of a result.
    RowDescription<'a>: Long,
    }
    untagged(Backend, BackendLimits, "backend", "long") {
    /// One byte in answer to SSLRequest or GSSENCRequest.
    EncryptionResponse(EncryptionResponse): any,
    /// An error in answer to SSLRequest or GSSENCRequest, which anybody may have written.
    UntrustedError(UntrustedError<'a>): early_report,
    /// An error in the form of protocol 2.0.
    PlainError(PlainError<'a>): early_report,
    /// A message of a type that this crate does not know, where [`Backend::allow_unknown`] lets it pass.
    Unknown(Unknown<'a>): any,
    }
}

/// The most that the length field of a backend's message may say, by kind of message.
///
/// The defaults are libpq's (`fe-connect.c` and `fe-protocol3.c`), save for ParameterDescription: libpq's limit for it breaks
/// statements of more than 7498 parameters.
///
/// ```
/// use feedrate::pg::{Backend, BackendLimits};
///
/// // A proxy that never wants to see a row of more than 16 MiB.
/// let backend = Backend::new().limits(BackendLimits { long: 16 << 20, ..BackendLimits::default() });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackendLimits {
    /// Authentication requests and NegotiateProtocolVersion, and everything but errors before authentication ended.
    pub authentication: u32,
    /// ErrorResponse, also as plain text, and NoticeResponse before authentication ended.
    pub early_report: u32,
    /// Messages that have no reason to be long.
    pub short: u32,
    /// CopyData, DataRow, ErrorResponse, FunctionCallResponse, NoticeResponse, NotificationResponse, RowDescription.
    pub long: u32,
}

impl Default for BackendLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What may be written: a message that some phase of the connection lets in.
impl BackendLimits {
    pub(crate) const DEFAULT: Self =
        Self { authentication: 2_000, early_report: 30_000, short: 30_000, long: 0x7fff_ffff };

    const fn most(&self, class: Class) -> u32 {
        let (authentication, short, long) = (cut(self.authentication), cut(self.short), cut(self.long));
        match class {
            Class::Unknown => LONGEST,
            Class::Authentication | Class::Negotiation => authentication,
            Class::Report => largest(&[self.early_report(), long]),
            Class::Short => short,
            // A class of its own, because it is neither.
            Class::Description if largest(&[DESCRIPTION, short]) < long => largest(&[DESCRIPTION, short]),
            Class::Description | Class::Long => long,
        }
    }

    const fn early_report(&self) -> u32 {
        cut(self.early_report)
    }

    /// Messages that have no length, or of an unknown type: there the limit is the decoder's alone.
    const fn any(&self) -> u32 {
        LONGEST
    }
}

impl Limits for BackendLimits {}
impl limits::private::Limits for BackendLimits {
    fn copy_data(&self) -> u32 {
        self.of(CopyData::TAG)
    }
}

/// The longest ParameterDescription: 65535 types.
const DESCRIPTION: u32 = 6 + 4 * 65_535;

/// Kinds of messages by the limit of their length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Unknown,
    Authentication,
    Negotiation,
    Report,
    Short,
    Description,
    Long,
}

impl Class {
    const ALL: [Self; 7] = [
        Self::Unknown,
        Self::Authentication,
        Self::Negotiation,
        Self::Report,
        Self::Short,
        Self::Description,
        Self::Long,
    ];

    const fn index(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Authentication => 1,
            Self::Negotiation => 2,
            Self::Report => 3,
            Self::Short => 4,
            Self::Description => 5,
            Self::Long => 6,
        }
    }
}

/// The stream of bytes that a backend sends: a [`Protocol`] whose messages are [`Frame`]s.
///
/// It follows the startup phase as far as the bytes tell it: until AuthenticationOk only the messages that can come before it are
/// accepted, with tighter limits. Two things have to be told: that one byte will answer an encryption request
/// ([`expect_encryption_response`](Self::expect_encryption_response)), and that the encryption has begun ([`secured`](Self::secured)).
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
    /// The limits that `glance` goes by: none but in the phase in which the type byte says everything.
    common: Caps,
    limits: BackendLimits,
    unknown: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// One byte is to come, or an error.
    Response(Encryption),
    /// The server agreed to encrypt; what comes before that has begun is not from it.
    Securing,
    Startup,
    Ready,
    /// An error came where nobody can have trusted it.
    Closed,
}

impl Default for Backend {
    fn default() -> Self {
        Self::new()
    }
}

impl Backend {
    /// The beginning of a connection, before authentication.
    pub fn new() -> Self {
        Self::starting_with(Phase::Startup)
    }

    /// A connection whose authentication is over.
    pub fn established() -> Self {
        Self::starting_with(Phase::Ready)
    }

    fn starting_with(first: Phase) -> Self {
        let limits = BackendLimits::default();
        let mut backend = Self { phase: first, first, common: Caps::NONE, limits, unknown: 0 };
        backend.enter(first);
        backend
    }

    /// Other limits than libpq's.
    #[must_use]
    pub fn limits(mut self, limits: BackendLimits) -> Self {
        self.limits = limits;
        self.enter(self.phase);
        self
    }

    /// Lets messages of unknown type pass, as [`Unknown`], if their length field says no more than `limit`.
    ///
    /// Without it, an unknown type byte means that the stream is lost: its length is not believed.
    #[must_use]
    pub fn allow_unknown(mut self, limit: u32) -> Self {
        self.unknown = limit;
        self.enter(self.phase);
        self
    }

    /// An SSLRequest or GSSENCRequest has been sent: one byte is to come, or an error.
    ///
    /// When the byte says yes, nothing more is accepted until [`secured`](Self::secured): bytes that come behind it in clear have been
    /// put there by somebody else (CVE-2021-23222).
    pub fn expect_encryption_response(&mut self, encryption: Encryption) {
        self.enter(Phase::Response(encryption));
    }

    /// The encryption has begun: from here on, the decoder is fed what it decrypts.
    pub fn secured(&mut self) {
        self.enter(Phase::Startup);
    }

    /// Whether AuthenticationOk has come.
    pub const fn is_authenticated(&self) -> bool {
        matches!(self.phase, Phase::Ready)
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.common = Caps::NONE;
        if phase == Phase::Ready {
            for class in Class::ALL {
                self.common.set(class.index(), self.cap(class));
            }
        }
    }

    /// The limit of tagged messages of this class in the present phase.
    fn cap(&self, class: Class) -> Cap {
        let BackendLimits { authentication, early_report, short, long } = self.limits;
        Cap::new(match (self.phase, class) {
            (Phase::Startup, Class::Authentication | Class::Negotiation) => authentication,
            (Phase::Startup | Phase::Response(_), Class::Report) => early_report,
            (Phase::Ready, Class::Authentication) => authentication,
            (Phase::Ready, Class::Short) => short,
            (Phase::Ready, Class::Description) => DESCRIPTION.max(short).min(long),
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
        match self.cap(class_of(tag)).measure(head) {
            Some(extent) => Ok(extent),
            // Not a length, but the text of an error: `fe-connect.c`, CONNECTION_AWAITING_RESPONSE. It has the same limit.
            None if tag == ErrorResponse::TAG
                && matches!(self.phase, Phase::Startup | Phase::Response(_)) =>
            {
                Ok(Extent::Until(b"\0"))
            }
            None => Err(self.refusal(head)),
        }
    }

    /// Why nothing begins as these bytes do.
    #[cold]
    #[inline(never)]
    fn refusal(&self, head: &[u8]) -> Error {
        let tag = head.first().copied().unwrap_or_default();
        let cap = self.cap(class_of(tag));
        let unexpected = |when| Problem::Unexpected { tag, when };
        let problem = match (self.phase, class_of(tag)) {
            (Phase::Securing, _) => Problem::Disagrees(
                "bytes in clear behind the consent to encrypt, which somebody else may have put there",
            ),
            (Phase::Response(_) | Phase::Startup, _) if tag == b'H' => Problem::of_foreign(tag, "HTTP"),
            (Phase::Response(_), _) => Problem::Value {
                what: "answer",
                found: u32::from(tag),
                expected: "'S' or 'G' for yes, 'N' for no, 'E' for an error",
            },
            (Phase::Closed, _) => unexpected("after an error that ended the startup"),
            _ if !cap.refuses_all() => cap.problem(head),
            (_, Class::Unknown) => Problem::unknown(tag),
            (_, Class::Negotiation) => unexpected("after authentication"),
            // Both begin other messages, so that nobody would ever be told.
            _ if tag == b'S' || tag == b'G' => unexpected(
                "before authentication has ended, unless it answers a request for encryption that was announced",
            ),
            _ => unexpected("before authentication has ended"),
        };
        let response = matches!(self.phase, Phase::Securing | Phase::Response(_));
        Error::new(if response { "EncryptionResponse" } else { name(tag) }, problem.offset(), problem)
    }

    /// What a frame is, outside of the phase in which all are tagged.
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

    /// An error as plain text: its NUL is its last byte.
    fn scan(&mut self, so_far: &[u8], _: usize) -> Result<(), Error> {
        match so_far.get(..width(self.cap(Class::Report).limit())) {
            Some(text) if text.last() != Some(&0) => {
                let name = if let Phase::Response(_) = self.phase {
                    "EncryptionResponse"
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
    /// The columns of a [`DataRow`], `None` if this is another message: in one pass, checked as they are walked through.
    ///
    /// [`message`](frame::Frame::message) checks a row first, so that no column of a bad one is ever seen and the walk
    /// cannot fail. That is two walks, and shows in rows of many columns; this is one.
    ///
    /// # Errors
    ///
    /// The iterator ends with [`BadRow`] where [`message`](frame::Frame::message) answers at once that, and how, the row is bad.
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
}

impl Direction for Backend {
    type Message<'a> = Message<'a>;
}

impl frame::private::Direction for Backend {
    #[inline]
    fn message<'a>(frame: &Frame<'a>) -> Result<Message<'a>, Error> {
        if let (DataRow::TAG, Some(body)) = (frame.tag(), frame.raw().get(HEADER..)) {
            if let Some(row) = DataRow::read_good(body) {
                return Ok(Message::DataRow(row));
            }
        }
        read(frame.raw(), frame.tag(), frame.kind())
    }

    fn shapes(&self, tag: u8) -> Option<&'static [shape::Shape]> {
        (self.phase == Phase::Ready).then(|| shape::backend_shapes(tag))
    }

    fn name(frame: &Frame<'_>) -> &'static str {
        match frame.kind() {
            Kind::EncryptionResponse => "EncryptionResponse",
            Kind::UntrustedError => "UntrustedError",
            Kind::PlainError => "PlainError",
            _ => name(frame.tag()),
        }
    }
}

/// By value, so that a frame need not be in memory for it.
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
