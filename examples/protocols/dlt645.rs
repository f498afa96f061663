//! DL/T 645-2007, the protocol of electricity meters in China on RS-485 and infrared: its bytes have to be transformed,
//! and the line loses some.
//!
//! ```text
//! FE × 0..4   68   A0 ... A5   68   C   L   data, each byte + 33H   CS   16
//! ```
//!
//! CS is the sum of all bytes from the first 68 to the last of the data. 68 and 16 occur in data too, so only the sum
//! shows whether a frame is real.

use feedrate::{Encode, EncodeError, Extent, Fault, Output, Protocol, Recovery};

/// The longest data: 200 bytes for reading; 50 for writing, which the meter enforces.
pub const DATA: usize = 200;
/// The longest frame, and so the size of a storage: `Array<212>`.
pub const LONGEST: usize = DATA + 12;

/// One frame, its checksum checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The meter's number in BCD, low byte first; all AAH is any meter, all 99H every meter.
    pub address: [u8; 6],
    /// The control code: 11H reads, 91H answers that.
    pub control: u8,
    /// At most [`DATA`] bytes, 33H taken off.
    pub data: &'a [u8],
}

/// Errors in bytes that begin like a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No 16H where the frame should end.
    #[error("byte {0:#04x} at the end of the frame, expected 0x16")]
    End(u8),
    /// The checksum failed.
    #[error("the checksum is wrong")]
    Checksum,
    /// An error that the decoder found.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Frames of either direction.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dlt645;

impl Protocol for Dlt645 {
    type Bytes<'a> = &'a mut [u8];
    type Message<'a> = Frame<'a>;
    type Error = Error;
    // A frame that fails costs its first byte: a real one may begin inside of it.
    const RECOVERY: Recovery = Recovery::Hunt;

    fn extent(&self, head: &[u8]) -> Result<Extent, Error> {
        Ok(match *head {
            [0x68, _, _, _, _, _, _, 0x68, _, length, ..] if usize::from(length) <= DATA => {
                Extent::Message(usize::from(length) + 12)
            }
            [0x68, _, _, _, _, _, _, 0x68, _, _, ..] => Extent::Skip(1),
            [0x68, _, _, _, _, _, _, 0x68, ..] => Extent::Need(10),
            [0x68, _, _, _, _, _, _, _, ..] => Extent::Skip(1),
            [0x68, ..] | [] => Extent::Need(8),
            // FE, which wakes the receiver up, or noise.
            _ => Extent::Skip(head.iter().take_while(|byte| **byte != 0x68).count()),
        })
    }

    fn check(&self, frame: &[u8]) -> Result<(), Error> {
        match frame {
            [covered @ .., sum, 0x16] if checksum(covered) == *sum => Ok(()),
            [.., 0x16] => Err(Error::Checksum),
            _ => Err(Error::End(frame.last().copied().unwrap_or(0))),
        }
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Frame<'a>, Error> {
        match frame {
            [_, a0, a1, a2, a3, a4, a5, _, control, _, data @ .., _, _] => {
                data.iter_mut().for_each(|byte| *byte = byte.wrapping_sub(0x33));
                Ok(Frame { address: [*a0, *a1, *a2, *a3, *a4, *a5], control: *control, data })
            }
            // `extent` says that it is 12 bytes at least.
            _ => Err(Error::Checksum),
        }
    }
}

impl Encode for Frame<'_> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        let too_large = EncodeError::TooLarge { what: "DL/T 645 data", size: self.data.len(), limit: DATA };
        let length =
            u8::try_from(self.data.len()).ok().filter(|n| usize::from(*n) <= DATA).ok_or(too_large)?;
        let [a0, a1, a2, a3, a4, a5] = self.address;
        let head = [0x68, a0, a1, a2, a3, a4, a5, 0x68, self.control, length];
        out.put(&head)?;
        let mut sum = checksum(&head);
        for byte in self.data.iter().map(|byte| byte.wrapping_add(0x33)) {
            sum = sum.wrapping_add(byte);
            out.put(&[byte])?;
        }
        out.put(&[sum, 0x16])
    }
}

fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}
