//! Small protocols, each one file to copy: what an implementation of [`feedrate::Protocol`] needs, and no more.
//!
//! They need no allocator and no `std`, and do not panic. The chapter [`feedrate::guide`] walks through
//! writing one.
//!
//! | | frames end | bytes | cost of a malformed frame |
//! |---|---|---|---|
//! | [`lines`] | at a delimiter | are only read | the frame |
//! | [`modbus_rtu`] | at a silence | are only read | everything up to the next silence |
//! | [`dlt645`] | by length | change in place | one byte |

// What firmware cannot have.
#![deny(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::as_conversions
)]

pub mod dlt645;
pub mod lines;
pub mod modbus_rtu;
