#![deny(unsafe_code)]
//! What tests, fuzz targets and benchmarks share. It is not published, and no code that ships depends on it.
//!
//! | | |
//! |---|---|
//! | [`chunks`] | how bytes are cut, for whatever is fed with them |
//! | [`ways`] | all ways to feed a [`Decoder`](feedrate::Decoder), as one call |
//! | [`counting`] | an allocator that counts |
//! | [`pg`] | PostgreSQL's vectors and transcripts |
//! | [`rdp`] | RDPv3's vectors, the one fake machine, and a simulator of faults |
//! | [`ws`] | WebSocket's vectors and transcripts |

pub mod chunks;
pub mod counting;
pub mod pg;
pub mod rdp;
pub mod ways;
#[cfg(feature = "ws")]
pub mod ws;
