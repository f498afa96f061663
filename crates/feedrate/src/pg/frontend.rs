//! The messages of a frontend (a client), and the [`Protocol`] that finds them in a stream.

pub use super::answer::Answer;
pub use super::message::authentication_response::AuthenticationResponse;
pub use super::message::bind::Bind;
pub use super::message::cancel_request::CancelRequest;
pub use super::message::close::Close;
pub use super::message::copy_data::CopyData;
pub use super::message::copy_done::CopyDone;
pub use super::message::copy_fail::CopyFail;
pub use super::message::describe::Describe;
pub use super::message::direct_tls::DirectTls;
pub use super::message::execute::Execute;
pub use super::message::flush::Flush;
pub use super::message::function_call::FunctionCall;
pub use super::message::gss_response::GSSResponse;
pub use super::message::gssenc_request::GSSENCRequest;
pub use super::message::parse::Parse;
pub use super::message::password_message::PasswordMessage;
pub use super::message::query::Query;
pub use super::message::sasl_initial_response::SASLInitialResponse;
pub use super::message::sasl_response::SASLResponse;
pub use super::message::ssl_request::SSLRequest;
pub use super::message::startup_message::{Parameter, Replication, StartupMessage};
pub use super::message::sync::Sync;
pub use super::message::terminate::Terminate;
pub use super::message::unknown::Unknown;
pub use super::target::Target;

use core::fmt;

use super::cap::{Cap, Caps, smaller, width};
use super::error::{Error, Problem};
use super::frame::{self, Direction, HEADER, Kind};
use super::limits::frontend::{Class, FrontendLimits};
use super::limits::{Sent, Within};
use super::message::encryption_response::EncryptionResponse;
use super::message::{self, Fields, Traced};
use super::messages::messages;
use super::reader::{Bad, Reader};
use super::shape::{Shape, Shaped};
use super::trace::Printer;
use super::write::{Header, Sink, Whole};
use crate::encode::{Encode, EncodeError, Output};
use crate::protocol::{Extent, Protocol};

/// A frame of this direction.
pub type Frame<'a> = frame::Frame<'a, Frontend>;

messages! {
    /// Any message that a frontend sends.
    frontend: Frontend, FrontendLimits, large;
    tagged {
    /// An answer to an authentication request, if the decoder has not been told of which kind: see
    /// [`Frontend::expect`].
    AuthenticationResponse<'a>,
    /// Makes a portal.
    Bind<'a>,
    /// Closes a statement or portal.
    Close<'a>,
    /// A piece of COPY data.
    CopyData<'a>,
    /// The COPY data are complete.
    CopyDone,
    /// The frontend aborts the COPY.
    CopyFail<'a>,
    /// Asks for a description.
    Describe<'a>,
    /// Runs a portal.
    Execute<'a>,
    /// Makes the server send what it has buffered.
    Flush,
    /// Calls a function.
    FunctionCall<'a>,
    /// Makes a prepared statement.
    Parse<'a>,
    /// Runs SQL.
    Query<'a>,
    /// Ends a batch.
    Sync,
    /// Ends the connection.
    Terminate,
    }
    untagged {
    /// Opens a session.
    StartupMessage<'a>,
    /// Asks for TLS.
    SSLRequest,
    /// Asks for GSSAPI encryption.
    GSSENCRequest,
    /// Asks to cancel what another session is doing.
    CancelRequest<'a>,
    /// The frontend begins TLS without a request.
    DirectTls,
    /// A password, in clear or hashed.
    PasswordMessage<'a>,
    /// The choice of a SASL mechanism.
    SASLInitialResponse<'a>,
    /// What the SASL mechanism says next.
    SASLResponse<'a>,
    /// A token of GSSAPI or SSPI.
    GSSResponse<'a>,
    /// A message of unknown type, if [`Frontend::allow_unknown`] admits it.
    Unknown<'a>,
    }
}

/// The content type of a TLS handshake record (RFC 8446, section 5.1): the first byte of a ClientHello.
const TLS_HANDSHAKE: u8 = 0x16;

/// Bytes of a startup packet's length and code: the shortest packet.
const STARTUP: u32 = 8;

/// The stream of bytes that a frontend sends: a [`Protocol`] whose messages are [`Frame`]s.
///
/// It has to be told what the bytes alone do not show:
///
/// * how an encryption request was [`answered`](Self::answered),
/// * how the next `p` message is to be read ([`expect`](Self::expect)), or it will be an [`AuthenticationResponse`],
/// * that the authentication is over ([`authenticated`](Self::authenticated)): before that, only `p` and Terminate are
///   accepted.
///
/// So during authentication one message can be read for each request of the server. If a client sends ahead, a proxy
/// has to hold the rest back until the server has answered.
///
/// Everything after Terminate or CancelRequest is skipped, as servers do.
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
    /// The limits for `glance`. They allow nothing except in the phase in which the type byte alone determines the
    /// message.
    common: Caps,
    limits: FrontendLimits,
    unknown: u32,
    answer: Answer,
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
    /// After Terminate or CancelRequest. Servers ignore what follows: pg_basebackup sends Terminate twice, and some
    /// drivers send it after a CancelRequest.
    Over,
    /// Unencrypted bytes came where encrypted ones were due.
    Closed,
}

impl Default for Frontend {
    fn default() -> Self {
        Self::new()
    }
}

impl Frontend {
    /// The beginning of a connection.
    pub const fn new() -> Self {
        Self::starting_with(Phase::Startup)
    }

    /// A connection whose authentication is over.
    pub const fn established() -> Self {
        Self::starting_with(Phase::Ready)
    }

    const fn starting_with(first: Phase) -> Self {
        let mut frontend = Self {
            phase: first,
            first,
            common: Caps::NONE,
            limits: FrontendLimits::new(),
            unknown: 0,
            answer: Answer::Unknown,
            scram: false,
            asked_ssl: false,
            asked_gss: false,
        };
        frontend.enter(first);
        frontend
    }

    /// Sets limits other than the default ones.
    #[must_use]
    pub const fn limits(mut self, limits: FrontendLimits) -> Self {
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

    /// Call this when the encryption request has been answered. Until then, nothing after the request is accepted.
    ///
    /// `rest` is what is left of the input. If the answer is yes, nothing may be left, because unencrypted bytes would
    /// be taken for encrypted ones (CVE-2021-23214). From then on, feed the decoder decrypted bytes.
    ///
    /// # Errors
    ///
    /// If the answer is yes and bytes are left: close the connection.
    pub fn answered(&mut self, response: EncryptionResponse, rest: &[u8]) -> Result<(), Error> {
        if let (EncryptionResponse::Accepted(_), false) = (response, rest.is_empty()) {
            self.enter(Phase::Closed);
            let rule =
                "unencrypted bytes after the request for encryption, possibly injected by somebody else";
            return Err(Error::new(SSLRequest::NAME, width(STARTUP), Problem::Disagrees(rule)));
        }
        if let EncryptionResponse::Accepted(_) = response {
            // On an encrypted connection neither can be requested again.
            self.asked_ssl = true;
            self.asked_gss = true;
        }
        self.go_on(Phase::Startup);
        Ok(())
    }

    /// Sets how the next `p` message is to be read. [`Frame::answer`](super::backend::Frame::answer) and
    /// [`Authentication::answer`](super::backend::Authentication::answer) return it for every request.
    pub fn expect(&mut self, answer: Answer) {
        self.answer = answer;
        self.enter(self.phase);
    }

    /// Call this when AuthenticationOk has been sent.
    pub fn authenticated(&mut self) {
        self.go_on(Phase::Ready);
    }

    /// Enters the phase that the server's message leads to, unless the frontend has ended the connection.
    fn go_on(&mut self, phase: Phase) {
        if !matches!(self.phase, Phase::Over | Phase::Closed) {
            self.enter(phase);
        }
    }

    const fn enter(&mut self, phase: Phase) {
        let none = Cap::new(0);
        self.phase = phase;
        self.common = match phase {
            // In the order of the classes' numbers. Terminate is left out: it ends the phase.
            Phase::Ready => Caps::new([
                self.cap(Class::Unknown),
                none,
                self.cap(Class::Small),
                self.cap(Class::Large),
                none,
                none,
                none,
                none,
            ]),
            _ => Caps::NONE,
        };
    }

    /// The limit of tagged messages of this class in the present phase.
    const fn cap(&self, class: Class) -> Cap {
        let FrontendLimits { authentication, scram, small, large, .. } = self.limits;
        Cap::new(match (self.phase, class) {
            (Phase::Authenticating, Class::Answer) if self.scram && matches!(self.answer, Answer::Sasl) => {
                scram
            }
            (Phase::Authenticating, Class::Answer) => authentication,
            // From a client that is not authenticated yet, accept no more than for its answers.
            (Phase::Authenticating, Class::End) => smaller(small, authentication),
            (Phase::Ready, Class::End | Class::Small) => small,
            (Phase::Ready, Class::Large) => large,
            (Phase::Ready, Class::Unknown) => self.unknown,
            _ => 0,
        })
    }

    fn measure(&self, head: &[u8]) -> Result<Extent, Error> {
        if self.phase == Phase::Over {
            return Ok(Extent::Skip(usize::MAX));
        }
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
        // To a server, the second request of a kind is a StartupMessage of a version that does not exist.
        let asked_again = (self.asked_ssl && *code == SSLRequest::CODE.to_be_bytes())
            || (self.asked_gss && *code == GSSENCRequest::CODE.to_be_bytes());
        (!asked_again).then(|| Extent::Message(width(length)))
    }

    /// The error for bytes that begin no message.
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
            (Phase::Closed, _) => unexpected("after unencrypted bytes where encrypted ones were expected"),
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
        // The code has not been looked at.
        Error::new("startup packet", 0, Problem::Length { length, min, max }.of_header(head))
    }

    /// The kind of a frame, outside of the phase in which all are tagged.
    #[cold]
    fn parse_early(&mut self, raw: &[u8], tag: u8) -> (u8, Kind) {
        if self.phase != Phase::Startup {
            if tag == Terminate::TAG {
                self.enter(Phase::Over);
                return (tag, Kind::Tagged);
            }
            if self.answer == Answer::SaslInitial {
                // The limit of the next one depends on the mechanism.
                self.scram = raw.get(HEADER..).is_some_and(|body| body.starts_with(b"SCRAM-"));
            }
            return (tag, Kind::Answer(self.answer));
        }
        if raw.is_empty() {
            self.asked_ssl = true;
            self.enter(Phase::Asked);
            return (0, Kind::DirectTls);
        }
        match code(raw) {
            SSLRequest::CODE => {
                self.asked_ssl = true;
                self.enter(Phase::Asked);
            }
            GSSENCRequest::CODE => {
                self.asked_gss = true;
                self.enter(Phase::Asked);
            }
            CancelRequest::CODE => self.enter(Phase::Over),
            _ => self.enter(Phase::Authenticating),
        }
        (0, Kind::Startup)
    }
}

/// The code or version of a startup packet.
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

    fn skipped(&mut self, n: usize) {
        // A StartupMessage that is too long for the storage is refused alone, but still ends this phase. (Encryption
        // requests have no more bytes than it takes to recognise them, and after a CancelRequest nothing is due.)
        if self.phase == Phase::Startup && n > 0 {
            self.enter(Phase::Authenticating);
        }
    }

    fn reset(&mut self) {
        *self = Self { limits: self.limits, unknown: self.unknown, ..Self::starting_with(self.first) };
        self.enter(self.first);
    }
}

impl Direction for Frontend {
    type Message<'a> = Message<'a>;
}

impl frame::sealed::Direction for Frontend {
    #[inline]
    fn message<'a>(frame: &Frame<'a>) -> Result<Message<'a>, Error> {
        read(frame.raw(), frame.tag(), frame.kind())
    }

    fn name(frame: &Frame<'_>) -> &'static str {
        match frame.kind() {
            Kind::DirectTls => DirectTls::NAME,
            Kind::Startup => startup_name(frame.raw()),
            Kind::Answer(answer) => answer_name(answer),
            _ => name(frame.tag()),
        }
    }

    fn established() -> Self {
        Self::established()
    }

    fn shapes(&self, tag: u8) -> Option<&'static [Shape]> {
        // Terminate ends the phase, and is never streamed: there is no use for a long one.
        (self.phase == Phase::Ready && tag != Terminate::TAG).then(|| shapes_of(tag))
    }
}

/// By value, so that the frame need not be in memory.
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
                    SSLRequest::CODE => Message::SSLRequest(Fields::read(reader)?),
                    GSSENCRequest::CODE => Message::GSSENCRequest(Fields::read(reader)?),
                    CancelRequest::CODE => Message::CancelRequest(Fields::read(reader)?),
                    _ => Message::StartupMessage(Fields::read(reader)?),
                })
            },
        ),
        Kind::Answer(answer) if tag == AuthenticationResponse::TAG => message::read(
            raw,
            HEADER,
            |_| answer_name(answer),
            |reader| {
                Ok(match answer {
                    Answer::Password => Message::PasswordMessage(Fields::read(reader)?),
                    Answer::SaslInitial => Message::SASLInitialResponse(Fields::read(reader)?),
                    Answer::Sasl => Message::SASLResponse(Fields::read(reader)?),
                    Answer::Gss => Message::GSSResponse(Fields::read(reader)?),
                    Answer::Unknown => Message::AuthenticationResponse(Fields::read(reader)?),
                })
            },
        ),
        _ => message::read(raw, HEADER, name, |reader| read_fields(tag, reader)),
    }
}

fn startup_name(raw: &[u8]) -> &'static str {
    match code(raw) {
        SSLRequest::CODE => SSLRequest::NAME,
        GSSENCRequest::CODE => GSSENCRequest::NAME,
        CancelRequest::CODE => CancelRequest::NAME,
        _ => StartupMessage::NAME,
    }
}

const fn answer_name(answer: Answer) -> &'static str {
    match answer {
        Answer::Password => PasswordMessage::NAME,
        Answer::SaslInitial => SASLInitialResponse::NAME,
        Answer::Sasl => SASLResponse::NAME,
        Answer::Gss => GSSResponse::NAME,
        Answer::Unknown => AuthenticationResponse::NAME,
    }
}
