//! What has been read and not been taken: [`Inlet`].

use core::fmt;

use feedrate::{Buffer, Decoder, Error, Protocol, Ready, Storage};

/// A decoder, and the memory that its bytes are read into. `M` is as for [`Buffer`].
///
/// ```
/// use feedrate::{Array, pg::Backend};
/// use feedrate_io::Inlet;
///
/// let mut inlet = Inlet::new(Backend::established(), Array::<64>::new(), [0; 64]);
/// inlet.space()[..6].copy_from_slice(b"Z\0\0\0\x05I");
/// inlet.filled(6);
/// let ready = inlet.ready()?.unwrap();
/// assert_eq!(inlet.take(ready)?.name(), "ReadyForQuery");
/// assert!(inlet.ready()?.is_none());
/// # Ok::<(), feedrate::Error<feedrate::pg::Error>>(())
/// ```
pub struct Inlet<P: Protocol, S, M> {
    decoder: Decoder<P, S>,
    buffer: Buffer<M>,
}

impl<P: Protocol, S: Storage, M: AsRef<[u8]> + AsMut<[u8]>> Inlet<P, S, M> {
    /// Nothing has been read yet.
    pub const fn new(protocol: P, storage: S, memory: M) -> Self {
        Self { decoder: Decoder::new(protocol, storage), buffer: Buffer::new(memory) }
    }

    /// Goes on from where another connection was: with its decoder, and with bytes that have been read and not taken.
    pub const fn from_parts(decoder: Decoder<P, S>, buffer: Buffer<M>) -> Self {
        Self { decoder, buffer }
    }

    /// Whether a message is there. `None`: all that was read has been taken, and there is room to read more.
    ///
    /// # Errors
    ///
    /// As [`Decoder::ready`].
    #[inline]
    pub fn ready(&mut self) -> Result<Option<Ready>, Error<P::Error>> {
        self.decoder.ready(&mut self.buffer)
    }

    /// The message that is ready.
    ///
    /// # Errors
    ///
    /// As [`Decoder::take`].
    #[inline(always)]
    pub fn take(&mut self, ready: Ready) -> Result<P::Message<'_>, Error<P::Error>> {
        self.decoder.take(ready, &mut self.buffer)
    }

    /// The bytes of the message that is ready, before it is taken.
    pub fn peek(&self, ready: &Ready) -> &[u8] {
        self.decoder.peek(ready, &self.buffer)
    }

    /// What [`ready`](Self::ready) finds at one glance. `None` says nothing.
    #[inline(always)]
    pub fn glance(&self) -> Option<Ready> {
        self.decoder.glance(&self.buffer)
    }

    /// Where to read to.
    pub fn space(&mut self) -> &mut [u8] {
        self.buffer.space()
    }

    /// So many bytes have been read.
    pub fn filled(&mut self, n: usize) {
        self.buffer.filled(n);
    }

    /// What has been read and not been taken.
    pub fn unread(&self) -> &[u8] {
        self.buffer.unread()
    }

    /// Exchanges the memory, to give it back to a [`Pool`](crate::Pool) while there is nothing to read.
    ///
    /// # Errors
    ///
    /// `memory` comes back where something unread is in the memory that is there.
    pub fn replace(&mut self, memory: M) -> Result<M, M> {
        if !self.buffer.unread().is_empty() {
            return Err(memory);
        }
        Ok(core::mem::replace(&mut self.buffer, Buffer::new(memory)).into_parts().0)
    }

    /// The decoder.
    pub const fn decoder(&self) -> &Decoder<P, S> {
        &self.decoder
    }

    /// The decoder, to tell its protocol what the bytes alone do not say.
    pub const fn decoder_mut(&mut self) -> &mut Decoder<P, S> {
        &mut self.decoder
    }

    /// Takes what is unread, for another protocol, and exchanges the memory.
    #[cfg(feature = "pg-tls")]
    pub(crate) fn take_unread(&mut self, memory: M) -> alloc::vec::Vec<u8> {
        let unread = self.unread().to_vec();
        self.buffer = Buffer::new(memory);
        unread
    }

    /// The protocol, together with what is unread.
    #[cfg(feature = "pg-tls")]
    pub(crate) fn protocol_and_unread(&mut self) -> (&mut P, &[u8]) {
        (self.decoder.protocol_mut(), self.buffer.unread())
    }

    /// The decoder, and the buffer with what is unread.
    pub fn into_parts(self) -> (Decoder<P, S>, Buffer<M>) {
        (self.decoder, self.buffer)
    }
}

impl<P: Protocol + fmt::Debug, S, M: AsRef<[u8]> + AsMut<[u8]>> fmt::Debug for Inlet<P, S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inlet").field("unread", &self.buffer.unread().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use feedrate::Array;
    use feedrate::pg::Frontend;

    #[test]
    fn memory_with_unread_bytes_stays() {
        let mut inlet = Inlet::new(Frontend::established(), Array::<16>::new(), [0; 8]);
        inlet.space()[..5].copy_from_slice(b"S\0\0\0\x04");
        inlet.filled(5);
        assert_eq!(inlet.replace([1; 8]), Err([1; 8]));
        let ready = inlet.ready().unwrap().unwrap();
        assert_eq!(inlet.take(ready).unwrap().name(), "Sync");
        assert_eq!(inlet.replace([1; 8]), Ok(*b"S\0\0\0\x04\0\0\0"));
        assert_eq!(inlet.space(), [1; 8]);
    }
}
