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
#![cfg_attr(test, allow(clippy::panic))]
#![cfg_attr(docsrs, feature(doc_cfg))]
//! PostgreSQL above the messages: what may come next, what is owed, and who the peer is. Sans-IO and `no_std`.
//!
//! | you write | use |
//! |---|---|
//! | a driver | [`client`]: the login, and a session with numbered requests; [`conninfo`] for where to connect |
//! | a proxy, a tracer, a pool | [`observer`]: shown both directions, it says what may come and what is owed |
//! | a server | [`auth`], whose server half logs clients in |
//!
//! The messages are [`feedrate::pg`]'s. Sockets, TLS and deadlines are the crate `feedrate-io`'s.
//!
//! # What is guaranteed
//!
//! * No panic, whatever the peer sends, and no `unsafe`. The linker proves the former on `thumbv6m` and `thumbv7m` for
//!   all but SASLprep.
//! * No memory of its own: a [`Queue`] keeps what is owed in the caller's, and says so when it is full, before anything
//!   has been counted.
//! * No message is taken for an answer to something else: what does not fit is an error, and where nobody can know what
//!   the server has done, the observer says so, and the client asks.
//! * Secrets are compared in constant time, wiped, and not shown by `Debug`.

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(feature = "auth")]
#[cfg_attr(docsrs, doc(cfg(feature = "auth")))]
pub mod auth;
pub mod client;
pub mod conninfo;
pub mod observer;
pub mod queue;

pub use self::queue::{Full, Queue};

/// The example on the package's page.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
mod readme {}
