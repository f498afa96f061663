//! RDPv3: its vectors, packets and lanes, and a simulator of faults.
//!
//! `simulate` is a host and an agent, a machine behind the agent, and lines between them that do everything that lines
//! do. It runs one schedule, which is all made of one number, and checks everything that the protocol promises. See
//! `tests/simulator.rs` of feedrate-rdp.

#[cfg(feature = "rdp")]
mod ask;
#[cfg(feature = "rdp")]
mod check;
pub mod lane;
#[cfg(feature = "rdp")]
mod machine;
pub mod packets;
#[cfg(feature = "rdp")]
mod plan;
#[cfg(feature = "rdp")]
mod sim;
#[cfg(feature = "rdp")]
mod tally;
pub mod vectors;
#[cfg(feature = "rdp")]
mod wire;

#[cfg(feature = "rdp")]
pub use self::sim::simulate;
#[cfg(feature = "rdp")]
pub use self::tally::Tally;
