//! What a decoder of frames in pieces returns, and its errors.

use feedrate::{Fault, Lent};

use crate::error::Violation;
use crate::header::Header;
use crate::mask;

/// The part of a frame that has arrived.
///
/// Frames are cut into parts wherever the input was. The first part has the header.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part<'a> {
    /// The header, if the frame begins here.
    pub header: Option<Header>,
    /// The next bytes of the payload, possibly none.
    pub payload: Payload<'a>,
    /// Whether the frame ends here.
    pub last: bool,
}

/// Bytes of a frame's payload, as they are in the input, and their masking key.
#[derive(Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    pub(crate) bytes: Lent<'a>,
    pub(crate) key: Option<[u8; 4]>,
}

impl<'a> Payload<'a> {
    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.bytes.as_bytes().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.as_bytes().is_empty()
    }

    /// The bytes as they came: masked, if there is a key.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_bytes()
    }

    /// The key that unmasks these bytes, if they are masked.
    pub const fn key(&self) -> Option<[u8; 4]> {
        self.key
    }

    /// Unmasks the bytes in place.
    ///
    /// # Errors
    ///
    /// The unchanged payload, if it is masked and came from `&[u8]`: [copy](Self::copy_to) it.
    pub fn unmask(self) -> Result<&'a [u8], Self> {
        match (self.bytes, self.key) {
            (bytes, None) => Ok(bytes.into_bytes()),
            (Lent::Mutable(bytes), Some(key)) => {
                mask::apply(bytes, key);
                Ok(bytes)
            }
            (bytes, key) => Err(Self { bytes, key }),
        }
    }

    /// Appends the bytes to `to`, unmasked.
    #[cfg(feature = "alloc")]
    #[cfg_attr(docsrs, doc(cfg(feature = "alloc")))]
    pub fn copy_to(&self, to: &mut alloc::vec::Vec<u8>) {
        let at = to.len();
        to.extend_from_slice(self.as_bytes());
        if let Some(key) = self.key {
            mask::apply(to.get_mut(at..).unwrap_or_default(), key);
        }
    }

    /// Unmasks the bytes in place if possible, in blocks that stay in the cache while `check` looks at them.
    pub(crate) fn unmask_checked<E>(
        self,
        block: usize,
        mut check: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<&'a [u8], E> {
        match (self.bytes, self.key) {
            (Lent::Mutable(bytes), Some(key)) => {
                for block in bytes.chunks_mut(block) {
                    // A block is a multiple of the key.
                    mask::apply(block, key);
                    check(block)?;
                }
                Ok(bytes)
            }
            (bytes, _) => {
                let bytes = bytes.into_bytes();
                check(bytes)?;
                Ok(bytes)
            }
        }
    }
}

/// Errors in a stream of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FrameError {
    /// The peer broke a rule.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// A frame is longer than the storage: [`Fault::TooLong`].
    #[error("frame of {declared} bytes, but the storage holds at most {limit}")]
    TooLong {
        /// Length in bytes, header included.
        declared: usize,
        /// The storage's limit in bytes.
        limit: usize,
    },
    /// The stream ended inside a frame, or a message: [`Fault::Truncated`].
    #[error(
        "the stream ended inside a message, with {held} bytes of a frame here and at least {missing} missing"
    )]
    Truncated {
        /// Bytes of the frame that had arrived.
        held: usize,
        /// The least number of bytes that were missing.
        missing: usize,
    },
    /// The storage could not grow: [`Fault::Memory`].
    #[error("no memory for {needed} bytes")]
    Memory {
        /// Bytes asked for.
        needed: usize,
    },
    /// The frame that was ready is not there: [`Fault::NotReady`].
    #[error("no frame is ready: it has been taken, or this is another buffer")]
    NotReady,
}

// Flat, instead of a variant that holds the fault: this way the error is no larger than a violation, and an idle
// connection takes no more memory.
impl From<Fault> for FrameError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TooLong { declared, limit } => Self::TooLong { declared, limit },
            Fault::Truncated { held, missing } => Self::Truncated { held, missing },
            Fault::Memory { needed } => Self::Memory { needed },
            _ => Self::NotReady,
        }
    }
}
