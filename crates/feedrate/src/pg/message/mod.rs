//! The messages, each in a file named after it.
//!
//! A message's fields are described once, with [`message!`]. Reading, writing, cutting into pieces, tracing and
//! generating for fuzzing follow from that. Unusual messages (authentication requests, startup packets, version
//! negotiation) are written by hand, and implement the same traits.

use core::fmt;

use super::error::Error;
use super::reader::{Bad, Reader};
use super::trace::Printer;
use super::write::Sink;

pub(crate) mod authentication;
pub(crate) mod authentication_response;
pub(crate) mod backend_key_data;
pub(crate) mod bind;
pub(crate) mod bind_complete;
pub(crate) mod cancel_request;
pub(crate) mod close;
pub(crate) mod close_complete;
pub(crate) mod command_complete;
pub(crate) mod copy_both_response;
pub(crate) mod copy_data;
pub(crate) mod copy_done;
pub(crate) mod copy_fail;
pub(crate) mod copy_in_response;
pub(crate) mod copy_out_response;
pub(crate) mod data_row;
pub(crate) mod describe;
pub(crate) mod direct_tls;
pub(crate) mod empty_query_response;
pub(crate) mod encryption_response;
pub(crate) mod error_response;
pub(crate) mod execute;
pub(crate) mod flush;
pub(crate) mod function_call;
pub(crate) mod function_call_response;
pub(crate) mod gss_response;
pub(crate) mod gssenc_request;
mod macros;
pub(crate) mod negotiate_protocol_version;
pub(crate) mod no_data;
pub(crate) mod notice_response;
pub(crate) mod notification_response;
pub(crate) mod parameter_description;
pub(crate) mod parameter_status;
pub(crate) mod parse;
pub(crate) mod parse_complete;
pub(crate) mod password_message;
pub(crate) mod plain_error;
pub(crate) mod portal_suspended;
pub(crate) mod query;
pub(crate) mod ready_for_query;
pub(crate) mod row_description;
pub(crate) mod sasl_initial_response;
pub(crate) mod sasl_response;
pub(crate) mod ssl_request;
pub(crate) mod startup_message;
pub(crate) mod sync;
pub(crate) mod terminate;
pub(crate) mod unknown;
pub(crate) mod untrusted_error;

/// The fields of a message, or of an item of a list.
pub(crate) trait Fields<'a>: Sized {
    /// Reads them. If a message's reader has bytes left afterwards, that is an error.
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad>;

    /// Writes the same.
    fn write<S: Sink>(&self, out: &mut S);

    /// Prints them as libpq does.
    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result;
}

/// A message as a [trace](super::trace) shows it: its name, then its fields.
pub(crate) trait Traced {
    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result;
}

/// Reads the body of `raw`, which begins after `header` bytes, completely.
#[inline]
pub(crate) fn read<'a, T>(
    raw: &'a [u8],
    header: usize,
    name: impl FnOnce(u8) -> &'static str,
    fields: impl FnOnce(&mut Reader<'a>) -> Result<T, Bad>,
) -> Result<T, Error> {
    let mut reader = Reader::new(raw.get(header..).unwrap_or_default());
    match fields(&mut reader) {
        Ok(fields) if reader.left() == 0 => Ok(fields),
        _ => Err(bad(raw, &reader, name(raw.first().copied().unwrap_or_default()))),
    }
}

/// Out of the fast path.
#[cold]
#[inline(never)]
fn bad(raw: &[u8], reader: &Reader<'_>, name: &'static str) -> Error {
    Error::new(name, raw.len().saturating_sub(reader.left()), reader.problem())
}

pub(crate) use self::macros::{encoded, item, message, request, startup};
