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
//! WebSocket for event loops and firmware: RFC 6455, both roles, with permessage-deflate (RFC 7692). Sans-IO and
//! `no_std`. It contains no `unsafe` and does not panic, whatever the bytes: the linker proves it for everything but
//! compression.
//!
//! # The loop
//!
//! A [`Receiver`] turns the peer's bytes into messages, and a [`Sender`] turns messages into bytes. They are two
//! values, so that a message borrowed from the receiver can be given to the sender. When the receiver has to answer the
//! peer, with a pong or a close frame, it hands the answer to the sender.
//!
//! ```
//! use feedrate::{Grow, Instant};
//! use feedrate_ws::{Event, Receiver, Role, SendError, Sender, StreamEvent};
//!
//! // After the handshake: see `handshake`.
//! let mut receiver = Receiver::new(Role::Server, Grow::new(1 << 20));
//! let mut sender = Sender::server(Grow::new(1 << 20));
//! # let chunks = [&b"\x81\x85\x37\xfa\x21\x3d"[..], b"\x7f\x9f\x4d\x51\x58\x83\x80", b""];
//! # let mut chunks = chunks.into_iter();
//! # let mut written = Vec::new();
//! # let mut read = |buffer: &mut [u8]| {
//! #     let chunk = chunks.next().unwrap();
//! #     buffer[..chunk.len()].copy_from_slice(chunk);
//! #     chunk.len()
//! # };
//! # let mut write = |bytes: &[u8]| { written.extend_from_slice(bytes); bytes.len() };
//! # let mut shutdown = || {};
//! let start = std::time::Instant::now();
//! let now = || Instant::from(start.elapsed());
//! let mut buffer = [0; 4096];
//! 'connection: loop {
//!     // Wait until `sender.deadline()` at the latest, once there is one.
//!     let n = read(&mut buffer);
//!     if n == 0 {
//!         break;
//!     }
//!     let mut input = &mut buffer[..n];
//!     loop {
//!         match receiver.feed(&mut input, now(), &mut sender) {
//!             // Borrowed from `buffer`, or from the receiver's storage if it came in pieces.
//!             Ok(Some(Event::Message(message))) => match sender.send(message) {
//!                 // The peer does not read. What to do about it is up to you.
//!                 Err(SendError::Full { .. }) => {}
//!                 other => other?,
//!             },
//!             // The answer is queued in the sender.
//!             Ok(Some(_)) => {}
//!             Ok(None) => break,
//!             // The close frame is queued. Do not return here, or it is never written.
//!             Err(error) => eprintln!("{error}"),
//!         }
//!     }
//!     while sender.queued() > 0 {
//!         let n = write(sender.transmit());
//!         sender.transmitted(n);
//!     }
//!     sender.handle_timeout(now());
//!     while let Some(event) = sender.poll_event() {
//!         match event {
//!             StreamEvent::Finished => shutdown(),
//!             _ => break 'connection,
//!         }
//!     }
//! }
//! # assert_eq!(written, b"\x81\x05Hello\x88\x02\x03\xea");
//! # Ok::<(), SendError>(())
//! ```
//!
//! A violation is an error that is returned once. By then, the close frame that says what was wrong has been queued.
//! A function may leave with `?`, as long as its caller writes what is queued before it gives up the connection.
//! Complete programs, with handshakes and deadlines, are `ws_echo`, `ws_client` and `ws_tunnel` in the repository's
//! examples.
//!
//! # Time
//!
//! Nothing here reads a clock. Every function that may start or stop the closing timer takes the time, as a
//! [`feedrate::Instant`]. [`Sender::deadline`] returns when to call [`Sender::handle_timeout`], and
//! [`Sender::poll_event`] returns what to do with the stream.
//!
//! # The promises
//!
//! Those of [`feedrate`]'s front page, for WebSocket:
//!
//! 1. **Events, violations and answers depend on the bytes alone, never on how they were split.**
//! 2. A message that is complete in the input is unmasked in place and borrowed from there. One that came in pieces is
//!    put together in the storage. A masked message in a `&[u8]` is copied, and unmasked on the way.
//! 3. A message that is too long is refused at the header that shows it; a compressed one is refused at the byte that
//!    shows it. Nothing is reserved because a peer claims that it will send much. Of an unfinished compressed message,
//!    no more is held than 64 KiB plus five times the bytes received.
//! 4. A message of any length can be received [in pieces](Receiver::in_pieces) and [sent in pieces](Sender::piece),
//!    in constant memory.
//! 5. Every MUST of RFC 6455 that a peer can break is checked at the first byte that shows the violation, and answered
//!    with the right close code. That includes bad UTF-8 in the middle of a message. (Bytes that wait to be
//!    [decompressed](mod@deflate#memory) are checked when they are.)
//! 6. Whatever a peer sends, no more is queued for it than the storages hold, and a few pongs.
//! 7. No panic, no `unsafe`. (Compression is done by `zlib-rs` and vectorised UTF-8 validation by `simdutf8`; both
//!    contain `unsafe`.)
//! 8. An idle connection takes 256 bytes of state on a 64-bit machine, once [`Receiver::release`] and
//!    [`Sender::release`] have been called. A busy one allocates nothing in steady state, for messages of up to 64
//!    KiB.
//!
//! # Firmware
//!
//! Turn default features off and use [`feedrate::Array`] for storage. The receiver and the sender of a server are
//! then some 11 KiB of code on a Cortex-M3; the handshake comes on top. All of it can live in a `static`.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `std` | yes | `alloc`, and the choice of vector instructions at run time |
//! | `alloc` | yes | [`feedrate::Grow`], a storage that grows up to a limit |
//! | `deflate` | yes | compression; needs `alloc` |
//! | `simd` | yes | validation of UTF-8 with vector instructions, where the processor has them |
//! | `defmt` | no | `defmt::Format`, for logs of firmware; no byte that the peer sent is logged |
//!
//! The minimum supported Rust version is 1.85. It is raised in minor releases only, and the changelog says so.

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod answer;
mod close;
mod close_code;
#[cfg(feature = "deflate")]
pub mod deflate;
mod error;
pub mod frame;
mod frames;
pub mod handshake;
mod header;
#[cfg(feature = "defmt")]
mod log;
pub mod mask;
mod message;
mod mode;
mod opcode;
mod part;
mod receiver;
mod role;
mod sender;
mod utf8;

/// The code in README.md, as a test.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
mod readme {}

pub use answer::Answer;
pub use close::Close;
pub use close_code::CloseCode;
pub use error::{Error, Truncated, Violation};
pub use feedrate::Input;
pub use message::{Message, Piece, Text};
pub use mode::{InPieces, Whole};
pub use opcode::Kind;
pub use receiver::{Event, Ready, Receiver};
pub use role::Role;
pub use sender::{Keys, SendError, Sender, StreamEvent, Unmasked};
pub use utf8::Utf8;
