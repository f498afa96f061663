//! RDPv3 under faults: a host and an agent, a machine behind the agent, and lines between them that do everything
//! that lines do.
//!
//! [`simulate`] runs one schedule, which is all made of one number, and checks everything that the protocol promises.
//! See `tests/rdp_simulator.rs`.

mod ask;
mod check;
mod line;
mod machine;
mod plan;
mod random;
mod sim;
mod tally;
pub mod vectors;

pub use self::machine::Sabotage;
pub use self::random::Random;
pub use self::sim::simulate;
pub use self::tally::Tally;
