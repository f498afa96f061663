//! Compression: the extension permessage-deflate, RFC 7692.
//!
//! [`Offer`] and [`Params`] are what the handshake agrees on; [`Receiver::with_deflate`](crate::Receiver::with_deflate) and
//! [`Sender::with_deflate`](crate::Sender::with_deflate) act on it.
//!
//! # Memory
//!
//! Each direction allocates at its first compressed message: [`Params::memory`] says how much. `release` gives it back when nothing in it is needed any more.

mod compress;
mod decompress;
mod params;

pub(crate) use compress::Deflater;
pub(crate) use decompress::Inflater;
pub use params::{BadParams, Config, Offer, Params};
