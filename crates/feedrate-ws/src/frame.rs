//! Frames, without messages: RFC 6455, section 5.2.
//!
//! [`Frame`] is a frame to be written, [`Frames`] reads the frames of a stream, [`Header`] is a frame's header.
//! Programs that handle messages need none of this: they use a [`Receiver`](crate::Receiver) and a
//! [`Sender`](crate::Sender).

use feedrate::{Encode, EncodeError, Output};

use crate::mask;
use crate::opcode::Kind;

pub use crate::frames::Frames;
pub use crate::header::{HEADER, Header};
pub use crate::mode::Parts;
pub use crate::opcode::{CONTROL, Opcode};
pub use crate::part::{FrameError, Part, Payload};
pub use crate::sender::RESERVED;

/// A frame, to be written into any [`Output`]: for programs that have a queue of their own, or none. They are then
/// responsible for the order of frames.
///
/// ```
/// use feedrate::{Encode, SliceOutput};
/// use feedrate_ws::frame::{Frame, Opcode};
///
/// let mut memory = [0; 16];
/// let mut out = SliceOutput::new(&mut memory);
/// Frame::new(Opcode::Text, b"Hello").encode(&mut out)?;
/// assert_eq!(out.as_bytes(), b"\x81\x05Hello");
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Whether it is the message's last.
    pub fin: bool,
    /// With permessage-deflate: this is the first frame of a compressed message.
    pub rsv1: bool,
    /// What it is.
    pub opcode: Opcode,
    /// A client's key.
    pub mask: Option<[u8; 4]>,
    /// Its payload, not masked.
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The only frame of a message, as a server writes it.
    pub const fn new(opcode: Opcode, payload: &'a [u8]) -> Self {
        Self { fin: true, rsv1: false, opcode, mask: None, payload }
    }
}

impl Encode for Frame<'_> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        let Self { fin, rsv1, opcode, mask, payload } = *self;
        if opcode.is_control() && !fin {
            return Err(EncodeError::Invalid { what: "control frame", expected: "not to be fragmented" });
        }
        if opcode.is_control() && payload.len() > CONTROL {
            return Err(EncodeError::TooLarge { what: "control frame", size: payload.len(), limit: CONTROL });
        }
        // RFC 7692, section 6: the bit is set in a message's first frame only.
        if rsv1 && Kind::of(opcode).is_none() {
            return Err(EncodeError::Invalid {
                what: "RSV1",
                expected: "it in the first frame of a message",
            });
        }
        let length = u64::try_from(payload.len()).unwrap_or(u64::MAX);
        let header = Header { fin, rsv1, opcode, mask, length };
        if let Some(header) = header.to_two_bytes() {
            out.put(&header)?;
            return out.put(payload);
        }
        let (header, n) = header.to_bytes();
        out.put(header.get(..n).unwrap_or_default())?;
        let start = out.length();
        out.put(payload)?;
        if let Some(key) = mask {
            mask::apply(out.written().get_mut(start..).unwrap_or_default(), key);
        }
        Ok(())
    }
}
