//! SASL's messages, put together from pieces, so that no piece has to be copied.

use feedrate::{Encode, EncodeError, Output};

/// SASLInitialResponse or SASLResponse with all the `pieces`.
pub(super) struct Response<'a> {
    /// The chosen mechanism, in the initial one.
    pub(super) mechanism: Option<&'static str>,
    pub(super) pieces: &'a [&'a [u8]],
}

impl Encode for Response<'_> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        let size = self.pieces.iter().fold(0_usize, |size, piece| size.saturating_add(piece.len()));
        // The mechanism's NUL, and the length of its data.
        let before = self.mechanism.map_or(0, |mechanism| mechanism.len().saturating_add(5));
        out.put(b"p")?;
        out.put(&length(size.saturating_add(before).saturating_add(4))?)?;
        if let Some(mechanism) = self.mechanism {
            out.put(mechanism.as_bytes())?;
            out.put(&[0])?;
            out.put(&length(size)?)?;
        }
        self.pieces.iter().try_for_each(|piece| out.put(piece))
    }
}

/// Servers take no more than 65,535 bytes of a `p` message.
fn length(size: usize) -> Result<[u8; 4], EncodeError> {
    const LIMIT: usize = 65_535 + 4;
    let error = EncodeError::TooLarge { what: "SASL response", size, limit: LIMIT };
    if size > LIMIT {
        return Err(error);
    }
    u32::try_from(size).map(u32::to_be_bytes).map_err(|_| error)
}
