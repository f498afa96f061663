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
#![cfg_attr(docsrs, feature(doc_cfg))]
//! Sans-IO protocol codecs for event loops and firmware: one call, [`Decoder::feed`], turns byte slices into borrowed
//! messages, and one trait, [`Encode`], turns messages into bytes. What comes out depends on the bytes alone, never on
//! how they were split. There is no I/O, no clock, no allocation unless you choose a storage that grows, no `unsafe`,
//! and no panic, whatever the bytes: the linker proves it.
//!
//! # The loop
//!
//! ```
//! use feedrate::{Array, Decoder, Encode};
//! use feedrate::pg::{Backend, backend::Message, frontend::Query};
//!
//! // What goes out: appended to whatever you write from.
//! let mut out = Vec::new();
//! Query { sql: "select 1".into() }.encode(&mut out)?;
//!
//! // What comes in: fed as it arrives.
//! let mut decoder = Decoder::new(Backend::established(), Array::<1024>::new());
//! # let received = [&b"T\0\0\0\x06\0\0"[..], b"D\0\0\0\x0b\0\x01\0\0\0", b"\x011Z\0\0\0\x05I"];
//! for chunk in received {
//!     let mut input = chunk;
//!     while let Some(frame) = decoder.feed(&mut input)? {
//!         match frame.message()? {
//!             Message::DataRow(row) => {
//!                 for value in row.columns {
//!                     println!("{value:?}");
//!                 }
//!             }
//!             Message::ErrorResponse(error) => println!("{:?}", error.message()),
//!             other => println!("{}", other.name()),
//!         }
//!     }
//! }
//! decoder.end()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `input` is both your slice and the cursor: `feed` takes bytes off its front, up to the end of one message. A decoder
//! puts a message that came in pieces together in its storage, here an [`Array`] of 1024 bytes. Between two messages
//! you are free to use the decoder, and the bytes that have not been taken are still in `input`: that is how an upgrade
//! to TLS or another protocol works.
//!
//! `feed` takes `&mut [u8]` as well as `&[u8]`. For a protocol that has to transform its bytes (COBS, a mask)
//! `&mut [u8]` is faster: the bytes are changed in place instead of copied. A client whose own function reads from a
//! socket until it can return a borrowed message uses [`Decoder::ready`] and [`Decoder::take`] on a [`Buffer`]: it
//! pulls.
//!
//! # The promises
//!
//! Each is tested for every protocol, and holds for errors and limits as well as for messages.
//!
//! 1. **Results depend on the bytes alone, never on how they were split**, nor on whether they were pushed or pulled.
//! 2. A message that is complete in the input is borrowed from it. One that came in pieces is put together in the
//!    storage, and only the bytes it needs are copied. Nothing past a message is touched, and `Ok(None)` means that the
//!    input is empty.
//! 3. Limits are checked on *declared* lengths, as soon as they arrive. Nothing is reserved on a claim: a storage that
//!    grows does so with the bytes that arrive.
//! 4. A message longer than the storage is *refused alone*: it is one error, its bytes are skipped, and the stream goes
//!    on after it, as long as its length is known. Or it is read in pieces in constant memory ([`pg::stream`]).
//! 5. There are exactly two severities: after [`Error::Message`], keep feeding; after [`Error::Lost`], the decoder is
//!    dead until [`Decoder::reset`]. (A protocol for serial lines can [hunt](Recovery::Hunt) instead, giving up one
//!    byte at a time, or wait for [silence](Recovery::Silence).)
//! 6. The end of the stream ([`Decoder::end`]) and a silent line ([`Decoder::gap`]) are inputs like bytes.
//! 7. No panic, no `unsafe`. Binaries that use the whole crate link for Cortex-M without a panic handler, at opt-level
//!    "s", "z", 2 and 3.
//! 8. An idle decoder holds no heap memory, and a busy one allocates nothing in steady state.
//!
//! For encoding: what can be parsed can be encoded, under the same limits, and vice versa. The exact length is known
//! beforehand. A message that is too long, or has a NUL in a string, is refused before its first byte is written. No
//! length is ever truncated, and on any error the output is as it was before the message.
//!
//! # What is in it
//!
//! * [`pg`]: PostgreSQL's frontend/backend protocol, versions 3.0 and 3.2, both directions, every message.
//! * `rdp` (a feature): the wire formats of RDPv3, a remote debug protocol for the controllers of machine tools: debug
//!   frames, records and packets. Both ends of it are in the crate `feedrate-rdp`.
//! * [`Decoder`], [`Protocol`], [`Storage`]: how bytes become messages, for these protocols and for yours ([a
//!   guide](guide)).
//! * [`Encode`], [`Output`]: how messages become bytes.
//! * [`Instant`]: time, for the crates above this one. Nothing here waits.
//!
//! # Words
//!
//! These terms mean the same in all crates of the family. A *frame* is the unit that a protocol's specification
//! delimits: bytes, with their header. A *message* is what the peer says, typed; in PostgreSQL and RDPv3 it takes one
//! frame, in WebSocket one or several. A *packet* carries frames over a line that loses and damages bytes (RDPv3). An
//! *endpoint* is one side of a conversation, with its state and its timers; endpoints are in the crates above this one.
//!
//! # Storage
//!
//! | storage | memory | longest message |
//! |---|---|---|
//! | [`Array<N>`](Array) | `N` bytes in the decoder | `N` |
//! | [`Borrowed`] | yours: a `static`, a page of a pool | its length |
//! | [`Grow`] (feature `alloc`) | the heap, only while a message is incomplete | its limit |
//!
//! # Features
//!
//! `pg` and `std` are on by default; firmware turns default features off.
//!
//! | feature | what it adds |
//! |---|---|
//! | `pg` | PostgreSQL |
//! | `rdp` | RDPv3's debug frames, records and packets |
//! | `crc-table` | tables for RDPv3's checksums: 2.5 KiB of flash for speed |
//! | `alloc` | [`Grow`], and `Vec<u8>` as an [`Output`] |
//! | `std` | `alloc`, larger tables for checksums, and the dependencies' runtime choice of vector instructions |
//! | `bytes` | `BytesMut` as an [`Output`] |
//! | `arbitrary` | `Arbitrary` for PostgreSQL's messages and RDPv3's debug frames, for fuzzing |
//! | `heapless-09` | `heapless::Vec` of heapless 0.9 as a storage and an output, beside that of 0.8; Rust 1.88 |
//! | `defmt` | `defmt::Format` for messages, errors, limits and frames |
//!
//! The minimum supported Rust version is 1.85, except for features that name another. It is raised in minor releases
//! only, and the changelog lists the change.

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod decoder;
mod encode;
mod error;
pub mod guide;
mod input;
mod protocol;
mod scan;
mod storage;
mod time;

#[cfg(feature = "pg")]
pub mod pg;
#[cfg(feature = "rdp")]
pub mod rdp;

/// The code in README.md, as a test.
#[cfg(all(doctest, feature = "pg", feature = "std"))]
#[doc = include_str!("../README.md")]
mod readme {}

pub use decoder::{Decoder, Ready};
pub use encode::{Encode, EncodeError, Output, SliceOutput};
pub use error::{Error, Fault};
pub use input::{Buffer, Bytes, Input, Lent};
pub use protocol::{Extent, Protocol, Recovery};
#[cfg(feature = "alloc")]
pub use storage::Grow;
pub use storage::{Array, Borrowed, Storage};
pub use time::Instant;
