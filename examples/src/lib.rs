//! What the examples share: [`describe`] makes a message readable, [`capture`] keeps a conversation in a
//! file, [`lane`] connects the two ends of RDPv3 with sockets and serial lines.

pub mod capture;
pub mod describe;
pub mod lane;
