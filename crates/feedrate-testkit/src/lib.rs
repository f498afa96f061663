#![deny(unsafe_code)]
//! What tests, fuzz targets and benchmarks share. It is not published, and no code that ships depends on it.
//!
//! | | |
//! |---|---|
//! | [`chunks`] | how bytes are cut, for whatever is fed with them |
//! | [`ways`] | all ways to feed a [`Decoder`](feedrate::Decoder), as one call |
//! | [`counting`], [`storage`] | an allocator that counts, a storage without memory |
//! | [`pg`] | PostgreSQL's vectors and transcripts |
//! | `machine` | one fake machine for whatever needs one behind an agent of RDPv3 |
//! | [`random`] | numbers that look random |
//! | [`rdp`] | RDPv3's vectors, packets and lanes, and a simulator of faults |
//! | `ws` | WebSocket's vectors and transcripts |

pub mod chunks;
pub mod counting;
#[cfg(feature = "rdp")]
pub mod machine;
pub mod pg;
pub mod random;
pub mod rdp;
pub mod storage;
pub mod ways;
#[cfg(feature = "ws")]
pub mod ws;
