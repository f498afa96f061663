//! What a frontend says: its messages, and the [`Protocol`] that finds them in a stream.

pub use super::bind::Bind;
pub use super::copy::{CopyData, CopyDone, CopyFail};
pub use super::extended::{Close, Describe, Execute, Flush, Sync, Target, Terminate};
pub use super::function_call::FunctionCall;
pub use super::parse::Parse;
pub use super::password::{
    Answer, AuthenticationResponse, GSSResponse, PasswordMessage, SASLInitialResponse, SASLResponse,
};
pub use super::query::Query;
pub use super::startup::{CancelRequest, GSSENCRequest, Parameter, Replication, SSLRequest, StartupMessage};
pub use super::unknown::Unknown;

use super::encryption::EncryptionResponse;
use super::error::{Error, Problem};
use super::frame::{self, Direction, Kind};
use super::limits::{self, Cap, Caps, LONGEST, Limits, Sent, Within, cut, largest, width};
use super::message::{self, Body, HEADER, encoded, messages};
use super::reader::{Bad, Reader};
use super::shape;
use super::startup;
use super::write::{Header, Sink, Whole};
use crate::encode::{Encode, EncodeError, Output};
use crate::protocol::{Extent, Protocol};

/// A frame of this direction.
pub type Frame<'a> = frame::Frame<'a, Frontend>;

messages! {
    /// Any message that a frontend sends.
    tagged {
    /// An answer to an authentication request, where nobody has told the decoder which: see [`Frontend::expect`].
    AuthenticationResponse<'a>: Answer,
    /// Makes a portal.
    Bind<'a>: Large,
    /// Closes a statement or portal.
    Close<'a>: Small,
    /// A piece of COPY data.
    CopyData<'a>: Large,
    /// The COPY data are complete.
    CopyDone: Small,
    /// The COPY is given up.
    CopyFail<'a>: Small,
    /// Asks for a description.
    Describe<'a>: Small,
    /// Runs a portal.
    Execute<'a>: Small,
    /// Has the server send what it has buffered.
    Flush: Small,
    /// Calls a function.
    FunctionCall<'a>: Large,
    /// Makes a prepared statement.
    Parse<'a>: Large,
    /// Runs SQL.
    Query<'a>: Large,
    /// Ends a batch.
    Sync: Small,
    /// The frontend is done.
    Terminate: End,
    }
    untagged(Frontend, FrontendLimits, "frontend", "large") {
    /// Opens a session.
    StartupMessage(StartupMessage<'a>): startup,
    /// Asks for TLS.
    SSLRequest(SSLRequest): startup,
    /// Asks for GSSAPI encryption.
    GSSENCRequest(GSSENCRequest): startup,
    /// Asks for the cancellation of what another session is doing.
    CancelRequest(CancelRequest<'a>): startup,
    /// The frontend begins TLS without having asked.
    DirectTls(DirectTls): any,
    /// A password, in clear or hashed.
    PasswordMessage(PasswordMessage<'a>): answer,
    /// The choice of a SASL mechanism.
    SASLInitialResponse(SASLInitialResponse<'a>): answer,
    /// What the SASL mechanism says next.
    SASLResponse(SASLResponse<'a>): sasl,
    /// A token of GSSAPI or SSPI.
    GSSResponse(GSSResponse<'a>): answer,
    /// A message of a type that this crate does not know, where [`Frontend::allow_unknown`] lets it pass.
    Unknown(Unknown<'a>): any,
    }
}

/// TLS begins without an SSLRequest (since PostgreSQL 17). This takes no bytes: all of them, from the record's first on, are for TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct DirectTls;

impl Whole for DirectTls {
    fn what(&self) -> &'static str {
        "DirectTls"
    }

    fn header(&self) -> Header {
        Header::None
    }

    fn fields<S: Sink>(&self, _: &mut S) {}
}

encoded!(DirectTls, Frontend);

/// The content type of a TLS handshake record (RFC 8446, section 5.1), with which a ClientHello begins.
const TLS_HANDSHAKE: u8 = 0x16;

/// The shortest startup packet: its length, and a code.
const STARTUP: u32 = 8;

/// The most that the length field of a frontend's message may say, by kind of message. The defaults are a server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrontendLimits {
    /// Startup packets: `MAX_STARTUP_PACKET_LENGTH` in `libpq/pqcomm.h`, and the length field.
    pub startup: u32,
    /// Answers to authentication requests: `PG_MAX_AUTH_TOKEN_LENGTH` in `libpq/auth.h`.
    pub authentication: u32,
    /// SASL responses, once the frontend has chosen a SCRAM mechanism: `PG_MAX_SASL_MESSAGE_LENGTH` in `libpq/sasl.h`.
    pub scram: u32,
    /// Close, CopyDone, CopyFail, Describe, Execute, Flush, Sync, Terminate: `PQ_SMALL_MESSAGE_LIMIT` in `libpq/libpq.h`.
    pub small: u32,
    /// Bind, CopyData, FunctionCall, Parse, Query: `PQ_LARGE_MESSAGE_LIMIT` in `libpq/libpq.h`.
    pub large: u32,
}

impl Default for FrontendLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What may be written: a message that some phase of the connection lets in.
impl FrontendLimits {
    pub(crate) const DEFAULT: Self =
        Self { startup: 10_004, authentication: 65_535, scram: 1_024, small: 10_000, large: 0x3fff_fffe };

    const fn most(&self, class: Class) -> u32 {
        match class {
            Class::Unknown => LONGEST,
            Class::Answer => self.answer(),
            Class::Small | Class::End => cut(self.small),
            Class::Large => cut(self.large),
        }
    }

    const fn startup(&self) -> u32 {
        cut(self.startup)
    }

    const fn answer(&self) -> u32 {
        cut(self.authentication)
    }

    /// Which mechanism it belongs to is not in the message.
    const fn sasl(&self) -> u32 {
        largest(&[cut(self.authentication), cut(self.scram)])
    }

    /// Messages that have no length, or of an unknown type: there the limit is the decoder's alone.
    const fn any(&self) -> u32 {
        LONGEST
    }
}

impl Limits for FrontendLimits {}
impl limits::private::Limits for FrontendLimits {
    fn copy_data(&self) -> u32 {
        self.of(CopyData::TAG)
    }
}

/// Kinds of messages by the limit of their length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Unknown,
    Answer,
    Small,
    Large,
    End,
}

impl Class {
    const fn index(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Answer => 1,
            Self::Small => 2,
            Self::Large => 3,
            Self::End => 4,
        }
    }
}

/// The stream of bytes that a frontend sends: a [`Protocol`] whose messages are [`Frame`]s.
///
/// What the bytes alone do not tell, the side that answers them has to:
///
/// * how an encryption request was [`answered`](Self::answered),
/// * how the next `p` message is to be read ([`expect`](Self::expect)), or it will be an [`AuthenticationResponse`],
/// * that the authentication is over ([`authenticated`](Self::authenticated)): before it, only `p` and Terminate are accepted.
///
/// So while the authentication lasts, one message can be read for each request of the server, and a proxy whose client sends
/// ahead has to let the rest wait until the server has answered.
///
/// ```
/// use feedrate::{Array, Decoder, pg::{Frontend, frontend::Message}};
///
/// let mut decoder = Decoder::new(Frontend::new(), Array::<1024>::new());
/// let mut input = &b"\0\0\0\x14\0\x03\0\0user\0alice\0\0"[..];
/// let frame = decoder.feed(&mut input)?.unwrap();
/// let Message::StartupMessage(startup) = frame.message()? else { unreachable!() };
/// assert_eq!(startup.user().unwrap(), "alice");
///
/// decoder.protocol_mut().authenticated(); // when AuthenticationOk has been sent
/// let mut input = &b"Q\0\0\0\x0dselect 1\0"[..];
/// assert_eq!(decoder.feed(&mut input)?.unwrap().name(), "Query");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Frontend {
    phase: Phase,
    first: Phase,
    /// The limits that `glance` goes by: none but in the phase in which the type byte says everything.
    common: Caps,
    limits: FrontendLimits,
    unknown: u32,
    answer: Option<Answer>,
    scram: bool,
    asked_ssl: bool,
    asked_gss: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Untagged packets.
    Startup,
    /// The frontend waits for the answer to an encryption request.
    Asked,
    Authenticating,
    Ready,
    /// After Terminate nothing comes, or another Terminate: pg_basebackup sends two.
    Terminated,
    /// After CancelRequest nothing comes.
    Closed,
}

impl Default for Frontend {
    fn default() -> Self {
        Self::new()
    }
}

impl Frontend {
    /// The beginning of a connection.
    pub fn new() -> Self {
        Self::starting_with(Phase::Startup)
    }

    /// A connection whose authentication is over.
    pub fn established() -> Self {
        Self::starting_with(Phase::Ready)
    }

    fn starting_with(first: Phase) -> Self {
        let mut frontend = Self {
            phase: first,
            first,
            common: Caps::NONE,
            limits: FrontendLimits::default(),
            unknown: 0,
            answer: None,
            scram: false,
            asked_ssl: false,
            asked_gss: false,
        };
        frontend.enter(first);
        frontend
    }

    /// Other limits than a server's.
    #[must_use]
    pub fn limits(mut self, limits: FrontendLimits) -> Self {
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

    /// The encryption request was answered. Until this is said, nothing that follows the request is accepted.
    ///
    /// `rest` is what is left of the input. After a consent the decoder is to be fed what the encryption decrypts, and nothing
    /// may be left: bytes that came in clear would be taken for encrypted ones (CVE-2021-23214).
    ///
    /// # Errors
    ///
    /// When bytes are left after a consent: close the connection.
    pub fn answered(&mut self, response: EncryptionResponse, rest: &[u8]) -> Result<(), Error> {
        if let (EncryptionResponse::Accepted(_), false) = (response, rest.is_empty()) {
            self.enter(Phase::Closed);
            let rule =
                "bytes in clear behind the request for encryption, which somebody else may have put there";
            return Err(Error::new("SSLRequest", startup::HEADER, Problem::Disagrees(rule)));
        }
        if let EncryptionResponse::Accepted(_) = response {
            // An encrypted connection is not encrypted again.
            self.asked_ssl = true;
            self.asked_gss = true;
        }
        self.enter(Phase::Startup);
        Ok(())
    }

    /// How the next `p` message is to be read: [`Authentication::answer`](super::backend::Authentication::answer) says it of every request.
    pub fn expect(&mut self, answer: Answer) {
        self.answer = Some(answer);
        self.enter(self.phase);
    }

    /// AuthenticationOk has been sent.
    pub fn authenticated(&mut self) {
        self.enter(Phase::Ready);
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.common = Caps::NONE;
        if phase == Phase::Ready {
            // Terminate has no part in it: it ends the phase.
            for class in [Class::Unknown, Class::Small, Class::Large] {
                self.common.set(class.index(), self.cap(class));
            }
        }
    }

    /// The limit of tagged messages of this class in the present phase.
    fn cap(&self, class: Class) -> Cap {
        let FrontendLimits { authentication, scram, small, large, .. } = self.limits;
        Cap::new(match (self.phase, class) {
            (Phase::Authenticating, Class::Answer) if self.scram && self.answer == Some(Answer::Sasl) => {
                scram
            }
            (Phase::Authenticating, Class::Answer) => authentication,
            (Phase::Authenticating | Phase::Ready | Phase::Terminated, Class::End) => small,
            (Phase::Ready, Class::Small) => small,
            (Phase::Ready, Class::Large) => large,
            (Phase::Ready, Class::Unknown) => self.unknown,
            _ => 0,
        })
    }

    fn measure(&self, head: &[u8]) -> Result<Extent, Error> {
        let Some(&tag) = head.first() else {
            return Ok(Extent::Need(if self.phase == Phase::Startup { 1 } else { HEADER }));
        };
        let extent = if self.phase == Phase::Startup {
            self.measure_startup(head, tag)
        } else {
            self.cap(class_of(tag)).measure(head)
        };
        extent.ok_or_else(|| self.refusal(head))
    }

    fn measure_startup(&self, head: &[u8], first: u8) -> Option<Extent> {
        if first == TLS_HANDSHAKE && !self.asked_ssl {
            return Some(Extent::Message(0));
        }
        let Some(length) = head.first_chunk::<4>() else {
            return Some(Extent::Need(4));
        };
        let length = u32::from_be_bytes(*length);
        if !(STARTUP..=self.limits.startup).contains(&length) {
            return None;
        }
        let Some(code) = head.get(4..8) else {
            return Some(Extent::Need(8));
        };
        // A server takes the second request of a kind for a StartupMessage of a version that does not exist.
        let asked_again = (self.asked_ssl && *code == startup::SSL.to_be_bytes())
            || (self.asked_gss && *code == startup::GSSENC.to_be_bytes());
        (!asked_again).then(|| Extent::Message(width(length)))
    }

    /// Why nothing begins as these bytes do.
    #[cold]
    #[inline(never)]
    fn refusal(&self, head: &[u8]) -> Error {
        let tag = head.first().copied().unwrap_or_default();
        let cap = self.cap(class_of(tag));
        let unexpected = |when| Problem::Unexpected { tag, when };
        let problem = match (self.phase, class_of(tag)) {
            (Phase::Startup, _) => return self.startup_refusal(head),
            _ if !cap.refuses_all() => cap.problem(head),
            (Phase::Asked, _) => unexpected("before the request for encryption is answered"),
            (Phase::Closed, _) => unexpected("after the message that ended the connection"),
            (Phase::Terminated, _) => unexpected("after Terminate"),
            (_, Class::Unknown) => Problem::unknown(tag),
            (Phase::Ready, _) => unexpected("after authentication"),
            _ => unexpected("before authentication has ended"),
        };
        Error::new(name(tag), problem.offset(), problem)
    }

    fn startup_refusal(&self, head: &[u8]) -> Error {
        let length = head.first_chunk().map_or(0, |length| u32::from_be_bytes(*length));
        let (min, max) = (STARTUP, self.limits.startup);
        if (min..=max).contains(&length) {
            let rule = "the second request of its kind on this connection";
            return Error::new(startup_name(head), 4, Problem::Disagrees(rule));
        }
        // What it is has not been looked at.
        Error::new("startup packet", 0, Problem::Length { length, min, max }.of_header(head))
    }

    /// What a frame is, outside of the phase in which all are tagged.
    #[cold]
    fn parse_early(&mut self, raw: &[u8], tag: u8) -> (u8, Kind) {
        if self.phase != Phase::Startup {
            if tag == Terminate::TAG {
                self.enter(Phase::Terminated);
                return (tag, Kind::Tagged);
            }
            if self.answer == Some(Answer::SaslInitial) {
                // What limit the next one has depends on the mechanism.
                self.scram = raw.get(HEADER..).is_some_and(|body| body.starts_with(b"SCRAM-"));
            }
            return (tag, self.answer.map_or(Kind::Tagged, Kind::Answer));
        }
        if raw.is_empty() {
            self.asked_ssl = true;
            self.enter(Phase::Asked);
            return (0, Kind::DirectTls);
        }
        match code(raw) {
            startup::SSL => {
                self.asked_ssl = true;
                self.enter(Phase::Asked);
            }
            startup::GSSENC => {
                self.asked_gss = true;
                self.enter(Phase::Asked);
            }
            startup::CANCEL => self.enter(Phase::Closed),
            _ => self.enter(Phase::Authenticating),
        }
        (0, Kind::Startup)
    }
}

/// The code, or version, of a startup packet.
fn code(raw: &[u8]) -> u32 {
    raw.get(4..).and_then(|behind| behind.first_chunk()).map_or(0, |code| u32::from_be_bytes(*code))
}

impl Protocol for Frontend {
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
        let common = self.phase == Phase::Ready && tag != Terminate::TAG;
        let (tag, kind) = if common { (tag, Kind::Tagged) } else { self.parse_early(raw, tag) };
        Ok(Frame::new(raw, tag, kind))
    }

    fn reset(&mut self) {
        *self = Self { limits: self.limits, unknown: self.unknown, ..Self::starting_with(self.first) };
        self.enter(self.first);
    }
}

impl Direction for Frontend {
    type Message<'a> = Message<'a>;
}

impl frame::private::Direction for Frontend {
    #[inline]
    fn message<'a>(frame: &Frame<'a>) -> Result<Message<'a>, Error> {
        read(frame.raw(), frame.tag(), frame.kind())
    }

    fn name(frame: &Frame<'_>) -> &'static str {
        match frame.kind() {
            Kind::DirectTls => "DirectTls",
            Kind::Startup => startup_name(frame.raw()),
            Kind::Answer(answer) => answer_name(answer),
            _ => name(frame.tag()),
        }
    }

    fn shapes(&self, tag: u8) -> Option<&'static [shape::Shape]> {
        // Terminate ends the phase, as a whole message: there is no use for a longer one.
        (self.phase == Phase::Ready && tag != Terminate::TAG).then(|| shape::frontend_shapes(tag))
    }
}

/// By value, so that a frame need not be in memory for it.
#[inline(never)]
fn read(raw: &[u8], tag: u8, kind: Kind) -> Result<Message<'_>, Error> {
    match kind {
        Kind::DirectTls => Ok(Message::DirectTls(DirectTls)),
        Kind::Startup => message::read(
            raw,
            4,
            |_| startup_name(raw),
            |reader| {
                Ok(match code(raw) {
                    startup::SSL => Message::SSLRequest(Body::read(reader)?),
                    startup::GSSENC => Message::GSSENCRequest(Body::read(reader)?),
                    startup::CANCEL => Message::CancelRequest(Body::read(reader)?),
                    _ => Message::StartupMessage(Body::read(reader)?),
                })
            },
        ),
        Kind::Answer(answer) if tag == AuthenticationResponse::TAG => message::read(
            raw,
            HEADER,
            |_| answer_name(answer),
            |reader| {
                Ok(match answer {
                    Answer::Password => Message::PasswordMessage(Body::read(reader)?),
                    Answer::SaslInitial => Message::SASLInitialResponse(Body::read(reader)?),
                    Answer::Sasl => Message::SASLResponse(Body::read(reader)?),
                    Answer::Gss => Message::GSSResponse(Body::read(reader)?),
                })
            },
        ),
        _ => message::read(raw, HEADER, name, |reader| read_fields(tag, reader)),
    }
}

fn startup_name(raw: &[u8]) -> &'static str {
    match code(raw) {
        startup::SSL => "SSLRequest",
        startup::GSSENC => "GSSENCRequest",
        startup::CANCEL => "CancelRequest",
        _ => StartupMessage::NAME,
    }
}

const fn answer_name(answer: Answer) -> &'static str {
    match answer {
        Answer::Password => PasswordMessage::NAME,
        Answer::SaslInitial => SASLInitialResponse::NAME,
        Answer::Sasl => SASLResponse::NAME,
        Answer::Gss => GSSResponse::NAME,
    }
}
