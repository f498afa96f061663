//! Owned messages as a codec of tokio-util, for `Framed`: [`Codec`].
//!
//! It copies each message, and is for programs that are built of streams and sinks. [`tokio::Connection`] lends them.
//!
//! [`tokio::Connection`]: crate::tokio::Connection

use core::fmt;

use bytes::{Buf, BytesMut};
use feedrate::{Encode, Protocol, Storage};
use tokio_util::codec::{Decoder, Encoder};

/// A protocol whose messages can be kept.
pub trait Own: Protocol {
    /// A message that owns its bytes.
    type Owned;

    /// Copies a message.
    fn own(message: Self::Message<'_>) -> Self::Owned;
}

#[cfg(feature = "pg")]
macro_rules! own_pg {
    ($($direction:ident),*) => {
        $(impl Own for feedrate::pg::$direction {
            type Owned = feedrate::pg::OwnedFrame<Self>;

            fn own(message: Self::Message<'_>) -> Self::Owned {
                message.into()
            }
        })*
    };
}

#[cfg(feature = "pg")]
own_pg!(Backend, Frontend);

/// What can go wrong. [`Error::Protocol`](crate::Error::Protocol) is of the severity
/// [`Lost`](feedrate::Error::Lost) always.
pub type Error<P> = crate::Error<<P as Protocol>::Error, std::io::Error>;

/// Messages out of `BytesMut`, and into them.
///
/// An item is a `Result` itself: a message that is malformed is an item, as the stream goes on behind it, which a
/// `Framed` would not after an error.
///
/// ```
/// use feedrate::Grow;
/// use feedrate::pg::Backend;
/// use feedrate_io::codec::Codec;
/// use tokio_util::bytes::BytesMut;
/// use tokio_util::codec::Decoder;
///
/// let mut codec = Codec::new(Backend::established(), Grow::new(1 << 20));
/// let mut bytes = BytesMut::from(&b"Z\0\0\0\x05IZ\0"[..]);
/// let frame = codec.decode(&mut bytes)?.unwrap()?;
/// assert_eq!(frame.as_frame().name(), "ReadyForQuery");
/// assert!(codec.decode(&mut bytes)?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Codec<P: Protocol, S> {
    decoder: feedrate::Decoder<P, S>,
}

impl<P: Protocol, S: Storage> Codec<P, S> {
    /// A codec at the beginning of a stream. The longest message is what `storage` holds.
    pub const fn new(protocol: P, storage: S) -> Self {
        Self { decoder: feedrate::Decoder::new(protocol, storage) }
    }

    /// The decoder, to tell its protocol what the bytes alone do not say.
    pub const fn decoder_mut(&mut self) -> &mut feedrate::Decoder<P, S> {
        &mut self.decoder
    }
}

impl<P: Own<Error: 'static>, S: Storage> Decoder for Codec<P, S> {
    type Item = Result<P::Owned, P::Error>;
    type Error = Error<P>;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Self::Item>, Self::Error> {
        let all = bytes.len();
        let mut input = &mut bytes[..];
        let fed = self.decoder.feed(&mut input).map(|message| message.map(P::own));
        let taken = all.saturating_sub(input.len());
        bytes.advance(taken);
        match fed {
            Ok(owned) => Ok(owned.map(Ok)),
            Err(feedrate::Error::Message(error)) => Ok(Some(Err(error))),
            Err(lost) => Err(crate::Error::Protocol(lost)),
        }
    }

    fn decode_eof(&mut self, bytes: &mut BytesMut) -> Result<Option<Self::Item>, Self::Error> {
        if let Some(item) = self.decode(bytes)? {
            return Ok(Some(item));
        }
        self.decoder.end().map(|()| None).map_err(crate::Error::Protocol)
    }
}

impl<P: Protocol<Error: 'static>, S, M: Encode> Encoder<M> for Codec<P, S> {
    type Error = Error<P>;

    fn encode(&mut self, message: M, bytes: &mut BytesMut) -> Result<(), Self::Error> {
        message.encode(bytes).map(|_| ()).map_err(crate::Error::Message)
    }
}

impl<P: Protocol, S> fmt::Debug for Codec<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Codec").finish_non_exhaustive()
    }
}
