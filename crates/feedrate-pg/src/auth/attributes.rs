//! SCRAM's messages: attributes with commas between them (RFC 5802, section 7).

/// What is wrong with a message, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) at: usize,
    pub(super) expected: &'static str,
}

/// Reads attributes, one after the other.
#[derive(Clone)]
pub(super) struct Attributes<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Attributes<'a> {
    pub(super) const fn new(message: &'a [u8]) -> Self {
        Self { rest: message, at: 0 }
    }

    pub(super) const fn malformed(&self, expected: &'static str) -> Malformed {
        Malformed { at: self.at, expected }
    }

    /// Takes `prefix`, if it comes next.
    pub(super) fn skip(&mut self, prefix: &[u8]) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.advance(rest);
                true
            }
            None => false,
        }
    }

    /// The value of the attribute that comes next, if that begins with `name` (`r=`). Not the comma behind it.
    pub(super) fn value(&mut self, name: &'static str) -> Result<&'a [u8], Malformed> {
        if !self.skip(name.as_bytes()) {
            return Err(self.malformed(name));
        }
        self.until_comma()
    }

    /// Up to the next comma: at least one byte, and none that is NUL.
    fn until_comma(&mut self) -> Result<&'a [u8], Malformed> {
        let end = self.rest.iter().position(|&byte| byte == b',').unwrap_or(self.rest.len());
        let (value, rest) = self.rest.split_at_checked(end).unwrap_or_default();
        if value.is_empty() || value.contains(&0) {
            return Err(self.malformed("a value"));
        }
        self.advance(rest);
        Ok(value)
    }

    /// The comma between two attributes.
    pub(super) fn comma(&mut self) -> Result<(), Malformed> {
        if self.skip(b",") { Ok(()) } else { Err(self.malformed("a comma")) }
    }

    /// Nothing more than extensions, which mean nothing here.
    pub(super) fn end(mut self) -> Result<(), Malformed> {
        while !self.rest.is_empty() {
            self.comma()?;
            let letter = self.rest.first().is_some_and(u8::is_ascii_alphabetic);
            if !letter || self.rest.get(1) != Some(&b'=') {
                return Err(self.malformed("an attribute, or the end"));
            }
            self.advance(self.rest.get(2..).unwrap_or_default());
            self.until_comma()?;
        }
        Ok(())
    }

    fn advance(&mut self, rest: &'a [u8]) {
        self.at = self.at.saturating_add(self.rest.len().saturating_sub(rest.len()));
        self.rest = rest;
    }
}

/// A count from 1, in decimal. What is too large for the type is the largest there is.
pub(super) fn count(text: &[u8]) -> Option<u32> {
    if text.first() == Some(&b'0') || !text.iter().all(u8::is_ascii_digit) || text.is_empty() {
        return None;
    }
    let digits = text.iter().map(|digit| u32::from(digit.wrapping_sub(b'0')));
    Some(digits.fold(0_u32, |count, digit| count.saturating_mul(10).saturating_add(digit)))
}

/// Whether these may stand in a nonce: printable, and no comma.
pub(super) fn is_nonce(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| byte.is_ascii_graphic() && byte != b',')
}
