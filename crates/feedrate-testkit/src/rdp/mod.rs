//! RDPv3: its vectors, packets and lanes, and what its promises are tried with.
//!
//! | | |
//! |---|---|
//! | `peer`, `rig` | a host put together by hand, which can do what no host does; an agent and its machine |
//! | `frames`, `holding` | commands to that machine, and a session that holds something |
//! | `seal` | a seal with keys and a handshake |
//! | `lanes` | both ends on serial lanes, and what is done to packets |
//! | `sim` | the simulator of faults |

#[cfg(feature = "rdp")]
pub mod frames;
#[cfg(feature = "rdp")]
pub mod holding;
pub mod lane;
#[cfg(feature = "rdp")]
pub mod lanes;
pub mod packets;
#[cfg(feature = "rdp")]
pub mod peer;
#[cfg(feature = "rdp")]
pub mod rig;
#[cfg(feature = "rdp")]
pub mod seal;
#[cfg(feature = "rdp")]
pub mod sim;
pub mod vectors;
