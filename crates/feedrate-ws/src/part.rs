//! What a decoder of frames in pieces hands out, and what can be wrong.

use feedrate::{Fault, Lent};

use crate::error::Violation;
use crate::header::Header;
use crate::mask;

/// Some of a frame: what of it has arrived.
///
/// Where a frame is cut into parts depends on where its bytes were cut. The first has the header.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part<'a> {
    /// The header, if the frame begins here.
    pub header: Option<Header>,
    /// The next bytes of the payload, if some are here.
    pub payload: Payload<'a>,
    /// Whether the frame ends here.
    pub last: bool,
}

/// Bytes of a frame's payload, as they lie in the input, and their key.
#[derive(Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    pub(crate) bytes: Lent<'a>,
    pub(crate) key: Option<[u8; 4]>,
}

impl<'a> Payload<'a> {
    /// How many they are.
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

    /// The key for the first of the bytes, as long as they are masked.
    pub const fn key(&self) -> Option<[u8; 4]> {
        self.key
    }

    /// Unmasks the bytes where they lie.
    ///
    /// # Errors
    ///
    /// The payload as it was, if it is masked and came from `&[u8]`: [copy](Self::copy_to) it.
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

    /// Unmasks the bytes where they lie, in blocks that stay in the cache while `check` looks at them. Those
    /// that cannot be are left as they are.
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

/// What can be wrong with a stream of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FrameError {
    /// The peer broke a rule.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// A frame that is to be whole is longer than the storage: [`Fault::TooLong`].
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
        /// The least number of bytes that would have had to follow.
        missing: usize,
    },
    /// The storage could not grow: [`Fault::Memory`].
    #[error("no memory for {needed} bytes")]
    Memory {
        /// Bytes asked for.
        needed: usize,
    },
    /// What was ready is not there: [`Fault::NotReady`].
    #[error("no frame is ready: it has been taken, or this is another buffer")]
    NotReady,
}

// Not a variant with the fault in it: this way the error is no larger than a violation, which an idle
// connection has room for.
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
