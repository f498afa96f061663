//! From StartupMessage to AuthenticationOk: [`Login`].

use feedrate::pg::backend::{
    Authentication, ErrorResponse, Message, NegotiateProtocolVersion, NoticeResponse, PlainError,
};
use feedrate::pg::frontend::StartupMessage;
use feedrate::pg::{self, Problem, Secret, Text, Version, backend};
use feedrate::{Encode, EncodeError, Output};

use crate::auth::{AuthError, Authenticator, Method, Step};

/// The beginning of a session, over a connection whose encryption is decided. What comes after it is a
/// [`Client`](super::Client).
///
/// ```
/// use feedrate::pg::frontend::{Parameter, StartupMessage};
/// use feedrate::pg::{Backend, List, Version};
/// use feedrate::{Decoder, Grow};
/// use feedrate_pg::auth::{Authenticator, ChannelBinding, Credentials, Policy};
/// use feedrate_pg::client::{Login, LoginEvent};
///
/// # let mut server = vec![&b"R\0\0\0\x08\0\0\0\x03"[..], b"R\0\0\0\x08\0\0\0\0"].into_iter();
/// # let mut read = || server.next().unwrap();
/// # let mut write = |bytes: &mut Vec<u8>| bytes.clear();
/// let parameters = [Parameter { name: "user".into(), value: "alice".into() }];
/// let startup = StartupMessage { version: Version::V3_2, parameters: List::from(&parameters) };
/// let credentials = Credentials::new("alice").with_password("open sesame");
/// // The nonce: 18 bytes of the system's random source, each login others.
/// let authenticator = Authenticator::new(credentials, Policy::default(), ChannelBinding::NoTls, [7; 18]);
///
/// let mut login = Login::new(startup, Version::V3_0, authenticator);
/// let mut decoder = Decoder::new(Backend::new(), Grow::new(1 << 16));
/// let mut out = Vec::new();
/// 'login: loop {
///     login.transmit(&mut out)?;
///     write(&mut out);
///     let mut input = read();
///     while let Some(frame) = decoder.feed(&mut input)? {
///         match login.receive(&frame)? {
///             LoginEvent::Done => break 'login,
///             LoginEvent::Refused(error) => return Err(error.to_string().into()),
///             _ => {}
///         }
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Login<'a> {
    startup: StartupMessage<'a>,
    authenticator: Authenticator<'a>,
    least: Version,
    version: Version,
    sent: bool,
    /// The server may still say that it does not know the version.
    negotiable: bool,
}

/// What a message of the server's means for a login.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoginEvent<'a> {
    /// What is due has to be written, perhaps after some [`work`](Login::work): see [`Login::transmit`].
    Continue,
    /// A token of GSSAPI or SSPI, empty at the beginning, for a library of the caller's: its token goes to
    /// [`Login::respond_token`].
    Token {
        /// Which of the two.
        method: Method,
        /// The server's.
        token: Secret<'a>,
    },
    /// The server refuses the bearer token, and says in JSON where to get another (RFC 7628, section 3.2.2).
    TokenRefused {
        /// `status`, `scope` and `openid-configuration`.
        json: Text<'a>,
    },
    /// The server does not know the version, or some options. The session goes on with what it has chosen:
    /// [`Login::version`].
    Negotiated(NegotiateProtocolVersion<'a>),
    /// A notice, such as a warning about an expiring password.
    Notice(NoticeResponse<'a>),
    /// The server refuses.
    Refused(ErrorResponse<'a>),
    /// The server refuses in the form of protocol 2.0.
    RefusedPlainly(PlainError<'a>),
    /// The authentication is over. What comes next is the session's.
    Done,
}

/// Why a login cannot go on. Close the connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The server may not do this, or there is nothing to answer it with.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A message is malformed.
    #[error(transparent)]
    Malformed(#[from] pg::Error),
    /// The server's answer about the protocol's version is none.
    #[error("{0}")]
    Negotiation(Problem),
    /// The server knows no version that is new enough.
    #[error("the server knows protocol version {found} at most, expected {least}")]
    Version {
        /// The oldest that will do.
        least: Version,
        /// What the server offers.
        found: Version,
    },
    /// A message that may not come before the authentication is over.
    #[error("{0} came before the authentication was over")]
    Unexpected(&'static str),
}

impl<'a> Login<'a> {
    /// A login that asks for this. `least` is the oldest version of the protocol that will do.
    pub const fn new(startup: StartupMessage<'a>, least: Version, authenticator: Authenticator<'a>) -> Self {
        Self { startup, authenticator, least, version: startup.version, sent: false, negotiable: true }
    }

    /// Receives a message. To be called until it returns [`LoginEvent::Done`].
    ///
    /// # Errors
    ///
    /// [`LoginError`].
    pub fn receive<'m>(&mut self, frame: &backend::Frame<'m>) -> Result<LoginEvent<'m>, LoginError> {
        let negotiable = core::mem::replace(&mut self.negotiable, false);
        match frame.message()? {
            Message::Authentication(request) => self.authenticate(&request),
            Message::NegotiateProtocolVersion(answer) if negotiable => {
                answer.check(&self.startup).map_err(LoginError::Negotiation)?;
                if answer.version < self.least {
                    return Err(LoginError::Version { least: self.least, found: answer.version });
                }
                self.version = answer.version;
                Ok(LoginEvent::Negotiated(answer))
            }
            Message::NoticeResponse(notice) => {
                self.negotiable = negotiable;
                Ok(LoginEvent::Notice(notice))
            }
            Message::ErrorResponse(error) => Ok(LoginEvent::Refused(error)),
            Message::PlainError(error) => Ok(LoginEvent::RefusedPlainly(error)),
            _ => Err(LoginError::Unexpected(frame.name())),
        }
    }

    fn authenticate<'m>(&mut self, request: &Authentication<'m>) -> Result<LoginEvent<'m>, LoginError> {
        Ok(match self.authenticator.receive(request)? {
            Step::Done => LoginEvent::Done,
            Step::Token { method, token } => LoginEvent::Token { method, token },
            Step::TokenRefused { json } => LoginEvent::TokenRefused { json },
            _ => LoginEvent::Continue,
        })
    }

    /// Does so many iterations of SCRAM's hashing, if any are left. Whether none are left: [`transmit`](Self::transmit)
    /// does the rest at once.
    pub fn work(&mut self, iterations: u32) -> bool {
        self.authenticator.work(iterations)
    }

    /// Writes what is due: the StartupMessage, a password, a proof. To be called at the beginning, and after every
    /// message.
    ///
    /// # Errors
    ///
    /// [`EncodeError`]. Nothing has been written, and it is still due.
    pub fn transmit(&mut self, out: &mut impl Output) -> Result<(), EncodeError> {
        if !self.sent {
            self.startup.encode(out)?;
            self.sent = true;
        }
        self.authenticator.respond(out).map(|_| ())
    }

    /// Writes a token of GSSAPI or SSPI.
    ///
    /// # Errors
    ///
    /// [`EncodeError`]. Nothing has been written, and it is still due.
    pub fn respond_token(&mut self, token: &[u8], out: &mut impl Output) -> Result<(), EncodeError> {
        self.authenticator.respond_token(token, out).map(|_| ())
    }

    /// The version of the protocol that the session has.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// How the client has proved who it is.
    pub const fn method(&self) -> Option<Method> {
        self.authenticator.method()
    }
}
