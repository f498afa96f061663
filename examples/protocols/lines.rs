//! Lines of text that end in CR LF, as in SMTP, FTP, IMAP and many instruments.
//!
//! A line that is longer than the storage, or not UTF-8, is refused alone: the next line is intact.

use core::str::Utf8Error;

use feedrate::{Extent, Fault, Protocol, Recovery};

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not UTF-8.
    #[error("the line is not UTF-8: {0}")]
    Text(#[from] Utf8Error),
    /// An error that the decoder found.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Lines, returned without their CR LF. A lone LF does not end a line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lines;

impl Protocol for Lines {
    type Bytes<'a> = &'a [u8];
    type Message<'a> = &'a str;
    type Error = Error;
    const RECOVERY: Recovery = Recovery::Delimiter;

    fn extent(&self, _: &[u8]) -> Result<Extent, Error> {
        Ok(Extent::Until(b"\r\n"))
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<&'a str, Error> {
        Ok(core::str::from_utf8(frame.strip_suffix(b"\r\n").unwrap_or(frame))?)
    }
}
