//! How messages become bytes: [`Encode`], into any [`Output`].

use core::fmt;

/// Something that bytes can be appended to.
///
/// Implemented by [`SliceOutput`] and `heapless::Vec` of heapless 0.8; with features, by that of 0.9, `Vec<u8>` and
/// `BytesMut`.
#[diagnostic::on_unimplemented(
    message = "messages cannot be written into `{Self}`",
    label = "not an `Output`",
    note = "`Vec<u8>` is one with feedrate's feature `alloc` (or `std`), `bytes::BytesMut` with `bytes`, \
            `heapless::Vec<u8, N>` of heapless 0.9 with `heapless-09`; for a slice use `SliceOutput::new(&mut slice)`"
)]
pub trait Output {
    /// Everything written so far, and whatever was there before. Encoders use it to fill in lengths afterwards.
    fn written(&mut self) -> &mut [u8];

    /// Number of bytes in [`written`](Self::written).
    fn length(&self) -> usize;

    /// Appends all of `bytes`, or nothing.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Full`].
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError>;

    /// Drops everything past the first `length` bytes.
    fn truncate(&mut self, length: usize);

    /// Appends `size` bytes of any value, and returns them to be overwritten: all of them, or nothing.
    ///
    /// `None` means that nothing has been appended and that [`put`](Self::put) has to be called for each field. That is
    /// the default. It is right for an output that cannot append bytes before they are known, or where that would be
    /// slower.
    ///
    /// It is called once for each message, so it is the place to make room for all of it, or to fail.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Full`]. Then nothing has been appended.
    ///
    /// ```
    /// use feedrate::{Output, SliceOutput};
    ///
    /// let mut memory = [0; 4];
    /// let mut out = SliceOutput::new(&mut memory);
    /// out.place(3)?.unwrap().copy_from_slice(b"abc");
    /// assert!(out.place(2).is_err());
    /// assert_eq!(out.as_bytes(), b"abc");
    /// # Ok::<(), feedrate::EncodeError>(())
    /// ```
    #[inline]
    fn place(&mut self, size: usize) -> Result<Option<&mut [u8]>, EncodeError> {
        let _ = size;
        Ok(None)
    }
}

/// A message that can be written.
pub trait Encode {
    /// Writes the message's bytes. On an error `out` may be left with half a message: callers use
    /// [`encode`](Self::encode).
    ///
    /// # Errors
    ///
    /// See [`EncodeError`].
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError>;

    /// Appends the message to `out` and returns its length in bytes.
    ///
    /// # Errors
    ///
    /// See [`EncodeError`]. On any of them `out` is as it was before.
    ///
    /// ```
    /// use feedrate::{Encode, EncodeError, pg::frontend::Query};
    ///
    /// let mut out = heapless::Vec::<u8, 16>::new();
    /// assert_eq!(Query { sql: "select 1".into() }.encode(&mut out), Ok(14));
    /// assert_eq!(out, *b"Q\0\0\0\x0dselect 1\0");
    ///
    /// assert_eq!(Query { sql: "select 1".into() }.encode(&mut out), Err(EncodeError::Full));
    /// assert_eq!(out.len(), 14);
    /// ```
    fn encode<O: Output>(&self, out: &mut O) -> Result<usize, EncodeError> {
        let start = out.length();
        match self.write(out) {
            Ok(()) => Ok(out.length().saturating_sub(start)),
            Err(error) => {
                out.truncate(start);
                Err(error)
            }
        }
    }

    /// Exactly how many bytes [`encode`](Self::encode) will write.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode), except for [`EncodeError::Full`].
    fn encoded_length(&self) -> Result<usize, EncodeError> {
        let mut count = Count { length: 0 };
        self.write(&mut count)?;
        Ok(count.length)
    }
}

impl<T: Encode + ?Sized> Encode for &T {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        (**self).write(out)
    }

    fn encoded_length(&self) -> Result<usize, EncodeError> {
        (**self).encoded_length()
    }
}

/// Why a message cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EncodeError {
    /// The output has no room for the message.
    #[error("no room left in the output")]
    Full,
    /// A string contains a NUL, which would end it early, so that the rest would be read as something else.
    #[error("{what}: NUL at byte {at} of a NUL-terminated string")]
    InteriorNul {
        /// The field.
        what: &'static str,
        /// Offset within the string.
        at: usize,
    },
    /// Something is longer, or has more elements, than the peer accepts or the length field can express.
    #[error("{what}: {size}, expected at most {limit}")]
    TooLarge {
        /// The field or message.
        what: &'static str,
        /// Its bytes or elements.
        size: usize,
        /// The most there may be.
        limit: usize,
    },
    /// A value that the protocol does not allow.
    #[error("{what}: {expected}")]
    Invalid {
        /// The field or message.
        what: &'static str,
        /// What was expected.
        expected: &'static str,
    },
}

/// Writes into a slice that the caller lends. The content of the slice after the written bytes is unspecified.
///
/// ```
/// use feedrate::{Encode, SliceOutput, pg::frontend};
///
/// let mut memory = [0; 8];
/// let mut out = SliceOutput::new(&mut memory);
/// frontend::Sync.encode(&mut out)?;
/// assert_eq!(out.as_bytes(), b"S\0\0\0\x04");
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
pub struct SliceOutput<'o> {
    memory: &'o mut [u8],
    length: usize,
}

impl<'o> SliceOutput<'o> {
    /// Writes from the start of `memory`.
    pub const fn new(memory: &'o mut [u8]) -> Self {
        Self { memory, length: 0 }
    }

    /// What has been written.
    pub fn as_bytes(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }
}

impl AsRef<[u8]> for SliceOutput<'_> {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Output for SliceOutput<'_> {
    fn written(&mut self) -> &mut [u8] {
        self.memory.get_mut(..self.length).unwrap_or_default()
    }

    fn length(&self) -> usize {
        self.length
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        let free = self.memory.get_mut(self.length..).unwrap_or_default();
        if free.len() < bytes.len() {
            return Err(EncodeError::Full);
        }
        let (free, _) = free.split_at_mut_checked(bytes.len()).unwrap_or_default();
        // Not `copy_from_slice`: at opt-level "z" its length check is left in, and with it a panic.
        free.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        self.length = self.length.saturating_add(bytes.len());
        Ok(())
    }

    fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    #[inline]
    fn place(&mut self, size: usize) -> Result<Option<&mut [u8]>, EncodeError> {
        let free = self.memory.get_mut(self.length..).unwrap_or_default();
        let place = free.get_mut(..size).ok_or(EncodeError::Full)?;
        self.length = self.length.saturating_add(size);
        Ok(Some(place))
    }
}

impl fmt::Debug for SliceOutput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SliceOutput").field("length", &self.length).field("room", &self.memory.len()).finish()
    }
}

macro_rules! heapless_output {
    ($heapless:ident) => {
        impl<const N: usize> Output for $heapless::Vec<u8, N> {
            fn written(&mut self) -> &mut [u8] {
                self
            }

            fn length(&self) -> usize {
                self.len()
            }

            #[inline]
            fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
                self.extend_from_slice(bytes).map_err(|_| EncodeError::Full)
            }

            fn truncate(&mut self, length: usize) {
                self.truncate(length);
            }
        }
    };
}

heapless_output!(heapless);
#[cfg(feature = "heapless-09")]
heapless_output!(heapless_09);

/// Grows as needed. If the heap is exhausted: [`EncodeError::Full`].
#[cfg(feature = "alloc")]
impl Output for alloc::vec::Vec<u8> {
    fn written(&mut self) -> &mut [u8] {
        self
    }

    fn length(&self) -> usize {
        self.len()
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        // `try_reserve` is not small, and the encoders put dozens of fields: so the rare case is a call.
        if self.capacity().wrapping_sub(self.len()) < bytes.len() {
            return grow_and_put(self, bytes);
        }
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn truncate(&mut self, length: usize) {
        self.truncate(length);
    }

    #[inline]
    fn place(&mut self, size: usize) -> Result<Option<&mut [u8]>, EncodeError> {
        if size > ZEROED {
            self.try_reserve(size).map_err(|_| EncodeError::Full)?;
            return Ok(None);
        }
        if self.capacity().wrapping_sub(self.len()) < size {
            return grow_and_place(self, size);
        }
        let start = self.len();
        self.extend(core::iter::repeat_n(0, size));
        Ok(Some(self.get_mut(start..).unwrap_or_default()))
    }
}

/// Up to this size it is faster to append zeros and overwrite them than to check a vector's capacity for each field.
/// Beyond it, writing memory twice costs more.
#[cfg(feature = "alloc")]
const ZEROED: usize = 512;

#[cfg(feature = "alloc")]
#[cold]
#[inline(never)]
fn grow_and_place(out: &mut alloc::vec::Vec<u8>, size: usize) -> Result<Option<&mut [u8]>, EncodeError> {
    out.try_reserve(size).map_err(|_| EncodeError::Full)?;
    out.place(size)
}

#[cfg(feature = "alloc")]
#[cold]
#[inline(never)]
fn grow_and_put(out: &mut alloc::vec::Vec<u8>, bytes: &[u8]) -> Result<(), EncodeError> {
    out.try_reserve(bytes.len()).map_err(|_| EncodeError::Full)?;
    out.extend_from_slice(bytes);
    Ok(())
}

/// Grows as needed.
#[cfg(feature = "bytes")]
impl Output for bytes::BytesMut {
    fn written(&mut self) -> &mut [u8] {
        self
    }

    fn length(&self) -> usize {
        self.len()
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    fn truncate(&mut self, length: usize) {
        self.truncate(length);
    }

    #[inline]
    fn place(&mut self, size: usize) -> Result<Option<&mut [u8]>, EncodeError> {
        if size > ZEROED {
            self.reserve(size);
            return Ok(None);
        }
        let start = self.len();
        self.resize(start.saturating_add(size), 0);
        Ok(Some(self.get_mut(start..).unwrap_or_default()))
    }
}

/// Counts instead of writing. The same code yields a message's length and its bytes, so that they cannot disagree.
struct Count {
    length: usize,
}

impl Output for Count {
    fn written(&mut self) -> &mut [u8] {
        &mut []
    }

    fn length(&self) -> usize {
        self.length
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.length = self.length.saturating_add(bytes.len());
        Ok(())
    }

    fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }
}
