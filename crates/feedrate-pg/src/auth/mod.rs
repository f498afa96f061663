//! Authentication.

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
