//! Modbus RTU: a frame ends where the line falls silent, and nowhere else.
//!
//! *MODBUS over Serial Line*, V1.02, section 2.5.1: address, function and data, CRC; 4 to 256 bytes. The
//! caller owns the clock: it calls [`Decoder::gap`](feedrate::Decoder::gap) after 3.5 characters of silence.

use feedrate::{Encode, EncodeError, Extent, Fault, Output, Protocol, Recovery};

/// The longest frame, and so the size of a storage: `Array<256>`.
pub const LONGEST: usize = 256;
/// The longest data: a frame without address, function and CRC.
pub const DATA: usize = LONGEST - 4;

/// One frame, its CRC checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The address of the server; 0 is a broadcast.
    pub address: u8,
    /// The function code; 80H is added in an exception.
    pub function: u8,
    /// What belongs to the function, at most [`DATA`] bytes.
    pub data: &'a [u8],
}

/// Errors in the bytes between two silences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No frame is this long.
    #[error("{0} bytes between two silences, expected 4 to 256")]
    Length(usize),
    /// The CRC failed.
    #[error("the CRC is wrong")]
    Crc,
    /// An error that the decoder found.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Frames of either direction: on the line they look alike.
#[derive(Debug, Clone, Copy, Default)]
pub struct ModbusRtu;

impl Protocol for ModbusRtu {
    type Bytes<'a> = &'a [u8];
    type Message<'a> = Frame<'a>;
    type Error = Error;
    // Whatever is wrong between two silences is one error, and the next frame is intact.
    const RECOVERY: Recovery = Recovery::Silence;

    fn extent(&self, _: &[u8]) -> Result<Extent, Error> {
        Ok(Extent::Silence)
    }

    fn check(&self, frame: &[u8]) -> Result<(), Error> {
        match frame {
            [covered @ .., low, high] if (4..=LONGEST).contains(&frame.len()) => {
                if crc(covered) == u16::from_le_bytes([*low, *high]) { Ok(()) } else { Err(Error::Crc) }
            }
            _ => Err(Error::Length(frame.len())),
        }
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Frame<'a>, Error> {
        match frame {
            [address, function, data @ .., _, _] => {
                Ok(Frame { address: *address, function: *function, data })
            }
            _ => Err(Error::Length(frame.len())),
        }
    }
}

impl Encode for Frame<'_> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        if self.data.len() > DATA {
            return Err(EncodeError::TooLarge { what: "Modbus data", size: self.data.len(), limit: DATA });
        }
        let head = [self.address, self.function];
        out.put(&head)?;
        out.put(self.data)?;
        out.put(&crc(head.iter().chain(self.data)).to_le_bytes())
    }
}

/// CRC-16, reflected 8005H, from FFFFH on (section 6.2.2), bit by bit: a table of 512 bytes is faster.
fn crc<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> u16 {
    bytes.into_iter().fold(0xffff, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xa001 } else { 0 })
    })
}
