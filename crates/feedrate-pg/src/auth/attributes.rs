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

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What has been read of the `message` that this began with.
    pub(super) fn before<'m>(&self, message: &'m [u8]) -> &'m [u8] {
        message.get(..self.at).unwrap_or_default()
    }

    /// Whether the next attribute is the one of this name (`r=`).
    pub(super) fn comes(&self, name: &'static str) -> bool {
        self.rest.starts_with(name.as_bytes())
    }

    /// The value of the next attribute, which has this name. Not the comma behind it.
    pub(super) fn value(&mut self, name: &'static str) -> Result<&'a [u8], Malformed> {
        let value = self.value_or_none(name)?;
        if value.is_empty() { Err(self.malformed("a value")) } else { Ok(value) }
    }

    /// As [`value`](Self::value), and it may be empty.
    pub(super) fn value_or_none(&mut self, name: &'static str) -> Result<&'a [u8], Malformed> {
        if !self.comes(name) {
            return Err(self.malformed(name));
        }
        self.advance(name.len());
        self.until_comma()
    }

    fn until_comma(&mut self) -> Result<&'a [u8], Malformed> {
        let end = self.rest.iter().position(|&byte| byte == b',').unwrap_or(self.rest.len());
        let value = self.rest.get(..end).unwrap_or_default();
        if value.contains(&0) {
            return Err(self.malformed("no NUL"));
        }
        self.advance(end);
        Ok(value)
    }

    /// The comma between two attributes.
    pub(super) fn comma(&mut self) -> Result<(), Malformed> {
        if !self.rest.starts_with(b",") {
            return Err(self.malformed("a comma"));
        }
        self.advance(1);
        Ok(())
    }

    /// An attribute that means nothing here, and need not. One that has to be known is `m=`.
    pub(super) fn extension(&mut self) -> Result<(), Malformed> {
        match self.rest {
            [b'm', b'=', ..] => Err(self.malformed("no mandatory extension")),
            [letter, b'=', ..] if letter.is_ascii_alphabetic() => {
                self.advance(2);
                self.until_comma().map(|_| ())
            }
            _ => Err(self.malformed("an attribute")),
        }
    }

    /// Nothing more than extensions.
    pub(super) fn end(mut self) -> Result<(), Malformed> {
        while !self.is_empty() {
            self.comma()?;
            self.extension()?;
        }
        Ok(())
    }

    fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
        self.rest = self.rest.get(bytes..).unwrap_or_default();
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
