//! Who the peer is: authentication, both halves, without I/O and without a heap.
//!
//! | method | client | server |
//! |---|---|---|
//! | none, certificates | [`Authenticator`] | [`Login::trust`]: the caller knows who it is |
//! | cleartext | [`Authenticator`] | [`Login::cleartext`], with each kind of [`Stored`] password |
//! | MD5 | [`Authenticator`] | [`Login::md5`] |
//! | SCRAM-SHA-256, and -PLUS (`tls-server-end-point`) | [`Authenticator`] | [`Login::scram`] |
//! | OAUTHBEARER | [`Authenticator`] | [`Login::oauth`]: the caller knows whose token it is |
//! | GSSAPI, SSPI | passed through to a library of the caller's | [`Login::gss`], [`Login::sspi`]: likewise |
//!
//! What a client agrees to is its [`Policy`]: methods as in libpq's `require_auth`, `channel_binding`, iterations. A
//! server keeps [`Verifier`]s, or [`Md5Verifier`]s, and passwords never.
//!
//! Whoever calls gives random bytes (nonces, salts), and the time for hashing: [`Authenticator::work`],
//! [`Login::work`] and [`Derivation::work`] do as many iterations as they are asked to. Secrets are compared in
//! constant time and wiped when dropped; `Debug` hides them.
//!
//! Passwords go through [`saslprep`] before SCRAM hashes them, as PostgreSQL does it. Without the feature `saslprep`,
//! 62 KiB of tables less, they stay as they are: users whose password is ASCII notice nothing, others are refused if it
//! is not in its normal form already.
//!
//! Both halves, with each other:
//!
//! ```
//! use feedrate::pg::backend;
//! use feedrate::pg::{Backend, Frontend};
//! use feedrate::{Array, Decoder};
//! use feedrate_pg::auth::{
//!     Authenticator, ChannelBinding, Credentials, Login, Outcome, Policy, Salt, Verifier,
//! };
//!
//! // What the server has stored, made with 16 random bytes when the password was set.
//! let verifier = Verifier::hash(b"open sesame", Salt::new(&[1; 16]).unwrap(), Verifier::ITERATIONS);
//!
//! // The nonces: 18 random bytes each.
//! let mut login = Login::scram(verifier, ChannelBinding::NoTls, [2; 18]);
//! let credentials = Credentials::new("alice").with_password("open sesame");
//! let mut auth = Authenticator::new(credentials, Policy::default(), ChannelBinding::NoTls, [3; 18]);
//!
//! let mut client = Decoder::new(Backend::new(), Array::<512>::new());
//! let mut server = Decoder::new(Frontend::new(), Array::<512>::new());
//! # server.feed(&mut &b"\0\0\0\x14\0\x03\0\0user\0alice\0\0"[..])?;
//! while login.outcome() == Outcome::Pending {
//!     let (mut requests, mut response) = (Vec::new(), Vec::new());
//!     login.request(&mut requests)?;
//!     if let Some(answer) = login.answer() {
//!         server.protocol_mut().expect(answer);
//!     }
//!     let mut input = &requests[..];
//!     while let Some(frame) = client.feed(&mut input)? {
//!         if let backend::Message::Authentication(request) = frame.message()? {
//!             let _ = auth.receive(&request)?;
//!             auth.respond(&mut response)?;
//!         }
//!     }
//!     let mut input = &response[..];
//!     while let Some(frame) = server.feed(&mut input)? {
//!         let _ = login.receive(&frame.message()?);
//!     }
//! }
//! assert!(auth.is_done() && login.outcome() == Outcome::Granted);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attributes;
mod base64;
mod bearer;
mod buffer;
mod client;
mod credentials;
mod error;
mod md5;
mod policy;
mod sasl;
#[cfg(feature = "saslprep")]
mod saslprep;
mod scram;
mod server;
mod sha256;
mod verifier;

pub use self::client::{Authenticator, ChannelBinding, Step};
pub use self::credentials::{ClientKeys, Credentials};
pub use self::error::{AuthError, ServerError};
pub use self::md5::Md5Verifier;
pub use self::policy::{BadPolicy, BindingPolicy, Method, Methods, Policy};
#[cfg(feature = "saslprep")]
pub use self::saslprep::saslprep;
pub use self::scram::Salt;
pub use self::server::{Discovery, Login, LoginStep, Outcome, Refusal, Stored};
pub use self::verifier::{BadVerifier, Derivation, Verifier};
