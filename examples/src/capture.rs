//! A recorded conversation: `pg_tap --record` writes it, `tour` reads it.
//!
//! One record after the other, in the order in which they passed; each is a piece of the stream in one direction of
//! one connection:
//!
//! ```text
//! Int32 connection    Byte1 'F' from the frontend, 'B' from the backend    Int32 n    Byten
//! ```
//!
//! Numbers are big-endian, as on the wire.

use std::io::{self, Write};

/// Who sent a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The client.
    Frontend,
    /// The server.
    Backend,
}

impl Side {
    /// The letter in a capture, and in a trace.
    pub const fn letter(self) -> char {
        match self {
            Self::Frontend => 'F',
            Self::Backend => 'B',
        }
    }
}

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Connections are counted from 1.
    pub connection: u32,
    /// Who sent it.
    pub from: Side,
    /// What was sent. Where it is cut has no meaning.
    pub bytes: &'a [u8],
}

impl Piece<'_> {
    /// Appends this piece to a file.
    ///
    /// # Errors
    ///
    /// Errors of the file, and `InvalidInput` for a piece of 4 GiB or more.
    pub fn write(&self, file: &mut impl Write) -> io::Result<()> {
        let length = u32::try_from(self.bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut record = self.connection.to_be_bytes().to_vec();
        record.push(self.from.letter() as u8);
        record.extend(length.to_be_bytes());
        record.extend(self.bytes);
        file.write_all(&record)
    }
}

/// The pieces of a capture, up to the first incomplete one.
pub fn pieces(mut capture: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        let (&[c0, c1, c2, c3, letter, n0, n1, n2, n3], rest) = capture.split_first_chunk()?;
        let from = match letter {
            b'F' => Side::Frontend,
            b'B' => Side::Backend,
            _ => return None,
        };
        let length = usize::try_from(u32::from_be_bytes([n0, n1, n2, n3])).ok()?;
        let (bytes, rest) = rest.split_at_checked(length)?;
        capture = rest;
        Some(Piece { connection: u32::from_be_bytes([c0, c1, c2, c3]), from, bytes })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let hello = Piece { connection: 1, from: Side::Frontend, bytes: b"hello" };
        // A tap that runs for days counts further than 16 bits do.
        let nothing = Piece { connection: 0x1234_5678, from: Side::Backend, bytes: b"" };
        let mut file = Vec::new();
        hello.write(&mut file).unwrap();
        nothing.write(&mut file).unwrap();
        assert_eq!(pieces(&file).collect::<Vec<_>>(), [hello, nothing]);
        assert_eq!(pieces(&file[..file.len() - 1]).count(), 1);
    }
}
