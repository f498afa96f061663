//! Messages whose type byte this crate does not know.

use super::write::{LARGE, put_tagged};
use crate::encode::{Encode, EncodeError, Output};

/// A message of a type that this crate does not know, where the caller lets it pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Unknown<'a> {
    /// The type byte. One of a message that is known is encoded all the same, and read as that message.
    pub tag: u8,
    /// Everything behind the length.
    pub body: &'a [u8],
}

impl Encode for Unknown<'_> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        put_tagged(out, self.tag, "unknown message", LARGE, |out| out.put(self.body))
    }
}
