//! Authentication: published vectors, both halves with each other, every violation, every policy.
#![cfg(feature = "auth")]
#![allow(missing_docs)]

mod client;
mod pair;
mod pass_through;
mod policy;
mod server;
mod talk;
mod vectors;
