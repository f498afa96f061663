//! Violations by the peer, and their close codes.

use crate::close_code::CloseCode;
use crate::opcode::{Kind, Opcode};

/// The peer broke a rule. The connection has failed: RFC 6455, section 7.1.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[error("{violation}, in the frame that begins at byte {offset} of the stream")]
pub struct Error {
    /// Which rule.
    pub violation: Violation,
    /// Where the offending frame begins, in bytes since the end of the handshake.
    pub offset: u64,
}

/// The rules, in the order in which a frame's bytes reveal a violation.
// The tag is a whole word: with a tag of one byte, errors would be moved in two parts, with a call of `memcpy`.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Violation {
    /// RFC 6455, section 5.2: RSV1, RSV2, RSV3 are zero, unless an extension has given them a meaning.
    #[error("reserved bits {bits:#05b}, expected none that has not been negotiated")]
    Reserved {
        /// RSV1 is 4, RSV2 2, RSV3 1.
        bits: u8,
    },
    /// Section 5.2: a reserved opcode.
    #[error("opcode {0:#x}, expected 0, 1, 2, 8, 9 or 0xa")]
    Opcode(u8),
    /// Section 5.5: a control frame is not fragmented.
    #[error("{0} frame without FIN, expected a control frame to be whole")]
    ControlFragmented(Opcode),
    /// Section 5.4: a continuation frame with nothing to continue.
    #[error("continuation frame, expected text, binary or control, as no message has begun")]
    Continuation,
    /// Section 5.4: a new message inside a fragmented one.
    #[error("{0} frame, expected a continuation or control frame, as a message has begun and not ended")]
    Interrupted(Opcode),
    /// Section 5.1: a client masks all that it sends.
    #[error("frame without a mask, expected a client to mask all it sends")]
    Unmasked,
    /// Section 5.1: a server masks nothing.
    #[error("frame with a mask, expected a server to mask nothing")]
    Masked,
    /// Section 5.5: a control frame has 125 bytes of payload at most.
    #[error("{0} frame of more than 125 bytes, expected a control frame to be short")]
    ControlTooLong(Opcode),
    /// Section 5.2: a length uses the fewest bytes possible.
    #[error("length {length} in a longer form than it needs, expected the shortest")]
    NotMinimal {
        /// The length.
        length: u64,
    },
    /// Section 5.2: the top bit of a length of 64 bits is zero.
    #[error("length with its top bit set, expected at most 2^63 - 1")]
    LengthTopBit,
    /// Section 7.4.1: a kind of message that this side does not accept.
    #[error("{0} message, expected only the other kind")]
    Unsupported(Kind),
    /// The message is longer than this side accepts.
    #[error("message of at least {length} bytes, expected at most {limit}")]
    TooLong {
        /// Bytes, as declared, or as decompressed so far.
        length: u64,
        /// The most that is accepted.
        limit: u64,
    },
    /// Section 8.1: text is UTF-8.
    #[error("byte {at} of a text message, expected UTF-8")]
    Utf8 {
        /// Offset of the first bad byte in the message; its length, if it ends inside a character.
        at: u64,
    },
    /// RFC 7692, section 7.2.2: the message's payload is not DEFLATE data.
    #[error("compressed message that cannot be decompressed, expected DEFLATE data")]
    Deflate,
    /// Section 5.5.1: a close frame is empty or has a code of two bytes.
    #[error("close frame of 1 byte, expected 0, or 2 and more")]
    CloseLength,
    /// Section 7.4: a code that no close frame may carry.
    #[error("close code {0}, expected 1000 to 1003, 1007 to 1014, or 3000 to 4999")]
    CloseCode(u16),
    /// Section 5.5.1: the reason is UTF-8.
    #[error("close reason, expected UTF-8")]
    CloseReason,
    /// Not the peer's fault: there is no memory for its message.
    #[error("no memory for the message")]
    Memory,
}

impl Violation {
    /// The code for the close frame: section 7.4.1.
    pub const fn close_code(&self) -> CloseCode {
        match self {
            Self::Unsupported(_) => CloseCode::UNSUPPORTED,
            Self::TooLong { .. } => CloseCode::TOO_BIG,
            Self::Utf8 { .. } | Self::CloseReason | Self::Deflate => CloseCode::INVALID_PAYLOAD,
            Self::Memory => CloseCode::INTERNAL,
            _ => CloseCode::PROTOCOL,
        }
    }
}

/// The stream ended without a close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[error("the stream ended {}, expected a close frame",
    if *.inside { "inside a message" } else { "between two messages" })]
pub struct Truncated {
    /// Whether a frame, or a message, had begun and not ended.
    pub inside: bool,
}
