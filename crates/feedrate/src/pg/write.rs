//! What the messages are written with.

use super::text::Text;
use crate::encode::{EncodeError, Output};
use crate::scan::find;

/// The longest frontend message that a server reads: `PQ_LARGE_MESSAGE_LIMIT` in `libpq/libpq.h`, which is what a server's
/// largest allocation allows for. Nothing longer leaves a server either.
pub(crate) const LARGE: usize = 0x3fff_fffe;

/// `PQ_SMALL_MESSAGE_LIMIT` in `libpq/libpq.h`: longer, and a server closes the connection without a word.
pub(crate) const SMALL: usize = 10_000;

/// `PG_MAX_AUTH_TOKEN_LENGTH` in `libpq/auth.h`.
pub(crate) const AUTHENTICATION: usize = 65_535;

/// Type byte, length, body. `limit` is the largest value that the length field may have.
#[inline]
pub(crate) fn put_tagged<O: Output>(
    out: &mut O,
    tag: u8,
    what: &'static str,
    limit: usize,
    body: impl FnOnce(&mut O) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = out.length();
    out.put(&[tag, 0, 0, 0, 0])?;
    body(out)?;
    put_length(out, start.saturating_add(1), what, limit)
}

/// Fills in the length at `start`, of everything that has been written from there on.
#[inline]
pub(crate) fn put_length<O: Output>(
    out: &mut O,
    start: usize,
    what: &'static str,
    limit: usize,
) -> Result<(), EncodeError> {
    let size = out.length().saturating_sub(start);
    let too_large = EncodeError::TooLarge { what, size, limit };
    if size > limit {
        return Err(too_large);
    }
    let length = u32::try_from(size).map_err(|_| too_large)?.to_be_bytes();
    if let Some(place) = out.written().get_mut(start..).and_then(|written| written.first_chunk_mut()) {
        *place = length;
    }
    Ok(())
}

/// A string and its NUL.
#[inline]
pub(crate) fn put_text<O: Output>(
    out: &mut O,
    text: Text<'_>,
    what: &'static str,
) -> Result<(), EncodeError> {
    let bytes = text.as_bytes();
    // The unnamed statement and portal, and names, which are shorter than a search is worth.
    let nul = if bytes.len() < 16 { bytes.iter().position(|byte| *byte == 0) } else { find(0, bytes) };
    if let Some(at) = nul {
        return Err(EncodeError::InteriorNul { what, at });
    }
    out.put(bytes)?;
    out.put(&[0])
}

/// A value behind its length, or -1.
#[inline]
pub(crate) fn put_value<O: Output>(out: &mut O, value: Option<&[u8]>) -> Result<(), EncodeError> {
    let Some(value) = value else {
        return out.put(&(-1_i32).to_be_bytes());
    };
    let too_large = EncodeError::TooLarge { what: "value", size: value.len(), limit: LARGE };
    let length = i32::try_from(value.len()).map_err(|_| too_large)?;
    out.put(&length.to_be_bytes())?;
    out.put(value)
}
