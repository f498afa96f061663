//! The server's half: who asks, and whether it is so.

mod bearer;
mod method;
mod refusal;
mod scram;
mod state;

use core::fmt;

use feedrate::pg::Secret;

use feedrate::pg::backend::Authentication;
use feedrate::pg::frontend::{Answer, Message};
use feedrate::{Encode, EncodeError, Output};
use zeroize::Zeroize;

pub use self::bearer::Discovery;
pub use self::method::Stored;
pub use self::refusal::Refusal;
pub use self::state::LoginStep;

use self::bearer::Failure;
use self::method::Kind;
use self::scram::Scram;
use self::state::State;
use super::client::ChannelBinding;
use super::md5::Md5Verifier;
use super::policy::Method;
use super::scram::KEY;
use super::verifier::Verifier;

/// Whether the client is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is not known yet: the client has to send something, or the caller to decide.
    Pending,
    /// The client is who it says, and AuthenticationOk has been written.
    Granted,
    /// The client is not let in.
    Refused(Refusal),
}

/// The server's half of an authentication. It has no I/O and no heap.
///
/// Send what [`request`](Self::request) writes, give each message of the client's to [`receive`](Self::receive), until
/// [`outcome`](Self::outcome) is known.
///
/// ```
/// use feedrate::pg::frontend::{Message, PasswordMessage};
/// use feedrate_pg::auth::{Login, LoginStep, Outcome, Refusal, Salt, Stored, Verifier};
///
/// let salt = Salt::new(&[1; 16]).unwrap();
/// let verifier = Verifier::hash(b"open sesame", salt, 4096);
/// let mut login = Login::cleartext(Stored::Scram(verifier));
///
/// let mut out = Vec::new();
/// login.request(&mut out)?;
/// assert_eq!(out, b"R\0\0\0\x08\0\0\0\x03");
///
/// let message = Message::PasswordMessage(PasswordMessage { password: "open says me".into() });
/// assert_eq!(login.receive(&message), LoginStep::Request);
/// while !login.work(1000) {
///     // an event loop serves others here
/// }
/// login.request(&mut out)?;
/// assert_eq!(login.outcome(), Outcome::Refused(Refusal::Denied));
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
pub struct Login<'a> {
    state: State<'a>,
    client_key: Option<[u8; KEY]>,
}

impl<'a> Login<'a> {
    const fn begin(kind: Kind<'a>) -> Self {
        Self { state: State::Begin(kind), client_key: None }
    }

    /// Nothing is asked: the caller knows who it is (a certificate, a local user), or trusts.
    pub const fn trust() -> Self {
        Self { state: State::Accept, client_key: None }
    }

    /// Asks for the password in clear: only behind TLS.
    pub const fn cleartext(stored: Stored<'a>) -> Self {
        Self::begin(Kind::Cleartext(stored))
    }

    /// Asks for the MD5 hash. `salt` has to be random, and another one each time.
    pub const fn md5(verifier: Md5Verifier, salt: [u8; 4]) -> Self {
        Self::begin(Kind::Md5(verifier, salt))
    }

    /// Offers SCRAM-SHA-256, and SCRAM-SHA-256-PLUS if the hash of the server's own certificate is there. `nonce` has
    /// to be random, and another one each time.
    ///
    /// For a user whom nobody knows take [`Verifier::unknown`].
    pub const fn scram(verifier: Verifier, binding: ChannelBinding<'a>, nonce: [u8; 18]) -> Self {
        Self::begin(Kind::Scram(Scram::new(verifier, binding, nonce)))
    }

    /// Offers OAUTHBEARER. The caller decides on the token.
    pub const fn oauth(discovery: Discovery<'a>) -> Self {
        Self::begin(Kind::Bearer(discovery))
    }

    /// Asks for GSSAPI. A library of the caller's does it.
    pub const fn gss() -> Self {
        Self::begin(Kind::Gss(Method::Gss))
    }

    /// Asks for SSPI. A library of the caller's does it.
    pub const fn sspi() -> Self {
        Self::begin(Kind::Gss(Method::Sspi))
    }

    /// How the client's next `p` message is to be read, for [`Frontend::expect`](feedrate::pg::Frontend::expect).
    /// `None` if none is due.
    pub const fn answer(&self) -> Option<Answer> {
        Some(match &self.state {
            State::Begun(Kind::Cleartext(_) | Kind::Md5(..)) => Answer::Password,
            State::Begun(Kind::Scram(_) | Kind::Bearer(_)) => Answer::SaslInitial,
            State::Begun(Kind::Gss(_)) => Answer::Gss,
            State::Asked(_) | State::Challenged(_) | State::Explained => Answer::Sasl,
            _ => return None,
        })
    }

    /// Takes a message of the client's. Any other than the one that is due ends the login: nobody may send a second
    /// StartupMessage, for one.
    pub fn receive<'m>(&mut self, message: &Message<'m>) -> LoginStep<'m> {
        let expected = self.expected();
        let before = core::mem::replace(&mut self.state, State::Refused(Refusal::Caller));
        let (state, step) = match self.next(before, message, expected) {
            Ok(next) => next,
            Err(refusal) => (State::Refused(refusal), LoginStep::Request),
        };
        self.state = state;
        step
    }

    fn next<'m>(
        &mut self,
        state: State<'a>,
        message: &Message<'m>,
        expected: &'static str,
    ) -> Result<(State<'a>, LoginStep<'m>), Refusal> {
        Ok(match (state, message) {
            (State::Begun(Kind::Cleartext(stored)), Message::PasswordMessage(message)) => {
                (State::compare(stored, message.password.expose()), LoginStep::Request)
            }
            (State::Begun(Kind::Md5(verifier, salt)), Message::PasswordMessage(message)) => {
                (State::verdict(verifier.accepts(message.password.expose(), salt)), LoginStep::Request)
            }
            (
                State::Begun(mut kind @ (Kind::Scram(..) | Kind::Bearer(_))),
                Message::SASLInitialResponse(message),
            ) => {
                kind.choose(message.mechanism)?;
                match message.data {
                    Some(data) => State::first(kind, data)?,
                    None => (State::Ask(kind), LoginStep::Request),
                }
            }
            (State::Asked(kind), Message::SASLResponse(message)) => State::first(kind, message.data)?,
            (State::Challenged(mut scram), Message::SASLResponse(message)) => {
                let signature = scram.proof(message.data.expose())?;
                self.client_key = Some(scram.client_key);
                (State::Sign(signature), LoginStep::Request)
            }
            // Whatever it says.
            (State::Explained, Message::SASLResponse(_)) => return Err(Refusal::Token),
            (State::Begun(kind @ Kind::Gss(_)), Message::GSSResponse(message)) => {
                (State::Decide(kind), LoginStep::Token(message.data))
            }
            (State::Granted, _) => (State::Granted, LoginStep::Request),
            (State::Refused(refusal), _) => return Err(refusal),
            _ => return Err(Refusal::OutOfPlace { what: message.name(), expected }),
        })
    }

    const fn expected(&self) -> &'static str {
        match (&self.state, self.answer()) {
            (State::Granted | State::Refused(_), _) => "no more of authentication",
            (_, Some(Answer::Password)) => "PasswordMessage",
            (_, Some(Answer::SaslInitial)) => "SASLInitialResponse",
            (_, Some(Answer::Sasl)) => "SASLResponse",
            (_, Some(Answer::Gss)) => "GSSResponse",
            _ => "nothing before the server's next request",
        }
    }

    /// Does at most this many iterations of hashing a cleartext password. Whether none are left.
    pub fn work(&mut self, iterations: u32) -> bool {
        match &mut self.state {
            State::Hashing(derivation, _) => derivation.work(iterations),
            _ => true,
        }
    }

    /// Writes the message that is due, and AuthenticationOk at the end. Whether there was one. Does all the work that
    /// is left, if any is.
    ///
    /// # Errors
    ///
    /// See [`EncodeError`]. `out` is as it was before, and the message is still due.
    pub fn request(&mut self, out: &mut impl Output) -> Result<bool, EncodeError> {
        if let State::Hashing(derivation, verifier) = &mut self.state {
            self.state = State::verdict(verifier.is_of(&derivation.clone().finish()));
        }
        match &mut self.state {
            State::Begin(kind) => kind.request(out)?,
            State::Ask(_) => method::sasl_continue(b"", out)?,
            State::Challenge(scram) => method::sasl_continue(scram.challenge(), out)?,
            State::Explain(discovery) => Failure(*discovery).encode(out).map(|_| ())?,
            State::Sign(signature) => method::sign(signature, out)?,
            State::Accept => Authentication::Ok.encode(out).map(|_| ())?,
            _ => return Ok(false),
        }
        self.state = match core::mem::replace(&mut self.state, State::Granted) {
            State::Begin(kind) => State::Begun(kind),
            State::Ask(kind) => State::Asked(kind),
            State::Challenge(scram) => State::Challenged(scram),
            State::Explain(_) => State::Explained,
            _ => State::Granted,
        };
        Ok(true)
    }

    /// Writes a token of GSSAPI or SSPI, after which the client's next comes. Whether one was due.
    ///
    /// # Errors
    ///
    /// See [`EncodeError`]. `out` is as it was before, and a token is still due.
    pub fn request_token(&mut self, token: &[u8], out: &mut impl Output) -> Result<bool, EncodeError> {
        let State::Decide(Kind::Gss(method)) = self.state else { return Ok(false) };
        Authentication::GssContinue { data: Secret::from(token) }.encode(out)?;
        self.state = State::Begun(Kind::Gss(method));
        Ok(true)
    }

    /// The caller has found the token, or whom it is from, right. AuthenticationOk is due.
    ///
    /// Nothing happens if nobody has to decide.
    pub fn accept(&mut self) {
        if matches!(self.state, State::Decide(_)) {
            self.state = State::Accept;
        }
    }

    /// The caller refuses: what the client has shown, or the client whatever it shows.
    ///
    /// A client with a bearer token is told where to get another: [`request`](Self::request) writes that, and the
    /// client's next message ends the login.
    pub fn refuse(&mut self) {
        self.state = match &self.state {
            State::Decide(Kind::Bearer(discovery)) => State::Explain(*discovery),
            State::Refused(_) | State::Granted => return,
            _ => State::Refused(Refusal::Caller),
        };
    }

    /// Whether the client is let in.
    pub const fn outcome(&self) -> Outcome {
        match &self.state {
            State::Granted => Outcome::Granted,
            State::Refused(refusal) => Outcome::Refused(*refusal),
            _ => Outcome::Pending,
        }
    }

    /// SCRAM's `ClientKey`, which the client's proof has shown. A pooler can log in with it where the verifier is the
    /// same: see [`Verifier::keys`]. It is as good as the password, there.
    pub const fn client_key(&self) -> Option<&[u8; KEY]> {
        self.client_key.as_ref()
    }
}

/// Hides all secrets.
impl fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("outcome", &self.outcome()).field("expects", &self.expected()).finish()
    }
}

impl Drop for Login<'_> {
    fn drop(&mut self) {
        self.client_key.zeroize();
        if let State::Sign(signature) = &mut self.state {
            signature.zeroize();
        }
    }
}
