//! Authentication.

mod attributes;
mod base64;
mod buffer;
mod client;
mod credentials;
mod error;
mod md5;
mod policy;
mod prepare;
mod sasl;
mod scram;

pub use self::client::{Authenticator, ChannelBinding, Step};
pub use self::credentials::{ClientKeys, Credentials};
pub use self::error::{AuthError, ServerError};
pub use self::policy::{BadPolicy, BindingPolicy, Method, Methods, Policy};
pub use self::scram::Salt;
