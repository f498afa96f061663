//! A request's or an answer's head: RFC 9112, sections 2 to 5. Strict, and in linear time.

use feedrate::{Decoder, EncodeError, Extent, Fault, Input, Output, Protocol, Storage};

use super::list::{check_token, elements, is_token};

/// What is wrong with a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum HeadError {
    /// It is longer than the storage, or than there is memory for.
    #[error("head too long, expected at most {limit} bytes")]
    TooLong {
        /// The storage's limit.
        limit: usize,
    },
    /// It has too many headers.
    #[error("too many headers, expected at most {limit}")]
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
    /// The start line is malformed.
    #[error("malformed start line, expected that of an HTTP/1.1 message")]
    FirstLine,
    /// A header is not a name, a colon and a value.
    #[error("malformed header at byte {at}, expected a name, a colon and a value")]
    Header {
        /// Where in the head its line begins.
        at: usize,
    },
}

/// Heads as a protocol: up to an empty line. What may stand in a line is checked as it comes.
struct Heads {
    /// The last bytes were this much of CR LF CR LF.
    matched: u8,
    /// Lines that have ended, the first one included.
    lines: usize,
    /// The most headers.
    limit: usize,
}

impl Protocol for Heads {
    // Fed from what can only be looked at, a head is always in the storage then, whole in the input or not:
    // it is looked at after an error too.
    type Bytes<'a> = &'a mut [u8];
    type Message<'a> = &'a mut [u8];
    type Error = HeadError;

    fn extent(&self, _: &[u8]) -> Result<Extent, HeadError> {
        Ok(Extent::Until(b"\r\n\r\n"))
    }

    fn scan(&mut self, so_far: &[u8], from: usize) -> Result<(), HeadError> {
        if from == 0 {
            (self.matched, self.lines) = (0, 0);
        }
        for (at, byte) in so_far.iter().enumerate().skip(from) {
            self.matched = match (byte, self.matched) {
                (b'\r', 0 | 2) | (b'\n', 1 | 3) => self.matched.saturating_add(1),
                (b'\r' | b'\n', _) | (_, 1 | 3) => return Err(HeadError::Control { at }),
                (0..=8 | 11..=31 | 127, _) => return Err(HeadError::Control { at }),
                _ => 0,
            };
            if self.matched == 2 {
                self.lines = self.lines.saturating_add(1);
                if self.lines > self.limit.saturating_add(1) {
                    return Err(HeadError::TooManyHeaders { limit: self.limit });
                }
            }
        }
        Ok(())
    }

    fn parse<'a>(&mut self, head: Self::Bytes<'a>) -> Result<&'a mut [u8], HeadError> {
        Ok(head)
    }
}

impl From<Fault> for HeadError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TooLong { limit, .. } => Self::TooLong { limit },
            // There is no room, whatever the reason.
            _ => Self::TooLong { limit: 0 },
        }
    }
}

/// Collects a head, and checks its lines.
pub(super) struct Reader<S> {
    decoder: Decoder<Heads, S>,
    done: bool,
}

const CRLF: &str = "\r\n";

impl<S: Storage> Reader<S> {
    pub(super) const fn new(storage: S) -> Self {
        let heads = Heads { matched: 0, lines: 0, limit: 100 };
        Self { decoder: Decoder::new(heads, storage), done: false }
    }

    pub(super) const fn limit_headers(&mut self, limit: usize) {
        self.decoder.protocol_mut().limit = limit;
    }

    /// Takes bytes off the front of `input` up to the end of the head. Whether it is there.
    pub(super) fn feed<'i, I: Input<'i>>(&mut self, input: &mut I) -> Result<bool, HeadError> {
        if !self.done {
            let (taken, result) = self.read(input.bytes());
            input.take(taken);
            self.done = result?;
        }
        // Each time: what is wrong stays wrong.
        if self.done {
            self.check()?;
        }
        Ok(self.done)
    }

    fn read(&mut self, input: &[u8]) -> (usize, Result<bool, HeadError>) {
        let mut rest = input;
        let result = match self.decoder.feed(&mut rest) {
            Ok(head) => Ok(head.is_some()),
            Err(error) => Err(error.into_inner()),
        };
        let limit = self.decoder.storage().limit();
        let result = result.map_err(|error| match error {
            HeadError::TooLong { .. } => HeadError::TooLong { limit },
            other => other,
        });
        (input.len().saturating_sub(rest.len()), result)
    }

    pub(super) fn first_line(&self) -> &[u8] {
        self.split().0
    }

    pub(super) fn headers(&self) -> Headers<'_> {
        Headers(self.split().1)
    }

    fn split(&self) -> (&[u8], &[u8]) {
        let head = self.decoder.storage().held();
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

/// Writes a header, which must not be able to become two.
pub(super) fn put_header<O: Output>(out: &mut O, name: &str, value: &str) -> Result<(), EncodeError> {
    check_token("header's name", name)?;
    if value.bytes().any(|byte| byte != b'\t' && byte.is_ascii_control()) {
        return Err(EncodeError::Invalid { what: "header's value", expected: "no control characters" });
    }
    for part in [name, ": ", value, "\r\n"] {
        out.put(part.as_bytes())?;
    }
    Ok(())
}

impl<S: Storage> core::fmt::Debug for Reader<S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Reader")
            .field("held", &self.decoder.storage().held().len())
            .field("done", &self.done)
            .finish()
    }
}
