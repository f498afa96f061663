//! What the examples share: [`describe`] makes a message readable, [`capture`] keeps a conversation in a
//! file.

pub mod capture;
pub mod describe;
