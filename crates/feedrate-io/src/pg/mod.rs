//! A client of PostgreSQL: a [session](Client) over a transport.

mod client;
mod error;

pub use self::client::{Client, is_full};
pub use self::error::Error;
