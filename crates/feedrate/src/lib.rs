#![no_std]
#![forbid(unsafe_code)]
#![deny(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::as_conversions,
    clippy::string_slice
)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used))]
#![cfg_attr(docsrs, feature(doc_cfg))]
//! doc

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod decoder;
mod encode;
mod storage;

#[cfg(feature = "pg")]
pub mod pg;

pub use decoder::{Decoder, Error, Extent, Fault, Protocol, Recovery};
pub use encode::{Encode, EncodeError, Output, SliceOutput};
#[cfg(feature = "alloc")]
pub use storage::Grow;
pub use storage::{Array, Borrowed, Storage};
