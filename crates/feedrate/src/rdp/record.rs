//! Records: the messages on a byte stream that loses nothing, TCP or WebSocket, each preceded by its channel and its
//! length (SPEC section 5.1). On a serial lane there are [packets](super::packet).

use core::fmt;

use super::channel::Channel;
use super::frame;
use crate::encode::{Encode, EncodeError, Output};
use crate::error::Fault;
use crate::input::Lent;
use crate::protocol::{Extent, Protocol};

/// Bytes before a message.
pub const HEAD: usize = 2;
/// The longest message on channel 0, and on channel 1 until the handshake has set the limit there.
pub const LIMIT: usize = 512;

/// The bit for the channel, in the two bytes before a message.
const CHANNEL: u16 = 0x8000;
/// Bytes of a message before its debug frame: sequence and time.
const HEADER: usize = 8;
/// Bytes of the tag of suite 0, a checksum.
const TAG: u8 = 4;
/// The longest message that a record can declare.
const LONGEST: usize = 0x7FFF;

/// What is wrong with a record. The stream is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RecordError {
    /// It declares a message that is too short, or longer than its channel's limit.
    #[error("record of {declared} bytes, expected {least} to {limit} on this channel")]
    Length {
        /// Declared length of the message in bytes.
        declared: usize,
        /// Length of the shortest message.
        least: usize,
        /// The channel's limit.
        limit: usize,
    },
    /// An error that the decoder found: cut short by the end of the stream, or longer than the storage.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A message as received, still sealed.
#[derive(PartialEq, Eq)]
pub struct Message<'a> {
    /// The channel that it came on.
    pub channel: Channel,
    bytes: Lent<'a>,
}

impl<'a> Message<'a> {
    /// A message to be sent.
    pub const fn new(channel: Channel, bytes: &'a [u8]) -> Self {
        Self { channel, bytes: Lent::Shared(bytes) }
    }

    /// Its sequence: the first four bytes.
    pub fn sequence(&self) -> u32 {
        self.as_bytes().first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
    }

    /// Its time, in units of 10 ms: the next four bytes.
    pub fn time(&self) -> u32 {
        let [.., t0, t1, t2, t3] = self.as_bytes().first_chunk().map_or([0; HEADER], |bytes| *bytes);
        u32::from_be_bytes([t0, t1, t2, t3])
    }

    /// All of it: sequence, time, debug frame and tag.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_bytes()
    }

    /// All of it, mutable if possible.
    pub fn into_lent(self) -> Lent<'a> {
        self.bytes
    }
}

/// It may contain a secret: only its length is shown.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.as_bytes().len();
        f.debug_struct("Message").field("channel", &self.channel).field("bytes", &length).finish()
    }
}

/// It may contain a secret: only its length is shown.
#[cfg(feature = "defmt")]
impl defmt::Format for Message<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Message({}, {=usize} bytes)", self.channel, self.as_bytes().len());
    }
}

/// As a record.
impl Encode for Message<'_> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(&head(self.channel, self.as_bytes().len())?)?;
        out.put(self.as_bytes())
    }
}

/// What precedes a message of `length` bytes.
///
/// # Errors
///
/// [`EncodeError::TooLarge`]: a record cannot declare this many. [`EncodeError::Invalid`]: that is shorter than any
/// message.
///
/// ```
/// use feedrate::rdp::{Channel, record};
///
/// assert_eq!(record::head(Channel::Ordinary, 0x1E), Ok([0x80, 0x1E]));
/// assert!(record::head(Channel::Urgent, 0).is_err());
/// ```
pub fn head(channel: Channel, length: usize) -> Result<[u8; HEAD], EncodeError> {
    let size = u16::try_from(length).ok().filter(|length| length & CHANNEL == 0);
    let size =
        size.ok_or(EncodeError::TooLarge { what: "message in a record", size: length, limit: LONGEST })?;
    if length < HEADER + frame::HEADER {
        return Err(EncodeError::Invalid { what: "message in a record", expected: "14 bytes or more" });
    }
    let channel = match channel {
        Channel::Urgent => 0,
        Channel::Ordinary => CHANNEL,
    };
    Ok((size | channel).to_be_bytes())
}

/// Records on a byte stream: the [`Protocol`] for a [`Decoder`](crate::Decoder). Its storage should hold the longest
/// message and [`HEAD`] bytes more; a record that fits the limits but not the storage is refused alone.
///
/// ```
/// use feedrate::rdp::record::{HEAD, LIMIT, Message, Records};
/// use feedrate::rdp::Channel;
/// use feedrate::{Array, Decoder, Encode};
///
/// let mut stream = heapless::Vec::<u8, 64>::new();
/// Message::new(Channel::Urgent, b"\0\0\0\x02\0\0\0\x96GDBP\x01\x10tag!").encode(&mut stream)?;
///
/// let mut decoder = Decoder::new(Records::new(), Array::<{ HEAD + LIMIT }>::new());
/// let mut input = &stream[..];
/// let message = decoder.feed(&mut input)?.expect("one message");
/// assert_eq!((message.channel, message.sequence(), message.time()), (Channel::Urgent, 2, 150));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Records {
    /// That of channel 1.
    limit: u16,
    tag: u8,
}

impl Records {
    /// Records before the handshake: at most [`LIMIT`] bytes on either channel, with tags of suite 0.
    pub const fn new() -> Self {
        Self { limit: 512, tag: TAG }
    }

    /// From now on a message on channel 1 may have this many bytes, as this side has stated in Hello or Welcome. Less
    /// than [`LIMIT`] counts as that.
    pub fn set_limit(&mut self, longest: u16) {
        self.limit = longest.max(Self::new().limit);
    }

    /// From now on tags have this many bytes, as the seal makes them.
    pub fn set_tag(&mut self, length: u8) {
        self.tag = length;
    }

    /// The longest message on a channel, in bytes.
    pub fn limit(&self, channel: Channel) -> usize {
        match channel {
            Channel::Urgent => LIMIT,
            Channel::Ordinary => self.limit.into(),
        }
    }

    /// Checks the declared length of a message.
    #[inline]
    fn length(&self, head: u16) -> Result<usize, RecordError> {
        let declared = usize::from(head & !CHANNEL);
        let least = usize::from(self.tag).saturating_add(HEADER + frame::HEADER);
        let limit = self.limit(channel(head));
        if declared < least || declared > limit {
            return Err(RecordError::Length { declared, least, limit });
        }
        Ok(declared)
    }
}

impl Default for Records {
    fn default() -> Self {
        Self::new()
    }
}

/// The channel in the two bytes before a message.
fn channel(head: u16) -> Channel {
    if head & CHANNEL == 0 { Channel::Urgent } else { Channel::Ordinary }
}

impl Protocol for Records {
    /// A seal with keys changes them, a checksum does not.
    type Bytes<'a> = Lent<'a>;
    type Message<'a> = Message<'a>;
    type Error = RecordError;

    fn extent(&self, head: &[u8]) -> Result<Extent, RecordError> {
        let Some(head) = head.first_chunk() else { return Ok(Extent::Need(HEAD)) };
        let length = self.length(u16::from_be_bytes(*head))?;
        Ok(Extent::Message(length.saturating_add(HEAD)))
    }

    #[inline]
    fn glance(&self, head: &[u8]) -> Option<usize> {
        let length = self.length(u16::from_be_bytes(*head.first_chunk()?)).ok()?;
        Some(length.saturating_add(HEAD))
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Message<'a>, RecordError> {
        let head = frame.as_bytes().first_chunk().map_or(0, |head| u16::from_be_bytes(*head));
        let bytes = match frame {
            Lent::Shared(bytes) => Lent::Shared(bytes.get(HEAD..).unwrap_or_default()),
            Lent::Mutable(bytes) => Lent::Mutable(bytes.get_mut(HEAD..).unwrap_or_default()),
        };
        Ok(Message { channel: channel(head), bytes })
    }

    /// A new stream begins with a new handshake.
    fn reset(&mut self) {
        *self = Self::new();
    }
}
