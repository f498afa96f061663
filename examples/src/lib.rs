//! What the examples share: [`describe`] makes a message readable, [`escape`] any text of a peer, [`capture`] keeps a
//! conversation in a file, [`input`] reads lines, [`options`] reads values on a command line, [`tls`] reads
//! certificates, and [`ws`] listens for WebSockets. [`protocols`] is for you to copy; the other examples do not use it.

pub mod capture;
pub mod describe;
pub mod escape;
pub mod input;
pub mod options;
#[path = "../protocols/mod.rs"]
pub mod protocols;
pub mod tls;
pub mod ws;

/// The code in the project's README.md, as a test.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

/// The code in feedrate-rdp's, as a test.
#[cfg(doctest)]
#[doc = include_str!("../../crates/feedrate-rdp/README.md")]
mod readme_rdp {}
