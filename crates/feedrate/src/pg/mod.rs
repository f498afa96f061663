//! pg
#![allow(missing_docs)]

#[cfg(feature = "arbitrary")]
mod arbitrary;
mod authentication;
pub mod backend;
mod bind;
mod command;
mod copy;
mod data_row;
mod encryption;
mod error;
mod extended;
mod format;
mod frame;
pub mod frontend;
mod function_call;
mod key;
mod limits;
mod list;
mod message;
mod notice;
mod parse;
mod password;
mod query;
mod reader;
mod row_description;
mod shape;
mod startup;
mod status;
pub mod stream;
mod text;
mod unknown;
mod version;
mod write;
pub mod writer;

pub use backend::{Backend, BackendLimits};
pub use encryption::{Encryption, EncryptionResponse};
pub use error::{Error, Problem};
pub use format::Format;
pub use frame::{Direction, Frame};
pub use frontend::{Frontend, FrontendLimits};
pub use list::{Item, Iter, List};
pub use text::{Secret, Text};
pub use version::Version;
