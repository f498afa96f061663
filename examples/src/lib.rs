//! What the examples share: [`describe`] makes a message readable, [`capture`] keeps a conversation in a
//! file, [`lane`] connects the two ends of RDPv3 with sockets and serial lines, [`ws`]
//! a WebSocket with a socket of tokio's.

pub mod capture;
pub mod describe;
pub mod lane;
pub mod ws;
