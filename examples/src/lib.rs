//! What the examples share: [`describe`] makes a message readable, [`capture`] keeps a conversation in a
//! file, [`lane`] connects the two ends of RDPv3 with sockets and serial lines, [`ws`]
//! a WebSocket with a socket of tokio's. [`protocols`] are not for the other examples: they are to be copied.

pub mod capture;
pub mod describe;
pub mod lane;
#[path = "../protocols/mod.rs"]
pub mod protocols;
pub mod ws;
