//! The client's half: from the server's first request to AuthenticationOk.

mod scram;

use core::fmt;

use feedrate::pg::backend::Authentication;
use feedrate::pg::frontend::{GSSResponse, PasswordMessage};
use feedrate::pg::{List, Secret, Text};
use feedrate::{Encode, EncodeError, Output};

pub(super) use self::scram::LONGEST_HASH;
use self::scram::{Bound, Scram};
use super::bearer::is_token;
use super::credentials::Credentials;
use super::error::AuthError;
use super::md5::Md5Verifier;
use super::policy::{BindingPolicy, Method, Policy};
use super::sasl::Response;

/// What SCRAM can be bound to.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelBinding<'a> {
    /// The connection has no TLS.
    NoTls,
    /// The connection has TLS, and nobody knows the hash of the server's certificate.
    Tls,
    /// The connection has TLS, and this is the hash of the server's certificate (`tls-server-end-point`, RFC 5929):
    /// SHA-256 where the certificate's signature has MD5 or SHA-1, else with the hash of that signature.
    EndPoint(&'a [u8]),
}

impl fmt::Debug for ChannelBinding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoTls => "NoTls",
            Self::Tls => "Tls",
            Self::EndPoint(_) => "EndPoint",
        })
    }
}

/// What a request of the server leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum Step<'m> {
    /// [`respond`](Authenticator::respond) has a message to write.
    Respond,
    /// [`work`](Authenticator::work) has something to compute; then [`respond`](Authenticator::respond).
    Work,
    /// Nothing is due: the server has more to say.
    Wait,
    /// GSSAPI or SSPI: a library of the caller's takes `token`, which is empty at the beginning, and its token goes to
    /// [`respond_token`](Authenticator::respond_token). Only that library knows whether the server has proved who it
    /// is: ask it when the server says [`Done`](Self::Done).
    Token {
        /// [`Method::Gss`] or [`Method::Sspi`].
        method: Method,
        /// The server's token.
        token: Secret<'m>,
    },
    /// The server refuses the bearer token, and says in JSON where to get another (RFC 7628, section 3.2.2).
    /// [`respond`](Authenticator::respond) has a message to write, and the server's ErrorResponse follows.
    TokenRefused {
        /// `status`, `scope` and `openid-configuration`.
        json: Text<'m>,
    },
    /// The client is logged in. What follows is ParameterStatus and so on.
    Done,
}

/// The client's half of an authentication. It has no I/O and no heap.
///
/// Give it each [`Authentication`] that the server sends, do what [`Step`] says, and send what
/// [`respond`](Self::respond) writes. After an error the connection is to be closed.
///
/// ```
/// use feedrate::pg::backend::Authentication;
/// use feedrate_pg::auth::{Authenticator, ChannelBinding, Credentials, Policy, Step};
///
/// let credentials = Credentials::new("alice").with_password("open sesame");
/// // The nonce: 18 bytes of the system's random source, each login others.
/// let mut auth = Authenticator::new(credentials, Policy::default(), ChannelBinding::NoTls, [7; 18]);
///
/// let mut out = Vec::new();
/// let step = auth.receive(&Authentication::Md5Password { salt: [1, 2, 3, 4] })?;
/// assert_eq!(step, Step::Respond);
/// assert!(auth.respond(&mut out)?);
/// assert_eq!(&out[..8], b"p\0\0\0\x28md5");
///
/// assert_eq!(auth.receive(&Authentication::Ok)?, Step::Done);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// An event loop gives SCRAM's hashing as much time as it has:
///
/// ```
/// # use feedrate_pg::auth::Authenticator;
/// # fn turn(auth: &mut Authenticator<'_>, out: &mut Vec<u8>) -> Result<(), feedrate::EncodeError> {
/// if auth.work(1000) {
///     auth.respond(out)?;
/// } // else: again at the next turn of the loop
/// # Ok(())
/// # }
/// ```
pub struct Authenticator<'a> {
    credentials: Credentials<'a>,
    policy: Policy,
    binding: ChannelBinding<'a>,
    /// Beside the state, which is small: secrets are not moved about.
    scram: Scram<'a>,
    state: State,
    method: Option<Method>,
}

#[derive(Clone, Copy)]
enum State {
    /// Nothing has come.
    Start,
    /// The password is due, in clear.
    Password,
    /// The password is due, hashed.
    Md5([u8; 4]),
    /// The password has been sent: AuthenticationOk is all that may come.
    Sent,
    /// client-first-message is due.
    ScramFirst,
    /// server-first-message may come.
    ScramChallenge,
    /// client-final-message is due, after some work.
    ScramProof,
    /// server-final-message may come.
    ScramFinal,
    /// The server has proved who it is: AuthenticationOk may come.
    Verified,
    /// The bearer token is due.
    Bearer,
    /// AuthenticationOk may come, or why the token is refused.
    BearerSent,
    /// A byte 1 is due: the client has read why.
    BearerRefused,
    /// ErrorResponse is all that may come.
    Refused,
    /// The first token of GSSAPI or SSPI is due.
    FirstToken,
    /// Another one is due, unless the client's library has no more.
    Token,
    /// AuthenticationOk or AuthenticationGSSContinue may come.
    TokenSent,
    Done,
    Dead,
}

impl State {
    const fn expected(self) -> &'static str {
        match self {
            Self::Start => "a request",
            Self::Password | Self::Md5(_) | Self::ScramFirst | Self::ScramProof => {
                "nothing before the response"
            }
            Self::Bearer | Self::BearerRefused | Self::FirstToken => "nothing before the response",
            Self::Sent | Self::Verified => "AuthenticationOk",
            Self::ScramChallenge => "AuthenticationSASLContinue",
            Self::ScramFinal => "AuthenticationSASLFinal",
            Self::BearerSent => "AuthenticationOk or AuthenticationSASLContinue",
            Self::Refused => "ErrorResponse",
            Self::Token | Self::TokenSent => "AuthenticationOk or AuthenticationGSSContinue",
            Self::Done => "no more of authentication",
            Self::Dead => "nothing",
        }
    }
}

impl<'a> Authenticator<'a> {
    /// A login that has not begun. `nonce` has to be random, and another one each time.
    pub fn new(
        credentials: Credentials<'a>,
        policy: Policy,
        binding: ChannelBinding<'a>,
        nonce: [u8; 18],
    ) -> Self {
        let scram = Scram::new(&nonce);
        Self { credentials, policy, binding, scram, state: State::Start, method: None }
    }

    /// Takes a request of the server's.
    ///
    /// # Errors
    ///
    /// See [`AuthError`]. The connection is to be closed; nothing else is taken.
    pub fn receive<'m>(&mut self, request: &Authentication<'m>) -> Result<Step<'m>, AuthError> {
        let state = core::mem::replace(&mut self.state, State::Dead);
        let (state, step) = self.next(state, request)?;
        self.state = state;
        Ok(step)
    }

    fn next<'m>(
        &mut self,
        state: State,
        request: &Authentication<'m>,
    ) -> Result<(State, Step<'m>), AuthError> {
        Ok(match (state, request) {
            (State::Dead, _) => return Err(AuthError::Dead),
            (State::Start, _) => return self.begin(request),
            (State::Sent | State::BearerSent | State::Token | State::TokenSent, Authentication::Ok) => {
                (State::Done, Step::Done)
            }
            (State::Verified, Authentication::Ok) => {
                self.require_binding(self.scram.is_bound())?;
                (State::Done, Step::Done)
            }
            (State::TokenSent, Authentication::GssContinue { data }) => {
                (State::Token, Step::Token { method: self.method.unwrap_or(Method::Gss), token: *data })
            }
            (State::ScramChallenge, Authentication::SaslContinue { data }) => {
                self.scram.challenge(data.expose(), &self.credentials, &self.policy)?;
                (State::ScramProof, if self.scram.left() == 0 { Step::Respond } else { Step::Work })
            }
            (State::ScramFinal, Authentication::SaslFinal { data }) => {
                self.scram.verify(data.expose())?;
                (State::Verified, Step::Wait)
            }
            (State::BearerSent, Authentication::SaslContinue { data }) => {
                (State::BearerRefused, Step::TokenRefused { json: Text::from(data.expose()) })
            }
            (state, request) => {
                return Err(AuthError::OutOfPlace { what: name(request), expected: state.expected() });
            }
        })
    }

    /// The first request: it chooses the method.
    fn begin<'m>(&mut self, request: &Authentication<'m>) -> Result<(State, Step<'m>), AuthError> {
        let (method, state) = match request {
            Authentication::Ok => (Method::None, State::Done),
            Authentication::CleartextPassword => (Method::Password, State::Password),
            Authentication::Md5Password { salt } => (Method::Md5, State::Md5(*salt)),
            Authentication::Gss => (Method::Gss, State::FirstToken),
            Authentication::Sspi => (Method::Sspi, State::FirstToken),
            Authentication::Sasl { mechanisms } => return self.begin_sasl(mechanisms),
            Authentication::KerberosV5 => return Err(AuthError::UnknownRequest { code: 2 }),
            Authentication::Other { code, .. } => return Err(AuthError::UnknownRequest { code: *code }),
            // GssContinue, SaslContinue, SaslFinal.
            _ => {
                return Err(AuthError::OutOfPlace { what: name(request), expected: State::Start.expected() });
            }
        };
        self.allow(method)?;
        self.require_binding(false)?;
        self.method = Some(method);
        Ok(match state {
            State::Done => (State::Done, Step::Done),
            State::FirstToken => (State::FirstToken, Step::Token { method, token: Secret::default() }),
            state if self.credentials.password.is_some() => (state, Step::Respond),
            _ => return Err(AuthError::Missing { method, missing: "password" }),
        })
    }

    fn begin_sasl<'m>(&mut self, mechanisms: &List<'_, Text<'_>>) -> Result<(State, Step<'m>), AuthError> {
        let offers = |name: &str| mechanisms.iter().any(|mechanism| mechanism == *name);
        let plus = offers("SCRAM-SHA-256-PLUS");
        if plus && self.binding == ChannelBinding::NoTls {
            return Err(AuthError::BindingWithoutTls);
        }
        let scram = plus || offers("SCRAM-SHA-256");
        let oauth = offers("OAUTHBEARER");
        // A server that offers both can be given what the client has.
        let has_secret = self.credentials.password.is_some() || self.credentials.keys.is_some();
        let prefers_oauth = !has_secret || !self.policy.methods.contains(Method::Scram);
        if oauth && (!scram || (prefers_oauth && self.credentials.token.is_some())) {
            self.allow(Method::OAuth)?;
            self.require_binding(false)?;
            self.method = Some(Method::OAuth);
            return match self.credentials.token {
                Some(token) if is_token(token) => Ok((State::Bearer, Step::Respond)),
                Some(_) => Err(AuthError::BadToken),
                None => Err(AuthError::Missing { method: Method::OAuth, missing: "token" }),
            };
        }
        if !scram {
            return Err(AuthError::NoMechanism);
        }
        self.allow(Method::Scram)?;
        if !has_secret {
            return Err(AuthError::Missing { method: Method::Scram, missing: "password" });
        }
        self.scram.bound = self.choose_binding(plus, offers("SCRAM-SHA-256"))?;
        self.method = Some(Method::Scram);
        Ok((State::ScramFirst, Step::Respond))
    }

    fn choose_binding(&self, plus: bool, plain: bool) -> Result<Bound<'a>, AuthError> {
        let bound = match (self.policy.binding, self.binding) {
            (BindingPolicy::Disable, _) | (_, ChannelBinding::NoTls | ChannelBinding::Tls) => Bound::No,
            (_, ChannelBinding::EndPoint(hash)) if hash.len() > LONGEST_HASH => {
                return Err(AuthError::TooLong {
                    message: "hash of the certificate",
                    size: hash.len(),
                    limit: LONGEST_HASH,
                });
            }
            (_, ChannelBinding::EndPoint(hash)) if plus => Bound::EndPoint(hash),
            (_, ChannelBinding::EndPoint(_)) => Bound::NotOffered,
        };
        if self.policy.binding == BindingPolicy::Require {
            let why = match (self.binding, bound) {
                (_, Bound::EndPoint(_)) => return Ok(bound),
                (ChannelBinding::NoTls, _) => "the connection has no TLS",
                (ChannelBinding::Tls, _) => "the hash of the server's certificate is not known",
                (ChannelBinding::EndPoint(_), _) => "the server does not offer SCRAM-SHA-256-PLUS",
            };
            return Err(AuthError::NoBinding { why });
        }
        // Only PLUS is offered, and the client cannot.
        if !plain && !matches!(bound, Bound::EndPoint(_)) { Err(AuthError::NoMechanism) } else { Ok(bound) }
    }

    fn allow(&self, asked: Method) -> Result<(), AuthError> {
        let allowed = self.policy.methods;
        if allowed.contains(asked) { Ok(()) } else { Err(AuthError::Refused { asked, allowed }) }
    }

    fn require_binding(&self, bound: bool) -> Result<(), AuthError> {
        if self.policy.binding == BindingPolicy::Require && !bound {
            return Err(AuthError::NoBinding { why: "the server does not ask for SCRAM-SHA-256-PLUS" });
        }
        Ok(())
    }

    /// Does at most this many iterations of the hashing that the server asked for. Whether none are left.
    ///
    /// An iteration is two compressions of SHA-256. A thousand of them are a good slice of an event loop's time.
    pub fn work(&mut self, iterations: u32) -> bool {
        self.scram.work(iterations)
    }

    /// How many iterations are left.
    pub fn left(&self) -> u32 {
        self.scram.left()
    }

    /// Writes the message that is due. Whether one was. Does all the work that is left, if any is.
    ///
    /// # Errors
    ///
    /// See [`EncodeError`]. `out` is as it was before, and the message is still due.
    pub fn respond(&mut self, out: &mut impl Output) -> Result<bool, EncodeError> {
        match self.state {
            State::Password => {
                let password = Secret::from(self.credentials.password.unwrap_or_default());
                PasswordMessage { password }.encode(out)?;
            }
            State::Md5(salt) => {
                let password = self.credentials.password.unwrap_or_default();
                let text = Md5Verifier::hash(password, self.credentials.user).response(salt);
                PasswordMessage { password: Secret::from(&text) }.encode(out)?;
            }
            State::ScramFirst => self.scram.first(out)?,
            State::ScramProof => self.scram.proof(out)?,
            State::Bearer => {
                let token = self.credentials.token.unwrap_or_default();
                // Without a token the server tells where to get one.
                let scheme: &[u8] = if token.is_empty() { b"" } else { b"Bearer " };
                let pieces = &[b"n,,\x01auth=", scheme, token.as_bytes(), b"\x01\x01"];
                Response { mechanism: Some("OAUTHBEARER"), pieces }.encode(out)?;
            }
            State::BearerRefused => {
                Response { mechanism: None, pieces: &[b"\x01"] }.encode(out)?;
            }
            _ => return Ok(false),
        }
        self.state = match self.state {
            State::ScramFirst => State::ScramChallenge,
            State::ScramProof => State::ScramFinal,
            State::Bearer => State::BearerSent,
            State::BearerRefused => State::Refused,
            _ => State::Sent,
        };
        Ok(true)
    }

    /// Writes a token of GSSAPI or SSPI. Whether one was due.
    ///
    /// # Errors
    ///
    /// See [`EncodeError`]. `out` is as it was before, and a token is still due.
    pub fn respond_token(&mut self, token: &[u8], out: &mut impl Output) -> Result<bool, EncodeError> {
        if !matches!(self.state, State::FirstToken | State::Token) {
            return Ok(false);
        }
        GSSResponse { data: Secret::from(token) }.encode(out)?;
        self.state = State::TokenSent;
        Ok(true)
    }

    /// The method that the server chose.
    pub const fn method(&self) -> Option<Method> {
        self.method
    }

    /// Whether AuthenticationOk came, and all that had to come before it.
    pub const fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }
}

/// Hides all secrets.
impl fmt::Debug for Authenticator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("credentials", &self.credentials)
            .field("policy", &self.policy)
            .field("binding", &self.binding)
            .field("method", &self.method)
            .field("expects", &self.state.expected())
            .finish_non_exhaustive()
    }
}

const fn name(request: &Authentication<'_>) -> &'static str {
    match request {
        Authentication::Ok => "AuthenticationOk",
        Authentication::KerberosV5 => "AuthenticationKerberosV5",
        Authentication::CleartextPassword => "AuthenticationCleartextPassword",
        Authentication::Md5Password { .. } => "AuthenticationMD5Password",
        Authentication::Gss => "AuthenticationGSS",
        Authentication::GssContinue { .. } => "AuthenticationGSSContinue",
        Authentication::Sspi => "AuthenticationSSPI",
        Authentication::Sasl { .. } => "AuthenticationSASL",
        Authentication::SaslContinue { .. } => "AuthenticationSASLContinue",
        Authentication::SaslFinal { .. } => "AuthenticationSASLFinal",
        _ => "an unknown authentication request",
    }
}
