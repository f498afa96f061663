#![no_std]
#![forbid(unsafe_code)]
#![deny(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::as_conversions,
    clippy::string_slice
)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used))]
#![cfg_attr(test, allow(clippy::as_conversions))]
#![cfg_attr(docsrs, feature(doc_cfg))]
//! WebSocket.

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod close;
#[cfg(feature = "deflate")]
pub mod deflate;
mod error;
pub mod frame;
pub mod handshake;
mod inbound;
mod input;
pub mod mask;
mod message;
mod queue;
mod receiver;
mod sender;
mod utf8;

pub use close::{Close, CloseCode};
pub use error::{Error, Violation};
pub use input::Input;
pub use message::{Event, Kind, Message, Piece, Text};
pub use receiver::{Answer, InPieces, Receiver, Role, Truncated, Whole};
pub use sender::{Keys, Next, SendError, Sender, Unmasked};
pub use utf8::Utf8;
