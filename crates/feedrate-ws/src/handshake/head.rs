//! A request's or an answer's head: RFC 9112, sections 2 to 5. Strict, and in linear time.

use feedrate::Storage;

use super::list::{elements, is_token};
use crate::Input;

/// What is wrong with a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// It is longer than the storage.
    #[error("head of more than {limit} bytes")]
    TooLong {
        /// The storage's limit.
        limit: usize,
    },
    /// It has too many headers.
    #[error("more than {limit} headers")]
    TooManyHeaders {
        /// The most that are accepted.
        limit: usize,
    },
    /// A line ends in LF alone, or has a CR in it, or another control character.
    #[error("control character at byte {at}, expected lines of text that end in CR LF")]
    Control {
        /// Where in the head.
        at: usize,
    },
    /// The first line is none.
    #[error("bad first line, expected that of an HTTP/1.1 message")]
    FirstLine,
    /// A header is not a name, a colon and a value.
    #[error("bad header at byte {at}, expected a name, a colon and a value")]
    Header {
        /// Where in the head its line begins.
        at: usize,
    },
}

/// Collects a head, and checks its lines.
pub(super) struct Reader<S> {
    storage: S,
    /// The last bytes were this much of CR LF CR LF.
    matched: u8,
    headers: usize,
    limit: usize,
    done: bool,
}

const CRLF: &str = "\r\n";

impl<S: Storage> Reader<S> {
    pub(super) const fn new(storage: S) -> Self {
        Self { storage, matched: 0, headers: 0, limit: 100, done: false }
    }

    pub(super) const fn limit_headers(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Takes bytes off the front of `input` up to the end of the head. Whether it is there.
    pub(super) fn feed<'i, I: Input<'i>>(&mut self, input: &mut I) -> Result<bool, HeadError> {
        if !self.done {
            self.read(input)?;
        }
        // Each time: what is wrong stays wrong.
        if self.done {
            self.check()?;
        }
        Ok(self.done)
    }

    fn read<'i, I: Input<'i>>(&mut self, input: &mut I) -> Result<(), HeadError> {
        let (held, limit) = (self.storage.held().len(), self.storage.limit());
        let (mut matched, mut headers, mut taken) = (self.matched, self.headers, 0_usize);
        for byte in input.bytes() {
            let at = held.saturating_add(taken);
            if at >= limit {
                return Err(HeadError::TooLong { limit });
            }
            matched = match (byte, matched) {
                (b'\r', 0 | 2) | (b'\n', 1 | 3) => matched.saturating_add(1),
                (b'\r' | b'\n', _) | (_, 1 | 3) => return Err(HeadError::Control { at }),
                (0..=8 | 11..=31 | 127, _) => return Err(HeadError::Control { at }),
                _ => 0,
            };
            if matched == 2 {
                // The first line is none.
                headers = headers.saturating_add(1);
                if headers > self.limit.saturating_add(1) {
                    return Err(HeadError::TooManyHeaders { limit: self.limit });
                }
            }
            taken = taken.saturating_add(1);
            if matched == 4 {
                break;
            }
        }
        // Without memory nothing is taken: what comes next must not be read as if it followed what came before.
        self.storage.reserve(taken).map_err(|_| HeadError::TooLong { limit })?;
        let head = input.take(taken);
        self.storage.append(head.bytes()).map_err(|_| HeadError::TooLong { limit })?;
        (self.matched, self.headers, self.done) = (matched, headers, matched == 4);
        Ok(())
    }

    pub(super) fn first_line(&self) -> &[u8] {
        self.split().0
    }

    pub(super) fn headers(&self) -> Headers<'_> {
        Headers(self.split().1)
    }

    fn split(&self) -> (&[u8], &[u8]) {
        let head = self.storage.held();
        let end = head.iter().position(|byte| *byte == b'\r').unwrap_or(head.len());
        (head.get(..end).unwrap_or_default(), head.get(end.saturating_add(CRLF.len())..).unwrap_or_default())
    }

    fn check(&self) -> Result<(), HeadError> {
        let (first, lines) = self.split();
        let mut at = first.len().saturating_add(CRLF.len());
        for line in lines.split(|byte| *byte == b'\n') {
            let text = line.strip_suffix(b"\r").unwrap_or(line);
            if text.is_empty() {
                break;
            }
            match split_header(text) {
                Some((name, _)) if is_token(name) => {}
                _ => return Err(HeadError::Header { at }),
            }
            at = at.saturating_add(line.len()).saturating_add(1);
        }
        Ok(())
    }
}

/// The headers of a head, in their order.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a>(&'a [u8]);

impl<'a> Headers<'a> {
    /// Names and values, which have no blanks around them.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        self.0
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .filter_map(split_header)
            .filter_map(|(name, value)| Some((core::str::from_utf8(name).ok()?, value)))
    }

    /// The value of the first header of this name, whatever the case of its letters.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// The values of all headers of this name.
    pub fn all<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The values of all headers of this name, as far as they are text.
    pub(super) fn texts<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.all(name).filter_map(|value| core::str::from_utf8(value).ok())
    }

    /// The value, if there is exactly one.
    pub(super) fn only(&self, name: &str) -> Option<&'a str> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (Some(value), None) => core::str::from_utf8(value).ok(),
            _ => None,
        }
    }

    /// Whether a list has this element.
    pub(super) fn lists(&self, name: &str, element: &str) -> bool {
        self.texts(name).flat_map(elements).any(|found| found.eq_ignore_ascii_case(element))
    }
}

fn split_header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let value = line.get(colon.saturating_add(1)..)?;
    let start = value.iter().position(|byte| !b" \t".contains(byte)).unwrap_or(value.len());
    let end =
        value.iter().rposition(|byte| !b" \t".contains(byte)).map_or(start, |last| last.saturating_add(1));
    Some((line.get(..colon)?, value.get(start..end)?))
}

impl<S: Storage> core::fmt::Debug for Reader<S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Reader").field("held", &self.storage.held().len()).field("done", &self.done).finish()
    }
}
