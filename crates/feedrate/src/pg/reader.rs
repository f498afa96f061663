//! Reads fields off the front of a body, never beyond its end.

use super::cap::width;
use super::error::Problem;
use super::text::Text;
use crate::scan::find;

/// The rest of a message's body. On an error nothing is taken, so the rest begins with the bad field.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
    problem: Option<Problem>,
}

/// A field was bad; the reader holds the reason. It has size 0, so that results are returned in registers.
#[derive(Debug, Clone, Copy)]
pub struct Bad(());

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) const fn new(body: &'a [u8]) -> Self {
        Self { rest: body, problem: None }
    }

    /// Records what is wrong with the field at the front.
    #[cold]
    #[inline(never)]
    pub(crate) const fn bad(&mut self, problem: Problem) -> Bad {
        self.problem = Some(problem);
        Bad(())
    }

    #[cold]
    #[inline(never)]
    const fn short(&mut self, what: &'static str, needed: usize) -> Bad {
        self.bad(Problem::Short { what, needed, left: self.rest.len() })
    }

    /// What is wrong: a field, or bytes after the last one.
    pub(crate) const fn problem(&self) -> Problem {
        match self.problem {
            Some(problem) => problem,
            None => Problem::Trailing(self.rest.len()),
        }
    }

    #[inline]
    pub(crate) const fn left(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    pub(crate) const fn peek(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Bad> {
        match self.rest.split_first_chunk::<N>() {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(*bytes)
            }
            None => Err(self.short(what, N)),
        }
    }

    pub(crate) fn u8(&mut self, what: &'static str) -> Result<u8, Bad> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    /// Counts are unsigned, as for servers and libpq, although the documentation says Int16.
    pub(crate) fn u16(&mut self, what: &'static str) -> Result<u16, Bad> {
        self.array(what).map(u16::from_be_bytes)
    }

    pub(crate) fn i16(&mut self, what: &'static str) -> Result<i16, Bad> {
        self.array(what).map(i16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, Bad> {
        self.array(what).map(u32::from_be_bytes)
    }

    pub(crate) fn i32(&mut self, what: &'static str) -> Result<i32, Bad> {
        self.array(what).map(i32::from_be_bytes)
    }

    pub(crate) fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], Bad> {
        match self.rest.split_at_checked(n) {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(bytes)
            }
            None => Err(self.short(what, n)),
        }
    }

    /// Everything that is left.
    #[inline]
    pub(crate) const fn rest(&mut self) -> &'a [u8] {
        let rest = self.rest;
        self.rest = &[];
        rest
    }

    /// A NUL-terminated string. The NUL is taken, but not part of the result.
    pub(crate) fn text(&mut self) -> Result<Text<'a>, Bad> {
        match find(0, self.rest).and_then(|end| self.rest.split_at_checked(end)) {
            Some((text, rest)) => {
                self.rest = rest.get(1..).unwrap_or_default();
                Ok(Text::from(text))
            }
            None => Err(self.bad(Problem::Unterminated)),
        }
    }

    /// A value after its length; -1 is NULL.
    pub(crate) fn value(&mut self) -> Result<Option<&'a [u8]>, Bad> {
        match split_value(self.rest) {
            Some((value, rest)) => {
                self.rest = rest;
                Ok(value)
            }
            None => Err(self.bad_value()),
        }
    }

    #[cold]
    #[inline(never)]
    fn bad_value(&mut self) -> Bad {
        let Some((length, behind)) = self.rest.split_first_chunk() else {
            return self.short("value length", 4);
        };
        let length = i32::from_be_bytes(*length);
        let left = behind.len();
        let expected = "-1 for NULL, or 0 and more";
        self.bad(match usize::try_from(length) {
            Ok(needed) => Problem::Short { what: "value", needed, left },
            Err(_) => Problem::Negative { what: "value length", found: length, expected },
        })
    }
}

/// A value, and the bytes after it; `None` if its length is bad.
#[inline]
pub(crate) fn split_value(bytes: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (length, behind) = bytes.split_first_chunk()?;
    // Read as unsigned, a negative length is longer than any message, which is shorter than 2 GiB. So the comparison
    // that is needed anyway also finds NULL and bad lengths.
    let length = u32::from_be_bytes(*length);
    match behind.split_at_checked(width(length)) {
        Some((value, rest)) => Some((Some(value), rest)),
        None if length == u32::MAX => Some((None, behind)),
        None => None,
    }
}
