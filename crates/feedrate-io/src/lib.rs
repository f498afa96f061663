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
#![cfg_attr(test, allow(clippy::panic))]
#![cfg_attr(docsrs, feature(doc_cfg))]
//! Connections for [`feedrate`]'s protocols.

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(feature = "std")]
#[cfg_attr(docsrs, doc(cfg(feature = "std")))]
pub mod blocking;
#[cfg(feature = "codec")]
#[cfg_attr(docsrs, doc(cfg(feature = "codec")))]
pub mod codec;
#[cfg(feature = "embedded-io-07")]
#[cfg_attr(docsrs, doc(cfg(feature = "embedded-io-07")))]
pub mod embedded;
mod error;
mod inlet;
mod limits;
mod outlet;
#[cfg(feature = "alloc")]
mod pool;
mod timer;
#[cfg(feature = "tokio")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub mod tokio;
mod watch;

pub use self::error::Error;
pub use self::inlet::Inlet;
pub use self::limits::{Late, Limits};
pub use self::outlet::Outlet;
#[cfg(feature = "alloc")]
pub use self::pool::Pool;
pub use self::timer::{Never, Timer};
pub use self::watch::Watch;
