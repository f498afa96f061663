//! A request's or an answer's head: RFC 9112, sections 2 to 5. In linear time, and strict: except that of an answer
//! that is no upgrade, whatever else is wrong with it, the status can be told.

use core::cell::Cell;

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
    /// The first byte is that of a TLS record: of a client that was told `wss`, or of a server that expects it.
    #[error("TLS, expected HTTP/1.1: is one side to use TLS, and the other not?")]
    Tls,
    /// The stream ended before the head did.
    #[error("the stream ended inside a head, expected an empty line behind it")]
    Truncated,
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
    /// Of answers, not requests.
    answers: bool,
    /// An answer's, once it is known.
    status: Option<u16>,
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
            (self.matched, self.lines, self.status) = (0, 0, None);
        }
        let mut bytes = so_far.iter().enumerate().skip(from);
        let wrong = bytes.find_map(|(at, byte)| {
            let looked = self.look(at, *byte).and_then(|()| self.begun(so_far, at));
            looked.err().map(|error| (at, error))
        });
        if self.answers && self.status.is_none() {
            let end = wrong.map_or(so_far.len(), |(at, _)| at.saturating_add(1));
            self.status = status(so_far.get(..end).unwrap_or_default());
        }
        wrong.map_or(Ok(()), |(_, error)| Err(error))
    }

    fn parse<'a>(&mut self, head: Self::Bytes<'a>) -> Result<&'a mut [u8], HeadError> {
        if self.answers {
            unfold(head);
        }
        Ok(head)
    }
}

impl Heads {
    /// The next byte.
    fn look(&mut self, at: usize, byte: u8) -> Result<(), HeadError> {
        if at == 0 && matches!(byte, 0x14..=0x17) {
            return Err(HeadError::Tls);
        }
        // Something that speaks another protocol may never say an empty line.
        if self.answers && HTTP.get(at).is_some_and(|expected| !expected.eq_ignore_ascii_case(&byte)) {
            return Err(HeadError::FirstLine);
        }
        self.matched = match (byte, self.matched) {
            (b'\r', 0 | 2) | (b'\n', 1 | 3) => self.matched.saturating_add(1),
            (b'\r' | b'\n', _) | (_, 1 | 3) => return Err(HeadError::Control { at }),
            (0..=8 | 11..=31 | 127, _) => return Err(HeadError::Control { at }),
            _ if at == 0 && !self.answers && !is_token(&[byte]) => return Err(HeadError::FirstLine),
            _ => 0,
        };
        if self.matched == 2 {
            self.lines = self.lines.saturating_add(1);
            if self.lines > self.limit.saturating_add(1) {
                return Err(HeadError::TooManyHeaders { limit: self.limit });
            }
        }
        Ok(())
    }

    /// The byte may be the end of a request's first line. Something that speaks another protocol may say no more, and
    /// wait for an answer to that.
    fn begun(&self, so_far: &[u8], at: usize) -> Result<(), HeadError> {
        if self.answers || (self.lines, self.matched) != (1, 2) {
            return Ok(());
        }
        request_line(so_far.get(..at.saturating_sub(1)).unwrap_or_default()).map(drop)
    }
}

/// The method, the target and the version of HTTP in a request's first line: RFC 9112, section 3.
pub(super) fn request_line(line: &[u8]) -> Result<[&[u8]; 3], HeadError> {
    let mut words = line.split(|byte| *byte == b' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(method), Some(target), Some(version), None)
            if is_token(method) && version.starts_with(HTTP) =>
        {
            Ok([method, target, version])
        }
        _ => Err(HeadError::FirstLine),
    }
}

/// Each status line begins with it: RFC 9112, section 2.3.
const HTTP: &[u8] = b"HTTP/";

/// The status in the beginning of an answer: three digits behind some version of HTTP, and something behind those that
/// is none. So much is understood of any status line, however odd.
fn status(head: &[u8]) -> Option<u16> {
    let rest = head.get(HTTP.len()..)?;
    let version = rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'.').filter(|n| *n > 0)?;
    let rest = rest.get(version..)?;
    let blanks = rest.iter().position(|byte| !b" \t".contains(byte)).filter(|n| *n > 0)?;
    let (digits, behind) = rest.get(blanks..)?.split_first_chunk::<3>()?;
    if !digits.iter().all(u8::is_ascii_digit) || behind.first()?.is_ascii_digit() {
        return None;
    }
    Some(digits.iter().fold(0, |number: u16, digit| {
        number.saturating_mul(10).saturating_add(u16::from(*digit).saturating_sub(u16::from(b'0')))
    }))
}

/// A line that begins with a blank goes on with the one before it: RFC 9112, section 5.2. (Behind the first line it
/// becomes a part of the reason, which nobody reads: section 2.2.)
fn unfold(head: &mut [u8]) {
    let cells = Cell::from_mut(head).as_slice_of_cells();
    for window in cells.windows(3) {
        if let [cr, lf, next] = window {
            if (cr.get(), lf.get()) == (b'\r', b'\n') && b" \t".contains(&next.get()) {
                cr.set(b' ');
                lf.set(b' ');
            }
        }
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
    before: Before,
    done: bool,
}

/// Empty lines before a head.
enum Before {
    /// So many.
    Lines(u8),
    /// So many, and a CR.
    Cr(u8),
    /// It has begun.
    Over,
}

/// So many empty lines before a head are passed over. RFC 9112, section 2.2: at least one.
const EMPTY: u8 = 4;
const CRLF: &str = "\r\n";

impl<S: Storage> Reader<S> {
    /// Of requests, or of answers.
    pub(super) const fn new(storage: S, answers: bool) -> Self {
        let heads = Heads { answers, status: None, matched: 0, lines: 0, limit: 100 };
        Self { decoder: Decoder::new(heads, storage), before: Before::Lines(0), done: false }
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
        Ok(self.done)
    }

    /// Goes on to the next head.
    pub(super) fn again(&mut self) {
        (self.before, self.done) = (Before::Lines(0), false);
        self.decoder.protocol_mut().status = None;
    }

    pub(super) const fn is_done(&self) -> bool {
        self.done
    }

    /// An answer's status, once it is known, and whatever is wrong with the rest.
    pub(super) const fn status(&self) -> Option<u16> {
        self.decoder.protocol().status
    }

    fn read(&mut self, input: &[u8]) -> (usize, Result<bool, HeadError>) {
        let mut rest = input;
        let mut result = Ok(false);
        while let (Before::Lines(n) | Before::Cr(n), Some((byte, later))) = (&self.before, rest.split_first())
        {
            let n = *n;
            match (&self.before, byte) {
                (Before::Lines(_), b'\r') if n < EMPTY => (self.before, rest) = (Before::Cr(n), later),
                (Before::Cr(_), b'\n') => (self.before, rest) = (Before::Lines(n.saturating_add(1)), later),
                (Before::Cr(_), _) => {
                    // It is one alone, which is refused as any other is.
                    result = self.decode(&mut &b"\r"[..]);
                    self.before = Before::Over;
                }
                _ => self.before = Before::Over,
            }
        }
        if let (Before::Over, Ok(_)) = (&self.before, &result) {
            result = self.decode(&mut rest);
        }
        (input.len().saturating_sub(rest.len()), result)
    }

    fn decode(&mut self, input: &mut &[u8]) -> Result<bool, HeadError> {
        let result = match self.decoder.feed(input) {
            Ok(head) => Ok(head.is_some()),
            Err(error) => Err(error.into_inner()),
        };
        let limit = self.decoder.storage().limit();
        result.map_err(|error| match error {
            HeadError::TooLong { .. } => HeadError::TooLong { limit },
            other => other,
        })
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

    /// Whether each header is one.
    pub(super) fn check(&self) -> Result<(), HeadError> {
        let (first, lines) = self.split();
        let mut at = first.len().saturating_add(CRLF.len());
        for line in lines.split(|byte| *byte == b'\n') {
            let text = without_cr(line);
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
            .map(without_cr)
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

/// A line without its end. Not `strip_suffix`: at opt-level "z" a panic may be left in it.
fn without_cr(line: &[u8]) -> &[u8] {
    match line {
        [text @ .., b'\r'] => text,
        _ => line,
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

/// Writes the caller's headers. What the handshake says, or where the message ends, is not for them to say: a second
/// time it would be said to one reader, and not to another.
pub(super) fn put_headers<O: Output>(out: &mut O, headers: &[(&str, &str)]) -> Result<(), EncodeError> {
    const OWN: [&str; 5] = ["Connection", "Content-Length", "Host", "Transfer-Encoding", "Upgrade"];
    const PREFIX: &[u8] = b"Sec-WebSocket-";
    for (name, value) in headers {
        let start = name.as_bytes().get(..PREFIX.len());
        if OWN.iter().any(|own| own.eq_ignore_ascii_case(name))
            || start.is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
        {
            return Err(EncodeError::Invalid {
                what: "header's name",
                expected: "none that the handshake writes itself",
            });
        }
        put_header(out, name, value)?;
    }
    Ok(())
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
