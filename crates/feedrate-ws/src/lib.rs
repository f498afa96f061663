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
//! WebSocket for event loops and firmware: RFC 6455, both roles, with permessage-deflate (RFC 7692). Sans-IO and `no_std`, without `unsafe`, and without a panic,
//! whatever the bytes: the linker proves it for all but compression.
//!
//! # The loop
//!
//! A [`Receiver`] turns the peer's bytes into messages, and a [`Sender`] turns messages into bytes. They are two, so that a message that is lent from the one can go into the other; what the first has to say to the peer, a pong or a
//! close frame, it says to the second.
//!
//! ```
//! use feedrate::Grow;
//! use feedrate_ws::{Event, Next, Receiver, Role, SendError, Sender};
//!
//! // After the handshake: see `handshake`.
//! let mut receiver = Receiver::new(Role::Server, Grow::new(1 << 20));
//! let mut sender = Sender::server(Grow::new(1 << 20));
//! # let mut chunks = vec![b"\x81\x85\x37\xfa\x21\x3d".to_vec(), b"\x7f\x9f\x4d\x51\x58\x83".to_vec(), Vec::new()].into_iter();
//! # let mut written = Vec::new();
//! # let mut read = |buffer: &mut [u8]| { let chunk = chunks.next().unwrap(); buffer[..chunk.len()].copy_from_slice(&chunk); chunk.len() };
//! # let mut write = |bytes: &[u8]| { written.extend_from_slice(bytes); bytes.len() };
//! # let now = || 0;
//! let mut buffer = [0; 4096];
//! loop {
//!     let n = read(&mut buffer);
//!     if n == 0 {
//!         break;
//!     }
//!     let mut input = &mut buffer[..n];
//!     while let Some(event) = receiver.feed(&mut input, &mut sender) {
//!         match event {
//!             // Lent from `buffer`, or, if it came in pieces, from the receiver's storage.
//!             Event::Message(message) => match sender.send(message) {
//!                 // The peer does not read: this is the place for a policy.
//!                 Err(SendError::Full { .. }) => {}
//!                 other => other?,
//!             },
//!             Event::Failed(error) => eprintln!("{error}"),
//!             // The sender has the answer.
//!             Event::Ping(_) | Event::Pong(_) | Event::Closed(_) => {}
//!         }
//!     }
//!     while sender.queued() > 0 {
//!         let n = write(sender.transmit());
//!         sender.sent(n);
//!     }
//!     if sender.next(now()) == Next::Drop {
//!         break;
//!     }
//! }
//! # assert_eq!(written, b"\x81\x05Hello\x88\x02\x03\xea");
//! # Ok::<(), SendError>(())
//! ```
//!
//! A violation is an event, and not an error that leaves the loop: the close frame that says what was wrong has been queued, and going on as before writes it. Complete programs, with
//! handshakes and deadlines, are `ws_echo`, `ws_client` and `ws_tunnel` in the repository's examples.
//!
//! # The promises
//!
//! Those of [`feedrate`]'s front page, for WebSocket:
//!
//! 1. **Events, violations, and what is answered are a function of the bytes, never of how they were split.**
//! 2. A message that is whole in the input is unmasked there and lent from there. One that came in pieces is put together in the storage. From a `&[u8]` a masked message is copied, and unmasked on the way.
//! 3. A message that is too long is refused at the header that shows it, a compressed one at the byte. Nothing is reserved on a claim.
//! 4. A message of any length can be taken [in pieces](Receiver::in_pieces), in constant memory, and [sent](Sender::piece) so.
//! 5. Every MUST of RFC 6455 that a peer can break is checked, at the first byte that shows it, bad UTF-8 in mid-message included, and answered with the right close code.
//! 6. Nothing that a peer sends makes more wait for it than the storages hold, and a few pongs.
//! 7. No panic, no `unsafe`. (Compression is done by `zlib-rs`, and vectorised UTF-8 by `simdutf8`, which have `unsafe` inside.)
//! 8. An idle connection is 256 bytes of state on a computer of 64 bits, once [`Receiver::release`] and [`Sender::release`] have been called; a busy one allocates nothing in steady state for messages of up to 64 KiB.
//!
//! # Firmware
//!
//! Without default features, with [`feedrate::Array`] as storages: receiver and sender of a server are some 11 KiB of code on a Cortex-M3, the handshake some more.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `std` | yes | `alloc`, and the choice of vector instructions at run time |
//! | `alloc` | yes | [`feedrate::Grow`], storage that grows up to a limit |
//! | `deflate` | yes | compression; needs `alloc` |
//! | `simd` | yes | UTF-8 is validated with vector instructions, where there are some |
//!
//! The minimum supported Rust version is 1.85.

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod assembly;
mod close;
#[cfg(feature = "deflate")]
pub mod deflate;
mod error;
pub mod frame;
mod frames;
pub mod handshake;
pub mod mask;
mod message;
mod part;
mod queue;
mod receiver;
mod sender;
mod spill;
mod step;
mod utf8;

pub use close::{Close, CloseCode};
pub use error::{Error, Violation};
pub use feedrate::Input;
pub use message::{Event, Kind, Message, Piece, Text};
pub use receiver::{Answer, InPieces, Receiver, Role, Truncated, Whole};
pub use sender::{Keys, Next, SendError, Sender, Unmasked};
pub use utf8::Utf8;
